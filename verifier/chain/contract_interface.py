"""Calls, results, events and errors of a contract as bytes, by its ABI; no connection is opened here."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_hash.auto import keccak

from verifier.chain.contract_artifacts import load_artifact
from verifier.errors import DeploymentError, MalformedInputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from verifier.chain.contract_artifacts import ContractArtifact

SELECTOR_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class EventLog:
    """A log entry as the chain gives it.

    Attributes:
        address: of the contract, with checksum.
        topics: 32 bytes each; the first names the event.
        data: values that are not indexed.
        block_number: where it stands.
        transaction_hash: 32 bytes.
        block_hash: 32 bytes.
        log_index: its place in the block.
    """

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    transaction_hash: bytes
    block_hash: bytes
    log_index: int


def canonical_type(item: dict[str, Any]) -> str:
    """ABI type of a parameter; a struct becomes the tuple of its members."""
    kind: str = item["type"]
    if not kind.startswith("tuple"):
        return kind
    members = ",".join(canonical_type(member) for member in item["components"])
    return f"({members}){kind.removeprefix('tuple')}"


def signature_hash(entry: dict[str, Any]) -> bytes:
    """keccak256 of ``name(types)``."""
    types = ",".join(canonical_type(item) for item in entry["inputs"])
    return bytes(keccak(f"{entry['name']}({types})".encode()))


class ContractInterface:
    """The ABI of one contract, ready to encode and decode.

    Structs are tuples in the order of their members.

    Args:
        artifact: of the contract.
    """

    def __init__(self, artifact: ContractArtifact) -> None:
        self.name = artifact.name
        self._artifact = artifact
        self._functions = {entry["name"]: entry for entry in artifact.abi if entry["type"] == "function"}
        self._events = {entry["name"]: entry for entry in artifact.abi if entry["type"] == "event"}

    def creation(self, *arguments: object) -> bytes:
        """Bytes of the transaction that deploys the contract."""
        return bytes.fromhex(self._artifact.bytecode.removeprefix("0x")) + self._encode(
            self._constructor_inputs(), arguments
        )

    def constructor_arguments(self, values: Mapping[str, object]) -> dict[str, object]:
        """The arguments that the constructor takes, in its order, by name; trailing underscores of names are dropped.

        Args:
            values: by name; others may be among them.

        Raises:
            MalformedInputError: one is missing.
        """
        names = [str(item["name"]).rstrip("_") for item in self._constructor_inputs()]
        missing = [name for name in names if name not in values]
        if missing:
            raise MalformedInputError(f"the constructor of {self.name} takes {', '.join(missing)}: give a value")
        return {name: values[name] for name in names}

    def encode_call(self, function: str, *arguments: object) -> bytes:
        """Calldata of a call.

        Raises:
            MalformedInputError: there is no such function, or the arguments do not fit it.
        """
        entry = self._function(function)
        return signature_hash(entry)[:SELECTOR_BYTES] + self._encode(entry["inputs"], arguments)

    def decode_call(self, function: str, calldata: bytes) -> tuple[Any, ...]:
        """Arguments of a call; the inverse of :meth:`encode_call`.

        Raises:
            MalformedInputError: it is no call of this function.
            DeploymentError: what follows the selector is not its arguments.
        """
        entry = self._function(function)
        if calldata[:SELECTOR_BYTES] != signature_hash(entry)[:SELECTOR_BYTES]:
            raise MalformedInputError(f"a transaction with 0x{calldata[:4].hex()} is no call of {self.name}.{function}")
        return self._decode(entry["inputs"], calldata[SELECTOR_BYTES:])

    def decode_result(self, function: str, data: bytes) -> tuple[Any, ...]:
        """Values that a call returned.

        Raises:
            DeploymentError: the bytes are no such values: another contract answered.
        """
        return self._decode(self._function(function)["outputs"], data)

    def event_topic(self, event: str) -> bytes:
        """First topic of an event."""
        return signature_hash(self._events[event])

    def event_names(self) -> dict[bytes, str]:
        """Every event of the contract by its first topic."""
        return {signature_hash(entry): name for name, entry in self._events.items()}

    def decode_event(self, event: str, log: EventLog) -> dict[str, Any]:
        """Values of an event by name; indexed ones included.

        Raises:
            DeploymentError: the bytes are no such values: another contract wrote the log.
        """
        inputs = self._events[event]["inputs"]
        indexed = [item for item in inputs if item["indexed"]]
        plain = [item for item in inputs if not item["indexed"]]
        values = dict(
            zip(
                (item["name"] for item in plain),
                self._decode(plain, log.data),
                strict=True,
            )
        )
        for item, topic in zip(indexed, log.topics[1:], strict=True):
            values[item["name"]] = self._decode([item], topic)[0]
        return values

    def _constructor_inputs(self) -> list[dict[str, Any]]:
        constructors = [entry for entry in self._artifact.abi if entry["type"] == "constructor"]
        return constructors[0]["inputs"] if constructors else []

    def _function(self, name: str) -> dict[str, Any]:
        if name not in self._functions:
            raise MalformedInputError(f"contract {self.name} has no function {name!r}")
        return self._functions[name]

    def _decode(self, outputs: Sequence[dict[str, Any]], data: bytes) -> tuple[Any, ...]:
        types = [canonical_type(item) for item in outputs]
        try:
            return tuple(abi_decode(types, data))
        except (DecodingError, OverflowError) as error:  # the second where a length is beyond all memory
            raise DeploymentError(
                f"an answer is not ({','.join(types)}) of {self.name}: check the addresses in the deployment file"
            ) from error

    def _encode(self, inputs: Sequence[dict[str, Any]], arguments: Sequence[object]) -> bytes:
        types = [canonical_type(item) for item in inputs]
        try:
            return abi_encode(types, arguments)
        except EncodingError as error:
            raise MalformedInputError(f"arguments do not fit ({','.join(types)}) of {self.name}: {error}") from error


@functools.cache
def contract_interface(name: str) -> ContractInterface:
    """The interface of contract ``name``.

    Raises:
        ContractArtifactError: there is no such contract, or it cannot be compiled.
    """
    return ContractInterface(load_artifact(name))
