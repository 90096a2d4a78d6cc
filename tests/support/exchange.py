"""A whole exchange on a local chain in the small shape: real blobs, real proofs, two books, owners who trade."""

from __future__ import annotations

import contextlib
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from prover.argument.argument import MarginProof, build_proof
from prover.argument.witness import BookOpening, build_witness
from prover.local_chain import local_chain
from prover.rules.prepared_rule import PreparedRule, prepare_rule
from tests.support.cases import row_labels, scenario_matrix
from tests.support.deterministic import seeded_blinds, seeded_scalars
from verifier.calldata import claim_hint
from verifier.ceremony import ceremony_setup
from verifier.chain.chain_client import ChainClient
from verifier.chain.clearing_terms import NO_ACTION, MarginCheck, Settlement, SettlementSide, account_id
from verifier.chain.contract_interface import contract_interface
from verifier.chain.house_client import HouseClient
from verifier.chain.registry_client import Publication, PublishedRule, RegistryClient
from verifier.deployment.deployment import Deployment, DeploymentTerms, deploy
from verifier.portfolio_commitment import commit_portfolio
from verifier.rules.margin_rule import chunk_blob
from verifier.rules.rule_kind import RuleKind
from verifier.shape import SMALL
from verifier.statement import verifying_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from eth_account.signers.local import LocalAccount

    from prover.local_chain import LocalChain
    from verifier.chain.chain_client import Receipt

BOOKS: Final = 2
ROWS: Final = 16
MAXIMUM_AGE: Final = 3_600
UNITS_PER_TICK: Final = 10_000
DEPOSIT: Final = 10**10
"""Ticks: covers every row of a rule many times."""

TRADE_SECONDS: Final = 600


@dataclass(frozen=True)
class Holder:
    """An owner's account and what is in it.

    Attributes:
        owner: signs.
        subaccount: number of the account.
        version: state version.
        openings: per book; empty before the account was opened.
    """

    owner: LocalAccount
    subaccount: int
    version: int
    openings: tuple[BookOpening, ...]

    @property
    def account(self) -> bytes:
        """Identity of the account."""
        return account_id(self.owner.address, self.subaccount)

    def after(self, changes: tuple[BookOpening, ...], sign: int) -> Holder:
        """The account after a trade; ``sign`` is 1 or −1."""
        openings = tuple(_added(own, change, sign) for own, change in zip(self.openings, changes, strict=True))
        return replace(self, version=self.version + 1, openings=openings)


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
        self.registry = RegistryClient(chain, deployment.registry)
        self.house = HouseClient(chain, deployment.house)
        self.token = contract_interface("InsecureTestToken")
        self.rules = {kind: self._rule(kind) for kind in RuleKind}

    def _rule(self, kind: RuleKind) -> PreparedRule:
        generator = random.Random(f"exchange:{kind.name}")
        return prepare_rule(scenario_matrix(SMALL, books=BOOKS, rows=ROWS, generator=generator), self.setup)

    def publication(self) -> Publication:
        """Both rules, from a snapshot taken at the time of the latest block."""
        initial, maintenance = (self._published(self.rules[kind]) for kind in RuleKind)
        return Publication(
            snapshot_time=self.chain.block_time(),
            snapshot_hash=b"\x01" * 32,
            rule_digest=b"\x02" * 32,
            slots_digest=b"\x03" * 32,
            marks=b"marks",
            initial=initial,
            maintenance=maintenance,
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
        """Publish the next epoch."""
        return self.registry.publish(self.publisher, self.publication())

    def advance(self, seconds: int) -> None:
        """Let time pass."""
        self.chain.request("evm_increaseTime", [seconds])
        self.chain.request("evm_mine", [])

    def fund(self, owner: LocalAccount, ticks: int) -> None:
        """Give an owner tokens, and have them allowed to the house."""
        units = ticks * UNITS_PER_TICK
        mint = self.token.encode_call("mint", owner.address, units)
        self.chain.send(owner, mint, to=self.deployment.collateral)
        approve = self.token.encode_call("approve", self.house.address, units)
        self.chain.send(owner, approve, to=self.deployment.collateral)

    def open(self, index: int, *, subaccount: int = 0) -> Holder:
        """Open an account of one of the chain's owners by a deposit."""
        owner = self.running.account(index)
        self.fund(owner, DEPOSIT)
        self.house.deposit(owner, subaccount, DEPOSIT, bytes(96))
        return Holder(owner, subaccount, 1, (book_opening({0: DEPOSIT}), book_opening({})))

    def commitments(self, openings: tuple[BookOpening, ...]) -> tuple[bytes, ...]:
        """One commitment a book."""
        return tuple(
            commit_portfolio(opening.positions, opening.blind, shape=SMALL, setup=self.setup) for opening in openings
        )

    def check(self, holder: Holder, kind: RuleKind, epoch: int = 1) -> MarginCheck:
        """What the account can prove now."""
        return MarginCheck(holder.account, holder.version, epoch, kind)

    def proof(self, check: MarginCheck, openings: tuple[BookOpening, ...], action: bytes = NO_ACTION) -> MarginProof:
        """An honest proof, with seeded blinds."""
        rule = self.rules[check.kind]
        context = self.house.context(check, action)
        return build_proof(
            setup=self.setup,
            rule=rule,
            witness=build_witness(rule.matrix, openings, row_labels(ROWS)),
            context=context,
            blinds=seeded_blinds(context.hex(), BOOKS),
        )

    def prove(self, holder: Holder, check: MarginCheck) -> Receipt:
        """Prove and have it recorded."""
        made = self.proof(check, holder.openings)
        return self.house.prove_margin(
            holder.owner,
            check,
            portfolio=made.statement.portfolio_commitments,
            proof=made.proof,
            hint=claim_hint(self.key, made.statement, made.proof, with_opening=False),
        )

    def changes(self, first: Mapping[int, int], second: Mapping[int, int], seed: str) -> tuple[BookOpening, ...]:
        """A hidden change of both books with fresh blinds."""
        blinds = seeded_scalars(f"trade:{seed}", BOOKS)
        return (book_opening(first, blinds[0]), book_opening(second, blinds[1]))

    def settlement(self, first: Holder, second: Holder, changes: tuple[BookOpening, ...], epoch: int = 1) -> Settlement:
        """The trade to be signed."""
        return Settlement(
            first=first.account,
            second=second.account,
            first_version=first.version,
            second_version=second.version,
            epoch=epoch,
            deadline=self.chain.block_time() + TRADE_SECONDS,
            differences=self.commitments(changes),
        )

    def side(
        self, holder: Holder, settlement: Settlement, changes: tuple[BookOpening, ...], *, sign: int
    ) -> SettlementSide:
        """What one side brings: proof of the account after the trade, and signature."""
        check = settlement.check_of(holder.account)
        made = self.proof(check, holder.after(changes, sign).openings, settlement.action)
        return SettlementSide(
            portfolio=self.commitments(holder.openings),
            proof=made.proof,
            hint=claim_hint(self.key, made.statement, made.proof, with_opening=True),
            signature=self.house.sign(holder.owner, settlement),
        )


@contextlib.contextmanager
def running_exchange() -> Iterator[Exchange]:
    """A fresh chain with the contracts of the small shape; nothing is published yet."""
    with local_chain() as running:
        chain = ChainClient.connect(running.url, chain_id=running.chain_id)
        terms = DeploymentTerms(
            maximum_age=MAXIMUM_AGE, collateral=None, collateral_slot=0, units_per_tick=UNITS_PER_TICK, insecure=True
        )
        deployer = running.account(0)
        deployment = deploy(chain, deployer, shape_name="small", setup=ceremony_setup(), terms=terms)
        yield Exchange(running, chain, deployment)


@contextlib.contextmanager
def restored(chain: ChainClient) -> Iterator[None]:
    """Take back everything that happens to the chain in between."""
    snapshot = chain.request("evm_snapshot", [])
    try:
        yield
    finally:
        chain.request("evm_revert", [snapshot])
