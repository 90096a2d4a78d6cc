"""A margin rule and its meaning: the matrix, what its rows say, and how a portfolio fills its columns."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.argument.witness import BookOpening, RowLabels, Witness, build_witness, leg_columns
from prover.errors import ClosedBookError, MaskedSlotError
from prover.rules.auxiliaries import AuxiliaryGroup, assign_least, solve_auxiliaries
from prover.rules.rule_assembly import loss_factor
from prover.rules.rule_reading import ColumnNames
from verifier.errors import MalformedInputError
from verifier.rules.reduced_rule import PARTS, reduced_matrix
from verifier.rules.rule_kind import PUBLISHED_KINDS, RuleKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal
    from fractions import Fraction

    from numpy.typing import NDArray

    from prover.rules.auxiliaries import Column
    from prover.rules.rule_definition import RuleDefinition
    from prover.rules.rule_layout import Layout, RuleRow
    from prover.rules.rule_rows import Contribution
    from prover.rules.slots import SlotTable
    from prover.rules.universe import Universe
    from verifier.rules.margin_rule import RuleMatrix

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
        kind: initial or maintenance margin, or the reduced rule between them.
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
        contributions = [part.contribution for part in self.parts]
        initial, maintenance = (
            loss_factor(self.definition.loss_factor, contributions, kind) for kind in PUBLISHED_KINDS
        )
        mixed = (initial + (PARTS - 1) * maintenance) / PARTS
        return {RuleKind.INITIAL: initial, RuleKind.MAINTENANCE: maintenance, RuleKind.REDUCED: mixed}[self.kind]

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

    def witness(
        self,
        openings: Sequence[BookOpening],
        *,
        books: Sequence[int] | None = None,
        live: NDArray[np.bool_] | None = None,
    ) -> Witness:
        """All columns of a portfolio under this rule.

        Args:
            openings: of the books below, in their order.
            books: that the account has opened, ascending, book 0 first; all books of the rule by default.
            live: slots that may hold positions by the registry of instruments, bool[book, slot]; whatever the rule
                itself gives no price must be empty in any case.

        Raises:
            InsufficientMarginError: rows that fail.
            MaskedSlotError: a position in a slot that must be empty.
            ClosedBookError: the rule needs a column in a book that is not open.
            ColumnRangeError: a column that does not fit its range.
        """
        opened = tuple(range(self.matrix.books) if books is None else books)
        covering = self._over_all_books(openings, opened)
        legs = leg_columns(self.matrix, covering)
        self._require_live(covering, live)
        closed = frozenset(range(self.matrix.books)) - frozenset(opened)
        auxiliaries = self.auxiliaries_of(legs)
        made = build_witness(self.matrix, covering, self.labels, auxiliaries, closed=closed)
        self._require_open(made, closed)
        return Witness(tuple(openings), tuple(made.columns[book] for book in opened))

    def _over_all_books(self, openings: Sequence[BookOpening], opened: Sequence[int]) -> list[BookOpening]:
        """Openings of all books; closed ones are empty."""
        self.matrix.restricted(opened)
        if len(openings) != len(opened):
            raise MalformedInputError(f"{len(openings)} openings for {len(opened)} books: give one a book")
        given = dict(zip(opened, openings, strict=True))
        empty = BookOpening((0,) * self.matrix.shape.slots, 0)
        return [given.get(book, empty) for book in range(self.matrix.books)]

    def _require_live(self, openings: Sequence[BookOpening], live: NDArray[np.bool_] | None) -> None:
        held = np.array([[bool(lots) for lots in opening.positions] for opening in openings])
        alive = self.universe.live.reshape(held.shape) & (True if live is None else live)
        for book, position in np.argwhere(held & ~alive).tolist():
            names = {(slot.book, slot.position): slot.instrument.name for slot in self.slots.listed}
            raise MaskedSlotError(names.get((book, position), f"slot {position} of book {book}"))

    def _require_open(self, witness: Witness, closed: frozenset[int]) -> None:
        for book in sorted(closed):
            used = next((column for column, value in enumerate(witness.columns[book]) if value), None)
            if used is not None:
                raise ClosedBookError(ColumnNames(self).name(book, used), book)


def reduced_rule(initial: BuiltRule, maintenance: BuiltRule) -> BuiltRule:
    """The rule between the two, in the same rows and columns: (3 · maintenance + initial)/4.

    Raises:
        MatrixError: rules that were not built together.
    """
    return replace(maintenance, kind=RuleKind.REDUCED, matrix=reduced_matrix(initial.matrix, maintenance.matrix))
