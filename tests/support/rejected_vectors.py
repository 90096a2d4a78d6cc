"""The rejected vectors of this repository: each mutates one accepted vector in one way.

Forged ones come from the cheating prover, which puts the mutation in before the hash and goes on honestly; edited
ones are changes to a finished file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tests.support.accepted_vectors import accepted_case, accepted_public
from tests.support.encodings import off_curve, plus_order_three, shifted_scalars, x_plus_modulus, y_plus_modulus
from tests.support.falsehoods import FALSEHOODS
from tests.support.forgery import (
    Forger,
    Strategy,
    TruncatingForger,
    forge,
    private_side,
    true_statement,
)
from tests.support.vectors import PUBLIC_FIELDS, Fields, enhex, public_fields, unhex
from verifier.curve import INFINITY, group
from verifier.statement import verifying_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.cases import Case
    from tests.support.forgery import PrivateSide
    from verifier.proof_format import Evaluations
    from verifier.statement import Statement

FALSE: Final = "false"
MALFORMED: Final = "MalformedInputError"
UNSUPPORTED: Final = "UnsupportedShapeError"

REJECTED: Final = "MarginVerifierRejected"
INVALID_POINT: Final = "Bls12381InvalidPoint"

SMALL_CASE: Final = "small-one-book"
TWO_BOOKS: Final = "standard-two-books"


@dataclass(frozen=True)
class Expectation:
    """How a vector is rejected.

    Attributes:
        error: what the Python verifier does: the error that it raises, or "false".
        revert: named error of the contract for the accepted vector's shape; ``None`` where none is deployed for it.
        reason: why it is rejected.
    """

    error: str
    revert: str | None
    reason: str


@dataclass(frozen=True)
class RejectedVector:
    """A recipe.

    Attributes:
        mutates: name of the accepted vector.
        expected: how it is rejected.
        make: the mutated public fields.
    """

    mutates: str
    expected: Expectation
    make: Callable[[], Fields]


def rejected_vector(name: str, recipe: RejectedVector) -> Fields:
    """All fields of a rejected vector; ``undo`` holds the accepted values of what was changed."""
    accepted, mutated = accepted_public(recipe.mutates), recipe.make()
    undo = {field: accepted[field] for field in PUBLIC_FIELDS if mutated[field] != accepted[field]}
    return {
        "name": name,
        "mutates": recipe.mutates,
        "expected_error": recipe.expected.error,
        "expected_revert": recipe.expected.revert,
        "reason": recipe.expected.reason,
        **mutated,
        "undo": undo,
    }


def _forged(
    *,
    side: Callable[[Case], PrivateSide] | None = None,
    strategy: Strategy = Strategy.DROP_REMAINDERS,
    forger: type[Forger] = Forger,
    tampering: dict[str, Callable[[bytes], bytes]] | None = None,
    statement: Callable[[Statement], Statement] | None = None,
    scalars: type[Evaluations] | None = None,
) -> Fields:
    case = accepted_case(SMALL_CASE)
    honest = true_statement(case, private_side(case))
    made = forge(
        case,
        key=verifying_key(case.shape, case.setup),
        side=side(case) if side else None,
        strategy=strategy,
        forger=forger,
        statement=statement(honest) if statement else None,
        tampering=tampering,
        scalars=scalars,
    )
    return public_fields(case.shape, made.statement, made.proof)


def _edited(name: str, edit: Callable[[Fields], None]) -> Fields:
    fields = accepted_public(name)
    edit(fields)
    return fields


def _false_statements() -> dict[str, RejectedVector]:
    """Each falsehood by two strategies, so that every strategy occurs."""
    strategies = [strategy for strategy in Strategy if strategy is not Strategy.RAISE_DEGREE]
    recipes = {}
    for index, falsehood in enumerate(FALSEHOODS):
        what = falsehood.__name__.replace("_", " ")
        for strategy in (strategies[index % len(strategies)], Strategy.SPOIL_ROWS):
            expected = Expectation(FALSE, REJECTED, f"{what}; the forger's way out: {strategy}")
            name = f"false-{falsehood.__name__}-{strategy.name.lower()}".replace("_", "-")
            recipes[name] = RejectedVector(SMALL_CASE, expected, _forgery(falsehood, strategy, Forger))
    cut = Expectation(FALSE, REJECTED, "t_b + c(X^R − β) closes acc; h has degree D and was cut to D coefficients")
    recipes["degree-forgery-cut"] = RejectedVector(
        SMALL_CASE, cut, _forgery(FALSEHOODS[0], Strategy.RAISE_DEGREE, TruncatingForger)
    )
    return recipes


def _forgery(
    falsehood: Callable[[Case], PrivateSide], strategy: Strategy, forger: type[Forger]
) -> Callable[[], Fields]:
    return lambda: _forged(side=falsehood, strategy=strategy, forger=forger)


def _changed_portfolio(change: Callable[[bytes], bytes]) -> Callable[[Statement], Statement]:
    return lambda statement: replace(
        statement, portfolio_commitments=tuple(map(change, statement.portfolio_commitments))
    )


def _changed_matrix(change: Callable[[bytes], bytes]) -> Callable[[Statement], Statement]:
    return lambda statement: replace(
        statement, matrix_commitments=tuple(tuple(map(change, chunks)) for chunks in statement.matrix_commitments)
    )


def _encodings() -> dict[str, RejectedVector]:
    order_three = Expectation(MALFORMED, INVALID_POINT, "an honest point plus (0, 2), which has order 3; hashed so")
    above = Expectation(MALFORMED, INVALID_POINT, "a coordinate plus p; hashed so")
    off = Expectation(MALFORMED, INVALID_POINT, "y is one away from the curve; hashed so")
    scalar = Expectation(MALFORMED, "ScalarFieldNotCanonical", "a scalar plus r; hashed so")
    recipes = {
        "order-three-portfolio": RejectedVector(
            SMALL_CASE, order_three, lambda: _forged(statement=_changed_portfolio(plus_order_three))
        ),
        "order-three-matrix": RejectedVector(
            SMALL_CASE, order_three, lambda: _forged(statement=_changed_matrix(plus_order_three))
        ),
        "x-plus-p-portfolio": RejectedVector(
            SMALL_CASE, above, lambda: _forged(statement=_changed_portfolio(x_plus_modulus))
        ),
        "off-curve-matrix": RejectedVector(SMALL_CASE, off, lambda: _forged(statement=_changed_matrix(off_curve))),
    }
    changes = (
        ("order-three", plus_order_three, order_three),
        ("y-plus-p", y_plus_modulus, above),
        ("off-curve", off_curve, off),
    )
    positions = {"r_0": "digits", "acc": "accumulator", "t_0": "rows", "W": "opening"}
    for name, change, expected in changes:
        for position, what in positions.items():
            recipes[f"{name}-{what}"] = RejectedVector(SMALL_CASE, expected, _tampered(position, change))
    for index, what in ((0, "inverse"), (4, "table")):
        recipes[f"scalar-plus-r-{what}"] = RejectedVector(SMALL_CASE, scalar, _with_scalars(shifted_scalars(index)))
    return recipes


def _tampered(position: str, change: Callable[[bytes], bytes]) -> Callable[[], Fields]:
    return lambda: _forged(tampering={position: change})


def _with_scalars(scalars: type[Evaluations]) -> Callable[[], Fields]:
    return lambda: _forged(scalars=scalars)


def _edit(name: str, expected: Expectation, edit: Callable[[Fields], None]) -> RejectedVector:
    return RejectedVector(name, expected, lambda: _edited(name, edit))


def _proof_edit(change: Callable[[bytes], bytes]) -> Callable[[Fields], None]:
    return lambda fields: fields.update(proof=enhex(change(unhex(fields["proof"]))))


def _last_opening_flag(bits: int) -> Callable[[Fields], None]:
    at = 7 * 96  # one book: r, m, A, acc, t, h, W come first
    return _proof_edit(lambda proof: proof[:at] + bytes([proof[at] ^ bits]) + proof[at + 1 :])


def _false(reason: str) -> Expectation:
    return Expectation(FALSE, REJECTED, reason)


def _statements() -> dict[str, RejectedVector]:
    generator = enhex(group().encode(group().generator))
    return {
        "other-context": _edit(
            SMALL_CASE, _false("the proof is bound to another context"), lambda f: f.update(context=enhex(bytes(32)))
        ),
        "portfolio-replaced": _edit(
            SMALL_CASE, _false("another portfolio"), lambda f: f.update(portfolio_commitments=[generator])
        ),
        "portfolio-swapped": _edit(
            TWO_BOOKS, _false("portfolios of two books swapped"), lambda f: f["portfolio_commitments"].reverse()
        ),
        "chunk-replaced": _edit(
            SMALL_CASE, _false("another rule"), lambda f: f.update(matrix_commitments=[[generator]])
        ),
        "chunks-reordered": _edit(
            TWO_BOOKS, _false("chunks of a book swapped"), lambda f: f["matrix_commitments"][0].reverse()
        ),
        "chunk-omitted": _edit(TWO_BOOKS, _false("the last chunk of every book is missing"), _omit_chunks),
        "no-chunk": _edit(
            SMALL_CASE,
            Expectation(MALFORMED, "MarginVerifierMatrixLength", "no rows say nothing"),
            lambda f: f.update(matrix_commitments=[[]], chunks_per_book=0),
        ),
        "no-book": _edit(
            SMALL_CASE,
            Expectation(MALFORMED, "MarginVerifierBooksOutOfRange", "no book at all"),
            lambda f: f.update(matrix_commitments=[], portfolio_commitments=[], books=0, chunks_per_book=0),
        ),
        "book-omitted": _edit(
            TWO_BOOKS, Expectation(MALFORMED, "MarginVerifierProofLength", "one book of two is missing"), _omit_book
        ),
        "other-digit-size": _edit(
            SMALL_CASE, Expectation(FALSE, None, "another shape, so another key"), lambda f: f["shape"].update(d=9)
        ),
        "columns-not-a-power-of-two": _edit(
            SMALL_CASE, Expectation(UNSUPPORTED, None, "R must be a power of two"), lambda f: f["shape"].update(R=255)
        ),
        "more-powers-than-the-ceremony": _edit(
            SMALL_CASE, Expectation(UNSUPPORTED, None, "no such setup"), lambda f: f["shape"].update(D=8192)
        ),
    }


def _omit_chunks(fields: Fields) -> None:
    for chunks in fields["matrix_commitments"]:
        chunks.pop()
    fields["chunks_per_book"] -= 1


def _omit_book(fields: Fields) -> None:
    fields["matrix_commitments"].pop()
    fields["portfolio_commitments"].pop()
    fields["books"] -= 1


def _smoke() -> dict[str, RejectedVector]:
    length = Expectation(MALFORMED, "MarginVerifierProofLength", "the proof is cut off or padded")
    false = Expectation(FALSE, REJECTED, "another point in the proof")
    flag = Expectation(MALFORMED, REJECTED, "a flag of the last opening is wrong")
    infinity_table = Expectation(MALFORMED, INVALID_POINT, "infinity with the flag of the compressed form")
    return {
        "truncated": _edit(SMALL_CASE, length, _proof_edit(lambda proof: proof[:-1])),
        "padded": _edit(SMALL_CASE, length, _proof_edit(lambda proof: proof + b"\0")),
        "empty-proof": _edit(SMALL_CASE, length, lambda f: f.update(proof="0x")),
        "infinity-quotient": _edit(SMALL_CASE, false, _proof_edit(lambda proof: proof[:480] + INFINITY + proof[576:])),
        "flagged-infinity": _edit(
            SMALL_CASE, infinity_table, _proof_edit(lambda proof: proof[:480] + b"\x40" + bytes(95) + proof[576:])
        ),
        "last-opening-uncompressed-flag": _edit(SMALL_CASE, flag, _last_opening_flag(0x80)),
        "last-opening-infinity-flag": _edit(SMALL_CASE, flag, _last_opening_flag(0x40)),
        "last-opening-other-sign": _edit(
            SMALL_CASE, Expectation(FALSE, REJECTED, "the negation of the last opening"), _last_opening_flag(0x20)
        ),
    }


def rejected_recipes() -> dict[str, RejectedVector]:
    """All of them, by name."""
    return {**_false_statements(), **_encodings(), **_statements(), **_smoke()}
