"""Terms that parties sign: their hashes are what wallets compute, wrong values are refused by name."""

from __future__ import annotations

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak

from verifier.books import book_bitmap, books_in
from verifier.chain.clearing_terms import account_id, house_domain, proof_context
from verifier.chain.open_leg_terms import OPEN_LEG_TYPE, OpenLeg, netting_action
from verifier.chain.settlement_terms import SETTLEMENT_TYPE, Leg, Participant, Settlement
from verifier.chain.withdrawal_terms import LIEN_TYPE, WITHDRAWAL_TYPE, Lien, Withdrawal
from verifier.errors import MalformedInputError

CHAIN_ID = 31337
HOUSE = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
OWNER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
ACCOUNTS = tuple(account_id(OWNER, number) for number in range(3))
POINT = bytes(range(96))


def settlement() -> Settlement:
    """Three accounts, two legs, one of them over two books."""
    return Settlement(
        participants=tuple(
            Participant(account, version, 2**200 + version) for version, account in enumerate(ACCOUNTS, start=1)
        ),
        legs=(Leg(0, 1, book_bitmap([0]), (POINT,)), Leg(2, 0, book_bitmap([1, 4]), (POINT, POINT[::-1]))),
        max_epoch=7,
        deadline=1_800_000_000,
    )


def open_leg(nonce: int = 5) -> OpenLeg:
    """Between the first two accounts."""
    return OpenLeg(ACCOUNTS[0], ACCOUNTS[1], nonce, nonce + 1, book_bitmap([0]), 7, 1_800_000_000, (POINT,))


def test_type_strings_are_those_of_the_contracts() -> None:
    """EIP-712 sorts the members by name."""
    assert SETTLEMENT_TYPE.encoded_type == (
        "Settlement(Participant[] participants,Leg[] legs,uint32 maxEpoch,uint64 deadline)"
        "Leg(uint8 receiver,uint8 giver,uint32 books,bytes differences)"
        "Participant(bytes32 account,uint64 stateVersion,uint256 nonce)"
    )
    assert OPEN_LEG_TYPE.encoded_type == (
        "OpenLeg(bytes32 receiver,bytes32 giver,uint256 receiverNonce,uint256 giverNonce,"
        "uint32 books,uint32 maxEpoch,uint64 deadline,bytes differences)"
    )


@pytest.mark.parametrize("terms", [settlement(), open_leg()], ids=["settlement", "open leg"])
def test_signed_digest_is_what_a_wallet_computes(terms: Settlement | OpenLeg) -> None:
    """eth-account hashes the document in its own way."""
    kind = SETTLEMENT_TYPE if isinstance(terms, Settlement) else OPEN_LEG_TYPE
    message = encode_typed_data(full_message=terms.document(CHAIN_ID, HOUSE))
    expected = keccak(b"\x19" + message.version + message.header + message.body)
    assert kind.digest(house_domain(CHAIN_ID, HOUSE), terms.values()) == expected
    signer = Account.create()
    signature = terms.sign(signer, CHAIN_ID, HOUSE)
    assert Account.recover_message(message, signature=signature) == signer.address


def test_actions_differ_by_kind_and_by_every_value() -> None:
    """A withdrawal's proof does not pass for a lien's of the same values, nor for another amount's."""
    values = (ACCOUNTS[0], 1, 2, 0, 100, OWNER)
    actions = {
        settlement().action,
        Withdrawal(*values).action,
        Lien(*values).action,
        Withdrawal(*values[:3], 1, 100, OWNER).action,
        Withdrawal(*values[:3], 0, 101, OWNER).action,
        netting_action([open_leg()]),
        netting_action([open_leg(), open_leg(9)]),
    }
    assert len(actions) == 7
    assert WITHDRAWAL_TYPE.encoded_type.replace("Withdrawal", "Lien").replace("recipient", "lender") == (
        LIEN_TYPE.encoded_type
    )


def test_a_settlement_says_what_each_account_proves() -> None:
    """Version and books of the account, and the epoch that is active when it is sent."""
    trade = settlement()
    check = trade.check_of(ACCOUNTS[1], 6)
    assert (check.state_version, check.epoch) == (2, 6)
    assert [books_in(trade.books_of(account)) for account in ACCOUNTS] == [(0, 1, 4), (0,), (1, 4)]
    assert proof_context(CHAIN_ID, HOUSE, check, trade.action) != proof_context(CHAIN_ID, HOUSE, check)
    with pytest.raises(MalformedInputError, match="epoch 8 is active"):
        trade.check_of(ACCOUNTS[1], 8)
    with pytest.raises(MalformedInputError, match="not part of this trade"):
        trade.check_of(account_id(OWNER, 9), 6)


def test_terms_that_do_not_fit_are_refused() -> None:
    """Before anything is signed."""
    twice = (Participant(ACCOUNTS[0], 1, 1), Participant(ACCOUNTS[0], 1, 2))
    with pytest.raises(MalformedInputError, match="takes part twice"):
        Settlement(twice, (Leg(0, 1, 1, (POINT,)),), 1, 1)
    idle = tuple(Participant(account, 1, 1) for account in ACCOUNTS)
    with pytest.raises(MalformedInputError, match="every participant needs a leg"):
        Settlement(idle, (Leg(0, 1, 1, (POINT,)),), 1, 1)
    with pytest.raises(MalformedInputError, match="1 differences for 2 books"):
        Leg(0, 1, book_bitmap([0, 1]), (POINT,))
    with pytest.raises(MalformedInputError, match="cannot trade with itself"):
        Leg(1, 1, 1, (POINT,))
    with pytest.raises(MalformedInputError, match="book 32 does not exist"):
        book_bitmap([32])
    with pytest.raises(MalformedInputError, match="token 256 is out of range"):
        Withdrawal(ACCOUNTS[0], 1, 1, 256, 1, OWNER)
