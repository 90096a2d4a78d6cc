"""What one account has sent on one chain, written down before it is sent (SQLite).

After a crash the next run finds here which nonces are taken and by what; no purpose is sent under two nonces. Only
what goes on chain is kept: the signed bytes, with their hash and fees, and a digest of what they are for.
"""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from verifier.chain.signed_transactions import Fees, SignedTransaction
from verifier.chain.state_folder import all_or_nothing, open_database

if TYPE_CHECKING:
    from pathlib import Path

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS entries (
    nonce INTEGER PRIMARY KEY,
    purpose BLOB NOT NULL,
    stage TEXT NOT NULL CHECK (stage IN ('sending', 'mined', 'again')),
    raw BLOB NOT NULL,
    attempted_at REAL NOT NULL,
    block_number INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS attempts (
    hash BLOB PRIMARY KEY,
    nonce INTEGER NOT NULL REFERENCES entries (nonce),
    tip TEXT NOT NULL,
    fee_limit TEXT NOT NULL,
    blob_fee_limit TEXT NOT NULL
) STRICT;
"""


class Stage(StrEnum):
    """How far a transaction has come."""

    SENDING = "sending"
    """Recorded, perhaps sent; nobody was told of its end."""

    MINED = "mined"
    """Its sender has the receipt; a reorganisation may still undo it."""

    AGAIN = "again"
    """A reorganisation undid it after its sender had the receipt: it is sent once more, but nobody waits for it."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One nonce.

    Attributes:
        nonce: place among the account's transactions.
        purpose: digest of what the transaction does, 32 bytes.
        stage: how far it has come.
        signed: what was sent last.
        attempted_at: Unix time of that, in seconds.
        hashes: of all that was sent under this nonce, oldest first.
    """

    nonce: int
    purpose: bytes
    stage: Stage
    signed: SignedTransaction
    attempted_at: float
    hashes: tuple[bytes, ...]


class TransactionJournal:
    """The journal of one account on one chain.

    Args:
        path: of the file; ``None`` keeps it in memory, and forgets what was mined: such chains are set back on purpose.

    Raises:
        StateFileError: the file cannot be used.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._database = open_database(path, _SCHEMA)
        self._keeps_mined = path is not None

    def record(self, purpose: bytes, signed: SignedTransaction) -> JournalEntry | None:
        """Take a nonce, before anything is sent under it; ``None`` when another run has it already."""
        now = time.time()
        row = (signed.nonce, purpose, Stage.SENDING, signed.raw, now)
        try:
            with all_or_nothing(self._database):
                self._database.execute(
                    "INSERT INTO entries (nonce, purpose, stage, raw, attempted_at) VALUES (?, ?, ?, ?, ?)", row
                )
                self._note(signed)
        except sqlite3.IntegrityError:
            return None
        return JournalEntry(signed.nonce, purpose, Stage.SENDING, signed, now, (signed.digest,))

    def replace(self, signed: SignedTransaction) -> None:
        """Write down a replacement, before it is sent."""
        with all_or_nothing(self._database):
            self._note(signed)
            self._database.execute(
                "UPDATE entries SET raw = ?, attempted_at = ? WHERE nonce = ?", (signed.raw, time.time(), signed.nonce)
            )

    def finish(self, nonce: int, block_number: int) -> None:
        """Its sender is about to have the receipt."""
        if not self._keeps_mined:
            self.forget(nonce)
            return
        with all_or_nothing(self._database):
            self._database.execute(
                "UPDATE entries SET stage = ?, block_number = ? WHERE nonce = ?", (Stage.MINED, block_number, nonce)
            )

    def reopen(self, nonce: int) -> None:
        """A reorganisation undid it."""
        with all_or_nothing(self._database):
            self._database.execute("UPDATE entries SET stage = ? WHERE nonce = ?", (Stage.AGAIN, nonce))

    def forget(self, nonce: int) -> None:
        """Nothing of this nonce is on the way any more."""
        with all_or_nothing(self._database):
            self._database.execute("DELETE FROM attempts WHERE nonce = ?", (nonce,))
            self._database.execute("DELETE FROM entries WHERE nonce = ?", (nonce,))

    def bury(self, block_number: int) -> None:
        """Forget what was mined up to a block that no reorganisation reaches any more."""
        condition = "stage = 'mined' AND block_number <= ?"
        buried = self._database.execute(
            f"SELECT nonce FROM entries WHERE {condition}",  # noqa: S608 - a fixed text
            (block_number,),
        ).fetchall()
        for (nonce,) in buried:
            self.forget(nonce)

    def under_way(self) -> tuple[JournalEntry, ...]:
        """What is sent and not mined, by nonce."""
        return tuple(entry for entry in self.entries() if entry.stage is not Stage.MINED)

    def entries(self) -> tuple[JournalEntry, ...]:
        """All that is remembered, by nonce."""
        rows = self._database.execute(
            "SELECT nonce, purpose, stage, raw, attempted_at FROM entries ORDER BY nonce"
        ).fetchall()
        return tuple(
            JournalEntry(nonce, purpose, Stage(stage), SignedTransaction(raw), attempted_at, self._hashes(nonce))
            for nonce, purpose, stage, raw, attempted_at in rows
        )

    def offers(self, nonce: int) -> tuple[Fees, ...]:
        """Fees of all that was sent under a nonce, oldest first."""
        rows = self._database.execute(
            "SELECT tip, fee_limit, blob_fee_limit FROM attempts WHERE nonce = ? ORDER BY rowid", (nonce,)
        ).fetchall()
        return tuple(Fees(int(tip), int(limit), int(blob_limit)) for tip, limit, blob_limit in rows)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _hashes(self, nonce: int) -> tuple[bytes, ...]:
        rows = self._database.execute("SELECT hash FROM attempts WHERE nonce = ? ORDER BY rowid", (nonce,))
        return tuple(digest for (digest,) in rows)

    def _note(self, signed: SignedTransaction) -> None:
        """Write down hash and fees; amounts as text, they may have more than 64 bits."""
        fees = signed.fees
        self._database.execute(
            "INSERT OR IGNORE INTO attempts VALUES (?, ?, ?, ?, ?)",
            (signed.digest, signed.nonce, str(fees.tip), str(fees.limit), str(fees.blob_limit)),
        )
