"""Who may do what at a deployment, against its manifest: publishers, lister, guardian, and the timelock's roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.chain.event_index import EventIndex
from verifier.chain.event_store import EventStore
from verifier.chain.governance_client import TimelockClient
from verifier.chain.house_client import HouseClient
from verifier.chain.instrument_client import InstrumentClient
from verifier.chain.registry_client import RegistryClient
from verifier.errors import DeploymentError

if TYPE_CHECKING:
    from verifier.chain.chain_client import ChainClient
    from verifier.deployment.deployment_manifest import Manifest
    from verifier.deployment.deployment_plan import DeploymentPlan


def check_roles(chain: ChainClient, manifest: Manifest, plan: DeploymentPlan) -> None:
    """Check that everybody has the task that the manifest names them for, and nobody else.

    Governance may change all of this, with its delay; whoever verifies must learn of it.

    Raises:
        DeploymentError: somebody else has a task now.
    """
    terms, administrator = plan.terms, plan.administrator
    registry = RegistryClient(chain, plan.address("registry"))
    publishers = terms.publishers or (administrator,)
    for publisher in publishers:
        _require_unchanged(f"publisher {publisher}", registry.is_publisher(publisher), expected=True)
    _require_unchanged("the number of publishers", registry.publisher_count(), len(publishers))
    _require_unchanged("the number of publishers that must sign", registry.threshold(), terms.threshold)
    lister = InstrumentClient(chain, plan.address("instruments")).lister()
    _require_unchanged("the lister", lister, terms.lister or administrator)
    guardian = HouseClient(chain, plan.address("house")).guardian()
    _require_unchanged("the guardian", guardian, terms.guardian or administrator)
    _check_timelock(chain, manifest, plan)


def _check_timelock(chain: ChainClient, manifest: Manifest, plan: DeploymentPlan) -> None:
    """Proposers still are, and nobody was given a role since."""
    timelock = TimelockClient(chain, plan.address("timelock"))
    delay = timelock.minimum_delay()
    if delay < manifest.terms.governance_delay:
        raise DeploymentError(
            f"the timelock's delay is {delay} s, and was {manifest.terms.governance_delay} s at deployment: whoever "
            "governs has shortened it; do not use this deployment unless you know why"
        )
    proposers = plan.terms.proposers or (plan.administrator,)
    for proposer in proposers:
        for task in ("PROPOSER_ROLE", "EXECUTOR_ROLE"):
            _require_unchanged(f"{task} of {proposer}", timelock.has_role(task, proposer), expected=True)
    # Whoever else administers roles could give more of them without the delay, a proposer too.
    tasks = ("PROPOSER_ROLE", "EXECUTOR_ROLE", "CANCELLER_ROLE")
    allowed = {(timelock.role(task), proposer) for task in tasks for proposer in proposers}
    allowed.add((timelock.role("DEFAULT_ADMIN_ROLE"), timelock.address))
    events = EventIndex(chain, (timelock.address,), first_block=manifest.block_number, store=EventStore())
    for role, account in timelock.granted_since(events):
        if (role, account) not in allowed:
            raise DeploymentError(
                f"{account} has been given a role at the timelock {timelock.address} since the deployment: do not use "
                "this deployment unless you know why"
            )


def _require_unchanged(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise DeploymentError(
            f"{what} is {found} now, and was {expected} at deployment: governance has changed it; do not use this "
            "deployment unless you know why"
        )
