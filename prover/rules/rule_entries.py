"""Rows in clear become entries of the matrix: rounded against the trader, with headrooms and reserves."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np

from prover.rules.quantise import quantise
from prover.rules.rule_layout import LARGEST_SCALE, exact_coefficient
from prover.rules.rule_rows import RowKind
from prover.rules.slots import COLUMNS_PER_SLOT
from verifier.rules.rule_audit import CONSTANT_COLUMN, HEADROOM_ENTRY, LARGE_HEADROOM_ENTRY
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from numpy.typing import NDArray

    from prover.rules.rule_assembly import Section
    from prover.rules.rule_layout import Layout, RuleRow
    from prover.rules.rule_rows import Rows
    from prover.rules.universe import Universe
    from verifier.shape import Shape


def rule_entries(
    sections: Sequence[Section], layout: Layout, *, universe: Universe, kind: RuleKind, shape: Shape, share: Fraction
) -> NDArray[np.int64]:
    """Entries [row, book, column] of one kind of margin.

    Money rows of initial margin keep a reserve of 1/share units a lot on every leg but cash, and on every auxiliary
    where the scale leaves coefficients to be rounded, in either kind: rounding then cannot break that initial margin
    implies the reduced rule, of which it is a quarter, and that this implies maintenance margin.

    Args:
        sections: rows in clear.
        layout: where they and the auxiliaries stand.
        universe: slots.
        kind: of margin.
        shape: of the argument.
        share: loss factor of maintenance margin over that of initial margin.

    Raises:
        EntryRangeError: a coefficient that does not fit a matrix entry.
    """
    entries = np.zeros((len(layout.rows), universe.slots.books, shape.columns), dtype=np.int64)
    at_risk = (universe.live & ~universe.cash).astype(np.int64)
    first = 0
    for section in sections:
        rows = section.rows.of(kind)
        places = layout.rows[first : first + len(rows)]
        reserve = ceil(1 / share) if kind is RuleKind.INITIAL and section.kind.is_money else 0
        block = entries[first : first + len(rows)]
        _fill_legs(block, rows, places, reserve * at_risk, exact=section.kind is RowKind.EQUALITY)
        _fill_auxiliaries(block, rows, places, layout, reserve)
        _fill_headrooms(block, places)
        first += len(rows)
    return entries


def _fill_legs(
    block: NDArray[np.int64], rows: Rows, places: Sequence[RuleRow], reserve: NDArray[np.int64], *, exact: bool
) -> None:
    """Round legs down; in an equality, where both must add up to zero, to the nearest unit."""
    scales = np.array([place.scale for place in places], dtype=np.float64)
    by_book = (len(rows), block.shape[1], block.shape[2] // COLUMNS_PER_SLOT)
    long = quantise(rows.long * scales[:, None], rows.unit) - reserve
    short = quantise(rows.short * scales[:, None], rows.unit) - reserve
    if exact:
        long = quantise(rows.long * scales[:, None] + float(rows.unit) / 2, rows.unit)
        short = -long
    block[:, :, 0::COLUMNS_PER_SLOT] = long.reshape(by_book)
    block[:, :, 1::COLUMNS_PER_SLOT] = short.reshape(by_book)
    block[:, 0, CONSTANT_COLUMN] = quantise(rows.constant * scales, rows.unit)


def _fill_auxiliaries(
    block: NDArray[np.int64], rows: Rows, places: Sequence[RuleRow], layout: Layout, reserve: int
) -> None:
    for index, (coefficients, place) in enumerate(zip(rows.auxiliaries, places, strict=True)):
        for auxiliary, coefficient in coefficients.items():
            exact = place.scale * exact_coefficient(coefficient, auxiliary, rows.unit)
            book, column = layout.auxiliaries[auxiliary]
            block[index, book, column] = floor(exact) - (reserve if place.scale == LARGEST_SCALE else 0)


def _fill_headrooms(block: NDArray[np.int64], places: Sequence[RuleRow]) -> None:
    for index, place in enumerate(places):
        if place.headroom is None:
            continue
        book, column = place.headroom.unit
        block[index, book, column] = HEADROOM_ENTRY
        if place.headroom.large is not None:
            book, column = place.headroom.large
            block[index, book, column] = LARGE_HEADROOM_ENTRY
