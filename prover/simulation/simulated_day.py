"""A day under way: every action goes to the chain and to the model, and both must agree after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prover.errors import SimulationError
from prover.simulation import actions as act
from prover.simulation.chain_comparison import compare_accounts, compare_money, compare_times
from prover.simulation.chain_driver import prepare, send
from prover.simulation.invariants import broken_sums
from prover.simulation.refusals import PROVER_SIDE, RefusedError
from verifier.chain.chain_time import advance_time
from verifier.rules.rule_kind import PUBLISHED_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from prover.simulation.actions import Action
    from prover.simulation.chain_driver import Send
    from prover.simulation.house_model import HouseModel
    from prover.simulation.refusals import Refusal
    from prover.simulation.simulated_venue import SimulatedVenue
    from verifier.chain.chain_client import Receipt


@dataclass(frozen=True, slots=True)
class PublicMoney:
    """What everybody sees of a token, in ticks.

    Attributes:
        net_deposits: of all accounts, inboxes and liens.
        kept_apart: in inboxes and liens.
        room: that may leave at once.
        backlog: of claims that wait for room.
    """

    net_deposits: int
    kept_apart: int
    room: int
    backlog: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, in public words.

    Attributes:
        time: Unix seconds of its block.
        epoch: newest active epoch then; 0 for none.
        name: entry point, as the contract calls it.
        story: why it was tried.
        refused: name of the error, where it was refused.
        refused_by: "contract" or "prover".
        gas: of its transactions, without blob gas.
        transactions: sent.
        money: of every token, after it.
        clock: seconds on the active clock, after it.
    """

    time: int
    epoch: int
    name: str
    story: str
    refused: str = ""
    refused_by: str = ""
    gas: int = 0
    transactions: int = 0
    money: tuple[PublicMoney, ...] = ()
    clock: int = 0


@dataclass
class SimulatedDay:
    """Chain and model, side by side.

    Attributes:
        venue: the chain's side.
        house: the model's side.
        tell: is told of every event.
        events: all of them, in order.
        evidence: how often each invariant was looked at, by its number in the specification.
        donated: ticks sent to the vault without being asked for, by token.
        paid: ticks that left the vault, by token.
        began: time of the first block.
    """

    venue: SimulatedVenue
    house: HouseModel
    tell: Callable[[Event], None] = lambda _: None
    events: list[Event] = field(default_factory=list)
    evidence: dict[int, int] = field(default_factory=dict)
    donated: dict[int, int] = field(default_factory=dict)
    paid: dict[int, int] = field(default_factory=dict)
    began: int = 0

    def __post_init__(self) -> None:
        """Read the clock."""
        self.began = self.now

    @property
    def now(self) -> int:
        """Time of the latest block."""
        return self.venue.chain.block_time()

    def accepts(self, action: Action) -> bool:
        """Whether the model would accept an action now."""
        try:
            self.house.after(action, self.now)
        except RefusedError:
            return False
        return True

    def do(self, action: Action, story: str) -> None:
        """Carry out an action that nobody may refuse.

        Raises:
            SimulationError: it was refused, or chain and model differ after it.
        """
        refused = self._both(action, story, lambda: prepare(self.venue, action, self.house))
        if refused is not None:
            raise SimulationError(f"{story}: refused by {refused.value}; please report this")

    def refuses(self, expected: Refusal, action: Action, story: str) -> None:
        """Try an action that chain and model must refuse by the same name.

        Raises:
            SimulationError: one of them accepts it, or says another name.
        """
        refused = self._both(action, story, lambda: prepare(self.venue, action, self.house))
        if refused is not expected:
            name = "nothing" if refused is None else refused.value
            raise SimulationError(f"{story}: expected {expected.value}, refused by {name}; please report this")

    def prepared(self, action: Action) -> Send:
        """Sign and prove an action now, to be sent later."""
        return prepare(self.venue, action, self.house)

    def send(self, action: Action, prepared: Send, story: str) -> Refusal | None:
        """Send what was prepared earlier; gives the name by which both refused it, if they did."""
        return self._both(action, story, lambda: prepared)

    def wait(self, seconds: int) -> None:
        """Let time pass, and see that the chain's public numbers follow."""
        advance_time(self.venue.chain, seconds)
        self._require_none(compare_times(self.venue, self.house), "time passed")

    def let_pass(self, seconds: int) -> None:
        """Let a little time pass between two actions; the next one looks at everything."""
        advance_time(self.venue.chain, seconds)

    def donate(self, token: int, ticks: int, story: str) -> None:
        """Send tokens to the vault that nobody asked for."""
        units = ticks * self.venue.units_per_tick(token)
        payer = self.venue.person(0)
        receipt = self.venue.tokens[token].mint(payer, self.venue.vault.address, units)
        self.donated[token] = self.donated.get(token, 0) + ticks
        self.beside("donation", story, receipt)
        self._require_agreement(story, self.house.accounts)

    def beside(self, name: str, story: str, receipt: Receipt) -> None:
        """Record a transaction that is none of the model's actions."""
        self._record(name, story, None, (receipt,))

    def require_all(self) -> None:
        """Compare everything that the chain keeps.

        Raises:
            SimulationError: something differs.
        """
        self._require_agreement("everything", self.house.accounts)
        self._require_none(compare_times(self.venue, self.house), "everything")

    def seen(self, *invariants: int) -> None:
        """Count a look at invariants that held."""
        for invariant in invariants:
            self.evidence[invariant] = self.evidence.get(invariant, 0) + 1

    def _both(self, action: Action, story: str, make: Callable[[], Send]) -> Refusal | None:
        """Chain first, so that the model knows the time of the block; then compare."""
        receipts: tuple[Receipt, ...] = ()
        on_chain: Refusal | None = None
        try:
            receipts = send(make())
        except RefusedError as error:
            on_chain = error.refusal
        before, in_model = self.house, None
        try:
            self.house = self.house.after(action, self.now)
        except RefusedError as error:
            in_model = error.refusal
        if on_chain is not in_model:
            said = [name.value if name else "accepted" for name in (on_chain, in_model)]
            raise SimulationError(f"{story}: the chain says {said[0]}, the model {said[1]}; please report this")
        self._require_slow(before, story)
        self._record(entry_point(action), story, on_chain, receipts)
        self._require_agreement(story, touched_by(action))
        if isinstance(action, act.Publish | act.ListSlots | act.Delist | act.RetireBook | act.Pause | act.Unpause):
            self._require_none(compare_times(self.venue, self.house), story)
        self._require_monotone(before, story)
        return on_chain

    def _require_agreement(self, story: str, accounts: Container[bytes]) -> None:
        known = [account for account in self.house.accounts if account in accounts]
        found = compare_accounts(self.venue, self.house, known)
        found += compare_money(self.venue, self.house, self.donated) + broken_sums(self.house)
        self._require_none(found, story)
        self.seen(1, 2)

    def _require_monotone(self, before: HouseModel, story: str) -> None:
        for identity, account in self.house.accounts.items():
            earlier = before.account(identity)
            if any(account.proven.get(kind, 0) < earlier.proven.get(kind, 0) for kind in PUBLISHED_KINDS):
                raise SimulationError(f"{story}: account 0x{identity.hex()} has proven less than before")
        self.seen(9)

    def _require_slow(self, before: HouseModel, story: str) -> None:
        """23: of every token no more leaves than the bucket held and took in since the beginning."""
        for token, (earlier, ledger) in enumerate(zip(before.vault.tokens, self.house.vault.tokens, strict=True)):
            self.paid[token] = self.paid.get(token, 0) + max(0, earlier.balance - ledger.balance)
            if self.paid[token] > ledger.terms.capacity + ledger.terms.refill * (self.now - self.began):
                raise SimulationError(f"{story}: token {token} left faster than its bucket allows; please report this")
        self.seen(23)

    @staticmethod
    def _require_none(found: list[str], story: str) -> None:
        if found:
            raise SimulationError(f"{story}: {found[0]} ({len(found)} differences); please report this")

    def _record(self, name: str, story: str, refused: Refusal | None, receipts: tuple[Receipt, ...]) -> None:
        now = self.now
        newest = self.house.registry.newest_active(now)
        ledgers = [ledger.at(max(now, ledger.updated_at)) for ledger in self.house.vault.tokens]
        event = Event(
            time=now,
            epoch=0 if newest is None else newest.number,
            name=name,
            story=story,
            refused="" if refused is None else refused.value,
            refused_by="" if refused is None else "prover" if refused in PROVER_SIDE else "contract",
            gas=sum(receipt.gas_used for receipt in receipts),
            transactions=len(receipts),
            money=tuple(PublicMoney(item.net_deposits, item.kept_apart, item.room, item.backlog) for item in ledgers),
            clock=self.house.registry.active_clock(now),
        )
        self.events.append(event)
        self.tell(event)


def entry_point(action: Action) -> str:
    """The contract's name for an action."""
    plain = "List" if isinstance(action, act.ListSlots) else type(action).__name__
    return plain[0].lower() + plain[1:]


def touched_by(action: Action) -> frozenset[bytes]:
    """Accounts that an action is about."""
    if isinstance(action, act.Settle | act.SettleOpen):
        return frozenset(action.versions)
    if isinstance(action, act.ProveMargins):
        return frozenset(check.account for check in action.checks)
    account = getattr(action, "account", None)
    return frozenset() if account is None else frozenset({account})
