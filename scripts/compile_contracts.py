"""Compile the contracts into the cache; says nothing when they are there already."""

from __future__ import annotations

import sys

from verifier.chain.contract_artifacts import compile_contracts, source_digest
from verifier.errors import ContractArtifactError


def main() -> int:
    """Return the exit code."""
    try:
        path = compile_contracts()
    except ContractArtifactError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"contracts {source_digest()[:12]} are compiled: {path.relative_to(path.parents[2])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
