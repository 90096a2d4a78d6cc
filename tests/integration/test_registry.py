"""Margin rules on a real chain: signed, published as blobs or rows, read back, audited; every refusal by its name."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest

from tests.support.exchange import BOOKS, LISTED, MAXIMUM_AGE, Exchange
from verifier.chain.blob_transactions import BlobSidecar, blob_commitment, versioned_hash
from verifier.chain.chain_time import wait_for_time
from verifier.chain.contract_interface import contract_interface
from verifier.chain.proposal_file import ProposalFile
from verifier.chain.rule_publication import Publication, PublishedRule, RuleProposal
from verifier.chain.rule_publishing import SignedProposal
from verifier.commitment_basis import mask_commitment
from verifier.curve import group
from verifier.errors import ChainError, ContractRevertedError, DeploymentError, MalformedInputError, MatrixError
from verifier.rules.rule_kind import PUBLISHED_KINDS, RuleKind
from verifier.shape import SMALL

if TYPE_CHECKING:
    from pathlib import Path

    from eth_account.signers.local import LocalAccount

PREFIX: Final = "RuleRegistry"


def hashes_of(publication: Publication) -> tuple[bytes, ...]:
    """Versioned hashes of what is published as blobs."""
    backend = group()
    compressed = [backend.compress(backend.decode(point)) for point in publication.chunk_points()]
    return tuple(versioned_hash(commitment) for commitment in compressed)


def signed(exchange: Exchange, publication: Publication, *signers: LocalAccount) -> SignedProposal:
    """The next proposal with signatures; the publisher's by default."""
    proposal = exchange.registry.next_proposal(publication)
    chosen = signers or (exchange.publisher,)
    return SignedProposal(proposal, tuple(exchange.registry.sign_proposal(signer, proposal) for signer in chosen))


def contract_says(exchange: Exchange, function: str, *arguments: object) -> object:
    """What a view of the registry returns."""
    interface = contract_interface("RuleRegistry")
    answer = exchange.chain.call(exchange.registry.address, interface.encode_call(function, *arguments))
    return interface.decode_result(function, answer)[0]


def sidecar(publication: Publication, chunks: slice) -> BlobSidecar:
    """Some of the blobs, with commitments made by ckzg from the blobs themselves."""
    blobs = publication.chunks()[chunks]
    return BlobSidecar(blobs, tuple(blob_commitment(blob) for blob in blobs))


def refused(exchange: Exchange, publication: Publication, by: LocalAccount | None = None) -> ContractRevertedError:
    """The error that a publication meets."""
    with pytest.raises(ContractRevertedError) as caught:
        exchange.registry.publish(by or exchange.publisher, publication)
    return caught.value


def test_both_rules_become_usable_together(fresh_exchange: Exchange) -> None:
    publication, registry = fresh_exchange.publication(), fresh_exchange.registry
    receipts = registry.publish(fresh_exchange.publisher, publication)
    with pytest.raises(ContractRevertedError, match="wait until it is active"):
        registry.active_epoch()
    registry.wait_until_active(1)
    header = registry.active_epoch()
    assert header.active_from == header.published_at + registry.timing().activation_delay
    assert header.list_version == fresh_exchange.instruments.version() == 2
    assert (header.epoch, header.books, header.initial_chunks, header.maintenance_chunks) == (1, BOOKS, 1, 1)
    assert header.snapshot_time == publication.snapshot_time
    assert (header.snapshot_hash, header.rule_digest, header.slots_digest) == (
        publication.snapshot_hash,
        publication.rule_digest,
        publication.slots_digest,
    )
    for kind in PUBLISHED_KINDS:
        assert registry.matrix_commitments(1, kind) == fresh_exchange.rules[kind].commitments
        assert header.chunks(kind) == 1
    assert registry.is_reduced_rule(1, b"".join(publication.reduced_points))
    assert not registry.is_reduced_rule(1, b"".join(publication.initial.points()))
    assert sum(receipt.blob_gas_used for receipt in receipts) == 2 * BOOKS * 131_072


def test_an_auditor_rebuilds_the_matrices_from_the_blobs(exchange: Exchange) -> None:
    matrices = exchange.registry.rule_matrices(SMALL, 1)
    for kind, matrix in zip(PUBLISHED_KINDS, matrices, strict=True):
        expected = exchange.rules[kind].matrix.entries
        assert np.array_equal(matrix.entries[: len(expected)], expected)
        assert not matrix.entries[len(expected) :].any()


def test_the_log_keeps_marks_and_hashes(exchange: Exchange) -> None:
    event = exchange.registry.epoch_event(1)
    assert (event.marks, event.indices) == (b"marks", b"indices")
    assert event.versioned_hashes == hashes_of(exchange.publication())
    assert event.header == exchange.registry.latest_epoch()
    with pytest.raises(DeploymentError, match="no epoch 2"):
        exchange.registry.epoch_event(2)


def test_staged_blobs_come_back_too(fresh_exchange: Exchange) -> None:
    publication = fresh_exchange.publication()
    registry, publisher = fresh_exchange.registry, fresh_exchange.publisher
    agreed, hashes = signed(fresh_exchange, publication), hashes_of(publication)
    half = len(hashes) // 2
    first, second = (sidecar(publication, part) for part in (slice(0, half), slice(half, None)))
    receipt = registry.stage(publisher, agreed.proposal, hashes, first_chunk=0, sidecar=first)
    assert receipt.blob_gas_used == half * 131_072
    registry.finalise(publisher, publication, agreed, first_chunk=half, sidecar=second)
    assert registry.published_blobs(registry.epoch_event(1)) == publication.chunks()


def test_masks_are_those_of_the_list_of_instruments(exchange: Exchange) -> None:
    """What is listed later is dead in the epochs before it, and the next epoch must be signed for the new list."""
    expected, grown = (mask_commitment(exchange.setup, SMALL, range(live)) for live in (LISTED, LISTED + 1))
    assert exchange.registry.masks(1) == (expected,) * BOOKS
    agreed, publication = signed(exchange, exchange.publication()), exchange.publication()
    last = exchange.instruments.slot(LISTED - 1).terms
    exchange.instruments.list(exchange.publisher, 0, [last], ["COIN-62"])
    assert exchange.registry.masks(1) == (expected,) * BOOKS
    assert exchange.instruments.mask(0) == grown
    exchange.registry.wait_for_turn()
    with pytest.raises(ContractRevertedError) as caught:
        exchange.registry.publish(exchange.publisher, publication, agreed)
    assert caught.value.name == f"{PREFIX}ListVersionWrong"
    exchange.publish()
    assert exchange.registry.masks(2) == (grown, expected)


# --- Who signs ------------------------------------------------------------------------------------------------------


def test_python_and_contract_agree_on_what_is_signed(exchange: Exchange) -> None:
    publication = exchange.publication()
    proposal, registry = exchange.registry.next_proposal(publication), exchange.registry
    digest = proposal.signing_digest(exchange.chain.chain_id, registry.address)
    assert contract_says(exchange, "signingDigest", proposal.as_tuple()) == digest
    changed = [bumped(proposal, name) for name in RuleProposal.__slots__]
    digests = {entry.signing_digest(exchange.chain.chain_id, registry.address) for entry in changed}
    assert len(digests | {digest}) == len(changed) + 1
    other = exchange.running.account(4)
    both = signed(exchange, publication, other, exchange.publisher)
    assert registry.signers(both) == (other.address, exchange.publisher.address)
    with pytest.raises(MalformedInputError, match="is no signature"):
        registry.signers(replace(both, signatures=(b"\x01" * 64,)))


def bumped(proposal: RuleProposal, name: str) -> RuleProposal:
    """The proposal with another value of one field."""
    value: Any = getattr(proposal, name)
    changes: dict[str, Any] = {name: value + 1 if isinstance(value, int) else bytes([value[0] ^ 1]) + value[1:]}
    return replace(proposal, **changes)


def test_a_quorum_must_sign(fresh_exchange: Exchange) -> None:
    """Two of three, in any order of the signatures; the timelock appoints them."""
    exchange, registry = fresh_exchange, fresh_exchange.registry
    others = [exchange.running.account(index) for index in (5, 6)]
    exchange.govern("RuleRegistry", registry.address, "setPublishers", [other.address for other in others], [], 2)
    assert (registry.threshold(), registry.publisher_count()) == (2, 3)
    publication = exchange.publication()
    error = refused(exchange, publication)
    assert error.name == "PublisherQuorumTooFewSignatures"
    stranger = signed(exchange, publication, exchange.publisher, exchange.running.account(7))
    with pytest.raises(ContractRevertedError) as caught:
        registry.publish(exchange.publisher, publication, stranger)
    assert caught.value.name == "PublisherQuorumNotPublisher"
    for pair in ((others[1], others[0]), (others[0], others[1])):
        assert set(registry.signers(signed(exchange, publication, *pair))) == {other.address for other in others}
    registry.publish(others[0], publication, signed(exchange, publication, *others))
    assert registry.latest_epoch().epoch == 1


def test_signatures_are_for_these_rules(fresh_exchange: Exchange) -> None:
    publication = fresh_exchange.publication()
    agreed = signed(fresh_exchange, publication)
    with pytest.raises(MalformedInputError, match="is not of these rules"):
        fresh_exchange.registry.publish(fresh_exchange.publisher, replace(publication, marks=b"other"), agreed)


def test_a_proposal_file_is_worked_out_again(fresh_exchange: Exchange, tmp_path: Path) -> None:
    registry, publication = fresh_exchange.registry, fresh_exchange.publication()
    agreed = signed(fresh_exchange, publication)
    path = tmp_path / "proposal.json"
    ProposalFile.of(registry, agreed).save(path)
    assert ProposalFile.load(path).signatures_of(registry, agreed.proposal) == agreed
    other = registry.next_proposal(replace(publication, marks=b"other"))
    with pytest.raises(MalformedInputError, match=r"marks_hash is 0x.* do not sign"):
        ProposalFile.load(path).signatures_of(registry, other)
    content = json.loads(path.read_text())
    for bent in (content | {"signatures": ["zz"]}, content | {"chain_id": "1"}, content | {"more": 1}):
        path.write_text(json.dumps(bent))
        with pytest.raises(MalformedInputError, match="is no proposal"):
            ProposalFile.load(path)
    with pytest.raises(MalformedInputError, match="cannot be read"):
        ProposalFile.load(tmp_path / "missing.json")


# --- By calldata ----------------------------------------------------------------------------------------------------


def test_rows_in_calldata_do_as_well_as_blobs(fresh_exchange: Exchange) -> None:
    """Where the chain takes no blobs the client posts rows; auditors read the same matrices from them."""
    publication, registry = fresh_exchange.publication(), fresh_exchange.registry
    receipts = registry.publish(fresh_exchange.publisher, publication, by_calldata=True)
    assert sum(receipt.blob_gas_used for receipt in receipts) == 0
    event = registry.epoch_event(1)
    assert event.versioned_hashes == hashes_of(publication)
    assert registry.published_blobs(event) == publication.chunks()
    for kind, matrix in zip(PUBLISHED_KINDS, registry.rule_matrices(SMALL, 1), strict=True):
        expected = fresh_exchange.rules[kind].matrix.entries
        assert np.array_equal(matrix.entries[: len(expected)], expected)


def test_a_wrong_row_is_refused(fresh_exchange: Exchange) -> None:
    publication, registry = fresh_exchange.publication(), fresh_exchange.registry
    agreed, hashes = signed(fresh_exchange, publication), hashes_of(publication)
    registry.publish_rows(fresh_exchange.publisher, publication, agreed)
    log = next(log for log in fresh_exchange.chain.logs(registry.address, []) if len(log.data) == 32)
    interface = contract_interface("RuleRegistry")
    arguments = list(interface.decode_call("stageRows", fresh_exchange.chain.calldata(log.transaction_hash)))
    rows = bytearray(arguments[4])
    rows[11] ^= 1
    again = registry.next_proposal(fresh_exchange.publication())
    arguments[0], arguments[1], arguments[4] = again.as_tuple(), list(hashes), bytes(rows)
    fresh_exchange.advance(60)
    bent = interface.encode_call("stageRows", *arguments)
    with pytest.raises(ContractRevertedError) as caught:
        fresh_exchange.chain.send(fresh_exchange.publisher, bent, to=registry.address)
    assert caught.value.name == "MarginVerifierRejected"


# --- What is refused ------------------------------------------------------------------------------------------------


def test_rules_of_more_books_than_are_open_are_not_signed(exchange: Exchange) -> None:
    publication = exchange.publication()
    initial = replace(publication.initial, commitments=publication.initial.commitments * 2)
    with pytest.raises(MalformedInputError, match="rules of 4 books, but 2 are open at the instrument registry"):
        exchange.registry.next_proposal(replace(publication, initial=initial))


def test_nothing_is_usable_before_the_first_epoch(fresh_exchange: Exchange) -> None:
    assert fresh_exchange.registry.latest_epoch().epoch == 0
    with pytest.raises(ContractRevertedError, match="publish a rule first") as caught:
        fresh_exchange.registry.active_epoch()
    assert caught.value.name == f"{PREFIX}NoEpoch"


def test_a_stale_epoch_is_named(exchange: Exchange) -> None:
    snapshot_time = exchange.registry.active_epoch().snapshot_time
    exchange.advance(MAXIMUM_AGE + 60)
    with pytest.raises(ContractRevertedError, match="fresh market snapshot") as caught:
        exchange.registry.active_epoch()
    assert caught.value.name == f"{PREFIX}StaleEpoch"
    assert caught.value.arguments == {"epoch": 1, "snapshotTime": snapshot_time, "maximumAge": MAXIMUM_AGE}
    assert exchange.registry.maximum_age() == MAXIMUM_AGE


def test_strangers_cannot_publish(fresh_exchange: Exchange) -> None:
    stranger = fresh_exchange.running.account(5)
    error = refused(fresh_exchange, fresh_exchange.publication(), stranger)
    assert error.name == "PublisherQuorumNotPublisher"


def test_snapshots_must_be_newer_and_not_from_the_future(exchange: Exchange) -> None:
    publication = exchange.publication()
    published = exchange.registry.latest_epoch().snapshot_time
    same = replace(publication, snapshot_time=published)
    future = replace(publication, snapshot_time=exchange.chain.block_time() + 1_000)
    assert refused(exchange, replace(publication, marks=b"soon")).name == f"{PREFIX}TooSoon"
    wait_for_time(exchange.chain, exchange.registry.latest_epoch().published_at + 60)
    assert refused(exchange, same).name == f"{PREFIX}SnapshotNotNewer"
    assert refused(exchange, future).name == f"{PREFIX}SnapshotInFuture"


def test_a_commitment_must_be_that_of_the_blob(fresh_exchange: Exchange) -> None:
    publication = fresh_exchange.publication()
    proposal, hashes = fresh_exchange.registry.next_proposal(publication), hashes_of(publication)
    with pytest.raises(ContractRevertedError) as caught:
        fresh_exchange.registry.stage(
            fresh_exchange.publisher, proposal, hashes, first_chunk=0, sidecar=sidecar(publication, slice(1, 2))
        )
    assert caught.value.name == f"{PREFIX}BlobMismatch"
    assert caught.value.arguments == {"chunk": 0, "expected": hashes[0], "carried": hashes[1]}


def test_the_chain_itself_refuses_a_false_commitment(fresh_exchange: Exchange) -> None:
    publication = fresh_exchange.publication()
    proposal, hashes = fresh_exchange.registry.next_proposal(publication), hashes_of(publication)
    honest = sidecar(publication, slice(0, 1))
    false = BlobSidecar((publication.chunks()[1],), honest.commitments)
    with pytest.raises(ChainError, match="refused"):
        fresh_exchange.registry.stage(fresh_exchange.publisher, proposal, hashes, first_chunk=0, sidecar=false)
    assert fresh_exchange.registry.latest_epoch().epoch == 0


def test_seven_blobs_are_refused_before_anything_is_sent(fresh_exchange: Exchange) -> None:
    publication = fresh_exchange.publication()
    blob, commitment = publication.chunks()[0], sidecar(publication, slice(0, 1)).commitments[0]
    with pytest.raises(MalformedInputError, match="at most 6"):
        fresh_exchange.chain.send(
            fresh_exchange.publisher,
            b"",
            to=fresh_exchange.registry.address,
            sidecar=BlobSidecar((blob,) * 7, (commitment,) * 7),
        )


def test_rules_of_unequal_sizes_are_refused(fresh_exchange: Exchange) -> None:
    publication = fresh_exchange.publication()
    doubled = PublishedRule(
        tuple(chunks * 2 for chunks in publication.maintenance.commitments),
        tuple(chunks * 2 for chunks in publication.maintenance.blobs),
    )
    with pytest.raises(MatrixError, match="give both as many rows"):
        fresh_exchange.registry.publish(fresh_exchange.publisher, replace(publication, maintenance=doubled))


def test_a_proof_of_an_old_rule_needs_the_registry_to_keep_it(exchange: Exchange) -> None:
    for _ in range(3):
        exchange.publish()
    assert exchange.registry.matrix_commitments(2, RuleKind.INITIAL) == exchange.rules[RuleKind.INITIAL].commitments
    with pytest.raises(ContractRevertedError) as caught:
        exchange.registry.matrix_commitments(1, RuleKind.INITIAL)
    assert caught.value.name == f"{PREFIX}EpochNotKept"
