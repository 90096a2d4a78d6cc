"""What a report is about: the rules of a market, and holdings on their slots, from files or from an account. Secret."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from prover.account.account_session import portfolio_of, refresh_account
from prover.errors import PortfolioError, RuleBuildError, UnknownInstrumentError, WalletError
from prover.rules.portfolio import Portfolio, decode_portfolio
from prover.rules.rule_builder import DEFAULT_RULES, build_rules
from prover.rules.rule_file import shipped_rule
from prover.rules.slots import list_slots
from verifier.shape import SHAPES_BY_NAME, STANDARD

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from prover.account.venue import Venue
    from prover.account.wallet import Wallet
    from prover.account.wallet_records import AccountRecord
    from prover.market.market_data import MarketSnapshot
    from prover.rules.built_rule import BuiltRule
    from prover.rules.rule_definition import RuleDefinition
    from prover.rules.slots import SlotTable
    from verifier.shape import Shape

MOST_BOOKS: Final = 8
LARGEST_FILE: Final = 1 << 24


@dataclass(frozen=True, slots=True)
class Subject:
    """Rules and holdings on the same slots.

    Attributes:
        rules: initial and maintenance margin.
        holdings: at least one portfolio.
        trade: to try on top; ``None`` without one.
    """

    rules: tuple[BuiltRule, BuiltRule]
    holdings: tuple[Portfolio, ...] = field(repr=False)
    trade: Portfolio | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class RuleSource:
    """What the rules are built from.

    Attributes:
        snapshot: the market.
        definition: the rule file; ``None`` for the shape's own.
        slots: list of slots; ``None`` lists the market afresh.
        books: to list it in; ``None`` for as few as list everything held.
    """

    snapshot: MarketSnapshot
    definition: RuleDefinition | None
    slots: SlotTable | None = None
    books: int | None = None


def read_holdings(path: Path) -> bytes:
    """Content of a file of quantities; "-" is standard input.

    Raises:
        PortfolioError: it cannot be read.
    """
    try:
        return sys.stdin.buffer.read(LARGEST_FILE) if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise PortfolioError(f"portfolio file {path}: {error.strerror}; give a readable file") from error


def subject_of_files(source: RuleSource, portfolios: Sequence[bytes], trade: bytes | None = None) -> Subject:
    """Portfolios from files, on a list of slots or on the market listed afresh.

    Raises:
        PortfolioError: not such a file, or a quantity that does not fit.
        UnknownInstrumentError: an instrument that is not listed, not even in eight books.
        RuleBuildError: rules that cannot be built.
    """
    contents = [*portfolios, *([] if trade is None else [trade])]
    table, decoded = _listed(source, contents)
    rules = build_rules(source.snapshot, source.definition, shape=_shape(table), slots=table)
    return Subject(rules, decoded[: len(portfolios)], None if trade is None else decoded[-1])


def subject_of_account(
    source: RuleSource, venue: Venue, wallet: Wallet, account: str | None, trade: bytes | None = None
) -> Subject:
    """An account of the wallet at a clearing house, on the venue's list of slots.

    Args:
        source: what the rules are built from; its list of slots must be given.
        venue: the clearing house.
        wallet: holds the account.
        account: identity, 0x and 64 hexadecimal digits; ``None`` when there is only one.
        trade: content of a file of quantities.

    Raises:
        WalletError: no such account, several of them, or the chain holds another opening.
        RuleBuildError: no list of slots, or rules that cannot be built.
    """
    if source.slots is None:
        raise RuleBuildError("an account stands in the slots of its publisher: give the list of slots by --slots")
    record = _record(venue, wallet, account)
    rules = build_rules(source.snapshot, source.definition, shape=venue.shape, slots=source.slots)
    refreshed, _ = refresh_account(venue, wallet, bytes.fromhex(record.account[2:]))
    holding = portfolio_of(refreshed, refreshed.current, source.slots)
    tried = None if trade is None else decode_portfolio(trade, source.slots, venue.shape)
    return Subject(rules, (holding,), tried)


def _record(venue: Venue, wallet: Wallet, account: str | None) -> AccountRecord:
    here = (venue.chain.chain_id, venue.deployment.house)
    records = {record.account: record for record in wallet.accounts if (record.chain_id, record.house) == here}
    if not records:
        raise WalletError("the wallet holds no account at this clearing house: deposit first, or give a portfolio file")
    if account is None and len(records) > 1:
        raise WalletError(f"the wallet holds {len(records)} accounts here: name one by --account: {', '.join(records)}")
    name = next(iter(records)) if account is None else account.lower()
    if name not in records:
        raise WalletError(f"the wallet holds no account {name} here: choose {', '.join(records)}")
    return records[name]


def _listed(source: RuleSource, contents: Sequence[bytes]) -> tuple[SlotTable, tuple[Portfolio, ...]]:
    """A list of slots with everything held, and the holdings on it."""
    table, books = source.slots, source.books or 1
    while True:
        chosen = table or list_slots(source.snapshot, STANDARD, source.definition or _default_rule(), books=books)
        try:
            return chosen, tuple(decode_portfolio(content, chosen, _shape(chosen)) for content in contents)
        except UnknownInstrumentError:
            if table is not None or source.books is not None or books == MOST_BOOKS:
                raise
            books += 1


def _default_rule() -> RuleDefinition:
    return shipped_rule(DEFAULT_RULES[STANDARD])


def _shape(table: SlotTable) -> Shape:
    for shape in SHAPES_BY_NAME.values():
        if shape.slots == table.slots_per_book:
            return shape
    known = ", ".join(str(shape.slots) for shape in SHAPES_BY_NAME.values())
    raise RuleBuildError(f"the list has {table.slots_per_book} slots a book, shapes have {known}: give another list")
