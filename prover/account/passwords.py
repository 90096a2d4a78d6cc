"""Passwords: from files, the environment and prompts, never from the command line, which others can read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prover.errors import KeyFileError

if TYPE_CHECKING:
    from collections.abc import Callable

WALLET_PASSWORD_VARIABLE: Final = "ZKMARGIN_PASSWORD"  # noqa: S105 - a name
KEYSTORE_PASSWORD_VARIABLE: Final = "ZKMARGIN_KEYSTORE_PASSWORD"  # noqa: S105 - a name


def read_password(variable: str, ask: Callable[[], str]) -> str:
    """A password from the file that ``<variable>_FILE`` names, from ``variable``, or by asking.

    Raises:
        KeyFileError: the file cannot be read.
    """
    named = os.environ.get(f"{variable}_FILE")
    if named:
        try:
            return Path(named).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise KeyFileError(f"the file that {variable}_FILE names cannot be read: {named}") from error
    return os.environ.get(variable) or ask()
