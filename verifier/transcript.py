"""Fiat–Shamir transcript of the margin argument (twin: contracts/libraries/Transcript.sol).

One method per absorption, in the order of section 3; the labels stand here and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eth_hash.auto import keccak

from verifier.scalar_field import MODULUS
from verifier.statement import word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.statement import Statement, VerifyingKey

PROOF_LABEL: Final = b"margin-argument-v1"
BATCH_LABEL: Final = b"margin-batch-v1"


def squeeze(state: bytes, index: int) -> int:
    """H(s, j) = keccak256(s ‖ byte j) mod r."""
    return int.from_bytes(keccak(state + bytes([index])), "big") % MODULUS


class Transcript:
    """States s0 … s6; each method absorbs one round and returns what is squeezed from it."""

    __slots__ = ("states",)

    def __init__(self, key: VerifyingKey, statement: Statement) -> None:
        counts = word(statement.books) + word(statement.chunks_per_book)
        points = b"".join(statement.points())
        self.states = [bytes(keccak(PROOF_LABEL + key.digest + statement.context + counts + points))]

    def _absorb(self, content: bytes) -> bytes:
        state = bytes(keccak(self.states[-1] + content))
        self.states.append(state)
        return state

    def absorb_digits(self, content: bytes) -> tuple[int, int]:
        """S1, from [r_b] and [m]: θ and β."""
        state = self._absorb(content)
        return squeeze(state, 0), squeeze(state, 1)

    def absorb_sums(self, content: bytes) -> int:
        """S2, from [A_b], [acc] and [t_b]: α."""
        return squeeze(self._absorb(content), 0)

    def absorb_quotient(self, content: bytes) -> int:
        """S3, from [h]: ζ."""
        return squeeze(self._absorb(content), 0)

    def absorb_evaluations(self, content: bytes) -> int:
        """S4, from the scalars: η."""
        return squeeze(self._absorb(content), 0)

    def absorb_opening(self, content: bytes) -> int:
        """S5, from [W]: u."""
        return squeeze(self._absorb(content), 0)

    def absorb_last_opening(self, content: bytes) -> bytes:
        """S6, from [W'] in 48 bytes."""
        return self._absorb(content)


def batch_weights(last_states: Sequence[bytes]) -> list[int]:
    """ρ_1 = 1, ρ_j = keccak256(S ‖ u256(j)) mod r (section 5)."""
    seed = keccak(BATCH_LABEL + word(len(last_states)) + b"".join(last_states))
    numbers = range(2, len(last_states) + 1)
    return [1] + [int.from_bytes(keccak(seed + word(number)), "big") % MODULUS for number in numbers]
