"""Exact proof that no choice of columns passes a rule with less cash: weights over its rows, in rational numbers.

With weights y ≥ 0 of inequalities (any of equalities) under which no free column and no box is worth more than
nothing, and cash exactly one, every witness has  0 ≤ Σ y_r · row_r ≤ cash + Σ y_r · (row_r of the positions). Floating
point only guesses the weights; what they imply is checked in whole numbers.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import linprog

from prover.argument.witness import BookOpening, leg_columns, row_sums
from verifier.rules.rule_audit import CONSTANT_COLUMN, headroom_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from prover.rules.built_rule import BuiltRule
    from prover.rules.portfolio import Portfolio

LARGEST_DENOMINATOR: Final = 10**7


def least_lots_of_cash(rule: BuiltRule, portfolio: Portfolio) -> Fraction | None:
    """What no witness can do without, in lots of cash; the portfolio holds none. ``None``: no cash suffices."""
    legs = leg_columns(rule.matrix, [BookOpening(book, 0) for book in portfolio.lots])
    totals = row_sums(rule.matrix, legs)
    equality = np.array([row.headroom is None for row in rule.rows])
    columns = _chosen_columns(rule)
    cash = rule.matrix.entries[:, 0, 0]
    hopeless = (cash <= 0) & ~equality & ~(columns > 0).any(axis=1) & np.array([total < 0 for total in totals])
    if hopeless.any():
        return None
    return _implied(_guess(totals, columns, cash, equality), totals, columns, cash, equality)


def found_lots_of_cash(rule: BuiltRule, portfolio: Portfolio) -> int | None:
    """The least cash with which the prover's own auxiliaries pass; the portfolio holds none."""
    columns = leg_columns(rule.matrix, [BookOpening(book, 0) for book in portfolio.lots])
    for (book, column), value in rule.auxiliaries_of(columns).items():
        assert value >= 0
        columns[book][column] = value
    least = -(10**30)
    for total, row, cash in zip(row_sums(rule.matrix, columns), rule.rows, rule.matrix.entries[:, 0, 0], strict=True):
        if row.headroom is None:
            assert total == 0
        elif cash > 0:
            least = max(least, -(total // int(cash)))
        elif total < 0:
            return None
    return least


def _chosen_columns(rule: BuiltRule) -> NDArray[np.int64]:
    """What a prover may fill at will, [row, column]: free columns but headrooms, and both legs of every slot."""
    entries = rule.matrix.entries
    free = np.ones(entries.shape[1:], dtype=np.bool_)
    free[:, 0::4] = free[:, 1::4] = False
    free[0, CONSTANT_COLUMN] = False
    for headroom in headroom_columns(rule.matrix):
        for place in () if headroom is None else headroom.columns:
            free[place] = False
    boxes = (entries[:, :, 0::4] + entries[:, :, 1::4]).reshape(len(entries), -1)
    listed = np.flatnonzero(rule.universe.live)
    chosen = np.concatenate([entries[:, free], boxes[:, listed]], axis=1)
    return chosen[:, (chosen > 0).any(axis=0)]


def _guess(
    totals: Sequence[int], columns: NDArray[np.int64], cash: NDArray[np.int64], equality: NDArray[np.bool_]
) -> list[Fraction]:
    """Weights of the rows with the highest bound, by linear programming."""
    scales = np.maximum(cash, np.abs(columns).max(axis=1, initial=1)).astype(np.float64)
    worth = np.array([float(total) for total in totals]) / scales
    solved = linprog(
        worth / max(1.0, float(np.abs(worth).max())),
        A_ub=(columns / scales[:, None]).T,
        b_ub=np.zeros(columns.shape[1]),
        A_eq=(cash / scales)[None, :],
        b_eq=[1.0],
        bounds=[(None, None) if free else (0.0, None) for free in equality],
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    assert solved.x is not None, solved.message
    return [
        Fraction(float(value)).limit_denominator(LARGEST_DENOMINATOR) / int(scale)
        for value, scale in zip(solved.x, scales, strict=True)
    ]


def _implied(
    weights: Sequence[Fraction],
    totals: Sequence[int],
    columns: NDArray[np.int64],
    cash: NDArray[np.int64],
    equality: NDArray[np.bool_],
) -> Fraction:
    """The bound that the weights prove."""
    used = [row for row, weight in enumerate(weights) if weight]
    assert all(weights[row] > 0 or equality[row] for row in used)
    for column in columns[used].T:
        assert sum(weights[row] * int(entry) for row, entry in zip(used, column, strict=True)) <= 0
    price = sum(weights[row] * int(cash[row]) for row in used)
    assert price > 0
    return -sum((weights[row] * totals[row] for row in used), Fraction(0)) / price
