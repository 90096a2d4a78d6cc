"""Rows of option-chain CSV files in the two forms that are in circulation.

- *Chain*: ``instrument_name, T_years, S0, market_price_btc, mark_iv, bid_btc, ask_btc, open_interest``; prices in coin,
  ``S0`` the forward of the expiry, ``mark_iv`` in percent. It carries no time: every ``T_years``, rounded to 10⁻⁵,
  bounds the moment, and the middle of what all rows allow is taken. It carries no index either.
- *Book summary* (fields of Deribit's get_book_summary_by_currency): ``instrument_name, creation_timestamp,
  estimated_delivery_price, underlying_price, mark_price, bid_price, ask_price, open_interest``; prices in coin, times
  in milliseconds, no volatility.

Neither form lists futures.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prover.errors import MarketDataError, ProverError
from prover.market.exchange_rows import ExchangeRow
from prover.market.instrument_names import parse_option
from prover.market.instruments import SECONDS_PER_YEAR, Option

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CHAIN_COLUMNS: Final = frozenset(
    {"instrument_name", "T_years", "S0", "market_price_btc", "mark_iv", "bid_btc", "ask_btc", "open_interest"}
)
SUMMARY_COLUMNS: Final = frozenset(
    {
        "instrument_name",
        "creation_timestamp",
        "estimated_delivery_price",
        "underlying_price",
        "mark_price",
        "bid_price",
        "ask_price",
        "open_interest",
    }
)

_YEARS_ROUNDING: Final = 0.5e-5
_PERCENT: Final = 100.0
_MILLISECONDS: Final = 1000
_ABSURD: Final = 1e15
"""No cell reaches it, times in milliseconds included."""


@dataclass(frozen=True, slots=True)
class _Line:
    """The cells of a line, and where it stands, for errors."""

    place: str
    cells: Mapping[str, str]

    def number(self, field: str) -> float:
        value = self.optional(field)
        if value is None:
            raise MarketDataError(f"{self.place}: {field} is missing; fill it in or remove the line")
        return value

    def optional(self, field: str) -> float | None:
        text = self.cells[field].strip()
        if not text:
            return None
        try:
            value = float(text)
        except ValueError as error:
            raise MarketDataError(f"{self.place}: {field} = {text!r} is not a number; correct the line") from error
        if not 0 <= value < _ABSURD:
            raise MarketDataError(f"{self.place}: {field} = {text!r} is negative or absurd; correct the line")
        return value

    def in_coin(self, field: str, forward: float) -> float | None:
        """A price in coin, as quote currency."""
        value = self.optional(field)
        return None if value is None else value * forward

    def option(self) -> Option:
        try:
            return parse_option(self.cells["instrument_name"])
        except ProverError as error:
            raise MarketDataError(f"{self.place}: instrument_name: {error}") from error


def read_option_chain(content: bytes, source: str) -> list[ExchangeRow]:
    """The rows of one of the two CSV forms, told apart by their columns; ``source`` names the file in errors.

    Raises:
        MarketDataError: unreadable, neither form, or a cell that is no number; names field, value and remedy.
    """
    try:
        reader = csv.DictReader(io.StringIO(content.decode(), newline=""), restval="", restkey="surplus")
        read_row = _row_reader(source, frozenset(reader.fieldnames or ()))
        rows = [read_row(_Line(f"{source} line {number}", cells)) for number, cells in enumerate(reader, start=2)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise MarketDataError(f"market file {source}: {error}; give a readable CSV file") from error
    if not rows:
        raise MarketDataError(f"market file {source}: it lists no option; give a file with at least one line of data")
    return rows


def _row_reader(source: str, columns: frozenset[str]) -> Callable[[_Line], ExchangeRow]:
    if columns >= CHAIN_COLUMNS:
        return _chain_row
    if columns >= SUMMARY_COLUMNS:
        return _summary_row
    missing = min((CHAIN_COLUMNS - columns, SUMMARY_COLUMNS - columns), key=len)
    raise MarketDataError(
        f"market file {source}: it is no JSON, and as an option chain (CSV) it lacks {', '.join(sorted(missing))} "
        "in its first line; give a snapshot, a book summary or an option chain"
    )


def _chain_row(line: _Line) -> ExchangeRow:
    option, years, forward = line.option(), line.number("T_years"), line.number("S0")
    return ExchangeRow(
        place=line.place,
        instrument=option,
        forward=forward,
        mark=line.number("market_price_btc") * forward,
        bid=line.in_coin("bid_btc", forward),
        ask=line.in_coin("ask_btc", forward),
        volatility=line.number("mark_iv") / _PERCENT,
        open_interest=line.number("open_interest"),
        index=None,
        moment=(
            option.expiry_time - (years + _YEARS_ROUNDING) * SECONDS_PER_YEAR,
            option.expiry_time - (years - _YEARS_ROUNDING) * SECONDS_PER_YEAR,
        ),
    )


def _summary_row(line: _Line) -> ExchangeRow:
    created = line.number("creation_timestamp") / _MILLISECONDS
    forward = line.number("underlying_price")
    return ExchangeRow(
        place=line.place,
        instrument=line.option(),
        forward=forward,
        mark=line.number("mark_price") * forward,
        bid=line.in_coin("bid_price", forward),
        ask=line.in_coin("ask_price", forward),
        volatility=None,
        open_interest=line.number("open_interest"),
        index=line.number("estimated_delivery_price"),
        moment=(created - 1, created + 1),
    )
