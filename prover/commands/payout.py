"""``zkmargin payout``: have a queued withdrawal paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from prover.commands.options import (
    json_option,
    keystore_option,
    place_options,
    print_result,
    receipt_fields,
    signer,
    token_option,
)
from prover.terminal import progress

if TYPE_CHECKING:
    from pathlib import Path

    from prover.commands.options import Place


@click.command()
@click.argument("claim", type=click.IntRange(1, (1 << 64) - 1))
@token_option
@place_options
@keystore_option
@json_option
def command(place: Place, *, claim: int, token: str | None, keystore: Path | None, as_json: bool) -> None:
    """Have the queued withdrawal number CLAIM paid to its recipient; anybody may, and pays the transaction alone.

    Every token has a queue of its own: `status` says which one a claim waits in.
    """
    from prover.account.collateral import find_collateral  # noqa: PLC0415 - brings eth-abi

    venue = place.connect()
    collateral = find_collateral(venue, token)
    with progress("paying"):
        receipt = venue.vault.pay_queued(signer(keystore), collateral.number, claim)
    print_result({"claim": claim, "token": collateral.name} | receipt_fields(receipt), as_json=as_json)
