"""What happens during a simulated day beside trades: money in and out, an outage, a pause, a reorganisation, exits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from prover.errors import SimulationError
from prover.simulation import actions as act
from prover.simulation.day_trader import hidden
from prover.simulation.house_model import owner_of
from prover.simulation.refusals import Refusal
from prover.simulation.simulated_venue import BENEFACTOR, DEPLOYER, LENDER, OPERATOR
from verifier.rules.rule_kind import PUBLISHED_KINDS, RuleKind

if TYPE_CHECKING:
    from prover.rules.slots import Slot
    from prover.simulation.day_trader import DayTrader
    from prover.simulation.simulated_day import SimulatedDay

GIFT_TICKS: Final = 250_000
TOKEN_GIFT: Final = 3
LIEN_TICKS: Final = 400_000
PAUSE_SECONDS: Final = 600
BEYOND_STALE: Final = 900
SMALL: Final = 1_000
"""Ticks of payments that only show that they are possible, or not."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays.

    Attributes:
        traders: hidden accounts that trade all day.
        leaver: trades a little and exits while the registry is stale.
        saver: never trades.
    """

    traders: tuple[bytes, ...]
    leaver: bytes
    saver: bytes

    @property
    def everybody(self) -> tuple[bytes, ...]:
        """All accounts."""
        return (*self.traders, self.leaver, self.saver)


class DayScenes:
    """The scenes of a day.

    Args:
        day: under way.
        trader: makes trades.
        cast: who plays.
        late: slots that are listed during the day.
    """

    def __init__(self, day: SimulatedDay, trader: DayTrader, cast: Cast, late: tuple[Slot, ...]) -> None:
        self._day, self._trader, self._cast, self._late = day, trader, cast, late
        self._address = day.venue.address
        self._queued = 0

    def _version(self, account: bytes) -> int:
        return self._day.house.account(account).version

    def _check(self, account: bytes, kind: RuleKind) -> act.ProveMargin:
        return act.ProveMargin(account, self._version(account), self._trader.epoch, kind)

    def inboxes(self) -> None:
        """8: what third parties do leaves a proof that was made before."""
        day, account = self._day, self._cast.traders[0]
        check = self._check(account, RuleKind.MAINTENANCE)
        waiting = day.prepared(check)
        day.do(act.DepositFor(account, 0, GIFT_TICKS), "a third party pays into an inbox")
        day.do(act.DepositFor(account, 1, TOKEN_GIFT), "and another token")
        day.donate(0, SMALL, "tokens sent to the vault unasked")
        if day.send(check, waiting, "a proof made before all that is still good") is not None:
            raise SimulationError("a third party's deposit spoiled a proof; please report this")
        day.seen(8)
        day.do(act.MergeInbox(account, 0, owner_of(account)), "the owner takes it in")
        day.refuses(Refusal.INBOX_EMPTY, act.MergeInbox(account, 0, owner_of(account)), "and once more")

    def operator(self) -> None:
        """An operator merges, and voids nonces; a stranger does neither."""
        day, account = self._day, self._cast.traders[0]
        operator = self._address(OPERATOR)
        day.refuses(Refusal.NOT_AUTHORISED, act.MergeInbox(account, 1, operator), "a stranger merges")
        day.do(act.SetOperator(account, operator, day.now + 2 * 3600), "an operator is appointed")
        day.do(act.MergeInbox(account, 1, operator), "the operator merges")
        day.do(act.InvalidateNonces(account, 3, 0b1011, operator), "the operator voids nonces")
        trade = self._trader.trade(self._cast.traders[:2])
        signed = replace(trade, signers={**trade.signers, account: operator})
        day.do(signed, "a trade that the operator signs")

    def lien_granted(self) -> None:
        """21: a lien leaves the account; every proof runs on what is left."""
        day, account, lender = self._day, self._cast.traders[0], self._address(LENDER)
        terms = act.GrantLien(account, self._version(account), self._trader.epoch, 0, LIEN_TICKS, lender)
        day.do(terms, "a lien is granted")
        too_much = act.ClaimLien(account, 0, LIEN_TICKS + 1, lender, lender)
        day.refuses(Refusal.LIEN_EXCEEDED, too_much, "the lender claims more than the lien")
        day.seen(21)

    def lien_used(self) -> None:
        """21: the lender takes a part and gives back the rest."""
        day, account, lender = self._day, self._cast.traders[0], self._address(LENDER)
        owner = owner_of(account)
        day.refuses(Refusal.LIEN_EXCEEDED, act.ReleaseLien(account, 0, SMALL, self._address(DEPLOYER)), "not a lender")
        day.do(act.ClaimLien(account, 0, LIEN_TICKS // 4, lender, lender), "the lender claims a part")
        day.do(act.ReleaseLien(account, 0, LIEN_TICKS - LIEN_TICKS // 4, lender), "and releases the rest")
        day.do(act.MergeInbox(account, 0, owner), "which the owner takes in")
        day.seen(21)

    def delisting_proposed(self) -> None:
        """What governance decides waits before it is done."""
        day, slot = self._day, self._doomed
        receipt = day.venue.timelock.schedule(day.venue.person(DEPLOYER), day.venue.delisting(slot))
        day.beside("schedule", "governance proposes to delist a slot", receipt)

    @property
    def _doomed(self) -> int:
        """The slot that will be delisted: book·N + position."""
        last = self._late[-1]
        return last.book * self._day.house.instruments.slots_per_book + last.position

    def delisted(self) -> None:
        """4: a slot that was delisted stays dead in the epochs after it."""
        book, place = divmod(self._doomed, self._day.house.instruments.slots_per_book)
        receiver, giver = self._cast.traders[:2]
        leg = act.Leg(receiver, giver, hidden({(book, place): 1}))
        self._day.refuses(Refusal.DEAD_SLOT, self._trader.settlement([leg]), "a trade of a delisted slot")
        self._day.seen(4)

    def listing(self) -> None:
        """4, 10: slots listed now live from the next epoch on."""
        day, (receiver, giver) = self._day, self._cast.traders[:2]
        first = self._late[0]
        attempt = act.Leg(receiver, giver, hidden({(first.book, first.position): 1}))
        day.refuses(Refusal.DEAD_SLOT, self._trader.settlement([attempt]), "a trade of a slot that is not listed")
        expiries = tuple(getattr(slot.instrument, "expiry_time", 0) for slot in self._late)
        day.do(act.ListSlots(first.book, expiries, instruments=self._late), "more instruments are listed")
        day.refuses(Refusal.DEAD_SLOT, self._trader.settlement([attempt]), "listed since the epoch was published")
        day.do(act.Delist(self._doomed), "one of them is delisted, as governance decided an hour ago or earlier")
        day.seen(4)

    def withdrawals(self) -> None:
        """23: what the bucket has no room for waits its turn."""
        day, account = self._day, self._cast.traders[1]
        owner, whale = owner_of(account), self._cast.saver
        day.do(
            act.Withdraw(account, self._version(account), self._trader.epoch, 0, GIFT_TICKS, owner),
            "a withdrawal, paid at once",
        )
        large = day.house.vault.tokens[0].at(day.now).room + GIFT_TICKS
        terms = act.WithdrawHoldings(whale, self._version(whale), 0, large, owner_of(whale))
        day.do(terms, "a withdrawal for which there is no room is queued")
        self._queued = day.house.vault.tokens[0].claim_count
        day.refuses(Refusal.CLAIM_WAITS, act.PayQueued(0, self._queued), "it is not its turn yet")

    def queue_paid(self) -> None:
        """23: paid once there is room."""
        self._day.do(act.PayQueued(0, self._queued), "a queued withdrawal is paid")
        self._day.refuses(Refusal.NO_SUCH_CLAIM, act.PayQueued(0, self._queued), "and not once more")

    def leaver_closes(self) -> None:
        """The leaver gives its positions away, so that it can show what it holds."""
        closing = self._trader.closing(self._cast.leaver, self._cast.traders)
        if closing is None:
            raise SimulationError("nobody could take over the positions of who leaves: choose another seed (--seed)")
        self._day.do(closing, "who will leave closes its positions")

    def outage(self) -> None:
        """10, 12: the publishers fall silent. Nothing that needs a rule works, nothing else stops."""
        day, cast, trader = self._day, self._cast, self._trader
        trade, epoch = trader.trade(cast.traders), trader.epoch
        check = act.ProveMargin(cast.traders[0], self._version(cast.traders[0]), epoch, RuleKind.MAINTENANCE)
        withdrawal = act.Withdraw(cast.traders[0], check.version, epoch, 0, SMALL, owner_of(cast.traders[0]))
        newest = day.house.registry.epochs[-1]
        day.wait(newest.snapshot_time + day.house.registry.timing.maximum_age + BEYOND_STALE - day.now)
        clock = day.venue.registry.active_clock()
        day.refuses(Refusal.STALE_EPOCH, trade, "a trade while the publishers are silent")
        day.refuses(Refusal.STALE_EPOCH, withdrawal, "a withdrawal with a proof")
        day.refuses(Refusal.STALE_EPOCH, act.GrantLien(*_values(withdrawal, self._address(LENDER))), "a lien")
        if day.house.account(check.account).proven.get(check.kind, 0) < epoch:
            day.refuses(Refusal.STALE_EPOCH, check, "a margin proof")
        self.leave(cast.leaver)
        saver = act.WithdrawHoldings(cast.saver, self._version(cast.saver), 0, SMALL, owner_of(cast.saver))
        day.do(saver, "a transparent account withdraws all the same")
        day.do(act.Deposit(cast.saver, 0, SMALL), "and deposits")
        if day.venue.registry.active_clock() != clock:
            raise SimulationError("the active clock ran while the registry was stale; please report this")
        day.seen(10, 12)

    def leave(self, account: bytes) -> None:
        """An account shows that it holds tokens alone, and takes them."""
        day, owner = self._day, owner_of(account)
        ghosts = day.house.account(account).ghosts[0].positions
        held = tuple(ghosts.get(ledger.terms.slot, 0) for ledger in day.house.vault.tokens)
        day.do(act.Exit(account, self._version(account), held), "an exit: what it holds is public from here on")
        for token, ticks in enumerate(held):
            if ticks:
                terms = act.WithdrawHoldings(account, self._version(account), token, ticks, owner)
                day.do(terms, "who left takes everything")

    def pause(self) -> None:
        """The guardian stops what takes risk; exits and plain withdrawals go on, and so do margin proofs."""
        day, cast, guardian = self._day, self._cast, self._address(DEPLOYER)
        day.refuses(Refusal.NOT_GUARDIAN, act.Pause(PAUSE_SECONDS, self._address(BENEFACTOR)), "a stranger pauses")
        trade = self._trader.trade(cast.traders)
        day.do(act.Pause(PAUSE_SECONDS, guardian), "the guardian pauses the house")
        day.refuses(Refusal.PAUSED, trade, "a trade while the house is paused")
        saver = act.WithdrawHoldings(cast.saver, self._version(cast.saver), 0, SMALL, owner_of(cast.saver))
        day.do(saver, "a transparent account withdraws all the same")
        # The house rests for as long as the pause has lasted: for no time after one that ends in its own second.
        day.wait(PAUSE_SECONDS // 2)
        day.do(act.Unpause(guardian), "the pause ends early")
        day.refuses(Refusal.PAUSE_TOO_SOON, act.Pause(PAUSE_SECONDS, guardian), "and must not begin again at once")

    def reorganisation(self) -> None:
        """26: three blocks go, others come; what was signed for a state that never was is refused by name."""
        day, (one, other) = self._day, self._cast.traders[:2]
        trade = self._trader.trade((one, other))
        waiting = day.prepared(trade)
        mark, kept = day.venue.chain.request("evm_snapshot", []), day.house
        day.send(trade, waiting, "a trade that a reorganisation undoes")
        day.do(act.Deposit(one, 0, SMALL), "a deposit that it undoes")
        day.do(act.Deposit(other, 0, SMALL), "and another")
        day.venue.chain.request("evm_revert", [mark])
        day.house = kept
        day.require_all()
        day.do(act.Deposit(one, 0, 2 * SMALL), "another deposit comes in its place")
        if day.send(trade, waiting, "the trade again, on another state") is not Refusal.VERSION_MISMATCH:
            raise SimulationError("a trade was carried out on another state than agreed; please report this")
        day.seen(26)

    def cap(self) -> None:
        """25: an account at the cap of deposits proves all rules."""
        day, account = self._day, self._cast.saver
        ledger = day.house.vault.tokens[0]
        left = ledger.terms.cap - ledger.net_deposits
        day.refuses(Refusal.CAP_EXCEEDED, act.Deposit(account, 0, left + 1), "a deposit beyond the cap")
        day.do(act.Deposit(account, 0, left), "a deposit up to the cap")
        for kind in PUBLISHED_KINDS:
            day.do(self._check(account, kind), f"{kind.name.lower()} margin at the cap")
        day.seen(25)

    def last_exit(self) -> None:
        """Another trader leaves at the end, if anybody can take over what it holds."""
        for account in self._cast.traders[::-1]:
            others = [other for other in self._cast.traders if other != account]
            closing = self._trader.closing(account, others)
            if closing is not None and _covers_cash(self._day, account, closing):
                self._day.do(closing, "who leaves at the end closes its positions")
                self.leave(account)
                return


def _values(terms: act.Withdraw, lender: str) -> tuple[bytes, int, int, int, int, str]:
    return (terms.account, terms.version, terms.epoch, terms.token, terms.ticks, lender)


def _covers_cash(day: SimulatedDay, account: bytes, closing: act.Settle) -> bool:
    """Whether an account owes no cash after a trade, so that it can show what it holds."""
    after = day.house.after(closing, day.now).account(account)
    return after.ghosts[0].positions.get(0, 0) >= 0
