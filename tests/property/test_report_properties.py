"""What must hold of every report: parts add up, and a trade and its reverse undo each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prover.reports.margin_parts import ROUNDING
from prover.reports.report import report_kind
from prover.reports.what_if import RowChange, add_trade
from tests.support.reported import two_coin_rules
from tests.support.risk_rules import holding

if TYPE_CHECKING:
    from prover.rules.built_rule import BuiltRule
    from prover.rules.portfolio import Portfolio

RULES = [rule for name in ("scenarios", "portfolio", "span", "exposure-limits") for rule in two_coin_rules(name)]
SLOTS = [RULES[0].slots.flat_index(slot) for slot in RULES[0].slots.listed]
LOTS = st.dictionaries(st.sampled_from(SLOTS), st.integers(-(10**5), 10**5), max_size=8)
PORTFOLIOS = LOTS.map(lambda lots: holding(RULES[0], lots))
TICKS_A_LOT = 3
"""Roundings of legs and auxiliaries, and the reserve of initial margin, in ticks a lot."""


@given(rule=st.sampled_from(RULES), portfolio=PORTFOLIOS)
def test_parts_add_up_and_rounding_is_small(rule: BuiltRule, portfolio: Portfolio) -> None:
    entry = report_kind(rule, portfolio)
    parts = {part.label: part.amount for part in entry.waterfall.parts}
    assert sum(parts.values()) == pytest.approx(entry.assessment.requirement, rel=1e-9, abs=1e-4)
    lots = sum(abs(lots) for book in portfolio.lots for lots in book)
    assert -0.01 <= parts[ROUNDING] <= TICKS_A_LOT * float(rule.tick) * lots + 1


@given(rule=st.sampled_from(RULES), portfolio=PORTFOLIOS, trade=PORTFOLIOS)
def test_a_trade_and_its_reverse_undo_each_other(rule: BuiltRule, portfolio: Portfolio, trade: Portfolio) -> None:
    there = add_trade([rule], portfolio, trade)[0]
    back = add_trade([rule], portfolio.plus(trade), trade.negated())[0]
    assert there.requirement_change == pytest.approx(-back.requirement_change)
    broken = {row.name for row in there.rows if RowChange.BREAKS in row.changes}
    assert broken == {row.name for row in back.rows if RowChange.HEALS in row.changes}
    assert all(row.before < 0 or row.after < 0 or "bind" in " ".join(row.changes) for row in there.rows)
