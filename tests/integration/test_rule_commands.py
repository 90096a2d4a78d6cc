"""``zkmargin rule build`` and ``inspect``: what they print and write, and what they refuse."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from prover.market.market_data import EXAMPLE_MARKET
from prover.rules.rule_file import encode_rule, shipped_rule, shipped_rules
from tests.support.console import run_in_process
from verifier.rules.rule_archive import read_archive

if TYPE_CHECKING:
    from pathlib import Path


def must(*arguments: str | Path) -> dict[str, Any]:
    run = run_in_process("rule", *arguments, "--json")
    assert run.returncode == 0, run.stderr
    fields: dict[str, Any] = json.loads(run.stdout)
    return fields


def refusal(*arguments: str | Path) -> str:
    run = run_in_process("rule", *arguments)
    assert run.returncode in (1, 2), run.stdout
    assert "Traceback" not in run.stderr
    return run.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """The portfolio rule on the example market, and its archive."""
    folder = tmp_path_factory.mktemp("rules") / "portfolio"
    return must("build", "--market", EXAMPLE_MARKET, "--rule", "portfolio", "--output", folder), folder


def test_build_says_what_a_rule_costs(built: tuple[dict[str, Any], Path]) -> None:
    fields, _ = built
    cost, rows = fields["cost"], fields["rows"]
    assert fields["rule"] == "portfolio"
    assert cost["rows"] == len(rows)
    assert cost["chunks"] == 2 * -(-len(rows) // 8)
    shared = sum(row["kind"] in ("definition", "equality") for row in rows) // 8
    assert shared > 0
    assert cost["distinct_chunks"] <= cost["chunks"] - shared
    assert cost["blobs"] == cost["blob_gas"] // 131_072 >= cost["distinct_chunks"]
    used = cost["auxiliary_columns"] + cost["headroom_columns"]
    assert cost["free_columns"] == 255 - used
    assert 234_000 < cost["check_gas"] < 350_000


def test_build_writes_an_archive(built: tuple[dict[str, Any], Path]) -> None:
    fields, folder = built
    archive = read_archive(folder)
    assert fields["archive"] == str(folder)
    assert archive.sources.rule == encode_rule(shipped_rule("portfolio"))
    assert len(list(archive.blobs.iterdir())) == fields["cost"]["distinct_chunks"]
    assert "exists" in refusal("build", "--market", EXAMPLE_MARKET, "--output", folder)


def test_an_archive_is_built_again_from_itself(built: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    _, folder = built
    archive = read_archive(folder)
    sources = ("--market", archive.market_file, "--rule", archive.rule_file, "--slots", archive.slots_file)
    must("build", *sources, "--output", tmp_path / "again")
    assert (tmp_path / "again" / "manifest.json").read_bytes() == (folder / "manifest.json").read_bytes()


def test_build_for_people(built: tuple[dict[str, Any], Path]) -> None:
    run = run_in_process("rule", "build", "--market", EXAMPLE_MARKET, "--shape", "small", "--books", "2")
    assert run.returncode == 0, run.stderr
    assert "rule scenarios-small over" in run.stdout
    for word in ("check gas", "blob gas", "free columns", "nothing moves", built[0]["rows"][-1]["name"]):
        assert word in run.stdout


@pytest.mark.parametrize("name", shipped_rules())
def test_every_shipped_rule_can_be_read(name: str) -> None:
    fields = must("inspect", name)
    assert fields["definition"]["name"] == name
    assert fields["digest"] == "0x" + shipped_rule(name).digest.hex()
    shown = run_in_process("rule", "inspect", name).stdout
    for component in fields["definition"]["components"]:
        assert f"component {component['component']}" in shown


def test_inspect_an_archive(built: tuple[dict[str, Any], Path]) -> None:
    fields, folder = built
    read = must("inspect", folder)
    assert read["rows"] == fields["rows"]
    assert read["definition"]["name"] == "portfolio"
    assert read["marks"]["USD"] == 1
    assert len(read["marks"]) == fields["instruments"]
    shown = run_in_process("rule", "inspect", folder).stdout
    assert "marks" in shown
    assert "nothing moves" in shown


def test_inspect_entries(built: tuple[dict[str, Any], Path]) -> None:
    _, folder = built
    entries = must("inspect", folder, "--row", "nothing moves")["entries"]
    sizes = [abs(one["entry"]) for one in entries]
    assert sizes == sorted(sizes, reverse=True)
    assert {one["row"] for one in entries} == {"nothing moves"}
    by_number = must("inspect", folder, "--row", "0", "--kind", "maintenance")["entries"]
    assert len({one["row"] for one in by_number}) == 1
    legs = must("inspect", folder, "--instrument", "BTC-PERPETUAL")["entries"]
    assert {one["column"] for one in legs} <= {"BTC-PERPETUAL long", "BTC-PERPETUAL short"}
    assert "BTC-PERPETUAL long" in run_in_process("rule", "inspect", folder, "--instrument", "BTC-PERPETUAL").stdout


def test_a_rule_file_with_a_market(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_bytes(encode_rule(shipped_rule("scenarios-small").model_copy(update={"name": "own"})))
    fields = must("inspect", path, "--market", EXAMPLE_MARKET, "--shape", "small")
    assert fields["definition"]["name"] == "own"
    assert fields["rows"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("inspect", "no-such-rule"), "no shipped rule is called 'no-such-rule'"),
        (("inspect", "scenarios", "--row", "0"), "entries need a market"),
        (("build", "--market", "no-such-market.json"), "no-such-market.json"),
        (("build",), "--market"),
        (("build", "--market", EXAMPLE_MARKET, "--rule", "no-such-rule.yaml"), "rule file no-such-rule.yaml"),
        (("build", "--market", EXAMPLE_MARKET, "--shape", "small", "--rule", "portfolio"), "no free column"),
        (("inspect", "scenarios", "--market", EXAMPLE_MARKET, "--row", "no such row"), "row 'no such row' is none"),
        (("inspect", "scenarios", "--market", EXAMPLE_MARKET, "--instrument", "XYZ"), "instrument 'XYZ'"),
    ],
)
def test_what_cannot_be_done_is_told(arguments: tuple[str | Path, ...], message: str) -> None:
    assert message in refusal(*arguments)
