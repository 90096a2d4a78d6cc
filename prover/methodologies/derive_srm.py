"""Derive standard margin: net margin, positive = healthy, quote currency; q < 0 for shorts, v = value ≤ 0 of a short.

Source of formulas and constants: risk-methods.md, "Derive standard margin". Longs count 0 in isolation. Per expiry
the better of the isolated margins and the worst payoff at settlement counts. Underlyings add up without offset.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import AliasChoices, Field

from prover.errors import MethodologyError
from prover.market.instruments import SECONDS_PER_YEAR
from prover.market.pricing import OptionTerms, black76
from prover.methodologies.derive_expiry import OptionPosition
from prover.methodologies.inputs import CaseInput, NonNegative, Positive, Quantities, read_input

_NO_EXPIRIES: Final = ()


class SrmParameters(CaseInput):
    """Constants of one underlying, fractions; defaults are those of the published tests. A threshold of 0 is off."""

    mm_perp_req: NonNegative = 0.05
    im_perp_req: NonNegative = 0.065
    max_spot_req: NonNegative = 0.15
    min_spot_req: NonNegative = 0.1
    mm_call_spot_req: NonNegative = 0.075
    mm_put_spot_req: NonNegative = 0.075
    mm_put_mtm_req: NonNegative = 0.075
    unpaired_im_scale: NonNegative = 1.2
    unpaired_mm_scale: NonNegative = 1.1
    mm_offset_scale: NonNegative = 1.05
    oc_perp_threshold: NonNegative = 0.4
    oc_option_threshold: NonNegative = 0.4
    oc_base_threshold: NonNegative = 0.4
    oc_factor: NonNegative = 0.4
    base_margin_factor: NonNegative = 0.8
    base_im_scale: NonNegative = 1.0


class DepegParameters(CaseInput):
    """Charge on shorts and perpetuals, initial margin only, while the stable coin is below its threshold."""

    depeg_threshold: NonNegative = 0.98
    depeg_factor: NonNegative = 1.2


class SrmExpiry(CaseInput):
    """Feeds of one expiry: forward in quote currency, confidences 0 to 1."""

    expiry_sec: float
    forward: Positive = Field(validation_alias=AliasChoices("forward", "forward_variable"))
    forward_conf: NonNegative = 1.0
    vol_conf: NonNegative = 1.0


class SrmUnderlying(CaseInput):
    """Feeds of one underlying: prices in quote currency, confidences 0 to 1."""

    spot: Positive
    spot_conf: NonNegative = 1.0
    perp_price: NonNegative | None = None
    perp_conf: NonNegative = 1.0
    expiries: tuple[SrmExpiry, ...] = _NO_EXPIRIES


class SrmMarket(CaseInput):
    """Feeds of all underlyings, and the price of the stable coin."""

    stable_price: Positive = 1.0
    underlyings: Mapping[str, SrmUnderlying]


class SrmHoldings(CaseInput):
    """What is held in one underlying; quantities positive = long, P&L in quote currency."""

    underlying: str
    perp_qty: float = 0.0
    perp_unrealised: float = 0.0
    base_qty: NonNegative = 0.0
    options: tuple[OptionPosition, ...] = ()


class SrmPortfolio(CaseInput):
    """Cash in quote currency, and holdings by underlying."""

    cash: float = 0.0
    markets: tuple[SrmHoldings, ...] = ()


class SrmCase(CaseInput):
    """Everything that the margin depends on."""

    market: SrmMarket
    portfolio: SrmPortfolio
    params: Mapping[str, SrmParameters] = Field(default_factory=dict)
    params_global: DepegParameters = DepegParameters()


@dataclass(frozen=True, slots=True)
class SrmMargin:
    """Net margins and mark-to-market value with cash, quote currency, positive = healthy."""

    initial: float
    maintenance: float
    value: float


def margin(case: SrmCase) -> SrmMargin:
    """Net margins of a portfolio.

    Raises:
        MethodologyError: feeds are missing for something held.
    """
    depeg = max(0.0, case.params_global.depeg_threshold - case.market.stable_price) * case.params_global.depeg_factor
    totals = [0.0, 0.0, 0.0]
    for holdings in case.portfolio.markets:
        if holdings.underlying not in case.market.underlyings:
            raise MethodologyError(f"underlying = {holdings.underlying!r}: no feeds; add it to market.underlyings")
        feeds = case.market.underlyings[holdings.underlying]
        parameters = case.params.get(holdings.underlying, SrmParameters())
        parts = (
            _market_margin(holdings, feeds, parameters, initial=True) - _depeg_charge(holdings, feeds, depeg),
            _market_margin(holdings, feeds, parameters, initial=False),
            _market_value(holdings, feeds, case.market.stable_price),
        )
        totals = [total + part for total, part in zip(totals, parts, strict=True)]
    initial, maintenance, value = (total + case.portfolio.cash for total in totals)
    return SrmMargin(initial, maintenance, value)


def evaluate(case: Mapping[str, object]) -> Quantities:
    """The quantities of a case, by the names of the case files.

    Raises:
        MethodologyError: a field is missing or out of range.
    """
    result = margin(read_input(SrmCase, case))
    return {"im": result.initial, "mm": result.maintenance, "mtm": result.value}


def isolated_margin(
    option: OptionPosition, value: float, spot: float, parameters: SrmParameters, *, initial: bool
) -> float:
    """Margin of one position by itself, quote currency, not positive; longs 0.

    Args:
        option: the position.
        value: its mark-to-market value.
        spot: S.
        parameters: constants.
        initial: initial or maintenance margin.
    """
    if option.qty >= 0:
        return 0.0
    out_of_the_money = max(0.0, option.strike - spot if option.is_call else spot - option.strike) / spot
    requirement = max(parameters.max_spot_req - out_of_the_money, parameters.min_spot_req)
    opening = requirement * spot * option.qty + value
    if option.is_call:
        return opening if initial else parameters.mm_call_spot_req * spot * option.qty + value
    keeping = min(parameters.mm_put_spot_req * spot * option.qty, parameters.mm_put_mtm_req * value) + value
    return min(opening, keeping * parameters.mm_offset_scale) if initial else keeping


def worst_payoff(options: tuple[OptionPosition, ...]) -> float:
    """Least payoff over settlement at 0 and at each strike, not above 0; quote currency."""
    return min(0.0, *(_payoff(options, price) for price in {0.0, *(option.strike for option in options)}))


def _payoff(options: tuple[OptionPosition, ...], settlement: float) -> float:
    moves = ((settlement - one.strike) * (1 if one.is_call else -1) for one in options)
    return sum(option.qty * max(0.0, move) for option, move in zip(options, moves, strict=True))


def _market_margin(holdings: SrmHoldings, feeds: SrmUnderlying, parameters: SrmParameters, *, initial: bool) -> float:
    size = abs(holdings.perp_qty)
    if size and feeds.perp_price is None:
        raise MethodologyError(f"perp_price of {holdings.underlying} is missing and a perpetual is held; add it")
    perpetual_rate = parameters.im_perp_req if initial else parameters.mm_perp_req
    base_rate = parameters.base_margin_factor * (parameters.base_im_scale if initial else 1.0)
    total = holdings.perp_unrealised - size * (feeds.perp_price or 0.0) * perpetual_rate
    total += holdings.base_qty * feeds.spot * base_rate
    total += sum(
        _expiry_margin(options, expiry, feeds, parameters, initial=initial)
        for expiry, options in _by_expiry(holdings, feeds)
    )
    if initial:
        perpetual_confidence = min(feeds.perp_conf, feeds.spot_conf)
        total -= _confidence_charge(perpetual_confidence, parameters.oc_perp_threshold, size, feeds, parameters)
        total -= _confidence_charge(feeds.spot_conf, parameters.oc_base_threshold, holdings.base_qty, feeds, parameters)
    return total


def _expiry_margin(
    options: tuple[OptionPosition, ...],
    expiry: SrmExpiry,
    feeds: SrmUnderlying,
    parameters: SrmParameters,
    *,
    initial: bool,
) -> float:
    isolated = sum(
        isolated_margin(option, _value(option, expiry), feeds.spot, parameters, initial=initial) for option in options
    )
    bounded = worst_payoff(options)
    net_calls = sum(option.qty for option in options if option.is_call)
    if net_calls < 0:
        unpaired = parameters.unpaired_im_scale if initial else parameters.unpaired_mm_scale
        bounded += unpaired * expiry.forward * net_calls
    better = max(isolated, bounded)
    if not initial:
        return better
    confidence = min(feeds.spot_conf, expiry.forward_conf, expiry.vol_conf)
    shorts = -sum(option.qty for option in options if option.qty < 0)
    return better - _confidence_charge(confidence, parameters.oc_option_threshold, shorts, feeds, parameters)


def _confidence_charge(
    confidence: float, threshold: float, quantity: float, feeds: SrmUnderlying, parameters: SrmParameters
) -> float:
    if confidence >= threshold:
        return 0.0
    return (1 - confidence) * parameters.oc_factor * feeds.spot * quantity


def _depeg_charge(holdings: SrmHoldings, feeds: SrmUnderlying, depeg: float) -> float:
    shorts = -sum(option.qty for option in holdings.options if option.qty < 0)
    return depeg * feeds.spot * (shorts + abs(holdings.perp_qty))


def _market_value(holdings: SrmHoldings, feeds: SrmUnderlying, stable_price: float) -> float:
    options = sum(_value(option, expiry) for expiry, group in _by_expiry(holdings, feeds) for option in group)
    return options + holdings.perp_unrealised + holdings.base_qty * feeds.spot / stable_price


def _value(option: OptionPosition, expiry: SrmExpiry) -> float:
    terms = OptionTerms(option.strike, max(expiry.expiry_sec, 0.0) / SECONDS_PER_YEAR, option.is_call)
    return option.qty * float(black76(terms, expiry.forward, option.vol))


def _by_expiry(holdings: SrmHoldings, feeds: SrmUnderlying) -> tuple[tuple[SrmExpiry, tuple[OptionPosition, ...]], ...]:
    known = {expiry.expiry_sec: expiry for expiry in feeds.expiries}
    listed = dict.fromkeys(option.expiry_sec for option in holdings.options)
    missing = [seconds for seconds in listed if seconds not in known]
    if missing:
        raise MethodologyError(f"option expiry_sec = {missing[0]!r}: no feeds of {holdings.underlying}; add the expiry")
    return tuple(
        (known[seconds], tuple(option for option in holdings.options if option.expiry_sec == seconds))
        for seconds in listed
    )
