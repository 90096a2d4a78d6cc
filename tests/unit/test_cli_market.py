"""``zkmargin market``: files of exchanges as one snapshot."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from prover.market.market_data import EXAMPLE_MARKET
from prover.market.market_files import load_market, load_markets
from prover.rules.rule_file import shipped_rule
from prover.rules.slots import list_slots
from tests.support.console import run_in_process
from tests.support.market_files import MARKET_FILES
from tests.support.risk_rules import example_market
from tests.unit.test_deribit_json import FUTURES, LINEAR, OPTIONS, summary
from verifier.shape import SMALL

if TYPE_CHECKING:
    from pathlib import Path


def must(*arguments: str | Path) -> dict[str, Any]:
    made = run_in_process("market", *arguments, "--json")
    assert made.returncode == 0, made.stderr
    fields: dict[str, Any] = json.loads(made.stdout)
    return fields


def refused(*arguments: str | Path) -> str:
    made = run_in_process("market", *arguments)
    assert (made.returncode, made.stdout) == (1, "")
    return made.stderr


def test_several_answers_are_written_as_one_snapshot(tmp_path: Path) -> None:
    files = [summary(tmp_path, rows, f"{place}.json") for place, rows in enumerate((OPTIONS, FUTURES, LINEAR))]
    out = tmp_path / "snapshot.json"
    fields = must(*files, "--out", out)
    assert load_market(out) == load_markets(files)
    assert fields["snapshot_digest"] == "0x" + load_market(out).digest.hex()
    assert fields["underlyings"] == ["BTC 100,143.63", "XRP 3.08"]
    assert (fields["options"], fields["options_added"], fields["futures"]) == (4, 0, ["BTC-31JAN25"])
    assert [(expiry["expiry"], expiry["options"], expiry["quoted"]) for expiry in fields["expiries"]] == [
        ("BTC-31JAN25", 3, 1),
        ("XRP_USDC-31JAN25", 1, 0),
    ]
    assert "cannot be written (File exists): choose another file" in refused(*files, "--out", out)


@pytest.mark.parametrize("path", MARKET_FILES, ids=lambda path: path.stem)
def test_chains_are_summed_up_for_people(path: Path) -> None:
    made = run_in_process("market", path)
    snapshot = load_market(path)
    assert made.returncode == 0, made.stderr
    assert f"snapshot digest  0x{snapshot.digest.hex()}" in made.stdout
    expiries = {f"{quote.option.underlying}-{quote.option.expiry_code}" for quote in snapshot.options}
    for expiry in expiries:
        assert expiry in made.stdout
    assert "volatility at the money" in made.stdout


def test_listed_options_can_be_kept(tmp_path: Path) -> None:
    market, later, listed = example_market(), tmp_path / "later.json", tmp_path / "slots.json"
    slots = list_slots(market, SMALL, shipped_rule("scenarios-small"))
    listed.write_bytes(slots.encode())
    gone = {slots.listed[7].instrument.name, slots.listed[20].instrument.name}
    left = tuple(quote for quote in market.options if quote.instrument not in gone)
    later.write_text(market.model_copy(update={"options": left}).model_dump_json())
    assert must(later)["options_added"] == 0
    fields = must(later, "--keep-listed", listed)
    assert (fields["options"], fields["options_added"]) == (len(market.options), 2)


def test_an_old_market_is_refused_when_asked() -> None:
    assert "s old and 60 s are allowed; take a new snapshot" in refused(EXAMPLE_MARKET, "--maximum-age", "60")


def test_the_schema_names_every_field_of_the_example() -> None:
    made = run_in_process("market", "--schema")
    assert made.returncode == 0, made.stderr
    schema = json.loads(made.stdout)
    assert set(json.loads(EXAMPLE_MARKET.read_text())) < set(schema["properties"])
    assert schema["additionalProperties"] is False
    assert set(example_market().options[0].model_dump()) == set(schema["$defs"]["OptionDraft"]["properties"])
    assert "mark_volatility" not in schema["$defs"]["OptionDraft"]["required"]


def test_faults_of_files_are_named(tmp_path: Path) -> None:
    assert "nowhere.json: No such file or directory; give a readable" in refused(tmp_path / "nowhere.json")
    assert "give it alone" in refused(EXAMPLE_MARKET, EXAMPLE_MARKET)
