"""What must hold for every Black-76 price."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prover.market.pricing import OptionTerms, black76, black76_delta

PRICES = st.floats(min_value=0.01, max_value=1e6)
YEARS = st.floats(min_value=0.0, max_value=5.0)
VOLATILITIES = st.floats(min_value=0.0, max_value=12.0)


@given(forward=PRICES, strike=PRICES, years=YEARS, volatility=VOLATILITIES)
def test_put_call_parity_and_bounds(forward: float, strike: float, years: float, volatility: float) -> None:
    call = float(black76(OptionTerms(strike, years, is_call=True), forward, volatility))
    put = float(black76(OptionTerms(strike, years, is_call=False), forward, volatility))
    precision = 1e-11 * (forward + strike)
    assert call - put == pytest.approx(forward - strike, abs=precision)
    assert max(forward - strike, 0.0) - precision <= call <= forward + precision
    assert max(strike - forward, 0.0) - precision <= put <= strike + precision


@given(forward=PRICES, strike=PRICES, years=YEARS, low=VOLATILITIES, high=VOLATILITIES)
def test_more_volatility_never_cheapens(forward: float, strike: float, years: float, low: float, high: float) -> None:
    ordered = np.array(sorted((low, high)))
    cheap, dear = black76(OptionTerms(strike, years, is_call=True), forward, ordered)
    assert cheap <= dear + 1e-11 * (forward + strike)


@given(forward=PRICES, strike=PRICES, years=YEARS, volatility=VOLATILITIES)
def test_deltas_of_call_and_put_differ_by_one(forward: float, strike: float, years: float, volatility: float) -> None:
    call = float(black76_delta(OptionTerms(strike, years, is_call=True), forward, volatility))
    put = float(black76_delta(OptionTerms(strike, years, is_call=False), forward, volatility))
    assert 0 <= call <= 1
    assert call - put == pytest.approx(1.0)
