// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { Ownable2Step } from "@openzeppelin/contracts/access/Ownable2Step.sol";

import { IHousePause } from "./interfaces/IHousePause.sol";

/// @title HousePause
/// @author The zkmargin contributors
/// @notice The part of the clearing house that a guardian may stop for a while; see IHousePause.
abstract contract HousePause is IHousePause, Ownable2Step {
    /// @notice Longest pause in seconds.
    uint256 public constant MAXIMUM_PAUSE = 3 days;

    /// @dev One storage slot.
    struct PauseState {
        address guardian;
        uint40 begin;
        uint40 end;
    }

    PauseState private _pause;

    /// @notice Begins open.
    /// @param owner_ Appoints the guardian.
    /// @param guardian_ First guardian.
    constructor(address owner_, address guardian_) Ownable(owner_) {
        _setGuardian(guardian_);
    }

    /// @inheritdoc IHousePause
    function pause(uint32 duration) external override {
        PauseState memory last = _pause;
        if (msg.sender != last.guardian) {
            revert HousePauseNotGuardian(msg.sender);
        }
        if (duration == 0 || duration > MAXIMUM_PAUSE) {
            revert HousePauseDurationOutOfRange(duration, MAXIMUM_PAUSE);
        }
        uint256 allowedAt = 2 * uint256(last.end) - last.begin;
        if (block.timestamp < allowedAt) {
            revert HousePauseTooSoon(allowedAt);
        }
        uint256 end = block.timestamp + duration;
        // Times fit 40 bits for some 34,000 years.
        _pause = PauseState({ guardian: last.guardian, begin: uint40(block.timestamp), end: uint40(end) });
        emit Paused(msg.sender, end);
    }

    /// @inheritdoc IHousePause
    function unpause() external override {
        PauseState memory last = _pause;
        if (msg.sender != last.guardian && msg.sender != owner()) {
            revert HousePauseNotGuardian(msg.sender);
        }
        if (block.timestamp >= last.end) {
            revert HousePauseNotActive();
        }
        _pause.end = uint40(block.timestamp);
        emit Unpaused(msg.sender);
    }

    /// @inheritdoc IHousePause
    function setGuardian(address guardian_) external override onlyOwner {
        _setGuardian(guardian_);
    }

    /// @inheritdoc IHousePause
    function guardian() external view override returns (address) {
        return _pause.guardian;
    }

    /// @inheritdoc IHousePause
    function lastPause() external view override returns (uint256 begin, uint256 end) {
        return (_pause.begin, _pause.end);
    }

    /// @dev Reverts while the house is paused.
    function _requireNotPaused() internal view {
        uint256 end = _pause.end;
        if (block.timestamp < end) {
            revert HousePauseActive(end);
        }
    }

    function _setGuardian(address guardian_) private {
        _pause.guardian = guardian_;
        emit GuardianSet(guardian_);
    }
}
