// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EpochHeader, RuleKind, RuleLocation, RuleProposal } from "../types/MarginRule.sol";
import { DataContract } from "./DataContract.sol";

/// @title What the data contract of an epoch holds, and where
/// @author The zkmargin contributors
/// @notice Sizes, version of the list, active clock; three digests and the hash of the reduced rule's points; then points
/// of the initial rule, of the maintenance rule, and the masks.
library EpochData {
    /// @notice Sizes and other small numbers of an epoch: the first 15 bytes.
    struct Facts {
        uint8 books;
        uint8 initialChunks;
        uint8 maintenanceChunks;
        uint32 listVersion;
        uint64 activeClock;
    }

    uint256 private constant POINT_BYTES = 96;
    uint256 private constant FACTS_BYTES = 15;
    uint256 private constant SNAPSHOT_HASH = DataContract.DATA_OFFSET + FACTS_BYTES;
    uint256 private constant RULE_DIGEST = SNAPSHOT_HASH + 32;
    uint256 private constant SLOTS_DIGEST = RULE_DIGEST + 32;
    uint256 private constant REDUCED_HASH = SLOTS_DIGEST + 32;
    uint256 private constant POINTS = REDUCED_HASH + 32;

    /// @notice Creates the data contract of an epoch.
    /// @param proposal Its proposal.
    /// @param activeClock_ Active clock at the moment of its activation, in seconds.
    /// @param points Points of the initial and the maintenance rule, as the sizes of the proposal say.
    /// @param hashOfReduced keccak256 of the points of the reduced rule.
    /// @param masks 96 bytes for each book.
    /// @return data Address of the contract.
    function create(
        RuleProposal calldata proposal,
        uint64 activeClock_,
        bytes calldata points,
        bytes32 hashOfReduced,
        bytes memory masks
    ) internal returns (address data) {
        bytes memory head = abi.encodePacked(
            proposal.books,
            proposal.initialChunks,
            proposal.maintenanceChunks,
            proposal.listVersion,
            activeClock_,
            proposal.snapshotHash,
            proposal.ruleDigest,
            proposal.slotsDigest,
            hashOfReduced
        );
        data = DataContract.create(bytes.concat(head, points, masks));
    }

    /// @notice Small numbers of an epoch.
    /// @param data Its data contract.
    /// @return The numbers.
    function facts(address data) internal view returns (Facts memory) {
        uint256 word = uint256(DataContract.readWord(data, DataContract.DATA_OFFSET));
        return Facts({
            books: uint8(word >> 248),
            initialChunks: uint8(word >> 240),
            maintenanceChunks: uint8(word >> 232),
            listVersion: uint32(word >> 200),
            activeClock: uint64(word >> 136)
        });
    }

    /// @notice Header of an epoch, but for what its data contract does not hold: number and times are 0.
    /// @param data Its data contract.
    /// @return header_ The header.
    function header(address data) internal view returns (EpochHeader memory header_) {
        Facts memory known = facts(data);
        header_.data = data;
        header_.listVersion = known.listVersion;
        header_.books = known.books;
        header_.initialChunks = known.initialChunks;
        header_.maintenanceChunks = known.maintenanceChunks;
        header_.snapshotHash = DataContract.readWord(data, SNAPSHOT_HASH);
        header_.ruleDigest = DataContract.readWord(data, RULE_DIGEST);
        header_.slotsDigest = DataContract.readWord(data, SLOTS_DIGEST);
    }

    /// @notice Hash of the points of an epoch's reduced rule.
    /// @param data Its data contract.
    /// @return keccak256 of them.
    function reducedHash(address data) internal view returns (bytes32) {
        return DataContract.readWord(data, REDUCED_HASH);
    }

    /// @notice Where the points of a rule are.
    /// @param data Data contract of the epoch.
    /// @param kind INITIAL or MAINTENANCE.
    /// @return location_ Where they are.
    function location(address data, RuleKind kind) internal view returns (RuleLocation memory location_) {
        uint256 word = uint256(DataContract.readWord(data, DataContract.DATA_OFFSET));
        // Sizes have 8 bits: nothing here can overflow.
        unchecked {
            uint256 books = word >> 248;
            uint256 chunks = uint8(word >> 240);
            uint256 ruleBytes = POINT_BYTES * books * chunks;
            location_.data = data;
            location_.offset = kind == RuleKind.INITIAL ? POINTS : POINTS + ruleBytes;
            // Both rules have as many chunks.
            location_.chunks = chunks;
            location_.maskOffset = POINTS + 2 * ruleBytes;
            location_.books = books;
        }
    }
}
