"""Audit of a rule matrix: no free box (specification, section 1). Run by builders before, by auditors after publishing.

A row with a headroom column of its own is an inequality; a row without one is an equality.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from verifier.errors import MatrixError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from verifier.rules.margin_rule import RuleMatrix

HEADROOM_ENTRY: Final = -1
LARGE_HEADROOM_ENTRY: Final = -(1 << 20)
CONSTANT_COLUMN: Final = 2
LEGS: Final = 2


@dataclass(frozen=True, slots=True)
class Headroom:
    """Headroom columns of a row, each as (book, column).

    Attributes:
        unit: the column with entry −1.
        large: the column with entry −2^20, for rows with large entries.
    """

    unit: tuple[int, int]
    large: tuple[int, int] | None

    @property
    def columns(self) -> tuple[tuple[int, int], ...]:
        """All of them."""
        return (self.unit,) if self.large is None else (self.unit, self.large)


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of the rules, at a row (and a slot where it concerns one)."""

    row: int
    message: str


def _own_free_columns(matrix: RuleMatrix) -> NDArray[np.bool_]:
    """Mask [book, column] of free columns that exactly one row uses."""
    own: NDArray[np.bool_] = np.count_nonzero(matrix.entries, axis=0) == 1
    own[:, 0::4] = False
    own[:, 1::4] = False
    own[0, CONSTANT_COLUMN] = False
    return own


def headroom_columns(matrix: RuleMatrix) -> tuple[Headroom | None, ...]:
    """Per row its headroom, or ``None`` for an equality; of several candidates the first (the audit refuses them)."""
    found = _headroom_candidates(matrix)
    return tuple(
        Headroom(found[row, HEADROOM_ENTRY][0], found.get((row, LARGE_HEADROOM_ENTRY), [None])[0])
        if (row, HEADROOM_ENTRY) in found
        else None
        for row in range(matrix.rows)
    )


def _headroom_candidates(matrix: RuleMatrix) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Columns that may be headroom, by row and entry."""
    user = np.argmax(matrix.entries != 0, axis=0)
    entry = np.take_along_axis(matrix.entries, user[None], axis=0)[0]
    candidates = _own_free_columns(matrix) & ((entry == HEADROOM_ENTRY) | (entry == LARGE_HEADROOM_ENTRY))
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for book, column in np.argwhere(candidates).tolist():
        found.setdefault((int(user[book, column]), int(entry[book, column])), []).append((book, column))
    return found


def audit_matrix(matrix: RuleMatrix) -> list[Finding]:
    """Every breach of "no free box", and rows that leave open what they are or that nobody can meet.

    The bound on entries is checked where a matrix is made.

    Returns:
        An empty list for a sound matrix.
    """
    findings = [
        Finding(row, f"{len(places)} columns of its own have entry {entry}: which is its headroom is ambiguous")
        for (row, entry), places in _headroom_candidates(matrix).items()
        if len(places) > 1
    ]
    for index, headroom in enumerate(headroom_columns(matrix)):
        row = matrix.entries[index]
        sums = row[:, 0::4] + row[:, 1::4]
        if headroom is not None:
            findings += [
                Finding(index, f"slot {slot} of book {book}: holding both legs creates value ({int(sums[book, slot])})")
                for book, slot in np.argwhere(sums > 0)
            ]
        elif np.any(sums) and np.any(row < 0):
            book, slot = (int(place) for place in np.argwhere(sums)[0])
            findings.append(
                Finding(
                    index,
                    f"no headroom column, so an equality; its legs at slot {slot} of book {book} add up to "
                    f"{int(sums[book, slot])}, not 0, and the row has negative entries",
                )
            )
        elif np.all(row >= 0) and row[0, CONSTANT_COLUMN]:
            findings.append(Finding(index, "a positive constant and nothing negative: it can never be zero"))
    return findings


def require_sound(matrix: RuleMatrix) -> None:
    """Refuse a matrix with findings.

    Raises:
        MatrixError: naming the first findings and the remedy.
    """
    findings = audit_matrix(matrix)
    if findings:
        shown = "; ".join(f"row {finding.row}: {finding.message}" for finding in findings[:3])
        raise MatrixError(
            f"{len(findings)} breaches of the rule against free boxes: {shown}. Round long legs down and short legs "
            "up, and give every inequality a headroom column that no other row uses"
        )


@dataclass(frozen=True, slots=True)
class EntryDifference:
    """An entry of a published matrix that is not what it should be.

    Attributes:
        row: its row.
        book: its book.
        column: its column in the book.
        found: on the chain.
        expected: by snapshot and rule file.
    """

    row: int
    book: int
    column: int
    found: int
    expected: int


def compare_matrices(found: RuleMatrix, expected: RuleMatrix) -> list[EntryDifference]:
    """Every entry that differs, row by row; missing rows are rows of zeros, as in blobs.

    Raises:
        MatrixError: the matrices have other books or columns.
    """
    if found.entries.shape[1:] != expected.entries.shape[1:]:
        raise MatrixError(
            f"the published matrix has {found.books} books of {found.shape.columns} columns, the rebuilt one "
            f"{expected.books} of {expected.shape.columns}: use the publisher's list of slots and the right shape"
        )
    rows = max(found.rows, expected.rows)
    left, right = (_padded(matrix.entries, rows) for matrix in (found, expected))
    return [
        EntryDifference(row, book, column, int(left[row, book, column]), int(right[row, book, column]))
        for row, book, column in np.argwhere(left != right).tolist()
    ]


def _padded(entries: NDArray[np.int64], rows: int) -> NDArray[np.int64]:
    return np.concatenate([entries, np.zeros((rows - len(entries), *entries.shape[1:]), dtype=np.int64)])
