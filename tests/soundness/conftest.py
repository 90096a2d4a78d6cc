"""Only the tests that ask for a contract may open a connection."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _connections_to_the_chain_alone(request: pytest.FixtureRequest) -> None:
    """Sockets raise in tests of the Python verifier."""
    if "chain" not in request.fixturenames:
        request.getfixturevalue("socket_disabled")
