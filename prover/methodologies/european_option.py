"""Prices and greeks of European options under Black-Scholes-Merton, Black-76 among them.

An asset A that yields c, strike K, rate r, volatility σ, time T: F = A·e^((r − c)T), df = e^(−rT), carry factor
cf = e^(−cT); s = σ√T, d1 = ln(F/K)/s + s/2, d2 = d1 − s. Black-76 is A = F with c = r. Source: risk-methods.md,
"Black-76"; E. G. Haug, The Complete Guide to Option Pricing Formulas (1998), chapters 1 and 2, for the greeks.
Greeks are per unit of their variable: vega and rho per 1.0, theta per year and negative where value decays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from scipy.special import ndtr

from prover.market.pricing import MAXIMUM_TOTAL_VOLATILITY, OptionTerms, black76, black76_delta

_SMALLEST: Final = 1e-300


@dataclass(frozen=True, slots=True)
class EuropeanOption:
    """One option and its market.

    Attributes:
        asset: price A ≥ 0 of the asset: a spot price, or the forward itself for Black-76.
        forward: F ≥ 0, quote currency.
        strike: K ≥ 0, quote currency.
        years: T ≥ 0, years of 365 days.
        volatility: σ ≥ 0, fraction per square root of a year.
        rate: r, continuously compounded, per year.
        carry: c, what the asset yields, per year.
        discount: df > 0.
        is_call: true for calls, false for puts.
        on_forward: Black-76: the forward stays where it is when the rate moves.
    """

    asset: float
    forward: float
    strike: float
    years: float
    volatility: float
    rate: float
    carry: float
    discount: float
    is_call: bool
    on_forward: bool

    @property
    def sign(self) -> int:
        """+1 for a call, −1 for a put."""
        return 1 if self.is_call else -1

    @property
    def _terms(self) -> OptionTerms:
        return OptionTerms(self.strike, self.years, self.is_call)

    @property
    def _total_volatility(self) -> float:
        return self.volatility * math.sqrt(self.years)

    @property
    def _carry_factor(self) -> float:
        return self.discount if self.on_forward else math.exp(-self.carry * self.years)

    @property
    def _density(self) -> float:
        """φ(d1); 0 where the price is at a limit and nothing moves any more."""
        total = self._total_volatility
        if not 0 < total < MAXIMUM_TOTAL_VOLATILITY:
            return 0.0
        d1 = math.log(max(self.forward, _SMALLEST) / max(self.strike, _SMALLEST)) / total + total / 2
        return math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi)

    @property
    def price(self) -> float:
        """Value of one unit, quote currency."""
        return float(black76(self._terms, self.forward, self.volatility, discount=self.discount))

    @property
    def undiscounted_delta(self) -> float:
        """N(d1) for a call, N(d1) − 1 for a put."""
        return float(black76_delta(self._terms, self.forward, self.volatility))

    @property
    def delta(self) -> float:
        """∂price/∂A: cf·N(d1) for a call, cf·(N(d1) − 1) for a put."""
        return self._carry_factor * self.undiscounted_delta

    @property
    def gamma(self) -> float:
        """∂²price/∂A² = cf·φ(d1)/(A·s)."""
        density = self._density
        return self._carry_factor * density / (self.asset * self._total_volatility) if density else 0.0

    @property
    def vega(self) -> float:
        """∂price/∂σ = A·cf·φ(d1)·√T."""
        return self.asset * self._carry_factor * self._density * math.sqrt(self.years)

    @property
    def theta(self) -> float:
        """−∂price/∂T, the change in value as a year passes."""
        density = self._density
        decay = (
            self.asset * self._carry_factor * density * self.volatility / (2 * math.sqrt(self.years)) if density else 0
        )
        carried = self.carry * self.asset * self.delta
        return carried - decay - self.rate * self._discounted_strike

    @property
    def rho(self) -> float:
        """∂price/∂r: T·K·df·N(d2) for a call on an asset; −T·price on a forward, which the rate does not move."""
        return -self.years * self.price if self.on_forward else self.years * self._discounted_strike

    @property
    def dividend_rho(self) -> float:
        """∂price/∂c = −T·A·delta."""
        return -self.years * self.asset * self.delta

    @property
    def elasticity(self) -> float:
        """Delta·A/price; 0 for a worthless option."""
        price = self.price
        return self.delta * self.asset / price if price else 0.0

    @property
    def _discounted_strike(self) -> float:
        """±K·df·N(±d2): what exercise pays, weighted and discounted, signed as in the price of a call."""
        total = self._total_volatility
        if total >= MAXIMUM_TOTAL_VOLATILITY:
            return 0.0 if self.is_call else -self.strike * self.discount
        log_moneyness = math.log(max(self.forward, _SMALLEST) / max(self.strike, _SMALLEST))
        d2 = log_moneyness / max(total, _SMALLEST) - total / 2
        return self.sign * self.strike * self.discount * float(ndtr(self.sign * d2))
