"""No free box: every clause of the specification, section 1, broken on purpose."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.cases import scenario_matrix
from tests.support.setups import TINY
from verifier.errors import MatrixError
from verifier.rules.margin_rule import RuleMatrix
from verifier.rules.rule_audit import LARGE_HEADROOM_ENTRY, Headroom, audit_matrix, headroom_columns, require_sound
from verifier.shape import SMALL

if TYPE_CHECKING:
    from numpy.typing import NDArray


def inequality() -> NDArray[np.int64]:
    """Two rows, each with a headroom column of its own; book 1 stays empty."""
    entries = np.zeros((2, 2, 16), dtype=np.int64)
    entries[:, 0, 0:2] = 1, -1
    entries[:, 0, 4:6] = 5, -6
    entries[0, 0, 3] = entries[1, 0, 6] = -1
    entries[:, 0, 2] = -2
    return entries


def findings_of(entries: NDArray[np.int64]) -> list[int]:
    """Rows with a finding."""
    return [finding.row for finding in audit_matrix(RuleMatrix(TINY, entries))]


def test_a_sound_rule_has_no_findings() -> None:
    assert findings_of(inequality()) == []
    require_sound(scenario_matrix(SMALL, books=2, rows=20, generator=random.Random("sound")))


def test_inequality_whose_legs_create_value() -> None:
    entries = inequality()
    entries[1, 0, 4] = 7
    assert findings_of(entries) == [1]
    with pytest.raises(MatrixError, match="row 1: slot 1 of book 0: holding both legs creates value"):
        require_sound(RuleMatrix(TINY, entries))


def test_inequality_whose_legs_create_value_in_another_book() -> None:
    entries = inequality()
    entries[0, 1, 8:10] = 1, 1
    assert findings_of(entries) == [0]


def test_a_leg_is_no_headroom() -> None:
    """A long leg with entry −1 looks like headroom: the row would be an equality, and its legs do not add up to 0."""
    entries = inequality()
    entries[0, 0, 3] = 0
    entries[0, 0, 8] = -1
    assert headroom_columns(RuleMatrix(TINY, entries))[0] is None
    assert findings_of(entries) == [0]


def test_a_short_leg_is_no_headroom() -> None:
    entries = inequality()
    entries[0, 0, 3] = 0
    entries[0, 1, 9] = -1
    assert headroom_columns(RuleMatrix(TINY, entries))[0] is None
    assert findings_of(entries) == [0]


def test_the_constant_is_no_headroom() -> None:
    entries = inequality()
    entries[:, 0, 2] = 0
    entries[0, 0, 2] = -1
    entries[0, 0, 3] = 0
    assert headroom_columns(RuleMatrix(TINY, entries))[0] is None
    assert findings_of(entries) == [0]


def test_the_constants_place_in_another_book_is_free() -> None:
    entries = inequality()
    entries[0, 0, 3] = 0
    entries[0, 1, 2] = -1
    assert headroom_columns(RuleMatrix(TINY, entries))[0] == Headroom((1, 2), None)
    assert findings_of(entries) == []


def test_a_shared_headroom_belongs_to_nobody() -> None:
    entries = inequality()
    entries[1, 0, 3] = 4
    assert headroom_columns(RuleMatrix(TINY, entries))[0] is None
    assert findings_of(entries) == [0]


@pytest.mark.parametrize("entry", [-2, 1, LARGE_HEADROOM_ENTRY])
def test_headroom_has_entry_minus_one(entry: int) -> None:
    """A large headroom alone makes no inequality either."""
    entries = inequality()
    entries[0, 0, 3] = entry
    assert headroom_columns(RuleMatrix(TINY, entries))[0] is None
    assert findings_of(entries) == [0]


def test_a_second_headroom_of_two_to_the_20() -> None:
    entries = inequality()
    entries[0, 0, 7] = LARGE_HEADROOM_ENTRY
    assert headroom_columns(RuleMatrix(TINY, entries))[0] == Headroom((0, 3), (0, 7))
    assert findings_of(entries) == []


def test_a_shared_second_headroom_is_none() -> None:
    entries = inequality()
    entries[0, 0, 7] = entries[1, 0, 7] = LARGE_HEADROOM_ENTRY
    assert headroom_columns(RuleMatrix(TINY, entries)) == (Headroom((0, 3), None), Headroom((0, 6), None))


@pytest.mark.parametrize(("book", "column"), [(0, 7), (1, 2), (1, 15)])
def test_an_auxiliary_that_looks_like_a_headroom(book: int, column: int) -> None:
    """Used by one row only, with entry −1: which of the two is the headroom nobody can tell."""
    entries = inequality()
    entries[0, book, column] = -1
    assert findings_of(entries) == [0]
    with pytest.raises(MatrixError, match="row 0: 2 columns of its own have entry -1: which is its headroom is ambig"):
        require_sound(RuleMatrix(TINY, entries))


def test_two_large_headrooms() -> None:
    entries = inequality()
    entries[0, 0, 7] = entries[0, 1, 7] = LARGE_HEADROOM_ENTRY
    assert findings_of(entries) == [0]


def test_an_equality_is_no_inequality_by_a_large_headroom_alone() -> None:
    """Its legs must add up to zero, and a free column of weight −2^20 stays one that the audit for rays looks at."""
    entries = equality()
    entries[2, 0, 7] = LARGE_HEADROOM_ENTRY
    assert headroom_columns(RuleMatrix(TINY, entries))[2] is None
    assert findings_of(entries) == []
    entries[2, 0, 4:6] = 3, -4
    assert findings_of(entries) == [2]


def test_a_row_that_nobody_can_meet() -> None:
    """A mask with a constant: every proof under such a rule is impossible."""
    entries = equality()
    entries[3, 0, 2] = 1
    with pytest.raises(MatrixError, match="row 3: a positive constant and nothing negative: it can never be zero"):
        require_sound(RuleMatrix(TINY, entries))


def equality() -> NDArray[np.int64]:
    """Inequalities, an equality whose legs add up to 0, and a mask."""
    entries = np.zeros((4, 2, 16), dtype=np.int64)
    entries[:2] = inequality()
    entries[2, 0, 4:6] = 3, -3
    entries[2, 1, 4:6] = -3, 3
    entries[3, :, 12:14] = 1
    return entries


def test_equalities_and_masks_are_sound() -> None:
    assert headroom_columns(RuleMatrix(TINY, equality()))[2:] == (None, None)
    assert findings_of(equality()) == []


@pytest.mark.parametrize("legs", [(3, -2), (3, -4), (-1, -1)])
def test_equality_whose_legs_do_not_add_up(legs: tuple[int, int]) -> None:
    entries = equality()
    entries[2, 0, 4:6] = legs
    assert findings_of(entries) == [2]


@pytest.mark.parametrize(("book", "column"), [(0, 2), (0, 7), (1, 2), (1, 15), (0, 8), (1, 9)])
def test_mask_with_anything_negative(book: int, column: int) -> None:
    """The constant, an auxiliary, a leg, in any book: the mask would be paid for."""
    entries = equality()
    entries[3, book, column] = -1
    if column in (7, 15):
        entries[2, book, column] = 1  # shared, or it would be a headroom
    assert 3 in findings_of(entries)


def test_mask_with_more_that_is_positive() -> None:
    entries = equality()
    entries[3, 1, 8:10] = 2, 7
    assert findings_of(entries) == []


def test_legs_of_nearly_two_to_the_62_do_not_overflow() -> None:
    entries = inequality()
    top = (1 << 62) - 1
    entries[0, 0, 8:10] = top, top
    assert findings_of(entries) == [0]
    entries[0, 0, 8:10] = -top, -top
    assert findings_of(entries) == []


def test_many_findings_are_counted() -> None:
    entries = inequality()
    entries[:, 1, 0:16:4] = 1
    with pytest.raises(MatrixError, match=r"8 breaches .* give every inequality a headroom column"):
        require_sound(RuleMatrix(TINY, entries))
