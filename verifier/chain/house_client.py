"""Accounts of the clearing house: deposits, hidden trades, margin checks, withdrawals, liens, exits, operators, pauses.

Twins: contracts/ClearingHouse.sol, AccountLedger.sol, HousePause.sol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from eth_utils.address import to_checksum_address

from verifier.chain.account_state import AccountState, HousePause
from verifier.chain.clearing_terms import NO_ACTION, exit_context, proof_context
from verifier.chain.contract_interface import contract_interface

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eth_account.signers.local import LocalAccount

    from verifier.chain.chain_client import ChainClient, Receipt
    from verifier.chain.clearing_terms import MarginCheck, MarginEvidence
    from verifier.chain.open_leg_terms import OpenLeg, OpenLegSignatures, OpenSide
    from verifier.chain.settlement_terms import Settlement, SettlementSide
    from verifier.chain.withdrawal_terms import AccountExit, HoldingsWithdrawal, Lien, Withdrawal

NONCES_PER_WORD: Final = 256
"""Nonces of an account that share a storage slot."""


class HouseClient:
    """The clearing house at an address. What the house or a contract that it calls refuses is a ContractRevertedError.

    Args:
        chain: connection.
        address: of the contract.
    """

    def __init__(self, chain: ChainClient, address: str) -> None:
        self._chain = chain
        self._interface = contract_interface("ClearingHouse")
        self.address = address

    def deposit(self, owner: LocalAccount, subaccount: int, token: int, ticks: int, commitment: bytes) -> Receipt:
        """Deposit collateral into one of the owner's accounts; the vault must have been allowed the tokens.

        Args:
            owner: owner of tokens and account.
            subaccount: number of the account.
            token: which of the vault's tokens.
            ticks: to credit.
            commitment: present commitment of book 0, 96 bytes.
        """
        return self._send(owner, "deposit", subaccount, token, ticks, commitment)

    def merge_inbox(self, sender: LocalAccount, account: bytes, token: int, commitment: bytes) -> Receipt:
        """Credit to an account what others have deposited for it; its owner or an operator.

        Args:
            sender: owner or operator.
            account: identity, 32 bytes.
            token: which of the vault's tokens.
            commitment: present commitment of book 0, 96 bytes.
        """
        return self._send(sender, "mergeInbox", account, token, commitment)

    def settle(
        self, sender: LocalAccount, settlement: Settlement, epoch: int, sides: Sequence[SettlementSide]
    ) -> Receipt:
        """Carry out trades that all participants signed; anyone may send it.

        Args:
            sender: pays.
            settlement: what they signed.
            epoch: at which all proofs were made.
            sides: one a participant, in the same order.
        """
        brought = [side.as_tuple() for side in sides]
        return self._send(sender, "settle", settlement.as_tuple(), epoch, brought)

    def settle_open(
        self,
        sender: LocalAccount,
        legs: Sequence[OpenLeg],
        signatures: Sequence[OpenLegSignatures],
        epoch: int,
        sides: Sequence[OpenSide],
    ) -> Receipt:
        """Carry out open legs together; anyone may send it.

        Args:
            sender: pays.
            legs: each signed on its own.
            signatures: two a leg, in the same order.
            epoch: at which all proofs were made.
            sides: every account of the legs once, in any order.
        """
        signed = [pair.as_tuple() for pair in signatures]
        return self._send(
            sender, "settleOpen", [leg.as_tuple() for leg in legs], signed, epoch, [side.as_tuple() for side in sides]
        )

    def prove_margin(self, sender: LocalAccount, check: MarginCheck, evidence: MarginEvidence) -> Receipt:
        """Have a margin proof checked and recorded; anyone may send it. The hint is that of a proof alone."""
        return self._send(sender, "proveMargin", check.as_tuple(), *evidence.as_tuple())

    def prove_margins(
        self, sender: LocalAccount, checks: Sequence[MarginCheck], evidence: Sequence[MarginEvidence]
    ) -> Receipt:
        """Have several margin proofs checked in one batch, all or none; the hints are those of a batch, 80 bytes."""
        return self._send(
            sender, "proveMargins", [check.as_tuple() for check in checks], [item.as_tuple() for item in evidence]
        )

    def withdraw(self, owner: LocalAccount, withdrawal: Withdrawal, evidence: MarginEvidence) -> Receipt:
        """Withdraw collateral with a proof of initial margin of what stays; paid at once, or queued.

        Args:
            owner: of the account.
            withdrawal: token, amount and recipient, which the proof is bound to.
            evidence: commitments before the withdrawal; proof of those after it.
        """
        return self._send(owner, "withdraw", withdrawal.as_tuple(), *evidence.as_tuple())

    def withdraw_holdings(self, owner: LocalAccount, withdrawal: HoldingsWithdrawal, commitment: bytes) -> Receipt:
        """Withdraw from a transparent account; needs no proof and no epoch, and no pause stops it.

        Args:
            owner: of the account.
            withdrawal: account, token, amount and recipient.
            commitment: present commitment of book 0, 96 bytes.
        """
        return self._send(owner, "withdrawHoldings", *withdrawal.as_tuple(), commitment)

    def grant_lien(self, owner: LocalAccount, lien: Lien, evidence: MarginEvidence) -> Receipt:
        """Set collateral aside for a lender, with a proof of initial margin of what stays."""
        return self._send(owner, "grantLien", lien.as_tuple(), *evidence.as_tuple())

    def exit(self, owner: LocalAccount, leaving: AccountExit) -> Receipt:
        """Show that an account holds public amounts of collateral and nothing else; it becomes transparent."""
        return self._send(owner, "exit", *leaving.as_tuple())

    def set_operator(self, owner: LocalAccount, subaccount: int, operator: str, valid_until: int) -> Receipt:
        """Appoint who signs settlements and merges the inbox beside the owner; 0 dismisses."""
        return self._send(owner, "setOperator", subaccount, operator, valid_until)

    def invalidate_nonces(self, sender: LocalAccount, account: bytes, word: int, bits: int) -> Receipt:
        """Use up nonces, so that what was signed with them is void; its owner or an operator."""
        return self._send(sender, "invalidateNonces", account, word, bits)

    def pause(self, guardian: LocalAccount, seconds: int) -> Receipt:
        """Pause the house for so many seconds; the guardian alone."""
        return self._send(guardian, "pause", seconds)

    def unpause(self, sender: LocalAccount) -> Receipt:
        """End a pause early; guardian or owner."""
        return self._send(sender, "unpause")

    def set_guardian(self, owner: LocalAccount, guardian: str) -> Receipt:
        """Appoint another guardian; the owner of the house alone."""
        return self._send(owner, "setGuardian", guardian)

    def account_state(self, account: bytes) -> AccountState:
        """Public state of an account; all zero before its first deposit."""
        return AccountState.of(self._read("accountState", account)[0])

    def commitment_hash(self, account: bytes, book: int) -> bytes:
        """keccak256 of an account's commitment in a book; 32 zero bytes when it never touched the book."""
        return bytes(self._read("commitmentHash", account, book)[0])

    def holdings(self, account: bytes, token: int) -> int:
        """Ticks that a transparent account holds; says nothing about an active one."""
        return int(self._read("holdings", account, token)[0])

    def operator_until(self, account: bytes, operator: str) -> int:
        """Unix time in seconds of the last moment of an operator's right; 0 for none."""
        return int(self._read("operatorUntil", account, operator)[0])

    def is_nonce_used(self, account: bytes, nonce: int) -> bool:
        """Whether a nonce of an account has been used up."""
        return bool(self.nonces(account, nonce // NONCES_PER_WORD) >> nonce % NONCES_PER_WORD & 1)

    def nonces(self, account: bytes, word: int) -> int:
        """Nonces of an account that are used up: bit n for nonce 256·word + n."""
        return int(self._read("nonces", account, word)[0])

    def last_pause(self) -> HousePause:
        """The last pause."""
        return HousePause(*map(int, self._read("lastPause")))

    def guardian(self) -> str:
        """Who may pause."""
        return to_checksum_address(self._read("guardian")[0])

    def context(self, check: MarginCheck, action: bytes = NO_ACTION) -> bytes:
        """What a proof for this house must be bound to; computed here, as the contract computes it."""
        return proof_context(self._chain.chain_id, self.address, check, action)

    def exit_context(self, account: bytes, state_version: int) -> bytes:
        """What an exit proof for this house must be bound to; computed here, as the contract computes it."""
        return exit_context(self._chain.chain_id, self.address, account, state_version)

    def sign(self, signer: LocalAccount, terms: Settlement | OpenLeg) -> bytes:
        """Signature of an owner or operator over a settlement or an open leg at this house."""
        return terms.sign(signer, self._chain.chain_id, self.address)

    def deposit_limit(self) -> int:
        """Largest number of ticks of a token that all accounts together can have deposited."""
        return int(self._read("depositLimit")[0])

    def vault(self) -> str:
        """Address of the vault that keeps the collateral."""
        return to_checksum_address(self._read("vault")[0])

    def verifier(self) -> str:
        """Address of the contract that checks proofs."""
        return to_checksum_address(self._read("verifier")[0])

    def registry(self) -> str:
        """Address of the rule registry."""
        return to_checksum_address(self._read("registry")[0])

    def exit_verifier(self) -> str:
        """Address of the contract that checks exit proofs."""
        return to_checksum_address(self._read("exitVerifier")[0])

    def basis_table(self) -> tuple[str, bytes]:
        """Address of the table of basis points, and the hash of its points that the house is bound to."""
        return to_checksum_address(self._read("basisTable")[0]), bytes(self._read("basisHash")[0])

    def _send(self, sender: LocalAccount, function: str, *arguments: object) -> Receipt:
        return self._chain.send(sender, self._interface.encode_call(function, *arguments), to=self.address)

    def _read(self, function: str, *arguments: object) -> tuple[Any, ...]:
        answer = self._chain.call(self.address, self._interface.encode_call(function, *arguments))
        return self._interface.decode_result(function, answer)
