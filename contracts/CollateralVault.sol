// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import { ICollateralVault } from "./interfaces/ICollateralVault.sol";
import { LeakyBucket } from "./libraries/LeakyBucket.sol";
import { VaultState, WithdrawalClaim, WithdrawalLimit } from "./types/Vault.sol";

/// @title CollateralVault
/// @author The zkmargin contributors
/// @notice The part of the clearing house that holds tokens; see ICollateralVault. Twins: verifier/chain/house_client.py, verifier/chain/vault_state.py.
abstract contract CollateralVault is ICollateralVault, ReentrancyGuardTransient {
    using LeakyBucket for VaultState;
    using SafeERC20 for IERC20;

    /// @inheritdoc ICollateralVault
    IERC20 public immutable override collateral;
    /// @inheritdoc ICollateralVault
    uint256 public immutable override unitsPerTick;
    /// @inheritdoc ICollateralVault
    uint64 public immutable override withdrawalCapacity;
    /// @inheritdoc ICollateralVault
    uint64 public immutable override withdrawalRefill;

    VaultState private _vault;
    uint128 private _claimCount;
    uint128 private _queued;
    mapping(uint256 claim => WithdrawalClaim content) private _claims;

    /// @notice Creates a vault without tokens, its bucket full.
    /// @param collateral_ Collateral token.
    /// @param unitsPerTick_ Units of the token that one tick is.
    /// @param limit What may leave.
    constructor(IERC20 collateral_, uint256 unitsPerTick_, WithdrawalLimit memory limit) {
        if (unitsPerTick_ == 0) {
            revert CollateralVaultTickWithoutUnits();
        }
        if (limit.capacity == 0 || limit.refillPerSecond == 0) {
            revert CollateralVaultLimitEmpty(limit.capacity, limit.refillPerSecond);
        }
        collateral = collateral_;
        unitsPerTick = unitsPerTick_;
        withdrawalCapacity = limit.capacity;
        withdrawalRefill = limit.refillPerSecond;
        _vault.room = limit.capacity;
        _vault.updatedAt = uint64(block.timestamp);
    }

    /// @inheritdoc ICollateralVault
    function payQueued(uint256 claim) external override nonReentrant {
        WithdrawalClaim memory content = _claims[claim];
        if (content.ticks == 0) {
            revert CollateralVaultNoSuchClaim(claim);
        }
        uint256 released = _queued - _current().backlog;
        if (content.end > released) {
            revert CollateralVaultClaimWaits(claim, content.end - released);
        }
        delete _claims[claim];
        emit ClaimPaid(claim, content.recipient, content.ticks);
        _pay(content.recipient, content.ticks);
    }

    /// @inheritdoc ICollateralVault
    function vaultState() external view override returns (VaultState memory) {
        return _current();
    }

    /// @inheritdoc ICollateralVault
    function withdrawalClaim(uint256 claim) external view override returns (WithdrawalClaim memory) {
        return _claims[claim];
    }

    /// @inheritdoc ICollateralVault
    function queueState() external view override returns (uint256 claims, uint256 queued, uint256 released) {
        return (_claimCount, _queued, _queued - _current().backlog);
    }

    /// @dev Takes ticks of the collateral token from the caller; the last thing that a deposit does.
    function _collect(uint64 ticks) internal {
        _vault.netDeposits += ticks;
        uint256 units = ticks * unitsPerTick;
        uint256 before = collateral.balanceOf(address(this));
        collateral.safeTransferFrom(msg.sender, address(this), units);
        uint256 received = collateral.balanceOf(address(this)) - before;
        if (received != units) {
            revert CollateralVaultAmountWrong(received, units);
        }
    }

    /// @dev Books what leaves: out of the net deposits, and out of the bucket, or into the queue when there is no room.
    /// Gives the number of the claim; 0 says that the caller must pay now.
    function _book(address recipient, uint64 ticks) internal returns (uint256 claim) {
        if (ticks == 0) {
            revert CollateralVaultNothingWithdrawn();
        }
        if (recipient == address(0) || recipient == address(this)) {
            revert CollateralVaultRecipientInvalid(recipient);
        }
        VaultState memory vault = _current();
        if (ticks > vault.netDeposits) {
            revert CollateralVaultExhausted(ticks, vault.netDeposits);
        }
        vault.netDeposits -= ticks;
        // While anything waits there is no room: nobody overtakes.
        if (ticks <= vault.room) {
            vault.room -= ticks;
        } else {
            vault.backlog += ticks - vault.room;
            vault.room = 0;
            claim = ++_claimCount;
            _queued += ticks;
            _claims[claim] = WithdrawalClaim({ recipient: recipient, ticks: ticks, end: _queued });
        }
        _vault = vault;
    }

    /// @dev Pays ticks of the collateral token; the last thing that a withdrawal does.
    function _pay(address recipient, uint64 ticks) internal {
        uint256 units = ticks * unitsPerTick;
        uint256 before = collateral.balanceOf(address(this));
        collateral.safeTransfer(recipient, units);
        // A recipient that is called may donate; that must not undo its own payment, let alone another's.
        uint256 remaining = collateral.balanceOf(address(this));
        if (remaining + units < before) {
            revert CollateralVaultAmountWrong(before - remaining, units);
        }
    }

    /// @dev The state at the time of the block.
    function _current() private view returns (VaultState memory) {
        return _vault.advancedTo(WithdrawalLimit(withdrawalCapacity, withdrawalRefill), block.timestamp);
    }
}
