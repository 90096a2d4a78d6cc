"""The project's gas figures: whole transactions on a local chain, through the deployed clearing house.

Every account measured has traded before, so that its commitments are ordinary points and its record is not its first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prover.argument.argument import MarginProof, prove
from prover.argument.blinds import fresh_blind
from prover.argument.witness import BookOpening
from prover.benchmarks.benchmark import CASH_TICKS
from prover.local_chain import local_chain
from prover.market.market_data import EXAMPLE_MARKET
from prover.market.market_files import load_market
from prover.rules.rule_book import RuleBook
from prover.rules.rule_builder import build_rules
from verifier.calldata import claim_hint, margin_claim
from verifier.ceremony import ceremony_setup
from verifier.chain.chain_client import ChainClient
from verifier.chain.clearing_terms import MarginCheck, Settlement, SettlementSide, Withdrawal, account_id
from verifier.chain.contract_interface import contract_interface
from verifier.chain.house_client import HouseClient
from verifier.chain.registry_client import RegistryClient
from verifier.chain.token_client import TokenClient
from verifier.deployment.deployment import Deployment, DeploymentTerms, deploy
from verifier.portfolio_commitment import commit_portfolio, credit_commitment
from verifier.rules.rule_kind import RuleKind
from verifier.shape import SHAPES_BY_NAME
from verifier.statement import EMPTY_PORTFOLIO, verifying_key

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from prover.rules.rule_definition import RuleDefinition
    from verifier.shape import Shape

UNITS_PER_TICK: Final = 10_000
MAXIMUM_AGE: Final = 10 * 365 * 86_400
DEPOSIT_TICKS: Final = CASH_TICKS // 100
MOVED_TICKS: Final = 12_345
RECIPIENT: Final = "0x" + "5a" * 20
BATCH_SIZES: Final = (1, 4)
FAR_DEADLINE: Final = 1 << 40
CASES: Final = {"gas_check": ("standard", 1), "gas_check_small": ("small", 1), "gas_check_4books": ("standard", 4)}


@dataclass(frozen=True, slots=True)
class Party:
    """An owner, and what opens the account's commitments."""

    owner: LocalAccount
    account: bytes
    openings: tuple[BookOpening, ...]


class GasCase:
    """One deployment with a published rule, on which transactions are measured."""

    def __init__(
        self,
        chain: ChainClient,
        deployer: LocalAccount,
        shape_name: str,
        books: int,
        definition: RuleDefinition | None = None,
    ) -> None:
        self.chain = chain
        self.deployer = deployer
        self.shape: Shape = SHAPES_BY_NAME[shape_name]
        self.setup = ceremony_setup()
        self.key = verifying_key(self.shape, self.setup)
        terms = DeploymentTerms(
            maximum_age=MAXIMUM_AGE, collateral=None, collateral_slot=0, units_per_tick=UNITS_PER_TICK, insecure=True
        )
        self.deployment: Deployment = deploy(chain, deployer, shape_name=shape_name, setup=self.setup, terms=terms)
        self.house = HouseClient(chain, self.deployment.house)
        snapshot = load_market(EXAMPLE_MARKET)
        self.book = RuleBook(build_rules(snapshot, definition, shape=self.shape, books=books), self.setup, snapshot)

    def publish(self) -> int:
        """Publish both rules; gas of all transactions, beside the blobs."""
        registry = RegistryClient(self.chain, self.deployment.registry)
        return sum(receipt.gas_used for receipt in registry.publish(self.deployer, self.book.publication()))

    def open_party(self, owner: LocalAccount) -> Party:
        """Deposit collateral into a fresh account."""
        token = TokenClient(self.chain, self.deployment.collateral)
        units = DEPOSIT_TICKS * UNITS_PER_TICK
        token.mint(owner, owner.address, units)
        token.approve(owner, self.deployment.house, units)
        self.house.deposit(owner, 0, DEPOSIT_TICKS, EMPTY_PORTFOLIO)
        books = [BookOpening((0,) * self.shape.slots, 0) for _ in range(self.book.slots.books)]
        books[0] = BookOpening((DEPOSIT_TICKS, *books[0].positions[1:]), 0)
        return Party(owner, account_id(owner.address, 0), tuple(books))

    def settle(self, first: Party, second: Party) -> tuple[Party, Party, int]:
        """Trade in every book; the parties after it, and the gas."""
        differences = [self._difference(book) for book in range(len(first.openings))]
        points = tuple(self._commit(opening) for opening in differences)
        settlement = Settlement(first.account, second.account, 1, 1, 1, FAR_DEADLINE, points)
        after = (self._moved(first, differences, 1), self._moved(second, differences, -1))
        sides = []
        for before, party in zip((first, second), after, strict=True):
            made = self._prove(party, settlement.check_of(party.account), settlement.action)
            hint = claim_hint(self.key, made.statement, made.proof, with_opening=True)
            portfolio = self._before(before)
            sides.append(SettlementSide(portfolio, made.proof, hint, self.house.sign(party.owner, settlement)))
        receipt = self.house.settle(self.deployer, settlement, *sides)
        return *after, receipt.gas_used

    def check(self, party: Party) -> int:
        """Prove maintenance margin and have it recorded; the gas."""
        check = MarginCheck(party.account, 2, 1, RuleKind.MAINTENANCE)
        made = self._prove(party, check)
        hint = claim_hint(self.key, made.statement, made.proof, with_opening=False)
        portfolio = made.statement.portfolio_commitments
        receipt = self.house.prove_margin(self.deployer, check, portfolio=portfolio, proof=made.proof, hint=hint)
        return receipt.gas_used

    def deposit(self, party: Party) -> int:
        """Deposit into an account that has traded; the gas."""
        token = TokenClient(self.chain, self.deployment.collateral)
        units = MOVED_TICKS * UNITS_PER_TICK
        token.mint(party.owner, party.owner.address, units)
        token.approve(party.owner, self.deployment.house, units)
        present = self._commit(party.openings[0])
        return self.house.deposit(party.owner, 0, MOVED_TICKS, present).gas_used

    def withdraw(self, party: Party) -> int:
        """Withdraw with a proof, to an address that has none of the token yet; the gas."""
        terms = Withdrawal(party.account, 2, 1, MOVED_TICKS, RECIPIENT)
        cash = BookOpening((MOVED_TICKS,) + (0,) * (self.shape.slots - 1), 0)
        nothing = [BookOpening((0,) * self.shape.slots, 0)] * (len(party.openings) - 1)
        made = self._prove(self._moved(party, [cash, *nothing], -1), terms.check, terms.action)
        hint = claim_hint(self.key, made.statement, made.proof, with_opening=False)
        portfolio = tuple(self._commit(opening) for opening in party.openings)
        return self.house.withdraw(party.owner, terms, portfolio=portfolio, proof=made.proof, hint=hint).gas_used

    def batch_extra(self, party: Party) -> int:
        """Gas of each further proof when the verifier checks a batch."""
        check = MarginCheck(party.account, 2, 1, RuleKind.INITIAL)
        largest = max(BATCH_SIZES)
        made = [self._prove(party, check) for _ in range(largest)]
        claims = [margin_claim(self.key, one.statement, one.proof, with_opening=True).as_tuple() for one in made]
        verifier = contract_interface("CeremonyMarginVerifier")
        gas = []
        for size in BATCH_SIZES:
            data = verifier.encode_call("verifyBatch", claims[:size])
            gas.append(self.chain.send(self.deployer, data, to=self.deployment.verifier).gas_used)
        return (gas[1] - gas[0]) // (BATCH_SIZES[1] - BATCH_SIZES[0])

    def _difference(self, book: int) -> BookOpening:
        """A few lots in the first listed options of a book, at no price: collateral is ample."""
        listed = [slot.position for slot in self.book.slots.listed if slot.book == book and slot.position > 1]
        lots = [0] * self.shape.slots
        for place in listed[:10]:
            lots[place] = place % 7 - 3
        return BookOpening(tuple(lots), fresh_blind())

    def _moved(self, party: Party, differences: list[BookOpening], sign: int) -> Party:
        openings = tuple(
            BookOpening(
                tuple(held + sign * moved for held, moved in zip(opening.positions, change.positions, strict=True)),
                opening.blind + sign * change.blind,
            )
            for opening, change in zip(party.openings, differences, strict=True)
        )
        return Party(party.owner, party.account, openings)

    def _before(self, party: Party) -> tuple[bytes, ...]:
        credited = credit_commitment(EMPTY_PORTFOLIO, 0, DEPOSIT_TICKS, shape=self.shape, setup=self.setup)
        return (credited, *(EMPTY_PORTFOLIO for _ in party.openings[1:]))

    def _commit(self, opening: BookOpening) -> bytes:
        return commit_portfolio(opening.positions, opening.blind, shape=self.shape, setup=self.setup)

    def _prove(self, party: Party, check: MarginCheck, action: bytes = bytes(32)) -> MarginProof:
        built = self.book.built(check.kind)
        witness = built.witness(party.openings)
        context = self.house.context(check, action)
        return prove(setup=self.setup, rule=self.book.prepared(check.kind), witness=witness, context=context)


def measure_gas() -> dict[str, int]:
    """All gas figures; each case on a chain of its own."""
    figures: dict[str, int] = {}
    for name, (shape_name, books) in CASES.items():
        with local_chain() as anvil:
            chain = ChainClient.connect(anvil.url)
            case = GasCase(chain, anvil.account(0), shape_name, books)
            published = case.publish()
            first, second, settled = case.settle(case.open_party(anvil.account(1)), case.open_party(anvil.account(2)))
            figures[name] = case.check(first)
            case.check(second)
            if name == "gas_check":
                figures |= {"gas_publish": published, "gas_settle": settled, "gas_batch_extra": case.batch_extra(first)}
                figures |= {"gas_withdraw": case.withdraw(first), "gas_deposit": case.deposit(second)}
    return figures
