"""What a coordinator and whoever submits do for a netting: neither needs a secret, and neither is trusted.

The coordinator puts public legs together as terms; the accounts' public sides are collected and sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prover.account.netting import random_nonce
from prover.account.netting_files import MOST_ACCOUNTS, NettingParticipant, NettingTerms
from prover.account.trade import LONGEST_DEADLINE_SECONDS
from prover.errors import TradeError
from verifier.chain.open_leg_terms import OpenLegSignatures, OpenSide
from verifier.chain.settlement_terms import SettlementSide
from verifier.curve import group
from verifier.errors import MalformedInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eth_account.signers.local import LocalAccount

    from prover.account.netting_files import NettingLeg, NettingSide
    from prover.account.venue import Venue
    from verifier.chain.chain_client import Receipt


def make_terms(venue: Venue, legs: Sequence[NettingLeg], *, is_open: bool) -> NettingTerms:
    """Put legs together.

    Args:
        venue: where they are settled.
        legs: as the pairs gave them.
        is_open: whether any of them may be left out later; else all happen or none.

    Raises:
        TradeError: a leg twice, for another venue, void, or one that no contract would take.
    """
    terms = NettingTerms(legs=tuple(legs), participants=())
    for leg in legs:
        _require_points(leg)
    if len(terms.accounts) > MOST_ACCOUNTS:
        raise TradeError(f"{len(terms.accounts)} accounts are too many: net {MOST_ACCOUNTS} at most")
    require_in_time(venue, terms, venue.registry.active_epoch().epoch)
    if is_open:
        return terms
    participants = tuple(
        NettingParticipant(account=account, state_version=_version(venue, account), nonce=random_nonce())
        for account in terms.accounts
    )
    return terms.model_copy(update={"participants": participants})


def require_in_time(venue: Venue, terms: NettingTerms, epoch: int) -> None:
    """Check that terms are for this venue and in time, and have every leg once: twice would be twice the trade.

    Raises:
        TradeError: they are not.
        MalformedInputError: legs and participants do not belong together.
    """
    here = (venue.chain.chain_id, venue.deployment.house)
    now = venue.chain.block_time()
    names = [leg.trade for leg in terms.legs]
    for leg in terms.legs:
        if names.count(leg.trade) > 1:
            raise TradeError(f"leg {leg.trade} stands there twice: every leg happens once")
        if (leg.chain_id, leg.house) != here:
            raise TradeError(
                f"leg {leg.trade} is for clearing house {leg.house} on chain {leg.chain_id}: give the deployment file "
                "and the node that belong to it"
            )
        if epoch > leg.max_epoch:
            raise TradeError(
                f"leg {leg.trade} holds until epoch {leg.max_epoch}, and epoch {epoch} is active: see by "
                "`zkmargin status` whether it has happened, else agree on it anew"
            )
        if not now <= leg.deadline <= now + LONGEST_DEADLINE_SECONDS:
            raise TradeError(
                f"the deadline {leg.deadline} of leg {leg.trade} is not within {LONGEST_DEADLINE_SECONDS} s of the "
                f"chain's time {now}: see by `zkmargin status` whether it has happened, else agree on it anew, or make "
                "terms without it"
            )
    terms.action()


def settle_terms(venue: Venue, payer: LocalAccount, terms: NettingTerms, sides: Sequence[NettingSide]) -> Receipt:
    """Send terms with all their sides; anyone may.

    Raises:
        TradeError: the terms have been settled or are void; a side is missing, double, for other terms, or out of date.
        ContractRevertedError: house or verifier refused, by a named error.
    """
    _require_unsettled(venue, terms)
    epoch = venue.registry.active_epoch().epoch
    require_in_time(venue, terms, epoch)
    brought = _sides_of(terms, sides)
    for side in brought:
        _require_current(venue, side, epoch)
    if terms.is_bound:
        return venue.house.settle(payer, terms.settlement(), epoch, [_bound_side(side) for side in brought])
    signatures = [_signatures(terms, leg, brought) for leg in terms.legs]
    return venue.house.settle_open(payer, terms.open_legs(), signatures, epoch, [_open_side(side) for side in brought])


def _require_points(leg: NettingLeg) -> None:
    """A point that no contract takes would spoil the netting for all others."""
    try:
        leg.open_leg()
        for point in leg.points():
            group().decode(point)
    except MalformedInputError as error:
        raise TradeError(f"leg {leg.trade} cannot be settled ({error}): make terms without it") from error


def _require_unsettled(venue: Venue, terms: NettingTerms) -> None:
    """An earlier run may have sent them without having been told."""
    bound = [(entry.account, entry.nonce) for entry in terms.participants]
    nonces = bound or [(account, leg.nonce_of(account)) for leg in terms.legs for account in (leg.receiver, leg.giver)]
    if all(venue.house.is_nonce_used(_bytes(account), nonce) for account, nonce in nonces):
        raise TradeError("these terms have been settled already: see `zkmargin status`; do not agree on them anew")


def _version(venue: Venue, account: str) -> int:
    return venue.house.account_state(bytes.fromhex(account[2:])).state_version


def _sides_of(terms: NettingTerms, sides: Sequence[NettingSide]) -> tuple[NettingSide, ...]:
    """One side an account, in the order of the terms."""
    name, brought = "0x" + terms.action().hex(), {side.account: side for side in sides}
    for side in sides:
        if side.terms != name or side.account not in terms.accounts:
            raise TradeError(f"the side of account {side.account} is for other terms: give what it signed of these")
        wanted = 1 if terms.is_bound else len(terms.legs_of(side.account))
        if len(side.signatures) != wanted:
            raise TradeError(
                f"the side of account {side.account} has {len(side.signatures)} signatures, these terms need {wanted}: "
                "ask for it again"
            )
    if len(brought) != len(sides):
        raise TradeError("an account's side is given twice: give one side an account")
    missing = [account for account in terms.accounts if account not in brought]
    if missing:
        raise TradeError(
            f"{len(missing)} of {len(terms.accounts)} sides are missing, of account {', '.join(missing)}: ask for "
            "them, or make terms without these accounts"
        )
    return tuple(brought[account] for account in terms.accounts)


def _require_current(venue: Venue, side: NettingSide, epoch: int) -> None:
    if side.epoch != epoch:
        raise TradeError(
            f"account {side.account} has proven under epoch {side.epoch}, active is epoch {epoch}: ask it to sign again"
        )
    version = _version(venue, side.account)
    if version != side.state_version:
        raise TradeError(
            f"account {side.account} has changed since (state version {version}, signed at {side.state_version}): make "
            "the terms anew and have them signed again"
        )


def _bound_side(side: NettingSide) -> SettlementSide:
    (signature,) = side.signatures
    return SettlementSide(side.signer, _bytes(signature), *_evidence(side))


def _open_side(side: NettingSide) -> OpenSide:
    return OpenSide(_bytes(side.account), side.state_version, *_evidence(side))


def _evidence(side: NettingSide) -> tuple[tuple[bytes, ...], bytes, bytes]:
    return tuple(map(_bytes, side.portfolio)), _bytes(side.proof), _bytes(side.hint)


def _signatures(terms: NettingTerms, leg: NettingLeg, sides: Sequence[NettingSide]) -> OpenLegSignatures:
    """Those of receiver and giver over a leg."""
    of = {side.account: side for side in sides}
    signed = [
        (of[account].signer, _bytes(of[account].signatures[terms.legs_of(account).index(leg)]))
        for account in (leg.receiver, leg.giver)
    ]
    return OpenLegSignatures(*signed[0], *signed[1])


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
