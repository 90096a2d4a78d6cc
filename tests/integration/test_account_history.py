"""What the chain has seen of an account: typed rows, and the command that shows them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from prover.account.public_changes import public_changes
from prover.account.venue import Venue
from tests.support.console import run_in_process
from tests.support.exchange import DEPOSIT
from tests.support.own_use import OwnUse, later_undone, own_use_venue
from verifier.chain.account_events import (
    DepositSeen,
    EpochSeen,
    InboxSeen,
    OtherSeen,
    ProofSeen,
    TradeSeen,
    WithdrawalSeen,
)
from verifier.chain.account_history import account_history
from verifier.chain.clearing_terms import account_id
from verifier.chain.contract_interface import EventLog, contract_interface
from verifier.chain.event_index import EventIndex
from verifier.chain.event_store import Checkpoint, EventStore
from verifier.chain.withdrawal_terms import HoldingsWithdrawal
from verifier.portfolio_commitment import credit_commitment
from verifier.rules.rule_kind import RuleKind
from verifier.shape import SMALL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.exchange import Exchange, Holder
    from verifier.chain.account_events import HistoryRow

"""What is computed once serves all tests of this file."""

ALICE, BOB, CAROL = 1, 2, 3
FRIEND = "0x" + "77" * 20


def history(exchange: Exchange, account: bytes) -> tuple[HistoryRow, ...]:
    made = exchange.deployment
    index = EventIndex(exchange.chain, (made.house, made.vault, made.registry), first_block=0, store=EventStore())
    return account_history(index, account, house=made.house, vault=made.vault, registry=made.registry)


def test_every_kind_of_event_is_a_typed_row(exchange: Exchange, alice: Holder, bob: Holder) -> None:
    changes = exchange.changes({1: 3}, {0: -2}, "history")
    settlement = exchange.settlement(alice, bob, changes)
    sides = [exchange.side(alice, settlement, changes, sign=1), exchange.side(bob, settlement, changes, sign=-1)]
    exchange.house.settle(alice.owner, settlement, 1, sides)
    after = alice.after(changes, 1)
    exchange.prove(after, exchange.check(after, RuleKind.MAINTENANCE))
    exchange.publish()
    rows = history(exchange, alice.account)
    deposit, trade, proof, epoch = (row.seen for row in rows)
    assert deposit == DepositSeen(0, DEPOSIT, 1, from_inbox=False)
    assert isinstance(trade, TradeSeen)
    assert (trade.counterparties, trade.legs, trade.epoch, trade.books) == ((bob.account,), 1, 1, (0, 1))
    assert trade.action == settlement.action
    assert proof == ProofSeen(1, RuleKind.MAINTENANCE)
    assert isinstance(epoch, EpochSeen)
    assert (epoch.epoch, epoch.rule_digest) == (2, b"\x02" * 32)
    assert [row.block_number for row in rows] == sorted(row.block_number for row in rows)
    (_, seen_by_bob, _) = (row.seen for row in history(exchange, bob.account))
    assert isinstance(seen_by_bob, TradeSeen)
    assert seen_by_bob.counterparties == (alice.account,)
    assert seen_by_bob.action == trade.action


def test_what_others_pay_in_and_what_is_withdrawn_without_a_proof(exchange: Exchange, alice: Holder) -> None:
    exchange.fund(exchange.publisher, 9, token=1)
    exchange.vault.deposit_for(exchange.publisher, alice.account, 1, 9)
    commitment = exchange.commitments(alice.openings, 1)[0]
    exchange.house.merge_inbox(alice.owner, alice.account, 1, commitment)
    merged = credit_commitment(commitment, 1, 9, shape=SMALL, setup=exchange.setup)
    withdrawal = HoldingsWithdrawal(alice.account, 2, 1, 4, alice.owner.address)
    exchange.house.withdraw_holdings(alice.owner, withdrawal, merged)
    assert [row.seen for row in history(exchange, alice.account)][1:] == [
        InboxSeen(1, exchange.publisher.address, 9),
        DepositSeen(1, 9, 2, from_inbox=True),
        WithdrawalSeen(1, alice.owner.address, 4, 3, 0),
    ]


def test_accounts_without_events_have_no_history(exchange: Exchange, alice: Holder) -> None:
    assert history(exchange, alice.account[:-1] + b"\x01") == ()


def test_events_that_nobody_foresaw_are_shown(exchange: Exchange, alice: Holder) -> None:
    """A later version of the house may write events that this one does not know; they are kept, by their topic."""
    store, block = EventStore(), exchange.chain.block()
    assert block is not None
    made = exchange.deployment
    strange = EventLog(made.house, (b"\x07" * 32, alice.account), b"\x05", block.number, bytes(32), block.digest, 0)
    store.extend(None, [strange], Checkpoint(block.number, block.digest))
    index = EventIndex(exchange.chain, (made.house, made.registry), first_block=block.number, store=store)
    (row,) = account_history(index, alice.account, house=made.house, vault=made.vault, registry=made.registry)
    assert row.seen == OtherSeen("0x" + "07" * 32, {"data": b"\x05"})


def test_others_cannot_write_into_an_accounts_history(exchange: Exchange, alice: Holder) -> None:
    """Recipients are free to choose: their bytes, and zeros after them, can be those of an account."""
    made, block = exchange.deployment, exchange.chain.block()
    assert block is not None
    other, recipient, word = account_id(FRIEND, 5), alice.account[:20], bytes(32)
    vault, house = contract_interface("CollateralVault"), contract_interface("ClearingHouse")
    entries = [
        (made.vault, (vault.event_topic("LienClaimed"), other, word, word), bytes(12) + recipient + bytes(64)),
        (made.house, (house.event_topic("Withdrawn"), other, word, word), bytes(63) + b"\x02" + alice.account),
        (made.house, (b"\x07" * 32, other), bytes(12) + recipient + bytes(32)),
    ]
    logs = [
        EventLog(address, topics, data, block.number, bytes(32), block.digest, place)
        for place, (address, topics, data) in enumerate(entries)
    ]
    store = EventStore()
    store.extend(None, logs, Checkpoint(block.number, block.digest))
    assert len(store.logs_naming(made.vault, alice.account) + store.logs_naming(made.house, alice.account)) == len(logs)
    index = EventIndex(exchange.chain, (made.house, made.vault), first_block=block.number, store=store)
    assert account_history(index, alice.account, house=made.house, vault=made.vault, registry=made.registry) == ()
    venue = Venue(exchange.chain, made, SMALL, exchange.setup, exchange.key)
    vars(venue)["events"] = index
    assert public_changes(venue, alice.account) == ()
    assert [change.state_version for change in public_changes(venue, other)] == [2]


# --- The command ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnUse]:
    with own_use_venue(tmp_path_factory.mktemp("history")) as made:
        made.must(0, "publish")
        made.must(ALICE, "deposit", "100")
        made.must(ALICE, "deposit", "20")
        made.must(BOB, "deposit", "5")
        yield made


def shown(venue: OwnUse, account: str, *options: str, **variables: str) -> list[dict[str, Any]]:
    run = run_in_process("history", account, "--json", *options, variables=venue.variables(CAROL) | variables)
    assert run.returncode == 0, run.stderr
    found: list[dict[str, Any]] = json.loads(run.stdout)["events"]
    return found


def test_the_command_shows_what_happened(venue: OwnUse) -> None:
    owner = venue.running.account(ALICE).address
    events = shown(venue, venue.account(ALICE))
    assert events == shown(venue, owner) == shown(venue, owner, "--subaccount", "0")
    assert [(event["event"], event["token"], event["ticks"]) for event in events] == [
        ("deposit", 0, 10_000),
        ("deposit", 0, 2_000),
    ]
    run = run_in_process("history", owner, variables=venue.variables(CAROL))
    assert run.returncode == 0
    assert "token 0, ticks 2000, state version 2" in run.stdout


def test_the_command_needs_neither_key_nor_wallet(venue: OwnUse) -> None:
    variables = {"ZKMARGIN_PRIVATE_KEY": "", "ZKMARGIN_PASSWORD": "", "ZKMARGIN_WALLET": "nowhere.json"}
    assert len(shown(venue, venue.account(BOB), **variables)) == 1


def test_the_command_keeps_events_and_follows_reorganisations(venue: OwnUse, tmp_path: Path) -> None:
    variables = {"ZKMARGIN_STATE": str(tmp_path)}
    before = shown(venue, venue.account(ALICE), **variables)
    (kept,) = tmp_path.rglob("*.sqlite")
    assert kept.name == f"events-{venue.deployment.house}.sqlite"
    with later_undone(venue):
        venue.must(ALICE, "deposit", "7")
        assert len(shown(venue, venue.account(ALICE), **variables)) == len(before) + 1
    assert shown(venue, venue.account(ALICE), **variables) == before


def test_withdrawals_and_what_was_paid_of_them(venue: OwnUse) -> None:
    with later_undone(venue):
        venue.must(CAROL, "deposit", "2000000")
        venue.must(CAROL, "withdraw", "10.5", "--to", FRIEND)
        venue.must(CAROL, "withdraw", "1500000")
        venue.chain.request("evm_increaseTime", [86_400])
        venue.chain.request("evm_mine", [])
        venue.must(BOB, "payout", "1")
        events = shown(venue, venue.account(CAROL))
    assert [(event["event"], event["ticks"], event.get("claim")) for event in events] == [
        ("deposit", 200_000_000, None),
        ("withdrawal", 1_050, 0),
        ("withdrawal", 150_000_000, 1),
        ("payout", 150_000_000, 1),
    ]
    assert [event["recipient"] for event in events[1:]] == [FRIEND, *[venue.running.account(CAROL).address] * 2]


def test_what_the_command_refuses(venue: OwnUse) -> None:
    assert "64 hexadecimal digits" in venue.refuses(CAROL, "history", "0x12")
    assert "is no address" in venue.refuses(CAROL, "history", "0x" + "zz" * 20)
    run = run_in_process("history", venue.account(CAROL), variables=venue.variables(CAROL))
    assert run.returncode == 0, run.stderr
    assert "has seen nothing of this account" in run.stdout
