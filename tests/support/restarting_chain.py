"""A node that tests stop, freeze, thaw and start again; its state survives, its pool of transactions does not."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from prover.local_chain import LOCAL_CHAIN_ID, LocalChain, anvil_binary
from verifier.chain.chain_client import ChainClient
from verifier.chain.transaction_sender import SendingTerms
from verifier.errors import ChainError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from eth_account.signers.local import LocalAccount

    from verifier.chain.blob_transactions import BlobSidecar
    from verifier.chain.receipts import Receipt

HASTY: Final = SendingTerms(
    request_seconds=20.0,
    receipt_seconds=60.0,
    poll_seconds=0.02,
    tend_seconds=0.1,
    replace_seconds=1_000.0,
    settle_seconds=0.5,
)
"""Tends often, and raises fees only where the base fee asks for it."""

PATIENCE_SECONDS: Final = 60.0


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


class RestartingChain:
    """Anvil on a port of its own.

    Args:
        folder: for its state and its log.
    """

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        self._command = [str(anvil_binary()), "--port", str(port), "--state", str(folder / "state.json"), "--silent"]
        self.running = LocalChain(f"http://127.0.0.1:{port}", LOCAL_CHAIN_ID, folder / "anvil.log")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(self._answers)

    def stop(self) -> None:
        """End it; what is mined is kept."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        self._process.wait(timeout=PATIENCE_SECONDS)

    def freeze(self) -> None:
        """It takes connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on, with what reached it meanwhile."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def client(self, state: Path | None = None, terms: SendingTerms = HASTY) -> ChainClient:
        """A new connection, as a new run of a program has it."""
        return ChainClient.connect(self.running.url, state=state, terms=terms)

    def ask(self, method: str, *parameters: object) -> Any:  # noqa: ANN401 - whatever the node answers
        """A request of the test's own."""
        return self.client().request(method, parameters)

    def hold(self) -> None:
        """Mine nothing until asked to."""
        self.ask("evm_setAutomine", False)  # noqa: FBT003 - the node's parameter

    def mine(self) -> None:
        """Mine one block."""
        self.ask("evm_mine")

    def waiting(self, account: LocalAccount) -> dict[str, Any]:
        """What of an account waits in the pool, by nonce."""
        pool = self.ask("txpool_content")["pending"]
        return next((found for sender, found in pool.items() if sender.lower() == account.address.lower()), {})

    def _answers(self) -> bool:
        try:
            self.client()
        except ChainError:
            return False
        return True


@contextlib.contextmanager
def restarting_chain(folder: Path) -> Iterator[RestartingChain]:
    """Start it, end it with the block."""
    node = RestartingChain(folder)
    node.start()
    try:
        yield node
    finally:
        node.stop()


class Sending(threading.Thread):
    """A transaction that is being sent while the test does something to the node.

    Args:
        chain: connection.
        account: signs.
        to: receives.
        data: calldata.
        sidecar: blobs to carry.
    """

    def __init__(
        self, chain: ChainClient, account: LocalAccount, to: str, data: bytes = b"", sidecar: BlobSidecar | None = None
    ) -> None:
        super().__init__(daemon=True)
        self._order = (chain, account, to, data, sidecar)
        self._receipt: Receipt | None = None
        self._error: Exception | None = None
        self.start()

    def run(self) -> None:
        """Send."""
        chain, account, to, data, sidecar = self._order
        try:
            self._receipt = chain.send(account, data, to=to, sidecar=sidecar)
        except Exception as error:  # noqa: BLE001 - handed to the test, whatever it is
            self._error = error

    def result(self) -> Receipt:
        """The receipt, or what sending raised."""
        self.join(timeout=2 * PATIENCE_SECONDS)
        if self._error is not None:
            raise self._error
        assert self._receipt is not None, "still sending"
        return self._receipt
