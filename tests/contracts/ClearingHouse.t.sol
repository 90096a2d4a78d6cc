// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import { ClearingHouse } from "../../contracts/ClearingHouse.sol";
import { RuleRegistry } from "../../contracts/RuleRegistry.sol";
import { CeremonyMarginVerifier } from "../../contracts/CeremonyMarginVerifier.sol";
import { IClearingHouse } from "../../contracts/interfaces/IClearingHouse.sol";
import { ICollateralVault } from "../../contracts/interfaces/ICollateralVault.sol";
import { IMarginVerifier } from "../../contracts/interfaces/IMarginVerifier.sol";
import { IRuleRegistry } from "../../contracts/interfaces/IRuleRegistry.sol";
import { ClaimEncoding } from "../../contracts/libraries/ClaimEncoding.sol";
import { Commitments } from "../../contracts/libraries/Commitments.sol";
import { DataContract } from "../../contracts/libraries/DataContract.sol";
import { AccountId, accountIdOf } from "../../contracts/types/AccountId.sol";
import { AccountState } from "../../contracts/types/AccountState.sol";
import { MarginClaim } from "../../contracts/types/MarginClaim.sol";
import { RuleKind } from "../../contracts/types/MarginRule.sol";
import { MarginCheck, Settlement, SettlementSide } from "../../contracts/types/Settlement.sol";
import { Shape } from "../../contracts/types/Shape.sol";
import { ClearingHouseFixture } from "./ClearingHouseFixture.sol";
import { FeeToken } from "./FeeToken.sol";
import { ReentrantToken } from "./ReentrantToken.sol";
import { WalletOwner } from "./WalletOwner.sol";
import { vm } from "./Vm.sol";

/// @title The clearing house: what it does, and every refusal by its name
contract ClearingHouseTest is ClearingHouseFixture {
    uint256 private constant ALICE = 0xa11ce;
    uint256 private constant BOB = 0xb0b;
    uint64 private constant CASH = 100;

    Ghost private _alice;
    Ghost private _bob;

    function setUp() external {
        _deploy();
        _publishEpoch(2);
        Ghost memory alice = _ghost(ALICE, 7);
        Ghost memory bob = _ghost(BOB, 0);
        _deposit(alice, CASH);
        _deposit(bob, CASH);
        _alice = alice;
        _bob = bob;
    }

    // --- Accounts -------------------------------------------------------------------------------------------------

    function testFuzzIdentitiesHoldOwnerAndNumber(address owner, uint96 subaccount) external pure {
        AccountId account = accountIdOf(owner, subaccount);
        _expect("owner", account.ownerOf(), owner);
        _expect("sub-account", account.subaccountOf(), subaccount);
    }

    function testDepositsAreCreditedByTheContract() external view {
        AccountState memory state = house.accountState(_account(_alice));
        _expect("version", state.stateVersion, 1);
        _expect("deposited", uint256(int256(state.deposited)), CASH);
        if (state.hidden) revert NumbersDiffer("hidden", 1, 0);
        _expect("books", state.books, 1);
        _expect("initial", state.initialEpoch, 0);
        _expect("maintenance", state.maintenanceEpoch, 0);
        _expect("commitment", house.commitmentHash(_account(_alice), 0), keccak256(_commitment(_alice, 0)));
        _expect("untouched", house.commitmentHash(_account(_alice), 1), bytes32(0));
        _expect("tokens", token.balanceOf(address(house)), 2 * CASH * UNITS_PER_TICK);
    }

    function testDepositsAreAnnounced() external {
        Ghost memory alice = _alice;
        address owner = _owner(alice);
        token.mint(owner, UNITS_PER_TICK);
        vm.prank(owner);
        token.approve(address(house), UNITS_PER_TICK);
        bytes memory commitment = _commitment(alice, 0);
        vm.expectEmit();
        emit IClearingHouse.Deposited(_account(alice), 1, int256(uint256(CASH)) + 1, 2);
        vm.prank(owner);
        house.deposit(7, 1, commitment);
    }

    function testTradesMoveTheDifference() external {
        Ghost memory change = _change("trade");
        Settlement memory settlement = _settlement(_alice, _bob, change, 1);
        SettlementSide memory first = _side(settlement, _alice, change, true);
        SettlementSide memory second = _side(settlement, _bob, change, false);
        (bytes32 action,) = house.settlementHashes(settlement);
        vm.expectEmit();
        emit IClearingHouse.Settled(_account(_alice), _account(_bob), 1, action, settlement.differences);
        house.settle(settlement, first, second);
        _expectGhost(_combined(_alice, change, true), 1);
        _expectGhost(_combined(_bob, change, false), 1);
    }

    function testMarginIsRecorded() external {
        vm.expectEmit();
        emit IClearingHouse.MarginProven(_account(_alice), 1, RuleKind.MAINTENANCE);
        _proveMargin(_alice, 1, RuleKind.MAINTENANCE);
        _expect("maintenance", house.accountState(_account(_alice)).maintenanceEpoch, 1);
        _expect("initial", house.accountState(_account(_alice)).initialEpoch, 0);
        _proveMargin(_alice, 1, RuleKind.INITIAL);
        _expect("initial", house.accountState(_account(_alice)).initialEpoch, 1);
        _expect("version", house.accountState(_account(_alice)).stateVersion, 1);
    }

    function testADepositLeavesWhatWasProven() external {
        _proveMargin(_alice, 1, RuleKind.MAINTENANCE);
        Ghost memory alice = _alice;
        _deposit(alice, 1);
        AccountState memory state = house.accountState(_account(alice));
        _expect("maintenance", state.maintenanceEpoch, 1);
        _expect("version", state.stateVersion, 2);
    }

    function testContractsMayOwnAccounts() external {
        WalletOwner wallet = new WalletOwner("yes");
        token.mint(address(wallet), UNITS_PER_TICK);
        vm.prank(address(wallet));
        token.approve(address(house), UNITS_PER_TICK);
        vm.prank(address(wallet));
        house.deposit(0, 1, new bytes(96));

        Ghost memory change = _change("contract");
        Ghost memory owned;
        owned.version = 1;
        owned.positions[0][0] = 1;
        Settlement memory settlement = _settlement(_alice, _bob, change, 1);
        settlement.second = accountIdOf(address(wallet), 0);
        SettlementSide memory first = _side(settlement, _alice, change, true);
        SettlementSide memory second = _contractSide(settlement, owned, change);
        second.signature = "no";
        (, bytes32 digest) = house.settlementHashes(settlement);
        vm.expectRevert(
            abi.encodeWithSelector(IClearingHouse.ClearingHouseSignatureInvalid.selector, settlement.second, digest)
        );
        house.settle(settlement, first, second);
        second.signature = "yes";
        house.settle(settlement, first, second);
        _expect("version", house.accountState(settlement.second).stateVersion, 2);
    }

    // --- Deposits that are refused --------------------------------------------------------------------------------

    function testRefusesDepositsOfNothing() external {
        vm.expectRevert(IClearingHouse.ClearingHouseNothingDeposited.selector);
        house.deposit(0, 0, new bytes(96));
    }

    function testRefusesDepositsBeyondTheRange() external {
        Ghost memory alice = _alice;
        _deposit(alice, uint64(DEPOSIT_LIMIT - CASH));
        bytes memory commitment = _commitment(alice, 0);
        vm.expectRevert(
            abi.encodeWithSelector(
                IClearingHouse.ClearingHouseDepositOutOfRange.selector,
                _account(alice),
                DEPOSIT_LIMIT + 1,
                DEPOSIT_LIMIT
            )
        );
        vm.prank(_owner(alice));
        house.deposit(7, 1, commitment);
        _expect("limit", house.depositLimit(), DEPOSIT_LIMIT);
    }

    function testRefusesDepositsOnAnotherCommitment() external {
        address owner = _owner(_alice);
        bytes memory other = _commitment(_bob, 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IClearingHouse.ClearingHouseCommitmentMismatch.selector,
                _account(_alice),
                0,
                keccak256(other),
                keccak256(_commitment(_alice, 0))
            )
        );
        vm.prank(owner);
        house.deposit(7, 1, other);
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseCommitmentLengthWrong.selector, 95, 96));
        vm.prank(owner);
        house.deposit(7, 1, new bytes(95));
    }

    function testRefusesTokensThatTakeAFee() external {
        FeeToken fee = new FeeToken();
        ClearingHouse strict = _houseWith(IERC20(address(fee)));
        fee.approve(address(strict), 1e18);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICollateralVault.CollateralVaultAmountWrong.selector, UNITS_PER_TICK - 1, UNITS_PER_TICK
            )
        );
        strict.deposit(0, 1, new bytes(96));
    }

    function testRefusesToBeCalledBack() external {
        ReentrantToken reentrant = new ReentrantToken();
        ClearingHouse strict = _houseWith(IERC20(address(reentrant)));
        reentrant.aim(address(strict), abi.encodeCall(IClearingHouse.deposit, (0, 1, new bytes(96))));
        reentrant.approve(address(strict), 1e18);
        vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        strict.deposit(0, 1, new bytes(96));
    }

    // --- Checks that are refused ----------------------------------------------------------------------------------

    function testRefusesChecksOfUnopenedAccounts() external {
        Ghost memory nobody = _ghost(0xdead, 0);
        MarginCheck memory check = _check(nobody, 1, RuleKind.INITIAL);
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseAccountNotOpen.selector, check.account));
        house.proveMargin(check, "", "", "");
    }

    function testRefusesChecksOfAnotherState() external {
        MarginCheck memory check = _check(_alice, 1, RuleKind.INITIAL);
        check.stateVersion = 2;
        vm.expectRevert(
            abi.encodeWithSelector(IClearingHouse.ClearingHouseStateVersionMismatch.selector, check.account, 2, 1)
        );
        house.proveMargin(check, "", "", "");
    }

    function testRefusesReplays() external {
        _proveMargin(_alice, 1, RuleKind.MAINTENANCE);
        MarginCheck memory check = _check(_alice, 1, RuleKind.MAINTENANCE);
        vm.expectRevert(
            abi.encodeWithSelector(
                IClearingHouse.ClearingHouseAlreadyProven.selector, check.account, RuleKind.MAINTENANCE, 1, 1
            )
        );
        house.proveMargin(check, "", "", "");
    }

    function testRefusesOtherCommitments() external {
        MarginCheck memory check = _check(_alice, 1, RuleKind.INITIAL);
        bytes memory other = _commitments(_bob, 1);
        bytes memory portfolio = bytes.concat(_commitment(_alice, 0), other);
        vm.expectRevert(
            abi.encodeWithSelector(
                IClearingHouse.ClearingHouseCommitmentMismatch.selector,
                check.account,
                1,
                keccak256(other),
                Commitments.INFINITY_HASH
            )
        );
        house.proveMargin(check, portfolio, "", "");
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseCommitmentLengthWrong.selector, 96, 192));
        house.proveMargin(check, other, "", "");
    }

    function testRefusesBooksThatTheRuleDoesNotCover() external {
        _deploy();
        _publishEpoch(1);
        Ghost memory alice = _ghost(ALICE, 7);
        Ghost memory bob = _ghost(BOB, 0);
        _deposit(alice, CASH);
        _deposit(bob, CASH);
        vm.warp(START + 60);
        _publishEpoch(2);
        Ghost memory change = _change("second book");
        _settle(alice, bob, change, 2);
        alice = _combined(alice, change, true);
        MarginCheck memory check = _check(alice, 1, RuleKind.MAINTENANCE);
        vm.expectRevert(
            abi.encodeWithSelector(IClearingHouse.ClearingHouseBooksNotCovered.selector, check.account, 2, 1)
        );
        house.proveMargin(check, "", "", "");
    }

    function testRefusesProofsOfAnotherUse() external {
        MarginCheck memory check = _check(_alice, 1, RuleKind.INITIAL);
        bytes memory portfolio = _commitments(_alice, 2);
        MarginClaim memory claim = _simulated(check, "an action", portfolio);
        MarginClaim memory here = _simulated(check, 0, portfolio);
        // The right inverse for this context, the wrong proof: nothing but the equation can refuse it.
        here.proof = _withOpening(here.proof, claim.proof);
        for (uint256 i = 0; i < 48; ++i) {
            here.hint[32 + i] = claim.hint[32 + i];
        }
        vm.expectRevert(IMarginVerifier.MarginVerifierRejected.selector);
        house.proveMargin(check, portfolio, here.proof, here.hint);
    }

    function testRefusesStaleAndSupersededEpochs() external {
        MarginCheck memory check = _check(_alice, 1, RuleKind.INITIAL);
        vm.warp(START + 60);
        _publishEpoch(2);
        vm.expectRevert(
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryEpochNotUsable.selector, 1, 2, RuleKind.INITIAL)
        );
        house.proveMargin(check, "", "", "");
        check.epoch = 2;
        vm.warp(START + 60 + MAXIMUM_AGE + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IRuleRegistry.RuleRegistryStaleEpoch.selector, 2, START + 60, MAXIMUM_AGE)
        );
        house.proveMargin(check, "", "", "");
    }

    function testRefusesAVerifierWithoutCode() external {
        MarginCheck memory check = _check(_alice, 1, RuleKind.INITIAL);
        bytes memory portfolio = _commitments(_alice, 2);
        vm.etch(address(verifier), "");
        vm.expectRevert(abi.encodeWithSelector(ClaimEncoding.ClaimEncodingNoVerifier.selector, address(verifier)));
        house.proveMargin(check, portfolio, new bytes(1264), new bytes(80));
    }

    // --- Trades that are refused ----------------------------------------------------------------------------------

    function testRefusesTradesWithOneself() external {
        Settlement memory settlement = _settlement(_alice, _alice, _change(0), 1);
        SettlementSide memory side;
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseSameAccount.selector, settlement.first));
        house.settle(settlement, side, side);
    }

    function testAllowsTradesBetweenAccountsOfOneOwner() external {
        Ghost memory twin = _ghost(ALICE, 8);
        _deposit(twin, CASH);
        Ghost memory change = _change("twins");
        _settle(_alice, twin, change, 1);
        _expectGhost(_combined(twin, change, false), 1);
    }

    function testRefusesTradesAfterTheirDeadline() external {
        Settlement memory settlement = _settlement(_alice, _bob, _change(0), 1);
        settlement.deadline = uint64(START);
        SettlementSide memory side;
        vm.warp(START + 1);
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseDeadlineExpired.selector, START, START + 1));
        house.settle(settlement, side, side);
    }

    function testRefusesReplayedTrades() external {
        Ghost memory change = _change("once");
        Settlement memory settlement = _settlement(_alice, _bob, change, 1);
        SettlementSide memory first = _side(settlement, _alice, change, true);
        SettlementSide memory second = _side(settlement, _bob, change, false);
        house.settle(settlement, first, second);
        vm.expectRevert(
            abi.encodeWithSelector(IClearingHouse.ClearingHouseStateVersionMismatch.selector, settlement.first, 1, 2)
        );
        house.settle(settlement, first, second);
    }

    function testRefusesTheOtherOwnersSignature() external {
        Ghost memory change = _change("signatures");
        Settlement memory settlement = _settlement(_alice, _bob, change, 1);
        SettlementSide memory first = _side(settlement, _alice, change, true);
        SettlementSide memory second = _side(settlement, _bob, change, false);
        (, bytes32 digest) = house.settlementHashes(settlement);
        (first.signature, second.signature) = (second.signature, first.signature);
        vm.expectRevert(
            abi.encodeWithSelector(IClearingHouse.ClearingHouseSignatureInvalid.selector, settlement.first, digest)
        );
        house.settle(settlement, first, second);
    }

    /// @dev Every field that owners sign; a trade altered afterwards has no signature.
    function testSignaturesCoverEveryField() external {
        Ghost memory change = _change("fields");
        Settlement memory settlement = _settlement(_alice, _bob, change, 1);
        SettlementSide memory first = _side(settlement, _alice, change, true);
        SettlementSide memory second = _side(settlement, _bob, change, false);
        for (uint256 field = 0; field < 6; ++field) {
            Settlement memory altered = _altered(settlement, field);
            (, bytes32 digest) = house.settlementHashes(altered);
            AccountId signer = field == 0 ? altered.first : settlement.first;
            vm.expectRevert(
                abi.encodeWithSelector(IClearingHouse.ClearingHouseSignatureInvalid.selector, signer, digest)
            );
            house.settle(altered, first, second);
        }
        house.settle(settlement, first, second);
    }

    function testRefusesDifferencesForOtherBooks() external {
        Ghost memory change = _change("books");
        Settlement memory settlement = _settlement(_alice, _bob, change, 1);
        settlement.differences = bytes.concat(settlement.differences, new bytes(96));
        SettlementSide memory first = _side(settlement, _alice, change, true);
        SettlementSide memory second = _side(settlement, _bob, change, false);
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseCommitmentLengthWrong.selector, 288, 192));
        house.settle(settlement, first, second);
    }

    /// @dev One side proves for what it would rather have: the batch refuses both.
    function testRefusesABadProofOfEitherSide() external {
        Ghost memory change = _change("proofs");
        Settlement memory settlement = _settlement(_alice, _bob, change, 1);
        SettlementSide memory first = _side(settlement, _alice, change, true);
        SettlementSide memory second = _side(settlement, _bob, change, false);
        first.proof = _withOpening(first.proof, second.proof);
        for (uint256 i = 0; i < 48; ++i) {
            first.hint[32 + i] = second.hint[32 + i];
        }
        vm.expectRevert(IMarginVerifier.MarginVerifierRejected.selector);
        house.settle(settlement, first, second);
    }

    // --- Parts that do not fit ------------------------------------------------------------------------------------

    function testRefusesARegistryForAnotherKey() external {
        CeremonyMarginVerifier other =
            new CeremonyMarginVerifier(Shape({ powers: 4096, columns: 512, digits: 4, digitBits: 11 }), GENERATOR);
        RuleRegistry foreign = new RuleRegistry(other, address(this), MAXIMUM_AGE);
        vm.expectRevert(
            abi.encodeWithSelector(
                IClearingHouse.ClearingHouseVerifyingKeyMismatch.selector, verifier.verifyingKey(), other.verifyingKey()
            )
        );
        new ClearingHouse(verifier, foreign, token, 0, UNITS_PER_TICK, table, keccak256(basis), _limit());
    }

    function testRefusesParametersOutOfRange() external {
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseSlotOutOfRange.selector, 4, 4));
        new ClearingHouse(verifier, registry, token, 4, UNITS_PER_TICK, table, keccak256(basis), _limit());
        vm.expectRevert(ICollateralVault.CollateralVaultTickWithoutUnits.selector);
        new ClearingHouse(verifier, registry, token, 0, 0, table, keccak256(basis), _limit());
    }

    function testRefusesAnotherBasisTable() external {
        bytes memory longer = bytes.concat(basis, new bytes(96));
        address long = DataContract.create(longer);
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseBasisSizeWrong.selector, 480, 384));
        new ClearingHouse(verifier, registry, token, 0, UNITS_PER_TICK, long, keccak256(longer), _limit());
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseBasisSizeWrong.selector, 0, 384));
        new ClearingHouse(verifier, registry, token, 0, UNITS_PER_TICK, address(0xdead), keccak256(basis), _limit());
        vm.expectRevert(
            abi.encodeWithSelector(
                IClearingHouse.ClearingHouseBasisMismatch.selector, keccak256(basis), bytes32("another")
            )
        );
        new ClearingHouse(verifier, registry, token, 0, UNITS_PER_TICK, table, "another", _limit());
    }

    function testKeepsItsParts() external view {
        _expect("verifier", address(house.verifier()), address(verifier));
        _expect("registry", address(house.registry()), address(registry));
        _expect("collateral", address(house.collateral()), address(token));
        _expect("slot", house.collateralSlot(), 0);
        _expect("units", house.unitsPerTick(), UNITS_PER_TICK);
        _expect("table", house.basisTable(), table);
        _expect("hash", house.basisHash(), keccak256(basis));
    }

    // --- Helpers --------------------------------------------------------------------------------------------------

    function _settle(Ghost memory first, Ghost memory second, Ghost memory change, uint32 epoch) private {
        Settlement memory settlement = _settlement(first, second, change, epoch);
        house.settle(settlement, _side(settlement, first, change, true), _side(settlement, second, change, false));
    }

    function _houseWith(IERC20 collateral) private returns (ClearingHouse) {
        return new ClearingHouse(verifier, registry, collateral, 0, UNITS_PER_TICK, table, keccak256(basis), _limit());
    }

    function _contractSide(Settlement memory settlement, Ghost memory owned, Ghost memory change)
        private
        view
        returns (SettlementSide memory side)
    {
        (bytes32 action,) = house.settlementHashes(settlement);
        MarginCheck memory check = MarginCheck(settlement.second, 1, 1, RuleKind.INITIAL);
        MarginClaim memory claim = _simulated(check, action, _commitments(_combined(owned, change, false), BOOKS));
        side.portfolio = _commitments(owned, BOOKS);
        side.proof = claim.proof;
        side.hint = claim.hint;
    }

    function _altered(Settlement memory settlement, uint256 field) private pure returns (Settlement memory altered) {
        altered = abi.decode(abi.encode(settlement), (Settlement));
        if (field == 0) altered.first = accountIdOf(address(0xbad), 0);
        if (field == 1) ++altered.firstVersion;
        if (field == 2) ++altered.secondVersion;
        if (field == 3) ++altered.epoch;
        if (field == 4) --altered.deadline;
        if (field == 5) altered.differences[0] ^= 0x01;
    }

    /// @dev A proof with another proof's W'.
    function _withOpening(bytes memory proof, bytes memory other) private pure returns (bytes memory mixed) {
        mixed = bytes.concat(proof);
        uint256 place = 96 * (3 * BOOKS + 4);
        for (uint256 i = 0; i < 48; ++i) {
            mixed[place + i] = other[place + i];
        }
    }

    function _expectGhost(Ghost memory ghost, uint32 epoch) private view {
        AccountId account = _account(ghost);
        AccountState memory state = house.accountState(account);
        _expect("version", state.stateVersion, ghost.version);
        _expect("books", state.books, BOOKS);
        _expect("initial", state.initialEpoch, epoch);
        for (uint256 book = 0; book < BOOKS; ++book) {
            _expect("commitment", house.commitmentHash(account, book), keccak256(_commitment(ghost, book)));
        }
    }
}
