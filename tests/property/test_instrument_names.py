"""Every option's name is read back as the same option."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from prover.market.instrument_names import parse_option
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
