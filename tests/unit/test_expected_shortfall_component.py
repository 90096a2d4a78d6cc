"""Expected shortfall as a component: by hand, beside both algorithms of the method, and from price histories."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prover.argument.witness import BookOpening, row_sums
from prover.components.expected_shortfall import ExpectedShortfall
from prover.errors import RuleBuildError, RuleFileError
from prover.market.market_data import canonical_json
from prover.market.price_history import read_price_history
from prover.methodologies.expected_shortfall import linear_program, tail_mean
from prover.rules.exposure import assess_margin
from prover.rules.rule_builder import build_rules
from prover.rules.rule_file import decode_rule, encode_rule, read_rule_file, shipped_rule
from tests.support.component_rules import rule_of
from tests.support.market_files import REPOSITORY
from tests.support.requirements import assessed, require_requirement, two_coin_rules
from tests.support.risk_rules import example_market, holding
from verifier.rules.rule_audit import audit_matrix
from verifier.rules.rule_boundedness import least_cash
from verifier.rules.rule_kind import PUBLISHED_KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from prover.rules.built_rule import BuiltRule
    from prover.rules.rule_definition import RuleDefinition

INITIAL, MAINTENANCE = PUBLISHED_KINDS
BTC, ETH, CALL = "BTC-PERPETUAL", "ETH-PERPETUAL", "BTC-27DEC24-100000-C"
BTC_MARK, ETH_MARK = 94_010.0, 3_101.0
DATA = REPOSITORY / "tests" / "data"
DAYS: Final = [(-0.04, -0.1), (-0.02, 0.0), (0.01, 0.03), (0.05, 0.02), (-0.03, -0.05)]


def days(moves: list[tuple[float, float]] = DAYS) -> list[dict[str, object]]:
    """Days as a rule file states them."""
    return [{"name": f"day {place}", "moves": {"BTC": btc, "ETH": eth}} for place, (btc, eth) in enumerate(moves)]


def shortfall_rule(level: float | str, scenarios: Sequence[Mapping[str, object]] = ()) -> RuleDefinition:
    """Nothing but expected shortfall."""
    return rule_of({"component": "expected-shortfall", "level": level, "scenarios": list(scenarios) or days()})


@pytest.mark.parametrize(
    ("level", "holdings", "expected"),
    [
        # Losses of a long coin: 4, 2, −1, −5, 3 %; of a short one the negatives.
        (0.8, {BTC: 1}, 0.04 * BTC_MARK),
        (0.6, {BTC: 1}, 0.035 * BTC_MARK),
        (0.5, {BTC: 1}, (0.04 + 0.03 + 0.5 * 0.02) / 2.5 * BTC_MARK),
        (0.8, {BTC: -1}, 0.05 * BTC_MARK),
        (0.6, {BTC: -1}, 0.03 * BTC_MARK),
        (0, {BTC: 1}, 0.006 * BTC_MARK),
        (0, {BTC: -1}, 0),
        # Losses of the pair, day by day: −5,543; 1,880; 1,851; −2,840; −1,831.
        (0.8, {BTC: 1, ETH: -30}, 0.02 * BTC_MARK),
        (0.6, {BTC: 1, ETH: -30}, (0.02 * BTC_MARK - 0.01 * BTC_MARK + 0.03 * 30 * ETH_MARK) / 2),
    ],
    ids=[
        "worst",
        "two worst",
        "part of a day",
        "short",
        "two worst, short",
        "mean",
        "a gain on average",
        "pair",
        "two worst, pair",
    ],
)
def test_the_shortfall_by_hand(level: float, holdings: dict[str, float], expected: float) -> None:
    require_requirement(shortfall_rule(level), holdings, expected)
    require_requirement(shortfall_rule(level), holdings, 0.8 * expected, MAINTENANCE)


def test_a_move_of_volatility_revalues_options() -> None:
    calm = {"name": "calm", "moves": {"BTC": 0, "ETH": 0}}
    wild = {"name": "wild", "moves": {"BTC": 0, "ETH": 0}, "volatility_move": 0.1}
    rule = two_coin_rules(shortfall_rule(0.5, [calm, wild]))[0]
    place = rule.slots.flat_index(rule.slots.find(CALL))
    vega = rule.universe.vega[place]
    found = assessed(shortfall_rule(0.5, [calm, wild]), {CALL: -10}).requirement
    assert found == pytest.approx(10 * 5.5 * vega, rel=0.01)
    require_requirement(shortfall_rule(0.5, [calm, wild]), {CALL: 10}, 0)


LOSSES = st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=12)
LEVELS = st.integers(0, 39).map(lambda step: Decimal(step) / 40)


@settings(max_examples=40)
@given(losses=LOSSES, level=LEVELS)
def test_the_solver_finds_the_optimum_of_the_linear_program(losses: list[int], level: Decimal) -> None:
    """On ten thousand lots, of a hundred coins together."""
    universe = two_coin_rules(shortfall_rule(0.5))[0].universe
    place = universe.slots.flat_index(universe.slots.find(BTC))
    moves = [-Decimal(loss) / 10**7 for loss in losses]
    scenarios = [{"name": str(day), "moves": {"BTC": str(move), "ETH": 0}} for day, move in enumerate(moves)]
    definition = rule_of({"component": "expected-shortfall", "level": str(level), "scenarios": scenarios})
    rule = two_coin_rules(definition)[1]
    stated = np.array([float(-move) * 100 * universe.mark[place] for move in moves])
    expected = 0.8 * max(0.0, linear_program(stated, float(level)))
    assert expected == pytest.approx(0.8 * max(0.0, tail_mean(stated, float(level))), rel=1e-6, abs=1e-3)
    found = assess_margin(rule, holding(rule, {place: 10_000})).requirement
    assert expected - 1e-6 * (1 + expected) <= found <= expected * (1 + 1e-6) + 10_000 * 0.02 + 0.05


def witness_rows(rule: BuiltRule, lots: dict[int, int]) -> set[int]:
    """What the rows of a witness add up to."""
    witness = rule.witness([BookOpening(book, 1) for book in holding(rule, lots).lots])
    return set(row_sums(rule.matrix, witness.columns))


def test_the_shipped_rule_fits_one_book_with_64_days() -> None:
    for rule in build_rules(example_market(), shipped_rule("expected-shortfall")):
        assert rule.matrix.entries.shape == (67, 1, 512)
        assert audit_matrix(rule.matrix) == []
        assert least_cash(rule.matrix) == pytest.approx(0, abs=1e-6)
        assert witness_rows(rule, {0: 10**9, 1: -300, 5: 200, 17: -40}) == {0}


def test_the_shipped_days_are_the_real_ones() -> None:
    files = sorted((REPOSITORY.parent / "shared" / "data").glob("*-USD_daily_2020-12-31_2023-12-29.csv"))
    component = next(
        part for part in shipped_rule("expected-shortfall").components if isinstance(part, ExpectedShortfall)
    )
    assert len({day.name for day in component.scenarios}) == 64
    assert (component.scenarios[0].name, component.scenarios[-1].name) == ("2023-10-27", "2023-12-29")
    assert all(set(day.moves) == {"BTC", "ETH"} for day in component.scenarios)
    if files:
        history = read_price_history(files, "close")
        stated = np.array([[float(day.moves[asset]) for asset in history.assets] for day in component.scenarios])
        assert stated == pytest.approx(history.returns()[-64:], abs=1e-8)


HISTORY: Final[dict[str, Any]] = {"files": {"BTC": "ABC-USD_daily_own.csv"}, "days": 2}


def history_file(folder: Path, **history: object) -> Path:
    """A rule file that names price histories, beside them."""
    for path in DATA.glob("*-USD_daily_own.csv"):
        (folder / path.name).write_bytes(path.read_bytes())
    stated = rule_of({"component": "expected-shortfall", "level": 0.5, "scenarios": days()})
    fields = stated.model_dump(mode="json", by_alias=True)
    fields["components"] = [{"component": "expected-shortfall", "level": 0.5, "history": HISTORY | history}]
    path = folder / "rule.json"
    path.write_bytes(canonical_json(fields))
    return path


def test_a_rule_file_may_name_price_histories(tmp_path: Path) -> None:
    """Closes 100, 110, 88, 96.8, 96.8 on the days that are there."""
    component = read_rule_file(history_file(tmp_path)).components[0]
    assert isinstance(component, ExpectedShortfall)
    assert [(day.name, day.moves) for day in component.scenarios] == [
        ("2024-01-05", {"BTC": Decimal("0.1")}),
        ("2024-01-06", {"BTC": Decimal(0)}),
    ]
    component = read_rule_file(history_file(tmp_path, until="2024-01-03")).components[0]
    assert isinstance(component, ExpectedShortfall)
    assert [day.moves["BTC"] for day in component.scenarios] == [Decimal("0.1"), Decimal("-0.2")]


def test_what_is_read_is_written_out_without_the_files(tmp_path: Path) -> None:
    definition = read_rule_file(history_file(tmp_path))
    again = decode_rule(encode_rule(definition), "written out")
    assert again == definition
    assert again.digest == definition.digest
    assert b"history" not in encode_rule(definition)


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ({"days": 5}, r"days = 5: the files have 4 returns until 2024-01-06; ask for fewer"),
        ({"until": "2024-01-01"}, r"days = 2: the files have 0 returns until 2024-01-01; ask for fewer"),
        ({"column": "middle"}, r"ABC-USD_daily_own\.csv has no column 'middle'"),
        ({"files": {"BTC": "nowhere.csv"}}, r"nowhere\.csv cannot be read as prices"),
        ({"files": {"BTC": "ABC-USD_daily_own.csv", "ETH": "ABC-USD_daily_own.csv"}}, r"needs a file of its own"),
        ({"days": 0}, r"days"),
    ],
)
def test_a_history_that_cannot_be_used_is_named(tmp_path: Path, history: dict[str, object], message: str) -> None:
    with pytest.raises(RuleFileError, match=message):
        read_rule_file(history_file(tmp_path, **history))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"history": HISTORY}, r"paths are relative to a rule file: load the rule from a file, or state scenarios"),
        ({"history": HISTORY, "scenarios": days()}, r"history and scenarios are both given: keep one"),
        ({"scenarios": []}, r"scenarios"),
        ({"scenarios": days(), "level": 1}, r"level = 1"),
        ({"scenarios": [*days(), *days()]}, r"scenarios: name = '.*' is given 2 times: name each day once"),
        ({"scenarios": [{"name": "crash", "moves": {"BTC": -1}}]}, r"moves\.BTC = -1"),
        ({"scenarios": [{"name": "nothing", "moves": {}}]}, r"moves"),
    ],
)
def test_bad_constants_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(RuleFileError, match=message):
        rule_of({"component": "expected-shortfall", "level": 0.5, **fields})


def test_a_listed_coin_without_moves_is_refused() -> None:
    scenarios: list[dict[str, object]] = [{"name": "2024-01-05", "moves": {"BTC": 0.1}}]
    with pytest.raises(RuleBuildError, match=r"'2024-01-05' has no move of ETH, which the market lists; add one"):
        two_coin_rules(shortfall_rule(0.5, scenarios))


def test_more_days_than_columns_are_refused_with_a_remedy() -> None:
    scenarios = [{"name": str(day), "moves": {"BTC": 0.001 * day, "ETH": 0}} for day in range(130)]
    with pytest.raises(RuleBuildError, match=r"finds no free column .* use fewer rows or more books"):
        two_coin_rules(shortfall_rule(0.5, scenarios))


def test_125_days_fit_one_book() -> None:
    scenarios = [{"name": str(day), "moves": {"BTC": 0.001 * day - 0.06, "ETH": 0}} for day in range(125)]
    require_requirement(shortfall_rule(0.992, scenarios), {BTC: 1}, 0.06 * BTC_MARK)
