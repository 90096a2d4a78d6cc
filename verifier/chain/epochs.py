"""Epochs of a rule registry, as it keeps and announces them (twin: contracts/types/MarginRule.sol)."""

from __future__ import annotations

from dataclasses import dataclass

from verifier.rules.rule_kind import RuleKind


@dataclass(frozen=True, slots=True)
class EpochHeader:
    """What an epoch is; see contracts/types/MarginRule.sol.

    Attributes:
        data: address of the contract that holds its points.
        epoch: number, from 1; 0 when there is none.
        snapshot_time: Unix time of its snapshot, in seconds.
        published_at: Unix time of the block that announced it.
        active_from: Unix time from which it is active.
        list_version: version of the list of instruments that its rules price.
        books: B.
        initial_chunks: G of the initial margin rule.
        maintenance_chunks: G of the maintenance margin rule.
        snapshot_hash: hash of its snapshot.
        rule_digest: digest of its rule file.
        slots_digest: digest of its list of slots.
    """

    data: str
    epoch: int
    snapshot_time: int
    published_at: int
    active_from: int
    list_version: int
    books: int
    initial_chunks: int
    maintenance_chunks: int
    snapshot_hash: bytes
    rule_digest: bytes
    slots_digest: bytes

    def chunks(self, kind: RuleKind) -> int:
        """G of one of the rules, without the mask."""
        return self.initial_chunks if kind is RuleKind.INITIAL else self.maintenance_chunks

    @property
    def all_books(self) -> int:
        """Bitmap of all its books."""
        return (1 << self.books) - 1


@dataclass(frozen=True, slots=True)
class EpochTiming:
    """How epochs follow one another, in seconds.

    Attributes:
        maximum_age: largest age of a usable epoch's snapshot.
        activation_delay: from the announcement of an epoch until it is active.
        spacing: from one announcement until the next, at least.
    """

    maximum_age: int
    activation_delay: int
    spacing: int

    def as_tuple(self) -> tuple[int, int, int]:
        """For the ABI encoder."""
        return (self.maximum_age, self.activation_delay, self.spacing)


@dataclass(frozen=True, slots=True)
class EpochEvent:
    """What the chain's log keeps of an epoch for ever.

    Attributes:
        header: sizes, times, digests.
        proposal_digest: names the transactions that staged its chunks.
        versioned_hashes: of its blobs, initial rule first.
        marks: of the instruments.
        indices: cumulative funding indices.
        transaction_hash: of the transaction that announced it.
    """

    header: EpochHeader
    proposal_digest: bytes
    versioned_hashes: tuple[bytes, ...]
    marks: bytes
    indices: bytes
    transaction_hash: bytes
