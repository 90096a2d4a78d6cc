"""A deployed clearing house and everything needed to deal with it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verifier.ceremony import ceremony_setup
from verifier.chain.chain_client import ChainClient
from verifier.chain.event_index import EventIndex
from verifier.chain.event_store import EventStore
from verifier.chain.house_client import HouseClient
from verifier.chain.registry_client import RegistryClient
from verifier.chain.token_client import TokenClient
from verifier.errors import DeploymentError
from verifier.statement import verifying_key

if TYPE_CHECKING:
    from verifier.ceremony import TrustedSetup
    from verifier.deployment.deployment import Deployment
    from verifier.shape import Shape
    from verifier.statement import VerifyingKey


@dataclass(frozen=True)
class Venue:
    """Contracts on a chain, and the setup and shape that they were made for.

    Attributes:
        chain: connection.
        deployment: where the contracts are.
        shape: of the argument.
        setup: the ceremony's.
        key: verifying key of both.
    """

    chain: ChainClient
    deployment: Deployment
    shape: Shape
    setup: TrustedSetup
    key: VerifyingKey

    @property
    def house(self) -> HouseClient:
        """The clearing house."""
        return HouseClient(self.chain, self.deployment.house)

    @property
    def registry(self) -> RegistryClient:
        """The rule registry."""
        return RegistryClient(self.chain, self.deployment.registry, events=self.events)

    @functools.cached_property
    def events(self) -> EventIndex:
        """Events of clearing house and registry, as kept from one run to the next."""
        return EventIndex(
            self.chain,
            (self.deployment.house, self.deployment.registry),
            first_block=self.deployment.block_number,
            store=EventStore(self.chain.state_file(f"events-{self.deployment.house}")),
        )

    @property
    def collateral(self) -> TokenClient:
        """The collateral token."""
        return TokenClient(self.chain, self.deployment.collateral)


def connect_venue(node: str, deployment: Deployment) -> Venue:
    """Connect, and check that chain and registry are those of the deployment and of the ceremony's setup.

    Raises:
        NodeUnreachableError: nobody answers.
        WrongChainError: the node serves another chain.
        ChainFeatureError: the chain lacks a precompile.
        DeploymentError: the registry was made for another key.
    """
    chain = ChainClient.connect(node, chain_id=deployment.chain_id)
    chain.require_precompiles()
    shape, setup = deployment.argument_shape(), ceremony_setup()
    venue = Venue(chain, deployment, shape, setup, verifying_key(shape, setup))
    found = venue.registry.verifying_key()
    if found != venue.key.digest:
        raise DeploymentError(
            f"registry {deployment.registry} has the verifying key 0x{found.hex()}, not that of shape "
            f"{deployment.shape!r} under the ceremony's setup: check the deployment file"
        )
    return venue
