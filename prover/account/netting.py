"""Trades of several accounts settled together, pairwise.

In bound mode all legs happen or none; in open mode a leg can be dropped and the rest still settles. Each pair agrees on
its leg in private. An account signs only what it has recomputed from (dx, ρ), proves its own margin after all its legs,
and saves its wallet before anything that lets the trade happen leaves it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from prover.account.account_session import portfolio_of, with_instruments
from prover.account.hidden_change import sum_of_changes
from prover.account.proving import prove_opening
from prover.account.wallet_records import Change
from prover.errors import TradeError
from verifier.books import books_in
from verifier.calldata import claim_hint
from verifier.chain.clearing_terms import MarginCheck
from verifier.chain.house_client import NONCES_PER_WORD
from verifier.chain.open_leg_terms import OpenLeg, OpenSide, netting_action
from verifier.chain.settlement_terms import NONCE_BITS, Leg, Settlement, SettlementSide
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prover.account.account_session import AccountSession
    from prover.account.hidden_change import HiddenChange
    from prover.account.venue import Venue
    from prover.rules.portfolio import Portfolio
    from prover.rules.rule_book import EpochRules
    from verifier.chain.settlement_terms import Participant

LEAST_RANDOM_NONCE: Final = 1 << 128
"""Trades of two count up from 0; what is drawn for one of many legs lies beyond."""

_ALL_USED: Final = (1 << NONCES_PER_WORD) - 1


@dataclass(frozen=True, slots=True)
class AgreedLeg:
    """A leg as its two sides know it; secret.

    Attributes:
        receiver: account that receives the change, 32 bytes.
        giver: account that gives it.
        change: what is received (negative: given), by slot.
        hidden: the same with blinds, by book.
    """

    receiver: bytes
    giver: bytes
    change: Portfolio = field(repr=False)
    hidden: HiddenChange = field(repr=False)

    def of(self, account: bytes) -> HiddenChange:
        """What one of the two gets."""
        return self.hidden if account == self.receiver else self.hidden.negated()

    def traded_by(self, account: bytes) -> Portfolio:
        """The same without blinds."""
        return self.change if account == self.receiver else self.change.negated()

    def involves(self, account: bytes) -> bool:
        """Whether an account is one of the two."""
        return account in (self.receiver, self.giver)


@dataclass(frozen=True, slots=True)
class _Proven:
    """What an account brings, whatever the mode; nothing in it is secret."""

    portfolio: tuple[bytes, ...]
    proof: bytes
    hint: bytes


def free_nonce(venue: Venue, account: bytes) -> int:
    """The least nonce that an account has not used: it shares its storage slot with those before, which is cheap."""
    word = 0
    while (used := venue.house.nonces(account, word)) == _ALL_USED:
        word += 1
    return word * NONCES_PER_WORD + next(bit for bit in range(NONCES_PER_WORD) if not used >> bit & 1)


def random_nonce() -> int:
    """A nonce for one of many legs that are open at the same time."""
    return LEAST_RANDOM_NONCE + secrets.randbelow((1 << NONCE_BITS) - LEAST_RANDOM_NONCE)


def bound_settlement(
    venue: Venue, participants: Sequence[Participant], legs: Sequence[AgreedLeg], *, max_epoch: int, deadline: int
) -> Settlement:
    """Terms that every participant signs as a whole.

    Args:
        venue: where it is settled.
        participants: every account once.
        legs: pairwise.
        max_epoch: last epoch at which they may prove initial margin.
        deadline: Unix time in seconds after which it is void.
    """
    places = {participant.account: place for place, participant in enumerate(participants)}
    terms = tuple(
        Leg(places[leg.receiver], places[leg.giver], leg.hidden.bitmap, leg.hidden.differences(venue)) for leg in legs
    )
    return Settlement(tuple(participants), terms, max_epoch, deadline)


def bring_side(
    session: AccountSession, rules: EpochRules, settlement: Settlement, legs: Sequence[AgreedLeg]
) -> SettlementSide:
    """Compare a settlement with what this account agreed to, prove, save, sign.

    Args:
        session: one of the participants.
        rules: of the active epoch.
        settlement: the terms.
        legs: that this account agreed to, in the order of the settlement.

    Raises:
        TradeError: another change than agreed, or another state version.
        InsufficientMarginError: the account is not covered afterwards.
    """
    place = settlement.place_of(session.account)
    names = tuple(participant.account for participant in settlement.participants)
    asked = [
        (names[leg.receiver], names[leg.giver], leg.books, leg.differences)
        for leg in settlement.legs
        if place in (leg.receiver, leg.giver)
    ]
    agreed = [(leg.receiver, leg.giver, leg.hidden.bitmap, leg.hidden.differences(session.venue)) for leg in legs]
    if asked != agreed:
        raise TradeError("the settlement is for another change than the one agreed: refuse it")
    check = settlement.check_of(session.account, rules.header.epoch)
    proven = _prove_legs(session, rules, legs, check=check, action=settlement.action)
    return SettlementSide(
        signer=session.signer.address,
        signature=session.venue.house.sign(session.signer, settlement),
        portfolio=proven.portfolio,
        proof=proven.proof,
        hint=proven.hint,
    )


def open_leg(
    venue: Venue, leg: AgreedLeg, *, receiver_nonce: int, giver_nonce: int, max_epoch: int, deadline: int
) -> OpenLeg:
    """Terms of a leg that may settle with any others, or without them."""
    return OpenLeg(
        receiver=leg.receiver,
        giver=leg.giver,
        receiver_nonce=receiver_nonce,
        giver_nonce=giver_nonce,
        books=leg.hidden.bitmap,
        max_epoch=max_epoch,
        deadline=deadline,
        differences=leg.hidden.differences(venue),
    )


def sign_open_leg(session: AccountSession, terms: OpenLeg, leg: AgreedLeg) -> bytes:
    """Signature of this account over an open leg; it can happen only with a proof that this account makes later.

    Raises:
        TradeError: the terms are for another change than the one agreed.
    """
    _require_agreed(session.venue, terms, leg)
    return session.venue.house.sign(session.signer, terms)


def bring_open_side(
    session: AccountSession, rules: EpochRules, terms: Sequence[OpenLeg], legs: Sequence[AgreedLeg]
) -> OpenSide:
    """Compare, prove and save for the open legs that are settled together.

    Args:
        session: one of their accounts.
        rules: of the active epoch.
        terms: all legs of the call, in its order.
        legs: those of this account, in the same order.

    Raises:
        TradeError: other changes than those agreed.
        InsufficientMarginError: the account is not covered afterwards.
    """
    own = [one for one in terms if session.account in (one.receiver, one.giver)]
    if len(own) != len(legs):
        raise TradeError(f"{len(own)} of the legs are this account's, {len(legs)} were agreed: refuse it")
    for one, leg in zip(own, legs, strict=True):
        _require_agreed(session.venue, one, leg)
    _, state = session.refresh()
    check = MarginCheck(session.account, state.state_version, rules.header.epoch, RuleKind.INITIAL)
    proven = _prove_legs(session, rules, legs, check=check, action=netting_action(terms))
    return OpenSide(session.account, state.state_version, proven.portfolio, proven.proof, proven.hint)


def _require_agreed(venue: Venue, terms: OpenLeg, leg: AgreedLeg) -> None:
    asked = (terms.receiver, terms.giver, terms.books, terms.differences)
    if asked != (leg.receiver, leg.giver, leg.hidden.bitmap, leg.hidden.differences(venue)):
        raise TradeError("an open leg is for another change than the one agreed: refuse it")


def _prove_legs(
    session: AccountSession, rules: EpochRules, legs: Sequence[AgreedLeg], *, check: MarginCheck, action: bytes
) -> _Proven:
    """Prove this account's margin after its legs, and save the opening that they would give."""
    record, state = session.refresh()
    portfolio_of(record, record.current, rules.slots)
    if state.state_version != check.state_version:
        raise TradeError(
            f"your account has changed since (state version {state.state_version}, agreed at {check.state_version}): "
            "agree on the trade anew"
        )
    total = sum_of_changes([leg.of(session.account) for leg in legs])
    books = state.books | total.bitmap
    after = record.current.plus(total.books)
    made = prove_opening(session, rules, after, check, books=books, action=action)
    for leg in legs:
        record = with_instruments(record, leg.traded_by(session.account))
    session.wallet.save(record.with_change(Change(kind="trade", base_version=check.state_version, after=after)))
    return _Proven(
        portfolio=session.commitments(record.current, books_in(books)),
        proof=made.proof,
        hint=claim_hint(session.venue.key, made.statement, made.proof, with_opening=True),
    )
