// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccountLedger } from "../../contracts/interfaces/IAccountLedger.sol";
import { AccountId } from "../../contracts/types/AccountId.sol";
import { AccountState, AccountStatus } from "../../contracts/types/AccountState.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { Scalar } from "../../contracts/libraries/ScalarField.sol";
import { MarginCheck, Settlement, SettlementSide } from "../../contracts/types/Settlement.sol";
import { TradingFixture } from "./TradingFixture.sol";
import { vm } from "./Vm.sol";

/// @title Two accounts with a hundred ticks of cash each, under the first epoch
abstract contract TwoAccounts is TradingFixture {
    uint256 internal constant ALICE = 0xa11ce;
    uint256 internal constant BOB = 0xb0b;
    uint256 internal constant CAROL = 0xca401;
    uint64 internal constant STAKE = 100;
    address internal constant RECIPIENT = address(0xace0);
    address internal constant STRANGER = address(0x57a4e);

    Ghost internal _alice;
    Ghost internal _bob;

    function setUp() public virtual {
        _deploy();
        _publishEpoch(3);
        Ghost memory alice = _ghost(ALICE, 7);
        Ghost memory bob = _ghost(BOB, 0);
        _deposit(alice, STAKE);
        _deposit(bob, STAKE);
        _alice = alice;
        _bob = bob;
    }

    /// @dev Alice and Bob after a trade in these books.
    function _traded(bytes32 seed, uint32 books) internal returns (Ghost memory alice, Ghost memory bob) {
        (alice, bob) = (_alice, _bob);
        _trade(alice, bob, seed, books, registry.latestEpoch().epoch);
        (_alice, _bob) = (alice, bob);
    }

    /// @dev Alice and Bob, a leg between them in these books, and all that its settlement takes.
    function _agreed(bytes32 seed, uint32 books)
        internal
        view
        returns (Settlement memory settlement, SettlementSide[] memory sides)
    {
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(_alice, _bob, seed, books);
        settlement = _settlement(ghosts, legs);
        sides = _sides(settlement, ghosts, legs, registry.latestEpoch().epoch);
    }

    /// @dev What the house keeps of an account is what the ghost says.
    function _expectGhost(Ghost memory ghost, AccountStatus status) internal view {
        AccountId account = _account(ghost);
        AccountState memory state = house.accountState(account);
        _expect("version", state.stateVersion, ghost.version);
        _expect("books", state.books, ghost.books);
        _expect("status", uint256(state.status), uint256(status));
        for (uint256 book = 0; book < BOOKS; ++book) {
            bytes32 stored = house.commitmentHash(account, book);
            if (stored != 0 || (ghost.books >> book) & 1 != 0) {
                _expect("commitment", stored, keccak256(_commitment(ghost, book)));
            }
        }
    }

    /// @dev A proof made for something else, with the hint that this claim needs: nothing but the equation can refuse it.
    function _forged(
        MarginCheck memory check,
        bytes32 action,
        uint32 books,
        bytes memory portfolio,
        MarginClaim memory other
    ) internal view returns (MarginClaim memory claim) {
        claim = MarginClaim({
            context: house.proofContext(check, action),
            books: portfolio.length / 96,
            portfolio: portfolio,
            matrix: registry.matrix(check.epoch, check.kind, books),
            proof: other.proof,
            hint: other.hint
        });
        (Scalar beta, Scalar zeta) = prover.challenges(claim);
        bytes memory opening = _slice(other.hint, 32, 48);
        claim.hint = abi.encodePacked(prover.denominatorProduct(beta, zeta).inverse(), opening);
    }

    function _expectMismatch(Ghost memory ghost, uint256 book, bytes memory given) internal {
        AccountId account = _account(ghost);
        bytes32 stored = house.commitmentHash(account, book);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccountLedger.AccountLedgerCommitmentMismatch.selector, account, book, keccak256(given), stored
            )
        );
    }

    function _expectVersionRefused(Ghost memory ghost, uint64 given) internal {
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccountLedger.AccountLedgerStateVersionMismatch.selector,
                _account(ghost),
                given,
                house.accountState(_account(ghost)).stateVersion
            )
        );
    }

    function _expectLengthRefused(uint256 length, uint256 expected) internal {
        vm.expectRevert(
            abi.encodeWithSelector(IAccountLedger.AccountLedgerPointsLengthWrong.selector, length, expected)
        );
    }

    function _expectNotOwner(Ghost memory ghost, address caller) internal {
        vm.expectRevert(abi.encodeWithSelector(IAccountLedger.AccountLedgerNotOwner.selector, _account(ghost), caller));
    }

    function _expectNotAuthorised(Ghost memory ghost, address signer) internal {
        vm.expectRevert(
            abi.encodeWithSelector(IAccountLedger.AccountLedgerNotAuthorised.selector, _account(ghost), signer)
        );
    }
}
