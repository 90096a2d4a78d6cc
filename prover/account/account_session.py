"""One account at a venue: the wallet's record of it, kept in step with the chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prover.account.public_changes import public_changes
from prover.errors import EarlierChangeError, OperatorError, WalletOutOfDateError
from prover.rules.portfolio import Portfolio
from verifier.books import books_in
from verifier.chain.clearing_terms import account_id

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from prover.account.venue import Venue
    from prover.account.wallet import Wallet
    from prover.account.wallet_records import AccountRecord, Opening
    from prover.rules.slots import SlotTable
    from verifier.chain.account_state import AccountState


class AccountSession:
    """Signer, account and wallet, at a venue.

    Args:
        venue: where the account is.
        wallet: holds its openings.
        signer: its owner, or an operator whom the owner has appointed.
        subaccount: its number among the signer's own.
        account: its identity, 32 bytes, for operators; the signer's own by default.
    """

    def __init__(
        self,
        venue: Venue,
        wallet: Wallet,
        signer: LocalAccount,
        subaccount: int = 0,
        *,
        account: bytes | None = None,
    ) -> None:
        self.venue = venue
        self.wallet = wallet
        self.signer = signer
        self.subaccount = subaccount
        self.account = account_id(signer.address, subaccount) if account is None else account

    def __repr__(self) -> str:
        return f"AccountSession(0x{self.account.hex()})"

    def owned(self) -> LocalAccount:
        """The signer, if the account is theirs.

        Raises:
            OperatorError: it is another's.
        """
        if self.account != account_id(self.signer.address, int.from_bytes(self.account[20:], "big")):
            raise OperatorError(self.account, self.signer.address)
        return self.signer

    def refresh(self) -> tuple[AccountRecord, AccountState]:
        """See :func:`refresh_account`."""
        return refresh_account(self.venue, self.wallet, self.account)

    def begin(self) -> tuple[AccountRecord, AccountState]:
        """:meth:`refresh` before something is sent that must not be sent twice: after a crash it may have happened.

        Raises:
            EarlierChangeError: an earlier run's deposit, merge, withdrawal or lien came true, and it was not told.
        """
        known = self.wallet.account(
            self.account,
            chain_id=self.venue.chain.chain_id,
            house=self.venue.deployment.house,
            slots=self.venue.shape.slots,
        )
        record, state = self.refresh()
        for change in known.changes:
            if change.kind != "trade" and change.after == record.current != known.current:
                raise EarlierChangeError(change.kind, self.account, state.state_version)
        return record, state

    def commitments(self, opening: Opening, books: tuple[int, ...]) -> tuple[bytes, ...]:
        """C_b of some books of an opening, 96 bytes each."""
        covering = opening.covering(max(books) + 1, self.venue.shape.slots)
        points = covering.commitments(self.venue.shape, self.venue.setup)
        return tuple(points[book] for book in books)


def refresh_account(venue: Venue, wallet: Wallet, account: bytes) -> tuple[AccountRecord, AccountState]:
    """Ask the chain which opening of an account is true, and save the answer.

    Raises:
        WalletOutOfDateError: the chain holds a commitment that the wallet has no opening of.
    """
    state = venue.house.account_state(account)
    record = wallet.account(
        account, chain_id=venue.chain.chain_id, house=venue.deployment.house, slots=venue.shape.slots
    )
    books = max(record.books, *(book + 1 for book in books_in(state.books)), 1)
    stored = [venue.house.commitment_hash(account, book) for book in range(books)]
    try:
        reconciled = record.reconciled(stored, state.state_version, shape=venue.shape, setup=venue.setup)
    except WalletOutOfDateError:
        public = public_changes(venue, account)
        reconciled = record.reconciled(stored, state.state_version, shape=venue.shape, setup=venue.setup, public=public)
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
    if any(any(book.positions) for book in covering.books[slots.books :]):
        raise WalletOutOfDateError(
            f"the account holds positions beyond the {slots.books} books of the list of slots: give the right file by "
            "--slots, or do not trust this publisher"
        )
    return Portfolio(slots, tuple(book.positions for book in covering.books[: slots.books]))


def with_instruments(record: AccountRecord, portfolio: Portfolio) -> AccountRecord:
    """The record with the names of all slots that a portfolio uses."""
    used = {
        f"{slot.book}/{slot.position}": slot.instrument.name
        for slot in portfolio.slots.listed
        if portfolio.lots[slot.book][slot.position]
    }
    return record.model_copy(update={"instruments": {**record.instruments, **used}})
