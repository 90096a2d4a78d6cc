"""Bytes that are no encoding, put in before the hash, at every position (specification, section 7).

The forger hashes the bad bytes and goes on honestly. For each kind the test shows that the same proof passes a
verifier that lacks exactly the check against it.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.cases import Case, scenario_case
from tests.support.contract_judge import ACCEPTED, ContractJudge
from tests.support.encodings import (
    BAD_POINTS,
    LENIENT,
    OTHER_INFINITIES,
    RepairingGroup,
    off_curve,
    read_other_infinities,
    shifted_scalars,
)
from tests.support.forgery import Forgery, forge, private_side, true_statement
from tests.support.setups import TINY, known_setup, tiny_key
from tests.support.simulation import POSITIONS, SimulatedProof, simulate
from verifier import proof_format
from verifier.ceremony import ceremony_setup
from verifier.curve import BACKENDS, INFINITY, group
from verifier.errors import MalformedInputError
from verifier.scalar_field import SCALAR_BYTES
from verifier.shape import SMALL
from verifier.verification import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from verifier.statement import Statement, VerifyingKey

BOOKS: Final = 2
CHUNKS: Final = 2
STATEMENT_POSITIONS: Final = (
    *(f"C_{book}" for book in range(BOOKS)),
    *(f"M_{book}_{chunk}" for book in range(BOOKS) for chunk in range(CHUNKS)),
)
PROOF_POSITIONS: Final = (
    *(f"{name}_{book}" for name in ("r", "A", "t") for book in range(BOOKS)),
    *("m", "acc", "h", "W"),
)
SCALARS: Final = 3 * BOOKS + 2
INVALID_POINT: Final = ("MarginVerifierInvalidPoint", "Bls12381InvalidPoint")
CEREMONY_POSITIONS: Final = ("C_0", "M_0_0", "acc", "W")

backends = pytest.mark.parametrize("backend", ["arkworks", "py_ecc"])
kinds = pytest.mark.parametrize("kind", BAD_POINTS)
positions = pytest.mark.parametrize("position", [*STATEMENT_POSITIONS, *PROOF_POSITIONS])


@functools.cache
def tiny_case() -> Case:
    """Two books, two chunks each."""
    return scenario_case(shape=TINY, setup=known_setup(), books=BOOKS, rows=6, seed="encodings")


@functools.cache
def small_case() -> Case:
    """One book, one chunk, under the ceremony's setup."""
    return scenario_case(shape=SMALL, setup=ceremony_setup(), rows=4, seed="encodings")


def tampered_statement(case: Case, position: str, change: Callable[[bytes], bytes]) -> Statement:
    """The true statement with other bytes for one of its points."""
    honest = true_statement(case, private_side(case))
    name, book, *chunk = position.split("_")
    if name == "C":
        commitments = list(honest.portfolio_commitments)
        commitments[int(book)] = change(commitments[int(book)])
        return replace(honest, portfolio_commitments=tuple(commitments))
    chunks = [list(points) for points in honest.matrix_commitments]
    chunks[int(book)][int(chunk[0])] = change(chunks[int(book)][int(chunk[0])])
    return replace(honest, matrix_commitments=tuple(map(tuple, chunks)))


def bad_point_forgery(case: Case, key: VerifyingKey, position: str, kind: str) -> Forgery:
    """Bad bytes at one position, hashed, and everything after them honest."""
    change = BAD_POINTS[kind]
    if position[0] in "CM":
        return forge(case, key=key, statement=tampered_statement(case, position, change))
    return forge(case, key=key, tampering={position: change})


@functools.cache
def tiny_forgery(position: str, kind: str) -> Forgery:
    """Under the tiny key."""
    return bad_point_forgery(tiny_case(), tiny_key(), position, kind)


@kinds
@positions
def test_bad_point_is_refused(position: str, kind: str) -> None:
    forgery = tiny_forgery(position, kind)
    with pytest.raises(MalformedInputError, match="point 0x"):
        verify(tiny_key(), forgery.statement, forgery.proof)
    lenient = LENIENT[kind]()
    assert verify(tiny_key(), forgery.statement, forgery.proof, lenient) is True


@kinds
@positions
def test_bad_point_is_refused_by_the_reference_backend(position: str, kind: str) -> None:
    forgery = tiny_forgery(position, kind)
    with pytest.raises(MalformedInputError, match="point 0x"):
        verify(tiny_key(), forgery.statement, forgery.proof, group("py_ecc"))


@kinds
def test_contract_refuses_bad_points(kind: str, tiny_judge: ContractJudge) -> None:
    for position in (*STATEMENT_POSITIONS, *PROOF_POSITIONS):
        forgery = tiny_forgery(position, kind)
        assert tiny_judge.verdict(forgery.statement, forgery.proof) in INVALID_POINT, position


@kinds
def test_contract_of_the_ceremony_refuses_bad_points(kind: str, small_judge: ContractJudge) -> None:
    for position in CEREMONY_POSITIONS:
        forgery = bad_point_forgery(small_case(), small_judge.key, position, kind)
        assert small_judge.verdict(forgery.statement, forgery.proof) in INVALID_POINT, position


def test_contracts_accept_the_honest_points(tiny_judge: ContractJudge, small_judge: ContractJudge) -> None:
    for case, judge in ((tiny_case(), tiny_judge), (small_case(), small_judge)):
        honest = forge(case, key=judge.key)
        assert judge.verdict(honest.statement, honest.proof) == ACCEPTED


# Infinity: a proof whose point at one position is infinity, simulated with the known τ.


@functools.cache
def infinity_proof(position: str, encoding: bytes) -> SimulatedProof:
    """Valid but for how infinity is written."""
    return simulate({position: encoding})


@pytest.mark.parametrize("position", POSITIONS)
def test_infinity_is_accepted_in_its_one_encoding(position: str) -> None:
    made = infinity_proof(position, INFINITY)
    assert verify(tiny_key(), made.statement, made.proof) is True


@pytest.mark.parametrize("form", OTHER_INFINITIES)
@pytest.mark.parametrize("position", POSITIONS)
def test_other_encodings_of_infinity_are_refused(position: str, form: str) -> None:
    made = infinity_proof(position, OTHER_INFINITIES[form])
    with pytest.raises(MalformedInputError, match="point 0x"):
        verify(tiny_key(), made.statement, made.proof)
    lenient = RepairingGroup(read_other_infinities)
    assert verify(tiny_key(), made.statement, made.proof, lenient) is True


@pytest.mark.parametrize("form", OTHER_INFINITIES)
@pytest.mark.parametrize("position", POSITIONS)
def test_other_encodings_of_infinity_are_refused_by_the_reference_backend(position: str, form: str) -> None:
    made = infinity_proof(position, OTHER_INFINITIES[form])
    with pytest.raises(MalformedInputError, match="point 0x"):
        verify(tiny_key(), made.statement, made.proof, group("py_ecc"))


def test_contract_on_infinity(tiny_judge: ContractJudge) -> None:
    for position in POSITIONS:
        honest = infinity_proof(position, INFINITY)
        assert tiny_judge.verdict(honest.statement, honest.proof) == ACCEPTED, position
        for form, encoding in OTHER_INFINITIES.items():
            made = infinity_proof(position, encoding)
            assert tiny_judge.verdict(made.statement, made.proof) in INVALID_POINT, (position, form)


# Scalars.


@functools.cache
def scalar_forgery(index: int) -> Forgery:
    """Evaluation number ``index`` is written as itself plus r, hashed so, and everything after it is honest."""
    return forge(tiny_case(), key=tiny_key(), scalars=shifted_scalars(index))


@pytest.mark.parametrize("index", range(SCALARS))
def test_scalar_plus_r_is_refused(index: int, monkeypatch: pytest.MonkeyPatch) -> None:
    forgery = scalar_forgery(index)
    for backend in BACKENDS:
        with pytest.raises(MalformedInputError, match="not canonical"):
            verify(tiny_key(), forgery.statement, forgery.proof, group(backend))
    # Without the check: scalars are read and hashed as they stand.
    monkeypatch.setattr(proof_format, "decode_scalar", lambda data: int.from_bytes(data, "big"))
    monkeypatch.setattr(proof_format, "encode_scalar", lambda value: value.to_bytes(SCALAR_BYTES, "big"))
    assert verify(tiny_key(), forgery.statement, forgery.proof) is True


def test_contract_refuses_scalars_plus_r(tiny_judge: ContractJudge) -> None:
    verdicts = []
    for index in range(SCALARS):
        forgery = scalar_forgery(index)
        verdicts.append(tiny_judge.verdict(forgery.statement, forgery.proof))
    assert set(verdicts) == {"ScalarFieldNotCanonical"}


def test_off_curve_helper_is_off_the_curve() -> None:
    with pytest.raises(MalformedInputError, match="not"):
        group().decode(off_curve(group().encode(group().generator)))
