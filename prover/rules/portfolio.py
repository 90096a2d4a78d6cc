"""Portfolios: quantities of instruments on the outside, whole lots per slot on the inside.

A portfolio file is a JSON object of signed quantities, cash in quote currency, everything else in units of the
underlying: ``{"USD": 250000, "BTC-PERPETUAL": -1.5, "BTC-27DEC24-100000-C": 10}``. Quantities are read as decimals,
exactly. They are secrets: nothing here shows one, errors included.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from prover.errors import PortfolioError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from prover.rules.slots import Slot, SlotTable
    from verifier.shape import Shape


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Signed lots in every slot; the representation is redacted.

    Attributes:
        slots: what is listed where.
        lots: N signed lots a book.
    """

    slots: SlotTable = field(repr=False)
    lots: tuple[tuple[int, ...], ...] = field(repr=False)

    def quantities(self) -> dict[str, Decimal]:
        """Quantity of every instrument held, in units (cash in quote currency)."""
        held = ((slot, self.lots[slot.book][slot.position]) for slot in self.slots.listed)
        return {slot.instrument.name: lots * slot.lot_size for slot, lots in held if lots}

    def plus(self, other: Portfolio) -> Portfolio:
        """The sum of two portfolios on the same slots.

        Raises:
            PortfolioError: they are on different lists of slots.
        """
        if self.slots != other.slots:
            raise PortfolioError("the portfolios are on different lists of slots; convert both to the current rule's")
        books = zip(self.lots, other.lots, strict=True)
        return Portfolio(self.slots, tuple(tuple(map(sum, zip(*pair, strict=True))) for pair in books))

    def negated(self) -> Portfolio:
        """The other side of the same positions."""
        return Portfolio(self.slots, tuple(tuple(-lots for lots in book) for book in self.lots))

    def encode(self) -> bytes:
        """The portfolio file: JSON, quantities as strings so that no reader rounds them. Secret."""
        return json.dumps({name: f"{quantity:f}" for name, quantity in self.quantities().items()}, indent=1).encode()


def make_portfolio(quantities: Mapping[str, Decimal], slots: SlotTable, shape: Shape) -> Portfolio:
    """Whole lots from quantities.

    Raises:
        UnknownInstrumentError: no slot lists the instrument.
        PortfolioError: a quantity that is not finite, no multiple of the lot, or beyond the shape's range; an
            instrument under both of its names.
    """
    lots = [[0] * slots.slots_per_book for _ in range(slots.books)]
    names: dict[Slot, str] = {}
    for name, quantity in quantities.items():
        slot = slots.find(name)
        if slot in names:
            raise PortfolioError(f"{names[slot]!r} and {name!r} are one instrument; give one net quantity")
        names[slot] = name
        lots[slot.book][slot.position] = _whole_lots(slot, quantity, shape.value_bound)
    return Portfolio(slots, tuple(tuple(book) for book in lots))


def load_portfolio(path: Path, slots: SlotTable, shape: Shape) -> Portfolio:
    """Read a portfolio file.

    Raises:
        PortfolioError: unreadable, not a JSON object of numbers, an instrument twice, and as :func:`make_portfolio`.
        UnknownInstrumentError: no slot lists the instrument.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PortfolioError(f"portfolio file {path}: {error.strerror}; give a readable file") from error
    return decode_portfolio(content, slots, shape)


def decode_portfolio(content: bytes, slots: SlotTable, shape: Shape) -> Portfolio:
    """Read the content of a portfolio file; errors as :func:`load_portfolio`."""
    try:
        fields = json.loads(content, parse_float=str, parse_int=str, object_pairs_hook=without_doubles)
    except ValueError as error:
        # The parser's message would quote what it could not read.
        raise PortfolioError('the portfolio is not JSON; write {"instrument": quantity, ...}') from error
    if not isinstance(fields, dict):
        raise PortfolioError('the portfolio is not a JSON object; write {"instrument": quantity, ...}')
    return make_portfolio({name: _quantity(name, value) for name, value in fields.items()}, slots, shape)


def without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The members of a JSON object of quantities; parsers take the last of two without a word.

    Raises:
        PortfolioError: an instrument twice.
    """
    fields = dict(pairs)
    if len(fields) != len(pairs):
        doubles = sorted({name for name in fields if sum(name == other for other, _ in pairs) > 1})
        raise PortfolioError(f"instrument {doubles[0]!r} is listed twice; give one net quantity")
    return fields


def _quantity(name: str, value: object) -> Decimal:
    try:
        if not isinstance(value, str):
            raise PortfolioError(f"the quantity of {name!r} is not a number; write a decimal number")
        return Decimal(value)
    except InvalidOperation as error:
        raise PortfolioError(f"the quantity of {name!r} is not a number; write a decimal number") from error


def _whole_lots(slot: Slot, quantity: Decimal, bound: int) -> int:
    name = slot.instrument.name
    if not quantity.is_finite() or abs(quantity) >= bound * slot.lot_size:
        raise PortfolioError(f"the quantity of {name!r} is beyond ±{bound - 1} lots of {slot.lot_size}; reduce it")
    if quantity % slot.lot_size:
        raise PortfolioError(f"the quantity of {name!r} is no multiple of its lot of {slot.lot_size}; round it")
    return int(quantity / slot.lot_size)
