"""What the columns of a file are: guessed by their headers and their cells, or as somebody says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from crm_store.errors import BadRecord
from crm_store.numbers import normalise
from crm_store.outbound.sheet import letter
from crm_store.outbound.views import Column, Target

_HEADERS: Final[Mapping[Target, str]] = {
    Target.PHONE: (
        "phone telephone tel mobile cell cellphone cellular handphone number phonenumber phoneno telno "
        "telephonenumber mobilenumber mobileno mobilephone cellnumber contactnumber contactphone "
        "dialednumber msisdn landline homephone workphone officephone businessphone primaryphone "
        "alternatephone altphone secondaryphone customerphone phonehome phonework phonemobile "
        "电话 电话号码 手机 手机号 手机号码 联系电话 联系方式 联系号码 座机 固话 固定电话 移动电话 号码 "
        "家庭电话 办公电话 备用电话 客户电话 電話 電話號碼 手機 手機號碼 聯絡電話"
    ),
    Target.NAME: (
        "name fullname customer customername client clientname contact contactname person lead leadname "
        "姓名 名字 名称 客户 客户姓名 客户名称 联系人 联系人姓名 称呼 客戶姓名 聯絡人"
    ),
    Target.FIRST_NAME: "firstname givenname forename fname first 名",
    Target.LAST_NAME: "lastname surname familyname lname last 姓 姓氏",
    Target.PRIORITY: "priority prio score weight 优先级 优先 优先度 優先級",
    Target.ZONE: "timezone tz zone ianazone ianatimezone 时区 時區",
    Target.REGION: "regioncode isoregion iso3166 iso31662 地区代码",
    Target.REFERENCE: (
        "reference ref customerid customerno customernumber clientid accountid accountno accountnumber "
        "crmid externalid 客户编号 客户号 客户id 编号 会员号"
    ),
    Target.AGENT: "agent agentid owner assignedto 坐席 座席 坐席工号 工号 归属坐席",
    Target.IGNORE: "importrow importreason rowofimport",
}
"""The last are those of a file of refused rows (`crm_store.outbound.list_file.ErrorFile`)."""
_PHONE_WORDS: Final = (
    "phone phones telephone tel mobile cell cellphone cellular handphone handy landline"
)
"""A header with one of them is of numbers if its cells are: `Phone (evening)`, `Tel. 2`."""
_PHONE_SIGNS: Final = re.compile("电话|電話|手机|手機|座机|座機|固话|宅电")
_FAX: Final = re.compile("fax|传真|傳真")
_PLACES: Final = (
    "home work other office business company main primary secondary second alternate alternative alt "
    "additional spare backup day daytime evening night private personal emergency "
    "家 家里 家庭 住宅 单位 公司 办公 办公室 备用 其他 其它 另外 第二 紧急联系 私人 "
    "家裡 單位 辦公 辦公室 備用 緊急聯絡"
)
"""Headers of numbers if the cells are numbers: `Home`, `Work 2`, `备用`."""
_TARGETS: Final = {name: target for target, names in _HEADERS.items() for name in names.split()}
_SEVERAL: Final = frozenset({Target.PHONE, Target.FACT, Target.IGNORE})
"""Targets that several columns may have."""
_LOOKED_AT: Final = 50
_ENOUGH: Final = 0.6
"""Share of a column's cells that are numbers, from which on it is one of numbers."""
LONGEST_HEADER: Final = 64


def fold(text: str) -> str:
    """A header as it is compared: letters and digits alone, in small letters and full width."""
    wide = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in wide if character.isalnum())


def is_header(cells: Sequence[str], region: str) -> bool:
    """Whether a first row names columns: it has letters, and none of its cells is a number."""
    filled = [cell for cell in cells if cell.strip()]
    has_letters = any(character.isalpha() for cell in filled for character in cell)
    return has_letters and not any(normalise(cell, region).is_e164 for cell in filled)


def columns_of(
    headers: Sequence[str],
    samples: Sequence[Sequence[str]],
    mapping: Mapping[str, Target] | None,
    region: str,
    before: Mapping[str, Target] | None = None,
) -> tuple[Column, ...]:
    """What each column is. `headers` are empty where the file names none.

    `before` is what columns with these headers were in an earlier import, in place of a guess. Raises
    `BadRecord` for a mapping that names a column that is not there.
    """
    widths = [len(row) for row in samples[:_LOOKED_AT]]
    # A row that is longer than the others has a delimiter too many; it does not make a column.
    width = max(len(headers), max(set(widths), key=widths.count, default=0))
    names = _names(headers, width)
    known = {fold(name): target for name, target in (before or {}).items()}
    targets = [
        known.get(fold(name)) or _guess(name, index, samples, region) if name else None
        for index, name in enumerate(names)
    ]
    if Target.PHONE not in targets:
        for index in range(width):
            if _holds_numbers(index, samples, region) and targets[index] in (None, Target.FACT):
                targets[index] = Target.PHONE
    guessed = [target or Target.FACT for target in targets]
    told = _told(names, mapping or {})
    taken: set[Target] = {target for target in told.values() if target not in _SEVERAL}
    columns: list[Column] = []
    for index in range(width):
        target = told.get(index, guessed[index])
        if index not in told and target not in _SEVERAL:
            if target in taken:
                target = Target.FACT  # the first column of that name counts
            taken.add(target)
        header = names[index] or letter(index)
        guessed_it = index not in told and fold(names[index]) not in known
        columns.append(Column(index=index, header=header, target=target, guessed=guessed_it))
    return tuple(columns)


def unread_numbers(
    columns: Sequence[Column], samples: Sequence[Sequence[str]], region: str
) -> list[str]:
    """Headers of columns that are facts by a guess, but whose cells are telephone numbers."""
    return [
        column.header
        for column in columns
        if column.guessed
        and column.target is Target.FACT
        and _holds_numbers(column.index, samples, region)
    ]


def _names(headers: Sequence[str], width: int) -> list[str]:
    """Headers, trimmed, each once."""
    names: list[str] = []
    for index in range(width):
        header = headers[index] if index < len(headers) else ""
        name = " ".join(header.replace("\ufeff", "").split())[:LONGEST_HEADER]
        if name and name in names:
            name = f"{name[: LONGEST_HEADER - 4]} {letter(index)}"
        names.append(name)
    return names


def _guess(name: str, index: int, samples: Sequence[Sequence[str]], region: str) -> Target:
    """By the header, without the number behind it: `Phone 2` is a phone; `Home` is one if its cells are."""
    folded = fold(name)
    bare = re.sub(r"\d+$", "", folded)
    if found := _TARGETS.get(folded) or _TARGETS.get(bare):
        return found
    words = set(re.findall(r"[a-z]+", name.casefold()))
    is_likely = (
        bare in _PLACES.split() or words & set(_PHONE_WORDS.split()) or _PHONE_SIGNS.search(folded)
    )
    if is_likely and not _FAX.search(folded) and _holds_numbers(index, samples, region):
        return Target.PHONE
    return Target.FACT


def _holds_numbers(index: int, samples: Sequence[Sequence[str]], region: str) -> bool:
    cells = [row[index] for row in samples[:_LOOKED_AT] if index < len(row) and row[index].strip()]
    numbers = sum(1 for cell in cells if normalise(cell, region).is_e164)
    return bool(cells) and numbers >= _ENOUGH * len(cells)


def _told(names: Sequence[str], mapping: Mapping[str, Target]) -> dict[int, Target]:
    """The columns that somebody says something of, by header or by letter."""
    by_name = {fold(name): index for index, name in reversed(list(enumerate(names))) if name}
    by_letter = {letter(index): index for index in range(len(names))}
    told: dict[int, Target] = {}
    for key, target in mapping.items():
        index = by_name.get(fold(key))
        if index is None:
            index = by_letter.get(key.strip().upper())
        if index is None:
            known = ", ".join(name or letter(index) for index, name in enumerate(names))
            raise BadRecord(f"the file has no column {key!r}; it has {known}")
        if target not in _SEVERAL and target in told.values():
            raise BadRecord(f"two columns are given as {target}; only one can be")
        told[index] = target
    return told
