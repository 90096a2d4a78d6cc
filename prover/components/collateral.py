"""Collateral that is not cash: what tokens and coins count for, by name and by how thinly they trade."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from prover.components.constants import Charges, PerKind, PositiveAmount, Rate, refuse_dearer_maintenance
from prover.components.leg_charges import LegCharges
from prover.rules.rule_rows import ByKind, Contribution, Rows, make_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from prover.rules.rule_context import RuleContext
    from prover.rules.universe import Universe
    from verifier.rules.rule_kind import RuleKind

Multiple = Annotated[Decimal, Field(ge=0, le=100)]

FULL = ByKind(Decimal(1), Decimal(1))


class CollateralHaircut(Charges):
    """A share of the mark of every token or coin held, by its name; a short one is charged the same.

        long_i = short_i = size_i · haircut_i · mark_i

    Together with other haircuts it is never more than the whole mark. Scenarios move a coin by its whole mark all the
    same: more of it never hurts as long as the haircut leaves what the worst one takes, with moves of 18 % up to 0.8.

    Attributes:
        haircuts: by name of the token, as listed.
        other: of all other tokens; unless a file says otherwise they count for nothing.
    """

    component: Literal["collateral-haircut"] = "collateral-haircut"
    haircuts: dict[str, PerKind[Rate]] = Field(default_factory=dict)
    other: PerKind[Rate] = FULL

    @model_validator(mode="after")
    def _maintenance_is_cheaper_by_name(self) -> Self:
        for name, haircut in self.haircuts.items():
            refuse_dearer_maintenance(f"haircuts.{name}", haircut)
        return self

    def contribute(self, context: RuleContext) -> Contribution:
        """One row of costs a kind."""
        shares = ByKind.make(
            lambda kind: np.minimum(self.shares(context.universe, kind), _left_over(context, kind, before=self))
        )
        return Contribution(charges=shares.map(lambda share: _costs(context, "collateral haircut", share)))

    def shares(self, universe: Universe, kind: RuleKind) -> NDArray[np.float64]:
        """Haircut of every slot that is listed."""
        shares = np.zeros(universe.size)
        for slot in universe.slots.listed:
            haircut = self.haircuts.get(slot.instrument.name, self.other)
            shares[universe.slots.flat_index(slot)] = float(haircut.of(kind))
        return shares


class IlliquidCollateral(Charges):
    """A further haircut on tokens and coins whose book is thin when the rule is built.

        haircut_i = min(most, spread_multiple · h_i + thin_charge · max(0, 1 − V_i/deep_volume))
        long_i = short_i = size_i · haircut_i · mark_i

    h_i is half the spread between the prices against the trader, as a fraction of the mark; V_i is what trades in a
    day, at the mark. Haircuts of other components included, a token never counts for less than nothing.

    Attributes:
        spread_multiple: how often half the spread is lost when a position is sold in a hurry.
        thin_charge: haircut of a token that does not trade at all.
        deep_volume: daily volume from which on nothing is charged for volume, quote currency.
        most: the largest haircut.
    """

    component: Literal["illiquid-collateral"] = "illiquid-collateral"
    spread_multiple: PerKind[Multiple] = ByKind(Decimal(2), Decimal(1))
    thin_charge: PerKind[Rate] = ByKind(Decimal("0.2"), Decimal("0.1"))
    deep_volume: PositiveAmount = Decimal(100_000_000)
    most: Rate = Decimal(1)

    def contribute(self, context: RuleContext) -> Contribution:
        """One row of costs a kind."""
        shares = ByKind.make(lambda kind: self._shares(context, kind))
        return Contribution(charges=shares.map(lambda share: _costs(context, "illiquid collateral", share)))

    def _shares(self, context: RuleContext, kind: RuleKind) -> NDArray[np.float64]:
        universe = context.universe
        half_spread = (universe.buy_price - universe.sell_price) / (2 * np.where(universe.mark > 0, universe.mark, 1.0))
        thinness = np.maximum(0.0, 1 - universe.open_interest * universe.mark / float(self.deep_volume))
        haircut = float(self.spread_multiple.of(kind)) * half_spread + float(self.thin_charge.of(kind)) * thinness
        most = np.minimum(float(self.most), _left_over(context, kind))
        return np.asarray(np.minimum(most, haircut), dtype=np.float64)


def _left_over(context: RuleContext, kind: RuleKind, *, before: CollateralHaircut | None = None) -> NDArray[np.float64]:
    """What other haircuts of the rule leave of a token's mark; of several by name, those listed before one."""
    left = np.ones(context.universe.size)
    components = context.components
    earlier = next((place for place, component in enumerate(components) if component is before), len(components))
    for place, component in enumerate(components):
        if isinstance(component, CollateralHaircut) and place < earlier:
            left -= component.shares(context.universe, kind)
        if isinstance(component, LegCharges):
            left -= float(component.token_haircut.of(kind))
    return np.maximum(left, 0.0)


def _costs(context: RuleContext, name: str, share: NDArray[np.float64]) -> Rows:
    """A share of the mark of tokens and coins, on both legs."""
    universe = context.universe
    costs = np.where(universe.token, universe.lot_size * share * universe.mark, 0.0)[None, :]
    return make_rows((name,), unit=context.tick, long=costs, short=costs)
