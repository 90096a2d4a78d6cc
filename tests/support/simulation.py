"""Proofs simulated with a known τ: [W'] = (τ − u)^(−1)·[L] satisfies the last equation whatever the other points are.

So any bytes can stand at any position, and the proof fails only by what those bytes are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tests.support.deterministic import seeded_context, seeded_scalars
from tests.support.setups import TAU, TINY, tiny_key
from verifier.curve import COMPRESSED_INFINITY, INFINITY, group
from verifier.domain import interpolate_on_domain
from verifier.proof_format import Evaluations, Proof
from verifier.scalar_field import MODULUS, inverse
from verifier.statement import Statement, table_values
from verifier.verification import reduce_to_opening

if TYPE_CHECKING:
    from collections.abc import Mapping

POSITIONS: Final = ("C_0", "M_0", "M_1", "r_0", "m", "A_0", "acc", "t_0", "h", "W")
"""Every uncompressed point of a proof of one book and two chunks."""


@dataclass(frozen=True)
class SimulatedProof:
    """A statement that nobody knows to be true, and a proof of it."""

    statement: Statement
    proof: bytes


def simulate(written: Mapping[str, bytes], *, seed: str = "simulation") -> SimulatedProof:
    """A proof of one book and two chunks under the tiny key.

    Args:
        written: encodings that stand for infinity, by position; every other point is random.
        seed: of the random points and scalars.
    """
    scalars = iter(seeded_scalars(f"points:{seed}", len(POSITIONS)))
    logarithms: dict[bytes, int] = {INFINITY: 0}
    encodings: dict[str, bytes] = {}
    backend = group()
    for position in POSITIONS:
        logarithm = next(scalars)
        honest = backend.encode(backend.combine([backend.generator], [logarithm]))
        encodings[position] = written.get(position, honest)
        logarithms[encodings[position]] = 0 if position in written else logarithm
    statement = Statement(seeded_context(seed), (encodings["C_0"],), ((encodings["M_0"], encodings["M_1"]),))
    unfinished = _unfinished_proof(encodings, seed)
    return SimulatedProof(statement, _finish(statement, unfinished, logarithms))


def _unfinished_proof(encodings: Mapping[str, bytes], seed: str) -> Proof:
    first, second, third, fourth, fifth = seeded_scalars(f"scalars:{seed}", 5)
    return Proof(
        digits=(encodings["r_0"],),
        multiplicities=encodings["m"],
        inverses=(encodings["A_0"],),
        accumulator=encodings["acc"],
        rows=(encodings["t_0"],),
        quotient=encodings["h"],
        opening=encodings["W"],
        last_opening=COMPRESSED_INFINITY,
        values=Evaluations((first,), (second,), third, (fourth,), fifth),
    )


def _finish(statement: Statement, proof: Proof, logarithms: dict[bytes, int]) -> bytes:
    key, backend = tiny_key(), group()
    opening = reduce_to_opening(key, statement, proof.encode())
    if opening is None:
        raise AssertionError("the seed hits a zero denominator: choose another")
    table = interpolate_on_domain(table_values(TINY))
    known = {**logarithms, key.table_commitment: sum(c * pow(TAU, i, MODULUS) for i, c in enumerate(table))}
    total = opening.generator + sum(scalar * known[encoding] for encoding, scalar in opening.terms)
    quotient = total * inverse((TAU - opening.u) % MODULUS) % MODULUS
    last = backend.compress(backend.combine([backend.generator], [quotient]))
    return replace(proof, last_opening=last).encode()
