"""Commitments to polynomials, in threads: the multiplication releases the interpreter lock.

Values on W are committed in the Lagrange basis, where the smallness of digits makes the multiplication cheap; the
blinding part Z_W·(b_0 + b_1 X + …) has points of its own.
"""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Self

from verifier.commitment_basis import basis_points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.ceremony import TrustedSetup
    from verifier.curve import Group
    from verifier.shape import Shape

LARGEST_BLINDING: Final = 3
SPLIT_FROM: Final = 1024
"""Below this many points a second thread costs more than it gives."""


class PendingPoint:
    """A commitment under way; :meth:`encoded` waits for it."""

    __slots__ = ("_backend", "_parts")

    def __init__(self, backend: Group, parts: list[Future[Any]]) -> None:
        self._backend = backend
        self._parts = parts

    def encoded(self) -> bytes:
        """The 96 bytes of the point."""
        return self._backend.encode(self._sum())

    def compressed(self) -> bytes:
        """The 48 bytes of the point."""
        return self._backend.compress(self._sum())

    def _sum(self) -> Any:  # noqa: ANN401 - points are opaque
        total = self._parts[0].result()
        for part in self._parts[1:]:
            total = self._backend.add(total, part.result())
        return total


class Committer:
    """Commits under one setup and shape; a context manager that owns its threads."""

    def __init__(self, shape: Shape, setup: TrustedSetup, backend: Group, threads: int | None = None) -> None:
        self.backend = backend
        self._threads = threads or max(1, min(4, os.cpu_count() or 1))
        self._pool = ThreadPoolExecutor(self._threads)
        self._powers = setup.points(backend)
        self._values_basis = basis_points(setup, shape.domain_size, backend=backend)
        size = shape.domain_size
        self._blinding_basis = [
            backend.subtract(self._powers[size + place], self._powers[place]) for place in range(LARGEST_BLINDING)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def coefficients(self, values: Sequence[int]) -> PendingPoint:
        """Commit to a polynomial by its coefficients; all threads share one multiplication."""
        if len(values) > len(self._powers):
            # Never with exactly D powers and an honest prover: the degree bound of the argument.
            raise OverflowError(f"{len(values)} coefficients do not fit {len(self._powers)} powers of τ")
        return self._submit(self._powers, values, self._threads)

    def small_values(self, values: Sequence[int], blinds: Sequence[int]) -> PendingPoint:
        """Commit to small values on W, zeros left out, plus the blinding part."""
        held = [index for index, value in enumerate(values) if value]
        return self._values([self._values_basis[index] for index in held], [values[index] for index in held], blinds)

    def values(self, values: Sequence[int], blinds: Sequence[int]) -> PendingPoint:
        """Commit to values on W plus the blinding part, in one thread: several of these run side by side."""
        return self._values(self._values_basis, values, blinds)

    def _values(self, points: Sequence[Any], values: Sequence[int], blinds: Sequence[int]) -> PendingPoint:
        # The blinds are full scalars and stay apart, so that small values keep their cheap multiplication.
        parts = [self._pool.submit(self.backend.combine, points, values)]
        parts.append(self._pool.submit(self.backend.combine, self._blinding_basis[: len(blinds)], blinds))
        return PendingPoint(self.backend, parts)

    def _submit(self, points: Sequence[Any], values: Sequence[int], threads: int) -> PendingPoint:
        count = len(values)
        pieces = threads if count >= SPLIT_FROM else 1
        step = -(-count // pieces) or 1
        parts = [
            self._pool.submit(
                self.backend.combine, points[start : min(start + step, count)], values[start : start + step]
            )
            for start in range(0, max(count, 1), step)
        ]
        return PendingPoint(self.backend, parts)
