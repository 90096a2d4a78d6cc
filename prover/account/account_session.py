"""One of your accounts at a venue: the wallet's record of it, kept in step with the chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prover.errors import WalletOutOfDateError
from prover.rules.portfolio import Portfolio
from verifier.chain.clearing_terms import account_id

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from prover.account.venue import Venue
    from prover.account.wallet import Wallet
    from prover.account.wallet_records import AccountRecord, Opening
    from prover.rules.slots import SlotTable
    from verifier.chain.house_client import AccountState


class AccountSession:
    """Owner, account and wallet, at a venue.

    Args:
        venue: where the account is.
        wallet: holds its openings.
        owner: signs for it.
        subaccount: its number among the owner's.
    """

    def __init__(self, venue: Venue, wallet: Wallet, owner: LocalAccount, subaccount: int = 0) -> None:
        self.venue = venue
        self.wallet = wallet
        self.owner = owner
        self.subaccount = subaccount
        self.account = account_id(owner.address, subaccount)

    def __repr__(self) -> str:
        return f"AccountSession(0x{self.account.hex()})"

    def refresh(self) -> tuple[AccountRecord, AccountState]:
        """See :func:`refresh_account`."""
        return refresh_account(self.venue, self.wallet, self.account)

    def commitments(self, opening: Opening) -> tuple[bytes, ...]:
        """C_b of an opening, 96 bytes each."""
        return opening.commitments(self.venue.shape, self.venue.setup)


def refresh_account(venue: Venue, wallet: Wallet, account: bytes) -> tuple[AccountRecord, AccountState]:
    """Ask the chain which opening of an account is true, and save the answer.

    Raises:
        WalletOutOfDateError: the chain holds a commitment that the wallet has no opening of.
    """
    state = venue.house.account_state(account)
    stored = [venue.house.commitment_hash(account, book) for book in range(state.books)]
    record = wallet.account(
        account, chain_id=venue.chain.chain_id, house=venue.deployment.house, slots=venue.shape.slots
    )
    reconciled = record.reconciled(stored, state.state_version, shape=venue.shape, setup=venue.setup)
    return wallet.save(reconciled), state


def portfolio_of(record: AccountRecord, opening: Opening, slots: SlotTable) -> Portfolio:
    """An opening as quantities of instruments.

    Raises:
        WalletOutOfDateError: the list of slots gives a slot that this account has used another instrument.
    """
    names = {f"{slot.book}/{slot.position}": slot.instrument.name for slot in slots.listed}
    for place, name in record.instruments.items():
        if names.get(place) != name:
            raise WalletOutOfDateError(
                f"slot {place} was {name} when this account used it, the list of slots now says "
                f"{names.get(place, 'nothing')}: give the right file by --slots, or do not trust this publisher"
            )
    covering = opening.covering(slots.books, slots.slots_per_book)
    return Portfolio(slots, tuple(book.positions for book in covering.books))


def with_instruments(record: AccountRecord, portfolio: Portfolio) -> AccountRecord:
    """The record with the names of all slots that a portfolio uses."""
    used = {
        f"{slot.book}/{slot.position}": slot.instrument.name
        for slot in portfolio.slots.listed
        if portfolio.lots[slot.book][slot.position]
    }
    return record.model_copy(update={"instruments": {**record.instruments, **used}})
