"""Volatilities between quoted strikes: against curves that are known, and against real chains with a quote left out."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pytest

from prover.errors import PricingError
from prover.market.market_files import load_market
from prover.market.quotes import OptionDraft
from prover.market.volatility_surface import SviSmile, fit_smile, fit_svi, smile_of_options
from tests.support.market_files import MARKET_FILES
from tests.support.small_markets import option_fields

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

FORWARD, YEARS = 95_000.0, 0.1
CURVE = SviSmile(forward=FORWARD, years=YEARS, level=0.01, slope=0.06, tilt=-0.3, centre=0.02, width=0.15)
STRIKES = FORWARD * np.exp(np.linspace(-0.4, 0.4, 17))


def test_raw_svi_by_hand() -> None:
    """At k = m + s·4/3: √((k − m)² + s²) = s·5/3, w = 0.01 + 0.06·0.15·(−0.3·4/3 + 5/3) = 0.0214."""
    strike = FORWARD * np.exp(0.02 + 0.15 * 4 / 3)
    assert float(CURVE.volatility(strike)) == pytest.approx(np.sqrt(0.0214 / YEARS))


def test_the_density_factor_is_that_of_slopes() -> None:
    grid, step = np.linspace(-0.5, 0.5, 11), 1e-4
    variance = CURVE.total_variance(grid)
    up, down = CURVE.total_variance(grid + step), CURVE.total_variance(grid - step)
    first, second = (up - down) / (2 * step), (up - 2 * variance + down) / step**2
    bend = (1 - grid * first / (2 * variance)) ** 2
    expected = bend - first**2 / 4 * (1 / variance + 0.25) + second / 2
    assert CURVE.density_factor(grid) == pytest.approx(expected, rel=1e-5)


def test_a_curve_is_found_again() -> None:
    smile = fit_smile(forward=FORWARD, years=YEARS, strikes=STRIKES[::2], volatilities=CURVE.volatility(STRIKES[::2]))
    assert smile.volatility(STRIKES) == pytest.approx(CURVE.volatility(STRIKES), abs=2e-4)
    beyond = FORWARD * np.exp([-0.6, 0.6])
    assert smile.volatility(beyond) == pytest.approx(CURVE.volatility(beyond), abs=5e-3)


def test_quotes_are_met_whatever_they_are() -> None:
    jagged = CURVE.volatility(STRIKES) * (1 + 0.05 * np.cos(5 * np.arange(len(STRIKES))))
    smile = fit_smile(forward=FORWARD, years=YEARS, strikes=STRIKES, volatilities=jagged)
    assert smile.volatility(STRIKES) == pytest.approx(jagged, abs=1e-12)


def test_fits_keep_within_the_bounds_of_arbitrage() -> None:
    """Volatilities that rise far too steeply for any density."""
    log_strike = np.log(STRIKES / FORWARD)
    curve = fit_svi(FORWARD, YEARS, log_strike, 0.2 + 12 * np.abs(log_strike))
    assert curve.slope * (1 + abs(curve.tilt)) <= 2 + 1e-9
    grid = np.linspace(log_strike[0], log_strike[-1], 200)
    assert (curve.total_variance(grid) > 0).all()
    assert curve.density_factor(grid).min() > -0.05


def test_few_strikes_are_joined_by_straight_lines_of_variance() -> None:
    strikes = FORWARD * np.exp(np.array([0.1, -0.1, 0.3]))
    smile = fit_smile(forward=FORWARD, years=YEARS, strikes=strikes, volatilities=[0.5, 0.6, 0.7])
    between = np.sqrt((0.5**2 + 0.6**2) / 2)
    wanted = FORWARD * np.exp(np.array([-0.5, -0.1, 0.0, 0.1, 0.5]))
    assert smile.volatility(wanted) == pytest.approx([0.6, 0.6, between, 0.5, 0.7])


def test_one_strike_gives_its_volatility_everywhere() -> None:
    smile = fit_smile(forward=FORWARD, years=YEARS, strikes=[90_000.0, 90_000.0], volatilities=[0.5, 0.6])
    assert smile.volatility([1.0, 90_000.0, 1e6]) == pytest.approx([0.55] * 3)


@pytest.mark.parametrize(
    ("strikes", "volatilities", "problem"),
    [
        ([], [], "strikes are empty"),
        ([0.0], [0.5], "strike = 0.0"),
        ([1.0, 2.0], [0.5, np.nan], "volatility = nan"),
        ([1.0, 2.0], [0.5, -0.1], "volatility = -0.1"),
    ],
)
def test_what_is_no_smile_is_refused(strikes: list[float], volatilities: list[float], problem: str) -> None:
    with pytest.raises(PricingError, match=problem):
        fit_smile(forward=FORWARD, years=YEARS, strikes=strikes, volatilities=volatilities)


def test_the_right_out_of_the_money_counts() -> None:
    """Calls and puts of every strike, those in the money with nonsense for a volatility."""
    volatilities = dict(zip(STRIKES, CURVE.volatility(STRIKES), strict=True))
    quotes, given = [], []
    for place, (strike, volatility) in enumerate(volatilities.items()):
        for right in "CP":
            name = f"BTC-27DEC24-{round(strike)}-{right}"
            fields = option_fields(name, FORWARD, float(volatility))
            quotes.append(OptionDraft.model_validate(fields))
            outside = (strike >= FORWARD) == (right == "C")
            given.append(float(volatility) if outside else 0.1 + 0.05 * place)
    smile = smile_of_options(quotes, given, YEARS)
    assert smile.volatility(STRIKES) == pytest.approx(CURVE.volatility(STRIKES), abs=1e-4)


def expiries_of(path: Path) -> list[tuple[float, float, NDArray[np.float64], NDArray[np.float64]]]:
    """Forward, time, strikes and volatilities of every expiry of a chain; of each strike the right out of the money."""
    snapshot = load_market(path)
    groups = defaultdict(list)
    for quote in snapshot.options:
        if (quote.option.strike >= quote.forward) == quote.option.is_call:
            groups[quote.option.expiry].append(quote)
    found = []
    for group in groups.values():
        group.sort(key=lambda quote: quote.option.strike)
        strikes = np.array([float(quote.option.strike) for quote in group])
        volatilities = np.array([quote.mark_volatility for quote in group])
        found.append((group[0].forward, group[0].option.years_to_expiry(snapshot.snapshot_time), strikes, volatilities))
    return found


@pytest.mark.parametrize("path", MARKET_FILES, ids=lambda path: path.stem)
def test_quotes_left_out_are_met_closely(path: Path, record_property: Callable[[str, object], None]) -> None:
    errors = []
    for forward, years, strikes, volatilities in expiries_of(path):
        for left_out in range(1, len(strikes) - 1, 5):
            kept = np.arange(len(strikes)) != left_out
            smile = fit_smile(forward=forward, years=years, strikes=strikes[kept], volatilities=volatilities[kept])
            errors.append(abs(float(smile.volatility(strikes[left_out])) - volatilities[left_out]))
    median, worst_twentieth = np.median(errors), np.quantile(errors, 0.95)
    found = f"error {median:.4f} in the median of {len(errors)} quotes, {worst_twentieth:.4f} at 95 %"
    record_property("cases met", f"{path.name}: volatility interpolated without the quote: {found}")
    assert median < 0.002
    assert worst_twentieth < 0.04
