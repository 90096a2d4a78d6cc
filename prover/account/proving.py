"""Margin proofs of an account at a venue, and having them recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prover.account.account_session import portfolio_of
from prover.argument.argument import MarginProof, prove
from verifier.calldata import claim_hint
from verifier.chain.clearing_terms import NO_ACTION, MarginCheck
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
    session: AccountSession, rules: EpochRules, opening: Opening, check: MarginCheck, action: bytes = NO_ACTION
) -> MarginProof:
    """Prove the rule that ``check`` names of an opening, bound to check and action.

    Raises:
        InsufficientMarginError: rows that fail.
        MaskedSlotError: a position in a slot that must be empty.
        PublishedRuleError: the registry's rule is not the market's.
    """
    built = rules.built(check.kind)
    covering = opening.covering(built.matrix.books, built.matrix.shape.slots)
    witness = built.witness(covering.book_openings())
    return prove(
        setup=session.venue.setup,
        rule=rules.prepared(check.kind),
        witness=witness,
        context=session.venue.house.context(check, action),
    )


def prepare_check(session: AccountSession, rules: EpochRules, kind: RuleKind) -> PreparedCheck:
    """Prove that the account fulfils a rule of the active epoch.

    Raises:
        InsufficientMarginError: rows that fail.
        WalletOutOfDateError: the chain holds a commitment that the wallet has no opening of.
    """
    record, state = session.refresh()
    portfolio_of(record, record.current, rules.slots)
    check = MarginCheck(session.account, state.state_version, rules.header.epoch, kind)
    made = prove_opening(session, rules, record.current, check)
    hint = claim_hint(session.venue.key, made.statement, made.proof, with_opening=False)
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
    return session.venue.house.prove_margin(
        session.owner,
        prepared.check,
        portfolio=prepared.made.statement.portfolio_commitments,
        proof=prepared.made.proof,
        hint=prepared.hint,
    )
