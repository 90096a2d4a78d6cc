"""Quantities become whole lots, exactly, and stay out of every message."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from prover.errors import PortfolioError, ProverError, UnknownInstrumentError
from prover.rules.portfolio import Portfolio, decode_portfolio, load_portfolio, make_portfolio
from tests.support.risk_rules import example_rules, holding
from verifier.shape import SMALL, STANDARD

if TYPE_CHECKING:
    from pathlib import Path

CALL = "BTC-27DEC24-100000-C"


def decode(content: bytes) -> Portfolio:
    """A portfolio on the bundled rule's slots."""
    return decode_portfolio(content, example_rules()[0].slots, STANDARD)


def test_quantities_are_read_exactly(tmp_path: Path) -> None:
    slots = example_rules()[0].slots
    path = tmp_path / "portfolio.json"
    path.write_text(f'{{"USD": 250000.07, "BTC-PERPETUAL": -1.5, "{CALL}": "10"}}')
    portfolio = load_portfolio(path, slots, STANDARD)
    call = slots.find(CALL)
    assert portfolio.lots[0][0] == 25000007
    assert portfolio.lots[0][1] == -150
    assert portfolio.lots[call.book][call.position] == 1000
    assert portfolio.quantities() == {"USD": Decimal("250000.07"), "BTC-PERPETUAL": Decimal("-1.5"), CALL: Decimal(10)}
    assert decode(portfolio.encode()) == portfolio


def test_portfolios_add_and_cancel() -> None:
    left, right = decode(b'{"USD": 5, "BTC-PERPETUAL": 2}'), decode(b'{"USD": -7}')
    assert left.plus(right).quantities() == {"USD": Decimal(-2), "BTC-PERPETUAL": Decimal(2)}
    assert left.plus(left.negated()).quantities() == {}
    with pytest.raises(PortfolioError, match="different lists of slots"):
        left.plus(holding(example_rules(SMALL)[0], {}))


def test_names_of_derive_are_understood() -> None:
    quantities = decode(b'{"BTC-PERP": 2, "BTC-20241227-100000-C": -1}').quantities()
    assert quantities == {"BTC-PERPETUAL": Decimal(2), "BTC-27DEC24-100000-C": Decimal(-1)}


HOLDING = "31337"


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (f'{{"BTC-27DEC24-1-C": {HOLDING}}}', UnknownInstrumentError, "BTC-27DEC24-1-C"),
        (
            f'{{"BTC-PERPETUAL": {HOLDING}.001}}',
            PortfolioError,
            "'BTC-PERPETUAL' is no multiple of its lot of 0.01; round",
        ),
        (f'{{"USD": {HOLDING}e20}}', PortfolioError, "'USD' is beyond ±17592186044415 lots of 0.01; reduce it"),
        (f'{{"USD": -{HOLDING}e20}}', PortfolioError, "beyond"),
        ('{"USD": NaN}', PortfolioError, "'USD' is not a number"),
        ('{"USD": Infinity}', PortfolioError, "'USD' is not a number"),
        ('{"USD": "Infinity"}', PortfolioError, "beyond"),
        (f'{{"USD": "{HOLDING} dollars"}}', PortfolioError, "'USD' is not a number"),
        (f'{{"USD": [{HOLDING}]}}', PortfolioError, "'USD' is not a number"),
        ('{"USD": true}', PortfolioError, "'USD' is not a number"),
        (f'{{"USD": {HOLDING}, "USD": 1}}', PortfolioError, "'USD' is listed twice"),
        (f'{{"BTC-PERP": {HOLDING}, "BTC-PERPETUAL": 1}}', PortfolioError, "'BTC-PERP' and 'BTC-PERPETUAL' are one"),
        (f"[{HOLDING}]", PortfolioError, "not a JSON object"),
        (f'{{"USD": {HOLDING}', PortfolioError, "not JSON"),
    ],
)
def test_faults_are_named_and_quantities_are_not(content: str, error: type[ProverError], words: str) -> None:
    with pytest.raises(error, match=words) as raised:
        decode(content.encode())
    assert HOLDING not in str(raised.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PortfolioError, match=r"absent\.json: No such file"):
        load_portfolio(tmp_path / "absent.json", example_rules()[0].slots, STANDARD)


def test_the_last_position_in_range_fits() -> None:
    slots = example_rules()[0].slots
    largest = (STANDARD.value_bound - 1) * Decimal("0.01")
    assert make_portfolio({"USD": largest}, slots, STANDARD).lots[0][0] == STANDARD.value_bound - 1
    with pytest.raises(PortfolioError, match="beyond"):
        make_portfolio({"USD": largest + Decimal("0.01")}, slots, STANDARD)


def test_the_representation_is_redacted() -> None:
    assert HOLDING not in repr(decode(f'{{"USD": {HOLDING}}}'.encode()))
