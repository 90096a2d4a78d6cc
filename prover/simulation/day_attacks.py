"""Attacks on trades and proofs during a simulated day; each must be refused by its name and change nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from prover.simulation import actions as act
from prover.simulation.actions import Tampering
from prover.simulation.ghosts import EMPTY, Ghost
from prover.simulation.house_model import owner_of
from prover.simulation.refusals import Refusal
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from prover.simulation.day_trader import DayTrader
    from prover.simulation.simulated_day import SimulatedDay

Attack = Callable[["SimulatedDay", "DayTrader", act.Settle], None]
"""Gets an honest trade of the epoch that nobody has sent; attacks change no account, so that it serves all of them."""

RECKLESS_FACTOR: Final = 100_000


def tampered_trade(refusal: Refusal, tampering: Tampering, *invariants: int) -> Attack:
    """An honest trade of which an attacker changes something."""

    def attack(day: SimulatedDay, _trader: DayTrader, honest: act.Settle) -> None:
        day.refuses(refusal, replace(honest, tampering=tampering), f"a trade with {tampering.value}")
        day.seen(*invariants)

    return attack


def altered_trade(refusal: Refusal, story: str, alter: Callable[[act.Settle], act.Settle]) -> Attack:
    """A trade whose terms do not hold, signed as they are."""

    def attack(day: SimulatedDay, _trader: DayTrader, honest: act.Settle) -> None:
        day.refuses(refusal, alter(honest), story)

    return attack


def reckless_trade(day: SimulatedDay, trader: DayTrader, honest: act.Settle) -> None:
    """A trade that its giver's margin does not cover: no prover can prove it."""
    receiver, giver = list(honest.versions)[:2]
    leg = act.Leg(receiver, giver, {0: EMPTY.plus(Ghost({1: RECKLESS_FACTOR}))})
    day.refuses(Refusal.NOT_COVERED, trader.settlement([leg]), "a trade that breaks margin")


def replayed_proof(day: SimulatedDay, trader: DayTrader, _honest: act.Settle) -> None:
    """A margin proof of what is recorded already, by an account of this epoch's batch."""
    epoch, kind = trader.epoch, RuleKind.MAINTENANCE
    proven = [identity for identity, state in day.house.accounts.items() if state.proven.get(kind, 0) == epoch]
    check = act.ProveMargin(proven[0], day.house.account(proven[0]).version, epoch, kind)
    day.refuses(Refusal.ALREADY_PROVEN, check, "a proof of what is recorded already")
    day.seen(9)


def forged_withdrawal(day: SimulatedDay, trader: DayTrader, honest: act.Settle) -> None:
    """A withdrawal with a forged proof."""
    account = next(iter(honest.versions))
    terms = act.Withdraw(account, day.house.account(account).version, trader.epoch, 0, 1, owner_of(account))
    day.refuses(
        Refusal.PROOF_REJECTED, replace(terms, tampering=Tampering.FORGED_PROOF), "a withdrawal with a forged proof"
    )


def false_exit(day: SimulatedDay, _trader: DayTrader, honest: act.Settle) -> None:
    """An exit with a tick more than the account has of cash."""
    account = next(party for party in honest.versions if day.house.account(party).ghosts[0].blind)
    cash = max(0, day.house.account(account).ghosts[0].positions.get(0, 0))
    held = (cash + 1, *(0 for _ in day.house.vault.tokens[1:]))
    day.refuses(Refusal.EXIT_REJECTED, act.Exit(account, day.house.account(account).version, held), "a false exit")


def front_run_deposit(day: SimulatedDay, _trader: DayTrader, honest: act.Settle) -> None:
    """A deposit on a commitment that is no longer the account's."""
    terms = act.Deposit(next(iter(honest.versions)), 0, 1, Tampering.WRONG_COMMITMENT)
    day.refuses(Refusal.COMMITMENT_MISMATCH, terms, "a deposit that was overtaken")


def _late(trade: act.Settle) -> act.Settle:
    return replace(trade, deadline=0)


def _earlier_epoch(trade: act.Settle) -> act.Settle:
    return replace(trade, max_epoch=trade.epoch - 1)


def _other_version(trade: act.Settle) -> act.Settle:
    return replace(trade, versions={party: version + 1 for party, version in trade.versions.items()})


ATTACKS: Final[tuple[Attack, ...]] = (
    tampered_trade(Refusal.SIGNATURE_INVALID, Tampering.FOREIGN_SIGNATURE),
    tampered_trade(Refusal.INVALID_POINT, Tampering.POINT_OF_ORDER_THREE, 19),
    reckless_trade,
    replayed_proof,
    tampered_trade(Refusal.PROOF_REJECTED, Tampering.FORGED_PROOF),
    tampered_trade(Refusal.COMMITMENT_MISMATCH, Tampering.WRONG_COMMITMENT),
    forged_withdrawal,
    tampered_trade(Refusal.POINTS_LENGTH, Tampering.OMITTED_BOOK, 24),
    altered_trade(Refusal.DEADLINE_EXPIRED, "a trade after its deadline", _late),
    altered_trade(Refusal.EPOCH_TOO_LATE, "a trade at a later epoch than agreed", _earlier_epoch),
    altered_trade(Refusal.VERSION_MISMATCH, "a trade agreed on another state", _other_version),
    false_exit,
    front_run_deposit,
)
