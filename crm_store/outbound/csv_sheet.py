"""CSV as people really send it: any usual encoding, any usual delimiter, with quotation marks left open."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from crm_store.errors import BadRecord
from crm_store.outbound.sheet import LONGEST_CELL, MOST_ROWS, SheetRow, checked

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS: Final = ",;\t|"
_SAMPLE: Final = 65_536
_PIECE: Final = 1 << 20
LONGEST_LINE: Final = 200_000
"""Characters; what is longer is one fault, and is never held in memory."""
_KEPT_RAW: Final = LONGEST_CELL
"""Characters of a row that cannot be read that go to the error file."""


class CsvSheet:
    """One CSV file."""

    format = "csv"
    name = ""
    others: tuple[str, ...] = ()

    def __init__(self, file: Path) -> None:
        self._octets = file.stat().st_size
        self._raw: BinaryIO = file.open("rb")
        try:
            self.encoding, guessed = _encoding(self._raw)
            sample = self._sample()
        except BaseException:
            self._raw.close()
            raise
        self.delimiter, self._skip = _delimiter(sample)
        self.faults: tuple[str, ...] = ()
        if guessed:
            self.faults = (
                f"the file is not UTF-8; it is read as {guessed}: look whether the names are right, "
                "or save it as CSV UTF-8",
            )

    def rows(self) -> Generator[SheetRow, None, None]:
        """Every row. What cannot be read comes with its text as its only cell."""
        self._raw.seek(0)
        text = io.TextIOWrapper(self._raw, encoding=self.encoding, newline="")
        try:
            lines = _Lines(text)
            reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
            number = 0
            while True:
                lines.begin()
                number += 1
                if number > MOST_ROWS:
                    raise BadRecord(f"the file has more than {MOST_ROWS:,} rows; divide it")
                try:
                    cells = tuple(next(reader))
                except StopIteration:
                    return
                except csv.Error as error:
                    yield SheetRow(
                        row=number, cells=(lines.raw.rstrip(),), fault=_why(error, lines.count)
                    )
                    continue
                except UnicodeError as error:
                    raise BadRecord(f"row {number}: {error}") from error
                if number <= self._skip:
                    continue
                if lines.too_long:
                    words = f"longer than {LONGEST_LINE:,} characters"
                    yield SheetRow(row=number, cells=(lines.raw.rstrip(),), fault=words)
                    continue
                yield checked(number, cells)
        finally:
            with contextlib.suppress(ValueError):  # the file is closed already
                text.detach()

    @property
    def share(self) -> float:
        """By octets."""
        return 1.0 if self._raw.closed else min(1.0, self._raw.tell() / self._octets)

    def close(self) -> None:
        """Let go of the file."""
        self._raw.close()

    def _sample(self) -> str:
        self._raw.seek(0)
        octets = self._raw.read(_SAMPLE)
        return codecs.getincrementaldecoder(self.encoding)().decode(octets).removeprefix("\ufeff")


class _Lines:
    """Lines for the reader of CSV, which remembers the text of the row under way."""

    __slots__ = ("_text", "count", "raw", "too_long")

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self.begin()

    def begin(self) -> None:
        """The next row begins."""
        self.raw = ""
        self.count = 0
        self.too_long = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        self.count += 1
        if len(self.raw) < _KEPT_RAW:
            self.raw = (self.raw + line)[:_KEPT_RAW]
        if len(line) == LONGEST_LINE and not line.endswith(("\n", "\r")):
            self.too_long = True
            while (more := self._text.readline(LONGEST_LINE)) and not more.endswith(("\n", "\r")):
                pass
            return "\n"
        return line.replace("\0", "")


def _why(error: csv.Error, lines: int) -> str:
    if lines > 1:
        return f"a quotation mark is not closed: {lines:,} lines are one cell; close or double it"
    return f"not readable as CSV: {error}"


def _encoding(raw: BinaryIO) -> tuple[str, str]:
    """The encoding of a file, and its name where it is only guessed. Raises `BadRecord`."""
    raw.seek(0)
    head = raw.read(_SAMPLE)
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            if not _decodes(raw, encoding):
                raise BadRecord(f"the file says that it is {encoding}, but cannot be read so")
            return encoding, ""
    if b"\0" in head:
        raise BadRecord("this is neither a CSV nor an XLSX file: it holds binary data")
    if _decodes(raw, "utf-8"):
        return "utf-8", ""
    if _looks_chinese(head) and _decodes(raw, "gb18030"):
        return "gb18030", "GB18030 (Chinese)"
    if _decodes(raw, "cp1252"):
        return "cp1252", "Windows-1252 (Western European)"
    raise BadRecord(
        "the text is neither UTF-8 nor UTF-16, GB18030 or Windows-1252; save it as CSV UTF-8"
    )


def _decodes(raw: BinaryIO, encoding: str) -> bool:
    raw.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while piece := raw.read(_PIECE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _looks_chinese(head: bytes) -> bool:
    """Chinese comes in runs; a Western letter with an accent makes one lonely sign with its neighbour."""
    text = head.decode("gb18030", "ignore")
    is_han = ["\u4e00" <= character <= "\u9fff" for character in text]
    others = sum(1 for character in text if ord(character) > 127) - sum(is_han)
    paired = sum(
        1
        for before, here, behind in zip(
            [False, *is_han], is_han, [*is_han[1:], False], strict=False
        )
        if here and (before or behind)
    )
    return paired > 0 and paired >= 0.6 * (sum(is_han) + others)


def _delimiter(sample: str) -> tuple[str, int]:
    """The delimiter, and how many rows only name it (`sep=;`)."""
    first = sample.split("\n", 1)[0].strip()
    if first.lower().startswith("sep=") and len(first) == 5:
        return first[4], 1
    lines = sample.splitlines()[:30]
    if len(sample) >= _SAMPLE // 4 and len(lines) > 1:
        lines.pop()  # it may be cut
    return max(_DELIMITERS, key=lambda each: _fit(lines, each)), 0


def _fit(lines: list[str], delimiter: str) -> tuple[float, int]:
    """How well a delimiter divides the lines: share of those with as many cells as most, and how many."""
    try:
        rows = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return (0.0, 0)
    if not rows:
        return (0.0, 0)
    usual = max(set(rows), key=rows.count)
    if usual < 2:
        return (0.0, 0)
    return (rows.count(usual) / len(rows), usual)
