"""What a rule costs, without a chain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prover.errors import RuleBuildError
from prover.market.market_data import EXAMPLE_MARKET
from prover.market.market_files import load_market
from prover.rules.rule_builder import build_rules
from prover.rules.rule_cost import POINT_DISCOUNTS, check_gas, publication_gas, require_affordable, rule_cost
from prover.rules.rule_file import shipped_rule
from verifier.shape import SMALL, STANDARD


def test_the_published_figures_of_a_check() -> None:
    """Those of docs/gas.md."""
    assert check_gas(1, 4) == pytest.approx(247_569, rel=0.001)
    assert check_gas(1, 1) == pytest.approx(224_325, rel=0.001)
    assert check_gas(4, 4) == pytest.approx(476_559, rel=0.001)


def test_the_price_of_points_falls_to_the_last_discount() -> None:
    assert len(POINT_DISCOUNTS) == 128
    assert list(POINT_DISCOUNTS) == sorted(POINT_DISCOUNTS, reverse=True)
    assert check_gas(16, 12) > check_gas(16, 11) > check_gas(15, 11)


def test_equal_chunks_save_blobs_not_points() -> None:
    marks = bytes(1024)

    def gas(chunks: int, equal: int, transactions: int, content: bytes = marks) -> int:
        return publication_gas(books=1, chunks=chunks, equal_chunks=equal, transactions=transactions, marks=content)

    assert gas(16, 0, 3) > gas(16, 6, 2)
    assert gas(16, 0, 3) > gas(8, 0, 2)
    assert gas(8, 0, 2, b"\x01" * 1024) - gas(8, 0, 2) == 12 * 1024


def test_columns_of_the_small_shape() -> None:
    initial, maintenance = build_rules(load_market(EXAMPLE_MARKET), shape=SMALL)
    cost = rule_cost(initial, maintenance)
    headrooms = sum(2 if row.kind.is_money else row.headroom is not None for row in initial.rows)
    assert (cost.rows, cost.books, cost.auxiliary_columns) == (len(initial.rows), 1, 0)
    assert cost.headroom_columns == headrooms
    assert cost.free_columns == 2 * 64 - 1 - headrooms
    assert cost.leg_columns == 2 * int(initial.universe.live.sum())
    assert (cost.chunks, cost.blobs, cost.transactions) == (2, 2, 1)


def test_shared_definition_rows_are_published_once() -> None:
    cost = rule_cost(*build_rules(load_market(EXAMPLE_MARKET), shipped_rule("portfolio"), shape=STANDARD))
    assert cost.distinct_chunks < cost.chunks
    assert cost.blobs < cost.chunks


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"chunks": 217}, "make 217 chunks of both kinds, the registry takes 216: use fewer scenarios or fewer books"),
        ({"check_gas": 1 << 25}, "a check would take 33,554,432 gas, a transaction has 16,777,216: use fewer"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, int], message: str) -> None:
    cost = rule_cost(*build_rules(load_market(EXAMPLE_MARKET), shape=SMALL))
    require_affordable(cost)
    with pytest.raises(RuleBuildError, match=message):
        require_affordable(replace(cost, **changes))
