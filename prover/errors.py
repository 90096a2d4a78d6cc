"""Errors of the private side: one base class; messages carry public values only, never a position or a blind."""

from __future__ import annotations

from dataclasses import dataclass


class ProverError(Exception):
    """Base of every error that package ``prover`` raises on purpose."""


class ArgumentError(ProverError):
    """The argument cannot be made: the statement and the witness do not belong together."""


@dataclass(frozen=True, slots=True)
class RowShortfall:
    """A row that fails.

    Attributes:
        row: its index.
        name: its name in the rule.
        shortfall: what is missing, quote currency.
    """

    row: int
    name: str
    shortfall: float


class InsufficientMarginError(ProverError):
    """The portfolio does not satisfy the rule."""

    def __init__(self, shortfalls: tuple[RowShortfall, ...], currency: str) -> None:
        self.shortfalls = shortfalls
        self.currency = currency
        worst = max(shortfalls, key=lambda entry: entry.shortfall)
        others = f" ({len(shortfalls)} rows fail)" if len(shortfalls) > 1 else ""
        super().__init__(
            f"margin is not covered in {worst.name!r}: {worst.shortfall:,.2f} {currency} short{others}; "
            "add collateral or reduce the position"
        )


class MaskedSlotError(ProverError):
    """A position in a slot that must stay empty: it was never listed, has died, or has no price."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"{what} must be empty and is not: close the position where it is still priced")


class ClosedBookError(ProverError):
    """A rule keeps what a proof needs in a book that the account has not opened."""

    def __init__(self, what: str, book: int) -> None:
        self.what = what
        self.book = book
        super().__init__(
            f"the rule keeps {what} in book {book}, which this account has not opened: a trade in an instrument of "
            "that book opens it; or ask the publisher for a rule of fewer rows"
        )


class ColumnRangeError(ProverError):
    """A value that does not fit the range of a column; the value itself is secret."""

    def __init__(self, what: str, bound: int) -> None:
        self.what = what
        self.bound = bound
        super().__init__(f"{what} is outside [0, {bound}): use smaller positions, larger ticks or larger lots")


class InstrumentNameError(ProverError):
    """A name that belongs to no instrument."""

    def __init__(self, name: str, problem: str, remedy: str) -> None:
        super().__init__(f"instrument {name!r}: {problem}; {remedy}")
        self.name = name


class UnknownInstrumentError(ProverError):
    """A well-formed instrument that the rule lists in no slot."""


class MarketDataError(ProverError):
    """Market data that cannot be used; the message names field, value and remedy."""


class PricingError(ProverError):
    """Inputs outside the model's domain, or a price that no volatility explains."""


class RuleBuildError(ProverError):
    """A rule that cannot be built from these constants, slots and market data."""


class EntryRangeError(RuleBuildError):
    """A coefficient that does not fit a matrix entry (|entry| < 2^62)."""


class PortfolioError(ProverError):
    """A portfolio that cannot be expressed in lots of the listed slots."""


class LocalChainError(ProverError):
    """The local chain cannot be started."""


class WalletError(ProverError):
    """The wallet file cannot be used; nothing in it was changed."""


class WalletPasswordError(WalletError):
    """The password does not open the wallet, or the file was altered."""


class WalletLockedError(WalletError):
    """Another process holds the wallet."""


class WalletOutOfDateError(WalletError):
    """The chain holds a commitment that no opening in the wallet belongs to."""


class EarlierChangeError(ProverError):
    """What an earlier run began has come true without that run having been told; nothing was sent now."""

    def __init__(self, kind: str, account: bytes, state_version: int) -> None:
        super().__init__(
            f"the {kind} that an earlier run began has happened: account 0x{account.hex()} has state version "
            f"{state_version}. Nothing was sent now; look at `zkmargin status`, and run this again if you want another"
        )


class TradeError(ProverError):
    """An offer or an acceptance that must not be signed: something differs from what was agreed."""


class ListingError(ProverError):
    """A list of slots that the registry of instruments has otherwise, or cannot take."""


class PublishedRuleError(ProverError):
    """The rule that the registry holds is not the one that the market file gives."""


class KeyFileError(ProverError):
    """The key that signs transactions cannot be read."""


class CollateralError(ProverError):
    """A token that the venue does not take, or an amount that is none; nothing was written or sent."""


class DepositError(ProverError):
    """An amount that cannot be deposited; nothing was written or sent."""


class WithdrawalError(ProverError):
    """An amount that cannot be withdrawn, or nobody to pay; nothing was written or sent."""


class OperatorError(ProverError):
    """Something that only the owner of an account may do."""

    def __init__(self, account: bytes, signer: str) -> None:
        super().__init__(
            f"account 0x{account.hex()} is not {signer}'s: an operator signs trades and merges the inbox, all else is "
            "the owner's to do"
        )


class MethodologyError(ProverError):
    """A case that a margin methodology cannot be computed for; the message names field, value and remedy."""


class CaseFileError(ProverError):
    """A file of cases that cannot be read, or lacks the list of cases."""


class DemoError(ProverError):
    """Something that must be refused was not."""


class SimulationError(ProverError):
    """A simulation that cannot be run, or whose chain and model do not agree."""


class AuxiliaryError(ProverError):
    """A component's way of finding an auxiliary breaks its range; the value itself is secret."""

    def __init__(self, name: str) -> None:
        super().__init__(f"auxiliary {name!r} would be negative: a fault of its component, please report it")


class RuleFileError(RuleBuildError):
    """A rule file that cannot be used; the message names field, value and remedy."""


class ReportError(ProverError):
    """A report that cannot be written; the file of that name is as it was."""
