"""The bytes of a proof, strictly (specification, section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from verifier.curve import COMPRESSED_BYTES, POINT_BYTES
from verifier.errors import MalformedInputError
from verifier.scalar_field import SCALAR_BYTES, decode_scalar, encode_scalar

POINTS_PER_BOOK: Final = 3
SHARED_POINTS: Final = 4
SCALARS_PER_BOOK: Final = 3
SHARED_SCALARS: Final = 2


def proof_length(books: int) -> int:
    """Bytes of a proof: 880 for one book, 384 more for each further one."""
    points = (POINTS_PER_BOOK * books + SHARED_POINTS) * POINT_BYTES
    return points + COMPRESSED_BYTES + (SCALARS_PER_BOOK * books + SHARED_SCALARS) * SCALAR_BYTES


@dataclass(frozen=True, slots=True)
class Evaluations:
    """The scalars of a proof, integers in [0, r).

    Attributes:
        inverses: Ā_b = A_b(ζ).
        digits: r̄_b = r_b(ωζ).
        accumulator: acc̄ = acc(ωζ).
        rows: t̄_b = t_b(ζ).
        table: T̄ = T(ζ).
    """

    inverses: tuple[int, ...]
    digits: tuple[int, ...]
    accumulator: int
    rows: tuple[int, ...]
    table: int

    def encode(self) -> bytes:
        """What s4 absorbs, and the end of a proof."""
        values = (*self.inverses, *self.digits, self.accumulator, *self.rows, self.table)
        return b"".join(map(encode_scalar, values))


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof in parts; points are encodings: 96 bytes, the last opening 48.

    Attributes:
        digits: [r_b].
        multiplicities: [m].
        inverses: [A_b].
        accumulator: [acc].
        rows: [t_b].
        quotient: [h].
        opening: [W].
        last_opening: [W'], compressed.
        values: the scalars.
    """

    digits: tuple[bytes, ...]
    multiplicities: bytes
    inverses: tuple[bytes, ...]
    accumulator: bytes
    rows: tuple[bytes, ...]
    quotient: bytes
    opening: bytes
    last_opening: bytes
    values: Evaluations

    @property
    def books(self) -> int:
        """B."""
        return len(self.digits)

    def digit_bytes(self) -> bytes:
        """What s1 absorbs."""
        return b"".join(self.digits) + self.multiplicities

    def sum_bytes(self) -> bytes:
        """What s2 absorbs."""
        return b"".join(self.inverses) + self.accumulator + b"".join(self.rows)

    def encode(self) -> bytes:
        """The proof as it travels."""
        points = self.digit_bytes() + self.sum_bytes() + self.quotient + self.opening
        return points + self.last_opening + self.values.encode()


def decode_proof(data: bytes, books: int) -> Proof:
    """Cut a proof of ``books`` books into its parts; points are checked when they are decoded.

    Raises:
        MalformedInputError: wrong length, or a scalar that is not canonical.
    """
    if len(data) != proof_length(books):
        raise MalformedInputError(
            f"a proof of {books} books has {proof_length(books)} bytes, got {len(data)}: it is cut off or padded"
        )
    point_count = POINTS_PER_BOOK * books + SHARED_POINTS
    points = [data[i * POINT_BYTES : (i + 1) * POINT_BYTES] for i in range(point_count)]
    end = point_count * POINT_BYTES + COMPRESSED_BYTES
    scalars = [decode_scalar(data[i : i + SCALAR_BYTES]) for i in range(end, len(data), SCALAR_BYTES)]
    return Proof(
        digits=tuple(points[:books]),
        multiplicities=points[books],
        inverses=tuple(points[books + 1 : 2 * books + 1]),
        accumulator=points[2 * books + 1],
        rows=tuple(points[2 * books + 2 : 3 * books + 2]),
        quotient=points[3 * books + 2],
        opening=points[3 * books + 3],
        last_opening=data[end - COMPRESSED_BYTES : end],
        values=Evaluations(
            inverses=tuple(scalars[:books]),
            digits=tuple(scalars[books : 2 * books]),
            accumulator=scalars[2 * books],
            rows=tuple(scalars[2 * books + 1 : 3 * books + 1]),
            table=scalars[3 * books + 1],
        ),
    )
