// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Leg, OpenLeg, Settlement } from "../types/Settlement.sol";
import { Lien, Withdrawal } from "../types/Vault.sol";

/// @title EIP-712 struct hashes of what moves value out of an account
/// @author The zkmargin contributors
/// @notice Settlements and open legs are signed by these hashes; margin proofs are bound to those of settlements,
/// withdrawals and liens. Twins: verifier/chain/settlement_terms.py, open_leg_terms.py, withdrawal_terms.py.
library SettlementHash {
    bytes32 private constant PARTICIPANT_TYPEHASH =
        keccak256("Participant(bytes32 account,uint64 stateVersion,uint256 nonce)");

    bytes32 private constant LEG_TYPEHASH = keccak256("Leg(uint8 receiver,uint8 giver,uint32 books,bytes differences)");

    bytes32 private constant SETTLEMENT_TYPEHASH = keccak256(
        "Settlement(Participant[] participants,Leg[] legs,uint32 maxEpoch,uint64 deadline)"
        "Leg(uint8 receiver,uint8 giver,uint32 books,bytes differences)"
        "Participant(bytes32 account,uint64 stateVersion,uint256 nonce)"
    );

    bytes32 private constant OPEN_LEG_TYPEHASH = keccak256(
        "OpenLeg(bytes32 receiver,bytes32 giver,uint256 receiverNonce,uint256 giverNonce,"
        "uint32 books,uint32 maxEpoch,uint64 deadline,bytes differences)"
    );

    bytes32 private constant WITHDRAWAL_TYPEHASH = keccak256(
        "Withdrawal(bytes32 account,uint64 stateVersion,uint32 epoch,uint8 token,uint64 ticks,address recipient)"
    );

    bytes32 private constant LIEN_TYPEHASH =
        keccak256("Lien(bytes32 account,uint64 stateVersion,uint32 epoch,uint8 token,uint64 ticks,address lender)");

    /// @notice Struct hash of a settlement.
    /// @param settlement The settlement.
    /// @return Its hash.
    function hash(Settlement calldata settlement) internal pure returns (bytes32) {
        bytes32[] memory participants = new bytes32[](settlement.participants.length);
        for (uint256 index = 0; index < participants.length; ++index) {
            // The words of a struct without byte strings are those of its ABI encoding.
            participants[index] = keccak256(abi.encode(PARTICIPANT_TYPEHASH, settlement.participants[index]));
        }
        bytes32[] memory legs = new bytes32[](settlement.legs.length);
        for (uint256 index = 0; index < legs.length; ++index) {
            legs[index] = _hash(settlement.legs[index]);
        }
        return keccak256(
            abi.encode(
                SETTLEMENT_TYPEHASH, combined(participants), combined(legs), settlement.maxEpoch, settlement.deadline
            )
        );
    }

    /// @notice Struct hash of an open leg.
    /// @param leg The leg.
    /// @return Its hash.
    function hash(OpenLeg calldata leg) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                OPEN_LEG_TYPEHASH,
                leg.receiver,
                leg.giver,
                leg.receiverNonce,
                leg.giverNonce,
                leg.books,
                leg.maxEpoch,
                leg.deadline,
                keccak256(leg.differences)
            )
        );
    }

    /// @notice Struct hash of a withdrawal.
    /// @param withdrawal The withdrawal.
    /// @return Its hash.
    function hash(Withdrawal calldata withdrawal) internal pure returns (bytes32) {
        return keccak256(abi.encode(WITHDRAWAL_TYPEHASH, withdrawal));
    }

    /// @notice Struct hash of a lien.
    /// @param lien The lien.
    /// @return Its hash.
    function hash(Lien calldata lien) internal pure returns (bytes32) {
        return keccak256(abi.encode(LIEN_TYPEHASH, lien));
    }

    /// @notice What EIP-712 takes for an array of structs; also what proofs of a netting of open legs are bound to.
    /// @param hashes Struct hashes of the elements.
    /// @return keccak256 of all of them, one after the other.
    function combined(bytes32[] memory hashes) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hashes));
    }

    function _hash(Leg calldata leg) private pure returns (bytes32) {
        return keccak256(abi.encode(LEG_TYPEHASH, leg.receiver, leg.giver, leg.books, keccak256(leg.differences)));
    }
}
