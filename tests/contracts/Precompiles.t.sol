// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Bytes } from "@openzeppelin/contracts/utils/Bytes.sol";

import { CeremonyMarginVerifier } from "../../contracts/CeremonyMarginVerifier.sol";
import { PairingMarginVerifier } from "../../contracts/PairingMarginVerifier.sol";
import { Bls12381 } from "../../contracts/libraries/Bls12381.sol";
import { Commitments } from "../../contracts/libraries/Commitments.sol";
import { CurveConstants } from "../../contracts/libraries/CurveConstants.sol";
import { PointCompression } from "../../contracts/libraries/PointCompression.sol";
import { PointEvaluation } from "../../contracts/libraries/PointEvaluation.sol";
import { PointTerms } from "../../contracts/libraries/PointTerms.sol";
import { PrecompileTests } from "../../contracts/libraries/PrecompileTests.sol";
import { ONE, Scalar, ZERO } from "../../contracts/libraries/ScalarField.sol";
import { G1Point, G2Point } from "../../contracts/types/CurvePoints.sol";
import { Shape } from "../../contracts/types/Shape.sol";
import { Expectations } from "./Expectations.sol";
import { KnownSetup } from "./KnownSetup.sol";
import { vm } from "./Vm.sol";

/// @title Chains whose precompiles are absent, wrong or too lenient
/// @dev Absent ones are absent for real where the rules are Cancun's, without EIP-2537. What no rules give, an answer
/// that is wrong, is put into the precompile's mouth. That everything passes on the right ones is what all other
/// tests show.
contract PrecompilesTest is Expectations {
    using PointTerms for PointTerms.Terms;

    bytes private constant NOTHING = "";

    /// @dev The order of the base field, cut after the first 16 of its 48 bytes.
    uint128 private constant FIELD_HIGH = 0x1a0111ea397fe69a4b1ba7b6434bacd7;
    uint256 private constant FIELD_LOW = 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;

    /// @dev x of the points with y = 3·2^256 + the lower digits of the order, and with y seven below the order.
    bytes private constant LOW_ABSCISSA =
        hex"05410a0f3bb28a593d62cf89ab7dca94a97b201f22f7b81a672baf961b1f85a7874d43943659c25f11a7e086442a1f85";
    bytes private constant HIGH_ABSCISSA =
        hex"0fb1245b813f57ebe91389bec8f80c6c6a82e3c89e795d816c61150e0d6b94f06d2f77d912a02eb0ea718b9720000976";

    // --- Absent ---------------------------------------------------------------------------------------------------

    /// forge-config: default.evm_version = "cancun"
    function testNoVerifierIsMadeWithoutEip2537() external {
        bytes memory table = KnownSetup.encode(CurveConstants.generator());
        bytes memory setupPoint = new bytes(192);
        _expectFailure(Bls12381.G1_ADD, 0);
        new PairingMarginVerifier(KnownSetup.shape(), setupPoint, table);
        _expectFailure(Bls12381.G1_ADD, 0);
        new CeremonyMarginVerifier(Shape({ powers: 4096, columns: 256, digits: 4, digitBits: 10 }), table);
    }

    /// forge-config: default.evm_version = "cancun"
    function testCallsOfAbsentPrecompilesDoNotPass() external {
        G1Point memory generator = CurveConstants.generator();
        _expectFailure(Bls12381.G1_ADD, 0);
        this.add(generator, generator);
        _expectFailure(Bls12381.G1_MULTIPLY, 0);
        this.multiply(generator, ONE);
        _expectFailure(Bls12381.PAIRING, 0);
        this.pairingIsOne(generator, CurveConstants.negatedGenerator2());
        if (this.isInGroup(generator)) revert NumbersDiffer("in a group that nobody knows", 1, 0);
        bytes memory point = KnownSetup.encode(generator);
        _expectFailure(Bls12381.G1_ADD, 0);
        this.versionedHashes(point);
        _expectFailure(Bls12381.G1_MULTIPLY, 0);
        this.addMultiple(point, point, 2);
    }

    function testAbsentPointEvaluationDoesNotPass() external {
        vm.mockCall(_at(PointEvaluation.POINT_EVALUATION), NOTHING, NOTHING);
        _expectFailure(PointEvaluation.POINT_EVALUATION, 0);
        this.requireCeremony();
    }

    function testShortSha256DoesNotPass() external {
        vm.mockCall(_at(PointEvaluation.SHA256), NOTHING, new bytes(31));
        _expectFailure(PointEvaluation.SHA256, 31);
        this.requireCeremony();
    }

    // --- Wrong ----------------------------------------------------------------------------------------------------

    function testKnownAnswersCatchAWrongAddition() external {
        G1Point memory generator = CurveConstants.generator();
        vm.mockCall(_at(Bls12381.G1_ADD), abi.encode(generator, generator), abi.encode(generator));
        _expectTestFailure(Bls12381.G1_ADD);
        this.requireGroup();
    }

    function testKnownAnswersCatchAWrongMultiplication() external {
        G1Point memory generator = CurveConstants.generator();
        vm.mockCall(_at(Bls12381.G1_MULTIPLY), abi.encode(generator, 2), abi.encode(generator));
        _expectTestFailure(Bls12381.G1_MULTIPLY);
        this.requireGroup();
    }

    function testKnownAnswersCatchAMultiplicationWithoutSubgroupCheck() external {
        G1Point memory stranger = CurveConstants.pointOfOrderThree();
        vm.mockCall(_at(Bls12381.G1_MULTIPLY), abi.encode(stranger, 1), abi.encode(stranger));
        _expectTestFailure(Bls12381.G1_MULTIPLY);
        this.requireGroup();
    }

    function testKnownAnswersCatchAPointEvaluationThatAcceptsEverything() external {
        vm.mockCall(_at(PointEvaluation.POINT_EVALUATION), NOTHING, new bytes(64));
        _expectTestFailure(PointEvaluation.POINT_EVALUATION);
        this.requireCeremony();
    }

    /// @dev A chain whose precompile knows another τ: what it opens, this [τ]_1 does not.
    function testKnownAnswersCatchAnotherCeremony() external {
        G1Point memory generator = CurveConstants.generator();
        (uint256 high, uint256 low) = PointCompression.compressToWords(generator);
        if (this.opens(generator, Scalar.wrap(5), Scalar.wrap(5), high, low)) {
            revert NumbersDiffer("opens to what it is not", 1, 0);
        }
        vm.mockCallRevert(_at(PointEvaluation.POINT_EVALUATION), NOTHING, NOTHING);
        _expectTestFailure(PointEvaluation.POINT_EVALUATION);
        this.requireCeremony();
    }

    function testKnownAnswersCatchAPairingThatAcceptsEverything() external {
        vm.mockCall(_at(Bls12381.PAIRING), NOTHING, abi.encode(1));
        _expectTestFailure(Bls12381.PAIRING);
        this.isSetupPoint(CurveConstants.negatedGenerator2());
    }

    function testKnownAnswersCatchAPairingThatRejectsEverything() external {
        vm.mockCall(_at(Bls12381.PAIRING), NOTHING, abi.encode(0));
        _expectTestFailure(Bls12381.PAIRING);
        this.requireCeremony();
    }

    /// @dev −[1]_2 is no [τ]_2 of the ceremony, and infinity is nobody's.
    function testOnlyTheCeremonysPointIsTheCeremonys() external {
        _expectTestFailure(Bls12381.PAIRING);
        this.requireCeremony();
        G2Point memory infinity;
        if (this.isSetupPoint(infinity)) revert NumbersDiffer("infinity", 1, 0);
        infinity.y0Low = 1;
        _expectFailure(Bls12381.PAIRING, 0);
        this.isSetupPoint(infinity);
    }

    // --- Points that are none, and gas ------------------------------------------------------------------------------

    function testAdditionRefusesWhatIsNotOnTheCurve() external {
        G1Point memory stranger = CurveConstants.pointOfOrderThree();
        stranger.yLow = 3;
        _expectFailure(Bls12381.G1_ADD, 0);
        this.add(stranger, stranger);
    }

    /// @dev What is subtracted is negated before a precompile sees it: what was not canonical must not become so.
    function testSubtractionRefusesWhatIsNotCanonical() external {
        bytes memory nothing = new bytes(96);
        bytes memory x = Bytes.slice(KnownSetup.encode(CurveConstants.generator()), 0, 48);
        bytes[3] memory abscissas = [new bytes(48), x, abi.encodePacked(FIELD_HIGH, FIELD_LOW)];
        for (uint256 index = 0; index < abscissas.length; ++index) {
            _expectFailure(Bls12381.G1_ADD, 0);
            this.subtract(nothing, abi.encodePacked(abscissas[index], FIELD_HIGH, FIELD_LOW));
            _expectFailure(Bls12381.G1_ADD, 0);
            this.subtract(nothing, abi.encodePacked(abscissas[index], FIELD_HIGH, FIELD_LOW + 1));
            _expectFailure(Bls12381.G1_ADD, 0);
            this.subtract(nothing, abi.encodePacked(abscissas[index], type(uint128).max, type(uint256).max));
        }
        bytes memory generator = KnownSetup.encode(CurveConstants.generator());
        bytes memory negative = this.subtract(nothing, generator);
        _expect("there", negative, KnownSetup.point(ZERO - ONE));
        _expect("and back", this.subtract(nothing, negative), generator);
        _expect("nothing", this.subtract(generator, generator), nothing);
        // Points of the curve, found for it, whose y has the one or the other half of the order's digits.
        bytes memory low = abi.encodePacked(LOW_ABSCISSA, uint128(3), FIELD_LOW);
        _expect("lower digits", this.subtract(low, low), nothing);
        bytes memory high = abi.encodePacked(HIGH_ABSCISSA, FIELD_HIGH, FIELD_LOW - 7);
        _expect("upper digits", this.subtract(high, high), nothing);
    }

    /// @dev A failing precompile eats all that it is given: what the caller loses by it is bounded by what it gives.
    function testHostilePointsCostNoMoreThanABound() external view {
        G1Point memory stranger = CurveConstants.pointOfOrderThree();
        uint256 before = gasleft();
        try this.multiply(stranger, ONE) {
            revert NumbersDiffer("accepted", 1, 0);
        } catch {
            uint256 spent = before - gasleft();
            if (spent > 60_000) revert NumbersDiffer("one hostile point", spent, 60_000);
        }
        before = gasleft();
        stranger.yLow = 3;
        try this.add(stranger, stranger) {
            revert NumbersDiffer("accepted", 1, 0);
        } catch {
            uint256 spent = before - gasleft();
            if (spent > 20_000) revert NumbersDiffer("one addition", spent, 20_000);
        }
    }

    /// @dev With too little gas to ask again, the precompile is named and no point is blamed.
    function testLittleGasBlamesNoPoint() external {
        G1Point memory stranger = CurveConstants.pointOfOrderThree();
        _expectFailure(Bls12381.G1_MULTIPLY, 0);
        this.multiply{ gas: 35_000 }(stranger, ONE);
        vm.expectRevert(abi.encodeWithSelector(Bls12381.Bls12381InvalidPoint.selector, KnownSetup.encode(stranger)));
        this.multiply{ gas: 100_000 }(stranger, ONE);
    }

    // --- The libraries from outside, so that their reverts can be expected ------------------------------------------

    function add(G1Point calldata left, G1Point calldata right) external view returns (G1Point memory) {
        return Bls12381.add(left, right);
    }

    function multiply(G1Point calldata point, Scalar scalar) external view returns (G1Point memory) {
        return Bls12381.multiply(_term(point, scalar));
    }

    function isInGroup(G1Point calldata point) external view returns (bool) {
        return Bls12381.isInGroup(_term(point, ONE));
    }

    function pairingIsOne(G1Point calldata left, G2Point calldata right) external view returns (bool) {
        return Bls12381.pairingIsOne(left, right, left, right);
    }

    function opens(G1Point calldata point, Scalar z, Scalar y, uint256 high, uint256 low) external view returns (bool) {
        return PointEvaluation.opens(point, z, y, high, low);
    }

    function versionedHashes(bytes calldata points) external view returns (bytes32[] memory) {
        return Commitments.versionedHashes(points);
    }

    function addMultiple(bytes calldata sum, bytes calldata base, uint256 multiple)
        external
        view
        returns (bytes memory)
    {
        return Commitments.addMultiple(sum, base, multiple);
    }

    function subtract(bytes calldata left, bytes calldata right) external view returns (bytes memory) {
        return Commitments.subtract(left, right);
    }

    function requireGroup() external view {
        PrecompileTests.requireGroup();
    }

    /// @dev With a point that is not the ceremony's, which the last of the known answers must notice.
    function requireCeremony() external view {
        PrecompileTests.requireCeremony(CurveConstants.negatedGenerator2());
    }

    function isSetupPoint(G2Point calldata point) external view returns (bool) {
        return PrecompileTests.isSetupPoint(point);
    }

    function _term(G1Point memory point, Scalar scalar) private pure returns (PointTerms.Terms memory terms) {
        terms = PointTerms.allocate(1);
        terms.append(point, scalar);
    }

    function _expectFailure(uint256 precompile, uint256 returned) private {
        vm.expectRevert(abi.encodeWithSelector(Bls12381.Bls12381PrecompileFailed.selector, precompile, returned));
    }

    function _expectTestFailure(uint256 precompile) private {
        vm.expectRevert(abi.encodeWithSelector(PrecompileTests.PrecompileTestFailed.selector, precompile));
    }

    function _at(uint256 precompile) private pure returns (address) {
        return address(uint160(precompile));
    }
}
