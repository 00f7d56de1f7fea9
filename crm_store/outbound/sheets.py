"""Opens a file of rows by what is in it, whatever it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from crm_store.errors import BadRecord
from crm_store.outbound.csv_sheet import CsvSheet
from crm_store.outbound.sheet import Sheet

MOST_OCTETS: Final = 1 << 30
"""Of a file."""
_ZIP: Final = b"PK\x03\x04"
_OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def open_sheet(file: Path, sheet: str = "") -> Sheet:
    """Open a file. Raises `BadRecord` with what to do instead."""
    try:
        octets = file.stat().st_size
        with file.open("rb") as stream:
            head = stream.read(8)
    except OSError as error:
        raise BadRecord(f"{file.name} cannot be read: {error.strerror or error}") from error
    if octets == 0:
        raise BadRecord("the file is empty")
    if octets > MOST_OCTETS:
        raise BadRecord(f"the file is larger than {MOST_OCTETS >> 30} GiB; divide it")
    if head.startswith(_OLD_OFFICE):
        raise BadRecord(
            "this is an old .xls file, or one with a password; save it as .xlsx or CSV without password"
        )
    if head.startswith(_ZIP):
        # Not at the top: `openpyxl` brings numpy and takes a fifth of a second, and calls that a restart
        # takes up would wait for it.
        from crm_store.outbound.xlsx_sheet import XlsxSheet

        return XlsxSheet(file, sheet)
    return CsvSheet(file)
