"""Thresholds that follow the market or the account: evaluated when the rule is built.

A threshold is a base amount and, where it is dynamic, what it follows:

    limit: {initial: 100000000, maintenance: 125000000}
    follows: {by: volatility, reference: 0.6, power: 1, least: 0.25, most: 2}
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from prover.components.constants import PerKind, PositiveAmount, Rate, Record
from prover.components.exposure_measures import Measure, exposure_a_lot
from prover.errors import RuleBuildError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from prover.components.exposure_measures import ExposureGroup
    from prover.rules.rule_context import RuleContext
    from prover.rules.universe import Universe
    from verifier.rules.rule_kind import RuleKind

DAYS_PER_YEAR: Final = 365.0
Volatility = Annotated[Decimal, Field(gt=0, le=10)]
Multiple = Annotated[Decimal, Field(gt=0, le=1000)]


class FollowsVolatility(Record):
    """limit = base · clip((reference/σ)^power, least, most), σ the at-the-money volatility: tight in wild markets.

    σ is that of the option struck nearest its forward in the expiry nearest to ``days``; of several underlyings the
    highest counts.

    Attributes:
        reference: volatility at which the limit is the base, fraction.
        power: how strongly the limit follows.
        least, most: bounds of the multiple of the base.
        days: time to expiry at which σ is read.
    """

    by: Literal["volatility"] = "volatility"
    reference: Volatility
    power: Annotated[Decimal, Field(gt=0, le=4)] = Decimal(1)
    least: Multiple = Decimal("0.25")
    most: Multiple = Decimal(4)
    days: Annotated[Decimal, Field(gt=0, le=3650)] = Decimal(30)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.least > self.most:
            message = f"least = {self.least} is above most = {self.most}: swap them"
            raise ValueError(message)
        return self

    def limit(self, base: Decimal, universe: Universe, group: ExposureGroup) -> float:
        """The limit of a group, quote currency."""
        places = sorted(set(universe.underlying[group.slots]) - {-1})
        if not places:
            raise RuleBuildError(f"follows.by = 'volatility': {group.name} follows no coin; follow something else")
        volatility = max(self._at_the_money(universe, int(place)) for place in places)
        multiple: float = (float(self.reference) / volatility) ** float(self.power)
        return float(base) * min(max(multiple, float(self.least)), float(self.most))

    def _at_the_money(self, universe: Universe, underlying: int) -> float:
        options = np.flatnonzero(universe.option & (universe.underlying == underlying))
        if not len(options):
            name = universe.underlyings[underlying]
            raise RuleBuildError(f"follows.by = 'volatility': no option on {name} is listed; follow something else")
        distance = np.abs(universe.years[options] * DAYS_PER_YEAR - float(self.days))
        nearest = options[distance == distance.min()]
        moneyness = np.abs(np.log(universe.strike[nearest] / universe.forward[nearest]))
        return float(universe.volatility[nearest[moneyness.argmin()]])


class FollowsOpenInterest(Record):
    """limit = min(base, fraction · Σ open interest · |exposure of a unit|): no larger than the market can take back.

    Attributes:
        fraction: of the open interest.
    """

    by: Literal["open-interest"] = "open-interest"
    fraction: Rate

    def limit(self, base: Decimal, universe: Universe, group: ExposureGroup) -> float:
        """The limit of a group, quote currency."""
        a_unit = np.abs(group.exposure[group.slots]) / universe.lot_size[group.slots]
        return min(float(base), float(self.fraction) * float(universe.open_interest[group.slots] @ a_unit))


class FollowsCollateral(Record):
    """limit = base + multiple · (cash + collateral at marks): a row that stays linear; debt lowers it.

    Attributes:
        multiple: of the account's own collateral.
    """

    by: Literal["collateral"] = "collateral"
    multiple: Multiple

    def limit(self, base: Decimal, _universe: Universe, _group: ExposureGroup) -> float:
        """What of the limit does not depend on the account, quote currency."""
        return float(base)


Follows = Annotated[FollowsVolatility | FollowsOpenInterest | FollowsCollateral, Field(discriminator="by")]


class Threshold(Record):
    """What components that bound an exposure have in common.

    Attributes:
        limit: base amount, quote currency; maintenance is never tighter than initial margin.
        follows: what makes it dynamic; nothing by default.
    """

    limit: PerKind[PositiveAmount]
    follows: Follows | None = None

    @model_validator(mode="after")
    def _maintenance_is_wider(self) -> Self:
        if self.limit.maintenance < self.limit.initial:
            message = (
                f"limit.maintenance = {self.limit.maintenance} is below limit.initial = {self.limit.initial}: raise it"
            )
            raise ValueError(message)
        return self

    def limit_now(self, context: RuleContext, kind: RuleKind, group: ExposureGroup) -> Decimal:
        """The limit of a group in this market, whole ticks.

        Raises:
            RuleBuildError: the market has nothing that it could follow.
        """
        base = self.limit.of(kind)
        if self.follows is None:
            return base
        ticks = Decimal(self.follows.limit(base, context.universe, group)) / context.tick
        return ticks.to_integral_value(ROUND_FLOOR) * context.tick

    def own_collateral(self, universe: Universe) -> NDArray[np.float64]:
        """What one lot held long adds to the limit, quote currency, by flat slot."""
        if not isinstance(self.follows, FollowsCollateral):
            return np.zeros(universe.size)
        value = np.where(universe.cash, universe.lot_size, 0.0) + exposure_a_lot(universe, Measure.COLLATERAL)
        return np.asarray(float(self.follows.multiple) * value, dtype=np.float64)
