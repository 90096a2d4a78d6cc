"""Deribit's book summaries: entries of every kind, in the answer as it comes or as a bare list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from prover.errors import MarketDataError
from prover.market.instrument_names import parse_option
from prover.market.market_files import load_market, load_markets
from prover.market.pricing import OptionTerms, black76
from tests.unit.test_market_csv import SUMMARY, SUMMARY_HEAD, write

if TYPE_CHECKING:
    from pathlib import Path

TAKEN_AT = 1737074222

Entry = dict[str, object]


def entry(name: str, **fields: object) -> Entry:
    """An entry as the exchange answers it, unread fields among them."""
    common: Entry = {
        "instrument_name": name,
        "creation_timestamp": TAKEN_AT * 1000 + 663,
        "estimated_delivery_price": 100143.63,
        "bid_price": None,
        "ask_price": None,
        "mid_price": None,
        "open_interest": 0.0,
        "price_change": None,
        "base_currency": "BTC",
        "volume_usd": 4624.81,
    }
    return common | fields


def option(name: str, mark: float | None, volatility: object = None, **fields: object) -> Entry:
    """An option's entry."""
    priced: Entry = {"mark_price": mark, "mark_iv": volatility, "underlying_price": 100500.0, "interest_rate": 0.0}
    return entry(name, **(priced | {"underlying_index": "SYN.BTC-31JAN25"} | fields))


def in_coin(name: str, volatility: float, forward: float = 100500.0) -> float:
    """Mark of an option at a volatility, as the exchange rounds it."""
    parsed = parse_option(name)
    terms = OptionTerms(float(parsed.strike), parsed.years_to_expiry(TAKEN_AT), parsed.is_call)
    return round(float(black76(terms, forward, volatility)) / forward, 8)


PUT, CALL, UNMARKED, LINEAR_CALL = (
    *("BTC-31JAN25-92000-P", "BTC-31JAN25-100000-C", "BTC-31JAN25-110000-C"),
    "XRP_USDC-31JAN25-3d2-C",
)
OPTIONS = [
    option(PUT, in_coin(PUT, 0.6013), 60.13, bid_price=0.0145, ask_price=0.0152, open_interest=135.94),
    option(CALL, in_coin(CALL, 0.57), open_interest=20.0),
    option(UNMARKED, None, 58.0, bid_price=0.015),
]
FUTURES = [
    entry("BTC-PERPETUAL", mark_price=100150.0, bid_price=100149.5, open_interest=500_750_000.0, funding_8h=0.0),
    entry("BTC-31JAN25", mark_price=100500.0, ask_price=100510.0, open_interest=1_005_000.0),
]
PASSED_OVER = [
    entry("BTC-FS-31JAN25_PERP", mark_price=350.0),
    entry("BTC-CS-31JAN25-100000_110000", mark_price=0.02),
    entry("BTC_USDC", mark_price=100140.0),
]
LINEAR = [
    option(
        LINEAR_CALL, 3.1 * in_coin(LINEAR_CALL, 0.9, 3.1), 90.0, underlying_price=3.1, estimated_delivery_price=3.08
    ),
    entry("XRP_USDC-PERPETUAL", mark_price=3.09, estimated_delivery_price=3.08, open_interest=1_000_000.0),
]


def summary(folder: Path, entries: object, name: str = "summary.json", *, bare: bool = False) -> Path:
    """A file of an answer."""
    path = folder / name
    answer = {"jsonrpc": "2.0", "result": entries, "usIn": 1, "usOut": 2, "usDiff": 1, "testnet": False}
    path.write_text(json.dumps(entries if bare else answer))
    return path


@pytest.mark.parametrize("bare", [True, False])
def test_all_kinds_in_one_answer(tmp_path: Path, bare: bool) -> None:  # noqa: FBT001 - a case
    snapshot = load_market(summary(tmp_path, OPTIONS + FUTURES + PASSED_OVER, bare=bare))
    assert (snapshot.snapshot_time, snapshot.quote_currency) == (TAKEN_AT, "USD")
    assert snapshot.underlyings["BTC"].index_price == 100143.63
    (perpetual,), (future,) = snapshot.perpetuals, snapshot.futures
    assert (perpetual.mark_price, perpetual.bid_price, perpetual.ask_price) == (100150.0, 100149.5, None)
    # Open interest of inverse futures is in dollars: 500.75 million at 100,150 are 5,000 coins.
    assert [perpetual.open_interest, future.open_interest] == pytest.approx([5000, 10])
    put, call, unmarked = snapshot.options
    assert [put.mark_volatility, put.open_interest] == pytest.approx([0.6013, 135.94])
    assert put.bid_price == pytest.approx(0.0145 * 100500)
    assert call.mark_volatility == pytest.approx(0.57, abs=1e-6)
    assert unmarked.mark_price == pytest.approx(in_coin(UNMARKED, 0.58) * 100500, abs=0.01)
    assert not snapshot.tokens


def test_linear_contracts_are_priced_in_dollars(tmp_path: Path) -> None:
    snapshot = load_market(summary(tmp_path, LINEAR))
    (option_quote,), (perpetual,) = snapshot.options, snapshot.perpetuals
    assert option_quote.instrument == LINEAR_CALL
    assert option_quote.mark_price == 3.1 * in_coin(LINEAR_CALL, 0.9, 3.1)
    assert perpetual.open_interest == 1_000_000.0
    assert snapshot.underlyings["XRP"].index_price == 3.08


def test_several_answers_make_one_market(tmp_path: Path) -> None:
    later = [{**row, "creation_timestamp": TAKEN_AT * 1000 + 12_000} for row in LINEAR]
    files = [summary(tmp_path, rows, f"{place}.json") for place, rows in enumerate((OPTIONS, FUTURES, later))]
    snapshot = load_markets(files)
    assert sorted(snapshot.underlyings) == ["BTC", "XRP"]
    assert [len(snapshot.options), len(snapshot.futures), len(snapshot.perpetuals)] == [4, 1, 2]
    assert TAKEN_AT <= snapshot.snapshot_time <= TAKEN_AT + 12


def test_a_folder_of_answers_makes_one_market(tmp_path: Path) -> None:
    files = [summary(tmp_path, rows, f"{place}.json") for place, rows in enumerate((OPTIONS, FUTURES, LINEAR))]
    assert load_market(tmp_path) == load_markets(files)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(MarketDataError, match="empty: it is empty; put book summaries"):
        load_market(empty)


def test_answers_of_different_moments_are_refused(tmp_path: Path) -> None:
    later = [{**row, "creation_timestamp": (TAKEN_AT + 60) * 1000} for row in LINEAR]
    files = [summary(tmp_path, OPTIONS, "btc.json"), summary(tmp_path, later, "xrp.json")]
    with pytest.raises(MarketDataError, match=r"XRP_USDC-31JAN25-3d2-C and BTC-31JAN25-92000-P are .* s apart"):
        load_markets(files)


def test_an_answer_and_a_table_of_one_moment(tmp_path: Path) -> None:
    then = {"creation_timestamp": 1704712781414, "estimated_delivery_price": 46000.0}
    future = summary(tmp_path, [entry("BTC-26JAN24", mark_price=46100.0, **then)])
    snapshot = load_markets([write(tmp_path, SUMMARY_HEAD, SUMMARY), future])
    assert sorted(snapshot.underlyings) == ["BTC", "ETH"]
    # A coin without a perpetual of its own gets one at its index.
    assert [quote.instrument for quote in snapshot.perpetuals] == ["BTC-PERPETUAL", "ETH-PERPETUAL"]


def test_a_snapshot_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "market.json"
    path.write_text('{"schema": "zkmargin-market-2"}')
    with pytest.raises(MarketDataError, match=r"market.json: a snapshot is the whole market by itself; give it alone"):
        load_markets([summary(tmp_path, OPTIONS), path])


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([], ("lists no option, future or perpetual",)),
        (PASSED_OVER, ("lists no option, future or perpetual",)),
        ([7], ("0 = 7", "valid dictionary")),
        ([entry("btc-perpetual", mark_price=1.0)], ("entry 0", "instrument_name", "not an underlying")),
        (
            [entry("BTC-PERPETUAL", mark_price=None)],
            ("entry 0", "mark_price = None of BTC-PERPETUAL", "give the price"),
        ),
        ([option("BTC-31JAN25-92000-P", 0.01, underlying_price=0)], ("underlying_price = 0.0", "remove the entry")),
        ([option("BTC-31JAN25-92000-P", -0.01)], ("0.mark_price = -0.01", "greater than or equal")),
        ([option("BTC-31JAN25-92000-P", 0.0149, "high")], ("0.mark_iv = 'high'", "valid number")),
        ([option("BTC-31JAN25-92000-P", 0.0149, 6013.0)], ("entry 0", "mark_volatility = 60.13", "less than")),
        ([option("BTC-31JAN25-92000-P", 0.0149, bid_price=0.2, ask_price=0.1)], ("entry 0", "above ask_price")),
        ([option("BTC-31JAN25-92000-P", None)], ("entry 0", "no volatility explains", "none of its expiry is known")),
        ([option("BTC-3JAN25-92000-P", 0.0149, 60.0)], ("entry 0", "BTC-3JAN25-92000-P had expired", "remove it")),
        ([entry("BTC-PERPETUAL", mark_price=1.0, creation_timestamp=None)], ("0.creation_timestamp",)),
    ],
)
def test_faults_are_named(tmp_path: Path, entries: list[object], words: tuple[str, ...]) -> None:
    with pytest.raises(MarketDataError) as raised:
        load_market(summary(tmp_path, entries))
    for word in ("summary.json", *words):
        assert word in str(raised.value)
