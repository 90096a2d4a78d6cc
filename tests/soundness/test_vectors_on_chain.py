"""The contracts agree with every vector: accepted ones pass, rejected ones revert with the error that they name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.support.contract_judge import ACCEPTED, CEREMONY, ContractJudge
from tests.support.vectors import (
    Fields,
    accepted_files,
    batch_files,
    load,
    rejected_files,
    shape_of,
    statement_of,
    undone,
    unhex,
)
from verifier.ceremony import ceremony_setup
from verifier.chain.contract_interface import contract_interface
from verifier.shape import SMALL, STANDARD
from verifier.statement import verifying_key

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from verifier.chain.chain_client import ChainClient

DEPLOYED: Final = (SMALL, STANDARD)


@pytest.fixture(scope="session")
def standard_judge(chain: tuple[ChainClient, LocalAccount]) -> ContractJudge:
    """The ceremony variant for the standard shape."""
    return ContractJudge(*chain, contract_interface(CEREMONY), verifying_key(STANDARD, ceremony_setup()))


def verdict(judge: ContractJudge, fields: Fields) -> str:
    """What the contract says of a vector; statements that Python cannot hold go to it as raw bytes."""
    points = b"".join(map(unhex, fields["portfolio_commitments"]))
    matrix = b"".join(unhex(point) for chunks in fields["matrix_commitments"] for point in chunks)
    if not fields["books"] or not fields["chunks_per_book"]:
        raw = (unhex(fields["context"]), fields["books"], points, matrix, unhex(fields["proof"]), bytes(32))
        return judge.outcome("verify", raw)
    return judge.verdict(statement_of(fields), unhex(fields["proof"]))


def test_contract_accepts_the_accepted_vectors(small_judge: ContractJudge, standard_judge: ContractJudge) -> None:
    judges = dict(zip(DEPLOYED, (small_judge, standard_judge), strict=True))
    judged = [load(path) for path in accepted_files() if shape_of(load(path)) in judges]
    assert len(judged) >= 6
    for fields in judged:
        assert verdict(judges[shape_of(fields)], fields) == ACCEPTED, fields["name"]


def test_contract_accepts_the_batches(standard_judge: ContractJudge) -> None:
    for path in batch_files():
        members = [load(path.parent / f"{name}.json") for name in load(path)["proofs"]]
        claims = [(statement_of(fields), unhex(fields["proof"])) for fields in members]
        assert standard_judge.batch_verdict(claims) == ACCEPTED
        swapped = [(claims[0][0], claims[0][1][:-1] + bytes([claims[0][1][-1] ^ 1])), *claims[1:]]
        assert standard_judge.batch_verdict(swapped) == "MarginVerifierRejected"


def test_contract_rejects_the_rejected_vectors_as_they_say(
    small_judge: ContractJudge, standard_judge: ContractJudge
) -> None:
    judged = 0
    for path in rejected_files():
        fields = load(path)
        if fields["expected_revert"] is None:
            continue
        judge = small_judge if shape_of(undone(fields)) == SMALL else standard_judge
        assert verdict(judge, fields) == fields["expected_revert"], path.stem
        assert verdict(judge, undone(fields)) == ACCEPTED, path.stem
        judged += 1
    assert judged >= 45
