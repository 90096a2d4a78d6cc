// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";

import { IAccountLedger } from "../../contracts/interfaces/IAccountLedger.sol";
import { IRuleRegistry } from "../../contracts/interfaces/IRuleRegistry.sol";
import { Bls12381 } from "../../contracts/libraries/Bls12381.sol";
import { RuleMatrix } from "../../contracts/libraries/RuleMatrix.sol";
import { TradeLegs } from "../../contracts/libraries/TradeLegs.sol";
import { AccountId, accountIdOf } from "../../contracts/types/AccountId.sol";
import { RuleKind } from "../../contracts/types/MarginRule.sol";
import {
    MarginCheck,
    MarginEvidence,
    OpenLeg,
    OpenLegSignatures,
    OpenSide,
    Settlement,
    SettlementSide
} from "../../contracts/types/Settlement.sol";
import { Lien, Withdrawal } from "../../contracts/types/Vault.sol";
import { OddWallet } from "./OddWallet.sol";
import { TwoAccounts } from "./TwoAccounts.sol";
import { vm } from "./Vm.sol";

/// @title Refusals that functions of the house share, by every one of them
/// @notice Where a refusal comes before any proof is looked at, none is made.
contract EntryRefusalsTest is TwoAccounts {
    // --- Rules ----------------------------------------------------------------------------------------------------

    function testNothingIsProvenBeforeTheFirstEpoch() external {
        _deploy();
        (Ghost memory alice, Ghost memory bob) = (_ghost(ALICE, 7), _ghost(BOB, 0));
        _deposit(alice, STAKE);
        _deposit(bob, STAKE);
        (_alice, _bob) = (alice, bob);
        bytes memory refusal = abi.encodeWithSelector(IRuleRegistry.RuleRegistryNoEpoch.selector);
        _expectSettlementRefused(_legOf(1), refusal);
        _expectNettingRefused(_legOf(1), refusal);
        _expectCheckRefused(_check(alice, 1, RuleKind.INITIAL), refusal);
        Withdrawal memory withdrawal = _withdrawal(alice, 1, CASH, 1, RECIPIENT);
        Lien memory lien = _lien(alice, 1, CASH, 1, RECIPIENT);
        bytes memory portfolio = _commitment(alice, 0);
        vm.startPrank(_owner(alice));
        vm.expectRevert(refusal);
        house.withdraw(withdrawal, portfolio, "", "");
        vm.expectRevert(refusal);
        house.grantLien(lien, portfolio, "", "");
        vm.stopPrank();
    }

    /// @dev There is none, neither before nor after the first.
    function testEpochZeroServesNothing() external {
        bytes memory refusal =
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotUsable.selector, 0, 1, RuleKind.INITIAL);
        Withdrawal memory withdrawal = _withdrawal(_alice, 0, CASH, 1, RECIPIENT);
        Lien memory lien = _lien(_alice, 0, CASH, 1, RECIPIENT);
        bytes memory portfolio = _commitment(_alice, 0);
        vm.startPrank(_owner(_alice));
        vm.expectRevert(refusal);
        house.withdraw(withdrawal, portfolio, "", "");
        vm.expectRevert(refusal);
        house.grantLien(lien, portfolio, "", "");
        vm.stopPrank();
        bytes4 proven = IAccountLedger.AccountLedgerAlreadyProven.selector;
        MarginCheck memory check = _check(_alice, 0, RuleKind.INITIAL);
        _expectCheckRefused(check, abi.encodeWithSelector(proven, check.account, RuleKind.INITIAL, 0, 0));
    }

    /// @dev Alone or in a batch, a check is refused for the same reasons.
    function testBatchesRefuseWhatOneCheckDoes() external {
        MarginCheck memory check = _check(_ghost(CAROL, 0), 1, RuleKind.INITIAL);
        _expectCheckRefused(
            check, abi.encodeWithSelector(IAccountLedger.AccountLedgerAccountNotOpen.selector, check.account)
        );
        check = _check(_alice, 1, RuleKind.REDUCED);
        _expectCheckRefused(check, abi.encodeWithSelector(IRuleRegistry.RuleRegistryReducedRuleNotKept.selector));
        check = _check(_alice, 1, RuleKind.INITIAL);
        check.stateVersion = 2;
        _expectCheckRefused(
            check,
            abi.encodeWithSelector(IAccountLedger.AccountLedgerStateVersionMismatch.selector, check.account, 2, 1)
        );
        check = _check(_alice, 2, RuleKind.MAINTENANCE);
        _expectCheckRefused(
            check, abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotUsable.selector, 2, 1, RuleKind.MAINTENANCE)
        );
        uint256 next = START + 120;
        vm.warp(next);
        _publish(registry, _proposal(registry, 3, 1), _points(2, 6));
        _expectCheckRefused(
            check, abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochWaiting.selector, 2, next + ACTIVATION_DELAY)
        );
        vm.warp(next + MAXIMUM_AGE + 1);
        _expectCheckRefused(
            check, abi.encodeWithSelector(IRuleRegistry.RuleRegistryStaleEpoch.selector, 2, next, MAXIMUM_AGE)
        );
    }

    function testBatchesRefuseOtherCommitments() external {
        (MarginCheck[] memory checks, MarginEvidence[] memory evidence) = _batch(_check(_alice, 1, RuleKind.INITIAL));
        evidence[1].portfolio = _commitment(_bob, 1);
        _expectMismatch(_alice, 0, evidence[1].portfolio);
        house.proveMargins(checks, evidence);
        evidence[1].portfolio = new bytes(95);
        _expectLengthRefused(95, 96);
        house.proveMargins(checks, evidence);
    }

    /// @dev The epoch before the active one may know fewer books than the account has by now.
    function testBatchesRefuseBooksThatTheRuleDoesNotCover() external {
        _deploy();
        _publishEpoch(1);
        (Ghost memory alice, Ghost memory bob) = (_ghost(ALICE, 7), _ghost(BOB, 0));
        _deposit(alice, STAKE);
        _deposit(bob, STAKE);
        vm.warp(START + 120);
        _publishEpoch(2);
        _trade(alice, bob, "second book", 2, 2);
        (_alice, _bob) = (alice, bob);
        bytes memory refusal = abi.encodeWithSelector(RuleMatrix.RuleMatrixBookNotCovered.selector, 3, 1);
        MarginCheck[] memory checks = new MarginCheck[](1);
        MarginEvidence[] memory evidence = new MarginEvidence[](1);
        checks[0] = _check(alice, 1, RuleKind.MAINTENANCE);
        evidence[0].portfolio = _commitments(alice, 3);
        vm.expectRevert(refusal);
        house.proveMargins(checks, evidence);
    }

    // --- Nettings of open legs ------------------------------------------------------------------------------------

    function testNettingsRefuseBooksThatTheRuleDoesNotCover() external {
        OpenLeg memory leg = _legOf(8);
        bytes memory refusal = abi.encodeWithSelector(RuleMatrix.RuleMatrixBookNotCovered.selector, 9, 3);
        _expectNettingRefused(leg, refusal);
        _expectSettlementRefused(leg, refusal);
    }

    function testNettingsRefuseUnopenedAccounts() external {
        OpenLeg memory leg = _legOf(1);
        Ghost memory carol = _ghost(CAROL, 0);
        carol.version = 1;
        _bob = carol;
        leg.giver = _account(carol);
        bytes memory refusal = abi.encodeWithSelector(IAccountLedger.AccountLedgerAccountNotOpen.selector, leg.giver);
        _expectNettingRefused(leg, refusal);
        _expectSettlementRefused(leg, refusal);
    }

    function testNettingsRefuseWhatIsNotOnTheCurve() external {
        OpenLeg memory leg = _legOf(1);
        leg.differences[95] ^= 0x01;
        bytes memory refusal = abi.encodeWithSelector(Bls12381.Bls12381PrecompileFailed.selector, Bls12381.G1_ADD, 0);
        _expectNettingRefused(leg, refusal);
        _expectSettlementRefused(leg, refusal);
    }

    /// @dev Contracts that answer a question about a signature with anything but the 32 bytes of ERC-1271.
    function testContractsThatDoNotSayYesSignNothing() external {
        bytes4 yes = IERC1271.isValidSignature.selector;
        bytes[6] memory answers = [
            bytes(""),
            abi.encodePacked(yes),
            abi.encodePacked(yes, new bytes(27)),
            abi.encode(uint256(uint32(yes))),
            abi.encodePacked(yes, new bytes(27), hex"01"),
            abi.encode(true)
        ];
        for (uint256 index = 0; index < answers.length; ++index) {
            _expectWalletRefused(new OddWallet(answers[index], false));
        }
        _expectWalletRefused(new OddWallet(abi.encode(yes), true));
        // With the right answer it is the sides that are missed.
        (OpenLeg[] memory open, OpenLegSignatures[] memory signatures) =
            _signedBy(new OddWallet(abi.encode(yes), false));
        vm.expectRevert(abi.encodeWithSelector(TradeLegs.TradeLegsSideMissing.selector, open[0].receiver));
        house.settleOpen(open, signatures, 1, new OpenSide[](2));
    }

    // --- Helpers --------------------------------------------------------------------------------------------------

    /// @dev A leg from Bob to Alice with one difference.
    function _legOf(uint32 books) private view returns (OpenLeg memory leg) {
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(_alice, _bob, "leg", 1);
        leg = _openLegs(ghosts, legs)[0];
        leg.books = books;
    }

    /// @dev The same leg agreed as a whole.
    function _wholeOf(OpenLeg memory leg) private view returns (Settlement memory settlement) {
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(_alice, _bob, "leg", 1);
        settlement = _settlement(ghosts, legs);
        settlement.participants[0].account = leg.receiver;
        settlement.participants[1].account = leg.giver;
        (settlement.legs[0].books, settlement.legs[0].differences) = (leg.books, leg.differences);
    }

    /// @dev Commitments before the leg, nothing where the account has none.
    function _before(Ghost memory ghost, uint32 books) private view returns (bytes memory portfolio) {
        portfolio = _commitment(ghost, 0);
        if (books & ~uint32(1) != 0) portfolio = bytes.concat(portfolio, new bytes(96));
    }

    function _expectSettlementRefused(OpenLeg memory leg, bytes memory refusal) private {
        Settlement memory settlement = _wholeOf(leg);
        (, bytes32 digest) = house.settlementHashes(settlement);
        SettlementSide[] memory sides = new SettlementSide[](2);
        for (uint256 index = 0; index < 2; ++index) {
            Ghost memory ghost = index == 0 ? _alice : _bob;
            sides[index].signer = _owner(ghost);
            sides[index].signature = _signatureOf(digest, ghost.key);
            sides[index].portfolio = _before(ghost, leg.books);
        }
        vm.expectRevert(refusal);
        house.settle(settlement, 1, sides);
    }

    function _expectNettingRefused(OpenLeg memory leg, bytes memory refusal) private {
        OpenLeg[] memory open = new OpenLeg[](1);
        open[0] = leg;
        (, bytes32 digest) = house.openLegHashes(leg);
        OpenLegSignatures[] memory signatures = new OpenLegSignatures[](1);
        signatures[0] = OpenLegSignatures({
            receiverSigner: _owner(_alice),
            receiverSignature: _signatureOf(digest, _alice.key),
            giverSigner: _owner(_bob),
            giverSignature: _signatureOf(digest, _bob.key)
        });
        OpenSide[] memory sides = new OpenSide[](2);
        for (uint256 index = 0; index < 2; ++index) {
            Ghost memory ghost = index == 0 ? _alice : _bob;
            sides[index].account = _account(ghost);
            sides[index].stateVersion = ghost.version;
            sides[index].portfolio = _before(ghost, leg.books);
        }
        vm.expectRevert(refusal);
        house.settleOpen(open, signatures, 1, sides);
    }

    /// @dev A leg from a wallet to Alice, signed by both.
    function _signedBy(OddWallet wallet)
        private
        view
        returns (OpenLeg[] memory open, OpenLegSignatures[] memory signatures)
    {
        open = new OpenLeg[](1);
        open[0] = _legOf(1);
        open[0].giver = accountIdOf(address(wallet), 0);
        (, bytes32 digest) = house.openLegHashes(open[0]);
        signatures = new OpenLegSignatures[](1);
        signatures[0] = OpenLegSignatures(_owner(_alice), _signatureOf(digest, ALICE), address(wallet), "signature");
    }

    /// @dev As the giver of a leg, on either way to settle.
    function _expectWalletRefused(OddWallet wallet) private {
        (OpenLeg[] memory open, OpenLegSignatures[] memory signatures) = _signedBy(wallet);
        (, bytes32 digest) = house.openLegHashes(open[0]);
        _expectNoSignature(open[0].giver, wallet, digest);
        house.settleOpen(open, signatures, 1, new OpenSide[](2));
        Settlement memory settlement = _wholeOf(open[0]);
        (, digest) = house.settlementHashes(settlement);
        SettlementSide[] memory sides = new SettlementSide[](2);
        (sides[0].signer, sides[0].signature) = (_owner(_alice), _signatureOf(digest, ALICE));
        (sides[1].signer, sides[1].signature) = (address(wallet), "signature");
        _expectNoSignature(open[0].giver, wallet, digest);
        house.settle(settlement, 1, sides);
    }

    function _expectNoSignature(AccountId account, OddWallet wallet, bytes32 digest) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccountLedger.AccountLedgerSignatureInvalid.selector, account, address(wallet), digest
            )
        );
    }

    /// @dev Alone, and before one of Bob's in a batch.
    function _expectCheckRefused(MarginCheck memory check, bytes memory refusal) private {
        (MarginCheck[] memory checks, MarginEvidence[] memory evidence) = _batch(check);
        vm.expectRevert(refusal);
        house.proveMargin(check, evidence[1].portfolio, "", "");
        (checks[0], evidence[0]) = (checks[1], evidence[1]);
        vm.expectRevert(refusal);
        house.proveMargins(checks, evidence);
    }

    function _batch(MarginCheck memory check)
        private
        view
        returns (MarginCheck[] memory checks, MarginEvidence[] memory evidence)
    {
        checks = new MarginCheck[](2);
        evidence = new MarginEvidence[](2);
        checks[0] = _check(_bob, 1, RuleKind.MAINTENANCE);
        checks[1] = check;
        evidence[0].portfolio = _commitment(_bob, 0);
        evidence[1].portfolio = _commitment(_alice, 0);
    }
}
