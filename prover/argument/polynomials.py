"""Polynomials over F_r: package python-flint for the products, exact divisions by the three sparse divisors.

Every division here is exact for a true statement; a remainder is dropped, so that a false statement gives a proof
that is rejected.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from flint import fmpz_mod_ctx, fmpz_mod_poly_ctx

from verifier.domain import interpolate_on_domain
from verifier.scalar_field import MODULUS

if TYPE_CHECKING:
    from collections.abc import Sequence

Polynomial = Any
"""A polynomial over F_r as python-flint holds it."""


@functools.cache
def _ring() -> Any:  # noqa: ANN401 - python-flint carries no types
    return fmpz_mod_poly_ctx(fmpz_mod_ctx(MODULUS))


def polynomial(coefficients: Sequence[int]) -> Polynomial:
    """From coefficients, ascending."""
    return _ring()(list(coefficients))


def interpolate(values: Sequence[int]) -> Polynomial:
    """Of degree < len(values), from its values at the roots of unity of that order."""
    return polynomial(interpolate_on_domain(values))


def coefficients_of(value: Polynomial) -> list[int]:
    """Coefficients as integers in [0, r), ascending, without leading zeros."""
    return [int(coefficient) for coefficient in value.coeffs()]


def evaluate(value: Polynomial, point: int) -> int:
    """Value at a point."""
    return int(value(point))


def stretch(value: Polynomial, powers: Sequence[int]) -> Polynomial:
    """``value(gX)`` for ``powers`` = [1, g, g², …], at least as many as coefficients."""
    pairs = zip(coefficients_of(value), powers, strict=False)
    return polynomial([coefficient * power % MODULUS for coefficient, power in pairs])


def times_vanishing(value: Polynomial, size: int) -> Polynomial:
    """``value · (X^size − 1)``."""
    return value.left_shift(size) - value


def divide_by_vanishing(value: Polynomial, size: int, length: int) -> Polynomial:
    """Quotient by X^size − 1, of at most ``length`` coefficients.

    From c = q·(X^n − 1) follows q = −(c + X^n c + X^2n c + …) modulo any power of X.
    """
    low = value.truncate(length)
    total = low
    for shift in range(size, length, size):
        total += low.left_shift(shift).truncate(length)
    return -total


def divide_by_point(value: Polynomial, point: int) -> Polynomial:
    """Quotient by X − point."""
    quotient, _ = divmod(value, polynomial([-point % MODULUS, 1]))
    return quotient


def divide_by_power_shift(value: Polynomial, *, block: int, blocks: int, root: int) -> tuple[Polynomial, Polynomial]:
    """Quotient and remainder by X^block − root of a polynomial of block·blocks coefficients (Horner in X^block)."""
    running = polynomial([])
    quotient = polynomial([])
    for place in range(blocks - 1, -1, -1):
        quotient = quotient.left_shift(block) + running
        running = value.right_shift(place * block).truncate(block) + running * root
    return quotient, running
