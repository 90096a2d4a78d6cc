"""The timelock that owns the other contracts: what is proposed waits before it is done.

It is OpenZeppelin's governance/TimelockController, as it comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from eth_utils.address import to_checksum_address

from verifier.chain.chain_time import wait_for_time
from verifier.chain.contract_interface import contract_interface

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from verifier.chain.chain_client import ChainClient, Receipt
    from verifier.chain.event_index import EventIndex

NO_PREDECESSOR: Final = bytes(32)
WORD_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class GovernanceCall:
    """One call that the timelock is to make.

    Attributes:
        target: address of the contract.
        data: calldata.
        salt: 32 bytes; another one allows the same call again.
    """

    target: str
    data: bytes
    salt: bytes = bytes(WORD_BYTES)

    def as_tuple(self) -> tuple[str, int, bytes, bytes, bytes]:
        """Arguments that all functions of the timelock share: target, value, data, predecessor, salt."""
        return (self.target, 0, self.data, NO_PREDECESSOR, self.salt)


def governed_call(contract: str, target: str, function: str, *arguments: object, salt: int = 0) -> GovernanceCall:
    """A call of one of the project's contracts.

    Args:
        contract: its name in the sources.
        target: its address.
        function: to call.
        arguments: of the function; structs as tuples.
        salt: another one allows the same call again.
    """
    data = contract_interface(contract).encode_call(function, *arguments)
    return GovernanceCall(target, data, salt.to_bytes(WORD_BYTES, "big"))


class TimelockClient:
    """The timelock at an address. What it or a contract that it calls refuses is a ContractRevertedError.

    Args:
        chain: connection.
        address: of the contract.
    """

    def __init__(self, chain: ChainClient, address: str) -> None:
        self._chain = chain
        self._interface = contract_interface("TimelockController")
        self.address = address

    def schedule(self, proposer: LocalAccount, call: GovernanceCall, delay: int | None = None) -> Receipt:
        """Propose a call; it can be made after the delay.

        Args:
            proposer: has the proposer's role.
            call: what is to be done.
            delay: in seconds; the shortest allowed when omitted.
        """
        chosen = self.minimum_delay() if delay is None else delay
        return self._send(proposer, "schedule", *call.as_tuple(), chosen)

    def execute(self, executor: LocalAccount, call: GovernanceCall) -> Receipt:
        """Make a call that has waited long enough."""
        return self._send(executor, "execute", *call.as_tuple())

    def cancel(self, proposer: LocalAccount, call: GovernanceCall) -> Receipt:
        """Take a proposal back."""
        return self._send(proposer, "cancel", self.operation(call))

    def carry_out(self, proposer: LocalAccount, call: GovernanceCall) -> Receipt:
        """Propose a call, wait, and make it; on the local chain its clock is moved instead."""
        self.schedule(proposer, call)
        wait_for_time(self._chain, self.ready_at(call))
        return self.execute(proposer, call)

    def operation(self, call: GovernanceCall) -> bytes:
        """Identity of a proposal, 32 bytes."""
        return bytes(self._read("hashOperation", *call.as_tuple())[0])

    def ready_at(self, call: GovernanceCall) -> int:
        """Unix time from which a proposal can be carried out; 0 when there is none, 1 when that has been done."""
        return int(self._read("getTimestamp", self.operation(call))[0])

    def minimum_delay(self) -> int:
        """Seconds that a proposal waits at least."""
        return int(self._read("getMinDelay")[0])

    def has_role(self, role: str, account: str) -> bool:
        """Whether an account has a role, named as the contract's constant is."""
        return bool(self._read("hasRole", self.role(role), account)[0])

    def role(self, name: str) -> bytes:
        """Identifier of a role, named as the contract's constant is."""
        return bytes(self._read(name)[0])

    def granted_since(self, events: EventIndex) -> tuple[tuple[bytes, str], ...]:
        """Roles that were given in the blocks that an index covers, and who still has them."""
        topic = self._interface.event_topic("RoleGranted")
        found = [self._interface.decode_event("RoleGranted", log) for log in events.logs(self.address, [topic])]
        still = [grant for grant in found if self._read("hasRole", grant["role"], grant["account"])[0]]
        return tuple((bytes(grant["role"]), to_checksum_address(grant["account"])) for grant in still)

    def _send(self, sender: LocalAccount, function: str, *arguments: object) -> Receipt:
        return self._chain.send(sender, self._interface.encode_call(function, *arguments), to=self.address)

    def _read(self, function: str, *arguments: object) -> tuple[Any, ...]:
        answer = self._chain.call(self.address, self._interface.encode_call(function, *arguments))
        return self._interface.decode_result(function, answer)
