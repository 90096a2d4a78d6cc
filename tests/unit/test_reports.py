"""Reports: figures agree with the rule's own, parts add up, what a trade changes, exports."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pytest

from prover.market.pricing import OptionTerms, black76
from prover.reports.export import csv_text, exposure_fields, margin_fields
from prover.reports.margin_parts import LOSS, ROUNDING
from prover.reports.report import RiskReport, make_report, netted
from prover.reports.revaluation import PRICE_MOVES, TOGETHER, VOLATILITY_MOVES, MarketMoves, revalue
from prover.reports.tables import Column, TableData, exposure_tables, rows_table
from prover.reports.what_if import RowChange, add_trade
from prover.reports.wording import moment, money, percent, whole
from prover.rules.co_movement import CoMovement
from prover.rules.exposure import assess_margin
from prover.rules.limit_use import LimitUse
from prover.rules.rule_builder import build_rules
from prover.rules.rule_file import shipped_rule
from tests.support.reported import HEDGED, TWO_COINS, portfolio_on, two_coin_rules
from tests.support.risk_rules import example_market, example_rules

if TYPE_CHECKING:
    from prover.rules.built_rule import BuiltRule

RULES = ("scenarios", "portfolio", "span", "expected-shortfall", "exposure-limits")
OUTRIGHT = {"USD": "1000", "BTC-PERPETUAL": "3", "BTC-27DEC24-100000-C": "-1"}
NOTHING: dict[str, str] = {}


@pytest.fixture(scope="module", params=RULES)
def rules(request: pytest.FixtureRequest) -> tuple[BuiltRule, BuiltRule]:
    """Both kinds of margin of a shipped rule on the bundled market."""
    return build_rules(example_market(), shipped_rule(request.param))


def reported(quantities: dict[str, str]) -> RiskReport:
    chosen = example_rules()
    return make_report(chosen, [portfolio_on(chosen[0], quantities)])


@pytest.mark.parametrize("quantities", [HEDGED, OUTRIGHT, NOTHING], ids=["hedged", "outright", "nothing"])
def test_parts_add_up_to_the_requirement(rules: tuple[BuiltRule, BuiltRule], quantities: dict[str, str]) -> None:
    """What is left as rounding is at most three ticks a lot and a hundredth of a unit."""
    report = make_report(rules, [portfolio_on(rules[0], quantities)])
    lots = sum(abs(Decimal(units)) * 100 for name, units in quantities.items() if name != "USD")
    for rule, entry in zip(rules, report.kinds, strict=True):
        parts = {part.label: part.amount for part in entry.waterfall.parts}
        assessed = assess_margin(rule, portfolio_on(rule, quantities))
        assert sum(parts.values()) == pytest.approx(assessed.requirement, abs=1e-6)
        assert entry.waterfall.requirement == assessed.requirement
        assert entry.waterfall.headroom == pytest.approx(float(assessed.binding.headroom), abs=1e-6)
        assert -0.01 <= parts[ROUNDING] <= 3 * float(rule.tick * lots) + 0.01
        assert next(iter(parts)) == LOSS


def test_a_binding_floor_is_one_part() -> None:
    """SPAN's short option minimum: the floor asks for more than the scan when the shorts are far from the money."""
    initial = two_coin_rules("span")[0]
    report = make_report([initial], [portfolio_on(initial, {"USD": "100", "BTC-29NOV24-90000-P": "-0.01"})])
    (entry,) = report.kinds
    binding = entry.assessment.binding.row
    labels = [part.label for part in entry.waterfall.parts]
    assert labels[0] == (LOSS if binding.kind.value == "scenario" else f"floor: {binding.name}")
    assert sum(part.amount for part in entry.waterfall.parts) == pytest.approx(entry.assessment.requirement)


def test_the_worst_scenario_of_a_scan_is_named() -> None:
    rule = two_coin_rules("span")[0]
    (entry,) = make_report([rule], [portfolio_on(rule, {"USD": "90000", "BTC-PERPETUAL": "1"})]).kinds
    scan = next(decision for decision in entry.decisions if decision.auxiliary == "scan risk BTC")
    assert scan.row.startswith("scan risk BTC: price −")
    assert scan.amount > 0
    assert all(decision.amount > 0 for decision in entry.decisions)


def test_revaluation_is_the_rules_own() -> None:
    """Price factors and volatilities as a scenario of the rule would move them; time stands still."""
    rule = two_coin_rules()[0]
    universe, random = rule.universe, np.random.default_rng(5)
    quantity = random.normal(size=universe.size) * universe.live
    moves, stretch = random.uniform(-0.5, 1, (6, 2)), random.uniform(-0.5, 0.5, (6, 2))
    volatilities = universe.option_volatility * (1 + stretch[:, universe.underlying[universe.option_index]])
    expected = universe.profit(1 + moves, volatilities) @ quantity
    assert revalue(universe, quantity, MarketMoves(moves, stretch)) == pytest.approx(expected, rel=1e-9)


def test_at_expiry_an_option_is_worth_its_payoff() -> None:
    rule = two_coin_rules()[0]
    universe, name = rule.universe, "BTC-27DEC24-100000-C"
    place = universe.slots.flat_index(universe.slots.find(name))
    quantity = np.zeros(universe.size)
    quantity[place] = 2.0
    moves = np.array([[-0.1, 0.0], [0.1, 0.0]])
    profit = revalue(universe, quantity, MarketMoves(moves, np.zeros((2, 2)), universe.years[place]))
    terms = OptionTerms(100000.0, universe.years[place], is_call=True)
    now = float(black76(terms, 95000.0, 0.55))
    assert profit == pytest.approx([-2 * now, 2 * (95000 * 1.1 - 100000 - now)])


def test_pictures_cover_every_underlying_and_expiry() -> None:
    rule = two_coin_rules()[0]
    report = make_report([rule], [portfolio_on(rule, TWO_COINS)])
    assert [entry.subject for entry in report.heat_maps] == ["BTC", "ETH", TOGETHER]
    assert report.heat_maps[0].profit.shape == (len(VOLATILITY_MOVES), len(PRICE_MOVES))
    curves = {curve.subject: curve for curve in report.curves}
    assert [line.label for line in curves["BTC"].lines] == ["now", "at expiry BTC-27DEC24"]
    assert [line.label for line in curves[TOGETHER].lines] == ["now", "at expiry BTC-27DEC24, ETH-27DEC24"]
    assert curves["ETH"].index_price == pytest.approx(3100)
    unmoved = len(PRICE_MOVES) // 2
    assert curves["BTC"].lines[0].profit[unmoved] == pytest.approx(0, abs=1e-6)
    apart = report.heat_maps[0].profit + report.heat_maps[1].profit
    assert report.heat_maps[2].profit == pytest.approx(apart, abs=1e-4)


def test_limits_by_hand() -> None:
    """Two bitcoin of perpetuals are 188,000 of a limit of 100,000,000; the other side of it is not used."""
    (upper, lower) = reported({"USD": "500000", "BTC-PERPETUAL": "2"}).kinds[0].limits
    assert upper.limit == pytest.approx(100_000_000)
    assert upper.used == pytest.approx(188_000, abs=1)
    assert upper.utilisation == pytest.approx(0.00188, rel=1e-4)
    assert lower.utilisation == 0


def test_a_limit_that_follows_collateral() -> None:
    """The limit grows with the account's cash, the use does not."""
    fields = shipped_rule("scenarios").model_dump(mode="json", by_alias=True)
    for component in fields["components"]:
        if component["component"] == "net-exposure-limit":
            component["limit"], component["follows"] = 100000, {"by": "collateral", "multiple": 3}
    definition = type(shipped_rule("scenarios")).model_validate(fields)
    rules = build_rules(example_market(), definition)
    poor, rich = (
        make_report(rules, [portfolio_on(rules[0], {"USD": cash, "BTC-PERPETUAL": "1"})]).kinds[0].limits[0]
        for cash in ("10000", "60000")
    )
    assert poor.limit == pytest.approx(100000 + 3 * 10000)
    assert rich.limit == pytest.approx(100000 + 3 * 60000)
    assert poor.used == pytest.approx(94000, abs=1)
    assert rich.used == pytest.approx(94000, abs=1)


def test_no_room_at_all() -> None:
    """Of a limit of nothing there is no share, however little is used; below zero not even nothing is allowed."""
    for limit, used, is_kept in ((0.0, 5.0, False), (0.0, 0.0, True), (-4.0, -3.0, False), (-4.0, -5.0, True)):
        use = LimitUse("x", limit=limit, used=used)
        assert use.utilisation is None
        assert use.is_kept is is_kept


def test_debts_leave_no_room_in_a_limit_that_follows_collateral() -> None:
    """Cash of −500,000 brings a limit of 1,000,000 + 10 · cash to −4,000,000: both of its sides fail, and say so."""
    rules = build_rules(example_market(), shipped_rule("exposure-limits"))
    report = make_report(rules, [portfolio_on(rules[0], {"USD": "-500000", "BTC-PERPETUAL": "1"})])
    names = ["net total delta at most +1,000,000", "net total delta at least −1,000,000"]
    assert [limit.name for limit in report.kinds[0].limits if not limit.is_kept] == names
    assert report.kinds[0].assessment.failures == ("minimum delta", *names)
    assert margin_fields(report)["kinds"]["initial"]["failures"] == ["minimum delta", *names]


def test_a_limit_alone_can_fail() -> None:
    rules = build_rules(example_market())
    report = make_report(rules, [portfolio_on(rules[0], {"USD": "1000000000", "BTC-PERPETUAL": "2000"})])
    assessment = report.kinds[0].assessment
    assert assessment.binding.headroom > 0
    assert not assessment.is_covered
    assert assessment.failures == ("net BTC delta at most +100,000,000",)


def test_several_holdings_are_one_portfolio() -> None:
    rule = example_rules()[0]
    holdings = [portfolio_on(rule, HEDGED), portfolio_on(rule, {"BTC-PERPETUAL": "1.5", "USD": "-5"})]
    assert netted(holdings).quantities()["USD"] == Decimal(899995)
    assert "BTC-PERPETUAL" not in netted(holdings).quantities()
    report = make_report([rule], holdings)
    assert report.kinds[0].assessment.requirement == assess_margin(rule, netted(holdings)).requirement
    perpetual = next(entry for entry in report.exposures.positions if entry.instrument == "BTC-PERPETUAL")
    assert (perpetual.long, perpetual.short) == (Decimal("1.5"), Decimal("1.5"))


def changes(before: dict[str, str], trade: dict[str, str]) -> dict[RowChange, set[str]]:
    rules = example_rules()
    compared = add_trade(rules[:1], portfolio_on(rules[0], before), portfolio_on(rules[0], trade))[0]
    return {kind: {row.name for row in compared.rows if kind in row.changes} for kind in RowChange}


def test_a_trade_that_breaks_rows_and_its_reverse_that_heals_them() -> None:
    cash, short = {"USD": "60000"}, {"BTC-27DEC24-100000-C": "-20"}
    broken = changes(cash, short)
    assert "spot +18 %, volatility up" in broken[RowChange.BREAKS] & broken[RowChange.STARTS_TO_BIND]
    assert broken[RowChange.NO_LONGER_BINDS] == {"nothing moves"}
    healed = changes(cash | short, {"BTC-27DEC24-100000-C": "20"})
    assert healed[RowChange.HEALS] == broken[RowChange.BREAKS]
    assert healed[RowChange.STARTS_TO_BIND] == {"nothing moves"}


def test_a_trade_that_changes_no_state_names_what_binds() -> None:
    found = changes(HEDGED, {"USD": "1"})
    assert found[RowChange.STILL_BINDS] == {"spot +18 %, volatility up"}
    assert not found[RowChange.BREAKS] | found[RowChange.HEALS] | found[RowChange.STARTS_TO_BIND]


def test_margin_as_json() -> None:
    rules = example_rules()
    portfolio = portfolio_on(rules[0], HEDGED)
    compared = add_trade(rules, portfolio, portfolio.negated())
    fields = json.loads(json.dumps(margin_fields(make_report(rules, [portfolio]), compared), allow_nan=False))
    assert fields["schema"] == "zkmargin-margin-1"
    assert (fields["rule"], fields["currency"], fields["snapshot_time"]) == ("scenarios", "USD", 1732096800)
    for rule in rules:
        entry, assessed = fields["kinds"][rule.kind.name.lower()], assess_margin(rule, portfolio)
        assert float(entry["requirement"]) == pytest.approx(assessed.requirement, abs=0.006)
        assert Decimal(entry["headroom"]) == assessed.binding.headroom
        assert entry["binding_row"] == assessed.binding.row.name
        assert entry["covered"] is entry["masked_slots_empty"] is True
        assert sum(Decimal(part["amount"]) for part in entry["parts"]) == pytest.approx(Decimal(entry["requirement"]))
        exact = {row.row.name: row.headroom for row in assessed.headrooms}
        assert {row["row"]: Decimal(row["headroom"]) for row in entry["rows"]}.items() <= exact.items()
        used = 1 - float(entry["headroom"]) / float(fields["equity"])
        assert entry["rows"][0]["utilisation"] == pytest.approx(used)
    after = fields["what_if"]["initial"]
    assert after["after"]["requirement"] == "0.00"
    assert Decimal(after["requirement_change"]) == -Decimal(fields["kinds"]["initial"]["requirement"])


def test_exposure_as_json() -> None:
    rules = two_coin_rules()
    movement = CoMovement("BTC", {"BTC": 1.0, "ETH": 1.2}, np.array([[1.0, 0.5], [0.5, 1.0]]))
    report = make_report(rules, [portfolio_on(rules[0], TWO_COINS)], movement)
    fields = json.loads(json.dumps(exposure_fields(report), allow_nan=False))
    assert {position["instrument"]: position["net"] for position in fields["positions"]}["WEETH"] == "10.0"
    assert fields["total"]["value"] == pytest.approx(report.kinds[0].assessment.exposure.equity)
    by_coin = {entry["name"]: entry["delta_notional"] for entry in fields["underlyings"]}
    weighted = by_coin["BTC"] + 1.2 * by_coin["ETH"]
    assert float(fields["across"]["beta_weighted_notional"]) == pytest.approx(weighted, abs=0.01)
    assert set(fields["limits"]) == {"initial", "maintenance"}
    assert exposure_fields(reported(HEDGED))["across"] is None


def test_csv_holds_every_figure_unrounded() -> None:
    report = reported(HEDGED)
    tables = [*exposure_tables(report), rows_table(report.kinds[0], report.currency)]
    lines = list(csv.DictReader(io.StringIO(csv_text(tables))))
    delta = next(line for line in lines if line["row"] == "all" and line["column"] == "net delta, USD")
    assert float(delta["value"]) == report.exposures.total.delta_notional
    headrooms = {line["row"]: Decimal(line["value"]) for line in lines if line["column"] == "headroom, USD"}
    assert headrooms == {entry.row.name: entry.headroom for entry in report.kinds[0].tightest}
    assert {line["value"] for line in lines if line["row"] == "all" and line["column"] == "net delta, coins"} == {""}


def test_without_equity_there_is_no_share_of_it() -> None:
    entry = reported({"USD": "-10"}).kinds[0]
    assert entry.utilisation(entry.tightest[0]) is None
    assert not entry.assessment.is_covered


def test_representations_show_no_figure() -> None:
    rules = example_rules()
    portfolio = portfolio_on(rules[0], {"USD": "313370", "BTC-PERPETUAL": "-1.37"})
    report = make_report(rules, [portfolio])
    text = repr(report) + repr(add_trade(rules, portfolio, portfolio)) + repr(exposure_tables(report))
    assert "31337" not in text.replace(",", "")
    assert "1.37" not in text


def test_wording() -> None:
    assert money(-1234.5) == "−1,234.50"
    assert money(-0.001) == "0.00"
    assert money(Decimal("-1.500"), None) == "−1.500"
    assert (whole(99.994), whole(-1234.5)) == ("99.99", "−1,234")
    assert percent(0.125) == "12.5 %"
    assert moment(1732096800) == "2024-11-20 10:00 UTC"
    assert Column("share", is_share=True).text(None) == ""
    assert TableData("t", (Column("a"), Column("b")), (("x", 1.0),)).texts == (("x", "1.00"),)
