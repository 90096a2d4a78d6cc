// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccountLedger } from "../../contracts/interfaces/IAccountLedger.sol";
import { IMarginVerifier } from "../../contracts/interfaces/IMarginVerifier.sol";
import { IRuleRegistry } from "../../contracts/interfaces/IRuleRegistry.sol";
import { ClaimEncoding } from "../../contracts/libraries/ClaimEncoding.sol";
import { RuleMatrix } from "../../contracts/libraries/RuleMatrix.sol";
import { AccountState } from "../../contracts/types/AccountState.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { RuleKind } from "../../contracts/types/MarginRule.sol";
import { MarginCheck, MarginEvidence } from "../../contracts/types/Settlement.sol";
import { TwoAccounts } from "./TwoAccounts.sol";
import { vm } from "./Vm.sol";

/// @title Margin proofs that are recorded, one by one and together
contract MarginChecksTest is TwoAccounts {
    function testMarginIsRecorded() external {
        vm.expectEmit();
        emit IAccountLedger.MarginProven(_account(_alice), 1, RuleKind.MAINTENANCE);
        _proveMargin(_alice, 1, RuleKind.MAINTENANCE);
        AccountState memory state = house.accountState(_account(_alice));
        _expect("maintenance", state.maintenanceEpoch, 1);
        _expect("initial", state.initialEpoch, 0);
        _proveMargin(_alice, 1, RuleKind.INITIAL);
        state = house.accountState(_account(_alice));
        _expect("initial", state.initialEpoch, 1);
        _expect("version", state.stateVersion, 1);
    }

    /// @dev The books of a proof are those that the account touched, whichever they are.
    function testAccountsProveOverTheirOwnBooks() external {
        (Ghost memory alice,) = _traded("in two books", 5);
        _proveMargin(alice, 1, RuleKind.MAINTENANCE);
        _expect("books", alice.books, 5);
        (alice,) = _traded("in the third", 2);
        _expect("books", alice.books, 7);
        vm.warp(START + 120);
        uint32 epoch = _publishEpoch(3);
        _proveMargin(alice, epoch, RuleKind.MAINTENANCE);
        _proveMargin(alice, epoch, RuleKind.INITIAL);
        _expect("both", house.accountState(_account(alice)).initialEpoch, epoch);
    }

    function testSeveralChecksInOneCall() external {
        (Ghost memory alice, Ghost memory bob) = _traded("before", 3);
        Ghost memory carol = _ghost(CAROL, 0);
        _deposit(carol, 3);
        (MarginCheck[] memory checks, MarginEvidence[] memory evidence) = _batch(alice, bob, carol);
        house.proveMargins(checks, evidence);
        _expect("alice", house.accountState(_account(alice)).maintenanceEpoch, 1);
        _expect("bob", house.accountState(_account(bob)).maintenanceEpoch, 1);
        _expect("carol", house.accountState(_account(carol)).initialEpoch, 1);
        _expect("not her other", house.accountState(_account(carol)).maintenanceEpoch, 0);
    }

    function testChecksOfTwoEpochsInOneCall() external {
        vm.warp(START + 120);
        _publishEpoch(3);
        Ghost memory alice = _alice;
        Ghost memory bob = _bob;
        (MarginCheck[] memory checks, MarginEvidence[] memory evidence) = _batch(alice, bob, alice);
        checks[0].epoch = 1;
        evidence[0] = _evidenceOf(checks[0], alice);
        checks[1].epoch = 2;
        evidence[1] = _evidenceOf(checks[1], bob);
        checks[2] = _check(alice, 2, RuleKind.MAINTENANCE);
        evidence[2] = _evidenceOf(checks[2], alice);
        house.proveMargins(checks, evidence);
        _expect("alice", house.accountState(_account(alice)).maintenanceEpoch, 2);
        _expect("bob", house.accountState(_account(bob)).maintenanceEpoch, 2);
    }

    // --- What is refused ------------------------------------------------------------------------------------------

    function testRefusesBatchesThatDoNotFit() external {
        vm.expectRevert(abi.encodeWithSelector(IAccountLedger.AccountLedgerEvidenceCountWrong.selector, 0, 0));
        house.proveMargins(new MarginCheck[](0), new MarginEvidence[](0));
        vm.expectRevert(abi.encodeWithSelector(IAccountLedger.AccountLedgerEvidenceCountWrong.selector, 1, 2));
        house.proveMargins(new MarginCheck[](1), new MarginEvidence[](2));
    }

    function testRefusesABatchForOneBadProof() external {
        Ghost memory carol = _ghost(CAROL, 0);
        _deposit(carol, 3);
        (MarginCheck[] memory checks, MarginEvidence[] memory evidence) = _batch(_alice, _bob, carol);
        Ghost memory richer = _copy(carol);
        ++richer.positions[0][CASH];
        MarginClaim memory other = _simulated(checks[2], 0, richer);
        MarginClaim memory forged = _forged(checks[2], 0, 1, _commitment(carol, 0), other);
        evidence[2] = MarginEvidence({ portfolio: forged.portfolio, proof: forged.proof, hint: forged.hint });
        vm.expectRevert(IMarginVerifier.MarginVerifierRejected.selector);
        house.proveMargins(checks, evidence);
    }

    function testRefusesTheSameCheckTwiceInABatch() external {
        (MarginCheck[] memory checks, MarginEvidence[] memory evidence) = _batch(_alice, _alice, _bob);
        _expectAlreadyProven(checks[1]);
        house.proveMargins(checks, evidence);
    }

    function testRefusesChecksOfUnopenedAccounts() external {
        MarginCheck memory check = _check(_ghost(0xdead, 0), 1, RuleKind.INITIAL);
        vm.expectRevert(abi.encodeWithSelector(IAccountLedger.AccountLedgerAccountNotOpen.selector, check.account));
        house.proveMargin(check, "", "", "");
    }

    function testRefusesChecksOfAnotherState() external {
        MarginCheck memory check = _check(_alice, 1, RuleKind.INITIAL);
        check.stateVersion = 2;
        _expectVersionRefused(_alice, 2);
        house.proveMargin(check, "", "", "");
    }

    function testRefusesReplays() external {
        MarginCheck memory check = _check(_alice, 1, RuleKind.MAINTENANCE);
        MarginClaim memory claim = _simulated(check, 0, _alice);
        house.proveMargin(check, claim.portfolio, claim.proof, claim.hint);
        _expectAlreadyProven(check);
        house.proveMargin(check, claim.portfolio, claim.proof, claim.hint);
    }

    function testRefusesOtherCommitments() external {
        (Ghost memory alice, Ghost memory bob) = _traded("two books", 3);
        MarginCheck memory check = _check(alice, 1, RuleKind.MAINTENANCE);
        bytes memory other = _commitment(bob, 1);
        bytes memory portfolio = bytes.concat(_commitment(alice, 0), other);
        _expectMismatch(alice, 1, other);
        house.proveMargin(check, portfolio, "", "");
    }

    /// @dev No book that the account touched may be left out, and none replaced by another.
    function testRefusesOmittedBooks() external {
        (Ghost memory alice,) = _traded("two books", 5);
        MarginCheck memory check = _check(alice, 1, RuleKind.MAINTENANCE);
        MarginClaim memory claim = _simulated(check, 0, 1, _commitments(alice, 1));
        _expectLengthRefused(96, 192);
        house.proveMargin(check, claim.portfolio, claim.proof, claim.hint);
        claim = _simulated(check, 0, 3, bytes.concat(_commitments(alice, 1), new bytes(96)));
        _expectMismatch(alice, 2, new bytes(96));
        house.proveMargin(check, claim.portfolio, claim.proof, claim.hint);
        claim = _simulated(check, 0, 7, bytes.concat(_commitments(alice, 1), new bytes(96), _commitments(alice, 4)));
        _expectLengthRefused(288, 192);
        house.proveMargin(check, claim.portfolio, claim.proof, claim.hint);
    }

    /// @dev The matrix is that of the account's books: a proof over another book's rows is none.
    function testRefusesProofsOverOtherBooksRows() external {
        (Ghost memory alice,) = _traded("two books", 5);
        MarginCheck memory check = _check(alice, 1, RuleKind.MAINTENANCE);
        bytes memory portfolio = _commitments(alice, 5);
        MarginClaim memory other = _simulated(check, 0, 3, portfolio);
        MarginClaim memory forged = _forged(check, 0, 5, portfolio, other);
        vm.expectRevert(IMarginVerifier.MarginVerifierRejected.selector);
        house.proveMargin(check, portfolio, forged.proof, forged.hint);
    }

    /// @dev A statement has the registry's mask in it; without it the same proof is one of another statement.
    function testRefusesProofsWithoutTheMask() external {
        Ghost memory alice = _alice;
        MarginCheck memory check = _check(alice, 1, RuleKind.MAINTENANCE);
        bytes memory portfolio = _commitment(alice, 0);
        bytes memory rule = _slice(registry.matrix(1, RuleKind.MAINTENANCE, 1), 0, 96);
        MarginClaim memory unmasked = prover.simulate(house.proofContext(check, 0), 1, portfolio, rule);
        MarginClaim memory forged = _forged(check, 0, 1, portfolio, unmasked);
        vm.expectRevert(IMarginVerifier.MarginVerifierRejected.selector);
        house.proveMargin(check, portfolio, forged.proof, forged.hint);
    }

    function testRefusesBooksThatTheRuleDoesNotCover() external {
        _deploy();
        _publishEpoch(1);
        Ghost memory alice = _ghost(ALICE, 7);
        Ghost memory bob = _ghost(BOB, 0);
        _deposit(alice, STAKE);
        _deposit(bob, STAKE);
        vm.warp(START + 120);
        _publishEpoch(2);
        _trade(alice, bob, "second book", 2, 2);
        MarginCheck memory check = _check(alice, 1, RuleKind.MAINTENANCE);
        bytes memory portfolio = _commitments(alice, 3);
        vm.expectRevert(abi.encodeWithSelector(RuleMatrix.RuleMatrixBookNotCovered.selector, 3, 1));
        house.proveMargin(check, portfolio, "", "");
    }

    /// @dev Account, version, epoch, rule and action: a proof is bound to all of them.
    function testRefusesProofsOfAnotherUse() external {
        MarginCheck memory check = _check(_alice, 1, RuleKind.INITIAL);
        bytes memory portfolio = _commitment(_alice, 0);
        for (uint256 field = 0; field < 5; ++field) {
            MarginCheck memory used = abi.decode(abi.encode(check), (MarginCheck));
            if (field == 0) used.account = _account(_bob);
            if (field == 1) used.stateVersion = 2;
            if (field == 2) used.kind = RuleKind.MAINTENANCE;
            bytes32 context = house.proofContext(used, field == 3 ? bytes32("an action") : bytes32(0));
            if (field == 4) context = keccak256("another chain or house");
            MarginClaim memory other = prover.simulate(context, 1, portfolio, registry.matrix(1, RuleKind.INITIAL, 1));
            MarginClaim memory forged = _forged(check, 0, 1, portfolio, other);
            vm.expectRevert(IMarginVerifier.MarginVerifierRejected.selector);
            house.proveMargin(check, portfolio, forged.proof, forged.hint);
        }
    }

    function testContextsDifferByChainAndHouse() external {
        MarginCheck memory check = _check(_alice, 1, RuleKind.INITIAL);
        bytes32 here = house.proofContext(check, 0);
        _expect("as documented", here, keccak256(abi.encode(block.chainid, address(house), check, bytes32(0))));
        vm.chainId(2);
        _expect("elsewhere", house.proofContext(check, 0), keccak256(abi.encode(2, address(house), check, bytes32(0))));
    }

    function testRefusesWaitingStaleAndSupersededEpochs() external {
        MarginCheck memory check = _check(_alice, 1, RuleKind.INITIAL);
        bytes memory portfolio = _commitment(_alice, 0);
        vm.warp(START + 120);
        _publish(registry, _proposal(registry, 3, 1), _points(2, 6));
        check.epoch = 2;
        vm.expectRevert(
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochWaiting.selector, 2, START + 120 + ACTIVATION_DELAY)
        );
        house.proveMargin(check, portfolio, "", "");
        vm.warp(START + 120 + ACTIVATION_DELAY);
        check.epoch = 1;
        vm.expectRevert(
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotUsable.selector, 1, 2, RuleKind.INITIAL)
        );
        house.proveMargin(check, portfolio, "", "");
        check.epoch = 2;
        vm.warp(START + 120 + MAXIMUM_AGE + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryStaleEpoch.selector, 2, START + 120, MAXIMUM_AGE)
        );
        house.proveMargin(check, portfolio, "", "");
    }

    /// @dev The reduced rule is kept as a hash: nothing can be proven under it yet.
    function testRefusesTheReducedRule() external {
        MarginCheck memory check = _check(_alice, 1, RuleKind.REDUCED);
        bytes memory portfolio = _commitment(_alice, 0);
        vm.expectRevert(IRuleRegistry.RuleRegistryReducedRuleNotKept.selector);
        house.proveMargin(check, portfolio, "", "");
    }

    function testRefusesAVerifierWithoutCode() external {
        MarginCheck memory check = _check(_alice, 1, RuleKind.INITIAL);
        bytes memory portfolio = _commitment(_alice, 0);
        vm.etch(address(verifier), "");
        vm.expectRevert(abi.encodeWithSelector(ClaimEncoding.ClaimEncodingNoVerifier.selector, address(verifier)));
        house.proveMargin(check, portfolio, new bytes(880), new bytes(80));
    }

    // --- Helpers --------------------------------------------------------------------------------------------------

    /// @dev Maintenance of two accounts, initial margin of a third.
    function _batch(Ghost memory first, Ghost memory second, Ghost memory third)
        private
        view
        returns (MarginCheck[] memory checks, MarginEvidence[] memory evidence)
    {
        checks = new MarginCheck[](3);
        evidence = new MarginEvidence[](3);
        checks[0] = _check(first, 1, RuleKind.MAINTENANCE);
        checks[1] = _check(second, 1, RuleKind.MAINTENANCE);
        checks[2] = _check(third, 1, RuleKind.INITIAL);
        evidence[0] = _evidenceOf(checks[0], first);
        evidence[1] = _evidenceOf(checks[1], second);
        if (registry.latestEpoch().epoch == 1) evidence[2] = _evidenceOf(checks[2], third);
    }

    function _evidenceOf(MarginCheck memory check, Ghost memory ghost) private view returns (MarginEvidence memory) {
        MarginClaim memory claim = _simulated(check, 0, ghost);
        return MarginEvidence({ portfolio: claim.portfolio, proof: claim.proof, hint: claim.hint });
    }

    function _expectAlreadyProven(MarginCheck memory check) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccountLedger.AccountLedgerAlreadyProven.selector, check.account, check.kind, check.epoch, check.epoch
            )
        );
    }
}
