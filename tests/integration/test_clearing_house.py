"""Deposits, hidden trades and margin checks with real proofs on a real chain; every refusal by its name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest
from eth_hash.auto import keccak

from tests.support.exchange import BOOKS, DEPOSIT, MAXIMUM_AGE, TRADE_SECONDS, Exchange, Holder
from verifier.calldata import claim_hint
from verifier.chain.clearing_terms import NO_ACTION, MarginCheck, proof_context
from verifier.chain.contract_interface import contract_interface
from verifier.curve import BASE_MODULUS, COORDINATE_BYTES, INFINITY, POINT_BYTES
from verifier.errors import ContractRevertedError, MalformedInputError
from verifier.portfolio_commitment import add_commitments, credit_commitment, subtract_commitments
from verifier.rules.rule_kind import RuleKind
from verifier.shape import SMALL
from verifier.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Callable

    from prover.argument.witness import BookOpening
    from verifier.chain.chain_client import Receipt
    from verifier.chain.clearing_terms import Settlement, SettlementSide

PREFIX: Final = "ClearingHouse"
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
    return exchange.house.settle(exchange.publisher, settlement, *sides)


def recorded_check(
    exchange: Exchange, holder: Holder, check: MarginCheck, **bent: bytes | tuple[bytes, ...]
) -> Receipt:
    """Prove a check honestly and send it with some fields bent."""
    made = exchange.proof(check, holder.openings)
    fields = {
        "portfolio": made.statement.portfolio_commitments,
        "proof": made.proof,
        "hint": claim_hint(exchange.key, made.statement, made.proof, with_opening=False),
    }
    return exchange.house.prove_margin(holder.owner, check, **{**fields, **bent})  # type: ignore[arg-type]  # by name


# --- What happens ---------------------------------------------------------------------------------------------------


def test_a_deposit_is_credited_by_the_contract(exchange: Exchange, alice: Holder) -> None:
    state = exchange.house.account_state(alice.account)
    assert (state.state_version, state.deposited, state.books) == (1, DEPOSIT, 1)
    credited = credit_commitment(INFINITY, 0, DEPOSIT, shape=SMALL, setup=exchange.setup)
    assert hashes_of(exchange, alice.account) == [keccak(credited), bytes(32)]
    exchange.fund(alice.owner, 5)
    exchange.house.deposit(alice.owner, 0, 5, credited)
    again = credit_commitment(credited, 0, 5, shape=SMALL, setup=exchange.setup)
    assert exchange.house.commitment_hash(alice.account, 0) == keccak(again)
    assert exchange.house.account_state(alice.account).deposited == DEPOSIT + 5


def test_a_hidden_trade_conserves_what_there_is(exchange: Exchange, alice: Holder, bob: Holder) -> None:
    changes = trade_changes(exchange)
    settlement = exchange.settlement(alice, bob, changes)
    settle(exchange, (alice, bob), settlement, changes)
    before = exchange.commitments(alice.openings)
    after_alice = [add_commitments(own, more) for own, more in zip(before, settlement.differences, strict=True)]
    after_bob = [subtract_commitments(own, more) for own, more in zip(before, settlement.differences, strict=True)]
    assert hashes_of(exchange, alice.account) == [keccak(point) for point in after_alice]
    assert hashes_of(exchange, bob.account) == [keccak(point) for point in after_bob]
    for holder in (alice, bob):
        state = exchange.house.account_state(holder.account)
        assert (state.state_version, state.initial_epoch, state.books) == (2, 1, BOOKS)
    total = credit_commitment(INFINITY, 0, 2 * DEPOSIT, shape=SMALL, setup=exchange.setup)
    assert add_commitments(after_alice[0], after_bob[0]) == total
    assert add_commitments(after_alice[1], after_bob[1]) == INFINITY


def test_margin_is_proven_before_and_after_a_trade(exchange: Exchange, alice: Holder, bob: Holder) -> None:
    exchange.prove(alice, exchange.check(alice, RuleKind.MAINTENANCE))
    changes = trade_changes(exchange)
    settle(exchange, (alice, bob), exchange.settlement(alice, bob, changes), changes)
    exchange.advance(60)
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
    assert names == ["Deposited", "Deposited", "Settled", "MarginProven"]
    assert values[0] == {"account": alice.account, "ticks": DEPOSIT, "deposited": DEPOSIT, "stateVersion": 1}
    assert values[2] == {
        "first": alice.account,
        "second": bob.account,
        "epoch": 1,
        "settlement": settlement.action,
        "differences": b"".join(settlement.differences),
    }
    assert values[3] == {"account": alice.account, "epoch": 1, "kind": int(RuleKind.MAINTENANCE)}


def test_python_and_contract_agree_on_what_is_bound(exchange: Exchange, alice: Holder, bob: Holder) -> None:
    interface = contract_interface("ClearingHouse")
    check = exchange.check(alice, RuleKind.MAINTENANCE)
    settlement = exchange.settlement(alice, bob, trade_changes(exchange))

    def ask(function: str, *arguments: object) -> tuple[object, ...]:
        answer = exchange.chain.call(exchange.house.address, interface.encode_call(function, *arguments))
        return interface.decode_result(function, answer)

    for action in (NO_ACTION, settlement.action):
        assert ask("proofContext", check.as_tuple(), action) == (exchange.house.context(check, action),)
    assert ask("settlementHashes", settlement.as_tuple())[0] == settlement.action


def test_maintenance_may_be_proven_at_the_epoch_before(exchange: Exchange, alice: Holder) -> None:
    exchange.advance(60)
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
    error = refusal(lambda: exchange.house.deposit(alice.owner, 0, limit - DEPOSIT + 1, present))
    assert error.name == f"{PREFIX}DepositOutOfRange"
    assert error.arguments == {"account": alice.account, "deposited": limit + 1, "limit": limit}
    exchange.house.deposit(alice.owner, 0, limit - DEPOSIT, present)


def test_an_account_at_the_limit_of_deposits_still_proves(exchange: Exchange) -> None:
    limit = exchange.house.deposit_limit()
    holder = exchange.open(3)
    exchange.fund(holder.owner, limit)
    exchange.house.deposit(holder.owner, 0, limit - DEPOSIT, exchange.commitments(holder.openings)[0])
    cash = tuple(limit if slot == 0 else 0 for slot in range(SMALL.slots))
    full = replace(holder, version=2, openings=(replace(holder.openings[0], positions=cash), holder.openings[1]))
    for kind in RuleKind:
        exchange.prove(full, exchange.check(full, kind))


def test_deposits_of_nothing_or_on_a_false_commitment_are_refused(exchange: Exchange, alice: Holder) -> None:
    present = exchange.commitments(alice.openings)[0]
    assert refusal(lambda: exchange.house.deposit(alice.owner, 0, 0, present)).name == f"{PREFIX}NothingDeposited"
    error = refusal(lambda: exchange.house.deposit(alice.owner, 0, 1, INFINITY))
    assert error.name == f"{PREFIX}CommitmentMismatch"
    assert error.arguments == {
        "account": alice.account,
        "book": 0,
        "given": keccak(INFINITY),
        "stored": keccak(present),
    }
    error = refusal(lambda: exchange.house.deposit(alice.owner, 0, 1, present + b"\x00"))
    assert error.name == f"{PREFIX}CommitmentLengthWrong"


def test_deposits_need_tokens_and_allowance(exchange: Exchange) -> None:
    pauper = exchange.running.account(7)
    error = refusal(lambda: exchange.house.deposit(pauper, 0, 1, INFINITY))
    assert error.name == "ERC20InsufficientAllowance"
    assert exchange.house.account_state(Holder(pauper, 0, 0, ()).account).state_version == 0


# --- Checks that are refused ----------------------------------------------------------------------------------------


def test_a_check_for_an_account_without_deposit_is_refused(exchange: Exchange) -> None:
    stranger = Holder(exchange.running.account(6), 0, 0, ())
    check = exchange.check(stranger, RuleKind.MAINTENANCE)
    error = refusal(
        lambda: exchange.house.prove_margin(
            exchange.publisher, check, portfolio=(INFINITY,) * BOOKS, proof=b"", hint=b""
        )
    )
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
    exchange.house.deposit(alice.owner, 0, 1, exchange.commitments(alice.openings)[0])
    error = refusal(lambda: exchange.prove(alice, check))
    assert error.name == f"{PREFIX}StateVersionMismatch"
    assert error.arguments == {"account": alice.account, "given": 1, "current": 2}


def test_a_check_with_another_commitment_is_refused(exchange: Exchange, alice: Holder) -> None:
    check = exchange.check(alice, RuleKind.MAINTENANCE)
    present = exchange.commitments(alice.openings)
    swapped = refusal(lambda: recorded_check(exchange, alice, check, portfolio=(present[1], present[0])))
    assert swapped.name == f"{PREFIX}CommitmentMismatch"
    untouched = refusal(lambda: recorded_check(exchange, alice, check, portfolio=(present[0], present[0])))
    assert untouched.name == f"{PREFIX}CommitmentMismatch"
    assert untouched.arguments["book"] == 1
    short = refusal(lambda: recorded_check(exchange, alice, check, portfolio=present[:1]))
    assert short.name == f"{PREFIX}CommitmentLengthWrong"
    assert short.arguments == {"length": POINT_BYTES, "expected": BOOKS * POINT_BYTES}


def test_a_check_under_the_other_rule_or_account_is_refused(exchange: Exchange, alice: Holder) -> None:
    made = exchange.proof(exchange.check(alice, RuleKind.MAINTENANCE), alice.openings)
    hint = claim_hint(exchange.key, made.statement, made.proof, with_opening=False)
    other = exchange.check(alice, RuleKind.INITIAL)
    twin = exchange.open(1, subaccount=9)
    for check in (other, exchange.check(twin, RuleKind.MAINTENANCE)):
        error = refusal(
            lambda check=check: exchange.house.prove_margin(  # type: ignore[misc]  # bound by default
                alice.owner, check, portfolio=exchange.commitments(alice.openings), proof=made.proof, hint=hint
            )
        )
        assert error.name == "MarginVerifierInverseHintMismatch"


def test_a_forged_proof_with_its_own_hint_is_refused(exchange: Exchange, alice: Holder) -> None:
    """The proof is honest for another house; the hint is the right one for the context that is checked here."""
    check = exchange.check(alice, RuleKind.MAINTENANCE)
    foreign = exchange.proof(check, alice.openings, action=b"\x01" * 32)
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
    exchange.advance(60)
    exchange.publish()
    exchange.advance(GRACE_SECONDS + 1)
    error = refusal(lambda: exchange.prove(alice, exchange.check(alice, RuleKind.MAINTENANCE)))
    assert error.name == "RuleRegistryEpochNotUsable"
    assert error.arguments == {"epoch": 1, "active": 2, "kind": int(RuleKind.MAINTENANCE)}


# --- Trades that are refused ----------------------------------------------------------------------------------------


def test_an_account_cannot_trade_with_itself(exchange: Exchange, alice: Holder) -> None:
    changes = trade_changes(exchange)
    with pytest.raises(MalformedInputError, match="cannot trade with itself"):
        exchange.settlement(alice, alice, changes)
    terms = (alice.account, alice.account, 1, 1, 1, 2**40, bytes(BOOKS * POINT_BYTES))
    side = (b"", b"", b"", b"")
    data = contract_interface("ClearingHouse").encode_call("settle", terms, side, side)
    error = refusal(lambda: exchange.chain.send(alice.owner, data, to=exchange.house.address))
    assert error.name == f"{PREFIX}SameAccount"


def test_a_trade_runs_once(exchange: Exchange, alice: Holder, bob: Holder) -> None:
    changes = trade_changes(exchange)
    settlement = exchange.settlement(alice, bob, changes)
    settle(exchange, (alice, bob), settlement, changes)
    error = refusal(lambda: settle(exchange, (alice, bob), settlement, changes))
    assert error.name == f"{PREFIX}StateVersionMismatch"
    assert error.arguments == {"account": alice.account, "given": 1, "current": 2}


def test_a_trade_after_its_deadline_is_refused(exchange: Exchange, alice: Holder, bob: Holder) -> None:
    changes = trade_changes(exchange)
    settlement = exchange.settlement(alice, bob, changes)
    exchange.advance(TRADE_SECONDS + 1)
    error = refusal(lambda: settle(exchange, (alice, bob), settlement, changes))
    assert error.name == f"{PREFIX}DeadlineExpired"
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
    error = refusal(lambda: exchange.house.settle(exchange.publisher, settlement, *sides))
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
    bent = replace(settlement, differences=(settlement.differences[0], point))
    sides = bent_sides(exchange, (alice, bob), bent, changes)
    error = refusal(lambda: exchange.house.settle(exchange.publisher, bent, *sides))
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
    outside = added_on_chain(exchange, honest.differences[1], ORDER_THREE)
    bent = replace(honest, differences=(honest.differences[0], outside))

    def hinted(holder: Holder, side: SettlementSide, *, sign: int, untouched: bytes) -> SettlementSide:
        after = exchange.commitments(holder.after(changes, sign).openings)
        context = exchange.house.context(bent.check_of(holder.account), bent.action)
        statement = Statement(context, (after[0], untouched), exchange.rules[RuleKind.INITIAL].commitments)
        return replace(side, hint=claim_hint(exchange.key, statement, side.proof, with_opening=True))

    first, second = bent_sides(exchange, (alice, bob), bent, changes)
    first = hinted(alice, first, sign=1, untouched=outside)
    second = hinted(bob, second, sign=-1, untouched=negative(outside))
    error = refusal(lambda: exchange.house.settle(exchange.publisher, bent, first, second))
    assert error.name == "Bls12381InvalidPoint"
    assert error.arguments == {"point": outside}


def test_a_trade_needs_a_difference_for_every_book(exchange: Exchange, alice: Holder, bob: Holder) -> None:
    changes = trade_changes(exchange)
    settlement = exchange.settlement(alice, bob, changes)
    short = replace(settlement, differences=settlement.differences[:1])
    sides = bent_sides(exchange, (alice, bob), short, changes)
    error = refusal(lambda: exchange.house.settle(exchange.publisher, short, *sides))
    assert error.name == f"{PREFIX}CommitmentLengthWrong"


def test_a_trade_at_a_superseded_epoch_is_refused(exchange: Exchange, alice: Holder, bob: Holder) -> None:
    changes = trade_changes(exchange)
    settlement = exchange.settlement(alice, bob, changes)
    exchange.advance(60)
    exchange.publish()
    error = refusal(lambda: settle(exchange, (alice, bob), settlement, changes))
    assert error.name == "RuleRegistryEpochNotUsable"
