"""Make the bundled price history, prover/data/BTC-USD_daily_example.csv: a seeded random walk, no market's prices.

Daily log returns are Student-t with four degrees of freedom, so that some days move by several standard deviations:

    python scripts/make_example_history.py [FILE]
"""

from __future__ import annotations

import csv
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from prover.simulation.market_path import EXAMPLE_HISTORY, PRICE_COLUMN

SEED: Final = 20260108
FIRST_DAY: Final = date(2024, 1, 1)
DAYS: Final = 120
FIRST_PRICE: Final = 50_000.0
DAILY_VOLATILITY: Final = 0.03
DEGREES_OF_FREEDOM: Final = 4


def daily_prices() -> list[tuple[date, float]]:
    """Days and prices, whole cents."""
    generator = np.random.default_rng(SEED)
    scale = DAILY_VOLATILITY / np.sqrt(DEGREES_OF_FREEDOM / (DEGREES_OF_FREEDOM - 2))
    returns = scale * generator.standard_t(DEGREES_OF_FREEDOM, size=DAYS - 1)
    prices = FIRST_PRICE * np.exp(np.concatenate(([0.0], np.cumsum(returns))))
    return [(FIRST_DAY + timedelta(days=day), round(float(price), 2)) for day, price in enumerate(prices)]


def main(path: Path) -> None:
    """Write the file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["Date", PRICE_COLUMN])
        writer.writerows((day.isoformat(), f"{price:.2f}") for day, price in daily_prices())
    print(f"{path}: {DAYS} days")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLE_HISTORY)
