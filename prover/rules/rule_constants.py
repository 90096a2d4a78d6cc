"""The constants of a margin rule: what a risk manager decides, validated and digested.

Rates are fractions, charges are per unit of the underlying as a fraction of its index price, limits are in quote
currency. Maintenance must never ask for more than initial margin.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final, Literal, Self

from eth_hash.auto import keccak
from pydantic import BaseModel, ConfigDict, Field, model_validator

from prover.errors import RuleBuildError
from prover.market.market_data import canonical_json
from prover.rules.quantise import DEFAULT_TICK
from prover.rules.scenarios import SMALL_GRID, STANDARD_GRID, ScenarioGrid
from verifier.rule_kind import RuleKind

Factor = Annotated[Decimal, Field(gt=0, le=2)]
Rate = Annotated[Decimal, Field(ge=0, le=1)]
PositiveAmount = Annotated[Decimal, Field(gt=0, lt=10**12)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class MarginRates(_Record):
    """What differs between initial and maintenance margin.

    Attributes:
        loss_factor: multiplies the profit or loss of every scenario.
        short_option_charge: per unit of a short option, fraction of the index price.
        perpetual_charge: per unit of a perpetual, long or short, fraction of the index price.
        net_delta_limit: the largest |net delta| at the index price, quote currency.
    """

    loss_factor: Factor
    short_option_charge: Rate
    perpetual_charge: Rate
    net_delta_limit: PositiveAmount


class SpreadAssumption(_Record):
    """Half the spread between bid and ask where one of them is missing; the larger of the two parts counts.

    Attributes:
        of_option_mark: fraction of an option's mark.
        of_forward: fraction of an option's forward.
        of_perpetual_mark: fraction of a perpetual's mark.
    """

    of_option_mark: Rate = Decimal("0.05")
    of_forward: Rate = Decimal("0.0005")
    of_perpetual_mark: Rate = Decimal("0.0005")


class RuleConstants(_Record):
    """All of a rule but the market: scenarios, rates of both kinds, units.

    Attributes:
        version: of this format.
        grid: scenarios and volatility shock.
        initial: rates of initial margin.
        maintenance: rates of maintenance margin, none above its initial twin.
        spread: stands in for missing quotes.
        tick: one unit of account, quote currency.
        lot_sizes: units of the underlying in a lot, by underlying.
    """

    version: Literal[1] = 1
    grid: ScenarioGrid
    initial: MarginRates
    maintenance: MarginRates
    spread: SpreadAssumption = Field(default_factory=SpreadAssumption)
    tick: PositiveAmount = DEFAULT_TICK
    lot_sizes: dict[str, PositiveAmount]

    @model_validator(mode="after")
    def _maintenance_is_cheaper(self) -> Self:
        for name in ("loss_factor", "short_option_charge", "perpetual_charge"):
            initial, maintenance = getattr(self.initial, name), getattr(self.maintenance, name)
            if maintenance > initial:
                message = f"maintenance.{name} = {maintenance} is above initial.{name} = {initial}: lower it"
                raise ValueError(message)
        if self.maintenance.net_delta_limit < self.initial.net_delta_limit:
            message = (
                f"maintenance.net_delta_limit = {self.maintenance.net_delta_limit} is below "
                f"initial.net_delta_limit = {self.initial.net_delta_limit}: raise it"
            )
            raise ValueError(message)
        return self

    def rates(self, kind: RuleKind) -> MarginRates:
        """The rates of a kind."""
        return self.initial if kind is RuleKind.INITIAL else self.maintenance

    def lot_size(self, underlying: str) -> Decimal:
        """Units of the underlying in a lot.

        Raises:
            RuleBuildError: no lot size is set for the underlying.
        """
        if underlying not in self.lot_sizes:
            known = ", ".join(sorted(self.lot_sizes))
            raise RuleBuildError(f"no lot size for {underlying!r} (set: {known}); add one to lot_sizes")
        return self.lot_sizes[underlying]

    @property
    def digest(self) -> bytes:
        """keccak256 of the canonical JSON; 32 bytes that name the rule beside its market."""
        return keccak(canonical_json(self.model_dump(mode="json")))


def _constants(grid: ScenarioGrid) -> RuleConstants:
    return RuleConstants(
        grid=grid,
        initial=MarginRates(
            loss_factor=Decimal(1),
            short_option_charge=Decimal("0.005"),
            perpetual_charge=Decimal("0.02"),
            net_delta_limit=Decimal(100_000_000),
        ),
        maintenance=MarginRates(
            loss_factor=Decimal("0.8"),
            short_option_charge=Decimal("0.003"),
            perpetual_charge=Decimal("0.015"),
            net_delta_limit=Decimal(125_000_000),
        ),
        lot_sizes={"BTC": Decimal("0.01"), "ETH": Decimal("0.1")},
    )


STANDARD_CONSTANTS: Final = _constants(STANDARD_GRID)
"""29 scenarios; factors and charges of Derive's portfolio margin, version 2."""

SMALL_CONSTANTS: Final = _constants(SMALL_GRID)
"""The same on 13 scenarios, for the small shape."""
