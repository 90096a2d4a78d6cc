"""Two builds give the same bytecode: ours, and one elsewhere by the plain compiler from the inputs that we hand out."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from verifier.chain.contract_artifacts import PROJECT_ROOT, compile_contracts
from verifier.deployment.deployment_manifest import save_sources

COMPILER: Final = PROJECT_ROOT / "scripts" / "solc-for-forge"


def compiled(sources: Path) -> dict[str, Any]:
    """What the plain compiler makes of a standard-JSON input, away from the project, by file and contract."""
    with sources.open("rb") as content:
        run = subprocess.run(  # noqa: S603 - the pinned compiler, with fixed arguments
            [COMPILER, "--standard-json"], stdin=content, cwd=sources.parent, capture_output=True, check=True
        )
    output: dict[str, Any] = json.loads(run.stdout)["contracts"]
    return output


def main() -> int:
    """Return the exit code: 1 when a contract differs."""
    artifacts = json.loads(compile_contracts().read_text(encoding="utf-8"))["contracts"]
    seen: set[str] = set()
    different: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        save_sources(Path(folder) / "deployment.json")
        for path in sorted(Path(folder).glob("*.json")):
            for units in compiled(path).values():
                for name, unit in units.items():
                    seen.add(name)
                    ours = (artifacts[name]["bytecode"], artifacts[name]["deployedBytecode"])
                    theirs = tuple("0x" + unit["evm"][part]["object"] for part in ("bytecode", "deployedBytecode"))
                    different += [name] if ours != theirs else []
    missing = sorted(set(artifacts) - seen)
    for name in (*different, *missing):
        print(f"{name}: another build gives other bytecode", file=sys.stderr)
    print(f"{len(seen) - len(different)} of {len(artifacts)} contracts are the same in both builds")
    return 1 if different or missing else 0


if __name__ == "__main__":
    sys.exit(main())
