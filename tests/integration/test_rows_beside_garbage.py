"""Blobs from rows in calldata: what is no posting is passed over, whatever stands in it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from tests.support.exchange import BOOKS
from verifier.chain.blob_transactions import blob_commitment, versioned_hash
from verifier.chain.contract_interface import contract_interface
from verifier.chain.posted_rows import posted_blobs
from verifier.curve import POINT_BYTES
from verifier.rules.margin_rule import ENTRY_BOUND, chunk_blob
from verifier.rules.row_posting import encode_rows
from verifier.rules.rule_kind import RuleKind
from verifier.shape import SMALL

if TYPE_CHECKING:
    from tests.support.exchange import Exchange

RECEIVER: Final = "0x" + "77" * 20
"""No contract: it takes every calldata."""


def staging(exchange: Exchange, rows: bytes) -> bytes:
    """Calldata of a posting."""
    proposal = exchange.registry.next_proposal(exchange.publication())
    point = bytes(POINT_BYTES)
    return contract_interface("RuleRegistry").encode_call(
        "stageRows", proposal.as_tuple(), [bytes(32)], 0, point, rows, point
    )


def test_what_is_no_posting_hides_no_rows(exchange: Exchange) -> None:
    """Another contract's call, an endless length, rows that are cut off, an entry that no rule may have."""
    matrix = exchange.rules[RuleKind.INITIAL].matrix
    honest = [staging(exchange, encode_rows(matrix, book, 0)) for book in range(BOOKS)]
    length = len(encode_rows(matrix, 0, 0)).to_bytes(32, "big")
    assert honest[0].count(length) == 1
    strange = [
        b"",
        b"\x12\x34\x56\x78" + honest[0],
        honest[0][:100],
        honest[0].replace(length, b"\xff" * 32),
        staging(exchange, b"\x00"),
        staging(exchange, struct.pack(">HHq", 1, 2, ENTRY_BOUND)),
    ]
    sent = [
        exchange.chain.send(exchange.publisher, data, to=RECEIVER).transaction_hash
        for data in (honest[0], *strange, honest[1])
    ]
    blobs = [chunk_blob(matrix, book, 0) for book in range(BOOKS)]
    expected = {versioned_hash(blob_commitment(blob)): blob for blob in blobs}
    assert posted_blobs(exchange.chain, sent, SMALL) == expected
    assert posted_blobs(exchange.chain, sent[1:-1], SMALL) == {}
