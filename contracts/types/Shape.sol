// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Parameters of the margin argument (specification, section 2)
/// @dev Twin: verifier/shape.py. All counts but `digitBits` are powers of two.
/// @param powers D: powers of τ in the setup; chunk polynomials have degree < D.
/// @param columns R: columns of a book; four for every instrument slot, N = R/4.
/// @param digits k: digits of a column; the domain W has n = kR elements.
/// @param digitBits d: bits of a digit; columns lie in [0, 2^(dk)).
struct Shape {
    uint256 powers;
    uint256 columns;
    uint256 digits;
    uint256 digitBits;
}
