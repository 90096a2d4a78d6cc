"""Which instrument sits in which slot."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest

from prover.errors import InstrumentNameError, RuleBuildError, UnknownInstrumentError
from prover.market.instruments import Cash, Option, Perpetual
from prover.rules.rule_file import shipped_rule
from prover.rules.slots import Slot, decode_slots, list_slots
from tests.support.risk_rules import example_market
from verifier.shape import SMALL, STANDARD


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


def test_the_list_is_written_and_read_back() -> None:
    table = list_slots(example_market(), SMALL, shipped_rule("scenarios-small"), books=2)
    assert decode_slots(table.encode()) == table
    assert decode_slots(table.encode()).digest == table.digest
    assert table.digest != list_slots(example_market(), SMALL, shipped_rule("scenarios-small")).digest


@pytest.mark.parametrize(
    ("edit", "error", "words"),
    [
        ((b'"books":1', b'"books":0'), RuleBuildError, "books = 0"),
        ((b'"position":0', b'"position":64'), RuleBuildError, "slot 64 of book 0 does not exist"),
        ((b'"position":0', b'"position":1'), RuleBuildError, "share a slot"),
        ((b'"instrument":"USD"', b'"instrument":"BTC-PERPETUAL"'), RuleBuildError, "listed twice"),
        ((b'"instrument":"USD"', b'"instrument":"usd"'), InstrumentNameError, "usd"),
        ((b'"lot_size":"0.01"', b'"lot_size":"0"'), RuleBuildError, "lot_size"),
        ((b'"books"', b'"shelves"'), RuleBuildError, "books: Field required"),
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
    with pytest.raises(UnknownInstrumentError, match=r"'BTC-27DEC24-1-C' is in none of the 128 listed slots; trade"):
        table.find("BTC-27DEC24-1-C")


def test_a_rule_needs_a_book_and_a_lot_size() -> None:
    with pytest.raises(RuleBuildError, match="books = 0"):
        list_slots(example_market(), STANDARD, shipped_rule("scenarios"), books=0)
    without = shipped_rule("scenarios").model_copy(update={"lot_sizes": {"ETH": Decimal("0.1")}})
    with pytest.raises(RuleBuildError, match=r"no lot size for 'BTC' \(set: ETH\); add one"):
        list_slots(example_market(), STANDARD, without)
