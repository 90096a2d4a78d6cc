"""Verification of one margin proof or a batch (specification, section 5; twin: contracts/MarginVerifier.sol).

Malformed bytes raise; a well-formed false proof gives ``False``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verifier.curve import group
from verifier.errors import MalformedInputError
from verifier.proof_format import Proof, decode_proof
from verifier.scalar_field import MODULUS, batch_inverse
from verifier.transcript import Transcript, batch_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.curve import Group
    from verifier.shape import Shape
    from verifier.statement import Statement, VerifyingKey


@dataclass(frozen=True, slots=True)
class Challenges:
    """What the transcript squeezes out, and the last state, which batches absorb."""

    theta: int
    beta: int
    alpha: int
    zeta: int
    eta: int
    u: int
    last_state: bytes


def replay_transcript(key: VerifyingKey, statement: Statement, proof: Proof) -> Challenges:
    """The challenges of a finished proof."""
    transcript = Transcript(key, statement)
    theta, beta = transcript.absorb_digits(proof.digit_bytes())
    alpha = transcript.absorb_sums(proof.sum_bytes())
    zeta = transcript.absorb_quotient(proof.quotient)
    eta = transcript.absorb_evaluations(proof.evaluation_bytes())
    u = transcript.absorb_opening(proof.opening)
    return Challenges(theta, beta, alpha, zeta, eta, u, transcript.absorb_last_opening(proof.last_opening))


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
    """[L] as a linear combination of the points of a claim, scalars in [0, r).

    Attributes:
        digits: per [r_b].
        portfolios: per C_b.
        inverses: per [A_b].
        rows: per [t_b].
        chunks: per M̂_{b,g}, book by book.
        multiplicities: of [m].
        accumulator: of [acc].
        table: of [T].
        quotient: of [h].
        opening: of [W].
        generator: of [1].
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
    opening: int
    generator: int


def linear_combination(
    shape: Shape, statement: Statement, proof: Proof, challenges: Challenges
) -> Combination | None:
    """Scalars of [L]: the linearisation D' and the two openings of section 4, step 4.

    ``None`` when a denominator is zero, which rejects the proof.
    """
    at = public_values(shape, challenges.beta, challenges.zeta)
    if at is None:
        return None
    books, slots = statement.books, shape.slots
    theta, beta, zeta = challenges.theta, challenges.beta, challenges.zeta
    alpha = [pow(challenges.alpha, power, MODULUS) for power in range(3 * books + 1)]
    eta = [pow(challenges.eta, power, MODULUS) for power in range(2 * books + 2)]
    beta_chunk = pow(beta, shape.rows_per_chunk, MODULUS)
    beta_book = [pow(beta, slots * book, MODULUS) for book in range(books + 1)]
    first = challenges.u - shape.omega * zeta
    second = challenges.u - zeta
    table = theta + proof.table_value
    sums = alpha[books] * table * at.on_columns

    digits, chunks = [], []
    for book in range(books):
        weight = beta_book[books] * beta * proof.row_values[book] + beta_book[book] * (at.link - at.link_before)
        if book == 0:
            weight += beta_book[books] * at.constant_column
        linear = alpha[book] * proof.inverse_values[book] - sums * weight
        digits.append(first * linear + second * eta[book])
        scale = first * at.row_quotient * alpha[books + 1 + book] % MODULUS
        for _ in range(statement.chunks_per_book):
            chunks.append(scale)
            scale = scale * beta_chunk % MODULUS

    return Combination(
        digits=tuple(value % MODULUS for value in digits),
        portfolios=tuple(first * sums * beta_book[book] * at.link % MODULUS for book in range(books)),
        inverses=tuple(first * eta[1 + book] % MODULUS for book in range(books)),
        rows=tuple(first * eta[1 + books + book] % MODULUS for book in range(books)),
        chunks=tuple(chunks),
        multiplicities=first * alpha[books] % MODULUS,
        accumulator=(second * eta[books] - first * alpha[books] * table) % MODULUS,
        table=first * eta[1 + 2 * books] % MODULUS,
        quotient=-first * at.vanishing % MODULUS,
        opening=-first * second % MODULUS,
        generator=_constant(shape, proof, challenges, at),
    )


def _constant(shape: Shape, proof: Proof, challenges: Challenges, at: PublicValues) -> int:
    """Scalar of the generator: the constants of D', and −v, −v' of the openings."""
    books = proof.books
    theta, zeta = challenges.theta, challenges.zeta
    alpha = [pow(challenges.alpha, power, MODULUS) for power in range(3 * books + 1)]
    eta = [pow(challenges.eta, power, MODULUS) for power in range(2 * books + 2)]
    jump = (1 << shape.digit_bits) * (1 - at.last)
    constant = 0
    for book in range(books):
        constant += alpha[book] * (proof.inverse_values[book] * (theta - jump * proof.digit_values[book]) - 1)
        row = proof.row_values[book]
        constant -= at.row_quotient * alpha[books + 1 + book] * row
        constant += at.vanishing * pow(zeta, shape.powers - shape.columns, MODULUS) * alpha[2 * books + 1 + book] * row
    beta_all = pow(challenges.beta, shape.slots * books, MODULUS)
    one_share = at.on_columns * beta_all * pow(shape.columns, -1, MODULUS)
    step = proof.accumulator_value - sum(proof.inverse_values) + one_share
    constant += alpha[books] * (theta + proof.table_value) * step

    value = eta[1 + 2 * books] * proof.table_value
    shifted_value = eta[books] * proof.accumulator_value
    for book in range(books):
        value += eta[1 + book] * proof.inverse_values[book] + eta[1 + books + book] * proof.row_values[book]
        shifted_value += eta[book] * proof.digit_values[book]
    first = challenges.u - shape.omega * zeta
    second = challenges.u - zeta
    return (first * (constant - value) - second * shifted_value) % MODULUS


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
    challenges = replay_transcript(key, statement, proof)
    combination = linear_combination(key.shape, statement, proof, challenges)
    if combination is None:
        return None
    encodings = (
        *(*proof.digits, *statement.portfolio_commitments, *proof.inverses, *proof.rows),
        *(point for chunks in statement.matrix_commitments for point in chunks),
        *(proof.multiplicities, proof.accumulator, key.table_commitment, proof.quotient, proof.opening),
    )
    scalars = (
        *(*combination.digits, *combination.portfolios, *combination.inverses, *combination.rows),
        *combination.chunks,
        *(combination.multiplicities, combination.accumulator, combination.table),
        *(combination.quotient, combination.opening),
    )
    terms = tuple(zip(encodings, scalars, strict=True))
    return Opening(terms, combination.generator, proof.last_opening, challenges.u, challenges.last_state)


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
    weights = batch_weights([opening.last_state for opening in openings])
    last_openings = [chosen.decode_compressed(opening.last_opening) for opening in openings]
    merged: dict[bytes, int] = {}
    generator = 0
    for opening, weight in zip(openings, weights, strict=True):
        generator += weight * opening.generator
        for encoding, scalar in opening.terms:
            merged[encoding] = (merged.get(encoding, 0) + weight * scalar) % MODULUS
    points = [chosen.decode(encoding) for encoding in merged]
    if len(openings) != len(claims):
        return False
    shifts = [weight * opening.u % MODULUS for weight, opening in zip(weights, openings, strict=True)]
    left = chosen.combine(last_openings, weights)
    right = chosen.combine(
        [*points, *last_openings, chosen.generator], [*merged.values(), *shifts, generator % MODULUS]
    )
    # e(P, [τ]_2) = e(Q, [1]_2), with the second pairing brought to the left by its sign.
    negated = chosen.subtract(chosen.combine([], []), right)
    return chosen.pairing_product_is_one([(left, chosen.decode2(key.tau_g2)), (negated, chosen.generator2)])
