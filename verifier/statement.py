"""What a margin proof is about: the rule's commitments, the portfolio's commitments, the caller's context."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eth_hash.auto import keccak

from verifier.commitment_basis import basis_points
from verifier.curve import INFINITY, POINT_BYTES, Group, group
from verifier.disk_cache import cached_bytes
from verifier.errors import MalformedInputError, UnsupportedShapeError
from verifier.shape import MAXIMUM_BOOKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.ceremony import TrustedSetup
    from verifier.shape import Shape

CONTEXT_BYTES: Final = 32
WORD_BYTES: Final = 32


def word(value: int) -> bytes:
    """``u256(value)``: 32 bytes, big-endian."""
    return value.to_bytes(WORD_BYTES, "big")


@dataclass(frozen=True)
class VerifyingKey:
    """What a verifier needs of shape and setup.

    Attributes:
        shape: of the argument.
        tau_g2: [τ]_2, 192 bytes.
        table_commitment: [T], 96 bytes.
    """

    shape: Shape
    tau_g2: bytes
    table_commitment: bytes

    @functools.cached_property
    def digest(self) -> bytes:
        """Vk of section 3."""
        shape = self.shape
        sizes = (shape.powers, shape.columns, shape.digits, shape.digit_bits)
        return bytes(keccak(b"".join(map(word, sizes)) + self.tau_g2 + self.table_commitment))


def table_values(shape: Shape) -> list[int]:
    """T on W: min(i, 2^d − 1)."""
    largest = (1 << shape.digit_bits) - 1
    return [min(index, largest) for index in range(shape.domain_size)]


def verifying_key(shape: Shape, setup: TrustedSetup, backend: Group | None = None) -> VerifyingKey:
    """The key of a shape under a setup; [T] is computed once and cached.

    Raises:
        UnsupportedShapeError: the setup does not have exactly D powers.
    """
    if setup.powers != shape.powers:
        raise UnsupportedShapeError(
            f"the shape needs exactly D = {shape.powers} powers, setup {setup.name!r} has {setup.powers}"
        )
    return _verifying_key(shape, setup, (backend or group()).name)


@functools.cache
def _verifying_key(shape: Shape, setup: TrustedSetup, backend_name: str) -> VerifyingKey:
    backend = group(backend_name)

    def compute() -> bytes:
        basis = basis_points(setup, shape.domain_size, backend=backend)
        return backend.encode(backend.combine(basis, table_values(shape)))

    tag = f"table-{setup.digest[:32]}-{shape.columns}-{shape.digits}-{shape.digit_bits}"
    return VerifyingKey(shape, setup.tau_g2, cached_bytes(tag, compute))


@dataclass(frozen=True, slots=True)
class Statement:
    """The public side of one proof.

    Attributes:
        context: 32 bytes that bind the proof to its use.
        portfolio_commitments: C_b, 96 bytes each, B of them.
        matrix_commitments: M̂_{b,g}, 96 bytes each, [book][chunk].

    Raises:
        MalformedInputError: no book, no chunk, unequal numbers of chunks, a wrong length.
    """

    context: bytes
    portfolio_commitments: tuple[bytes, ...]
    matrix_commitments: tuple[tuple[bytes, ...], ...]

    def __post_init__(self) -> None:
        """Check counts and lengths; points are decoded by the verifier."""
        if len(self.context) != CONTEXT_BYTES:
            raise MalformedInputError(f"a context has {CONTEXT_BYTES} bytes, got {len(self.context)}")
        if not self.portfolio_commitments or len(self.matrix_commitments) != len(self.portfolio_commitments):
            raise MalformedInputError(
                f"{len(self.portfolio_commitments)} portfolio commitments and {len(self.matrix_commitments)} books of "
                "the matrix: there must be one of each for every book, and at least one book"
            )
        if self.books > MAXIMUM_BOOKS:
            raise MalformedInputError(f"{self.books} books are more than {MAXIMUM_BOOKS}: split the account")
        if len({len(chunks) for chunks in self.matrix_commitments}) != 1 or not self.matrix_commitments[0]:
            raise MalformedInputError("every book needs the same number of chunks, at least one: no rows say nothing")
        for point in self.points():
            if len(point) != POINT_BYTES:
                raise MalformedInputError(f"a point has {POINT_BYTES} bytes, got {len(point)}")

    @property
    def books(self) -> int:
        """B."""
        return len(self.portfolio_commitments)

    @property
    def chunks_per_book(self) -> int:
        """G."""
        return len(self.matrix_commitments[0])

    def points(self) -> Sequence[bytes]:
        """All points in transcript order: C_0 …, then M̂ book by book."""
        return (*self.portfolio_commitments, *(point for chunks in self.matrix_commitments for point in chunks))


EMPTY_PORTFOLIO: Final = INFINITY
"""Commitment of a book that nobody has touched: no positions and no blind."""
