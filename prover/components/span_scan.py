"""SPAN: the worst of 16 scenarios of each underlying, spreads between months, credits between underlyings."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from prover.components.constants import Rate, Record
from prover.components.span_terms import SPAN_MOVES, Offset, ScenarioTerms, inter_month_terms, scan_rows
from prover.errors import InstrumentNameError, RuleBuildError
from prover.market.instrument_names import parse_instrument
from prover.rules.auxiliaries import Auxiliary, assign_least
from prover.rules.rule_rows import Contribution, make_rows, stack_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from prover.rules.auxiliaries import DefinitionSystem
    from prover.rules.rule_context import RuleContext
    from prover.rules.rule_rows import Rows
    from prover.rules.universe import Universe

LOWEST_VOLATILITY: Final = 0.01
Range = Annotated[Decimal, Field(gt=0, lt=1)]


class SpreadCredit(Record):
    """Risk of two underlyings that offsets: long the one, short the other, each measured by its scan range.

    Attributes:
        underlyings: the two.
        credit: share of the offsetting risk that each of both sides is let off.
    """

    underlyings: tuple[str, str]
    credit: Rate


@dataclass(frozen=True, slots=True, eq=False)
class _Commodity:
    """What is scanned together.

    Attributes:
        underlyings: one, or all in a joint scan.
        risk: R.
        margin: M, or R where there is nothing between them.
        terms: of its scenarios.
        offset: with another one.
    """

    underlyings: tuple[str, ...]
    risk: Auxiliary
    margin: Auxiliary
    terms: tuple[ScenarioTerms, ...]
    offset: Offset | None


@dataclass(frozen=True, slots=True)
class SpanSolver:
    """Terms first, then what offsets, then risks and margins, each as small as its rows allow."""

    offsets: tuple[Offset, ...]

    def __call__(self, system: DefinitionSystem, auxiliaries: tuple[Auxiliary, ...]) -> None:
        """Assign all of them."""
        for offset in self.offsets:
            offset.solve(system)
        assign_least(system, tuple(auxiliary for auxiliary in auxiliaries if auxiliary not in system.values))


class SpanScan(Record):
    """SPAN risk as one profit row, Σ_u of max(scan + inter-month − credit, short option minimum) of underlying u.

    With R_u, M_u ≥ 0 an underlying, profit_{s,u} of scenario s on its instruments, and terms by :mod:`span_terms`:

        R_u + profit_{s,u} − terms_s ≥ 0             for the 16 scenarios, and with profit 0 where there are terms
        M_u − R_u + s + s' ≥ 0,  M_u ≥ minimum_u     where there are credits or minimums
        profit = −Σ_u M_u                            (R_u where there are none)

    Net option value is in the equity at marks already. Exact but for the two terms, which are never less than SPAN's.

    Attributes:
        price_scan_range: relative price move by underlying.
        volatility_scan_range: move of implied volatility by underlying, as a fraction (0.1 is 10 points).
        risk_arrays: loss of one unit held long in each scenario by instrument, extreme ones weighted already; stated
            arrays take the place of computed ones.
        inter_month: by underlying, rate on the delta notional spread between months; perpetuals and coins are a month.
        inter_commodity: credits; an underlying takes part in one at most.
        short_option_minimum: by underlying, a unit of a short option, fraction of the index price.
        joint: scan all underlyings in the same scenarios, their ranges in proportion, instead of each on its own.
    """

    component: Literal["span-scan"] = "span-scan"
    price_scan_range: dict[str, Range]
    volatility_scan_range: dict[str, Range] = Field(default_factory=dict)
    risk_arrays: dict[str, tuple[Decimal, ...]] = Field(default_factory=dict)
    inter_month: dict[str, Rate] = Field(default_factory=dict)
    inter_commodity: tuple[SpreadCredit, ...] = ()
    short_option_minimum: dict[str, Rate] = Field(default_factory=dict)
    joint: bool = False

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name, losses in self.risk_arrays.items():
            try:
                parse_instrument(name)
            except InstrumentNameError as error:
                message = f"risk_arrays: {error}"
                raise ValueError(message) from error
            if len(losses) != len(SPAN_MOVES):
                message = f"risk_arrays.{name} has {len(losses)} losses: give {len(SPAN_MOVES)}"
                raise ValueError(message)
        partners = [name for pair in self.inter_commodity for name in pair.underlyings]
        for name in partners:
            if partners.count(name) > 1:
                message = f"inter_commodity: {name} takes part more than once: keep one credit for each underlying"
                raise ValueError(message)
        if self.joint and (self.inter_commodity or self.short_option_minimum):
            message = "joint = True: one scan has neither credits between underlyings nor minimums of each: drop them"
            raise ValueError(message)
        return self

    def contribute(self, context: RuleContext) -> Contribution:
        """Rows of every scan, of the terms, and one profit row."""
        names = context.universe.underlyings
        self._require_ranges(names)
        commodities = [
            self._commodity(context, group) for group in ([names] if self.joint else [(one,) for one in names])
        ]
        offsets = tuple(dict.fromkeys(item.offset for item in commodities if item.offset is not None))
        profit = context.universe.lot_size * self.unit_profit(context.universe)
        definitions = [rows for item in commodities for rows in self._definitions(context, item, profit)]
        equalities = [rows for item in commodities for rows in self._equalities(context, item)]
        total = dict.fromkeys((item.margin for item in commodities), Fraction(-1))
        nothing = np.zeros((1, context.universe.size))
        terms = [auxiliary for item in commodities for term in item.terms for auxiliary in term.auxiliaries]
        matched = [auxiliary for offset in offsets for auxiliary in offset.matched]
        risks = dict.fromkeys(auxiliary for item in commodities for auxiliary in (item.risk, item.margin))
        return Contribution(
            auxiliaries=(*terms, *matched, *risks),
            definitions=stack_rows(*definitions, *(offset.rows(context) for offset in offsets)),
            equalities=stack_rows(*equalities) if equalities else None,
            profits=make_rows(("span risk",), unit=context.tick, long=nothing, auxiliaries=(total,)),
            solver=SpanSolver(offsets),
        )

    def _commodity(self, context: RuleContext, underlyings: tuple[str, ...]) -> _Commodity:
        name, first = " and ".join(underlyings), underlyings[0]
        listed = [pair for pair in self.inter_commodity if set(pair.underlyings) <= set(context.universe.underlyings)]
        offset = next((Offset.between(context, pair.underlyings) for pair in listed if first in pair.underlyings), None)
        terms = [
            inter_month_terms(context, one, self.inter_month[one]) for one in underlyings if one in self.inter_month
        ]
        if offset is not None:
            terms.append(offset.risk_of(first).terms(context.universe))
        risk = Auxiliary(f"scan risk {name}", context.tick)
        plain = offset is None and first not in self.short_option_minimum
        margin = risk if plain else Auxiliary(f"margin {name}", context.tick)
        return _Commodity(underlyings, risk, margin, tuple(terms), offset)

    def _definitions(self, context: RuleContext, item: _Commodity, profit: NDArray[np.float64]) -> Iterator[Rows]:
        universe, nothing = context.universe, np.zeros((1, context.universe.size))
        own = np.isin(universe.underlying, [universe.underlyings.index(name) for name in item.underlyings])
        yield from (term.definitions for term in item.terms if term.definitions is not None)
        yield scan_rows(context, item.risk, np.where(own, profit, 0.0), item.terms)
        if item.margin == item.risk:
            return
        matched = dict.fromkeys(item.offset.matched if item.offset else (), Fraction(1))
        after = {item.margin: Fraction(1), item.risk: Fraction(-1)} | matched
        rounding = nothing if item.offset is None else item.offset.rounding(context)
        yield make_rows(
            (f"{item.margin.name}: risk",), unit=context.tick, long=-rounding, short=-rounding, auxiliaries=(after,)
        )
        rate = self.short_option_minimum.get(item.underlyings[0])
        if rate is not None:
            yield make_rows(
                (f"{item.margin.name}: short option minimum",),
                unit=context.tick,
                long=nothing,
                short=-float(rate) * (universe.lot_size * universe.index_price * (universe.option & own))[None, :],
                auxiliaries=({item.margin: Fraction(1)},),
            )

    def _equalities(self, context: RuleContext, item: _Commodity) -> Iterator[Rows]:
        if item.offset is not None:
            name = item.underlyings[0]
            credit = next(pair.credit for pair in self.inter_commodity if pair.underlyings == item.offset.underlyings)
            rate = float(credit * self.price_scan_range[name])
            yield item.offset.risk_of(name).equality(context, name, rate)

    def _require_ranges(self, names: Sequence[str]) -> None:
        for field in ("price_scan_range", "volatility_scan_range"):
            missing = [name for name in names if name not in getattr(self, field)]
            if missing:
                raise RuleBuildError(f"{field} has no range for {missing[0]}, which the market lists; add one")

    def unit_profit(self, universe: Universe) -> NDArray[np.float64]:
        """Profit of one unit held long after weights, [scenario, slot], quote currency."""
        ranges = np.array([float(self.price_scan_range[name]) for name in universe.underlyings])
        points = np.array([float(self.volatility_scan_range[name]) for name in universe.underlyings])
        moves = np.array([float(move.price) for move in SPAN_MOVES])[:, None]
        steps = np.array([move.volatility for move in SPAN_MOVES])[:, None]
        volatilities = universe.option_volatility + steps * points[universe.underlying[universe.option_index]]
        factors = np.maximum(1 + moves * ranges, 0.0)
        weights = np.array([float(move.weight) for move in SPAN_MOVES])[:, None]
        profit = weights * universe.profit(factors, np.maximum(volatilities, LOWEST_VOLATILITY))
        for slot in universe.slots.listed:
            stated = self.risk_arrays.get(slot.instrument.name)
            if stated is not None:
                profit[:, universe.slots.flat_index(slot)] = [-float(loss) for loss in stated]
        return profit
