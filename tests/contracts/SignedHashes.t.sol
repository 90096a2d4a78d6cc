// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccountId, accountIdOf } from "../../contracts/types/AccountId.sol";
import { Leg, OpenLeg, Participant, Settlement } from "../../contracts/types/Settlement.sol";
import { Lien, Withdrawal } from "../../contracts/types/Vault.sol";
import { HouseDeployment } from "./HouseDeployment.sol";

/// @title What owners sign and what proofs are bound to: hashes made as EIP-712 says, from types written out once more
/// @dev Every field has another value, so that no two can change places.
contract SignedHashesTest is HouseDeployment {
    string private constant PARTICIPANT = "Participant(bytes32 account,uint64 stateVersion,uint256 nonce)";
    string private constant LEG = "Leg(uint8 receiver,uint8 giver,uint32 books,bytes differences)";
    string private constant SETTLEMENT =
        "Settlement(Participant[] participants,Leg[] legs,uint32 maxEpoch,uint64 deadline)";
    string private constant OPEN_LEG =
        "OpenLeg(bytes32 receiver,bytes32 giver,uint256 receiverNonce,uint256 giverNonce,uint32 books,uint32 maxEpoch,uint64 deadline,bytes differences)";
    string private constant WITHDRAWAL =
        "Withdrawal(bytes32 account,uint64 stateVersion,uint32 epoch,uint8 token,uint64 ticks,address recipient)";
    string private constant LIEN =
        "Lien(bytes32 account,uint64 stateVersion,uint32 epoch,uint8 token,uint64 ticks,address lender)";

    AccountId private _first;
    AccountId private _second;

    function setUp() external {
        _deploy();
        (_first, _second) = (accountIdOf(address(0xf1), 1), accountIdOf(address(0xf2), 2));
    }

    function testSettlements() external view {
        Settlement memory settlement = _example();
        bytes32[2] memory participants;
        bytes32[2] memory legs;
        for (uint256 index = 0; index < 2; ++index) {
            Participant memory one = settlement.participants[index];
            participants[index] = keccak256(abi.encode(_type(PARTICIPANT), one.account, one.stateVersion, one.nonce));
            Leg memory leg = settlement.legs[index];
            legs[index] =
                keccak256(abi.encode(_type(LEG), leg.receiver, leg.giver, leg.books, keccak256(leg.differences)));
        }
        bytes32 type_ = _type(string.concat(SETTLEMENT, LEG, PARTICIPANT));
        bytes32 expected = keccak256(
            abi.encode(type_, keccak256(abi.encodePacked(participants)), keccak256(abi.encodePacked(legs)), 17, 18)
        );
        (bytes32 action, bytes32 digest) = house.settlementHashes(settlement);
        _expect("hash", action, expected);
        _expect("digest", digest, _digest(expected));
    }

    function testOpenLegs() external view {
        OpenLeg memory leg = OpenLeg(_first, _second, 3, 4, 5, 6, 7, hex"0809");
        bytes32 expected = keccak256(abi.encode(_type(OPEN_LEG), _first, _second, 3, 4, 5, 6, 7, keccak256(hex"0809")));
        (bytes32 hash, bytes32 digest) = house.openLegHashes(leg);
        _expect("hash", hash, expected);
        _expect("digest", digest, _digest(expected));
    }

    function testWithdrawalsAndLiens() external view {
        address who = address(0xdead);
        bytes32 expected = keccak256(abi.encode(_type(WITHDRAWAL), _first, 3, 4, 5, 6, who));
        _expect("withdrawal", house.withdrawalHash(Withdrawal(_first, 3, 4, 5, 6, who)), expected);
        expected = keccak256(abi.encode(_type(LIEN), _first, 3, 4, 5, 6, who));
        _expect("lien", house.lienHash(Lien(_first, 3, 4, 5, 6, who)), expected);
    }

    function testExits() external view {
        bytes32 label = keccak256("zkmargin exit");
        bytes32 expected = keccak256(abi.encode(label, block.chainid, address(house), _first, 3));
        _expect("context", house.exitContext(_first, 3), expected);
    }

    function _example() private view returns (Settlement memory) {
        Participant[] memory participants = new Participant[](2);
        participants[0] = Participant(_first, 3, 4);
        participants[1] = Participant(_second, 5, 6);
        Leg[] memory legs = new Leg[](2);
        legs[0] = Leg(7, 8, 9, hex"0a0b");
        legs[1] = Leg(12, 13, 14, hex"0f10");
        return Settlement(participants, legs, 17, 18);
    }

    function _digest(bytes32 hash) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                _type("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("zkmargin ClearingHouse"),
                keccak256("1"),
                block.chainid,
                address(house)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, hash));
    }

    function _type(string memory written) private pure returns (bytes32) {
        return keccak256(bytes(written));
    }
}
