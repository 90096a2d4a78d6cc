"""Auxiliary variables of a portfolio: whole numbers with which every definition row of the rule holds.

Everything here is exact integers on the matrix that is proven, so rounding can't come between a solution and its rows.
Values are secrets of the portfolio's owner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from prover.errors import AuxiliaryError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from verifier.rules.margin_rule import RuleMatrix

Column = tuple[int, int]
"""(book, column) of a matrix."""


@dataclass(frozen=True, slots=True)
class Auxiliary:
    """A variable of the rule that is neither a leg nor a headroom; a whole number of units, never negative.

    Attributes:
        name: unique in a rule.
        unit: quote currency in one unit, or one in those that count lots.
    """

    name: str
    unit: Decimal


class AuxiliarySolver(Protocol):
    """How a component finds the values of its auxiliaries."""

    def __call__(self, system: DefinitionSystem, auxiliaries: tuple[Auxiliary, ...]) -> None:
        """Assign a whole number to each auxiliary, so that every definition row holds."""


@dataclass(frozen=True, slots=True)
class AuxiliaryGroup:
    """Auxiliaries of one component and how to find them.

    Attributes:
        auxiliaries: in the order in which they are solved.
        solver: of all of them.
    """

    auxiliaries: tuple[Auxiliary, ...]
    solver: AuxiliarySolver


class DefinitionSystem:
    """The definition rows of a rule for one portfolio, while auxiliaries are being found.

    Args:
        matrix: the rule.
        columns: of every auxiliary.
        rows: indices of the inequalities among the definition rows.
        totals: Σ M·v of those rows over legs and constant, exact, in the order of ``rows``.
    """

    def __init__(
        self, matrix: RuleMatrix, columns: dict[Auxiliary, Column], rows: Sequence[int], totals: Sequence[int]
    ) -> None:
        self._totals = list(totals)
        self._entries = {
            auxiliary: [(place, int(entry)) for place, entry in enumerate(matrix.entries[rows, book, column]) if entry]
            for auxiliary, (book, column) in columns.items()
        }
        self.values: dict[Auxiliary, int] = {}

    def entries(self, auxiliary: Auxiliary) -> list[tuple[int, int]]:
        """(place among the rows, entry) wherever the auxiliary stands."""
        return self._entries[auxiliary]

    def total(self, place: int) -> int:
        """What row ``place`` adds up to with the values assigned so far."""
        return self._totals[place]

    def bound(self, auxiliary: Auxiliary) -> int:
        """The least value, negative ones included, with which every row that the auxiliary raises holds."""
        raised = [(place, entry) for place, entry in self._entries[auxiliary] if entry > 0]
        return max(-(self._totals[place] // entry) for place, entry in raised)

    def assign(self, auxiliary: Auxiliary, value: int) -> None:
        """Give an auxiliary its value.

        Raises:
            AuxiliaryError: it is negative (a fault of its component).
        """
        if value < 0:
            raise AuxiliaryError(auxiliary.name)
        self.values[auxiliary] = value
        for place, entry in self._entries[auxiliary]:
            self._totals[place] += entry * value


def assign_least(system: DefinitionSystem, auxiliaries: tuple[Auxiliary, ...]) -> None:
    """One after the other takes the least value that its definition rows leave."""
    for auxiliary in auxiliaries:
        system.assign(auxiliary, max(0, system.bound(auxiliary)))


def solve_auxiliaries(
    matrix: RuleMatrix,
    columns: dict[Auxiliary, Column],
    groups: Sequence[AuxiliaryGroup],
    legs: Sequence[Sequence[int]],
) -> dict[Column, int]:
    """Values of all auxiliaries for the legs of a portfolio.

    Args:
        matrix: the rule.
        columns: where the auxiliaries stand.
        groups: by component, in the order of the rule.
        legs: columns with legs and the constant filled in, [book][column].

    Returns:
        Values by (book, column), as :func:`prover.argument.witness.build_witness` takes them.

    Raises:
        AuxiliaryError: a component's solver breaks its own rows.
    """
    if not columns:
        return {}
    rows = _rows_with(matrix, columns)
    flat = np.array([value for book in legs for value in book], dtype=object)
    held = np.flatnonzero(flat)
    entries = matrix.entries[rows].reshape(len(rows), -1)[:, held].astype(object)
    system = DefinitionSystem(matrix, columns, rows, [int(total) for total in entries @ flat[held]])
    for group in groups:
        group.solver(system, group.auxiliaries)
    return {columns[auxiliary]: value for auxiliary, value in system.values.items()}


def _rows_with(matrix: RuleMatrix, columns: dict[Auxiliary, Column]) -> list[int]:
    """Rows in which an auxiliary stands."""
    books, places = zip(*columns.values(), strict=True)
    return [int(row) for row in np.flatnonzero(matrix.entries[:, list(books), list(places)].any(axis=1))]
