// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMarginVerifier } from "../../contracts/interfaces/IMarginVerifier.sol";
import { Commitments } from "../../contracts/libraries/Commitments.sol";
import { RowEvaluation } from "../../contracts/libraries/RowEvaluation.sol";
import { ONE, Scalar, ScalarField, ZERO } from "../../contracts/libraries/ScalarField.sol";
import { Shape } from "../../contracts/types/Shape.sol";
import { Expectations } from "./Expectations.sol";
import { KnownSetup } from "./KnownSetup.sol";
import { RowEvaluationHarness } from "./RowEvaluationHarness.sol";
import { vm } from "./Vm.sol";

/// @title Rows in calldata: what they are worth at a point, what is refused, and what they cost
contract RowEvaluationTest is Expectations {
    uint256 private constant ROWS = 4;
    uint256 private constant COLUMNS = 16;
    Scalar private constant POINT = Scalar.wrap(123_456_789);

    address private constant MODEXP = address(5);

    RowEvaluationHarness private _harness;
    IMarginVerifier private _verifier;

    function setUp() external {
        _harness = new RowEvaluationHarness();
        _verifier = KnownSetup.deployVerifier();
    }

    /// @dev Rows of any number of entries, against the definition term by term.
    function testFuzzValueIsThatOfTheDefinition(bytes32 seed, uint8 rowSeed) external view {
        int64[COLUMNS][] memory entries = _entries(seed, rowSeed % (ROWS + 1));
        Scalar z = ScalarField.reduce(uint256(seed));
        vm.assume(!(z.power(COLUMNS) == ONE));
        _expect("value", _evaluate(_encode(entries), z), Scalar.unwrap(_reference(entries, z)));
    }

    function testMissingRowsAreZero() external view {
        int64[COLUMNS][] memory entries = _entries("missing", 2);
        uint256 value = _evaluate(_encode(entries), POINT);
        _expect("rows without entries", _evaluate(bytes.concat(_encode(entries), hex"00000000"), POINT), value);
        _expect("no rows at all", _evaluate("", POINT), 0);
    }

    /// @dev The opening is made from τ itself; the verifier checks it by pairing.
    function testFuzzAcceptsTheRowsOfACommitment(bytes32 seed, uint8 rowSeed) external view {
        int64[COLUMNS][] memory entries = _entries(seed, rowSeed % (ROWS + 1));
        bytes memory rows = _encode(entries);
        (bytes memory commitment, bytes32 hash) = _commit(entries);
        _harness.requireRows(_verifier, hash, commitment, rows, _opening(entries, entries, hash, rows));
    }

    /// @dev One tick, wherever it is: the opening is honest for what is committed, then for what is posted.
    function testFuzzRefusesATickOfError(bytes32 seed, uint8 place) external {
        int64[COLUMNS][] memory entries = _entries(seed, ROWS);
        int64[COLUMNS][] memory posted = _entries(seed, ROWS);
        ++posted[place % ROWS][(place >> 2) % COLUMNS];
        bytes memory rows = _encode(posted);
        (bytes memory commitment, bytes32 hash) = _commit(entries);
        bytes memory opening = _opening(entries, entries, hash, rows);
        vm.expectRevert(IMarginVerifier.MarginVerifierRejected.selector);
        _harness.requireRows(_verifier, hash, commitment, rows, opening);
        opening = _opening(entries, posted, hash, rows);
        // What a forger would need is the opening at a point that it does not know before: here τ gives it.
        _harness.requireRows(_verifier, hash, commitment, rows, opening);
    }

    function testRefusesOtherRows() external {
        int64[COLUMNS][] memory entries = _entries("other rows", ROWS);
        int64[COLUMNS][] memory missing = _entries("other rows", ROWS);
        int64[COLUMNS][] memory moved = _entries("other rows", ROWS);
        int64[COLUMNS][] memory swapped = _entries("other rows", ROWS);
        missing[1][3] = 0;
        (moved[2][5], moved[2][6]) = (moved[2][6], moved[2][5]);
        (swapped[0], swapped[1]) = (swapped[1], swapped[0]);
        _refuse(entries, missing);
        _refuse(entries, moved);
        _refuse(entries, swapped);
        _refuse(entries, _entries("other rows", ROWS - 1));
        _refuse(entries, new int64[COLUMNS][](0));
    }

    function testRefusesPointsOfTheDomain() external {
        Shape memory shape = KnownSetup.shape();
        bytes memory rows = _encode(_entries("domain", 1));
        Scalar root = ScalarField.rootOfUnity(COLUMNS);
        for (uint256 column = 0; column < COLUMNS; ++column) {
            uint256 z = Scalar.unwrap(root.power(column));
            vm.expectRevert(abi.encodeWithSelector(RowEvaluation.RowEvaluationPointInDomain.selector, z));
            _harness.evaluate(shape, rows, z);
        }
    }

    function testRefusesRowsThatEndTooEarly() external {
        bytes memory row = abi.encodePacked(uint16(2), _entry(0, 1), _entry(1, 1));
        _refuse(hex"00", abi.encodeWithSelector(RowEvaluation.RowEvaluationTruncated.selector, 0, 1, 2));
        _refuse(
            bytes.concat(row, hex"0003", _entry(0, 1)),
            abi.encodeWithSelector(RowEvaluation.RowEvaluationTruncated.selector, 1, 34, 54)
        );
        bytes memory cut = bytes.concat(row, _entry(0, 1));
        assembly ("memory-safe") {
            mstore(cut, 21)
        }
        _refuse(cut, abi.encodeWithSelector(RowEvaluation.RowEvaluationTruncated.selector, 0, 21, 22));
    }

    function testRefusesMoreRowsThanAChunkHas() external {
        bytes memory rows = _encode(_entries("too many", ROWS));
        _refuse(
            bytes.concat(rows, hex"0000"),
            abi.encodeWithSelector(RowEvaluation.RowEvaluationTooManyRows.selector, ROWS, rows.length + 2, rows.length)
        );
        _refuse(
            bytes.concat(rows, hex"00"),
            abi.encodeWithSelector(RowEvaluation.RowEvaluationTooManyRows.selector, ROWS, rows.length + 1, rows.length)
        );
    }

    function testRefusesColumnsThatDoNotAscend() external {
        bytes memory twice = abi.encodePacked(uint16(2), _entry(7, 1), _entry(7, 1));
        _refuse(twice, abi.encodeWithSelector(RowEvaluation.RowEvaluationColumnsNotAscending.selector, 0, 7));
        bytes memory back = abi.encodePacked(uint16(0), uint16(3), _entry(0, 1), _entry(9, 1), _entry(8, 1));
        _refuse(back, abi.encodeWithSelector(RowEvaluation.RowEvaluationColumnsNotAscending.selector, 1, 8));
    }

    function testRefusesColumnsThatDoNotExist() external {
        bytes memory last = abi.encodePacked(uint16(1), _entry(16, 1));
        _refuse(last, abi.encodeWithSelector(RowEvaluation.RowEvaluationNoSuchColumn.selector, 0, 16, 16));
        bytes memory between = abi.encodePacked(uint16(2), _entry(0xffff, 1), _entry(0, 1));
        _refuse(between, abi.encodeWithSelector(RowEvaluation.RowEvaluationNoSuchColumn.selector, 0, 0xffff, 16));
    }

    /// @dev Whether an entry is small enough for a rule is for audits to say, as with blobs.
    function testTakesTheLargestAndTheSmallestValues() external view {
        int64[COLUMNS][] memory entries = new int64[COLUMNS][](1);
        (entries[0][0], entries[0][1], entries[0][15]) = (type(int64).max, type(int64).min, -1);
        _expect("value", _evaluate(_encode(entries), POINT), Scalar.unwrap(_reference(entries, POINT)));
    }

    function testNamesAMissingInversion() external {
        bytes memory rows = _encode(_entries("inversion", 1));
        Shape memory shape = KnownSetup.shape();
        vm.mockCall(MODEXP, "", "");
        vm.expectRevert(abi.encodeWithSelector(RowEvaluation.RowEvaluationInversionFailed.selector, 0));
        _harness.evaluate(shape, rows, Scalar.unwrap(POINT));
    }

    /// @dev Eight rows of 260 entries, whether the optimizer is at work or not; with it, the calldata costs more.
    function testAStandardChunkCostsLessThanAMillionGas() external view {
        Shape memory standard = Shape({ powers: 4096, columns: 512, digits: 4, digitBits: 11 });
        bytes memory row = abi.encodePacked(uint16(260));
        for (uint256 i = 0; i < 260; ++i) {
            int64 size = int64(uint64(uint256(keccak256(abi.encode(i))) % 10 ** 8));
            row = bytes.concat(row, _entry(uint16(i * 511 / 259), i % 2 == 0 ? size : -size));
        }
        bytes memory rows = bytes.concat(row, row, row, row);
        rows = bytes.concat(rows, rows);
        uint256 before = gasleft();
        _harness.evaluate(standard, rows, Scalar.unwrap(POINT));
        uint256 used = before - gasleft();
        if (used > 1_000_000) revert NumbersDiffer("gas of eight rows", used, 1_000_000);
    }

    function _refuse(int64[COLUMNS][] memory entries, int64[COLUMNS][] memory posted) private {
        bytes memory rows = _encode(posted);
        (bytes memory commitment, bytes32 hash) = _commit(entries);
        bytes memory opening = _opening(entries, entries, hash, rows);
        vm.expectRevert(IMarginVerifier.MarginVerifierRejected.selector);
        _harness.requireRows(_verifier, hash, commitment, rows, opening);
    }

    function _refuse(bytes memory rows, bytes memory reason) private {
        Shape memory shape = KnownSetup.shape();
        vm.expectRevert(reason);
        _harness.evaluate(shape, rows, Scalar.unwrap(POINT));
    }

    function _evaluate(bytes memory rows, Scalar z) private view returns (uint256) {
        return _harness.evaluate(KnownSetup.shape(), rows, Scalar.unwrap(z));
    }

    /// @dev The commitment of rows, and its versioned hash.
    function _commit(int64[COLUMNS][] memory entries) private view returns (bytes memory commitment, bytes32 hash) {
        commitment = KnownSetup.point(_reference(entries, KnownSetup.INSECURE_TAU));
        hash = Commitments.versionedHashes(commitment)[0];
    }

    /// @dev [(M̂(τ) − y)/(τ − z)]_1 for the committed rows and the value y that the given rows have at z.
    function _opening(
        int64[COLUMNS][] memory committed,
        int64[COLUMNS][] memory valued,
        bytes32 hash,
        bytes memory rows
    ) private view returns (bytes memory) {
        Scalar z = Scalar.wrap(_harness.challenge(hash, rows));
        _expect("challenge", Scalar.unwrap(z), Scalar.unwrap(_challenge(hash, rows)));
        Scalar difference = _reference(committed, KnownSetup.INSECURE_TAU) - _reference(valued, z);
        return KnownSetup.point(difference * (KnownSetup.INSECURE_TAU - z).inverse());
    }

    function _challenge(bytes32 hash, bytes memory rows) private pure returns (Scalar) {
        bytes memory message = abi.encodePacked("zkmargin-posted-rows-v1", hash, keccak256(rows));
        return ScalarField.reduce(uint256(keccak256(message)));
    }

    /// @dev Σ_s z^(Rs) Σ_c M[s][c]·λ_c(z), with λ_c(z) = ν^c·(z^R − 1)/(R·(z − ν^c)).
    function _reference(int64[COLUMNS][] memory entries, Scalar z) private view returns (Scalar value) {
        value = ZERO;
        Scalar root = ScalarField.rootOfUnity(COLUMNS);
        Scalar scale = (z.power(COLUMNS) - ONE) * KnownSetup.invert(Scalar.wrap(COLUMNS));
        Scalar power = ONE;
        for (uint256 column = 0; column < COLUMNS; ++column) {
            Scalar weight = power * scale * KnownSetup.invert(z - power);
            for (uint256 row = 0; row < entries.length; ++row) {
                value = value + z.power(COLUMNS * row) * weight * _scalar(entries[row][column]);
            }
            power = power * root;
        }
    }

    function _scalar(int64 value) private pure returns (Scalar) {
        return value < 0 ? -Scalar.wrap(uint256(-int256(value))) : Scalar.wrap(uint64(value));
    }

    /// @dev Rows of which about every third entry is zero.
    function _entries(bytes32 seed, uint256 rows) private pure returns (int64[COLUMNS][] memory entries) {
        entries = new int64[COLUMNS][](rows);
        for (uint256 row = 0; row < rows; ++row) {
            for (uint256 column = 0; column < COLUMNS; ++column) {
                uint256 digest = uint256(keccak256(abi.encode(seed, row, column)));
                int64 size = int64(uint64(digest >> 193)); // below 2^63
                entries[row][column] = digest % 3 == 0 ? int64(0) : digest % 2 == 0 ? size : -size;
            }
        }
    }

    function _encode(int64[COLUMNS][] memory entries) private pure returns (bytes memory rows) {
        for (uint256 row = 0; row < entries.length; ++row) {
            bytes memory content;
            for (uint16 column = 0; column < COLUMNS; ++column) {
                int64 value = entries[row][column];
                if (value != 0) content = bytes.concat(content, _entry(column, value));
            }
            rows = bytes.concat(rows, abi.encodePacked(uint16(content.length / 10)), content);
        }
    }

    function _entry(uint16 column, int64 value) private pure returns (bytes memory) {
        return abi.encodePacked(column, value);
    }
}
