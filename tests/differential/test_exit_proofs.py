"""Differential fuzzing: verdicts on random exit proofs, honest and bent, agree between Python and Solidity."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import pytest
from eth_hash.auto import keccak

from prover.argument.exit_prover import exit_statement, respond
from prover.argument.witness import BookOpening
from tests.support.contract_judge import ACCEPTED
from tests.support.encodings import BAD_POINTS, OTHER_INFINITIES
from tests.support.setups import TINY, known_setup
from verifier.chain.contract_interface import contract_interface
from verifier.commitment_basis import basis_bytes, blinding_point
from verifier.curve import INFINITY, POINT_BYTES, group
from verifier.deployment.deployment_plan import data_contract_creation
from verifier.errors import ContractRevertedError, MalformedInputError
from verifier.exit_proof import ExitStatement, decode_exit_proof, verify_exit
from verifier.scalar_field import MODULUS, SCALAR_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from eth_account.signers.local import LocalAccount

    from verifier.chain.chain_client import ChainClient

ROUNDS: Final = 16
BENT_PER_ROUND: Final = 12
"""Beside one valid proof: 16·13 = 208 proofs a run."""

FALSE: Final = "ExitVerifierRejected"
MALFORMED: Final = {"Bls12381InvalidPoint", "ScalarFieldNotCanonical", "ExitVerifierSlotOutOfRange"}


@dataclass(frozen=True)
class Sample:
    """A statement and 128 bytes that may or may not prove it."""

    what: str
    statement: ExitStatement
    proof: bytes


class ExitJudge:
    """A deployed exit verifier for the tiny shape."""

    def __init__(self, client: ChainClient, account: LocalAccount) -> None:
        self.client = client
        self.interface = contract_interface("ExitVerifier")
        basis = basis_bytes(known_setup(), TINY.slots)
        table = client.deploy(account, data_contract_creation(basis)).contract_address
        point = blinding_point(known_setup(), TINY.slots)
        creation = self.interface.creation(table, bytes(keccak(basis)), point, TINY.slots)
        address = client.deploy(account, creation).contract_address
        if address is None:
            raise AssertionError("the deployment has no address")
        self.address = address

    def verdict(self, sample: Sample) -> str:
        """Acceptance, or the name of the error."""
        statement, proof = sample.statement, sample.proof
        arguments = (
            statement.context,
            b"".join(statement.commitments),
            statement.slots,
            statement.holdings,
            proof[:POINT_BYTES],
            int.from_bytes(proof[POINT_BYTES:], "big"),
        )
        try:
            self.client.call(self.address, self.interface.encode_call("requireExit", *arguments))
        except ContractRevertedError as error:
            return error.name
        return ACCEPTED


@pytest.fixture(scope="module")
def judge(chain: tuple[ChainClient, LocalAccount]) -> ExitJudge:
    return ExitJudge(*chain)


def _random_point(generator: random.Random) -> bytes:
    backend = group()
    return backend.encode(backend.combine([backend.generator], [generator.randrange(MODULUS)]))


def _bad_point(point: bytes, generator: random.Random) -> bytes:
    others = [*OTHER_INFINITIES.values(), INFINITY, _random_point(generator), generator.randbytes(POINT_BYTES)]
    return generator.choice([*(bend(point) for bend in BAD_POINTS.values()), *others])


def _bend_response(sample: Sample, generator: random.Random) -> Sample:
    value = decode_exit_proof(sample.proof).response
    bent = generator.choice([(value + 1) % MODULUS, value + MODULUS, 0, MODULUS, generator.getrandbits(256)])
    return replace(sample, proof=sample.proof[:POINT_BYTES] + bent.to_bytes(SCALAR_BYTES, "big"))


def _bend_nonce(sample: Sample, generator: random.Random) -> Sample:
    nonce = _bad_point(sample.proof[:POINT_BYTES], generator)
    return replace(sample, proof=nonce + sample.proof[POINT_BYTES:])


def _bend_commitment(sample: Sample, generator: random.Random) -> Sample:
    points = list(sample.statement.commitments)
    place = generator.randrange(len(points))
    points[place] = _bad_point(points[place], generator)
    return replace(sample, statement=replace(sample.statement, commitments=tuple(points)))


def _bend_books(sample: Sample, generator: random.Random) -> Sample:
    points = list(sample.statement.commitments)
    points = generator.choice([[*points, INFINITY], [*points[::-1], points[0]], [*points, points[-1]]])
    return replace(sample, statement=replace(sample.statement, commitments=tuple(points)))


def _bend_amounts(sample: Sample, generator: random.Random) -> Sample:
    statement = sample.statement
    if not statement.slots or generator.random() < 0.2:
        changed = replace(statement, slots=(*statement.slots, 1), holdings=(*statement.holdings, 1))
        return replace(sample, statement=changed)
    place = generator.randrange(len(statement.slots))
    slots, holdings = list(statement.slots), list(statement.holdings)
    if generator.random() < 0.5:
        slots[place] = generator.choice([(slots[place] + 1) % TINY.slots, TINY.slots, TINY.slots + 1])
        holdings[place] = max(1, holdings[place])
    else:
        holdings[place] = abs(holdings[place] + generator.choice([-1, 1]))
    return replace(sample, statement=replace(statement, slots=tuple(slots), holdings=tuple(holdings)))


def _bend_context(sample: Sample, generator: random.Random) -> Sample:
    return replace(sample, statement=replace(sample.statement, context=generator.randbytes(32)))


def _only_noise(sample: Sample, generator: random.Random) -> Sample:
    return replace(sample, proof=generator.randbytes(len(sample.proof)))


BENDS: Final[tuple[Callable[[Sample, random.Random], Sample], ...]] = (
    _bend_response,
    _bend_nonce,
    _bend_commitment,
    _bend_books,
    _bend_amounts,
    _bend_context,
    _only_noise,
)


def samples(index: int) -> list[Sample]:
    """One valid proof of random holdings, and bent ones: half of the statements answered anew with all blinds known."""
    generator = random.Random(f"exit {index}")
    books = generator.randint(1, 3)
    slots = tuple(generator.sample(range(TINY.slots), generator.randint(0, 3)))
    held = [generator.randrange(TINY.value_bound) if slot in slots else 0 for slot in range(TINY.slots)]
    blinds = [generator.choice([0, generator.randrange(MODULUS)]) for _ in range(books)]
    openings = [BookOpening(tuple(held), blinds[0]), *(BookOpening((0,) * TINY.slots, blind) for blind in blinds[1:])]
    statement = exit_statement(openings, slots=slots, context=generator.randbytes(32), shape=TINY, setup=known_setup())
    nonce = generator.randrange(MODULUS)
    valid = Sample("valid", statement, respond(statement, blinds, nonce, shape=TINY, setup=known_setup()))
    result = [valid]
    for number in range(BENT_PER_ROUND):
        bend = generator.choice(BENDS)
        bent = replace(bend(valid, generator), what=bend.__name__)
        if number % 2 and len(bent.statement.commitments) == books:
            answered = respond(bent.statement, blinds, nonce, shape=TINY, setup=known_setup())
            bent = replace(bent, proof=answered)
        result.append(bent)
    return result


def python_verdict(sample: Sample) -> bool | None:
    """``None`` for malformed bytes."""
    try:
        return verify_exit(sample.statement, sample.proof, shape=TINY, setup=known_setup())
    except MalformedInputError:
        return None


def agrees(ours: bool | None, theirs: str) -> bool:  # noqa: FBT001 - a verdict of three values
    """Whether both say the same: accepted, false, or malformed."""
    if ours is None:
        return theirs in MALFORMED
    return theirs == ACCEPTED if ours else theirs == FALSE


def test_exit_verdicts_agree(judge: ExitJudge) -> None:
    """And every kind of verdict occurs."""
    seen = set()
    for index in range(ROUNDS):
        made = samples(index)
        assert python_verdict(made[0]) is True, index
        for sample in made:
            ours, theirs = python_verdict(sample), judge.verdict(sample)
            assert agrees(ours, theirs), (index, sample.what, ours, theirs)
            seen.add(theirs)
    assert seen == {ACCEPTED, FALSE, *MALFORMED}
