"""Every option's name is read back as the same option."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from prover.errors import InstrumentNameError
from prover.market.instrument_names import parse_instrument, parse_option
from prover.market.instruments import Option, OptionRight

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal


@given(
    underlying=st.from_regex(r"[A-Z][A-Z0-9]{1,6}(_USDC)?", fullmatch=True),
    expiry=st.dates(min_value=parse_option("BTC-1JAN20-1-C").expiry, max_value=parse_option("BTC-31DEC99-1-C").expiry),
    strike=st.decimals(min_value="0.00000001", max_value="999999999", places=8),
    right=st.sampled_from(OptionRight),
)
def test_option_names_are_read_back(underlying: str, expiry: date, strike: Decimal, right: OptionRight) -> None:
    option = Option(underlying, expiry, strike, right)
    assert parse_option(option.name) == option


@given(
    coin=st.from_regex(r"[A-Z][A-Z0-9]{1,6}", fullmatch=True),
    expiry=st.dates(min_value=parse_option("BTC-1JAN20-1-C").expiry, max_value=parse_option("BTC-31DEC99-1-C").expiry),
    strike=st.decimals(min_value="0.000001", max_value="999999999", places=6),
    right=st.sampled_from(OptionRight),
)
def test_names_at_derive_are_read_back(coin: str, expiry: date, strike: Decimal, right: OptionRight) -> None:
    option = Option(coin, expiry, strike, right)
    assert parse_option(option.derive_name) == option


FORMS = (
    r"[A-Z]{2,3}(_USDC)?(-(PERP|PERPETUAL|USDC|[0-9]{1,2}(DEC|FEB)2[0-9]|202[0-9]{5}))?(-[0-9][0-9_d]{0,5})?(-[CP])?"
)


@given(name=st.from_regex(FORMS, fullmatch=True))
def test_whatever_is_read_has_that_name(name: str) -> None:
    try:
        instrument = parse_instrument(name)
    except InstrumentNameError:
        return
    if name != instrument.name:
        assert name == instrument.derive_name
