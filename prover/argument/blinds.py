"""Blinds: uniform scalars that nobody but the prover can know.

Production draws them from SHAKE-256 of operating-system randomness, the witness and s0 (specification, section 6),
so that a weak generator alone does not break them.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Final

from verifier.scalar_field import MODULUS

if TYPE_CHECKING:
    from collections.abc import Callable

ENTROPY_BYTES: Final = 32
WIDE_BYTES: Final = 64
"""Twice the size of a scalar: the bias of the reduction is below 2^−256."""

BLIND_LABEL: Final = b"zkmargin-blinds-v1"


def blind_count(books: int) -> int:
    """4B + 4: two a digit polynomial, one for m, two an inverse polynomial, three for acc, and ρ_b is older."""
    return 4 * books + 4


def draw_scalars(count: int, secret: bytes, entropy: Callable[[int], bytes] = os.urandom) -> list[int]:
    """``count`` scalars from fresh entropy and ``secret``.

    Args:
        count: how many.
        secret: what else the hash absorbs: the witness and the statement.
        entropy: source of random bytes; the operating system's in production.
    """
    seed = BLIND_LABEL + entropy(ENTROPY_BYTES) + hashlib.sha512(secret).digest()
    stream = hashlib.shake_256(seed).digest(count * WIDE_BYTES)
    return [int.from_bytes(stream[i : i + WIDE_BYTES], "big") % MODULUS for i in range(0, len(stream), WIDE_BYTES)]


def fresh_blind(entropy: Callable[[int], bytes] = os.urandom) -> int:
    """One uniform scalar: ρ of a portfolio commitment or of a trade's share."""
    return draw_scalars(1, b"", entropy)[0]
