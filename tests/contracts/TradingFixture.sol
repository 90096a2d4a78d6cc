// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { RuleKind } from "../../contracts/types/MarginRule.sol";
import {
    Leg,
    OpenLeg,
    OpenLegSignatures,
    OpenSide,
    Participant,
    Settlement,
    SettlementSide
} from "../../contracts/types/Settlement.sol";
import { ClearingHouseFixture } from "./ClearingHouseFixture.sol";

/// @title Trades between ghosts: settlements that all sign as a whole, and nettings of open legs
abstract contract TradingFixture is ClearingHouseFixture {
    /// @dev A leg in the clear.
    struct GhostLeg {
        uint8 receiver;
        uint8 giver;
        uint32 books;
        Ghost change;
    }

    // --- As a whole -----------------------------------------------------------------------------------------------

    /// @dev A trade of two accounts in these books; changes both.
    function _trade(Ghost memory receiver, Ghost memory giver, bytes32 seed, uint32 books, uint32 epoch) internal {
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(receiver, giver, seed, books);
        _settle(ghosts, legs, epoch);
    }

    /// @dev Two accounts and the one leg between them.
    function _pair(Ghost memory receiver, Ghost memory giver, bytes32 seed, uint32 books)
        internal
        pure
        returns (Ghost[] memory ghosts, GhostLeg[] memory legs)
    {
        ghosts = new Ghost[](2);
        (ghosts[0], ghosts[1]) = (receiver, giver);
        legs = new GhostLeg[](1);
        legs[0] = GhostLeg({ receiver: 0, giver: 1, books: books, change: _change(seed) });
    }

    /// @dev Settles; changes the ghosts.
    function _settle(Ghost[] memory ghosts, GhostLeg[] memory legs, uint32 epoch) internal {
        Settlement memory settlement = _settlement(ghosts, legs);
        house.settle(settlement, epoch, _sides(settlement, ghosts, legs, epoch));
        _carryOut(ghosts, legs);
    }

    function _settlement(Ghost[] memory ghosts, GhostLeg[] memory legs) internal view returns (Settlement memory) {
        Participant[] memory participants = new Participant[](ghosts.length);
        for (uint256 index = 0; index < ghosts.length; ++index) {
            Ghost memory ghost = ghosts[index];
            participants[index] =
                Participant({ account: _account(ghost), stateVersion: ghost.version, nonce: ghost.nonce });
        }
        Leg[] memory hidden = new Leg[](legs.length);
        for (uint256 index = 0; index < legs.length; ++index) {
            GhostLeg memory leg = legs[index];
            bytes memory differences = _commitments(leg.change, leg.books);
            hidden[index] =
                Leg({ receiver: leg.receiver, giver: leg.giver, books: leg.books, differences: differences });
        }
        return Settlement({ participants: participants, legs: hidden, maxEpoch: type(uint32).max, deadline: FOREVER });
    }

    /// @dev What all participants bring: commitments before, proofs for those after, signatures of the owners.
    function _sides(Settlement memory settlement, Ghost[] memory ghosts, GhostLeg[] memory legs, uint32 epoch)
        internal
        view
        returns (SettlementSide[] memory sides)
    {
        (bytes32 action, bytes32 digest) = house.settlementHashes(settlement);
        sides = new SettlementSide[](ghosts.length);
        for (uint256 index = 0; index < ghosts.length; ++index) {
            (bytes memory portfolio, MarginClaim memory claim) = _evidence(ghosts[index], index, legs, epoch, action);
            sides[index] = SettlementSide({
                signer: _owner(ghosts[index]),
                signature: _signatureOf(digest, ghosts[index].key),
                portfolio: portfolio,
                proof: claim.proof,
                hint: claim.hint
            });
        }
    }

    // --- Open legs ------------------------------------------------------------------------------------------------

    /// @dev Settles open legs; changes the ghosts.
    function _settleOpen(Ghost[] memory ghosts, GhostLeg[] memory legs, uint32 epoch) internal {
        OpenLeg[] memory open = _openLegs(ghosts, legs);
        house.settleOpen(open, _openSignatures(open, ghosts, legs), epoch, _openSides(open, ghosts, legs, epoch));
        _carryOut(ghosts, legs);
        for (uint256 index = 0; index < ghosts.length; ++index) {
            ghosts[index].nonce += legs.length;
        }
    }

    /// @dev Open legs; the nonce of leg i is an account's next plus i.
    function _openLegs(Ghost[] memory ghosts, GhostLeg[] memory legs) internal view returns (OpenLeg[] memory open) {
        open = new OpenLeg[](legs.length);
        for (uint256 index = 0; index < legs.length; ++index) {
            GhostLeg memory leg = legs[index];
            open[index] = OpenLeg({
                receiver: _account(ghosts[leg.receiver]),
                giver: _account(ghosts[leg.giver]),
                receiverNonce: ghosts[leg.receiver].nonce + index,
                giverNonce: ghosts[leg.giver].nonce + index,
                books: leg.books,
                maxEpoch: type(uint32).max,
                deadline: FOREVER,
                differences: _commitments(leg.change, leg.books)
            });
        }
    }

    function _openSignatures(OpenLeg[] memory open, Ghost[] memory ghosts, GhostLeg[] memory legs)
        internal
        view
        returns (OpenLegSignatures[] memory signatures)
    {
        signatures = new OpenLegSignatures[](legs.length);
        for (uint256 index = 0; index < legs.length; ++index) {
            (, bytes32 digest) = house.openLegHashes(open[index]);
            Ghost memory receiver = ghosts[legs[index].receiver];
            Ghost memory giver = ghosts[legs[index].giver];
            signatures[index] = OpenLegSignatures({
                receiverSigner: _owner(receiver),
                receiverSignature: _signatureOf(digest, receiver.key),
                giverSigner: _owner(giver),
                giverSignature: _signatureOf(digest, giver.key)
            });
        }
    }

    function _openSides(OpenLeg[] memory open, Ghost[] memory ghosts, GhostLeg[] memory legs, uint32 epoch)
        internal
        view
        returns (OpenSide[] memory sides)
    {
        bytes32 action = _openAction(open);
        sides = new OpenSide[](ghosts.length);
        for (uint256 index = 0; index < ghosts.length; ++index) {
            (bytes memory portfolio, MarginClaim memory claim) = _evidence(ghosts[index], index, legs, epoch, action);
            sides[index] = OpenSide({
                account: _account(ghosts[index]),
                stateVersion: ghosts[index].version,
                portfolio: portfolio,
                proof: claim.proof,
                hint: claim.hint
            });
        }
    }

    /// @dev What proofs of a netting are bound to.
    function _openAction(OpenLeg[] memory open) internal view returns (bytes32) {
        bytes memory hashes;
        for (uint256 index = 0; index < open.length; ++index) {
            (bytes32 hash,) = house.openLegHashes(open[index]);
            hashes = bytes.concat(hashes, hash);
        }
        return keccak256(hashes);
    }

    // --- Both -----------------------------------------------------------------------------------------------------

    /// @dev An account's commitments before the legs, and its proof for those after.
    function _evidence(Ghost memory ghost, uint256 index, GhostLeg[] memory legs, uint32 epoch, bytes32 action)
        internal
        view
        returns (bytes memory portfolio, MarginClaim memory claim)
    {
        Ghost memory later = _copy(ghost);
        _applyLegs(later, index, legs);
        portfolio = _commitments(ghost, later.books);
        claim = _simulated(_check(ghost, epoch, RuleKind.INITIAL), action, later);
    }

    /// @dev Changes the ghosts by the legs.
    function _carryOut(Ghost[] memory ghosts, GhostLeg[] memory legs) internal pure {
        for (uint256 index = 0; index < ghosts.length; ++index) {
            _applyLegs(ghosts[index], index, legs);
            ++ghosts[index].version;
            ++ghosts[index].nonce;
        }
    }

    function _applyLegs(Ghost memory ghost, uint256 index, GhostLeg[] memory legs) private pure {
        for (uint256 number = 0; number < legs.length; ++number) {
            GhostLeg memory leg = legs[number];
            if (leg.receiver == index) {
                _apply(ghost, leg.change, leg.books, true);
            }
            if (leg.giver == index) {
                _apply(ghost, leg.change, leg.books, false);
            }
        }
    }
}
