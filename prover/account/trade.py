"""Hidden trades between two parties: offer, accept, settle.

ρ = ρ_A + ρ_B, a share from each side, fresh for every trade and every book (:mod:`prover.account.hidden_change`). Each
side recomputes ΔC from (dx, ρ) before it signs, proves its own margin after the trade, and saves its wallet before it
signs (:mod:`prover.account.netting`, of which a trade is the simplest case).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from prover.account.account_session import portfolio_of
from prover.account.hidden_change import fresh_blinds, hidden_change, leg_books
from prover.account.netting import AgreedLeg, bound_settlement, bring_side, free_nonce
from prover.account.trade_files import TradeAcceptance, TradeOffer, TradeProposal, decode_trade_file
from prover.account.wallet_records import OfferRecord
from prover.errors import TradeError
from prover.rules.portfolio import make_portfolio
from verifier.chain.settlement_terms import Participant, Settlement, SettlementSide
from verifier.errors import ContractRevertedError
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from prover.account.account_session import AccountSession
    from prover.account.wallet_records import AccountRecord, Opening
    from prover.rules.portfolio import Portfolio
    from prover.rules.rule_book import EpochRules
    from verifier.chain.account_state import AccountState
    from verifier.chain.chain_client import Receipt

DEADLINE_SECONDS: Final = 600
"""The party that signs last holds an option until the deadline."""

LONGEST_DEADLINE_SECONDS: Final = 3600

EPOCHS_AHEAD: Final = 1
"""A trade may settle under the epoch after the one it was offered in, so that a new one does not undo it."""


@dataclass(frozen=True, slots=True)
class PreparedSettlement:
    """A trade that both parties proved and signed; nothing of what is sent is secret.

    Attributes:
        trade: its name in the wallet.
        settlement: the terms.
        epoch: at which both proved.
        sides: what each party brings; first that of the one that offered.
        after: opening of the one that offered, once it has happened; secret.
    """

    trade: str
    settlement: Settlement
    epoch: int
    sides: tuple[SettlementSide, SettlementSide]
    after: Opening = field(repr=False)


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
        MaskedSlotError: an instrument that is not listed any more, or not yet.
    """
    change = proposed_change(session, rules, quantities, seconds)
    record, state = session.refresh()
    _require_covered(record, state, rules, change)
    offer = TradeOffer(
        chain_id=session.venue.chain.chain_id,
        house=session.venue.deployment.house,
        first="0x" + session.account.hex(),
        first_version=state.state_version,
        first_nonce=free_nonce(session.venue, session.account),
        max_epoch=rules.header.epoch + EPOCHS_AHEAD,
        deadline=session.venue.chain.block_time() + seconds,
        quantities={name: f"{quantity:f}" for name, quantity in change.quantities().items()},
        blinds=fresh_blinds(leg_books(change, state.books)),
    )
    session.wallet.save(record.with_offer(OfferRecord(name=offer.trade, content=offer.model_dump_json())))
    return offer


def accept_offer(session: AccountSession, rules: EpochRules, offer: TradeOffer) -> TradeAcceptance:
    """Accept an offer: prove, save, sign.

    Raises:
        TradeError: the offer is for another venue, epoch or time.
        InsufficientMarginError: this party would not be covered after the trade.
    """
    require_agreeable(session, rules, offer)
    _require_unchanged(session, offer)
    _, state = session.refresh()
    change = offer.change(rules.slots, session.venue.shape)
    shares = fresh_blinds(leg_books(change, offer.bitmap, state.books))
    leg = agreed_leg(offer, session.account, change, shares)
    second = Participant(session.account, state.state_version, free_nonce(session.venue, session.account))
    settlement = _settlement(session, offer, second, leg)
    side = bring_side(session, rules, settlement, [leg])
    return TradeAcceptance(
        trade=offer.trade,
        second="0x" + session.account.hex(),
        second_version=second.state_version,
        second_nonce=second.nonce,
        epoch=rules.header.epoch,
        blinds=shares,
        differences=tuple("0x" + point.hex() for point in settlement.legs[0].differences),
        signer=side.signer,
        signature="0x" + side.signature.hex(),
        portfolio=tuple("0x" + point.hex() for point in side.portfolio),
        proof="0x" + side.proof.hex(),
        hint="0x" + side.hint.hex(),
    )


def prepare_settlement(session: AccountSession, rules: EpochRules, acceptance: TradeAcceptance) -> PreparedSettlement:
    """Compare an acceptance with what this wallet offered, prove, save, sign.

    Raises:
        TradeError: this wallet made no such offer, or the acceptance is for another trade than the one offered.
        InsufficientMarginError: this party is not covered after the trade.
    """
    record, _ = session.refresh()
    offer = _own_offer(record, acceptance)
    change = offer.change(rules.slots, session.venue.shape)
    leg = agreed_leg(offer, bytes.fromhex(acceptance.second[2:]), change, acceptance.blinds)
    if session.venue.house.is_nonce_used(session.account, offer.first_nonce):
        if record.current in [before.plus(leg.hidden.books) for before in record.earlier]:
            raise _settled_already(session, record, offer.trade)
        raise TradeError(
            f"nonce {offer.first_nonce} of trade {offer.trade} is used: it, or another that was offered beside it, was "
            "settled or called back; see `zkmargin status` before you agree on anything anew"
        )
    require_current(session, rules, offer)
    if acceptance.epoch != rules.header.epoch:
        raise TradeError(
            f"the acceptance was proven under epoch {acceptance.epoch}, active is epoch {rules.header.epoch}: ask the "
            "other party to accept again"
        )
    second = Participant(leg.giver, acceptance.second_version, acceptance.second_nonce)
    settlement = _settlement(session, offer, second, leg)
    if tuple("0x" + point.hex() for point in settlement.legs[0].differences) != acceptance.differences:
        raise TradeError(f"the acceptance of trade {offer.trade} is for another change than the one offered: refuse it")
    sides = (bring_side(session, rules, settlement, [leg]), _side_of(acceptance))
    after = record.current.plus(leg.hidden.books)
    return PreparedSettlement(offer.trade, settlement, rules.header.epoch, sides, after)


def submit_settlement(session: AccountSession, prepared: PreparedSettlement) -> Receipt:
    """Send a settlement, and forget its offer once the chain has carried it out.

    Raises:
        TradeError: a transaction of an earlier run has settled it.
        ContractRevertedError: house or verifier refused, by a named error.
    """
    try:
        receipt = session.venue.house.settle(session.signer, prepared.settlement, prepared.epoch, prepared.sides)
    except ContractRevertedError:
        # What an earlier run had signed may have been under way until now.
        record, _ = session.refresh()
        if record.current == prepared.after:
            raise _settled_already(session, record, prepared.trade) from None
        raise
    record, _ = session.refresh()
    session.wallet.save(record.without_offer(prepared.trade))
    return receipt


def proposed_change(
    session: AccountSession, rules: EpochRules, quantities: Mapping[str, Decimal], seconds: int
) -> Portfolio:
    """Lots that the party that offers receives.

    Raises:
        TradeError: nothing changes hands, or a deadline out of range.
        UnknownInstrumentError, PortfolioError: a quantity that cannot be traded.
    """
    if not 0 < seconds <= LONGEST_DEADLINE_SECONDS:
        raise TradeError(f"a deadline in {seconds} s is out of range: choose 1 to {LONGEST_DEADLINE_SECONDS} s")
    change = make_portfolio(quantities, rules.slots, session.venue.shape)
    if not change.quantities():
        raise TradeError("the trade moves nothing: name at least one quantity that is not zero")
    return change


def _require_covered(record: AccountRecord, state: AccountState, rules: EpochRules, change: Portfolio) -> None:
    """Refuse a trade that this party could not prove; its rows are named."""
    portfolio_of(record, record.current, rules.slots)
    books = leg_books(change, state.books)
    after = record.current.plus({book: (change.lots[book], 0) for book in books})
    opened = tuple(sorted({*books, *state.open_books}))
    rules.witness(RuleKind.INITIAL, after.of_books(opened), opened)


def require_agreeable(session: AccountSession, rules: EpochRules, offer: TradeProposal) -> None:
    """What the accepting party checks of an offer before it looks at the quantities.

    Raises:
        TradeError: the offer is for another venue, epoch or time, or this party's own.
    """
    venue = session.venue
    if (offer.chain_id, offer.house) != (venue.chain.chain_id, venue.deployment.house):
        raise TradeError(
            f"the offer is for clearing house {offer.house} on chain {offer.chain_id}: give the deployment file and "
            "the node that belong to it"
        )
    if offer.first == "0x" + session.account.hex():
        raise TradeError("the offer is your own account's: the other party accepts it")
    require_current(session, rules, offer)


def _require_unchanged(session: AccountSession, offer: TradeOffer) -> None:
    """The offering account's version."""
    version = session.venue.house.account_state(offer.receiver).state_version
    if version != offer.first_version:
        raise TradeError(
            f"the account that offers has changed (state version {version}, offered at {offer.first_version}): ask "
            "for a new offer"
        )


def require_current(session: AccountSession, rules: EpochRules, offer: TradeProposal) -> None:
    """Check epoch and deadline of an offer.

    Raises:
        TradeError: too late.
    """
    now = session.venue.chain.block_time()
    if rules.header.epoch > offer.max_epoch:
        raise TradeError(
            f"the offer holds until epoch {offer.max_epoch}, and epoch {rules.header.epoch} is active: agree on the "
            "trade anew"
        )
    if not now <= offer.deadline <= now + LONGEST_DEADLINE_SECONDS:
        raise TradeError(
            f"the offer's deadline {offer.deadline} is not within {LONGEST_DEADLINE_SECONDS} s of the chain's time "
            f"{now}: agree on the trade anew"
        )


def _side_of(acceptance: TradeAcceptance) -> SettlementSide:
    return SettlementSide(
        signer=acceptance.signer,
        signature=bytes.fromhex(acceptance.signature[2:]),
        portfolio=tuple(bytes.fromhex(point[2:]) for point in acceptance.portfolio),
        proof=bytes.fromhex(acceptance.proof[2:]),
        hint=bytes.fromhex(acceptance.hint[2:]),
    )


def _settled_already(session: AccountSession, record: AccountRecord, trade: str) -> TradeError:
    """Forget an offer that was settled without this wallet having been told; the error that says so."""
    session.wallet.save(record.without_offer(trade))
    return TradeError(f"trade {trade} is settled already, by an earlier run: see `zkmargin status`; do not agree anew")


def _own_offer(record: AccountRecord, acceptance: TradeAcceptance) -> TradeOffer:
    known = record.offer(acceptance.trade)
    if known is None:
        raise TradeError(
            f"this wallet has no open offer {acceptance.trade} of account {record.account}: it was settled, or made "
            "with another wallet"
        )
    return decode_trade_file("the wallet's offer", known.content, TradeOffer)


def agreed_leg(offer: TradeProposal, second: bytes, change: Portfolio, shares: Mapping[int, int]) -> AgreedLeg:
    """The trade as the first party receives it, with ρ = ρ_A + ρ_B in the books that both named.

    Raises:
        TradeError: a book that is traded lacks a share, or a share is for a book that was not offered.
    """
    needed = leg_books(change, 0)
    if not set(needed) <= set(shares) or not set(shares) <= set(offer.blinds):
        raise TradeError(
            f"the trade needs a blind of each side for books {list(needed)}: {sorted(offer.blinds)} were offered and "
            f"{sorted(shares)} accepted, agree on it anew"
        )
    return AgreedLeg(offer.receiver, second, change, hidden_change(change, offer.blinds, shares))


def _settlement(session: AccountSession, offer: TradeOffer, second: Participant, leg: AgreedLeg) -> Settlement:
    first = Participant(leg.receiver, offer.first_version, offer.first_nonce)
    return bound_settlement(session.venue, (first, second), [leg], max_epoch=offer.max_epoch, deadline=offer.deadline)
