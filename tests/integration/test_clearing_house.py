"""Deposits, hidden trades and margin checks with real proofs on a real chain; every refusal by its name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest
from eth_hash.auto import keccak

from prover.errors import ArgumentError
from tests.support.exchange import ALL_BOOKS, BOOKS, DEPOSIT, LISTED, MAXIMUM_AGE, TRADE_SECONDS, Exchange, Holder
from verifier.calldata import claim_hint
from verifier.chain.account_state import AccountStatus
from verifier.chain.clearing_terms import NO_ACTION, MarginCheck, MarginEvidence, house_domain, proof_context
from verifier.chain.contract_interface import contract_interface
from verifier.chain.open_leg_terms import OPEN_LEG_TYPE, OpenLeg
from verifier.chain.settlement_terms import SETTLEMENT_TYPE
from verifier.chain.withdrawal_terms import Lien, Withdrawal
from verifier.curve import BASE_MODULUS, COORDINATE_BYTES, INFINITY, POINT_BYTES
from verifier.errors import ContractRevertedError
from verifier.portfolio_commitment import add_commitments, credit_commitment, subtract_commitments
from verifier.rules.rule_kind import PUBLISHED_KINDS, RuleKind
from verifier.shape import SMALL
from verifier.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Callable

    from prover.argument.witness import BookOpening
    from verifier.chain.chain_client import Receipt
    from verifier.chain.settlement_terms import Settlement, SettlementSide

PREFIX: Final = "AccountLedger"
GRACE_SECONDS: Final = 180

ORDER_THREE: Final = bytes(POINT_BYTES - 1) + b"\x02"
"""(0, 2): on the curve, of order 3, outside the subgroup."""


def refusal(action: Callable[[], object]) -> ContractRevertedError:
    """The named error that an action meets."""
    with pytest.raises(ContractRevertedError) as caught:
        action()
    return caught.value


def trade_changes(exchange: Exchange, seed: str = "trade") -> tuple[BookOpening, ...]:
    """Two instruments of book 0 against cash, one of book 1."""
    return exchange.changes({0: -40_000, 6: 3, 11: -2}, {10: 5}, seed)


def hashes_of(exchange: Exchange, account: bytes) -> list[bytes]:
    """What the house keeps of an account's commitments."""
    return [exchange.house.commitment_hash(account, book) for book in range(BOOKS)]


def settle(
    exchange: Exchange,
    holders: tuple[Holder, Holder],
    settlement: Settlement,
    changes: tuple[BookOpening, ...],
    *,
    alter: Callable[[SettlementSide, SettlementSide], tuple[SettlementSide, SettlementSide]] | None = None,
) -> Receipt:
    """Prove and sign for both sides, then send; ``alter`` bends what is sent."""
    first, second = holders
    sides = (
        exchange.side(first, settlement, changes, sign=1),
        exchange.side(second, settlement, changes, sign=-1),
    )
    if alter is not None:
        sides = alter(*sides)
    return exchange.house.settle(exchange.publisher, settlement, settlement.max_epoch, sides)


def recorded_check(
    exchange: Exchange, holder: Holder, check: MarginCheck, **bent: bytes | tuple[bytes, ...]
) -> Receipt:
    """Prove a check honestly and send it with some fields bent."""
    made = exchange.proof(check, holder.openings, books=holder.books)
    honest = exchange.evidence(holder, made)
    return exchange.house.prove_margin(holder.owner, check, replace(honest, **bent))  # type: ignore[arg-type]  # by name


# --- What happens ---------------------------------------------------------------------------------------------------


def test_a_deposit_is_credited_by_the_contract(exchange: Exchange, alice: Holder) -> None:
    state = exchange.house.account_state(alice.account)
    assert (state.state_version, state.open_books, state.status) == (1, (0,), AccountStatus.TRANSPARENT)
    assert exchange.house.holdings(alice.account, 0) == DEPOSIT
    credited = credit_commitment(INFINITY, 0, DEPOSIT, shape=SMALL, setup=exchange.setup)
    assert hashes_of(exchange, alice.account) == [keccak(credited), bytes(32)]
    exchange.fund(alice.owner, 5)
    exchange.house.deposit(alice.owner, 0, 0, 5, credited)
    again = credit_commitment(credited, 0, 5, shape=SMALL, setup=exchange.setup)
    assert exchange.house.commitment_hash(alice.account, 0) == keccak(again)
    exchange.fund(alice.owner, 7, token=1)
    exchange.house.deposit(alice.owner, 0, 1, 7, again)
    second = credit_commitment(again, 1, 7, shape=SMALL, setup=exchange.setup)
    assert exchange.house.commitment_hash(alice.account, 0) == keccak(second)
    assert [exchange.house.holdings(alice.account, token) for token in (0, 1)] == [DEPOSIT + 5, 7]
    assert [exchange.vault.vault_state(token).net_deposits for token in (0, 1)] == [DEPOSIT + 5, 7]


def test_a_hidden_trade_conserves_what_there_is(exchange: Exchange, alice: Holder, bob: Holder) -> None:
    changes = trade_changes(exchange)
    settlement = exchange.settlement(alice, bob, changes)
    settle(exchange, (alice, bob), settlement, changes)
    before = exchange.commitments(alice.openings)
    after_alice = [add_commitments(own, more) for own, more in zip(before, settlement.legs[0].differences, strict=True)]
    after_bob = [
        subtract_commitments(own, more) for own, more in zip(before, settlement.legs[0].differences, strict=True)
    ]
    assert hashes_of(exchange, alice.account) == [keccak(point) for point in after_alice]
    assert hashes_of(exchange, bob.account) == [keccak(point) for point in after_bob]
    for holder in (alice, bob):
        state = exchange.house.account_state(holder.account)
        assert (state.state_version, state.initial_epoch, state.books) == (2, 1, ALL_BOOKS)
        assert state.status is AccountStatus.ACTIVE
    assert exchange.house.is_nonce_used(alice.account, settlement.participants[0].nonce)
    assert not exchange.house.is_nonce_used(alice.account, settlement.participants[1].nonce)
    total = credit_commitment(INFINITY, 0, 2 * DEPOSIT, shape=SMALL, setup=exchange.setup)
    assert add_commitments(after_alice[0], after_bob[0]) == total
    assert add_commitments(after_alice[1], after_bob[1]) == INFINITY


def test_margin_is_proven_before_and_after_a_trade(exchange: Exchange, alice: Holder, bob: Holder) -> None:
    exchange.prove(alice, exchange.check(alice, RuleKind.MAINTENANCE))
    changes = trade_changes(exchange)
    settle(exchange, (alice, bob), exchange.settlement(alice, bob, changes), changes)
    exchange.publish()
    traded = bob.after(changes, -1)
    exchange.prove(traded, exchange.check(traded, RuleKind.MAINTENANCE, epoch=2))
    exchange.prove(traded, exchange.check(traded, RuleKind.INITIAL, epoch=2))
    state = exchange.house.account_state(bob.account)
    assert (state.initial_epoch, state.maintenance_epoch) == (2, 2)
    assert state.proven_epoch(RuleKind.MAINTENANCE) == state.proven_epoch(RuleKind.INITIAL) == 2


def test_events_tell_what_is_public(exchange: Exchange, alice: Holder, bob: Holder) -> None:
    changes = trade_changes(exchange)
    settlement = exchange.settlement(alice, bob, changes)
    settle(exchange, (alice, bob), settlement, changes)
    exchange.prove(alice.after(changes, 1), exchange.check(alice.after(changes, 1), RuleKind.MAINTENANCE))
    interface = contract_interface("ClearingHouse")
    logs = exchange.chain.logs(exchange.house.address, [], from_block=0)
    names = [interface.event_names()[log.topics[0]] for log in logs]
    values = [interface.decode_event(name, log) for name, log in zip(names, logs, strict=True)]
    own = [name for name in names if name not in {"OwnershipTransferred", "GuardianSet"}]
    assert own == ["Deposited", "Deposited", "Settled", "MarginProven"]
    values = values[-len(own) :]
    assert values[0] == {"account": alice.account, "token": 0, "ticks": DEPOSIT, "stateVersion": 1}
    assert values[2] == {
        "action": settlement.action,
        "epoch": 1,
        "accounts": (alice.account, bob.account),
        "legs": tuple(leg.as_tuple() for leg in settlement.legs),
    }
    assert values[3] == {"account": alice.account, "epoch": 1, "kind": int(RuleKind.MAINTENANCE)}


def test_python_and_contract_agree_on_what_is_bound(exchange: Exchange, alice: Holder, bob: Holder) -> None:
    interface = contract_interface("ClearingHouse")
    check = exchange.check(alice, RuleKind.MAINTENANCE)
    settlement = exchange.settlement(alice, bob, trade_changes(exchange))

    def ask(function: str, *arguments: object) -> tuple[object, ...]:
        answer = exchange.chain.call(exchange.house.address, interface.encode_call(function, *arguments))
        return interface.decode_result(function, answer)

    domain = house_domain(exchange.chain.chain_id, exchange.house.address)
    for action in (NO_ACTION, settlement.action):
        assert ask("proofContext", check.as_tuple(), action) == (exchange.house.context(check, action),)
    digest = SETTLEMENT_TYPE.digest(domain, settlement.values())
    assert ask("settlementHashes", settlement.as_tuple()) == (settlement.action, digest)
    leg = OpenLeg(alice.account, bob.account, 2**255, 4, ALL_BOOKS, 9, 2**40, settlement.legs[0].differences)
    assert ask("openLegHashes", leg.as_tuple()) == (leg.leg_hash, OPEN_LEG_TYPE.digest(domain, leg.values()))
    withdrawal = Withdrawal(alice.account, 3, 1, 1, 77, bob.owner.address)
    assert ask("withdrawalHash", withdrawal.as_tuple()) == (withdrawal.action,)
    lien = Lien(alice.account, 3, 1, 1, 77, bob.owner.address)
    assert ask("lienHash", lien.as_tuple()) == (lien.action,)
    assert ask("exitContext", alice.account, 3) == (exchange.house.exit_context(alice.account, 3),)


def test_maintenance_may_be_proven_at_the_epoch_before(exchange: Exchange, alice: Holder) -> None:
    exchange.publish()
    assert refusal(lambda: exchange.prove(alice, exchange.check(alice, RuleKind.INITIAL))).name == (
        "RuleRegistryEpochNotUsable"
    )
    exchange.prove(alice, exchange.check(alice, RuleKind.MAINTENANCE))
    assert exchange.house.account_state(alice.account).maintenance_epoch == 1


# --- Deposits that are refused --------------------------------------------------------------------------------------


def test_a_deposit_beyond_the_range_is_refused(exchange: Exchange, alice: Holder) -> None:
    limit = exchange.house.deposit_limit()
    assert limit == SMALL.value_bound // 2 - 1
    present = exchange.commitments(alice.openings)[0]
    exchange.fund(alice.owner, limit)
    error = refusal(lambda: exchange.house.deposit(alice.owner, 0, 0, limit - DEPOSIT + 1, present))
    assert error.name == "CollateralVaultCapExceeded"
    assert error.arguments == {"token": 0, "netDeposits": limit + 1, "cap": limit}
    exchange.house.deposit(alice.owner, 0, 0, limit - DEPOSIT, present)


def test_an_account_at_the_limit_of_deposits_still_proves(exchange: Exchange) -> None:
    limit = exchange.house.deposit_limit()
    holder = exchange.open(3)
    exchange.fund(holder.owner, limit)
    exchange.house.deposit(holder.owner, 0, 0, limit - DEPOSIT, exchange.commitments(holder.openings)[0])
    cash = tuple(limit if slot == 0 else 0 for slot in range(SMALL.slots))
    full = replace(holder, version=2, openings=(replace(holder.openings[0], positions=cash), holder.openings[1]))
    for kind in PUBLISHED_KINDS:
        exchange.prove(full, exchange.check(full, kind))


def test_deposits_of_nothing_or_on_a_false_commitment_are_refused(exchange: Exchange, alice: Holder) -> None:
    present = exchange.commitments(alice.openings)[0]
    nothing = refusal(lambda: exchange.house.deposit(alice.owner, 0, 0, 0, present))
    assert nothing.name == "CollateralVaultNothingDeposited"
    assert refusal(lambda: exchange.house.deposit(alice.owner, 0, 2, 1, present)).name == "CollateralVaultNoSuchToken"
    exchange.fund(alice.owner, 1)
    error = refusal(lambda: exchange.house.deposit(alice.owner, 0, 0, 1, INFINITY))
    assert error.name == f"{PREFIX}CommitmentMismatch"
    assert error.arguments == {
        "account": alice.account,
        "book": 0,
        "given": keccak(INFINITY),
        "stored": keccak(present),
    }
    error = refusal(lambda: exchange.house.deposit(alice.owner, 0, 0, 1, present + b"\x00"))
    assert error.name == f"{PREFIX}PointsLengthWrong"


def test_deposits_need_tokens_and_allowance(exchange: Exchange) -> None:
    pauper = exchange.running.account(7)
    error = refusal(lambda: exchange.house.deposit(pauper, 0, 0, 1, INFINITY))
    assert error.name == "ERC20InsufficientAllowance"
    assert exchange.house.account_state(Holder(pauper, 0, 0, ()).account).state_version == 0


# --- Checks that are refused ----------------------------------------------------------------------------------------


def test_a_check_for_an_account_without_deposit_is_refused(exchange: Exchange) -> None:
    stranger = Holder(exchange.running.account(6), 0, 0, ())
    check = exchange.check(stranger, RuleKind.MAINTENANCE)
    evidence = MarginEvidence((INFINITY,), b"", b"")
    error = refusal(lambda: exchange.house.prove_margin(exchange.publisher, check, evidence))
    assert error.name == f"{PREFIX}AccountNotOpen"


def test_a_replayed_check_records_nothing(exchange: Exchange, alice: Holder) -> None:
    check = exchange.check(alice, RuleKind.MAINTENANCE)
    exchange.prove(alice, check)
    error = refusal(lambda: exchange.prove(alice, check))
    assert error.name == f"{PREFIX}AlreadyProven"
    assert error.arguments == {
        "account": alice.account,
        "kind": int(RuleKind.MAINTENANCE),
        "epoch": 1,
        "provenEpoch": 1,
    }


def test_a_check_of_an_earlier_state_is_refused(exchange: Exchange, alice: Holder) -> None:
    check = exchange.check(alice, RuleKind.MAINTENANCE)
    exchange.fund(alice.owner, 1)
    exchange.house.deposit(alice.owner, 0, 0, 1, exchange.commitments(alice.openings)[0])
    error = refusal(lambda: exchange.prove(alice, check))
    assert error.name == f"{PREFIX}StateVersionMismatch"
    assert error.arguments == {"account": alice.account, "given": 1, "current": 2}


def test_a_check_must_cover_the_books_that_were_touched(exchange: Exchange, alice: Holder, bob: Holder) -> None:
    """Neither fewer books nor more: after the trade both of them, before it the first alone."""
    check = exchange.check(alice, RuleKind.MAINTENANCE)
    present = exchange.commitments(alice.openings)
    more = refusal(lambda: recorded_check(exchange, alice, check, portfolio=present))
    assert more.name == f"{PREFIX}PointsLengthWrong"
    assert more.arguments == {"length": BOOKS * POINT_BYTES, "expected": POINT_BYTES}
    other = refusal(lambda: recorded_check(exchange, alice, check, portfolio=present[1:]))
    assert other.name == f"{PREFIX}CommitmentMismatch"
    changes = trade_changes(exchange)
    settle(exchange, (alice, bob), exchange.settlement(alice, bob, changes), changes)
    traded = alice.after(changes, 1)
    check = exchange.check(traded, RuleKind.MAINTENANCE)
    fewer = refusal(lambda: recorded_check(exchange, replace(traded, books=1), check))
    assert fewer.name == f"{PREFIX}PointsLengthWrong"
    assert fewer.arguments == {"length": POINT_BYTES, "expected": BOOKS * POINT_BYTES}


def test_a_check_under_the_other_rule_or_account_is_refused(exchange: Exchange, alice: Holder) -> None:
    made = exchange.proof(exchange.check(alice, RuleKind.MAINTENANCE), alice.openings, books=1)
    evidence = exchange.evidence(alice, made)
    twin = exchange.open(1, subaccount=9)
    for check in (exchange.check(alice, RuleKind.INITIAL), exchange.check(twin, RuleKind.MAINTENANCE)):
        with pytest.raises(ContractRevertedError) as caught:
            exchange.house.prove_margin(alice.owner, check, evidence)
        assert caught.value.name == "MarginVerifierInverseHintMismatch"


def test_a_position_in_a_dead_slot_has_no_proof(exchange: Exchange, alice: Holder) -> None:
    """The rule gives the slot no price, and so no row of it fails; the mask's does."""
    positions = list(alice.openings[0].positions)
    positions[LISTED] = -1
    held = replace(alice.openings[0], positions=tuple(positions))
    with pytest.raises(ArgumentError):
        exchange.proof(exchange.check(alice, RuleKind.MAINTENANCE), (held, alice.openings[1]), books=1)


def test_a_forged_proof_with_its_own_hint_is_refused(exchange: Exchange, alice: Holder) -> None:
    """The proof is honest for another house; the hint is the right one for the context that is checked here."""
    check = exchange.check(alice, RuleKind.MAINTENANCE)
    foreign = exchange.proof(check, alice.openings, action=b"\x01" * 32, books=alice.books)
    here = replace(foreign.statement, context=exchange.house.context(check))
    hint = claim_hint(exchange.key, here, foreign.proof, with_opening=False)
    error = refusal(lambda: recorded_check(exchange, alice, check, proof=foreign.proof, hint=hint))
    assert error.name == "MarginVerifierRejected"
    assert "prove again" in str(error)


def test_proofs_are_bound_to_chain_and_house(exchange: Exchange, alice: Holder) -> None:
    check = exchange.check(alice, RuleKind.INITIAL)
    own = exchange.house.context(check)
    assert proof_context(exchange.chain.chain_id + 1, exchange.house.address, check) != own
    assert proof_context(exchange.chain.chain_id, exchange.registry.address, check) != own


def test_a_check_at_a_stale_or_unknown_epoch_is_refused(exchange: Exchange, alice: Holder) -> None:
    unknown = refusal(lambda: exchange.prove(alice, exchange.check(alice, RuleKind.MAINTENANCE, epoch=2)))
    assert unknown.name == "RuleRegistryEpochNotUsable"
    exchange.advance(MAXIMUM_AGE + 60)
    stale = refusal(lambda: exchange.prove(alice, exchange.check(alice, RuleKind.MAINTENANCE)))
    assert stale.name == "RuleRegistryStaleEpoch"


def test_the_epoch_before_serves_for_three_minutes_only(exchange: Exchange, alice: Holder) -> None:
    exchange.publish()
    exchange.advance(GRACE_SECONDS + 1)
    error = refusal(lambda: exchange.prove(alice, exchange.check(alice, RuleKind.MAINTENANCE)))
    assert error.name == "RuleRegistryEpochNotUsable"
    assert error.arguments == {"epoch": 1, "active": 2, "kind": int(RuleKind.MAINTENANCE)}


# --- Trades that are refused ----------------------------------------------------------------------------------------


def test_a_trade_runs_once(exchange: Exchange, alice: Holder, bob: Holder) -> None:
    changes = trade_changes(exchange)
    settlement = exchange.settlement(alice, bob, changes)
    settle(exchange, (alice, bob), settlement, changes)
    error = refusal(lambda: settle(exchange, (alice, bob), settlement, changes))
    assert error.name in {f"{PREFIX}StateVersionMismatch", f"{PREFIX}NonceUsed"}
    assert error.arguments["account"] == alice.account


def test_a_nonce_that_was_invalidated_voids_the_trade(exchange: Exchange, alice: Holder, bob: Holder) -> None:
    changes = trade_changes(exchange)
    settlement = exchange.settlement(alice, bob, changes)
    nonce = settlement.participants[1].nonce
    exchange.house.invalidate_nonces(bob.owner, bob.account, nonce // 256, 1 << nonce % 256)
    error = refusal(lambda: settle(exchange, (alice, bob), settlement, changes))
    assert error.name == f"{PREFIX}NonceUsed"
    assert error.arguments == {"account": bob.account, "nonce": nonce}


def test_a_trade_after_its_deadline_is_refused(exchange: Exchange, alice: Holder, bob: Holder) -> None:
    changes = trade_changes(exchange)
    settlement = exchange.settlement(alice, bob, changes)
    exchange.advance(TRADE_SECONDS + 1)
    error = refusal(lambda: settle(exchange, (alice, bob), settlement, changes))
    assert error.name == "ClearingHouseDeadlineExpired"
    assert error.arguments["deadline"] == settlement.deadline


def test_both_owners_must_sign_this_trade(exchange: Exchange, alice: Holder, bob: Holder) -> None:
    changes = trade_changes(exchange)
    settlement = exchange.settlement(alice, bob, changes)
    altered = replace(settlement, deadline=settlement.deadline + 1)

    def swapped(first: SettlementSide, second: SettlementSide) -> tuple[SettlementSide, SettlementSide]:
        return replace(first, signature=second.signature), second

    def of_another_trade(first: SettlementSide, second: SettlementSide) -> tuple[SettlementSide, SettlementSide]:
        return first, replace(second, signature=exchange.house.sign(bob.owner, altered))

    for alter, account in ((swapped, alice.account), (of_another_trade, bob.account)):
        with pytest.raises(ContractRevertedError) as caught:
            settle(exchange, (alice, bob), settlement, changes, alter=alter)
        assert caught.value.name == f"{PREFIX}SignatureInvalid"
        assert caught.value.arguments["account"] == account


def test_a_bad_proof_of_either_side_stops_the_trade(exchange: Exchange, alice: Holder, bob: Holder) -> None:
    changes = trade_changes(exchange)
    settlement = exchange.settlement(alice, bob, changes)

    def exchanged(first: SettlementSide, second: SettlementSide) -> tuple[SettlementSide, SettlementSide]:
        return (
            replace(first, proof=second.proof, hint=second.hint),
            replace(second, proof=first.proof, hint=first.hint),
        )

    with pytest.raises(ContractRevertedError) as caught:
        settle(exchange, (alice, bob), settlement, changes, alter=exchanged)
    assert caught.value.name == "MarginVerifierInverseHintMismatch"
    for holder in (alice, bob):
        assert exchange.house.account_state(holder.account).state_version == 1


def test_the_opposite_change_is_another_trade(exchange: Exchange, alice: Holder, bob: Holder) -> None:
    """Both sides prove for the signed difference; the proofs of the opposite one do not fit."""
    changes = trade_changes(exchange)
    settlement = exchange.settlement(alice, bob, changes)
    sides = (
        exchange.side(alice, settlement, changes, sign=-1),
        exchange.side(bob, settlement, changes, sign=1),
    )
    error = refusal(lambda: exchange.house.settle(exchange.publisher, settlement, 1, sides))
    assert error.name == "MarginVerifierInverseHintMismatch"


def bent_sides(
    exchange: Exchange, holders: tuple[Holder, Holder], bent: Settlement, changes: tuple[BookOpening, ...]
) -> list[SettlementSide]:
    """Both sides sign a settlement with other differences than they proved."""
    honest = exchange.settlement(*holders, changes)
    return [
        replace(exchange.side(holder, honest, changes, sign=sign), signature=exchange.house.sign(holder.owner, bent))
        for holder, sign in zip(holders, (1, -1), strict=True)
    ]


def with_differences(settlement: Settlement, *differences: bytes) -> Settlement:
    """The same trade with another leg."""
    return replace(settlement, legs=(replace(settlement.legs[0], differences=differences),))


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(bytes(COORDINATE_BYTES) + BASE_MODULUS.to_bytes(COORDINATE_BYTES, "big"), id="y = p"),
        pytest.param(bytes(POINT_BYTES - 1) + b"\x01", id="off the curve"),
    ],
)
def test_a_difference_that_is_no_point_is_refused(point: bytes, exchange: Exchange, alice: Holder, bob: Holder) -> None:
    changes = trade_changes(exchange)
    settlement = exchange.settlement(alice, bob, changes)
    bent = with_differences(settlement, settlement.legs[0].differences[0], point)
    sides = bent_sides(exchange, (alice, bob), bent, changes)
    error = refusal(lambda: exchange.house.settle(exchange.publisher, bent, 1, sides))
    assert error.name == "Bls12381PrecompileFailed"
    assert error.arguments == {"precompile": 0x0B, "returnedBytes": 0}


def added_on_chain(exchange: Exchange, left: bytes, right: bytes) -> bytes:
    """Sum of two points by the precompile, which does not look at the subgroup."""
    spread = b"".join(bytes(16) + half for point in (left, right) for half in (point[:48], point[48:]))
    total = exchange.chain.call(f"0x{0x0B:040x}", spread)
    return total[16:64] + total[80:]


def negative(point: bytes) -> bytes:
    """(x, p − y)."""
    height = BASE_MODULUS - int.from_bytes(point[COORDINATE_BYTES:], "big")
    return point[:COORDINATE_BYTES] + height.to_bytes(COORDINATE_BYTES, "big")


def test_a_difference_outside_the_subgroup_is_refused(exchange: Exchange, alice: Holder, bob: Holder) -> None:
    """The hints fit the very points that the house computes, so that only the subgroup stops it."""
    changes = trade_changes(exchange)
    honest = exchange.settlement(alice, bob, changes)
    outside = added_on_chain(exchange, honest.legs[0].differences[1], ORDER_THREE)
    bent = with_differences(honest, honest.legs[0].differences[0], outside)
    matrix = exchange.registry.statement_matrix(1, RuleKind.INITIAL, ALL_BOOKS)

    def hinted(holder: Holder, side: SettlementSide, *, sign: int, untouched: bytes) -> SettlementSide:
        after = exchange.commitments(holder.after(changes, sign).openings)
        context = exchange.house.context(bent.check_of(holder.account, 1), bent.action)
        statement = Statement(context, (after[0], untouched), matrix)
        return replace(side, hint=claim_hint(exchange.key, statement, side.proof, with_opening=True))

    first, second = bent_sides(exchange, (alice, bob), bent, changes)
    first = hinted(alice, first, sign=1, untouched=outside)
    second = hinted(bob, second, sign=-1, untouched=negative(outside))
    error = refusal(lambda: exchange.house.settle(exchange.publisher, bent, 1, [first, second]))
    assert error.name == "Bls12381InvalidPoint"
    assert error.arguments == {"point": outside}


def test_a_trade_at_a_superseded_epoch_is_refused(exchange: Exchange, alice: Holder, bob: Holder) -> None:
    changes = trade_changes(exchange)
    settlement = exchange.settlement(alice, bob, changes)
    exchange.publish()
    error = refusal(lambda: settle(exchange, (alice, bob), settlement, changes))
    assert error.name == "RuleRegistryEpochNotUsable"
