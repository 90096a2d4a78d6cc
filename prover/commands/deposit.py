"""``zkmargin deposit``: collateral into one of your accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from prover.commands.options import (
    amount_argument,
    identity_options,
    json_option,
    place_options,
    print_result,
    receipt_fields,
)
from prover.terminal import progress

if TYPE_CHECKING:
    from decimal import Decimal

    from prover.commands.options import Identity, Place


@click.command()
@amount_argument
@place_options
@identity_options
@json_option
def command(place: Place, identity: Identity, *, amount: Decimal, as_json: bool) -> None:
    """Deposit AMOUNT of the quote currency; everybody sees it. The first deposit opens the account.

    Where there is no wallet yet, a new one is made.
    """
    from prover.account.deposits import deposit, deposit_ticks  # noqa: PLC0415 - brings numpy

    venue = place.connect()
    ticks = deposit_ticks(amount, venue.shape)
    with identity.session(venue, create=True) as session:
        with progress("depositing"):
            receipts = deposit(session, amount)
        state = venue.house.account_state(session.account)
        result = {"account": "0x" + session.account.hex(), "deposited": str(amount), "ticks": ticks}
        result |= {"state_version": state.state_version, "deposited_ticks_in_all": state.deposited}
        result |= receipt_fields(receipts[-1]) | {"wallet": str(session.wallet.path)}
        print_result(result, as_json=as_json)
