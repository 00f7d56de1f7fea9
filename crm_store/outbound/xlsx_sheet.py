"""XLSX by `openpyxl`'s read-only mode, after a look at what the archive claims to hold."""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from collections.abc import Generator, Iterator, Sequence
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import ParseError, fromstring

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from crm_store.errors import BadRecord
from crm_store.outbound.sheet import MOST_COLUMNS, MOST_ROWS, SheetRow, checked, letter

_MOST_UNPACKED: Final = 1 << 30
_MOST_STRINGS: Final = 200 << 20
"""Octets of the texts that all cells share, which are held in memory."""
_MOST_READ: Final = 32 << 20
"""Octets of any part that is read whole: all but the sheets."""
_MOST_RATIO: Final = 200
"""How many times larger than packed a part may be, beyond some megabytes."""
_ALWAYS_FINE: Final = 8 << 20
_PIECE: Final = 1 << 20
_MERGED: Final = re.compile(rb'<(?:\w+:)?mergeCell ref="([A-Z0-9:]{1,32})"')
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f[ >]")
_OVERLAP: Final = 80
_MOST_KINDS: Final = 1 << 20
_CONTENT_TYPES: Final = "[Content_Types].xml"
_KIND: Final = re.compile(r"spreadsheetml\.(worksheet|sharedStrings)\+xml$")
_AT_ONCE: Final = 500
_DAMAGED: Final = (
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    EOFError,
    OSError,
    ParseError,
    zipfile.BadZipFile,
    zlib.error,
    InvalidFileException,
)
"""What a damaged or forged file makes `openpyxl` raise."""


class XlsxSheet:
    """One sheet of an XLSX file."""

    format = "xlsx"
    encoding = ""
    delimiter = ""

    def __init__(self, file: Path, sheet: str) -> None:
        self._books: list[Any] = []
        self._row = 0
        self.others: tuple[str, ...] = ()
        try:
            _look_inside(file)
            self._sheet = self._open(file, sheet, values=True)
            self.name = str(self._sheet.title)
            merged, has_formulas = _features(file, self._sheet)
            self._formulas = self._open(file, self.name, values=False) if has_formulas else None
        except _DAMAGED as error:
            self.close()
            raise _damage(error) from error
        except BadRecord:
            self.close()
            raise
        self.faults: tuple[str, ...] = ()
        if merged:
            rest = f" and {len(merged) - 3} more" if len(merged) > 3 else ""
            shown = ", ".join(merged[:3])
            self.faults = (
                f"cells {shown}{rest} are merged: only the first of each has a value, the others are "
                "read as empty; unmerge them where they hold data",
            )
        self._last = int(self._sheet.max_row or 0)

    def rows(self) -> Generator[SheetRow, None, None]:
        """Every row. Formulas count as what they gave when the file was saved."""
        values = _values(self._sheet)
        formulas = _values(self._formulas) if self._formulas is not None else None
        while True:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of styles and extensions that nobody needs
                    piece = list(islice(values, _AT_ONCE))
                    told = list(islice(formulas, _AT_ONCE)) if formulas is not None else piece
            except _DAMAGED as error:
                raise _damage(error) from error
            if not piece:
                return
            for cells, originals in zip(piece, told, strict=False):
                self._row += 1
                if self._row > MOST_ROWS:
                    raise BadRecord(f"the sheet has more than {MOST_ROWS:,} rows; divide it")
                yield _row(self._row, cells, originals)

    @property
    def share(self) -> float:
        """By rows, as far as the file says how many there are."""
        return min(1.0, self._row / self._last) if self._last else 0.0

    def close(self) -> None:
        """Let go of the file."""
        for book in self._books:
            book.close()

    def _open(self, file: Path, sheet: str, *, values: bool) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = load_workbook(file, read_only=True, data_only=values, keep_links=False)
        self._books.append(book)
        names = [each.title for each in book.worksheets]
        if not names:
            raise BadRecord("the file has no sheet with cells")
        if sheet and sheet not in names:
            raise BadRecord(f"there is no sheet {sheet!r}; there are {', '.join(names)}")
        self.others = tuple([name for name in names if name != (sheet or names[0])])
        found = book[sheet or names[0]]
        if (found.max_row or 0) <= 1:
            found.reset_dimensions()  # some programs write that there is one cell
        return found


def _values(sheet: Any) -> Iterator[tuple[Any, ...]]:
    rows: Iterator[tuple[Any, ...]] = sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True)
    return rows


def _row(number: int, cells: tuple[Any, ...], originals: tuple[Any, ...]) -> SheetRow:
    last = max((index for index, cell in enumerate(cells) if cell is not None), default=-1)
    texts = tuple([_text(cell) for cell in cells[: last + 1]])
    if originals is not cells:
        for index, original in enumerate(originals):
            is_formula = isinstance(original, str) and original.startswith("=")
            if is_formula and (index >= len(cells) or cells[index] is None):
                words = (
                    f"cell {letter(index)} holds a formula whose result was not saved; "
                    "open the file in a spreadsheet and save it again"
                )
                shown = tuple([_text(cell) for cell in originals[: index + 1]])
                return SheetRow(row=number, cells=shown, fault=words)
    return checked(number, texts)


def _text(cell: Any) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "yes" if cell else "no"
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case datetime():
            midnight = cell.time() == time()
            return cell.date().isoformat() if midnight else cell.isoformat(" ", "minutes")
        case date() | time():
            return cell.isoformat()
        case _:
            return str(cell)


def _look_inside(file: Path) -> None:
    """Raises `BadRecord` for an archive that is no sheet, or that would fill the memory."""
    with zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
        kinds = _kinds(archive, parts)
    names = {part.filename for part in parts}
    if "xl/workbook.xml" not in names:
        kind = "an OpenDocument file" if "content.xml" in names else "an archive without a workbook"
        raise BadRecord(f"this is {kind}; save the list as .xlsx or CSV")
    if any(part.flag_bits & 0x1 for part in parts):
        raise BadRecord("the file is encrypted; save it without a password")
    if sum(part.file_size for part in parts) > _MOST_UNPACKED:
        raise BadRecord("unpacked the file is larger than 1 GiB; divide it or save it as CSV")
    for part in parts:
        if part.file_size > max(_ALWAYS_FINE, _MOST_RATIO * part.compress_size):
            raise BadRecord(
                f"{part.filename} in the file is {part.file_size // max(1, part.compress_size):,} times "
                "larger than it looks; such a file is refused: save the list as CSV"
            )
        kind = kinds.get(part.filename, "")
        if kind == "sharedStrings":
            if part.file_size > _MOST_STRINGS:
                raise BadRecord("the texts of the file are larger than 200 MiB; save it as CSV")
        elif part.file_size > _MOST_READ and not (
            kind == "worksheet" and part.filename.startswith("xl/worksheets/")
        ):
            raise BadRecord(
                f"{part.filename} in the file is larger than 32 MiB; save the list as CSV"
            )


def _kinds(archive: zipfile.ZipFile, parts: Sequence[zipfile.ZipInfo]) -> dict[str, str]:
    """What the archive says that its parts are, by name: `worksheet`, `sharedStrings`."""
    told = next((part for part in parts if part.filename == _CONTENT_TYPES), None)
    if told is None or told.file_size > _MOST_KINDS:
        return {}
    root = fromstring(archive.read(told))  # by its name another one of that name may be meant
    kinds = {}
    for element in root.iter():
        kind = _KIND.search(element.get("ContentType", ""))
        if kind is not None:
            kinds[element.get("PartName", "").lstrip("/")] = kind[1]
    return kinds


def _features(file: Path, sheet: Any) -> tuple[list[str], bool]:
    """Merged cells of the sheet, and whether it holds formulas."""
    path = str(getattr(sheet, "_worksheet_path", "")).lstrip("/")
    merged: list[str] = []
    has_formulas = False
    with zipfile.ZipFile(file) as archive, archive.open(path) as stream:
        tail = b""
        while piece := stream.read(_PIECE):
            text = tail + piece
            has_formulas = has_formulas or _FORMULA.search(text) is not None
            found = [match.decode() for match in _MERGED.findall(text)]
            merged += [each for each in found if each not in merged[-2:]]
            tail = text[-_OVERLAP:]
            if len(merged) > 1000:
                break
    return merged, has_formulas


def _damage(error: BaseException) -> BadRecord:
    words = " ".join(str(error).split())[:200] or type(error).__name__
    return BadRecord(f"the XLSX file is damaged ({words}); open and save it again, or use CSV")
