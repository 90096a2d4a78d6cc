// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccountLedger } from "../../contracts/interfaces/IAccountLedger.sol";
import { IClearingHouse } from "../../contracts/interfaces/IClearingHouse.sol";
import { IMarginVerifier } from "../../contracts/interfaces/IMarginVerifier.sol";
import { TradeLegs } from "../../contracts/libraries/TradeLegs.sol";
import { AccountId } from "../../contracts/types/AccountId.sol";
import { AccountStatus } from "../../contracts/types/AccountState.sol";
import { Leg, OpenLeg, OpenLegSignatures, OpenSide } from "../../contracts/types/Settlement.sol";
import { TwoAccounts } from "./TwoAccounts.sol";
import { vm } from "./Vm.sol";

/// @title Nettings of legs that are signed one by one
contract OpenLegsTest is TwoAccounts {
    /// @dev What a netting takes.
    struct Netting {
        OpenLeg[] legs;
        OpenLegSignatures[] signatures;
        OpenSide[] sides;
    }

    Ghost private _carol;

    function setUp() public override {
        super.setUp();
        Ghost memory carol = _ghost(CAROL, 1);
        _deposit(carol, COIN, STAKE);
        _carol = carol;
    }

    // --- What they do ---------------------------------------------------------------------------------------------

    function testOpenLegsSettleTogether() external {
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _circle();
        _settleOpen(ghosts, legs, 1);
        for (uint256 index = 0; index < 3; ++index) {
            _expectGhost(ghosts[index], AccountStatus.ACTIVE);
        }
        _expect("nonces", house.nonces(_account(ghosts[0]), 0), 5);
        _settleOpen(ghosts, legs, 1);
        _expectGhost(ghosts[1], AccountStatus.ACTIVE);
    }

    function testNettingsAreAnnouncedLikeSettlements() external {
        (Ghost[] memory ghosts, GhostLeg[] memory ghostLegs) = _circle();
        Netting memory netting = _netting(ghosts, ghostLegs);
        AccountId[] memory accounts = new AccountId[](3);
        Leg[] memory legs = new Leg[](3);
        for (uint256 index = 0; index < 3; ++index) {
            accounts[index] = _account(ghosts[index]);
            GhostLeg memory leg = ghostLegs[index];
            legs[index] = Leg(leg.receiver, leg.giver, leg.books, netting.legs[index].differences);
        }
        vm.expectEmit();
        emit IClearingHouse.Settled(_openAction(netting.legs), 1, accounts, legs);
        _submit(netting);
    }

    /// @dev Carol does not come: the leg between the others settles by the signatures that it has, and nothing else did.
    function testALegCanBeDroppedAndTheRestSettles() external {
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _circle();
        Netting memory whole = _netting(ghosts, legs);
        Ghost[] memory rest = new Ghost[](2);
        (rest[0], rest[1]) = (ghosts[0], ghosts[1]);
        GhostLeg[] memory restLegs = new GhostLeg[](1);
        restLegs[0] = legs[0];
        Netting memory smaller;
        smaller.legs = new OpenLeg[](1);
        smaller.legs[0] = whole.legs[0];
        smaller.signatures = new OpenLegSignatures[](1);
        smaller.signatures[0] = whole.signatures[0];
        smaller.sides = _openSides(smaller.legs, rest, restLegs, 1);
        _submit(smaller);
        _carryOut(rest, restLegs);
        _expectGhost(rest[0], AccountStatus.ACTIVE);
        _expectGhost(rest[1], AccountStatus.ACTIVE);
        _expectGhost(_carol, AccountStatus.TRANSPARENT);
        _expect("carol's nonces", house.nonces(_account(_carol), 0), 0);
        // What is left can settle later, by fresh proofs.
        legs = _withoutFirst(legs);
        Netting memory later;
        later.legs = new OpenLeg[](2);
        later.signatures = new OpenLegSignatures[](2);
        for (uint256 index = 0; index < 2; ++index) {
            (later.legs[index], later.signatures[index]) = (whole.legs[index + 1], whole.signatures[index + 1]);
        }
        later.sides = _openSides(later.legs, ghosts, legs, 1);
        _submit(later);
        _carryOut(ghosts, legs);
        _expectGhost(ghosts[2], AccountStatus.ACTIVE);
    }

    // --- What is refused ------------------------------------------------------------------------------------------

    function testRefusesPartsThatDoNotFit() external {
        Netting memory netting = _small();
        netting.signatures = new OpenLegSignatures[](2);
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseCountWrong.selector, 2, 1));
        _submit(netting);
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseSizeOutOfRange.selector, 2, 0));
        house.settleOpen(new OpenLeg[](0), new OpenLegSignatures[](0), 1, new OpenSide[](2));
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseSizeOutOfRange.selector, 257, 1));
        house.settleOpen(new OpenLeg[](1), new OpenLegSignatures[](1), 1, new OpenSide[](257));
        // One less is not too many: what is refused is a leg without terms.
        uint256 time = vm.getBlockTimestamp();
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseDeadlineExpired.selector, 0, time));
        house.settleOpen(new OpenLeg[](1), new OpenLegSignatures[](1), 1, new OpenSide[](256));
    }

    function testRefusesLegsWithoutBothSides() external {
        Netting memory netting = _small();
        OpenSide[] memory sides = netting.sides;
        netting.sides = new OpenSide[](1);
        netting.sides[0] = sides[0];
        vm.expectRevert(abi.encodeWithSelector(TradeLegs.TradeLegsSideMissing.selector, _account(_bob)));
        _submit(netting);
        netting.sides[0] = sides[1];
        vm.expectRevert(abi.encodeWithSelector(TradeLegs.TradeLegsSideMissing.selector, _account(_alice)));
        _submit(netting);
    }

    function testRefusesIdleAndRepeatedSides() external {
        Netting memory netting = _small();
        OpenSide[] memory sides = netting.sides;
        netting.sides = new OpenSide[](3);
        (netting.sides[0], netting.sides[1], netting.sides[2]) = (sides[0], sides[1], sides[0]);
        vm.expectRevert(abi.encodeWithSelector(TradeLegs.TradeLegsAccountTwice.selector, _account(_alice)));
        _submit(netting);
        netting.sides[2] = abi.decode(abi.encode(sides[0]), (OpenSide));
        netting.sides[2].account = _account(_carol);
        vm.expectRevert(abi.encodeWithSelector(TradeLegs.TradeLegsAccountIdle.selector, 2));
        _submit(netting);
    }

    function testRefusesLegsWithOneself() external {
        Netting memory netting = _small();
        netting.legs[0].giver = netting.legs[0].receiver;
        netting.legs[0].giverNonce = 9;
        _resign(netting, ALICE, ALICE);
        vm.expectRevert(abi.encodeWithSelector(TradeLegs.TradeLegsLegInvalid.selector, 0, 0, 0));
        _submit(netting);
    }

    function testRefusesDifferencesForOtherBooks() external {
        Netting memory netting = _small();
        netting.legs[0].differences = new bytes(95);
        _resign(netting, ALICE, BOB);
        vm.expectRevert(abi.encodeWithSelector(TradeLegs.TradeLegsDifferencesInvalid.selector, 0, 1, 95));
        _submit(netting);
    }

    function testRefusesLegsAfterTheirDeadlineOrEpoch() external {
        Netting memory netting = _small();
        netting.legs[0].deadline = uint64(START);
        vm.expectRevert(
            abi.encodeWithSelector(IClearingHouse.ClearingHouseDeadlineExpired.selector, START, vm.getBlockTimestamp())
        );
        _submit(netting);
        netting = _small();
        netting.legs[0].maxEpoch = 0;
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseEpochTooLate.selector, 1, 0));
        _submit(netting);
    }

    /// @dev Every field that both sign.
    function testSignaturesCoverEveryField() external {
        Netting memory netting = _small();
        for (uint256 field = 0; field < 7; ++field) {
            Netting memory altered = abi.decode(abi.encode(netting), (Netting));
            OpenLeg memory leg = altered.legs[0];
            if (field == 0) leg.giver = _account(_carol);
            if (field == 1) ++leg.receiverNonce;
            if (field == 2) ++leg.giverNonce;
            if (field == 3) leg.books = 2;
            if (field == 4) --leg.maxEpoch;
            if (field == 5) --leg.deadline;
            if (field == 6) leg.differences[0] ^= 0x01;
            _expectSignatureRefused(leg, leg.receiver, _owner(_alice));
            _submit(altered);
        }
        _submit(netting);
    }

    function testRefusesOneSignatureForTwo() external {
        Netting memory netting = _small();
        netting.signatures[0].giverSignature = netting.signatures[0].receiverSignature;
        _expectSignatureRefused(netting.legs[0], netting.legs[0].giver, _owner(_bob));
        _submit(netting);
        netting.signatures[0].giverSigner = _owner(_alice);
        _expectNotAuthorised(_bob, _owner(_alice));
        _submit(netting);
        netting.signatures[0].receiverSigner = STRANGER;
        _expectNotAuthorised(_alice, STRANGER);
        _submit(netting);
    }

    function testRefusesSignaturesForAnotherChain() external {
        Netting memory netting = _small();
        vm.chainId(2);
        _expectSignatureRefused(netting.legs[0], netting.legs[0].receiver, _owner(_alice));
        _submit(netting);
    }

    function testRefusesReplaysAndUsedNonces() external {
        Netting memory netting = _small();
        _submit(netting);
        vm.expectRevert(
            abi.encodeWithSelector(IAccountLedger.AccountLedgerNonceUsed.selector, netting.legs[0].receiver, 0)
        );
        _submit(netting);
        vm.prank(_owner(_bob));
        house.invalidateNonces(_account(_bob), 0, 2);
        netting.legs[0].receiverNonce = 1;
        netting.legs[0].giverNonce = 1;
        _resign(netting, ALICE, BOB);
        vm.expectRevert(
            abi.encodeWithSelector(IAccountLedger.AccountLedgerNonceUsed.selector, netting.legs[0].giver, 1)
        );
        _submit(netting);
    }

    /// @dev The same leg twice in one netting is a replay, too.
    function testRefusesOneLegTwice() external {
        Netting memory netting = _small();
        OpenLeg memory leg = netting.legs[0];
        netting.legs = new OpenLeg[](2);
        (netting.legs[0], netting.legs[1]) = (leg, leg);
        OpenLegSignatures memory signatures = netting.signatures[0];
        netting.signatures = new OpenLegSignatures[](2);
        (netting.signatures[0], netting.signatures[1]) = (signatures, signatures);
        vm.expectRevert(abi.encodeWithSelector(IAccountLedger.AccountLedgerNonceUsed.selector, leg.receiver, 0));
        _submit(netting);
    }

    function testRefusesOtherStatesAndCommitments() external {
        Netting memory netting = _small();
        netting.sides[1].stateVersion = 2;
        _expectVersionRefused(_bob, 2);
        _submit(netting);
        netting = _small();
        netting.sides[1].portfolio[0] ^= 0x01;
        _expectMismatch(_bob, 0, netting.sides[1].portfolio);
        _submit(netting);
        netting.sides[1].portfolio = new bytes(192);
        _expectLengthRefused(192, 96);
        _submit(netting);
    }

    /// @dev Proofs made for the whole do not serve a part.
    function testRefusesProofsOfAnotherNetting() external {
        (Ghost[] memory ghosts, GhostLeg[] memory one) = _pair(_alice, _bob, "small", 1);
        GhostLeg[] memory legs = new GhostLeg[](2);
        (legs[0], legs[1]) = (one[0], GhostLeg({ receiver: 1, giver: 0, books: 1, change: _change("another") }));
        Netting memory whole = _netting(ghosts, legs);
        Netting memory part = _small();
        (part.sides[0].proof, part.sides[0].hint) = (whole.sides[0].proof, whole.sides[0].hint);
        vm.expectPartialRevert(IMarginVerifier.MarginVerifierInverseHintMismatch.selector);
        _submit(part);
    }

    // --- Helpers --------------------------------------------------------------------------------------------------

    /// @dev Alice from Bob, Bob from Carol, Carol from Alice, in different books.
    function _circle() private view returns (Ghost[] memory ghosts, GhostLeg[] memory legs) {
        ghosts = new Ghost[](3);
        (ghosts[0], ghosts[1], ghosts[2]) = (_alice, _bob, _carol);
        legs = new GhostLeg[](3);
        legs[0] = GhostLeg({ receiver: 0, giver: 1, books: 1, change: _change("first") });
        legs[1] = GhostLeg({ receiver: 1, giver: 2, books: 3, change: _change("second") });
        legs[2] = GhostLeg({ receiver: 2, giver: 0, books: 4, change: _change("third") });
    }

    function _withoutFirst(GhostLeg[] memory legs) private pure returns (GhostLeg[] memory rest) {
        rest = new GhostLeg[](legs.length - 1);
        for (uint256 index = 0; index < rest.length; ++index) {
            rest[index] = legs[index + 1];
        }
    }

    function _netting(Ghost[] memory ghosts, GhostLeg[] memory legs) private view returns (Netting memory netting) {
        netting.legs = _openLegs(ghosts, legs);
        netting.signatures = _openSignatures(netting.legs, ghosts, legs);
        netting.sides = _openSides(netting.legs, ghosts, legs, 1);
    }

    /// @dev One leg in book 0, Alice from Bob.
    function _small() private view returns (Netting memory) {
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(_alice, _bob, "small", 1);
        return _netting(ghosts, legs);
    }

    function _submit(Netting memory netting) private {
        house.settleOpen(netting.legs, netting.signatures, 1, netting.sides);
    }

    function _resign(Netting memory netting, uint256 receiverKey, uint256 giverKey) private view {
        (, bytes32 digest) = house.openLegHashes(netting.legs[0]);
        netting.signatures[0] = OpenLegSignatures({
            receiverSigner: vm.addr(receiverKey),
            receiverSignature: _signatureOf(digest, receiverKey),
            giverSigner: vm.addr(giverKey),
            giverSignature: _signatureOf(digest, giverKey)
        });
    }

    function _expectSignatureRefused(OpenLeg memory leg, AccountId account, address signer) private {
        (, bytes32 digest) = house.openLegHashes(leg);
        vm.expectRevert(
            abi.encodeWithSelector(IAccountLedger.AccountLedgerSignatureInvalid.selector, account, signer, digest)
        );
    }
}
