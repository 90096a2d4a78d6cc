"""Errors of the private side: one base class; subclasses carry public values only, never a position or a blind."""

from __future__ import annotations


class ProverError(Exception):
    """Base of every error that package ``prover`` raises on purpose."""


class ArgumentError(ProverError):
    """The argument cannot be made: the statement and the witness do not belong together."""


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
