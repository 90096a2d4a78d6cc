"""What travels to the contract beside a proof: the claim and its hint (twin: contracts/types/MarginClaim.sol)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from verifier.curve import COMPRESSED_BYTES, COORDINATE_BYTES, POINT_BYTES, group
from verifier.errors import MalformedInputError
from verifier.proof_format import decode_proof
from verifier.scalar_field import MODULUS, encode_scalar
from verifier.verification import denominators, replay_transcript

if TYPE_CHECKING:
    from verifier.statement import Statement, VerifyingKey

INVERSE_HINT_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class MarginClaim:
    """Fields of the Solidity struct of the same name, in its order."""

    context: bytes
    books: int
    portfolio: bytes
    matrix: bytes
    proof: bytes
    hint: bytes

    def as_tuple(self) -> tuple[bytes, int, bytes, bytes, bytes, bytes]:
        """For the ABI encoder."""
        return (self.context, self.books, self.portfolio, self.matrix, self.proof, self.hint)


def inverse_hint(key: VerifyingKey, statement: Statement, proof: bytes) -> bytes:
    """32 bytes: the inverse of the product of the eight denominators (zero when there is none: then it is refused)."""
    challenges = replay_transcript(key, statement, decode_proof(proof, statement.books)).challenges
    product = 1
    for value in denominators(key.shape, challenges.beta, challenges.zeta):
        product = product * value % MODULUS
    return encode_scalar(pow(product, -1, MODULUS) if product else 0)


def opening_hint(proof: bytes, books: int) -> bytes:
    """48 bytes: the y coordinate of [W'], or zeros when its 48 bytes are no point (the contract then refuses it)."""
    backend = group()
    compressed = decode_proof(proof, books).last_opening
    try:
        point = backend.encode(backend.decode_compressed(compressed))
    except MalformedInputError:
        return bytes(COMPRESSED_BYTES)
    return point[COORDINATE_BYTES:POINT_BYTES]


def claim_hint(key: VerifyingKey, statement: Statement, proof: bytes, *, with_opening: bool) -> bytes:
    """Hint of a claim; batches and the pairing variant of the contract need the opening's y as well."""
    hint = inverse_hint(key, statement, proof)
    return hint + opening_hint(proof, statement.books) if with_opening else hint


def margin_claim(key: VerifyingKey, statement: Statement, proof: bytes, *, with_opening: bool = False) -> MarginClaim:
    """The claim that the contract checks.

    Raises:
        MalformedInputError: a proof of the wrong length or with scalars that are not canonical.
    """
    return claim_with_hint(statement, proof, claim_hint(key, statement, proof, with_opening=with_opening))


def claim_with_hint(statement: Statement, proof: bytes, hint: bytes) -> MarginClaim:
    """The claim with a hint as it is given; what the bytes mean is left to the contract."""
    return MarginClaim(
        context=statement.context,
        books=statement.books,
        portfolio=b"".join(statement.portfolio_commitments),
        matrix=b"".join(point for chunks in statement.matrix_commitments for point in chunks),
        proof=proof,
        hint=hint,
    )
