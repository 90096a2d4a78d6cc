// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IExitVerifier } from "./interfaces/IExitVerifier.sol";
import { Bls12381 } from "./libraries/Bls12381.sol";
import { DataContract } from "./libraries/DataContract.sol";
import { MarginProof } from "./libraries/MarginProof.sol";
import { PointTerms } from "./libraries/PointTerms.sol";
import { ONE, Scalar, ScalarField } from "./libraries/ScalarField.sol";
import { G1Point } from "./types/CurvePoints.sol";

/// @title ExitVerifier
/// @author The zkmargin contributors
/// @notice Checks that hidden commitments hold nothing but public amounts; see IExitVerifier. Twin: verifier/exit_proof.py.
contract ExitVerifier is IExitVerifier {
    using PointTerms for PointTerms.Terms;

    /// @dev Domain separators of the two challenges.
    bytes private constant BOOKS_LABEL = "zkmargin-exit-books-v1";
    bytes private constant CHALLENGE_LABEL = "zkmargin-exit-v1";

    /// @inheritdoc IExitVerifier
    address public immutable override basisTable;
    /// @inheritdoc IExitVerifier
    bytes32 public immutable override basisHash;
    /// @inheritdoc IExitVerifier
    uint256 public immutable override slotCount;

    uint256 private immutable _BLIND_X_HIGH;
    uint256 private immutable _BLIND_X_LOW;
    uint256 private immutable _BLIND_Y_HIGH;
    uint256 private immutable _BLIND_Y_LOW;

    /// @notice Creates a verifier for one commitment basis.
    /// @param basisTable_ Data contract with the basis points.
    /// @param basisHash_ keccak256 of these points.
    /// @param blindPoint_ H, 96 bytes.
    /// @param slots Slots that a book has.
    constructor(address basisTable_, bytes32 basisHash_, bytes memory blindPoint_, uint256 slots) {
        DataContract.requireContent(basisTable_, slots * PointTerms.POINT_BYTES, basisHash_);
        if (blindPoint_.length != PointTerms.POINT_BYTES) {
            revert ExitVerifierInvalidBlindPoint(blindPoint_);
        }
        G1Point memory point = Bls12381.decodeG1(blindPoint_);
        if ((point.xHigh | point.xLow | point.yHigh | point.yLow) == 0) {
            revert ExitVerifierInvalidBlindPoint(blindPoint_);
        }
        PointTerms.Terms memory terms = PointTerms.allocate(1);
        terms.append(point, ONE);
        // Names the point when it is off the curve or outside the subgroup.
        Bls12381.multiply(terms);
        basisTable = basisTable_;
        basisHash = basisHash_;
        slotCount = slots;
        (_BLIND_X_HIGH, _BLIND_X_LOW) = (point.xHigh, point.xLow);
        (_BLIND_Y_HIGH, _BLIND_Y_LOW) = (point.yHigh, point.yLow);
    }

    /// @inheritdoc IExitVerifier
    function requireExit(
        bytes32 context,
        bytes calldata portfolio,
        uint256[] calldata slots,
        uint64[] calldata holdings,
        bytes calldata nonce,
        uint256 response
    ) external view override {
        _checkLengths(portfolio, slots, holdings, nonce);
        bytes memory transcript = _transcript(context, portfolio, slots, holdings, nonce);
        Scalar challenge = _challenge(CHALLENGE_LABEL, transcript);
        // One multiplication, which checks every point for curve and subgroup:
        // response·H − nonce − c·Σ γ^b·C_b + c·Σ holdings·L = 0.
        PointTerms.Terms memory terms =
            PointTerms.allocate(2 + portfolio.length / PointTerms.POINT_BYTES + slots.length);
        terms.append(_BLIND_X_HIGH, _BLIND_X_LOW, _BLIND_Y_HIGH, _BLIND_Y_LOW, ScalarField.fromCanonical(response));
        terms.append(MarginProof.location(nonce), -ONE);
        _appendPortfolio(terms, portfolio, -challenge, _challenge(BOOKS_LABEL, transcript));
        _appendHoldings(terms, slots, holdings, challenge);
        G1Point memory sum = Bls12381.multiply(terms);
        if ((sum.xHigh | sum.xLow | sum.yHigh | sum.yLow) != 0) {
            revert ExitVerifierRejected();
        }
    }

    /// @inheritdoc IExitVerifier
    function blindPoint() external view override returns (bytes memory) {
        return abi.encodePacked(uint128(_BLIND_X_HIGH), _BLIND_X_LOW, uint128(_BLIND_Y_HIGH), _BLIND_Y_LOW);
    }

    /// @dev Adds −c·γ^b·C_b for every book.
    function _appendPortfolio(
        PointTerms.Terms memory terms,
        bytes calldata portfolio,
        Scalar negatedChallenge,
        Scalar booksChallenge
    ) private pure {
        Scalar scalar = negatedChallenge;
        uint256 place = MarginProof.location(portfolio);
        for (uint256 offset = 0; offset < portfolio.length; offset += PointTerms.POINT_BYTES) {
            terms.append(place + offset, scalar);
            scalar = scalar * booksChallenge;
        }
    }

    /// @dev Adds c·holdings_t·L_{slots_t} for every token of which there is any.
    function _appendHoldings(
        PointTerms.Terms memory terms,
        uint256[] calldata slots,
        uint64[] calldata holdings,
        Scalar challenge
    ) private view {
        for (uint256 index = 0; index < slots.length; ++index) {
            if (slots[index] >= slotCount) {
                revert ExitVerifierSlotOutOfRange(slots[index], slotCount);
            }
            if (holdings[index] != 0) {
                terms.append(_basisPoint(slots[index]), challenge * Scalar.wrap(holdings[index]));
            }
        }
    }

    /// @dev L of a slot.
    function _basisPoint(uint256 slot) private view returns (G1Point memory) {
        return Bls12381.decodeG1(
            DataContract.read(
                basisTable, DataContract.DATA_OFFSET + slot * PointTerms.POINT_BYTES, PointTerms.POINT_BYTES
            )
        );
    }

    /// @dev Everything that both challenges are drawn from; the counts keep its parts apart.
    function _transcript(
        bytes32 context,
        bytes calldata portfolio,
        uint256[] calldata slots,
        uint64[] calldata holdings,
        bytes calldata nonce
    ) private pure returns (bytes memory) {
        uint256 books = portfolio.length / PointTerms.POINT_BYTES;
        return abi.encodePacked(context, books, slots.length, portfolio, slots, holdings, nonce);
    }

    /// @dev keccak256(label ‖ transcript) mod r.
    function _challenge(bytes memory label, bytes memory transcript) private pure returns (Scalar) {
        return ScalarField.reduce(uint256(keccak256(bytes.concat(label, transcript))));
    }

    /// @dev Reverts unless all lengths fit together.
    function _checkLengths(
        bytes calldata portfolio,
        uint256[] calldata slots,
        uint64[] calldata holdings,
        bytes calldata nonce
    ) private pure {
        if (portfolio.length == 0 || portfolio.length % PointTerms.POINT_BYTES != 0) {
            revert ExitVerifierPortfolioLength(portfolio.length);
        }
        if (holdings.length != slots.length) {
            revert ExitVerifierHoldingsLength(holdings.length, slots.length);
        }
        if (nonce.length != PointTerms.POINT_BYTES) {
            revert ExitVerifierNonceLength(nonce.length);
        }
    }
}
