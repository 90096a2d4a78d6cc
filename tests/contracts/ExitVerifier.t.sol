// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ExitVerifier } from "../../contracts/ExitVerifier.sol";
import { IExitVerifier } from "../../contracts/interfaces/IExitVerifier.sol";
import { Bls12381 } from "../../contracts/libraries/Bls12381.sol";
import { CurveConstants } from "../../contracts/libraries/CurveConstants.sol";
import { DataContract } from "../../contracts/libraries/DataContract.sol";
import { ONE, SCALAR_MODULUS, Scalar, ScalarField, ZERO } from "../../contracts/libraries/ScalarField.sol";
import { G1Point } from "../../contracts/types/CurvePoints.sol";
import { Expectations } from "./Expectations.sol";
import { KnownSetup } from "./KnownSetup.sol";
import { vm } from "./Vm.sol";

/// @title Exit proofs on chain: what holds nothing but public amounts passes, every other is refused by its name
contract ExitVerifierTest is Expectations {
    uint256 private constant SLOTS = 4;
    bytes32 private constant CONTEXT = keccak256("context of an exit");

    /// @dev An account of two books, all of it known: two tokens in the first, nothing but blinds elsewhere.
    struct Exit {
        bytes32 context;
        bytes portfolio;
        uint256[] slots;
        uint64[] holdings;
        bytes nonce;
        uint256 response;
    }

    ExitVerifier private _verifier;
    address private _table;
    bytes private _basis;
    bytes private _blindPoint;
    Scalar private _blindScalar;
    Scalar[SLOTS] private _slotScalars;
    Scalar[2] private _blinds;

    function setUp() external {
        Scalar tau = KnownSetup.INSECURE_TAU;
        _blindScalar = tau.power(SLOTS) - ONE;
        Scalar generator = ScalarField.rootOfUnity(SLOTS);
        for (uint256 slot = 0; slot < SLOTS; ++slot) {
            Scalar root = generator.power(slot);
            _slotScalars[slot] = root * _blindScalar * (Scalar.wrap(SLOTS) * (tau - root)).inverse();
            _basis = bytes.concat(_basis, KnownSetup.point(_slotScalars[slot]));
        }
        _table = DataContract.create(_basis);
        _blindPoint = KnownSetup.point(_blindScalar);
        _verifier = new ExitVerifier(_table, keccak256(_basis), _blindPoint, SLOTS);
        _blinds = [ScalarField.reduce(uint256(keccak256("blind 0"))), ScalarField.reduce(uint256(keccak256("blind 1")))];
    }

    // --- What passes ----------------------------------------------------------------------------------------------

    function testSaysWhatItWasMadeFor() external view {
        _expect("table", _verifier.basisTable(), _table);
        _expect("hash", _verifier.basisHash(), keccak256(_basis));
        _expect("blind point", _verifier.blindPoint(), _blindPoint);
        _expect("slots", _verifier.slotCount(), SLOTS);
    }

    function testAcceptsTokensAlone() external view {
        _require(_honest());
    }

    function testAcceptsNothingAtAll() external view {
        Exit memory proof = _honest();
        proof.portfolio = new bytes(96);
        proof.slots = new uint256[](0);
        proof.holdings = new uint64[](0);
        Scalar k = Scalar.wrap(5);
        proof.nonce = KnownSetup.point(k * _blindScalar);
        // Without a blind the response is the nonce's own.
        proof.response = 5;
        _require(proof);
    }

    function testFuzzAcceptsEveryAmountAndBlind(uint64 first, uint64 second, uint256 blind0, uint256 blind1, uint256 k)
        external
    {
        _blinds = [ScalarField.reduce(blind0), ScalarField.reduce(blind1)];
        Exit memory proof = _exit(first, second, ZERO, ZERO);
        _respond(proof, ScalarField.reduce(k));
        _require(proof);
        if (first != 0) {
            --proof.holdings[0];
            _respond(proof, ScalarField.reduce(k));
            _expectRejected(proof);
        }
    }

    // --- What is false --------------------------------------------------------------------------------------------

    /// @dev Each by the honest proof, and by one made for it with all blinds known.
    function testRefusesOtherAmounts() external {
        Exit memory proof = _honest();
        ++proof.holdings[0];
        _expectRejectedTwice(proof);
        proof = _honest();
        --proof.holdings[1];
        _expectRejectedTwice(proof);
        proof = _honest();
        (proof.holdings[0], proof.holdings[1]) = (proof.holdings[1], proof.holdings[0]);
        _expectRejectedTwice(proof);
        proof = _honest();
        proof.slots[1] = 3;
        _expectRejectedTwice(proof);
        proof = _honest();
        proof.holdings[1] = 0;
        _expectRejectedTwice(proof);
    }

    function testRefusesHiddenPositions() external {
        // One lot beside the tokens.
        _expectRejectedFor(_exit(250, 7, _slotScalars[1], ZERO));
        // One lot short in another book.
        _expectRejectedFor(_exit(250, 7, ZERO, -_slotScalars[3]));
        // Positions that cancel across books: γ tells these apart.
        _expectRejectedFor(_exit(250, 7, _slotScalars[1], -_slotScalars[1]));
        // The tokens in another book.
        Scalar tokens = Scalar.wrap(250) * _slotScalars[0] + Scalar.wrap(7) * _slotScalars[2];
        _expectRejectedFor(_exit(250, 7, -tokens, tokens));
    }

    function testRefusesOtherUses() external {
        Exit memory proof = _honest();
        proof.context = keccak256("another state version");
        _expectRejected(proof);
        // One book left out, one added, two exchanged.
        proof = _honest();
        bytes memory first = _commitment(0, 250, 7, ZERO);
        bytes memory second = _commitment(1, 0, 0, ZERO);
        proof.portfolio = first;
        _expectRejected(proof);
        proof.portfolio = bytes.concat(first, second, new bytes(96));
        _expectRejected(proof);
        proof.portfolio = bytes.concat(second, first);
        _expectRejected(proof);
        // An account without blinds needs the right response too.
        proof = _honest();
        proof.nonce = new bytes(96);
        _expectRejected(proof);
        proof = _honest();
        proof.response = (proof.response + 1) % SCALAR_MODULUS;
        _expectRejected(proof);
    }

    /// @dev Two words of amounts more and a point less are other bytes: the counts are hashed.
    function testPartsCannotMoveBetweenPointsAndAmounts() external {
        Exit memory proof = _exit(0, 0, ZERO, ZERO);
        _respond(proof, Scalar.wrap(9));
        _require(proof);
        proof.slots = new uint256[](0);
        proof.holdings = new uint64[](0);
        _expectRejected(proof);
    }

    // --- What is malformed ----------------------------------------------------------------------------------------

    function testRefusesResponsesThatAreNotCanonical() external {
        Exit memory proof = _honest();
        proof.response += SCALAR_MODULUS;
        vm.expectRevert(abi.encodeWithSelector(ScalarField.ScalarFieldNotCanonical.selector, proof.response));
        _require(proof);
    }

    function testRefusesPointsOutsideTheGroup() external {
        bytes memory nonce = _honest().nonce;
        Exit memory proof = _honest();
        proof.nonce = _plusOrderThree(nonce);
        _expectInvalidPoint(proof, proof.nonce);
        proof = _honest();
        proof.nonce[95] ^= 0x01;
        _expectInvalidPoint(proof, proof.nonce);
        proof = _honest();
        bytes memory first = _commitment(0, 250, 7, ZERO);
        bytes memory second = _commitment(1, 0, 0, ZERO);
        proof.portfolio = bytes.concat(_plusOrderThree(first), second);
        _expectInvalidPoint(proof, _plusOrderThree(first));
        proof.portfolio = bytes.concat(first, _plusOrderThree(second));
        _expectInvalidPoint(proof, _plusOrderThree(second));
        // Not canonical: x = p.
        bytes memory field = abi.encodePacked(
            uint128(0x1a0111ea397fe69a4b1ba7b6434bacd7),
            uint256(0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab),
            new bytes(48)
        );
        proof.portfolio = bytes.concat(first, field);
        _expectInvalidPoint(proof, field);
    }

    function testRefusesWrongLengths() external {
        Exit memory proof = _honest();
        proof.portfolio = "";
        vm.expectRevert(abi.encodeWithSelector(IExitVerifier.ExitVerifierPortfolioLength.selector, 0));
        _require(proof);
        proof.portfolio = new bytes(191);
        vm.expectRevert(abi.encodeWithSelector(IExitVerifier.ExitVerifierPortfolioLength.selector, 191));
        _require(proof);
        proof = _honest();
        proof.holdings = new uint64[](3);
        vm.expectRevert(abi.encodeWithSelector(IExitVerifier.ExitVerifierHoldingsLength.selector, 3, 2));
        _require(proof);
        proof = _honest();
        proof.nonce = bytes.concat(proof.nonce, hex"00");
        vm.expectRevert(abi.encodeWithSelector(IExitVerifier.ExitVerifierNonceLength.selector, 97));
        _require(proof);
        proof = _honest();
        proof.slots[1] = SLOTS;
        vm.expectRevert(abi.encodeWithSelector(IExitVerifier.ExitVerifierSlotOutOfRange.selector, SLOTS, SLOTS));
        _require(proof);
    }

    // --- Construction ---------------------------------------------------------------------------------------------

    function testRefusesFalseTables() external {
        bytes32 hash = keccak256(_basis);
        vm.expectRevert(abi.encodeWithSelector(DataContract.DataContractLengthWrong.selector, _table, 4 * 96, 5 * 96));
        new ExitVerifier(_table, hash, _blindPoint, 5);
        vm.expectRevert(abi.encodeWithSelector(DataContract.DataContractLengthWrong.selector, address(1), 0, 4 * 96));
        new ExitVerifier(address(1), hash, _blindPoint, 4);
        vm.expectRevert(
            abi.encodeWithSelector(DataContract.DataContractHashMismatch.selector, _table, hash, bytes32(uint256(1)))
        );
        new ExitVerifier(_table, bytes32(uint256(1)), _blindPoint, 4);
    }

    function testRefusesFalseBlindPoints() external {
        bytes32 hash = keccak256(_basis);
        bytes[3] memory wrong = [bytes(""), new bytes(96), bytes.concat(_blindPoint, hex"00")];
        for (uint256 index = 0; index < wrong.length; ++index) {
            vm.expectRevert(abi.encodeWithSelector(IExitVerifier.ExitVerifierInvalidBlindPoint.selector, wrong[index]));
            new ExitVerifier(_table, hash, wrong[index], SLOTS);
        }
        bytes memory outside = _plusOrderThree(_blindPoint);
        vm.expectRevert(abi.encodeWithSelector(Bls12381.Bls12381InvalidPoint.selector, outside));
        new ExitVerifier(_table, hash, outside, SLOTS);
    }

    // --- Helpers --------------------------------------------------------------------------------------------------

    function _honest() private view returns (Exit memory proof) {
        proof = _exit(250, 7, ZERO, ZERO);
        _respond(proof, Scalar.wrap(uint256(keccak256("k")) % SCALAR_MODULUS));
    }

    /// @dev A statement on commitments that may hold something else beside; no proof yet.
    function _exit(uint64 first, uint64 second, Scalar hidden0, Scalar hidden1)
        private
        view
        returns (Exit memory proof)
    {
        proof.context = CONTEXT;
        proof.portfolio = bytes.concat(_commitment(0, first, second, hidden0), _commitment(1, 0, 0, hidden1));
        proof.slots = new uint256[](2);
        (proof.slots[0], proof.slots[1]) = (0, 2);
        proof.holdings = new uint64[](2);
        (proof.holdings[0], proof.holdings[1]) = (first, second);
    }

    function _commitment(uint256 book, uint64 first, uint64 second, Scalar hidden) private view returns (bytes memory) {
        Scalar tokens = Scalar.wrap(first) * _slotScalars[0] + Scalar.wrap(second) * _slotScalars[2];
        return KnownSetup.point(tokens + _blinds[book] * _blindScalar + hidden);
    }

    /// @dev The best that somebody can do who knows all blinds.
    function _respond(Exit memory proof, Scalar k) private view {
        proof.nonce = KnownSetup.point(k * _blindScalar);
        Scalar gamma = _challenge("zkmargin-exit-books-v1", proof);
        Scalar challenge = _challenge("zkmargin-exit-v1", proof);
        proof.response = Scalar.unwrap(k + challenge * (_blinds[0] + gamma * _blinds[1]));
    }

    /// @dev As IExitVerifier and the Python twin say it, written out again.
    function _challenge(string memory label, Exit memory proof) private pure returns (Scalar) {
        bytes memory head = bytes.concat(
            bytes(label), proof.context, bytes32(proof.portfolio.length / 96), bytes32(proof.slots.length)
        );
        bytes memory amounts;
        for (uint256 index = 0; index < proof.slots.length; ++index) {
            amounts = bytes.concat(amounts, bytes32(proof.slots[index]));
        }
        for (uint256 index = 0; index < proof.holdings.length; ++index) {
            amounts = bytes.concat(amounts, bytes32(uint256(proof.holdings[index])));
        }
        return ScalarField.reduce(uint256(keccak256(bytes.concat(head, proof.portfolio, amounts, proof.nonce))));
    }

    function _plusOrderThree(bytes memory point) private view returns (bytes memory) {
        G1Point memory sum = Bls12381.add(Bls12381.decodeG1(point), CurveConstants.pointOfOrderThree());
        return KnownSetup.encode(sum);
    }

    function _require(Exit memory proof) private view {
        _verifier.requireExit(proof.context, proof.portfolio, proof.slots, proof.holdings, proof.nonce, proof.response);
    }

    function _expectRejected(Exit memory proof) private {
        vm.expectRevert(IExitVerifier.ExitVerifierRejected.selector);
        _require(proof);
    }

    function _expectRejectedFor(Exit memory proof) private {
        _respond(proof, Scalar.wrap(77));
        _expectRejected(proof);
    }

    function _expectRejectedTwice(Exit memory proof) private {
        _expectRejected(proof);
        _expectRejectedFor(proof);
    }

    function _expectInvalidPoint(Exit memory proof, bytes memory point) private {
        vm.expectRevert(abi.encodeWithSelector(Bls12381.Bls12381InvalidPoint.selector, point));
        _require(proof);
    }
}
