"""Where everything of a rule stands: columns of auxiliaries and headrooms, and the scale of every row.

A row is scaled by the least common denominator of its auxiliaries' coefficients, so that these are exact. Rows of
money, and those whose coefficients differ between the kinds of margin, count in quarters of that, so that they are
exact in the reduced rule too and little is lost by making its entries whole. Rows whose scale or constant is large get
a second headroom column of weight −2^20; so do, while columns are left, those that an account at its limit of deposits
could fill beyond the range of one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import lcm
from typing import TYPE_CHECKING, Final

from prover.errors import EntryRangeError, RuleBuildError
from prover.rules.slots import CASH_SLOT, COLUMNS_PER_SLOT
from verifier.rules.reduced_rule import PARTS
from verifier.rules.rule_audit import CONSTANT_COLUMN, LARGE_HEADROOM_ENTRY, LEGS, Headroom

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from decimal import Decimal

    from prover.rules.auxiliaries import Auxiliary, Column
    from prover.rules.rule_assembly import Section
    from prover.rules.rule_rows import RowKind, Rows
    from verifier.shape import Shape

LARGEST_SCALE: Final = -LARGE_HEADROOM_ENTRY
"""2^20. Under a larger common denominator, coefficients are rounded against the trader to so many parts of a unit."""

LARGE_HEADROOM_FROM: Final = 16 * PARTS
"""Scale from which on a row has a second headroom column, whatever its constant."""


@dataclass(frozen=True, slots=True)
class RuleRow:
    """What a row of the matrix says.

    Attributes:
        name: for people.
        kind: definition, scenario, limit, …
        scale: by which its entries are multiplied.
        unit: what one unit of its headroom is worth, quote currency, or lots in rows that count.
        headroom: its columns; ``None`` for an equality.
    """

    name: str
    kind: RowKind
    scale: int
    unit: Decimal
    headroom: Headroom | None


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Columns of auxiliaries, and all rows.

    Attributes:
        auxiliaries: (book, column) of each.
        rows: in the order of the matrix.
    """

    auxiliaries: dict[Auxiliary, Column]
    rows: tuple[RuleRow, ...]


def lay_out(sections: Sequence[Section], auxiliaries: Sequence[Auxiliary], *, shape: Shape, books: int) -> Layout:
    """Give every auxiliary and every inequality its columns among the free ones of all books.

    Raises:
        RuleBuildError: there are too few free columns.
        EntryRangeError: a constant that no headroom holds.
    """
    columns = _free_columns(shape, books)
    places = {auxiliary: _next(columns, f"auxiliary {auxiliary.name!r}", shape, books) for auxiliary in auxiliaries}
    rows: list[RuleRow] = []
    tight: list[int] = []
    for section in sections:
        blocks = (section.rows.initial, section.rows.maintenance)
        for index, name in enumerate(section.rows.initial.names):
            coefficients = (blocks[0].auxiliaries[index], blocks[1].auxiliaries[index])
            scale = _scale(coefficients, blocks[0].unit, is_money=section.kind.is_money)
            headroom = None
            if not section.kind.is_equality:
                first = _next(columns, f"row {name!r}", shape, books)
                empty, fullest = _headrooms(blocks, index, scale, shape)
                is_large = scale > LARGE_HEADROOM_FROM or empty >= shape.value_bound
                headroom = Headroom(first, _next(columns, f"row {name!r}", shape, books) if is_large else None)
                tight += [len(rows)] if fullest >= shape.value_bound and not is_large else []
            rows.append(RuleRow(name, section.kind, scale, blocks[0].unit / scale, headroom))
    for place, column in zip(tight, columns, strict=False):
        rows[place] = _widened(rows[place], column)
    return Layout(places, tuple(rows))


def _widened(row: RuleRow, column: Column) -> RuleRow:
    """The row with a second headroom column, if it has one."""
    return row if row.headroom is None else replace(row, headroom=replace(row.headroom, large=column))


def exact_coefficient(coefficient: Fraction, auxiliary: Auxiliary, unit: Decimal) -> Fraction:
    """Units of a row in one unit of an auxiliary."""
    return coefficient * Fraction(auxiliary.unit) / Fraction(unit)


def _scale(
    rows: tuple[Mapping[Auxiliary, Fraction], Mapping[Auxiliary, Fraction]], unit: Decimal, *, is_money: bool
) -> int:
    denominators = [exact_coefficient(value, key, unit).denominator for row in rows for key, value in row.items()]
    parts = PARTS if is_money or rows[0] != rows[1] else 1
    return min(parts * lcm(*denominators), LARGEST_SCALE)


def _headrooms(blocks: Sequence[Rows], index: int, scale: int, shape: Shape) -> tuple[float, float]:
    """Headroom of an empty account, and of one with as much cash as may be deposited: half of a column's range.

    Raises:
        EntryRangeError: even two headroom columns are too small for the constant.
    """
    units = [scale / float(block.unit) for block in blocks]
    empty = max(float(block.constant[index]) * unit for block, unit in zip(blocks, units, strict=True))
    cash = max(float(block.long[index, CASH_SLOT]) * unit for block, unit in zip(blocks, units, strict=True))
    most = shape.value_bound * LARGEST_SCALE
    if empty >= most:
        raise EntryRangeError(
            f"row {blocks[0].names[index]!r} counts up to {blocks[0].unit * most / scale:,f}, which its constant "
            "exceeds; lower it or use larger ticks"
        )
    return empty, empty + cash * shape.value_bound / 2


def _next(columns: Iterator[Column], what: str, shape: Shape, books: int) -> Column:
    column = next(columns, None)
    if column is None:
        raise RuleBuildError(
            f"{what} finds no free column among {books} × {shape.columns}; use fewer rows or more books"
        )
    return column


def _free_columns(shape: Shape, books: int) -> Iterator[Column]:
    """Columns that are neither legs nor the constant, book by book."""
    return (
        (book, column)
        for book, column in product(range(books), range(shape.columns))
        if column % COLUMNS_PER_SLOT >= LEGS and (book, column) != (0, CONSTANT_COLUMN)
    )
