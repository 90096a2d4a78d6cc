"""No choice of auxiliaries or boxes passes a rule with less cash than the prover's own solvers find.

A prover may fill auxiliaries as it likes. So what a rule requires is the optimum of a linear program, and what the
tool reports must be that optimum: more would refuse covered portfolios, and less cannot be.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prover.components.spread_credit import SpreadCredit, SpreadPair
from prover.rules.exposure import assess_margin
from prover.rules.rule_builder import build_rules
from tests.support.adversary import least_requirement
from tests.support.component_rules import COMPONENT_RULES, stressed
from tests.support.exposure_rules import EXPOSURE_RULES, two_coin_options
from tests.support.risk_rules import holding

if TYPE_CHECKING:
    from prover.rules.built_rule import BuiltRule

RULES: Final = COMPONENT_RULES | EXPOSURE_RULES
SLOTS: Final = 128
TICK: Final = 0.01
LOTS = st.dictionaries(st.integers(1, SLOTS - 1), st.integers(-2000, 2000), min_size=1, max_size=12)


@cache
def built(name: str) -> tuple[BuiltRule, BuiltRule]:
    """Both rules of an entry of the tables."""
    market = two_coin_options()
    return build_rules(stressed(market) if name in COMPONENT_RULES else market, RULES[name]())


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=10)
@given(lots=LOTS)
def test_the_solvers_find_the_least_requirement_there_is(name: str, lots: dict[int, int]) -> None:
    for rule in built(name):
        portfolio = holding(rule, {slot: count for slot, count in lots.items() if rule.universe.live[slot]})
        found = assess_margin(rule, portfolio)
        least = least_requirement(rule, portfolio)
        precision = 1e-9 * (1 + found.exposure.gross_notional)
        rounding = TICK * (1 + len(rule.layout.auxiliaries))
        assert least - precision <= found.requirement <= least + rounding + precision


def test_a_credit_above_the_leg_charge_would_be_made_up_from_nothing() -> None:
    """What the component refuses: raising both sides of both legs pays for itself, until no charge is left."""
    market, definition = two_coin_options(), EXPOSURE_RULES["spread credit"]()
    price = market.underlyings["BTC"].index_price
    pair = SpreadPair(underlyings=("BTC", "ETH"), credit=Decimal("0.08"))
    charge = SpreadCredit(leg=Decimal("0.08"), pairs=(pair,))
    for leg, gap in ((Decimal("0.08"), 0.0), (Decimal("0.03"), 2 * 0.03 * price)):
        unchecked = charge.model_copy(update={"leg": leg})
        rule = build_rules(market, definition.model_copy(update={"components": (unchecked,)}))[0]
        place = rule.slots.flat_index(rule.slots.find("BTC-PERPETUAL"))
        portfolio = holding(rule, {place: 200})
        found = assess_margin(rule, portfolio).requirement
        assert found - least_requirement(rule, portfolio) == pytest.approx(gap, rel=0.01, abs=0.05)
