"""Chunks of rules that were posted as rows in calldata, made into the blobs that they stand for."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import numpy as np

from verifier.chain.blob_sources import name_blobs
from verifier.chain.contract_interface import contract_interface
from verifier.errors import DeploymentError, MalformedInputError, MatrixError
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

    A publisher may stage rows through another contract, or post what is no rule. Such a transaction gives no blob, and
    does not hide those of the others.

    Args:
        chain: connection.
        transactions: hashes; those that are no call of `stageRows` with rows of a rule are passed over.
        shape: of the rule.

    Raises:
        ChainError: the node does not answer.
    """
    registry = contract_interface("RuleRegistry")
    blobs = []
    for calldata in map(chain.calldata, transactions):
        with contextlib.suppress(MalformedInputError, MatrixError, DeploymentError):
            blobs.append(rows_blob(shape, registry.decode_call("stageRows", calldata)[ROWS_ARGUMENT]))
    return name_blobs(blobs)


def rows_blob(shape: Shape, rows: bytes) -> bytes:
    """The blob of a chunk from its posted rows.

    Raises:
        MalformedInputError: malformed rows.
        MatrixError: an entry that no rule may have.
    """
    entries = decode_rows(shape, rows)
    return chunk_blob(RuleMatrix(shape, entries[:, np.newaxis, :]), 0, 0)
