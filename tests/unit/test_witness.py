"""The witness: columns from positions, and what is refused."""

from __future__ import annotations

import random
from typing import Final

import numpy as np
import pytest

from prover.argument.witness import (
    BookOpening,
    RowLabels,
    Witness,
    build_witness,
    leg_columns,
    require_columns_in_range,
    row_sums,
)
from prover.errors import ColumnRangeError, InsufficientMarginError, MaskedSlotError
from tests.support.cases import random_openings, row_labels, scenario_matrix
from tests.support.setups import TINY
from verifier.errors import MalformedInputError
from verifier.rules.margin_rule import RuleMatrix
from verifier.shape import SMALL

LABELS: Final = RowLabels(("spot −18 %", "spot +18 %", "mask"), (0.01,) * 3, "USD")
BOUND: Final = TINY.value_bound


def matrix() -> RuleMatrix:
    """Two scenarios in slots 0 to 2, a mask on slot 3."""
    entries = np.zeros((3, 1, 16), dtype=np.int64)
    entries[0, 0, :10] = 1, -1, -10, -1, -5, 4, 0, 0, 2, -3
    entries[1, 0, :10] = 1, -1, -10, 0, 5, -6, -1, 0, -2, 1
    entries[2, 0, 12:14] = 1
    return RuleMatrix(TINY, entries)


def opening(*positions: int) -> BookOpening:
    return BookOpening(positions, 42)


def test_columns_of_a_portfolio() -> None:
    made = build_witness(matrix(), [opening(100, -3, 7, 0)], LABELS)
    assert made.columns == ((100, 0, 1, 100 - 10 + 12 + 14, 0, 3, 100 - 10 - 18 - 14, 0, 7, 0, 0, 0, 0, 0, 0, 0),)
    assert row_sums(matrix(), made.columns) == [0, 0, 0]


@pytest.mark.parametrize("books", [1, 2, 3])
def test_every_row_adds_up_to_zero(books: int) -> None:
    rule = scenario_matrix(SMALL, books=books, rows=9, generator=random.Random(f"witness {books}"))
    made = build_witness(rule, random_openings(SMALL, books, "witness"), row_labels(9))
    assert row_sums(rule, made.columns) == [0] * 9
    require_columns_in_range(made, SMALL.value_bound)


def test_shortfalls_are_named_with_what_is_missing() -> None:
    with pytest.raises(InsufficientMarginError, match=r"'spot −18 %': 0\.38 USD short; add collateral") as caught:
        build_witness(matrix(), [opening(20, 10, 1, 0)], LABELS)
    assert [(entry.row, entry.shortfall) for entry in caught.value.shortfalls] == [(0, 38 * LABELS.units[0])]
    with pytest.raises(InsufficientMarginError, match=r"'spot \+18 %': 0.21 USD short \(2 rows fail\)"):
        build_witness(matrix(), [opening(0, -2, -1, 0)], LABELS)


def test_a_position_behind_the_mask_is_refused() -> None:
    for lots in (1, -1):
        with pytest.raises(MaskedSlotError, match="row 'mask' must be empty"):
            build_witness(matrix(), [opening(100, 0, 0, lots)], LABELS)


def test_positions_out_of_range_are_refused_without_being_shown() -> None:
    for lots in (BOUND + 321, -BOUND - 321):
        with pytest.raises(ColumnRangeError, match=r"slot 1 of book 0 is outside \[0, 1024\)") as caught:
            leg_columns(matrix(), [opening(0, lots, 0, 0)])
        assert "1345" not in str(caught.value)


def test_headroom_out_of_range_is_refused() -> None:
    with pytest.raises(ColumnRangeError, match="headroom of row 'spot −18 %'"):
        build_witness(matrix(), [opening(1000, -100, 0, 0)], LABELS)


def test_a_second_headroom_column_takes_what_does_not_fit() -> None:
    entries = np.zeros((1, 1, SMALL.columns), dtype=np.int64)
    entries[0, 0, 0:2] = 1 << 20, -(1 << 20)
    entries[0, 0, 3], entries[0, 0, 6] = -1, -(1 << 20)
    rule = RuleMatrix(SMALL, entries)
    positions = (SMALL.value_bound - 1, *[0] * (SMALL.slots - 1))
    made = build_witness(rule, [BookOpening(positions, 0)], row_labels(1))
    assert (made.columns[0][3], made.columns[0][6]) == (0, SMALL.value_bound - 1)
    assert row_sums(rule, made.columns) == [0]


def test_auxiliaries() -> None:
    entries = matrix().entries.copy()
    entries[0, 0, 15] = -2
    rule = RuleMatrix(TINY, entries)
    made = build_witness(rule, [opening(100, 0, 0, 0)], LABELS, {(0, 15): 4})
    assert made.columns[0][15] == 4
    assert made.columns[0][3] == 100 - 10 - 8
    for value in (-1, BOUND):
        with pytest.raises(ColumnRangeError, match="auxiliary column 15 of book 0"):
            build_witness(rule, [opening(100, 0, 0, 0)], LABELS, {(0, 15): value})


@pytest.mark.parametrize("openings", [[], [opening(0, 0, 0, 0)] * 2, [opening(0, 0, 0)]])
def test_wrong_numbers_of_books_and_slots_are_refused(openings: list[BookOpening]) -> None:
    with pytest.raises(MalformedInputError, match="1 books of 4 positions each"):
        build_witness(matrix(), openings, LABELS)


@pytest.mark.parametrize("value", [-1, BOUND, BOUND * 5])
def test_columns_out_of_range_are_refused_without_being_shown(value: int) -> None:
    columns = (0,) * 7 + (value,) + (0,) * 8
    with pytest.raises(ColumnRangeError, match="column 7 of book 1") as caught:
        require_columns_in_range(Witness((), ((0,) * 16, columns)), BOUND)
    assert str(BOUND * 5) not in str(caught.value)


def test_secrets_are_not_shown() -> None:
    held = opening(987654, -123456, 0, 0)
    made = Witness((held,), ((987654, 0, 1),))
    for shown in (repr(held), repr(made), str(made)):
        assert not {"987654", "123456", "42"} & set(shown.replace("(", " ").replace(",", " ").split())
        assert "987654" not in shown
