"""A margin rule and its meaning: the matrix, what its rows say, and how a portfolio fills its columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.argument.witness import BookOpening, RowLabels, Witness, build_witness, leg_columns
from prover.rules.auxiliaries import AuxiliaryGroup, assign_least, solve_auxiliaries
from prover.rules.rule_assembly import loss_factor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal
    from fractions import Fraction

    from prover.rules.auxiliaries import Column
    from prover.rules.rule_definition import RuleDefinition
    from prover.rules.rule_layout import Layout, RuleRow
    from prover.rules.rule_rows import Contribution
    from prover.rules.slots import SlotTable
    from prover.rules.universe import Universe
    from verifier.rules.margin_rule import RuleMatrix
    from verifier.rules.rule_kind import RuleKind

MARK_BYTES: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class RulePart:
    """One component of the rule file and what it contributed, in clear."""

    component: str
    contribution: Contribution


@dataclass(frozen=True, eq=False)
class BuiltRule:
    """A margin rule and its meaning.

    Attributes:
        kind: initial or maintenance margin.
        matrix: units of each row per lot, [row, book, column].
        layout: rows and columns, the same for both kinds.
        parts: what every component contributed.
        universe: slots, marks and sensitivities that it was built on.
        definition: the rule file.
        quote_currency: that ticks are fractions of.
        snapshot_time: of the market, Unix seconds.
        snapshot_digest: of the market, 32 bytes.
    """

    kind: RuleKind
    matrix: RuleMatrix
    layout: Layout = field(repr=False)
    parts: tuple[RulePart, ...] = field(repr=False)
    universe: Universe = field(repr=False)
    definition: RuleDefinition = field(repr=False)
    quote_currency: str
    snapshot_time: int
    snapshot_digest: bytes

    @property
    def rows(self) -> tuple[RuleRow, ...]:
        """One a row of the matrix."""
        return self.layout.rows

    @property
    def slots(self) -> SlotTable:
        """What is listed where."""
        return self.universe.slots

    @property
    def tick(self) -> Decimal:
        """Quote currency in one unit of account."""
        return self.definition.tick

    @cached_property
    def row_names(self) -> tuple[str, ...]:
        """Names of all rows, in the order of the matrix."""
        return tuple(row.name for row in self.rows)

    @cached_property
    def labels(self) -> RowLabels:
        """What the prover calls a row that fails."""
        return RowLabels(self.row_names, tuple(float(row.unit) for row in self.rows), self.quote_currency)

    @property
    def loss_factor(self) -> Fraction:
        """What profits of this kind of margin are multiplied by, increases of components included."""
        return loss_factor(self.definition.loss_factor, [part.contribution for part in self.parts], self.kind)

    @property
    def marks(self) -> bytes:
        """Marks for publication: a lot's value in ticks, rounded down, 8 bytes big-endian a slot, through all books."""
        ticks = np.floor(self.universe.mark * self.universe.lot_size / float(self.tick))
        return b"".join(int(value).to_bytes(MARK_BYTES, "big") for value in ticks)

    def auxiliaries_of(self, legs: Sequence[Sequence[int]]) -> dict[Column, int]:
        """Values of the auxiliaries for legs [book][column] with the constant filled in. Secret.

        Raises:
            AuxiliaryError: a fault of a component.
        """
        groups = [
            AuxiliaryGroup(part.contribution.auxiliaries, part.contribution.solver or assign_least)
            for part in self.parts
        ]
        return solve_auxiliaries(self.matrix, self.layout.auxiliaries, groups, legs)

    def witness(self, openings: Sequence[BookOpening]) -> Witness:
        """All columns of a portfolio under this rule.

        Raises:
            InsufficientMarginError: rows that fail.
            MaskedSlotError: a position in a slot that must be empty.
            ColumnRangeError: a column that does not fit its range.
        """
        auxiliaries = self.auxiliaries_of(leg_columns(self.matrix, openings))
        return build_witness(self.matrix, openings, self.labels, auxiliaries)
