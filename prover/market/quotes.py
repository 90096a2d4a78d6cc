"""Quotes of each kind of instrument, as market snapshots hold them: validated where they enter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from prover.errors import InstrumentNameError
from prover.market.instrument_names import parse_instrument, parse_option
from prover.market.instruments import Cash, Future, Instrument, Option, Perpetual, Spot

if TYPE_CHECKING:
    from types import UnionType

LOWEST_VOLATILITY: Final = 0.01
HIGHEST_VOLATILITY: Final = 10.0
HIGHEST_PRICE: Final = 1e12

Price = Annotated[float, Field(ge=0, le=HIGHEST_PRICE, allow_inf_nan=False)]
PositivePrice = Annotated[float, Field(gt=0, le=HIGHEST_PRICE, allow_inf_nan=False)]
Volatility = Annotated[float, Field(ge=LOWEST_VOLATILITY, le=HIGHEST_VOLATILITY, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
UnixTime = Annotated[int, Field(gt=0, lt=1 << 40)]


class Record(BaseModel):
    """Part of a snapshot: frozen, strict, without unknown fields."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class _Sides(Record):
    """What the market says of one instrument, quote currency per unit.

    Attributes:
        instrument: canonical name.
        bid_price: best price to sell at; null when nobody bids.
        ask_price: best price to buy at; null when nobody offers.
        confidence: of the feed, from 0 to 1.
    """

    instrument: str
    bid_price: Price | None
    ask_price: Price | None
    confidence: Share = 1.0

    @model_validator(mode="after")
    def _not_crossed(self) -> Self:
        if self.bid_price is not None and self.ask_price is not None and self.bid_price > self.ask_price:
            message = f"bid_price = {self.bid_price} is above ask_price = {self.ask_price}: take both from one moment"
            raise ValueError(message)
        return self

    @property
    def parsed(self) -> Instrument:
        """The instrument that the name stands for."""
        return parse_instrument(self.instrument)


class _Prices(_Sides):
    """The same with a fair price.

    Attributes:
        mark_price: fair price.
    """

    mark_price: Price


class PerpetualQuote(_Prices):
    """A perpetual future's prices.

    Attributes:
        open_interest: units of the underlying.
    """

    open_interest: Price

    @field_validator("instrument")
    @classmethod
    def _is_a_perpetual(cls, name: str) -> str:
        return require_kind(name, Perpetual, "a perpetual")


class FutureQuote(_Prices):
    """A dated future's prices; attributes as of perpetuals."""

    open_interest: Price

    @field_validator("instrument")
    @classmethod
    def _is_a_future(cls, name: str) -> str:
        return require_kind(name, Future, "a dated future")


class OptionDraft(_Sides):
    """An option as files give it: volatility or mark may be missing.

    Attributes:
        open_interest: units of the underlying.
        forward: of the option's expiry, quote currency.
        mark_price: fair price; null to have it priced at the volatility.
        mark_volatility: implied volatility of the mark, fraction per square root of a year; null to have it solved from
            the mark, or interpolated where there is none.
    """

    open_interest: Price
    forward: PositivePrice
    mark_price: Price | None = None
    mark_volatility: Volatility | None = None

    @field_validator("instrument")
    @classmethod
    def _is_an_option(cls, name: str) -> str:
        return require_kind(name, Option, "an option")

    @property
    def option(self) -> Option:
        """The instrument that the name stands for."""
        return parse_option(self.instrument)


class OptionQuote(OptionDraft):
    """An option's prices and what its model price is made of; nothing is missing."""

    mark_price: Price
    mark_volatility: Volatility


class TokenQuote(_Prices):
    """A collateral token's prices.

    Attributes:
        underlying: coin whose price it follows (its own name for the coin itself); null for a stable coin.
        volume: units that trade in a day.
    """

    underlying: str | None
    volume: Price

    @field_validator("instrument")
    @classmethod
    def _is_a_holding(cls, name: str) -> str:
        return require_kind(name, Cash | Spot, "a token")


AnyQuote = PerpetualQuote | FutureQuote | OptionQuote | TokenQuote


class UnderlyingPrice(Record):
    """A coin that others follow.

    Attributes:
        index_price: spot price, quote currency.
        confidence: of the feed, from 0 to 1.
    """

    index_price: PositivePrice
    confidence: Share = 1.0


def followed_coin(quote: AnyQuote | OptionDraft) -> str | None:
    """The coin whose price an instrument follows; ``None`` for a stable coin."""
    if isinstance(quote, TokenQuote):
        return quote.underlying
    instrument = quote.parsed
    return None if isinstance(instrument, Cash | Spot) else instrument.coin


def require_kind(name: str, kind: type | UnionType, label: str) -> str:
    """The name, if it is the canonical one of an instrument of the kind; ``label`` says in words what is wanted.

    Raises:
        ValueError: another kind, or a name that is not canonical; pydantic makes a finding of it.
    """
    try:
        instrument = parse_instrument(name)
    except InstrumentNameError as error:
        raise ValueError(str(error)) from error
    if not isinstance(instrument, kind):
        message = f"{name!r} is not {label}: list it under its own kind"
        raise ValueError(message)  # noqa: TRY004 - pydantic makes a finding of a ValueError
    if instrument.name != name:
        message = f"{name!r} is not canonical: write {instrument.name!r}"
        raise ValueError(message)
    return name
