"""Parts of the simulated day that need no chain: markets of a price path, changes that hide, what attackers alter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from prover.errors import SimulationError
from prover.rules.rule_book import RuleBook
from prover.rules.rule_builder import build_rules
from prover.rules.slots import list_slots
from prover.simulation.attacks import forged, outside_subgroup
from prover.simulation.day_outcome import DayChoices
from prover.simulation.day_story import run_day
from prover.simulation.day_trader import hidden
from prover.simulation.epoch_rules import EpochRules
from prover.simulation.ghosts import Ghost
from prover.simulation.market_path import market_path
from tests.support.encodings import plus_order_three
from verifier.ceremony import ceremony_setup
from verifier.curve import group
from verifier.errors import MalformedInputError
from verifier.portfolio_commitment import commit_portfolio
from verifier.rules.rule_kind import RuleKind
from verifier.shape import SMALL

if TYPE_CHECKING:
    from pathlib import Path


def test_every_epoch_has_the_prices_of_another_day() -> None:
    path = market_path((), 3, 1)
    snapshots = [path.snapshot(epoch, path.opens_at + 7_200 * epoch) for epoch in range(3)]
    prices = [snapshot.underlyings["BTC"].index_price for snapshot in snapshots]
    assert prices == [row[0] for row in path.prices]
    assert len(set(prices)) == 3
    names = [[quote.instrument for quote in snapshot.quotes] for snapshot in snapshots]
    assert names[0] == names[1] == names[2]


def test_any_first_coin_is_a_token_whose_lots_a_house_can_credit(tmp_path: Path) -> None:
    rows = "Date,close\n2024-01-01,2000\n2024-01-02,2100\n2024-01-03,2200\n"
    for name in ("ETH-USD.csv", "BTC-USD.csv"):
        (tmp_path / name).write_text(rows)
    path = market_path((tmp_path / "ETH-USD.csv", tmp_path / "BTC-USD.csv"), 3, 1)
    slots = list_slots(path.snapshot(0, path.opens_at), SMALL, path.rule(SMALL), books=2)
    assert path.wrapped_coin == "WETH"
    assert slots.find("WETH").lot_size == slots.find("USD").lot_size
    assert slots.deposit_problem is None


def test_the_seed_chooses_the_days() -> None:
    assert market_path((), 3, 1) == market_path((), 3, 1)
    assert market_path((), 3, 1) != market_path((), 3, 2)


def test_a_history_that_is_too_short_is_refused(tmp_path: Path) -> None:
    short = tmp_path / "ABC-USD.csv"
    short.write_text("Date,close\n2024-01-01,10\n2024-01-02,11\n")
    with pytest.raises(SimulationError, match="the history has 2 dates, 3 epochs need as many"):
        market_path((short,), 3, 1)


@pytest.mark.parametrize("choices", [DayChoices(accounts=3), DayChoices(epochs=2), DayChoices(trades=11)])
def test_days_that_are_too_short_are_refused(choices: DayChoices) -> None:
    with pytest.raises(SimulationError, match="too few for a day"):
        run_day(choices)


def test_rules_of_an_epoch_answer_for_openings_and_know_what_is_listed() -> None:
    path = market_path((), 3, 1)
    snapshot = path.snapshot(0, path.opens_at)
    book = RuleBook(build_rules(snapshot, path.rule(SMALL), shape=SMALL, books=2), ceremony_setup(), snapshot)
    rules = EpochRules(book, {(0, place) for place in range(3)} | {(1, 0)})
    assert rules.mark(0, 1) == int(path.prices[0][0])  # 0.01 BTC in ticks of 0.01
    rich, poor = {0: Ghost({0: 10_000_000, 1: 5}, 7)}, {0: Ghost({0: 10, 1: -5}, 7)}
    assert rules(RuleKind.INITIAL, rich)
    assert not rules(RuleKind.INITIAL, poor)
    assert not rules(RuleKind.MAINTENANCE, poor)
    assert rules(RuleKind.INITIAL, {**rich, 1: Ghost({0: 1}, 9)})


def test_a_change_hides_book_0_and_every_book_that_it_moves() -> None:
    change = hidden({(1, 4): 2})
    assert change[0].positions == {}
    assert change[1].positions == {4: 2}
    assert change[0].blind
    assert change[1].blind
    assert hidden({(1, 4): 2})[1].blind != change[1].blind


def test_an_attackers_point_is_on_the_curve_and_outside_the_subgroup() -> None:
    point = commit_portfolio((3,) + (0,) * (SMALL.slots - 1), 5, shape=SMALL, setup=ceremony_setup())
    assert outside_subgroup(point) == plus_order_three(point)
    assert outside_subgroup(outside_subgroup(point), -1) == point
    with pytest.raises(MalformedInputError):
        group().decode(outside_subgroup(point))


def test_a_forged_proof_differs_in_its_last_byte() -> None:
    assert forged(b"\x00\x01") == b"\x00\x00"
