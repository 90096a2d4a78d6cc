"""``zkmargin status``: the two views of your accounts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from prover.commands.options import (
    MarketFiles,
    json_option,
    place_options,
    rule_option,
    wallet_option,
    wallet_password,
)
from prover.terminal import print_table, side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable

    from prover.account.account_view import Value
    from prover.account.venue import Venue
    from prover.account.wallet import Wallet
    from prover.account.wallet_records import AccountRecord
    from prover.commands.options import Place


@click.command()
@place_options
@wallet_option
@click.option("--market", type=click.Path(path_type=Path, dir_okay=False), help="Market: shows how you stand as well.")
@click.option("--slots", type=click.Path(path_type=Path, dir_okay=False), help="List of slots, if it is elsewhere.")
@rule_option
@json_option
def command(
    place: Place, *, wallet: Path, market: Path | None, slots: Path | None, rule: str | None, as_json: bool
) -> None:
    """Show every account of your wallet at this clearing house: what you know of it beside what the chain sees.

    Needs no signing key. What you know is secret: it is shown because you ask.
    """
    from prover.account.account_view import for_machines, for_people  # noqa: PLC0415 - brings numpy
    from prover.account.wallet import open_wallet  # noqa: PLC0415 - brings cryptography

    venue = place.connect()
    with open_wallet(wallet, wallet_password(confirm=False)) as opened:
        files = None if market is None else MarketFiles(market, slots, rule)
        views = _views(opened, venue, _describer(place, venue, files, slots))
    if as_json:
        accounts = [{"trader_knows": for_machines(known), "chain_sees": for_machines(seen)} for known, seen in views]
        click.echo(json.dumps({"accounts": accounts}))
        return
    if not views:
        click.echo("the wallet holds no account at this clearing house: deposit first")
    for known, seen in views:
        print_table(side_by_side(for_people(known), for_people(seen), title=f"account {seen['account']}"))


def _describer(
    place: Place, venue: Venue, files: MarketFiles | None, slots: Path | None
) -> Callable[[AccountRecord], dict[str, Value]]:
    """What is told of a record: positions where the list of slots is known, margin where the market is given."""
    from prover.account.account_view import known_margin, known_positions  # noqa: PLC0415 - brings numpy
    from prover.rules.rule_book import load_slots  # noqa: PLC0415 - brings scipy

    if files is not None:
        rules = files.rules(place, venue)
        return lambda record: known_positions(record, rules.slots) | known_margin(record, rules)
    listed = slots or (place.slots_beside if place.slots_beside.exists() else None)
    if listed is None:
        return lambda _: {"positions": "give the list of slots (--slots) or the market (--market) to see them"}
    table = load_slots(listed)
    return lambda record: known_positions(record, table)


def _views(
    wallet: Wallet, venue: Venue, describe: Callable[[AccountRecord], dict[str, Value]]
) -> list[tuple[dict[str, Value], dict[str, Value]]]:
    from prover.account.account_session import refresh_account  # noqa: PLC0415 - brings numpy
    from prover.account.account_view import seen_by_the_chain, waiting_claims  # noqa: PLC0415 - the same

    here = (venue.chain.chain_id, venue.deployment.house)
    views = []
    for known in [record for record in wallet.accounts if (record.chain_id, record.house) == here]:
        account = bytes.fromhex(known.account[2:])
        record, state = refresh_account(venue, wallet, account)
        under_way: dict[str, Value] = {
            "open_offers": len(record.offers),
            "agreed_legs": len(record.legs),
            "changes_under_way": len(record.changes),
        }
        seen = seen_by_the_chain(venue, account, state) | waiting_claims(venue, account)
        views.append((describe(record) | under_way, seen))
    return views
