"""The collateral token (ERC-20), as far as deposits need it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verifier.chain.contract_interface import contract_interface

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from verifier.chain.chain_client import ChainClient, Receipt


class TokenClient:
    """The token at an address.

    Args:
        chain: connection.
        address: of the token.
    """

    def __init__(self, chain: ChainClient, address: str) -> None:
        self._chain = chain
        # The test token is an ERC-20 beside its mint.
        self._interface = contract_interface("InsecureTestToken")
        self.address = address

    def decimals(self) -> int:
        """Digits behind the point: a whole token is 10^decimals units."""
        return int(self._read("decimals")[0])

    def symbol(self) -> str:
        """What the token calls itself."""
        return str(self._read("symbol")[0])

    def balance(self, owner: str) -> int:
        """Units that an address owns."""
        return int(self._read("balanceOf", owner)[0])

    def allowance(self, owner: str, spender: str) -> int:
        """Units of the owner's that the spender may move."""
        return int(self._read("allowance", owner, spender)[0])

    def approve(self, owner: LocalAccount, spender: str, units: int) -> Receipt:
        """Let the spender move so many of the owner's units."""
        return self._chain.send(owner, self._interface.encode_call("approve", spender, units), to=self.address)

    def mint(self, sender: LocalAccount, receiver: str, units: int) -> Receipt:
        """Make units out of nothing: the test token alone lets anybody do so."""
        return self._chain.send(sender, self._interface.encode_call("mint", receiver, units), to=self.address)

    def _read(self, function: str, *arguments: object) -> tuple[Any, ...]:
        answer = self._chain.call(self.address, self._interface.encode_call(function, *arguments))
        return self._interface.decode_result(function, answer)
