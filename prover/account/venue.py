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
from verifier.chain.instrument_client import InstrumentClient
from verifier.chain.rule_publishing import RulePublisher
from verifier.chain.slot_listing import slot_listing
from verifier.chain.vault_client import VaultClient
from verifier.errors import DeploymentError
from verifier.statement import verifying_key

if TYPE_CHECKING:
    from verifier.ceremony import TrustedSetup
    from verifier.chain.epochs import EpochHeader
    from verifier.chain.slot_listing import SlotListing
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
    def vault(self) -> VaultClient:
        """The vault that keeps its collateral."""
        return VaultClient(self.chain, self.deployment.vault)

    @property
    def registry(self) -> RulePublisher:
        """The rule registry."""
        return RulePublisher(self.chain, self.deployment.registry, events=self.events)

    @property
    def instruments(self) -> InstrumentClient:
        """The registry of instruments."""
        return InstrumentClient(self.chain, self.deployment.instruments)

    @functools.cached_property
    def events(self) -> EventIndex:
        """Events of clearing house, vault and registries, as kept from one run to the next."""
        deployed = self.deployment
        return EventIndex(
            self.chain,
            (deployed.house, deployed.vault, deployed.registry, deployed.instruments),
            first_block=deployed.block_number,
            store=EventStore(self.chain.state_file(f"events-{deployed.house}")),
        )

    def listing(self, header: EpochHeader | None = None) -> SlotListing:
        """What is listed, and what was when an epoch was announced, whose masks keep that moment.

        Args:
            header: of the epoch; ``None`` for the list as it is now.

        Raises:
            DeploymentError: there is no such epoch.
        """
        return slot_listing(
            self.events.logs(self.deployment.instruments),
            books=self.instruments.books() if header is None else header.books,
            slots_per_book=self.shape.slots,
            until=None if header is None else self.registry.epoch_log(header.epoch),
        )


def connect_venue(node: str, deployment: Deployment) -> Venue:
    """Connect, and check that chain and registry are those of the deployment and of the ceremony's setup.

    Raises:
        NodeUnreachableError: nobody answers.
        WrongChainError: the node serves another chain.
        ChainFeatureError: the chain lacks a precompile.
        DeploymentError: the registry was made for another key, or the contracts do not belong together.
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
    linked = {
        "registry": venue.house.registry(),
        "vault": venue.house.vault(),
        "instruments": venue.registry.instruments(),
    }
    for name, address in linked.items():
        if address != getattr(deployment, name):
            raise DeploymentError(
                f"clearing house {deployment.house} goes with {name} {address}, not {getattr(deployment, name)}: check "
                "the deployment file"
            )
    return venue
