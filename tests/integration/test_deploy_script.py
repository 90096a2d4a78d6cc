"""scripts/deploy.py as an operator runs it: what it prints and writes, and what it refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from prover.local_chain import LOCAL_CHAIN_ID, PROJECT_ROOT, local_chain
from verifier.ceremony import ceremony_setup
from verifier.chain_client import ChainClient
from verifier.deployment import Deployment, check_deployment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from prover.local_chain import LocalChain

SCRIPT: Final = PROJECT_ROOT / "scripts" / "deploy.py"


@pytest.fixture(scope="module")
def running() -> Iterator[LocalChain]:
    """A chain of its own."""
    with local_chain() as made:
        yield made


def run(running: LocalChain, *options: str, key: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the script with node and key in the environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZKMARGIN_")}
    environment |= {"ZKMARGIN_NODE": running.url, "PYTHONPATH": str(PROJECT_ROOT)}
    if key is not None:
        environment["ZKMARGIN_PRIVATE_KEY"] = key
    return subprocess.run(
        [sys.executable, str(SCRIPT), *options], env=environment, capture_output=True, text=True, check=False
    )


def test_deploys_checks_and_writes(running: LocalChain, tmp_path: Path) -> None:
    output = tmp_path / "deployment.json"
    key = running.account(0).key.hex()
    options = ("--chain-id", str(LOCAL_CHAIN_ID), "--shape", "small", "--insecure", "--output", str(output))
    done = run(running, *options, key=key)
    assert done.returncode == 0, done.stderr
    deployment = Deployment.load(output)
    for address in (deployment.verifier, deployment.registry, deployment.house, deployment.collateral):
        assert address in done.stdout
    check_deployment(ChainClient.connect(running.url), deployment, ceremony_setup())
    again = run(running, *options, key=key)
    assert again.returncode == 2
    assert "exists" in again.stderr


@pytest.mark.parametrize(
    ("options", "with_key", "message"),
    [
        pytest.param(("--chain-id", "1", "--insecure"), True, "serves chain 31337, not 1", id="another chain"),
        pytest.param(("--chain-id", "31337"), True, "the test token", id="worthless token unasked"),
        pytest.param(("--chain-id", "31337", "--insecure"), False, "no key to sign with", id="no key"),
    ],
)
def test_refuses_before_anything_is_sent(
    running: LocalChain, tmp_path: Path, options: tuple[str, ...], message: str, *, with_key: bool
) -> None:
    chain = ChainClient.connect(running.url)
    before = chain.block_number()
    key = running.account(0).key.hex()
    output = tmp_path / "deployment.json"
    done = run(running, *options, "--output", str(output), key=key if with_key else None)
    assert done.returncode == 1
    assert message in done.stderr
    assert key.removeprefix("0x") not in done.stdout + done.stderr
    assert chain.block_number() == before
    assert not output.exists()
