"""Legs of a netting as two accounts agree on them in private: offer, answer, and the public half that comes of both.

ρ = ρ_A + ρ_B as in a trade of two. A wallet keeps an agreement before anything of it leaves; asked again, it gives the
same answer, so that a crash between wallet and file costs nothing. Nothing is signed yet: whether an account can carry
its legs shows once it knows which of them are settled together (:mod:`prover.account.netting_signing`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prover.account.hidden_change import fresh_blinds, leg_books
from prover.account.netting import AgreedLeg, random_nonce
from prover.account.netting_files import NettingAgreement, NettingAnswer, NettingLeg, NettingOffer
from prover.account.trade import EPOCHS_AHEAD, agreed_leg, proposed_change, require_agreeable, require_current
from prover.account.trade_files import decode_trade_file
from prover.account.wallet_records import LegRecord, OfferRecord
from prover.errors import TradeError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from prover.account.account_session import AccountSession
    from prover.account.wallet_records import AccountRecord
    from prover.rules.rule_book import EpochRules


def offer_leg(
    session: AccountSession, rules: EpochRules, quantities: Mapping[str, Decimal], *, seconds: int
) -> NettingOffer:
    """Offer a leg; the wallet remembers it before it is handed over.

    Args:
        session: the party that offers.
        rules: of the active epoch.
        quantities: what it receives (negative: gives), by instrument, cash included.
        seconds: until the leg is void.

    Raises:
        TradeError: nothing changes hands, or a deadline out of range.
        UnknownInstrumentError, PortfolioError: a quantity that cannot be traded.
    """
    change = proposed_change(session, rules, quantities, seconds)
    record, state = session.refresh()
    offer = NettingOffer(
        chain_id=session.venue.chain.chain_id,
        house=session.venue.deployment.house,
        first="0x" + session.account.hex(),
        first_nonce=random_nonce(),
        max_epoch=rules.header.epoch + EPOCHS_AHEAD,
        deadline=session.venue.chain.block_time() + seconds,
        quantities={name: f"{quantity:f}" for name, quantity in change.quantities().items()},
        blinds=fresh_blinds(leg_books(change, state.books)),
    )
    session.wallet.save(record.with_offer(OfferRecord(name=offer.trade, content=offer.model_dump_json())))
    return offer


def accept_leg(session: AccountSession, rules: EpochRules, offer: NettingOffer) -> NettingAnswer:
    """Accept a leg, and remember it before the answer is handed over; the same offer gets the same answer again.

    Raises:
        TradeError: the offer is for another venue or time, or differs from one of its name that was accepted before.
    """
    require_agreeable(session, rules, offer)
    record, state = session.refresh()
    known = agreements(record).get(offer.trade)
    if known is None:
        change = offer.change(rules.slots, session.venue.shape)
        shares = fresh_blinds(leg_books(change, offer.bitmap, state.books))
        leg = agreed_leg(offer, session.account, change, shares)
        known = _agreement(session, offer, leg, shares, nonce=random_nonce())
        save_agreements(session, record, known)
    elif not _is_of(known, offer) or known.leg.giver != "0x" + session.account.hex():
        raise TradeError(f"you have accepted another offer by the name {offer.trade}: ask for a new one")
    return NettingAnswer(
        trade=offer.trade,
        second=known.leg.giver,
        second_nonce=known.leg.giver_nonce,
        blinds=known.second_blinds,
        differences=known.leg.differences,
    )


def agree_leg(session: AccountSession, rules: EpochRules, answer: NettingAnswer) -> NettingLeg:
    """Compare an answer with what this wallet offered, remember the leg, and give its public half.

    Raises:
        TradeError: this wallet made no such offer, it is void, or the answer is for another change.
    """
    record, _ = session.refresh()
    known = agreements(record).get(answer.trade)
    if known is None:
        offer = _own_offer(record, answer)
        require_current(session, rules, offer)
        change = offer.change(rules.slots, session.venue.shape)
        if answer.second == offer.first:
            raise TradeError(f"the answer to offer {answer.trade} is your own account's: the other party accepts it")
        if offer.first_nonce in {nonce for entry in agreements(record).values() for nonce in entry.signed.values()}:
            raise TradeError(f"the nonce of offer {answer.trade} stands for terms that you signed: make a new offer")
        leg = agreed_leg(offer, bytes.fromhex(answer.second[2:]), change, answer.blinds)
        known = _agreement(session, offer, leg, answer.blinds, nonce=answer.second_nonce)
        record = record.without_offer(answer.trade)
        _require_same(known, answer)
        save_agreements(session, record, known)
    _require_same(known, answer)
    return known.leg


def agreements(record: AccountRecord) -> dict[str, NettingAgreement]:
    """Legs that an account agreed on, by name."""
    return {leg.name: decode_trade_file("the wallet", leg.content, NettingAgreement) for leg in record.legs}


def save_agreements(session: AccountSession, record: AccountRecord, *changed: NettingAgreement) -> AccountRecord:
    """Put new or changed agreements into the wallet; those whose deadline is over leave it."""
    now = session.venue.chain.block_time()
    known = agreements(record) | {entry.leg.trade: entry for entry in changed}
    kept = [
        LegRecord(name=name, content=entry.model_dump_json())
        for name, entry in known.items()
        if entry.leg.deadline >= now
    ]
    return session.wallet.save(record.with_legs(kept))


def _agreement(
    session: AccountSession, offer: NettingOffer, leg: AgreedLeg, shares: Mapping[int, int], *, nonce: int
) -> NettingAgreement:
    """What both keep."""
    public = NettingLeg(
        trade=offer.trade,
        chain_id=offer.chain_id,
        house=offer.house,
        receiver=offer.first,
        giver="0x" + leg.giver.hex(),
        receiver_nonce=offer.first_nonce,
        giver_nonce=nonce,
        books=leg.hidden.bitmap,
        max_epoch=offer.max_epoch,
        deadline=offer.deadline,
        differences=tuple("0x" + point.hex() for point in leg.hidden.differences(session.venue)),
    )
    return NettingAgreement(
        leg=public, quantities=offer.quantities, first_blinds=offer.blinds, second_blinds=dict(shares)
    )


def _is_of(known: NettingAgreement, offer: NettingOffer) -> bool:
    """Whether an agreement is what an offer proposes."""
    leg = known.leg
    kept = (leg.receiver, leg.receiver_nonce, leg.max_epoch, leg.deadline, known.quantities, known.first_blinds)
    return kept == (
        *(offer.first, offer.first_nonce, offer.max_epoch, offer.deadline),
        *(offer.quantities, offer.blinds),
    )


def _require_same(known: NettingAgreement, answer: NettingAnswer) -> None:
    given = (answer.second, answer.second_nonce, answer.blinds, answer.differences)
    if given != (known.leg.giver, known.leg.giver_nonce, known.second_blinds, known.leg.differences):
        raise TradeError(f"the answer to offer {answer.trade} is for another change than the one offered: refuse it")


def _own_offer(record: AccountRecord, answer: NettingAnswer) -> NettingOffer:
    known = record.offer(answer.trade)
    if known is None:
        raise TradeError(
            f"this wallet has no open offer {answer.trade} of account {record.account}: its leg is void by now, or it "
            "was made with another wallet"
        )
    return decode_trade_file("the wallet's offer", known.content, NettingOffer)
