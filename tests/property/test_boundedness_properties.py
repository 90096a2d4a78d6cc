"""Random rules with a known answer: weights that rule a ray out, or a ray that was put in."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.setups import TINY
from verifier.rules.margin_rule import RuleMatrix
from verifier.rules.rule_boundedness import audit_boundedness

FREE = (3, 6, 7, 10, 11, 14, 15)
"""Free columns of book 0; headrooms stand in book 1."""

EQUITY_ROWS, DEFINITIONS = 3, 3
ROWS = EQUITY_ROWS + DEFINITIONS


@st.composite
def blocks(draw: st.DrawFn) -> list[list[int]]:
    """Entries of every auxiliary; each is counted in a unit of its own, from ticks to lots worth many."""
    sizes = draw(st.lists(st.integers(1, 40), min_size=len(FREE), max_size=len(FREE)))
    return [draw(st.lists(st.integers(-(1 << size), 1 << size), min_size=ROWS, max_size=ROWS)) for size in sizes]


weights = st.lists(st.integers(1, 1 << 20), min_size=ROWS, max_size=ROWS)


def rule_of(columns: list[list[int]]) -> RuleMatrix:
    """Three rows with cash, three definitions; ``columns`` are the auxiliaries'."""
    matrix = np.zeros((ROWS, 2, TINY.columns), dtype=np.int64)
    matrix[:EQUITY_ROWS, 0, :2] = 1, -1
    for column, values in zip(FREE, columns, strict=True):
        matrix[:, 0, column] = values
    for row in range(ROWS):
        matrix[row, 1, 4 * (row // 2) + 2 + row % 2] = -1
    return RuleMatrix(TINY, matrix)


@settings(max_examples=200)
@given(blocks(), weights)
def test_weights_that_rule_rays_out(columns: list[list[int]], positive: list[int]) -> None:
    """Where Σ y_r·M_rc ≤ 0 with y > 0 for every auxiliary, nothing raises a row for nothing (Farkas).

    Of entries as wild as these the audit may say that it proves nothing, but never that there is a ray.
    """
    for values in columns:
        total = sum(weight * value for weight, value in zip(positive, values, strict=True))
        if total > 0:
            values[0] -= -(-total // positive[0])
    for finding in audit_boundedness(rule_of(columns)):
        assert finding.message.startswith("no weights over the rows prove")


@settings(max_examples=200)
@given(blocks(), st.lists(st.integers(1, 1000), min_size=len(FREE), max_size=len(FREE)), st.integers(0, ROWS - 1))
def test_rays_that_were_put_in(columns: list[list[int]], ray: list[int], free: int) -> None:
    """Entries of one auxiliary are raised until the ray breaks no row and raises a row of equity."""
    for row in range(ROWS):
        total = sum(value * values[row] for value, values in zip(ray, columns, strict=True))
        wanted = 1000 if row == free % EQUITY_ROWS else 0
        if total < wanted:
            columns[-1][row] += -(-(wanted - total) // ray[-1])
    assert audit_boundedness(rule_of(columns)) != []
