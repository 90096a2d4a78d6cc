// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Scalar, ScalarField } from "../../contracts/libraries/ScalarField.sol";
import { AccountId, accountIdOf } from "../../contracts/types/AccountId.sol";
import { KnownSetup } from "./KnownSetup.sol";
import { RulePublishing } from "./RulePublishing.sol";
import { vm } from "./Vm.sol";

/// @title Accounts in the clear: what opens their commitments under the insecure setup
/// @dev Structs in memory are references: functions say whether they change what they are given.
abstract contract Ghosts is RulePublishing {
    uint256 internal constant SLOTS = 4;
    uint256 internal constant BOOKS = 3;
    uint32 internal constant ALL_BOOKS = 7;

    /// @dev An account, or a change of one.
    /// @param key Key of the owner.
    /// @param subaccount Number of the account.
    /// @param version State version.
    /// @param nonce First nonce that it has not used.
    /// @param books Bitmap of the books that proofs cover.
    /// @param positions Ticks or lots by book and slot.
    /// @param blinds Blind of every book.
    struct Ghost {
        uint256 key;
        uint96 subaccount;
        uint64 version;
        uint256 nonce;
        uint32 books;
        int256[SLOTS][BOOKS] positions;
        Scalar[BOOKS] blinds;
    }

    Scalar internal blindScalar;
    Scalar[SLOTS] internal slotScalars;
    bytes internal basis;

    /// @dev τ^N − 1 and λ^U_i(τ) = u(τ^N − 1)/(N(τ − u)) with u = ν^(4i); the points of the latter.
    function _prepareBasis() internal {
        blindScalar = KnownSetup.INSECURE_TAU.power(SLOTS) - Scalar.wrap(1);
        basis = "";
        for (uint256 slot = 0; slot < SLOTS; ++slot) {
            slotScalars[slot] = _lagrange(SLOTS, slot);
            basis = bytes.concat(basis, KnownSetup.point(slotScalars[slot]));
        }
    }

    /// @dev Value at τ of the Lagrange polynomial of the `index`th root of unity of this order.
    function _lagrange(uint256 order, uint256 index) internal pure returns (Scalar) {
        Scalar tau = KnownSetup.INSECURE_TAU;
        Scalar root = ScalarField.rootOfUnity(order).power(index);
        return root * (tau.power(order) - Scalar.wrap(1)) * (Scalar.wrap(order) * (tau - root)).inverse();
    }

    function _ghost(uint256 key, uint96 subaccount) internal pure returns (Ghost memory ghost) {
        ghost.key = key;
        ghost.subaccount = subaccount;
        ghost.books = 1;
    }

    function _owner(Ghost memory ghost) internal pure returns (address) {
        return vm.addr(ghost.key);
    }

    function _account(Ghost memory ghost) internal pure returns (AccountId) {
        return accountIdOf(_owner(ghost), ghost.subaccount);
    }

    /// @dev [Σ x_i λ^U_i(τ) + ρ(τ^N − 1)]_1 in 96 bytes; infinity when both are zero.
    function _commitment(Ghost memory ghost, uint256 book) internal view returns (bytes memory) {
        Scalar scalar = ghost.blinds[book] * blindScalar;
        for (uint256 slot = 0; slot < SLOTS; ++slot) {
            scalar = scalar + _signed(ghost.positions[book][slot]) * slotScalars[slot];
        }
        return KnownSetup.point(scalar);
    }

    /// @dev The commitments of these books, ascending.
    function _commitments(Ghost memory ghost, uint32 books) internal view returns (bytes memory all) {
        for (uint256 book = 0; book < BOOKS; ++book) {
            if ((books >> book) & 1 != 0) {
                all = bytes.concat(all, _commitment(ghost, book));
            }
        }
    }

    function _signed(int256 value) internal pure returns (Scalar) {
        return value < 0 ? -Scalar.wrap(uint256(-value)) : Scalar.wrap(uint256(value));
    }

    /// @dev A copy.
    function _copy(Ghost memory ghost) internal pure returns (Ghost memory) {
        return abi.decode(abi.encode(ghost), (Ghost));
    }

    /// @dev Changes the ghost by plus or minus another, in these books.
    function _apply(Ghost memory ghost, Ghost memory change, uint32 books, bool plus) internal pure {
        for (uint256 book = 0; book < BOOKS; ++book) {
            if ((books >> book) & 1 == 0) {
                continue;
            }
            Scalar blind = change.blinds[book];
            ghost.blinds[book] = ghost.blinds[book] + (plus ? blind : -blind);
            for (uint256 slot = 0; slot < SLOTS; ++slot) {
                int256 lots = change.positions[book][slot];
                ghost.positions[book][slot] += plus ? lots : -lots;
            }
        }
        ghost.books |= books;
    }

    /// @dev A small change of all books with fresh blinds.
    function _change(bytes32 seed) internal pure returns (Ghost memory change) {
        for (uint256 book = 0; book < BOOKS; ++book) {
            change.blinds[book] = _random(seed, book);
            for (uint256 slot = 0; slot < SLOTS; ++slot) {
                uint256 digest = uint256(keccak256(abi.encode(seed, book, slot)));
                change.positions[book][slot] = int256(digest % 7) - 3;
            }
        }
    }

    /// @dev A scalar drawn from a seed.
    function _random(bytes32 seed, uint256 index) internal pure returns (Scalar) {
        return ScalarField.reduce(uint256(keccak256(abi.encode(seed, index))));
    }
}
