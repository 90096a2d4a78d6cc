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

    RuleRegistry private _registry;
    CeremonyMarginVerifier private _verifier;
    bytes private _rulePoints;
    bytes32[] private _hashes;

    function setUp() public {
        vm.warp(START);
        _verifier =
            new CeremonyMarginVerifier(Shape({ powers: 4096, columns: 512, digits: 4, digitBits: 11 }), GENERATOR);
        _registry = new RuleRegistry(_verifier, address(this), MAXIMUM_AGE);
        _registry.grantRole(_registry.PUBLISHER_ROLE(), address(this));
        _rulePoints = _points(1, CHUNKS);
        _hashes = Commitments.versionedHashes(_rulePoints);
    }

    // --- What is kept ---------------------------------------------------------------------------------------------

    function testPublishesBothRulesTogether() public {
        RuleProposal memory proposal = _proposal(1, 1, 3, 5);
        _publish(_registry, proposal, _rulePoints);
        EpochHeader memory header = _registry.activeEpoch();
        _expect("epoch", header.epoch, 1);
        _expect("snapshot time", header.snapshotTime, START);
        _expect("published at", header.publishedAt, START);
        _expect("books", header.books, 1);
        _expect("initial chunks", header.initialChunks, 3);
        _expect("maintenance chunks", header.maintenanceChunks, 5);
        _expect("snapshot", header.snapshotHash, proposal.snapshotHash);
        _expect("rule", header.ruleDigest, proposal.ruleDigest);
        _expect("slots", header.slotsDigest, proposal.slotsDigest);
        _expect("initial points", _registry.matrix(1, RuleKind.INITIAL), _points(1, 3));
        _expect("maintenance points", _registry.matrix(1, RuleKind.MAINTENANCE), _points(4, 5));
    }

    function testLocationsLeadToThePoints() public {
        _publish(_registry, _proposal(1, 2, 1, 3), _rulePoints);
        RuleLocation memory initial = _registry.usableRule(1, RuleKind.INITIAL);
        RuleLocation memory maintenance = _registry.usableRule(1, RuleKind.MAINTENANCE);
        _expect("books", initial.books, 2);
        _expect("books", maintenance.books, 2);
        _expect("initial", DataContract.read(initial.data, initial.offset, initial.length), _points(1, 2));
        _expect(
            "maintenance", DataContract.read(maintenance.data, maintenance.offset, maintenance.length), _points(3, 6)
        );
        _expect("end", maintenance.data.code.length, maintenance.offset + maintenance.length);
    }

    function testKeepsShapeAndKeyOfTheVerifier() public view {
        _expect("key", _registry.verifyingKey(), _verifier.verifyingKey());
        _expect("columns", _registry.shape().columns, 512);
        _expect("powers", _registry.shape().powers, 4096);
        _expect("digits", _registry.shape().digits, 4);
        _expect("digit bits", _registry.shape().digitBits, 11);
        _expect("age", _registry.maximumAge(), MAXIMUM_AGE);
    }

    /// @dev Versioned _hashes of the generator, of its negative and of infinity, computed by _verifier/blob_transactions.py.
    function testVersionedHashesAreThoseOfTheChain() public view {
        bytes memory negative = Commitments.subtract(new bytes(96), GENERATOR);
        bytes32[] memory given = Commitments.versionedHashes(bytes.concat(GENERATOR, negative, new bytes(96)));
        _expect("generator", given[0], 0x01cf478a431837728dcec3461f4f53b8749cdc4e03496dcaed459dea82b82eb8);
        _expect("negative", given[1], 0x01466f7b14f0722bd581cf49418cd43fa8f085ce16e09cd3cdf65b3dfbbcb8c0);
        _expect("infinity", given[2], 0x010657f37554c781402a22917dee2f75def7ab966d7b770905398eba3c444014);
    }

    function testAnUntouchedChunkIsInfinity() public {
        bytes memory untouched = bytes.concat(_points(1, 1), new bytes(96));
        _publish(_registry, _proposal(1, 1, 1, 1), untouched);
        _expect("points", _registry.matrix(1, RuleKind.MAINTENANCE), new bytes(96));
    }

    function testOneTransactionSufficesForSixChunks() public {
        bytes memory six = _points(1, 6);
        _carry(_hashes, 0, 6);
        _registry.finalise(_proposal(1, 1, 3, 3), six, MARKS, 0);
        _expect("epoch", _registry.latestEpoch().epoch, 1);
    }

    function testStagedChunksMayComeInAnyOrder() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        bytes32 digest = _registry.proposalDigest(proposal, _hashes);
        _carry(_hashes, 5, 8);
        _registry.stage(proposal, _hashes, 5);
        _carry(_hashes, 0, 5);
        _registry.stage(proposal, _hashes, 0);
        (uint256 stagedAt, uint256 chunks) = _registry.staged(digest);
        _expect("staged at", stagedAt, START);
        _expect("chunks", chunks, 0xff);
        vm.blobhashes(new bytes32[](0));
        _registry.finalise(proposal, _rulePoints, MARKS, 0);
        (, chunks) = _registry.staged(digest);
        _expect("forgotten", chunks, 0);
    }

    function testOneBlobServesEqualChunks() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        bytes memory shared = bytes.concat(_points(1, 4), _points(1, 2), _points(5, 2));
        bytes32[] memory hashes = Commitments.versionedHashes(shared);
        _carry(hashes, 0, 4);
        _registry.stage(proposal, hashes, 0);
        _carry(hashes, 6, 8);
        _registry.finalise(proposal, shared, MARKS, 6);
        _expect("initial points", _registry.matrix(1, RuleKind.INITIAL), _points(1, 4));
        _expect("shared points", _registry.matrix(1, RuleKind.MAINTENANCE), bytes.concat(_points(1, 2), _points(5, 2)));
    }

    function testEqualChunksOfTwoBooksInOneTransaction() public {
        bytes memory same = bytes.concat(_points(1, 1), _points(1, 1), _points(1, 1), _points(2, 1));
        _carry(Commitments.versionedHashes(same), 2, 4);
        _registry.finalise(_proposal(1, 2, 1, 1), same, MARKS, 2);
        _expect("points", _registry.matrix(1, RuleKind.INITIAL), bytes.concat(_points(1, 1), _points(1, 1)));
    }

    function testAnnouncesStagesAndEpochs() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        bytes32 digest = _registry.proposalDigest(proposal, _hashes);
        _carry(_hashes, 0, 6);
        vm.expectEmit();
        emit IRuleRegistry.RuleChunksStaged(digest, 0, 6);
        _registry.stage(proposal, _hashes, 0);
    }

    // --- What is refused ------------------------------------------------------------------------------------------

    function testRefusesStrangers() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        bytes memory refusal = abi.encodeWithSelector(
            IAccessControl.AccessControlUnauthorizedAccount.selector, address(0xbad), _registry.PUBLISHER_ROLE()
        );
        vm.expectRevert(refusal);
        vm.prank(address(0xbad));
        _registry.stage(proposal, _hashes, 0);
        vm.expectRevert(refusal);
        vm.prank(address(0xbad));
        _registry.finalise(proposal, _rulePoints, MARKS, 0);
    }

    function testRefusesRulesWithoutBooksOrChunks() public {
        _expectEmptyRule(_proposal(1, 0, 4, 4));
        _expectEmptyRule(_proposal(1, 1, 0, 8));
        _expectEmptyRule(_proposal(1, 1, 8, 0));
    }

    function testRefusesTooManyChunks() public {
        RuleProposal memory proposal = _proposal(1, 255, 255, 255);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryTooManyChunks.selector, 255 * 510, 216));
        _registry.finalise(proposal, _rulePoints, MARKS, 0);
    }

    function testRefusesAWrongNumberOfHashesOrPoints() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 3);
        bytes memory refusal = abi.encodeWithSelector(IRuleRegistry.RuleRegistryChunkCountWrong.selector, 8, 7);
        vm.expectRevert(refusal);
        _registry.stage(proposal, _hashes, 0);
        vm.expectRevert(refusal);
        _registry.finalise(proposal, _rulePoints, MARKS, 0);
        vm.expectRevert(refusal);
        _registry.finalise(proposal, bytes.concat(_rulePoints, hex"00"), MARKS, 0);
    }

    function testRefusesToStageNothing() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        vm.expectRevert(IRuleRegistry.RuleRegistryNoBlobs.selector);
        _registry.stage(proposal, _hashes, 0);
    }

    function testRefusesSevenBlobs() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        _carry(_hashes, 0, 7);
        bytes memory refusal = abi.encodeWithSelector(IRuleRegistry.RuleRegistryTooManyBlobs.selector, 6);
        vm.expectRevert(refusal);
        _registry.stage(proposal, _hashes, 0);
        vm.expectRevert(refusal);
        _registry.finalise(proposal, _rulePoints, MARKS, 0);
    }

    function testRefusesBlobsBeyondTheProposal() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        _carry(_hashes, 6, 8);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryBlobsBeyondProposal.selector, 7, 2, 8));
        _registry.stage(proposal, _hashes, 7);
        uint256 huge = type(uint256).max;
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryBlobsBeyondProposal.selector, huge, 2, 8));
        _registry.stage(proposal, _hashes, huge);
    }

    function testRefusesABlobThatIsAnotherChunk() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        _carry(_hashes, 1, 3);
        bytes memory refusal =
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryBlobMismatch.selector, 0, _hashes[0], _hashes[1]);
        vm.expectRevert(refusal);
        _registry.stage(proposal, _hashes, 0);
        vm.expectRevert(refusal);
        _registry.finalise(proposal, _rulePoints, MARKS, 0);
    }

    function testRefusesAPointThatDiffersFromItsBlob() public {
        RuleProposal memory proposal = _proposal(1, 1, 3, 3);
        bytes memory altered = bytes.concat(_points(1, 5), _points(9, 1));
        bytes32 other = Commitments.versionedHashes(_points(9, 1))[0];
        _carry(_hashes, 0, 6);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryBlobMismatch.selector, 5, other, _hashes[5]));
        _registry.finalise(proposal, altered, MARKS, 0);
    }

    function testRefusesMissingChunks() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        bytes32 digest = _registry.proposalDigest(proposal, _hashes);
        _carry(_hashes, 0, 5);
        _registry.stage(proposal, _hashes, 0);
        _carry(_hashes, 6, 8);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryChunksMissing.selector, digest, 1 << 5));
        _registry.finalise(proposal, _rulePoints, MARKS, 6);
    }

    function testRefusesChunksThatOnlyEqualMissingOnes() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        bytes memory shared = bytes.concat(_points(1, 4), _points(1, 2), _points(5, 2));
        bytes32[] memory hashes = Commitments.versionedHashes(shared);
        bytes32 digest = _registry.proposalDigest(proposal, hashes);
        _carry(hashes, 1, 4);
        _registry.stage(proposal, hashes, 1);
        _carry(hashes, 6, 8);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryChunksMissing.selector, digest, 0x11));
        _registry.finalise(proposal, shared, MARKS, 6);
    }

    function testRefusesOldPartsThatOnlyAnEqualChunkNeeds() public {
        _registry = new RuleRegistry(_verifier, address(this), 1 days);
        _registry.grantRole(_registry.PUBLISHER_ROLE(), address(this));
        RuleProposal memory proposal = _proposal(1, 1, 1, 2);
        bytes memory shared = bytes.concat(_points(1, 1), _points(1, 1), _points(2, 1));
        bytes32[] memory hashes = Commitments.versionedHashes(shared);
        bytes32 digest = _registry.proposalDigest(proposal, hashes);
        _carry(hashes, 0, 1);
        _registry.stage(proposal, hashes, 0);
        _carry(hashes, 2, 3);
        vm.warp(START + 1 hours + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryStagingExpired.selector, digest, START, 1 hours)
        );
        _registry.finalise(proposal, shared, MARKS, 2);
    }

    function testPartsOfTwoProposalsCannotMix() public {
        RuleProposal memory one = _proposal(1, 1, 4, 4);
        RuleProposal memory other = _proposal(1, 1, 4, 4);
        other.ruleDigest = keccak256("another rule");
        _carry(_hashes, 0, 6);
        _registry.stage(one, _hashes, 0);
        bytes32 digest = _registry.proposalDigest(other, _hashes);
        _carry(_hashes, 6, 8);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryChunksMissing.selector, digest, 0x3f));
        _registry.finalise(other, _rulePoints, MARKS, 6);
    }

    function testPartsForOtherChunksCannotMix() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        _carry(_hashes, 0, 6);
        _registry.stage(proposal, _hashes, 0);
        bytes memory altered = bytes.concat(_points(1, 6), _points(20, 2));
        bytes32[] memory alteredHashes = Commitments.versionedHashes(altered);
        bytes32 digest = _registry.proposalDigest(proposal, alteredHashes);
        _carry(alteredHashes, 6, 8);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryChunksMissing.selector, digest, 0x3f));
        _registry.finalise(proposal, altered, MARKS, 6);
    }

    function testRefusesPartsOlderThanAnHour() public {
        _registry = new RuleRegistry(_verifier, address(this), 1 days);
        _registry.grantRole(_registry.PUBLISHER_ROLE(), address(this));
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        bytes32 digest = _registry.proposalDigest(proposal, _hashes);
        _carry(_hashes, 0, 6);
        _registry.stage(proposal, _hashes, 0);
        _carry(_hashes, 6, 8);
        vm.warp(START + 1 hours + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryStagingExpired.selector, digest, START, 1 hours)
        );
        _registry.finalise(proposal, _rulePoints, MARKS, 6);

        // A later part starts afresh and does not revive the old ones.
        _registry.stage(proposal, _hashes, 6);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryChunksMissing.selector, digest, 0x3f));
        _registry.finalise(proposal, _rulePoints, MARKS, 6);
    }

    function testAcceptsPartsOfAnHour() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        _carry(_hashes, 0, 6);
        _registry.stage(proposal, _hashes, 0);
        _carry(_hashes, 6, 8);
        vm.warp(START + 1 hours);
        _registry.finalise(proposal, _rulePoints, MARKS, 6);
        _expect("epoch", _registry.latestEpoch().epoch, 1);
    }

    function testRefusesOtherMarks() public {
        RuleProposal memory proposal = _proposal(1, 1, 3, 3);
        bytes memory six = _points(1, 6);
        _carry(_hashes, 0, 6);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRuleRegistry.RuleRegistryMarksMismatch.selector, keccak256("others"), keccak256(MARKS)
            )
        );
        _registry.finalise(proposal, six, "others", 0);
    }

    function testRefusesAPointOffTheCurve() public {
        RuleProposal memory proposal = _proposal(1, 1, 3, 3);
        bytes memory off = _points(1, 6);
        off[95] = bytes1(uint8(off[95]) ^ 1);
        vm.expectRevert(abi.encodeWithSelector(Bls12381.Bls12381PrecompileFailed.selector, 0x0b, 0));
        _registry.finalise(proposal, off, MARKS, 0);
    }

    function testRefusesAnotherEpochThanTheNext() public {
        _expectRefusal(
            _proposal(2, 1, 4, 4), abi.encodeWithSelector(IRuleRegistry.RuleRegistryWrongEpoch.selector, 2, 1)
        );
        _expectRefusal(
            _proposal(0, 1, 4, 4), abi.encodeWithSelector(IRuleRegistry.RuleRegistryWrongEpoch.selector, 0, 1)
        );
        RuleProposal memory first = _proposal(1, 1, 4, 4);
        _publish(_registry, first, _rulePoints);
        _expectRefusal(first, abi.encodeWithSelector(IRuleRegistry.RuleRegistryWrongEpoch.selector, 1, 2));
    }

    function testRefusesASnapshotThatIsNotNewer() public {
        _publish(_registry, _proposal(1, 1, 4, 4), _rulePoints);
        vm.warp(START + 60);
        RuleProposal memory same = _proposal(2, 1, 4, 4);
        same.snapshotTime = uint32(START);
        _expectRefusal(same, abi.encodeWithSelector(IRuleRegistry.RuleRegistrySnapshotNotNewer.selector, START, START));
    }

    function testRefusesASnapshotFromTheFuture() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        proposal.snapshotTime = uint32(START + 1);
        _expectRefusal(
            proposal, abi.encodeWithSelector(IRuleRegistry.RuleRegistrySnapshotInFuture.selector, START + 1, START)
        );
    }

    function testRefusesAStaleSnapshot() public {
        RuleProposal memory proposal = _proposal(1, 1, 4, 4);
        vm.warp(START + MAXIMUM_AGE + 1);
        _expectRefusal(
            proposal, abi.encodeWithSelector(IRuleRegistry.RuleRegistryStaleEpoch.selector, 1, START, MAXIMUM_AGE)
        );
    }

    function testRefusesToDropABook() public {
        _publish(_registry, _proposal(1, 2, 2, 2), _rulePoints);
        vm.warp(START + 60);
        _expectRefusal(
            _proposal(2, 1, 4, 4), abi.encodeWithSelector(IRuleRegistry.RuleRegistryBookRemoved.selector, 1, 2)
        );
        _publish(_registry, _proposal(2, 4, 1, 1), _rulePoints);
        _expect("books", _registry.latestEpoch().books, 4);
    }

    function testRefusesARegistryWithoutMaximumAge() public {
        vm.expectRevert(IRuleRegistry.RuleRegistryNoMaximumAge.selector);
        new RuleRegistry(_verifier, address(this), 0);
    }

    // --- What can be used -----------------------------------------------------------------------------------------

    function testNothingCanBeUsedBeforeTheFirstEpoch() public {
        vm.expectRevert(IRuleRegistry.RuleRegistryNoEpoch.selector);
        _registry.activeEpoch();
        vm.expectRevert(IRuleRegistry.RuleRegistryNoEpoch.selector);
        _registry.usableRule(0, RuleKind.MAINTENANCE);
        vm.expectRevert(
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotUsable.selector, 0, 0, RuleKind.INITIAL)
        );
        _registry.matrix(0, RuleKind.INITIAL);
        _expect("latest", _registry.latestEpoch().epoch, 0);
    }

    function testAStaleEpochCannotBeUsed() public {
        _publish(_registry, _proposal(1, 1, 4, 4), _rulePoints);
        vm.warp(START + MAXIMUM_AGE);
        _registry.activeEpoch();
        _registry.usableRule(1, RuleKind.INITIAL);
        vm.warp(START + MAXIMUM_AGE + 1);
        bytes memory refusal =
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryStaleEpoch.selector, 1, START, MAXIMUM_AGE);
        vm.expectRevert(refusal);
        _registry.activeEpoch();
        vm.expectRevert(refusal);
        _registry.usableRule(1, RuleKind.INITIAL);
        _expect("latest", _registry.latestEpoch().epoch, 1);
        _expect("points", _registry.matrix(1, RuleKind.INITIAL), _points(1, 4));
    }

    function testTheEpochBeforeServesMaintenanceForThreeMinutes() public {
        _publish(_registry, _proposal(1, 1, 4, 4), _rulePoints);
        vm.warp(START + 60);
        _publish(_registry, _proposal(2, 1, 3, 3), _points(30, 6));
        bytes memory refusal =
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotUsable.selector, 1, 2, RuleKind.INITIAL);
        vm.expectRevert(refusal);
        _registry.usableRule(1, RuleKind.INITIAL);
        vm.warp(START + 60 + 3 minutes);
        RuleLocation memory location = _registry.usableRule(1, RuleKind.MAINTENANCE);
        _expect("points", DataContract.read(location.data, location.offset, location.length), _points(5, 4));
        _expect("points", _registry.matrix(1, RuleKind.MAINTENANCE), _points(5, 4));
        vm.warp(START + 60 + 3 minutes + 1);
        refusal = abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotUsable.selector, 1, 2, RuleKind.MAINTENANCE);
        vm.expectRevert(refusal);
        _registry.usableRule(1, RuleKind.MAINTENANCE);
        _registry.usableRule(2, RuleKind.MAINTENANCE);
    }

    function testTheEpochBeforeTheOneBeforeIsGone() public {
        for (uint32 epoch = 1; epoch <= 3; ++epoch) {
            vm.warp(START + epoch);
            _publish(_registry, _proposal(epoch, 1, 4, 4), _rulePoints);
        }
        bytes memory refusal =
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotUsable.selector, 1, 3, RuleKind.MAINTENANCE);
        vm.expectRevert(refusal);
        _registry.usableRule(1, RuleKind.MAINTENANCE);
        vm.expectRevert(refusal);
        _registry.matrix(1, RuleKind.MAINTENANCE);
        vm.expectRevert(
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotUsable.selector, 4, 3, RuleKind.INITIAL)
        );
        _registry.usableRule(4, RuleKind.INITIAL);
    }

    /// @dev Whatever the sizes, both rules come back as they were published.
    function testFuzzPointsComeBack(uint8 books, uint8 initialChunks, uint8 maintenanceChunks) public {
        books = uint8(1 + books % 3);
        initialChunks = uint8(1 + initialChunks % 4);
        maintenanceChunks = uint8(1 + maintenanceChunks % 4);
        uint256 initialPoints = uint256(books) * initialChunks;
        uint256 maintenancePoints = uint256(books) * maintenanceChunks;
        _publish(
            _registry,
            _proposal(1, books, initialChunks, maintenanceChunks),
            _points(1, initialPoints + maintenancePoints)
        );
        _expect("initial", _registry.matrix(1, RuleKind.INITIAL), _points(1, initialPoints));
        _expect("maintenance", _registry.matrix(1, RuleKind.MAINTENANCE), _points(1 + initialPoints, maintenancePoints));
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
        _registry.finalise(proposal, _rulePoints, MARKS, 0);
    }

    function _expectRefusal(RuleProposal memory proposal, bytes memory refusal) private {
        vm.expectRevert(refusal);
        _registry.finalise(proposal, _rulePoints, MARKS, 0);
    }
}
