"""Conformance vectors as files: the format of tests/vectors/README.md, read and written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from eth_hash.auto import keccak

from prover.argument.witness import BookOpening, Witness
from verifier.rules.margin_rule import RuleMatrix
from verifier.scalar_field import encode_scalar
from verifier.shape import Shape
from verifier.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.cases import Case

REPOSITORY: Final = Path(__file__).resolve().parents[2]
VECTORS: Final = REPOSITORY / "tests" / "vectors"
SHARED: Final = REPOSITORY.parent / "shared" / "vectors"
"""Further vectors beside the repository; used where they are there."""

BATCH: Final = "batch.json"
PUBLIC_FIELDS: Final = (
    "shape",
    "books",
    "chunks_per_book",
    "context",
    "portfolio_commitments",
    "matrix_commitments",
    "proof",
)

Fields = dict[str, Any]
"""The JSON object of one vector."""


def accepted_files() -> list[Path]:
    """Own vectors, and those beside the repository."""
    own = sorted((VECTORS / "accept").glob("*.json"))
    return [path for path in (*own, *sorted(SHARED.glob("*.json"))) if path.name != BATCH]


def rejected_files() -> list[Path]:
    """Own vectors that must be rejected."""
    return sorted((VECTORS / "reject").glob("*.json"))


def batch_files() -> list[Path]:
    """Batches of accepted vectors."""
    return [path for path in (VECTORS / "accept" / BATCH, SHARED / BATCH) if path.exists()]


def load(path: Path) -> Fields:
    """The fields of a file."""
    fields: Fields = json.loads(path.read_text(encoding="utf-8"))
    return fields


def undone(fields: Fields) -> Fields:
    """A rejected vector with its mutation removed."""
    return {**fields, **fields["undo"]}


def unhex(text: str) -> bytes:
    """Bytes of ``0x…``."""
    return bytes.fromhex(text.removeprefix("0x"))


def enhex(data: bytes) -> str:
    """``0x…`` of bytes."""
    return f"0x{data.hex()}"


def shape_of(fields: Fields) -> Shape:
    """Of the argument."""
    sizes = fields["shape"]
    return Shape(columns=sizes["R"], digits=sizes["k"], digit_bits=sizes["d"], powers=sizes["D"])


def statement_of(fields: Fields) -> Statement:
    """The public side."""
    return Statement(
        unhex(fields["context"]),
        tuple(map(unhex, fields["portfolio_commitments"])),
        tuple(tuple(map(unhex, chunks)) for chunks in fields["matrix_commitments"]),
    )


def matrix_of(fields: Fields) -> RuleMatrix:
    """The rule."""
    shape, rows = shape_of(fields), max(len(book) for book in fields["rows"])
    entries = np.zeros((rows, fields["books"], shape.columns), dtype=np.int64)
    for book, book_rows in enumerate(fields["rows"]):
        for row, held in enumerate(book_rows):
            for column, value in held:
                entries[row, book, column] = value
    return RuleMatrix(shape, entries)


def witness_of(fields: Fields) -> Witness:
    """The private side."""
    openings = tuple(
        BookOpening(tuple(positions), int(blind, 16))
        for positions, blind in zip(fields["positions"], fields["portfolio_blinds"], strict=True)
    )
    columns = [[0] * shape_of(fields).columns for _ in openings]
    for book, held in enumerate(fields["columns"]):
        for column, value in held:
            columns[book][column] = value
    return Witness(openings, tuple(map(tuple, columns)))


def blinds_of(fields: Fields) -> list[int]:
    """The blinds of the proof, in the order drawn."""
    return [int(blind, 16) for blind in fields["proof_blinds"]]


def public_fields(shape: Shape, statement: Statement, proof: bytes) -> Fields:
    """What a verifier needs."""
    return {
        "shape": {"D": shape.powers, "R": shape.columns, "k": shape.digits, "d": shape.digit_bits},
        "books": statement.books,
        "chunks_per_book": statement.chunks_per_book,
        "context": enhex(statement.context),
        "portfolio_commitments": [enhex(point) for point in statement.portfolio_commitments],
        "matrix_commitments": [[enhex(point) for point in chunks] for chunks in statement.matrix_commitments],
        "proof": enhex(proof),
    }


def private_fields(case: Case) -> Fields:
    """What a prover needs to make the same bytes."""
    matrix, witness = case.rule.matrix, case.witness
    return {
        "rows": [[_held(row) for row in matrix.entries[:, book]] for book in range(matrix.books)],
        "positions": [list(opening.positions) for opening in witness.openings],
        "portfolio_blinds": [enhex(encode_scalar(opening.blind)) for opening in witness.openings],
        "columns": [_held(columns) for columns in witness.columns],
        "proof_blinds": [enhex(encode_scalar(blind)) for blind in case.blinds],
    }


def _held(values: Sequence[int]) -> list[list[int]]:
    return [[place, int(value)] for place, value in enumerate(values) if value]


def specified_transcript(key_digest: bytes, statement: Statement, proof: bytes) -> Fields:
    """States and challenges of section 3, hashed from the raw bytes alone: nothing of the verifier is used.

    Returns:
        The fields ``states`` (s0 to s6) and ``challenges`` of a vector.
    """
    books = statement.books
    row = 96 * (books + 1)
    opening, scalars = 3 * row, 3 * row + 96 + 48
    counts = books.to_bytes(32, "big") + statement.chunks_per_book.to_bytes(32, "big")
    absorbed = [
        b"margin-argument-v1" + key_digest + statement.context + counts + b"".join(statement.points()),
        proof[:row],
        proof[row : 3 * row - 96],
        proof[3 * row - 96 : 3 * row],
        proof[scalars:],
        proof[opening : opening + 96],
        proof[opening + 96 : scalars],
    ]
    states = [bytes(keccak(absorbed[0]))]
    for content in absorbed[1:]:
        states.append(bytes(keccak(states[-1] + content)))
    squeezed = (("theta", 1, 0), ("beta", 1, 1), ("alpha", 2, 0), ("zeta", 3, 0), ("eta", 4, 0), ("u", 5, 0))
    return {
        "states": {f"s{index}": enhex(state) for index, state in enumerate(states)},
        "challenges": {
            name: enhex(encode_scalar(int.from_bytes(keccak(states[index] + bytes([place])), "big")))
            for name, index, place in squeezed
        },
    }
