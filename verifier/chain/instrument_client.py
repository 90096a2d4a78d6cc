"""Listed instruments: books, slots, their terms, the mask (twin: contracts/InstrumentRegistry.sol)."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from eth_utils.address import to_checksum_address

from verifier.books import BOOKS_BITS
from verifier.chain.contract_interface import contract_interface
from verifier.curve import POINT_BYTES
from verifier.errors import MalformedInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eth_account.signers.local import LocalAccount

    from verifier.chain.chain_client import ChainClient, Receipt

SYMBOL_BYTES: Final = 32
TERMS_SCALE: Final = 10**8
"""Strikes and contract sizes are whole numbers of 1e-8."""


class InstrumentKind(enum.IntEnum):
    """What a holding of a slot is; numbered as on chain."""

    CASH = 0
    TOKEN = 1
    SPOT = 2
    PERPETUAL = 3
    INVERSE_PERPETUAL = 4
    FUTURE = 5
    INVERSE_FUTURE = 6
    CALL = 7
    PUT = 8


class SlotStatus(enum.IntEnum):
    """Whether a slot may hold positions: only while it is listed; numbered as on chain."""

    UNLISTED = 0
    LISTED = 1
    DELISTED = 2


@dataclass(frozen=True, slots=True)
class SlotTerms:
    """What is listed in a slot.

    Attributes:
        underlying: number of the underlying, from 1; 0 is the quote currency.
        kind: what a holding is.
        expiry: Unix time in seconds; 0 when the instrument does not expire.
        strike: in 1e-8 of the quote currency; 0 when it is no option.
        contract_size: in 1e-8 units of the underlying a lot; 0 where there is none.
    """

    underlying: int
    kind: InstrumentKind
    expiry: int
    strike: int
    contract_size: int

    def as_tuple(self) -> tuple[int, int, int, int, int]:
        """For the ABI encoder."""
        return (self.underlying, int(self.kind), self.expiry, self.strike, self.contract_size)


@dataclass(frozen=True, slots=True)
class ListedSlot:
    """A slot on chain.

    Attributes:
        number: book · N + position.
        terms: what it holds.
        status: whether it may.
    """

    number: int
    terms: SlotTerms
    status: SlotStatus


class InstrumentClient:
    """The instrument registry at an address.

    Args:
        chain: connection.
        address: of the contract.
    """

    def __init__(self, chain: ChainClient, address: str) -> None:
        self._chain = chain
        self._interface = contract_interface("InstrumentRegistry")
        self.address = address

    def add_underlying(self, lister: LocalAccount, symbol: str) -> Receipt:
        """Give an underlying its number, for ever.

        Raises:
            MalformedInputError: the name is no ASCII of at most 32 characters.
            ContractRevertedError: the registry refused, by a named error.
        """
        return self._send(lister, "addUnderlying", symbol_bytes(symbol))

    def list(self, lister: LocalAccount, book: int, terms: Sequence[SlotTerms], names: Sequence[str]) -> Receipt:
        """List instruments at the next free positions of a book; the book after the last is opened by this.

        Raises:
            ContractRevertedError: the registry refused, by a named error.
        """
        return self._send(lister, "list", book, [entry.as_tuple() for entry in terms], list(names))

    def delist(self, owner: LocalAccount, slot: int) -> Receipt:
        """Kill a slot; the owner alone.

        Raises:
            ContractRevertedError: the registry refused, by a named error.
        """
        return self._send(owner, "delist", slot)

    def retire_book(self, lister: LocalAccount, book: int) -> Receipt:
        """Kill all slots of a book whose instruments have all expired at least 7 days ago.

        Raises:
            ContractRevertedError: the registry refused, by a named error.
        """
        return self._send(lister, "retireBook", book)

    def set_lister(self, owner: LocalAccount, lister: str) -> Receipt:
        """Appoint another lister; the owner alone.

        Raises:
            ContractRevertedError: the registry refused, by a named error.
        """
        return self._send(owner, "setLister", lister)

    def lister(self) -> str:
        """Who lists instruments."""
        return to_checksum_address(self._read("lister")[0])

    def version(self) -> int:
        """Number of lists, delistings and retirements so far."""
        return int(self._read("version")[0])

    def books(self) -> int:
        """Number of books opened."""
        return int(self._read("books")[0])

    def slots_per_book(self) -> int:
        """N."""
        return int(self._read("slotsPerBook")[0])

    def listed(self, book: int) -> int:
        """Number of slots ever listed in a book: positions below it are used up."""
        return int(self._read("listed", book)[0])

    def is_retired(self, book: int) -> bool:
        """Whether a book has been retired."""
        return bool(self._read("isRetired", book)[0])

    def slot(self, number: int) -> ListedSlot:
        """A slot; its terms are zero when nothing was listed."""
        (underlying, kind, expiry, strike, size), status = self._read("slot", number)
        terms = SlotTerms(underlying, InstrumentKind(kind), expiry, strike, size)
        return ListedSlot(number, terms, SlotStatus(status))

    def live_positions(self, book: int) -> tuple[int, ...]:
        """Positions of a book that may hold something, ascending."""
        first = book * self.slots_per_book()
        places = range(self.listed(book))
        return tuple(place for place in places if self.slot(first + place).status is SlotStatus.LISTED)

    def underlyings(self) -> dict[str, int]:
        """Number of every underlying by its name."""
        count = int(self._read("underlyings")[0])
        return {symbol_text(self._read("underlying", number)[0]): number for number in range(1, count + 1)}

    def mask(self, book: int) -> bytes:
        """Mask of a book, 96 bytes; of a book not opened yet, that of a book whose slots are all dead."""
        return bytes(self._read("mask", book)[0])

    def masks(self, books: int) -> tuple[int, tuple[bytes, ...]]:
        """Version of the list, and the masks of the first books, 96 bytes each."""
        if not 0 <= books <= BOOKS_BITS:
            raise MalformedInputError(f"{books} books: there are at most {BOOKS_BITS}")
        version, points = self._read("masks", books)
        return int(version), tuple(points[at : at + POINT_BYTES] for at in range(0, len(points), POINT_BYTES))

    def mask_table(self) -> str:
        """Address of the table of mask points."""
        return to_checksum_address(self._read("maskTable")[0])

    def _send(self, sender: LocalAccount, function: str, *arguments: object) -> Receipt:
        return self._chain.send(sender, self._interface.encode_call(function, *arguments), to=self.address)

    def _read(self, function: str, *arguments: object) -> tuple[Any, ...]:
        answer = self._chain.call(self.address, self._interface.encode_call(function, *arguments))
        return self._interface.decode_result(function, answer)


def symbol_bytes(symbol: str) -> bytes:
    """Name of an underlying as the registry keeps it: ASCII from the left.

    Raises:
        MalformedInputError: empty, not ASCII, or longer than 32 characters.
    """
    if not symbol or not symbol.isascii() or len(symbol) > SYMBOL_BYTES:
        raise MalformedInputError(f"{symbol!r} names no underlying: give 1 to {SYMBOL_BYTES} ASCII characters")
    return symbol.encode("ascii").ljust(SYMBOL_BYTES, b"\x00")


def symbol_text(symbol: bytes) -> str:
    """The inverse of :func:`symbol_bytes`."""
    return symbol.rstrip(b"\x00").decode("ascii", "backslashreplace")
