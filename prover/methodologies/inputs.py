"""The border of the methodologies: how cases are read into typed values, and the type of what comes back.

Field names are those of the case files, so that an error names what its reader wrote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from prover.errors import MethodologyError

Quantity = float | str | Sequence["Quantity"] | Mapping[str, "Quantity"]
"""What a methodology computes: a number, a unit, or a list or table of such."""

Quantities = Mapping[str, Quantity]

NonNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]


class CaseInput(BaseModel):
    """Base of what a case states: numbers are finite, nothing changes after reading.

    Fields that no formula uses are passed over: published cases carry names, notes and codes beside their numbers.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, populate_by_name=True)


InputType = TypeVar("InputType", bound=CaseInput)


def read_input(model: type[InputType], value: object) -> InputType:
    """Read a case, or a part of it.

    Raises:
        MethodologyError: a field is missing or out of range; the message names field, value and remedy.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        finding = error.errors()[0]
        field = ".".join(map(str, finding["loc"])) or "the case"
        if finding["type"] == "missing":
            raise MethodologyError(f"{field} is missing; add it to the case") from error
        raise MethodologyError(f"{field} = {finding['input']!r}: {finding['msg']}; correct that field") from error


def inputs_of(case: Mapping[str, object]) -> object:
    """What a case lists under ``inputs``, or the case itself where it has no such field."""
    return case.get("inputs", case)
