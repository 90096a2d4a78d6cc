// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";

import { RuleRegistry } from "../../contracts/RuleRegistry.sol";
import { IPublisherQuorum } from "../../contracts/interfaces/IPublisherQuorum.sol";
import { IRuleRegistry } from "../../contracts/interfaces/IRuleRegistry.sol";
import { EpochTiming, RuleProposal } from "../../contracts/types/MarginRule.sol";
import { RegistryFixture } from "./RegistryFixture.sol";
import { vm } from "./Vm.sol";

/// @title Who publishes, and how many must agree
contract PublisherQuorumTest is RegistryFixture {
    uint256 private constant STRANGER_KEY = 0xbad;
    uint256 private constant CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    address private constant STRANGER = address(0xfeed);
    bytes32 private constant PROPOSAL_TYPEHASH = keccak256(
        "RuleProposal(uint32 epoch,uint32 snapshotTime,uint32 listVersion,uint8 books,uint8 initialChunks,"
        "uint8 maintenanceChunks,bytes32 snapshotHash,bytes32 ruleDigest,bytes32 slotsDigest,bytes32 chunksHash,"
        "bytes32 marksHash,bytes32 indicesHash)"
    );

    RuleProposal private _signed;
    bytes private _all;
    bytes32[] private _hashes;

    function setUp() public override {
        super.setUp();
        (_signed, _all) = _exampleOf(_points(1, 6));
        _hashes = _hashesOf(_all);
    }

    // --- Signatures -----------------------------------------------------------------------------------------------

    function testTheDigestIsThatOfTheStandard() public view {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("zkmargin RuleRegistry"),
                keccak256("1"),
                block.chainid,
                address(_registry)
            )
        );
        bytes32 content = keccak256(abi.encode(PROPOSAL_TYPEHASH, _signed));
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, content));
        _expect("digest", _registry.signingDigest(_signed), digest);
        bytes32 whole = keccak256(abi.encode(digest, _hashes));
        _expect("with chunks", _registry.proposalDigest(_signed, _hashes), whole);
    }

    function testAnyTwoOfThreePublish() public {
        for (uint256 absent = 0; absent < 3; ++absent) {
            vm.warp(START + absent * SPACING);
            (_signed, _all) = _exampleOf(_points(1, 6));
            bytes32 digest = _registry.signingDigest(_signed);
            _submit(_signaturesOf(digest, _key(absent == 0 ? 1 : 0), _key(absent == 2 ? 1 : 2)));
            _expect("epoch", _registry.latestEpoch().epoch, absent + 1);
        }
    }

    function testAllThreePublish() public {
        _submit(_three(_registry.signingDigest(_signed), _key(2)));
        _expect("epoch", _registry.latestEpoch().epoch, 1);
    }

    function testRefusesTooFewSignatures() public {
        bytes4 selector = IPublisherQuorum.PublisherQuorumTooFewSignatures.selector;
        _expectRefused(new bytes[](0), abi.encodeWithSelector(selector, 0, 2));
        bytes[] memory one = new bytes[](1);
        one[0] = _signatureOf(_registry.signingDigest(_signed), _key(0));
        _expectRefused(one, abi.encodeWithSelector(selector, 1, 2));
    }

    function testRefusesOneSignerTwice() public {
        bytes32 digest = _registry.signingDigest(_signed);
        _expectRefused(_signaturesOf(digest, _key(1), _key(1)), _notAscending(_publisher(1), _publisher(1)));
    }

    function testRefusesSignersOutOfOrder() public {
        bytes32 digest = _registry.signingDigest(_signed);
        _expectRefused(_signaturesOf(digest, _key(1), _key(0)), _notAscending(_publisher(1), _publisher(0)));
    }

    function testRefusesStrangers() public {
        bytes32 digest = _registry.signingDigest(_signed);
        address stranger = vm.addr(STRANGER_KEY);
        bytes memory refusal = _notPublisher(stranger);
        if (stranger > _publisher(0)) _expectRefused(_signaturesOf(digest, _key(0), STRANGER_KEY), refusal);
        else _expectRefused(_signaturesOf(digest, STRANGER_KEY, _key(0)), refusal);
        // A quorum of publishers does not carry a stranger.
        refusal = stranger > _publisher(1) ? refusal : _notAscending(_publisher(1), stranger);
        _expectRefused(_three(digest, STRANGER_KEY), refusal);
    }

    /// @dev (r, n − s) with the other v is a signature of the same content by the same key: refused, as one of two.
    function testRefusesTheHigherOfTwoSignatures() public {
        bytes32 digest = _registry.signingDigest(_signed);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_key(1), digest);
        bytes memory high = abi.encodePacked(r, bytes32(CURVE_ORDER - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        _expect("same signer", ecrecover(digest, uint8(high[64]), r, bytes32(CURVE_ORDER - uint256(s))), _publisher(1));
        bytes[] memory signatures = _signaturesOf(digest, _key(0), _key(1));
        signatures[1] = high;
        _expectMalformed(signatures, 1);
    }

    function testRefusesWhatIsNoSignature() public {
        bytes32 digest = _registry.signingDigest(_signed);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_key(0), digest);
        bytes[] memory signatures = _signaturesOf(digest, _key(0), _key(1));
        signatures[0] = "";
        _expectMalformed(signatures, 0);
        signatures[0] = abi.encodePacked(r, s);
        _expectMalformed(signatures, 0);
        signatures[0] = abi.encodePacked(r, s, v, uint8(0));
        _expectMalformed(signatures, 0);
        signatures[0] = abi.encodePacked(r, s, uint8(v - 27));
        _expectMalformed(signatures, 0);
        signatures[0] = new bytes(65);
        _expectMalformed(signatures, 0);
        signatures = _three(digest, _key(2));
        signatures[2] = hex"00";
        _expectMalformed(signatures, 2);
    }

    // --- Replay ---------------------------------------------------------------------------------------------------

    function testRefusesSignaturesOfAnotherChain() public {
        bytes[] memory signatures = _sign(_registry, _signed);
        vm.chainId(block.chainid + 1);
        _expectRefused(signatures, _notPublisher(_recovered(_registry.signingDigest(_signed), signatures[0])));
    }

    function testRefusesSignaturesForAnotherRegistry() public {
        bytes[] memory signatures = _sign(_registry, _signed);
        _registry = _newRegistry(_verifier, _instruments, address(this));
        _expectRefused(signatures, _notPublisher(_recovered(_registry.signingDigest(_signed), signatures[0])));
    }

    function testRefusesSignaturesOfAnotherEpoch() public {
        bytes[] memory signatures = _sign(_registry, _signed);
        _submit(signatures);
        vm.warp(START + SPACING);
        _expectRefused(signatures, abi.encodeWithSelector(IRuleRegistry.RuleRegistryWrongEpoch.selector, 1, 2));
        _signed.epoch = 2;
        _signed.snapshotTime = uint32(START + 1);
        _expectRefused(signatures, _notPublisher(_recovered(_registry.signingDigest(_signed), signatures[0])));
    }

    /// @dev Whatever is signed counts: each field that another check does not refuse before.
    function testRefusesSignaturesOfOtherContent() public {
        bytes[] memory signatures = _sign(_registry, _signed);
        RuleProposal memory right = _signed;
        for (uint256 field = 0; field < 7; ++field) {
            _signed = right;
            bytes memory marks = MARKS;
            bytes memory indices = INDICES;
            if (field == 0) --_signed.snapshotTime;
            if (field == 1) ++_signed.listVersion;
            if (field == 2) _signed.snapshotHash = keccak256("other");
            if (field == 3) _signed.ruleDigest = keccak256("other");
            if (field == 4) _signed.slotsDigest = keccak256("other");
            if (field == 5) (marks, _signed.marksHash) = ("other", keccak256("other"));
            if (field == 6) (indices, _signed.indicesHash) = ("other", keccak256("other"));
            bytes memory refusal = _notPublisher(_recovered(_registry.signingDigest(_signed), signatures[0]));
            vm.expectRevert(refusal);
            _registry.finalise(_signed, _all, marks, indices, 0, signatures);
        }
        (_signed, _all) = _exampleOf(_points(2, 6));
        _expectRefused(signatures, _notPublisher(_recovered(_registry.signingDigest(_signed), signatures[0])));
    }

    // --- Who publishes --------------------------------------------------------------------------------------------

    function testKeepsWhoPublishes() public view {
        _expect("threshold", _registry.threshold(), QUORUM);
        _expect("count", _registry.publisherCount(), 3);
        for (uint256 index = 0; index < 3; ++index) {
            _expect("publisher", _registry.publishers(_publisher(index)) ? 1 : 0, 1);
        }
        _expect("stranger", _registry.publishers(STRANGER) ? 1 : 0, 0);
    }

    function testARemovedPublisherCountsNoMore() public {
        bytes[] memory signatures = _sign(_registry, _signed);
        _registry.setPublishers(new address[](0), _only(_publisher(1)), 2);
        bytes memory refusal = _notPublisher(_publisher(1));
        _expectRefused(signatures, refusal);
        vm.expectRevert(refusal);
        vm.prank(_publisher(1));
        _registry.stage(_signed, _hashes, 0);
        _submit(_signaturesOf(_registry.signingDigest(_signed), _key(0), _key(2)));
        _expect("epoch", _registry.latestEpoch().epoch, 1);
    }

    function testAnAddedPublisherCounts() public {
        address added = vm.addr(STRANGER_KEY);
        vm.expectEmit();
        emit IPublisherQuorum.PublishersChanged(_only(added), _only(_publisher(2)), 3);
        _registry.setPublishers(_only(added), _only(_publisher(2)), 3);
        _expect("threshold", _registry.threshold(), 3);
        _expect("count", _registry.publisherCount(), 3);
        bytes[] memory signatures = _sign(_registry, _signed);
        _expectRefused(
            signatures, abi.encodeWithSelector(IPublisherQuorum.PublisherQuorumTooFewSignatures.selector, 2, 3)
        );
        bytes32 digest = _registry.signingDigest(_signed);
        if (added < _publisher(0)) {
            signatures = _three(digest, _key(1));
            (signatures[0], signatures[1]) = (_signatureOf(digest, STRANGER_KEY), _signatureOf(digest, _key(0)));
        } else if (added < _publisher(1)) {
            signatures = _three(digest, _key(1));
            signatures[1] = _signatureOf(digest, STRANGER_KEY);
        } else {
            signatures = _three(digest, STRANGER_KEY);
        }
        _submit(signatures);
        _expect("epoch", _registry.latestEpoch().epoch, 1);
    }

    /// @dev What goes is taken away first, so that one call may give a publisher's place to itself.
    function testAPublisherMayGoAndComeBackInOneCall() public {
        _registry.setPublishers(_only(_publisher(1)), _only(_publisher(1)), 1);
        _expect("count", _registry.publisherCount(), 3);
        _expect("publisher", _registry.publishers(_publisher(1)) ? 1 : 0, 1);
        _expect("threshold", _registry.threshold(), 1);
    }

    function testRefusesPublishersThatCannotBe() public {
        address[] memory none = new address[](0);
        vm.expectRevert(_notPublisher(STRANGER));
        _registry.setPublishers(none, _only(STRANGER), 2);
        address[] memory twice = new address[](2);
        (twice[0], twice[1]) = (_publisher(1), _publisher(1));
        vm.expectRevert(_notPublisher(_publisher(1)));
        _registry.setPublishers(none, twice, 1);
        vm.expectRevert(abi.encodeWithSelector(IPublisherQuorum.PublisherQuorumKnown.selector, _publisher(1)));
        _registry.setPublishers(_only(_publisher(1)), none, 2);
        (twice[0], twice[1]) = (STRANGER, STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IPublisherQuorum.PublisherQuorumKnown.selector, STRANGER));
        _registry.setPublishers(twice, none, 2);
        vm.expectRevert(abi.encodeWithSelector(IPublisherQuorum.PublisherQuorumNoAddress.selector));
        _registry.setPublishers(_only(address(0)), none, 2);
        // The first ones are no exception.
        EpochTiming memory timing = _timing();
        vm.expectRevert(abi.encodeWithSelector(IPublisherQuorum.PublisherQuorumNoAddress.selector));
        new RuleRegistry(_verifier, _instruments, address(this), _only(address(0)), 1, timing);
        vm.expectRevert(abi.encodeWithSelector(IPublisherQuorum.PublisherQuorumKnown.selector, STRANGER));
        new RuleRegistry(_verifier, _instruments, address(this), twice, 1, timing);
    }

    function testRefusesThresholdsThatCannotBe() public {
        address[] memory none = new address[](0);
        bytes4 selector = IPublisherQuorum.PublisherQuorumThresholdOutOfRange.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, 0, 3));
        _registry.setPublishers(none, none, 0);
        vm.expectRevert(abi.encodeWithSelector(selector, 4, 3));
        _registry.setPublishers(none, none, 4);
        vm.expectRevert(abi.encodeWithSelector(selector, 3, 2));
        _registry.setPublishers(none, _only(_publisher(0)), 3);
        vm.expectRevert(abi.encodeWithSelector(selector, 0, 0));
        _registry.setPublishers(none, _publishers(), 0);
        vm.expectRevert(abi.encodeWithSelector(selector, 1, 0));
        new RuleRegistry(_verifier, _instruments, address(this), none, 1, _timing());
        vm.expectRevert(abi.encodeWithSelector(selector, 0, 3));
        new RuleRegistry(_verifier, _instruments, address(this), _publishers(), 0, _timing());
    }

    // --- Owner ----------------------------------------------------------------------------------------------------

    function testOnlyTheOwnerChangesPublishers() public {
        address[] memory none = new address[](0);
        vm.expectRevert(_notOwner(STRANGER));
        vm.prank(STRANGER);
        _registry.setPublishers(none, none, 1);
        vm.expectRevert(_notOwner(_publisher(0)));
        vm.prank(_publisher(0));
        _registry.setPublishers(none, none, 1);
    }

    function testOwnershipPassesInTwoSteps() public {
        address[] memory none = new address[](0);
        vm.expectRevert(_notOwner(STRANGER));
        vm.prank(STRANGER);
        _registry.transferOwnership(STRANGER);
        _registry.transferOwnership(STRANGER);
        _expect("owner", _registry.owner(), address(this));
        vm.expectRevert(_notOwner(STRANGER));
        vm.prank(STRANGER);
        _registry.setPublishers(none, none, 1);
        vm.expectRevert(_notOwner(_publisher(0)));
        vm.prank(_publisher(0));
        _registry.acceptOwnership();
        vm.prank(STRANGER);
        _registry.acceptOwnership();
        vm.expectRevert(_notOwner(address(this)));
        _registry.setPublishers(none, none, 1);
        vm.prank(STRANGER);
        _registry.setPublishers(none, none, 1);
        _expect("threshold", _registry.threshold(), 1);
    }

    function testNeedsAnOwner() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0)));
        new RuleRegistry(_verifier, _instruments, address(0), _publishers(), QUORUM, _timing());
    }

    function _submit(bytes[] memory signatures) private {
        _carry(_hashes, 0, 6);
        _registry.finalise(_signed, _all, MARKS, INDICES, 0, signatures);
    }

    function _expectRefused(bytes[] memory signatures, bytes memory refusal) private {
        vm.expectRevert(refusal);
        _submit(signatures);
    }

    function _expectMalformed(bytes[] memory signatures, uint256 index) private {
        _expectRefused(
            signatures, abi.encodeWithSelector(IPublisherQuorum.PublisherQuorumSignatureMalformed.selector, index)
        );
    }

    /// @dev Signatures of the first two publishers and of a third key.
    function _three(bytes32 digest, uint256 third) private pure returns (bytes[] memory signatures) {
        signatures = new bytes[](3);
        signatures[0] = _signatureOf(digest, _key(0));
        signatures[1] = _signatureOf(digest, _key(1));
        signatures[2] = _signatureOf(digest, third);
    }

    /// @dev Whose signature it seems to be.
    function _recovered(bytes32 digest, bytes memory signature) private pure returns (address) {
        bytes32 r = bytes32(_slice(signature, 0, 32));
        return ecrecover(digest, uint8(signature[64]), r, bytes32(_slice(signature, 32, 32)));
    }

    function _only(address account) private pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = account;
    }

    function _notAscending(address previous, address signer) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IPublisherQuorum.PublisherQuorumNotAscending.selector, previous, signer);
    }

    function _notPublisher(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IPublisherQuorum.PublisherQuorumNotPublisher.selector, account);
    }

    function _notOwner(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, account);
    }
}
