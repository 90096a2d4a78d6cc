"""What methodologies promise for every portfolio: homogeneity, netting, collateral, subadditivity, agreement."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prover.methodologies import derive_pmrm1, derive_pmrm2, derive_srm, expected_shortfall, paradex, span
from prover.methodologies.black76 import OptionQuote, option_of
from prover.methodologies.derive_expiry import ExpiryMarket, OptionPosition

SPOT = 2000.0
EXPIRIES = (7 * 86400, 45 * 86400, 200 * 86400)
MARKETS = tuple(ExpiryMarket(expiry_sec=seconds, forward_variable=SPOT * 1.01, rate=0.05) for seconds in EXPIRIES)
CLOSE = 1e-7

quantities = st.floats(-50, 50).map(lambda quantity: round(quantity, 3))
option_positions = st.builds(
    OptionPosition,
    expiry_sec=st.sampled_from(EXPIRIES),
    strike=st.sampled_from([1000.0, 1800.0, 2000.0, 2200.0, 3500.0]),
    is_call=st.booleans(),
    qty=quantities,
    vol=st.floats(0.2, 2.0),
)
option_books = st.lists(option_positions, max_size=6).map(tuple)
scales = st.floats(0.01, 100)
loss_vectors = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=40).map(np.array)
levels = st.sampled_from([0.0, 0.5, 0.9, 0.975, 0.99])


def version_two(options: tuple[OptionPosition, ...], **holdings: object) -> derive_pmrm2.Pmrm2Margin:
    market = derive_pmrm2.Pmrm2Market(spot=SPOT, perp_price=SPOT, expiries=MARKETS)
    portfolio = derive_pmrm2.Pmrm2Portfolio.model_validate({"options": options, **holdings})
    return derive_pmrm2.margin(derive_pmrm2.Pmrm2Case(market=market, portfolio=portfolio))


def version_one(options: tuple[OptionPosition, ...], **holdings: object) -> derive_pmrm1.Pmrm1Margin:
    market = derive_pmrm1.Pmrm1Market(spot=SPOT, perp_price=SPOT, expiries=MARKETS)
    portfolio = derive_pmrm1.Pmrm1Portfolio.model_validate({"options": options, **holdings})
    return derive_pmrm1.margin(derive_pmrm1.Pmrm1Case(market=market, portfolio=portfolio))


def standard(options: tuple[OptionPosition, ...], **holdings: object) -> derive_srm.SrmMargin:
    expiries = [{"expiry_sec": seconds, "forward": SPOT * 1.01} for seconds in EXPIRIES]
    market = {"underlyings": {"ETH": {"spot": SPOT, "perp_price": SPOT, "expiries": expiries}}}
    portfolio = {"markets": [{"underlying": "ETH", "options": options, **holdings}]}
    return derive_srm.margin(derive_srm.SrmCase.model_validate({"market": market, "portfolio": portfolio}))


def scaled(options: tuple[OptionPosition, ...], scale: float) -> tuple[OptionPosition, ...]:
    return tuple(option.model_copy(update={"qty": option.qty * scale}) for option in options)


@settings(max_examples=25)
@given(options=option_books, perpetuals=quantities, scale=scales)
def test_margins_grow_with_the_portfolio(options: tuple[OptionPosition, ...], perpetuals: float, scale: float) -> None:
    for margin in (version_one, version_two, standard):
        once = margin(options, perp_qty=perpetuals)
        often = margin(scaled(options, scale), perp_qty=perpetuals * scale)
        room = CLOSE * max(scale, 1)
        assert often.initial == pytest.approx(once.initial * scale, rel=1e-9, abs=room)
        assert often.maintenance == pytest.approx(once.maintenance * scale, rel=1e-9, abs=room)


@settings(max_examples=25)
@given(options=option_books, perpetuals=quantities, extra=option_positions)
def test_an_exactly_offset_position_costs_nothing_in_portfolio_margin(
    options: tuple[OptionPosition, ...], perpetuals: float, extra: OptionPosition
) -> None:
    offset = (extra, extra.model_copy(update={"qty": -extra.qty}))

    for margin in (version_one, version_two):
        alone, beside = margin(options, perp_qty=perpetuals), margin((*options, *offset), perp_qty=perpetuals)
        assert beside.initial == pytest.approx(alone.initial, rel=1e-9, abs=CLOSE)
        assert beside.maintenance == pytest.approx(alone.maintenance, rel=1e-9, abs=CLOSE)


@settings(max_examples=25)
@given(options=option_books, perpetuals=quantities)
def test_a_closed_portfolio_requires_nothing(options: tuple[OptionPosition, ...], perpetuals: float) -> None:
    closed = (*options, *scaled(options, -1))

    assert version_one(closed, cash=5).initial == pytest.approx(5, abs=CLOSE)
    assert version_two(closed, cash=5).initial == pytest.approx(5, abs=CLOSE)
    assert version_two(closed, cash=5, perp_qty=perpetuals).initial <= 5 + CLOSE


@settings(max_examples=25)
@given(
    options=option_books,
    held=st.floats(0, 50),
    more=st.floats(0, 50),
    confidence=st.floats(0, 1),
    cancelling=st.booleans(),
)
def test_more_collateral_never_hurts(
    options: tuple[OptionPosition, ...], held: float, more: float, confidence: float, *, cancelling: bool
) -> None:
    def margins(quantity: float) -> derive_pmrm2.Pmrm2Margin:
        token = {"qty": quantity, "price": SPOT, "risk_cancelling": cancelling, "mm_haircut": 0.1, "im_haircut": 0.05}
        return version_two(options, collateral=[token | {"conf": max(confidence, 0.55)}])

    less, richer = margins(held), margins(held + more)

    assert richer.initial >= less.initial - CLOSE
    assert richer.maintenance >= less.maintenance - CLOSE


@settings(max_examples=25)
@given(options=option_books, held=st.floats(0, 50), more=st.floats(0, 50))
def test_more_of_the_base_asset_never_hurts(options: tuple[OptionPosition, ...], held: float, more: float) -> None:
    for margin in (version_one, standard):
        less, richer = margin(options, base_qty=held), margin(options, base_qty=held + more)
        assert richer.initial >= less.initial - CLOSE
        assert richer.maintenance >= less.maintenance - CLOSE


@settings(max_examples=25)
@given(options=option_books, perpetuals=quantities)
def test_initial_margin_demands_at_least_what_maintenance_does(
    options: tuple[OptionPosition, ...], perpetuals: float
) -> None:
    for margin in (version_one, version_two, standard):
        result = margin(options, perp_qty=perpetuals)
        assert result.initial <= result.maintenance + CLOSE


@settings(max_examples=25)
@given(options=option_books, long=option_positions)
def test_a_long_option_never_hurts_standard_margin(options: tuple[OptionPosition, ...], long: OptionPosition) -> None:
    bought = (*options, long.model_copy(update={"qty": abs(long.qty)}))

    assert standard(bought).initial >= standard(options).initial - CLOSE
    assert standard(bought).maintenance >= standard(options).maintenance - CLOSE


@given(losses=loss_vectors, alpha=levels)
def test_both_shortfall_algorithms_agree(losses: np.ndarray[tuple[int], np.dtype[np.float64]], alpha: float) -> None:
    largest = float(np.abs(losses).max())

    mean, optimum = expected_shortfall.tail_mean(losses, alpha), expected_shortfall.linear_program(losses, alpha)

    assert abs(mean - optimum) <= expected_shortfall.AGREEMENT * largest


@given(pairs=st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=40), alpha=levels)
def test_shortfall_is_coherent(pairs: list[tuple[float, float]], alpha: float) -> None:
    first, second = (np.array(column) for column in zip(*pairs, strict=True))
    shortfall = expected_shortfall.tail_mean
    room = 1e-6

    together = shortfall(first + second, alpha)
    assert together <= shortfall(first, alpha) + shortfall(second, alpha) + room
    assert shortfall(first * 3, alpha) == pytest.approx(3 * shortfall(first, alpha), rel=1e-9, abs=room)
    assert shortfall(first + 7, alpha) == pytest.approx(shortfall(first, alpha) + 7, rel=1e-9, abs=room)
    assert shortfall(np.maximum(first, second), alpha) >= shortfall(first, alpha) - room
    assert first.mean() - room <= shortfall(first, alpha) <= first.max() + room


@given(losses=loss_vectors, alpha=levels)
def test_shortfall_is_at_least_the_value_at_risk(
    losses: np.ndarray[tuple[int], np.dtype[np.float64]], alpha: float
) -> None:
    report = expected_shortfall.shortfall_report(losses, alpha)

    assert report.value_at_risk <= report.shortfall + 1e-6
    assert report.shortfall <= report.worst + 1e-6


lots = st.dictionaries(st.sampled_from(["A", "B", "C"]), st.integers(-20, 20).map(float))
risk_arrays = st.fixed_dictionaries(
    {name: st.lists(st.floats(-1e4, 1e4), min_size=16, max_size=16).map(tuple) for name in "ABC"}
)


@given(arrays=risk_arrays, first=lots, second=lots)
def test_scan_risk_nets(
    arrays: dict[str, tuple[float, ...]], first: dict[str, float], second: dict[str, float]
) -> None:
    def scan(positions: dict[str, float]) -> float:
        inputs = span.SpanInputs(risk_arrays_pnl_long1=arrays, positions=positions)
        return span.requirement(inputs).scan_risk

    both = {name: first.get(name, 0.0) + second.get(name, 0.0) for name in "ABC"}
    assert scan(both) <= scan(first) + scan(second) + 1e-6
    assert scan({name: first.get(name, 0.0) * 2 for name in "ABC"}) == pytest.approx(2 * scan(first))
    assert scan(dict.fromkeys("ABC", 0.0)) == 0


@given(deltas=st.lists(st.tuples(quantities, st.floats(-1, 1)), max_size=8), scale=scales)
def test_minimum_delta_is_homogeneous_and_at_least_half_the_gross_rate(
    deltas: list[tuple[float, float]], scale: float
) -> None:
    def risk(factor: float) -> float:
        positions = tuple(paradex.ParadexPosition(qty=size * factor, delta=delta) for size, delta in deltas)
        inputs = paradex.ParadexInputs(spot=SPOT, positions=positions)
        return paradex.minimum_delta_risk(paradex.delta_exposure(inputs), inputs)

    gross = sum(abs(size * delta) for size, delta in deltas)
    assert risk(scale) == pytest.approx(scale * risk(1.0), rel=1e-9, abs=CLOSE)
    assert 0.005 * gross * SPOT - CLOSE <= risk(1.0) <= 0.02 * gross * SPOT + CLOSE


quotes = st.fixed_dictionaries(
    {
        "spot": st.floats(50, 200),
        "strike": st.floats(50, 200),
        "t_years": st.floats(0.05, 2),
        "vol": st.floats(0.1, 2),
        "rate": st.floats(-0.05, 0.2),
        "carry": st.floats(-0.05, 0.2),
    }
)


@given(quote=quotes, flag=st.sampled_from("cp"), on_forward=st.booleans())
def test_greeks_are_derivatives_of_the_price(quote: dict[str, float], flag: str, *, on_forward: bool) -> None:
    def price(**changes: float) -> float:
        return option_of(OptionQuote.model_validate(quote | {"flag": flag} | changes), on_forward=on_forward).price

    def slope(field: str) -> float:
        step = 1e-5 * max(1.0, abs(quote[field]))
        return (price(**{field: quote[field] + step}) - price(**{field: quote[field] - step})) / (2 * step)

    option = option_of(OptionQuote.model_validate(quote | {"flag": flag}), on_forward=on_forward)
    assert option.delta == pytest.approx(slope("spot"), rel=1e-4, abs=1e-4)
    assert option.vega == pytest.approx(slope("vol"), rel=1e-4, abs=1e-4)
    assert option.theta == pytest.approx(-slope("t_years"), rel=1e-4, abs=1e-4)
    assert option.rho == pytest.approx(slope("rate"), rel=1e-4, abs=1e-4)
    if not on_forward:
        assert option.dividend_rho == pytest.approx(slope("carry"), rel=1e-4, abs=1e-4)
