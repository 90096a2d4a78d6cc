"""Options that several commands share, and what they stand for."""

from __future__ import annotations

import functools
import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click
import platformdirs

from prover.account.passwords import KEYSTORE_PASSWORD_VARIABLE, WALLET_PASSWORD_VARIABLE, read_password
from prover.terminal import progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from eth_account.signers.local import LocalAccount

    from prover.account.account_session import AccountSession
    from prover.account.venue import Venue
    from prover.rules.rule_book import EpochRules
    from prover.rules.rule_definition import RuleDefinition
    from verifier.chain.chain_client import Receipt

DEFAULT_NODE: Final = "http://127.0.0.1:8545"
DEFAULT_DEPLOYMENT: Final = Path("deployment.json")
SLOTS_SUFFIX: Final = ".slots.json"
ARCHIVE_SUFFIX: Final = ".archive"
PROPOSAL_SUFFIX: Final = ".proposal.json"

_Function = TypeVar("_Function", bound="Callable[..., Any]")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command works.

    Attributes:
        node: address of the node.
        deployment: file.
    """

    node: str
    deployment: Path

    def connect(self) -> Venue:
        """Connect to the venue; see :func:`prover.account.venue.connect_venue` for errors."""
        from prover.account.venue import connect_venue  # noqa: PLC0415 - brings the chain client
        from verifier.deployment.deployment import Deployment  # noqa: PLC0415 - the same

        deployment = Deployment.load(self.deployment)
        with progress("connecting"):
            return connect_venue(self.node, deployment)

    @property
    def slots_beside(self) -> Path:
        """Where the list of slots is kept unless another file is named."""
        return self.deployment.with_suffix(SLOTS_SUFFIX)

    @property
    def proposal_beside(self) -> Path:
        """Where a proposal that others must sign is written unless another file is named."""
        return self.deployment.with_suffix(PROPOSAL_SUFFIX)

    @property
    def archives_beside(self) -> Path:
        """Where archives of published rules are kept unless another folder is named."""
        return self.deployment.with_suffix(ARCHIVE_SUFFIX)


@dataclass(frozen=True, slots=True)
class MarketFiles:
    """What the rules are rebuilt from.

    Attributes:
        market: snapshot or option chain.
        slots: list of slots, if one is named.
        rule: rule file or name of a shipped one; ``None`` for the shape's own.
    """

    market: Path
    slots: Path | None
    rule: str | None = None

    def definition(self) -> RuleDefinition | None:
        """The rule file; errors as :func:`prover.rules.rule_file.load_rule`."""
        from prover.rules.rule_file import load_rule  # noqa: PLC0415 - brings numpy

        return None if self.rule is None else load_rule(self.rule)

    def slots_at(self, place: Place) -> Path | None:
        """The list of slots: the one named, else the one beside the deployment file when there is one."""
        beside = place.slots_beside
        return self.slots or (beside if beside.exists() else None)

    def rules(self, place: Place, venue: Venue) -> EpochRules:
        """Rules of the active epoch; errors as :func:`prover.rules.rule_book.active_rules`."""
        from prover.rules.rule_book import active_rules  # noqa: PLC0415 - brings numpy and scipy

        with progress("rebuilding the margin rules from the market"):
            return active_rules(venue, self.market, self.slots_at(place), self.definition())


@dataclass(frozen=True, slots=True)
class Identity:
    """Who acts.

    Attributes:
        wallet: file.
        keystore: file; ``None`` for the key in the environment.
        subaccount: number of the account among its owner's.
        account: identity of another owner's account, for its operators; ``None`` for the signer's own.
    """

    wallet: Path
    keystore: Path | None
    subaccount: int
    account: str | None = None

    @contextmanager
    def session(self, venue: Venue, *, create: bool = False) -> Iterator[AccountSession]:
        """Open the wallet for a block; ``create`` makes a new one where there is none."""
        from prover.account.account_session import AccountSession  # noqa: PLC0415 - brings numpy
        from prover.account.wallet import create_wallet, open_wallet  # noqa: PLC0415 - brings cryptography
        from verifier.claim_file import parse_account  # noqa: PLC0415 - brings eth-abi

        key = signer(self.keystore)
        operated = None if self.account is None else parse_account(self.account)
        is_new = create and not self.wallet.exists()
        password = wallet_password(confirm=is_new)
        entry = create_wallet if is_new else open_wallet
        with entry(self.wallet, password) as wallet:
            yield AccountSession(venue, wallet, key, self.subaccount, account=operated)


def wallet_password(*, confirm: bool) -> str:
    """The wallet's password, from file, environment or prompt; ``confirm`` asks twice."""
    return read_password(
        WALLET_PASSWORD_VARIABLE,
        lambda: _ask("wallet", WALLET_PASSWORD_VARIABLE, confirm=confirm),
    )


def signer(keystore: Path | None) -> LocalAccount:
    """The key that signs transactions; asks for the keystore's password where it must."""
    from prover.account.signing_key import load_signer  # noqa: PLC0415 - brings eth-account, a second

    return load_signer(keystore, lambda: _ask("keystore", KEYSTORE_PASSWORD_VARIABLE, confirm=False))


def _ask(what: str, variable: str, *, confirm: bool) -> str:
    if not sys.stdin.isatty():
        raise click.UsageError(
            f"the {what} needs a password and nobody is there to ask: set {variable} or {variable}_FILE"
        )
    password: str = click.prompt(f"password of the {what}", hide_input=True, confirmation_prompt=confirm, err=True)
    return password


@dataclass(frozen=True, slots=True)
class Party:
    """Who acts where, and on which market.

    Attributes:
        place: node and deployment.
        identity: wallet, key and account.
        files: market and list of slots.
    """

    place: Place
    identity: Identity
    files: MarketFiles

    @contextmanager
    def session(self) -> Iterator[tuple[AccountSession, EpochRules]]:
        """Connect, rebuild the rules, open the wallet for a block."""
        venue = self.place.connect()
        rules = self.files.rules(self.place, venue)
        with self.identity.session(venue) as session:
            yield session, rules


def place_options(function: _Function) -> _Function:
    """``--node`` and ``--deployment``, given to the command as ``place``."""

    @click.option("--node", default=DEFAULT_NODE, envvar="ZKMARGIN_NODE", show_default=True, help="Node's address.")
    @click.option(
        "--deployment",
        type=click.Path(path_type=Path, dir_okay=False),
        default=DEFAULT_DEPLOYMENT,
        envvar="ZKMARGIN_DEPLOYMENT",
        show_default=True,
        help="Deployment file.",
    )
    @functools.wraps(function)
    def wrapped(*arguments: object, node: str, deployment: Path, **options: object) -> object:
        return function(*arguments, place=Place(node, deployment), **options)

    return cast("_Function", wrapped)


wallet_option: Final = click.option(
    "--wallet",
    type=click.Path(path_type=Path, dir_okay=False),
    default=lambda: platformdirs.user_data_path("zkmargin") / "wallet.json",
    envvar="ZKMARGIN_WALLET",
    help=f"Encrypted file with your positions and blinds; {WALLET_PASSWORD_VARIABLE}.  [default: in your data folder]",
)

keystore_option: Final = click.option(
    "--keystore",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="ZKMARGIN_KEYSTORE",
    help=f"Keystore file of the signing key; else ZKMARGIN_PRIVATE_KEY. Its password: {KEYSTORE_PASSWORD_VARIABLE}.",
)


def identity_options(function: _Function) -> _Function:
    """``--wallet``, ``--keystore``, ``--subaccount`` and ``--account``, given to the command as ``identity``."""

    @wallet_option
    @subaccount_option
    @click.option("--account", help="Another owner's account (0x and 64 hexadecimal digits) that you may sign for.")
    @keystore_option
    @functools.wraps(function)
    def wrapped(
        *arguments: object,
        wallet: Path,
        keystore: Path | None,
        subaccount: int,
        account: str | None,
        **options: object,
    ) -> object:
        return function(*arguments, identity=Identity(wallet, keystore, subaccount, account), **options)

    return cast("_Function", wrapped)


subaccount_option: Final = click.option(
    "--subaccount", type=click.IntRange(0, (1 << 96) - 1), default=0, help="Number of your account."
)

token_option: Final = click.option(
    "--token", help="Collateral token: its name, its number or its address.  [default: the quote collateral]"
)

rule_option: Final = click.option(
    "--rule",
    metavar="NAME|FILE",
    envvar="ZKMARGIN_RULE",
    help="Rule file, or name of one that comes with zkmargin.  [default: the shape's own]",
)


def market_options(function: _Function) -> _Function:
    """``--market``, ``--slots`` and ``--rule``, given to the command as ``files``."""

    @click.option(
        "--market",
        type=click.Path(path_type=Path),
        envvar="ZKMARGIN_MARKET",
        required=True,
        help="Market snapshot, book summary (JSON) or option chain (CSV); or a folder of the last two.",
    )
    @click.option(
        "--slots",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="ZKMARGIN_SLOTS",
        help=f"List of slots.  [default: the deployment file with {SLOTS_SUFFIX}, if it is there]",
    )
    @rule_option
    @functools.wraps(function)
    def wrapped(*arguments: object, market: Path, slots: Path | None, rule: str | None, **options: object) -> object:
        return function(*arguments, files=MarketFiles(market, slots, rule), **options)

    return cast("_Function", wrapped)


def party_options(function: _Function) -> _Function:
    """Options of place, identity and market, given to the command as ``party``."""

    @place_options
    @identity_options
    @market_options
    @functools.wraps(function)
    def wrapped(*arguments: object, place: Place, identity: Identity, files: MarketFiles, **options: object) -> object:
        return function(*arguments, party=Party(place, identity, files), **options)

    return cast("_Function", wrapped)


def _amount(_context: click.Context, _parameter: click.Parameter, value: str) -> Decimal:
    try:
        # Digits of other scripts and underlines are numbers to Python; in an amount of money they are mistakes.
        return Decimal(value if value.isascii() and "_" not in value else "")
    except InvalidOperation as error:
        raise click.BadParameter(f"{value!r} is no number") from error


amount_argument: Final = click.argument("amount", callback=_amount)

json_option: Final = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def print_result(values: dict[str, object], *, as_json: bool) -> None:
    """A result for people or for machines."""
    if as_json:
        click.echo(json.dumps(values))
        return
    width = max(len(name) for name in values)
    for name, value in values.items():
        click.echo(f"{name.replace('_', ' '):<{width}}  {_shown(value)}")


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def receipt_fields(receipt: Receipt) -> dict[str, object]:
    """What is told of a transaction."""
    return {
        "transaction": "0x" + receipt.transaction_hash.hex(),
        "block": receipt.block_number,
        "gas": receipt.gas_used,
    }
