"""How excess is measured and summed up."""

from __future__ import annotations

import pytest

from prover.comparison.conservatism import Comparison, summarise
from prover.comparison.random_portfolios import MOST_LOTS, MOST_POSITIONS, random_portfolios
from tests.support.risk_rules import example_rules


def comparison(clear: float, rule: float, *, gross: float = 0.0, methodology: str = "method") -> Comparison:
    return Comparison(methodology, "portfolio", clear, rule, gross)


@pytest.mark.parametrize(
    ("clear", "rule", "gross", "excess"),
    [
        (100, 101, 1000, 0.01),
        (100, 99, 1000, -0.01),
        (0, 5, 10_000, 0.5),
        (1, 3, 4000, 0.5),
        (0, 0, 0, 0),
        (0, 2, 0, 2),
    ],
)
def test_excess_is_a_share_of_the_requirement_or_of_the_gross_notional(
    clear: float, rule: float, gross: float, excess: float
) -> None:
    assert comparison(clear, rule, gross=gross).excess == pytest.approx(excess)


def test_median_and_worst_are_by_methodology() -> None:
    found = summarise(
        [
            comparison(100, 101, methodology="one"),
            comparison(100, 150, methodology="other"),
            comparison(100, 110, methodology="one"),
            comparison(100, 103, methodology="one"),
        ]
    )
    assert [(entry.methodology, entry.portfolios) for entry in found] == [("one", 3), ("other", 1)]
    assert [(entry.median, entry.worst) for entry in found] == [pytest.approx((0.03, 0.1)), pytest.approx((0.5, 0.5))]


def test_random_portfolios_are_the_same_every_time_and_hold_no_cash() -> None:
    universe = example_rules()[0].universe
    first, again = (list(random_portfolios(universe, count=30, seed=5)) for _ in range(2))
    assert first == again
    assert first != list(random_portfolios(universe, count=30, seed=6))
    for portfolio in first:
        lots = [count for book in portfolio.lots for count in book]
        assert lots[0] == 0
        assert sum(count != 0 for count in lots) <= MOST_POSITIONS
        assert max(map(abs, lots)) <= MOST_LOTS
