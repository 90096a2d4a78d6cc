"""Where this program keeps what it must remember of a chain: transactions under way, events read so far.

Files are for their owner alone. Local test chains come and go and are set back on purpose: what was true of one is
false of the next, so nothing of them is kept unless a folder is named.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from verifier.errors import StateFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

STATE_VARIABLE: Final = "ZKMARGIN_STATE"
PASSING_CHAIN_ID: Final = 31337
"""Local test chains."""

BUSY_SECONDS: Final = 30.0
"""How long one process waits for another that writes."""

MEMORY: Final = ":memory:"

_WRITING: Final = threading.Lock()
"""Threads may share a connection, and a connection has one transaction at a time."""


def state_folder(chain_id: int) -> Path | None:
    """``$ZKMARGIN_STATE``, or the user's state folder; ``None`` for a local test chain without that variable."""
    chosen = os.environ.get(STATE_VARIABLE)
    if chosen:
        return Path(chosen)
    return None if chain_id == PASSING_CHAIN_ID else Path(platformdirs.user_state_dir("zkmargin"))


def open_database(path: Path | None, schema: str) -> sqlite3.Connection:
    """Open or make a database; ``None`` keeps it in memory. Every statement commits unless a transaction is begun.

    Args:
        path: of the file; its folder is made.
        schema: statements that make the tables where they are missing.

    Raises:
        StateFileError: the file cannot be written, or is no such database.
    """
    try:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
        database = sqlite3.connect(path or MEMORY, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        database.executescript(schema)
    except (OSError, sqlite3.Error) as error:
        raise StateFileError(
            f"{path} cannot be used ({error}): make its folder writable, or name another by {STATE_VARIABLE}"
        ) from error
    return database


@contextlib.contextmanager
def all_or_nothing(database: sqlite3.Connection) -> Iterator[None]:
    """Write what the block writes together; other processes and threads wait."""
    with _WRITING:
        database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")
