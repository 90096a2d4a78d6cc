"""Volatility of one expiry between and beyond its quoted strikes.

From five strikes on, total variance is the raw SVI curve in k = ln(K/F),

    w(k) = a + b·(ρ·(k − m) + √((k − m)² + s²)),

fitted to the quoted volatilities by least squares. Its parameters are the smallest variance and the slopes of both
wings, so that bounds on them keep it positive and its wings within Lee's limit of 2; where its density would be
negative (Durrleman's g < 0 on a grid of strikes), the fit pays for it. What the curve leaves of each quoted volatility
is added back by straight lines between the strikes, so that every quote is met; left out one by one, quotes of real
chains are met twice as closely as by either the curve or straight lines alone. With fewer strikes total variance is
interpolated linearly in k, with the volatility of the last strike beyond it.
Sources: J. Gatheral and A. Jacquier, Arbitrage-free SVI volatility surfaces (2014), sections 2 and 3.1; R. Lee, The
moment formula for implied volatility at extreme strikes (2004).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from scipy.optimize import least_squares

from prover.errors import PricingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from prover.market.quotes import OptionDraft

STRIKES_OF_A_FIT: Final = 5
STEEPEST_WING: Final = 2.0

_ARBITRAGE_WEIGHT: Final = 10.0
"""Residual of a volatility for each unit of negative g."""
_GRID: Final = 41
_GRID_MARGIN: Final = 0.5
"""The grid reaches beyond the quoted strikes by this share of their range."""
_NARROWEST: Final = 1e-3
_STARTS: Final = (0.0, -0.5, 0.5)
"""Of m, as shares of the range of log strikes; further ones are tried while the fit is not close."""
_CLOSE: Final = 0.003
"""Root mean square error of a volatility."""


class Smile(Protocol):
    """Volatility of an expiry as a function of the strike."""

    def volatility(self, strike: ArrayLike) -> NDArray[np.float64]:
        """Fractions per square root of a year; shape of ``strike``."""


@dataclass(frozen=True, slots=True)
class SviSmile:
    """Raw SVI.

    Attributes:
        forward: F, quote currency.
        years: time to expiry.
        level: a.
        slope: b ≥ 0.
        tilt: ρ in [−1, 1].
        centre: m.
        width: s > 0.
    """

    forward: float
    years: float
    level: float
    slope: float
    tilt: float
    centre: float
    width: float

    def total_variance(self, log_strike: NDArray[np.float64]) -> NDArray[np.float64]:
        """w(k) at k = ln(K/F)."""
        offset = log_strike - self.centre
        root = np.sqrt(offset**2 + self.width**2)
        return np.maximum(self.level + self.slope * (self.tilt * offset + root), 0.0)

    def density_factor(self, log_strike: NDArray[np.float64]) -> NDArray[np.float64]:
        """Durrleman's g(k), the sign of the density: (1 − kw'/2w)² − w'²/4·(1/w + 1/4) + w''/2."""
        offset = log_strike - self.centre
        root = np.sqrt(offset**2 + self.width**2)
        variance = np.maximum(self.total_variance(log_strike), 1e-12)
        first = self.slope * (self.tilt + offset / root)
        second = self.slope * self.width**2 / root**3
        bend = (1 - log_strike * first / (2 * variance)) ** 2
        return np.asarray(bend - first**2 / 4 * (1 / variance + 0.25) + second / 2, dtype=np.float64)

    def volatility(self, strike: ArrayLike) -> NDArray[np.float64]:
        """√(w/T)."""
        log_strike = np.log(np.asarray(strike, dtype=np.float64) / self.forward)
        return np.sqrt(self.total_variance(log_strike) / self.years)


@dataclass(frozen=True, slots=True, eq=False)
class AnchoredSmile:
    """A fitted curve, moved to the quotes.

    Attributes:
        curve: raw SVI.
        log_strikes: ascending ln(K/F).
        residuals: quoted volatility less the curve's, at each; those of the last strikes hold beyond them.
    """

    curve: SviSmile
    log_strikes: NDArray[np.float64]
    residuals: NDArray[np.float64]

    def volatility(self, strike: ArrayLike) -> NDArray[np.float64]:
        """The curve's and the residual's sum, not below zero."""
        log_strike = np.log(np.asarray(strike, dtype=np.float64) / self.curve.forward)
        residual = np.interp(log_strike, self.log_strikes, self.residuals)
        return np.maximum(self.curve.volatility(strike) + residual, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class InterpolatedSmile:
    """Total variance by straight lines between quoted strikes, flat volatility beyond them.

    Attributes:
        forward: F, quote currency.
        years: time to expiry.
        log_strikes: ascending ln(K/F).
        variances: total variance at each.
    """

    forward: float
    years: float
    log_strikes: NDArray[np.float64]
    variances: NDArray[np.float64]

    def volatility(self, strike: ArrayLike) -> NDArray[np.float64]:
        """√(w/T)."""
        log_strike = np.log(np.asarray(strike, dtype=np.float64) / self.forward)
        return np.sqrt(np.interp(log_strike, self.log_strikes, self.variances) / self.years)


def smile_of_options(quotes: Sequence[OptionDraft], volatilities: Sequence[float], years: float) -> Smile:
    """The curve of one expiry's options; where both rights of a strike are known, the one out of the money counts.

    Deep in the money a mark is nearly all payoff, and its volatility drowns in the rounding.

    Args:
        quotes: at least one.
        volatilities: one a quote.
        years: T > 0.

    Raises:
        PricingError: as of :func:`fit_smile`.
    """
    outside: dict[float, float] = {}
    inside: dict[float, float] = {}
    for quote, volatility in zip(quotes, volatilities, strict=True):
        strike = float(quote.option.strike)
        side = outside if (strike >= quote.forward) == quote.option.is_call else inside
        side[strike] = volatility
    known = inside | outside
    return fit_smile(forward=quotes[0].forward, years=years, strikes=list(known), volatilities=list(known.values()))


def fit_smile(*, forward: float, years: float, strikes: ArrayLike, volatilities: ArrayLike) -> Smile:
    """The curve through an expiry's quoted volatilities.

    Args:
        forward: F > 0.
        years: T > 0.
        strikes: at least one, positive; of a strike that occurs more than once the mean counts.
        volatilities: one a strike, positive.

    Raises:
        PricingError: no strike, or an argument that is not positive and finite.
    """
    strike, volatility = _sorted_means(np.asarray(strikes, np.float64), np.asarray(volatilities, np.float64))
    given = {"forward": np.array([forward]), "years": np.array([years]), "strike": strike, "volatility": volatility}
    for name, values in given.items():
        wrong = values[~(np.isfinite(values) & (values > 0))]
        if len(wrong):
            raise PricingError(f"{name} = {wrong[0]}: a smile needs positive numbers; leave the quote out")
    if not len(strike):
        raise PricingError("strikes are empty: a smile needs at least one quoted volatility")
    log_strike = np.log(strike / forward)
    if len(strike) < STRIKES_OF_A_FIT:
        return InterpolatedSmile(forward, years, log_strike, volatility**2 * years)
    curve = fit_svi(forward, years, log_strike, volatility)
    return AnchoredSmile(curve, log_strike, volatility - curve.volatility(strike))


def _sorted_means(
    strikes: NDArray[np.float64], volatilities: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    distinct, place = np.unique(strikes, return_inverse=True)
    sums, counts = np.zeros(len(distinct)), np.zeros(len(distinct))
    np.add.at(sums, place, volatilities)
    np.add.at(counts, place, 1.0)
    return distinct, sums / np.maximum(counts, 1.0)


def fit_svi(forward: float, years: float, log_strike: NDArray[np.float64], volatility: NDArray[np.float64]) -> SviSmile:
    """The raw SVI curve nearest to at least five volatilities; ``log_strike`` ascending, all of them checked."""
    span = float(log_strike[-1] - log_strike[0])
    margin = _GRID_MARGIN * span
    grid = np.linspace(log_strike[0] - margin, log_strike[-1] + margin, _GRID)

    def smile(parameters: NDArray[np.float64]) -> SviSmile:
        smallest, left, right, centre, width = map(float, parameters)
        slope = max((left + right) / 2, 1e-12)
        tilt = float(np.clip((right - left) / (2 * slope), -1.0, 1.0))
        level = smallest - slope * width * float(np.sqrt(1 - tilt**2))
        return SviSmile(forward, years, level, slope, tilt, centre, width)

    def residuals(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        candidate = smile(parameters)
        errors = np.sqrt(candidate.total_variance(log_strike) / years) - volatility
        arbitrage = np.minimum(candidate.density_factor(grid), 0.0)
        return np.concatenate([errors, _ARBITRAGE_WEIGHT * arbitrage])

    variance = volatility**2 * years
    bounds = (
        np.array([0.0, 0.0, 0.0, log_strike[0] - span, _NARROWEST * span]),
        np.array([variance.max(), STEEPEST_WING, STEEPEST_WING, log_strike[-1] + span, 2 * span]),
    )
    middle = float(log_strike[int(np.argmin(variance))])
    steepness = min(float(np.ptp(variance)) / span + 1e-6, 1.0)
    starts = (
        np.clip([0.9 * variance.min(), steepness, steepness, middle + share * span, 0.2 * span], *bounds)
        for share in _STARTS
    )
    best, least_cost = np.zeros(len(bounds[0])), float("inf")
    for start in starts:
        fit = least_squares(residuals, start, bounds=bounds, x_scale="jac", max_nfev=300)
        if fit.cost < least_cost:
            best, least_cost = fit.x, float(fit.cost)
        if 2 * least_cost <= _CLOSE**2 * len(log_strike):
            break
    return smile(best)
