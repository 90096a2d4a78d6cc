"""Real proofs for the actions of a simulated day, made from the model's openings; an attacker's are tampered with."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prover.errors import SimulationError
from prover.simulation.actions import Tampering
from prover.simulation.attacks import forged, outside_subgroup, without_last
from prover.simulation.epoch_rules import EpochRules
from prover.simulation.ghosts import EMPTY, Ghost, Portfolio
from verifier.books import books_in
from verifier.calldata import claim_hint
from verifier.chain.clearing_terms import NO_ACTION, MarginEvidence

if TYPE_CHECKING:
    from prover.simulation.house_model import HouseModel
    from prover.simulation.simulated_venue import SimulatedVenue
    from verifier.chain.clearing_terms import MarginCheck


@dataclass(frozen=True, slots=True)
class Proving:
    """What one account proves.

    Attributes:
        check: account, state version, epoch and rule.
        action: what the proof is bound to, 32 bytes.
        before: the account's books before the action, those that it opens among them.
        after: the same after it.
        in_batch: whether the proof is checked together with others.
        tampering: what an attacker changes.
        outside: 1 or −1 where the attacker's point of order 3 enters or leaves book 0.
    """

    check: MarginCheck
    before: Portfolio
    after: Portfolio
    action: bytes = NO_ACTION
    in_batch: bool = False
    tampering: Tampering | None = None
    outside: int = 0


def covering(house: HouseModel, account: bytes, change: Portfolio | None = None) -> Portfolio:
    """An account's books, and those that a change opens, as they are before it."""
    state = house.account(account)
    books = {*books_in(state.books), *(change or {})}
    return {book: state.ghosts.get(book, EMPTY) for book in sorted(books)}


def rules_of(house: HouseModel, epoch: int) -> EpochRules:
    """The rules that an epoch of the model was published with.

    Raises:
        SimulationError: there is no such epoch.
    """
    known = house.registry.epochs
    rule = known[epoch - 1].rule if 0 < epoch <= len(known) else None
    if not isinstance(rule, EpochRules):
        raise SimulationError(f"the simulation has no rules of epoch {epoch}: {len(known)} were published")
    return rule


def evidence(venue: SimulatedVenue, house: HouseModel, proving: Proving) -> MarginEvidence:
    """Commitments, proof and hint.

    Raises:
        InsufficientMarginError: an honest prover cannot make the proof.
        MaskedSlotError: a position in a slot that is not listed.
    """
    rules = rules_of(house, proving.check.epoch)
    context = venue.house.context(proving.check, proving.action)
    made = rules.prove(proving.check.kind, proving.after, context)
    proof = forged(made.proof) if proving.tampering is Tampering.FORGED_PROOF else made.proof
    statement = made.statement
    if proving.outside:
        # The attacker's hint fits what the contract will compute.
        first, *others = statement.portfolio_commitments
        altered = (outside_subgroup(first, proving.outside), *others)
        statement = dataclasses.replace(statement, portfolio_commitments=altered)
    hint = claim_hint(venue.verifying_key, statement, proof, with_opening=proving.in_batch)
    points = tuple(venue.commit(proving.before[book]) for book in sorted(proving.before))
    return _tampered(venue, MarginEvidence(points, proof, hint), proving)


def _tampered(venue: SimulatedVenue, honest: MarginEvidence, proving: Proving) -> MarginEvidence:
    if proving.tampering is Tampering.OMITTED_BOOK:
        return dataclasses.replace(honest, portfolio=without_last(honest.portfolio))
    if proving.tampering is Tampering.WRONG_COMMITMENT:
        richer = proving.before[0].plus(Ghost({0: 1}))
        return dataclasses.replace(honest, portfolio=(venue.commit(richer), *honest.portfolio[1:]))
    return honest
