"""A deployment on a local chain for a simulated day: contracts, tokens, and who does what with which key."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from verifier.ceremony import ceremony_setup
from verifier.chain.chain_client import ChainClient
from verifier.chain.clearing_terms import account_id
from verifier.chain.governance_client import GovernanceCall, TimelockClient, governed_call
from verifier.chain.house_client import HouseClient
from verifier.chain.instrument_client import InstrumentClient
from verifier.chain.rule_publishing import RulePublisher
from verifier.chain.token_client import TokenClient
from verifier.chain.vault_client import VaultClient
from verifier.deployment.deployment import deploy
from verifier.deployment.deployment_terms import DeploymentTerms, TokenChoice
from verifier.portfolio_commitment import commit_portfolio
from verifier.shape import SHAPES_BY_NAME
from verifier.statement import verifying_key

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from prover.local_chain import LocalChain
    from prover.simulation.ghosts import Ghost
    from verifier.ceremony import TrustedSetup
    from verifier.chain.epochs import EpochTiming
    from verifier.deployment.deployment import Deployment
    from verifier.shape import Shape
    from verifier.statement import VerifyingKey

DEPLOYER: Final = 0
"""Lists, guards, publishes with the two below, and pays for what nobody in particular sends."""

OWNERS: Final = range(1, 7)
LENDER: Final = 7
OPERATOR: Final = 8
"""Also the second publisher."""

BENEFACTOR: Final = 9
"""Pays into inboxes; also the third publisher."""

THRESHOLD: Final = 2
GOVERNANCE_SECONDS: Final = 3600
"""What the owner of the contracts decides waits for so long."""

CAPACITIES: Final = (10_000_000, 500)
"""Ticks of each token that may leave at once."""

REFILLS: Final = (2_000, 1)
"""Ticks of each token that may leave in every second beyond that."""

MINTED_TICKS: Final = 10**12
"""Everybody gets so much of every token."""


@dataclass(frozen=True)
class SimulatedVenue:
    """The contracts and everybody's keys.

    Attributes:
        running: the chain.
        chain: connection to it.
        deployment: where the contracts are.
        setup: the ceremony's.
    """

    running: LocalChain
    chain: ChainClient
    deployment: Deployment
    setup: TrustedSetup

    @functools.cached_property
    def shape(self) -> Shape:
        """Of the argument."""
        return SHAPES_BY_NAME[self.deployment.shape]

    @functools.cached_property
    def verifying_key(self) -> VerifyingKey:
        """Of shape and setup."""
        return verifying_key(self.shape, self.setup)

    @functools.cached_property
    def house(self) -> HouseClient:
        """The clearing house."""
        return HouseClient(self.chain, self.deployment.house)

    @functools.cached_property
    def vault(self) -> VaultClient:
        """The vault."""
        return VaultClient(self.chain, self.deployment.vault)

    @functools.cached_property
    def registry(self) -> RulePublisher:
        """The rule registry."""
        return RulePublisher(self.chain, self.deployment.registry)

    @functools.cached_property
    def instruments(self) -> InstrumentClient:
        """The instrument registry."""
        return InstrumentClient(self.chain, self.deployment.instruments)

    @functools.cached_property
    def timelock(self) -> TimelockClient:
        """The owner of the contracts."""
        return TimelockClient(self.chain, self.deployment.timelock)

    def delisting(self, slot: int) -> GovernanceCall:
        """What the owner is asked to decide so that a slot dies."""
        return governed_call("InstrumentRegistry", self.instruments.address, "delist", slot)

    @functools.cached_property
    def tokens(self) -> tuple[TokenClient, ...]:
        """The collateral tokens."""
        return tuple(TokenClient(self.chain, address) for address in self.deployment.tokens)

    @functools.cached_property
    def _units(self) -> tuple[int, ...]:
        return tuple(terms.units_per_tick for terms in self.vault.tokens())

    def units_per_tick(self, token: int) -> int:
        """Units of a token that one tick is."""
        return self._units[token]

    @functools.cached_property
    def _keys(self) -> dict[str, LocalAccount]:
        accounts = [self.running.account(index) for index in range(10)]
        return {account.address.lower(): account for account in accounts}

    def key(self, address: str) -> LocalAccount:
        """Who signs for an address, in lower case."""
        return self._keys[address]

    def person(self, index: int) -> LocalAccount:
        """One of the chain's accounts by its number."""
        return self._keys[list(self._keys)[index]]

    def address(self, index: int) -> str:
        """Its address, in lower case."""
        return list(self._keys)[index]

    def accounts(self, count: int) -> tuple[bytes, ...]:
        """So many accounts: an owner's second has sub-account 1, and so on."""
        return tuple(
            account_id(self.address(OWNERS[place % len(OWNERS)]), place // len(OWNERS)) for place in range(count)
        )

    @functools.cached_property
    def commitment(self) -> functools._lru_cache_wrapper[bytes]:
        """Commitment of a book, 96 bytes; remembered by its opening."""
        return functools.lru_cache(maxsize=4096)(self._commit)

    def _commit(self, positions: tuple[tuple[int, int], ...], blind: int) -> bytes:
        held = dict(positions)
        vector = tuple(held.get(place, 0) for place in range(self.shape.slots))
        return commit_portfolio(vector, blind, shape=self.shape, setup=self.setup)

    def commit(self, ghost: Ghost) -> bytes:
        """Commitment of a book, 96 bytes."""
        return self.commitment(tuple(sorted(ghost.positions.items())), ghost.blind)


def open_venue(running: LocalChain, *, shape_name: str, timing: EpochTiming, slots: tuple[int, ...]) -> SimulatedVenue:
    """Deploy everything, and give everybody tokens that the vault may take.

    Args:
        running: a fresh chain.
        shape_name: "standard" or "small".
        timing: of epochs.
        slots: of the collateral tokens in book 0, the quote collateral's first.
    """
    chain = ChainClient.connect(running.url, chain_id=running.chain_id)
    tokens = tuple(
        TokenChoice(None, slot, capacity=CAPACITIES[min(place, 1)], refill=REFILLS[min(place, 1)])
        for place, slot in enumerate(slots)
    )
    publishers = tuple(running.account(index).address for index in (DEPLOYER, OPERATOR, BENEFACTOR))
    terms = DeploymentTerms(
        tokens=tokens,
        timing=timing,
        publishers=publishers,
        threshold=THRESHOLD,
        governance_delay=GOVERNANCE_SECONDS,
        insecure=True,
    )
    setup = ceremony_setup()
    deployment = deploy(chain, running.account(DEPLOYER), shape_name=shape_name, setup=setup, terms=terms)
    venue = SimulatedVenue(running, chain, deployment, setup)
    for index in (*OWNERS, BENEFACTOR):
        _endow(venue, venue.person(index))
    return venue


def _endow(venue: SimulatedVenue, holder: LocalAccount) -> None:
    for number, token in enumerate(venue.tokens):
        units = MINTED_TICKS * venue.units_per_tick(number)
        token.mint(holder, holder.address, units)
        token.approve(holder, venue.vault.address, units)
