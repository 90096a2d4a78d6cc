"""Gas of the contracts and the size of every one: the snapshot.

``python scripts/gas_snapshot.py --check`` compares, without an option it writes. The vectors are fixed bytes, so the
figures of the verifier, and of what needs no proof, are exact: any difference is a change of the contracts. The figures
that ``zkmargin bench`` measures too are of proofs with fresh blinds, whose zero bytes cost less calldata: they may
differ by ``TOLERANCE``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from prover.account.collateral import find_collateral
from prover.account.withdrawals import prepare_withdrawal, submit_withdrawal
from prover.benchmarks.benchmark_gas import (
    MOVED_TICKS,
    RECIPIENT,
    GasCase,
    contract_sizes,
    market_chain,
    measure_standard_gas,
)
from prover.local_chain import local_chain
from prover.rules.slot_terms import list_missing
from verifier.calldata import margin_claim
from verifier.ceremony import ceremony_setup
from verifier.chain.chain_client import ChainClient
from verifier.chain.chain_time import advance_time
from verifier.chain.contract_interface import contract_interface
from verifier.statement import verifying_key
from verifier.vector_file import parse_vector, read_fields

PROJECT_ROOT: Final = Path(__file__).resolve().parent.parent
SNAPSHOT: Final = PROJECT_ROOT / "tests" / "snapshots" / "gas.json"
VECTORS: Final = PROJECT_ROOT / "tests" / "vectors" / "accept"
VECTOR_NAMES: Final = ("small-one-book", "standard-one-book", "standard-two-books", "standard-four-books")
WITHDRAWN_TICKS: Final = 150_000_000
"""More than leaves at once, less than an account has."""

DAY_SECONDS: Final = 86_400

FRESH: Final = "gas with fresh proofs"
"""Section of the snapshot."""

TOLERANCE: Final = 500
"""Gas: some ten standard deviations of what zero bytes save."""


def verification_gas() -> dict[str, int]:
    """Gas of a whole transaction that does nothing but verify, per vector, alone and twice in a batch."""
    setup = ceremony_setup()
    verifier = contract_interface("CeremonyMarginVerifier")
    figures: dict[str, int] = {}
    with local_chain() as anvil:
        chain = ChainClient.connect(anvil.url)
        sender = anvil.account(0)
        for name in VECTOR_NAMES:
            vector = parse_vector(read_fields(VECTORS / f"{name}.json"))
            key = verifying_key(vector.shape, setup)
            sizes = (key.shape.powers, key.shape.columns, key.shape.digits, key.shape.digit_bits)
            address = chain.deploy(sender, verifier.creation(sizes, key.table_commitment)).contract_address or ""
            claim = margin_claim(key, vector.statement, vector.proof).as_tuple()
            figures[name] = chain.send(sender, verifier.encode_call("verify", claim), to=address).gas_used
            with_opening = margin_claim(key, vector.statement, vector.proof, with_opening=True).as_tuple()
            batch = verifier.encode_call("verifyBatch", [with_opening, with_opening])
            figures[f"{name}, batch of two"] = chain.send(sender, batch, to=address).gas_used
    return figures


def house_gas() -> dict[str, int]:
    """Gas of whole transactions of the clearing house that carry no proof, on an account that is open."""
    figures: dict[str, int] = {}
    with market_chain() as anvil:
        case = GasCase(anvil)
        list_missing(case.venue.instruments, case.deployer, case.book.slots)
        with case.parties(1) as [party]:
            figures["deposit"] = case.deposit(party)
            collateral = find_collateral(case.venue)
            for name, ticks in (("withdraw a holding", MOVED_TICKS), ("queue a withdrawal", WITHDRAWN_TICKS)):
                prepared = prepare_withdrawal(party, collateral.amount(ticks), RECIPIENT, None)
                figures[name] = submit_withdrawal(party, prepared).receipt.gas_used
            advance_time(case.venue.chain, DAY_SECONDS)
            figures["pay a queued withdrawal"] = case.venue.vault.pay_queued(party.signer, 0, 1).gas_used
    return figures


def differences(kept: dict[str, dict[str, int]], found: dict[str, dict[str, int]]) -> list[str]:
    """What differs, a line each."""
    lines: list[str] = []
    for section in sorted({*kept, *found}):
        before, now = kept.get(section, {}), found.get(section, {})
        allowed = TOLERANCE if section == FRESH else 0
        for name in dict.fromkeys((*before, *now)):
            pair = before.get(name), now.get(name)
            if None in pair or abs(now[name] - before[name]) > allowed:
                lines.append(f"{section}: {name}: {pair[1]}, was {pair[0]}")
    return lines


def main() -> int:
    """Return the exit code."""
    found = {
        "code bytes": contract_sizes(),
        "verification gas": verification_gas(),
        "house gas": house_gas(),
        FRESH: measure_standard_gas(),
    }
    if "--check" not in sys.argv[1:]:
        SNAPSHOT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        print(f"written: {SNAPSHOT.relative_to(PROJECT_ROOT)}")
        return 0
    if not (lines := differences(json.loads(SNAPSHOT.read_text(encoding="utf-8")), found)):
        print("gas and code sizes are as in the snapshot")
        return 0
    print(f"gas or code sizes differ from {SNAPSHOT.relative_to(PROJECT_ROOT)}:", *lines, sep="\n", file=sys.stderr)
    print("when the change is meant: python scripts/gas_snapshot.py, and commit it", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
