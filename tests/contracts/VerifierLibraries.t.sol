// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Bls12381 } from "../../contracts/libraries/Bls12381.sol";
import { CurveConstants } from "../../contracts/libraries/CurveConstants.sol";
import { DataContract } from "../../contracts/libraries/DataContract.sol";
import { MarginProof } from "../../contracts/libraries/MarginProof.sol";
import { PointCompression } from "../../contracts/libraries/PointCompression.sol";
import { PointEvaluation } from "../../contracts/libraries/PointEvaluation.sol";
import { PointTerms } from "../../contracts/libraries/PointTerms.sol";
import { PrecompileTests } from "../../contracts/libraries/PrecompileTests.sol";
import { ONE, SCALAR_MODULUS, Scalar, ScalarField, ZERO } from "../../contracts/libraries/ScalarField.sol";
import { Transcript } from "../../contracts/libraries/Transcript.sol";
import { G1Point } from "../../contracts/types/CurvePoints.sol";
import { Expectations } from "./Expectations.sol";
import { KnownSetup } from "./KnownSetup.sol";
import { vm } from "./Vm.sol";

/// @title The libraries against the precompiles and against plain Solidity
contract VerifierLibrariesTest is Expectations {
    using PointTerms for PointTerms.Terms;

    error ModularExponentiationFailed();

    function testFuzzFieldOperations(uint256 leftSeed, uint256 rightSeed) external pure {
        Scalar left = ScalarField.reduce(leftSeed);
        Scalar right = ScalarField.reduce(rightSeed);
        uint256 plainLeft = leftSeed % SCALAR_MODULUS;
        uint256 plainRight = rightSeed % SCALAR_MODULUS;
        _expect("sum", Scalar.unwrap(left + right), addmod(plainLeft, plainRight, SCALAR_MODULUS));
        _expect("product", Scalar.unwrap(left * right), mulmod(plainLeft, plainRight, SCALAR_MODULUS));
        _expect("difference and back", Scalar.unwrap(left - right + right), plainLeft);
        _expect("negation", Scalar.unwrap(-left + left), 0);
        _expect("zero minus", Scalar.unwrap(-left), Scalar.unwrap(ZERO - left));
    }

    function testFuzzPowersAgreeWithThePrecompile(uint256 seed, uint256 exponent) external view {
        Scalar base = ScalarField.reduce(seed);
        _expect("power", Scalar.unwrap(base.power(exponent)), _modularPower(Scalar.unwrap(base), exponent));
        vm.assume(Scalar.unwrap(base) != 0);
        _expect("inverse", Scalar.unwrap(base * base.inverse()), 1);
    }

    function testFuzzCanonicalScalars(uint256 value) external {
        uint256 canonical = value % SCALAR_MODULUS;
        _expect("value", this.fromCanonical(canonical), canonical);
        uint256 shifted = canonical + SCALAR_MODULUS;
        vm.expectRevert(abi.encodeWithSelector(ScalarField.ScalarFieldNotCanonical.selector, shifted));
        this.fromCanonical(shifted);
    }

    function testTheModulusItselfIsNotCanonical() external {
        vm.expectRevert(abi.encodeWithSelector(ScalarField.ScalarFieldNotCanonical.selector, SCALAR_MODULUS));
        this.fromCanonical(SCALAR_MODULUS);
    }

    function testTheLargestRootOfUnityComesFromTheGenerator() external pure {
        Scalar root = Scalar.wrap(7).power((SCALAR_MODULUS - 1) >> 32);
        _expect("root of order 2^32", Scalar.unwrap(ScalarField.rootOfUnity(1 << 32)), Scalar.unwrap(root));
    }

    function testRootsOfUnityHaveTheirOrder() external pure {
        for (uint256 order = 2; order <= 1 << 32; order <<= 1) {
            Scalar half = ScalarField.rootOfUnity(order).power(order / 2);
            _expect("half the order gives minus one", Scalar.unwrap(half), SCALAR_MODULUS - 1);
        }
    }

    function testFuzzTranscript(bytes32 state, bytes calldata message, uint8 index) external view {
        _expect("absorb", this.absorb(state, message), keccak256(abi.encodePacked(state, message)));
        uint256 digest = uint256(keccak256(abi.encodePacked(state, index)));
        _expect("challenge", Scalar.unwrap(Transcript.challenge(state, index)), digest % SCALAR_MODULUS);
    }

    function testFuzzTranscriptBegins(
        bytes32 key,
        bytes32 context,
        uint256 books,
        uint256 chunks,
        bytes calldata portfolio,
        bytes calldata matrix
    ) external view {
        bytes memory head = abi.encodePacked("margin-argument-v1", key, context, books, chunks);
        bytes32 expected = keccak256(abi.encodePacked(head, portfolio, matrix));
        _expect("s0", this.begin([key, context], [books, chunks], portfolio, matrix), expected);
    }

    function testFuzzBatchWeights(bytes32[] calldata states, uint256 position) external pure {
        bytes32 seed = Transcript.batch(states);
        _expect("seed", seed, keccak256(abi.encodePacked("margin-batch-v1", states.length, states)));
        _expect("first weight", Scalar.unwrap(Transcript.weight(seed, 1)), 1);
        vm.assume(position > 1);
        uint256 digest = uint256(keccak256(abi.encodePacked(seed, position)));
        _expect("weight", Scalar.unwrap(Transcript.weight(seed, position)), digest % SCALAR_MODULUS);
    }

    function testFuzzSumsOfTerms(uint256 seed, uint8 countSeed) external view {
        uint256 count = 1 + countSeed % 4;
        PointTerms.Terms memory terms = PointTerms.allocate(count);
        Scalar total = ZERO;
        for (uint256 i = 0; i < count; ++i) {
            Scalar point = _scalar(seed, i);
            Scalar scalar = i == 0 ? ONE : _scalar(~seed, i);
            terms.append(_point(point), scalar);
            total = total + point * scalar;
        }
        _expect("count", terms.count(), count);
        bytes memory expected = KnownSetup.point(total);
        _expect("multiplication", KnownSetup.encode(Bls12381.multiply(terms)), expected);
        _expect("addition to the first", KnownSetup.encode(Bls12381.addToFirst(terms)), expected);
        PointTerms.increase(terms.start, ONE);
        bytes memory increased = KnownSetup.point(total + _scalar(seed, 0));
        _expect("increased scalar", KnownSetup.encode(Bls12381.multiply(terms)), increased);
    }

    function testFuzzTermsFromCalldata(uint256 seed, uint256 scalarSeed) external view {
        bytes memory point = KnownSetup.point(_scalar(seed, 0));
        Scalar scalar = ScalarField.reduce(scalarSeed);
        bytes memory expected = KnownSetup.point(_scalar(seed, 0) * scalar);
        _expect("product", KnownSetup.encode(this.multiply(point, scalar)), expected);
        _expect("point of the term", this.pointOfTerm(point), point);
    }

    function testFuzzCompression(uint256 seed) external view {
        G1Point memory point = _point(_scalar(seed, 0));
        (uint256 high, uint256 low) = PointCompression.compressToWords(point);
        bytes memory y = abi.encodePacked(uint128(point.yHigh), point.yLow);
        G1Point memory back = this.decompress(abi.encodePacked(uint128(high), low), y);
        _expect("point", KnownSetup.encode(back), KnownSetup.encode(point));
        bool opens = PointEvaluation.opens(point, ZERO, _scalar(seed, 0), 0xc0 << 120, 0);
        if (!opens) revert NumbersDiffer("a constant polynomial opens to itself with proof infinity", 0, 1);
    }

    function testCompressionOfInfinity() external view {
        G1Point memory infinity;
        (uint256 high, uint256 low) = PointCompression.compressToWords(infinity);
        _expect("high", high, 0xc0 << 120);
        _expect("low", low, 0);
        G1Point memory back = this.decompress(abi.encodePacked(uint128(high), low), new bytes(48));
        _expect("point", KnownSetup.encode(back), new bytes(96));
    }

    /// @dev The flag says that y is above (p − 1)/2; here on both sides of it, where no point of the curve need be.
    function testTheFlagBeginsInTheMiddleOfTheField() external pure {
        uint256 high = 0x0d0088f51cbff34d258dd3db21a5d66b;
        uint256 low = 0xb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffffd555;
        G1Point memory point = G1Point({ xHigh: 1, xLow: 2, yHigh: high, yLow: low });
        (uint256 flags,) = PointCompression.compressToWords(point);
        _expect("the half", flags >> 120, 0x80);
        ++point.yLow;
        (flags,) = PointCompression.compressToWords(point);
        _expect("above", flags >> 120, 0xa0);
        (point.yHigh, point.yLow) = (high - 1, type(uint256).max);
        (flags,) = PointCompression.compressToWords(point);
        _expect("below", flags >> 120, 0x80);
        (point.yHigh, point.yLow) = (high + 1, 0);
        (flags,) = PointCompression.compressToWords(point);
        _expect("far above", flags >> 120, 0xa0);
    }

    function testFuzzFlagsMustMatch(uint256 seed, uint8 flags) external {
        G1Point memory point = _point(_scalar(seed, 0));
        (uint256 high, uint256 low) = PointCompression.compressToWords(point);
        uint256 other = (high & ((0x20 << 120) - 1)) | (uint256(flags & 0xe0) << 120);
        vm.assume(other != high);
        bytes memory compressed = abi.encodePacked(uint128(other), low);
        bytes memory y = abi.encodePacked(uint128(point.yHigh), point.yLow);
        vm.expectRevert(abi.encodeWithSelector(PointCompression.PointCompressionMismatch.selector, compressed, y));
        this.decompress(compressed, y);
    }

    function testFuzzPairing(uint256 seed) external view {
        // e(a·G, −H)·e(b·G, [τ]_2) = 1 exactly when a = τb.
        Scalar factor = _scalar(seed, 0);
        G1Point memory left = _point(factor * KnownSetup.INSECURE_TAU);
        G1Point memory right = _point(factor);
        bool holds = Bls12381.pairingIsOne(
            left, CurveConstants.negatedGenerator2(), right, Bls12381.decodeG2(KnownSetup.setupPoint())
        );
        bool holdsFalsely = Bls12381.pairingIsOne(
            right, CurveConstants.negatedGenerator2(), right, Bls12381.decodeG2(KnownSetup.setupPoint())
        );
        if (!holds || holdsFalsely) revert NumbersDiffer("pairing", holds ? 1 : 0, holdsFalsely ? 1 : 0);
    }

    function testPointOfOrderThreeIsOutsideTheGroup() external view {
        PointTerms.Terms memory terms = PointTerms.allocate(1);
        terms.append(CurveConstants.pointOfOrderThree(), ONE);
        if (Bls12381.isInGroup(terms)) revert NumbersDiffer("in the group", 1, 0);
    }

    function testASumOfOneTermIsItsPoint() external view {
        PointTerms.Terms memory terms = PointTerms.allocate(1);
        terms.append(CurveConstants.generator(), ONE);
        bytes memory sum = KnownSetup.encode(Bls12381.addToFirst(terms));
        _expect("sum", sum, KnownSetup.encode(CurveConstants.generator()));
    }

    function testFuzzDataContracts(bytes calldata content, uint256 offset, uint256 length) external {
        address data = DataContract.create(content);
        offset %= content.length + 1;
        length %= content.length + 1 - offset;
        bytes memory found = DataContract.read(data, DataContract.DATA_OFFSET + offset, length);
        _expect("part", found, content[offset:offset + length]);
        bytes memory padded = bytes.concat(content, new bytes(32));
        bytes32 word = DataContract.readWord(data, DataContract.DATA_OFFSET + offset);
        _expect("word", word, bytes32(this.part(padded, offset)));
        DataContract.requireContent(data, content.length, keccak256(content));
        (bool success, bytes memory output) = data.staticcall("");
        _expect("nobody can run it", success && output.length == 0 ? 1 : 0, 1);
    }

    /// @dev Keeping 5,000 bytes costs a million gas.
    function testDataContractsThatCannotBePaidAreNotMade() external {
        bytes memory content = new bytes(5000);
        _expect("length", this.create(content).code.length, 5001);
        vm.expectRevert(abi.encodeWithSelector(DataContract.DataContractNotCreated.selector, 5000));
        this.create{ gas: 500_000 }(content);
    }

    function testDataContractsSayWhatIsWrongWithThem() external {
        address data = DataContract.create("abc");
        vm.expectRevert(abi.encodeWithSelector(DataContract.DataContractTooShort.selector, data, 4, 5));
        this.read(data, 2, 3);
        vm.expectRevert(abi.encodeWithSelector(DataContract.DataContractLengthWrong.selector, data, 3, 4));
        this.requireContent(data, 4, keccak256("abc"));
        vm.expectRevert(abi.encodeWithSelector(DataContract.DataContractLengthWrong.selector, address(1), 0, 3));
        this.requireContent(address(1), 3, keccak256("abc"));
        vm.expectRevert(
            abi.encodeWithSelector(
                DataContract.DataContractHashMismatch.selector, data, keccak256("abc"), keccak256("abd")
            )
        );
        this.requireContent(data, 3, keccak256("abd"));
    }

    function testPrecompilesAnswerAsConstructorsExpect() external view {
        PrecompileTests.requireGroup();
        if (!PrecompileTests.isSetupPoint(Bls12381.decodeG2(KnownSetup.setupPoint()))) {
            revert NumbersDiffer("a point of G2", 0, 1);
        }
    }

    function fromCanonical(uint256 value) external pure returns (uint256) {
        return Scalar.unwrap(ScalarField.fromCanonical(value));
    }

    function create(bytes calldata content) external returns (address) {
        return DataContract.create(content);
    }

    function read(address data, uint256 offset, uint256 length) external view returns (bytes memory) {
        return DataContract.read(data, offset, length);
    }

    function requireContent(address data, uint256 length, bytes32 hash) external view {
        DataContract.requireContent(data, length, hash);
    }

    function part(bytes calldata content, uint256 offset) external pure returns (bytes memory) {
        return content[offset:offset + 32];
    }

    function absorb(bytes32 state, bytes calldata message) external pure returns (bytes32) {
        return Transcript.absorb(state, MarginProof.location(message), message.length);
    }

    function begin(
        bytes32[2] calldata words,
        uint256[2] calldata sizes,
        bytes calldata portfolio,
        bytes calldata matrix
    ) external pure returns (bytes32) {
        return Transcript.begin(words[0], words[1], sizes[0], sizes[1], portfolio, matrix);
    }

    function multiply(bytes calldata point, Scalar scalar) external view returns (G1Point memory) {
        PointTerms.Terms memory terms = PointTerms.allocate(1);
        terms.append(MarginProof.location(point), scalar);
        return Bls12381.multiply(terms);
    }

    function pointOfTerm(bytes calldata point) external pure returns (bytes memory) {
        PointTerms.Terms memory terms = PointTerms.allocate(1);
        terms.append(MarginProof.location(point), ONE);
        return PointTerms.pointAt(terms.start);
    }

    function decompress(bytes calldata compressed, bytes calldata y) external pure returns (G1Point memory) {
        return PointCompression.decompress(MarginProof.location(compressed), MarginProof.location(y));
    }

    function _scalar(uint256 seed, uint256 index) private pure returns (Scalar) {
        return ScalarField.reduce(uint256(keccak256(abi.encode(seed, index))));
    }

    function _point(Scalar scalar) private view returns (G1Point memory) {
        return KnownSetup.multiply(CurveConstants.generator(), scalar);
    }

    function _modularPower(uint256 base, uint256 exponent) private view returns (uint256) {
        (bool success, bytes memory output) =
            address(5).staticcall(abi.encode(32, 32, 32, base, exponent, SCALAR_MODULUS));
        if (!success) revert ModularExponentiationFailed();
        return abi.decode(output, (uint256));
    }
}
