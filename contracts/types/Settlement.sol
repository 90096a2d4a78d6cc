// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccountId } from "./AccountId.sol";
import { RuleKind } from "./MarginRule.sol";

/// @notice One account of a settlement.
/// @param account The account.
/// @param stateVersion State version that the settlement was agreed on.
/// @param nonce Number of the account's that no other settlement has used; in no order.
struct Participant {
    AccountId account;
    uint64 stateVersion;
    uint256 nonce;
}

/// @notice A hidden trade between two accounts of a settlement.
/// @param receiver Index of the participant whose commitments grow by the differences.
/// @param giver Index of the participant whose commitments shrink by them; not the receiver.
/// @param books Books that the trade touches, bit b for book b; at least one.
/// @param differences One hiding commitment of 96 bytes for each of these books, ascending.
struct Leg {
    uint8 receiver;
    uint8 giver;
    uint32 books;
    bytes differences;
}

/// @notice Trades that happen together or not at all, as every participant signs them (EIP-712).
/// @param participants Accounts, each once; each takes part in at least one leg.
/// @param legs Trades between them.
/// @param maxEpoch Last epoch at which the participants may prove initial margin.
/// @param deadline Unix time in seconds after which the settlement is void.
struct Settlement {
    Participant[] participants;
    Leg[] legs;
    uint32 maxEpoch;
    uint64 deadline;
}

/// @notice What one participant brings to a settlement.
/// @param signer Owner of the account or an operator.
/// @param signature Signature over the settlement (65 bytes, or whatever the signer's contract accepts).
/// @param portfolio The account's present commitments: 96 bytes for each book that it has or that its legs touch, ascending.
/// @param proof Proof of initial margin of the commitments after the settlement, over exactly these books.
/// @param hint Hint that goes with it, 80 bytes.
struct SettlementSide {
    address signer;
    bytes signature;
    bytes portfolio;
    bytes proof;
    bytes hint;
}

/// @notice A hidden trade that its two owners sign on its own (EIP-712): whoever submits puts any of them together.
/// @param receiver Account whose commitments grow by the differences.
/// @param giver Account whose commitments shrink by them; not the receiver.
/// @param receiverNonce Nonce of the receiver's.
/// @param giverNonce Nonce of the giver's.
/// @param books Books that the trade touches, bit b for book b; at least one.
/// @param maxEpoch Last epoch at which both accounts may prove initial margin.
/// @param deadline Unix time in seconds after which the leg is void.
/// @param differences One hiding commitment of 96 bytes for each of these books, ascending.
struct OpenLeg {
    AccountId receiver;
    AccountId giver;
    uint256 receiverNonce;
    uint256 giverNonce;
    uint32 books;
    uint32 maxEpoch;
    uint64 deadline;
    bytes differences;
}

/// @notice The two signatures of an open leg.
/// @param receiverSigner Owner of the receiving account or an operator.
/// @param receiverSignature Signature over the leg.
/// @param giverSigner Owner of the giving account or an operator.
/// @param giverSignature Signature over the leg.
struct OpenLegSignatures {
    address receiverSigner;
    bytes receiverSignature;
    address giverSigner;
    bytes giverSignature;
}

/// @notice What one account brings to a netting of open legs.
/// @param account The account.
/// @param stateVersion State version that its proof was made for.
/// @param portfolio Its present commitments: 96 bytes for each book that it has or that its legs touch, ascending.
/// @param proof Proof of initial margin of the commitments after the netting, over exactly these books.
/// @param hint Hint that goes with it, 80 bytes.
struct OpenSide {
    AccountId account;
    uint64 stateVersion;
    bytes portfolio;
    bytes proof;
    bytes hint;
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

/// @notice What goes with one check of several that are verified together.
/// @param portfolio The account's present commitments: 96 bytes for each book that it has, ascending.
/// @param proof Margin proof.
/// @param hint Hint that goes with it, 80 bytes.
struct MarginEvidence {
    bytes portfolio;
    bytes proof;
    bytes hint;
}
