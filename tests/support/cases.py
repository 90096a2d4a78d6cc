"""True statements with their witnesses: what tests prove, mutate and forge.

Rules look like margin rules on any shape: scenario rows with headroom, rows that span books, a mask row.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from prover.argument.argument import build_proof
from prover.argument.witness import BookOpening, RowLabels, Witness, build_witness, row_sums
from prover.rules.prepared_rule import prepare_rule
from tests.support.deterministic import seeded_blinds, seeded_context, seeded_scalars
from verifier.rules.margin_rule import RuleMatrix
from verifier.rules.rule_audit import CONSTANT_COLUMN, headroom_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from prover.argument.argument import MarginProof
    from prover.rules.prepared_rule import PreparedRule
    from verifier.ceremony import TrustedSetup
    from verifier.curve import Group
    from verifier.shape import Shape


@dataclass(frozen=True)
class Case:
    """A rule, a portfolio that satisfies it, and the seed of everything random about the proof.

    Attributes:
        seed: of blinds and context.
        setup: powers of τ.
        rule: prepared.
        witness: satisfies the rule.
    """

    seed: str
    setup: TrustedSetup
    rule: PreparedRule
    witness: Witness

    @property
    def shape(self) -> Shape:
        """Of the argument."""
        return self.rule.matrix.shape

    @property
    def context(self) -> bytes:
        """32 bytes."""
        return seeded_context(self.seed)

    @property
    def blinds(self) -> list[int]:
        """4B + 4."""
        return seeded_blinds(self.seed, self.rule.matrix.books)

    def prove(self, *, blinds: Sequence[int] | None = None, backend: Group | None = None) -> MarginProof:
        """The honest proof; the same bytes every time unless other blinds are given."""
        return build_proof(
            setup=self.setup,
            rule=self.rule,
            witness=self.witness,
            context=self.context,
            blinds=self.blinds if blinds is None else blinds,
            backend=backend,
        )


@dataclass(frozen=True)
class Scale:
    """Sizes that fit the range of a shape's columns.

    Attributes:
        cash: lots in slot 0 of book 0.
        position: largest position elsewhere.
        entry: largest matrix entry.
    """

    cash: int
    position: int
    entry: int


def scale_of(shape: Shape) -> Scale:
    """Headrooms stay inside [0, 2^(dk)) whatever the positions."""
    if shape.value_bound <= 1 << 10:
        return Scale(cash=500, position=9, entry=3)
    return Scale(cash=10**10, position=5_000, entry=50_000)


def row_labels(rows: int) -> RowLabels:
    """Names of the rows in errors."""
    return RowLabels(tuple(f"row {row}" for row in range(rows)), (0.01,) * rows, "USD")


def free_columns(shape: Shape, books: int) -> list[tuple[int, int]]:
    """Columns that may hold headroom, as (book, column): book 0 first, never the constant."""
    columns = [column for slot in range(shape.slots) for column in (4 * slot + 2, 4 * slot + 3)]
    return [(book, column) for book in range(books) for column in columns if (book, column) != (0, CONSTANT_COLUMN)]


def scenario_matrix(shape: Shape, *, books: int, rows: int, generator: random.Random) -> RuleMatrix:
    """Scenario rows, then one mask row over the last slot of every book.

    Entries are rounded against the trader, so that no slot is a free box.
    """
    scale = scale_of(shape)
    entries = np.zeros((rows, books, shape.columns), dtype=np.int64)
    headrooms = free_columns(shape, books)
    for row in range(rows - 1):
        entries[row, 0, 0:2] = 1, -1
        entries[row, 0, CONSTANT_COLUMN] = -generator.randint(0, scale.entry)
        for book in range(books):
            for slot in traded_slots(shape, book):
                value = generator.randint(-scale.entry, scale.entry)
                entries[row, book, 4 * slot : 4 * slot + 2] = value, -value - generator.randint(0, 1)
        entries[row, headrooms[row][0], headrooms[row][1]] = -1
    for book in range(books):
        masked = 4 * (shape.slots - 1)
        entries[rows - 1, book, masked : masked + 2] = 1
    return RuleMatrix(shape, entries)


def traded_slots(shape: Shape, book: int) -> list[int]:
    """At most twelve slots a book, spread out; slot 0 of book 0 is cash, the last slot of every book is masked."""
    step = max(1, shape.slots // 12)
    return list(range(book == 0, shape.slots - 1, step))


def random_positions(shape: Shape, book: int, generator: random.Random) -> tuple[int, ...]:
    """Positions in some of the traded slots, and cash."""
    scale = scale_of(shape)
    positions = [0] * shape.slots
    for slot in traded_slots(shape, book):
        positions[slot] = generator.choice((0, generator.randint(-scale.position, scale.position)))
    if book == 0:
        positions[0] = scale.cash
    return tuple(positions)


def random_openings(shape: Shape, books: int, seed: str) -> list[BookOpening]:
    """Positions and blinds of every book."""
    generator = random.Random(f"positions:{seed}")
    blinds = seeded_scalars(f"portfolio:{seed}", books)
    return [BookOpening(random_positions(shape, book, generator), blinds[book]) for book in range(books)]


def scenario_case(*, shape: Shape, setup: TrustedSetup, books: int = 1, rows: int = 5, seed: str = "0") -> Case:
    """A case of the kind above."""
    matrix = scenario_matrix(shape, books=books, rows=rows, generator=random.Random(f"matrix:{seed}"))
    witness = build_witness(matrix, random_openings(shape, books, seed), row_labels(rows))
    return Case(seed, setup, prepare_rule(matrix, setup), witness)


def with_headrooms(matrix: RuleMatrix, columns: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """The columns with every headroom recomputed; nothing is checked, a headroom may come out negative."""
    filled = [list(book) for book in columns]
    owners = headroom_columns(matrix)
    for headroom in owners:
        if headroom is not None:
            filled[headroom.unit[0]][headroom.unit[1]] = 0
    for total, headroom in zip(row_sums(matrix, filled), owners, strict=True):
        if headroom is not None:
            filled[headroom.unit[0]][headroom.unit[1]] = total
    return tuple(tuple(book) for book in filled)


def rich_case(*, shape: Shape, setup: TrustedSetup, seed: str = "rich") -> Case:
    """Corners of the relation.

    A second book that neither the rule nor the account touches (points at infinity), a mask, an equality with an
    auxiliary, both legs of a slot in use, entries near 2^61, and a column at 2^(dk) − 1.
    """
    books, top = 2, shape.value_bound - 1
    base = scenario_matrix(shape, books=1, rows=3, generator=random.Random(f"matrix:{seed}"))
    entries = np.zeros((5, books, shape.columns), dtype=np.int64)
    entries[:3, :1] = base.entries
    auxiliary = free_columns(shape, 1)[-1][1]
    _equality_rows(entries, auxiliary=auxiliary)
    matrix = RuleMatrix(shape, entries)
    generator = random.Random(f"positions:{seed}")
    positions = list(random_positions(shape, 0, generator))
    positions[1], positions[2] = 3, 3
    columns = [[0] * shape.columns, [0] * shape.columns]
    for slot, lots in enumerate(positions):
        columns[0][4 * slot + (lots < 0)] = abs(lots)
    columns[0][4], columns[0][5] = 3 + 4, 4
    columns[0][CONSTANT_COLUMN] = 1
    columns[0][auxiliary] = 3
    columns[0][free_columns(shape, 1)[-2][1]] = top
    blind = seeded_scalars(f"portfolio:{seed}", 1)[0]
    empty = BookOpening((0,) * shape.slots, 0)
    witness = Witness((BookOpening(tuple(positions), blind), empty), with_headrooms(matrix, columns))
    return Case(seed, setup, prepare_rule(matrix, setup), witness)


def _equality_rows(entries: NDArray[np.int64], *, auxiliary: int) -> None:
    """Row 3: the auxiliary is the net position of slot 1. Row 4: slots 1 and 2 hold the same net position."""
    large = (1 << 61) - 7
    entries[3, 0, 4:6] = 2, -2
    entries[3, 0, auxiliary] = -2  # −1 would make it a headroom
    entries[4, 0, 4:6] = large, -large
    entries[4, 0, 8:10] = -large, large
