"""One node: calls, transactions, blocks, logs. Beside it only the beacon client opens a connection."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, cast

import requests
from web3 import Web3
from web3.exceptions import BlockNotFound, ContractLogicError, TransactionNotFound, Web3Exception, Web3RPCError
from web3.providers.rpc.utils import ExceptionRetryConfiguration
from web3.types import RPCEndpoint

from verifier.chain.contract_errors import decode_revert
from verifier.chain.receipts import BlockHeader, event_log_of, header_of, receipt_of
from verifier.chain.signed_transactions import Fees
from verifier.errors import ChainError, NodeUnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from web3.types import FilterParams, TxParams

    from verifier.chain.contract_interface import EventLog

__all__ = ["NodeConnection", "Web3", "checksummed", "shown_host", "translated_errors", "web3_at"]

CHAIN_NUMBER: Final[RPCEndpoint] = RPCEndpoint("eth_chainId")

FEE_FACTOR: Final = 2
"""A transaction offers so many times the present base fee: it may double before the offer no longer suffices."""


def web3_at(url: str, request_seconds: float) -> Web3:
    """A connection over HTTP. Broken connections are tried again at once; a node that hangs is reported in time.

    The chain's number is asked for once: web3 would ask before every call.
    """
    again = ExceptionRetryConfiguration(errors=(requests.ConnectionError, requests.HTTPError))
    provider = Web3.HTTPProvider(
        url,
        request_kwargs={"timeout": request_seconds},
        exception_retry_configuration=again,
        cache_allowed_requests=True,
        cacheable_requests={CHAIN_NUMBER},
    )
    return Web3(provider)


class NodeConnection:
    """A connection to one node of one chain.

    Args:
        web3: connection.
        url: of the node, for messages; may hold an access key, so that messages show only the host.
        chain_id: of the chain.
    """

    def __init__(self, web3: Web3, url: str, chain_id: int) -> None:
        self._web3 = web3
        self._url = url
        self.chain_id = chain_id

    def call(self, to: str, data: bytes, *, sender: str | None = None) -> bytes:
        """What a call returns at the latest block.

        Raises:
            ContractRevertedError: the contract refused, by a named error.
            ChainError: there is no contract at this address, or the node refused.
        """
        fields: TxParams = {"to": Web3.to_checksum_address(to), "data": _hex(data)}
        if sender is not None:
            fields["from"] = Web3.to_checksum_address(sender)
        with translated_errors(self._url):
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
        with translated_errors(self._url):
            return bytes(self._web3.eth.call(fields, "latest", cast("Any", supposed)))

    def raw_call(self, to: str, data: bytes) -> bytes:
        """What a call returns at the latest block, whatever stands there.

        Raises:
            ChainError: the call fails, or the node refused.
        """
        with translated_errors(self._url):
            return bytes.fromhex(_text(self.request("eth_call", [{"to": to, "data": _hex(data)}, "latest"])))

    def call_again(self, fields: Mapping[str, Any], block_number: int) -> None:
        """Make a call at the end of a block; errors as :meth:`call`."""
        with translated_errors(self._url):
            self._web3.eth.call(cast("TxParams", fields), block_number)

    def code(self, address: str) -> bytes:
        """Code of a contract; empty when there is none."""
        with translated_errors(self._url):
            return bytes(self._web3.eth.get_code(Web3.to_checksum_address(address)))

    def balance(self, address: str) -> int:
        """Balance in wei."""
        with translated_errors(self._url):
            return int(self._web3.eth.get_balance(Web3.to_checksum_address(address)))

    def block_time(self) -> int:
        """Unix time of the latest block, in seconds."""
        with translated_errors(self._url):
            return int(self._web3.eth.get_block("latest")["timestamp"])

    def block_number(self) -> int:
        """Number of the latest block."""
        with translated_errors(self._url):
            return int(self._web3.eth.block_number)

    def block(self, number: int | None = None) -> BlockHeader | None:
        """A block by its number, the latest without one; ``None`` where there is none yet."""
        with translated_errors(self._url):
            try:
                return header_of(
                    cast("dict[str, Any]", self._web3.eth.get_block("latest" if number is None else number))
                )
            except BlockNotFound:
                return None

    def transaction_count(self, address: str, *, pending: bool = False) -> int:
        """Number of transactions of an account that are mined, or also of those that the node knows."""
        with translated_errors(self._url):
            counted = self._web3.eth.get_transaction_count(
                Web3.to_checksum_address(address), "pending" if pending else "latest"
            )
            return int(counted)

    def submit(self, raw: bytes) -> None:
        """Hand a signed transaction to the node.

        Raises:
            NodeUnreachableError: no answer; the node may have taken it or not.
            ChainError: the node refused it.
        """
        with translated_errors(self._url):
            self._web3.eth.send_raw_transaction(raw)

    def receipt_fields(self, digest: bytes) -> dict[str, Any] | None:
        """The receipt of a transaction; ``None`` as long as it is not mined."""
        with translated_errors(self._url):
            try:
                fields = cast("dict[str, Any]", self._web3.eth.get_transaction_receipt(_hex(digest)))
            except TransactionNotFound:
                return None
            # Whoever waits goes on waiting after a receipt that is none.
            receipt_of(fields)
            int(fields["status"])
        return fields

    def knows_transaction(self, digest: bytes) -> bool:
        """Whether the node has a transaction, mined or not."""
        with translated_errors(self._url):
            try:
                self._web3.eth.get_transaction(_hex(digest))
            except TransactionNotFound:
                return False
        return True

    def blob_hashes(self, digest: bytes) -> list[bytes]:
        """Versioned hashes of the blobs that a transaction carried."""
        with translated_errors(self._url):
            transaction = cast("dict[str, Any]", self._web3.eth.get_transaction(_hex(digest)))
        return [bytes(found) for found in transaction.get("blobVersionedHashes") or []]

    def calldata(self, digest: bytes) -> bytes:
        """What a transaction called its receiver with."""
        with translated_errors(self._url):
            return bytes(self._web3.eth.get_transaction(_hex(digest))["input"])

    def base_fee(self) -> int:
        """Base fee of the latest block, in wei for a unit of gas."""
        with translated_errors(self._url):
            return int(self._web3.eth.get_block("latest")["baseFeePerGas"])

    def fees(self, *, with_blobs: bool) -> Fees:
        """What a transaction should offer now."""
        with translated_errors(self._url):
            tip = int(self._web3.eth.max_priority_fee)
        blob_limit = FEE_FACTOR * self.blob_base_fee() if with_blobs else 0
        return Fees(tip, FEE_FACTOR * self.base_fee() + tip, blob_limit)

    def estimate_gas(self, fields: Mapping[str, Any]) -> int:
        """Gas that a transaction takes; errors as the transaction itself."""
        with translated_errors(self._url):
            return int(self._web3.eth.estimate_gas(cast("TxParams", fields)))

    def blob_base_fee(self) -> int:
        """Price of blob gas in wei; 0 where there are no blobs."""
        with translated_errors(self._url):
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
        with translated_errors(self._url):
            return tuple(event_log_of(entry) for entry in self._web3.eth.get_logs(query))

    def request(self, method: str, parameters: Sequence[object]) -> object:
        """A JSON-RPC request that has no method of its own here.

        Raises:
            ChainError: the node refused.
        """
        with translated_errors(self._url):
            response = self._web3.provider.make_request(cast("Any", method), list(parameters))
            if "error" in response:
                raise ChainError(f"the node at {shown_host(self._url)} refused {method}: {response['error']}")
            return response["result"]


@contextlib.contextmanager
def translated_errors(url: str) -> Iterator[None]:
    """Turn what web3 and its transport raise into errors that name the remedy.

    An answer that makes no sense is no refusal: as without an answer, the node may have done what it was asked.
    """
    try:
        yield
    except ContractLogicError as error:
        raise decode_revert(_revert_data(error.data)) from error
    except Web3RPCError as error:
        raise ChainError(f"the node at {shown_host(url)} refused: {error.message}") from error
    except (requests.RequestException, OSError) as error:
        raise NodeUnreachableError(
            f"no node answers at {shown_host(url)} ({type(error).__name__}): check the address, and that the node runs"
        ) from error
    except (Web3Exception, ValueError, TypeError, LookupError, AttributeError) as error:
        raise NodeUnreachableError(
            f"the node at {shown_host(url)} gave an answer that makes no sense ({type(error).__name__}): try again, or "
            "use another node"
        ) from error


def shown_host(url: str) -> str:
    """Scheme, host and port of an address, for messages: paths and queries may hold access keys."""
    scheme, separator, rest = url.partition("://")
    host = rest.split("/", 1)[0].rsplit("@", 1)[-1]
    return f"{scheme}{separator}{host}"


def checksummed(address: str) -> str:
    """An address with its checksum (EIP-55)."""
    return str(Web3.to_checksum_address(address))


def _revert_data(data: object) -> bytes:
    """What a call reverted with; nothing where the node gives something else."""
    try:
        return bytes.fromhex(_text(data))
    except ValueError:
        return b""


def _text(data: object) -> str:
    """Hexadecimal digits without their prefix."""
    return str(data).removeprefix("0x")


def _hex(data: bytes) -> Any:  # noqa: ANN401 - web3 calls the same thing HexStr, Hash32 or HexBytes
    return "0x" + data.hex()
