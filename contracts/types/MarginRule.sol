// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The margin rules of an epoch.
/// @dev INITIAL is asked of every action that takes risk, MAINTENANCE of an account that merely stays open, REDUCED,
/// (3·MAINTENANCE + INITIAL)/4 entry by entry, of trades of an account whose proof is due.
enum RuleKind {
    INITIAL,
    MAINTENANCE,
    REDUCED
}

/// @notice What publishers sign, by EIP-712, under the domain ("zkmargin RuleRegistry", "1", chain, registry).
/// @dev A chunk is one commitment to D/R rows of one book's matrix. Chunks are ordered by kind, then by book, then by
/// position in the rule.
/// @param epoch Number that the epoch will get: one more than the latest epoch's.
/// @param snapshotTime Unix time of the market snapshot, in seconds.
/// @param listVersion Version of the list of instruments that the rules price.
/// @param books Number of books B that the rules cover; 1 to 32, never fewer than before.
/// @param initialChunks Chunks G of each book in the initial margin rule; at least 1.
/// @param maintenanceChunks Chunks G of each book in the maintenance margin rule; as many.
/// @param snapshotHash Hash of the market snapshot that the rules were built from.
/// @param ruleDigest Digest of the rule file (scenarios, limits, charges).
/// @param slotsDigest Digest of the list of instrument slots.
/// @param chunksHash keccak256 of the commitments of all chunks, 96 bytes each: initial, maintenance, reduced rule.
/// @param marksHash keccak256 of the marks that `finalise` carries.
/// @param indicesHash keccak256 of the cumulative funding indices that `finalise` carries.
struct RuleProposal {
    uint32 epoch;
    uint32 snapshotTime;
    uint32 listVersion;
    uint8 books;
    uint8 initialChunks;
    uint8 maintenanceChunks;
    bytes32 snapshotHash;
    bytes32 ruleDigest;
    bytes32 slotsDigest;
    bytes32 chunksHash;
    bytes32 marksHash;
    bytes32 indicesHash;
}

/// @notice How epochs follow one another, in seconds.
/// @param maximumAge Largest age of a usable epoch's snapshot; above `spacing`.
/// @param activationDelay From the announcement of an epoch until it is active; at least 24, at most `spacing`.
/// @param spacing From one announcement until the next; at least 60.
struct EpochTiming {
    uint32 maximumAge;
    uint32 activationDelay;
    uint32 spacing;
}

/// @notice What an epoch is.
/// @param data Contract whose code holds this header's digests and sizes, the matrix points and the masks.
/// @param epoch Number of the epoch; the first is 1.
/// @param snapshotTime Unix time of the market snapshot, in seconds: age counts from here.
/// @param publishedAt Unix time of the block that announced the epoch, in seconds.
/// @param activeFrom Unix time from which the epoch is active, in seconds.
/// @param listVersion Version of the list of instruments that the rules price.
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
    uint32 activeFrom;
    uint32 listVersion;
    uint8 books;
    uint8 initialChunks;
    uint8 maintenanceChunks;
    bytes32 snapshotHash;
    bytes32 ruleDigest;
    bytes32 slotsDigest;
}

/// @notice Where the matrix points of one rule are in the code of a contract; RuleMatrix reads them.
/// @param data Contract whose code holds the points.
/// @param offset First byte of book 0's first chunk; the 96·G bytes of each further book follow.
/// @param chunks Chunks G of each book.
/// @param maskOffset First byte of book 0's mask; the 96 bytes of each further book follow.
/// @param books Number of books B.
struct RuleLocation {
    address data;
    uint256 offset;
    uint256 chunks;
    uint256 maskOffset;
    uint256 books;
}
