"""Deployment files: what comes back as it was written, and what is refused with the field's name."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import pytest
from eth_utils.address import to_checksum_address

from verifier.deployment.deployment_file import Deployment
from verifier.errors import DeploymentError

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS: Final = to_checksum_address("0x" + "ab" * 20)
DEPLOYMENT: Final = Deployment(
    chain_id=1,
    shape="small",
    setup="ceremony",
    verifier=ADDRESS,
    timelock=ADDRESS,
    instruments=ADDRESS,
    registry=ADDRESS,
    exit_verifier=ADDRESS,
    house=ADDRESS,
    vault=ADDRESS,
    tokens=(ADDRESS,),
    block_number=7,
)


def test_addresses_come_back_with_their_checksum_however_they_are_written(tmp_path: Path) -> None:
    """The wallet knows accounts by the house's address: another way to write it is the same house."""
    path = tmp_path / "deployment.json"
    DEPLOYMENT.save(path)
    assert Deployment.load(path) == DEPLOYMENT
    path.write_text(path.read_text().replace(ADDRESS, ADDRESS.lower()))
    assert Deployment.load(path) == DEPLOYMENT


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"house": "0x12"}, "house: .*'0x12' is no address"),
        ({"vault": "0xA" + "b" * 39}, "vault: .*with a right checksum"),
        ({"registry": 5}, "registry: Input should be a valid string"),
        ({"tokens": []}, "tokens: .*at least 1 item"),
        ({"tokens": ADDRESS}, "tokens: Input should be a valid"),
        ({"chain_id": "1"}, "chain_id: Input should be a valid integer"),
        ({"block_number": -1}, "block_number: Input should be greater"),
        ({"shape": ["small"]}, "shape: Input should be a valid string"),
        ({"rpc": "http://node"}, "rpc: Unexpected keyword argument"),
    ],
)
def test_wrong_fields_are_named(tmp_path: Path, change: dict[str, object], message: str) -> None:
    path = tmp_path / "deployment.json"
    path.write_text(json.dumps(asdict(DEPLOYMENT) | change))
    with pytest.raises(DeploymentError, match=f"is not a deployment file: {message}"):
        Deployment.load(path)
