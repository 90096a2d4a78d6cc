// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import { ClearingHouse } from "../../contracts/ClearingHouse.sol";
import { CollateralVault } from "../../contracts/CollateralVault.sol";
import { ExitVerifier } from "../../contracts/ExitVerifier.sol";
import { InstrumentRegistry } from "../../contracts/InstrumentRegistry.sol";
import { PairingMarginVerifier } from "../../contracts/PairingMarginVerifier.sol";
import { IAccountLedger } from "../../contracts/interfaces/IAccountLedger.sol";
import { IClearingHouse } from "../../contracts/interfaces/IClearingHouse.sol";
import { ICollateralVault } from "../../contracts/interfaces/ICollateralVault.sol";
import { DataContract } from "../../contracts/libraries/DataContract.sol";
import { AccountId, accountIdOf } from "../../contracts/types/AccountId.sol";
import { AccountState, AccountStatus } from "../../contracts/types/AccountState.sol";
import { InsecureTestToken } from "../../contracts/test/InsecureTestToken.sol";
import { HouseParts } from "../../contracts/types/HouseParts.sol";
import { InstrumentKind, SlotStatus, SlotTerms } from "../../contracts/types/Instrument.sol";
import { Shape } from "../../contracts/types/Shape.sol";
import { TokenTerms } from "../../contracts/types/Vault.sol";
import { KnownSetup } from "./KnownSetup.sol";
import { ReentrantToken } from "./ReentrantToken.sol";
import { TwoAccounts } from "./TwoAccounts.sol";
import { vm } from "./Vm.sol";

/// @title Accounts, deposits, inboxes, and what a house is made of
contract HouseAccountsTest is TwoAccounts {
    uint16 private constant PERPETUAL_SLOT = 2;
    uint8 private constant LATE = 2;

    function testFuzzIdentitiesHoldOwnerAndNumber(address owner, uint96 subaccount) external pure {
        AccountId account = accountIdOf(owner, subaccount);
        _expect("owner", account.ownerOf(), owner);
        _expect("sub-account", account.subaccountOf(), subaccount);
    }

    // --- Deposits -------------------------------------------------------------------------------------------------

    function testDepositsAreCreditedByTheContract() external {
        Ghost memory alice = _alice;
        _deposit(alice, COIN, 7);
        _expectGhost(alice, AccountStatus.TRANSPARENT);
        AccountState memory state = house.accountState(_account(alice));
        _expect("version", state.stateVersion, 2);
        _expect("initial", state.initialEpoch, 0);
        _expect("maintenance", state.maintenanceEpoch, 0);
        _expect("untouched", house.commitmentHash(_account(alice), 1), bytes32(0));
        _expect("cash", house.holdings(_account(alice), CASH), STAKE);
        _expect("coin", house.holdings(_account(alice), COIN), 7);
        _expect("tokens", token.balanceOf(address(vault)), 2 * STAKE * UNITS_PER_TICK);
        _expect("coins", coin.balanceOf(address(vault)), 7 * COIN_UNITS);
        _expect("net", vault.vaultState(CASH).netDeposits, 2 * STAKE);
    }

    function testDepositsAreAnnounced() external {
        Ghost memory alice = _alice;
        _fund(_owner(alice), COIN, 3);
        bytes memory commitment = _commitment(alice, 0);
        vm.expectEmit();
        emit IClearingHouse.Deposited(_account(alice), COIN, 3, 2);
        vm.prank(_owner(alice));
        house.deposit(7, COIN, 3, commitment);
    }

    function testDepositsLeaveWhatWasProvenAndStayOutOfHoldingsWhileHidden() external {
        (Ghost memory alice,) = _traded("before", 1);
        _deposit(alice, 5);
        AccountState memory state = house.accountState(_account(alice));
        _expect("initial", state.initialEpoch, 1);
        _expect("holdings", house.holdings(_account(alice), CASH), STAKE);
        _expectGhost(alice, AccountStatus.ACTIVE);
    }

    function testRefusesDepositsOnAnotherCommitment() external {
        Ghost memory alice = _alice;
        _fund(_owner(alice), CASH, 2);
        bytes memory other = _commitment(alice, 1);
        _expectMismatch(alice, 0, other);
        vm.prank(_owner(alice));
        house.deposit(7, CASH, 1, other);
        _expectLengthRefused(95, 96);
        vm.prank(_owner(alice));
        house.deposit(7, CASH, 1, new bytes(95));
        // Of a new account the commitment is nothing, and nothing else.
        bytes memory present = _commitment(alice, 0);
        _expectMismatch(_ghost(ALICE, 8), 0, present);
        vm.prank(_owner(alice));
        house.deposit(8, CASH, 1, present);
    }

    function testRefusalsOfTheVaultComeThrough() external {
        Ghost memory alice = _alice;
        bytes memory commitment = _commitment(alice, 0);
        vm.expectRevert(ICollateralVault.CollateralVaultNothingDeposited.selector);
        vm.prank(_owner(alice));
        house.deposit(7, CASH, 0, commitment);
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultNoSuchToken.selector, 2));
        vm.prank(_owner(alice));
        house.deposit(7, 2, 1, commitment);
        uint64 room = uint64(DEPOSIT_LIMIT) - 2 * STAKE;
        _fund(_owner(alice), CASH, room + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICollateralVault.CollateralVaultCapExceeded.selector, CASH, DEPOSIT_LIMIT + 1, DEPOSIT_LIMIT
            )
        );
        vm.prank(_owner(alice));
        house.deposit(7, CASH, room + 1, commitment);
    }

    // --- Inboxes --------------------------------------------------------------------------------------------------

    function testOthersFillTheInboxAndTheOwnerMergesIt() external {
        Ghost memory alice = _alice;
        _depositFor(STRANGER, _account(alice), COIN, 4);
        _depositFor(STRANGER, _account(alice), COIN, 5);
        _expectGhost(alice, AccountStatus.TRANSPARENT);
        _expect("not yet", house.holdings(_account(alice), COIN), 0);
        vm.expectEmit();
        emit IClearingHouse.InboxMerged(_account(alice), COIN, 9, 2);
        _mergeInbox(alice, COIN);
        _expectGhost(alice, AccountStatus.TRANSPARENT);
        _expect("merged", house.holdings(_account(alice), COIN), 9);
        _expect("empty", vault.inbox(_account(alice), COIN), 0);
    }

    function testAMergeOpensAnAccount() external {
        Ghost memory carol = _ghost(CAROL, 3);
        _depositFor(STRANGER, _account(carol), CASH, 6);
        _mergeInbox(carol, CASH);
        _expectGhost(carol, AccountStatus.TRANSPARENT);
        _withdrawHoldings(carol, CASH, 6, RECIPIENT);
        _expect("paid", token.balanceOf(RECIPIENT), 6 * UNITS_PER_TICK);
    }

    function testRefusesMergesByOthersAndOfNothing() external {
        Ghost memory alice = _alice;
        AccountId account = _account(alice);
        bytes memory commitment = _commitment(alice, 0);
        _depositFor(STRANGER, account, CASH, 6);
        _expectNotAuthorised(alice, STRANGER);
        vm.prank(STRANGER);
        house.mergeInbox(account, CASH, commitment);
        bytes memory other = _commitment(alice, 1);
        _expectMismatch(alice, 0, other);
        vm.prank(_owner(alice));
        house.mergeInbox(account, CASH, other);
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultInboxEmpty.selector, account, COIN));
        vm.prank(_owner(alice));
        house.mergeInbox(account, COIN, commitment);
    }

    // --- Slots of tokens ------------------------------------------------------------------------------------------

    /// @dev Governance adds a token whose slot is a perpetual's. Whoever is long would show in an exit as many tokens as he
    /// has lots, and take those that others had brought; so nobody brings any, and an inbox is kept apart.
    function testRefusesATokenInASlotOfADerivative() external {
        InsecureTestToken late = _addToken(vault, PERPETUAL_SLOT);
        _expectNotCollateral(house, late, PERPETUAL_SLOT, InstrumentKind.PERPETUAL, SlotStatus.LISTED);
        instruments.delist(PERPETUAL_SLOT);
        _expectNotCollateral(house, late, PERPETUAL_SLOT, InstrumentKind.PERPETUAL, SlotStatus.DELISTED);
        // Nothing of it is there but what inboxes have.
        _expect("kept apart", vault.keptApart(LATE), 2);
        _expect("net deposits", vault.vaultState(LATE).netDeposits, 2);
    }

    /// @dev With a position of 40 lots in that slot the exit is true, and pays nothing: not even from others' inboxes.
    function testAPositionIsNotPaidAsAToken() external {
        InsecureTestToken late = _addToken(vault, PERPETUAL_SLOT);
        late.mint(STRANGER, 45);
        vm.prank(STRANGER);
        late.approve(address(vault), 45);
        vm.prank(STRANGER);
        vault.depositFor(_account(_bob), LATE, 45);
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(_alice, _bob, "long", 1);
        for (uint256 position = 0; position < SLOTS; ++position) {
            legs[0].change.positions[0][position] = position == PERPETUAL_SLOT ? int256(40) : int256(0);
        }
        _settle(ghosts, legs, 1);
        Ghost memory alice = ghosts[0];
        uint64[] memory amounts = new uint64[](3);
        (amounts[CASH], amounts[LATE]) = (STAKE, 40);
        bytes memory commitment = _commitment(alice, 0);
        (bytes memory nonce, uint256 response) = _exitProof(alice, amounts, commitment, "exit");
        vm.startPrank(_owner(alice));
        house.exit(_account(alice), alice.version, amounts, commitment, nonce, response);
        _expect("shown", house.holdings(_account(alice), LATE), 40);
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultExhausted.selector, 40, 0));
        house.withdrawHoldings(_account(alice), alice.version + 1, LATE, 40, RECIPIENT, commitment);
        vm.stopPrank();
    }

    /// @dev A slot that nothing is listed in yet might become a derivative's; as each of the three kinds it is collateral.
    function testRefusesATokenInASlotThatIsNotListedYet() external {
        InstrumentRegistry other = _newInstruments();
        HouseParts memory parts = _parts();
        parts.registry = _newRegistry(verifier, other, address(this));
        ClearingHouse empty = new ClearingHouse(parts, address(this), GUARDIAN, _tokens());
        InsecureTestToken late = _addToken(CollateralVault(address(empty.vault())), PERPETUAL_SLOT);
        _expectNotCollateral(empty, late, PERPETUAL_SLOT, InstrumentKind.CASH, SlotStatus.UNLISTED);
        other.addUnderlying("COIN");
        SlotTerms[] memory terms = new SlotTerms[](3);
        (terms[1].kind, terms[1].underlying) = (InstrumentKind.TOKEN, 1);
        (terms[2].kind, terms[2].underlying) = (InstrumentKind.SPOT, 1);
        string[] memory names = new string[](3);
        (names[0], names[1], names[2]) = ("cash", "token", "coin");
        other.list(0, terms, names);
        AccountId account = accountIdOf(address(this), 0);
        _fundSelf(address(empty.vault()), coin);
        empty.deposit(0, COIN, 1, new bytes(96));
        empty.mergeInbox(account, LATE, KnownSetup.point(slotScalars[COIN]));
        _expect("token", empty.holdings(account, COIN), 1);
        _expect("coin", empty.holdings(account, LATE), 1);
    }

    /// @dev What is in the inbox when the slot dies stays there; what is in the account leaves as before.
    function testRefusesATokenWhoseSlotWasDelisted() external {
        Ghost memory alice = _alice;
        _deposit(alice, COIN, 4);
        instruments.delist(COIN);
        _expectNotCollateral(house, coin, COIN, InstrumentKind.TOKEN, SlotStatus.DELISTED);
        _withdrawHoldings(alice, COIN, 4, RECIPIENT);
        _expect("paid", coin.balanceOf(RECIPIENT), 4 * COIN_UNITS);
    }

    /// @dev Adds a token in that slot, with one unit a tick.
    function _addToken(CollateralVault target, uint16 slot) private returns (InsecureTestToken late) {
        late = new InsecureTestToken();
        _expect("number", target.addToken(TokenTerms(late, 1, slot, 500, 60, 2)), LATE);
    }

    /// @dev The test contract itself gets a tick's worth of any of the tokens.
    function _fundSelf(address spender, InsecureTestToken asset) private {
        asset.mint(address(this), COIN_UNITS);
        asset.approve(spender, COIN_UNITS);
    }

    /// @dev The test contract is refused to deposit a tick, and to merge the one that it pays into its inbox.
    function _expectNotCollateral(
        ClearingHouse target,
        InsecureTestToken asset,
        uint16 slot,
        InstrumentKind kind,
        SlotStatus status
    ) private {
        uint8 number = address(asset) == address(coin) ? COIN : LATE;
        bytes memory refusal = abi.encodeWithSelector(
            IClearingHouse.ClearingHouseSlotNotCollateral.selector, number, slot, kind, status
        );
        AccountId account = accountIdOf(address(this), 0);
        ICollateralVault itsVault = target.vault();
        _fundSelf(address(itsVault), asset);
        vm.expectRevert(refusal);
        target.deposit(0, number, 1, new bytes(96));
        itsVault.depositFor(account, number, 1);
        vm.expectRevert(refusal);
        target.mergeInbox(account, number, new bytes(96));
    }

    // --- Hostile tokens -------------------------------------------------------------------------------------------

    /// @dev Whatever a token calls while it moves, no entry point of the house that changes accounts lets it in.
    function testRefusesToBeCalledBack() external {
        ReentrantToken hostile = new ReentrantToken();
        TokenTerms[] memory tokens = _tokens();
        tokens[COIN].token = hostile;
        ClearingHouse strict = new ClearingHouse(_parts(), address(this), GUARDIAN, tokens);
        hostile.approve(address(strict.vault()), 1e18);
        bytes[] memory calls = _callsBack();
        for (uint256 index = 0; index < calls.length; ++index) {
            hostile.aim(address(strict), calls[index]);
            vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
            strict.deposit(0, COIN, 1, new bytes(96));
        }
        hostile.aim(address(0), "");
        strict.deposit(0, COIN, 1, new bytes(96));
        bytes memory commitment = KnownSetup.point(slotScalars[1]);
        AccountId account = accountIdOf(address(this), 0);
        for (uint256 index = 0; index < calls.length; ++index) {
            hostile.aim(address(strict), calls[index]);
            vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
            strict.withdrawHoldings(account, 1, COIN, 1, RECIPIENT, commitment);
        }
    }

    // --- Parts ----------------------------------------------------------------------------------------------------

    function testKeepsItsParts() external view {
        _expect("verifier", address(house.verifier()), address(verifier));
        _expect("registry", address(house.registry()), address(registry));
        _expect("exit verifier", address(house.exitVerifier()), address(exitVerifier));
        _expect("instruments", address(house.instruments()), address(instruments));
        _expect("table", house.basisTable(), table);
        _expect("hash", house.basisHash(), keccak256(basis));
        _expect("limit", house.depositLimit(), DEPOSIT_LIMIT);
        _expect("vault's house", vault.house(), address(house));
        _expect("vault's owner", vault.owner(), address(this));
        _expect("vault's limit", vault.depositLimit(), DEPOSIT_LIMIT);
        _expect("owner", house.owner(), address(this));
        _expect("guardian", house.guardian(), GUARDIAN);
    }

    function testRefusesARegistryForAnotherKey() external {
        Shape memory shape = Shape({ powers: 64, columns: 16, digits: 1, digitBits: 4 });
        PairingMarginVerifier other = new PairingMarginVerifier(shape, KnownSetup.setupPoint(), GENERATOR);
        HouseParts memory parts = _parts();
        parts.registry = _newRegistry(other, instruments, address(this));
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccountLedger.AccountLedgerVerifyingKeyMismatch.selector, verifier.verifyingKey(), other.verifyingKey()
            )
        );
        new ClearingHouse(parts, address(this), GUARDIAN, _tokens());
    }

    /// @dev What the vault's constructor refuses, the house's does.
    function testRefusesFalseTokens() external {
        HouseParts memory parts = _parts();
        TokenTerms[] memory tokens = new TokenTerms[](0);
        vm.expectRevert(ICollateralVault.CollateralVaultNoTokens.selector);
        new ClearingHouse(parts, address(this), GUARDIAN, tokens);
        tokens = _tokens();
        tokens[COIN].slot = uint16(SLOTS);
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultSlotOutOfRange.selector, SLOTS, SLOTS));
        new ClearingHouse(parts, address(this), GUARDIAN, tokens);
        tokens = _tokens();
        tokens[COIN].cap = uint64(DEPOSIT_LIMIT) + 1;
        vm.expectRevert(
            abi.encodeWithSelector(
                ICollateralVault.CollateralVaultCapOutOfRange.selector, DEPOSIT_LIMIT + 1, DEPOSIT_LIMIT
            )
        );
        new ClearingHouse(parts, address(this), GUARDIAN, tokens);
    }

    function testRefusesAnotherBasis() external {
        HouseParts memory parts = _parts();
        bytes memory other = bytes.concat(basis);
        other[0] ^= 0x01;
        parts.basisTable = DataContract.create(other);
        vm.expectRevert(
            abi.encodeWithSelector(
                DataContract.DataContractHashMismatch.selector, parts.basisTable, keccak256(other), keccak256(basis)
            )
        );
        new ClearingHouse(parts, address(this), GUARDIAN, _tokens());
        parts.basisTable = address(0xdead);
        vm.expectRevert(abi.encodeWithSelector(DataContract.DataContractLengthWrong.selector, address(0xdead), 0, 384));
        new ClearingHouse(parts, address(this), GUARDIAN, _tokens());
    }

    function testRefusesAnExitVerifierForAnotherBasis() external {
        HouseParts memory parts = _parts();
        bytes memory swapped = bytes.concat(_slice(basis, 96, 96), _slice(basis, 0, 96), _slice(basis, 192, 192));
        address otherTable = DataContract.create(swapped);
        parts.exitVerifier = new ExitVerifier(otherTable, keccak256(swapped), KnownSetup.point(blindScalar), SLOTS);
        vm.expectRevert(
            abi.encodeWithSelector(
                IClearingHouse.ClearingHouseExitBasisMismatch.selector, keccak256(swapped), keccak256(basis)
            )
        );
        new ClearingHouse(parts, address(this), GUARDIAN, _tokens());
    }

    /// @dev A call of every entry point that changes accounts, with whatever content.
    function _callsBack() private view returns (bytes[] memory calls) {
        AccountId account = accountIdOf(address(this), 0);
        calls = new bytes[](8);
        calls[0] = abi.encodeCall(IClearingHouse.deposit, (0, COIN, 1, new bytes(96)));
        calls[1] = abi.encodeCall(IClearingHouse.mergeInbox, (account, COIN, new bytes(96)));
        calls[2] = abi.encodeCall(
            IClearingHouse.withdraw, (_withdrawal(_alice, 1, COIN, 1, RECIPIENT), new bytes(96), "", "")
        );
        calls[3] =
            abi.encodeCall(IClearingHouse.grantLien, (_lien(_alice, 1, COIN, 1, RECIPIENT), new bytes(96), "", ""));
        calls[4] = abi.encodeCall(IClearingHouse.withdrawHoldings, (account, 1, COIN, 1, RECIPIENT, new bytes(96)));
        calls[5] = abi.encodeCall(IClearingHouse.exit, (account, 1, new uint64[](2), new bytes(96), "", 0));
        (Ghost[] memory ghosts, GhostLeg[] memory legs) = _pair(_alice, _bob, "back", 1);
        calls[6] = abi.encodeCall(
            IClearingHouse.settle, (_settlement(ghosts, legs), 1, _sides(_settlement(ghosts, legs), ghosts, legs, 1))
        );
        calls[7] = abi.encodeWithSelector(
            IClearingHouse.settleOpen.selector, new bytes[](0), new bytes[](0), 1, new bytes[](0)
        );
    }
}
