"""No witness passes with less cash than the prover's: proved exactly, for every component's rule and every shipped one.

A malicious prover chooses any columns ≥ 0 that differ by the positions, so a rule requires the optimum of an integer
program. Weights over the rows prove a lower bound of it in rational numbers; what the prover finds lies less than a few
ticks above, which whole ticks of auxiliaries cost. So neither is anybody undermargined, nor does an honest trader pay
for a solver that misses the optimum.
"""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from prover.rules.auxiliaries import assign_least
from prover.rules.rule_builder import build_rules
from prover.rules.rule_file import shipped_rules
from tests.support.certificates import found_lots_of_cash, least_lots_of_cash
from tests.support.component_rules import COMPONENT_RULES, rule_of, stressed
from tests.support.exposure_rules import EXPOSURE_RULES, listed, two_coin_options
from tests.support.risk_rules import holding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prover.rules.auxiliaries import Auxiliary, DefinitionSystem
    from prover.rules.built_rule import BuiltRule
    from prover.rules.portfolio import Portfolio
    from prover.rules.rule_definition import RuleDefinition

PORTFOLIOS: Final = 10
SIZES: Final = (10, 1000, 10**6)
WHOLE_TICKS: Final = 3
"""What rounding of auxiliaries to whole ticks may cost, ticks; seen: 1.5."""

AWKWARD: Final[dict[str, Callable[[], RuleDefinition]]] = {
    "rates of many digits": lambda: rule_of(
        {"component": "basis", "add": "0.4999", "multiple": "1.997"},
        {"component": "calendar-spread", "rate": {"initial": "0.0041", "maintenance": "0.0037"}},
        {"component": "minimum-delta", "net_rate": "0.0213", "hedged_rate": "0.0107"},
    ),
}
SHIPPED: Final = {f"shipped: {name}": name for name in shipped_rules()}
RULES: Final = (*COMPONENT_RULES, *EXPOSURE_RULES, *AWKWARD, *SHIPPED)


@cache
def built(name: str) -> tuple[BuiltRule, BuiltRule]:
    """Both rules of a name on a market of two coins."""
    market = two_coin_options()
    if name in SHIPPED:
        return build_rules(stressed(market), listed(SHIPPED[name]))
    if name in COMPONENT_RULES:
        return build_rules(stressed(market), COMPONENT_RULES[name]())
    return build_rules(market, (EXPOSURE_RULES | AWKWARD)[name]())


def portfolios(rule: BuiltRule, seed: str) -> Iterator[Portfolio]:
    """Anything but cash: scattered positions, and hedges of equal sizes, which auxiliaries are about."""
    generator = random.Random(seed)
    tradable = [int(place) for place in np.flatnonzero(rule.universe.live & ~rule.universe.cash)]
    for _ in range(PORTFOLIOS):
        size = generator.choice(SIZES)
        held = generator.sample(tradable, min(len(tradable), generator.randint(1, 12)))
        lots = {place: generator.choice((-size, size, generator.randint(-size, size))) for place in held}
        yield holding(rule, lots)


@pytest.mark.parametrize("name", RULES)
def test_no_columns_pass_with_less_cash_than_the_prover_finds(name: str) -> None:
    for rule in built(name):
        for portfolio in portfolios(rule, name):
            least, found = least_lots_of_cash(rule, portfolio), found_lots_of_cash(rule, portfolio)
            if least is None or found is None:
                assert (least, found) == (None, None)
                continue
            assert least <= found < least + WHOLE_TICKS


def test_a_solver_that_misses_the_optimum_is_noticed() -> None:
    """A threshold of zero is allowed but not optimal: the shortfall is then the mean of all losses beyond it."""
    rule, _ = built("shipped: expected-shortfall")
    part = next(part for part in rule.parts if part.component == "expected-shortfall")
    portfolio = holding(rule, {1: 5000})
    optimum = found_lots_of_cash(rule, portfolio)
    assert optimum is not None

    def lazy(system: DefinitionSystem, auxiliaries: tuple[Auxiliary, ...]) -> None:
        for side in auxiliaries[:2]:
            system.assign(side, 0)
        assign_least(system, auxiliaries[2:])

    contribution = replace(part.contribution, solver=lazy)
    worse = replace(rule, parts=tuple(replace(p, contribution=contribution) if p is part else p for p in rule.parts))
    missed = found_lots_of_cash(worse, portfolio)
    assert missed is not None
    assert missed > optimum + WHOLE_TICKS
