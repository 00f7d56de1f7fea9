"""A file that becomes a list: opened, its columns told apart, read in pieces away from the loop."""

from __future__ import annotations

import asyncio
import contextlib
import csv
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Final, TextIO

from crm_store.errors import BadRecord
from crm_store.outbound.columns import columns_of, is_header
from crm_store.outbound.people import Draft, Reader
from crm_store.outbound.sheet import Sheet, SheetRow, letter
from crm_store.outbound.sheets import open_sheet
from crm_store.outbound.texts import harmless
from crm_store.outbound.views import Column, Problem, Target

_SAMPLES: Final = 50
_AT_ONCE: Final = 250
"""Rows of one piece: some hundredths of a second of computing, and of the database's time."""


class ListFile:
    """An open file with what is known of its columns. Raises `BadRecord` for one that cannot be read."""

    def __init__(
        self,
        file: Path,
        *,
        mapping: Mapping[str, Target] | None,
        sheet: str,
        region: str,
        agents: Collection[str] | None = None,
    ) -> None:
        self.region = region
        self.sheet: Sheet = open_sheet(file, sheet)
        try:
            self._rows = self.sheet.rows()
            first = list(islice(_filled(self._rows), _SAMPLES + 1))
            if not first:
                raise BadRecord("the file has no rows")
            self.has_header = not first[0].fault and is_header(first[0].cells, region)
            headers = first[0].cells if self.has_header else ()
            self._ahead = first[1:] if self.has_header else first
            samples = [row.cells for row in self._ahead if not row.fault]
            self.columns: tuple[Column, ...] = columns_of(headers, samples, mapping, region)
        except BaseException:
            self.sheet.close()
            raise
        self._reader = Reader(self.columns, region, agents)

    @property
    def has_numbers(self) -> bool:
        """Whether any column is one of numbers."""
        return any(column.target is Target.PHONE for column in self.columns)

    @property
    def no_numbers(self) -> str:
        """What to say where none is."""
        names = ", ".join(column.header for column in self.columns[:20])
        return f"no column of the file holds telephone numbers; say which one does. It has: {names}"

    def drafts(self) -> Iterator[Draft]:
        """Every row as a person, once. Empty rows are passed over."""
        for row in chain(self._ahead, _filled(self._rows)):
            yield self._reader.read(row)

    async def pieces(self) -> AsyncIterator[list[Draft]]:
        """All rows in pieces, read away from the loop."""
        drafts = self.drafts()
        while piece := await asyncio.to_thread(lambda: list(islice(drafts, _AT_ONCE))):
            yield piece

    def headers(self) -> list[str]:
        """The names of the columns, as an error file repeats them."""
        return [
            column.header if self.has_header else letter(column.index) for column in self.columns
        ]

    def close(self) -> None:
        """Let go of the file. A thread may still be reading it, if the import was given up: it will fail."""
        with contextlib.suppress(ValueError):  # what a generator that runs says
            self._rows.close()
        self.sheet.close()


class ErrorFile:
    """The rows that were refused, as they were, with the reason: a CSV that can be mended and imported."""

    def __init__(self, path: Path | None, headers: Sequence[str]) -> None:
        self._path = path
        self._headers = headers
        self._stream: TextIO | None = None

    def add(self, found: Sequence[tuple[Draft, Problem]]) -> None:
        """Append rows. The file is made with the first."""
        if self._path is None or not found:
            return
        if self._stream is None:
            self._stream = self._path.open("w", encoding="utf-8-sig", newline="")
            csv.writer(self._stream).writerow(
                [*map(harmless, self._headers), "import row", "import reason"]
            )
        writer = csv.writer(self._stream)
        width = len(self._headers)
        for draft, problem in found:
            cells = [harmless(cell) for cell in draft.cells]
            cells += [""] * (width - len(cells))
            writer.writerow([*cells, str(draft.row), problem.words])

    def close(self) -> None:
        """Finish the file, if there is one."""
        if self._stream is not None:
            self._stream.close()


def refusals(drafts: Sequence[Draft]) -> list[tuple[Draft, Problem]]:
    """The drafts that are not taken, with all reasons in one."""
    found: list[tuple[Draft, Problem]] = []
    for draft in drafts:
        fatal = [problem for problem in draft.problems if problem.fatal]
        if fatal:
            words = "; ".join(problem.words for problem in fatal)
            found.append((draft, Problem(row=draft.row, code=fatal[0].code, words=words)))
    return found


def _filled(rows: Iterator[SheetRow]) -> Iterator[SheetRow]:
    return (row for row in rows if not row.is_empty)
