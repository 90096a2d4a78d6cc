"""Deploying the contracts: by CREATE2, in an order that an interruption cannot spoil.

What stands on the chain is the only record of how far a deployment came: a contract that is at its address already
is not created again. Plan, files and checks have modules of their own and are offered here too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.deployment.create2 import PROXY, require_proxy
from verifier.deployment.deployer import KeyDeployer, wait_for_pending
from verifier.deployment.deployment_check import check_basis_table, check_deployment, first_block
from verifier.deployment.deployment_file import Deployment
from verifier.deployment.deployment_plan import data_contract_creation, deployment_of, deployment_plan, require_fit
from verifier.deployment.deployment_terms import DeploymentTerms, TokenChoice, local_terms
from verifier.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from eth_account.signers.local import LocalAccount

    from verifier.ceremony import TrustedSetup
    from verifier.chain.chain_client import ChainClient
    from verifier.deployment.deployer import Deployer
    from verifier.deployment.deployment_plan import DeploymentPlan, PlannedContract

__all__ = [
    "Deployment",
    "DeploymentTerms",
    "TokenChoice",
    "carry_out",
    "check_basis_table",
    "check_deployment",
    "data_contract_creation",
    "deploy",
    "local_terms",
]


def deploy(
    chain: ChainClient, account: LocalAccount, *, shape_name: str, setup: TrustedSetup, terms: DeploymentTerms
) -> Deployment:
    """Deploy all contracts; the account does what the terms name nobody else for.

    Contracts that are there already, with the same arguments, are taken as they are.

    Args:
        chain: connection.
        account: pays.
        shape_name: "standard" or "small".
        setup: the ceremony's, or a test setup on the local chain.
        terms: what else there is to choose.

    Raises:
        InsecureDeploymentError: a test setup or the test token where they must not be.
        ChainFeatureError: the chain lacks a precompile or blobs.
        DeploymentError: there is no token at an address, or no deployment proxy.
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
    """Create what is missing of a plan.

    Args:
        chain: connection.
        deployer: the plan's administrator.
        plan: what is to be there.
        blobs: whether rules are to be published as blobs of this chain.
        report: told of every step.

    Raises:
        ChainFeatureError: the chain lacks a precompile or blobs.
        DeploymentError: there is no token at an address, or no deployment proxy.
        ContractRevertedError: a constructor refuses.
    """
    wait_for_pending(chain, deployer.address)
    require_fit(chain, plan, blobs=blobs)
    require_proxy(chain)
    for planned in plan.contracts:
        report(_create(chain, deployer, planned))
    return deployment_of(plan, min(first_block(chain, plan.address(name)) for name in ("timelock", "registry")))


def _create(chain: ChainClient, deployer: Deployer, planned: PlannedContract) -> str:
    if chain.code(planned.address):
        return f"{planned.name} at {planned.address}: there already"
    mined = deployer.send(PROXY, planned.salt + planned.creation)
    if not chain.code(planned.address):
        raise DeploymentError(
            f"the {planned.name} is not at {planned.address} after its transaction in block {mined.block_number}: "
            "the node may lag behind; run again, which goes on where this stopped"
        )
    return f"{planned.name} at {planned.address}: created in block {mined.block_number}, {mined.gas_used:,} gas"
