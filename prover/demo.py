"""The demonstration: the whole way on a local chain, by the same functions as the commands for own use.

Deploy, publish a rule from a market, open two accounts, settle a hidden option trade, prove maintenance margin; then
what must fail: a trade that breaks margin, a forged proof, a replay.
"""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
import tempfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prover.account.account_session import AccountSession
from prover.account.account_view import known_margin, known_positions, seen_by_the_chain
from prover.account.collateral import find_collateral
from prover.account.deposits import deposit
from prover.account.proving import PreparedCheck, prepare_check, submit_check
from prover.account.trade import PreparedSettlement, accept_offer, make_offer, prepare_settlement, submit_settlement
from prover.account.venue import Venue, connect_venue
from prover.account.wallet import create_wallet
from prover.demo_report import DemoReport, Views
from prover.errors import RuleBuildError
from prover.local_chain import LocalChain, local_chain
from prover.market.instruments import Option
from prover.market.market_files import load_market
from prover.rules.rule_book import active_rules, load_rule_book
from prover.rules.slot_terms import list_missing
from verifier.books import books_in
from verifier.calldata import claim_hint
from verifier.ceremony import ceremony_setup
from verifier.chain.chain_client import ChainClient
from verifier.chain.contract_artifacts import compile_contracts
from verifier.deployment.deployment import deploy
from verifier.deployment.deployment_terms import local_terms
from verifier.rules.rule_kind import PUBLISHED_KINDS, RuleKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prover.account.account_view import Value
    from prover.demo_report import Audience
    from prover.market.market_data import MarketSnapshot
    from prover.rules.rule_book import EpochRules
    from prover.rules.slots import Slot

SHAPE: Final = "standard"
TRADED_LOTS: Final = 100
RECKLESS_FACTOR: Final = 40
"""The trade that breaks margin is so many times larger."""

COLLATERAL_FACTOR: Final = Decimal(2)
"""Collateral of each party, in multiples of the underlying's value in the trade."""

ROUND_AMOUNT: Final = 1000
NAMES: Final = ("Alice", "Bob")


@dataclass(frozen=True, slots=True)
class Agreement:
    """The trade: the buyer receives the option and pays its mark.

    Attributes:
        option: slot of the option.
        quantity: of the option, units of the underlying.
        price: for all of it, quote currency.
        collateral: deposited by each party beforehand, quote currency.
        currency: of the quote.
    """

    option: Slot
    quantity: Decimal
    price: Decimal
    collateral: Decimal
    currency: str

    def received(self, factor: int = 1) -> dict[str, Decimal]:
        """What the buyer receives (negative: gives)."""
        return {self.option.instrument.name: factor * self.quantity, self.currency: -factor * self.price}


def run_demo(market: Path, audience: Audience) -> DemoReport:
    """Run the demonstration on a chain of its own, which ends with it.

    Args:
        market: snapshot or option chain; the chain's clock starts at its time.
        audience: is told of every step.

    Raises:
        DemoError: something that must fail did not.
        MarketDataError, LocalChainError, ContractArtifactError: what it needs is missing or broken.
    """
    report = DemoReport(audience)
    with report.step("Read the market"):
        snapshot = load_market(market)
    report.market = f"{market.name}: {', '.join(snapshot.underlyings)}, {len(snapshot.options)} options"
    with report.step("Compile the contracts (cached)"):
        compile_contracts()
    with report.step("Read the ceremony's setup (cached)") as step:
        setup = ceremony_setup()
        step.detail = f"{setup.powers} powers of τ"
    with local_chain(timestamp=snapshot.snapshot_time) as local, tempfile.TemporaryDirectory() as folder:
        venue = _deploy(report, local)
        rules = _publish(report, local, venue, market)
        with _parties(report, local, venue, Path(folder)) as parties:
            _trade_and_prove(report, parties, rules, _agree(snapshot, rules))
    return report


def _deploy(report: DemoReport, local: LocalChain) -> Venue:
    with report.step("Deploy verifier, registries, vault and clearing house") as step:
        chain = ChainClient.connect(local.url, chain_id=local.chain_id)
        deployment = deploy(chain, local.account(0), shape_name=SHAPE, setup=ceremony_setup(), terms=local_terms())
        step.detail = f"clearing house {deployment.house}"
        return connect_venue(local.url, deployment)


def _publish(report: DemoReport, local: LocalChain, venue: Venue, market: Path) -> EpochRules:
    with report.step("Build initial and maintenance rule from the market") as step:
        book = load_rule_book(market, shape=venue.shape, setup=venue.setup, books=1, slots=None)
        publication = book.publication()
        matrix = book.built(RuleKind.INITIAL).matrix
        step.detail = f"{matrix.rows} rows over {len(book.slots.listed)} instruments, {len(publication.chunks())} blobs"
    with report.step("List the instruments: what every slot stands for, for ever") as step:
        step.sent(*list_missing(venue.instruments, local.account(0), book.slots))
        step.detail = f"{len(book.slots.listed)} slots; the mask keeps all others empty"
    with report.step("Publish both rules as blobs") as step:
        step.sent(*venue.registry.publish(local.account(0), publication))
        venue.registry.wait_until_active(venue.registry.latest_epoch().epoch)
        step.detail = f"{step.transactions} transactions, active {venue.registry.timing().activation_delay} s later"
    with report.step("Rebuild the rules and compare them with the registry") as step:
        rules = active_rules(venue, market, None)
        for kind in PUBLISHED_KINDS:
            rules.prepared(kind, (0,))
        step.detail = f"epoch {rules.header.epoch}, all commitments equal"
    return rules


@contextlib.contextmanager
def _parties(report: DemoReport, local: LocalChain, venue: Venue, folder: Path) -> Iterator[list[AccountSession]]:
    """Two owners, each with a wallet of their own and test tokens."""
    with contextlib.ExitStack() as opened:
        parties = []
        with report.step("Make two wallets, encrypted"):
            for index, name in enumerate(NAMES, start=1):
                path, password = folder / f"{name}.json", secrets.token_urlsafe()
                wallet = opened.enter_context(create_wallet(path, password))
                parties.append(AccountSession(venue, wallet, local.account(index)))
        yield parties


def _agree(snapshot: MarketSnapshot, rules: EpochRules) -> Agreement:
    """The call with the largest open interest, at its mark."""
    universe = rules.built(RuleKind.INITIAL).universe
    options = [slot for slot in rules.slots.listed if isinstance(slot.instrument, Option) and slot.instrument.is_call]
    if not options:
        raise RuleBuildError("the market lists no call option to trade: give another by --market")
    option = options[0]
    quantity = TRADED_LOTS * option.lot_size
    tick = rules.built(RuleKind.INITIAL).tick
    place = rules.slots.flat_index(option)
    mark = Decimal(float(universe.mark[place]))
    notional = COLLATERAL_FACTOR * quantity * Decimal(float(universe.index_price[place]))
    return Agreement(
        option=option,
        quantity=quantity,
        price=(quantity * mark / tick).quantize(Decimal(1)) * tick,
        collateral=(notional // ROUND_AMOUNT + 1) * ROUND_AMOUNT,
        currency=snapshot.quote_currency,
    )


def _trade_and_prove(
    report: DemoReport, parties: list[AccountSession], rules: EpochRules, agreement: Agreement
) -> None:
    buyer, seller = parties
    for name, party in zip(NAMES, parties, strict=True):
        with report.step(f"{name} deposits collateral") as step:
            token = find_collateral(party.venue)
            units = token.units(token.ticks(agreement.collateral, "deposit"))
            token.client.mint(party.signer, party.signer.address, units)
            step.sent(*deposit(party, agreement.collateral))
            step.detail = f"{agreement.collateral:,} {agreement.currency}, public"
    with report.step(f"{NAMES[0]} offers a trade, in private"):
        offer = make_offer(buyer, rules, agreement.received())
    with report.step(f"{NAMES[1]} proves initial margin after it, and signs"):
        acceptance = accept_offer(seller, rules, offer)
    with report.step(f"{NAMES[0]} proves initial margin after it, and signs"):
        settlement = prepare_settlement(buyer, rules, acceptance)
    with report.step("Settle the hidden trade: both proofs in one batch") as step:
        step.sent(submit_settlement(buyer, settlement))
    with report.step(f"{NAMES[0]} proves maintenance margin") as step:
        check = prepare_check(buyer, rules, RuleKind.MAINTENANCE)
        step.detail = f"{len(check.made.proof)} bytes"
    with report.step("The clearing house checks and records it") as step:
        step.sent(submit_check(buyer, check))
    _attacks(report, parties, rules, agreement, settlement)
    report.views.append(_trade_views(agreement, settlement))
    for name, party in zip(NAMES, parties, strict=True):
        record, state = party.refresh()
        known = known_positions(record, rules.slots) | known_margin(record, rules)
        report.views.append(Views(name, known, seen_by_the_chain(party.venue, party.account, state)))


def _attacks(
    report: DemoReport,
    parties: list[AccountSession],
    rules: EpochRules,
    agreement: Agreement,
    settlement: PreparedSettlement,
) -> None:
    buyer, seller = parties
    with report.must_fail(f"{NAMES[1]} offers to sell {RECKLESS_FACTOR} times as much"):
        make_offer(seller, rules, agreement.received(-RECKLESS_FACTOR))
    forged = _forge(seller, prepare_check(seller, rules, RuleKind.MAINTENANCE))
    with report.must_fail(f"{NAMES[1]} sends a forged proof"):
        submit_check(seller, forged)
    with report.must_fail(f"{NAMES[0]} sends the settled trade once more"):
        buyer.venue.house.settle(buyer.signer, settlement.settlement, settlement.epoch, settlement.sides)


def _forge(party: AccountSession, check: PreparedCheck) -> PreparedCheck:
    """The proof with another claimed value of T at ζ, and hints that go with it: well-formed, and false."""
    statement, proof = check.made.statement, check.made.proof
    altered = proof[:-1] + bytes([proof[-1] ^ 1])
    hint = claim_hint(party.venue.key, statement, altered, with_opening=False)
    return dataclasses.replace(check, made=dataclasses.replace(check.made, proof=altered), hint=hint)


def _trade_views(agreement: Agreement, settlement: PreparedSettlement) -> Views:
    known: dict[str, Value] = dict(agreement.received())
    seen: dict[str, Value] = {
        "first": "0x" + settlement.settlement.participants[0].account.hex(),
        "second": "0x" + settlement.settlement.participants[1].account.hex(),
        "epoch": settlement.epoch,
    }
    leg = settlement.settlement.legs[0]
    for book, point in zip(books_in(leg.books), leg.differences, strict=True):
        seen[f"difference_of_book_{book}"] = "0x" + point.hex()
    return Views(f"The trade ({NAMES[0]} receives)", known, seen)
