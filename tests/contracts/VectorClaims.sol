// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MarginProof } from "../../contracts/libraries/MarginProof.sol";
import { Scalar } from "../../contracts/libraries/ScalarField.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { Shape } from "../../contracts/types/Shape.sol";
import { CeremonyHintMaker } from "./CeremonyHintMaker.sol";
import { vm } from "./Vm.sol";

/// @title Claims from the conformance vectors in tests/vectors
library VectorClaims {
    /// @notice The precompile of modular powers failed.
    error VectorClaimsModularPowerFailed();

    uint256 private constant MODULAR_POWER = 0x05;

    /// @dev p, the order of the base field, and (p + 1)/4, whose power is a square root.
    bytes private constant FIELD = hex"1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f624"
        hex"1eabfffeb153ffffb9feffffffffaaab";
    bytes private constant ROOT_EXPONENT = hex"0680447a8e5ff9a692c6e9ed90d2eb35d91dd2e13ce144afd9cc34a83dac3d89"
        hex"07aaffffac54ffffee7fbfffffffeaab";

    /// @notice The text of a vector.
    /// @param name Its path below tests/vectors, without ".json".
    function load(string memory name) internal view returns (string memory json) {
        return vm.readFile(string.concat("tests/vectors/", name, ".json"));
    }

    /// @notice A verifier for the vector's shape.
    function deployVerifier(string memory json) internal returns (CeremonyHintMaker) {
        return new CeremonyHintMaker(shape(json), vm.parseJsonBytes(json, ".table_commitment"));
    }

    /// @notice The vector's shape.
    function shape(string memory json) internal pure returns (Shape memory) {
        return Shape({
            powers: vm.parseJsonUint(json, ".shape.D"),
            columns: vm.parseJsonUint(json, ".shape.R"),
            digits: vm.parseJsonUint(json, ".shape.k"),
            digitBits: vm.parseJsonUint(json, ".shape.d")
        });
    }

    /// @notice The vector's statement and proof, with a hint of 80 bytes for a batch.
    function longClaim(CeremonyHintMaker maker, string memory json) internal view returns (MarginClaim memory claim) {
        claim = _withoutHint(json);
        (Scalar beta, Scalar zeta) = maker.challenges(claim);
        bytes memory opening = new bytes(MarginProof.COMPRESSED_BYTES);
        uint256 start = claim.proof.length - MarginProof.evaluationsLength(claim.books) - opening.length;
        for (uint256 i = 0; i < opening.length; ++i) {
            opening[i] = claim.proof[start + i];
        }
        claim.hint = abi.encodePacked(maker.denominatorProduct(beta, zeta).inverse(), _ordinate(opening));
    }

    /// @notice The same with a hint of 32 bytes, for one claim.
    function shortClaim(CeremonyHintMaker maker, string memory json) internal view returns (MarginClaim memory claim) {
        claim = _withoutHint(json);
        (Scalar beta, Scalar zeta) = maker.challenges(claim);
        claim.hint = abi.encode(maker.denominatorProduct(beta, zeta).inverse());
    }

    function _withoutHint(string memory json) private pure returns (MarginClaim memory claim) {
        claim.context = vm.parseJsonBytes32(json, ".context");
        claim.books = vm.parseJsonUint(json, ".books");
        claim.portfolio = _concatenated(vm.parseJsonBytesArray(json, ".portfolio_commitments"));
        for (uint256 book = 0; book < claim.books; ++book) {
            string memory key = string.concat(".matrix_commitments[", vm.toString(book), "]");
            claim.matrix = bytes.concat(claim.matrix, _concatenated(vm.parseJsonBytesArray(json, key)));
        }
        claim.proof = vm.parseJsonBytes(json, ".proof");
        claim.hint = new bytes(80);
    }

    function _concatenated(bytes[] memory parts) private pure returns (bytes memory whole) {
        for (uint256 i = 0; i < parts.length; ++i) {
            whole = bytes.concat(whole, parts[i]);
        }
    }

    /// @dev y of a compressed point: the root of x³ + 4 that the flag 0x20 names.
    function _ordinate(bytes memory compressed) private view returns (bytes memory root) {
        bool larger = compressed[0] & 0x20 != 0;
        compressed[0] &= 0x1f;
        (uint256 high, uint256 low) = _words(_modularPower(compressed, hex"03"));
        unchecked {
            // Wraps on purpose: adds 4 to a number below p of 384 bits in two parts.
            if (low + 4 < low) ++high;
            root = _modularPower(abi.encodePacked(uint128(high), low + 4), ROOT_EXPONENT);
        }
        bytes memory other = _negated(root);
        return (keccak256(_larger(root, other)) == keccak256(root)) == larger ? root : other;
    }

    function _negated(bytes memory value) private pure returns (bytes memory) {
        (uint256 high, uint256 low) = _words(value);
        (uint256 fieldHigh, uint256 fieldLow) = _words(FIELD);
        unchecked {
            // Wraps on purpose: subtraction in two parts, from a number that is not smaller.
            return abi.encodePacked(uint128(fieldHigh - high - (low > fieldLow ? 1 : 0)), fieldLow - low);
        }
    }

    function _larger(bytes memory left, bytes memory right) private pure returns (bytes memory) {
        (uint256 leftHigh, uint256 leftLow) = _words(left);
        (uint256 rightHigh, uint256 rightLow) = _words(right);
        return leftHigh > rightHigh || (leftHigh == rightHigh && leftLow > rightLow) ? left : right;
    }

    /// @dev 48 bytes as a number of 16 and one of 32 bytes.
    function _words(bytes memory value) private pure returns (uint256 high, uint256 low) {
        assembly ("memory-safe") {
            high := shr(128, mload(add(value, 32)))
            low := mload(add(value, 48))
        }
    }

    function _modularPower(bytes memory base, bytes memory exponent) private view returns (bytes memory power) {
        bytes memory lengths = abi.encode(base.length, exponent.length, FIELD.length);
        bool success;
        (success, power) = address(uint160(MODULAR_POWER)).staticcall(abi.encodePacked(lengths, base, exponent, FIELD));
        if (!success || power.length != FIELD.length) revert VectorClaimsModularPowerFailed();
    }
}
