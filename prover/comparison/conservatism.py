"""By how much a rule asks for more than the method that it follows."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

from prover.rules.exposure import assess_margin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from prover.rules.built_rule import BuiltRule
    from prover.rules.portfolio import Portfolio

LEAST_SHARE: Final = 0.001
"""Requirements below this share of the gross notional are measured against that share of it."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One portfolio under a rule and under its method, at the same parameters and in the same lots.

    Attributes:
        methodology: name of the method, with what of it is compared.
        portfolio: name of the case, for people.
        clear: requirement by the method, quote currency.
        rule: requirement by the rule, quote currency.
        gross_notional: Σ |quantity| at index prices, quote currency.
    """

    methodology: str
    portfolio: str
    clear: float
    rule: float
    gross_notional: float

    @property
    def excess(self) -> float:
        """(rule − clear)/max(clear, 0.1 % of gross notional); 0 where nothing is at risk and nothing is asked."""
        difference = self.rule - self.clear
        measure = max(self.clear, LEAST_SHARE * self.gross_notional)
        return difference / measure if measure > 0 else difference


@dataclass(frozen=True, slots=True)
class Excess:
    """Excess over many portfolios, fractions.

    Attributes:
        methodology: name of the method.
        portfolios: how many.
        median, worst: of their excess.
    """

    methodology: str
    portfolios: int
    median: float
    worst: float


def compare_to_clear(
    methodology: str, rules: Sequence[BuiltRule], portfolios: Iterable[Portfolio], clear: Callable[[Portfolio], float]
) -> Iterator[Comparison]:
    """Every rule beside its loss factor times what the method in clear asks of each portfolio, quote currency."""
    for number, portfolio in enumerate(portfolios):
        required = clear(portfolio)
        for rule in rules:
            assessment = assess_margin(rule, portfolio)
            yield Comparison(
                methodology=methodology,
                portfolio=f"random {number}, {rule.kind.name.lower()}",
                clear=float(rule.loss_factor) * required,
                rule=assessment.requirement,
                gross_notional=assessment.exposure.gross_notional,
            )


def summarise(comparisons: Sequence[Comparison]) -> tuple[Excess, ...]:
    """Median and worst excess by methodology, in the order of first appearance."""
    groups: dict[str, list[float]] = {}
    for comparison in comparisons:
        groups.setdefault(comparison.methodology, []).append(comparison.excess)
    return tuple(Excess(name, len(found), median(found), max(found)) for name, found in groups.items())
