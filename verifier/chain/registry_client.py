"""Publishing margin rules and reading them back (twin: contracts/RuleRegistry.sol)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from eth_hash.auto import keccak

from verifier.chain.blob_sources import NodeBlobs
from verifier.chain.blob_transactions import MAXIMUM_BLOBS, BlobSidecar, versioned_hash
from verifier.chain.contract_interface import contract_interface
from verifier.curve import POINT_BYTES, group
from verifier.errors import DeploymentError, MalformedInputError
from verifier.rules.margin_rule import RuleMatrix, matrix_from_blobs
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eth_account.signers.local import LocalAccount

    from verifier.chain.blob_sources import BlobSource
    from verifier.chain.chain_client import ChainClient, Receipt
    from verifier.chain.contract_interface import EventLog
    from verifier.chain.event_index import EventIndex
    from verifier.shape import Shape

PUBLISHER_ROLE: Final = bytes(keccak(b"PUBLISHER_ROLE"))


@dataclass(frozen=True, slots=True)
class PublishedRule:
    """One rule, as it goes on chain.

    Attributes:
        commitments: of the chunks, [book][chunk], 96 bytes each.
        blobs: the chunks, [book][chunk], 131,072 bytes each.
    """

    commitments: tuple[tuple[bytes, ...], ...]
    blobs: tuple[tuple[bytes, ...], ...]

    def points(self) -> tuple[bytes, ...]:
        """Commitments in the order of publication."""
        return tuple(point for book in self.commitments for point in book)

    def chunks(self) -> tuple[bytes, ...]:
        """Blobs in the order of publication."""
        return tuple(blob for book in self.blobs for blob in book)


@dataclass(frozen=True, slots=True)
class Publication:
    """Both rules of an epoch and what they were built from.

    Attributes:
        snapshot_time: Unix time of the market snapshot, in seconds.
        snapshot_hash: hash of the snapshot, 32 bytes.
        rule_digest: digest of the rule file, 32 bytes.
        slots_digest: digest of the list of instrument slots, 32 bytes.
        marks: marks of the instruments, in the publisher's format.
        initial: initial margin rule.
        maintenance: maintenance margin rule; as many books.
    """

    snapshot_time: int
    snapshot_hash: bytes
    rule_digest: bytes
    slots_digest: bytes
    marks: bytes
    initial: PublishedRule
    maintenance: PublishedRule

    def proposal(self, epoch: int) -> tuple[Any, ...]:
        """The Solidity struct RuleProposal."""
        return (
            *(epoch, self.snapshot_time, len(self.initial.commitments)),
            *(len(self.initial.commitments[0]), len(self.maintenance.commitments[0])),
            *(self.snapshot_hash, self.rule_digest, self.slots_digest, bytes(keccak(self.marks))),
        )

    def points(self) -> tuple[bytes, ...]:
        """All commitments, initial rule first, book by book."""
        return self.initial.points() + self.maintenance.points()

    def chunks(self) -> tuple[bytes, ...]:
        """All blobs in the same order."""
        return self.initial.chunks() + self.maintenance.chunks()


@dataclass(frozen=True, slots=True)
class EpochHeader:
    """What an epoch is; see contracts/types/MarginRule.sol.

    Attributes:
        data: address of the contract that holds its points.
        epoch: number, from 1; 0 when there is none.
        snapshot_time: Unix time of its snapshot, in seconds.
        published_at: Unix time of the block that made it active.
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
    books: int
    initial_chunks: int
    maintenance_chunks: int
    snapshot_hash: bytes
    rule_digest: bytes
    slots_digest: bytes

    def chunks(self, kind: RuleKind) -> int:
        """G of one of the rules."""
        return self.initial_chunks if kind is RuleKind.INITIAL else self.maintenance_chunks


@dataclass(frozen=True, slots=True)
class EpochEvent:
    """What the chain's log keeps of an epoch for ever.

    Attributes:
        header: sizes, times, digests.
        proposal_digest: names the transactions that staged its chunks.
        versioned_hashes: of its blobs, initial rule first.
        marks: of the instruments.
        transaction_hash: of the transaction that made it active.
    """

    header: EpochHeader
    proposal_digest: bytes
    versioned_hashes: tuple[bytes, ...]
    marks: bytes
    transaction_hash: bytes


class RegistryClient:
    """The rule registry at an address.

    Args:
        chain: connection.
        address: of the contract.
        events: what is known of its events; without it they are asked of the node from the first block on.
    """

    def __init__(self, chain: ChainClient, address: str, *, events: EventIndex | None = None) -> None:
        self._chain = chain
        self._events = events
        self._interface = contract_interface("RuleRegistry")
        self.address = address

    def publish(self, publisher: LocalAccount, publication: Publication) -> tuple[Receipt, ...]:
        """Stage and finalise the next epoch in as few transactions as blobs allow; both rules become usable together.

        Returns:
            Receipts of all transactions.

        Raises:
            ChainFeatureError: the chain takes no blobs.
            ContractRevertedError: the registry refused, by a named error.
        """
        self._chain.require_blobs()
        proposal = publication.proposal(self.latest_epoch().epoch + 1)
        points, blobs = publication.points(), publication.chunks()
        if len(points) != len(blobs):
            raise MalformedInputError(f"{len(points)} commitments and {len(blobs)} blobs: give one blob a commitment")
        backend = group()
        compressed = tuple(backend.compress(backend.decode(point)) for point in points)
        hashes = tuple(versioned_hash(commitment) for commitment in compressed)
        windows = blob_windows(hashes)
        parts = [BlobSidecar(blobs[part.start : part.stop], compressed[part.start : part.stop]) for part in windows]
        receipts = [
            self.stage(publisher, proposal, hashes, first_chunk=window.start, sidecar=part)
            for window, part in zip(windows[:-1], parts[:-1], strict=True)
        ]
        finalise = self._interface.encode_call(
            "finalise", proposal, b"".join(points), publication.marks, windows[-1].start
        )
        receipts.append(self._chain.send(publisher, finalise, to=self.address, sidecar=parts[-1]))
        return tuple(receipts)

    def stage(
        self,
        publisher: LocalAccount,
        proposal: tuple[Any, ...],
        hashes: Sequence[bytes],
        *,
        first_chunk: int,
        sidecar: BlobSidecar,
    ) -> Receipt:
        """Record that a transaction's blobs are chunks of a proposal."""
        data = self._interface.encode_call("stage", proposal, list(hashes), first_chunk)
        return self._chain.send(publisher, data, to=self.address, sidecar=sidecar)

    def grant_publisher(self, administrator: LocalAccount, publisher: str) -> Receipt:
        """Appoint a publisher."""
        data = self._interface.encode_call("grantRole", PUBLISHER_ROLE, publisher)
        return self._chain.send(administrator, data, to=self.address)

    def active_epoch(self) -> EpochHeader:
        """The active epoch.

        Raises:
            ContractRevertedError: RuleRegistryNoEpoch, or RuleRegistryStaleEpoch when its snapshot is too old.
        """
        return self._header(self._read("activeEpoch")[0])

    def latest_epoch(self) -> EpochHeader:
        """The epoch published last, however old; its number is 0 when there is none."""
        return self._header(self._read("latestEpoch")[0])

    def maximum_age(self) -> int:
        """Largest age of a usable epoch's snapshot, in seconds."""
        return int(self._read("maximumAge")[0])

    def verifying_key(self) -> bytes:
        """Digest of the verifying key that rules are made for."""
        return bytes(self._read("verifyingKey")[0])

    def matrix_commitments(self, epoch: int, kind: RuleKind) -> tuple[tuple[bytes, ...], ...]:
        """Commitments [book][chunk] of a rule of the active epoch or the one before, whether usable or not.

        Raises:
            ContractRevertedError: the registry no longer keeps this epoch.
        """
        points: bytes = self._read("matrix", epoch, int(kind))[0]
        books = self._books(epoch)
        chunk_bytes = len(points) // books
        return tuple(
            tuple(
                points[at : at + POINT_BYTES] for at in range(book * chunk_bytes, (book + 1) * chunk_bytes, POINT_BYTES)
            )
            for book in range(books)
        )

    def epoch_event(self, epoch: int) -> EpochEvent:
        """What was published as an epoch.

        Raises:
            DeploymentError: there is no such epoch.
        """
        topic = self._interface.event_topic("EpochPublished")
        logs = self._logs(topic, epoch.to_bytes(32, "big"))
        if not logs:
            raise DeploymentError(f"registry {self.address} has published no epoch {epoch}: see its latest epoch")
        values = self._interface.decode_event("EpochPublished", logs[-1])
        return EpochEvent(
            header=self._header(values["header"]),
            proposal_digest=values["proposalDigest"],
            versioned_hashes=tuple(values["versionedHashes"]),
            marks=values["marks"],
            transaction_hash=logs[-1].transaction_hash,
        )

    def published_blobs(self, event: EpochEvent, source: BlobSource | None = None) -> tuple[bytes, ...]:
        """All blobs of an epoch in order; each is checked against its hash.

        Args:
            event: of the epoch.
            source: where blobs are kept; the node by default.

        Raises:
            ChainError: a blob is not there, or its transaction carried another.
        """
        kept = source or NodeBlobs(self._chain)
        carried: dict[bytes, bytes] = {}
        for transaction_hash in (*self._staging_transactions(event), event.transaction_hash):
            carried.update(kept.named_blobs(transaction_hash))
        missing = [digest for digest in event.versioned_hashes if digest not in carried]
        if missing:
            raise DeploymentError(
                f"blob 0x{missing[0].hex()} of epoch {event.header.epoch} is in none of its transactions in "
                f"{kept.description}: take it from another source (--beacon, --archive)"
            )
        return tuple(carried[digest] for digest in event.versioned_hashes)

    def rule_matrices(
        self, shape: Shape, epoch: int, source: BlobSource | None = None
    ) -> tuple[RuleMatrix, RuleMatrix]:
        """Initial and maintenance matrix of an epoch, decoded from its blobs: what an auditor recomputes."""
        event = self.epoch_event(epoch)
        blobs, header = self.published_blobs(event, source), event.header
        boundary = header.books * header.initial_chunks
        return (
            _matrix(shape, blobs[:boundary], header.initial_chunks),
            _matrix(shape, blobs[boundary:], header.maintenance_chunks),
        )

    def _staging_transactions(self, event: EpochEvent) -> tuple[bytes, ...]:
        topic = self._interface.event_topic("RuleChunksStaged")
        return tuple(log.transaction_hash for log in self._logs(topic, event.proposal_digest))

    def _logs(self, *topics: bytes) -> tuple[EventLog, ...]:
        source = self._chain if self._events is None else self._events
        return source.logs(self.address, topics)

    def _books(self, epoch: int) -> int:
        header = self.latest_epoch()
        return header.books if header.epoch == epoch else self.epoch_event(epoch).header.books

    def _read(self, function: str, *arguments: object) -> tuple[Any, ...]:
        answer = self._chain.call(self.address, self._interface.encode_call(function, *arguments))
        return self._interface.decode_result(function, answer)

    @staticmethod
    def _header(values: tuple[Any, ...]) -> EpochHeader:
        return EpochHeader(*values)


def blob_windows(hashes: Sequence[bytes]) -> list[range]:
    """Runs of chunks, one a transaction, that hold every chunk or an earlier one equal to it; as few as possible."""
    windows: list[range] = []
    for chunk, digest in enumerate(hashes):
        if digest in hashes[:chunk]:
            continue
        if windows and chunk < windows[-1].start + MAXIMUM_BLOBS:
            windows[-1] = range(windows[-1].start, chunk + 1)
        else:
            windows.append(range(chunk, chunk + 1))
    return windows


def _matrix(shape: Shape, blobs: Sequence[bytes], chunks: int) -> RuleMatrix:
    return matrix_from_blobs(shape, [blobs[at : at + chunks] for at in range(0, len(blobs), chunks)])
