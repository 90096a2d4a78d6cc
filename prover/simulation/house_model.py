"""The clearing house's state machine in the clear: every action changes the state or is refused by name. No chain.

Twins: contracts/ClearingHouse.sol, CollateralVault.sol, RuleRegistry.sol, InstrumentRegistry.sol. Where the contracts
check a proof, the model asks the epoch's rule itself about the openings that it keeps.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from prover.simulation import actions
from prover.simulation.account_model import AccountModel
from prover.simulation.ghosts import Ghost
from prover.simulation.netting_model import settled, settled_open
from prover.simulation.refusals import Refusal, RefusedError
from verifier.chain.account_state import AccountStatus
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from prover.simulation.actions import Action
    from prover.simulation.instrument_model import InstrumentModel
    from prover.simulation.registry_model import RegistryModel
    from prover.simulation.vault_model import VaultModel

MAXIMUM_PAUSE: Final = 3 * 24 * 3600
"""Seconds."""

NONCES_PER_WORD: Final = 256
ADDRESS_BYTES: Final = 20


@dataclass(frozen=True, slots=True)
class HouseModel:
    """Everything that the contracts keep.

    Attributes:
        instruments: what is listed.
        registry: epochs.
        vault: public money.
        guardian: may pause; in lower case as all addresses here.
        governor: owns the contracts.
        accounts: by identity.
        pause: begin and end of the last one.
    """

    instruments: InstrumentModel
    registry: RegistryModel
    vault: VaultModel
    guardian: str
    governor: str
    accounts: Mapping[bytes, AccountModel] = field(default_factory=dict)
    pause: tuple[int, int] = (0, 0)

    def account(self, account: bytes) -> AccountModel:
        """An account; one that nobody opened is empty."""
        return self.accounts.get(account, AccountModel())

    def with_account(self, identity: bytes, account: AccountModel) -> HouseModel:
        """With another state of an account."""
        return replace(self, accounts={**self.accounts, identity: account})

    def after(self, action: Action, now: int) -> HouseModel:
        """The state after an action in a block of time ``now``.

        Raises:
            RefusedError: the contracts would refuse it, by the same name.
        """
        return _RULES[type(action)](self, action, now)

    def require_running(self, now: int) -> None:
        """Check that the house is not paused.

        Raises:
            RefusedError: it is.
        """
        if now < self.pause[1]:
            raise RefusedError(Refusal.PAUSED)

    def require_collateral(self, slot: int) -> None:
        """Check that a token's slot is listed. Kinds are not modelled: tokens sit in slots of cash and coins here.

        Raises:
            RefusedError: nothing is credited in a slot that is not listed yet, or no more.
        """
        if divmod(slot, self.instruments.slots_per_book) not in self.instruments.live:
            raise RefusedError(Refusal.SLOT_NOT_COLLATERAL)

    def may_act(self, account: bytes, caller: str, now: int) -> bool:
        """Whether somebody is the owner, or an operator whose time has not passed."""
        return caller == owner_of(account) or now <= self.account(account).operators.get(caller, -1)


def owner_of(account: bytes) -> str:
    """Address of an account's owner, in lower case."""
    return "0x" + account[:ADDRESS_BYTES].hex()


def _publish(house: HouseModel, action: actions.Publish, now: int) -> HouseModel:
    return replace(house, registry=house.registry.published(action, house.instruments, now))


def _list(house: HouseModel, action: actions.ListSlots, _now: int) -> HouseModel:
    return replace(house, instruments=house.instruments.listed(action))


def _delist(house: HouseModel, action: actions.Delist, _now: int) -> HouseModel:
    return replace(house, instruments=house.instruments.delisted(action.slot))


def _retire(house: HouseModel, action: actions.RetireBook, now: int) -> HouseModel:
    return replace(house, instruments=house.instruments.without_book(action.book, now))


def _deposit(house: HouseModel, action: actions.Deposit, _now: int) -> HouseModel:
    ledger = house.vault.ledger(action.token).received(action.ticks)
    house.require_collateral(ledger.terms.slot)
    house.instruments.require_collateral(ledger.terms.slot)
    if action.tampering is actions.Tampering.WRONG_COMMITMENT:
        raise RefusedError(Refusal.COMMITMENT_MISMATCH)
    account = house.account(action.account).moved(ledger.terms.slot, action.ticks, action.token)
    vault = house.vault.with_ledger(action.token, ledger)
    return replace(house, vault=vault).with_account(action.account, account)


def _deposit_for(house: HouseModel, action: actions.DepositFor, _now: int) -> HouseModel:
    ledger = house.vault.ledger(action.token).received(action.ticks)
    house.instruments.require_collateral(ledger.terms.slot)
    vault = house.vault.with_ledger(action.token, ledger)
    return replace(house, vault=vault.credited(action.account, action.token, action.ticks))


def _merge(house: HouseModel, action: actions.MergeInbox, now: int) -> HouseModel:
    if not house.may_act(action.account, action.caller, now):
        raise RefusedError(Refusal.NOT_AUTHORISED)
    vault, ticks = house.vault.emptied(action.account, action.token)
    slot = vault.tokens[action.token].terms.slot
    house.require_collateral(slot)
    account = house.account(action.account).moved(slot, ticks, action.token)
    return replace(house, vault=vault).with_account(action.account, account)


def _proven_after_outflow(
    house: HouseModel, action: actions.Withdraw | actions.GrantLien, now: int
) -> tuple[AccountModel, VaultModel]:
    """What withdrawals and liens share: initial margin of what stays."""
    house.require_running(now)
    account = house.account(action.account)
    account.require_version(action.version)
    ledger = house.vault.ledger(action.token)
    epoch = house.registry.usable(action.epoch, RuleKind.INITIAL, now)
    after = account.traded({0: Ghost({ledger.terms.slot: -action.ticks})}, action.epoch)
    epoch.require(RuleKind.INITIAL, after.covered(), action.tampering)
    return after, house.vault


def _withdraw(house: HouseModel, action: actions.Withdraw, now: int) -> HouseModel:
    account, vault = _proven_after_outflow(house, action, now)
    paid = vault.with_ledger(action.token, vault.ledger(action.token).paid_out(action.recipient, action.ticks, now))
    return replace(house, vault=paid).with_account(action.account, account)


def _grant_lien(house: HouseModel, action: actions.GrantLien, now: int) -> HouseModel:
    account, vault = _proven_after_outflow(house, action, now)
    lent = vault.lent(action.account, action.token, action.lender, action.ticks)
    return replace(house, vault=lent).with_account(action.account, account)


def _withdraw_holdings(house: HouseModel, action: actions.WithdrawHoldings, now: int) -> HouseModel:
    account = house.account(action.account)
    account.require_version(action.version)
    if account.status is not AccountStatus.TRANSPARENT:
        raise RefusedError(Refusal.ACCOUNT_ACTIVE)
    if action.ticks > account.holdings.get(action.token, 0):
        raise RefusedError(Refusal.HOLDINGS_EXCEEDED)
    ledger = house.vault.ledger(action.token)
    paid = house.vault.with_ledger(action.token, ledger.paid_out(action.recipient, action.ticks, now))
    return replace(house, vault=paid).with_account(
        action.account, account.moved(ledger.terms.slot, -action.ticks, action.token)
    )


def _claim_lien(house: HouseModel, action: actions.ClaimLien, now: int) -> HouseModel:
    vault = house.vault.reduced(action.account, action.token, action.lender, action.ticks)
    ledger = vault.ledger(action.token).paid_out(action.recipient, action.ticks, now)
    return replace(house, vault=vault.with_ledger(action.token, ledger))


def _release_lien(house: HouseModel, action: actions.ReleaseLien, _now: int) -> HouseModel:
    vault = house.vault.reduced(action.account, action.token, action.lender, action.ticks)
    return replace(house, vault=vault.credited(action.account, action.token, action.ticks))


def _pay_queued(house: HouseModel, action: actions.PayQueued, now: int) -> HouseModel:
    ledger = house.vault.ledger(action.token).claim_paid(action.claim, now)
    return replace(house, vault=house.vault.with_ledger(action.token, ledger))


def _exit(house: HouseModel, action: actions.Exit, _now: int) -> HouseModel:
    account = house.account(action.account)
    account.require_version(action.version)
    slots = [ledger.terms.slot for ledger in house.vault.tokens]
    return house.with_account(action.account, account.exited(slots, action.holdings))


def _prove(house: HouseModel, action: actions.ProveMargin, now: int) -> HouseModel:
    account = house.account(action.account)
    account.require_version(action.version)
    if action.epoch <= account.proven.get(action.kind, 0):
        raise RefusedError(Refusal.ALREADY_PROVEN)
    epoch = house.registry.usable(action.epoch, action.kind, now)
    epoch.require(action.kind, account.covered(), action.tampering)
    return house.with_account(action.account, account.with_proof(action.kind, action.epoch))


def _prove_all(house: HouseModel, action: actions.ProveMargins, now: int) -> HouseModel:
    for check in action.checks:
        house = _prove(house, check, now)
    return house


def _set_operator(house: HouseModel, action: actions.SetOperator, _now: int) -> HouseModel:
    account = house.account(action.account)
    operators = {**account.operators, action.operator: action.valid_until}
    return house.with_account(action.account, replace(account, operators=operators))


def _invalidate(house: HouseModel, action: actions.InvalidateNonces, now: int) -> HouseModel:
    if not house.may_act(action.account, action.caller, now):
        raise RefusedError(Refusal.NOT_AUTHORISED)
    account = house.account(action.account)
    spent = {NONCES_PER_WORD * action.word + bit for bit in range(NONCES_PER_WORD) if action.bits >> bit & 1}
    return house.with_account(action.account, replace(account, nonces=account.nonces | spent))


def _pause(house: HouseModel, action: actions.Pause, now: int) -> HouseModel:
    begin, end = house.pause
    if action.caller != house.guardian:
        raise RefusedError(Refusal.NOT_GUARDIAN)
    if not 0 < action.seconds <= MAXIMUM_PAUSE:
        raise RefusedError(Refusal.PAUSE_LENGTH)
    if now < end + (end - begin):
        raise RefusedError(Refusal.PAUSE_TOO_SOON)
    return replace(house, pause=(now, now + action.seconds))


def _unpause(house: HouseModel, action: actions.Unpause, now: int) -> HouseModel:
    begin, end = house.pause
    if action.caller not in (house.guardian, house.governor):
        raise RefusedError(Refusal.NOT_GUARDIAN)
    if now >= end:
        raise RefusedError(Refusal.NOT_PAUSED)
    return replace(house, pause=(begin, now))


_RULES: Final[Mapping[type, Callable[..., HouseModel]]] = {
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
    actions.Settle: settled,
    actions.SettleOpen: settled_open,
    actions.ProveMargin: _prove,
    actions.ProveMargins: _prove_all,
    actions.SetOperator: _set_operator,
    actions.InvalidateNonces: _invalidate,
    actions.Pause: _pause,
    actions.Unpause: _unpause,
}
