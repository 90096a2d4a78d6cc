// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The two margin rules of an epoch.
/// @dev INITIAL is asked of every action that takes risk, MAINTENANCE of an account that merely stays open.
enum RuleKind {
    INITIAL,
    MAINTENANCE
}

/// @notice What a publisher is about to publish, without the commitments themselves.
/// @dev A chunk is one commitment to D/R rows of one book's matrix and one blob. Chunks are ordered by kind, then by
/// book, then by position in the rule.
/// @param epoch Number that the epoch will get: one more than the active epoch's.
/// @param snapshotTime Unix time of the market snapshot, in seconds.
/// @param books Number of books B that the rules cover; at least 1, never fewer than before.
/// @param initialChunks Chunks G of each book in the initial margin rule; at least 1.
/// @param maintenanceChunks Chunks G of each book in the maintenance margin rule; at least 1.
/// @param snapshotHash Hash of the market snapshot that the rules were built from.
/// @param ruleDigest Digest of the rule file (scenarios, limits, charges).
/// @param slotsDigest Digest of the list of instrument slots.
/// @param marksHash keccak256 of the marks that `finalise` carries.
struct RuleProposal {
    uint32 epoch;
    uint32 snapshotTime;
    uint8 books;
    uint8 initialChunks;
    uint8 maintenanceChunks;
    bytes32 snapshotHash;
    bytes32 ruleDigest;
    bytes32 slotsDigest;
    bytes32 marksHash;
}

/// @notice What an epoch is.
/// @param data Contract whose code holds this header's digests, sizes and the matrix points of both rules.
/// @param epoch Number of the epoch; the first is 1.
/// @param snapshotTime Unix time of the market snapshot, in seconds: age counts from here.
/// @param publishedAt Unix time of the block that made the epoch active, in seconds.
/// @param books Number of books B.
/// @param initialChunks Chunks G of each book in the initial margin rule.
/// @param maintenanceChunks Chunks G of each book in the maintenance margin rule.
/// @param snapshotHash Hash of the market snapshot.
/// @param ruleDigest Digest of the rule file.
/// @param slotsDigest Digest of the list of instrument slots.
struct EpochHeader {
    address data;
    uint32 epoch;
    uint32 snapshotTime;
    uint32 publishedAt;
    uint8 books;
    uint8 initialChunks;
    uint8 maintenanceChunks;
    bytes32 snapshotHash;
    bytes32 ruleDigest;
    bytes32 slotsDigest;
}

/// @notice Where the matrix points of one rule are: bytes [offset, offset + length) of a contract's code.
/// @param data Contract whose code holds the points.
/// @param offset First byte.
/// @param length Number of bytes: 96·B·G.
/// @param books Number of books B.
struct RuleLocation {
    address data;
    uint256 offset;
    uint256 length;
    uint256 books;
}
