"""One row of a file as a person: numbers in E.164 with their places, name, facts, and what is wrong."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import phonenumbers
from msgspec import Struct

from acd.dialer.compliance_places import Place, is_zone, place_of
from acd.dialer.us_area_codes import STATE_OF_AREA_CODE
from crm_store.numbers import normalise
from crm_store.outbound.ranks import HIGHEST_PRIORITY
from crm_store.outbound.sheet import SheetRow
from crm_store.outbound.views import Column, Problem, Target

_BETWEEN: Final = re.compile(r"[;/,，；、|\n]|\s{3,}")
_ROUNDED: Final = re.compile(r"^\d(?:[.,]\d+)?[eE]\+?\d{1,2}$")
_REGION: Final = re.compile(r"^[A-Z]{2}(?:-[A-Z0-9]{1,3})?$")
_STATES: Final = frozenset(STATE_OF_AREA_CODE.values())
_HAN: Final = re.compile("[\u4e00-\u9fff]")
MOST_NUMBERS: Final = 10
_LONGEST_NAME: Final = 200
_LONGEST_FACTS: Final = 32_768
"""Characters of all facts of a row together."""


class Draft(Struct, frozen=True, kw_only=True):
    """A person as it would stand on a list."""

    row: int
    cells: tuple[str, ...]
    """As they were in the file."""
    name: str
    numbers: tuple[str, ...]
    places: tuple[Place, ...]
    """One for each number."""
    priority: int
    reference: str
    owner: str
    facts: Mapping[str, str]
    problems: tuple[Problem, ...]

    @property
    def is_refused(self) -> bool:
        return any(problem.fatal for problem in self.problems)


class Reader:
    """Reads rows by what their columns are. `region` is the country of numbers without one.

    `agents` are those who may own a record; None: anybody may.
    """

    def __init__(
        self, columns: Sequence[Column], region: str, agents: Collection[str] | None = None
    ) -> None:
        self._columns = tuple(columns)
        self._region = region
        self._agents = agents

    def read(self, row: SheetRow) -> Draft:
        """One row. What is wrong stands in the draft; nothing is raised."""
        problems: list[Problem] = []
        if row.fault:
            problems.append(Problem(row=row.row, code="unreadable", words=row.fault))
        values: dict[Target, list[str]] = {}
        facts: dict[str, str] = {}
        for column in self._columns:
            cell = _clean(row.cells[column.index]) if column.index < len(row.cells) else ""
            if not cell or column.target is Target.IGNORE:
                continue
            if column.target in (Target.FACT, Target.REFERENCE):
                facts[column.header] = cell
            if column.target is not Target.FACT:
                values.setdefault(column.target, []).append(cell)
        beyond = [cell for cell in row.cells[len(self._columns) :] if cell.strip()]
        if beyond and not row.fault:
            words = f"{len(row.cells)} cells, but {len(self._columns)} columns"
            problems.append(Problem(row=row.row, code="unreadable", words=words))
        numbers = [] if problems else self._numbers(row.row, values, problems)
        region = self._place(row.row, Target.REGION, values, problems)
        zone = self._place(row.row, Target.ZONE, values, problems)
        owner = _first(values, Target.AGENT)[:64]
        if owner and self._agents is not None and owner not in self._agents:
            words = (
                f"there is no agent {owner!r}, so nobody could call; "
                "say that the column is a fact if it means something else"
            )
            problems.append(Problem(row=row.row, code="unknown-agent", words=words))
        if sum(len(key) + len(value) for key, value in facts.items()) > _LONGEST_FACTS:
            words = f"its columns hold more than {_LONGEST_FACTS:,} characters together"
            problems.append(Problem(row=row.row, code="too-long", words=words))
        return Draft(
            row=row.row,
            cells=row.cells,
            name=_name(values),
            numbers=tuple(numbers),
            places=tuple(
                [
                    place_of(number, region=self._state(region, number), zone=zone)
                    for number in numbers
                ]
            ),
            priority=_priority(row.row, values, problems),
            reference=_first(values, Target.REFERENCE)[:100],
            owner=owner,
            facts=facts,
            problems=tuple(problems),
        )

    def _state(self, region: str, number: str) -> str:
        """`CA` in a list of the US is California, but Canada for a number from there."""
        if self._region != "US" or region not in _STATES or region in place_of(number).regions:
            return region
        return f"US-{region}"

    def _numbers(
        self, row: int, values: Mapping[Target, Sequence[str]], problems: list[Problem]
    ) -> list[str]:
        """The numbers in the order of the columns, each once; no usable one is fatal."""
        found: list[str] = []
        bad: list[str] = []
        for cell in values.get(Target.PHONE, ()):
            for part in _parts(cell, self._region):
                number, words = read_number(part, self._region)
                if number is None:
                    bad.append(words)
                elif number not in found and len(found) < MOST_NUMBERS:
                    found.append(number)
                    if words:
                        note = Problem(row=row, code="bad-number", words=words, fatal=False)
                        problems.append(note)
        if not found and not bad:
            problems.append(Problem(row=row, code="no-number", words="there is no number"))
        problems += [
            Problem(row=row, code="bad-number", words=words, fatal=not found) for words in bad
        ]
        return found

    def _place(
        self,
        row: int,
        target: Target,
        values: Mapping[Target, Sequence[str]],
        problems: list[Problem],
    ) -> str:
        given = _first(values, target)
        if not given:
            return ""
        if target is Target.ZONE:
            if is_zone(given):
                return given
            words = f"{given[:64]!r} is no time zone such as America/New_York; that of the number counts"
        else:
            upper = given.upper()
            if (
                self._region == "US"
                and len(upper) == 2
                and upper not in phonenumbers.SUPPORTED_REGIONS
            ):
                upper = f"US-{upper}"
            if _REGION.match(upper):
                return upper
            words = f"{given[:64]!r} is no region such as US-FL or GB; that of the number counts"
        problems.append(Problem(row=row, code="unknown-zone", words=words, fatal=False))
        return ""


def read_number(text: str, region: str) -> tuple[str | None, str]:
    """A number in E.164, or None; and what is to be said about it."""
    plain = text.strip().lstrip("'’`").strip()
    if _ROUNDED.match(plain):
        return None, (
            f"{plain} is what a spreadsheet made of a long number, and the digits are lost; "
            "format the column as text before numbers are put in"
        )
    number = normalise(plain, region)
    if number.is_e164:
        return number.value, ""
    digits = "".join(character for character in plain if character.isdecimal())
    if plain[:1] != "+" and 10 <= len(digits) <= 15:
        # A country code whose plus was lost on the way: taken only where the result is a real number.
        whole = normalise("+" + digits, region)
        if whole.is_e164 and phonenumbers.is_valid_number(phonenumbers.parse(whole.value)):
            return whole.value, f"{plain} was read as {whole.value}"
    return None, f"{plain[:40]!r} is not a telephone number (country: {region})"


def _parts(cell: str, region: str) -> list[str]:
    """The numbers of a cell, which may hold several."""
    if normalise(cell, region).is_e164 and not re.search(r"[;；、|\n]", cell):
        return [cell]
    return [part for part in _BETWEEN.split(cell) if part.strip()]


def _name(values: Mapping[Target, Sequence[str]]) -> str:
    whole = _first(values, Target.NAME)
    if not whole:
        first, last = _first(values, Target.FIRST_NAME), _first(values, Target.LAST_NAME)
        whole = last + first if _HAN.search(last + first) else f"{first} {last}"
    return " ".join(whole.split())[:_LONGEST_NAME]


def _priority(row: int, values: Mapping[Target, Sequence[str]], problems: list[Problem]) -> int:
    given = _first(values, Target.PRIORITY)
    if not given:
        return 0
    try:
        priority = round(float(given))
    except (ValueError, OverflowError):
        priority = HIGHEST_PRIORITY + 1
    if abs(priority) <= HIGHEST_PRIORITY:
        return priority
    words = f"priority {given[:20]!r} is no number from -{HIGHEST_PRIORITY} to {HIGHEST_PRIORITY}; 0 is taken"
    problems.append(Problem(row=row, code="bad-priority", words=words, fatal=False))
    return 0


def _first(values: Mapping[Target, Sequence[str]], target: Target) -> str:
    return next(iter(values.get(target, ())), "")


def _clean(cell: str) -> str:
    """Trimmed, and free of what databases refuse."""
    return cell.replace("\0", "").encode("utf-8", "replace").decode().strip()
