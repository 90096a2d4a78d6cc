"""What a component is given, and what it must offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from decimal import Decimal

    from prover.rules.rule_rows import Contribution
    from prover.rules.universe import Universe


class Component(Protocol):
    """Part of a rule file that contributes rows; its docstring gives their linear form."""

    @property
    def component(self) -> str:
        """Its name in rule files."""

    def contribute(self, context: RuleContext) -> Contribution:
        """The component's part of the rule.

        Raises:
            RuleBuildError: its constants do not fit the market, or make the requirement not convex; says why.
        """


@dataclass(frozen=True, slots=True, eq=False)
class RuleContext:
    """What components build their rows from.

    Attributes:
        universe: the listed market.
        tick: quote currency in one unit of money rows.
        components: all of the rule, for those that depend on others.
    """

    universe: Universe
    tick: Decimal
    components: tuple[Component, ...]
