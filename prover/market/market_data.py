"""Market snapshots: one consistent view of forwards, volatilities and quotes, validated where it enters.

A snapshot file is JSON with the fields of :class:`MarketSnapshot`; prices are in the quote currency, per unit of the
underlying or token; volatilities are fractions (0.55 is 55 %), times are Unix seconds:

    {"schema": "zkmargin-market-2", "quote_currency": "USD", "snapshot_time": 1732096800, "stable_price": 1.0,
     "underlyings": {"BTC": {"index_price": 94000.0, "confidence": 1.0}},
     "perpetuals": [{"instrument": "BTC-PERPETUAL", "mark_price": 94010.0, "bid_price": 94009.5,
                     "ask_price": 94010.5, "open_interest": 1000.0, "confidence": 1.0}],
     "futures": [{"instrument": "BTC-27DEC24", "mark_price": 95100.0, "bid_price": null, "ask_price": null,
                  "open_interest": 50.0}],
     "options": [{"instrument": "BTC-27DEC24-100000-C", "forward": 95100.0, "mark_volatility": 0.55,
                  "mark_price": 4321.0, "bid_price": 4300.0, "ask_price": null, "open_interest": 120.5}],
     "tokens": [{"instrument": "BTC", "underlying": "BTC", "mark_price": 94000.0, "bid_price": 93990.0,
                 "ask_price": 94010.0, "volume": 2500.0}]}

``bid_price`` and ``ask_price`` are null where nobody quotes. ``mark_volatility`` may be null and is then solved from
the mark, or interpolated; ``mark_price`` may be null and is then the model's (:mod:`prover.market.completion`).
``confidence`` and ``stable_price`` are 1, and lists are empty, where they are left out.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Self, TypeVar

from eth_hash.auto import keccak
from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from prover.errors import MarketDataError
from prover.market.instruments import Cash, Future, Option
from prover.market.quotes import (
    AnyQuote,
    FutureQuote,
    OptionDraft,
    OptionQuote,
    PerpetualQuote,
    PositivePrice,
    Record,
    TokenQuote,
    UnderlyingPrice,
    UnixTime,
    followed_coin,
    require_kind,
)
from prover.market.sanity import refuse_impossible, refuse_other_units

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

SCHEMA: Final = "zkmargin-market-2"
EXAMPLE_MARKET: Final = Path(__file__).parent.parent / "data" / "example_market.json"
"""The bundled snapshot, made by scripts/make_example_market.py."""

RecordType = TypeVar("RecordType", bound=Record)


class MarketDraft(Record):
    """The market as files give it, volatilities or marks of options possibly missing; the module's docstring shows one.

    Attributes:
        schema_name: fixed, names this format (``schema`` in files).
        quote_currency: currency of every price.
        snapshot_time: Unix seconds.
        stable_price: of the stable coin behind the quote currency; 1 while its peg holds.
        underlyings: coins that the instruments follow.
        perpetuals: their prices.
        futures: none expired.
        options: none expired.
        tokens: what serves as collateral beside the quote currency.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    schema_name: Literal["zkmargin-market-2"] = Field(alias="schema")
    quote_currency: str
    snapshot_time: UnixTime
    stable_price: PositivePrice = 1.0
    underlyings: dict[str, UnderlyingPrice] = Field(min_length=1)
    perpetuals: tuple[PerpetualQuote, ...] = ()
    futures: tuple[FutureQuote, ...] = ()
    options: tuple[OptionDraft, ...] = ()
    tokens: tuple[TokenQuote, ...] = ()

    @field_validator("quote_currency")
    @classmethod
    def _is_a_currency(cls, name: str) -> str:
        return require_kind(name, Cash, "a currency")

    @field_validator("underlyings")
    @classmethod
    def _are_coins(cls, underlyings: dict[str, UnderlyingPrice]) -> dict[str, UnderlyingPrice]:
        for name in underlyings:
            require_kind(name, Cash, "a coin")
        return underlyings

    @property
    def listed(self) -> tuple[PerpetualQuote | FutureQuote | TokenQuote | OptionDraft, ...]:
        """Everything that is listed: perpetuals, futures, tokens, options."""
        return (*self.perpetuals, *self.futures, *self.tokens, *self.options)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = Counter(quote.instrument for quote in self.listed)
        if not names:
            message = "perpetuals, futures, options and tokens are empty: list at least one instrument"
            raise ValueError(message)
        for name, count in names.items():
            if count > 1:
                message = f"instrument = {name!r} is listed {count} times: keep one"
                raise ValueError(message)
        for quote in self.listed:
            self._require_known_and_alive(quote)
        return self

    def _require_known_and_alive(self, quote: AnyQuote | OptionDraft) -> None:
        coin = followed_coin(quote)
        if coin is not None and coin not in self.underlyings:
            known = ", ".join(sorted(self.underlyings))
            message = f"instrument = {quote.instrument!r} is on {coin}, not on {known}: add {coin} to underlyings"
            raise ValueError(message)
        instrument = quote.parsed
        if isinstance(instrument, Future | Option) and instrument.expiry_time <= self.snapshot_time:
            message = f"instrument = {quote.instrument!r} expired before snapshot_time: leave it out"
            raise ValueError(message)
        if instrument == Cash(self.quote_currency):
            message = f"instrument = {quote.instrument!r} is the quote currency, always worth one: leave it out"
            raise ValueError(message)


class MarketSnapshot(MarketDraft):
    """The market at one moment, complete, and without marks that contradict their volatilities."""

    options: tuple[OptionQuote, ...] = ()

    @property
    def quotes(self) -> tuple[AnyQuote, ...]:
        """Everything that is priced: perpetuals, futures, tokens, options."""
        return (*self.perpetuals, *self.futures, *self.tokens, *self.options)

    @model_validator(mode="after")
    def _without_arbitrage(self) -> Self:
        if self.options:
            refuse_impossible(self.options, self.snapshot_time)
        return self

    @model_validator(mode="after")
    def _in_one_unit(self) -> Self:
        index_prices = {coin: price.index_price for coin, price in self.underlyings.items()}
        futures = [(quote, "mark_price", quote.mark_price) for quote in (*self.perpetuals, *self.futures)]
        forwards = [(quote, "forward", quote.forward) for quote in self.options]
        refuse_other_units(
            index_prices,
            ((quote.parsed.coin, quote.instrument, field, price) for quote, field, price in (*futures, *forwards)),
        )
        return self

    @property
    def digest(self) -> bytes:
        """keccak256 of the canonical JSON; 32 bytes that bind a published rule to its market data."""
        return keccak(canonical_json(self.model_dump(mode="json")))


def canonical_json(value: object) -> bytes:
    """JSON with sorted keys, no spaces, shortest round-trip floats; equal values give equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode()


def make_record(record: type[RecordType], source: str, fields: Mapping[str, object]) -> RecordType:
    """Validate fields that a reader put together; ``source`` names where they stand, for errors.

    Raises:
        MarketDataError: a field is missing, unknown or out of range.
    """
    try:
        return record.model_validate(dict(fields))
    except ValidationError as error:
        raise MarketDataError(f"{source}: {describe_finding(error)}") from error


_FINDINGS: Final = {
    "missing": "it is missing; add it",
    "extra_forbidden": "there is no such field; correct its name or remove it",
    "too_short": "{actual_length} are listed; list at least {min_length}",
    "union_tag_not_found": "{discriminator} is missing, which says what it is; add it",
}
"""What to say of some of pydantic's findings instead of its own words."""


def describe_finding(error: ValidationError) -> str:
    """The first of pydantic's findings as one sentence that names field, value and remedy."""
    found = error.errors(include_url=False)
    # A list is also called too short when what is in it cannot be used.
    findings = [one for one in found if one["type"] != "too_short" or not _stands_within(found, one["loc"])]
    finding = findings[0]
    field = ".".join(str(part) for part in finding["loc"])
    value = finding["input"]
    # Of a whole record only the field's name is shown: its validator's message names the value.
    shown = f" = {value!r}" if isinstance(value, str | int | float | None) else ""
    if isinstance(value, date):
        shown = f" = {value}"
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return f"{field}{shown}: {_said(finding)}{more}".removeprefix(": ")


def _stands_within(findings: list[ErrorDetails], place: tuple[int | str, ...]) -> bool:
    return any(len(one["loc"]) > len(place) and one["loc"][: len(place)] == place for one in findings)


def _said(finding: ErrorDetails) -> str:
    """Problem and remedy; validators of this package name their own remedy."""
    if finding["type"] in _FINDINGS:
        return _FINDINGS[finding["type"]].format(**finding.get("ctx", {}))
    if finding["type"] == "value_error":
        return finding["msg"].removeprefix("Value error, ")
    return f"{finding['msg']}; correct it"
