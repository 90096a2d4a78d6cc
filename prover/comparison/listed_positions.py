"""Markets of one book that hold the positions of a case, and rules compiled for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from prover.market.instruments import Cash
from prover.rules.portfolio import Portfolio
from prover.rules.quantise import DEFAULT_TICK
from prover.rules.rule_builder import MarketOrigin, build_rules, compile_rules
from prover.rules.rule_definition import SCHEMA, RuleDefinition
from prover.rules.rule_file import shipped_rule
from prover.rules.slot_facts import NOTHING, SlotFacts, SlotKind
from prover.rules.slots import Slot, SlotTable
from prover.rules.universe import assemble_universe
from verifier.shape import STANDARD

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from numpy.typing import NDArray

    from prover.components.registry import AnyComponent
    from prover.market.instruments import Instrument
    from prover.market.market_data import MarketSnapshot
    from prover.rules.built_rule import BuiltRule
    from prover.rules.rule_context import Component
    from prover.rules.universe import Universe

CURRENCY: Final = "USD"

ComponentType = TypeVar("ComponentType", bound="Component")
CASH: Final = SlotFacts(
    kind=SlotKind.CASH,
    lot_size=float(DEFAULT_TICK),
    mark=1.0,
    sell_price=1.0,
    buy_price=1.0,
    confidence=1.0,
    spot_confidence=1.0,
)


@dataclass(frozen=True, slots=True)
class Position:
    """An instrument that a case holds.

    Attributes:
        instrument: what it is called in the listing.
        lot_size: units.
        facts: what the market says of it.
        lots: held.
    """

    instrument: Instrument
    lot_size: Decimal
    facts: SlotFacts
    lots: int = field(repr=False)


def list_positions(
    positions: Sequence[Position], *, books: int = 1, cash: int = 0, stable_price: float = 1.0
) -> tuple[Universe, Portfolio]:
    """Cash in slot 0, so many ticks of it, and the positions after it, in the first of the books."""
    size = STANDARD.slots
    slots = tuple(
        Slot(0, 1 + place, position.instrument, position.lot_size) for place, position in enumerate(positions)
    )
    table = SlotTable(books, size, (Slot(0, 0, Cash(CURRENCY), DEFAULT_TICK), *slots))
    facts = [CASH, *(position.facts for position in positions)]
    facts += [NOTHING] * (books * size - len(facts))
    lots = [cash, *(position.lots for position in positions)]
    held = np.array(lots + [0] * (books * size - len(lots)), dtype=np.int64).reshape(books, size)
    return assemble_universe(table, facts, stable_price=stable_price), Portfolio(
        table, tuple(map(tuple, held.tolist()))
    )


def rules_with(
    universe: Universe, *components: AnyComponent, maintenance_factor: float = 1.0
) -> tuple[BuiltRule, BuiltRule]:
    """Initial and maintenance rule of these components alone.

    Raises:
        RuleBuildError: a component refuses its constants or this market.
    """
    definition = RuleDefinition.model_validate(
        {
            "schema": SCHEMA,
            "name": "comparison",
            "tick": DEFAULT_TICK,
            "lot_sizes": {slot.instrument.coin: slot.lot_size for slot in universe.slots.listed},
            "loss_factor": {"initial": 1, "maintenance": str(maintenance_factor)},
            "components": components,
        }
    )
    return compile_rules(universe, definition, MarketOrigin(CURRENCY, 0, bytes(32)), shape=STANDARD)


def shipped_component(
    snapshot: MarketSnapshot, rule: str, kind: type[ComponentType]
) -> tuple[Universe, ComponentType, float]:
    """A market listed under a shipped rule, the rule's component of a kind, and its loss factor of maintenance."""
    definition = shipped_rule(rule)
    component = next(part for part in definition.components if isinstance(part, kind))
    return build_rules(snapshot, definition)[0].universe, component, float(definition.loss_factor.maintenance)


def quantities_of(universe: Universe, portfolio: Portfolio) -> NDArray[np.float64]:
    """Units held, by flat slot. Secret."""
    lots = np.array(portfolio.lots, dtype=np.float64).reshape(-1)
    return np.asarray(universe.lot_size * lots, dtype=np.float64)
