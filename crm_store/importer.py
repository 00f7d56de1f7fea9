"""Customers from CSV. Every line is checked; a bad line is reported and stops none of the others.

The first line names the columns: `name` is needed; `company`, `kind`, `tier`, `language`,
`remarks`, `reference`, `phone`, `email` may follow. A column may come several times (`phone,phone`),
and a cell may hold several values with `;` between them. Lines with a `reference` that is known
change that customer instead of adding one.
"""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from crm_store.errors import BadRecord
from crm_store.facts import CustomerDraft
from crm_store.store import Store

_SINGLE: Final = ("name", "company", "kind", "tier", "language", "remarks", "reference")
_SEVERAL: Final = ("phone", "email")
MAX_LINE: Final = 100_000
"""Characters of one line; a file with longer ones is not a list of customers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineResult:
    """What became of one line."""

    line: int
    """From 1, the line of column names included."""
    name: str
    added: bool = False
    """True: new; false: changed, or refused when `error` says why."""
    error: str = ""


async def import_customers(store: Store, lines: Iterable[str]) -> AsyncIterator[LineResult]:
    """Import line by line. Raises `BadRecord` when the first line does not name the columns."""
    for line, draft in read_drafts(lines):
        if isinstance(draft, str):
            yield LineResult(line=line, name="", error=draft)
            continue
        try:
            _, added = await store.put_customer(draft)
        except BadRecord as error:
            yield LineResult(line=line, name=draft.name, error=str(error))
        else:
            yield LineResult(line=line, name=draft.name, added=added)


def read_drafts(lines: Iterable[str]) -> Iterator[tuple[int, CustomerDraft | str]]:
    """Read the file: line number, and a draft or what is wrong with the line."""
    reader = csv.reader(_limited(lines), strict=True)
    columns: list[str] | None = None
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            if columns is None:
                raise BadRecord(f"line 1: {error}") from error
            yield reader.line_num, f"not readable as CSV: {error}"
            continue
        if columns is None:
            columns = _columns(cells)
        elif any(cell.strip() for cell in cells):
            yield reader.line_num, _draft(columns, cells)
    if columns is None:
        raise BadRecord("the file is empty; the first line must name the columns")


def _columns(cells: list[str]) -> list[str]:
    columns = [cell.strip().lower().removeprefix("\ufeff") for cell in cells]
    for column in columns:
        if column not in _SINGLE and column not in _SEVERAL:
            known = ", ".join((*_SINGLE, *_SEVERAL))
            raise BadRecord(f"line 1: column {column!r} is not known; known are {known}")
    for column in _SINGLE:
        if columns.count(column) > 1:
            raise BadRecord(f"line 1: column {column!r} comes twice")
    if "name" not in columns:
        raise BadRecord("line 1: there is no column 'name'")
    return columns


def _draft(columns: list[str], cells: list[str]) -> CustomerDraft | str:
    if len(cells) > len(columns):
        return f"{len(cells)} cells, but {len(columns)} columns are named in line 1"
    single = dict.fromkeys(_SINGLE, "")
    several: dict[str, list[str]] = {name: [] for name in _SEVERAL}
    for column, cell in zip(columns, cells, strict=False):
        if column in several:
            several[column] += [part.strip() for part in cell.split(";") if part.strip()]
        else:
            single[column] = cell.strip()
    if not single["name"]:
        return "the name is missing"
    return CustomerDraft(
        name=single["name"],
        kind=single["kind"] or "person",
        company=single["company"],
        tier=single["tier"],
        language=single["language"],
        remarks=single["remarks"],
        reference=single["reference"] or None,
        phones=tuple(several["phone"]),
        emails=tuple(several["email"]),
    )


def _limited(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_LINE:
            raise BadRecord(f"line {number} is longer than {MAX_LINE} characters")
        if "\0" in line:
            raise BadRecord(f"line {number} holds binary data; this is not a CSV file")
        yield line
