"""Option prices and greeks as quoted: Black-76, Black-Scholes-Merton, and Deribit's quotes in coin.

Source of the formulas: risk-methods.md, "Black-76"; see :mod:`prover.methodologies.european_option`. Quantities are
named by what they are, whose they are (``call_``, ``put_``, or neither for the option of ``flag``) and how they are
quoted: ``vega_1pct`` is for one point of volatility, ``theta_1day`` for one day of 365, ``price_coin`` in the asset.
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import AliasChoices, BeforeValidator, Field, model_validator

from prover.errors import MethodologyError
from prover.market.instruments import SECONDS_PER_YEAR
from prover.market.pricing import OptionTerms
from prover.methodologies.european_option import EuropeanOption
from prover.methodologies.inputs import CaseInput, NonNegative, Positive, Quantities, inputs_of, read_input

DAYS_PER_YEAR: Final = 365
PERCENT: Final = 0.01

GREEKS: Final = ("price", "delta", "gamma", "vega", "theta", "rho", "dividend_rho", "elasticity")
"""Attributes of an option that are quantities, each also by side and by quotation."""

MODELS_ON_FORWARD: Final = frozenset({"black76", "black76_inverse_quote"})


def _first_letter(value: object) -> object:
    return value[:1].lower() if isinstance(value, str) else value


class OptionQuote(CaseInput):
    """An option and its market, as cases state them.

    Attributes:
        asset: spot price, or the forward for models on a forward; derived from the forward where it is left out.
        forward: F; from the asset, rate and carry where it is left out.
        strike: K, quote currency.
        t_years: time to expiry; or ``t_seconds``.
        vol: σ; solved from ``price`` (quote currency) or ``price_coin`` where it is left out.
        rate: r; from the discount where it is left out, else 0.
        carry: yield of the asset; for models on a forward it is the rate.
        discount: df; from the rate where it is left out.
        flag: which side the unprefixed quantities mean; the call where it is left out.
    """

    asset: NonNegative | None = Field(None, validation_alias=AliasChoices("spot", "spot_or_forward", "asset"))
    forward: NonNegative | None = None
    strike: NonNegative
    t_years: NonNegative | None = Field(None, validation_alias=AliasChoices("t_years", "tau", "years"))
    t_seconds: NonNegative | None = None
    vol: NonNegative | None = Field(None, validation_alias=AliasChoices("vol", "volatility", "sigma", "iv"))
    price: NonNegative | None = None
    price_coin: NonNegative | None = None
    rate: float | None = None
    carry: float = Field(0.0, validation_alias=AliasChoices("carry_q", "carry", "dividend_yield"))
    discount: Positive | None = None
    flag: Annotated[Literal["c", "p"], BeforeValidator(_first_letter)] = "c"

    @model_validator(mode="after")
    def _has_time_and_price(self) -> Self:
        if self.t_years is None and self.t_seconds is None:
            raise ValueError("state the time to expiry, t_years or t_seconds")
        if self.asset is None and self.forward is None:
            raise ValueError("state the forward or the spot price")
        return self

    @property
    def years(self) -> float:
        """T, years of 365 days."""
        return self.t_years if self.t_years is not None else (self.t_seconds or 0.0) / SECONDS_PER_YEAR


def option_of(quote: OptionQuote, *, on_forward: bool) -> EuropeanOption:
    """The option of a quote, with what was left out filled in.

    Raises:
        MethodologyError: neither a volatility nor a price that one explains.
    """
    years = quote.years
    rate, discount = _rate_and_discount(quote, years)
    carry = rate if on_forward else quote.carry
    growth = 1.0 if on_forward else math.exp((rate - carry) * years)
    forward = quote.forward if quote.forward is not None else (quote.asset or 0.0) * growth
    is_call = quote.flag == "c"
    return EuropeanOption(
        asset=forward if on_forward or quote.asset is None else quote.asset,
        forward=forward,
        strike=quote.strike,
        years=years,
        volatility=quote.vol if quote.vol is not None else _solved_volatility(quote, forward, discount),
        rate=rate,
        carry=carry,
        discount=discount,
        is_call=is_call,
        on_forward=on_forward,
    )


def quantities_of(option: EuropeanOption) -> dict[str, float]:
    """Every quantity of an option under every name it is quoted by."""
    quoted: dict[str, float] = dict.fromkeys(("vol", "iv", "implied_vol", "implied_volatility"), option.volatility)
    sides = {"": option.is_call, "call_": True, "put_": False}
    for prefix, is_call in sides.items():
        side = dataclasses.replace(option, is_call=is_call)
        for greek in GREEKS:
            value = getattr(side, greek)
            quoted |= {f"{prefix}{greek}{suffix}": value * scale for suffix, scale in _quotations(option)}
        quoted[f"{prefix}delta_undiscounted"] = side.undiscounted_delta
        quoted[f"undiscounted_{prefix[:-1] or 'price'}"] = side.price / option.discount
        if prefix:
            quoted |= {f"{prefix[:-1]}{suffix}": side.price * scale for suffix, scale in _quotations(option)}
    return quoted


def evaluate(case: Mapping[str, object]) -> Quantities:
    """Prices and greeks of a case of any model of this module.

    Raises:
        MethodologyError: a field is missing or out of range.
    """
    model = case.get("model", case.get("methodology"))
    return quantities_of(option_of(read_input(OptionQuote, inputs_of(case)), on_forward=model in MODELS_ON_FORWARD))


def _rate_and_discount(quote: OptionQuote, years: float) -> tuple[float, float]:
    if quote.rate is not None:
        return quote.rate, quote.discount if quote.discount is not None else math.exp(-quote.rate * years)
    if quote.discount is None:
        return 0.0, 1.0
    return (-math.log(quote.discount) / years if years else 0.0), quote.discount


def _solved_volatility(quote: OptionQuote, forward: float, discount: float) -> float:
    from prover.market.implied_volatility import implied_volatility  # noqa: PLC0415 - half a second, which few cases need

    price = quote.price if quote.price_coin is None else quote.price_coin * forward
    if price is None or quote.years == 0:
        raise MethodologyError("vol is missing; state it, or the price (price, price_coin) of an option still alive")
    terms = OptionTerms(quote.strike, quote.years, quote.flag == "c")
    solved = float(implied_volatility(terms, forward, price / discount))
    if math.isnan(solved):
        raise MethodologyError(f"price = {price!r}: no volatility explains it; check strike, forward and flag")
    return solved


def _quotations(option: EuropeanOption) -> Iterator[tuple[str, float]]:
    yield from (("", 1.0), ("_usd", 1.0), ("_per_1.0", 1.0), ("_per_1", 1.0), ("_per_year", 1.0))
    yield from (("_1pct", PERCENT), ("_1pct_usd", PERCENT))
    yield from ((f"_{day}", 1 / DAYS_PER_YEAR) for day in ("1day", "1day_usd", "per_day"))
    yield "_undiscounted", 1 / option.discount
    if option.forward:
        yield "_coin", 1 / option.forward
