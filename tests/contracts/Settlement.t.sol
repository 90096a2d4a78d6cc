// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ClearingHouse } from "../../contracts/ClearingHouse.sol";
import { IAccountLedger } from "../../contracts/interfaces/IAccountLedger.sol";
import { IClearingHouse } from "../../contracts/interfaces/IClearingHouse.sol";
import { AccountId, accountIdOf } from "../../contracts/types/AccountId.sol";
import { AccountStatus } from "../../contracts/types/AccountState.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { RuleKind } from "../../contracts/types/MarginRule.sol";
import { MarginCheck, Settlement, SettlementSide } from "../../contracts/types/Settlement.sol";
import { TwoAccounts } from "./TwoAccounts.sol";
import { WalletOwner } from "./WalletOwner.sol";
import { vm } from "./Vm.sol";

/// @title Settlements that all participants sign as a whole: what they do, and whose signature counts
contract SettlementTest is TwoAccounts {
    // --- What they do ---------------------------------------------------------------------------------------------

    function testTradesMoveTheDifference() external {
        (Ghost memory alice, Ghost memory bob) = (_alice, _bob);
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(alice, bob, "trade", 1);
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("trade", 1);
        (bytes32 action,) = house.settlementHashes(settlement);
        AccountId[] memory accounts = new AccountId[](2);
        (accounts[0], accounts[1]) = (_account(alice), _account(bob));
        vm.expectEmit();
        emit IClearingHouse.Settled(action, 1, accounts, settlement.legs);
        house.settle(settlement, 1, sides);
        _carryOut(ghosts, legs);
        _expectGhost(alice, AccountStatus.ACTIVE);
        _expectGhost(bob, AccountStatus.ACTIVE);
        _expect("initial", house.accountState(_account(bob)).initialEpoch, 1);
        _expect("maintenance", house.accountState(_account(bob)).maintenanceEpoch, 0);
    }

    /// @dev All sets of the three books, one after the other.
    function testTradesTouchAnyBooks() external {
        (Ghost memory alice, Ghost memory bob) = (_alice, _bob);
        Ghost memory carol = _ghost(CAROL, 0);
        _deposit(carol, 1);
        for (uint32 books = 1; books <= ALL_BOOKS; ++books) {
            Ghost memory dave = _ghost(CAROL, books);
            _deposit(dave, 1);
            _trade(dave, carol, bytes32(uint256(books)), books, 1);
            _expectGhost(dave, AccountStatus.ACTIVE);
            _expect("its own books", dave.books, books | 1);
        }
        _expectGhost(carol, AccountStatus.ACTIVE);
        _trade(alice, bob, "last", ALL_BOOKS, 1);
        _expectGhost(alice, AccountStatus.ACTIVE);
    }

    /// @dev Alice receives from both others, Carol gives to both; each leg in books of its own.
    function testManyAccountsSettleTogether() external {
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _triangle();
        _settle(ghosts, legs, 1);
        for (uint256 index = 0; index < 3; ++index) {
            _expectGhost(ghosts[index], AccountStatus.ACTIVE);
        }
        _expect("alice's books", ghosts[0].books, 3);
        _expect("bob's books", ghosts[1].books, 5);
        _expect("carol's books", ghosts[2].books, 7);
        _settle(ghosts, legs, 1);
        _expectGhost(ghosts[2], AccountStatus.ACTIVE);
    }

    function testAccountsOfOneOwnerTradeWithOneAnother() external {
        Ghost memory twin = _ghost(ALICE, 8);
        _deposit(twin, STAKE);
        Ghost memory alice = _alice;
        _trade(alice, twin, "twins", 1, 1);
        _expectGhost(twin, AccountStatus.ACTIVE);
    }

    /// @dev Two legs between the same accounts add up, also when they cancel.
    function testLegsAddUp() external {
        (Ghost[] memory ghosts, GhostLeg[] memory one) = _pair(_alice, _bob, "there and back", 3);
        GhostLeg[] memory legs = new GhostLeg[](2);
        legs[0] = one[0];
        legs[1] = GhostLeg({ receiver: 1, giver: 0, books: 3, change: one[0].change });
        bytes memory before = _commitment(ghosts[0], 0);
        _settle(ghosts, legs, 1);
        _expectGhost(ghosts[0], AccountStatus.ACTIVE);
        _expect("as before", keccak256(_commitment(ghosts[0], 0)), keccak256(before));
    }

    // --- Who signs ------------------------------------------------------------------------------------------------

    function testContractsMayOwnAccounts() external {
        WalletOwner wallet = new WalletOwner("yes");
        _fund(address(wallet), CASH, 1);
        vm.prank(address(wallet));
        house.deposit(0, CASH, 1, new bytes(96));
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(_alice, _bob, "contract", 1);
        Settlement memory settlement = _settlement(ghosts, legs);
        settlement.participants[1].account = accountIdOf(address(wallet), 0);
        SettlementSide[] memory sides = _sides(settlement, ghosts, legs, 1);
        _bringAs(settlement, sides[1], legs[0].change);
        sides[1].signer = address(wallet);
        sides[1].signature = "no";
        _expectSignatureRefused(settlement, 1, address(wallet));
        house.settle(settlement, 1, sides);
        sides[1].signature = "yes";
        house.settle(settlement, 1, sides);
        _expect("version", house.accountState(settlement.participants[1].account).stateVersion, 2);
    }

    /// @dev An account with a key to which code was delegated signs by either.
    function testDelegatedAccountsSignByKeyOrCode() external {
        vm.etch(_owner(_alice), address(new WalletOwner("code")).code);
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("delegated", 1);
        bytes memory byKey = sides[0].signature;
        sides[0].signature = "neither";
        _expectSignatureRefused(settlement, 0, _owner(_alice));
        house.settle(settlement, 1, sides);
        sides[0].signature = byKey;
        house.settle(settlement, 1, sides);
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(_alice, _bob, "delegated", 1);
        _carryOut(ghosts, legs);
        settlement = _settlement(ghosts, legs);
        sides = _sides(settlement, ghosts, legs, 1);
        sides[0].signature = "code";
        house.settle(settlement, 1, sides);
        _expect("version", house.accountState(_account(_alice)).stateVersion, 3);
    }

    function testRefusesTheOtherOwnersSignature() external {
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("signatures", 1);
        (sides[0].signature, sides[1].signature) = (sides[1].signature, sides[0].signature);
        _expectSignatureRefused(settlement, 0, _owner(_alice));
        house.settle(settlement, 1, sides);
    }

    function testRefusesStrangersSignatures() external {
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("strangers", 1);
        (, bytes32 digest) = house.settlementHashes(settlement);
        sides[1].signer = vm.addr(CAROL);
        sides[1].signature = _signatureOf(digest, CAROL);
        _expectNotAuthorised(_bob, vm.addr(CAROL));
        house.settle(settlement, 1, sides);
        sides[1].signer = address(0);
        _expectNotAuthorised(_bob, address(0));
        house.settle(settlement, 1, sides);
    }

    /// @dev The other of the two signatures that the curve has for one digest, and other lengths.
    function testRefusesMalleableSignatures() external {
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("malleable", 1);
        bytes memory honest = sides[0].signature;
        sides[0].signature = _mirrored(honest);
        _expectSignatureRefused(settlement, 0, _owner(_alice));
        house.settle(settlement, 1, sides);
        sides[0].signature = bytes.concat(honest, hex"00");
        _expectSignatureRefused(settlement, 0, _owner(_alice));
        house.settle(settlement, 1, sides);
        sides[0].signature = "";
        _expectSignatureRefused(settlement, 0, _owner(_alice));
        house.settle(settlement, 1, sides);
        sides[0].signature = honest;
        house.settle(settlement, 1, sides);
    }

    /// @dev Every field that owners sign; a settlement altered afterwards has no signature.
    function testSignaturesCoverEveryField() external {
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("fields", 1);
        for (uint256 field = 0; field < 10; ++field) {
            Settlement memory altered = _altered(settlement, field);
            _expectSignatureRefused(altered, 0, _owner(_alice));
            house.settle(altered, 1, sides);
        }
        house.settle(settlement, 1, sides);
    }

    function testRefusesSignaturesForAnotherHouseOrChain() external {
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("elsewhere", 1);
        ClearingHouse other = new ClearingHouse(_parts(), address(this), GUARDIAN, _tokens());
        (, bytes32 digest) = other.settlementHashes(settlement);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccountLedger.AccountLedgerSignatureInvalid.selector, _account(_alice), _owner(_alice), digest
            )
        );
        other.settle(settlement, 1, sides);
        uint256 home = block.chainid;
        vm.chainId(2);
        _expectSignatureRefused(settlement, 0, _owner(_alice));
        house.settle(settlement, 1, sides);
        vm.chainId(home);
        house.settle(settlement, 1, sides);
    }

    function testRefusesReplayedSettlements() external {
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("once", 1);
        house.settle(settlement, 1, sides);
        vm.expectRevert(
            abi.encodeWithSelector(IAccountLedger.AccountLedgerNonceUsed.selector, _account(_alice), _alice.nonce)
        );
        house.settle(settlement, 1, sides);
    }

    // --- Helpers --------------------------------------------------------------------------------------------------

    function _triangle() private returns (Ghost[] memory ghosts, GhostLeg[] memory legs) {
        ghosts = new Ghost[](3);
        (ghosts[0], ghosts[1], ghosts[2]) = (_alice, _bob, _ghost(CAROL, 1));
        _deposit(ghosts[2], COIN, STAKE);
        legs = new GhostLeg[](3);
        legs[0] = GhostLeg({ receiver: 0, giver: 1, books: 1, change: _change("first") });
        legs[1] = GhostLeg({ receiver: 0, giver: 2, books: 2, change: _change("second") });
        legs[2] = GhostLeg({ receiver: 1, giver: 2, books: 5, change: _change("third") });
    }

    /// @dev Replaces what Bob brings by what an account with one tick of cash does.
    function _bringAs(Settlement memory settlement, SettlementSide memory side, Ghost memory change) private view {
        Ghost memory owned;
        owned.positions[0][CASH] = 1;
        side.portfolio = _commitment(owned, 0);
        _apply(owned, change, 1, false);
        (bytes32 action,) = house.settlementHashes(settlement);
        MarginCheck memory check = MarginCheck({
            account: settlement.participants[1].account, stateVersion: 1, epoch: 1, kind: RuleKind.INITIAL
        });
        MarginClaim memory claim = _simulated(check, action, owned);
        (side.proof, side.hint) = (claim.proof, claim.hint);
    }

    function _expectSignatureRefused(Settlement memory settlement, uint256 index, address signer) private {
        (, bytes32 digest) = house.settlementHashes(settlement);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccountLedger.AccountLedgerSignatureInvalid.selector,
                settlement.participants[index].account,
                signer,
                digest
            )
        );
    }

    /// @dev Another order of participants, a missing leg and so on; the first participant stays Alice.
    function _altered(Settlement memory settlement, uint256 field) private view returns (Settlement memory altered) {
        altered = abi.decode(abi.encode(settlement), (Settlement));
        if (field == 0) altered.participants[1].account = accountIdOf(_owner(_bob), 1);
        if (field == 1) ++altered.participants[0].stateVersion;
        if (field == 2) ++altered.participants[1].nonce;
        if (field == 3) (altered.legs[0].receiver, altered.legs[0].giver) = (1, 0);
        if (field == 4) altered.legs[0].books = 2;
        if (field == 5) altered.legs[0].differences[0] ^= 0x01;
        if (field == 6) --altered.maxEpoch;
        if (field == 7) --altered.deadline;
        if (field == 8) altered.legs[0].receiver = 2;
        if (field == 9) altered.legs[0].differences = bytes.concat(altered.legs[0].differences, hex"00");
    }

    /// @dev (r, n − s) with the other parity.
    function _mirrored(bytes memory signature) private pure returns (bytes memory) {
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        (bytes32 r, uint256 s) = (bytes32(_slice(signature, 0, 32)), uint256(bytes32(_slice(signature, 32, 32))));
        return abi.encodePacked(r, order - s, uint8(signature[64]) == 27 ? uint8(28) : uint8(27));
    }
}
