// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccountId } from "./AccountId.sol";
import { RuleKind } from "./MarginRule.sol";

/// @notice A hidden trade, as both owners sign it (EIP-712).
/// @param first Account whose commitments grow by the differences.
/// @param second Account whose commitments shrink by them; not the first.
/// @param firstVersion State version of the first account that the trade was agreed on.
/// @param secondVersion State version of the second account that the trade was agreed on.
/// @param epoch Epoch at which both accounts prove initial margin.
/// @param deadline Unix time in seconds after which the trade is void.
/// @param differences One hiding commitment of 96 bytes for every book of the epoch.
struct Settlement {
    AccountId first;
    AccountId second;
    uint64 firstVersion;
    uint64 secondVersion;
    uint32 epoch;
    uint64 deadline;
    bytes differences;
}

/// @notice What one side brings to a trade.
/// @param portfolio The account's present commitments, 96 bytes a book.
/// @param proof Proof of initial margin of the commitments after the trade.
/// @param hint Hints that go with the proof.
/// @param signature Signature of the owner over the settlement (65 bytes, or whatever the owner's contract accepts).
struct SettlementSide {
    bytes portfolio;
    bytes proof;
    bytes hint;
    bytes signature;
}

/// @notice A margin check that an account asks to have recorded.
/// @param account Account whose margin is proven.
/// @param stateVersion State version that the proof was made for.
/// @param epoch Epoch whose rule the proof was made for.
/// @param kind Which of the epoch's rules.
struct MarginCheck {
    AccountId account;
    uint64 stateVersion;
    uint32 epoch;
    RuleKind kind;
}
