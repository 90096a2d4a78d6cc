"""Price × volatility scenarios with damped tails, and what they do to prices.

The standard grid and the volatility shock are those of Derive's portfolio margin, version 2: spot {±13.5, ±9, ±4.5,
0} % under three volatility states, ±18 % with volatility up, and six tails with volatility up whose profit or loss
counts by a weight. Constants from that method's published parameters.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.errors import RuleBuildError

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAYS_PER_YEAR: Final = 365.0
REFERENCE_DAYS: Final = 30.0
"""Options of this time to expiry take the volatility shock as it stands; shorter ones more, longer ones less."""


class VolatilityState(StrEnum):
    """How a scenario moves implied volatilities."""

    UP = "up"
    NONE = "unchanged"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One state of the market to survive.

    Attributes:
        price_move: relative move of spot and of every forward, above −1; −0.18 is a fall of 18 %.
        volatility: what implied volatilities do.
        weight: share of the profit or loss that counts, in (0, 1]; below one in the tails.

    Raises:
        RuleBuildError: a price that would not stay positive, or a weight outside (0, 1].
    """

    price_move: float
    volatility: VolatilityState
    weight: float = 1.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not self.price_move > -1 or not np.isfinite(self.price_move):
            raise RuleBuildError(f"price_move = {self.price_move}: prices must stay positive; use a move above -1")
        if not 0 < self.weight <= 1:
            raise RuleBuildError(f"weight = {self.weight}: use a share above 0 and up to 1")

    @property
    def name(self) -> str:
        """For people: ``spot −18 %, volatility up``."""
        sign = "−" if self.price_move < 0 else "+" if self.price_move > 0 else "±"
        spot = f"spot {sign}{abs(self.price_move) * 100:g} %, volatility {self.volatility}"
        return spot if self.weight == 1 else f"{spot}, weight {self.weight * 100:.3g} %"

    @property
    def is_unshocked(self) -> bool:
        """True for the scenario in which nothing moves."""
        return self.price_move == 0 and self.volatility is VolatilityState.NONE


@dataclass(frozen=True, slots=True)
class VolatilityShock:
    """By how much a volatility state moves an option's implied volatility.

    With m = (30 days / max(time to expiry, floor))^p, p the power of the short or the long end: up is
    max(minimum, σ(1 + up·m)), down is σ·max(0, 1 − down·m).

    Attributes:
        up: relative rise at 30 days.
        down: relative fall at 30 days.
        minimum_volatility: floor of a shocked-up volatility, fraction per square root of a year.
        floor_days: shorter times to expiry count as this many days.
        short_power: p up to 30 days.
        long_power: p beyond 30 days.
    """

    up: float = 0.5
    down: float = 0.275
    minimum_volatility: float = 0.45
    floor_days: float = 1.0
    short_power: float = 0.3
    long_power: float = 0.13

    def apply(
        self, volatility: NDArray[np.float64], years: NDArray[np.float64], state: VolatilityState
    ) -> NDArray[np.float64]:
        """Volatilities after the move of ``state``; ``years`` are times to expiry of 365 days."""
        if state is VolatilityState.NONE:
            return volatility
        days = years * DAYS_PER_YEAR
        power = np.where(days <= REFERENCE_DAYS, self.short_power, self.long_power)
        multiple = (REFERENCE_DAYS / np.maximum(days, self.floor_days)) ** power
        if state is VolatilityState.UP:
            return np.maximum(self.minimum_volatility, volatility * (1 + self.up * multiple))
        return volatility * np.maximum(0.0, 1 - self.down * multiple)


@dataclass(frozen=True, slots=True)
class ScenarioGrid:
    """Scenarios of a rule, exactly one of them the unshocked one, and the volatility shock that they share.

    Raises:
        RuleBuildError: no unshocked scenario, or a scenario twice.
    """

    scenarios: tuple[Scenario, ...]
    shock: VolatilityShock = field(default_factory=VolatilityShock)

    def __post_init__(self) -> None:
        """Check that the grid has its anchor and no doubles."""
        if len(set(self.scenarios)) != len(self.scenarios):
            raise RuleBuildError("a scenario is listed twice; keep one")
        if sum(scenario.is_unshocked for scenario in self.scenarios) != 1:
            raise RuleBuildError("the grid needs the unshocked scenario once (price_move 0, volatility unchanged)")

    @property
    def unshocked(self) -> int:
        """Index of the scenario in which nothing moves."""
        return next(index for index, scenario in enumerate(self.scenarios) if scenario.is_unshocked)


def _grid(moves: tuple[float, ...], outer: float, tails: tuple[tuple[float, float], ...]) -> ScenarioGrid:
    """Scenarios from the highest price to the lowest, then the tails as (price move, weight)."""
    inner = tuple(Scenario(move, state) for move in sorted(moves, reverse=True) for state in VolatilityState)
    highest, lowest = Scenario(outer, VolatilityState.UP), Scenario(-outer, VolatilityState.UP)
    damped = tuple(Scenario(move, VolatilityState.UP, weight) for move, weight in tails)
    return ScenarioGrid((highest, *inner, lowest, *damped))


STANDARD_GRID: Final = _grid(
    moves=(-0.135, -0.09, -0.045, 0.0, 0.045, 0.09, 0.135),
    outer=0.18,
    tails=(
        (-0.66, 0.6 / 11),
        (-0.33, 1.2 / 11),
        (0.5, 0.072),
        (1.0, 0.036),
        (2.0, 0.018),
        (3.0, 0.012),
    ),
)
"""29 scenarios."""

SMALL_GRID: Final = _grid(moves=(-0.09, 0.0, 0.09), outer=0.18, tails=((-0.66, 0.6 / 11), (1.0, 0.036)))
"""13 scenarios: with two limits and the mask they fill one chunk of the small shape."""
