"""Conformance vectors: files that hold one public statement and a proof, and what this verifier says of them.

A vector is a JSON object. Its fields ``shape`` (``{D, R, k, d}``), ``books``, ``chunks_per_book``, ``context``,
``portfolio_commitments``, ``matrix_commitments`` and ``proof`` decide; ``vk`` and ``table_commitment`` belong to the
statement as well and must agree where they are given. Bytes are hexadecimal strings that begin with ``0x``.

A file that cannot be read or lacks a field is *unreadable*; whatever is there but malformed is *rejected*.
"""

from __future__ import annotations

import json
import re
import reprlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from verifier.ceremony import ceremony_setup
from verifier.errors import MalformedInputError, UnsupportedShapeError, VectorFileError
from verifier.shape import Shape
from verifier.statement import Statement, verifying_key
from verifier.verification import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from verifier.curve import Group
    from verifier.statement import VerifyingKey

LARGEST_FILE: Final = 1 << 28
"""Bytes; a proof of that length would cover hundreds of thousands of books."""

LONGEST_INTEGER: Final = 40
LARGEST_SHAPE_NUMBER: Final = 1 << 20
REQUIRED_FIELDS: Final = (
    "shape",
    "books",
    "chunks_per_book",
    "context",
    "portfolio_commitments",
    "matrix_commitments",
    "proof",
)
SHAPE_FIELDS: Final = ("D", "R", "k", "d")
_HEXADECIMAL: Final = re.compile(r"0x[0-9a-fA-F]*")


class Verdict(StrEnum):
    """What is said of a file; the exit code of the command follows from it."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Judgement:
    """Verdict on a vector and, unless it was accepted, the reason."""

    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ConformanceVector:
    """A vector whose counts and lengths make sense; nothing is known yet about the points or the proof.

    Attributes:
        shape: of the argument.
        statement: the public side.
        proof: bytes of any length.
        claimed_key: vk as the file gives it; ``None`` when it does not.
        claimed_table: [T] as the file gives it; ``None`` when it does not.
    """

    shape: Shape
    statement: Statement
    proof: bytes
    claimed_key: bytes | None
    claimed_table: bytes | None


def read_fields(path: Path) -> dict[str, object]:
    """The fields of a vector file, none of the required ones missing.

    Raises:
        VectorFileError: unreadable, not a JSON object, or a field is missing.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise VectorFileError(f"the file cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if len(content) > LARGEST_FILE:
        raise VectorFileError(f"the file is larger than {LARGEST_FILE >> 20} MiB; a vector never is")
    try:
        document = json.loads(content, parse_int=_short_integer)
    except (ValueError, RecursionError) as error:
        raise VectorFileError(f"the file is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise VectorFileError(f"a vector is a JSON object, this is a {type(document).__name__}")
    shape = document.get("shape")
    missing = [field for field in REQUIRED_FIELDS if field not in document]
    if isinstance(shape, dict):
        missing += [f"shape.{field}" for field in SHAPE_FIELDS if field not in shape]
    if missing:
        raise VectorFileError(f"the file lacks {', '.join(missing)}")
    return document


def _short_integer(digits: str) -> int | str:
    """Numbers that no vector holds stay text, which no field accepts: conversion would take quadratic time."""
    return int(digits) if len(digits) <= LONGEST_INTEGER else digits


def parse_vector(fields: dict[str, object]) -> ConformanceVector:
    """The vector that the fields describe.

    Raises:
        MalformedInputError: a field of the wrong type, or counts and lengths that disagree.
        UnsupportedShapeError: no such shape.
    """
    commitments = _list(fields["portfolio_commitments"], "portfolio_commitments")
    matrix = [
        _list(book, "matrix_commitments[b]") for book in _list(fields["matrix_commitments"], "matrix_commitments")
    ]
    statement = Statement(
        _bytes(fields["context"], "context"),
        tuple(_bytes(point, "portfolio_commitments[b]") for point in commitments),
        tuple(tuple(_bytes(point, "matrix_commitments[b][g]") for point in chunks) for chunks in matrix),
    )
    counts = {"books": statement.books, "chunks_per_book": statement.chunks_per_book}
    for field, present in counts.items():
        if _integer(fields[field], field) != present:
            raise MalformedInputError(f"{field} is {_shown(fields[field])}, but the file lists {present}")
    shape = _parse_shape(fields["shape"])
    return ConformanceVector(
        shape,
        statement,
        _bytes(fields["proof"], "proof"),
        _bytes(fields["vk"], "vk") if "vk" in fields else None,
        _bytes(fields["table_commitment"], "table_commitment") if "table_commitment" in fields else None,
    )


def vector_key(vector: ConformanceVector, backend: Group | None = None) -> VerifyingKey:
    """The verifying key of the vector's shape under the ceremony's setup.

    Raises:
        UnsupportedShapeError: the ceremony has another number of powers.
        MalformedInputError: the file claims another key or another table.
    """
    key = verifying_key(vector.shape, ceremony_setup(), backend)
    claims = (("vk", vector.claimed_key, key.digest), ("table_commitment", vector.claimed_table, key.table_commitment))
    for field, claimed, present in claims:
        if claimed is not None and claimed != present:
            raise MalformedInputError(f"{field} is not that of this shape under the ceremony's setup")
    return key


def check_off_chain(vector: ConformanceVector, backend: Group | None = None) -> Judgement:
    """What the Python verifier says.

    Raises:
        MalformedInputError: bytes that are no encoding of a proof or of points.
        UnsupportedShapeError: no setup for the shape.
    """
    if verify(vector_key(vector, backend), vector.statement, vector.proof, backend):
        return Judgement(Verdict.ACCEPTED)
    return Judgement(Verdict.REJECTED, "well-formed, but the final equation does not hold")


def judge_file(path: Path, check: Callable[[ConformanceVector], Judgement]) -> Judgement:
    """Read a file and have ``check`` judge it; never raises for what a file contains."""
    try:
        return check(parse_vector(read_fields(path)))
    except VectorFileError as error:
        return Judgement(Verdict.UNREADABLE, str(error))
    except (MalformedInputError, UnsupportedShapeError) as error:
        return Judgement(Verdict.REJECTED, str(error))


def _parse_shape(value: object) -> Shape:
    if not isinstance(value, dict):
        raise UnsupportedShapeError(f"shape must be an object with {', '.join(SHAPE_FIELDS)}, not {_shown(value)}")
    powers, columns, digits, digit_bits = (_integer(value[field], f"shape.{field}") for field in SHAPE_FIELDS)
    for field, number in zip(SHAPE_FIELDS, (powers, columns, digits, digit_bits), strict=True):
        if not 0 < number <= LARGEST_SHAPE_NUMBER:
            raise UnsupportedShapeError(f"shape.{field} = {number} is outside [1, {LARGEST_SHAPE_NUMBER}]")
    return Shape(columns=columns, digits=digits, digit_bits=digit_bits, powers=powers)


def _list(value: object, field: str) -> list[object]:
    if not isinstance(value, list):
        raise MalformedInputError(f"{field} must be a list, not {_shown(value)}")
    return value


def _integer(value: object, field: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedInputError(f"{field} must be a whole number, not {_shown(value)}")
    return value


def _bytes(value: object, field: str) -> bytes:
    if not isinstance(value, str) or len(value) % 2 or not _HEXADECIMAL.fullmatch(value):
        raise MalformedInputError(f"{field} must be hexadecimal digits after 0x, two a byte, not {_shown(value)}")
    return bytes.fromhex(value[2:])


def _shown(value: object) -> str:
    """A short form of a value of a hostile file, control characters escaped."""
    return reprlib.repr(value)
