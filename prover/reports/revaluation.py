"""What a portfolio gains or loses when prices, volatilities and time move: full revaluation, for pictures.

Options are priced by Black-76 on their forward, which moves with the underlying; what has expired by then has been
settled at the price reached. Futures, perpetuals and coins move with their mark. Profits are secret.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.market.pricing import OptionTerms, black76
from prover.reports.figures import HeatMap, ProfitCurve, ProfitLine
from prover.rules.net_exposure import spot_price

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from prover.rules.universe import Universe

PRICE_MOVES: Final = np.linspace(-0.3, 0.3, 121)
VOLATILITY_MOVES: Final = np.linspace(-0.5, 0.5, 21)
TOGETHER: Final = "all underlyings"


@dataclass(frozen=True, slots=True, eq=False)
class MarketMoves:
    """Moves to revalue under, all of the same length.

    Attributes:
        price_moves: relative, [scenario, underlying], above −1.
        volatility_moves: relative moves of implied volatilities, [scenario, underlying], at least −1.
        years: time that passes, the same for all.
    """

    price_moves: NDArray[np.float64]
    volatility_moves: NDArray[np.float64]
    years: float = 0.0


def revalue(universe: Universe, quantity: NDArray[np.float64], moves: MarketMoves) -> NDArray[np.float64]:
    """Profit of quantities by flat slot, one a scenario, quote currency."""
    factor = np.concatenate([1 + moves.price_moves, np.ones((len(moves.price_moves), 1))], axis=1)
    linear = np.where(universe.option, 0.0, quantity * universe.mark)
    profit = np.asarray((factor[:, universe.underlying] - 1) @ linear, dtype=np.float64)
    held = np.flatnonzero(universe.option & (quantity != 0))
    if len(held):
        strike, years, is_call = universe.strike[held], universe.years[held], universe.is_call[held]
        forward, volatility = universe.forward[held], universe.volatility[held]
        now = black76(OptionTerms(strike, years, is_call), forward, volatility)
        later = black76(
            OptionTerms(strike, np.maximum(years - moves.years, 0.0), is_call),
            forward * factor[:, universe.underlying[held]],
            volatility * (1 + moves.volatility_moves[:, universe.underlying[held]]),
        )
        profit += (later - now) @ quantity[held]
    return profit


def heat_maps(universe: Universe, quantity: NDArray[np.float64]) -> tuple[HeatMap, ...]:
    """One map an underlying held, the others unmoved; one of all together where there are several."""
    maps = []
    for subject, direction in _directions(universe, quantity):
        prices = np.tile(PRICE_MOVES, len(VOLATILITY_MOVES))
        volatilities = np.repeat(VOLATILITY_MOVES, len(PRICE_MOVES))
        moves = MarketMoves(prices[:, None] * direction, volatilities[:, None] * direction)
        shape = (len(VOLATILITY_MOVES), len(PRICE_MOVES))
        profit = revalue(universe, quantity, moves).reshape(shape)
        maps.append(HeatMap(subject, PRICE_MOVES, VOLATILITY_MOVES, profit))
    return tuple(maps)


def profit_curves(universe: Universe, quantity: NDArray[np.float64]) -> tuple[ProfitCurve, ...]:
    """Profit now and at every expiry in which something is held, subjects as in :func:`heat_maps`."""
    curves = []
    for subject, direction in _directions(universe, quantity):
        lines = []
        for years, label in _moments(universe, quantity, subject).items():
            prices = PRICE_MOVES[:, None] * direction
            moves = MarketMoves(prices, np.zeros_like(prices), years)
            lines.append(ProfitLine(label, revalue(universe, quantity, moves)))
        index_price = 0.0 if subject == TOGETHER else spot_price(universe, universe.underlyings.index(subject))
        curves.append(ProfitCurve(subject, index_price, PRICE_MOVES, tuple(lines)))
    return tuple(curves)


def _moments(universe: Universe, quantity: NDArray[np.float64], subject: str) -> dict[float, str]:
    """Times from now on and what to call them: the present, and every expiry in which something is held."""
    held = sorted({int(place) for place in universe.expiry[(quantity != 0) & (universe.expiry >= 0)]})
    groups = [universe.expiries[place] for place in held]
    moments: defaultdict[float, list[str]] = defaultdict(list)
    for group in sorted(groups, key=lambda group: group.years):
        if subject in (TOGETHER, group.underlying):
            moments[group.years].append(group.name)
    return {0.0: "now"} | {years: f"at expiry {', '.join(names)}" for years, names in moments.items()}


def _directions(universe: Universe, quantity: NDArray[np.float64]) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """(subject, which underlyings move) of every picture."""
    held = sorted({int(place) for place in universe.underlying[(quantity != 0) & (universe.underlying >= 0)]})
    for place in held:
        yield universe.underlyings[place], (np.arange(len(universe.underlyings)) == place).astype(np.float64)
    if len(held) > 1:
        yield TOGETHER, np.ones(len(universe.underlyings))
