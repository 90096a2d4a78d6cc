"""Which instrument sits in which slot."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

import pytest

from prover.errors import InstrumentNameError, RuleBuildError, UnknownInstrumentError
from prover.market.instruments import Cash, Option, Perpetual
from prover.rules.rule_file import shipped_rule
from prover.rules.slots import Slot, decode_slots, list_slots
from tests.support.risk_rules import example_market
from tests.support.small_markets import two_coin_market
from verifier.shape import SMALL, STANDARD

if TYPE_CHECKING:
    from prover.rules.rule_definition import RuleDefinition


def test_one_book_lists_cash_the_perpetual_and_the_most_open_options() -> None:
    table = list_slots(example_market(), STANDARD, shipped_rule("scenarios"))
    assert [slot.position for slot in table.listed] == list(range(128))
    assert table.listed[0] == Slot(0, 0, Cash("USD"), Decimal("0.01"))
    assert table.listed[1] == Slot(0, 1, Perpetual("BTC"), Decimal("0.01"))
    interest = {quote.instrument: quote.open_interest for quote in example_market().options}
    listed = [interest.pop(slot.instrument.name) for slot in table.listed[2:]]
    assert listed == sorted(listed, reverse=True)
    assert max(interest.values()) <= listed[-1]


def test_four_books_are_full_and_no_expiry_is_split() -> None:
    table = list_slots(example_market(), STANDARD, shipped_rule("scenarios"), books=4)
    assert len(table.listed) == 512
    books = defaultdict(set)
    for slot in table.listed:
        if isinstance(slot.instrument, Option):
            books[slot.instrument.expiry].add(slot.book)
    assert all(len(places) == 1 for places in books.values())
    assert {place for places in books.values() for place in places} == {0, 1, 2, 3}


@cache
def two_coin_rule() -> RuleDefinition:
    """The shipped rule with lots for the tokens of the market of two coins."""
    rule = shipped_rule("scenarios")
    return rule.model_copy(update={"lot_sizes": rule.lot_sizes | {"WEETH": Decimal("0.1"), "USDC": Decimal(1)}})


def test_underlyings_share_the_slots_by_open_interest_in_money() -> None:
    """BTC-29NOV24-90000-P: 20 coins of 94,000; ETH-27DEC24-3200-C: 400 of 3,100; the third: 10 of 94,000."""
    table = list_slots(two_coin_market(), SMALL, two_coin_rule())
    assert [slot.instrument.name for slot in table.listed] == [
        "USD",
        *("BTC-PERPETUAL", "ETH-PERPETUAL", "BTC-27DEC24", "ETH-27DEC24", "BTC", "USDC", "WEETH"),
        *("BTC-29NOV24-90000-P", "ETH-27DEC24-3200-C", "BTC-27DEC24-100000-C"),
    ]
    lots = {slot.instrument.name: str(slot.lot_size) for slot in table.listed}
    assert (lots["USDC"], lots["BTC"], lots["ETH-27DEC24-3200-C"], lots["WEETH"]) == ("1", "0.01", "0.1", "0.1")
    assert decode_slots(table.encode()) == table


def test_an_expiry_of_one_coin_is_not_split_among_books() -> None:
    table = list_slots(two_coin_market(), SMALL, two_coin_rule(), books=2)
    places = {slot.instrument.name: slot.book for slot in table.listed if isinstance(slot.instrument, Option)}
    assert len(places) == 3
    assert all(slot.book == 0 for slot in table.listed if not isinstance(slot.instrument, Option))


def test_what_is_not_an_option_must_fit_into_a_book() -> None:
    market = two_coin_market()
    many = tuple(market.futures[0].model_copy(update={"instrument": f"BTC-27DEC{year}"}) for year in range(24, 99))
    with pytest.raises(
        RuleBuildError, match=r"cash and 80 perpetuals, futures and tokens need more than the 64 slots .*quote fewer"
    ):
        list_slots(market.model_copy(update={"futures": many}), SMALL, two_coin_rule())


def test_the_list_is_written_and_read_back() -> None:
    table = list_slots(example_market(), SMALL, shipped_rule("scenarios-small"), books=2)
    assert decode_slots(table.encode()) == table
    assert decode_slots(table.encode()).digest == table.digest
    assert table.digest != list_slots(example_market(), SMALL, shipped_rule("scenarios-small")).digest


@pytest.mark.parametrize(
    ("edit", "error", "words"),
    [
        ((b'"books":1', b'"books":0'), RuleBuildError, "books = 0"),
        ((b'"books":1', b'"books":17'), RuleBuildError, "books = 17"),
        ((b'"position":0', b'"position":64'), RuleBuildError, "slot 64 of book 0 does not exist"),
        ((b'"position":0', b'"position":1'), RuleBuildError, "slot 1 of book 0 holds 2 instruments; give"),
        (
            (b'"instrument":"USD"', b'"instrument":"BTC-PERPETUAL"'),
            RuleBuildError,
            "PERPETUAL is listed 2 times; keep",
        ),
        ((b'"instrument":"USD"', b'"instrument":"usd"'), InstrumentNameError, "usd"),
        ((b'"lot_size":"0.01"', b'"lot_size":"0"'), RuleBuildError, "lot_size"),
        ((b'"books"', b'"shelves"'), RuleBuildError, "books: it is missing; add it"),
    ],
)
def test_faulty_lists_are_refused(edit: tuple[bytes, bytes], error: type[Exception], words: str) -> None:
    content = list_slots(example_market(), SMALL, shipped_rule("scenarios-small")).encode()
    assert edit[0] in content
    with pytest.raises(error, match=words):
        decode_slots(content.replace(*edit, 1))


def test_instruments_are_found_by_name() -> None:
    table = list_slots(example_market(), STANDARD, shipped_rule("scenarios"))
    assert table.find("BTC-27DEC24-100000-C").instrument.name == "BTC-27DEC24-100000-C"
    assert table.find("BTC-20241227-100000-C") == table.find("BTC-27DEC24-100000-C")
    with pytest.raises(UnknownInstrumentError, match=r"'BTC-27DEC24-100000-X': 'X' is neither C nor P"):
        table.find("BTC-27DEC24-100000-X")
    with pytest.raises(UnknownInstrumentError, match=r"'BTC-27DEC24-1-C' is in none of the 128 listed slots; trade"):
        table.find("BTC-27DEC24-1-C")


def test_a_rule_needs_a_book_and_a_lot_size() -> None:
    with pytest.raises(RuleBuildError, match="books = 0"):
        list_slots(example_market(), STANDARD, shipped_rule("scenarios"), books=0)
    without = shipped_rule("scenarios").model_copy(update={"lot_sizes": {"ETH": Decimal("0.1")}})
    with pytest.raises(RuleBuildError, match=r"no lot size for 'BTC' \(set: ETH\); add one"):
        list_slots(example_market(), STANDARD, without)


def test_a_lot_of_cash_is_what_deposits_are_credited_in() -> None:
    fine, coarse = (
        list_slots(example_market(), STANDARD, shipped_rule("scenarios").model_copy(update={"tick": Decimal(tick)}))
        for tick in ("0.01", "1")
    )
    assert fine.deposit_problem is None
    assert str(coarse.deposit_problem).startswith("tick = 1: the list of slots has lots of 1 USD, but")
