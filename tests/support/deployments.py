"""Deployments in the small shape on chains of their own, and a deployer that is interrupted."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from verifier.ceremony import ceremony_setup
from verifier.chain.contract_artifacts import load_artifact
from verifier.deployment.deployer import KeyDeployer, Mined
from verifier.deployment.deployment import carry_out, local_terms
from verifier.deployment.deployment_manifest import Manifest
from verifier.deployment.deployment_plan import DeploymentPlan, deployment_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eth_account.signers.local import LocalAccount

    from verifier.chain.chain_client import ChainClient
    from verifier.deployment.deployment_terms import DeploymentTerms

TERMS: Final = local_terms()
TRANSACTIONS: Final = 9
"""Verifier, test token, two tables, timelock, list of instruments, registry, exit verifier, house."""


class CountingDeployer(KeyDeployer):
    """Counts what it sends; is interrupted, as by Ctrl-C, after so many transactions."""

    def __init__(self, chain: ChainClient, account: LocalAccount, *, limit: int = 1_000) -> None:
        super().__init__(chain, account)
        self.sent: list[Mined] = []
        self._limit = limit

    def send(self, to: str, data: bytes) -> Mined:
        mined = super().send(to, data)
        self.sent.append(mined)
        if len(self.sent) == self._limit:
            raise KeyboardInterrupt
        return mined


def small_plan(chain: ChainClient, administrator: str, terms: DeploymentTerms = TERMS) -> DeploymentPlan:
    """A plan in the small shape."""
    return deployment_plan(chain.chain_id, administrator, shape_name="small", setup=ceremony_setup(), terms=terms)


def deployed_manifest(chain: ChainClient, account: LocalAccount) -> Manifest:
    """Deploy, and make the manifest."""
    plan = small_plan(chain, str(account.address))
    deployment = carry_out(chain, KeyDeployer(chain, account), plan)
    return Manifest.of(chain, plan, network="local", block_number=deployment.block_number)


def nonce(chain: ChainClient, address: str, block: str = "latest") -> int:
    """How many transactions an account has sent."""
    return int(str(chain.request("eth_getTransactionCount", [address, block])), 16)


def worthless_token(chain: ChainClient, account: LocalAccount) -> str:
    """Another worthless token; its address."""
    creation = bytes.fromhex(load_artifact("InsecureTestToken").bytecode.removeprefix("0x"))
    address = chain.deploy(account, creation).contract_address
    assert address is not None
    return address


@contextlib.contextmanager
def undone(chain: ChainClient) -> Iterator[None]:
    """What the block does to the chain is undone after it."""
    mark = chain.request("evm_snapshot", [])
    try:
        yield
    finally:
        chain.request("evm_revert", [mark])
