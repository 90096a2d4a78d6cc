"""The model of the clearing house under random actions: sums hold, nothing leaves faster than the bucket lets it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from prover.simulation import actions as act
from prover.simulation.actions import Tampering
from prover.simulation.invariants import broken_sums
from prover.simulation.refusals import RefusedError
from tests.support.house_model import ALICE, BOB, CAROL, LENDER, PERPETUAL, START, House, opened_house
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from prover.simulation.actions import Action
    from prover.simulation.house_model import HouseModel

PARTIES = (ALICE, BOB, CAROL)
BLINDS = 10**9
parties = st.sampled_from(PARTIES)
tokens = st.integers(0, 2)
ticks = st.integers(0, 1_200)
kinds = st.sampled_from((RuleKind.INITIAL, RuleKind.MAINTENANCE))
tamperings = st.sampled_from((None, None, None, *Tampering))


@st.composite
def trades(draw: st.DrawFn) -> Callable[[House], Action]:
    """Any leg between any two, sometimes tampered with."""
    receiver, giver = draw(st.permutations(PARTIES))[:2]
    moved = draw(st.dictionaries(st.integers(0, 4), st.integers(-400, 400).filter(bool), max_size=2))
    blind, tampering = draw(st.integers(0, BLINDS)), draw(tamperings)
    return lambda house: replace(house.trade(receiver, giver, moved, blind=blind), tampering=tampering)


@st.composite
def nettings(draw: st.DrawFn) -> Callable[[House], Action]:
    """A round of three legs, some of them dropped."""
    lots, nonce = draw(st.integers(-3, 3)), draw(st.integers(0, 6))
    kept = draw(st.sets(st.integers(0, 2), min_size=1))
    pairs = [(ALICE, BOB), (BOB, CAROL), (CAROL, ALICE)]
    return lambda house: house.netting(
        *(house.open_leg(*pairs[place], {PERPETUAL: lots or 1}, nonce=200 + nonce) for place in sorted(kept))
    )


flows = st.one_of(
    st.builds(lambda a, t, n: lambda _: act.Deposit(a, t, n), parties, tokens, ticks),
    st.builds(lambda a, t, n: lambda _: act.DepositFor(a, t, n), parties, tokens, ticks),
    st.builds(lambda a, t: lambda house: act.MergeInbox(a, t, house.owner(a)), parties, tokens),
    st.builds(
        lambda a, t, n: lambda house: act.Withdraw(a, house.account(a).version, house.epoch, t, n, LENDER),
        *(parties, tokens, ticks),
    ),
    st.builds(
        lambda a, t, n: lambda house: act.WithdrawHoldings(a, house.account(a).version, t, n, LENDER),
        *(parties, tokens, ticks),
    ),
    st.builds(
        lambda a, t, n: lambda house: act.GrantLien(a, house.account(a).version, house.epoch, t, n, LENDER),
        *(parties, tokens, ticks),
    ),
    st.builds(lambda a, t, n: lambda _: act.ClaimLien(a, t, n, LENDER, LENDER), parties, tokens, ticks),
    st.builds(lambda a, t, n: lambda _: act.ReleaseLien(a, t, n, LENDER), parties, tokens, ticks),
    st.builds(lambda t, n: lambda _: act.PayQueued(t, n), st.integers(0, 1), st.integers(1, 4)),
)
others = st.one_of(
    st.builds(lambda a: lambda house: exit_of(house, a), parties),
    st.builds(
        lambda a, k, back: lambda house: act.ProveMargin(a, house.account(a).version, max(0, house.epoch - back), k),
        *(parties, kinds, st.integers(0, 1)),
    ),
    st.builds(lambda: lambda house: act.Pause(60, house.model.guardian)),
    st.builds(lambda: lambda house: house.publication()),
    st.builds(lambda: lambda _: act.ListSlots(0, (0,))),
)
steps = st.tuples(st.one_of(trades(), nettings(), flows, others), st.sampled_from((0, 1, 24, 61, 900)))


def exit_of(house: House, account: bytes) -> act.Exit:
    """An honest attempt to exit."""
    ghost = house.account(account).ghosts[0]
    return act.Exit(account, house.account(account).version, tuple(ghost.positions.get(slot, 0) for slot in (0, 1)))


@given(st.lists(steps, max_size=30))
def test_sums_hold_whatever_happens(history: list[tuple[Callable[[House], Action], int]]) -> None:
    house = opened_house()
    for make, seconds in history:
        house.now += seconds
        before = house.model
        try:
            house.do(make(house))
        except RefusedError:
            assert house.model is before
        assert broken_sums(house.model) == []
        _require_monotone(before, house.model)
        _require_slow(house)


def _require_monotone(before: HouseModel, after: HouseModel) -> None:
    """9: what was proven stays proven, at an epoch that was published; versions grow by at most one."""
    for identity, account in after.accounts.items():
        earlier: Mapping[RuleKind, int] = before.account(identity).proven
        for kind, epoch in account.proven.items():
            assert earlier.get(kind, 0) <= epoch <= len(after.registry.epochs)
        assert 0 <= account.version - before.account(identity).version <= 1


def _require_slow(house: House) -> None:
    """23: nothing ever leaves faster than the bucket fills."""
    for token, ledger in enumerate(house.model.vault.tokens):
        left = house.received(token) - ledger.balance
        assert 0 <= left <= ledger.terms.capacity + ledger.terms.refill * (house.now - START)
    registry = house.model.registry
    assert 0 <= registry.active_clock(house.now) <= house.now - registry.epochs[0].active_from
