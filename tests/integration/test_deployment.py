"""Deployment on real chains: the same addresses, interruptions, what is refused, what a dry run says."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from prover.local_chain import LOCAL_CHAIN_ID, local_chain
from tests.support.deployments import TERMS, TRANSACTIONS, CountingDeployer, nonce, small_plan, undone
from verifier.ceremony import ceremony_setup
from verifier.chain.chain_client import ChainClient
from verifier.chain.chain_time import advance_time
from verifier.chain.contract_artifacts import load_artifact
from verifier.chain.epochs import EpochTiming
from verifier.chain.governance_client import TimelockClient, governed_call
from verifier.chain.house_client import HouseClient
from verifier.chain.instrument_client import InstrumentClient
from verifier.chain.registry_client import RegistryClient
from verifier.chain.vault_client import VaultClient
from verifier.deployment.create2 import PROXY, PROXY_CODE
from verifier.deployment.deployer import KeyDeployer, NodeDeployer
from verifier.deployment.deployment import carry_out, check_deployment
from verifier.deployment.deployment_check import first_block
from verifier.deployment.deployment_cost import deployment_cost
from verifier.deployment.deployment_plan import require_fit
from verifier.deployment.deployment_terms import TokenChoice, local_terms
from verifier.errors import (
    ChainError,
    ChainFeatureError,
    ContractRevertedError,
    DeploymentError,
    InsecureDeploymentError,
    MalformedInputError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eth_account.signers.local import LocalAccount

    from prover.local_chain import LocalChain


@pytest.fixture(scope="module")
def running() -> Iterator[LocalChain]:
    """A chain for this module; every test leaves it as it was."""
    with local_chain() as made:
        yield made


@pytest.fixture
def chain(running: LocalChain) -> Iterator[ChainClient]:
    """A connection; what the test does is undone."""
    made = ChainClient.connect(running.url)
    with undone(made):
        yield made


@pytest.fixture
def account(running: LocalChain) -> LocalAccount:
    """Who deploys."""
    return running.account(0)


# --- Addresses ------------------------------------------------------------------------------------------------------


def test_the_same_addresses_on_another_chain(chain: ChainClient, account: LocalAccount) -> None:
    deployment = carry_out(chain, KeyDeployer(chain, account), small_plan(chain, account.address))
    with local_chain(proxy=False) as other:
        elsewhere = ChainClient.connect(other.url)
        assert not elsewhere.code(PROXY)
        twin = carry_out(elsewhere, KeyDeployer(elsewhere, account), small_plan(elsewhere, account.address))
        assert elsewhere.code(PROXY) == PROXY_CODE
    assert replace(twin, block_number=deployment.block_number) == deployment


def test_another_salt_gives_other_addresses(chain: ChainClient, account: LocalAccount) -> None:
    first = small_plan(chain, account.address)
    second = small_plan(chain, account.address, replace(TERMS, salt=b"\x01" * 32))
    addresses = [planned.address for plan in (first, second) for planned in plan.resulting]
    assert len(set(addresses)) == len(addresses)


def test_whom_the_terms_name(chain: ChainClient, account: LocalAccount, running: LocalChain) -> None:
    """Publishers, lister, guardian; everything belongs to a timelock, in which the deployer has no say of its own."""
    others = [running.account(index).address for index in range(1, 7)]
    terms = replace(
        local_terms(slots=(0, 5)),
        publishers=tuple(others[:3]),
        threshold=2,
        lister=others[3],
        guardian=others[4],
        proposers=(others[5],),
        governance_delay=86_400,
    )
    deployment = carry_out(chain, KeyDeployer(chain, account), small_plan(chain, account.address, terms))
    registry, timelock = RegistryClient(chain, deployment.registry), TimelockClient(chain, deployment.timelock)
    assert (registry.publisher_count(), registry.threshold()) == (3, 2)
    assert [registry.is_publisher(address) for address in (*others[:3], account.address)] == [True, True, True, False]
    assert InstrumentClient(chain, deployment.instruments).lister() == others[3]
    assert HouseClient(chain, deployment.house).guardian() == others[4]
    vault = VaultClient(chain, deployment.vault)
    assert [(token.token, token.slot) for token in vault.tokens()] == list(zip(deployment.tokens, (0, 5), strict=True))
    call = governed_call("CollateralVault", vault.address, "setCap", 1, 77)
    with pytest.raises(ContractRevertedError) as caught:
        timelock.schedule(account, call)
    assert caught.value.name == "AccessControlUnauthorizedAccount"
    with pytest.raises(ContractRevertedError) as caught:
        vault.set_cap(account, 1, 77)
    assert caught.value.name == "OwnableUnauthorizedAccount"
    proposer = running.account(6)
    timelock.schedule(proposer, call)
    advance_time(chain, 86_390)
    with pytest.raises(ContractRevertedError) as caught:
        timelock.execute(proposer, call)
    assert caught.value.name == "TimelockUnexpectedOperationState"
    advance_time(chain, 10)
    timelock.execute(proposer, call)
    assert vault.token_terms(1).cap == 77


# --- Interruptions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", range(1, TRANSACTIONS + 1))
def test_goes_on_after_an_interruption(chain: ChainClient, account: LocalAccount, sent: int) -> None:
    plan, before = small_plan(chain, account.address), nonce(chain, account.address)
    with pytest.raises(KeyboardInterrupt):
        carry_out(chain, CountingDeployer(chain, account, limit=sent), plan)
    second = CountingDeployer(chain, account)
    deployment = carry_out(chain, second, plan)
    assert len(second.sent) == TRANSACTIONS - sent
    assert nonce(chain, account.address) - before == TRANSACTIONS
    assert RegistryClient(chain, deployment.registry).is_publisher(account.address)
    check_deployment(chain, deployment, ceremony_setup())
    third = CountingDeployer(chain, account)
    assert carry_out(chain, third, plan) == deployment
    assert third.sent == []


def test_waits_for_a_transaction_that_is_on_its_way(chain: ChainClient, account: LocalAccount) -> None:
    plan, before = small_plan(chain, account.address), nonce(chain, account.address)
    first = plan.contracts[0]
    chain.request("evm_setAutomine", [False])
    data = "0x" + (plan.terms.salt + first.creation).hex()
    chain.request("eth_sendTransaction", [{"from": account.address, "to": PROXY, "data": data, "gas": hex(8_000_000)}])
    assert not chain.code(first.address)

    def mine() -> None:
        chain.request("evm_setAutomine", [True])
        chain.request("evm_mine", [])

    timer = threading.Timer(1.0, mine)
    timer.start()
    deployer = CountingDeployer(chain, account)
    carry_out(chain, deployer, plan)
    timer.join()
    assert len(deployer.sent) == TRANSACTIONS - 1
    assert nonce(chain, account.address) - before == TRANSACTIONS


def test_does_not_wait_for_ever(chain: ChainClient, account: LocalAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verifier.deployment.deployer.WAITING_SECONDS", 0.3)
    chain.request("evm_setAutomine", [False])
    chain.request("eth_sendTransaction", [{"from": account.address, "to": account.address}])
    deployer = CountingDeployer(chain, account)
    with pytest.raises(ChainError, match=r"1 transaction\(s\) of .* wait to be mined"):
        carry_out(chain, deployer, small_plan(chain, account.address))
    assert deployer.sent == []
    chain.request("evm_setAutomine", [True])
    chain.request("evm_mine", [])


def test_the_first_block_is_found_again(chain: ChainClient, account: LocalAccount) -> None:
    deployer = CountingDeployer(chain, account)
    deployment = carry_out(chain, deployer, small_plan(chain, account.address))
    assert deployment.block_number in [receipt.block_number for receipt in deployer.sent]
    chain.request("anvil_mine", [hex(40)])
    assert first_block(chain, deployment.timelock) == deployment.block_number < first_block(chain, deployment.registry)
    again = carry_out(chain, deployer, small_plan(chain, account.address))
    assert again == deployment


# --- Who signs ------------------------------------------------------------------------------------------------------


def test_the_node_signs(chain: ChainClient, running: LocalChain) -> None:
    deployer = NodeDeployer(chain, running.account(3).address.lower())
    before = nonce(chain, deployer.address)
    deployment = carry_out(chain, deployer, small_plan(chain, deployer.address))
    check_deployment(chain, deployment, ceremony_setup())
    assert nonce(chain, deployer.address) - before == TRANSACTIONS
    assert RegistryClient(chain, deployment.registry).is_publisher(deployer.address)


def test_an_account_that_the_node_does_not_have_is_refused(chain: ChainClient) -> None:
    with pytest.raises(DeploymentError, match="does not sign for account 0x5555"):
        NodeDeployer(chain, "0x" + "55" * 20)


def test_a_creation_that_comes_too_late_is_not_made_again(chain: ChainClient, running: LocalChain) -> None:
    """Somebody else creates the same contract at the same address first, for a higher fee."""
    deployer = NodeDeployer(chain, running.account(3).address)
    plan = small_plan(chain, deployer.address)
    data = plan.terms.salt + plan.contracts[0].creation
    before = nonce(chain, deployer.address)
    chain.request("evm_setAutomine", [False])
    hurried = {"from": running.account(4).address, "to": PROXY, "data": "0x" + data.hex(), "gas": hex(8_000_000)}
    hurried |= {"maxPriorityFeePerGas": hex(5 * 10**9), "maxFeePerGas": hex(10**11)}

    def overtake() -> None:
        while nonce(chain, deployer.address, "pending") == before:
            time.sleep(0.05)
        chain.request("eth_sendTransaction", [hurried])
        chain.request("evm_mine", [])
        chain.request("evm_setAutomine", [True])

    other = threading.Thread(target=overtake)
    other.start()
    with pytest.raises(ChainError, match="failed: run again, which goes on where this stopped"):
        deployer.send(PROXY, data)
    other.join()
    check_deployment(chain, carry_out(chain, deployer, plan), ceremony_setup())
    assert nonce(chain, deployer.address) - before == TRANSACTIONS


# --- What is refused ------------------------------------------------------------------------------------------------


def test_a_chain_without_the_precompiles_is_refused() -> None:
    with local_chain(hardfork="cancun") as old:
        chain = ChainClient.connect(old.url)
        plan = small_plan(chain, old.account(0).address)
        with pytest.raises(ChainFeatureError, match=r"lacks precompile 0x0b, G1 addition \(EIP-2537\)"):
            carry_out(chain, KeyDeployer(chain, old.account(0)), plan)
        assert chain.block_number() == 0
        assert nonce(chain, old.account(0).address, "pending") == 0


def test_what_a_constructor_refuses_is_known_before_anything_is_sent(chain: ChainClient, account: LocalAccount) -> None:
    plan = small_plan(chain, account.address, local_terms(slots=(64,)))
    before = nonce(chain, account.address, "pending")
    with pytest.raises(ContractRevertedError) as caught:
        carry_out(chain, KeyDeployer(chain, account), plan)
    assert caught.value.name == "CollateralVaultSlotOutOfRange"
    for slots, timing, name in (
        ((0, 0), TERMS.timing, "CollateralVaultSlotTwice"),
        ((0,), EpochTiming(maximum_age=60, activation_delay=24, spacing=60), "RuleRegistryTimingInvalid"),
        ((0,), EpochTiming(maximum_age=3_600, activation_delay=23, spacing=60), "RuleRegistryTimingInvalid"),
    ):
        with pytest.raises(ContractRevertedError) as caught:
            require_fit(chain, small_plan(chain, account.address, local_terms(slots=slots, timing=timing)))
        assert caught.value.name == name
    assert nonce(chain, account.address, "pending") == before


def test_a_chain_without_the_proxy_is_refused() -> None:
    with local_chain(chain_id=560_048, proxy=False) as other:
        chain, account = ChainClient.connect(other.url), other.account(0)
        token = chain.deploy(account, bytes.fromhex(load_artifact("InsecureTestToken").bytecode[2:])).contract_address
        plan = small_plan(chain, account.address, replace(TERMS, tokens=(TokenChoice(token),), insecure=False))
        with pytest.raises(DeploymentError, match="lacks the deterministic deployment proxy"):
            carry_out(chain, KeyDeployer(chain, account), plan)
        assert nonce(chain, account.address, "pending") == 1


def test_another_proxy_is_refused(chain: ChainClient, account: LocalAccount) -> None:
    chain.request("anvil_setCode", [PROXY, "0xfe"])
    plan = small_plan(chain, account.address)
    before = nonce(chain, account.address, "pending")
    with pytest.raises(DeploymentError, match="is not the deterministic deployment proxy"):
        carry_out(chain, KeyDeployer(chain, account), plan)
    with pytest.raises(DeploymentError, match="is not the deterministic deployment proxy"):
        deployment_cost(chain, plan)
    assert nonce(chain, account.address, "pending") == before


def test_worthless_things_are_refused_elsewhere(account: LocalAccount) -> None:
    with local_chain(chain_id=11_155_111) as other:
        chain = ChainClient.connect(other.url)
        with pytest.raises(InsecureDeploymentError, match="the test token on chain 11155111: anybody could forge"):
            small_plan(chain, account.address)
        real = replace(TERMS, tokens=(TokenChoice(PROXY),), insecure=False)
        with pytest.raises(InsecureDeploymentError, match="a governance delay of 0 s on chain 11155111"):
            small_plan(chain, account.address, replace(real, governance_delay=0))
        with pytest.raises(DeploymentError, match=r"no token at 0x4e59.*does not answer `decimals`"):
            require_fit(chain, small_plan(chain, account.address, real))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"salt": b"short"}, "the salt has 5 bytes", id="salt"),
        pytest.param({"guardian": "0x1234"}, "guardian '0x1234' is no address", id="no address"),
        pytest.param({"lister": "0x1c7D4B196Cb0C7B01d743Fbc6116a902379c7238"}, "right checksum", id="mistyped address"),
        pytest.param({"publishers": (PROXY, PROXY.lower())}, "one of the publishers is named twice", id="twice"),
        pytest.param({"threshold": 2}, "2 of 1 publishers cannot sign", id="threshold"),
        pytest.param({"publishers": (PROXY,), "threshold": 0}, "0 of 1 publishers cannot sign", id="nobody"),
        pytest.param({"tokens": ()}, "give at least the quote collateral", id="no token"),
        pytest.param({"guardian": "0x" + "00" * 20}, "guardian '0x0.*' is nobody's address", id="zero"),
        pytest.param({"governance_delay": -1}, "a governance delay of -1 s is out of range", id="negative delay"),
        pytest.param({"timing": EpochTiming(86_401, 24, 60)}, "until they are 86401 s old", id="prices without age"),
        pytest.param({"governance_delay": 1 << 255}, "out of range: give at most 7776000 s", id="endless delay"),
    ],
)
def test_terms_that_make_no_sense_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(MalformedInputError, match=message):
        replace(TERMS, **change)  # type: ignore[arg-type]  # the wrong values are the point


# --- The dry run ----------------------------------------------------------------------------------------------------


def test_a_dry_run_sends_nothing_and_says_the_gas(chain: ChainClient, account: LocalAccount) -> None:
    plan = small_plan(chain, account.address)
    state = (chain.block_number(), nonce(chain, account.address, "pending"), chain.balance(account.address))
    cost = deployment_cost(chain, plan)
    assert (chain.block_number(), nonce(chain, account.address, "pending"), chain.balance(account.address)) == state
    assert not any(chain.code(planned.address) for planned in plan.contracts)
    deployer = CountingDeployer(chain, account)
    carry_out(chain, deployer, plan)
    assert [gas for _, gas in cost.steps] == [mined.gas_used for mined in deployer.sent]
    assert cost.gas == sum(mined.gas_used for mined in deployer.sent)
    assert cost.balance == state[2]
    assert 0 < cost.cost < cost.cost_limit
    assert deployment_cost(chain, plan).steps == ()


def test_a_dry_run_in_the_middle_counts_what_is_missing(chain: ChainClient, account: LocalAccount) -> None:
    plan = small_plan(chain, account.address)
    with pytest.raises(KeyboardInterrupt):
        carry_out(chain, CountingDeployer(chain, account, limit=3), plan)
    assert [name for name, _ in deployment_cost(chain, plan).steps] == [
        *("mask table", "timelock", "instruments", "registry", "exit verifier", "house")
    ]


def test_a_dry_run_where_the_proxy_is_still_missing(account: LocalAccount) -> None:
    with local_chain(proxy=False) as other:
        chain = ChainClient.connect(other.url)
        assert chain.chain_id == LOCAL_CHAIN_ID
        cost = deployment_cost(chain, small_plan(chain, account.address))
        assert len(cost.steps) == TRANSACTIONS
        assert not chain.code(PROXY)
        assert chain.block_number() == 0


def test_a_step_that_would_fail_is_named(chain: ChainClient, account: LocalAccount) -> None:
    plan = small_plan(chain, account.address, local_terms(slots=(64,)))
    with pytest.raises(DeploymentError, match="the step 'house' would fail"):
        deployment_cost(chain, plan)
