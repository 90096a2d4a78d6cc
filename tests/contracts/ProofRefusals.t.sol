// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IExitVerifier } from "../../contracts/interfaces/IExitVerifier.sol";
import { IMarginVerifier } from "../../contracts/interfaces/IMarginVerifier.sol";
import { Bls12381 } from "../../contracts/libraries/Bls12381.sol";
import { Commitments } from "../../contracts/libraries/Commitments.sol";
import { PointCompression } from "../../contracts/libraries/PointCompression.sol";
import { SCALAR_MODULUS, Scalar, ScalarField } from "../../contracts/libraries/ScalarField.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
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
import { TwoAccounts } from "./TwoAccounts.sol";
import { vm } from "./Vm.sol";

/// @title Malformed proofs: what the verifiers say of them comes through every function of the house that takes one
/// @dev Always Alice's proof of one book. Whoever else proves along does so honestly.
contract ProofRefusalsTest is TwoAccounts {
    /// @dev The functions that take margin proofs.
    enum Entry {
        PROVE_MARGIN,
        PROVE_MARGINS,
        SETTLE,
        SETTLE_OPEN,
        WITHDRAW,
        GRANT_LIEN
    }

    uint256 private constant ENTRIES = 6;
    uint64 private constant TICKS = 5;

    /// @dev Where the 48 bytes of W' lie in a proof of one book, and the 96 of W before them.
    uint256 private constant OPENING = 7 * 96;
    uint256 private constant QUOTIENT = 6 * 96;

    /// @dev So that the others prove something.
    function testHonestProofsAreAccepted() external {
        for (uint256 entry = 0; entry < ENTRIES; ++entry) {
            setUp();
            _submit(Entry(entry), _honest(Entry(entry)), "");
        }
    }

    function testNamesAProofOfAnotherLength() external {
        for (uint256 entry = 0; entry < ENTRIES; ++entry) {
            MarginClaim memory claim = _honest(Entry(entry));
            claim.proof = bytes.concat(claim.proof, hex"00");
            _submit(
                Entry(entry),
                claim,
                abi.encodeWithSelector(IMarginVerifier.MarginVerifierProofLength.selector, 881, 880)
            );
        }
    }

    function testNamesAHintOfAnotherLength() external {
        for (uint256 entry = 0; entry < ENTRIES; ++entry) {
            MarginClaim memory claim = _honest(Entry(entry));
            claim.hint = _slice(claim.hint, 0, 79);
            _submit(
                Entry(entry), claim, abi.encodeWithSelector(IMarginVerifier.MarginVerifierHintLength.selector, 79, 80)
            );
        }
    }

    function testNamesAScalarThatIsNotCanonical() external {
        for (uint256 entry = 0; entry < ENTRIES; ++entry) {
            MarginClaim memory claim = _honest(Entry(entry));
            claim.hint = abi.encodePacked(SCALAR_MODULUS, _slice(claim.hint, 32, 48));
            _submit(
                Entry(entry),
                claim,
                abi.encodeWithSelector(ScalarField.ScalarFieldNotCanonical.selector, SCALAR_MODULUS)
            );
        }
    }

    function testNamesAHintThatIsNoInverse() external {
        for (uint256 entry = 0; entry < ENTRIES; ++entry) {
            MarginClaim memory claim = _honest(Entry(entry));
            (Scalar beta, Scalar zeta) = prover.challenges(claim);
            uint256 product = Scalar.unwrap(prover.denominatorProduct(beta, zeta));
            claim.hint = abi.encodePacked(uint256(1), _slice(claim.hint, 32, 48));
            _submit(
                Entry(entry),
                claim,
                abi.encodeWithSelector(IMarginVerifier.MarginVerifierInverseHintMismatch.selector, 1, product)
            );
        }
    }

    function testNamesAPointOutsideTheSubgroup() external {
        bytes memory three = new bytes(96);
        three[95] = 0x02;
        for (uint256 entry = 0; entry < ENTRIES; ++entry) {
            MarginClaim memory claim = _honest(Entry(entry));
            bytes memory bent = Commitments.add(_slice(claim.proof, QUOTIENT, 96), three);
            _overwrite(claim.proof, QUOTIENT, bent);
            (Scalar beta, Scalar zeta) = prover.challenges(claim);
            Scalar inverse = prover.denominatorProduct(beta, zeta).inverse();
            claim.hint = abi.encodePacked(inverse, _slice(claim.hint, 32, 48));
            _submit(Entry(entry), claim, abi.encodeWithSelector(Bls12381.Bls12381InvalidPoint.selector, bent));
        }
    }

    function testNamesAnOrdinateThatDoesNotFit() external {
        for (uint256 entry = 0; entry < ENTRIES; ++entry) {
            MarginClaim memory claim = _honest(Entry(entry));
            claim.proof[OPENING] ^= 0x20;
            _submit(
                Entry(entry),
                claim,
                abi.encodeWithSelector(
                    PointCompression.PointCompressionMismatch.selector,
                    _slice(claim.proof, OPENING, 48),
                    _slice(claim.hint, 32, 48)
                )
            );
        }
    }

    function testRefusesAnotherOpening() external {
        for (uint256 entry = 0; entry < ENTRIES; ++entry) {
            MarginClaim memory claim = _honest(Entry(entry));
            // Infinity, compressed and with its ordinate of zero.
            _overwrite(claim.proof, OPENING, bytes.concat(hex"c0", new bytes(47)));
            _overwrite(claim.hint, 32, new bytes(48));
            _submit(Entry(entry), claim, abi.encodeWithSelector(IMarginVerifier.MarginVerifierRejected.selector));
        }
    }

    function testExitsNameWhatIsWrongWithTheirProofs() external {
        (Ghost memory alice,) = _traded("hidden", 1);
        bytes memory portfolio = _commitment(alice, 0);
        uint64[] memory amounts = new uint64[](2);
        vm.startPrank(_owner(alice));
        vm.expectRevert(abi.encodeWithSelector(IExitVerifier.ExitVerifierNonceLength.selector, 95));
        house.exit(_account(alice), alice.version, amounts, portfolio, new bytes(95), 0);
        vm.expectRevert(abi.encodeWithSelector(ScalarField.ScalarFieldNotCanonical.selector, SCALAR_MODULUS));
        house.exit(_account(alice), alice.version, amounts, portfolio, new bytes(96), SCALAR_MODULUS);
        vm.stopPrank();
    }

    // --- Helpers --------------------------------------------------------------------------------------------------

    /// @dev Alice's honest claim for what the function is given by `_submit`.
    function _honest(Entry entry) private view returns (MarginClaim memory) {
        MarginCheck memory check = _check(_alice, 1, RuleKind.INITIAL);
        if (entry == Entry.PROVE_MARGIN || entry == Entry.PROVE_MARGINS) return _simulated(check, 0, _alice);
        if (entry == Entry.WITHDRAW) return _proofWithout(_alice, 1, CASH, TICKS, house.withdrawalHash(_debit()));
        if (entry == Entry.GRANT_LIEN) return _proofWithout(_alice, 1, CASH, TICKS, house.lienHash(_debt()));
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(_copy(_alice), _copy(_bob), "proofs", 1);
        bytes32 action = _openAction(_openLegs(ghosts, legs));
        if (entry == Entry.SETTLE) (action,) = house.settlementHashes(_settlement(ghosts, legs));
        _carryOut(ghosts, legs);
        return _simulated(check, action, ghosts[0]);
    }

    /// @dev Calls the function with this proof and hint of Alice's; expects the refusal, if any.
    function _submit(Entry entry, MarginClaim memory claim, bytes memory refusal) private {
        if (entry == Entry.PROVE_MARGIN) {
            _expectRefusal(refusal);
            house.proveMargin(_check(_alice, 1, RuleKind.INITIAL), claim.portfolio, claim.proof, claim.hint);
        } else if (entry == Entry.PROVE_MARGINS) {
            _submitBatch(claim, refusal);
        } else if (entry == Entry.SETTLE) {
            (Settlement memory settlement, SettlementSide[] memory sides) = _agreed("proofs", 1);
            (sides[0].proof, sides[0].hint) = (claim.proof, claim.hint);
            _expectRefusal(refusal);
            house.settle(settlement, 1, sides);
        } else if (entry == Entry.SETTLE_OPEN) {
            _submitOpen(claim, refusal);
        } else {
            bytes memory portfolio = _commitment(_alice, 0);
            _expectRefusal(refusal);
            vm.prank(_owner(_alice));
            if (entry == Entry.WITHDRAW) house.withdraw(_debit(), portfolio, claim.proof, claim.hint);
            else house.grantLien(_debt(), portfolio, claim.proof, claim.hint);
        }
    }

    function _submitBatch(MarginClaim memory claim, bytes memory refusal) private {
        MarginCheck[] memory checks = new MarginCheck[](2);
        MarginEvidence[] memory evidence = new MarginEvidence[](2);
        checks[0] = _check(_bob, 1, RuleKind.MAINTENANCE);
        checks[1] = _check(_alice, 1, RuleKind.INITIAL);
        MarginClaim memory honest = _simulated(checks[0], 0, _bob);
        evidence[0] = MarginEvidence(honest.portfolio, honest.proof, honest.hint);
        evidence[1] = MarginEvidence(claim.portfolio, claim.proof, claim.hint);
        _expectRefusal(refusal);
        house.proveMargins(checks, evidence);
    }

    function _submitOpen(MarginClaim memory claim, bytes memory refusal) private {
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(_alice, _bob, "proofs", 1);
        OpenLeg[] memory open = _openLegs(ghosts, legs);
        OpenSide[] memory sides = _openSides(open, ghosts, legs, 1);
        (sides[0].proof, sides[0].hint) = (claim.proof, claim.hint);
        OpenLegSignatures[] memory signatures = _openSignatures(open, ghosts, legs);
        _expectRefusal(refusal);
        house.settleOpen(open, signatures, 1, sides);
    }

    function _expectRefusal(bytes memory refusal) private {
        if (refusal.length != 0) vm.expectRevert(refusal);
    }

    function _debit() private view returns (Withdrawal memory) {
        return _withdrawal(_alice, 1, CASH, TICKS, RECIPIENT);
    }

    function _debt() private view returns (Lien memory) {
        return _lien(_alice, 1, CASH, TICKS, RECIPIENT);
    }

    function _overwrite(bytes memory target, uint256 place, bytes memory source) private pure {
        for (uint256 index = 0; index < source.length; ++index) {
            target[place + index] = source[index];
        }
    }
}
