"""Keys that sign transactions: from keystore files and the environment, never from the command line."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

from eth_account import Account
from eth_utils.exceptions import ValidationError

from prover.account.passwords import KEYSTORE_PASSWORD_VARIABLE, read_password
from prover.errors import KeyFileError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from eth_account.signers.local import LocalAccount

PRIVATE_KEY_VARIABLE: Final = "ZKMARGIN_PRIVATE_KEY"


def load_signer(keystore: Path | None, ask: Callable[[], str]) -> LocalAccount:
    """The key that signs: a keystore file (Web3 Secret Storage), else the environment.

    Args:
        keystore: file; ``None`` takes ZKMARGIN_PRIVATE_KEY.
        ask: for the keystore's password, where the environment does not give it.

    Raises:
        KeyFileError: none of them, unreadable, no key, or another password.
    """
    if keystore is not None:
        return _from_keystore(keystore, ask)
    key = os.environ.get(PRIVATE_KEY_VARIABLE)
    if not key:
        raise KeyFileError(f"no key to sign with: give a keystore file by --keystore, or set {PRIVATE_KEY_VARIABLE}")
    try:
        account: LocalAccount = Account.from_key(key.strip())
    except (ValueError, TypeError, ValidationError):
        # The error would quote the key.
        raise KeyFileError(f"{PRIVATE_KEY_VARIABLE} is no private key: set 0x and 64 hexadecimal digits") from None
    return account


def _from_keystore(path: Path, ask: Callable[[], str]) -> LocalAccount:
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise KeyFileError(
            f"keystore {path} cannot be read ({error.strerror}): give the path of your keystore"
        ) from error
    except ValueError:
        raise KeyFileError(f"{path} is not a keystore file (JSON): give the path of your keystore") from None
    password = read_password(KEYSTORE_PASSWORD_VARIABLE, ask)
    try:
        account: LocalAccount = Account.from_key(Account.decrypt(content, password))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise KeyFileError(f"the password does not open keystore {path}, or it is no keystore: try again") from None
    return account
