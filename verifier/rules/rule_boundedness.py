"""Audit of a rule matrix by linear programs: without a position no auxiliary may create equity.

The audit for free boxes (:mod:`verifier.rules.rule_audit`) looks at legs, row by row. Auxiliary columns can open a
free ray in the same way: a combination of values ≥ 0 that every row allows and that raises the equity of some row.
With x = 0 (the legs of a slot equal, v[4i] = v[4i+1] ≥ 0) two programs show that there is none:

1. rays, constants left out:  maximise Σ_protected rows M·v  subject to  M·v ≥ 0 (= 0 in equalities),  0 ≤ v ≤ 1;
   the maximum is 0. Protected are the rows in which cash stands, and limits that the caller names; the others define
   auxiliaries, and a larger auxiliary may raise them.
2. least cash, constants included:  minimise cash  subject to  M·v ≥ 0 (= 0),  v ≥ 0;  the minimum is never negative,
   and 0 for a rule whose constants demand nothing.

Columns that no row rewards (a box whose legs add up to ≤ 0 in every inequality and 0 in every equality) can't help a
ray and are left out, so the programs hold little more than auxiliaries. Rows and columns are scaled before solving.
What floating point finds sound must also be proved in whole numbers, by weights over the rows
(:mod:`verifier.rules.row_weights`): a rule without such weights is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import linprog

from verifier.errors import MatrixError
from verifier.rules.row_weights import WeightTask, weights_exist
from verifier.rules.rule_audit import CONSTANT_COLUMN, Finding, headroom_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from verifier.rules.margin_rule import RuleMatrix

CASH_LONG: Final = 0
"""Column of book 0 with the long leg of cash; the next one is its short leg."""

COLUMNS_PER_SLOT: Final = 4
SCALING_PASSES: Final = 4
SOLVER_TOLERANCE: Final = 1e-10
RAY_TOLERANCE: Final = 1e-6
"""A scaled ray that gains less is rounding: honest rules give 1e-9 and less, free rays about 1."""

RELATIVE_TOLERANCE: Final = 1e-9
"""Of the largest constant: what the least cash may be below zero by rounding."""

_INFEASIBLE: Final = 2
_UNBOUNDED: Final = 3
_SOLVED: Final = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Program:
    """The rows of a matrix for x = 0, without headrooms, masks and columns that can't help.

    Attributes:
        rows: indices in the matrix, [r].
        equality: which of them have no headroom, [r].
        coefficients: of the free columns and boxes that are left, [r, variable].
        places: (book, column) of each variable; of a box the long leg.
        cash: coefficient of cash, [r].
        constants: [r].
    """

    rows: NDArray[np.int64]
    equality: NDArray[np.bool_]
    coefficients: NDArray[np.int64]
    places: tuple[tuple[int, int], ...]
    cash: NDArray[np.int64]
    constants: NDArray[np.int64]


def _program(matrix: RuleMatrix) -> _Program:
    """What is left of a matrix when every position is zero."""
    headrooms = headroom_columns(matrix)
    columns, places = _columns_without_positions(matrix)
    for headroom in headrooms:
        for place in (headroom.unit, headroom.large) if headroom is not None else ():
            if place is not None:
                columns[:, places.index(place)] = 0
    equality = np.array([headroom is None for headroom in headrooms])
    mask = equality & (matrix.entries >= 0).all(axis=(1, 2))
    # What stands in a mask is zero, so the mask is met and its columns are gone.
    columns[:, (columns[mask] != 0).any(axis=0)] = 0
    inequalities, equalities = columns[~equality], columns[equality & ~mask]
    useful = (inequalities > 0).any(axis=0) | (equalities != 0).any(axis=0)
    kept = np.flatnonzero(~mask)
    return _Program(
        rows=kept,
        equality=equality[kept],
        coefficients=columns[np.ix_(kept, np.flatnonzero(useful))],
        places=tuple(places[index] for index in np.flatnonzero(useful)),
        cash=matrix.entries[kept, 0, CASH_LONG],
        constants=matrix.entries[kept, 0, CONSTANT_COLUMN],
    )


def _columns_without_positions(matrix: RuleMatrix) -> tuple[NDArray[np.int64], list[tuple[int, int]]]:
    """Entries [row, variable] of boxes (both legs of a slot held) and free columns, and where each stands."""
    entries = matrix.entries
    blocks = [entries[:, :, 0::4] + entries[:, :, 1::4], entries[:, :, 2::4].copy(), entries[:, :, 3::4]]
    blocks[1][:, 0, 0] = 0  # the constant is no variable
    slots = matrix.shape.slots
    places = [
        (book, COLUMNS_PER_SLOT * slot + offset)
        for offset in (0, 2, 3)
        for book in range(matrix.books)
        for slot in range(slots)
    ]
    return np.concatenate([block.reshape(matrix.rows, -1) for block in blocks], axis=1), places


def _scale_factors(coefficients: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Factors of rows and of columns that bring the geometric means of absolute entries close to one."""
    present = coefficients != 0
    logarithms = np.log2(np.where(present, np.abs(coefficients), 1.0))
    rows, columns = np.zeros(coefficients.shape[0]), np.zeros(coefficients.shape[1])
    for _ in range(SCALING_PASSES):
        rows = -_mean(logarithms + columns, present, axis=1)
        columns = -_mean(logarithms + rows[:, None], present, axis=0)
    return np.exp2(rows), np.exp2(columns)


def _mean(values: NDArray[np.float64], present: NDArray[np.bool_], *, axis: int) -> NDArray[np.float64]:
    count = np.maximum(present.sum(axis=axis), 1)
    mean: NDArray[np.float64] = np.where(present, values, 0.0).sum(axis=axis) / count
    return mean


@dataclass(frozen=True, slots=True, eq=False)
class _Solution:
    """What HiGHS says.

    Attributes:
        least: value of the objective; ±inf when it is unbounded or nothing is feasible.
        values: of the variables; empty when there is no solution.
    """

    least: float
    values: NDArray[np.float64]


def _minimise(
    objective: NDArray[np.float64],
    coefficients: NDArray[np.float64],
    right: NDArray[np.float64],
    equality: NDArray[np.bool_],
    bounds: list[tuple[float | None, float | None]],
) -> _Solution:
    """The least objective subject to coefficients·v ≥ right, = right in equalities."""
    result = linprog(
        objective,
        A_ub=-coefficients[~equality],
        b_ub=-right[~equality],
        A_eq=coefficients[equality],
        b_eq=right[equality],
        bounds=bounds,
        method="highs",
        options={"primal_feasibility_tolerance": SOLVER_TOLERANCE, "dual_feasibility_tolerance": SOLVER_TOLERANCE},
    )
    if result.x is not None and result.fun is not None and result.status == _SOLVED:
        return _Solution(result.fun, np.asarray(result.x, dtype=np.float64))
    if result.status not in (_INFEASIBLE, _UNBOUNDED):
        raise MatrixError(f"the linear program of the audit fails ({result.message}): use entries of more equal size")
    return _Solution(float("inf" if result.status == _INFEASIBLE else "-inf"), np.empty(0))


def audit_boundedness(matrix: RuleMatrix, limits: Sequence[int] = ()) -> list[Finding]:
    """Every row that auxiliaries or boxes raise for nothing, and a least cash that is negative or does not exist.

    Args:
        matrix: the rule; cash is slot 0 of book 0.
        limits: rows without cash that nothing may raise either.

    Returns:
        An empty list for a sound matrix.
    """
    program = _program(matrix)
    findings = _free_rays(program, limits)
    return findings or _least_cash_findings(program) or _unproved(program, limits)


def least_cash(matrix: RuleMatrix) -> float:
    """Least lots of cash with which a portfolio of nothing else is covered; −inf when auxiliaries pay any sum.

    Returns:
        +inf when no cash suffices.
    """
    return _least_cash(_program(matrix))


def require_bounded(matrix: RuleMatrix, limits: Sequence[int] = ()) -> None:
    """Refuse a matrix with findings.

    Raises:
        MatrixError: naming the first findings and the remedy.
    """
    findings = audit_boundedness(matrix, limits)
    if findings:
        shown = "; ".join(f"row {finding.row}: {finding.message}" for finding in findings[:3])
        raise MatrixError(
            f"{len(findings)} breaches of boundedness: {shown}. Give every auxiliary that a row credits a definition "
            "that makes it cost at least as much (a⁺ − a⁻ = x with a charge on both, not s ≤ x alone)"
        )


def _protected(program: _Program, limits: Sequence[int]) -> NDArray[np.bool_]:
    return ~program.equality & ((program.cash > 0) | np.isin(program.rows, list(limits)))


def _unproved(program: _Program, limits: Sequence[int]) -> list[Finding]:
    """What weights over the rows do not prove in whole numbers, though floating point finds nothing."""
    scale = np.exp2(np.round(np.log2(_scale_factors(program.coefficients)[0])))
    protected, nothing = _protected(program, limits), np.zeros(len(program.rows), dtype=np.bool_)
    rays = WeightTask(program.coefficients, program.equality, protected, None, scale)
    with_constants = np.column_stack([program.coefficients, program.constants])
    cash = WeightTask(with_constants, program.equality, nothing, program.cash, scale)
    return [
        Finding(int(program.rows[0]), f"no weights over the rows prove in whole numbers that {claim}")
        for task, claim in (
            (rays, "auxiliaries raise no row for nothing"),
            (cash, "an empty portfolio may owe no cash"),
        )
        if not weights_exist(task)
    ]


def _free_rays(program: _Program, limits: Sequence[int]) -> list[Finding]:
    """Rows that the first program raises."""
    protected = _protected(program, limits)
    if not program.places or not protected.any():
        return []
    rows, columns = _scale_factors(program.coefficients)
    coefficients = program.coefficients * rows[:, None] * columns
    solution = _minimise(
        -coefficients[protected].sum(axis=0),
        coefficients,
        np.zeros(len(program.rows)),
        program.equality,
        [(0.0, 1.0)] * len(program.places),
    )
    if not len(solution.values):  # rounding: nothing at all is a solution; whether there is a ray is decided exactly
        return []
    raised = np.flatnonzero(protected & (coefficients @ solution.values > RAY_TOLERANCE))
    used = np.flatnonzero(solution.values > RAY_TOLERANCE)
    through = ", ".join(_name(program.places[index]) for index in used[np.argsort(-solution.values[used])][:3])
    return [
        Finding(int(program.rows[row]), f"a free ray through {through} creates value without a position")
        for row in raised
    ]


def _name(place: tuple[int, int]) -> str:
    book, column = place
    if column % COLUMNS_PER_SLOT == 0:
        return f"both legs of slot {column // COLUMNS_PER_SLOT} of book {book}"
    return f"column {column} of book {book}"


def _least_cash(program: _Program) -> float:
    unscaled = np.column_stack([program.cash, program.coefficients])
    rows, columns = _scale_factors(unscaled)
    # Cash and auxiliaries are counted in the largest of the scaled constants.
    right = -program.constants * rows
    unit = float(np.abs(right).max(initial=0.0)) or 1.0
    bounds: list[tuple[float | None, float | None]] = [(None, None)]
    bounds += [(0.0, None)] * len(program.places)
    objective = np.zeros(len(bounds))
    objective[0] = 1.0
    solution = _minimise(objective, unscaled * rows[:, None] * columns, right / unit, program.equality, bounds)
    return solution.least * unit * float(columns[0])


def _least_cash_findings(program: _Program) -> list[Finding]:
    """Constants that pay, or that nobody can meet."""
    cash = _least_cash(program)
    slack = RELATIVE_TOLERANCE * max(1.0, float(np.abs(program.constants).max(initial=0.0)))
    if -max(slack, RAY_TOLERANCE) <= cash < float("inf"):
        return []
    row = int(program.rows[int(np.argmax(program.constants))])
    if cash == float("inf"):
        return [Finding(row, "no cash suffices for an empty portfolio: constants demand what no row can give")]
    owed = "any sum" if cash == float("-inf") else f"{-cash:,.0f} ticks"
    return [Finding(row, f"an empty portfolio may owe {owed} of cash: a constant pays for it")]
