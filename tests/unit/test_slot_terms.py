"""Lists of slots as terms on chain: what each instrument becomes, and what cannot be listed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from prover.errors import ListingError
from prover.market.instrument_names import parse_instrument
from prover.market.instruments import Cash
from prover.rules.funding_indices import funding_indices
from prover.rules.slot_terms import slot_terms, underlyings_of
from prover.rules.slots import Slot, SlotTable
from verifier.chain.instrument_client import InstrumentKind, SlotTerms, symbol_bytes, symbol_text
from verifier.errors import MalformedInputError

NAMES = ("USD", "BTC-PERPETUAL", "ETH-27DEC24", "WEETH", "BTC_USDC", "ETH-27DEC24-3000-C", "XRP_USDC-27DEC24-0d625-P")
TABLE = SlotTable(
    1, 64, tuple(Slot(0, place, parse_instrument(name), Decimal("0.01")) for place, name in enumerate(NAMES))
)
NUMBERS = {symbol: number for number, symbol in enumerate(underlyings_of(TABLE), start=1)}
EXPIRY = 1_735_286_400
SIZE = 1_000_000


def test_what_each_instrument_becomes() -> None:
    """In an account kept in the quote currency: numbers, kinds, expiry at 08:00 UTC, strikes and sizes in 1e-8."""
    assert NUMBERS == {"BTC": 1, "ETH": 2, "WEETH": 3, "XRP": 4}
    assert [slot_terms(slot, NUMBERS) for slot in TABLE.listed] == [
        SlotTerms(0, InstrumentKind.CASH, 0, 0, SIZE),
        SlotTerms(1, InstrumentKind.PERPETUAL, 0, 0, SIZE),
        SlotTerms(2, InstrumentKind.FUTURE, EXPIRY, 0, SIZE),
        SlotTerms(3, InstrumentKind.TOKEN, 0, 0, SIZE),
        SlotTerms(1, InstrumentKind.SPOT, 0, 0, SIZE),
        SlotTerms(2, InstrumentKind.CALL, EXPIRY, 3_000 * 10**8, SIZE),
        SlotTerms(4, InstrumentKind.PUT, EXPIRY, 62_500_000, SIZE),
    ]


def test_cash_is_a_token_in_any_other_place() -> None:
    slot = Slot(0, 9, Cash("USD"), Decimal("0.01"))
    assert slot_terms(slot, {"USD": 7}) == SlotTerms(7, InstrumentKind.TOKEN, 0, 0, SIZE)


def test_what_cannot_be_listed_is_named() -> None:
    with pytest.raises(ListingError, match="BTC-PERPETUAL follows BTC, which the registry does not know"):
        slot_terms(TABLE.listed[1], {"ETH": 1})
    fine = replace(TABLE.listed[1], lot_size=Decimal("0.000000001"))
    with pytest.raises(ListingError, match=r"lot size 0\.000000001 of BTC-PERPETUAL is finer than 1e-8"):
        slot_terms(fine, NUMBERS)


def test_symbols_come_back_and_others_are_refused() -> None:
    assert symbol_text(symbol_bytes("BTC")) == "BTC"
    for symbol in ("", "é", "x" * 33):
        with pytest.raises(MalformedInputError, match="names no underlying"):
            symbol_bytes(symbol)


def test_a_funding_index_for_every_perpetual() -> None:
    """Market snapshots carry none: all are zero."""
    assert funding_indices(TABLE) == bytes(8)
