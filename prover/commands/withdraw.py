"""``zkmargin withdraw``: collateral out of one of your accounts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from prover.commands.options import (
    MarketFiles,
    amount_argument,
    identity_options,
    json_option,
    place_options,
    print_result,
    receipt_fields,
    rule_option,
    token_option,
)
from prover.terminal import progress

if TYPE_CHECKING:
    from decimal import Decimal

    from prover.commands.options import Identity, Place


@click.command()
@amount_argument
@click.option("--to", "recipient", help="Address that gets the tokens.  [default: the account's owner]")
@token_option
@place_options
@identity_options
@click.option(
    "--market",
    type=click.Path(path_type=Path),
    envvar="ZKMARGIN_MARKET",
    help="Market of the published rules: needed once the account has traded.",
)
@click.option(
    "--slots",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="ZKMARGIN_SLOTS",
    help="List of slots, if it is elsewhere.",
)
@rule_option
@json_option
def command(  # noqa: PLR0913 - one parameter for each option
    place: Place,
    identity: Identity,
    *,
    amount: Decimal,
    recipient: str | None,
    token: str | None,
    market: Path | None,
    slots: Path | None,
    rule: str | None,
    as_json: bool,
) -> None:
    """Withdraw AMOUNT of a collateral token; everybody sees it.

    An account that has traded proves that what stays is covered; one that never did, or has left by ``exit``, needs no
    proof and no market. Where the house has no room for the amount at once, it waits in the queue: ``status`` says
    until when, ``payout`` has it paid.
    """
    from prover.account.withdrawals import prepare_withdrawal, submit_withdrawal  # noqa: PLC0415 - brings numpy
    from verifier.chain.account_state import AccountStatus  # noqa: PLC0415 - brings eth-abi

    venue = place.connect()
    with identity.session(venue) as session:
        is_hidden = venue.house.account_state(session.account).status is AccountStatus.ACTIVE
        rules = MarketFiles(market, slots, rule).rules(place, venue) if is_hidden and market is not None else None
        with progress("proving, where a proof is needed"):
            prepared = prepare_withdrawal(session, amount, recipient or session.signer.address, rules, token)
        with progress("withdrawing"):
            done = submit_withdrawal(session, prepared)
        result = {"account": "0x" + session.account.hex(), "withdrawn": str(amount), "ticks": done.ticks}
        result |= {"token": prepared.collateral.name}
        result |= {"recipient": prepared.terms.recipient, "proven": prepared.evidence is not None}
        result |= {"queued_as_claim": "no, paid" if done.claim is None else done.claim}
        print_result(result | receipt_fields(done.receipt), as_json=as_json)
