"""``zkmargin history``: what the chain has seen of an account."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Final

import click

from prover.commands.options import json_option, place_options
from prover.terminal import plain_table, print_table, progress
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from prover.commands.options import Place
    from verifier.chain.account_events import HistoryRow

ADDRESS_CHARACTERS: Final = 42
SHOWN_CHARACTERS: Final = 18


@click.command()
@click.argument("account")
@click.option("--subaccount", type=click.IntRange(0, (1 << 96) - 1), default=0, help="Number, where an owner is named.")
@place_options
@json_option
def command(place: Place, *, account: str, subaccount: int, as_json: bool) -> None:
    """Show what the chain has seen of ACCOUNT: deposits, trades, proofs, withdrawals, and the epochs since then.

    ACCOUNT is an account's identity (0x and 64 hexadecimal digits), or its owner's address. Needs no key and no wallet.
    Events are kept from one run to the next; what a reorganisation undid is taken back.
    """
    from verifier.chain.account_history import account_history  # noqa: PLC0415 - brings eth-abi
    from verifier.chain.clearing_terms import account_id  # noqa: PLC0415 - the same
    from verifier.claim_file import parse_account  # noqa: PLC0415 - the same

    is_owner = len(account) == ADDRESS_CHARACTERS
    identity = account_id(account, subaccount) if is_owner else parse_account(account)
    venue = place.connect()
    with progress("reading the chain's events"):
        deployed = venue.deployment
        rows = account_history(
            venue.events, identity, house=deployed.house, vault=deployed.vault, registry=deployed.registry
        )
    if as_json:
        click.echo(json.dumps({"account": "0x" + identity.hex(), "events": [_for_machines(row) for row in rows]}))
    elif not rows:
        click.echo("the chain has seen nothing of this account: check its identity, or the sub-account's number")
    else:
        columns = ("event", "block", "transaction", "what")
        print_table(plain_table(f"account 0x{identity.hex()}", columns, [_for_people(row) for row in rows]))


def _for_machines(row: HistoryRow) -> dict[str, object]:
    return {
        "event": row.seen.name,
        "block": row.block_number,
        "block_hash": "0x" + row.block_hash.hex(),
        "log_index": row.log_index,
        "transaction": "0x" + row.transaction_hash.hex(),
        **_values(row),
    }


def _for_people(row: HistoryRow) -> tuple[str, ...]:
    what = ", ".join(f"{name.replace('_', ' ')} {_short(value)}" for name, value in _values(row).items())
    return (row.seen.name, str(row.block_number), _short("0x" + row.transaction_hash.hex()), what)


def _values(row: HistoryRow) -> dict[str, object]:
    """Values by name: bytes in hexadecimal, rules by their names."""
    from verifier.chain.account_events import OtherSeen  # noqa: PLC0415 - brings eth-abi

    seen = row.seen
    if isinstance(seen, OtherSeen):
        return {name: _plain(value) for name, value in seen.values.items()}
    return {field.name: _plain(getattr(seen, field.name)) for field in fields(seen)}


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, RuleKind):
        return value.name.lower()
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value if isinstance(value, (int, str, bool)) else str(value)


def _short(value: object) -> str:
    text = str(value)
    is_digest = text.startswith("0x") and len(text) > ADDRESS_CHARACTERS
    return f"{text[:SHOWN_CHARACTERS]}…" if is_digest else text
