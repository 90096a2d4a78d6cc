"""Shapes: what the specification allows, and nothing else."""

from __future__ import annotations

import pytest

from verifier.errors import UnsupportedShapeError
from verifier.scalar_field import MODULUS
from verifier.shape import SHAPES_BY_NAME, SMALL, STANDARD, Shape


def test_the_named_shapes_are_those_of_the_specification() -> None:
    assert (STANDARD.domain_size, STANDARD.slots, STANDARD.value_bound) == (2048, 128, 1 << 44)
    assert (SMALL.domain_size, SMALL.slots, SMALL.value_bound) == (1024, 64, 1 << 40)
    assert (STANDARD.rows_per_chunk, SMALL.rows_per_chunk) == (8, 16)
    assert SHAPES_BY_NAME == {"standard": STANDARD, "small": SMALL}


def test_roots_of_unity() -> None:
    assert pow(STANDARD.omega, 2048, MODULUS) == 1
    assert pow(STANDARD.omega, 4, MODULUS) == STANDARD.nu
    assert pow(STANDARD.nu, 256, MODULUS) == MODULUS - 1


@pytest.mark.parametrize(("rows", "chunks"), [(1, 1), (8, 1), (9, 2), (32, 4), (0, 1)])
def test_chunks(rows: int, chunks: int) -> None:
    assert STANDARD.chunks_for(rows) == chunks


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((500, 4, 11, 4096), "R = 500 must be a power of two"),
        ((512, 3, 11, 4096), "k = 3 must be a power of two"),
        ((512, 4, 11, 4095), "D = 4095 must be a power of two"),
        ((2, 4, 3, 4096), "R = 2 must be at least 4"),
        ((512, 4, 12, 4096), "d = 12 bits do not fit a table of kR = 2048"),
        ((512, 4, 0, 4096), "d = 0 bits"),
        ((512, 8, 11, 4096), "D = 4096 powers must be at least 2kR = 8192"),
        ((0, 4, 11, 4096), "R = 0 must be a power of two"),
        ((-512, 4, 11, 4096), "R = -512 must be a power of two"),
    ],
)
def test_other_shapes_are_refused(sizes: tuple[int, int, int, int], message: str) -> None:
    columns, digits, digit_bits, powers = sizes
    with pytest.raises(UnsupportedShapeError, match=message):
        Shape(columns=columns, digits=digits, digit_bits=digit_bits, powers=powers)


def test_columns_that_could_wrap_around_the_group_order_are_refused() -> None:
    # 256 books, R = 4, entries below 2^62: 8 + 2 + 62 bits leave 182 for a column, r being a little below 2^255.
    assert Shape(columns=4, digits=16, digit_bits=6).value_bound == 1 << 96
    with pytest.raises(UnsupportedShapeError, match="wrap around"):
        Shape(columns=4, digits=32, digit_bits=6)
