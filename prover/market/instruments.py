"""Instruments and their names in Deribit's convention, parsed strictly and written back the same.

Names: ``USD`` (cash), ``BTC_USDC`` (spot), ``BTC-PERPETUAL``, ``BTC-27DEC24-100000-C`` (option; a ``d`` stands for
the decimal point of a strike, as in ``XRP_USDC-27DEC24-0d625-P``). Every instrument has exactly one name.
Source: https://docs.deribit.com/#naming, expiries at 08:00 UTC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Final

from prover.errors import InstrumentNameError

EXPIRY_HOUR_UTC: Final = 8
"""Deribit options expire at 08:00 UTC."""

SECONDS_PER_YEAR: Final = 365 * 86400

_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_CENTURY: Final = 2000
_CURRENCY: Final = re.compile(r"[A-Z][A-Z0-9]{1,11}")
_UNDERLYING: Final = re.compile(r"[A-Z][A-Z0-9]{1,11}(_[A-Z][A-Z0-9]{1,11})?")
_EXPIRY: Final = re.compile(r"([1-9]|[12][0-9]|3[01])([A-Z]{3})([0-9]{2})")
_STRIKE: Final = re.compile(r"([1-9][0-9]{0,11}|0(?=d))(?:d([0-9]{0,7}[1-9]))?")
_EXAMPLES: Final = "USD, BTC_USDC, BTC-PERPETUAL or BTC-27DEC24-100000-C"


class OptionRight(StrEnum):
    """What the holder of an option may do; the value is the last letter of its name."""

    CALL = "C"
    PUT = "P"


@dataclass(frozen=True, slots=True)
class Cash:
    """The quote currency itself: one unit is worth one, always."""

    currency: str

    @property
    def name(self) -> str:
        """Its name, as in ``USD``."""
        return self.currency


@dataclass(frozen=True, slots=True)
class Spot:
    """A coin held outright; ``quote`` is the currency that its pair trades in."""

    underlying: str
    quote: str

    @property
    def name(self) -> str:
        """Its name, as in ``BTC_USDC``."""
        return f"{self.underlying}_{self.quote}"


@dataclass(frozen=True, slots=True)
class Perpetual:
    """A linear perpetual future on one unit of the underlying."""

    underlying: str

    @property
    def name(self) -> str:
        """Its name, as in ``BTC-PERPETUAL``."""
        return f"{self.underlying}-PERPETUAL"


@dataclass(frozen=True, slots=True)
class Option:
    """A European option on one unit of the underlying, paid out in the quote currency.

    Attributes:
        underlying: coin, or pair for linear options (``BTC``, ``XRP_USDC``).
        expiry: day on which it expires, at 08:00 UTC.
        strike: in the quote currency, positive.
        right: call or put.
    """

    underlying: str
    expiry: date
    strike: Decimal
    right: OptionRight

    @property
    def is_call(self) -> bool:
        """True for calls, false for puts."""
        return self.right is OptionRight.CALL

    @property
    def expiry_code(self) -> str:
        """The day as names write it, as in ``6DEC25``."""
        return f"{self.expiry.day}{_MONTHS[self.expiry.month - 1]}{self.expiry.year % 100:02d}"

    @property
    def name(self) -> str:
        """Its name, as in ``BTC-27DEC24-100000-C``."""
        strike = f"{self.strike.normalize():f}".replace(".", "d")
        return f"{self.underlying}-{self.expiry_code}-{strike}-{self.right}"

    @property
    def expiry_time(self) -> int:
        """Unix time of expiry, seconds."""
        moment = datetime(self.expiry.year, self.expiry.month, self.expiry.day, EXPIRY_HOUR_UTC, tzinfo=UTC)
        return int(moment.timestamp())

    def years_to_expiry(self, snapshot_time: int) -> float:
        """Time to expiry in years of 365 days; negative after expiry."""
        return (self.expiry_time - snapshot_time) / SECONDS_PER_YEAR


Instrument = Cash | Spot | Perpetual | Option


@lru_cache(maxsize=4096)
def parse_instrument(name: str) -> Instrument:
    """The instrument of a name; the inverse of ``.name``.

    Raises:
        InstrumentNameError: the name follows none of the forms, or is not the canonical one of its instrument.
    """
    parts = name.split("-")
    if len(parts) == 1:
        return _parse_cash_or_spot(name)
    if not _UNDERLYING.fullmatch(parts[0]):
        raise InstrumentNameError(name, f"{parts[0]!r} is not an underlying", f"write for example {_EXAMPLES}")
    if parts[1:] == ["PERPETUAL"]:
        return Perpetual(parts[0])
    return _parse_option(name, parts)


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
    if match is None or match[2] not in _MONTHS:
        raise InstrumentNameError(code, "the expiry is not a date", remedy)
    try:
        return date(_CENTURY + int(match[3]), _MONTHS.index(match[2]) + 1, int(match[1]))
    except ValueError as error:
        raise InstrumentNameError(code, f"the expiry is not a date ({error})", remedy) from error


def _parse_cash_or_spot(name: str) -> Cash | Spot:
    if _CURRENCY.fullmatch(name):
        return Cash(name)
    if _UNDERLYING.fullmatch(name):
        underlying, quote = name.split("_")
        return Spot(underlying, quote)
    raise InstrumentNameError(name, "it has no known form", f"write for example {_EXAMPLES}")


def _parse_option(name: str, parts: list[str]) -> Option:
    try:
        underlying, expiry, strike, right = parts
    except ValueError as error:
        remedy = "an option is written underlying-expiry-strike-C or -P"
        raise InstrumentNameError(name, f"it has {len(parts)} parts", remedy) from error
    if right not in tuple(OptionRight):
        raise InstrumentNameError(name, f"{right!r} is neither C nor P", "end it with C for a call, P for a put")
    if not _STRIKE.fullmatch(strike):
        remedy = "write a positive number without leading or trailing zeros, d for the decimal point"
        raise InstrumentNameError(name, f"{strike!r} is not a strike", remedy)
    return Option(underlying, parse_expiry(expiry), Decimal(strike.replace("d", ".")), OptionRight(right))
