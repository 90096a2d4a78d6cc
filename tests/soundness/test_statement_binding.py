"""A proof shows one statement: any other context, commitment, chunk, shape, key or count is rejected."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.cases import Case, scenario_case
from tests.support.contract_judge import ACCEPTED, REJECTED, ContractJudge
from tests.support.setups import TAU, TINY, known_setup, tiny_key
from verifier.ceremony import insecure_setup
from verifier.curve import group
from verifier.errors import MalformedInputError
from verifier.portfolio_commitment import add_commitments
from verifier.rules.margin_rule import RuleMatrix, matrix_commitments
from verifier.shape import Shape
from verifier.statement import Statement, VerifyingKey, verifying_key
from verifier.verification import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from prover.argument.argument import MarginProof

BOOKS: Final = 2
GENERATOR: Final = group().encode(group().generator)

backends = pytest.mark.parametrize("backend", ["arkworks", "py_ecc"])


@functools.cache
def case() -> Case:
    """Two books of two chunks, all four distinct."""
    return scenario_case(shape=TINY, setup=known_setup(), books=BOOKS, rows=6, seed="statement")


@functools.cache
def proven() -> MarginProof:
    """The honest proof."""
    made = case().prove()
    chunks = [chunk for book in made.statement.matrix_commitments for chunk in book]
    if len(set(chunks)) != len(chunks):
        raise AssertionError("the chunks must be distinct, or reordering them changes nothing")
    return made


def _other_context(statement: Statement) -> Statement:
    return replace(statement, context=bytes([statement.context[0] ^ 1]) + statement.context[1:])


def _with_portfolio(statement: Statement, *points: bytes) -> Statement:
    return replace(statement, portfolio_commitments=points)


def _replaced(statement: Statement) -> Statement:
    _, second = statement.portfolio_commitments
    return _with_portfolio(statement, GENERATOR, second)


def _shifted(statement: Statement) -> Statement:
    first, second = statement.portfolio_commitments
    return _with_portfolio(statement, first, add_commitments(second, GENERATOR))


def _swapped(statement: Statement) -> Statement:
    first, second = statement.portfolio_commitments
    return _with_portfolio(statement, second, first)


def _chunk_replaced(statement: Statement) -> Statement:
    (first, _), second = statement.matrix_commitments
    return replace(statement, matrix_commitments=((first, GENERATOR), second))


def _chunks_reordered(statement: Statement) -> Statement:
    (first, last), second = statement.matrix_commitments
    return replace(statement, matrix_commitments=((last, first), second))


def _books_of_the_matrix_swapped(statement: Statement) -> Statement:
    first, second = statement.matrix_commitments
    return replace(statement, matrix_commitments=(second, first))


def _last_chunk_omitted(statement: Statement) -> Statement:
    return replace(statement, matrix_commitments=tuple(chunks[:1] for chunks in statement.matrix_commitments))


def _empty_chunk_added(statement: Statement) -> Statement:
    return replace(statement, matrix_commitments=tuple((*chunks, bytes(96)) for chunks in statement.matrix_commitments))


def _one_entry_changed(statement: Statement) -> Statement:
    """The rule with one entry one tick larger."""
    entries = case().rule.matrix.entries.copy()
    entries[0, 0, 4] += 1
    return replace(statement, matrix_commitments=matrix_commitments(RuleMatrix(TINY, entries), known_setup()))


MUTATIONS: Final[tuple[Callable[[Statement], Statement], ...]] = (
    _other_context,
    _replaced,
    _shifted,
    _swapped,
    _chunk_replaced,
    _chunks_reordered,
    _books_of_the_matrix_swapped,
    _last_chunk_omitted,
    _empty_chunk_added,
    _one_entry_changed,
)


@backends
def test_the_statement_itself_is_accepted(backend: str) -> None:
    assert verify(tiny_key(), proven().statement, proven().proof, group(backend)) is True


@backends
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__.strip("_").replace("_", " "))
def test_another_statement_is_false(mutation: Callable[[Statement], Statement], backend: str) -> None:
    assert verify(tiny_key(), mutation(proven().statement), proven().proof, group(backend)) is False


def test_contract_rejects_other_statements(tiny_judge: ContractJudge) -> None:
    verdicts = [tiny_judge.verdict(mutation(proven().statement), proven().proof) for mutation in MUTATIONS]
    assert verdicts == [REJECTED] * len(MUTATIONS)
    assert tiny_judge.verdict(proven().statement, proven().proof) == ACCEPTED


def _other_keys() -> dict[str, VerifyingKey]:
    key = tiny_key()
    other_tau = insecure_setup(TAU + 1, TINY.powers)
    other_shape = Shape(columns=16, digits=2, digit_bits=4, powers=64)
    return {
        "another τ": verifying_key(TINY, other_tau),
        "another [τ]_2 alone": replace(key, tau_g2=other_tau.tau_g2),
        "another [T] alone": replace(key, table_commitment=GENERATOR),
        "another digit size": verifying_key(other_shape, known_setup()),
        "other columns": verifying_key(Shape(columns=8, digits=4, digit_bits=5, powers=64), known_setup()),
        "other powers": replace(key, shape=Shape(columns=16, digits=2, digit_bits=5, powers=128)),
    }


@backends
@pytest.mark.parametrize("name", _other_keys())
def test_another_key_is_false(name: str, backend: str) -> None:
    assert verify(_other_keys()[name], proven().statement, proven().proof, group(backend)) is False


@pytest.mark.parametrize("books", [1, 3])
def test_another_number_of_books_is_malformed(books: int) -> None:
    """A statement of other size needs a proof of other length."""
    statement = proven().statement
    changed = Statement(
        statement.context, (statement.portfolio_commitments * 2)[:books], (statement.matrix_commitments * 2)[:books]
    )
    with pytest.raises(MalformedInputError, match=f"a proof of {books} books has"):
        verify(tiny_key(), changed, proven().proof)


def test_contract_refuses_another_number_of_books(tiny_judge: ContractJudge) -> None:
    statement = proven().statement
    fewer = Statement(statement.context, statement.portfolio_commitments[:1], statement.matrix_commitments[:1])
    assert tiny_judge.verdict(fewer, proven().proof) == "MarginVerifierProofLength"


def test_no_book_and_no_chunk_are_malformed() -> None:
    statement = proven().statement
    with pytest.raises(MalformedInputError, match="at least one book"):
        Statement(statement.context, (), ())
    with pytest.raises(MalformedInputError, match="no rows say nothing"):
        replace(statement, matrix_commitments=((), ()))
    with pytest.raises(MalformedInputError, match="same number of chunks"):
        replace(statement, matrix_commitments=(statement.matrix_commitments[0], statement.matrix_commitments[1][:1]))


def test_contract_refuses_no_book_and_no_chunk(tiny_judge: ContractJudge) -> None:
    made = proven()
    points = b"".join(made.statement.portfolio_commitments)
    hint = bytes(80)
    no_book = (made.statement.context, 0, b"", b"", made.proof, hint)
    no_chunk = (made.statement.context, BOOKS, points, b"", made.proof, hint)
    assert tiny_judge.outcome("verify", no_book) == "MarginVerifierBooksOutOfRange"
    assert tiny_judge.outcome("verify", no_chunk) == "MarginVerifierMatrixLength"


def test_the_changed_rule_differs_in_one_chunk() -> None:
    """The last mutation above is as small as it claims to be."""
    statement = proven().statement
    pairs = zip(_one_entry_changed(statement).points(), statement.points(), strict=True)
    assert [left == right for left, right in pairs] == [True] * BOOKS + [False, True, True, True]
