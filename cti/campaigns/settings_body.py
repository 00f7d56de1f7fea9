"""Settings of a campaign as people send them: plain data, changed key by key, checked and named by key."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, get_args, get_type_hints

import msgspec

from acd.dialer.settings import CampaignSettings
from cti.campaigns import settings_words

_MOST_KEYS: Final = 2000
"""In a change, of all tables together."""
_MOST_PROBLEMS: Final = 20


class BadSettingsError(Exception):
    """What cannot be made a campaign's settings: a sentence each, which begins with the key."""

    def __init__(self, problems: list[str], rest: CampaignSettings | None = None) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
        self.rest = rest
        """What can be read, with defaults for the others: more may be wrong in it. None: nothing can."""


def as_data(settings: CampaignSettings) -> dict[str, Any]:
    """Plain data, as JSON has it."""
    data: dict[str, Any] = msgspec.to_builtins(settings)
    return data


def changed(settings: CampaignSettings, change: Mapping[str, Any]) -> CampaignSettings:
    """The settings with a change: tables key by key, lists as a whole, null for the default.

    Raises:
        BadSettingsError: unknown keys, or values of the wrong kind.
    """
    if "name" in change and change["name"] != settings.name:
        raise BadSettingsError(["name: a campaign keeps its name; copy it to have another"])
    return read({**_merged(as_data(settings), change, 0), "name": settings.name})


def read(data: Mapping[str, Any]) -> CampaignSettings:
    """Settings from plain data. Raises `BadSettingsError`, with all that cannot be read."""
    problems, first = list(_unknown(data, CampaignSettings, "", [_MOST_KEYS])), ""
    if not problems:
        try:
            return msgspec.convert(data, CampaignSettings)
        except msgspec.ValidationError as error:
            first = _worded(str(error))
    good = _good_of(data, CampaignSettings, "", problems)
    raise BadSettingsError(problems[:_MOST_PROBLEMS] or [first], _rest(good))


def _good_of(
    data: Mapping[str, Any], struct: Any, where: str, problems: list[str]
) -> dict[str, Any]:
    """What can be read of a table; adds to `problems` the first fault of each other setting."""
    fields = {field.name: field.type for field in msgspec.structs.fields(struct)}
    good: dict[str, Any] = {}
    for key, value in data.items():
        if key not in fields:
            continue  # it was told that there is no such setting
        kind, place = fields[key], _under(where, key)
        if isinstance(value, Mapping) and _is_struct(kind):
            good[key] = _good_of(value, kind, place, problems)
            continue
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            if not any(each.startswith((f"{place}.", f"{place}[")) for each in problems):
                problems.append(_worded(str(error), place))
        else:
            good[key] = value
    return good


def _rest(good: Mapping[str, Any]) -> CampaignSettings | None:
    try:
        return msgspec.convert(good, CampaignSettings)
    except msgspec.ValidationError:
        return None


def schema() -> dict[str, Any]:
    """The JSON schema of the settings, with what each key means."""
    return settings_words.schema()


def _merged(old: Mapping[str, Any], change: Mapping[str, Any], depth: int) -> dict[str, Any]:
    merged = dict(old)
    for key, value in change.items():
        before = merged.get(key)
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(before, Mapping) and depth < 8:
            merged[key] = _merged(before, value, depth + 1)
        else:
            merged[key] = value
    return merged


def _unknown(data: Any, kind: Any, where: str, left: list[int]) -> Iterator[str]:
    """Keys that no setting has, with the one that may be meant."""
    struct = next((each for each in (kind, *get_args(kind)) if _is_struct(each)), None)
    if struct is None:
        return
    if isinstance(data, (list, tuple)):
        for index, each in enumerate(data):
            yield from _unknown(each, struct, f"{where}[{index}]", left)
    elif isinstance(data, Mapping) and kind is not struct and _is_table(kind):
        for key, each in data.items():
            yield from _unknown(each, struct, _under(where, str(key)), left)
    elif isinstance(data, Mapping):
        known = get_type_hints(struct)
        for key, each in data.items():
            left[0] -= 1
            if left[0] < 0:
                return
            if key in known:
                yield from _unknown(each, known[key], _under(where, key), left)
            else:
                name = str(key)[:64]
                yield f"{_under(where, name)}: there is no such setting; {_hint(name, known, where)}"


def _hint(name: str, known: Collection[str], where: str) -> str:
    """What may be meant: of the same table, else of another; else where all settings stand."""
    if near := difflib.get_close_matches(name, known, n=1):
        return f"is {near[0]} meant?"
    inner = {} if where else {each.rpartition(".")[2]: each for each in _of_tables()}
    if near := difflib.get_close_matches(name, inner, n=1):
        return f"is {inner[near[0]]} meant?"
    return "`switchroom campaigns settings` lists all"


def _of_tables() -> Iterator[str]:
    """The settings that stand in a table: `limits.per_day`."""
    for key, kind in get_type_hints(CampaignSettings).items():
        if _is_struct(kind):
            yield from (f"{key}.{inner}" for inner in get_type_hints(kind))


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _is_table(kind: Any) -> bool:
    return getattr(kind, "__origin__", None) is dict


def _under(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _choices(place: str) -> str:
    """What may stand at a place of the settings, where only some words may."""
    kind: Any = CampaignSettings
    for part in re.sub(r"\[[^]]*\]", "", place).split("."):
        struct = next((each for each in (kind, *get_args(kind)) if _is_struct(each)), None)
        kind = get_type_hints(struct).get(part) if struct is not None else None
    words = next((each for each in (kind, *get_args(kind)) if _is_choice(each)), ())
    return f"; one of {', '.join(words)}" if words else ""


def _is_choice(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, StrEnum)


def _worded(error: str, under: str = "") -> str:
    """`Expected int, got str - at $.limits.calls` as `limits.calls: expected int, got str`.

    `under` is where the value stands that was read alone. Says where the setting is explained.
    """
    words, _, place = error.partition(" - at `")
    place = place.rpartition("` in `")[2]  # "key` in `$.retries"
    place = f"{under}{place.rstrip('`').removeprefix('$')}".removeprefix(".")
    words = words.replace("`", "")
    if words.startswith("Invalid enum value"):
        words += _choices(place)
    if not place:
        return words
    key = re.split(r"[.\[]", place)[0]
    more = f"`switchroom campaigns settings {key}` tells what it takes"
    return f"{place}: {words[:1].lower()}{words[1:]}; {more}"
