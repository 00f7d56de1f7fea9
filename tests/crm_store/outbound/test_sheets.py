"""Files as people send them, good and bad."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from crm_store.errors import BadRecord
from crm_store.outbound.columns import columns_of, is_header
from crm_store.outbound.list_file import ErrorFile, ListFile
from crm_store.outbound.people import Draft
from crm_store.outbound.sheet import LONGEST_CELL, letter
from crm_store.outbound.sheets import open_sheet
from crm_store.outbound.texts import harmless
from crm_store.outbound.views import Target


def text_file(tmp_path: Path, text: str | bytes, encoding: str = "utf-8") -> Path:
    path = tmp_path / "list.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def workbook(tmp_path: Path, rows: Sequence[Sequence[Any]], merge: str = "") -> Path:
    path = tmp_path / "list.xlsx"
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    if merge:
        sheet.merge_cells(merge)
    book.save(path)
    return path


def drafts(path: Path, mapping: dict[str, Target] | None = None, region: str = "US") -> list[Draft]:
    listed = ListFile(path, mapping=mapping, sheet="", region=region)
    try:
        return list(listed.drafts())
    finally:
        listed.close()


def cells(path: Path) -> list[tuple[str, ...]]:
    sheet = open_sheet(path)
    try:
        return [row.cells for row in sheet.rows()]
    finally:
        sheet.close()


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "Zoë 东方"),
        ("utf-8-sig", "Zoë 东方"),
        ("utf-16", "Zoë 东方"),
        ("gb18030", "王小明"),
        ("cp1252", "Zoë Müller"),
    ],
)
def test_any_usual_encoding_is_read(tmp_path: Path, encoding: str, name: str) -> None:
    path = text_file(tmp_path, f"name,phone\n{name},2125550100\n" * 3, encoding)
    assert cells(path)[1] == (name, "2125550100")
    sheet = open_sheet(path)
    sheet.close()
    assert bool(sheet.faults) is (encoding in ("gb18030", "cp1252"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_usual_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    rows = (("phone", "name", "note"), ("2125550100", "Ann", "a.b"), ("2125550101", "Bob", ""))
    text = "\r\n".join(delimiter.join(row) for row in rows)
    assert cells(text_file(tmp_path, text)) == list(rows)
    assert cells(text_file(tmp_path, "sep=;\nphone;a,b,c\n2125550100;x\n"))[0] == ("phone", "a,b,c")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"\n\n , \n", "no rows"),
        (b"MZ\x00\x01binary", "binary data"),
        (b"\xff\xfea\x00\x00\xd8", "says that it is utf-16"),
        (b"name,phone\n\x81\x8d\xff,2125550100\n", "neither UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "old .xls"),
        (b"PK\x03\x04nothing", "damaged"),
    ],
)
def test_what_is_no_list_is_said_so(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(BadRecord, match=words):
        drafts(text_file(tmp_path, content))
    with pytest.raises(BadRecord, match="cannot be read"):
        drafts(tmp_path / "missing.csv")


def test_one_bad_row_stops_none_of_the_others(tmp_path: Path) -> None:
    long = "x" * (LONGEST_CELL + 1)
    line = "y" * 300_000
    text = (
        "phone,name\n2125550100,Ann\n2125550101,"
        + long
        + "\n2125550102,"
        + line
        + '\n2125550103,"a"b\n2125550104,Eve,more\n2125550105,"two\nlines"\n\n2125550106,Zed\n'
    )
    found = drafts(text_file(tmp_path, text))
    assert [draft.row for draft in found] == [2, 3, 4, 5, 6, 7, 9]
    assert [draft.is_refused for draft in found] == [False, True, True, True, True, False, False]
    words = ["; ".join(problem.words for problem in draft.problems) for draft in found]
    assert "cell B has 10,001 characters" in words[1]
    assert "longer than 200,000" in words[2]
    assert "not readable as CSV" in words[3]
    assert "3 cells, but 2 columns" in words[4]


def test_a_quotation_mark_left_open_costs_no_more_than_it_must(tmp_path: Path) -> None:
    rows = "".join(f"21255501{n:02},P{n}\n" for n in range(50))
    found = drafts(text_file(tmp_path, f'phone,name\n{rows}2125550199,"open\n{rows}'))
    assert sum(not draft.is_refused for draft in found) == 50
    (bad,) = [draft for draft in found if draft.is_refused]
    assert "a quotation mark is not closed: 51 lines are one cell" in bad.problems[0].words
    assert bad.cells[0].startswith('2125550199,"open\n2125550100,P0')


def test_a_workbook_gives_text_numbers_dates_and_results(tmp_path: Path) -> None:
    rows = [
        ("Phone", "Name", "Since", "Amount", "Asked"),
        (12125550100, "Ann", date(2026, 1, 2), 2.5, True),
        (None, None, None, None, None),
        ("+1 212 555 0101", "王小明", None, 3.0, None),
    ]
    found = drafts(workbook(tmp_path, rows))
    assert [draft.row for draft in found] == [2, 4]
    assert found[0].numbers == ("+12125550100",)
    assert found[0].facts == {"Since": "2026-01-02", "Amount": "2.5", "Asked": "yes"}
    assert found[1].name == "王小明"


def test_merged_cells_and_formulas_without_results_are_told(tmp_path: Path) -> None:
    rows = [("Phone", "Name"), ("2125550100", "Ann"), (None, "Bob"), ("=A2", "Eve")]
    path = workbook(tmp_path, rows, merge="A2:A3")
    sheet = open_sheet(path)
    sheet.close()
    assert "cells A2:A3 are merged" in sheet.faults[0]
    found = drafts(path)
    assert [problem.code for problem in found[1].problems] == ["no-number"]
    assert "cell A holds a formula whose result was not saved" in found[2].problems[0].words


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"])
def test_a_bomb_is_not_unpacked(tmp_path: Path, part: str) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open(part, "w") as stream:
            for _ in range(40):
                stream.write(b" " * (1 << 20))
    with pytest.raises(BadRecord, match="times larger than it looks"):
        open_sheet(path)


_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Override PartName="/{part}" ContentType="application/vnd.openxmlformats-officedocument.'
    'spreadsheetml.{kind}+xml"/></Types>'
)


@pytest.mark.parametrize(
    ("part", "kind", "octets", "words"),
    [
        ("xl/styles.xml", "styles", 33 << 20, "xl/styles.xml in the file is larger than 32 MiB"),
        ("xl/styles.xml", "worksheet", 33 << 20, "larger than 32 MiB"),
        ("xl/other.xml", "sharedStrings", 201 << 20, "larger than 200 MiB"),
        ("xl/worksheets/sheet1.xml", "worksheet", 33 << 20, "damaged"),
    ],
)
def test_what_is_read_whole_is_small(
    tmp_path: Path, part: str, kind: str, octets: int, words: str
) -> None:
    path = tmp_path / "bomb.xlsx"
    piece = b" " * (1 << 15) + os.urandom(300)  # packs, but not so well that it shows by itself
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("[Content_Types].xml", _TYPES.format(part=part, kind=kind))
        with archive.open(part, "w") as stream:
            for _ in range(octets // len(piece) + 1):
                stream.write(piece)
    with pytest.raises(BadRecord, match=words):
        open_sheet(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_is_looked_at_is_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "twice.xlsx"
    types = _TYPES.format(part="xl/styles.xml", kind="styles")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("[Content_Types].xml", b" " * (9 << 20))
    with pytest.raises(BadRecord, match="larger than it looks"):
        open_sheet(path)


def test_cells_that_a_spreadsheet_would_run_are_quoted() -> None:
    for cell in ("=1+1", "\n=1+1", " =1+1", "\t=1", "@SUM(A1)", "-1+1", "＝1+1"):
        assert harmless(cell) == "'" + cell
    for cell in ("+12025550101", "+1 202 555 0101", "-5", "a=b", ""):
        assert harmless(cell) == cell


def test_headers_are_quoted_in_the_file_of_refused_rows(tmp_path: Path) -> None:
    path = tmp_path / "errors.csv"
    errors = ErrorFile(path, ["=HYPERLINK(1)", "Phone"])
    (draft,) = drafts(text_file(tmp_path, b"Phone\n12\n"))
    errors.add([(draft, draft.problems[0])])
    errors.close()
    head = path.read_text(encoding="utf-8-sig").splitlines()[0]
    assert head == "import row,import reason,'=HYPERLINK(1),Phone"


def test_a_workbook_cut_short_is_said_to_be_damaged(tmp_path: Path) -> None:
    whole = workbook(tmp_path, [("Phone",), *(("2125550100",) for _ in range(99))]).read_bytes()
    for length in range(10, len(whole), len(whole) // 23):
        path = text_file(tmp_path, whole[:length])
        with pytest.raises(BadRecord):
            drafts(path)
    path = text_file(tmp_path, whole.replace(b"PK\x01\x02", b"PK\x01\x03", 1))
    with pytest.raises(BadRecord, match="damaged"):
        drafts(path)


@pytest.mark.parametrize(
    ("headers", "targets"),
    [
        (("Full Name", "Mobile 2", "E-Mail"), ("name", "phone", "fact")),
        (("first_name", "LAST NAME", "Tel."), ("first-name", "last-name", "phone")),
        (("姓名", "手机号码", "电话2", "优先级"), ("name", "phone", "phone", "priority")),
        (("时区", "坐席工号", "客户编号", "联系电话"), ("zone", "agent", "reference", "phone")),
        (("Name", "name", "ＰＨＯＮＥ"), ("name", "fact", "phone")),
    ],
)
def test_columns_are_guessed_in_english_and_chinese(
    headers: tuple[str, ...], targets: tuple[str, ...]
) -> None:
    assert is_header(headers, "US")
    found = columns_of(headers, (), None, "US")
    assert tuple(column.target for column in found) == targets


def test_columns_can_be_told_by_header_or_letter() -> None:
    headers = ("kunde", "nummer", "x")
    found = columns_of(headers, (), {"KUNDE": Target.NAME, "b": Target.PHONE}, "US")
    assert [(each.target, each.guessed) for each in found] == [
        (Target.NAME, False),
        (Target.PHONE, False),
        (Target.FACT, True),
    ]
    with pytest.raises(BadRecord, match="no column 'nome'; it has kunde, nummer, x"):
        columns_of(headers, (), {"nome": Target.NAME}, "US")
    with pytest.raises(BadRecord, match="two columns are given as name"):
        columns_of(headers, (), {"A": Target.NAME, "B": Target.NAME}, "US")


def test_a_file_without_headers_is_read_by_its_cells(tmp_path: Path) -> None:
    (first, _) = drafts(text_file(tmp_path, "Ann,212-555-0100,x\nBob,212-555-0101,y\n"))
    assert (first.row, first.numbers) == (1, ("+12125550100",))
    assert first.facts == {"A": "Ann", "C": "x"}


@pytest.mark.parametrize(
    ("cell", "numbers", "words"),
    [
        ("(212) 555-0100", ("+12125550100",), ""),
        ("'+44 1632 960123", ("+441632960123",), ""),
        ("212-555-0100; 212-555-0101/212-555-0102", tuple(f"+1212555010{n}" for n in range(3)), ""),
        ("2125550100;2125550100", ("+12125550100",), ""),
        ("442079460958", ("+442079460958",), "was read as +442079460958"),
        ("1.21256E+10", (), "the digits are lost"),
        ("#N/A", (), "is not a telephone number"),
        ("911", (), "is not a telephone number"),
        ("", (), "there is no number"),
    ],
)
def test_numbers_are_read_in_any_notation(
    tmp_path: Path, cell: str, numbers: tuple[str, ...], words: str
) -> None:
    (draft,) = drafts(text_file(tmp_path, f'phone|name\n"{cell}"|Ann\n'))
    assert draft.numbers == numbers
    assert words in "; ".join(problem.words for problem in draft.problems)
    assert draft.is_refused is not bool(numbers)


def test_a_person_is_put_together(tmp_path: Path) -> None:
    text = (
        "first name,last name,phone,phone,priority,timezone,region code,customer id,agent\n"
        "Ann,Lee,2125550100,+13055550100,7,America/Chicago,FL,C-1,1001\n"
        "小明,王,2125550101,,high,Mars/North,Florida!,,\n"
    )
    ann, ming = drafts(text_file(tmp_path, text))
    assert (ann.name, ann.priority, ann.owner, ann.reference) == ("Ann Lee", 7, "1001", "C-1")
    assert [str(place) for place in ann.places] == [
        "US-NY US-FL America/Chicago America/New_York",
        "US-FL America/Chicago America/New_York",
    ]
    assert (ming.name, ming.priority, ming.is_refused) == ("王小明", 0, False)
    assert len(ming.problems) == 3


@pytest.mark.parametrize(
    ("number", "word", "regions"),
    [
        ("2135550100", "CA", ("US-CA",)),  # California, and not Canada
        ("4165550100", "CA", ("CA",)),
        ("2125550100", "GA", ("US-NY", "US-GA")),  # Georgia, and not Gabon
        ("2125550100", "tx", ("US-NY", "US-TX")),
        ("2125550100", "GB", ("US-NY", "GB")),
    ],
)
def test_states_are_read_by_their_two_letters(
    tmp_path: Path, number: str, word: str, regions: tuple[str, ...]
) -> None:
    (draft,) = drafts(text_file(tmp_path, f"phone,region code\n{number},{word}\n"))
    assert draft.places[0].regions == regions


def test_columns_are_named_as_in_a_spreadsheet() -> None:
    assert [letter(index) for index in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


@pytest.mark.parametrize(
    "header",
    ["Home", "Work", "Other 2", "Phone (evening)", "Tel. 2", "Cell #", "备用", "其他电话", "手机2"],
)
def test_second_numbers_are_known_by_their_headers_and_cells(header: str) -> None:
    rows = [("Ann", "2125550101", "2125550111"), ("Bob", "2125550102", "")]
    columns = columns_of(("name", "phone", header), rows, None, "US")
    assert columns[2].target is Target.PHONE
    (fact,) = columns_of((header,), [("Bath",)], {"A": Target.FACT}, "US")
    assert fact.target is Target.FACT


@pytest.mark.parametrize("header", ["Fax", "Fax phone", "传真电话", "Hotel", "Order"])
def test_a_column_of_numbers_with_another_name_stays_a_fact_and_is_told(
    tmp_path: Path, header: str
) -> None:
    text = f"name,phone,{header}\nAnn,2125550101,2125550111\n"
    listed = ListFile(text_file(tmp_path, text), mapping=None, sheet="", region="US")
    assert listed.columns[2].target is Target.FACT
    assert f"column {header!r} seems to hold telephone numbers" in listed.faults[-1]
    assert f'(--map "{header}=phone", mapping)' in listed.faults[-1]
    listed.close()


def test_places_without_numbers_are_facts() -> None:
    columns = columns_of(("phone", "Home", "Company"), [("2125550101", "Bath", "ACME")], None, "US")
    assert [column.target for column in columns[1:]] == [Target.FACT, Target.FACT]


def test_a_workbook_whose_first_sheet_is_another_names_its_sheets(tmp_path: Path) -> None:
    book = Workbook()
    assert book.active is not None
    book.active.append(["read me"])
    book.create_sheet("People").append(["phone"])
    book.save(tmp_path / "two.xlsx")
    listed = ListFile(tmp_path / "two.xlsx", mapping=None, sheet="", region="US")
    assert "only sheet 'Sheet' was looked at, others are People" in listed.no_numbers
    listed.close()


def test_headers_without_rows_are_told(tmp_path: Path) -> None:
    listed = ListFile(text_file(tmp_path, "name,phone\n"), mapping=None, sheet="", region="US")
    assert listed.faults == ["below its headers the file has no rows"]
    listed.close()
