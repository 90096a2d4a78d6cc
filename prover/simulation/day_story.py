"""The course of a simulated day: deposits, then epoch by epoch a new market, trades, proofs, scenes and attacks."""

from __future__ import annotations

import math
import random
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from prover.errors import SimulationError
from prover.local_chain import local_chain
from prover.market.instruments import Cash
from prover.rules.rule_book import RuleBook
from prover.rules.rule_builder import build_rules
from prover.rules.slots import CASH_SLOT, Slot, SlotTable, list_slots
from prover.simulation import actions as act
from prover.simulation.day_attacks import ATTACKS
from prover.simulation.day_outcome import DayChoices, DayOutcome
from prover.simulation.day_scenes import Cast, DayScenes
from prover.simulation.day_trader import DayTrader
from prover.simulation.epoch_rules import EpochRules
from prover.simulation.house_model import HouseModel
from prover.simulation.instrument_model import InstrumentModel
from prover.simulation.ledger_identity import require_identity
from prover.simulation.market_path import MarketPath, market_path
from prover.simulation.refusals import Refusal
from prover.simulation.registry_model import RegistryModel
from prover.simulation.simulated_day import Event, SimulatedDay
from prover.simulation.simulated_venue import DEPLOYER, THRESHOLD, SimulatedVenue, open_venue
from prover.simulation.vault_model import TokenLedger, TokenTerms, VaultModel
from verifier.chain.epochs import EpochTiming
from verifier.rules.rule_kind import RuleKind
from verifier.shape import SHAPES_BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TIMING: Final = EpochTiming(maximum_age=3 * 3600, activation_delay=24, spacing=60)
EPOCH_SECONDS: Final = 2 * 3600
TRADING_SECONDS: Final = 3600
"""Of an epoch, at most."""

BOOKS: Final = 2
LATE_SLOTS: Final = 2
DEPOSIT_TICKS: Final = 25_000_000
TOKEN_TICKS: Final = 200
TOKEN_HOLDERS: Final = 3
"""Every third account holds another token too."""

REPLAY_EVERY: Final = 5
TRADES_OF_THE_LEAVER: Final = 2
NETTING_EVERY: Final = 5
LEGS_OF_A_NETTING: Final = 3
PROVERS: Final = 3


class DayStory:
    """One day.

    Args:
        choices: what is chosen of it.
        path: its prices.
        listing: every slot of the day, those that are listed late among them.
        day: chain and model, nothing done yet.
    """

    def __init__(self, choices: DayChoices, path: MarketPath, listing: SlotTable, day: SimulatedDay) -> None:
        self._choices, self._path, self._listing, self.day = choices, path, listing, day
        accounts = day.venue.accounts(choices.accounts)
        self._cast = Cast(accounts[:-2], accounts[-2], accounts[-1])
        collateral = [ledger.terms.slot for ledger in day.house.vault.tokens]
        self._random = random.Random(choices.seed)  # noqa: S311 - choices of a simulation
        self._trader = DayTrader(day, self._random, collateral)
        self._scenes = DayScenes(day, self._trader, self._cast, self._late)
        self.trades = 0
        self._nettings = 0

    @property
    def _late(self) -> tuple[Slot, ...]:
        return self._listing.listed[-LATE_SLOTS:]

    @property
    def table(self) -> SlotTable:
        """Slots that are listed now."""
        books = self.day.house.instruments.books
        listed = tuple(slot for slot in self._listing.listed if slot.position < len(books[slot.book]))
        return SlotTable(self._listing.books, self._listing.slots_per_book, listed)

    def run(self) -> DayOutcome:
        """All of it.

        Raises:
            SimulationError: chain and model disagree, or something was refused that must not be.
        """
        self._open()
        for epoch in range(1, self._choices.epochs + 1):
            began = self.day.now
            self._publish(epoch)
            self._trade(epoch)
            self._prove()
            honest = self._trader.trade(self._cast.traders)
            for attack in ATTACKS[epoch - 1 :: self._choices.epochs]:
                attack(self.day, self._trader, honest)
            for scene in self._scenes_of(epoch):
                scene()
            self.day.require_all()
            require_identity(self.day)
            if epoch < self._choices.epochs:
                self.day.wait(max(1, began + EPOCH_SECONDS - self.day.now))
        return DayOutcome(self._choices, self._path, self.day, self.trades, self.table)

    def _open(self) -> None:
        for book in range(self._listing.books):
            slots = tuple(slot for slot in self._listing.listed if slot.book == book and slot not in self._late)
            expiries = tuple(getattr(slot.instrument, "expiry_time", 0) for slot in slots)
            collateral = tuple(place for place, slot in enumerate(slots) if isinstance(slot.instrument, Cash))
            self.day.do(act.ListSlots(book, expiries, collateral, slots), f"instruments of book {book} are listed")
        self._scenes.delisting_proposed()
        for place, account in enumerate(self._cast.everybody):
            self.day.do(act.Deposit(account, 0, DEPOSIT_TICKS), "an owner deposits")
            if place % TOKEN_HOLDERS == 0:
                self.day.do(act.Deposit(account, 1, TOKEN_TICKS), "and another token")

    def _publish(self, epoch: int) -> None:
        day, saver = self.day, self._cast.saver
        publication = self._publication(epoch)
        if epoch > 1:
            self._publish_wrongly(publication)
        day.do(publication, f"epoch {epoch} is published: {self._prices(epoch)}")
        if epoch > 1:
            early = act.ProveMargin(saver, day.house.account(saver).version, epoch, RuleKind.INITIAL)
            day.refuses(Refusal.EPOCH_WAITING, early, "a proof before the epoch is active")
            soon = replace(publication, snapshot_time=day.now, with_blobs=False)
            day.refuses(Refusal.EPOCH_TOO_SOON, soon, "another epoch right after it")
        day.wait(day.house.registry.epochs[-1].active_from - day.now + 1)
        if epoch > 1:
            late = act.ProveMargin(saver, day.house.account(saver).version, epoch - 1, RuleKind.INITIAL)
            day.refuses(Refusal.EPOCH_NOT_USABLE, late, "a proof at the epoch before")
            graced = replace(late, kind=RuleKind.MAINTENANCE)
            if day.house.registry.is_stale(day.house.registry.epochs[-2], day.now):
                day.refuses(Refusal.STALE_EPOCH, graced, "or any proof at it, stale as it is")
            else:
                day.do(graced, "which still serves maintenance margin for a while")

    def _publish_wrongly(self, publication: act.Publish) -> None:
        """10, 11: an older market, no data, one signature."""
        day, latest = self.day, self.day.house.registry.epochs[-1]
        empty = replace(publication, with_blobs=False)
        older = replace(empty, snapshot_time=latest.snapshot_time)
        is_stale = day.house.registry.is_stale(latest, day.now)
        refusal = Refusal.STALE_EPOCH if is_stale else Refusal.SNAPSHOT_NOT_NEWER
        day.refuses(refusal, older, "an epoch of an older market")
        day.refuses(Refusal.CHUNKS_MISSING, empty, "an epoch without its data")
        day.refuses(Refusal.TOO_FEW_SIGNATURES, replace(empty, signers=1), "an epoch that one publisher signed")
        day.seen(10, 11)

    def _publication(self, epoch: int) -> act.Publish:
        day, venue = self.day, self.day.venue
        snapshot = self._path.snapshot(epoch - 1, day.now)
        built = build_rules(snapshot, self._path.rule(venue.shape), shape=venue.shape, slots=self.table)
        rules = EpochRules(RuleBook(built, venue.setup, snapshot), day.house.instruments.live)
        return act.Publish(day.now, day.house.instruments.version, rules)

    def _prices(self, epoch: int) -> str:
        prices = zip(self._path.assets, self._path.prices[epoch - 1], strict=True)
        return ", ".join(f"{asset} {price:,.2f}" for asset, price in prices)

    def _trade(self, epoch: int) -> None:
        """This epoch's share of the trades, every fifth of them a netting, of which every second is bound."""
        due = self._choices.trades * epoch // self._choices.epochs
        if epoch == 1:
            self._bind((self._cast.leaver, *self._cast.traders[: LEGS_OF_A_NETTING - 1]))
        elif epoch <= TRADES_OF_THE_LEAVER:
            self._settle((self._cast.leaver, self._cast.traders[0]))
        while self.trades < due:
            left = due - self.trades
            if left >= LEGS_OF_A_NETTING and self.trades % NETTING_EVERY >= NETTING_EVERY - LEGS_OF_A_NETTING:
                self._nettings += 1
                if self._nettings % 2:
                    self._net(dropped=self.trades % 2)
                else:
                    self._bind(self._cast.traders)
            else:
                self._settle(self._cast.traders)
            self.day.let_pass(
                self._random.randint(1, 1 + TRADING_SECONDS * self._choices.epochs // self._choices.trades)
            )

    def _settle(self, parties: tuple[bytes, ...]) -> None:
        self._carry_out(self._trader.trade(parties), "a hidden trade")

    def _bind(self, parties: tuple[bytes, ...]) -> None:
        trade = self._trader.bound_ring(parties)
        self._carry_out(trade, f"hidden trades of {len(trade.versions)} accounts, all of them or none")

    def _carry_out(self, trade: act.Settle, story: str) -> None:
        """Trades that all participants signed; now and then they are replayed."""
        prepared = self.day.prepared(trade)
        if self.day.send(trade, prepared, story) is not None:
            raise SimulationError("an honest trade was refused; please report this")
        is_replayed = any((self.trades + leg) % REPLAY_EVERY == 0 for leg in range(len(trade.legs)))
        self.trades += len(trade.legs)
        if is_replayed and self.day.send(trade, prepared, "it, replayed") is not Refusal.NONCE_USED:
            raise SimulationError("a trade was carried out twice; please report this")

    def _net(self, *, dropped: int = 0) -> None:
        """Open legs of several accounts settled together, without the first ``dropped`` of them."""
        legs = self._trader.ring(self._cast.traders)
        kept = legs[dropped:]
        self.day.do(self._trader.netting(kept), f"a netting of {len(legs)} open legs, {dropped} of them dropped")
        self.trades += len(kept)
        if dropped:
            self.day.seen(20)

    def _prove(self) -> None:
        """Some accounts prove maintenance margin in one batch, each over the books that it has."""
        house, epoch = self.day.house, self._trader.epoch
        chosen = self._cast.everybody[1:-1][-PROVERS:]
        checks = tuple(
            act.ProveMargin(account, house.account(account).version, epoch, RuleKind.MAINTENANCE) for account in chosen
        )
        self.day.do(act.ProveMargins(checks), "several accounts prove maintenance margin in one batch")
        self.day.seen(24)

    def _scenes_of(self, epoch: int) -> Iterator[Callable[[], None]]:
        scenes = self._scenes
        order: tuple[tuple[float, Callable[[], None]], ...] = (
            (0.10, scenes.inboxes),
            (0.20, scenes.operator),
            (0.30, scenes.lien_granted),
            (0.40, scenes.listing),
            (0.45, partial(self._net, dropped=1)),
            (0.50, scenes.withdrawals),
            (0.55, scenes.leaver_closes),
            (0.55, scenes.outage),
            (0.67, scenes.queue_paid),
            (0.67, scenes.delisted),
            (0.70, scenes.pause),
            (0.75, scenes.lien_used),
            (0.85, scenes.reorganisation),
            (1.00, scenes.cap),
            (1.00, scenes.last_exit),
        )
        return (scene for place, scene in order if math.ceil(place * self._choices.epochs) == epoch)


def run_day(choices: DayChoices, tell: Callable[[Event], None] = lambda _: None) -> DayOutcome:
    """Simulate a day on a chain of its own, which ends with it; arguments and errors as of :func:`begun_day`."""
    with begun_day(choices, tell) as story:
        return story.run()


@contextmanager
def begun_day(choices: DayChoices, tell: Callable[[Event], None] = lambda _: None) -> Iterator[DayStory]:
    """A day on a chain of its own, which lasts as long as the block; nothing of it has happened yet.

    Args:
        choices: accounts, trades, epochs, seed, history, shape.
        tell: is told of every event.

    Raises:
        SimulationError: choices out of range, or chain and model disagree.
        MethodologyError: the history cannot be read.
    """
    choices.require_possible()
    path, shape = market_path(choices.history, choices.epochs, choices.seed), SHAPES_BY_NAME[choices.shape]
    listing = list_slots(path.snapshot(0, path.opens_at), shape, path.rule(shape), books=BOOKS)
    slots = (CASH_SLOT, listing.find(path.wrapped_coin).position)
    with local_chain(timestamp=path.opens_at) as running:
        venue = open_venue(running, shape_name=choices.shape, timing=TIMING, slots=slots)
        yield DayStory(choices, path, listing, SimulatedDay(venue, fresh_model(venue), tell))


def fresh_model(venue: SimulatedVenue) -> HouseModel:
    """The model of contracts that were just deployed."""
    tokens = []
    for number, terms in enumerate(venue.vault.tokens()):
        state = venue.vault.vault_state(number)
        limits = TokenTerms(terms.slot, terms.cap, terms.capacity, terms.refill_per_second)
        tokens.append(TokenLedger(limits, room=state.room, updated_at=state.updated_at))
    return HouseModel(
        instruments=InstrumentModel(venue.shape.slots),
        registry=RegistryModel(TIMING, THRESHOLD),
        vault=VaultModel(tuple(tokens)),
        guardian=venue.address(DEPLOYER),
        governor=venue.deployment.timelock.lower(),
    )
