// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Arithmetic of commitments
/// @author The zkmargin contributors
/// @notice Adds commitments (points of BLS12-381 in 96 bytes `x ‖ y`, infinity all zero) by the precompiles of
/// EIP-2537, and gives the EIP-4844 versioned hash of one. Twin: verifier/portfolio_commitment.py.
/// @dev A coordinate has 48 bytes; the precompiles want 64, so a point is spread over 128 bytes with zeros between.
library Commitments {
    /// @notice Bytes of a point.
    uint256 internal constant POINT_BYTES = 96;

    /// @notice keccak256 of 96 zero bytes: the hash of the commitment to nothing, before any blind.
    bytes32 internal constant INFINITY_HASH = 0x46700b4d40ac5c35af2c22dda2787a91eb567b06c924a8fb8ae9a05b20c08c21;

    // The order p of the base field and (p − 1)/2, cut after the first 16 of their 48 bytes.
    uint256 private constant FIELD_HIGH = 0x1a0111ea397fe69a4b1ba7b6434bacd7;
    uint256 private constant FIELD_LOW = 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;
    uint256 private constant HALF_HIGH = 0x0d0088f51cbff34d258dd3db21a5d66b;
    uint256 private constant HALF_LOW = 0xb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffffd555;

    // Flags of the compressed form of EIP-4844: compressed, infinity, the larger y.
    bytes16 private constant COMPRESSED_FLAG = bytes16(uint128(0x80 << 120));
    bytes16 private constant INFINITY_FLAG = bytes16(uint128(0x40 << 120));
    bytes16 private constant LARGER_FLAG = bytes16(uint128(0x20 << 120));

    uint256 private constant SPREAD_BYTES = 128;
    uint256 private constant ADDITION = 0x0b;
    uint256 private constant MULTIPLICATION = 0x0c;
    // What the precompiles cost: a call is given no more, because a failing one burns all that it is given.
    uint256 private constant ADDITION_GAS = 375;
    uint256 private constant MULTIPLICATION_GAS = 12_000;

    /// @notice The precompile rejected its input (a point off the curve, outside the subgroup or not canonical), or
    /// this chain lacks it.
    /// @param precompile Address of the precompile.
    error CommitmentsPrecompileFailed(uint256 precompile);

    /// @notice Adds two lists of commitments, point by point.
    /// @dev Addition checks that points are canonical and on the curve; it does not check the subgroup.
    /// @param left A multiple of 96 bytes.
    /// @param right As many bytes.
    /// @return sum left_i + right_i for every i.
    function add(bytes calldata left, bytes calldata right) internal view returns (bytes memory sum) {
        return _combine(left, right, false);
    }

    /// @notice Subtracts a list of commitments from another, point by point.
    /// @dev The same checks as in `add`.
    /// @param left A multiple of 96 bytes.
    /// @param right As many bytes.
    /// @return difference left_i − right_i for every i.
    function subtract(bytes calldata left, bytes calldata right) internal view returns (bytes memory difference) {
        return _combine(left, right, true);
    }

    /// @notice Adds a public multiple of a point to a commitment.
    /// @param commitment 96 bytes.
    /// @param base 96 bytes; checked to lie in the subgroup.
    /// @param scalar The multiple.
    /// @return sum commitment + scalar·base.
    function addMultiple(bytes memory commitment, bytes memory base, uint256 scalar)
        internal
        view
        returns (bytes memory sum)
    {
        bytes memory factors = new bytes(SPREAD_BYTES + 32);
        _spread(base, 0, factors, 0);
        assembly ("memory-safe") {
            mstore(add(add(factors, 32), SPREAD_BYTES), scalar)
        }
        bytes memory buffer = new bytes(2 * SPREAD_BYTES);
        _spread(commitment, 0, buffer, 0);
        _call(MULTIPLICATION, MULTIPLICATION_GAS, factors, SPREAD_BYTES + 32, buffer, SPREAD_BYTES);
        _call(ADDITION, ADDITION_GAS, buffer, 2 * SPREAD_BYTES, buffer, 0);
        sum = new bytes(POINT_BYTES);
        _gather(buffer, sum, 0);
    }

    /// @notice Reverts unless every point is canonical and on the curve.
    /// @param points A multiple of 96 bytes.
    function requireOnCurve(bytes memory points) internal view {
        bytes memory buffer = new bytes(2 * SPREAD_BYTES);
        bytes memory sum = new bytes(SPREAD_BYTES);
        for (uint256 offset = 0; offset < points.length; offset += POINT_BYTES) {
            // The second summand stays infinity.
            _spread(points, offset, buffer, 0);
            _call(ADDITION, ADDITION_GAS, buffer, 2 * SPREAD_BYTES, sum, 0);
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

    /// @notice The hash by which a blob transaction names the blob that has this commitment:
    /// 0x01 ‖ sha256(compressed)[1:] (EIP-4844).
    /// @param point 96 bytes, canonical.
    /// @return The versioned hash.
    function versionedHash(bytes calldata point) internal pure returns (bytes32) {
        bytes16 xHigh = bytes16(point[0:16]);
        bytes32 xLow = bytes32(point[16:48]);
        uint256 yHigh = uint128(bytes16(point[48:64]));
        uint256 yLow = uint256(bytes32(point[64:96]));
        if (yHigh == 0 && yLow == 0) {
            xHigh |= INFINITY_FLAG;
        } else if (yHigh > HALF_HIGH || (yHigh == HALF_HIGH && yLow > HALF_LOW)) {
            xHigh |= LARGER_FLAG;
        }
        bytes32 digest = sha256(abi.encodePacked(xHigh | COMPRESSED_FLAG, xLow));
        return bytes32((uint256(digest) & (type(uint256).max >> 8)) | (uint256(1) << 248));
    }

    /// @dev left_i + right_i, or left_i − right_i.
    function _combine(bytes memory left, bytes memory right, bool negated)
        private
        view
        returns (bytes memory result)
    {
        result = new bytes(left.length);
        bytes memory buffer = new bytes(2 * SPREAD_BYTES);
        for (uint256 offset = 0; offset < left.length; offset += POINT_BYTES) {
            _spread(left, offset, buffer, 0);
            _spread(right, offset, buffer, SPREAD_BYTES);
            if (negated) {
                _negate(buffer, SPREAD_BYTES);
            }
            _call(ADDITION, ADDITION_GAS, buffer, 2 * SPREAD_BYTES, buffer, 0);
            _gather(buffer, result, offset);
        }
    }

    /// @dev Writes the 96-byte point at `from` of `points` as 128 bytes at `to` of `buffer`.
    function _spread(bytes memory points, uint256 from, bytes memory buffer, uint256 to) private pure {
        assembly ("memory-safe") {
            let source := add(add(points, 32), from)
            let target := add(add(buffer, 32), to)
            mstore(target, 0)
            mcopy(add(target, 16), source, 48) // x
            mstore(add(target, 64), 0)
            mcopy(add(target, 80), add(source, 48), 48) // y
        }
    }

    /// @dev Writes the 128-byte point at the start of `buffer` as 96 bytes at `to` of `points`.
    function _gather(bytes memory buffer, bytes memory points, uint256 to) private pure {
        assembly ("memory-safe") {
            let target := add(add(points, 32), to)
            mcopy(target, add(buffer, 48), 48) // x
            mcopy(add(target, 48), add(buffer, 112), 48) // y
        }
    }

    /// @dev Replaces the 128-byte point at `at` of `buffer` by its negative: y := p − y, infinity stays. A y that is
    /// not canonical gives another one that is not, which the precompile rejects.
    function _negate(bytes memory buffer, uint256 at) private pure {
        assembly ("memory-safe") {
            let y := add(add(buffer, 96), at)
            let high := mload(y)
            let low := mload(add(y, 32))
            if or(high, low) {
                let borrow := gt(low, FIELD_LOW)
                let difference := sub(sub(FIELD_HIGH, high), borrow)
                mstore(y, and(difference, 0xffffffffffffffffffffffffffffffff))
                mstore(add(y, 32), sub(FIELD_LOW, low))
            }
        }
    }

    /// @dev Calls a precompile with the first `length` bytes of `input`; a point comes back at `at` of `output`.
    function _call(
        uint256 precompile,
        uint256 gasLimit,
        bytes memory input,
        uint256 length,
        bytes memory output,
        uint256 at
    ) private view {
        bool success;
        uint256 size;
        assembly ("memory-safe") {
            success := staticcall(gasLimit, precompile, add(input, 32), length, add(add(output, 32), at), SPREAD_BYTES)
            size := returndatasize()
        }
        if (!success || size != SPREAD_BYTES) {
            revert CommitmentsPrecompileFailed(precompile);
        }
    }
}
