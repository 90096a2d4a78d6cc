// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { RuleKind } from "../../contracts/types/MarginRule.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { Withdrawal, WithdrawalClaim } from "../../contracts/types/Vault.sol";
import { GhostBook } from "./GhostBook.sol";
import { vm } from "./Vm.sol";

/// @title What owners, lenders and third parties do with collateral
/// @dev Every function takes any arguments, does nothing where its statement would be false, and reverts where the house
/// does other than it should.
abstract contract CollateralHandler is GhostBook {
    /// @notice Something was accepted that nobody had a right to, or refused to somebody who had.
    error HandlerRightViolated(string how);

    /// @dev A withdrawal with its proof, made at some time to be used later.
    struct Prepared {
        Withdrawal withdrawal;
        bytes portfolio;
        bytes proof;
        bytes hint;
    }

    Prepared[OWNERS] private _prepared;

    // --- What comes in --------------------------------------------------------------------------------------------

    function deposit(uint256 who, bool ofCoin, uint64 ticks) public {
        (uint256 index, uint8 number) = (who % OWNERS, ofCoin ? COIN : CASH);
        ticks = _depositable(number, ticks);
        if (ticks == 0) return;
        Ghost memory ghost = ghosts[index];
        _deposit(ghost, number, ticks);
        ghosts[index] = ghost;
    }

    /// @notice A third party's deposit; everything that was proven stays proven.
    function depositFor(uint256 who, bool ofCoin, uint64 ticks) public {
        (uint256 index, uint8 number) = (who % OWNERS, ofCoin ? COIN : CASH);
        ticks = _depositable(number, ticks);
        if (ticks == 0) return;
        _depositFor(address(0xf71e4d), _account(ghosts[index]), number, ticks);
        inboxes[index][number] += ticks;
    }

    function mergeInbox(uint256 who, bool ofCoin) external {
        (uint256 index, uint8 number) = (who % OWNERS, ofCoin ? COIN : CASH);
        if (inboxes[index][number] == 0) return;
        Ghost memory ghost = ghosts[index];
        _mergeInbox(ghost, number);
        ghosts[index] = ghost;
        inboxes[index][number] = 0;
    }

    /// @notice A third party's tokens change nothing but the balance.
    function donate(bool ofCoin, uint32 units) external {
        (ofCoin ? coin : token).mint(address(vault), units);
        buckets[ofCoin ? COIN : CASH].donated += units;
    }

    // --- What goes out --------------------------------------------------------------------------------------------

    function withdraw(uint256 who, bool ofCoin, uint64 ticks) external {
        (uint256 index, uint8 number) = (who % OWNERS, ofCoin ? COIN : CASH);
        Ghost memory ghost = ghosts[index];
        ticks = _payable(number, ticks);
        uint32 epoch = _usableEpoch();
        if (ticks == 0 || _isPaused() || epoch == 0 || !_coveredWithout(ghost, number, ticks, epoch)) return;
        _withdraw(ghost, epoch, number, ticks, _recipient(index));
        _recordProven(index, ghost, epoch);
        _leave(number, index, ticks);
    }

    /// @notice No oracle, no proof, no pause stands between an account that hides nothing and its collateral.
    function withdrawHoldings(uint256 who, bool ofCoin, uint64 ticks) external {
        (uint256 index, uint8 number) = (who % OWNERS, ofCoin ? COIN : CASH);
        Ghost memory ghost = ghosts[index];
        uint64 held = house.holdings(_account(ghost), number);
        uint256 all = _held(number);
        if (all < held) held = uint64(all); // the rest has been lost to others who were paid
        if (hidden[index] || held == 0) return;
        ticks = 1 + ticks % held;
        _withdrawHoldings(ghost, number, ticks, _recipient(index));
        ghosts[index] = ghost;
        _leave(number, index, ticks);
    }

    function payQueued(bool ofCoin, uint256 seed) external {
        uint8 number = ofCoin ? COIN : CASH;
        (uint256 claims,, uint256 released) = vault.queueState(number);
        if (claims == 0) return;
        uint256 claim = 1 + seed % claims;
        WithdrawalClaim memory content = vault.withdrawalClaim(number, claim);
        bool due = content.ticks != 0 && content.end <= released;
        try vault.payQueued(number, claim) {
            if (!due) revert HandlerRightViolated("a claim was paid before its turn, or twice");
            _collect(number, _indexOf(content.recipient), content.ticks);
        } catch {
            if (due) revert HandlerRightViolated("a claim that was due was not paid");
        }
    }

    // --- Liens ----------------------------------------------------------------------------------------------------

    function grantLien(uint256 who, bool ofCoin, uint64 ticks) external {
        (uint256 index, uint8 number) = (who % OWNERS, ofCoin ? COIN : CASH);
        Ghost memory ghost = ghosts[index];
        ticks = _payable(number, ticks % 16);
        uint32 epoch = _usableEpoch();
        if (ticks == 0 || _isPaused() || epoch == 0 || !_coveredWithout(ghost, number, ticks, epoch)) return;
        _grantLien(ghost, epoch, number, ticks, _recipient(OWNERS));
        _recordProven(index, ghost, epoch);
        liens[index][number] += ticks;
    }

    function lend(uint256 who, bool ofCoin, uint64 ticks, bool release) external {
        if (release) _releaseLien(who, ofCoin, ticks);
        else _claimLien(who, ofCoin, ticks);
    }

    /// @dev The lender claims up to the lien, whatever the account's state, and not a tick more.
    function _claimLien(uint256 who, bool ofCoin, uint64 ticks) private {
        (uint256 index, uint8 number) = (who % OWNERS, ofCoin ? COIN : CASH);
        uint64 lien = liens[index][number];
        vm.startPrank(_recipient(OWNERS));
        try vault.claimLien(_account(ghosts[index]), number, lien + 1, _recipient(OWNERS)) {
            revert HandlerRightViolated("a lender claimed more than the lien");
        } catch {
            if (lien != 0) {
                ticks = 1 + ticks % lien;
                vault.claimLien(_account(ghosts[index]), number, ticks, _recipient(OWNERS));
                liens[index][number] -= ticks;
                _leave(number, OWNERS, ticks);
            }
        }
        vm.stopPrank();
    }

    function _releaseLien(uint256 who, bool ofCoin, uint64 ticks) private {
        (uint256 index, uint8 number) = (who % OWNERS, ofCoin ? COIN : CASH);
        uint64 lien = liens[index][number];
        if (lien == 0) return;
        ticks = 1 + ticks % lien;
        vm.prank(_recipient(OWNERS));
        vault.releaseLien(_account(ghosts[index]), number, ticks);
        liens[index][number] -= ticks;
        inboxes[index][number] += ticks;
    }

    // --- Proofs that wait, and proofs without right ---------------------------------------------------------------

    /// @notice A proof is made now and used some time later, whatever third parties do in between.
    function prepare(uint256 who, uint64 ticks) external {
        uint256 index = who % OWNERS;
        Ghost memory ghost = ghosts[index];
        uint32 epoch = _usableEpoch();
        ticks = 1 + ticks % 8;
        if (epoch == 0 || !_coveredWithout(ghost, CASH, ticks, epoch)) return;
        Withdrawal memory withdrawal = _withdrawal(ghost, epoch, CASH, ticks, _recipient(index));
        MarginClaim memory claim = _proofWithout(ghost, epoch, CASH, ticks, house.withdrawalHash(withdrawal));
        _prepared[index] = Prepared(withdrawal, _commitments(ghost, ghost.books), claim.proof, claim.hint);
    }

    /// @notice It is accepted for as long as the account has not moved itself and the epoch is the active one.
    function usePrepared(uint256 who) external {
        uint256 index = who % OWNERS;
        Prepared memory prepared = _prepared[index];
        Withdrawal memory withdrawal = prepared.withdrawal;
        if (withdrawal.ticks == 0) return;
        delete _prepared[index];
        Ghost memory ghost = ghosts[index];
        bool holds = withdrawal.stateVersion == ghost.version && withdrawal.epoch == _usableEpoch() && !_isPaused()
            && withdrawal.ticks <= _held(CASH);
        vm.prank(_owner(ghost));
        try house.withdraw(withdrawal, prepared.portfolio, prepared.proof, prepared.hint) {
            if (!holds) revert HandlerRightViolated("a proof of another state was accepted");
        } catch {
            if (holds) revert HandlerRightViolated("a proof became invalid by what others did");
            return;
        }
        ghost.positions[0][CASH] -= int256(uint256(withdrawal.ticks));
        ++ghost.version;
        _recordProven(index, ghost, withdrawal.epoch);
        _leave(CASH, index, withdrawal.ticks);
    }

    /// @notice Whoever has no right to, with every proof there is, withdraws nothing.
    function steal(uint256 who, uint64 ticks, bytes32 seed) external {
        uint256 index = who % OWNERS;
        Ghost memory ghost = ghosts[index];
        uint32 epoch = _usableEpoch();
        if (epoch == 0 || _isPaused()) return;
        ticks = 1 + ticks % 4;
        Withdrawal memory honest = _withdrawal(ghost, epoch, CASH, ticks, _recipient(index));
        bytes32 action = house.withdrawalHash(honest);
        MarginClaim memory claim = _proofWithout(ghost, epoch, CASH, ticks, action);
        bytes memory portfolio = _commitments(ghost, ghost.books);
        _mustFail("by another", address(uint160(uint256(seed))), honest, portfolio, claim);
        Withdrawal memory bent = _withdrawal(ghost, epoch, CASH, ticks, address(0xbad));
        _mustFail("to another", _owner(ghost), bent, portfolio, claim);
        bent = _withdrawal(ghost, epoch, CASH, ticks + 1, honest.recipient);
        _mustFail("more", _owner(ghost), bent, portfolio, claim);
        bent = _withdrawal(ghost, epoch, COIN, ticks, honest.recipient);
        _mustFail("of another token", _owner(ghost), bent, portfolio, claim);
        --ghost.version;
        bent = _withdrawal(ghost, epoch, CASH, ticks, honest.recipient);
        claim = _proofWithout(ghost, epoch, CASH, ticks, house.withdrawalHash(bent));
        _mustFail("again", _owner(ghost), bent, portfolio, claim);
        ++ghost.version;
        // What margin needs: a proof for what there was before.
        claim = _simulated(_check(ghost, epoch, RuleKind.INITIAL), action, ghost);
        _mustFail("uncovered", _owner(ghost), honest, portfolio, claim);
    }

    function _mustFail(
        string memory how,
        address caller,
        Withdrawal memory withdrawal,
        bytes memory portfolio,
        MarginClaim memory claim
    ) private {
        bool accepted;
        vm.prank(caller);
        try house.withdraw(withdrawal, portfolio, claim.proof, claim.hint) {
            accepted = true;
        } catch {
            accepted = false;
        }
        if (accepted) revert HandlerRightViolated(how);
    }

    function _coveredWithout(Ghost memory ghost, uint8 number, uint64 ticks, uint32 epoch) private view returns (bool) {
        Ghost[] memory rest = new Ghost[](1);
        rest[0] = _copy(ghost);
        rest[0].positions[0][number] -= int256(uint256(ticks));
        return _covered(rest, epoch);
    }

    /// @dev Ticks, at least one, that the cap leaves room for; 0 when it leaves none.
    function _depositable(uint8 number, uint64 ticks) private view returns (uint64) {
        uint64 room = uint64(DEPOSIT_LIMIT) - vault.vaultState(number).netDeposits;
        return room == 0 ? 0 : uint64(1 + ticks % (room < 40 ? room : 40));
    }

    /// @dev Ticks, at least one, that accounts hold together; 0 when they hold nothing.
    function _payable(uint8 number, uint64 ticks) private view returns (uint64) {
        uint256 held = _held(number);
        return held == 0 ? 0 : uint64(1 + ticks % held);
    }
}
