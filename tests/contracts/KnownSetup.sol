// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { PairingMarginVerifier } from "../../contracts/PairingMarginVerifier.sol";
import { Bls12381 } from "../../contracts/libraries/Bls12381.sol";
import { CurveConstants } from "../../contracts/libraries/CurveConstants.sol";
import { PointTerms } from "../../contracts/libraries/PointTerms.sol";
import { SCALAR_MODULUS, ZERO, Scalar, ScalarField } from "../../contracts/libraries/ScalarField.sol";
import { G1Point } from "../../contracts/types/CurvePoints.sol";
import { Shape } from "../../contracts/types/Shape.sol";

/// @title An insecure setup: its τ is written below, so that anybody can forge proofs under it
/// @dev For tests alone. The shape is tiny: N = 4 slots, n = 32, columns below 2^10, 4 rows a chunk.
library KnownSetup {
    using PointTerms for PointTerms.Terms;

    error KnownSetupPrecompileFailed();

    /// @notice τ, which nobody may know of a setup in use.
    Scalar internal constant INSECURE_TAU = Scalar.wrap(0x1234567890abcdef1234567890abcdef1234567890abcdef);

    uint256 private constant MODULAR_POWER = 0x05;
    uint256 private constant G2_MULTIPLY = 0x0e;

    /// @notice The tiny shape.
    function shape() internal pure returns (Shape memory) {
        return Shape({ powers: 64, columns: 16, digits: 2, digitBits: 5 });
    }

    /// @notice A verifier for the setup.
    function deployVerifier() internal returns (PairingMarginVerifier) {
        return new PairingMarginVerifier(shape(), setupPoint(), table());
    }

    /// @notice scalar·[1]_1 as 96 bytes.
    function point(Scalar scalar) internal view returns (bytes memory) {
        return encode(multiply(CurveConstants.generator(), scalar));
    }

    /// @notice scalar·point.
    function multiply(G1Point memory base, Scalar scalar) internal view returns (G1Point memory) {
        PointTerms.Terms memory terms = PointTerms.allocate(1);
        terms.append(base, scalar);
        return Bls12381.multiply(terms);
    }

    /// @notice The inverse of a scalar that is not zero, by the precompile: far less work than by its powers.
    function invert(Scalar value) internal view returns (Scalar) {
        (bool success, bytes memory output) = address(uint160(MODULAR_POWER))
            .staticcall(abi.encode(32, 32, 32, value, SCALAR_MODULUS - 2, SCALAR_MODULUS));
        if (!success || output.length != 32) revert KnownSetupPrecompileFailed();
        return ScalarField.fromCanonical(abi.decode(output, (uint256)));
    }

    /// @notice The 96 bytes x ‖ y of a point.
    function encode(G1Point memory value) internal pure returns (bytes memory) {
        return abi.encodePacked(uint128(value.xHigh), value.xLow, uint128(value.yHigh), value.yLow);
    }

    /// @notice [τ]_2 as 192 bytes, by the multiplication of EIP-2537 in G2.
    function setupPoint() internal view returns (bytes memory) {
        bytes memory input = abi.encode(CurveConstants.negatedGenerator2(), Scalar.unwrap(-INSECURE_TAU));
        (bool success, bytes memory output) = address(uint160(G2_MULTIPLY)).staticcall(input);
        if (!success || output.length != 256) revert KnownSetupPrecompileFailed();
        uint256[8] memory words = abi.decode(output, (uint256[8]));
        return abi.encodePacked(
            abi.encodePacked(uint128(words[0]), words[1], uint128(words[2]), words[3]),
            abi.encodePacked(uint128(words[4]), words[5], uint128(words[6]), words[7])
        );
    }

    /// @notice λ_i(z) = ω^i·(z^n − 1)/(n·(z − ω^i)), the Lagrange polynomial over the n-th roots of unity; z is none of them.
    function lagrange(uint256 size, uint256 index, Scalar z) internal pure returns (Scalar) {
        Scalar root = ScalarField.rootOfUnity(size).power(index);
        return root * (z.power(size) - Scalar.wrap(1)) * (Scalar.wrap(size) * (z - root)).inverse();
    }

    /// @notice [T]: Σ min(i, 2^d − 1)·λ_i(τ).
    function table() internal view returns (bytes memory) {
        Shape memory shape_ = shape();
        uint256 size = shape_.columns * shape_.digits;
        Scalar value = ZERO;
        for (uint256 i = 0; i < size; ++i) {
            uint256 entry = i < 1 << shape_.digitBits ? i : (1 << shape_.digitBits) - 1;
            value = value + Scalar.wrap(entry) * lagrange(size, i, INSECURE_TAU);
        }
        return point(value);
    }

    /// @notice Of a slot at this position: the logarithm of Λ_4j + Λ_(4j+1), what it adds to a book's mask while it is dead.
    function maskWeight(uint256 position) internal pure returns (Scalar) {
        uint256 columns = shape().columns;
        return lagrange(columns, 4 * position, INSECURE_TAU) + lagrange(columns, 4 * position + 1, INSECURE_TAU);
    }

    /// @notice These points of all positions, 96 bytes each.
    function maskTable() internal view returns (bytes memory points) {
        for (uint256 position = 0; position < shape().columns / 4; ++position) {
            points = bytes.concat(points, point(maskWeight(position)));
        }
    }
}
