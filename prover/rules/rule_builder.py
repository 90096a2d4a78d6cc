"""From a market snapshot and a rule file to margin rules: the matrices that are published, and what their rows mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.errors import RuleBuildError
from prover.market.instruments import Cash
from prover.rules.auxiliaries import AuxiliaryGroup, assign_least, solve_auxiliaries
from prover.rules.rule_assembly import assemble, loss_factor
from prover.rules.rule_entries import rule_entries
from prover.rules.rule_file import shipped_rule
from prover.rules.rule_implication import require_implication
from prover.rules.rule_layout import Layout, RuleRow, lay_out
from prover.rules.rule_rows import RowKind, RuleContext
from prover.rules.slots import CASH_SLOT, SlotTable, list_slots
from prover.rules.universe import build_universe
from prover.witness import BookOpening, RowLabels, Witness, build_witness, leg_columns
from verifier.margin_rule import RuleMatrix
from verifier.rule_audit import headroom_columns, require_sound
from verifier.rule_boundedness import require_bounded
from verifier.rule_kind import RuleKind
from verifier.shape import SMALL, STANDARD

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from prover.market.market_data import MarketSnapshot
    from prover.rules.auxiliaries import Column
    from prover.rules.rule_definition import RuleDefinition
    from prover.rules.rule_rows import Auxiliary, Contribution
    from prover.rules.universe import Universe
    from verifier.shape import Shape

DEFAULT_RULES: Final = {STANDARD: "scenarios", SMALL: "scenarios-small"}
"""Shipped rule files that are taken when none is named."""

MARK_BYTES: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class RulePart:
    """One component of the rule file and what it contributed, in clear."""

    component: str
    contribution: Contribution


@dataclass(frozen=True, slots=True)
class MarketOrigin:
    """Where a listed market comes from.

    Attributes:
        quote_currency: of its prices.
        snapshot_time: Unix seconds.
        snapshot_digest: of the snapshot, 32 bytes.
    """

    quote_currency: str
    snapshot_time: int
    snapshot_digest: bytes


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
        return loss_factor(self.definition, [part.contribution for part in self.parts], self.kind)

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


def build_rules(
    snapshot: MarketSnapshot,
    definition: RuleDefinition | None = None,
    *,
    shape: Shape = STANDARD,
    books: int = 1,
    slots: SlotTable | None = None,
) -> tuple[BuiltRule, BuiltRule]:
    """Initial and maintenance rule of one snapshot, on the same slots and in the same columns.

    Args:
        snapshot: the market.
        definition: the rule file; by default the shipped one of the shape.
        shape: of the argument that will prove them.
        books: B, when ``slots`` is not given.
        slots: an earlier epoch's list, of which whatever the snapshot does not price is masked; by default the
            snapshot is listed afresh.

    Raises:
        RuleBuildError: no rule file for the shape, slots of another shape or currency, constants that a component
            refuses, too few columns, or initial margin that does not imply maintenance margin.
        EntryRangeError: a coefficient that does not fit a matrix entry.
        MatrixError: the matrix opens a free box or an unbounded ray (a fault of a component).
    """
    chosen = definition or _default_definition(shape)
    table = slots or list_slots(snapshot, shape, chosen, books=books)
    _require_fitting(table, snapshot, shape)
    context = RuleContext(build_universe(snapshot, table, chosen.spread), chosen)
    origin = MarketOrigin(snapshot.quote_currency, snapshot.snapshot_time, snapshot.digest)
    return compile_rules(context, origin, shape=shape)


def compile_rules(context: RuleContext, origin: MarketOrigin, *, shape: Shape) -> tuple[BuiltRule, BuiltRule]:
    """Initial and maintenance rule of a listed market; errors as :func:`build_rules`."""
    chosen, table = context.definition, context.universe.slots
    parts = tuple(RulePart(part.component, part.contribute(context)) for part in chosen.components)
    sections = assemble(context, [part.contribution for part in parts])
    layout = lay_out(sections, _auxiliaries(parts), shape=shape, books=table.books)
    asked, kept = (loss_factor(chosen, [part.contribution for part in parts], kind) for kind in RuleKind)

    def build(kind: RuleKind) -> BuiltRule:
        entries = rule_entries(
            sections, layout, universe=context.universe, kind=kind, shape=shape, share=Fraction(kept, asked)
        )
        matrix = RuleMatrix(shape, entries)
        _require_own_headrooms(matrix, layout)
        require_sound(matrix)
        require_bounded(matrix, [index for index, row in enumerate(layout.rows) if row.kind is RowKind.LIMIT])
        return BuiltRule(
            kind=kind,
            matrix=matrix,
            layout=layout,
            parts=parts,
            universe=context.universe,
            definition=chosen,
            quote_currency=origin.quote_currency,
            snapshot_time=origin.snapshot_time,
            snapshot_digest=origin.snapshot_digest,
        )

    initial, maintenance = build(RuleKind.INITIAL), build(RuleKind.MAINTENANCE)
    require_implication(initial, maintenance)
    return initial, maintenance


def _require_own_headrooms(matrix: RuleMatrix, layout: Layout) -> None:
    """Whoever reads the matrix alone must find the same headrooms: an auxiliary may not look like one."""
    for row, found in zip(layout.rows, headroom_columns(matrix), strict=True):
        if found != row.headroom:
            raise RuleBuildError(
                f"row {row.name!r}: an auxiliary that no other row uses would be taken for its headroom, so it does "
                "nothing; charge it, or leave out the component with rate zero that it belongs to"
            )


def _default_definition(shape: Shape) -> RuleDefinition:
    if shape not in DEFAULT_RULES:
        raise RuleBuildError(f"no rule file belongs to a shape of {shape.columns} columns; name one")
    return shipped_rule(DEFAULT_RULES[shape])


def _auxiliaries(parts: Sequence[RulePart]) -> list[Auxiliary]:
    return [auxiliary for part in parts for auxiliary in part.contribution.auxiliaries]


def _require_fitting(slots: SlotTable, snapshot: MarketSnapshot, shape: Shape) -> None:
    if slots.slots_per_book != shape.slots:
        raise RuleBuildError(
            f"the list has {slots.slots_per_book} slots a book, the shape {shape.slots}; use its shape"
        )
    cash = Cash(snapshot.quote_currency)
    if not any(slot.instrument == cash and (slot.book, slot.position) == (0, CASH_SLOT) for slot in slots.listed):
        raise RuleBuildError(
            f"slot {CASH_SLOT} of book 0 is not {cash.name}, the market's quote currency; use a snapshot quoted in the "
            "currency of the list"
        )
