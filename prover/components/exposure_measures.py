"""What thresholds and charges look at: the exposure of a lot in every slot, and slots that are taken together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.rules.rule_rows import make_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from prover.rules.auxiliaries import Auxiliary
    from prover.rules.rule_rows import Rows
    from prover.rules.universe import Universe

ONE_PERCENT: Final = 0.01


class Measure(StrEnum):
    """An exposure in quote currency; S is the index price, q a quantity in units.

    ``delta``: q·δ·S of what follows an underlying. ``gamma``: q·γ·S²/100, the change of the delta for a move of 1 %.
    ``vega``: profit for a rise of implied volatility by one point. ``notional``: q·S of futures, perpetuals and
    options. ``collateral``: q·mark of collateral tokens and coins.
    """

    DELTA = "delta"
    GAMMA = "gamma"
    VEGA = "vega"
    NOTIONAL = "notional"
    COLLATERAL = "collateral"


class Grouping(StrEnum):
    """Which slots are taken together; by underlying or expiry, stable coins, which follow none, are left out."""

    UNDERLYING = "underlying"
    EXPIRY = "expiry"
    INSTRUMENT = "instrument"
    TOTAL = "total"


@dataclass(frozen=True, slots=True, eq=False)
class ExposureGroup:
    """Slots whose exposures are added up.

    Attributes:
        name: for people, as in ``BTC`` or ``BTC-27DEC24``.
        slots: flat mask.
        exposure: of one lot held long, quote currency; zero outside the group.
    """

    name: str
    slots: NDArray[np.bool_]
    exposure: NDArray[np.float64]


def exposure_a_lot(universe: Universe, measure: Measure) -> NDArray[np.float64]:
    """Exposure of one lot held long, quote currency, by flat slot."""
    index = np.where(universe.underlying >= 0, universe.index_price, 0.0)
    derivative = universe.perpetual | universe.future | universe.option
    unit = {
        Measure.DELTA: universe.delta * index,
        Measure.GAMMA: universe.gamma * index**2 * ONE_PERCENT,
        Measure.VEGA: universe.vega,
        Measure.NOTIONAL: np.where(derivative, index, 0.0),
        Measure.COLLATERAL: np.where(universe.token, universe.mark, 0.0),
    }[measure]
    return np.asarray(universe.lot_size * unit, dtype=np.float64)


def exposure_groups(universe: Universe, measure: Measure, grouping: Grouping) -> tuple[ExposureGroup, ...]:
    """Groups in which anything has an exposure; perpetuals and coins of an underlying are an expiry of their own."""
    exposure = exposure_a_lot(universe, measure)
    masks = ((name, slots & (exposure != 0)) for name, slots in _masks(universe, grouping))
    return tuple(ExposureGroup(name, slots, np.where(slots, exposure, 0.0)) for name, slots in masks if slots.any())


def excess_of_net(auxiliary: Auxiliary, group: ExposureGroup, above: float = 0.0) -> Rows:
    """Two rows by which an auxiliary a is at least |net exposure| − above.

    a + above ∓ Σ_i e_i · (v[4i] − v[4i+1]) ≥ 0, e_i the exposure of a lot.
    """
    one = {auxiliary: Fraction(1)}
    return make_rows(
        (f"{auxiliary.name}, long", f"{auxiliary.name}, short"),
        unit=auxiliary.unit,
        long=np.stack([-group.exposure, group.exposure]),
        constant=above,
        auxiliaries=(one, one),
    )


def _masks(universe: Universe, grouping: Grouping) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    if grouping is Grouping.TOTAL:
        yield "total", universe.live
    elif grouping is Grouping.INSTRUMENT:
        for slot in universe.slots.listed:
            yield slot.instrument.name, np.arange(universe.size) == universe.slots.flat_index(slot)
    elif grouping is Grouping.UNDERLYING:
        for place, name in enumerate(universe.underlyings):
            yield name, universe.underlying == place
    else:
        for place, name in enumerate(universe.underlyings):
            yield f"{name} without expiry", (universe.underlying == place) & (universe.expiry < 0)
        for place, group in enumerate(universe.expiries):
            yield group.name, universe.expiry == place
