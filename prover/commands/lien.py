"""``zkmargin lien``: collateral of an account set aside for a lender."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from prover.commands.options import (
    amount_argument,
    json_option,
    keystore_option,
    party_options,
    place_options,
    print_result,
    receipt_fields,
    signer,
    token_option,
)
from prover.terminal import progress

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path

    from prover.commands.options import Party, Place


@click.group()
def command() -> None:
    """Set collateral of your account aside for a lender: grant, claim, release. Liens are public.

    Every later proof of the account is made on what is left, so that a lender can rely on a lien between transactions.
    """


@command.command()
@amount_argument
@click.argument("lender")
@token_option
@party_options
@json_option
def grant(*, party: Party, amount: Decimal, lender: str, token: str | None, as_json: bool) -> None:
    """Let the address LENDER claim AMOUNT of your account's collateral; what stays must be covered."""
    from prover.account.liens import prepare_lien, submit_lien  # noqa: PLC0415 - brings numpy

    with party.session() as (session, rules):
        with progress("proving initial margin of what stays"):
            prepared = prepare_lien(session, amount, lender, rules, token)
        with progress("granting"):
            receipt = submit_lien(session, prepared)
        result: dict[str, object] = {"account": "0x" + session.account.hex(), "lender": prepared.terms.lender}
        print_result(result | {"ticks": prepared.terms.ticks} | receipt_fields(receipt), as_json=as_json)


@command.command()
@amount_argument
@click.argument("account")
@token_option
@click.option("--to", "recipient", help="Address that gets the tokens.  [default: yours]")
@place_options
@keystore_option
@json_option
def claim(  # noqa: PLR0913 - one parameter for each option
    place: Place,
    *,
    amount: Decimal,
    account: str,
    token: str | None,
    recipient: str | None,
    keystore: Path | None,
    as_json: bool,
) -> None:
    """Take AMOUNT of the lien that ACCOUNT (0x and 64 hexadecimal digits) granted you; paid at once, or queued."""
    from prover.account.liens import claim_lien  # noqa: PLC0415 - brings numpy
    from verifier.claim_file import parse_account  # noqa: PLC0415 - brings eth-abi

    owed, lender = parse_account(account), signer(keystore)
    venue = place.connect()
    receiver = recipient or lender.address
    with progress("claiming"):
        receipt = claim_lien(venue, lender, owed, amount, token=token, recipient=receiver)
    print_result({"account": account, "recipient": receiver} | receipt_fields(receipt), as_json=as_json)


@command.command()
@amount_argument
@click.argument("account")
@token_option
@place_options
@keystore_option
@json_option
def release(
    place: Place, *, amount: Decimal, account: str, token: str | None, keystore: Path | None, as_json: bool
) -> None:
    """Give AMOUNT of your lien on ACCOUNT (0x and 64 hexadecimal digits) back, into the account's inbox."""
    from prover.account.liens import release_lien  # noqa: PLC0415 - brings numpy
    from verifier.claim_file import parse_account  # noqa: PLC0415 - brings eth-abi

    owed, lender = parse_account(account), signer(keystore)
    venue = place.connect()
    with progress("releasing"):
        receipt = release_lien(venue, lender, owed, amount, token=token)
    print_result({"account": account, "released": str(amount)} | receipt_fields(receipt), as_json=as_json)
