"""Implied volatilities: Black-76 solved for σ. Apart from pricing, as scipy.optimize is slow to import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import elementwise

from prover.errors import PricingError
from prover.market.pricing import MAXIMUM_TOTAL_VOLATILITY, OptionTerms, checked, payoff_sign, undiscounted_price

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LOWEST_TOTAL_VOLATILITY: Final = 1e-6
"""Smallest s = σ√T that is looked for."""


def implied_volatility(terms: OptionTerms, forward: ArrayLike, price: ArrayLike) -> NDArray[np.float64]:
    """The volatility that explains each undiscounted price; NaN where none between s = 10⁻⁶ and 24 does.

    Solved on the time value, the price of the option that is out of the money, where no digits are lost. The root
    is bracketed (Chandrupatla's method of scipy), so that it is found whenever it exists.

    Raises:
        PricingError: an argument is negative or not finite, or a time to expiry is zero.
    """
    times = checked("years", terms.years)
    if not np.all(times > 0):
        raise PricingError("years = 0: an expired option has no implied volatility; leave it out")
    inputs = (checked("price", price), checked("forward", forward), checked("strike", terms.strike))
    prices, forwards, strikes, times, signs = np.broadcast_arrays(*inputs, times, payoff_sign(terms.is_call))
    time_value = prices - np.maximum(signs * (forwards - strikes), 0.0)
    outside = np.where(forwards >= strikes, -1.0, 1.0)
    solvable = (time_value > 0) & (time_value < np.minimum(forwards, strikes))
    solution = np.full(prices.shape, np.nan)
    if solvable.any():
        arguments = (forwards[solvable], strikes[solvable], outside[solvable], time_value[solvable])
        solution[solvable] = _solve_total_volatility(*arguments) / np.sqrt(times[solvable])
    return solution


def _solve_total_volatility(
    forward: NDArray[np.float64],
    strike: NDArray[np.float64],
    sign: NDArray[np.float64],
    target: NDArray[np.float64],
) -> NDArray[np.float64]:
    def excess(
        total: NDArray[np.float64],
        forward: NDArray[np.float64],
        strike: NDArray[np.float64],
        sign: NDArray[np.float64],
        target: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        return undiscounted_price(forward, strike, total, sign) - target

    bracket = (LOWEST_TOTAL_VOLATILITY, MAXIMUM_TOTAL_VOLATILITY)
    result = elementwise.find_root(excess, bracket, args=(forward, strike, sign, target))
    return np.where(result.success, result.x, np.nan)
