"""Transactions on a node that drops, hangs, restarts and reorganises: none is lost, none is sent twice."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from web3.eth import Eth

from tests.support.restarting_chain import HASTY, RestartingChain, Sending, eventually, restarting_chain
from verifier.chain.blob_transactions import BLOB_BYTES, BlobSidecar, blob_commitment
from verifier.chain.transaction_journal import Stage, TransactionJournal
from verifier.errors import ChainError, ContractRevertedError, NonceTakenError, TransactionPendingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from eth_account.signers.local import LocalAccount

BRIEF: Final = replace(HASTY, request_seconds=3.0)
"""Takes a node that is silent for three seconds for one that hangs."""

REPOSITORY: Final = Path(__file__).resolve().parents[2]
COUNTER: Final = "0x" + "c0" * 20
COUNTER_CODE: Final = "0x" + "600054600101600055"
"""Adds one to its slot 0 for every transaction that is mined: what was sent twice shows."""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[RestartingChain]:
    with restarting_chain(tmp_path) as made:
        made.ask("anvil_setCode", COUNTER, COUNTER_CODE)
        yield made


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "journals"


@pytest.fixture
def account(node: RestartingChain) -> LocalAccount:
    return node.running.account(0)


def counted(node: RestartingChain) -> int:
    """How many transactions reached the counter."""
    return int(node.ask("eth_getStorageAt", COUNTER, "0x0", "latest"), 16)


def journal_of(state: Path) -> TransactionJournal:
    (path,) = state.rglob("*.sqlite")
    return TransactionJournal(path)


def is_recorded(state: Path) -> bool:
    return bool(list(state.rglob("*.sqlite")) and journal_of(state).entries())


# --- Dropped and replaced -------------------------------------------------------------------------------------------


def test_a_dropped_transaction_is_sent_again(node: RestartingChain, account: LocalAccount, state: Path) -> None:
    node.hold()
    sending = Sending(node.client(state), account, COUNTER)
    eventually(lambda: bool(node.waiting(account)))
    (dropped,) = [entry["hash"] for entry in node.waiting(account).values()]
    for _ in range(2):
        assert node.ask("anvil_dropTransaction", dropped) == dropped
        eventually(lambda: bool(node.waiting(account)))
    node.mine()
    assert "0x" + sending.result().transaction_hash.hex() == dropped
    assert counted(node) == node.client().transaction_count(account.address) == 1


def test_fees_follow_a_spike_under_the_same_nonce(node: RestartingChain, account: LocalAccount, state: Path) -> None:
    node.hold()
    sending = Sending(node.client(state), account, COUNTER)
    eventually(lambda: bool(node.waiting(account)))
    first = node.waiting(account)["0"]
    spiked = 3 * int(first["maxFeePerGas"], 16)
    node.ask("anvil_setNextBlockBaseFeePerGas", hex(spiked))
    node.mine()
    eventually(lambda: node.waiting(account).get("0", first)["hash"] != first["hash"])
    second = node.waiting(account)["0"]
    assert list(node.waiting(account)) == ["0"]
    assert int(second["maxFeePerGas"], 16) > spiked
    assert 8 * int(second["maxPriorityFeePerGas"], 16) >= 9 * int(first["maxPriorityFeePerGas"], 16)
    node.mine()
    assert "0x" + sending.result().transaction_hash.hex() == second["hash"]
    assert counted(node) == node.client().transaction_count(account.address) == 1
    first_offer, second_offer = journal_of(state).offers(0)
    assert second_offer.limit > spiked > first_offer.limit


def test_blob_transactions_are_replaced_at_twice_the_fees(
    node: RestartingChain, account: LocalAccount, state: Path
) -> None:
    blob = bytes(BLOB_BYTES)
    sidecar = BlobSidecar((blob,), (blob_commitment(blob),))
    client = node.client(state, replace(HASTY, replace_seconds=0.5))
    node.hold()
    sending = Sending(client, account, COUNTER, sidecar=sidecar)
    eventually(lambda: len(node.waiting(account)) == 1 and len(journal_of(state).offers(0)) > 2)
    offers = journal_of(state).offers(0)
    for lower, higher in itertools.pairwise(offers):
        assert higher.tip >= 2 * lower.tip
        assert higher.limit >= 2 * lower.limit
        assert higher.blob_limit >= 2 * lower.blob_limit
    assert list(node.waiting(account)) == ["0"]
    node.mine()
    receipt = sending.result()
    assert [digest for digest, _ in client.named_blobs(receipt.transaction_hash)] == list(sidecar.versioned_hashes)
    assert counted(node) == node.client().transaction_count(account.address) == 1


def test_another_program_took_the_nonce(node: RestartingChain, account: LocalAccount, state: Path) -> None:
    node.hold()
    sending = Sending(node.client(state), account, COUNTER)
    eventually(lambda: bool(node.waiting(account)))
    fields: dict[str, Any] = {
        "to": account.address,
        "value": 0,
        "gas": 21_000,
        "chainId": 31_337,
        "nonce": 0,
        "maxFeePerGas": 10**11,
        "maxPriorityFeePerGas": 10**11,
    }
    node.client().submit(bytes(account.sign_transaction(fields).raw_transaction))
    node.mine()
    with pytest.raises(NonceTakenError, match="will never be mined"):
        sending.result()
    assert counted(node) == 0
    node.ask("evm_setAutomine", True)  # noqa: FBT003 - the node's parameter
    node.client(state).send(account, b"", to=COUNTER)
    assert counted(node) == 1


def test_no_fee_is_raised_beyond_the_ceiling(node: RestartingChain, account: LocalAccount, state: Path) -> None:
    node.hold()
    sending = Sending(node.client(state, replace(HASTY, receipt_seconds=2.0)), account, COUNTER)
    eventually(lambda: bool(node.waiting(account)))
    node.ask("anvil_setNextBlockBaseFeePerGas", hex(10**13))
    node.mine()
    with pytest.raises(TransactionPendingError, match="wait until the chain is less busy"):
        sending.result()
    assert len(journal_of(state).offers(0)) == 1


def test_a_replacement_that_the_account_cannot_pay_does_not_displace_the_first(
    node: RestartingChain, account: LocalAccount, state: Path
) -> None:
    node.hold()
    sending = Sending(node.client(state), account, COUNTER)
    eventually(lambda: bool(node.waiting(account)))
    first = node.waiting(account)["0"]
    affordable = int(first["gas"], 16) * int(first["maxFeePerGas"], 16)
    node.ask("anvil_setBalance", account.address, hex(affordable))
    node.ask("anvil_setNextBlockBaseFeePerGas", hex(3 * int(first["maxFeePerGas"], 16)))
    node.mine()
    eventually(lambda: len(journal_of(state).offers(0)) > 1)
    node.ask("anvil_dropTransaction", first["hash"])
    node.ask("anvil_setNextBlockBaseFeePerGas", hex(int(first["maxFeePerGas"], 16) // 4))
    node.mine()
    eventually(lambda: bool(node.waiting(account)))
    node.mine()
    assert "0x" + sending.result().transaction_hash.hex() == first["hash"]
    assert counted(node) == node.client().transaction_count(account.address) == 1


def test_threads_may_share_a_client(node: RestartingChain, account: LocalAccount) -> None:
    client = node.client()
    sendings = [Sending(client, account, COUNTER, bytes([number])) for number in range(6)]
    assert len({sending.result().transaction_hash for sending in sendings}) == 6
    assert counted(node) == node.client().transaction_count(account.address) == 6


# --- Hanging, restarting --------------------------------------------------------------------------------------------


def test_a_node_that_hangs_while_a_transaction_waits(node: RestartingChain, account: LocalAccount, state: Path) -> None:
    node.hold()
    sending = Sending(node.client(state, BRIEF), account, COUNTER)
    eventually(lambda: bool(node.waiting(account)))
    node.freeze()
    sending.join(timeout=5.0)
    assert sending.is_alive()
    node.thaw()
    node.mine()
    sending.result()
    assert counted(node) == node.client().transaction_count(account.address) == 1


class InterruptingAccount:
    """An account that does something to the node between signing and sending."""

    def __init__(self, account: LocalAccount, interrupt: Callable[[], object]) -> None:
        self.address = account.address
        self._account = account
        self._interrupt = interrupt

    def sign_transaction(self, fields: dict[str, Any]) -> Any:  # noqa: ANN401 - eth-account's own type
        signed = self._account.sign_transaction(fields)
        self._interrupt()
        return signed


def test_a_node_that_hangs_at_the_very_sending(node: RestartingChain, account: LocalAccount, state: Path) -> None:
    """The request reaches the node and is carried out, but its answer never comes back."""
    client = node.client(state, BRIEF)
    interrupting: Any = InterruptingAccount(account, node.freeze)
    sending = Sending(client, interrupting, COUNTER)
    eventually(lambda: is_recorded(state))
    sending.join(timeout=5.0)
    assert sending.is_alive()
    assert [entry.stage for entry in journal_of(state).entries()] == [Stage.SENDING]
    node.thaw()
    sending.result()
    assert counted(node) == node.client().transaction_count(account.address) == 1


@pytest.mark.parametrize("is_sent", [False, True], ids=["before it had the transaction", "with it in the pool"])
def test_a_node_that_restarts(node: RestartingChain, account: LocalAccount, state: Path, *, is_sent: bool) -> None:
    client = node.client(state)
    if is_sent:
        node.hold()
        sending = Sending(client, account, COUNTER)
        eventually(lambda: bool(node.waiting(account)))
        node.stop()
    else:
        interrupting: Any = InterruptingAccount(account, node.stop)
        sending = Sending(client, interrupting, COUNTER)
        eventually(lambda: is_recorded(state))
    sending.join(timeout=1.0)
    assert sending.is_alive()
    node.start()
    sending.result()
    assert counted(node) == node.client().transaction_count(account.address) == 1


# --- Programs that die ----------------------------------------------------------------------------------------------

DYING_PROGRAM: Final = """
import os, signal, sys
from pathlib import Path
from prover.local_chain import LocalChain
from verifier.chain.chain_client import ChainClient

class Dying(ChainClient):
    def submit(self, raw):
        if sys.argv[3] == "after":
            super().submit(raw)
        os.kill(os.getpid(), signal.SIGKILL)

account = LocalChain(sys.argv[1], 31337, Path("log")).account(0)
Dying.connect(sys.argv[1], state=Path(sys.argv[2])).send(account, b"", to=sys.argv[4])
"""


def die(node: RestartingChain, state: Path, moment: str) -> None:
    command = [sys.executable, "-c", DYING_PROGRAM, node.running.url, str(state), moment, COUNTER]
    ended = subprocess.run(command, check=False, cwd=REPOSITORY, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("holds", [False, True], ids=["mined at once", "mined later"])
def test_the_next_run_goes_on_where_one_died(
    node: RestartingChain, account: LocalAccount, state: Path, *, moment: str, holds: bool
) -> None:
    if holds:
        node.hold()
    die(node, state, moment)
    (entry,) = journal_of(state).entries()
    sending = Sending(node.client(state), account, COUNTER)
    if holds:
        eventually(lambda: bool(node.waiting(account)))
        node.mine()
    assert sending.result().transaction_hash == entry.signed.digest
    assert counted(node) == node.client().transaction_count(account.address) == 1
    assert [entry.stage for entry in journal_of(state).entries()] == [Stage.MINED]


def test_another_purpose_takes_the_dead_run_s_transaction_along(
    node: RestartingChain, account: LocalAccount, state: Path
) -> None:
    die(node, state, "before")
    (entry,) = journal_of(state).entries()
    node.client(state).send(account, b"\x01", to=COUNTER)
    assert counted(node) == node.client().transaction_count(account.address) == 2
    claimed = node.client(state).send(account, b"", to=COUNTER)
    assert claimed.transaction_hash == entry.signed.digest
    assert counted(node) == node.client().transaction_count(account.address) == 2


def test_the_same_again_after_its_receipt_is_another_transaction(
    node: RestartingChain, account: LocalAccount, state: Path
) -> None:
    client = node.client(state)
    hashes = {client.send(account, b"", to=COUNTER).transaction_hash for _ in range(2)}
    assert len(hashes) == counted(node) == 2


def test_programs_side_by_side_take_nonces_of_their_own(
    node: RestartingChain, account: LocalAccount, state: Path
) -> None:
    sendings = [Sending(node.client(state), account, COUNTER, bytes([number])) for number in range(6)]
    assert len({sending.result().transaction_hash for sending in sendings}) == 6
    assert counted(node) == node.client().transaction_count(account.address) == 6


# --- Reorganisations ------------------------------------------------------------------------------------------------


def test_a_reorganisation_of_three_blocks_loses_nothing(
    node: RestartingChain, account: LocalAccount, state: Path
) -> None:
    client = node.client(state)
    for number in range(3):
        client.send(account, bytes([number]), to=COUNTER)
    node.ask("anvil_reorg", 3, [])
    assert counted(node) == node.client().transaction_count(account.address) == 0
    node.client(state).send(account, b"\x03", to=COUNTER)
    assert counted(node) == node.client().transaction_count(account.address) == 4
    assert [entry.nonce for entry in journal_of(state).entries()] == [0, 1, 2, 3]
    node.client(state).send(account, b"\x04", to=COUNTER)
    assert {entry.stage for entry in journal_of(state).entries()} == {Stage.MINED}


def test_what_is_final_is_forgotten(node: RestartingChain, account: LocalAccount, state: Path) -> None:
    node.client(state).send(account, b"\x00", to=COUNTER)
    node.ask("anvil_mine", 70)
    node.client(state).send(account, b"\x01", to=COUNTER)
    assert [entry.nonce for entry in journal_of(state).entries()] == [1]


# --- What is refused, and what is kept ------------------------------------------------------------------------------


def test_what_the_node_refuses_is_not_under_way(node: RestartingChain, state: Path) -> None:
    pauper = node.running.account(12)
    with pytest.raises(ChainError, match=r"(?i)insufficient funds"):
        node.client(state).send(pauper, b"", to=pauper.address)
    assert journal_of(state).entries() == ()


def test_an_answer_that_makes_no_sense_is_no_refusal(
    node: RestartingChain, account: LocalAccount, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node, or what stands before it, may have passed the transaction on."""
    submit, receipt = Eth.send_raw_transaction, Eth.get_transaction_receipt
    answers = iter([{}, "zebra"])

    def garbled(eth: Eth, raw: Any) -> Any:  # noqa: ANN401 - as web3 has it
        submit(eth, raw)
        raise json.JSONDecodeError("Expecting value", "<html>", 0)

    def garbled_first(eth: Eth, digest: Any) -> Any:  # noqa: ANN401 - as web3 has it
        return next(answers, None) or receipt(eth, digest)

    monkeypatch.setattr(Eth, "send_raw_transaction", garbled)
    monkeypatch.setattr(Eth, "get_transaction_receipt", garbled_first)
    node.client(state).send(account, b"", to=COUNTER)
    assert counted(node) == node.client().transaction_count(account.address) == 1


def test_what_the_contract_refuses_is_not_under_way(node: RestartingChain, account: LocalAccount, state: Path) -> None:
    node.ask("anvil_setCode", COUNTER, "0x60006000fd")
    with pytest.raises(ContractRevertedError):
        node.client(state).send(account, b"", to=COUNTER)
    assert journal_of(state).entries() == ()


def test_the_journal_is_its_owner_s_and_holds_no_key(node: RestartingChain, account: LocalAccount, state: Path) -> None:
    node.client(state).send(account, b"", to=COUNTER)
    (path,) = state.rglob("*.sqlite")
    assert path.name == f"{account.address}.sqlite"
    assert path.stat().st_mode & 0o077 == 0
    content = path.read_bytes()
    assert bytes(account.key) not in content
    assert bytes(account.key).hex().encode() not in content
