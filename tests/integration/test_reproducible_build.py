"""Two builds give the same bytecode: one elsewhere, and one by the plain compiler from the input that is handed out."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, Final

from verifier.chain.contract_artifacts import PROJECT_ROOT, compile_contracts, compiler_input
from verifier.deployment.deployment_manifest import save_sources

if TYPE_CHECKING:
    from pathlib import Path

DEPLOYED: Final = ("CeremonyMarginVerifier", "PairingMarginVerifier", "RuleRegistry", "ClearingHouse")


def contracts_of(root: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(compile_contracts(root).read_text(encoding="utf-8"))["contracts"]
    return loaded


def test_a_build_in_another_folder_gives_the_same_artifacts(tmp_path: Path) -> None:
    root = tmp_path / "elsewhere" / "with a space"
    root.mkdir(parents=True)
    for name in ("contracts", "scripts"):
        shutil.copytree(PROJECT_ROOT / name, root / name)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PROJECT_ROOT / name, root / name)
    (root / "node_modules").symlink_to(PROJECT_ROOT / "node_modules", target_is_directory=True)
    again = contracts_of(root)
    assert (root / "build").exists()
    assert again == contracts_of(PROJECT_ROOT)
    assert all(len(again[name]["bytecode"]) > 10_000 for name in DEPLOYED)


def test_the_sources_that_are_handed_out_compile_to_the_same_bytecode(tmp_path: Path) -> None:
    path = tmp_path / "deployment.sources.json"
    save_sources(path)
    assert json.loads(path.read_text(encoding="utf-8")) == compiler_input()
    with path.open("rb") as sources:
        run = subprocess.run(
            [str(PROJECT_ROOT / "scripts" / "solc-for-forge"), "--standard-json"],
            stdin=sources,
            cwd=tmp_path,
            capture_output=True,
            check=True,
        )
    output = json.loads(run.stdout)["contracts"]
    artifacts = contracts_of(PROJECT_ROOT)
    for name in DEPLOYED:
        artifact = artifacts[name]
        compiled = output[artifact["source"]][name]["evm"]
        assert "0x" + compiled["bytecode"]["object"] == artifact["bytecode"], name
        assert "0x" + compiled["deployedBytecode"]["object"] == artifact["deployedBytecode"], name
