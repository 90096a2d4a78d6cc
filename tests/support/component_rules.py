"""Rules that show one component of Derive's portfolio margin each, for tests that build, prove and check every one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from prover.market.market_data import MarketSnapshot, canonical_json
from prover.rules.rule_definition import SCHEMA
from prover.rules.rule_file import decode_rule, shipped_rule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from prover.rules.rule_definition import RuleDefinition

LOT_SIZES: Final = {"BTC": 0.01, "ETH": 0.1, "WEETH": 0.1, "USDC": 100}

GRID: Final[Mapping[str, object]] = {
    "component": "scenario-grid",
    "scenarios": [
        {"price_move": 0.15, "volatility": "up"},
        {"price_move": -0.15, "volatility": "up"},
        {"price_move": 0, "volatility": "down"},
    ],
}
"""Three scenarios, for components that only add to others."""

RATES: Final = {"initial": 0.05, "maintenance": 0.03}


def rule_of(*components: Mapping[str, object], **fields: object) -> RuleDefinition:
    """A rule file of these components; ``fields`` replace others of the file."""
    stated = {
        "schema": SCHEMA,
        "name": "test",
        "lot_sizes": LOT_SIZES,
        "loss_factor": {"initial": 1, "maintenance": 0.8},
        "components": [dict(component) for component in components],
    }
    return decode_rule(canonical_json(stated | fields), "rule of the test")


def shipped_portfolio(**discount: object) -> RuleDefinition:
    """The shipped rule on every token that tests list; with a static discount, its skews ask for more than it."""
    fields: dict[str, Any] = shipped_rule("portfolio").model_dump(mode="json", by_alias=True)
    fields["lot_sizes"] = LOT_SIZES
    for component in fields["components"]:
        if component["component"] == "scenario-grid" and discount:
            component["static_discount"] = discount
        if component["component"] == "skew" and discount:
            component["conservative"] = True
    return decode_rule(canonical_json(fields), "rule of the test")


COMPONENT_RULES: Final[dict[str, Callable[[], RuleDefinition]]] = {
    "scenario grid": lambda: shipped_rule("scenarios").model_copy(update={"lot_sizes": rule_of(GRID).lot_sizes}),
    "portfolio": shipped_portfolio,
    "portfolio with static discount by leg": lambda: shipped_portfolio(mode="by-leg"),
    "banded static discount": lambda: rule_of({**GRID, "static_discount": {"mode": "banded", "bands": [-0.05, 0.05]}}),
    "exact static discount": lambda: rule_of({**GRID, "static_discount": {"mode": "exact"}}),
    "basis": lambda: rule_of({"component": "basis"}),
    "skew": lambda: rule_of({"component": "skew", "shape": "linear"}, {"component": "skew", "shape": "absolute"}),
    "portfolio with naked shorts": lambda: rule_of(
        *(component.model_dump(mode="json") for component in shipped_portfolio().components),
        {"component": "naked-shorts", "rate": RATES},
    ),
    "leg charges": lambda: rule_of(GRID, {"component": "leg-charges", "option": 0.001}),
    "naked shorts": lambda: rule_of(GRID, {"component": "naked-shorts", "rate": RATES}),
    "oracle confidence": lambda: rule_of(GRID, {"component": "oracle-confidence"}),
    "stablecoin depeg": lambda: rule_of(GRID, {"component": "stablecoin-depeg"}),
    "collateral": lambda: rule_of(
        GRID,
        {"component": "collateral-haircut", "haircuts": {"BTC": 0.03, "ETH": 0.03}, "other": 0.1},
        {"component": "illiquid-collateral"},
    ),
}
"""By what is shown; definitions are made when they are asked for."""


def stressed(market: MarketSnapshot) -> MarketSnapshot:
    """The market with doubtful feeds, a stable coin that slipped, and its coins as collateral: every charge bites."""
    fields: dict[str, Any] = market.model_dump(mode="json")
    fields["stable_price"] = 0.95
    for price in fields["underlyings"].values():
        price["confidence"] = 0.5
    fields["tokens"] = [
        {
            "instrument": coin,
            "underlying": coin,
            "mark_price": price["index_price"],
            "bid_price": 0.99 * price["index_price"],
            "ask_price": 1.01 * price["index_price"],
            "volume": 100.0,
        }
        for coin, price in fields["underlyings"].items()
    ]
    return MarketSnapshot.model_validate_json(canonical_json(fields))
