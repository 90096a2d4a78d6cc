"""Public values that take seconds to compute, kept on disk: written atomically, checked when read.

Each entry is named by what determines it and ends in its own SHA-256; a damaged entry is computed again.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

if TYPE_CHECKING:
    from collections.abc import Callable

DIGEST_BYTES: Final = 32
CACHE_VARIABLE: Final = "ZKMARGIN_CACHE"


def cache_folder() -> Path:
    """``$ZKMARGIN_CACHE``, or the user's cache folder."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("zkmargin"))


def cached_bytes(name: str, compute: Callable[[], bytes]) -> bytes:
    """The entry ``name``, computed and stored when it is missing or damaged.

    A folder that cannot be written costs time, never correctness.
    """
    path = cache_folder() / f"{name}.bin"
    stored = _read(path)
    if stored is not None:
        return stored
    content = compute()
    _write(path, content)
    return content


def _read(path: Path) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    content, digest = data[:-DIGEST_BYTES], data[-DIGEST_BYTES:]
    return content if hashlib.sha256(content).digest() == digest else None


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as part:
            part.write(content + hashlib.sha256(content).digest())
        Path(part.name).replace(path)
    except OSError:
        return
