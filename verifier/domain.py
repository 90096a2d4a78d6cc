"""Evaluation domains of roots of unity and the transforms between values and coefficients."""

from __future__ import annotations

import functools
from operator import add, mul, sub
from typing import TYPE_CHECKING

from verifier.scalar_field import MODULUS, inverse, powers, root_of_unity

if TYPE_CHECKING:
    from collections.abc import Sequence


@functools.cache
def _stage_twiddles(size: int, *, inverted: bool) -> list[list[int]]:
    """Per stage the factor of each of the size/2 differences; the last stage, whose factors are one, is left out."""
    root = root_of_unity(size)
    half = powers(inverse(root) if inverted else root, size // 2)
    stages = size.bit_length() - 1
    return [[half[(place >> stage) << stage] for place in range(size // 2)] for stage in range(stages - 1)]


def _transform(values: Sequence[int], *, inverted: bool) -> list[int]:
    """Discrete Fourier transform of constant geometry (Pease): every stage is a few passes over whole lists.

    A stage takes x[i] and x[i + n/2] to their sum at 2i and their turned difference at 2i + 1; the result is then
    in bit-reversed order. Sums are left unreduced: they grow by one bit a stage.
    """
    size = len(values)
    if size == 1:
        return list(values)
    half = size // 2
    current = list(values)
    for twiddles in _stage_twiddles(size, inverted=inverted):
        first, second = current[:half], current[half:]
        current[0::2] = map(add, first, second)
        current[1::2] = [value % MODULUS for value in map(mul, map(sub, first, second), twiddles)]
    first, second = current[:half], current[half:]
    current[0::2] = map(add, first, second)
    current[1::2] = map(sub, first, second)
    return [current[place] for place in bit_reversal(size)]


def evaluate_on_domain(coefficients: Sequence[int], size: int) -> list[int]:
    """Values at ω^0, ω^1, … of the polynomial with at most ``size`` coefficients; ω of order ``size``."""
    padded = list(coefficients) + [0] * (size - len(coefficients))
    return [value % MODULUS for value in _transform(padded, inverted=False)]


def interpolate_on_domain(values: Sequence[int]) -> list[int]:
    """Coefficients of the polynomial of degree < len(values) with these values at ω^0, ω^1, …."""
    size = len(values)
    scale = inverse(size)
    return [value * scale % MODULUS for value in _transform(values, inverted=True)]


def bit_reversed(index: int, bits: int) -> int:
    """``index`` with its lowest ``bits`` bits in reverse order."""
    return int(f"{index:0{bits}b}"[::-1], 2) if bits else 0


@functools.cache
def bit_reversal(size: int) -> tuple[int, ...]:
    """The permutation i → brp(i) of ``size`` = 2^bits indices."""
    bits = size.bit_length() - 1
    return tuple(bit_reversed(index, bits) for index in range(size))
