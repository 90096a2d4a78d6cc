// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ClearingHouse } from "../../contracts/ClearingHouse.sol";
import { CollateralVault } from "../../contracts/CollateralVault.sol";
import { IAccountLedger } from "../../contracts/interfaces/IAccountLedger.sol";
import { IClearingHouse } from "../../contracts/interfaces/IClearingHouse.sol";
import { ICollateralVault } from "../../contracts/interfaces/ICollateralVault.sol";
import { IExitVerifier } from "../../contracts/interfaces/IExitVerifier.sol";
import { IMarginVerifier } from "../../contracts/interfaces/IMarginVerifier.sol";
import { Bls12381 } from "../../contracts/libraries/Bls12381.sol";
import { Commitments } from "../../contracts/libraries/Commitments.sol";
import { CurveConstants } from "../../contracts/libraries/CurveConstants.sol";
import { AccountStatus } from "../../contracts/types/AccountState.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { RuleKind } from "../../contracts/types/MarginRule.sol";
import { MarginCheck, Settlement, SettlementSide } from "../../contracts/types/Settlement.sol";
import { Lien, Withdrawal } from "../../contracts/types/Vault.sol";
import { KnownSetup } from "./KnownSetup.sol";
import { TwoAccounts } from "./TwoAccounts.sol";
import { vm } from "./Vm.sol";

/// @title Attacks on the house: points outside the group, gas, liens, replays, whoever comes first
contract HouseAttacksTest is TwoAccounts {
    uint256 private constant STRANGERS_KEY = 0x57a4e;

    // --- Points outside the subgroup ------------------------------------------------------------------------------

    /// @dev Whoever gives commitments gives those that are kept; no path takes a point that was not there.
    function testNoPathTakesAPointThatIsNotTheAccounts() external {
        (Ghost memory alice,) = _traded("before", 3);
        Ghost memory bob = _ghost(CAROL, 1);
        _deposit(bob, STAKE);
        _depositFor(STRANGER, _account(bob), COIN, 5);
        _fund(_owner(bob), CASH, 10);
        bytes memory strange = Commitments.add(_commitment(bob, 0), _orderThree());
        vm.startPrank(_owner(bob));
        _expectMismatch(bob, 0, strange);
        house.deposit(bob.subaccount, CASH, 10, strange);
        _expectMismatch(bob, 0, strange);
        house.mergeInbox(_account(bob), COIN, strange);
        _expectMismatch(bob, 0, strange);
        house.withdrawHoldings(_account(bob), bob.version, CASH, 1, RECIPIENT, strange);
        // An account that is not open holds nothing, not even what vanishes when it is multiplied by three.
        _expectMismatch(_ghost(CAROL, 2), 0, _orderThree());
        house.deposit(2, CASH, 10, _orderThree());
        vm.stopPrank();
        _expectHiddenRefused(alice);
    }

    /// @dev The difference of a trade is the one point that comes from outside: the proof of what comes of it refuses it.
    function testRefusesTradesOfPointsOutsideTheSubgroup() external {
        (Settlement memory settlement, SettlementSide[] memory sides, bytes memory sum) = _strangeTrade(_orderThree());
        vm.expectRevert(abi.encodeWithSelector(Bls12381.Bls12381InvalidPoint.selector, sum));
        house.settle(settlement, 1, sides);
    }

    /// @dev Parts that cancel out never enter a commitment.
    function testWhatCancelsLeavesNothingBehind() external {
        (Ghost[] memory ghosts, GhostLeg[] memory one) = _pair(_alice, _bob, "cancel", 1);
        GhostLeg[] memory legs = new GhostLeg[](2);
        legs[0] = one[0];
        legs[1] = GhostLeg({ receiver: 0, giver: 1, books: 1, change: _change("second") });
        Settlement memory settlement = _settlement(ghosts, legs);
        bytes memory strange = _orderThree();
        settlement.legs[0].differences = Commitments.add(settlement.legs[0].differences, strange);
        settlement.legs[1].differences = Commitments.subtract(settlement.legs[1].differences, strange);
        SettlementSide[] memory sides = _sides(settlement, ghosts, legs, 1);
        house.settle(settlement, 1, sides);
        _carryOut(ghosts, legs);
        _expectGhost(ghosts[0], AccountStatus.ACTIVE);
        _expectGhost(ghosts[1], AccountStatus.ACTIVE);
    }

    // --- Gas ------------------------------------------------------------------------------------------------------

    /// @dev A failing precompile eats what it is given: never more than a small multiple of what an honest call costs.
    function testHostilePointsEatABoundedAmountOfGas() external {
        (Settlement memory settlement, SettlementSide[] memory sides,) = _strangeTrade(_orderThree());
        uint256 hostile = _gasOf(settlement, sides, Bls12381.Bls12381InvalidPoint.selector);
        (settlement, sides,) = _strangeTrade(_orderThree());
        settlement.legs[0].differences = bytes.concat(bytes32(uint256(1)), new bytes(64));
        bytes4 refusal = Bls12381.Bls12381PrecompileFailed.selector;
        uint256 garbage = _gasOf(settlement, _signedAnew(settlement, sides), refusal);
        (settlement, sides) = _agreed("honest", 1);
        uint256 honest = _gasOf(settlement, sides, bytes4(0));
        if (hostile > 3 * honest) revert NumbersDiffer("outside the subgroup", hostile, 3 * honest);
        if (garbage > honest) revert NumbersDiffer("off the curve", garbage, honest);
    }

    // --- Liens ----------------------------------------------------------------------------------------------------

    /// @dev Neither by a proof of what was there before, nor by an exit, nor without a proof.
    function testTheOwnerCannotReduceALien() external {
        Ghost memory alice = _alice;
        Ghost memory before = _copy(alice);
        _grantLien(alice, 1, CASH, 40, RECIPIENT);
        before.version = alice.version;
        Withdrawal memory withdrawal = _withdrawal(alice, 1, CASH, 100, RECIPIENT);
        MarginClaim memory claim = _proofWithout(before, 1, CASH, 100, house.withdrawalHash(withdrawal));
        bytes memory portfolio = _commitment(before, 0);
        _expectMismatch(alice, 0, portfolio);
        vm.prank(_owner(alice));
        house.withdraw(withdrawal, portfolio, claim.proof, claim.hint);
        _expectExitRefused(alice, before);
        _exit(alice);
        portfolio = _commitment(alice, 0);
        vm.startPrank(_owner(alice));
        vm.expectRevert(
            abi.encodeWithSelector(IClearingHouse.ClearingHouseHoldingsExceeded.selector, _account(alice), CASH, 61, 60)
        );
        house.withdrawHoldings(_account(alice), alice.version, CASH, 61, RECIPIENT, portfolio);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICollateralVault.CollateralVaultLienExceeded.selector, _account(alice), _owner(alice), 1, 0
            )
        );
        vault.releaseLien(_account(alice), CASH, 1);
        vm.stopPrank();
        _expect("lien", vault.lien(_account(alice), RECIPIENT, CASH), 40);
        vm.startPrank(RECIPIENT);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICollateralVault.CollateralVaultLienExceeded.selector, _account(alice), RECIPIENT, 41, 40
            )
        );
        vault.claimLien(_account(alice), CASH, 41, RECIPIENT);
        vault.claimLien(_account(alice), CASH, 40, RECIPIENT);
        vm.stopPrank();
        _expect("claimed", token.balanceOf(RECIPIENT), 40 * UNITS_PER_TICK);
    }

    // --- Replays --------------------------------------------------------------------------------------------------

    /// @dev Two houses of the same parts on one chain, and the same house on two chains, accounts at the same version.
    function testNothingIsReplayedInAnotherHouseOrOnAnotherChain() external {
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("replay", 1);
        Withdrawal memory withdrawal = _withdrawal(_alice, 1, CASH, 5, RECIPIENT);
        MarginClaim memory claim = _proofWithout(_alice, 1, CASH, 5, house.withdrawalHash(withdrawal));
        Ghost memory rest = _copy(_alice);
        rest.positions[0][CASH] -= 5;
        vm.chainId(77);
        _expectSettlementForeign(settlement, sides);
        _expectProofForeign(withdrawal, rest, claim);
        vm.chainId(31_337);
        ClearingHouse first = house;
        house = new ClearingHouse(_parts(), address(this), GUARDIAN, _tokens());
        vault = CollateralVault(address(house.vault()));
        _deposit(_ghost(ALICE, 7), STAKE);
        _deposit(_ghost(BOB, 0), STAKE);
        _expectSettlementForeign(settlement, sides);
        _expectProofForeign(withdrawal, rest, claim);
        house = first;
        house.settle(settlement, 1, sides);
    }

    /// @dev The proof of one account says nothing about another of the same owner's that holds the same.
    function testNothingIsReplayedForAnotherAccount() external {
        Ghost memory twin = _ghost(ALICE, 8);
        _deposit(twin, STAKE);
        Withdrawal memory withdrawal = _withdrawal(_alice, 1, CASH, 5, RECIPIENT);
        MarginClaim memory claim = _proofWithout(_alice, 1, CASH, 5, house.withdrawalHash(withdrawal));
        withdrawal.account = _account(twin);
        Ghost memory rest = _copy(twin);
        rest.positions[0][CASH] -= 5;
        _expectProofForeign(withdrawal, rest, claim);
    }

    // --- Whoever comes first --------------------------------------------------------------------------------------

    /// @dev A pending deposit: others can neither take the approved tokens nor change what it is made on.
    function testADepositCannotBeFrontRun() external {
        Ghost memory alice = _alice;
        _fund(_owner(alice), CASH, 10);
        bytes memory commitment = _commitment(alice, 0);
        Ghost memory stranger = _ghost(STRANGERS_KEY, alice.subaccount);
        _fund(_owner(stranger), CASH, 10);
        vm.startPrank(_owner(stranger));
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultNotHouse.selector, _owner(stranger)));
        vault.collect(CASH, _owner(alice), 10);
        // The same call is about an account of the stranger's, paid by the stranger.
        _expectMismatch(stranger, 0, commitment);
        house.deposit(alice.subaccount, CASH, 10, commitment);
        vm.stopPrank();
        _depositFor(STRANGER, _account(alice), CASH, 3);
        vm.prank(_owner(alice));
        house.deposit(alice.subaccount, CASH, 10, commitment);
        alice.positions[0][CASH] += 10;
        ++alice.version;
        _expectGhost(alice, AccountStatus.TRANSPARENT);
    }

    /// @dev Whoever sees a settlement can submit it, as it is, once; bent ones use nothing up.
    function testASettlementCanBeSubmittedByAnybodyOnlyAsItIs() external {
        (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("front", 1);
        vm.startPrank(STRANGER);
        _expectBentRefused(settlement, sides);
        house.settle(settlement, 1, sides);
        vm.stopPrank();
        vm.expectRevert(
            abi.encodeWithSelector(IAccountLedger.AccountLedgerNonceUsed.selector, _account(_alice), _alice.nonce)
        );
        house.settle(settlement, 1, sides);
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(_alice, _bob, "front", 1);
        _carryOut(ghosts, legs);
        _expectGhost(ghosts[0], AccountStatus.ACTIVE);
        _expectGhost(ghosts[1], AccountStatus.ACTIVE);
    }

    // --- Helpers --------------------------------------------------------------------------------------------------

    function _orderThree() private pure returns (bytes memory) {
        return KnownSetup.encode(CurveConstants.pointOfOrderThree());
    }

    /// @dev A trade of book 0 whose difference is off by a point; the proofs are for what comes of it.
    function _strangeTrade(bytes memory strange)
        private
        view
        returns (Settlement memory settlement, SettlementSide[] memory sides, bytes memory sum)
    {
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(_alice, _bob, "strange", 1);
        settlement = _settlement(ghosts, legs);
        settlement.legs[0].differences = Commitments.add(settlement.legs[0].differences, strange);
        sides = _sides(settlement, ghosts, legs, 1);
        (bytes32 action,) = house.settlementHashes(settlement);
        for (uint256 index = 2; index > 0; --index) {
            bytes memory before = _commitment(index == 1 ? _alice : _bob, 0);
            bytes memory difference = settlement.legs[0].differences;
            sum = index == 1 ? Commitments.add(before, difference) : Commitments.subtract(before, difference);
            MarginCheck memory check = _check(index == 1 ? _alice : _bob, 1, RuleKind.INITIAL);
            MarginClaim memory other;
            (other.proof, other.hint) = (sides[index - 1].proof, sides[index - 1].hint);
            sides[index - 1].hint = _forged(check, action, 1, sum, other).hint;
        }
    }

    /// @dev The sides with signatures of the settlement as it stands.
    function _signedAnew(Settlement memory settlement, SettlementSide[] memory sides)
        private
        view
        returns (SettlementSide[] memory)
    {
        (, bytes32 digest) = house.settlementHashes(settlement);
        sides[0].signature = _signatureOf(digest, ALICE);
        sides[1].signature = _signatureOf(digest, BOB);
        return sides;
    }

    /// @dev What a settlement costs that is refused by that error, or accepted when there is none.
    function _gasOf(Settlement memory settlement, SettlementSide[] memory sides, bytes4 refusal)
        private
        returns (uint256 spent)
    {
        uint256 before = gasleft();
        try house.settle(settlement, 1, sides) {
            spent = before - gasleft();
            _expect("accepted", bytes32(refusal), 0);
        } catch (bytes memory reason) {
            spent = before - gasleft();
            _expect("refused", bytes32(bytes4(reason)), bytes32(refusal));
        }
    }

    /// @dev Withdrawal, lien and exit of a hidden account on another point than its own.
    function _expectHiddenRefused(Ghost memory alice) private {
        bytes memory strange =
            bytes.concat(Commitments.add(_commitment(alice, 0), _orderThree()), _commitment(alice, 1));
        bytes memory first = _slice(strange, 0, 96);
        vm.startPrank(_owner(alice));
        Withdrawal memory withdrawal = _withdrawal(alice, 1, CASH, 1, RECIPIENT);
        _expectMismatch(alice, 0, first);
        house.withdraw(withdrawal, strange, "", "");
        Lien memory lien = _lien(alice, 1, CASH, 1, RECIPIENT);
        _expectMismatch(alice, 0, first);
        house.grantLien(lien, strange, "", "");
        _expectMismatch(alice, 0, first);
        house.exit(_account(alice), alice.version, new uint64[](2), strange, "", 0);
        vm.stopPrank();
        MarginCheck memory check = _check(alice, 1, RuleKind.MAINTENANCE);
        _expectMismatch(alice, 0, first);
        house.proveMargin(check, strange, "", "");
    }

    /// @dev An exit with all that was there before the lien.
    function _expectExitRefused(Ghost memory alice, Ghost memory before) private {
        uint64[] memory amounts = _amounts(before);
        bytes memory portfolio = _commitments(alice, alice.books);
        (bytes memory nonce, uint256 response) = _exitProof(alice, amounts, portfolio, "exit");
        vm.prank(_owner(alice));
        vm.expectRevert(IExitVerifier.ExitVerifierRejected.selector);
        house.exit(_account(alice), alice.version, amounts, portfolio, nonce, response);
    }

    function _expectSettlementForeign(Settlement memory settlement, SettlementSide[] memory sides) private {
        vm.expectPartialRevert(IAccountLedger.AccountLedgerSignatureInvalid.selector);
        house.settle(settlement, 1, sides);
    }

    /// @dev Withdrawal by the owner with a proof that was made elsewhere and the hint that it needs here.
    function _expectProofForeign(Withdrawal memory withdrawal, Ghost memory rest, MarginClaim memory claim) private {
        MarginCheck memory check = _check(rest, 1, RuleKind.INITIAL);
        bytes memory portfolio = _commitment(_alice, 0);
        claim = _forged(check, house.withdrawalHash(withdrawal), 1, _commitment(rest, 0), claim);
        vm.prank(_owner(_alice));
        vm.expectRevert(IMarginVerifier.MarginVerifierRejected.selector);
        house.withdraw(withdrawal, portfolio, claim.proof, claim.hint);
    }

    /// @dev Sides the other way round, a proof of the other's, one byte of a commitment changed.
    function _expectBentRefused(Settlement memory settlement, SettlementSide[] memory sides) private {
        (sides[0], sides[1]) = (sides[1], sides[0]);
        vm.expectPartialRevert(IAccountLedger.AccountLedgerNotAuthorised.selector);
        house.settle(settlement, 1, sides);
        (sides[0], sides[1]) = (sides[1], sides[0]);
        (sides[0].proof, sides[1].proof, sides[0].hint, sides[1].hint) =
        (sides[1].proof, sides[0].proof, sides[1].hint, sides[0].hint);
        vm.expectPartialRevert(IMarginVerifier.MarginVerifierInverseHintMismatch.selector);
        house.settle(settlement, 1, sides);
        (sides[0].proof, sides[1].proof, sides[0].hint, sides[1].hint) =
        (sides[1].proof, sides[0].proof, sides[1].hint, sides[0].hint);
        settlement.legs[0].differences[95] ^= 0x01;
        vm.expectPartialRevert(IAccountLedger.AccountLedgerSignatureInvalid.selector);
        house.settle(settlement, 1, sides);
        settlement.legs[0].differences[95] ^= 0x01;
    }
}
