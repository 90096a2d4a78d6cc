"""Writes reports to files that only their owner can read, as they hold secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prover.errors import ReportError, WalletError
from prover.reports.export import csv_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from prover.reports.report import RiskReport
    from prover.reports.tables import TableData
    from prover.reports.what_if import WhatIf

FOLDER_MODE: Final = 0o700


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """Where a report goes.

    Attributes:
        csv: file of tables.
        html: the page.
        png: folder of pictures.
        replace: whether files that are there already may be replaced.
    """

    csv: Path | None = None
    html: Path | None = None
    png: Path | None = None
    replace: bool = False

    def require_free(self) -> None:
        """Say before any work that a file is in the way.

        Raises:
            ReportError: a file, or the folder of pictures, exists and may not be replaced.
        """
        for path in (self.csv, self.html, self.png):
            if path is not None and path.exists() and not self.replace:
                raise ReportError(f"{path} exists: give another path, or --force to replace it")

    def write(self, report: RiskReport, compared: Sequence[WhatIf], tables: Sequence[TableData]) -> tuple[Path, ...]:
        """Write what was asked for.

        Returns:
            Paths of all files written.

        Raises:
            ReportError: a file exists and may not be replaced, or cannot be written.
        """
        written = []
        for path, content in self._contents(report, compared, tables):
            self._write(path, content)
            written.append(path)
        return tuple(written)

    def _contents(
        self, report: RiskReport, compared: Sequence[WhatIf], tables: Sequence[TableData]
    ) -> Iterator[tuple[Path, bytes]]:
        if self.csv is not None:
            yield self.csv, csv_text(tables).encode()
        if self.html is not None:
            from prover.reports.html import html_page  # noqa: PLC0415 - brings matplotlib and Jinja

            yield self.html, html_page(report, compared).encode()
        if self.png is not None:
            from prover.reports.drawing import png_bytes  # noqa: PLC0415 - brings matplotlib
            from prover.reports.pictures import report_pictures  # noqa: PLC0415 - the same

            self._make_folder(self.png)
            for picture in report_pictures(report):
                yield self.png / f"{picture.name}.png", png_bytes(picture.draw())

    def _make_folder(self, path: Path) -> None:
        try:
            path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        except OSError as error:
            raise ReportError(f"folder {path} cannot be made ({error.strerror}): give another path") from error

    def _write(self, path: Path, content: bytes) -> None:
        from prover.account.secret_file import PART_SUFFIX, write_owner_only  # noqa: PLC0415 - brings cryptography

        part = path.with_name(f".{path.name}{PART_SUFFIX}") if self.replace else path
        try:
            if self.replace:
                part.unlink(missing_ok=True)
            write_owner_only(part, content)
            part.replace(path)
        except OSError as error:
            raise ReportError(f"{path} cannot be written ({error.strerror}): give another path") from error
        except WalletError as error:
            raise ReportError(f"report {error}") from error
