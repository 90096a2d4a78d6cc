"""Instruments from their names at Deribit and at Derive, read strictly: each convention has one name for each."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final

from prover.errors import InstrumentNameError
from prover.market.instruments import MONTHS, Cash, Future, Instrument, Option, OptionRight, Perpetual, Spot

_CENTURY: Final = 2000
_CURRENCY: Final = re.compile(r"[A-Z][A-Z0-9]{1,11}")
_UNDERLYING: Final = re.compile(r"[A-Z][A-Z0-9]{1,11}(_[A-Z][A-Z0-9]{1,11})?")
_EXPIRY: Final = re.compile(r"([1-9]|[12][0-9]|3[01])([A-Z]{3})([0-9]{2})")
_DERIVE_EXPIRY: Final = re.compile(r"(20[0-9]{2})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])")
_STRIKE: Final = re.compile(r"([1-9][0-9]{0,11}|0(?=d))(?:d([0-9]{0,7}[1-9]))?")
_DERIVE_STRIKE: Final = re.compile(r"([1-9][0-9]{0,11}|0(?=_))(?:_([0-9]{0,5}[1-9]))?")
_EXAMPLES: Final = "USD, BTC_USDC, BTC-PERPETUAL, BTC-27DEC24, BTC-27DEC24-100000-C or ETH-20240914-2400-C"
_FUTURE_PARTS: Final = 2
_OPTION_PARTS: Final = 4


@lru_cache(maxsize=8192)
def parse_instrument(name: str) -> Instrument:
    """The instrument of a name in either convention; the inverse of ``.name`` and of ``.derive_name``.

    Raises:
        InstrumentNameError: the name follows none of the forms, or is not the one name of its instrument there.
    """
    parts = name.split("-")
    if len(parts) == 1:
        return _parse_cash_or_spot(name)
    if not _UNDERLYING.fullmatch(parts[0]):
        raise InstrumentNameError(name, f"{parts[0]!r} is not an underlying", f"write for example {_EXAMPLES}")
    if len(parts) == _FUTURE_PARTS:
        return _parse_of_two(name, *parts)
    if len(parts) == _OPTION_PARTS:
        return _parse_option(name, *parts)
    raise InstrumentNameError(name, f"it has {len(parts)} parts", f"write for example {_EXAMPLES}")


def parse_option(name: str) -> Option:
    """The option of a name.

    Raises:
        InstrumentNameError: the name is not canonical, or is that of another instrument.
    """
    instrument = parse_instrument(name)
    if not isinstance(instrument, Option):
        raise InstrumentNameError(name, "it is not an option", "list options only here")
    return instrument


def parse_expiry(code: str) -> date:
    """The day of an expiry code such as ``6DEC25``.

    Raises:
        InstrumentNameError: not a day in that form.
    """
    match = _EXPIRY.fullmatch(code)
    remedy = "write day, month and year as in 6DEC25"
    if match is None or match[2] not in MONTHS:
        raise InstrumentNameError(code, "the expiry is not a date", remedy)
    return _date(code, _CENTURY + int(match[3]), MONTHS.index(match[2]) + 1, int(match[1]))


def _date(code: str, year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        remedy = "write a day of the calendar"
        raise InstrumentNameError(code, f"the expiry is not a date ({error})", remedy) from error


def _parse_cash_or_spot(name: str) -> Cash | Spot:
    if _CURRENCY.fullmatch(name):
        return Cash(name)
    if _UNDERLYING.fullmatch(name):
        underlying, quote = name.split("_")
        return Spot(underlying, quote)
    raise InstrumentNameError(name, "it has no known form", f"write for example {_EXAMPLES}")


def _parse_of_two(name: str, underlying: str, second: str) -> Perpetual | Future | Spot:
    if second == "PERPETUAL":
        return Perpetual(underlying)
    if second == "PERP":
        return Perpetual(_derive_underlying(name, underlying))
    if _CURRENCY.fullmatch(second):
        return Spot(_derive_underlying(name, underlying), second)
    if _EXPIRY.fullmatch(second):
        return Future(underlying, parse_expiry(second))
    raise InstrumentNameError(name, f"{second!r} is no expiry, PERPETUAL or currency", f"write for example {_EXAMPLES}")


def _parse_option(name: str, underlying: str, expiry: str, strike: str, right: str) -> Option:
    if right not in tuple(OptionRight):
        raise InstrumentNameError(name, f"{right!r} is neither C nor P", "end it with C for a call, P for a put")
    derive = _DERIVE_EXPIRY.fullmatch(expiry)
    if derive is None:
        price = _parse_strike(name, strike, _STRIKE, "d")
        return Option(underlying, parse_expiry(expiry), price, OptionRight(right))
    price = _parse_strike(name, strike, _DERIVE_STRIKE, "_")
    day = _date(expiry, *map(int, derive.groups()))
    return Option(_derive_underlying(name, underlying), day, price, OptionRight(right))


def _parse_strike(name: str, strike: str, pattern: re.Pattern[str], point: str) -> Decimal:
    if not pattern.fullmatch(strike):
        remedy = f"write a positive number without leading or trailing zeros, {point} for the decimal point"
        raise InstrumentNameError(name, f"{strike!r} is not a strike", remedy)
    return Decimal(strike.replace(point, "."))


def _derive_underlying(name: str, underlying: str) -> str:
    if _CURRENCY.fullmatch(underlying):
        return underlying
    raise InstrumentNameError(name, f"{underlying!r} is a pair, and Derive names a coin", "name the coin alone")
