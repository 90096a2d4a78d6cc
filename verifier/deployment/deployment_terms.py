"""What a deployment is free to choose: tokens, times, and who publishes, lists, guards and governs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from eth_hash.auto import keccak
from eth_utils.address import is_checksum_address, is_hex_address, to_checksum_address

from verifier.chain.epochs import EpochTiming
from verifier.chain.vault_state import TokenTerms
from verifier.deployment.create2 import SALT_BYTES
from verifier.errors import MalformedInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.shape import Shape

WITHDRAWAL_CAPACITY: Final = 100_000_000
"""Ticks: a million at 0.01 a tick."""

WITHDRAWAL_REFILL: Final = 1_158
"""Ticks a second: the capacity in a day."""

UNITS_PER_TICK: Final = 10_000
"""0.01 of a token with six decimals."""

DEFAULT_TIMING: Final = EpochTiming(maximum_age=3_600, activation_delay=24, spacing=60)

GOVERNANCE_DELAY: Final = 172_800
"""Two days."""

LONGEST_GOVERNANCE_DELAY: Final = 7_776_000
"""Ninety days: a longer one would keep the governors from what they are there for."""

LONGEST_AGE: Final = 86_400
"""A day: prices that are older say nothing of what an account is worth."""


@dataclass(frozen=True, slots=True)
class TokenChoice:
    """A token that the vault takes.

    Attributes:
        address: kept with checksum; ``None`` deploys a worthless test token.
        slot: its slot in book 0.
        units_per_tick: units of the token that one tick is (6 decimals, 0.01 a tick: 10,000).
        cap: ticks up to which all accounts may hold it together; ``None`` for as many as an account could prove with.
        capacity: ticks that may be withdrawn at once.
        refill: ticks a second that may be withdrawn beyond that.
    """

    address: str | None
    slot: int = 0
    units_per_tick: int = UNITS_PER_TICK
    cap: int | None = None
    capacity: int = WITHDRAWAL_CAPACITY
    refill: int = WITHDRAWAL_REFILL

    def __post_init__(self) -> None:
        """Check the address."""
        if self.address is not None:
            object.__setattr__(self, "address", checked_address("token", self.address))

    def terms(self, address: str, shape: Shape) -> TokenTerms:
        """As the vault takes them, for the token at an address."""
        cap = deposit_limit(shape) if self.cap is None else self.cap
        return TokenTerms(address, self.units_per_tick, self.slot, cap, self.capacity, self.refill)


@dataclass(frozen=True, slots=True)
class DeploymentTerms:
    """What a deployment is free to choose. Where nobody is named for a task, the deployer does it.

    Attributes:
        tokens: that the vault takes; the first is the quote collateral.
        timing: of epochs.
        publishers: who stages and signs rules.
        threshold: how many of them must sign.
        lister: who lists instruments.
        guardian: who may pause the house for a limited time.
        proposers: who proposes to the timelock, which owns the contracts, and executes what has waited.
        governance_delay: seconds that a proposal waits there.
        insecure: allow a test setup and test tokens, on the local test chain alone.
        salt: 32 bytes; another one gives the same contracts other addresses.
    """

    tokens: tuple[TokenChoice, ...]
    timing: EpochTiming = DEFAULT_TIMING
    publishers: tuple[str, ...] = ()
    threshold: int = 1
    lister: str | None = None
    guardian: str | None = None
    proposers: tuple[str, ...] = ()
    governance_delay: int = GOVERNANCE_DELAY
    insecure: bool = False
    salt: bytes = field(default=bytes(SALT_BYTES))

    def __post_init__(self) -> None:
        """Check salt, addresses, threshold and delay; what other times and tokens must be, the contracts say.

        Raises:
            MalformedInputError: something does not fit.
        """
        if len(self.salt) != SALT_BYTES:
            raise MalformedInputError(f"the salt has {len(self.salt)} bytes: give {SALT_BYTES}")
        if not self.tokens:
            raise MalformedInputError("no token: give at least the quote collateral")
        for name in ("publishers", "proposers"):
            addresses = tuple(checked_address(name.removesuffix("s"), address) for address in getattr(self, name))
            if len(set(addresses)) != len(addresses):
                raise MalformedInputError(f"one of the {name} is named twice: name each once")
            object.__setattr__(self, name, addresses)
        for name in ("lister", "guardian"):
            address = getattr(self, name)
            object.__setattr__(self, name, None if address is None else checked_address(name, address))
        publishers = max(1, len(self.publishers))
        if not 1 <= self.threshold <= publishers:
            raise MalformedInputError(
                f"{self.threshold} of {publishers} publishers cannot sign: give a threshold from 1 to {publishers}"
            )
        if not 0 <= self.governance_delay <= LONGEST_GOVERNANCE_DELAY:
            raise MalformedInputError(
                f"a governance delay of {self.governance_delay} s is out of range: give at most "
                f"{LONGEST_GOVERNANCE_DELAY} s"
            )
        if self.timing.maximum_age > LONGEST_AGE:
            raise MalformedInputError(
                f"prices would be in use until they are {self.timing.maximum_age} s old: give a maximum age of at most "
                f"{LONGEST_AGE} s"
            )

    @property
    def has_test_tokens(self) -> bool:
        """Whether a worthless token is among them."""
        return any(token.address is None for token in self.tokens)

    def token_salt(self, index: int) -> bytes:
        """Salt of a test token: equal contracts with equal salts would have one address."""
        return self.salt if index == 0 else bytes(keccak(self.salt + index.to_bytes(SALT_BYTES, "big")))


def local_terms(
    *, slots: Sequence[int] = (0,), timing: EpochTiming = DEFAULT_TIMING, salt: bytes = bytes(SALT_BYTES)
) -> DeploymentTerms:
    """What a local chain is for: worthless tokens, and a deployer who is everything.

    Args:
        slots: of the tokens in book 0, one worthless token each.
        timing: of epochs.
        salt: as of :class:`DeploymentTerms`.
    """
    tokens = tuple(TokenChoice(None, slot) for slot in slots)
    return DeploymentTerms(tokens=tokens, timing=timing, insecure=True, salt=salt)


def deposit_limit(shape: Shape) -> int:
    """Ticks of a token that all accounts may hold together, so that any of them could prove with all: 2^(dk−1) − 1."""
    return (1 << shape.digits * shape.digit_bits - 1) - 1


def checked_address(what: str, text: str) -> str:
    """With checksum; one in mixed case must have a right one (EIP-55), and zero is nobody's.

    Raises:
        MalformedInputError: no such address.
    """
    digits = text.removeprefix("0x")
    one_case = digits in (digits.lower(), digits.upper())
    if not is_hex_address(text) or not (one_case or is_checksum_address(text)):
        raise MalformedInputError(f"{what} {text!r} is no address: give 0x and 40 digits, with a right checksum")
    if not int(digits, 16):
        raise MalformedInputError(f"{what} {text!r} is nobody's address: give that of somebody, or leave it out")
    return to_checksum_address(text)
