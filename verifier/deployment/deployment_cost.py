"""What a deployment would cost: every missing step played by the node in a row, nothing sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from verifier.chain.chain_time import LOCAL_CHAIN_ID
from verifier.deployment.create2 import PROXY, PROXY_CODE, check_proxy
from verifier.errors import ChainError, ChainFeatureError, DeploymentError

if TYPE_CHECKING:
    from verifier.chain.chain_client import ChainClient
    from verifier.deployment.deployment_plan import DeploymentPlan

ENOUGH: Final = 10**24
"""Wei that the deployer is supposed to have: what it lacks is said in the end, with the figures."""


@dataclass(frozen=True, slots=True)
class DeploymentCost:
    """Gas and fees.

    Attributes:
        steps: name and gas of each transaction that is missing.
        base_fee: of the latest block, in wei.
        tip: that the node suggests, in wei.
        balance: of the deployer, in wei.
    """

    steps: tuple[tuple[str, int], ...]
    base_fee: int
    tip: int
    balance: int

    @property
    def gas(self) -> int:
        """Of all steps."""
        return sum(gas for _, gas in self.steps)

    @property
    def cost(self) -> int:
        """Wei at the present base fee."""
        return self.gas * (self.base_fee + self.tip)

    @property
    def cost_limit(self) -> int:
        """Wei at the highest fee that transactions offer: twice the base fee."""
        return self.gas * (2 * self.base_fee + self.tip)


def deployment_cost(chain: ChainClient, plan: DeploymentPlan) -> DeploymentCost:
    """Play the missing steps (eth_simulateV1).

    Raises:
        ChainFeatureError: the node cannot play transactions in a row.
        DeploymentError: a step fails, or the deployment proxy is missing.
    """
    local_without_proxy = chain.chain_id == LOCAL_CHAIN_ID and not chain.code(PROXY)
    if not local_without_proxy:
        check_proxy(chain)
    supposed: dict[str, object] = {plan.administrator: {"balance": hex(ENOUGH)}}
    if local_without_proxy:
        supposed[PROXY] = {"code": "0x" + PROXY_CODE.hex()}
    steps = _missing_steps(chain, plan)
    block = cast("dict[str, Any]", chain.request("eth_getBlockByNumber", ["latest", False]))
    return DeploymentCost(
        steps=tuple(zip((name for name, _, _ in steps), _played(chain, plan, steps, supposed), strict=True)),
        base_fee=int(str(block["baseFeePerGas"]), 16),
        tip=int(str(chain.request("eth_maxPriorityFeePerGas", [])), 16),
        balance=chain.balance(plan.administrator),
    )


def _missing_steps(chain: ChainClient, plan: DeploymentPlan) -> list[tuple[str, str, bytes]]:
    """Name, receiver and calldata of each transaction that a deployment would send."""
    missing = [planned for planned in plan.contracts if not chain.code(planned.address)]
    return [(planned.name, PROXY, planned.salt + planned.creation) for planned in missing]


def _played(
    chain: ChainClient, plan: DeploymentPlan, steps: list[tuple[str, str, bytes]], supposed: dict[str, object]
) -> list[int]:
    """Gas of each step."""
    calls = [{"from": plan.administrator, "to": to, "data": "0x" + data.hex()} for _, to, data in steps]
    request = {"blockStateCalls": [{"stateOverrides": supposed, "calls": calls}]}
    try:
        blocks = cast("list[dict[str, Any]]", chain.request("eth_simulateV1", [request, "latest"]))
    except ChainError as error:
        raise ChainFeatureError(
            f"the node cannot play the deployment (eth_simulateV1): use another node for the dry run. {error}"
        ) from error
    results = blocks[0]["calls"]
    for (name, _, _), result in zip(steps, results, strict=True):
        if int(str(result["status"]), 16) != 1:
            raise DeploymentError(f"the step {name!r} would fail: {result.get('error')}; check the terms")
    return [int(str(result["gasUsed"]), 16) for result in results]
