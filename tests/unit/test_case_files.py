"""Reading, running and comparing case files, and the command that does it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from prover.cli import main
from prover.errors import CaseFileError
from prover.methodologies.case_comparison import Difference, Tolerance, differences, tolerance_of
from prover.methodologies.case_files import read_cases, run_case, run_case_file

if TYPE_CHECKING:
    from click.testing import Result

FLAT = {"forward": 110, "strike": 100, "t_years": 1, "vol": 0}
MET = {"id": "met", "model": "black76", "inputs": FLAT, "expected": {"call": 10}}
MISSED = {"id": "missed", "model": "black76", "inputs": FLAT, "expected": {"call": 11, "put": 0, "colour": 3}}
INCOMPLETE = {"id": "incomplete", "model": "black76", "inputs": {"strike": 1}, "expected": {"call": 1}}


def write(folder: Path, *cases: object) -> Path:
    path = folder / "cases.json"
    path.write_text(json.dumps({"cases": cases}), encoding="utf-8")
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["cases", "run", *map(str, arguments)])


@pytest.mark.parametrize(
    ("stated", "quantity", "expected"),
    [
        ({}, "im", Tolerance(1e-9, 1e-9)),
        ({"tolerance_abs": 0.5}, "im", Tolerance(0.5, 0)),
        ({"tolerance_rel": 0.5}, "im", Tolerance(0, 0.5)),
        ({"tolerance_abs": {"delta": 0.1, "gamma": 0.2}}, "gamma", Tolerance(0.2, 0)),
        ({"tolerance_abs": {"delta": 0.1, "gamma": 0.2}}, "vega", Tolerance(0.2, 0)),
        ({"tolerance": 0.25}, "im", Tolerance(0.25, 0)),
        ({"tolerance": {"abs": 1e-6, "note": "as asserted"}}, "im", Tolerance(1e-6, 0)),
        ({"tolerance": {"im_mm_rel": 1e-8, "scenario_pnl_abs": 1e-7}}, "mm", Tolerance(0, 1e-8)),
        ({"tolerance": {"im_mm_rel": 1e-8, "scenario_pnl_abs": 1e-7}}, "scenario_pnl", Tolerance(1e-7, 0)),
        ({"tolerance": {"im_mm_rel": 1e-8, "scenario_pnl_abs": 1e-7}}, "option_mtm", Tolerance(1e-7, 1e-8)),
        ({"tolerance": {"rule": "trunc"}}, "im_trunc", Tolerance(0, 0)),
    ],
)
def test_tolerances_are_read_in_every_form(stated: dict[str, object], quantity: str, expected: Tolerance) -> None:
    assert tolerance_of(stated, quantity) == expected


def test_numbers_in_lists_and_tables_are_compared_one_by_one() -> None:
    case = {"expected": {"pnl": [1, 2, 3], "table": {"a": [0.0], "b": 5}, "unit": "USD"}, "tolerance_abs": 0.1}

    found = list(differences(case, {"pnl": (1.05, 2.5, 3.0), "table": {"a": (0.0,), "b": 6.0}, "unit": "coin"}))

    assert found == [
        Difference("pnl[1]", 2, 2.5),
        Difference("table.b", 5, 6.0),
        Difference("unit", "USD", "coin"),
    ]


def test_a_list_of_another_length_is_a_difference() -> None:
    assert list(differences({"expected": {"pnl": [1, 2]}}, {"pnl": (1.0,)})) == [Difference("pnl", [1, 2], (1.0,))]


@pytest.mark.parametrize(("value", "truncated"), [(-12.9, -12), (12.9, 12), (-3.0, -3), (2.9999999999, 3)])
def test_truncation_is_towards_zero_after_an_allowance_for_rounding(value: float, truncated: int) -> None:
    case = {"expected": {"im_trunc": truncated}, "tolerance": {"rule": "trunc toward zero"}}

    assert not list(differences(case, {"im": value}))
    assert list(differences({**case, "expected": {"im_trunc": truncated + 1}}, {"im": value}))


@pytest.mark.parametrize("got", [math.nan, math.inf, None])
def test_what_is_no_number_meets_no_number(got: float | None) -> None:
    quantities = {} if got is None else {"im": got}

    assert len(list(differences({"expected": {"im": 1.0}, "tolerance_abs": 1e300}, quantities))) == 1


def test_an_expected_null_is_not_looked_at() -> None:
    assert not list(differences({"expected": {"im": None}}, {}))


@pytest.mark.parametrize(
    ("case", "word"),
    [
        ({"id": "a", "methodology": "tarot", "expected": {"im": 1}}, "tarot"),
        ({"id": "a", "expected": {"im": 1}}, "not known"),
        ({"id": "a", "methodology": ["span"], "expected": {"im": 1}}, "not known"),
        ({"id": "a", "model": "black76", "inputs": FLAT}, "expected"),
        (INCOMPLETE, "time to expiry"),
        ({**MET, "inputs": {**FLAT, "vol": -1}}, "vol = -1"),
        ({**MET, "inputs": {**FLAT, "vol": "high"}}, "vol = 'high'"),
        ({**MET, "inputs": {**FLAT, "discount": 1e308, "forward": 1e300}}, "check their ranges"),
        ({**MET, "expected": {"call": 10**400}}, "check their ranges"),
        ("no object", "no JSON object"),
    ],
)
def test_a_case_that_cannot_be_computed_is_a_miss_with_its_reason(case: object, word: str) -> None:
    result = run_case(case, Path())

    assert not result.is_met
    assert word in result.reason


def test_a_bad_case_does_not_stop_the_others(tmp_path: Path) -> None:
    report = run_case_file(write(tmp_path, INCOMPLETE, 7, MET, MISSED, MET))

    assert [result.is_met for result in report.results] == [False, False, True, False, True]
    assert report.met == 2


@pytest.mark.parametrize("text", ["", "[", "[]", "{}", '{"cases": {}}', "[" * 100_000])
def test_files_without_cases_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(CaseFileError, match=r"broken\.json"):
        read_cases(path)


def test_the_command_prints_one_object_a_file(tmp_path: Path) -> None:
    result = run(write(tmp_path, MET, MISSED, INCOMPLETE), "--json")

    printed = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (printed["cases"], printed["met"]) == (3, 1)
    assert printed["misses"][:2] == [
        {"id": "missed", "quantity": "call", "expected": 11, "got": 10.0},
        {"id": "missed", "quantity": "colour", "expected": 3, "got": None},
    ]
    assert printed["misses"][2]["id"] == "incomplete"
    assert "reason" in printed["misses"][2]


def test_the_command_tells_met_missed_and_unreadable_apart(tmp_path: Path) -> None:
    (tmp_path / "met").mkdir()
    met, missed, absent = write(tmp_path / "met", MET), write(tmp_path, MISSED), tmp_path / "absent.json"

    assert run(met).exit_code == 0
    assert "1 of 1 met" in run(met).stdout
    assert run(met, missed).exit_code == 1
    assert "call expected 11, got 10.0" in run(missed).stdout
    assert run(met, missed, absent).exit_code == 2
    assert "absent.json" in json.loads(run(absent, "--json").stdout)["error"]
