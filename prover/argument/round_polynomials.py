"""The polynomials of the rounds, as values and coefficients (specification, section 4)."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from prover.argument import polynomials as poly
from verifier.domain import evaluate_on_domain
from verifier.rules.rule_audit import CONSTANT_COLUMN
from verifier.scalar_field import MODULUS, batch_inverse, inverse, powers
from verifier.statement import table_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prover.argument.polynomials import Polynomial
    from verifier.shape import Shape


@dataclass
class BookPolynomials:
    """What one book contributes; filled round by round. Everything here is secret.

    Attributes:
        suffixes: r_b on W.
        digit_values: dig_b on W.
        digit_blinds: of r_b.
        digits: r_b.
        digits_shifted: r_b(ωX).
        digit: dig_b.
        inverse_values: A_b on W.
        inverse_blinds: of A_b.
        inverses: A_b.
        rows: t_b.
        row_quotient: (M̂_{β,b} − t_b)/(X^R − β).
        positions: x_b.
        lookup: C1_b.
    """

    suffixes: list[int] = field(repr=False)
    digit_values: list[int] = field(repr=False)
    digit_blinds: Sequence[int] = field(repr=False)
    digits: Polynomial = field(default=None, repr=False)
    digits_shifted: Polynomial = field(default=None, repr=False)
    digit: Polynomial = field(default=None, repr=False)
    inverse_values: list[int] = field(default_factory=list, repr=False)
    inverse_blinds: Sequence[int] = field(default=(), repr=False)
    inverses: Polynomial = field(default=None, repr=False)
    rows: Polynomial = field(default=None, repr=False)
    row_quotient: Polynomial = field(default=None, repr=False)
    positions: Polynomial = field(default=None, repr=False)
    lookup: Polynomial = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class ShapeTables:
    """What depends on the shape alone.

    Attributes:
        omega_powers: ω^i, enough for the longest blinded polynomial.
        nu_inverses: ν^(−i), R of them.
        table: T.
        slots: N.
    """

    omega_powers: list[int]
    nu_inverses: list[int]
    table: Polynomial
    slots: int

    def portfolio_polynomial(self, positions: Sequence[int], blind: int) -> Polynomial:
        """x_b(X) = Σ x_b[i] λ^U_i + ρ(X^N − 1)."""
        return poly.interpolate(positions) + poly.times_vanishing(poly.polynomial([blind]), self.slots)


@functools.cache
def shape_tables(shape: Shape) -> ShapeTables:
    """Computed once per shape and process."""
    return ShapeTables(
        omega_powers=powers(shape.omega, shape.domain_size + 8),
        nu_inverses=powers(inverse(shape.nu), shape.columns),
        table=poly.interpolate(table_values(shape)),
        slots=shape.slots,
    )


def suffix_values(shape: Shape, columns: Sequence[int]) -> list[int]:
    """r_b on W: ⌊v_b[c]/2^(dj)⌋ at ω^(kc+j)."""
    shifts = [shape.digit_bits * digit for digit in range(shape.digits)]
    return [value >> shift for value in columns for shift in shifts]


def digit_values(shape: Shape, suffixes: Sequence[int]) -> list[int]:
    """dig_b on W: r − 2^d·(1 − last)·r(ω·), which is a digit below 2^d for an honest chain."""
    following = [*suffixes[1:], suffixes[0]]
    last, base = shape.digits - 1, 1 << shape.digit_bits
    return [
        value if place % shape.digits == last else value - base * after
        for place, (value, after) in enumerate(zip(suffixes, following, strict=True))
    ]


def multiplicities(shape: Shape, books: Sequence[Sequence[int]]) -> list[int]:
    """M on W: how often the digit i < 2^d occurs in all books."""
    counts = np.bincount(np.concatenate([np.array(digits, dtype=np.int64) for digits in books]))
    result = [int(count) for count in counts]
    return result + [0] * (shape.domain_size - len(result))


def digit_polynomial(shape: Shape, digits: Polynomial, shifted: Polynomial) -> Polynomial:
    """dig_b = r_b − 2^d·(1 − last)·r_b(ωX), with last(X) = (1/k)·Σ_j ω^(Rj) X^(Rj)."""
    share = inverse(shape.digits)
    turn = pow(shape.omega, shape.columns, MODULUS)
    kept = shifted
    for step in range(shape.digits):
        factor = share * pow(turn, step, MODULUS) % MODULUS
        kept -= (shifted * factor).left_shift(shape.columns * step)
    return digits - kept * (1 << shape.digit_bits)


def inverse_table(shape: Shape, theta: int) -> list[int]:
    """1/(θ + i) for every digit i < 2^d: A_b and the table's side look up here."""
    return batch_inverse([(theta + digit) % MODULUS for digit in range(1 << shape.digit_bits)])


def column_sum(shape: Shape, value: Polynomial) -> Polynomial:
    """σ_V·value, with σ_V(X) = (1/k)·Σ_j X^(Rj)."""
    total = value
    for step in range(1, shape.digits):
        total += value.left_shift(shape.columns * step)
    return total * inverse(shape.digits)


class Linking:
    """F_b: the link, the constant column and the rows of one proof, for its β."""

    def __init__(self, shape: Shape, tables: ShapeTables, beta: int, books: int) -> None:
        slots, columns = shape.slots, shape.columns
        self.shape = shape
        self.book_weights = powers(pow(beta, slots, MODULUS), books + 1)
        self.constant_weight = self.book_weights[books]
        self.row_weight = self.constant_weight * beta % MODULUS
        self.one_share = self.constant_weight * inverse(columns) % MODULUS
        quarter = inverse(4)
        ascending = [power * quarter % MODULUS for power in powers(beta, slots)]
        coefficients = ascending[::-1] * 4
        self.link = poly.polynomial(coefficients)
        pairs = zip(coefficients, tables.nu_inverses, strict=True)
        self.difference = poly.polynomial([value - value * turn % MODULUS for value, turn in pairs])
        two = powers(tables.nu_inverses[CONSTANT_COLUMN], columns)
        share = inverse(columns)
        self.constant_column = poly.polynomial([share * value % MODULUS for value in two])
        ring = powers(pow(shape.nu, 4, MODULUS), slots)
        scale = (self.book_weights[1] - 1) % MODULUS
        self.link_values = [scale * value % MODULUS for value in batch_inverse([(beta - u) % MODULUS for u in ring])]

    def values(self, book: int, rows: Polynomial, columns: Sequence[int], positions: Sequence[int]) -> list[int]:
        """F_b on V for the columns v_b and positions x_b (the share −β^(NB)/R of book 0 included)."""
        weight = self.book_weights[book]
        on_columns = evaluate_on_domain(poly.coefficients_of(rows), self.shape.columns)
        pairs = zip(on_columns, columns, strict=True)
        result = [self.row_weight * row % MODULUS * value if value else 0 for row, value in pairs]
        for slot, link in enumerate(self.link_values):
            legs = columns[4 * slot] - positions[slot]
            result[4 * slot] += weight * link % MODULUS * legs
            result[4 * slot + 1] -= weight * link % MODULUS * columns[4 * slot + 1]
        if book == 0:
            result[CONSTANT_COLUMN] += self.constant_weight * columns[CONSTANT_COLUMN]
            result = [value - self.one_share for value in result]
        return result

    def polynomial(self, book: int, rows: Polynomial, digits: Polynomial, positions: Polynomial) -> Polynomial:
        """F_b without the share −β^(NB)/R."""
        weight = self.book_weights[book]
        factor = rows * self.row_weight + self.difference * weight
        if book == 0:
            factor += self.constant_column * self.constant_weight
        return factor * digits - (self.link * weight) * positions


def accumulator_values(
    shape: Shape,
    parts: Sequence[BookPolynomials],
    counts: Sequence[int],
    table: Sequence[int],
    column_totals: Sequence[int],
) -> tuple[list[int], int]:
    """Acc on W from its steps, and the jump that is left when the cycle closes (zero for a true statement)."""
    largest = len(table) - 1
    steps = [-count * table[min(place, largest)] if count else 0 for place, count in enumerate(counts)]
    for part in parts:
        steps = [step + value for step, value in zip(steps, part.inverse_values, strict=True)]
    for column, total in enumerate(column_totals):
        steps[shape.digits * column] += total
    sums = [0, *(value % MODULUS for value in accumulate(steps))]
    return sums[:-1], sums[-1]
