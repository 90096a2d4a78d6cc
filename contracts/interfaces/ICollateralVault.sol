// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccountId } from "../types/AccountId.sol";
import { TokenTerms, VaultState, WithdrawalClaim, WithdrawalLimit } from "../types/Vault.sol";

/// @title The collateral of a clearing house: what comes in, what may leave, who waits, and who holds a lien
/// @author The zkmargin contributors
/// @notice Everything here is public: tokens, amounts, who pays and who is paid. What an account holds of it is the house's
/// to say; the vault knows the sum only, beside what it keeps apart: inboxes, into which anybody pays for an account until
/// its owner merges them, and liens, which a lender may claim whatever becomes of the account. What is kept apart cannot be
/// lost by anybody's trades.
///
/// What leaves runs through a leaky bucket for each token, so that nobody, a captured quorum of publishers included, can
/// empty the vault at once. A withdrawal for which there is no room becomes a claim. Room goes to claims in the order in
/// which they were queued, as time passes and whether or not anybody calls; whoever wants to then has them paid, one by
/// one, so that a recipient that cannot be paid holds up nobody else.
///
/// For each token, balance = (net deposits + unpaid claims)·units, and more by what was donated, as long as the token
/// itself neither takes balances away nor moves other amounts than it is asked to. Net deposits = what accounts hold
/// together + what is kept apart.
/// @dev Whoever deposits and withdraws at once uses up room: others then wait their turn; so does whoever deposits first near
/// a cap. Tokens are counted from 0 in the order in which they were added; token 0 is the quote collateral.
interface ICollateralVault {
    /// @notice A token can be deposited from now on.
    /// @param token Its number.
    /// @param terms Its terms.
    event TokenAdded(uint8 indexed token, TokenTerms terms);

    /// @notice A token's cap changed.
    /// @param token Its number.
    /// @param cap Net deposits in ticks that deposits may lead to.
    event CapSet(uint8 indexed token, uint64 cap);

    /// @notice A token's bucket changed.
    /// @param token Its number.
    /// @param limit The new bucket.
    event LimitSet(uint8 indexed token, WithdrawalLimit limit);

    /// @notice Somebody paid into an account's inbox, or a lender gave a lien back.
    /// @param account The account.
    /// @param token Number of the token.
    /// @param payer Who paid.
    /// @param ticks How much.
    event InboxCredited(AccountId indexed account, uint8 indexed token, address indexed payer, uint64 ticks);

    /// @notice A lender claimed of a lien.
    /// @param account Account that granted it.
    /// @param token Number of the token.
    /// @param lender Who claimed.
    /// @param recipient Who is paid.
    /// @param ticks How much.
    /// @param claim Number of the claim where it had to be queued; 0 when it was paid.
    event LienClaimed(
        AccountId indexed account,
        uint8 indexed token,
        address indexed lender,
        address recipient,
        uint64 ticks,
        uint256 claim
    );

    /// @notice A lender gave up a lien or a part of it; the ticks are in the account's inbox.
    /// @param account Account that granted it.
    /// @param token Number of the token.
    /// @param lender Who gave it up.
    /// @param ticks How much.
    event LienReleased(AccountId indexed account, uint8 indexed token, address indexed lender, uint64 ticks);

    /// @notice A queued claim was paid.
    /// @param token Number of the token.
    /// @param claim Its number among those of the token.
    /// @param recipient Who got the tokens.
    /// @param ticks How much.
    event ClaimPaid(uint8 indexed token, uint256 indexed claim, address indexed recipient, uint64 ticks);

    /// @notice Only the house may call this.
    /// @param caller Who called.
    error CollateralVaultNotHouse(address caller);

    /// @notice A vault needs the quote collateral, token 0.
    error CollateralVaultNoTokens();

    /// @notice The vault keeps as many tokens as it may.
    /// @param maximum How many that is.
    error CollateralVaultTooManyTokens(uint256 maximum);

    /// @notice There is no token of that number.
    /// @param token Number given.
    error CollateralVaultNoSuchToken(uint8 token);

    /// @notice There is no contract at the token's address.
    /// @param token Address given.
    error CollateralVaultTokenWithoutCode(address token);

    /// @notice The token has a number already.
    /// @param token Address given.
    error CollateralVaultTokenTwice(address token);

    /// @notice The slot stands for another token already.
    /// @param slot Slot given.
    error CollateralVaultSlotTwice(uint256 slot);

    /// @notice Tokens have slots of book 0.
    /// @param slot Slot given.
    /// @param slots Slots that a book has.
    error CollateralVaultSlotOutOfRange(uint256 slot, uint256 slots);

    /// @notice A tick must be worth at least one unit of the token.
    /// @param token Address of the token.
    error CollateralVaultTickWithoutUnits(address token);

    /// @notice A bucket without capacity or refill would let nothing out.
    /// @param capacity Ticks that may leave at once.
    /// @param refillPerSecond Ticks that may leave in every second beyond that.
    error CollateralVaultLimitEmpty(uint256 capacity, uint256 refillPerSecond);

    /// @notice A bucket larger than the vault can count.
    /// @param capacity Ticks that may leave at once, below 2^48.
    /// @param refillPerSecond Ticks that may leave in every second beyond that, below 2^32.
    error CollateralVaultLimitTooLarge(uint256 capacity, uint256 refillPerSecond);

    /// @notice A deposit limit larger than the vault can count.
    /// @param depositLimit Limit given, in ticks.
    /// @param maximum The most that it may be.
    error CollateralVaultDepositLimitTooLarge(uint256 depositLimit, uint256 maximum);

    /// @notice A cap above what a position of one account can be.
    /// @param cap Cap given, in ticks.
    /// @param depositLimit The most that it may be.
    error CollateralVaultCapOutOfRange(uint256 cap, uint256 depositLimit);

    /// @notice The deposit would lift the net deposits of the token above its cap.
    /// @param token Number of the token.
    /// @param netDeposits Ticks that there would be.
    /// @param cap Ticks that there may be.
    error CollateralVaultCapExceeded(uint8 token, uint256 netDeposits, uint256 cap);

    /// @notice The token moved another amount than was asked for (a fee on transfer, for instance).
    /// @param moved Units that the vault's balance changed by.
    /// @param expected Units asked for.
    error CollateralVaultAmountWrong(uint256 moved, uint256 expected);

    /// @notice The vault holds fewer tokens than are to be paid: the token itself took them away.
    /// @param balance Units that there are.
    /// @param needed Units to be paid.
    error CollateralVaultBalanceMissing(uint256 balance, uint256 needed);

    /// @notice A deposit of nothing.
    error CollateralVaultNothingDeposited();

    /// @notice A withdrawal of nothing.
    error CollateralVaultNothingWithdrawn();

    /// @notice A lien of nothing, or on behalf of nobody.
    /// @param lender Lender given.
    /// @param ticks Ticks given.
    error CollateralVaultLienInvalid(address lender, uint64 ticks);

    /// @notice There is nothing in the inbox.
    /// @param account The account.
    /// @param token Number of the token.
    error CollateralVaultInboxEmpty(AccountId account, uint8 token);

    /// @notice The lender has no lien of that size on the account.
    /// @param account The account.
    /// @param lender Who called.
    /// @param ticks Ticks asked for.
    /// @param lien Ticks of the lien.
    error CollateralVaultLienExceeded(AccountId account, address lender, uint64 ticks, uint64 lien);

    /// @notice The zero address, the vault and its house cannot be paid.
    /// @param recipient Recipient given.
    error CollateralVaultRecipientInvalid(address recipient);

    /// @notice There is less of the token than that in all accounts together: it is owed by accounts that lost more than they
    /// had, or that cover it by another token.
    /// @param ticks Ticks to be taken out of an account.
    /// @param held Ticks that all accounts hold together.
    error CollateralVaultExhausted(uint256 ticks, uint256 held);

    /// @notice There is no such claim, or it is paid.
    /// @param token Number of the token.
    /// @param claim Number given.
    error CollateralVaultNoSuchClaim(uint8 token, uint256 claim);

    /// @notice It is not yet this claim's turn.
    /// @param claim Its number.
    /// @param missing Ticks that have to be released before.
    error CollateralVaultClaimWaits(uint256 claim, uint256 missing);

    /// @notice Adds a token; the owner alone. A token is never removed: a cap of 0 keeps new deposits out.
    /// @dev The vault does not know the list of instruments: whoever governs sees to it that the slot is listed as this very
    /// token, since what accounts hold in the slot can be withdrawn as the token from then on.
    /// @param terms Its terms.
    /// @return token Its number.
    function addToken(TokenTerms calldata terms) external returns (uint8 token);

    /// @notice Changes a token's cap; the owner alone. What is there stays, also above a lower cap.
    /// @param token Number of the token.
    /// @param cap Net deposits in ticks that deposits may lead to.
    function setCap(uint8 token, uint64 cap) external;

    /// @notice Changes a token's bucket from now on; the owner alone. What was released stays released.
    /// @param token Number of the token.
    /// @param limit The new bucket.
    function setLimit(uint8 token, WithdrawalLimit calldata limit) external;

    /// @notice Pays into an account's inbox; anyone may. Neither the account's commitments nor its state version change.
    /// @dev Inboxes are kept apart from what accounts hold. The house merges them only while the token's slot is listed as
    /// collateral: pay in no token whose slot is not, see IClearingHouse.
    /// @param account The account, which need not be open yet.
    /// @param token Number of the token, which the caller has approved.
    /// @param ticks How much.
    function depositFor(AccountId account, uint8 token, uint64 ticks) external;

    /// @notice A lender takes what a lien is worth, or a part of it; through bucket and queue like every withdrawal.
    /// @param account Account that granted the lien to the caller.
    /// @param token Number of the token.
    /// @param ticks How much.
    /// @param recipient Who is paid.
    function claimLien(AccountId account, uint8 token, uint64 ticks, address recipient) external;

    /// @notice A lender gives up a lien or a part of it; the ticks go to the account's inbox.
    /// @param account Account that granted the lien to the caller.
    /// @param token Number of the token.
    /// @param ticks How much.
    function releaseLien(AccountId account, uint8 token, uint64 ticks) external;

    /// @notice Pays a queued claim for which room has been set aside; anyone may call.
    /// @param token Number of the token.
    /// @param claim Number of the claim among those of the token.
    function payQueued(uint8 token, uint256 claim) external;

    /// @notice Takes tokens into an account; the house alone.
    /// @param token Number of the token.
    /// @param payer Who pays, and has approved the vault.
    /// @param ticks How much.
    /// @return slot Slot of the token in book 0.
    function collect(uint8 token, address payer, uint64 ticks) external returns (uint256 slot);

    /// @notice Empties an inbox into the account; the house alone.
    /// @param account The account.
    /// @param token Number of the token.
    /// @return ticks How much there was; never 0.
    /// @return slot Slot of the token in book 0.
    function takeInbox(AccountId account, uint8 token) external returns (uint64 ticks, uint256 slot);

    /// @notice Pays out of an account, or queues the payment; the house alone.
    /// @param token Number of the token.
    /// @param recipient Who is paid.
    /// @param ticks How much.
    /// @return claim Number of the claim where it had to be queued; 0 when it was paid.
    function payOut(uint8 token, address recipient, uint64 ticks) external returns (uint256 claim);

    /// @notice Moves ticks out of an account under a lien; the house alone.
    /// @param account The account.
    /// @param token Number of the token.
    /// @param lender Who may claim them.
    /// @param ticks How much.
    function addLien(AccountId account, uint8 token, address lender, uint64 ticks) external;

    /// @notice The clearing house, which created the vault.
    function house() external view returns (address);

    /// @notice The most that a cap may be, in ticks: what a position of one account can be.
    function depositLimit() external view returns (uint256);

    /// @notice How many tokens there are.
    function tokenCount() external view returns (uint256);

    /// @notice A token's terms as they are now.
    /// @param token Its number.
    /// @return The terms.
    function tokenTerms(uint8 token) external view returns (TokenTerms memory);

    /// @notice Slot of a token in book 0.
    /// @param token Its number.
    /// @return slot The slot.
    function slotOf(uint8 token) external view returns (uint256 slot);

    /// @notice Net deposits, room and backlog of a token at the time of the block.
    /// @param token Its number.
    /// @return State.
    function vaultState(uint8 token) external view returns (VaultState memory);

    /// @notice The part of a token's net deposits that no account holds: all inboxes and liens together.
    /// @param token Its number.
    /// @return ticks How much.
    function keptApart(uint8 token) external view returns (uint64 ticks);

    /// @notice A queued claim.
    /// @param token Number of the token.
    /// @param claim Its number among those of the token, counted from 1.
    /// @return The claim; all zero when there is none, or it is paid.
    function withdrawalClaim(uint8 token, uint256 claim) external view returns (WithdrawalClaim memory);

    /// @notice Claims of a token ever queued, and how much of them has been released.
    /// @param token Number of the token.
    /// @return claims Number of claims, which is also the number of the last.
    /// @return queued Ticks of all of them together.
    /// @return released Ticks released so far: a claim whose `end` is not above it can be paid.
    function queueState(uint8 token) external view returns (uint256 claims, uint256 queued, uint256 released);

    /// @notice What waits in an account's inbox.
    /// @param account The account.
    /// @param token Number of the token.
    /// @return ticks How much.
    function inbox(AccountId account, uint8 token) external view returns (uint64 ticks);

    /// @notice What a lender may claim of an account, whatever becomes of the account.
    /// @param account The account.
    /// @param lender The lender.
    /// @param token Number of the token.
    /// @return ticks How much.
    function lien(AccountId account, address lender, uint8 token) external view returns (uint64 ticks);
}
