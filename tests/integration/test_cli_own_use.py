"""The commands for own use, each as a process of its own, against a real chain: the whole way, and what they refuse."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from eth_account import Account

from prover.account.wallet import create_wallet
from prover.local_chain import local_chain
from prover.market.market_data import EXAMPLE_MARKET
from tests.support.console import run_command, run_in_process
from tests.support.own_use import MAXIMUM_AGE, PASSWORD, OwnUse, later_undone, own_use_venue

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
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
        claim.write_text(json.dumps(altered | {"epoch": 9}))
        run = venue.run(CAROL, "verify", claim, "--json")
        assert run.returncode == 1
        assert "RuleRegistryEpochNotKept(epoch = 9" in json.loads(run.stdout)["findings"][-1]


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


class Netters:
    """Owners with wallets of their own who net on the console, in this process; every file has a name in a folder."""

    def __init__(self, venue: OwnUse, folder: Path) -> None:
        self.venue, self.folder = venue, folder
        for owner in (ALICE, BOB, CAROL):
            with create_wallet(folder / f"wallet{owner}", PASSWORD, cost=16):
                pass

    def _run(self, owner: int, arguments: tuple[str, ...], typed: str | None) -> subprocess.CompletedProcess[str]:
        """Words with a dot are files."""
        words = [self.folder / word if "." in word else word for word in arguments]
        variables = self.venue.variables(owner) | {"ZKMARGIN_WALLET": str(self.folder / f"wallet{owner}")}
        return run_in_process(*words, "--json", variables=variables, typed=typed)

    def does(self, owner: int, *arguments: str, typed: str | None = None) -> dict[str, Any]:
        run = self._run(owner, arguments, typed)
        assert run.returncode == 0, run.stderr
        fields: dict[str, Any] = json.loads(run.stdout)
        return fields

    def refuses(self, owner: int, *arguments: str) -> str:
        run = self._run(owner, arguments, None)
        assert (run.returncode, run.stdout) == (1, "")
        return run.stderr

    def propose(self, name: str, receiver: int, giver: int, **quantities: int) -> None:
        """A leg is offered and answered, in name.offer and name.answer."""
        names = {"option": OPTION, "usd": "USD"}
        change = json.dumps({names[key]: quantity for key, quantity in quantities.items()})
        self.does(receiver, "netting", "offer", "-", f"{name}.offer", typed=change)
        self.does(giver, "netting", "accept", f"{name}.offer", f"{name}.answer", "--yes")

    def agree(self, name: str, receiver: int, giver: int, **quantities: int) -> str:
        """A pair agrees on a leg, whose public half is name.leg; its name on chain."""
        self.propose(name, receiver, giver, **quantities)
        leg: str = self.does(receiver, "netting", "agree", f"{name}.answer", f"{name}.leg")["leg"]
        return leg

    def sign(self, owner: int, terms: str, *options: str) -> str:
        """An owner's side of terms; its file."""
        side = f"{terms}.{owner}.side"
        self.does(owner, "netting", "sign", terms, side, "--yes", *options)
        return side

    def held(self, owner: int) -> tuple[Decimal, Decimal]:
        """Cash and options of an account, as its wallet finds them once the netting is over."""
        (account,) = self.does(owner, "status")["accounts"]
        return Decimal(account["trader_knows"]["USD"]), Decimal(account["trader_knows"][OPTION])

    def alter(self, source: str, target: str, change: Callable[[dict[str, Any]], object]) -> None:
        """A copy of a file with something changed."""
        fields = json.loads((self.folder / source).read_text())
        change(fields)
        (self.folder / target).write_text(json.dumps(fields))


def test_three_owners_net_bound_and_open(venue: OwnUse, tmp_path: Path) -> None:
    with later_undone(venue):
        netters = Netters(venue, tmp_path)
        netters.does(CAROL, "deposit", DEPOSIT)
        large = _open_without_the_leg_that_nobody_can_carry(netters)
        _bound_as_a_whole(netters, large)
        assert netters.held(ALICE) == (Decimal(435_000), Decimal(5))
        assert netters.held(BOB) == (Decimal(552_500), Decimal(-4))
        assert netters.held(CAROL) == (Decimal(512_500), Decimal(-1))


def _open_without_the_leg_that_nobody_can_carry(netters: Netters) -> str:
    """Carol cannot carry hers: the two others settle without it, Bob knowingly. The name of the leg that is left."""
    netters.propose("first", ALICE, BOB, option=3, usd=-40_000)
    netters.alter("first.answer", "altered.answer", lambda fields: fields["blinds"].update({"0": 1}))
    message = netters.refuses(ALICE, "netting", "agree", "altered.answer", "none.leg")
    assert "is for another change than the one offered" in message
    netters.alter("first.offer", "altered.offer", lambda fields: fields["quantities"].update({OPTION: "4"}))
    message = netters.refuses(BOB, "netting", "accept", "altered.offer", "none.answer", "--yes")
    assert "you have accepted another offer by the name" in message
    first = netters.does(ALICE, "netting", "agree", "first.answer", "first.leg")["leg"]
    assert netters.does(ALICE, "netting", "agree", "first.answer", "copy.leg")["leg"] == first
    large = netters.agree("large", BOB, CAROL, option=500)
    netters.does(BOB, "netting", "accept", "first.offer", "again.answer", "--yes")
    answers = [(netters.folder / name).read_bytes() for name in ("first.answer", "again.answer")]
    assert answers[0] == answers[1]
    netters.does(ALICE, "netting", "terms", "first.leg", "large.leg", "all.terms", "--open")
    assert "margin is not covered in" in netters.refuses(CAROL, "netting", "sign", "all.terms", "none.side", "--yes")
    netters.does(ALICE, "netting", "terms", "first.leg", "rest.terms", "--open")
    assert f"(--without {large})" in netters.refuses(BOB, "netting", "sign", "rest.terms", "none.side", "--yes")
    message = netters.refuses(BOB, "netting", "sign", "rest.terms", "none.side", "--yes", "--without", first)
    assert "is in the terms" in message
    assert "has no leg in these terms" in netters.refuses(CAROL, "netting", "sign", "rest.terms", "none.side", "--yes")
    sides = netters.sign(ALICE, "rest.terms"), netters.sign(BOB, "rest.terms", "--without", large)
    assert "1 of 2 sides are missing, of account " in netters.refuses(
        ALICE, "netting", "settle", "rest.terms", sides[0]
    )
    assert "is for other terms" in netters.refuses(ALICE, "netting", "settle", "all.terms", *sides)
    settled = netters.does(CAROL, "netting", "settle", "rest.terms", *sides)
    assert (settled["mode"], settled["legs"], settled["accounts"]) == ("open", 1, 2)
    assert "has been settled already" in netters.refuses(ALICE, "netting", "sign", "rest.terms", "none.side", "--yes")
    assert "do not agree on them anew" in netters.refuses(CAROL, "netting", "settle", "rest.terms", *sides)
    legs = {leg["leg"]: leg["settled"] for leg in netters.does(BOB, "netting", "legs")["legs"]}
    assert legs == {first: True, large: False}
    return large


def _bound_as_a_whole(netters: Netters, large: str) -> None:
    """All or nothing; a terms file with anything else than agreed on is signed by nobody whom it concerns."""
    second = netters.agree("second", ALICE, CAROL, option=2, usd=-25_000)
    third = netters.agree("third", CAROL, BOB, option=1, usd=-12_500)
    made = netters.does(BOB, "netting", "terms", "second.leg", "third.leg", "bound.terms")
    assert made["mode"] == "bound"
    assert made["accounts"] == [netters.venue.account(owner) for owner in (ALICE, CAROL, BOB)]

    def renamed(fields: dict[str, Any]) -> None:
        fields["legs"][1]["trade"] = "0" * 32

    def prolonged(fields: dict[str, Any]) -> None:
        fields["legs"][1]["deadline"] += 1

    def doubled(fields: dict[str, Any]) -> None:
        fields["legs"].append(fields["legs"][0])

    def crossed(fields: dict[str, Any]) -> None:
        fields["participants"][1]["nonce"] = fields["legs"][0]["giver_nonce"]

    def lowered(fields: dict[str, Any]) -> None:
        fields["participants"][1]["nonce"] = 3  # a trade of two may come to it: the legs would look settled

    def spoiled(fields: dict[str, Any]) -> None:
        fields["differences"][0] = "0x" + "11" * 96

    tampered = (
        *((renamed, "never agreed on"), (prolonged, "has another deadline than")),
        *((doubled, "stands there twice"), (crossed, "for something else"), (lowered, "for something else")),
    )
    for change, expected in tampered:
        netters.alter("bound.terms", f"{change.__name__}.terms", change)
        sign = ("netting", "sign", f"{change.__name__}.terms", "none.side", "--yes", "--without", large)
        assert expected in netters.refuses(CAROL, *sign)
    netters.alter("second.leg", "spoiled.leg", spoiled)
    assert "cannot be settled" in netters.refuses(BOB, "netting", "terms", "spoiled.leg", "none.terms")
    assert "stands there twice" in netters.refuses(BOB, "netting", "terms", "third.leg", "third.leg", "none.terms")
    # Saved and signed, but nothing could be handed over; what is signed next is as good.
    assert "cannot be written" in netters.refuses(ALICE, "netting", "sign", "bound.terms", "second.leg", "--yes")
    sides = [
        netters.sign(ALICE, "bound.terms"),
        netters.sign(BOB, "bound.terms", "--without", large),
        netters.sign(CAROL, "bound.terms", "--without", large),
    ]
    with later_undone(netters.venue):
        netters.does(CAROL, "deposit", "1")
        settle = ("netting", "settle", "bound.terms", *sides)
        assert "has changed since (state version 2, signed at 1)" in netters.refuses(ALICE, *settle)
        message = netters.refuses(CAROL, "netting", "sign", "bound.terms", "none.side", "--yes", "--without", large)
        assert "your account has changed since (state version 2, 1 in the terms)" in message
    with later_undone(netters.venue):
        netters.venue.chain.request("evm_increaseTime", [1801])
        netters.venue.chain.request("evm_mine", [])
        assert f"of leg {second} is not within" in netters.refuses(ALICE, "netting", "settle", "bound.terms", *sides)
        netters.venue.chain.request("evm_increaseTime", [MAXIMUM_AGE])
        netters.venue.chain.request("evm_mine", [])
        assert "RuleRegistryStaleEpoch" in netters.refuses(ALICE, "netting", "settle", "bound.terms", *sides)
    settled = netters.does(ALICE, "netting", "settle", "bound.terms", *reversed(sides))
    assert (settled["mode"], settled["legs"], settled["accounts"]) == ("bound", 2, 3)
    assert "do not agree on them anew" in netters.refuses(ALICE, "netting", "settle", "bound.terms", *sides)
    assert third in {leg["leg"] for leg in netters.does(BOB, "netting", "legs")["legs"] if leg["settled"]}


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
        (("verify", "nowhere.json"), "claim nowhere.json: the file cannot be read"),
        (("prove", "--no-send", "--out", "nowhere/claim.json"), "claim nowhere/claim.json cannot be written"),
        (("deposit", "1_000"), "'1_000' is no number"),
        (("deposit", "\uff11"), "is no number"),
        (("payout", str(1 << 64)), "is not in the range"),
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


def test_a_rule_published_twice(venue: OwnUse, tmp_path: Path) -> None:
    """Known before blobs are paid for."""
    height = venue.chain.block_number()
    assert "these rules are published already, as epoch 1, active from" in venue.refuses(0, "publish")
    fields = json.loads(EXAMPLE_MARKET.read_text())
    fields["underlyings"]["BTC"]["index_price"] += 1.0
    other = tmp_path / "market.json"
    other.write_text(json.dumps(fields))
    message = venue.refuses(0, "publish", "--market", other)
    assert re.search(r"the snapshot is of (\d+), that of epoch 1 of \1: take a new market snapshot", message)
    assert venue.chain.block_number() == height


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
    fields = json.loads(venue.deployment_file.read_text())
    other = tmp_path / "deployment.json"
    other.write_text(json.dumps(fields | {"registry": "0x" + "11" * 20}))
    assert "there is no contract at" in venue.refuses(ALICE, "deposit", "1", "--deployment", other)
    other.write_text(json.dumps(fields | {"vault": fields["verifier"]}))
    message = venue.refuses(ALICE, "deposit", "1", "--deployment", other)
    assert f"goes with vault {fields['vault']}, not {fields['verifier']}: check the deployment file" in message


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
        ("netting", "offer"),
        ("netting", "accept"),
        ("netting", "agree"),
        ("netting", "terms"),
        ("netting", "sign"),
        ("netting", "settle"),
        ("netting", "legs"),
        ("publish",),
    ):
        shown = run_in_process(*name, "--help").stdout
        assert "--password" not in shown
        assert "--key " not in shown
        assert PASSWORD not in shown
