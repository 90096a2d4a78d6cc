// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Sets of books as bitmaps: bit b for book b
/// @author The zkmargin contributors
/// @notice Byte strings over the books of a set have one entry for each, ascending. Twin: verifier/books.py.
library BookSet {
    /// @notice The set of book 0 alone, where collateral is.
    uint32 internal constant FIRST = 1;

    /// @notice How many books a set has.
    /// @param books The set.
    /// @return number Its size.
    function count(uint256 books) internal pure returns (uint256 number) {
        // Sets are small and mostly of one book: taking away the lowest bit beats counting all bits at once.
        for (; books != 0; books &= books - 1) {
            ++number;
        }
    }

    /// @notice Whether a set has a book.
    /// @param books The set.
    /// @param book The book.
    /// @return True when it does.
    function has(uint256 books, uint256 book) internal pure returns (bool) {
        return (books >> book) & 1 != 0;
    }

    /// @notice Where the entry of a book is among those of a set.
    /// @param books The set.
    /// @param book The book.
    /// @return index Number of books of the set before it.
    function indexOf(uint256 books, uint256 book) internal pure returns (uint256 index) {
        return count(books & ((uint256(1) << book) - 1));
    }
}
