"""Every entry point of the clearing house by its owners' own functions: real proofs, two tokens, two books.

Several accounts net, bound and open; inboxes, liens, exits, operators, dead slots, a pause, a registry gone silent.
"""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import pytest

from prover.account.account_session import AccountSession, portfolio_of
from prover.account.account_view import seen_by_the_chain
from prover.account.collateral import find_collateral
from prover.account.deposits import deposit, deposit_for, merge_inbox
from prover.account.exits import prepare_exit, submit_exit
from prover.account.hidden_change import fresh_blinds, hidden_change, leg_books
from prover.account.liens import claim_lien, open_liens, prepare_lien, release_lien, submit_lien
from prover.account.netting import (
    AgreedLeg,
    bound_settlement,
    bring_open_side,
    bring_side,
    free_nonce,
    open_leg,
    random_nonce,
    sign_open_leg,
)
from prover.account.proving import prepare_check, submit_check
from prover.account.wallet import create_wallet, open_wallet
from prover.account.withdrawals import prepare_withdrawal, submit_withdrawal
from prover.errors import (
    ArgumentError,
    CollateralError,
    DepositError,
    MaskedSlotError,
    OperatorError,
    TradeError,
    WithdrawalError,
)
from prover.market.market_data import canonical_json
from prover.rules.portfolio import make_portfolio
from tests.support.own_use import OwnUse, later_undone, published_venue
from tests.support.risk_rules import example_market
from verifier.chain.account_state import AccountStatus
from verifier.chain.chain_time import advance_time
from verifier.chain.clearing_terms import MarginEvidence
from verifier.chain.governance_client import TimelockClient, governed_call
from verifier.chain.open_leg_terms import OpenLegSignatures
from verifier.chain.settlement_terms import Participant, SettlementSide
from verifier.errors import ContractRevertedError
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from eth_account.signers.local import LocalAccount

    from prover.account.venue import Venue
    from prover.rules.rule_book import EpochRules
    from verifier.chain.open_leg_terms import OpenLeg
    from verifier.chain.settlement_terms import Settlement

COST: Final = 16
PASSWORD: Final = "of all wallets"  # noqa: S105 - of wallets that live as long as a test
ALICE, BOB, CAROL, DAVE = 1, 2, 3, 4
COIN_SLOT: Final = 2
"""Cash, the perpetual, then the token."""

PERPETUAL: Final = "BTC-PERPETUAL"
DEPOSIT: Final = Decimal(900_000)
FAR: Final = 600


class Flows:
    """A venue with epoch 1, and owners whose wallets are opened anew for every step."""

    def __init__(self, own_use: OwnUse, venue: Venue, rules: EpochRules) -> None:
        self.own_use = own_use
        self.venue = venue
        self.rules = rules
        listed = [slot.instrument.name for slot in rules.slots.listed if slot.book == 1]
        self.far_option = listed[0]

    @contextlib.contextmanager
    def session(self, owner: int, *, signer: int | None = None) -> Iterator[AccountSession]:
        """The account of an owner; another may sign for it."""
        path = self.own_use.folder / f"flows{owner}"
        if not path.exists():
            with create_wallet(path, PASSWORD, cost=COST):
                pass
        key = self.own_use.running.account(owner if signer is None else signer)
        account = None if signer is None else bytes.fromhex(self.own_use.account(owner)[2:])
        with open_wallet(path, PASSWORD) as wallet:
            yield AccountSession(self.venue, wallet, key, account=account)

    def account(self, owner: int) -> bytes:
        return bytes.fromhex(self.own_use.account(owner)[2:])

    def held(self, owner: int) -> dict[str, Decimal]:
        """What the wallet says once it has asked the chain."""
        with self.session(owner) as session:
            record, _ = session.refresh()
            return portfolio_of(record, record.current, self.rules.slots).quantities()

    def leg(self, receiver: int, giver: int, **quantities: int) -> AgreedLeg:
        """What two owners agreed on in private, in books that both have opened and that are traded."""
        names = {"usd": "USD", "perpetual": PERPETUAL, "option": self.far_option}
        traded = {names[name]: Decimal(quantity) for name, quantity in quantities.items()}
        change = make_portfolio(traded, self.rules.slots, self.venue.shape)
        states = [self.venue.house.account_state(self.account(owner)) for owner in (receiver, giver)]
        books = leg_books(change, *(state.books for state in states))
        hidden = hidden_change(change, fresh_blinds(books), fresh_blinds(books))
        return AgreedLeg(self.account(receiver), self.account(giver), change, hidden)

    def bound(self, *legs: AgreedLeg) -> Settlement:
        """Terms that name every account of the legs once."""
        accounts = dict.fromkeys(account for leg in legs for account in (leg.receiver, leg.giver))
        house = self.venue.house
        participants = [
            Participant(account, house.account_state(account).state_version, free_nonce(self.venue, account))
            for account in accounts
        ]
        deadline = self.venue.chain.block_time() + FAR
        return bound_settlement(self.venue, participants, legs, max_epoch=self.rules.header.epoch, deadline=deadline)

    def sides(self, terms: Settlement, legs: tuple[AgreedLeg, ...], *owners: int) -> list[SettlementSide]:
        """Every owner proves, saves, signs."""
        made = []
        for owner in owners:
            with self.session(owner) as session:
                own = [leg for leg in legs if leg.involves(session.account)]
                made.append(bring_side(session, self.rules, terms, own))
        return made

    def trade(self, *legs: AgreedLeg, owners: tuple[int, ...] = (ALICE, BOB)) -> None:
        """Settle legs, bound."""
        terms = self.bound(*legs)
        self.venue.house.settle(self.payer, terms, 1, self.sides(terms, legs, *owners))

    @property
    def payer(self) -> LocalAccount:
        """Sends what anybody may send; deployed everything."""
        return self.own_use.running.account(0)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flows]:
    """Epoch 1 of the example market with its coin as collateral; Alice, Bob and Carol have deposited."""
    folder = tmp_path_factory.mktemp("flows")
    fields = example_market().model_dump(mode="json")
    price = fields["underlyings"]["BTC"]["index_price"]
    quote = {"mark_price": price, "bid_price": 0.99 * price, "ask_price": 1.01 * price, "volume": 100.0}
    fields["tokens"] = [{"instrument": "BTC", "underlying": "BTC", **quote}]
    market = folder / "market.json"
    market.write_bytes(canonical_json(fields))
    with published_venue(folder, market=market, books=2, token_slots=(0, COIN_SLOT)) as published:
        flows = Flows(*published)
        for owner in (ALICE, BOB, CAROL):
            with flows.session(owner) as session:
                deposit(session, DEPOSIT)
        yield flows


@pytest.fixture
def flows(running: Flows) -> Iterator[Flows]:
    """The chain is as before after the test."""
    with later_undone(running.own_use):
        yield running


def refusal(action: Callable[[], object]) -> str:
    """Name of the error that a contract refuses by."""
    with pytest.raises(ContractRevertedError) as caught:
        action()
    return caught.value.name


def test_three_accounts_net_in_one_settlement(flows: Flows) -> None:
    """Alice buys of Bob, Bob of Carol; the option opens a book of theirs alone. All proofs are one batch."""
    legs = (flows.leg(ALICE, BOB, perpetual=2, usd=-1_000), flows.leg(BOB, CAROL, perpetual=1, option=3))
    terms = flows.bound(*legs)
    sides = flows.sides(terms, legs, ALICE, BOB, CAROL)
    with flows.session(ALICE) as session, pytest.raises(TradeError, match="another change than the one agreed"):
        bring_side(session, flows.rules, terms, [flows.leg(ALICE, BOB, perpetual=2, usd=-1_000)])
    flows.venue.house.settle(flows.payer, terms, 1, sides)
    assert flows.held(ALICE) == {"USD": DEPOSIT - 1_000, PERPETUAL: 2}
    assert flows.held(BOB) == {"USD": DEPOSIT + 1_000, PERPETUAL: -1, flows.far_option: 3}
    assert flows.held(CAROL) == {"USD": DEPOSIT, PERPETUAL: -1, flows.far_option: -3}
    opened = [flows.venue.house.account_state(flows.account(owner)).open_books for owner in (ALICE, BOB, CAROL)]
    assert opened == [(0,), (0, 1), (0, 1)]
    _check_all(flows)


def _check_all(flows: Flows) -> None:
    """All three prove maintenance margin in one batch."""
    checks, evidence = [], []
    for owner in (ALICE, BOB, CAROL):
        with flows.session(owner) as session:
            made = prepare_check(session, flows.rules, RuleKind.MAINTENANCE, in_batch=True)
        checks.append(made.check)
        evidence.append(MarginEvidence(made.made.statement.portfolio_commitments, made.made.proof, made.hint))
    flows.venue.house.prove_margins(flows.payer, checks, evidence)
    assert flows.venue.house.account_state(flows.account(CAROL)).maintenance_epoch == 1


def _signed_open(flows: Flows, receiver: int, giver: int, leg: AgreedLeg) -> tuple[OpenLeg, OpenLegSignatures]:
    deadline = flows.venue.chain.block_time() + FAR
    terms = open_leg(
        flows.venue, leg, receiver_nonce=random_nonce(), giver_nonce=random_nonce(), max_epoch=1, deadline=deadline
    )
    with flows.session(receiver) as one, flows.session(giver) as other:
        signed = (sign_open_leg(one, terms, leg), sign_open_leg(other, terms, leg))
        return terms, OpenLegSignatures(one.signer.address, signed[0], other.signer.address, signed[1])


def test_an_open_leg_can_be_dropped_and_the_rest_still_settles(flows: Flows) -> None:
    first, second = flows.leg(ALICE, BOB, perpetual=2), flows.leg(BOB, CAROL, perpetual=1)
    kept, signatures = _signed_open(flows, ALICE, BOB, first)
    dropped, _ = _signed_open(flows, BOB, CAROL, second)
    with flows.session(BOB) as session, pytest.raises(TradeError, match="2 of the legs are this account's, 1"):
        bring_open_side(session, flows.rules, (kept, dropped), [first])
    with flows.session(ALICE) as session, pytest.raises(TradeError, match="another change than the one agreed"):
        sign_open_leg(session, kept, flows.leg(ALICE, BOB, perpetual=2))
    sides = []
    for owner in (ALICE, BOB):
        with flows.session(owner) as session:
            sides.append(bring_open_side(session, flows.rules, (kept,), [first]))
    flows.venue.house.settle_open(flows.payer, [kept], [signatures], 1, sides)
    assert [flows.held(owner)[PERPETUAL] for owner in (ALICE, BOB)] == [2, -2]
    assert PERPETUAL not in flows.held(CAROL)
    assert refusal(lambda: flows.venue.house.settle_open(flows.payer, [kept], [signatures], 1, sides)) == (
        "AccountLedgerNonceUsed"
    )


def test_a_second_token_counts_and_leaves_as_itself(flows: Flows) -> None:
    with flows.session(ALICE) as session:
        deposit(session, Decimal("1.5"), "BTC")
        with pytest.raises(CollateralError, match="takes no 'DOGE': name one of 0 = USD, 1 = BTC"):
            deposit(session, Decimal(1), "DOGE")
        assert seen_by_the_chain(flows.venue, session.account, session.refresh()[1])["holds_BTC"] == Decimal("1.5")
    flows.trade(flows.leg(ALICE, BOB, perpetual=-2))
    with flows.session(ALICE) as session:
        done = submit_withdrawal(
            session, prepare_withdrawal(session, Decimal("0.5"), session.signer.address, flows.rules, "1")
        )
        view = seen_by_the_chain(flows.venue, session.account, session.refresh()[1])
    assert (done.ticks, done.claim) == (50, None)
    assert (view["status"], view["holds_BTC"]) == ("active", "hidden")
    assert flows.held(ALICE) == {"USD": DEPOSIT, "BTC": 1, PERPETUAL: -2}


def test_what_others_deposit_waits_until_it_is_merged_and_proofs_stay_valid(
    flows: Flows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More may arrive between reading the inbox and merging it; the wallet follows what the chain says."""
    payer, account = flows.own_use.running.account(CAROL), flows.account(ALICE)
    with flows.session(ALICE) as session:
        with pytest.raises(DepositError, match="nothing waits in the inbox of USD"):
            merge_inbox(session)
        prepared = prepare_check(session, flows.rules, RuleKind.MAINTENANCE)
        deposit_for(flows.venue, payer, account, Decimal(25))
        submit_check(session, prepared)
        assert seen_by_the_chain(flows.venue, account, session.refresh()[1])["inbox_USD"] == 25
    inbox = type(flows.venue.vault).inbox

    def early(vault: object, *names: object) -> int:
        ticks = inbox(vault, *names)  # type: ignore[arg-type]  # as called
        deposit_for(flows.venue, payer, account, Decimal(17))
        return ticks

    with monkeypatch.context() as patched, flows.session(ALICE) as session:
        patched.setattr(type(flows.venue.vault), "inbox", early)
        ticks, _ = merge_inbox(session)
    assert ticks == 2_500
    assert flows.held(ALICE) == {"USD": DEPOSIT + 42}


def test_an_operator_trades_and_merges_and_nothing_else(flows: Flows) -> None:
    owner, operator = flows.own_use.running.account(ALICE), flows.own_use.running.account(DAVE)
    leg = flows.leg(ALICE, BOB, perpetual=1)
    terms = flows.bound(leg)
    other = flows.sides(terms, (leg,), BOB)
    with flows.session(ALICE, signer=DAVE) as session:
        refused: tuple[Callable[[], object], ...] = (
            lambda: deposit(session, Decimal(1)),
            lambda: prepare_withdrawal(session, Decimal(1), operator.address, flows.rules),
            lambda: prepare_lien(session, Decimal(1), operator.address, flows.rules),
            lambda: prepare_exit(session),
        )
        for action in refused:
            with pytest.raises(OperatorError, match="an operator signs trades and merges the inbox"):
                action()
        side = bring_side(session, flows.rules, terms, [leg])

    def settle() -> object:
        return flows.venue.house.settle(flows.payer, terms, 1, [side, *other])

    assert refusal(settle) == "AccountLedgerNotAuthorised"
    flows.venue.house.set_operator(owner, 0, operator.address, flows.venue.chain.block_time() + FAR)
    settle()
    deposit_for(flows.venue, flows.own_use.running.account(CAROL), flows.account(ALICE), Decimal(5))
    with flows.session(ALICE, signer=DAVE) as session:
        merge_inbox(session)
    assert flows.held(ALICE) == {"USD": DEPOSIT + 5, PERPETUAL: 1}


def test_a_lien_is_out_of_reach_until_the_lender_gives_it_back(flows: Flows) -> None:
    lender, account = flows.own_use.running.account(CAROL), flows.account(ALICE)
    before = find_collateral(flows.venue).client.balance(lender.address)
    with flows.session(ALICE) as session:
        submit_lien(session, prepare_lien(session, Decimal(300), lender.address, flows.rules))
        assert [(lien.lender, lien.ticks) for lien in open_liens(flows.venue, account)] == [(lender.address, 30_000)]
        assert session.refresh()[1].status is AccountStatus.ACTIVE
    assert flows.held(ALICE) == {"USD": DEPOSIT - 300}
    claim_lien(flows.venue, lender, account, Decimal(100), token=None, recipient=lender.address)
    with pytest.raises(WithdrawalError, match="more than the 20000 that account"):
        claim_lien(flows.venue, lender, account, Decimal(201), token=None, recipient=lender.address)
    release_lien(flows.venue, lender, account, Decimal(200), token=None)
    assert find_collateral(flows.venue).client.balance(lender.address) - before == 100 * 10**6
    assert open_liens(flows.venue, account) == ()
    with flows.session(ALICE) as session:
        merge_inbox(session)
    assert flows.held(ALICE) == {"USD": DEPOSIT - 100}


def test_whoever_holds_collateral_alone_leaves_while_nobody_publishes(flows: Flows) -> None:
    """A book that was traded and closed again leaves a blind behind, which stays in the wallet."""
    flows.trade(flows.leg(ALICE, BOB, option=2, usd=-7), flows.leg(ALICE, BOB, option=-2))
    advance_time(flows.venue.chain, 2 * flows.venue.registry.maximum_age())
    with flows.session(ALICE) as session:
        assert refusal(flows.venue.registry.active_epoch) == "RuleRegistryStaleEpoch"
        submit_exit(session, prepare_exit(session))
        with pytest.raises(WithdrawalError, match="transparent already"):
            prepare_exit(session)
        record, state = session.refresh()
        assert (state.status, state.open_books) == (AccountStatus.TRANSPARENT, (0,))
        assert record.current.books[1].blind != 0
        done = submit_withdrawal(session, prepare_withdrawal(session, DEPOSIT - 7, session.signer.address, None))
        view = seen_by_the_chain(flows.venue, session.account, session.refresh()[1])
    assert done.ticks == 100 * (DEPOSIT - 7)
    assert view["holds_USD"] == 0


def test_a_book_opened_before_an_exit_is_traded_again(flows: Flows) -> None:
    flows.trade(flows.leg(ALICE, BOB, option=2), flows.leg(ALICE, BOB, option=-2))
    with flows.session(ALICE) as session:
        submit_exit(session, prepare_exit(session))
    flows.trade(flows.leg(ALICE, BOB, option=1))
    assert flows.held(ALICE) == {"USD": DEPOSIT, flows.far_option: 1}
    with flows.session(ALICE) as session, pytest.raises(ArgumentError, match="book 1 still holds positions"):
        prepare_exit(session)


def test_a_pause_stops_what_needs_prices_and_nothing_else(flows: Flows) -> None:
    guardian = flows.payer
    leg = flows.leg(ALICE, BOB, perpetual=1)
    terms = flows.bound(leg)
    flows.venue.house.pause(guardian, 3_600)
    unsigned = [SettlementSide(guardian.address, b"", (), b"", b"")] * 2
    assert refusal(lambda: flows.venue.house.settle(flows.payer, terms, 1, unsigned)) == "HousePauseActive"
    with flows.session(BOB) as session:
        view = seen_by_the_chain(flows.venue, session.account, session.refresh()[1])
        assert view["house_is_paused_until"] == flows.venue.house.last_pause().end
        submit_withdrawal(session, prepare_withdrawal(session, Decimal(1), session.signer.address, None))
    assert flows.held(BOB) == {"USD": DEPOSIT - 1}


def test_a_delisted_slot_is_dead_from_the_next_epoch_on(flows: Flows) -> None:
    """The epoch that is active keeps its masks, whatever is delisted meanwhile; the next one has the new."""
    slot = flows.rules.slots.find(flows.far_option)
    call = governed_call(
        "InstrumentRegistry", flows.venue.deployment.instruments, "delist", flows.rules.slots.flat_index(slot)
    )
    now = flows.venue.listing()
    assert now.live[slot.book, slot.position]
    timelock = TimelockClient(flows.venue.chain, flows.venue.deployment.timelock)
    timelock.carry_out(flows.payer, call)
    after = flows.venue.listing()
    assert not after.live[slot.book, slot.position]
    assert after.names == now.names
    kept = flows.venue.listing(flows.rules.header)
    assert kept.live[slot.book, slot.position]
    with flows.session(ALICE) as session:
        bought = session.refresh()[0].current.plus(flows.leg(ALICE, BOB, option=1).hidden.books)
    built = flows.rules.built(RuleKind.INITIAL)
    with pytest.raises(MaskedSlotError, match=f"{flows.far_option} must be empty and is not"):
        built.witness(bought.of_books((0, 1)), books=(0, 1), live=after.live)
    flows.rules.witness(RuleKind.INITIAL, bought.of_books((0, 1)), (0, 1))
