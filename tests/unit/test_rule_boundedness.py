"""Free rays through auxiliaries and boxes, and the least cash of an empty portfolio."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from tests.support.cases import scenario_matrix
from tests.support.setups import TINY
from verifier.errors import MatrixError
from verifier.rules.margin_rule import RuleMatrix
from verifier.rules.rule_audit import require_sound
from verifier.rules.rule_boundedness import audit_boundedness, least_cash, require_bounded
from verifier.shape import SMALL, STANDARD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from verifier.shape import Shape

CASH, CONSTANT = 0, 2
FIRST, SECOND, THIRD = 3, 6, 7
"""Free columns of book 0; headrooms stand in book 1."""

EQUITY: Final = {CASH: 1, CASH + 1: -1}
POSITION: Final = {4: 1, 5: -1}


def rule(
    *rows: Mapping[int, int], equalities: Sequence[Mapping[int, int]] = (), shape: Shape = TINY, scale: int = 1
) -> RuleMatrix:
    """Inequalities with a headroom each, then equalities; entries by column of book 0."""
    entries = np.zeros((len(rows) + len(equalities), 2, shape.columns), dtype=np.int64)
    for index, row in enumerate((*rows, *equalities)):
        for column, entry in row.items():
            entries[index, 0, column] = entry * scale
        if index < len(rows):
            entries[index, 1, 4 * (index // 2) + 2 + index % 2] = -1
    return RuleMatrix(shape, entries)


def rows_with_findings(matrix: RuleMatrix, limits: Sequence[int] = ()) -> list[int]:
    return [finding.row for finding in audit_boundedness(matrix, limits)]


def loss(multiple: int) -> dict[int, int]:
    """Equity and a scenario in which the position loses."""
    return {**EQUITY, 4: 100 - multiple, 5: multiple - 100}


def test_scenarios_alone_need_no_cash() -> None:
    matrix = rule(loss(0), loss(30), loss(-30))
    assert rows_with_findings(matrix) == []
    assert least_cash(matrix) == 0
    require_bounded(scenario_matrix(SMALL, books=2, rows=20, generator=random.Random("sound")))


def test_an_auxiliary_that_costs_is_sound() -> None:
    """A ≥ loss under the basis, equity − a ≥ 0."""
    matrix = rule({FIRST: 1, 4: 5, 5: -5}, loss(0), {**loss(30), FIRST: -1})
    assert rows_with_findings(matrix) == []
    assert least_cash(matrix) == 0


def test_expected_shortfall_is_sound() -> None:
    """u_s ≥ L_s − z with a z of either sign, and z + Σ u_s/((1 − α)n) as the charge: n = 4, α = ¾."""
    shape, above, below = SMALL, FIRST, SECOND
    shortfalls = (7, 10, 11, 14)
    days = [
        {column: 1, above: 1, below: -1, 4: move, 5: -move}
        for column, move in zip(shortfalls, (90, -120, 40, -10), strict=True)
    ]
    charge = {**loss(0), above: -1, below: 1, **dict.fromkeys(shortfalls, -1)}
    matrix = rule(loss(0), *days, charge, shape=shape)
    assert rows_with_findings(matrix) == []
    assert least_cash(matrix) == 0


def test_expected_shortfall_below_the_mean_is_a_ray() -> None:
    """With Σ u_s/((1 − α)n) cheaper than z, lowering z pays: a confidence below zero."""
    days = [{column: 2, FIRST: -2, 4: move, 5: -move} for column, move in ((10, 90), (11, -120))]
    matrix = rule(loss(0), *days, {**loss(0), FIRST: 3, 10: -1, 11: -1})
    assert rows_with_findings(matrix) == [3]


def test_spread_credit_with_its_definition_is_sound() -> None:
    """a⁺ − a⁻ = x, charge 4(a⁺ + a⁻) − 3s, s ≤ a⁺."""
    charge = {**loss(0), FIRST: -4, SECOND: -4, THIRD: 3}
    definition = {FIRST: 1, SECOND: -1, 4: -1, 5: 1}
    matrix = rule(loss(0), charge, {FIRST: 1, THIRD: -1}, equalities=[definition])
    assert rows_with_findings(matrix) == []
    assert least_cash(matrix) == 0


def test_spread_credit_that_outweighs_its_charge_is_a_ray() -> None:
    """a⁺ = a⁻ = s = 1 without a position: charge 2·4 less credit 9."""
    charge = {**loss(0), FIRST: -4, SECOND: -4, THIRD: 9}
    definition = {FIRST: 1, SECOND: -1, 4: -1, 5: 1}
    matrix = rule(loss(0), charge, {FIRST: 1, THIRD: -1}, equalities=[definition])
    assert rows_with_findings(matrix) == [1]


def test_spread_credit_bounded_by_the_long_leg_alone_is_a_ray() -> None:
    """S ≤ long leg: a box raises it. The matrix has no free box row by row where the long leg is charged."""
    matrix = rule({4: 1, THIRD: -1}, {**loss(0), 4: 97, THIRD: 5})
    assert rows_with_findings(matrix) == [1]
    assert "both legs of slot 1 of book 0" in audit_boundedness(matrix)[0].message


def test_an_auxiliary_without_a_definition_is_a_ray() -> None:
    matrix = rule(loss(0), {**loss(30), FIRST: 1})
    require_sound(matrix)
    assert rows_with_findings(matrix) == [1]
    with pytest.raises(MatrixError, match=r"row 1: a free ray through column 3 of book 0 .* Give every auxiliary"):
        require_bounded(matrix)


def test_a_ray_past_every_row_pays_any_sum() -> None:
    matrix = rule({**loss(0), FIRST: 1}, {**loss(30), FIRST: 1})
    assert rows_with_findings(matrix) == [0, 1]
    assert least_cash(matrix) == float("-inf")


def test_a_ray_of_one_among_entries_of_two_to_the_61() -> None:
    """Legs cancel exactly; what is left is small beside them."""
    large = {CASH: 1 << 61, CASH + 1: -(1 << 61), 4: 1 << 61, 5: -(1 << 61)}
    assert rows_with_findings(rule(large, {**large, FIRST: 1})) == [1]
    assert rows_with_findings(rule(large, {**large, FIRST: -1})) == []
    assert rows_with_findings(rule(large, {**large, 4: (1 << 61) + 1, FIRST: -1})) == [1]


def test_units_of_very_different_size() -> None:
    """An auxiliary in lots beside one in ticks: a lot is worth 10^9 ticks, and its charge is 10^3 ticks too small."""
    lot = 1_000_000_000
    definition = {FIRST: lot, SECOND: -1}
    costs = {**loss(0), FIRST: -lot, SECOND: 1}
    assert rows_with_findings(rule(loss(0), definition, costs)) == []
    pays = {**loss(0), FIRST: -lot + 1_000, SECOND: 1}
    assert rows_with_findings(rule(loss(0), definition, pays)) == [2]


def test_limits_are_protected_when_they_are_named() -> None:
    """|net delta| ≤ a and a ≤ limit; a second auxiliary makes the limit void."""
    bounds = [{FIRST: 1, **POSITION}, {FIRST: 1, 4: -1, 5: 1}]
    sound = rule(loss(0), *bounds, {FIRST: -1, CONSTANT: 50})
    void = rule(loss(0), *bounds, {FIRST: -1, SECOND: 1, CONSTANT: 50})
    assert rows_with_findings(sound, limits=[3]) == []
    assert rows_with_findings(void) == []
    assert rows_with_findings(void, limits=[3]) == [3]


def test_constants_that_demand_are_the_least_cash() -> None:
    matrix = rule(loss(0), {**loss(30), CONSTANT: -500})
    assert rows_with_findings(matrix) == []
    assert least_cash(matrix) == pytest.approx(500)


def test_constants_that_pay_are_a_finding() -> None:
    matrix = rule({**loss(0), CONSTANT: 700}, {**loss(30), CONSTANT: 500})
    assert least_cash(matrix) == pytest.approx(-500)
    assert "an empty portfolio may owe 500 ticks" in audit_boundedness(matrix)[0].message


def test_a_rule_that_nobody_meets_is_a_finding() -> None:
    matrix = rule(loss(0), {FIRST: -1, CONSTANT: -1})
    assert least_cash(matrix) == float("inf")
    assert "no cash suffices" in audit_boundedness(matrix)[0].message


def test_masked_columns_open_no_ray() -> None:
    """The same auxiliary is free until a mask holds it at zero."""
    pays = {**loss(30), FIRST: 1, 8: 1, 9: -1}
    assert rows_with_findings(rule(loss(0), pays)) == [1]
    assert rows_with_findings(rule(loss(0), pays, equalities=[{FIRST: 1, 8: 1, 9: 1}])) == []


def test_many_rows_and_auxiliaries() -> None:
    """A rule of the standard shape with a hundred auxiliaries, and one of them made free."""
    generator = np.random.default_rng(7)
    entries = np.zeros((201, 2, STANDARD.columns), dtype=np.int64)
    moves = generator.integers(-(1 << 36), 1 << 36, size=(201, 127))
    entries[:, 0, 4::4], entries[:, 0, 5::4] = moves, -moves
    free = [column for column in range(3, STANDARD.columns) if column % 4 >= 2]
    for row in range(201):
        entries[row, 1, free[row]] = -1
        if row < 100:
            entries[row, 0, free[row]] = int(generator.integers(1, 4096))
        else:
            entries[row, 0, :2] = 1000, -1000
            entries[row, 0, free[:100]] = -generator.integers(0, 3, size=100) * (row > 100)
    assert rows_with_findings(RuleMatrix(STANDARD, entries)) == []
    entries[101:, 0, free[7]] = 0
    entries[150, 0, free[7]] = 1
    assert rows_with_findings(RuleMatrix(STANDARD, entries)) == [150]


def two_rows(**columns: tuple[int, int]) -> RuleMatrix:
    """A row with cash and a definition; ``c3=(a, b)`` gives the entries of column 3."""
    entries = np.zeros((2, 2, TINY.columns), dtype=np.int64)
    entries[0, 0, :2] = 1, -1
    entries[0, 1, 2] = entries[1, 1, 3] = -1
    for name, values in columns.items():
        entries[:, 0, int(name.removeprefix("c"))] = values
    return RuleMatrix(TINY, entries)


@pytest.mark.parametrize("size", [1 << 8, 1 << 20, 1 << 40, 1 << 52, 1 << 60, (1 << 62) - 1])
def test_a_ray_of_one_tick_beside_huge_entries(size: int) -> None:
    """Raising both auxiliaries by one gains one tick, which floating point loses from 2^40 on."""
    assert audit_boundedness(two_rows(c3=(size, -size), c6=(-(size - 1), size)))
    assert audit_boundedness(two_rows(c3=(size, -size), c6=(-size, size))) == []


@pytest.mark.parametrize("size", [1, 1 << 40, 1 << 61])
def test_a_payment_beside_a_huge_constant(size: int) -> None:
    """A constant of a million ticks pays through an auxiliary; another row's constant must not hide it."""
    paying = two_rows(c3=(1, -1), c2=(0, 10**6))
    entries = np.concatenate([paying.entries, np.zeros_like(paying.entries[:1])])
    entries[2, 0, 2], entries[2, 1, 6] = size, -1
    assert audit_boundedness(RuleMatrix(TINY, entries))
    entries[0, 0, 2] = -(10**6)
    assert audit_boundedness(RuleMatrix(TINY, entries)) == []
