"""Charge on net deltas with a credit for spreads between underlyings."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import Field, model_validator
from scipy.optimize import linprog

from prover.components.constants import Charges, PerKind, Rate, Record
from prover.components.span_terms import OffsetRisk
from prover.errors import AuxiliaryError
from prover.rules.auxiliaries import Auxiliary, assign_least
from prover.rules.rule_rows import ByKind, Contribution, Rows, make_rows, stack_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prover.rules.auxiliaries import DefinitionSystem
    from prover.rules.rule_context import RuleContext
    from verifier.rules.rule_kind import RuleKind


class SpreadPair(Record):
    """Two underlyings whose opposite deltas offset.

    Attributes:
        underlyings: the two.
        credit: fraction of the delta notional that is spread.
    """

    underlyings: tuple[str, str]
    credit: Rate


class SpreadCredit(Charges):
    """Charge C = leg · Σ_u |Δ_u| − Σ_p credit_p · spread_p, the best assignment of deltas to pairs p.

    Δ_u is the net delta notional of underlying u. With auxiliaries a_u⁺, a_u⁻, C and, a pair, s_p (long the first) and
    s'_p (short the first), all ≥ 0:

        a_u⁺ − a_u⁻ − Σ_i e_i · (v[4i] − v[4i+1]) = 0
        a_u⁺ − Σ s ≥ 0,  a_u⁻ − Σ s ≥ 0                 over the spreads that use that side of u
        C − leg · Σ_u (a_u⁺ + a_u⁻) + Σ_p credit_p · (s_p + s'_p) ≥ 0
        charge = share · C

    Raising a_u⁺ and a_u⁻ together costs 2 · leg and lets at most two more spreads in: it must not pay, so no credit may
    exceed ``leg``. The equality rounds deltas to whole units, half a unit a lot at most, and C counts that against the
    trader. The spreads are solved by linear programming and rounded down.

    Attributes:
        leg: fraction of the delta notional of each underlying.
        pairs: with their credits.
        share: of C that is charged.
    """

    component: Literal["spread-credit"] = "spread-credit"
    leg: Rate
    pairs: tuple[SpreadPair, ...] = Field(min_length=1)
    share: PerKind[Rate] = ByKind(Decimal(1), Decimal(1))

    @model_validator(mode="after")
    def _no_free_box(self) -> Self:
        for pair in self.pairs:
            if pair.credit > self.leg:
                message = (
                    f"pairs: credit = {pair.credit} of {'/'.join(pair.underlyings)} is above leg = {self.leg}: holding "
                    "both sides of both legs would create value (a free box); lower the credit or raise leg"
                )
                raise ValueError(message)
            if pair.underlyings[0] == pair.underlyings[1]:
                message = f"pairs: {pair.underlyings[0]} is paired with itself: name two underlyings"
                raise ValueError(message)
        named = [frozenset(pair.underlyings) for pair in self.pairs]
        if len(set(named)) != len(named):
            message = "pairs: a pair is listed twice: keep one"
            raise ValueError(message)
        return self

    def contribute(self, context: RuleContext) -> Contribution:
        """Equalities, definition rows and the charge; pairs with an underlying that the market lacks give no credit."""
        names = context.universe.underlyings
        sides = {name: OffsetRisk.of(context, name) for name in names}
        spreads = tuple(
            spread
            for pair in self.pairs
            if set(pair.underlyings) <= set(names)
            for spread in _spreads_of(context, pair, sides)
        )
        cost = Auxiliary("spread charge", context.tick)
        return Contribution(
            auxiliaries=(
                *(side for risk in sides.values() for side in (risk.long, risk.short)),
                *(spread.size for spread in spreads),
                cost,
            ),
            definitions=stack_rows(*_bounds(context, sides, spreads), self._cost(context, cost, sides, spreads)),
            equalities=stack_rows(*(risk.equality(context, name, 1.0) for name, risk in sides.items())),
            charges=ByKind.make(lambda kind: self._charge(context, kind, cost)),
            solver=SpreadSolver(tuple(sides.values()), spreads),
        )

    def _cost(
        self, context: RuleContext, cost: Auxiliary, sides: dict[str, OffsetRisk], spreads: Sequence[Spread]
    ) -> Rows:
        """C covers legs less credits, and half a unit a lot by which the equalities may round deltas."""
        universe = context.universe
        legs = {side: -Fraction(self.leg) for risk in sides.values() for side in (risk.long, risk.short)}
        gains = {spread.size: Fraction(spread.credit) for spread in spreads}
        rounding = np.where(universe.underlying >= 0, -float(self.leg * context.tick), 0.0)[None, :]
        return make_rows(
            (cost.name,),
            unit=context.tick,
            long=rounding,
            short=rounding,
            auxiliaries=({cost: Fraction(1)} | legs | gains,),
        )

    def _charge(self, context: RuleContext, kind: RuleKind, cost: Auxiliary) -> Rows:
        nothing = np.zeros((1, context.universe.size))
        share = Fraction(self.share.of(kind))
        return make_rows((cost.name,), unit=context.tick, long=nothing, auxiliaries=({cost: share},))


@dataclass(frozen=True, slots=True)
class Spread:
    """Long one underlying and short the other.

    Attributes:
        size: s, delta notional.
        sides: the auxiliaries that it may not exceed.
        credit: fraction of its size.
    """

    size: Auxiliary
    sides: tuple[Auxiliary, Auxiliary]
    credit: Decimal


def _spreads_of(context: RuleContext, pair: SpreadPair, sides: dict[str, OffsetRisk]) -> tuple[Spread, Spread]:
    first, second = pair.underlyings
    long = Auxiliary(f"spread of long {first}, short {second}", context.tick)
    short = Auxiliary(f"spread of short {first}, long {second}", context.tick)
    return (
        Spread(long, (sides[first].long, sides[second].short), pair.credit),
        Spread(short, (sides[first].short, sides[second].long), pair.credit),
    )


def _bounds(context: RuleContext, sides: dict[str, OffsetRisk], spreads: Sequence[Spread]) -> Iterator[Rows]:
    """What is spread on a side is no more than the side."""
    nothing = np.zeros((1, context.universe.size))
    for side in (side for risk in sides.values() for side in (risk.long, risk.short)):
        used = {spread.size: Fraction(-1) for spread in spreads if side in spread.sides}
        if used:
            name = f"spreads of {side.name}"
            yield make_rows((name,), unit=context.tick, long=nothing, auxiliaries=({side: Fraction(1)} | used,))


@dataclass(frozen=True, slots=True)
class SpreadSolver:
    """Sides from their equalities, spreads by linear programming (HiGHS), rounded down, then what they cost."""

    risks: tuple[OffsetRisk, ...]
    spreads: tuple[Spread, ...]

    def __call__(self, system: DefinitionSystem, auxiliaries: tuple[Auxiliary, ...]) -> None:
        """Assign all of them."""
        for risk in self.risks:
            risk.solve(system)
        room = {side: system.values[side] for risk in self.risks for side in (risk.long, risk.short)}
        for spread, size in zip(self.spreads, self._best(room), strict=True):
            whole = min(floor(size), *(room[side] for side in spread.sides))
            system.assign(spread.size, whole)
            for side in spread.sides:
                room[side] -= whole
        assign_least(system, tuple(auxiliary for auxiliary in auxiliaries if auxiliary not in system.values))

    def _best(self, room: dict[Auxiliary, int]) -> list[float]:
        """Sizes with the greatest credit; half a unit is added so that rounding down keeps whole solutions."""
        if not self.spreads:
            return []
        uses = np.array([[side in spread.sides for spread in self.spreads] for side in room], dtype=np.float64)
        largest = max(1, *room.values())
        solved = linprog(
            [-float(spread.credit) for spread in self.spreads],
            A_ub=uses,
            b_ub=[value / largest for value in room.values()],
            method="highs",
        )
        if not solved.success or solved.x is None:
            raise AuxiliaryError(self.spreads[0].size.name)
        return [max(0.0, float(value) * largest + 0.5) for value in solved.x]
