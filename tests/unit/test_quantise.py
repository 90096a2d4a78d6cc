"""Rounding against the trader, and what does not fit."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from prover.errors import EntryRangeError
from prover.rules.quantise import quantise

CENT = Decimal("0.01")


def test_values_round_down_and_costs_up() -> None:
    value, cost = 12.3456, 12.3456
    assert quantise(np.array([value, -cost]), CENT).tolist() == [1234, -1235]


def test_whole_ticks_stay() -> None:
    assert quantise(np.array([0.01, -0.01, 0.0, 2.0, -2.0]), CENT).tolist() == [1, -1, 0, 200, -200]


@pytest.mark.parametrize("value", [2.0**62 * 0.01, -(2.0**62) * 0.01, float("inf"), float("-inf"), float("nan")])
def test_what_does_not_fit_is_refused(value: float) -> None:
    with pytest.raises(EntryRangeError, match=r"at \(1, 0\) is not below 2\^62 ticks of 0.01; use larger ticks"):
        quantise(np.array([[1.0], [value]]), CENT)


def test_the_largest_entry_fits() -> None:
    largest = float(np.nextafter(2.0**62, 0))
    assert quantise(np.array([largest, -largest]), Decimal(1)).tolist() == [int(largest), -int(largest)]


def test_ticks_are_positive() -> None:
    with pytest.raises(EntryRangeError, match="tick = 0: use a positive"):
        quantise(np.array([1.0]), Decimal(0))
