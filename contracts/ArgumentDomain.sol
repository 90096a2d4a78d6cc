// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ArgumentRounds } from "./ArgumentRounds.sol";
import { IMarginVerifier } from "./interfaces/IMarginVerifier.sol";
import { ONE, Scalar, ScalarField, ZERO } from "./libraries/ScalarField.sol";
import { Shape } from "./types/Shape.sol";

/// @title The domains of one shape, and the public polynomials of the argument at ζ
/// @dev Twins: verifier/shape.py and verifier/domain.py. Specification, sections 2 and 4.
abstract contract ArgumentDomain is ArgumentRounds {
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

    Scalar private constant FOUR = Scalar.wrap(4);

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
    /// @dev ω^R.
    Scalar private immutable OMEGA_COLUMNS;
    /// @dev 1/ν.
    Scalar private immutable INVERSE_NU;
    /// @dev ν^(−N).
    Scalar private immutable INVERSE_NU_SLOTS;
    /// @dev ν².
    Scalar private immutable NU_SQUARED;
    /// @dev 2^d.
    Scalar private immutable RADIX;

    /// @dev The eight denominators of section 5, then their inverses.
    struct Denominators {
        Scalar sum; // k(ζ^R − 1)
        Scalar last; // k(ω^R ζ^R − 1)
        Scalar slots; // 4(ζ^N − 1)
        Scalar slotsBefore; // 4(ζ^N ν^(−N) − 1)
        Scalar link; // β − ζ
        Scalar linkBefore; // β − ζ/ν
        Scalar chunk; // ζ^R − β
        Scalar constantOne; // R(ζ − ν²)
    }

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
        RADIX = Scalar.wrap(1 << shape_.digitBits);
    }

    /// @inheritdoc IMarginVerifier
    function shape() external view returns (Shape memory) {
        return Shape({ powers: POWERS, columns: COLUMNS, digits: DIGITS, digitBits: DIGIT_BITS });
    }

    /// @dev Public values of a proof; `hint` is the inverse of the product of all denominators.
    function _publicValues(Round memory round, Scalar hint) internal view returns (PublicValues memory values) {
        Scalar zetaSlots = round.zeta;
        Scalar betaSlots = round.beta;
        for (uint256 size = SLOTS; size > 1; size >>= 1) {
            zetaSlots = zetaSlots * zetaSlots;
            betaSlots = betaSlots * betaSlots;
        }
        values.betaSlots = betaSlots;

        Scalar zetaColumns = zetaSlots * zetaSlots; // R = 4N
        zetaColumns = zetaColumns * zetaColumns;
        Scalar zetaDomain = zetaColumns; // n = kR
        for (uint256 size = DIGITS; size > 1; size >>= 1) {
            zetaDomain = zetaDomain * zetaDomain;
        }
        values.vanishing = zetaDomain - ONE;

        _setRowPowers(values, round.beta, zetaColumns);
        _setQuotients(values, round, hint, zetaSlots, zetaColumns);
    }

    /// @dev ζ^(D−R) = y^(S'−1) = y·y²·y⁴·… for y = ζ^R, and β^S'; S' = D/R ≥ 2 is a power of two.
    function _setRowPowers(PublicValues memory values, Scalar beta, Scalar zetaColumns) private view {
        Scalar square = zetaColumns;
        Scalar product = zetaColumns;
        Scalar betaRows = beta * beta;
        for (uint256 size = ROWS_PER_CHUNK; size > 2; size >>= 1) {
            square = square * square;
            product = product * square;
            betaRows = betaRows * betaRows;
        }
        values.degreeShift = product;
        values.betaRows = betaRows;
    }

    /// @dev The quotients at ζ; y = ζ^R and z = ζ^N, at ζ/ν the latter is zν^(−N), the former the same.
    function _setQuotients(
        PublicValues memory values,
        Round memory round,
        Scalar hint,
        Scalar zetaSlots,
        Scalar zetaColumns
    ) private view {
        Scalar slotsBefore = zetaSlots * INVERSE_NU_SLOTS;
        Denominators memory inverses = _denominators(round, zetaSlots, slotsBefore, zetaColumns);
        _invert(inverses, hint);

        Scalar vanishing = values.vanishing;
        values.sum = vanishing * inverses.sum;
        values.shift = RADIX * (ONE - vanishing * inverses.last);
        values.chunkQuotient = vanishing * inverses.chunk;

        Scalar columns = zetaColumns - ONE;
        values.constantOne = columns * NU_SQUARED * inverses.constantOne;
        // b(X) = σ_U(X)·(β^N − X^N)/(β − X) with σ_U(X) = (X^R − 1)/(4(X^N − 1))
        Scalar link = columns * inverses.slots * (values.betaSlots - zetaSlots) * inverses.link;
        values.link = link;
        values.linkStep = link - columns * inverses.slotsBefore * (values.betaSlots - slotsBefore) * inverses.linkBefore;
    }

    function _denominators(Round memory round, Scalar zetaSlots, Scalar slotsBefore, Scalar zetaColumns)
        private
        view
        returns (Denominators memory values)
    {
        Scalar zeta = round.zeta;
        Scalar beta = round.beta;
        Scalar digits = Scalar.wrap(DIGITS);
        values.sum = digits * (zetaColumns - ONE);
        values.last = digits * (zetaColumns * OMEGA_COLUMNS - ONE);
        values.slots = FOUR * (zetaSlots - ONE);
        values.slotsBefore = FOUR * (slotsBefore - ONE);
        values.link = beta - zeta;
        values.linkBefore = beta - zeta * INVERSE_NU;
        values.chunk = zetaColumns - beta;
        values.constantOne = Scalar.wrap(COLUMNS) * (zeta - NU_SQUARED);
    }

    /// @dev Turns all values into their inverses, walking down the tree of their products: 1/a = b·(1/ab).
    function _invert(Denominators memory values, Scalar hint) private pure {
        Scalar sums = values.sum * values.last;
        Scalar slots = values.slots * values.slotsBefore;
        Scalar links = values.link * values.linkBefore;
        Scalar poles = values.chunk * values.constantOne;
        Scalar left = sums * slots;
        Scalar right = links * poles;
        _requireInverse(hint, left * right);

        Scalar inverse = hint * right; // of left
        (values.sum, values.last) = _split(inverse * slots, values.sum, values.last);
        (values.slots, values.slotsBefore) = _split(inverse * sums, values.slots, values.slotsBefore);
        inverse = hint * left; // of right
        (values.link, values.linkBefore) = _split(inverse * poles, values.link, values.linkBefore);
        (values.chunk, values.constantOne) = _split(inverse * links, values.chunk, values.constantOne);
    }

    /// @dev From 1/(ab): 1/a and 1/b.
    function _split(Scalar inverse, Scalar first, Scalar second) private pure returns (Scalar, Scalar) {
        return (inverse * second, inverse * first);
    }

    function _requireInverse(Scalar hint, Scalar product) private pure {
        if (hint * product == ONE) return;
        if (product == ZERO) revert MarginVerifierZeroDenominator();
        revert MarginVerifierInverseHintMismatch(Scalar.unwrap(hint), Scalar.unwrap(product));
    }

    /// @dev R, k, D powers of two, R ≥ 4, n = kR ≥ 2^d, D ≥ 2n.
    function _requireSupported(Shape memory shape_) private pure {
        bool powersOfTwo = _isPowerOfTwo(shape_.powers) && _isPowerOfTwo(shape_.columns) && _isPowerOfTwo(shape_.digits);
        // The first bounds keep the products below from overflowing.
        bool supported = powersOfTwo && shape_.powers <= LARGEST_SETUP && shape_.columns <= shape_.powers
            && shape_.digits <= shape_.powers && shape_.columns >= 4 && shape_.digitBits >= 1 && shape_.digitBits < 32
            && shape_.columns * shape_.digits >= 1 << shape_.digitBits
            && shape_.powers >= 2 * shape_.columns * shape_.digits;
        if (!supported) revert MarginVerifierUnsupportedShape(shape_);
    }

    function _isPowerOfTwo(uint256 value) private pure returns (bool) {
        return value != 0 && value & (value - 1) == 0;
    }
}
