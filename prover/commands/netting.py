"""``zkmargin netting``: trades of several accounts settled together; pairs agree in private, the rest is public."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from prover.commands.options import (
    identity_options,
    json_option,
    keystore_option,
    party_options,
    place_options,
    print_result,
    receipt_fields,
    signer,
)
from prover.commands.trade import confirm_change
from prover.terminal import progress

if TYPE_CHECKING:
    from prover.commands.options import Identity, Party, Place

_NEW_FILE = click.Path(path_type=Path, dir_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)
_INPUT = click.Path(path_type=Path, dir_okay=False, allow_dash=True)


@click.group()
def command() -> None:
    """Settle trades of several owners together: pairs agree on legs, a coordinator collects them, everybody signs.

    \b
    1. Each pair agrees on its leg in private:  offer → accept → agree
    2. Anybody puts the public legs together:   terms
    3. Every owner checks, proves and signs:    sign
    4. Anybody sends it:                        settle

    What counts is the margin after all of your legs. Bound terms happen as a whole or not at all. In open terms each
    leg is signed by itself: who cannot carry one has the coordinator make new terms of the others.

    OFFER and ANSWER are secrets of the two: hand them over in private. LEG, TERMS and SIDE are public: they say who
    trades with whom, never what. Whoever signs last decides until the deadline whether the trades happen.
    """  # noqa: D301 - the mark is click's: a block that is not to be wrapped


@command.command()
@click.argument("change", type=_INPUT)
@click.argument("offer", type=_NEW_FILE)
@click.option("--seconds", type=int, default=1800, show_default=True, help="Until the leg is void.")
@party_options
@json_option
def offer(*, party: Party, change: Path, offer: Path, seconds: int, as_json: bool) -> None:
    """Offer the leg in the file CHANGE, and write the file OFFER for the other owner.

    CHANGE is a JSON object of what you receive (negative: give), cash included: {"BTC-27JUN25-100000-C": 3, "USD":
    -30000}. It comes from a file, or from standard input as "-", because others can read command lines.
    """
    from prover.account.netting_agreement import offer_leg  # noqa: PLC0415 - brings numpy
    from prover.account.secret_file import write_owner_only  # noqa: PLC0415 - brings cryptography
    from prover.account.trade_files import encode_trade_file, read_change  # noqa: PLC0415 - brings pydantic

    quantities = read_change(change)
    with party.session() as (session, rules):
        made = offer_leg(session, rules, quantities, seconds=seconds)
        write_owner_only(offer, encode_trade_file(made))
    fields: dict[str, object] = {"leg": made.trade, "last_epoch": made.max_epoch, "deadline": made.deadline}
    print_result(fields | {"offer": str(offer)}, as_json=as_json)


@command.command()
@click.argument("offer", type=_FILE)
@click.argument("answer", type=_NEW_FILE)
@click.option("--yes", is_flag=True, help="Do not ask.")
@party_options
@json_option
def accept(*, party: Party, offer: Path, answer: Path, yes: bool, as_json: bool) -> None:
    """Accept the leg in the file OFFER, and write the file ANSWER for the owner who offered it.

    Nothing is signed yet: the leg happens only in terms that you sign. The same offer gets the same answer again.
    """
    from prover.account.netting_agreement import accept_leg  # noqa: PLC0415 - brings numpy
    from prover.account.netting_files import NettingOffer  # noqa: PLC0415 - brings pydantic
    from prover.account.secret_file import write_owner_only  # noqa: PLC0415 - brings cryptography
    from prover.account.trade_files import encode_trade_file, read_trade_file  # noqa: PLC0415 - brings pydantic

    proposed = read_trade_file(offer, NettingOffer)
    with party.session() as (session, rules):
        if not yes:
            received = proposed.change(rules.slots, session.venue.shape).negated().quantities()
            confirm_change(received, "accept this leg?")
        made = accept_leg(session, rules, proposed)
        write_owner_only(answer, encode_trade_file(made))
    print_result({"leg": made.trade, "answer": str(answer)}, as_json=as_json)


@command.command()
@click.argument("answer", type=_FILE)
@click.argument("leg", type=_NEW_FILE)
@party_options
@json_option
def agree(*, party: Party, answer: Path, leg: Path, as_json: bool) -> None:
    """Check the file ANSWER to a leg that you offered, and write its public half, LEG, for the coordinator."""
    from prover.account.netting_agreement import agree_leg  # noqa: PLC0415 - brings numpy
    from prover.account.netting_files import NettingAnswer  # noqa: PLC0415 - brings pydantic
    from prover.account.secret_file import write_owner_only  # noqa: PLC0415 - brings cryptography
    from prover.account.trade_files import encode_trade_file, read_trade_file  # noqa: PLC0415 - brings pydantic

    given = read_trade_file(answer, NettingAnswer)
    with party.session() as (session, rules):
        made = agree_leg(session, rules, given)
        write_owner_only(leg, encode_trade_file(made))
    fields: dict[str, object] = {"leg": made.trade, "receiver": made.receiver, "giver": made.giver}
    print_result(fields | {"deadline": made.deadline, "public_half": str(leg)}, as_json=as_json)


@command.command()
@click.argument("legs", type=_FILE, nargs=-1, required=True, metavar="LEG...")
@click.argument("terms", type=_NEW_FILE)
@click.option("--open", "is_open", is_flag=True, help="Each leg signed by itself, so that one can be left out later.")
@place_options
@json_option
def terms(place: Place, *, legs: tuple[Path, ...], terms: Path, is_open: bool, as_json: bool) -> None:
    """Put the legs in the files LEG together, and write the file TERMS for every owner to sign.

    Anybody may coordinate: no key, no wallet and no trust is needed. The terms are bound, all legs or none, unless
    --open is given. They are made for the accounts as they are now: who deposits or trades before they are settled
    has to be asked again.
    """
    from prover.account.netting_files import NettingLeg  # noqa: PLC0415 - brings pydantic
    from prover.account.netting_terms import make_terms  # noqa: PLC0415 - brings eth-abi
    from prover.account.secret_file import write_owner_only  # noqa: PLC0415 - brings cryptography
    from prover.account.trade_files import encode_trade_file, read_trade_file  # noqa: PLC0415 - brings pydantic

    given = [read_trade_file(path, NettingLeg) for path in legs]
    made = make_terms(place.connect(), given, is_open=is_open)
    write_owner_only(terms, encode_trade_file(made))
    fields: dict[str, object] = {"mode": "bound" if made.is_bound else "open", "legs": len(made.legs)}
    fields |= {"accounts": list(made.accounts), "last_epoch": made.max_epoch, "deadline": made.deadline}
    print_result(fields | {"terms": str(terms)}, as_json=as_json)


@command.command()
@click.argument("terms", type=_FILE)
@click.argument("side", type=_NEW_FILE)
@click.option("--without", multiple=True, metavar="LEG", help="Name of a leg of yours that the terms may leave out.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@party_options
@json_option
def sign(*, party: Party, terms: Path, side: Path, without: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Check the file TERMS against what you agreed on, prove your margin after all your legs, and sign.

    Writes the public file SIDE for whoever settles. Refuses terms that have a leg of yours that you did not agree on,
    or lack one that you did. What you signed can happen until the deadline, unless your account changes before.
    """
    from prover.account.netting_files import NettingTerms  # noqa: PLC0415 - brings pydantic
    from prover.account.netting_signing import check_terms, sign_terms  # noqa: PLC0415 - brings numpy
    from prover.account.secret_file import write_owner_only  # noqa: PLC0415 - brings cryptography
    from prover.account.trade_files import encode_trade_file, read_trade_file  # noqa: PLC0415 - brings pydantic

    given = read_trade_file(terms, NettingTerms)
    with party.session() as (session, rules):
        checked = check_terms(session, rules, given, without)
        mode = "bound" if given.is_bound else "open"
        if not yes:
            confirm_change(checked.received(session.account), f"sign these {mode} terms?")
        with progress("proving initial margin after all legs"):
            made = sign_terms(session, rules, checked)
        write_owner_only(side, encode_trade_file(made))
    fields: dict[str, object] = {"mode": mode, "account": made.account, "legs": [leg.leg.trade for leg in checked.own]}
    print_result(fields | {"epoch": made.epoch, "side": str(side)}, as_json=as_json)


@command.command()
@click.argument("terms", type=_FILE)
@click.argument("sides", type=_FILE, nargs=-1, required=True, metavar="SIDE...")
@place_options
@keystore_option
@json_option
def settle(place: Place, *, terms: Path, sides: tuple[Path, ...], keystore: Path | None, as_json: bool) -> None:
    """Send the file TERMS with the files SIDE of all its accounts; anybody may, and pays the transaction alone."""
    from prover.account.netting_files import NettingSide, NettingTerms  # noqa: PLC0415 - brings pydantic
    from prover.account.netting_terms import settle_terms  # noqa: PLC0415 - brings eth-abi
    from prover.account.trade_files import read_trade_file  # noqa: PLC0415 - brings pydantic

    given = read_trade_file(terms, NettingTerms)
    brought = [read_trade_file(path, NettingSide) for path in sides]
    payer = signer(keystore)
    venue = place.connect()
    with progress("settling"):
        receipt = settle_terms(venue, payer, given, brought)
    fields: dict[str, object] = {"mode": "bound" if given.is_bound else "open", "legs": len(given.legs)}
    print_result(fields | {"accounts": len(given.accounts)} | receipt_fields(receipt), as_json=as_json)


@command.command("legs")
@place_options
@identity_options
@json_option
def list_legs(place: Place, *, identity: Identity, as_json: bool) -> None:
    """Legs that you agreed on and that are not void yet: with whom, until when, and whether they have happened."""
    from prover.account.netting_agreement import agreements  # noqa: PLC0415 - brings numpy
    from prover.account.netting_signing import is_settled  # noqa: PLC0415 - the same

    venue = place.connect()
    with identity.session(venue) as session:
        record, _ = session.refresh()
        own = agreements(record).values()
        settled = [is_settled(venue.house, entry, record.account) for entry in own]
    left = [entry.leg.deadline - venue.chain.block_time() for entry in own]
    rows: list[dict[str, object]] = [
        {"leg": entry.leg.trade, "with": entry.leg.other(record.account), "settled": done, "seconds_left": seconds}
        for entry, done, seconds in zip(own, settled, left, strict=True)
        if seconds >= 0
    ]
    if as_json:
        print_result({"legs": rows}, as_json=True)
        return
    for row in rows:
        state = "settled" if row["settled"] else f"void in {row['seconds_left']} s"
        click.echo(f"{row['leg']}  with {row['with']}  {state}")
