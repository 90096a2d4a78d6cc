"""Write the conformance vectors of tests/vectors; the same bytes every time.

    python -m scripts.generate_vectors [FOLDER]

Run from the root of the repository. A test makes them again and compares.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.accepted_vectors import CASES, accepted_vector, batch_vector
from tests.support.rejected_vectors import rejected_recipes, rejected_vector
from tests.support.vectors import BATCH, VECTORS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.vectors import Fields


def vectors() -> Iterator[tuple[str, Fields]]:
    """File names, relative to the folder, and their contents."""
    for name in CASES:
        yield f"accept/{name}.json", accepted_vector(name)
    yield f"accept/{BATCH}", batch_vector()
    for name, recipe in rejected_recipes().items():
        yield f"reject/{name}.json", rejected_vector(name, recipe)


def encoded(fields: Fields) -> str:
    """One line a field."""
    lines = ",\n".join(
        f" {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()
    )
    return f"{{\n{lines}\n}}\n"


def main(folder: Path = VECTORS) -> int:
    """Return the exit code."""
    count = 0
    for name, fields in vectors():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(encoded(fields), encoding="utf-8")
        count += 1
    print(f"{count} vectors written to {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:2])))
