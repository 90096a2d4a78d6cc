"""A venue in the small shape on a local chain at the example market's time, and owners who use the console command."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from prover.account.venue import connect_venue
from prover.local_chain import local_chain
from prover.market.market_data import EXAMPLE_MARKET
from prover.market.market_files import load_market
from prover.rules.rule_book import active_rules, load_rule_book
from prover.rules.slot_terms import list_missing
from tests.support.console import run_command, run_in_process
from verifier.ceremony import ceremony_setup
from verifier.chain.chain_client import ChainClient
from verifier.chain.token_client import TokenClient
from verifier.deployment.deployment import Deployment, deploy
from verifier.deployment.deployment_terms import DEFAULT_TIMING, local_terms

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from prover.account.venue import Venue
    from prover.local_chain import LocalChain
    from prover.rules.rule_book import EpochRules

MAXIMUM_AGE: Final = DEFAULT_TIMING.maximum_age
TOKENS: Final = 10**13
PASSWORD: Final = "a password for tests"  # noqa: S105 - of wallets that live as long as a test


@dataclass(frozen=True)
class OwnUse:
    """A running venue.

    Attributes:
        running: the chain.
        chain: connection to it.
        deployment: the contracts.
        folder: deployment file, list of slots and wallets.
    """

    running: LocalChain
    chain: ChainClient
    deployment: Deployment
    folder: Path

    @property
    def deployment_file(self) -> Path:
        """What commands are given."""
        return self.folder / "deployment.json"

    def variables(self, owner: int) -> dict[str, str]:
        """Environment of one of Anvil's accounts; account 0 publishes."""
        return {
            "ZKMARGIN_NODE": self.running.url,
            "ZKMARGIN_DEPLOYMENT": str(self.deployment_file),
            "ZKMARGIN_MARKET": str(EXAMPLE_MARKET),
            "ZKMARGIN_WALLET": str(self.folder / f"wallet{owner}.json"),
            "ZKMARGIN_PASSWORD": PASSWORD,
            "ZKMARGIN_PRIVATE_KEY": self.running.account(owner).key.hex(),
        }

    def run(
        self, owner: int, *arguments: str | Path, typed: str | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as an owner."""
        return run_command(*arguments, variables=self.variables(owner) | variables, typed=typed)

    def must(self, owner: int, *arguments: str | Path, typed: str | None = None) -> dict[str, Any]:
        """Run a command that has to succeed, and read its JSON."""
        run = self.run(owner, *arguments, "--json", typed=typed)
        assert run.returncode == 0, run.stderr
        fields: dict[str, Any] = json.loads(run.stdout)
        return fields

    def refuses(self, owner: int, *arguments: str | Path, typed: str | None = None, **variables: str) -> str:
        """Run a command that has to fail, in this process; its message, which is one line without a secret."""
        run = run_in_process(*arguments, variables=self.variables(owner) | variables, typed=typed)
        assert run.returncode in (1, 2), (run.returncode, run.stderr)
        assert run.stdout == ""
        assert "Traceback" not in run.stderr
        for secret in (PASSWORD, self.running.account(owner).key.hex()):
            assert secret not in run.stderr
        lines = [line for line in run.stderr.splitlines() if line.startswith("Error: ")]
        assert len(lines) == 1, run.stderr
        return lines[0].removeprefix("Error: ")

    def account(self, owner: int) -> str:
        """Identity of an owner's account."""
        return "0x" + self.running.account(owner).address[2:].lower() + "00" * 12


@contextlib.contextmanager
def own_use_venue(folder: Path, *, token_slots: tuple[int, ...] = (0,)) -> Iterator[OwnUse]:
    """Start a chain, deploy, and give tokens to accounts 1 to 3."""
    with local_chain(timestamp=load_market(EXAMPLE_MARKET).snapshot_time) as running:
        chain = ChainClient.connect(running.url, chain_id=running.chain_id)
        terms = local_terms(slots=token_slots)
        deployment = deploy(chain, running.account(0), shape_name="small", setup=ceremony_setup(), terms=terms)
        venue = OwnUse(running, chain, deployment, folder)
        deployment.save(venue.deployment_file)
        for address in deployment.tokens:
            for owner in (1, 2, 3):
                TokenClient(chain, address).mint(running.account(0), running.account(owner).address, TOKENS)
        yield venue


@contextlib.contextmanager
def published_venue(
    folder: Path, *, market: Path = EXAMPLE_MARKET, books: int = 1, token_slots: tuple[int, ...] = (0,)
) -> Iterator[tuple[OwnUse, Venue, EpochRules]]:
    """The same with the rules of a market, by default the example's, as epoch 1."""
    with own_use_venue(folder, token_slots=token_slots) as own_use:
        venue = connect_venue(own_use.running.url, own_use.deployment)
        book = load_rule_book(market, shape=venue.shape, setup=venue.setup, books=books, slots=None)
        publisher = own_use.running.account(0)
        list_missing(venue.instruments, publisher, book.slots)
        venue.registry.publish(publisher, book.publication())
        venue.registry.wait_until_active(1)
        slots = folder / "slots.json"
        slots.write_bytes(book.slots.encode())
        yield own_use, venue, active_rules(venue, market, slots)


@contextlib.contextmanager
def later_undone(venue: OwnUse) -> Iterator[None]:
    """What the block does to the chain is undone after it."""
    mark = venue.chain.request("evm_snapshot", [])
    try:
        yield
    finally:
        venue.chain.request("evm_revert", [mark])


def processes_with(variable: str, value: str) -> list[int]:
    """Processes that have this environment variable."""
    wanted = f"{variable}={value}".encode()
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{entry.name}/environ", "rb") as file:  # noqa: PTH123
                if wanted in file.read().split(b"\0"):
                    found.append(int(entry.name))
    return found
