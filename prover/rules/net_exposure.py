"""Net exposure of holdings: long against short by instrument, expiry and underlying; for their owner's eyes only.

With q the net quantity of an instrument, δ, γ, ν, θ its sensitivities and S the index price of its underlying:

    delta notional = q·δ·S      gamma notional = q·γ·S²/100      gross notional = |q|·S

A gamma notional is the change of the delta notional when S moves by 1 %. Every figure is additive, so those of an
expiry, an underlying or everything are sums over instruments. Of their delta notionals the positive ones are long, the
negative ones short: net = long − short, and hedged = (long + short − |net|)/2 = min(long, short).
Source: risk methods of exchanges that charge net and hedged delta apart, as Paradex does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.components.exposure_measures import ONE_PERCENT, Measure, exposure_a_lot

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from numpy.typing import NDArray

    from prover.rules.portfolio import Portfolio
    from prover.rules.universe import Universe

WITHOUT_UNDERLYING: Final = "cash and stable tokens"
ALL_UNDERLYINGS: Final = "all"


@dataclass(frozen=True, slots=True)
class InstrumentPosition:
    """What is held of one instrument through all holdings, in units; secret.

    Attributes:
        instrument: its name.
        long: sum of the long holdings.
        short: sum of the short holdings, not negative.
    """

    instrument: str
    long: Decimal = field(repr=False)
    short: Decimal = field(repr=False)

    @property
    def net(self) -> Decimal:
        """Long less short."""
        return self.long - self.short


@dataclass(frozen=True, slots=True)
class NetExposure:
    """Exposure of an instrument, an expiry, an underlying or everything; every figure is a secret of the owner.

    Attributes:
        name: of the group.
        underlying: coin; empty where there is none or several.
        index_price: of the underlying, quote currency; zero where there is none or several.
        value: at marks, quote currency.
        long_notional: sum of the positive delta notionals of instruments, quote currency.
        short_notional: sum of the negative ones, without the sign.
        gross_notional: Σ |quantity| · index price of derivatives and coins, quote currency.
        gamma_notional: change of the delta notional for a move of 1 %, quote currency.
        vega: profit for a rise of implied volatility by one point (0.01), quote currency.
        theta: profit of one day's passing, quote currency.
    """

    name: str
    underlying: str
    index_price: float
    value: float = field(repr=False)
    long_notional: float = field(repr=False)
    short_notional: float = field(repr=False)
    gross_notional: float = field(repr=False)
    gamma_notional: float = field(repr=False)
    vega: float = field(repr=False)
    theta: float = field(repr=False)

    @property
    def delta_notional(self) -> float:
        """Net delta at the index price, quote currency."""
        return self.long_notional - self.short_notional

    @property
    def gross_delta_notional(self) -> float:
        """Long and short delta notionals, both counted, quote currency."""
        return self.long_notional + self.short_notional

    @property
    def hedged_notional(self) -> float:
        """(gross − |net|)/2 of the delta notional: what is long against something short, quote currency."""
        return min(self.long_notional, self.short_notional)

    @property
    def delta(self) -> float | None:
        """Net delta in units of the underlying; ``None`` without one."""
        return self.delta_notional / self.index_price if self.index_price else None

    @property
    def gamma(self) -> float | None:
        """Change of the net delta when the underlying moves by one unit of quote currency; ``None`` without one."""
        return self.gamma_notional / (ONE_PERCENT * self.index_price**2) if self.index_price else None


@dataclass(frozen=True, slots=True)
class ExposureTable:
    """Net exposure at every level; each level adds up to the next, options and futures under their expiry.

    Attributes:
        positions: long and short quantity of every instrument held, in the order of ``instruments``.
        instruments: one an instrument held, in the order of slots.
        expiries: one an underlying and expiry in which something is held, the nearest first; what never expires is
            a group of its own.
        underlyings: one an underlying in which something is held, cash and stable tokens last.
        total: everything.
    """

    positions: tuple[InstrumentPosition, ...]
    instruments: tuple[NetExposure, ...]
    expiries: tuple[NetExposure, ...]
    underlyings: tuple[NetExposure, ...]
    total: NetExposure


def measure_net_exposure(universe: Universe, holdings: Sequence[Portfolio]) -> ExposureTable:
    """Net all holdings and measure what is left.

    Args:
        universe: marks and sensitivities.
        holdings: one or more portfolios on its slots, as of several accounts of one owner.
    """
    lots = np.array([portfolio.lots for portfolio in holdings], dtype=np.float64).reshape(len(holdings), -1)
    figures = _Figures(universe, lots.sum(axis=0))
    held = np.asarray(lots.any(axis=0), dtype=np.bool_)
    listed = [slot for slot in universe.slots.listed if held[universe.slots.flat_index(slot)]]
    places = [universe.slots.flat_index(slot) for slot in listed]
    return ExposureTable(
        positions=tuple(
            InstrumentPosition(
                slot.instrument.name,
                slot.lot_size * int(np.maximum(lots[:, place], 0).sum()),
                slot.lot_size * int(np.maximum(-lots[:, place], 0).sum()),
            )
            for slot, place in zip(listed, places, strict=True)
        ),
        instruments=tuple(
            figures.of(slot.instrument.name, int(universe.underlying[place]), np.arange(universe.size) == place)
            for slot, place in zip(listed, places, strict=True)
        ),
        expiries=_by_expiry(universe, figures, held),
        underlyings=_by_underlying(universe, figures, held),
        total=figures.of(ALL_UNDERLYINGS, -1, np.ones(universe.size, dtype=np.bool_)),
    )


class _Figures:
    """Additive figures of every slot."""

    def __init__(self, universe: Universe, lots: NDArray[np.float64]) -> None:
        derivatives = np.abs(exposure_a_lot(universe, Measure.NOTIONAL))
        coins = np.where(universe.underlying >= 0, np.abs(exposure_a_lot(universe, Measure.COLLATERAL)), 0.0)
        self._universe = universe
        self._value = lots * universe.lot_size * universe.mark
        self._delta = lots * exposure_a_lot(universe, Measure.DELTA)
        self._gross = np.abs(lots) * (derivatives + coins)
        self._gamma = lots * exposure_a_lot(universe, Measure.GAMMA)
        self._vega = lots * exposure_a_lot(universe, Measure.VEGA)
        self._theta = lots * universe.lot_size * universe.theta

    def of(self, name: str, underlying: int, mask: NDArray[np.bool_]) -> NetExposure:
        """Sums over a mask of slots; an underlying of −1 stands for none or several."""
        universe, delta = self._universe, self._delta[mask]
        return NetExposure(
            name=name,
            underlying=universe.underlyings[underlying] if underlying >= 0 else "",
            index_price=spot_price(universe, underlying) if underlying >= 0 else 0.0,
            value=float(self._value[mask].sum()),
            long_notional=float(np.maximum(delta, 0).sum()),
            short_notional=float(np.maximum(-delta, 0).sum()),
            gross_notional=float(self._gross[mask].sum()),
            gamma_notional=float(self._gamma[mask].sum()),
            vega=float(self._vega[mask].sum()),
            theta=float(self._theta[mask].sum()),
        )


def spot_price(universe: Universe, underlying: int) -> float:
    """Index price of an underlying; a token's, which is its own mark, only where no derivative follows the coin."""
    own = universe.underlying == underlying
    derivatives = own & (universe.perpetual | universe.future | universe.option)
    return float(universe.index_price[derivatives if derivatives.any() else own][0])


def _by_expiry(universe: Universe, figures: _Figures, held: NDArray[np.bool_]) -> tuple[NetExposure, ...]:
    groups = []
    for underlying, coin in enumerate(universe.underlyings):
        never = (universe.underlying == underlying) & (universe.expiry < 0)
        groups.append((0, f"{coin} without expiry", underlying, never))
    for index, group in enumerate(universe.expiries):
        underlying = universe.underlyings.index(group.underlying)
        groups.append((group.expiry_time, group.name, underlying, universe.expiry == index))
    groups.sort(key=lambda group: (group[2], group[0]))
    return tuple(figures.of(name, underlying, mask) for _, name, underlying, mask in groups if (held & mask).any())


def _by_underlying(universe: Universe, figures: _Figures, held: NDArray[np.bool_]) -> tuple[NetExposure, ...]:
    places = [*range(len(universe.underlyings)), -1]
    masks = [(place, universe.underlying == place) for place in places]
    return tuple(
        figures.of(universe.underlyings[place] if place >= 0 else WITHOUT_UNDERLYING, place, mask)
        for place, mask in masks
        if (held & mask).any()
    )
