"""From a market snapshot to a margin rule: the matrix that is published and proven, and what its rows mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.errors import RuleBuildError
from prover.market.instruments import Cash
from prover.rules.quantise import quantise
from prover.rules.rule_components import PORTFOLIO_COMPONENTS, Component, RowBlock, RowKind, RuleContext
from prover.rules.rule_constants import SMALL_CONSTANTS, STANDARD_CONSTANTS, RuleConstants
from prover.rules.rule_implication import require_implication
from prover.rules.slots import CASH_SLOT, COLUMNS_PER_SLOT, SlotTable, list_slots
from prover.rules.universe import build_universe
from prover.witness import RowLabels
from verifier.margin_rule import RuleMatrix
from verifier.rule_audit import CONSTANT_COLUMN, HEADROOM_ENTRY, LEGS, require_sound
from verifier.rule_kind import RuleKind
from verifier.shape import SMALL, STANDARD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from prover.market.market_data import MarketSnapshot
    from prover.rules.universe import Universe
    from verifier.shape import Shape

CONSTANTS_BY_SHAPE: Final = {STANDARD: STANDARD_CONSTANTS, SMALL: SMALL_CONSTANTS}
MARK_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class RuleRow:
    """What a row of the matrix says.

    Attributes:
        name: for people.
        kind: scenario, limit or mask.
        headroom_column: column of book 0 that holds its headroom; ``None`` for an equality.
    """

    name: str
    kind: RowKind
    headroom_column: int | None


@dataclass(frozen=True, eq=False)
class BuiltRule:
    """A margin rule and its meaning.

    Attributes:
        kind: initial or maintenance margin.
        matrix: ticks per lot (lots for the mask), [row, book, column].
        rows: one a row of the matrix.
        universe: slots, marks and deltas that it was built on.
        constants: rates, units and scenarios that it was built with.
        quote_currency: that ticks are fractions of.
        snapshot_time: of the market, Unix seconds.
        snapshot_digest: of the market, 32 bytes.
    """

    kind: RuleKind
    matrix: RuleMatrix
    rows: tuple[RuleRow, ...]
    universe: Universe
    constants: RuleConstants
    quote_currency: str
    snapshot_time: int
    snapshot_digest: bytes

    @property
    def slots(self) -> SlotTable:
        """What is listed where."""
        return self.universe.slots

    @property
    def row_names(self) -> tuple[str, ...]:
        """Names of all rows, in the order of the matrix."""
        return tuple(row.name for row in self.rows)

    @property
    def labels(self) -> RowLabels:
        """What the prover calls a row that fails."""
        return RowLabels(self.row_names, float(self.constants.tick), self.quote_currency)

    @property
    def marks(self) -> bytes:
        """Marks for publication: a lot's value in ticks, rounded down, 8 bytes big-endian a slot, through all books."""
        ticks = np.floor(self.universe.mark * self.universe.lot_size / float(self.constants.tick))
        return b"".join(int(value).to_bytes(MARK_BYTES, "big") for value in ticks)


def build_rules(
    snapshot: MarketSnapshot,
    *,
    shape: Shape = STANDARD,
    books: int = 1,
    constants: RuleConstants | None = None,
    slots: SlotTable | None = None,
) -> tuple[BuiltRule, BuiltRule]:
    """Initial and maintenance rule of one snapshot, on the same slots.

    Args:
        snapshot: the market.
        shape: of the argument that will prove them.
        books: B, when ``slots`` is not given.
        constants: rates, units and scenarios; by default those of the shape.
        slots: an earlier epoch's list, of which whatever the snapshot does not price is masked; by default the
            snapshot is listed afresh.

    Raises:
        RuleBuildError: no constants for the shape, slots of another shape or currency, no column left for a
            headroom, or initial margin that does not imply maintenance margin (a fault of a component).
        EntryRangeError: a coefficient that does not fit a matrix entry.
        MatrixError: the matrix opens a free box (a fault of a component).
    """
    chosen = constants or CONSTANTS_BY_SHAPE.get(shape)
    if chosen is None:
        raise RuleBuildError(f"no constants belong to a shape of {shape.columns} columns; pass some")
    table = slots or list_slots(snapshot, shape, chosen, books=books)
    _require_fitting(table, snapshot, shape)
    universe = build_universe(snapshot, table, chosen.spread)
    initial, maintenance = (build_rule(snapshot, RuleContext(universe, chosen, kind), shape) for kind in RuleKind)
    require_implication(initial, maintenance)
    return initial, maintenance


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


def build_rule(
    snapshot: MarketSnapshot,
    context: RuleContext,
    shape: Shape,
    components: tuple[Component, ...] = PORTFOLIO_COMPONENTS,
) -> BuiltRule:
    """One rule from its components; :func:`build_rules` prepares the context.

    Raises:
        RuleBuildError: no column left for a headroom.
        EntryRangeError: a coefficient that does not fit a matrix entry.
        MatrixError: the matrix opens a free box (a fault of a component).
    """
    blocks = [component.rows(context) for component in components]
    rows = _describe_rows(blocks, shape)
    entries = np.concatenate([_block_entries(block, context.universe.slots, shape) for block in blocks])
    for index, row in enumerate(rows):
        if row.headroom_column is not None:
            entries[index, 0, row.headroom_column] = HEADROOM_ENTRY
    matrix = RuleMatrix(shape, entries)
    require_sound(matrix)
    return BuiltRule(
        kind=context.kind,
        matrix=matrix,
        rows=rows,
        universe=context.universe,
        constants=context.constants,
        quote_currency=snapshot.quote_currency,
        snapshot_time=snapshot.snapshot_time,
        snapshot_digest=snapshot.digest,
    )


def _block_entries(block: RowBlock, slots: SlotTable, shape: Shape) -> NDArray[np.int64]:
    """Rounded entries [row, book, column] of a block, without headrooms."""
    entries = np.zeros((len(block.names), slots.books, shape.columns), dtype=np.int64)
    by_book = (len(block.names), slots.books, shape.slots)
    entries[:, :, 0::COLUMNS_PER_SLOT] = quantise(block.long, block.unit).reshape(by_book)
    entries[:, :, 1::COLUMNS_PER_SLOT] = quantise(block.short, block.unit).reshape(by_book)
    entries[:, 0, CONSTANT_COLUMN] = quantise(block.constant, block.unit)
    return entries


def _describe_rows(blocks: list[RowBlock], shape: Shape) -> tuple[RuleRow, ...]:
    """Names and kinds; every inequality takes the next free column of book 0 for its headroom."""
    columns = _free_columns(shape)
    described = []
    for block in blocks:
        for name in block.names:
            column = None if block.kind.is_equality else next(columns, None)
            if column is None and not block.kind.is_equality:
                raise RuleBuildError(
                    f"row {name!r} finds no free column for its headroom among {shape.columns}; use fewer rows"
                )
            described.append(RuleRow(name, block.kind, column))
    return tuple(described)


def _free_columns(shape: Shape) -> Iterator[int]:
    """Columns of book 0 that are neither legs nor the constant."""
    return (
        column for column in range(shape.columns) if column % COLUMNS_PER_SLOT >= LEGS and column != CONSTANT_COLUMN
    )
