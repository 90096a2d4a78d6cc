"""Verification of one margin proof or a batch (specification, section 5; twin: contracts/MarginVerifier.sol).

Malformed bytes raise; a well-formed false proof gives ``False``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verifier.curve import group
from verifier.errors import MalformedInputError
from verifier.proof_format import decode_proof
from verifier.scalar_field import MODULUS, batch_inverse, powers
from verifier.transcript import Transcript, batch_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.curve import Group
    from verifier.proof_format import Evaluations, Proof
    from verifier.shape import Shape
    from verifier.statement import Statement, VerifyingKey


@dataclass(frozen=True, slots=True)
class Challenges:
    """What the linearisation needs of the transcript."""

    theta: int
    beta: int
    alpha: int
    zeta: int
    eta: int


@dataclass(frozen=True, slots=True)
class Replay:
    """A transcript played to its end: challenges, the opening's point u, and s6, which batches absorb."""

    challenges: Challenges
    u: int
    last_state: bytes


def replay_transcript(key: VerifyingKey, statement: Statement, proof: Proof) -> Replay:
    """Squeeze the challenges of a finished proof."""
    transcript = Transcript(key, statement)
    theta, beta = transcript.absorb_digits(proof.digit_bytes())
    alpha = transcript.absorb_sums(proof.sum_bytes())
    zeta = transcript.absorb_quotient(proof.quotient)
    eta = transcript.absorb_evaluations(proof.values.encode())
    u = transcript.absorb_opening(proof.opening)
    last_state = transcript.absorb_last_opening(proof.last_opening)
    return Replay(Challenges(theta, beta, alpha, zeta, eta), u, last_state)


def denominators(shape: Shape, beta: int, zeta: int) -> tuple[int, ...]:
    """The eight values whose inverses the verifier needs, in the order of section 5."""
    columns, slots, nu = shape.columns, shape.slots, shape.nu
    zeta_columns = pow(zeta, columns, MODULUS)
    zeta_slots = pow(zeta, slots, MODULUS)
    zeta_before = zeta * pow(nu, -1, MODULUS)
    return tuple(
        value % MODULUS
        for value in (
            shape.digits * (zeta_columns - 1),
            shape.digits * (pow(shape.omega, columns, MODULUS) * zeta_columns - 1),
            4 * (zeta_slots - 1),
            4 * (zeta_slots * pow(nu, -slots, MODULUS) - 1),
            beta - zeta,
            beta - zeta_before,
            zeta_columns - beta,
            columns * (zeta - nu * nu),
        )
    )


@dataclass(frozen=True, slots=True)
class PublicValues:
    """Public polynomials at ζ: what the linearisation needs beside the proof."""

    vanishing: int
    """Z = ζ^n − 1."""
    row_quotient: int
    """κ = Z/(ζ^R − β)."""
    on_columns: int
    """σ_V(ζ)."""
    last: int
    """last(ζ) = σ_V(ωζ)."""
    link: int
    """b(ζ)."""
    link_before: int
    """b(ζ/ν)."""
    constant_column: int
    """λ^V_2(ζ)."""


def public_values(shape: Shape, beta: int, zeta: int) -> PublicValues | None:
    """Evaluate the public polynomials at ζ; ``None`` when a denominator is zero."""
    values = denominators(shape, beta, zeta)
    if not all(values):
        return None
    inverses = batch_inverse(values)
    columns, slots, nu = shape.columns, shape.slots, shape.nu
    vanishing = pow(zeta, shape.domain_size, MODULUS) - 1
    columns_vanishing = pow(zeta, columns, MODULUS) - 1
    zeta_slots = pow(zeta, slots, MODULUS)
    before_slots = zeta_slots * pow(nu, -slots, MODULUS) % MODULUS
    beta_slots = pow(beta, slots, MODULUS)
    return PublicValues(
        vanishing=vanishing % MODULUS,
        row_quotient=vanishing * inverses[6] % MODULUS,
        on_columns=vanishing * inverses[0] % MODULUS,
        last=vanishing * inverses[1] % MODULUS,
        link=columns_vanishing * inverses[2] * (beta_slots - zeta_slots) * inverses[4] % MODULUS,
        link_before=columns_vanishing * inverses[3] * (beta_slots - before_slots) * inverses[5] % MODULUS,
        constant_column=nu * nu * columns_vanishing * inverses[7] % MODULUS,
    )


@dataclass(frozen=True, slots=True)
class Combination:
    """Scalars of ``first·(F_ζ − v) + second·(F_ωζ − v')`` over the committed polynomials, in [0, r).

    Attributes:
        digits: per r_b.
        portfolios: per x_b.
        inverses: per A_b.
        rows: per t_b.
        chunks: per M̂_{b,g}, book by book.
        multiplicities: of m.
        accumulator: of acc.
        table: of T.
        quotient: of h.
        constant: of 1.
    """

    digits: tuple[int, ...]
    portfolios: tuple[int, ...]
    inverses: tuple[int, ...]
    rows: tuple[int, ...]
    chunks: tuple[int, ...]
    multiplicities: int
    accumulator: int
    table: int
    quotient: int
    constant: int


def linear_combination(
    shape: Shape, chunks_per_book: int, values: Evaluations, challenges: Challenges, weights: tuple[int, int]
) -> Combination | None:
    """The linearisation D' and the two openings of section 4, step 4, as scalars.

    The verifier takes the weights ``(u − ωζ, u − ζ)``; the prover takes (1, 0) and (0, 1) to divide each opening
    by itself. ``None`` when a denominator is zero, which rejects the proof.
    """
    at = public_values(shape, challenges.beta, challenges.zeta)
    if at is None:
        return None
    books, beta = len(values.rows), challenges.beta
    first, second = weights
    alpha = powers(challenges.alpha, 2 * books + 1)
    eta = powers(challenges.eta, 2 * books + 2)
    beta_chunks = powers(pow(beta, shape.rows_per_chunk, MODULUS), chunks_per_book)
    beta_books = powers(pow(beta, shape.slots, MODULUS), books + 1)
    table_factor = alpha[books] * (challenges.theta + values.table) % MODULUS
    sums = table_factor * at.on_columns % MODULUS

    digits = []
    for book in range(books):
        weight = beta_books[books] * beta * values.rows[book] + beta_books[book] * (at.link - at.link_before)
        weight += beta_books[books] * at.constant_column if book == 0 else 0
        digits.append((first * (alpha[book] * values.inverses[book] - sums * weight) + second * eta[book]) % MODULUS)
    scales = [first * at.row_quotient * alpha[books + 1 + book] % MODULUS for book in range(books)]
    return Combination(
        digits=tuple(digits),
        portfolios=tuple(first * sums * beta_books[book] * at.link % MODULUS for book in range(books)),
        inverses=tuple(first * eta[1 + book] % MODULUS for book in range(books)),
        rows=tuple(first * eta[1 + books + book] % MODULUS for book in range(books)),
        chunks=tuple(scale * power % MODULUS for scale in scales for power in beta_chunks),
        multiplicities=first * alpha[books] % MODULUS,
        accumulator=(second * eta[books] - first * table_factor) % MODULUS,
        table=first * eta[1 + 2 * books] % MODULUS,
        quotient=-first * at.vanishing % MODULUS,
        constant=_constant(shape, values, challenges, at, weights),
    )


def _constant(
    shape: Shape, values: Evaluations, challenges: Challenges, at: PublicValues, weights: tuple[int, int]
) -> int:
    """Scalar of the constant polynomial: the constants of D', and −v, −v' of the openings."""
    books, theta = len(values.rows), challenges.theta
    alpha = powers(challenges.alpha, 3 * books + 1)
    eta = powers(challenges.eta, 2 * books + 2)
    jump = (1 << shape.digit_bits) * (1 - at.last)
    degree_bound = at.vanishing * pow(challenges.zeta, shape.powers - shape.columns, MODULUS) % MODULUS
    beta_all = pow(challenges.beta, shape.slots * books, MODULUS)
    one_share = at.on_columns * beta_all * pow(shape.columns, -1, MODULUS)
    step = values.accumulator - sum(values.inverses) + one_share
    constant = alpha[books] * (theta + values.table) * step - eta[1 + 2 * books] * values.table
    shifted = -eta[books] * values.accumulator
    for book in range(books):
        inverse, digit, row = values.inverses[book], values.digits[book], values.rows[book]
        constant += alpha[book] * (inverse * (theta - jump * digit) - 1)
        constant += (degree_bound * alpha[2 * books + 1 + book] - at.row_quotient * alpha[books + 1 + book]) * row
        constant -= eta[1 + book] * inverse + eta[1 + books + book] * row
        shifted -= eta[book] * digit
    return (weights[0] * constant + weights[1] * shifted) % MODULUS


@dataclass(frozen=True, slots=True)
class Opening:
    """One claim reduced to ``e([W'], [τ − u]_2) = e([L], [1]_2)``.

    Attributes:
        terms: [L] as pairs of a 96-byte encoding and a scalar; the points are not decoded yet.
        generator: scalar of the generator in [L].
        last_opening: [W'], 48 bytes.
        u: the point at which [L] opens to zero.
        last_state: s6, for batches.
    """

    terms: tuple[tuple[bytes, int], ...]
    generator: int
    last_opening: bytes
    u: int
    last_state: bytes


def reduce_to_opening(key: VerifyingKey, statement: Statement, data: bytes) -> Opening | None:
    """Replay the transcript and assemble [L]; ``None`` when a denominator is zero.

    Raises:
        MalformedInputError: wrong length, a scalar that is not canonical.
    """
    proof = decode_proof(data, statement.books)
    replay = replay_transcript(key, statement, proof)
    shape, zeta = key.shape, replay.challenges.zeta
    weights = ((replay.u - shape.omega * zeta) % MODULUS, (replay.u - zeta) % MODULUS)
    scalars = linear_combination(shape, statement.chunks_per_book, proof.values, replay.challenges, weights)
    if scalars is None:
        return None
    encodings = (
        *(*proof.digits, *statement.portfolio_commitments, *proof.inverses, *proof.rows),
        *(point for chunks in statement.matrix_commitments for point in chunks),
        *(proof.multiplicities, proof.accumulator, key.table_commitment, proof.quotient, proof.opening),
    )
    factors = (
        *(*scalars.digits, *scalars.portfolios, *scalars.inverses, *scalars.rows, *scalars.chunks),
        *(scalars.multiplicities, scalars.accumulator, scalars.table, scalars.quotient),
        -weights[0] * weights[1] % MODULUS,
    )
    terms = tuple(zip(encodings, factors, strict=True))
    return Opening(terms, scalars.constant, proof.last_opening, replay.u, replay.last_state)


def verify(key: VerifyingKey, statement: Statement, proof: bytes, backend: Group | None = None) -> bool:
    """Whether ``proof`` shows ``statement``.

    Args:
        key: of shape and setup (:func:`verifier.statement.verifying_key`).
        statement: the public side.
        proof: 384·B + 496 bytes.
        backend: group backend; arkworks when omitted.

    Raises:
        MalformedInputError: the bytes are no encoding of a proof or of points.
    """
    return verify_batch(key, [(statement, proof)], backend)


def verify_batch(key: VerifyingKey, claims: Sequence[tuple[Statement, bytes]], backend: Group | None = None) -> bool:
    """Whether every proof of a batch shows its statement; one pairing equation for all (a batch of one is a proof).

    Points that occur more than once (matrix chunks, [T]) are decoded and multiplied once.

    Raises:
        MalformedInputError: no claim at all, or malformed bytes in one of them.
    """
    chosen = backend or group()
    if not claims:
        raise MalformedInputError("a batch needs at least one claim")
    reduced = [reduce_to_opening(key, statement, proof) for statement, proof in claims]
    openings = [opening for opening in reduced if opening is not None]
    if len(openings) != len(claims):  # a zero denominator rejects
        return False
    weights = batch_weights([opening.last_state for opening in openings])
    last_openings = [chosen.decode_compressed(opening.last_opening) for opening in openings]
    merged: dict[bytes, int] = {}
    generator = 0
    for opening, weight in zip(openings, weights, strict=True):
        generator += weight * opening.generator
        for encoding, scalar in opening.terms:
            merged[encoding] = (merged.get(encoding, 0) + weight * scalar) % MODULUS
    points = [chosen.decode(encoding) for encoding in merged]
    shifts = [weight * opening.u % MODULUS for weight, opening in zip(weights, openings, strict=True)]
    left = chosen.combine(last_openings, weights)
    right = chosen.combine(
        [*points, *last_openings, chosen.generator], [*merged.values(), *shifts, generator % MODULUS]
    )
    # e(P, [τ]_2) = e(Q, [1]_2), with the second pairing brought to the left by its sign.
    negated = chosen.subtract(chosen.combine([], []), right)
    return chosen.pairing_product_is_one([(left, chosen.decode2(key.tau_g2)), (negated, chosen.generator2)])
