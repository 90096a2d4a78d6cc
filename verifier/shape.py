"""Shapes of the argument: how many columns, digits and rows a proof works with (specification, section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from verifier.errors import UnsupportedShapeError
from verifier.scalar_field import MODULUS, root_of_unity

CEREMONY_POWERS: Final = 4096
MINIMUM_COLUMNS: Final = 4
MAXIMUM_BOOKS: Final = 256
"""Books of one proof (twin: contracts/ArgumentRounds.sol)."""

ENTRY_BITS: Final = 62
"""Entries of a matrix are below 2^62 in absolute value."""


def _is_power_of_two(value: int) -> bool:
    return value > 0 and value & (value - 1) == 0


@dataclass(frozen=True)
class Shape:
    """Parameters of the argument; validated, so that a shape in hand is a usable one.

    Attributes:
        columns: R, columns of a book; four for every slot.
        digits: k, digits of a column.
        digit_bits: d, bits of a digit.
        powers: D, powers of τ in the setup; chunk polynomials have degree < D.

    Raises:
        UnsupportedShapeError: a rule of section 2 of the specification is broken.
    """

    columns: int
    digits: int
    digit_bits: int
    powers: int = CEREMONY_POWERS

    def __post_init__(self) -> None:
        """Check the rules of section 2."""
        sizes = {"R": self.columns, "k": self.digits, "D": self.powers}
        for name, value in sizes.items():
            if not _is_power_of_two(value):
                raise UnsupportedShapeError(f"{name} = {value} must be a power of two")
        if self.columns < MINIMUM_COLUMNS:
            raise UnsupportedShapeError(f"R = {self.columns} must be at least {MINIMUM_COLUMNS}")
        if self.digit_bits < 1 or self.domain_size < 1 << self.digit_bits:
            raise UnsupportedShapeError(f"d = {self.digit_bits} bits do not fit a table of kR = {self.domain_size}")
        if self.powers < 2 * self.domain_size:
            raise UnsupportedShapeError(f"D = {self.powers} powers must be at least 2kR = {2 * self.domain_size}")
        if MAXIMUM_BOOKS * self.columns << (ENTRY_BITS + self.digit_bits * self.digits) >= MODULUS:
            raise UnsupportedShapeError(
                f"columns of dk = {self.digit_bits * self.digits} bits: a row could wrap around the group order; "
                "use fewer or smaller digits"
            )

    @property
    def slots(self) -> int:
        """N = R/4: instruments of a book."""
        return self.columns // 4

    @property
    def domain_size(self) -> int:
        """Size n = kR of the domain W."""
        return self.digits * self.columns

    @property
    def rows_per_chunk(self) -> int:
        """S' = D/R: rows that share one commitment."""
        return self.powers // self.columns

    @property
    def value_bound(self) -> int:
        """2^(dk): every column is below it."""
        return 1 << (self.digit_bits * self.digits)

    @cached_property
    def omega(self) -> int:
        """ω, generator of W (order n)."""
        return root_of_unity(self.domain_size)

    @cached_property
    def nu(self) -> int:
        """ν = ω^k, generator of V (order R)."""
        return root_of_unity(self.columns)

    def chunks_for(self, rows: int) -> int:
        """G = ⌈rows/S'⌉, at least one."""
        return max(1, -(-rows // self.rows_per_chunk))


STANDARD: Final = Shape(columns=512, digits=4, digit_bits=11)
SMALL: Final = Shape(columns=256, digits=4, digit_bits=10)
SHAPES_BY_NAME: Final = {"standard": STANDARD, "small": SMALL}
