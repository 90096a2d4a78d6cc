"""``zkmargin exposure`` and ``zkmargin margin`` on portfolio files."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from prover.market.market_data import EXAMPLE_MARKET, canonical_json
from prover.rules.exposure import assess_margin
from prover.rules.portfolio import make_portfolio
from prover.rules.rule_builder import build_rules
from prover.rules.rule_file import shipped_rule
from prover.rules.slots import list_slots
from tests.support.console import run_in_process
from tests.support.reported import HEDGED, TWO_COINS, portfolio_on, two_coin_definition
from tests.support.risk_rules import example_market, example_rules
from tests.support.small_markets import two_coin_fields
from verifier.shape import SMALL, STANDARD

if TYPE_CHECKING:
    from pathlib import Path

OWN_PLACE = {"ZKMARGIN_MARKET": str(EXAMPLE_MARKET)}


@pytest.fixture
def portfolio(tmp_path: Path) -> Path:
    """A file of quantities."""
    path = tmp_path / "portfolio.json"
    path.write_text(json.dumps({name: float(units) for name, units in HEDGED.items()}))
    return path


def run(*arguments: str | Path, typed: str | None = None) -> subprocess.CompletedProcess[str]:
    return run_in_process(*arguments, variables=OWN_PLACE, typed=typed)


def must(*arguments: str | Path, typed: str | None = None) -> dict[str, Any]:
    made = run(*arguments, "--json", typed=typed)
    assert made.returncode == 0, made.stderr
    fields: dict[str, Any] = json.loads(made.stdout)
    return fields


def refused(*arguments: str | Path, typed: str | None = None) -> str:
    made = run(*arguments, typed=typed)
    assert made.returncode in (1, 2)
    assert made.stdout == ""
    return made.stderr


@pytest.mark.parametrize("rule", ["portfolio", "exposure-limits"])
def test_margin_is_the_rules_own(portfolio: Path, rule: str) -> None:
    fields = must("margin", portfolio, "--rule", rule)
    for built in build_rules(example_market(), shipped_rule(rule)):
        entry, assessed = fields["kinds"][built.kind.name.lower()], assess_margin(built, portfolio_on(built, HEDGED))
        assert float(entry["requirement"]) == pytest.approx(assessed.requirement, abs=0.006)
        assert entry["binding_row"] == assessed.binding.row.name


def test_margin_for_people(portfolio: Path) -> None:
    made = run("margin", portfolio)
    assert made.returncode == 0, made.stderr
    requirement = assess_margin(example_rules()[0], portfolio_on(example_rules()[0], HEDGED)).requirement
    for shown in (f"{requirement:,.2f}", "spot +18 %, volatility up", "rounding", "maintenance", "14 more rows"):
        assert shown in made.stdout


def test_one_kind_alone(portfolio: Path) -> None:
    assert set(must("margin", portfolio, "--kind", "maintenance")["kinds"]) == {"maintenance"}


def test_portfolio_and_trade_from_standard_input(portfolio: Path) -> None:
    typed = must("margin", "-", typed=portfolio.read_text())
    assert typed == must("margin", portfolio)
    tried = must("margin", portfolio, "--what-if", "-", typed='{"BTC-PERPETUAL": -1.5}')["what_if"]["initial"]
    assert float(tried["requirement_change"]) > 0
    assert "only one of portfolio and trade" in refused("margin", "-", "--what-if", "-", typed="{}")


def test_a_trade_that_breaks_margin_is_told_not_refused(portfolio: Path) -> None:
    made = run("margin", portfolio, "--what-if", "-", typed='{"BTC-27DEC24-100000-C": -200}')
    assert made.returncode == 0
    assert "breaks" in made.stdout


def test_several_portfolios_are_netted(portfolio: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text('{"BTC-PERPETUAL": 1.5}')
    positions = {entry["instrument"]: entry for entry in must("exposure", portfolio, other)["positions"]}
    perpetual = positions["BTC-PERPETUAL"]
    assert (perpetual["long"], perpetual["short"], float(perpetual["net"])) == ("1.50", "1.50", 0)


def test_no_portfolio_and_no_account(tmp_path: Path) -> None:
    missing = tmp_path / "deployment.json"
    assert "name a PORTFOLIO file" in refused("margin", "--deployment", missing)


def test_a_title_stands_on_one_line() -> None:
    made = run("rule", "build", "--shape", "small")
    assert made.returncode == 0, made.stderr
    assert "rule scenarios-small over 64 instruments, both kinds of margin together" in made.stdout


def test_empty_tables_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "nothing.json"
    path.write_text("{}")
    made = run("exposure", path)
    assert made.returncode == 0
    assert "Positions, long against short: none" in made.stdout


def test_exposure_for_people(portfolio: Path) -> None:
    made = run("exposure", portfolio, "--beta", "BTC=1")
    assert made.returncode == 0, made.stderr
    for shown in ("Net exposure by expiry", "BTC-27JUN25", "beta-weighted, in BTC", "Limits of initial margin"):
        assert shown in made.stdout


def test_what_one_book_has_no_room_for_is_listed_in_more(tmp_path: Path) -> None:
    def listed(books: int) -> set[str]:
        table = list_slots(example_market(), STANDARD, shipped_rule("scenarios"), books=books)
        return {slot.instrument.name for slot in table.listed}

    rare = min(listed(3) - listed(2) - listed(1))
    held, slots = tmp_path / "held.json", tmp_path / "slots.json"
    held.write_text(json.dumps({"USD": 100000, rare: 1}))
    assert must("margin", held) == must("margin", held, "--books", "3")
    assert f"instrument '{rare}' is in none of the" in refused("margin", held, "--books", "2")
    slots.write_bytes(list_slots(example_market(), SMALL, shipped_rule("scenarios-small")).encode())
    assert f"instrument '{rare}' is in none of the 64" in refused("margin", held, "--slots", slots)


def test_a_list_of_slots_brings_its_shape(portfolio: Path, tmp_path: Path) -> None:
    slots = tmp_path / "slots.json"
    table = list_slots(example_market(), SMALL, shipped_rule("scenarios-small"))
    slots.write_bytes(table.encode())
    rule = build_rules(example_market(), shape=SMALL, slots=table)[0]
    held = {name: units for name, units in HEDGED.items() if name in {slot.instrument.name for slot in table.listed}}
    portfolio.write_text(json.dumps({name: float(units) for name, units in held.items()}))
    entry = must("margin", portfolio, "--slots", slots)["kinds"]["initial"]
    lots = make_portfolio({name: Decimal(units) for name, units in held.items()}, table, SMALL)
    assert Decimal(entry["headroom"]) == assess_margin(rule, lots).binding.headroom
    assert len(held) > 2
    slots.write_bytes(replace(table, slots_per_book=table.slots_per_book + 1).encode())
    assert "the list has 65 slots a book, shapes have 128, 64" in refused("margin", portfolio, "--slots", slots)


def test_across_two_coins(tmp_path: Path) -> None:
    market, rule, held = (tmp_path / name for name in ("market.json", "rule.json", "held.json"))
    market.write_bytes(canonical_json(two_coin_fields()))
    rule.write_text(two_coin_definition().model_dump_json(by_alias=True))
    held.write_text(json.dumps({name: float(units) for name, units in TWO_COINS.items()}))
    histories = []
    for coin, prices in {"BTC": (100, 101, 99, 102), "ETH": (50, 51, 49, 52)}.items():
        histories.append(tmp_path / f"{coin}-USD_daily.csv")
        lines = [f"2024-01-0{day + 1},{price}" for day, price in enumerate(prices)]
        histories[-1].write_text("\n".join(["Date,close", *lines]))
    arguments: tuple[str | Path, ...] = ("exposure", held, "--market", market, "--rule", rule)
    estimated = must(*arguments, "--history", histories[0], "--history", histories[1])["across"]
    assert estimated["reference"] == "BTC"
    assert float(estimated["correlation_adjusted_notional"]) > 0
    stated = must(*arguments, "--beta", "BTC=1", "--beta", "ETH=1.5", "--reference", "BTC")["across"]
    assert stated["correlation_adjusted_notional"] is None
    assert must(*arguments, "--beta", "ETH=1.5")["across"] == stated
    assert "no beta of ETH to BTC" in refused(*arguments, "--beta", "BTC=1")
    assert "betas refer to BTC, whose own is 1" in refused(*arguments, "--beta", "BTC=2", "--reference", "BTC")
    assert "no COIN=NUMBER" in refused(*arguments, "--beta", "ETH")
    assert "a beta is a finite number" in refused(*arguments, "--beta", "ETH=nan")
    assert "no price history of 'SOL'" in refused(*arguments, "--history", histories[0], "--reference", "SOL")


def test_reports_are_their_owners_alone(portfolio: Path, tmp_path: Path) -> None:
    page, table, folder = tmp_path / "report.html", tmp_path / "report.csv", tmp_path / "pictures"
    arguments = ("margin", portfolio, "--kind", "initial", "--html", page, "--csv", table, "--png", folder)
    made = run(*arguments)
    assert made.returncode == 0, made.stderr
    pictures = sorted(folder.iterdir())
    assert {path.stat().st_mode & 0o777 for path in (page, table, *pictures)} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [f"wrote {path}" in made.stderr for path in (page, table, *pictures)] == [True] * (2 + len(pictures))
    assert page.read_text().startswith("<!doctype html>")
    assert table.read_text().startswith("table,row,column,value\n")
    page.chmod(0o644)
    assert f"{page} exists" in refused(*arguments) or f"{table} exists" in refused(*arguments)
    assert run(*arguments, "--force").returncode == 0
    assert page.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("option", ["--csv", "--html", "--png"])
def test_nothing_is_replaced_unasked(portfolio: Path, tmp_path: Path, option: str) -> None:
    there = tmp_path / "there"
    if option == "--png":
        there.mkdir()
    else:
        there.write_text("kept")
    message = refused("margin", portfolio, option, there)
    assert message == f"Error: {there} exists: give another path, or --force to replace it\n"
    assert there.is_dir() or there.read_text() == "kept"


def test_a_path_that_cannot_be_written(portfolio: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for option in ("--csv", "--png"):
        made = run("exposure", portfolio, option, tmp_path / "file" / "below")
        assert made.returncode == 1
        assert str(tmp_path / "file" / "below") in made.stderr


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"BTC-PERPETUAL": 0.0042}', "no multiple of its lot"),
        ('{"DOGE": 42}', "'DOGE' is in none of the"),
        ('{"BTC-PERPETUAL": "many 42"}', "is not a number"),
        ("[42]", "not a JSON object"),
        ("42,", "not JSON"),
        ('{"USD": 42, "USD": 42}', "listed twice"),
    ],
)
def test_refusals_show_no_quantity(content: str, expected: str) -> None:
    for message in (refused("margin", "-", typed=content), refused("exposure", "-", typed=content)):
        assert expected in message
        assert "42" not in message
        assert "Traceback" not in message


def test_files_that_are_not_there(portfolio: Path) -> None:
    assert "give a readable file" in refused("margin", "nowhere.json")
    assert "give a readable file" in refused("margin", portfolio, "--what-if", "nowhere.json")
    assert "no shipped rule is called 'nothing'" in refused("margin", portfolio, "--rule", "nothing")
    assert "nowhere.csv" in refused("exposure", portfolio, "--history", "nowhere.csv")


def test_figures_alone_bring_no_drawing(portfolio: Path) -> None:
    code = (
        "import sys\n"
        "from prover.cli import main\n"
        f"main(['margin', {str(portfolio)!r}, '--market', {str(EXAMPLE_MARKET)!r}, '--json'], standalone_mode=False)\n"
        "print(sorted({'matplotlib', 'jinja2', 'web3', 'cryptography'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


def test_positions_are_no_arguments() -> None:
    for name in ("margin", "exposure"):
        shown = run_in_process(name, "--help").stdout
        assert "--add" not in shown
        assert "--position" not in shown
        assert "PORTFOLIO" in shown
