"""What options lack is solved from marks, taken from the other right or interpolated; the unquoted can be added."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from prover.errors import MarketDataError
from prover.market.completion import quote_options
from prover.market.instrument_names import parse_option
from prover.market.market_files import load_market
from prover.market.pricing import OptionTerms, black76
from prover.rules.rule_file import shipped_rule
from prover.rules.slots import list_slots
from prover.rules.universe import build_universe
from tests.support.market_files import MARKET_FILES
from tests.support.risk_rules import example_market
from tests.support.small_markets import option_fields, two_coin_fields, two_coin_market
from verifier.shape import SMALL

if TYPE_CHECKING:
    from pathlib import Path

    from prover.market.market_data import MarketSnapshot
    from prover.market.quotes import OptionQuote

STRIKES = (80_000, 85_000, 90_000, 95_000, 100_000, 105_000, 110_000)
VOLATILITIES = (0.62, 0.59, 0.57, 0.56, 0.565, 0.58, 0.6)
CALLS = {strike: f"BTC-27DEC24-{strike}-C" for strike in STRIKES}


def load(folder: Path, *changes: dict[str, object]) -> MarketSnapshot:
    """A smile of calls, and after it options that lack something."""
    smile = [option_fields(CALLS[k], 95_000.0, sigma) for k, sigma in zip(STRIKES, VOLATILITIES, strict=True)]
    path = folder / "market.json"
    path.write_text(json.dumps(two_coin_fields() | {"options": [*smile, *changes]}))
    return load_market(path)


def find(snapshot: MarketSnapshot, name: str) -> OptionQuote:
    """The quote of an option."""
    return next(quote for quote in snapshot.options if quote.instrument == name)


def test_a_volatility_is_solved_from_the_mark(tmp_path: Path) -> None:
    name = "BTC-29NOV24-97000-C"
    snapshot = load(tmp_path, option_fields(name, 94_200.0, 0.6123) | {"mark_volatility": None})
    assert find(snapshot, name).mark_volatility == pytest.approx(0.6123, abs=1e-7)


def test_a_mark_is_priced_at_the_volatility(tmp_path: Path) -> None:
    name = "BTC-29NOV24-97000-C"
    fields = option_fields(name, 94_200.0, 0.6)
    snapshot = load(tmp_path, {key: value for key, value in fields.items() if key != "mark_price"})
    assert find(snapshot, name).mark_price == pytest.approx(fields["mark_price"])


def test_a_mark_without_time_value_takes_the_other_right(tmp_path: Path) -> None:
    """The call's mark is its intrinsic value; the put of its strike has a volatility of its own."""
    call = option_fields("BTC-29NOV24-50000-C", 94_200.0, 1.2) | {"mark_volatility": None, "mark_price": 44_200.0}
    put = option_fields("BTC-29NOV24-50000-P", 94_200.0, 1.2)
    snapshot = load(tmp_path, call | {"bid_price": None, "ask_price": None}, put)
    assert find(snapshot, "BTC-29NOV24-50000-C").mark_volatility == 1.2


@pytest.mark.parametrize("strike", [97_500, 82_000, 120_000])
def test_neither_mark_nor_volatility_takes_the_surface(tmp_path: Path, strike: int) -> None:
    name = f"BTC-27DEC24-{strike}-P"
    missing = {"mark_volatility": None, "mark_price": None, "bid_price": None, "ask_price": None}
    found = find(load(tmp_path, option_fields(name, 95_000.0, 0.5) | missing), name)
    near = [VOLATILITIES[place] for place, _ in sorted(enumerate(STRIKES), key=lambda item: abs(item[1] - strike))[:2]]
    if strike < max(STRIKES):
        assert min(near) <= found.mark_volatility <= max(near)
    else:
        assert 0.6 < found.mark_volatility < 0.7
    assert found.mark_volatility == round(found.mark_volatility, 4)
    assert found.mark_price == pytest.approx(option_fields(name, 95_000.0, found.mark_volatility)["mark_price"])


def test_an_expiry_of_which_nothing_is_known(tmp_path: Path) -> None:
    fields = option_fields("BTC-29NOV24-97000-C", 94_200.0, 0.6) | {"mark_volatility": None, "mark_price": None}
    with pytest.raises(MarketDataError, match=r"options.7: no volatility explains .* none of its expiry is known"):
        load(tmp_path, fields)


def test_a_complete_market_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "market.json"
    path.write_text(example_market().model_dump_json())
    assert load_market(path) == example_market()


@pytest.mark.parametrize("path", MARKET_FILES, ids=lambda path: path.stem)
def test_without_its_volatilities_a_whole_chain_is_priced_the_same(path: Path, tmp_path: Path) -> None:
    given = load_market(path)
    fields = json.loads(given.model_dump_json())
    for option in fields["options"]:
        option["mark_volatility"] = None
    bare = tmp_path / "market.json"
    bare.write_text(json.dumps(fields))
    solved = load_market(bare)
    errors = [
        abs(found.mark_volatility - quote.mark_volatility)
        for quote, found in zip(given.options, solved.options, strict=True)
        if (quote.option.strike >= quote.forward) == quote.option.is_call
    ]
    assert np.median(errors) < 1e-4
    assert np.quantile(errors, 0.95) < 0.005
    terms = OptionTerms(
        [float(quote.option.strike) for quote in solved.options],
        [quote.option.years_to_expiry(solved.snapshot_time) for quote in solved.options],
        [quote.option.is_call for quote in solved.options],
    )
    forwards = np.array([quote.forward for quote in solved.options])
    models = black76(terms, forwards, [quote.mark_volatility for quote in solved.options])
    marks = np.array([quote.mark_price for quote in solved.options])
    assert (np.abs(models - marks) < 1e-4 * forwards).all()


def test_unquoted_options_are_added_at_the_surface() -> None:
    market = example_market()
    gone = [quote for quote in market.options[3::40] if quote.open_interest > 10]
    left = market.model_copy(update={"options": tuple(quote for quote in market.options if quote not in gone)})
    filled = quote_options(left, [quote.option for quote in gone])
    assert len(filled.options) == len(market.options)
    for quote in gone:
        added = find(filled, quote.instrument)
        assert (added.bid_price, added.ask_price, added.open_interest) == (None, None, 0.0)
        assert added.mark_volatility == pytest.approx(quote.mark_volatility, abs=0.003)
        assert added.forward == quote.forward


def test_what_cannot_be_quoted_stays_out() -> None:
    market = two_coin_market()
    quoted, expired, unknown = ("BTC-27DEC24-100000-C", "BTC-15NOV24-100000-C", "BTC-31JAN25-100000-C")
    assert quote_options(market, map(parse_option, (quoted, expired, unknown))) == market


def test_a_slot_counts_again_when_its_option_is_quoted_here() -> None:
    """By default a slot that the market no longer quotes is dead; publishers may choose to keep it."""
    rule, market = shipped_rule("scenarios"), example_market()
    slots = list_slots(market, SMALL, rule)
    gone = slots.listed[10].instrument.name
    left = market.model_copy(update={"options": tuple(item for item in market.options if item.instrument != gone)})
    place = slots.flat_index(slots.listed[10])
    assert not build_universe(left, slots, rule.spread).live[place]
    kept = build_universe(quote_options(left, [parse_option(gone)]), slots, rule.spread)
    assert kept.live[place]
    assert kept.sell_price[place] < kept.mark[place] < kept.buy_price[place]
