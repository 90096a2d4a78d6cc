"""The prover's rounds (specification, section 4), one method per round.

Heavy commitments run in threads while the next polynomials are computed. The pure core takes its blinds as an
argument; :func:`prove` draws them, and verifies what it returns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prover.argument import polynomials as poly
from prover.argument.blinds import blind_count, draw_scalars
from prover.argument.committer import Committer
from prover.argument.round_polynomials import (
    BookPolynomials,
    Linking,
    ShapeTables,
    accumulator_values,
    column_sum,
    digit_polynomial,
    digit_values,
    inverse_table,
    multiplicities,
    shape_tables,
    suffix_values,
)
from prover.argument.witness import require_columns_in_range
from prover.errors import ArgumentError
from verifier.curve import group
from verifier.portfolio_commitment import commit_portfolio
from verifier.proof_format import Evaluations, Proof
from verifier.scalar_field import MODULUS, powers
from verifier.statement import Statement, verifying_key
from verifier.transcript import Transcript
from verifier.verification import Challenges, Combination, linear_combination, verify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prover.argument.polynomials import Polynomial
    from prover.argument.witness import Witness
    from prover.rules.prepared_rule import PreparedRule
    from verifier.ceremony import TrustedSetup
    from verifier.curve import Group
    from verifier.statement import VerifyingKey


@dataclass(frozen=True, slots=True)
class MarginProof:
    """A statement and the bytes that show it; nothing in here is secret."""

    statement: Statement
    proof: bytes


class Argument:
    """One proof under way. ``run`` calls the rounds in order; each absorbs what the next challenge must depend on."""

    def __init__(
        self, *, key: VerifyingKey, rule: PreparedRule, statement: Statement, witness: Witness, committer: Committer
    ) -> None:
        self.key = key
        self.shape = key.shape
        self.rule = rule
        self.statement = statement
        self.witness = witness
        self.committer = committer
        self.books = statement.books
        self.tables: ShapeTables = shape_tables(key.shape)
        self.transcript = Transcript(key, statement)
        self.parts: list[BookPolynomials] = []
        self.theta = self.beta = self.alpha = self.zeta = 0

    def run(self, blinds: Sequence[int]) -> bytes:
        """All rounds with the blinds of section 4, in the order drawn.

        Raises:
            ArgumentError: the witness does not satisfy the statement.
            ZeroDivisionError: an unlucky challenge; draw new blinds (never by chance).
        """
        if len(blinds) != blind_count(self.books):
            raise ArgumentError(f"{self.books} books need {blind_count(self.books)} blinds, got {len(blinds)}")
        split = 2 * self.books
        digits, multiplicity = self.commit_digits(blinds[:split], blinds[split : split + 1])
        inverses, accumulator, rows = self.commit_sums(blinds[split + 1 : 2 * split + 1], blinds[2 * split + 1 :])
        quotient = self.commit_quotient()
        values = self.evaluate()
        opening, last_opening = self.open(values)
        proof = Proof(digits, multiplicity, inverses, accumulator, rows, quotient, opening, last_opening, values)
        return proof.encode()

    def commit_digits(self, digit_blinds: Sequence[int], blinds: Sequence[int]) -> tuple[tuple[bytes, ...], bytes]:
        """Round 1: r_b and m; squeezes θ, β."""
        shape, size = self.shape, self.shape.domain_size
        pending = []
        for book in range(self.books):
            suffixes = suffix_values(shape, self.witness.columns[book])
            own = digit_blinds[2 * book : 2 * book + 2]
            pending.append(self.committer.small_values(suffixes, own))
            self.parts.append(BookPolynomials(suffixes, digit_values(shape, suffixes), own))
        self.counts = multiplicities(shape, [part.digit_values for part in self.parts])
        pending_counts = self.committer.small_values(self.counts, blinds)
        for part in self.parts:
            part.digits = self.blinded(part.suffixes, part.digit_blinds)
            part.digits_shifted = poly.stretch(part.digits, self.tables.omega_powers)
            part.digit = digit_polynomial(shape, part.digits, part.digits_shifted)
        self.multiplicity = poly.interpolate(self.counts) + poly.times_vanishing(poly.polynomial(blinds), size)
        digits = tuple(point.encoded() for point in pending)
        counts = pending_counts.encoded()
        self.theta, self.beta = self.transcript.absorb_digits(b"".join(digits) + counts)
        return digits, counts

    def commit_sums(
        self, inverse_blinds: Sequence[int], blinds: Sequence[int]
    ) -> tuple[tuple[bytes, ...], bytes, tuple[bytes, ...]]:
        """Round 2: A_b, acc and t_b; squeezes α."""
        shape = self.shape
        table = inverse_table(shape, self.theta)
        pending = []
        for book, part in enumerate(self.parts):
            part.inverse_values = [table[digit] for digit in part.digit_values]
            own = inverse_blinds[2 * book : 2 * book + 2]
            part.inverse_blinds = own
            pending.append(self.committer.repeated_values(part.inverse_values, own))
        self.fold_rows()
        pending_rows = [self.committer.coefficients(poly.coefficients_of(part.rows)) for part in self.parts]
        self.linking = Linking(shape, self.tables, self.beta, self.books)
        accumulator = self.accumulate(table)
        pending_accumulator = self.committer.running_sums(accumulator, blinds)
        self.accumulator = self.blinded(accumulator, blinds)
        for part in self.parts:
            part.inverses = self.blinded(part.inverse_values, part.inverse_blinds)
        self.identities()
        inverses = tuple(point.encoded() for point in pending)
        total = pending_accumulator.encoded()
        rows = tuple(point.encoded() for point in pending_rows)
        self.alpha = self.transcript.absorb_sums(b"".join(inverses) + total + b"".join(rows))
        return inverses, total, rows

    def fold_rows(self) -> None:
        """M̂_{β,b} = Σ_g β^(gS') M̂_{b,g}; t_b and (M̂_{β,b} − t_b)/(X^R − β) by one division."""
        shape = self.shape
        weights = powers(pow(self.beta, shape.rows_per_chunk, MODULUS), self.statement.chunks_per_book)
        for book, part in enumerate(self.parts):
            folded = poly.polynomial([])
            for weight, chunk in zip(weights, self.rule.chunks[book], strict=True):
                folded += chunk * weight
            part.row_quotient, part.rows = poly.divide_by_power_shift(
                folded, block=shape.columns, blocks=shape.rows_per_chunk, root=self.beta
            )

    def accumulate(self, table: Sequence[int]) -> list[int]:
        """Values of acc on W; refuses to go on when it does not close the cycle."""
        totals = [0] * self.shape.columns
        for book, part in enumerate(self.parts):
            positions = self.witness.openings[book].positions
            for place, value in enumerate(self.linking.values(book, part.rows, self.witness.columns[book], positions)):
                totals[place] += value
        values, jump = accumulator_values(self.shape, self.parts, self.counts, table, totals)
        if jump:
            raise ArgumentError(
                "the witness does not satisfy the rule: rebuild it from the positions in the commitment"
            )
        return values

    def identities(self) -> None:
        """C1_b and C2 of step 3, as polynomials."""
        shape, tables = self.shape, self.tables
        linked = poly.polynomial([-self.linking.one_share % MODULUS])
        inverses = poly.polynomial([])
        for book, part in enumerate(self.parts):
            opening = self.witness.openings[book]
            part.positions = tables.portfolio_polynomial(opening.positions, opening.blind)
            linked += self.linking.polynomial(book, part.rows, part.digits, part.positions)
            inverses += part.inverses
            part.lookup = part.inverses * (part.digit + self.theta) - 1
        shifted = poly.stretch(self.accumulator, tables.omega_powers)
        step = shifted - self.accumulator - inverses - column_sum(shape, linked)
        self.cycle = (tables.table + self.theta) * step + self.multiplicity

    def commit_quotient(self) -> bytes:
        """Round 3: h; squeezes ζ."""
        shape, books = self.shape, self.books
        alpha = powers(self.alpha, 3 * books + 1)
        vanishing = self.cycle * alpha[books]
        self.quotient = poly.polynomial([])
        for book, part in enumerate(self.parts):
            vanishing += part.lookup * alpha[book]
            self.quotient += part.row_quotient * alpha[books + 1 + book]
            self.quotient += (part.rows * alpha[2 * books + 1 + book]).left_shift(shape.powers - shape.columns)
        self.quotient += poly.divide_by_vanishing(vanishing, shape.domain_size, 2 * shape.domain_size)
        encoded = self.committer.coefficients(poly.coefficients_of(self.quotient)).encoded()
        self.zeta = self.transcript.absorb_quotient(encoded)
        if pow(self.zeta, shape.domain_size, MODULUS) == 1:
            raise ZeroDivisionError("ζ lies in W")
        return encoded

    def evaluate(self) -> Evaluations:
        """Round 4: values at ζ and ωζ; squeezes η."""
        zeta, shifted = self.zeta, self.shape.omega * self.zeta % MODULUS
        values = Evaluations(
            inverses=tuple(poly.evaluate(part.inverses, zeta) for part in self.parts),
            digits=tuple(poly.evaluate(part.digits, shifted) for part in self.parts),
            accumulator=poly.evaluate(self.accumulator, shifted),
            rows=tuple(poly.evaluate(part.rows, zeta) for part in self.parts),
            table=poly.evaluate(self.tables.table, zeta),
        )
        self.eta = self.transcript.absorb_evaluations(values.encode())
        return values

    def open(self, values: Evaluations) -> tuple[bytes, bytes]:
        """Rounds 5 and 6: W, then W' at u.

        With Q = (F_ζ − v)/(X − ζ) and Q' = (F_ωζ − v')/(X − ωζ) the specification's quotients are W = Q + Q' and
        W' = L/(X − u) = (u − ωζ)·Q + (u − ζ)·Q': two commitments, of which the second is short, serve both.
        """
        backend = self.committer.backend
        shifted = self.shape.omega * self.zeta % MODULUS
        quotients = (
            poly.divide_by_point(self.combine(values, (1, 0)), self.zeta),
            poly.divide_by_point(self.combine(values, (0, 1)), shifted),
        )
        pending = [self.committer.coefficients(poly.coefficients_of(quotient)) for quotient in quotients]
        points = [point.result() for point in pending]
        opening = backend.encode(backend.add(*points))
        u = self.transcript.absorb_opening(opening)
        last = backend.combine(points, [(u - shifted) % MODULUS, (u - self.zeta) % MODULUS])
        return opening, backend.compress(last)

    def combine(self, values: Evaluations, weights: tuple[int, int]) -> Polynomial:
        """F_ζ − v for the weights (1, 0), F_ωζ − v' for (0, 1): the verifier's combination, on polynomials."""
        challenges = Challenges(self.theta, self.beta, self.alpha, self.zeta, self.eta)
        scalars = linear_combination(self.shape, self.statement.chunks_per_book, values, challenges, weights)
        if scalars is None:
            raise ZeroDivisionError("a denominator vanishes at ζ")
        return self._weighted(scalars)

    def _weighted(self, scalars: Combination) -> Polynomial:
        total = poly.polynomial([scalars.constant])
        chunks = [chunk for book in self.rule.chunks for chunk in book]
        groups = (
            (scalars.digits, [part.digits for part in self.parts]),
            (scalars.portfolios, [part.positions for part in self.parts]),
            (scalars.inverses, [part.inverses for part in self.parts]),
            (scalars.rows, [part.rows for part in self.parts]),
            (scalars.chunks, chunks),
            ((scalars.multiplicities, scalars.accumulator), [self.multiplicity, self.accumulator]),
            ((scalars.table, scalars.quotient), [self.tables.table, self.quotient]),
        )
        for factors, members in groups:
            for factor, member in zip(factors, members, strict=True):
                if factor:
                    total += member * factor
        return total

    def blinded(self, values: Sequence[int], blinds: Sequence[int]) -> Polynomial:
        """The polynomial with these values on W, blinded by ``len(blinds)``."""
        return poly.interpolate(values) + poly.times_vanishing(poly.polynomial(blinds), self.shape.domain_size)


def build_proof(
    *,
    setup: TrustedSetup,
    rule: PreparedRule,
    witness: Witness,
    context: bytes,
    blinds: Sequence[int] | None = None,
    backend: Group | None = None,
) -> MarginProof:
    """A proof, not yet verified. Blinds are drawn from the operating system unless they are given (vectors, tests).

    Raises:
        ArgumentError: the witness does not satisfy the rule.
        ColumnRangeError: a column outside [0, 2^(dk)).
    """
    chosen = backend or group()
    shape = rule.matrix.shape
    require_columns_in_range(witness, shape.value_bound)
    key = verifying_key(shape, setup, chosen)
    commitments = tuple(
        commit_portfolio(opening.positions, opening.blind, shape=shape, setup=setup, backend=chosen)
        for opening in witness.openings
    )
    statement = Statement(context, commitments, rule.commitments)
    with Committer(shape, setup, chosen) as committer:
        while True:
            argument = Argument(key=key, rule=rule, statement=statement, witness=witness, committer=committer)
            drawn = blinds or _draw(witness, argument.transcript.states[0])
            try:
                return MarginProof(statement, argument.run(drawn))
            except ZeroDivisionError as error:
                if blinds is not None:
                    raise ArgumentError("a challenge hit an excluded value: give other blinds") from error


def _draw(witness: Witness, state: bytes) -> list[int]:
    secret = repr((witness.columns, [(opening.positions, opening.blind) for opening in witness.openings])).encode()
    return draw_scalars(blind_count(len(witness.openings)), secret + state)


def prove(
    *, setup: TrustedSetup, rule: PreparedRule, witness: Witness, context: bytes, backend: Group | None = None
) -> MarginProof:
    """Prove that a hidden portfolio satisfies a rule; the proof is verified before it leaves.

    Args:
        setup: powers of τ.
        rule: prepared by :func:`prover.rules.prepared_rule.prepare_rule`.
        witness: from :func:`prover.argument.witness.build_witness`.
        context: 32 bytes that bind the proof to its use.
        backend: group backend; arkworks when omitted.

    Raises:
        ArgumentError: the witness does not satisfy the rule, or the finished proof does not verify.
    """
    made = build_proof(setup=setup, rule=rule, witness=witness, context=context, backend=backend)
    key = verifying_key(rule.matrix.shape, setup, backend)
    if not verify(key, made.statement, made.proof, backend):
        raise ArgumentError("the finished proof does not verify; nothing was returned. Please report this")
    return made
