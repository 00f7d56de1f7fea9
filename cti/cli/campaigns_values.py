"""Settings as they are typed, `limits.per_day=2`, made what the schema says that they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def coerced(schema: Mapping[str, Any], key: str, text: str) -> Any:
    """The value of a setting: text where the schema has text, else JSON; lists also by commas.

    The server judges it; what is not known here is sent as it can be read.
    """
    if text == "null":
        return None
    kind = _kind(schema, key)
    kinds = _kinds(kind)
    if "string" in kinds and not kinds & {"number", "integer", "boolean", "array", "object"}:
        return text
    try:
        return json.loads(text)
    except ValueError:
        pass
    if "array" in kinds:
        return [each.strip() for each in text.split(",") if each.strip()]
    return {"yes": True, "no": False}.get(text, text)


def put(settings: dict[str, Any], key: str, value: Any) -> None:
    """Set a value under a dotted key."""
    *tables, last = key.split(".")
    for table in tables:
        inner = settings.setdefault(table, {})
        if not isinstance(inner, dict):
            inner = settings[table] = {}
        settings = inner
    settings[last] = value


def _kind(schema: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _resolved(schema, schema)
    for part in key.split("."):
        inner = found.get("properties", {}).get(part, found.get("additionalProperties", {}))
        found = _resolved(schema, inner if isinstance(inner, dict) else {})
    return found


def _resolved(schema: Mapping[str, Any], kind: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = kind.get("$ref", "")
    if not reference and len(kind.get("allOf", ())) == 1:
        reference = kind["allOf"][0].get("$ref", "")
    name = reference.rpartition("/")[2]
    found: Mapping[str, Any] = schema.get("$defs", {}).get(name, {}) if name else kind
    return found


def _kinds(kind: Mapping[str, Any]) -> set[str]:
    """JSON types that it may have."""
    found = kind.get("type", ())
    kinds = {found} if isinstance(found, str) else set(found)
    for each in kind.get("anyOf", ()):
        kinds |= _kinds(each)
    if "enum" in kind:
        kinds |= {"string"} if all(isinstance(each, str) for each in kind["enum"]) else {"number"}
    return kinds
