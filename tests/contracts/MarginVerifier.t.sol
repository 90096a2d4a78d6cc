// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { CeremonyMarginVerifier } from "../../contracts/CeremonyMarginVerifier.sol";
import { PairingMarginVerifier } from "../../contracts/PairingMarginVerifier.sol";
import { IMarginVerifier } from "../../contracts/interfaces/IMarginVerifier.sol";
import { Bls12381 } from "../../contracts/libraries/Bls12381.sol";
import { CurveConstants } from "../../contracts/libraries/CurveConstants.sol";
import { PointCompression } from "../../contracts/libraries/PointCompression.sol";
import { SCALAR_MODULUS, Scalar, ScalarField } from "../../contracts/libraries/ScalarField.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { Shape } from "../../contracts/types/Shape.sol";
import { Expectations } from "./Expectations.sol";
import { KnownSetup } from "./KnownSetup.sol";
import { SimulatedProver } from "./SimulatedProver.sol";
import { vm } from "./Vm.sol";

/// @title The margin verifier on simulated proofs of statements of every size
contract MarginVerifierTest is Expectations {
    SimulatedProver private _prover;
    PairingMarginVerifier private _verifier;
    CeremonyMarginVerifier private _ceremonyVerifier;

    function setUp() external {
        _prover = new SimulatedProver();
        _verifier = KnownSetup.deployVerifier();
        Shape memory standard = Shape({ powers: 4096, columns: 512, digits: 4, digitBits: 11 });
        _ceremonyVerifier = new CeremonyMarginVerifier(standard, KnownSetup.encode(CurveConstants.generator()));
    }

    /// @dev Any context, number of books and number of chunks.
    function testFuzzAcceptsSimulatedProofs(bytes32 context, uint8 bookSeed, uint8 chunkSeed) external view {
        _verifier.verify(_claim(context, 1 + bookSeed % 4, 1 + chunkSeed % 5));
    }

    /// @dev Any batch, with and without shared rules.
    function testFuzzAcceptsBatches(bytes32 seed, uint8 countSeed) external view {
        uint256 count = 1 + countSeed % 4;
        MarginClaim[] memory claims = new MarginClaim[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 digest = uint256(keccak256(abi.encode(seed, i)));
            claims[i] = _claim(bytes32(digest), 1 + digest % 3, 1 + (digest >> 8) % 3);
        }
        _verifier.verifyBatch(claims);
    }

    function testFuzzRejectsAnotherContext(bytes32 context, bytes32 other) external {
        vm.assume(context != other);
        MarginClaim memory claim = _claim(context, 1, 1);
        claim.context = other;
        claim.hint = _hint(claim);
        vm.expectRevert(IMarginVerifier.MarginVerifierRejected.selector);
        _verifier.verify(claim);
    }

    /// @dev Errors that would cancel under equal weights.
    function testRejectsSwappedOpenings() external {
        MarginClaim[] memory claims = new MarginClaim[](2);
        claims[0] = _claim("first", 1, 2);
        claims[1] = _claim("second", 1, 2);
        _verifier.verifyBatch(claims);
        for (uint256 i = 0; i < 48; ++i) {
            _swap(claims[0].proof, claims[1].proof, 7 * 96 + i);
            _swap(claims[0].hint, claims[1].hint, 32 + i);
        }
        vm.expectRevert(IMarginVerifier.MarginVerifierRejected.selector);
        _verifier.verifyBatch(claims);
    }

    function testNamesThePointOutsideTheSubgroup() external {
        bytes memory point = new bytes(96);
        point[95] = 0x02; // (0, 2) has order three
        MarginClaim memory claim = _claim("context", 1, 1);
        claim.portfolio = point;
        claim.hint = _hint(claim);
        vm.expectRevert(abi.encodeWithSelector(Bls12381.Bls12381InvalidPoint.selector, point));
        _verifier.verify(claim);
    }

    function testNamesThePrecompileWhenTheGasRunsOut() external {
        MarginClaim memory claim = _claim("context", 1, 1);
        vm.expectRevert(abi.encodeWithSelector(Bls12381.Bls12381PrecompileFailed.selector, Bls12381.G1_MULTIPLY, 0));
        _verifier.verify{ gas: 90_000 }(claim);
    }

    function testRefusesScalarsThatAreNotCanonical() external {
        MarginClaim memory claim = _claim("context", 1, 1);
        for (uint256 i = claim.proof.length - 32; i < claim.proof.length; ++i) {
            claim.proof[i] = 0xff;
        }
        claim.hint = _hint(claim);
        vm.expectRevert(abi.encodeWithSelector(ScalarField.ScalarFieldNotCanonical.selector, type(uint256).max));
        _verifier.verify(claim);
    }

    function testFuzzRefusesEveryOtherInverse(uint256 inverse) external {
        MarginClaim memory claim = _claim("context", 1, 1);
        inverse %= SCALAR_MODULUS;
        (Scalar beta, Scalar zeta) = _prover.challenges(claim);
        Scalar product = _prover.denominatorProduct(beta, zeta);
        vm.assume(inverse != Scalar.unwrap(product.inverse()));
        claim.hint = abi.encodePacked(inverse, new bytes(48));
        vm.expectRevert(
            abi.encodeWithSelector(
                IMarginVerifier.MarginVerifierInverseHintMismatch.selector, inverse, Scalar.unwrap(product)
            )
        );
        _verifier.verify(claim);
    }

    function testRefusesTheOtherOrdinate() external {
        MarginClaim memory claim = _claim("context", 1, 1);
        claim.proof[7 * 96] ^= 0x20;
        vm.expectPartialRevert(PointCompression.PointCompressionMismatch.selector);
        _verifier.verify(claim);
    }

    function testRefusesAnEmptyBatch() external {
        vm.expectRevert(IMarginVerifier.MarginVerifierNoClaims.selector);
        _verifier.verifyBatch(new MarginClaim[](0));
    }

    /// @dev Alone and in a batch.
    function testRefusesWrongLengths() external {
        MarginClaim memory claim = _claim("context", 1, 1);
        bytes memory proof = claim.proof;
        claim.proof = new bytes(879);
        _expectRefused(claim, abi.encodeWithSelector(IMarginVerifier.MarginVerifierProofLength.selector, 879, 880));
        claim.proof = proof;

        claim.hint = new bytes(32);
        _expectRefused(claim, abi.encodeWithSelector(IMarginVerifier.MarginVerifierHintLength.selector, 32, 80));

        bytes memory matrix = claim.matrix;
        claim.matrix = "";
        _expectRefused(claim, abi.encodeWithSelector(IMarginVerifier.MarginVerifierMatrixLength.selector, 0, 1));
        claim.matrix = bytes.concat(matrix, hex"00");
        _expectRefused(claim, abi.encodeWithSelector(IMarginVerifier.MarginVerifierMatrixLength.selector, 97, 1));
        claim.matrix = matrix;

        claim.books = 2;
        _expectRefused(claim, abi.encodeWithSelector(IMarginVerifier.MarginVerifierPortfolioLength.selector, 96, 192));

        claim.books = 0;
        _expectRefused(claim, abi.encodeWithSelector(IMarginVerifier.MarginVerifierBooksOutOfRange.selector, 0, 256));
        claim.books = 257;
        _expectRefused(claim, abi.encodeWithSelector(IMarginVerifier.MarginVerifierBooksOutOfRange.selector, 257, 256));
    }

    function testRefusesUnsupportedShapes() external {
        bytes memory setupPoint = KnownSetup.setupPoint();
        bytes memory table = KnownSetup.table();
        Shape[2] memory shapes = [
            Shape({ powers: 64, columns: 16, digits: 4, digitBits: 5 }), // D < 2n
            Shape({ powers: 256, columns: 4, digits: 32, digitBits: 6 }) // B·R·2^62·2^(dk) > r
        ];
        for (uint256 i = 0; i < shapes.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IMarginVerifier.MarginVerifierUnsupportedShape.selector, shapes[i]));
            new PairingMarginVerifier(shapes[i], setupPoint, table);
        }
    }

    function testRefusesInfinityAsSetup() external {
        bytes memory table = KnownSetup.table();
        bytes memory infinity = new bytes(192);
        vm.expectRevert(abi.encodeWithSelector(IMarginVerifier.MarginVerifierInvalidSetup.selector, infinity));
        new PairingMarginVerifier(KnownSetup.shape(), infinity, table);
    }

    /// @dev A polynomial with the value f at τ and y at z: its opening is (f − y)/(τ − z).
    function testFuzzAcceptsOpenings(uint256 fSeed, uint256 zSeed, uint256 ySeed) external view {
        (Scalar f, Scalar z, Scalar y) =
            (ScalarField.reduce(fSeed), ScalarField.reduce(zSeed), ScalarField.reduce(ySeed));
        vm.assume(!(z == KnownSetup.INSECURE_TAU));
        _verifier.requireOpening(KnownSetup.point(f), Scalar.unwrap(z), Scalar.unwrap(y), _opening(f, z, y));
    }

    function testFuzzRejectsOtherValues(uint256 fSeed, uint256 zSeed, uint256 ySeed, uint256 otherSeed) external {
        (Scalar f, Scalar z, Scalar y) =
            (ScalarField.reduce(fSeed), ScalarField.reduce(zSeed), ScalarField.reduce(ySeed));
        Scalar other = ScalarField.reduce(otherSeed);
        vm.assume(!(y == other) && !(z == KnownSetup.INSECURE_TAU));
        bytes memory commitment = KnownSetup.point(f);
        bytes memory opening = _opening(f, z, y);
        vm.expectRevert(IMarginVerifier.MarginVerifierRejected.selector);
        _verifier.requireOpening(commitment, Scalar.unwrap(z), Scalar.unwrap(other), opening);
    }

    function testOpeningsOfTheConstantAndOfNothing() external view {
        _verifier.requireOpening(KnownSetup.point(Scalar.wrap(7)), 123, 7, new bytes(96));
        _verifier.requireOpening(new bytes(96), 123, 0, new bytes(96));
    }

    /// @dev X itself, whose commitment is the ceremony's [τ]_1, opens at z to z with [1]_1.
    function testFuzzCeremonyOpenings(uint256 zSeed, uint256 otherSeed) external {
        bytes memory generator = KnownSetup.encode(CurveConstants.generator());
        bytes memory power = KnownSetup.encode(CurveConstants.ceremonyPoint());
        (uint256 z, uint256 other) = (zSeed % SCALAR_MODULUS, otherSeed % SCALAR_MODULUS);
        vm.assume(z != other);
        _ceremonyVerifier.requireOpening(power, z, z, generator);
        vm.expectRevert(IMarginVerifier.MarginVerifierRejected.selector);
        _ceremonyVerifier.requireOpening(power, z, other, generator);
        // The precompile sees no more of an ordinate than its sign; the whole point is checked before.
        power[95] ^= 0x01;
        vm.expectRevert(abi.encodeWithSelector(Bls12381.Bls12381InvalidPoint.selector, power));
        _ceremonyVerifier.requireOpening(power, z, z, generator);
    }

    function testRefusesMalformedOpenings() external {
        bytes memory point = KnownSetup.point(Scalar.wrap(7));
        bytes memory outside = new bytes(96);
        outside[95] = 0x02; // (0, 2) has order three
        vm.expectRevert(abi.encodeWithSelector(IMarginVerifier.MarginVerifierCommitmentLength.selector, 95));
        _verifier.requireOpening(new bytes(95), 1, 1, point);
        vm.expectRevert(abi.encodeWithSelector(IMarginVerifier.MarginVerifierOpeningLength.selector, 48, 96));
        _verifier.requireOpening(point, 1, 1, new bytes(48));
        vm.expectRevert(abi.encodeWithSelector(ScalarField.ScalarFieldNotCanonical.selector, SCALAR_MODULUS));
        _verifier.requireOpening(point, SCALAR_MODULUS, 1, point);
        vm.expectRevert(abi.encodeWithSelector(ScalarField.ScalarFieldNotCanonical.selector, SCALAR_MODULUS + 1));
        _verifier.requireOpening(point, 1, SCALAR_MODULUS + 1, point);
        vm.expectRevert(abi.encodeWithSelector(Bls12381.Bls12381InvalidPoint.selector, outside));
        _verifier.requireOpening(outside, 1, 1, point);
        vm.expectRevert(abi.encodeWithSelector(Bls12381.Bls12381InvalidPoint.selector, outside));
        _verifier.requireOpening(point, 0, 1, outside);
    }

    function _expectRefused(MarginClaim memory claim, bytes memory refusal) private {
        vm.expectRevert(refusal);
        _verifier.verify(claim);
        MarginClaim[] memory claims = new MarginClaim[](1);
        claims[0] = claim;
        vm.expectRevert(refusal);
        _verifier.verifyBatch(claims);
    }

    /// @dev [(f − y)/(τ − z)]_1.
    function _opening(Scalar f, Scalar z, Scalar y) private view returns (bytes memory) {
        return KnownSetup.point((f - y) * (KnownSetup.INSECURE_TAU - z).inverse());
    }

    function _claim(bytes32 context, uint256 books, uint256 chunks) private view returns (MarginClaim memory) {
        return _prover.simulate(context, books, _points("portfolio", books), _points("matrix", books * chunks));
    }

    function _points(string memory seed, uint256 count) private view returns (bytes memory points) {
        for (uint256 i = 0; i < count; ++i) {
            Scalar scalar = ScalarField.reduce(uint256(keccak256(abi.encode(seed, i))));
            points = abi.encodePacked(points, KnownSetup.point(scalar));
        }
    }

    /// @dev The right inverse for a claim as it stands, and the y coordinate that it has.
    function _hint(MarginClaim memory claim) private view returns (bytes memory hint) {
        (Scalar beta, Scalar zeta) = _prover.challenges(claim);
        bytes memory inverse = abi.encode(_prover.denominatorProduct(beta, zeta).inverse());
        hint = claim.hint;
        for (uint256 i = 0; i < 32; ++i) {
            hint[i] = inverse[i];
        }
    }

    function _swap(bytes memory left, bytes memory right, uint256 place) private pure {
        (left[place], right[place]) = (right[place], left[place]);
    }
}
