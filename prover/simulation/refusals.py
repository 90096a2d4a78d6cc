"""What the clearing house refuses, by the names that the contracts' errors have."""

from __future__ import annotations

import enum

from prover.errors import ProverError


class Refusal(enum.Enum):
    """A named error; its value is the contract's name for it."""

    NOT_COVERED = "InsufficientMarginError"  # an honest prover cannot even make the proof
    DEAD_SLOT = "MaskedSlotError"  # the same, for a position in a slot that is not listed
    PROOF_REJECTED = "MarginVerifierRejected"
    EXIT_REJECTED = "ExitVerifierRejected"
    INVALID_POINT = "Bls12381InvalidPoint"

    NOT_AUTHORISED = "AccountLedgerNotAuthorised"
    NOT_OPEN = "AccountLedgerAccountNotOpen"
    VERSION_MISMATCH = "AccountLedgerStateVersionMismatch"
    COMMITMENT_MISMATCH = "AccountLedgerCommitmentMismatch"
    POINTS_LENGTH = "AccountLedgerPointsLengthWrong"
    ALREADY_PROVEN = "AccountLedgerAlreadyProven"
    NONCE_USED = "AccountLedgerNonceUsed"
    SIGNATURE_INVALID = "AccountLedgerSignatureInvalid"

    ACCOUNT_ACTIVE = "ClearingHouseAccountActive"
    ACCOUNT_TRANSPARENT = "ClearingHouseAccountTransparent"
    SLOT_NOT_COLLATERAL = "ClearingHouseSlotNotCollateral"
    HOLDINGS_EXCEEDED = "ClearingHouseHoldingsExceeded"
    DEADLINE_EXPIRED = "ClearingHouseDeadlineExpired"
    EPOCH_TOO_LATE = "ClearingHouseEpochTooLate"

    PAUSED = "HousePauseActive"
    NOT_PAUSED = "HousePauseNotActive"
    NOT_GUARDIAN = "HousePauseNotGuardian"
    PAUSE_LENGTH = "HousePauseDurationOutOfRange"
    PAUSE_TOO_SOON = "HousePauseTooSoon"

    NO_SUCH_BOOK = "InstrumentRegistryNoSuchBook"
    BOOK_FULL = "InstrumentRegistryBookFull"
    BOOK_IS_RETIRED = "InstrumentRegistryBookIsRetired"
    BOOK_STAYS = "InstrumentRegistryBookStays"
    SLOT_NOT_LISTED = "InstrumentRegistrySlotNotListed"
    SLOT_NOT_EXPIRED = "InstrumentRegistrySlotNotExpired"

    NO_EPOCH = "RuleRegistryNoEpoch"
    STALE_EPOCH = "RuleRegistryStaleEpoch"
    EPOCH_NOT_USABLE = "RuleRegistryEpochNotUsable"
    EPOCH_WAITING = "RuleRegistryEpochWaiting"
    EPOCH_TOO_SOON = "RuleRegistryTooSoon"
    SNAPSHOT_IN_FUTURE = "RuleRegistrySnapshotInFuture"
    SNAPSHOT_NOT_NEWER = "RuleRegistrySnapshotNotNewer"
    TOO_FEW_SIGNATURES = "PublisherQuorumTooFewSignatures"
    CHUNKS_MISSING = "RuleRegistryChunksMissing"
    LIST_VERSION_WRONG = "RuleRegistryListVersionWrong"

    UNKNOWN_COLLATERAL = "CollateralVaultNoSuchToken"
    CAP_EXCEEDED = "CollateralVaultCapExceeded"
    NOTHING_DEPOSITED = "CollateralVaultNothingDeposited"
    NOTHING_WITHDRAWN = "CollateralVaultNothingWithdrawn"
    VAULT_EXHAUSTED = "CollateralVaultExhausted"
    INBOX_EMPTY = "CollateralVaultInboxEmpty"
    LIEN_INVALID = "CollateralVaultLienInvalid"
    LIEN_EXCEEDED = "CollateralVaultLienExceeded"
    NO_SUCH_CLAIM = "CollateralVaultNoSuchClaim"
    CLAIM_WAITS = "CollateralVaultClaimWaits"


PROVER_SIDE = frozenset({Refusal.NOT_COVERED, Refusal.DEAD_SLOT})
"""What an honest prover refuses; no transaction is sent."""


class RefusedError(ProverError):
    """The clearing house refuses an action; its state is as before."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(f"refused by {refusal.value}")
