"""A small beacon node on this machine, for as much of its interface as the beacon client uses."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from verifier.chain.beacon_client import CONSTANTS, GENESIS
from verifier.chain.blob_transactions import blob_commitment

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        """Handles requests of this node."""
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
    """Genesis time and seconds of a slot."""
    return {
        GENESIS: {"genesis_time": str(GENESIS_TIME), "genesis_fork_version": "0x00000000"},
        CONSTANTS: {"SECONDS_PER_SLOT": str(SECONDS_PER_SLOT), "MAX_BLOBS_PER_BLOCK": "6"},
    }


def sidecars(blobs: tuple[bytes, ...]) -> list[dict[str, str]]:
    """As a beacon node gives them, in an order of its own."""
    return [
        {"index": str(index), "blob": "0x" + blob.hex(), "kzg_commitment": "0x" + blob_commitment(blob).hex()}
        for index, blob in reversed(list(enumerate(blobs)))
    ]
