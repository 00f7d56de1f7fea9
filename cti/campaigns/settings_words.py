"""What each setting of a campaign means, for the schema and for people: the words beneath it in the code."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

import msgspec

from acd.dialer import settings as settings_module
from acd.dialer import settings_check
from acd.dialer.model import CampaignName, Outcome
from acd.dialer.settings import DEFAULT_RETRIES, CampaignSettings, Retry

_TABLES: Final = {
    "cap": "AbandonCap",
    "limits": "Limits",
    "answers": "AnswerRules",
    "windows[]": "Window",
    "limits.by_region[]": "RegionCap",
    "quotas[]": "Quota",
    "retries.OUTCOME": "Retry",
    "retry_dispositions.DISPOSITION": "Retry",
}
"""Tables of settings under the keys that they have; `[]` is a list of them."""
_SHOWN: Final = 60
"""Characters of a default that stand in the table; longer ones are told in words."""


@cache
def words() -> Mapping[tuple[str, str], str]:
    """What stands beneath a field, by structure and field."""
    found: dict[tuple[str, str], str] = {}
    for each in ast.parse(inspect.getsource(settings_module)).body:
        if isinstance(each, ast.ClassDef):
            for field, after in zip(each.body, each.body[1:], strict=False):
                if (
                    isinstance(field, ast.AnnAssign)
                    and isinstance(field.target, ast.Name)
                    and isinstance(after, ast.Expr)
                    and isinstance(after.value, ast.Constant)
                ):
                    text = " ".join(str(after.value.value).split())
                    found[each.name, field.target.id] = text
    return found


def schema() -> dict[str, Any]:
    """The JSON schema of the settings, with what each key means and how much it may be."""
    found = msgspec.json.schema(CampaignSettings)
    for name, kind in found["$defs"].items():
        for key, value in kind.get("properties", {}).items():
            if text := words().get((name, key)):
                value["description"] = text
    for dotted, least, most in _limits():
        table, _, key = dotted.rpartition(".")
        kind = found["$defs"][_TABLES[table] if table else "CampaignSettings"]
        kind["properties"][key].update(minimum=least, maximum=most)
    order = found["$defs"]["CampaignSettings"]["properties"]["order"]
    order["enum"] = list(settings_check.ORDERS)
    return found


def _limits() -> Iterator[tuple[str, float, float]]:
    """The least and the most of each number, by its key."""
    sample = CampaignSettings(name=CampaignName("x"), retries={Outcome.BUSY: Retry(after_s=1.0)})
    for key, _, least, most in settings_check.bounds(sample):
        yield key.replace(f"retries.{Outcome.BUSY}", "retries.OUTCOME"), least, most


# --- for people ---------------------------------------------------------------------------------


def page() -> str:
    """Every setting with default, bounds and meaning, as Markdown: `docs/campaign-settings.md`."""
    return "\n".join(_lines(schema())).rstrip()


def _lines(known: Mapping[str, Any]) -> Iterator[str]:
    yield "# Settings of a campaign"
    yield ""
    yield from _INTRODUCTION
    yield from _table(known, "CampaignSettings", "", "The campaign")
    for key, name in _TABLES.items():
        title = f"`{key}`: {known['$defs'][name].get('description', '').splitlines()[0]}"
        if name != "Retry" or key.startswith("retries."):
            yield from _table(known, name, f"{key}.", title)
    yield "## What is dialled again when nothing is said"
    yield ""
    yield "`retries` has only what differs from this. An outcome that is not here ends the record."
    yield ""
    yield "| outcome | again after | at most | each pause longer by | next number |"
    yield "|---|---|---|---|---|"
    for outcome, rule in DEFAULT_RETRIES.items():
        after = _pause(rule.after_s)
        other = "yes" if rule.next_number else "no"
        yield f"| `{outcome}` | {after} | {_counted(rule.times, 'time')} | {rule.factor:g} | {other} |"
    yield ""
    others = ", ".join(f"`{each}`" for each in Outcome if each not in DEFAULT_RETRIES)
    yield f"The other outcomes are {others}."
    yield ""


_INTRODUCTION: Final = (
    "`switchroom campaigns set NAME KEY=VALUE` and `create` take these keys; so do a TOML file (`--file`)",
    "and the API (`GET /api/v1/campaigns/schema`). Lists are changed as a whole, tables key by key; `null`",
    "is the default. Names that end in `_s` are seconds, in `_ms` milliseconds. This page is made from the",
    "code by `switchroom campaigns settings`.",
    "",
    "```",
    "switchroom campaigns set spring limits.per_day=2 caller_ids=+12025550100,+12025550101",
    "switchroom campaigns set spring retries.busy.after_s=900 retries.busy.times=2",
    'switchroom campaigns set spring \'windows=[{"begin":"09:00","end":"20:00","days":[0,1,2,3,4]}]\'',
    'switchroom campaigns set spring \'quotas=[{"column":"city","value":"Bath","goal":50}]\'',
    "switchroom campaigns set spring 'script=Good day, {name}: this is about your contract {contract}.'",
    "```",
    "",
)


def _table(known: Mapping[str, Any], name: str, prefix: str, title: str) -> Iterator[str]:
    kind = known["$defs"][name]
    yield f"## {title}"
    yield ""
    yield "| key | default | from, to | meaning |"
    yield "|---|---|---|---|"
    for key, value in kind["properties"].items():
        reach = f"{value['minimum']:.12g} to {value['maximum']:.12g}" if "minimum" in value else ""
        choices = _choices(known, value)
        meaning = value.get("description", "")
        if choices and not all(f"`{each}`" in meaning for each in choices):
            meaning = f"{', '.join(f'`{each}`' for each in choices)}. {meaning}"
        told = meaning.replace("|", "\\|")
        yield f"| `{prefix}{key}` | {_default(value)} | {reach} | {told} |"
    yield ""


def _choices(known: Mapping[str, Any], value: Mapping[str, Any]) -> list[str]:
    """The words that a setting may be."""
    inner = value.get("items", value)
    name = inner.get("$ref", "").rpartition("/")[2]
    found = known["$defs"].get(name, inner).get("enum", ())
    return [str(each) for each in found]


def _default(value: Mapping[str, Any]) -> str:
    if "default" not in value:
        return "must be given"
    default = value["default"]
    if not isinstance(default, (bool, int, float)) and not default:
        return "none"
    text = json.dumps(default) if not isinstance(default, str) else default
    return f"`{text}`" if len(text) <= _SHOWN else "see below"


def _pause(seconds: float) -> str:
    if seconds >= 86400.0:
        return _counted(seconds / 86400.0, "day")
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def _counted(count: float, thing: str) -> str:
    return f"{count:g} {thing}{'' if count == 1 else 's'}"
