"""Exit proofs: what holds nothing but public amounts passes, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from prover.argument import exit_prover
from prover.argument.exit_prover import exit_statement, prove_exit, respond
from prover.argument.witness import BookOpening
from prover.errors import ArgumentError
from tests.support.deterministic import seeded_context, seeded_scalars
from tests.support.encodings import BAD_POINTS, OTHER_INFINITIES
from tests.support.setups import TINY, known_setup
from verifier.curve import BACKENDS, INFINITY, POINT_BYTES, group
from verifier.errors import MalformedInputError
from verifier.exit_proof import (
    EXIT_PROOF_BYTES,
    HOLDING_LIMIT,
    ExitStatement,
    decode_exit_proof,
    verify_exit,
)
from verifier.portfolio_commitment import commit_portfolio
from verifier.scalar_field import MODULUS, SCALAR_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from prover.argument.exit_prover import ProvenExit

SLOTS: Final = (0, 2)
CONTEXT: Final = seeded_context("exit")
BLINDS: Final = tuple(seeded_scalars("exit blinds", 3))
HELD: Final = ((250, 0, 7, 0), (0, 0, 0, 0), (0, 0, 0, 0))


def openings(positions: tuple[tuple[int, ...], ...] = HELD) -> tuple[BookOpening, ...]:
    """Three books: two tokens in the first, nothing but blinds in the others."""
    return tuple(BookOpening(lots, blind) for lots, blind in zip(positions, BLINDS, strict=True))


def commitment(lots: tuple[int, ...], blind: int) -> bytes:
    return commit_portfolio(lots, blind, shape=TINY, setup=known_setup())


def prove(books: tuple[BookOpening, ...]) -> ProvenExit:
    return prove_exit(books, slots=SLOTS, context=CONTEXT, shape=TINY, setup=known_setup())


def accepts(statement: ExitStatement, proof: bytes) -> bool:
    return verify_exit(statement, proof, shape=TINY, setup=known_setup())


def cheat(statement: ExitStatement) -> bytes:
    """What a prover who knows all blinds can make of a false statement."""
    return respond(statement, BLINDS, seeded_scalars("cheat", 1)[0], shape=TINY, setup=known_setup())


@pytest.fixture(scope="module")
def proven() -> ProvenExit:
    return prove(openings())


@pytest.mark.parametrize("name", BACKENDS)
def test_both_backends_prove_and_accept(name: str, proven: ProvenExit) -> None:
    backend = group(name)
    statement = exit_statement(
        openings(), slots=SLOTS, context=CONTEXT, shape=TINY, setup=known_setup(), backend=backend
    )
    assert statement == proven.statement
    assert statement.holdings == (250, 7)
    made = respond(statement, BLINDS, 5, shape=TINY, setup=known_setup(), backend=backend)
    for proof in (proven.proof, made):
        assert verify_exit(statement, proof, shape=TINY, setup=known_setup(), backend=backend)


def test_an_account_without_blinds_and_tokens_leaves_too() -> None:
    made = prove((BookOpening((0, 0, 0, 0), 0),))
    assert made.statement.commitments == (INFINITY,)
    assert accepts(made.statement, made.proof)


def test_bytes_are_those_of_the_parts(proven: ProvenExit) -> None:
    parts = decode_exit_proof(proven.proof)
    assert parts.encode() == proven.proof
    assert len(proven.proof) == EXIT_PROOF_BYTES == POINT_BYTES + SCALAR_BYTES


def test_every_proof_has_a_nonce_of_its_own(proven: ProvenExit) -> None:
    again = prove(openings())
    assert again.statement == proven.statement
    assert decode_exit_proof(again.proof).nonce != decode_exit_proof(proven.proof).nonce


def test_the_nonce_hides_blinds_even_when_the_generator_is_weak(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same bytes from the operating system, another context or another blind still draws another nonce."""
    drawn = []

    def record(count: int, secret: bytes) -> list[int]:
        drawn.append(secret)
        return seeded_scalars(secret.hex(), count)

    monkeypatch.setattr(exit_prover, "draw_scalars", record)
    first = prove(openings())
    other_context = prove_exit(
        openings(), slots=SLOTS, context=seeded_context("other"), shape=TINY, setup=known_setup()
    )
    books = openings()
    other_blind = prove((*books[:2], BookOpening(HELD[2], BLINDS[2] + 1)))
    assert len(set(drawn)) == 3
    assert len({decode_exit_proof(made.proof).nonce for made in (first, other_context, other_blind)}) == 3


FALSE_STATEMENTS: Final[dict[str, Callable[[ExitStatement], ExitStatement]]] = {
    "one tick more": lambda s: replace(s, holdings=(251, 7)),
    "one tick less": lambda s: replace(s, holdings=(249, 7)),
    "amounts exchanged": lambda s: replace(s, holdings=(7, 250)),
    "another slot": lambda s: replace(s, slots=(0, 3)),
    "a token left out": lambda s: replace(s, slots=(0,), holdings=(250,)),
    "a position beside the tokens": lambda s: replace(
        s, commitments=(commitment((250, 1, 7, 0), BLINDS[0]), *s.commitments[1:])
    ),
    "a position in another book": lambda s: replace(
        s, commitments=(*s.commitments[:2], commitment((0, 0, 0, -1), BLINDS[2]))
    ),
    "tokens in another book": lambda s: replace(
        s,
        commitments=(
            commitment((0, 0, 0, 0), BLINDS[0]),
            commitment((250, 0, 7, 0), BLINDS[1]),
            s.commitments[2],
        ),
    ),
    "positions that cancel across books": lambda s: replace(
        s,
        commitments=(
            s.commitments[0],
            commitment((0, 9, 0, 0), BLINDS[1]),
            commitment((0, -9, 0, 0), BLINDS[2]),
        ),
    ),
}


@pytest.mark.parametrize("name", FALSE_STATEMENTS)
def test_false_statements_are_refused(name: str, proven: ProvenExit) -> None:
    """By the honest proof, and by one made for the false statement with all blinds known."""
    false = FALSE_STATEMENTS[name](proven.statement)
    assert not accepts(false, proven.proof)
    assert not accepts(false, cheat(false))
    assert accepts(proven.statement, cheat(proven.statement))


def test_other_uses_are_refused(proven: ProvenExit) -> None:
    """A replay under another context, for fewer books or books in another order."""
    statement = proven.statement
    points = statement.commitments
    for other in (
        replace(statement, context=seeded_context("other")),
        replace(statement, commitments=points[:2]),
        replace(statement, commitments=(points[0], points[2], points[1])),
        replace(statement, commitments=(*points, INFINITY)),
    ):
        assert not accepts(other, proven.proof)


def test_parts_cannot_move_between_statement_and_amounts(proven: ProvenExit) -> None:
    """The counts are hashed: three words of amounts are no point of 96 bytes."""
    statement = ExitStatement(CONTEXT, (INFINITY, INFINITY), (), ())
    same_bytes = ExitStatement(CONTEXT, (INFINITY,), (0,), (0,))
    assert statement.challenges(INFINITY) != same_bytes.challenges(INFINITY[:64])
    assert proven.statement.challenges(INFINITY)[0] != proven.statement.challenges(INFINITY)[1]


def test_bent_proofs_are_refused(proven: ProvenExit) -> None:
    parts = decode_exit_proof(proven.proof)
    assert not accepts(proven.statement, replace(parts, response=(parts.response + 1) % MODULUS).encode())
    assert not accepts(proven.statement, replace(parts, nonce=INFINITY).encode())
    bent = proven.proof[:POINT_BYTES] + (parts.response + MODULUS).to_bytes(SCALAR_BYTES, "big")
    with pytest.raises(MalformedInputError, match="not canonical"):
        accepts(proven.statement, bent)
    for length in (EXIT_PROOF_BYTES - 1, EXIT_PROOF_BYTES + 1, 0):
        with pytest.raises(MalformedInputError, match=f"{EXIT_PROOF_BYTES} bytes, got {length}"):
            decode_exit_proof((proven.proof + b"\x00")[:length])


@pytest.mark.parametrize("kind", BAD_POINTS)
def test_bad_points_are_refused(kind: str, proven: ProvenExit) -> None:
    statement, bend = proven.statement, BAD_POINTS[kind]
    with pytest.raises(MalformedInputError, match="point 0x"):
        accepts(statement, bend(proven.proof[:POINT_BYTES]) + proven.proof[POINT_BYTES:])
    for book in range(len(statement.commitments)):
        points = list(statement.commitments)
        points[book] = bend(points[book])
        with pytest.raises(MalformedInputError, match="point 0x"):
            accepts(replace(statement, commitments=tuple(points)), proven.proof)


@pytest.mark.parametrize("kind", OTHER_INFINITIES)
def test_there_is_one_infinity(kind: str, proven: ProvenExit) -> None:
    with pytest.raises(MalformedInputError, match="point 0x"):
        accepts(proven.statement, OTHER_INFINITIES[kind] + proven.proof[POINT_BYTES:])


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("context", bytes(31), "a context has 32 bytes, got 31"),
        ("commitments", (), "at least one commitment"),
        ("commitments", (bytes(95),), "a point has 96 bytes, got 95"),
        ("holdings", (1,), "1 amounts for 2 slots"),
        ("holdings", (1, -1), "slot 2: -1 ticks"),
        ("holdings", (1, HOLDING_LIMIT), "slot 2"),
    ],
)
def test_malformed_statements_are_refused(field: str, value: object, message: str, proven: ProvenExit) -> None:
    with pytest.raises(MalformedInputError, match=message):
        replace(proven.statement, **{field: value})  # type: ignore[arg-type]  # one field of any type


@pytest.mark.parametrize("slot", [-1, TINY.slots])
def test_slots_that_do_not_exist_are_refused(slot: int, proven: ProvenExit) -> None:
    with pytest.raises(MalformedInputError, match=f"slot {slot} does not exist"):
        accepts(replace(proven.statement, slots=(0, slot)), proven.proof)


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        (((250, 0, 7, 33), HELD[1], HELD[2]), "book 0 still holds positions"),
        ((HELD[0], (0, 33, 0, 0), HELD[2]), "book 1 still holds positions"),
        ((HELD[0], HELD[1], (33, 0, 0, 0)), "book 2 still holds positions"),
        (((250, 0, -33, 0), HELD[1], HELD[2]), "owes a token"),
    ],
)
def test_the_prover_names_books_and_never_holdings(positions: tuple[tuple[int, ...], ...], message: str) -> None:
    with pytest.raises(ArgumentError, match=message) as caught:
        prove(openings(positions))
    assert "33" not in str(caught.value)
    with pytest.raises(ArgumentError, match="open it by a deposit"):
        prove(())


def test_what_does_not_verify_does_not_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = exit_prover.respond

    def slip(statement: ExitStatement, blinds: list[int], *rest: int, **options: object) -> bytes:
        return honest(statement, [blinds[0] + 1, *blinds[1:]], *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(exit_prover, "respond", slip)
    with pytest.raises(ArgumentError, match="nothing was returned"):
        prove(openings())
