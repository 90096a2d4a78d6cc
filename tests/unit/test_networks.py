"""The configuration file of networks: what is in it, and what must not be."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from eth_utils.address import is_checksum_address

from verifier.chain.networks import load_networks
from verifier.errors import MalformedInputError

NETWORKS: Final = Path(__file__).resolve().parents[2] / "scripts" / "networks.json"


def test_the_networks_that_come_along() -> None:
    networks = load_networks(NETWORKS)
    assert {name: network.chain_id for name, network in networks.items()} == {
        "local": 31_337,
        "sepolia": 11_155_111,
        "hoodi": 560_048,
        "op-sepolia": 11_155_420,
    }
    assert [name for name, network in networks.items() if not network.blobs] == ["op-sepolia"]
    assert [name for name, network in networks.items() if network.rollup] == ["op-sepolia"]
    assert all(is_checksum_address(network.collateral) for network in networks.values() if network.collateral)


def test_no_address_of_a_node_is_in_the_file() -> None:
    assert "://" not in NETWORKS.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param('{"a": {"chain_id": 1, "blobs": true, "rpc": "x"}}', "a.rpc: Extra inputs", id="a node's address"),
        pytest.param('{"a": {"blobs": true}}', "a.chain_id: Field required", id="no chain id"),
        pytest.param('{"a": {"chain_id": 0, "blobs": true}}', "a.chain_id: Input should be greater", id="chain 0"),
        pytest.param('{"a": {"chain_id": "1", "blobs": true}}', "a.chain_id: Input should be a valid int", id="text"),
        pytest.param("[", "the file: Invalid JSON", id="no JSON"),
        pytest.param(None, "cannot be read", id="no file"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "networks.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(MalformedInputError, match=message):
        load_networks(path)
