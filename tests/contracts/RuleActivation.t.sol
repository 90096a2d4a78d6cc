// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import { RuleRegistry } from "../../contracts/RuleRegistry.sol";
import { IRuleRegistry } from "../../contracts/interfaces/IRuleRegistry.sol";
import { RuleMatrix } from "../../contracts/libraries/RuleMatrix.sol";
import { EpochTiming, RuleKind, RuleProposal } from "../../contracts/types/MarginRule.sol";
import { RegistryFixture } from "./RegistryFixture.sol";
import { vm } from "./Vm.sol";

/// @title When epochs can be used, and the clock that stands while none can
contract RuleActivationTest is RegistryFixture {
    uint256 private constant GRACE = 3 minutes;
    uint256 private constant EPOCHS = 4;

    /// @dev What the model of the clock knows of an epoch.
    struct Announced {
        uint256 activeFrom;
        uint256 staleFrom;
    }

    Announced[] private _model;
    uint256 private _count;
    uint256 private _countedUntil = START;

    // --- Activation -----------------------------------------------------------------------------------------------

    function testNothingCanBeUsedBeforeTheFirstEpoch() public {
        bytes memory refusal = abi.encodeWithSelector(IRuleRegistry.RuleRegistryNoEpoch.selector);
        vm.expectRevert(refusal);
        _registry.activeEpoch();
        for (uint32 epoch = 0; epoch < 2; ++epoch) {
            vm.expectRevert(refusal);
            _registry.usableRule(epoch, RuleKind.MAINTENANCE);
            vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotKept.selector, epoch, 0));
            _registry.matrix(epoch, RuleKind.INITIAL, 1);
            vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotKept.selector, epoch, 0));
            _registry.reducedRule(epoch, "");
        }
        _expect("latest", _registry.latestEpoch().epoch, 0);
        _expect("clock", _registry.activeClock(), 0);
    }

    function testTheFirstEpochWaitsForItsActivation() public {
        _publishNext(1);
        vm.warp(START + ACTIVATION_DELAY - 1);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryNoEpoch.selector));
        _registry.activeEpoch();
        _expectUsable(1, false, _waiting(1, START + ACTIVATION_DELAY));
        _expect("latest", _registry.latestEpoch().epoch, 1);
        _expect("points", _registry.matrix(1, RuleKind.INITIAL, 1), bytes.concat(_points(1, 1), _maskOf(2)));
        vm.warp(START + ACTIVATION_DELAY);
        _expect("active", _registry.activeEpoch().epoch, 1);
        _expectUsable(1, true, "");
    }

    function testAnEpochStaysActiveWhileTheNextWaits() public {
        _publishNext(1);
        vm.warp(START + SPACING);
        _publishNext(3);
        vm.warp(START + SPACING + ACTIVATION_DELAY - 1);
        _expect("active", _registry.activeEpoch().epoch, 1);
        _expect("latest", _registry.latestEpoch().epoch, 2);
        _expectUsable(1, true, "");
        _expectUsable(2, false, _waiting(2, START + SPACING + ACTIVATION_DELAY));
        vm.warp(START + SPACING + ACTIVATION_DELAY);
        _expect("active", _registry.activeEpoch().epoch, 2);
        _expectUsable(2, true, "");
        _expectInitialRefused(1, _notUsable(1, 2, RuleKind.INITIAL));
    }

    function testTheEpochBeforeServesMaintenanceForThreeMinutes() public {
        _publishNext(1);
        vm.warp(START + 500);
        _publishNext(3);
        uint256 end = START + 500 + ACTIVATION_DELAY + GRACE;
        vm.warp(end);
        _expectMaintenance(1, 2);
        _expectMaintenance(2, 4);
        _expectInitialRefused(1, _notUsable(1, 2, RuleKind.INITIAL));
        vm.warp(end + 1);
        _expectUsable(1, false, "");
        _expectMaintenance(2, 4);
    }

    /// @dev The grace of the epoch before the active one runs on while a third waits, to the second.
    function testGraceRunsOnWhileAThirdEpochWaits() public {
        _publishNext(1);
        vm.warp(START + 500);
        _publishNext(3);
        uint256 end = START + 500 + ACTIVATION_DELAY + GRACE;
        vm.warp(end - 1);
        _publishNext(5);
        vm.warp(end);
        _expectMaintenance(1, 2);
        _expectInitialRefused(1, _notUsable(1, 2, RuleKind.INITIAL));
        _expectUsable(2, true, "");
        vm.warp(end + 1);
        _expectUsable(1, false, "");
        _expectUsable(2, true, "");
        _expectUsable(3, false, _waiting(3, end - 1 + ACTIVATION_DELAY));
    }

    /// @dev With epochs every minute, the activation of the third ends the grace of the first.
    function testOnlyTheEpochBeforeTheActiveOneServes() public {
        _publishNext(1);
        vm.warp(START + SPACING);
        _publishNext(3);
        vm.warp(START + 2 * SPACING);
        _publishNext(5);
        vm.warp(START + 2 * SPACING + ACTIVATION_DELAY - 1);
        _expectMaintenance(1, 2);
        vm.warp(START + 2 * SPACING + ACTIVATION_DELAY);
        vm.expectRevert(_notUsable(1, 3, RuleKind.MAINTENANCE));
        _registry.usableRule(1, RuleKind.MAINTENANCE);
        _expectMaintenance(2, 4);
        _expectInitialRefused(2, _notUsable(2, 3, RuleKind.INITIAL));
        _expectUsable(3, true, "");
        vm.expectRevert(_notUsable(0, 3, RuleKind.MAINTENANCE));
        _registry.usableRule(0, RuleKind.MAINTENANCE);
        vm.expectRevert(_notUsable(4, 3, RuleKind.INITIAL));
        _registry.usableRule(4, RuleKind.INITIAL);
    }

    /// @dev Epoch 0 is none, also where the record of an epoch that never was would match it.
    function testEpochZeroIsNeverUsable() public {
        _publishNext(1);
        vm.warp(START + ACTIVATION_DELAY);
        vm.expectRevert(_notUsable(0, 1, RuleKind.MAINTENANCE));
        _registry.usableRule(0, RuleKind.MAINTENANCE);
        vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotKept.selector, 0, 1));
        _registry.matrix(0, RuleKind.INITIAL, 1);
    }

    function testThreeEpochsAreKept() public {
        for (uint256 index = 0; index < EPOCHS; ++index) {
            vm.warp(START + index * SPACING);
            _publishNext(1 + 2 * index);
        }
        for (uint32 epoch = 2; epoch <= EPOCHS; ++epoch) {
            bytes memory points = bytes.concat(_points(2 * epoch - 1, 1), _maskOf(2));
            _expect("points", _registry.matrix(epoch, RuleKind.INITIAL, 1), points);
            bytes memory all = _withReduced(_points(2 * epoch - 1, 2));
            _expect("reduced", _registry.reducedRule(epoch, _slice(all, 192, 96)) ? 1 : 0, 1);
        }
        for (uint32 epoch = 1; epoch <= 5; epoch += 4) {
            vm.expectRevert(abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotKept.selector, epoch, 4));
            _registry.matrix(epoch, RuleKind.INITIAL, 1);
        }
    }

    function testEpochsKeepTheirDistance() public {
        _publishNext(1);
        vm.warp(START + SPACING - 1);
        (RuleProposal memory proposal, bytes memory all) = _example();
        bytes memory refusal =
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryTooSoon.selector, START + SPACING - 1, START + SPACING);
        _expectRefusal(proposal, all, 0, refusal);
        vm.warp(START + SPACING);
        _publish(_registry, proposal, _points(1, 8));
        _expect("latest", _registry.latestEpoch().epoch, 2);
    }

    /// @dev Times have 32 bits: none is cut.
    function testNoEpochBecomesActiveBeyondTheYear2106() public {
        uint256 last = uint256(type(uint32).max) - ACTIVATION_DELAY;
        vm.warp(last + 1);
        (RuleProposal memory proposal, bytes memory all) = _example();
        bytes32[] memory hashes = _hashesOf(all);
        _carry(hashes, 0, 6);
        _stage(proposal, hashes, 0);
        _carry(hashes, 6, 8);
        _expectRefusal(
            proposal,
            all,
            6,
            abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 32, uint256(1) << 32)
        );
        vm.warp(last);
        _publishNext(1);
        _expect("active", _registry.latestEpoch().activeFrom, type(uint32).max);
    }

    // --- Age ------------------------------------------------------------------------------------------------------

    function testAStaleEpochCannotBeUsed() public {
        _publishNext(1);
        vm.warp(START + MAXIMUM_AGE);
        _registry.activeEpoch();
        _expectUsable(1, true, "");
        vm.warp(START + MAXIMUM_AGE + 1);
        vm.expectRevert(_stale(1, START));
        _registry.activeEpoch();
        _expectUsable(1, false, _stale(1, START));
        _expect("latest", _registry.latestEpoch().epoch, 1);
        _expect("points", _registry.matrix(1, RuleKind.INITIAL, 1), bytes.concat(_points(1, 1), _maskOf(2)));
    }

    function testAStaleEpochCannotBeUsedWhileTheNextWaits() public {
        _publishNext(1);
        vm.warp(START + MAXIMUM_AGE - 1);
        _publishNext(3);
        vm.warp(START + MAXIMUM_AGE);
        _expectUsable(1, true, "");
        vm.warp(START + MAXIMUM_AGE + 1);
        _expectUsable(1, false, _stale(1, START));
        vm.expectRevert(_stale(1, START));
        _registry.activeEpoch();
    }

    function testGraceEndsWithAge() public {
        _publishNext(1);
        vm.warp(START + MAXIMUM_AGE - 100);
        _publishNext(3);
        vm.warp(START + MAXIMUM_AGE);
        _expectMaintenance(1, 2);
        vm.warp(START + MAXIMUM_AGE + 1);
        vm.expectRevert(_stale(1, START));
        _registry.usableRule(1, RuleKind.MAINTENANCE);
    }

    // --- Active clock ---------------------------------------------------------------------------------------------

    function testTheClockStandsWhileNoFreshEpochIsActive() public {
        _publishNext(1);
        vm.warp(START + ACTIVATION_DELAY);
        _expect("at the activation", _registry.activeClock(), 0);
        vm.warp(START + MAXIMUM_AGE);
        _expect("at the last second", _registry.activeClock(), MAXIMUM_AGE - ACTIVATION_DELAY);
        vm.warp(START + 5 * MAXIMUM_AGE);
        _expect("stale", _registry.activeClock(), MAXIMUM_AGE - ACTIVATION_DELAY);
        _publishNext(3);
        _expect("announced", _registry.activeClock(), MAXIMUM_AGE - ACTIVATION_DELAY);
        vm.warp(START + 5 * MAXIMUM_AGE + ACTIVATION_DELAY + 7);
        _expect("active again", _registry.activeClock(), MAXIMUM_AGE - ACTIVATION_DELAY + 7);
    }

    /// @dev Whatever the times, the clock is the number of seconds, counted one by one, at which an epoch was active and
    /// fresh.
    function testFuzzTheClockCountsSeconds(uint256 seed) public {
        EpochTiming memory timing = _randomTiming(seed);
        _registry = new RuleRegistry(_verifier, _instruments, address(this), _publishers(), QUORUM, timing);
        uint256 snapshot = START;
        uint256 now_ = START + timing.maximumAge;
        for (uint256 index = 0; index < EPOCHS; ++index) {
            vm.warp(now_);
            RuleProposal memory proposal = _proposal(_registry, 1, 1);
            snapshot = _between(_random(seed, 4 * index), _max(snapshot + 1, now_ - timing.maximumAge), now_);
            proposal.snapshotTime = uint32(snapshot);
            _publish(_registry, proposal, _points(1, 2));
            _model.push(Announced(now_ + timing.activationDelay, snapshot + timing.maximumAge));
            for (uint256 look = 1; look < 3; ++look) {
                now_ += _random(seed, 4 * index + look) % (look == 1 ? timing.activationDelay + 1 : 300);
                vm.warp(now_);
                _expect("clock", _registry.activeClock(), _counted(now_));
            }
            now_ = _max(now_, _model[index].activeFrom - timing.activationDelay + timing.spacing);
        }
        vm.warp(now_ + 300);
        _expect("clock", _registry.activeClock(), _counted(now_ + 300));
    }

    /// @dev Seconds until `end` at which the epoch activated last was fresh; goes on from where it was called last.
    function _counted(uint256 end) private returns (uint256) {
        Announced[] memory model = _model;
        (uint256 count, uint256 active) = (_count, 0);
        for (uint256 second = _countedUntil; second < end; ++second) {
            while (active < model.length && model[active].activeFrom <= second) ++active;
            if (active != 0 && second < model[active - 1].staleFrom) ++count;
        }
        (_count, _countedUntil) = (count, end);
        return count;
    }

    function _randomTiming(uint256 seed) private pure returns (EpochTiming memory) {
        uint256 spacing = _between(_random(seed, 100), 60, 90);
        uint256 delay = _between(_random(seed, 101), 24, spacing);
        uint256 age = _between(_random(seed, 102), spacing + 1, 300);
        return EpochTiming({ maximumAge: uint32(age), activationDelay: uint32(delay), spacing: uint32(spacing) });
    }

    function _random(uint256 seed, uint256 index) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, index)));
    }

    function _between(uint256 random, uint256 least, uint256 greatest) private pure returns (uint256) {
        return least + random % (greatest - least + 1);
    }

    function _max(uint256 left, uint256 right) private pure returns (uint256) {
        return left > right ? left : right;
    }

    // --- Expectations ---------------------------------------------------------------------------------------------

    /// @dev Both rules of an epoch are usable, or both are refused like this; with an empty refusal, for any reason.
    function _expectUsable(uint32 epoch, bool usable, bytes memory refusal) private {
        for (uint256 kind = 0; kind < 2; ++kind) {
            if (!usable) {
                if (refusal.length == 0) vm.expectPartialRevert(IRuleRegistry.RuleRegistryEpochNotUsable.selector);
                else vm.expectRevert(refusal);
            }
            _registry.usableRule(epoch, RuleKind(kind));
        }
    }

    /// @dev The maintenance rule of an epoch is usable and its chunk is a multiple of the generator.
    function _expectMaintenance(uint32 epoch, uint256 multiple) private view {
        bytes memory points = RuleMatrix.read(_registry.usableRule(epoch, RuleKind.MAINTENANCE), 1);
        _expect("maintenance", points, bytes.concat(_points(multiple, 1), _maskOf(2)));
    }

    function _expectInitialRefused(uint32 epoch, bytes memory refusal) private {
        vm.expectRevert(refusal);
        _registry.usableRule(epoch, RuleKind.INITIAL);
    }

    function _waiting(uint256 epoch, uint256 activeFrom) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochWaiting.selector, epoch, activeFrom);
    }

    function _stale(uint256 epoch, uint256 snapshotTime) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRuleRegistry.RuleRegistryStaleEpoch.selector, epoch, snapshotTime, MAXIMUM_AGE);
    }
}
