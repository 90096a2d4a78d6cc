// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { CeremonyMarginVerifier } from "../../contracts/CeremonyMarginVerifier.sol";
import { PairingMarginVerifier } from "../../contracts/PairingMarginVerifier.sol";
import { IMarginVerifier } from "../../contracts/interfaces/IMarginVerifier.sol";
import { Bls12381 } from "../../contracts/libraries/Bls12381.sol";
import { ONE, Scalar, ScalarField, ZERO } from "../../contracts/libraries/ScalarField.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { Shape } from "../../contracts/types/Shape.sol";
import { CeremonyHintMaker } from "./CeremonyHintMaker.sol";
import { Expectations } from "./Expectations.sol";
import { KnownSetup } from "./KnownSetup.sol";
import { VectorClaims } from "./VectorClaims.sol";
import { vm } from "./Vm.sol";

/// @title The verifier for the ceremony's setup on real proofs: the conformance vectors of tests/vectors
/// @dev tests/integration/test_margin_verifier.py replays all of them on a node; here are those that take every branch.
contract CeremonyMarginVerifierTest is Expectations {
    function testAcceptsEveryAcceptedVector() external {
        string[7] memory names = [
            "small-one-book",
            "small-two-books",
            "standard-one-book",
            "standard-two-books",
            "standard-four-books",
            "standard-rich",
            "tiny-two-books"
        ];
        for (uint256 i = 0; i < names.length; ++i) {
            string memory json = VectorClaims.load(string.concat("accept/", names[i]));
            CeremonyHintMaker maker = VectorClaims.deployVerifier(json);
            maker.verify(VectorClaims.shortClaim(maker, json));
            _expect("key", maker.verifyingKey(), vm.parseJsonBytes32(json, ".vk"));
            _expect("shape", abi.encode(maker.shape()), abi.encode(VectorClaims.shape(json)));
        }
    }

    function testAcceptsTheContractThatIsDeployed() external {
        string memory json = VectorClaims.load("accept/standard-one-book");
        CeremonyHintMaker maker = VectorClaims.deployVerifier(json);
        CeremonyMarginVerifier verifier =
            new CeremonyMarginVerifier(VectorClaims.shape(json), vm.parseJsonBytes(json, ".table_commitment"));
        verifier.verify(VectorClaims.shortClaim(maker, json));
        _expect("key", verifier.verifyingKey(), maker.verifyingKey());
    }

    /// @dev Batches of different sizes, one matrix in two of the claims.
    function testAcceptsABatchOfVectors() external {
        (CeremonyHintMaker maker, MarginClaim[] memory claims) = _batch();
        maker.verifyBatch(claims);
        MarginClaim[] memory one = new MarginClaim[](1);
        one[0] = claims[2];
        maker.verifyBatch(one);
    }

    /// @dev The first and the last claim of a batch, so that no claim is left out of the last equation.
    function testRejectsABatchWithOneFalseClaim() external {
        (CeremonyHintMaker maker, MarginClaim[] memory claims) = _batch();
        for (uint256 i = 0; i < claims.length; i += claims.length - 1) {
            bytes32 context = claims[i].context;
            bytes memory hint = claims[i].hint;
            claims[i].context = "another";
            claims[i].hint = _hint(maker, claims[i]);
            vm.expectRevert(IMarginVerifier.MarginVerifierRejected.selector);
            maker.verifyBatch(claims);
            (claims[i].context, claims[i].hint) = (context, hint);
        }
        maker.verifyBatch(claims);
    }

    function testRejectsFalseStatements() external {
        string[6] memory names = [
            "other-context",
            "portfolio-replaced",
            "chunk-replaced",
            "false-filled-mask-spoil-rows",
            "last-opening-other-sign",
            "infinity-quotient"
        ];
        for (uint256 i = 0; i < names.length; ++i) {
            _expectRejection(names[i], IMarginVerifier.MarginVerifierRejected.selector);
        }
    }

    function testNamesPointsThatAreNone() external {
        string[6] memory names = [
            "order-three-portfolio",
            "order-three-rows",
            "order-three-matrix",
            "off-curve-opening",
            "x-plus-p-portfolio",
            "flagged-infinity"
        ];
        for (uint256 i = 0; i < names.length; ++i) {
            _expectRejection(names[i], Bls12381.Bls12381InvalidPoint.selector);
        }
        _expectRejection("scalar-plus-r-table", ScalarField.ScalarFieldNotCanonical.selector);
    }

    function testRefusesOtherPowersThanTheCeremonyMadePublic() external {
        string memory json = VectorClaims.load("accept/standard-one-book");
        Shape memory shape = VectorClaims.shape(json);
        bytes memory table = vm.parseJsonBytes(json, ".table_commitment");
        shape.powers = 8192;
        vm.expectRevert(abi.encodeWithSelector(IMarginVerifier.MarginVerifierUnsupportedShape.selector, shape));
        new CeremonyMarginVerifier(shape, table);
    }

    function testRefusesATableThatIsNoCommitment() external {
        Shape memory shape = VectorClaims.shape(VectorClaims.load("accept/standard-one-book"));
        bytes[3] memory tables = [new bytes(95), new bytes(97), new bytes(96)];
        tables[2][95] = 0x02; // (0, 2) has order three
        for (uint256 i = 0; i < tables.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IMarginVerifier.MarginVerifierInvalidSetup.selector, tables[i]));
            new CeremonyMarginVerifier(shape, tables[i]);
        }
    }

    /// @dev Alone a claim has a hint of 32 bytes, in a batch one of 80.
    function testRefusesWrongLengths() external {
        string memory json = VectorClaims.load("accept/small-one-book");
        CeremonyHintMaker maker = VectorClaims.deployVerifier(json);
        MarginClaim memory claim = VectorClaims.shortClaim(maker, json);
        bytes memory hint = claim.hint;
        claim.hint = new bytes(80);
        vm.expectRevert(abi.encodeWithSelector(IMarginVerifier.MarginVerifierHintLength.selector, 80, 32));
        maker.verify(claim);
        MarginClaim[] memory claims = new MarginClaim[](1);
        claims[0] = claim;
        claims[0].hint = hint;
        vm.expectRevert(abi.encodeWithSelector(IMarginVerifier.MarginVerifierHintLength.selector, 32, 80));
        maker.verifyBatch(claims);
        claim.proof = new bytes(1);
        _expectRefused(maker, claim, abi.encodeWithSelector(IMarginVerifier.MarginVerifierProofLength.selector, 1, 880));
        claim.matrix = new bytes(95);
        _expectRefused(maker, claim, abi.encodeWithSelector(IMarginVerifier.MarginVerifierMatrixLength.selector, 95, 1));
        claim.portfolio = new bytes(95);
        _expectRefused(
            maker, claim, abi.encodeWithSelector(IMarginVerifier.MarginVerifierPortfolioLength.selector, 95, 96)
        );
        claim.books = 257;
        _expectRefused(
            maker, claim, abi.encodeWithSelector(IMarginVerifier.MarginVerifierBooksOutOfRange.selector, 257, 256)
        );
        vm.expectRevert(IMarginVerifier.MarginVerifierNoClaims.selector);
        maker.verifyBatch(new MarginClaim[](0));
        vm.expectRevert(abi.encodeWithSelector(IMarginVerifier.MarginVerifierCommitmentLength.selector, 95));
        maker.requireOpening(new bytes(95), 1, 1, new bytes(96));
        vm.expectRevert(abi.encodeWithSelector(IMarginVerifier.MarginVerifierOpeningLength.selector, 48, 96));
        maker.requireOpening(new bytes(96), 1, 1, new bytes(48));
    }

    function testRefusesASetupPointOfAnotherLength() external {
        bytes memory table = KnownSetup.table();
        bytes memory setupPoint = new bytes(191);
        vm.expectRevert(abi.encodeWithSelector(IMarginVerifier.MarginVerifierInvalidSetup.selector, setupPoint));
        new PairingMarginVerifier(KnownSetup.shape(), setupPoint, table);
    }

    /// @dev No hash gives such a ζ; if one did, the error would not blame the hint.
    function testNamesADenominatorOfZero() external {
        CeremonyHintMaker maker = VectorClaims.deployVerifier(VectorClaims.load("accept/small-one-book"));
        Scalar beta = Scalar.wrap(5);
        Scalar nu = ScalarField.rootOfUnity(maker.shape().columns);
        Scalar[4] memory zetas = [ONE, beta, beta * nu, nu * nu];
        for (uint256 i = 0; i < zetas.length; ++i) {
            _expect("product", Scalar.unwrap(maker.denominatorProduct(beta, zetas[i])), 0);
            vm.expectRevert(IMarginVerifier.MarginVerifierZeroDenominator.selector);
            maker.requireHint(beta, zetas[i], abi.encode(ZERO));
        }
        Scalar product = maker.denominatorProduct(beta, Scalar.wrap(7));
        maker.requireHint(beta, Scalar.wrap(7), abi.encode(product.inverse()));
    }

    function _expectRefused(CeremonyHintMaker maker, MarginClaim memory claim, bytes memory refusal) private {
        claim.hint = new bytes(32);
        vm.expectRevert(refusal);
        maker.verify(claim);
        MarginClaim[] memory claims = new MarginClaim[](1);
        claims[0] = claim;
        claim.hint = new bytes(80);
        vm.expectRevert(refusal);
        maker.verifyBatch(claims);
    }

    function _expectRejection(string memory name, bytes4 selector) private {
        string memory json = VectorClaims.load(string.concat("reject/", name));
        CeremonyHintMaker maker = VectorClaims.deployVerifier(VectorClaims.load("accept/small-one-book"));
        _expect("mutates", bytes(vm.parseJsonString(json, ".mutates")), "small-one-book");
        MarginClaim memory claim = VectorClaims.shortClaim(maker, json);
        vm.expectPartialRevert(selector);
        maker.verify(claim);
    }

    function _batch() private returns (CeremonyHintMaker maker, MarginClaim[] memory claims) {
        string[5] memory names =
            ["standard-one-book", "standard-two-books", "standard-four-books", "standard-rich", "standard-one-book"];
        claims = new MarginClaim[](names.length);
        for (uint256 i = 0; i < names.length; ++i) {
            string memory json = VectorClaims.load(string.concat("accept/", names[i]));
            if (i == 0) maker = VectorClaims.deployVerifier(json);
            claims[i] = VectorClaims.longClaim(maker, json);
        }
    }

    /// @dev The right inverse for a claim as it stands, and the y coordinate that it has.
    function _hint(CeremonyHintMaker maker, MarginClaim memory claim) private view returns (bytes memory hint) {
        (Scalar beta, Scalar zeta) = maker.challenges(claim);
        bytes memory inverse = abi.encode(maker.denominatorProduct(beta, zeta).inverse());
        hint = bytes.concat(claim.hint);
        for (uint256 i = 0; i < inverse.length; ++i) {
            hint[i] = inverse[i];
        }
    }
}
