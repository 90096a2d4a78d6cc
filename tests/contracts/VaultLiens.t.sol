// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ICollateralVault } from "../../contracts/interfaces/ICollateralVault.sol";
import { AccountId } from "../../contracts/types/AccountId.sol";
import { VaultFixture } from "./VaultFixture.sol";
import { vm } from "./Vm.sol";

/// @title What a vault keeps apart: inboxes and liens, which no trading loss reaches
contract VaultLiensTest is VaultFixture {
    address private constant THIEF = address(0x7417);

    function setUp() external {
        _deployVault();
    }

    // --- Inboxes --------------------------------------------------------------------------------------------------

    function testAnybodyPaysIntoAnInbox() external {
        AccountId account = _account(1);
        vm.expectEmit();
        emit ICollateralVault.InboxCredited(account, CASH, PAYER, 30);
        _payIn(account, CASH, 30);
        _payIn(account, CASH, 5);
        _payIn(_account(2), CASH, 7);
        _payIn(account, COIN, 11);
        _expect("inbox", vault.inbox(account, CASH), 35);
        _expect("coin", vault.inbox(account, COIN), 11);
        _expect("apart", vault.keptApart(CASH), 42);
        _expect("deposits", vault.vaultState(CASH).netDeposits, 42);
        (uint64 ticks, uint256 slot) = vault.takeInbox(account, COIN);
        _expect("ticks", ticks, 11);
        _expect("slot", slot, 5);
        vault.takeInbox(account, CASH);
        _expect("emptied", vault.inbox(account, CASH), 0);
        _expect("other", vault.inbox(_account(2), CASH), 7);
        _expect("apart", vault.keptApart(CASH), 7);
        _expect("deposits stay", vault.vaultState(CASH).netDeposits, 42);
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultInboxEmpty.selector, account, CASH));
        vault.takeInbox(account, CASH);
        _expectCovered(CASH, 0, 0);
    }

    /// @dev What was given to the vault by a bare transfer credits nobody.
    function testDonationsChangeNothing() external {
        _payIn(_account(1), CASH, 30);
        vault.collect(CASH, PAYER, 100);
        bytes32 before = _everything();
        cash.mint(address(vault), 12_345);
        _expect("state", _everything(), before);
        _expectExhausted(101, 100);
        vault.payOut(CASH, FRIEND, 60);
        _expect("paid", cash.balanceOf(FRIEND), 60 * uint256(CASH_UNITS));
        _payIn(_account(1), CASH, 1);
        _expectCovered(CASH, 0, 12_345);
    }

    // --- Liens ----------------------------------------------------------------------------------------------------

    function testALenderClaimsUpToTheLien() external {
        AccountId account = _account(1);
        _grant(account, 50);
        vm.expectEmit();
        emit ICollateralVault.LienClaimed(account, CASH, LENDER, FRIEND, 20, 0);
        vm.prank(LENDER);
        vault.claimLien(account, CASH, 20, FRIEND);
        _expect("paid", cash.balanceOf(FRIEND), 20 * uint256(CASH_UNITS));
        _expect("left", vault.lien(account, LENDER, CASH), 30);
        _expect("apart", vault.keptApart(CASH), 30);
        _expectLienExceeded(account, LENDER, 31, 30);
        vm.prank(LENDER);
        vault.claimLien(account, CASH, 30, LENDER);
        _expectLienExceeded(account, LENDER, 1, 0);
        _expect("apart", vault.keptApart(CASH), 0);
        _expectCovered(CASH, 0, 0);
    }

    function testClaimsOfLiensGoThroughTheBucket() external {
        AccountId account = _account(1);
        vault.collect(CASH, PAYER, 100);
        _grant(account, 100);
        vault.payOut(CASH, FRIEND, CAPACITY - 10);
        vm.expectEmit();
        emit ICollateralVault.LienClaimed(account, CASH, LENDER, LENDER, 20, 1);
        vm.prank(LENDER);
        vault.claimLien(account, CASH, 20, LENDER);
        _expect("nothing yet", cash.balanceOf(LENDER), 0);
        // Nobody overtakes, and what waits is no longer under the lien.
        _expect("queued", vault.payOut(CASH, FRIEND, 1), 2);
        _expect("left", vault.lien(account, LENDER, CASH), 80);
        vm.warp(START + 5);
        vault.payQueued(CASH, 1);
        _expect("paid", cash.balanceOf(LENDER), 20 * uint256(CASH_UNITS));
        _expectCovered(CASH, 1, 0);
    }

    /// @dev Neither the account's owner nor its house, nor another lender, can make a lien smaller.
    function testNobodyElseReducesALien() external {
        AccountId account = _account(1);
        _grant(account, 50);
        vault.collect(CASH, PAYER, 60);
        _expectLienExceeded(account, THIEF, 1, 0);
        _expectLienExceeded(account, account.ownerOf(), 1, 0);
        _expectLienExceeded(account, address(this), 1, 0);
        _expectLienExceeded(_account(2), LENDER, 1, 0);
        _expectLienExceeded(account, LENDER, 0, 50);
        // What all accounts hold together leaves, not what is under a lien.
        _expectExhausted(61, 60);
        vault.payOut(CASH, FRIEND, 60);
        _expectExhausted(1, 0);
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultExhausted.selector, 1, 0));
        vault.addLien(account, CASH, THIEF, 1);
        _expect("lien", vault.lien(account, LENDER, CASH), 50);
        vm.warp(START + 30);
        vm.prank(LENDER);
        vault.claimLien(account, CASH, 50, LENDER);
        _expect("paid", cash.balanceOf(LENDER), 50 * uint256(CASH_UNITS));
        _expectCovered(CASH, 0, 0);
    }

    function testALienGivenBackGoesToTheInbox() external {
        AccountId account = _account(1);
        _grant(account, 50);
        vm.expectEmit();
        emit ICollateralVault.LienReleased(account, CASH, LENDER, 15);
        vm.expectEmit();
        emit ICollateralVault.InboxCredited(account, CASH, LENDER, 15);
        vm.prank(LENDER);
        vault.releaseLien(account, CASH, 15);
        _expect("lien", vault.lien(account, LENDER, CASH), 35);
        _expect("inbox", vault.inbox(account, CASH), 15);
        _expect("apart", vault.keptApart(CASH), 50);
        _expect("deposits", vault.vaultState(CASH).netDeposits, 50);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVaultLienExceeded.selector, account, LENDER, 36, 35)
        );
        vm.prank(LENDER);
        vault.releaseLien(account, CASH, 36);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVaultLienExceeded.selector, account, LENDER, 0, 35)
        );
        vm.prank(LENDER);
        vault.releaseLien(account, CASH, 0);
        vault.takeInbox(account, CASH);
        _expect("apart", vault.keptApart(CASH), 35);
    }

    function testLiensOfSeveralLendersAddUp() external {
        AccountId account = _account(1);
        _grant(account, 50);
        _grant(account, 10);
        vault.collect(CASH, PAYER, 20);
        vault.addLien(account, CASH, FRIEND, 20);
        _expect("lender", vault.lien(account, LENDER, CASH), 60);
        _expect("friend", vault.lien(account, FRIEND, CASH), 20);
        _expect("other token", vault.lien(account, LENDER, COIN), 0);
        _expect("apart", vault.keptApart(CASH), 80);
        vm.prank(FRIEND);
        vault.claimLien(account, CASH, 20, FRIEND);
        _expect("lender", vault.lien(account, LENDER, CASH), 60);
    }

    function testRefusesLiensOfNothingOrNobody() external {
        vault.collect(CASH, PAYER, 10);
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultLienInvalid.selector, address(0), 1));
        vault.addLien(_account(1), CASH, address(0), 1);
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultLienInvalid.selector, LENDER, 0));
        vault.addLien(_account(1), CASH, LENDER, 0);
        vault.addLien(_account(1), CASH, LENDER, 10);
        address[3] memory nobody = [address(0), address(vault), address(this)];
        for (uint256 index = 0; index < nobody.length; ++index) {
            vm.expectRevert(
                abi.encodeWithSelector(ICollateralVault.CollateralVaultRecipientInvalid.selector, nobody[index])
            );
            vm.prank(LENDER);
            vault.claimLien(_account(1), CASH, 1, nobody[index]);
        }
    }

    /// @dev Any sequence: what is kept apart is the sum of inboxes and liens, and the balance is what is owed.
    function testFuzzWhatIsKeptApartIsInboxesAndLiens(uint256 seed) external {
        uint256 held = 0;
        uint256 claimed = 0;
        for (uint256 step = 0; step < 16; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            AccountId account = _account(uint96((seed >> 8) % 2));
            uint64 ticks = uint64(1 + (seed >> 16) % 20);
            uint256 action = seed % 5;
            if (action == 0) {
                _payIn(account, CASH, ticks);
            } else if (action == 1) {
                vault.collect(CASH, PAYER, ticks);
                vault.addLien(account, CASH, LENDER, ticks);
            } else if (action == 2 && vault.inbox(account, CASH) != 0) {
                (uint64 taken,) = vault.takeInbox(account, CASH);
                held += taken;
            } else {
                uint64 lien = vault.lien(account, LENDER, CASH);
                if (lien == 0) continue;
                ticks = uint64(1 + ticks % lien);
                vm.prank(LENDER);
                if (action == 3) {
                    vault.releaseLien(account, CASH, ticks);
                } else {
                    vault.claimLien(account, CASH, ticks, LENDER);
                    claimed += ticks;
                }
            }
            _expectKeptApart(held);
        }
        (, uint256 queued,) = vault.queueState(CASH);
        _expect("paid", cash.balanceOf(LENDER), (claimed - queued) * CASH_UNITS);
        _expectCovered(CASH, queued, 0);
    }

    // --- Helpers --------------------------------------------------------------------------------------------------

    function _payIn(AccountId account, uint8 token, uint64 ticks) private {
        vm.prank(PAYER);
        vault.depositFor(account, token, ticks);
    }

    /// @dev A deposit of the account that goes under a lien.
    function _grant(AccountId account, uint64 ticks) private {
        vault.collect(CASH, PAYER, ticks);
        vault.addLien(account, CASH, LENDER, ticks);
    }

    function _expectKeptApart(uint256 held) private view {
        uint256 apart = 0;
        for (uint96 number = 0; number < 2; ++number) {
            apart += vault.inbox(_account(number), CASH) + vault.lien(_account(number), LENDER, CASH);
        }
        _expect("apart", vault.keptApart(CASH), apart);
        _expect("held", vault.vaultState(CASH).netDeposits, apart + held);
    }

    function _expectLienExceeded(AccountId account, address lender, uint64 ticks, uint64 lien) private {
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVaultLienExceeded.selector, account, lender, ticks, lien)
        );
        vm.prank(lender);
        vault.claimLien(account, CASH, ticks, FRIEND);
    }

    function _expectExhausted(uint64 ticks, uint64 held) private {
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultExhausted.selector, ticks, held));
        vault.payOut(CASH, FRIEND, ticks);
    }

    function _everything() private view returns (bytes32) {
        (uint256 claims, uint256 queued, uint256 released) = vault.queueState(CASH);
        return keccak256(
            abi.encode(
                vault.vaultState(CASH), vault.keptApart(CASH), vault.inbox(_account(1), CASH), claims, queued, released
            )
        );
    }
}
