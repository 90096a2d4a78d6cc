"""What an account does with terms that were put together for it: compare them with its own legs, prove, save, sign.

An account signs nothing but legs that its wallet remembers, recomputed from (dx, ρ). A leg that it agreed on and that
the terms leave out must be named, so that nobody is talked into half of a hedge.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prover.account.netting import LEAST_RANDOM_NONCE, bring_open_side, bring_side, sign_open_leg
from prover.account.netting_agreement import agreements, save_agreements
from prover.account.netting_files import NettingSide
from prover.account.netting_terms import require_in_time
from prover.errors import TradeError
from verifier.chain.open_leg_terms import OpenSide

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from decimal import Decimal

    from prover.account.account_session import AccountSession
    from prover.account.netting import AgreedLeg
    from prover.account.netting_files import NettingAgreement, NettingLeg, NettingParticipant, NettingTerms
    from prover.rules.rule_book import EpochRules
    from verifier.chain.house_client import HouseClient


@dataclass(frozen=True, slots=True)
class CheckedTerms:
    """Terms that are what an account agreed on; its legs are secret.

    Attributes:
        terms: all legs.
        own: agreements on its own, in the order of the terms.
        legs: their changes.
    """

    terms: NettingTerms
    own: tuple[NettingAgreement, ...] = field(repr=False)
    legs: tuple[AgreedLeg, ...] = field(repr=False)

    def received(self, account: bytes) -> dict[str, Decimal]:
        """What an account receives of all its legs together (negative: gives), by instrument."""
        changes = [leg.traded_by(account) for leg in self.legs]
        total = changes[0]
        for change in changes[1:]:
            total = total.plus(change)
        return total.quantities()


def check_terms(
    session: AccountSession, rules: EpochRules, terms: NettingTerms, without: Collection[str] = ()
) -> CheckedTerms:
    """Compare terms with what this account agreed on.

    Args:
        session: one of the accounts.
        rules: of the active epoch.
        terms: as the coordinator gave them.
        without: names of legs that it agreed on and is content to miss.

    Raises:
        TradeError: the terms are for another venue or time, have a leg of this account's that it did not agree on, or
            lack one that it did.
    """
    require_in_time(session.venue, terms, rules.header.epoch)
    record, state = session.refresh()
    account, known = record.account, agreements(record)
    named = terms.legs_of(account)
    if not named:
        raise TradeError(f"account {account} has no leg in these terms: nothing is asked of it")
    house = session.venue.house
    own = tuple(_agreed(house, known, leg, account) for leg in named)
    _require_complete(session, known, named, without)
    participant = terms.participant(account)
    if participant is not None:
        if participant.state_version != state.state_version:
            raise TradeError(
                f"your account has changed since (state version {state.state_version}, {participant.state_version} in "
                "the terms): ask the coordinator for new terms"
            )
        _require_own_nonce(session, known, terms, participant.nonce)
    legs = tuple(entry.agreed(rules.slots, session.venue.shape) for entry in own)
    return CheckedTerms(terms, own, legs)


def sign_terms(session: AccountSession, rules: EpochRules, checked: CheckedTerms) -> NettingSide:
    """Prove margin after all own legs, save, sign.

    Raises:
        TradeError: the change that comes of the agreement is not the one in the terms, or the account has changed.
        InsufficientMarginError: the account is not covered afterwards.
    """
    participant = checked.terms.participant("0x" + session.account.hex())
    if participant is None:
        return _sign_each(session, rules, checked)
    return _sign_whole(session, rules, checked, participant)


def _sign_whole(
    session: AccountSession, rules: EpochRules, checked: CheckedTerms, participant: NettingParticipant
) -> NettingSide:
    """Bound mode: one signature. The wallet first notes which nonce will tell that the legs have happened."""
    record, _ = session.refresh()
    at_stake = {_name(checked.terms): participant.nonce}
    signed = [entry.model_copy(update={"signed": entry.signed | at_stake}) for entry in checked.own]
    save_agreements(session, record, *signed)
    side = bring_side(session, rules, checked.terms.settlement(), checked.legs)
    brought = OpenSide(session.account, participant.state_version, side.portfolio, side.proof, side.hint)
    return _side_file(session, rules, checked, brought, [side.signature])


def _sign_each(session: AccountSession, rules: EpochRules, checked: CheckedTerms) -> NettingSide:
    """Open mode: a signature a leg."""
    side = bring_open_side(session, rules, checked.terms.open_legs(), checked.legs)
    pairs = zip(checked.own, checked.legs, strict=True)
    return _side_file(
        session, rules, checked, side, [sign_open_leg(session, entry.leg.open_leg(), leg) for entry, leg in pairs]
    )


def _side_file(
    session: AccountSession, rules: EpochRules, checked: CheckedTerms, side: OpenSide, signatures: Sequence[bytes]
) -> NettingSide:
    return NettingSide(
        terms=_name(checked.terms),
        account="0x" + side.account.hex(),
        state_version=side.state_version,
        epoch=rules.header.epoch,
        signer=session.signer.address,
        signatures=tuple("0x" + signature.hex() for signature in signatures),
        portfolio=tuple("0x" + point.hex() for point in side.portfolio),
        proof="0x" + side.proof.hex(),
        hint="0x" + side.hint.hex(),
    )


def _name(terms: NettingTerms) -> str:
    """How sides refer to terms."""
    return "0x" + terms.action().hex()


def is_settled(house: HouseClient, entry: NettingAgreement, account: str) -> bool:
    """Whether a leg has happened: the nonces that stand for it are drawn at random and used for nothing else."""
    nonces = (entry.leg.nonce_of(account), *entry.signed.values())
    return any(house.is_nonce_used(bytes.fromhex(account[2:]), nonce) for nonce in nonces)


def _agreed(
    house: HouseClient, known: Mapping[str, NettingAgreement], leg: NettingLeg, account: str
) -> NettingAgreement:
    """The agreement that a leg of the terms is."""
    entry = known.get(leg.trade)
    if entry is None:
        raise TradeError(
            f"the terms have leg {leg.trade} of yours with account {leg.other(account)}, which this wallet never "
            "agreed on: refuse them"
        )
    if entry.leg != leg:
        changed = next(name for name in type(leg).model_fields if getattr(entry.leg, name) != getattr(leg, name))
        raise TradeError(f"leg {leg.trade} in the terms has another {changed} than the one you agreed on: refuse them")
    if is_settled(house, entry, account):
        raise TradeError(f"leg {leg.trade} in the terms has been settled already: ask the coordinator for new terms")
    return entry


def _require_complete(
    session: AccountSession,
    known: Mapping[str, NettingAgreement],
    named: tuple[NettingLeg, ...],
    without: Collection[str],
) -> None:
    """Every leg that can still happen is in the terms, or was given up by name."""
    inside, account = {leg.trade for leg in named}, "0x" + session.account.hex()
    for name in without:
        if name in inside or name not in known:
            problem = "is in the terms" if name in inside else "is none of yours"
            raise TradeError(f"leg {name} {problem}: name by --without only legs of yours that the terms leave out")
    now = session.venue.chain.block_time()
    for name, entry in known.items():
        waits = name not in inside and name not in without and entry.leg.deadline >= now
        if waits and not is_settled(session.venue.house, entry, account):
            raise TradeError(
                f"leg {name} that you agreed on with account {entry.leg.other(account)} is missing in the terms: ask "
                f"the coordinator for it, or do without it (--without {name})"
            )


def _require_own_nonce(
    session: AccountSession, known: Mapping[str, NettingAgreement], terms: NettingTerms, nonce: int
) -> None:
    """The nonce stands for these terms alone; else a wallet could not tell what has happened.

    One that is used, or that trades of two come to, would make these legs look settled.
    """
    name = _name(terms)
    of_legs = {number for entry in known.values() for number in (entry.leg.receiver_nonce, entry.leg.giver_nonce)}
    of_others = {number for entry in known.values() for other, number in entry.signed.items() if other != name}
    is_taken = nonce < LEAST_RANDOM_NONCE or session.venue.house.is_nonce_used(session.account, nonce)
    if is_taken or nonce in of_legs | of_others:
        raise TradeError(f"the terms use nonce {nonce} that stands for something else: ask for new terms")
