"""The project's gas figures: whole transactions on a local chain, through the deployed clearing house.

Every account measured has traded before, so that its commitments are ordinary points and its record is not its first.
Accounts act by the same functions as the commands for own use.
"""

from __future__ import annotations

import contextlib
import functools
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prover.account.account_session import AccountSession
from prover.account.collateral import find_collateral
from prover.account.deposits import deposit
from prover.account.hidden_change import fresh_blinds, hidden_change, leg_books
from prover.account.netting import AgreedLeg, bound_settlement, bring_side, free_nonce
from prover.account.proving import prepare_check, submit_check
from prover.account.venue import Venue
from prover.account.wallet import create_wallet
from prover.account.withdrawals import prepare_withdrawal, submit_withdrawal
from prover.benchmarks.benchmark import CASH_TICKS
from prover.local_chain import local_chain
from prover.market.market_data import EXAMPLE_MARKET
from prover.market.market_files import load_market
from prover.rules.portfolio import Portfolio
from prover.rules.rule_book import EpochRules, RuleBook
from prover.rules.rule_builder import build_rules
from prover.rules.slot_terms import list_missing
from verifier.calldata import margin_claim
from verifier.ceremony import ceremony_setup
from verifier.chain.chain_client import ChainClient
from verifier.chain.clearing_terms import MarginEvidence
from verifier.chain.contract_artifacts import load_artifact
from verifier.chain.contract_interface import contract_interface
from verifier.chain.rule_publishing import SignedProposal
from verifier.chain.settlement_terms import Participant
from verifier.deployment.deployment import deploy
from verifier.deployment.deployment_terms import local_terms
from verifier.rules.rule_kind import PUBLISHED_KINDS, RuleKind
from verifier.shape import SHAPES_BY_NAME
from verifier.statement import verifying_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prover.local_chain import LocalChain
    from prover.rules.rule_definition import RuleDefinition
    from verifier.chain.chain_client import Receipt
    from verifier.chain.rule_publication import Publication

DEPOSIT_TICKS: Final = CASH_TICKS // 100
MOVED_TICKS: Final = 12_345
RECIPIENT: Final = "0x" + "5a" * 20
BATCH_SIZES: Final = (1, 4)
CHECKS_AT_ONCE: Final = 10
FAR_SECONDS: Final = 1 << 20
WALLET_COST: Final = 2
WALLET_PASSWORD: Final = "benchmark"  # noqa: S105 - of a wallet that lives for seconds
PUBLISHERS: Final = 3
THRESHOLD: Final = 2
OTHER_CASES: Final = {"gas_check_small": ("small", 1), "gas_check_4books": ("standard", 4)}
CONTRACTS: Final = (
    *("CeremonyMarginVerifier", "PairingMarginVerifier", "InstrumentRegistry", "RuleRegistry"),
    *("ExitVerifier", "CollateralVault", "ClearingHouse"),
)


def contract_sizes() -> dict[str, int]:
    """Bytes of deployed code per contract; EIP-170 allows 24,576."""
    return {name: len(load_artifact(name).deployed_bytecode) // 2 - 1 for name in CONTRACTS}


@contextlib.contextmanager
def market_chain() -> Iterator[LocalChain]:
    """A local chain whose clock starts at the time of the bundled market, so that its options can be listed."""
    with local_chain(timestamp=load_market(EXAMPLE_MARKET).snapshot_time) as running:
        yield running


class GasCase:
    """One deployment on which transactions are measured.

    Args:
        running: the chain.
        shape_name: "standard" or "small".
        books: B.
        definition: rule file; the shape's own by default.
        publishers: how many there are; two of three must sign, or one of one.
    """

    def __init__(
        self,
        running: LocalChain,
        shape_name: str = "standard",
        books: int = 1,
        *,
        definition: RuleDefinition | None = None,
        publishers: int = 1,
    ) -> None:
        self.running = running
        self.deployer = running.account(0)
        self.publishers = [running.account(index) for index in range(publishers)]
        terms = replace(
            local_terms(),
            publishers=tuple(account.address for account in self.publishers),
            threshold=min(THRESHOLD, publishers),
        )
        chain, shape, setup = ChainClient.connect(running.url), SHAPES_BY_NAME[shape_name], ceremony_setup()
        deployment = deploy(chain, self.deployer, shape_name=shape_name, setup=setup, terms=terms)
        self.venue = Venue(chain, deployment, shape, setup, verifying_key(shape, setup))
        snapshot = load_market(EXAMPLE_MARKET)
        self.book = RuleBook(build_rules(snapshot, definition, shape=shape, books=books), setup, snapshot)

    @functools.cached_property
    def rules(self) -> EpochRules:
        """Rules of the active epoch."""
        return EpochRules(self.venue, self.venue.registry.active_epoch(), self.book)

    def publish(self) -> tuple[Receipt, ...]:
        """List the instruments, then publish both rules by blobs; receipts of the latter."""
        list_missing(self.venue.instruments, self.deployer, self.book.slots)
        registry, publication = self.venue.registry, self.book.publication()
        receipts = registry.publish_blobs(self.deployer, publication, self._signed(publication))
        registry.wait_until_active(registry.latest_epoch().epoch)
        return receipts

    def publish_rows(self) -> tuple[Receipt, ...]:
        """Publish the same rules as the next epoch, by calldata."""
        registry = self.venue.registry
        publication = self.book.publication()
        later = replace(publication, snapshot_time=publication.snapshot_time + 1)
        registry.wait_for_turn()
        return registry.publish_rows(self.deployer, later, self._signed(later))

    def _signed(self, publication: Publication) -> SignedProposal:
        registry = self.venue.registry
        proposal = registry.next_proposal(publication)
        signers = self.publishers[:THRESHOLD]
        return SignedProposal(proposal, tuple(registry.sign_proposal(signer, proposal) for signer in signers))

    @contextlib.contextmanager
    def parties(self, count: int) -> Iterator[list[AccountSession]]:
        """Owners with an open account each, whose wallets live as long as the block."""
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as opened:
            made = []
            for index in range(1, count + 1):
                # Owners beyond the chain's ten are further accounts of the same.
                owner, subaccount = self.running.account(1 + index % 9), index // 9
                wallet = opened.enter_context(
                    create_wallet(Path(folder) / str(index), WALLET_PASSWORD, cost=WALLET_COST)
                )
                session = AccountSession(self.venue, wallet, owner, subaccount)
                self.deposit(session, DEPOSIT_TICKS)
                made.append(session)
            yield made

    def deposit(self, session: AccountSession, ticks: int = MOVED_TICKS) -> int:
        """Deposit into an account; the gas, without that of allowing the tokens."""
        collateral = find_collateral(self.venue)
        collateral.client.mint(session.signer, session.signer.address, collateral.units(ticks))
        return deposit(session, collateral.amount(ticks))[-1].gas_used

    def settle(self, parties: Sequence[AccountSession]) -> int:
        """Each second of the parties gives a few lots to the one before, all in one settlement; the gas."""
        venue, rules = self.venue, self.rules
        change = self._change()
        legs = []
        for receiver, giver in zip(parties[::2], parties[1::2], strict=True):
            books = leg_books(change, rules.header.all_books)
            hidden = hidden_change(change, fresh_blinds(books), fresh_blinds(books))
            legs.append(AgreedLeg(receiver.account, giver.account, change, hidden))
        participants = [
            Participant(party.account, party.refresh()[1].state_version, free_nonce(venue, party.account))
            for party in parties
        ]
        deadline = venue.chain.block_time() + FAR_SECONDS
        terms = bound_settlement(venue, participants, legs, max_epoch=rules.header.epoch, deadline=deadline)
        own = [leg for leg in legs for _ in range(2)]
        sides = [bring_side(party, rules, terms, [leg]) for party, leg in zip(parties, own, strict=True)]
        return venue.house.settle(self.deployer, terms, rules.header.epoch, sides).gas_used

    def check(self, party: AccountSession) -> int:
        """Prove maintenance margin and have it recorded; the gas."""
        return submit_check(party, prepare_check(party, self.rules, RuleKind.MAINTENANCE)).gas_used

    def checks_at_once(self, parties: Sequence[AccountSession]) -> int:
        """The same of several accounts in one batch; gas of each."""
        prepared = [prepare_check(party, self.rules, RuleKind.MAINTENANCE, in_batch=True) for party in parties]
        evidence = [
            MarginEvidence(one.made.statement.portfolio_commitments, one.made.proof, one.hint) for one in prepared
        ]
        receipt = self.venue.house.prove_margins(self.deployer, [one.check for one in prepared], evidence)
        return receipt.gas_used // len(parties)

    def withdraw(self, party: AccountSession) -> int:
        """Withdraw with a proof, to an address that has some of the token (another costs 17,100 more); the gas."""
        collateral = find_collateral(self.venue)
        collateral.client.mint(self.deployer, RECIPIENT, 1)
        amount = collateral.amount(MOVED_TICKS)
        return submit_withdrawal(party, prepare_withdrawal(party, amount, RECIPIENT, self.rules)).receipt.gas_used

    def batch_extra(self, party: AccountSession) -> int:
        """Gas of each further proof when the verifier checks a batch."""
        key = self.venue.key
        made = [prepare_check(party, self.rules, RuleKind.INITIAL).made for _ in range(max(BATCH_SIZES))]
        claims = [margin_claim(key, one.statement, one.proof, with_opening=True).as_tuple() for one in made]
        verifier, chain = contract_interface("CeremonyMarginVerifier"), self.venue.chain
        gas = []
        for size in BATCH_SIZES:
            data = verifier.encode_call("verifyBatch", claims[:size])
            gas.append(chain.send(self.deployer, data, to=self.venue.deployment.verifier).gas_used)
        return (gas[1] - gas[0]) // (BATCH_SIZES[1] - BATCH_SIZES[0])

    def _change(self) -> Portfolio:
        """A few lots in the first listed options of every book, at no price: collateral is ample."""
        slots = self.book.slots
        lots = [[0] * slots.slots_per_book for _ in range(slots.books)]
        for book in range(slots.books):
            listed = [slot.position for slot in slots.listed if slot.book == book and slot.position > 1]
            for place in listed[:10]:
                lots[book][place] = place % 7 - 3
        return Portfolio(slots, tuple(tuple(book) for book in lots))


def measure_gas() -> dict[str, int]:
    """All gas figures; each case on a chain of its own."""
    figures = measure_standard_gas()
    for name, (shape_name, books) in OTHER_CASES.items():
        with market_chain() as running:
            case = GasCase(running, shape_name, books)
            case.publish()
            with case.parties(2) as parties:
                case.settle(parties)
                figures[name] = case.check(parties[0])
    return figures | {"contract_max_bytes": max(contract_sizes().values())}


def measure_standard_gas() -> dict[str, int]:
    """Gas in the standard shape: one book, 32 rows and the mask; two of three publishers sign."""
    with market_chain() as running:
        case = GasCase(running, publishers=PUBLISHERS)
        published = sum(receipt.gas_used for receipt in case.publish())
        with case.parties(2 + CHECKS_AT_ONCE) as parties:
            case.settle(parties)
            figures = {"gas_prove_batch10": case.checks_at_once(parties[2:])}
            figures["gas_settle"] = case.settle(parties[:2])
            figures["gas_check"] = figures["gas_prove"] = case.check(parties[0])
            figures["gas_batch_extra"] = case.batch_extra(parties[0])
            figures["gas_withdraw"] = case.withdraw(parties[0])
            figures["gas_deposit"] = case.deposit(parties[1])
        posted = sum(receipt.gas_used for receipt in case.publish_rows())
    rows = sum(case.book.built(kind).matrix.rows for kind in PUBLISHED_KINDS)
    figures |= {"gas_publish": published, "gas_publish_two_rules": published}
    return figures | {"gas_publish_calldata": posted, "gas_publish_calldata_row": posted // rows}
