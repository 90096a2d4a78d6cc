"""The reduced rule lies between initial and maintenance margin, entry by entry and point by point."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from prover.errors import RuleBuildError
from prover.rules.built_rule import reduced_rule
from prover.rules.rule_implication import implication_weights, require_implication
from prover.rules.rule_rows import ByKind
from tests.support.risk_rules import example_rules
from verifier.ceremony import ceremony_setup
from verifier.errors import MatrixError
from verifier.rules.margin_rule import RuleMatrix, matrix_commitments
from verifier.rules.reduced_rule import lowered_to_parts, reduced_matrix, reduced_points
from verifier.rules.rule_kind import RuleKind
from verifier.shape import SMALL, STANDARD

INITIAL, MAINTENANCE = example_rules(SMALL)


def test_entries_of_initial_margin_are_lowered_by_at_most_three() -> None:
    initial, maintenance = np.arange(-9, 10), np.full(19, 2)
    lowered = lowered_to_parts(initial, maintenance)
    assert set((initial - lowered).tolist()) == {0, 1, 2, 3}
    assert not ((lowered - maintenance) % 4).any()


def test_points_are_those_of_the_entries() -> None:
    """4·[RM] = 3·[MM] + [IM], as the registry checks it."""
    setup = ceremony_setup()
    initial, maintenance, reduced = (
        [point for book in matrix_commitments(matrix, setup) for point in book]
        for matrix in (INITIAL.matrix, MAINTENANCE.matrix, reduced_matrix(INITIAL.matrix, MAINTENANCE.matrix))
    )
    assert reduced_points(initial, maintenance) == tuple(reduced)
    with pytest.raises(MatrixError, match="1 chunks of initial and 2 of maintenance margin"):
        reduced_points(initial[:1], [*initial, *initial][:2])


def test_the_reduced_rule_lies_between_the_two() -> None:
    reduced = reduced_rule(INITIAL, MAINTENANCE)
    require_implication(INITIAL, reduced)
    require_implication(reduced, MAINTENANCE)
    assert {sum(row.weights.values()) for row in implication_weights(reduced, MAINTENANCE)} == {1}
    with pytest.raises(RuleBuildError, match="of reduced margin asks for more than maintenance margin does"):
        require_implication(MAINTENANCE, reduced)


def test_an_entry_that_is_not_whole_is_named() -> None:
    entries = INITIAL.matrix.entries.copy()
    entries[3, 0, 5] -= 1
    with pytest.raises(MatrixError, match=r"row 3, book 0, column 5: .* no multiple of 4"):
        reduced_rule(replace(INITIAL, matrix=RuleMatrix(SMALL, entries)), MAINTENANCE)


def test_rules_of_different_sizes_have_none() -> None:
    with pytest.raises(MatrixError, match="needs equal sizes; build both together"):
        reduced_matrix(example_rules(STANDARD)[0].matrix, MAINTENANCE.matrix)


def test_the_reduced_rule_has_no_rows_of_its_own() -> None:
    with pytest.raises(RuleBuildError, match="reduced margin has no rows of its own"):
        ByKind(1, 2).of(RuleKind.REDUCED)
