"""Rows of Deribit's public book summaries, as get_book_summary_by_currency answers in JSON.

A file is the whole JSON-RPC answer, ``{"jsonrpc": "2.0", "result": [...]}``, or its list alone, with options, futures
and perpetuals in any mixture. Of each entry these fields are read:

    {"instrument_name": "BTC-31JAN25-92000-P", "creation_timestamp": 1737074222663, "underlying_price": 99067.37,
     "estimated_delivery_price": 100143.63, "mark_price": 0.01866323, "mark_iv": 60.13, "bid_price": 0.018,
     "ask_price": null, "open_interest": 135.94}

Options named by a coin alone are priced in coin, those of a pair (``XRP_USDC-…``) in its second currency; futures and
perpetuals in dollars, or in the second currency of their pair. Stable coins count as dollars here. Open interest of
inverse futures counts dollars. ``mark_iv`` is in percent; it may be missing. Spot pairs and combinations of
instruments, which a summary of all kinds lists as well, are passed over.
Source: https://docs.deribit.com/api-reference/market-data/public-get_book_summary_by_currency.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from prover.errors import InstrumentNameError, MarketDataError
from prover.market.exchange_rows import ExchangeRow
from prover.market.instrument_names import parse_instrument
from prover.market.instruments import Cash, Option, Spot
from prover.market.inverse_contracts import contracts_to_units
from prover.market.market_data import describe_finding

SIMULTANEOUS: Final = 30.0
"""Seconds between entries, or between answers to a few requests in a row, that count as one moment."""

_PERCENT: Final = 100.0
_MILLISECONDS: Final = 1000
_COMBINATION: Final = re.compile(r"[A-Z0-9_]+-(?!PERPETUAL)[A-Z]+-.+")
"""``BTC-FS-27DEC24_PERP``, ``BTC-CS-27DEC24-100000_110000``: a strategy's letters where an expiry would stand."""

_Amount = Annotated[float, Field(ge=0, lt=1e15, allow_inf_nan=False)]


class _Entry(BaseModel):
    """One instrument of a summary; fields that are not read may be anything."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    instrument_name: str
    creation_timestamp: _Amount
    underlying_price: _Amount | None = None
    estimated_delivery_price: _Amount | None = None
    mark_price: _Amount | None = None
    mark_iv: _Amount | None = None
    bid_price: _Amount | None = None
    ask_price: _Amount | None = None
    open_interest: _Amount | None = None


_ENTRIES: Final = TypeAdapter(list[_Entry])


def read_book_summary(entries: object, source: str) -> list[ExchangeRow]:
    """The rows of a summary; ``entries`` is its list as JSON gives it, ``source`` names the file in errors.

    Raises:
        MarketDataError: not such a list, or a field out of range; names field, value and remedy.
    """
    try:
        found = _ENTRIES.validate_python(entries)
    except ValidationError as error:
        raise MarketDataError(f"{source}: {describe_finding(error)}") from error
    rows = (_row(entry, f"{source} entry {number}") for number, entry in enumerate(found))
    return [row for row in rows if row is not None]


def _row(entry: _Entry, place: str) -> ExchangeRow | None:
    if _COMBINATION.fullmatch(entry.instrument_name):
        return None
    try:
        instrument = parse_instrument(entry.instrument_name)
    except InstrumentNameError as error:
        raise MarketDataError(f"{place}: instrument_name: {error}") from error
    if isinstance(instrument, Cash | Spot):
        return None
    is_option = isinstance(instrument, Option)
    forward = entry.underlying_price if is_option else entry.mark_price
    if not forward:
        field = "underlying_price" if is_option else "mark_price"
        raise MarketDataError(f"{place}: {field} = {forward} of {instrument.name}; give the price or remove the entry")
    price = forward if is_option and instrument.is_inverse else 1.0
    interest = entry.open_interest or 0.0
    created = entry.creation_timestamp / _MILLISECONDS
    return ExchangeRow(
        place=place,
        instrument=instrument,
        forward=forward,
        mark=_scaled(entry.mark_price, price),
        bid=_scaled(entry.bid_price, price),
        ask=_scaled(entry.ask_price, price),
        volatility=entry.mark_iv / _PERCENT if entry.mark_iv else None,
        open_interest=contracts_to_units(interest, forward) if instrument.is_inverse and not is_option else interest,
        index=entry.estimated_delivery_price,
        moment=(created - SIMULTANEOUS / 2, created + SIMULTANEOUS / 2),
    )


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
