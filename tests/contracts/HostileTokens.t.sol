// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { Address } from "@openzeppelin/contracts/utils/Address.sol";

import { ClearingHouse } from "../../contracts/ClearingHouse.sol";
import { IClearingHouse } from "../../contracts/interfaces/IClearingHouse.sol";
import { ICollateralVault } from "../../contracts/interfaces/ICollateralVault.sol";
import { AccountId, accountIdOf } from "../../contracts/types/AccountId.sol";
import { OpenLeg, OpenLegSignatures, OpenSide, Settlement, SettlementSide } from "../../contracts/types/Settlement.sol";
import { Lien, TokenTerms, Withdrawal } from "../../contracts/types/Vault.sol";
import { HouseDeployment } from "./HouseDeployment.sol";
import { ReentrantToken } from "./ReentrantToken.sol";
import { vm } from "./Vm.sol";

/// @title A house whose token misbehaves: it cannot be entered while tokens move, and nothing stays of what failed
contract HostileTokensTest is HouseDeployment {
    uint64 private constant AMOUNT = 100;
    address private constant FRIEND = address(0xf71e4d);

    ClearingHouse private _house;
    ICollateralVault private _vault;
    ReentrantToken private _token;
    AccountId private _self;

    function setUp() external {
        _deploy();
        _token = new ReentrantToken();
        TokenTerms[] memory terms = new TokenTerms[](1);
        terms[0] = TokenTerms({
            token: IERC20(address(_token)),
            unitsPerTick: UNITS_PER_TICK,
            slot: 0,
            cap: uint64(DEPOSIT_LIMIT),
            capacity: CAPACITY,
            refillPerSecond: REFILL
        });
        _house = new ClearingHouse(_parts(), address(this), GUARDIAN, terms);
        _vault = _house.vault();
        _self = accountIdOf(address(this), 0);
        _token.approve(address(_vault), type(uint256).max);
        _house.deposit(0, 0, AMOUNT, new bytes(96));
        _vault.depositFor(_self, 0, 10);
        // One claim that is due.
        _withdraw(1, CAPACITY + 1);
        vm.warp(START + 60);
    }

    /// @dev Every entry of the house that reads or changes an account's collateral, from within every movement of tokens.
    function testRefusesToBeCalledBack() external {
        bytes[8] memory calls = _entries();
        for (uint256 index = 0; index < calls.length; ++index) {
            _token.aim(address(this), abi.encodeCall(this.callHouse, (calls[index])));
            _expectGuarded();
            this.withdraw(2, 1);
            bytes memory commitment = _held(2);
            _expectGuarded();
            _house.deposit(0, 0, 1, commitment);
        }
        // From movements that begin at the vault, whatever would move tokens again is refused by the vault's own guard.
        bytes[3] memory moving = [calls[0], calls[1], abi.encodeCall(this.withdraw, (2, 1))];
        for (uint256 index = 0; index < moving.length; ++index) {
            bytes memory call = index == 2 ? moving[index] : abi.encodeCall(this.callHouse, (moving[index]));
            _token.aim(address(this), call);
            _expectGuarded();
            _vault.payQueued(0, 1);
            _expectGuarded();
            _vault.depositFor(_self, 0, 1);
        }
        _expect("version", _house.accountState(_self).stateVersion, 2);
    }

    function testNothingStaysOfADepositThatFails() external {
        bytes memory commitment = _held(2);
        _token.idle(true);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVaultAmountWrong.selector, 0, uint256(UNITS_PER_TICK))
        );
        _house.deposit(0, 0, 1, commitment);
        _token.idle(false);
        _token.takeMore(1);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICollateralVault.CollateralVaultAmountWrong.selector,
                uint256(UNITS_PER_TICK) + 1,
                uint256(UNITS_PER_TICK)
            )
        );
        this.withdraw(2, 1);
        _token.takeMore(0);
        _expect("version", _house.accountState(_self).stateVersion, 2);
        _expect("holdings", _house.holdings(_self, 0), AMOUNT - CAPACITY - 1);
        this.withdraw(2, 1);
    }

    function testNamesATokenThatRefuses() external {
        bytes memory commitment = _held(2);
        bytes memory refusal = abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(_token));
        _token.refuse(address(_vault));
        vm.expectRevert(refusal);
        _house.deposit(0, 0, 1, commitment);
        _token.refuse(FRIEND);
        vm.expectRevert(refusal);
        this.withdraw(2, 1);
        _token.refuse(address(0));
        _token.take(address(_vault), _token.balanceOf(address(_vault)) - 1);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVaultBalanceMissing.selector, 1, uint256(UNITS_PER_TICK))
        );
        this.withdraw(2, 1);
        _expect("version", _house.accountState(_self).stateVersion, 2);
    }

    // --- Helpers --------------------------------------------------------------------------------------------------

    /// @notice Hands a call of the token on to the house.
    function callHouse(bytes calldata call) external {
        Address.functionCall(address(_house), call);
    }

    /// @notice A withdrawal of what this contract's account holds.
    function withdraw(uint64 stateVersion, uint64 ticks) external {
        _withdraw(stateVersion, ticks);
    }

    function _withdraw(uint64 stateVersion, uint64 ticks) private {
        _house.withdrawHoldings(_self, stateVersion, 0, ticks, FRIEND, _held(stateVersion));
    }

    /// @dev Commitment of this contract's account: its holdings without a blind.
    function _held(uint64 stateVersion) private view returns (bytes memory) {
        Ghost memory ghost;
        ghost.positions[0][0] = int256(uint256(stateVersion == 1 ? AMOUNT : AMOUNT - CAPACITY - 1));
        return _commitment(ghost, 0);
    }

    function _entries() private view returns (bytes[8] memory) {
        bytes memory none = new bytes(96);
        Settlement memory settlement;
        return [
            abi.encodeCall(IClearingHouse.deposit, (0, 0, 1, _held(2))),
            abi.encodeCall(IClearingHouse.mergeInbox, (_self, 0, _held(2))),
            abi.encodeCall(IClearingHouse.withdraw, (Withdrawal(_self, 2, 1, 0, 1, FRIEND), none, "", "")),
            abi.encodeCall(IClearingHouse.grantLien, (Lien(_self, 2, 1, 0, 1, FRIEND), none, "", "")),
            abi.encodeCall(IClearingHouse.withdrawHoldings, (_self, 2, 0, 1, FRIEND, _held(2))),
            abi.encodeCall(IClearingHouse.exit, (_self, 2, new uint64[](1), none, none, 0)),
            abi.encodeCall(IClearingHouse.settle, (settlement, 1, new SettlementSide[](0))),
            abi.encodeCall(
                IClearingHouse.settleOpen, (new OpenLeg[](0), new OpenLegSignatures[](0), 1, new OpenSide[](0))
            )
        ];
    }

    function _expectGuarded() private {
        vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
    }
}
