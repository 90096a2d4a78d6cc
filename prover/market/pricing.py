"""Black-76 in numpy, vectorised over anything that broadcasts.

With s = σ√T, d1 = ln(F/K)/s + s/2 and d2 = d1 − s: call = df·(F·N(d1) − K·N(d2)), put by parity. Limits: from
s = 24 on a call is worth F·df and a put K·df; at s = 0, F = 0 or K = 0 the discounted intrinsic value.
Source: F. Black, The pricing of commodity contracts, Journal of Financial Economics 3 (1976).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtr

from prover.errors import PricingError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MAXIMUM_TOTAL_VOLATILITY: Final = 24.0
"""s from which the limit prices hold."""

VOLATILITY_POINT: Final = 0.01
DAYS_PER_YEAR: Final = 365

_LARGEST_DISTANCE: Final = 38.0
"""|d1| from where the normal density is zero; beyond it the square could overflow."""

_SMALLEST: Final = 1e-300
"""Stands in for zero under logarithm and division: the formula then gives its limits by itself."""


@dataclass(frozen=True, slots=True, eq=False)
class OptionTerms:
    """What stays fixed about options while the market moves; scalars or arrays that broadcast.

    Attributes:
        strike: K ≥ 0, quote currency.
        years: time to expiry T ≥ 0, years of 365 days.
        is_call: true for calls, false for puts.
    """

    strike: ArrayLike
    years: ArrayLike
    is_call: ArrayLike


def black76(
    terms: OptionTerms, forward: ArrayLike, volatility: ArrayLike, *, discount: ArrayLike = 1.0
) -> NDArray[np.float64]:
    """Prices of European options on a forward.

    Args:
        terms: strike, time and right.
        forward: F ≥ 0, quote currency.
        volatility: σ ≥ 0, fraction per square root of a year.
        discount: df ≥ 0.

    Returns:
        Price of one unit, quote currency; shape by broadcasting.

    Raises:
        PricingError: an argument is negative or not finite.
    """
    forwards, strikes, total, sign = _checked_market(terms, forward, volatility)
    discounts = checked("discount", discount)
    return np.asarray(discounts * undiscounted_price(forwards, strikes, total, sign), dtype=np.float64)


def black76_delta(terms: OptionTerms, forward: ArrayLike, volatility: ArrayLike) -> NDArray[np.float64]:
    """Undiscounted delta to the forward, N(d1) for a call and N(d1) − 1 for a put; arguments as in :func:`black76`.

    Raises:
        PricingError: an argument is negative or not finite.
    """
    forwards, strikes, total, sign = _checked_market(terms, forward, volatility)
    delta = sign * ndtr(sign * _d1(forwards, strikes, total))
    return np.where(total >= MAXIMUM_TOTAL_VOLATILITY, np.maximum(sign, 0.0), delta)


@dataclass(frozen=True, slots=True, eq=False)
class Greeks:
    """Sensitivities of undiscounted option prices; zero where the price does not depend on the model.

    Attributes:
        delta: units of the forward.
        gamma: change of delta for one quote currency of the forward.
        vega: quote currency for one volatility point, 0.01.
        theta: quote currency for one day that passes, volatility and forward unmoved.
    """

    delta: NDArray[np.float64]
    gamma: NDArray[np.float64]
    vega: NDArray[np.float64]
    theta: NDArray[np.float64]


def black76_greeks(terms: OptionTerms, forward: ArrayLike, volatility: ArrayLike) -> Greeks:
    """With φ the normal density: Γ = φ(d1)/(F·s), vega = F·φ(d1)·√T, θ = −F·φ(d1)·σ/(2√T); arguments as above.

    Raises:
        PricingError: an argument is negative or not finite.
    """
    forwards, strikes, total, _ = _checked_market(terms, forward, volatility)
    years, volatilities = checked("years", terms.years), checked("volatility", volatility)
    d1 = _d1(forwards, strikes, total)
    smooth = (total > 0) & (total < MAXIMUM_TOTAL_VOLATILITY) & (forwards > 0)
    square = np.minimum(np.abs(d1), _LARGEST_DISTANCE) ** 2
    density = np.where(smooth, np.exp(-0.5 * square) / np.sqrt(2 * np.pi), 0.0)
    root = np.sqrt(years)
    return Greeks(
        delta=black76_delta(terms, forward, volatility),
        gamma=density / np.where(smooth, forwards * total, 1.0),
        vega=forwards * density * root * VOLATILITY_POINT,
        theta=-forwards * density * volatilities / np.where(smooth, 2 * root, 1.0) / DAYS_PER_YEAR,
    )


def undiscounted_price(
    forward: NDArray[np.float64],
    strike: NDArray[np.float64],
    total_volatility: NDArray[np.float64],
    sign: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Black-76 without discount, for arguments known to be non-negative and finite.

    Args:
        forward: F ≥ 0.
        strike: K ≥ 0.
        total_volatility: s = σ√T ≥ 0.
        sign: +1 for calls, −1 for puts; puts are priced directly, as parity would cancel far from the money.
    """
    d1 = _d1(forward, strike, total_volatility)
    price = sign * (forward * ndtr(sign * d1) - strike * ndtr(sign * (d1 - total_volatility)))
    limit = np.where(sign > 0, forward, strike)
    return np.where(total_volatility >= MAXIMUM_TOTAL_VOLATILITY, limit, np.maximum(price, 0.0))


def _d1(
    forward: NDArray[np.float64], strike: NDArray[np.float64], total_volatility: NDArray[np.float64]
) -> NDArray[np.float64]:
    moneyness = np.log(np.maximum(forward, _SMALLEST)) - np.log(np.maximum(strike, _SMALLEST))
    return moneyness / np.maximum(total_volatility, _SMALLEST) + 0.5 * total_volatility


def payoff_sign(is_call: ArrayLike) -> NDArray[np.float64]:
    """+1 for calls, −1 for puts."""
    return np.where(np.asarray(is_call, dtype=np.bool_), 1.0, -1.0)


def _checked_market(
    terms: OptionTerms, forward: ArrayLike, volatility: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    total = checked("volatility", volatility) * np.sqrt(checked("years", terms.years))
    return checked("forward", forward), checked("strike", terms.strike), total, payoff_sign(terms.is_call)


def checked(name: str, argument: ArrayLike) -> NDArray[np.float64]:
    """An argument as an array.

    Raises:
        PricingError: it is negative or not finite.
    """
    value = np.atleast_1d(np.asarray(argument, dtype=np.float64))
    usable = np.isfinite(value) & (value >= 0)
    if not usable.all():
        raise PricingError(f"{name} = {float(value[~usable][0])}: it must be finite and not negative")
    return value.reshape(np.shape(argument))
