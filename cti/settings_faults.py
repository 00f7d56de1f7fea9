"""What is wrong with the types of a configuration: all of it at once, with the lines it stands on.

The validator stops at its first fault. Where it found one, the file is gone through section by
section and key by key; what is good of it is kept, so that names can be checked as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

_HEADER: Final = re.compile(r"\s*(\[\[?)\s*([\w.-]+)\s*\]\]?\s*(?:#.*)?$")
_KEY: Final = re.compile(r"\s*([\w-]+)\s*(?:\.\s*[\w-]+\s*)*=")
_INDEX: Final = re.compile(r"^(\w+)\[(\d+)\]")
_IF_LOST: Final = {
    "queues": "no queue is named",
    "phones": "there is no phone",
    "agents": "there is no agent",
}
"""What `cti.settings_check` says of a name that is nowhere."""
_MISSPELT: Final = "(misspelt? see docs/configuration.md)"


class Salvage:
    """The faults of the sections of a file, and what is left of it without them."""

    def __init__(self, raw: Mapping[str, Any], kind: type[msgspec.Struct]) -> None:
        self.faults: list[str] = []
        """Key and what is wrong."""
        self.lost: set[str] = set()
        """Kinds of sections of which one is gone: names that nobody has may have been in it."""
        self._kept: dict[str, list[int]] = {}
        """The places that the sections left have in the file."""
        self.good: dict[str, Any] = {}
        fields = {field.name: field for field in msgspec.structs.fields(kind)}
        for name, value in raw.items():
            if name not in fields:
                self.faults.append(_unknown("the file", name))
                continue
            section = _section_of(fields[name].type)
            if section is None:
                self._take_section(name, value, fields[name].type)
            else:
                self._take_list(name, value, section)

    def _take_section(self, key: str, value: object, kind: Any) -> None:
        kept = self._fields(key, value, kind)
        if kept is not None:
            self.good[key] = kept

    def _take_list(self, name: str, value: object, kind: Any) -> None:
        if not isinstance(value, list):
            self._note(name, value, list[Any])
            self.lost.add(name)
            return
        kept = [self._fields(f"{name}[{index}]", each, kind) for index, each in enumerate(value)]
        self.good[name] = [each for each in kept if each is not None]
        self._kept[name] = [index for index, each in enumerate(kept) if each is not None]
        if None in kept:
            self.lost.add(name)

    def of_the_rest(self, problems: Iterable[str]) -> Iterator[str]:
        """What is wrong with what is left, with the places that the file knows.

        Without names that are missing only because a section is gone that may have had them.
        """
        for problem in problems:
            if not any(_IF_LOST.get(kind, "\n") in problem for kind in self.lost):
                yield _INDEX.sub(self._in_file, problem, count=1)

    def _in_file(self, place: re.Match[str]) -> str:
        kept = self._kept.get(place[1])
        return place[0] if kept is None else f"{place[1]}[{kept[int(place[2])]}]"

    def _fields(self, key: str, value: object, kind: Any) -> dict[str, Any] | None:
        """The good part of one section; None when what it needs is missing."""
        if not isinstance(value, dict):
            self._note(key, value, dict[str, Any])
            self.lost.add(key.partition("[")[0])
            return None
        fields = {field.name: field for field in msgspec.structs.fields(kind)}
        self.faults += [_unknown(key, name) for name in value if name not in fields]
        good = {
            name: given
            for name, given in value.items()
            if name in fields and self._note(f"{key}.{name}", given, fields[name].type)
        }
        missing = [name for name, field in fields.items() if field.required and name not in good]
        for name in missing:
            if name not in value:
                self.faults.append(f"{key}: object missing required field `{name}`")
        return None if missing else good

    def _note(self, key: str, value: object, kind: Any) -> bool:
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            self.faults.append(_plain(key, str(error)))
            return False
        return True


def _section_of(kind: Any) -> Any | None:
    """The kind of section of which the file may have several; None for those it has once."""
    inner: tuple[Any, ...] = getattr(kind, "__args__", ())
    return inner[0] if inner else None


def _unknown(key: str, name: str) -> str:
    return f"{key}: object contains unknown field `{name}` {_MISSPELT}"


def _plain(key: str, message: str) -> str:
    """Turn the validator's `... - at `$[0]`` into words that name the key first."""
    text, _, place = message.partition(" - at `$")
    return f"{key}{place.rstrip('`')}: {text[0].lower()}{text[1:]}"


class Lines:
    """Where the keys of a TOML file stand, for files that are written as people write them."""

    def __init__(self, text: str) -> None:
        self._at: dict[str, int] = {}
        counts: dict[str, int] = {}
        section = ""
        for number, line in enumerate(text.splitlines(), 1):
            header, key = _HEADER.match(line), _KEY.match(line)
            if header is not None:
                first, _, rest = header[2].partition(".")
                if header[1] == "[[":
                    counts[first] = counts.get(first, -1) + 1
                section = f"{first}[{counts[first]}]" if first in counts else first
                self._at.setdefault(section, number)
                section += f".{rest}" if rest else ""
                self._at.setdefault(section, number)
            elif key is not None:
                self._at.setdefault(f"{section}.{key[1]}" if section else key[1], number)

    def of(self, problem: str) -> int | None:
        """The line of a problem that begins with its key; of its section when the key is absent."""
        key = problem.partition(":")[0]
        unknown = re.search(r"unknown field `([^`]+)`", problem)
        if unknown is not None:
            key = unknown[1] if key == "the file" else f"{key}.{unknown[1]}"
        return next((self._at[each] for each in _outwards(key) if each in self._at), None)


def _outwards(key: str) -> Iterator[str]:
    """`a[1].b[2].c`, then what it is in, one step after the other."""
    while key:
        yield key
        key = key[: max(key.rfind("."), key.rfind("["), 0)]
