"""Reading margin rules and what publishers may do (twin: contracts/RuleRegistry.sol).

Publishing has a module of its own, :mod:`verifier.chain.rule_publishing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eth_utils.address import to_checksum_address

from verifier.books import books_in
from verifier.chain.blob_sources import NodeBlobs
from verifier.chain.contract_interface import contract_interface
from verifier.chain.epochs import EpochEvent, EpochHeader, EpochTiming
from verifier.chain.posted_rows import posted_blobs
from verifier.curve import POINT_BYTES
from verifier.errors import DeploymentError
from verifier.rules.margin_rule import RuleMatrix, matrix_from_blobs
from verifier.rules.rule_kind import RuleKind
from verifier.shape import Shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.chain.blob_sources import BlobSource
    from verifier.chain.chain_client import ChainClient
    from verifier.chain.contract_interface import EventLog
    from verifier.chain.event_index import EventIndex


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

    @property
    def chain_id(self) -> int:
        """Of the chain that it is on."""
        return self._chain.chain_id

    def active_epoch(self) -> EpochHeader:
        """The active epoch.

        Raises:
            ContractRevertedError: RuleRegistryNoEpoch, or RuleRegistryStaleEpoch when its snapshot is too old.
        """
        return self._header(self._read("activeEpoch")[0])

    def latest_epoch(self) -> EpochHeader:
        """The epoch announced last, however old, active or not yet; its number is 0 when there is none."""
        return self._header(self._read("latestEpoch")[0])

    def active_clock(self) -> int:
        """Seconds, ever, during which there was an active epoch whose snapshot was not too old."""
        return int(self._read("activeClock")[0])

    def timing(self) -> EpochTiming:
        """How epochs follow one another."""
        return EpochTiming(*(int(self._read(name)[0]) for name in ("maximumAge", "activationDelay", "spacing")))

    def maximum_age(self) -> int:
        """Largest age of a usable epoch's snapshot, in seconds."""
        return self.timing().maximum_age

    def shape(self) -> Shape:
        """Shape of the argument that rules are made for."""
        powers, columns, digits, digit_bits = self._read("shape")[0]
        return Shape(columns, digits, digit_bits, powers)

    def threshold(self) -> int:
        """Number of publishers that must sign an epoch."""
        return int(self._read("threshold")[0])

    def publisher_count(self) -> int:
        """Number of publishers."""
        return int(self._read("publisherCount")[0])

    def is_publisher(self, address: str) -> bool:
        """Whether an address may stage and sign rules."""
        return bool(self._read("publishers", address)[0])

    def instruments(self) -> str:
        """Address of the list of instruments."""
        return to_checksum_address(self._read("instruments")[0])

    def verifier(self) -> str:
        """Address of the contract that rules are made for."""
        return to_checksum_address(self._read("verifier")[0])

    def verifying_key(self) -> bytes:
        """Digest of the verifying key that rules are made for."""
        return bytes(self._read("verifyingKey")[0])

    def statement_matrix(self, epoch: int, kind: RuleKind, books: int) -> tuple[tuple[bytes, ...], ...]:
        """The matrix of a statement at one of the three epochs announced last, whether usable or not.

        Args:
            epoch: number.
            kind: initial or maintenance.
            books: bitmap of the books of the statement.

        Returns:
            For each book, ascending, the commitments of its chunks and of its mask, 96 bytes each.

        Raises:
            ContractRevertedError: the registry no longer keeps this epoch, or the epoch lacks a book.
        """
        points: bytes = self._read("matrix", epoch, int(kind), books)[0]
        book_bytes = len(points) // len(books_in(books))
        return tuple(
            tuple(points[at : at + POINT_BYTES] for at in range(start, start + book_bytes, POINT_BYTES))
            for start in range(0, len(points), book_bytes)
        )

    def matrix_commitments(self, epoch: int, kind: RuleKind) -> tuple[tuple[bytes, ...], ...]:
        """Commitments [book][chunk] of a rule in all books of its epoch, without masks; errors as above."""
        return tuple(chunks[:-1] for chunks in self.statement_matrix(epoch, kind, self._all_books(epoch)))

    def masks(self, epoch: int) -> tuple[bytes, ...]:
        """Masks of all books of an epoch, 96 bytes each; errors as above."""
        return tuple(chunks[-1] for chunks in self.statement_matrix(epoch, RuleKind.INITIAL, self._all_books(epoch)))

    def is_reduced_rule(self, epoch: int, points: bytes) -> bool:
        """Whether points, 96 bytes a chunk, book by book, are the reduced rule of a kept epoch."""
        return bool(self._read("reducedRule", epoch, points)[0])

    def epoch_event(self, epoch: int) -> EpochEvent:
        """What was published as an epoch.

        Raises:
            DeploymentError: there is no such epoch.
        """
        log = self.epoch_log(epoch)
        values = self._interface.decode_event("EpochPublished", log)
        return EpochEvent(
            header=self._header(values["header"]),
            proposal_digest=values["proposalDigest"],
            versioned_hashes=tuple(values["versionedHashes"]),
            marks=values["marks"],
            indices=values["indices"],
            transaction_hash=log.transaction_hash,
        )

    def epoch_log(self, epoch: int) -> EventLog:
        """The event of an epoch as it stands on the chain: what came before it counts for the epoch.

        Raises:
            DeploymentError: there is no such epoch.
        """
        logs = self._logs(self._interface.event_topic("EpochPublished"), epoch.to_bytes(32, "big"))
        if not logs:
            raise DeploymentError(f"registry {self.address} has published no epoch {epoch}: see its latest epoch")
        return logs[-1]

    def published_blobs(self, event: EpochEvent, source: BlobSource | None = None) -> tuple[bytes, ...]:
        """All blobs of an epoch in order, those of posted rows made from them; each is checked against its hash.

        Args:
            event: of the epoch.
            source: where blobs are kept; the node by default. What was posted in calldata the node always has.

        Raises:
            ChainError: a blob is not there, or its transaction carried another.
        """
        kept = source or NodeBlobs(self._chain)
        carried: dict[bytes, bytes] = {}
        for transaction_hash in (*self._transactions("RuleChunksStaged", event), event.transaction_hash):
            carried.update(kept.named_blobs(transaction_hash))
        missing = [digest for digest in event.versioned_hashes if digest not in carried]
        if missing:
            posted = self._transactions("RuleRowsStaged", event)
            carried.update(posted_blobs(self._chain, posted, self.shape()))
            missing = [digest for digest in missing if digest not in carried]
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

    def _transactions(self, name: str, event: EpochEvent) -> tuple[bytes, ...]:
        """Transactions that wrote an event about an epoch's proposal."""
        topic = self._interface.event_topic(name)
        return tuple(log.transaction_hash for log in self._logs(topic, event.proposal_digest))

    def _logs(self, *topics: bytes) -> tuple[EventLog, ...]:
        source = self._chain if self._events is None else self._events
        return source.logs(self.address, topics)

    def _all_books(self, epoch: int) -> int:
        header = self.latest_epoch()
        return header.all_books if header.epoch == epoch else self.epoch_event(epoch).header.all_books

    def _read(self, function: str, *arguments: object) -> tuple[Any, ...]:
        answer = self._chain.call(self.address, self._interface.encode_call(function, *arguments))
        return self._interface.decode_result(function, answer)

    @staticmethod
    def _header(values: tuple[Any, ...]) -> EpochHeader:
        return EpochHeader(*values)


def _matrix(shape: Shape, blobs: Sequence[bytes], chunks: int) -> RuleMatrix:
    return matrix_from_blobs(shape, [blobs[at : at + chunks] for at in range(0, len(blobs), chunks)])
