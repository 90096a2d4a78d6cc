"""Where everything of a rule stands: columns of auxiliaries and headrooms, and the scale of every row.

A row is scaled by the least common denominator of its auxiliaries' coefficients, so that these are exact. Rows whose
scale is large get a second headroom column of weight −2^20, so that large accounts still fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import lcm
from typing import TYPE_CHECKING, Final

from prover.errors import RuleBuildError
from prover.rules.slots import COLUMNS_PER_SLOT
from verifier.rule_audit import CONSTANT_COLUMN, LEGS, Headroom

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from decimal import Decimal

    from prover.rules.auxiliaries import Column
    from prover.rules.rule_assembly import Section
    from prover.rules.rule_rows import Auxiliary, RowKind
    from verifier.shape import Shape

LARGEST_SCALE: Final = 4096
"""Denominators beyond it are rounded against the trader instead."""

LARGE_HEADROOM_FROM: Final = 16
"""Scale from which on a row has a second headroom column."""


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
    """
    columns = _free_columns(shape, books)
    places = {auxiliary: _next(columns, f"auxiliary {auxiliary.name!r}", shape, books) for auxiliary in auxiliaries}
    rows = []
    for section in sections:
        blocks = (section.rows.initial, section.rows.maintenance)
        for index, name in enumerate(section.rows.initial.names):
            scale = _scale([block.auxiliaries[index] for block in blocks], blocks[0].unit)
            unit = blocks[0].unit / scale
            headroom = None
            if not section.kind.is_equality:
                first = _next(columns, f"row {name!r}", shape, books)
                second = _next(columns, f"row {name!r}", shape, books) if scale > LARGE_HEADROOM_FROM else None
                headroom = Headroom(first, second)
            rows.append(RuleRow(name, section.kind, scale, unit, headroom))
    return Layout(places, tuple(rows))


def exact_coefficient(coefficient: Fraction, auxiliary: Auxiliary, unit: Decimal) -> Fraction:
    """Units of a row in one unit of an auxiliary."""
    return coefficient * Fraction(auxiliary.unit) / Fraction(unit)


def _scale(rows: Sequence[Mapping[Auxiliary, Fraction]], unit: Decimal) -> int:
    denominators = [exact_coefficient(value, key, unit).denominator for row in rows for key, value in row.items()]
    scale = 1
    for denominator in sorted(denominators):
        if lcm(scale, denominator) > LARGEST_SCALE:
            break
        scale = lcm(scale, denominator)
    return scale


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
