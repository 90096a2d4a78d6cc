"""Commitments to polynomials, in threads: the multiplication releases the interpreter lock.

Values on W are committed in the Lagrange basis, where the multiplication is cheap for small values (digits) and
for repeated ones (inverses of digits, steps of the accumulator); the blinding part Z_W·(b_0 + b_1 X + …) has points
of its own. How long a commitment takes depends on the portfolio: do not offer the time of a proof to strangers.
"""

from __future__ import annotations

import functools
import os
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Self

from verifier.commitment_basis import basis_points, suffix_sums
from verifier.scalar_field import MODULUS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.ceremony import TrustedSetup
    from verifier.curve import Group
    from verifier.shape import Shape

Terms = tuple[list[Any], "Sequence[int]"]
"""Points and their scalars."""

LARGEST_BLINDING: Final = 3
SPLIT_FROM: Final = 1024
"""Below this many points a second thread costs more than it gives."""


class PendingPoint:
    """A commitment under way; its methods wait for it."""

    __slots__ = ("_backend", "_parts")

    def __init__(self, backend: Group, parts: list[Future[Any]]) -> None:
        self._backend = backend
        self._parts = parts

    def result(self) -> Any:  # noqa: ANN401 - points are opaque
        """The point."""
        return functools.reduce(self._backend.add, (part.result() for part in self._parts))

    def encoded(self) -> bytes:
        """Its 96 bytes."""
        return self._backend.encode(self.result())


class Committer:
    """Commits under one setup and shape; a context manager that owns its threads."""

    def __init__(self, shape: Shape, setup: TrustedSetup, backend: Group, threads: int | None = None) -> None:
        self.backend = backend
        self._threads = threads or max(1, min(4, os.cpu_count() or 1))
        self._pool = ThreadPoolExecutor(self._threads)
        self._powers = setup.points(backend)
        self._values_basis = basis_points(setup, shape.domain_size, backend=backend)
        self._suffix_basis, self._suffix_total = suffix_sums(setup, shape.domain_size, backend)
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
        count = len(values)
        if count > len(self._powers):
            # Never for an honest prover; with exactly D powers this is the degree bound of the argument.
            raise OverflowError(f"{count} coefficients do not fit {len(self._powers)} powers of τ")
        step = -(-count // self._threads) if count >= SPLIT_FROM else max(count, 1)
        starts = range(0, max(count, 1), step)
        return self._pending([(self._powers[at : min(at + step, count)], values[at : at + step]) for at in starts])

    def small_values(self, values: Sequence[int], blinds: Sequence[int]) -> PendingPoint:
        """Commit to small values on W plus the blinding part; zeros are left out."""
        held = [index for index, value in enumerate(values) if value]
        points = [self._values_basis[index] for index in held]
        return self._pending([(points, [values[index] for index in held]), self._blinding(blinds)])

    def repeated_values(self, values: Sequence[int], blinds: Sequence[int]) -> PendingPoint:
        """Commit to values on W of which many are equal, plus the blinding part.

        The Lagrange basis adds up to the generator, so the commonest value is one term.
        """
        terms = self._merge(self._values_basis, self.backend.generator, values)
        return self._pending([terms, self._blinding(blinds)])

    def running_sums(self, values: Sequence[int], blinds: Sequence[int]) -> PendingPoint:
        """Commit to values on W of which many *steps* are equal, plus the blinding part.

        Summation by parts: Σ_i v_i L_i = v_0·S_0 + Σ_{j≥1} (v_j − v_{j−1})·S_j with S_j = Σ_{i≥j} L_i.
        """
        steps = [values[0], *((after - before) % MODULUS for before, after in pairwise(values))]
        terms = self._merge(self._suffix_basis, self._suffix_total, steps)
        return self._pending([terms, self._blinding(blinds)])

    def _merge(self, basis: Sequence[Any], total: Any, values: Sequence[int]) -> Terms:  # noqa: ANN401 - opaque points
        """Σ value·point with one term for each distinct value; ``total`` is the sum of the basis."""
        commonest = Counter(values).most_common(1)[0][0]
        merged: dict[int, Any] = {}
        for point, value in zip(basis, values, strict=True):
            if value != commonest:
                merged[value] = self.backend.add(merged[value], point) if value in merged else point
        scalars = [(value - commonest) % MODULUS for value in merged]
        return [*merged.values(), total], [*scalars, commonest % MODULUS]

    def _blinding(self, blinds: Sequence[int]) -> Terms:
        # Full scalars stay apart, so that small values keep their cheap multiplication.
        return self._blinding_basis[: len(blinds)], blinds

    def _pending(self, parts: Sequence[Terms]) -> PendingPoint:
        combine = self.backend.combine
        return PendingPoint(self.backend, [self._pool.submit(combine, points, scalars) for points, scalars in parts])
