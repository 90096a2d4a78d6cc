"""Portfolios drawn at random, the same ones every time, to compare rules on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from prover.rules.portfolio import Portfolio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prover.rules.universe import Universe

MOST_POSITIONS: Final = 20
MOST_LOTS: Final = 1000


def random_portfolios(universe: Universe, *, count: int, seed: int) -> Iterator[Portfolio]:
    """One to twenty positions of up to a thousand lots a side each, anywhere but in cash."""
    generator = np.random.default_rng(seed)
    tradable = np.flatnonzero(universe.live & ~universe.cash)
    for _ in range(count):
        held = generator.choice(tradable, size=generator.integers(1, min(MOST_POSITIONS, len(tradable)) + 1))
        lots = np.zeros(universe.size, dtype=np.int64)
        lots[held] = generator.integers(-MOST_LOTS, MOST_LOTS + 1, size=len(held))
        yield Portfolio(universe.slots, tuple(map(tuple, lots.reshape(universe.slots.books, -1).tolist())))
