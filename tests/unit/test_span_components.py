"""SPAN and credits for spreads, by hand; what is not convex or opens a free box is refused with the reason."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import pytest

from prover.argument.witness import BookOpening, row_sums
from prover.components.span_terms import SPAN_MOVES
from prover.errors import RuleBuildError, RuleFileError
from prover.market.market_data import MarketSnapshot, canonical_json
from prover.methodologies.span import SCENARIOS
from prover.rules.exposure import assess_margin
from prover.rules.rule_builder import build_rules
from prover.rules.rule_file import shipped_rule
from tests.support.component_rules import rule_of
from tests.support.requirements import assessed, require_requirement, two_coin_rules
from tests.support.risk_rules import holding
from tests.support.small_markets import linear_fields, two_coin_fields, two_coin_market
from verifier.rules.rule_audit import audit_matrix
from verifier.rules.rule_boundedness import least_cash
from verifier.rules.rule_kind import PUBLISHED_KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prover.rules.built_rule import BuiltRule
    from prover.rules.rule_definition import RuleDefinition

INITIAL, MAINTENANCE = PUBLISHED_KINDS
BTC, ETH, FUTURE, CALL = "BTC-PERPETUAL", "ETH-PERPETUAL", "BTC-27DEC24", "BTC-27DEC24-100000-C"
BTC_MARK, ETH_MARK, FUTURE_MARK = 94_010.0, 3_101.0, 95_000.0
BTC_INDEX, ETH_INDEX = 94_000.0, 3_100.0
RANGES: Final = {
    "price_scan_range": {"BTC": "0.15", "ETH": "0.18"},
    "volatility_scan_range": {"BTC": "0.1", "ETH": "0.1"},
}
MONTHS: Final = {"inter_month": {"BTC": "0.004", "ETH": "0.005"}}
CREDIT: Final = {"inter_commodity": [{"underlyings": ["BTC", "ETH"], "credit": "0.5"}]}
BTC_SCAN, ETH_SCAN = 0.15 * BTC_MARK, 0.18 * 20 * ETH_MARK
"""Of one Bitcoin and of twenty ether."""


def span(**fields: object) -> RuleDefinition:
    """Nothing but SPAN."""
    return rule_of({"component": "span-scan", **RANGES, **fields})


def test_the_scenarios_are_those_of_the_method_in_their_order_of_moves() -> None:
    ours = {(float(move.price), float(move.volatility), float(move.weight)) for move in SPAN_MOVES}
    theirs = {(round(item.price, 12), item.vol, item.weight) for item in SCENARIOS}
    assert {(round(price, 12), volatility, weight) for price, volatility, weight in ours} == theirs
    assert len(SPAN_MOVES) == len(SCENARIOS) == 16
    assert {move.side for move in SPAN_MOVES} == {move.weight * move.price for move in SPAN_MOVES}


@pytest.mark.parametrize(
    ("fields", "holdings", "expected"),
    [
        ({}, {BTC: 1}, BTC_SCAN),
        ({}, {BTC: -1}, BTC_SCAN),
        ({}, {BTC: 1, ETH: -20}, BTC_SCAN + ETH_SCAN),
        ({"joint": True}, {BTC: 1, ETH: 20}, BTC_SCAN + ETH_SCAN),
        ({"joint": True}, {BTC: 1, ETH: -20}, BTC_SCAN - ETH_SCAN),
        (MONTHS, {BTC: 5}, 5 * BTC_SCAN),
        (MONTHS, {BTC: 5, FUTURE: -5}, 0.15 * 5 * (FUTURE_MARK - BTC_MARK) + 0.004 * 5 * BTC_INDEX),
        (MONTHS, {BTC: 5, FUTURE: -2}, 0.15 * (5 * BTC_MARK - 2 * FUTURE_MARK) + 0.004 * 2 * BTC_INDEX),
        (MONTHS, {BTC: -5, FUTURE: 2}, 0.15 * (5 * BTC_MARK - 2 * FUTURE_MARK) + 0.004 * 2 * BTC_INDEX),
        (
            {"joint": True, **MONTHS},
            {BTC: 5, FUTURE: -2, ETH: 20},
            0.15 * (5 * BTC_MARK - 2 * FUTURE_MARK) + ETH_SCAN + 0.004 * 2 * BTC_INDEX,
        ),
        (CREDIT, {BTC: 1, ETH: -20}, BTC_SCAN + ETH_SCAN - 2 * 0.5 * 0.18 * 20 * ETH_INDEX),
        (CREDIT, {BTC: -1, ETH: 20}, BTC_SCAN + ETH_SCAN - 2 * 0.5 * 0.18 * 20 * ETH_INDEX),
        (CREDIT, {BTC: 1, ETH: 20}, BTC_SCAN + ETH_SCAN),
        (CREDIT, {BTC: "0.5", ETH: -20}, 0.5 * BTC_SCAN + ETH_SCAN - 2 * 0.5 * 0.15 * 0.5 * BTC_INDEX),
        ({"short_option_minimum": {"BTC": "0.5"}}, {CALL: -2, ETH: 20}, 0.5 * 2 * BTC_INDEX + ETH_SCAN),
    ],
)
def test_span_by_hand(fields: dict[str, object], holdings: dict[str, float | str], expected: float) -> None:
    require_requirement(span(**fields), holdings, expected)
    require_requirement(span(**fields), holdings, 0.8 * expected, MAINTENANCE)


def test_a_small_minimum_changes_nothing() -> None:
    holdings: dict[str, float | str] = {CALL: -2, BTC: 20}
    for kind in PUBLISHED_KINDS:
        with_minimum = assessed(span(short_option_minimum={"BTC": "0.01"}), holdings, kind)
        assert with_minimum.requirement == assessed(span(), holdings, kind).requirement


def test_a_credit_leaves_the_short_option_minimum_standing() -> None:
    definition = span(**CREDIT, short_option_minimum={"BTC": "0.5"})
    holdings: dict[str, float | str] = {CALL: -1, BTC: "0.4", ETH: 20}
    require_requirement(definition, holdings, 0.5 * BTC_INDEX + max(0.0, ETH_SCAN - assess_offset(holdings)))


def assess_offset(holdings: Mapping[str, float | str]) -> float:
    """Half the offsetting risk of the holdings."""
    universe = two_coin_rules(span())[0].universe
    place = universe.slots.flat_index(universe.slots.find(CALL))
    net = float(holdings[BTC]) - float(universe.delta[place])
    return min(0.5 * 0.15 * max(0.0, -net) * BTC_INDEX, 0.5 * 0.18 * 20 * ETH_INDEX)


def test_stated_risk_arrays_take_the_place_of_computed_ones() -> None:
    losses = [0.0] * 15 + [4321.5]
    require_requirement(span(risk_arrays={BTC: losses}), {BTC: 2, ETH: 20}, 2 * 4321.5 + ETH_SCAN)
    require_requirement(span(risk_arrays={BTC: losses}), {BTC: -2}, 0)


def test_an_underlying_that_the_market_lacks_gives_no_credit() -> None:
    credit = {"inter_commodity": [{"underlyings": ["BTC", "SOL"], "credit": "0.5"}]}
    require_requirement(span(**credit), {BTC: 1, ETH: -20}, BTC_SCAN + ETH_SCAN)


def test_the_shipped_rule_fits_one_book() -> None:
    lot_sizes = rule_of({"component": "minimum-delta"}).lot_sizes
    definition = shipped_rule("span").model_copy(update={"lot_sizes": lot_sizes})
    for rule in build_rules(two_coin_market(), definition):
        assert audit_matrix(rule.matrix) == []
        assert least_cash(rule.matrix) == pytest.approx(0, abs=1e-6)
        assert rule.matrix.rows <= 60


PAIR: Final = {"underlyings": ["BTC", "ETH"], "credit": "0.08"}


def spreads(*pairs: Mapping[str, object], leg: str = "0.1", **fields: object) -> RuleDefinition:
    """Nothing but a charge on deltas with credits."""
    return rule_of({"component": "spread-credit", "leg": leg, "pairs": list(pairs), **fields})


@pytest.mark.parametrize(
    ("holdings", "expected"),
    [
        ({BTC: 1}, 9_400),
        ({BTC: 1, ETH: -20}, 0.1 * 156_000 - 0.08 * 62_000),
        ({BTC: -1, ETH: 20}, 0.1 * 156_000 - 0.08 * 62_000),
        ({BTC: "0.5", ETH: -20}, 0.1 * 109_000 - 0.08 * 47_000),
        ({BTC: 1, ETH: 20}, 15_600),
        ({BTC: 1, FUTURE: -1}, 0),
    ],
)
def test_the_spread_credit_by_hand(holdings: dict[str, float | str], expected: float) -> None:
    share = {"initial": 1, "maintenance": "0.75"}
    require_requirement(spreads(PAIR, share=share), holdings, expected)
    require_requirement(spreads(PAIR, share=share), holdings, 0.75 * expected, MAINTENANCE)


@cache
def three_coin_rule() -> BuiltRule:
    """Three pairs of three coins, the dearest last."""
    fields: dict[str, Any] = two_coin_fields()
    fields["underlyings"]["SOL"] = {"index_price": 200.0}
    fields["perpetuals"].append(linear_fields("SOL-PERPETUAL", 200.0))
    market = MarketSnapshot.model_validate_json(canonical_json(fields))
    pairs = [
        {"underlyings": ["BTC", "SOL"], "credit": "0.04"},
        {"underlyings": ["SOL", "ETH"], "credit": "0.05"},
        PAIR,
    ]
    lot_sizes = {"BTC": 0.01, "ETH": 0.1, "SOL": 1, "WEETH": 0.1, "USDC": 100}
    component = {"component": "spread-credit", "leg": "0.1", "pairs": pairs}
    return build_rules(market, rule_of(component, lot_sizes=lot_sizes))[0]


@pytest.mark.parametrize(
    ("bitcoin", "ether", "sol", "credit"),
    [
        # Both pairs want the Bitcoin: the dearer credit gets it first.
        (100, -200, -200, 0.08 * 62_000 + 0.04 * 32_000),
        # A pair less for a dearer sum: both ether spreads together beat one of them whole.
        (20, -100, 100, 0.08 * 18_800 + 0.05 * 12_200),
        (0, -100, 200, 0.05 * 31_000),
        (50, 100, 100, 0),
    ],
)
def test_deltas_go_to_the_pairs_with_the_greatest_credit(bitcoin: int, ether: int, sol: int, credit: float) -> None:
    rule = three_coin_rule()
    lots = {"BTC-PERPETUAL": bitcoin, "ETH-PERPETUAL": ether, "SOL-PERPETUAL": sol}
    portfolio = holding(rule, {rule.slots.flat_index(rule.slots.find(name)): held for name, held in lots.items()})
    gross = 0.1 * (940 * abs(bitcoin) + 310 * abs(ether) + 200 * abs(sol))
    assert gross - credit - 1e-6 <= assess_margin(rule, portfolio).requirement <= gross - credit + 0.04 * 600
    rich = portfolio.plus(holding(rule, {0: 10**7}))
    witness = rule.witness([BookOpening(book, 1) for book in rich.lots])
    assert set(row_sums(rule.matrix, witness.columns)) == {0}


def test_a_credit_as_large_as_the_leg_opens_nothing() -> None:
    for rule in two_coin_rules(spreads({**PAIR, "credit": "0.1"})):
        assert audit_matrix(rule.matrix) == []
        assert least_cash(rule.matrix) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (
            {"component": "spread-credit", "leg": "0.05", "pairs": [PAIR]},
            r"credit = 0\.08 of BTC/ETH is above leg = 0\.05: .* \(a free box\); lower the credit or raise leg",
        ),
        (
            {"component": "spread-credit", "leg": "0.1", "pairs": [{"underlyings": ["BTC", "BTC"], "credit": "0.01"}]},
            r"BTC is paired with itself: name two underlyings",
        ),
        (
            {"component": "spread-credit", "leg": "0.1", "pairs": [PAIR, {**PAIR, "underlyings": ["ETH", "BTC"]}]},
            r"a pair is listed twice: keep one",
        ),
        (
            {"component": "spread-credit", "leg": "0.1", "pairs": [PAIR], "share": {"initial": 0, "maintenance": 1}},
            r"share\.maintenance = 1 is above share\.initial = 0: lower it",
        ),
        (
            {"component": "span-scan", **RANGES, "risk_arrays": {BTC: [1.0]}},
            r"risk_arrays\.BTC-PERPETUAL has 1 losses: give 16",
        ),
        (
            {"component": "span-scan", **RANGES, "risk_arrays": {"BTC-PERP!": [1.0] * 16}},
            r"risk_arrays: .*BTC-PERP!",
        ),
        (
            {
                "component": "span-scan",
                **RANGES,
                "inter_commodity": [
                    {"underlyings": ["BTC", "ETH"], "credit": "0.1"},
                    {"underlyings": ["SOL", "BTC"], "credit": "0.1"},
                ],
            },
            r"inter_commodity: BTC takes part more than once: keep one credit for each underlying",
        ),
        (
            {"component": "span-scan", **RANGES, **CREDIT, "joint": True},
            r"joint = True: one scan has neither credits between underlyings nor minimums of each: drop them",
        ),
        (
            {"component": "span-scan", **RANGES, "price_scan_range": {"BTC": "1.5"}},
            r"price_scan_range\.BTC = '1\.5': Input should be less than 1",
        ),
        (
            {"component": "standard-margin"},
            r"component = 'standard-margin' is no margin rule: .* not convex: use scenario-grid with naked-shorts",
        ),
        (
            {"component": "inter-month-spread", "rate": "0.01"},
            r"rate · min\(long, short\) over months is not convex: use calendar-spread, or inter_month of span-scan",
        ),
        (
            {"component": "span-scan", **RANGES, "combine": "min"},
            r"combine = 'min' of span-scan: the least of several requirements is not convex, .*: leave combine out",
        ),
    ],
)
def test_bad_constants_are_refused_by_name_value_and_remedy(component: dict[str, object], message: str) -> None:
    with pytest.raises(RuleFileError, match=message):
        rule_of(component)


@pytest.mark.parametrize("field", RANGES)
def test_every_listed_coin_needs_its_ranges(field: str) -> None:
    with pytest.raises(RuleBuildError, match=rf"{field} has no range for ETH, which the market lists; add one"):
        two_coin_rules(span(**{field: {"BTC": "0.1"}}))
