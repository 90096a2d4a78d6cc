// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { G1Point } from "../types/CurvePoints.sol";
import { Bls12381 } from "./Bls12381.sol";
import { PointCompression } from "./PointCompression.sol";
import { PointEvaluation } from "./PointEvaluation.sol";
import { PointTerms } from "./PointTerms.sol";
import { Scalar } from "./ScalarField.sol";

/// @title Arithmetic of commitments
/// @author The zkmargin contributors
/// @notice Adds lists of commitments (points of 96 bytes `x ‖ y`, infinity all zero), and gives the EIP-4844 versioned
/// hash of one. Twin: verifier/portfolio_commitment.py.
/// @dev Addition checks that points are canonical and on the curve; it does not check the subgroup. A sum that then
/// passes a margin proof lies in the subgroup, and so did the summand.
library Commitments {
    using PointTerms for PointTerms.Terms;

    /// @notice Bytes of a point.
    uint256 internal constant POINT_BYTES = 96;

    /// @notice keccak256 of 96 zero bytes: the hash of the commitment to nothing, before any blind.
    bytes32 internal constant INFINITY_HASH = 0x46700b4d40ac5c35af2c22dda2787a91eb567b06c924a8fb8ae9a05b20c08c21;

    /// @dev The order p of the base field, cut after the first 16 of its 48 bytes.
    uint256 private constant FIELD_HIGH = 0x1a0111ea397fe69a4b1ba7b6434bacd7;
    uint256 private constant FIELD_LOW = 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;

    /// @notice Adds two lists of commitments, point by point.
    /// @param left A multiple of 96 bytes.
    /// @param right As many bytes.
    /// @return sums left_i + right_i for every i.
    function add(bytes memory left, bytes memory right) internal view returns (bytes memory sums) {
        sums = new bytes(left.length);
        for (uint256 offset = 0; offset < left.length; offset += POINT_BYTES) {
            _write(sums, offset, Bls12381.add(_read(left, offset), _read(right, offset)));
        }
    }

    /// @notice Subtracts a list of commitments from another, point by point.
    /// @param left A multiple of 96 bytes.
    /// @param right As many bytes.
    /// @return differences left_i − right_i for every i.
    function subtract(bytes memory left, bytes memory right) internal view returns (bytes memory differences) {
        differences = new bytes(left.length);
        for (uint256 offset = 0; offset < left.length; offset += POINT_BYTES) {
            _write(differences, offset, Bls12381.add(_read(left, offset), _negate(_read(right, offset))));
        }
    }

    /// @notice Adds a commitment of one list to one of another or subtracts it, in place.
    /// @param points List that is changed.
    /// @param index Position of the commitment in it; must be within the list.
    /// @param others The other list.
    /// @param position Position in that list; must be within it.
    /// @param minus Whether to subtract.
    function combineAt(bytes memory points, uint256 index, bytes memory others, uint256 position, bool minus)
        internal
        view
    {
        G1Point memory other = _read(others, position * POINT_BYTES);
        G1Point memory sum = Bls12381.add(_read(points, index * POINT_BYTES), minus ? _negate(other) : other);
        _write(points, index * POINT_BYTES, sum);
    }

    /// @notice Adds a public multiple of a point to a commitment.
    /// @param commitment 96 bytes.
    /// @param base 96 bytes; the multiplication checks that it lies in the subgroup.
    /// @param multiple The multiple, below the group order.
    /// @return sum commitment + multiple·base.
    function addMultiple(bytes memory commitment, bytes memory base, uint256 multiple)
        internal
        view
        returns (bytes memory sum)
    {
        PointTerms.Terms memory terms = PointTerms.allocate(1);
        terms.append(_read(base, 0), Scalar.wrap(multiple));
        sum = new bytes(POINT_BYTES);
        _write(sum, 0, Bls12381.add(_read(commitment, 0), Bls12381.multiply(terms)));
    }

    /// @notice Takes a public multiple of a point away from the first commitment of a list, in place.
    /// @param commitments A multiple of 96 bytes, at least one.
    /// @param base 96 bytes; the multiplication checks that it lies in the subgroup.
    /// @param multiple The multiple, below the group order.
    function subtractMultiple(bytes memory commitments, bytes memory base, uint256 multiple) internal view {
        PointTerms.Terms memory terms = PointTerms.allocate(1);
        terms.append(_read(base, 0), -Scalar.wrap(multiple));
        _write(commitments, 0, Bls12381.add(_read(commitments, 0), Bls12381.multiply(terms)));
    }

    /// @notice The hashes by which blob transactions name the blobs that have these commitments:
    /// 0x01 ‖ sha256(compressed)[1:] (EIP-4844). Reverts unless every point is canonical and on the curve.
    /// @param points A multiple of 96 bytes.
    /// @return hashes One versioned hash for each point.
    function versionedHashes(bytes memory points) internal view returns (bytes32[] memory hashes) {
        hashes = new bytes32[](points.length / POINT_BYTES);
        G1Point memory infinity;
        for (uint256 index = 0; index < hashes.length; ++index) {
            // Adding nothing makes the precompile look at the encoding and at the curve equation.
            G1Point memory point = Bls12381.add(_read(points, index * POINT_BYTES), infinity);
            (uint256 high, uint256 low) = PointCompression.compressToWords(point);
            hashes[index] = PointEvaluation.versionedHash(high, low);
        }
    }

    /// @notice Hash of one commitment of a list.
    /// @param points A multiple of 96 bytes.
    /// @param index Position of the commitment; must be within the list.
    /// @return hash keccak256 of its 96 bytes.
    function hashAt(bytes memory points, uint256 index) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            hash := keccak256(add(add(points, 32), mul(index, POINT_BYTES)), POINT_BYTES)
        }
    }

    /// @dev The point at `offset`.
    function _read(bytes memory points, uint256 offset) private pure returns (G1Point memory point) {
        assembly ("memory-safe") {
            let source := add(add(points, 32), offset)
            mstore(point, shr(128, mload(source))) // x: first 16 of 48 bytes
            mstore(add(point, 0x20), mload(add(source, 16)))
            mstore(add(point, 0x40), shr(128, mload(add(source, 48)))) // y
            mstore(add(point, 0x60), mload(add(source, 64)))
        }
    }

    /// @dev Writes the point at `offset`.
    function _write(bytes memory points, uint256 offset, G1Point memory point) private pure {
        assembly ("memory-safe") {
            let target := add(add(points, 32), offset)
            mcopy(target, add(point, 16), 48) // x
            mcopy(add(target, 48), add(point, 80), 48) // y
        }
    }

    /// @dev −point: y becomes p − y. Infinity stays, and so does y = p, which would become infinity; any other y above p
    /// becomes one above p again, since the subtraction borrows from 48 bytes. The precompile rejects what is above p.
    function _negate(G1Point memory point) private pure returns (G1Point memory) {
        bool isInfinity = (point.yHigh | point.yLow) == 0;
        bool isField = point.yHigh == FIELD_HIGH && point.yLow == FIELD_LOW;
        if (!isInfinity && !isField) {
            // Wraps on purpose: subtraction modulo 2^384 in two parts.
            unchecked {
                uint256 borrow = point.yLow > FIELD_LOW ? 1 : 0;
                point.yHigh = uint128(FIELD_HIGH - point.yHigh - borrow);
                point.yLow = FIELD_LOW - point.yLow;
            }
        }
        return point;
    }
}
