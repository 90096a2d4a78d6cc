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

    from verifier.margin_rule import RuleMatrix

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
    """Per row its headroom, or ``None`` for an equality."""
    own = _own_free_columns(matrix)
    result: list[Headroom | None] = []
    for row in matrix.entries:
        unit = np.argwhere(own & (row == HEADROOM_ENTRY))
        large = np.argwhere(own & (row == LARGE_HEADROOM_ENTRY))
        if not len(unit):
            result.append(None)
            continue
        second = (int(large[0][0]), int(large[0][1])) if len(large) else None
        result.append(Headroom((int(unit[0][0]), int(unit[0][1])), second))
    return tuple(result)


def audit_matrix(matrix: RuleMatrix) -> list[Finding]:
    """Every breach of "no free box"; the bound on entries is checked where a matrix is made.

    Returns:
        An empty list for a sound matrix.
    """
    findings = []
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
