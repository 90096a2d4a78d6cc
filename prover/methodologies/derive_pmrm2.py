"""Derive portfolio margin (PMRM), version 2: net margin, positive = healthy, quote currency.

Source of formulas and constants: risk-methods.md, "Derive PMRM, version 2". Worst is the least of the scenarios'
P&L and the basis contingency; initial margin = worst·(factor + depeg) − charges + value, maintenance margin the same
with its own factor and without the initial charges. Charges are of unshocked notionals: perpetuals, naked short
options per strike, haircuts on collateral, and low confidence of feeds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
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

SKEWS: Final = frozenset({VolatilityMove.LINEAR, VolatilityMove.ABSOLUTE})

_SMALLEST: Final = 1e-300
_NARROWEST: Final = 1e-100
"""Stands in for k* = 0: every strike but the one at the money is then at the cap."""

_GRID_MOVES: Final = (VolatilityMove.DOWN, VolatilityMove.NONE, VolatilityMove.UP)
_TAIL_MOVES: Final = (-0.66, -0.33, 0.5, 1.0, 2.0, 3.0)
_TAIL_WEIGHT: Final = 0.2
_RANGE: Final = 0.18
_GRID_SPOTS: Final = (1.135, 1.09, 1.045, 1.0, 0.955, 0.91, 0.865)

DEFAULT_SCENARIOS: Final = (
    Scenario(spot=1.18, vol=VolatilityMove.UP),
    *(Scenario(spot=spot, vol=move) for spot in _GRID_SPOTS for move in _GRID_MOVES),
    Scenario(spot=0.82, vol=VolatilityMove.UP),
    *(
        Scenario(spot=1 + move, vol=VolatilityMove.UP, dampening=_TAIL_WEIGHT * _RANGE / abs(move))
        for move in _TAIL_MOVES
    ),
    Scenario(spot=1.0, vol=VolatilityMove.LINEAR),
    Scenario(spot=1.0, vol=VolatilityMove.ABSOLUTE),
)
"""The published scenarios, in their order; a tail counts a fifth of what its move exceeds the range by."""


class Pmrm2Parameters(VolatilityShocks, ConfidenceTerms):
    """Constants of the method; defaults are the common published ones. Rates are per year, percentages fractions."""

    vol_range_up: NonNegative = 0.5
    vol_range_down: NonNegative = 0.275
    min_vol_up_shock: NonNegative = 0.45
    im_factor: NonNegative = 1.0
    mm_factor: NonNegative = 0.8
    long_base_static_discount: NonNegative = 0.95
    long_rate_mult: float = 1.0
    long_rate_add: float = 0.08
    short_base_static_discount: NonNegative = 1.04
    short_rate_mult: float = 0.5
    short_rate_add: float = 0.08
    basis_spot_up: NonNegative = 1.045
    basis_spot_down: NonNegative = 0.955
    basis_add_factor: float = 0.5
    basis_mult_factor: float = 2.0
    peg_loss_threshold: NonNegative = 0.98
    peg_loss_factor: NonNegative = 2.0
    conf_threshold: NonNegative = 0.55
    conf_margin: NonNegative = 1.0
    mm_perp_pct: NonNegative = 0.015
    im_perp_pct: NonNegative = 0.005
    mm_option_pct: NonNegative = 0.003
    im_option_pct: NonNegative = 0.002
    linear_base_cap: float = 0.15
    linear_c_base: float = -0.05
    abs_base_cap: float = 0.15
    abs_c_base: float = -0.05
    min_k_star: NonNegative = 0.01
    width_scale: float = 4.0
    vol_param_static: float = 0.6
    vol_param_scale: float = -0.1


class Pmrm2Market(CaseInput):
    """Feeds: prices in quote currency, confidences 0 to 1; a confidence left out is full confidence."""

    spot: NonNegative
    spot_conf: NonNegative = 1.0
    perp_price: NonNegative | None = None
    perp_conf: NonNegative = 1.0
    stable_price: Positive = 1.0
    expiries: tuple[ExpiryMarket, ...] = ()


class Collateral(CaseInput):
    """A token held.

    Attributes:
        qty: units.
        price: quote currency; its worth is counted in the stable coin.
        conf: confidence of its feed.
        risk_cancelling: whether it moves with spot in the scenarios.
        im_haircut, mm_haircut: fractions of its worth; the first is charged on top of the second.
    """

    name: str = ""
    qty: float
    price: NonNegative
    conf: NonNegative = 1.0
    risk_cancelling: bool = False
    im_haircut: float = 0.0
    mm_haircut: float = 0.0


class Pmrm2Portfolio(CaseInput):
    """Holdings; quantities positive = long, cash and unrealised P&L in quote currency."""

    cash: float = 0.0
    perp_qty: float = 0.0
    perp_unrealised: float = 0.0
    collateral: tuple[Collateral, ...] = ()
    options: tuple[OptionPosition, ...] = ()


class Pmrm2Case(CaseInput):
    """Everything that the margin depends on."""

    market: Pmrm2Market
    portfolio: Pmrm2Portfolio
    params: Pmrm2Parameters = Pmrm2Parameters()
    scenarios: tuple[Scenario, ...] = Field(default=DEFAULT_SCENARIOS, min_length=1)


@dataclass(frozen=True, slots=True)
class Pmrm2Margin:
    """Net margins and their parts, quote currency; P&L and contingencies negative where they cost.

    Attributes:
        initial, maintenance: net margins, positive = healthy.
        option_value, collateral_value: mark-to-market.
        basis_contingency: not positive.
        scenario_pnl: by scenario, dampened.
        initial_charges, maintenance_charges: subtracted; the first on top of the second.
    """

    initial: float
    maintenance: float
    option_value: float
    collateral_value: float
    basis_contingency: float
    scenario_pnl: tuple[float, ...]
    initial_charges: float
    maintenance_charges: float

    @property
    def worst(self) -> float:
        """The least scenario P&L, basis contingency included."""
        return min(*self.scenario_pnl, self.basis_contingency)


def margin(case: Pmrm2Case) -> Pmrm2Margin:
    """Net margins of a portfolio.

    Raises:
        MethodologyError: feeds are missing for something held.
    """
    market, parameters, portfolio = case.market, case.params, case.portfolio
    if portfolio.perp_qty and market.perp_price is None:
        raise MethodologyError("market.perp_price is missing and a perpetual is held; add it")
    expiries = group_by_expiry(portfolio.options, market.expiries, discounting="rate")
    worths = [token.qty * token.price / market.stable_price for token in portfolio.collateral]
    pnl = tuple(scenario_pnl(case, expiries, worths, scenario) for scenario in case.scenarios)
    basis = sum(_basis(expiry, parameters) for expiry in expiries)
    worst = min(*pnl, basis)
    option_value = sum(expiry.value for expiry in expiries)
    value = option_value + sum(worths) + portfolio.perp_unrealised + portfolio.cash
    depeg = max(0.0, parameters.peg_loss_threshold - market.stable_price) * parameters.peg_loss_factor
    maintenance_charges = _notional_charges(case, expiries, worths, "mm")
    initial_charges = _notional_charges(case, expiries, worths, "im") + _confidence_charges(case, expiries, worths)
    return Pmrm2Margin(
        initial=worst * (parameters.im_factor + depeg) - initial_charges - maintenance_charges + value,
        maintenance=worst * parameters.mm_factor - maintenance_charges + value,
        option_value=option_value,
        collateral_value=sum(worths),
        basis_contingency=basis,
        scenario_pnl=pnl,
        initial_charges=initial_charges,
        maintenance_charges=maintenance_charges,
    )


def scenario_pnl(case: Pmrm2Case, expiries: Sequence[Expiry], worths: Sequence[float], scenario: Scenario) -> float:
    """P&L of one scenario, static discount included, dampened; a skew costs every expiry its absolute change."""
    total = 0.0
    for expiry in expiries:
        if scenario.vol in SKEWS:
            shocked = expiry.shocked_value(1.0, skewed_volatilities(expiry, case.params, scenario.vol))
            total -= abs(_statically_discounted(shocked, expiry, case.params) - expiry.value)
        else:
            lowest = case.params.min_vol_up_shock
            volatilities = expiry.moved_volatilities(scenario.vol, case.params, lowest_up=lowest)
            shocked = expiry.shocked_value(scenario.spot, volatilities)
            total += _statically_discounted(shocked, expiry, case.params) - expiry.value
    cancelling = sum(
        worth for worth, token in zip(worths, case.portfolio.collateral, strict=True) if token.risk_cancelling
    )
    moving = case.portfolio.perp_qty * (case.market.perp_price or 0.0) + cancelling
    return (total + moving * (scenario.spot - 1)) * scenario.dampening


def skewed_volatilities(expiry: Expiry, parameters: Pmrm2Parameters, skew: VolatilityMove) -> NDArray[np.float64]:
    """σ·max(0, 1 + shift), shift = k·cap/k* held to cap where k ≥ 0 and to −cap where k < 0; k = ln(K/F) or |k|."""
    linear = skew is VolatilityMove.LINEAR
    base, slope = (
        (parameters.linear_base_cap, parameters.linear_c_base)
        if linear
        else (parameters.abs_base_cap, parameters.abs_c_base)
    )
    root = float(np.sqrt(expiry.years))
    cap = slope * root + base
    width = parameters.vol_param_static + parameters.vol_param_scale * root
    flat_from = max(parameters.min_k_star, root * parameters.width_scale * width, _NARROWEST)
    log_moneyness = np.log(np.maximum(expiry.strikes, _SMALLEST)) - np.log(max(expiry.forward, _SMALLEST))
    distance = log_moneyness if linear else np.abs(log_moneyness)
    shift = distance * cap / flat_from
    held = np.where(distance >= 0, np.minimum(cap, shift), np.maximum(-cap, shift))
    return np.asarray(expiry.volatilities * np.maximum(0.0, 1 + held), dtype=np.float64)


def evaluate(case: Mapping[str, object]) -> Quantities:
    """The quantities of a case, by the names of the case files.

    Raises:
        MethodologyError: a field is missing or out of range.
    """
    result = margin(read_input(Pmrm2Case, case))
    return {
        "im": result.initial,
        "mm": result.maintenance,
        "option_mtm": result.option_value,
        "collateral_mtm": result.collateral_value,
        "basis_contingency": result.basis_contingency,
        "scenario_pnl": result.scenario_pnl,
        "worst": result.worst,
        "im_contingency": result.initial_charges,
        "mm_contingency": result.maintenance_charges,
    }


def _statically_discounted(value: float, expiry: Expiry, parameters: Pmrm2Parameters) -> float:
    """Long value shrunk, short value grown, by factors of time and rate; the growth undoes at most the discount."""
    if value >= 0:
        rate = expiry.rate * parameters.long_rate_mult + parameters.long_rate_add
        return value * parameters.long_base_static_discount * float(np.exp(-expiry.years * rate))
    rate = expiry.rate * parameters.short_rate_mult + parameters.short_rate_add
    growth = parameters.short_base_static_discount * float(np.exp(expiry.years * rate))
    return value * min(1 / expiry.discount, growth)


def _basis(expiry: Expiry, parameters: Pmrm2Parameters) -> float:
    factor = parameters.basis_add_factor + parameters.basis_mult_factor * expiry.years
    return expiry.basis_loss(parameters.basis_spot_down, parameters.basis_spot_up) * factor


def _notional_charges(
    case: Pmrm2Case, expiries: Sequence[Expiry], worths: Sequence[float], kind: Literal["im", "mm"]
) -> float:
    initial = kind == "im"
    parameters, portfolio, spot = case.params, case.portfolio, case.market.spot
    perpetual = abs(portfolio.perp_qty) * spot * (parameters.im_perp_pct if initial else parameters.mm_perp_pct)
    naked = sum(expiry.naked_shorts for expiry in expiries) * spot
    options = naked * (parameters.im_option_pct if initial else parameters.mm_option_pct)
    haircuts = (token.im_haircut if initial else token.mm_haircut for token in portfolio.collateral)
    return perpetual + options + sum(worth * cut for worth, cut in zip(worths, haircuts, strict=True))


def _confidence_charges(case: Pmrm2Case, expiries: Sequence[Expiry], worths: Sequence[float]) -> float:
    market, parameters, perpetuals = case.market, case.params, abs(case.portfolio.perp_qty)
    common = min(market.spot_conf, market.perp_conf) if perpetuals else market.spot_conf
    charge = parameters.confidence_charge
    total = charge(common, perpetuals * market.spot)
    total += sum(charge(min(common, expiry.confidence), expiry.gross_quantity * market.spot) for expiry in expiries)
    tokens = zip(worths, case.portfolio.collateral, strict=True)
    return total + sum(charge(min(token.conf, market.spot_conf), worth) for worth, token in tokens)
