"""Trades of several accounts: the model's side of `settle` and `settleOpen` of contracts/ClearingHouse.sol."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from prover.simulation.actions import Tampering
from prover.simulation.ghosts import Portfolio, plus
from prover.simulation.refusals import Refusal, RefusedError
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from prover.simulation.actions import Leg, OpenLeg, Settle, SettleOpen
    from prover.simulation.house_model import HouseModel


def settled(house: HouseModel, action: Settle, now: int) -> HouseModel:
    """After trades that all participants signed as a whole.

    Raises:
        RefusedError: too late, not signed, out of date, or an account that is not covered.
    """
    house.require_running(now)
    _require_terms(action.epoch, action.max_epoch, action.deadline, now)
    for account, nonce in action.nonces.items():
        house = _signed(house, account, action.signers[account], nonce, now)
    if action.tampering is Tampering.FOREIGN_SIGNATURE:
        raise RefusedError(Refusal.SIGNATURE_INVALID)
    return _traded(house, action, action.legs, now)


def settled_open(house: HouseModel, action: SettleOpen, now: int) -> HouseModel:
    """After legs that were signed one by one; a leg that was dropped is not among them.

    Raises:
        RefusedError: the same.
    """
    house.require_running(now)
    for leg in action.legs:
        house = _open_leg_signed(house, leg, action.epoch, now)
    if action.tampering is Tampering.FOREIGN_SIGNATURE:
        raise RefusedError(Refusal.SIGNATURE_INVALID)
    return _traded(house, action, [entry.leg for entry in action.legs], now)


def _open_leg_signed(house: HouseModel, entry: OpenLeg, epoch: int, now: int) -> HouseModel:
    _require_terms(epoch, entry.max_epoch, entry.deadline, now)
    house = _signed(house, entry.leg.receiver, entry.receiver_signer, entry.receiver_nonce, now)
    return _signed(house, entry.leg.giver, entry.giver_signer, entry.giver_nonce, now)


def _require_terms(epoch: int, max_epoch: int, deadline: int, now: int) -> None:
    if now > deadline:
        raise RefusedError(Refusal.DEADLINE_EXPIRED)
    if epoch > max_epoch:
        raise RefusedError(Refusal.EPOCH_TOO_LATE)


def _signed(house: HouseModel, account: bytes, signer: str, nonce: int, now: int) -> HouseModel:
    """With the nonce used up."""
    if not house.may_act(account, signer, now):
        raise RefusedError(Refusal.NOT_AUTHORISED)
    state = house.account(account)
    if nonce in state.nonces:
        raise RefusedError(Refusal.NONCE_USED)
    return house.with_account(account, replace(state, nonces=state.nonces | {nonce}))


def _traded(house: HouseModel, action: Settle | SettleOpen, legs: Iterable[Leg], now: int) -> HouseModel:
    """With all legs carried out, after initial margin of every account in its state after them."""
    changes = net_changes(legs)
    for account in action.versions:
        house.account(account).require_version(action.versions[account])
    epoch = house.registry.usable(action.epoch, RuleKind.INITIAL, now)
    for account, change in changes.items():
        after = house.account(account).traded(change, action.epoch)
        epoch.require(RuleKind.INITIAL, after.covered(), action.tampering)
        house = house.with_account(account, after)
    return house


def net_changes(legs: Iterable[Leg]) -> Mapping[bytes, Portfolio]:
    """What every account receives of all legs together."""
    changes: dict[bytes, Portfolio] = {}
    for leg in legs:
        changes[leg.receiver] = plus(changes.get(leg.receiver, {}), leg.change)
        changes[leg.giver] = plus(changes.get(leg.giver, {}), leg.change, -1)
    return changes
