"""Withdrawals with real proofs on a real chain: by wallet, by console command, in the queue, and every accident."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import pytest

from prover.account.account_session import AccountSession, portfolio_of
from prover.account.account_view import waiting_claims
from prover.account.collateral import find_collateral
from prover.account.deposits import deposit
from prover.account.trade import accept_offer, make_offer, prepare_settlement, submit_settlement
from prover.account.wallet import create_wallet, open_wallet
from prover.account.withdrawals import (
    PreparedWithdrawal,
    Withdrawn,
    prepare_withdrawal,
    queued_claims,
    submit_withdrawal,
)
from prover.errors import CollateralError, InsufficientMarginError, WithdrawalError
from tests.support.own_use import OwnUse, later_undone, own_use_venue, published_venue
from verifier.chain.account_state import AccountStatus
from verifier.chain.chain_time import advance_time
from verifier.chain.withdrawal_terms import HoldingsWithdrawal, Withdrawal
from verifier.errors import ContractRevertedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from prover.account.venue import Venue
    from prover.rules.rule_book import EpochRules

COST: Final = 16
PASSWORD: Final = "of both wallets"  # noqa: S105 - of wallets that live as long as a test
OPTION: Final = "BTC-27JUN25-100000-C"
FRIEND: Final = "0x00000000000000000000000000000000DeaDBeef"
DEPOSITED: Final = Decimal(3_000_000)
CAPACITY: Final = Decimal(1_000_000)
BACKLOG: Final = Decimal(11_580)
"""What leaves in 1,000 seconds: far more than the test takes."""


class CrashError(Exception):
    """The process ends here."""


class Desk:
    """A venue with epoch 1, and two owners whose processes can end at any time: what stays is a wallet file."""

    def __init__(self, own_use: OwnUse, venue: Venue, rules: EpochRules) -> None:
        self.own_use = own_use
        self.venue = venue
        self.rules = rules

    @contextlib.contextmanager
    def session(self, owner: int) -> Iterator[AccountSession]:
        """Open the wallet anew, as a new process would."""
        path = self.own_use.folder / f"desk{owner}"
        if not path.exists():
            with create_wallet(path, PASSWORD, cost=COST):
                pass
        with open_wallet(path, PASSWORD) as wallet:
            yield AccountSession(self.venue, wallet, self.own_use.running.account(owner))

    def cash(self, owner: int) -> Decimal:
        """What the wallet says once it has asked the chain."""
        with self.session(owner) as session:
            record, _ = session.refresh()
            return portfolio_of(record, record.current, self.rules.slots).quantities().get("USD", Decimal(0))

    def trade(self) -> None:
        """Owner 1 buys three calls from owner 2."""
        with self.session(1) as buyer, self.session(2) as seller:
            offer = make_offer(buyer, self.rules, {OPTION: Decimal(3), "USD": Decimal(-40_000)})
            acceptance = accept_offer(seller, self.rules, offer)
            submit_settlement(buyer, prepare_settlement(buyer, self.rules, acceptance))

    def prepare(self, owner: int, amount: int | Decimal, *, proven: bool = True) -> PreparedWithdrawal:
        with self.session(owner) as session:
            rules = self.rules if proven else None
            return prepare_withdrawal(session, Decimal(amount), FRIEND, rules)

    def submit(self, owner: int, prepared: PreparedWithdrawal) -> Withdrawn:
        with self.session(owner) as session:
            return submit_withdrawal(session, prepared)

    def paid(self) -> Decimal:
        """Quote currency that the friend has."""
        collateral = find_collateral(self.venue)
        return Decimal(collateral.client.balance(FRIEND)).scaleb(-collateral.decimals)

    def advance(self, seconds: int) -> None:
        advance_time(self.venue.chain, seconds)


@pytest.fixture(scope="module")
def running_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Two transparent accounts under epoch 1."""
    with published_venue(tmp_path_factory.mktemp("withdrawals")) as published:
        desk = Desk(*published)
        for owner in (1, 2):
            with desk.session(owner) as session:
                deposit(session, DEPOSITED)
        yield desk


@pytest.fixture
def desk(running_desk: Desk) -> Iterator[Desk]:
    """The chain is as before after the test."""
    with later_undone(running_desk.own_use):
        yield running_desk


@pytest.fixture
def traded(desk: Desk) -> Desk:
    """Both accounts are hidden."""
    desk.trade()
    return desk


def _refusal_of(desk: Desk, prepared: PreparedWithdrawal) -> str:
    with pytest.raises(ContractRevertedError) as caught:
        desk.submit(1, prepared)
    return caught.value.name


# --- What happens ---------------------------------------------------------------------------------------------------


def test_an_account_that_never_traded_needs_no_proof_and_no_fresh_rules(desk: Desk) -> None:
    desk.advance(7 * 86_400)
    prepared = desk.prepare(1, 1_000, proven=False)
    assert prepared.evidence is None
    done = desk.submit(1, prepared)
    assert (done.claim, done.ticks) == (None, 100_000)
    assert desk.cash(1) == DEPOSITED - 1_000
    assert desk.paid() == 1_000


def test_a_hidden_account_proves_what_stays(traded: Desk) -> None:
    done = traded.submit(1, traded.prepare(1, 60_000))
    assert done.claim is None
    assert traded.cash(1) == DEPOSITED - 40_000 - 60_000
    assert traded.paid() == 60_000
    with traded.session(1) as session:
        state = traded.venue.house.account_state(session.account)
    assert (state.status, state.initial_epoch, state.state_version) == (AccountStatus.ACTIVE, 1, 3)
    assert traded.venue.vault.vault_state(0).net_deposits == 594_000_000


def test_what_margin_needs_stays(traded: Desk) -> None:
    """The seller of calls cannot take out what covers them; nothing is written or sent."""
    height = traded.venue.chain.block_number()
    with pytest.raises(InsufficientMarginError, match="margin is not covered"):
        traded.prepare(2, DEPOSITED + 30_000)
    assert traded.venue.chain.block_number() == height
    with traded.session(2) as session:
        assert session.refresh()[0].changes == ()


# --- The queue ------------------------------------------------------------------------------------------------------


def test_what_does_not_fit_waits_and_is_paid_in_turn(traded: Desk) -> None:
    first = traded.submit(1, traded.prepare(1, CAPACITY + BACKLOG))
    second = traded.submit(2, traded.prepare(2, Decimal("11.58")))
    assert (first.claim, second.claim) == (1, 2)
    assert traded.paid() == 0
    assert traded.cash(1) == DEPOSITED - 40_000 - CAPACITY - BACKLOG
    vault, payer = traded.venue.vault, traded.own_use.running.account(3)
    with traded.session(2) as session:
        claims = queued_claims(traded.venue, session.account)
        shown = waiting_claims(traded.venue, session.account)
    assert [(one.token, one.claim.number, one.claim.recipient, one.claim.ticks) for one in claims] == [
        (0, 2, FRIEND, 1158)
    ]
    assert str(shown["queued_claim_2"]).startswith(f"1158 ticks to {FRIEND}, payable ")
    traded.advance(1_100)
    vault.pay_queued(payer, 0, 2)
    assert traded.paid() == Decimal("11.58")
    vault.pay_queued(payer, 0, 1)
    assert traded.paid() == CAPACITY + BACKLOG + Decimal("11.58")
    with pytest.raises(ContractRevertedError) as caught:
        vault.pay_queued(payer, 0, 1)
    assert caught.value.name == "CollateralVaultNoSuchClaim"
    assert waiting_claims(traded.venue, session.account) == {}


def test_a_claim_whose_turn_has_not_come_waits(desk: Desk) -> None:
    done = desk.submit(1, desk.prepare(1, 2 * CAPACITY, proven=False))
    vault = desk.venue.vault
    limit = vault.token_terms(0).limit
    assert done.claim == 1
    with pytest.raises(ContractRevertedError) as caught:
        vault.pay_queued(desk.own_use.running.account(3), 0, 1)
    assert caught.value.name == "CollateralVaultClaimWaits"
    claim = vault.claim(0, 1)
    assert claim is not None
    left = claim.seconds_left(vault.queue_state(0), limit)
    assert 86_000 < left <= 86_400
    assert vault.vault_state(0).room == 0
    desk.advance(left)
    assert claim.seconds_left(vault.queue_state(0), limit) == 0
    vault.pay_queued(desk.own_use.running.account(3), 0, 1)
    assert desk.paid() == 2 * CAPACITY


# --- Attacks --------------------------------------------------------------------------------------------------------


def test_a_proof_serves_one_withdrawal_only(traded: Desk) -> None:
    prepared = traded.prepare(1, 100)
    terms = prepared.terms
    assert isinstance(terms, Withdrawal)
    for bent in (replace(terms, ticks=terms.ticks + 1), replace(terms, recipient="0x" + "22" * 20)):
        assert _refusal_of(traded, replace(prepared, terms=bent)) == "MarginVerifierInverseHintMismatch"
    traded.submit(1, prepared)
    assert _refusal_of(traded, prepared) == "AccountLedgerStateVersionMismatch"
    assert traded.paid() == 100


def test_nobody_sends_a_withdrawal_of_another(traded: Desk) -> None:
    prepared = traded.prepare(1, 100)
    assert isinstance(prepared.terms, Withdrawal)
    assert prepared.evidence is not None
    with pytest.raises(ContractRevertedError) as caught:
        traded.venue.house.withdraw(traded.own_use.running.account(2), prepared.terms, prepared.evidence)
    assert caught.value.name == "AccountLedgerNotOwner"


def test_a_hidden_account_cannot_pass_as_transparent(traded: Desk) -> None:
    prepared = traded.prepare(1, 100)
    terms = HoldingsWithdrawal(prepared.terms.account, prepared.terms.state_version, 0, 100, FRIEND)
    assert _refusal_of(traded, replace(prepared, terms=terms)) == "ClearingHouseAccountActive"
    with pytest.raises(WithdrawalError, match="give the market"):
        traded.prepare(1, 100, proven=False)


# --- Accidents ------------------------------------------------------------------------------------------------------


def test_a_crash_between_saving_and_sending_changes_nothing(traded: Desk) -> None:
    before = traded.cash(1)
    traded.prepare(1, 500)
    assert traded.cash(1) == before
    traded.submit(1, traded.prepare(1, 700))
    assert traded.cash(1) == before - 700


@pytest.mark.parametrize("hidden", [True, False])
def test_a_crash_between_sending_and_the_receipt_loses_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, *, hidden: bool
) -> None:
    if hidden:
        desk.trade()
    before = desk.cash(1)
    prepared = desk.prepare(1, 500)

    def crash(*_: object) -> None:
        raise CrashError

    with monkeypatch.context() as patched:
        patched.setattr(AccountSession, "refresh", crash)
        with pytest.raises(CrashError):
            desk.submit(1, prepared)
    assert desk.cash(1) == before - 500
    assert _refusal_of(desk, prepared) == "AccountLedgerStateVersionMismatch"


def test_what_was_taken_back_by_the_chain_is_followed(traded: Desk) -> None:
    before = traded.cash(1)
    with later_undone(traded.own_use):
        traded.submit(1, traded.prepare(1, 500))
        assert traded.cash(1) == before - 500
    assert traded.cash(1) == before


# --- Amounts and addresses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "recipient", "expected"),
    [
        ("0", FRIEND, "a withdrawal of 0 USD is out of range"),
        ("NaN", FRIEND, "a withdrawal of NaN USD is out of range"),
        ("0.001", FRIEND, "no multiple of its tick of 0.01"),
        ("3000000.01", FRIEND, "more than the 300000000 ticks of USD that the account holds"),
        ("1", "0x12", "is no address"),
        ("1", FRIEND.replace("DeaD", "DEaD"), "its checksum is wrong"),
        ("1", "00" * 21, "is no address"),
    ],
)
def test_refusals_name_value_and_remedy(desk: Desk, amount: str, recipient: str, expected: str) -> None:
    with desk.session(1) as session, pytest.raises((WithdrawalError, CollateralError), match=expected):
        prepare_withdrawal(session, Decimal(amount), recipient, None)


def test_more_than_the_house_holds_is_refused_before_anything_is_proven(traded: Desk) -> None:
    with pytest.raises(WithdrawalError, match="more than the 600000000 ticks of USD that the clearing house"):
        traded.prepare(1, 2 * DEPOSITED + 1)


def test_the_console_commands(tmp_path: Path) -> None:
    with own_use_venue(tmp_path) as venue:
        venue.must(0, "publish")
        venue.must(1, "deposit", "2000000")
        without_market = venue.must(1, "withdraw", "10.5", "--to", FRIEND)
        assert without_market["proven"] is False
        assert without_market["queued_as_claim"] == "no, paid"
        assert venue.must(1, "withdraw", "1500000")["queued_as_claim"] == 1
        (account,) = venue.must(1, "status")["accounts"]
        assert account["chain_sees"]["queued_claim_1"].startswith("150000000 ticks to ")
        assert "CollateralVaultClaimWaits" in venue.refuses(2, "payout", "1")
        advance_time(venue.chain, 86_400)
        assert venue.must(2, "payout", "1")["claim"] == 1
        assert "ticks of USD that the account holds" in venue.refuses(1, "withdraw", "1500000")
