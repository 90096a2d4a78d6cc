"""The connection to a beacon node, for one thing: the blobs of a block (https://ethereum.github.io/beacon-APIs).

``/eth/v1/beacon/blobs/{block_id}`` gives blobs alone; nodes from before it give sidecars under
``/eth/v1/beacon/blob_sidecars/{block_id}``. The block is named by its slot, which the time of the execution block
determines: slot = (time − genesis time)/seconds of a slot. Whoever asks checks the blobs against their hashes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import requests

from verifier.chain.blob_transactions import BLOB_BYTES
from verifier.chain.chain_client import shown_host
from verifier.chain.transaction_sender import REQUEST_SECONDS
from verifier.errors import ChainError, NodeUnreachableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GENESIS: Final = "/eth/v1/beacon/genesis"
CONSTANTS: Final = "/eth/v1/config/spec"
BLOBS: Final = "/eth/v1/beacon/blobs"
SIDECARS: Final = "/eth/v1/beacon/blob_sidecars"

_HEXADECIMAL: Final = re.compile(rf"0x[0-9a-fA-F]{{{2 * BLOB_BYTES}}}")
_UNKNOWN_PATH: Final = frozenset({400, 404, 405, 410, 501})


class BeaconClient:
    """A beacon node at an address.

    Args:
        url: of its REST interface; may hold an access key, so that messages show only the host.
    """

    def __init__(self, url: str) -> None:
        base, _, query = url.partition("?")
        self._base = base.rstrip("/")
        self._query = f"?{query}" if query else ""
        self._host = shown_host(url)

    def blobs_at(self, time: int, versioned_hashes: Sequence[bytes]) -> tuple[bytes, ...]:
        """Blobs of the block of a time; at least those asked for, in any order, when the node has them.

        Args:
            time: of the execution block, Unix seconds.
            versioned_hashes: of the blobs.

        Raises:
            NodeUnreachableError: nobody answers.
            ChainError: the node has not got the blobs of this slot, or its answer makes no sense.
        """
        slot = self._slot(time)
        hashes = {"versioned_hashes": ["0x" + digest.hex() for digest in versioned_hashes]}
        answer = self._get(f"{BLOBS}/{slot}", hashes)
        if answer is None:
            answer = self._get(f"{SIDECARS}/{slot}", {})
        if answer is None:
            raise ChainError(
                f"the beacon node at {self._host} has no blobs of slot {slot}: they are kept for about 18 days; ask a "
                "node that archives them, or use the publisher's archive (--archive)"
            )
        if not isinstance(answer, list):
            raise self._senseless(f"{BLOBS}/{slot}")
        return tuple(self._blob(entry) for entry in answer)

    def _slot(self, time: int) -> int:
        genesis = self._number(GENESIS, "genesis_time")
        seconds = self._number(CONSTANTS, "SECONDS_PER_SLOT")
        if time < genesis or seconds < 1:
            raise ChainError(
                f"the beacon node at {self._host} starts at time {genesis}, after the block of time {time}: "
                "give a beacon node of the same chain"
            )
        return (time - genesis) // seconds

    def _number(self, path: str, field: str) -> int:
        fields = self._get(path, {})
        value = fields.get(field) if isinstance(fields, dict) else None
        if not isinstance(value, str) or not value.isascii() or not value.isdigit():
            raise self._senseless(path)
        return int(value)

    def _blob(self, entry: object) -> bytes:
        """From an entry of either answer: hexadecimal, or a sidecar with the field ``blob``."""
        text = entry.get("blob") if isinstance(entry, dict) else entry
        if not isinstance(text, str) or not _HEXADECIMAL.fullmatch(text):
            raise self._senseless(BLOBS)
        return bytes.fromhex(text[2:])

    def _get(self, path: str, parameters: Mapping[str, Sequence[str]]) -> Any:  # noqa: ANN401 - any JSON
        """The field ``data`` of an answer; ``None`` when the node has no such thing."""
        try:
            response = requests.get(
                f"{self._base}{path}{self._query}",
                params=dict(parameters),
                headers={"Accept": "application/json"},
                timeout=REQUEST_SECONDS,
            )
        except requests.RequestException as error:
            raise NodeUnreachableError(
                f"no beacon node answers at {self._host} ({type(error).__name__}): check the address (--beacon)"
            ) from None  # the cause shows the whole address
        if response.status_code in _UNKNOWN_PATH:
            return None
        if not response.ok:
            raise ChainError(
                f"the beacon node at {self._host} refused {path} with status {response.status_code}: "
                "check the address and its access key"
            )
        try:
            return response.json()["data"]
        except (ValueError, KeyError, TypeError) as error:
            raise self._senseless(path) from error

    def _senseless(self, path: str) -> ChainError:
        return ChainError(f"the beacon node at {self._host} gave an answer to {path} that makes no sense: use another")
