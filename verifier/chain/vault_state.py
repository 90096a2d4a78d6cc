"""What a vault takes and owes of each token, what may leave it, and who waits (twin: contracts/types/Vault.sol)."""

from __future__ import annotations

from dataclasses import dataclass

from verifier.chain.clearing_terms import address_bytes
from verifier.errors import MalformedInputError


@dataclass(frozen=True, slots=True)
class WithdrawalLimit:
    """A leaky bucket.

    Attributes:
        capacity: ticks that may leave at once.
        refill_per_second: ticks that may leave in every second beyond that.
    """

    capacity: int
    refill_per_second: int

    def as_tuple(self) -> tuple[int, int]:
        """For the ABI encoder."""
        return (self.capacity, self.refill_per_second)


@dataclass(frozen=True, slots=True)
class TokenTerms:
    """What the vault takes of a token and what it lets go.

    Attributes:
        token: address.
        units_per_tick: units of the token that one tick is.
        slot: its slot in book 0.
        cap: ticks up to which all accounts may hold it together.
        capacity: ticks that may leave at once.
        refill_per_second: ticks that may leave in every second beyond that.
    """

    token: str
    units_per_tick: int
    slot: int
    cap: int
    capacity: int
    refill_per_second: int

    def __post_init__(self) -> None:
        """Check address and ranges."""
        address_bytes(self.token)
        numbers = (self.units_per_tick, self.slot, self.cap, self.capacity, self.refill_per_second)
        if min(numbers) < 0:
            raise MalformedInputError(f"terms of token {self.token} are {numbers}: none of them may be negative")

    def as_tuple(self) -> tuple[str, int, int, int, int, int]:
        """For the ABI encoder."""
        return (self.token, self.units_per_tick, self.slot, self.cap, self.capacity, self.refill_per_second)

    @property
    def limit(self) -> WithdrawalLimit:
        """How much may leave."""
        return WithdrawalLimit(self.capacity, self.refill_per_second)


@dataclass(frozen=True, slots=True)
class VaultState:
    """What is owed and what may leave, at the time of a block.

    Attributes:
        net_deposits: ticks deposited less ticks withdrawn, of all accounts, inboxes and liens.
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
    """Claims of a token ever queued.

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
