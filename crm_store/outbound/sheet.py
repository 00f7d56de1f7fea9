"""A file of rows, whatever its format: rows of text, faults in words, and how far it is read.

Nothing in a file is trusted: sizes are looked at before they are believed, and a row that cannot be read is
given on with its reason, so that whoever sent the file can mend it.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final, Protocol

from msgspec import Struct

MOST_COLUMNS: Final = 256
LONGEST_CELL: Final = 10_000
"""Characters."""
MOST_ROWS: Final = 5_000_000


class SheetRow(Struct, frozen=True, kw_only=True):
    """One row."""

    row: int
    """From 1, as a spreadsheet counts."""
    cells: tuple[str, ...]
    fault: str = ""
    """Why it cannot be read; the cells are what there is of it then."""

    @property
    def is_empty(self) -> bool:
        return not self.fault and not any(cell.strip() for cell in self.cells)


class Sheet(Protocol):
    """An open file."""

    format: str
    encoding: str
    delimiter: str
    name: str
    """Of the sheet; empty for CSV."""
    others: tuple[str, ...]
    """Names of sheets of the same file that are not read."""
    faults: tuple[str, ...]
    """What should be known of the file as a whole."""

    def rows(self) -> Generator[SheetRow, None, None]:
        """Every row, from the first. Raises `BadRecord` where the file is damaged."""

    @property
    def share(self) -> float:
        """How much of it has been read, 0 to 1."""

    def close(self) -> None:
        """Let go of the file."""


def checked(row: int, cells: tuple[str, ...]) -> SheetRow:
    """A row, with a fault where it is out of all proportion; long cells are cut for the report."""
    if len(cells) > MOST_COLUMNS:
        return SheetRow(
            row=row, cells=cells[:MOST_COLUMNS], fault=f"more than {MOST_COLUMNS} columns"
        )
    for index, cell in enumerate(cells):
        if len(cell) > LONGEST_CELL:
            cut = tuple([each[:LONGEST_CELL] for each in cells])
            words = (
                f"cell {letter(index)} has {len(cell):,} characters; {LONGEST_CELL:,} are allowed"
            )
            return SheetRow(row=row, cells=cut, fault=words)
    return SheetRow(row=row, cells=cells)


def letter(index: int) -> str:
    """The name of a column in a spreadsheet: `A`, `Z`, `AA`."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
