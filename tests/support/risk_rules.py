"""Rules that tests of the risk engine share, built once from the bundled market."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from prover.market.market_data import EXAMPLE_MARKET, MarketSnapshot
from prover.market.market_files import load_market
from prover.rules.portfolio import Portfolio
from prover.rules.rule_builder import build_rules
from verifier.shape import STANDARD, Shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prover.rules.built_rule import BuiltRule


@cache
def example_market() -> MarketSnapshot:
    """The bundled snapshot."""
    return load_market(EXAMPLE_MARKET)


@cache
def example_rules(shape: Shape = STANDARD, books: int = 1) -> tuple[BuiltRule, BuiltRule]:
    """Initial and maintenance rule of the bundled snapshot."""
    return build_rules(example_market(), shape=shape, books=books)


def holding(rule: BuiltRule, lots: Mapping[int, int]) -> Portfolio:
    """A portfolio of lots by flat slot index."""
    size, books = rule.slots.slots_per_book, rule.slots.books
    return Portfolio(
        rule.slots,
        tuple(tuple(lots.get(book * size + slot, 0) for slot in range(size)) for book in range(books)),
    )
