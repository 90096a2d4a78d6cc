"""Market snapshots: one consistent view of forwards, volatilities and quotes, validated where it enters.

A snapshot file is JSON with the fields of :class:`MarketSnapshot`; everything in it is in the quote currency and per
unit of the underlying, volatilities are fractions (0.55 is 55 %), times are Unix seconds:

    {"schema": "zkmargin-market-1", "underlying": "BTC", "quote_currency": "USD", "snapshot_time": 1732096800,
     "index_price": 94000.0,
     "perpetual": {"mark_price": 94010.0, "bid_price": 94009.5, "ask_price": 94010.5, "open_interest": 1000.0},
     "options": [{"instrument": "BTC-27DEC24-100000-C", "forward": 95100.0, "mark_volatility": 0.55,
                  "mark_price": 4321.0, "bid_price": 4300.0, "ask_price": null, "open_interest": 120.5}]}

``bid_price`` and ``ask_price`` are null where nobody quotes. The option-chain CSV files of exchanges are read by
:mod:`prover.market.market_csv`.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self, TypeVar

import numpy as np
from eth_hash.auto import keccak
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from prover.errors import InstrumentNameError, MarketDataError
from prover.market.instruments import Option, parse_option
from prover.market.pricing import OptionTerms, black76

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA: Final = "zkmargin-market-1"
EXAMPLE_MARKET: Final = Path(__file__).parent.parent / "data" / "example_market.json"
"""The bundled snapshot, made by scripts/make_example_market.py."""

LOWEST_VOLATILITY: Final = 0.01
HIGHEST_VOLATILITY: Final = 10.0
MARK_TOLERANCE: Final = 0.01
"""A mark may differ from its model price by this fraction of the forward; one in the wrong unit differs by more."""
HIGHEST_PRICE: Final = 1e12

Price = Annotated[float, Field(ge=0, le=HIGHEST_PRICE, allow_inf_nan=False)]
PositivePrice = Annotated[float, Field(gt=0, le=HIGHEST_PRICE, allow_inf_nan=False)]
Volatility = Annotated[float, Field(ge=LOWEST_VOLATILITY, le=HIGHEST_VOLATILITY, allow_inf_nan=False)]
UnixTime = Annotated[int, Field(gt=0, lt=1 << 40)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


RecordType = TypeVar("RecordType", bound=_Record)


class Quote(_Record):
    """Prices of one instrument, quote currency per unit of the underlying.

    Attributes:
        mark_price: fair price.
        bid_price: best price to sell at; null when nobody bids.
        ask_price: best price to buy at; null when nobody offers.
        open_interest: units of the underlying.
    """

    mark_price: Price
    bid_price: Price | None
    ask_price: Price | None
    open_interest: Price

    @model_validator(mode="after")
    def _not_crossed(self) -> Self:
        if self.bid_price is not None and self.ask_price is not None and self.bid_price > self.ask_price:
            message = f"bid_price = {self.bid_price} is above ask_price = {self.ask_price}: take both from one moment"
            raise ValueError(message)
        return self


class OptionQuote(Quote):
    """An option's prices and what its model price is made of.

    Attributes:
        instrument: canonical name.
        forward: of the option's expiry, quote currency.
        mark_volatility: implied volatility of the mark, fraction per square root of a year.
    """

    instrument: str
    forward: PositivePrice
    mark_volatility: Volatility

    @model_validator(mode="after")
    def _is_an_option(self) -> Self:
        try:
            parse_option(self.instrument)
        except InstrumentNameError as error:
            raise ValueError(str(error)) from error
        return self

    @property
    def option(self) -> Option:
        """The instrument that the name stands for."""
        return parse_option(self.instrument)


class MarketSnapshot(_Record):
    """The market at one moment; the module's docstring shows the file.

    Attributes:
        schema_name: fixed, names this format (``schema`` in files).
        underlying: coin of every instrument.
        quote_currency: currency of every price.
        snapshot_time: Unix seconds.
        index_price: spot price of the underlying.
        perpetual: prices of the perpetual future.
        options: at least one, all of the same underlying, none expired, none twice.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    schema_name: Literal["zkmargin-market-1"] = Field(alias="schema")
    underlying: str
    quote_currency: str
    snapshot_time: UnixTime
    index_price: PositivePrice
    perpetual: Quote
    options: tuple[OptionQuote, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = Counter(quote.instrument for quote in self.options)
        for name, count in names.items():
            if count > 1:
                message = f"instrument = {name!r} is listed {count} times: keep one"
                raise ValueError(message)
        for quote in self.options:
            option = quote.option
            if option.underlying != self.underlying:
                message = f"instrument = {quote.instrument!r} is not on {self.underlying}: one snapshot, one underlying"
                raise ValueError(message)
            if option.expiry_time <= self.snapshot_time:
                message = f"instrument = {quote.instrument!r} expired before snapshot_time: leave it out"
                raise ValueError(message)
        self._marks_match_volatilities()
        return self

    def _marks_match_volatilities(self) -> None:
        options = [quote.option for quote in self.options]
        forwards = np.array([quote.forward for quote in self.options])
        terms = OptionTerms(
            strike=[float(option.strike) for option in options],
            years=[option.years_to_expiry(self.snapshot_time) for option in options],
            is_call=[option.is_call for option in options],
        )
        models = black76(terms, forwards, [quote.mark_volatility for quote in self.options])
        marks = np.array([quote.mark_price for quote in self.options])
        strange = np.flatnonzero(np.abs(models - marks) > MARK_TOLERANCE * forwards)
        if len(strange):
            quote, model = self.options[strange[0]], float(models[strange[0]])
            message = (
                f"instrument = {quote.instrument!r}: mark_price = {quote.mark_price} is far from {model:.2f}, the "
                f"price at mark_volatility = {quote.mark_volatility}: give prices in {self.quote_currency}, "
                "volatilities as fractions"
            )
            raise ValueError(message)

    @property
    def digest(self) -> bytes:
        """keccak256 of the canonical JSON; 32 bytes that bind a published rule to its market data."""
        return keccak(canonical_json(self.model_dump(mode="json")))


def canonical_json(value: object) -> bytes:
    """JSON with sorted keys, no spaces, shortest round-trip floats; equal values give equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode()


def load_snapshot(path: Path) -> MarketSnapshot:
    """Read a snapshot file (JSON, see the module's docstring).

    Raises:
        MarketDataError: unreadable, not JSON, or a field that is missing, unknown or out of range.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MarketDataError(f"market file {path}: {error.strerror}; give a readable snapshot file") from error
    try:
        return MarketSnapshot.model_validate_json(content)
    except ValidationError as error:
        raise MarketDataError(f"{path}: {describe_finding(error)}") from error


def make_record(record: type[RecordType], source: str, fields: Mapping[str, object]) -> RecordType:
    """Validate fields that a reader put together; ``source`` names where they stand, for errors.

    Raises:
        MarketDataError: a field is missing, unknown or out of range.
    """
    try:
        return record.model_validate(dict(fields))
    except ValidationError as error:
        raise MarketDataError(f"{source}: {describe_finding(error)}") from error


def describe_finding(error: ValidationError) -> str:
    """The first of pydantic's findings as one sentence that names field, value and remedy."""
    finding = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in finding["loc"])
    value = finding["input"]
    # Of a whole record only the field's name is shown: its validator's message names the value.
    shown = f" = {value!r}" if isinstance(value, str | int | float | None) else ""
    message = finding["msg"].removeprefix("Value error, ")
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{field}{shown}: {message}; correct or remove it{more}".removeprefix(": ")
