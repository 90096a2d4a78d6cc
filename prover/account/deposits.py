"""Deposits: public amounts of collateral, credited to a hidden portfolio by the clearing house itself.

The owner deposits into the account; anybody else into its inbox, which owner or operator merges. So nobody can change
a commitment from outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prover.account.collateral import find_collateral
from prover.account.wallet_records import Change
from prover.errors import DepositError
from verifier.chain.token_slots import require_listed_as_token

if TYPE_CHECKING:
    from decimal import Decimal

    from eth_account.signers.local import LocalAccount

    from prover.account.account_session import AccountSession
    from prover.account.collateral import Collateral
    from prover.account.venue import Venue
    from verifier.chain.chain_client import Receipt


def deposit(session: AccountSession, amount: Decimal, token: str | None = None) -> tuple[Receipt, ...]:
    """Deposit collateral: allow the tokens where they are not yet allowed, then deposit.

    Args:
        session: of the owner.
        amount: tokens.
        token: name, number or address; the quote collateral by default.

    Raises:
        CollateralError: no such token, or no such amount of it.
        DepositError: beyond the cap of the token, or more than the owner has.
        DeploymentError: the token's slot is listed as something else, or in lots that are not its ticks.
        OperatorError: the account is not the signer's.
        EarlierChangeError: what an earlier run began has happened.
        ContractRevertedError: a contract refused, by a named error.
    """
    venue, owner = session.venue, session.owned()
    collateral = find_collateral(venue, token)
    ticks = collateral.ticks(amount, "deposit")
    record, state = session.begin()
    _require_possible(venue, owner.address, collateral, ticks)
    commitment = session.commitments(record.current, (0,))[0]
    after = record.current.credited(collateral.slot, ticks)
    session.wallet.save(record.with_change(Change(kind="deposit", base_version=state.state_version, after=after)))
    receipts = _allow(venue, owner, collateral, ticks)
    subaccount = int.from_bytes(session.account[20:], "big")
    receipts.append(venue.house.deposit(owner, subaccount, collateral.number, ticks, commitment))
    session.refresh()
    return tuple(receipts)


def deposit_for(
    venue: Venue, payer: LocalAccount, account: bytes, amount: Decimal, token: str | None = None
) -> tuple[Receipt, ...]:
    """Pay collateral into the inbox of any account; errors as of :func:`deposit`."""
    collateral = find_collateral(venue, token)
    ticks = collateral.ticks(amount, "deposit")
    _require_possible(venue, payer.address, collateral, ticks)
    receipts = _allow(venue, payer, collateral, ticks)
    return (*receipts, venue.vault.deposit_for(payer, account, collateral.number, ticks))


def merge_inbox(session: AccountSession, token: str | None = None) -> tuple[int, Receipt]:
    """Credit to the account what waits in its inbox; the signer is owner or operator.

    More may arrive until the transaction is carried out: the chain says how much was merged, and the wallet follows it.

    Returns:
        Ticks that waited, and the receipt.

    Raises:
        DepositError: nothing waits.
        EarlierChangeError: what an earlier run began has happened.
        ContractRevertedError: the house refused, by a named error.
    """
    venue = session.venue
    collateral = find_collateral(venue, token)
    record, state = session.begin()
    ticks = venue.vault.inbox(session.account, collateral.number)
    if not ticks:
        raise DepositError(f"nothing waits in the inbox of {collateral.name}: see `zkmargin status`")
    after = record.current.credited(collateral.slot, ticks)
    session.wallet.save(record.with_change(Change(kind="merge", base_version=state.state_version, after=after)))
    commitment = session.commitments(record.current, (0,))[0]
    receipt = venue.house.merge_inbox(session.signer, session.account, collateral.number, commitment)
    session.refresh()
    return ticks, receipt


def _allow(venue: Venue, payer: LocalAccount, collateral: Collateral, ticks: int) -> list[Receipt]:
    """Let the vault move the tokens, where it may not yet.

    Some tokens (USDT) change no allowance from one amount to another: what is left of an earlier one is taken back.
    """
    units, vault, client = collateral.units(ticks), venue.vault.address, collateral.client
    allowed = client.allowance(payer.address, vault)
    if allowed >= units:
        return []
    amounts = (0, units) if allowed else (units,)
    return [client.approve(payer, vault, amount) for amount in amounts]


def _require_possible(venue: Venue, payer: str, collateral: Collateral, ticks: int) -> None:
    """Before anything is written or sent: what the slot is, the cap, and the payer's tokens."""
    require_listed_as_token(venue.chain, venue.vault, venue.instruments, token=collateral.number)
    held, cap = venue.vault.vault_state(collateral.number).net_deposits, collateral.terms.cap
    if held + ticks > cap:
        raise DepositError(
            f"the clearing house holds {held} ticks of {collateral.name} and takes {cap} at most: a deposit of {ticks} "
            "is too much, deposit less"
        )
    owned, units = collateral.client.balance(payer), collateral.units(ticks)
    if owned < units:
        raise DepositError(
            f"{payer} has {owned} units of the collateral token {collateral.client.address}, the deposit needs "
            f"{units}: deposit less, or obtain more"
        )
