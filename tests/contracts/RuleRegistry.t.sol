// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccessControl } from "@openzeppelin/contracts/access/IAccessControl.sol";

import { CeremonyMarginVerifier } from "../../contracts/CeremonyMarginVerifier.sol";
import { RuleRegistry } from "../../contracts/RuleRegistry.sol";
import { IRuleRegistry } from "../../contracts/interfaces/IRuleRegistry.sol";
import { Bls12381 } from "../../contracts/libraries/Bls12381.sol";
import { Commitments } from "../../contracts/libraries/Commitments.sol";
import { DataContract } from "../../contracts/libraries/DataContract.sol";
import { EpochHeader, RuleKind, RuleLocation, RuleProposal } from "../../contracts/types/MarginRule.sol";
import { Shape } from "../../contracts/types/Shape.sol";
import { RulePublishing } from "./RulePublishing.sol";
import { vm } from "./Vm.sol";

contract RuleRegistryTest is RulePublishing {
    uint256 private constant MAXIMUM_AGE = 1 hours;
    uint256 private constant CHUNKS = 8;

    RuleRegistry private registry;
    CeremonyMarginVerifier private verifier;
    bytes private points;
    bytes32[] private hashes;

    function setUp() public {
        vm.warp(START);
        verifier =
            new CeremonyMarginVerifier(Shape({ powers: 4096, columns: 512, digits: 4, digitBits: 11 }), GENERATOR);
        registry = new RuleRegistry(verifier, address(this), MAXIMUM_AGE);
        registry.grantRole(registry.PUBLISHER_ROLE(), address(this));
        points = _points(1, CHUNKS);
        hashes = Commitments.versionedHashes(points);
    }

    // --- What is kept ---------------------------------------------------------------------------------------------

    function test_publishes_both_rules_together() public {
        RuleProposal memory proposal = _proposal(1, 1, 3, 5);
        _publish(registry, proposal, points);
        EpochHeader memory header = registry.activeEpoch();
        _expect("epoch", header.epoch, 1);
        _expect("snapshot time", header.snapshotTime, START);
        _expect("published at", header.publishedAt, START);
        _expect("books", header.books, 1);
        _expect("initial chunks", header.initialChunks, 3);
        _expect("maintenance chunks", header.maintenanceChunks, 5);
        _expect("snapshot", header.snapshotHash, proposal.snapshotHash);
        _expect("rule", header.ruleDigest, proposal.ruleDigest);
        _expect("slots", header.slotsDigest, proposal.slotsDigest);
        _expect("initial points", registry.matrix(1, RuleKind.INITIAL), _points(1, 3));
        _expect("maintenance points", registry.matrix(1, RuleKind.MAINTENANCE), _points(4, 5));
    }

    function test_locations_lead_to_the_points() public {
        _publish(registry, _proposal(1, 2, 1, 3), points);
        RuleLocation memory initial = registry.usableRule(1, RuleKind.INITIAL);
        RuleLocation memory maintenance = registry.usableRule(1, RuleKind.MAINTENANCE);
        _expect("books", initial.books, 2);
        _expect("books", maintenance.books, 2);
        _expect("initial", DataContract.read(initial.data, initial.offset, initial.length), _points(1, 2));
        _expect(
            "maintenance", DataContract.read(maintenance.data, maintenance.offset, maintenance.length), _points(3, 6)
        );
        _expect("end", maintenance.data.code.length, maintenance.offset + maintenance.length);
    }

    function test_keeps_shape_and_key_of_the_verifier() public view {
        _expect("key", registry.verifyingKey(), verifier.verifyingKey());
        _expect("columns", registry.shape().columns, 512);
        _expect("powers", registry.shape().powers, 4096);
        _expect("digits", registry.shape().digits, 4);
        _expect("digit bits", registry.shape().digitBits, 11);
        _expect("age", registry.maximumAge(), MAXIMUM_AGE);
    }

    /// @dev Versioned hashes of the generator, of its negative and of infinity, computed by verifier/blob_transactions.py.
    function test_versioned_hashes_are_those_of_the_chain() public view {
        bytes memory negative = Commitments.subtract(new bytes(96), GENERATOR);
        bytes32[] memory given = Commitments.versionedHashes(bytes.concat(GENERATOR, negative, new bytes(96)));
        _expect("generator", given[0], 0x01cf478a431837728dcec3461f4f53b8749cdc4e03496dcaed459dea82b82eb8);
        _expect("negative", given[1], 0x01466f7b14f0722bd581cf49418cd43fa8f085ce16e09cd3cdf65b3dfbbcb8c0);
        _expect("infinity", given[2], 0x010657f37554c781402a22917dee2f75def7ab966d7b770905398eba3c444014);
    }

    function test_an_untouched_chunk_is_infinity() public {
        bytes memory untouched = bytes.concat(_points(1, 1), new bytes(96));
        _publish(registry, _proposal(1, 1, 1, 1), untouched);
        _expect("points", registry.matrix(1, RuleKind.MAINTENANCE), new bytes(96));
    }

    function test_one_transaction_suffices_for_six_chunks() public {
        bytes memory six = _points(1, 6);
        _carry(hashes, 0, 6);
        registry.finalise(_proposal(1, 1, 3, 3), six, MARKS, 0);
        _expect("epoch", registry.latestEpoch().epoch, 1);
    }

    function test_staged_chunks_may_come_in_any_order() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        bytes32 digest = registry.proposalDigest(proposal, hashes);
        _carry(hashes, 5, 8);
        registry.stage(proposal, hashes, 5);
        _carry(hashes, 0, 5);
        registry.stage(proposal, hashes, 0);
        (uint256 stagedAt, uint256 chunks) = registry.staged(digest);
        _expect("staged at", stagedAt, START);
        _expect("chunks", chunks, 0xff);
        vm.blobhashes(new bytes32[](0));
        registry.finalise(proposal, points, MARKS, 0);
        (, chunks) = registry.staged(digest);
        _expect("forgotten", chunks, 0);
    }

    function test_announces_stages_and_epochs() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        bytes32 digest = registry.proposalDigest(proposal, hashes);
        _carry(hashes, 0, 6);
        vm.expectEmit();
        emit IRuleRegistry.RuleChunksStaged(digest, 0, 6);
        registry.stage(proposal, hashes, 0);
    }

    // --- What is refused ------------------------------------------------------------------------------------------

    function test_refuses_strangers() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        bytes memory refusal = abi.encodeWithSelector(
            IAccessControl.AccessControlUnauthorizedAccount.selector, address(0xbad), registry.PUBLISHER_ROLE()
        );
        vm.expectRevert(refusal);
        vm.prank(address(0xbad));
        registry.stage(proposal, hashes, 0);
        vm.expectRevert(refusal);
        vm.prank(address(0xbad));
        registry.finalise(proposal, points, MARKS, 0);
    }

    function test_refuses_rules_without_books_or_chunks() public {
        _expectEmptyRule(_proposal(1, 0, 4, 4));
        _expectEmptyRule(_proposal(1, 1, 0, 8));
        _expectEmptyRule(_proposal(1, 1, 8, 0));
    }

    function test_refuses_too_many_chunks() public {
        RuleProposal memory proposal = _proposal(1, 255, 255, 255);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryTooManyChunks.selector, 255 * 510, 216));
        registry.finalise(proposal, points, MARKS, 0);
    }

    function test_refuses_a_wrong_number_of_hashes_or_points() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 3);
        bytes memory refusal = abi.encodeWithSelector(IRuleRegistry.RuleRegistryChunkCountWrong.selector, 8, 7);
        vm.expectRevert(refusal);
        registry.stage(proposal, hashes, 0);
        vm.expectRevert(refusal);
        registry.finalise(proposal, points, MARKS, 0);
        vm.expectRevert(refusal);
        registry.finalise(proposal, bytes.concat(points, hex"00"), MARKS, 0);
    }

    function test_refuses_to_stage_nothing() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        vm.expectRevert(IRuleRegistry.RuleRegistryNoBlobs.selector);
        registry.stage(proposal, hashes, 0);
    }

    function test_refuses_seven_blobs() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        _carry(hashes, 0, 7);
        bytes memory refusal = abi.encodeWithSelector(IRuleRegistry.RuleRegistryTooManyBlobs.selector, 6);
        vm.expectRevert(refusal);
        registry.stage(proposal, hashes, 0);
        vm.expectRevert(refusal);
        registry.finalise(proposal, points, MARKS, 0);
    }

    function test_refuses_blobs_beyond_the_proposal() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        _carry(hashes, 6, 8);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryBlobsBeyondProposal.selector, 7, 2, 8));
        registry.stage(proposal, hashes, 7);
        uint256 huge = type(uint256).max;
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryBlobsBeyondProposal.selector, huge, 2, 8));
        registry.stage(proposal, hashes, huge);
    }

    function test_refuses_a_blob_that_is_another_chunk() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        _carry(hashes, 1, 3);
        bytes memory refusal =
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryBlobMismatch.selector, 0, hashes[0], hashes[1]);
        vm.expectRevert(refusal);
        registry.stage(proposal, hashes, 0);
        vm.expectRevert(refusal);
        registry.finalise(proposal, points, MARKS, 0);
    }

    function test_refuses_a_point_that_differs_from_its_blob() public {
        RuleProposal memory proposal = _proposal(1, 1, 3, 3);
        bytes memory altered = bytes.concat(_points(1, 5), _points(9, 1));
        bytes32 other = Commitments.versionedHashes(_points(9, 1))[0];
        _carry(hashes, 0, 6);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryBlobMismatch.selector, 5, other, hashes[5]));
        registry.finalise(proposal, altered, MARKS, 0);
    }

    function test_refuses_missing_chunks() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        bytes32 digest = registry.proposalDigest(proposal, hashes);
        _carry(hashes, 0, 5);
        registry.stage(proposal, hashes, 0);
        _carry(hashes, 6, 8);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryChunksMissing.selector, digest, 1 << 5));
        registry.finalise(proposal, points, MARKS, 6);
    }

    function test_parts_of_two_proposals_cannot_mix() public {
        RuleProposal memory one = _proposal(1, 1, 4, 4);
        RuleProposal memory other = _proposal(1, 1, 4, 4);
        other.ruleDigest = keccak256("another rule");
        _carry(hashes, 0, 6);
        registry.stage(one, hashes, 0);
        bytes32 digest = registry.proposalDigest(other, hashes);
        _carry(hashes, 6, 8);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryChunksMissing.selector, digest, 0x3f));
        registry.finalise(other, points, MARKS, 6);
    }

    function test_parts_for_other_chunks_cannot_mix() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        _carry(hashes, 0, 6);
        registry.stage(proposal, hashes, 0);
        bytes memory altered = bytes.concat(_points(1, 6), _points(20, 2));
        bytes32[] memory alteredHashes = Commitments.versionedHashes(altered);
        bytes32 digest = registry.proposalDigest(proposal, alteredHashes);
        _carry(alteredHashes, 6, 8);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryChunksMissing.selector, digest, 0x3f));
        registry.finalise(proposal, altered, MARKS, 6);
    }

    function test_refuses_parts_older_than_an_hour() public {
        registry = new RuleRegistry(verifier, address(this), 1 days);
        registry.grantRole(registry.PUBLISHER_ROLE(), address(this));
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        bytes32 digest = registry.proposalDigest(proposal, hashes);
        _carry(hashes, 0, 6);
        registry.stage(proposal, hashes, 0);
        _carry(hashes, 6, 8);
        vm.warp(START + 1 hours + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryStagingExpired.selector, digest, START, 1 hours)
        );
        registry.finalise(proposal, points, MARKS, 6);

        // A later part starts afresh and does not revive the old ones.
        registry.stage(proposal, hashes, 6);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryChunksMissing.selector, digest, 0x3f));
        registry.finalise(proposal, points, MARKS, 6);
    }

    function test_accepts_parts_of_an_hour() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        _carry(hashes, 0, 6);
        registry.stage(proposal, hashes, 0);
        _carry(hashes, 6, 8);
        vm.warp(START + 1 hours);
        registry.finalise(proposal, points, MARKS, 6);
        _expect("epoch", registry.latestEpoch().epoch, 1);
    }

    function test_refuses_other_marks() public {
        RuleProposal memory proposal = _proposal(1, 1, 3, 3);
        bytes memory six = _points(1, 6);
        _carry(hashes, 0, 6);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRuleRegistry.RuleRegistryMarksMismatch.selector, keccak256("others"), keccak256(MARKS)
            )
        );
        registry.finalise(proposal, six, "others", 0);
    }

    function test_refuses_a_point_off_the_curve() public {
        RuleProposal memory proposal = _proposal(1, 1, 3, 3);
        bytes memory off = _points(1, 6);
        off[95] = bytes1(uint8(off[95]) ^ 1);
        vm.expectRevert(abi.encodeWithSelector(Bls12381.Bls12381PrecompileFailed.selector, 0x0b, 0));
        registry.finalise(proposal, off, MARKS, 0);
    }

    function test_refuses_another_epoch_than_the_next() public {
        _expectRefusal(
            _proposal(2, 1, 4, 4), abi.encodeWithSelector(IRuleRegistry.RuleRegistryWrongEpoch.selector, 2, 1)
        );
        _expectRefusal(
            _proposal(0, 1, 4, 4), abi.encodeWithSelector(IRuleRegistry.RuleRegistryWrongEpoch.selector, 0, 1)
        );
        RuleProposal memory first = _proposal(1, 1, 4, 4);
        _publish(registry, first, points);
        _expectRefusal(first, abi.encodeWithSelector(IRuleRegistry.RuleRegistryWrongEpoch.selector, 1, 2));
    }

    function test_refuses_a_snapshot_that_is_not_newer() public {
        _publish(registry, _proposal(1, 1, 4, 4), points);
        vm.warp(START + 60);
        RuleProposal memory same = _proposal(2, 1, 4, 4);
        same.snapshotTime = uint32(START);
        _expectRefusal(same, abi.encodeWithSelector(IRuleRegistry.RuleRegistrySnapshotNotNewer.selector, START, START));
    }

    function test_refuses_a_snapshot_from_the_future() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        proposal.snapshotTime = uint32(START + 1);
        _expectRefusal(
            proposal, abi.encodeWithSelector(IRuleRegistry.RuleRegistrySnapshotInFuture.selector, START + 1, START)
        );
    }

    function test_refuses_a_stale_snapshot() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        vm.warp(START + MAXIMUM_AGE + 1);
        _expectRefusal(
            proposal, abi.encodeWithSelector(IRuleRegistry.RuleRegistryStaleEpoch.selector, 1, START, MAXIMUM_AGE)
        );
    }

    function test_refuses_to_drop_a_book() public {
        _publish(registry, _proposal(1, 2, 2, 2), points);
        vm.warp(START + 60);
        _expectRefusal(
            _proposal(2, 1, 4, 4), abi.encodeWithSelector(IRuleRegistry.RuleRegistryBookRemoved.selector, 1, 2)
        );
        _publish(registry, _proposal(2, 4, 1, 1), points);
        _expect("books", registry.latestEpoch().books, 4);
    }

    function test_refuses_a_registry_without_maximum_age() public {
        vm.expectRevert(IRuleRegistry.RuleRegistryNoMaximumAge.selector);
        new RuleRegistry(verifier, address(this), 0);
    }

    // --- What can be used -----------------------------------------------------------------------------------------

    function test_nothing_can_be_used_before_the_first_epoch() public {
        vm.expectRevert(IRuleRegistry.RuleRegistryNoEpoch.selector);
        registry.activeEpoch();
        vm.expectRevert(IRuleRegistry.RuleRegistryNoEpoch.selector);
        registry.usableRule(0, RuleKind.MAINTENANCE);
        vm.expectRevert(
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotUsable.selector, 0, 0, RuleKind.INITIAL)
        );
        registry.matrix(0, RuleKind.INITIAL);
        _expect("latest", registry.latestEpoch().epoch, 0);
    }

    function test_a_stale_epoch_cannot_be_used() public {
        _publish(registry, _proposal(1, 1, 4, 4), points);
        vm.warp(START + MAXIMUM_AGE);
        registry.activeEpoch();
        registry.usableRule(1, RuleKind.INITIAL);
        vm.warp(START + MAXIMUM_AGE + 1);
        bytes memory refusal =
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryStaleEpoch.selector, 1, START, MAXIMUM_AGE);
        vm.expectRevert(refusal);
        registry.activeEpoch();
        vm.expectRevert(refusal);
        registry.usableRule(1, RuleKind.INITIAL);
        _expect("latest", registry.latestEpoch().epoch, 1);
        _expect("points", registry.matrix(1, RuleKind.INITIAL), _points(1, 4));
    }

    function test_the_epoch_before_serves_maintenance_for_three_minutes() public {
        _publish(registry, _proposal(1, 1, 4, 4), points);
        vm.warp(START + 60);
        _publish(registry, _proposal(2, 1, 3, 3), _points(30, 6));
        bytes memory refusal =
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotUsable.selector, 1, 2, RuleKind.INITIAL);
        vm.expectRevert(refusal);
        registry.usableRule(1, RuleKind.INITIAL);
        vm.warp(START + 60 + 3 minutes);
        RuleLocation memory location = registry.usableRule(1, RuleKind.MAINTENANCE);
        _expect("points", DataContract.read(location.data, location.offset, location.length), _points(5, 4));
        _expect("points", registry.matrix(1, RuleKind.MAINTENANCE), _points(5, 4));
        vm.warp(START + 60 + 3 minutes + 1);
        refusal = abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotUsable.selector, 1, 2, RuleKind.MAINTENANCE);
        vm.expectRevert(refusal);
        registry.usableRule(1, RuleKind.MAINTENANCE);
        registry.usableRule(2, RuleKind.MAINTENANCE);
    }

    function test_the_epoch_before_the_one_before_is_gone() public {
        for (uint32 epoch = 1; epoch <= 3; ++epoch) {
            vm.warp(START + epoch);
            _publish(registry, _proposal(epoch, 1, 4, 4), points);
        }
        bytes memory refusal =
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotUsable.selector, 1, 3, RuleKind.MAINTENANCE);
        vm.expectRevert(refusal);
        registry.usableRule(1, RuleKind.MAINTENANCE);
        vm.expectRevert(refusal);
        registry.matrix(1, RuleKind.MAINTENANCE);
        vm.expectRevert(
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotUsable.selector, 4, 3, RuleKind.INITIAL)
        );
        registry.usableRule(4, RuleKind.INITIAL);
    }

    /// @dev Whatever the sizes, both rules come back as they were published.
    function testFuzz_points_come_back(uint8 books, uint8 initialChunks, uint8 maintenanceChunks) public {
        books = uint8(1 + books % 3);
        initialChunks = uint8(1 + initialChunks % 4);
        maintenanceChunks = uint8(1 + maintenanceChunks % 4);
        uint256 initialPoints = uint256(books) * initialChunks;
        uint256 maintenancePoints = uint256(books) * maintenanceChunks;
        _publish(
            registry,
            _proposal(1, books, initialChunks, maintenanceChunks),
            _points(1, initialPoints + maintenancePoints)
        );
        _expect("initial", registry.matrix(1, RuleKind.INITIAL), _points(1, initialPoints));
        _expect("maintenance", registry.matrix(1, RuleKind.MAINTENANCE), _points(1 + initialPoints, maintenancePoints));
    }

    function _expectEmptyRule(RuleProposal memory proposal) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IRuleRegistry.RuleRegistryEmptyRule.selector,
                proposal.books,
                proposal.initialChunks,
                proposal.maintenanceChunks
            )
        );
        registry.finalise(proposal, points, MARKS, 0);
    }

    function _expectRefusal(RuleProposal memory proposal, bytes memory refusal) private {
        vm.expectRevert(refusal);
        registry.finalise(proposal, points, MARKS, 0);
    }
}
