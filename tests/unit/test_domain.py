"""Transforms between values and coefficients, against direct evaluation."""

from __future__ import annotations

import pytest

from tests.support.deterministic import seeded_scalars
from verifier.domain import bit_reversal, bit_reversed, evaluate_on_domain, interpolate_on_domain
from verifier.scalar_field import MODULUS, root_of_unity


@pytest.mark.parametrize("size", [1, 2, 4, 8, 64])
def test_evaluation_is_direct_evaluation(size: int) -> None:
    coefficients, root = seeded_scalars(f"domain {size}", size), root_of_unity(size)
    direct = [
        sum(coefficient * pow(root, place * power, MODULUS) for power, coefficient in enumerate(coefficients)) % MODULUS
        for place in range(size)
    ]
    assert evaluate_on_domain(coefficients, size) == direct
    assert interpolate_on_domain(direct) == coefficients


def test_missing_coefficients_are_zero() -> None:
    assert evaluate_on_domain([7], 4) == [7, 7, 7, 7]
    assert evaluate_on_domain([], 2) == [0, 0]


def test_negative_values_are_taken_modulo_r() -> None:
    assert interpolate_on_domain([-1, -1]) == [MODULUS - 1, 0]


def test_bit_reversal() -> None:
    assert [bit_reversed(index, 3) for index in range(8)] == [0, 4, 2, 6, 1, 5, 3, 7]
    assert bit_reversal(8) == (0, 4, 2, 6, 1, 5, 3, 7)
    assert bit_reversal(1) == (0,)
    assert bit_reversed(1, 12) == 2048
