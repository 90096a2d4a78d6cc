"""What small portfolios of the two-coin market must leave over under a rule file."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Final

from prover.rules.exposure import assess_margin
from prover.rules.portfolio import make_portfolio
from prover.rules.rule_builder import build_rules
from prover.rules.rule_file import decode_rule, encode_rule
from tests.support.small_markets import two_coin_market
from verifier.rules.rule_kind import RuleKind
from verifier.shape import STANDARD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prover.rules.built_rule import BuiltRule
    from prover.rules.exposure import MarginAssessment
    from prover.rules.rule_definition import RuleDefinition

ROUNDING: Final = 0.04
"""Quote currency a lot: two ticks in a scenario row, and one in each of two definitions."""


@cache
def _built(encoded: bytes) -> tuple[BuiltRule, BuiltRule]:
    return build_rules(two_coin_market(), decode_rule(encoded, "rule of the test"))


def two_coin_rules(definition: RuleDefinition) -> tuple[BuiltRule, BuiltRule]:
    """Initial and maintenance rule of the two-coin market."""
    return _built(encode_rule(definition))


def assessed(
    definition: RuleDefinition, holdings: Mapping[str, float | str], kind: RuleKind = RuleKind.INITIAL
) -> MarginAssessment:
    """Quantities by instrument under one kind of margin."""
    rule = two_coin_rules(definition)[kind]
    quantities = {name: Decimal(str(quantity)) for name, quantity in holdings.items()}
    return assess_margin(rule, make_portfolio(quantities, rule.slots, STANDARD))


def require_requirement(
    definition: RuleDefinition,
    holdings: Mapping[str, float | str],
    expected: float,
    kind: RuleKind = RuleKind.INITIAL,
) -> None:
    """The requirement is the expected amount, or a little more by rounding."""
    rule = two_coin_rules(definition)[kind]
    quantities = {name: Decimal(str(quantity)) for name, quantity in holdings.items()}
    portfolio = make_portfolio(quantities, rule.slots, STANDARD)
    found = assess_margin(rule, portfolio).requirement
    most = ROUNDING * sum(map(abs, portfolio.lots[0][1:])) + 0.05
    assert expected - 1e-6 <= found <= expected + most, (found, expected)
