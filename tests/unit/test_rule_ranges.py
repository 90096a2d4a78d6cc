"""Scales and headrooms of rows: fractions of a tick cost what they should, and rich accounts still have a proof."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import pytest

from prover.argument.witness import BookOpening, require_columns_in_range, row_sums
from prover.errors import EntryRangeError, RuleBuildError
from prover.rules.exposure import assess_margin
from prover.rules.portfolio import make_portfolio
from prover.rules.rule_builder import build_rules
from prover.rules.rule_file import shipped_rule, shipped_rules
from prover.rules.rule_layout import LARGEST_SCALE
from tests.support.component_rules import GRID, rule_of
from tests.support.requirements import assessed, two_coin_rules
from tests.support.risk_rules import example_market, holding
from tests.support.small_markets import two_coin_market
from verifier.shape import SMALL, STANDARD, Shape

DELTA_ALONE = {"component": "minimum-delta", "net_rate": "0.0000001", "hedged_rate": "0"}
SPREAD = {"BTC-PERPETUAL": 10, "BTC-27DEC24": -10}


@pytest.mark.parametrize("rate", ["0.004", "0.0041", "0.00413", "0.0041347", "0.00413479123", "0.0041347912345678"])
def test_a_rate_of_many_digits_costs_what_it_says(rate: str) -> None:
    """Half of 0.0041 has the denominator 20,000; a rate that no scale makes exact is off by a millionth at most."""
    definition = rule_of(DELTA_ALONE, {"component": "calendar-spread", "rate": rate})
    delta = 10 * 94_000.0
    found = assessed(definition, SPREAD).requirement
    assert float(rate) * delta <= found <= float(rate) * delta + 3e-6 * delta + 0.04 * 2000


@pytest.mark.parametrize(
    ("factor", "share"), [*product(["0.6", "0.35", "0.8000000000000000000000001"], ["0.3333333", 1])]
)
def test_rates_that_no_scale_makes_exact_still_imply_maintenance_margin(factor: str, share: str | int) -> None:
    definition = rule_of(
        {"component": "basis"},
        {"component": "minimum-delta", "net_rate": "0.01234567", "hedged_rate": "0.00345678"},
        {
            "component": "spread-credit",
            "leg": "0.0123456789",
            "pairs": [{"underlyings": ["BTC", "ETH"], "credit": "0.0098765432"}],
            "share": {"initial": 1, "maintenance": share},
        },
        loss_factor={"initial": 1, "maintenance": factor},
    )
    initial, maintenance = two_coin_rules(definition)
    assert max(row.scale for row in initial.rows) == LARGEST_SCALE
    for lots in ({1: 500, 2: -700}, {1: -3, 4: 2000, 6: -1000}):
        portfolio = holding(initial, lots)
        kept, asked = (assess_margin(rule, portfolio).requirement for rule in (maintenance, initial))
        assert 0 < kept <= asked


@pytest.mark.parametrize(
    ("name", "shape"), [*((name, STANDARD) for name in shipped_rules()), ("scenarios-small", SMALL)]
)
def test_an_account_at_the_limit_of_deposits_has_a_proof(name: str, shape: Shape) -> None:
    """The clearing house takes 2^(dk−1) − 1 ticks an account; alone, and beside large positions."""
    most = shape.value_bound // 2 - 1
    for rule in build_rules(example_market(), shipped_rule(name), shape=shape):
        for lots in ({}, {1: 10_000, 5: -500, 9: 500}):
            portfolio = holding(rule, lots | {0: most})
            assert assess_margin(rule, portfolio).is_covered
            witness = rule.witness([BookOpening(book, 1) for book in portfolio.lots])
            require_columns_in_range(witness, shape.value_bound)
            assert set(row_sums(rule.matrix, witness.columns)) == {0}


@pytest.mark.parametrize("shape", [STANDARD, SMALL])
def test_limits_beyond_the_range_of_a_column_keep_nobody_out(shape: Shape) -> None:
    most = 999_999_999_999
    definition = rule_of(
        {"component": "net-exposure-limit", "limit": most},
        {"component": "gross-limit", "limit": most, "follows": {"by": "collateral", "multiple": 1000}},
        {"component": "concentration", "tiers": [{"above": most, "rate": "0.1"}]},
        GRID,
    )
    for rule in build_rules(two_coin_market(), definition, shape=shape):
        quantities = {"USD": Decimal(shape.value_bound // 2 - 1) / 100}
        portfolio = make_portfolio(quantities, rule.slots, shape)
        require_columns_in_range(rule.witness([BookOpening(book, 1) for book in portfolio.lots]), shape.value_bound)


def test_constants_that_no_headroom_holds_are_refused() -> None:
    definition = rule_of(GRID, {"component": "net-exposure-limit", "limit": 2 * 10**10}, tick="0.00000001")
    assert build_rules(two_coin_market(), definition)
    with pytest.raises(EntryRangeError, match=r"at most \+20,000,000,000' counts up to 11,529,215,046"):
        build_rules(two_coin_market(), definition, shape=SMALL)


def test_an_auxiliary_that_looks_like_a_headroom_is_refused() -> None:
    """Nothing charges a⁻ of an underlying without a pair when the legs are free: −a⁻ would make an equality slack."""
    free = {"component": "spread-credit", "leg": 0, "pairs": [{"underlyings": ["BTC", "SOL"], "credit": 0}]}
    with pytest.raises(RuleBuildError, match="row 'BTC risk': an auxiliary that no other row uses would be taken for"):
        build_rules(two_coin_market(), rule_of(GRID, free))
