// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import { PublisherQuorum } from "./PublisherQuorum.sol";
import { IInstrumentRegistry } from "./interfaces/IInstrumentRegistry.sol";
import { IMarginVerifier } from "./interfaces/IMarginVerifier.sol";
import { IRuleRegistry } from "./interfaces/IRuleRegistry.sol";
import { Commitments } from "./libraries/Commitments.sol";
import { EpochData } from "./libraries/EpochData.sol";
import { ReducedRule } from "./libraries/ReducedRule.sol";
import { RowEvaluation } from "./libraries/RowEvaluation.sol";
import { RuleMatrix } from "./libraries/RuleMatrix.sol";
import { EpochHeader, EpochTiming, RuleKind, RuleLocation, RuleProposal } from "./types/MarginRule.sol";
import { Shape } from "./types/Shape.sol";

/// @title RuleRegistry
/// @author The zkmargin contributors
/// @notice Margin rules by epoch, published by a quorum and bound to their data; see IRuleRegistry. Twin:
/// verifier/chain/registry_client.py.
contract RuleRegistry is IRuleRegistry, PublisherQuorum, EIP712 {
    /// @notice Largest number of blobs of one transaction.
    uint256 public constant MAXIMUM_BLOBS = 6;

    /// @notice Largest number of books of one epoch: what a bitmap of books holds.
    uint256 public constant MAXIMUM_BOOKS = 32;

    /// @notice Largest number of chunks of one epoch: what the bitmap of staged chunks holds.
    uint256 public constant MAXIMUM_CHUNKS = 216;

    /// @notice Age in seconds beyond which a staged part is refused.
    uint256 public constant STAGING_LIFETIME = 1 hours;

    /// @notice Time in seconds for which the epoch before the active one still serves maintenance proofs.
    uint256 public constant SUPERSEDED_GRACE = 3 minutes;

    /// @notice Least time in seconds from the announcement of an epoch until it is active.
    uint256 public constant MINIMUM_ACTIVATION_DELAY = 24 seconds;

    /// @notice Least time in seconds from one announcement until the next.
    uint256 public constant MINIMUM_SPACING = 60 seconds;

    bytes32 private constant PROPOSAL_TYPEHASH = keccak256(
        "RuleProposal(uint32 epoch,uint32 snapshotTime,uint32 listVersion,uint8 books,uint8 initialChunks,uint8 maintenanceChunks,bytes32 snapshotHash,bytes32 ruleDigest,bytes32 slotsDigest,bytes32 chunksHash,bytes32 marksHash,bytes32 indicesHash)"
    );

    /// @dev What storage keeps of an epoch: one slot.
    struct EpochRecord {
        address data;
        uint32 epoch;
        uint32 snapshotTime;
        uint32 activeFrom;
    }

    /// @dev What storage keeps of a proposal: one slot.
    struct StagedParts {
        uint40 stagedAt;
        uint216 chunks;
    }

    /// @inheritdoc IRuleRegistry
    IMarginVerifier public immutable override verifier;
    /// @inheritdoc IRuleRegistry
    IInstrumentRegistry public immutable override instruments;
    /// @inheritdoc IRuleRegistry
    uint256 public immutable override maximumAge;
    /// @inheritdoc IRuleRegistry
    uint256 public immutable override activationDelay;
    /// @inheritdoc IRuleRegistry
    uint256 public immutable override spacing;
    /// @inheritdoc IRuleRegistry
    bytes32 public immutable override verifyingKey;

    uint256 private immutable _shapePowers;
    uint256 private immutable _shapeColumns;
    uint256 private immutable _shapeDigits;
    uint256 private immutable _shapeDigitBits;

    // The epochs announced last. `_latest` may still wait; since no announcement comes sooner than an activation, no other
    // does. Then `_before` is the active one and `_earlier` the one that it superseded; else `_latest` and `_before` are.
    EpochRecord private _latest;
    EpochRecord private _before;
    EpochRecord private _earlier;
    mapping(bytes32 digest => StagedParts parts) private _staged;

    /// @notice Creates a registry without epochs.
    /// @param verifier_ Verifier whose shape and key the rules are made for.
    /// @param instruments_ List of instruments, made for the same shape.
    /// @param owner_ Account that changes publishers.
    /// @param publishers_ The first publishers.
    /// @param threshold_ How many of them must agree.
    /// @param timing How epochs follow one another.
    constructor(
        IMarginVerifier verifier_,
        IInstrumentRegistry instruments_,
        address owner_,
        address[] memory publishers_,
        uint256 threshold_,
        EpochTiming memory timing
    ) PublisherQuorum(owner_, publishers_, threshold_) EIP712("zkmargin RuleRegistry", "1") {
        _checkTiming(timing);
        Shape memory verified = verifier_.shape();
        if (instruments_.slotsPerBook() * 4 != verified.columns) {
            revert RuleRegistrySlotsDoNotFit(instruments_.slotsPerBook(), verified.columns);
        }
        verifier = verifier_;
        instruments = instruments_;
        maximumAge = timing.maximumAge;
        activationDelay = timing.activationDelay;
        spacing = timing.spacing;
        verifyingKey = verifier_.verifyingKey();
        _shapePowers = verified.powers;
        _shapeColumns = verified.columns;
        _shapeDigits = verified.digits;
        _shapeDigitBits = verified.digitBits;
    }

    /// @inheritdoc IRuleRegistry
    function stage(RuleProposal calldata proposal, bytes32[] calldata versionedHashes, uint256 firstChunk)
        external
        override
        onlyPublisher
    {
        _checkSizes(proposal);
        _checkCount(versionedHashes.length, _chunkCount(proposal));
        _checkSnapshot(proposal);
        (uint256 carried, uint256 count) = _carriedChunks(versionedHashes, firstChunk);
        if (count == 0) {
            revert RuleRegistryNoBlobs();
        }
        bytes32 digest = _digest(proposal, versionedHashes);
        _mark(digest, carried);
        emit RuleChunksStaged(digest, firstChunk, count);
    }

    /// @inheritdoc IRuleRegistry
    function stageRows(
        RuleProposal calldata proposal,
        bytes32[] calldata versionedHashes,
        uint256 chunk,
        bytes calldata commitment,
        bytes calldata rows,
        bytes calldata opening
    ) external override onlyPublisher {
        _checkSizes(proposal);
        _checkCount(versionedHashes.length, _chunkCount(proposal));
        _checkSnapshot(proposal);
        bytes32 digest = _digest(proposal, versionedHashes);
        bytes32 expected = _hashOfChunk(versionedHashes, chunk);
        _checkCommitment(chunk, expected, commitment);
        RowEvaluation.requireRows(verifier, shape(), expected, commitment, rows, opening);
        _mark(digest, uint256(1) << chunk);
        emit RuleRowsStaged(digest, chunk);
    }

    /// @inheritdoc IRuleRegistry
    function finalise(
        RuleProposal calldata proposal,
        bytes calldata points,
        bytes calldata marks,
        bytes calldata indices,
        uint256 firstChunk,
        bytes[] calldata signatures
    ) external override {
        _checkSizes(proposal);
        _checkSnapshot(proposal);
        _checkNext(proposal);
        _checkContents(proposal, points, marks, indices);
        _checkSignatures(_signingDigest(proposal), signatures);
        bytes32[] memory versionedHashes = _checkPoints(proposal, points);
        bytes32 digest = _digest(proposal, versionedHashes);
        _completeChunks(digest, versionedHashes, firstChunk);
        _announce(proposal, points);
        _emitEpoch(digest, versionedHashes, marks, indices);
    }

    /// @inheritdoc IRuleRegistry
    function signingDigest(RuleProposal calldata proposal) external view override returns (bytes32) {
        return _signingDigest(proposal);
    }

    /// @inheritdoc IRuleRegistry
    function proposalDigest(RuleProposal calldata proposal, bytes32[] calldata versionedHashes)
        external
        view
        override
        returns (bytes32)
    {
        return _digest(proposal, versionedHashes);
    }

    /// @inheritdoc IRuleRegistry
    function staged(bytes32 digest) external view override returns (uint256 stagedAt, uint256 chunks) {
        StagedParts memory parts = _staged[digest];
        return (parts.stagedAt, parts.chunks);
    }

    /// @inheritdoc IRuleRegistry
    function activeEpoch() external view override returns (EpochHeader memory) {
        EpochRecord memory record = _active();
        if (record.epoch == 0) {
            revert RuleRegistryNoEpoch();
        }
        _requireFresh(record.epoch, record.snapshotTime);
        return _header(record);
    }

    /// @inheritdoc IRuleRegistry
    function latestEpoch() external view override returns (EpochHeader memory header) {
        EpochRecord memory record = _latest;
        if (record.epoch != 0) {
            header = _header(record);
        }
    }

    /// @inheritdoc IRuleRegistry
    function usableRule(uint32 epoch, RuleKind kind) external view override returns (RuleLocation memory) {
        _requireKept(kind);
        // The common case first: it costs one storage slot.
        (address data, uint32 latest, uint32 snapshotTime) = (_latest.data, _latest.epoch, _latest.snapshotTime);
        uint256 activeFrom = _latest.activeFrom;
        if (epoch != latest || epoch == 0) {
            (data, snapshotTime) = _superseded(epoch, kind, block.timestamp < activeFrom);
        } else if (block.timestamp < activeFrom) {
            revert RuleRegistryEpochWaiting(epoch, activeFrom);
        }
        _requireFresh(epoch, snapshotTime);
        return EpochData.location(data, kind);
    }

    /// @inheritdoc IRuleRegistry
    function matrix(uint32 epoch, RuleKind kind, uint32 bitmap) external view override returns (bytes memory points) {
        _requireKept(kind);
        return RuleMatrix.read(EpochData.location(_dataOf(epoch), kind), bitmap);
    }

    /// @inheritdoc IRuleRegistry
    function reducedRule(uint32 epoch, bytes calldata points) external view override returns (bool) {
        return keccak256(points) == EpochData.reducedHash(_dataOf(epoch));
    }

    /// @inheritdoc IRuleRegistry
    function activeClock() external view override returns (uint64) {
        return _clockAt(_active(), block.timestamp);
    }

    /// @inheritdoc IRuleRegistry
    function shape() public view override returns (Shape memory) {
        return Shape({ powers: _shapePowers, columns: _shapeColumns, digits: _shapeDigits, digitBits: _shapeDigitBits });
    }

    /// @dev Makes the proposal the latest epoch, with the masks of this moment.
    function _announce(RuleProposal calldata proposal, bytes calldata points) private {
        (uint256 version, bytes memory masks) = instruments.masks(proposal.books);
        if (version != proposal.listVersion) {
            revert RuleRegistryListVersionWrong(proposal.listVersion, version);
        }
        // No later epoch may have fewer books, and each book takes its share of the chunks: one epoch must not use them up.
        uint256 opened = instruments.books();
        if (proposal.books > opened) {
            revert RuleRegistryTooManyBooks(proposal.books, opened);
        }
        uint256 activeFrom = block.timestamp + activationDelay;
        uint256 dataBytes = _chunkCount(proposal) * Commitments.POINT_BYTES;
        EpochRecord memory previous = _latest;
        address data = EpochData.create(
            proposal, _clockAt(previous, activeFrom), points[:dataBytes], keccak256(points[dataBytes:]), masks
        );
        _earlier = _before;
        _before = previous;
        _latest = EpochRecord({
            data: data,
            epoch: proposal.epoch,
            snapshotTime: proposal.snapshotTime,
            activeFrom: SafeCast.toUint32(activeFrom)
        });
    }

    /// @dev Adds chunks to the staged parts of a proposal; parts that are too old go.
    function _mark(bytes32 digest, uint256 chunks) private {
        StagedParts memory parts = _staged[digest];
        if (parts.stagedAt == 0 || _expired(parts)) {
            parts = StagedParts({ stagedAt: uint40(block.timestamp), chunks: 0 });
        }
        // `chunks` has no bit beyond the chunk count, which _checkSizes bounds.
        parts.chunks |= uint216(chunks);
        _staged[digest] = parts;
    }

    /// @dev Reverts unless every chunk, or one equal to it, is carried by this transaction or was staged within the hour;
    /// forgets the parts.
    function _completeChunks(bytes32 digest, bytes32[] memory versionedHashes, uint256 firstChunk) private {
        StagedParts memory parts = _staged[digest];
        (uint256 carried,) = _carriedChunks(versionedHashes, firstChunk);
        uint256 missing = _missingChunks(versionedHashes, carried | parts.chunks);
        if (missing != 0) {
            revert RuleRegistryChunksMissing(digest, missing);
        }
        if (parts.chunks & ~carried != 0 && _expired(parts)) {
            revert RuleRegistryStagingExpired(digest, parts.stagedAt, STAGING_LIFETIME);
        }
        delete _staged[digest];
    }

    /// @dev Tells the chain about the latest epoch.
    function _emitEpoch(bytes32 digest, bytes32[] memory versionedHashes, bytes calldata marks, bytes calldata indices)
        private
    {
        EpochHeader memory header = _header(_latest);
        emit EpochPublished(header.epoch, digest, header, versionedHashes, marks, indices);
    }

    /// @dev Compares this transaction's blobs with the chunks from `firstChunk` on; gives a bitmap of these chunks.
    function _carriedChunks(bytes32[] memory versionedHashes, uint256 firstChunk)
        private
        view
        returns (uint256 carried, uint256 count)
    {
        while (blobhash(count) != 0) {
            ++count;
            if (count > MAXIMUM_BLOBS) {
                revert RuleRegistryTooManyBlobs(MAXIMUM_BLOBS);
            }
        }
        if (count != 0 && (firstChunk > versionedHashes.length || count > versionedHashes.length - firstChunk)) {
            revert RuleRegistryBlobsBeyondProposal(firstChunk, count, versionedHashes.length);
        }
        for (uint256 index = 0; index < count; ++index) {
            uint256 chunk = firstChunk + index;
            if (blobhash(index) != versionedHashes[chunk]) {
                revert RuleRegistryBlobMismatch(chunk, versionedHashes[chunk], blobhash(index));
            }
            carried |= uint256(1) << chunk;
        }
    }

    /// @dev Reverts unless the proposal's snapshot is of the past, and young enough.
    function _checkSnapshot(RuleProposal calldata proposal) private view {
        if (proposal.snapshotTime > block.timestamp) {
            revert RuleRegistrySnapshotInFuture(proposal.snapshotTime, block.timestamp);
        }
        _requireFresh(proposal.epoch, proposal.snapshotTime);
    }

    /// @dev Reverts unless the proposal may follow the latest epoch now.
    function _checkNext(RuleProposal calldata proposal) private view {
        EpochRecord memory latest = _latest;
        if (proposal.epoch != uint256(latest.epoch) + 1) {
            revert RuleRegistryWrongEpoch(proposal.epoch, uint256(latest.epoch) + 1);
        }
        if (latest.epoch == 0) {
            return;
        }
        uint256 earliest = latest.activeFrom - activationDelay + spacing;
        if (block.timestamp < earliest) {
            revert RuleRegistryTooSoon(block.timestamp, earliest);
        }
        if (proposal.snapshotTime <= latest.snapshotTime) {
            revert RuleRegistrySnapshotNotNewer(proposal.snapshotTime, latest.snapshotTime);
        }
        uint256 books = EpochData.facts(latest.data).books;
        if (proposal.books < books) {
            revert RuleRegistryBookRemoved(proposal.books, books);
        }
    }

    /// @dev Checks that the points fit the sizes, and the reduced rule; gives the versioned hashes of the other two.
    function _checkPoints(RuleProposal calldata proposal, bytes calldata points)
        private
        view
        returns (bytes32[] memory versionedHashes)
    {
        uint256 ruleBytes = uint256(proposal.books) * proposal.initialChunks * Commitments.POINT_BYTES;
        versionedHashes = Commitments.versionedHashes(points[:2 * ruleBytes]);
        uint256 wrong =
            ReducedRule.firstWrong(points[:ruleBytes], points[ruleBytes:2 * ruleBytes], points[2 * ruleBytes:]);
        if (wrong * Commitments.POINT_BYTES != ruleBytes) {
            revert RuleRegistryReducedRuleWrong(wrong);
        }
    }

    /// @dev Reverts when a snapshot is too old.
    function _requireFresh(uint256 epoch, uint256 snapshotTime) private view {
        if (block.timestamp > snapshotTime + maximumAge) {
            revert RuleRegistryStaleEpoch(epoch, snapshotTime, maximumAge);
        }
    }

    /// @dev Whether the oldest part was staged too long ago.
    function _expired(StagedParts memory parts) private view returns (bool) {
        return block.timestamp > parts.stagedAt + STAGING_LIFETIME;
    }

    /// @dev What publishers sign.
    function _signingDigest(RuleProposal calldata proposal) private view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(PROPOSAL_TYPEHASH, proposal)));
    }

    /// @dev Digest of a proposal and its chunks.
    function _digest(RuleProposal calldata proposal, bytes32[] memory versionedHashes) private view returns (bytes32) {
        return keccak256(abi.encode(_signingDigest(proposal), versionedHashes));
    }

    /// @dev Record of the active epoch; zero when there is none.
    function _active() private view returns (EpochRecord memory record) {
        record = _latest;
        if (block.timestamp < record.activeFrom) {
            record = _before;
        }
    }

    /// @dev Active clock at a time that is not before the epoch's activation, and at which no later epoch was active.
    function _clockAt(EpochRecord memory record, uint256 time) private view returns (uint64) {
        if (record.epoch == 0) {
            return 0;
        }
        uint256 end = Math.min(time, uint256(record.snapshotTime) + maximumAge);
        uint256 run = Math.saturatingSub(end, record.activeFrom);
        // The sum of seconds gone by since 1970 fits 64 bits.
        return uint64(EpochData.facts(record.data).activeClock + run);
    }

    /// @dev Header of an epoch, from its record and its data contract.
    function _header(EpochRecord memory record) private view returns (EpochHeader memory header) {
        header = EpochData.header(record.data);
        header.epoch = record.epoch;
        header.snapshotTime = record.snapshotTime;
        header.publishedAt = uint32(record.activeFrom - activationDelay);
        header.activeFrom = record.activeFrom;
    }

    /// @dev An epoch that is not the latest: the active one while the latest waits, or the one before the active one for as
    /// long as it serves maintenance proofs.
    function _superseded(uint32 epoch, RuleKind kind, bool latestWaits)
        private
        view
        returns (address data, uint32 snapshotTime)
    {
        EpochRecord memory active = latestWaits ? _before : _latest;
        if (active.epoch == 0) {
            revert RuleRegistryNoEpoch();
        }
        if (epoch == active.epoch) {
            return (active.data, active.snapshotTime);
        }
        EpochRecord memory previous = latestWaits ? _earlier : _before;
        bool serves = kind == RuleKind.MAINTENANCE && epoch != 0 && epoch == previous.epoch
            && block.timestamp <= active.activeFrom + SUPERSEDED_GRACE;
        if (!serves) {
            revert RuleRegistryEpochNotUsable(epoch, active.epoch, kind);
        }
        return (previous.data, previous.snapshotTime);
    }

    /// @dev Data contract of one of the epochs announced last.
    function _dataOf(uint32 epoch) private view returns (address) {
        EpochRecord memory record = _latest;
        uint256 latest = record.epoch;
        if (epoch != latest) {
            record = _before;
        }
        if (epoch != record.epoch) {
            record = _earlier;
        }
        if (epoch == 0 || epoch != record.epoch) {
            revert RuleRegistryEpochNotKept(epoch, latest);
        }
        return record.data;
    }

    /// @dev Reverts unless the commitment is the one that has this versioned hash.
    function _checkCommitment(uint256 chunk, bytes32 expected, bytes calldata commitment) private view {
        if (commitment.length != Commitments.POINT_BYTES) {
            revert RuleRegistryCommitmentLengthWrong(commitment.length);
        }
        bytes32 given = Commitments.versionedHashes(commitment)[0];
        if (given != expected) {
            revert RuleRegistryCommitmentMismatch(chunk, expected, given);
        }
    }

    /// @dev Reverts unless what is given is what was signed.
    function _checkContents(
        RuleProposal calldata proposal,
        bytes calldata points,
        bytes calldata marks,
        bytes calldata indices
    ) private pure {
        uint256 chunks = _chunkCount(proposal) / 2 * 3;
        if (points.length != chunks * Commitments.POINT_BYTES) {
            revert RuleRegistryChunkCountWrong(points.length / Commitments.POINT_BYTES, chunks);
        }
        if (keccak256(points) != proposal.chunksHash) {
            revert RuleRegistryChunksMismatch(keccak256(points), proposal.chunksHash);
        }
        if (keccak256(marks) != proposal.marksHash) {
            revert RuleRegistryMarksMismatch(keccak256(marks), proposal.marksHash);
        }
        if (keccak256(indices) != proposal.indicesHash) {
            revert RuleRegistryIndicesMismatch(keccak256(indices), proposal.indicesHash);
        }
    }

    /// @dev Versioned hash of one chunk of a proposal.
    function _hashOfChunk(bytes32[] calldata versionedHashes, uint256 chunk) private pure returns (bytes32) {
        if (chunk >= versionedHashes.length) {
            revert RuleRegistryChunkBeyondProposal(chunk, versionedHashes.length);
        }
        return versionedHashes[chunk];
    }

    /// @dev Reverts unless the proposal's sizes make sense.
    function _checkSizes(RuleProposal calldata proposal) private pure {
        if (proposal.books == 0 || proposal.initialChunks == 0 || proposal.maintenanceChunks == 0) {
            revert RuleRegistryEmptyRule(proposal.books, proposal.initialChunks, proposal.maintenanceChunks);
        }
        if (proposal.initialChunks != proposal.maintenanceChunks) {
            revert RuleRegistryChunksDiffer(proposal.initialChunks, proposal.maintenanceChunks);
        }
        if (proposal.books > MAXIMUM_BOOKS) {
            revert RuleRegistryTooManyBooks(proposal.books, MAXIMUM_BOOKS);
        }
        uint256 chunks = _chunkCount(proposal);
        if (chunks > MAXIMUM_CHUNKS) {
            revert RuleRegistryTooManyChunks(chunks, MAXIMUM_CHUNKS);
        }
    }

    /// @dev Reverts unless there are as many hashes as chunks.
    function _checkCount(uint256 given, uint256 chunks) private pure {
        if (given != chunks) {
            revert RuleRegistryChunkCountWrong(given, chunks);
        }
    }

    /// @dev Reverts for the rule of which only a hash is kept.
    function _requireKept(RuleKind kind) private pure {
        if (kind == RuleKind.REDUCED) {
            revert RuleRegistryReducedRuleNotKept();
        }
    }

    /// @dev Reverts unless epochs can follow one another like this.
    function _checkTiming(EpochTiming memory timing) private pure {
        bool holds = timing.activationDelay >= MINIMUM_ACTIVATION_DELAY && timing.spacing >= MINIMUM_SPACING
            && timing.activationDelay <= timing.spacing && timing.spacing < timing.maximumAge;
        if (!holds) {
            revert RuleRegistryTimingInvalid(timing);
        }
    }

    /// @dev Bitmap of the chunks that are neither present nor equal to one that is: one blob serves all equal chunks, such
    /// as the definition rows that both rules share.
    function _missingChunks(bytes32[] memory versionedHashes, uint256 present) private pure returns (uint256 missing) {
        for (uint256 chunk = 0; chunk < versionedHashes.length; ++chunk) {
            if (!_has(present, chunk) && !_hasEqual(versionedHashes, present, versionedHashes[chunk])) {
                missing |= uint256(1) << chunk;
            }
        }
    }

    /// @dev Whether a chunk that is present has this hash.
    function _hasEqual(bytes32[] memory versionedHashes, uint256 present, bytes32 wanted) private pure returns (bool) {
        for (uint256 chunk = 0; chunk < versionedHashes.length; ++chunk) {
            if (versionedHashes[chunk] == wanted && _has(present, chunk)) {
                return true;
            }
        }
        return false;
    }

    /// @dev Whether a bitmap has a chunk.
    function _has(uint256 chunks, uint256 chunk) private pure returns (bool) {
        return (chunks >> chunk) & 1 != 0;
    }

    /// @dev Chunks of the two rules that have data of their own.
    function _chunkCount(RuleProposal calldata proposal) private pure returns (uint256) {
        return uint256(proposal.books) * (uint256(proposal.initialChunks) + uint256(proposal.maintenanceChunks));
    }
}
