"""Tiny shapes under setups whose τ is known: fast enough for the slow backend, worthless for anything but tests."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from tests.support.deterministic import seeded_scalars
from verifier.ceremony import insecure_setup
from verifier.commitment_basis import basis_points
from verifier.curve import group
from verifier.shape import Shape
from verifier.statement import VerifyingKey, table_values, verifying_key

if TYPE_CHECKING:
    from verifier.ceremony import TrustedSetup

TAU: Final = seeded_scalars("tau", 1)[0]

TINY: Final = Shape(columns=16, digits=2, digit_bits=5, powers=64)
"""N = 4 slots, n = 32, columns below 2^10, S' = 4 rows a chunk, and D = 2n, the fewest powers that are allowed."""


@functools.cache
def known_setup(powers: int = TINY.powers) -> TrustedSetup:
    """The setup of :data:`TAU`."""
    return insecure_setup(TAU, powers)


@functools.cache
def tiny_key() -> VerifyingKey:
    """Verifying key of the tiny shape under the known setup."""
    return verifying_key(TINY, known_setup())


@functools.cache
def oversized_key() -> VerifyingKey:
    """The tiny shape's key where one power more than D is public: what the degree bound rules out.

    ``verifying_key`` refuses such a setup, so the key is put together here.
    """
    setup = known_setup(TINY.powers + 1)
    backend = group()
    table = backend.combine(basis_points(setup, TINY.domain_size), table_values(TINY))
    return VerifyingKey(TINY, setup.tau_g2, backend.encode(table))
