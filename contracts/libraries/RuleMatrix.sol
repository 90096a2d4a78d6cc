// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { RuleLocation } from "../types/MarginRule.sol";

/// @title The matrix of a statement: the chunks of some books of a rule, each book's followed by its mask
/// @author The zkmargin contributors
/// @notice A statement over the books of a bitmap (bit b = book b) has G + 1 chunks a book, ascending by book. Twin:
/// verifier/rules/margin_rule.py.
library RuleMatrix {
    /// @dev Bytes of a point.
    uint256 private constant POINT_BYTES = 96;

    /// @notice The bitmap names a book that the rule does not have.
    /// @param bitmap Books asked for.
    /// @param books Number of books of the rule.
    error RuleMatrixBookNotCovered(uint256 bitmap, uint256 books);

    /// @notice The matrix over some books.
    /// @param location Where the rule is, as the registry says.
    /// @param bitmap The books.
    /// @return points 96·(G + 1) bytes for each book.
    function read(RuleLocation memory location, uint32 bitmap) internal view returns (bytes memory points) {
        points = new bytes(length(location, bitmap));
        uint256 place;
        assembly ("memory-safe") {
            place := add(points, 32)
        }
        copyTo(location, bitmap, place);
    }

    /// @notice How many bytes the matrix over some books has.
    /// @param location Where the rule is.
    /// @param bitmap The books.
    /// @return bytes_ 96·(G + 1) for each book.
    function length(RuleLocation memory location, uint32 bitmap) internal pure returns (uint256 bytes_) {
        if (uint256(bitmap) >> location.books != 0) {
            revert RuleMatrixBookNotCovered(bitmap, location.books);
        }
        uint256 perBook = (location.chunks + 1) * POINT_BYTES;
        for (uint256 remaining = bitmap; remaining != 0; remaining &= remaining - 1) {
            bytes_ += perBook;
        }
    }

    /// @notice Writes the matrix to a place in memory that has room for `length(location, bitmap)` bytes.
    /// @dev Books are those of `length`, which checks them.
    /// @param location Where the rule is.
    /// @param bitmap The books.
    /// @param place Where the first byte goes.
    /// @return end Place after the last byte.
    function copyTo(RuleLocation memory location, uint32 bitmap, uint256 place) internal view returns (uint256 end) {
        (address data, uint256 offset, uint256 maskOffset) = (location.data, location.offset, location.maskOffset);
        uint256 size = location.chunks * POINT_BYTES;
        uint256 remaining = bitmap;
        assembly ("memory-safe") {
            end := place
            for { } remaining { remaining := shr(1, remaining) } {
                if and(remaining, 1) {
                    extcodecopy(data, end, offset, size)
                    extcodecopy(data, add(end, size), maskOffset, 96)
                    end := add(add(end, size), 96)
                }
                offset := add(offset, size)
                maskOffset := add(maskOffset, 96)
            }
        }
    }
}
