"""Chunks of rules that were posted as rows in calldata, made into the blobs that they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verifier.chain.blob_sources import name_blobs
from verifier.chain.contract_interface import contract_interface
from verifier.rules.margin_rule import RuleMatrix, chunk_blob
from verifier.rules.row_posting import decode_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from verifier.chain.node_connection import NodeConnection
    from verifier.shape import Shape

ROWS_ARGUMENT = 4
"""Place of the rows among the arguments of `stageRows`."""


def posted_blobs(chain: NodeConnection, transactions: Iterable[bytes], shape: Shape) -> dict[bytes, bytes]:
    """Blobs by the versioned hash of their own commitment.

    Args:
        chain: connection.
        transactions: hashes of calls of `stageRows`.
        shape: of the rule.

    Raises:
        MalformedInputError: a transaction that is no such call, or rows that are malformed.
    """
    registry = contract_interface("RuleRegistry")
    calls = (registry.decode_call("stageRows", chain.calldata(digest)) for digest in transactions)
    return name_blobs(rows_blob(shape, arguments[ROWS_ARGUMENT]) for arguments in calls)


def rows_blob(shape: Shape, rows: bytes) -> bytes:
    """The blob of a chunk from its posted rows.

    Raises:
        MalformedInputError: malformed rows.
    """
    entries = decode_rows(shape, rows)
    return chunk_blob(RuleMatrix(shape, entries[:, np.newaxis, :]), 0, 0)
