"""``zkmargin deposit``: collateral into an account."""

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
    signer,
    token_option,
)
from prover.terminal import progress

if TYPE_CHECKING:
    from decimal import Decimal

    from prover.commands.options import Identity, Place


@click.command()
@amount_argument
@token_option
@click.option("--for", "beneficiary", help="Account of somebody else (0x and 64 hexadecimal digits): into its inbox.")
@place_options
@identity_options
@json_option
def command(
    place: Place, identity: Identity, *, amount: Decimal, token: str | None, beneficiary: str | None, as_json: bool
) -> None:
    """Deposit AMOUNT of a collateral token; everybody sees it. The first deposit opens the account.

    Where there is no wallet yet, a new one is made. A deposit for somebody else needs none: it waits in the inbox of
    that account until its owner merges it.
    """
    if beneficiary is None:
        result = _own_deposit(place, identity, amount, token)
    else:
        result = _deposit_for(place, identity, amount, token, beneficiary)
    print_result(result, as_json=as_json)


def _own_deposit(place: Place, identity: Identity, amount: Decimal, token: str | None) -> dict[str, object]:
    from prover.account.collateral import find_collateral  # noqa: PLC0415 - brings eth-abi
    from prover.account.deposits import deposit  # noqa: PLC0415 - brings numpy

    venue = place.connect()
    collateral = find_collateral(venue, token)
    ticks = collateral.ticks(amount, "deposit")
    with identity.session(venue, create=True) as session:
        with progress("depositing"):
            receipts = deposit(session, amount, token)
        state = venue.house.account_state(session.account)
        result: dict[str, object] = {"account": "0x" + session.account.hex(), "deposited": str(amount)}
        result |= {"token": collateral.name, "ticks": ticks, "state_version": state.state_version}
        return result | receipt_fields(receipts[-1]) | {"wallet": str(session.wallet.path)}


def _deposit_for(
    place: Place, identity: Identity, amount: Decimal, token: str | None, beneficiary: str
) -> dict[str, object]:
    from prover.account.collateral import find_collateral  # noqa: PLC0415 - brings eth-abi
    from prover.account.deposits import deposit_for  # noqa: PLC0415 - brings numpy
    from verifier.claim_file import parse_account  # noqa: PLC0415 - brings eth-abi

    account = parse_account(beneficiary)
    venue = place.connect()
    with progress("depositing"):
        receipts = deposit_for(venue, signer(identity.keystore), account, amount, token)
    waiting = venue.vault.inbox(account, find_collateral(venue, token).number)
    result: dict[str, object] = {"account": beneficiary, "deposited": str(amount), "ticks_in_its_inbox": waiting}
    return result | receipt_fields(receipts[-1])
