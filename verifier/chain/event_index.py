"""Follows the events of contracts: goes on where it stopped, in bounded steps, and goes back where the chain did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from verifier.chain.event_store import Checkpoint
from verifier.errors import ChainError, NodeUnreachableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.chain.chain_client import ChainClient
    from verifier.chain.contract_interface import EventLog
    from verifier.chain.event_store import EventStore

STEP_BLOCKS: Final = 5_000
"""Blocks of one request; where a node allows fewer the step is halved."""

RESTLESS_ROUNDS: Final = 50
"""So often in a row may the chain change under the reader's eyes."""


class EventIndex:
    """What some contracts have made public, kept up to date with the chain.

    Args:
        chain: connection.
        contracts: addresses.
        first_block: where the contracts begin.
        store: where events are kept.
        step: largest number of blocks of one request.
    """

    def __init__(
        self,
        chain: ChainClient,
        contracts: Sequence[str],
        *,
        first_block: int,
        store: EventStore,
        step: int = STEP_BLOCKS,
    ) -> None:
        self._chain = chain
        self._contracts = tuple(contracts)
        self._first_block = first_block
        self._store = store
        self._step = step

    def follow(self) -> int:
        """Read what is new, up to the latest block; take back what is no longer on the chain.

        Returns:
            Number of the last block read.

        Raises:
            NodeUnreachableError: nobody answers; what was read so far is kept.
            ChainError: the node refuses even single blocks, or its chain never rests.
        """
        restless = 0
        while restless < RESTLESS_ROUNDS:
            head = self._chain.block()
            known = self._still_on_chain()
            start = self._first_block if known is None else known.number + 1
            if head is None or start > head.number:
                return start - 1
            restless = 0 if self._advance(known, start, head.number) else restless + 1
        raise ChainError(
            f"the chain changed {RESTLESS_ROUNDS} times in a row while its events were read: use a node in order"
        )

    def logs(self, address: str, topics: Sequence[bytes | None] = ()) -> tuple[EventLog, ...]:
        """Events of one of the contracts up to the latest block, oldest first; see :meth:`follow` for errors."""
        self.follow()
        return self._store.logs(address, topics)

    def logs_naming(self, address: str, subject: bytes) -> tuple[EventLog, ...]:
        """Events of one of the contracts that name something of 32 bytes; see :meth:`follow` for errors."""
        self.follow()
        return self._store.logs_naming(address, subject)

    def _still_on_chain(self) -> Checkpoint | None:
        """The newest checkpoint that the chain still has; later ones are dropped with their events."""
        while (newest := self._store.newest()) is not None:
            block = self._chain.block(newest.number)
            if block is not None and block.digest == newest.digest:
                return newest
            self._store.drop(newest)
        return None

    def _advance(self, known: Checkpoint | None, start: int, head: int) -> bool:
        """Read one step; false when the chain changed meanwhile, or another process was quicker."""
        end = min(start + self._step - 1, head)
        first, last = self._chain.block(start), self._chain.block(end)
        if first is None or last is None or (known is not None and first.parent != known.digest):
            return False
        try:
            logs = [
                log
                for contract in self._contracts
                for log in self._chain.logs(contract, [], from_block=start, to_block=end)
            ]
        except NodeUnreachableError:
            raise
        except ChainError:
            if self._step == 1:
                raise
            self._step //= 2
            return True
        # The hash of the last block stands for all of them: unchanged, the logs between belong to one chain.
        again = self._chain.block(end)
        if again is None or again.digest != last.digest:
            return False
        return self._store.extend(known, logs, Checkpoint(last.number, last.digest))
