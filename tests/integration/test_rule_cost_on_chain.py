"""What a rule is said to cost against what it costs on a real chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from prover.benchmarks.benchmark_gas import GasCase, market_chain
from prover.benchmarks.benchmark_risk import wide_rule
from prover.rules.rule_cost import rule_cost
from prover.rules.rule_file import shipped_rule
from verifier.rules.rule_audit import compare_matrices
from verifier.rules.rule_kind import PUBLISHED_KINDS

if TYPE_CHECKING:
    from prover.rules.rule_definition import RuleDefinition


def few_scenarios() -> RuleDefinition:
    """The shipped rule with six scenarios: two chunks of the standard shape."""
    base = shipped_rule("scenarios")
    grid = base.components[0]
    return base.model_copy(
        update={"components": (grid.model_copy(update={"scenarios": grid.scenarios[:6]}), *base.components[1:])}  # type: ignore[union-attr]  # the shipped rule begins with its grid
    )


@pytest.mark.parametrize(
    ("shape", "books", "rule", "chunks"),
    [
        ("small", 1, None, 1),
        ("small", 2, None, 1),
        ("standard", 1, few_scenarios(), 2),
        ("standard", 1, wide_rule(), 8),
        ("standard", 1, shipped_rule("portfolio"), 14),
    ],
    ids=["small", "small, two books", "standard, two chunks", "standard, eight chunks", "shared definition rows"],
)
def test_the_cost_is_within_two_percent(shape: str, books: int, rule: RuleDefinition | None, chunks: int) -> None:
    with market_chain() as running:
        case = GasCase(running, shape, books, definition=rule)
        built = [case.book.built(kind) for kind in PUBLISHED_KINDS]
        assert built[0].matrix.chunks_per_book == chunks
        cost = rule_cost(*built)
        receipts = case.publish()
        for one, matrix in zip(built, case.venue.registry.rule_matrices(case.venue.shape, 1), strict=True):
            assert compare_matrices(matrix, one.matrix) == []
        with case.parties(2) as parties:
            case.settle(parties)
            measured = case.check(parties[0])
    assert cost.check_gas == pytest.approx(measured, rel=0.02)
    assert cost.publication_gas == pytest.approx(sum(receipt.gas_used for receipt in receipts), rel=0.02)
    assert cost.transactions == len(receipts)
    assert cost.blob_gas == sum(receipt.blob_gas_used for receipt in receipts)
