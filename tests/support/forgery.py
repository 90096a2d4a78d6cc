"""A cheating prover: proves false statements, and satisfies every check but the one that cannot be satisfied.

It subclasses the honest prover round by round. Where an honest prover would refuse to go on, it follows one of the
strategies of the specification, section 7.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from prover.argument import polynomials as poly
from prover.argument.argument import Argument
from prover.argument.committer import Committer
from prover.argument.round_polynomials import (
    BookPolynomials,
    Linking,
    accumulator_values,
    digit_polynomial,
    digit_values,
    inverse_table,
    suffix_values,
)
from prover.argument.witness import Witness
from verifier.curve import group
from verifier.portfolio_commitment import commit_portfolio
from verifier.rules.rule_audit import CONSTANT_COLUMN
from verifier.scalar_field import MODULUS, batch_inverse, inverse, powers
from verifier.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from prover.argument.polynomials import Polynomial
    from prover.argument.witness import BookOpening
    from prover.rules.prepared_rule import PreparedRule
    from tests.support.cases import Case
    from verifier.ceremony import TrustedSetup
    from verifier.proof_format import Evaluations
    from verifier.shape import Shape
    from verifier.statement import VerifyingKey

JUMP_PLACE: Final = 5
"""Where on W a forger leaves the jump of acc, or the wrong inverse."""


class Strategy(StrEnum):
    """What a forger does about a cycle of acc that does not close."""

    DROP_REMAINDERS = "drop the remainders of the divisions"
    LEAVE_JUMP = "leave the jump of acc at one point"
    SPREAD_JUMP = "spread it over the cycle"
    BEND_INVERSE = "put it into one A_b(w)"
    PAD_MULTIPLICITIES = "pad m to the right total"
    SPOIL_ROWS = "spoil t_b"
    RAISE_DEGREE = "t_b + c(X^R − β)"


@dataclass(frozen=True)
class PrivateSide:
    """What a forger claims to hold; nothing here need be true.

    Attributes:
        openings: what the commitments hold.
        columns: v_b, any integers.
        suffixes: values of r_0 on W that replace those that follow from the columns, by place.
        counts: what is added to m, by digit.
    """

    openings: tuple[BookOpening, ...]
    columns: tuple[tuple[int, ...], ...]
    suffixes: Mapping[int, int] = field(default_factory=dict)
    counts: Mapping[int, int] = field(default_factory=dict)


def private_side(case: Case) -> PrivateSide:
    """The true one of a case."""
    return PrivateSide(case.witness.openings, case.witness.columns)


class Forger(Argument):
    """The rounds of a cheating prover."""

    def __init__(
        self,
        *,
        key: VerifyingKey,
        rule: PreparedRule,
        statement: Statement,
        side: PrivateSide,
        strategy: Strategy,
        committer: Committer,
    ) -> None:
        witness = Witness(side.openings, side.columns)
        super().__init__(key=key, rule=rule, statement=statement, witness=witness, committer=committer)
        self.side = side
        self.strategy = strategy
        self.tampering: Mapping[str, Callable[[bytes], bytes]] = {}
        self.scalars: type[Evaluations] | None = None

    def commit_digits(self, digit_blinds: Sequence[int], blinds: Sequence[int]) -> tuple[tuple[bytes, ...], bytes]:
        """Round 1 with any suffixes and counts."""
        shape = self.shape
        for book in range(self.books):
            suffixes = suffix_values(shape, self.side.columns[book])
            for place, value in self.side.suffixes.items() if book == 0 else ():
                suffixes[place] = value
            suffixes = [value % MODULUS for value in suffixes]
            own = digit_blinds[2 * book : 2 * book + 2]
            digits = [value % MODULUS for value in digit_values(shape, suffixes)]
            self.parts.append(BookPolynomials(suffixes, digits, own))
        self.counts = self.claimed_counts()
        for part in self.parts:
            part.digits = self.blinded(part.suffixes, part.digit_blinds)
            part.digits_shifted = poly.stretch(part.digits, self.tables.omega_powers)
            part.digit = digit_polynomial(shape, part.digits, part.digits_shifted)
        self.multiplicity = self.blinded(self.counts, blinds)
        points = tuple(self.commit(f"r_{book}", part.digits) for book, part in enumerate(self.parts))
        counts = self.commit("m", self.multiplicity)
        self.theta, self.beta = self.transcript.absorb_digits(b"".join(points) + counts)
        return points, counts

    def commit(self, position: str, polynomial: Polynomial) -> bytes:
        """The commitment as it goes into the proof and its hash."""
        encoding = self.committer.coefficients(poly.coefficients_of(polynomial)).encoded()
        return self.tampering.get(position, _unchanged)(encoding)

    def claimed_counts(self) -> list[int]:
        """Digits of the table are counted; others are left out, or counted as zeros to pad the total."""
        counts = [0] * self.shape.domain_size
        for part in self.parts:
            for digit in part.digit_values:
                if digit < 1 << self.shape.digit_bits:
                    counts[digit] += 1
                elif self.strategy is Strategy.PAD_MULTIPLICITIES:
                    counts[0] += 1
        for digit, change in self.side.counts.items():
            counts[digit] += change
        return counts

    def commit_sums(
        self, inverse_blinds: Sequence[int], blinds: Sequence[int]
    ) -> tuple[tuple[bytes, ...], bytes, tuple[bytes, ...]]:
        """Round 2: whatever closes the cycle by the strategy."""
        for book, part in enumerate(self.parts):
            part.inverse_values = batch_inverse([(self.theta + digit) % MODULUS for digit in part.digit_values])
            part.inverse_blinds = inverse_blinds[2 * book : 2 * book + 2]
        self.fold_rows()
        self.linking = Linking(self.shape, self.tables, self.beta, self.books)
        values = self.close_cycle()
        self.accumulator = self.blinded(values, blinds)
        for part in self.parts:
            part.inverses = self.blinded(part.inverse_values, part.inverse_blinds)
        self.identities()
        inverses = tuple(self.commit(f"A_{book}", part.inverses) for book, part in enumerate(self.parts))
        total = self.commit("acc", self.accumulator)
        rows = tuple(self.commit(f"t_{book}", part.rows) for book, part in enumerate(self.parts))
        self.alpha = self.transcript.absorb_sums(b"".join(inverses) + total + b"".join(rows))
        return inverses, total, rows

    def close_cycle(self) -> list[int]:
        """Values of acc on W."""
        _, jump = self.cycle_values()
        size, first = self.shape.domain_size, self.parts[0]
        if self.strategy is Strategy.BEND_INVERSE:
            first.inverse_values[JUMP_PLACE] = (first.inverse_values[JUMP_PLACE] - jump) % MODULUS
        constant = first.suffixes[self.shape.digits * CONSTANT_COLUMN]
        if self.strategy is Strategy.SPOIL_ROWS:
            change = -jump * inverse(self.linking.row_weight * constant % MODULUS) % MODULUS
            first.rows += lagrange_column(self.shape, CONSTANT_COLUMN) * change
        if self.strategy is Strategy.RAISE_DEGREE:
            self.raise_degree(jump)
        values, rest = self.cycle_values()
        if self.strategy is Strategy.LEAVE_JUMP:
            values = [value - (jump if place > JUMP_PLACE else 0) for place, value in enumerate(values)]
        elif self.strategy is Strategy.SPREAD_JUMP:
            share = jump * inverse(size) % MODULUS
            values = [value - place * share for place, value in enumerate(values)]
        elif self.strategy not in (Strategy.DROP_REMAINDERS, Strategy.PAD_MULTIPLICITIES) and rest:
            raise AssertionError("the strategy was to close the cycle, and it does not close")
        return [value % MODULUS for value in values]

    def raise_degree(self, jump: int) -> None:
        """t_0 + c(X^R − β): on V it is t_0 + c(1 − β), and its claim about M̂ still divides by X^R − β."""
        shape, first = self.shape, self.parts[0]
        on_columns = sum(first.suffixes[shape.digits * column] for column in range(shape.columns))
        weight = self.linking.row_weight * on_columns % MODULUS * (1 - self.beta) % MODULUS
        change = -jump * inverse(weight) % MODULUS
        first.rows += poly.polynomial([-self.beta * change % MODULUS, *[0] * (shape.columns - 1), change])
        first.row_quotient -= change

    def cycle_values(self) -> tuple[list[int], int]:
        """Acc on W and the jump at its end, for the present t_b and A_b."""
        totals = [0] * self.shape.columns
        for book, part in enumerate(self.parts):
            columns = [part.suffixes[place] for place in range(0, self.shape.domain_size, self.shape.digits)]
            positions = self.side.openings[book].positions
            folded = rows_on_columns(part.rows, self.shape)
            for place, value in enumerate(self.linking.values(book, folded, columns, positions)):
                totals[place] += value
        return accumulator_values(self.shape, self.parts, self.counts, inverse_table(self.shape, self.theta), totals)

    def commit_quotient(self) -> bytes:
        """Round 3, remainders dropped; h cut to D coefficients where it would have more."""
        shape, books = self.shape, self.books
        alpha = powers(self.alpha, 3 * books + 1)
        vanishing = self.cycle * alpha[books]
        self.quotient = poly.polynomial([])
        for book, part in enumerate(self.parts):
            vanishing += part.lookup * alpha[book]
            self.quotient += part.row_quotient * alpha[books + 1 + book]
            self.quotient += (part.rows * alpha[2 * books + 1 + book]).left_shift(shape.powers - shape.columns)
        divisor = poly.polynomial([-1, *[0] * (shape.domain_size - 1), 1])
        self.quotient += divmod(vanishing, divisor)[0]
        self.quotient = self.fitted(self.quotient)
        encoded = self.commit("h", self.quotient)
        self.zeta = self.transcript.absorb_quotient(encoded)
        return encoded

    def evaluate(self) -> Evaluations:
        """Round 4, with scalars that may be written in another way."""
        values = super().evaluate()
        if self.scalars is None:
            return values
        written = self.scalars(**{entry.name: getattr(values, entry.name) for entry in fields(values)})
        self.transcript.states.pop()
        self.eta = self.transcript.absorb_evaluations(written.encode())
        return written

    def open(self, values: Evaluations) -> tuple[bytes, bytes]:
        """Rounds 5 and 6."""
        shifted = self.shape.omega * self.zeta % MODULUS
        at_zeta, at_shifted = self.combine(values, (1, 0)), self.combine(values, (0, 1))
        opening = poly.divide_by_point(at_zeta, self.zeta) + poly.divide_by_point(at_shifted, shifted)
        encoded = self.commit("W", opening)
        u = self.transcript.absorb_opening(encoded)
        first, second = (u - shifted) % MODULUS, (u - self.zeta) % MODULUS
        combined = at_zeta * first + at_shifted * second - opening * (first * second % MODULUS)
        last = poly.coefficients_of(poly.divide_by_point(combined, u))
        return encoded, self.committer.backend.compress(self.committer.coefficients(last).result())

    def fitted(self, quotient: Polynomial) -> Polynomial:
        """The quotient as it is; the committer refuses what has more than D coefficients."""
        return quotient


def _unchanged(encoding: bytes) -> bytes:
    return encoding


class TruncatingForger(Forger):
    """Commits to the part of h that fits the setup."""

    def fitted(self, quotient: Polynomial) -> Polynomial:
        """The D lowest coefficients."""
        return quotient.truncate(self.shape.powers)


def lagrange_column(shape: Shape, column: int) -> Polynomial:
    """λ^V_column."""
    return poly.interpolate([int(place == column) for place in range(shape.columns)])


def rows_on_columns(rows: Polynomial, shape: Shape) -> Polynomial:
    """The polynomial of degree < R with the same values on V."""
    return divmod(rows, poly.polynomial([-1, *[0] * (shape.columns - 1), 1]))[1]


@dataclass(frozen=True)
class Forgery:
    """A statement and a proof that ought to be rejected."""

    statement: Statement
    proof: bytes


def forge(
    case: Case,
    *,
    key: VerifyingKey,
    side: PrivateSide | None = None,
    strategy: Strategy = Strategy.DROP_REMAINDERS,
    setup: TrustedSetup | None = None,
    forger: type[Forger] = Forger,
    statement: Statement | None = None,
    tampering: Mapping[str, Callable[[bytes], bytes]] | None = None,
    scalars: type[Evaluations] | None = None,
) -> Forgery:
    """Run the cheating prover.

    Args:
        case: the true statement that the forgery starts from.
        key: verifying key.
        side: what the forger claims to hold; the truth when omitted.
        strategy: what it does when acc does not close.
        setup: another setup than the case's.
        forger: which forger.
        statement: bytes of the statement that the forger hashes; true ones for ``side`` when omitted.
        tampering: what happens to the encodings of points before they are hashed, by position.
        scalars: how the evaluations are written.
    """
    held, chosen = side or private_side(case), setup or case.setup
    with Committer(case.shape, chosen, group()) as committer:
        argument = forger(
            key=key,
            rule=case.rule,
            statement=statement or true_statement(case, held),
            side=held,
            strategy=strategy,
            committer=committer,
        )
        argument.tampering = tampering or {}
        argument.scalars = scalars
        return Forgery(argument.statement, argument.run(case.blinds))


def true_statement(case: Case, side: PrivateSide) -> Statement:
    """The statement whose commitments hold what the forger claims."""
    commitments = tuple(
        commit_portfolio(opening.positions, opening.blind, shape=case.shape, setup=case.setup)
        for opening in side.openings
    )
    return Statement(case.context, commitments, case.rule.commitments)
