"""The prover of exits: knowledge of the blinds of an account that holds nothing but collateral tokens.

Positions and blinds are secrets; errors name books, never holdings. The nonce is as secret as the blinds: two responses
with one nonce give them away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prover.argument.blinds import draw_scalars
from prover.errors import ArgumentError
from verifier.commitment_basis import blinding_point
from verifier.curve import group
from verifier.exit_proof import HOLDING_LIMIT, ExitProof, ExitStatement, verify_exit
from verifier.portfolio_commitment import commit_portfolio
from verifier.scalar_field import MODULUS, powers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prover.argument.witness import BookOpening
    from verifier.ceremony import TrustedSetup
    from verifier.curve import Group
    from verifier.shape import Shape

NONCE_LABEL: Final = b"zkmargin-exit-nonce-v1"


@dataclass(frozen=True, slots=True)
class ProvenExit:
    """A statement and the bytes that show it; nothing in here is secret once the account leaves."""

    statement: ExitStatement
    proof: bytes


def prove_exit(
    openings: Sequence[BookOpening],
    *,
    slots: Sequence[int],
    context: bytes,
    shape: Shape,
    setup: TrustedSetup,
    backend: Group | None = None,
) -> ProvenExit:
    """Prove that an account holds nothing but tokens; the proof is verified before it leaves.

    Args:
        openings: of all books of the account, that of book 0 first.
        slots: of the tokens, in the vault's order.
        context: 32 bytes that bind the proof to its use.
        shape: gives N.
        setup: powers of τ.
        backend: group backend; arkworks when omitted.

    Raises:
        ArgumentError: a book holds something else, a token is owed, or the finished proof does not verify.
    """
    statement = exit_statement(openings, slots=slots, context=context, shape=shape, setup=setup, backend=backend)
    secret = NONCE_LABEL + repr([(opening.positions, opening.blind) for opening in openings]).encode()
    drawn = draw_scalars(1, secret + repr(statement).encode())[0]
    proof = respond(
        statement, [opening.blind for opening in openings], drawn, shape=shape, setup=setup, backend=backend
    )
    if not verify_exit(statement, proof, shape=shape, setup=setup, backend=backend):
        raise ArgumentError("the finished exit proof does not verify; nothing was returned. Please report this")
    return ProvenExit(statement, proof)


def exit_statement(
    openings: Sequence[BookOpening],
    *,
    slots: Sequence[int],
    context: bytes,
    shape: Shape,
    setup: TrustedSetup,
    backend: Group | None = None,
) -> ExitStatement:
    """What an account that holds nothing but tokens has to show.

    Raises:
        ArgumentError: a book holds something else, or a token is owed.
    """
    if not openings:
        raise ArgumentError("an account has at least book 0: open it by a deposit first")
    for book, opening in enumerate(openings):
        tokens = set(slots) if book == 0 else set()
        if any(lots for slot, lots in enumerate(opening.positions) if slot not in tokens):
            raise ArgumentError(f"book {book} still holds positions: close them, an exit shows that there are none")
    holdings = tuple(openings[0].positions[slot] for slot in slots)
    if not all(0 <= ticks < HOLDING_LIMIT for ticks in holdings):
        raise ArgumentError("the account owes a token: deposit what is missing, then exit")
    commitments = tuple(
        commit_portfolio(opening.positions, opening.blind, shape=shape, setup=setup, backend=backend)
        for opening in openings
    )
    return ExitStatement(context, commitments, tuple(slots), holdings)


def respond(
    statement: ExitStatement,
    blinds: Sequence[int],
    nonce: int,
    *,
    shape: Shape,
    setup: TrustedSetup,
    backend: Group | None = None,
) -> bytes:
    """The proof with a given nonce, not yet verified.

    Args:
        statement: what is claimed.
        blinds: ρ_b of its commitments.
        nonce: k, uniform in [0, r) and used once.
        shape: gives N.
        setup: powers of τ.
        backend: group backend; arkworks when omitted.

    Returns:
        128 bytes.
    """
    chosen = backend or group()
    base = chosen.decode_unchecked(blinding_point(setup, shape.slots))
    point = chosen.encode(chosen.combine([base], [nonce]))
    books_challenge, challenge = statement.challenges(point)
    total = sum(w * blind for w, blind in zip(powers(books_challenge, len(blinds)), blinds, strict=True))
    return ExitProof(point, (nonce + challenge * total) % MODULUS).encode()
