// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { Ownable2Step } from "@openzeppelin/contracts/access/Ownable2Step.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import { ICollateralVault } from "./interfaces/ICollateralVault.sol";
import { LeakyBucket } from "./libraries/LeakyBucket.sol";
import { AccountId } from "./types/AccountId.sol";
import { Bucket, TokenTerms, VaultState, WithdrawalClaim, WithdrawalLimit } from "./types/Vault.sol";

/// @title CollateralVault
/// @author The zkmargin contributors
/// @notice Holds the tokens of a clearing house; see ICollateralVault. Twins: verifier/chain/vault_client.py, verifier/chain/vault_state.py.
contract CollateralVault is ICollateralVault, Ownable2Step, ReentrancyGuardTransient {
    using LeakyBucket for Bucket;
    using SafeERC20 for IERC20;

    /// @notice How many tokens there may be: an exit proof has a term for each.
    uint256 public constant MAXIMUM_TOKENS = 32;

    /// @dev What storage keeps of a token: the bucket, where the token is, the queue, the cap and what is kept apart. A
    /// payment that is not queued needs the first two slots alone.
    struct Holding {
        Bucket bucket;
        IERC20 token;
        uint64 unitsPerTick;
        uint16 slot;
        uint128 claimCount;
        uint128 queued;
        uint64 cap;
        uint64 keptApart;
        mapping(uint256 claim => WithdrawalClaim content) claims;
        mapping(AccountId account => uint64 ticks) inboxes;
        mapping(AccountId account => mapping(address lender => uint64 ticks)) liens;
    }

    /// @inheritdoc ICollateralVault
    address public immutable override house;
    /// @inheritdoc ICollateralVault
    uint256 public immutable override depositLimit;

    uint256 private immutable _SLOTS;

    /// @inheritdoc ICollateralVault
    uint256 public override tokenCount;
    mapping(uint8 token => Holding holding) private _holdings;

    modifier onlyHouse() {
        if (msg.sender != house) {
            revert CollateralVaultNotHouse(msg.sender);
        }
        _;
    }

    /// @notice Creates an empty vault, all buckets full, for the house that calls.
    /// @param owner_ Adds tokens and sets their caps and buckets.
    /// @param depositLimit_ The most that a cap may be, in ticks.
    /// @param slotsPerBook Slots that a book has.
    /// @param tokens Terms of the first tokens; that of the quote collateral first.
    constructor(address owner_, uint256 depositLimit_, uint256 slotsPerBook, TokenTerms[] memory tokens)
        Ownable(owner_)
    {
        if (tokens.length == 0) {
            revert CollateralVaultNoTokens();
        }
        if (depositLimit_ > type(uint48).max) {
            revert CollateralVaultDepositLimitTooLarge(depositLimit_, type(uint48).max);
        }
        house = msg.sender;
        depositLimit = depositLimit_;
        _SLOTS = slotsPerBook;
        for (uint256 index = 0; index < tokens.length; ++index) {
            _addToken(tokens[index], depositLimit_, slotsPerBook);
        }
    }

    /// @inheritdoc ICollateralVault
    function addToken(TokenTerms calldata terms) external override onlyOwner returns (uint8 token) {
        return _addToken(terms, depositLimit, _SLOTS);
    }

    /// @inheritdoc ICollateralVault
    function setCap(uint8 token, uint64 cap) external override onlyOwner {
        Holding storage holding = _holding(token);
        _checkCap(cap, depositLimit);
        holding.cap = cap;
        emit CapSet(token, cap);
    }

    /// @inheritdoc ICollateralVault
    function setLimit(uint8 token, WithdrawalLimit calldata limit) external override onlyOwner {
        Holding storage holding = _holding(token);
        _checkLimit(limit.capacity, limit.refillPerSecond);
        // Up to now by the old bucket.
        Bucket memory bucket = _current(holding);
        // Checked just now.
        bucket.capacity = uint48(limit.capacity);
        bucket.refillPerSecond = uint32(limit.refillPerSecond);
        holding.bucket = bucket;
        emit LimitSet(token, limit);
    }

    /// @inheritdoc ICollateralVault
    function depositFor(AccountId account, uint8 token, uint64 ticks) external override nonReentrant {
        Holding storage holding = _holding(token);
        _admit(holding, token, ticks);
        holding.keptApart += ticks;
        holding.inboxes[account] += ticks;
        emit InboxCredited(account, token, msg.sender, ticks);
        _take(holding, msg.sender, ticks);
    }

    /// @inheritdoc ICollateralVault
    function claimLien(AccountId account, uint8 token, uint64 ticks, address recipient) external override nonReentrant {
        Holding storage holding = _holding(token);
        _reduceLien(holding, account, ticks);
        holding.keptApart -= ticks;
        uint256 claim = _book(holding, _current(holding), recipient, ticks);
        emit LienClaimed(account, token, msg.sender, recipient, ticks, claim);
        if (claim == 0) {
            _pay(holding, recipient, ticks);
        }
    }

    /// @inheritdoc ICollateralVault
    function releaseLien(AccountId account, uint8 token, uint64 ticks) external override nonReentrant {
        Holding storage holding = _holding(token);
        _reduceLien(holding, account, ticks);
        holding.inboxes[account] += ticks;
        emit LienReleased(account, token, msg.sender, ticks);
        emit InboxCredited(account, token, msg.sender, ticks);
    }

    /// @inheritdoc ICollateralVault
    function payQueued(uint8 token, uint256 claim) external override nonReentrant {
        Holding storage holding = _holding(token);
        WithdrawalClaim memory content = holding.claims[claim];
        if (content.ticks == 0) {
            revert CollateralVaultNoSuchClaim(token, claim);
        }
        uint256 released = holding.queued - _current(holding).backlog;
        if (content.end > released) {
            revert CollateralVaultClaimWaits(claim, content.end - released);
        }
        delete holding.claims[claim];
        emit ClaimPaid(token, claim, content.recipient, content.ticks);
        _pay(holding, content.recipient, content.ticks);
    }

    /// @inheritdoc ICollateralVault
    function collect(uint8 token, address payer, uint64 ticks)
        external
        override
        onlyHouse
        nonReentrant
        returns (uint256 slot)
    {
        Holding storage holding = _holding(token);
        slot = holding.slot;
        _admit(holding, token, ticks);
        // A cap has no more bits than that.
        holding.bucket.held += uint48(ticks);
        _take(holding, payer, ticks);
    }

    /// @inheritdoc ICollateralVault
    function takeInbox(AccountId account, uint8 token)
        external
        override
        onlyHouse
        nonReentrant
        returns (uint64 ticks, uint256 slot)
    {
        Holding storage holding = _holding(token);
        ticks = holding.inboxes[account];
        if (ticks == 0) {
            revert CollateralVaultInboxEmpty(account, token);
        }
        slot = holding.slot;
        delete holding.inboxes[account];
        holding.keptApart -= ticks;
        // Within the cap that the deposit found.
        holding.bucket.held += uint48(ticks);
    }

    /// @inheritdoc ICollateralVault
    function payOut(uint8 token, address recipient, uint64 ticks)
        external
        override
        onlyHouse
        nonReentrant
        returns (uint256 claim)
    {
        Holding storage holding = _holding(token);
        Bucket memory bucket = _current(holding);
        _release(bucket, ticks);
        claim = _book(holding, bucket, recipient, ticks);
        if (claim == 0) {
            _pay(holding, recipient, ticks);
        }
    }

    /// @inheritdoc ICollateralVault
    function addLien(AccountId account, uint8 token, address lender, uint64 ticks)
        external
        override
        onlyHouse
        nonReentrant
    {
        Holding storage holding = _holding(token);
        if (lender == address(0) || ticks == 0) {
            revert CollateralVaultLienInvalid(lender, ticks);
        }
        Bucket memory bucket = holding.bucket;
        _release(bucket, ticks);
        holding.bucket = bucket;
        holding.keptApart += ticks;
        holding.liens[account][lender] += ticks;
    }

    /// @inheritdoc ICollateralVault
    function tokenTerms(uint8 token) external view override returns (TokenTerms memory) {
        Holding storage holding = _holding(token);
        return TokenTerms({
            token: holding.token,
            unitsPerTick: holding.unitsPerTick,
            slot: holding.slot,
            cap: holding.cap,
            capacity: holding.bucket.capacity,
            refillPerSecond: holding.bucket.refillPerSecond
        });
    }

    /// @inheritdoc ICollateralVault
    function slotOf(uint8 token) external view override returns (uint256 slot) {
        return _holding(token).slot;
    }

    /// @inheritdoc ICollateralVault
    function vaultState(uint8 token) external view override returns (VaultState memory) {
        Holding storage holding = _holding(token);
        Bucket memory bucket = _current(holding);
        return VaultState({
            netDeposits: bucket.held + holding.keptApart,
            room: bucket.room,
            backlog: bucket.backlog,
            updatedAt: bucket.updatedAt
        });
    }

    /// @inheritdoc ICollateralVault
    function keptApart(uint8 token) external view override returns (uint64 ticks) {
        return _holding(token).keptApart;
    }

    /// @inheritdoc ICollateralVault
    function withdrawalClaim(uint8 token, uint256 claim) external view override returns (WithdrawalClaim memory) {
        return _holding(token).claims[claim];
    }

    /// @inheritdoc ICollateralVault
    function queueState(uint8 token) external view override returns (uint256 claims, uint256 queued, uint256 released) {
        Holding storage holding = _holding(token);
        return (holding.claimCount, holding.queued, holding.queued - _current(holding).backlog);
    }

    /// @inheritdoc ICollateralVault
    function inbox(AccountId account, uint8 token) external view override returns (uint64 ticks) {
        return _holding(token).inboxes[account];
    }

    /// @inheritdoc ICollateralVault
    function lien(AccountId account, address lender, uint8 token) external view override returns (uint64 ticks) {
        return _holding(token).liens[account][lender];
    }

    /// @dev Adds a token with a full bucket. A constructor can't read its own immutables, hence the parameters.
    function _addToken(TokenTerms memory terms, uint256 limit, uint256 slots) private returns (uint8 token) {
        uint256 count = tokenCount;
        if (count == MAXIMUM_TOKENS) {
            revert CollateralVaultTooManyTokens(MAXIMUM_TOKENS);
        }
        _checkTerms(terms, limit, slots);
        for (uint8 other = 0; other < count; ++other) {
            if (address(_holdings[other].token) == address(terms.token)) {
                revert CollateralVaultTokenTwice(address(terms.token));
            }
            if (_holdings[other].slot == terms.slot) {
                revert CollateralVaultSlotTwice(terms.slot);
            }
        }
        // At most MAXIMUM_TOKENS.
        token = uint8(count);
        tokenCount = count + 1;
        Holding storage holding = _holdings[token];
        holding.token = terms.token;
        holding.unitsPerTick = terms.unitsPerTick;
        holding.slot = terms.slot;
        holding.cap = terms.cap;
        // The terms were checked: none of the casts cuts.
        holding.bucket = Bucket({
            held: 0,
            room: uint48(terms.capacity),
            backlog: 0,
            capacity: uint48(terms.capacity),
            refillPerSecond: uint32(terms.refillPerSecond),
            updatedAt: uint32(block.timestamp)
        });
        emit TokenAdded(token, terms);
    }

    /// @dev Takes ticks of a token from the payer; the last thing that a deposit does.
    function _take(Holding storage holding, address payer, uint64 ticks) private {
        (IERC20 token, uint256 units) = _unitsOf(holding, ticks);
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(payer, address(this), units);
        uint256 received = token.balanceOf(address(this)) - before;
        if (received != units) {
            revert CollateralVaultAmountWrong(received, units);
        }
    }

    /// @dev Books what leaves: out of the bucket, or into the queue when there is no room. Gives the number of the claim; 0
    /// says that the caller must pay now.
    function _book(Holding storage holding, Bucket memory bucket, address recipient, uint64 ticks)
        private
        returns (uint256 claim)
    {
        if (ticks == 0) {
            revert CollateralVaultNothingWithdrawn();
        }
        if (recipient == address(0) || recipient == address(this) || recipient == house) {
            revert CollateralVaultRecipientInvalid(recipient);
        }
        if (!bucket.drain(ticks)) {
            claim = _enqueue(holding, recipient, ticks);
        }
        holding.bucket = bucket;
    }

    /// @dev Puts a claim at the end of the queue.
    function _enqueue(Holding storage holding, address recipient, uint64 ticks) private returns (uint256 claim) {
        uint128 end = holding.queued + ticks;
        claim = ++holding.claimCount;
        holding.queued = end;
        holding.claims[claim] = WithdrawalClaim({ recipient: recipient, ticks: ticks, end: end });
    }

    /// @dev Pays ticks of a token; the last thing that a withdrawal does.
    function _pay(Holding storage holding, address recipient, uint64 ticks) private {
        (IERC20 token, uint256 units) = _unitsOf(holding, ticks);
        uint256 before = token.balanceOf(address(this));
        if (before < units) {
            revert CollateralVaultBalanceMissing(before, units);
        }
        token.safeTransfer(recipient, units);
        // A recipient that is called may donate; that must not undo its own payment, let alone another's.
        uint256 remaining = token.balanceOf(address(this));
        if (remaining < before - units) {
            revert CollateralVaultAmountWrong(before - remaining, units);
        }
    }

    /// @dev Takes ticks out of the caller's lien; what becomes of them is the caller's to book.
    function _reduceLien(Holding storage holding, AccountId account, uint64 ticks) private {
        uint64 ticksUnderLien = holding.liens[account][msg.sender];
        if (ticks == 0 || ticks > ticksUnderLien) {
            revert CollateralVaultLienExceeded(account, msg.sender, ticks, ticksUnderLien);
        }
        unchecked {
            // Checked just now.
            holding.liens[account][msg.sender] = ticksUnderLien - ticks;
        }
    }

    /// @dev The token of that number.
    function _holding(uint8 token) private view returns (Holding storage holding) {
        holding = _holdings[token];
        if (address(holding.token) == address(0)) {
            revert CollateralVaultNoSuchToken(token);
        }
    }

    /// @dev A token's state at the time of the block.
    function _current(Holding storage holding) private view returns (Bucket memory) {
        return holding.bucket.advancedTo(block.timestamp);
    }

    /// @dev Token and units of it that the ticks are.
    function _unitsOf(Holding storage holding, uint64 ticks) private view returns (IERC20 token, uint256 units) {
        return (holding.token, uint256(ticks) * holding.unitsPerTick);
    }

    /// @dev Reverts unless the deposit keeps within the cap.
    function _admit(Holding storage holding, uint8 number, uint64 ticks) private view {
        if (ticks == 0) {
            revert CollateralVaultNothingDeposited();
        }
        uint256 netDeposits = uint256(holding.bucket.held) + holding.keptApart + ticks;
        uint256 cap = holding.cap;
        if (netDeposits > cap) {
            revert CollateralVaultCapExceeded(number, netDeposits, cap);
        }
    }

    /// @dev Reverts for terms that no token may have.
    function _checkTerms(TokenTerms memory terms, uint256 limit, uint256 slots) private view {
        if (address(terms.token).code.length == 0) {
            revert CollateralVaultTokenWithoutCode(address(terms.token));
        }
        if (terms.unitsPerTick == 0) {
            revert CollateralVaultTickWithoutUnits(address(terms.token));
        }
        if (terms.slot >= slots) {
            revert CollateralVaultSlotOutOfRange(terms.slot, slots);
        }
        _checkCap(terms.cap, limit);
        _checkLimit(terms.capacity, terms.refillPerSecond);
    }

    /// @dev Takes ticks out of what accounts hold together, and no more: what is kept apart is not theirs to lose.
    function _release(Bucket memory bucket, uint64 ticks) private pure {
        if (ticks > bucket.held) {
            revert CollateralVaultExhausted(ticks, bucket.held);
        }
        // Not above 48 bits.
        bucket.held -= uint48(ticks);
    }

    function _checkCap(uint64 cap, uint256 limit) private pure {
        if (cap > limit) {
            revert CollateralVaultCapOutOfRange(cap, limit);
        }
    }

    function _checkLimit(uint64 capacity, uint64 refillPerSecond) private pure {
        if (capacity == 0 || refillPerSecond == 0) {
            revert CollateralVaultLimitEmpty(capacity, refillPerSecond);
        }
        if (capacity > type(uint48).max || refillPerSecond > type(uint32).max) {
            revert CollateralVaultLimitTooLarge(capacity, refillPerSecond);
        }
    }
}
