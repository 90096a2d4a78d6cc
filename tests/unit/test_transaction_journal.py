"""Signed transactions as bytes, the journal that keeps them, and where it is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import platformdirs
import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from verifier.chain.blob_transactions import BLOB_BYTES, BlobSidecar, blob_commitment
from verifier.chain.signed_transactions import Fees, SignedTransaction, sign_transaction
from verifier.chain.state_folder import STATE_VARIABLE, state_folder
from verifier.chain.transaction_journal import Stage, TransactionJournal
from verifier.chain.transaction_sender import purpose_digest
from verifier.errors import MalformedInputError, StateFileError

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT: Final = Account.from_key(b"\x01" * 32)
RECEIVER: Final = "0x" + "12" * 20
FEES: Final = Fees(10**9, 10**10)
PURPOSE: Final = b"\x05" * 32
amounts = st.integers(min_value=0, max_value=2**96)


def signed(nonce: int, fees: Fees = FEES, *, to: str | None = RECEIVER, data: bytes = b"\x01") -> SignedTransaction:
    fields: dict[str, Any] = {"nonce": nonce, "gas": 50_000, "value": 0, "chainId": 5, "data": "0x" + data.hex()}
    return sign_transaction(ACCOUNT, fields | fees.as_fields() | ({} if to is None else {"to": to}), None)


@given(tip=amounts, limit=amounts, wanted_tip=amounts, wanted_limit=amounts)
def test_replacements_offer_a_tenth_more_and_what_is_wanted(
    tip: int, limit: int, wanted_tip: int, wanted_limit: int
) -> None:
    raised = Fees(tip, limit).raised(Fees(wanted_tip, wanted_limit))
    assert 10 * raised.tip >= 11 * tip
    assert 10 * raised.limit >= 11 * limit
    assert raised.tip >= max(wanted_tip, tip + 1)
    assert raised.limit >= max(wanted_limit, limit + 1)
    assert raised.blob_limit == 0


@given(tip=amounts, limit=amounts, blob_limit=st.integers(min_value=1, max_value=2**96))
def test_replacements_of_blobs_double_all_three(tip: int, limit: int, blob_limit: int) -> None:
    raised = Fees(tip, limit, blob_limit).raised(Fees(0, 0, 3))
    assert raised.tip >= max(2 * tip, 1)
    assert raised.limit >= max(2 * limit, 1)
    assert raised.blob_limit >= max(2 * blob_limit, 3)


@pytest.mark.parametrize("to", [RECEIVER, None], ids=["call", "creation"])
def test_a_replacement_differs_in_fees_alone(to: str | None) -> None:
    first = signed(7, to=to, data=b"what for")
    second = first.with_fees(ACCOUNT, Fees(3, 4))
    assert second.digest != first.digest
    assert (second.nonce, second.fees) == (7, Fees(3, 4))
    assert second.with_fees(ACCOUNT, first.fees) == first
    assert Account.recover_transaction(second.raw) == ACCOUNT.address


def test_a_replacement_keeps_blobs_and_proofs() -> None:
    blob = b"\x00" * (BLOB_BYTES - 1) + b"\x07"
    sidecar = BlobSidecar((blob,), (blob_commitment(blob),))
    fields: dict[str, Any] = {"nonce": 1, "gas": 50_000, "value": 0, "chainId": 5, "data": "0x", "to": RECEIVER}
    fees = replace(FEES, blob_limit=3)
    first = sign_transaction(ACCOUNT, fields | fees.as_fields(), sidecar)
    second = first.with_fees(ACCOUNT, fees.raised(fees))
    assert second.fees == Fees(2 * FEES.tip, 2 * FEES.limit, 6)
    assert second.raw.endswith(first.raw[-BLOB_BYTES:])
    assert second.with_fees(ACCOUNT, fees) == first


def test_other_types_of_transactions_are_refused() -> None:
    with pytest.raises(MalformedInputError, match="type 0x01: use type 2 or 3"):
        SignedTransaction(b"\x01\xc0")


def test_purposes_differ_in_every_part() -> None:
    digests = {
        purpose_digest(1, RECEIVER, b"a", ()),
        purpose_digest(2, RECEIVER, b"a", ()),
        purpose_digest(1, None, b"a", ()),
        purpose_digest(1, None, bytes.fromhex(RECEIVER[2:]) + b"a", ()),
        purpose_digest(1, RECEIVER, b"b", ()),
        purpose_digest(1, RECEIVER, b"a", (b"\x01" * 32,)),
        purpose_digest(1, RECEIVER, b"a" + b"\x01" * 32, ()),
    }
    assert len(digests) == 7
    assert purpose_digest(1, RECEIVER.upper().replace("0X", "0x"), b"a", ()) in digests


# --- The journal ----------------------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "journal.sqlite"


def test_a_nonce_is_taken_once(path: Path) -> None:
    journal, other = TransactionJournal(path), TransactionJournal(path)
    recorded = journal.record(PURPOSE, signed(3))
    assert not other.record(b"\x06" * 32, signed(3, data=b"\x02"))
    (entry,) = other.under_way()
    assert entry == recorded
    assert (entry.nonce, entry.purpose, entry.stage, entry.hashes) == (3, PURPOSE, Stage.SENDING, (signed(3).digest,))


def test_replacements_are_kept_beside_what_they_replace(path: Path) -> None:
    journal = TransactionJournal(path)
    first, second = signed(3), signed(3, FEES.raised(FEES))
    journal.record(PURPOSE, first)
    journal.replace(second)
    journal.close()
    (entry,) = TransactionJournal(path).entries()
    assert (entry.signed, entry.hashes) == (second, (first.digest, second.digest))
    assert TransactionJournal(path).offers(3) == (first.fees, second.fees)


def test_what_was_mined_is_kept_until_it_is_buried(path: Path) -> None:
    journal = TransactionJournal(path)
    for nonce in (1, 2):
        journal.record(PURPOSE, signed(nonce))
        journal.finish(nonce, 100 + nonce)
    assert journal.under_way() == ()
    journal.reopen(2)
    assert [(entry.nonce, entry.stage) for entry in journal.under_way()] == [(2, Stage.AGAIN)]
    journal.bury(102)
    assert [entry.nonce for entry in journal.entries()] == [2]
    assert journal.offers(1) == ()


def test_in_memory_nothing_that_was_mined_is_kept() -> None:
    journal = TransactionJournal()
    journal.record(PURPOSE, signed(1))
    journal.finish(1, 100)
    assert journal.entries() == ()


def test_a_file_that_is_no_journal_is_named(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("this is no database, whatever its name says; it is long enough to be looked at")
    with pytest.raises(StateFileError, match=r"journal\.sqlite cannot be used.*ZKMARGIN_STATE"):
        TransactionJournal(path)
    with pytest.raises(StateFileError, match="cannot be used"):
        TransactionJournal(path / "below a file.sqlite")


def test_where_state_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(STATE_VARIABLE, raising=False)
    assert state_folder(1) == platformdirs.user_state_path("zkmargin")
    assert state_folder(31_337) is None
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path))
    assert state_folder(1) == state_folder(31_337) == tmp_path
