"""Whether a snapshot is still the market."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prover.errors import MarketDataError

if TYPE_CHECKING:
    from prover.market.market_data import MarketSnapshot

DEFAULT_MAXIMUM_AGE: Final = 3600
"""Seconds."""

CLOCK_TOLERANCE: Final = 60
"""Seconds by which clocks may differ."""


def require_fresh(snapshot: MarketSnapshot, now: int, maximum_age: int = DEFAULT_MAXIMUM_AGE) -> None:
    """Refuse a snapshot that is old, or of the future.

    Args:
        snapshot: the market.
        now: Unix time, seconds, of a clock that is trusted.
        maximum_age: seconds.

    Raises:
        MarketDataError: the snapshot is not of the last ``maximum_age`` seconds.
    """
    age = now - snapshot.snapshot_time
    if age > maximum_age:
        raise MarketDataError(
            f"snapshot_time = {snapshot.snapshot_time}: the market is {age} s old and {maximum_age} s are allowed; "
            "take a new snapshot"
        )
    if age < -CLOCK_TOLERANCE:
        raise MarketDataError(
            f"snapshot_time = {snapshot.snapshot_time} lies {-age} s in the future; correct the file or the clock"
        )
