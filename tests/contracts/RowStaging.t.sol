// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMarginVerifier } from "../../contracts/interfaces/IMarginVerifier.sol";
import { IRuleRegistry } from "../../contracts/interfaces/IRuleRegistry.sol";
import { Bls12381 } from "../../contracts/libraries/Bls12381.sol";
import { Commitments } from "../../contracts/libraries/Commitments.sol";
import { RowEvaluation } from "../../contracts/libraries/RowEvaluation.sol";
import { ONE, Scalar, ScalarField, ZERO } from "../../contracts/libraries/ScalarField.sol";
import { RuleKind, RuleProposal } from "../../contracts/types/MarginRule.sol";
import { KnownSetup } from "./KnownSetup.sol";
import { RegistryFixture } from "./RegistryFixture.sol";
import { vm } from "./Vm.sol";

/// @title Publishing without blobs: rows in calldata, held against their commitment
/// @dev One book, one chunk of four rows for each rule. Commitments and openings are those of the known setup.
contract RowStagingTest is RegistryFixture {
    uint256 private constant COLUMNS = 16;
    uint256 private constant ROWS = 4;

    /// @dev A chunk: what is posted, its commitment and the opening at the challenge.
    struct Posted {
        bytes rows;
        bytes commitment;
        bytes opening;
    }

    int64[16][4] private _initialRows;
    int64[16][4] private _maintenanceRows;
    Posted private _initial;
    Posted private _maintenance;
    RuleProposal private _signed;
    bytes private _all;
    bytes32[] private _hashes;

    function setUp() public override {
        super.setUp();
        _initialRows[0][0] = 7;
        _initialRows[0][15] = -3;
        _initialRows[2][4] = 1 << 40;
        _initialRows[3][9] = -(1 << 61);
        _maintenanceRows[0][0] = 3;
        _maintenanceRows[1][8] = -8;
        _initial = _post(_initialRows);
        _maintenance = _post(_maintenanceRows);
        (_signed, _all) = _exampleOf(bytes.concat(_initial.commitment, _maintenance.commitment));
        _hashes = _hashesOf(_all);
    }

    function testPublishesWithoutBlobs() public {
        bytes32 digest = _registry.proposalDigest(_signed, _hashes);
        vm.expectEmit();
        emit IRuleRegistry.RuleRowsStaged(digest, 0);
        _stageRows(0, _initial);
        _stageRows(1, _maintenance);
        (uint256 stagedAt, uint256 chunks) = _registry.staged(digest);
        _expect("staged at", stagedAt, START);
        _expect("chunks", chunks, 3);
        // Where no blob comes along, none is the first.
        _finalise(_signed, _all, type(uint256).max);
        bytes memory expected = bytes.concat(_maintenance.commitment, _maskOf(2));
        _expect("points", _registry.matrix(1, RuleKind.MAINTENANCE, 1), expected);
    }

    function testBlobsAndRowsMix() public {
        _carry(_hashes, 0, 1);
        _stage(_signed, _hashes, 0);
        vm.blobhashes(new bytes32[](0));
        _expectRefusal(_signed, _all, 0, _missing(2));
        _stageRows(1, _maintenance);
        _finalise(_signed, _all, 0);
        _expect("epoch", _registry.latestEpoch().epoch, 1);
    }

    /// @dev The untouched chunk: no rows, committed by infinity.
    function testAnEmptyChunkNeedsNoRows() public {
        int64[16][4] memory empty;
        Posted memory nothing = _post(empty);
        _expect("commitment", nothing.commitment, new bytes(96));
        nothing.rows = "";
        (_signed, _all) = _exampleOf(bytes.concat(nothing.commitment, _maintenance.commitment));
        _hashes = _hashesOf(_all);
        _stageRows(0, nothing);
        _stageRows(1, _maintenance);
        _finalise(_signed, _all, 0);
        _expect("epoch", _registry.latestEpoch().epoch, 1);
    }

    /// @dev Staged rows belong to one proposal, as blobs do.
    function testRowsOfTwoProposalsCannotMix() public {
        _stageRows(0, _initial);
        _signed.ruleDigest = keccak256("another rule");
        _stageRows(1, _maintenance);
        _expectRefusal(_signed, _all, 0, _missing(1));
    }

    function testPartsAgeAlsoWithRows() public {
        _stageRows(0, _initial);
        vm.warp(START + 1 hours);
        _stageRows(1, _maintenance);
        _finalise(_signed, _all, 0);
        _expect("epoch", _registry.latestEpoch().epoch, 1);
    }

    function testRefusesRowsThatDifferInOneEntry() public {
        ++_initialRows[0][15];
        _initial.rows = _encode(_initialRows);
        _expectRejected(0, _initial);
    }

    function testRefusesAMissingEntry() public {
        _initialRows[2][4] = 0;
        _initial.rows = _encode(_initialRows);
        _expectRejected(0, _initial);
    }

    /// @dev Even an opening that is right at the challenge of the other rows does not help.
    function testRefusesRowsOfAnotherCommitment() public {
        Posted memory forged = _post(_maintenanceRows);
        forged.commitment = _initial.commitment;
        _expectRejected(0, forged);
    }

    function testRefusesAnotherOpening() public {
        _initial.opening = _maintenance.opening;
        _expectRejected(0, _initial);
    }

    function testRefusesTrailingRows() public {
        _initial.rows = bytes.concat(_initial.rows, hex"0000");
        vm.expectPartialRevert(RowEvaluation.RowEvaluationTooManyRows.selector);
        _stageRows(0, _initial);
    }

    function testNamesRowsThatAreNotWellFormed() public {
        _initial.rows = hex"0001";
        vm.expectRevert(abi.encodeWithSelector(RowEvaluation.RowEvaluationTruncated.selector, 0, 2, 12));
        _stageRows(0, _initial);
        _initial.rows = abi.encodePacked(uint16(2), uint16(3), int64(1), uint16(3), int64(1));
        vm.expectRevert(abi.encodeWithSelector(RowEvaluation.RowEvaluationColumnsNotAscending.selector, 0, 3));
        _stageRows(0, _initial);
        _initial.rows = abi.encodePacked(uint16(0), uint16(1), uint16(16), int64(1));
        vm.expectRevert(abi.encodeWithSelector(RowEvaluation.RowEvaluationNoSuchColumn.selector, 1, 16, 16));
        _stageRows(0, _initial);
    }

    function testNamesOpeningsThatAreNoPoint() public {
        _initial.opening = new bytes(95);
        vm.expectRevert(abi.encodeWithSelector(IMarginVerifier.MarginVerifierOpeningLength.selector, 95, 96));
        _stageRows(0, _initial);
        // Of order 3: on the curve, outside the subgroup.
        _initial.opening = new bytes(96);
        _initial.opening[95] = 0x02;
        vm.expectRevert(abi.encodeWithSelector(Bls12381.Bls12381InvalidPoint.selector, _initial.opening));
        _stageRows(0, _initial);
    }

    function testRefusesAnotherCommitmentThanTheChunks() public {
        bytes4 selector = IRuleRegistry.RuleRegistryCommitmentMismatch.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, 1, _hashes[1], _hashes[0]));
        _stageRows(1, _initial);
    }

    function testRefusesACommitmentThatIsNoPoint() public {
        bytes memory commitment = _initial.commitment;
        _initial.commitment = bytes.concat(commitment, hex"00");
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryCommitmentLengthWrong.selector, 97));
        _stageRows(0, _initial);
        commitment[95] = bytes1(uint8(commitment[95]) ^ 1);
        _initial.commitment = commitment;
        vm.expectRevert(abi.encodeWithSelector(Bls12381.Bls12381PrecompileFailed.selector, 0x0b, 0));
        _stageRows(0, _initial);
    }

    function testRefusesAChunkBeyondTheProposal() public {
        bytes4 selector = IRuleRegistry.RuleRegistryChunkBeyondProposal.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, 2, 2));
        _stageRows(2, _initial);
        vm.expectRevert(abi.encodeWithSelector(selector, type(uint256).max, 2));
        _stageRows(type(uint256).max, _initial);
    }

    function testRefusesSnapshotsOfTheWrongTime() public {
        vm.warp(START - 1);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistrySnapshotInFuture.selector, START, START - 1));
        _stageRows(0, _initial);
        vm.warp(START + MAXIMUM_AGE + 1);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryStaleEpoch.selector, 1, START, MAXIMUM_AGE));
        _stageRows(0, _initial);
    }

    function _stageRows(uint256 chunk, Posted memory posted) private {
        vm.prank(_publisher(0));
        _registry.stageRows(_signed, _hashes, chunk, posted.commitment, posted.rows, posted.opening);
    }

    function _expectRejected(uint256 chunk, Posted memory posted) private {
        vm.expectRevert(abi.encodeWithSelector(IMarginVerifier.MarginVerifierRejected.selector));
        _stageRows(chunk, posted);
    }

    function _missing(uint256 chunks) private view returns (bytes memory) {
        bytes32 digest = _registry.proposalDigest(_signed, _hashes);
        return abi.encodeWithSelector(IRuleRegistry.RuleRegistryChunksMissing.selector, digest, chunks);
    }

    /// @dev What an honest publisher posts for these rows: commitment [M(τ)], opening [(M(τ) − M(z))/(τ − z)].
    function _post(int64[16][4] memory matrix) private view returns (Posted memory posted) {
        posted.rows = _encode(matrix);
        Scalar atSecret = _evaluate(matrix, KnownSetup.INSECURE_TAU);
        posted.commitment = KnownSetup.point(atSecret);
        bytes32 hash = Commitments.versionedHashes(posted.commitment)[0];
        bytes32 drawn = keccak256(abi.encodePacked("zkmargin-posted-rows-v1", hash, keccak256(posted.rows)));
        Scalar z = ScalarField.reduce(uint256(drawn));
        Scalar quotient = (atSecret - _evaluate(matrix, z)) * (KnownSetup.INSECURE_TAU - z).inverse();
        posted.opening = KnownSetup.point(quotient);
    }

    /// @dev Rows as they are posted: counts, columns and values of entries that are not zero.
    function _encode(int64[16][4] memory matrix) private pure returns (bytes memory rows) {
        for (uint256 row = 0; row < ROWS; ++row) {
            bytes memory entries;
            for (uint16 column = 0; column < COLUMNS; ++column) {
                int64 value = matrix[row][column];
                if (value != 0) entries = bytes.concat(entries, abi.encodePacked(column, value));
            }
            rows = bytes.concat(rows, abi.encodePacked(uint16(entries.length / 10)), entries);
        }
    }

    /// @dev M(x) = Σ_s x^(16s) Σ_c M[s][c]·λ_c(x), with λ_c(x) = ν^c·(x^16 − 1)/(16·(x − ν^c)).
    function _evaluate(int64[16][4] memory matrix, Scalar x) private pure returns (Scalar sum) {
        Scalar scale = (x.power(COLUMNS) - ONE) * Scalar.wrap(COLUMNS).inverse();
        Scalar node = ONE;
        for (uint256 column = 0; column < COLUMNS; ++column) {
            Scalar weight = node * scale * (x - node).inverse();
            for (uint256 row = 0; row < ROWS; ++row) {
                int64 value = matrix[row][column];
                Scalar entry = Scalar.wrap(uint256(int256(value < 0 ? -value : value)));
                entry = value < 0 ? ZERO - entry : entry;
                sum = sum + x.power(COLUMNS * row) * entry * weight;
            }
            node = node * ScalarField.rootOfUnity(COLUMNS);
        }
    }
}
