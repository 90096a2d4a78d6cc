"""What must hold for every portfolio under every built rule.

Headrooms are exact integers in ticks. Portfolios are drawn on the small shape, where a rule has every kind of row.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prover.components.leg_charges import LegCharges
from prover.components.scenario_grid import ScenarioGridMargin
from prover.rules.exposure import assess_margin, measure_exposure
from prover.rules.quantise import quantise
from prover.rules.rule_file import shipped_rule
from prover.rules.rule_implication import implication_weights
from tests.support.risk_rules import example_rules, holding
from verifier.rules.rule_kind import RuleKind
from verifier.shape import SMALL

if TYPE_CHECKING:
    from decimal import Decimal

    from numpy.typing import NDArray

    from prover.rules.built_rule import BuiltRule
    from prover.rules.portfolio import Portfolio

INITIAL, MAINTENANCE = example_rules(SMALL)
COMPONENTS = shipped_rule("scenarios-small").components
GRID = next(part for part in COMPONENTS if isinstance(part, ScenarioGridMargin))
CHARGES = next(part for part in COMPONENTS if isinstance(part, LegCharges))
SIZE = INITIAL.universe.size
TICK = float(INITIAL.tick)

RULES = st.sampled_from([INITIAL, MAINTENANCE])
LOTS = st.dictionaries(st.integers(0, SIZE - 1), st.integers(-(10**6), 10**6), max_size=12)
PORTFOLIOS = LOTS.map(lambda lots: holding(INITIAL, lots))


def headrooms(rule: BuiltRule, portfolio: Portfolio) -> list[Decimal]:
    """Quote currency left in every inequality."""
    return [entry.headroom for entry in assess_margin(rule, portfolio).headrooms]


@given(rule=RULES, portfolio=PORTFOLIOS, cents=st.integers(1, 10**9))
def test_more_collateral_never_hurts(rule: BuiltRule, portfolio: Portfolio, cents: int) -> None:
    richer = headrooms(rule, portfolio.plus(holding(rule, {0: cents})))
    for row, before, after in zip(rule.rows, headrooms(rule, portfolio), richer, strict=False):
        gain = cents * rule.tick if row.kind.is_money else 0
        assert after - before == gain


@given(rule=RULES, left=PORTFOLIOS, right=PORTFOLIOS)
def test_netting_never_raises_the_requirement(rule: BuiltRule, left: Portfolio, right: Portfolio) -> None:
    """Together is never worse than apart (in limits: than apart with one limit less)."""
    apart = zip(headrooms(rule, left), headrooms(rule, right), strict=True)
    empty = headrooms(rule, holding(rule, {}))
    together = headrooms(rule, left.plus(right))
    for both, (one, other), limit in zip(together, apart, empty, strict=True):
        assert both >= one + other - limit


@given(rule=RULES, portfolio=PORTFOLIOS)
def test_an_offsetting_position_frees_all_margin(rule: BuiltRule, portfolio: Portfolio) -> None:
    assessment = assess_margin(rule, portfolio)
    closed = assess_margin(rule, portfolio.plus(portfolio.negated()))
    assert closed.requirement == 0
    assert assessment.requirement >= -1e-9 * (1 + abs(assessment.exposure.equity))


@given(portfolio=PORTFOLIOS)
def test_initial_margin_implies_maintenance_margin(portfolio: Portfolio) -> None:
    initial = [Fraction(value) for value in headrooms(INITIAL, portfolio)]
    maintenance = headrooms(MAINTENANCE, portfolio)
    implied = implication_weights(INITIAL, MAINTENANCE)
    for value, row in zip(maintenance, implied, strict=False):
        assert value >= sum(weight * initial[source] for source, weight in row.weights.items())


def float_headrooms(rule: BuiltRule, portfolio: Portfolio) -> NDArray[np.float64]:
    """Scenario headrooms from prices, position by position: no matrix, no rounding, no legs."""
    universe = rule.universe
    profit = np.vstack([np.zeros(universe.size), GRID.weighted_profit(universe)])
    total = np.zeros(len(profit))
    for index, lots in enumerate(portfolio.lots[0]):
        units = lots * universe.lot_size[index]
        price = universe.sell_price[index] if units > 0 else universe.buy_price[index]
        charge = float(CHARGES.perpetual.of(rule.kind)) if universe.perpetual[index] else 0.0
        if universe.option[index] and units < 0:
            charge = float(CHARGES.short_option.of(rule.kind))
        gain = float(rule.loss_factor) * profit[:, index]
        total += units * (price + gain) - abs(units) * charge * universe.index_price[index]
    return total


@given(rule=RULES, portfolio=PORTFOLIOS)
def test_the_matrix_equals_the_clear_computation_to_the_rounding_bound(rule: BuiltRule, portfolio: Portfolio) -> None:
    clear = float_headrooms(rule, portfolio)
    exact = np.array([float(value) for value in headrooms(rule, portfolio)])[: len(clear)]
    held = sum(abs(lots) for lots in portfolio.lots[0][1:])
    # In quarters of a tick a lot: one by rounding; initial margin holds two in reserve, and three for the reduced rule.
    bound = held * TICK / 4 * (6 if rule.kind is RuleKind.INITIAL else 1)
    precision = 1e-9 * (1 + float(np.abs(clear).max()) + held * 1e3)
    assert np.all(exact <= clear + precision)
    assert np.all(exact >= clear - bound - precision)


@given(rule=RULES, portfolio=PORTFOLIOS)
def test_limits_bound_the_net_delta(rule: BuiltRule, portfolio: Portfolio) -> None:
    exposure = measure_exposure(rule.universe, portfolio)
    limit = 1e8 if rule.kind is RuleKind.INITIAL else 1.25e8
    upper, lower = (float(value) for value in headrooms(rule, portfolio)[-2:])
    held = sum(abs(lots) for lots in portfolio.lots[0][1:])
    for headroom, clear in ((upper, limit - exposure.delta_notional), (lower, limit + exposure.delta_notional)):
        assert clear - held * TICK * (4 if rule.kind is RuleKind.INITIAL else 1) - 1 <= headroom <= clear + 1


@given(values=st.lists(st.floats(-1e15, 1e15), min_size=1, max_size=20))
def test_rounding_is_against_the_trader_and_less_than_a_tick(values: list[float]) -> None:
    coefficients = np.array(values)
    for entry, ticks in zip(quantise(coefficients, INITIAL.tick), coefficients / TICK, strict=True):
        assert int(entry) <= Fraction(float(ticks)) < int(entry) + 1


@given(value=st.floats(0, 1e15), spread=st.floats(0, 1e15))
def test_both_legs_of_a_slot_never_add_up_to_value(value: float, spread: float) -> None:
    long, short = quantise(np.array([value, -(value + spread)]), INITIAL.tick)
    assert long + short <= 0


@pytest.mark.parametrize("books", [1, 4])
def test_no_built_matrix_opens_a_free_box(books: int) -> None:
    for rule in example_rules(books=books):
        entries = rule.matrix.entries[:-1]
        assert np.all(entries[:, :, 0::4] + entries[:, :, 1::4] <= 0)
