"""`zkmargin publish` where two of three publishers must sign: proposal, second signature, what each of them refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from prover.errors import ListingError
from prover.local_chain import local_chain
from prover.market.market_data import EXAMPLE_MARKET
from prover.market.market_files import load_market
from prover.rules.rule_book import load_slots
from prover.rules.slot_terms import list_missing
from prover.rules.slots import SlotTable
from tests.support.console import run_in_process
from tests.support.deployments import undone, worthless_token
from tests.support.own_use import OwnUse
from verifier.ceremony import ceremony_setup
from verifier.chain.chain_client import ChainClient
from verifier.chain.governance_client import governed_call
from verifier.chain.instrument_client import InstrumentClient
from verifier.chain.rule_publishing import RulePublisher
from verifier.chain.vault_client import VaultClient
from verifier.deployment.deployment import deploy, local_terms

if TYPE_CHECKING:
    from collections.abc import Iterator

"""What is computed once serves all tests of this file."""

LISTER, SECOND, THIRD, STRANGER = range(4)


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnUse]:
    """Contracts with three publishers of whom two must sign; the first of them lists instruments too."""
    with local_chain(timestamp=load_market(EXAMPLE_MARKET).snapshot_time) as running:
        chain = ChainClient.connect(running.url, chain_id=running.chain_id)
        publishers = tuple(running.account(index).address for index in (LISTER, SECOND, THIRD))
        terms = replace(local_terms(), publishers=publishers, threshold=2)
        deployment = deploy(chain, running.account(LISTER), shape_name="small", setup=ceremony_setup(), terms=terms)
        made = OwnUse(running, chain, deployment, tmp_path_factory.mktemp("publish"))
        deployment.save(made.deployment_file)
        yield made


def published(venue: OwnUse, publisher: int, *options: str) -> dict[str, object]:
    """Run the command in this process."""
    run = run_in_process("publish", "--json", *options, variables=venue.variables(publisher))
    assert run.returncode == 0, run.stderr
    fields: dict[str, object] = json.loads(run.stdout)
    return fields


def test_nothing_is_listed_under_a_vault_whose_token_is_something_else(venue: OwnUse) -> None:
    """The vault credits a token to the slot that the market gives a perpetual."""
    vault = VaultClient(venue.chain, venue.deployment.vault)
    instruments = InstrumentClient(venue.chain, venue.deployment.instruments)
    with undone(venue.chain):
        timelock = venue.deployment.timelock
        token = worthless_token(venue.chain, venue.running.account(LISTER))
        before = instruments.listed(0)
        terms = replace(vault.token_terms(0), token=token, slot=1)
        call = governed_call("CollateralVault", vault.address, "addToken", terms.as_tuple())
        venue.chain.request("anvil_setBalance", [timelock, hex(10**18)])
        venue.chain.request("anvil_impersonateAccount", [timelock])
        venue.chain.request(
            "eth_sendTransaction", [{"from": timelock, "to": call.target, "data": "0x" + call.data.hex()}]
        )
        refused = venue.refuses(LISTER, "publish")
        assert vault.token_count() == 2
        assert instruments.listed(0) == before
    assert refused.startswith(
        f"token 1 ({token}) of the vault is credited to slot 1 of book 0, which holds a PERPETUAL"
    )


def test_publishers_sign_one_after_another(venue: OwnUse) -> None:
    registry = RulePublisher(venue.chain, venue.deployment.registry)
    instruments = InstrumentClient(venue.chain, venue.deployment.instruments)
    unlisted = venue.refuses(SECOND, "publish")
    assert "instruments are not listed on chain yet" in unlisted
    assert not venue.deployment_file.with_suffix(".slots.json").exists()

    first = published(venue, LISTER)
    assert (first["proposed_epoch"], first["signatures_missing"]) == (1, 1)
    assert registry.latest_epoch().epoch == 0
    slots = load_slots(venue.deployment_file.with_suffix(".slots.json"))
    assert instruments.listed(0) == len(slots.listed)
    proposal = str(first["proposal"])
    assert published(venue, LISTER, "--proposal", proposal)["signatures_missing"] == 1
    assert "is no publisher of registry" in venue.refuses(STRANGER, "publish", "--proposal", proposal)

    content = json.loads(venue.deployment_file.with_suffix(".proposal.json").read_text())
    forged = venue.folder / "forged.json"
    forged.write_text(json.dumps(content | {"proposal": content["proposal"] | {"marks_hash": "0x" + "11" * 32}}))
    assert "do not sign" in venue.refuses(THIRD, "publish", "--proposal", forged)
    forged.write_text(json.dumps(content | {"signatures": ["0x" + "11" * 65]}))
    assert "is no signature" in venue.refuses(THIRD, "publish", "--proposal", forged)

    with undone(venue.chain):
        rows = published(venue, SECOND, "--proposal", proposal, "--calldata", "--archive", str(venue.folder / "rows"))
        assert rows["blobs"] == 0
    last = published(venue, THIRD, "--proposal", proposal)
    assert last["epoch"] == 1
    assert last["signed_by"] == [venue.running.account(index).address for index in (LISTER, THIRD)]
    assert registry.active_epoch().active_from == last["active_from"]
    event = registry.epoch_event(1)
    assert event.indices == bytes(8 * sum("PERPETUAL" in slot.instrument.name for slot in slots.listed))


def test_another_list_of_slots_is_refused(venue: OwnUse) -> None:
    """One that differs from the chain's in a lot size, one with a gap, one that is full."""
    slots = load_slots(venue.deployment_file.with_suffix(".slots.json"))
    instruments = InstrumentClient(venue.chain, venue.deployment.instruments)
    lister = venue.running.account(LISTER)
    larger = replace(slots.listed[1], lot_size=slots.listed[1].lot_size * 2)
    with pytest.raises(ListingError, match=r"slot 1 of book 0 is SlotTerms\(.* use the list of slots that belongs"):
        list_missing(instruments, lister, SlotTable(1, 64, (slots.listed[0], larger)))
    second = [replace(slot, book=1, position=slot.position + 1) for slot in slots.listed[1:2]]
    with pytest.raises(ListingError, match="but slot 0 comes next on chain: list instruments without gaps"):
        list_missing(instruments, lister, SlotTable(2, 64, tuple(second)))
    assert list_missing(instruments, venue.running.account(STRANGER), slots) == ()
