"""A small house in the clear for tests: three owners, two tokens, a rule of one line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pytest

from prover.simulation import actions as act
from prover.simulation.ghosts import Ghost
from prover.simulation.house_model import HouseModel, owner_of
from prover.simulation.instrument_model import InstrumentModel
from prover.simulation.invariants import broken_sums
from prover.simulation.refusals import RefusedError
from prover.simulation.registry_model import RegistryModel
from prover.simulation.vault_model import TokenLedger, TokenTerms, VaultModel
from verifier.chain.epochs import EpochTiming
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prover.simulation.account_model import AccountModel
    from prover.simulation.actions import Action
    from prover.simulation.ghosts import Portfolio
    from prover.simulation.refusals import Refusal

ALICE, BOB, CAROL = (bytes([number]) * 20 + bytes(12) for number in (1, 2, 3))
LENDER: Final = "0x" + "77" * 20
OPERATOR: Final = "0x" + "88" * 20
GUARDIAN: Final = "0x" + "99" * 20
GOVERNOR: Final = "0x" + "aa" * 20
CASH, TOKEN, PERPETUAL = range(3)
"""Places in book 0."""

START: Final = 1_700_000_000
TIMING: Final = EpochTiming(maximum_age=3_600, activation_delay=24, spacing=60)
SLOTS: Final = 16
MARKS: Final = {CASH: 1, TOKEN: 10, PERPETUAL: 100}
DEPOSIT: Final = 1_000
FAR: Final = 2**60


def covers(kind: RuleKind, portfolio: Portfolio) -> bool:
    """Value at marks, less 20 % (10 % for maintenance) of the value of every leg but cash, is not negative."""
    share = 20 if kind is RuleKind.INITIAL else 10
    worth = 0
    for book, ghost in portfolio.items():
        for place, lots in ghost.positions.items():
            mark = MARKS.get(place, 1) if book == 0 else 1
            charged = 0 if (book, place) == (0, CASH) else share
            worth += 100 * mark * lots - charged * mark * abs(lots)
    return worth >= 0


def change(first: Mapping[int, int], blind: int = 0, second: Mapping[int, int] | None = None) -> Portfolio:
    """A change of book 0, and of book 1 if one is given."""
    books = {0: Ghost(dict(first), blind)}
    return books if second is None else books | {1: Ghost(dict(second), blind + 1)}


@dataclass
class House:
    """A model whose time the test moves.

    Attributes:
        model: its present state.
        now: time of the next block.
        nonces: that its trades have not used.
        deposited: ticks of every token that came in.
    """

    model: HouseModel
    now: int
    nonces: int = 0
    deposited: dict[int, int] = field(default_factory=dict)

    def do(self, action: Action) -> None:
        """Carry out an action that must not be refused."""
        self.model = self.model.after(action, self.now)
        if isinstance(action, act.Deposit | act.DepositFor):
            self.deposited[action.token] = self.received(action.token) + action.ticks

    def refuses(self, refusal: Refusal, action: Action) -> None:
        """See an action refused by this name, and nothing else change."""
        with pytest.raises(RefusedError) as caught:
            self.model.after(action, self.now)
        assert caught.value.refusal is refusal

    def account(self, account: bytes) -> AccountModel:
        """State of an account."""
        return self.model.account(account)

    def owner(self, account: bytes) -> str:
        """Address of an account's owner."""
        return owner_of(account)

    def publication(self) -> act.Publish:
        """The next epoch, from a snapshot taken now."""
        return act.Publish(self.now, self.model.instruments.version, covers)

    def next_epoch(self) -> None:
        """Publish, and wait until it is active."""
        epochs = self.model.registry.epochs
        if epochs:
            self.now = max(self.now, epochs[-1].announced_at + TIMING.spacing)
        self.do(self.publication())
        self.now += TIMING.activation_delay

    def trade(
        self,
        receiver: bytes,
        giver: bytes,
        moved: Mapping[int, int],
        *,
        blind: int = 0,
        second: Mapping[int, int] | None = None,
    ) -> act.Settle:
        """A trade of two accounts at the active epoch, with fresh nonces."""
        nonce, self.nonces = self.nonces, self.nonces + 10
        parties = (receiver, giver)
        return act.Settle(
            versions={party: self.account(party).version for party in parties},
            nonces=dict.fromkeys(parties, nonce),
            legs=(act.Leg(receiver, giver, change(moved, blind, second)),),
            epoch=self.epoch,
            max_epoch=self.epoch,
            deadline=FAR,
            signers={party: owner_of(party) for party in parties},
        )

    def open_leg(self, receiver: bytes, giver: bytes, moved: Mapping[int, int], *, nonce: int) -> act.OpenLeg:
        """An open leg at the active epoch."""
        return act.OpenLeg(
            act.Leg(receiver, giver, change(moved)),
            receiver_nonce=nonce,
            giver_nonce=nonce,
            max_epoch=self.epoch,
            deadline=FAR,
            receiver_signer=owner_of(receiver),
            giver_signer=owner_of(giver),
        )

    def netting(self, *legs: act.OpenLeg) -> act.SettleOpen:
        """These legs together."""
        parties = {party for entry in legs for party in (entry.leg.receiver, entry.leg.giver)}
        return act.SettleOpen({party: self.account(party).version for party in sorted(parties)}, legs, self.epoch)

    def require_sound(self) -> None:
        """Check the sums that always hold."""
        assert broken_sums(self.model) == []

    def received(self, token: int) -> int:
        """Ticks of a token that were ever deposited."""
        return self.deposited.get(token, 0)

    @property
    def epoch(self) -> int:
        """Number of the active epoch; 1 before there is one."""
        epoch = self.model.registry.newest_active(self.now)
        return 1 if epoch is None else epoch.number


def opened_house(*, published: bool = True) -> House:
    """Three owners with a deposit each; epoch 1 is active."""
    tokens = (
        TokenLedger(TokenTerms(CASH, 10_000, 1_000, 2), room=1_000, updated_at=START),
        TokenLedger(TokenTerms(TOKEN, 500, 100, 1), room=100, updated_at=START),
    )
    model = HouseModel(
        instruments=InstrumentModel(SLOTS),
        registry=RegistryModel(TIMING, threshold=2),
        vault=VaultModel(tokens),
        guardian=GUARDIAN,
        governor=GOVERNOR,
    )
    house = House(model, START)
    house.do(act.ListSlots(0, (0, 0, 0), collateral=(CASH, TOKEN)))
    for owner in (ALICE, BOB, CAROL):
        house.do(act.Deposit(owner, 0, DEPOSIT))
    if published:
        house.next_epoch()
    return house
