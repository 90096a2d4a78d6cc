"""Publishing margin rules: proposals signed by a quorum, chunks as blobs or as rows in calldata.

Twin: contracts/RuleRegistry.sol.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eth_account import Account
from eth_utils.address import to_checksum_address

from verifier.ceremony import ceremony_setup
from verifier.chain.blob_transactions import MAXIMUM_BLOBS, BlobSidecar, versioned_hash
from verifier.chain.chain_time import wait_for_time
from verifier.chain.instrument_client import InstrumentClient
from verifier.chain.registry_client import RegistryClient
from verifier.curve import group
from verifier.errors import MalformedInputError
from verifier.rules.margin_rule import matrix_from_blobs
from verifier.rules.row_posting import encode_rows, row_opening

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eth_account.signers.local import LocalAccount

    from verifier.ceremony import TrustedSetup
    from verifier.chain.chain_client import Receipt
    from verifier.chain.rule_publication import Publication, RuleProposal

SIGNATURE_BYTES: Final = 65


@dataclass(frozen=True, slots=True)
class SignedProposal:
    """A proposal with what publishers have signed of it.

    Attributes:
        proposal: what they sign.
        signatures: 65 bytes each, by any publishers in any order.
    """

    proposal: RuleProposal
    signatures: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class PostedChunk:
    """A chunk of a proposal whose rows are posted in calldata.

    Attributes:
        chunk: its number.
        point: commitment to it, 96 bytes.
        blob: its rows as a blob.
    """

    chunk: int
    point: bytes
    blob: bytes


class RulePublisher(RegistryClient):
    """The rule registry at an address, for those who publish to it; arguments as of the registry's client."""

    def next_proposal(self, publication: Publication) -> RuleProposal:
        """What publishers sign of a publication, as the next epoch under the present list of instruments.

        Whether the rules price everything on that list is for the publisher to know.

        Raises:
            MalformedInputError: the rules have more books than that list.
        """
        instruments = InstrumentClient(self._chain, self.instruments())
        books = len(publication.initial.commitments)
        if books > (opened := instruments.books()):
            raise MalformedInputError(
                f"rules of {books} books, but {opened} are open at the instrument registry: "
                "list an instrument in each further book first, or build the rules for fewer"
            )
        return publication.proposal(self.latest_epoch().epoch + 1, instruments.version())

    def sign_proposal(self, publisher: LocalAccount, proposal: RuleProposal) -> bytes:
        """Signature of a publisher over a proposal for this registry, 65 bytes."""
        return proposal.sign(publisher, self._chain.chain_id, self.address)

    def signers(self, signed: SignedProposal) -> tuple[str, ...]:
        """Who has signed, in the order of the signatures.

        Raises:
            MalformedInputError: something is no signature.
        """
        digest = signed.proposal.signing_digest(self._chain.chain_id, self.address)
        return tuple(_signer(digest, signature) for signature in signed.signatures)

    def publish(
        self,
        sender: LocalAccount,
        publication: Publication,
        signed: SignedProposal | None = None,
        *,
        by_calldata: bool = False,
    ) -> tuple[Receipt, ...]:
        """Stage and finalise the next epoch in as few transactions as possible; all its rules become active together.

        Chunks travel as blobs, or as rows in calldata where the chain takes no blobs.

        Args:
            sender: one of the publishers; pays.
            publication: the rules.
            signed: signatures of as many publishers as must agree; without them the sender signs alone.
            by_calldata: post rows even where the chain takes blobs.

        Returns:
            Receipts of all transactions.

        Raises:
            MalformedInputError: the signatures are over another proposal than this publication's.
            ContractRevertedError: the registry refused, by a named error.
        """
        agreed = signed or self._signed_alone(sender, publication)
        if by_calldata or not self._chain.takes_blobs():
            return self.publish_rows(sender, publication, agreed)
        return self.publish_blobs(sender, publication, agreed)

    def publish_blobs(
        self, sender: LocalAccount, publication: Publication, signed: SignedProposal
    ) -> tuple[Receipt, ...]:
        """The same with chunks as blobs, whatever the chain.

        Raises:
            ChainFeatureError: the chain takes no blobs.
        """
        self._chain.require_blobs()
        compressed, hashes = _hashes(publication)
        blobs = publication.chunks()
        if len(hashes) != len(blobs):
            raise MalformedInputError(f"{len(hashes)} commitments and {len(blobs)} blobs: give one blob a commitment")
        windows = blob_windows(hashes)
        parts = [BlobSidecar(blobs[part.start : part.stop], compressed[part.start : part.stop]) for part in windows]
        receipts = [
            self.stage(sender, signed.proposal, hashes, first_chunk=window.start, sidecar=part)
            for window, part in zip(windows[:-1], parts[:-1], strict=True)
        ]
        return (
            *receipts,
            self.finalise(sender, publication, signed, first_chunk=windows[-1].start, sidecar=parts[-1]),
        )

    def publish_rows(
        self,
        sender: LocalAccount,
        publication: Publication,
        signed: SignedProposal,
        setup: TrustedSetup | None = None,
    ) -> tuple[Receipt, ...]:
        """The same with the chunks' rows in calldata, one transaction each; equal chunks are posted once.

        Args:
            sender: as of :meth:`publish`.
            publication: as of :meth:`publish`.
            signed: signatures.
            setup: powers of τ; the ceremony's when omitted.
        """
        _, hashes = _hashes(publication)
        chunks = zip(hashes, publication.chunk_points(), publication.chunks(), strict=True)
        receipts = []
        for chunk, (digest, point, blob) in enumerate(chunks):
            if digest in hashes[:chunk]:
                continue
            rows = PostedChunk(chunk, point, blob)
            receipts.append(self.stage_rows(sender, signed.proposal, hashes, rows, setup or ceremony_setup()))
        return (*receipts, self.finalise(sender, publication, signed))

    def stage(
        self,
        publisher: LocalAccount,
        proposal: RuleProposal,
        hashes: Sequence[bytes],
        *,
        first_chunk: int,
        sidecar: BlobSidecar,
    ) -> Receipt:
        """Record that a transaction's blobs are chunks of a proposal.

        Raises:
            ContractRevertedError: the registry refused, by a named error.
        """
        data = self._interface.encode_call("stage", proposal.as_tuple(), list(hashes), first_chunk)
        return self._chain.send(publisher, data, to=self.address, sidecar=sidecar)

    def stage_rows(
        self,
        sender: LocalAccount,
        proposal: RuleProposal,
        hashes: Sequence[bytes],
        posted: PostedChunk,
        setup: TrustedSetup,
    ) -> Receipt:
        """Record that the rows in a transaction's calldata are a chunk of a proposal; a publisher alone.

        Raises:
            ContractRevertedError: the registry refused, by a named error.
        """
        matrix = matrix_from_blobs(self.shape(), [[posted.blob]])
        opening = row_opening(matrix, 0, 0, commitment=posted.point, setup=setup)
        rows = encode_rows(matrix, 0, 0)
        data = self._interface.encode_call(
            "stageRows", proposal.as_tuple(), list(hashes), posted.chunk, posted.point, rows, opening
        )
        return self._chain.send(sender, data, to=self.address)

    def finalise(
        self,
        sender: LocalAccount,
        publication: Publication,
        signed: SignedProposal,
        *,
        first_chunk: int = 0,
        sidecar: BlobSidecar | None = None,
    ) -> Receipt:
        """Announce the epoch of a proposal; the transaction may carry the last blobs. Anyone may send it.

        Raises:
            MalformedInputError: the proposal is not this publication's, or something is no signature.
            ContractRevertedError: the registry refused, by a named error.
        """
        proposal = signed.proposal
        if publication.proposal(proposal.epoch, proposal.list_version) != proposal:
            raise MalformedInputError(
                f"the signed proposal for epoch {proposal.epoch} is not of these rules: build them from the market "
                "file that the other publishers used, or sign a new proposal"
            )
        ascending = sorted(zip(self.signers(signed), signed.signatures, strict=True), key=lambda pair: pair[0].lower())
        data = self._interface.encode_call(
            "finalise",
            proposal.as_tuple(),
            b"".join(publication.points()),
            publication.marks,
            publication.indices,
            first_chunk,
            [signature for _, signature in ascending],
        )
        return self._chain.send(sender, data, to=self.address, sidecar=sidecar)

    def set_publishers(
        self, owner: LocalAccount, *, add: Sequence[str] = (), remove: Sequence[str] = (), threshold: int
    ) -> Receipt:
        """Change who publishes and how many must agree; the owner alone.

        Raises:
            ContractRevertedError: the registry refused, by a named error.
        """
        data = self._interface.encode_call("setPublishers", list(add), list(remove), threshold)
        return self._chain.send(owner, data, to=self.address)

    def wait_for_turn(self) -> None:
        """Wait until the next epoch may be announced; on the local chain its clock is moved instead.

        Raises:
            ChainError: the chain's clock does not come so far in time.
        """
        latest = self.latest_epoch()
        if latest.epoch:
            wait_for_time(self._chain, latest.published_at + self.timing().spacing)

    def wait_until_active(self, epoch: int) -> None:
        """Wait until the epoch announced last is active; on the local chain its clock is moved instead.

        Raises:
            MalformedInputError: another epoch was announced last.
            ChainError: the chain's clock does not come so far in time.
        """
        header = self.latest_epoch()
        if header.epoch != epoch:
            raise MalformedInputError(f"epoch {header.epoch} was announced last, not {epoch}: read the registry again")
        wait_for_time(self._chain, header.active_from)

    def _signed_alone(self, sender: LocalAccount, publication: Publication) -> SignedProposal:
        proposal = self.next_proposal(publication)
        return SignedProposal(proposal, (self.sign_proposal(sender, proposal),))


def blob_windows(hashes: Sequence[bytes]) -> list[range]:
    """Runs of chunks, one a transaction, that hold every chunk or an earlier one equal to it; as few as possible."""
    windows: list[range] = []
    for chunk, digest in enumerate(hashes):
        if digest in hashes[:chunk]:
            continue
        if windows and chunk < windows[-1].start + MAXIMUM_BLOBS:
            windows[-1] = range(windows[-1].start, chunk + 1)
        else:
            windows.append(range(chunk, chunk + 1))
    return windows


def _hashes(publication: Publication) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """KZG commitments of the published chunks and their versioned hashes."""
    backend = group()
    compressed = tuple(backend.compress(backend.decode(point)) for point in publication.chunk_points())
    return compressed, tuple(versioned_hash(commitment) for commitment in compressed)


def _signer(digest: bytes, signature: bytes) -> str:
    try:
        return to_checksum_address(Account._recover_hash(digest, signature=signature))  # noqa: SLF001 - no public way
    except Exception as error:
        raise MalformedInputError(f"0x{signature.hex()} is no signature of {SIGNATURE_BYTES} bytes") from error
