"""Compiled contracts: compile with the pinned solc once, keep the result under a digest of the sources.

The cache lives in ``build/contracts/<digest>.json`` beside the sources; the digest covers every Solidity
file, the compiler settings and the npm lock file, so that a stale artifact cannot be picked up.
"""

from __future__ import annotations

import functools
import hashlib
import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import filelock

from verifier.errors import ContractArtifactError

PROJECT_ROOT: Final = Path(__file__).resolve().parent.parent.parent

COMPILER_SETTINGS: Final[dict[str, Any]] = {
    "common": {
        "viaIR": True,
        # The precompiles of EIP-2537 exist from Prague on; nothing newer is needed in the byte code itself.
        "evmVersion": "prague",
        "metadata": {"bytecodeHash": "none"},
    },
    "outputs": [
        "abi",
        "evm.bytecode.object",
        "evm.deployedBytecode.object",
        "evm.deployedBytecode.immutableReferences",
    ],
    # The verifiers are optimised for few gas, as every proof runs through them; all else for size, which is limited.
    "passes": [
        {"name": "sources", "runs": 200},
        {
            "name": "verifier.sources",
            "runs": 1_000_000,
            "files": ["contracts/CeremonyMarginVerifier.sol", "contracts/PairingMarginVerifier.sol"],
        },
    ],
}


@dataclass(frozen=True, slots=True)
class ContractArtifact:
    """What deployment and calls need of one contract.

    Attributes:
        name: of the contract.
        source: path of its file from the root of the project.
        abi: its interface.
        bytecode: creation code without arguments, hexadecimal with 0x.
        deployed_bytecode: the code that stays, with zeros in place of immutables.
        immutables: for each immutable, the places (start, length in bytes) in the code that stays.
    """

    name: str
    source: str
    abi: list[dict[str, Any]]
    bytecode: str
    deployed_bytecode: str
    immutables: tuple[tuple[tuple[int, int], ...], ...]


def source_digest(root: Path = PROJECT_ROOT, settings: dict[str, Any] = COMPILER_SETTINGS) -> str:
    """SHA-256 over sources, settings and lock file: the name of the cache entry."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    files = sorted((root / "contracts").rglob("*.sol"))
    for path in [*files, root / "package-lock.json", root / "scripts" / "compile_contracts.mjs"]:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root)}:{len(content)}:".encode())
        digest.update(content)
    return digest.hexdigest()


def compile_contracts(root: Path = PROJECT_ROOT, settings: dict[str, Any] = COMPILER_SETTINGS) -> Path:
    """Return the artifact file of the present sources, compiling them when it is missing.

    Args:
        root: of the project.
        settings: of the compiler; the production build's by default.

    Raises:
        ContractArtifactError: node or solc is missing, or the sources do not compile.
    """
    output = root / "build" / "contracts" / f"{source_digest(root, settings)}.json"
    if output.exists():
        return output
    output.parent.mkdir(parents=True, exist_ok=True)
    # Compiling takes half a minute: processes that start together wait for the first one.
    with filelock.FileLock(output.parent / "lock"):
        if not output.exists():
            _run_compiler(root, output, settings)
    return output


def _run_compiler(root: Path, output: Path, settings: dict[str, Any]) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
        json.dump(settings, file)
    command = ["node", str(root / "scripts" / "compile_contracts.mjs"), file.name, str(output)]
    try:
        run = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603 - fixed command
    except FileNotFoundError as error:
        raise ContractArtifactError("node was not found; install Node 20 and run `make setup`") from error
    finally:
        Path(file.name).unlink()
    if run.returncode != 0:
        raise ContractArtifactError(f"the contracts do not compile:\n{run.stderr.strip()}")


@functools.cache
def _document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(compile_contracts().read_text())
    return loaded


def load_artifact(name: str) -> ContractArtifact:
    """The artifact of contract ``name``.

    Raises:
        ContractArtifactError: there is no contract of that name.
    """
    contracts = _document()["contracts"]
    if name not in contracts:
        raise ContractArtifactError(f"no contract named {name!r}; there are {', '.join(sorted(contracts))}")
    return artifact_of(name, contracts[name])


def artifact_of(name: str, entry: dict[str, Any]) -> ContractArtifact:
    """The artifact from its entry in an artifact file."""
    references = entry["immutableReferences"].values()
    return ContractArtifact(
        name=name,
        source=entry["source"],
        abi=entry["abi"],
        bytecode=entry["bytecode"],
        deployed_bytecode=entry["deployedBytecode"],
        immutables=tuple(tuple((place["start"], place["length"]) for place in places) for places in references),
    )


def compiler_version() -> str:
    """Version of the compiler that made the artifacts."""
    return str(_document()["compiler"])


def compiler_inputs() -> dict[str, dict[str, Any]]:
    """Standard-JSON inputs of the artifacts by name, every source in each: what block explorers verify sources by."""
    loaded: dict[str, dict[str, Any]] = _document()["inputs"]
    return loaded
