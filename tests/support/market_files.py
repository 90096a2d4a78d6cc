"""Where tests find market data and published cases: what the repository bundles, and `../shared` where it exists."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from prover.market.market_data import EXAMPLE_MARKET

REPOSITORY: Final = Path(__file__).resolve().parents[2]
_SHARED: Final = REPOSITORY.parent / "shared"

MARKET_FILES: Final = (EXAMPLE_MARKET, *sorted((_SHARED / "data").glob("deribit_*_options_*.csv")))
"""Snapshots of several hundred options; the first is always there."""

PRICING_CASE_FILES: Final = tuple(
    path
    for name in ("black76_reference", "black_scholes_grid_vollib", "deribit_market_black76")
    if (path := _SHARED / "cases" / f"{name}.json").exists()
)
"""Published option prices, where they exist."""

EXCHANGE_CASE_FILES: Final = tuple(sorted((_SHARED / "cases").glob("exchange_examples.json")))
"""Answers of exchanges, where they exist."""
