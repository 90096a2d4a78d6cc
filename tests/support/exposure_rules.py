"""Rules of limits, concentration, SPAN, minimum delta and expected shortfall, for tests that prove each on the chain.

A rule holds its component alone or beside a scenario grid, on a market with real options and both coins.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from prover.market.instrument_names import parse_option
from prover.market.market_data import MarketSnapshot, canonical_json
from prover.market.market_files import load_market
from prover.market.pricing import OptionTerms, black76
from prover.rules.rule_file import shipped_rule
from tests.support.component_rules import GRID, rule_of
from tests.support.market_files import MARKET_FILES
from tests.support.small_markets import linear_fields, token_fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from prover.rules.rule_definition import RuleDefinition

ETHER: Final = 3100.0
"""Price of the ether that is put beside the real Bitcoin options."""

FORWARD: Final = 1.01 * ETHER
"""Of its options."""


def ether_option(name: str, snapshot_time: int) -> dict[str, object]:
    """An option that nobody quotes, at its model price."""
    option = parse_option(name)
    terms = OptionTerms(float(option.strike), option.years_to_expiry(snapshot_time), option.is_call)
    quotes = {"mark_price": float(black76(terms, FORWARD, 0.7)), "bid_price": None, "ask_price": None}
    return {"instrument": name, "forward": FORWARD, "mark_volatility": 0.7, "open_interest": 1e6, **quotes}


@cache
def two_coin_options() -> MarketSnapshot:
    """Real options on Bitcoin where the data is beside the repository, else the bundled ones; ether, and tokens."""
    market = load_market(next((path for path in MARKET_FILES if "btc" in path.name), MARKET_FILES[0]))
    fields: dict[str, Any] = market.model_dump(mode="json")
    fields["underlyings"]["ETH"] = {"index_price": ETHER, "confidence": 1.0}
    fields["perpetuals"].append(linear_fields("ETH-PERPETUAL", ETHER))
    expiry = fields["options"][-1]["instrument"].split("-")[1]
    names = [f"ETH-{expiry}-{strike}-{right}" for strike in (2600, 3100, 3600) for right in "CP"]
    fields["options"] += [ether_option(name, market.snapshot_time) for name in names]
    fields["tokens"] = [token_fields("WEETH", 1.05 * ETHER, "ETH"), token_fields("USDC", 1.0, None)]
    return MarketSnapshot.model_validate_json(canonical_json(fields))


def listed(name: str) -> RuleDefinition:
    """A shipped rule on every token that tests list."""
    return shipped_rule(name).model_copy(update={"lot_sizes": rule_of(GRID).lot_sizes})


TIERS: Final = [
    {"above": 0, "rate": {"initial": "0.01", "maintenance": "0.005"}},
    {"above": 500_000, "rate": {"initial": "0.02", "maintenance": "0.01"}},
]

EXPOSURE_RULES: Final[dict[str, Callable[[], RuleDefinition]]] = {
    "expected shortfall, 64 historical days": lambda: listed("expected-shortfall"),
    "span with months, credit and minimum": lambda: listed("span"),
    "joint span": lambda: rule_of(
        {
            "component": "span-scan",
            "price_scan_range": {"BTC": "0.15", "ETH": "0.18"},
            "volatility_scan_range": {"BTC": "0.1", "ETH": "0.1"},
            "joint": True,
        }
    ),
    "minimum delta": lambda: rule_of({"component": "minimum-delta"}),
    "calendar spread": lambda: rule_of(GRID, {"component": "calendar-spread", "rate": "0.004"}),
    "short option minimum": lambda: rule_of(GRID, {"component": "short-option-minimum", "rate": "0.01"}),
    "spread credit": lambda: rule_of(
        {
            "component": "spread-credit",
            "leg": "0.1",
            "pairs": [{"underlyings": ["BTC", "ETH"], "credit": "0.08"}],
            "share": {"initial": 1, "maintenance": "0.75"},
        }
    ),
    "net delta limit that follows volatility": lambda: rule_of(
        GRID,
        {
            "component": "net-exposure-limit",
            "limit": {"initial": 10_000_000, "maintenance": 12_500_000},
            "follows": {"by": "volatility", "reference": "0.6"},
        },
    ),
    "net vega limit of expiries": lambda: rule_of(
        GRID, {"component": "net-exposure-limit", "measure": "vega", "by": "expiry", "limit": 1_000_000}
    ),
    "net gamma limit": lambda: rule_of(
        GRID, {"component": "net-exposure-limit", "measure": "gamma", "limit": 10_000_000}
    ),
    "net delta limit that follows collateral": lambda: rule_of(
        GRID,
        {
            "component": "net-exposure-limit",
            "by": "total",
            "limit": 10_000_000,
            "follows": {"by": "collateral", "multiple": 10},
        },
    ),
    "gross limit that follows open interest": lambda: rule_of(
        GRID,
        {
            "component": "gross-limit",
            "limit": 100_000_000,
            "follows": {"by": "open-interest", "fraction": "0.9"},
        },
    ),
    "concentration of net delta": lambda: rule_of(GRID, {"component": "concentration", "tiers": TIERS}),
    "concentration of gross vega": lambda: rule_of(
        GRID, {"component": "concentration", "measure": "vega", "of": "gross", "tiers": TIERS}
    ),
    "concentration of collateral": lambda: rule_of(
        GRID,
        {"component": "concentration", "measure": "collateral", "by": "instrument", "of": "gross", "tiers": TIERS},
    ),
    "shipped rule: exposure limits": lambda: listed("exposure-limits"),
}
"""By what is shown."""
