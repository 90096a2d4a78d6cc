"""Derive portfolio margin (PMRM), version 1: net margin, positive = healthy, quote currency.

Source of formulas and constants: risk-methods.md, "Derive PMRM, version 1". As version 2 with these differences:
prices are undiscounted; only what an expiry is worth above zero is discounted statically; the static contingency
belongs to what the initial factor multiplies; the base asset is the only collateral.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from pydantic import Field

from prover.errors import MethodologyError
from prover.methodologies.derive_expiry import (
    ConfidenceTerms,
    Expiry,
    ExpiryMarket,
    OptionPosition,
    Scenario,
    VolatilityMove,
    VolatilityShocks,
    group_by_expiry,
)
from prover.methodologies.inputs import CaseInput, NonNegative, Positive, Quantities, read_input

DEFAULT_SCENARIOS: Final = tuple(
    Scenario(spot=spot, vol=move)
    for spot in (1.15, 1.1, 1.05, 1.0, 0.95, 0.9, 0.85)
    for move in (VolatilityMove.UP, VolatilityMove.NONE, VolatilityMove.DOWN)
)
"""The published scenarios, in their order."""


class Pmrm1Parameters(VolatilityShocks, ConfidenceTerms):
    """Constants of the method; defaults are the published ones. Rates are per year, percentages fractions."""

    vol_range_up: NonNegative = 0.45
    vol_range_down: NonNegative = 0.3
    im_factor: NonNegative = 1.3
    base_static_discount: NonNegative = 0.95
    rate_mult_scale: float = 4.0
    rate_add_scale: float = 0.05
    basis_spot_up: NonNegative = 1.05
    basis_spot_down: NonNegative = 0.95
    basis_add_factor: float = 0.25
    basis_mult_factor: float = 0.01
    base_pct: NonNegative = 0.02
    perp_pct: NonNegative = 0.02
    option_pct: NonNegative = 0.01
    peg_loss_threshold: NonNegative = 0.98
    peg_loss_factor: NonNegative = 2.0
    conf_threshold: NonNegative = 0.6
    conf_margin: NonNegative = 0.5


class Pmrm1Market(CaseInput):
    """Feeds: prices in quote currency, confidences 0 to 1; a confidence left out is full confidence."""

    spot: NonNegative
    spot_conf: NonNegative = 1.0
    perp_price: NonNegative | None = None
    perp_conf: NonNegative = 1.0
    stable_price: Positive = 1.0
    expiries: tuple[ExpiryMarket, ...] = ()


class Pmrm1Portfolio(CaseInput):
    """Holdings; quantities positive = long, the base asset cannot be short; cash and P&L in quote currency."""

    cash: float = 0.0
    perp_qty: float = 0.0
    perp_unrealised: float = 0.0
    base_qty: NonNegative = 0.0
    options: tuple[OptionPosition, ...] = ()


class Pmrm1Case(CaseInput):
    """Everything that the margin depends on."""

    market: Pmrm1Market
    portfolio: Pmrm1Portfolio
    params: Pmrm1Parameters = Pmrm1Parameters()
    scenarios: tuple[Scenario, ...] = Field(default=DEFAULT_SCENARIOS, min_length=1)


@dataclass(frozen=True, slots=True)
class Pmrm1Margin:
    """Net margins and their parts, quote currency; P&L negative where it costs.

    Attributes:
        initial, maintenance: net margins, positive = healthy.
        value: mark-to-market without cash.
        basis_contingency: not positive.
        static_contingency, confidence_contingency: subtracted.
        scenario_pnl: by scenario.
    """

    initial: float
    maintenance: float
    value: float
    basis_contingency: float
    static_contingency: float
    confidence_contingency: float
    scenario_pnl: tuple[float, ...]


def margin(case: Pmrm1Case) -> Pmrm1Margin:
    """Net margins of a portfolio.

    Raises:
        MethodologyError: feeds are missing for something held.
    """
    market, parameters, portfolio = case.market, case.params, case.portfolio
    if portfolio.perp_qty and market.perp_price is None:
        raise MethodologyError("market.perp_price is missing and a perpetual is held; add it")
    expiries = group_by_expiry(portfolio.options, market.expiries, discounting="none")
    base_value = portfolio.base_qty * market.spot / market.stable_price
    pnl = tuple(_scenario_pnl(case, expiries, base_value, scenario) for scenario in case.scenarios)
    basis = sum(_basis(expiry, parameters) for expiry in expiries)
    static = _static_contingency(case, expiries)
    loss = min(*pnl, basis) - static
    value = sum(expiry.value for expiry in expiries) + base_value + portfolio.perp_unrealised
    depeg = max(0.0, parameters.peg_loss_threshold - market.stable_price) * parameters.peg_loss_factor
    confidence = _confidence_contingency(case, expiries)
    return Pmrm1Margin(
        initial=loss * (parameters.im_factor + depeg) - confidence + value + portfolio.cash,
        maintenance=loss + value + portfolio.cash,
        value=value,
        basis_contingency=basis,
        static_contingency=static,
        confidence_contingency=confidence,
        scenario_pnl=pnl,
    )


def evaluate(case: Mapping[str, object]) -> Quantities:
    """The quantities of a case, by the names of the case files.

    Raises:
        MethodologyError: a field is missing or out of range.
    """
    result = margin(read_input(Pmrm1Case, case))
    return {
        "im": result.initial,
        "mm": result.maintenance,
        "mtm_ex_cash": result.value,
        "basis_contingency": result.basis_contingency,
        "static_contingency": result.static_contingency,
        "confidence_contingency": result.confidence_contingency,
        "scenario_pnl": result.scenario_pnl,
    }


def _scenario_pnl(case: Pmrm1Case, expiries: Sequence[Expiry], base_value: float, scenario: Scenario) -> float:
    if scenario.vol not in {VolatilityMove.UP, VolatilityMove.NONE, VolatilityMove.DOWN}:
        raise MethodologyError(f"scenario vol = {scenario.vol.value!r}: version 1 knows up, none and down")
    moving = case.portfolio.perp_qty * (case.market.perp_price or 0.0) + base_value
    total = moving * (scenario.spot - 1)
    for expiry in expiries:
        shocked = expiry.shocked_value(scenario.spot, expiry.moved_volatilities(scenario.vol, case.params))
        total += _statically_discounted(shocked, expiry, case.params) - expiry.value
    return total * scenario.dampening


def _statically_discounted(value: float, expiry: Expiry, parameters: Pmrm1Parameters) -> float:
    if value <= 0:
        return value
    rate = expiry.rate * parameters.rate_mult_scale + parameters.rate_add_scale
    return value * parameters.base_static_discount * float(np.exp(-expiry.years * rate))


def _basis(expiry: Expiry, parameters: Pmrm1Parameters) -> float:
    factor = parameters.basis_add_factor + parameters.basis_mult_factor * expiry.years
    return expiry.basis_loss(parameters.basis_spot_down, parameters.basis_spot_up) * factor


def _static_contingency(case: Pmrm1Case, expiries: Sequence[Expiry]) -> float:
    parameters, portfolio = case.params, case.portfolio
    perpetual = abs(portfolio.perp_qty) * parameters.perp_pct
    base = portfolio.base_qty * parameters.base_pct
    naked = sum(expiry.naked_shorts for expiry in expiries) * parameters.option_pct
    return case.market.spot * (perpetual + base + naked)


def _confidence_contingency(case: Pmrm1Case, expiries: Sequence[Expiry]) -> float:
    market, perpetuals = case.market, abs(case.portfolio.perp_qty)
    common = min(market.spot_conf, market.perp_conf) if perpetuals else market.spot_conf
    charge = case.params.confidence_charge
    total = charge(common, (perpetuals + case.portfolio.base_qty) * market.spot)
    return total + sum(
        charge(min(common, expiry.confidence), expiry.gross_quantity * market.spot) for expiry in expiries
    )
