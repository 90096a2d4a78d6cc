"""The wallet: one encrypted file with the openings of your accounts, written before anything is signed or sent.

Order of every change: record it, save, then sign and send, then ask the chain. If the process dies anywhere in
between, the next one finds both the old opening and the recorded one, and the chain says which of them is true.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pydantic import ValidationError

from prover.account.secret_file import DEFAULT_COST, SecretFile, held_alone
from prover.account.wallet_records import AccountRecord, BookRecord, Opening, WalletDocument
from prover.errors import WalletError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Wallet:
    """An open wallet; make it by :func:`open_wallet` or :func:`create_wallet`.

    Args:
        file: where it is saved.
        document: its content.
    """

    def __init__(self, file: SecretFile, document: WalletDocument) -> None:
        self._file = file
        self._document = document

    def __repr__(self) -> str:
        return f"Wallet({str(self._file.path)!r}, {len(self._document.accounts)} accounts)"

    @property
    def path(self) -> Path:
        """Where it is saved."""
        return self._file.path

    @property
    def accounts(self) -> tuple[AccountRecord, ...]:
        """All records."""
        return self._document.accounts

    def account(self, account: bytes, *, chain_id: int, house: str, slots: int) -> AccountRecord:
        """The record of an account; of one that the wallet does not know yet, an empty book."""
        identity = "0x" + account.hex()
        known = self._document.find(identity, chain_id, house)
        empty = Opening(books=(BookRecord.empty(slots),))
        return known or AccountRecord(account=identity, chain_id=chain_id, house=house, current=empty)

    def save(self, record: AccountRecord) -> AccountRecord:
        """Put a record on the disk; once this returns, no crash can lose it.

        Raises:
            WalletError: the file system refused; neither the file nor this object has changed.
        """
        document = self._document.with_account(record)
        if document != self._document:
            self._file.save(document.model_dump_json().encode())
            self._document = document
        return record


@contextmanager
def create_wallet(path: Path, password: str, *, cost: int = DEFAULT_COST) -> Iterator[Wallet]:
    """Write a new, empty wallet, and hold it alone for the block.

    Raises:
        WalletLockedError: another process holds the path.
        WalletError: there is a file already, the password is empty, or the file cannot be written.
    """
    with held_alone(path):
        file = SecretFile.create(path, password, cost=cost)
        document = WalletDocument()
        file.save(document.model_dump_json().encode())
        yield Wallet(file, document)


@contextmanager
def open_wallet(path: Path, password: str) -> Iterator[Wallet]:
    """Open a wallet and hold it alone for the block.

    Raises:
        WalletLockedError: another process holds it.
        WalletPasswordError: another password, or the file was altered.
        WalletError: it cannot be read, or comes from another version.
    """
    if not path.exists():  # before anything, a lock included, is left beside it
        raise WalletError(f"wallet {path} cannot be read (no such file): give the path of your wallet")
    with held_alone(path):
        file, content = SecretFile.open(path, password)
        yield Wallet(file, _decode(path, content))


def _decode(path: Path, content: bytes) -> WalletDocument:
    try:
        return WalletDocument.model_validate_json(content)
    except ValidationError:
        # The finding would quote the content.
        raise WalletError(f"wallet {path} is of another version: use the version of zkmargin that wrote it") from None
