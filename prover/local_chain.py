"""A local Anvil chain: started on a free port, ended surely; its keys are public and worth nothing.

The native binary comes with the npm package @foundry-rs/anvil. The chain ends with the ``with`` block: on
success, on an error, on Ctrl-C and on SIGTERM.
"""

from __future__ import annotations

import contextlib
import platform
import re
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from eth_account import Account

from prover.errors import LocalChainError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from eth_account.signers.local import LocalAccount

PROJECT_ROOT: Final = Path(__file__).resolve().parent.parent
LOCAL_CHAIN_ID: Final = 31337
LOCAL_MNEMONIC: Final = "test test test test test test test test test test test junk"
"""Anvil's own, known to everybody."""

START_SECONDS: Final = 20.0
STOP_SECONDS: Final = 5.0
POLL_SECONDS: Final = 0.01

_LISTENING: Final = re.compile(r"Listening on (127\.0\.0\.1:\d+)")
_ARCHITECTURES: Final = {"x86_64": "amd64", "amd64": "amd64", "arm64": "arm64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class LocalChain:
    """A running chain.

    Attributes:
        url: of its JSON-RPC interface.
        chain_id: 31337, unless another was asked for.
        log: file that Anvil writes its log to.
    """

    url: str
    chain_id: int
    log: Path

    def account(self, index: int) -> LocalAccount:
        """One of the ten accounts that Anvil funds at the start, 0 to 9."""
        Account.enable_unaudited_hdwallet_features()
        account: LocalAccount = Account.from_mnemonic(LOCAL_MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")
        return account


def anvil_binary(root: Path = PROJECT_ROOT) -> Path:
    """The native binary of the npm package.

    Raises:
        LocalChainError: it is not installed, or there is none for this machine.
    """
    machine = platform.machine().lower()
    package = f"anvil-{platform.system().lower()}-{_ARCHITECTURES.get(machine, machine)}"
    binary = root / "node_modules" / "@foundry-rs" / package / "bin" / "anvil"
    if not binary.exists():
        raise LocalChainError(
            f"Anvil was not found at {binary}: install Node 20 and run `make setup`; on this platform that may lack "
            f"the package @foundry-rs/{package}, which `npm install --no-save` brings in the version of package.json"
        )
    return binary


@contextlib.contextmanager
def local_chain(
    *, hardfork: str | None = None, timestamp: int | None = None, chain_id: int = LOCAL_CHAIN_ID, proxy: bool = True
) -> Iterator[LocalChain]:
    """Start Anvil on a free port; end it with the block.

    Args:
        hardfork: rules of the chain, such as "cancun"; Anvil's newest when omitted.
        timestamp: Unix time at which the chain's clock starts; now when omitted.
        chain_id: that the chain says it has.
        proxy: whether the deterministic deployment proxy is there from the start.

    Raises:
        LocalChainError: the binary is missing, or Anvil does not start.
    """
    command = [str(anvil_binary()), "--port", "0", "--enable-tx-gas-limit", "--chain-id", str(chain_id)]
    if not proxy:
        command.append("--disable-default-create2-deployer")
    if hardfork is not None:
        command += ["--hardfork", hardfork]
    if timestamp is not None:
        command += ["--timestamp", str(timestamp)]
    with tempfile.NamedTemporaryFile("w+", prefix="anvil-", suffix=".log") as log, _termination_as_exit():
        # A session of its own: Ctrl-C reaches this process, which then ends the chain in order.
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)  # noqa: S603 - fixed command
        try:
            address = _wait_until_listening(process, log)
            yield LocalChain(f"http://{address}", chain_id, Path(log.name))
        finally:
            _end(process)


def _wait_until_listening(process: subprocess.Popen[bytes], log: IO[str]) -> str:
    """Host and port, once Anvil says that it listens."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        output = Path(log.name).read_text(encoding="utf-8", errors="replace")
        found = _LISTENING.search(output)
        if found:
            return found.group(1)
        if process.poll() is not None:
            tail = output.strip().splitlines()[-1:] or ["no output"]
            raise LocalChainError(f"Anvil ended with code {process.returncode}: {tail[0]}; reinstall with `make setup`")
        time.sleep(POLL_SECONDS)
    raise LocalChainError(f"Anvil did not listen within {START_SECONDS:.0f} s; is the machine overloaded?")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Terminate, then kill."""
    process.terminate()
    try:
        process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def _termination_as_exit() -> Iterator[None]:
    """Turn SIGTERM into SystemExit, so that ``finally`` runs; signal handlers exist in the main thread alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
