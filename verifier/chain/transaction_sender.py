"""Sending transactions so that none is lost and none is sent twice.

A transaction is written to the journal of its account, then sent, then tended until its receipt is there: sent again
when the node has dropped it, replaced under the same nonce when its fees no longer suffice, waited for while the node
hangs or restarts. A later run with the same purpose goes on with it under its nonce; a run with another purpose tends
it beside its own.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from verifier.chain.signed_transactions import sign_transaction
from verifier.chain.transaction_journal import Stage
from verifier.errors import ChainError, NodeUnreachableError, NonceTakenError, TransactionPendingError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from eth_account.signers.local import LocalAccount

    from verifier.chain.blob_transactions import BlobSidecar
    from verifier.chain.chain_client import ChainClient
    from verifier.chain.transaction_journal import JournalEntry, TransactionJournal

FEE_CEILING: Final = 10**12
"""Wei for a unit of gas: beyond 1,000 gwei nothing is raised; who wants to pay that decides anew."""

BURIED_BLOCKS: Final = 64
"""Two epochs of the consensus: what lies deeper is final."""

UNCLAIMED_SECONDS: Final = 3_600
"""How long the journal keeps a transaction whose nonce went to another."""

REQUEST_SECONDS: Final = 30.0
NONCE_ATTEMPTS: Final = 50
GAS_MARGIN: Final = (5, 4)
"""Gas is estimated against the pending block; a quarter more covers what changes until the transaction is mined."""

TRANSACTION_GAS_LIMIT: Final = 1 << 24
"""EIP-7825: no transaction may have more gas."""

_ALREADY_THERE: Final = ("already known", "already imported", "known transaction")
_NONCE_USED: Final = ("nonce too low", "replacement transaction underpriced")
"""Of a first sending: another transaction has the nonce, mined or waiting."""


@dataclass(frozen=True, slots=True)
class SendingTerms:
    """How patient sending is, in seconds.

    Attributes:
        request_seconds: for one answer of the node.
        receipt_seconds: for the receipt, however often the node fails meanwhile.
        poll_seconds: between two questions for the receipt.
        tend_seconds: between two looks whether the transaction is still known and its fees suffice.
        replace_seconds: until fees are raised although the base fee is covered.
        settle_seconds: for a receipt to appear once the nonce is used.
    """

    request_seconds: float = REQUEST_SECONDS
    receipt_seconds: float = 180.0
    poll_seconds: float = 0.05
    tend_seconds: float = 5.0
    replace_seconds: float = 60.0
    settle_seconds: float = 15.0


class TransactionSender:
    """Sends the transactions of one account.

    Args:
        node: connection.
        account: signs and pays.
        journal: of this account on this chain.
        terms: how patient.
    """

    def __init__(
        self, node: ChainClient, account: LocalAccount, journal: TransactionJournal, terms: SendingTerms
    ) -> None:
        self._node = node
        self._account = account
        self._journal = journal
        self._terms = terms
        self._refusal = ""

    def send(self, data: bytes, *, to: str | None, sidecar: BlobSidecar | None) -> Mapping[str, Any]:
        """Send, or go on with what an earlier run began for the same purpose; wait for the receipt.

        Returns:
            The receipt as the node gives it; the transaction may have failed.

        Raises:
            ContractRevertedError: the contract refuses; nothing was sent.
            ChainError: the node refused; nothing is under way.
            TransactionPendingError: no receipt came in time; the journal keeps the transaction.
            NonceTakenError: another transaction took its nonce.
        """
        hashes = () if sidecar is None else sidecar.versioned_hashes
        purpose = purpose_digest(self._node.chain_id, to, data, hashes)
        self._follow_reorganisations()
        begun = [e for e in self._journal.under_way() if e.stage is Stage.SENDING and e.purpose == purpose]
        entry = begun[0] if begun else self._begin(purpose, data, to=to, sidecar=sidecar)
        receipt = self._await(entry, tend_now=bool(begun))
        self._journal.finish(entry.nonce, int(receipt["blockNumber"]))
        return receipt

    def _follow_reorganisations(self) -> None:
        """Find what was mined and is no longer, send again what the node has lost; forget what is final."""
        entries = self._journal.entries()
        if not entries:
            return
        used = self._node.transaction_count(self._account.address)
        for entry in entries:
            if entry.stage is Stage.MINED and entry.nonce >= used:
                self._journal.reopen(entry.nonce)
            elif entry.stage is not Stage.MINED and entry.nonce < used:
                self._close(entry)
        self._journal.bury(self._node.block_number() - BURIED_BLOCKS)
        self._tend(used)

    def _close(self, entry: JournalEntry) -> None:
        """Its nonce is used. What nobody was told of stays for a while, for the run that asks for the same again."""
        receipt = self._receipt(entry)
        if receipt is None:
            if time.time() - entry.attempted_at > UNCLAIMED_SECONDS:
                self._journal.forget(entry.nonce)
        elif entry.stage is Stage.AGAIN or self._is_buried(int(receipt["blockNumber"])):
            self._journal.finish(entry.nonce, int(receipt["blockNumber"]))

    def _is_buried(self, block_number: int) -> bool:
        return block_number + BURIED_BLOCKS <= self._node.block_number()

    def _begin(self, purpose: bytes, data: bytes, *, to: str | None, sidecar: BlobSidecar | None) -> JournalEntry:
        """Take a nonce, write down, send for the first time."""
        fields = self._fields(data, to=to, sidecar=sidecar)
        for _ in range(NONCE_ATTEMPTS):
            taken = [entry.nonce + 1 for entry in self._journal.under_way()]
            nonce = max([self._node.transaction_count(self._account.address, pending=True), *taken])
            signed = sign_transaction(self._account, fields | {"nonce": nonce}, sidecar)
            entry = self._journal.record(purpose, signed)
            if entry is not None and self._submit_first(entry):
                return entry
        raise ChainError(
            f"{NONCE_ATTEMPTS} nonces of {self._account.address} were taken by others before they could be used: "
            "stop the other program that sends for this account"
        )

    def _submit_first(self, entry: JournalEntry) -> bool:
        """Send what was just recorded; false when another transaction took the nonce in between.

        What the node refuses outright is not under way. Whether it took what it did not answer is not known: that
        stays recorded.
        """
        try:
            self._node.submit(entry.signed.raw)
        except NodeUnreachableError:
            return True
        except ChainError as refusal:
            if _is_there(refusal) or self._receipt(entry) is not None:
                return True
            self._journal.forget(entry.nonce)
            if any(phrase in str(refusal).lower() for phrase in _NONCE_USED):
                return False
            raise
        return True

    def _await(self, entry: JournalEntry, *, tend_now: bool) -> Mapping[str, Any]:
        """Tend everything that is under way until this entry has its receipt."""
        now = time.monotonic()
        deadline, next_look = now + self._terms.receipt_seconds, now if tend_now else now + self._terms.tend_seconds
        used_since: float | None = None
        while time.monotonic() < deadline:
            try:
                receipt = self._receipt(entry)
                if receipt is not None:
                    return receipt
                if time.monotonic() >= next_look:
                    used = self._node.transaction_count(self._account.address)
                    used_since = (used_since or time.monotonic()) if used > entry.nonce else None
                    self._require_unused(entry, used_since)
                    self._tend(used)
                    entry = self._again(entry)
                    next_look = time.monotonic() + self._terms.tend_seconds
            except NonceTakenError:
                raise
            except ChainError as error:
                self._refusal = str(error)
            time.sleep(self._terms.poll_seconds)
        raise TransactionPendingError(
            f"no receipt of transaction 0x{entry.signed.digest.hex()} (nonce {entry.nonce} of {self._account.address}) "
            f"within {self._terms.receipt_seconds:.0f} s{'; ' if self._refusal else ''}{self._refusal}: it is recorded "
            "and may still be mined; run the same again, which goes on with it under the same nonce"
        )

    def _require_unused(self, entry: JournalEntry, used_since: float | None) -> None:
        """A used nonce without a receipt, for long enough that no slow node explains it, went to somebody else."""
        if used_since is None or time.monotonic() - used_since < self._terms.settle_seconds:
            return
        self._journal.forget(entry.nonce)
        raise NonceTakenError(
            f"nonce {entry.nonce} of {self._account.address} went to another transaction than "
            f"0x{entry.signed.digest.hex()}, which will never be mined: look at what the account has done, then run "
            "the same again if it is still wanted"
        )

    def _tend(self, used: int) -> None:
        """Replace what offers too little, send again what the node does not know."""
        waiting = [entry for entry in self._journal.under_way() if entry.nonce >= used]
        if not waiting:
            return
        base_fee = self._node.base_fee()
        blob_fee = self._node.blob_base_fee() if any(entry.signed.fees.blob_limit for entry in waiting) else 0
        for entry in waiting:
            offered = entry.signed.fees
            too_low = offered.limit < base_fee or 0 < offered.blob_limit < blob_fee
            is_late = time.time() - entry.attempted_at >= self._terms.replace_seconds
            is_replaced = (too_low or is_late) and self._replace(entry)
            # What offers too little would be refused; it is sent again once the base fee has come down.
            if not (is_replaced or too_low) and not self._node.knows_transaction(entry.signed.digest):
                self._submit_again(entry.signed.raw)

    def _replace(self, entry: JournalEntry) -> bool:
        """Send the same with higher fees; false when that would pass the ceiling, or the node refuses it."""
        offered = entry.signed.fees
        raised = offered.raised(self._node.fees(with_blobs=offered.blob_limit > 0))
        if max(raised.limit, raised.blob_limit) > FEE_CEILING:
            self._refusal = f"fees above {FEE_CEILING} wei would be needed; wait until the chain is less busy"
            return False
        replacement = entry.signed.with_fees(self._account, raised)
        self._journal.replace(replacement)
        if not self._submit_again(replacement.raw):
            # What went before stays what is sent; the hash of this one stays known, should it be mined after all.
            self._journal.replace(entry.signed)
            return False
        return True

    def _submit_again(self, raw: bytes) -> bool:
        """Whatever the node says now, an earlier sending may still be mined: only the receipt decides."""
        try:
            self._node.submit(raw)
        except NodeUnreachableError:
            raise
        except ChainError as refusal:
            self._refusal = str(refusal)
            return _is_there(refusal)
        return True

    def _receipt(self, entry: JournalEntry) -> Mapping[str, Any] | None:
        """Receipt of whichever sending was mined; the last is the likeliest."""
        found = (self._node.receipt_fields(digest) for digest in reversed(entry.hashes))
        return next((receipt for receipt in found if receipt is not None), None)

    def _again(self, entry: JournalEntry) -> JournalEntry:
        """The entry as it is now; as it was, where another run for the same purpose was told of its end first."""
        return next((found for found in self._journal.entries() if found.nonce == entry.nonce), entry)

    def _fields(self, data: bytes, *, to: str | None, sidecar: BlobSidecar | None) -> dict[str, Any]:
        """Fields of a transaction without nonce, gas estimated; the estimate reverts as the transaction would."""
        fields: dict[str, Any] = call_fields(self._account.address, data, to) | {"chainId": self._node.chain_id}
        if sidecar is not None:
            fields["blobVersionedHashes"] = ["0x" + digest.hex() for digest in sidecar.versioned_hashes]
        fields |= self._node.fees(with_blobs=sidecar is not None).as_fields()
        estimate = self._node.estimate_gas(fields)
        return fields | {"gas": min(estimate * GAS_MARGIN[0] // GAS_MARGIN[1], TRANSACTION_GAS_LIMIT)}


def _is_there(refusal: ChainError) -> bool:
    """Whether a node refuses a transaction because it has it."""
    text = str(refusal).lower()
    return any(phrase in text for phrase in _ALREADY_THERE)


def call_fields(sender: str, data: bytes, to: str | None) -> dict[str, Any]:
    """What a transaction does, as fields; ``to`` ``None`` creates a contract."""
    fields: dict[str, Any] = {"from": sender, "data": "0x" + data.hex(), "value": 0}
    return fields if to is None else fields | {"to": to}


def purpose_digest(chain_id: int, to: str | None, data: bytes, blob_hashes: tuple[bytes, ...]) -> bytes:
    """Digest of what a transaction does, apart from nonce and fees, 32 bytes."""
    receiver = b"" if to is None else bytes.fromhex(to.removeprefix("0x"))
    parts = (chain_id.to_bytes(32, "big"), receiver, data, b"".join(blob_hashes))
    return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()
