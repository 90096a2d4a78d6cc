"""Blobs from the node, from a beacon node of either generation, and from files; tampered with in each."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from tests.support.exchange import BOOKS, Exchange
from verifier.beacon_client import BLOBS, CONSTANTS, GENESIS, SIDECARS, BeaconClient
from verifier.blob_sources import ArchivedBlobs, BeaconBlobs, NodeBlobs, blob_file_name, missing_files
from verifier.blob_transactions import blob_commitment
from verifier.errors import ChainError, DeploymentError, NodeUnreachableError
from verifier.registry_client import blob_windows
from verifier.rule_kind import RuleKind
from verifier.shape import SMALL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from verifier.blob_sources import BlobSource
    from verifier.registry_client import EpochEvent

GENESIS_TIME: Final = 1_606_824_023
SECONDS_PER_SLOT: Final = 12


class BeaconNode:
    """A small beacon node: answers by path, and remembers what it was asked.

    Args:
        answers: data by path; a path that is missing is answered by ``absent``.
    """

    def __init__(self, answers: dict[str, object], absent: int) -> None:
        self.answers = answers
        self.absent = absent
        self.queries: list[tuple[str, dict[str, list[str]]]] = []

    def handler(self) -> type[BaseHTTPRequestHandler]:
        node = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                node.queries.append((parts.path, parse_qs(parts.query)))
                known = parts.path in node.answers
                content = node.answers.get(parts.path, {"code": node.absent, "message": "not found"})
                body = content if isinstance(content, bytes) else json.dumps({"data": content}).encode()
                self.send_response(200 if known else node.absent)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name in the base class
                """Say nothing."""

        return Handler


@contextlib.contextmanager
def served(answers: dict[str, object], absent: int = 404) -> Iterator[tuple[BeaconNode, str]]:
    """A running beacon node and its address."""
    node = BeaconNode(answers, absent)
    server = ThreadingHTTPServer(("127.0.0.1", 0), node.handler())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield node, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def foundations() -> dict[str, object]:
    return {
        GENESIS: {"genesis_time": str(GENESIS_TIME), "genesis_fork_version": "0x00000000"},
        CONSTANTS: {"SECONDS_PER_SLOT": str(SECONDS_PER_SLOT), "MAX_BLOBS_PER_BLOCK": "6"},
    }


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


def sidecars(blobs: tuple[bytes, ...]) -> list[dict[str, str]]:
    """As a beacon node gives them, in an order of its own."""
    return [
        {"index": str(index), "blob": "0x" + blob.hex(), "kzg_commitment": "0x" + blob_commitment(blob).hex()}
        for index, blob in reversed(list(enumerate(blobs)))
    ]


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
    for kind, matrix in zip(RuleKind, matrices, strict=True):
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
    receipt = exchange.registry.grant_publisher(exchange.publisher, exchange.running.account(3).address)
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
