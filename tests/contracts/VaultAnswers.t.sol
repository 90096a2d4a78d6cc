// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ICollateralVault } from "../../contracts/interfaces/ICollateralVault.sol";
import { AccountId } from "../../contracts/types/AccountId.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { Lien, Withdrawal } from "../../contracts/types/Vault.sol";
import { TwoAccounts } from "./TwoAccounts.sol";
import { vm } from "./Vm.sol";

/// @title What the vault refuses, by every function of the house that asks it
contract VaultAnswersTest is TwoAccounts {
    function testMergesRefuseUnknownTokensAndOtherLengths() external {
        Ghost memory alice = _alice;
        AccountId account = _account(alice);
        _depositFor(STRANGER, account, CASH, 6);
        vm.startPrank(_owner(alice));
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultNoSuchToken.selector, 2));
        house.mergeInbox(account, 2, new bytes(96));
        _expectLengthRefused(95, 96);
        house.mergeInbox(account, CASH, new bytes(95));
        vm.stopPrank();
    }

    /// @dev Each with a proof that is accepted.
    function testWithdrawalsWithAProofRefuseNothingAndNobody() external {
        address[3] memory nobody = [address(0), address(vault), address(house)];
        for (uint256 index = 0; index < nobody.length; ++index) {
            _expectWithdrawalRefused(
                _withdrawal(_alice, 1, CASH, 1, nobody[index]),
                abi.encodeWithSelector(ICollateralVault.CollateralVaultRecipientInvalid.selector, nobody[index])
            );
        }
        _expectWithdrawalRefused(
            _withdrawal(_alice, 1, CASH, 0, RECIPIENT),
            abi.encodeWithSelector(ICollateralVault.CollateralVaultNothingWithdrawn.selector)
        );
    }

    function testLiensRefuseNothingNobodyAndMoreThanThereIs() external {
        _expectLienRefused(
            _lien(_alice, 1, CASH, 1, address(0)),
            abi.encodeWithSelector(ICollateralVault.CollateralVaultLienInvalid.selector, address(0), 1)
        );
        _expectLienRefused(
            _lien(_alice, 1, CASH, 0, STRANGER),
            abi.encodeWithSelector(ICollateralVault.CollateralVaultLienInvalid.selector, STRANGER, 0)
        );
        _expectLienRefused(
            _lien(_alice, 1, CASH, 2 * STAKE + 1, STRANGER),
            abi.encodeWithSelector(ICollateralVault.CollateralVaultExhausted.selector, 2 * STAKE + 1, 2 * STAKE)
        );
    }

    // --- Helpers --------------------------------------------------------------------------------------------------

    function _expectWithdrawalRefused(Withdrawal memory withdrawal, bytes memory refusal) private {
        bytes memory portfolio = _commitment(_alice, 0);
        MarginClaim memory claim = _proofWithout(_alice, 1, CASH, withdrawal.ticks, house.withdrawalHash(withdrawal));
        vm.expectRevert(refusal);
        vm.prank(_owner(_alice));
        house.withdraw(withdrawal, portfolio, claim.proof, claim.hint);
    }

    function _expectLienRefused(Lien memory lien, bytes memory refusal) private {
        bytes memory portfolio = _commitment(_alice, 0);
        MarginClaim memory claim = _proofWithout(_alice, 1, CASH, lien.ticks, house.lienHash(lien));
        vm.expectRevert(refusal);
        vm.prank(_owner(_alice));
        house.grantLien(lien, portfolio, claim.proof, claim.hint);
    }
}
