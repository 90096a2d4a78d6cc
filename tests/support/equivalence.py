"""Blinds of a second witness that give the bytes of a proof made with a first one (specification, section 6).

With τ known, what a proof reveals is 4B + 4 linear equations in its 4B + 4 blinds: r_b at τ and ωζ, A_b at τ and ζ, m
at τ, acc at τ and ωζ, and, through h(τ), acc at ωτ together with r_b at ωτ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prover.argument import polynomials as poly
from prover.argument.argument import Argument
from prover.argument.blinds import blind_count
from prover.argument.committer import Committer
from prover.argument.round_polynomials import shape_tables
from prover.argument.witness import BookOpening, Witness
from tests.support.forgery import private_side, true_statement
from tests.support.linear_algebra import solve
from tests.support.setups import TAU, tiny_key
from verifier.curve import group
from verifier.scalar_field import MODULUS, inverse, powers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prover.argument.polynomials import Polynomial
    from tests.support.cases import Case
    from verifier.shape import Shape


@dataclass(frozen=True)
class FixedTranscript:
    """Answers with the challenges of a finished proof, whatever it is told."""

    argument: Argument
    states: tuple[bytes, ...] = (b"",)

    def absorb_digits(self, _: bytes) -> tuple[int, int]:
        return self.argument.theta, self.argument.beta

    def absorb_sums(self, _: bytes) -> int:
        return self.argument.alpha

    def absorb_quotient(self, _: bytes) -> int:
        return self.argument.zeta

    def absorb_evaluations(self, _: bytes) -> int:
        return self.argument.eta

    def absorb_opening(self, _: bytes) -> int:
        return 0


def run_argument(case: Case, blinds: Sequence[int], *, like: Argument | None = None) -> Argument:
    """The finished argument of a case; under the challenges of another one where it is given."""
    statement = true_statement(case, private_side(case))
    with Committer(case.shape, case.setup, group()) as committer:
        argument = Argument(
            key=tiny_key(), rule=case.rule, statement=statement, witness=case.witness, committer=committer
        )
        if like is not None:
            argument.transcript = FixedTranscript(like)  # type: ignore[assignment]  # the same methods
        argument.run(blinds)
    return argument


def reblinded(shape: Shape, openings: Sequence[BookOpening], like: Sequence[BookOpening]) -> tuple[BookOpening, ...]:
    """Other positions under the commitments of ``like``: the blinds ρ_b follow from τ."""
    tables, scale = shape_tables(shape), inverse(pow(TAU, shape.slots, MODULUS) - 1)
    result = []
    for opening, target in zip(openings, like, strict=True):
        wanted = poly.evaluate(tables.portfolio_polynomial(target.positions, target.blind), TAU)
        present = poly.evaluate(tables.portfolio_polynomial(opening.positions, 0), TAU)
        result.append(BookOpening(opening.positions, (wanted - present) * scale % MODULUS))
    return tuple(result)


def same_commitments(case: Case, like: Case) -> Case:
    """The case with the blinds ρ_b that make its commitments those of ``like``, and its context."""
    openings = reblinded(case.shape, case.witness.openings, like.witness.openings)
    return type(case)(like.seed, case.setup, like.rule, Witness(openings, case.witness.columns))


@dataclass(frozen=True)
class _Blinded:
    """One blinded polynomial of both proofs.

    Attributes:
        first: blind index of its first blind.
        count: how many blinds.
        target: the polynomial of the first proof.
        base: that of the second witness without blinds.
    """

    first: int
    count: int
    target: Polynomial
    base: Polynomial

    def equation(self, point: int, size: int, unknowns: int) -> tuple[list[int], int]:
        """That both proofs show the same value at a point."""
        row = [0] * unknowns
        vanishing = pow(point, size, MODULUS) - 1
        row[self.first : self.first + self.count] = [vanishing * power % MODULUS for power in powers(point, self.count)]
        return row, (poly.evaluate(self.target, point) - poly.evaluate(self.base, point)) % MODULUS


def revealed_equations(target: Argument, base: Argument) -> tuple[list[list[int]], list[int]]:
    """The linear system: one column a blind, in the order drawn."""
    books, size, unknowns = target.books, target.shape.domain_size, blind_count(target.books)
    omega, zeta = target.shape.omega, target.zeta
    pairs = list(zip(target.parts, base.parts, strict=True))
    digits = [_Blinded(2 * b, 2, ours.digits, theirs.digits) for b, (ours, theirs) in enumerate(pairs)]
    counts = _Blinded(2 * books, 1, target.multiplicity, base.multiplicity)
    start = 2 * books + 1
    inverses = [_Blinded(start + 2 * b, 2, ours.inverses, theirs.inverses) for b, (ours, theirs) in enumerate(pairs)]
    total = _Blinded(4 * books + 1, 3, target.accumulator, base.accumulator)
    shown = [(part, point) for part in digits for point in (TAU, omega * zeta)]
    shown += [(part, point) for part in inverses for point in (TAU, zeta)]
    shown += [(counts, TAU), (total, TAU), (total, omega * zeta)]
    equations = [part.equation(point % MODULUS, size, unknowns) for part, point in shown]
    turned = [part.equation(omega * TAU % MODULUS, size, unknowns) for part in (*digits, total)]
    equations.append(_weighted(turned, _quotient_weights(target)))
    return [row for row, _ in equations], [value for _, value in equations]


def _quotient_weights(target: Argument) -> list[int]:
    """How r_b(ωτ) and acc(ωτ) enter h(τ), all else being equal."""
    shape, books = target.shape, target.books
    alpha = powers(target.alpha, books + 1)
    turn = pow(shape.omega, shape.columns, MODULUS) * pow(TAU, shape.columns, MODULUS)
    last = (pow(TAU, shape.domain_size, MODULUS) - 1) * inverse(shape.digits * (turn - 1) % MODULUS)
    jump = -(1 << shape.digit_bits) * (1 - last)
    weights = [alpha[b] * jump * poly.evaluate(part.inverses, TAU) % MODULUS for b, part in enumerate(target.parts)]
    return [*weights, alpha[books] * (target.theta + poly.evaluate(target.tables.table, TAU)) % MODULUS]


def _weighted(equations: Sequence[tuple[list[int], int]], weights: Sequence[int]) -> tuple[list[int], int]:
    rows = zip(*(row for row, _ in equations), strict=True)
    row = [sum(weight * entry for weight, entry in zip(weights, column, strict=True)) % MODULUS for column in rows]
    return row, sum(weight * value for weight, (_, value) in zip(weights, equations, strict=True)) % MODULUS


def equivalent_blinds(target: Argument, other: Case, *, without: int | None = None) -> list[int] | None:
    """Blinds of another witness that give the bytes of ``target``; ``None`` when there are none.

    Args:
        target: the finished argument.
        other: a case with the same commitments.
        without: index of a blind that the protocol lacks: it is zero in ``target``, and zero here.
    """
    unknowns = blind_count(target.books)
    base = run_argument(other, [0] * unknowns, like=target)
    matrix, values = revealed_equations(target, base)
    kept = [index for index in range(unknowns) if index != without]
    solution = solve([[row[index] for index in kept] for row in matrix], values)
    if solution is None or without is None:
        return solution
    return [*solution[:without], 0, *solution[without:]]
