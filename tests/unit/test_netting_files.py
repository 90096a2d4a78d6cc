"""Files of a netting: what is no such file is refused by its field, terms that do not hold together by their fault."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from prover.account.netting_files import (
    NettingAgreement,
    NettingAnswer,
    NettingLeg,
    NettingOffer,
    NettingParticipant,
    NettingSide,
    NettingTerms,
)
from prover.account.netting_signing import CheckedTerms
from prover.account.trade_files import TradeRecord, decode_trade_file, encode_trade_file
from prover.account.wallet import create_wallet, open_wallet
from prover.account.wallet_records import AccountRecord, BookRecord, LegRecord, Opening
from prover.errors import TradeError
from verifier.chain.open_leg_terms import netting_action
from verifier.errors import MalformedInputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ALICE, BOB, CAROL = ("0x" + f"{number:02x}" * 20 + "00" * 12 for number in (1, 2, 3))
HOUSE = "0x" + "ab" * 20
POINT = "0x" + "07" * 96
SECRET = 987_654_321_012_345
QUANTITY = "424242.5"
PASSWORD = "of a wallet in a test"  # noqa: S105 - which lives as long as the test


def leg(receiver: str = ALICE, giver: str = BOB, *, name: int = 1, books: int = 1) -> NettingLeg:
    return NettingLeg(
        trade=f"{name:032x}",
        chain_id=1,
        house=HOUSE,
        receiver=receiver,
        giver=giver,
        receiver_nonce=10 * name,
        giver_nonce=10 * name + 1,
        books=books,
        max_epoch=5 + name,
        deadline=1_000 - name,
        differences=(POINT,),
    )


def terms(*accounts: str) -> NettingTerms:
    """Alice receives of Bob, Bob of Carol; bound where accounts are named."""
    participants = tuple(
        NettingParticipant(account=account, state_version=place, nonce=100 + place)
        for place, account in enumerate(accounts)
    )
    return NettingTerms(legs=(leg(), leg(BOB, CAROL, name=2)), participants=participants)


def offer() -> NettingOffer:
    return NettingOffer(
        chain_id=1,
        house=HOUSE,
        first=ALICE,
        first_nonce=10,
        max_epoch=6,
        deadline=999,
        quantities={"USD": QUANTITY},
        blinds={0: SECRET},
    )


def answer() -> NettingAnswer:
    return NettingAnswer(trade="0" * 32, second=BOB, second_nonce=11, blinds={0: SECRET}, differences=(POINT,))


def side() -> NettingSide:
    return NettingSide(
        terms="0x" + "11" * 32,
        account=ALICE,
        state_version=1,
        epoch=1,
        signer=HOUSE,
        signatures=("0x00",),
        portfolio=(POINT,),
        proof="0x00",
        hint="0x00",
    )


def agreement() -> NettingAgreement:
    return NettingAgreement(
        leg=leg(), quantities={"USD": QUANTITY}, first_blinds={0: SECRET}, second_blinds={0: SECRET + 1}
    )


FILES: tuple[Callable[[], TradeRecord], ...] = (offer, answer, leg, terms, side, agreement)


@pytest.mark.parametrize("make", FILES)
def test_what_is_written_is_read_back(make: Callable[[], TradeRecord]) -> None:
    made = make()
    assert decode_trade_file("file", encode_trade_file(made), type(made)) == made


@pytest.mark.parametrize("make", FILES)
def test_every_field_is_needed_and_nothing_else_is_taken(make: Callable[[], TradeRecord]) -> None:
    made = make()
    fields = json.loads(encode_trade_file(made))
    optional = {name for name, entry in type(made).model_fields.items() if not entry.is_required()}
    for name in fields.keys() - optional:
        broken = {key: value for key, value in fields.items() if key != name}
        with pytest.raises(TradeError, match=f"file is no {made.what}: {name}: Field required; ask for it again"):
            decode_trade_file("file", json.dumps(broken), type(made))
    with pytest.raises(TradeError, match="extra: Extra inputs are not permitted"):
        decode_trade_file("file", json.dumps(fields | {"extra": 1}), type(made))


@pytest.mark.parametrize(
    ("make", "change", "field"),
    [
        (offer, {"format": "zkmargin-offer-2"}, "format"),
        (offer, {"quantities": {"USD": 1.5}}, "quantities.USD"),
        (offer, {"quantities": {"USD": "1e5"}}, "quantities.USD"),
        (offer, {"blinds": {}}, "blinds"),
        (offer, {"blinds": {"32": 1}}, "blinds.32.[key]"),
        (offer, {"blinds": {"0": -1}}, "blinds.0"),
        (offer, {"deadline": 1 << 64}, "deadline"),
        (offer, {"max_epoch": 0}, "max_epoch"),
        (answer, {"differences": ["0x" + "07" * 95]}, "differences.0"),
        (answer, {"second": "0x12"}, "second"),
        (leg, {"books": 0}, "books"),
        (leg, {"books": 1 << 32}, "books"),
        (leg, {"receiver_nonce": 1 << 256}, "receiver_nonce"),
        (leg, {"giver_nonce": "11"}, "giver_nonce"),
        (leg, {"differences": [POINT.upper()]}, "differences.0"),
        (terms, {"legs": []}, "legs"),
        (
            terms,
            {"participants": [{"account": ALICE, "state_version": -1, "nonce": 0}]},
            "participants.0.state_version",
        ),
        (side, {"signatures": []}, "signatures"),
        (side, {"signatures": ["0x0"]}, "signatures.0"),
        (side, {"terms": "0x11"}, "terms"),
        (side, {"epoch": 1.0}, "epoch"),
    ],
)
def test_bad_fields_are_named(make: Callable[[], TradeRecord], change: dict[str, Any], field: str) -> None:
    made = make()
    fields = json.loads(encode_trade_file(made)) | change
    with pytest.raises(TradeError, match=re.escape(f"file is no {made.what}: {field}: ")):
        decode_trade_file("file", json.dumps(fields), type(made))


@pytest.mark.parametrize("content", [b"", b"[", b"[]", b"null", b"\xff\xfe", b"{" * 10_000])
@pytest.mark.parametrize("make", FILES)
def test_what_is_no_object_is_refused(make: Callable[[], TradeRecord], content: bytes) -> None:
    kind = type(make())
    with pytest.raises(TradeError, match=f"file is no {kind.what}: the file: "):
        decode_trade_file("file", content, kind)


@pytest.mark.parametrize("make", [offer, answer, agreement])
def test_secrets_are_neither_shown_nor_quoted(make: Callable[[], TradeRecord]) -> None:
    made = make()
    broken = encode_trade_file(made).replace(str(SECRET).encode(), f'"{SECRET}"'.encode())
    with pytest.raises(TradeError) as caught:
        decode_trade_file("file", broken, type(made))
    for shown in (repr(made), str(caught.value), repr(caught.value)):
        assert str(SECRET) not in shown
        assert QUANTITY not in shown
    checked = CheckedTerms(terms(), (agreement(),), ())
    assert str(SECRET) not in repr(checked)


def test_bound_terms_are_one_settlement_until_the_earliest_leg_is_void() -> None:
    made = terms(BOB, ALICE, CAROL)
    settlement = made.settlement()
    assert made.is_bound
    assert [entry.account.hex() for entry in settlement.participants] == [name[2:] for name in (BOB, ALICE, CAROL)]
    assert [(entry.receiver, entry.giver) for entry in settlement.legs] == [(1, 0), (0, 2)]
    assert (settlement.max_epoch, settlement.deadline) == (6, 998)
    assert made.action() == settlement.action
    assert [entry.trade for entry in made.legs_of(CAROL)] == [f"{2:032x}"]
    assert (leg().other(ALICE), leg().nonce_of(ALICE), leg().nonce_of(BOB)) == (BOB, 10, 11)


def test_open_terms_keep_every_leg_as_it_is() -> None:
    made = terms()
    assert not made.is_bound
    assert made.accounts == (ALICE, BOB, CAROL)
    assert [(entry.max_epoch, entry.deadline) for entry in made.open_legs()] == [(6, 999), (7, 998)]
    assert made.action() == netting_action(made.open_legs())
    assert made.participant(ALICE) is None


@pytest.mark.parametrize(
    ("made", "fault"),
    [
        (terms(ALICE, BOB), f"account {CAROL} has a leg and is no participant"),
        (terms(ALICE, BOB, CAROL, "0x" + "44" * 32), "every participant needs a leg"),
        (terms(ALICE, BOB, CAROL, BOB), "an account takes part twice"),
        (NettingTerms(legs=(leg(ALICE, ALICE),), participants=()), "cannot trade with itself"),
        (NettingTerms(legs=(leg(books=3),), participants=()), "1 differences for 2 books"),
    ],
)
def test_terms_that_do_not_hold_together(made: NettingTerms, fault: str) -> None:
    with pytest.raises(MalformedInputError, match=fault):
        made.action()


def test_a_wallet_keeps_legs_and_reads_wallets_that_had_none(tmp_path: Path) -> None:
    path = tmp_path / "wallet"
    plain = AccountRecord(
        account=ALICE, chain_id=1, house=HOUSE, current=Opening(books=(BookRecord(positions=(0,), blind=0),))
    )
    kept = LegRecord(name=leg().trade, content=agreement().model_dump_json())
    with create_wallet(path, PASSWORD, cost=16) as wallet:
        wallet.save(plain.with_legs([kept]))
    with open_wallet(path, PASSWORD) as wallet:
        assert wallet.accounts[0].legs == (kept,)
        assert str(SECRET) not in repr(wallet.accounts[0])
    fields = json.loads(plain.model_dump_json())
    del fields["legs"]
    assert AccountRecord.model_validate_json(json.dumps(fields)) == plain
