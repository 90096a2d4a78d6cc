"""Claims: files that anybody can check, holding a margin proof and what it is said to prove of which account.

A claim is a conformance vector (:mod:`verifier.vector_file`) with the fields of a margin check beside it:
``chain_id``, ``house``, ``account``, ``state_version``, ``epoch`` and ``kind``. Nothing in it is secret.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eth_hash.auto import keccak

from verifier.chain.clearing_terms import MarginCheck, proof_context
from verifier.errors import ContractRevertedError, MalformedInputError, VectorFileError
from verifier.rules.rule_kind import PUBLISHED_KINDS
from verifier.vector_file import ConformanceVector, Verdict, check_off_chain, parse_vector, read_fields

if TYPE_CHECKING:
    from pathlib import Path

    from verifier.chain.house_client import HouseClient
    from verifier.chain.registry_client import RegistryClient
    from verifier.shape import Shape
    from verifier.statement import Statement

_ACCOUNT: Final = re.compile(r"0x[0-9a-fA-F]{64}")
CHECK_FIELDS: Final = ("chain_id", "house", "account", "state_version", "epoch", "kind")


@dataclass(frozen=True, slots=True)
class MarginClaimFile:
    """A claim as read.

    Attributes:
        vector: statement and proof.
        chain_id: of the chain that the proof is bound to.
        house: address of the clearing house that it is bound to.
        check: account, state version, epoch and rule.
    """

    vector: ConformanceVector
    chain_id: int
    house: str
    check: MarginCheck


def claim_fields(
    *, shape: Shape, statement: Statement, proof: bytes, chain_id: int, house: str, check: MarginCheck
) -> dict[str, object]:
    """The fields of a claim file."""
    return {
        "shape": {"D": shape.powers, "R": shape.columns, "k": shape.digits, "d": shape.digit_bits},
        "books": statement.books,
        "chunks_per_book": statement.chunks_per_book,
        "context": _hex(statement.context),
        "portfolio_commitments": [_hex(point) for point in statement.portfolio_commitments],
        "matrix_commitments": [[_hex(point) for point in chunks] for chunks in statement.matrix_commitments],
        "proof": _hex(proof),
        "chain_id": chain_id,
        "house": house,
        "account": _hex(check.account),
        "state_version": check.state_version,
        "epoch": check.epoch,
        "kind": check.kind.name.lower(),
    }


def read_claim(path: Path) -> MarginClaimFile:
    """Read a claim.

    Raises:
        VectorFileError: it cannot be read, or lacks a field.
        MalformedInputError: a field of the wrong type or out of range.
        UnsupportedShapeError: no such shape.
    """
    try:
        fields = read_fields(path)
    except VectorFileError as error:
        raise VectorFileError(f"claim {path}: {error}; give the file that `zkmargin prove --out` wrote") from error
    missing = [field for field in CHECK_FIELDS if field not in fields]
    if missing:
        raise VectorFileError(f"the claim lacks {', '.join(missing)}; a vector alone is for `zkmargin vector check`")
    kinds = {kind.name.lower(): kind for kind in PUBLISHED_KINDS}
    kind, house, account = (str(fields[field]) for field in ("kind", "house", "account"))
    if kind not in kinds:
        raise MalformedInputError(f"kind {kind!r} is none of {', '.join(kinds)}")
    version, epoch, chain_id = (_number(fields, field) for field in ("state_version", "epoch", "chain_id"))
    check = MarginCheck(parse_account(account), version, epoch, kinds[kind])
    return MarginClaimFile(parse_vector(fields), chain_id, house, check)


def parse_account(text: str) -> bytes:
    """Identity of an account from its hexadecimal form.

    Raises:
        MalformedInputError: not 0x and 64 hexadecimal digits.
    """
    if not _ACCOUNT.fullmatch(text):
        raise MalformedInputError(f"account {text[:80]!r} is not 0x and 64 hexadecimal digits")
    return bytes.fromhex(text[2:])


def check_claim(claim: MarginClaimFile) -> list[str]:
    """What is wrong with a claim by itself: its proof, or what the proof is bound to. An empty list for a sound one.

    Raises:
        MalformedInputError: bytes that are no encoding of a proof or of points.
        UnsupportedShapeError: no setup for the shape.
    """
    findings = []
    judgement = check_off_chain(claim.vector)
    if judgement.verdict is not Verdict.ACCEPTED:
        findings.append(f"the proof is {judgement.verdict.value}: {judgement.reason}")
    if claim.vector.statement.context != proof_context(claim.chain_id, claim.house, claim.check):
        findings.append("the proof is bound to another chain, house, account, state version, epoch or rule than named")
    return findings


def compare_with_chain(claim: MarginClaimFile, house: HouseClient, registry: RegistryClient) -> list[str]:
    """Where a claim's statement is not what the chain holds now: another account state, or another rule."""
    check, statement = claim.check, claim.vector.statement
    findings = []
    if house.address != claim.house:
        findings.append(f"the claim is for clearing house {claim.house}, not {house.address}")
    state = house.account_state(check.account)
    if state.state_version != check.state_version:
        findings.append(f"the account has state version {state.state_version}, the claim {check.state_version}")
    if len(statement.portfolio_commitments) != len(state.open_books):
        findings.append(f"the account has touched {len(state.open_books)} books, the claim covers {statement.books}")
        return findings
    for book, point in zip(state.open_books, statement.portfolio_commitments, strict=True):
        if house.commitment_hash(check.account, book) != keccak(point):
            findings.append(f"the commitment of book {book} is not the account's")
    try:
        matrix = registry.statement_matrix(check.epoch, check.kind, state.books)
    except ContractRevertedError as error:
        findings.append(f"the rule of epoch {check.epoch} is not on chain: {error}")
        return findings
    if matrix != statement.matrix_commitments:
        findings.append(f"the rule is not the {check.kind.name.lower()} rule of epoch {check.epoch} with its masks")
    return findings


def _number(fields: dict[str, object], field: str) -> int:
    value = fields[field]
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedInputError(f"{field} must be a whole number")
    return value


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
