"""Portfolios for tests of exposure and reports: on the bundled market, and on one of two coins."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Final

from prover.rules.portfolio import Portfolio, make_portfolio
from prover.rules.rule_builder import build_rules
from prover.rules.rule_file import shipped_rule
from tests.support.small_markets import two_coin_market
from verifier.shape import STANDARD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prover.rules.built_rule import BuiltRule
    from prover.rules.rule_definition import RuleDefinition

HEDGED: Final = {
    "USD": "900000",
    "BTC-PERPETUAL": "-1.5",
    "BTC-27DEC24-100000-C": "-10",
    "BTC-27DEC24-90000-P": "8",
    "BTC-27JUN25-100000-C": "4",
}
"""A portfolio of three expiries on the bundled market, well covered."""

TWO_COINS: Final = {
    "USD": "500000",
    "BTC-PERPETUAL": "-2",
    "BTC-27DEC24-100000-C": "3",
    "ETH-PERPETUAL": "20",
    "ETH-27DEC24-3200-C": "-50",
    "WEETH": "10",
    "USDC": "1000",
}
"""Bitcoin, ether, a staked token and a stable coin."""


@cache
def two_coin_definition(name: str = "scenarios") -> RuleDefinition:
    """A shipped rule with lots for every coin and token of the market of two coins."""
    definition = shipped_rule(name)
    lots = {"WEETH": Decimal("0.1"), "USDC": Decimal(1)}
    return definition.model_copy(update={"lot_sizes": {**definition.lot_sizes, **lots}})


@cache
def two_coin_rules(name: str = "scenarios") -> tuple[BuiltRule, BuiltRule]:
    """Both kinds of margin on the market of two coins."""
    return build_rules(two_coin_market(), two_coin_definition(name))


def portfolio_on(rule: BuiltRule, quantities: Mapping[str, str]) -> Portfolio:
    """Quantities as lots of a rule in the standard shape."""
    return make_portfolio({name: Decimal(quantity) for name, quantity in quantities.items()}, rule.slots, STANDARD)
