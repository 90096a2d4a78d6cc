// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccessControl } from "@openzeppelin/contracts/access/AccessControl.sol";

import { IMarginVerifier } from "./interfaces/IMarginVerifier.sol";
import { IRuleRegistry } from "./interfaces/IRuleRegistry.sol";
import { Commitments } from "./libraries/Commitments.sol";
import { DataContract } from "./libraries/DataContract.sol";
import { EpochHeader, RuleKind, RuleLocation, RuleProposal } from "./types/MarginRule.sol";
import { Shape } from "./types/Shape.sol";

/// @title RuleRegistry
/// @author The zkmargin contributors
/// @notice Published margin rules by epoch, bound to their blobs; see IRuleRegistry. Twin: verifier/chain/registry_client.py.
contract RuleRegistry is IRuleRegistry, AccessControl {
    /// @notice Who may publish.
    bytes32 public constant PUBLISHER_ROLE = keccak256("PUBLISHER_ROLE");

    /// @notice Largest number of blobs of one transaction.
    uint256 public constant MAXIMUM_BLOBS = 6;

    /// @notice Largest number of chunks of one epoch: what the bitmap of staged chunks holds.
    uint256 public constant MAXIMUM_CHUNKS = 216;

    /// @notice Age in seconds beyond which a staged part is refused.
    uint256 public constant STAGING_LIFETIME = 1 hours;

    /// @notice Time in seconds for which the epoch before the active one still serves maintenance proofs.
    uint256 public constant SUPERSEDED_GRACE = 3 minutes;

    // Layout of an epoch's data contract: sizes (3 bytes), three digests, points of both rules.
    uint256 private constant SIZES_BYTES = 3;
    uint256 private constant DIGESTS_BYTES = 96;
    uint256 private constant POINTS_OFFSET = DataContract.DATA_OFFSET + SIZES_BYTES + DIGESTS_BYTES;

    /// @dev What storage keeps of an epoch: one slot.
    struct EpochRecord {
        address data;
        uint32 epoch;
        uint32 snapshotTime;
        uint32 publishedAt;
    }

    /// @dev What storage keeps of a proposal: one slot.
    struct StagedParts {
        uint40 stagedAt;
        uint216 chunks;
    }

    /// @inheritdoc IRuleRegistry
    uint256 public immutable override maximumAge;
    /// @inheritdoc IRuleRegistry
    bytes32 public immutable override verifyingKey;

    uint256 private immutable _shapePowers;
    uint256 private immutable _shapeColumns;
    uint256 private immutable _shapeDigits;
    uint256 private immutable _shapeDigitBits;

    EpochRecord private _active;
    EpochRecord private _previous;
    mapping(bytes32 digest => StagedParts parts) private _staged;

    /// @notice Creates a registry without epochs.
    /// @param verifier Verifier whose shape and key the rules are made for.
    /// @param administrator Account that appoints publishers.
    /// @param maximumAge_ Largest age of a usable epoch's snapshot, in seconds.
    constructor(IMarginVerifier verifier, address administrator, uint256 maximumAge_) {
        if (maximumAge_ == 0) {
            revert RuleRegistryNoMaximumAge();
        }
        Shape memory verified = verifier.shape();
        _shapePowers = verified.powers;
        _shapeColumns = verified.columns;
        _shapeDigits = verified.digits;
        _shapeDigitBits = verified.digitBits;
        verifyingKey = verifier.verifyingKey();
        maximumAge = maximumAge_;
        _grantRole(DEFAULT_ADMIN_ROLE, administrator);
    }

    /// @inheritdoc IRuleRegistry
    function stage(RuleProposal calldata proposal, bytes32[] calldata versionedHashes, uint256 firstChunk)
        external
        override
        onlyRole(PUBLISHER_ROLE)
    {
        _checkProposal(proposal, versionedHashes.length);
        bytes32 digest = _digest(proposal, versionedHashes);
        (uint256 carried, uint256 count) = _carriedChunks(versionedHashes, firstChunk);
        if (count == 0) {
            revert RuleRegistryNoBlobs();
        }
        StagedParts memory parts = _staged[digest];
        if (parts.stagedAt == 0 || _expired(parts)) {
            parts = StagedParts({ stagedAt: uint40(block.timestamp), chunks: 0 });
        }
        // `carried` has no bit beyond the chunk count, which _checkProposal bounds.
        parts.chunks |= uint216(carried);
        _staged[digest] = parts;
        emit RuleChunksStaged(digest, firstChunk, count);
    }

    /// @inheritdoc IRuleRegistry
    function finalise(RuleProposal calldata proposal, bytes calldata points, bytes calldata marks, uint256 firstChunk)
        external
        override
        onlyRole(PUBLISHER_ROLE)
    {
        if (points.length % Commitments.POINT_BYTES != 0) {
            revert RuleRegistryChunkCountWrong(points.length / Commitments.POINT_BYTES, _chunkCount(proposal));
        }
        _checkProposal(proposal, points.length / Commitments.POINT_BYTES);
        _checkNext(proposal);
        bytes32 marksHash = keccak256(marks);
        if (marksHash != proposal.marksHash) {
            revert RuleRegistryMarksMismatch(marksHash, proposal.marksHash);
        }
        bytes32[] memory versionedHashes = Commitments.versionedHashes(points);
        bytes32 digest = _digest(proposal, versionedHashes);
        _completeChunks(digest, versionedHashes, firstChunk);
        _activate(proposal, points);
        emit EpochPublished(proposal.epoch, digest, _header(_active), versionedHashes, marks);
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
        EpochRecord memory record = _active;
        if (record.epoch == 0) {
            revert RuleRegistryNoEpoch();
        }
        _requireFresh(record.epoch, record.snapshotTime);
        return _header(record);
    }

    /// @inheritdoc IRuleRegistry
    function latestEpoch() external view override returns (EpochHeader memory header) {
        EpochRecord memory record = _active;
        if (record.epoch != 0) {
            header = _header(record);
        }
    }

    /// @inheritdoc IRuleRegistry
    function usableRule(uint32 epoch, RuleKind kind) external view override returns (RuleLocation memory) {
        // The common case first: it costs one storage slot.
        (address data, uint32 active, uint32 snapshotTime) = (_active.data, _active.epoch, _active.snapshotTime);
        if (epoch != active || epoch == 0) {
            (data, snapshotTime) = _graced(epoch, kind);
        }
        _requireFresh(epoch, snapshotTime);
        return _location(data, kind);
    }

    /// @inheritdoc IRuleRegistry
    function matrix(uint32 epoch, RuleKind kind) external view override returns (bytes memory points) {
        EpochRecord memory record = _active;
        uint256 active = record.epoch;
        if (active != epoch) {
            record = _previous;
        }
        if (epoch == 0 || record.epoch != epoch) {
            revert RuleRegistryEpochNotUsable(epoch, active, kind);
        }
        RuleLocation memory location = _location(record.data, kind);
        return DataContract.read(location.data, location.offset, location.length);
    }

    /// @inheritdoc IRuleRegistry
    function shape() external view override returns (Shape memory) {
        return Shape({ powers: _shapePowers, columns: _shapeColumns, digits: _shapeDigits, digitBits: _shapeDigitBits });
    }

    /// @dev Makes the proposal the active epoch.
    function _activate(RuleProposal calldata proposal, bytes calldata points) private {
        bytes memory content = abi.encodePacked(
            proposal.books,
            proposal.initialChunks,
            proposal.maintenanceChunks,
            proposal.snapshotHash,
            proposal.ruleDigest,
            proposal.slotsDigest,
            points
        );
        _previous = _active;
        _active = EpochRecord({
            data: DataContract.create(content),
            epoch: proposal.epoch,
            snapshotTime: proposal.snapshotTime,
            publishedAt: uint32(block.timestamp)
        });
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

    /// @dev Reverts unless the proposal's sizes make sense and fit the number of chunks given.
    function _checkProposal(RuleProposal calldata proposal, uint256 given) private view {
        if (proposal.books == 0 || proposal.initialChunks == 0 || proposal.maintenanceChunks == 0) {
            revert RuleRegistryEmptyRule(proposal.books, proposal.initialChunks, proposal.maintenanceChunks);
        }
        uint256 chunks = _chunkCount(proposal);
        if (chunks > MAXIMUM_CHUNKS) {
            revert RuleRegistryTooManyChunks(chunks, MAXIMUM_CHUNKS);
        }
        if (given != chunks) {
            revert RuleRegistryChunkCountWrong(given, chunks);
        }
        if (proposal.snapshotTime > block.timestamp) {
            revert RuleRegistrySnapshotInFuture(proposal.snapshotTime, block.timestamp);
        }
        _requireFresh(proposal.epoch, proposal.snapshotTime);
    }

    /// @dev Reverts unless the proposal may follow the active epoch.
    function _checkNext(RuleProposal calldata proposal) private view {
        EpochRecord memory active = _active;
        if (proposal.epoch != uint256(active.epoch) + 1) {
            revert RuleRegistryWrongEpoch(proposal.epoch, uint256(active.epoch) + 1);
        }
        if (active.epoch != 0) {
            if (proposal.snapshotTime <= active.snapshotTime) {
                revert RuleRegistrySnapshotNotNewer(proposal.snapshotTime, active.snapshotTime);
            }
            (uint256 books,,) = _sizes(active.data);
            if (proposal.books < books) {
                revert RuleRegistryBookRemoved(proposal.books, books);
            }
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

    /// @dev Digest of a whole proposal.
    function _digest(RuleProposal calldata proposal, bytes32[] memory versionedHashes) private view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), proposal, versionedHashes));
    }

    /// @dev Header of an epoch, from its record and its data contract.
    function _header(EpochRecord memory record) private view returns (EpochHeader memory header) {
        (uint256 books, uint256 initialChunks, uint256 maintenanceChunks) = _sizes(record.data);
        uint256 digests = DataContract.DATA_OFFSET + SIZES_BYTES;
        header = EpochHeader({
            data: record.data,
            epoch: record.epoch,
            snapshotTime: record.snapshotTime,
            publishedAt: record.publishedAt,
            books: uint8(books),
            initialChunks: uint8(initialChunks),
            maintenanceChunks: uint8(maintenanceChunks),
            snapshotHash: DataContract.readWord(record.data, digests),
            ruleDigest: DataContract.readWord(record.data, digests + 32),
            slotsDigest: DataContract.readWord(record.data, digests + 64)
        });
    }

    /// @dev The epoch before the active one, as long as it serves maintenance proofs.
    function _graced(uint32 epoch, RuleKind kind) private view returns (address data, uint32 snapshotTime) {
        (uint32 active, uint32 publishedAt) = (_active.epoch, _active.publishedAt);
        if (active == 0) {
            revert RuleRegistryNoEpoch();
        }
        EpochRecord memory previous = _previous;
        bool serves = kind == RuleKind.MAINTENANCE && epoch != 0 && epoch == previous.epoch
            && block.timestamp <= publishedAt + SUPERSEDED_GRACE;
        if (!serves) {
            revert RuleRegistryEpochNotUsable(epoch, active, kind);
        }
        return (previous.data, previous.snapshotTime);
    }

    /// @dev Where the points of a rule are in an epoch's data contract.
    function _location(address data, RuleKind kind) private view returns (RuleLocation memory location) {
        (uint256 books, uint256 initialChunks, uint256 maintenanceChunks) = _sizes(data);
        location.data = data;
        location.books = books;
        // Sizes have 8 bits: nothing here can overflow.
        unchecked {
            uint256 initialBytes = Commitments.POINT_BYTES * books * initialChunks;
            if (kind == RuleKind.INITIAL) {
                location.offset = POINTS_OFFSET;
                location.length = initialBytes;
            } else {
                location.offset = POINTS_OFFSET + initialBytes;
                location.length = Commitments.POINT_BYTES * books * maintenanceChunks;
            }
        }
    }

    /// @dev B and both G of an epoch.
    function _sizes(address data)
        private
        view
        returns (uint256 books, uint256 initialChunks, uint256 maintenanceChunks)
    {
        uint256 word = uint256(DataContract.readWord(data, DataContract.DATA_OFFSET));
        return (word >> 248, uint8(word >> 240), uint8(word >> 232));
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

    /// @dev Chunks of both rules.
    function _chunkCount(RuleProposal calldata proposal) private pure returns (uint256) {
        return uint256(proposal.books) * (uint256(proposal.initialChunks) + uint256(proposal.maintenanceChunks));
    }
}
