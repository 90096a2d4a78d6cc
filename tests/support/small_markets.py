"""Small snapshots in the documented form, for tests that look at every kind of instrument."""

from __future__ import annotations

from prover.market.instrument_names import parse_option
from prover.market.market_data import SCHEMA, MarketSnapshot, canonical_json
from prover.market.pricing import OptionTerms, black76

TAKEN_AT = 1732096800
"""2024-11-20 10:00 UTC."""


def option_fields(name: str, forward: float, volatility: float, *, interest: float = 10.0) -> dict[str, object]:
    """An option marked at its model price, a percent between bid and ask."""
    option = parse_option(name)
    terms = OptionTerms(float(option.strike), option.years_to_expiry(TAKEN_AT), option.is_call)
    mark = float(black76(terms, forward, volatility))
    quotes = {"mark_price": mark, "bid_price": 0.995 * mark, "ask_price": 1.005 * mark}
    return {"instrument": name, "forward": forward, "mark_volatility": volatility, "open_interest": interest, **quotes}


def linear_fields(name: str, mark: float, *, interest: float = 100.0) -> dict[str, object]:
    """A perpetual or future that nobody quotes."""
    quotes = {"bid_price": None, "ask_price": None, "open_interest": interest}
    return {"instrument": name, "mark_price": mark, **quotes}


def token_fields(name: str, mark: float, underlying: str | None) -> dict[str, object]:
    """A collateral token with quotes."""
    quotes = {"bid_price": 0.99 * mark, "ask_price": 1.01 * mark, "volume": 50.0, "confidence": 0.8}
    return {"instrument": name, "underlying": underlying, "mark_price": mark, **quotes}


def two_coin_fields() -> dict[str, object]:
    """Bitcoin and ether: perpetuals, futures, options, a staked token, a coin and a stable coin."""
    return {
        "schema": SCHEMA,
        "quote_currency": "USD",
        "snapshot_time": TAKEN_AT,
        "stable_price": 0.99,
        "underlyings": {"BTC": {"index_price": 94000.0, "confidence": 0.9}, "ETH": {"index_price": 3100.0}},
        "perpetuals": [linear_fields("BTC-PERPETUAL", 94010.0), linear_fields("ETH-PERPETUAL", 3101.0)],
        "futures": [linear_fields("BTC-27DEC24", 95000.0), linear_fields("ETH-27DEC24", 3130.0)],
        "options": [
            option_fields("BTC-27DEC24-100000-C", 95000.0, 0.55),
            option_fields("BTC-29NOV24-90000-P", 94200.0, 0.6, interest=20.0),
            option_fields("ETH-27DEC24-3200-C", 3130.0, 0.7, interest=400.0),
        ],
        "tokens": [
            token_fields("WEETH", 3250.0, "ETH"),
            token_fields("BTC", 94000.0, "BTC"),
            token_fields("USDC", 1.0, None),
        ],
    }


def two_coin_market() -> MarketSnapshot:
    """The snapshot of these fields."""
    return MarketSnapshot.model_validate_json(canonical_json(two_coin_fields()))
