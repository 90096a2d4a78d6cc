// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ClearingHouse } from "../../contracts/ClearingHouse.sol";
import { PairingMarginVerifier } from "../../contracts/PairingMarginVerifier.sol";
import { RuleRegistry } from "../../contracts/RuleRegistry.sol";
import { DataContract } from "../../contracts/libraries/DataContract.sol";
import { Scalar, ScalarField } from "../../contracts/libraries/ScalarField.sol";
import { InsecureTestToken } from "../../contracts/test/InsecureTestToken.sol";
import { AccountId, accountIdOf } from "../../contracts/types/AccountId.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { RuleKind } from "../../contracts/types/MarginRule.sol";
import { MarginCheck, Settlement, SettlementSide } from "../../contracts/types/Settlement.sol";
import { Withdrawal, WithdrawalLimit } from "../../contracts/types/Vault.sol";
import { KnownSetup } from "./KnownSetup.sol";
import { RulePublishing } from "./RulePublishing.sol";
import { SimulatedProver } from "./SimulatedProver.sol";
import { vm } from "./Vm.sol";

/// @title A clearing house under the insecure setup, its accounts opened by ghosts
/// @notice Tests know every position and blind; proofs are simulated, so that what is claimed is up to the test.
abstract contract ClearingHouseFixture is RulePublishing {
    /// @dev What opens the commitments of an account: positions and blind of every book.
    struct Ghost {
        uint256 key;
        uint96 subaccount;
        uint64 version;
        int256[4][2] positions;
        Scalar[2] blinds;
    }

    uint256 internal constant SLOTS = 4;
    uint256 internal constant BOOKS = 2;
    uint256 internal constant UNITS_PER_TICK = 10_000;
    uint256 internal constant MAXIMUM_AGE = 1 hours;
    uint256 internal constant DEPOSIT_LIMIT = 511;
    uint64 internal constant FOREVER = type(uint64).max;
    uint64 internal constant CAPACITY = 60;
    uint64 internal constant REFILL = 2;

    SimulatedProver internal prover;
    PairingMarginVerifier internal verifier;
    RuleRegistry internal registry;
    InsecureTestToken internal token;
    ClearingHouse internal house;
    address internal table;
    bytes internal basis;
    Scalar internal blindScalar;
    Scalar[SLOTS] internal slotScalars;

    /// @dev Deploys everything; nothing is published.
    function _deploy() internal {
        vm.warp(START);
        prover = new SimulatedProver();
        verifier = KnownSetup.deployVerifier();
        registry = new RuleRegistry(verifier, address(this), MAXIMUM_AGE);
        registry.grantRole(registry.PUBLISHER_ROLE(), address(this));
        token = new InsecureTestToken();
        _prepareBasis();
        table = DataContract.create(basis);
        house = new ClearingHouse(verifier, registry, token, 0, UNITS_PER_TICK, table, keccak256(basis), _limit());
    }

    function _limit() internal pure returns (WithdrawalLimit memory) {
        return WithdrawalLimit({ capacity: CAPACITY, refillPerSecond: REFILL });
    }

    /// @dev τ^N − 1 and λ^U_i(τ) = u(τ^N − 1)/(N(τ − u)) with u = ν^(4i); the points of the latter.
    function _prepareBasis() private {
        Scalar tau = KnownSetup.INSECURE_TAU;
        blindScalar = tau.power(SLOTS) - Scalar.wrap(1);
        basis = "";
        Scalar generator = ScalarField.rootOfUnity(SLOTS);
        for (uint256 slot = 0; slot < SLOTS; ++slot) {
            Scalar root = generator.power(slot);
            slotScalars[slot] = root * blindScalar * (Scalar.wrap(SLOTS) * (tau - root)).inverse();
            basis = bytes.concat(basis, KnownSetup.point(slotScalars[slot]));
        }
    }

    /// @dev Publishes the next epoch with two books, one chunk each, from a snapshot taken now.
    function _publishEpoch(uint8 books) internal returns (uint32 epoch) {
        epoch = registry.latestEpoch().epoch + 1;
        _publish(registry, _proposal(epoch, books, 1, 1), _points(epoch, 2 * uint256(books)));
    }

    // --- Ghosts ---------------------------------------------------------------------------------------------------

    function _ghost(uint256 key, uint96 subaccount) internal pure returns (Ghost memory ghost) {
        ghost.key = key;
        ghost.subaccount = subaccount;
    }

    function _owner(Ghost memory ghost) internal pure returns (address) {
        return vm.addr(ghost.key);
    }

    function _account(Ghost memory ghost) internal pure returns (AccountId) {
        return accountIdOf(_owner(ghost), ghost.subaccount);
    }

    /// @dev A deposit by the ghost's owner, with tokens made for it.
    function _deposit(Ghost memory ghost, uint64 ticks) internal {
        uint256 units = ticks * UNITS_PER_TICK;
        bytes memory commitment = _commitment(ghost, 0);
        token.mint(_owner(ghost), units);
        vm.prank(_owner(ghost));
        token.approve(address(house), units);
        vm.prank(_owner(ghost));
        house.deposit(ghost.subaccount, ticks, commitment);
        ghost.positions[0][0] += int256(uint256(ticks));
        ++ghost.version;
    }

    /// @dev [Σ x_i λ^U_i(τ) + ρ(τ^N − 1)]_1 in 96 bytes; infinity when both are zero.
    function _commitment(Ghost memory ghost, uint256 book) internal view returns (bytes memory) {
        return KnownSetup.point(_commitmentScalar(ghost.positions[book], ghost.blinds[book]));
    }

    function _commitments(Ghost memory ghost, uint256 books) internal view returns (bytes memory all) {
        for (uint256 book = 0; book < books; ++book) {
            all = bytes.concat(all, _commitment(ghost, book));
        }
    }

    function _commitmentScalar(int256[4] memory positions, Scalar blind) internal view returns (Scalar scalar) {
        scalar = blind * blindScalar;
        for (uint256 slot = 0; slot < SLOTS; ++slot) {
            scalar = scalar + _signed(positions[slot]) * slotScalars[slot];
        }
    }

    function _signed(int256 value) internal pure returns (Scalar) {
        return value < 0 ? -Scalar.wrap(uint256(-value)) : Scalar.wrap(uint256(value));
    }

    /// @dev A ghost plus or minus another; memory structs are references, so this makes a copy.
    function _combined(Ghost memory ghost, Ghost memory change, bool plus) internal pure returns (Ghost memory sum) {
        sum.key = ghost.key;
        sum.subaccount = ghost.subaccount;
        sum.version = ghost.version + 1;
        for (uint256 book = 0; book < BOOKS; ++book) {
            Scalar blind = change.blinds[book];
            sum.blinds[book] = ghost.blinds[book] + (plus ? blind : -blind);
            for (uint256 slot = 0; slot < SLOTS; ++slot) {
                int256 lots = change.positions[book][slot];
                sum.positions[book][slot] = ghost.positions[book][slot] + (plus ? lots : -lots);
            }
        }
    }

    // --- Proofs and signatures ------------------------------------------------------------------------------------

    function _check(Ghost memory ghost, uint32 epoch, RuleKind kind) internal pure returns (MarginCheck memory) {
        return MarginCheck({ account: _account(ghost), stateVersion: ghost.version, epoch: epoch, kind: kind });
    }

    /// @dev A proof that the house accepts for these commitments.
    function _simulated(MarginCheck memory check, bytes32 action, bytes memory portfolio)
        internal
        view
        returns (MarginClaim memory)
    {
        bytes memory matrix = registry.matrix(check.epoch, check.kind);
        return prover.simulate(house.proofContext(check, action), portfolio.length / 96, portfolio, matrix);
    }

    function _proveMargin(Ghost memory ghost, uint32 epoch, RuleKind kind) internal {
        MarginCheck memory check = _check(ghost, epoch, kind);
        bytes memory portfolio = _commitments(ghost, registry.usableRule(epoch, kind).books);
        MarginClaim memory claim = _simulated(check, 0, portfolio);
        house.proveMargin(check, portfolio, claim.proof, claim.hint);
    }

    function _settlement(Ghost memory first, Ghost memory second, Ghost memory change, uint32 epoch)
        internal
        view
        returns (Settlement memory)
    {
        return Settlement({
            first: _account(first),
            second: _account(second),
            firstVersion: first.version,
            secondVersion: second.version,
            epoch: epoch,
            deadline: FOREVER,
            differences: _commitments(change, BOOKS)
        });
    }

    /// @dev One side of a trade: its commitments before, its proof for those after, its signature.
    function _side(Settlement memory settlement, Ghost memory ghost, Ghost memory change, bool plus)
        internal
        view
        returns (SettlementSide memory)
    {
        (bytes32 action, bytes32 digest) = house.settlementHashes(settlement);
        MarginCheck memory check = _check(ghost, settlement.epoch, RuleKind.INITIAL);
        MarginClaim memory claim = _simulated(check, action, _commitments(_combined(ghost, change, plus), BOOKS));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(ghost.key, digest);
        return SettlementSide({
            portfolio: _commitments(ghost, BOOKS),
            proof: claim.proof,
            hint: claim.hint,
            signature: abi.encodePacked(r, s, v)
        });
    }

    function _withdrawal(Ghost memory ghost, uint32 epoch, uint64 ticks, address recipient)
        internal
        pure
        returns (Withdrawal memory)
    {
        return Withdrawal({
            account: _account(ghost), stateVersion: ghost.version, epoch: epoch, ticks: ticks, recipient: recipient
        });
    }

    /// @dev A proof for the ghost's commitments after the withdrawal.
    function _withdrawalClaim(Withdrawal memory withdrawal, Ghost memory ghost)
        internal
        view
        returns (MarginClaim memory)
    {
        MarginCheck memory check = _check(ghost, withdrawal.epoch, RuleKind.INITIAL);
        check.stateVersion = withdrawal.stateVersion;
        Ghost memory after_ = _less(ghost, withdrawal.ticks);
        return _simulated(check, house.withdrawalHash(withdrawal), _commitments(after_, BOOKS));
    }

    /// @dev A withdrawal with a proof, by the ghost's owner.
    function _withdraw(Ghost memory ghost, uint32 epoch, uint64 ticks, address recipient)
        internal
        returns (Ghost memory)
    {
        Withdrawal memory withdrawal = _withdrawal(ghost, epoch, ticks, recipient);
        MarginClaim memory claim = _withdrawalClaim(withdrawal, ghost);
        bytes memory portfolio = _commitments(ghost, BOOKS);
        vm.prank(_owner(ghost));
        house.withdraw(withdrawal, portfolio, claim.proof, claim.hint);
        return _less(ghost, ticks);
    }

    /// @dev A withdrawal of deposits by the ghost's owner.
    function _withdrawDeposit(Ghost memory ghost, uint64 ticks, address recipient) internal returns (Ghost memory) {
        vm.prank(_owner(ghost));
        house.withdrawDeposit(_account(ghost), ghost.version, ticks, recipient);
        return _less(ghost, ticks);
    }

    /// @dev The ghost after a withdrawal.
    function _less(Ghost memory ghost, uint64 ticks) internal pure returns (Ghost memory) {
        Ghost memory cash;
        cash.positions[0][0] = int256(uint256(ticks));
        return _combined(ghost, cash, false);
    }

    /// @dev A small change of both books with fresh blinds.
    function _change(bytes32 seed) internal pure returns (Ghost memory change) {
        for (uint256 book = 0; book < BOOKS; ++book) {
            change.blinds[book] = ScalarField.reduce(uint256(keccak256(abi.encode(seed, book))));
            for (uint256 slot = 0; slot < SLOTS; ++slot) {
                uint256 digest = uint256(keccak256(abi.encode(seed, book, slot)));
                change.positions[book][slot] = int256(digest % 7) - 3;
            }
        }
    }
}
