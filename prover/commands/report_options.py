"""What ``zkmargin exposure`` and ``zkmargin margin`` have in common: what is reported on, and where the report goes."""

from __future__ import annotations

import functools
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click

from prover.commands.options import json_option, market_options, place_options, wallet_option, wallet_password
from prover.reports.files import ReportFiles
from prover.terminal import plain_table, print_table, progress
from verifier.rules.rule_kind import PUBLISHED_KINDS, RuleKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prover.commands.options import MarketFiles, Place
    from prover.reports.report import RiskReport
    from prover.reports.subject import RuleSource, Subject
    from prover.reports.tables import TableData
    from prover.reports.what_if import WhatIf
    from prover.rules.co_movement import CoMovement
    from prover.rules.slots import SlotTable

_Function = TypeVar("_Function", bound="Callable[..., Any]")
_KINDS: Final = [kind.name.lower() for kind in PUBLISHED_KINDS]
MOST_ROWS: Final = 15
"""Of a table on the terminal."""

_FILE: Final = click.Path(path_type=Path, dir_okay=False)
_INPUT: Final = click.Path(path_type=Path, dir_okay=False, allow_dash=True)


@dataclass(frozen=True, slots=True)
class Movements:
    """How underlyings move together, as options say it.

    Attributes:
        histories: files of daily prices, one a coin.
        column: of prices in them.
        betas: stated, by coin.
        reference: coin that betas refer to; ``None`` for the first history, or what stated betas leave.
    """

    histories: tuple[Path, ...]
    column: str
    betas: dict[str, float]
    reference: str | None

    def known(self, underlyings: Sequence[str]) -> CoMovement | None:
        """Betas and correlations; ``None`` when no option says anything.

        Args:
            underlyings: of the market; without a reference, stated betas refer to the first coin whose beta is stated
                as 1, else to the first that none is stated for.

        Raises:
            MethodologyError: a file of prices cannot be used.
            MarketDataError: the reference is not among them.
        """
        from prover.market.price_history import read_price_history  # noqa: PLC0415 - brings numpy
        from prover.rules.co_movement import CoMovement, estimate_co_movement  # noqa: PLC0415 - the same

        if self.histories:
            history = read_price_history(self.histories, self.column)
            return estimate_co_movement(history, self.reference or history.assets[0])
        if not self.betas:
            return None
        likely = [coin for coin in (*self.betas, *underlyings) if self.betas.get(coin, 1.0) == 1.0]
        reference = self.reference or next(iter(likely), underlyings[0])
        if self.betas.get(reference, 1.0) != 1.0:
            raise click.UsageError(
                f"--beta {reference}={self.betas[reference]:g}: betas refer to {reference}, whose own is 1: leave it "
                "out, or name another --reference"
            )
        return CoMovement(reference, {**self.betas, reference: 1.0})


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What a report command was asked for.

    Attributes:
        portfolios: files of quantities; none for an account of the wallet.
        place: of the account's clearing house.
        wallet: that holds the account.
        account: its identity; ``None`` when there is only one.
        files: market, list of slots and rule.
        books: to list the market in; ``None`` for as few as list everything held.
        kinds: of margin.
        movements: of underlyings.
        outputs: files to write.
        as_json: whether to print JSON instead of tables.
    """

    portfolios: tuple[Path, ...]
    place: Place
    wallet: Path
    account: str | None
    files: MarketFiles
    books: int | None
    kinds: tuple[RuleKind, ...]
    movements: Movements
    outputs: ReportFiles
    as_json: bool

    def gather(self, trade: Path | None = None) -> tuple[RiskReport, tuple[WhatIf, ...]]:
        """The report, and what a trade would change.

        Raises:
            ReportError: a file that is to be written is there already.
            ProverError: whatever is wrong with market, rule, portfolio or account.
        """
        from prover.reports.report import make_report, netted  # noqa: PLC0415 - brings numpy and scipy
        from prover.reports.what_if import add_trade  # noqa: PLC0415 - the same

        self.outputs.require_free()
        subject = self._subject(trade)
        movement = self.movements.known(subject.rules[0].universe.underlyings)
        rules = [rule for rule in subject.rules if rule.kind in self.kinds]
        with progress("measuring exposure and margin"):
            compared = () if subject.trade is None else add_trade(rules, netted(subject.holdings), subject.trade)
            return make_report(rules, subject.holdings, movement), compared

    def finish(
        self,
        report: RiskReport,
        compared: tuple[WhatIf, ...],
        *,
        tables: tuple[TableData, ...],
        fields: dict[str, Any],
    ) -> None:
        """Write the files, then print JSON or tables."""
        with progress("writing the report"):
            written = self.outputs.write(report, compared, tables)
        if self.as_json:
            click.echo(json.dumps(fields, allow_nan=False))
        else:
            for table in tables:
                _print(table)
        for path in written:
            click.echo(f"wrote {path}", err=True)

    def _subject(self, trade: Path | None) -> Subject:
        from prover.reports.subject import read_holdings, subject_of_files  # noqa: PLC0415 - brings numpy and scipy

        tried = None if trade is None else read_holdings(trade)
        if not self.portfolios:
            return self._subject_of_account(tried)
        contents = [read_holdings(path) for path in self.portfolios]
        with progress("building the margin rules"):
            return subject_of_files(self._source(self.files.slots), contents, tried)

    def _subject_of_account(self, trade: bytes | None) -> Subject:
        from prover.account.wallet import open_wallet  # noqa: PLC0415 - brings cryptography
        from prover.reports.subject import subject_of_account  # noqa: PLC0415 - brings numpy and scipy

        if not self.place.deployment.exists():
            raise click.UsageError(
                f"name a PORTFOLIO file; for an account of the wallet, the deployment file {self.place.deployment} is "
                "missing: give it by --deployment"
            )
        source, venue = self._source(self.files.slots_at(self.place)), self.place.connect()
        with open_wallet(self.wallet, wallet_password(confirm=False)) as wallet, progress("building the margin rules"):
            return subject_of_account(source, venue, wallet, self.account, trade)

    def _source(self, slots: Path | None) -> RuleSource:
        from prover.market.market_files import load_market  # noqa: PLC0415 - brings numpy and scipy
        from prover.reports.subject import RuleSource  # noqa: PLC0415 - the same

        return RuleSource(
            snapshot=load_market(self.files.market),
            definition=self.files.definition(),
            slots=None if slots is None else _load_slots(slots),
            books=self.books,
        )


def _load_slots(path: Path) -> SlotTable:
    from prover.rules.rule_book import load_slots  # noqa: PLC0415 - brings the chain client

    return load_slots(path)


def _print(table: TableData) -> None:
    if not table.rows:
        click.echo(f"{table.title}: none")
        return
    print_table(plain_table(table.title, [column.name for column in table.columns], table.texts[:MOST_ROWS]))
    if len(table.rows) > MOST_ROWS:
        click.echo(f"… {len(table.rows) - MOST_ROWS} more rows: see them by --csv, --html or --json")


def _betas(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, float]:
    betas = {}
    for value in values:
        coin, _, number = value.partition("=")
        try:
            betas[coin] = float(number)
        except ValueError as error:
            raise click.BadParameter(f"{value!r} is no COIN=NUMBER, as in ETH=1.2") from error
        if not math.isfinite(betas[coin]):
            raise click.BadParameter(f"{value!r}: a beta is a finite number")
    return betas


def report_options(function: _Function) -> _Function:
    """All options of a report, given to the command as ``request``."""

    @click.argument("portfolios", nargs=-1, type=_INPUT, metavar="[PORTFOLIO]...")
    @place_options
    @wallet_option
    @click.option("--account", help="Account of the wallet, where it has several: 0x and 64 hexadecimal digits.")
    @market_options
    @click.option("--books", type=click.IntRange(1, 16), help="Books to list the market in.  [default: as needed]")
    @click.option("--kind", type=click.Choice(_KINDS), help="Kind of margin.  [default: both]")
    @_movement_options
    @_output_options
    @json_option
    @functools.wraps(function)
    def wrapped(*, portfolios: tuple[Path, ...], kind: str | None, as_json: bool, **options: Any) -> object:  # noqa: ANN401 - click's
        kinds = PUBLISHED_KINDS if kind is None else (RuleKind[kind.upper()],)
        own = {name: options.pop(name) for name in _REQUESTED}
        request = ReportRequest(portfolios=portfolios, kinds=kinds, as_json=as_json, **own)
        return function(request=request, **options)

    return cast("_Function", wrapped)


_REQUESTED: Final = ("place", "wallet", "account", "files", "books", "movements", "outputs")


def _movement_options(function: _Function) -> _Function:
    """How underlyings move together, given to the command as ``movements``."""

    @click.option("--history", "histories", multiple=True, type=_FILE, help="Daily prices of a coin (CSV), for betas.")
    @click.option("--history-column", "column", default="close", show_default=True, help="Column of prices in it.")
    @click.option(
        "--beta", "betas", multiple=True, callback=_betas, metavar="COIN=NUMBER", help="Stated, without histories."
    )
    @click.option("--reference", help="Coin that betas refer to.  [default: the first history; else by the betas]")
    @functools.wraps(function)
    def wrapped(
        *,
        histories: tuple[Path, ...],
        column: str,
        betas: dict[str, float],
        reference: str | None,
        **options: object,
    ) -> object:
        return function(movements=Movements(histories, column, betas, reference), **options)

    return cast("_Function", wrapped)


def _output_options(function: _Function) -> _Function:
    """Files to write, given to the command as ``outputs``."""

    @click.option("--csv", type=_FILE, help="Write all tables to this file.")
    @click.option("--html", type=_FILE, help="Write a page with tables and pictures to this file.")
    @click.option("--png", type=click.Path(path_type=Path, file_okay=False), help="Write the pictures to this folder.")
    @click.option("--force", is_flag=True, help="Replace files that exist.")
    @functools.wraps(function)
    def wrapped(*, csv: Path | None, html: Path | None, png: Path | None, force: bool, **options: object) -> object:
        return function(outputs=ReportFiles(csv, html, png, replace=force), **options)

    return cast("_Function", wrapped)
