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
)
from prover.terminal import progress

if TYPE_CHECKING:
    from pathlib import Path

    from prover.commands.options import Place


@click.command()
@click.argument("claim", type=click.IntRange(1))
@place_options
@keystore_option
@json_option
def command(place: Place, *, claim: int, keystore: Path | None, as_json: bool) -> None:
    """Have the queued withdrawal number CLAIM paid to its recipient; anybody may, and pays the transaction alone."""
    venue = place.connect()
    with progress("paying"):
        receipt = venue.house.pay_queued(signer(keystore), claim)
    print_result({"claim": claim} | receipt_fields(receipt), as_json=as_json)
