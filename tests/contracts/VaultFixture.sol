// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import { CollateralVault } from "../../contracts/CollateralVault.sol";
import { InsecureTestToken } from "../../contracts/test/InsecureTestToken.sol";
import { AccountId, accountIdOf } from "../../contracts/types/AccountId.sol";
import { TokenTerms } from "../../contracts/types/Vault.sol";
import { Expectations } from "./Expectations.sol";
import { vm } from "./Vm.sol";

/// @title A vault of two tokens with the test contract as its house: a vault's house is whoever creates it
abstract contract VaultFixture is Expectations {
    using SafeERC20 for IERC20;

    uint256 internal constant START = 1_700_000_000;
    uint256 internal constant DEPOSIT_LIMIT = 511;
    uint256 internal constant SLOTS = 8;
    uint64 internal constant CASH_UNITS = 10_000;
    uint64 internal constant COIN_UNITS = 1e12;
    uint64 internal constant CAPACITY = 60;
    uint64 internal constant REFILL = 2;
    uint8 internal constant CASH = 0;
    uint8 internal constant COIN = 1;

    address internal constant OWNER = address(0x0123);
    address internal constant PAYER = address(0x9a7e4);
    address internal constant FRIEND = address(0xf71e4d);
    address internal constant LENDER = address(0x1e4de4);

    CollateralVault internal vault;
    InsecureTestToken internal cash;
    InsecureTestToken internal coin;

    /// @dev Deploys vault and tokens; the payer has plenty of both and has approved the vault.
    function _deployVault() internal {
        vm.warp(START);
        cash = new InsecureTestToken();
        coin = new InsecureTestToken();
        vault = new CollateralVault(OWNER, DEPOSIT_LIMIT, SLOTS, _twoTokens());
        _fund(address(cash));
        _fund(address(coin));
    }

    function _fund(address token) internal {
        InsecureTestToken(token).mint(PAYER, 1e24);
        vm.prank(PAYER);
        InsecureTestToken(token).approve(address(vault), type(uint256).max);
    }

    function _twoTokens() internal view returns (TokenTerms[] memory tokens) {
        tokens = new TokenTerms[](2);
        tokens[CASH] = TokenTerms(IERC20(address(cash)), CASH_UNITS, 0, 500, CAPACITY, REFILL);
        tokens[COIN] = TokenTerms(IERC20(address(coin)), COIN_UNITS, 5, 40, 7, 1);
    }

    /// @dev A vault of one token, of which this contract is the house; the payer has approved it.
    function _vaultOf(address token) internal returns (CollateralVault made) {
        vm.warp(START);
        TokenTerms[] memory tokens = new TokenTerms[](1);
        tokens[0] = TokenTerms(IERC20(token), CASH_UNITS, 0, 500, CAPACITY, REFILL);
        made = new CollateralVault(OWNER, DEPOSIT_LIMIT, SLOTS, tokens);
        vm.prank(PAYER);
        IERC20(token).forceApprove(address(made), type(uint256).max);
    }

    function _account(uint96 number) internal pure returns (AccountId) {
        return accountIdOf(address(0xacc0), number);
    }

    /// @dev The invariant of one token: balance = (net deposits + unpaid claims)·units + what was donated.
    function _expectCovered(uint8 token, uint256 unpaid, uint256 donated) internal view {
        TokenTerms memory terms = vault.tokenTerms(token);
        uint256 owed = (vault.vaultState(token).netDeposits + unpaid) * terms.unitsPerTick;
        _expect("balance", terms.token.balanceOf(address(vault)), owed + donated);
    }
}
