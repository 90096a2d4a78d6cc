// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Commitments } from "../../contracts/libraries/Commitments.sol";
import { Scalar, ZERO } from "../../contracts/libraries/ScalarField.sol";
import { AccountId } from "../../contracts/types/AccountId.sol";
import { AccountState, AccountStatus } from "../../contracts/types/AccountState.sol";
import { EpochHeader, RuleKind } from "../../contracts/types/MarginRule.sol";
import { BucketModels } from "./BucketModels.sol";
import { KnownSetup } from "./KnownSetup.sol";
import { vm } from "./Vm.sol";

/// @title Accounts in the clear, what their proofs claim, and whether it is true
/// @notice Proofs are simulated, so that the verifier accepts whatever is claimed: the ghosts keep account of what the rule
/// says. Dead slots are empty, and equity at the epoch's prices covers a charge by lot, twice as high for initial margin
/// as for maintenance margin.
abstract contract GhostBook is BucketModels {
    uint256 public constant OWNERS = 4;

    uint256 internal constant OPERATOR_KEY = 0x09e4a704;

    /// @notice A statement that was accepted is false.
    error GhostStatementFalse(uint256 account, uint256 epoch, string what);

    Ghost[] internal ghosts;
    bool[OWNERS] internal hidden;
    uint32[OWNERS] internal initialEpochs;
    uint32[OWNERS] internal maintenanceEpochs;
    uint64[TOKENS][OWNERS] internal inboxes;
    uint64[TOKENS][OWNERS] internal liens;

    /// @dev Slots that must be empty, by epoch: bit 4·b + i for slot i of book b.
    mapping(uint256 epoch => uint256 slots) internal deadAt;
    uint256 internal deadNow = 1 << (BOOKS * SLOTS - 1);

    // --- The rule in the clear --------------------------------------------------------------------------------------

    /// @dev What is false about an account at an epoch; nothing when its statement is true.
    function _falsehood(Ghost memory ghost, uint32 epoch, RuleKind kind) internal view returns (string memory) {
        int256 equity = 0;
        int256 charge = 0;
        for (uint256 place = 0; place < BOOKS * SLOTS; ++place) {
            int256 lots = ghost.positions[place / SLOTS][place % SLOTS];
            if (lots != 0 && (deadAt[epoch] >> place) & 1 != 0) return "a position in a dead slot";
            equity += lots * _price(epoch, place);
            if (place >= TOKENS) charge += lots < 0 ? -lots : lots;
        }
        return equity < (kind == RuleKind.INITIAL ? 2 * charge : charge) ? "equity below margin" : "";
    }

    /// @dev The same for several accounts at initial margin.
    function _covered(Ghost[] memory accounts, uint32 epoch) internal view returns (bool) {
        for (uint256 index = 0; index < accounts.length; ++index) {
            if (bytes(_falsehood(accounts[index], epoch, RuleKind.INITIAL)).length != 0) return false;
        }
        return true;
    }

    /// @dev Ticks a lot: cash is 1 and the coin 2 always, so that deposits never uncover anybody; others move.
    function _price(uint32 epoch, uint256 place) internal pure returns (int256) {
        if (place < TOKENS) return int256(place + 1);
        return int256(1 + uint256(keccak256(abi.encode(epoch, place))) % 4);
    }

    /// @dev The epoch at which initial margin can be proven now; 0 for none.
    function _usableEpoch() internal view returns (uint32) {
        try registry.activeEpoch() returns (EpochHeader memory header) {
            return header.epoch;
        } catch {
            return 0; // stale
        }
    }

    function _isPaused() internal view returns (bool) {
        (, uint256 end) = house.lastPause();
        return vm.getBlockTimestamp() < end;
    }

    /// @dev Publishes the next epoch, which is active afterwards, with the dead slots of now.
    function _publishNext() internal {
        uint32 epoch = _publishEpoch(uint8(BOOKS));
        deadAt[epoch] = deadNow;
        _catchUp();
    }

    /// @dev Lays down that an account has proven initial margin as it is.
    function _recordProven(uint256 index, Ghost memory ghost, uint32 epoch) internal {
        ghosts[index] = ghost;
        hidden[index] = true;
        initialEpochs[index] = epoch;
    }

    // --- What must hold -------------------------------------------------------------------------------------------

    /// @notice Whatever was proven is true: what an account holds passes the rule of the epoch at which it last moved.
    function requireStatementsTrue() public view {
        for (uint256 index = 0; index < OWNERS; ++index) {
            Ghost memory ghost = ghosts[index];
            uint32 epoch = house.accountState(_account(ghost)).initialEpoch;
            if (!hidden[index] || epoch == 0) continue;
            string memory what = _falsehood(ghost, epoch, RuleKind.INITIAL);
            if (bytes(what).length != 0) revert GhostStatementFalse(index, epoch, what);
        }
    }

    /// @notice Stored hashes are those of the ghosts' openings; everything else about accounts is theirs.
    function requireGhostsHold() public view {
        for (uint256 index = 0; index < OWNERS; ++index) {
            Ghost memory ghost = ghosts[index];
            AccountId account = _account(ghost);
            AccountState memory state = house.accountState(account);
            _expect("version", state.stateVersion, ghost.version);
            _expect(
                "status",
                uint256(state.status),
                uint256(hidden[index] ? AccountStatus.ACTIVE : AccountStatus.TRANSPARENT)
            );
            _expect("books", state.books, ghost.books);
            _expect("initial", state.initialEpoch, initialEpochs[index]);
            _expect("maintenance", state.maintenanceEpoch, maintenanceEpochs[index]);
            _expect("nonces", house.nonces(account, ghost.nonce >> 8) >> (ghost.nonce & 0xff), 0);
            if (!hidden[index]) _requireTransparent(ghost);
            for (uint256 book = 0; book < BOOKS; ++book) {
                bytes32 stored = house.commitmentHash(account, book);
                bytes32 expected = keccak256(_commitment(ghost, book));
                _expect("commitment", stored == 0 ? Commitments.INFINITY_HASH : stored, expected);
            }
        }
    }

    /// @notice Σ C = Σ N_i·L_i, with N_i what the vault says that accounts hold of a token: by point addition, and in the
    /// clear with Σ blinds = 0.
    function requireLedgerIdentity() public view {
        for (uint256 book = 0; book < BOOKS; ++book) {
            bytes memory sum = new bytes(96);
            Ghost memory total;
            for (uint256 index = 0; index < OWNERS; ++index) {
                sum = Commitments.add(sum, _commitment(ghosts[index], book));
                _apply(total, ghosts[index], uint32(1 << book), true);
            }
            bytes memory expected = new bytes(96);
            for (uint8 number = 0; book == 0 && number < TOKENS; ++number) {
                uint256 held = _held(number);
                _expect("held", uint256(total.positions[0][number]), held);
                total.positions[0][number] = 0;
                expected = Commitments.addMultiple(expected, KnownSetup.point(slotScalars[number]), held);
            }
            _expect("sum of commitments", sum, expected);
            _expect("sum of blinds", Scalar.unwrap(total.blinds[book]), Scalar.unwrap(ZERO));
            for (uint256 slot = 0; slot < SLOTS; ++slot) {
                _expect("sum of positions", uint256(total.positions[book][slot]), 0);
            }
        }
    }

    /// @notice Token balance = net deposits, unpaid claims and donations; inboxes, liens, bucket and queue are as modelled.
    function requireVaultHolds() public view {
        for (uint8 number = 0; number < TOKENS; ++number) {
            uint256 apart = 0;
            for (uint256 index = 0; index < OWNERS; ++index) {
                AccountId account = _account(ghosts[index]);
                _expect("inbox", vault.inbox(account, number), inboxes[index][number]);
                _expect("lien", vault.lien(account, _recipient(OWNERS), number), liens[index][number]);
                apart += inboxes[index][number] + liens[index][number];
            }
            _expect("kept apart", vault.keptApart(number), apart);
            uint256 owed = vault.vaultState(number).netDeposits + buckets[number].unpaid;
            uint256 units = number == CASH ? UNITS_PER_TICK : COIN_UNITS;
            uint256 balance = (number == CASH ? token : coin).balanceOf(address(vault));
            _expect("balance", balance, owed * units + buckets[number].donated);
            _requireBucketHolds(number);
            _requireQueueHolds(number);
        }
    }

    /// @notice Digest of what actions change, to tell whether one did anything.
    function fingerprint() external view returns (bytes32 digest) {
        for (uint256 index = 0; index < OWNERS; ++index) {
            AccountId account = _account(ghosts[index]);
            bytes32 state = keccak256(abi.encode(house.accountState(account), house.nonces(account, 0)));
            digest = keccak256(abi.encode(digest, state, house.operatorUntil(account, vm.addr(OPERATOR_KEY))));
            for (uint8 number = 0; number < TOKENS; ++number) {
                uint64 lien = vault.lien(account, _recipient(OWNERS), number);
                digest = keccak256(abi.encode(digest, vault.inbox(account, number), lien));
            }
        }
        for (uint8 number = 0; number < TOKENS; ++number) {
            uint256 balance = (number == CASH ? token : coin).balanceOf(address(vault));
            digest = keccak256(abi.encode(digest, balance, vault.vaultState(number).netDeposits));
        }
        (uint256 begin, uint256 end) = house.lastPause();
        uint256 time = vm.getBlockTimestamp();
        digest = keccak256(abi.encode(digest, registry.latestEpoch().epoch, instruments.version(), begin, end, time));
    }

    /// @dev What accounts hold of a token together, as the vault says.
    function _held(uint8 number) internal view returns (uint256) {
        return vault.vaultState(number).netDeposits - vault.keptApart(number);
    }

    /// @dev Holdings are all that there is.
    function _requireTransparent(Ghost memory ghost) private view {
        for (uint256 place = 0; place < BOOKS * SLOTS; ++place) {
            int256 lots = ghost.positions[place / SLOTS][place % SLOTS];
            uint256 expected = place < TOKENS ? house.holdings(_account(ghost), uint8(place)) : 0;
            _expect("holdings", uint256(lots), expected);
        }
    }
}
