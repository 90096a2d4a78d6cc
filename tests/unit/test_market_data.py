"""Snapshots are validated where they enter; errors name field, value and remedy."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING

import pytest

from prover.errors import MarketDataError
from prover.market.market_data import EXAMPLE_MARKET, MarketSnapshot
from prover.market.market_files import load_market
from scripts.make_example_market import make_file
from tests.support.market_files import MARKET_FILES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Fields = dict[str, object]


def small_market() -> dict[str, object]:
    """Two options in the documented form."""
    perpetual = {"instrument": "BTC-PERPETUAL", "mark_price": 94010.0}
    perpetual |= {"bid_price": 94009.5, "ask_price": 94010.5, "open_interest": 1000.0}
    quiet = {"bid_price": None, "ask_price": None}
    option = {
        "forward": 95100.0,
        "mark_volatility": 0.55,
        "bid_price": 4500.0,
        "ask_price": None,
        "open_interest": 120.5,
    }
    return {
        "schema": "zkmargin-market-2",
        "quote_currency": "USD",
        "snapshot_time": 1732096800,
        "underlyings": {"BTC": {"index_price": 94000.0}},
        "perpetuals": [perpetual],
        "futures": [quiet | {"instrument": "BTC-27DEC24", "mark_price": 95100.0, "open_interest": 10.0}],
        "tokens": [quiet | {"instrument": "WBTC", "underlying": "BTC", "mark_price": 93900.0, "volume": 5.0}],
        "options": [
            option | {"instrument": "BTC-27DEC24-100000-C", "mark_price": 4726.0},
            option | {"instrument": "BTC-27DEC24-90000-P", "mark_price": 4394.0, "bid_price": None},
        ],
    }


def write(folder: Path, fields: dict[str, object]) -> Path:
    """A snapshot file of these fields."""
    path = folder / "market.json"
    path.write_text(json.dumps(fields))
    return path


def test_the_documented_form_is_read(tmp_path: Path) -> None:
    snapshot = load_market(write(tmp_path, small_market()))
    call, put = snapshot.options
    assert snapshot.snapshot_time == 1732096800
    assert call.option.name == "BTC-27DEC24-100000-C"
    assert (call.bid_price, call.ask_price, put.bid_price) == (4500.0, None, None)


def change(path: tuple[str | int, ...], value: object) -> Callable[[Fields], None]:
    """An edit that puts a value at a place."""

    def edit(fields: Fields) -> None:
        target: object = fields
        for key in path[:-1]:
            target = target[key]  # type: ignore[index]  # the places below exist in the file above
        target[path[-1]] = value  # type: ignore[index]

    return edit


def drop(field: str) -> Callable[[Fields], None]:
    """An edit that leaves a field out."""

    def edit(fields: Fields) -> None:
        del fields[field]

    return edit


FIRST = ("options", 0)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (change((*FIRST, "bid_price"), 4800.0), None),
        (change((*FIRST, "ask_price"), 4499.0), ("bid_price = 4500.0", "ask_price = 4499.0", "one moment")),
        (change((*FIRST, "mark_volatility"), 0.0), ("options.0.mark_volatility = 0.0", "greater", "correct it")),
        (change((*FIRST, "mark_volatility"), 55.0), ("options.0.mark_volatility = 55.0", "less than")),
        (change((*FIRST, "mark_volatility"), "0.5"), ("options.0.mark_volatility = '0.5'",)),
        (
            change((*FIRST, "mark_price"), 0.05),
            ("mark_price = 0.05", "is far from", "give prices in the quote currency"),
        ),
        (change((*FIRST, "mark_price"), 96000.0), ("mark_price = 96000.0", "is above 95100.00, the most")),
        (change((*FIRST, "instrument"), "BTC-27DEC24-80000-C"), ("mark_price = 4726.0", "is below 15100.00")),
        (
            change((*FIRST, "forward"), 96000.0),
            ("forward = 95100.0", "96000.0 at 'BTC-27DEC24-100000-C'", "one moment"),
        ),
        (change((*FIRST, "mark_price"), -1.0), ("options.0.mark_price = -1.0",)),
        (change((*FIRST, "mark_price"), float("nan")), ("mark_price", "finite")),
        (change((*FIRST, "forward"), float("inf")), ("forward", "finite")),
        (change((*FIRST, "forward"), 0.0), ("options.0.forward = 0.0",)),
        (change((*FIRST, "open_interest"), -2.0), ("options.0.open_interest = -2.0",)),
        (change((*FIRST, "instrument"), "BTC-27DEC24-100000"), ("BTC-27DEC24-100000", "3 parts", "write for example")),
        (change((*FIRST, "instrument"), "BTC-PERPETUAL"), ("BTC-PERPETUAL", "is not an option", "its own kind")),
        (change((*FIRST, "instrument"), "BTC-27DEC24-90000-P"), ("BTC-27DEC24-90000-P", "2 times", "keep one")),
        (
            change((*FIRST, "instrument"), "ETH-27DEC24-100000-C"),
            ("ETH-27DEC24-100000-C", "on ETH, not on BTC", "add ETH to underlyings"),
        ),
        (change((*FIRST, "instrument"), "BTC-15NOV24-100000-C"), ("BTC-15NOV24-100000-C", "expired", "leave it out")),
        (change((*FIRST, "colour"), "blue"), ("options.0.colour = 'blue'", "no such field; correct its name")),
        (change((*FIRST, "instrument"), "BTC-20241227-100000-C"), ("not canonical", "write 'BTC-27DEC24-100000-C'")),
        (change((*FIRST, "confidence"), 1.5), ("options.0.confidence = 1.5", "less than or equal to 1")),
        (change(("futures", 0, "instrument"), "BTC-15NOV24"), ("BTC-15NOV24", "expired", "leave it out")),
        (change(("futures", 0, "instrument"), "BTC-PERPETUAL"), ("futures.0.instrument", "not a dated future")),
        (change(("perpetuals", 0, "instrument"), "BTC-27DEC24"), ("perpetuals.0.instrument", "not a perpetual")),
        (change(("tokens", 0, "instrument"), "BTC-27DEC24"), ("tokens.0.instrument", "not a token")),
        (change(("tokens", 0, "instrument"), "USD"), ("'USD' is the quote currency", "leave it out")),
        (change(("tokens", 0, "underlying"), "ETH"), ("'WBTC' is on ETH", "add ETH to underlyings")),
        (change(("stable_price",), 0.0), ("stable_price = 0.0", "greater than 0")),
        (change(("underlyings",), {}), ("underlyings", "at least 1")),
        (change(("underlyings",), {"btc": {"index_price": 1.0}}), ("underlyings", "'btc'", "has no known form")),
        (change(("quote_currency",), "BTC-PERPETUAL"), ("quote_currency = 'BTC-PERPETUAL'", "not a currency")),
        (change(("perpetuals", 0, "bid_price"), 99999.0), ("bid_price = 99999.0", "ask_price = 94010.5")),
        (change(("underlyings", "BTC", "index_price"), 0.0), ("underlyings.BTC.index_price = 0.0",)),
        (
            change(("underlyings", "BTC", "index_price"), 0.94),
            ("'BTC-PERPETUAL': mark_price = 94010.0, but index_price = 0.94 of BTC", "per coin"),
        ),
        (change(("futures", 0, "mark_price"), 1.01), ("'BTC-27DEC24': mark_price = 1.01, but index_price = 94000.0",)),
        (change(("snapshot_time",), 0), ("snapshot_time = 0",)),
        (change(("schema",), "zkmargin-market-1"), ("schema = 'zkmargin-market-1'", "zkmargin-market-2")),
        (drop("underlyings"), ("underlyings: it is missing; add it",)),
        (drop("snapshot_time"), ("snapshot_time: it is missing; add it",)),
    ],
)
def test_each_fault_is_named(tmp_path: Path, edit: Callable[[Fields], None], words: tuple[str, ...] | None) -> None:
    fields = copy.deepcopy(small_market())
    edit(fields)
    if words is None:  # a bid above the mark happens in real markets
        assert load_market(write(tmp_path, fields)).options[0].bid_price == 4800.0
        return
    with pytest.raises(MarketDataError) as raised:
        load_market(write(tmp_path, fields))
    for word in ("market.json", *words):
        assert word in str(raised.value)


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match=r"missing.json: No such file.*give a readable"):
        load_market(tmp_path / "missing.json")
    broken = tmp_path / "broken.json"
    broken.write_bytes(b"{\xff")
    with pytest.raises(MarketDataError, match=r"broken.json: it is not JSON"):
        load_market(broken)


def test_a_snapshot_lists_something(tmp_path: Path) -> None:
    empty: dict[str, object] = {"perpetuals": [], "futures": [], "options": [], "tokens": []}
    with pytest.raises(MarketDataError, match="perpetuals, futures, options and tokens are empty: list at least one"):
        load_market(write(tmp_path, small_market() | empty))


def test_the_digest_follows_the_content_alone(tmp_path: Path) -> None:
    fields = small_market()
    snapshot = load_market(write(tmp_path, fields))
    reordered = dict(reversed(fields.items()))
    assert load_market(write(tmp_path, reordered)).digest == snapshot.digest
    # Fixed for ever: a published rule carries it.
    assert snapshot.digest.hex() == "b95f35ede5384cfa0aa33604dfe80c1875ca2bf82634b7f069c357515c1bcf25"
    change((*FIRST, "open_interest"), 120.6)(fields)
    assert load_market(write(tmp_path, fields)).digest != snapshot.digest


def test_the_bundled_example_is_what_its_script_makes() -> None:
    assert make_file() == EXAMPLE_MARKET.read_bytes()


@pytest.mark.parametrize("path", MARKET_FILES, ids=lambda path: path.stem)
def test_real_and_bundled_chains_are_read(path: Path) -> None:
    snapshot = load_market(path)
    assert len(snapshot.options) > 500
    assert MarketSnapshot.model_validate_json(snapshot.model_dump_json()).digest == snapshot.digest
    assert all(quote.option.expiry_time > snapshot.snapshot_time for quote in snapshot.options)
