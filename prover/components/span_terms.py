"""Terms of SPAN beside the scan: spreads between months, credits between commodities, and the rows that they need.

Exposures are delta notionals times a rate, so every auxiliary stands with a whole coefficient. For scenario s let
σ_s = weight · price move, cut to [−1, 1]: with which side of the market it goes.

*Inter-month*. SPAN charges r · min(Σ⁺, Σ⁻) over months net long and net short, which is not convex. With N the net
delta and any σ in [−1, 1], min(Σ⁺, Σ⁻) ≤ Σ⁺ − (1 − σ)/2 · N, and σ = ±1 meets it with N < 0 or N > 0. So every scenario
charges

    r · (Σ_e p_e − (1 − σ_s)/2 · N),        p_e ≥ Δ_e, p_e ≥ 0

which is never less than SPAN, and the same where the worst scenario goes fully against the net delta.

*Inter-commodity*. Let a⁺ − a⁻ = k · range · N for each of two commodities, and s ≤ a⁺ of the one, s ≤ a⁻ of the other
(and s' the other way round): risk that offsets. A credit of s + s' on each side would pay for raising a⁺ and a⁻
together, so every scenario of each side also charges (1 + σ_s) · a⁺ + (1 − σ_s) · a⁻: raising both by one costs two,
which is the most that one more unit of s and s' could bring. Nothing is charged where the worst scenario goes against
the net delta, so there the credit is SPAN's.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np

from prover.components.exposure_measures import Grouping, Measure, exposure_a_lot, exposure_groups
from prover.rules.auxiliaries import Auxiliary
from prover.rules.rule_rows import make_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from numpy.typing import NDArray

    from prover.rules.auxiliaries import DefinitionSystem
    from prover.rules.rule_context import RuleContext
    from prover.rules.rule_rows import Rows
    from prover.rules.universe import Universe


@dataclass(frozen=True, slots=True)
class SpanMove:
    """Moves in fractions of the scan ranges, and the weight of the profit or loss."""

    price: Fraction
    volatility: int
    weight: Fraction = Fraction(1)

    @property
    def name(self) -> str:
        """For people: ``price +2/3, volatility −1``."""
        return f"price {_signed(self.price)}, volatility {_signed(self.volatility)}"

    @property
    def side(self) -> Fraction:
        """σ: with which side of the market it goes, from −1 to 1."""
        return max(Fraction(-1), min(Fraction(1), self.weight * self.price))


def _signed(number: Fraction | int) -> str:
    return f"{'−' if number < 0 else '+'}{abs(number)}" if number else "0"


SPAN_MOVES: Final = (
    *(
        SpanMove(sign * Fraction(thirds, 3), volatility)
        for thirds in range(4)
        for sign in ((1, -1) if thirds else (1,))
        for volatility in (1, -1)
    ),
    SpanMove(Fraction(2), 0, Fraction(35, 100)),
    SpanMove(Fraction(-2), 0, Fraction(35, 100)),
)
"""The 16 scenarios, in their order."""

SIDES: Final = (*(move.side for move in SPAN_MOVES), Fraction(0))
"""σ of the scenarios, and of the row in which nothing moves."""


@dataclass(frozen=True, slots=True, eq=False)
class ScenarioTerms:
    """What is charged in scenarios beside the loss: costs of legs, and of auxiliaries, by scenario (and nothing moved).

    Attributes:
        auxiliaries: of this term.
        definitions: rows that define them, where inequalities do.
        legs: cost of one lot held long, the negative of it held short, [scenario, slot].
        costs: of auxiliaries, by scenario.
    """

    auxiliaries: tuple[Auxiliary, ...]
    definitions: Rows | None
    legs: NDArray[np.float64]
    costs: tuple[Mapping[Auxiliary, Fraction], ...]


def inter_month_terms(context: RuleContext, underlying: str, rate: Decimal) -> ScenarioTerms:
    """The inter-month charge of one underlying; ``rate`` is a fraction of the delta notional."""
    universe = context.universe
    own = universe.underlying == universe.underlyings.index(underlying)
    groups = [group for group in exposure_groups(universe, Measure.DELTA, Grouping.EXPIRY) if own[group.slots].any()]
    sides = tuple(Auxiliary(f"inter-month {group.name}", context.tick) for group in groups)
    net = float(rate) * np.where(own, exposure_a_lot(universe, Measure.DELTA), 0.0)
    shares = np.array([float((1 - side) / 2) for side in SIDES])[:, None]
    definitions = make_rows(
        tuple(f"{side.name}, long" for side in sides),
        unit=context.tick,
        long=np.array([-float(rate) * group.exposure for group in groups]).reshape(len(groups), universe.size),
        auxiliaries=tuple({side: Fraction(1)} for side in sides),
    )
    return ScenarioTerms(sides, definitions, -shares * net, (dict.fromkeys(sides, Fraction(1)),) * len(SIDES))


@dataclass(frozen=True, slots=True)
class OffsetRisk:
    """a⁺ and a⁻ of one underlying."""

    long: Auxiliary
    short: Auxiliary

    @classmethod
    def of(cls, context: RuleContext, underlying: str) -> OffsetRisk:
        """Those of an underlying that has a credit."""
        return cls(*(Auxiliary(f"{underlying} risk {side}", context.tick) for side in ("long", "short")))

    def terms(self, universe: Universe) -> ScenarioTerms:
        """What scenarios charge on both."""
        costs = tuple({self.long: 1 + side, self.short: 1 - side} for side in SIDES)
        return ScenarioTerms((self.long, self.short), None, np.zeros((len(SIDES), universe.size)), costs)

    def equality(self, context: RuleContext, underlying: str, rate: float) -> Rows:
        """a⁺ − a⁻ = rate · delta notional of the underlying."""
        universe = context.universe
        own = universe.underlying == universe.underlyings.index(underlying)
        exposure = rate * np.where(own, exposure_a_lot(universe, Measure.DELTA), 0.0)
        return make_rows(
            (f"{underlying} risk",),
            unit=context.tick,
            long=-exposure[None, :],
            auxiliaries=({self.long: Fraction(1), self.short: Fraction(-1)},),
        )

    def solve(self, system: DefinitionSystem) -> None:
        """Both from their equality, one of them zero."""
        shorts = dict(system.entries(self.short))
        row = next(row for row, entry in system.entries(self.long) if entry > 0 and shorts.get(row) == -entry)
        net = -system.total(row)
        system.assign(self.long, max(net, 0))
        system.assign(self.short, max(-net, 0))


@dataclass(frozen=True, slots=True)
class Offset:
    """Risk of two underlyings that offsets.

    Attributes:
        underlyings: the two.
        first, second: their risks.
        matched: s of the first long and the second short, s' the other way round.
    """

    underlyings: tuple[str, str]
    first: OffsetRisk
    second: OffsetRisk
    matched: tuple[Auxiliary, Auxiliary]

    @classmethod
    def between(cls, context: RuleContext, underlyings: tuple[str, str]) -> Offset:
        """That of a pair."""
        first, second = underlyings
        names = (f"offset of long {first}, short {second}", f"offset of short {first}, long {second}")
        long, short = (Auxiliary(name, context.tick) for name in names)
        return cls(underlyings, OffsetRisk.of(context, first), OffsetRisk.of(context, second), (long, short))

    def risk_of(self, underlying: str) -> OffsetRisk:
        """That of one of the two."""
        return self.first if underlying == self.underlyings[0] else self.second

    def rows(self, context: RuleContext) -> Rows:
        """S and s' are no more than either side."""
        sides = ((self.first.long, self.second.short), (self.first.short, self.second.long))
        bounds = [(matched, side) for matched, pair in zip(self.matched, sides, strict=True) for side in pair]
        return make_rows(
            tuple(f"{matched.name}: {side.name}" for matched, side in bounds),
            unit=context.tick,
            long=np.zeros((len(bounds), context.universe.size)),
            auxiliaries=tuple({side: Fraction(1), matched: Fraction(-1)} for matched, side in bounds),
        )

    def rounding(self, context: RuleContext) -> NDArray[np.float64]:
        """Half a unit a lot of either underlying, by which the equalities may round what is matched, [1, slot]."""
        universe = context.universe
        sides = [universe.underlyings.index(name) for name in self.underlyings]
        return np.where(np.isin(universe.underlying, sides), float(context.tick) / 2, 0.0)[None, :]

    def solve(self, system: DefinitionSystem) -> None:
        """All of it: with the sides as small as they can be, what is matched is as large as it can be."""
        self.first.solve(system)
        self.second.solve(system)
        long, short = self.matched
        values = system.values
        system.assign(long, min(values[self.first.long], values[self.second.short]))
        system.assign(short, min(values[self.first.short], values[self.second.long]))


def scan_rows(
    context: RuleContext, risk: Auxiliary, profit: NDArray[np.float64], terms: Sequence[ScenarioTerms]
) -> Rows:
    """R + profit − terms ≥ 0 in every scenario; where there are terms, also with nothing moved.

    Args:
        context: of the rule.
        risk: R.
        profit: of one lot held long after weights, [scenario, slot].
        terms: of this scan.
    """
    names = tuple(f"{risk.name}: {move.name}" for move in SPAN_MOVES)
    if terms:
        names = (*names, f"{risk.name}: nothing moves")
        profit = np.vstack([profit, np.zeros((1, profit.shape[1]))])
    auxiliaries = []
    for index in range(len(names)):
        costs = {key: -value for term in terms for key, value in term.costs[index].items() if value}
        auxiliaries.append({risk: Fraction(1)} | costs)
    for term in terms:
        profit = profit - term.legs
    return make_rows(names, unit=context.tick, long=profit, auxiliaries=tuple(auxiliaries))
