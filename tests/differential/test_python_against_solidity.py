"""Differential fuzzing: transcript, decoding and verdict of random proofs agree between Python and Solidity.

Valid proofs of random statements, and proofs bent in random places: edited when finished, or forged before the hash.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import pytest

from tests.differential.harness import CHALLENGES, harness_artifact
from tests.support.cases import scenario_case
from tests.support.contract_judge import ACCEPTED, ContractJudge, claim_of
from tests.support.deterministic import seeded_scalars
from tests.support.encodings import BAD_POINTS, OTHER_INFINITIES, shifted_scalars
from tests.support.forgery import forge
from tests.support.setups import TINY, known_setup, tiny_key
from tests.support.vectors import specified_transcript, unhex
from verifier.chain.contract_interface import ContractInterface
from verifier.curve import INFINITY, POINT_BYTES, group
from verifier.errors import MalformedInputError
from verifier.proof_format import decode_proof, proof_length
from verifier.scalar_field import MODULUS, SCALAR_BYTES
from verifier.transcript import batch_weights
from verifier.verification import replay_transcript, verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from eth_account.signers.local import LocalAccount

    from verifier.chain.chain_client import ChainClient
    from verifier.statement import Statement

ROUNDS: Final = 32
BENT_PER_ROUND: Final = 8
"""Beside one valid proof: 32·9 = 288 proofs a run."""

FALSE_REVERTS: Final = {"MarginVerifierRejected", "MarginVerifierZeroDenominator"}
MALFORMED_REVERTS: Final = {
    "Bls12381InvalidPoint",
    "ScalarFieldNotCanonical",
    "PointCompressionMismatch",
    "MarginVerifierProofLength",
    "MarginVerifierBooksOutOfRange",
    "MarginVerifierPortfolioLength",
    "MarginVerifierMatrixLength",
}


@dataclass(frozen=True)
class Sample:
    """A statement and bytes that may or may not prove it."""

    what: str
    statement: Statement
    proof: bytes


class HarnessJudge(ContractJudge):
    """The pairing verifier whose transcript is open."""

    def transcript(self, sample: Sample) -> tuple[list[int], list[bytes]]:
        """θ, β, α, ζ, η, u; s5 and s6."""
        claim = claim_of(self.key, sample.statement, sample.proof, with_opening=True)
        answer = self.client.call(self.address, self.interface.encode_call("challenges", claim.as_tuple()))
        values, states = self.interface.decode_result("challenges", answer)
        return list(values), list(states)

    def weights(self, states: list[bytes]) -> list[int]:
        """ρ_j."""
        answer = self.client.call(self.address, self.interface.encode_call("batchWeights", states))
        return list(self.interface.decode_result("batchWeights", answer)[0])


@pytest.fixture(scope="session")
def harness(chain: tuple[ChainClient, LocalAccount]) -> HarnessJudge:
    """Deployed for the tiny shape."""
    return HarnessJudge(*chain, ContractInterface(harness_artifact(CHALLENGES)), tiny_key())


def _flip_byte(sample: Sample, generator: random.Random) -> Sample:
    proof = bytearray(sample.proof)
    proof[generator.randrange(len(proof))] ^= generator.randint(1, 255)
    return replace(sample, proof=bytes(proof))


def _replace_scalar(sample: Sample, generator: random.Random) -> Sample:
    count = 3 * sample.statement.books + 2
    at = len(sample.proof) - SCALAR_BYTES * generator.randint(1, count)
    value = generator.choice((0, 1, MODULUS - 1, MODULUS, generator.getrandbits(256))).to_bytes(SCALAR_BYTES, "big")
    return replace(sample, proof=sample.proof[:at] + value + sample.proof[at + SCALAR_BYTES :])


def _replace_point(sample: Sample, generator: random.Random) -> Sample:
    at = POINT_BYTES * generator.randrange(3 * sample.statement.books + 4)
    point = generator.choice((INFINITY, *OTHER_INFINITIES.values(), _random_point(generator), generator.randbytes(96)))
    return replace(sample, proof=sample.proof[:at] + point + sample.proof[at + POINT_BYTES :])


def _random_point(generator: random.Random) -> bytes:
    backend = group()
    return backend.encode(backend.combine([backend.generator], [generator.randrange(MODULUS)]))


def _another_point(encoding: bytes) -> bytes:
    return _random_point(random.Random(encoding))


def _swap_points(sample: Sample, generator: random.Random) -> Sample:
    first, second = sorted(generator.sample(range(3 * sample.statement.books + 4), 2))
    points = [sample.proof[i : i + POINT_BYTES] for i in range(0, len(sample.proof), POINT_BYTES)]
    points[first], points[second] = points[second], points[first]
    return replace(sample, proof=b"".join(points))


def _change_length(sample: Sample, generator: random.Random) -> Sample:
    length = max(0, len(sample.proof) + generator.choice((-384, -96, -32, -1, 1, 32, 384)))
    return replace(sample, proof=(sample.proof + bytes(384))[:length])


def _bend_context(sample: Sample, generator: random.Random) -> Sample:
    return replace(sample, statement=replace(sample.statement, context=generator.randbytes(32)))


def _bend_statement_point(sample: Sample, generator: random.Random) -> Sample:
    statement = sample.statement
    bend = generator.choice([*BAD_POINTS.values(), _another_point])
    if generator.random() < 0.5:
        points = list(statement.portfolio_commitments)
        place = generator.randrange(len(points))
        points[place] = bend(points[place])
        return replace(sample, statement=replace(statement, portfolio_commitments=tuple(points)))
    books = [list(chunks) for chunks in statement.matrix_commitments]
    chunks = generator.choice(books)
    place = generator.randrange(len(chunks))
    chunks[place] = bend(chunks[place])
    return replace(sample, statement=replace(statement, matrix_commitments=tuple(map(tuple, books))))


def _only_noise(sample: Sample, generator: random.Random) -> Sample:
    return replace(sample, proof=generator.randbytes(len(sample.proof)))


BENDS: Final[tuple[Callable[[Sample, random.Random], Sample], ...]] = (
    _flip_byte,
    _flip_byte,
    _replace_scalar,
    _replace_point,
    _swap_points,
    _change_length,
    _bend_context,
    _bend_statement_point,
    _only_noise,
)


def samples(index: int) -> list[Sample]:
    """One valid proof of a random statement, and bent ones: half edited, half forged before the hash."""
    generator = random.Random(f"differential {index}")
    books, rows = generator.randint(1, 2), generator.randint(2, 7)
    case = scenario_case(shape=TINY, setup=known_setup(), books=books, rows=rows, seed=f"differential {index}")
    made = case.prove()
    valid = Sample("valid", made.statement, made.proof)
    result = [valid]
    for _ in range(BENT_PER_ROUND - 2):
        bend = generator.choice(BENDS)
        result.append(replace(bend(valid, generator), what=bend.__name__))
    position = generator.choice([f"r_{books - 1}", "m", "A_0", "acc", f"t_{books - 1}", "h", "W"])
    kind = generator.choice(list(BAD_POINTS))
    forged = forge(case, key=tiny_key(), tampering={position: BAD_POINTS[kind]})
    result.append(Sample(f"{kind} at {position}, hashed", forged.statement, forged.proof))
    shifted = generator.randrange(3 * books + 2)
    forged = forge(case, key=tiny_key(), scalars=shifted_scalars(shifted))
    result.append(Sample(f"scalar {shifted} plus r, hashed", forged.statement, forged.proof))
    return result


def python_verdict(sample: Sample) -> bool | None:
    """``None`` for malformed bytes."""
    try:
        return verify(tiny_key(), sample.statement, sample.proof)
    except MalformedInputError:
        return None


def agrees(ours: bool | None, theirs: str) -> bool:  # noqa: FBT001 - a verdict of three values
    """Whether both say the same: accepted, false, or malformed."""
    if ours is None:
        return theirs in MALFORMED_REVERTS
    return theirs == ACCEPTED if ours else theirs in FALSE_REVERTS


@pytest.mark.parametrize("index", range(ROUNDS))
def test_decoding_and_verdict_agree(index: int, harness: HarnessJudge) -> None:
    made = samples(index)
    assert len(made) == BENT_PER_ROUND + 1
    for sample in made:
        ours, theirs = python_verdict(sample), harness.verdict(sample.statement, sample.proof)
        assert agrees(ours, theirs), (sample.what, ours, theirs)
    assert harness.verdict(made[0].statement, made[0].proof) == ACCEPTED


def python_challenges(sample: Sample) -> list[int] | None:
    """θ, β, α, ζ, η, u as the verifier squeezes them; ``None`` when the scalars are not canonical."""
    try:
        proof = decode_proof(sample.proof, sample.statement.books)
    except MalformedInputError:
        return None
    replayed = replay_transcript(tiny_key(), sample.statement, proof)
    squeezed = replayed.challenges
    return [squeezed.theta, squeezed.beta, squeezed.alpha, squeezed.zeta, squeezed.eta, replayed.u]


@pytest.mark.parametrize("index", range(ROUNDS))
def test_transcripts_agree(index: int, harness: HarnessJudge) -> None:
    compared = 0
    for sample in samples(index):
        if len(sample.proof) != proof_length(sample.statement.books):
            continue
        values, states = harness.transcript(sample)
        specified = specified_transcript(tiny_key().digest, sample.statement, sample.proof)
        assert values == [int(value, 16) for value in specified["challenges"].values()], sample.what
        assert states == [unhex(specified["states"]["s5"]), unhex(specified["states"]["s6"])], sample.what
        assert python_challenges(sample) in (values, None), sample.what
        compared += 1
    assert compared >= 3


@pytest.mark.parametrize("count", [1, 2, 3, 17])
def test_batch_weights_agree(count: int, harness: HarnessJudge) -> None:
    states = [scalar.to_bytes(32, "big") for scalar in seeded_scalars(f"states {count}", count)]
    assert harness.weights(states) == batch_weights(states)
