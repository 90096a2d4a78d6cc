"""Deploying the contracts: by CREATE2, in an order that an interruption cannot spoil.

What stands on the chain is the only record of how far a deployment came: a contract that is at its address already
is not created again. Plan, files and checks have modules of their own and are offered here too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.chain.contract_interface import contract_interface
from verifier.chain.registry_client import PUBLISHER_ROLE
from verifier.deployment.create2 import LOCAL_CHAIN_ID, PROXY, require_proxy
from verifier.deployment.deployer import KeyDeployer, wait_for_pending
from verifier.deployment.deployment_check import check_basis_table, check_deployment, first_block
from verifier.deployment.deployment_file import Deployment
from verifier.deployment.deployment_plan import (
    DeploymentTerms,
    data_contract_creation,
    deployment_plan,
    require_fit,
)
from verifier.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from eth_account.signers.local import LocalAccount

    from verifier.ceremony import TrustedSetup
    from verifier.chain.chain_client import ChainClient
    from verifier.deployment.deployer import Deployer
    from verifier.deployment.deployment_plan import DeploymentPlan, PlannedContract

__all__ = [
    "LOCAL_CHAIN_ID",
    "Deployment",
    "DeploymentTerms",
    "carry_out",
    "check_basis_table",
    "check_deployment",
    "data_contract_creation",
    "deploy",
]


def deploy(
    chain: ChainClient, account: LocalAccount, *, shape_name: str, setup: TrustedSetup, terms: DeploymentTerms
) -> Deployment:
    """Deploy verifier, registry, basis table and clearing house; the account administers and publishes.

    Contracts that are there already, with the same arguments, are taken as they are.

    Args:
        chain: connection.
        account: pays, and becomes administrator and publisher of the registry.
        shape_name: "standard" or "small".
        setup: the ceremony's, or a test setup on the local chain.
        terms: what else there is to choose.

    Raises:
        InsecureDeploymentError: a test setup or the test token where they must not be.
        ChainFeatureError: the chain lacks a precompile or blobs.
        DeploymentError: there is no collateral token at the address, or no deployment proxy.
        ContractRevertedError: a constructor refuses.
    """
    plan = deployment_plan(chain.chain_id, account.address, shape_name=shape_name, setup=setup, terms=terms)
    return carry_out(chain, KeyDeployer(chain, account), plan)


def carry_out(
    chain: ChainClient,
    deployer: Deployer,
    plan: DeploymentPlan,
    *,
    blobs: bool = True,
    report: Callable[[str], None] = lambda _: None,
) -> Deployment:
    """Create what is missing of a plan, and appoint the deployer as publisher.

    Args:
        chain: connection.
        deployer: the plan's administrator.
        plan: what is to be there.
        blobs: whether rules are to be published as blobs of this chain.
        report: told of every step.

    Raises:
        ChainFeatureError: the chain lacks a precompile or blobs.
        DeploymentError: there is no collateral token at the address, or no deployment proxy.
        ContractRevertedError: a constructor refuses.
    """
    wait_for_pending(chain, deployer.address)
    require_fit(chain, plan, blobs=blobs)
    require_proxy(chain)
    for planned in plan.contracts:
        report(_create(chain, deployer, plan, planned))
    registry = plan.address("registry")
    if not is_publisher(chain, registry, deployer.address):
        mined = deployer.send(registry, publisher_grant(deployer.address))
        report(f"{deployer.address} appointed as publisher, {mined.gas_used:,} gas")
    return deployment_of(plan, first_block(chain, registry))


def publisher_grant(publisher: str) -> bytes:
    """Calldata by which the registry's administrator appoints a publisher."""
    return contract_interface("RuleRegistry").encode_call("grantRole", PUBLISHER_ROLE, publisher)


def is_publisher(chain: ChainClient, registry: str, account: str) -> bool:
    """Whether the registry takes rules from the account."""
    interface = contract_interface("RuleRegistry")
    answer = chain.call(registry, interface.encode_call("hasRole", PUBLISHER_ROLE, account))
    return bool(interface.decode_result("hasRole", answer)[0])


def deployment_of(plan: DeploymentPlan, block_number: int) -> Deployment:
    """The deployment file of a plan that has been carried out."""
    return Deployment(
        chain_id=plan.chain_id,
        shape=plan.shape,
        setup=plan.setup,
        verifier=plan.address("verifier"),
        registry=plan.address("registry"),
        house=plan.address("house"),
        collateral=plan.collateral,
        block_number=block_number,
    )


def _create(chain: ChainClient, deployer: Deployer, plan: DeploymentPlan, planned: PlannedContract) -> str:
    if chain.code(planned.address):
        return f"{planned.name} at {planned.address}: there already"
    mined = deployer.send(PROXY, plan.terms.salt + planned.creation)
    if not chain.code(planned.address):
        raise DeploymentError(
            f"the {planned.name} is not at {planned.address} after its transaction in block {mined.block_number}: "
            "the node may lag behind; run again, which goes on where this stopped"
        )
    return f"{planned.name} at {planned.address}: created in block {mined.block_number}, {mined.gas_used:,} gas"
