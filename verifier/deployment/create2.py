"""Addresses that follow from what is deployed: CREATE2 by the deterministic deployment proxy, the same on every chain.

The proxy (github.com/Arachnid/deterministic-deployment-proxy) creates a contract from 32 bytes of salt and the creation
code that follow in its calldata. Nobody has its key: it came by a transaction whose signature was chosen, not made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import rlp
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from verifier.chain.chain_time import LOCAL_CHAIN_ID
from verifier.errors import DeploymentError

if TYPE_CHECKING:
    from verifier.chain.chain_client import ChainClient

SALT_BYTES: Final = 32

PROXY: Final = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
PROXY_CODE: Final = bytes.fromhex(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd"
    "5b8082525050506014600cf3"
)
PROXY_SIGNER: Final = "0x3fAB184622Dc19b6109349B94811493BF2a45362"
PROXY_COST: Final = 10**16
"""Wei that the keyless transaction pays at most: 100,000 gas at 100 gwei."""

PROXY_TRANSACTION: Final = bytes.fromhex(
    "f8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf31b"
    + 2
    * ("a0" + 32 * "22")
)
"""Without a chain id; its signature's r and s are 0x2222…."""


def create2_address(creation: bytes, salt: bytes) -> str:
    """Where the proxy puts a contract: keccak256(0xff ‖ proxy ‖ salt ‖ keccak256(creation))[12:], with checksum."""
    preimage = b"\xff" + bytes.fromhex(PROXY.removeprefix("0x")) + salt + keccak(creation)
    return to_checksum_address(keccak(preimage)[12:])


def first_child_address(creator: str) -> str:
    """Where the first contract that a contract creates will be: keccak256(rlp([creator, 1]))[12:], with checksum."""
    return to_checksum_address(keccak(rlp.encode([bytes.fromhex(creator.removeprefix("0x")), 1]))[12:])


def require_proxy(chain: ChainClient) -> None:
    """Check that the proxy stands on the chain; put it there on a local one.

    Raises:
        DeploymentError: it is missing, or other code stands in its place.
    """
    if not chain.code(PROXY) and chain.chain_id == LOCAL_CHAIN_ID:
        chain.request("anvil_setBalance", [PROXY_SIGNER, hex(PROXY_COST)])
        chain.request("eth_sendRawTransaction", ["0x" + PROXY_TRANSACTION.hex()])
        chain.request("anvil_mine", [])
    check_proxy(chain)


def check_proxy(chain: ChainClient) -> None:
    """Check the code of the proxy: addresses prove what was deployed by its rule alone.

    Raises:
        DeploymentError: it is missing, or other code stands in its place.
    """
    found = chain.code(PROXY)
    if not found:
        raise DeploymentError(
            f"chain {chain.chain_id} lacks the deterministic deployment proxy at {PROXY}: send {PROXY_COST} wei to "
            f"{PROXY_SIGNER}, then the raw transaction of github.com/Arachnid/deterministic-deployment-proxy"
        )
    if found != PROXY_CODE:
        raise DeploymentError(
            f"the code at {PROXY} on chain {chain.chain_id} is not the deterministic deployment proxy "
            f"(keccak256 0x{keccak(found).hex()}): do not use this chain"
        )
