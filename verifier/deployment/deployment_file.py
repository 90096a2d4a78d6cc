"""The deployment file: where the contracts are, for everybody who uses them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, ConfigDict, Field, NonNegativeInt, PositiveInt, TypeAdapter, ValidationError

from verifier.deployment.deployment_terms import checked_address
from verifier.errors import DeploymentError, MalformedInputError, first_fault
from verifier.shape import SHAPES_BY_NAME, Shape

if TYPE_CHECKING:
    from pathlib import Path


def _address(text: str) -> str:
    try:
        return checked_address("contract", text)
    except MalformedInputError as error:
        # What pydantic names with the field.
        raise ValueError(str(error)) from error


Address = Annotated[str, AfterValidator(_address)]


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where the contracts are.

    Attributes:
        chain_id: chain that they are on.
        shape: name of the argument's shape.
        setup: name of the trusted setup.
        verifier: address of the margin verifier.
        timelock: address of the contract that owns the others, with a delay.
        instruments: address of the instrument registry.
        registry: address of the rule registry.
        exit_verifier: address of the contract that checks exits.
        house: address of the clearing house.
        vault: address of the vault, which keeps the collateral.
        tokens: addresses of the tokens that the vault took at the beginning; the first is the quote collateral.
        block_number: first block that matters to logs.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    chain_id: PositiveInt
    shape: str
    setup: str
    verifier: Address
    timelock: Address
    instruments: Address
    registry: Address
    exit_verifier: Address
    house: Address
    vault: Address
    tokens: Annotated[tuple[Address, ...], Field(min_length=1)]
    block_number: NonNegativeInt

    @property
    def collateral(self) -> str:
        """Address of the quote collateral."""
        return self.tokens[0]

    def save(self, path: Path) -> None:
        """Write the deployment file."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Deployment:
        """Read a deployment file.

        Raises:
            DeploymentError: there is none, or it is not one.
        """
        try:
            return TypeAdapter(cls).validate_json(path.read_bytes())
        except OSError as error:
            raise DeploymentError(f"deployment file {path} cannot be read ({error.strerror}): deploy first") from error
        except ValidationError as error:
            raise DeploymentError(
                f"{path} is not a deployment file: {first_fault(error)}; deploy again, or give another"
            ) from error

    def argument_shape(self) -> Shape:
        """The shape by its name."""
        if self.shape not in SHAPES_BY_NAME:
            raise DeploymentError(f"unknown shape {self.shape!r} in the deployment: use {' or '.join(SHAPES_BY_NAME)}")
        return SHAPES_BY_NAME[self.shape]
