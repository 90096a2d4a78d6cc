"""Instruments, and their names in the conventions of Deribit (canonical here) and Derive.

    what         Deribit                                             Derive
    balance      USD, WEETH                                          USDC
    spot         BTC_USDC                                            BTC-USDC
    perpetual    BTC-PERPETUAL, SOL_USDC-PERPETUAL                   BTC-PERP
    future       BTC-27DEC24                                         (none)
    option       BTC-27DEC24-100000-C, XRP_USDC-27DEC24-0d625-P      ETH-20240914-2400-C, XRP-20240914-0_625-P

Both names of an instrument stand for one object: in an account kept in the quote currency a unit of it pays the same
however the exchange settles it (see :mod:`prover.market.inverse_contracts`). :mod:`prover.market.instrument_names`
reads them. Sources: https://docs.deribit.com/#naming and https://docs.derive.xyz/trading/instrument-names, expiries at
08:00 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from prover.errors import InstrumentNameError

EXPIRY_HOUR_UTC: Final = 8
"""Options and futures expire at 08:00 UTC."""

SECONDS_PER_YEAR: Final = 365 * 86400

MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")

_FINEST_DERIVE_STRIKE: Final = Decimal("0.000001")


class OptionRight(StrEnum):
    """What the holder of an option may do; the value is the last letter of its name."""

    CALL = "C"
    PUT = "P"


@dataclass(frozen=True, slots=True)
class Cash:
    """A balance of one currency: the quote currency itself, or a token or coin that serves as collateral."""

    currency: str

    @property
    def coin(self) -> str:
        """The currency itself."""
        return self.currency

    @property
    def name(self) -> str:
        """Its name, as in ``USD``."""
        return self.currency

    @property
    def derive_name(self) -> str:
        """The same."""
        return self.currency


@dataclass(frozen=True, slots=True)
class Spot:
    """A coin held outright; ``quote`` is the currency that its pair trades in."""

    underlying: str
    quote: str

    @property
    def coin(self) -> str:
        """The coin that is held."""
        return self.underlying

    @property
    def name(self) -> str:
        """Its name, as in ``BTC_USDC``."""
        return f"{self.underlying}_{self.quote}"

    @property
    def derive_name(self) -> str:
        """Its name at Derive, as in ``BTC-USDC``."""
        return f"{self.underlying}-{self.quote}"


@dataclass(frozen=True, slots=True)
class _Derivative:
    """What follows the price of a coin.

    Attributes:
        underlying: coin, or pair for contracts settled in its second currency (``BTC``, ``XRP_USDC``).
    """

    underlying: str

    @property
    def coin(self) -> str:
        """The coin whose price it follows."""
        return self.underlying.partition("_")[0]

    @property
    def is_inverse(self) -> bool:
        """True when Deribit settles the contract of this name in the coin itself."""
        return "_" not in self.underlying


@dataclass(frozen=True, slots=True)
class Perpetual(_Derivative):
    """A perpetual future on one unit of the underlying."""

    @property
    def name(self) -> str:
        """Its name, as in ``BTC-PERPETUAL``."""
        return f"{self.underlying}-PERPETUAL"

    @property
    def derive_name(self) -> str:
        """Its name at Derive, as in ``BTC-PERP``.

        Raises:
            InstrumentNameError: Derive has none.
        """
        return f"{_derive_coin(self)}-PERP"


@dataclass(frozen=True, slots=True)
class _Dated(_Derivative):
    """What expires.

    Attributes:
        expiry: the day, at 08:00 UTC.
    """

    expiry: date

    @property
    def expiry_code(self) -> str:
        """The day as names write it, as in ``6DEC25``."""
        return f"{self.expiry.day}{MONTHS[self.expiry.month - 1]}{self.expiry.year % 100:02d}"

    @property
    def expiry_time(self) -> int:
        """Unix time of expiry, seconds."""
        moment = datetime(self.expiry.year, self.expiry.month, self.expiry.day, EXPIRY_HOUR_UTC, tzinfo=UTC)
        return int(moment.timestamp())

    def years_to_expiry(self, snapshot_time: int) -> float:
        """Time to expiry in years of 365 days; negative after expiry."""
        return (self.expiry_time - snapshot_time) / SECONDS_PER_YEAR


@dataclass(frozen=True, slots=True)
class Future(_Dated):
    """A dated future on one unit of the underlying."""

    @property
    def name(self) -> str:
        """Its name, as in ``BTC-27DEC24``."""
        return f"{self.underlying}-{self.expiry_code}"

    @property
    def derive_name(self) -> str:
        """Derive lists no dated futures.

        Raises:
            InstrumentNameError: always.
        """
        raise InstrumentNameError(self.name, "Derive has no name for a dated future", "use its name at Deribit")


@dataclass(frozen=True, slots=True)
class Option(_Dated):
    """A European option on one unit of the underlying, worth its payoff in the quote currency.

    Attributes:
        strike: in the quote currency, positive.
        right: call or put.
    """

    strike: Decimal
    right: OptionRight

    @property
    def is_call(self) -> bool:
        """True for calls, false for puts."""
        return self.right is OptionRight.CALL

    @property
    def name(self) -> str:
        """Its name, as in ``BTC-27DEC24-100000-C``; ``d`` is the decimal point of a strike."""
        return f"{self.underlying}-{self.expiry_code}-{_plain(self.strike).replace('.', 'd')}-{self.right}"

    @property
    def derive_name(self) -> str:
        """Its name at Derive, as in ``ETH-20240914-2400_5-C``; ``_`` is the decimal point of a strike.

        Raises:
            InstrumentNameError: Derive has none.
        """
        if self.strike % _FINEST_DERIVE_STRIKE:
            raise InstrumentNameError(self.name, "its strike is too fine for Derive", "use multiples of 0.000001")
        strike = _plain(self.strike).replace(".", "_")
        return f"{_derive_coin(self)}-{self.expiry:%Y%m%d}-{strike}-{self.right}"


Instrument = Cash | Spot | Perpetual | Future | Option


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _derive_coin(instrument: Perpetual | Option) -> str:
    if instrument.is_inverse:
        return instrument.underlying
    raise InstrumentNameError(
        instrument.name, "Derive names no settlement currency", f"name the underlying {instrument.coin} alone"
    )
