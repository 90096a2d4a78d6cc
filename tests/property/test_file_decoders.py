"""Whatever a file holds, a reader returns a value or its own error, never another exception."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prover.errors import PortfolioError, ProverError, RuleBuildError, UnknownInstrumentError
from prover.market.market_files import load_market
from prover.rules.portfolio import decode_portfolio
from prover.rules.slots import decode_slots
from tests.support.risk_rules import example_market, example_rules
from verifier.shape import SMALL, STANDARD

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
ONE_FILE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def returns_or_raises(read: Callable[[], object], *errors: type[ProverError]) -> None:
    """Nothing but these errors comes out."""
    with suppress(*errors):
        read()


@ONE_FILE
@given(field=st.sampled_from(sorted(example_market().model_dump(mode="json"))), value=VALUES)
def test_snapshots_with_any_field(tmp_path: Path, field: str, value: object) -> None:
    fields = example_market().model_dump(mode="json")
    fields["options"] = fields["options"][:2]
    path = tmp_path / "market.json"
    path.write_text(json.dumps(fields | {field: value}))
    returns_or_raises(lambda: load_market(path), ProverError)


@ONE_FILE
@given(field=st.sampled_from(sorted(example_market().options[0].model_dump(mode="json"))), value=SCALARS)
def test_snapshots_with_any_quote(tmp_path: Path, field: str, value: object) -> None:
    fields = example_market().model_dump(mode="json")
    fields["options"] = [fields["options"][0] | {field: value}]
    path = tmp_path / "market.json"
    path.write_text(json.dumps(fields))
    returns_or_raises(lambda: load_market(path), ProverError)


@ONE_FILE
@given(
    field=st.sampled_from(
        ["instrument_name", "creation_timestamp", "underlying_price", "mark_price", "mark_iv", "open_interest"]
    ),
    value=SCALARS,
    entries=VALUES,
)
def test_book_summaries_with_any_entry(tmp_path: Path, field: str, value: object, entries: object) -> None:
    entry = {"instrument_name": "BTC-6DEC25-92000-C", "creation_timestamp": 1764897060000, "underlying_price": 92529.8}
    path = tmp_path / "summary.json"
    for result in ([entry | {"mark_iv": 43.0, field: value}], entries):
        path.write_text(json.dumps({"jsonrpc": "2.0", "result": result}))
        returns_or_raises(lambda: load_market(path), ProverError)


CHAIN = "instrument_name,T_years,S0,market_price_btc,mark_iv,bid_btc,ask_btc,open_interest"
SUMMARY = (
    "instrument_name,creation_timestamp,estimated_delivery_price,underlying_price,mark_price,bid_price,ask_price,"
    "open_interest"
)
CELLS = st.sampled_from(["", "0", "0.01", "1", "90000", "1e-300", "1e14", "1e300", "nan", "-1", "x", "1704712781414"])


@ONE_FILE
@given(head=st.sampled_from([CHAIN, SUMMARY]), lines=st.lists(st.lists(CELLS, min_size=5, max_size=9), max_size=3))
def test_option_chains_with_any_cells(tmp_path: Path, head: str, lines: list[list[str]]) -> None:
    path = tmp_path / "chain.csv"
    path.write_text("\n".join([head, *(",".join(["BTC-6DEC25-92000-C", *cells]) for cells in lines)]))
    returns_or_raises(lambda: load_market(path), ProverError)


@given(content=st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_portfolios_and_slots_of_any_bytes(content: bytes) -> None:
    slots = example_rules(SMALL)[0].slots
    returns_or_raises(lambda: decode_portfolio(content, slots, SMALL), PortfolioError, UnknownInstrumentError)
    returns_or_raises(lambda: decode_slots(content), RuleBuildError)


@given(quantity=st.decimals() | st.floats().map(str) | st.text(max_size=12))
def test_portfolios_of_any_quantity(quantity: object) -> None:
    slots = example_rules()[0].slots
    content = json.dumps({"BTC-PERPETUAL": str(quantity)}).encode()
    returns_or_raises(lambda: decode_portfolio(content, slots, STANDARD), PortfolioError)


def test_the_helper_lets_other_errors_through() -> None:
    with pytest.raises(ZeroDivisionError):
        returns_or_raises(lambda: 1 // 0, ProverError)
