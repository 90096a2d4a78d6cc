// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { Address } from "@openzeppelin/contracts/utils/Address.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import { CollateralVault } from "../../contracts/CollateralVault.sol";
import { ICollateralVault } from "../../contracts/interfaces/ICollateralVault.sol";
import { LeakyBucket } from "../../contracts/libraries/LeakyBucket.sol";
import { InsecureTestToken } from "../../contracts/test/InsecureTestToken.sol";
import { Bucket, TokenTerms, VaultState, WithdrawalClaim, WithdrawalLimit } from "../../contracts/types/Vault.sol";
import { VaultFixture } from "./VaultFixture.sol";
import { vm } from "./Vm.sol";

/// @title The vault: terms, deposits, bucket, queue and governance, and every refusal by its name
contract CollateralVaultTest is VaultFixture {
    using LeakyBucket for Bucket;

    address private constant OTHER = address(0xbeef);

    /// @dev Second by second: what the bucket of a token should be.
    struct Model {
        uint256 capacity;
        uint256 refill;
        uint256 room;
        uint256 backlog;
        uint256 unpaid;
    }

    function setUp() external {
        _deployVault();
    }

    // --- Terms ----------------------------------------------------------------------------------------------------

    function testKeepsTheTermsOfItsTokens() external {
        _expect("house", vault.house(), address(this));
        _expect("owner", vault.owner(), OWNER);
        _expect("limit", vault.depositLimit(), DEPOSIT_LIMIT);
        _expect("tokens", vault.tokenCount(), 2);
        TokenTerms[] memory given = _twoTokens();
        _expect("cash", keccak256(abi.encode(vault.tokenTerms(CASH))), keccak256(abi.encode(given[CASH])));
        _expect("coin", keccak256(abi.encode(vault.tokenTerms(COIN))), keccak256(abi.encode(given[COIN])));
        _expect("slot", vault.slotOf(COIN), 5);
        _expectState(CASH, VaultState(0, CAPACITY, 0, uint64(START)));
        TokenTerms memory third = _third();
        vm.expectEmit();
        emit ICollateralVault.TokenAdded(2, third);
        vm.prank(OWNER);
        _expect("number", vault.addToken(third), 2);
        _expect("third", keccak256(abi.encode(vault.tokenTerms(2))), keccak256(abi.encode(third)));
        _expectState(2, VaultState(0, third.capacity, 0, uint64(START)));
    }

    function testRefusesTermsThatNoTokenMayHave() external {
        TokenTerms memory terms = _third();
        terms.token = IERC20(OTHER);
        _expectTermsRefused(
            terms, abi.encodeWithSelector(ICollateralVault.CollateralVaultTokenWithoutCode.selector, OTHER)
        );
        terms = _third();
        terms.token = IERC20(address(cash));
        _expectTermsRefused(
            terms, abi.encodeWithSelector(ICollateralVault.CollateralVaultTokenTwice.selector, address(cash))
        );
        terms = _third();
        terms.slot = 5;
        _expectTermsRefused(terms, abi.encodeWithSelector(ICollateralVault.CollateralVaultSlotTwice.selector, 5));
        terms.slot = uint16(SLOTS);
        _expectTermsRefused(
            terms, abi.encodeWithSelector(ICollateralVault.CollateralVaultSlotOutOfRange.selector, SLOTS, SLOTS)
        );
        terms = _third();
        terms.unitsPerTick = 0;
        _expectTermsRefused(
            terms,
            abi.encodeWithSelector(ICollateralVault.CollateralVaultTickWithoutUnits.selector, address(terms.token))
        );
        terms = _third();
        terms.cap = uint64(DEPOSIT_LIMIT + 1);
        _expectTermsRefused(
            terms,
            abi.encodeWithSelector(
                ICollateralVault.CollateralVaultCapOutOfRange.selector, DEPOSIT_LIMIT + 1, DEPOSIT_LIMIT
            )
        );
        terms = _third();
        terms.capacity = 0;
        _expectTermsRefused(terms, abi.encodeWithSelector(ICollateralVault.CollateralVaultLimitEmpty.selector, 0, 1));
        terms = _third();
        terms.refillPerSecond = 0;
        _expectTermsRefused(terms, abi.encodeWithSelector(ICollateralVault.CollateralVaultLimitEmpty.selector, 1, 0));
    }

    function testRefusesToBeCreatedWithoutTokensOrWithFalseTerms() external {
        vm.expectRevert(ICollateralVault.CollateralVaultNoTokens.selector);
        new CollateralVault(OWNER, DEPOSIT_LIMIT, SLOTS, new TokenTerms[](0));
        TokenTerms[] memory tokens = _twoTokens();
        tokens[1].token = tokens[0].token;
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVaultTokenTwice.selector, address(tokens[0].token))
        );
        new CollateralVault(OWNER, DEPOSIT_LIMIT, SLOTS, tokens);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0)));
        new CollateralVault(address(0), DEPOSIT_LIMIT, SLOTS, _twoTokens());
    }

    function testRefusesMoreTokensThanItMayHave() external {
        uint256 maximum = vault.MAXIMUM_TOKENS();
        _expect("as many as an exit proof has terms for", maximum, 32);
        CollateralVault large = new CollateralVault(OWNER, DEPOSIT_LIMIT, maximum + 1, _twoTokens());
        vm.startPrank(OWNER);
        uint16 slot = 0;
        while (large.tokenCount() < maximum) {
            if (slot == 0 || slot == 5) ++slot;
            large.addToken(TokenTerms(new InsecureTestToken(), 1, slot, 1, 1, 1));
            ++slot;
        }
        TokenTerms memory last = TokenTerms(new InsecureTestToken(), 1, uint16(maximum), 1, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultTooManyTokens.selector, maximum));
        large.addToken(last);
    }

    function testRefusesTokensThatThereAreNot() external {
        bytes memory error_ = abi.encodeWithSelector(ICollateralVault.CollateralVaultNoSuchToken.selector, 2);
        bytes[15] memory calls = [
            abi.encodeCall(ICollateralVault.depositFor, (_account(0), 2, 1)),
            abi.encodeCall(ICollateralVault.claimLien, (_account(0), 2, 1, FRIEND)),
            abi.encodeCall(ICollateralVault.releaseLien, (_account(0), 2, 1)),
            abi.encodeCall(ICollateralVault.payQueued, (2, 1)),
            abi.encodeCall(ICollateralVault.collect, (2, PAYER, 1)),
            abi.encodeCall(ICollateralVault.takeInbox, (_account(0), 2)),
            abi.encodeCall(ICollateralVault.payOut, (2, FRIEND, 1)),
            abi.encodeCall(ICollateralVault.addLien, (_account(0), 2, LENDER, 1)),
            abi.encodeCall(ICollateralVault.tokenTerms, (2)),
            abi.encodeCall(ICollateralVault.slotOf, (2)),
            abi.encodeCall(ICollateralVault.vaultState, (2)),
            abi.encodeCall(ICollateralVault.keptApart, (2)),
            abi.encodeCall(ICollateralVault.withdrawalClaim, (2, 1)),
            abi.encodeCall(ICollateralVault.queueState, (2)),
            abi.encodeCall(ICollateralVault.inbox, (_account(0), 2))
        ];
        for (uint256 index = 0; index < calls.length; ++index) {
            _expectRefused(address(this), calls[index], error_);
        }
        _expectRefused(address(this), abi.encodeCall(ICollateralVault.lien, (_account(0), LENDER, 2)), error_);
        _expectRefused(OWNER, abi.encodeCall(ICollateralVault.setCap, (2, 1)), error_);
        _expectRefused(OWNER, abi.encodeCall(ICollateralVault.setLimit, (2, WithdrawalLimit(1, 1))), error_);
    }

    // --- Governance -----------------------------------------------------------------------------------------------

    function testOnlyTheOwnerGoverns() external {
        bytes[3] memory calls = [
            abi.encodeCall(ICollateralVault.addToken, (_third())),
            abi.encodeCall(ICollateralVault.setCap, (CASH, 1)),
            abi.encodeCall(ICollateralVault.setLimit, (CASH, WithdrawalLimit(1, 1)))
        ];
        bytes memory byHouse = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(this));
        bytes memory byOther = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, OTHER);
        for (uint256 index = 0; index < calls.length; ++index) {
            _expectRefused(address(this), calls[index], byHouse);
            _expectRefused(OTHER, calls[index], byOther);
        }
    }

    function testOwnershipMovesInTwoSteps() external {
        vm.prank(OWNER);
        vault.transferOwnership(OTHER);
        _expect("still", vault.owner(), OWNER);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, FRIEND));
        vm.prank(FRIEND);
        vault.acceptOwnership();
        vm.prank(OTHER);
        vault.acceptOwnership();
        _expect("now", vault.owner(), OTHER);
        bytes memory error_ = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, OWNER);
        _expectRefused(OWNER, abi.encodeCall(ICollateralVault.setCap, (CASH, 1)), error_);
    }

    function testOnlyTheHouseMovesWhatAccountsHold() external {
        bytes[4] memory calls = [
            abi.encodeCall(ICollateralVault.collect, (CASH, PAYER, 1)),
            abi.encodeCall(ICollateralVault.takeInbox, (_account(0), CASH)),
            abi.encodeCall(ICollateralVault.payOut, (CASH, FRIEND, 1)),
            abi.encodeCall(ICollateralVault.addLien, (_account(0), CASH, LENDER, 1))
        ];
        vault.collect(CASH, PAYER, 10);
        for (uint256 index = 0; index < calls.length; ++index) {
            _expectRefused(
                OTHER, calls[index], abi.encodeWithSelector(ICollateralVault.CollateralVaultNotHouse.selector, OTHER)
            );
            _expectRefused(
                OWNER, calls[index], abi.encodeWithSelector(ICollateralVault.CollateralVaultNotHouse.selector, OWNER)
            );
        }
    }

    function testRefusesBucketsThatCannotBeCounted() external {
        WithdrawalLimit[2] memory limits = [WithdrawalLimit(1 << 48, 1), WithdrawalLimit(1, 1 << 32)];
        for (uint256 index = 0; index < limits.length; ++index) {
            bytes memory error_ = abi.encodeWithSelector(
                ICollateralVault.CollateralVaultLimitTooLarge.selector,
                limits[index].capacity,
                limits[index].refillPerSecond
            );
            _expectRefused(OWNER, abi.encodeCall(ICollateralVault.setLimit, (CASH, limits[index])), error_);
            TokenTerms memory terms = _third();
            (terms.capacity, terms.refillPerSecond) = (limits[index].capacity, limits[index].refillPerSecond);
            _expectTermsRefused(terms, error_);
        }
    }

    function testCapsHoldForDepositsAlone() external {
        vault.collect(CASH, PAYER, 100);
        vm.expectEmit();
        emit ICollateralVault.CapSet(CASH, 99);
        vm.prank(OWNER);
        vault.setCap(CASH, 99);
        _expect("cap", vault.tokenTerms(CASH).cap, 99);
        bytes memory error_ =
            abi.encodeWithSelector(ICollateralVault.CollateralVaultCapExceeded.selector, CASH, 101, 99);
        _expectRefused(address(this), abi.encodeCall(ICollateralVault.collect, (CASH, PAYER, 1)), error_);
        _expectRefused(PAYER, abi.encodeCall(ICollateralVault.depositFor, (_account(0), CASH, 1)), error_);
        // What is there can leave, and makes room for as much.
        vault.payOut(CASH, FRIEND, 2);
        vault.collect(CASH, PAYER, 1);
        error_ = abi.encodeWithSelector(
            ICollateralVault.CollateralVaultCapOutOfRange.selector, DEPOSIT_LIMIT + 1, DEPOSIT_LIMIT
        );
        _expectRefused(OWNER, abi.encodeCall(ICollateralVault.setCap, (CASH, uint64(DEPOSIT_LIMIT + 1))), error_);
        vm.prank(OWNER);
        vault.setCap(CASH, uint64(DEPOSIT_LIMIT));
        vault.collect(CASH, PAYER, uint64(DEPOSIT_LIMIT - 99));
        _expect("all", vault.vaultState(CASH).netDeposits, DEPOSIT_LIMIT);
    }

    /// @dev The largest amounts of 64 bits are refused by name, not by an overflow.
    function testCapsHoldForTheLargestAmounts() external {
        vault.collect(CASH, PAYER, 1);
        bytes memory error_ = abi.encodeWithSelector(
            ICollateralVault.CollateralVaultCapExceeded.selector, CASH, uint256(type(uint64).max) + 1, 500
        );
        _expectRefused(address(this), abi.encodeCall(ICollateralVault.collect, (CASH, PAYER, type(uint64).max)), error_);
    }

    function testANewBucketCountsFromNowOn() external {
        vault.collect(CASH, PAYER, 300);
        vault.payOut(CASH, FRIEND, CAPACITY + 20);
        vm.warp(START + 4);
        WithdrawalLimit memory limit = WithdrawalLimit({ capacity: 5, refillPerSecond: 1 });
        vm.expectEmit();
        emit ICollateralVault.LimitSet(CASH, limit);
        vm.prank(OWNER);
        vault.setLimit(CASH, limit);
        _expectState(CASH, VaultState(300 - CAPACITY - 20, 0, 20 - 4 * REFILL, uint64(START + 4)));
        vm.warp(START + 4 + 12);
        _expectState(CASH, VaultState(300 - CAPACITY - 20, 0, 0, uint64(START + 16)));
        vm.warp(START + 100);
        _expect("room", vault.vaultState(CASH).room, 5);
        _expect("terms", vault.tokenTerms(CASH).capacity, 5);
        // A bucket that becomes smaller loses what it no longer holds, at once.
        vm.prank(OWNER);
        vault.setLimit(CASH, WithdrawalLimit(3, 1));
        _expect("smaller", vault.vaultState(CASH).room, 3);
        bytes memory error_ = abi.encodeWithSelector(ICollateralVault.CollateralVaultLimitEmpty.selector, 0, 1);
        _expectRefused(OWNER, abi.encodeCall(ICollateralVault.setLimit, (CASH, WithdrawalLimit(0, 1))), error_);
        error_ = abi.encodeWithSelector(ICollateralVault.CollateralVaultLimitEmpty.selector, 1, 0);
        _expectRefused(OWNER, abi.encodeCall(ICollateralVault.setLimit, (CASH, WithdrawalLimit(1, 0))), error_);
    }

    // --- Deposits and payments ------------------------------------------------------------------------------------

    function testCollectsExactly() external {
        _expect("slot", vault.collect(COIN, PAYER, 30), 5);
        _expect("coin", coin.balanceOf(address(vault)), 30 * uint256(COIN_UNITS));
        _expect("deposits", vault.vaultState(COIN).netDeposits, 30);
        _expect("apart", vault.keptApart(COIN), 0);
        _expect("cash", vault.vaultState(CASH).netDeposits, 0);
        bytes memory error_ = abi.encodeWithSelector(ICollateralVault.CollateralVaultNothingDeposited.selector);
        _expectRefused(address(this), abi.encodeCall(ICollateralVault.collect, (COIN, PAYER, 0)), error_);
        _expectRefused(PAYER, abi.encodeCall(ICollateralVault.depositFor, (_account(0), COIN, 0)), error_);
    }

    function testRefusesNothingAndNobody() external {
        vault.collect(CASH, PAYER, 10);
        bytes memory error_ = abi.encodeWithSelector(ICollateralVault.CollateralVaultNothingWithdrawn.selector);
        _expectRefused(address(this), abi.encodeCall(ICollateralVault.payOut, (CASH, FRIEND, 0)), error_);
        address[3] memory nobody = [address(0), address(vault), address(this)];
        for (uint256 index = 0; index < nobody.length; ++index) {
            _expectRefused(
                address(this),
                abi.encodeCall(ICollateralVault.payOut, (CASH, nobody[index], 1)),
                abi.encodeWithSelector(ICollateralVault.CollateralVaultRecipientInvalid.selector, nobody[index])
            );
        }
    }

    /// @dev Neither donations nor what waits for others, nor another token, can be paid out.
    function testRefusesMoreThanAccountsHold() external {
        vault.collect(CASH, PAYER, 100);
        vault.collect(COIN, PAYER, 40);
        cash.mint(address(vault), 1000 * uint256(CASH_UNITS));
        vault.payOut(CASH, FRIEND, 90);
        bytes memory error_ = abi.encodeWithSelector(ICollateralVault.CollateralVaultExhausted.selector, 11, 10);
        _expectRefused(address(this), abi.encodeCall(ICollateralVault.payOut, (CASH, OTHER, 11)), error_);
        vault.payOut(CASH, OTHER, 10);
        error_ = abi.encodeWithSelector(ICollateralVault.CollateralVaultExhausted.selector, 1, 0);
        _expectRefused(address(this), abi.encodeCall(ICollateralVault.payOut, (CASH, OTHER, 1)), error_);
        _expectCovered(CASH, 100, 1000 * uint256(CASH_UNITS));
    }

    // --- The bucket and the queue ---------------------------------------------------------------------------------

    function testWhatDoesNotFitIsQueuedAndPaidInTurn() external {
        vault.collect(CASH, PAYER, 300);
        _expect("claim", vault.payOut(CASH, FRIEND, 70), 1);
        _expect("nothing yet", cash.balanceOf(FRIEND), 0);
        _expectState(CASH, VaultState(230, 0, 70 - CAPACITY, uint64(START)));
        _expect("claim", vault.payOut(CASH, OTHER, 4), 2);
        WithdrawalClaim memory second = vault.withdrawalClaim(CASH, 2);
        _expect("recipient", second.recipient, OTHER);
        _expect("ticks", second.ticks, 4);
        _expect("end", second.end, 74);

        // Two ticks a second: the first is due after 5 s, the second after 7 s.
        vm.warp(START + 4);
        _expectWaits(1, 2);
        vm.warp(START + 5);
        _expectWaits(2, 4);
        vm.expectEmit();
        emit ICollateralVault.ClaimPaid(CASH, 1, FRIEND, 70);
        vm.prank(PAYER);
        vault.payQueued(CASH, 1);
        _expect("paid", cash.balanceOf(FRIEND), 70 * uint256(CASH_UNITS));
        _expectNoClaim(CASH, 1);
        vm.warp(START + 7);
        // While anything waits nobody overtakes; now nothing does, and there is no room yet.
        _expect("claim", vault.payOut(CASH, FRIEND, 1), 3);
        (uint256 claims, uint256 queued, uint256 released) = vault.queueState(CASH);
        _expect("claims", claims, 3);
        _expect("queued in all", queued, 75);
        _expect("released", released, 74);
        vault.payQueued(CASH, 2);
        vm.warp(START + 8);
        vault.payQueued(CASH, 3);
        // One second's room is left over by now.
        _expect("room", vault.vaultState(CASH).room, 1);
        _expect("at once", vault.payOut(CASH, FRIEND, 1), 0);
        _expect("in all", cash.balanceOf(FRIEND), 72 * uint256(CASH_UNITS));
        _expectCovered(CASH, 0, 0);
    }

    /// @dev Every token has a bucket and a queue of its own.
    function testTokensDoNotWaitForEachOther() external {
        vault.collect(CASH, PAYER, 300);
        vault.collect(COIN, PAYER, 40);
        _expect("queued", vault.payOut(CASH, FRIEND, 100), 1);
        _expect("at once", vault.payOut(COIN, FRIEND, 7), 0);
        _expect("queued too", vault.payOut(COIN, FRIEND, 1), 1);
        _expectNoClaim(COIN, 2);
        _expectNoClaim(CASH, 0);
        vm.warp(START + 1);
        vault.payQueued(COIN, 1);
        _expectWaits(1, 38);
        _expect("coin", coin.balanceOf(FRIEND), 8 * uint256(COIN_UNITS));
        _expectCovered(CASH, 100, 0);
        _expectCovered(COIN, 0, 0);
    }

    /// @dev Random payments and pauses of both tokens against a model that counts every second.
    function testFuzzBucketsAreThoseOfTheModel(uint256 seed) external {
        Model[2] memory models;
        models[CASH] = Model(CAPACITY, REFILL, CAPACITY, 0, 0);
        models[COIN] = Model(7, 1, 7, 0, 0);
        vault.collect(CASH, PAYER, 500);
        vault.collect(COIN, PAYER, 40);
        for (uint256 step = 0; step < 12; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint8 token = uint8(seed & 1);
            uint64 held = vault.vaultState(token).netDeposits;
            if (held != 0) _payOut(models[token], token, uint64(1 + (seed >> 8) % held / (step % 3 + 1)));
            uint256 wait = (seed >> 80) % 20;
            _pass(models[CASH], wait);
            _pass(models[COIN], wait);
            vm.warp(vm.getBlockTimestamp() + wait);
            _expectModel(models[CASH], CASH);
            _expectModel(models[COIN], COIN);
            _payWhatIsDue(models[CASH], CASH, seed >> 100);
            _payWhatIsDue(models[COIN], COIN, seed >> 120);
        }
    }

    /// @dev Any number of steps, in any place, gives the same state as one.
    function testFuzzTheBucketForgetsNothing(Bucket memory bucket, uint32 a, uint32 b) external pure {
        bucket.updatedAt = uint32(START);
        (a, b) = (a >> 2, b >> 2);
        if (bucket.backlog != 0) bucket.room = 0;
        if (bucket.room > bucket.capacity) bucket.room = bucket.capacity;
        bytes32 before = keccak256(abi.encode(bucket));
        Bucket memory once = bucket.advancedTo(START + uint256(a) + b);
        Bucket memory twice = bucket.advancedTo(START + a).advancedTo(START + uint256(a) + b);
        _expect("the same", keccak256(abi.encode(once)), keccak256(abi.encode(twice)));
        _expect("not changed", keccak256(abi.encode(bucket)), before);
        _expect("held", once.held, bucket.held);
        _expect("time", once.updatedAt, START + uint256(a) + b);
        if (once.room != 0) _expect("nobody waits", once.backlog, 0);
    }

    /// @dev What leaves is room or waits, to the tick.
    function testFuzzTheBucketGivesRoomOrLetsWait(Bucket memory bucket, uint48 ticks) external pure {
        bucket.backlog %= 1 << 47;
        ticks %= 1 << 47;
        if (bucket.backlog != 0) bucket.room = 0;
        uint256 owed = uint256(bucket.backlog) + ticks;
        (uint256 room, uint256 held) = (bucket.room, bucket.held);
        bool paid = bucket.drain(ticks);
        _expect("paid", paid ? 1 : 0, ticks <= room ? 1 : 0);
        _expect("room and backlog", room + bucket.backlog, owed + bucket.room);
        _expect("held", bucket.held, held);
        if (!paid) _expect("no room", bucket.room, 0);
    }

    /// @dev Terms of the largest size that the vault can count overflow nowhere; larger ones are refused.
    function testTheLargestTermsOverflowNowhere() external {
        TokenTerms[] memory tokens = new TokenTerms[](1);
        uint64 most = type(uint48).max;
        uint64 units = type(uint64).max;
        tokens[0] = TokenTerms(IERC20(address(cash)), units, 0, most, most, type(uint32).max);
        vault = new CollateralVault(OWNER, most, SLOTS, tokens);
        cash.mint(PAYER, uint256(most) * units);
        vm.prank(PAYER);
        cash.approve(address(vault), type(uint256).max);
        vault.collect(0, PAYER, most);
        vm.warp(type(uint32).max - 1 days);
        _expect("room", vault.vaultState(0).room, most);
        _expect("paid", vault.payOut(0, FRIEND, most - 1), 0);
        _expect("got", cash.balanceOf(FRIEND), uint256(most - 1) * units);
        vault.payOut(0, OTHER, 1);
        vm.prank(FRIEND);
        cash.approve(address(vault), type(uint256).max);
        vault.collect(0, FRIEND, most - 1);
        _expect("queued", vault.payOut(0, OTHER, most - 1), 1);
        vm.warp(type(uint32).max);
        vault.payQueued(0, 1);
        _expect("all of it", cash.balanceOf(OTHER), uint256(most) * units);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICollateralVault.CollateralVaultDepositLimitTooLarge.selector, uint256(most) + 1, most
            )
        );
        new CollateralVault(OWNER, uint256(most) + 1, SLOTS, tokens);
    }

    /// @dev More than the vault can count may not wait either.
    function testABacklogThatCannotBeCountedIsRefused() external {
        Bucket memory bucket = Bucket(0, 0, type(uint48).max, 1, 1, uint32(START));
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 48, uint256(1) << 48));
        this.drain(bucket, 1);
        // All that there may be leaves into the queue, and then nearly all of it again.
        uint64 most = type(uint48).max;
        TokenTerms[] memory tokens = _twoTokens();
        (tokens[CASH].unitsPerTick, tokens[CASH].cap, tokens[CASH].capacity) = (1, most, 1);
        vault = new CollateralVault(OWNER, most, SLOTS, tokens);
        vm.prank(PAYER);
        cash.approve(address(vault), type(uint256).max);
        vault.collect(CASH, PAYER, most);
        vault.payOut(CASH, FRIEND, most);
        vault.collect(CASH, PAYER, 3);
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 48, uint256(1) << 48));
        vault.payOut(CASH, FRIEND, 2);
        vault.addLien(_account(0), CASH, LENDER, 2);
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 48, uint256(1) << 48));
        vm.prank(LENDER);
        vault.claimLien(_account(0), CASH, 2, LENDER);
        vault.payOut(CASH, FRIEND, 1);
        _expect("all that can wait", vault.vaultState(CASH).backlog, most);
    }

    // --- Helpers --------------------------------------------------------------------------------------------------

    /// @notice As the library does, in a call of its own.
    function drain(Bucket calldata bucket, uint64 ticks) external pure returns (bool) {
        Bucket memory copied = bucket;
        return copied.drain(ticks);
    }

    function _third() private returns (TokenTerms memory) {
        return TokenTerms(new InsecureTestToken(), 1, 7, 1, 1, 1);
    }

    function _payOut(Model memory model, uint8 token, uint64 ticks) private {
        uint256 claim = vault.payOut(token, FRIEND, ticks);
        _expect("queued when it does not fit", claim == 0 ? 1 : 0, ticks <= model.room ? 1 : 0);
        if (ticks <= model.room) {
            model.room -= ticks;
        } else {
            model.backlog += ticks - model.room;
            model.room = 0;
            model.unpaid += ticks;
        }
    }

    /// @dev The queue first, then the bucket.
    function _pass(Model memory model, uint256 time) private pure {
        for (uint256 second = 0; second < time; ++second) {
            uint256 released = model.backlog < model.refill ? model.backlog : model.refill;
            model.backlog -= released;
            model.room += model.refill - released;
            if (model.room > model.capacity) model.room = model.capacity;
        }
    }

    /// @dev Tries a claim: it is paid exactly when the model has released it.
    function _payWhatIsDue(Model memory model, uint8 token, uint256 seed) private {
        (uint256 claims, uint256 queued,) = vault.queueState(token);
        if (claims == 0) return;
        uint256 number = 1 + seed % claims;
        WithdrawalClaim memory claim = vault.withdrawalClaim(token, number);
        bool due = claim.ticks != 0 && claim.end <= queued - model.backlog;
        bool paid;
        try vault.payQueued(token, number) {
            paid = true;
            model.unpaid -= claim.ticks;
        } catch {
            paid = false;
        }
        _expect("paid when due", paid ? 1 : 0, due ? 1 : 0);
    }

    function _expectModel(Model memory model, uint8 token) private view {
        VaultState memory state = vault.vaultState(token);
        _expect("room", state.room, model.room);
        _expect("backlog", state.backlog, model.backlog);
        _expectCovered(token, model.unpaid, 0);
    }

    function _expectState(uint8 token, VaultState memory expected) private view {
        _expect("state", keccak256(abi.encode(vault.vaultState(token))), keccak256(abi.encode(expected)));
    }

    function _expectWaits(uint256 claim, uint256 missing) private {
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultClaimWaits.selector, claim, missing));
        vault.payQueued(CASH, claim);
    }

    function _expectNoClaim(uint8 token, uint256 claim) private {
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.CollateralVaultNoSuchClaim.selector, token, claim));
        vault.payQueued(token, claim);
    }

    function _expectTermsRefused(TokenTerms memory terms, bytes memory error_) private {
        _expectRefused(OWNER, abi.encodeCall(ICollateralVault.addToken, (terms)), error_);
    }

    function _expectRefused(address caller, bytes memory call, bytes memory error_) private {
        vm.expectRevert(error_);
        vm.prank(caller);
        Address.functionCall(address(vault), call);
    }
}
