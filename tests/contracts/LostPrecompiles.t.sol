// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Bls12381 } from "../../contracts/libraries/Bls12381.sol";
import { AccountId } from "../../contracts/types/AccountId.sol";
import { InstrumentKind, SlotTerms } from "../../contracts/types/Instrument.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { RuleKind } from "../../contracts/types/MarginRule.sol";
import { MarginCheck, MarginEvidence } from "../../contracts/types/Settlement.sol";
import { TwoAccounts } from "./TwoAccounts.sol";
import { vm } from "./Vm.sol";

/// @title A precompile that says nothing, as on a chain without it: whatever needs it is refused by its name
/// @dev That no contract is made where they are absent is shown in Precompiles.t.sol; here one is lost afterwards.
contract LostPrecompilesTest is TwoAccounts {
    function testCollateralStaysWhereItIs() external {
        Ghost memory alice = _alice;
        AccountId account = _account(alice);
        bytes memory commitment = _commitment(alice, 0);
        _fund(_owner(alice), CASH, 1);
        _depositFor(STRANGER, account, COIN, 1);
        _lose(Bls12381.G1_MULTIPLY);
        vm.startPrank(_owner(alice));
        _expectNamed(Bls12381.G1_MULTIPLY);
        house.deposit(7, CASH, 1, commitment);
        _expectNamed(Bls12381.G1_MULTIPLY);
        house.mergeInbox(account, COIN, commitment);
        _expectNamed(Bls12381.G1_MULTIPLY);
        house.withdrawHoldings(account, 1, CASH, 1, RECIPIENT, commitment);
        _expectNamed(Bls12381.G1_MULTIPLY);
        house.withdraw(_withdrawal(alice, 1, CASH, 1, RECIPIENT), commitment, "", "");
        _expectNamed(Bls12381.G1_MULTIPLY);
        house.grantLien(_lien(alice, 1, CASH, 1, RECIPIENT), commitment, "", "");
        vm.clearMockedCalls();
        house.mergeInbox(account, COIN, commitment);
        vm.stopPrank();
    }

    function testNothingIsProven() external {
        MarginCheck[] memory checks = new MarginCheck[](1);
        MarginEvidence[] memory evidence = new MarginEvidence[](1);
        checks[0] = _check(_alice, 1, RuleKind.INITIAL);
        MarginClaim memory claim = _simulated(checks[0], 0, _alice);
        evidence[0] = MarginEvidence(claim.portfolio, claim.proof, claim.hint);
        for (uint256 index = 0; index < 2; ++index) {
            uint256 precompile = index == 0 ? Bls12381.G1_MULTIPLY : Bls12381.PAIRING;
            _lose(precompile);
            _expectNamed(precompile);
            house.proveMargin(checks[0], claim.portfolio, claim.proof, claim.hint);
            _expectNamed(precompile);
            house.proveMargins(checks, evidence);
            _expectNamed(precompile);
            verifier.requireOpening(new bytes(96), 0, 0, new bytes(96));
            vm.clearMockedCalls();
        }
        house.proveMargins(checks, evidence);
    }

    function testNobodyExits() external {
        (Ghost memory alice, Ghost memory bob) = _traded("away", 1);
        _trade(bob, alice, "away", 1, 1); // back
        uint64[] memory amounts = _amounts(alice);
        bytes memory portfolio = _commitment(alice, 0);
        (bytes memory nonce, uint256 response) = _exitProof(alice, amounts, portfolio, "exit");
        _lose(Bls12381.G1_MULTIPLY);
        vm.startPrank(_owner(alice));
        _expectNamed(Bls12381.G1_MULTIPLY);
        house.exit(_account(alice), alice.version, amounts, portfolio, nonce, response);
        vm.clearMockedCalls();
        house.exit(_account(alice), alice.version, amounts, portfolio, nonce, response);
        vm.stopPrank();
    }

    function testListsStayAsTheyAre() external {
        SlotTerms[] memory terms = new SlotTerms[](1);
        (terms[0].kind, terms[0].underlying, terms[0].contractSize) = (InstrumentKind.PERPETUAL, 1, 1e8);
        string[] memory names = new string[](1);
        names[0] = "the last one";
        uint256 version = instruments.version();
        _lose(Bls12381.G1_ADD);
        _expectNamed(Bls12381.G1_ADD);
        instruments.list(uint8(BOOKS - 1), terms, names);
        _expectNamed(Bls12381.G1_ADD);
        instruments.delist(SLOTS);
        _expect("version", instruments.version(), version);
        vm.clearMockedCalls();
        instruments.list(uint8(BOOKS - 1), terms, names);
    }

    /// @dev Calls of the precompile succeed and return nothing.
    function _lose(uint256 precompile) private {
        vm.mockCall(address(uint160(precompile)), "", "");
    }

    function _expectNamed(uint256 precompile) private {
        vm.expectRevert(abi.encodeWithSelector(Bls12381.Bls12381PrecompileFailed.selector, precompile, 0));
    }
}
