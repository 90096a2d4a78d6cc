"""From rules built here to an active epoch: instruments listed, the proposal signed by enough publishers, sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prover.errors import PublishedRuleError
from prover.rules.slot_terms import list_missing
from verifier.chain.proposal_file import ProposalFile
from verifier.chain.rule_publishing import SignedProposal

if TYPE_CHECKING:
    from pathlib import Path

    from eth_account.signers.local import LocalAccount

    from prover.account.venue import Venue
    from prover.rules.rule_book import RuleBook
    from verifier.chain.chain_client import Receipt
    from verifier.chain.rule_publication import Publication
    from verifier.chain.rule_publishing import RulePublisher


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the publishers have come.

    Attributes:
        signed: the proposal and its signatures.
        signers: addresses of those who signed.
        threshold: how many must.
    """

    signed: SignedProposal
    signers: tuple[str, ...]
    threshold: int

    @property
    def is_complete(self) -> bool:
        """Whether enough have signed."""
        return len(self.signers) >= self.threshold


def publish_epoch(venue: Venue, publisher: LocalAccount, book: RuleBook) -> tuple[Receipt, ...]:
    """List what is missing, publish the rules as the only publisher who must sign, and wait until they are active.

    Args:
        venue: where.
        publisher: lists, signs and pays.
        book: the rules.

    Raises:
        ListingError: as :func:`prover.rules.slot_terms.list_missing`.
        ContractRevertedError: the registry refused, by a named error.
    """
    receipts = list_missing(venue.instruments, publisher, book.slots)
    venue.registry.wait_for_turn()
    receipts += venue.registry.publish(publisher, book.publication())
    venue.registry.wait_until_active(venue.registry.latest_epoch().epoch)
    return receipts


def agree(
    registry: RulePublisher, publisher: LocalAccount, publication: Publication, proposed: Path | None
) -> Agreement:
    """Sign the next epoch's proposal, worked out here, beside those who have signed it before.

    Args:
        registry: that it is for.
        publisher: signs.
        publication: the rules.
        proposed: file of the proposal that others have signed; ``None`` for the first.

    Raises:
        PublishedRuleError: the key, or one who signed before, is none of the registry's publishers; or the rules are
            published already, or older than what is.
        MalformedInputError: the others have signed another proposal.
    """
    _require_publisher(registry, publisher.address)
    _require_newer(registry, publication)
    proposal = registry.next_proposal(publication)
    signed = SignedProposal(proposal, ())
    if proposed is not None:
        signed = ProposalFile.load(proposed).signatures_of(registry, proposal)
    signatures = dict(zip(registry.signers(signed), signed.signatures, strict=True))
    for signer in signatures:
        _require_publisher(registry, signer)
    signatures[publisher.address] = registry.sign_proposal(publisher, proposal)
    complete = SignedProposal(proposal, tuple(signatures.values()))
    return Agreement(complete, tuple(signatures), registry.threshold())


def _require_newer(registry: RulePublisher, publication: Publication) -> None:
    """Before blobs are paid for: the registry would refuse the last of the transactions."""
    latest = registry.latest_epoch()
    if publication.snapshot_time > latest.snapshot_time:
        return
    if (latest.snapshot_hash, latest.rule_digest) == (publication.snapshot_hash, publication.rule_digest):
        raise PublishedRuleError(
            f"these rules are published already, as epoch {latest.epoch}, active from {latest.active_from}: nothing "
            "to do, or take a new market snapshot"
        )
    raise PublishedRuleError(
        f"the snapshot is of {publication.snapshot_time}, that of epoch {latest.epoch} of {latest.snapshot_time}: take "
        "a new market snapshot"
    )


def _require_publisher(registry: RulePublisher, address: str) -> None:
    if not registry.is_publisher(address):
        raise PublishedRuleError(
            f"{address} is no publisher of registry {registry.address}: have its owner appoint it, or use another key"
        )
