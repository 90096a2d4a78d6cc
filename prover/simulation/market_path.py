"""Markets of a day that moves: one snapshot an epoch, each at the next price of a daily history.

A perpetual and options of one expiry for every asset, and the first one wrapped as a token; options are marked by
Black-76 at one volatility, so that nothing but the price path decides what accounts are worth.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prover.errors import SimulationError
from prover.market.instrument_names import parse_option
from prover.market.market_data import SCHEMA, MarketSnapshot, make_record
from prover.market.price_history import PriceHistory, read_price_history
from prover.market.pricing import OptionTerms, black76
from prover.rules.quantise import DEFAULT_TICK
from prover.rules.rule_builder import DEFAULT_RULES
from prover.rules.rule_file import shipped_rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prover.rules.rule_definition import RuleDefinition
    from verifier.shape import Shape

EXAMPLE_HISTORY: Final = Path(__file__).parent.parent / "data" / "BTC-USD_daily_example.csv"
"""Invented prices, made by scripts/make_example_history.py."""

PRICE_COLUMN: Final = "close"
QUOTE_CURRENCY: Final = "USD"
VOLATILITY: Final = 0.6
DAYS_TO_EXPIRY: Final = 45
OPENING_HOUR: Final = 9
MONEYNESS: Final = (0.85, 0.95, 1.05, 1.15)
"""Strikes, in multiples of the first price."""

STRIKE_DIGITS: Final = 2
"""Leading digits of a strike."""

HALF_SPREAD: Final = 0.0002
OPTION_HALF_SPREAD: Final = 0.005


@dataclass(frozen=True, slots=True)
class MarketPath:
    """Prices of a simulated day.

    Attributes:
        assets: names of the coins.
        day: date of the first price.
        prices: by epoch, then asset; quote currency.
    """

    assets: tuple[str, ...]
    day: date
    prices: tuple[tuple[float, ...], ...]

    @property
    def opens_at(self) -> int:
        """Unix time of the first snapshot."""
        return int(datetime(self.day.year, self.day.month, self.day.day, OPENING_HOUR, tzinfo=UTC).timestamp())

    @property
    def wrapped_coin(self) -> str:
        """Name of the second collateral token: the first coin, wrapped."""
        return f"W{self.assets[0]}"

    def rule(self, shape: Shape) -> RuleDefinition:
        """The shipped rule of a shape, with lots of 0.01 of the token, as clearing houses count deposits."""
        shipped = shipped_rule(DEFAULT_RULES[shape])
        return shipped.model_copy(update={"lot_sizes": {**shipped.lot_sizes, self.wrapped_coin: DEFAULT_TICK}})

    def snapshot(self, epoch: int, snapshot_time: int) -> MarketSnapshot:
        """The market of an epoch, numbered from 0.

        Args:
            epoch: whose prices it has.
            snapshot_time: Unix seconds.
        """
        prices = dict(zip(self.assets, self.prices[epoch], strict=True))
        fields = {
            "schema": SCHEMA,
            "quote_currency": QUOTE_CURRENCY,
            "snapshot_time": snapshot_time,
            "underlyings": {asset: {"index_price": price} for asset, price in prices.items()},
            "perpetuals": tuple(_perpetual(asset, price) for asset, price in prices.items()),
            "tokens": (_token(self.wrapped_coin, self.assets[0], prices[self.assets[0]]),),
            "options": tuple(
                _option(name, prices[asset], snapshot_time) for asset in self.assets for name in self._options(asset)
            ),
        }
        return make_record(MarketSnapshot, f"simulated epoch {epoch + 1}", fields)

    def _options(self, asset: str) -> Iterator[str]:
        expiry = self.day + timedelta(days=DAYS_TO_EXPIRY)
        first = self.prices[0][self.assets.index(asset)]
        for multiple in MONEYNESS:
            strike = float(f"{first * multiple:.{STRIKE_DIGITS - 1}e}")
            for right in "CP":
                yield f"{asset}-{expiry.day}{expiry:%b%y}-{strike:.0f}-{right}".upper()


def market_path(history: Sequence[Path], epochs: int, seed: int) -> MarketPath:
    """Choose consecutive days of a history.

    Args:
        history: files of daily prices, one an asset, or none for the example.
        epochs: number of days.
        seed: chooses the first day.

    Raises:
        MethodologyError: a file cannot be read.
        SimulationError: it is too short.
    """
    prices = read_price_history(list(history) or [EXAMPLE_HISTORY], PRICE_COLUMN)
    if len(prices.dates) < epochs:
        raise SimulationError(
            f"the history has {len(prices.dates)} dates, {epochs} epochs need as many: give fewer epochs (--epochs)"
        )
    first = random.Random(seed).randrange(len(prices.dates) - epochs + 1)  # noqa: S311 - a choice of days
    return _path(prices, first, epochs)


def _path(history: PriceHistory, first: int, epochs: int) -> MarketPath:
    chosen = history.prices[first : first + epochs].tolist()
    return MarketPath(history.assets, history.dates[first], tuple(tuple(row) for row in chosen))


def _perpetual(asset: str, price: float) -> dict[str, object]:
    return {
        "instrument": f"{asset}-PERPETUAL",
        "mark_price": price,
        "bid_price": price * (1 - HALF_SPREAD),
        "ask_price": price * (1 + HALF_SPREAD),
        "open_interest": 1000.0,
    }


def _token(name: str, asset: str, price: float) -> dict[str, object]:
    quotes = {"bid_price": price * (1 - HALF_SPREAD), "ask_price": price * (1 + HALF_SPREAD)}
    return {"instrument": name, "underlying": asset, "mark_price": price, "volume": 1000.0, **quotes}


def _option(name: str, forward: float, snapshot_time: int) -> dict[str, object]:
    option = parse_option(name)
    terms = OptionTerms(float(option.strike), option.years_to_expiry(snapshot_time), option.is_call)
    mark = float(black76(terms, forward, VOLATILITY))
    return {
        "instrument": name,
        "forward": forward,
        "mark_volatility": VOLATILITY,
        "mark_price": mark,
        "bid_price": mark * (1 - OPTION_HALF_SPREAD),
        "ask_price": mark * (1 + OPTION_HALF_SPREAD),
        "open_interest": 100.0,
    }
