"""What the contracts say of a claim: "accepted", or the name of the error that they revert with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.support.encodings import decompress
from verifier.calldata import MarginClaim
from verifier.curve import COMPRESSED_BYTES, COORDINATE_BYTES, POINT_BYTES
from verifier.errors import ContractRevertedError
from verifier.proof_format import proof_length
from verifier.scalar_field import MODULUS, SCALAR_BYTES, encode_scalar
from verifier.transcript import Transcript
from verifier.verification import denominators

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from verifier.chain.chain_client import ChainClient
    from verifier.chain.contract_interface import ContractInterface
    from verifier.statement import Statement, VerifyingKey

ACCEPTED: Final = "accepted"
REJECTED: Final = "MarginVerifierRejected"
PAIRING: Final = "PairingMarginVerifier"
CEREMONY: Final = "CeremonyMarginVerifier"


def raw_challenges(key: VerifyingKey, statement: Statement, proof: bytes) -> tuple[int, int]:
    """β and ζ of the bytes as they are, canonical or not."""
    books = statement.books
    row = (books + 1) * POINT_BYTES
    transcript = Transcript(key, statement)
    _, beta = transcript.absorb_digits(proof[:row])
    transcript.absorb_sums(proof[row : 3 * row - POINT_BYTES])
    return beta, transcript.absorb_quotient(proof[3 * row - POINT_BYTES : 3 * row])


def hint_of(key: VerifyingKey, statement: Statement, proof: bytes, *, with_opening: bool) -> bytes:
    """The best hint that a forger can give: right wherever there is a right one."""
    books = statement.books
    if len(proof) != proof_length(books):
        return bytes(SCALAR_BYTES + (COMPRESSED_BYTES if with_opening else 0))
    product = 1
    for value in denominators(key.shape, *raw_challenges(key, statement, proof)):
        product = product * value % MODULUS
    hint = encode_scalar(pow(product, -1, MODULUS) if product else 0)
    at = (3 * books + 4) * POINT_BYTES
    opening = decompress(proof[at : at + COMPRESSED_BYTES])
    return hint + opening[COORDINATE_BYTES:] if with_opening else hint


def claim_of(key: VerifyingKey, statement: Statement, proof: bytes, *, with_opening: bool) -> MarginClaim:
    """The claim as it goes into calldata."""
    return MarginClaim(
        context=statement.context,
        books=statement.books,
        portfolio=b"".join(statement.portfolio_commitments),
        matrix=b"".join(point for chunks in statement.matrix_commitments for point in chunks),
        proof=proof,
        hint=hint_of(key, statement, proof, with_opening=with_opening),
    )


class ContractJudge:
    """A deployed verifier.

    Args:
        client: connection to the chain.
        account: deploys.
        contract: the pairing variant, or that of the ceremony.
        key: of shape and setup.
    """

    def __init__(
        self, client: ChainClient, account: LocalAccount, contract: ContractInterface, key: VerifyingKey
    ) -> None:
        self.client = client
        self.key = key
        self.interface = contract
        self.with_opening = contract.name != CEREMONY
        shape = key.shape
        numbers = (shape.powers, shape.columns, shape.digits, shape.digit_bits)
        setup = (key.tau_g2,) if self.with_opening else ()
        receipt = client.deploy(account, self.interface.creation(numbers, *setup, key.table_commitment))
        if receipt.contract_address is None:
            raise AssertionError("the deployment has no address")
        self.address = receipt.contract_address

    def verdict(self, statement: Statement, proof: bytes) -> str:
        """What ``verify`` says."""
        claim = claim_of(self.key, statement, proof, with_opening=self.with_opening)
        return self.outcome("verify", claim.as_tuple())

    def batch_verdict(self, claims: list[tuple[Statement, bytes]]) -> str:
        """What ``verifyBatch`` says."""
        made = [claim_of(self.key, statement, proof, with_opening=True) for statement, proof in claims]
        return self.outcome("verifyBatch", [claim.as_tuple() for claim in made])

    def outcome(self, function: str, argument: object) -> str:
        """Acceptance, or the name of the error."""
        try:
            self.client.call(self.address, self.interface.encode_call(function, argument))
        except ContractRevertedError as error:
            return error.name
        return ACCEPTED
