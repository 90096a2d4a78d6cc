"""What must hold for every portfolio under every rule file that ships: exact integers, auxiliaries included."""

from __future__ import annotations

import itertools
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prover.argument.witness import BookOpening, row_sums
from prover.errors import InsufficientMarginError
from prover.rules.built_rule import reduced_rule
from prover.rules.exposure import assess_margin
from prover.rules.rule_builder import build_rules
from prover.rules.rule_file import shipped_rule, shipped_rules
from tests.support.risk_rules import example_market, holding
from verifier.rules.rule_audit import audit_matrix
from verifier.rules.rule_boundedness import least_cash

if TYPE_CHECKING:
    from prover.rules.built_rule import BuiltRule
    from prover.rules.portfolio import Portfolio

RULE_FILES = sorted(shipped_rules())
SLOTS = 128

POSITIONS = st.dictionaries(st.integers(1, SLOTS - 1), st.integers(-(10**4), 10**4), max_size=10)
CASH = st.integers(0, 10**11)


@cache
def built(name: str) -> tuple[BuiltRule, BuiltRule]:
    """Both kinds of a shipped rule on the bundled market."""
    return build_rules(example_market(), shipped_rule(name))


def openings(portfolio: Portfolio) -> list[BookOpening]:
    """The portfolio as the prover takes it."""
    return [BookOpening(book, 1) for book in portfolio.lots]


@pytest.mark.parametrize("name", RULE_FILES)
def test_every_shipped_rule_is_sound(name: str) -> None:
    for rule in built(name):
        assert audit_matrix(rule.matrix) == []
        assert least_cash(rule.matrix) == pytest.approx(0, abs=1e-6)
        legs = rule.matrix.entries[:, :, 0::4] + rule.matrix.entries[:, :, 1::4]
        inequality = [row.headroom is not None for row in rule.rows]
        assert np.all(legs[inequality] <= 0)


@pytest.mark.parametrize("name", RULE_FILES)
def test_both_kinds_share_their_definition_rows(name: str) -> None:
    initial, maintenance = built(name)
    assert initial.layout is maintenance.layout
    shared = [index for index, row in enumerate(initial.rows) if row.kind in ("definition", "equality")]
    assert np.array_equal(initial.matrix.entries[shared], maintenance.matrix.entries[shared])
    assert shared == list(range(len(shared)))


@pytest.mark.parametrize("name", RULE_FILES)
@settings(max_examples=25)
@given(lots=POSITIONS, cash=CASH)
def test_a_witness_exists_exactly_for_covered_portfolios(name: str, lots: dict[int, int], cash: int) -> None:
    for rule in built(name):
        portfolio = holding(rule, lots | {0: cash})
        if not assess_margin(rule, portfolio).is_covered:
            with pytest.raises(InsufficientMarginError):
                rule.witness(openings(portfolio))
            continue
        witness = rule.witness(openings(portfolio))
        assert set(row_sums(rule.matrix, witness.columns)) == {0}


@pytest.mark.parametrize("name", RULE_FILES)
@settings(max_examples=25)
@given(lots=POSITIONS, cash=CASH)
def test_initial_margin_implies_the_reduced_rule_and_this_maintenance_margin(
    name: str, lots: dict[int, int], cash: int
) -> None:
    initial, maintenance = built(name)
    portfolio = holding(initial, lots | {0: cash})
    rules = (initial, reduced_rule(initial, maintenance), maintenance)
    for asked, kept in itertools.pairwise(assess_margin(rule, portfolio) for rule in rules):
        assert kept.is_covered or not asked.is_covered
        assert kept.requirement <= asked.requirement + 1e-6


@pytest.mark.parametrize("name", RULE_FILES)
def test_the_reduced_rule_is_whole(name: str) -> None:
    initial, maintenance = built(name)
    reduced = reduced_rule(initial, maintenance)
    assert np.array_equal(4 * reduced.matrix.entries, 3 * maintenance.matrix.entries + initial.matrix.entries)
    assert audit_matrix(reduced.matrix) == []
    assert reduced.loss_factor == (3 * maintenance.loss_factor + initial.loss_factor) / 4


@pytest.mark.parametrize("name", RULE_FILES)
@settings(max_examples=25)
@given(lots=POSITIONS, cash=CASH, cents=st.integers(1, 10**9))
def test_more_collateral_never_hurts(name: str, lots: dict[int, int], cash: int, cents: int) -> None:
    for rule in built(name):
        before = assess_margin(rule, holding(rule, lots | {0: cash}))
        after = assess_margin(rule, holding(rule, lots | {0: cash + cents}))
        assert after.binding.headroom - before.binding.headroom == cents * rule.tick
        assert all(new.headroom >= old.headroom for new, old in zip(after.headrooms, before.headrooms, strict=True))


@pytest.mark.parametrize("name", RULE_FILES)
@settings(max_examples=25)
@given(left=POSITIONS, right=POSITIONS)
def test_requirements_are_convex(name: str, left: dict[int, int], right: dict[int, int]) -> None:
    """Two portfolios together need no more than the mean of each at twice its size; closed positions need nothing.

    Auxiliaries are whole ticks, so that each may cost one more by rounding.
    """
    for rule in built(name):
        one, other = holding(rule, left), holding(rule, right)
        doubled = [assess_margin(rule, portfolio.plus(portfolio)).requirement for portfolio in (one, other)]
        together = assess_margin(rule, one.plus(other)).requirement
        rounding = len(rule.layout.auxiliaries) * float(rule.tick) + 1e-9 * sum(map(abs, doubled))
        assert together <= sum(doubled) / 2 + rounding
        assert assess_margin(rule, one.plus(one.negated())).requirement == 0
