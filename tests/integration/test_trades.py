"""Hidden trades between two wallets: what neither side can slip in, and that a crash at any point loses nothing."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from prover.account.account_session import AccountSession, portfolio_of
from prover.account.deposits import deposit
from prover.account.trade import (
    PreparedSettlement,
    accept_offer,
    make_offer,
    prepare_settlement,
    submit_settlement,
)
from prover.account.trade_files import TradeAcceptance, TradeOffer, encode_trade_file, read_change, read_trade_file
from prover.account.wallet import create_wallet, open_wallet
from prover.errors import EarlierChangeError, InsufficientMarginError, PortfolioError, TradeError, WalletOutOfDateError
from tests.support.own_use import OwnUse, later_undone, published_venue
from verifier.errors import ContractRevertedError
from verifier.scalar_field import MODULUS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from prover.account.venue import Venue
    from prover.account.wallet_records import Opening
    from prover.rules.rule_book import EpochRules

COST = 16
PASSWORD = "of both wallets"  # noqa: S105 - of wallets that live as long as a test
OPTION = "BTC-27JUN25-100000-C"
TRADE = {OPTION: Decimal(3), "USD": Decimal(-40000)}


@dataclass(frozen=True)
class Market:
    """A venue with epoch 1."""

    own_use: OwnUse
    venue: Venue
    rules: EpochRules


@dataclass(frozen=True)
class Party:
    """An owner whose process can end at any time: what stays is the wallet file."""

    market: Market
    path: Path
    owner: int

    @contextlib.contextmanager
    def session(self) -> Iterator[AccountSession]:
        """Open the wallet anew, as a new process would."""
        with open_wallet(self.path, PASSWORD) as wallet:
            yield AccountSession(self.market.venue, wallet, self.market.own_use.running.account(self.owner))

    def opening(self) -> Opening:
        """What the chain says is true."""
        with self.session() as session:
            return session.refresh()[0].current

    def quantity(self, instrument: str) -> Decimal:
        """What the account holds of an instrument."""
        with self.session() as session:
            record, _ = session.refresh()
            return (
                portfolio_of(record, record.current, self.market.rules.slots).quantities().get(instrument, Decimal(0))
            )

    def offer(self) -> TradeOffer:
        with self.session() as session:
            return make_offer(session, self.market.rules, TRADE)

    def accept(self, offer: TradeOffer) -> TradeAcceptance:
        with self.session() as session:
            return accept_offer(session, self.market.rules, offer)

    def prepare(self, acceptance: TradeAcceptance) -> PreparedSettlement:
        with self.session() as session:
            return prepare_settlement(session, self.market.rules, acceptance)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    with published_venue(tmp_path_factory.mktemp("trades")) as published:
        yield Market(*published)


@pytest.fixture
def parties(market: Market, tmp_path: Path) -> Iterator[tuple[Party, Party]]:
    """Two owners with deposits; the chain is as before after the test."""
    made = []
    with later_undone(market.own_use):
        for owner in (1, 2):
            party = Party(market, tmp_path / f"wallet{owner}", owner)
            with create_wallet(party.path, PASSWORD, cost=COST):
                pass
            with party.session() as session:
                deposit(session, Decimal(500_000))
            made.append(party)
        yield made[0], made[1]


def _assert_traded(buyer: Party, seller: Party) -> None:
    held = {name: (buyer.quantity(name), seller.quantity(name)) for name in TRADE}
    assert held == {OPTION: (Decimal(3), Decimal(-3)), "USD": (Decimal(460_000), Decimal(540_000))}


def test_positions_move_from_one_to_the_other(parties: tuple[Party, Party]) -> None:
    buyer, seller = parties
    prepared = buyer.prepare(seller.accept(buyer.offer()))
    with buyer.session() as session:
        submit_settlement(session, prepared)
    _assert_traded(buyer, seller)
    assert buyer.opening().books[0].blind != 0
    assert (buyer.opening().books[0].blind + seller.opening().books[0].blind) % MODULUS == 0


def test_blinds_are_fresh_for_every_trade(parties: tuple[Party, Party]) -> None:
    buyer, seller = parties
    first, second = buyer.offer(), buyer.offer()
    assert first.blinds != second.blinds
    answers = seller.accept(first), seller.accept(first)
    assert answers[0].blinds != answers[1].blinds
    assert answers[0].differences != answers[1].differences


def test_a_crash_after_saving_and_before_sending_changes_nothing(parties: tuple[Party, Party]) -> None:
    buyer, seller = parties
    before = buyer.opening(), seller.opening()
    buyer.prepare(seller.accept(buyer.offer()))
    assert (buyer.opening(), seller.opening()) == before


@pytest.mark.parametrize("is_prepared", [True, False])
def test_a_crash_after_sending_and_before_the_receipt_loses_nothing(
    parties: tuple[Party, Party], *, is_prepared: bool
) -> None:
    buyer, seller = parties
    acceptance = seller.accept(buyer.offer())
    prepared = buyer.prepare(acceptance)
    assert "after" not in repr(prepared)
    venue = buyer.market.venue
    # Sent by the node's client alone: no wallet hears of it.
    sender = buyer.market.own_use.running.account(1)
    venue.house.settle(sender, prepared.settlement, prepared.epoch, prepared.sides)
    told = f"trade {prepared.trade} is settled already, .* do not agree anew"
    with buyer.session() as session:
        with pytest.raises(TradeError, match=told):
            submit_settlement(
                session, prepared if is_prepared else prepare_settlement(session, buyer.market.rules, acceptance)
            )
        assert session.refresh()[0].offers == ()
    _assert_traded(buyer, seller)


def test_whichever_of_two_acceptances_is_settled_both_wallets_follow(parties: tuple[Party, Party]) -> None:
    """By somebody else here: nobody is told to agree on the trade once more."""
    buyer, seller = parties
    offer = buyer.offer()
    older, newer = seller.accept(offer), seller.accept(offer)
    prepared = buyer.prepare(older)
    venue, sender = buyer.market.venue, buyer.market.own_use.running.account(1)
    venue.house.settle(sender, prepared.settlement, prepared.epoch, prepared.sides)
    told = f"trade {offer.trade} is used: it, or another that was offered beside it, was settled or called back"
    with buyer.session() as session, pytest.raises(TradeError, match=told):
        prepare_settlement(session, buyer.market.rules, newer)
    assert seller.quantity(OPTION) == -3
    assert buyer.quantity(OPTION) == 3


def test_a_crash_between_saving_and_depositing_changes_nothing(
    parties: tuple[Party, Party], monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer, _ = parties

    class CrashError(Exception):
        """The process ends here."""

    def crash(*_: object) -> None:
        raise CrashError

    with monkeypatch.context() as patched, buyer.session() as session:
        patched.setattr("verifier.chain.house_client.HouseClient.deposit", crash)
        with pytest.raises(CrashError):
            deposit(session, Decimal(100))
    assert buyer.quantity("USD") == 500_000
    with buyer.session() as session:
        deposit(session, Decimal(100))
    assert buyer.quantity("USD") == 500_100


def test_a_crash_after_the_deposit_loses_nothing(parties: tuple[Party, Party], monkeypatch: pytest.MonkeyPatch) -> None:
    buyer, _ = parties
    refresh = AccountSession.refresh
    calls = []

    class CrashError(Exception):
        """The process ends here."""

    def crash_second(session: AccountSession) -> object:
        calls.append(session)
        if len(calls) == 2:
            raise CrashError
        return refresh(session)

    with monkeypatch.context() as patched, buyer.session() as session:
        patched.setattr(AccountSession, "refresh", crash_second)
        with pytest.raises(CrashError):
            deposit(session, Decimal(100))
    told = "the deposit that an earlier run began has happened"
    with buyer.session() as session, pytest.raises(EarlierChangeError, match=told):
        deposit(session, Decimal(100))
    assert buyer.quantity("USD") == 500_100
    with buyer.session() as session:
        deposit(session, Decimal(100))
    assert buyer.quantity("USD") == 500_200


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"blinds": {0: 1}}, "another change than the one offered"),
        ({"blinds": {0: 1, 1: 2}}, "a blind of each side"),
        ({"blinds": {1: 2}}, "a blind of each side"),
        ({"epoch": 2}, "proven under epoch 2, active is epoch 1"),
        ({"differences": ("0x" + "00" * 96,)}, "another change than the one offered"),
        ({"differences": ()}, "another change than the one offered"),
        ({"trade": "0" * 32}, "no open offer"),
    ],
)
def test_an_acceptance_that_says_something_else_is_not_signed(
    parties: tuple[Party, Party], change: dict[str, object], expected: str
) -> None:
    buyer, seller = parties
    acceptance = seller.accept(buyer.offer())
    with pytest.raises(TradeError, match=expected):
        buyer.prepare(acceptance.model_copy(update=change))
    buyer.prepare(acceptance)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"signature": "0x" + "11" * 65}, "AccountLedgerSignatureInvalid"),
        ({"signer": "0x" + "11" * 20}, "AccountLedgerNotAuthorised"),
        ({"second_version": 7}, "AccountLedgerSignatureInvalid"),
        ({"second_nonce": 7}, "AccountLedgerSignatureInvalid"),
        ({"portfolio": ("0x" + "00" * 96,)}, "AccountLedgerCommitmentMismatch"),
    ],
)
def test_the_contract_refuses_a_side_that_is_not_what_it_says(
    parties: tuple[Party, Party], change: dict[str, object], error: str
) -> None:
    buyer, seller = parties
    acceptance = seller.accept(buyer.offer())
    forged = buyer.prepare(acceptance.model_copy(update=change))
    with buyer.session() as session, pytest.raises(ContractRevertedError) as caught:
        submit_settlement(session, forged)
    assert caught.value.name == error
    honest = buyer.prepare(acceptance)
    with buyer.session() as session:
        submit_settlement(session, honest)
    assert buyer.quantity(OPTION) == 3


def test_a_replay_is_refused_by_name(parties: tuple[Party, Party]) -> None:
    buyer, seller = parties
    prepared = buyer.prepare(seller.accept(buyer.offer()))
    with buyer.session() as session:
        submit_settlement(session, prepared)
        with pytest.raises(ContractRevertedError) as caught:
            session.venue.house.settle(session.signer, prepared.settlement, prepared.epoch, prepared.sides)
    assert caught.value.name == "AccountLedgerNonceUsed"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"chain_id": 1}, "on chain 1"),
        ({"house": "0x" + "11" * 20}, "clearing house 0x1111"),
        ({"max_epoch": 0}, "holds until epoch 0, and epoch 1 is active"),
        ({"blinds": {1: 2}}, "a blind of each side"),
        ({"deadline": 1}, "deadline 1 is not within"),
        ({"deadline": 1 << 60}, "is not within"),
        ({"first_version": 9}, "offered at 9"),
        ({"quantities": {}}, "moves nothing"),
    ],
)
def test_an_offer_for_another_place_or_time_is_not_accepted(
    parties: tuple[Party, Party], change: dict[str, object], expected: str
) -> None:
    buyer, seller = parties
    with pytest.raises(TradeError, match=expected):
        seller.accept(buyer.offer().model_copy(update=change))


def test_nobody_accepts_an_own_offer(parties: tuple[Party, Party]) -> None:
    buyer, _ = parties
    with pytest.raises(TradeError, match="your own"):
        buyer.accept(buyer.offer())


def test_a_trade_is_void_once_an_account_has_changed(parties: tuple[Party, Party]) -> None:
    buyer, seller = parties
    acceptance = seller.accept(buyer.offer())
    with buyer.session() as session:
        deposit(session, Decimal(1))
    with pytest.raises(TradeError, match="your account has changed"):
        buyer.prepare(acceptance)


def test_whoever_would_not_be_covered_does_not_accept(parties: tuple[Party, Party]) -> None:
    buyer, seller = parties
    huge = buyer.offer().model_copy(update={"quantities": {OPTION: "500"}})
    before = seller.path.read_bytes()
    with pytest.raises(InsufficientMarginError) as caught:
        seller.accept(huge)
    worst = max(caught.value.shortfalls, key=lambda entry: entry.shortfall)
    assert worst.name.startswith("spot +")
    with seller.session() as session:
        assert session.refresh()[0].changes == ()
    assert seller.path.read_bytes() == before


def test_a_list_that_moves_an_instrument_to_another_slot_is_noticed(parties: tuple[Party, Party]) -> None:
    buyer, seller = parties
    prepared = buyer.prepare(seller.accept(buyer.offer()))
    with buyer.session() as session:
        submit_settlement(session, prepared)
        record, _ = session.refresh()
        moved = record.model_copy(update={"instruments": {"0/9": "BTC-27JUN25-1-P"}})
        with pytest.raises(WalletOutOfDateError, match="slot 0/9 was BTC-27JUN25-1-P"):
            portfolio_of(moved, moved.current, buyer.market.rules.slots)


def test_an_instrument_twice_is_no_change(tmp_path: Path) -> None:
    """Parsers take the last of two; whoever wrote the first meant it."""
    path = tmp_path / "change.json"
    path.write_text('{"USD": -50, "USD": 1}')
    with pytest.raises(PortfolioError, match="instrument 'USD' is listed twice"):
        read_change(path)


def test_files_are_read_strictly_and_quote_no_secret(parties: tuple[Party, Party], tmp_path: Path) -> None:
    buyer, seller = parties
    offer = buyer.offer()
    path = tmp_path / "file.json"
    path.write_bytes(encode_trade_file(offer))
    assert read_trade_file(path, TradeOffer) == offer
    with pytest.raises(TradeError, match="is no acceptance"):
        read_trade_file(path, TradeAcceptance)
    secret = str(offer.blinds[0])
    path.write_bytes(encode_trade_file(offer).replace(secret.encode(), b'"' + secret.encode() + b'"'))
    with pytest.raises(TradeError, match="is no offer: blinds") as caught:
        read_trade_file(path, TradeOffer)
    acceptance = seller.accept(offer)
    for shown in (str(caught.value), repr(offer), repr(acceptance)):
        assert secret not in shown
        assert str(acceptance.blinds[0]) not in shown
    assert OPTION not in repr(offer)
