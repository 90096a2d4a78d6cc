"""Netting of long and short, sensitivities at every level, and exposure across underlyings."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from prover.errors import MarketDataError
from prover.market.price_history import PriceHistory
from prover.rules.co_movement import CoMovement, estimate_co_movement, measure_across
from prover.rules.exposure import measure_exposure
from prover.rules.net_exposure import ExposureTable, NetExposure, measure_net_exposure
from prover.rules.portfolio import make_portfolio
from prover.rules.slots import list_slots
from prover.rules.universe import build_universe
from tests.support.reported import TWO_COINS, portfolio_on, two_coin_definition, two_coin_rules
from tests.support.small_markets import two_coin_market
from verifier.shape import STANDARD

RULE = two_coin_rules()[0]
UNIVERSE = RULE.universe


def measured(*holdings: dict[str, str]) -> ExposureTable:
    return measure_net_exposure(UNIVERSE, [portfolio_on(RULE, quantities) for quantities in holdings])


def named(entries: tuple[NetExposure, ...]) -> dict[str, NetExposure]:
    return {entry.name: entry for entry in entries}


def greek(name: str, field: str) -> float:
    """A sensitivity of one unit, from the universe."""
    place = UNIVERSE.slots.flat_index(UNIVERSE.slots.find(name))
    return float(getattr(UNIVERSE, field)[place])


def test_futures_by_hand() -> None:
    table = measured({"BTC-PERPETUAL": "-2", "BTC-27DEC24": "3", "USD": "1000"})
    bitcoin = named(table.underlyings)["BTC"]
    assert bitcoin.delta == pytest.approx(1)
    assert bitcoin.delta_notional == pytest.approx(94000)
    assert bitcoin.gross_notional == pytest.approx(5 * 94000)
    assert bitcoin.hedged_notional == pytest.approx((5 * 94000 - 94000) / 2)
    assert bitcoin.value == pytest.approx(-2 * 94010 + 3 * 95000)
    assert [entry.name for entry in table.expiries] == ["BTC without expiry", "BTC-27DEC24"]
    assert table.total.value == pytest.approx(1000 - 2 * 94010 + 3 * 95000)
    assert table.total.delta is None
    assert table.total.gamma is None


def test_an_option_by_hand() -> None:
    """Four short ether calls: sensitivities of one unit times −4, in the units that the docstring states."""
    name, spot = "ETH-27DEC24-3200-C", 3100.0
    (entry,) = measured({name: "-4"}).instruments
    assert entry.delta == pytest.approx(-4 * greek(name, "delta"))
    assert entry.delta_notional == pytest.approx(-4 * greek(name, "delta") * spot)
    assert entry.gamma == pytest.approx(-4 * greek(name, "gamma"))
    assert entry.gamma_notional == pytest.approx(-4 * greek(name, "gamma") * spot**2 / 100)
    assert entry.vega == pytest.approx(-4 * greek(name, "vega"))
    assert entry.theta == pytest.approx(-4 * greek(name, "theta"))
    assert entry.gross_notional == pytest.approx(4 * spot)
    assert (entry.underlying, entry.index_price) == ("ETH", spot)


def test_a_token_counts_at_its_own_mark() -> None:
    ether = named(measured({"WEETH": "10", "ETH-PERPETUAL": "-1"}).underlyings)["ETH"]
    assert ether.long_notional == pytest.approx(10 * 3250)
    assert ether.short_notional == pytest.approx(3100)
    assert ether.gross_notional == pytest.approx(10 * 3250 + 3100)
    assert ether.delta == pytest.approx((10 * 3250 - 3100) / 3100)


def test_a_coin_without_derivatives_has_the_price_of_its_token() -> None:
    market = two_coin_market().model_copy(update={"perpetuals": (), "futures": (), "options": ()})
    slots = list_slots(market, STANDARD, two_coin_definition())
    bare = build_universe(market, slots, two_coin_definition().spread)
    table = measure_net_exposure(bare, [make_portfolio({"WEETH": Decimal(2)}, slots, STANDARD)])
    assert named(table.underlyings)["ETH"].index_price == pytest.approx(3250)
    assert named(table.underlyings)["ETH"].delta == pytest.approx(2)


def test_cash_and_stable_tokens_have_no_exposure() -> None:
    table = measured({"USD": "700", "USDC": "300"})
    (rest,) = table.underlyings
    assert rest.name == "cash and stable tokens"
    assert rest.value == pytest.approx(1000)
    assert rest.gross_notional == rest.delta_notional == 0
    assert table.expiries == ()


def test_holdings_are_netted_by_instrument() -> None:
    table = measured({"BTC-PERPETUAL": "5", "USD": "100"}, {"BTC-PERPETUAL": "-3"})
    position = next(entry for entry in table.positions if entry.instrument == "BTC-PERPETUAL")
    assert (position.long, position.short, position.net) == (Decimal(5), Decimal(3), Decimal(2))
    assert named(table.instruments)["BTC-PERPETUAL"].delta == pytest.approx(2)
    assert named(table.underlyings)["BTC"].hedged_notional == 0


def test_levels_add_up() -> None:
    table = measured(TWO_COINS)
    fields = ("value", "long_notional", "short_notional", "gross_notional", "gamma_notional", "vega", "theta")
    for field in fields:
        total = getattr(table.total, field)
        for level in (table.instruments, table.underlyings):
            assert sum(getattr(entry, field) for entry in level) == pytest.approx(total)
        for coin in ("BTC", "ETH"):
            parts = [getattr(entry, field) for entry in table.expiries if entry.underlying == coin]
            assert sum(parts) == pytest.approx(getattr(named(table.underlyings)[coin], field))


def test_totals_are_those_of_the_margin_check() -> None:
    portfolio = portfolio_on(RULE, TWO_COINS)
    total, checked = measured(TWO_COINS).total, measure_exposure(UNIVERSE, portfolio)
    assert total.value == pytest.approx(checked.equity)
    assert total.delta_notional == pytest.approx(checked.delta_notional)
    assert total.gross_notional == pytest.approx(checked.gross_notional)


def test_hedged_is_half_of_gross_less_net() -> None:
    for entry in measured(TWO_COINS).underlyings:
        half = (entry.gross_delta_notional - abs(entry.delta_notional)) / 2
        assert entry.hedged_notional == pytest.approx(half)


def test_figures_are_redacted() -> None:
    table = measured({"BTC-PERPETUAL": "31.33", "USD": "313370"})
    assert "3133" not in repr(table).replace(".", "")
    assert "94010" not in repr(table)
    across = measure_across(table.underlyings, CoMovement("BTC", {"BTC": 1.0}, np.eye(1)))
    assert repr(across) == "CrossExposure(reference='BTC')"


def history(prices: dict[str, list[float]]) -> PriceHistory:
    days = tuple(date(2024, 1, 1) + timedelta(days=place) for place in range(len(next(iter(prices.values())))))
    return PriceHistory(tuple(prices), days, np.array(list(prices.values())).T)


def test_betas_and_correlations_by_hand() -> None:
    """Ether moves by twice bitcoin's return every day: beta 2, correlation 1."""
    bitcoin, ether = [100.0], [50.0]
    for move in (0.01, -0.02, 0.03, 0.005):
        bitcoin.append(bitcoin[-1] * (1 + move))
        ether.append(ether[-1] * (1 + 2 * move))
    movement = estimate_co_movement(history({"BTC": bitcoin, "ETH": ether}), "BTC")
    assert movement.betas == pytest.approx({"BTC": 1.0, "ETH": 2.0})
    assert movement.correlations == pytest.approx(np.ones((2, 2)))


def test_across_underlyings_by_hand() -> None:
    table = measured({"BTC-PERPETUAL": "1", "ETH-PERPETUAL": "-10"})
    bitcoin, ether = 94000.0, -31000.0
    movement = CoMovement("BTC", {"BTC": 1.0, "ETH": 1.5, "SOL": 2.0}, np.array([[1, 0.8, 0], [0.8, 1, 0], [0, 0, 1]]))
    across = measure_across(table.underlyings, movement)
    assert across.beta_weighted_notional == pytest.approx(bitcoin + 1.5 * ether)
    adjusted = np.sqrt(bitcoin**2 + ether**2 + 2 * 0.8 * bitcoin * ether)
    assert across.correlation_adjusted_notional == pytest.approx(adjusted)
    assert measure_across(table.underlyings, CoMovement("BTC", movement.betas)).correlation_adjusted_notional is None


@pytest.mark.parametrize(
    ("prices", "message"),
    [
        ({"ETH": [1.0, 2.0, 3.0]}, "no price history of 'BTC', only of ETH: name one of them"),
        ({"BTC": [1.0, 2.0]}, "2 common days of BTC give no covariance: give a longer history"),
        ({"BTC": [1.0, 1.0, 1.0, 1.0]}, "give no covariance"),
    ],
)
def test_histories_that_say_nothing(prices: dict[str, list[float]], message: str) -> None:
    with pytest.raises(MarketDataError, match=message):
        estimate_co_movement(history(prices), "BTC")


def test_an_underlying_without_a_beta() -> None:
    table = measured({"BTC-PERPETUAL": "1", "ETH-PERPETUAL": "-10"})
    with pytest.raises(MarketDataError, match="no beta of ETH to BTC: add its daily prices, or state its beta"):
        measure_across(table.underlyings, CoMovement("BTC", {"BTC": 1.0}))
