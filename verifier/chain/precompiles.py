"""The precompiles that the contracts call, and an input by which each shows that it is there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from verifier.curve import COMPRESSED_INFINITY

WORD: Final = 32
POINT: Final = 128

_TRIVIAL_OPENING: Final = (
    b"\x01"
    + hashlib.sha256(COMPRESSED_INFINITY).digest()[1:]
    + bytes(2 * WORD)
    + COMPRESSED_INFINITY
    + COMPRESSED_INFINITY
)


@dataclass(frozen=True, slots=True)
class Precompile:
    """One precompile.

    Attributes:
        number: its address.
        purpose: what it does.
        accepted: an input that it must accept.
        answer_bytes: size of its answer.
    """

    number: int
    purpose: str
    accepted: bytes
    answer_bytes: int

    @property
    def address(self) -> str:
        """Its address in hexadecimal."""
        return f"0x{self.number:040x}"


PRECOMPILES: Final = (
    Precompile(0x0A, "point evaluation (EIP-4844)", _TRIVIAL_OPENING, 2 * WORD),
    Precompile(0x0B, "G1 addition (EIP-2537)", bytes(2 * POINT), POINT),
    Precompile(0x0C, "G1 multiplication (EIP-2537)", bytes(POINT + WORD), POINT),
    Precompile(0x0F, "pairing (EIP-2537)", bytes(3 * POINT), WORD),
)
