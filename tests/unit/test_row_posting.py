"""Rows in calldata: their bytes, what is refused, and that nothing but the chunk's own rows fits its commitment."""

from __future__ import annotations

import functools
import random
import struct
from typing import Final

import numpy as np
import pytest

from tests.support.cases import scenario_matrix
from tests.support.setups import TINY, known_setup
from verifier.ceremony import ceremony_setup
from verifier.curve import INFINITY, group
from verifier.errors import MalformedInputError, MatrixError
from verifier.rules.margin_rule import ENTRY_BOUND, RuleMatrix, chunk_commitment, chunk_polynomial
from verifier.rules.row_posting import (
    decode_rows,
    encode_rows,
    evaluate_rows,
    row_challenge,
    row_opening,
    rows_are_committed,
)
from verifier.scalar_field import MODULUS
from verifier.shape import STANDARD

SETUP: Final = known_setup()
POINT: Final = 123_456_789


@functools.cache
def tiny_matrix() -> RuleMatrix:
    """One book of six rows: a chunk of four, and one of two."""
    return scenario_matrix(TINY, books=1, rows=6, generator=random.Random("posted"))


def commitment_of(matrix: RuleMatrix, chunk: int = 0) -> bytes:
    return chunk_commitment(matrix, 0, chunk, setup=SETUP)


def entry(column: int, value: int) -> bytes:
    return struct.pack(">Hq", column, value)


def row_of(*entries: bytes) -> bytes:
    return struct.pack(">H", len(entries)) + b"".join(entries)


@pytest.mark.parametrize("chunk", [0, 1])
def test_rows_are_read_back(chunk: int) -> None:
    rows = encode_rows(tiny_matrix(), 0, chunk)
    assert np.array_equal(decode_rows(TINY, rows), tiny_matrix().chunk_rows(0, chunk))


def test_the_bytes_are_counts_columns_and_values() -> None:
    entries = np.zeros((4, 1, 16), dtype=np.int64)
    entries[0, 0, 3], entries[2, 0, 0], entries[2, 0, 15] = -1, 258, 1 - ENTRY_BOUND
    expected = "0001 0003 ffffffffffffffff  0000  0002 0000 0000000000000102 000f c000000000000001"
    assert encode_rows(RuleMatrix(TINY, entries), 0, 0) == bytes.fromhex(expected)
    assert encode_rows(RuleMatrix(TINY, np.zeros((1, 1, 16), dtype=np.int64)), 0, 0) == b""


@pytest.mark.parametrize("chunk", [0, 1])
def test_value_is_that_of_the_chunk_polynomial(chunk: int) -> None:
    coefficients = chunk_polynomial(tiny_matrix(), 0, chunk)
    value = sum(c * pow(POINT, power, MODULUS) for power, c in enumerate(coefficients)) % MODULUS
    assert evaluate_rows(TINY, encode_rows(tiny_matrix(), 0, chunk), POINT) == value


def test_roots_of_unity_are_refused_as_points() -> None:
    with pytest.raises(MalformedInputError, match="one of the 16 roots of unity: take another"):
        evaluate_rows(TINY, encode_rows(tiny_matrix(), 0, 0), pow(TINY.nu, 5, MODULUS))


@pytest.mark.parametrize("backend", ["arkworks", "py_ecc"])
def test_opening_shows_the_rows(backend: str) -> None:
    matrix, chosen = tiny_matrix(), group(backend)
    commitment = commitment_of(matrix)
    opening = row_opening(matrix, 0, 0, commitment=commitment, setup=SETUP, backend=chosen)
    assert rows_are_committed(SETUP, TINY, commitment, encode_rows(matrix, 0, 0), opening, chosen)


def test_opening_under_the_ceremony() -> None:
    matrix = scenario_matrix(STANDARD, books=1, rows=8, generator=random.Random("posted"))
    commitment = chunk_commitment(matrix, 0, 0, setup=ceremony_setup())
    opening = row_opening(matrix, 0, 0, commitment=commitment, setup=ceremony_setup())
    assert rows_are_committed(ceremony_setup(), STANDARD, commitment, encode_rows(matrix, 0, 0), opening)


def test_a_chunk_of_zeros_needs_no_rows() -> None:
    matrix = RuleMatrix(TINY, np.zeros((1, 1, 16), dtype=np.int64))
    assert row_opening(matrix, 0, 0, commitment=INFINITY, setup=SETUP) == INFINITY


def bent_rows() -> dict[str, bytes]:
    """Well-formed rows that differ from the chunk's in one thing."""
    rows = tiny_matrix().chunk_rows(0, 0)
    row = int(np.flatnonzero((rows != 0).sum(axis=1) > 1)[0])
    column, free = int(np.flatnonzero(rows[row])[0]), int(np.flatnonzero(rows[row] == 0)[0])
    bent = {}
    for what in ("one tick more", "entry missing", "entry added", "entry moved", "rows swapped"):
        changed = rows.copy()
        if what == "one tick more":
            changed[row, column] += 1
        elif what == "entry missing":
            changed[row, column] = 0
        elif what == "entry added":
            changed[row, free] = 1
        elif what == "entry moved":
            changed[row, [column, free]] = changed[row, [free, column]]
        else:
            changed[[0, 1]] = changed[[1, 0]]
        bent[what] = encode_rows(RuleMatrix(TINY, changed[:, None, :]), 0, 0)
    return bent


@pytest.mark.parametrize("what", ["one tick more", "entry missing", "entry added", "entry moved", "rows swapped"])
def test_other_rows_do_not_fit_the_commitment(what: str) -> None:
    """Whoever lies about a row opens the commitment honestly at the point that the false rows give, or as it was."""
    matrix, false = tiny_matrix(), bent_rows()[what]
    commitment = commitment_of(matrix)
    honest = row_opening(matrix, 0, 0, commitment=commitment, setup=SETUP)
    assert not rows_are_committed(SETUP, TINY, commitment, false, honest)
    coefficients, z = chunk_polynomial(matrix, 0, 0), row_challenge(commitment, false)
    value = sum(c * pow(z, power, MODULUS) for power, c in enumerate(coefficients)) % MODULUS
    assert value != evaluate_rows(TINY, false, z)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (b"\x00", "row 0 needs 2 bytes, there are 1"),
        (row_of(entry(0, 1))[:-1], "row 0 needs 12 bytes, there are 11"),
        (row_of() + row_of(entry(0, 1), entry(1, 1))[:-10], "row 1 needs 24 bytes, there are 14"),
        (4 * row_of(entry(0, 1)) + b"\x00\x00", "2 bytes follow the last of 4 rows; drop them"),
        (row_of(entry(1, 1), entry(0, 1)), "row 0: column 0 follows 1"),
        (row_of(entry(1, 1), entry(1, 1)), "row 0: column 1 follows 1"),
        (row_of() + row_of(entry(16, 1)), "row 1: column 16 does not exist, columns are below 16"),
    ],
)
def test_malformed_rows_are_refused(rows: bytes, message: str) -> None:
    with pytest.raises(MalformedInputError, match=message):
        evaluate_rows(TINY, rows, POINT)


@pytest.mark.parametrize("value", [ENTRY_BOUND, -(1 << 63)])
def test_large_entries_are_no_rule(value: int) -> None:
    rows = decode_rows(TINY, row_of(entry(2, value)))
    assert rows[0, 2] == value
    with pytest.raises(MatrixError, match="row 0, book 0, column 2"):
        RuleMatrix(TINY, rows[:, None, :])


def test_commitment_of_another_chunk_is_refused() -> None:
    matrix = tiny_matrix()
    with pytest.raises(MatrixError, match="is not the commitment of chunk 0 of book 0: commit again"):
        row_opening(matrix, 0, 0, commitment=commitment_of(matrix, 1), setup=SETUP)
