"""`docs/configuration.md` has a row for every key, with the default that the code has."""

from __future__ import annotations

import re

import msgspec
import pytest

from cti import settings
from tests.architecture.tree import ROOT

TEXT = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")


def sections() -> list[tuple[str, type[msgspec.Struct]]]:
    """`[site]` and the like, and `[[phones]]` and the like, with the type that reads them."""
    found = []
    for field in msgspec.structs.fields(settings.Settings):
        many = getattr(field.type, "__args__", None)
        found.append((f"[[{field.name}]]", many[0]) if many else (f"[{field.name}]", field.type))
    return found


def rows(heading: str) -> dict[str, str]:
    """The table under a heading: key to the rest of its row."""
    _, _, after = TEXT.partition(f"\n## `{heading}`")
    body = after.partition("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", body, re.MULTILINE))


@pytest.mark.parametrize(("heading", "kind"), sections())
def test_every_key_has_its_row(heading: str, kind: type[msgspec.Struct]) -> None:
    assert list(rows(heading)) == [field.name for field in msgspec.structs.fields(kind)]


@pytest.mark.parametrize(("heading", "kind"), sections())
def test_the_defaults_are_those_of_the_code(heading: str, kind: type[msgspec.Struct]) -> None:
    told = rows(heading)
    for field in msgspec.structs.fields(kind):
        default = told[field.name].split(" | ")[1]
        if field.required:
            assert default == "needed", field.name
        else:
            value = field.default
            if value is msgspec.NODEFAULT:
                value = field.default_factory()
            assert default == f"`{written(value)}`", field.name


def written(value: object) -> str:
    """A value as TOML writes it."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case tuple() | list():
            return "[" + ", ".join(written(item) for item in value) + "]"
        case dict():
            return "{}"
        case _:
            return str(value)
