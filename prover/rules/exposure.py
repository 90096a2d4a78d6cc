"""What a portfolio is worth, what it is exposed to, and how it stands under a rule: for its owner's eyes only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from prover.rules.rule_components import RowKind
from prover.witness import BookOpening, leg_columns, row_sums

if TYPE_CHECKING:
    from decimal import Decimal

    from numpy.typing import NDArray

    from prover.rules.portfolio import Portfolio
    from prover.rules.rule_builder import BuiltRule, RuleRow
    from prover.rules.universe import Universe


@dataclass(frozen=True, slots=True)
class Exposure:
    """A portfolio at marks; every figure is a secret of its owner.

    Attributes:
        equity: cash and positions at their marks, quote currency.
        net_delta: Σ quantity · delta, units of the underlying.
        delta_notional: net delta at the index price, quote currency.
        gross_notional: Σ |quantity| at the index price without cash, quote currency.
    """

    equity: float = field(repr=False)
    net_delta: float = field(repr=False)
    delta_notional: float = field(repr=False)
    gross_notional: float = field(repr=False)


@dataclass(frozen=True, slots=True)
class RowHeadroom:
    """A row and what is left in it, quote currency, exact; negative when the row fails. Secret."""

    row: RuleRow
    headroom: Decimal = field(repr=False)


@dataclass(frozen=True, slots=True)
class MarginAssessment:
    """A portfolio under one rule; every figure is a secret of its owner.

    Attributes:
        exposure: at marks.
        headrooms: one an inequality, in the order of the rule.
        masked_slots_empty: no position in a slot that the rule keeps empty.
    """

    exposure: Exposure
    headrooms: tuple[RowHeadroom, ...] = field(repr=False)
    masked_slots_empty: bool

    @property
    def is_covered(self) -> bool:
        """True when a margin proof exists."""
        return self.masked_slots_empty and all(entry.headroom >= 0 for entry in self.headrooms)

    @property
    def binding(self) -> RowHeadroom:
        """The scenario with the least headroom."""
        scenarios = (entry for entry in self.headrooms if entry.row.kind is RowKind.SCENARIO)
        return min(scenarios, key=lambda entry: entry.headroom)

    @property
    def requirement(self) -> float:
        """Equity at marks less what is left in the worst scenario, quote currency."""
        return self.exposure.equity - float(self.binding.headroom)


def measure_exposure(universe: Universe, portfolio: Portfolio) -> Exposure:
    """Value and sensitivities of a portfolio on the slots of the universe."""
    quantity = universe.lot_size * _flat_lots(portfolio)
    at_risk = universe.perpetual | universe.option
    net_delta = float(quantity @ universe.delta)
    return Exposure(
        equity=float(quantity @ universe.mark),
        net_delta=net_delta,
        delta_notional=net_delta * universe.index_price,
        gross_notional=float(np.abs(quantity[at_risk]).sum()) * universe.index_price,
    )


def assess_margin(rule: BuiltRule, portfolio: Portfolio) -> MarginAssessment:
    """Every row of a rule, in exact integers, as the proof will see it.

    Raises:
        MalformedInputError: the portfolio is on other books or slots than the rule.
        ColumnRangeError: a position beyond the shape's range.
    """
    openings = [BookOpening(book, 0) for book in portfolio.lots]
    totals = row_sums(rule.matrix, leg_columns(rule.matrix, openings))
    rows = tuple(zip(rule.rows, totals, strict=True))
    headrooms = tuple(
        RowHeadroom(row, total * rule.constants.tick) for row, total in rows if row.headroom_column is not None
    )
    masked_slots_empty = all(total == 0 for row, total in rows if row.headroom_column is None)
    return MarginAssessment(measure_exposure(rule.universe, portfolio), headrooms, masked_slots_empty)


def _flat_lots(portfolio: Portfolio) -> NDArray[np.float64]:
    return np.array(portfolio.lots, dtype=np.float64).reshape(-1)
