"""Limits, dynamic thresholds, concentration, spreads between months and minimum delta, by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest

from prover.components.exposure_measures import Grouping, Measure, exposure_groups
from prover.errors import RuleBuildError, RuleFileError
from prover.market.market_data import MarketSnapshot, canonical_json
from prover.rules.rule_builder import build_rules
from prover.rules.rule_rows import RowKind
from tests.support.component_rules import rule_of
from tests.support.requirements import assessed, require_requirement, two_coin_rules
from tests.support.small_markets import two_coin_fields, two_coin_market
from verifier.rules.rule_audit import audit_matrix
from verifier.rules.rule_kind import PUBLISHED_KINDS, RuleKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prover.rules.rule_definition import RuleDefinition

INITIAL, MAINTENANCE = PUBLISHED_KINDS
BTC, ETH = "BTC-PERPETUAL", "ETH-PERPETUAL"
FUTURE = "BTC-27DEC24"
CALL, PUT, ETH_CALL = "BTC-27DEC24-100000-C", "BTC-29NOV24-90000-P", "ETH-27DEC24-3200-C"
BTC_INDEX, ETH_INDEX = 94_000.0, 3_100.0
NOTHING: Final = {"component": "leg-charges", "spread": False}


def limited(**fields: object) -> RuleDefinition:
    """Nothing but one limit on net exposure."""
    return rule_of(NOTHING, {"component": "net-exposure-limit", **fields})


def limit_headrooms(
    definition: RuleDefinition, holdings: Mapping[str, float | str], kind: RuleKind = INITIAL
) -> dict[str, float]:
    """What is left of every limit, by name."""
    rows = assessed(definition, holdings, kind).headrooms
    return {entry.row.name: float(entry.headroom) for entry in rows if entry.row.kind is RowKind.LIMIT}


def test_a_net_limit_bounds_the_delta_of_each_underlying_on_both_sides() -> None:
    definition = limited(limit={"initial": 200_000, "maintenance": 250_000})
    left = limit_headrooms(definition, {BTC: 3, FUTURE: -1, ETH: -20})
    assert left["net BTC delta at most +200,000"] == pytest.approx(200_000 - 2 * BTC_INDEX, abs=4)
    assert left["net BTC delta at least −200,000"] == pytest.approx(200_000 + 2 * BTC_INDEX, abs=4)
    assert left["net ETH delta at most +200,000"] == pytest.approx(200_000 + 20 * ETH_INDEX, abs=2)
    assert left["net ETH delta at least −200,000"] == pytest.approx(200_000 - 20 * ETH_INDEX, abs=2)
    wider = limit_headrooms(definition, {BTC: 3, FUTURE: -1, ETH: -20}, MAINTENANCE)
    assert list(wider.values()) == pytest.approx([value + 50_000 for value in left.values()], abs=0.01)


def test_net_limits_of_vega_and_gamma_follow_the_sensitivities() -> None:
    rule = two_coin_rules(limited(limit=10**6))[0]
    place = rule.slots.flat_index(rule.slots.find(CALL))
    vega, gamma = rule.universe.vega[place], rule.universe.gamma[place]
    left = limit_headrooms(limited(limit=10**6, measure="vega"), {CALL: -5})
    assert left["net BTC vega at least −1,000,000"] == pytest.approx(10**6 - 5 * vega, abs=6)
    left = limit_headrooms(limited(limit=10**6, measure="gamma"), {CALL: 5})
    assert left["net BTC gamma at most +1,000,000"] == pytest.approx(10**6 - 5 * gamma * BTC_INDEX**2 / 100, abs=6)


def test_limits_of_expiries_take_perpetuals_and_coins_as_an_expiry_of_their_own() -> None:
    left = limit_headrooms(limited(limit=10**6, by="expiry"), {BTC: 1, "BTC": 2, FUTURE: -4})
    assert left["net BTC without expiry delta at most +1,000,000"] == pytest.approx(10**6 - 3 * BTC_INDEX, abs=4)
    assert left["net BTC-27DEC24 delta at least −1,000,000"] == pytest.approx(10**6 - 4 * BTC_INDEX, abs=5)


def test_a_limit_on_everything_nets_underlyings_and_leaves_stable_coins_out() -> None:
    left = limit_headrooms(limited(limit=10**6, by="total"), {BTC: 1, ETH: -20, "USDC": 500_000})
    assert left["net total delta at most +1,000,000"] == pytest.approx(10**6 - BTC_INDEX + 20 * ETH_INDEX, abs=4)


def test_a_market_without_the_measured_exposure_has_no_such_limit() -> None:
    fields = two_coin_fields() | {"tokens": []}
    market = MarketSnapshot.model_validate_json(canonical_json(fields))
    collateral = {"component": "gross-limit", "measure": "collateral", "by": "total", "limit": 1}
    concentration = {"component": "concentration", "measure": "collateral", "tiers": [{"above": 0, "rate": "0.1"}]}
    for rule in build_rules(market, rule_of(NOTHING, collateral, concentration)):
        assert [row.kind for row in rule.rows] == [RowKind.SCENARIO, RowKind.MASK]


def test_a_gross_limit_counts_long_and_short() -> None:
    definition = rule_of(NOTHING, {"component": "gross-limit", "limit": 10**6})
    left = limit_headrooms(definition, {BTC: 3, FUTURE: -1, PUT: -2, "BTC": 7})
    assert left["gross BTC notional at most 1,000,000"] == pytest.approx(10**6 - 6 * BTC_INDEX, abs=7)
    assert left["gross ETH notional at most 1,000,000"] == 10**6


@pytest.mark.parametrize(
    ("follows", "multiple"),
    [
        ({"reference": 1.1}, 1.1 / 0.55),
        ({"reference": 1.1, "power": 2}, 4),
        ({"reference": 1.1, "power": 2, "most": 3}, 3),
        ({"reference": 0.1}, 0.25),
        ({"reference": 0.6, "days": 7}, 1),
    ],
    ids=["in proportion", "squared", "at most", "at least", "nearest expiry"],
)
def test_a_limit_that_follows_volatility(follows: dict[str, object], multiple: float) -> None:
    """At the money Bitcoin stands at 55 % on 27 December, 60 % on 29 November."""
    left = limit_headrooms(limited(limit=10**6, follows={"by": "volatility", **follows}), {})
    assert next(value for name, value in left.items() if "BTC" in name) == pytest.approx(multiple * 10**6, abs=0.01)


def test_a_limit_that_follows_open_interest_is_no_larger_than_its_base() -> None:
    follows = {"by": "open-interest", "fraction": 0.1}
    left = limit_headrooms(rule_of(NOTHING, {"component": "gross-limit", "limit": 10**6, "follows": follows}), {})
    # 100 perpetuals, 100 futures, 10 + 20 options of BTC; 100, 100 and 400 of ETH.
    assert min(left.values()) == pytest.approx(0.1 * 600 * ETH_INDEX, abs=0.01)
    assert max(left.values()) == 10**6


def test_a_limit_that_follows_collateral_grows_and_shrinks_with_it() -> None:
    definition = limited(limit=1000, by="total", follows={"by": "collateral", "multiple": 5})
    upper = "net total delta at most +1,000"
    assert limit_headrooms(definition, {"USD": 10_000, BTC: 0.5})[upper] == pytest.approx(51_000 - 47_000, abs=1)
    assert limit_headrooms(definition, {"USD": -100, "USDC": 300})[upper] == pytest.approx(1000 + 5 * 200, abs=0.1)
    assert not assessed(definition, {"USD": 9_000, BTC: 0.5}).is_covered
    assert assessed(definition, {"USD": 10_000, BTC: 0.5}).is_covered


TIERS: Final = [
    {"above": 1_000_000, "rate": {"initial": "0.0075", "maintenance": "0.005"}},
    {"above": 5_000_000, "rate": {"initial": "0.0175", "maintenance": "0.0125"}},
    {"above": 10_000_000, "rate": {"initial": "0.025", "maintenance": "0.02"}},
]


def concentrated(**fields: object) -> RuleDefinition:
    """Nothing but a charge on concentration."""
    return rule_of(NOTHING, {"component": "concentration", "tiers": TIERS, **fields})


@pytest.mark.parametrize(
    ("quantity", "initial", "maintenance"),
    [(1, 0, 0), (-20, 880_000 * 0.0075, 880_000 * 0.005), (60, 30_000 + 640_000 * 0.0175, 20_000 + 640_000 * 0.0125)],
)
def test_a_charge_on_concentration_by_hand(quantity: float, initial: float, maintenance: float) -> None:
    require_requirement(concentrated(), {BTC: quantity}, initial)
    require_requirement(concentrated(), {BTC: quantity}, maintenance, MAINTENANCE)


def test_concentration_nets_or_adds_up() -> None:
    require_requirement(concentrated(), {BTC: 60, FUTURE: -59}, 0)
    require_requirement(concentrated(of="gross"), {BTC: 30, FUTURE: -30}, 30_000 + 640_000 * 0.0175)
    require_requirement(concentrated(of="gross", by="instrument"), {BTC: 30, FUTURE: -30}, 2 * 1_820_000 * 0.0075)


def test_concentrated_collateral_is_charged_by_token() -> None:
    tiers = [{"above": 0, "rate": "0.02"}, {"above": 100_000, "rate": "0.1"}]
    definition = concentrated(measure="collateral", by="instrument", of="gross", tiers=tiers)
    require_requirement(definition, {"BTC": 2, "WEETH": 10}, 0.02 * (100_000 + 32_500) + 0.1 * 88_000)


def test_the_published_example_of_a_tiered_charge() -> None:
    """A position of 10 million at 0.75, 1.75 and 2.5 % of its slices up to 1, 5 and 10 million costs 202,500."""
    tiers = [
        {"above": 0, "rate": "0.0075"},
        {"above": 1_000_000, "rate": "0.0175"},
        {"above": 5_000_000, "rate": "0.025"},
    ]
    # Cash is no collateral token; 100,000 lots of 100 USDC are 10 million.
    definition = concentrated(measure="collateral", by="instrument", of="gross", tiers=tiers)
    require_requirement(definition, {"USDC": 10_000_000}, 202_500)


def test_the_calendar_charge_is_that_of_a_perfect_spread_and_more_for_one_side() -> None:
    definition = rule_of(NOTHING, {"component": "calendar-spread", "rate": {"initial": "0.01", "maintenance": "0.004"}})
    require_requirement(definition, {BTC: 5, FUTURE: -5}, 0.01 * 5 * BTC_INDEX)
    require_requirement(definition, {BTC: 5, FUTURE: -5}, 0.004 * 5 * BTC_INDEX, MAINTENANCE)
    require_requirement(definition, {BTC: 5}, 0.005 * 5 * BTC_INDEX)


def test_the_minimum_delta_charges_net_and_hedged() -> None:
    definition = rule_of({"component": "minimum-delta"})
    # BTC: 3 long, 1 short: net 2, hedged 1; ETH: net −20.
    expected = (0.02 * 2 + 0.01 * 1) * BTC_INDEX + 0.02 * 20 * ETH_INDEX
    require_requirement(definition, {BTC: 3, FUTURE: -1, ETH: -20}, expected)
    require_requirement(definition, {BTC: 3, FUTURE: -1, ETH: -20}, 0.8 * expected, MAINTENANCE)


def test_the_short_option_minimum_counts_short_options_alone() -> None:
    definition = rule_of(NOTHING, {"component": "short-option-minimum", "rate": {"initial": "0.01", "maintenance": 0}})
    require_requirement(definition, {PUT: -3, CALL: 3, ETH_CALL: -10}, 0.01 * (3 * BTC_INDEX + 10 * ETH_INDEX))
    require_requirement(definition, {PUT: -3, CALL: 3, ETH_CALL: -10}, 0, MAINTENANCE)


def test_groups_of_a_measure_hold_each_exposure_once() -> None:
    rule = two_coin_rules(limited(limit=1))[0]
    for measure in Measure:
        total = exposure_groups(rule.universe, measure, Grouping.TOTAL)
        for grouping in (Grouping.EXPIRY, Grouping.INSTRUMENT):
            parts = exposure_groups(rule.universe, measure, grouping)
            followed = grouping is Grouping.INSTRUMENT or rule.universe.underlying >= 0
            expected = np.where(followed, total[0].exposure, 0.0)
            assert np.sum([part.exposure for part in parts], axis=0) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (
            {"component": "net-exposure-limit", "limit": {"initial": 2, "maintenance": 1}},
            r"limit\.maintenance = 1 is below limit\.initial = 2: raise it",
        ),
        (
            {"component": "gross-limit", "limit": {"initial": 2, "maintenance": 1}},
            r"limit\.maintenance = 1 is below limit\.initial = 2: raise it",
        ),
        (
            {"component": "net-exposure-limit", "limit": 1, "follows": {"by": "tides"}},
            r"follows.*'tides'",
        ),
        (
            {
                "component": "net-exposure-limit",
                "limit": 1,
                "follows": {"by": "volatility", "reference": 1, "least": 2, "most": 1},
            },
            r"least = 2 is above most = 1: swap them",
        ),
        (
            {"component": "concentration", "tiers": [{"above": 0, "rate": "0.2"}, {"above": 9, "rate": "0.1"}]},
            r"the rate falls above 9, so the charge is not convex .*: let rates rise, or charge one rate",
        ),
        (
            {"component": "concentration", "tiers": [{"above": 9, "rate": "0.1"}, {"above": 9, "rate": "0.2"}]},
            r"above = 9 follows above = 9: list them by rising threshold",
        ),
        (
            {"component": "concentration", "tiers": [{"above": 0, "rate": {"initial": "0.1", "maintenance": "0.2"}}]},
            r"above 0 the maintenance rate rises by 0\.2, more than the initial rate's 0\.1: lower it",
        ),
        (
            {"component": "calendar-spread", "rate": "0.01", "form": "exact"},
            r"form = 'exact': rate · min\(long, short\) over expiries is not convex, .*: use 'conservative'",
        ),
        (
            {"component": "minimum-delta", "net_rate": "0.01", "hedged_rate": "0.03"},
            r"hedged_rate = 0\.03 is more than twice net_rate = 0\.01: .* not be convex; lower hedged_rate",
        ),
        (
            {"component": "short-option-minimum", "rate": {"initial": "0.01", "maintenance": "0.02"}},
            r"rate\.maintenance = 0\.02 is above rate\.initial = 0\.01: lower it",
        ),
    ],
)
def test_bad_constants_are_refused_by_name_value_and_remedy(component: dict[str, Any], message: str) -> None:
    with pytest.raises(RuleFileError, match=message):
        rule_of(NOTHING, component)


def test_a_limit_cannot_follow_the_volatility_of_a_coin_without_options() -> None:
    fields = two_coin_fields()
    fields["options"] = [option for option in fields["options"] if "BTC" in option["instrument"]]  # type: ignore[attr-defined]
    market = MarketSnapshot.model_validate_json(canonical_json(fields))
    with pytest.raises(RuleBuildError, match=r"no option on ETH is listed; follow something else"):
        build_rules(market, limited(limit=1, follows={"by": "volatility", "reference": 1}))


def test_a_limit_on_a_stable_coin_cannot_follow_volatility() -> None:
    limit = {"component": "gross-limit", "measure": "collateral", "by": "instrument", "limit": 1}
    with pytest.raises(RuleBuildError, match=r"USDC follows no coin; follow something else"):
        two_coin_rules(rule_of(NOTHING, {**limit, "follows": {"by": "volatility", "reference": 1}}))


def test_a_component_stated_twice_is_refused() -> None:
    twice = {"component": "concentration", "tiers": TIERS}
    with pytest.raises(RuleBuildError, match=r"two components define 'net BTC delta above 1,000,000'.*merge"):
        build_rules(two_coin_market(), rule_of(twice, twice))


def test_these_rules_open_no_free_box() -> None:
    for definition in (
        limited(limit=10**6, measure="vega", by="expiry"),
        limited(limit=1000, by="total", follows={"by": "collateral", "multiple": "3.7"}),
        concentrated(of="gross", measure="vega"),
        rule_of({"component": "minimum-delta"}, {"component": "calendar-spread", "rate": "0.01"}),
    ):
        for rule in two_coin_rules(definition):
            assert audit_matrix(rule.matrix) == []
