"""Snapshots from option-chain CSV files in the two forms that are in circulation.

- *Chain*: ``instrument_name, T_years, S0, market_price_btc, mark_iv, bid_btc, ask_btc, open_interest``; prices in coin,
  ``S0`` the forward of the expiry, ``mark_iv`` in percent. It carries no time: every ``T_years``, rounded to 10⁻⁵,
  bounds the moment, and the middle of what all rows allow is taken. It carries no index either: the forward of the
  nearest expiry stands in.
- *Book summary* (fields of Deribit's get_book_summary_by_currency): ``instrument_name, creation_timestamp,
  estimated_delivery_price, underlying_price, mark_price, bid_price, ask_price, open_interest``; prices in coin, times
  in milliseconds, no volatility: it is solved from the mark, or, where a deep option's rounded mark has no time value
  left, taken from the other right of the same strike (put-call parity makes them equal).

Neither form lists futures. The perpetual is marked at the index, without quotes of its own.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.errors import MarketDataError, ProverError
from prover.market.instrument_names import parse_option
from prover.market.instruments import SECONDS_PER_YEAR, Option, Perpetual
from prover.market.market_data import SCHEMA, MarketSnapshot, load_snapshot, make_record
from prover.market.pricing import OptionTerms
from prover.market.quotes import OptionQuote, PerpetualQuote, UnderlyingPrice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

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
QUOTE_CURRENCY: Final = "USD"

_YEARS_ROUNDING: Final = 0.5e-5
_PERCENT: Final = 100.0
_VOLATILITY_DECIMALS: Final = 8
"""Solved volatilities are rounded, so that the last bits of a platform's logarithm don't reach a digest."""
_MILLISECONDS: Final = 1000
_ABSURD: Final = 1e15
"""No cell reaches it, times in milliseconds included."""


@dataclass(frozen=True, slots=True)
class _ChainRow:
    """One line of a file; prices in coin, volatility as a fraction or None, ``moment`` a range of Unix seconds."""

    place: str
    option: Option
    forward: float
    mark: float
    bid: float | None
    ask: float | None
    volatility: float | None
    open_interest: float
    index: float | None
    moment: tuple[float, float]


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

    def option(self) -> Option:
        try:
            return parse_option(self.cells["instrument_name"])
        except ProverError as error:
            raise MarketDataError(f"{self.place}: instrument_name: {error}") from error


def load_market(path: Path) -> MarketSnapshot:
    """Read a snapshot from a file: CSV by its ending, else the JSON of :mod:`prover.market.market_data`.

    Raises:
        MarketDataError: unreadable, or data that a snapshot refuses; names field, value and remedy.
    """
    return load_option_chain(path) if path.suffix.lower() == ".csv" else load_snapshot(path)


def load_option_chain(path: Path) -> MarketSnapshot:
    """Read one of the two CSV forms, told apart by their columns.

    Raises:
        MarketDataError: unreadable, neither form, or data that a snapshot refuses; names field, value and remedy.
    """
    rows = _read_rows(path)
    nearest = min(rows, key=lambda row: row.option.expiry)
    index_price = nearest.forward if nearest.index is None else nearest.index
    snapshot_time = _common_moment(str(path), rows)
    volatilities = _volatilities(rows, snapshot_time)
    coin = nearest.option.coin
    fields: dict[str, object] = {
        "schema": SCHEMA,
        "quote_currency": QUOTE_CURRENCY,
        "snapshot_time": snapshot_time,
        "underlyings": {coin: make_record(UnderlyingPrice, str(path), {"index_price": index_price})},
        "perpetuals": (_perpetual_at(index_price, coin),),
        "options": tuple(_option_quote(row, volatility) for row, volatility in zip(rows, volatilities, strict=True)),
    }
    return make_record(MarketSnapshot, str(path), fields)


def _perpetual_at(index_price: float, coin: str) -> PerpetualQuote:
    return PerpetualQuote(
        instrument=Perpetual(coin).name, mark_price=index_price, bid_price=None, ask_price=None, open_interest=0.0
    )


def _read_rows(path: Path) -> list[_ChainRow]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file, restval="", restkey="surplus")
            read_row = _row_reader(path, frozenset(reader.fieldnames or ()))
            rows = [read_row(_Line(f"{path} line {number}", cells)) for number, cells in enumerate(reader, start=2)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise MarketDataError(f"market file {path}: {error}; give a readable CSV file") from error
    if not rows:
        raise MarketDataError(f"market file {path}: it lists no option; give a file with at least one line of data")
    return rows


def _row_reader(path: Path, columns: frozenset[str]) -> Callable[[_Line], _ChainRow]:
    if columns >= CHAIN_COLUMNS:
        return _chain_row
    if columns >= SUMMARY_COLUMNS:
        return _summary_row
    missing = min((CHAIN_COLUMNS - columns, SUMMARY_COLUMNS - columns), key=len)
    raise MarketDataError(f"market file {path}: no column {', '.join(sorted(missing))}; add what the form needs")


def _chain_row(line: _Line) -> _ChainRow:
    option, years = line.option(), line.number("T_years")
    return _ChainRow(
        place=line.place,
        option=option,
        forward=line.number("S0"),
        mark=line.number("market_price_btc"),
        bid=line.optional("bid_btc"),
        ask=line.optional("ask_btc"),
        volatility=line.number("mark_iv") / _PERCENT,
        open_interest=line.number("open_interest"),
        index=None,
        moment=(
            option.expiry_time - (years + _YEARS_ROUNDING) * SECONDS_PER_YEAR,
            option.expiry_time - (years - _YEARS_ROUNDING) * SECONDS_PER_YEAR,
        ),
    )


def _summary_row(line: _Line) -> _ChainRow:
    created = line.number("creation_timestamp") / _MILLISECONDS
    return _ChainRow(
        place=line.place,
        option=line.option(),
        forward=line.number("underlying_price"),
        mark=line.number("mark_price"),
        bid=line.optional("bid_price"),
        ask=line.optional("ask_price"),
        volatility=None,
        open_interest=line.number("open_interest"),
        index=line.number("estimated_delivery_price"),
        moment=(created - 1, created + 1),
    )


def _common_moment(source: str, rows: Sequence[_ChainRow]) -> int:
    latest_start = max(rows, key=lambda row: row.moment[0])
    earliest_end = min(rows, key=lambda row: row.moment[1])
    start, end = latest_start.moment[0], earliest_end.moment[1]
    if start > end:
        raise MarketDataError(
            f"{source}: the times of {latest_start.option.name} and {earliest_end.option.name} are {start - end:.0f} s "
            "apart; give a file taken at one moment"
        )
    return int((start + end) / 2)


def _volatilities(rows: Sequence[_ChainRow], snapshot_time: int) -> list[float]:
    """Volatility of every row: as given, else solved from its mark, else that of the other right of its strike."""
    years = [_years_left(row, snapshot_time) for row in rows]
    given = [row.volatility for row in rows]
    # The form of the file decides: either every row has its volatility or none has.
    own = _solved_volatilities(rows, years) if None in given else given
    by_strike = {
        (row.option.expiry, row.option.strike): volatility
        for row, volatility in zip(rows, own, strict=True)
        if volatility is not None
    }
    return [
        _volatility(row, volatility, by_strike.get((row.option.expiry, row.option.strike)))
        for row, volatility in zip(rows, own, strict=True)
    ]


def _solved_volatilities(rows: Sequence[_ChainRow], years: Sequence[float]) -> list[float | None]:
    from prover.market.implied_volatility import implied_volatility  # noqa: PLC0415 - half a second, which few files need

    terms = OptionTerms(
        strike=[float(row.option.strike) for row in rows], years=years, is_call=[row.option.is_call for row in rows]
    )
    forwards = np.array([row.forward for row in rows])
    solved = implied_volatility(terms, forwards, np.array([row.mark for row in rows]) * forwards)
    return [round(float(value), _VOLATILITY_DECIMALS) if math.isfinite(value) else None for value in solved]


def _years_left(row: _ChainRow, snapshot_time: int) -> float:
    years = row.option.years_to_expiry(snapshot_time)
    if years <= 0:
        raise MarketDataError(f"{row.place}: {row.option.name} had expired when the file was taken; remove the line")
    return years


def _volatility(row: _ChainRow, own: float | None, other_right: float | None) -> float:
    volatility = other_right if own is None else own
    if volatility is None:
        raise MarketDataError(
            f"{row.place}: no volatility explains mark_price = {row.mark} of {row.option.name} at forward "
            f"{row.forward}; correct the mark or remove the line"
        )
    return volatility


def _option_quote(row: _ChainRow, volatility: float) -> OptionQuote:
    fields: dict[str, object] = {
        "instrument": row.option.name,
        "forward": row.forward,
        "mark_volatility": volatility,
        "mark_price": row.mark * row.forward,
        "bid_price": None if row.bid is None else row.bid * row.forward,
        "ask_price": None if row.ask is None else row.ask * row.forward,
        "open_interest": row.open_interest,
    }
    return make_record(OptionQuote, row.place, fields)
