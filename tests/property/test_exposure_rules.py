"""Limits, concentration, SPAN, minimum delta and expected shortfall as rules, for random portfolios of two coins."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prover.argument.witness import BookOpening, row_sums
from prover.comparison import expected_shortfall, span
from prover.components.expected_shortfall import ExpectedShortfall
from prover.components.exposure_measures import Grouping, Measure, exposure_groups
from prover.components.span_scan import SpanScan
from prover.errors import InsufficientMarginError
from prover.rules.exposure import assess_margin
from prover.rules.rule_builder import build_rules
from tests.support.component_rules import rule_of
from tests.support.exposure_rules import EXPOSURE_RULES, TIERS, two_coin_options
from tests.support.requirements import two_coin_rules
from tests.support.risk_rules import holding
from verifier.rules.rule_audit import audit_matrix
from verifier.rules.rule_boundedness import least_cash

if TYPE_CHECKING:
    from prover.rules.built_rule import BuiltRule
    from prover.rules.portfolio import Portfolio
    from prover.rules.universe import Universe

SLOTS = 128
TICK = 0.01
FEW = settings(max_examples=25)
LOTS = st.dictionaries(st.integers(1, SLOTS - 1), st.integers(-2000, 2000), min_size=1, max_size=10)
CASH = st.integers(0, 10**9)
NAMES = sorted(EXPOSURE_RULES)


@cache
def built(name: str) -> tuple[BuiltRule, BuiltRule]:
    """Both rules of an entry of the table."""
    return build_rules(two_coin_options(), EXPOSURE_RULES[name]())


def held_in(rule: BuiltRule, lots: dict[int, int]) -> Portfolio:
    """The lots that lie in listed slots."""
    return holding(rule, {slot: count for slot, count in lots.items() if rule.universe.live[slot]})


@pytest.mark.parametrize("name", NAMES)
def test_no_built_matrix_opens_a_free_box_or_a_free_ray(name: str) -> None:
    for rule in built(name):
        assert audit_matrix(rule.matrix) == []
        assert least_cash(rule.matrix) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
@FEW
@given(left=LOTS, right=LOTS, cash=CASH)
def test_collateral_netting_and_both_kinds(name: str, left: dict[int, int], right: dict[int, int], cash: int) -> None:
    """Two portfolios together need no more than the mean of each at twice its size: requirements are convex."""
    initial, maintenance = built(name)
    one, other = held_in(initial, left), held_in(initial, right)
    both = one.plus(other)
    for rule in (initial, maintenance):
        before = assess_margin(rule, both)
        apart = sum(assess_margin(rule, part.plus(part)).requirement for part in (one, other)) / 2
        rounding = TICK * (len(rule.layout.auxiliaries) + 1) + 1e-9 * abs(apart)
        assert before.requirement <= apart + rounding
        assert assess_margin(rule, both.plus(both.negated())).requirement == 0
        richer = assess_margin(rule, both.plus(holding(rule, {0: cash})))
        assert all(new.headroom >= old.headroom for new, old in zip(richer.headrooms, before.headrooms, strict=True))
        assert richer.binding.headroom - before.binding.headroom == cash * rule.tick
    kept, asked = (assess_margin(rule, both) for rule in (maintenance, initial))
    assert kept.requirement <= asked.requirement + 1e-9 * (1 + asked.exposure.gross_notional)
    assert kept.is_covered or not asked.is_covered


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15)
@given(lots=LOTS, cash=CASH)
def test_a_witness_exists_exactly_for_covered_portfolios(name: str, lots: dict[int, int], cash: int) -> None:
    for rule in built(name):
        portfolio = held_in(rule, lots | {0: cash})
        openings = [BookOpening(book, 1) for book in portfolio.lots]
        if assess_margin(rule, portfolio).is_covered:
            assert set(row_sums(rule.matrix, rule.witness(openings).columns)) == {0}
        else:
            with pytest.raises(InsufficientMarginError):
                rule.witness(openings)


def rounding_bound(lots: dict[int, int], rule: BuiltRule) -> float:
    """Two ticks a lot in a scenario, one in each of four definitions, one an auxiliary."""
    return TICK * (6 * sum(map(abs, lots.values())) + len(rule.layout.auxiliaries))


@cache
def shortfall_component() -> ExpectedShortfall:
    """That of the shipped rule."""
    component = EXPOSURE_RULES["expected shortfall, 64 historical days"]().components[0]
    assert isinstance(component, ExpectedShortfall)
    return component


@cache
def span_component() -> SpanScan:
    """That of the shipped rule."""
    component = EXPOSURE_RULES["span with months, credit and minimum"]().components[0]
    assert isinstance(component, SpanScan)
    return component


@cache
def universe_of(name: str) -> Universe:
    """The listed market of an entry."""
    return built(name)[0].universe


@FEW
@given(lots=LOTS)
def test_the_shortfall_rule_is_the_method_to_the_rounding_bound(lots: dict[int, int]) -> None:
    name = "expected shortfall, 64 historical days"
    rule, component = built(name)[0], shortfall_component()
    portfolio = held_in(rule, lots)
    found = expected_shortfall.compare_portfolios(universe_of(name), component, [portfolio], maintenance_factor=0.8)
    for comparison in found:
        precision = 1e-9 * (1 + comparison.gross_notional)
        assert comparison.clear - precision <= comparison.rule
        assert comparison.rule <= comparison.clear + rounding_bound(lots, rule) + precision


@FEW
@given(lots=LOTS)
def test_span_asks_no_less_than_the_method(lots: dict[int, int]) -> None:
    name = "span with months, credit and minimum"
    portfolio = held_in(built(name)[0], lots)
    for comparison in span.compare_portfolios(universe_of(name), span_component(), [portfolio], maintenance_factor=0.8):
        assert comparison.rule >= comparison.clear - 1e-9 * (1 + comparison.gross_notional)


@FEW
@given(lots=LOTS)
def test_scan_risk_and_minimum_are_the_method_to_the_rounding_bound(lots: dict[int, int]) -> None:
    name = "span with months, credit and minimum"
    rule, component = built(name)[0], span_component().model_copy(update={"inter_month": {}, "inter_commodity": ()})
    for comparison in span.compare_portfolios(
        universe_of(name), component, [held_in(rule, lots)], maintenance_factor=0.8
    ):
        precision = 1e-9 * (1 + comparison.gross_notional)
        assert comparison.clear - precision <= comparison.rule
        assert comparison.rule <= comparison.clear + rounding_bound(lots, rule) + precision


LINEAR = ("BTC-PERPETUAL", "BTC-27DEC24", "ETH-PERPETUAL", "ETH-27DEC24")


@FEW
@given(held=st.lists(st.integers(-2000, 2000), min_size=len(LINEAR), max_size=len(LINEAR)))
def test_inter_month_and_credit_of_futures_are_the_method_to_the_rounding_bound(held: list[int]) -> None:
    """Where all months have one price, the worst scenario goes fully against the net delta: both terms are SPAN's."""
    rule = two_coin_rules(EXPOSURE_RULES["span with months, credit and minimum"]())[0]
    listed = rule.universe
    universe = replace(listed, mark=np.where(listed.future | listed.perpetual, listed.index_price, listed.mark))
    lots = {rule.slots.flat_index(rule.slots.find(name)): count for name, count in zip(LINEAR, held, strict=True)}
    portfolio = holding(rule, lots)
    for comparison in span.compare_portfolios(universe, span_component(), [portfolio], maintenance_factor=0.8):
        precision = 1e-9 * (1 + comparison.gross_notional)
        assert comparison.clear - precision <= comparison.rule
        assert comparison.rule <= comparison.clear + 2 * rounding_bound(lots, rule) + precision


@pytest.mark.parametrize("of", ["net", "gross"])
@FEW
@given(lots=LOTS)
def test_concentration_is_the_tiered_charge_to_the_rounding_bound(of: str, lots: dict[int, int]) -> None:
    initial, maintenance = concentration_rules(of)
    portfolio = held_in(initial, lots)
    held = np.array(portfolio.lots[0], dtype=np.float64)
    for rule, rates in ((initial, (0.01, 0.02)), (maintenance, (0.005, 0.01))):
        clear = 0.0
        for group in exposure_groups(rule.universe, Measure.DELTA, Grouping.UNDERLYING):
            size = float(abs(group.exposure @ held)) if of == "net" else float(np.abs(group.exposure * held).sum())
            clear += rates[0] * min(size, 500_000) + rates[1] * max(size - 500_000, 0)
        assert clear - 1e-6 * (1 + clear) <= assess_margin(rule, portfolio).requirement
        assert assess_margin(rule, portfolio).requirement <= clear + rounding_bound(lots, rule) + 1e-6 * clear


@cache
def concentration_rules(of: str) -> tuple[BuiltRule, BuiltRule]:
    """Both rules of a charge on net or gross delta alone."""
    charge = {"component": "concentration", "of": of, "tiers": TIERS}
    return build_rules(two_coin_options(), rule_of(charge))
