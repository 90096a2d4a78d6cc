"""Initial margin implies maintenance margin, by weights that anyone can check on the entries."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from prover.errors import RuleBuildError
from prover.rules.rule_assembly import UNSHOCKED
from prover.rules.rule_implication import implication_weights, require_implication
from tests.support.risk_rules import example_rules
from verifier.rules.margin_rule import RuleMatrix
from verifier.shape import SMALL


def test_weights_come_from_the_loss_factors() -> None:
    initial, maintenance = example_rules(SMALL)
    unshocked = initial.row_names.index(UNSHOCKED)
    implied = [row.weights for row in implication_weights(initial, maintenance)]
    assert implied[1] == {1: Fraction(4, 5), unshocked: Fraction(1, 5)}
    assert implied[unshocked] == {unshocked: Fraction(1)}
    assert implied[-3:] == [{index: Fraction(1)} for index in (13, 14, 15)]


@pytest.mark.parametrize(
    ("row", "column", "change", "words"),
    [
        (1, 4, -(10**6), "spot"),
        (13, 2, -(10**11), "net BTC delta at most"),
        (15, 8, 1, "unlisted slots"),
    ],
)
def test_one_entry_that_asks_for_more_is_found(row: int, column: int, change: int, words: str) -> None:
    initial, maintenance = example_rules(SMALL)
    entries = maintenance.matrix.entries.copy()
    entries[row, 0, column] += change
    with pytest.raises(RuleBuildError, match=words):
        require_implication(initial, replace(maintenance, matrix=RuleMatrix(SMALL, entries)))


def test_entries_too_large_for_machine_integers_are_compared_exactly() -> None:
    initial, maintenance = example_rules(SMALL)
    huge = 2**62 - 1
    asked, given = initial.matrix.entries.copy(), maintenance.matrix.entries.copy()
    asked[13, 0, 4] = given[13, 0, 4] = huge
    require_implication(
        replace(initial, matrix=RuleMatrix(SMALL, asked)), replace(maintenance, matrix=RuleMatrix(SMALL, given))
    )
    given[13, 0, 4] = huge - 1
    assert int(np.abs(given).max()) * 5 > 2**63
    with pytest.raises(RuleBuildError, match="net BTC delta at most"):
        require_implication(
            replace(initial, matrix=RuleMatrix(SMALL, asked)), replace(maintenance, matrix=RuleMatrix(SMALL, given))
        )


def test_no_weight_is_negative() -> None:
    """Nothing follows from a row that is subtracted, however well the entries add up."""
    initial, maintenance = (
        replace(rule, matrix=RuleMatrix(SMALL, np.zeros_like(rule.matrix.entries))) for rule in example_rules(SMALL)
    )
    require_implication(initial, maintenance)
    with pytest.raises(RuleBuildError, match="of initial margin asks for more than maintenance margin does"):
        require_implication(maintenance, initial)


def test_rules_of_different_rows_are_not_compared() -> None:
    with pytest.raises(RuleBuildError, match="different rows or books; build both together"):
        require_implication(example_rules()[0], example_rules(SMALL)[1])
