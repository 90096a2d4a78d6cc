"""What must hold of net exposure for all holdings: long and short of the same cancel, everything else adds up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prover.rules.net_exposure import NetExposure, measure_net_exposure
from tests.support.reported import two_coin_rules
from tests.support.risk_rules import holding

if TYPE_CHECKING:
    from prover.rules.portfolio import Portfolio

RULE = two_coin_rules()[0]
SLOTS = [RULE.slots.flat_index(slot) for slot in RULE.slots.listed]
LOTS = st.dictionaries(st.sampled_from(SLOTS), st.integers(-(10**6), 10**6), max_size=10)
PORTFOLIOS = LOTS.map(lambda lots: holding(RULE, lots))
ADDITIVE = ("value", "delta_notional", "gamma_notional", "vega", "theta")


def total(*holdings: Portfolio) -> NetExposure:
    return measure_net_exposure(RULE.universe, holdings).total


@given(portfolio=PORTFOLIOS)
def test_long_and_short_of_the_same_are_nothing(portfolio: Portfolio) -> None:
    table = measure_net_exposure(RULE.universe, [portfolio, portfolio.negated()])
    for entry in (*table.instruments, *table.expiries, *table.underlyings, table.total):
        assert entry.gross_notional == entry.hedged_notional == 0
        assert all(getattr(entry, field) == 0 for field in ADDITIVE)
    assert all(position.net == 0 and position.long > 0 for position in table.positions)


@given(left=PORTFOLIOS, right=PORTFOLIOS)
def test_exposure_is_additive_and_gross_is_not_more(left: Portfolio, right: Portfolio) -> None:
    one, other, together = total(left), total(right), total(left, right)
    for field in ADDITIVE:
        expected = getattr(one, field) + getattr(other, field)
        assert getattr(together, field) == pytest.approx(expected, rel=1e-9, abs=1e-3)
    assert together.gross_notional <= one.gross_notional + other.gross_notional + 1e-3


@given(portfolio=PORTFOLIOS)
def test_net_lies_within_gross(portfolio: Portfolio) -> None:
    entry = total(portfolio)
    assert abs(entry.delta_notional) <= entry.gross_delta_notional + 1e-6
    assert 0 <= entry.hedged_notional <= entry.gross_delta_notional / 2 + 1e-6
    assert entry.gross_delta_notional <= entry.gross_notional * (1 + 1e-9)
