"""Value, sensitivities and margin of a portfolio."""

from __future__ import annotations

from decimal import Decimal

import pytest

from prover.rules.exposure import assess_margin, measure_exposure
from prover.rules.portfolio import make_portfolio
from prover.rules.rule_builder import build_rules
from tests.support.risk_rules import example_market, example_rules, holding
from verifier.shape import STANDARD

CALL = "BTC-27DEC24-100000-C"


def test_figures_by_hand() -> None:
    initial = example_rules()[0]
    portfolio = make_portfolio({"USD": Decimal(1000), "BTC-PERPETUAL": Decimal(-2)}, initial.slots, STANDARD)
    exposure = measure_exposure(initial.universe, portfolio)
    assert exposure.equity == pytest.approx(1000 - 2 * 94012.5)
    assert exposure.delta_notional == pytest.approx(-188000)
    assert exposure.gross_notional == pytest.approx(188000)


def test_a_short_call_is_bound_by_the_rally() -> None:
    initial, maintenance = example_rules()
    portfolio = make_portfolio({"USD": Decimal(60000), CALL: Decimal(-2)}, initial.slots, STANDARD)
    asked = [assess_margin(rule, portfolio) for rule in (initial, maintenance)]
    assert asked[0].binding.row.name == "spot +18 %, volatility up"
    assert asked[0].requirement > asked[1].requirement > 0
    assert asked[0].is_covered
    assert len(asked[0].headrooms) == 31


def test_too_little_cash_does_not_cover() -> None:
    initial = example_rules()[0]
    portfolio = make_portfolio({"USD": Decimal(100), CALL: Decimal(-2)}, initial.slots, STANDARD)
    assessment = assess_margin(initial, portfolio)
    assert not assessment.is_covered
    assert assessment.binding.headroom < 0


def test_a_position_in_a_masked_slot_is_not_covered() -> None:
    market = example_market()
    table = example_rules()[0].slots
    without = tuple(quote for quote in market.options if quote.instrument != CALL)
    rule = build_rules(market.model_copy(update={"options": without}), slots=table)[0]
    portfolio = make_portfolio({"USD": Decimal(10**6), CALL: Decimal("0.01")}, table, STANDARD)
    assessment = assess_margin(rule, portfolio)
    assert not assessment.masked_slots_empty
    assert not assessment.is_covered


def test_figures_are_redacted() -> None:
    initial = example_rules()[0]
    assessment = assess_margin(initial, holding(initial, {0: 313370}))
    assert "3133" not in repr(assessment)
    assert "3133" not in repr(assessment.headrooms)
