"""Waiting for a time on the chain's own clock; on the local chain the clock is moved instead."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from verifier.errors import ChainError

if TYPE_CHECKING:
    from verifier.chain.node_connection import NodeConnection

LOCAL_CHAIN_ID: Final = 31337
POLL_SECONDS: Final = 1.0
PATIENCE_SECONDS: Final = 60.0
"""Blocks may come so much later than they are due."""


def wait_for_time(chain: NodeConnection, moment: int, *, patience: float = PATIENCE_SECONDS) -> None:
    """Wait until the latest block is not before a moment.

    Args:
        chain: connection.
        moment: Unix time in seconds.
        patience: seconds beyond that moment after which waiting ends.

    Raises:
        ChainError: no such block came.
    """
    missing = moment - chain.block_time()
    if missing > 0 and chain.chain_id == LOCAL_CHAIN_ID:
        advance_time(chain, missing)
        return
    deadline = time.monotonic() + missing + patience
    while (missing := moment - chain.block_time()) > 0:
        if time.monotonic() > deadline:
            raise ChainError(
                f"the chain's clock is still {missing} s short of {moment}: its blocks come late; wait and try again"
            )
        time.sleep(POLL_SECONDS)


def advance_time(chain: NodeConnection, seconds: int) -> None:
    """Move the local chain's clock on, by a new block.

    Raises:
        ChainError: the chain is not the local one.
    """
    if chain.chain_id != LOCAL_CHAIN_ID:
        raise ChainError(f"the clock of chain {chain.chain_id} cannot be moved: wait for its blocks")
    chain.request("evm_increaseTime", [seconds])
    chain.request("evm_mine", [])
