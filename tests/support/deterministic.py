"""Reproducible scalars and bytes for tests; production draws from the operating system."""

from __future__ import annotations

import hashlib
from typing import Final

from prover.argument.blinds import blind_count
from verifier.scalar_field import MODULUS

WIDE_BYTES: Final = 64


def seeded_scalars(seed: str, count: int) -> list[int]:
    """``count`` scalars that depend on the seed alone."""
    stream = hashlib.shake_256(f"zkmargin-tests:{seed}".encode()).digest(WIDE_BYTES * count)
    return [int.from_bytes(stream[i : i + WIDE_BYTES], "big") % MODULUS for i in range(0, len(stream), WIDE_BYTES)]


def seeded_blinds(seed: str, books: int) -> list[int]:
    """The 4B + 4 blinds of one proof."""
    return seeded_scalars(f"blinds:{seed}", blind_count(books))


def seeded_context(seed: str) -> bytes:
    """32 bytes."""
    return hashlib.sha256(f"context:{seed}".encode()).digest()
