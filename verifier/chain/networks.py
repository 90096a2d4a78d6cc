"""Networks that deployments go to, from a small configuration file; addresses of nodes are never in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, PositiveInt, TypeAdapter, ValidationError

from verifier.errors import MalformedInputError, first_fault

if TYPE_CHECKING:
    from pathlib import Path


class NetworkToken(BaseModel):
    """A token that a vault on the network may take beside its quote collateral.

    Attributes:
        address: of the token.
        slot: its slot in book 0.
        units_per_tick: units of the token that one tick is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    address: str
    slot: PositiveInt
    units_per_tick: PositiveInt


class Network(BaseModel):
    """One network.

    Attributes:
        chain_id: that its nodes must serve.
        blobs: whether it takes blobs (EIP-4844); without them, rules are published by calldata.
        rollup: whether transactions pay for data on another chain as well.
        collateral: address of the quote collateral; ``None`` when it must be given.
        units_per_tick: units of that token that one tick is.
        tokens: further tokens.
        governance_delay: seconds that changes wait in the timelock, unless another delay is asked for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    chain_id: PositiveInt
    blobs: bool
    rollup: bool = False
    collateral: str | None = None
    units_per_tick: PositiveInt = 10_000
    tokens: tuple[NetworkToken, ...] = ()
    governance_delay: PositiveInt = 172_800


def load_networks(path: Path) -> dict[str, Network]:
    """Read the configuration file.

    Raises:
        MalformedInputError: it cannot be read, or a field is missing, unknown or of another type.
    """
    try:
        return TypeAdapter(dict[str, Network]).validate_json(path.read_bytes())
    except OSError as error:
        raise MalformedInputError(f"networks file {path} cannot be read ({error.strerror}): restore it") from error
    except ValidationError as error:
        raise MalformedInputError(f"networks file {path}: {first_fault(error)}; correct it") from error
