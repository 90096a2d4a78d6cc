"""Settlements and nettings of open legs as they are signed and sent, from the model's actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prover.simulation.actions import Tampering
from prover.simulation.attacks import outside_subgroup
from prover.simulation.chain_proofs import Proving, covering, evidence
from prover.simulation.ghosts import plus
from prover.simulation.netting_model import net_changes
from prover.simulation.simulated_venue import BENEFACTOR
from verifier.books import book_bitmap
from verifier.chain.clearing_terms import MarginCheck
from verifier.chain.open_leg_terms import OpenLeg, OpenLegSignatures, OpenSide, netting_action
from verifier.chain.settlement_terms import Leg, Participant, Settlement, SettlementSide
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from prover.simulation import actions
    from prover.simulation.ghosts import Portfolio
    from prover.simulation.house_model import HouseModel
    from prover.simulation.simulated_venue import SimulatedVenue


def settlement_of(
    venue: SimulatedVenue, house: HouseModel, action: actions.Settle
) -> tuple[Settlement, list[SettlementSide]]:
    """A settlement with all its sides.

    Raises:
        InsufficientMarginError, MaskedSlotError: a participant cannot prove it.
    """
    parties = list(action.versions)
    legs = tuple(_leg(venue, leg, parties, action.tampering) for leg in action.legs)
    participants = tuple(Participant(party, action.versions[party], action.nonces[party]) for party in parties)
    terms = Settlement(participants, legs, action.max_epoch, action.deadline)
    changes = net_changes(action.legs)
    sides = [_side(venue, house, action, terms, party, changes[party]) for party in parties]
    return terms, sides


def netting_of(
    venue: SimulatedVenue, house: HouseModel, action: actions.SettleOpen
) -> tuple[list[OpenLeg], list[OpenLegSignatures], list[OpenSide]]:
    """Open legs, their signatures and the sides.

    Raises:
        InsufficientMarginError, MaskedSlotError: an account cannot prove it.
    """
    legs = [_open_leg(venue, entry) for entry in action.legs]
    signatures = [
        _open_signatures(venue, entry, leg, action.tampering) for entry, leg in zip(action.legs, legs, strict=True)
    ]
    bound = netting_action(legs)
    changes = net_changes(entry.leg for entry in action.legs)
    sides = []
    for party, version in action.versions.items():
        check = MarginCheck(party, version, action.epoch, RuleKind.INITIAL)
        before = covering(house, party, changes[party])
        proving = Proving(check, before, plus(before, changes[party]), bound, in_batch=True, tampering=action.tampering)
        made = evidence(venue, house, proving)
        sides.append(OpenSide(party, version, made.portfolio, made.proof, made.hint))
    return legs, signatures, sides


def _side(
    venue: SimulatedVenue,
    house: HouseModel,
    action: actions.Settle,
    terms: Settlement,
    party: bytes,
    change: Portfolio,
) -> SettlementSide:
    before, outside = covering(house, party, change), 0
    if action.tampering is Tampering.POINT_OF_ORDER_THREE:
        outside = 1 if party == action.legs[0].receiver else -1
    proving = Proving(
        check=MarginCheck(party, action.versions[party], action.epoch, RuleKind.INITIAL),
        before=before,
        after=plus(before, change),
        action=terms.action,
        in_batch=True,
        tampering=action.tampering,
        outside=outside,
    )
    made = evidence(venue, house, proving)
    is_last = party == terms.participants[-1].account
    signer = _signer(venue, action.signers[party], action.tampering, is_last=is_last)
    signature = venue.house.sign(venue.key(signer), terms)
    return SettlementSide(action.signers[party], signature, made.portfolio, made.proof, made.hint)


def _leg(venue: SimulatedVenue, leg: actions.Leg, parties: list[bytes], tampering: Tampering | None) -> Leg:
    points = _differences(venue, leg.change)
    if tampering is Tampering.POINT_OF_ORDER_THREE:
        points = (outside_subgroup(points[0]), *points[1:])
    return Leg(parties.index(leg.receiver), parties.index(leg.giver), book_bitmap(leg.change), points)


def _open_leg(venue: SimulatedVenue, entry: actions.OpenLeg) -> OpenLeg:
    return OpenLeg(
        receiver=entry.leg.receiver,
        giver=entry.leg.giver,
        receiver_nonce=entry.receiver_nonce,
        giver_nonce=entry.giver_nonce,
        books=book_bitmap(entry.leg.change),
        max_epoch=entry.max_epoch,
        deadline=entry.deadline,
        differences=_differences(venue, entry.leg.change),
    )


def _open_signatures(
    venue: SimulatedVenue, entry: actions.OpenLeg, leg: OpenLeg, tampering: Tampering | None
) -> OpenLegSignatures:
    receiver = venue.key(entry.receiver_signer)
    giver = venue.key(_signer(venue, entry.giver_signer, tampering, is_last=True))
    return OpenLegSignatures(
        entry.receiver_signer, venue.house.sign(receiver, leg), entry.giver_signer, venue.house.sign(giver, leg)
    )


def _differences(venue: SimulatedVenue, change: Portfolio) -> tuple[bytes, ...]:
    return tuple(venue.commit(change[book]) for book in sorted(change))


def _signer(venue: SimulatedVenue, honest: str, tampering: Tampering | None, *, is_last: bool) -> str:
    return venue.address(BENEFACTOR) if tampering is Tampering.FOREIGN_SIGNATURE and is_last else honest
