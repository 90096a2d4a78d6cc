"""The witness: columns from positions, auxiliaries and headrooms (specification, section 1).

Positions and blinds are secrets: their holders have redacted representations, and errors name rows, never holdings.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from prover.errors import ColumnRangeError, InsufficientMarginError, MaskedSlotError, RowShortfall
from verifier.errors import MalformedInputError
from verifier.rules.rule_audit import CONSTANT_COLUMN, LARGE_HEADROOM_ENTRY, Headroom, headroom_columns

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from verifier.rules.margin_rule import RuleMatrix


@dataclass(frozen=True, slots=True)
class BookOpening:
    """What opens one portfolio commitment.

    Attributes:
        positions: N signed lots.
        blind: ρ.
    """

    positions: tuple[int, ...] = field(repr=False)
    blind: int = field(repr=False)


@dataclass(frozen=True, slots=True)
class Witness:
    """The private side of a proof.

    Attributes:
        openings: per book.
        columns: v_b, R integers in [0, 2^(dk)) per book.
    """

    openings: tuple[BookOpening, ...] = field(repr=False)
    columns: tuple[tuple[int, ...], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RowLabels:
    """How rows are called when they fail.

    Attributes:
        names: one per row.
        units: what a unit of each row's headroom is worth, quote currency.
        currency: of the quote.
    """

    names: tuple[str, ...]
    units: tuple[float, ...]
    currency: str


def leg_columns(matrix: RuleMatrix, openings: Sequence[BookOpening]) -> list[list[int]]:
    """Columns with legs and the constant one filled in, everything else zero.

    Raises:
        MalformedInputError: a wrong number of books or slots.
        ColumnRangeError: a position of 2^(dk) lots or more.
    """
    shape = matrix.shape
    if len(openings) != matrix.books or any(len(opening.positions) != shape.slots for opening in openings):
        raise MalformedInputError(f"the rule needs {matrix.books} books of {shape.slots} positions each")
    columns = [[0] * shape.columns for _ in openings]
    for book, opening in enumerate(openings):
        for slot, lots in enumerate(opening.positions):
            if abs(lots) >= shape.value_bound:
                raise ColumnRangeError(f"position in slot {slot} of book {book}", shape.value_bound)
            columns[book][4 * slot + (lots < 0)] = abs(lots)
    columns[0][CONSTANT_COLUMN] = 1
    return columns


def require_columns_in_range(witness: Witness, bound: int) -> None:
    """Refuse a witness that no proof fits.

    Raises:
        ColumnRangeError: a column outside [0, bound); the value is not shown.
    """
    for book, columns in enumerate(witness.columns):
        for column, value in enumerate(columns):
            if not 0 <= value < bound:
                raise ColumnRangeError(f"column {column} of book {book}", bound)


def row_sums(matrix: RuleMatrix, columns: Sequence[Sequence[int]]) -> list[int]:
    """Σ_b Σ_c M[s][b][c]·v_b[c] for every row, exactly."""
    values = [value for book in columns for value in book]
    held = np.flatnonzero(np.array(values, dtype=object))
    flat = matrix.entries.reshape(matrix.rows, -1)[:, held].astype(object)
    return [int(total) for total in flat @ np.array([values[index] for index in held], dtype=object)]


def build_witness(
    matrix: RuleMatrix,
    openings: Sequence[BookOpening],
    labels: RowLabels,
    auxiliaries: Mapping[tuple[int, int], int] | None = None,
    *,
    closed: Collection[int] = (),
) -> Witness:
    """Fill all columns; every row then adds up to zero.

    Args:
        matrix: the rule.
        openings: positions and blinds per book.
        labels: names of the rows and what their units are worth, for the error.
        auxiliaries: values of free columns that are no headroom, by (book, column).
        closed: books in which no second headroom column is used, because the account has not opened them.

    Raises:
        InsufficientMarginError: rows whose headroom would be negative, each with its shortfall.
        MaskedSlotError: a position in a slot that the rule keeps empty.
        ColumnRangeError: a column that does not fit its range.
    """
    columns = leg_columns(matrix, openings)
    for (book, column), value in (auxiliaries or {}).items():
        if not 0 <= value < matrix.shape.value_bound:
            raise ColumnRangeError(f"auxiliary column {column} of book {book}", matrix.shape.value_bound)
        columns[book][column] = value
    totals = row_sums(matrix, columns)
    headrooms = headroom_columns(matrix)
    _refuse_shortfalls(totals, headrooms, labels)
    for row, (total, headroom) in enumerate(zip(totals, headrooms, strict=True)):
        if headroom is not None:
            usable = replace(headroom, large=None) if headroom.large and headroom.large[0] in closed else headroom
            _fill_headroom(columns, usable, total, bound=matrix.shape.value_bound, name=labels.names[row])
    return Witness(tuple(openings), tuple(tuple(book) for book in columns))


def _refuse_shortfalls(totals: Sequence[int], headrooms: Sequence[Headroom | None], labels: RowLabels) -> None:
    unbalanced = [row for row, total in enumerate(totals) if total and headrooms[row] is None]
    if unbalanced:
        raise MaskedSlotError(f"row {labels.names[unbalanced[0]]!r}")
    failing = tuple(
        RowShortfall(row=row, name=labels.names[row], shortfall=-total * labels.units[row])
        for row, total in enumerate(totals)
        if total < 0
    )
    if failing:
        raise InsufficientMarginError(failing, labels.currency)


def _fill_headroom(columns: list[list[int]], headroom: Headroom, total: int, *, bound: int, name: str) -> None:
    large = 0
    if headroom.large is not None:
        large = total // -LARGE_HEADROOM_ENTRY
        book, column = headroom.large
        columns[book][column] = large
    unit = total + large * LARGE_HEADROOM_ENTRY
    if unit >= bound or large >= bound:
        raise ColumnRangeError(f"headroom of row {name!r}", bound)
    book, column = headroom.unit
    columns[book][column] = unit
