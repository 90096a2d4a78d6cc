"""Errors of the public side: one base class; every subclass names the offending value and the remedy."""

from __future__ import annotations


class VerifierError(Exception):
    """Base of every error that package ``verifier`` raises on purpose."""


class MalformedInputError(VerifierError):
    """Bytes or values that are not an encoding of anything: wrong length, off the curve, non-canonical."""


class UnsupportedShapeError(VerifierError):
    """A shape outside what the argument allows, or one without the setup it needs."""


class SetupError(VerifierError):
    """A trusted setup that is missing, altered or structurally wrong."""


class MatrixError(VerifierError):
    """A rule matrix that breaks a rule of the specification."""


class ContractArtifactError(VerifierError):
    """Contracts that cannot be compiled or found."""


class ChainError(VerifierError):
    """The chain, or the way to it, refused: unreachable, wrong chain, missing precompile, reverted call."""
