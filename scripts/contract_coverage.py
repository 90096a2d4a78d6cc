"""Branch coverage of the contracts by the forge tests, as ``forge coverage`` counts it; fails below the limit.

Branches inside assembly are not counted there: docs/assembly-branches.md names the test that takes each.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final

PROJECT_ROOT: Final = Path(__file__).resolve().parent.parent
FORGE: Final = PROJECT_ROOT / "node_modules" / ".bin" / "forge"
REPORT: Final = PROJECT_ROOT / "build" / "coverage.info"
LIMIT_PERCENT: Final = 95


def measure() -> None:
    """Run the tests with coverage, for which forge switches the optimiser off; with few runs, see foundry.toml."""
    options = ["--report", "lcov", "--report-file", str(REPORT), "--no-match-coverage", "^(tests|node_modules)/"]
    REPORT.parent.mkdir(exist_ok=True)
    run = subprocess.run(  # noqa: S603 - the pinned forge, with fixed arguments
        [FORGE, "coverage", *options],
        cwd=PROJECT_ROOT,
        env=os.environ | {"FOUNDRY_PROFILE": "coverage"},
        check=False,
        capture_output=True,
        text=True,
    )
    if run.returncode:
        sys.exit(f"forge coverage failed:\n{run.stdout[-4000:]}{run.stderr[-4000:]}")


def branches(report: str) -> dict[str, tuple[int, int]]:
    """Branches taken and found of every contract, from an LCOV report (fields SF and BRDA)."""
    taken: Counter[str] = Counter()
    found: Counter[str] = Counter()
    source = ""
    for line in report.splitlines():
        field, _, value = line.partition(":")
        if field == "SF":
            source = value
        elif field == "BRDA":
            found[source] += 1
            taken[source] += value.rsplit(",", 1)[1] not in {"-", "0"}
    return {source: (taken[source], found[source]) for source in sorted(found)}


def main() -> int:
    """Return the exit code: 1 when too few branches are taken."""
    measure()
    counted = branches(REPORT.read_text(encoding="utf-8"))
    for source, (taken, found) in counted.items():
        if taken < found:
            print(f"{source}: {taken} of {found} branches")
    taken, found = (sum(pair[index] for pair in counted.values()) for index in (0, 1))
    share = 100 * taken / found
    print(
        f"{taken} of {found} branches of the contracts are taken by tests: {share:.1f} % (at least {LIMIT_PERCENT} %)"
    )
    return 0 if share >= LIMIT_PERCENT else 1


if __name__ == "__main__":
    sys.exit(main())
