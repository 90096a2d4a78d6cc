// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EpochHeader, EpochTiming, RuleKind, RuleLocation, RuleProposal } from "../types/MarginRule.sol";
import { Shape } from "../types/Shape.sol";
import { IInstrumentRegistry } from "./IInstrumentRegistry.sol";
import { IMarginVerifier } from "./IMarginVerifier.sol";

/// @title Published margin rules, by epoch
/// @author The zkmargin contributors
/// @notice An epoch is an initial and a maintenance margin rule built from one market snapshot, and the rule between
/// them. A rule is a matrix; the registry accepts the commitment of a chunk of it only when the chain itself says that a
/// blob with this commitment was carried, or when the rows in calldata open it at a random point. Nobody can publish a
/// commitment whose data is not public. Twin: verifier/chain/registry_client.py.
/// @dev A transaction carries at most six blobs, so publishing is `stage` (as often as needed) and then `finalise`,
/// which may carry the last blobs itself. What is staged belongs to the digest of one whole proposal, on this chain and
/// this registry: parts of two proposals cannot mix. `finalise` announces the epoch; it is active after a delay.
///
/// An epoch's masks, the rows that no dead slot passes, are those of the list of instruments at its announcement.
///
/// Trust: the publishers of a quorum choose prices and scenarios together; everybody can recompute them from the blobs
/// and the snapshot. They cannot bind a rule to anything but its data, remove a book, leave out the mask, or go back in
/// time. Who they are and how many must agree is the owner's to say.
interface IRuleRegistry {
    /// @notice Blobs of a proposal were carried and found to be its chunks.
    /// @param proposalDigest Digest of the whole proposal.
    /// @param firstChunk Number of the first chunk that the transaction carried.
    /// @param count Number of chunks that it carried.
    event RuleChunksStaged(bytes32 indexed proposalDigest, uint256 firstChunk, uint256 count);

    /// @notice The rows of one chunk were posted in the calldata of this transaction and found to open its commitment.
    /// @param proposalDigest Digest of the whole proposal.
    /// @param chunk Number of the chunk.
    event RuleRowsStaged(bytes32 indexed proposalDigest, uint256 chunk);

    /// @notice An epoch was announced; it is active from `header.activeFrom` on.
    /// @param epoch Its number.
    /// @param proposalDigest Digest of the proposal, by which the transactions with its blobs or rows are found.
    /// @param header Sizes, times and digests.
    /// @param versionedHashes Versioned hashes of the chunks, initial rule first, book by book; the reduced rule has none.
    /// @param marks Marks of the instruments, in the publisher's format; their hash is in the proposal.
    /// @param indices Cumulative funding indices, in the publisher's format; their hash is in the proposal.
    event EpochPublished(
        uint32 indexed epoch,
        bytes32 indexed proposalDigest,
        EpochHeader header,
        bytes32[] versionedHashes,
        bytes marks,
        bytes indices
    );

    /// @notice The times break 24 ≤ activationDelay ≤ spacing < maximumAge or 60 ≤ spacing.
    /// @param timing The times.
    error RuleRegistryTimingInvalid(EpochTiming timing);

    /// @notice The list of instruments is made for another shape than the verifier.
    /// @param slotsPerBook Its slots a book.
    /// @param columns Columns of a book; four a slot.
    error RuleRegistrySlotsDoNotFit(uint256 slotsPerBook, uint256 columns);

    /// @notice A rule without books or without chunks says nothing about margin.
    /// @param books Books of the proposal.
    /// @param initialChunks Chunks of each book in the initial margin rule.
    /// @param maintenanceChunks Chunks of each book in the maintenance margin rule.
    error RuleRegistryEmptyRule(uint256 books, uint256 initialChunks, uint256 maintenanceChunks);

    /// @notice The rule between the two has no chunks to be checked against when they differ in number.
    /// @param initialChunks Chunks of each book in the initial margin rule.
    /// @param maintenanceChunks Chunks of each book in the maintenance margin rule.
    error RuleRegistryChunksDiffer(uint256 initialChunks, uint256 maintenanceChunks);

    /// @notice The rules have more books than the list of instruments has opened, or than a bitmap of books holds.
    /// @param books Books of the proposal.
    /// @param maximum Largest number.
    error RuleRegistryTooManyBooks(uint256 books, uint256 maximum);

    /// @notice The two rules have more chunks than one epoch can hold.
    /// @param chunks Chunks of the proposal.
    /// @param maximum Largest number.
    error RuleRegistryTooManyChunks(uint256 chunks, uint256 maximum);

    /// @notice Accounts may hold positions in a book that the proposal no longer covers.
    /// @param books Books of the proposal.
    /// @param required Books of the latest epoch.
    error RuleRegistryBookRemoved(uint256 books, uint256 required);

    /// @notice The proposal is for another epoch than the next.
    /// @param epoch Epoch of the proposal.
    /// @param next Epoch that can be published now.
    error RuleRegistryWrongEpoch(uint256 epoch, uint256 next);

    /// @notice The latest epoch was announced a moment ago: wait.
    /// @param blockTime Time of the block.
    /// @param earliest Time from which the next epoch may be announced.
    error RuleRegistryTooSoon(uint256 blockTime, uint256 earliest);

    /// @notice The snapshot is not younger than that of the latest epoch.
    /// @param snapshotTime Time of the proposal's snapshot.
    /// @param latestSnapshotTime Time of the latest epoch's snapshot.
    error RuleRegistrySnapshotNotNewer(uint256 snapshotTime, uint256 latestSnapshotTime);

    /// @notice The list of instruments has changed since the rules were built: slots might be alive and unpriced.
    /// @param given Version in the proposal.
    /// @param current Version of the list.
    error RuleRegistryListVersionWrong(uint256 given, uint256 current);

    /// @notice The snapshot lies in the future.
    /// @param snapshotTime Time of the proposal's snapshot.
    /// @param blockTime Time of the block.
    error RuleRegistrySnapshotInFuture(uint256 snapshotTime, uint256 blockTime);

    /// @notice The snapshot is older than the registry allows: publish a fresh one.
    /// @param epoch Epoch, or proposed epoch.
    /// @param snapshotTime Time of its snapshot.
    /// @param maximumAge Largest age in seconds.
    error RuleRegistryStaleEpoch(uint256 epoch, uint256 snapshotTime, uint256 maximumAge);

    /// @notice There are not as many hashes or points as the proposal has chunks; the reduced rule has points but no hashes.
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

    /// @notice The chunk lies beyond the proposal's last.
    /// @param chunk Chunk that the rows were said to be.
    /// @param chunks Chunks of the proposal.
    error RuleRegistryChunkBeyondProposal(uint256 chunk, uint256 chunks);

    /// @notice A commitment must be one point of 96 bytes.
    /// @param length Bytes given.
    error RuleRegistryCommitmentLengthWrong(uint256 length);

    /// @notice The commitment of posted rows is not the chunk that it was said to be.
    /// @param chunk Number of the chunk.
    /// @param expected Versioned hash of the chunk's commitment.
    /// @param given Versioned hash of the commitment given.
    error RuleRegistryCommitmentMismatch(uint256 chunk, bytes32 expected, bytes32 given);

    /// @notice The points are not those that the publishers signed.
    /// @param given Hash of the points given.
    /// @param expected Hash in the proposal.
    error RuleRegistryChunksMismatch(bytes32 given, bytes32 expected);

    /// @notice The reduced rule is not (3·maintenance + initial)/4.
    /// @param chunk Position of the chunk within each rule.
    error RuleRegistryReducedRuleWrong(uint256 chunk);

    /// @notice The marks are not those of the proposal.
    /// @param given Hash of the marks given.
    /// @param expected Hash in the proposal.
    error RuleRegistryMarksMismatch(bytes32 given, bytes32 expected);

    /// @notice The cumulative funding indices are not those of the proposal.
    /// @param given Hash of the indices given.
    /// @param expected Hash in the proposal.
    error RuleRegistryIndicesMismatch(bytes32 given, bytes32 expected);

    /// @notice No epoch is active yet.
    error RuleRegistryNoEpoch();

    /// @notice The epoch has been announced and is not active yet.
    /// @param epoch Number of the epoch.
    /// @param activeFrom Time from which it is active.
    error RuleRegistryEpochWaiting(uint256 epoch, uint256 activeFrom);

    /// @notice The epoch cannot be used for this rule: initial margin is proven at the active epoch, maintenance margin
    /// at the active one, or for a short time at the one before.
    /// @param epoch Epoch asked for.
    /// @param active Active epoch; 0 when there is none.
    /// @param kind Rule asked for.
    error RuleRegistryEpochNotUsable(uint256 epoch, uint256 active, RuleKind kind);

    /// @notice The epoch is not one of the three that the registry keeps.
    /// @param epoch Epoch asked for.
    /// @param latest Latest epoch; 0 when there is none.
    error RuleRegistryEpochNotKept(uint256 epoch, uint256 latest);

    /// @notice Of the reduced rule the registry keeps the hash alone: pass its points to `reducedRule`.
    error RuleRegistryReducedRuleNotKept();

    /// @notice Records that this transaction's blobs are chunks of a proposal.
    /// @dev Only publishers. Parts older than an hour are forgotten.
    /// @param proposal The whole proposal.
    /// @param versionedHashes Versioned hashes of all chunks of the initial and the maintenance rule, in this order, book
    /// by book.
    /// @param firstChunk Number of the chunk that the first blob of this transaction is; the others follow it.
    function stage(RuleProposal calldata proposal, bytes32[] calldata versionedHashes, uint256 firstChunk) external;

    /// @notice Records that the rows of one chunk are public, posted here, where a chain has no blobs.
    /// @dev Only publishers. The rows are evaluated at a point drawn from them and from the commitment, which must open
    /// there to the same value.
    /// @param proposal The whole proposal.
    /// @param versionedHashes The same as for `stage`.
    /// @param chunk Number of the chunk.
    /// @param commitment Its commitment, 96 bytes.
    /// @param rows Its rows, in the format of RowEvaluation.
    /// @param opening Proof of the commitment's value at the point; its length is the verifier's to say.
    function stageRows(
        RuleProposal calldata proposal,
        bytes32[] calldata versionedHashes,
        uint256 chunk,
        bytes calldata commitment,
        bytes calldata rows,
        bytes calldata opening
    ) external;

    /// @notice Announces the rules of a proposal as the next epoch.
    /// @dev Anyone, with the signatures of a quorum. Every chunk of the initial and the maintenance rule, or one with the
    /// same commitment, must have been staged within the hour or be carried by this transaction: equal chunks need one
    /// blob.
    /// @param proposal The whole proposal.
    /// @param points Commitments of all chunks, 96 bytes each: initial, maintenance, reduced rule, each book by book.
    /// @param marks Marks of the instruments.
    /// @param indices Cumulative funding indices.
    /// @param firstChunk Number of the chunk that the first blob of this transaction is; ignored when it carries none.
    /// @param signatures Signatures of `signingDigest(proposal)`, 65 bytes each, by publishers in ascending order.
    function finalise(
        RuleProposal calldata proposal,
        bytes calldata points,
        bytes calldata marks,
        bytes calldata indices,
        uint256 firstChunk,
        bytes[] calldata signatures
    ) external;

    /// @notice What publishers sign: the EIP-712 digest of a proposal on this chain and registry.
    /// @param proposal The proposal.
    /// @return Digest of it.
    function signingDigest(RuleProposal calldata proposal) external view returns (bytes32);

    /// @notice Digest that stands for a proposal and its chunks on this chain and registry.
    /// @param proposal The proposal.
    /// @param versionedHashes Versioned hashes of all its chunks.
    /// @return keccak256(abi.encode(signingDigest(proposal), versionedHashes)).
    function proposalDigest(RuleProposal calldata proposal, bytes32[] memory versionedHashes)
        external
        view
        returns (bytes32);

    /// @notice What has been staged of a proposal.
    /// @param digest Digest of the proposal and its chunks.
    /// @return stagedAt Time of the oldest part, 0 when there is none.
    /// @return chunks Bit i is set when chunk i has been staged.
    function staged(bytes32 digest) external view returns (uint256 stagedAt, uint256 chunks);

    /// @notice The active epoch; reverts by name when there is none or its snapshot is too old.
    /// @return Header of the epoch.
    function activeEpoch() external view returns (EpochHeader memory);

    /// @notice The epoch announced last, however old; it may still be waiting to become active.
    /// @return Header of the epoch; all zero when there is none.
    function latestEpoch() external view returns (EpochHeader memory);

    /// @notice Where the points of a rule are; reverts by name when the rule cannot be used now.
    /// @param epoch Number of the epoch.
    /// @param kind INITIAL or MAINTENANCE.
    /// @return Location of the points and of the masks.
    function usableRule(uint32 epoch, RuleKind kind) external view returns (RuleLocation memory);

    /// @notice The matrix of a statement at one of the three epochs announced last, whether usable or not.
    /// @param epoch Number of the epoch.
    /// @param kind INITIAL or MAINTENANCE.
    /// @param bitmap Books of the statement: bit b = book b.
    /// @return points For each book, ascending, the commitments of its G chunks and of its mask, 96 bytes each.
    function matrix(uint32 epoch, RuleKind kind, uint32 bitmap) external view returns (bytes memory points);

    /// @notice Whether points are the reduced rule of one of the three epochs announced last.
    /// @param epoch Number of the epoch.
    /// @param points Commitments of all its chunks, 96 bytes each, book by book.
    /// @return Whether they are.
    function reducedRule(uint32 epoch, bytes calldata points) external view returns (bool);

    /// @notice Seconds, ever, during which there was an active epoch whose snapshot was not too old. Deadlines run on this
    /// clock: it stands while publishers are silent.
    function activeClock() external view returns (uint64);

    /// @notice Largest age of a usable epoch's snapshot, in seconds.
    function maximumAge() external view returns (uint256);

    /// @notice Time from the announcement of an epoch until it is active, in seconds.
    function activationDelay() external view returns (uint256);

    /// @notice Least time from one announcement until the next, in seconds.
    function spacing() external view returns (uint256);

    /// @notice Verifier whose shape and key the rules are made for.
    function verifier() external view returns (IMarginVerifier);

    /// @notice List of instruments whose masks epochs take over.
    function instruments() external view returns (IInstrumentRegistry);

    /// @notice Verifying key of the margin argument that the rules are made for.
    function verifyingKey() external view returns (bytes32);

    /// @notice Shape of the margin argument that the rules are made for.
    function shape() external view returns (Shape memory);
}
