"""The way to the chain: what is checked before anything is sent, and how failures read."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest
from web3.exceptions import ContractLogicError, Web3Exception

from prover.errors import LocalChainError
from prover.local_chain import LOCAL_CHAIN_ID, anvil_binary, local_chain
from tests.support.setups import known_setup
from verifier.ceremony import ceremony_setup, insecure_setup
from verifier.chain.chain_client import ChainClient
from verifier.chain.chain_time import advance_time, wait_for_time
from verifier.chain.contract_interface import contract_interface
from verifier.chain.house_client import HouseClient
from verifier.chain.node_connection import translated_errors
from verifier.deployment.deployment import (
    Deployment,
    TokenChoice,
    check_basis_table,
    check_deployment,
    data_contract_creation,
    deploy,
    local_terms,
)
from verifier.errors import (
    ChainError,
    ChainFeatureError,
    ContractRevertedError,
    DeploymentError,
    InsecureDeploymentError,
    MalformedInputError,
    NodeUnreachableError,
    WrongChainError,
)
from verifier.shape import SMALL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.exchange import Exchange

TERMS: Final = local_terms()


def unused_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- Connecting -----------------------------------------------------------------------------------------------------


def test_an_unreachable_node_is_named_without_its_secrets() -> None:
    port = unused_port()
    with pytest.raises(NodeUnreachableError, match=f"127.0.0.1:{port}.*check the address") as caught:
        ChainClient.connect(f"http://user:password@127.0.0.1:{port}/v2/secret-key")
    assert "secret-key" not in str(caught.value)
    assert "password" not in str(caught.value)


@pytest.mark.parametrize(
    "error", [ValueError("SECRET"), TypeError("SECRET"), KeyError("SECRET"), AttributeError("SECRET"), Web3Exception()]
)
def test_garbage_from_a_node_is_named_and_not_quoted(error: Exception) -> None:
    told = r"the node at http://node gave an answer that makes no sense \(\w+\): try again"
    with pytest.raises(NodeUnreachableError, match=told) as caught, translated_errors("http://node/SECRET"):
        raise error
    assert "SECRET" not in str(caught.value)


def test_a_revert_without_readable_data_is_a_revert() -> None:
    with pytest.raises(ContractRevertedError, match="UnknownRevert"), translated_errors("http://node"):
        raise ContractLogicError("reverted", data="0xzebra")


def test_a_wrong_chain_is_refused() -> None:
    with local_chain() as running, pytest.raises(WrongChainError, match=f"serves chain {LOCAL_CHAIN_ID}, not 1"):
        ChainClient.connect(running.url, chain_id=1)


@pytest.mark.parametrize(
    ("hardfork", "missing"),
    [
        pytest.param("cancun", "0x0b, G1 addition", id="without EIP-2537"),
        pytest.param("shanghai", "0x0a, point evaluation", id="without EIP-4844"),
    ],
)
def test_a_chain_without_precompiles_is_refused_before_anything_is_sent(hardfork: str, missing: str) -> None:
    with local_chain(hardfork=hardfork) as running:
        chain = ChainClient.connect(running.url)
        with pytest.raises(ChainFeatureError, match=missing):
            deploy(chain, running.account(0), shape_name="small", setup=ceremony_setup(), terms=TERMS)
        assert chain.block_number() == 0


def test_a_chain_without_blobs_is_refused() -> None:
    with local_chain(hardfork="shanghai") as running:
        chain = ChainClient.connect(running.url)
        with pytest.raises(ChainFeatureError, match="takes no blobs"):
            chain.require_blobs()
    with local_chain(hardfork="cancun") as running:
        ChainClient.connect(running.url).require_blobs()


# --- Calls and transactions -----------------------------------------------------------------------------------------


def test_a_call_where_there_is_no_contract_is_an_error(exchange: Exchange) -> None:
    nowhere = "0x" + "11" * 20
    data = contract_interface("RuleRegistry").encode_call("latestEpoch")
    with pytest.raises(ChainError, match="no contract at"):
        exchange.chain.call(nowhere, data)


def test_an_account_without_funds_is_told_so(exchange: Exchange) -> None:
    pauper = exchange.running.account(12)
    assert exchange.chain.balance(pauper.address) == 0
    with pytest.raises(ChainError, match=r"(?i)insufficient funds"):
        exchange.chain.send(pauper, b"", to=pauper.address)


def test_panics_and_unknown_errors_are_reported(exchange: Exchange) -> None:
    # PUSH32 0xdeadbeef…, MSTORE, REVERT(0, 4): an error that no contract of the project declares.
    code = "7fdeadbeef" + "00" * 28 + "60005260046000fd"
    address = "0x" + "22" * 20
    exchange.chain.request("anvil_setCode", [address, "0x" + code])
    with pytest.raises(ContractRevertedError, match="deployment file") as caught:
        exchange.chain.call(address, b"")
    assert caught.value.name == "UnknownRevert"
    assert caught.value.arguments == {"data": bytes.fromhex("deadbeef")}


def test_arguments_that_do_not_fit_are_refused(exchange: Exchange) -> None:
    interface = contract_interface("ClearingHouse")
    with pytest.raises(MalformedInputError, match="do not fit"):
        interface.encode_call("deposit", -1, 1, b"")
    with pytest.raises(MalformedInputError, match="no function 'selfDestruct'"):
        interface.encode_call("selfDestruct")
    with pytest.raises(MalformedInputError, match="do not fit"):
        exchange.house.deposit(exchange.publisher, 0, 0, 1 << 64, bytes(96))


def test_another_contract_at_the_address_is_found_out(exchange: Exchange) -> None:
    address = "0x" + "44" * 20
    exchange.chain.request("anvil_setCode", [address, "0x60016000f3"])
    with pytest.raises(DeploymentError, match="check the addresses"):
        HouseClient(exchange.chain, address).account_state(bytes(32))


def test_a_request_that_the_node_does_not_know_is_an_error(exchange: Exchange) -> None:
    with pytest.raises(ChainError, match="no_such_method"):
        exchange.chain.request("no_such_method", [])


def test_only_the_local_clock_is_moved(exchange: Exchange) -> None:
    later = exchange.chain.block_time() + 1_000
    wait_for_time(exchange.chain, later)
    assert exchange.chain.block_time() >= later
    with local_chain(chain_id=560_048) as other:
        chain = ChainClient.connect(other.url)
        now = chain.block_time()
        wait_for_time(chain, now)
        with pytest.raises(ChainError, match="cannot be moved"):
            advance_time(chain, 1)
        with pytest.raises(ChainError, match="its blocks come late"):
            wait_for_time(chain, now + 1_000, patience=-1_000)
        assert chain.block_number() == 0


# --- Deploying ------------------------------------------------------------------------------------------------------


def test_a_deployment_is_what_it_says(exchange: Exchange) -> None:
    check_deployment(exchange.chain, exchange.deployment, exchange.setup)


def test_a_deployment_file_comes_back(exchange: Exchange, tmp_path: Path) -> None:
    path = tmp_path / "deployment.json"
    exchange.deployment.save(path)
    assert Deployment.load(path) == exchange.deployment
    path.write_text("{}")
    with pytest.raises(DeploymentError, match="not a deployment file"):
        Deployment.load(path)
    with pytest.raises(DeploymentError, match="deploy first"):
        Deployment.load(tmp_path / "none.json")
    with pytest.raises(DeploymentError, match="unknown shape 'huge'"):
        replace(exchange.deployment, shape="huge").argument_shape()


def test_a_deployment_for_another_shape_is_refused(exchange: Exchange) -> None:
    with pytest.raises(DeploymentError, match="verifier's key"):
        check_deployment(exchange.chain, replace(exchange.deployment, shape="standard"), exchange.setup)


def test_a_swapped_contract_is_found(exchange: Exchange) -> None:
    deployment = exchange.deployment
    for swapped, message in (
        (replace(deployment, tokens=(deployment.registry,)), "the vault's tokens"),
        (replace(deployment, timelock=deployment.registry), "the owner of the house"),
        (replace(deployment, exit_verifier=deployment.verifier), "the house's exit verifier"),
    ):
        with pytest.raises(DeploymentError, match=message):
            check_deployment(exchange.chain, swapped, exchange.setup)


def test_a_table_with_one_false_point_is_found(exchange: Exchange) -> None:
    """The house would credit the neighbour's slot: two points of the table change places, and the hash is theirs."""
    address, _ = exchange.house.basis_table()
    points = exchange.chain.code(address)[1:]
    swapped = points[:96] + points[192:288] + points[96:192] + points[288:]
    receipt = exchange.chain.deploy(exchange.publisher, data_contract_creation(swapped))
    assert house_refusal(exchange, basis_table=str(receipt.contract_address)) == "DataContractHashMismatch"
    exchange.chain.request("anvil_setCode", [address, "0x00" + swapped.hex()])
    with pytest.raises(DeploymentError, match="hash of the basis table"):
        check_basis_table(exchange.chain, exchange.house, shape=SMALL, setup=exchange.setup)


def test_a_false_table_under_its_own_hash_is_found(fresh_exchange: Exchange) -> None:
    exchange = fresh_exchange
    address, _ = exchange.house.basis_table()
    points = exchange.chain.code(address)[1:]
    swapped = points[:96] + points[192:288] + points[96:192] + points[288:]
    terms = replace(TERMS, tokens=(TokenChoice(exchange.deployment.collateral),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("verifier.deployment.deployment_plan.basis_bytes", lambda *_: swapped)
        false = deploy(exchange.chain, exchange.publisher, shape_name="small", setup=exchange.setup, terms=terms)
    with pytest.raises(DeploymentError, match="random combination"):
        check_deployment(exchange.chain, false, exchange.setup)


def test_test_setups_and_test_tokens_are_refused_elsewhere(fresh_exchange: Exchange) -> None:
    chain, deployer = fresh_exchange.chain, fresh_exchange.publisher
    before = chain.block_number()
    token = fresh_exchange.deployment.collateral
    real_token = replace(TERMS, tokens=(TokenChoice(token),), insecure=False)
    with pytest.raises(InsecureDeploymentError, match="the test token"):
        deploy(chain, deployer, shape_name="small", setup=ceremony_setup(), terms=replace(TERMS, insecure=False))
    with pytest.raises(InsecureDeploymentError, match="insecure-known-tau"):
        deploy(chain, deployer, shape_name="small", setup=known_setup(), terms=real_token)
    elsewhere = ChainClient(chain._web3, chain._url, 1)
    with pytest.raises(InsecureDeploymentError, match="on chain 1"):
        deploy(elsewhere, deployer, shape_name="small", setup=ceremony_setup(), terms=TERMS)
    assert chain.block_number() == before


def test_a_collateral_without_code_is_refused(fresh_exchange: Exchange) -> None:
    terms = replace(TERMS, tokens=(TokenChoice("0x" + "55" * 20),))
    before = fresh_exchange.chain.block_number()
    with pytest.raises(DeploymentError, match="no token at"):
        deploy(fresh_exchange.chain, fresh_exchange.publisher, shape_name="small", setup=ceremony_setup(), terms=terms)
    assert fresh_exchange.chain.block_number() == before


def test_an_unknown_shape_is_refused(fresh_exchange: Exchange) -> None:
    with pytest.raises(MalformedInputError, match="no shape 'huge'"):
        deploy(
            fresh_exchange.chain,
            fresh_exchange.publisher,
            shape_name="huge",
            setup=ceremony_setup(),
            terms=TERMS,
        )


def test_a_test_setup_gets_the_pairing_variant(fresh_exchange: Exchange) -> None:
    setup = insecure_setup(5, SMALL.powers)
    made = deploy(fresh_exchange.chain, fresh_exchange.publisher, shape_name="small", setup=setup, terms=TERMS)
    assert made.setup == "insecure-known-tau"
    check_deployment(fresh_exchange.chain, made, setup)
    with pytest.raises(DeploymentError, match="verifier's key"):
        check_deployment(fresh_exchange.chain, made, ceremony_setup())


def test_publishers_are_appointed_by_the_timelock_alone(fresh_exchange: Exchange) -> None:
    newcomer = fresh_exchange.running.account(4)
    with pytest.raises(ContractRevertedError) as caught:
        fresh_exchange.registry.set_publishers(fresh_exchange.publisher, add=[newcomer.address], threshold=1)
    assert caught.value.name == "OwnableUnauthorizedAccount"


def house_refusal(exchange: Exchange, **bent: object) -> str:
    """The error by which a new house refuses what it is made of; ``bent`` names what differs from the exchange's."""
    deployment = exchange.deployment
    table, bound = exchange.house.basis_table()
    fields: dict[str, object] = {
        "verifier": deployment.verifier,
        "registry": deployment.registry,
        "exit_verifier": deployment.exit_verifier,
        "basis_table": table,
        "basis_hash": bound,
        "tokens": [exchange.vault.token_terms(0)],
    } | bent
    *parts, tokens = fields.values()
    terms = [token.as_tuple() for token in tokens]  # type: ignore[attr-defined]  # a list of terms
    owner = exchange.publisher.address
    creation = contract_interface("ClearingHouse").creation(tuple(parts), owner, owner, terms)
    with pytest.raises(ContractRevertedError) as caught:
        exchange.chain.deploy(exchange.publisher, creation)
    return caught.value.name


def test_houses_refuse_parts_that_do_not_fit(exchange: Exchange) -> None:
    token, deployment = exchange.vault.token_terms(0), exchange.deployment

    for bent, name in (
        (replace(token, slot=SMALL.slots), "CollateralVaultSlotOutOfRange"),
        (replace(token, units_per_tick=0), "CollateralVaultTickWithoutUnits"),
        (replace(token, capacity=0), "CollateralVaultLimitEmpty"),
        (replace(token, cap=token.cap + 1), "CollateralVaultCapOutOfRange"),
    ):
        assert house_refusal(exchange, tokens=[bent]) == name
    assert house_refusal(exchange, tokens=[]) == "CollateralVaultNoTokens"
    assert house_refusal(exchange, basis_table=deployment.verifier) == "DataContractLengthWrong"
    assert house_refusal(exchange, basis_hash=bytes(32)) == "DataContractHashMismatch"
    other = deploy(exchange.chain, exchange.publisher, shape_name="standard", setup=exchange.setup, terms=TERMS)
    assert house_refusal(exchange, verifier=other.verifier) == "AccountLedgerVerifyingKeyMismatch"
    assert house_refusal(exchange, exit_verifier=other.exit_verifier) == "ClearingHouseExitBasisMismatch"


# --- The local chain ------------------------------------------------------------------------------------------------


def test_a_missing_anvil_is_named(tmp_path: Path) -> None:
    with pytest.raises(LocalChainError, match="make setup"):
        anvil_binary(tmp_path)


def test_a_chain_that_does_not_start_is_reported() -> None:
    with pytest.raises(LocalChainError, match="ended with code"), local_chain(hardfork="no-such-fork"):
        pytest.fail("the chain started")


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_chain_ends_with_its_process(ending: signal.Signals) -> None:
    program = (
        "import time\n"
        "from prover.local_chain import local_chain\n"
        "with local_chain() as chain:\n"
        "    print(chain.url, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        ChainClient.connect(url, chain_id=LOCAL_CHAIN_ID)
        os.kill(process.pid, ending)
        process.wait(timeout=10)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            ChainClient.connect(url)
        except NodeUnreachableError:
            return
    pytest.fail("the chain outlived its process")
