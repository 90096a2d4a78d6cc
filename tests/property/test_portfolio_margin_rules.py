"""Rules of Derive's portfolio margin and of its components, for random portfolios of the bundled market."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prover.comparison.pmrm2 import MarketRules, build_market_rules
from prover.comparison.pmrm2_listing import case_of
from prover.comparison.pmrm2_rule import Discounting
from prover.methodologies.derive_expiry import group_by_expiry
from prover.methodologies.derive_pmrm2 import DEFAULT_SCENARIOS, Pmrm2Parameters
from prover.rules.exposure import assess_margin
from prover.rules.rule_builder import build_rules
from tests.support.component_rules import COMPONENT_RULES, rule_of, stressed
from tests.support.risk_rules import example_market, holding
from verifier.rules.rule_audit import audit_matrix

if TYPE_CHECKING:
    from prover.rules.built_rule import BuiltRule
    from prover.rules.portfolio import Portfolio

SLOTS = 128
FEW = settings(max_examples=25, deadline=None)
LOTS = st.dictionaries(st.integers(1, SLOTS - 1), st.integers(-2000, 2000), min_size=1, max_size=10)
CASH = st.integers(-(10**8), 10**8)


@cache
def market_rules(discounting: Discounting) -> MarketRules:
    """Rules on the bundled market."""
    return build_market_rules(example_market(), discounting)


@cache
def component_rules(name: str) -> tuple[BuiltRule, BuiltRule]:
    """Both rules of one component, on a market where every charge bites."""
    return build_rules(stressed(example_market()), COMPONENT_RULES[name]())


@cache
def naked_rules() -> tuple[BuiltRule, BuiltRule]:
    """Both rules of naked shorts per strike alone, on the bundled market."""
    rates = {"initial": 0.005, "maintenance": 0.003}
    return build_rules(example_market(), rule_of({"component": "naked-shorts", "rate": rates}))


def held_in(rule: BuiltRule, lots: dict[int, int]) -> Portfolio:
    """The lots that lie in listed slots."""
    return holding(rule, {slot: count for slot, count in lots.items() if rule.universe.live[slot]})


def naked_beyond_method(rules: MarketRules, portfolio: Portfolio, rate: float) -> float:
    """What a charge on every short option exceeds the charge on naked ones by, quote currency."""
    universe = rules.initial.universe
    case = case_of(universe, portfolio, Pmrm2Parameters(), DEFAULT_SCENARIOS)
    naked = sum(
        expiry.naked_shorts
        for expiry in group_by_expiry(case.portfolio.options, case.market.expiries, discounting="none")
    )
    short = sum(-option.qty for option in case.portfolio.options if option.qty < 0)
    return (short - naked) * case.market.spot * rate


@pytest.mark.parametrize("discounting", Discounting)
@FEW
@given(lots=LOTS, cash=CASH)
def test_the_rule_never_asks_for_less_than_the_method(
    discounting: Discounting, lots: dict[int, int], cash: int
) -> None:
    rules = market_rules(discounting)
    portfolio = held_in(rules.initial, lots | {0: cash})
    for comparison in rules.compare("random", portfolio):
        assert comparison.rule >= comparison.clear - 1e-9 * (1 + comparison.gross_notional + abs(cash))


@FEW
@given(lots=LOTS)
def test_without_a_static_discount_only_rounding_and_netted_shorts_are_left(lots: dict[int, int]) -> None:
    """Two ticks a lot in a scenario, one in each of three definitions, one an auxiliary."""
    rules = market_rules(Discounting.NONE)
    portfolio = held_in(rules.initial, lots)
    rounding = 0.01 * (5 * sum(abs(count) for count in lots.values()) + len(rules.initial.layout.auxiliaries))
    for comparison, rate in zip(rules.compare("random", portfolio), (0.005, 0.003), strict=True):
        beyond = naked_beyond_method(rules, portfolio, rate)
        assert comparison.rule <= comparison.clear + beyond + rounding + 1e-9 * comparison.gross_notional


@FEW
@given(lots=LOTS)
def test_naked_shorts_per_strike_are_those_of_the_method(lots: dict[int, int]) -> None:
    initial, maintenance = naked_rules()
    portfolio = held_in(initial, lots)
    case = case_of(initial.universe, portfolio, Pmrm2Parameters(), DEFAULT_SCENARIOS)
    expiries = group_by_expiry(case.portfolio.options, case.market.expiries, discounting="none")
    naked = sum(expiry.naked_shorts for expiry in expiries) * case.market.spot
    rounding = 0.04 * sum(abs(count) for count in lots.values()) + 2
    for rule, rate in ((initial, 0.005), (maintenance, 0.003)):
        assert rate * naked - 1e-6 <= assess_margin(rule, portfolio).requirement <= rate * naked + rounding


@pytest.mark.parametrize("name", COMPONENT_RULES)
def test_no_built_matrix_opens_a_free_box(name: str) -> None:
    for rule in component_rules(name):
        assert audit_matrix(rule.matrix) == []
        entries = rule.matrix.entries[:-1]
        assert np.all(entries[:, :, 0::4] + entries[:, :, 1::4] <= 0)


@pytest.mark.parametrize("name", COMPONENT_RULES)
@FEW
@given(left=LOTS, right=LOTS, cash=CASH)
def test_collateral_netting_and_both_kinds(name: str, left: dict[int, int], right: dict[int, int], cash: int) -> None:
    initial, maintenance = component_rules(name)
    one, other = held_in(initial, left), held_in(initial, right)
    both = one.plus(other)
    for rule in (initial, maintenance):
        requirement = assess_margin(rule, both).requirement
        apart = assess_margin(rule, one).requirement + assess_margin(rule, other).requirement
        assert requirement <= apart + 0.01 * (len(rule.layout.auxiliaries) + 1) + 1e-9 * abs(apart)
        assert assess_margin(rule, both.plus(both.negated())).requirement == 0
        richer = assess_margin(rule, both.plus(holding(rule, {0: abs(cash)})))
        assert richer.requirement == pytest.approx(requirement, abs=1e-6 + 1e-12 * abs(cash))
    scale = 1e-9 * (1 + abs(assess_margin(initial, both).exposure.gross_notional))
    assert assess_margin(maintenance, both).requirement <= assess_margin(initial, both).requirement + scale
