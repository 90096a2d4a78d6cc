"""Weights over the rows of a rule that prove a linear program's optimum exactly, in rational numbers.

Floating point can't tell a gain of one tick beside entries of 2^40 from rounding, and whoever publishes a rule chooses
its entries. So a linear program only proposes weights; what they say is checked in whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import linprog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

DENOMINATORS: Final = (1_000, 1_000_000, 1_000_000_000)
"""Weights are tried as fractions of these, the simplest first."""

FINEST: Final = 1 << 60
LARGEST: Final = 1e6
"""Bounds weights of scaled rows, so that the room for them is."""


@dataclass(frozen=True, slots=True, eq=False)
class WeightTask:
    """Find y with y_r ≥ 0 where row r is an inequality and Σ_r y_r · column_r ≤ 0 for every column.

    Attributes:
        columns: whole numbers, [row, column].
        equality: rows whose weight may be negative.
        positive: rows whose weight must be above zero.
        paid: a column of which Σ_r y_r · paid_r must be above zero, if any.
        scale: of every row for the linear program, a power of two.
    """

    columns: NDArray[np.int64]
    equality: NDArray[np.bool_]
    positive: NDArray[np.bool_]
    paid: NDArray[np.int64] | None
    scale: NDArray[np.float64]


def weights_exist(task: WeightTask) -> bool:
    """Whether weights are found that hold exactly; without any, nothing is proved either way.

    The simplest weights are fractions of small numbers, and need no room. Where there is room, any number near weights
    in the middle of it will do.
    """
    simple = _propose(task, with_room=False)
    if simple is not None and any(_holds(task, _rational(task, simple, most)) for most in DENOMINATORS):
        return True
    central = _propose(task, with_room=True)
    return central is not None and _holds(task, _rational(task, central, FINEST))


def _propose(task: WeightTask, *, with_room: bool) -> NDArray[np.float64] | None:
    """Weights of the scaled rows by linear programming: the smallest, or those farthest from breaking a condition."""
    used = task.columns[:, task.columns.any(axis=0)]
    limits = _unit_rows((used * task.scale[:, None]).T)
    paid = np.zeros((0, len(task.scale))) if task.paid is None else _unit_rows((task.paid * task.scale)[None, :])
    room = np.concatenate([np.ones(len(limits)), np.ones(len(paid))])[:, None] * with_room
    bounds: list[tuple[float | None, float | None]] = [
        (1.0 if needed else None if free else 0.0, LARGEST if with_room else None)
        for needed, free in zip(task.positive, task.equality, strict=True)
    ]
    solved = linprog(
        np.append(np.full(len(task.scale), 0.0 if with_room else 1.0), -1.0),
        A_ub=np.hstack([np.concatenate([limits, -paid]), room]),
        b_ub=[0.0] * len(limits) + [-1.0] * len(paid),
        bounds=[*bounds, (0.0, 1.0)],
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    return None if solved.x is None else np.asarray(solved.x[:-1], dtype=np.float64)


def _unit_rows(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row over its largest entry."""
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0.0)
    return np.asarray(rows / np.where(largest > 0, largest, 1.0), dtype=np.float64)


def _rational(task: WeightTask, proposed: NDArray[np.float64], most: int) -> list[Fraction]:
    return [
        Fraction(float(weight)).limit_denominator(most) * Fraction(float(scale))
        for weight, scale in zip(proposed, task.scale, strict=True)
    ]


def _holds(task: WeightTask, weights: Sequence[Fraction]) -> bool:
    """The conditions of the task, exactly."""
    for weight, free, needed in zip(weights, task.equality, task.positive, strict=True):
        if (weight < 0 and not free) or (weight <= 0 and needed):
            return False
    if task.paid is not None and _weighted(weights, task.paid) <= 0:
        return False
    return all(_weighted(weights, column) <= 0 for column in task.columns.T)


def _weighted(weights: Sequence[Fraction], column: NDArray[np.int64]) -> Fraction:
    return sum((weights[row] * int(column[row]) for row in np.flatnonzero(column).tolist()), Fraction(0))
