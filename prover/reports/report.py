"""All that a risk report says, gathered once: exposures, margin of each kind, and the data of every picture. Secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from prover.reports.margin_parts import decisions, explain_requirement
from prover.reports.revaluation import heat_maps, profit_curves
from prover.rules.co_movement import measure_across
from prover.rules.exposure import assess_margin
from prover.rules.limit_use import measure_limit_use
from prover.rules.net_exposure import measure_net_exposure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prover.reports.figures import HeatMap, ProfitCurve, Waterfall
    from prover.reports.margin_parts import Decision
    from prover.rules.built_rule import BuiltRule
    from prover.rules.co_movement import CoMovement, CrossExposure
    from prover.rules.exposure import MarginAssessment, RowHeadroom
    from prover.rules.limit_use import LimitUse
    from prover.rules.net_exposure import ExposureTable
    from prover.rules.portfolio import Portfolio
    from verifier.rules.rule_kind import RuleKind


@dataclass(frozen=True, slots=True)
class KindReport:
    """How a portfolio stands under one kind of margin.

    Attributes:
        kind: initial or maintenance.
        assessment: every row, exact.
        waterfall: what the requirement is made of.
        limits: use of every limit row.
        decisions: what decides the rule's auxiliaries.
    """

    kind: RuleKind
    assessment: MarginAssessment
    waterfall: Waterfall
    limits: tuple[LimitUse, ...]
    decisions: tuple[Decision, ...]

    @property
    def tightest(self) -> tuple[RowHeadroom, ...]:
        """Scenarios and floors, the one with the least headroom first."""
        rows = (entry for entry in self.assessment.headrooms if entry.row.kind.is_money)
        return tuple(sorted(rows, key=lambda entry: entry.headroom))

    def utilisation(self, entry: RowHeadroom) -> float | None:
        """Share of the equity that a scenario or floor requires; ``None`` where there is no equity to share."""
        equity = self.assessment.exposure.equity
        return (equity - float(entry.headroom)) / equity if equity > 0 else None


@dataclass(frozen=True, slots=True)
class RiskReport:
    """A portfolio on one market under one rule file.

    Attributes:
        rule: name of the rule file.
        currency: of every amount.
        snapshot_time: of the market, Unix seconds.
        exposures: at every level.
        across: net delta across underlyings; ``None`` when nothing is known about how they move together.
        kinds: the kinds of margin asked for.
        heat_maps: profit by price and volatility.
        curves: profit by price, now and at expiries.
    """

    rule: str
    currency: str
    snapshot_time: int
    exposures: ExposureTable
    across: CrossExposure | None
    kinds: tuple[KindReport, ...]
    heat_maps: tuple[HeatMap, ...] = field(repr=False)
    curves: tuple[ProfitCurve, ...] = field(repr=False)


def make_report(
    rules: Sequence[BuiltRule], holdings: Sequence[Portfolio], movement: CoMovement | None = None
) -> RiskReport:
    """Gather everything about holdings under a rule.

    Args:
        rules: the kinds of margin asked for, of one rule file and market; at least one.
        holdings: one or more portfolios on the rules' slots, which are netted.
        movement: how underlyings move together, if it is known.

    Raises:
        MarketDataError: ``movement`` says nothing of an underlying that is held.
    """
    first, net = rules[0], netted(holdings)
    quantity = np.array(net.lots, dtype=np.float64).reshape(-1) * first.universe.lot_size
    exposures = measure_net_exposure(first.universe, holdings)
    return RiskReport(
        rule=first.definition.name,
        currency=first.quote_currency,
        snapshot_time=first.snapshot_time,
        exposures=exposures,
        across=None if movement is None else measure_across(exposures.underlyings, movement),
        kinds=tuple(report_kind(rule, net) for rule in rules),
        heat_maps=heat_maps(first.universe, quantity),
        curves=profit_curves(first.universe, quantity),
    )


def report_kind(rule: BuiltRule, portfolio: Portfolio) -> KindReport:
    """How a portfolio stands under one built rule."""
    assessment = assess_margin(rule, portfolio)
    return KindReport(
        kind=rule.kind,
        assessment=assessment,
        waterfall=explain_requirement(rule, portfolio, assessment),
        limits=measure_limit_use(rule, portfolio, assessment),
        decisions=decisions(rule, portfolio, assessment),
    )


def netted(holdings: Sequence[Portfolio]) -> Portfolio:
    """All holdings as one portfolio.

    Raises:
        PortfolioError: they are on different lists of slots.
    """
    total = holdings[0]
    for portfolio in holdings[1:]:
        total = total.plus(portfolio)
    return total
