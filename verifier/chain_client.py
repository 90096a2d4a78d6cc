"""The connection to a node: calls, transactions, blobs, logs. Beside it only the beacon client opens a connection.

Everything that can be known beforehand is checked before anything is sent: that the node answers, that it is the
expected chain, that the chain has the precompiles and the blobs that the contracts need, that the call succeeds.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING, Any, Final, cast

import requests
from web3 import Web3
from web3.exceptions import ContractLogicError, TimeExhausted, Web3Exception, Web3RPCError

from verifier.blob_transactions import (
    MAXIMUM_BLOBS,
    BlobSidecar,
    blob_commitment,
    sign_blob_transaction,
    versioned_hash,
)
from verifier.contract_errors import decode_revert
from verifier.curve import COMPRESSED_INFINITY
from verifier.errors import (
    ChainError,
    ChainFeatureError,
    MalformedInputError,
    NodeUnreachableError,
    WrongChainError,
)
from verifier.receipts import Receipt, event_log_of, receipt_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from eth_account.signers.local import LocalAccount
    from web3.types import FilterParams, TxParams, TxReceipt

    from verifier.contract_interface import EventLog

__all__ = ["ChainClient", "Receipt", "shown_host"]

REQUEST_SECONDS: Final = 30.0
RECEIPT_SECONDS: Final = 180.0
POLL_SECONDS: Final = 0.05
TRANSACTION_GAS_LIMIT: Final = 1 << 24
"""EIP-7825: no transaction may have more gas."""

# Gas is estimated against the pending block; a quarter more covers what changes until the transaction is mined.
GAS_MARGIN: Final = (5, 4)
FEE_FACTOR: Final = 2

WORD: Final = 32
POINT: Final = 128

_TRIVIAL_OPENING: Final = (
    b"\x01"
    + hashlib.sha256(COMPRESSED_INFINITY).digest()[1:]
    + bytes(2 * WORD)
    + COMPRESSED_INFINITY
    + COMPRESSED_INFINITY
)

# Address, what it does, an input that it must accept, the size of its answer.
_PRECOMPILES: Final = (
    (0x0A, "point evaluation (EIP-4844)", _TRIVIAL_OPENING, 2 * WORD),
    (0x0B, "G1 addition (EIP-2537)", bytes(2 * POINT), POINT),
    (0x0C, "G1 multiplication (EIP-2537)", bytes(POINT + WORD), POINT),
    (0x0F, "pairing (EIP-2537)", bytes(3 * POINT), WORD),
)


class ChainClient:
    """A connection to one node of one chain; make it by :meth:`connect`.

    Args:
        web3: connection.
        url: of the node, for messages; may hold an access key, so that messages show only the host.
        chain_id: of the chain.
    """

    def __init__(self, web3: Web3, url: str, chain_id: int) -> None:
        self._web3 = web3
        self._url = url
        self.chain_id = chain_id

    @classmethod
    def connect(cls, url: str, *, chain_id: int | None = None) -> ChainClient:
        """Connect to a node.

        Args:
            url: of its JSON-RPC interface over HTTP.
            chain_id: the chain that it must serve; any when omitted.

        Raises:
            NodeUnreachableError: nobody answers.
            WrongChainError: the node serves another chain.
        """
        web3 = Web3(Web3.HTTPProvider(url, request_kwargs={"timeout": REQUEST_SECONDS}))
        with _translated_errors(url):
            found = web3.eth.chain_id
        if chain_id is not None and found != chain_id:
            raise WrongChainError(
                f"the node at {shown_host(url)} serves chain {found}, not {chain_id}: "
                "give the address of a node of the right chain, or its deployment file"
            )
        return cls(web3, url, found)

    def require_precompiles(self) -> None:
        """Check that the chain has every precompile that the contracts call.

        Raises:
            ChainFeatureError: one is missing.
        """
        for address, purpose, data, size in _PRECOMPILES:
            with _translated_errors(self._url):
                response = self._web3.provider.make_request(
                    cast("Any", "eth_call"), [{"to": _precompile_address(address), "data": "0x" + data.hex()}, "latest"]
                )
            answer = str(response.get("result", "0x")).removeprefix("0x")
            if len(answer) != 2 * size:
                raise ChainFeatureError(
                    f"chain {self.chain_id} lacks precompile {address:#04x}, {purpose}: "
                    "use a chain with the Prague rules or later"
                )

    def require_blobs(self) -> None:
        """Check that the chain takes blobs.

        Raises:
            ChainFeatureError: it does not.
        """
        if self._blob_base_fee() == 0:
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

        Args:
            account: signs and pays.
            data: calldata, or creation code.
            to: contract; ``None`` creates one.
            sidecar: blobs to carry.

        Raises:
            ContractRevertedError: the contract refuses; nothing was sent, unless another transaction came between.
            ChainError: the node refused, or no receipt came in time.
        """
        if sidecar is not None and len(sidecar.blobs) > MAXIMUM_BLOBS:
            raise MalformedInputError(
                f"{len(sidecar.blobs)} blobs: a transaction carries at most {MAXIMUM_BLOBS}; send several"
            )
        fields = self._fields(account.address, data, to=to, sidecar=sidecar)
        if sidecar is None:
            raw = bytes(account.sign_transaction(cast("dict[str, Any]", fields)).raw_transaction)
        else:
            raw = sign_blob_transaction(account, cast("dict[str, Any]", fields), sidecar)
        with _translated_errors(self._url):
            digest = self._web3.eth.send_raw_transaction(raw)
            receipt = self._web3.eth.wait_for_transaction_receipt(
                digest, timeout=RECEIPT_SECONDS, poll_latency=POLL_SECONDS
            )
        if receipt["status"] != 1:
            self._raise_reason(fields, receipt)
        return receipt_of(cast("dict[str, Any]", receipt))

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

    def logs(self, address: str, topics: Sequence[bytes | None], *, from_block: int = 0) -> tuple[EventLog, ...]:
        """Events of a contract, oldest first.

        Args:
            address: of the contract.
            topics: to match; ``None`` matches any.
            from_block: first block to look at.
        """
        wanted = [None if topic is None else _hex(topic) for topic in topics]
        query: FilterParams = {
            "address": Web3.to_checksum_address(address),
            "topics": cast("Any", wanted),
            "fromBlock": from_block,
            "toBlock": "latest",
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

    def _fields(self, sender: str, data: bytes, *, to: str | None, sidecar: BlobSidecar | None) -> TxParams:
        """Fields of a transaction, gas estimated; the estimate reverts as the transaction would."""
        fields: dict[str, Any] = {
            "from": Web3.to_checksum_address(sender),
            "data": _hex(data),
            "value": 0,
            "chainId": self.chain_id,
        }
        if to is not None:
            fields["to"] = Web3.to_checksum_address(to)
        if sidecar is not None:
            fields["blobVersionedHashes"] = ["0x" + digest.hex() for digest in sidecar.versioned_hashes]
            fields["maxFeePerBlobGas"] = FEE_FACTOR * self._blob_base_fee()
        with _translated_errors(self._url):
            block = self._web3.eth.get_block("latest")
            tip = self._web3.eth.max_priority_fee
            fields["maxPriorityFeePerGas"] = tip
            fields["maxFeePerGas"] = FEE_FACTOR * int(block["baseFeePerGas"]) + tip
            fields["nonce"] = self._web3.eth.get_transaction_count(fields["from"], "pending")
            estimate = self._web3.eth.estimate_gas(cast("TxParams", fields))
        fields["gas"] = min(estimate * GAS_MARGIN[0] // GAS_MARGIN[1], TRANSACTION_GAS_LIMIT)
        return cast("TxParams", fields)

    def _blob_base_fee(self) -> int:
        """Price of blob gas in wei; 0 where there are no blobs."""
        with _translated_errors(self._url):
            response = self._web3.provider.make_request(cast("Any", "eth_blobBaseFee"), [])
        return int(str(response.get("result") or "0x0"), 16)

    def _raise_reason(self, fields: TxParams, receipt: TxReceipt) -> None:
        """Play a failed transaction again to learn why it failed."""
        with _translated_errors(self._url):
            self._web3.eth.call(fields, receipt["blockNumber"])
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
    except TimeExhausted as error:
        raise ChainError("no receipt came in time: the fee may be too low; look the transaction up") from error
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


def _precompile_address(number: int) -> str:
    return f"0x{number:040x}"
