"""Derive's portfolio margin (PMRM), version 2, as a rule beside the method in clear.

Exact but for rounding: scenarios, basis, skew, charges on perpetuals and tokens, confidence, depeg, and the static
discount up to three expiries. Elsewhere the rule asks for more:

* Banded, the static discount takes an expiry's least value among neighbouring scenarios; by leg, it costs
  (dNeg − dPos) times what an expiry is worth on its smaller side (:mod:`prover.components.static_discount`).
* Beside a static discount, the side of a skew on which the method is not convex takes the discounted value as if
  undiscounted (:class:`prover.components.skew.Skew`).
* Short options are charged whether naked or not.

Parameters with dNeg < dPos are refused with a static discount, since the method is then not convex.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prover.comparison.conservatism import Comparison
from prover.comparison.listed_positions import CURRENCY
from prover.comparison.pmrm2_listing import ListedCase, case_of, list_case
from prover.comparison.pmrm2_rule import Discounting, definition_of
from prover.comparison.random_portfolios import random_portfolios
from prover.components.static_discount import MOST_BANDED_EXPIRIES, MOST_EXACT_EXPIRIES
from prover.errors import MethodologyError, RuleBuildError
from prover.methodologies.derive_pmrm2 import DEFAULT_SCENARIOS, Pmrm2Case, Pmrm2Parameters, margin
from prover.methodologies.inputs import inputs_of, read_input
from prover.rules.exposure import assess_margin
from prover.rules.rule_builder import MarketOrigin, build_rules, compile_rules
from verifier.shape import STANDARD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from prover.market.market_data import MarketSnapshot
    from prover.rules.built_rule import BuiltRule
    from prover.rules.portfolio import Portfolio
    from prover.rules.rule_definition import RuleDefinition

LOT_SIZES: Final = {"BTC": 0.01, "ETH": 0.1}
"""Those of the shipped rule files, units."""

FITTING: Final = {Discounting.EXACT: MOST_EXACT_EXPIRIES, Discounting.BANDED: MOST_BANDED_EXPIRIES}
"""Expiries for which forms of the static discount have room."""

UNDISCOUNTED: Final = {
    "long_base_static_discount": 1.0,
    "long_rate_mult": 0.0,
    "long_rate_add": 0.0,
    "short_base_static_discount": 1.0,
    "short_rate_mult": 0.0,
    "short_rate_add": 0.0,
}
"""Parameters under which the method has no static discount."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A case that no rule follows, and why."""

    portfolio: str
    reason: str


def compare_case(name: str, case: Pmrm2Case, discounting: Discounting) -> tuple[Comparison, Comparison]:
    """Initial and maintenance margin of a case.

    Raises:
        MethodologyError: something that no rule lists.
        RuleBuildError: parameters that no rule follows.
    """
    listed = list_case(case)
    definition = _definition_of_case(listed, discounting)
    origin = MarketOrigin(CURRENCY, 0, bytes(32))
    rules = compile_rules(listed.universe, definition, origin, shape=STANDARD)
    return _compare(name, rules, listed.portfolio, listed.case, discounting)


def _definition_of_case(listed: ListedCase, discounting: Discounting) -> RuleDefinition:
    case, groups = listed.case, listed.universe.expiries
    tokens = enumerate(case.portfolio.collateral)
    return definition_of(
        case.params,
        case.scenarios,
        discounting,
        rates={group.name: case.market.expiries[group.expiry_time].rate for group in groups},
        haircuts={f"TOKEN{place}": (token.im_haircut, token.mm_haircut) for place, token in tokens},
    )


def _compare(
    name: str, rules: tuple[BuiltRule, BuiltRule], portfolio: Portfolio, case: Pmrm2Case, discounting: Discounting
) -> tuple[Comparison, Comparison]:
    parameters = case.params.model_copy(update=UNDISCOUNTED if discounting is Discounting.NONE else {})
    clear = margin(case.model_copy(update={"params": parameters}))
    value = clear.option_value + clear.collateral_value + case.portfolio.perp_unrealised + case.portfolio.cash

    def of_kind(rule: BuiltRule, net: float) -> Comparison:
        assessment = assess_margin(rule, portfolio)
        return Comparison(
            methodology=discounting.methodology,
            portfolio=f"{name}, {rule.kind.name.lower()}",
            clear=value - net,
            rule=assessment.requirement,
            gross_notional=assessment.exposure.gross_notional,
        )

    return of_kind(rules[0], clear.initial), of_kind(rules[1], clear.maintenance)


@dataclass(frozen=True, slots=True)
class MarketRules:
    """The rules of one kind of discounting on a real market, with the method's published constants.

    Attributes:
        discounting: which static discount they follow.
        initial, maintenance: the rules.
    """

    discounting: Discounting
    initial: BuiltRule
    maintenance: BuiltRule

    def compare(self, name: str, portfolio: Portfolio) -> tuple[Comparison, Comparison]:
        """Initial and maintenance margin of a portfolio of cash, perpetual and options.

        Raises:
            MethodologyError: it holds something else.
        """
        case = case_of(self.initial.universe, portfolio, Pmrm2Parameters(), DEFAULT_SCENARIOS)
        return _compare(name, (self.initial, self.maintenance), portfolio, case, self.discounting)


def build_market_rules(snapshot: MarketSnapshot, discounting: Discounting) -> MarketRules:
    """Rules on the options of one underlying, on as many expiries as fit, those of most options first."""
    lot_sizes = {coin: LOT_SIZES.get(coin, 1.0) for coin in snapshot.underlyings}
    definition = definition_of(Pmrm2Parameters(), DEFAULT_SCENARIOS, discounting, lot_sizes=lot_sizes)
    chosen = _largest_expiries(snapshot, FITTING[discounting]) if discounting in FITTING else snapshot
    return MarketRules(discounting, *build_rules(chosen, definition))


def _largest_expiries(snapshot: MarketSnapshot, count: int) -> MarketSnapshot:
    listed = Counter(quote.option.expiry for quote in snapshot.options)
    kept = {expiry for expiry, _ in listed.most_common(count)}
    return snapshot.model_copy(
        update={"options": tuple(quote for quote in snapshot.options if quote.option.expiry in kept), "futures": ()}
    )


def compare_published(cases: Iterable[Mapping[str, object]]) -> tuple[tuple[Comparison, ...], tuple[Refusal, ...]]:
    """Every case of this method, without its static discount and in every form that fits; and what no rule follows.

    Raises:
        MethodologyError: a field is missing or out of range.
    """
    comparisons: list[Comparison] = []
    refusals = []
    for fields in cases:
        case, name = read_input(Pmrm2Case, inputs_of(fields)), str(fields.get("id", "case"))
        for discounting in _fitting_forms(case):
            try:
                comparisons += compare_case(name, case, discounting)
            except (RuleBuildError, MethodologyError) as error:
                refusals.append(Refusal(name, str(error)))
    return tuple(comparisons), tuple(refusals)


def _fitting_forms(case: Pmrm2Case) -> tuple[Discounting, ...]:
    expiries = len({option.expiry_sec for option in case.portfolio.options})
    if expiries <= MOST_EXACT_EXPIRIES:
        return Discounting.NONE, Discounting.EXACT
    if expiries <= MOST_BANDED_EXPIRIES:
        return Discounting.NONE, Discounting.BANDED, Discounting.BY_LEG
    return Discounting.NONE, Discounting.BY_LEG


def compare_random(snapshot: MarketSnapshot, *, count: int, seed: int) -> tuple[Comparison, ...]:
    """Random portfolios on a real market, with and without a static discount."""
    comparisons: list[Comparison] = []
    for discounting in Discounting:
        rules = build_market_rules(snapshot, discounting)
        portfolios = random_portfolios(rules.initial.universe, count=count, seed=seed)
        for number, portfolio in enumerate(portfolios):
            comparisons += rules.compare(f"random {number}", portfolio)
    return tuple(comparisons)
