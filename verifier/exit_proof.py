"""Exit proofs: hidden commitments hold nothing but public amounts (twin: contracts/ExitVerifier.sol).

The statement: in C_0 … C_{B−1} together there is nothing but ``holdings_t`` in slot ``slots_t`` of the first book. The
proof is one of knowledge (Schnorr) of the blinds, and needs neither a rule nor a price. With γ and c drawn from
statement and nonce::

    response·H = nonce + c·(Σ_b γ^b·C_b − Σ_t holdings_t·L_{slots_t})

Malformed bytes raise; a well-formed false proof gives ``False``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eth_hash.auto import keccak

from verifier.commitment_basis import basis_points, blinding_point
from verifier.curve import INFINITY, POINT_BYTES, Group, group
from verifier.errors import MalformedInputError
from verifier.scalar_field import MODULUS, SCALAR_BYTES, decode_scalar, encode_scalar, powers
from verifier.statement import CONTEXT_BYTES, word

if TYPE_CHECKING:
    from verifier.ceremony import TrustedSetup
    from verifier.shape import Shape

BOOKS_LABEL: Final = b"zkmargin-exit-books-v1"
CHALLENGE_LABEL: Final = b"zkmargin-exit-v1"

EXIT_PROOF_BYTES: Final = POINT_BYTES + SCALAR_BYTES
HOLDING_LIMIT: Final = 1 << 64
"""Amounts are counted in 64 bits."""


@dataclass(frozen=True, slots=True)
class ExitStatement:
    """The public side of one exit.

    Attributes:
        context: 32 bytes that bind the proof to its use.
        commitments: C_b, 96 bytes each; that of book 0 first.
        slots: of book 0, one for each token.
        holdings: ticks in each of these slots, in [0, 2^64).

    Raises:
        MalformedInputError: a wrong length or count, or an amount out of range.
    """

    context: bytes
    commitments: tuple[bytes, ...]
    slots: tuple[int, ...]
    holdings: tuple[int, ...]

    def __post_init__(self) -> None:
        """Check counts, lengths and ranges; points are decoded by the verifier."""
        if len(self.context) != CONTEXT_BYTES:
            raise MalformedInputError(f"a context has {CONTEXT_BYTES} bytes, got {len(self.context)}")
        if not self.commitments:
            raise MalformedInputError("an exit needs at least one commitment: that of book 0")
        for point in self.commitments:
            if len(point) != POINT_BYTES:
                raise MalformedInputError(f"a point has {POINT_BYTES} bytes, got {len(point)}")
        if len(self.slots) != len(self.holdings):
            raise MalformedInputError(f"{len(self.holdings)} amounts for {len(self.slots)} slots: give one for each")
        for slot, ticks in zip(self.slots, self.holdings, strict=True):
            if not 0 <= ticks < HOLDING_LIMIT:
                raise MalformedInputError(f"slot {slot}: {ticks} ticks are not in [0, 2^64)")

    def challenges(self, nonce: bytes) -> tuple[int, int]:
        """γ, which tells the books apart, and c."""
        counts = word(len(self.commitments)) + word(len(self.slots))
        amounts = b"".join(map(word, (*self.slots, *self.holdings)))
        content = self.context + counts + b"".join(self.commitments) + amounts + nonce
        return _squeeze(BOOKS_LABEL, content), _squeeze(CHALLENGE_LABEL, content)


@dataclass(frozen=True, slots=True)
class ExitProof:
    """What shows that an exit is right; nothing in here is secret.

    Attributes:
        nonce: k·H for the prover's random k, 96 bytes.
        response: k + c·Σ_b γ^b·ρ_b, in [0, r).
    """

    nonce: bytes
    response: int

    def encode(self) -> bytes:
        """128 bytes: nonce, then response."""
        return self.nonce + encode_scalar(self.response)


def decode_exit_proof(data: bytes) -> ExitProof:
    """Cut a proof into its parts; the point is checked when it is decoded.

    Raises:
        MalformedInputError: wrong length, or a response that is not canonical.
    """
    if len(data) != EXIT_PROOF_BYTES:
        raise MalformedInputError(
            f"an exit proof has {EXIT_PROOF_BYTES} bytes, got {len(data)}: it is cut off or padded"
        )
    return ExitProof(nonce=data[:POINT_BYTES], response=decode_scalar(data[POINT_BYTES:]))


def verify_exit(
    statement: ExitStatement, proof: bytes, *, shape: Shape, setup: TrustedSetup, backend: Group | None = None
) -> bool:
    """Whether the commitments hold nothing but the public amounts.

    Args:
        statement: what is claimed.
        proof: 128 bytes.
        shape: gives N.
        setup: powers of τ.
        backend: group backend; arkworks when omitted.

    Raises:
        MalformedInputError: bytes that are no proof or no point of the group, or a slot that does not exist.
    """
    chosen = backend or group()
    for slot in statement.slots:
        if not 0 <= slot < shape.slots:
            raise MalformedInputError(f"slot {slot} does not exist: slots are 0 to {shape.slots - 1}")
    parts = decode_exit_proof(proof)
    books_challenge, challenge = statement.challenges(parts.nonce)
    basis = basis_points(setup, shape.slots, backend=chosen)
    points = [
        chosen.decode_unchecked(blinding_point(setup, shape.slots)),
        chosen.decode(parts.nonce),
        *map(chosen.decode, statement.commitments),
        *(basis[slot] for slot in statement.slots),
    ]
    weights = powers(books_challenge, len(statement.commitments))
    scalars = [
        parts.response,
        MODULUS - 1,
        *(-challenge * weight % MODULUS for weight in weights),
        *(challenge * ticks % MODULUS for ticks in statement.holdings),
    ]
    return chosen.encode(chosen.combine(points, scalars)) == INFINITY


def _squeeze(label: bytes, content: bytes) -> int:
    return int.from_bytes(keccak(label + content), "big") % MODULUS
