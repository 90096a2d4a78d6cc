"""Scenarios: a move of prices, a state of volatility and a weight; and what a state does to volatilities.

The form of the volatility shock and its defaults are those of Derive's portfolio margin, version 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import numpy as np
from pydantic import BeforeValidator, Field

from prover.errors import RuleBuildError

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAYS_PER_YEAR: Final = 365.0
REFERENCE_DAYS: Final = 30.0
"""Options of this time to expiry take the volatility shock as it stands; shorter ones more, longer ones less."""


LARGEST_MOVE: Final = 1000


def _no_truth_value(value: object) -> object:
    """Python counts true as one."""
    if isinstance(value, bool):
        message = "a number is needed, no truth value; correct it"
        raise ValueError(message)  # noqa: TRY004 - pydantic reports a ValueError
    return value


Number = Annotated[float, BeforeValidator(_no_truth_value), Field(allow_inf_nan=False)]
"""A number in a rule file."""


class VolatilityState(StrEnum):
    """How a scenario moves implied volatilities."""

    UP = "up"
    NONE = "unchanged"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One state of the market to survive.

    Attributes:
        price_move: relative move of spot and of every forward, above −1 and up to 1000; −0.18 is a fall of 18 %.
        volatility: what implied volatilities do.
        weight: share of the profit or loss that counts, in (0, 1]; below one in the tails.

    Raises:
        RuleBuildError: a price that would not stay positive, or a weight outside (0, 1].
    """

    price_move: Number
    volatility: VolatilityState
    weight: Number = 1.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not -1 < self.price_move <= LARGEST_MOVE:
            raise RuleBuildError(
                f"price_move = {self.price_move}: prices must stay positive; use a move above -1 and up to "
                f"{LARGEST_MOVE}"
            )
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

    up: Annotated[Number, Field(ge=0, le=100)] = 0.5
    down: Annotated[Number, Field(ge=0, le=100)] = 0.275
    minimum_volatility: Annotated[Number, Field(ge=0, le=100)] = 0.45
    floor_days: Annotated[Number, Field(gt=0, le=3650)] = 1.0
    short_power: Annotated[Number, Field(ge=0, le=2)] = 0.3
    long_power: Annotated[Number, Field(ge=0, le=2)] = 0.13

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
