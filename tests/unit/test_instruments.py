"""Names of instruments are parsed strictly and written back the same."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from prover.errors import InstrumentNameError
from prover.market.instrument_names import parse_instrument, parse_option
from prover.market.instruments import Cash, Future, Instrument, Option, OptionRight, Perpetual, Spot


@pytest.mark.parametrize(
    ("name", "instrument"),
    [
        ("USD", Cash("USD")),
        ("BTC_USDC", Spot("BTC", "USDC")),
        ("WEETH", Cash("WEETH")),
        ("BTC-PERPETUAL", Perpetual("BTC")),
        ("SOL_USDC-PERPETUAL", Perpetual("SOL_USDC")),
        ("BTC-27DEC24", Future("BTC", date(2024, 12, 27))),
        ("ETH_USDC-6DEC25", Future("ETH_USDC", date(2025, 12, 6))),
        ("BTC-27DEC24-100000-C", Option("BTC", date(2024, 12, 27), Decimal(100000), OptionRight.CALL)),
        ("ETH-6DEC25-2400-P", Option("ETH", date(2025, 12, 6), Decimal(2400), OptionRight.PUT)),
        ("XRP_USDC-29FEB24-0d625-C", Option("XRP_USDC", date(2024, 2, 29), Decimal("0.625"), OptionRight.CALL)),
    ],
)
def test_names_are_read_and_written(name: str, instrument: Instrument) -> None:
    assert parse_instrument(name) == instrument
    assert instrument.name == name


@pytest.mark.parametrize(
    ("derive", "name"),
    [
        ("USDC", "USDC"),
        ("ETH-USDC", "ETH_USDC"),
        ("ETH-PERP", "ETH-PERPETUAL"),
        ("ETH-20240914-2400-C", "ETH-14SEP24-2400-C"),
        ("ETH-20240914-2400_5-P", "ETH-14SEP24-2400d5-P"),
        ("XRP-20240906-0_625-C", "XRP-6SEP24-0d625-C"),
        ("BTC-20241227-100000-C", "BTC-27DEC24-100000-C"),
    ],
)
def test_both_conventions_name_one_instrument(derive: str, name: str) -> None:
    instrument = parse_instrument(derive)
    assert instrument == parse_instrument(name)
    assert instrument.name == name
    assert instrument.derive_name == derive


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("BTC-27DEC24", "no name for a dated future; use its name at Deribit"),
        ("XRP_USDC-27DEC24-0d625-P", "no settlement currency; name the underlying XRP alone"),
        ("SOL_USDC-PERPETUAL", "no settlement currency; name the underlying SOL alone"),
        ("XRP-27DEC24-0d6250001-P", "too fine for Derive; use multiples of 0.000001"),
    ],
)
def test_what_derive_does_not_list_has_no_name_there(name: str, problem: str) -> None:
    with pytest.raises(InstrumentNameError, match=problem):
        _ = parse_instrument(name).derive_name


@pytest.mark.parametrize(
    ("name", "inverse"),
    [("BTC-PERPETUAL", True), ("BTC-27DEC24", True), ("BTC-27DEC24-1-C", True), ("XRP_USDC-27DEC24-1-C", False)],
)
def test_contracts_named_by_the_coin_alone_are_inverse(name: str, inverse: bool) -> None:  # noqa: FBT001 - a case
    instrument = parse_instrument(name)
    assert isinstance(instrument, Perpetual | Future | Option)
    assert instrument.is_inverse is inverse


def test_every_instrument_says_which_coin_it_is_about() -> None:
    names = ("USD", "BTC_USDC", "ETH-PERP", "BTC-27DEC24", "XRP_USDC-27DEC24-0d625-P")
    assert [parse_instrument(name).coin for name in names] == ["USD", "BTC", "ETH", "BTC", "XRP"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "no known form"),
        ("btc-PERPETUAL", "not an underlying"),
        ("BTC-PERPETUAL ", "no expiry"),
        ("BTC-27DEC24-100000", "3 parts"),
        ("BTC-27DEC24-100000-C-X", "5 parts"),
        ("BTC-27DEC24-100000-c", "neither C nor P"),
        ("BTC-06DEC24-100000-C", "not a date"),
        ("BTC-30FEB24-100000-C", "not a date"),
        ("BTC-27XYZ24-100000-C", "not a date"),
        ("BTC-31APR24", "not a date"),
        ("BTC-27DEC2024", "no expiry"),
        ("BTC-20241227", "no expiry"),
        ("BTC-PERPETUAL-USDC", "3 parts"),
        ("BTC_USDC-PERP", "Derive names a coin"),
        ("BTC_USDC-ETH", "Derive names a coin"),
        ("BTC_USDC-20241227-1-C", "Derive names a coin"),
        ("BTC-20241327-1-C", "not a date"),
        ("BTC-20240230-1-C", "not a date"),
        ("BTC-20241227-2400d5-C", "not a strike"),
        ("BTC-27DEC24-2400_5-C", "not a strike"),
        ("BTC-20241227-0_50-C", "not a strike"),
        ("BTC-20241227-0_0000001-C", "not a strike"),
        ("BTC-27DEC24-0-C", "not a strike"),
        ("BTC-27DEC24-0100000-C", "not a strike"),
        ("BTC-27DEC24--100000-C", "5 parts"),
        ("BTC-27DEC24-1e5-C", "not a strike"),
        ("BTC-27DEC24-0d50-C", "not a strike"),
        ("BTC-27DEC24-１00000-C", "not a strike"),
    ],
)
def test_other_names_are_refused(name: str, problem: str) -> None:
    with pytest.raises(InstrumentNameError, match=problem) as raised:
        parse_instrument(name)
    assert raised.value.name in name


def test_an_option_is_asked_for_by_kind() -> None:
    with pytest.raises(InstrumentNameError, match="not an option"):
        parse_option("BTC-PERPETUAL")


def test_options_expire_at_eight_in_the_morning() -> None:
    option = parse_option("BTC-27DEC24-100000-C")
    assert option.expiry_time == 1735286400
    assert option.years_to_expiry(1735286400 - 365 * 86400) == 1.0
