"""Zero knowledge, exactly: a proof fits every witness of its commitments, and no blind is one too many."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

import pytest

from prover.argument import argument
from prover.argument import polynomials as poly
from prover.argument.blinds import blind_count, draw_scalars
from prover.argument.witness import build_witness
from tests.support.cases import Case, random_openings, row_labels, scenario_case
from tests.support.equivalence import equivalent_blinds, run_argument, same_commitments
from tests.support.setups import TAU, TINY, known_setup, tiny_key
from verifier.curve import COORDINATE_BYTES
from verifier.portfolio_commitment import commit_portfolio
from verifier.proof_format import decode_proof
from verifier.scalar_field import MODULUS, SCALAR_BYTES
from verifier.verification import verify

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verifier.proof_format import Proof

books_marks = pytest.mark.parametrize("books", [1, 2])
BLINDS: Final = [(books, index) for books in (1, 2) for index in range(blind_count(books))]


@functools.cache
def cases(books: int) -> tuple[Case, Case]:
    """Two different portfolios under the same commitments and the same rule."""
    first = scenario_case(shape=TINY, setup=known_setup(), books=books, rows=6, seed="zero knowledge")
    matrix = first.rule.matrix
    witness = build_witness(matrix, random_openings(TINY, books, "another witness"), row_labels(6))
    second = same_commitments(Case(first.seed, first.setup, first.rule, witness), first)
    return first, second


@books_marks
def test_the_two_witnesses_differ_in_every_book_and_share_commitments(books: int) -> None:
    first, second = cases(books)
    for ours, theirs in zip(first.witness.openings, second.witness.openings, strict=True):
        assert ours.positions != theirs.positions
        assert ours.blind != theirs.blind
    assert first.prove().statement == second.prove().statement
    assert first.prove().proof != second.prove().proof


@books_marks
def test_blinds_of_another_witness_give_the_same_bytes(books: int) -> None:
    first, second = cases(books)
    blinds = equivalent_blinds(run_argument(first, first.blinds), second)
    assert blinds is not None
    assert blinds != first.blinds
    made = second.prove(blinds=blinds)
    assert made == first.prove()
    assert verify(tiny_key(), made.statement, made.proof) is True


@pytest.mark.parametrize(("books", "removed"), BLINDS)
def test_no_blind_can_be_left_out(books: int, removed: int) -> None:
    """Without any one of the 4B + 4 blinds a proof made with one witness fits no other."""
    first, second = cases(books)
    blinds = list(first.blinds)
    blinds[removed] = 0
    assert equivalent_blinds(run_argument(first, blinds), second, without=removed) is None


@books_marks
def test_the_conditions_of_the_bijection_hold(books: int) -> None:
    """ζ outside W, τ ∉ {ζ, ωζ}, α ≠ 0, θ + T(τ) ≠ 0: what the claim excludes did not happen here."""
    first, _ = cases(books)
    finished = run_argument(first, first.blinds)
    assert pow(finished.zeta, TINY.domain_size, MODULUS) != 1
    assert TAU not in (finished.zeta, TINY.omega * finished.zeta % MODULUS)
    assert finished.alpha != 0
    assert (finished.theta + poly.evaluate(finished.tables.table, TAU)) % MODULUS != 0


def test_without_its_blind_a_commitment_gives_the_portfolio_away() -> None:
    first, second = cases(1)
    plain = [
        commit_portfolio(case.witness.openings[0].positions, 0, shape=TINY, setup=case.setup)
        for case in (first, second)
    ]
    assert plain[0] != plain[1]


def hiding_pieces(proof: Proof) -> Iterator[bytes]:
    """Coordinates and scalars of everything that depends on the witness; t_b and T do not."""
    points = (*proof.digits, proof.multiplicities, *proof.inverses, proof.accumulator, proof.quotient, proof.opening)
    for point in points:
        yield point[:COORDINATE_BYTES]
        yield point[COORDINATE_BYTES:]
    yield proof.last_opening
    values = proof.values
    for scalar in (*values.inverses, *values.digits, values.accumulator):
        yield scalar.to_bytes(SCALAR_BYTES, "big")


@books_marks
def test_two_proofs_of_one_witness_share_nothing(books: int) -> None:
    first, _ = cases(books)
    again = functools.partial(argument.prove, setup=first.setup, rule=first.rule, witness=first.witness)
    made = [again(context=first.context), again(context=first.context)]
    assert made[0].statement == made[1].statement
    pieces = [list(hiding_pieces(decode_proof(proof.proof, books))) for proof in made]
    assert len(set(pieces[0] + pieces[1])) == 2 * len(pieces[0])


def test_a_broken_random_source_alone_repeats_no_blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blinds depend on the witness and the statement too: another context or portfolio, other blinds."""
    monkeypatch.setattr(argument, "draw_scalars", functools.partial(draw_scalars, entropy=bytes))
    first, second = cases(1)

    def proof_of(case: Case, context: bytes) -> bytes:
        return argument.prove(setup=case.setup, rule=case.rule, witness=case.witness, context=context).proof

    assert proof_of(first, first.context) == proof_of(first, first.context), "the source is not broken"
    made = [proof_of(first, first.context), proof_of(first, bytes(32)), proof_of(second, first.context)]
    pieces = [piece for proof in made for piece in hiding_pieces(decode_proof(proof, 1))]
    assert len(set(pieces)) == len(pieces)
