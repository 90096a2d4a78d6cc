"""Margin rules on a real chain: published as blobs, read back, audited; every refusal by its name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from tests.support.exchange import BOOKS, MAXIMUM_AGE, Exchange
from verifier.chain.blob_transactions import BlobSidecar, blob_commitment, versioned_hash
from verifier.chain.contract_interface import contract_interface
from verifier.chain.registry_client import Publication, PublishedRule
from verifier.curve import group
from verifier.errors import ChainError, ContractRevertedError, DeploymentError, MalformedInputError
from verifier.rules.rule_kind import RuleKind
from verifier.shape import SMALL

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

PREFIX: Final = "RuleRegistry"


def staged(publication: Publication, epoch: int = 1) -> tuple[tuple[object, ...], tuple[bytes, ...]]:
    """Proposal and versioned hashes of a publication."""
    backend = group()
    compressed = [backend.compress(backend.decode(point)) for point in publication.points()]
    return publication.proposal(epoch), tuple(versioned_hash(commitment) for commitment in compressed)


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
    publication = fresh_exchange.publication()
    receipts = fresh_exchange.registry.publish(fresh_exchange.publisher, publication)
    header = fresh_exchange.registry.active_epoch()
    assert (header.epoch, header.books, header.initial_chunks, header.maintenance_chunks) == (1, BOOKS, 1, 1)
    assert header.snapshot_time == publication.snapshot_time
    assert (header.snapshot_hash, header.rule_digest, header.slots_digest) == (
        publication.snapshot_hash,
        publication.rule_digest,
        publication.slots_digest,
    )
    for kind in RuleKind:
        assert fresh_exchange.registry.matrix_commitments(1, kind) == fresh_exchange.rules[kind].commitments
        assert header.chunks(kind) == 1
    assert sum(receipt.blob_gas_used for receipt in receipts) == 2 * BOOKS * 131_072


def test_an_auditor_rebuilds_the_matrices_from_the_blobs(exchange: Exchange) -> None:
    matrices = exchange.registry.rule_matrices(SMALL, 1)
    for kind, matrix in zip(RuleKind, matrices, strict=True):
        expected = exchange.rules[kind].matrix.entries
        assert np.array_equal(matrix.entries[: len(expected)], expected)
        assert not matrix.entries[len(expected) :].any()


def test_the_log_keeps_marks_and_hashes(exchange: Exchange) -> None:
    event = exchange.registry.epoch_event(1)
    assert event.marks == b"marks"
    assert event.versioned_hashes == staged(exchange.publication())[1]
    assert event.header == exchange.registry.latest_epoch()
    with pytest.raises(DeploymentError, match="no epoch 2"):
        exchange.registry.epoch_event(2)


def test_staged_blobs_come_back_too(fresh_exchange: Exchange) -> None:
    publication = fresh_exchange.publication()
    registry, publisher = fresh_exchange.registry, fresh_exchange.publisher
    proposal, hashes = staged(publication)
    half = len(hashes) // 2
    receipt = registry.stage(publisher, proposal, hashes, first_chunk=0, sidecar=sidecar(publication, slice(0, half)))
    assert receipt.blob_gas_used == half * 131_072
    interface = contract_interface("RuleRegistry")
    data = interface.encode_call("finalise", proposal, b"".join(publication.points()), publication.marks, half)
    fresh_exchange.chain.send(publisher, data, to=registry.address, sidecar=sidecar(publication, slice(half, None)))
    assert registry.published_blobs(registry.epoch_event(1)) == publication.chunks()


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
    assert error.name == "AccessControlUnauthorizedAccount"


def test_snapshots_must_be_newer_and_not_from_the_future(exchange: Exchange) -> None:
    publication = exchange.publication()
    published = exchange.registry.latest_epoch().snapshot_time
    same = replace(publication, snapshot_time=published)
    future = replace(publication, snapshot_time=exchange.chain.block_time() + 1_000)
    assert refused(exchange, same).name == f"{PREFIX}SnapshotNotNewer"
    assert refused(exchange, future).name == f"{PREFIX}SnapshotInFuture"


def test_a_commitment_must_be_that_of_the_blob(fresh_exchange: Exchange) -> None:
    publication = fresh_exchange.publication()
    proposal, hashes = staged(publication)
    with pytest.raises(ContractRevertedError) as caught:
        fresh_exchange.registry.stage(
            fresh_exchange.publisher, proposal, hashes, first_chunk=0, sidecar=sidecar(publication, slice(1, 2))
        )
    assert caught.value.name == f"{PREFIX}BlobMismatch"
    assert caught.value.arguments == {"chunk": 0, "expected": hashes[0], "carried": hashes[1]}


def test_the_chain_itself_refuses_a_false_commitment(fresh_exchange: Exchange) -> None:
    publication = fresh_exchange.publication()
    proposal, hashes = staged(publication)
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


def test_rules_without_chunks_are_refused(fresh_exchange: Exchange) -> None:
    publication = fresh_exchange.publication()
    empty = replace(publication, maintenance=PublishedRule(((),) * BOOKS, ((),) * BOOKS))
    error = refused(fresh_exchange, empty)
    assert error.name == f"{PREFIX}EmptyRule"
    assert error.arguments == {"books": BOOKS, "initialChunks": 1, "maintenanceChunks": 0}


def test_a_proof_of_an_old_rule_needs_the_registry_to_keep_it(exchange: Exchange) -> None:
    for _ in range(2):
        exchange.advance(60)
        exchange.publish()
    assert exchange.registry.matrix_commitments(2, RuleKind.INITIAL) == exchange.rules[RuleKind.INITIAL].commitments
    with pytest.raises(ContractRevertedError) as caught:
        exchange.registry.matrix_commitments(1, RuleKind.INITIAL)
    assert caught.value.name == f"{PREFIX}EpochNotUsable"
