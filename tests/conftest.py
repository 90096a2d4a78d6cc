"""What all tests share: reproducible property tests, and one local chain a process for those that need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from prover.local_chain import LOCAL_CHAIN_ID, local_chain
from tests.support.contract_judge import CEREMONY, PAIRING, ContractJudge
from tests.support.setups import tiny_key
from verifier.ceremony import ceremony_setup
from verifier.chain.chain_client import ChainClient
from verifier.chain.contract_interface import contract_interface
from verifier.shape import SMALL
from verifier.statement import verifying_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eth_account.signers.local import LocalAccount

settings.register_profile("reproducible", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("reproducible")


@pytest.fixture(scope="session")
def chain() -> Iterator[tuple[ChainClient, LocalAccount]]:
    """A connection to a fresh local chain, and an account with funds."""
    with local_chain() as running:
        yield ChainClient.connect(running.url, chain_id=LOCAL_CHAIN_ID), running.account(0)


@pytest.fixture(scope="session")
def tiny_judge(chain: tuple[ChainClient, LocalAccount]) -> ContractJudge:
    """The pairing variant for the tiny shape under the setup whose τ is known."""
    return ContractJudge(*chain, contract_interface(PAIRING), tiny_key())


@pytest.fixture(scope="session")
def small_judge(chain: tuple[ChainClient, LocalAccount]) -> ContractJudge:
    """The ceremony variant for the small shape."""
    return ContractJudge(*chain, contract_interface(CEREMONY), verifying_key(SMALL, ceremony_setup()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many published cases were met, and how rules compare with methods, whichever process counted them."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    for section in ("cases met", "rule beside method"):
        counts = [value for report in reports for name, value in report.user_properties if name == section]
        if counts:
            terminalreporter.section(section)
            terminalreporter.write_line("\n".join(map(str, counts)))
