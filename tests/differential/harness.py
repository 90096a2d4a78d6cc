"""Compiles the test contracts that lay open what the verifier's sources keep to themselves, beside these sources."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Final

from filelock import FileLock

from verifier.chain.contract_artifacts import COMPILER_SETTINGS, PROJECT_ROOT, artifact_of, compile_contracts

if TYPE_CHECKING:
    from pathlib import Path

    from verifier.chain.contract_artifacts import ContractArtifact

CHALLENGES: Final = "ChallengeHarness"
ROWS: Final = "RowEvaluationHarness"
SOURCES: Final = (
    "Argument*.sol",
    "MarginVerifier.sol",
    "PairingMarginVerifier.sol",
    "interfaces/*.sol",
    "libraries/*.sol",
    "types/*.sol",
)
ONE_PASS: Final = {"name": "harness", "runs": 200, "files": [f"contracts/{name}.sol" for name in (CHALLENGES, ROWS)]}
BUILD_FILES: Final = ("package.json", "package-lock.json", "scripts/compile_contracts.mjs")


def harness_artifact(name: str, root: Path = PROJECT_ROOT) -> ContractArtifact:
    """One of the compiled harnesses; both are compiled again when one of them or the verifier changes."""
    place = root / "build" / "harness"
    place.mkdir(parents=True, exist_ok=True)
    with FileLock(place / "lock"):  # test processes run side by side
        shutil.rmtree(place / "contracts", ignore_errors=True)
        _copy_sources(root, place)
        document = json.loads(
            compile_contracts(place, COMPILER_SETTINGS | {"passes": [ONE_PASS]}).read_text(encoding="utf-8")
        )
    return artifact_of(name, document["contracts"][name])


def _copy_sources(root: Path, place: Path) -> None:
    """The verifier's sources and the harnesses as one small project."""
    contracts = root / "contracts"
    for source in (path for pattern in SOURCES for path in contracts.glob(pattern)):
        copied = place / "contracts" / source.relative_to(contracts)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copied)
    for name in (CHALLENGES, ROWS):
        harness = (root / "tests" / "contracts" / f"{name}.sol").read_text(encoding="utf-8")
        (place / "contracts" / f"{name}.sol").write_text(harness.replace("../../contracts/", "./"), encoding="utf-8")
    for name in BUILD_FILES:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, place / name)
    modules = place / "node_modules"
    if not modules.exists():
        modules.symlink_to(root / "node_modules", target_is_directory=True)
