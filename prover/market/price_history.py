"""Daily prices of several assets from CSV files, aligned by date.

A file is named by its asset (``BTC-USD_daily_….csv``), has a column ``Date`` (ISO 8601) and columns of prices.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from prover.errors import MethodologyError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class PriceHistory:
    """Prices of assets on the dates that all of them have.

    Attributes:
        assets: names.
        dates: ascending.
        prices: (dates, assets), quote currency, positive.
    """

    assets: tuple[str, ...]
    dates: tuple[date, ...]
    prices: NDArray[np.float64]

    def returns(self, *, logarithmic: bool = False) -> NDArray[np.float64]:
        """Relative changes between consecutive dates, (dates − 1, assets)."""
        ratios = self.prices[1:] / self.prices[:-1]
        return np.log(ratios) if logarithmic else ratios - 1


def read_price_history(paths: Sequence[Path], column: str) -> PriceHistory:
    """Read one file for each asset and align them by date.

    Raises:
        MethodologyError: a file cannot be read, lacks the column, or holds no usable price; the message names it.
    """
    columns = {path.name.split("-")[0]: _read_column(path, column) for path in paths}
    common = sorted(set.intersection(*(set(prices) for prices in columns.values())))
    if len(common) < 2:  # noqa: PLR2004 - a return needs two prices
        raise MethodologyError(f"{len(common)} dates are in all of {[path.name for path in paths]}; two are needed")
    prices = np.array([[one[day] for one in columns.values()] for day in common])
    return PriceHistory(tuple(columns), tuple(common), prices)


def _read_column(path: Path, column: str) -> dict[date, float]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            prices = {date.fromisoformat(row["Date"]): float(row[column]) for row in csv.DictReader(file)}
    except KeyError as error:
        raise MethodologyError(f"{path.name} has no column {error.args[0]!r}; name one that it has") from error
    except (OSError, ValueError, TypeError, UnicodeDecodeError, csv.Error) as error:
        raise MethodologyError(f"{path} cannot be read as prices ({error}); check path and contents") from error
    unusable = [day for day, price in prices.items() if not (np.isfinite(price) and price > 0)]
    if unusable:
        raise MethodologyError(f"{path.name}, {unusable[0]}: the price must be positive; leave the row out")
    return prices
