"""Prices, sensitivities and profits of the listed instruments, against scalar arithmetic."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pytest

from prover.rules.rule_file import shipped_rule
from prover.rules.slots import list_slots
from prover.rules.universe import NONE, Universe, build_universe
from tests.support.risk_rules import example_market, example_rules
from tests.support.small_markets import two_coin_market
from verifier.shape import SMALL

if TYPE_CHECKING:
    from prover.market.instruments import Option

CALL, PUT = "BTC-27DEC24-100000-C", "BTC-29NOV24-90000-P"
NORMAL = NormalDist()


def price(option: Option, years: float, *, forward: float, volatility: float) -> float:
    """Black-76 by the book."""
    strike, total = float(option.strike), volatility * math.sqrt(years)
    d1 = math.log(forward / strike) / total + total / 2
    call = forward * NORMAL.cdf(d1) - strike * NORMAL.cdf(d1 - total)
    return call if option.is_call else call - forward + strike


@pytest.mark.parametrize("name", [CALL, PUT])
def test_profits_of_options(name: str) -> None:
    universe = example_rules()[0].universe
    quote = next(item for item in example_market().options if item.instrument == name)
    option, years = quote.option, quote.option.years_to_expiry(example_market().snapshot_time)
    now = price(option, years, forward=quote.forward, volatility=quote.mark_volatility)
    factors, changes = [0.5, 1.0, 1.2, 3.0], [1.4, 0.8, 1.0, 1.1]
    volatilities = np.outer(changes, universe.option_volatility)
    profits = universe.profit(np.array(factors)[:, None], volatilities)[:, place(universe, name)]
    for factor, change, profit in zip(factors, changes, profits, strict=True):
        then = price(option, years, forward=quote.forward * factor, volatility=quote.mark_volatility * change)
        assert profit == pytest.approx(then - now, abs=1e-6), (factor, change)


def test_nothing_is_gained_where_nothing_moves() -> None:
    universe = example_rules(books=4)[0].universe
    assert not universe.profit(np.ones((1, 1)), None).any()


def place(universe: Universe, name: str) -> int:
    """Flat index of an instrument."""
    return universe.slots.flat_index(universe.slots.find(name))


def two_coins() -> Universe:
    """Every kind of instrument on two underlyings."""
    rule = shipped_rule("scenarios")
    sizes = rule.lot_sizes | {"WEETH": rule.lot_size("ETH"), "USDC": rule.tick}
    rule = rule.model_copy(update={"lot_sizes": sizes})
    return build_universe(two_coin_market(), list_slots(two_coin_market(), SMALL, rule), rule.spread)


KINDS = {
    "USD": ("cash",),
    "BTC-PERPETUAL": ("perpetual",),
    "ETH-PERPETUAL": ("perpetual",),
    "BTC-27DEC24": ("future",),
    "ETH-27DEC24": ("future",),
    "BTC": ("token", "spot"),
    "USDC": ("token",),
    "WEETH": ("token",),
    "ETH-27DEC24-3200-C": ("option", "is_call"),
    "BTC-29NOV24-90000-P": ("option",),
    "BTC-27DEC24-100000-C": ("option", "is_call"),
}


def test_every_kind_has_its_mask_and_its_place_in_the_list() -> None:
    universe = two_coins()
    # What is not an option in its order; then options by open interest in dollars: 1.24, 1.88 and 0.94 million.
    first, options = list(KINDS)[:8], ["BTC-29NOV24-90000-P", "ETH-27DEC24-3200-C", "BTC-27DEC24-100000-C"]
    assert [slot.instrument.name for slot in universe.slots.listed] == first + options
    for name, masks in KINDS.items():
        set_masks = {
            mask
            for mask in ("cash", "token", "spot", "perpetual", "future", "option", "is_call")
            if getattr(universe, mask)[place(universe, name)]
        }
        assert set_masks == set(masks), name
        assert universe.live[place(universe, name)]
    assert universe.live.sum() == len(KINDS)


def test_underlyings_expiries_and_indices_of_two_coins() -> None:
    universe = two_coins()
    assert universe.underlyings == ("BTC", "ETH")
    assert [group.name for group in universe.expiries] == ["BTC-29NOV24", "BTC-27DEC24", "ETH-27DEC24"]
    assert universe.stable_price == 0.99
    stated = {
        "USD": (NONE, NONE, 0.0, 0.0),
        "ETH-PERPETUAL": (1, NONE, 3100.0, 0.0),
        "ETH-27DEC24": (1, 2, 3100.0, 3130.0),
        "BTC-29NOV24-90000-P": (0, 0, 94000.0, 94200.0),
        "WEETH": (1, NONE, 3250.0, 0.0),
        "USDC": (NONE, NONE, 1.0, 0.0),
    }
    for name, expected in stated.items():
        index = place(universe, name)
        found = (
            universe.underlying[index],
            universe.expiry[index],
            universe.index_price[index],
            universe.forward[index],
        )
        assert found == expected, name


def test_profits_of_what_is_linear() -> None:
    """Bitcoin falls by a tenth, ether doubles."""
    universe = two_coins()
    profit = universe.profit(np.array([[0.9, 2.0]]), None)[0]
    gains = {"USD": 0.0, "USDC": 0.0, "BTC-PERPETUAL": -9401.0, "BTC": -9400.0}
    gains |= {"ETH-27DEC24": 3130.0, "WEETH": 3250.0, "BTC-27DEC24": -9500.0}
    for name, gain in gains.items():
        assert profit[place(universe, name)] == pytest.approx(gain), name


def test_confidences_and_interest() -> None:
    universe = two_coins()
    known = {"USD": (1, 1, 0), "WEETH": (0.8, 1, 50), "BTC": (0.8, 0.9, 50), "BTC-27DEC24": (1, 0.9, 100)}
    for name, expected in known.items():
        index = place(universe, name)
        found = (universe.confidence[index], universe.spot_confidence[index], universe.open_interest[index])
        assert found == expected, name


def test_sensitivities_are_slopes_of_the_profit() -> None:
    universe = two_coins()
    bump, index = 1e-5, universe.option_index
    up, down = universe.profit(np.array([[1 + bump] * 2, [1 - bump] * 2]), None)[:, index]
    forward = universe.forward[index]
    assert universe.delta[index] == pytest.approx((up - down) / (2 * bump * forward), rel=1e-6)
    assert universe.gamma[index] == pytest.approx((up + down) / (bump * forward) ** 2, rel=1e-3)
    dearer = universe.profit(np.ones((1, 2)), universe.option_volatility[None, :] + 1e-6)[0, index]
    assert universe.vega[index] == pytest.approx(dearer / 1e-6 / 100, rel=1e-4)
    linear = universe.live & ~universe.option & (universe.underlying != NONE)
    assert (universe.delta[linear] == 1).all()
    assert not universe.delta[universe.cash].any()


def test_what_the_market_does_not_price_is_not_live() -> None:
    universe = two_coins()
    later = two_coin_market().model_copy(update={"options": two_coin_market().options[:1], "tokens": ()})
    rebuilt = build_universe(later, universe.slots, shipped_rule("scenarios").spread)
    gone = {"BTC-29NOV24-90000-P", "ETH-27DEC24-3200-C", "WEETH", "BTC", "USDC"}
    for slot in universe.slots.listed:
        assert rebuilt.live[universe.slots.flat_index(slot)] == (slot.instrument.name not in gone)
    dead = ~rebuilt.live
    for name in (
        "lot_size",
        "mark",
        "sell_price",
        "buy_price",
        "index_price",
        "forward",
        "delta",
        "vega",
        "confidence",
    ):
        assert not getattr(rebuilt, name)[dead].any(), name


def test_deltas_lie_where_they_must() -> None:
    universe = example_rules()[0].universe
    assert universe.delta[:2].tolist() == [0.0, 1.0]
    calls = {universe.slots.flat_index(slot) for slot in universe.slots.listed if slot.instrument.name.endswith("-C")}
    for index in range(2, universe.size):
        assert 0 < universe.delta[index] * (1 if index in calls else -1) < 1


def test_selling_never_pays_more_than_the_mark_nor_buying_less() -> None:
    universe = example_rules(books=4)[0].universe
    assert (universe.sell_price <= universe.mark).all()
    assert (universe.buy_price >= universe.mark).all()
    assert (universe.sell_price >= 0).all()
