"""Inverse contracts: sized in dollars and settled in coin, as Deribit's ``BTC-PERPETUAL`` and ``BTC-27DEC24``.

A contract of N dollars bought at p gains N·(1/p − 1/price) coins. In an account kept in the quote currency that is
N·(1/p − 1/price)·price = (N/p)·(price − p): the gain of N/p units of the underlying bought at p. So a position counts
in units here, inverse or linear alike, and N/p, fixed at entry, is the number of units.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from prover.errors import PricingError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def contracts_to_units(dollars: float, price: float) -> float:
    """Units of the underlying in contracts of so many dollars, entered (or, for open interest, marked) at a price.

    Raises:
        PricingError: the price is not positive.
    """
    return dollars / _positive(price)


def units_to_contracts(units: float, price: float) -> float:
    """Dollars of contracts that stand for units of the underlying at a price.

    Raises:
        PricingError: the price is not positive.
    """
    return units * _positive(price)


def coin_profit(units: float, moves: ArrayLike) -> NDArray[np.float64]:
    """Profit in coin of contracts worth so many units when the price moves by m: units · (1 − 1/(1 + m)).

    Args:
        units: at the price before the move; negative when short.
        moves: relative, above −1.
    """
    return units * (1 - 1 / (1 + np.asarray(moves, dtype=np.float64)))


def _positive(price: float) -> float:
    if not price > 0:
        raise PricingError(f"price = {price}: it must be positive")
    return price
