"""Accounts of the clearing house: deposits, hidden trades, margin checks, withdrawals.

Twins: contracts/ClearingHouse.sol, CollateralVault.sol.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from eth_utils.address import to_checksum_address

from verifier.chain.clearing_terms import NO_ACTION, proof_context, sign_settlement
from verifier.chain.contract_interface import contract_interface
from verifier.chain.vault_state import QueueState, VaultState, WithdrawalClaim, WithdrawalLimit
from verifier.rules.rule_kind import RuleKind

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from verifier.chain.chain_client import ChainClient, Receipt
    from verifier.chain.clearing_terms import MarginCheck, Settlement, SettlementSide, Withdrawal

EVENTS: Final = ("Deposited", "Settled", "MarginProven", "Withdrawn", "ClaimPaid")


@dataclass(frozen=True, slots=True)
class AccountState:
    """What is public about an account.

    Attributes:
        state_version: number of changes of its commitments; 0 before the first deposit.
        deposited: ticks deposited so far, less those withdrawn; negative once it has withdrawn what it gained.
        initial_epoch: last epoch at which it proved initial margin; 0 for never.
        maintenance_epoch: last epoch at which it proved maintenance margin; 0 for never.
        books: number of books that it has touched.
        hidden: whether it ever traded; until then it holds ``deposited`` and nothing else.
    """

    state_version: int
    deposited: int
    initial_epoch: int
    maintenance_epoch: int
    books: int
    hidden: bool

    def proven_epoch(self, kind: RuleKind) -> int:
        """Last epoch at which it proved a rule."""
        return self.initial_epoch if kind is RuleKind.INITIAL else self.maintenance_epoch


class HouseClient:
    """The clearing house at an address.

    Args:
        chain: connection.
        address: of the contract.
    """

    def __init__(self, chain: ChainClient, address: str) -> None:
        self._chain = chain
        self._interface = contract_interface("ClearingHouse")
        self.address = address

    def deposit(self, owner: LocalAccount, subaccount: int, ticks: int, commitment: bytes) -> Receipt:
        """Deposit collateral into one of the owner's accounts; the house must have been allowed the tokens.

        Args:
            owner: owner of tokens and account.
            subaccount: number of the account.
            ticks: to credit.
            commitment: present commitment of book 0, 96 bytes.

        Raises:
            ContractRevertedError: the house refused, by a named error.
        """
        data = self._interface.encode_call("deposit", subaccount, ticks, commitment)
        return self._chain.send(owner, data, to=self.address)

    def settle(
        self, sender: LocalAccount, settlement: Settlement, first: SettlementSide, second: SettlementSide
    ) -> Receipt:
        """Carry out a trade that both owners signed; anyone may send it.

        Raises:
            ContractRevertedError: the house or the verifier refused, by a named error.
        """
        data = self._interface.encode_call("settle", settlement.as_tuple(), first.as_tuple(), second.as_tuple())
        return self._chain.send(sender, data, to=self.address)

    def prove_margin(
        self, sender: LocalAccount, check: MarginCheck, *, portfolio: tuple[bytes, ...], proof: bytes, hint: bytes
    ) -> Receipt:
        """Have a margin proof checked and recorded; anyone may send it.

        Raises:
            ContractRevertedError: the house or the verifier refused, by a named error.
        """
        data = self._interface.encode_call("proveMargin", check.as_tuple(), b"".join(portfolio), proof, hint)
        return self._chain.send(sender, data, to=self.address)

    def withdraw(
        self, owner: LocalAccount, withdrawal: Withdrawal, *, portfolio: tuple[bytes, ...], proof: bytes, hint: bytes
    ) -> Receipt:
        """Withdraw collateral with a proof of initial margin of what stays; paid at once, or queued.

        Args:
            owner: of the account.
            withdrawal: amount and recipient, which the proof is bound to.
            portfolio: present commitments, 96 bytes a book.
            proof: for the commitments after the withdrawal.
            hint: 32 bytes that go with it.

        Raises:
            ContractRevertedError: the house or the verifier refused, by a named error.
        """
        data = self._interface.encode_call("withdraw", withdrawal.as_tuple(), b"".join(portfolio), proof, hint)
        return self._chain.send(owner, data, to=self.address)

    def withdraw_deposit(
        self, owner: LocalAccount, account: bytes, *, state_version: int, ticks: int, recipient: str
    ) -> Receipt:
        """Withdraw from an account that has never traded; needs no proof, and no epoch.

        Raises:
            ContractRevertedError: the house refused, by a named error.
        """
        data = self._interface.encode_call("withdrawDeposit", account, state_version, ticks, recipient)
        return self._chain.send(owner, data, to=self.address)

    def pay_queued(self, sender: LocalAccount, claim: int) -> Receipt:
        """Have a queued claim paid whose turn has come; anyone may send it.

        Raises:
            ContractRevertedError: it waits, is paid, or there is none; by a named error.
        """
        return self._chain.send(sender, self._interface.encode_call("payQueued", claim), to=self.address)

    def vault_state(self) -> VaultState:
        """What the house owes and what may leave, at the time of the latest block."""
        return VaultState(*self._read("vaultState")[0])

    def queue_state(self) -> QueueState:
        """Claims ever queued, and how far the queue has come."""
        return QueueState(*self._read("queueState"))

    def claim(self, number: int) -> WithdrawalClaim | None:
        """A queued claim; ``None`` when there is none of that number, or it is paid."""
        recipient, ticks, end = self._read("withdrawalClaim", number)[0]
        return WithdrawalClaim(number, to_checksum_address(recipient), ticks, end) if ticks else None

    def withdrawal_limit(self) -> WithdrawalLimit:
        """How much may leave the house."""
        capacity, refill = (int(self._read(name)[0]) for name in ("withdrawalCapacity", "withdrawalRefill"))
        return WithdrawalLimit(capacity, refill)

    def account_state(self, account: bytes) -> AccountState:
        """Public state of an account; all zero before its first deposit."""
        return AccountState(*self._read("accountState", account)[0])

    def commitment_hash(self, account: bytes, book: int) -> bytes:
        """keccak256 of an account's commitment in a book; 32 zero bytes when it never touched the book."""
        return bytes(self._read("commitmentHash", account, book)[0])

    def context(self, check: MarginCheck, action: bytes = NO_ACTION) -> bytes:
        """What a proof for this house must be bound to; computed here, as the contract computes it."""
        return proof_context(self._chain.chain_id, self.address, check, action)

    def sign(self, owner: LocalAccount, settlement: Settlement) -> bytes:
        """Signature of an owner over a settlement at this house."""
        return sign_settlement(owner, self._chain.chain_id, self.address, settlement)

    def deposit_limit(self) -> int:
        """Largest number of ticks that one account can have deposited."""
        return int(self._read("depositLimit")[0])

    def units_per_tick(self) -> int:
        """Units of the collateral token that one tick is."""
        return int(self._read("unitsPerTick")[0])

    def verifier(self) -> str:
        """Address of the contract that checks proofs."""
        return to_checksum_address(self._read("verifier")[0])

    def registry(self) -> str:
        """Address of the rule registry."""
        return to_checksum_address(self._read("registry")[0])

    def collateral(self) -> str:
        """Address of the collateral token."""
        return to_checksum_address(self._read("collateral")[0])

    def collateral_slot(self) -> int:
        """Slot of the collateral in book 0."""
        return int(self._read("collateralSlot")[0])

    def basis_table(self) -> tuple[str, bytes]:
        """Address of the table of basis points, and the hash of its points that the house is bound to."""
        return to_checksum_address(self._read("basisTable")[0]), bytes(self._read("basisHash")[0])

    def _read(self, function: str, *arguments: object) -> tuple[Any, ...]:
        answer = self._chain.call(self.address, self._interface.encode_call(function, *arguments))
        return self._interface.decode_result(function, answer)
