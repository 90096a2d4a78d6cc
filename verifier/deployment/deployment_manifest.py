"""The manifest of a deployment: all that is needed to check it, or to verify its sources at a block explorer."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from eth_hash.auto import keccak
from pydantic import BaseModel, ConfigDict, ValidationError

from verifier.chain.contract_artifacts import compiler_inputs, compiler_version, load_artifact
from verifier.chain.epochs import EpochTiming
from verifier.deployment.create2 import PROXY
from verifier.deployment.deployment_plan import deployment_plan
from verifier.deployment.deployment_terms import DeploymentTerms, TokenChoice
from verifier.errors import DeploymentError, first_fault

if TYPE_CHECKING:
    from pathlib import Path

    from verifier.ceremony import TrustedSetup
    from verifier.chain.chain_client import ChainClient
    from verifier.deployment.deployment_plan import DeploymentPlan, PlannedContract


class _Record(BaseModel):
    """What stands in the file and nothing else."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class TokenRecord(_Record):
    """One token; :class:`TokenChoice` says what the fields are."""

    address: str | None
    slot: int
    units_per_tick: int
    cap: int | None
    capacity: int
    refill: int


class TimingRecord(_Record):
    """Times of epochs; :class:`EpochTiming` says what they are."""

    maximum_age: int
    activation_delay: int
    spacing: int


class TermsRecord(_Record):
    """The terms of a deployment; :class:`DeploymentTerms` says what they are."""

    tokens: tuple[TokenRecord, ...]
    timing: TimingRecord
    publishers: tuple[str, ...]
    threshold: int
    lister: str | None
    guardian: str | None
    proposers: tuple[str, ...]
    governance_delay: int
    insecure: bool
    salt: str

    @classmethod
    def of(cls, terms: DeploymentTerms) -> TermsRecord:
        """The record of terms."""
        return cls.model_validate_json(json.dumps(asdict(terms) | {"salt": _hex(terms.salt)}))

    def terms(self) -> DeploymentTerms:
        """The terms themselves.

        Raises:
            DeploymentError: the salt is not hexadecimal.
        """
        try:
            salt = bytes.fromhex(self.salt.removeprefix("0x"))
        except ValueError as error:
            raise DeploymentError(f"salt {self.salt!r} in the manifest is not hexadecimal: do not use it") from error
        fields: dict[str, Any] = self.model_dump() | {"salt": salt}
        fields["tokens"] = tuple(TokenChoice(**token) for token in fields["tokens"])
        return DeploymentTerms(**(fields | {"timing": EpochTiming(**fields["timing"])}))


class ContractRecord(_Record):
    """One contract.

    Attributes:
        name: its part in the deployment.
        source: file and name, as block explorers ask for them; ``None`` for a data contract.
        address: where it is.
        creation_hash: keccak256 of creation code and arguments, from which the address follows.
        code_hash: keccak256 of the code that stays.
        constructor: arguments by name.
        constructor_bytes: the same, as block explorers ask for them.
    """

    name: str
    source: str | None
    address: str
    creation_hash: str
    code_hash: str
    constructor: dict[str, object]
    constructor_bytes: str

    @classmethod
    def of(cls, planned: PlannedContract, code: bytes) -> ContractRecord:
        """The record of a contract with the code at its address."""
        source, arguments = None, b""
        if planned.contract is not None:
            artifact = load_artifact(planned.contract)
            source = f"{artifact.source}:{planned.contract}"
            arguments = planned.creation[len(artifact.bytecode) // 2 - 1 :]
        return cls(
            name=planned.name,
            source=source,
            address=planned.address,
            creation_hash=_hex(keccak(planned.creation)),
            code_hash=_hex(keccak(code)),
            constructor={name: _shown(value) for name, value in planned.arguments.items()},
            constructor_bytes=_hex(arguments),
        )

    def require_planned(self, planned: PlannedContract) -> None:
        """Check all but the code hash against what the terms and the build give.

        Raises:
            DeploymentError: a field differs.
        """
        expected = ContractRecord.of(planned, b"").model_dump()
        for field, found in self.model_dump(exclude={"code_hash"}).items():
            if found != expected[field]:
                raise DeploymentError(
                    f"{field} of the {self.name} is {found} in the manifest; its terms and the build give "
                    f"{expected[field]}: check out the version that it was made from, or do not use it"
                )


class Manifest(_Record):
    """A whole deployment.

    Attributes:
        format: of this file.
        network: name of the network.
        chain_id: of the chain.
        block_number: first block that matters to logs.
        shape: name of the argument's shape.
        setup: name of the trusted setup.
        administrator: deployed, and got the tasks that the terms name nobody else for.
        proxy: that created the contracts.
        compiler: version of the Solidity compiler.
        terms: what was chosen.
        contracts: in the order of creation; the vault, which the house creates, comes last.
    """

    format: Literal["zkmargin-manifest-1"] = "zkmargin-manifest-1"
    network: str
    chain_id: int
    block_number: int
    shape: str
    setup: str
    administrator: str
    proxy: str
    compiler: str
    terms: TermsRecord
    contracts: tuple[ContractRecord, ...]

    @classmethod
    def of(cls, chain: ChainClient, plan: DeploymentPlan, *, network: str, block_number: int) -> Manifest:
        """The manifest of a plan that has been carried out."""
        return cls(
            network=network,
            chain_id=plan.chain_id,
            block_number=block_number,
            shape=plan.shape,
            setup=plan.setup,
            administrator=plan.administrator,
            proxy=PROXY,
            compiler=compiler_version(),
            terms=TermsRecord.of(plan.terms),
            contracts=tuple(ContractRecord.of(planned, chain.code(planned.address)) for planned in plan.resulting),
        )

    @classmethod
    def load(cls, path: Path) -> Manifest:
        """Read a manifest.

        Raises:
            DeploymentError: there is none, or it is not one.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise DeploymentError(f"manifest {path} cannot be read ({error.strerror}): give the path of one") from error
        except ValidationError as error:
            raise DeploymentError(
                f"{path} is no manifest: {first_fault(error)}; deploy again, or give another"
            ) from error

    def save(self, path: Path) -> None:
        """Write the manifest."""
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    def plan(self, setup: TrustedSetup) -> DeploymentPlan:
        """Work the deployment out again from its terms and the present build.

        Raises:
            DeploymentError: it was made for another setup, by another compiler or another proxy.
        """
        for field, expected in (("setup", setup.name), ("proxy", PROXY), ("compiler", compiler_version())):
            found = getattr(self, field)
            if found != expected:
                raise DeploymentError(f"{field} is {found!r} in the manifest, expected {expected!r}: do not use it")
        terms = self.terms.terms()
        return deployment_plan(self.chain_id, self.administrator, shape_name=self.shape, setup=setup, terms=terms)


def save_sources(deployment: Path) -> None:
    """Write the standard-JSON inputs of the build beside a deployment file: block explorers verify sources by them."""
    for name, content in compiler_inputs().items():
        path = deployment.with_suffix(f".{name}.json")
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _shown(value: object) -> object:
    """Bytes as hexadecimal, tuples as lists: as JSON gives them back."""
    if isinstance(value, bytes):
        return _hex(value)
    return [_shown(part) for part in value] if isinstance(value, tuple | list) else value


def _hex(data: bytes) -> str:
    return "0x" + bytes(data).hex()
