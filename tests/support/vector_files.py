"""An accepted conformance vector of a tiny shape, made on the spot, and files made from it."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from prover.argument.argument import prove
from prover.argument.witness import BookOpening, RowLabels, build_witness
from prover.rules.prepared_rule import prepare_rule
from verifier.ceremony import ceremony_setup
from verifier.rules.margin_rule import RuleMatrix
from verifier.shape import Shape

if TYPE_CHECKING:
    from pathlib import Path

TINY = Shape(columns=16, digits=2, digit_bits=5)


@functools.cache
def _accepted_text() -> str:
    entries = np.zeros((1, 2, TINY.columns), dtype=np.int64)
    entries[0, :, 0::4] = 1
    entries[0, :, 1::4] = -1
    entries[0, 0, 3] = -1
    matrix = RuleMatrix(TINY, entries)
    openings = [BookOpening((5, -2, 0, 1), 11), BookOpening((0, 0, 3, 0), 12)]
    setup = ceremony_setup()
    made = prove(
        setup=setup,
        rule=prepare_rule(matrix, setup),
        witness=build_witness(matrix, openings, RowLabels(("equity",), (0.01,), "USD")),
        context=bytes(range(32)),
    )
    statement = made.statement
    fields = {
        "shape": {"D": TINY.powers, "R": TINY.columns, "k": TINY.digits, "d": TINY.digit_bits},
        "books": statement.books,
        "chunks_per_book": statement.chunks_per_book,
        "context": "0x" + statement.context.hex(),
        "portfolio_commitments": ["0x" + point.hex() for point in statement.portfolio_commitments],
        "matrix_commitments": [["0x" + point.hex() for point in chunks] for chunks in statement.matrix_commitments],
        "proof": "0x" + made.proof.hex(),
    }
    return json.dumps(fields)


def accepted_fields() -> dict[str, Any]:
    """The seven fields of an accepted vector with two books; a fresh copy."""
    fields: dict[str, Any] = json.loads(_accepted_text())
    return fields


def write_vector(path: Path, fields: object) -> Path:
    """Write a file; returns its path."""
    path.write_text(json.dumps(fields))
    return path
