"""Snapshots that are no longer, or not yet, the market."""

from __future__ import annotations

import pytest

from prover.errors import MarketDataError
from prover.market.freshness import CLOCK_TOLERANCE, DEFAULT_MAXIMUM_AGE, require_fresh
from tests.support.small_markets import TAKEN_AT, two_coin_market


@pytest.mark.parametrize(
    ("age", "maximum_age", "problem"),
    [
        (31, 30, rf"snapshot_time = {TAKEN_AT}: the market is 31 s old and 30 s are allowed; take a new snapshot"),
        (DEFAULT_MAXIMUM_AGE + 1, DEFAULT_MAXIMUM_AGE, "3601 s old and 3600 s are allowed"),
        (-CLOCK_TOLERANCE - 1, 30, "lies 61 s in the future; correct the file or the clock"),
    ],
)
def test_other_moments_are_refused(age: int, maximum_age: int, problem: str) -> None:
    nearest = max(min(age, maximum_age), -CLOCK_TOLERANCE)
    for accepted in (nearest, 0):
        require_fresh(two_coin_market(), TAKEN_AT + accepted, maximum_age)
    with pytest.raises(MarketDataError, match=problem):
        require_fresh(two_coin_market(), TAKEN_AT + age, maximum_age)
