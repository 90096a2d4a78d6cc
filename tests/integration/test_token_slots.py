"""Slots of a vault's tokens against the list of slots, and what the vault is allowed of a token."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import pytest

from prover.account.deposits import deposit_for
from prover.account.venue import Venue
from tests.support.deployments import worthless_token
from tests.support.exchange import LISTED
from verifier.chain.contract_interface import contract_interface
from verifier.chain.instrument_client import TERMS_SCALE, InstrumentKind, SlotTerms
from verifier.chain.token_slots import require_listed_as_token
from verifier.chain.vault_state import TokenTerms
from verifier.deployment.deployment import check_deployment
from verifier.deployment.deployment_terms import UNITS_PER_TICK
from verifier.errors import DeploymentError
from verifier.shape import SMALL

if TYPE_CHECKING:
    from tests.support.exchange import Exchange, Holder

TICK: Final = TERMS_SCALE // 100
"""0.01, in 1e-8."""


def venue_of(exchange: Exchange) -> Venue:
    return Venue(exchange.chain, exchange.deployment, SMALL, exchange.setup, exchange.key)


def add_token(exchange: Exchange, slot: int) -> str:
    """Another worthless token, in a slot."""
    token = worthless_token(exchange.chain, exchange.publisher)
    terms = TokenTerms(token, UNITS_PER_TICK, slot, 1_000, 1_000, 1)
    exchange.govern("CollateralVault", exchange.vault.address, "addToken", terms.as_tuple())
    return token


def check(exchange: Exchange, planned: dict[int, SlotTerms] | None = None) -> None:
    require_listed_as_token(exchange.chain, exchange.vault, exchange.instruments, planned=planned)


def test_a_token_in_the_slot_of_a_derivative_is_named(exchange: Exchange, alice: Holder) -> None:
    check(exchange)
    token = add_token(exchange, 2)
    message = rf"token 2 \({token}\) of the vault is credited to slot 2 of book 0, which holds a PERPETUAL: "
    for checked in (
        lambda: check(exchange),
        lambda: check_deployment(exchange.chain, exchange.deployment, exchange.setup),
        lambda: deposit_for(venue_of(exchange), alice.owner, alice.account, Decimal(1), "2"),
    ):
        with pytest.raises(DeploymentError, match=message):
            checked()
    exchange.govern("InstrumentRegistry", exchange.instruments.address, "delist", 2)
    check(exchange)


def test_a_lot_that_is_no_tick_is_named(exchange: Exchange) -> None:
    """As it is about to be listed, and as it is listed."""
    add_token(exchange, LISTED)
    check(exchange)
    terms = [SlotTerms(1, InstrumentKind.SPOT, 0, 0, size) for size in (TICK, 10 * TICK)]
    check(exchange, {LISTED: terms[0]})
    message = rf"credited to slot {LISTED} of book 0 in ticks of 0\.01, but the slot is counted in lots of 0\.1"
    with pytest.raises(DeploymentError, match=message):
        check(exchange, {LISTED: terms[1]})
    exchange.instruments.list(exchange.publisher, 0, terms[1:], ["COIN_USD"])
    with pytest.raises(DeploymentError, match=message):
        check(exchange)


@pytest.mark.parametrize(("before", "amounts"), [(0, [100]), (5, [0, 100]), (100, [])])
def test_what_is_left_of_an_allowance_is_taken_back_first(
    exchange: Exchange, alice: Holder, before: int, amounts: list[int]
) -> None:
    """USDT changes no allowance from one amount to another."""
    exchange.fund(alice.owner, 100)
    exchange.token().approve(alice.owner, exchange.vault.address, before * UNITS_PER_TICK)
    receipts = deposit_for(venue_of(exchange), alice.owner, alice.account, Decimal(1))
    interface = contract_interface("InsecureTestToken")
    calls = [exchange.chain.calldata(receipt.transaction_hash) for receipt in receipts[:-1]]
    approved = [interface.decode_call("approve", call)[1] for call in calls]
    assert approved == [ticks * UNITS_PER_TICK for ticks in amounts]
    assert exchange.vault.inbox(alice.account, 0) == 100
