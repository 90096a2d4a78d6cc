// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A pause of limited length
/// @author The zkmargin contributors
/// @notice A guardian stops for a while whatever takes risk or lets value out against a margin proof. What needs neither
/// rule nor proof of margin goes on: deposits, withdrawals of transparent accounts, exits; so do margin proofs. After a
/// pause the guardian must leave the house alone for as long as the pause lasted: it can never be shut for good.
interface IHousePause {
    /// @notice The guardian paused the house.
    /// @param guardian Who did it.
    /// @param until Unix time in seconds at which the pause ends by itself.
    event Paused(address indexed guardian, uint256 until);

    /// @notice The pause was ended early.
    /// @param caller Guardian or owner.
    event Unpaused(address indexed caller);

    /// @notice The house has another guardian.
    /// @param guardian Who may pause from now on; the zero address for nobody.
    event GuardianSet(address indexed guardian);

    /// @notice The house is paused.
    /// @param until Unix time in seconds at which the pause ends.
    error HousePauseActive(uint256 until);

    /// @notice The house is not paused.
    error HousePauseNotActive();

    /// @notice The caller may not pause, or not unpause.
    /// @param caller Who called.
    error HousePauseNotGuardian(address caller);

    /// @notice A pause lasts at least a second and at most `MAXIMUM_PAUSE`.
    /// @param duration Seconds given.
    /// @param maximum Largest number of seconds.
    error HousePauseDurationOutOfRange(uint256 duration, uint256 maximum);

    /// @notice The house must first have been open for as long as the last pause was.
    /// @param allowedAt Unix time in seconds from which it may be paused again.
    error HousePauseTooSoon(uint256 allowedAt);

    /// @notice Pauses the house; only the guardian.
    /// @param duration For how many seconds.
    function pause(uint32 duration) external;

    /// @notice Ends a pause early; guardian or owner.
    function unpause() external;

    /// @notice Appoints another guardian; only the owner.
    /// @param guardian_ Who may pause from now on; the zero address for nobody.
    function setGuardian(address guardian_) external;

    /// @notice Who may pause.
    function guardian() external view returns (address);

    /// @notice The last pause: it holds in [begin, end).
    /// @return begin Unix time in seconds at which it began; 0 for never.
    /// @return end Unix time in seconds at which it ends or ended.
    function lastPause() external view returns (uint256 begin, uint256 end);
}
