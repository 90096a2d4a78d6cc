"""Margin proofs of an account at a venue, and having them recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prover.account.account_session import portfolio_of
from prover.argument.argument import MarginProof, prove
from verifier.books import books_in
from verifier.calldata import claim_hint
from verifier.chain.clearing_terms import NO_ACTION, MarginCheck, MarginEvidence
from verifier.claim_file import claim_fields

if TYPE_CHECKING:
    from prover.account.account_session import AccountSession
    from prover.account.venue import Venue
    from prover.account.wallet_records import Opening
    from prover.rules.rule_book import EpochRules
    from verifier.chain.chain_client import Receipt
    from verifier.rules.rule_kind import RuleKind


@dataclass(frozen=True, slots=True)
class PreparedCheck:
    """A margin check ready to be sent; nothing in it is secret.

    Attributes:
        check: what is proven of which account.
        made: statement and proof.
        hint: goes with the proof.
    """

    check: MarginCheck
    made: MarginProof
    hint: bytes


def prove_opening(
    session: AccountSession,
    rules: EpochRules,
    opening: Opening,
    check: MarginCheck,
    *,
    books: int,
    action: bytes = NO_ACTION,
) -> MarginProof:
    """Prove the rule that ``check`` names of an opening, bound to check and action.

    Args:
        session: whose account.
        rules: of the epoch.
        opening: that is proven.
        check: account, state version, epoch, kind.
        books: bitmap of the books that the proof covers: all that the account has opened.
        action: what the proof accompanies.

    Raises:
        InsufficientMarginError: rows that fail.
        MaskedSlotError: a position in a slot that must be empty.
        ClosedBookError: the rule needs a book that the account has not opened.
        PublishedRuleError: the registry's rule is not the market's.
    """
    opened = books_in(books)
    return prove(
        setup=session.venue.setup,
        rule=rules.prepared(check.kind, opened),
        witness=rules.witness(check.kind, opening.of_books(opened), opened),
        context=session.venue.house.context(check, action),
    )


def evidence_of(session: AccountSession, made: MarginProof, *, before: Opening, books: int) -> MarginEvidence:
    """What goes with an action that needs one proof: commitments before it, proof of those after it, hint."""
    return MarginEvidence(
        portfolio=session.commitments(before, books_in(books)),
        proof=made.proof,
        hint=claim_hint(session.venue.key, made.statement, made.proof, with_opening=False),
    )


def prepare_check(
    session: AccountSession, rules: EpochRules, kind: RuleKind, *, in_batch: bool = False
) -> PreparedCheck:
    """Prove that the account fulfils a rule of the active epoch.

    Args:
        session: whose account.
        rules: of the epoch.
        kind: which rule.
        in_batch: whether the proof is sent together with others (by ``prove_margins``).

    Raises:
        InsufficientMarginError: rows that fail.
        WalletOutOfDateError: the chain holds a commitment that the wallet has no opening of.
    """
    record, state = session.refresh()
    portfolio_of(record, record.current, rules.slots)
    check = MarginCheck(session.account, state.state_version, rules.header.epoch, kind)
    made = prove_opening(session, rules, record.current, check, books=state.books)
    hint = claim_hint(session.venue.key, made.statement, made.proof, with_opening=in_batch)
    return PreparedCheck(check, made, hint)


def claim_of(venue: Venue, prepared: PreparedCheck) -> dict[str, object]:
    """Fields of the claim file that lets anybody check this proof; nothing in it is secret."""
    return claim_fields(
        shape=venue.shape,
        statement=prepared.made.statement,
        proof=prepared.made.proof,
        chain_id=venue.chain.chain_id,
        house=venue.deployment.house,
        check=prepared.check,
    )


def submit_check(session: AccountSession, prepared: PreparedCheck) -> Receipt:
    """Have a proof checked and recorded by the clearing house.

    Raises:
        ContractRevertedError: the house or the verifier refused, by a named error.
    """
    made = prepared.made
    evidence = MarginEvidence(made.statement.portfolio_commitments, made.proof, prepared.hint)
    return session.venue.house.prove_margin(session.signer, prepared.check, evidence)
