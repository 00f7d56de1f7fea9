"""A file that becomes a list: opened, its columns told apart, read in pieces away from the loop."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import re
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Final, TextIO

from crm_store.errors import BadRecord
from crm_store.outbound.columns import columns_of, is_header, unread_numbers
from crm_store.outbound.people import Draft, Reader
from crm_store.outbound.sheet import Sheet, SheetRow, letter
from crm_store.outbound.sheets import open_sheet
from crm_store.outbound.texts import harmless
from crm_store.outbound.views import Column, Problem, Target

_SAMPLES: Final = 50
_AT_ONCE: Final = 250
"""Rows of one piece: some hundredths of a second of computing, and of the database's time."""
_REFUSED: Final = re.compile(r"row of import (\d{1,9})")
"""A header of a file of refused rows: it says how the columns were read before."""


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
                raise BadRecord(f"the file has no rows{self._elsewhere}")
            self.has_header = not first[0].fault and is_header(first[0].cells, region)
            self._headers = first[0].cells if self.has_header else ()
            self._ahead = first[1:] if self.has_header else first
            self._samples = [row.cells for row in self._ahead if not row.fault]
            self._mapping, self._agents = mapping, agents
            self.read_as({})
        except BaseException:
            self.sheet.close()
            raise

    def read_as(self, before: Mapping[str, Target]) -> None:
        """Tell columns apart; those with these headers as they were in an earlier import. Before all rows."""
        self.columns: tuple[Column, ...] = columns_of(
            self._headers, self._samples, self._mapping, self.region, before
        )
        self._reader = Reader(self.columns, self.region, self._agents)

    @property
    def refused_by(self) -> int | None:
        """The import whose refused rows these are, if they are any's."""
        found = (_REFUSED.fullmatch(" ".join(header.split())) for header in self._headers)
        return next((int(each[1]) for each in found if each), None)

    @property
    def faults(self) -> list[str]:
        """What should be known of the file as a whole."""
        found = list(self.sheet.faults)
        if not self.has_numbers:
            found.append(self.no_numbers)
        elif not self._ahead:
            found.append("below its headers the file has no rows")
        found += [
            f"column {header!r} seems to hold telephone numbers, but is read as a fact; if people are "
            f'to be called there say that it is a phone (--map "{header}=phone", mapping)'
            for header in unread_numbers(self.columns, self._samples, self.region)
        ]
        return found

    @property
    def has_numbers(self) -> bool:
        """Whether any column is one of numbers."""
        return any(column.target is Target.PHONE for column in self.columns)

    @property
    def no_numbers(self) -> str:
        """What to say where none is."""
        return self.without_numbers('say which one does (--map "COLUMN=phone", mapping)')

    def without_numbers(self, remedy: str) -> str:
        """The same, with what to do about it in the words of another command."""
        names = ", ".join(column.header for column in self.columns[:20])
        words = f"no column of the file holds telephone numbers; {remedy}. It has: {names}"
        return words + self._elsewhere

    @property
    def _elsewhere(self) -> str:
        """The sheets that were not looked at."""
        if not self.sheet.others:
            return ""
        more = ", ".join(self.sheet.others[:20])
        return f"; only sheet {self.sheet.name!r} was looked at, others are {more}"

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

    def __init__(self, path: Path | None, headers: Sequence[str], batch: int | None = None) -> None:
        """`batch` is the import that knows what the columns are."""
        self._path = path
        self._headers = headers
        self._row = "import row" if batch is None else f"row of import {batch}"
        self._stream: TextIO | None = None

    def add(self, found: Sequence[tuple[Draft, Problem]]) -> None:
        """Append rows. The file is made with the first."""
        if self._path is None or not found:
            return
        if self._stream is None:
            self._stream = self._path.open("w", encoding="utf-8-sig", newline="")
            # Ours stand first: a row may have more cells than the file has headers.
            csv.writer(self._stream).writerow(
                [self._row, "import reason", *map(harmless, self._headers)]
            )
        writer = csv.writer(self._stream)
        width = len(self._headers)
        for draft, problem in found:
            cells = [harmless(cell) for cell in draft.cells]
            cells += [""] * (width - len(cells))
            writer.writerow([str(draft.row), harmless(problem.words), *cells])

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
