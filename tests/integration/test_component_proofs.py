"""Every component's rule, built from market data at 128 slots, is proven and checked on a real chain once.

Random portfolios with the least cash that covers them; one cent less is refused by the prover.
"""

from __future__ import annotations

import functools
import random
from math import ceil
from typing import TYPE_CHECKING, Final, get_args

import pytest

from prover.argument.argument import prove
from prover.argument.witness import BookOpening
from prover.components.registry import AnyComponent
from prover.errors import InsufficientMarginError
from prover.rules.built_rule import reduced_rule
from prover.rules.exposure import assess_margin
from prover.rules.prepared_rule import prepare_rule
from prover.rules.rule_builder import build_rules
from tests.support.component_rules import COMPONENT_RULES, stressed
from tests.support.contract_judge import ACCEPTED, CEREMONY, ContractJudge
from tests.support.deterministic import seeded_context, seeded_scalars
from tests.support.exposure_rules import EXPOSURE_RULES, two_coin_options
from tests.support.risk_rules import holding
from verifier.ceremony import ceremony_setup
from verifier.chain.contract_interface import contract_interface
from verifier.rules.rule_kind import RuleKind
from verifier.shape import STANDARD
from verifier.statement import verifying_key

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from prover.rules.built_rule import BuiltRule
    from prover.rules.portfolio import Portfolio
    from verifier.chain.chain_client import ChainClient

RULES: Final = COMPONENT_RULES | EXPOSURE_RULES

CASH: Final = 0
LARGEST_POSITION: Final = 40
"""Lots."""


@functools.cache
def rules_of(name: str) -> tuple[BuiltRule, BuiltRule]:
    """Initial and maintenance rule of an entry of the tables."""
    if name in COMPONENT_RULES:
        return build_rules(stressed(two_coin_options()), COMPONENT_RULES[name]())
    return build_rules(two_coin_options(), EXPOSURE_RULES[name]())


@pytest.fixture(scope="module")
def judge(chain: tuple[ChainClient, LocalAccount]) -> ContractJudge:
    """The verifier of the standard shape, under the ceremony's setup."""
    return ContractJudge(*chain, contract_interface(CEREMONY), verifying_key(STANDARD, ceremony_setup()))


def barely_covered(rule: BuiltRule, seed: str) -> Portfolio:
    """A random portfolio with the least cash under which every row of equity holds."""
    generator = random.Random(f"component proofs:{seed}")
    listed = [place for place in range(rule.universe.size) if rule.universe.live[place] and place != CASH]
    lots = {place: generator.randint(-LARGEST_POSITION, LARGEST_POSITION) for place in listed}
    without = assess_margin(rule, holding(rule, lots)).binding.headroom
    return holding(rule, lots | {CASH: ceil(-without / rule.tick)})


def opening(portfolio: Portfolio, name: str) -> BookOpening:
    """Positions with a blind."""
    return BookOpening(portfolio.lots[0], seeded_scalars(name, 1)[0])


@pytest.mark.parametrize("name", RULES)
def test_the_rule_is_proven_and_accepted_on_chain(judge: ContractJudge, name: str) -> None:
    initial, maintenance = rules_of(name)
    kind = RuleKind(len(name) % len(RuleKind))
    rule = (initial, maintenance, reduced_rule(initial, maintenance))[kind]
    covered = barely_covered(rule, name)
    assert assess_margin(rule, covered).is_covered

    made = prove(
        setup=ceremony_setup(),
        rule=prepare_rule(rule.matrix, ceremony_setup()),
        witness=rule.witness([opening(covered, name)]),
        context=seeded_context(name),
    )
    assert judge.verdict(made.statement, made.proof) == ACCEPTED


@pytest.mark.parametrize("name", RULES)
def test_a_portfolio_that_is_not_covered_is_refused(name: str) -> None:
    for rule in rules_of(name):
        covered = barely_covered(rule, name)
        short = covered.plus(holding(rule, {CASH: -1}))
        assert not assess_margin(rule, short).is_covered
        with pytest.raises(InsufficientMarginError):
            rule.witness([opening(short, name)])


def test_the_tables_have_every_component() -> None:
    shown = {part.component for rule in RULES.values() for part in rule().components}
    known = {model.model_fields["component"].default for model in get_args(get_args(AnyComponent)[0])}
    assert known - shown == set()


def test_the_expected_shortfall_rule_has_at_least_64_historical_days() -> None:
    name = "expected shortfall, 64 historical days"
    days = [row for row in rules_of(name)[0].row_names if row.startswith("shortfall 20")]
    assert len(days) >= 64
