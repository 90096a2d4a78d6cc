// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { InsecureTestToken } from "../../contracts/test/InsecureTestToken.sol";
import { AccountId } from "../../contracts/types/AccountId.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { RuleKind } from "../../contracts/types/MarginRule.sol";
import { MarginCheck } from "../../contracts/types/Settlement.sol";
import { Lien, Withdrawal } from "../../contracts/types/Vault.sol";
import { HouseDeployment } from "./HouseDeployment.sol";
import { KnownSetup } from "./KnownSetup.sol";
import { Scalar, ScalarField } from "../../contracts/libraries/ScalarField.sol";
import { vm } from "./Vm.sol";

/// @title What owners do with their accounts, for tests that know every opening
/// @notice Proofs are simulated, so that what is claimed is up to the test. Functions that act change the ghost along.
abstract contract ClearingHouseFixture is HouseDeployment {
    uint64 internal constant FOREVER = type(uint64).max;

    // --- Deposits -------------------------------------------------------------------------------------------------

    /// @dev A deposit of cash.
    function _deposit(Ghost memory ghost, uint64 ticks) internal {
        _deposit(ghost, CASH, ticks);
    }

    /// @dev A deposit by the ghost's owner, with tokens made for it.
    function _deposit(Ghost memory ghost, uint8 number, uint64 ticks) internal {
        bytes memory commitment = _commitment(ghost, 0);
        _fund(_owner(ghost), number, ticks);
        vm.prank(_owner(ghost));
        house.deposit(ghost.subaccount, number, ticks, commitment);
        ghost.positions[0][number] += int256(uint256(ticks));
        ++ghost.version;
    }

    /// @dev A deposit by somebody else, with tokens made for it.
    function _depositFor(address payer, AccountId account, uint8 number, uint64 ticks) internal {
        _fund(payer, number, ticks);
        vm.prank(payer);
        vault.depositFor(account, number, ticks);
    }

    /// @dev The ghost's owner merges all that its inbox has of a token.
    function _mergeInbox(Ghost memory ghost, uint8 number) internal {
        bytes memory commitment = _commitment(ghost, 0);
        uint64 ticks = vault.inbox(_account(ghost), number);
        vm.prank(_owner(ghost));
        house.mergeInbox(_account(ghost), number, commitment);
        ghost.positions[0][number] += int256(uint256(ticks));
        ++ghost.version;
    }

    /// @dev Makes tokens and lets the vault take them.
    function _fund(address payer, uint8 number, uint64 ticks) internal {
        InsecureTestToken asset = number == CASH ? token : coin;
        uint256 units = ticks * (number == CASH ? UNITS_PER_TICK : COIN_UNITS);
        asset.mint(payer, units);
        vm.prank(payer);
        asset.approve(address(vault), units);
    }

    // --- Proofs ---------------------------------------------------------------------------------------------------

    function _check(Ghost memory ghost, uint32 epoch, RuleKind kind) internal pure returns (MarginCheck memory) {
        return MarginCheck({ account: _account(ghost), stateVersion: ghost.version, epoch: epoch, kind: kind });
    }

    /// @dev A proof that the house accepts for these commitments of these books.
    function _simulated(MarginCheck memory check, bytes32 action, uint32 books, bytes memory portfolio)
        internal
        view
        returns (MarginClaim memory)
    {
        bytes memory matrix = registry.matrix(check.epoch, check.kind, books);
        return prover.simulate(house.proofContext(check, action), portfolio.length / 96, portfolio, matrix);
    }

    /// @dev The same for the commitments of a ghost, over all its books.
    function _simulated(MarginCheck memory check, bytes32 action, Ghost memory ghost)
        internal
        view
        returns (MarginClaim memory)
    {
        return _simulated(check, action, ghost.books, _commitments(ghost, ghost.books));
    }

    function _proveMargin(Ghost memory ghost, uint32 epoch, RuleKind kind) internal {
        MarginCheck memory check = _check(ghost, epoch, kind);
        MarginClaim memory claim = _simulated(check, 0, ghost);
        house.proveMargin(check, claim.portfolio, claim.proof, claim.hint);
    }

    // --- Withdrawals, liens, exits --------------------------------------------------------------------------------

    function _withdrawal(Ghost memory ghost, uint32 epoch, uint8 number, uint64 ticks, address recipient)
        internal
        pure
        returns (Withdrawal memory)
    {
        return Withdrawal({
            account: _account(ghost),
            stateVersion: ghost.version,
            epoch: epoch,
            token: number,
            ticks: ticks,
            recipient: recipient
        });
    }

    /// @dev A proof for the ghost's commitments without so much of a token.
    function _proofWithout(Ghost memory ghost, uint32 epoch, uint8 number, uint64 ticks, bytes32 action)
        internal
        view
        returns (MarginClaim memory)
    {
        Ghost memory rest = _copy(ghost);
        rest.positions[0][number] -= int256(uint256(ticks));
        return _simulated(_check(ghost, epoch, RuleKind.INITIAL), action, rest);
    }

    /// @dev A withdrawal with a proof, by the ghost's owner.
    function _withdraw(Ghost memory ghost, uint32 epoch, uint8 number, uint64 ticks, address recipient) internal {
        Withdrawal memory withdrawal = _withdrawal(ghost, epoch, number, ticks, recipient);
        MarginClaim memory claim = _proofWithout(ghost, epoch, number, ticks, house.withdrawalHash(withdrawal));
        bytes memory portfolio = _commitments(ghost, ghost.books);
        vm.prank(_owner(ghost));
        house.withdraw(withdrawal, portfolio, claim.proof, claim.hint);
        _take(ghost, number, ticks);
    }

    /// @dev A withdrawal of what a transparent account holds, by the ghost's owner.
    function _withdrawHoldings(Ghost memory ghost, uint8 number, uint64 ticks, address recipient) internal {
        bytes memory commitment = _commitment(ghost, 0);
        vm.prank(_owner(ghost));
        house.withdrawHoldings(_account(ghost), ghost.version, number, ticks, recipient, commitment);
        _take(ghost, number, ticks);
    }

    function _lien(Ghost memory ghost, uint32 epoch, uint8 number, uint64 ticks, address lender)
        internal
        pure
        returns (Lien memory)
    {
        return Lien({
            account: _account(ghost),
            stateVersion: ghost.version,
            epoch: epoch,
            token: number,
            ticks: ticks,
            lender: lender
        });
    }

    /// @dev A lien with a proof, by the ghost's owner.
    function _grantLien(Ghost memory ghost, uint32 epoch, uint8 number, uint64 ticks, address lender) internal {
        Lien memory lien = _lien(ghost, epoch, number, ticks, lender);
        MarginClaim memory claim = _proofWithout(ghost, epoch, number, ticks, house.lienHash(lien));
        bytes memory portfolio = _commitments(ghost, ghost.books);
        vm.prank(_owner(ghost));
        house.grantLien(lien, portfolio, claim.proof, claim.hint);
        _take(ghost, number, ticks);
    }

    /// @dev An exit by the ghost's owner, with the amounts of its two tokens.
    function _exit(Ghost memory ghost) internal {
        uint64[] memory amounts = _amounts(ghost);
        bytes memory portfolio = _commitments(ghost, ghost.books);
        (bytes memory nonce, uint256 response) = _exitProof(ghost, amounts, portfolio, "exit");
        vm.prank(_owner(ghost));
        house.exit(_account(ghost), ghost.version, amounts, portfolio, nonce, response);
        ++ghost.version;
        ghost.books = 1;
    }

    /// @dev What a ghost has of every token.
    function _amounts(Ghost memory ghost) internal pure returns (uint64[] memory amounts) {
        amounts = new uint64[](2);
        amounts[CASH] = uint64(uint256(ghost.positions[0][CASH]));
        amounts[COIN] = uint64(uint256(ghost.positions[0][COIN]));
    }

    /// @dev Schnorr's proof that there is nothing but these amounts; accepted if it is true. See IExitVerifier.
    function _exitProof(Ghost memory ghost, uint64[] memory amounts, bytes memory portfolio, bytes32 seed)
        internal
        view
        returns (bytes memory nonce, uint256 response)
    {
        nonce = KnownSetup.point(_random(seed, 0) * blindScalar);
        bytes memory transcript = _exitTranscript(ghost, amounts, portfolio, nonce);
        Scalar gamma = _labelled("zkmargin-exit-books-v1", transcript);
        Scalar power = Scalar.wrap(1);
        Scalar blind;
        for (uint256 book = 0; book < BOOKS; ++book) {
            if ((ghost.books >> book) & 1 != 0) {
                blind = blind + power * ghost.blinds[book];
                power = power * gamma;
            }
        }
        response = Scalar.unwrap(_random(seed, 0) + _labelled("zkmargin-exit-v1", transcript) * blind);
    }

    /// @dev Every token sits in the slot of its number.
    function _exitTranscript(Ghost memory ghost, uint64[] memory amounts, bytes memory portfolio, bytes memory nonce)
        private
        view
        returns (bytes memory)
    {
        uint256[] memory slots = new uint256[](amounts.length);
        for (uint256 number = 0; number < slots.length; ++number) {
            slots[number] = number;
        }
        bytes32 context = house.exitContext(_account(ghost), ghost.version);
        return abi.encodePacked(context, portfolio.length / 96, slots.length, portfolio, slots, amounts, nonce);
    }

    function _labelled(bytes memory label, bytes memory transcript) private pure returns (Scalar) {
        return ScalarField.reduce(uint256(keccak256(bytes.concat(label, transcript))));
    }

    /// @dev The ghost after a debit.
    function _take(Ghost memory ghost, uint8 number, uint64 ticks) private pure {
        ghost.positions[0][number] -= int256(uint256(ticks));
        ++ghost.version;
    }
}
