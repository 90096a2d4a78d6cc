"""Nothing here may open a connection."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_connections(socket_disabled: None) -> None:
    """Sockets raise."""
