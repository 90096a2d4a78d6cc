"""Where an auditor takes blobs from: a node that keeps them, a beacon node, or a publisher's archive.

No source is trusted: a blob counts as what its own KZG commitment hashes to, computed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from verifier.chain.blob_transactions import BLOB_BYTES, blob_commitment, versioned_hash
from verifier.errors import ChainError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from verifier.chain.beacon_client import BeaconClient
    from verifier.chain.chain_client import ChainClient

BLOB_SUFFIX: Final = ".blob"


class BlobSource(Protocol):
    """Keeps the blobs of transactions."""

    @property
    def description(self) -> str:
        """What it is, for messages."""

    def named_blobs(self, transaction_hash: bytes) -> Mapping[bytes, bytes]:
        """Blobs of a transaction by versioned hash, as far as the source has them.

        Raises:
            ChainError: the source does not answer.
        """


class NodeBlobs:
    """A node that keeps blobs itself, as Anvil does.

    Args:
        chain: connection.
    """

    description = "the node"

    def __init__(self, chain: ChainClient) -> None:
        self._chain = chain

    def named_blobs(self, transaction_hash: bytes) -> Mapping[bytes, bytes]:
        """Blobs of a transaction; errors as :meth:`verifier.chain.chain_client.ChainClient.named_blobs`."""
        return dict(self._chain.named_blobs(transaction_hash))


class BeaconBlobs:
    """A beacon node; keeps blobs for about 18 days unless it archives them.

    Args:
        chain: connection to a node of the same chain: tells in which block a transaction stands.
        beacon: connection.
    """

    description = "the beacon node"

    def __init__(self, chain: ChainClient, beacon: BeaconClient) -> None:
        self._chain = chain
        self._beacon = beacon

    def named_blobs(self, transaction_hash: bytes) -> Mapping[bytes, bytes]:
        """Blobs of a transaction, from the slot of its block.

        Raises:
            ChainError: the transaction is in no block, or the beacon node has not got the slot.
        """
        transaction = self._fields("eth_getTransactionByHash", "0x" + transaction_hash.hex())
        wanted = [bytes.fromhex(str(digest)[2:]) for digest in transaction.get("blobVersionedHashes") or []]
        if not wanted:
            return {}
        block = self._fields("eth_getBlockByHash", str(transaction["blockHash"]), False)  # noqa: FBT003 - a JSON value
        found = name_blobs(self._beacon.blobs_at(int(str(block["timestamp"]), 16), wanted))
        return {digest: found[digest] for digest in wanted if digest in found}

    def _fields(self, method: str, *parameters: object) -> dict[str, Any]:
        answer = self._chain.request(method, parameters)
        if not isinstance(answer, dict):
            raise ChainError(f"the node knows nothing of {parameters[0]}: ask a node that keeps the chain's history")
        return cast("dict[str, Any]", answer)


class ArchivedBlobs:
    """A folder of blobs, each in a file that its versioned hash names.

    Args:
        folder: ``blobs`` of an archive.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.description = f"archive {folder}"
        self._named: dict[bytes, bytes] | None = None

    def named_blobs(self, transaction_hash: bytes) -> Mapping[bytes, bytes]:  # noqa: ARG002 - a BlobSource
        """All blobs of the archive: it does not know which transaction carried which.

        Raises:
            ChainError: a file that cannot be read or is no blob.
        """
        if self._named is None:
            self._named = name_blobs(read_blob(path) for path in sorted(self._folder.glob(f"*{BLOB_SUFFIX}")))
        return self._named


def read_blob(path: Path) -> bytes:
    """A blob from its file.

    Raises:
        ChainError: it cannot be read, or has another length.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ChainError(f"blob {path}: {error.strerror}; give a complete archive") from error
    if len(content) != BLOB_BYTES:
        raise ChainError(f"blob {path} has {len(content)} bytes, not {BLOB_BYTES}: give a complete archive")
    return content


def name_blobs(blobs: Iterable[bytes]) -> dict[bytes, bytes]:
    """Blobs by the versioned hash of their own commitment."""
    return {versioned_hash(blob_commitment(blob)): blob for blob in blobs}


def blob_file_name(digest: bytes) -> str:
    """Name of a blob's file in an archive."""
    return f"0x{digest.hex()}{BLOB_SUFFIX}"


def missing_files(folder: Path, digests: Sequence[bytes]) -> list[str]:
    """Names of blobs that a folder lacks."""
    return [name for name in map(blob_file_name, digests) if not (folder / name).is_file()]
