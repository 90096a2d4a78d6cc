// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EpochHeader, RuleKind, RuleLocation, RuleProposal } from "../types/MarginRule.sol";
import { Shape } from "../types/Shape.sol";

/// @title Published margin rules, by epoch
/// @author The zkmargin contributors
/// @notice An epoch is an initial and a maintenance margin rule built from one market snapshot. A rule is a matrix; its
/// chunks are published as EIP-4844 blobs, and the registry accepts the commitment of a chunk only when the chain
/// itself says that a blob with this commitment was carried. Nobody can publish a commitment whose data is not public.
/// Twin: verifier/chain/registry_client.py.
/// @dev A transaction carries at most six blobs, so publishing is `stage` (as often as needed) and then `finalise`,
/// which may carry the last blobs itself. What is staged belongs to the digest of one whole proposal, on this chain and
/// this registry: parts of two proposals cannot mix.
///
/// Trust: a publisher chooses prices and scenarios; everybody can recompute them from the blobs and the snapshot. A
/// publisher cannot bind a rule to anything but its blobs, remove a book, or go back in time.
interface IRuleRegistry {
    /// @notice Blobs of a proposal were carried and found to be its chunks.
    /// @param proposalDigest Digest of the whole proposal.
    /// @param firstChunk Number of the first chunk that the transaction carried.
    /// @param count Number of chunks that it carried.
    event RuleChunksStaged(bytes32 indexed proposalDigest, uint256 firstChunk, uint256 count);

    /// @notice An epoch became active.
    /// @param epoch Its number.
    /// @param proposalDigest Digest of the proposal, by which RuleChunksStaged names the transactions with its blobs.
    /// @param header Sizes, times and digests.
    /// @param versionedHashes Versioned hashes of the blobs, initial rule first, book by book.
    /// @param marks Marks of the instruments, in the publisher's format; their hash is in the proposal.
    event EpochPublished(
        uint32 indexed epoch, bytes32 indexed proposalDigest, EpochHeader header, bytes32[] versionedHashes, bytes marks
    );

    /// @notice The longest age of a snapshot must be a positive number of seconds.
    error RuleRegistryNoMaximumAge();

    /// @notice A rule without books or without chunks says nothing about margin.
    /// @param books Books of the proposal.
    /// @param initialChunks Chunks of each book in the initial margin rule.
    /// @param maintenanceChunks Chunks of each book in the maintenance margin rule.
    error RuleRegistryEmptyRule(uint256 books, uint256 initialChunks, uint256 maintenanceChunks);

    /// @notice The two rules have more chunks than one epoch can hold.
    /// @param chunks Chunks of the proposal.
    /// @param maximum Largest number.
    error RuleRegistryTooManyChunks(uint256 chunks, uint256 maximum);

    /// @notice Accounts may hold positions in a book that the proposal no longer covers.
    /// @param books Books of the proposal.
    /// @param required Books of the active epoch.
    error RuleRegistryBookRemoved(uint256 books, uint256 required);

    /// @notice The proposal is for another epoch than the next.
    /// @param epoch Epoch of the proposal.
    /// @param next Epoch that can be published now.
    error RuleRegistryWrongEpoch(uint256 epoch, uint256 next);

    /// @notice The snapshot is not younger than that of the active epoch.
    /// @param snapshotTime Time of the proposal's snapshot.
    /// @param activeSnapshotTime Time of the active epoch's snapshot.
    error RuleRegistrySnapshotNotNewer(uint256 snapshotTime, uint256 activeSnapshotTime);

    /// @notice The snapshot lies in the future.
    /// @param snapshotTime Time of the proposal's snapshot.
    /// @param blockTime Time of the block.
    error RuleRegistrySnapshotInFuture(uint256 snapshotTime, uint256 blockTime);

    /// @notice The snapshot is older than the registry allows: publish a fresh one.
    /// @param epoch Epoch, or proposed epoch.
    /// @param snapshotTime Time of its snapshot.
    /// @param maximumAge Largest age in seconds.
    error RuleRegistryStaleEpoch(uint256 epoch, uint256 snapshotTime, uint256 maximumAge);

    /// @notice There are not as many hashes or points as the proposal has chunks.
    /// @param given Number given (of points: number of bytes / 96, rounded down).
    /// @param chunks Chunks of the proposal.
    error RuleRegistryChunkCountWrong(uint256 given, uint256 chunks);

    /// @notice The transaction carries no blob.
    error RuleRegistryNoBlobs();

    /// @notice The transaction carries more blobs than one transaction may.
    /// @param maximum Largest number.
    error RuleRegistryTooManyBlobs(uint256 maximum);

    /// @notice The transaction carries blobs beyond the proposal's last chunk.
    /// @param firstChunk Chunk that the first blob was said to be.
    /// @param count Blobs carried.
    /// @param chunks Chunks of the proposal.
    error RuleRegistryBlobsBeyondProposal(uint256 firstChunk, uint256 count, uint256 chunks);

    /// @notice A blob is not the chunk that it was said to be.
    /// @param chunk Number of the chunk.
    /// @param expected Versioned hash of the chunk's commitment.
    /// @param carried Versioned hash of the blob.
    error RuleRegistryBlobMismatch(uint256 chunk, bytes32 expected, bytes32 carried);

    /// @notice Chunks of the proposal have neither been staged nor carried.
    /// @param proposalDigest Digest of the proposal.
    /// @param missing Bit i is set when chunk i is missing.
    error RuleRegistryChunksMissing(bytes32 proposalDigest, uint256 missing);

    /// @notice A part was staged so long ago that blobs might soon be gone: stage the proposal again.
    /// @param proposalDigest Digest of the proposal.
    /// @param stagedAt Time of its oldest part.
    /// @param maximumAge Largest age in seconds.
    error RuleRegistryStagingExpired(bytes32 proposalDigest, uint256 stagedAt, uint256 maximumAge);

    /// @notice The marks are not those of the proposal.
    /// @param given Hash of the marks given.
    /// @param expected Hash in the proposal.
    error RuleRegistryMarksMismatch(bytes32 given, bytes32 expected);

    /// @notice No epoch has been published yet.
    error RuleRegistryNoEpoch();

    /// @notice The epoch cannot be used for this rule: initial margin is proven at the active epoch, maintenance margin
    /// at the active one, or for a short time at the one before.
    /// @param epoch Epoch asked for.
    /// @param active Active epoch.
    /// @param kind Rule asked for.
    error RuleRegistryEpochNotUsable(uint256 epoch, uint256 active, RuleKind kind);

    /// @notice Records that this transaction's blobs are chunks of a proposal.
    /// @dev Only publishers. Parts older than an hour are forgotten.
    /// @param proposal The whole proposal.
    /// @param versionedHashes Versioned hashes of all chunks of the proposal, initial rule first, book by book.
    /// @param firstChunk Number of the chunk that the first blob of this transaction is; the others follow it.
    function stage(RuleProposal calldata proposal, bytes32[] calldata versionedHashes, uint256 firstChunk) external;

    /// @notice Makes both rules of a proposal usable as the next epoch.
    /// @dev Only publishers. Every chunk, or one with the same commitment, must have been staged within the hour or be
    /// carried by this transaction: equal chunks need one blob.
    /// @param proposal The whole proposal.
    /// @param points Commitments of all chunks, 96 bytes each, initial rule first, book by book.
    /// @param marks Marks of the instruments.
    /// @param firstChunk Number of the chunk that the first blob of this transaction is; ignored when it carries none.
    function finalise(RuleProposal calldata proposal, bytes calldata points, bytes calldata marks, uint256 firstChunk)
        external;

    /// @notice Digest that stands for a proposal on this chain and registry.
    /// @param proposal The proposal.
    /// @param versionedHashes Versioned hashes of all its chunks.
    /// @return Digest of all of it.
    function proposalDigest(RuleProposal calldata proposal, bytes32[] memory versionedHashes)
        external
        view
        returns (bytes32);

    /// @notice What has been staged of a proposal.
    /// @param digest Digest of the proposal.
    /// @return stagedAt Time of the oldest part, 0 when there is none.
    /// @return chunks Bit i is set when chunk i has been staged.
    function staged(bytes32 digest) external view returns (uint256 stagedAt, uint256 chunks);

    /// @notice The active epoch; reverts by name when there is none or its snapshot is too old.
    /// @return Header of the epoch.
    function activeEpoch() external view returns (EpochHeader memory);

    /// @notice The epoch published last, however old.
    /// @return Header of the epoch; all zero when there is none.
    function latestEpoch() external view returns (EpochHeader memory);

    /// @notice Where the points of a rule are; reverts by name when the rule cannot be used now.
    /// @param epoch Number of the epoch.
    /// @param kind Which of its rules.
    /// @return Location of the points and number of books.
    function usableRule(uint32 epoch, RuleKind kind) external view returns (RuleLocation memory);

    /// @notice The points of a rule of the active epoch or the one before, however old.
    /// @param epoch Number of the epoch.
    /// @param kind Which of its rules.
    /// @return points Commitments of the chunks, 96 bytes each, book by book.
    function matrix(uint32 epoch, RuleKind kind) external view returns (bytes memory points);

    /// @notice Largest age of a usable epoch's snapshot, in seconds.
    function maximumAge() external view returns (uint256);

    /// @notice Verifying key of the margin argument that the rules are made for.
    function verifyingKey() external view returns (bytes32);

    /// @notice Shape of the margin argument that the rules are made for.
    function shape() external view returns (Shape memory);
}
