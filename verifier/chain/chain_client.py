"""A chain as this project uses it: what it must have, transactions that arrive once, blobs.

Everything that can be known beforehand is checked before anything is sent: that the node answers, that it is the
expected chain, that the chain has the precompiles and the blobs that the contracts need, that the call succeeds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from verifier.chain.blob_transactions import MAXIMUM_BLOBS, BlobSidecar, blob_commitment, versioned_hash
from verifier.chain.node_connection import NodeConnection, checksummed, shown_host, translated_errors, web3_at
from verifier.chain.precompiles import PRECOMPILES
from verifier.chain.receipts import Receipt, receipt_of
from verifier.chain.state_folder import state_folder
from verifier.chain.transaction_journal import TransactionJournal
from verifier.chain.transaction_sender import SendingTerms, TransactionSender, call_fields
from verifier.errors import ChainError, ChainFeatureError, MalformedInputError, WrongChainError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from eth_account.signers.local import LocalAccount

    from verifier.chain.node_connection import Web3

__all__ = ["ChainClient", "Receipt", "shown_host"]

DEFAULT_TERMS: Final = SendingTerms()
GENESIS_DIGITS: Final = 16


class ChainClient(NodeConnection):
    """A connection to one node of one chain; make it by :meth:`connect`.

    Args:
        web3: connection.
        url: of the node, for messages; may hold an access key, so that messages show only the host.
        chain_id: of the chain.
        state: folder of the journals of transactions; ``None`` keeps them in memory.
        terms: how patient sending is.
    """

    def __init__(
        self,
        web3: Web3,
        url: str,
        chain_id: int,
        *,
        state: Path | None = None,
        terms: SendingTerms = DEFAULT_TERMS,
    ) -> None:
        super().__init__(web3, url, chain_id)
        self._state = state
        self._terms = terms
        self._journals: dict[str, TransactionJournal] = {}

    @classmethod
    def connect(
        cls,
        url: str,
        *,
        chain_id: int | None = None,
        state: Path | None = None,
        terms: SendingTerms = DEFAULT_TERMS,
    ) -> ChainClient:
        """Connect to a node.

        Args:
            url: of its JSON-RPC interface over HTTP.
            chain_id: the chain that it must serve; any when omitted.
            state: folder of what is remembered of the chain; by default
                :func:`verifier.chain.state_folder.state_folder` says.
            terms: how patient sending is.

        Raises:
            NodeUnreachableError: nobody answers.
            WrongChainError: the node serves another chain.
        """
        web3 = web3_at(url, terms.request_seconds)
        with translated_errors(url):
            found = int(web3.eth.chain_id)
        if chain_id is not None and found != chain_id:
            raise WrongChainError(
                f"the node at {shown_host(url)} serves chain {found}, not {chain_id}: "
                "give the address of a node of the right chain, or its deployment file"
            )
        return cls(web3, url, found, state=state or state_folder(found), terms=terms)

    def require_precompiles(self) -> None:
        """Check that the chain has every precompile that the contracts call.

        Raises:
            ChainFeatureError: one is missing.
        """
        for precompile in PRECOMPILES:
            answer = self.raw_call(precompile.address, precompile.accepted)
            if len(answer) != precompile.answer_bytes:
                raise ChainFeatureError(
                    f"chain {self.chain_id} lacks precompile {precompile.number:#04x}, {precompile.purpose}: "
                    "use a chain with the Prague rules or later"
                )

    def takes_blobs(self) -> bool:
        """Whether the chain takes blobs (EIP-4844)."""
        return self.blob_base_fee() != 0

    def require_blobs(self) -> None:
        """Check that the chain takes blobs.

        Raises:
            ChainFeatureError: it does not.
        """
        if not self.takes_blobs():
            raise ChainFeatureError(
                f"chain {self.chain_id} takes no blobs (EIP-4844): publish on a chain with the Cancun rules or later"
            )

    def send(
        self, account: LocalAccount, data: bytes, *, to: str | None, sidecar: BlobSidecar | None = None
    ) -> Receipt:
        """Send a transaction (EIP-1559, or EIP-4844 with blobs) and wait for its receipt.

        It is recorded before it is sent, and sent again or replaced as long as it is not mined; where an earlier run
        began the same and was not told of its end, this goes on with that one.

        Args:
            account: signs and pays.
            data: calldata, or creation code.
            to: contract; ``None`` creates one.
            sidecar: blobs to carry.

        Raises:
            ContractRevertedError: the contract refuses; nothing was sent, unless another transaction came between.
            TransactionPendingError: no receipt came in time; the transaction stays recorded.
            NonceTakenError: another transaction took its nonce.
            ChainError: the node refused; nothing was sent.
        """
        if sidecar is not None and len(sidecar.blobs) > MAXIMUM_BLOBS:
            raise MalformedInputError(
                f"{len(sidecar.blobs)} blobs: a transaction carries at most {MAXIMUM_BLOBS}; send several"
            )
        receiver = None if to is None else checksummed(to)
        sender = TransactionSender(self, account, self._journal(account.address), self._terms)
        receipt = sender.send(data, to=receiver, sidecar=sidecar)
        if receipt["status"] != 1:
            self._raise_reason(call_fields(account.address, data, receiver), receipt)
        return receipt_of(receipt)

    def deploy(self, account: LocalAccount, creation: bytes) -> Receipt:
        """Create a contract; its address is in the receipt."""
        return self.send(account, creation, to=None)

    def named_blobs(self, transaction_hash: bytes) -> tuple[tuple[bytes, bytes], ...]:
        """The blobs of a transaction with their versioned hashes, as Anvil keeps them.

        Raises:
            ChainError: the node does not keep blobs, or gives others than the transaction carried.
        """
        identity = "0x" + transaction_hash.hex()
        hashes = self.blob_hashes(transaction_hash)
        if not hashes:
            return ()
        answer = self.request("anvil_getBlobsByTransactionHash", [identity])
        blobs = [bytes.fromhex(str(blob).removeprefix("0x")) for blob in cast("list[str]", answer or [])]
        if [versioned_hash(blob_commitment(blob)) for blob in blobs] != hashes:
            raise ChainError(
                f"the node at {shown_host(self._url)} does not have the {len(hashes)} blobs of transaction {identity}: "
                "ask a node that keeps them"
            )
        return tuple(zip(hashes, blobs, strict=True))

    def state_file(self, name: str) -> Path | None:
        """Where something is remembered of this chain; ``None`` for memory.

        The folder names the chain by its first block too: numbers of test chains come again.
        """
        if self._state is None:
            return None
        first = self.block(0)
        genesis = "unknown" if first is None else first.digest.hex()[:GENESIS_DIGITS]
        return self._state / f"{self.chain_id}-{genesis}" / f"{name}.sqlite"

    def _journal(self, account: str) -> TransactionJournal:
        if account not in self._journals:
            self._journals[account] = TransactionJournal(self.state_file(account))
        return self._journals[account]

    def _raise_reason(self, fields: Mapping[str, Any], receipt: Mapping[str, Any]) -> None:
        """Play a failed transaction again to learn why it failed."""
        self.call_again(fields, int(receipt["blockNumber"]))
        digest = bytes(receipt["transactionHash"]).hex()
        raise ChainError(
            f"transaction 0x{digest} failed, but the same call now succeeds: "
            "another transaction came between, or it ran out of gas; send it again"
        )
