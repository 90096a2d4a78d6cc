// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev r, the order of the groups G1 and G2 of BLS12-381.
uint256 constant SCALAR_MODULUS = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;

/// @title Element of the scalar field F_r of BLS12-381
/// @dev Twin: verifier/scalar_field.py. Invariant: the wrapped number is canonical, that is below r. Values enter
///      through `ScalarField.fromCanonical` or `ScalarField.reduce` and through constants; the operators preserve it.
type Scalar is uint256;

using { add as +, subtract as -, negate as -, multiply as *, equal as == } for Scalar global;
using { ScalarField.power, ScalarField.inverse } for Scalar global;

Scalar constant ZERO = Scalar.wrap(0);
Scalar constant ONE = Scalar.wrap(1);

function add(Scalar left, Scalar right) pure returns (Scalar) {
    return Scalar.wrap(addmod(Scalar.unwrap(left), Scalar.unwrap(right), SCALAR_MODULUS));
}

function subtract(Scalar left, Scalar right) pure returns (Scalar) {
    unchecked {
        // right < r by the invariant of the type.
        return Scalar.wrap(addmod(Scalar.unwrap(left), SCALAR_MODULUS - Scalar.unwrap(right), SCALAR_MODULUS));
    }
}

function negate(Scalar value) pure returns (Scalar) {
    return ZERO - value;
}

function multiply(Scalar left, Scalar right) pure returns (Scalar) {
    return Scalar.wrap(mulmod(Scalar.unwrap(left), Scalar.unwrap(right), SCALAR_MODULUS));
}

function equal(Scalar left, Scalar right) pure returns (bool) {
    return Scalar.unwrap(left) == Scalar.unwrap(right);
}

/// @title What the operators of `Scalar` do not cover
library ScalarField {
    /// @notice The value is not below the group order, so it is not the encoding of a scalar.
    error ScalarFieldNotCanonical(uint256 value);

    /// @dev 2^32 is the largest power of two that divides r − 1; 7 generates the multiplicative group of F_r, and this is
    ///      7^((r−1)/2^32).
    Scalar private constant LARGEST_ROOT =
        Scalar.wrap(0x16a2a19edfe81f20d09b681922c813b4b63683508c2280b93829971f439f0d2b);
    uint256 private constant LARGEST_ORDER = 1 << 32;

    /// @notice Accepts exactly the numbers below r.
    function fromCanonical(uint256 value) internal pure returns (Scalar) {
        if (value >= SCALAR_MODULUS) revert ScalarFieldNotCanonical(value);
        return Scalar.wrap(value);
    }

    /// @notice value mod r; how digests become challenges.
    function reduce(uint256 value) internal pure returns (Scalar) {
        return Scalar.wrap(value % SCALAR_MODULUS);
    }

    /// @notice base^exponent, with 0^0 = 1.
    function power(Scalar base, uint256 exponent) internal pure returns (Scalar result) {
        result = ONE;
        for (; exponent != 0; exponent >>= 1) {
            if (exponent & 1 == 1) result = result * base;
            base = base * base;
        }
    }

    /// @notice The inverse by Fermat's little theorem; zero goes to zero. About 40,000 gas: for constructors only.
    function inverse(Scalar value) internal pure returns (Scalar) {
        return power(value, SCALAR_MODULUS - 2);
    }

    /// @notice The primitive root of unity 7^((r−1)/order); the order is a power of two up to 2^32.
    function rootOfUnity(uint256 order) internal pure returns (Scalar root) {
        root = LARGEST_ROOT;
        for (uint256 size = LARGEST_ORDER; size > order; size >>= 1) {
            root = root * root;
        }
    }
}
