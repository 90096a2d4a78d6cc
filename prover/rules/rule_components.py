"""Components of a margin rule: each turns the listed universe into rows of a linear program.

A row reads  Σ_i (long_i · v[4i] + short_i · v[4i+1]) + constant − headroom = 0  over the legs of all slots, with
headroom ≥ 0 when it is an inequality and without headroom when it is an equality. Coefficients are per lot, in the
block's unit, before rounding (:mod:`prover.rules.quantise` rounds them down).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from verifier.rule_kind import RuleKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from prover.rules.rule_constants import MarginRates, RuleConstants
    from prover.rules.universe import Universe

COUNT: Final = Decimal(1)
"""Unit of rows that count lots instead of money."""


class RowKind(StrEnum):
    """What a row says."""

    SCENARIO = "scenario"
    LIMIT = "limit"
    MASK = "mask"

    @property
    def is_equality(self) -> bool:
        """True for rows that have no headroom."""
        return self is RowKind.MASK


@dataclass(frozen=True, slots=True, eq=False)
class RowBlock:
    """Rows of one component.

    Attributes:
        kind: of all its rows.
        names: one a row, for people.
        unit: what one unit of an entry stands for: the tick, or :data:`COUNT`.
        long: coefficients of the long legs, [row, flat slot].
        short: coefficients of the short legs, [row, flat slot].
        constant: coefficient of the constant one, [row].
    """

    kind: RowKind
    names: tuple[str, ...]
    unit: Decimal
    long: NDArray[np.float64]
    short: NDArray[np.float64]
    constant: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RuleContext:
    """What components build their rows from: the listed market, the constants, and the kind of margin."""

    universe: Universe
    constants: RuleConstants
    kind: RuleKind

    @property
    def rates(self) -> MarginRates:
        """The rates of this kind of margin."""
        return self.constants.rates(self.kind)


class Component(Protocol):
    """Part of a rule that contributes rows."""

    def rows(self, context: RuleContext) -> RowBlock:
        """The component's rows for one kind of margin."""


@dataclass(frozen=True, slots=True)
class ScenarioMargin:
    """Equity after every scenario must cover the charges.

    With f the loss factor, w_s a scenario's weight, G_i(s) the profit of one unit of slot i, and size_i its lot:

        long_i  =  size_i · (sell_i + f·w_s·G_i(s) − perpetual charge_i)                       − reserve
        short_i = −size_i · (buy_i + f·w_s·G_i(s) + perpetual charge_i + short option charge_i) − reserve

    sell ≤ mark ≤ buy are the prices against the trader. Cash is ±1 a unit. long_i + short_i ≤ 0, since sell ≤ buy.

    Initial ⇒ maintenance: with k = f_MM/f_IM, row s of maintenance ≥ k · (row s) + (1 − k) · (the unshocked row) of
    initial, whose profit is zero. Rounding could break that by less than a tick a lot, so initial margin holds a
    reserve of one tick a lot on every leg but cash; maintenance holds none.
    """

    def rows(self, context: RuleContext) -> RowBlock:
        """One row a scenario."""
        universe, constants, rates = context.universe, context.constants, context.rates
        weights = np.array([scenario.weight for scenario in constants.grid.scenarios])[:, None]
        profit = float(rates.loss_factor) * weights * universe.scenario_profit(constants.grid)
        perpetual_charge = float(rates.perpetual_charge) * universe.index_price * universe.perpetual
        option_charge = float(rates.short_option_charge) * universe.index_price * universe.option
        at_risk = universe.perpetual | universe.option
        reserve = float(constants.tick) * at_risk if context.kind is RuleKind.INITIAL else 0.0
        long = universe.lot_size * (universe.sell_price + profit - perpetual_charge) - reserve
        short = -universe.lot_size * (universe.buy_price + profit + perpetual_charge + option_charge) - reserve
        return RowBlock(
            kind=RowKind.SCENARIO,
            names=tuple(scenario.name for scenario in constants.grid.scenarios),
            unit=constants.tick,
            long=long,
            short=short,
            constant=np.zeros(len(long)),
        )


@dataclass(frozen=True, slots=True)
class NetDeltaLimit:
    """|net delta| at the index price S ≤ limit:  limit ∓ Σ_i size_i · delta_i · S · (v[4i] − v[4i+1]) ≥ 0.

    Two rows, one a side. Legs of a slot add up to zero before rounding and to at most zero after it.
    """

    def rows(self, context: RuleContext) -> RowBlock:
        """The upper and the lower limit."""
        universe, limit = context.universe, context.rates.net_delta_limit
        exposure = universe.lot_size * universe.delta * universe.index_price
        return RowBlock(
            kind=RowKind.LIMIT,
            names=(f"net delta at most +{limit:,}", f"net delta at least −{limit:,}"),
            unit=context.constants.tick,
            long=np.stack([-exposure, exposure]),
            short=np.stack([exposure, -exposure]),
            constant=np.full(2, float(limit)),
        )


@dataclass(frozen=True, slots=True)
class UnlistedSlotsMask:
    """Σ over slots that are not live of (v[4i] + v[4i+1]) = 0: columns are not negative, so each of them is zero."""

    def rows(self, context: RuleContext) -> RowBlock:
        """One equality."""
        dead = np.where(context.universe.live, 0.0, 1.0)[None, :]
        names = ("unlisted slots are empty",)
        return RowBlock(kind=RowKind.MASK, names=names, unit=COUNT, long=dead, short=dead, constant=np.zeros(1))


PORTFOLIO_COMPONENTS: Final[tuple[Component, ...]] = (ScenarioMargin(), NetDeltaLimit(), UnlistedSlotsMask())
"""The rule of this release: scenarios, net delta, mask."""
