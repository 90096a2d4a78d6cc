"""Signed transactions as bytes: fees, replacement under the same nonce. No connection is opened here.

Everything that a replacement needs is in the bytes themselves, so that nothing else must be remembered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import rlp
from eth_hash.auto import keccak

from verifier.chain.blob_transactions import BLOB_TRANSACTION_TYPE, sign_blob_transaction
from verifier.errors import MalformedInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from eth_account.signers.local import LocalAccount

    from verifier.chain.blob_transactions import BlobSidecar

FEE_TRANSACTION_TYPE: Final = 2

BUMP: Final = (9, 8)
"""Nodes replace a transaction when both fees rise by a tenth; an eighth leaves room for rounding."""

BLOB_BUMP: Final = (2, 1)
"""Nodes replace a blob transaction when all three fees double."""

# Places in the body of both types of transaction.
_NONCE, _TIP, _LIMIT, _GAS, _TO, _VALUE, _DATA, _BLOB_LIMIT, _BLOB_HASHES = 1, 2, 3, 4, 5, 6, 7, 9, 10


@dataclass(frozen=True, slots=True)
class Fees:
    """What a transaction offers, in wei for a unit of gas.

    Attributes:
        tip: to the proposer at most.
        limit: base fee and tip together at most.
        blob_limit: for a unit of blob gas at most; 0 without blobs.
    """

    tip: int
    limit: int
    blob_limit: int = 0

    def raised(self, wanted: Fees) -> Fees:
        """Fees by which nodes replace a transaction that offered these; not below the wanted ones."""
        over, under = BLOB_BUMP if self.blob_limit else BUMP

        def bumped(value: int) -> int:
            return -(-value * over // under) if value else 1

        return Fees(
            tip=max(bumped(self.tip), wanted.tip),
            limit=max(bumped(self.limit), wanted.limit),
            blob_limit=max(bumped(self.blob_limit), wanted.blob_limit) if self.blob_limit else 0,
        )

    def as_fields(self) -> dict[str, int]:
        """Fields of a transaction."""
        fields = {"maxPriorityFeePerGas": self.tip, "maxFeePerGas": self.limit}
        return fields | {"maxFeePerBlobGas": self.blob_limit} if self.blob_limit else fields


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction as it goes to the network (EIP-1559, or EIP-4844 with its blobs).

    Attributes:
        raw: bytes for ``eth_sendRawTransaction``.

    Raises:
        MalformedInputError: the bytes are no such transaction.
    """

    raw: bytes

    def __post_init__(self) -> None:
        """Check the type; the signature is checked by nodes."""
        if self.raw[:1] not in {bytes([FEE_TRANSACTION_TYPE]), bytes([BLOB_TRANSACTION_TYPE])}:
            raise MalformedInputError(f"a transaction of type 0x{self.raw[:1].hex()}: use type 2 or 3")

    @property
    def digest(self) -> bytes:
        """The transaction's hash, 32 bytes."""
        return bytes(keccak(self.raw[:1] + bytes(rlp.encode(self._body()))))

    @property
    def nonce(self) -> int:
        """Its place among its sender's transactions."""
        return int.from_bytes(self._body()[_NONCE], "big")

    @property
    def fees(self) -> Fees:
        """What it offers."""
        body = self._body()
        blob_limit = int.from_bytes(body[_BLOB_LIMIT], "big") if self._has_blobs else 0
        return Fees(int.from_bytes(body[_TIP], "big"), int.from_bytes(body[_LIMIT], "big"), blob_limit)

    def with_fees(self, account: LocalAccount, fees: Fees) -> SignedTransaction:
        """The same under the same nonce with other fees, signed anew; blobs and their proofs stay."""
        signed = account.sign_transaction(self._fields() | fees.as_fields())
        raw = bytes(signed.raw_transaction)
        if not self._has_blobs:
            return SignedTransaction(raw)
        wrapping = rlp.decode(self.raw[1:])
        return SignedTransaction(raw[:1] + bytes(rlp.encode([rlp.decode(raw[1:]), *wrapping[1:]])))

    @property
    def _has_blobs(self) -> bool:
        return self.raw[0] == BLOB_TRANSACTION_TYPE

    def _body(self) -> list[Any]:
        decoded = rlp.decode(self.raw[1:])
        return cast("list[Any]", decoded[0] if self._has_blobs else decoded)

    def _fields(self) -> dict[str, Any]:
        """Fields as eth-account takes them, without fees."""
        body = self._body()
        fields: dict[str, Any] = {
            "type": self.raw[0],
            "chainId": int.from_bytes(body[0], "big"),
            "nonce": int.from_bytes(body[_NONCE], "big"),
            "gas": int.from_bytes(body[_GAS], "big"),
            "value": int.from_bytes(body[_VALUE], "big"),
            "data": "0x" + body[_DATA].hex(),
        }
        if body[_TO]:
            fields["to"] = bytes(body[_TO])
        if self._has_blobs:
            fields["blobVersionedHashes"] = ["0x" + bytes(digest).hex() for digest in body[_BLOB_HASHES]]
        return fields


def sign_transaction(
    account: LocalAccount, fields: Mapping[str, Any], sidecar: BlobSidecar | None
) -> SignedTransaction:
    """Sign a transaction.

    Args:
        account: signs.
        fields: as eth-account takes them, without blobs.
        sidecar: blobs to carry.
    """
    if sidecar is not None:
        return SignedTransaction(sign_blob_transaction(account, fields, sidecar))
    return SignedTransaction(bytes(account.sign_transaction(dict(fields)).raw_transaction))
