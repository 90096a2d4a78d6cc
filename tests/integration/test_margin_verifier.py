"""The margin verifier on a real chain: what it accepts, and the named error for everything else.

Forgeries made before the hash are in tests/soundness; here finished claims are bent, and the chain itself.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from prover.local_chain import LOCAL_CHAIN_ID, PROJECT_ROOT, local_chain
from tests.support.cases import Case, rich_case, scenario_case
from tests.support.contract_judge import ACCEPTED, CEREMONY, PAIRING, REJECTED, ContractJudge, claim_of
from tests.support.encodings import BAD_POINTS
from verifier.ceremony import ceremony_setup
from verifier.chain.chain_client import ChainClient
from verifier.chain.contract_interface import contract_interface
from verifier.curve import BASE_MODULUS, COMPRESSED_BYTES, COMPRESSED_INFINITY, G2_BYTES, INFINITY, POINT_BYTES
from verifier.errors import ContractRevertedError
from verifier.scalar_field import MODULUS, SCALAR_BYTES
from verifier.shape import SMALL, STANDARD, Shape
from verifier.statement import VerifyingKey, verifying_key
from verifier.vector_file import parse_vector, read_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from eth_account.signers.local import LocalAccount

    from verifier.calldata import MarginClaim
    from verifier.statement import Statement

SHARED_VECTORS: Final = PROJECT_ROOT.parent / "shared" / "vectors"
BROKEN_PRECOMPILE: Final = "Bls12381PrecompileFailed"
INVALID_POINT: Final = "Bls12381InvalidPoint"
WRONG_HINT: Final = "MarginVerifierInverseHintMismatch"
WRONG_OPENING_HINT: Final = "PointCompressionMismatch"
NOT_CANONICAL: Final = "ScalarFieldNotCanonical"
FIRST_OPENING: Final = 7 * POINT_BYTES
"""Where W' lies in a proof of one book."""
FIRST_SCALAR: Final = FIRST_OPENING + COMPRESSED_BYTES
"""Where its evaluations begin."""

PLACED: Final = "0x00000000000000000000000000000000000C0De5"
"""Where code is placed that no transaction created."""


@functools.cache
def key_of(shape: Shape) -> VerifyingKey:
    """Under the ceremony's setup."""
    return verifying_key(shape, ceremony_setup())


@functools.cache
def case_of(name: str) -> Case:
    """Statements with one and with more books and chunks, under the ceremony's setup."""
    setup = ceremony_setup()
    cases: dict[str, Callable[[], Case]] = {
        "small": lambda: scenario_case(shape=SMALL, setup=setup, rows=16),
        "small, two chunks": lambda: scenario_case(shape=SMALL, setup=setup, rows=17, seed="two chunks"),
        "small, three books": lambda: scenario_case(shape=SMALL, setup=setup, books=3, rows=20, seed="three books"),
        "small, points at infinity": lambda: rich_case(shape=SMALL, setup=setup),
        "standard": lambda: scenario_case(shape=STANDARD, setup=setup, rows=32),
        "standard, two books": lambda: scenario_case(shape=STANDARD, setup=setup, books=2, rows=9, seed="two books"),
    }
    return cases[name]()


@functools.cache
def proven(name: str) -> tuple[Statement, bytes]:
    """Statement and honest proof of a case."""
    made = case_of(name).prove()
    return made.statement, made.proof


def honest_claim(name: str, *, with_opening: bool = False) -> MarginClaim:
    """The claim of a case with its right hint."""
    return claim_of(key_of(case_of(name).shape), *proven(name), with_opening=with_opening)


def shared_vectors() -> list[Path]:
    """The conformance vectors beside the repository, where there are any."""
    return sorted(path for path in SHARED_VECTORS.glob("*.json") if path.name != "batch.json")


@pytest.fixture(scope="module", params=[CEREMONY, PAIRING])
def judges(chain: tuple[ChainClient, LocalAccount], request: pytest.FixtureRequest) -> dict[Shape, ContractJudge]:
    """Both shapes of one variant; the pairing variant is given the ceremony's setup too."""
    return {
        shape: ContractJudge(*chain, contract_interface(request.param), key_of(shape)) for shape in (SMALL, STANDARD)
    }


def changed(data: bytes, at: int, new: bytes) -> bytes:
    """The data with other bytes from a place on."""
    return data[:at] + new + data[at + len(new) :]


def shifted(data: bytes, at: int, length: int, amount: int) -> bytes:
    """The data with the number of ``length`` bytes at a place raised by an amount."""
    return changed(data, at, (int.from_bytes(data[at : at + length], "big") + amount).to_bytes(length, "big"))


@pytest.mark.parametrize(
    "name",
    [
        "small",
        "small, two chunks",
        "small, three books",
        "small, points at infinity",
        "standard",
        "standard, two books",
    ],
)
def test_true_statements_are_accepted(name: str, judges: dict[Shape, ContractJudge]) -> None:
    assert judges[case_of(name).shape].verdict(*proven(name)) == ACCEPTED


def test_conformance_vectors_are_accepted(judges: dict[Shape, ContractJudge]) -> None:
    outcomes = {}
    for path in shared_vectors():
        vector = parse_vector(read_fields(path))
        outcomes[path.name] = judges[vector.shape].verdict(vector.statement, vector.proof)
    assert outcomes == dict.fromkeys(outcomes, ACCEPTED)


def test_the_key_is_the_one_of_python(judges: dict[Shape, ContractJudge]) -> None:
    for shape, judge in judges.items():
        answers = [
            judge.interface.decode_result(name, judge.client.call(judge.address, judge.interface.encode_call(name)))
            for name in ("verifyingKey", "shape")
        ]
        assert answers[0] == (key_of(shape).digest,)
        assert answers[1] == ((shape.powers, shape.columns, shape.digits, shape.digit_bits),)


def test_batches_of_different_sizes_are_accepted(judges: dict[Shape, ContractJudge]) -> None:
    names = ["small", "small, three books", "small, two chunks", "small", "small, points at infinity"]
    for count in range(1, len(names) + 1):
        assert judges[SMALL].batch_verdict([proven(name) for name in names[:count]]) == ACCEPTED


def test_a_false_proof_anywhere_spoils_a_batch(judges: dict[Shape, ContractJudge]) -> None:
    good = [proven("small"), proven("small, two chunks"), proven("small, three books")]
    for place, (statement, proof) in enumerate(good):
        spoilt = [*good]
        spoilt[place] = (replace(statement, context=bytes(32)), proof)
        assert judges[SMALL].batch_verdict(spoilt) == REJECTED


def test_an_empty_batch_is_refused(judges: dict[Shape, ContractJudge]) -> None:
    assert judges[SMALL].outcome("verifyBatch", []) == "MarginVerifierNoClaims"


def test_every_byte_of_a_proof_counts(small_judge: ContractJudge) -> None:
    statement, proof = proven("small")
    verdicts = [small_judge.verdict(statement, changed(proof, at, bytes([proof[at] ^ 1]))) for at in range(len(proof))]
    assert set(verdicts[:FIRST_OPENING]) == {INVALID_POINT}
    assert set(verdicts[FIRST_OPENING:]) <= {REJECTED, NOT_CANONICAL}


@pytest.mark.parametrize("kind", BAD_POINTS)
def test_bad_points_are_named_at_every_position(kind: str, small_judge: ContractJudge) -> None:
    bend = BAD_POINTS[kind]
    statement, proof = proven("small")
    portfolio, matrix = statement.portfolio_commitments[0], statement.matrix_commitments[0][0]
    bent = [
        (replace(statement, portfolio_commitments=(bend(portfolio),)), proof),
        (replace(statement, matrix_commitments=((bend(matrix),),)), proof),
    ]
    bent += [
        (statement, changed(proof, at, bend(proof[at : at + POINT_BYTES])))
        for at in range(0, FIRST_OPENING, POINT_BYTES)
    ]
    assert {small_judge.verdict(*pair) for pair in bent} == {INVALID_POINT}


def test_the_error_shows_the_point(small_judge: ContractJudge) -> None:
    point = BAD_POINTS["off the curve"](honest_claim("small").portfolio)
    claim = replace(honest_claim("small"), portfolio=point)
    statement = replace(proven("small")[0], portfolio_commitments=(point,))
    claim = claim_of(key_of(SMALL), statement, claim.proof, with_opening=False)
    with pytest.raises(ContractRevertedError) as raised:
        small_judge.client.call(small_judge.address, small_judge.interface.encode_call("verify", claim.as_tuple()))
    assert raised.value.arguments == {"point": point}


def test_scalars_must_be_canonical(small_judge: ContractJudge) -> None:
    statement, proof = proven("small")
    for at in range(FIRST_SCALAR, len(proof), SCALAR_BYTES):
        bent = proof
        # r is added as often as 32 bytes hold it.
        for _ in range(((1 << 256) - 1 - int.from_bytes(proof[at : at + SCALAR_BYTES], "big")) // MODULUS):
            bent = shifted(bent, at, SCALAR_BYTES, MODULUS)
            assert small_judge.verdict(statement, bent) == NOT_CANONICAL


def test_hints_must_match(judges: dict[Shape, ContractJudge]) -> None:
    judge = judges[SMALL]
    claim = honest_claim("small", with_opening=judge.with_opening)
    bent = {
        "another inverse": (shifted(claim.hint, 0, SCALAR_BYTES, 1), WRONG_HINT),
        "zero": (changed(claim.hint, 0, bytes(SCALAR_BYTES)), WRONG_HINT),
        "inverse plus r": (shifted(claim.hint, 0, SCALAR_BYTES, MODULUS), NOT_CANONICAL),
        "none": (b"", "MarginVerifierHintLength"),
        "short": (claim.hint[:-1], "MarginVerifierHintLength"),
        "trailing": (claim.hint + b"\0", "MarginVerifierHintLength"),
    }
    for kind, (hint, expected) in bent.items():
        assert judge.outcome("verify", replace(claim, hint=hint).as_tuple()) == expected, kind


def test_hints_of_the_opening_must_match(judges: dict[Shape, ContractJudge]) -> None:
    claim = honest_claim("small", with_opening=True)
    at = FIRST_OPENING
    y = int.from_bytes(claim.hint[SCALAR_BYTES:], "big")
    flags = {flag: changed(claim.proof, at, bytes([claim.proof[at] ^ flag])) for flag in (0x80, 0x40, 0x20)}
    other_y = {
        number: changed(claim.hint, SCALAR_BYTES, number.to_bytes(48, "big")) for number in (0, BASE_MODULUS - y)
    }
    plus_p = shifted(claim.hint, SCALAR_BYTES, 48, BASE_MODULUS)
    one_off = shifted(claim.hint, SCALAR_BYTES, 48, -1 if y > BASE_MODULUS // 2 + 1 else 1)
    infinity = replace(claim, proof=changed(claim.proof, at, COMPRESSED_INFINITY), hint=other_y[0])
    false_infinity = replace(claim, proof=changed(claim.proof, at, b"\x80" + bytes(47)), hint=other_y[0])
    expected = [
        *((replace(claim, proof=proof), WRONG_OPENING_HINT) for proof in flags.values()),
        *((replace(claim, hint=hint), WRONG_OPENING_HINT) for hint in other_y.values()),
        (false_infinity, WRONG_OPENING_HINT),
        (replace(claim, hint=one_off), INVALID_POINT),
        (infinity, REJECTED),
        (claim, ACCEPTED),
    ]
    for bent, error in expected:
        assert judges[SMALL].outcome("verifyBatch", [bent.as_tuple()]) == error
    # y + p lies above (p − 1)/2, so that it goes with the flag of the larger y.
    larger = bool(claim.proof[at] & 0x20)
    outcome = judges[SMALL].outcome("verifyBatch", [replace(claim, hint=plus_p).as_tuple()])
    assert outcome == (INVALID_POINT if larger else WRONG_OPENING_HINT)


def test_lengths_and_counts_are_checked(judges: dict[Shape, ContractJudge]) -> None:
    judge = judges[SMALL]
    claim = honest_claim("small", with_opening=judge.with_opening)
    bent = {
        "no book": (replace(claim, books=0), "MarginVerifierBooksOutOfRange"),
        "257 books": (replace(claim, books=257), "MarginVerifierBooksOutOfRange"),
        "books that overflow": (replace(claim, books=1 << 255), "MarginVerifierBooksOutOfRange"),
        "two books": (replace(claim, books=2), "MarginVerifierPortfolioLength"),
        "no portfolio": (replace(claim, portfolio=b""), "MarginVerifierPortfolioLength"),
        "no chunk": (replace(claim, matrix=b""), "MarginVerifierMatrixLength"),
        "half a chunk": (replace(claim, matrix=claim.matrix[:48]), "MarginVerifierMatrixLength"),
        "a chunk and a byte": (replace(claim, matrix=claim.matrix + b"\0"), "MarginVerifierMatrixLength"),
        "no proof": (replace(claim, proof=b""), "MarginVerifierProofLength"),
        "short proof": (replace(claim, proof=claim.proof[:-1]), "MarginVerifierProofLength"),
        "long proof": (replace(claim, proof=claim.proof + b"\0"), "MarginVerifierProofLength"),
    }
    for kind, (other, expected) in bent.items():
        assert judge.outcome("verify", other.as_tuple()) == expected, kind


def test_one_chunk_more_is_another_statement(small_judge: ContractJudge) -> None:
    statement, proof = proven("small")
    more = replace(statement, matrix_commitments=((*statement.matrix_commitments[0], INFINITY),))
    assert small_judge.verdict(more, proof) == REJECTED


def creation_error(client: ChainClient, account: LocalAccount, contract: str, *arguments: object) -> str:
    """The name of the error that a constructor reverts with."""
    with pytest.raises(ContractRevertedError) as raised:
        client.deploy(account, contract_interface(contract).creation(*arguments))
    return raised.value.name


@pytest.mark.parametrize(
    "numbers",
    [
        (4096, 0, 4, 11),
        (4096, 500, 4, 10),
        (4096, 2, 512, 10),
        (4096, 512, 3, 10),
        (4096, 512, 4, 0),
        (4096, 512, 4, 12),
        (4096, 1024, 4, 11),
        (1 << 33, 512, 4, 11),
        (8192, 512, 4, 11),
    ],
)
def test_unsupported_shapes_are_refused(numbers: tuple[int, ...], chain: tuple[ChainClient, LocalAccount]) -> None:
    table = key_of(STANDARD).table_commitment
    assert creation_error(*chain, CEREMONY, numbers, table) == "MarginVerifierUnsupportedShape"


def test_false_setups_are_refused(chain: tuple[ChainClient, LocalAccount]) -> None:
    key = key_of(SMALL)
    numbers = (SMALL.powers, SMALL.columns, SMALL.digits, SMALL.digit_bits)
    refused = "MarginVerifierInvalidSetup"
    for table in (b"", INFINITY[:-1], BAD_POINTS["off the curve"](key.table_commitment)):
        assert creation_error(*chain, CEREMONY, numbers, table) == refused
    assert creation_error(*chain, PAIRING, numbers, bytes(G2_BYTES), key.table_commitment) == refused
    assert creation_error(*chain, PAIRING, numbers, key.tau_g2[1:], key.table_commitment) == refused
    off_curve = shifted(key.tau_g2, 0, len(key.tau_g2), 1)
    assert creation_error(*chain, PAIRING, numbers, off_curve, key.table_commitment) == BROKEN_PRECOMPILE


@pytest.fixture(scope="module")
def old_chain() -> Iterator[tuple[ChainClient, LocalAccount]]:
    """A chain with the rules of Cancun: point evaluation, but nothing of EIP-2537."""
    with local_chain(hardfork="cancun") as running:
        yield ChainClient.connect(running.url, chain_id=LOCAL_CHAIN_ID), running.account(0)


def test_deployment_needs_the_precompiles(old_chain: tuple[ChainClient, LocalAccount]) -> None:
    key = key_of(SMALL)
    numbers = (SMALL.powers, SMALL.columns, SMALL.digits, SMALL.digit_bits)
    assert creation_error(*old_chain, CEREMONY, numbers, key.table_commitment) == BROKEN_PRECOMPILE
    assert creation_error(*old_chain, PAIRING, numbers, key.tau_g2, key.table_commitment) == BROKEN_PRECOMPILE


def test_code_placed_on_a_chain_without_precompiles_accepts_nothing(
    judges: dict[Shape, ContractJudge], old_chain: tuple[ChainClient, LocalAccount]
) -> None:
    judge, (client, _) = judges[SMALL], old_chain
    client.request("anvil_setCode", [PLACED, "0x" + judge.client.code(judge.address).hex()])
    single = honest_claim("small", with_opening=judge.with_opening).as_tuple()
    batched = honest_claim("small", with_opening=True).as_tuple()
    for function, argument in (("verify", single), ("verifyBatch", [batched]), ("verifyBatch", [batched, batched])):
        with pytest.raises(ContractRevertedError) as raised:
            client.call(PLACED, judge.interface.encode_call(function, argument))
        assert raised.value.name == BROKEN_PRECOMPILE
        assert raised.value.arguments == {"precompile": 0x0C, "returnedBytes": 0}
