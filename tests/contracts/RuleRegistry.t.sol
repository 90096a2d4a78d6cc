// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { InstrumentRegistry } from "../../contracts/InstrumentRegistry.sol";
import { RuleRegistry } from "../../contracts/RuleRegistry.sol";
import { IPublisherQuorum } from "../../contracts/interfaces/IPublisherQuorum.sol";
import { IRuleRegistry } from "../../contracts/interfaces/IRuleRegistry.sol";
import { Bls12381 } from "../../contracts/libraries/Bls12381.sol";
import { Commitments } from "../../contracts/libraries/Commitments.sol";
import { DataContract } from "../../contracts/libraries/DataContract.sol";
import { RuleMatrix } from "../../contracts/libraries/RuleMatrix.sol";
import { EpochHeader, EpochTiming, RuleKind, RuleLocation, RuleProposal } from "../../contracts/types/MarginRule.sol";
import { RegistryFixture } from "./RegistryFixture.sol";
import { vm } from "./Vm.sol";

/// @title Publishing: what is staged, signed for and kept
contract RuleRegistryTest is RegistryFixture {
    uint32 private constant LONG_AGE = 1 days;

    // --- What is kept ---------------------------------------------------------------------------------------------

    function testPublishesBothRulesTogether() public {
        RuleProposal memory proposal = _proposal(_registry, 1, 3);
        _publishAndActivate(_registry, proposal, _points(1, 6));
        EpochHeader memory header = _registry.activeEpoch();
        _expect("epoch", header.epoch, 1);
        _expect("snapshot time", header.snapshotTime, START);
        _expect("published at", header.publishedAt, START);
        _expect("active from", header.activeFrom, START + ACTIVATION_DELAY);
        _expect("list version", header.listVersion, 1);
        _expect("books", header.books, 1);
        _expect("initial chunks", header.initialChunks, 3);
        _expect("maintenance chunks", header.maintenanceChunks, 3);
        _expect("snapshot", header.snapshotHash, proposal.snapshotHash);
        _expect("rule", header.ruleDigest, proposal.ruleDigest);
        _expect("slots", header.slotsDigest, proposal.slotsDigest);
        _expect("initial", _registry.matrix(1, RuleKind.INITIAL, 1), bytes.concat(_points(1, 3), _maskOf(2)));
        _expect("maintenance", _registry.matrix(1, RuleKind.MAINTENANCE, 1), bytes.concat(_points(4, 3), _maskOf(2)));
    }

    /// @dev Book 0 has two listed slots, book 1 one, book 2 has not been opened: all its slots are dead.
    function testMatricesOfSomeBooksWithTheirMasks() public {
        _open(3);
        _publishAndActivate(_registry, _proposal(_registry, 3, 2), _points(1, 12));
        bytes memory first = bytes.concat(_points(1, 2), _maskOf(2));
        bytes memory second = bytes.concat(_points(3, 2), _maskOf(1));
        bytes memory third = bytes.concat(_points(5, 2), _maskOf(1));
        _expect("all", _registry.matrix(1, RuleKind.INITIAL, 7), bytes.concat(first, second, third));
        _expect("first and last", _registry.matrix(1, RuleKind.INITIAL, 5), bytes.concat(first, third));
        _expect("second", _registry.matrix(1, RuleKind.INITIAL, 2), second);
        _expect("none", _registry.matrix(1, RuleKind.INITIAL, 0), "");
        second = bytes.concat(_points(9, 2), _maskOf(1));
        _expect("maintenance", _registry.matrix(1, RuleKind.MAINTENANCE, 2), second);
        vm.expectRevert(abi.encodeWithSelector(RuleMatrix.RuleMatrixBookNotCovered.selector, 9, 3));
        _registry.matrix(1, RuleKind.INITIAL, 9);
    }

    function testLocationsLeadToThePoints() public {
        _list(1, 1);
        _publishAndActivate(_registry, _proposal(_registry, 2, 3), _points(1, 12));
        for (uint256 kind = 0; kind < 2; ++kind) {
            RuleLocation memory location = _registry.usableRule(1, RuleKind(kind));
            _expect("books", location.books, 2);
            _expect("chunks", location.chunks, 3);
            _expect("length", RuleMatrix.length(location, 3), 8 * 96);
            _expect("points", RuleMatrix.read(location, 3), _registry.matrix(1, RuleKind(kind), 3));
            _expect("points", RuleMatrix.read(location, 2), _registry.matrix(1, RuleKind(kind), 2));
            _expect("end", location.data.code.length, location.maskOffset + 2 * 96);
        }
    }

    /// @dev A slot listed after an epoch was announced stays dead in it: its rules have no price for it.
    function testAnEpochKeepsTheMasksOfItsAnnouncement() public {
        _publishAndActivate(_registry, _proposal(_registry, 1, 1), _points(1, 2));
        _list(0, 1);
        _expect("before", _registry.matrix(1, RuleKind.INITIAL, 1), bytes.concat(_points(1, 1), _maskOf(2)));
        vm.warp(START + SPACING);
        _publishAndActivate(_registry, _proposal(_registry, 1, 1), _points(1, 2));
        _expect("after", _registry.matrix(2, RuleKind.INITIAL, 1), bytes.concat(_points(1, 1), _maskOf(3)));
    }

    function testKeepsShapeAndKeyOfTheVerifier() public view {
        _expect("key", _registry.verifyingKey(), _verifier.verifyingKey());
        _expect("columns", _registry.shape().columns, 16);
        _expect("powers", _registry.shape().powers, 64);
        _expect("digits", _registry.shape().digits, 2);
        _expect("digit bits", _registry.shape().digitBits, 5);
        _expect("verifier", address(_registry.verifier()), address(_verifier));
        _expect("instruments", address(_registry.instruments()), address(_instruments));
        _expect("age", _registry.maximumAge(), MAXIMUM_AGE);
        _expect("delay", _registry.activationDelay(), ACTIVATION_DELAY);
        _expect("spacing", _registry.spacing(), SPACING);
    }

    /// @dev Versioned hashes of the generator, of its negative and of infinity, computed by verifier/blob_transactions.py.
    function testVersionedHashesAreThoseOfTheChain() public view {
        bytes memory negative = Commitments.subtract(new bytes(96), GENERATOR);
        bytes32[] memory given = Commitments.versionedHashes(bytes.concat(GENERATOR, negative, new bytes(96)));
        _expect("generator", given[0], 0x01cf478a431837728dcec3461f4f53b8749cdc4e03496dcaed459dea82b82eb8);
        _expect("negative", given[1], 0x01466f7b14f0722bd581cf49418cd43fa8f085ce16e09cd3cdf65b3dfbbcb8c0);
        _expect("infinity", given[2], 0x010657f37554c781402a22917dee2f75def7ab966d7b770905398eba3c444014);
    }

    function testAnUntouchedChunkIsInfinity() public {
        _publish(_registry, _proposal(_registry, 1, 1), bytes.concat(_points(1, 1), new bytes(96)));
        _expect("points", _registry.matrix(1, RuleKind.MAINTENANCE, 1), bytes.concat(new bytes(96), _maskOf(2)));
    }

    function testTheReducedRuleIsKnownByItsHash() public {
        (RuleProposal memory proposal, bytes memory all) = _example();
        _publish(_registry, proposal, _slice(all, 0, 8 * 96));
        bytes memory reduced = _slice(all, 8 * 96, 4 * 96);
        if (!_registry.reducedRule(1, reduced)) revert NotTheReducedRule();
        if (_registry.reducedRule(1, _points(1, 4))) revert NotTheReducedRule();
        // RM = (3·MM + IM)/4 on the multiples of the generator: 4·RM = 3·5 + 1.
        _expect("first chunk", Commitments.addMultiple(new bytes(96), _slice(reduced, 0, 96), 4), _points(16, 1));
        bytes memory refusal = abi.encodeWithSelector(IRuleRegistry.RuleRegistryReducedRuleNotKept.selector);
        vm.expectRevert(refusal);
        _registry.matrix(1, RuleKind.REDUCED, 1);
        vm.expectRevert(refusal);
        _registry.usableRule(1, RuleKind.REDUCED);
    }

    function testOneTransactionSufficesForSixChunks() public {
        (RuleProposal memory proposal, bytes memory all) = _exampleOf(_points(1, 6));
        _carry(_hashesOf(all), 0, 6);
        _finalise(proposal, all, 0);
        _expect("epoch", _registry.latestEpoch().epoch, 1);
    }

    function testStagedChunksMayComeInAnyOrderFromAnyPublisher() public {
        (RuleProposal memory proposal, bytes memory all) = _example();
        bytes32[] memory hashes = _hashesOf(all);
        bytes32 digest = _registry.proposalDigest(proposal, hashes);
        _carry(hashes, 5, 8);
        vm.prank(_publisher(2));
        _registry.stage(proposal, hashes, 5);
        _carry(hashes, 0, 5);
        _stage(proposal, hashes, 0);
        (uint256 stagedAt, uint256 chunks) = _registry.staged(digest);
        _expect("staged at", stagedAt, START);
        _expect("chunks", chunks, 0xff);
        vm.blobhashes(new bytes32[](0));
        bytes[] memory signatures = _sign(_registry, proposal);
        vm.prank(address(0xfeed)); // anyone, with the signatures
        _registry.finalise(proposal, all, MARKS, INDICES, 0, signatures);
        (, chunks) = _registry.staged(digest);
        _expect("forgotten", chunks, 0);
    }

    function testOneBlobServesEqualChunks() public {
        (RuleProposal memory proposal, bytes memory all) =
            _exampleOf(bytes.concat(_points(1, 4), _points(1, 2), _points(5, 2)));
        bytes32[] memory hashes = _hashesOf(all);
        _carry(hashes, 0, 4);
        _stage(proposal, hashes, 0);
        _carry(hashes, 6, 8);
        _finalise(proposal, all, 6);
        bytes memory maintenance = bytes.concat(_points(1, 2), _points(5, 2), _maskOf(2));
        _expect("shared points", _registry.matrix(1, RuleKind.MAINTENANCE, 1), maintenance);
    }

    function testAnnouncesStagesAndEpochs() public {
        (RuleProposal memory proposal, bytes memory all) = _example();
        bytes32[] memory hashes = _hashesOf(all);
        bytes32 digest = _registry.proposalDigest(proposal, hashes);
        _carry(hashes, 0, 6);
        vm.expectEmit();
        emit IRuleRegistry.RuleChunksStaged(digest, 0, 6);
        _stage(proposal, hashes, 0);
        _carry(hashes, 6, 8);
        EpochHeader memory header = EpochHeader({
            data: _nextData(),
            epoch: 1,
            snapshotTime: uint32(START),
            publishedAt: uint32(START),
            activeFrom: uint32(START + ACTIVATION_DELAY),
            listVersion: 1,
            books: 1,
            initialChunks: 4,
            maintenanceChunks: 4,
            snapshotHash: proposal.snapshotHash,
            ruleDigest: proposal.ruleDigest,
            slotsDigest: proposal.slotsDigest
        });
        bytes[] memory signatures = _sign(_registry, proposal);
        vm.expectEmit();
        emit IRuleRegistry.EpochPublished(1, digest, header, hashes, MARKS, INDICES);
        _registry.finalise(proposal, all, MARKS, INDICES, 6, signatures);
    }

    /// @dev Whatever the sizes, both rules come back as they were published.
    function testFuzzPointsComeBack(uint8 books, uint8 chunks, uint32 bitmap) public {
        books = uint8(1 + books % 4);
        chunks = uint8(1 + chunks % 3);
        bitmap = uint32(bitmap % (uint256(1) << books));
        uint256 ruleChunks = uint256(books) * chunks;
        _open(books);
        _publish(_registry, _proposal(_registry, books, chunks), _points(1, 2 * ruleChunks));
        bytes memory initial;
        bytes memory maintenance;
        for (uint256 book = 0; book < books; ++book) {
            if ((bitmap >> book) & 1 == 0) continue;
            bytes memory mask = _maskOf(book == 0 ? 2 : 1);
            initial = bytes.concat(initial, _points(1 + book * chunks, chunks), mask);
            maintenance = bytes.concat(maintenance, _points(1 + ruleChunks + book * chunks, chunks), mask);
        }
        _expect("initial", _registry.matrix(1, RuleKind.INITIAL, bitmap), initial);
        _expect("maintenance", _registry.matrix(1, RuleKind.MAINTENANCE, bitmap), maintenance);
    }

    // --- What is refused ------------------------------------------------------------------------------------------

    function testRefusesStrangersToStage() public {
        (RuleProposal memory proposal, bytes memory all) = _example();
        bytes32[] memory hashes = _hashesOf(all);
        bytes memory refusal =
            abi.encodeWithSelector(IPublisherQuorum.PublisherQuorumNotPublisher.selector, address(0xbad));
        vm.expectRevert(refusal);
        vm.prank(address(0xbad));
        _registry.stage(proposal, hashes, 0);
        vm.expectRevert(refusal);
        vm.prank(address(0xbad));
        _registry.stageRows(proposal, hashes, 0, GENERATOR, "", "");
    }

    function testRefusesSizesThatMakeNoSense() public {
        _expectSizesRefused(0, 4, 4, abi.encodeWithSelector(IRuleRegistry.RuleRegistryEmptyRule.selector, 0, 4, 4));
        _expectSizesRefused(1, 0, 8, abi.encodeWithSelector(IRuleRegistry.RuleRegistryEmptyRule.selector, 1, 0, 8));
        _expectSizesRefused(1, 8, 0, abi.encodeWithSelector(IRuleRegistry.RuleRegistryEmptyRule.selector, 1, 8, 0));
        _expectSizesRefused(1, 4, 5, abi.encodeWithSelector(IRuleRegistry.RuleRegistryChunksDiffer.selector, 4, 5));
        _expectSizesRefused(33, 1, 1, abi.encodeWithSelector(IRuleRegistry.RuleRegistryTooManyBooks.selector, 33, 32));
        _expectSizesRefused(
            32, 4, 4, abi.encodeWithSelector(IRuleRegistry.RuleRegistryTooManyChunks.selector, 256, 216)
        );
    }

    /// @dev 216 chunks fill the largest contract that a chain keeps.
    function testPublishesTheLargestRule() public {
        bytes memory points = new bytes(216 * 96); // all infinity
        _open(27);
        RuleProposal memory proposal = _proposal(_registry, 27, 4);
        bytes memory all = bytes.concat(points, new bytes(108 * 96));
        proposal.chunksHash = keccak256(all);
        _carry(_hashesOf(all), 0, 1);
        _finalise(proposal, all, 0);
        _expect("bytes", _registry.latestEpoch().data.code.length, 144 + 216 * 96 + 27 * 96);
    }

    function testRefusesAWrongNumberOfHashesOrPoints() public {
        (RuleProposal memory proposal, bytes memory all) = _example();
        bytes32[] memory seven = _hashesOf(_withReduced(_points(1, 8)));
        seven = _first(seven, 7);
        bytes memory refusal = abi.encodeWithSelector(IRuleRegistry.RuleRegistryChunkCountWrong.selector, 7, 8);
        vm.expectRevert(refusal);
        vm.prank(_publisher(0));
        _registry.stage(proposal, seven, 0);
        vm.expectRevert(refusal);
        vm.prank(_publisher(0));
        _registry.stageRows(proposal, seven, 0, GENERATOR, "", "");
        refusal = abi.encodeWithSelector(IRuleRegistry.RuleRegistryChunkCountWrong.selector, 12, 12);
        _expectRefusal(proposal, bytes.concat(all, hex"00"), 0, refusal);
        refusal = abi.encodeWithSelector(IRuleRegistry.RuleRegistryChunkCountWrong.selector, 8, 12);
        _expectRefusal(proposal, _points(1, 8), 0, refusal);
    }

    function testRefusesToStageNothing() public {
        (RuleProposal memory proposal, bytes memory all) = _example();
        _expectStageRefused(
            proposal, _hashesOf(all), 0, abi.encodeWithSelector(IRuleRegistry.RuleRegistryNoBlobs.selector)
        );
    }

    function testRefusesSevenBlobs() public {
        (RuleProposal memory proposal, bytes memory all) = _example();
        bytes32[] memory hashes = _hashesOf(all);
        _carry(hashes, 0, 7);
        bytes memory refusal = abi.encodeWithSelector(IRuleRegistry.RuleRegistryTooManyBlobs.selector, 6);
        _expectStageRefused(proposal, hashes, 0, refusal);
        _expectRefusal(proposal, all, 0, refusal);
    }

    function testRefusesBlobsBeyondTheProposal() public {
        (RuleProposal memory proposal, bytes memory all) = _example();
        bytes32[] memory hashes = _hashesOf(all);
        _carry(hashes, 6, 8);
        bytes4 selector = IRuleRegistry.RuleRegistryBlobsBeyondProposal.selector;
        _expectStageRefused(proposal, hashes, 7, abi.encodeWithSelector(selector, 7, 2, 8));
        uint256 huge = type(uint256).max;
        _expectStageRefused(proposal, hashes, huge, abi.encodeWithSelector(selector, huge, 2, 8));
        _expectRefusal(proposal, all, 7, abi.encodeWithSelector(selector, 7, 2, 8));
        _expectRefusal(proposal, all, 9, abi.encodeWithSelector(selector, 9, 2, 8));
    }

    function testRefusesABlobThatIsAnotherChunk() public {
        (RuleProposal memory proposal, bytes memory all) = _example();
        bytes32[] memory hashes = _hashesOf(all);
        _carry(hashes, 1, 3);
        bytes memory refusal =
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryBlobMismatch.selector, 0, hashes[0], hashes[1]);
        _expectStageRefused(proposal, hashes, 0, refusal);
        _expectRefusal(proposal, all, 0, refusal);
    }

    /// @dev Signed for and carried: the same rule but for one chunk, whose point is another.
    function testRefusesAChunkThatDiffersFromWhatWasSigned() public {
        (RuleProposal memory proposal, bytes memory all) = _exampleOf(_points(1, 6));
        bytes memory altered = _withReduced(bytes.concat(_points(1, 5), _points(9, 1)));
        _carry(_hashesOf(altered), 0, 6);
        bytes memory refusal = abi.encodeWithSelector(
            IRuleRegistry.RuleRegistryChunksMismatch.selector, keccak256(altered), keccak256(all)
        );
        _expectRefusal(proposal, altered, 0, refusal);
    }

    function testRefusesAPointThatDiffersFromItsBlob() public {
        (RuleProposal memory proposal, bytes memory altered) = _exampleOf(bytes.concat(_points(1, 5), _points(9, 1)));
        bytes32[] memory hashes = Commitments.versionedHashes(_points(1, 6));
        bytes32 other = Commitments.versionedHashes(_points(9, 1))[0];
        _carry(hashes, 0, 6);
        bytes memory refusal =
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryBlobMismatch.selector, 5, other, hashes[5]);
        _expectRefusal(proposal, altered, 0, refusal);
    }

    function testRefusesAReducedRuleThatIsOffByOnePoint() public {
        bytes memory right = _withReduced(_points(1, 6));
        for (uint256 chunk = 0; chunk < 3; ++chunk) {
            bytes memory point = _slice(right, (6 + chunk) * 96, 96);
            _expectReducedRefused(right, chunk, Commitments.add(point, GENERATOR));
            // Only the sign of y differs.
            _expectReducedRefused(right, chunk, Commitments.subtract(new bytes(96), point));
        }
    }

    function testRefusesMissingChunks() public {
        (RuleProposal memory proposal, bytes memory all) = _example();
        bytes32[] memory hashes = _hashesOf(all);
        _carry(hashes, 0, 5);
        _stage(proposal, hashes, 0);
        _carry(hashes, 6, 8);
        _expectRefusal(proposal, all, 6, _missing(proposal, hashes, 1 << 5));
    }

    function testRefusesChunksThatOnlyEqualMissingOnes() public {
        (RuleProposal memory proposal, bytes memory all) =
            _exampleOf(bytes.concat(_points(1, 4), _points(1, 2), _points(5, 2)));
        bytes32[] memory hashes = _hashesOf(all);
        _carry(hashes, 1, 4);
        _stage(proposal, hashes, 1);
        _carry(hashes, 6, 8);
        _expectRefusal(proposal, all, 6, _missing(proposal, hashes, 0x11));
    }

    function testRefusesOldPartsThatOnlyAnEqualChunkNeeds() public {
        _useLongAge();
        (RuleProposal memory proposal, bytes memory all) =
            _exampleOf(bytes.concat(_points(1, 1), _points(2, 1), _points(1, 1), _points(3, 1)));
        bytes32[] memory hashes = _hashesOf(all);
        _carry(hashes, 0, 1);
        _stage(proposal, hashes, 0);
        _carry(hashes, 1, 2);
        _stage(proposal, hashes, 1);
        _carry(hashes, 3, 4);
        vm.warp(START + 1 hours + 1);
        _expectRefusal(proposal, all, 3, _expired(proposal, hashes));
    }

    function testPartsOfTwoProposalsCannotMix() public {
        (RuleProposal memory one, bytes memory all) = _example();
        (RuleProposal memory other,) = _example();
        other.ruleDigest = keccak256("another rule");
        bytes32[] memory hashes = _hashesOf(all);
        _carry(hashes, 0, 6);
        _stage(one, hashes, 0);
        _carry(hashes, 6, 8);
        _expectRefusal(other, all, 6, _missing(other, hashes, 0x3f));
    }

    function testPartsForOtherChunksCannotMix() public {
        (RuleProposal memory proposal, bytes memory all) = _example();
        bytes32[] memory hashes = _hashesOf(all);
        _carry(hashes, 0, 6);
        _stage(proposal, hashes, 0);
        (RuleProposal memory altered, bytes memory alteredAll) = _exampleOf(bytes.concat(_points(1, 6), _points(20, 2)));
        bytes32[] memory alteredHashes = _hashesOf(alteredAll);
        _carry(alteredHashes, 6, 8);
        _expectRefusal(altered, alteredAll, 6, _missing(altered, alteredHashes, 0x3f));
    }

    /// @dev One publisher alone can stage whatever hashes under a proposal: they are parts of something else.
    function testHashesThatAreNotOfTheSignedPointsStageNothing() public {
        (RuleProposal memory proposal, bytes memory all) = _example();
        bytes32[] memory forged = _hashesOf(_withReduced(_points(30, 8)));
        _carry(forged, 0, 6);
        _stage(proposal, forged, 0);
        bytes32[] memory hashes = _hashesOf(all);
        _carry(hashes, 6, 8);
        _expectRefusal(proposal, all, 6, _missing(proposal, hashes, 0x3f));
    }

    function testRefusesPartsOlderThanAnHour() public {
        _useLongAge();
        (RuleProposal memory proposal, bytes memory all) = _example();
        bytes32[] memory hashes = _hashesOf(all);
        _carry(hashes, 0, 6);
        _stage(proposal, hashes, 0);
        _carry(hashes, 6, 8);
        vm.warp(START + 1 hours + 1);
        _expectRefusal(proposal, all, 6, _expired(proposal, hashes));

        // A later part starts afresh and does not revive the old ones.
        _stage(proposal, hashes, 6);
        _expectRefusal(proposal, all, 6, _missing(proposal, hashes, 0x3f));
    }

    function testAcceptsPartsOfAnHour() public {
        (RuleProposal memory proposal, bytes memory all) = _example();
        bytes32[] memory hashes = _hashesOf(all);
        _carry(hashes, 0, 6);
        _stage(proposal, hashes, 0);
        _carry(hashes, 6, 8);
        vm.warp(START + 1 hours);
        _finalise(proposal, all, 6);
        _expect("epoch", _registry.latestEpoch().epoch, 1);
    }

    function testRefusesOtherMarksAndIndices() public {
        (RuleProposal memory proposal, bytes memory all) = _exampleOf(_points(1, 6));
        _carry(_hashesOf(all), 0, 6);
        bytes[] memory signatures = _sign(_registry, proposal);
        bytes32 others = keccak256("others");
        vm.expectRevert(
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryMarksMismatch.selector, others, keccak256(MARKS))
        );
        _registry.finalise(proposal, all, "others", INDICES, 0, signatures);
        vm.expectRevert(
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryIndicesMismatch.selector, others, keccak256(INDICES))
        );
        _registry.finalise(proposal, all, MARKS, "others", 0, signatures);
    }

    function testRefusesAPointOffTheCurve() public {
        bytes memory right = _withReduced(_points(1, 6));
        uint256[3] memory chunks = [uint256(0), 5, 8];
        for (uint256 index = 0; index < 3; ++index) {
            bytes memory off = _slice(right, 0, right.length);
            uint256 last = chunks[index] * 96 + 95;
            off[last] = bytes1(uint8(off[last]) ^ 1);
            RuleProposal memory proposal = _proposal(_registry, 1, 3);
            proposal.chunksHash = keccak256(off);
            bytes memory refusal = abi.encodeWithSelector(Bls12381.Bls12381PrecompileFailed.selector, 0x0b, 0);
            _expectRefusal(proposal, off, 0, refusal);
        }
    }

    function testRefusesAnotherEpochThanTheNext() public {
        (RuleProposal memory proposal, bytes memory all) = _example();
        bytes4 selector = IRuleRegistry.RuleRegistryWrongEpoch.selector;
        proposal.epoch = 2;
        _expectRefusal(proposal, all, 0, abi.encodeWithSelector(selector, 2, 1));
        proposal.epoch = 0;
        _expectRefusal(proposal, all, 0, abi.encodeWithSelector(selector, 0, 1));
        proposal.epoch = 1;
        _publish(_registry, proposal, _points(1, 8));
        _expectRefusal(proposal, all, 0, abi.encodeWithSelector(selector, 1, 2));
    }

    function testRefusesASnapshotThatIsNotNewer() public {
        _publishNext(1);
        vm.warp(START + SPACING);
        (RuleProposal memory proposal, bytes memory all) = _example();
        bytes4 selector = IRuleRegistry.RuleRegistrySnapshotNotNewer.selector;
        proposal.snapshotTime = uint32(START);
        _expectRefusal(proposal, all, 0, abi.encodeWithSelector(selector, START, START));
        proposal.snapshotTime = uint32(START - 1);
        _expectRefusal(proposal, all, 0, abi.encodeWithSelector(selector, START - 1, START));
        proposal.snapshotTime = uint32(START + 1);
        _publish(_registry, proposal, _points(1, 8));
        _expect("snapshot", _registry.latestEpoch().snapshotTime, START + 1);
    }

    function testRefusesASnapshotFromTheFuture() public {
        (RuleProposal memory proposal, bytes memory all) = _example();
        proposal.snapshotTime = uint32(START + 1);
        bytes memory refusal =
            abi.encodeWithSelector(IRuleRegistry.RuleRegistrySnapshotInFuture.selector, START + 1, START);
        _expectRefusal(proposal, all, 0, refusal);
        _expectStageRefused(proposal, _hashesOf(all), 0, refusal);
    }

    function testRefusesAStaleSnapshot() public {
        (RuleProposal memory proposal, bytes memory all) = _example();
        bytes memory refusal =
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryStaleEpoch.selector, 1, START, MAXIMUM_AGE);
        vm.warp(START + MAXIMUM_AGE + 1);
        _expectRefusal(proposal, all, 0, refusal);
        _expectStageRefused(proposal, _hashesOf(all), 0, refusal);
    }

    /// @dev One epoch of a captured quorum must not take the room of all later ones.
    function testRefusesMoreBooksThanAreOpen() public {
        _open(2);
        RuleProposal memory proposal = _proposal(_registry, 3, 1);
        bytes memory all = _withReduced(_points(1, 6));
        (proposal.chunksHash, proposal.initialChunks) = (keccak256(all), 1);
        _carry(_hashesOf(all), 0, 6);
        bytes memory refusal = abi.encodeWithSelector(IRuleRegistry.RuleRegistryTooManyBooks.selector, 3, 2);
        _expectRefusal(proposal, all, 0, refusal);
        _list(2, 1);
        proposal.listVersion = _instruments.version();
        _finalise(proposal, all, 0);
        _expect("books", _registry.latestEpoch().books, 3);
    }

    function testRefusesToDropABook() public {
        _open(4);
        _publish(_registry, _proposal(_registry, 2, 2), _points(1, 8));
        vm.warp(START + SPACING);
        (RuleProposal memory proposal, bytes memory all) = _example();
        bytes memory refusal = abi.encodeWithSelector(IRuleRegistry.RuleRegistryBookRemoved.selector, 1, 2);
        _expectRefusal(proposal, all, 0, refusal);
        _publish(_registry, _proposal(_registry, 4, 1), _points(1, 8));
        _expect("books", _registry.latestEpoch().books, 4);
    }

    /// @dev A slot that was listed after the publishers signed would be alive and unpriced.
    function testRefusesAListThatMovedAfterSigning() public {
        (RuleProposal memory proposal, bytes memory all) = _exampleOf(_points(1, 6));
        _carry(_hashesOf(all), 0, 6);
        _list(0, 1);
        bytes4 selector = IRuleRegistry.RuleRegistryListVersionWrong.selector;
        _expectRefusal(proposal, all, 0, abi.encodeWithSelector(selector, 1, 2));
        proposal.listVersion = 3;
        _expectRefusal(proposal, all, 0, abi.encodeWithSelector(selector, 3, 2));
        _instruments.delist(2);
        _finalise(proposal, all, 0);
        _expect("list version", _registry.latestEpoch().listVersion, 3);
    }

    function testRefusesTimesThatCannotHold() public {
        _expectTimingRefused(EpochTiming({ maximumAge: 3600, activationDelay: 23, spacing: 60 }));
        _expectTimingRefused(EpochTiming({ maximumAge: 3600, activationDelay: 24, spacing: 59 }));
        _expectTimingRefused(EpochTiming({ maximumAge: 3600, activationDelay: 61, spacing: 60 }));
        _expectTimingRefused(EpochTiming({ maximumAge: 60, activationDelay: 24, spacing: 60 }));
        EpochTiming memory tight = EpochTiming({ maximumAge: 61, activationDelay: 60, spacing: 60 });
        new RuleRegistry(_verifier, _instruments, address(this), _publishers(), QUORUM, tight);
    }

    function testRefusesInstrumentsOfAnotherShape() public {
        bytes memory table = _points(1, 8);
        address data = DataContract.create(table);
        InstrumentRegistry other = new InstrumentRegistry(address(this), address(this), data, keccak256(table), 8);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistrySlotsDoNotFit.selector, 8, 16));
        new RuleRegistry(_verifier, other, address(this), _publishers(), QUORUM, _timing());
    }

    /// @notice The hash that the registry keeps is not that of the reduced rule.
    error NotTheReducedRule();

    /// @dev Where the registry's first contract goes: nonce 1.
    function _nextData() private view returns (address) {
        bytes32 hash = keccak256(abi.encodePacked(hex"d694", address(_registry), hex"01"));
        return address(uint160(uint256(hash)));
    }

    /// @dev The first words of a list.
    function _first(bytes32[] memory words, uint256 count) private pure returns (bytes32[] memory part) {
        part = new bytes32[](count);
        for (uint256 index = 0; index < count; ++index) {
            part[index] = words[index];
        }
    }

    /// @dev A registry whose snapshots may be a day old, so that parts may be too old before their snapshot is.
    function _useLongAge() private {
        EpochTiming memory timing = _timing();
        timing.maximumAge = LONG_AGE;
        _registry = new RuleRegistry(_verifier, _instruments, address(this), _publishers(), QUORUM, timing);
    }

    function _missing(RuleProposal memory proposal, bytes32[] memory hashes, uint256 chunks)
        private
        view
        returns (bytes memory)
    {
        bytes32 digest = _registry.proposalDigest(proposal, hashes);
        return abi.encodeWithSelector(IRuleRegistry.RuleRegistryChunksMissing.selector, digest, chunks);
    }

    function _expired(RuleProposal memory proposal, bytes32[] memory hashes) private view returns (bytes memory) {
        bytes32 digest = _registry.proposalDigest(proposal, hashes);
        return abi.encodeWithSelector(IRuleRegistry.RuleRegistryStagingExpired.selector, digest, START, 1 hours);
    }

    function _expectSizesRefused(uint8 books, uint8 initialChunks, uint8 maintenanceChunks, bytes memory refusal)
        private
    {
        (RuleProposal memory proposal, bytes memory all) = _example();
        proposal.books = books;
        proposal.initialChunks = initialChunks;
        proposal.maintenanceChunks = maintenanceChunks;
        _expectRefusal(proposal, all, 0, refusal);
        _expectStageRefused(proposal, _hashesOf(all), 0, refusal);
        vm.expectRevert(refusal);
        vm.prank(_publisher(0));
        _registry.stageRows(proposal, new bytes32[](8), 0, GENERATOR, "", "");
    }

    /// @dev All is right but the point of one chunk of the reduced rule.
    function _expectReducedRefused(bytes memory right, uint256 chunk, bytes memory point) private {
        bytes memory off = bytes.concat(
            _slice(right, 0, (6 + chunk) * 96), point, _slice(right, (7 + chunk) * 96, (2 - chunk) * 96)
        );
        RuleProposal memory proposal = _proposal(_registry, 1, 3);
        proposal.chunksHash = keccak256(off);
        _carry(_hashesOf(off), 0, 6);
        bytes memory refusal = abi.encodeWithSelector(IRuleRegistry.RuleRegistryReducedRuleWrong.selector, chunk);
        _expectRefusal(proposal, off, 0, refusal);
    }

    function _expectStageRefused(
        RuleProposal memory proposal,
        bytes32[] memory hashes,
        uint256 firstChunk,
        bytes memory refusal
    ) private {
        vm.expectRevert(refusal);
        vm.prank(_publisher(0));
        _registry.stage(proposal, hashes, firstChunk);
    }

    function _expectTimingRefused(EpochTiming memory timing) private {
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryTimingInvalid.selector, timing));
        new RuleRegistry(_verifier, _instruments, address(this), _publishers(), QUORUM, timing);
    }
}
