"""The two CSV forms of option chains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from prover.errors import MarketDataError
from prover.market.market_files import load_market
from prover.market.pricing import OptionTerms, black76
from tests.support.market_files import MARKET_FILES

if TYPE_CHECKING:
    from pathlib import Path

TAKEN_AT = 1764897060
"""2025-12-05 01:11 UTC: 6DEC25 is 110,940 s away, 26DEC25 1,838,940 s."""

CHAIN_HEAD = (
    "instrument_name,type,expiry_date,strike,T_years,S0,"
    "market_price_btc,market_price_usd,mark_iv,bid_btc,ask_btc,open_interest"
)
CHAIN = (
    "BTC-6DEC25-92000-C,call,6DEC25,92000.0,0.00352,92529.8,0.01300000,1202.9,43.0,0.0125,0.0135,12.5",
    "BTC-26DEC25-92000-P,put,26DEC25,92000.0,0.05831,92726.4,0.03900000,3616.3,46.0,,0.0400,0.0",
)
SUMMARY_HEAD = (
    "instrument_name,creation_timestamp,estimated_delivery_price,underlying_price,"
    "mark_price,bid_price,ask_price,open_interest"
)
SUMMARY = (
    "ETH-26JAN24-2200-C,1704712781414,2222.19,2241.65,0.066,0.065,0.0665,965.0",
    "ETH-26JAN24-1000-P,1704712781429,2222.19,2241.65,0.00008,,0.0005,3.0",
    "ETH-26JAN24-1000-C,1704712781429,2222.19,2241.65,0.553899,,,0.0",
)


def write(folder: Path, head: str, lines: tuple[str, ...]) -> Path:
    """A CSV file."""
    path = folder / "chain.csv"
    path.write_text("\n".join((head, *lines, "")))
    return path


def test_a_chain_with_volatilities(tmp_path: Path) -> None:
    snapshot = load_market(write(tmp_path, CHAIN_HEAD, CHAIN))
    call, put = snapshot.options
    assert abs(snapshot.snapshot_time - TAKEN_AT) < 160  # T_years is rounded to 315 s
    (perpetual,) = snapshot.perpetuals
    assert (perpetual.instrument, perpetual.mark_price) == ("BTC-PERPETUAL", 92529.8)
    assert snapshot.underlyings["BTC"].index_price == 92529.8
    assert call.mark_volatility == 0.43
    assert call.bid_price == pytest.approx(0.0125 * 92529.8)
    assert put.bid_price is None
    assert put.ask_price == pytest.approx(0.04 * 92726.4)


def test_a_book_summary_without_volatilities(tmp_path: Path) -> None:
    snapshot = load_market(write(tmp_path, SUMMARY_HEAD, SUMMARY))
    call, put, deep = snapshot.options
    assert snapshot.snapshot_time == 1704712781
    assert snapshot.underlyings["ETH"].index_price == 2222.19
    terms = OptionTerms(2200.0, call.option.years_to_expiry(snapshot.snapshot_time), is_call=True)
    assert float(black76(terms, 2241.65, call.mark_volatility)) == pytest.approx(call.mark_price, abs=1e-4)
    # The deep call's rounded mark is below its intrinsic value: the put of its strike explains it.
    assert deep.mark_price < 2241.65 - 1000
    assert deep.mark_volatility == put.mark_volatility


@pytest.mark.parametrize("path", MARKET_FILES, ids=lambda path: path.stem)
def test_marks_of_whole_chains_follow_from_their_volatilities(path: Path) -> None:
    snapshot = load_market(path)
    quotes = snapshot.options
    terms = OptionTerms(
        [float(quote.option.strike) for quote in quotes],
        [quote.option.years_to_expiry(snapshot.snapshot_time) for quote in quotes],
        [quote.option.is_call for quote in quotes],
    )
    forwards = [quote.forward for quote in quotes]
    models = black76(terms, forwards, [quote.mark_volatility for quote in quotes])
    for quote, model in zip(quotes, models, strict=True):
        assert abs(quote.mark_price - model) < 3e-5 * quote.forward, quote.instrument


@pytest.mark.parametrize(
    ("head", "line", "words"),
    [
        (CHAIN_HEAD, CHAIN[0].replace("0.00352", ""), ("line 2", "T_years is missing")),
        (CHAIN_HEAD, CHAIN[0].replace("43.0", "high"), ("line 2", "mark_iv = 'high'", "correct")),
        (CHAIN_HEAD, CHAIN[0].replace("43.0", "nan"), ("line 2", "mark_iv = 'nan'", "absurd")),
        (CHAIN_HEAD, CHAIN[0].replace("0.00352", "1e300"), ("line 2", "T_years = '1e300'", "absurd")),
        (CHAIN_HEAD, CHAIN[0].replace("0.0125", "-0.0125"), ("line 2", "bid_btc = '-0.0125'", "negative")),
        (CHAIN_HEAD, CHAIN[0].replace("-C", "-X"), ("line 2", "instrument_name", "neither C nor P")),
        (CHAIN_HEAD, CHAIN[0].replace("0.0125", "0.0145"), ("line 2", "bid_price", "above ask_price")),
        (CHAIN_HEAD, CHAIN[0].replace("43.0", "0.0"), ("line 2", "mark_volatility = 0.0")),
        (CHAIN_HEAD, CHAIN[0].replace("43.0", "4300.0"), ("line 2", "mark_volatility = 43.0")),
        (SUMMARY_HEAD, SUMMARY[0].replace("0.066,", ","), ("line 2", "mark_price is missing")),
        (
            SUMMARY_HEAD,
            SUMMARY[0].replace("0.066,", "0.0,"),
            ("line 2", "ETH-26JAN24-2200-C", "no volatility explains"),
        ),
        (SUMMARY_HEAD, SUMMARY[0].replace("26JAN24", "5JAN24"), ("line 2", "ETH-5JAN24-2200-C", "expired")),
        (
            SUMMARY_HEAD.replace("mark_price", "mark"),
            SUMMARY[0],
            ("lacks mark_price in its first", "give"),
        ),
    ],
)
def test_faults_are_named(tmp_path: Path, head: str, line: str, words: tuple[str, ...]) -> None:
    with pytest.raises(MarketDataError) as raised:
        load_market(write(tmp_path, head, (line,)))
    for word in ("chain.csv", *words):
        assert word in str(raised.value)


def test_lines_of_different_moments_are_refused(tmp_path: Path) -> None:
    later = CHAIN[1].replace("0.05831", "0.05821")
    with pytest.raises(MarketDataError, match=r"BTC-26DEC25-92000-P and BTC-6DEC25-92000-C are .* s apart"):
        load_market(write(tmp_path, CHAIN_HEAD, (CHAIN[0], later)))


def test_files_without_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match="lists no option"):
        load_market(write(tmp_path, CHAIN_HEAD, ()))
    with pytest.raises(MarketDataError, match=r"absent.csv.*give a readable"):
        load_market(tmp_path / "absent.csv")
