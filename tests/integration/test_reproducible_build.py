"""Two builds give the same bytecode: ours, and one elsewhere by the plain compiler from the input that we hand out."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, Final

from verifier.chain.contract_artifacts import PROJECT_ROOT, compile_contracts, compiler_inputs
from verifier.deployment.deployment_manifest import save_sources

if TYPE_CHECKING:
    from pathlib import Path

DEPLOYED: Final = {
    "sources": ("RuleRegistry", "InstrumentRegistry", "ClearingHouse", "ExitVerifier", "TimelockController"),
    "verifier.sources": ("CeremonyMarginVerifier", "PairingMarginVerifier"),
}


def built_contracts() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(compile_contracts().read_text(encoding="utf-8"))["contracts"]
    return loaded


def test_the_sources_that_are_handed_out_compile_to_the_same_bytecode(tmp_path: Path) -> None:
    deployment = tmp_path / "deployment.json"
    save_sources(deployment)
    artifacts = built_contracts()
    for part, names in DEPLOYED.items():
        path = deployment.with_suffix(f".{part}.json")
        assert json.loads(path.read_text(encoding="utf-8")) == compiler_inputs()[part]
        with path.open("rb") as sources:
            run = subprocess.run(
                [str(PROJECT_ROOT / "scripts" / "solc-for-forge"), "--standard-json"],
                stdin=sources,
                cwd=tmp_path,
                capture_output=True,
                check=True,
            )
        output = json.loads(run.stdout)["contracts"]
        for name in names:
            artifact = artifacts[name]
            compiled = output[artifact["source"]][name]["evm"]
            assert "0x" + compiled["bytecode"]["object"] == artifact["bytecode"], name
            assert "0x" + compiled["deployedBytecode"]["object"] == artifact["deployedBytecode"], name
