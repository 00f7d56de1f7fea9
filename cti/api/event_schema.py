"""The JSON schema of the stream's messages, drawn from the classes of `cti.schema`."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from cti.schema import DATA_TYPES, SCHEMA_VERSION, Snapshot


@cache
def event_schema() -> dict[str, Any]:
    """Schema of one server message: `snapshot`, `event` (one form for each type) or `bye`."""
    classes = list(dict.fromkeys(DATA_TYPES.values()))
    references, definitions = msgspec.json.schema_components(
        [Snapshot, *classes], ref_template="#/$defs/{name}"
    )
    snapshot, *data = references
    of_class = dict(zip(classes, data, strict=True))
    events = [_event(str(type_), of_class[class_]) for type_, class_ in DATA_TYPES.items()]
    definitions["Event"] = {"title": "Event", "oneOf": events}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Switchroom event stream",
        "version": SCHEMA_VERSION,
        "oneOf": [
            _message("snapshot", snapshot=snapshot),
            _message("event", event={"$ref": "#/$defs/Event"}),
            _message("bye", reason={"type": "string"}),
        ],
        "$defs": definitions,
    }


def _message(kind: str, **properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"kind": {"const": kind}, **properties},
        "required": ["kind", *properties],
    }


def _event(type_: str, data: dict[str, Any]) -> dict[str, Any]:
    optional = ("interaction_id", "call_id", "queue", "agent_id", "customer_id")
    return {
        "type": "object",
        "title": type_,
        "properties": {
            "seq": {"type": "integer"},
            "id": {"type": "string"},
            "at": {"type": "number"},
            "type": {"const": type_},
            "data": data,
            "version": {"type": "integer"},
            **{name: {"type": ["string", "null"]} for name in optional},
        },
        "required": ["seq", "id", "at", "type", "data", "version"],
    }
