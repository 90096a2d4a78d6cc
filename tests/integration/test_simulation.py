"""A shortened day with real proofs: chain and model agree after every action, every invariant is seen to hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from prover.simulation.day_outcome import DayChoices, DayOutcome
from prover.simulation.day_page import day_page
from prover.simulation.day_report import day_fields
from prover.simulation.day_story import DayStory, begun_day
from prover.simulation.market_path import market_path
from prover.simulation.refusals import Refusal
from tests.support.called_functions import carried_out, changing_functions, make_remaining_calls, owned_contracts
from tests.support.console import run_in_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHOICES = DayChoices(accounts=4, trades=6, epochs=3, seed=1)


NOT_TRIED = {
    # Each has a test by hand; a day that tried them all would be a long one.
    *(Refusal.NO_SUCH_BOOK, Refusal.BOOK_FULL, Refusal.BOOK_IS_RETIRED, Refusal.BOOK_STAYS),
    *(Refusal.SLOT_NOT_LISTED, Refusal.SLOT_NOT_EXPIRED, Refusal.NO_EPOCH, Refusal.SNAPSHOT_IN_FUTURE),
    *(Refusal.LIST_VERSION_WRONG, Refusal.UNKNOWN_COLLATERAL, Refusal.NOTHING_DEPOSITED, Refusal.NOTHING_WITHDRAWN),
    *(Refusal.VAULT_EXHAUSTED, Refusal.LIEN_INVALID, Refusal.NOT_OPEN, Refusal.ACCOUNT_ACTIVE),
    *(Refusal.SLOT_NOT_COLLATERAL, Refusal.ACCOUNT_TRANSPARENT),
    *(Refusal.HOLDINGS_EXCEEDED, Refusal.NOT_PAUSED, Refusal.PAUSE_LENGTH),
}


@pytest.fixture(scope="module")
def story() -> Iterator[DayStory]:
    """A day whose chain lasts until the last test."""
    with begun_day(CHOICES) as begun:
        yield begun


@pytest.fixture(scope="module")
def outcome(story: DayStory) -> DayOutcome:
    return story.run()


@pytest.fixture(scope="module")
def fields(outcome: DayOutcome) -> dict[str, Any]:
    return json.loads(json.dumps(day_fields(outcome)))  # type: ignore[no-any-return]


def test_every_invariant_is_seen_to_hold(outcome: DayOutcome, fields: dict[str, Any]) -> None:
    assert outcome.trades >= CHOICES.trades
    assert [entry["number"] for entry in fields["invariants"] if not entry["holds"]] == []
    refused = {event.refused for event in outcome.day.events}
    unseen = {refusal for refusal in Refusal if refusal.value not in refused}
    assert unseen <= NOT_TRIED
    stories = [event.story for event in outcome.day.events if event.name == "settle" and not event.refused]
    assert "hidden trades of 3 accounts, all of them or none" in stories


def test_the_report_names_what_everybody_sees_and_nothing_else(outcome: DayOutcome, fields: dict[str, Any]) -> None:
    page, text = day_page(outcome), json.dumps(fields)
    hidden = [account for account in outcome.day.house.accounts.values() if account.status.name == "ACTIVE"]
    assert hidden
    secrets = {str(ghost.blind) for account in hidden for ghost in account.ghosts.values() if ghost.blind}
    secrets |= {str(abs(account.ghosts[0].positions.get(0, 0))) for account in hidden}
    for secret in secrets - {"0"}:
        assert secret not in text
        assert secret not in page
    for account in fields["public_accounts"]:
        assert (account["holdings"] is None) is (account["status"] == "active")
    for statement in ("Invariants of the specification", "Gas by entry point", "<svg", "no fresh epoch"):
        assert statement in page
    gas = {entry["entry_point"]: entry["most"] for entry in fields["gas"]}
    assert {"settle", "settleOpen", "proveMargin", "proveMargins", "withdraw", "exit", "publish"} <= gas.keys()


def test_the_seed_chooses_the_prices() -> None:
    assert market_path((), 3, 1) == market_path((), 3, 1)
    assert market_path((), 3, 1) != market_path((), 3, 2)


def test_days_that_cannot_be_are_refused_before_anything_starts(tmp_path: Path) -> None:
    short = tmp_path / "ABC-USD.csv"
    short.write_text("Date,close\n2024-01-01,10\n2024-01-02,11\n")
    there = tmp_path / "page.html"
    there.write_text("mine")
    for arguments, message in (
        (("--accounts", "3"), "too few for a day"),
        (("--epochs", "2"), "too few for a day"),
        (("--history", short, "--epochs", "3", "--trades", "3"), "the history has 2 dates"),
        (("--html", there), "exists: give another path, or --force"),
    ):
        run = run_in_process("simulate", "day", *arguments, variables={})
        assert run.returncode == 1
        assert message in run.stderr
    assert there.read_text() == "mine"


def test_every_function_that_changes_anything_was_called_on_a_real_chain(outcome: DayOutcome) -> None:
    """The chain's traces say so, calls from one contract to another and from the timelock among them."""
    make_remaining_calls(outcome.day)
    seen = carried_out(outcome.day.venue.chain)
    for contract, address in owned_contracts(outcome.day).items():
        changing = changing_functions(contract)
        assert len(changing) > 6
        assert {name for selector, name in changing.items() if (address.lower(), selector) not in seen} == set()
