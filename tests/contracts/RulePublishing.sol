// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Bytes } from "@openzeppelin/contracts/utils/Bytes.sol";

import { RuleRegistry } from "../../contracts/RuleRegistry.sol";
import { IInstrumentRegistry } from "../../contracts/interfaces/IInstrumentRegistry.sol";
import { IMarginVerifier } from "../../contracts/interfaces/IMarginVerifier.sol";
import { Commitments } from "../../contracts/libraries/Commitments.sol";
import { Scalar } from "../../contracts/libraries/ScalarField.sol";
import { EpochTiming, RuleProposal } from "../../contracts/types/MarginRule.sol";
import { Expectations } from "./Expectations.sol";
import { vm } from "./Vm.sol";

/// @title Publishing of rules in tests, by two of three publishers
/// @dev Chunk commitments are multiples of the generator: the registry cannot tell, and no proof is made for them.
abstract contract RulePublishing is Expectations {
    bytes internal constant GENERATOR = hex"17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
        hex"08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1";

    uint256 internal constant START = 1_700_000_000;
    uint32 internal constant MAXIMUM_AGE = 1 hours;
    uint32 internal constant ACTIVATION_DELAY = 24;
    uint32 internal constant SPACING = 60;
    uint256 internal constant QUORUM = 2;
    bytes internal constant MARKS = "marks of every slot";
    bytes internal constant INDICES = "cumulative funding indices";

    /// @dev A registry of the three publishers.
    function _newRegistry(IMarginVerifier verifier, IInstrumentRegistry instruments, address owner)
        internal
        returns (RuleRegistry)
    {
        return new RuleRegistry(verifier, instruments, owner, _publishers(), QUORUM, _timing());
    }

    /// @dev How epochs follow one another.
    function _timing() internal pure returns (EpochTiming memory) {
        return EpochTiming({ maximumAge: MAXIMUM_AGE, activationDelay: ACTIVATION_DELAY, spacing: SPACING });
    }

    /// @dev A proposal for the next epoch of a registry, whose snapshot was taken just now; `_publish` adds the hash of the
    /// chunks. The compiler takes `block.timestamp` to be the same all through a test; forge's own function is not
    /// fooled by `warp`.
    function _proposal(RuleRegistry registry, uint8 books, uint8 chunks) internal view returns (RuleProposal memory) {
        return RuleProposal({
            epoch: registry.latestEpoch().epoch + 1,
            snapshotTime: uint32(vm.getBlockTimestamp()),
            listVersion: registry.instruments().version(),
            books: books,
            initialChunks: chunks,
            maintenanceChunks: chunks,
            snapshotHash: keccak256("snapshot"),
            ruleDigest: keccak256("rule"),
            slotsDigest: keccak256("slots"),
            chunksHash: 0,
            marksHash: keccak256(MARKS),
            indicesHash: keccak256(INDICES)
        });
    }

    /// @dev Points first·G, (first + 1)·G, …
    function _points(uint256 first, uint256 count) internal view returns (bytes memory points) {
        for (uint256 index = 0; index < count; ++index) {
            points = bytes.concat(points, Commitments.addMultiple(new bytes(96), GENERATOR, first + index));
        }
    }

    /// @dev The points of an initial and a maintenance rule, given one after the other, and those of the rule between them:
    /// MM + (IM − MM)/4.
    function _withReduced(bytes memory points) internal view returns (bytes memory) {
        uint256 half = points.length / 2;
        bytes memory reduced;
        for (uint256 offset = 0; offset < half; offset += 96) {
            bytes memory maintenance = _slice(points, half + offset, 96);
            bytes memory difference = Commitments.subtract(_slice(points, offset, 96), maintenance);
            uint256 quarter = Scalar.unwrap(Scalar.wrap(4).inverse());
            reduced = bytes.concat(reduced, Commitments.addMultiple(maintenance, difference, quarter));
        }
        return bytes.concat(points, reduced);
    }

    /// @dev `length` bytes from `start` on.
    function _slice(bytes memory content, uint256 start, uint256 length) internal pure returns (bytes memory) {
        return Bytes.slice(content, start, start + length);
    }

    /// @dev Makes the next calls carry the blobs [from, to) of a proposal.
    function _carry(bytes32[] memory hashes, uint256 from, uint256 to) internal {
        bytes32[] memory carried = new bytes32[](to - from);
        for (uint256 index = 0; index < carried.length; ++index) {
            carried[index] = hashes[from + index];
        }
        vm.blobhashes(carried);
    }

    /// @dev Publishes a proposal with the points of the initial and the maintenance rule, one after the other: stages six
    /// chunks at a time, then finalises with the rest. The epoch is active after `ACTIVATION_DELAY`.
    function _publish(RuleRegistry registry, RuleProposal memory proposal, bytes memory points) internal {
        bytes memory all = _withReduced(points);
        proposal.chunksHash = keccak256(all);
        bytes[] memory signatures = _sign(registry, proposal);
        bytes32[] memory hashes = Commitments.versionedHashes(points);
        uint256 chunk = _stageAllBut(registry, proposal, hashes);
        _carry(hashes, chunk, hashes.length);
        registry.finalise(proposal, all, MARKS, INDICES, chunk, signatures);
        vm.blobhashes(new bytes32[](0));
    }

    /// @dev Publishes and lets the time pass until the epoch is active.
    function _publishAndActivate(RuleRegistry registry, RuleProposal memory proposal, bytes memory points) internal {
        _publish(registry, proposal, points);
        vm.warp(registry.latestEpoch().activeFrom);
    }

    /// @dev Stages all but the last chunks, at most six, which fit into the last transaction.
    function _stageAllBut(RuleRegistry registry, RuleProposal memory proposal, bytes32[] memory hashes)
        internal
        returns (uint256 chunk)
    {
        for (; chunk + 6 < hashes.length; chunk += 6) {
            _carry(hashes, chunk, chunk + 6);
            vm.prank(_publisher(0));
            registry.stage(proposal, hashes, chunk);
        }
    }

    /// @dev Signatures of the first two publishers.
    function _sign(RuleRegistry registry, RuleProposal memory proposal) internal view returns (bytes[] memory) {
        return _signaturesOf(registry.signingDigest(proposal), _key(0), _key(1));
    }

    /// @dev Two signatures of a digest, in the order given.
    function _signaturesOf(bytes32 digest, uint256 first, uint256 second)
        internal
        pure
        returns (bytes[] memory signatures)
    {
        signatures = new bytes[](2);
        signatures[0] = _signatureOf(digest, first);
        signatures[1] = _signatureOf(digest, second);
    }

    /// @dev The 65 bytes of a signature.
    function _signatureOf(bytes32 digest, uint256 key) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev The three publishers, ascending.
    function _publishers() internal pure returns (address[] memory publishers) {
        publishers = new address[](3);
        for (uint256 index = 0; index < 3; ++index) {
            publishers[index] = _publisher(index);
        }
    }

    /// @dev One of the three publishers; their addresses ascend.
    function _publisher(uint256 index) internal pure returns (address) {
        return vm.addr(_key(index));
    }

    /// @dev Keys whose addresses ascend: 3 has 0x6813…, 2 has 0x2B5A…, 1 has 0x7E5F….
    function _key(uint256 index) internal pure returns (uint256) {
        return index == 0 ? 2 : index == 1 ? 3 : 1;
    }
}
