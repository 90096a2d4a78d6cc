"""Conformance vectors: reproduced to the byte, accepted or rejected as they say, and rejected for that reason alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from prover.argument.argument import build_proof
from prover.rules.prepared_rule import prepare_rule
from scripts.generate_vectors import encoded, vectors
from tests.support.accepted_vectors import CASES, TINY_CEREMONY
from tests.support.rejected_vectors import rejected_recipes
from tests.support.vectors import (
    PUBLIC_FIELDS,
    VECTORS,
    Fields,
    accepted_files,
    batch_files,
    blinds_of,
    enhex,
    load,
    matrix_of,
    rejected_files,
    shape_of,
    specified_transcript,
    statement_of,
    undone,
    unhex,
    witness_of,
)
from verifier.ceremony import ceremony_setup
from verifier.curve import group
from verifier.errors import MalformedInputError, UnsupportedShapeError
from verifier.portfolio_commitment import commit_portfolio
from verifier.proof_format import decode_proof
from verifier.rules.margin_rule import matrix_commitments
from verifier.scalar_field import encode_scalar
from verifier.shape import SMALL
from verifier.statement import verifying_key
from verifier.transcript import Transcript, batch_weights
from verifier.verification import replay_transcript, verify, verify_batch

if TYPE_CHECKING:
    from pathlib import Path

    from verifier.curve import Group
    from verifier.statement import VerifyingKey

ERRORS: Final = {error.__name__: error for error in (MalformedInputError, UnsupportedShapeError)}

accepted = pytest.mark.parametrize("path", accepted_files(), ids=lambda path: f"{path.parent.name}-{path.stem}")
rejected = pytest.mark.parametrize("path", rejected_files(), ids=lambda path: path.stem)
batches = pytest.mark.parametrize("path", batch_files(), ids=lambda path: path.parent.name)
backends = pytest.mark.parametrize("backend", ["arkworks", "py_ecc"])


def key_of(fields: Fields, backend: Group | None = None) -> VerifyingKey:
    return verifying_key(shape_of(fields), ceremony_setup(), backend)


def judge(fields: Fields, backend: Group) -> bool:
    return verify(key_of(fields, backend), statement_of(fields), unhex(fields["proof"]), backend)


@backends
@accepted
def test_vector_is_accepted(path: Path, backend: str) -> None:
    assert judge(load(path), group(backend)) is True


@accepted
def test_public_side_is_reproduced(path: Path) -> None:
    fields, setup = load(path), ceremony_setup()
    key, shape = key_of(fields), shape_of(fields)
    assert enhex(key.digest) == fields["vk"]
    assert enhex(key.table_commitment) == fields["table_commitment"]
    statement = statement_of(fields)
    assert matrix_commitments(matrix_of(fields), setup) == statement.matrix_commitments
    openings = witness_of(fields).openings
    commitments = [commit_portfolio(opening.positions, opening.blind, shape=shape, setup=setup) for opening in openings]
    assert tuple(commitments) == statement.portfolio_commitments


@accepted
def test_transcript_is_reproduced(path: Path) -> None:
    fields = load(path)
    key, statement, data = key_of(fields), statement_of(fields), unhex(fields["proof"])
    assert specified_transcript(key.digest, statement, data) == {
        name: fields[name] for name in ("states", "challenges")
    }
    proof = decode_proof(data, statement.books)
    replay = replay_transcript(key, statement, proof)
    transcript = Transcript(key, statement)
    squeezed = [
        *transcript.absorb_digits(proof.digit_bytes()),
        transcript.absorb_sums(proof.sum_bytes()),
        transcript.absorb_quotient(proof.quotient),
        transcript.absorb_evaluations(proof.values.encode()),
        transcript.absorb_opening(proof.opening),
    ]
    transcript.absorb_last_opening(proof.last_opening)
    assert [enhex(state) for state in transcript.states] == list(fields["states"].values())
    assert [enhex(encode_scalar(value)) for value in squeezed] == list(fields["challenges"].values())
    assert replay.u == squeezed[-1]
    assert enhex(replay.last_state) == fields["states"]["s6"]


def proof_from_blinds(fields: Fields, backend: Group) -> bytes:
    """The proof that a prover makes from the given blinds."""
    setup = ceremony_setup()
    made = build_proof(
        setup=setup,
        rule=prepare_rule(matrix_of(fields), setup, backend),
        witness=witness_of(fields),
        context=unhex(fields["context"]),
        blinds=blinds_of(fields),
        backend=backend,
    )
    assert made.statement == statement_of(fields)
    return made.proof


@accepted
def test_proof_is_reproduced_to_the_byte(path: Path) -> None:
    fields = load(path)
    assert enhex(proof_from_blinds(fields, group())) == fields["proof"]


SLOW_PROVER_FILES: Final = [
    path
    for path in accepted_files()
    if shape_of(load(path)) == TINY_CEREMONY or (shape_of(load(path)) == SMALL and path.parent.name == "vectors")
]
"""The reference prover makes the tiny vector, and the small one beside the repository where it is there."""


@pytest.mark.parametrize("path", SLOW_PROVER_FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_reference_prover_reproduces_the_bytes(path: Path) -> None:
    fields = load(path)
    assert enhex(proof_from_blinds(fields, group("py_ecc"))) == fields["proof"]


@batches
def test_batch_is_reproduced(path: Path) -> None:
    fields = load(path)
    states = [unhex(state) for state in fields["s6"]]
    assert [enhex(encode_scalar(weight)) for weight in batch_weights(states)] == fields["rho"]
    members = [load(path.parent / f"{name}.json") for name in fields["proofs"]]
    assert [member["states"]["s6"] for member in members] == fields["s6"]
    claims = [(statement_of(member), unhex(member["proof"])) for member in members]
    key = key_of(members[0])
    assert verify_batch(key, claims) is True
    swapped = [(claims[1][0], claims[0][1]), *claims[1:]] if claims[0][0].books == claims[1][0].books else claims[1:]
    spoiled = bytearray(swapped[0][1])
    spoiled[-1] ^= 1
    assert verify_batch(key, [(swapped[0][0], bytes(spoiled)), *swapped[1:]]) is False


def outcome(fields: Fields, backend: Group) -> str:
    """The error that the verifier raises, or what it returns."""
    try:
        return str(judge(fields, backend)).lower()
    except (MalformedInputError, UnsupportedShapeError) as error:
        return type(error).__name__


@backends
@rejected
def test_vector_is_rejected_as_it_says(path: Path, backend: str) -> None:
    fields = load(path)
    assert fields["expected_error"] in {"false", *ERRORS}
    assert fields["reason"]
    assert outcome(fields, group(backend)) == fields["expected_error"]


@rejected
def test_rejected_vector_is_accepted_with_its_mutation_removed(path: Path) -> None:
    fields = load(path)
    assert fields["undo"]
    original = load(VECTORS / "accept" / f"{fields['mutates']}.json")
    restored = undone(fields)
    assert {field: restored[field] for field in PUBLIC_FIELDS} == {field: original[field] for field in PUBLIC_FIELDS}
    assert judge(restored, group()) is True


def test_files_are_what_the_generator_writes() -> None:
    assert {path.stem for path in rejected_files()} == set(rejected_recipes())
    assert {path.stem for path in accepted_files() if VECTORS in path.parents} == set(CASES)
    for name, fields in vectors():
        assert (VECTORS / name).read_text(encoding="utf-8") == encoded(fields), name
