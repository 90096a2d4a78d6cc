"""Errors of the private side: one base class; subclasses carry public values only, never a position or a blind."""

from __future__ import annotations


class ProverError(Exception):
    """Base of every error that package ``prover`` raises on purpose."""


class ArgumentError(ProverError):
    """The argument cannot be made: the statement and the witness do not belong together."""
