"""Receipts and logs in this project's own types, from what web3 gives; no connection is opened here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verifier.chain.contract_interface import EventLog

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction.

    Attributes:
        transaction_hash: 32 bytes.
        block_number: where it stands.
        gas_used: without blob gas.
        blob_gas_used: 131,072 for each blob.
        contract_address: of the contract that it created, if any.
        logs: events, in order.
    """

    transaction_hash: bytes
    block_number: int
    gas_used: int
    blob_gas_used: int
    contract_address: str | None
    logs: tuple[EventLog, ...]


@dataclass(frozen=True, slots=True)
class BlockHeader:
    """What the place of a block in the chain hangs on.

    Attributes:
        number: its height.
        digest: its hash, 32 bytes.
        parent: hash of the block before it, 32 bytes.
    """

    number: int
    digest: bytes
    parent: bytes


def header_of(fields: Mapping[str, Any]) -> BlockHeader:
    """The header of a block."""
    return BlockHeader(int(fields["number"]), bytes(fields["hash"]), bytes(fields["parentHash"]))


def event_log_of(entry: Mapping[str, Any]) -> EventLog:
    """One entry of a log."""
    return EventLog(
        address=str(entry["address"]),
        topics=tuple(bytes(topic) for topic in entry["topics"]),
        data=bytes(entry["data"]),
        block_number=int(entry["blockNumber"]),
        transaction_hash=bytes(entry["transactionHash"]),
        block_hash=bytes(entry["blockHash"]),
        log_index=int(entry["logIndex"]),
    )


def receipt_of(fields: Mapping[str, Any]) -> Receipt:
    """A receipt, of a transaction that succeeded or failed."""
    address = fields.get("contractAddress")
    return Receipt(
        transaction_hash=bytes(fields["transactionHash"]),
        block_number=int(fields["blockNumber"]),
        gas_used=int(fields["gasUsed"]),
        blob_gas_used=int(fields.get("blobGasUsed") or 0),
        contract_address=None if address is None else str(address),
        logs=tuple(event_log_of(entry) for entry in fields["logs"]),
    )
