"""Differential fuzzing of rows in calldata: challenge, value and verdict agree between Python and Solidity."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

import pytest

from tests.differential.harness import ROWS, harness_artifact
from tests.support.cases import scenario_matrix
from tests.support.contract_judge import REJECTED, ContractJudge
from tests.support.setups import TINY, known_setup
from verifier.chain.blob_transactions import versioned_hash
from verifier.chain.contract_interface import ContractInterface
from verifier.curve import group
from verifier.errors import ContractRevertedError, MalformedInputError
from verifier.rules.margin_rule import chunk_commitment
from verifier.rules.row_posting import encode_rows, evaluate_rows, row_challenge, row_opening, rows_are_committed

if TYPE_CHECKING:
    from collections.abc import Callable

    from eth_account.signers.local import LocalAccount

    from verifier.chain.chain_client import ChainClient

ROUNDS: Final = 12
BENT_PER_ROUND: Final = 10
"""Beside the honest rows: 12·11 = 132 postings a run."""

TINY_SHAPE: Final = (TINY.powers, TINY.columns, TINY.digits, TINY.digit_bits)
MALFORMED: Final = {
    "RowEvaluationTruncated",
    "RowEvaluationTooManyRows",
    "RowEvaluationColumnsNotAscending",
    "RowEvaluationNoSuchColumn",
}


class RowJudge:
    """The deployed harness."""

    def __init__(self, client: ChainClient, account: LocalAccount) -> None:
        self.client = client
        self.interface = ContractInterface(harness_artifact(ROWS))
        address = client.deploy(account, self.interface.creation()).contract_address
        if address is None:
            raise AssertionError("the deployment has no address")
        self.address = address

    def call(self, function: str, *arguments: object) -> int | str:
        """The number that comes back (0 when nothing does), or the name of the error."""
        try:
            answer = self.client.call(self.address, self.interface.encode_call(function, *arguments))
        except ContractRevertedError as error:
            return error.name
        return int.from_bytes(answer, "big")


@pytest.fixture(scope="module")
def judge(chain: tuple[ChainClient, LocalAccount]) -> RowJudge:
    return RowJudge(*chain)


def _flip_byte(rows: bytes, generator: random.Random) -> bytes:
    bent = bytearray(rows)
    bent[generator.randrange(len(bent))] ^= generator.randint(1, 255)
    return bytes(bent)


def _change_length(rows: bytes, generator: random.Random) -> bytes:
    length = max(0, len(rows) + generator.choice((-12, -10, -2, -1, 1, 2, 12)))
    return (rows + bytes(12))[:length]


def _drop_entry(rows: bytes, generator: random.Random) -> bytes:
    """One entry of the first row, its count corrected."""
    count = int.from_bytes(rows[:2], "big")
    at = 2 + 10 * generator.randrange(count)
    return (count - 1).to_bytes(2, "big") + rows[2:at] + rows[at + 10 :]


def _only_noise(rows: bytes, generator: random.Random) -> bytes:
    return generator.randbytes(len(rows))


BENDS: Final[tuple[Callable[[bytes, random.Random], bytes], ...]] = (
    _flip_byte,
    _flip_byte,
    _change_length,
    _drop_entry,
    _only_noise,
)


def python_value(rows: bytes, z: int) -> int | None:
    """``None`` for malformed rows."""
    try:
        return evaluate_rows(TINY, rows, z)
    except MalformedInputError:
        return None


@pytest.mark.parametrize("index", range(ROUNDS))
def test_challenges_values_and_verdicts_agree(index: int, judge: RowJudge, tiny_judge: ContractJudge) -> None:
    generator = random.Random(f"posted rows {index}")
    matrix = scenario_matrix(TINY, books=1, rows=generator.randint(1, 7), generator=generator)
    chunk = generator.randrange(matrix.chunks_per_book)
    commitment = chunk_commitment(matrix, 0, chunk, setup=known_setup())
    opening = row_opening(matrix, 0, chunk, commitment=commitment, setup=known_setup())
    name = versioned_hash(group().compress(group().decode(commitment)))
    honest = encode_rows(matrix, 0, chunk)
    bent = [generator.choice(BENDS)(honest, generator) for _ in range(BENT_PER_ROUND)]
    for rows in [honest, *bent]:
        z = row_challenge(commitment, rows)
        assert judge.call("challenge", name, rows) == z
        ours, theirs = python_value(rows, z), judge.call("evaluate", TINY_SHAPE, rows, z)
        verdict = judge.call("requireRows", tiny_judge.address, name, commitment, rows, opening)
        if ours is None:
            assert theirs in MALFORMED
            assert verdict == theirs
        else:
            assert theirs == ours
            accepted = rows_are_committed(known_setup(), TINY, commitment, rows, opening)
            assert accepted == (rows == honest)
            assert verdict == (0 if accepted else REJECTED)
