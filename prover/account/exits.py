"""Exits: an account shows that it holds public amounts of collateral and nothing else, without a rule or a price.

It is transparent afterwards, so that its holdings can be withdrawn even while nobody publishes prices. Its commitments
stay, and with them the blinds in the wallet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prover.argument.exit_prover import prove_exit
from prover.errors import WithdrawalError
from verifier.chain.account_state import AccountStatus
from verifier.chain.withdrawal_terms import AccountExit
from verifier.exit_proof import decode_exit_proof

if TYPE_CHECKING:
    from prover.account.account_session import AccountSession
    from verifier.chain.chain_client import Receipt


def prepare_exit(session: AccountSession) -> AccountExit:
    """Prove that nothing but collateral is left.

    Raises:
        ArgumentError: a position is left, or a token is owed.
        WithdrawalError: the account is transparent already.
        OperatorError: the account is not the signer's.
        WalletOutOfDateError: the chain holds a commitment that the wallet has no opening of.
    """
    venue = session.venue
    session.owned()
    record, state = session.refresh()
    if state.status is AccountStatus.TRANSPARENT:
        raise WithdrawalError("the account is transparent already: withdraw what it holds")
    made = prove_exit(
        record.current.of_books(state.open_books),
        slots=[terms.slot for terms in venue.vault.tokens()],
        context=venue.house.exit_context(session.account, state.state_version),
        shape=venue.shape,
        setup=venue.setup,
    )
    proof = decode_exit_proof(made.proof)
    return AccountExit(
        account=session.account,
        state_version=state.state_version,
        holdings=made.statement.holdings,
        portfolio=made.statement.commitments,
        nonce=proof.nonce,
        response=proof.response,
    )


def submit_exit(session: AccountSession, leaving: AccountExit) -> Receipt:
    """Have an exit checked; the account is transparent from then on.

    Raises:
        ContractRevertedError: the house or the exit verifier refused, by a named error.
    """
    receipt = session.venue.house.exit(session.owned(), leaving)
    session.refresh()
    return receipt
