"""What a risk manager decides: units, loss factors and components with their constants, validated and digested.

A rule file says this in YAML or JSON (:mod:`prover.rules.rule_file`):

    schema: zkmargin-rule-1
    name: scenarios
    description: Scenario margin with charges and a limit on net delta.
    tick: 0.01
    lot_sizes: {BTC: 0.01, ETH: 0.1}
    loss_factor: {initial: 1, maintenance: 0.8}
    components:
      - component: scenario-grid
      - component: net-exposure-limit
        limit: {initial: 100000000, maintenance: 125000000}

Wherever a constant may differ between the kinds of margin, one number stands for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from eth_hash.auto import keccak
from pydantic import Field, model_validator

from prover.components.constants import Factor, PerKind, PositiveAmount, Record, refuse_dearer_maintenance
from prover.components.registry import AnyComponent  # noqa: TC001 - pydantic resolves it
from prover.errors import RuleBuildError
from prover.market.market_data import canonical_json
from prover.rules.quantise import DEFAULT_TICK
from prover.rules.spread_assumption import SpreadAssumption

if TYPE_CHECKING:
    from decimal import Decimal

SCHEMA: Final = "zkmargin-rule-1"


class RuleDefinition(Record):
    """All of a rule but the market; the module's docstring shows the file.

    Attributes:
        schema_name: fixed, names this format (``schema`` in files).
        name: of the rule.
        description: what it follows, and where it departs from that.
        tick: one unit of account, quote currency.
        lot_sizes: units in a lot, by coin or token.
        loss_factor: multiplies the profit or loss of every scenario.
        spread: stands in for missing quotes.
        components: parts of the rule, each component as often as it is needed.
    """

    schema_name: Literal["zkmargin-rule-1"] = Field(alias="schema")
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    description: str = ""
    tick: PositiveAmount = DEFAULT_TICK
    lot_sizes: dict[str, PositiveAmount]
    loss_factor: PerKind[Factor]
    spread: SpreadAssumption = Field(default_factory=SpreadAssumption)
    components: tuple[AnyComponent, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _maintenance_is_cheaper(self) -> Self:
        refuse_dearer_maintenance("loss_factor", self.loss_factor)
        return self

    def lot_size(self, name: str) -> Decimal:
        """Units of a coin or token in a lot.

        Raises:
            RuleBuildError: no lot size is set for it.
        """
        if name not in self.lot_sizes:
            known = ", ".join(sorted(self.lot_sizes))
            raise RuleBuildError(f"no lot size for {name!r} (set: {known}); add one to lot_sizes")
        return self.lot_sizes[name]

    @property
    def digest(self) -> bytes:
        """keccak256 of the canonical JSON; 32 bytes that name the rule beside its market."""
        return keccak(canonical_json(self.model_dump(mode="json", by_alias=True)))
