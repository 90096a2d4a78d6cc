"""Static discount: what options are worth after a shock counts less held long and more held short."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from prover.components.constants import Record
from prover.errors import RuleBuildError
from prover.market.pricing import black76
from prover.rules.auxiliaries import Auxiliary
from prover.rules.rule_rows import Contribution, make_rows, stack_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from prover.rules.rule_context import RuleContext
    from prover.rules.rule_rows import Rows
    from prover.rules.scenarios import Scenario
    from prover.rules.slot_facts import ExpiryGroup
    from prover.rules.universe import Universe

Base = Annotated[Decimal, Field(ge=0, le=100)]
Constant = Annotated[Decimal, Field(ge=-100, le=100)]
ExpiryName = Annotated[str, Field(pattern=r"^[A-Z0-9]+-[0-9]{1,2}[A-Z]{3}[0-9]{2}$")]

Form = Literal["exact", "banded", "by-leg"]

MOST_EXACT_EXPIRIES: Final = 3
MOST_BANDED_EXPIRIES: Final = 7
"""Up to so many expiries these forms fit the free columns of a book, beside 29 scenarios, basis and skews."""


class StaticDiscount(Record):
    """Options of expiry e are worth D(M'_e) after scenario s, D(M) = dPos · M where M ≥ 0, else dNeg · M.

        dPos = long_base · exp(−T (r · long_rate_multiple + long_rate_add))
        dNeg = min(exp(r T), short_base · exp(T (r · short_rate_multiple + short_rate_add)))

    Where dPos ≤ dNeg, D(M) = min(dPos · M, dNeg · M) is concave, so it fits a rule. *Exact*, with w_s the scenario's
    weight and an auxiliary n_{e,s} ≥ 0 an expiry and scenario:

        n_{e,s} + w_s · (dNeg − dPos) · M'_e ≥ 0,        profit_s = Σ_e (w_s · (dPos · M'_e − M_e) − n_{e,s}) + …

    *Banded*, scenarios of neighbouring prices share an auxiliary n_{e,g}: a long leg counts for the least that it is
    worth in any scenario of the band g, a short leg for the most.

        n_{e,g} + (dNeg − dPos) · Σ_i size_i · (v[4i] · min_{s∈g} w_s V_i(s) − v[4i+1] · max_{s∈g} w_s V_i(s)) ≥ 0

    It asks for more where an expiry is worth less than nothing or little, by (dNeg − dPos) times what its value varies
    within the band. *By leg*, without auxiliaries, a long leg at dPos and a short leg at dNeg: dPos · L − dNeg · S ≤
    D(L − S), which asks for up to (dNeg − dPos) · min(L, S) more where an expiry is held on both sides.
    dNeg < dPos is refused: D would be convex, the rule not.
    Source: Derive's portfolio margin (PMRM), version 2; defaults are its constants.

    Attributes:
        long_base, long_rate_multiple, long_rate_add: of dPos.
        short_base, short_rate_multiple, short_rate_add: of dNeg.
        rate: interest rate r a year; below zero it counts as zero.
        rates: of single expiries, by their name as in ``BTC-27DEC24``.
        mode: a form, or ``automatic``: exact up to three expiries, banded up to seven, by leg beyond.
        bands: price moves at which a band ends and the next begins, rising.
    """

    long_base: Base = Decimal("0.95")
    long_rate_multiple: Constant = Decimal(1)
    long_rate_add: Constant = Decimal("0.08")
    short_base: Base = Decimal("1.04")
    short_rate_multiple: Constant = Decimal("0.5")
    short_rate_add: Constant = Decimal("0.08")
    rate: Constant = Decimal(0)
    rates: dict[ExpiryName, Constant] = Field(default_factory=dict)
    mode: Literal["exact", "banded", "by-leg", "automatic"] = "automatic"
    bands: tuple[Decimal, ...] = tuple(map(Decimal, ("-0.25", "-0.16", "-0.02", "0.11", "0.16", "0.3")))

    @model_validator(mode="after")
    def _bands_rise(self) -> Self:
        if list(self.bands) != sorted(set(self.bands)):
            message = f"bands = {', '.join(map(str, self.bands))} do not rise: order them, each once"
            raise ValueError(message)
        return self

    def factors(self, group: ExpiryGroup) -> tuple[float, float]:
        """Factors dPos and dNeg of an expiry.

        Raises:
            RuleBuildError: dNeg < dPos.
        """
        rate, years = max(float(self.rates.get(group.name, self.rate)), 0.0), group.years
        positive = float(self.long_base) * math.exp(
            -years * (rate * float(self.long_rate_multiple) + float(self.long_rate_add))
        )
        growth = math.exp(years * (rate * float(self.short_rate_multiple) + float(self.short_rate_add)))
        negative = min(math.exp(rate * years), float(self.short_base) * growth)
        if negative < positive:
            raise RuleBuildError(
                f"static_discount: short_base = {self.short_base} with long_base = {self.long_base} counts options of "
                f"{group.name} at {negative:.4f} held short and {positive:.4f} held long; both at once would be worth "
                "more than nothing, which is not convex: raise short_base or lower long_base"
            )
        return positive, negative

    def form(self, universe: Universe) -> Form:
        """How the rule is built."""
        if self.mode != "automatic":
            return self.mode
        expiries = len(option_expiries(universe))
        if expiries <= MOST_EXACT_EXPIRIES:
            return "exact"
        return "banded" if expiries <= MOST_BANDED_EXPIRIES else "by-leg"

    def contribute(
        self, context: RuleContext, scenarios: tuple[Scenario, ...], profit: NDArray[np.float64]
    ) -> Contribution:
        """Scenario rows of a grid; ``profit`` is of one lot held long without the discount, after weights."""
        universe, form = context.universe, self.form(context.universe)
        weights = np.array([[scenario.weight] for scenario in scenarios])
        after = np.where(universe.option, weights * universe.lot_size * option_value(universe) + profit, 0.0)
        positive, negative = self._factors_by_slot(universe)
        held_long = profit + (positive - 1) * after
        names = tuple(scenario.name for scenario in scenarios)
        if form == "by-leg":
            held_short = -profit - (negative - 1) * after
            return Contribution(profits=make_rows(names, unit=context.tick, long=held_long, short=held_short))
        bands = self._bands(scenarios) if form == "banded" else {name: [row] for row, name in enumerate(names)}
        profits = make_rows(names, unit=context.tick, long=held_long)
        return _by_band(context, bands, profits, (negative - positive) * after)

    def _bands(self, scenarios: tuple[Scenario, ...]) -> dict[str, list[int]]:
        """Rows of the scenarios of every band, by what it is called."""
        places = np.digitize([scenario.price_move for scenario in scenarios], [float(edge) for edge in self.bands])
        edges = ["lowest", *(f"{float(edge) * 100:+g} %" for edge in self.bands), "highest"]
        return {
            f"prices {edges[place]} to {edges[place + 1]}": [int(row) for row in np.flatnonzero(places == place)]
            for place in np.unique(places)
        }

    def _factors_by_slot(self, universe: Universe) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Factors dPos and dNeg of the expiry of every option, 1 elsewhere."""
        positive, negative = np.ones((2, universe.size))
        for place in option_expiries(universe):
            own = universe.option & (universe.expiry == place)
            positive[own], negative[own] = self.factors(universe.expiries[place])
        return positive, negative


def option_value(universe: Universe) -> NDArray[np.float64]:
    """Value of one unit of every option by Black-76 at its mark volatility, quote currency; zero elsewhere."""
    value, places = np.zeros(universe.size), universe.option_index
    value[places] = black76(universe.option_terms, universe.forward[places], universe.option_volatility)
    return value


def option_expiries(universe: Universe) -> list[int]:
    """Places among the universe's expiries of those that have options."""
    return [int(place) for place in np.unique(universe.expiry[universe.option])]


def _by_band(
    context: RuleContext, bands: dict[str, list[int]], profits: Rows, steeper: NDArray[np.float64]
) -> Contribution:
    """An auxiliary an expiry and band of scenarios, by the rows of the scenarios in it.

    Args:
        context: of the rule.
        bands: rows of scenarios by the name of their band.
        profits: at dPos.
        steeper: (dNeg − dPos) times the value of one lot of every option after the scenario, [scenario, slot].
    """
    universe = context.universe
    definitions: list[Rows] = []
    shortfalls: list[dict[Auxiliary, Fraction]] = [{} for _ in profits.names]
    for place in option_expiries(universe):
        own = universe.option & (universe.expiry == place)
        for name, rows in bands.items():
            short = Auxiliary(f"short {universe.expiries[place].name}, {name}", context.tick)
            worth = np.where(own, steeper[rows], 0.0)
            definitions.append(
                make_rows(
                    (short.name,),
                    unit=context.tick,
                    long=worth.min(axis=0, keepdims=True),
                    short=-worth.max(axis=0, keepdims=True),
                    auxiliaries=({short: Fraction(1)},),
                )
            )
            for row in rows:
                shortfalls[row][short] = Fraction(-1)
    return Contribution(
        auxiliaries=tuple(auxiliary for row in definitions for auxiliary in row.auxiliaries[0]),
        definitions=stack_rows(*definitions) if definitions else None,
        profits=replace(profits, auxiliaries=tuple(shortfalls)),
    )
