"""The manifest and its verification: a true one passes, every tampering with file or chain is found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from prover.local_chain import local_chain
from tests.support.deployments import deployed_manifest, undone
from tests.support.setups import known_setup
from verifier.ceremony import ceremony_setup
from verifier.chain.chain_client import ChainClient
from verifier.chain.contract_artifacts import load_artifact
from verifier.chain.contract_interface import contract_interface
from verifier.chain.governance_client import TimelockClient, governed_call
from verifier.chain.instrument_client import InstrumentClient
from verifier.deployment.deployment_check import check_code, check_manifest, check_mask_table
from verifier.deployment.deployment_manifest import Manifest
from verifier.errors import DeploymentError, InsecureDeploymentError, VerifierError
from verifier.shape import SMALL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from eth_account.signers.local import LocalAccount

    from prover.local_chain import LocalChain

VERIFIER, TOKEN, TABLE, MASK_TABLE, TIMELOCK, INSTRUMENTS, REGISTRY, EXIT_VERIFIER, HOUSE, VAULT = range(10)
ELSEWHERE = "0x" + "55" * 20


@pytest.fixture(scope="module")
def running() -> Iterator[LocalChain]:
    """A chain for this module."""
    with local_chain() as made:
        yield made


@pytest.fixture(scope="module")
def deployed(running: LocalChain) -> tuple[ChainClient, Manifest]:
    """A deployment and its manifest; every test leaves the chain as it was."""
    chain = ChainClient.connect(running.url)
    return chain, deployed_manifest(chain, running.account(0))


@pytest.fixture
def chain(deployed: tuple[ChainClient, Manifest]) -> Iterator[ChainClient]:
    """The chain; what the test does is undone."""
    with undone(deployed[0]):
        yield deployed[0]


@pytest.fixture
def manifest(deployed: tuple[ChainClient, Manifest]) -> Manifest:
    """The true manifest."""
    return deployed[1]


@pytest.fixture
def deployed_by(running: LocalChain) -> LocalAccount:
    """Who deployed, and has all tasks."""
    return running.account(0)


def test_a_true_manifest_passes_and_comes_back(chain: ChainClient, manifest: Manifest, tmp_path: Path) -> None:
    path = tmp_path / "deployment.manifest.json"
    manifest.save(path)
    loaded = Manifest.load(path)
    assert loaded == manifest
    check_manifest(chain, loaded, ceremony_setup())
    house = loaded.contracts[HOUSE]
    assert house.source == "contracts/ClearingHouse.sol:ClearingHouse"
    parts: Any = house.constructor["parts"]
    assert parts[:3] == [loaded.contracts[place].address for place in (VERIFIER, REGISTRY, EXIT_VERIFIER)]
    assert house.constructor["owner"] == loaded.contracts[TIMELOCK].address
    assert loaded.contracts[TIMELOCK].source == (
        "@openzeppelin/contracts/governance/TimelockController.sol:TimelockController"
    )
    creation = load_artifact("ClearingHouse").bytecode + house.constructor_bytes.removeprefix("0x")
    assert creation.endswith(house.constructor_bytes[2:])
    assert loaded.contracts[TABLE].source is None


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        pytest.param(("chain_id",), 1, "the chain id is 31337, expected 1", id="chain"),
        pytest.param(("setup",), "insecure-known-tau", "setup is 'insecure-known-tau'", id="setup"),
        pytest.param(("proxy",), ELSEWHERE, "proxy is '0x5555", id="proxy"),
        pytest.param(("compiler",), "0.8.0", "compiler is '0.8.0'", id="compiler"),
        pytest.param(("block_number",), 8, "block_number in the manifest is 8", id="block"),
        pytest.param(("shape",), "standard", "of the verifier is", id="shape"),
        pytest.param(("shape",), "huge", "no shape 'huge'", id="unknown shape"),
        pytest.param(("administrator",), ELSEWHERE, "address of the timelock is", id="administrator"),
        pytest.param(("terms", "timing", "maximum_age"), 100, "address of the registry is", id="age"),
        pytest.param(("terms", "salt"), "0x" + "11" * 32, "address of the verifier is", id="salt"),
        pytest.param(("terms", "salt"), "0xzz", "not hexadecimal", id="no salt"),
        pytest.param(("terms", "threshold"), 2, "2 of 1 publishers cannot sign", id="threshold"),
        pytest.param(("terms", "publishers"), [ELSEWHERE], "address of the registry is", id="publishers"),
        pytest.param(("terms", "lister"), ELSEWHERE, "address of the instruments is", id="lister"),
        pytest.param(("terms", "guardian"), ELSEWHERE, "address of the house is", id="guardian"),
        pytest.param(("terms", "proposers"), [ELSEWHERE], "address of the timelock is", id="proposers"),
        pytest.param(("terms", "governance_delay"), 1, "address of the timelock is", id="governance"),
        pytest.param(("terms", "tokens", 0, "units_per_tick"), 1, "address of the house is", id="tick"),
        pytest.param(("terms", "tokens", 0, "slot"), 1, "address of the house is", id="slot"),
        pytest.param(("terms", "tokens", 0, "cap"), 1, "address of the house is", id="cap"),
        pytest.param(("terms", "tokens", 0, "capacity"), 10**9, "address of the house is", id="capacity"),
        pytest.param(("terms", "tokens", 0, "refill"), 10**9, "address of the house is", id="refill"),
        pytest.param(("terms", "insecure"), False, "the test token on chain 31337", id="insecure"),
        pytest.param(("contracts", HOUSE, "address"), ELSEWHERE, "address of the house is 0x5555", id="address"),
        pytest.param(("contracts", HOUSE, "source"), "contracts/Other.sol:Other", "source of the house", id="source"),
        pytest.param(("contracts", TABLE, "creation_hash"), "0x00", "creation_hash of the basis table", id="creation"),
        pytest.param(("contracts", VERIFIER, "code_hash"), "0x00", "the code hash of the verifier", id="code hash"),
        pytest.param(
            ("contracts", REGISTRY, "constructor"),
            {"verifier": ELSEWHERE, "owner": ELSEWHERE, "threshold": 1},
            "constructor of the registry",
            id="arguments",
        ),
        pytest.param(("contracts", HOUSE, "constructor_bytes"), "0x00", "constructor_bytes of the house", id="bytes"),
        pytest.param(("contracts", HOUSE, "name"), "vault", "name of the vault is vault", id="name"),
        pytest.param(("contracts",), [], "the number of contracts in the manifest is 0", id="no contracts"),
    ],
)
def test_a_tampered_manifest_is_refused(
    chain: ChainClient, manifest: Manifest, tmp_path: Path, place: tuple[str | int, ...], value: object, message: str
) -> None:
    content: Any = json.loads(manifest.model_dump_json())
    inner = content
    for step in place[:-1]:
        inner = inner[step]
    assert inner[place[-1]] != value
    inner[place[-1]] = value
    path = tmp_path / "tampered.json"
    path.write_text(json.dumps(content))
    with pytest.raises(VerifierError, match=message):
        check_manifest(chain, Manifest.load(path), ceremony_setup())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("{", "is no manifest", id="no JSON"),
        pytest.param("{}", "network: Field required", id="empty"),
        pytest.param('{"format": "zkmargin-manifest-9"}', "format: Input should be", id="other format"),
        pytest.param(None, "cannot be read", id="no file"),
    ],
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "manifest.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(DeploymentError, match=message):
        Manifest.load(path)


def test_another_setup_is_refused(chain: ChainClient, manifest: Manifest) -> None:
    with pytest.raises(DeploymentError, match="setup is 'ethereum-kzg-ceremony' in the manifest"):
        check_manifest(chain, manifest, known_setup())
    worthless = manifest.model_copy(update={"setup": known_setup().name, "chain_id": 1})
    with pytest.raises(InsecureDeploymentError, match="insecure-known-tau"):
        worthless.plan(known_setup())


def flipped(code: bytes, position: int) -> str:
    """The code with one bit changed."""
    changed = bytearray(code)
    changed[position] ^= 1
    return "0x" + changed.hex()


@pytest.mark.parametrize("index", [VERIFIER, TIMELOCK, EXIT_VERIFIER, VAULT])
def test_one_wrong_bit_of_code_is_found(chain: ChainClient, manifest: Manifest, index: int) -> None:
    record = manifest.contracts[index]
    chain.request("anvil_setCode", [record.address, flipped(chain.code(record.address), 1)])
    with pytest.raises(
        DeploymentError, match=rf"the code of the {record.name} at .* differs from the build at byte 1:"
    ):
        check_manifest(chain, manifest, ceremony_setup())


@pytest.mark.parametrize(("index", "name"), [(TABLE, "basis"), (MASK_TABLE, "mask")])
def test_a_wrong_table_is_found(chain: ChainClient, manifest: Manifest, index: int, name: str) -> None:
    address = manifest.contracts[index].address
    chain.request("anvil_setCode", [address, flipped(chain.code(address), 200)])
    with pytest.raises(DeploymentError, match=f"the code of the {name} table"):
        check_manifest(chain, manifest, ceremony_setup())


def test_the_mask_table_follows_from_the_powers(chain: ChainClient, manifest: Manifest) -> None:
    """Two points that have changed places: still points of the group, and no longer the setup's."""
    address = manifest.contracts[MASK_TABLE].address
    code = chain.code(address)
    chain.request("anvil_setCode", [address, "0x" + (code[:1] + code[97:193] + code[1:97] + code[193:]).hex()])
    instruments = InstrumentClient(chain, manifest.contracts[INSTRUMENTS].address)
    with pytest.raises(DeploymentError, match="a random combination of the mask points"):
        check_mask_table(chain, instruments, shape=SMALL, setup=ceremony_setup())


def test_another_owner_is_found(chain: ChainClient, manifest: Manifest) -> None:
    """Ownership that the timelock has given away, as its proposers can with the delay."""
    vault = manifest.contracts[VAULT].address
    owner = manifest.contracts[TIMELOCK].address
    stored = "0x" + owner[2:].lower().rjust(64, "0")
    slot = next(
        hex(place) for place in range(8) if chain.request("eth_getStorageAt", [vault, hex(place), "latest"]) == stored
    )
    chain.request("anvil_setStorageAt", [vault, slot, "0x" + ELSEWHERE[2:].rjust(64, "0")])
    with pytest.raises(DeploymentError, match="the owner of the vault is 0x5555"):
        check_manifest(chain, manifest, ceremony_setup())


def test_roles_that_governance_has_changed_are_found(
    chain: ChainClient, manifest: Manifest, deployed_by: LocalAccount
) -> None:
    timelock = TimelockClient(chain, manifest.contracts[TIMELOCK].address)
    proposer = chain.call(timelock.address, contract_interface("TimelockController").encode_call("PROPOSER_ROLE"))

    def governed(*call: Any) -> None:  # noqa: ANN401 - arguments of any function of a contract
        timelock.carry_out(deployed_by, governed_call(*call))

    changes: list[tuple[tuple[Any, ...], str]] = [
        (("ClearingHouse", HOUSE, "setGuardian", ELSEWHERE), "the guardian is 0x5555"),
        (("RuleRegistry", REGISTRY, "transferOwnership", ELSEWHERE), "whom the registry has been offered to is 0x5555"),
        (("InstrumentRegistry", INSTRUMENTS, "setLister", ELSEWHERE), "the lister is 0x5555"),
        (("RuleRegistry", REGISTRY, "setPublishers", [ELSEWHERE], [], 1), "number of publishers is 2 now, and was 1"),
        (("RuleRegistry", REGISTRY, "setPublishers", [ELSEWHERE], [deployed_by.address], 1), "is False now"),
        (("RuleRegistry", REGISTRY, "setPublishers", [], [], 1), ""),
        (("TimelockController", TIMELOCK, "grantRole", proposer, ELSEWHERE), "0x5555.* has been given a role"),
        (("TimelockController", TIMELOCK, "grantRole", bytes(32), deployed_by.address), "has been given a role"),
        (("TimelockController", TIMELOCK, "revokeRole", proposer, deployed_by.address), "PROPOSER_ROLE of .* is False"),
    ]
    for (contract, place, *rest), message in changes:
        with undone(chain):
            governed(contract, manifest.contracts[place].address, *rest)
            if not message:
                check_manifest(chain, manifest, ceremony_setup())
                continue
            with pytest.raises(DeploymentError, match=message):
                check_manifest(chain, manifest, ceremony_setup())


def test_missing_code_is_found(chain: ChainClient, manifest: Manifest) -> None:
    chain.request("anvil_setCode", [manifest.contracts[HOUSE].address, "0x"])
    with pytest.raises(DeploymentError, match="there is no house at"):
        check_manifest(chain, manifest, ceremony_setup())


def test_longer_code_is_found(chain: ChainClient, manifest: Manifest) -> None:
    address = manifest.contracts[HOUSE].address
    chain.request("anvil_setCode", [address, "0x" + chain.code(address).hex() + "00"])
    with pytest.raises(DeploymentError, match="the size of the house's code"):
        check_manifest(chain, manifest, ceremony_setup())


def test_an_immutable_with_two_values_is_found(chain: ChainClient, manifest: Manifest) -> None:
    artifact = load_artifact("ClearingHouse")
    places = next(places for places in artifact.immutables if len(places) > 1)
    address = manifest.contracts[HOUSE].address
    chain.request("anvil_setCode", [address, flipped(chain.code(address), places[0][0])])
    with pytest.raises(DeploymentError, match="an immutable of ClearingHouse has 2 values in its"):
        check_manifest(chain, manifest, ceremony_setup())


def test_another_immutable_is_found(chain: ChainClient, manifest: Manifest) -> None:
    """All its places alike: the code passes for the build's, and the code hash tells."""
    places = load_artifact("RuleRegistry").immutables[0]
    record = manifest.contracts[REGISTRY]
    changed = bytearray(chain.code(record.address))
    for start, length in places:
        changed[start + length - 1] ^= 1
    chain.request("anvil_setCode", [record.address, "0x" + changed.hex()])
    planned = manifest.plan(ceremony_setup()).contracts[REGISTRY]
    check_code(planned, bytes(changed))
    with pytest.raises(DeploymentError, match="the code hash of the registry"):
        check_manifest(chain, manifest, ceremony_setup())
