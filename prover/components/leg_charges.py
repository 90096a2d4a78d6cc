"""Charges on long and short legs: what closing costs, and what holding an instrument at all must leave over."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from prover.components.constants import Charges, PerKind, Rate
from prover.rules.rule_rows import ByKind, Contribution, Rows, make_rows

if TYPE_CHECKING:
    from prover.rules.rule_context import RuleContext
    from prover.rules.universe import Universe
    from verifier.rules.rule_kind import RuleKind

FREE: Final = ByKind(Decimal(0), Decimal(0))


class LegCharges(Charges):
    """Costs of one lot of each leg, S being the index price.

        long_i  = size_i · ((mark_i − sell_i) + rate_i · S)
        short_i = size_i · ((buy_i − mark_i) + (rate_i + short option rate, for options) · S)

    sell ≤ mark ≤ buy are the prices against the trader; without ``spread`` that part is left out.

    Attributes:
        spread: whether to value positions at the prices against the trader instead of at the mark.
        perpetual: rate of perpetuals, long or short, fraction of the index price.
        future: rate of dated futures, long or short, fraction of the index price.
        option: rate of options, long or short (liquidity), fraction of the index price.
        short_option: rate of short options on top, fraction of the index price.
        token_haircut: of collateral tokens and coins held, fraction of their mark; a short one is charged the same.
    """

    component: Literal["leg-charges"] = "leg-charges"
    spread: bool = True
    perpetual: PerKind[Rate] = FREE
    future: PerKind[Rate] = FREE
    option: PerKind[Rate] = FREE
    short_option: PerKind[Rate] = FREE
    token_haircut: PerKind[Rate] = FREE

    def contribute(self, context: RuleContext) -> Contribution:
        """One row of costs a kind."""
        return Contribution(charges=ByKind.make(lambda kind: self._costs(context, kind)))

    def _costs(self, context: RuleContext, kind: RuleKind) -> Rows:
        universe = context.universe
        both = (
            float(self.perpetual.of(kind)) * universe.perpetual
            + float(self.future.of(kind)) * universe.future
            + float(self.option.of(kind)) * universe.option
            + float(self.token_haircut.of(kind)) * universe.token
        ) * universe.index_price
        short_option = float(self.short_option.of(kind)) * universe.option * universe.index_price
        closing_long, closing_short = self._spreads(universe)
        return make_rows(
            ("leg charges",),
            unit=context.tick,
            long=(universe.lot_size * (closing_long + both))[None, :],
            short=(universe.lot_size * (closing_short + both + short_option))[None, :],
        )

    def _spreads(self, universe: Universe) -> tuple[np.ndarray, np.ndarray]:
        if not self.spread:
            return np.zeros(universe.size), np.zeros(universe.size)
        return universe.mark - universe.sell_price, universe.buy_price - universe.mark
