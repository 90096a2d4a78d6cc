// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ArgumentRounds } from "./ArgumentRounds.sol";
import { IMarginVerifier } from "./interfaces/IMarginVerifier.sol";
import { MarginProof } from "./libraries/MarginProof.sol";
import { ONE, SCALAR_MODULUS, Scalar, ScalarField, ZERO } from "./libraries/ScalarField.sol";
import { Shape } from "./types/Shape.sol";

/// @title The domains of one shape, and the public polynomials of the argument at ζ
/// @dev Twins: verifier/shape.py and verifier/domain.py. Specification, sections 2 and 4.
abstract contract ArgumentDomain is ArgumentRounds {
    using MarginProof for uint256;

    /// @notice Public values at ζ and powers of challenges that all books share.
    /// @param vanishing Z = ζ^n − 1.
    /// @param sum σ_V(ζ).
    /// @param shift 2^d·(1 − last(ζ)), with last(ζ) = σ_V(ωζ).
    /// @param link b(ζ).
    /// @param linkStep b(ζ) − b(ζ/ν).
    /// @param chunkQuotient κ = Z/(ζ^R − β).
    /// @param constantOne λ^V_2(ζ).
    /// @param degreeShift ζ^(D−R).
    /// @param betaSlots β^N.
    /// @param betaRows β^S'.
    struct PublicValues {
        Scalar vanishing;
        Scalar sum;
        Scalar shift;
        Scalar link;
        Scalar linkStep;
        Scalar chunkQuotient;
        Scalar constantOne;
        Scalar degreeShift;
        Scalar betaSlots;
        Scalar betaRows;
    }

    /// @dev Largest power of two that divides r − 1 is 2^32: no larger domain exists, and products of two sizes stay small.
    uint256 private constant LARGEST_SETUP = 1 << 32;

    /// @dev Entries of a matrix are below 2^62 in absolute value.
    uint256 private constant ENTRY_BITS = 62;

    /// @dev 1/4.
    Scalar private constant QUARTER = Scalar.wrap(0x56f23d7e5f361df6266b620607396203fece3b023ffec4ff3fffffff40000001);

    uint256 internal immutable POWERS;
    uint256 internal immutable COLUMNS;
    uint256 internal immutable DIGITS;
    uint256 internal immutable DIGIT_BITS;
    uint256 private immutable SLOTS;
    uint256 private immutable ROWS_PER_CHUNK;

    /// @dev ω.
    Scalar internal immutable OMEGA;
    /// @dev 1/R.
    Scalar internal immutable INVERSE_COLUMNS;
    /// @dev 1/k.
    Scalar private immutable INVERSE_DIGITS;
    /// @dev k·k·4·4·R, the constant factors of the denominators of section 5.
    Scalar private immutable DENOMINATOR_FACTOR;
    /// @dev ω^R.
    Scalar private immutable OMEGA_COLUMNS;
    /// @dev 1/ν.
    Scalar private immutable INVERSE_NU;
    /// @dev ν^(−N).
    Scalar private immutable INVERSE_NU_SLOTS;
    /// @dev ν².
    Scalar private immutable NU_SQUARED;
    /// @dev ν²/R.
    Scalar private immutable NU_SQUARED_PER_COLUMN;
    /// @dev 2^d.
    Scalar private immutable RADIX;
    /// @dev 2^d/k.
    Scalar private immutable RADIX_PER_DIGIT;

    constructor(Shape memory shape_, bytes memory setupPoint, bytes memory table)
        ArgumentRounds(shape_, setupPoint, table)
    {
        _requireSupported(shape_);
        POWERS = shape_.powers;
        COLUMNS = shape_.columns;
        DIGITS = shape_.digits;
        DIGIT_BITS = shape_.digitBits;
        SLOTS = shape_.columns / 4;
        ROWS_PER_CHUNK = shape_.powers / shape_.columns;

        Scalar omega = ScalarField.rootOfUnity(shape_.columns * shape_.digits);
        Scalar nu = omega.power(shape_.digits);
        Scalar inverseNu = nu.inverse();
        OMEGA = omega;
        OMEGA_COLUMNS = omega.power(shape_.columns);
        NU_SQUARED = nu * nu;
        INVERSE_NU = inverseNu;
        INVERSE_NU_SLOTS = inverseNu.power(shape_.columns / 4);
        INVERSE_COLUMNS = Scalar.wrap(shape_.columns).inverse();
        NU_SQUARED_PER_COLUMN = NU_SQUARED * INVERSE_COLUMNS;
        INVERSE_DIGITS = Scalar.wrap(shape_.digits).inverse();
        DENOMINATOR_FACTOR = Scalar.wrap(16 * shape_.digits) * Scalar.wrap(shape_.digits * shape_.columns);
        RADIX = Scalar.wrap(1 << shape_.digitBits);
        RADIX_PER_DIGIT = RADIX * INVERSE_DIGITS;
    }

    /// @inheritdoc IMarginVerifier
    function shape() external view returns (Shape memory) {
        return Shape({ powers: POWERS, columns: COLUMNS, digits: DIGITS, digitBits: DIGIT_BITS });
    }

    /// @dev Public values of a claim, after the check of its hint. Writes y = ζ^R and z = ζ^N.
    function _publicValues(Round memory round) internal view returns (PublicValues memory values) {
        Scalar z = round.zeta;
        Scalar betaSlots = round.beta;
        for (uint256 size = SLOTS; size > 1; size >>= 1) {
            z = z * z;
            betaSlots = betaSlots * betaSlots;
        }
        values.betaSlots = betaSlots;
        Scalar y = z * z; // R = 4N
        y = y * y;
        _setRowPowers(values, round.beta, y);
        Scalar units = _setSums(values, y) * (z - ONE) * (z * INVERSE_NU_SLOTS - ONE) * DENOMINATOR_FACTOR;
        _setQuotients(values, round, units, y, z);
    }

    /// @dev ζ^(D−R) = y^(S'−1) = y·y²·y⁴·…, and β^S'; S' = D/R ≥ 2 is a power of two.
    function _setRowPowers(PublicValues memory values, Scalar beta, Scalar y) private view {
        Scalar product = y;
        Scalar betaRows = beta * beta;
        for (uint256 size = ROWS_PER_CHUNK; size > 2; size >>= 1) {
            y = y * y;
            product = product * y;
            betaRows = betaRows * betaRows;
        }
        values.degreeShift = product;
        values.betaRows = betaRows;
    }

    /// @dev σ_V at ζ and at ωζ, where X^R is y and ω^R·y: σ_V(X) = (X^n − 1)/(k(X^R − 1)) is the product of
    ///      (1 + X^(R·2^j)) over j < log2 k, divided by k; no denominator is needed.
    /// @return units (ζ^R − 1)·(ω^R ζ^R − 1), two of the denominators but for their factors k.
    function _setSums(PublicValues memory values, Scalar y) private view returns (Scalar units) {
        Scalar next = y * OMEGA_COLUMNS;
        units = (y - ONE) * (next - ONE);
        Scalar sum = INVERSE_DIGITS;
        Scalar last = RADIX_PER_DIGIT;
        for (uint256 size = DIGITS; size > 1; size >>= 1) {
            sum = sum * (ONE + y);
            last = last * (ONE + next);
            y = y * y;
            next = next * next;
        }
        values.vanishing = y - ONE; // y is ζ^n by now
        values.sum = sum;
        values.shift = RADIX - last;
    }

    /// @dev The quotients with denominators β − ζ, β − ζ/ν, ζ^R − β and ζ − ν², by 1/a = b·(1/ab).
    /// @param units The product of the other denominators and of all constant factors.
    function _setQuotients(PublicValues memory values, Round memory round, Scalar units, Scalar y, Scalar z)
        private
        view
    {
        Scalar link = round.beta - round.zeta;
        Scalar linkBefore = round.beta - round.zeta * INVERSE_NU;
        Scalar chunk = y - round.beta;
        Scalar one = round.zeta - NU_SQUARED;

        Scalar inverse = _checkedHint(round, units * (link * linkBefore) * (chunk * one)) * units;
        Scalar inversePoles = inverse * (link * linkBefore);
        values.chunkQuotient = values.vanishing * inversePoles * one;
        values.constantOne = (y - ONE) * NU_SQUARED_PER_COLUMN * inversePoles * chunk;
        inverse = inverse * QUARTER * (chunk * one);
        _setLinks(values, z, inverse * linkBefore, inverse * link);
    }

    /// @dev b(X) = σ_U(X)·(β^N − X^N)/(β − X) at ζ and ζ/ν, where X^N is z and ν^(−N)·z;
    ///      σ_U(X) = (X^R − 1)/(4(X^N − 1)) = (1 + X^N)(1 + X^2N)/4.
    /// @param inverse 1/(4(β − ζ)).
    /// @param inverseBefore 1/(4(β − ζ/ν)).
    function _setLinks(PublicValues memory values, Scalar z, Scalar inverse, Scalar inverseBefore) private view {
        Scalar before = z * INVERSE_NU_SLOTS;
        Scalar link = (ONE + z) * (ONE + z * z) * (values.betaSlots - z) * inverse;
        values.link = link;
        values.linkStep = link - (ONE + before) * (ONE + before * before) * (values.betaSlots - before) * inverseBefore;
    }

    /// @dev The hint, if it is the inverse of the product of all denominators.
    function _checkedHint(Round memory round, Scalar product) private pure returns (Scalar hint) {
        hint = round.hint.scalarAt(0);
        if (hint * product == ONE) return hint;
        if (product == ZERO) revert MarginVerifierZeroDenominator();
        revert MarginVerifierInverseHintMismatch(Scalar.unwrap(hint), Scalar.unwrap(product));
    }

    /// @dev R, k, D powers of two, R ≥ 4, n = kR ≥ 2^d, D ≥ 2n, and no row can wrap around r: B·R·2^62·2^(dk) < r.
    function _requireSupported(Shape memory shape_) private pure {
        bool powersOfTwo = _isPowerOfTwo(shape_.powers) && _isPowerOfTwo(shape_.columns) && _isPowerOfTwo(shape_.digits);
        // The first bounds keep the products below from overflowing.
        bool supported = powersOfTwo && shape_.powers <= LARGEST_SETUP && shape_.columns <= shape_.powers
            && shape_.digits <= shape_.powers && shape_.columns >= 4 && shape_.digitBits >= 1 && shape_.digitBits < 32
            && shape_.columns * shape_.digits >= 1 << shape_.digitBits
            && shape_.powers >= 2 * shape_.columns * shape_.digits
            && MAXIMUM_BOOKS * shape_.columns <= (SCALAR_MODULUS - 1) >> (ENTRY_BITS + shape_.digits * shape_.digitBits);
        if (!supported) revert MarginVerifierUnsupportedShape(shape_);
    }

    function _isPowerOfTwo(uint256 value) private pure returns (bool) {
        return value != 0 && value & (value - 1) == 0;
    }
}
