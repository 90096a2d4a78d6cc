"""Evaluation domains of roots of unity and the transforms between values and coefficients."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from verifier.scalar_field import MODULUS, inverse, powers, root_of_unity

if TYPE_CHECKING:
    from collections.abc import Sequence


@functools.cache
def _half_powers(size: int, *, inverted: bool) -> list[int]:
    root = root_of_unity(size)
    return powers(inverse(root) if inverted else root, size // 2)


def _transform(values: Sequence[int], twiddles: Sequence[int]) -> list[int]:
    """Discrete Fourier transform by decimation in time; results are reduced where they enter a product."""
    size = len(values)
    if size == 1:
        return list(values)
    if size == 2:  # noqa: PLR2004 - the butterfly itself
        first, second = values
        return [first + second, first - second]
    half_twiddles = twiddles[::2]
    even = _transform(values[0::2], half_twiddles)
    odd = _transform(values[1::2], half_twiddles)
    turned = [value * twiddle % MODULUS for value, twiddle in zip(odd, twiddles, strict=True)]
    return [a + b for a, b in zip(even, turned, strict=True)] + [a - b for a, b in zip(even, turned, strict=True)]


def evaluate_on_domain(coefficients: Sequence[int], size: int) -> list[int]:
    """Values at ω^0, ω^1, … of the polynomial with at most ``size`` coefficients; ω of order ``size``."""
    padded = list(coefficients) + [0] * (size - len(coefficients))
    return [value % MODULUS for value in _transform(padded, _half_powers(size, inverted=False))]


def interpolate_on_domain(values: Sequence[int]) -> list[int]:
    """Coefficients of the polynomial of degree < len(values) with these values at ω^0, ω^1, …."""
    size = len(values)
    scale = inverse(size)
    return [value * scale % MODULUS for value in _transform(values, _half_powers(size, inverted=True))]


def bit_reversed(index: int, bits: int) -> int:
    """``index`` with its lowest ``bits`` bits in reverse order."""
    return int(f"{index:0{bits}b}"[::-1], 2) if bits else 0


@functools.cache
def bit_reversal(size: int) -> tuple[int, ...]:
    """The permutation i → brp(i) of ``size`` = 2^bits indices."""
    bits = size.bit_length() - 1
    return tuple(bit_reversed(index, bits) for index in range(size))
