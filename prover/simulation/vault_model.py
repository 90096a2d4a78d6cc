"""Public money: the model's side of contracts/CollateralVault.sol."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from prover.simulation.refusals import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class TokenTerms:
    """What is fixed of a collateral token; all amounts are ticks.

    Attributes:
        slot: of the token in book 0.
        cap: of the net deposits of all accounts.
        capacity: that may leave at once.
        refill: that may leave in every second beyond that.
    """

    slot: int
    cap: int
    capacity: int
    refill: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A payment that waits.

    Attributes:
        recipient: who is paid.
        ticks: how much.
        end: ticks queued up to and including it.
    """

    recipient: str
    ticks: int
    end: int


@dataclass(frozen=True, slots=True)
class TokenLedger:
    """One token; all amounts are ticks.

    Attributes:
        terms: fixed.
        net_deposits: deposits less withdrawals of all accounts, with inboxes and liens.
        kept_apart: the part of them that no account holds: inboxes and liens.
        balance: tokens that are there, counted by what moved.
        room: that may leave at once; 0 while anything waits.
        backlog: of claims without room yet.
        updated_at: Unix time in seconds to which room and backlog belong.
        queued: ever.
        claims: not yet paid, by number.
        claim_count: claims ever made.
    """

    terms: TokenTerms
    net_deposits: int = 0
    kept_apart: int = 0
    balance: int = 0
    room: int = 0
    backlog: int = 0
    updated_at: int = 0
    queued: int = 0
    claims: Mapping[int, Claim] = field(default_factory=dict)
    claim_count: int = 0

    def at(self, now: int) -> TokenLedger:
        """The bucket filled up to a later time; what waits comes first."""
        available = self.room + (now - self.updated_at) * self.terms.refill
        released = min(available, self.backlog)
        room = min(available - released, self.terms.capacity)
        return replace(self, room=room, backlog=self.backlog - released, updated_at=now)

    def received(self, ticks: int) -> TokenLedger:
        """After tokens came in.

        Raises:
            RefusedError: nothing came, or more than the cap.
        """
        if ticks == 0:
            raise RefusedError(Refusal.NOTHING_DEPOSITED)
        if self.net_deposits + ticks > self.terms.cap:
            raise RefusedError(Refusal.CAP_EXCEEDED)
        return replace(self, net_deposits=self.net_deposits + ticks, balance=self.balance + ticks)

    def paid_out(self, recipient: str, ticks: int, now: int) -> TokenLedger:
        """After ticks left the accounts: paid at once, or queued where there is no room.

        Raises:
            RefusedError: nothing to pay, or more than all accounts have.
        """
        if ticks == 0:
            raise RefusedError(Refusal.NOTHING_WITHDRAWN)
        if ticks > self.net_deposits - self.kept_apart:
            raise RefusedError(Refusal.VAULT_EXHAUSTED)
        current = replace(self.at(now), net_deposits=self.net_deposits - ticks)
        if ticks <= current.room:
            return replace(current, room=current.room - ticks, balance=current.balance - ticks)
        number, queued = current.claim_count + 1, current.queued + ticks
        return replace(
            current,
            room=0,
            backlog=current.backlog + ticks - current.room,
            queued=queued,
            claims={**current.claims, number: Claim(recipient, ticks, queued)},
            claim_count=number,
        )

    def claim_paid(self, number: int, now: int) -> TokenLedger:
        """After a claim was paid.

        Raises:
            RefusedError: no such claim, or not its turn yet.
        """
        claim = self.claims.get(number)
        if claim is None:
            raise RefusedError(Refusal.NO_SUCH_CLAIM)
        current = self.at(now)
        if claim.end > current.queued - current.backlog:
            raise RefusedError(Refusal.CLAIM_WAITS)
        left = {key: value for key, value in self.claims.items() if key != number}
        return replace(current, claims=left, balance=current.balance - claim.ticks)


@dataclass(frozen=True, slots=True)
class VaultModel:
    """All tokens, and what lies beside the accounts.

    Attributes:
        tokens: ledgers, by number of the token.
        inboxes: ticks that third parties gave, by account and token.
        liens: ticks that lenders may claim, by account, token and lender.
    """

    tokens: tuple[TokenLedger, ...]
    inboxes: Mapping[tuple[bytes, int], int] = field(default_factory=dict)
    liens: Mapping[tuple[bytes, int, str], int] = field(default_factory=dict)

    def ledger(self, token: int) -> TokenLedger:
        """The ledger of a token.

        Raises:
            RefusedError: there is no such token.
        """
        if not 0 <= token < len(self.tokens):
            raise RefusedError(Refusal.UNKNOWN_COLLATERAL)
        return self.tokens[token]

    def with_ledger(self, token: int, ledger: TokenLedger) -> VaultModel:
        """With another ledger of a token."""
        return replace(self, tokens=(*self.tokens[:token], ledger, *self.tokens[token + 1 :]))

    def put_apart(self, token: int, ticks: int) -> VaultModel:
        """With so much more (negative: less) of a token in inboxes and liens."""
        ledger = self.ledger(token)
        return self.with_ledger(token, replace(ledger, kept_apart=ledger.kept_apart + ticks))

    def credited(self, account: bytes, token: int, ticks: int) -> VaultModel:
        """With so much more in an inbox; the tokens are there already."""
        key = (account, token)
        inboxes = {**self.inboxes, key: self.inboxes.get(key, 0) + ticks}
        return replace(self, inboxes=inboxes).put_apart(token, ticks)

    def emptied(self, account: bytes, token: int) -> tuple[VaultModel, int]:
        """With an empty inbox; and what was in it.

        Raises:
            RefusedError: nothing was.
        """
        self.ledger(token)
        ticks = self.inboxes.get((account, token), 0)
        if ticks == 0:
            raise RefusedError(Refusal.INBOX_EMPTY)
        inboxes = {**self.inboxes, (account, token): 0}
        return replace(self, inboxes=inboxes).put_apart(token, -ticks), ticks

    def lent(self, account: bytes, token: int, lender: str, ticks: int) -> VaultModel:
        """With a greater lien.

        Raises:
            RefusedError: nothing is granted, or more than all accounts have.
        """
        ledger = self.ledger(token)
        if ticks == 0:
            raise RefusedError(Refusal.LIEN_INVALID)
        if ticks > ledger.net_deposits - ledger.kept_apart:
            raise RefusedError(Refusal.VAULT_EXHAUSTED)
        key = (account, token, lender)
        liens = {**self.liens, key: self.liens.get(key, 0) + ticks}
        return replace(self, liens=liens).put_apart(token, ticks)

    def reduced(self, account: bytes, token: int, lender: str, ticks: int) -> VaultModel:
        """With a smaller lien.

        Raises:
            RefusedError: nothing is taken, or more than the lien.
        """
        self.ledger(token)
        key = (account, token, lender)
        lien = self.liens.get(key, 0)
        if ticks == 0:
            raise RefusedError(Refusal.NOTHING_WITHDRAWN)
        if ticks > lien:
            raise RefusedError(Refusal.LIEN_EXCEEDED)
        return replace(self, liens={**self.liens, key: lien - ticks}).put_apart(token, -ticks)

    def beside(self, token: int) -> int:
        """Ticks of all inboxes and liens of a token, counted one by one."""
        inboxes = sum(ticks for (_, kind), ticks in self.inboxes.items() if kind == token)
        return inboxes + sum(ticks for (_, kind, _), ticks in self.liens.items() if kind == token)
