"""The deployment file: where the contracts are, for everybody who uses them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from verifier.errors import DeploymentError
from verifier.shape import SHAPES_BY_NAME, Shape

if TYPE_CHECKING:
    from pathlib import Path


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

    chain_id: int
    shape: str
    setup: str
    verifier: str
    timelock: str
    instruments: str
    registry: str
    exit_verifier: str
    house: str
    vault: str
    tokens: tuple[str, ...]
    block_number: int

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
            loaded = json.loads(path.read_text(encoding="utf-8"))
            return cls(**(loaded | {"tokens": tuple(loaded["tokens"])}))
        except OSError as error:
            raise DeploymentError(f"deployment file {path} cannot be read ({error.strerror}): deploy first") from error
        except (ValueError, TypeError, KeyError) as error:
            raise DeploymentError(
                f"{path} is not a deployment file ({error}): deploy again, or give another"
            ) from error

    def argument_shape(self) -> Shape:
        """The shape by its name."""
        if self.shape not in SHAPES_BY_NAME:
            raise DeploymentError(f"unknown shape {self.shape!r} in the deployment: use {' or '.join(SHAPES_BY_NAME)}")
        return SHAPES_BY_NAME[self.shape]
