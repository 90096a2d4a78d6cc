"""Exchanges for all tests of a process; every test finds them as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.exchange import Exchange, Holder, restored, running_exchange

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def unpublished() -> Iterator[Exchange]:
    """Contracts without an epoch; tests take ``fresh_exchange``, which is restored after each."""
    with running_exchange() as made:
        yield made


@pytest.fixture(scope="session")
def published() -> Iterator[Exchange]:
    """Contracts with epoch 1; tests take ``exchange``, which is restored after each."""
    with running_exchange() as made:
        made.publish()
        yield made


@pytest.fixture
def fresh_exchange(unpublished: Exchange) -> Iterator[Exchange]:
    """Contracts without an epoch."""
    with restored(unpublished.chain):
        yield unpublished


@pytest.fixture
def exchange(published: Exchange) -> Iterator[Exchange]:
    """Contracts with epoch 1."""
    with restored(published.chain):
        yield published


@pytest.fixture
def alice(exchange: Exchange) -> Holder:
    """An owner with an open account."""
    return exchange.open(1)


@pytest.fixture
def bob(exchange: Exchange) -> Holder:
    """Another."""
    return exchange.open(2)
