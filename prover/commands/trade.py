"""``zkmargin trade``: offer, accept, settle; the parties hand each other two files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from prover.commands.options import (
    json_option,
    party_options,
    print_result,
    receipt_fields,
)
from prover.terminal import progress

if TYPE_CHECKING:
    from decimal import Decimal

    from prover.commands.options import Party

_NEW_FILE = click.Path(path_type=Path, dir_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False, allow_dash=True)


@click.group()
def command() -> None:
    """Trade with another owner: offer, accept, settle.

    Offer and acceptance are secrets of the two parties: hand them over in private. Whoever signs last decides until
    the deadline whether the trade happens.
    """


@command.command()
@click.argument("change", type=_FILE)
@click.argument("offer", type=_NEW_FILE)
@click.option("--seconds", type=int, default=600, show_default=True, help="Until the offer is void.")
@party_options
@json_option
def offer(
    *,
    party: Party,
    change: Path,
    offer: Path,
    seconds: int,
    as_json: bool,
) -> None:
    """Offer the trade in the file CHANGE, and write the file OFFER for the other party.

    CHANGE is a JSON object of what you receive (negative: give), cash included: {"BTC-27JUN25-100000-C": 3, "USD":
    -30000}. It comes from a file, or from standard input as "-", because others can read command lines.
    """
    from prover.account.secret_file import write_owner_only  # noqa: PLC0415 - brings cryptography
    from prover.account.trade import make_offer  # noqa: PLC0415 - brings numpy
    from prover.account.trade_files import encode_trade_file, read_change  # noqa: PLC0415 - brings pydantic

    quantities = read_change(change)
    with party.session() as (session, rules):
        made = make_offer(session, rules, quantities, seconds=seconds)
        write_owner_only(offer, encode_trade_file(made))
    fields: dict[str, object] = {"trade": made.trade, "last_epoch": made.max_epoch, "deadline": made.deadline}
    print_result(fields | {"offer": str(offer)}, as_json=as_json)


@command.command()
@click.argument("offer", type=_FILE)
@click.argument("acceptance", type=_NEW_FILE)
@click.option("--yes", is_flag=True, help="Do not ask.")
@party_options
@json_option
def accept(
    *,
    party: Party,
    offer: Path,
    acceptance: Path,
    yes: bool,
    as_json: bool,
) -> None:
    """Accept the trade in the file OFFER, and write the file ACCEPTANCE for the party that offered it."""
    from prover.account.secret_file import write_owner_only  # noqa: PLC0415 - brings cryptography
    from prover.account.trade import accept_offer  # noqa: PLC0415 - brings numpy
    from prover.account.trade_files import TradeOffer, encode_trade_file, read_trade_file  # noqa: PLC0415 - brings pydantic

    proposed = read_trade_file(offer, TradeOffer)
    with party.session() as (session, rules):
        if not yes:
            confirm_change(
                proposed.change(rules.slots, session.venue.shape).negated().quantities(), "accept this trade?"
            )
        with progress("proving initial margin after the trade"):
            made = accept_offer(session, rules, proposed)
        write_owner_only(acceptance, encode_trade_file(made))
    print_result({"trade": made.trade, "acceptance": str(acceptance)}, as_json=as_json)


@command.command()
@click.argument("acceptance", type=_FILE)
@party_options
@json_option
def settle(*, party: Party, acceptance: Path, as_json: bool) -> None:
    """Settle the trade that the file ACCEPTANCE answers: prove, sign and send."""
    from prover.account.trade import prepare_settlement, submit_settlement  # noqa: PLC0415 - brings numpy
    from prover.account.trade_files import TradeAcceptance, read_trade_file  # noqa: PLC0415 - brings pydantic

    accepted = read_trade_file(acceptance, TradeAcceptance)
    with party.session() as (session, rules):
        with progress("proving initial margin after the trade"):
            prepared = prepare_settlement(session, rules, accepted)
        with progress("settling"):
            receipt = submit_settlement(session, prepared)
    print_result({"trade": accepted.trade} | receipt_fields(receipt), as_json=as_json)


def confirm_change(received: dict[str, Decimal], question: str) -> None:
    """Show what this party would receive and give; nothing is signed without a yes."""
    for name, quantity in received.items():
        click.echo(
            f"{'you receive' if quantity > 0 else 'you give':<12} {abs(quantity):>16f}  {json.dumps(name)}", err=True
        )
    click.confirm(question, abort=True, err=True)
