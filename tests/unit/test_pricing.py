"""Black-76 against published prices and against a quadrature that shares no formula with it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.integrate import quad

from prover.errors import PricingError
from prover.market.implied_volatility import implied_volatility
from prover.market.pricing import OptionTerms, black76, black76_delta, black76_greeks
from prover.methodologies.european_option import EuropeanOption
from tests.support.market_files import PRICING_CASE_FILES

if TYPE_CHECKING:
    from pathlib import Path


def expected_payoff(*, forward: float, strike: float, total_volatility: float, is_call: bool) -> float:
    """E[max(±(F·e^(sZ − s²/2) − K), 0)] by quadrature, split at the kink."""

    def integrand(z: float) -> float:
        terminal = forward * math.exp(total_volatility * z - total_volatility**2 / 2)
        payoff = max(terminal - strike, 0.0) if is_call else max(strike - terminal, 0.0)
        return payoff * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    kink = (math.log(strike / forward) + total_volatility**2 / 2) / total_volatility
    low, high = (kink, max(kink, 0.0) + 40) if is_call else (min(kink, 0.0) - 40, kink)
    value, _ = quad(integrand, low, high, epsabs=1e-11, epsrel=1e-12, limit=400)
    return float(value)


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize("strike", [40.0, 90.0, 100.0, 115.0, 260.0])
@pytest.mark.parametrize(("years", "volatility"), [(1 / 365, 0.3), (0.25, 0.55), (2.0, 1.2)])
def test_prices_are_expected_payoffs(years: float, volatility: float, strike: float, *, is_call: bool) -> None:
    price = float(black76(OptionTerms(strike, years, is_call), 100.0, volatility))
    total = volatility * math.sqrt(years)
    expected = expected_payoff(forward=100.0, strike=strike, total_volatility=total, is_call=is_call)
    assert price == pytest.approx(expected, abs=1e-8)


@dataclass(frozen=True)
class PriceCase:
    identity: str
    terms: OptionTerms
    forward: float
    volatility: float
    discount: float
    price: float
    tolerance: float


def read_cases(path: Path) -> list[PriceCase]:
    """Every price that a file of published cases expects."""
    found = []
    for case in json.loads(path.read_text())["cases"]:
        inputs, expected = case["inputs"], case["expected"]
        if "forward" not in inputs or "vol" not in inputs:
            continue
        tolerance = case["tolerance_abs"]
        for right, name in ((True, "call"), (False, "put")):
            flagged = inputs.get("flag") == name[0]
            scale = inputs["forward"] if "price_coin" in expected else 1.0
            value = expected.get(name, expected.get("price", expected.get("price_coin")) if flagged else None)
            if value is None:
                continue
            found.append(
                PriceCase(
                    identity=f"{case['id']} {name}",
                    terms=OptionTerms(inputs["strike"], inputs["t_years"], right),
                    forward=inputs["forward"],
                    volatility=inputs["vol"],
                    discount=inputs.get("discount", 1.0),
                    price=value * scale,
                    tolerance=(tolerance["price_coin"] if isinstance(tolerance, dict) else tolerance) * scale,
                )
            )
    return found


OWN_CASES = [
    # The first by the quadrature above; the others are limits that need no computation.
    PriceCase("at the money", OptionTerms(1500, 604800 / 31536000, is_call=True), 1500, 1.0, 1.0, 82.80508067, 1e-8),
    PriceCase("call of huge volatility", OptionTerms(700, 1.0, is_call=True), 1000, 25.0, 0.98, 980.0, 1e-9),
    PriceCase("put of huge volatility", OptionTerms(700, 1.0, is_call=False), 1000, 25.0, 0.98, 686.0, 1e-9),
    PriceCase("call of strike zero", OptionTerms(0, 1.0, is_call=True), 1000, 0.5, 0.9, 900.0, 1e-9),
    PriceCase("put of strike zero", OptionTerms(0, 1.0, is_call=False), 1000, 0.5, 0.9, 0.0, 1e-9),
    PriceCase("put on nothing", OptionTerms(50, 1.0, is_call=False), 0, 0.5, 1.0, 50.0, 1e-9),
    PriceCase("call on nothing", OptionTerms(50, 1.0, is_call=True), 0, 0.5, 1.0, 0.0, 1e-9),
    PriceCase("expired call", OptionTerms(50, 0.0, is_call=True), 60, 0.5, 1.0, 10.0, 1e-9),
    PriceCase("expired at the money", OptionTerms(50, 0.0, is_call=False), 50, 0.5, 1.0, 0.0, 1e-9),
    PriceCase("no volatility", OptionTerms(70, 1.0, is_call=False), 60, 0.0, 0.5, 5.0, 1e-9),
]


@pytest.mark.parametrize(
    "cases",
    [OWN_CASES, *(read_cases(path) for path in PRICING_CASE_FILES)],
    ids=["own", *(path.stem for path in PRICING_CASE_FILES)],
)
def test_published_prices_are_met(cases: list[PriceCase]) -> None:
    assert cases
    for case in cases:
        price = float(black76(case.terms, case.forward, case.volatility, discount=case.discount))
        assert price == pytest.approx(case.price, abs=case.tolerance), case.identity


def test_delta_is_the_slope_of_the_price() -> None:
    forward, bump = np.array([60.0, 100.0, 140.0]), 1e-4
    for is_call in (True, False):
        terms = OptionTerms(100.0, 0.5, is_call)
        slope = (black76(terms, forward + bump, 0.6) - black76(terms, forward - bump, 0.6)) / (2 * bump)
        assert black76_delta(terms, forward, 0.6) == pytest.approx(slope, abs=1e-8)


def test_greeks_are_slopes_of_the_price() -> None:
    forward, bump = np.array([60.0, 100.0, 140.0]), 1e-3
    for is_call in (True, False):
        terms = OptionTerms(100.0, 0.5, is_call)
        greeks = black76_greeks(terms, forward, 0.6)
        now = black76(terms, forward, 0.6)
        up, down = black76(terms, forward + bump, 0.6), black76(terms, forward - bump, 0.6)
        assert greeks.delta == pytest.approx(black76_delta(terms, forward, 0.6))
        assert greeks.gamma == pytest.approx((up - 2 * now + down) / bump**2, abs=1e-7)
        dearer = black76(terms, forward, 0.6 + 1e-6) - black76(terms, forward, 0.6 - 1e-6)
        assert greeks.vega == pytest.approx(dearer / 2e-6 / 100, rel=1e-6)
        later = black76(OptionTerms(100.0, 0.5 - 1e-6, is_call), forward, 0.6) - now
        assert greeks.theta == pytest.approx(later / 1e-6 / 365, rel=1e-4)


@pytest.mark.parametrize(
    ("years", "volatility", "forward"), [(0.0, 0.5, 90.0), (1.0, 0.0, 90.0), (1.0, 30.0, 90.0), (1.0, 0.5, 0.0)]
)
def test_limits_have_no_curvature(years: float, volatility: float, forward: float) -> None:
    greeks = black76_greeks(OptionTerms(100.0, years, is_call=True), forward, volatility)
    assert [float(greeks.gamma), float(greeks.vega), float(greeks.theta)] == [0.0, 0.0, 0.0]


def test_greeks_of_one_option_agree_with_the_scalar_ones() -> None:
    option = EuropeanOption(
        asset=95.0,
        forward=95.0,
        strike=100.0,
        years=0.25,
        volatility=0.7,
        rate=0.0,
        carry=0.0,
        discount=1.0,
        is_call=False,
        on_forward=True,
    )
    greeks = black76_greeks(OptionTerms(100.0, 0.25, is_call=False), 95.0, 0.7)
    found = [float(greeks.delta), float(greeks.gamma), 100 * float(greeks.vega), 365 * float(greeks.theta)]
    assert found == pytest.approx([option.delta, option.gamma, option.vega, option.theta], rel=1e-9)


def test_deltas_at_the_limits() -> None:
    assert float(black76_delta(OptionTerms(100, 1.0, is_call=True), 50, 30.0)) == 1.0
    assert float(black76_delta(OptionTerms(100, 1.0, is_call=False), 50, 30.0)) == 0.0


def test_implied_volatility_finds_its_way_back() -> None:
    volatility = np.array([0.05, 0.3, 0.9, 2.5])[:, None]
    strike = np.array([50.0, 80.0, 100.0, 130.0, 200.0])[None, :]
    for is_call in (True, False):
        terms = OptionTerms(strike, 0.4, is_call)
        prices = black76(terms, 100.0, volatility)
        solved = implied_volatility(terms, 100.0, prices)
        # A deep option's price holds its volatility only as far as time value is left in the digits.
        time_value = prices - np.maximum((100.0 - strike) if is_call else (strike - 100.0), 0.0)
        clear = time_value > 1e-6
        assert clear.sum() > 12
        assert solved[clear] == pytest.approx(np.broadcast_to(volatility, solved.shape)[clear], rel=1e-6)


def test_prices_without_a_volatility_give_none() -> None:
    terms = OptionTerms(100.0, 0.5, is_call=True)
    below_intrinsic, at_intrinsic, above_forward = 19.0, 20.0, 121.0
    solved = implied_volatility(terms, 120.0, [below_intrinsic, at_intrinsic, above_forward])
    assert np.isnan(solved).all()


@pytest.mark.parametrize(
    ("terms", "forward", "volatility", "field"),
    [
        (OptionTerms(-1.0, 1.0, is_call=True), 100.0, 0.5, "strike = -1.0"),
        (OptionTerms(1.0, -0.1, is_call=True), 100.0, 0.5, "years = -0.1"),
        (OptionTerms(1.0, 1.0, is_call=True), math.nan, 0.5, "forward = nan"),
        (OptionTerms(1.0, 1.0, is_call=True), [100.0, math.inf], 0.5, "forward = inf"),
        (OptionTerms(1.0, 1.0, is_call=True), 100.0, -0.5, "volatility = -0.5"),
    ],
)
def test_inputs_outside_the_model_are_refused(
    terms: OptionTerms, forward: float | list[float], volatility: float, field: str
) -> None:
    with pytest.raises(PricingError, match=field):
        black76(terms, forward, volatility)


def test_expired_options_have_no_implied_volatility() -> None:
    with pytest.raises(PricingError, match="years = 0"):
        implied_volatility(OptionTerms(100.0, 0.0, is_call=True), 100.0, 5.0)
