"""A whole exchange on a local chain in the small shape: real blobs, real proofs, two books, owners who trade."""

from __future__ import annotations

import contextlib
import itertools
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.argument.argument import MarginProof, build_proof
from prover.argument.witness import BookOpening, build_witness
from prover.local_chain import local_chain
from prover.rules.prepared_rule import PreparedRule, masked_rule, prepare_masks, prepare_rule
from tests.support.cases import row_labels, scenario_matrix
from tests.support.deterministic import seeded_blinds, seeded_scalars
from verifier.books import book_bitmap, books_in
from verifier.calldata import claim_hint
from verifier.ceremony import ceremony_setup
from verifier.chain.chain_client import ChainClient
from verifier.chain.chain_time import advance_time, wait_for_time
from verifier.chain.clearing_terms import NO_ACTION, MarginCheck, MarginEvidence, account_id
from verifier.chain.governance_client import TimelockClient, governed_call
from verifier.chain.house_client import HouseClient
from verifier.chain.instrument_client import TERMS_SCALE, InstrumentClient, InstrumentKind, SlotTerms
from verifier.chain.rule_publication import Publication, PublishedRule
from verifier.chain.rule_publishing import RulePublisher
from verifier.chain.settlement_terms import Leg, Participant, Settlement, SettlementSide
from verifier.chain.token_client import TokenClient
from verifier.chain.vault_client import VaultClient
from verifier.deployment.deployment import Deployment, deploy, local_terms
from verifier.deployment.deployment_terms import DEFAULT_TIMING, UNITS_PER_TICK
from verifier.portfolio_commitment import commit_portfolio
from verifier.rules.margin_rule import chunk_blob
from verifier.rules.rule_kind import PUBLISHED_KINDS, RuleKind
from verifier.shape import SMALL
from verifier.statement import verifying_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from eth_account.signers.local import LocalAccount

    from prover.local_chain import LocalChain
    from verifier.chain.chain_client import Receipt

BOOKS: Final = 2
ROWS: Final = 16
ALL_BOOKS: Final = book_bitmap(range(BOOKS))
MAXIMUM_AGE: Final = DEFAULT_TIMING.maximum_age
DEPOSIT: Final = 10**10
"""Ticks: covers every row of a rule many times."""

TOKEN_SLOTS: Final = (0, 1)
"""Slots of the two worthless tokens in book 0."""

LISTED: Final = SMALL.slots - 2
"""Slots that are listed in every book; the last two are dead. Of these the rules themselves mask only the last."""

TRADE_SECONDS: Final = 600


@dataclass(frozen=True)
class Holder:
    """An owner's account and what is in it.

    Attributes:
        owner: signs.
        subaccount: number of the account.
        version: state version.
        openings: per book; empty before the account was opened.
        books: bitmap of the books that a proof must cover.
    """

    owner: LocalAccount
    subaccount: int
    version: int
    openings: tuple[BookOpening, ...]
    books: int = 1

    @property
    def account(self) -> bytes:
        """Identity of the account."""
        return account_id(self.owner.address, self.subaccount)

    def after(self, changes: tuple[BookOpening, ...], sign: int) -> Holder:
        """The account after a trade in all books; ``sign`` is 1 or −1."""
        openings = tuple(_added(own, change, sign) for own, change in zip(self.openings, changes, strict=True))
        return replace(self, version=self.version + 1, openings=openings, books=ALL_BOOKS)


def _added(own: BookOpening, change: BookOpening, sign: int) -> BookOpening:
    positions = tuple(lots + sign * more for lots, more in zip(own.positions, change.positions, strict=True))
    return BookOpening(positions, own.blind + sign * change.blind)


def book_opening(positions: Mapping[int, int], blind: int = 0) -> BookOpening:
    """A book that holds lots in some slots."""
    return BookOpening(tuple(positions.get(slot, 0) for slot in range(SMALL.slots)), blind)


class Exchange:
    """Contracts on a running chain, and the rules that are published there.

    Args:
        running: the chain.
        chain: connection to it.
        deployment: the contracts.
    """

    def __init__(self, running: LocalChain, chain: ChainClient, deployment: Deployment) -> None:
        self.running = running
        self.chain = chain
        self.deployment = deployment
        self.setup = ceremony_setup()
        self.key = verifying_key(SMALL, self.setup)
        self.publisher = running.account(0)
        self.registry = RulePublisher(chain, deployment.registry)
        self.instruments = InstrumentClient(chain, deployment.instruments)
        self.house = HouseClient(chain, deployment.house)
        self.vault = VaultClient(chain, deployment.vault)
        self.rules = {kind: self._rule(kind) for kind in PUBLISHED_KINDS}
        live = np.tile(np.arange(SMALL.slots) < LISTED, (BOOKS, 1))
        self._masks = prepare_masks(SMALL, live, self.setup)
        self._nonces = itertools.count(1)

    def _rule(self, kind: RuleKind) -> PreparedRule:
        generator = random.Random(f"exchange:{kind.name}")
        return prepare_rule(scenario_matrix(SMALL, books=BOOKS, rows=ROWS, generator=generator), self.setup)

    def token(self, number: int = 0) -> TokenClient:
        """One of the worthless tokens."""
        return TokenClient(self.chain, self.deployment.tokens[number])

    def list_instruments(self) -> None:
        """List the same in every book: the quote currency, a token, then perpetuals; two slots stay dead."""
        self.instruments.add_underlying(self.publisher, "COIN")
        cash = SlotTerms(0, InstrumentKind.CASH, 0, 0, 0)
        token = SlotTerms(1, InstrumentKind.TOKEN, 0, 0, 0)
        perpetual = SlotTerms(1, InstrumentKind.PERPETUAL, 0, 0, TERMS_SCALE)
        terms = [cash, token] + [perpetual] * (LISTED - 2)
        names = ["USD", "COIN", *(f"COIN-{place}" for place in range(2, LISTED))]
        for book in range(BOOKS):
            self.instruments.list(self.publisher, book, terms, names)

    def publication(self) -> Publication:
        """Both rules, from a snapshot taken at the time of the latest block."""
        initial, maintenance = (self._published(self.rules[kind]) for kind in PUBLISHED_KINDS)
        return Publication(
            snapshot_time=self.chain.block_time(),
            snapshot_hash=b"\x01" * 32,
            rule_digest=b"\x02" * 32,
            slots_digest=b"\x03" * 32,
            marks=b"marks",
            initial=initial,
            maintenance=maintenance,
            indices=b"indices",
        )

    @staticmethod
    def _published(rule: PreparedRule) -> PublishedRule:
        matrix = rule.matrix
        blobs = tuple(
            tuple(chunk_blob(matrix, book, chunk) for chunk in range(matrix.chunks_per_book))
            for book in range(matrix.books)
        )
        return PublishedRule(rule.commitments, blobs)

    def publish(self) -> tuple[Receipt, ...]:
        """Publish the next epoch as soon as the registry takes one, and let time pass until it is active."""
        before = self.registry.latest_epoch()
        if before.epoch:
            wait_for_time(self.chain, before.published_at + DEFAULT_TIMING.spacing)
        receipts = self.registry.publish(self.publisher, self.publication())
        self.registry.wait_until_active(before.epoch + 1)
        return receipts

    def govern(self, contract: str, address: str, function: str, *arguments: object) -> Receipt:
        """Have the timelock that owns the contracts make a call, after its delay."""
        timelock = TimelockClient(self.chain, self.deployment.timelock)
        return timelock.carry_out(self.publisher, governed_call(contract, address, function, *arguments))

    def advance(self, seconds: int) -> None:
        """Let time pass."""
        advance_time(self.chain, seconds)

    def fund(self, owner: LocalAccount, ticks: int, token: int = 0) -> None:
        """Give an owner tokens, and have them allowed to the vault."""
        units = ticks * UNITS_PER_TICK
        self.token(token).mint(owner, owner.address, units)
        self.token(token).approve(owner, self.vault.address, units)

    def open(self, index: int, *, subaccount: int = 0) -> Holder:
        """Open an account of one of the chain's owners by a deposit."""
        owner = self.running.account(index)
        self.fund(owner, DEPOSIT)
        self.house.deposit(owner, subaccount, 0, DEPOSIT, bytes(96))
        return Holder(owner, subaccount, 1, (book_opening({0: DEPOSIT}), book_opening({})))

    def commitments(self, openings: tuple[BookOpening, ...], books: int = ALL_BOOKS) -> tuple[bytes, ...]:
        """One commitment for each of some books."""
        return tuple(
            commit_portfolio(openings[book].positions, openings[book].blind, shape=SMALL, setup=self.setup)
            for book in books_in(books)
        )

    def check(self, holder: Holder, kind: RuleKind, epoch: int = 1) -> MarginCheck:
        """What the account can prove now."""
        return MarginCheck(holder.account, holder.version, epoch, kind)

    def proof(
        self,
        check: MarginCheck,
        openings: tuple[BookOpening, ...],
        action: bytes = NO_ACTION,
        books: int = ALL_BOOKS,
    ) -> MarginProof:
        """An honest proof over some books, with seeded blinds."""
        rule = self.rules[check.kind]
        chosen = books_in(books)
        context = self.house.context(check, action)
        matrix = rule.matrix.restricted(chosen)
        return build_proof(
            setup=self.setup,
            rule=masked_rule(rule, self._masks, chosen),
            witness=build_witness(matrix, [openings[book] for book in chosen], row_labels(ROWS)),
            context=context,
            blinds=seeded_blinds(context.hex(), len(chosen)),
        )

    def evidence(
        self, holder: Holder, made: MarginProof, *, in_batch: bool = False, books: int | None = None
    ) -> MarginEvidence:
        """What goes to the house with a proof: the account's present commitments, the proof, its hint."""
        return MarginEvidence(
            portfolio=self.commitments(holder.openings, holder.books if books is None else books),
            proof=made.proof,
            hint=claim_hint(self.key, made.statement, made.proof, with_opening=in_batch),
        )

    def prove(self, holder: Holder, check: MarginCheck) -> Receipt:
        """Prove and have it recorded."""
        made = self.proof(check, holder.openings, books=holder.books)
        return self.house.prove_margin(holder.owner, check, self.evidence(holder, made))

    def changes(self, first: Mapping[int, int], second: Mapping[int, int], seed: str) -> tuple[BookOpening, ...]:
        """A hidden change of both books with fresh blinds."""
        blinds = seeded_scalars(f"trade:{seed}", BOOKS)
        return (book_opening(first, blinds[0]), book_opening(second, blinds[1]))

    def settlement(self, first: Holder, second: Holder, changes: tuple[BookOpening, ...], epoch: int = 1) -> Settlement:
        """The trade of two to be signed; the first receives."""
        return Settlement(
            participants=tuple(
                Participant(holder.account, holder.version, next(self._nonces)) for holder in (first, second)
            ),
            legs=(Leg(0, 1, ALL_BOOKS, self.commitments(changes)),),
            max_epoch=epoch,
            deadline=self.chain.block_time() + TRADE_SECONDS,
        )

    def side(
        self, holder: Holder, settlement: Settlement, changes: tuple[BookOpening, ...], *, sign: int
    ) -> SettlementSide:
        """What one side brings: proof of the account after the trade, and signature."""
        check = settlement.check_of(holder.account, settlement.max_epoch)
        made = self.proof(check, holder.after(changes, sign).openings, settlement.action)
        brought = self.evidence(holder, made, in_batch=True, books=ALL_BOOKS)
        signature = self.house.sign(holder.owner, settlement)
        return SettlementSide(holder.owner.address, signature, brought.portfolio, brought.proof, brought.hint)


@contextlib.contextmanager
def running_exchange() -> Iterator[Exchange]:
    """A fresh chain with the contracts of the small shape and their instruments; nothing is published yet."""
    with local_chain() as running:
        chain = ChainClient.connect(running.url, chain_id=running.chain_id)
        terms = local_terms(slots=TOKEN_SLOTS)
        deployer = running.account(0)
        deployment = deploy(chain, deployer, shape_name="small", setup=ceremony_setup(), terms=terms)
        made = Exchange(running, chain, deployment)
        made.list_instruments()
        yield made


@contextlib.contextmanager
def restored(chain: ChainClient) -> Iterator[None]:
    """Take back everything that happens to the chain in between."""
    snapshot = chain.request("evm_snapshot", [])
    try:
        yield
    finally:
        chain.request("evm_revert", [snapshot])
