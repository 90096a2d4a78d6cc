"""What the clearing house owes, what may leave it, and who waits (twin: contracts/types/Vault.sol)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WithdrawalLimit:
    """A leaky bucket, fixed at deployment.

    Attributes:
        capacity: ticks that may leave at once.
        refill_per_second: ticks that may leave in every second beyond that.
    """

    capacity: int
    refill_per_second: int


@dataclass(frozen=True, slots=True)
class VaultState:
    """What is owed and what may leave, at the time of a block.

    Attributes:
        net_deposits: ticks deposited less ticks withdrawn, of all accounts.
        room: ticks that may leave at once; 0 while anything waits.
        backlog: ticks of claims for which there has been no room yet.
        updated_at: Unix time in seconds.
    """

    net_deposits: int
    room: int
    backlog: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class QueueState:
    """Claims ever queued.

    Attributes:
        claims: their number, which is also the number of the last.
        queued: ticks of all of them together.
        released: ticks for which there has been room.
    """

    claims: int
    queued: int
    released: int


@dataclass(frozen=True, slots=True)
class WithdrawalClaim:
    """A withdrawal that waits for room; public.

    Attributes:
        number: counted from 1.
        recipient: who is paid, in checksum form.
        ticks: how much.
        end: ticks queued up to and including this claim.
    """

    number: int
    recipient: str
    ticks: int
    end: int

    def seconds_left(self, queue: QueueState, limit: WithdrawalLimit) -> int:
        """Seconds until it can be paid; 0 when it can be now."""
        missing = max(0, self.end - queue.released)
        return -(-missing // limit.refill_per_second)
