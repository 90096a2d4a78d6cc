"""What a simulated day showed, for people and machines; everything in it is public.

``zkmargin simulate day --json`` writes one object:

    {"schema": "zkmargin-day-1", "accounts": …, "trades": …, "epochs": …, "seed": …, "shape": name,
     "assets": [name, …], "day": date, "prices": [[price, …], …],                    (by epoch, then asset)
     "actions": …, "refused": …,
     "invariants": [{"number": …, "statement": …, "shown_by": …, "looks": …, "refused": …, "holds": bool}, …],
     "gas": [{"entry_point": name, "calls": …, "least": …, "mean": …, "most": …}, …],
     "public_accounts": [{"account": …, "status": …, "state_version": …, "books": …, "initial_epoch": …,
                          "maintenance_epoch": …, "holdings": [ticks, …] | null}, …],   (null: hidden)
     "events": [{"time": Unix seconds, "epoch": …, "name": entry point, "story": …, "refused": error, "refused_by": …,
                 "gas": …, "transactions": …, "money": [{"net_deposits": ticks, …}, …], "clock": seconds}, …]}
"""

from __future__ import annotations

from dataclasses import asdict
from statistics import mean
from typing import TYPE_CHECKING, Any, Final

from prover.reports.tables import Column, TableData
from prover.reports.wording import moment
from prover.simulation.day_invariants import shown_invariants
from verifier.books import books_in
from verifier.chain.account_state import AccountStatus
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from prover.simulation.day_outcome import DayOutcome

DAY_SCHEMA: Final = "zkmargin-day-1"
HIDDEN: Final = "hidden"
SHOWN_BY: Final = "shown by"
"""Last column of the table of invariants: sentences, for which a terminal has no room."""


def day_fields(outcome: DayOutcome) -> dict[str, Any]:
    """The object for machines."""
    choices, path, events = outcome.choices, outcome.path, outcome.day.events
    return {
        "schema": DAY_SCHEMA,
        "accounts": choices.accounts,
        "trades": outcome.trades,
        "epochs": choices.epochs,
        "seed": choices.seed,
        "shape": choices.shape,
        "assets": list(path.assets),
        "day": path.day.isoformat(),
        "prices": [list(row) for row in path.prices],
        "actions": len(events),
        "refused": sum(bool(event.refused) for event in events),
        "invariants": [
            {**_statement(shown.invariant), "looks": shown.looks, "refused": shown.refused, "holds": shown.holds}
            for shown in shown_invariants(outcome.day)
        ],
        "gas": [_gas_fields(name, used) for name, used in _gas(outcome).items()],
        "public_accounts": _public_accounts(outcome),
        "events": [asdict(event) for event in events],
    }


def invariant_table(outcome: DayOutcome) -> TableData:
    """Every invariant with its evidence."""
    rows = tuple(
        (
            f"{shown.invariant.number}. {shown.invariant.statement}",
            "holds" if shown.holds else "not seen",
            f"{shown.looks:,}",
            f"{shown.refused:,}" if shown.invariant.refusals else "",
            shown.invariant.shown_by,
        )
        for shown in shown_invariants(outcome.day)
    )
    columns = tuple(map(Column, ("invariant", "verdict", "looks", "attempts refused", SHOWN_BY)))
    return TableData("Invariants of the specification, section 9", columns, rows)


def gas_table(outcome: DayOutcome) -> TableData:
    """Gas of every entry point."""
    fields = [_gas_fields(name, used) for name, used in _gas(outcome).items()]
    rows = tuple(
        (str(entry["entry_point"]), *(f"{entry[key]:,}" for key in ("calls", "least", "mean", "most")))
        for entry in fields
    )
    columns = (Column("entry point"), Column("calls"), Column("least"), Column("mean"), Column("most"))
    return TableData("Gas by entry point, whole transactions without blob gas", columns, rows)


def account_table(outcome: DayOutcome) -> TableData:
    """What the chain shows of every account at the end."""
    rows = tuple(
        (
            entry["account"],
            entry["status"],
            str(entry["state_version"]),
            ", ".join(map(str, entry["books"])),
            str(entry["initial_epoch"] or ""),
            str(entry["maintenance_epoch"] or ""),
            HIDDEN if entry["holdings"] is None else " + ".join(f"{ticks:,}" for ticks in entry["holdings"]),
            HIDDEN if entry["holdings"] is None else "public",
        )
        for entry in _public_accounts(outcome)
    )
    names = (
        "account",
        "status",
        "changes",
        "books",
        "initial margin at",
        "maintenance at",
        "holdings, ticks",
        "equity",
    )
    return TableData("Accounts at the end, as everybody sees them", tuple(map(Column, names)), rows)


def event_table(outcome: DayOutcome) -> TableData:
    """Everything that happened."""
    rows = tuple(
        (
            moment(event.time),
            str(event.epoch or ""),
            event.name,
            event.story,
            f"{event.refused} ({event.refused_by})" if event.refused else "done",
            f"{event.gas:,}" if event.gas else "",
        )
        for event in outcome.day.events
    )
    names = ("time", "epoch", "entry point", "what happened", "outcome", "gas")
    return TableData("Everything that happened", tuple(map(Column, names)), rows)


def _statement(invariant: object) -> dict[str, Any]:
    return {key: getattr(invariant, key) for key in ("number", "statement", "shown_by")}


def _gas(outcome: DayOutcome) -> dict[str, list[int]]:
    """Gas of what succeeded, by entry point."""
    used: dict[str, list[int]] = {}
    for event in outcome.day.events:
        if event.gas:
            used.setdefault(event.name, []).append(event.gas)
    return dict(sorted(used.items()))


def _gas_fields(name: str, used: list[int]) -> dict[str, Any]:
    return {"entry_point": name, "calls": len(used), "least": min(used), "mean": round(mean(used)), "most": max(used)}


def _public_accounts(outcome: DayOutcome) -> list[dict[str, Any]]:
    house = outcome.day.house
    tokens = range(len(house.vault.tokens))
    return [
        {
            "account": "0x" + identity.hex(),
            "status": account.status.name.lower(),
            "state_version": account.version,
            "books": list(books_in(account.books)),
            "initial_epoch": account.proven.get(RuleKind.INITIAL, 0),
            "maintenance_epoch": account.proven.get(RuleKind.MAINTENANCE, 0),
            "holdings": [account.holdings.get(token, 0) for token in tokens]
            if account.status is AccountStatus.TRANSPARENT
            else None,
        }
        for identity, account in house.accounts.items()
    ]
