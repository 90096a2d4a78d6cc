"""Carries out the model's actions on a real chain: the same actions, real signatures, real blobs, real proofs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from prover.argument.blinds import draw_scalars
from prover.argument.exit_prover import prove_exit, respond
from prover.argument.witness import BookOpening
from prover.errors import InsufficientMarginError, MaskedSlotError, SimulationError
from prover.rules.slot_terms import slot_terms
from prover.simulation import actions
from prover.simulation.actions import Tampering
from prover.simulation.chain_proofs import Proving, covering, evidence
from prover.simulation.chain_trades import netting_of, settlement_of
from prover.simulation.epoch_rules import EpochRules
from prover.simulation.ghosts import EMPTY, Ghost, plus
from prover.simulation.house_model import owner_of
from prover.simulation.refusals import Refusal, RefusedError
from prover.simulation.simulated_venue import BENEFACTOR, DEPLOYER, OPERATOR
from verifier.chain.clearing_terms import ADDRESS_BYTES, MarginCheck
from verifier.chain.rule_publishing import SignedProposal
from verifier.chain.withdrawal_terms import AccountExit, HoldingsWithdrawal, Lien, Withdrawal
from verifier.errors import ContractRevertedError
from verifier.exit_proof import ExitStatement, decode_exit_proof

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from prover.simulation.actions import Action
    from prover.simulation.house_model import HouseModel
    from prover.simulation.simulated_venue import SimulatedVenue
    from verifier.chain.chain_client import Receipt

Send = Callable[[], tuple["Receipt", ...]]
"""Sends what was prepared."""

BY_NAME: Final = {refusal.value: refusal for refusal in Refusal}


def prepare(venue: SimulatedVenue, action: Action, house: HouseModel) -> Send:
    """Sign and prove an action in the state that the model is in; sending is a step of its own.

    Raises:
        RefusedError: an honest prover cannot make the proof.
    """
    try:
        return _PREPARE[type(action)](venue, action, house)
    except InsufficientMarginError as error:
        raise RefusedError(Refusal.NOT_COVERED) from error
    except MaskedSlotError as error:
        raise RefusedError(Refusal.DEAD_SLOT) from error


def send(prepared: Send) -> tuple[Receipt, ...]:
    """Send what was prepared.

    Raises:
        RefusedError: a contract refuses, by a name that the model knows.
        SimulationError: by another name.
    """
    try:
        return prepared()
    except ContractRevertedError as error:
        if error.name not in BY_NAME:
            raise SimulationError(f"the model knows no refusal {error.name}: {error}") from error
        raise RefusedError(BY_NAME[error.name]) from error


def _owner(venue: SimulatedVenue, account: bytes) -> LocalAccount:
    return venue.key(owner_of(account))


def _subaccount(account: bytes) -> int:
    return int.from_bytes(account[ADDRESS_BYTES:], "big")


def _first(venue: SimulatedVenue, house: HouseModel, account: bytes) -> bytes:
    """Commitment of an account's first book."""
    return venue.commit(house.account(account).ghosts.get(0, EMPTY))


def _publish(venue: SimulatedVenue, action: actions.Publish, house: HouseModel) -> Send:
    if not isinstance(action.rule, EpochRules):
        raise SimulationError("an epoch that has no rules for the chain: build it from a market")
    registry = venue.registry
    publication = dataclasses.replace(action.rule.publication(), snapshot_time=action.snapshot_time)
    proposal = publication.proposal(len(house.registry.epochs) + 1, action.list_version)
    signers = [venue.person(index) for index in (DEPLOYER, OPERATOR, BENEFACTOR)[: action.signers]]
    signed = SignedProposal(proposal, tuple(registry.sign_proposal(signer, proposal) for signer in signers))
    if not action.with_blobs:
        return lambda: (registry.finalise(venue.person(DEPLOYER), publication, signed),)
    return lambda: registry.publish(venue.person(DEPLOYER), publication, signed)


def _list(venue: SimulatedVenue, action: actions.ListSlots, _house: HouseModel) -> Send:
    lister, instruments = venue.person(DEPLOYER), venue.instruments

    def list_all() -> tuple[Receipt, ...]:
        coins = dict.fromkeys(
            slot.instrument.coin for slot in action.instruments if (slot.book, slot.position) != (0, 0)
        )
        unknown = [coin for coin in coins if coin not in instruments.underlyings()]
        receipts = [instruments.add_underlying(lister, coin) for coin in unknown]
        known = instruments.underlyings()
        terms = [slot_terms(slot, known) for slot in action.instruments]
        names = [slot.instrument.name for slot in action.instruments]
        return (*receipts, instruments.list(lister, action.book, terms, names))

    return list_all


def _delist(venue: SimulatedVenue, action: actions.Delist, _house: HouseModel) -> Send:
    """What was proposed long enough ago is carried out."""
    return lambda: (venue.timelock.execute(venue.person(DEPLOYER), venue.delisting(action.slot)),)


def _retire(venue: SimulatedVenue, action: actions.RetireBook, _house: HouseModel) -> Send:
    return lambda: (venue.instruments.retire_book(venue.person(DEPLOYER), action.book),)


def _deposit(venue: SimulatedVenue, action: actions.Deposit, house: HouseModel) -> Send:
    point = _first(venue, house, action.account)
    if action.tampering is Tampering.WRONG_COMMITMENT:
        point = venue.commit(Ghost({0: 1}))
    owner, subaccount = _owner(venue, action.account), _subaccount(action.account)
    return lambda: (venue.house.deposit(owner, subaccount, action.token, action.ticks, point),)


def _deposit_for(venue: SimulatedVenue, action: actions.DepositFor, _house: HouseModel) -> Send:
    payer = venue.person(BENEFACTOR)
    return lambda: (venue.vault.deposit_for(payer, action.account, action.token, action.ticks),)


def _merge(venue: SimulatedVenue, action: actions.MergeInbox, house: HouseModel) -> Send:
    point, caller = _first(venue, house, action.account), venue.key(action.caller)
    return lambda: (venue.house.merge_inbox(caller, action.account, action.token, point),)


def _withdraw(venue: SimulatedVenue, action: actions.Withdraw, house: HouseModel) -> Send:
    terms = Withdrawal(action.account, action.version, action.epoch, action.token, action.ticks, action.recipient)
    made = evidence(venue, house, _outflow(house, action, terms.check, terms.action))
    return lambda: (venue.house.withdraw(_owner(venue, action.account), terms, made),)


def _grant_lien(venue: SimulatedVenue, action: actions.GrantLien, house: HouseModel) -> Send:
    terms = Lien(action.account, action.version, action.epoch, action.token, action.ticks, action.lender)
    made = evidence(venue, house, _outflow(house, action, terms.check, terms.action))
    return lambda: (venue.house.grant_lien(_owner(venue, action.account), terms, made),)


def _outflow(
    house: HouseModel, action: actions.Withdraw | actions.GrantLien, check: MarginCheck, bound: bytes
) -> Proving:
    before = covering(house, action.account)
    slot = house.vault.ledger(action.token).terms.slot
    after = plus(before, {0: Ghost({slot: -action.ticks})})
    return Proving(check, before, after, bound, tampering=action.tampering)


def _withdraw_holdings(venue: SimulatedVenue, action: actions.WithdrawHoldings, house: HouseModel) -> Send:
    terms = HoldingsWithdrawal(action.account, action.version, action.token, action.ticks, action.recipient)
    point = _first(venue, house, action.account)
    return lambda: (venue.house.withdraw_holdings(_owner(venue, action.account), terms, point),)


def _claim_lien(venue: SimulatedVenue, action: actions.ClaimLien, _house: HouseModel) -> Send:
    lender, vault = venue.key(action.lender), venue.vault
    return lambda: (vault.claim_lien(lender, action.account, action.token, action.ticks, action.recipient),)


def _release_lien(venue: SimulatedVenue, action: actions.ReleaseLien, _house: HouseModel) -> Send:
    lender, vault = venue.key(action.lender), venue.vault
    return lambda: (vault.release_lien(lender, action.account, action.token, action.ticks),)


def _pay_queued(venue: SimulatedVenue, action: actions.PayQueued, _house: HouseModel) -> Send:
    return lambda: (venue.vault.pay_queued(venue.person(BENEFACTOR), action.token, action.claim),)


def _exit(venue: SimulatedVenue, action: actions.Exit, house: HouseModel) -> Send:
    """An honest proof where the account holds what it says, a false one where it does not."""
    held = covering(house, action.account)
    openings = [BookOpening(held[book].vector(venue.shape.slots), held[book].blind) for book in sorted(held)]
    slots = [ledger.terms.slot for ledger in house.vault.tokens]
    context = venue.house.exit_context(action.account, action.version)
    points = tuple(venue.commit(held[book]) for book in sorted(held))
    if [openings[0].positions[slot] for slot in slots] == list(action.holdings):
        proof = prove_exit(openings, slots=slots, context=context, shape=venue.shape, setup=venue.setup).proof
    else:
        false = ExitStatement(context, points, tuple(slots), action.holdings)
        blinds, nonce = [opening.blind for opening in openings], draw_scalars(1, context)[0]
        proof = respond(false, blinds, nonce, shape=venue.shape, setup=venue.setup)
    decoded = decode_exit_proof(proof)
    leaving = AccountExit(action.account, action.version, action.holdings, points, decoded.nonce, decoded.response)
    return lambda: (venue.house.exit(_owner(venue, action.account), leaving),)


def _settle(venue: SimulatedVenue, action: actions.Settle, house: HouseModel) -> Send:
    terms, sides = settlement_of(venue, house, action)
    sender = venue.person(DEPLOYER)
    return lambda: (venue.house.settle(sender, terms, action.epoch, sides),)


def _settle_open(venue: SimulatedVenue, action: actions.SettleOpen, house: HouseModel) -> Send:
    legs, signatures, sides = netting_of(venue, house, action)
    sender = venue.person(DEPLOYER)
    return lambda: (venue.house.settle_open(sender, legs, signatures, action.epoch, sides),)


def _check(action: actions.ProveMargin) -> MarginCheck:
    return MarginCheck(action.account, action.version, action.epoch, action.kind)


def _prove(venue: SimulatedVenue, action: actions.ProveMargin, house: HouseModel) -> Send:
    held = covering(house, action.account)
    made = evidence(venue, house, Proving(_check(action), held, held, tampering=action.tampering))
    sender = venue.person(DEPLOYER)
    return lambda: (venue.house.prove_margin(sender, _check(action), made),)


def _prove_all(venue: SimulatedVenue, action: actions.ProveMargins, house: HouseModel) -> Send:
    made = []
    for check in action.checks:
        held = covering(house, check.account)
        proving = Proving(_check(check), held, held, in_batch=True, tampering=check.tampering)
        made.append(evidence(venue, house, proving))
    checks, sender = [_check(check) for check in action.checks], venue.person(DEPLOYER)
    return lambda: (venue.house.prove_margins(sender, checks, made),)


def _set_operator(venue: SimulatedVenue, action: actions.SetOperator, _house: HouseModel) -> Send:
    owner, subaccount = _owner(venue, action.account), _subaccount(action.account)
    return lambda: (venue.house.set_operator(owner, subaccount, action.operator, action.valid_until),)


def _invalidate(venue: SimulatedVenue, action: actions.InvalidateNonces, _house: HouseModel) -> Send:
    caller, house = venue.key(action.caller), venue.house
    return lambda: (house.invalidate_nonces(caller, action.account, action.word, action.bits),)


def _pause(venue: SimulatedVenue, action: actions.Pause, _house: HouseModel) -> Send:
    return lambda: (venue.house.pause(venue.key(action.caller), action.seconds),)


def _unpause(venue: SimulatedVenue, action: actions.Unpause, _house: HouseModel) -> Send:
    return lambda: (venue.house.unpause(venue.key(action.caller)),)


_PREPARE: Final[Mapping[type, Callable[..., Send]]] = {
    actions.Publish: _publish,
    actions.ListSlots: _list,
    actions.Delist: _delist,
    actions.RetireBook: _retire,
    actions.Deposit: _deposit,
    actions.DepositFor: _deposit_for,
    actions.MergeInbox: _merge,
    actions.Withdraw: _withdraw,
    actions.WithdrawHoldings: _withdraw_holdings,
    actions.GrantLien: _grant_lien,
    actions.ClaimLien: _claim_lien,
    actions.ReleaseLien: _release_lien,
    actions.PayQueued: _pay_queued,
    actions.Exit: _exit,
    actions.Settle: _settle,
    actions.SettleOpen: _settle_open,
    actions.ProveMargin: _prove,
    actions.ProveMargins: _prove_all,
    actions.SetOperator: _set_operator,
    actions.InvalidateNonces: _invalidate,
    actions.Pause: _pause,
    actions.Unpause: _unpause,
}
