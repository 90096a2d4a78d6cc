"""``zkmargin exposure`` and ``zkmargin margin`` of an account in the wallet, against a real chain."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from prover.account.wallet import create_wallet
from prover.market.market_data import EXAMPLE_MARKET
from tests.support.console import run_in_process
from tests.support.own_use import PASSWORD, OwnUse, own_use_venue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALICE, BOB = 1, 2
OPTION = "BTC-27JUN25-100000-C"


def must(venue: OwnUse, owner: int, *arguments: str | Path, typed: str | None = None) -> dict[str, Any]:
    """Run a command in this process, which pays for imports once, and read its JSON."""
    run = run_in_process(*arguments, "--json", variables=venue.variables(owner), typed=typed)
    assert run.returncode == 0, run.stderr
    fields: dict[str, Any] = json.loads(run.stdout)
    return fields


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnUse]:
    """Epoch 1 published; Alice has sold Bob three calls; Bob has a second account."""
    folder = tmp_path_factory.mktemp("reports")
    with own_use_venue(folder) as made:
        must(made, 0, "publish")
        for owner in (ALICE, BOB):
            must(made, owner, "deposit", "500000")
        must(made, BOB, "deposit", "10", "--subaccount", "7")
        offer, acceptance = folder / "offer.json", folder / "acceptance.json"
        must(made, ALICE, "trade", "offer", "-", offer, typed=json.dumps({OPTION: -3, "USD": 40000}))
        must(made, BOB, "trade", "accept", offer, acceptance, "--yes")
        must(made, ALICE, "trade", "settle", acceptance)
        yield made


def test_the_only_account_is_reported(venue: OwnUse) -> None:
    known = must(venue, ALICE, "status", "--market", EXAMPLE_MARKET)["accounts"][0]["trader_knows"]
    fields = must(venue, ALICE, "margin", "--what-if", "-", typed=json.dumps({OPTION: 3, "USD": -40000}))
    assert fields["equity"] == known["equity_at_marks"]
    for kind in ("initial", "maintenance"):
        entry = fields["kinds"][kind]
        assert entry["requirement"] == known[f"{kind}_requirement"]
        assert float(entry["headroom"]) == float(known[f"{kind}_headroom"])
        assert entry["binding_row"] == known[f"{kind}_binding_row"]
        assert fields["what_if"][kind]["after"]["requirement"] == "0.00"
    positions = {entry["instrument"]: entry["net"] for entry in must(venue, ALICE, "exposure")["positions"]}
    assert positions == {"USD": "540000.00", OPTION: "-3.00"}


def test_one_of_several_accounts_is_named(venue: OwnUse) -> None:
    message = venue.refuses(BOB, "margin")
    assert "the wallet holds 2 accounts here: name one by --account: 0x" in message
    first = venue.account(BOB)
    positions = must(venue, BOB, "exposure", "--account", first.upper().replace("X", "x"))["positions"]
    assert {entry["instrument"]: entry["net"] for entry in positions} == {"USD": "460000.00", OPTION: "3.00"}
    assert "the wallet holds no account 0x12 here: choose 0x" in venue.refuses(BOB, "margin", "--account", "0x12")


def test_what_an_account_needs(venue: OwnUse, tmp_path: Path) -> None:
    copy = tmp_path / "deployment.json"
    copy.write_text(venue.deployment_file.read_text())
    message = venue.refuses(ALICE, "margin", "--deployment", copy)
    assert "an account stands in the slots of its publisher: give the list of slots by --slots" in message
    empty, slots = tmp_path / "empty.json", venue.deployment_file.with_suffix(".slots.json")
    with create_wallet(empty, PASSWORD, cost=16):
        pass
    message = venue.refuses(ALICE, "margin", "--wallet", empty, "--slots", slots)
    assert "the wallet holds no account at this clearing house: deposit first, or give a portfolio file" in message
