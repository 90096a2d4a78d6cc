"""Which instrument sits in which slot of which book.

Slot 0 of book 0 is cash, slot 1 the perpetual, then options; further books hold options only, every expiry in one
book. A list of slots outlives its market: later epochs are built on the same list, and what has expired or is no
longer quoted is masked.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Final

from eth_hash.auto import keccak
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from prover.errors import RuleBuildError, UnknownInstrumentError
from prover.market.instruments import Cash, Instrument, Option, Perpetual, parse_instrument
from prover.market.market_data import canonical_json, describe_finding

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from prover.market.market_data import MarketSnapshot, OptionQuote
    from prover.rules.rule_constants import RuleConstants
    from verifier.shape import Shape

COLUMNS_PER_SLOT: Final = 4
"""Long leg, short leg and two free columns (specification, section 1)."""

CASH_SLOT: Final = 0
PERPETUAL_SLOT: Final = 1
_FIRST_OPTION_SLOT: Final = 2


@dataclass(frozen=True, slots=True)
class Slot:
    """One listed instrument.

    Attributes:
        book: its book, from 0.
        position: its place in the book, below N.
        instrument: what a holding of it is.
        lot_size: units of the instrument in one lot.
    """

    book: int
    position: int
    instrument: Instrument
    lot_size: Decimal


@dataclass(frozen=True)
class SlotTable:
    """All slots of a rule.

    Attributes:
        books: number of books B.
        slots_per_book: N of the shape.
        listed: the occupied slots, by book and position; the others hold nothing and are masked.

    Raises:
        RuleBuildError: a slot outside the books, taken twice, or an instrument listed twice.
    """

    books: int
    slots_per_book: int
    listed: tuple[Slot, ...]

    def __post_init__(self) -> None:
        """Check places and names."""
        for slot in self.listed:
            if not (0 <= slot.book < self.books and 0 <= slot.position < self.slots_per_book):
                raise RuleBuildError(
                    f"{slot.instrument.name}: slot {slot.position} of book {slot.book} does not exist; "
                    f"use books below {self.books} and slots below {self.slots_per_book}"
                )
        if len({(slot.book, slot.position) for slot in self.listed}) != len(self.listed):
            raise RuleBuildError("two instruments share a slot; give each its own")
        if len({slot.instrument for slot in self.listed}) != len(self.listed):
            raise RuleBuildError("an instrument is listed twice; keep one slot for it")

    @cached_property
    def _by_name(self) -> dict[str, Slot]:
        return {slot.instrument.name: slot for slot in self.listed}

    def find(self, name: str) -> Slot:
        """The slot of an instrument.

        Raises:
            UnknownInstrumentError: no slot lists it.
        """
        slot = self._by_name.get(name)
        if slot is None:
            raise UnknownInstrumentError(
                f"instrument {name!r} is in none of the {len(self.listed)} listed slots; "
                "trade a listed one, or publish a rule that lists it"
            )
        return slot

    def flat_index(self, slot: Slot) -> int:
        """Place of a slot in arrays that run through all books."""
        return slot.book * self.slots_per_book + slot.position

    def encode(self) -> bytes:
        """The list as canonical JSON; equal lists give equal bytes."""
        rows = [
            {
                "book": slot.book,
                "position": slot.position,
                "instrument": slot.instrument.name,
                "lot_size": f"{slot.lot_size:f}",
            }
            for slot in self.listed
        ]
        return canonical_json({"books": self.books, "slots_per_book": self.slots_per_book, "listed": rows})

    @property
    def digest(self) -> bytes:
        """keccak256 of :meth:`encode`; 32 bytes that a published rule carries."""
        return keccak(self.encode())


class _SlotRecord(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    book: int = Field(ge=0)
    position: int = Field(ge=0)
    instrument: str
    lot_size: Decimal = Field(gt=0)


class _SlotTableRecord(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    books: int = Field(gt=0)
    slots_per_book: int = Field(gt=0)
    listed: tuple[_SlotRecord, ...]


def decode_slots(content: bytes) -> SlotTable:
    """Read a list of slots; the inverse of :meth:`SlotTable.encode`.

    Raises:
        RuleBuildError: not such a list; names the field.
        InstrumentNameError: a name that belongs to no instrument.
    """
    try:
        record = _SlotTableRecord.model_validate_json(content)
    except ValidationError as error:
        raise RuleBuildError(f"list of slots: {describe_finding(error)}") from error
    listed = (Slot(row.book, row.position, parse_instrument(row.instrument), row.lot_size) for row in record.listed)
    return SlotTable(record.books, record.slots_per_book, tuple(listed))


def list_slots(snapshot: MarketSnapshot, shape: Shape, constants: RuleConstants, *, books: int = 1) -> SlotTable:
    """List cash, the perpetual and the options with the largest open interest.

    With several books every expiry goes whole into one book: the largest expiries first, each where most room is left.

    Args:
        snapshot: the market that is listed.
        shape: gives the number of slots of a book.
        constants: tick and lot sizes.
        books: B ≥ 1.

    Raises:
        RuleBuildError: no book, or no lot size for the underlying.
    """
    if books < 1:
        raise RuleBuildError(f"books = {books}: a rule needs at least one")
    lot_size = constants.lot_size(snapshot.underlying)
    listed = [
        Slot(0, CASH_SLOT, Cash(snapshot.quote_currency), constants.tick),
        Slot(0, PERPETUAL_SLOT, Perpetual(snapshot.underlying), lot_size),
    ]
    for book, options in enumerate(_spread_over_books(snapshot.options, shape.slots, books)):
        first = _FIRST_OPTION_SLOT if book == 0 else 0
        listed += [Slot(book, first + place, option, lot_size) for place, option in enumerate(options)]
    return SlotTable(books, shape.slots, tuple(listed))


def _spread_over_books(quotes: Sequence[OptionQuote], slots: int, books: int) -> list[list[Option]]:
    """Options of each book, by falling open interest, then name."""
    room = [slots - _FIRST_OPTION_SLOT] + [slots] * (books - 1)
    chosen: list[list[OptionQuote]] = [[] for _ in range(books)]
    for group in _groups(quotes, books):
        book = max(range(books), key=lambda index: room[index] - len(chosen[index]))
        chosen[book] += group
    ranked = (sorted(group, key=_rank)[:space] for group, space in zip(chosen, room, strict=True))
    return [[quote.option for quote in group] for group in ranked]


def _groups(quotes: Sequence[OptionQuote], books: int) -> list[list[OptionQuote]]:
    """What must stay together: everything when there is one book, else each expiry, the largest first."""
    if books == 1:
        return [list(quotes)]
    by_expiry: defaultdict[date, list[OptionQuote]] = defaultdict(list)
    for quote in quotes:
        by_expiry[quote.option.expiry].append(quote)
    return sorted(by_expiry.values(), key=lambda group: (-len(group), group[0].option.expiry))


def _rank(quote: OptionQuote) -> tuple[float, str]:
    return -quote.open_interest, quote.instrument
