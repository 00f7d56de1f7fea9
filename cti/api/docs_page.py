"""The OpenAPI description as one plain page: no scripts, nothing loaded from elsewhere."""

from __future__ import annotations

import json
from html import escape
from typing import Any, Final

_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line) }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .5rem 0; padding: .5rem .8rem }
summary { cursor: pointer } code, pre { font: .9em ui-monospace, monospace }
pre { background: var(--soft); padding: .6rem; border-radius: .3rem; overflow-x: auto }
.method { display: inline-block; width: 3.6rem; font-weight: 700 }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line);
         vertical-align: top }
.soft { opacity: .7 }
"""

_STREAM: Final = """
<h2 id="stream">The stream</h2>
<p><code>GET /api/v1/events?token=…[&amp;after=&lt;seq&gt;]</code> is a WebSocket of JSON messages:
a snapshot, then events in the order of <code>seq</code>, and <code>bye</code> before the server
closes. With <code>after</code> it goes on behind the last event received, if that is still kept.
<code>{"kind": "ack", "seq": n}</code> from the client says that the screen pop with this number is
on the screen. The schema of all messages is at <a href="/api/v1/schema">/api/v1/schema</a>.</p>
"""


def render(openapi: dict[str, Any]) -> str:
    """The page of an OpenAPI 3 description."""
    info = openapi["info"]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width'>",
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style>",
        f"<h1>{escape(info['title'])} <span class=soft>{escape(info['version'])}</span></h1>",
        f"<p>{escape(info.get('description', ''))}</p>",
        "<p>For programs: <a href='/openapi.json'>/openapi.json</a>.</p>",
    ]
    by_tag: dict[str, list[str]] = {}
    for path, item in openapi["paths"].items():
        for method, operation in item.items():
            tag = (operation.get("tags") or ["other"])[0]
            by_tag.setdefault(tag, []).append(_operation(path, method, operation))
    for tag, operations in by_tag.items():
        parts += [f"<h2>{escape(tag.capitalize())}</h2>", *operations]
    parts += [_STREAM, "<h2>Classes</h2>"]
    for name, schema in sorted(openapi.get("components", {}).get("schemas", {}).items()):
        parts.append(_class(name, schema))
    return "".join(parts)


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    words = escape(operation.get("description", operation.get("summary", "")))
    rows = [
        _row(f"<code>{escape(p['name'])}</code> in {escape(p['in'])}", _type(p.get("schema", {})))
        for p in operation.get("parameters", ())
    ]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if body:
        rows.append(_row("body", _type(body.get("schema", {}))))
    for status, response in operation.get("responses", {}).items():
        content = response.get("content", {}).get("application/json", {})
        rows.append(_row(f"answer {escape(status)}", _type(content.get("schema", {}))))
    return (
        f"<details><summary><span class=method>{escape(method.upper())}</span>"
        f"<code>{escape(path)}</code></summary><p>{words}</p>"
        f"<table>{''.join(rows)}</table></details>"
    )


def _class(name: str, schema: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = [
        _row(
            f"<code>{escape(field)}</code>",
            _type(part) + ("" if field in required else " <span class=soft>optional</span>"),
        )
        for field, part in schema.get("properties", {}).items()
    ]
    words = escape(schema.get("description", ""))
    values = schema.get("enum")
    listed = f"<p>{escape(', '.join(map(str, values)))}</p>" if values else ""
    return (
        f"<details id='{escape(name)}'><summary><code>{escape(name)}</code></summary>"
        f"<p>{words}</p>{listed}<table>{''.join(rows)}</table></details>"
    )


def _row(left: str, right: str) -> str:
    return f"<tr><td>{left}<td>{right}"


def _type(schema: dict[str, Any]) -> str:
    """A schema in one line; classes are links."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f"<a href='#{name}'>{name}</a>"
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"])
    if schema.get("type") == "array":
        return "list of " + _type(schema.get("items", {}))
    words = str(schema.get("type", "–"))
    if schema.get("default") not in (None, ""):
        words += f" = {json.dumps(schema['default'], ensure_ascii=False)}"
    return escape(words)
