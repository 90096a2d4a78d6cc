// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ClearingHouseHandler } from "./ClearingHouseHandler.sol";

/// @title Invariants of the clearing house
contract ClearingHouseInvariants {
    ClearingHouseHandler private _handler;

    function setUp() external {
        _handler = new ClearingHouseHandler();
    }

    /// @notice The contracts that forge calls at random.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    /// @dev One function, since forge plays every sequence anew for each.
    function invariantStatementsAccountsLedgerAndVault() external view {
        _handler.requireStatementsTrue();
        _handler.requireGhostsHold();
        _handler.requireLedgerIdentity();
        _handler.requireVaultHolds();
    }
}
