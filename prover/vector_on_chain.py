"""Conformance vectors judged by the contract, on a local chain that lives as long as the judging."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from prover.local_chain import local_chain
from verifier.calldata import INVERSE_HINT_BYTES, MarginClaim, claim_with_hint, inverse_hint
from verifier.chain.chain_client import ChainClient
from verifier.chain.contract_interface import contract_interface
from verifier.curve import POINT_BYTES
from verifier.errors import ContractRevertedError, MalformedInputError
from verifier.proof_format import SCALARS_PER_BOOK, SHARED_SCALARS, proof_length
from verifier.scalar_field import SCALAR_BYTES
from verifier.vector_file import ConformanceVector, Judgement, Verdict, vector_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from eth_account.signers.local import LocalAccount

    from verifier.shape import Shape
    from verifier.statement import VerifyingKey

VERIFIER: Final = "CeremonyMarginVerifier"

LARGEST_CLAIM: Final = 1 << 19
"""Bytes; four times what nodes take as a transaction."""


class ContractJudge:
    """Asks a CeremonyMarginVerifier; one is deployed for every shape that occurs.

    Args:
        chain: connection.
        deployer: pays for the deployments.
    """

    def __init__(self, chain: ChainClient, deployer: LocalAccount) -> None:
        self._chain = chain
        self._deployer = deployer
        self._interface = contract_interface(VERIFIER)
        self._addresses: dict[Shape, str] = {}

    def judge(self, vector: ConformanceVector) -> Judgement:
        """What the contract says, by ``eth_call``; a refusal carries the contract's named error.

        Raises:
            MalformedInputError: the file claims another key or another table, or more bytes than a call carries.
            UnsupportedShapeError: no setup for the shape.
        """
        size = len(vector.proof) + POINT_BYTES * len(vector.statement.points())
        if size > LARGEST_CLAIM:
            raise MalformedInputError(
                f"the claim has {size} bytes, no call to a contract carries more than {LARGEST_CLAIM}"
            )
        key = vector_key(vector)
        address = self._verifier(key)
        try:
            self._chain.call(address, self._interface.encode_call("verify", _claim(key, vector).as_tuple()))
        except ContractRevertedError as error:
            return Judgement(Verdict.REJECTED, str(error))
        return Judgement(Verdict.ACCEPTED)

    def _verifier(self, key: VerifyingKey) -> str:
        shape = key.shape
        if shape not in self._addresses:
            numbers = (shape.powers, shape.columns, shape.digits, shape.digit_bits)
            receipt = self._chain.deploy(self._deployer, self._interface.creation(numbers, key.table_commitment))
            self._addresses[shape] = str(receipt.contract_address)
        return self._addresses[shape]


@contextlib.contextmanager
def contract_judge() -> Iterator[Callable[[ConformanceVector], Judgement]]:
    """Start a chain, and end it with the block.

    Raises:
        LocalChainError: Anvil cannot be started.
        ContractArtifactError: the contracts cannot be compiled.
    """
    with local_chain() as local:
        client = ChainClient.connect(local.url, chain_id=local.chain_id)
        yield ContractJudge(client, local.account(0)).judge


def _claim(key: VerifyingKey, vector: ConformanceVector) -> MarginClaim:
    """The claim with its hint. Bytes that cannot be decoded go to the contract as they are."""
    statement, proof = vector.statement, vector.proof
    hint = bytes(INVERSE_HINT_BYTES)
    if len(proof) == proof_length(statement.books):
        # The hint depends on what comes before the scalars, which need not be canonical here.
        scalars = (SCALARS_PER_BOOK * statement.books + SHARED_SCALARS) * SCALAR_BYTES
        hint = inverse_hint(key, statement, proof[:-scalars] + bytes(scalars))
    return claim_with_hint(statement, proof, hint)
