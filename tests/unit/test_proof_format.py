"""The bytes of proofs and statements."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.deterministic import seeded_scalars
from verifier.errors import MalformedInputError
from verifier.proof_format import decode_proof, proof_length
from verifier.scalar_field import MODULUS, encode_scalar
from verifier.statement import EMPTY_PORTFOLIO, Statement, word


def proof_bytes(books: int) -> bytes:
    """Right lengths, canonical scalars, any points."""
    points = bytes(index % 251 for index in range(96 * (3 * books + 4) + 48))
    return points + b"".join(encode_scalar(value) for value in seeded_scalars("proof", 3 * books + 2))


@pytest.mark.parametrize(("books", "length"), [(1, 880), (2, 1264), (4, 2032)])
def test_lengths(books: int, length: int) -> None:
    assert proof_length(books) == length == len(proof_bytes(books))


@pytest.mark.parametrize("books", [1, 2, 5])
def test_decoding_is_the_inverse_of_encoding(books: int) -> None:
    data = proof_bytes(books)
    proof = decode_proof(data, books)
    assert proof.encode() == data
    assert proof.books == books


def test_parts_stand_in_the_order_of_the_specification() -> None:
    data = proof_bytes(2)
    proof = decode_proof(data, 2)
    points = [data[i * 96 : (i + 1) * 96] for i in range(10)]
    assert proof.digits == (points[0], points[1])
    assert proof.multiplicities == points[2]
    assert proof.inverses == (points[3], points[4])
    assert proof.accumulator == points[5]
    assert proof.rows == (points[6], points[7])
    assert (proof.quotient, proof.opening) == (points[8], points[9])
    assert proof.last_opening == data[960:1008]
    scalars = seeded_scalars("proof", 8)
    values = proof.values
    assert [*values.inverses, *values.digits, values.accumulator, *values.rows, values.table] == scalars
    assert proof.digit_bytes() == data[:288]
    assert proof.sum_bytes() == data[288:768]
    assert values.encode() == data[1008:]


@pytest.mark.parametrize("books", [1, 2])
@pytest.mark.parametrize("change", [-1, 1, -880, 384])
def test_another_length_is_malformed(books: int, change: int) -> None:
    data = (proof_bytes(books) + bytes(384))[: proof_length(books) + change]
    with pytest.raises(MalformedInputError, match="it is cut off or padded"):
        decode_proof(data, books)


@pytest.mark.parametrize("index", range(5))
def test_scalar_of_r_is_malformed(index: int) -> None:
    data = proof_bytes(1)
    at = 720 + 32 * index
    with pytest.raises(MalformedInputError, match="not canonical"):
        decode_proof(data[:at] + MODULUS.to_bytes(32, "big") + data[at + 32 :], 1)


def statement() -> Statement:
    """Two books, two chunks each."""
    chunk = bytes(range(96))
    return Statement(bytes(32), (chunk, EMPTY_PORTFOLIO), ((chunk, chunk[::-1]), (EMPTY_PORTFOLIO, chunk)))


def test_points_of_a_statement_stand_book_by_book() -> None:
    made, chunk = statement(), bytes(range(96))
    assert (made.books, made.chunks_per_book) == (2, 2)
    assert tuple(made.points()) == (chunk, bytes(96), chunk, chunk[::-1], bytes(96), chunk)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"context": bytes(31)}, "context has 32 bytes, got 31"),
        ({"portfolio_commitments": ()}, "at least one book"),
        ({"portfolio_commitments": (bytes(96),)}, "one of each for every book"),
        ({"portfolio_commitments": (bytes(96), bytes(95))}, "96 bytes, got 95"),
        ({"matrix_commitments": ((bytes(96),), ())}, "same number of chunks"),
        ({"matrix_commitments": ((), ())}, "no rows say nothing"),
        ({"matrix_commitments": ((bytes(96),), (bytes(97),))}, "96 bytes, got 97"),
    ],
)
def test_statements_that_make_no_sense_are_malformed(changes: dict[str, bytes], message: str) -> None:
    with pytest.raises(MalformedInputError, match=message):
        replace(statement(), **changes)  # type: ignore[arg-type]  # fields of several types


def test_words() -> None:
    assert word(258) == bytes(30) + b"\x01\x02"
    with pytest.raises(OverflowError):
        word(-1)
