// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMarginVerifier } from "../interfaces/IMarginVerifier.sol";
import { Shape } from "../types/Shape.sol";
import { Bls12381 } from "./Bls12381.sol";
import { MarginProof } from "./MarginProof.sol";
import { Memory } from "./Memory.sol";
import { ONE, SCALAR_MODULUS, Scalar, ScalarField, ZERO } from "./ScalarField.sol";

/// @title Rows of a margin rule posted in calldata, held against a chunk's commitment at a random point
/// @author The zkmargin contributors
/// @notice Where a chain has no blobs, rows in calldata make the data of a chunk public, and their value at a point that
/// depends on rows and commitment shows that the commitment is theirs: a wrong one passes with probability below
/// D/r < 2^−242. Twin: verifier/rules/row_posting.py.
/// @dev Posted rows are, one after another: a count of 2 bytes, then as many entries of 10 bytes, a column (2 bytes,
/// ascending, below R) and a signed value (8 bytes). At most S' = D/R rows, nothing behind
/// them; rows that are missing are zero.
///
///     M̂(z) = Σ_s z^(Rs) Σ_c M[s][c]·λ_c(z), with λ_c(z) = ν^c·(z^R − 1)/(R·(z − ν^c)) over the R-th roots of unity
///          = (z^R − 1)/R · Σ_c a_c·ν^c/(z − ν^c), with a_c = Σ_s z^(Rs)·M[s][c].
///
/// The last sum is one fraction, so that one inversion serves all columns.
library RowEvaluation {
    using MarginProof for bytes;

    /// @notice The rows end within a count or an entry.
    /// @param row The row.
    /// @param length Bytes of all rows.
    /// @param needed Bytes that the row needs them to have.
    error RowEvaluationTruncated(uint256 row, uint256 length, uint256 needed);

    /// @notice There are more bytes than a chunk's rows take.
    /// @param rows Rows of a chunk.
    /// @param length Bytes of all rows.
    /// @param end Bytes of as many rows as a chunk has.
    error RowEvaluationTooManyRows(uint256 rows, uint256 length, uint256 end);

    /// @notice A column is not above the one before it in its row.
    /// @param row The row.
    /// @param column The column.
    error RowEvaluationColumnsNotAscending(uint256 row, uint256 column);

    /// @notice There is no such column.
    /// @param row The row.
    /// @param column The column.
    /// @param columns Columns of a book.
    error RowEvaluationNoSuchColumn(uint256 row, uint256 column, uint256 columns);

    /// @notice The point is one of the columns' roots of unity, where the formula divides by zero; never happens by chance.
    /// @param z The point.
    error RowEvaluationPointInDomain(uint256 z);

    /// @notice The precompile for modular exponentiation failed or returned a wrong number of bytes.
    /// @param returnedBytes How many it returned.
    error RowEvaluationInversionFailed(uint256 returnedBytes);

    /// @dev Domain separator.
    bytes23 private constant LABEL = "zkmargin-posted-rows-v1";

    uint256 private constant COUNT_BYTES = 2;
    uint256 private constant ENTRY_BYTES = 10;

    uint256 private constant MODEXP = 0x05;
    /// @dev What Osaka asks for one exponentiation of 32 bytes at most; the chains before it ask for less.
    uint256 private constant MODEXP_GAS = 4096;
    uint256 private constant MODEXP_INPUT_BYTES = 192;

    /// @notice Returns when a commitment is that of the posted rows, reverts by name otherwise.
    /// @param verifier Verifier of the shape; checks the opening.
    /// @param shape Its shape.
    /// @param versionedHash Versioned hash of the commitment (EIP-4844), which the caller has checked: it binds the point.
    /// @param commitment 96 bytes.
    /// @param rows The posted rows.
    /// @param opening Opening of the commitment at the challenge, 96 bytes.
    function requireRows(
        IMarginVerifier verifier,
        Shape memory shape,
        bytes32 versionedHash,
        bytes calldata commitment,
        bytes calldata rows,
        bytes calldata opening
    ) internal view {
        Scalar z = challenge(versionedHash, rows);
        Scalar y = evaluate(shape, rows, z);
        verifier.requireOpening(commitment, Scalar.unwrap(z), Scalar.unwrap(y), opening);
    }

    /// @notice z = keccak256("zkmargin-posted-rows-v1" ‖ versioned hash ‖ keccak256(rows)) mod r.
    /// @param versionedHash Versioned hash of the commitment.
    /// @param rows The posted rows.
    /// @return z The point.
    function challenge(bytes32 versionedHash, bytes calldata rows) internal pure returns (Scalar z) {
        return ScalarField.reduce(uint256(keccak256(abi.encodePacked(LABEL, versionedHash, keccak256(rows)))));
    }

    /// @notice M̂(z) of the chunk that the rows are.
    /// @param shape Shape of the argument; R and D are powers of two.
    /// @param rows The posted rows.
    /// @param z The point; reverts by name when it is an R-th root of unity.
    /// @return value M̂(z).
    function evaluate(Shape memory shape, bytes calldata rows, Scalar z) internal view returns (Scalar value) {
        uint256 mark = Memory.mark();
        uint256 columns = shape.columns;
        Scalar step = z.power(columns);
        if (step == ONE) {
            revert RowEvaluationPointInDomain(Scalar.unwrap(z));
        }
        uint256 sums = _zeros(columns);
        _addRows(sums, columns, shape.powers / columns, rows, step);
        (Scalar numerator, Scalar denominator) = _fraction(sums, columns, z);
        value = (step - ONE) * numerator * _inverse(Scalar.wrap(columns) * denominator);
        Memory.release(mark);
    }

    /// @dev a_c for every column c, from all rows.
    function _addRows(uint256 sums, uint256 columns, uint256 rowsOfChunk, bytes calldata rows, Scalar step)
        private
        pure
    {
        uint256 start = rows.location();
        uint256 place = start;
        uint256 end = start + rows.length;
        Scalar factor = ONE; // z^(R·row)
        for (uint256 row = 0; place != end; ++row) {
            if (row == rowsOfChunk) {
                revert RowEvaluationTooManyRows(rowsOfChunk, rows.length, place - start);
            }
            uint256 first = place + COUNT_BYTES;
            // What lies behind the end counts as well: then the row is too long all the more.
            uint256 next = first + ENTRY_BYTES * _uint16At(place);
            if (next > end) {
                revert RowEvaluationTruncated(row, rows.length, next - start);
            }
            if (!_addRow(sums, columns, first, next, factor)) {
                _nameFault(row, columns, first, next);
            }
            place = next;
            factor = factor * step;
        }
    }

    /// @dev The first two bytes at a place in calldata: a count or a column.
    function _uint16At(uint256 place) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(240, calldataload(place))
        }
    }

    /// @dev Adds factor·value to the sums of the columns of one row; tells whether the row is well-formed. When it is not,
    /// the sums mean nothing. A word of calldata brings three entries; they are written out, since this is where nearly all
    /// of the gas goes.
    function _addRow(uint256 sums, uint256 columns, uint256 place, uint256 end, Scalar factor)
        private
        pure
        returns (bool wellFormed)
    {
        assembly ("memory-safe") {
            wellFormed := 1
            let inside := shl(5, sub(columns, 1)) // R is a power of two: no place beyond the sums
            let last := not(0) // below every column as a signed number
            let word
            let column // and then the place of its sum
            let value
            for { } lt(add(place, 20), end) { place := add(place, 30) } {
                word := calldataload(place)
                column := shr(240, word)
                wellFormed := and(wellFormed, sgt(column, last))
                last := column
                value := sar(192, shl(16, word))
                value := mulmod(add(value, and(sar(255, value), SCALAR_MODULUS)), factor, SCALAR_MODULUS)
                column := add(sums, and(shr(235, word), inside))
                mstore(column, addmod(mload(column), value, SCALAR_MODULUS))
                column := and(shr(160, word), 0xffff)
                wellFormed := and(wellFormed, sgt(column, last))
                last := column
                value := sar(192, shl(96, word))
                value := mulmod(add(value, and(sar(255, value), SCALAR_MODULUS)), factor, SCALAR_MODULUS)
                column := add(sums, and(shr(155, word), inside))
                mstore(column, addmod(mload(column), value, SCALAR_MODULUS))
                column := and(shr(80, word), 0xffff)
                wellFormed := and(wellFormed, sgt(column, last))
                last := column
                value := sar(192, shl(176, word))
                value := mulmod(add(value, and(sar(255, value), SCALAR_MODULUS)), factor, SCALAR_MODULUS)
                column := add(sums, and(shr(75, word), inside))
                mstore(column, addmod(mload(column), value, SCALAR_MODULUS))
            }
            for { } lt(place, end) { place := add(place, ENTRY_BYTES) } {
                word := calldataload(place)
                column := shr(240, word)
                wellFormed := and(wellFormed, sgt(column, last))
                last := column
                value := sar(192, shl(16, word))
                value := mulmod(add(value, and(sar(255, value), SCALAR_MODULUS)), factor, SCALAR_MODULUS)
                column := add(sums, and(shr(235, word), inside))
                mstore(column, addmod(mload(column), value, SCALAR_MODULUS))
            }
            // The last column is the largest.
            wellFormed := and(wellFormed, slt(last, columns))
        }
    }

    /// @dev Reverts with the first fault of a row that is not well-formed.
    function _nameFault(uint256 row, uint256 columns, uint256 place, uint256 end) private pure {
        uint256 lowest = 0;
        for (; place < end; place += ENTRY_BYTES) {
            uint256 column = _uint16At(place);
            if (column >= columns) {
                revert RowEvaluationNoSuchColumn(row, column, columns);
            }
            if (column < lowest) {
                revert RowEvaluationColumnsNotAscending(row, column);
            }
            lowest = column + 1;
        }
    }

    /// @dev Σ_c a_c·ν^c/(z − ν^c) over the columns with a_c ≠ 0, as one fraction.
    function _fraction(uint256 sums, uint256 columns, Scalar z)
        private
        pure
        returns (Scalar numerator, Scalar denominator)
    {
        Scalar nu = ScalarField.rootOfUnity(columns);
        Scalar root = ONE;
        (numerator, denominator) = (ZERO, ONE);
        for (uint256 column = 0; column < columns; ++column) {
            Scalar sum = _sumAt(sums, column);
            if (!(sum == ZERO)) {
                Scalar distance = z - root;
                numerator = numerator * distance + sum * root * denominator;
                denominator = denominator * distance;
            }
            root = root * nu;
        }
    }

    /// @dev The inverse of a value other than zero.
    function _inverse(Scalar value) private view returns (Scalar inverted) {
        uint256 input;
        uint256 exponent = SCALAR_MODULUS - 2; // Fermat
        assembly ("memory-safe") {
            input := mload(0x40)
            mstore(input, 0x20)
            mstore(add(input, 0x20), 0x20)
            mstore(add(input, 0x40), 0x20)
            mstore(add(input, 0x60), value)
            mstore(add(input, 0x80), exponent)
            mstore(add(input, 0xa0), SCALAR_MODULUS)
        }
        (bool success, uint256 returned) = Bls12381.invoke(MODEXP, MODEXP_GAS, input, MODEXP_INPUT_BYTES, 0, 32);
        if (!success || returned != 32) {
            revert RowEvaluationInversionFailed(returned);
        }
        assembly ("memory-safe") {
            inverted := mload(0)
        }
    }

    /// @dev Room for so many words, all zero.
    function _zeros(uint256 words) private pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := mload(0x40)
            let size := shl(5, words)
            calldatacopy(place, calldatasize(), size) // zeros, past the end of calldata
            mstore(0x40, add(place, size))
        }
    }

    /// @dev The sum of a column.
    function _sumAt(uint256 sums, uint256 column) private pure returns (Scalar sum) {
        assembly ("memory-safe") {
            sum := mload(add(sums, shl(5, column)))
        }
    }
}
