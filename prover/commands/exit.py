"""``zkmargin exit``: an account becomes transparent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from prover.commands.options import (
    identity_options,
    json_option,
    place_options,
    print_result,
    receipt_fields,
)
from prover.terminal import progress

if TYPE_CHECKING:
    from prover.commands.options import Identity, Place


@click.command()
@place_options
@identity_options
@json_option
def command(place: Place, identity: Identity, *, as_json: bool) -> None:
    """Show that your account holds public amounts of collateral and nothing else; close all positions before.

    Needs no market: it works while nobody publishes rules, and while the house is paused. From then on everybody sees
    what the account holds, and `withdraw` needs no proof, until it trades again.
    """
    from prover.account.collateral import collaterals  # noqa: PLC0415 - brings eth-abi
    from prover.account.exits import prepare_exit, submit_exit  # noqa: PLC0415 - brings numpy

    venue = place.connect()
    with identity.session(venue) as session:
        with progress("proving that nothing but collateral is left"):
            leaving = prepare_exit(session)
        with progress("leaving"):
            receipt = submit_exit(session, leaving)
        result: dict[str, object] = {"account": "0x" + session.account.hex()}
        for token, ticks in zip(collaterals(venue), leaving.holdings, strict=False):
            result[f"holds_{token.name}"] = f"{token.amount(ticks):f}"
        print_result(result | receipt_fields(receipt), as_json=as_json)
