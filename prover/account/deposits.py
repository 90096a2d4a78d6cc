"""Deposits: public amounts of collateral, credited to a hidden portfolio by the clearing house itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prover.account.wallet_records import Change
from prover.errors import DepositError
from prover.rules.quantise import DEFAULT_TICK

if TYPE_CHECKING:
    from decimal import Decimal

    from prover.account.account_session import AccountSession
    from prover.account.wallet_records import AccountRecord, Opening
    from prover.errors import WithdrawalError
    from verifier.chain.chain_client import Receipt
    from verifier.chain.house_client import AccountState
    from verifier.shape import Shape


def deposit_ticks(amount: Decimal, shape: Shape) -> int:
    """Whole ticks of an amount in quote currency.

    Raises:
        DepositError: not positive, not finite, or no multiple of the tick.
    """
    return whole_ticks(amount, shape, what="deposit", error=DepositError)


def whole_ticks(amount: Decimal, shape: Shape, *, what: str, error: type[DepositError | WithdrawalError]) -> int:
    """Whole ticks of a public amount in quote currency.

    Args:
        amount: in quote currency.
        shape: bounds what a column can hold.
        what: the amount is, for the message.
        error: to raise when it is not positive, not finite, or no multiple of the tick.
    """
    tick = DEFAULT_TICK
    if not amount.is_finite() or not 0 < amount < shape.value_bound * tick:
        raise error(f"a {what} of {amount} is out of range: give more than 0 and less than {shape.value_bound * tick}")
    if amount % tick:
        raise error(f"a {what} of {amount} is no multiple of the tick of {tick}: round it")
    return int(amount / tick)


def deposit(session: AccountSession, amount: Decimal) -> tuple[Receipt, ...]:
    """Deposit quote currency: allow the tokens where they are not yet allowed, then deposit.

    Raises:
        DepositError: an amount that is no deposit, beyond the range of the account, or more than the owner has.
        ContractRevertedError: a contract refused, by a named error.
    """
    venue = session.venue
    ticks = deposit_ticks(amount, venue.shape)
    record, state = session.refresh()
    units = ticks * venue.house.units_per_tick()
    _require_possible(session, state, ticks=ticks, units=units)
    commitment = session.commitments(record.current)[0]
    change = Change(
        kind="deposit",
        base_version=state.state_version,
        after=credited(record, venue.house.collateral_slot(), ticks),
    )
    session.wallet.save(record.with_change(change))
    receipts = []
    if venue.collateral.allowance(session.owner.address, venue.house.address) < units:
        receipts.append(venue.collateral.approve(session.owner, venue.house.address, units))
    receipts.append(venue.house.deposit(session.owner, session.subaccount, ticks, commitment))
    session.refresh()
    return tuple(receipts)


def credited(record: AccountRecord, slot: int, ticks: int) -> Opening:
    """The opening after the house has added ticks to the collateral's slot, or taken them away; the blind stays."""
    books = record.current.books
    credit = [0] * len(books[0].positions)
    credit[slot] = ticks
    return record.current.model_copy(update={"books": (books[0].plus(credit, 0), *books[1:])})


def _require_possible(session: AccountSession, state: AccountState, *, ticks: int, units: int) -> None:
    """Before anything is written or sent: the range, and the owner's tokens."""
    venue = session.venue
    limit = venue.house.deposit_limit()
    if state.deposited + ticks > limit:
        raise DepositError(
            f"a deposit of {ticks} ticks would bring the account to {state.deposited + ticks}, beyond its range of "
            f"{limit}: deposit less, or use another sub-account"
        )
    owned = venue.collateral.balance(session.owner.address)
    if owned < units:
        raise DepositError(
            f"{session.owner.address} has {owned} units of the collateral token {venue.collateral.address}, the "
            f"deposit needs {units}: deposit less, or obtain more"
        )
