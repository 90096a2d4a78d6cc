"""Linear systems over F_r."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.scalar_field import MODULUS, inverse

if TYPE_CHECKING:
    from collections.abc import Sequence


def solve(matrix: Sequence[Sequence[int]], values: Sequence[int]) -> list[int] | None:
    """The one solution of ``matrix · x = values``; ``None`` when there is none.

    Raises:
        ValueError: there are several.
    """
    rows = [[*(entry % MODULUS for entry in row), value % MODULUS] for row, value in zip(matrix, values, strict=True)]
    unknowns = len(matrix[0])
    for column in range(unknowns):
        pivot = next((index for index in range(column, len(rows)) if rows[index][column]), None)
        if pivot is None:
            raise ValueError(f"unknown {column} is free: there are several solutions")
        rows[column], rows[pivot] = rows[pivot], rows[column]
        _eliminate(rows, column)
    if any(row[unknowns] for row in rows[unknowns:]):
        return None
    return [row[unknowns] for row in rows[:unknowns]]


def _eliminate(rows: list[list[int]], column: int) -> None:
    """Make ``rows[column]`` the only one with an entry in ``column``, and that entry one."""
    scale = inverse(rows[column][column])
    rows[column] = [entry * scale % MODULUS for entry in rows[column]]
    for index, row in enumerate(rows):
        factor = row[column]
        if index != column and factor:
            pairs = zip(row, rows[column], strict=True)
            rows[index] = [(entry - factor * lead) % MODULUS for entry, lead in pairs]
