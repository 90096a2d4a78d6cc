"""Make the bundled market snapshot, prover/data/example_market.json, from a parametric volatility surface.

The surface is SSVI (J. Gatheral and A. Jacquier, Arbitrage-free SVI volatility surfaces, 2014): total variance at log
moneyness k is θ/2·(1 + ρφk + √((φk + ρ)² + 1 − ρ²)), with φ = η/√(θ(1 + θ)). Spreads, gaps in the quotes and open
interest come from a seeded generator, so that the file can be made again byte for byte:

    python scripts/make_example_market.py [FILE]
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.market.instrument_names import parse_expiry
from prover.market.instruments import Option, OptionRight, Perpetual
from prover.market.market_data import EXAMPLE_MARKET, SCHEMA, MarketSnapshot
from prover.market.pricing import OptionTerms, black76

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED: Final = 20241120
SNAPSHOT_TIME: Final = 1732096800
"""2024-11-20 10:00 UTC."""

UNDERLYING: Final = "BTC"
INDEX_PRICE: Final = 94_000.0
CARRY: Final = 0.09
"""Forwards grow above the index by this rate a year."""

EXPIRIES: Final = (
    "21NOV24",
    "22NOV24",
    "29NOV24",
    "6DEC24",
    "13DEC24",
    "27DEC24",
    "31JAN25",
    "28FEB25",
    "28MAR25",
    "27JUN25",
    "26SEP25",
    "26DEC25",
)
"""Twelve, so that four books of three expiries each fill their slots."""

STRIKES_PER_EXPIRY: Final = 23
CENTRAL_STRIKE: Final = 100_000.0
"""Strikes are whole multiples of the expiry's step around this one."""


@dataclass(frozen=True, slots=True)
class Surface:
    """SSVI parameters; without butterfly arbitrage while η(1 + |ρ|) ≤ 2.

    Attributes:
        short_volatility: at the money, for a time to expiry of zero.
        long_volatility: at the money, for long times.
        decay: rate a year at which the first turns into the second.
        correlation: ρ.
        curvature: η.
    """

    short_volatility: float = 0.62
    long_volatility: float = 0.56
    decay: float = 4.0
    correlation: float = -0.12
    curvature: float = 0.9

    def volatility(self, log_moneyness: float, years: float) -> float:
        """Implied volatility at k = ln(K/F)."""
        at_the_money = self.long_volatility + (self.short_volatility - self.long_volatility) * np.exp(
            -self.decay * years
        )
        theta = at_the_money**2 * years
        phi = self.curvature / np.sqrt(theta * (1 + theta))
        rho = self.correlation
        root = np.sqrt((phi * log_moneyness + rho) ** 2 + 1 - rho**2)
        total_variance = theta / 2 * (1 + rho * phi * log_moneyness + root)
        return float(np.sqrt(total_variance / years))


def make_options(generator: np.random.Generator, surface: Surface) -> Iterator[dict[str, object]]:
    """Quotes of every listed option, by expiry, strike and right."""
    for code in EXPIRIES:
        expiry = parse_expiry(code)
        years = Option(UNDERLYING, expiry, Decimal(1), OptionRight.CALL).years_to_expiry(SNAPSHOT_TIME)
        forward = round(INDEX_PRICE * float(np.exp(CARRY * years)), 2)
        for strike in _strikes(years):
            volatility = round(surface.volatility(float(np.log(strike / forward)), years), 4)
            for right in OptionRight:
                option = Option(UNDERLYING, expiry, Decimal(int(strike)), right)
                yield _quote(generator, option, forward, volatility)


def _strikes(years: float) -> list[float]:
    """Strikes in steps that grow with the square root of time."""
    steps = np.array([1000.0, 2000.0, 5000.0])
    step = float(steps[np.argmin(np.abs(steps - 0.12 * INDEX_PRICE * np.sqrt(years)))])
    half = STRIKES_PER_EXPIRY // 2
    centre = CENTRAL_STRIKE - step * round((CENTRAL_STRIKE - INDEX_PRICE) / step)
    return [centre + step * offset for offset in range(-half, half + 1)]


def _quote(generator: np.random.Generator, option: Option, forward: float, volatility: float) -> dict[str, object]:
    strike, years = float(option.strike), option.years_to_expiry(SNAPSHOT_TIME)
    mark = round(float(black76(OptionTerms(strike, years, option.is_call), forward, volatility)), 2)
    distance = abs(float(np.log(strike / forward)))
    chances = generator.random(4)
    half_spread = max(0.01 * mark, 0.0001 * forward) * (0.5 + float(chances[0]))
    quoted = 1.0 - 0.5 * distance
    outside = (strike >= forward) == option.is_call
    interest = 800 * float(chances[1]) * np.exp(-3 * distance) * (1.0 if outside else 0.4)
    bid = round(mark - half_spread, 2)
    return {
        "instrument": option.name,
        "forward": forward,
        "mark_volatility": volatility,
        "mark_price": mark,
        "bid_price": bid if bid > 0 and chances[2] < quoted else None,
        "ask_price": round(mark + half_spread, 2) if chances[3] < quoted else None,
        "open_interest": round(float(interest), 1),
    }


def make_file() -> bytes:
    """The snapshot file, one option a line."""
    perpetual = {"mark_price": 94_012.5, "bid_price": 94_012.0, "ask_price": 94_013.0, "open_interest": 9_500.0}
    head: dict[str, object] = {
        "schema": SCHEMA,
        "quote_currency": "USD",
        "snapshot_time": SNAPSHOT_TIME,
        "underlyings": {UNDERLYING: {"index_price": INDEX_PRICE}},
        "perpetuals": [{"instrument": Perpetual(UNDERLYING).name, **perpetual}],
    }
    lines = [f" {json.dumps(name)}: {json.dumps(value)}," for name, value in head.items()]
    options = [json.dumps(quote) for quote in make_options(np.random.default_rng(SEED), Surface())]
    content = "\n".join(["{", *lines, ' "options": [', ",\n".join(f"  {option}" for option in options), " ]", "}", ""])
    MarketSnapshot.model_validate_json(content)
    return content.encode()


def main() -> None:
    """Write the file named on the command line, or the bundled one."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLE_MARKET
    target.write_bytes(make_file())
    print(f"wrote {target}")


if __name__ == "__main__":
    main()
