// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import { VaultState, WithdrawalClaim } from "../types/Vault.sol";

/// @title The clearing house's collateral: what comes in, what may leave, and who waits
/// @author The zkmargin contributors
/// @notice What leaves runs through a leaky bucket, so that nobody, a captured quorum of publishers included, can empty
/// the house at once. A withdrawal for which there is no room becomes a claim. Room goes to claims in the order in which
/// they were queued, as time passes and whether or not anybody calls; whoever wants to then has them paid, one by one, so
/// that a recipient that cannot be paid holds up nobody else.
///
/// The token balance is at least the net deposits and all unpaid claims, exactly so but for donations, as long as the
/// token itself neither takes balances away nor moves other amounts than it is asked to.
/// @dev Whoever deposits and withdraws at once uses up room: all that comes of it is that others wait their turn.
interface ICollateralVault {
    /// @notice A queued claim was paid.
    /// @param claim Its number.
    /// @param recipient Who got the tokens.
    /// @param ticks How much.
    event ClaimPaid(uint256 indexed claim, address indexed recipient, uint256 ticks);

    /// @notice A tick must be worth at least one unit of the collateral token.
    error CollateralVaultTickWithoutUnits();

    /// @notice A bucket without capacity or refill would let nothing out.
    /// @param capacity Ticks that may leave at once.
    /// @param refillPerSecond Ticks that may leave in every second beyond that.
    error CollateralVaultLimitEmpty(uint256 capacity, uint256 refillPerSecond);

    /// @notice The collateral token moved another amount than was asked for (a fee on transfer, for instance).
    /// @param moved Units that the house's balance changed by.
    /// @param expected Units asked for.
    error CollateralVaultAmountWrong(uint256 moved, uint256 expected);

    /// @notice A withdrawal of nothing.
    error CollateralVaultNothingWithdrawn();

    /// @notice Neither the zero address nor the house itself can be paid.
    /// @param recipient Recipient given.
    error CollateralVaultRecipientInvalid(address recipient);

    /// @notice There is less collateral than that in all accounts together: some account lost more than it had.
    /// @param ticks Ticks to be withdrawn.
    /// @param netDeposits Ticks that there are.
    error CollateralVaultExhausted(uint256 ticks, uint256 netDeposits);

    /// @notice There is no such claim, or it is paid.
    /// @param claim Number given.
    error CollateralVaultNoSuchClaim(uint256 claim);

    /// @notice It is not yet this claim's turn.
    /// @param claim Its number.
    /// @param missing Ticks that have to be released before.
    error CollateralVaultClaimWaits(uint256 claim, uint256 missing);

    /// @notice Pays a queued claim for which room has been set aside; anyone may call.
    /// @param claim Number of the claim.
    function payQueued(uint256 claim) external;

    /// @notice Net deposits, room and backlog at the time of the block.
    /// @return State.
    function vaultState() external view returns (VaultState memory);

    /// @notice A queued claim.
    /// @param claim Its number, counted from 1.
    /// @return The claim; all zero when there is none, or it is paid.
    function withdrawalClaim(uint256 claim) external view returns (WithdrawalClaim memory);

    /// @notice Claims ever queued, and how much of them has been released.
    /// @return claims Number of claims, which is also the number of the last.
    /// @return queued Ticks of all of them together.
    /// @return released Ticks released so far: a claim whose `end` is not above it can be paid.
    function queueState() external view returns (uint256 claims, uint256 queued, uint256 released);

    /// @notice The collateral token.
    function collateral() external view returns (IERC20);

    /// @notice Units of the collateral token that one tick is.
    function unitsPerTick() external view returns (uint256);

    /// @notice Ticks that may leave at once.
    function withdrawalCapacity() external view returns (uint64);

    /// @notice Ticks that may leave in every second beyond that.
    function withdrawalRefill() external view returns (uint64);
}
