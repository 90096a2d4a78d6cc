"""Errors of the public side: one base class; every subclass names the offending value and the remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


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


class VectorFileError(VerifierError):
    """A conformance vector that cannot be read or lacks a field; nothing can be said about its proof."""


class ContractArtifactError(VerifierError):
    """Contracts that cannot be compiled or found."""


class ChainError(VerifierError):
    """The chain, or the way to it, refused: unreachable, wrong chain, missing precompile, reverted call."""


class NodeUnreachableError(ChainError):
    """Nobody answers at the node's address, or not in time."""


class WrongChainError(ChainError):
    """The node serves another chain than the one expected."""


class ChainFeatureError(ChainError):
    """The chain lacks something that the contracts need: a precompile, or blobs."""


class InsecureDeploymentError(ChainError):
    """A test setup or a worthless token on a chain that is not the local one."""


class DeploymentError(ChainError):
    """What stands on the chain is not what the deployment file or the setup says."""


class TransactionPendingError(ChainError):
    """A transaction was recorded and sent, but nothing is known of its end; sending the same again goes on with it."""


class NonceTakenError(ChainError):
    """Another transaction of the same account took the place of one that was sent; that one will never be mined."""


class StateFileError(VerifierError):
    """A file in which transactions or events are remembered cannot be used."""


class ContractRevertedError(ChainError):
    """A contract refused a call by a named error.

    Attributes:
        name: of the error in the contract.
        arguments: its values by name.
    """

    def __init__(self, name: str, arguments: dict[str, object], remedy: str) -> None:
        self.name = name
        self.arguments = arguments
        values = ", ".join(f"{key} = {_shown(value)}" for key, value in arguments.items())
        super().__init__(f"the contract refused with {name}({values}): {remedy}")


def _shown(value: object) -> str:
    """Bytes in hexadecimal, long ones cut: what contracts report is public."""
    if not isinstance(value, bytes):
        return str(value)
    digits = value.hex()
    limit = 64
    return f"0x{digits}" if len(digits) <= limit else f"0x{digits[:limit]}…"


def first_fault(error: ValidationError) -> str:
    """Place and reason of the first thing that is wrong with a file."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or "the file"
    return f"{place}: {first['msg']}"
