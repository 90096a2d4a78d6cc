"""The collateral of a clearing house: tokens, inboxes, liens, what may leave and who waits.

Twin: contracts/CollateralVault.sol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eth_utils.address import to_checksum_address

from verifier.chain.contract_interface import contract_interface
from verifier.chain.vault_state import QueueState, TokenTerms, VaultState, WithdrawalClaim
from verifier.errors import MalformedInputError

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from verifier.chain.chain_client import ChainClient, Receipt
    from verifier.chain.vault_state import WithdrawalLimit


class VaultClient:
    """The vault at an address. What it or a token refuses is a ContractRevertedError.

    Args:
        chain: connection.
        address: of the contract.
    """

    def __init__(self, chain: ChainClient, address: str) -> None:
        self._chain = chain
        self._interface = contract_interface("CollateralVault")
        self.address = address

    def deposit_for(self, payer: LocalAccount, account: bytes, token: int, ticks: int) -> Receipt:
        """Pay into an account's inbox; anyone may, the vault must have been allowed the tokens."""
        return self._send(payer, "depositFor", account, token, ticks)

    def claim_lien(self, lender: LocalAccount, account: bytes, token: int, ticks: int, recipient: str) -> Receipt:
        """Take of a lien that the account granted; paid at once, or queued."""
        return self._send(lender, "claimLien", account, token, ticks, recipient)

    def release_lien(self, lender: LocalAccount, account: bytes, token: int, ticks: int) -> Receipt:
        """Give a lien up, or a part of it; the ticks go to the account's inbox."""
        return self._send(lender, "releaseLien", account, token, ticks)

    def pay_queued(self, sender: LocalAccount, token: int, claim: int) -> Receipt:
        """Have a queued claim paid whose turn has come; anyone may send it."""
        return self._send(sender, "payQueued", token, claim)

    def add_token(self, owner: LocalAccount, terms: TokenTerms) -> Receipt:
        """Add a token; the owner of the vault alone."""
        return self._send(owner, "addToken", terms.as_tuple())

    def set_cap(self, owner: LocalAccount, token: int, cap: int) -> Receipt:
        """Change up to how many ticks all accounts may hold together; the owner of the vault alone."""
        return self._send(owner, "setCap", token, cap)

    def set_limit(self, owner: LocalAccount, token: int, limit: WithdrawalLimit) -> Receipt:
        """Change how much may leave from now on; the owner of the vault alone."""
        return self._send(owner, "setLimit", token, limit.as_tuple())

    def token_count(self) -> int:
        """How many tokens there are."""
        return int(self._read("tokenCount")[0])

    def token_terms(self, token: int) -> TokenTerms:
        """Terms of a token as they are now."""
        address, *numbers = self._read("tokenTerms", token)[0]
        return TokenTerms(to_checksum_address(address), *numbers)

    def tokens(self) -> tuple[TokenTerms, ...]:
        """Terms of all tokens, in their order."""
        return tuple(self.token_terms(token) for token in range(self.token_count()))

    def token_number(self, address: str) -> int:
        """Number of the token at an address.

        Raises:
            MalformedInputError: the vault does not take it.
        """
        addresses = [terms.token.lower() for terms in self.tokens()]
        if address.lower() not in addresses:
            raise MalformedInputError(f"the vault takes no token {address}: it takes {', '.join(addresses)}")
        return addresses.index(address.lower())

    def vault_state(self, token: int) -> VaultState:
        """What the house owes of a token and what may leave, at the time of the latest block."""
        return VaultState(*self._read("vaultState", token)[0])

    def kept_apart(self, token: int) -> int:
        """Ticks of all inboxes and liens: net deposits that no account holds."""
        return int(self._read("keptApart", token)[0])

    def queue_state(self, token: int) -> QueueState:
        """Claims of a token ever queued, and how far the queue has come."""
        return QueueState(*self._read("queueState", token))

    def claim(self, token: int, number: int) -> WithdrawalClaim | None:
        """A queued claim; ``None`` when there is none of that number, or it is paid."""
        recipient, ticks, end = self._read("withdrawalClaim", token, number)[0]
        return WithdrawalClaim(number, to_checksum_address(recipient), ticks, end) if ticks else None

    def inbox(self, account: bytes, token: int) -> int:
        """Ticks that wait in an account's inbox."""
        return int(self._read("inbox", account, token)[0])

    def lien(self, account: bytes, lender: str, token: int) -> int:
        """Ticks that a lender may claim of an account."""
        return int(self._read("lien", account, lender, token)[0])

    def house(self) -> str:
        """Address of the clearing house that created the vault."""
        return to_checksum_address(self._read("house")[0])

    def _send(self, sender: LocalAccount, function: str, *arguments: object) -> Receipt:
        return self._chain.send(sender, self._interface.encode_call(function, *arguments), to=self.address)

    def _read(self, function: str, *arguments: object) -> tuple[Any, ...]:
        answer = self._chain.call(self.address, self._interface.encode_call(function, *arguments))
        return self._interface.decode_result(function, answer)
