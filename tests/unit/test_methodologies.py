"""Methodologies where the case files do not reach: defaults, limits, refusals, and parts on their own."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from prover.errors import MethodologyError
from prover.market.price_history import read_price_history
from prover.methodologies import (
    black76,
    deribit_portfolio_margin,
    derive_pmrm1,
    derive_pmrm2,
    derive_srm,
    expected_shortfall,
    paradex,
    registry,
    span,
)
from prover.methodologies.derive_expiry import ExpiryMarket, OptionPosition, VolatilityMove, group_by_expiry

DAY = 86400


def option(strike: float, quantity: float, *, is_call: bool = True, days: float = 10) -> OptionPosition:
    return OptionPosition(expiry_sec=days * DAY, strike=strike, is_call=is_call, qty=quantity, vol=0.6)


def market(days: float = 10, forward: float = 100) -> ExpiryMarket:
    return ExpiryMarket(expiry_sec=days * DAY, forward_variable=forward)


def test_default_scenarios_are_the_published_ones() -> None:
    versions = (derive_pmrm1.DEFAULT_SCENARIOS, derive_pmrm2.DEFAULT_SCENARIOS, span.SCENARIOS, paradex.SCENARIOS)

    assert [len(scenarios) for scenarios in versions] == [21, 31, 16, 24]
    tails = [scenario.dampening for scenario in derive_pmrm2.DEFAULT_SCENARIOS[23:29]]
    assert tails == pytest.approx([0.05455, 0.10909, 0.072, 0.036, 0.018, 0.012], abs=5e-6)


def test_term_factor_of_volatility_shocks() -> None:
    parameters = derive_pmrm2.Pmrm2Parameters()

    assert parameters.term_factor(30 * DAY) == 1
    assert parameters.term_factor(15 * DAY) == pytest.approx(2**0.3)
    assert parameters.term_factor(60 * DAY) == pytest.approx(2**-0.13)
    assert parameters.term_factor(0) == parameters.term_factor(DAY)
    with pytest.raises(MethodologyError, match="dte_floor_days"):
        derive_pmrm2.Pmrm2Parameters(dte_floor_days=0).term_factor(0)


def test_volatility_moves() -> None:
    (expiry,) = group_by_expiry([option(100, 1, days=30)], [market(30)], discounting="none")
    parameters = derive_pmrm2.Pmrm2Parameters(vol_range_down=2.0)

    assert expiry.moved_volatilities(VolatilityMove.UP, parameters) == pytest.approx([0.9])
    assert expiry.moved_volatilities(VolatilityMove.UP, parameters, lowest_up=1.5) == pytest.approx([1.5])
    assert expiry.moved_volatilities(VolatilityMove.DOWN, parameters) == pytest.approx([0.0])


def test_naked_shorts_net_calls_against_puts_of_the_same_strike() -> None:
    options = [
        option(100, -3),
        option(100, 2, is_call=False),
        option(110, -1),
        option(120, 5),
        option(120, -1, is_call=False),
    ]
    (expiry,) = group_by_expiry(options, [market()], discounting="none")

    assert expiry.naked_shorts == 2
    assert expiry.gross_quantity == 12


@pytest.mark.parametrize(("cap", "expected"), [(0.15, 0.15), (-0.15, -0.15)])
def test_linear_skew_is_held_far_from_the_money(cap: float, expected: float) -> None:
    (expiry,) = group_by_expiry([option(1e6, 1), option(1e-3, 1)], [market()], discounting="none")
    parameters = derive_pmrm2.Pmrm2Parameters(linear_base_cap=cap, linear_c_base=0)

    skewed = derive_pmrm2.skewed_volatilities(expiry, parameters, VolatilityMove.LINEAR)

    high, low = skewed / 0.6 - 1
    if cap > 0:
        assert (high, low) == pytest.approx((expected, -expected))
    else:  # a negative cap holds nothing back above the money, and everything below it
        assert high < expected
        assert low > -expected


def test_a_skew_without_width_is_at_its_cap_everywhere() -> None:
    (expiry,) = group_by_expiry([option(101, 1), option(99, 1), option(100, 1)], [market()], discounting="none")
    parameters = derive_pmrm2.Pmrm2Parameters(min_k_star=0, width_scale=0, linear_c_base=0)

    skewed = derive_pmrm2.skewed_volatilities(expiry, parameters, VolatilityMove.LINEAR)

    assert skewed / 0.6 == pytest.approx([1.15, 0.85, 1.0])


def test_a_skew_that_would_turn_volatility_negative_ends_at_zero() -> None:
    (expiry,) = group_by_expiry([option(1e6, 1)], [market()], discounting="none")
    parameters = derive_pmrm2.Pmrm2Parameters(abs_base_cap=-3, abs_c_base=0)

    assert derive_pmrm2.skewed_volatilities(expiry, parameters, VolatilityMove.ABSOLUTE) == pytest.approx([0.0])


@pytest.mark.parametrize(
    ("methodology", "portfolio", "word"),
    [
        ("derive_pmrm1", {"perp_qty": 1}, "perp_price"),
        ("derive_pmrm2", {"perp_qty": 1}, "perp_price"),
        ("derive_pmrm1", {"options": [option(100, 1).model_dump()]}, "expiry_sec"),
        ("derive_pmrm2", {"options": [option(100, 1).model_dump()]}, "expiry_sec"),
        ("derive_pmrm1", {"base_qty": -1}, "base_qty = -1"),
    ],
)
def test_what_is_held_needs_its_feeds(methodology: str, portfolio: dict[str, object], word: str) -> None:
    case = {"methodology": methodology, "market": {"spot": 100}, "portfolio": portfolio}

    with pytest.raises(MethodologyError, match=word):
        registry.evaluate(case, Path())


@pytest.mark.parametrize(
    ("holdings", "word"),
    [
        ({"underlying": "SOL"}, "SOL"),
        ({"underlying": "ETH", "perp_qty": 1}, "perp_price of ETH"),
        ({"underlying": "ETH", "options": [option(100, 1).model_dump()]}, "expiry_sec"),
    ],
)
def test_standard_margin_needs_the_feeds_of_each_underlying(holdings: dict[str, object], word: str) -> None:
    case = {"market": {"underlyings": {"ETH": {"spot": 100}}}, "portfolio": {"markets": [holdings]}}

    with pytest.raises(MethodologyError, match=word):
        derive_srm.evaluate(case)


def test_version_one_knows_no_skew() -> None:
    case = {"market": {"spot": 100}, "portfolio": {}, "scenarios": [{"spot": 1, "vol": "Linear"}]}

    with pytest.raises(MethodologyError, match="linear"):
        derive_pmrm1.evaluate(case)


def test_worst_payoff_is_bounded_by_zero() -> None:
    assert derive_srm.worst_payoff((option(100, 1),)) == 0
    assert derive_srm.worst_payoff((option(100, -1, is_call=False), option(90, 1, is_call=False))) == -10


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"model_params": {"correlation_set": True}}, "correlation"),
        ({"model_params": {"delta_total_liq_shock_threshold": 10}}, "liq_shock_threshold"),
        ({"instruments": {"O": {"kind": "inverse_option", "position": 1}}}, "forward"),
        ({"instruments": {"P": {"kind": "linear_perpetual"}}}, "kind"),
    ],
)
def test_deribit_refuses_what_is_not_published(changes: dict[str, object], word: str) -> None:
    inputs = {"index_price": 100, "instruments": {"P": {"kind": "inverse_perpetual", "position_coin": 1}}, **changes}

    with pytest.raises(MethodologyError, match=word):
        deribit_portfolio_margin.evaluate({"inputs": inputs})


def test_deribit_covered_call_needs_less_than_the_call_alone() -> None:
    call = deribit_portfolio_margin.DeribitInstrument(
        kind="inverse_option", position=-1, t_years=0.1, forward=50_000, strike=55_000, vol=0.6
    )
    future = deribit_portfolio_margin.DeribitInstrument(kind="inverse_future", position_coin=0.4, t_years=0.1)

    def requirement(**instruments: deribit_portfolio_margin.DeribitInstrument) -> float:
        inputs = deribit_portfolio_margin.DeribitInputs(index_price=50_000, instruments=instruments)
        return deribit_portfolio_margin.margin(inputs).risk_matrix_margin

    assert 0 < requirement(call=call, future=future) < requirement(call=call)


@pytest.mark.parametrize(
    ("inputs", "word"),
    [
        ({"positions": {"F": 1}}, "'F' has no risk array"),
        ({"positions": {"F": 1}, "risk_arrays_pnl_long1": {"F": [1.0]}}, "16 scenarios"),
    ],
)
def test_span_needs_a_risk_array_of_each_contract(inputs: dict[str, object], word: str) -> None:
    with pytest.raises(MethodologyError, match=word):
        span.evaluate({"inputs": inputs})


def test_span_arrays_of_losses_and_of_gains_are_opposite() -> None:
    array = list(range(16))
    positions = {"A": 2.0}
    gains = span.evaluate({"inputs": {"positions": positions, "risk_arrays_pnl_long1": {"A": array}}})
    losses = span.evaluate({"inputs": {"positions": positions, "risk_arrays_loss_long1": {"A": array}}})

    assert gains["portfolio_array_pnl"] == losses["portfolio_array_loss"]
    assert (gains["scan_risk"], losses["scan_risk"]) == (0.0, 30.0)


def test_paradex_computes_the_delta_of_options_with_terms() -> None:
    positions = [{"qty": -1, "strike": 100, "days": 10, "vol": 0.6}, {"qty": 0.5}]
    quantities = paradex.evaluate({"inputs": {"spot": 100, "positions": positions}})

    total = 0.6 * math.sqrt(10 / 365)
    call_delta = 0.5 * math.erfc(-total / 2 / math.sqrt(2))
    assert quantities["net_delta"] == pytest.approx(0.5 - call_delta)
    assert float(str(quantities["initial_margin"])) == pytest.approx(2 * float(str(quantities["maintenance_margin"])))


def test_paradex_says_no_more_than_deltas_where_options_state_no_terms() -> None:
    quantities = paradex.evaluate({"inputs": {"spot": 100, "positions": [{"qty": 1, "delta": 0.3}]}})

    assert set(quantities) == {"net_delta", "gross_delta", "hedged_delta", "min_delta_risk"}


def test_paradex_option_without_delta_or_terms() -> None:
    with pytest.raises(MethodologyError, match="delta"):
        paradex.evaluate({"inputs": {"spot": 100, "positions": [{"qty": 1, "strike": 100}]}})


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"vol": None}, "vol is missing"),
        ({"vol": None, "price": 10.0, "strike": 100}, "no volatility explains"),
        ({"forward": None}, "forward or the spot"),
        ({"discount": 0}, "discount = 0"),
        ({"flag": "straddle"}, "flag"),
    ],
)
def test_options_that_cannot_be_priced(changes: dict[str, object], word: str) -> None:
    inputs = {"forward": 110, "strike": 90, "t_years": 1, "vol": 0.5} | changes

    with pytest.raises(MethodologyError, match=word):
        black76.evaluate({"model": "black76", "inputs": inputs})


def test_volatility_is_solved_from_a_discounted_price() -> None:
    inputs = {"forward": 110, "strike": 100, "t_years": 0.5, "rate": 0.05, "flag": "p"}
    priced = black76.evaluate({"model": "black76", "inputs": {**inputs, "vol": 0.7}})
    solved = black76.evaluate({"model": "black76", "inputs": {**inputs, "price": priced["price"]}})

    assert solved["implied_vol"] == pytest.approx(0.7)
    assert solved["undiscounted_price"] == pytest.approx(float(str(priced["price"])) * math.exp(0.025))


def test_beyond_a_total_volatility_of_24_prices_are_at_their_limits() -> None:
    inputs = {"forward": 100, "strike": 70, "t_years": 1, "vol": 30, "discount": 0.9}
    quantities = black76.evaluate({"model": "black76", "inputs": inputs})

    expected = {"call": 90, "put": 63, "call_delta_undiscounted": 1, "put_delta_undiscounted": 0, "gamma": 0}
    assert {name: quantities[name] for name in expected} == pytest.approx(expected)


def test_fractional_tail_mean() -> None:
    losses = np.array([4.0, 1.0, 3.0, 2.0])

    assert expected_shortfall.tail_mean(losses, 0.0) == 2.5
    assert expected_shortfall.tail_mean(losses, 0.625) == pytest.approx((4 + 0.5 * 3) / 1.5)
    assert expected_shortfall.tail_mean(losses, 0.9) == 4


@pytest.mark.parametrize(
    ("inputs", "word"),
    [
        ({"alpha": 0.9}, "losses"),
        ({"alpha": 1.0, "losses": [1]}, "alpha = 1"),
        ({"alpha": 0.9, "losses": []}, "no scenarios"),
        ({"data": ["data/absent.csv"], "alpha": 0.9}, "absent.csv"),
        ({"data": ["data/ABC-USD_daily_own.csv"], "column": "middle"}, "'middle'"),
        ({"data": ["data/ABC-USD_daily_own.csv"], "n_returns": 9}, "n_returns = 9"),
        ({"data": ["data/ABC-USD_daily_own.csv"], "alpha": 0.9, "qty": {"DEF": 1}}, "DEF"),
    ],
)
def test_shortfalls_that_cannot_be_computed(inputs: dict[str, object], word: str) -> None:
    folder = Path(__file__).parents[1]

    with pytest.raises(MethodologyError, match=word):
        expected_shortfall.evaluate({"inputs": inputs}, folder)


def test_returns_are_between_dates_that_every_asset_has(tmp_path: Path) -> None:
    (tmp_path / "A-USD.csv").write_text("Date,close\n2024-01-01,1\n2024-01-02,2\n2024-01-03,4\n", encoding="utf-8")
    (tmp_path / "B-USD.csv").write_text("Date,close\n2024-01-01,1\n2024-01-03,2\n", encoding="utf-8")

    history = read_price_history([tmp_path / "A-USD.csv", tmp_path / "B-USD.csv"], "close")

    assert history.returns() == pytest.approx(np.array([[3.0, 1.0]]))
    assert history.returns(logarithmic=True) == pytest.approx(np.log([[4.0, 2.0]]))


@pytest.mark.parametrize("row", ["2024-01-02,0", "2024-01-02,-1", "2024-01-02,nan", "2024-01-02,", "yesterday,1"])
def test_unusable_prices_are_refused(tmp_path: Path, row: str) -> None:
    path = tmp_path / "A-USD.csv"
    path.write_text(f"Date,close\n2024-01-01,1\n{row}\n", encoding="utf-8")

    with pytest.raises(MethodologyError, match=r"A-USD\.csv"):
        read_price_history([path], "close")
