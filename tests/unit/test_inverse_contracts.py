"""Inverse contracts, against an exchange's published answers and by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from prover.errors import PricingError
from prover.market.inverse_contracts import coin_profit, contracts_to_units, units_to_contracts
from tests.support.market_files import EXCHANGE_CASE_FILES

OWN_CASE = (
    # A short of one coin: price up by a quarter costs a fifth of a coin, down by a fifth gains a quarter.
    [({"position_coin": -1.0}, [0.25, 0.0, -0.2], [-0.2, 0.0, 0.25])]
)


def published_cases() -> list[tuple[dict[str, float], list[float], list[float]]]:
    """Positions with the profits in coin that an exchange answered, over nine moves of its price range."""
    found = []
    for path in EXCHANGE_CASE_FILES:
        for case in json.loads(path.read_text())["cases"]:
            if case["methodology"] != "deribit_portfolio_margin":
                continue
            expected, inputs = case["expected"], case["inputs"]
            vectors = expected.get("initial_risk_vectors")
            for name, position in inputs["instruments"].items():
                vector = vectors[name] if vectors else expected["initial_risk_vector_standard"]
                reach = inputs["model_params"]["price_range"]
                moves = [reach * (quarter - 4) / 4 for quarter in range(9)]
                found.append((position, moves, vector[::3]))
    return found


@pytest.mark.parametrize(("position", "moves", "profits"), OWN_CASE + published_cases())
def test_profits_in_coin(position: dict[str, float], moves: list[float], profits: list[float]) -> None:
    assert coin_profit(position["position_coin"], moves) == pytest.approx(profits, abs=1e-9)


@pytest.mark.parametrize(
    ("dollars", "entry", "price"), [(60_000.0, 60_000.0, 75_000.0), (-1_000.0, 50_000.0, 40_000.0)]
)
def test_in_quote_currency_a_position_gains_as_its_units(dollars: float, entry: float, price: float) -> None:
    coins = dollars * (1 / entry - 1 / price)
    units = contracts_to_units(dollars, entry)
    assert units * (price - entry) == pytest.approx(coins * price)
    assert coin_profit(units, [price / entry - 1]) == pytest.approx([coins])


def test_contracts_and_units_turn_into_each_other() -> None:
    assert contracts_to_units(30_000.0, 60_000.0) == 0.5
    assert units_to_contracts(0.5, 60_000.0) == 30_000.0


@pytest.mark.parametrize("price", [0.0, -1.0, np.nan])
def test_prices_are_positive(price: float) -> None:
    with pytest.raises(PricingError, match=r"price = .*positive"):
        contracts_to_units(1.0, price)
    with pytest.raises(PricingError, match=r"price = .*positive"):
        units_to_contracts(1.0, price)
