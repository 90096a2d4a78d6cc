"""What no market can say: marks of options beyond the bounds of arbitrage, prices in another unit than their index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from prover.market.pricing import OptionTerms, black76, payoff_sign

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from prover.market.quotes import OptionQuote

MARK_TOLERANCE: Final = 0.01
"""A mark may differ from its model price by this fraction of the forward; one in the wrong unit differs by more."""

ARBITRAGE_TOLERANCE: Final = 0.001
"""A mark may lie outside its bounds by this fraction of the forward: exchanges round marks and the time of a file."""

FORWARD_TOLERANCE: Final = 0.005
"""Forwards of one expiry may differ by this fraction: entries of a file are some seconds apart."""

INDEX_FACTOR: Final = 4.0
"""Forwards and futures may differ from the index by this factor; one of them in another unit differs by more."""


def refuse_other_units(index_prices: Mapping[str, float], prices: Iterable[tuple[str, str, str, float]]) -> None:
    """Check that prices of what follows a coin are in the unit of its index price.

    Args:
        index_prices: by coin.
        prices: (coin, instrument, field, price) of futures, perpetuals and forwards.

    Raises:
        ValueError: names instrument, field, value and remedy; pydantic makes a finding of it.
    """
    for coin, instrument, field, price in prices:
        index = index_prices[coin]
        if not index / INDEX_FACTOR <= price <= index * INDEX_FACTOR:
            message = (
                f"instrument = {instrument!r}: {field} = {price}, but index_price = {index} of {coin}: give both in "
                "the quote currency per coin, of one moment"
            )
            raise ValueError(message)


def refuse_impossible(options: Sequence[OptionQuote], snapshot_time: int) -> None:
    """Check every option's mark against its payoff and its model price, and forwards against each other.

    Raises:
        ValueError: names instrument, field, value and remedy; pydantic makes a finding of it.
    """
    _refuse_scattered_forwards(options)
    forward = np.array([quote.forward for quote in options])
    mark = np.array([quote.mark_price for quote in options])
    terms = _terms(options, snapshot_time)
    strike, sign = np.asarray(terms.strike), payoff_sign(terms.is_call)
    intrinsic = np.maximum(sign * (forward - strike), 0.0)
    highest = np.where(sign > 0, forward, strike)
    model = black76(terms, forward, [quote.mark_volatility for quote in options])
    slack = ARBITRAGE_TOLERANCE * forward
    _refuse(options, mark < intrinsic - slack, intrinsic, "is below {:.2f}, what it pays at the forward: an arbitrage")
    _refuse(options, mark > highest + slack, highest, "is above {:.2f}, the most that it can ever be worth")
    strange = np.abs(model - mark) > MARK_TOLERANCE * forward
    _refuse(options, strange, model, "is far from {:.2f}, the price at mark_volatility = {volatility}")


def _terms(options: Sequence[OptionQuote], snapshot_time: int) -> OptionTerms:
    parsed = [quote.option for quote in options]
    return OptionTerms(
        strike=np.array([float(option.strike) for option in parsed]),
        years=np.array([option.years_to_expiry(snapshot_time) for option in parsed]),
        is_call=np.array([option.is_call for option in parsed]),
    )


def _refuse(options: Sequence[OptionQuote], wrong: NDArray[np.bool_], bound: NDArray[np.float64], problem: str) -> None:
    if not wrong.any():
        return
    place = int(np.flatnonzero(wrong)[0])
    quote = options[place]
    said = problem.format(float(bound[place]), volatility=quote.mark_volatility)
    message = (
        f"instrument = {quote.instrument!r}: mark_price = {quote.mark_price} {said}: give prices in the quote "
        "currency and volatilities as fractions, all of one moment"
    )
    raise ValueError(message)


def _refuse_scattered_forwards(options: Sequence[OptionQuote]) -> None:
    first: dict[tuple[str, int], OptionQuote] = {}
    for quote in options:
        known = first.setdefault((quote.option.underlying, quote.option.expiry_time), quote)
        if abs(quote.forward - known.forward) > FORWARD_TOLERANCE * known.forward:
            message = (
                f"instrument = {quote.instrument!r}: forward = {quote.forward}, but {known.forward} at "
                f"{known.instrument!r} of the same expiry: give forwards of one moment"
            )
            raise ValueError(message)
