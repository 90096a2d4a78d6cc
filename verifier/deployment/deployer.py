"""Who sends the transactions of a deployment: a key in this process, or an account that the node signs for.

The second is for keys that never come here: an unlocked account of one's own node, or a signer behind it (clef, a
hardware wallet).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from eth_utils.address import to_checksum_address

from verifier.errors import ChainError, DeploymentError

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from verifier.chain.chain_client import ChainClient

WAITING_SECONDS: Final = 180.0
POLL_SECONDS: Final = 0.2
GAS_MARGIN: Final = (5, 4)
"""Gas is estimated against the pending block; a quarter more covers what changes until the transaction is mined."""


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction that succeeded.

    Attributes:
        block_number: where it stands.
        gas_used: what it took.
    """

    block_number: int
    gas_used: int


class Deployer(Protocol):
    """Pays for a deployment and administers it."""

    @property
    def address(self) -> str:
        """Its address, with checksum."""

    def send(self, to: str, data: bytes) -> Mined:
        """Send a transaction and wait until it is mined.

        Raises:
            ChainError: it was refused, failed, or did not come in time.
        """


class KeyDeployer:
    """Signs in this process.

    Args:
        chain: connection.
        account: from a keystore.
    """

    def __init__(self, chain: ChainClient, account: LocalAccount) -> None:
        self._chain = chain
        self._account = account

    @property
    def address(self) -> str:
        """Its address, with checksum."""
        return str(self._account.address)

    def send(self, to: str, data: bytes) -> Mined:
        """Sign, send, wait."""
        receipt = self._chain.send(self._account, data, to=to)
        return Mined(receipt.block_number, receipt.gas_used)


class NodeDeployer:
    """Lets the node, or the signer behind it, sign (eth_sendTransaction).

    Args:
        chain: connection.
        address: of an account that the node has.

    Raises:
        DeploymentError: the node has no such account.
    """

    def __init__(self, chain: ChainClient, address: str) -> None:
        self._chain = chain
        held = [str(account).lower() for account in cast("list[object]", chain.request("eth_accounts", []))]
        if address.lower() not in held:
            raise DeploymentError(
                f"the node does not sign for account {address}: unlock it there, or connect the node to its signer"
            )
        self.address = to_checksum_address(address)

    def send(self, to: str, data: bytes) -> Mined:
        """Ask the node to sign and send, wait."""
        fields: dict[str, Any] = {"from": self.address, "to": to, "data": "0x" + data.hex()}
        estimate = int(str(self._chain.request("eth_estimateGas", [fields])), 16)
        fields["gas"] = hex(estimate * GAS_MARGIN[0] // GAS_MARGIN[1])
        digest = self._chain.request("eth_sendTransaction", [fields])
        deadline = time.monotonic() + WAITING_SECONDS
        while time.monotonic() < deadline:
            receipt = cast("dict[str, Any] | None", self._chain.request("eth_getTransactionReceipt", [digest]))
            if receipt is not None:
                return _mined(receipt)
            time.sleep(POLL_SECONDS)
        raise ChainError(f"transaction {digest} is not mined yet: run again later; nothing is deployed twice")


def wait_for_pending(chain: ChainClient, address: str) -> None:
    """Wait until the chain has all that an account has sent: an interrupted deployment may have left a transaction.

    Raises:
        ChainError: a transaction is still on its way.
    """
    deadline = time.monotonic() + WAITING_SECONDS
    while (waiting := _nonce(chain, address, "pending") - _nonce(chain, address, "latest")) > 0:
        if time.monotonic() > deadline:
            raise ChainError(
                f"{waiting} transaction(s) of {address} wait to be mined: run again later, or replace them with higher "
                "fees; nothing is deployed twice"
            )
        time.sleep(POLL_SECONDS)


def _nonce(chain: ChainClient, address: str, block: str) -> int:
    return int(str(chain.request("eth_getTransactionCount", [address, block])), 16)


def _mined(receipt: dict[str, Any]) -> Mined:
    if int(str(receipt["status"]), 16) != 1:
        raise ChainError(
            f"transaction {receipt['transactionHash']} failed: run again, which goes on where this stopped"
        )
    return Mined(int(str(receipt["blockNumber"]), 16), int(str(receipt["gasUsed"]), 16))
