"""The wallet: what is on the disk after every accident, what is shown of it, and which opening is the truth."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from eth_hash.auto import keccak

from prover.account import secret_file
from prover.account.public_changes import PublicChange
from prover.account.secret_file import SecretFile, held_alone, write_owner_only
from prover.account.wallet import create_wallet, open_wallet
from prover.account.wallet_records import (
    KEPT_OPENINGS,
    AccountRecord,
    BookRecord,
    Change,
    OfferRecord,
    Opening,
    WalletDocument,
)
from prover.errors import WalletError, WalletLockedError, WalletOutOfDateError, WalletPasswordError
from tests.support.setups import TINY, known_setup
from verifier.curve import INFINITY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COST = 16
PASSWORD = "correct horse battery staple"  # noqa: S105 - of wallets that live as long as a test
ACCOUNT = bytes(range(32))
HOUSE = "0x" + "ab" * 20
SECRET_LOTS = 424243
SECRET_BLIND = 0xDEADBEEF_CAFEBABE_DEADBEEF

CRASHING_SAVE = """
import os, sys
from pathlib import Path
from prover.account.secret_file import SecretFile
step, path, password = sys.argv[1:]
def crash(reached):
    if reached == step:
        os._exit(9)
file, _ = SecretFile.open(Path(path), password, crash)
file.save(b"new")
"""


def opening(first: int = 0, blind: int = 0, books: int = 1) -> Opening:
    book = BookRecord(positions=(first,) + (0,) * (TINY.slots - 1), blind=blind)
    return Opening(books=(book,) * books)


def record(current: Opening) -> AccountRecord:
    return AccountRecord(account="0x" + ACCOUNT.hex(), chain_id=1, house=HOUSE, current=current)


def hashes(of: Opening) -> list[bytes]:
    return [keccak(point) for point in of.commitments(TINY, known_setup())]


def reconciled(known: AccountRecord, stored: list[bytes], version: int) -> AccountRecord:
    return known.reconciled(stored, version, shape=TINY, setup=known_setup())


def stored_wallet(path: Path) -> AccountRecord:
    secret = opening(SECRET_LOTS, SECRET_BLIND)
    change = Change(kind="trade", base_version=3, after=opening(SECRET_LOTS + 1, SECRET_BLIND + 1))
    made = record(secret).with_change(change).with_offer(OfferRecord(name="x", content="the offer"))
    with create_wallet(path, PASSWORD, cost=COST) as wallet:
        wallet.save(made)
    return made


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "wallet.json"
    made = stored_wallet(path)
    with open_wallet(path, PASSWORD) as wallet:
        assert wallet.accounts == (made,)
        assert wallet.account(ACCOUNT, chain_id=1, house=HOUSE, slots=4) == made


def test_an_account_at_another_house_is_another_account(tmp_path: Path) -> None:
    stored_wallet(tmp_path / "wallet.json")
    with open_wallet(tmp_path / "wallet.json", PASSWORD) as wallet:
        other = wallet.account(ACCOUNT, chain_id=2, house=HOUSE, slots=TINY.slots)
    assert other.current == Opening(books=(BookRecord.empty(TINY.slots),))


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    stored_wallet(tmp_path / "wallet.json")
    assert (tmp_path / "wallet.json").stat().st_mode & 0o077 == 0


def test_nothing_secret_is_in_the_clear(tmp_path: Path) -> None:
    made = stored_wallet(tmp_path / "wallet.json")
    content = (tmp_path / "wallet.json").read_text()
    with open_wallet(tmp_path / "wallet.json", PASSWORD) as wallet:
        shown = repr(wallet) + repr(wallet.accounts) + repr(made.current.books) + repr(made.changes) + repr(made.offers)
    for secret in (str(SECRET_LOTS), str(SECRET_BLIND), f"{SECRET_BLIND:x}", "the offer", "positions", PASSWORD):
        assert secret not in content
        assert secret not in shown


def test_another_password_is_refused(tmp_path: Path) -> None:
    stored_wallet(tmp_path / "wallet.json")
    with (
        pytest.raises(WalletPasswordError, match="does not open") as caught,
        open_wallet(tmp_path / "wallet.json", "no"),
    ):
        pass
    assert "no" not in str(caught.value).split()[1:3]


@pytest.mark.parametrize("field", ["nonce", "ciphertext", "salt", "n"])
def test_an_altered_file_is_refused(tmp_path: Path, field: str) -> None:
    path = tmp_path / "wallet.json"
    stored_wallet(path)
    fields = json.loads(path.read_text())
    holder = fields["derivation"] if field in ("salt", "n") else fields
    old = holder[field]
    holder[field] = 2 * old if field == "n" else old[:10] + ("1" if old[10] != "1" else "2") + old[11:]
    path.write_text(json.dumps(fields))
    with pytest.raises(WalletPasswordError), open_wallet(path, PASSWORD):
        pass


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields["derivation"].update(n=1 << 40),
        lambda fields: fields["derivation"].update(n=1000),
        lambda fields: fields["derivation"].update(r=1 << 20),
        lambda fields: fields["derivation"].update(salt="zz" * 16),
        lambda fields: fields.update(cipher="none"),
        lambda fields: fields.update(format="zkmargin-wallet-2"),
        lambda fields: fields.update(nonce=""),
        lambda fields: fields.update(more=1),
        lambda fields: fields.pop("ciphertext"),
    ],
)
def test_a_hostile_header_costs_nothing(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = tmp_path / "wallet.json"
    stored_wallet(path)
    fields = json.loads(path.read_text())
    change(fields)
    path.write_text(json.dumps(fields))
    with pytest.raises(WalletError), open_wallet(path, PASSWORD):
        pass


def test_an_empty_password_and_an_existing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WalletError, match="empty password"):
        SecretFile.create(tmp_path / "wallet.json", "")
    (tmp_path / "other").write_text("mine")
    with pytest.raises(WalletError, match="already is a file"):
        SecretFile.create(tmp_path / "other", PASSWORD)
    assert (tmp_path / "other").read_text() == "mine"


def test_a_missing_wallet_is_named(tmp_path: Path) -> None:
    with pytest.raises(WalletError, match="cannot be read"), open_wallet(tmp_path / "wallet.json", PASSWORD):
        pass


def test_one_process_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_file, "LOCK_SECONDS", 0.1)
    path = tmp_path / "wallet.json"
    stored_wallet(path)
    with open_wallet(path, PASSWORD):  # noqa: SIM117 - the outer one holds the file
        with pytest.raises(WalletLockedError, match="another process"), open_wallet(path, PASSWORD):
            pass
    with open_wallet(path, PASSWORD) as wallet:
        assert len(wallet.accounts) == 1


@pytest.mark.parametrize(("step", "content"), [("written", b"old"), ("flushed", b"old"), ("replaced", b"new")])
def test_a_crash_between_the_steps_of_a_save_leaves_one_whole_content(
    tmp_path: Path, step: str, content: bytes
) -> None:
    path = tmp_path / "wallet.json"
    SecretFile.create(path, PASSWORD, cost=COST).save(b"old")
    crash = subprocess.run([sys.executable, "-c", CRASHING_SAVE, step, str(path), PASSWORD], check=False)
    assert crash.returncode == 9
    with held_alone(path):
        file, found = SecretFile.open(path, PASSWORD)
        assert found == content
        file.save(b"after")
        assert SecretFile.open(path, PASSWORD)[1] == b"after"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["wallet.json", "wallet.json.lock"]


def test_a_disk_that_refuses_leaves_everything_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "wallet.json"
    made = stored_wallet(path)
    with open_wallet(path, PASSWORD) as wallet:

        def full(_descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(WalletError, match="No space left"):
            wallet.save(made.with_change(Change(kind="trade", base_version=9, after=opening(1))))
        assert wallet.accounts == (made,)
        monkeypatch.undo()
    with open_wallet(path, PASSWORD) as wallet:
        assert wallet.accounts == (made,)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "wallet.json"
    stored_wallet(path)

    def read_only(*_arguments: object, **_options: object) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patched:
        patched.setattr("filelock.FileLock.acquire", read_only)
        with (
            pytest.raises(WalletError, match=r"folder of .*wallet\.json cannot be written to \(Read-only"),
            held_alone(path),
        ):
            pass
    with pytest.raises(ZeroDivisionError), held_alone(path):
        raise ZeroDivisionError
    with held_alone(path):
        pass


def test_a_secret_file_that_does_not_fit_is_not_left_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(WalletError, match="No space left on device"):
            write_owner_only(tmp_path / "offer.json", b"secret")
    write_owner_only(tmp_path / "offer.json", b"whole")


def test_every_save_has_its_own_nonce(tmp_path: Path) -> None:
    file = SecretFile.create(tmp_path / "wallet.json", PASSWORD, cost=COST)
    nonces = set()
    for _ in range(5):
        file.save(b"same")
        nonces.add(json.loads(file.path.read_text())["nonce"])
    assert len(nonces) == 5


def test_content_of_another_version_is_refused_without_quoting_it(tmp_path: Path) -> None:
    path = tmp_path / "wallet.json"
    SecretFile.create(path, PASSWORD, cost=COST).save(b'{"version": 2, "accounts": "secret"}')
    with pytest.raises(WalletError, match="another version") as caught, open_wallet(path, PASSWORD):
        pass
    assert caught.value.__cause__ is None
    assert "secret" not in str(caught.value)


def test_secret_files_are_never_written_over(tmp_path: Path) -> None:
    write_owner_only(tmp_path / "offer.json", b"first")
    assert (tmp_path / "offer.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(WalletError, match="new file"):
        write_owner_only(tmp_path / "offer.json", b"second")
    assert (tmp_path / "offer.json").read_bytes() == b"first"


def test_an_untouched_account_agrees_with_an_empty_record() -> None:
    known = record(opening())
    assert reconciled(known, [], 0) is known
    assert reconciled(known, [bytes(32)], 0) is known
    assert reconciled(known, [keccak(INFINITY)], 1) == known.model_copy(update={"version": 1})


def test_the_current_opening_stays_while_the_chain_holds_it() -> None:
    current = opening(5, 6)
    change = Change(kind="trade", base_version=1, after=opening(7, 8))
    known = record(current).with_change(change)
    assert reconciled(known, hashes(current), 1) == known.model_copy(update={"version": 1})
    assert reconciled(reconciled(known, hashes(current), 1), hashes(current), 1).changes == (change,)


def test_a_recorded_change_becomes_the_truth_when_the_chain_holds_it() -> None:
    before, after = opening(5, 6), opening(7, 8)
    never = Change(kind="trade", base_version=1, after=opening(9, 10))
    known = record(before).with_change(never).with_change(Change(kind="trade", base_version=1, after=after))
    found = reconciled(known, hashes(after), 2)
    assert found.current == after
    assert found.changes == ()
    assert set(found.earlier) == {before, never.after}


def test_a_reorganisation_brings_an_earlier_opening_back() -> None:
    before, after = opening(5, 6), opening(7, 8)
    known = record(before).with_change(Change(kind="trade", base_version=1, after=after))
    settled = reconciled(known, hashes(after), 2)
    assert reconciled(settled, hashes(before), 1).current == before
    assert reconciled(reconciled(settled, hashes(before), 1), hashes(after), 2).current == after


def test_what_was_true_is_kept_whatever_else_was_signed() -> None:
    """As many acceptances as a wallet keeps openings, and one more; then the trade is taken back."""
    before = opening(5, 77)
    known = record(before).model_copy(update={"version": 3})
    for number in range(KEPT_OPENINGS + 1):
        known = known.with_change(Change(kind="trade", base_version=3, after=opening(100 + number, 1000 + number)))
    settled = reconciled(known, hashes(opening(100, 1000)), 4)
    assert len(settled.earlier) == KEPT_OPENINGS
    assert reconciled(settled, hashes(before), 3).current == before


def test_books_of_earlier_openings_are_looked_at_too() -> None:
    """An opening of several books may come back, in a chain in which the account has left them."""
    one, three = opening(5, 6), opening(5, 6, books=3)
    known = record(one).model_copy(update={"earlier": (three, opening(7, 8))})
    assert (record(one).books, known.books) == (1, 3)
    assert known.with_change(Change(kind="trade", base_version=1, after=opening(1, 1, books=4))).books == 4
    assert reconciled(known, hashes(three)[: known.books], 5).current == three


def test_two_acceptances_of_one_offer_are_both_remembered() -> None:
    first, second = opening(7, 1), opening(7, 2)
    known = record(opening(5, 6))
    for after in (first, second):
        known = known.with_change(Change(kind="trade", base_version=1, after=after))
    assert reconciled(known, hashes(first), 2).current == first
    assert reconciled(known, hashes(second), 2).current == second


def test_the_same_change_is_kept_once() -> None:
    change = Change(kind="deposit", base_version=1, after=opening(1, 1))
    assert len(record(opening()).with_change(change).with_change(change).changes) == 1


def test_an_unknown_commitment_is_refused_and_nothing_is_lost() -> None:
    with pytest.raises(WalletOutOfDateError, match="state version 4") as caught:
        reconciled(record(opening(1023, SECRET_BLIND)), hashes(opening(1, 1)), 4)
    assert "1023" not in str(caught.value).replace("0x" + ACCOUNT.hex(), "")
    assert str(SECRET_BLIND) not in str(caught.value)


def test_what_everybody_can_follow_is_added_to_what_the_wallet_knows() -> None:
    """An operator merged 3 ticks and the owner's own trade came between: both orders are found, other amounts not."""
    before, traded = opening(5, 6), opening(7, 8)
    known = record(before).with_change(Change(kind="trade", base_version=1, after=traded))
    merged = [PublicChange(2, 0, 3), PublicChange(4, 0, -1)]
    for base, ticks in ((before, 2), (traded, -1)):
        stored = hashes(base.credited(0, ticks))
        found = known.reconciled(stored, 4, shape=TINY, setup=known_setup(), public=merged)
        assert (found.current, found.version) == (base.credited(0, ticks), 4)
    with pytest.raises(WalletOutOfDateError):
        known.reconciled(hashes(before.credited(0, 3)), 4, shape=TINY, setup=known_setup(), public=merged)


def test_a_change_opens_books_and_leaves_the_others() -> None:
    changed = opening(5, 6).plus({2: ((1,) + (0,) * (TINY.slots - 1), 9)})
    assert [book.positions[0] for book in changed.books] == [5, 0, 1]
    assert [book.blind for book in changed.books] == [6, 0, 9]
    assert [book.blind for book in changed.of_books((0, 3))] == [6, 0]


def test_books_are_compared_one_by_one() -> None:
    two = opening(5, 6, books=2)
    assert reconciled(record(two), hashes(two), 1).current == two
    with pytest.raises(WalletOutOfDateError):
        reconciled(record(two), hashes(two)[:1], 1)
    one = opening(5, 6)
    assert reconciled(record(one), [*hashes(one), bytes(32)], 1).current == one


def test_a_document_replaces_the_record_of_the_same_account() -> None:
    document = WalletDocument().with_account(record(opening())).with_account(record(opening(1, 1)))
    assert [known.current for known in document.accounts] == [opening(1, 1)]
