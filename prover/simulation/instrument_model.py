"""Which slots are listed: the model's side of contracts/InstrumentRegistry.sol."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from prover.simulation.refusals import Refusal, RefusedError
from verifier.chain.instrument_client import SlotStatus

if TYPE_CHECKING:
    from prover.simulation.actions import ListSlots

MAXIMUM_BOOKS = 32
RETIREMENT_GRACE = 7 * 24 * 3600
"""Seconds after the last expiry of a book before it may be retired."""

RETIREMENT_GRACE = 7 * 24 * 3600
"""Seconds after the last expiry of a book before it may be retired."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot that was ever listed.

    Attributes:
        expiry: Unix time in seconds; 0 for what does not expire.
        is_collateral: whether it is cash, a token or a coin.
        status: listed or delisted.
    """

    expiry: int
    is_collateral: bool = False
    status: SlotStatus = SlotStatus.LISTED


@dataclass(frozen=True, slots=True)
class InstrumentModel:
    """Books of slots, append-only.

    Attributes:
        slots_per_book: N.
        books: slots of every book, in their order.
        version: raised by every change of what is listed.
        retired: books that were retired.
    """

    slots_per_book: int
    books: tuple[tuple[Slot, ...], ...] = ()
    version: int = 0
    retired: frozenset[int] = frozenset()

    @property
    def live(self) -> frozenset[tuple[int, int]]:
        """Book and position of every slot that the mask lets through."""
        return frozenset(
            (book, place)
            for book, slots in enumerate(self.books)
            for place, slot in enumerate(slots)
            if slot.status is SlotStatus.LISTED
        )

    def require_collateral(self, position: int) -> None:
        """Check that a token may be credited in a slot of book 0.

        Raises:
            RefusedError: it is not listed as cash, a token or a coin.
        """
        if (0, position) not in self.live or not self.books[0][position].is_collateral:
            raise RefusedError(Refusal.SLOT_NOT_COLLATERAL)

    def listed(self, action: ListSlots) -> InstrumentModel:
        """After slots were appended to a book; the number of books itself opens the next one.

        Raises:
            RefusedError: no such book, or no room in it.
        """
        book = action.book
        if book > len(self.books) or book >= MAXIMUM_BOOKS:
            raise RefusedError(Refusal.NO_SUCH_BOOK)
        if book in self.retired:
            raise RefusedError(Refusal.BOOK_IS_RETIRED)
        present = self.books[book] if book < len(self.books) else ()
        new = (Slot(expiry, place in action.collateral) for place, expiry in enumerate(action.expiries))
        slots = (*present, *new)
        if len(slots) > self.slots_per_book:
            raise RefusedError(Refusal.BOOK_FULL)
        return self._with_book(book, slots)

    def delisted(self, slot: int) -> InstrumentModel:
        """After one slot was delisted.

        Raises:
            RefusedError: it is not listed.
        """
        book, place = divmod(slot, self.slots_per_book)
        if (book, place) not in self.live:
            raise RefusedError(Refusal.SLOT_NOT_LISTED)
        slots = list(self.books[book])
        slots[place] = replace(slots[place], status=SlotStatus.DELISTED)
        return self._with_book(book, tuple(slots))

    def without_book(self, book: int, now: int) -> InstrumentModel:
        """After a whole book was retired.

        Raises:
            RefusedError: book 0, no such book, retired already, or a listed slot that has not expired long enough ago.
        """
        if book == 0:
            raise RefusedError(Refusal.BOOK_STAYS)
        if book >= len(self.books):
            raise RefusedError(Refusal.NO_SUCH_BOOK)
        if book in self.retired:
            raise RefusedError(Refusal.BOOK_IS_RETIRED)
        listed = [slot for slot in self.books[book] if slot.status is SlotStatus.LISTED]
        if any(slot.expiry == 0 or slot.expiry + RETIREMENT_GRACE > now for slot in listed):
            raise RefusedError(Refusal.SLOT_NOT_EXPIRED)
        slots = tuple(replace(slot, status=SlotStatus.DELISTED) for slot in self.books[book])
        return replace(self._with_book(book, slots), retired=self.retired | {book})

    def _with_book(self, book: int, slots: tuple[Slot, ...]) -> InstrumentModel:
        books = (*self.books[:book], slots, *self.books[book + 1 :])
        return replace(self, books=books, version=self.version + 1)
