"""The commands for own use, each as a process of its own, against a real chain: the whole way, and what they refuse."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from eth_account import Account

from prover.local_chain import local_chain
from prover.market.market_data import EXAMPLE_MARKET
from tests.support.console import run_command, run_in_process
from tests.support.own_use import MAXIMUM_AGE, PASSWORD, OwnUse, later_undone, own_use_venue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEPOSIT = "500000"
ALICE, BOB, CAROL = 1, 2, 3
OPTION = "BTC-27JUN25-100000-C"
TRADE = json.dumps({OPTION: 3, "USD": -40000})


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnUse]:
    """Epoch 1 published from the example market; Alice and Bob have deposited."""
    with own_use_venue(tmp_path_factory.mktemp("own-use")) as made:
        published = made.must(0, "publish")
        assert published["epoch"] == 1
        assert published["blobs"] == 2 * 1
        for owner in (ALICE, BOB):
            made.must(owner, "deposit", DEPOSIT)
        yield made


@pytest.fixture
def files(venue: OwnUse, tmp_path: Path) -> tuple[Path, Path]:
    """Where offer and acceptance go."""
    assert venue.deployment_file.exists()
    return tmp_path / "offer.json", tmp_path / "acceptance.json"


def test_the_whole_way(venue: OwnUse, files: tuple[Path, Path], tmp_path: Path) -> None:
    offer, acceptance = files
    old = tmp_path / "wallet.json"
    old.write_bytes((venue.folder / f"wallet{ALICE}.json").read_bytes())
    with later_undone(venue):
        made = venue.must(ALICE, "trade", "offer", "-", offer, typed=TRADE)
        assert offer.stat().st_mode & 0o777 == 0o600
        venue.must(BOB, "trade", "accept", offer, acceptance, "--yes")
        assert acceptance.stat().st_mode & 0o777 == 0o600
        settled = venue.must(ALICE, "trade", "settle", acceptance)
        assert settled["trade"] == made["trade"]
        assert 0 < settled["gas"] < 500_000
        message = venue.refuses(ALICE, "prove", "--wallet", old)
        assert "use the copy of the wallet that made the change" in message

        claim = tmp_path / "claim.json"
        proven = venue.must(BOB, "prove", "--kind", "maintenance", "--out", claim)
        assert proven["proof_bytes"] == 880
        assert proven["account"] == venue.account(BOB)
        assert venue.must(CAROL, "verify", claim)["verdict"] == "accepted"
        assert venue.must(CAROL, "verify", "--account", venue.account(BOB))["verdict"] == "accepted"
        assert venue.run(CAROL, "verify", "--account", venue.account(ALICE)).returncode == 1

        (bob,) = venue.must(BOB, "status")["accounts"]
        assert bob["trader_knows"][OPTION] == "-3.00"
        assert bob["trader_knows"]["USD"] == "540000.00"
        assert bob["chain_sees"]["state_version"] == 2
        assert bob["chain_sees"]["maintenance_margin_proven_at_epoch"] == 1
        assert OPTION not in json.dumps(bob["chain_sees"])
        (alice,) = venue.must(ALICE, "status", "--market", EXAMPLE_MARKET)["accounts"]
        assert alice["trader_knows"][OPTION] == "3.00"
        assert float(alice["trader_knows"]["initial_headroom"]) > 0

        assert "no open offer" in venue.refuses(ALICE, "trade", "settle", acceptance)
        altered = json.loads(claim.read_text()) | {"state_version": 1}
        claim.write_text(json.dumps(altered))
        run = venue.run(CAROL, "verify", claim, "--json")
        assert run.returncode == 1
        assert "bound to another" in json.loads(run.stdout)["findings"][0]


def test_what_owners_lenders_and_friends_do_beside_trading(venue: OwnUse) -> None:
    """A deposit for somebody else, its merge, a lien that is claimed and given back, an operator, an exit."""
    account = venue.account(ALICE)

    def done(owner: int, *arguments: str) -> dict[str, Any]:
        run = run_in_process(*arguments, "--json", variables=venue.variables(owner))
        assert run.returncode == 0, run.stderr
        fields: dict[str, Any] = json.loads(run.stdout)
        return fields

    with later_undone(venue):
        assert done(CAROL, "deposit", "70", "--for", account)["ticks_in_its_inbox"] == 7_000
        assert done(ALICE, "merge")["ticks"] == 7_000
        lender = venue.running.account(CAROL).address
        assert done(ALICE, "lien", "grant", "30", lender)["ticks"] == 3_000
        assert done(CAROL, "lien", "claim", "10", account)["recipient"] == lender
        assert done(CAROL, "lien", "release", "20", account)["released"] == "20"
        appointed = done(ALICE, "operator", "set", venue.running.account(BOB).address, "--days", "1")
        assert appointed["account"] == account
        borrowed = {"ZKMARGIN_WALLET": str(venue.folder / f"wallet{ALICE}.json")}
        run = run_in_process("merge", "--account", account, "--json", variables=venue.variables(BOB) | borrowed)
        assert json.loads(run.stdout)["ticks"] == 2_000
        assert "trades and merges the inbox" in venue.refuses(BOB, "exit", "--account", account, **borrowed)
        assert done(ALICE, "exit")["holds_USD"] == "500060.00"
        left = done(ALICE, "withdraw", "500060", "--token", "USD")
        assert (left["proven"], left["token"]) == (False, "USD")
        (seen,) = [account["chain_sees"] for account in done(ALICE, "status")["accounts"]]
        assert (seen["status"], seen["holds_USD"]) == ("transparent", "0.00")
    done(ALICE, "status")


def test_an_offer_is_accepted_by_nobody_without_a_yes(venue: OwnUse, files: tuple[Path, Path]) -> None:
    offer, acceptance = files
    venue.must(ALICE, "trade", "offer", "-", offer, typed=TRADE)
    run = venue.run(BOB, "trade", "accept", offer, acceptance, typed="n\n")
    assert run.returncode == 1
    assert "you give" in run.stderr
    assert not acceptance.exists()


def test_deployment_and_setup_are_what_they_should_be(venue: OwnUse) -> None:
    assert venue.must(ALICE, "table", "check")["basis_points"] == 64
    assert json.loads(run_command("setup", "check", "--json").stdout)["powers"] == 4096


def test_keystore_and_password_file(venue: OwnUse, tmp_path: Path) -> None:
    keystore, password = tmp_path / "key.json", tmp_path / "password"
    content = Account.encrypt(venue.running.account(CAROL).key, "of the keystore", iterations=16)
    keystore.write_text(json.dumps(content))
    password.write_text("of the keystore\n")
    variables = {
        "ZKMARGIN_PRIVATE_KEY": "",
        "ZKMARGIN_KEYSTORE_PASSWORD_FILE": str(password),
        "ZKMARGIN_WALLET": str(tmp_path / "wallet.json"),
    }
    with later_undone(venue):
        run = venue.run(CAROL, "deposit", "100", "--keystore", keystore, "--json", **variables)
        assert run.returncode == 0, run.stderr
        assert json.loads(run.stdout)["account"] == venue.account(CAROL)
    password.write_text("another")
    assert "does not open keystore" in venue.refuses(CAROL, "deposit", "1", "--keystore", keystore, **variables)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("deposit", "0"), "out of range: give more than 0"),
        (("deposit", "1e400"), "out of range"),
        (("deposit", "nan"), "out of range"),
        (("deposit", "0.001"), "no multiple of its tick of 0.01"),
        (("deposit", "1", "--token", "DOGE"), "the vault takes no 'DOGE': name one of 0 = USD"),
        (("deposit", "1", "--for", "0x12"), "64 hexadecimal digits"),
        (("deposit", "5497558138.87"), "takes 549755813887 at most"),
        (("merge",), "nothing waits in the inbox of USD"),
        (("exit",), "the account is transparent already: withdraw what it holds"),
        (("operator", "set", "0x12"), "is no address"),
        (("lien", "claim", "1", "0x" + "11" * 32), "are more than the 0 that account"),
        (("lien", "release", "1", "0x" + "11" * 32), "are more than the 0 that account"),
        (("deposit", "1000000000.01"), "deposit less, or obtain more"),
        (("prove", "--market", "nowhere.json"), "nowhere.json"),
        (("status", "--wallet", "nowhere.json"), "give the path of your wallet"),
        (("verify", "nowhere.json"), "cannot be read"),
        (("verify", "--account", "0x12"), "64 hexadecimal digits"),
        (("verify",), "give either a claim or --account"),
        (("trade", "accept", "nowhere.json", "out.json"), "cannot be read"),
        (("trade", "settle", "nowhere.json"), "cannot be read"),
        (("table", "check", "--deployment", "nowhere.json"), "deploy first"),
        (("table", "check", "--node", "http://127.0.0.1:9"), "check the address, and that the node runs"),
        (("table", "check", "--node", "no address"), "check the address"),
    ],
)
def test_refusals_name_value_and_remedy(venue: OwnUse, arguments: tuple[str, ...], expected: str) -> None:
    before = sorted(venue.folder.iterdir())
    state = venue.chain.block_number()
    assert expected in venue.refuses(ALICE, *arguments)
    assert venue.chain.block_number() == state
    assert sorted(venue.folder.iterdir()) == before


@pytest.mark.parametrize(
    ("trade", "expected"),
    [
        ({"BTC-27JUN25-1-C": 1}, "'BTC-27JUN25-1-C' is in none of the 64 listed slots"),
        ({"DOGE": 1}, "is in none of the"),
        ({OPTION: 10**30}, "is beyond ±"),
        ({OPTION: 0.001}, "is no multiple of its lot"),
        ({OPTION: 0}, "moves nothing"),
        ({}, "moves nothing"),
        ({OPTION: "3"}, "no object of numbers"),
        ([], "no object of numbers"),
        ({OPTION: -500}, "margin is not covered in"),
    ],
)
def test_trades_that_cannot_be_offered(venue: OwnUse, files: tuple[Path, Path], trade: object, expected: str) -> None:
    message = venue.refuses(ALICE, "trade", "offer", "-", files[0], typed=json.dumps(trade))
    assert expected in message
    assert not files[0].exists()


def test_a_trade_that_breaks_margin_names_scenario_and_shortfall(venue: OwnUse, files: tuple[Path, Path]) -> None:
    message = venue.refuses(ALICE, "trade", "offer", "-", files[0], typed=json.dumps({OPTION: -500}))
    assert "'spot +" in message
    assert "USD short" in message
    assert "add collateral or reduce the position" in message


def test_a_malformed_snapshot(venue: OwnUse, tmp_path: Path) -> None:
    fields = json.loads(EXAMPLE_MARKET.read_text())
    fields["options"][0]["mark_volatility"] = -1
    bad = tmp_path / "market.json"
    bad.write_text(json.dumps(fields))
    message = venue.refuses(0, "publish", "--market", bad)
    assert "options.0.mark_volatility = -1" in message
    bad.write_text("[")
    assert str(bad) in venue.refuses(0, "publish", "--market", bad)


def test_another_market_than_the_published(venue: OwnUse, tmp_path: Path) -> None:
    fields = json.loads(EXAMPLE_MARKET.read_text())
    fields["underlyings"]["BTC"]["index_price"] += 1.0
    other = tmp_path / "market.json"
    other.write_text(json.dumps(fields))
    assert "use the publisher's files" in venue.refuses(ALICE, "prove", "--market", other)


def test_a_rule_published_twice(venue: OwnUse) -> None:
    assert "RuleRegistrySnapshotNotNewer" in venue.refuses(0, "publish")


def test_publishing_without_the_role_sends_nothing(venue: OwnUse, tmp_path: Path) -> None:
    copy = tmp_path / "deployment.json"
    copy.write_text(venue.deployment_file.read_text())
    height = venue.chain.block_number()
    message = venue.refuses(ALICE, "publish", "--deployment", copy)
    assert "is no publisher of registry" in message
    assert venue.chain.block_number() == height
    assert not any(path.is_dir() for path in tmp_path.iterdir())


def test_a_stale_epoch(venue: OwnUse) -> None:
    with later_undone(venue):
        venue.chain.request("evm_increaseTime", [MAXIMUM_AGE + 60])
        venue.chain.request("evm_mine", [])
        message = venue.refuses(ALICE, "prove")
        published_late = venue.refuses(0, "publish")
    assert "s old and 3600 s are allowed; take a new snapshot" in published_late
    assert "RuleRegistryStaleEpoch" in message
    assert "publish a rule from a fresh market snapshot" in message


def test_another_chain(venue: OwnUse, tmp_path: Path) -> None:
    fields = json.loads(venue.deployment_file.read_text()) | {"chain_id": 1}
    other = tmp_path / "deployment.json"
    other.write_text(json.dumps(fields))
    message = venue.refuses(ALICE, "deposit", "1", "--deployment", other)
    assert "serves chain 31337, not 1" in message


def test_contracts_that_are_not_there(venue: OwnUse, tmp_path: Path) -> None:
    fields = json.loads(venue.deployment_file.read_text()) | {"registry": "0x" + "11" * 20}
    other = tmp_path / "deployment.json"
    other.write_text(json.dumps(fields))
    assert "there is no contract at" in venue.refuses(ALICE, "deposit", "1", "--deployment", other)


@pytest.mark.parametrize(("hardfork", "missing"), [("cancun", "precompile 0x0b"), ("shanghai", "precompile 0x0a")])
def test_a_chain_without_the_precompiles_or_blobs(venue: OwnUse, hardfork: str, missing: str) -> None:
    with local_chain(hardfork=hardfork) as old:
        message = venue.refuses(0, "publish", "--node", old.url)
    assert missing in message
    assert "use a chain with the Prague rules or later" in message


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"ZKMARGIN_PRIVATE_KEY": ""}, "no key to sign with: give a keystore file"),
        ({"ZKMARGIN_PRIVATE_KEY": "0x1234567890abcdef"}, "ZKMARGIN_PRIVATE_KEY is no private key"),
        ({"ZKMARGIN_KEYSTORE": "nowhere.json"}, "keystore nowhere.json cannot be read"),
        ({"ZKMARGIN_PASSWORD": ""}, "set ZKMARGIN_PASSWORD or ZKMARGIN_PASSWORD_FILE"),
        ({"ZKMARGIN_PASSWORD": "wrong horse"}, "the password does not open"),
        ({"ZKMARGIN_PASSWORD_FILE": "nowhere"}, "ZKMARGIN_PASSWORD_FILE names cannot be read"),
    ],
)
def test_keys_and_passwords(venue: OwnUse, variables: dict[str, str], expected: str) -> None:
    message = venue.refuses(ALICE, "prove", **variables)
    assert expected in message
    for value in ("1234567890abcdef", "wrong horse"):
        assert value not in message


def test_a_wallet_that_lacks_a_deposit_follows_what_everybody_sees(venue: OwnUse, tmp_path: Path) -> None:
    old = tmp_path / "wallet.json"
    old.write_bytes((venue.folder / f"wallet{ALICE}.json").read_bytes())
    with later_undone(venue):
        venue.must(ALICE, "deposit", "1")
        (view,) = venue.must(ALICE, "status", "--wallet", old)["accounts"]
        assert view["trader_knows"]["USD"] == "500001.00"
    venue.must(ALICE, "status")


def test_help_lists_every_command_and_each_has_its_own() -> None:
    shown = run_command("--help").stdout
    from prover.cli import COMMANDS  # noqa: PLC0415 - beside its use

    for name in COMMANDS:
        assert f"  {name}" in shown
        run = run_in_process(name, "--help")
        assert run.returncode == 0, run.stderr
    assert run_command("nothing").returncode == 2


def test_no_option_takes_a_secret() -> None:
    for name in (
        ("deposit",),
        ("merge",),
        ("withdraw",),
        ("payout",),
        ("exit",),
        ("lien", "grant"),
        ("lien", "claim"),
        ("lien", "release"),
        ("operator", "set"),
        ("prove",),
        ("trade", "offer"),
        ("trade", "accept"),
        ("trade", "settle"),
        ("publish",),
    ):
        shown = run_in_process(*name, "--help").stdout
        assert "--password" not in shown
        assert "--key " not in shown
        assert PASSWORD not in shown
