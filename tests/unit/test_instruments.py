"""Names of instruments are parsed strictly and written back the same."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from prover.errors import InstrumentNameError
from prover.market.instrument_names import parse_instrument, parse_option
from prover.market.instruments import Cash, Option, OptionRight, Perpetual, Spot


@pytest.mark.parametrize(
    ("name", "instrument"),
    [
        ("USD", Cash("USD")),
        ("BTC_USDC", Spot("BTC", "USDC")),
        ("BTC-PERPETUAL", Perpetual("BTC")),
        ("BTC-27DEC24-100000-C", Option("BTC", date(2024, 12, 27), Decimal(100000), OptionRight.CALL)),
        ("ETH-6DEC25-2400-P", Option("ETH", date(2025, 12, 6), Decimal(2400), OptionRight.PUT)),
        ("XRP_USDC-29FEB24-0d625-C", Option("XRP_USDC", date(2024, 2, 29), Decimal("0.625"), OptionRight.CALL)),
    ],
)
def test_names_are_read_and_written(name: str, instrument: Cash | Spot | Perpetual | Option) -> None:
    assert parse_instrument(name) == instrument
    assert instrument.name == name


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
