"""The prover's rounds: refusals, and pieces against their definitions."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

import pytest

from prover.argument import argument
from prover.argument import polynomials as poly
from prover.argument.argument import build_proof, prove
from prover.argument.blinds import blind_count, draw_scalars, fresh_blind
from prover.argument.committer import Committer
from prover.argument.round_polynomials import column_sum, digit_polynomial, digit_values, suffix_values
from prover.argument.witness import Witness
from prover.errors import ArgumentError, ColumnRangeError, ProverError
from tests.support.cases import Case, scenario_case
from tests.support.deterministic import seeded_scalars
from tests.support.equivalence import run_argument
from tests.support.falsehoods import (
    broken_link,
    column_beyond_range,
    failing_row,
    filled_mask,
    wrong_constant,
)
from tests.support.setups import TINY, known_setup, tiny_key
from verifier.curve import BACKENDS, group
from verifier.errors import UnsupportedShapeError
from verifier.scalar_field import MODULUS
from verifier.verification import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.forgery import PrivateSide

UNSATISFIED: Final = (broken_link, wrong_constant, filled_mask)
OUT_OF_RANGE: Final = (failing_row, column_beyond_range)


@functools.cache
def case() -> Case:
    """Two books, two chunks."""
    return scenario_case(shape=TINY, setup=known_setup(), books=2, rows=6, seed="argument")


@pytest.mark.parametrize(
    ("falsehood", "error"),
    [*((falsehood, ArgumentError) for falsehood in UNSATISFIED), *((f, ColumnRangeError) for f in OUT_OF_RANGE)],
)
def test_an_honest_prover_refuses_false_statements(
    falsehood: Callable[[Case], PrivateSide], error: type[ProverError]
) -> None:
    side, true = falsehood(case()), case()
    with pytest.raises(error):
        build_proof(
            setup=true.setup,
            rule=true.rule,
            witness=Witness(side.openings, side.columns),
            context=true.context,
            blinds=true.blinds,
        )


def test_proofs_are_verified_before_they_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    made = prove(setup=case().setup, rule=case().rule, witness=case().witness, context=case().context)
    assert verify(tiny_key(), made.statement, made.proof) is True
    monkeypatch.setattr(argument, "verify", lambda *_: False)
    with pytest.raises(ArgumentError, match="does not verify; nothing was returned"):
        prove(setup=case().setup, rule=case().rule, witness=case().witness, context=case().context)


def test_an_excluded_challenge_draws_new_blinds(monkeypatch: pytest.MonkeyPatch) -> None:
    run, attempts = argument.Argument.run, []

    def unlucky(self: argument.Argument, blinds: list[int]) -> bytes:
        attempts.append(tuple(blinds))
        if len(attempts) == 1:
            raise ZeroDivisionError("ζ lies in W")
        return run(self, blinds)

    monkeypatch.setattr(argument.Argument, "run", unlucky)
    made = prove(setup=case().setup, rule=case().rule, witness=case().witness, context=case().context)
    assert verify(tiny_key(), made.statement, made.proof) is True
    assert len(set(attempts)) == 2
    attempts.clear()
    with pytest.raises(ArgumentError, match="give other blinds"):
        case().prove()


@pytest.mark.parametrize("count", [0, 11, 13])
def test_another_number_of_blinds_is_refused(count: int) -> None:
    with pytest.raises(ArgumentError, match=f"2 books need 12 blinds, got {count}"):
        run_argument(case(), [1] * count)


def test_a_setup_of_other_size_is_refused() -> None:
    with pytest.raises(UnsupportedShapeError, match="exactly D = 64 powers"):
        prove(setup=known_setup(128), rule=case().rule, witness=case().witness, context=case().context)


def test_both_backends_prove_the_same_bytes() -> None:
    assert case().prove(backend=group("py_ecc")) == case().prove(backend=group("arkworks"))


def test_blinds_are_uniform_draws_of_entropy_and_secret() -> None:
    assert [blind_count(books) for books in (1, 2, 4)] == [8, 12, 20]
    drawn = draw_scalars(12, b"secret", bytes)
    assert drawn == draw_scalars(12, b"secret", bytes)
    assert len(set(drawn)) == 12
    assert all(0 <= value < MODULUS for value in drawn)
    assert not set(drawn) & set(draw_scalars(12, b"another", bytes))
    assert not set(drawn) & set(draw_scalars(12, b"secret", lambda size: b"\x01" * size))
    assert draw_scalars(3, b"secret") != draw_scalars(3, b"secret")
    assert fresh_blind() != fresh_blind()


def test_sparse_divisions_are_divisions() -> None:
    factor = poly.polynomial(seeded_scalars("quotient", 40))
    vanishing = poly.times_vanishing(factor, 16)
    assert poly.divide_by_vanishing(vanishing, 16, 40) == factor
    point = seeded_scalars("point", 1)[0]
    product = factor * poly.polynomial([-point % MODULUS, 1])
    assert poly.divide_by_point(product, point) == factor
    full = poly.polynomial(seeded_scalars("blocks", 64))
    quotient, rest = poly.divide_by_power_shift(full, block=16, blocks=4, root=point)
    divisor = poly.polynomial([-point % MODULUS, *[0] * 15, 1])
    assert (quotient, rest) == divmod(full, divisor)


def test_stretching_turns_the_argument() -> None:
    value, turn = poly.polynomial(seeded_scalars("stretch", 8)), 12345
    powers = [pow(turn, power, MODULUS) for power in range(8)]
    assert poly.evaluate(poly.stretch(value, powers), 99) == poly.evaluate(value, 99 * turn % MODULUS)


def test_digit_chain() -> None:
    """Suffixes of a column, and the digits that they leave: base 2^5, two digits."""
    columns = [0] * 14 + [37, 1023]
    suffixes = suffix_values(TINY, columns)
    assert suffixes[-4:] == [37, 1, 1023, 31]
    assert digit_values(TINY, suffixes)[-4:] == [5, 1, 31, 31]
    held = poly.interpolate(suffixes)
    shifted = poly.stretch(held, [pow(TINY.omega, power, MODULUS) for power in range(40)])
    digit = digit_polynomial(TINY, held, shifted)
    on_domain = [poly.evaluate(digit, pow(TINY.omega, place, MODULUS)) for place in range(TINY.domain_size)]
    assert on_domain == digit_values(TINY, suffixes)


def test_column_sum_keeps_values_on_columns() -> None:
    value = poly.polynomial(seeded_scalars("columns", 8))
    summed = column_sum(TINY, value)
    for place in range(TINY.domain_size):
        point = pow(TINY.omega, place, MODULUS)
        assert poly.evaluate(summed, point) == (poly.evaluate(value, point) if place % TINY.digits == 0 else 0)


@pytest.mark.parametrize("name", BACKENDS)
def test_every_way_to_commit_gives_the_same_point(name: str) -> None:
    values, blinds = [3, 3, 0, 7] * 8, seeded_scalars("blinding", 3)
    whole = poly.interpolate(values) + poly.times_vanishing(poly.polynomial(blinds), TINY.domain_size)
    with Committer(TINY, known_setup(), group(name)) as committer:
        expected = committer.coefficients(poly.coefficients_of(whole)).encoded()
        assert committer.small_values(values, blinds).encoded() == expected
        assert committer.repeated_values(values, blinds).encoded() == expected
        assert committer.running_sums(values, blinds).encoded() == expected
        assert committer.coefficients([]).encoded() == bytes(96)
        with pytest.raises(OverflowError, match="65 coefficients do not fit 64 powers"):
            committer.coefficients([1] * 65)
