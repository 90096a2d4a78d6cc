"""Functions of the contracts that a chain has seen called, by its own traces; calls that a simulated day lacks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from prover.simulation.epoch_rules import EpochRules
from prover.simulation.simulated_venue import BENEFACTOR, DEPLOYER, GOVERNANCE_SECONDS, OPERATOR, OWNERS
from tests.support.deployments import worthless_token
from verifier.chain.blob_transactions import BlobSidecar, versioned_hash
from verifier.chain.chain_time import advance_time
from verifier.chain.contract_artifacts import load_artifact
from verifier.chain.contract_interface import SELECTOR_BYTES, signature_hash
from verifier.chain.governance_client import governed_call
from verifier.chain.instrument_client import TERMS_SCALE, InstrumentKind, SlotTerms
from verifier.chain.ownership_client import OwnershipClient
from verifier.chain.rule_publishing import SignedProposal
from verifier.chain.vault_state import TokenTerms
from verifier.curve import group

if TYPE_CHECKING:
    from prover.simulation.simulated_day import SimulatedDay
    from verifier.chain.chain_client import ChainClient
    from verifier.chain.rule_publication import Publication

EXPIRY_SECONDS: Final = 60
RETIREMENT_SECONDS: Final = 7 * 24 * 3600
FREE_SLOT: Final = 3


def changing_functions(contract: str) -> dict[bytes, str]:
    """Functions of a contract's ABI that can change the chain, by selector."""
    return {
        signature_hash(entry)[:SELECTOR_BYTES]: entry["name"]
        for entry in load_artifact(contract).abi
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
    }


def carried_out(chain: ChainClient) -> set[tuple[str, bytes]]:
    """Address (lower case) and selector of every call in a transaction that succeeded, of all blocks, however deep."""
    found = set()
    for number in range(chain.block_number() + 1):
        traces: Any = chain.request("trace_block", [hex(number)])
        failed = {trace["transactionHash"] for trace in traces if not trace["traceAddress"] and "error" in trace}
        found |= {
            (trace["action"]["to"].lower(), bytes.fromhex(trace["action"]["input"][2 : 2 + 2 * SELECTOR_BYTES]))
            for trace in traces
            if trace["type"] == "call"
            and trace["action"]["callType"] == "call"
            and "error" not in trace
            and trace["transactionHash"] not in failed
        }
    return found


def make_remaining_calls(day: SimulatedDay) -> None:
    """What a day has no need of: rows in calldata, staged blobs, all of governance, a book that retires."""
    _publish_otherwise(day)
    _govern(day)
    _retire_a_book(day)
    _renounce(day)


def owned_contracts(day: SimulatedDay) -> dict[str, str]:
    """Address of every contract that has an owner, by name."""
    deployed = day.venue.deployment
    return {
        "ClearingHouse": deployed.house,
        "CollateralVault": deployed.vault,
        "RuleRegistry": deployed.registry,
        "InstrumentRegistry": deployed.instruments,
    }


def _publish_otherwise(day: SimulatedDay) -> None:
    """The next epoch, its chunks once as a blob and then all as rows."""
    venue, rule = day.venue, day.house.registry.epochs[-1].rule
    if not isinstance(rule, EpochRules):
        raise TypeError("an epoch of a simulated day is built from a market")
    publication = replace(rule.publication(), snapshot_time=venue.chain.block_time())
    proposal = venue.registry.next_proposal(publication)
    signatures = tuple(venue.registry.sign_proposal(venue.person(index), proposal) for index in (DEPLOYER, OPERATOR))
    compressed = _compressed(publication)
    venue.registry.stage(
        venue.person(BENEFACTOR),
        proposal,
        [versioned_hash(commitment) for commitment in compressed],
        first_chunk=0,
        sidecar=BlobSidecar(publication.chunks()[:1], compressed[:1]),
    )
    venue.registry.publish_rows(venue.person(DEPLOYER), publication, SignedProposal(proposal, signatures))


def _compressed(publication: Publication) -> tuple[bytes, ...]:
    backend = group()
    return tuple(backend.compress(backend.decode(point)) for point in publication.chunk_points())


def _govern(day: SimulatedDay) -> None:
    """The timelock gives all contracts to one of the traders, who then does what owners may."""
    venue = day.venue
    proposer, heir = venue.person(DEPLOYER), venue.person(OWNERS[0])
    calls = [
        governed_call(name, address, "transferOwnership", heir.address)
        for name, address in owned_contracts(day).items()
    ]
    for call in calls:
        venue.timelock.schedule(proposer, call)
    advance_time(venue.chain, GOVERNANCE_SECONDS)
    for call in calls:
        venue.timelock.execute(proposer, call)
    for name, address in owned_contracts(day).items():
        owned = OwnershipClient(venue.chain, name, address)
        assert owned.pending_owner() == heir.address
        owned.accept_ownership(heir)
        assert owned.owner() == heir.address
    venue.house.set_guardian(heir, heir.address)
    terms = venue.vault.token_terms(0)
    token = TokenTerms(worthless_token(venue.chain, heir), terms.units_per_tick, FREE_SLOT, 1_000, 1_000, 1)
    venue.vault.add_token(heir, token)
    venue.vault.set_cap(heir, 0, terms.cap - 1)
    venue.vault.set_limit(heir, 0, terms.limit)
    venue.registry.set_publishers(heir, add=[heir.address], threshold=2)
    venue.instruments.set_lister(heir, heir.address)


def _retire_a_book(day: SimulatedDay) -> None:
    venue, heir = day.venue, day.venue.person(OWNERS[0])
    book, expiry = venue.instruments.books(), venue.chain.block_time() + EXPIRY_SECONDS
    future = SlotTerms(1, InstrumentKind.FUTURE, expiry, 0, TERMS_SCALE)
    venue.instruments.list(heir, book, [future], ["a future"])
    advance_time(venue.chain, RETIREMENT_SECONDS + EXPIRY_SECONDS)
    venue.instruments.retire_book(heir, book)


def _renounce(day: SimulatedDay) -> None:
    """An offer that nobody takes, then no owner at all."""
    heir = day.venue.person(OWNERS[0])
    for name, address in owned_contracts(day).items():
        owned = OwnershipClient(day.venue.chain, name, address)
        owned.transfer_ownership(heir, day.venue.person(DEPLOYER).address)
        owned.renounce_ownership(heir)
        assert int(owned.owner(), 16) == 0
