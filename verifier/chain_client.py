"""The connection to a node: calls, transactions, blobs, logs. Beside it only the beacon client opens a connection.

Everything that can be known beforehand is checked before anything is sent: that the node answers, that it is the
expected chain, that the chain has the precompiles and the blobs that the contracts need, that the call succeeds.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, cast

import requests
from web3 import Web3
from web3.exceptions import BlockNotFound, ContractLogicError, TransactionNotFound, Web3Exception, Web3RPCError

from verifier.blob_transactions import MAXIMUM_BLOBS, BlobSidecar, blob_commitment, versioned_hash
from verifier.contract_errors import decode_revert
from verifier.errors import (
    ChainError,
    ChainFeatureError,
    MalformedInputError,
    NodeUnreachableError,
    WrongChainError,
)
from verifier.precompiles import PRECOMPILES
from verifier.receipts import BlockHeader, Receipt, event_log_of, header_of, receipt_of
from verifier.signed_transactions import Fees
from verifier.state_folder import state_folder
from verifier.transaction_journal import TransactionJournal
from verifier.transaction_sender import SendingTerms, TransactionSender, call_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from eth_account.signers.local import LocalAccount
    from web3.types import FilterParams, TxParams

    from verifier.contract_interface import EventLog

__all__ = ["ChainClient", "Receipt", "shown_host"]

DEFAULT_TERMS: Final = SendingTerms()
GENESIS_DIGITS: Final = 16
FEE_FACTOR: Final = 2
"""A transaction offers so many times the present base fee: it may double before the offer no longer suffices."""


class ChainClient:
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
        self._web3 = web3
        self._url = url
        self._state = state
        self._terms = terms
        self._journals: dict[str, TransactionJournal] = {}
        self.chain_id = chain_id

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
                :func:`verifier.state_folder.state_folder` says.
            terms: how patient sending is.

        Raises:
            NodeUnreachableError: nobody answers.
            WrongChainError: the node serves another chain.
        """
        web3 = Web3(Web3.HTTPProvider(url, request_kwargs={"timeout": terms.request_seconds}))
        with _translated_errors(url):
            found = web3.eth.chain_id
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
            fields = {"to": precompile.address, "data": _hex(precompile.accepted)}
            with _translated_errors(self._url):
                response = self._web3.provider.make_request(cast("Any", "eth_call"), [fields, "latest"])
            answer = str(response.get("result", "0x")).removeprefix("0x")
            if len(answer) != 2 * precompile.answer_bytes:
                raise ChainFeatureError(
                    f"chain {self.chain_id} lacks precompile {precompile.number:#04x}, {precompile.purpose}: "
                    "use a chain with the Prague rules or later"
                )

    def require_blobs(self) -> None:
        """Check that the chain takes blobs.

        Raises:
            ChainFeatureError: it does not.
        """
        if self.blob_base_fee() == 0:
            raise ChainFeatureError(
                f"chain {self.chain_id} takes no blobs (EIP-4844): publish on a chain with the Cancun rules or later"
            )

    def call(self, to: str, data: bytes, *, sender: str | None = None) -> bytes:
        """What a call returns at the latest block.

        Raises:
            ContractRevertedError: the contract refused, by a named error.
            ChainError: there is no contract at this address, or the node refused.
        """
        fields: TxParams = {"to": Web3.to_checksum_address(to), "data": _hex(data)}
        if sender is not None:
            fields["from"] = Web3.to_checksum_address(sender)
        with _translated_errors(self._url):
            answer = bytes(self._web3.eth.call(fields))
        if not answer and not self.code(to):
            raise ChainError(f"there is no contract at {to} on chain {self.chain_id}: check the deployment file")
        return answer

    def creation_result(self, sender: str, creation: bytes, codes: Mapping[str, bytes]) -> bytes:
        """The code that a creation would leave, without sending it.

        Args:
            sender: who would create it.
            creation: creation code with its arguments.
            codes: code by address to suppose where there is none yet.

        Raises:
            ContractRevertedError: the constructor refuses, by a named error.
            ChainError: the node refused.
        """
        fields: TxParams = {"from": Web3.to_checksum_address(sender), "data": _hex(creation)}
        supposed = {Web3.to_checksum_address(address): {"code": _hex(code)} for address, code in codes.items()}
        with _translated_errors(self._url):
            return bytes(self._web3.eth.call(fields, "latest", cast("Any", supposed)))

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
        receiver = None if to is None else str(Web3.to_checksum_address(to))
        sender = TransactionSender(self, account, self._journal(account.address), self._terms)
        receipt = sender.send(data, to=receiver, sidecar=sidecar)
        if receipt["status"] != 1:
            self._raise_reason(call_fields(account.address, data, receiver), receipt)
        return receipt_of(receipt)

    def deploy(self, account: LocalAccount, creation: bytes) -> Receipt:
        """Create a contract; its address is in the receipt."""
        return self.send(account, creation, to=None)

    def code(self, address: str) -> bytes:
        """Code of a contract; empty when there is none."""
        with _translated_errors(self._url):
            return bytes(self._web3.eth.get_code(Web3.to_checksum_address(address)))

    def balance(self, address: str) -> int:
        """Balance in wei."""
        with _translated_errors(self._url):
            return self._web3.eth.get_balance(Web3.to_checksum_address(address))

    def block_time(self) -> int:
        """Unix time of the latest block, in seconds."""
        with _translated_errors(self._url):
            return int(self._web3.eth.get_block("latest")["timestamp"])

    def block_number(self) -> int:
        """Number of the latest block."""
        with _translated_errors(self._url):
            return int(self._web3.eth.block_number)

    def block(self, number: int | None = None) -> BlockHeader | None:
        """A block by its number, the latest without one; ``None`` where there is none yet."""
        with _translated_errors(self._url):
            try:
                return header_of(
                    cast("dict[str, Any]", self._web3.eth.get_block("latest" if number is None else number))
                )
            except BlockNotFound:
                return None

    def transaction_count(self, address: str, *, pending: bool = False) -> int:
        """Number of transactions of an account that are mined, or also of those that the node knows."""
        with _translated_errors(self._url):
            return self._web3.eth.get_transaction_count(
                Web3.to_checksum_address(address), "pending" if pending else "latest"
            )

    def submit(self, raw: bytes) -> None:
        """Hand a signed transaction to the node.

        Raises:
            NodeUnreachableError: no answer; the node may have taken it or not.
            ChainError: the node refused it.
        """
        with _translated_errors(self._url):
            self._web3.eth.send_raw_transaction(raw)

    def receipt_fields(self, digest: bytes) -> dict[str, Any] | None:
        """The receipt of a transaction; ``None`` as long as it is not mined."""
        with _translated_errors(self._url):
            try:
                return cast("dict[str, Any]", self._web3.eth.get_transaction_receipt(_hex(digest)))
            except TransactionNotFound:
                return None

    def knows_transaction(self, digest: bytes) -> bool:
        """Whether the node has a transaction, mined or not."""
        with _translated_errors(self._url):
            try:
                self._web3.eth.get_transaction(_hex(digest))
            except TransactionNotFound:
                return False
        return True

    def base_fee(self) -> int:
        """Base fee of the latest block, in wei for a unit of gas."""
        with _translated_errors(self._url):
            return int(self._web3.eth.get_block("latest")["baseFeePerGas"])

    def fees(self, *, with_blobs: bool) -> Fees:
        """What a transaction should offer now."""
        with _translated_errors(self._url):
            tip = int(self._web3.eth.max_priority_fee)
        blob_limit = FEE_FACTOR * self.blob_base_fee() if with_blobs else 0
        return Fees(tip, FEE_FACTOR * self.base_fee() + tip, blob_limit)

    def estimate_gas(self, fields: Mapping[str, Any]) -> int:
        """Gas that a transaction takes; errors as the transaction itself."""
        with _translated_errors(self._url):
            return self._web3.eth.estimate_gas(cast("TxParams", fields))

    def blob_base_fee(self) -> int:
        """Price of blob gas in wei; 0 where there are no blobs."""
        with _translated_errors(self._url):
            response = self._web3.provider.make_request(cast("Any", "eth_blobBaseFee"), [])
        return int(str(response.get("result") or "0x0"), 16)

    def logs(
        self, address: str, topics: Sequence[bytes | None], *, from_block: int = 0, to_block: int | None = None
    ) -> tuple[EventLog, ...]:
        """Events of a contract, oldest first.

        Args:
            address: of the contract.
            topics: to match; ``None`` matches any.
            from_block: first block to look at.
            to_block: last one; the latest when omitted.
        """
        wanted = [None if topic is None else _hex(topic) for topic in topics]
        query: FilterParams = {
            "address": Web3.to_checksum_address(address),
            "topics": cast("Any", wanted),
            "fromBlock": from_block,
            "toBlock": "latest" if to_block is None else to_block,
        }
        with _translated_errors(self._url):
            return tuple(event_log_of(entry) for entry in self._web3.eth.get_logs(query))

    def named_blobs(self, transaction_hash: bytes) -> tuple[tuple[bytes, bytes], ...]:
        """The blobs of a transaction with their versioned hashes, as Anvil keeps them.

        Raises:
            ChainError: the node does not keep blobs, or gives others than the transaction carried.
        """
        identity = "0x" + transaction_hash.hex()
        with _translated_errors(self._url):
            transaction = cast("dict[str, Any]", self._web3.eth.get_transaction(cast("Any", identity)))
        hashes = [bytes(digest) for digest in transaction.get("blobVersionedHashes") or []]
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

    def request(self, method: str, parameters: Sequence[object]) -> object:
        """A JSON-RPC request that has no method of its own here.

        Raises:
            ChainError: the node refused.
        """
        with _translated_errors(self._url):
            response = self._web3.provider.make_request(cast("Any", method), list(parameters))
        if "error" in response:
            raise ChainError(f"the node at {shown_host(self._url)} refused {method}: {response['error']}")
        return response["result"]

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
        with _translated_errors(self._url):
            self._web3.eth.call(cast("TxParams", fields), receipt["blockNumber"])
        digest = bytes(receipt["transactionHash"]).hex()
        raise ChainError(
            f"transaction 0x{digest} failed, but the same call now succeeds: "
            "another transaction came between, or it ran out of gas; send it again"
        )


@contextlib.contextmanager
def _translated_errors(url: str) -> Iterator[None]:
    """Turn what web3 and its transport raise into errors that name the remedy."""
    try:
        yield
    except ContractLogicError as error:
        data = error.data if isinstance(error.data, str) else "0x"
        raise decode_revert(bytes.fromhex(data.removeprefix("0x"))) from error
    except Web3RPCError as error:
        raise ChainError(f"the node at {shown_host(url)} refused: {error.message}") from error
    except (requests.RequestException, OSError) as error:
        raise NodeUnreachableError(
            f"no node answers at {shown_host(url)} ({type(error).__name__}): check the address, and that the node runs"
        ) from error
    except Web3Exception as error:
        raise ChainError(f"the node at {shown_host(url)} gave an answer that makes no sense: {error}") from error


def shown_host(url: str) -> str:
    """Scheme, host and port of an address, for messages: paths and queries may hold access keys."""
    scheme, separator, rest = url.partition("://")
    host = rest.split("/", 1)[0].rsplit("@", 1)[-1]
    return f"{scheme}{separator}{host}"


def _hex(data: bytes) -> Any:  # noqa: ANN401 - web3 calls the same thing HexStr, Hash32 or HexBytes
    return "0x" + data.hex()
