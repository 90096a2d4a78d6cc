"""Which instrument sits in which slot of which book.

Slot 0 of book 0 is cash, then perpetuals, futures and tokens, then options; further books hold options only, every
expiry in one book. A list of slots outlives its market: later epochs are built on the same list, and what has expired
or is no longer quoted is masked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol

from eth_hash.auto import keccak
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from prover.errors import InstrumentNameError, RuleBuildError, UnknownInstrumentError
from prover.market.instrument_names import parse_instrument
from prover.market.instruments import Cash, Future
from prover.market.market_data import canonical_json, describe_finding
from prover.rules.quantise import DEFAULT_TICK

if TYPE_CHECKING:
    from prover.market.instruments import Instrument, Option
    from prover.market.market_data import MarketSnapshot
    from prover.market.quotes import OptionQuote
    from verifier.shape import Shape

COLUMNS_PER_SLOT: Final = 4
"""Long leg, short leg and two free columns (specification, section 1)."""

CASH_SLOT: Final = 0

MOST_BOOKS: Final = 16
"""Books of a list; more than a proof can carry."""


class LotSizes(Protocol):
    """What a list of slots needs to know of a rule."""

    @property
    def tick(self) -> Decimal:
        """One unit of account, quote currency; the lot of cash."""

    def lot_size(self, name: str) -> Decimal:
        """Units of a coin or token in a lot."""


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
        for (book, position), times in Counter((slot.book, slot.position) for slot in self.listed).items():
            if times > 1:
                raise RuleBuildError(f"slot {position} of book {book} holds {times} instruments; give each its own")
        for name, times in Counter(slot.instrument.name for slot in self.listed).items():
            if times > 1:
                raise RuleBuildError(f"{name} is listed {times} times; keep one slot for it")

    @cached_property
    def _by_instrument(self) -> dict[Instrument, Slot]:
        return {slot.instrument: slot for slot in self.listed}

    def find(self, name: str) -> Slot:
        """The slot of an instrument, named as at Deribit or as at Derive.

        Raises:
            UnknownInstrumentError: no slot lists it.
        """
        try:
            slot = self._by_instrument.get(parse_instrument(name))
        except InstrumentNameError as error:
            raise UnknownInstrumentError(f"{error}") from error
        if slot is None:
            raise UnknownInstrumentError(
                f"instrument {name!r} is in none of the {len(self.listed)} listed slots; "
                "trade a listed one, or publish a rule that lists it"
            )
        return slot

    @property
    def deposit_problem(self) -> str | None:
        """Why deposits would be credited wrongly under this list; ``None`` when they are not.

        A clearing house adds one lot of cash for every 0.01 of the quote currency that it is paid.
        """
        wrong = [slot for slot in self.listed if isinstance(slot.instrument, Cash) and slot.lot_size != DEFAULT_TICK]
        if not wrong:
            return None
        return (
            f"tick = {wrong[0].lot_size:f}: the list of slots has lots of {wrong[0].lot_size:f} "
            f"{wrong[0].instrument.name}, but clearing houses credit deposits in lots of {DEFAULT_TICK}: list the "
            f"market under a rule file with tick: {DEFAULT_TICK}"
        )

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

    books: int = Field(gt=0, le=MOST_BOOKS)
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


def list_slots(snapshot: MarketSnapshot, shape: Shape, rule: LotSizes, *, books: int = 1) -> SlotTable:
    """List cash, all perpetuals, futures and tokens, and the options with the largest open interest.

    Open interest is compared in quote currency, so that several underlyings share the slots by what is held on each.
    With several books every expiry goes whole into one book: the largest expiries first, each where most room is left.

    Args:
        snapshot: the market that is listed.
        shape: gives the number of slots of a book.
        rule: tick and lot sizes.
        books: B ≥ 1.

    Raises:
        RuleBuildError: no book, no room for what is not an option, or no lot size for a coin or token.
    """
    if books < 1:
        raise RuleBuildError(f"books = {books}: a rule needs at least one")
    cash: tuple[Instrument, Decimal] = (Cash(snapshot.quote_currency), rule.tick)
    first = [cash, *_always_listed(snapshot, rule)]
    if len(first) > shape.slots:
        raise RuleBuildError(
            f"cash and {len(first) - 1} perpetuals, futures and tokens need more than the {shape.slots} slots of a "
            "book; quote fewer"
        )
    listed = [Slot(0, place, instrument, lot_size) for place, (instrument, lot_size) in enumerate(first)]
    room = [shape.slots - len(first)] + [shape.slots] * (books - 1)
    for book, options in enumerate(_spread_over_books(snapshot, room)):
        offset = shape.slots - room[book]
        listed += [
            Slot(book, offset + place, option, rule.lot_size(option.coin)) for place, option in enumerate(options)
        ]
    return SlotTable(books, shape.slots, tuple(listed))


def _always_listed(snapshot: MarketSnapshot, rule: LotSizes) -> list[tuple[Instrument, Decimal]]:
    """What has its slot whatever is held in it: perpetuals, futures by expiry, tokens."""
    perpetuals = sorted((quote.parsed for quote in snapshot.perpetuals), key=lambda instrument: instrument.name)
    futures = [instrument for quote in snapshot.futures if isinstance(instrument := quote.parsed, Future)]
    futures.sort(key=lambda future: (future.coin, future.expiry, future.name))
    tokens = sorted((quote.parsed for quote in snapshot.tokens), key=lambda instrument: instrument.name)
    return [(instrument, rule.lot_size(instrument.coin)) for instrument in (*perpetuals, *futures, *tokens)]


def _spread_over_books(snapshot: MarketSnapshot, room: list[int]) -> list[list[Option]]:
    """Options of each book, by falling open interest in quote currency, then name."""
    chosen: list[list[OptionQuote]] = [[] for _ in room]
    for group in _groups(snapshot.options, len(room)):
        book = max(range(len(room)), key=lambda index: room[index] - len(chosen[index]))
        chosen[book] += group

    def rank(quote: OptionQuote) -> tuple[float, str]:
        return -quote.open_interest * snapshot.underlyings[quote.option.coin].index_price, quote.instrument

    ranked = (sorted(group, key=rank)[:space] for group, space in zip(chosen, room, strict=True))
    return [[quote.option for quote in group] for group in ranked]


def _groups(quotes: tuple[OptionQuote, ...], books: int) -> list[list[OptionQuote]]:
    """What must stay together: everything when there is one book, else each expiry, the largest first."""
    if books == 1:
        return [list(quotes)]
    by_expiry: defaultdict[tuple[str, int], list[OptionQuote]] = defaultdict(list)
    for quote in quotes:
        by_expiry[quote.option.coin, quote.option.expiry_time].append(quote)
    groups = sorted(by_expiry.items(), key=lambda item: (-len(item[1]), item[0][1], item[0][0]))
    return [group for _, group in groups]
