"""A file of numbers alone, as do-not-call lists come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from crm_store.errors import BadRecord
from crm_store.outbound.list_file import ListFile, refusals
from crm_store.outbound.people import Draft, read_number
from crm_store.outbound.views import Problem

_AT_ONCE: Final = 500
_AREA_DIGITS: Final = 3
_REST_DIGITS: Final = 7

Piece = tuple[list[str], list[tuple[Draft, Problem]]]
"""Numbers in E.164, and rows without any."""


class NumberFile:
    """An open file. Raises `BadRecord` for one in which no numbers are found."""

    def __init__(self, file: Path, *, region: str) -> None:
        self._listed = ListFile(file, mapping=None, sheet="", region=region)
        self._is_divided = False
        if not self._listed.has_numbers:
            self._is_divided = region == "US" and len(self._listed.columns) == 2
            if not self._is_divided:
                self.close()
                raise BadRecord(self._listed.without_numbers("head the one that does `phone`"))

    @property
    def share(self) -> float:
        """How much of it has been read, 0 to 1."""
        return self._listed.sheet.share

    def headers(self) -> list[str]:
        """The names of its columns."""
        return self._listed.headers()

    async def pieces(self) -> AsyncIterator[Piece]:
        """All of it in pieces, read away from the loop."""
        drafts = self._drafts()
        while piece := await asyncio.to_thread(lambda: list(islice(drafts, _AT_ONCE))):
            numbers = [number for _, found in piece for number in found]
            bad = [draft for draft, found in piece if not found]
            yield numbers, refusals(bad)

    def close(self) -> None:
        """Let go of the file."""
        self._listed.close()

    def _drafts(self) -> Iterator[tuple[Draft, tuple[str, ...]]]:
        for draft in self._listed.drafts():
            yield draft, self._joined(draft) if self._is_divided else draft.numbers

    def _joined(self, draft: Draft) -> tuple[str, ...]:
        """Area code and number of the United States in two columns, as the national list has them."""
        digits = [cell.strip() for cell in draft.cells[:2]]
        if [len(each) for each in digits] != [_AREA_DIGITS, _REST_DIGITS]:
            return ()
        number, _ = read_number("".join(digits), self._listed.region)
        return () if number is None else (number,)
