"""Hidden trades between two parties: offer, accept, settle.

ρ = ρ_A + ρ_B, a share from each side, fresh for every trade and every book, also for books that the trade does not
touch. Each side recomputes ΔC = [Σ dx_i L_i + ρH] from (dx, ρ) before it signs (a ΔC of another form could look right
and make every later proof impossible), proves its own margin after the trade, and saves its wallet before it signs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prover.account.account_session import portfolio_of, with_instruments
from prover.account.proving import prove_opening
from prover.account.trade_files import TradeAcceptance, TradeOffer, decode_trade_file
from prover.account.wallet_records import Change, OfferRecord
from prover.argument.blinds import fresh_blind
from prover.errors import TradeError
from prover.rules.portfolio import make_portfolio
from verifier.calldata import claim_hint
from verifier.chain.clearing_terms import Settlement, SettlementSide
from verifier.portfolio_commitment import commit_portfolio
from verifier.rules.rule_kind import RuleKind
from verifier.scalar_field import MODULUS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from prover.account.account_session import AccountSession
    from prover.account.wallet_records import AccountRecord
    from prover.rules.portfolio import Portfolio
    from prover.rules.rule_book import EpochRules
    from verifier.chain.chain_client import Receipt

DEADLINE_SECONDS: Final = 600
"""The party that signs last holds an option until the deadline."""

LONGEST_DEADLINE_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class PreparedSettlement:
    """A trade that both parties proved and signed; nothing in it is secret.

    Attributes:
        trade: its name in the wallet.
        settlement: the terms.
        first: what the party that offered brings.
        second: what the other party brings.
    """

    trade: str
    settlement: Settlement
    first: SettlementSide
    second: SettlementSide


@dataclass(frozen=True, slots=True)
class _Leg:
    """One side's change: positions and blind of every book."""

    books: tuple[tuple[tuple[int, ...], int], ...]

    def negated(self) -> _Leg:
        return _Leg(tuple((tuple(-lots for lots in positions), -blind % MODULUS) for positions, blind in self.books))


def make_offer(
    session: AccountSession,
    rules: EpochRules,
    quantities: Mapping[str, Decimal],
    *,
    seconds: int = DEADLINE_SECONDS,
) -> TradeOffer:
    """Offer a trade; the wallet remembers it before it is handed over.

    Args:
        session: the party that offers.
        rules: of the active epoch.
        quantities: what it receives (negative: gives), by instrument, cash included.
        seconds: until the offer is void.

    Raises:
        TradeError: nothing changes hands, or a deadline out of range.
        InsufficientMarginError: the party itself would not be covered after the trade.
        UnknownInstrumentError, PortfolioError: a quantity that cannot be traded.
    """
    if not 0 < seconds <= LONGEST_DEADLINE_SECONDS:
        raise TradeError(f"a deadline in {seconds} s is out of range: choose 1 to {LONGEST_DEADLINE_SECONDS} s")
    change = make_portfolio(quantities, rules.slots, session.venue.shape)
    if not change.quantities():
        raise TradeError("the trade moves nothing: name at least one quantity that is not zero")
    record, state = session.refresh()
    _require_covered(record, rules, change)
    offer = TradeOffer(
        chain_id=session.venue.chain.chain_id,
        house=session.venue.deployment.house,
        first="0x" + session.account.hex(),
        first_version=state.state_version,
        epoch=rules.header.epoch,
        deadline=session.venue.chain.block_time() + seconds,
        quantities={name: f"{quantity:f}" for name, quantity in change.quantities().items()},
        blinds=tuple(fresh_blind() for _ in range(rules.header.books)),
    )
    session.wallet.save(record.with_offer(OfferRecord(name=offer.trade, content=offer.model_dump_json())))
    return offer


def accept_offer(session: AccountSession, rules: EpochRules, offer: TradeOffer) -> TradeAcceptance:
    """Accept an offer: prove, save, sign.

    Raises:
        TradeError: the offer is for another venue, epoch or time.
        InsufficientMarginError: this party would not be covered after the trade.
    """
    _require_agreeable(session, rules, offer)
    _, state = session.refresh()
    shares = tuple(fresh_blind() for _ in offer.blinds)
    change = offer.change(rules.slots, session.venue.shape)
    leg = _first_leg(change, offer.blinds, shares)
    differences = _differences(session, leg)
    settlement = _settlement(offer, session.account, state.state_version, differences)
    side = _sign(session, rules, settlement, leg=leg.negated(), change=change.negated())
    return TradeAcceptance(
        trade=offer.trade,
        second="0x" + session.account.hex(),
        second_version=state.state_version,
        blinds=shares,
        differences=tuple("0x" + point.hex() for point in differences),
        portfolio=tuple("0x" + point.hex() for point in side.portfolio),
        proof="0x" + side.proof.hex(),
        hint="0x" + side.hint.hex(),
        signature="0x" + side.signature.hex(),
    )


def prepare_settlement(session: AccountSession, rules: EpochRules, acceptance: TradeAcceptance) -> PreparedSettlement:
    """Compare an acceptance with what this wallet offered, prove, save, sign.

    Raises:
        TradeError: this wallet made no such offer, or the acceptance is for another trade than the one offered.
        InsufficientMarginError: this party is not covered after the trade.
    """
    record, _ = session.refresh()
    offer = _own_offer(record, acceptance)
    _require_current(session, rules, offer)
    change = offer.change(rules.slots, session.venue.shape)
    leg = _first_leg(change, offer.blinds, acceptance.blinds)
    differences = _differences(session, leg)
    if tuple("0x" + point.hex() for point in differences) != acceptance.differences:
        raise TradeError(f"the acceptance of trade {offer.trade} is for another change than the one offered: refuse it")
    second = bytes.fromhex(acceptance.second[2:])
    settlement = _settlement(offer, second, acceptance.second_version, differences)
    own = _sign(session, rules, settlement, leg=leg, change=change)
    other = SettlementSide(
        portfolio=tuple(bytes.fromhex(point[2:]) for point in acceptance.portfolio),
        proof=bytes.fromhex(acceptance.proof[2:]),
        hint=bytes.fromhex(acceptance.hint[2:]),
        signature=bytes.fromhex(acceptance.signature[2:]),
    )
    return PreparedSettlement(offer.trade, settlement, own, other)


def submit_settlement(session: AccountSession, prepared: PreparedSettlement) -> Receipt:
    """Send a settlement, and forget its offer once the chain has carried it out.

    Raises:
        ContractRevertedError: house or verifier refused, by a named error.
    """
    receipt = session.venue.house.settle(session.owner, prepared.settlement, prepared.first, prepared.second)
    record, _ = session.refresh()
    session.wallet.save(record.without_offer(prepared.trade))
    return receipt


def _require_covered(record: AccountRecord, rules: EpochRules, change: Portfolio) -> None:
    """Refuse a trade that this party could not prove; its rows are named."""
    after = portfolio_of(record, record.current, rules.slots).plus(change)
    built = rules.built(RuleKind.INITIAL)
    openings = record.current.covering(len(after.lots), len(after.lots[0])).books
    changed = [book.model_copy(update={"positions": lots}) for book, lots in zip(openings, after.lots, strict=True)]
    opening = record.current.model_copy(update={"books": tuple(changed)})
    built.witness(opening.book_openings())


def _require_agreeable(session: AccountSession, rules: EpochRules, offer: TradeOffer) -> None:
    """What the accepting party checks of an offer before it looks at the quantities."""
    venue = session.venue
    if (offer.chain_id, offer.house) != (venue.chain.chain_id, venue.deployment.house):
        raise TradeError(
            f"the offer is for clearing house {offer.house} on chain {offer.chain_id}: give the deployment file and "
            "the node that belong to it"
        )
    if offer.first == "0x" + session.account.hex():
        raise TradeError("the offer is your own account's: the other party accepts it")
    _require_current(session, rules, offer)
    version = venue.house.account_state(bytes.fromhex(offer.first[2:])).state_version
    if version != offer.first_version:
        raise TradeError(
            f"the account that offers has changed (state version {version}, offered at {offer.first_version}): ask "
            "for a new offer"
        )


def _require_current(session: AccountSession, rules: EpochRules, offer: TradeOffer) -> None:
    """Epoch, books and deadline."""
    now = session.venue.chain.block_time()
    if offer.epoch != rules.header.epoch or len(offer.blinds) != rules.header.books:
        raise TradeError(
            f"the offer was made for epoch {offer.epoch} with {len(offer.blinds)} books, active is epoch "
            f"{rules.header.epoch} with {rules.header.books}: agree on the trade anew"
        )
    if not now <= offer.deadline <= now + LONGEST_DEADLINE_SECONDS:
        raise TradeError(
            f"the offer's deadline {offer.deadline} is not within {LONGEST_DEADLINE_SECONDS} s of the chain's time "
            f"{now}: agree on the trade anew"
        )


def _own_offer(record: AccountRecord, acceptance: TradeAcceptance) -> TradeOffer:
    known = record.offer(acceptance.trade)
    if known is None:
        raise TradeError(
            f"this wallet has no open offer {acceptance.trade} of account {record.account}: it was settled, or made "
            "with another wallet"
        )
    return decode_trade_file("the wallet's offer", known.content, TradeOffer)


def _first_leg(change: Portfolio, offered: Sequence[int], accepted: Sequence[int]) -> _Leg:
    """The first party's change, with ρ = ρ_A + ρ_B."""
    if len(offered) != len(change.lots) or len(accepted) != len(change.lots):
        raise TradeError(f"the trade needs a blind of each side for {len(change.lots)} books: agree on it anew")
    blinds = ((one + other) % MODULUS for one, other in zip(offered, accepted, strict=True))
    return _Leg(tuple(zip(change.lots, blinds, strict=True)))


def _differences(session: AccountSession, leg: _Leg) -> tuple[bytes, ...]:
    """ΔC per book."""
    shape, setup = session.venue.shape, session.venue.setup
    return tuple(commit_portfolio(positions, blind, shape=shape, setup=setup) for positions, blind in leg.books)


def _settlement(offer: TradeOffer, second: bytes, second_version: int, differences: tuple[bytes, ...]) -> Settlement:
    return Settlement(
        first=bytes.fromhex(offer.first[2:]),
        second=second,
        first_version=offer.first_version,
        second_version=second_version,
        epoch=offer.epoch,
        deadline=offer.deadline,
        differences=differences,
    )


def _sign(
    session: AccountSession, rules: EpochRules, settlement: Settlement, *, leg: _Leg, change: Portfolio
) -> SettlementSide:
    """Prove this side's margin after the trade, save the opening that the trade would give, and only then sign."""
    record, state = session.refresh()
    portfolio_of(record, record.current, rules.slots)
    check = settlement.check_of(session.account)
    if state.state_version != check.state_version:
        raise TradeError(
            f"your account has changed since (state version {state.state_version}, agreed at {check.state_version}): "
            "agree on the trade anew"
        )
    before = record.current.covering(rules.header.books, session.venue.shape.slots)
    after = before.plus(leg.books)
    made = prove_opening(session, rules, after, check, settlement.action)
    recorded = Change(kind="trade", base_version=check.state_version, after=after)
    session.wallet.save(with_instruments(record, change).with_change(recorded))
    return SettlementSide(
        portfolio=session.commitments(before),
        proof=made.proof,
        hint=claim_hint(session.venue.key, made.statement, made.proof, with_opening=True),
        signature=session.venue.house.sign(session.owner, settlement),
    )
