"""What both versions of Derive's portfolio margin share: expiries with their options, volatility shocks, thresholds.

Source: risk-methods.md, "Derive PMRM, version 2" and "version 1". P&L positive = gain; quantities positive = long.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AliasChoices, BeforeValidator, Field

from prover.errors import MethodologyError
from prover.market.instruments import SECONDS_PER_YEAR
from prover.market.pricing import OptionTerms, black76
from prover.methodologies.inputs import CaseInput, NonNegative

SECONDS_PER_DAY: Final = 86400
THIRTY_DAYS: Final = 30 * SECONDS_PER_DAY


class VolatilityMove(StrEnum):
    """How a scenario moves volatilities."""

    UP = "up"
    NONE = "none"
    DOWN = "down"
    LINEAR = "linear"
    ABSOLUTE = "abs"


def _lower_case(value: object) -> object:
    return "none" if value is None else value.lower() if isinstance(value, str) else value


Move = Annotated[VolatilityMove, BeforeValidator(_lower_case)]


class Scenario(CaseInput):
    """One stress.

    Attributes:
        spot: factor on the spot price, 1 for no move.
        vol: move of volatilities.
        dampening: fraction of the P&L that counts.
    """

    spot: NonNegative
    vol: Move = VolatilityMove.NONE
    dampening: float = 1.0


class ExpiryMarket(CaseInput):
    """Feeds of one expiry; a confidence left out is full confidence.

    Attributes:
        expiry_sec: seconds to expiry.
        forward_variable: part of the forward that moves with spot, quote currency.
        forward_fixed: part that does not.
        rate: interest rate, per year.
        forward_conf, rate_conf, vol_conf: confidences, 0 to 1.
    """

    expiry_sec: float
    forward_variable: NonNegative = Field(validation_alias=AliasChoices("forward_variable", "forward"))
    forward_fixed: NonNegative = 0.0
    forward_conf: NonNegative = 1.0
    rate: float = 0.0
    rate_conf: NonNegative = 1.0
    vol_conf: NonNegative = 1.0


class OptionPosition(CaseInput):
    """Options of one strike.

    Attributes:
        expiry_sec: seconds to expiry.
        strike: quote currency.
        is_call: true for calls.
        qty: positive = long.
        vol: marked volatility, fraction.
    """

    expiry_sec: float
    strike: NonNegative
    is_call: bool
    qty: float
    vol: NonNegative


class VolatilityShocks(CaseInput):
    """Constants of the volatility shocks, with the published values as defaults.

    Attributes:
        vol_range_up, vol_range_down: relative shocks at 30 days.
        short_term_power, long_term_power: exponents of the term factor up to 30 days and beyond.
        dte_floor_days: fewer days than these count as so many.
    """

    vol_range_up: NonNegative
    vol_range_down: NonNegative
    short_term_power: float = 0.3
    long_term_power: float = 0.13
    dte_floor_days: NonNegative = 1.0

    def term_factor(self, seconds: float) -> float:
        """The factor m = (30 d / max(time to expiry, floor))^p."""
        power = self.short_term_power if seconds <= THIRTY_DAYS else self.long_term_power
        floored = max(seconds, self.dte_floor_days * SECONDS_PER_DAY)
        if floored == 0:
            raise MethodologyError(
                "dte_floor_days = 0 with an option at expiry: the shock has no bound; raise the floor"
            )
        return float((THIRTY_DAYS / floored) ** power)


@dataclass(frozen=True, slots=True, eq=False)
class Expiry:
    """The options of one expiry, with its feeds.

    Attributes:
        market: feeds.
        seconds, years: time to expiry, at least 0.
        rate: interest rate, at least 0.
        discount: factor on option prices.
        strikes, quantities, volatilities: by option; quote currency, positive = long, fractions.
        is_call: by option.
    """

    market: ExpiryMarket
    seconds: float
    years: float
    rate: float
    discount: float
    strikes: NDArray[np.float64]
    quantities: NDArray[np.float64]
    volatilities: NDArray[np.float64]
    is_call: NDArray[np.bool_]

    @property
    def forward(self) -> float:
        """Unshocked forward, quote currency."""
        return self.market.forward_variable + self.market.forward_fixed

    @property
    def value(self) -> float:
        """Mark-to-market value M = Σ q·price, quote currency."""
        return self.shocked_value(1.0, self.volatilities)

    def shocked_value(self, spot: float, volatilities: NDArray[np.float64]) -> float:
        """Value after a move of spot by a factor, under other volatilities; not discounted statically."""
        forward = self.market.forward_variable * spot + self.market.forward_fixed
        terms = OptionTerms(self.strikes, self.years, self.is_call)
        prices = black76(terms, forward, volatilities, discount=self.discount)
        return float(self.quantities @ prices)

    def moved_volatilities(
        self, move: VolatilityMove, shocks: VolatilityShocks, *, lowest_up: float = 0.0
    ) -> NDArray[np.float64]:
        """Volatilities after a parallel move; a move up ends no lower than ``lowest_up``."""
        if move is VolatilityMove.NONE:
            return self.volatilities
        factor = shocks.term_factor(self.seconds)
        if move is VolatilityMove.UP:
            return np.maximum(lowest_up, self.volatilities * (1 + shocks.vol_range_up * factor))
        return self.volatilities * max(0.0, 1 - shocks.vol_range_down * factor)

    def basis_loss(self, down: float, up: float) -> float:
        """min(ΔM(up), ΔM(down), 0): what a move of the forward alone may cost, quote currency, not positive."""
        moves = (self.shocked_value(spot, self.volatilities) - self.value for spot in (up, down))
        return min(*moves, 0.0)

    @property
    def gross_quantity(self) -> float:
        """Σ|q|."""
        return float(np.abs(self.quantities).sum())

    @property
    def naked_shorts(self) -> float:
        """Σ over strikes of max(0, −(calls + puts))."""
        _, strike_index = np.unique(self.strikes, return_inverse=True)
        net = np.bincount(strike_index, weights=self.quantities)
        return float(np.maximum(-net, 0.0).sum())

    @property
    def confidence(self) -> float:
        """The least of the expiry's own confidences."""
        return min(self.market.forward_conf, self.market.rate_conf, self.market.vol_conf)


class ConfidenceTerms(CaseInput):
    """Charge for feeds of low confidence.

    Attributes:
        conf_threshold: below it a feed is charged.
        conf_margin: factor of the charge.
    """

    conf_threshold: NonNegative
    conf_margin: NonNegative

    def confidence_charge(self, confidence: float, notional: float) -> float:
        """(1 − confidence)·factor·notional below the threshold, else 0; quote currency."""
        return (1 - confidence) * self.conf_margin * notional if confidence < self.conf_threshold else 0.0


def group_by_expiry(
    options: Sequence[OptionPosition], markets: Sequence[ExpiryMarket], *, discounting: Literal["rate", "none"]
) -> tuple[Expiry, ...]:
    """The portfolio by expiry, in the order of first appearance; expired options are worth their intrinsic value.

    Raises:
        MethodologyError: an option's expiry has no feeds.
    """
    feeds = {market.expiry_sec: market for market in markets}
    groups: dict[float, list[OptionPosition]] = {}
    for option in options:
        if option.expiry_sec not in feeds:
            raise MethodologyError(f"option expiry_sec = {option.expiry_sec!r}: no feeds; add it to market.expiries")
        groups.setdefault(option.expiry_sec, []).append(option)
    return tuple(_expiry(feeds[seconds], group, discounting) for seconds, group in groups.items())


def _expiry(market: ExpiryMarket, options: Sequence[OptionPosition], discounting: Literal["rate", "none"]) -> Expiry:
    seconds = max(market.expiry_sec, 0.0)
    years = seconds / SECONDS_PER_YEAR
    rate = max(market.rate, 0.0)
    return Expiry(
        market=market,
        seconds=seconds,
        years=years,
        rate=rate,
        discount=float(np.exp(-rate * years)) if discounting == "rate" else 1.0,
        strikes=np.array([option.strike for option in options]),
        quantities=np.array([option.qty for option in options]),
        volatilities=np.array([option.vol for option in options]),
        is_call=np.array([option.is_call for option in options]),
    )
