"""Blobs from the node, from a beacon node of either generation, and from files; tampered with in each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.support.beacon_node import GENESIS_TIME, SECONDS_PER_SLOT, foundations, served, sidecars
from tests.support.exchange import BOOKS, Exchange
from verifier.chain.beacon_client import BLOBS, CONSTANTS, GENESIS, SIDECARS, BeaconClient
from verifier.chain.blob_sources import ArchivedBlobs, BeaconBlobs, NodeBlobs, blob_file_name, missing_files
from verifier.chain.rule_publishing import blob_windows
from verifier.errors import ChainError, DeploymentError, NodeUnreachableError
from verifier.rules.rule_kind import PUBLISHED_KINDS
from verifier.shape import SMALL

if TYPE_CHECKING:
    from pathlib import Path

    from verifier.chain.blob_sources import BlobSource
    from verifier.chain.epochs import EpochEvent


def event_and_slot(exchange: Exchange) -> tuple[EpochEvent, int]:
    """The epoch of an exchange, published in one transaction, and the slot of its block."""
    event = exchange.registry.epoch_event(1)
    block: Any = exchange.chain.request(
        "eth_getBlockByHash", [_transaction(exchange, event.transaction_hash)["blockHash"], False]
    )
    return event, (int(block["timestamp"], 16) - GENESIS_TIME) // SECONDS_PER_SLOT


def _transaction(exchange: Exchange, digest: bytes) -> dict[str, Any]:
    answer: Any = exchange.chain.request("eth_getTransactionByHash", ["0x" + digest.hex()])
    return dict(answer)


def test_a_node_that_serves_blobs(exchange: Exchange) -> None:
    event, slot = event_and_slot(exchange)
    expected = exchange.publication().chunks()
    answers = {**foundations(), f"{BLOBS}/{slot}": ["0x" + blob.hex() for blob in expected]}
    with served(answers) as (node, url):
        source = BeaconBlobs(exchange.chain, BeaconClient(f"{url}/?key=secret"))
        assert exchange.registry.published_blobs(event, source) == expected
    path, query = node.queries[-1]
    assert path == f"{BLOBS}/{slot}"
    assert query["versioned_hashes"] == ["0x" + digest.hex() for digest in event.versioned_hashes]
    assert query["key"] == ["secret"]


@pytest.mark.parametrize("absent", [400, 404, 405])
def test_an_older_node_serves_sidecars(exchange: Exchange, absent: int) -> None:
    event, slot = event_and_slot(exchange)
    expected = exchange.publication().chunks()
    answers = {**foundations(), f"{SIDECARS}/{slot}": sidecars(expected)}
    with served(answers, absent) as (_, url):
        source = BeaconBlobs(exchange.chain, BeaconClient(url))
        assert exchange.registry.published_blobs(event, source) == expected
        matrices = exchange.registry.rule_matrices(SMALL, 1, source)
    for kind, matrix in zip(PUBLISHED_KINDS, matrices, strict=True):
        rows = exchange.rules[kind].matrix.entries
        assert np.array_equal(matrix.entries[: len(rows)], rows)


def altered(blob: bytes) -> bytes:
    return blob[:-1] + bytes([blob[-1] ^ 1])


def test_a_blob_that_was_altered_counts_as_missing(exchange: Exchange) -> None:
    event, slot = event_and_slot(exchange)
    blobs = exchange.publication().chunks()
    wrong = (*blobs[:-1], altered(blobs[-1]))
    with served({**foundations(), f"{BLOBS}/{slot}": ["0x" + blob.hex() for blob in wrong]}) as (_, url):
        source = BeaconBlobs(exchange.chain, BeaconClient(url))
        with pytest.raises(DeploymentError, match=f"blob 0x{event.versioned_hashes[-1].hex()} of epoch 1 is in none"):
            exchange.registry.published_blobs(event, source)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({BLOBS: None}, "has no blobs of slot"),
        ({BLOBS: ["0x00"]}, "makes no sense"),
        ({BLOBS: {"blob": "0x"}}, "makes no sense"),
        ({BLOBS: b"<html>"}, "makes no sense"),
        ({GENESIS: {"genesis_time": "-4"}}, "answer to /eth/v1/beacon/genesis that makes no sense"),
        ({GENESIS: {"genesis_time": "99999999999"}}, "give a beacon node of the same chain"),
        ({CONSTANTS: {}}, "answer to /eth/v1/config/spec that makes no sense"),
        ({CONSTANTS: {"SECONDS_PER_SLOT": "0"}}, "give a beacon node of the same chain"),
    ],
)
def test_bad_answers_are_named(exchange: Exchange, change: dict[str, object], message: str) -> None:
    event, slot = event_and_slot(exchange)
    answers = {**foundations(), f"{BLOBS}/{slot}": []}
    for path, answer in change.items():
        place = f"{BLOBS}/{slot}" if path == BLOBS else path
        answers[place] = answer
        if answer is None:
            del answers[place]
    with served(answers) as (_, url), pytest.raises(ChainError, match=message):
        exchange.registry.published_blobs(event, BeaconBlobs(exchange.chain, BeaconClient(url)))


def test_a_refusal_shows_no_access_key(exchange: Exchange) -> None:
    event, _ = event_and_slot(exchange)
    with served({}, absent=403) as (_, url), pytest.raises(ChainError, match="status 403") as caught:
        exchange.registry.published_blobs(event, BeaconBlobs(exchange.chain, BeaconClient(f"{url}/secret?key=secret")))
    assert "secret" not in f"{caught.value!r}{caught.value.__cause__!r}"
    with pytest.raises(NodeUnreachableError, match=r"no beacon node answers at http://127\.0\.0\.1:9 ") as missing:
        exchange.registry.published_blobs(event, BeaconBlobs(exchange.chain, BeaconClient("http://127.0.0.1:9/secret")))
    assert "secret" not in f"{missing.value!r}{missing.value.__cause__!r}"


def test_an_unknown_transaction_is_in_no_block(exchange: Exchange) -> None:
    source = BeaconBlobs(exchange.chain, BeaconClient("http://127.0.0.1:9"))
    with pytest.raises(ChainError, match="the node knows nothing of 0x1111"):
        source.named_blobs(b"\x11" * 32)


def test_a_transaction_without_blobs_has_none(exchange: Exchange) -> None:
    receipt = exchange.instruments.add_underlying(exchange.publisher, "OTHER")
    sources: list[BlobSource] = [
        NodeBlobs(exchange.chain),
        BeaconBlobs(exchange.chain, BeaconClient("http://127.0.0.1:9")),
    ]
    for source in sources:
        assert source.named_blobs(receipt.transaction_hash) == {}


def test_files_named_by_hash(exchange: Exchange, tmp_path: Path) -> None:
    event = exchange.registry.epoch_event(1)
    blobs = exchange.publication().chunks()
    assert len(missing_files(tmp_path, event.versioned_hashes)) == 2 * BOOKS
    for digest, blob in zip(event.versioned_hashes, blobs, strict=True):
        (tmp_path / blob_file_name(digest)).write_bytes(blob)
    assert missing_files(tmp_path, event.versioned_hashes) == []
    assert exchange.registry.published_blobs(event, ArchivedBlobs(tmp_path)) == blobs


def test_files_that_were_altered_or_cut(exchange: Exchange, tmp_path: Path) -> None:
    event = exchange.registry.epoch_event(1)
    for digest, blob in zip(event.versioned_hashes, exchange.publication().chunks(), strict=True):
        (tmp_path / blob_file_name(digest)).write_bytes(blob)
    path = tmp_path / blob_file_name(event.versioned_hashes[0])
    path.write_bytes(altered(path.read_bytes()))
    with pytest.raises(DeploymentError, match=f"blob 0x{event.versioned_hashes[0].hex()}"):
        exchange.registry.published_blobs(event, ArchivedBlobs(tmp_path))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ChainError, match="has 131071 bytes, not 131072"):
        exchange.registry.published_blobs(event, ArchivedBlobs(tmp_path))


@pytest.mark.parametrize(
    ("chunks", "windows"),
    [
        ("abcd", [(0, 4)]),
        ("abcdabef", [(0, 4), (6, 8)]),
        ("abcabd", [(0, 6)]),
        ("abcdefgh", [(0, 6), (6, 8)]),
        ("aaaaaaaa", [(0, 1)]),
        ("abcdefabcdeg", [(0, 6), (11, 12)]),
        ("aabb", [(0, 3)]),
    ],
)
def test_equal_chunks_are_carried_once(chunks: str, windows: list[tuple[int, int]]) -> None:
    """Runs of at most six that reach from a new chunk to a new chunk."""
    found = blob_windows([chunk.encode() for chunk in chunks])
    assert [(window.start, window.stop) for window in found] == windows
