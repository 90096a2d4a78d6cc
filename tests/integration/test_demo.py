"""The demonstration, by the console command: what it reports on every market at hand, and how it ends."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.console import COMMAND, run_command
from tests.support.own_use import processes_with

REAL_MARKETS: Final = Path(__file__).resolve().parents[3] / "shared" / "data"
MARKETS: Final = [None, *sorted(REAL_MARKETS.glob("deribit_*_options_*.csv"))]
PATIENCE: Final = 240


def test_everything_that_must_work_works_and_what_must_fail_fails() -> None:
    run = run_command("demo", "--json", timeout=PATIENCE)
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    _check_gas(report)
    _check_refusals(report)
    _check_views(report)


def _check_gas(report: dict[str, Any]) -> None:
    gas = {step["name"]: step["gas"] for step in report["steps"] if step["gas"] is not None}
    assert gas["Publish both rules as blobs"] <= 500_000
    assert gas["The clearing house checks and records it"] <= 265_000
    assert gas["Settle the hidden trade: both proofs in one batch"] <= 500_000
    assert report["gas"] == sum(gas.values())


def _check_refusals(report: dict[str, Any]) -> None:
    reckless, forged, replay = report["refusals"]
    assert (reckless["refused_by"], reckless["error"]) == ("prover", "InsufficientMarginError")
    assert reckless["rows"][0]["row"].startswith("spot ")
    assert reckless["rows"][0]["shortfall"] > 0
    assert (forged["refused_by"], forged["error"]) == ("contract", "MarginVerifierRejected")
    assert (replay["refused_by"], replay["error"]) == ("contract", "AccountLedgerNonceUsed")


def _check_views(report: dict[str, Any]) -> None:
    trade, alice, bob = report["views"]
    (option,) = [name for name in trade["trader_knows"] if name != "USD"]
    assert float(trade["trader_knows"]["USD"]) < 0 < float(trade["trader_knows"][option])
    assert float(alice["trader_knows"][option]) == -float(bob["trader_knows"][option])
    assert float(alice["trader_knows"]["maintenance_requirement"]) <= float(
        alice["trader_knows"]["initial_requirement"]
    )
    assert alice["chain_sees"]["state_version"] == bob["chain_sees"]["state_version"] == 2
    assert alice["chain_sees"]["maintenance_margin_proven_at_epoch"] == 1
    seen = json.dumps([view["chain_sees"] for view in report["views"]])
    assert option not in seen
    assert trade["trader_knows"]["USD"].lstrip("-") not in seen


def test_people_see_steps_refusals_and_both_views() -> None:
    options = () if MARKETS[-1] is None else ("--market", MARKETS[-1])
    run = run_command("demo", *options, timeout=PATIENCE)
    assert run.returncode == 0, run.stderr
    for pattern in (
        r"Publish both rules as blobs +\d+\.\d\d s +\d{3},\d{3} gas  2 transactions",
        r"Alice proves maintenance margin +\d+\.\d\d s +880 bytes",
        r"refused by the prover: InsufficientMarginError\n +margin is not covered in 'spot [^']+': [\d,.]+ USD short",
        r"refused by the contract: MarginVerifierRejected",
        r"refused by the contract: AccountLedgerNonceUsed",
        r"the trader knows .* the chain sees",
        r"commitment hash of book 0 +0x[0-9a-f]+",
        r"done in \d+\.\d s",
    ):
        assert re.search(pattern, run.stdout), pattern
    assert "Publish both rules as blobs …" in run.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demonstration_leaves_no_chain_behind(number: signal.Signals) -> None:
    mark = secrets.token_hex(8)
    environment = os.environ | {"ZKMARGIN_TEST_MARK": mark}
    process = subprocess.Popen(
        [str(COMMAND), "demo"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Deploy"):
            break
    assert len(processes_with("ZKMARGIN_TEST_MARK", mark)) == 2
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Traceback" not in errors
    deadline = time.monotonic() + 10
    while processes_with("ZKMARGIN_TEST_MARK", mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_with("ZKMARGIN_TEST_MARK", mark) == []


def test_a_market_that_cannot_be_read_ends_with_its_name() -> None:
    run = run_command("demo", "--market", "nowhere.json")
    assert run.returncode == 1
    assert "nowhere.json" in run.stderr
    assert "Traceback" not in run.stderr
