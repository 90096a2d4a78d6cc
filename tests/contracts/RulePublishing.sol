// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { RuleRegistry } from "../../contracts/RuleRegistry.sol";
import { Commitments } from "../../contracts/libraries/Commitments.sol";
import { RuleProposal } from "../../contracts/types/MarginRule.sol";
import { Expectations } from "./Expectations.sol";
import { vm } from "./Vm.sol";

/// @title Publishing of rules in tests
/// @dev Chunk commitments are multiples of the generator: the registry cannot tell, and no proof is made for them.
abstract contract RulePublishing is Expectations {
    bytes internal constant GENERATOR = hex"17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
        hex"08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1";

    uint256 internal constant START = 1_700_000_000;
    bytes internal constant MARKS = "marks of every slot";

    /// @dev A proposal for an epoch whose snapshot was taken just now. The compiler takes `block.timestamp` to be the same
    /// all through a test; forge's own function is not fooled by `warp`.
    function _proposal(uint32 epoch, uint8 books, uint8 initialChunks, uint8 maintenanceChunks)
        internal
        view
        returns (RuleProposal memory)
    {
        return RuleProposal({
            epoch: epoch,
            snapshotTime: uint32(vm.getBlockTimestamp()),
            books: books,
            initialChunks: initialChunks,
            maintenanceChunks: maintenanceChunks,
            snapshotHash: keccak256("snapshot"),
            ruleDigest: keccak256("rule"),
            slotsDigest: keccak256("slots"),
            marksHash: keccak256(MARKS)
        });
    }

    /// @dev Points first·G, (first + 1)·G, …
    function _points(uint256 first, uint256 count) internal view returns (bytes memory points) {
        for (uint256 index = 0; index < count; ++index) {
            points = bytes.concat(points, Commitments.addMultiple(new bytes(96), GENERATOR, first + index));
        }
    }

    /// @dev Makes the next calls carry the blobs [from, to) of a proposal.
    function _carry(bytes32[] memory hashes, uint256 from, uint256 to) internal {
        bytes32[] memory carried = new bytes32[](to - from);
        for (uint256 index = 0; index < carried.length; ++index) {
            carried[index] = hashes[from + index];
        }
        vm.blobhashes(carried);
    }

    /// @dev Stages six chunks at a time, then finalises with the rest.
    function _publish(RuleRegistry registry, RuleProposal memory proposal, bytes memory points) internal {
        bytes32[] memory hashes = Commitments.versionedHashes(points);
        uint256 chunk = 0;
        for (; chunk + 6 < hashes.length; chunk += 6) {
            _carry(hashes, chunk, chunk + 6);
            registry.stage(proposal, hashes, chunk);
        }
        _carry(hashes, chunk, hashes.length);
        registry.finalise(proposal, points, MARKS, chunk);
        vm.blobhashes(new bytes32[](0));
    }
}
