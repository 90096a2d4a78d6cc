"""``zkmargin operator``: who may sign for an account beside its owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from prover.commands.options import (
    json_option,
    keystore_option,
    place_options,
    print_result,
    receipt_fields,
    signer,
    subaccount_option,
)
from prover.terminal import progress

if TYPE_CHECKING:
    from pathlib import Path

    from prover.commands.options import Place

DAY: Final = 86_400


@click.group()
def command() -> None:
    """Appoint operators: they sign trades of your account and merge its inbox, nothing else.

    An operator needs a copy of the wallet to prove, and names the account by --account.
    """


@command.command("set")
@click.argument("operator")
@click.option("--days", type=click.IntRange(0, 3650), default=30, show_default=True, help="For so long; 0 dismisses.")
@place_options
@keystore_option
@subaccount_option
@json_option
def set_operator(
    place: Place, *, operator: str, days: int, keystore: Path | None, subaccount: int, as_json: bool
) -> None:
    """Let the address OPERATOR sign for your account, or dismiss it (--days 0)."""
    from prover.account.withdrawals import checked_address  # noqa: PLC0415 - brings numpy
    from verifier.chain.clearing_terms import account_id  # noqa: PLC0415 - brings eth-abi

    address = checked_address(operator)
    owner = signer(keystore)
    venue = place.connect()
    until = venue.chain.block_time() + days * DAY if days else 0
    with progress("appointing"):
        receipt = venue.house.set_operator(owner, subaccount, address, until)
    account = account_id(owner.address, subaccount)
    result: dict[str, object] = {"account": "0x" + account.hex(), "operator": address, "valid_until": until}
    print_result(result | receipt_fields(receipt), as_json=as_json)
