"""Types of constants that components share, as rule files write them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from prover.rules.rule_rows import ByKind

SMALLEST: Final = Decimal("1e-18")


def _not_tiny(value: Decimal) -> Decimal:
    """What rounds to nothing on its way into a matrix is a slip of the pen."""
    if value < SMALLEST:
        message = f"{value} is below {SMALLEST:f}: use a larger number"
        raise ValueError(message)
    return value


Factor = Annotated[Decimal, Field(gt=0, le=2), AfterValidator(_not_tiny)]
Rate = Annotated[Decimal, Field(ge=0, le=1)]
PositiveAmount = Annotated[Decimal, Field(gt=0, lt=10**12), AfterValidator(_not_tiny)]

T = TypeVar("T")


class Record(BaseModel):
    """Part of a rule file: frozen, without unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def _both(value: object) -> object:
    return value if isinstance(value, Mapping | ByKind) else {"initial": value, "maintenance": value}


PerKind = Annotated[ByKind[T], BeforeValidator(_both)]
"""A constant of each kind of margin; a file may give one value for both."""


def refuse_dearer_maintenance(name: str, value: ByKind[Decimal]) -> None:
    """Maintenance margin may never ask for more than initial margin.

    Raises:
        ValueError: it does; pydantic makes a finding of it.
    """
    if value.maintenance > value.initial:
        message = f"{name}.maintenance = {value.maintenance} is above {name}.initial = {value.initial}: lower it"
        raise ValueError(message)


class Charges(Record):
    """A component of charges, none of which maintenance margin may have dearer than initial margin."""

    @model_validator(mode="after")
    def _maintenance_is_cheaper(self) -> Self:
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, ByKind):
                refuse_dearer_maintenance(name, value)
        return self
