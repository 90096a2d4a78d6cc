"""The accepted vectors of this repository: which cases they are, and how they become files."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from eth_hash.auto import keccak

from tests.support.cases import Case, rich_case, scenario_case
from tests.support.vectors import Fields, enhex, private_fields, public_fields, specified_transcript, unhex
from verifier.ceremony import ceremony_setup
from verifier.scalar_field import encode_scalar
from verifier.shape import SMALL, STANDARD, Shape
from verifier.statement import verifying_key, word
from verifier.transcript import BATCH_LABEL, batch_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from prover.argument.argument import MarginProof

TINY_CEREMONY: Final = Shape(columns=16, digits=2, digit_bits=5)
"""Small enough for the slow backend to prove in a second, under the ceremony's own setup."""

BATCHED: Final = ("standard-one-book", "standard-two-books", "standard-four-books", "standard-rich")


def _scenario(name: str, shape: Shape, *, books: int, rows: int) -> Case:
    return scenario_case(shape=shape, setup=ceremony_setup(), books=books, rows=rows, seed=name)


CASES: Final[dict[str, Callable[[], Case]]] = {
    "tiny-two-books": lambda: _scenario("tiny-two-books", TINY_CEREMONY, books=2, rows=5),
    "small-one-book": lambda: _scenario("small-one-book", SMALL, books=1, rows=6),
    "small-two-books": lambda: _scenario("small-two-books", SMALL, books=2, rows=20),
    "standard-one-book": lambda: _scenario("standard-one-book", STANDARD, books=1, rows=10),
    "standard-two-books": lambda: _scenario("standard-two-books", STANDARD, books=2, rows=12),
    "standard-four-books": lambda: _scenario("standard-four-books", STANDARD, books=4, rows=6),
    "standard-rich": lambda: rich_case(shape=STANDARD, setup=ceremony_setup(), seed="standard-rich"),
}


@functools.cache
def accepted_case(name: str) -> Case:
    """The case behind a vector."""
    return CASES[name]()


@functools.cache
def accepted_proof(name: str) -> MarginProof:
    """The proof of a case."""
    return accepted_case(name).prove()


def accepted_public(name: str) -> Fields:
    """The public fields of a vector."""
    made = accepted_proof(name)
    return public_fields(accepted_case(name).shape, made.statement, made.proof)


def accepted_vector(name: str) -> Fields:
    """All fields of a vector."""
    case, made = accepted_case(name), accepted_proof(name)
    key = verifying_key(case.shape, case.setup)
    return {
        "name": name,
        **accepted_public(name),
        "vk": enhex(key.digest),
        "table_commitment": enhex(key.table_commitment),
        **private_fields(case),
        **specified_transcript(key.digest, made.statement, made.proof),
    }


def batch_vector() -> Fields:
    """S and ρ_j of a batch of accepted vectors."""
    last = [accepted_vector(name)["states"]["s6"] for name in BATCHED]
    states = [unhex(state) for state in last]
    return {
        "proofs": list(BATCHED),
        "s6": last,
        "S": enhex(keccak(BATCH_LABEL + word(len(states)) + b"".join(states))),
        "rho": [enhex(encode_scalar(weight)) for weight in batch_weights(states)],
    }
