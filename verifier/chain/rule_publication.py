"""What publishers sign and send as the next epoch (twin: contracts/types/MarginRule.sol, RuleProposal).

Pure: a publisher can make and sign all of it without a node.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from eth_hash.auto import keccak

from verifier.chain.typed_data import SigningDomain, TypedStruct
from verifier.rules.reduced_rule import reduced_points

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

DOMAIN_NAME: Final = "zkmargin RuleRegistry"
DOMAIN_VERSION: Final = "1"

PROPOSAL_TYPE: Final = TypedStruct(
    "RuleProposal",
    (
        ("epoch", "uint32"),
        ("snapshotTime", "uint32"),
        ("listVersion", "uint32"),
        ("books", "uint8"),
        ("initialChunks", "uint8"),
        ("maintenanceChunks", "uint8"),
        ("snapshotHash", "bytes32"),
        ("ruleDigest", "bytes32"),
        ("slotsDigest", "bytes32"),
        ("chunksHash", "bytes32"),
        ("marksHash", "bytes32"),
        ("indicesHash", "bytes32"),
    ),
)


@dataclass(frozen=True, slots=True)
class RuleProposal:
    """What publishers sign: everything that makes an epoch.

    Attributes:
        epoch: number that it will get.
        snapshot_time: Unix time of the market snapshot, in seconds.
        list_version: version of the list of instruments that the rules price.
        books: B.
        initial_chunks: G of the initial margin rule.
        maintenance_chunks: G of the maintenance margin rule; as many.
        snapshot_hash: hash of the snapshot, 32 bytes.
        rule_digest: digest of the rule file, 32 bytes.
        slots_digest: digest of the list of instrument slots, 32 bytes.
        chunks_hash: keccak256 of the commitments of all chunks: initial, maintenance, reduced rule.
        marks_hash: keccak256 of the marks.
        indices_hash: keccak256 of the cumulative funding indices.
    """

    epoch: int
    snapshot_time: int
    list_version: int
    books: int
    initial_chunks: int
    maintenance_chunks: int
    snapshot_hash: bytes
    rule_digest: bytes
    slots_digest: bytes
    chunks_hash: bytes
    marks_hash: bytes
    indices_hash: bytes

    def as_tuple(self) -> tuple[Any, ...]:
        """For the ABI encoder."""
        return (
            *(self.epoch, self.snapshot_time, self.list_version),
            *(self.books, self.initial_chunks, self.maintenance_chunks),
            *(self.snapshot_hash, self.rule_digest, self.slots_digest),
            *(self.chunks_hash, self.marks_hash, self.indices_hash),
        )

    def values(self) -> dict[str, Any]:
        """As the members of the signed document."""
        return PROPOSAL_TYPE.named(self.as_tuple())

    def signing_digest(self, chain_id: int, registry: str) -> bytes:
        """EIP-712 digest that publishers sign, 32 bytes (twin: RuleRegistry.signingDigest)."""
        return PROPOSAL_TYPE.digest(registry_domain(chain_id, registry), self.values())

    def sign(self, publisher: LocalAccount, chain_id: int, registry: str) -> bytes:
        """Signature of a publisher, 65 bytes."""
        return PROPOSAL_TYPE.sign(publisher, registry_domain(chain_id, registry), self.values())


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


@dataclass(frozen=True)
class Publication:
    """The rules of an epoch and what they were built from.

    Attributes:
        snapshot_time: Unix time of the market snapshot, in seconds.
        snapshot_hash: hash of the snapshot, 32 bytes.
        rule_digest: digest of the rule file, 32 bytes.
        slots_digest: digest of the list of instrument slots, 32 bytes.
        marks: marks of the instruments, in the publisher's format.
        initial: initial margin rule.
        maintenance: maintenance margin rule; as many books and chunks.
        indices: cumulative funding indices, in the publisher's format.
    """

    snapshot_time: int
    snapshot_hash: bytes
    rule_digest: bytes
    slots_digest: bytes
    marks: bytes
    initial: PublishedRule
    maintenance: PublishedRule
    indices: bytes = b""

    def proposal(self, epoch: int, list_version: int) -> RuleProposal:
        """What publishers sign.

        Args:
            epoch: number that it will get.
            list_version: of the list of instruments that the rules price.
        """
        return RuleProposal(
            epoch=epoch,
            snapshot_time=self.snapshot_time,
            list_version=list_version,
            books=len(self.initial.commitments),
            initial_chunks=len(self.initial.commitments[0]),
            maintenance_chunks=len(self.maintenance.commitments[0]),
            snapshot_hash=self.snapshot_hash,
            rule_digest=self.rule_digest,
            slots_digest=self.slots_digest,
            chunks_hash=bytes(keccak(b"".join(self.points()))),
            marks_hash=bytes(keccak(self.marks)),
            indices_hash=bytes(keccak(self.indices)),
        )

    @cached_property
    def reduced_points(self) -> tuple[bytes, ...]:
        """Commitments of the reduced rule, (3 · maintenance + initial)/4, by the commitments of the other two.

        Raises:
            MalformedInputError: these do not have as many chunks.
        """
        return reduced_points(self.initial.points(), self.maintenance.points())

    def chunk_points(self) -> tuple[bytes, ...]:
        """Commitments of what is published as blobs or rows: initial rule first, book by book."""
        return self.initial.points() + self.maintenance.points()

    def points(self) -> tuple[bytes, ...]:
        """Commitments of all chunks: initial, maintenance, reduced rule, each book by book."""
        return self.chunk_points() + self.reduced_points

    def chunks(self) -> tuple[bytes, ...]:
        """Blobs, initial rule first, book by book."""
        return self.initial.chunks() + self.maintenance.chunks()


def registry_domain(chain_id: int, registry: str) -> SigningDomain:
    """What separates signatures for this registry from all others."""
    return SigningDomain(DOMAIN_NAME, DOMAIN_VERSION, chain_id, registry)
