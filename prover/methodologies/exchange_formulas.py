"""Closed formulas of single positions from exchanges' help pages; amounts positive = to be deposited.

Source: the published examples themselves, each formula stated in its function; risk-methods.md does not list them.
"""

import math
from collections.abc import Mapping
from typing import Final

from pydantic import AliasChoices, Field

from prover.methodologies.inputs import CaseInput, NonNegative, Positive, Quantities, inputs_of, read_input

DAYS_PER_YEAR: Final = 365


class SlopedMargin(CaseInput):
    """A perpetual whose margin rate grows with size: rate = base + slope·|position|.

    Attributes:
        position: units of the underlying, positive = long.
        index_price: quote currency.
        im_base, mm_base: rates of the smallest position; the second is half of the first where it is left out.
        slope_per_unit: added rate of each unit.
    """

    position: float
    index_price: Positive
    im_base: NonNegative
    mm_base: NonNegative | None = None
    slope_per_unit: NonNegative = 0.0

    def margin(self, base: float) -> float:
        """Margin in units of the underlying."""
        size = abs(self.position)
        return (base + self.slope_per_unit * size) * size


def deribit_linear_perpetual(case: Mapping[str, object]) -> Quantities:
    """Deribit standard margin of a linear perpetual: (base + slope·|position|)·|position|·index, quote currency."""
    position = read_input(SlopedMargin, inputs_of(case))
    keeping = position.mm_base if position.mm_base is not None else position.im_base / 2
    return {
        "initial_margin": position.margin(position.im_base) * position.index_price,
        "maintenance_margin": position.margin(keeping) * position.index_price,
    }


def deribit_inverse_perpetual(case: Mapping[str, object]) -> Quantities:
    """Deribit standard margin of an inverse perpetual, the same in coin: (base + slope·|position|)·|position|."""
    position = read_input(SlopedMargin, inputs_of(case))
    keeping = position.mm_base if position.mm_base is not None else position.im_base / 2
    return {"initial_margin": position.margin(position.im_base), "maintenance_margin": position.margin(keeping)}


class BybitOption(CaseInput):
    """An option under Bybit's cross margin; prices in quote currency, factors of the index price."""

    qty: float
    index: Positive
    strike: NonNegative
    is_call: bool
    entry_price: NonNegative = 0.0
    mark_price: NonNegative
    max_im_factor: NonNegative = 0.15
    min_im_factor: NonNegative = 0.1
    mm_factor: NonNegative = 0.03
    liquidation_fee_rate: NonNegative = 0.002


def bybit_option(case: Mapping[str, object]) -> Quantities:
    """Bybit cross margin of a short option; a long one needs none beyond its premium.

    MM = (max(mmf·index, mmf·mark) + mark + fee·index)·|q|;
    IM = max((max(maxf·index − OTM, minf·index) + max(entry, mark))·|q|, MM).
    """
    option = read_input(BybitOption, inputs_of(case))
    size = max(0.0, -option.qty)
    out_of_the_money = max(0.0, option.strike - option.index if option.is_call else option.index - option.strike)
    floor = option.mm_factor * max(option.index, option.mark_price)
    keeping = (floor + option.mark_price + option.liquidation_fee_rate * option.index) * size
    opening = max(option.max_im_factor * option.index - out_of_the_money, option.min_im_factor * option.index)
    initial = (opening + max(option.entry_price, option.mark_price)) * size
    return {"maintenance_margin": keeping, "initial_margin": max(initial, keeping)}


class OpynVault(CaseInput):
    """A naked short option: prices in quote currency, ``upper_bound_value`` and ``spot_shock`` fractions."""

    is_put: bool
    strike: Positive
    spot: Positive
    qty: NonNegative
    upper_bound_value: NonNegative
    spot_shock: Positive


def opyn_naked_margin(case: Mapping[str, object]) -> Quantities:
    """Opyn Gamma's naked margin, ub = upper bound of value, sh = shock of spot.

    Put, in quote currency: q·(ub·min(K, sh·S) + max(K − sh·S, 0));
    call, in the underlying: q·(ub·min(1, K·sh/S) + max(1 − K·sh/S, 0)).
    """
    vault = read_input(OpynVault, inputs_of(case))
    shocked = vault.spot * vault.spot_shock if vault.is_put else vault.strike * vault.spot_shock / vault.spot
    whole, covered = (vault.strike, shocked) if vault.is_put else (1.0, shocked)
    need = vault.upper_bound_value * min(whole, covered) + max(whole - covered, 0.0)
    return {"margin": vault.qty * need, "unit": "USD" if vault.is_put else "underlying"}


class TieredCharge(CaseInput):
    """A size and tiers of (upper bound, rate); what exceeds the last bound pays the last rate."""

    size: NonNegative = Field(validation_alias=AliasChoices("hedge_size_usd", "size_usd", "size"))
    tiers: tuple[tuple[NonNegative, float], ...] = Field(min_length=1)


def tiered_marginal_charge(case: Mapping[str, object]) -> Quantities:
    """Charge on a size by slices: each rate applies between consecutive bounds; in the currency of the size."""
    inputs = read_input(TieredCharge, inputs_of(case))
    charge, reached = 0.0, 0.0
    for bound, rate in sorted(inputs.tiers):
        charge += (min(max(inputs.size, reached), bound) - reached) * rate
        reached = bound
    beyond = max(0.0, inputs.size - reached)
    return {"charge": charge + beyond * max(inputs.tiers)[1]}


class DederiFuture(CaseInput):
    """A dated future: prices in quote currency, basis per year, ``shocks`` relative moves."""

    index: Positive
    annual_basis: float = 0.0
    days: NonNegative = 0.0
    qty: float
    contingency_factor: NonNegative = 0.006
    shocks: tuple[float, ...] = ()


def dederi_future(case: Mapping[str, object]) -> Quantities:
    """Dederi's simulated P&L of a future: F = index·e^(basis·T), P&L = q·F·shock, contingency = factor·index·|q|."""
    future = read_input(DederiFuture, inputs_of(case))
    price = future.index * math.exp(future.annual_basis * future.days / DAYS_PER_YEAR)
    return {
        "future_price": price,
        "future_contingency": future.contingency_factor * future.index * abs(future.qty),
        "pnl": tuple(future.qty * price * shock for shock in future.shocks),
    }
