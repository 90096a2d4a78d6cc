"""Who owns a contract, and handing it over in two steps (OpenZeppelin's Ownable2Step, of house, vault, registries)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eth_utils.address import to_checksum_address

from verifier.chain.contract_interface import contract_interface

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from verifier.chain.chain_client import ChainClient, Receipt


class OwnershipClient:
    """Ownership of the contract at an address. What it refuses is a ContractRevertedError.

    As long as the timelock owns it, the first step is a call that the timelock makes
    (:mod:`verifier.chain.governance_client`).

    Args:
        chain: connection.
        contract: its name in the sources.
        address: of the contract.
    """

    def __init__(self, chain: ChainClient, contract: str, address: str) -> None:
        self._chain = chain
        self._interface = contract_interface(contract)
        self.address = address

    def transfer_ownership(self, owner: LocalAccount, heir: str) -> Receipt:
        """Offer the contract to an heir; the owner alone. Nothing changes until the heir accepts."""
        return self._send(owner, "transferOwnership", heir)

    def accept_ownership(self, heir: LocalAccount) -> Receipt:
        """Become the owner; whom the owner has offered it to alone."""
        return self._send(heir, "acceptOwnership")

    def renounce_ownership(self, owner: LocalAccount) -> Receipt:
        """Leave the contract without an owner, for ever; the owner alone."""
        return self._send(owner, "renounceOwnership")

    def owner(self) -> str:
        """Who owns it; address 0 for nobody."""
        return self._address("owner")

    def pending_owner(self) -> str:
        """Whom it has been offered to; address 0 for nobody."""
        return self._address("pendingOwner")

    def _send(self, sender: LocalAccount, function: str, *arguments: object) -> Receipt:
        return self._chain.send(sender, self._interface.encode_call(function, *arguments), to=self.address)

    def _address(self, function: str) -> str:
        answer = self._chain.call(self.address, self._interface.encode_call(function))
        return to_checksum_address(self._interface.decode_result(function, answer)[0])
