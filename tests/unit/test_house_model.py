"""The model of the clearing house by hand: every action, every refusal, and that its names are the contracts' own."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prover.simulation import actions as act
from prover.simulation.actions import Tampering
from prover.simulation.instrument_model import RETIREMENT_GRACE, Slot
from prover.simulation.refusals import Refusal
from tests.support.house_model import (
    ALICE,
    BOB,
    CAROL,
    CASH,
    LENDER,
    OPERATOR,
    PERPETUAL,
    TIMING,
    TOKEN,
    House,
    opened_house,
)
from verifier.chain.account_state import AccountStatus
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from collections.abc import Callable

CONTRACTS = Path(__file__).parents[2] / "contracts"
PROVER_SIDE = {Refusal.NOT_COVERED, Refusal.DEAD_SLOT}


@pytest.fixture
def house() -> House:
    return opened_house()


def test_refusals_are_errors_of_the_contracts_or_of_the_prover() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in CONTRACTS.rglob("*.sol"))
    declared = set(re.findall(r"\berror (\w+)\(", sources))
    prover = (CONTRACTS.parent / "prover" / "errors.py").read_text(encoding="utf-8")
    for refusal in Refusal:
        if refusal in PROVER_SIDE:
            assert f"class {refusal.value}(" in prover
        else:
            assert refusal.value in declared


def test_a_deposit_opens_a_transparent_account(house: House) -> None:
    account = house.account(ALICE)
    assert (account.version, account.status, account.books) == (1, AccountStatus.TRANSPARENT, 1)
    assert account.holdings == {0: 1_000}
    assert account.ghosts[0].positions == {CASH: 1_000}


def test_a_trade_moves_what_one_gives_to_the_other_and_hides_both(house: House) -> None:
    house.do(house.trade(ALICE, BOB, {PERPETUAL: 3, CASH: -300}, blind=7))
    alice, bob = house.account(ALICE), house.account(BOB)
    assert alice.ghosts[0].positions == {CASH: 700, PERPETUAL: 3}
    assert bob.ghosts[0].positions == {CASH: 1_300, PERPETUAL: -3}
    assert alice.status is bob.status is AccountStatus.ACTIVE
    assert alice.holdings == bob.holdings == {}
    assert alice.proven[RuleKind.INITIAL] == 1
    house.require_sound()


def test_a_trade_that_breaks_margin_changes_nothing(house: House) -> None:
    house.refuses(Refusal.NOT_COVERED, house.trade(ALICE, BOB, {PERPETUAL: 60, CASH: -6_000}))
    assert house.account(ALICE).version == 1


def test_a_second_book_is_covered_from_the_trade_on(house: House) -> None:
    house.do(act.ListSlots(1, (10_000_000,)))
    house.next_epoch()
    house.do(house.trade(ALICE, BOB, {CASH: -1}, second={0: 2}))
    assert house.account(ALICE).books == 0b11
    assert house.account(ALICE).ghosts[1].positions == {0: 2}
    house.require_sound()


def test_a_slot_that_is_not_listed_or_delisted_or_listed_since_holds_nothing(house: House) -> None:
    house.refuses(Refusal.DEAD_SLOT, house.trade(ALICE, BOB, {9: 1}))
    house.do(act.ListSlots(0, (0,)))
    house.refuses(Refusal.DEAD_SLOT, house.trade(ALICE, BOB, {3: 1}))
    house.next_epoch()
    house.do(house.trade(ALICE, BOB, {3: 1}))
    house.do(act.Delist(3))
    house.next_epoch()
    house.refuses(Refusal.DEAD_SLOT, house.trade(ALICE, BOB, {PERPETUAL: 1}))


@pytest.mark.parametrize(
    ("refusal", "altered"),
    [
        (Refusal.NONCE_USED, lambda deal: replace(deal, nonces={ALICE: 0, BOB: 99})),
        (Refusal.DEADLINE_EXPIRED, lambda deal: replace(deal, deadline=0)),
        (Refusal.EPOCH_TOO_LATE, lambda deal: replace(deal, max_epoch=0)),
        (Refusal.EPOCH_NOT_USABLE, lambda deal: replace(deal, epoch=2, max_epoch=2)),
        (Refusal.VERSION_MISMATCH, lambda deal: replace(deal, versions={ALICE: 1, BOB: 2})),
        (Refusal.NOT_OPEN, lambda deal: replace(deal, versions={ALICE: 2, BOB: 2, b"\x07" * 32: 1})),
        (Refusal.NOT_AUTHORISED, lambda deal: replace(deal, signers={**deal.signers, BOB: OPERATOR})),
        (Refusal.SIGNATURE_INVALID, lambda deal: replace(deal, tampering=Tampering.FOREIGN_SIGNATURE)),
        (Refusal.PROOF_REJECTED, lambda deal: replace(deal, tampering=Tampering.FORGED_PROOF)),
        (Refusal.COMMITMENT_MISMATCH, lambda deal: replace(deal, tampering=Tampering.WRONG_COMMITMENT)),
        (Refusal.POINTS_LENGTH, lambda deal: replace(deal, tampering=Tampering.OMITTED_BOOK)),
        (Refusal.INVALID_POINT, lambda deal: replace(deal, tampering=Tampering.POINT_OF_ORDER_THREE)),
    ],
)
def test_settlements_that_are_refused(
    house: House, refusal: Refusal, altered: Callable[[act.Settle], act.Settle]
) -> None:
    house.do(house.trade(ALICE, BOB, {CASH: 5}))  # uses nonce 0 of both
    deal = house.trade(ALICE, BOB, {CASH: 5})
    house.refuses(refusal, altered(deal))
    house.do(deal)


def test_a_leg_of_an_open_netting_can_be_dropped(house: House) -> None:
    legs = (
        house.open_leg(ALICE, BOB, {PERPETUAL: 1, CASH: -100}, nonce=1),
        house.open_leg(BOB, CAROL, {PERPETUAL: 1, CASH: -100}, nonce=2),
        house.open_leg(CAROL, ALICE, {PERPETUAL: 60, CASH: -6_000}, nonce=3),
    )
    house.refuses(Refusal.NOT_COVERED, house.netting(*legs))
    house.do(house.netting(*legs[:2]))
    assert house.account(BOB).ghosts[0].positions == {CASH: 1_000}
    assert house.account(CAROL).ghosts[0].positions == {CASH: 1_100, PERPETUAL: -1}
    house.refuses(Refusal.NONCE_USED, house.netting(legs[0]))
    house.refuses(Refusal.NONCE_USED, house.netting(house.open_leg(BOB, CAROL, {CASH: 1}, nonce=1)))
    house.refuses(Refusal.DEADLINE_EXPIRED, house.netting(replace(legs[2], deadline=0)))
    house.refuses(Refusal.EPOCH_TOO_LATE, house.netting(replace(legs[2], max_epoch=0)))
    forged = replace(house.netting(legs[2]), tampering=Tampering.FOREIGN_SIGNATURE)
    house.refuses(Refusal.SIGNATURE_INVALID, forged)
    house.require_sound()


def test_an_operator_signs_and_merges_until_its_time_passes(house: House) -> None:
    house.do(act.SetOperator(ALICE, OPERATOR, house.now + 100))
    deal = house.trade(ALICE, BOB, {CASH: -5})
    house.do(replace(deal, signers={**deal.signers, ALICE: OPERATOR}))
    house.do(act.DepositFor(ALICE, 0, 5))
    house.do(act.MergeInbox(ALICE, 0, OPERATOR))
    house.do(act.InvalidateNonces(ALICE, 0, 0b110, OPERATOR))
    deal = house.trade(ALICE, BOB, {CASH: -5})
    house.refuses(Refusal.NONCE_USED, replace(deal, nonces={ALICE: 2, BOB: 90}))
    house.now += 101
    house.refuses(Refusal.NOT_AUTHORISED, replace(deal, signers={**deal.signers, ALICE: OPERATOR}))
    house.refuses(Refusal.NOT_AUTHORISED, act.MergeInbox(ALICE, 0, OPERATOR))
    house.refuses(Refusal.NOT_AUTHORISED, act.InvalidateNonces(ALICE, 0, 1, OPERATOR))


def test_what_third_parties_do_leaves_version_and_commitments(house: House) -> None:
    before = house.account(ALICE)
    house.do(act.DepositFor(ALICE, 1, 40))
    assert house.account(ALICE) == before
    house.do(act.MergeInbox(ALICE, 1, house.owner(ALICE)))
    assert house.account(ALICE).holdings == {0: 1_000, 1: 40}
    assert house.account(ALICE).version == before.version + 1
    house.refuses(Refusal.INBOX_EMPTY, act.MergeInbox(ALICE, 1, house.owner(ALICE)))
    house.require_sound()


def test_nothing_is_credited_in_a_dead_slot(house: House) -> None:
    house.do(act.Deposit(ALICE, 1, 2))
    house.do(act.DepositFor(ALICE, 1, 5))
    house.do(act.Delist(TOKEN))
    house.refuses(Refusal.SLOT_NOT_COLLATERAL, act.Deposit(ALICE, 1, 5))
    house.refuses(Refusal.SLOT_NOT_COLLATERAL, act.MergeInbox(ALICE, 1, house.owner(ALICE)))
    house.do(act.WithdrawHoldings(ALICE, house.account(ALICE).version, 1, 2, house.owner(ALICE)))
    house.require_sound()


def test_a_withdrawal_is_proven_and_hides_the_account(house: House) -> None:
    terms = act.Withdraw(ALICE, 1, 1, 0, 400, house.owner(ALICE))
    house.refuses(Refusal.NOT_COVERED, replace(terms, ticks=1_001))
    house.refuses(Refusal.PROOF_REJECTED, replace(terms, tampering=Tampering.FORGED_PROOF))
    house.refuses(Refusal.VERSION_MISMATCH, replace(terms, version=9))
    house.refuses(Refusal.NOTHING_WITHDRAWN, replace(terms, ticks=0))
    house.refuses(Refusal.UNKNOWN_COLLATERAL, replace(terms, token=2))
    house.do(terms)
    assert house.account(ALICE).status is AccountStatus.ACTIVE
    assert house.account(ALICE).ghosts[0].positions == {CASH: 600}
    house.refuses(Refusal.ACCOUNT_ACTIVE, act.WithdrawHoldings(ALICE, 2, 0, 1, house.owner(ALICE)))
    house.require_sound()


def test_a_transparent_account_withdraws_what_it_holds_without_an_epoch(house: House) -> None:
    house.now += TIMING.maximum_age + 1
    house.refuses(Refusal.HOLDINGS_EXCEEDED, act.WithdrawHoldings(ALICE, 1, 0, 1_001, house.owner(ALICE)))
    house.do(act.WithdrawHoldings(ALICE, 1, 0, 1_000, house.owner(ALICE)))
    assert house.account(ALICE).ghosts[0].positions == {}
    house.require_sound()


def test_an_exit_shows_exactly_what_is_held(house: House) -> None:
    house.refuses(Refusal.ACCOUNT_TRANSPARENT, act.Exit(ALICE, 1, (1_000, 0)))
    house.do(house.trade(ALICE, BOB, {PERPETUAL: 1, CASH: -100}, blind=11))
    house.refuses(Refusal.EXIT_REJECTED, act.Exit(ALICE, 2, (900, 0)))
    house.do(house.trade(ALICE, BOB, {PERPETUAL: -1, CASH: 90}, blind=12))
    house.refuses(Refusal.EXIT_REJECTED, act.Exit(ALICE, 3, (991, 0)))
    house.now += TIMING.maximum_age
    house.do(act.Exit(ALICE, 3, (990, 0)))
    alice = house.account(ALICE)
    assert (alice.status, alice.holdings, alice.ghosts[0].blind) == (AccountStatus.TRANSPARENT, {0: 990, 1: 0}, 23)
    house.do(act.WithdrawHoldings(ALICE, 4, 0, 990, house.owner(ALICE)))
    house.require_sound()


def test_a_lien_leaves_the_account_and_is_the_lenders(house: House) -> None:
    house.do(act.GrantLien(ALICE, 1, 1, 0, 300, LENDER))
    assert house.account(ALICE).ghosts[0].positions == {CASH: 700}
    house.refuses(Refusal.NOT_COVERED, act.Withdraw(ALICE, 2, 1, 0, 701, house.owner(ALICE)))
    house.refuses(Refusal.LIEN_EXCEEDED, act.ClaimLien(ALICE, 0, 301, LENDER, LENDER))
    house.refuses(Refusal.LIEN_EXCEEDED, act.ClaimLien(ALICE, 0, 1, house.owner(ALICE), LENDER))
    house.do(act.ClaimLien(ALICE, 0, 100, LENDER, LENDER))
    house.do(act.ReleaseLien(ALICE, 0, 200, LENDER))
    house.refuses(Refusal.LIEN_EXCEEDED, act.ReleaseLien(ALICE, 0, 1, LENDER))
    house.do(act.MergeInbox(ALICE, 0, house.owner(ALICE)))
    assert house.account(ALICE).ghosts[0].positions == {CASH: 900}
    house.refuses(Refusal.LIEN_INVALID, act.GrantLien(ALICE, 3, 1, 0, 0, LENDER))
    house.require_sound()


def test_what_has_no_room_waits_and_is_paid_in_order(house: House) -> None:
    house.now += 1_000  # the bucket is full: 1,000 at once, 2 a second
    house.do(act.WithdrawHoldings(ALICE, 1, 0, 900, "a"))
    house.do(act.WithdrawHoldings(BOB, 1, 0, 300, "b"))
    house.do(act.WithdrawHoldings(CAROL, 1, 0, 100, "c"))
    ledger = house.model.vault.tokens[0]
    assert (ledger.room, ledger.backlog, ledger.claim_count) == (0, 300, 2)
    house.refuses(Refusal.CLAIM_WAITS, act.PayQueued(0, 1))
    house.now += 100
    house.do(act.PayQueued(0, 1))
    house.refuses(Refusal.CLAIM_WAITS, act.PayQueued(0, 2))
    house.refuses(Refusal.NO_SUCH_CLAIM, act.PayQueued(0, 1))
    house.now += 50
    house.do(act.PayQueued(0, 2))
    house.require_sound()


def test_collateral_enters_only_where_it_is_listed_as_such(house: House) -> None:
    house.do(act.DepositFor(ALICE, 1, 5))
    house.do(act.Delist(TOKEN))
    house.refuses(Refusal.SLOT_NOT_COLLATERAL, act.Deposit(ALICE, 1, 5))
    house.refuses(Refusal.SLOT_NOT_COLLATERAL, act.DepositFor(ALICE, 1, 5))
    house.refuses(Refusal.SLOT_NOT_COLLATERAL, act.MergeInbox(ALICE, 1, house.owner(ALICE)))
    derivatives = replace(house.model.instruments, books=((Slot(0), Slot(0)),))
    house.model = replace(house.model, instruments=derivatives)
    house.refuses(Refusal.SLOT_NOT_COLLATERAL, act.Deposit(ALICE, 0, 5))


def test_deposits_stop_at_the_cap(house: House) -> None:
    house.refuses(Refusal.CAP_EXCEEDED, act.Deposit(ALICE, 0, 7_001))
    house.refuses(Refusal.CAP_EXCEEDED, act.DepositFor(ALICE, 0, 7_001))
    house.refuses(Refusal.NOTHING_DEPOSITED, act.Deposit(ALICE, 0, 0))
    house.refuses(Refusal.COMMITMENT_MISMATCH, act.Deposit(ALICE, 0, 1, Tampering.WRONG_COMMITMENT))
    house.do(act.DepositFor(ALICE, 0, 7_000))


def test_nobody_withdraws_what_inboxes_and_liens_keep_apart(house: House) -> None:
    house.do(act.WithdrawHoldings(BOB, 1, 0, 1_000, "b"))
    house.do(act.WithdrawHoldings(CAROL, 1, 0, 1_000, "c"))
    house.do(act.DepositFor(BOB, 0, 500))
    ledger = house.model.vault.tokens[0]
    assert (ledger.net_deposits, ledger.kept_apart) == (1_500, 500)
    house.refuses(Refusal.HOLDINGS_EXCEEDED, act.WithdrawHoldings(ALICE, 1, 0, 1_001, "a"))


def test_nobody_takes_out_more_cash_than_there_is(house: House) -> None:
    house.do(act.Deposit(CAROL, 1, 100))
    house.do(house.trade(ALICE, BOB, {CASH: 1_000}))
    house.do(house.trade(ALICE, CAROL, {CASH: 1_050}))  # who owes 50 against tokens worth 1,000
    terms = act.Withdraw(ALICE, 3, 1, 0, 3_001, house.owner(ALICE))
    house.refuses(Refusal.VAULT_EXHAUSTED, terms)
    house.refuses(Refusal.VAULT_EXHAUSTED, act.GrantLien(ALICE, 3, 1, 0, 3_001, LENDER))
    house.do(replace(terms, ticks=3_000))
    house.require_sound()


def test_a_proof_is_recorded_once_and_at_the_active_epoch(house: House) -> None:
    check = act.ProveMargin(ALICE, 1, 1, RuleKind.MAINTENANCE)
    house.do(check)
    house.refuses(Refusal.ALREADY_PROVEN, check)
    house.next_epoch()
    house.refuses(Refusal.EPOCH_NOT_USABLE, act.ProveMargin(ALICE, 1, 1, RuleKind.INITIAL))
    batch = (replace(check, epoch=2), act.ProveMargin(BOB, 1, 2, RuleKind.INITIAL))
    house.refuses(Refusal.ALREADY_PROVEN, act.ProveMargins((*batch, batch[0])))
    house.do(act.ProveMargins(batch))
    assert house.account(ALICE).proven == {RuleKind.MAINTENANCE: 2}


def test_the_epoch_before_serves_maintenance_proofs_for_three_minutes(house: House) -> None:
    house.next_epoch()
    house.now = house.model.registry.epochs[1].active_from + 180
    house.do(act.ProveMargin(ALICE, 1, 1, RuleKind.MAINTENANCE))
    house.now += 1
    house.refuses(Refusal.EPOCH_NOT_USABLE, act.ProveMargin(BOB, 1, 1, RuleKind.MAINTENANCE))


def test_epochs_are_announced_apart_and_active_after_the_delay(house: House) -> None:
    latest = house.model.registry.epochs[-1]
    house.now = latest.announced_at + TIMING.spacing - 1
    house.refuses(Refusal.EPOCH_TOO_SOON, house.publication())
    house.now += 1
    house.refuses(Refusal.SNAPSHOT_NOT_NEWER, replace(house.publication(), snapshot_time=latest.snapshot_time))
    house.refuses(Refusal.SNAPSHOT_IN_FUTURE, replace(house.publication(), snapshot_time=house.now + 1))
    house.refuses(Refusal.TOO_FEW_SIGNATURES, replace(house.publication(), signers=1))
    house.refuses(Refusal.CHUNKS_MISSING, replace(house.publication(), with_blobs=False))
    house.refuses(Refusal.LIST_VERSION_WRONG, replace(house.publication(), list_version=7))
    house.do(house.publication())
    house.refuses(Refusal.EPOCH_WAITING, act.ProveMargin(ALICE, 1, 2, RuleKind.INITIAL))
    assert house.model.registry.active(house.now).number == 1
    house.now += TIMING.activation_delay
    assert house.model.registry.active(house.now).number == 2
    house.now += TIMING.maximum_age
    stale = replace(house.publication(), snapshot_time=house.now - TIMING.maximum_age - 1)
    house.refuses(Refusal.STALE_EPOCH, stale)


def test_the_active_clock_stops_while_the_epoch_is_stale(house: House) -> None:
    registry = house.model.registry
    first = registry.epochs[0]
    last = first.snapshot_time + TIMING.maximum_age
    assert registry.active_clock(first.active_from) == 0
    assert registry.active_clock(last) == registry.active_clock(last + 500) == last - first.active_from
    house.now = last + 500
    house.refuses(Refusal.STALE_EPOCH, act.ProveMargin(ALICE, 1, 1, RuleKind.MAINTENANCE))
    house.refuses(Refusal.STALE_EPOCH, house.trade(ALICE, BOB, {CASH: 1}))
    house.next_epoch()
    assert house.model.registry.active_clock(house.now) == last - first.active_from


def test_nothing_is_provable_before_the_first_epoch() -> None:
    house = opened_house(published=False)
    house.refuses(Refusal.NO_EPOCH, act.ProveMargin(ALICE, 1, 1, RuleKind.INITIAL))


def test_a_pause_stops_trades_and_proven_outflows_and_nothing_else(house: House) -> None:
    pause = act.Pause(600, house.model.guardian)
    house.refuses(Refusal.NOT_GUARDIAN, replace(pause, caller="x"))
    house.refuses(Refusal.PAUSE_LENGTH, replace(pause, seconds=0))
    house.refuses(Refusal.NOT_PAUSED, act.Unpause(house.model.guardian))
    house.do(pause)
    house.refuses(Refusal.PAUSED, house.trade(ALICE, BOB, {CASH: 1}))
    house.refuses(Refusal.PAUSED, house.netting(house.open_leg(ALICE, BOB, {CASH: 1}, nonce=5)))
    house.refuses(Refusal.PAUSED, act.Withdraw(ALICE, 1, 1, 0, 1, "a"))
    house.refuses(Refusal.PAUSED, act.GrantLien(ALICE, 1, 1, 0, 1, LENDER))
    house.do(act.WithdrawHoldings(ALICE, 1, 0, 1, "a"))
    house.do(act.ProveMargin(ALICE, 2, 1, RuleKind.INITIAL))
    house.now += 100
    house.refuses(Refusal.NOT_GUARDIAN, act.Unpause("x"))
    house.do(act.Unpause(house.model.governor))
    house.now += 99
    house.refuses(Refusal.PAUSE_TOO_SOON, pause)
    house.now += 1
    house.do(pause)


def test_a_slot_that_was_delisted_does_not_keep_its_book(house: House) -> None:
    house.do(act.ListSlots(1, (0, house.now + 1)))
    house.now += 1 + RETIREMENT_GRACE
    house.refuses(Refusal.SLOT_NOT_EXPIRED, act.RetireBook(1))
    house.do(act.Delist(16))
    house.do(act.RetireBook(1))


def test_slots_are_appended_and_books_retired_as_a_whole(house: House) -> None:
    expiry = house.now + 1_000
    house.refuses(Refusal.NO_SUCH_BOOK, act.ListSlots(2, (expiry,)))
    house.refuses(Refusal.BOOK_FULL, act.ListSlots(1, (expiry,) * 17))
    house.do(act.ListSlots(1, (expiry, expiry)))
    house.refuses(Refusal.BOOK_STAYS, act.RetireBook(0))
    house.refuses(Refusal.NO_SUCH_BOOK, act.RetireBook(2))
    house.refuses(Refusal.SLOT_NOT_EXPIRED, act.RetireBook(1))
    house.now = expiry + RETIREMENT_GRACE - 1
    house.refuses(Refusal.SLOT_NOT_EXPIRED, act.RetireBook(1))
    house.now += 1
    house.do(act.RetireBook(1))
    house.refuses(Refusal.BOOK_IS_RETIRED, act.RetireBook(1))
    house.refuses(Refusal.BOOK_IS_RETIRED, act.ListSlots(1, (house.now + 1,)))
    house.refuses(Refusal.SLOT_NOT_LISTED, act.Delist(16))
    assert house.model.instruments.version == 3
