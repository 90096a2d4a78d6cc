"""What a portfolio is worth, what it is exposed to, and how it stands under a rule: for its owner's eyes only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.argument.witness import BookOpening, leg_columns, row_sums
from prover.rules.rule_rows import RowKind

if TYPE_CHECKING:
    from decimal import Decimal

    from numpy.typing import NDArray

    from prover.rules.built_rule import BuiltRule
    from prover.rules.portfolio import Portfolio
    from prover.rules.rule_layout import RuleRow
    from prover.rules.universe import Universe

HELD_IN_A_MASKED_SLOT: Final = "positions in slots that are not listed"
"""How a mask that does not hold is called."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """A portfolio at marks; every figure is a secret of its owner.

    Attributes:
        equity: cash and positions at their marks, quote currency.
        delta_notional: Σ quantity · delta · index price over all underlyings, quote currency.
        gross_notional: Σ |quantity| · index price of everything that has an underlying, quote currency.
    """

    equity: float = field(repr=False)
    delta_notional: float = field(repr=False)
    gross_notional: float = field(repr=False)


@dataclass(frozen=True, slots=True)
class RowHeadroom:
    """A row and what is left in it, exact, in quote currency (lots in rows that count); negative when it fails."""

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
        """The scenario or floor with the least headroom."""
        scenarios = (entry for entry in self.headrooms if entry.row.kind.is_money)
        return min(scenarios, key=lambda entry: entry.headroom)

    @property
    def failures(self) -> tuple[str, ...]:
        """Names of what stands in the way of a proof: the binding row and limits, where they fail, and the mask."""
        limits = (entry for entry in self.headrooms if entry.row.kind is RowKind.LIMIT)
        failing = [entry.row.name for entry in (self.binding, *limits) if entry.headroom < 0]
        return tuple(failing if self.masked_slots_empty else [*failing, HELD_IN_A_MASKED_SLOT])

    @property
    def requirement(self) -> float:
        """Equity at marks less what is left in the binding row, quote currency."""
        return self.exposure.equity - float(self.binding.headroom)


def measure_exposure(universe: Universe, portfolio: Portfolio) -> Exposure:
    """Value and sensitivities of a portfolio on the slots of the universe."""
    quantity = universe.lot_size * _flat_lots(portfolio)
    following = universe.underlying >= 0
    return Exposure(
        equity=float(quantity @ universe.mark),
        delta_notional=float(quantity @ (universe.delta * universe.index_price)),
        gross_notional=float(np.abs(quantity) @ (following * universe.index_price)),
    )


def assess_margin(rule: BuiltRule, portfolio: Portfolio) -> MarginAssessment:
    """Every row of a rule, in exact integers, as the proof will see it.

    Raises:
        MalformedInputError: the portfolio is on other books or slots than the rule.
        ColumnRangeError: a position beyond the shape's range.
    """
    columns = leg_columns(rule.matrix, [BookOpening(book, 0) for book in portfolio.lots])
    for (book, column), value in rule.auxiliaries_of(columns).items():
        columns[book][column] = value
    rows = tuple(zip(rule.rows, row_sums(rule.matrix, columns), strict=True))
    headrooms = tuple(RowHeadroom(row, total * row.unit) for row, total in rows if row.headroom is not None)
    masked_slots_empty = all(total == 0 for row, total in rows if row.kind is RowKind.MASK)
    return MarginAssessment(measure_exposure(rule.universe, portfolio), headrooms, masked_slots_empty)


def _flat_lots(portfolio: Portfolio) -> NDArray[np.float64]:
    return np.array(portfolio.lots, dtype=np.float64).reshape(-1)
