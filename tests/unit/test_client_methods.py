"""The Python client has a typed method of the same name for every function of the contracts that changes anything."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.support.called_functions import changing_functions
from verifier.chain.house_client import HouseClient
from verifier.chain.instrument_client import InstrumentClient
from verifier.chain.ownership_client import OwnershipClient
from verifier.chain.rule_publishing import RulePublisher
from verifier.chain.vault_client import VaultClient

BETWEEN_CONTRACTS: Final = {"CollateralVault": {"addLien", "collect", "payOut", "takeInbox"}}
"""The house alone may call these."""


@pytest.mark.parametrize(
    ("contract", "client"),
    [
        ("ClearingHouse", HouseClient),
        ("CollateralVault", VaultClient),
        ("RuleRegistry", RulePublisher),
        ("InstrumentRegistry", InstrumentClient),
    ],
)
def test_every_function_has_a_method(contract: str, client: type) -> None:
    functions = set(changing_functions(contract).values())
    inner = BETWEEN_CONTRACTS.get(contract, set())
    assert inner <= functions
    for function in functions - inner:
        method = re.sub(r"(?=[A-Z])", "_", function).lower()
        assert callable(getattr(client, method, None) or getattr(OwnershipClient, method, None)), function
