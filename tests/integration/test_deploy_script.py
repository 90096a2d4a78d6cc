"""scripts/deploy.py as an operator runs it: what it prints and writes, and what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

import pytest
from eth_account import Account

from prover.local_chain import LOCAL_CHAIN_ID, PROJECT_ROOT, local_chain
from tests.support.deployments import TRANSACTIONS, CountingDeployer, nonce, small_plan
from verifier.ceremony import ceremony_setup
from verifier.chain.chain_client import ChainClient
from verifier.chain.contract_artifacts import load_artifact
from verifier.chain.governance_client import TimelockClient
from verifier.chain.networks import load_networks
from verifier.chain.registry_client import RegistryClient
from verifier.chain.token_client import TokenClient
from verifier.deployment.deployment import Deployment, carry_out, check_deployment
from verifier.deployment.deployment_manifest import Manifest
from verifier.deployment.deployment_plan import deployment_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from eth_account.signers.local import LocalAccount

    from prover.local_chain import LocalChain

SCRIPT: Final = PROJECT_ROOT / "scripts" / "deploy.py"
LOCAL: Final = ("--network", "local", "--shape", "small", "--insecure")
PASSWORD: Final = "of the keystore"  # noqa: S105 - of a test's own keystore
SECONDS: Final = 60.0


@pytest.fixture(scope="module")
def running() -> Iterator[LocalChain]:
    """A chain of its own."""
    with local_chain() as made:
        yield made


def environment_of(running: LocalChain, key: str | None, **variables: str) -> dict[str, str]:
    """Node and key in the environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZKMARGIN_")}
    environment |= {name: os.environ[name] for name in ("ZKMARGIN_CACHE",) if name in os.environ}
    environment |= {"ZKMARGIN_NODE": running.url, "PYTHONPATH": str(PROJECT_ROOT)} | variables
    return environment if key is None else environment | {"ZKMARGIN_PRIVATE_KEY": key}


def run(
    running: LocalChain, *options: str, key: str | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the script with node and key in the environment."""
    environment = environment_of(running, key, **variables)
    return subprocess.run(
        [sys.executable, str(SCRIPT), *options],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def write_keystore(path: Path, account: LocalAccount) -> None:
    """An encrypted keystore that opens fast."""
    path.write_text(json.dumps(Account.encrypt(account.key, PASSWORD, iterations=16)))


def test_deploys_checks_and_writes(running: LocalChain, tmp_path: Path) -> None:
    output = tmp_path / "deployment.json"
    key = running.account(0).key.hex()
    options = ("--chain-id", str(LOCAL_CHAIN_ID), "--shape", "small", "--insecure", "--output", str(output))
    done = run(running, *options, key=key)
    assert done.returncode == 0, done.stderr
    deployment = Deployment.load(output)
    for address in (deployment.verifier, deployment.registry, deployment.house, deployment.vault, deployment.timelock):
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


def test_a_network_by_name_with_manifest_sources_and_verification(running: LocalChain, tmp_path: Path) -> None:
    output, holder = tmp_path / "mine.json", running.account(5).address
    roles = ("--publisher", holder, "--publisher", running.account(6).address, "--threshold", "2", "--guardian", holder)
    tokens = ("--token", "worthless,3,1000", "--governance-delay", "3600")
    options = (*LOCAL, "--salt", "by name", "--output", str(output), "--mint-to", holder, *roles, *tokens)
    key = running.account(0).key.hex()
    done = run(running, *options, key=key)
    assert done.returncode == 0, done.stderr
    deployment, manifest = Deployment.load(output), Manifest.load(tmp_path / "mine.manifest.json")
    assert deployment_of(manifest.plan(ceremony_setup()), manifest.block_number) == deployment
    assert manifest.network == "local"
    chain = ChainClient.connect(running.url)
    assert [TokenClient(chain, token).balance(holder) for token in deployment.tokens] == [10**12, 10**11]
    assert RegistryClient(chain, deployment.registry).threshold() == 2
    assert TimelockClient(chain, deployment.timelock).minimum_delay() == 3_600
    files = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert sorted(files) == ["mine.json", "mine.manifest.json", "mine.sources.json", "mine.verifier.sources.json"]
    for text in (*files.values(), done.stdout, done.stderr):
        assert running.url not in text
        assert key.removeprefix("0x") not in text

    path = tmp_path / "mine.manifest.json"
    verified = run(running, "--verify", str(path))
    assert verified.returncode == 0, verified.stderr
    assert verified.stdout.count("is what the build and its arguments give") == len(manifest.contracts)
    assert "the tables of points and the blinding point follow from the ceremony's powers" in verified.stdout
    assert "the timelock owns house, vault" in verified.stdout
    path.write_text(files["mine.manifest.json"].replace('"maximum_age": 3600', '"maximum_age": 3601'))
    mislabelled = tmp_path / "mislabelled.json"
    mislabelled.write_text(files["mine.manifest.json"].replace('"network": "local"', '"network": "sepolia"'))
    refused = run(running, "--verify", str(mislabelled))
    assert "not verified: network is 'sepolia' in the manifest, which is not chain 31337" in refused.stderr
    tampered = run(running, "--verify", str(path))
    assert tampered.returncode == 1
    assert "not verified: address of the registry" in tampered.stderr


def test_a_finished_deployment_is_found_again_without_a_transaction(running: LocalChain, tmp_path: Path) -> None:
    """As after an interruption between the last transaction and the files; tokens are not minted twice."""
    key, holder = running.account(0).key.hex(), running.account(6).address
    chain = ChainClient.connect(running.url)
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    options = (*LOCAL, "--salt", "again", "--mint-to", holder)
    assert run(running, *options, "--output", str(first), key=key).returncode == 0
    before = nonce(chain, running.account(0).address, "pending")
    again = run(running, *options, "--output", str(second), key=key)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("there already") == TRANSACTIONS
    assert nonce(chain, running.account(0).address, "pending") == before
    assert second.read_text() == first.read_text()


def test_killed_with_every_transaction_on_its_way(tmp_path: Path) -> None:
    """SIGKILL while a transaction waits to be mined, early, in the middle, at the end; nothing is sent twice."""
    output = tmp_path / "deployment.json"
    with local_chain() as running:
        chain, account = ChainClient.connect(running.url), running.account(0)
        command = [sys.executable, str(SCRIPT), *LOCAL, "--output", str(output)]
        environment = environment_of(running, account.key.hex(), XDG_STATE_HOME=str(tmp_path))
        for sent in (1, TRANSACTIONS // 2, TRANSACTIONS):
            missing = sent - 1 - nonce(chain, account.address)
            if missing:
                with pytest.raises(KeyboardInterrupt):
                    carry_out(
                        chain, CountingDeployer(chain, account, limit=missing), small_plan(chain, account.address)
                    )
            chain.request("evm_setAutomine", [False])
            process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            deadline = time.monotonic() + SECONDS
            while nonce(chain, account.address, "pending") < sent and time.monotonic() < deadline:
                time.sleep(0.05)
            process.kill()
            process.communicate()
            assert nonce(chain, account.address, "pending") == sent
            chain.request("evm_mine", [])
            chain.request("evm_setAutomine", [True])
            assert nonce(chain, account.address) == sent
        assert not output.exists()
        done = run(running, *LOCAL, "--output", str(output), key=account.key.hex(), XDG_STATE_HOME=str(tmp_path))
        assert done.returncode == 0, done.stderr
        assert nonce(chain, account.address, "pending") == TRANSACTIONS
        check_deployment(chain, Deployment.load(output), ceremony_setup())


def test_a_dry_run_sends_and_writes_nothing(running: LocalChain, tmp_path: Path) -> None:
    chain, account = ChainClient.connect(running.url), running.account(7)
    state = (chain.block_number(), nonce(chain, account.address, "pending"))
    options = (*LOCAL, "--salt", "dry", "--output", str(tmp_path / "deployment.json"), "--dry-run")
    done = run(running, *options, key=account.key.hex())
    assert done.returncode == 0, done.stderr
    assert "dry run: nothing was sent" in done.stdout
    assert f" gas in {TRANSACTIONS} transactions" in done.stdout
    assert "10000 ETH, enough" in done.stdout
    assert list(tmp_path.iterdir()) == []
    chain.request("anvil_setBalance", [account.address, hex(10**12)])
    poor = run(running, *options, key=account.key.hex())
    assert "balance of" in poor.stdout
    assert "ETH short of the limit" in poor.stdout
    assert (chain.block_number(), nonce(chain, account.address, "pending")) == state


def test_the_node_signs_for_its_account(running: LocalChain, tmp_path: Path) -> None:
    output = tmp_path / "deployment.json"
    account = running.account(8).address
    done = run(running, *LOCAL, "--output", str(output), "--node-account", account)
    assert done.returncode == 0, done.stderr
    assert Manifest.load(tmp_path / "deployment.manifest.json").administrator == account
    stranger = run(running, *LOCAL, "--output", str(tmp_path / "other.json"), "--node-account", "0x" + "55" * 20)
    assert stranger.returncode == 1
    assert "does not sign for account" in stranger.stderr


def test_sepolia_with_a_keystore(tmp_path: Path) -> None:
    """A chain that says it is Sepolia; the network's collateral is put where it is there."""
    output, keystore = tmp_path / "deployment.json", tmp_path / "key.json"
    sepolia = load_networks(PROJECT_ROOT / "scripts" / "networks.json")["sepolia"]
    with local_chain(chain_id=sepolia.chain_id) as running:
        chain, account = ChainClient.connect(running.url), running.account(0)
        write_keystore(keystore, account)
        options = ("--network", "sepolia", "--shape", "small", "--output", str(output))
        secrets = {"ZKMARGIN_KEYSTORE_PASSWORD": PASSWORD}

        plain = run(running, *options, key=account.key.hex())
        assert plain.returncode == 1
        assert "no key for chain 11155111: give --keystore or --node-account" in plain.stderr
        missing = run(running, *options, "--keystore", str(keystore), **secrets)
        assert f"there is no token at {sepolia.collateral} on chain 11155111" in missing.stderr
        silent = run(running, *options, "--keystore", str(keystore))
        assert "nobody is there to ask: set ZKMARGIN_KEYSTORE_PASSWORD" in silent.stderr
        wrong = run(running, *options, "--keystore", str(keystore), ZKMARGIN_KEYSTORE_PASSWORD=PASSWORD[1:])
        assert "does not open keystore" in wrong.stderr
        assert chain.block_number() == 0

        token = load_artifact("InsecureTestToken").deployed_bytecode
        chain.request("anvil_setCode", [sepolia.collateral, token])
        done = run(running, *options, "--keystore", str(keystore), **secrets)
        assert done.returncode == 0, done.stderr
        assert Deployment.load(output).collateral == sepolia.collateral
        assert [record.name for record in Manifest.load(tmp_path / "deployment.manifest.json").contracts] == [
            *("verifier", "basis table", "mask table", "timelock", "instruments", "registry", "exit verifier"),
            *("house", "vault"),
        ]
        verified = run(running, "--verify", str(tmp_path / "deployment.manifest.json"))
        assert verified.returncode == 0, verified.stderr
        assert "the deployment on sepolia (chain 11155111)" in verified.stdout


def test_a_rollup_without_blobs(tmp_path: Path) -> None:
    output, keystore = tmp_path / "deployment.json", tmp_path / "key.json"
    network = load_networks(PROJECT_ROOT / "scripts" / "networks.json")["op-sepolia"]
    with local_chain(chain_id=network.chain_id, hardfork="prague") as running:
        write_keystore(keystore, running.account(0))
        token = load_artifact("InsecureTestToken").deployed_bytecode
        ChainClient.connect(running.url).request("anvil_setCode", [network.collateral, token])
        options = ("--network", "op-sepolia", "--shape", "small", "--output", str(output), "--keystore", str(keystore))
        dry = run(running, *options, "--dry-run", ZKMARGIN_KEYSTORE_PASSWORD=PASSWORD)
        assert "its fee for data on the chain below comes on top" in dry.stdout, dry.stderr
        done = run(running, *options, ZKMARGIN_KEYSTORE_PASSWORD=PASSWORD)
        assert done.returncode == 0, done.stderr
        assert "this chain takes no blobs: rules are published by calldata on it" in done.stdout
        assert output.exists()


def test_a_test_token_on_a_real_network_is_refused(tmp_path: Path) -> None:
    keystore = tmp_path / "key.json"
    with local_chain(chain_id=560_048) as running:
        write_keystore(keystore, running.account(0))
        options = ("--network", "hoodi", "--insecure", "--keystore", str(keystore))
        done = run(running, *options, ZKMARGIN_KEYSTORE_PASSWORD=PASSWORD)
        assert done.returncode == 1
        assert "not deployed: the test token on chain 560048: anybody could forge" in done.stderr
        assert ChainClient.connect(running.url).block_number() == 0


@pytest.mark.parametrize("options", [(), ("--dry-run",)], ids=["real", "dry"])
def test_a_chain_without_eip_2537_is_refused(tmp_path: Path, options: tuple[str, ...]) -> None:
    with local_chain(hardfork="cancun") as running:
        key = running.account(0).key.hex()
        done = run(running, *LOCAL, *options, "--output", str(tmp_path / "deployment.json"), key=key)
        assert done.returncode == 1
        assert "chain 31337 lacks precompile 0x0b, G1 addition (EIP-2537): use a chain with the Prague" in done.stderr
        assert nonce(ChainClient.connect(running.url), running.account(0).address, "pending") == 0
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param((), "give one of --network and --chain-id", id="no network"),
        pytest.param(("--network", "local", "--chain-id", "1"), "give one of --network and --chain-id", id="two"),
        pytest.param(("--network", "mainnet"), "there is no network 'mainnet'", id="unknown"),
        pytest.param((*LOCAL, "--keystore", "k", "--node-account", "0x1"), "give one of --keystore", id="two signers"),
        pytest.param((*LOCAL, "--token", "worthless,3,\u00b2"), "is not ADDRESS,SLOT,UNITS", id="token"),
        pytest.param((*LOCAL, "--output", "nowhere/d.json"), "can be written to folder nowhere", id="folder"),
        pytest.param(("--network", "sepolia", "--mint-to", "0x1"), "--mint-to is for worthless tokens", id="mint"),
    ],
)
def test_options_that_do_not_go_together(running: LocalChain, options: tuple[str, ...], message: str) -> None:
    done = run(running, *options)
    assert done.returncode == 2
    assert message in done.stderr
