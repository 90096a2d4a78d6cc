"""Trades at random, as the model says that both sides can carry them; choices come from the seed, blinds never do."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from prover.argument.blinds import fresh_blind
from prover.errors import SimulationError
from prover.simulation import actions as act
from prover.simulation.epoch_rules import EpochRules
from prover.simulation.ghosts import EMPTY, Ghost
from prover.simulation.house_model import owner_of
from verifier.scalar_field import MODULUS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from prover.simulation.ghosts import Portfolio
    from prover.simulation.simulated_day import SimulatedDay

CASH: Final = 0
LARGEST_TRADE: Final = 40
"""Lots."""

PRICE_NOISE: Final = 0.002
ATTEMPTS: Final = 24
DEADLINE_SECONDS: Final = 24 * 3600
RING: Final = 3
"""Accounts of a netting."""


class DayTrader:
    """Makes trades of a day.

    Args:
        day: under way.
        random: from the seed.
        collateral: places of the tokens in book 0, which are not traded here.
    """

    def __init__(self, day: SimulatedDay, random: Random, collateral: Sequence[int]) -> None:
        self._day = day
        self._random = random
        self._collateral = frozenset(collateral)
        self._nonces = itertools.count(1)

    @property
    def epoch(self) -> int:
        """The active epoch."""
        return self._day.house.registry.active(self._day.now).number

    def change(self, place: tuple[int, int], lots: int) -> Portfolio:
        """What who receives so many lots of a slot receives: the slot, less its price in cash; fresh blinds."""
        book, position = place
        price = round(self._mark(place) * (1 + self._random.uniform(-PRICE_NOISE, PRICE_NOISE)))
        moved = {(0, CASH): -lots * price, (book, position): lots}
        return hidden({key: amount for key, amount in moved.items() if amount})

    def settlement(self, legs: Sequence[act.Leg]) -> act.Settle:
        """Legs as one settlement at the active epoch, with fresh nonces, signed by the owners."""
        parties = dict.fromkeys(party for leg in legs for party in (leg.receiver, leg.giver))
        return act.Settle(
            versions={party: self._day.house.account(party).version for party in parties},
            nonces={party: next(self._nonces) for party in parties},
            legs=tuple(legs),
            epoch=self.epoch,
            max_epoch=self.epoch,
            deadline=self._day.now + DEADLINE_SECONDS,
            signers={party: owner_of(party) for party in parties},
        )

    def trade(self, parties: Sequence[bytes]) -> act.Settle:
        """A trade between two of these that both can carry.

        Raises:
            SimulationError: none was found.
        """
        for attempt in range(ATTEMPTS):
            receiver, giver = self._random.sample(list(parties), 2)
            made = self.settlement([self._leg(receiver, giver, attempt)])
            if self._day.accepts(made):
                return made
        raise SimulationError(f"no trade was found in {ATTEMPTS} attempts: choose another seed (--seed)")

    def bound_ring(self, parties: Sequence[bytes]) -> act.Settle:
        """Trades of three of these, each giving to the next, that all can carry; all of them happen or none.

        Raises:
            SimulationError: none were found.
        """
        for attempt in range(ATTEMPTS):
            made = self.settlement(self._ring(parties, attempt))
            if self._day.accepts(made):
                return made
        raise SimulationError(f"no settlement of {RING} was found in {ATTEMPTS} attempts: choose another seed (--seed)")

    def ring(self, parties: Sequence[bytes]) -> tuple[act.OpenLeg, ...]:
        """Open legs of three of these, each giving to the next, any of which may be dropped.

        Raises:
            SimulationError: none were found.
        """
        for attempt in range(ATTEMPTS):
            legs = tuple(map(self._open, self._ring(parties, attempt)))
            if all(self._day.accepts(self.netting(kept)) for kept in (legs, legs[1:])):
                return legs
        raise SimulationError(f"no netting was found in {ATTEMPTS} attempts: choose another seed (--seed)")

    def netting(self, legs: Sequence[act.OpenLeg]) -> act.SettleOpen:
        """Open legs together, at the active epoch."""
        parties = dict.fromkeys(party for entry in legs for party in (entry.leg.receiver, entry.leg.giver))
        versions = {party: self._day.house.account(party).version for party in parties}
        return act.SettleOpen(versions, tuple(legs), self.epoch)

    def closing(self, leaver: bytes, others: Sequence[bytes]) -> act.Settle | None:
        """A trade that leaves an account with collateral tokens alone; ``None`` when nobody else can carry it."""
        ghosts = self._day.house.account(leaver).ghosts
        held = {
            (book, place): lots
            for book, ghost in ghosts.items()
            for place, lots in ghost.positions.items()
            if book or place not in self._collateral
        }
        worth = sum(self._mark(place) * lots for place, lots in held.items())
        moved = {place: -lots for place, lots in held.items()} | ({(0, CASH): worth} if worth else {})
        for other in others:
            made = self.settlement([act.Leg(leaver, other, hidden(moved))])
            if held and self._day.accepts(made):
                return made
        return None

    def _ring(self, parties: Sequence[bytes], attempt: int) -> tuple[act.Leg, ...]:
        chosen = self._random.sample(list(parties), min(RING, len(parties)))
        pairs = zip(chosen, (*chosen[1:], chosen[0]), strict=True)
        return tuple(self._leg(one, other, attempt) for one, other in pairs)

    def _leg(self, receiver: bytes, giver: bytes, attempt: int) -> act.Leg:
        """Smaller with every attempt."""
        live = sorted(self._day.house.registry.active(self._day.now).live)
        place = self._random.choice([slot for slot in live if slot[0] or slot[1] not in self._collateral])
        most = max(1, LARGEST_TRADE >> attempt // 3)
        return act.Leg(receiver, giver, self.change(place, self._random.randint(1, most)))

    def _open(self, leg: act.Leg) -> act.OpenLeg:
        return act.OpenLeg(
            leg=leg,
            receiver_nonce=next(self._nonces),
            giver_nonce=next(self._nonces),
            max_epoch=self.epoch,
            deadline=self._day.now + DEADLINE_SECONDS,
            receiver_signer=owner_of(leg.receiver),
            giver_signer=owner_of(leg.giver),
        )

    def _mark(self, place: tuple[int, int]) -> int:
        rule = self._day.house.registry.active(self._day.now).rule
        if not isinstance(rule, EpochRules):
            raise SimulationError("an epoch without marks: build it from a market")
        return rule.mark(*place)


def hidden(moved: dict[tuple[int, int], int]) -> Portfolio:
    """A change by book, book 0 always among them, each with a blind to which both sides contribute."""
    change: dict[int, Ghost] = {0: EMPTY}
    for (book, place), amount in moved.items():
        change[book] = change.get(book, EMPTY).plus(Ghost({place: amount}))
    return {book: ghost.plus(Ghost({}, (fresh_blind() + fresh_blind()) % MODULUS)) for book, ghost in change.items()}
