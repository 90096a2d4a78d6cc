"""The least cash with which a prover could pass a rule's rows of equity, whatever auxiliaries and boxes it makes up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog

from prover.rules.rule_rows import RowKind
from prover.witness import BookOpening, leg_columns
from verifier.rule_audit import headroom_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from prover.rules.built_rule import BuiltRule
    from prover.rules.portfolio import Portfolio


def least_requirement(rule: BuiltRule, portfolio: Portfolio) -> float:
    """Requirement under the best auxiliaries and boxes there are, by linear programming; quote currency.

    The portfolio holds no cash. Limits are left out: cash does not cover them.
    """
    matrix = rule.matrix
    legs = leg_columns(matrix, [BookOpening(book, 0) for book in portfolio.lots])
    kept = [index for index, row in enumerate(rule.rows) if row.kind is not RowKind.LIMIT]
    rows = matrix.entries[kept].reshape(len(kept), -1).astype(np.float64)
    totals = rows @ np.array(legs, dtype=np.float64).reshape(-1)
    columns = np.column_stack([rows[:, 0], _choices(rule, rows)])
    equality = np.array([rule.rows[index].headroom is None for index in kept])
    # Boxes may be much larger than anything else in a row: scaled by column, they leave the solver its precision.
    columns /= np.maximum(np.abs(columns).max(axis=0), 1)
    cash = float(np.abs(rows[:, 0]).max())
    scale = np.maximum(np.abs(columns).max(axis=1), 1e-3)
    unit = max(1.0, float(np.abs(totals / scale).max()))
    solved = linprog(
        np.eye(1, columns.shape[1]).reshape(-1),
        A_ub=-(columns / scale[:, None])[~equality],
        b_ub=(totals / scale / unit)[~equality],
        A_eq=(columns / scale[:, None])[equality],
        b_eq=-(totals / scale / unit)[equality],
        bounds=[(None, None), *[(0, None)] * (columns.shape[1] - 1)],
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    assert solved.fun is not None, solved.message
    lots = np.array(portfolio.lots, dtype=np.float64).reshape(-1)
    equity = float(lots @ (rule.universe.lot_size * rule.universe.mark))
    return equity + float(solved.fun) / cash * unit * float(rule.tick)


def _choices(rule: BuiltRule, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns that a prover is free to fill: auxiliaries, and boxes of a long and a short leg together."""
    books, columns = rule.matrix.books, rule.matrix.shape.columns
    by_book = rows.reshape(len(rows), books, columns)
    boxes = (by_book[:, :, 0::4] + by_book[:, :, 1::4]).reshape(len(rows), -1)
    free = by_book[:, :, [column for column in range(columns) if column % 4 > 1]].reshape(len(rows), -1).copy()
    headrooms = {place for item in headroom_columns(rule.matrix) if item for place in (item.unit, item.large) if place}
    places = [(book, column) for book in range(books) for column in range(columns) if column % 4 > 1]
    usable = [place not in headrooms and place != (0, 2) for place in places]
    return np.column_stack([boxes, free[:, usable]])
