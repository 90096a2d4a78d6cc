"""Components of Derive's portfolio margin by hand: what small portfolios must leave over under each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pytest

from prover.components.static_discount import StaticDiscount
from prover.errors import RuleBuildError, RuleFileError
from prover.market.market_data import MarketSnapshot, canonical_json
from prover.market.market_files import load_market
from prover.rules.exposure import assess_margin
from prover.rules.portfolio import make_portfolio
from prover.rules.rule_builder import build_rules
from prover.rules.rule_file import shipped_rule
from prover.rules.rule_rows import RowKind
from tests.support.component_rules import GRID, rule_of, shipped_portfolio
from tests.support.market_files import MARKET_FILES
from tests.support.small_markets import TAKEN_AT, option_fields, two_coin_fields
from verifier.shape import STANDARD

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from prover.rules.built_rule import BuiltRule

CALL: Final = "BTC-27DEC24-100000-C"
PUT: Final = "BTC-27DEC24-100000-P"
EARLY_PUT: Final = "BTC-29NOV24-90000-P"
YEARS: Final = (1735286400 - TAKEN_AT) / (365 * 86400)
EARLY_YEARS: Final = (1732867200 - TAKEN_AT) / (365 * 86400)
"""To 27 December and 29 November 2024, 08:00 UTC."""

MOST_ROUNDING: Final = 0.04
"""Quote currency a lot: two ticks in a scenario row, and one in each of two definitions."""

NOTHING: Final = {"component": "leg-charges", "spread": False}


def call_price(forward: float, strike: float, volatility: float, years: float) -> float:
    """Black-76 from the error function."""
    total = volatility * math.sqrt(years)
    d1 = math.log(forward / strike) / total + total / 2
    upper, lower = (0.5 * (1 + math.erf(d / math.sqrt(2))) for d in (d1, d1 - total))
    return forward * upper - strike * lower


def put_price(forward: float, strike: float, volatility: float, years: float) -> float:
    """By parity."""
    return call_price(forward, strike, volatility, years) - forward + strike


CALL_NOW: Final = call_price(95000, 100000, 0.55, YEARS)


def market(**changes: object) -> MarketSnapshot:
    """Two coins and a put beside the call of one strike; perpetuals of confidence 0.5, changed as asked."""
    fields: dict[str, Any] = two_coin_fields()
    fields["options"] = [*fields["options"], option_fields(PUT, 95000.0, 0.55)]
    for perpetual in fields["perpetuals"]:
        perpetual["confidence"] = 0.5
    return MarketSnapshot.model_validate_json(canonical_json(fields | changes))


@dataclass(frozen=True)
class Rules:
    """Initial and maintenance rule."""

    initial: BuiltRule
    maintenance: BuiltRule

    def require(self, initial: float, maintenance: float, **holdings: float) -> None:
        """Holdings by short name must leave over these amounts, or a little more by rounding."""
        names = {"call": CALL, "put": PUT, "early_put": EARLY_PUT, "perpetual": "BTC-PERPETUAL"}
        quantities = {names.get(name, name): Decimal(str(quantity)) for name, quantity in holdings.items()}
        portfolio = make_portfolio(quantities, self.initial.slots, STANDARD)
        for rule, expected in ((self.initial, initial), (self.maintenance, maintenance)):
            found = assess_margin(rule, portfolio).requirement
            most = MOST_ROUNDING * sum(map(abs, portfolio.lots[0])) + 0.01
            assert expected - 1e-6 <= found <= expected + most


def rules(*components: Mapping[str, object], **changes: object) -> Rules:
    """Both rules of these components on the two-coin market."""
    return Rules(*build_rules(market(**changes), rule_of(*components)))


def test_basis_takes_the_worse_side_of_an_expiry() -> None:
    built, share = rules({"component": "basis"}), 0.5 + 2 * YEARS
    up = share * (call_price(1.045 * 95000, 100000, 0.55, YEARS) - CALL_NOW)
    down = share * (CALL_NOW - call_price(0.955 * 95000, 100000, 0.55, YEARS))
    built.require(3 * up, 3 * 0.8 * up, call=-3)
    built.require(2 * down, 2 * 0.8 * down, call=2)


def test_basis_of_expiries_is_added_even_where_they_offset() -> None:
    built, early_now = rules({"component": "basis"}), put_price(94200, 90000, 0.6, EARLY_YEARS)
    call_up = (0.5 + 2 * YEARS) * (call_price(1.045 * 95000, 100000, 0.55, YEARS) - CALL_NOW)
    put_up = (0.5 + 2 * EARLY_YEARS) * (early_now - put_price(1.045 * 94200, 90000, 0.6, EARLY_YEARS))
    built.require(call_up + put_up, 0.8 * (call_up + put_up), call=-1, early_put=1)
    put_down = (0.5 + 2 * EARLY_YEARS) * (put_price(0.955 * 94200, 90000, 0.6, EARLY_YEARS) - early_now)
    built.require(call_up + put_down, 0.8 * (call_up + put_down), call=-1, early_put=-1)


def test_basis_of_a_future_is_its_move() -> None:
    loss = (0.5 + 2 * YEARS) * 0.045 * 95000
    rules({"component": "basis"}).require(loss, 0.8 * loss, **{"BTC-27DEC24": 1})


@pytest.mark.parametrize(
    ("shape", "name", "strike"),
    [("linear", "call", 100000), ("absolute", "call", 100000), ("linear", "early_put", 90000)],
)
def test_a_skew_costs_the_change_whichever_side_is_held(shape: str, name: str, strike: float) -> None:
    forward, years, volatility = (95000, YEARS, 0.55) if name == "call" else (94200, EARLY_YEARS, 0.6)
    root = math.sqrt(years)
    cap, flat_from = 0.15 - 0.05 * root, max(0.01, root * 4 * (0.6 - 0.1 * root))
    distance = math.log(strike / forward) if shape == "linear" else abs(math.log(strike / forward))
    skewed = volatility * (1 + max(-cap, min(cap, distance * cap / flat_from)))
    pricer = call_price if name == "call" else put_price
    change = abs(pricer(forward, strike, skewed, years) - pricer(forward, strike, volatility, years))
    built = rules({"component": "skew", "shape": shape})
    for quantity in (5, -5):
        built.require(5 * change, 5 * 0.8 * change, **{name: quantity})
    weighted = rules({"component": "skew", "shape": shape, "weight": 2})
    weighted.require(10 * change, 10 * 0.8 * change, **{name: 5})


def shocked_call(move: float) -> float:
    """Of the grid's scenario with volatility up: 37 days to expiry, so by the long end's power."""
    return call_price(95000 * (1 + move), 100000, 0.55 * (1 + 0.5 * (30 / (365 * YEARS)) ** 0.13), YEARS)


@pytest.mark.parametrize("mode", ["exact", "banded", "by-leg", "automatic"])
def test_a_static_discount_shrinks_longs_and_grows_shorts(mode: str) -> None:
    discount = {"mode": mode, "rates": {"BTC-27DEC24": 0.3}}
    built = rules({**GRID, "static_discount": discount})
    positive = 0.95 * math.exp(-YEARS * (0.3 + 0.08))
    negative = min(math.exp(0.3 * YEARS), 1.04 * math.exp(YEARS * (0.15 + 0.08)))
    assert negative > 1
    held_long = CALL_NOW - positive * shocked_call(-0.15)
    held_short = negative * shocked_call(0.15) - CALL_NOW
    built.require(2 * held_long, 2 * 0.8 * held_long, call=2)
    built.require(2 * held_short, 2 * 0.8 * held_short, call=-2)


def test_an_exact_static_discount_nets_an_expiry_and_by_leg_does_not() -> None:
    """A call bought and a put sold at one strike are worth F − K, less than nothing here."""
    exact, by_leg = (rules({**GRID, "static_discount": {"mode": mode}}) for mode in ("exact", "by-leg"))
    now, lowest = 95000 - 100000, 0.85 * 95000 - 100000
    exact.require(now - lowest, 0.8 * (now - lowest), call=1, put=-1)
    positive = 0.95 * math.exp(-YEARS * 0.08)
    shrunk = (1 - positive) * shocked_call(-0.15)
    by_leg.require(now - lowest + shrunk, 0.8 * (now - lowest + shrunk), call=1, put=-1)


def test_a_band_takes_the_least_of_its_scenarios() -> None:
    """Call bought, put sold: F − K. In the band of −15 % and ±0 the call counts at −15 %, and the put there too."""
    built = rules({**GRID, "static_discount": {"mode": "banded", "bands": [0.1], "short_base": 2, "rate": 0.5}})
    growth, now, lowest = math.exp(0.5 * YEARS), 95000 - 100000, 0.85 * 95000 - 100000
    built.require(now - growth * lowest, 0.8 * (now - growth * lowest), call=1, put=-1)


def test_bands_are_by_price() -> None:
    names = [f"short BTC-27DEC24, prices {band}" for band in ("lowest to -5 %", "-5 % to +5 %", "+5 % to highest")]
    built = rules({**GRID, "static_discount": {"mode": "banded", "bands": [-0.05, 0.05]}})
    assert [name for name in built.initial.row_names if name.startswith("short BTC-27DEC24")] == names


@pytest.mark.parametrize(
    ("expiries", "form"), [(1, "exact"), (3, "exact"), (4, "banded"), (7, "banded"), (8, "by-leg")]
)
def test_the_form_follows_the_number_of_expiries(expiries: int, form: str) -> None:
    days = ("29NOV24", "6DEC24", "13DEC24", "27DEC24", "31JAN25", "28FEB25", "28MAR25", "27JUN25")
    options = [option_fields(f"BTC-{day}-90000-P", 94200.0, 0.6) for day in days[:expiries]]
    assert StaticDiscount().form(rules(NOTHING, options=options).initial.universe) == form


def test_a_skew_beside_a_static_discount_asks_for_more() -> None:
    """Held long: M − dPos·M', exactly. Held short: d·M' − M with d = dNeg = 1, as the method has it at rate 0."""
    skew = {"component": "skew", "shape": "linear", "conservative": True}
    mild = {**GRID, "scenarios": [{"price_move": 0, "volatility": "up", "weight": 0.001}], "static_discount": {}}
    root = math.sqrt(YEARS)
    cap, flat_from = 0.15 - 0.05 * root, root * 4 * (0.6 - 0.1 * root)
    skewed = call_price(95000, 100000, 0.55 * (1 + math.log(100 / 95) * cap / flat_from), YEARS)
    positive = 0.95 * math.exp(-YEARS * 0.08)
    built = rules(mild, skew)
    built.require(CALL_NOW - positive * skewed, 0.8 * (CALL_NOW - positive * skewed), call=1)
    built.require(skewed - CALL_NOW, 0.8 * (skewed - CALL_NOW), call=-1)


def test_naked_shorts_are_netted_by_strike() -> None:
    built = rules({"component": "naked-shorts", "rate": {"initial": 0.005, "maintenance": 0.003}})
    built.require(2 * 0.005 * 94000, 2 * 0.003 * 94000, call=-3, put=1)
    built.require(4 * 0.005 * 94000, 4 * 0.003 * 94000, call=-3, early_put=-1, put=0)
    built.require(0, 0, call=3, put=-3)
    (netted,) = built.initial.layout.auxiliaries
    assert netted.name == "naked shorts BTC-27DEC24 100000"
    rules({"component": "naked-shorts", "rate": {"initial": 0.005, "maintenance": 0}}).require(470, 0, call=-1)


def test_feeds_below_the_threshold_are_charged() -> None:
    """Spot of BTC is 0.9 sure, tokens 0.8, the perpetual 0.5."""
    built = rules(NOTHING, {"component": "oracle-confidence", "threshold": 0.85})
    built.require(0.5 * 2 * 94000, 0, perpetual=-2)
    built.require(0.5 * 94000, 0, call=1)
    built.require(0.2 * 94000, 0, BTC=1)
    alone = rules(NOTHING, {"component": "oracle-confidence", "threshold": 0.95, "perpetual_counts": False})
    alone.require(0.1 * 94000 * 3, 0, call=-2, early_put=1)
    both = rules(NOTHING, {"component": "oracle-confidence", "threshold": 0.3, "margin": 1})
    both.require(0, 0, call=-2, perpetual=1)


def test_an_expiry_is_as_sure_as_its_least_sure_feed() -> None:
    fields: dict[str, Any] = two_coin_fields()
    fields["options"][0]["confidence"] = 0.4
    future = fields["options"][0]["instrument"].removesuffix("-100000-C")
    snapshot = MarketSnapshot.model_validate_json(canonical_json(fields))
    component = {"component": "oracle-confidence", "threshold": 0.5, "margin": {"initial": 2, "maintenance": 1}}
    built = Rules(*build_rules(snapshot, rule_of(NOTHING, component)))
    built.require(2 * 0.6 * 94000, 0.6 * 94000, **{future: 1})
    built.require(0, 0, early_put=1)


@pytest.mark.parametrize(("threshold", "increase"), [(1.01, 0.04), (0.99, 0), (0.9902, 0.001)])
def test_a_stable_coin_that_slips_raises_the_loss_factor(threshold: float, increase: float) -> None:
    """It stands at 0.99; the increase is rounded up to a thousandth."""
    built = rules(GRID, {"component": "stablecoin-depeg", "threshold": threshold})
    loss = 0.15 * 94010
    built.require((1 + increase) * loss, 0.8 * loss, perpetual=1)


def test_haircuts_are_by_name_and_full_where_none_is_stated() -> None:
    haircuts = {"BTC": {"initial": 0.05, "maintenance": 0.03}}
    built = rules(NOTHING, {"component": "collateral-haircut", "haircuts": haircuts})
    built.require(2 * 0.05 * 94000, 2 * 0.03 * 94000, BTC=2)
    built.require(3250, 3250, WEETH=1)
    built.require(0.05 * 94000, 0.03 * 94000, BTC=-1)


def test_more_collateral_of_any_kind_never_hurts_under_the_shipped_rule() -> None:
    sure = {"BTC": {"index_price": 94000.0}, "ETH": {"index_price": 3100.0}}
    for rule in build_rules(market(underlyings=sure, stable_price=0.95), shipped_portfolio()):
        for name in ("USD", "BTC", "WEETH", "USDC"):
            slot = rule.slots.find(name)
            held_long = rule.matrix.entries[:, slot.book, 4 * slot.position]
            assert min(int(entry) for entry, row in zip(held_long, rule.rows, strict=True) if row.kind.is_money) > 0


def test_thin_books_cost_more() -> None:
    """Half the spread is 1 %, and 50 coins a day are 4.7 % of the depth that is asked for."""
    thinness = 1 - 50 * 94000 / 100_000_000
    initial, maintenance = 2 * 0.01 + 0.2 * thinness, 0.01 + 0.1 * thinness
    rules(NOTHING, {"component": "illiquid-collateral"}).require(94000 * initial, 94000 * maintenance, BTC=1)
    rules(NOTHING, {"component": "illiquid-collateral", "most": 0.05}).require(4700, 4700, BTC=1)


def test_haircuts_together_never_take_more_than_a_token_is_worth() -> None:
    haircut = {"component": "collateral-haircut", "haircuts": {"BTC": 0.5}, "other": 0.95}
    flat = {"component": "leg-charges", "spread": False, "token_haircut": 0.1}
    thin = {"component": "illiquid-collateral", "spread_multiple": 50, "thin_charge": 0}
    built = rules(haircut, flat, thin)
    built.require(94000, 94000, BTC=1)
    for components in ((haircut, flat), (flat, haircut), (haircut, haircut)):
        rules(NOTHING, *components).require(3250, 3250, WEETH=1)


@pytest.mark.parametrize("path", MARKET_FILES, ids=lambda path: path.stem)
def test_the_shipped_rule_fits_a_book(path: Path) -> None:
    """Nothing moves, 28 scenarios, basis and two skews, each with two definitions an expiry, and the mask."""
    snapshot = load_market(path)
    for rule in build_rules(snapshot, shipped_rule("portfolio")):
        expiries = len(rule.universe.expiries)
        assert len(rule.rows) == 33 + 6 * expiries
        assert rule.matrix.books == 1
        assert len(rule.layout.auxiliaries) == 3 * expiries
        assert sum(row.kind is RowKind.DEFINITION for row in rule.rows) == 6 * expiries


@pytest.mark.parametrize("path", MARKET_FILES, ids=lambda path: path.stem)
def test_the_shipped_rule_fits_a_book_with_its_static_discount(path: Path) -> None:
    rule, _ = build_rules(load_market(path), shipped_portfolio(mode="automatic"))
    bands = {True: 7, False: 0}[len(rule.universe.expiries) <= 7]
    assert len(rule.layout.auxiliaries) == (3 + bands) * len(rule.universe.expiries)


BAD_FILES: Final = [
    ({"component": "basis", "up": -0.1}, r"basis\.up = -0\.1.*greater than or equal to 0"),
    ({"component": "skew", "shape": "cubic"}, r"skew\.shape = 'cubic'.*'linear' or 'absolute'"),
    ({"component": "skew", "shape": "linear", "weight": 0}, r"skew\.weight = 0.*greater than 0"),
    ({"component": "skew"}, r"skew\.shape: it is missing; add it"),
    ({"component": "naked-shorts", "rate": 2}, r"naked-shorts\.rate\..* = 2.*less than or equal to 1"),
    (
        {"component": "naked-shorts", "rate": {"initial": 0.1, "maintenance": 0.2}},
        r"rate\.maintenance = 0\.2 is above rate\.initial = 0\.1: lower it",
    ),
    ({"component": "oracle-confidence", "threshold": 1.5}, r"threshold = 1\.5.*less than or equal to 1"),
    ({"component": "stablecoin-depeg", "factor": -1}, r"factor\..* = -1.*greater than or equal to 0"),
    (
        {"component": "collateral-haircut", "haircuts": {"BTC": {"initial": 0.1, "maintenance": 0.2}}},
        r"haircuts\.BTC\.maintenance = 0\.2 is above haircuts\.BTC\.initial = 0\.1: lower it",
    ),
    ({"component": "illiquid-collateral", "deep_volume": 0}, r"deep_volume = 0.*greater than 0"),
    (
        {**GRID, "static_discount": {"mode": "guess"}},
        r"static_discount\.mode = 'guess'.*'exact', 'banded', 'by-leg' or 'automatic'",
    ),
    ({**GRID, "static_discount": {"bands": [0.1, -0.1]}}, r"bands = 0\.1, -0\.1 do not rise: order them, each once"),
    ({**GRID, "static_discount": {"rates": {"27DEC24": 0.1}}}, r"static_discount\.rates\.27DEC24.*match pattern"),
    (
        {**GRID, "static_discount": {}, "across": "sum"},
        r"across = 'sum' with static_discount: .* set across: joint",
    ),
]


@pytest.mark.parametrize(("component", "words"), BAD_FILES)
def test_bad_constants_are_named_with_value_and_remedy(component: Mapping[str, object], words: str) -> None:
    with pytest.raises(RuleFileError, match=words):
        rule_of(component)


SKEW: Final = {"component": "skew", "shape": "linear"}
NOT_CONVEX: Final = [
    (
        ({"component": "basis", "add": -1, "multiple": 2},),
        r"add = -1 with multiple = 2 gives -0\..* for BTC-.*not convex: raise add or multiple",
    ),
    (
        ({**GRID, "static_discount": {"short_base": 0.9}},),
        r"short_base = 0\.9 with long_base = 0\.95 .*not convex: raise short_base or lower long_base",
    ),
    (
        ({**GRID, "static_discount": {}}, SKEW),
        r"shape = linear beside a static_discount .*not convex: leave static_discount out",
    ),
]


@pytest.mark.parametrize(("components", "words"), NOT_CONVEX)
def test_rules_that_are_not_convex_are_refused_with_the_reason(
    components: tuple[Mapping[str, object], ...], words: str
) -> None:
    with pytest.raises(RuleBuildError, match=words):
        rules(*components)
