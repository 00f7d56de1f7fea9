"""`docs/flows.md` has every verb with every field and its default, and examples that can be read."""

from __future__ import annotations

import re

import pytest
import yaml

from cti.paths import shipped
from ivr.loader import VERBS, parse_flow
from ivr.reader import NodeReader, Source
from tests.architecture.tree import ROOT

TEXT = (ROOT / "docs/flows.md").read_text(encoding="utf-8")
HEAD = TEXT.partition("\n## ")[0]


def part(verb: str) -> str:
    """What stands under the heading of a verb."""
    return TEXT.partition(f"\n## `{verb}`\n")[2].partition("\n## ")[0]


def rows(verb: str) -> dict[str, str]:
    """Field to default, as the table of a verb has them."""
    found = re.findall(r"^\| `(\w+)` \| .+? \| (.+?) \| .*\|$", part(verb), re.MULTILINE)
    return dict(found)


def source() -> Source:
    return Source(
        file="flows.md", languages=("en",), has_prompt=is_prompt, has_queue=lambda name: True
    )


def is_prompt(name: str) -> bool:
    return (shipped("prompts") / f"{name}.ulaw").is_file()


class Watching(NodeReader):
    """Reads a node that says nothing, and notes what could have been said."""

    def __init__(self, verb: str) -> None:
        node = yaml.compose(f"{{verb: {verb}}}")
        assert node is not None
        super().__init__(source(), "x", node, node)
        self.defaults: dict[str, object] = {}

    @property
    def fields(self) -> set[str]:
        return self._read - {"verb"}

    def text(self, key: str, default: str | None = None) -> str:
        self.defaults[key] = default
        return super().text(key, default)

    def flag(self, key: str, default: bool) -> bool:
        self.defaults[key] = str(default).lower()
        return super().flag(key, default)

    def integer(self, key: str, default: int | None, low: int, high: int) -> int:
        self.defaults[key] = default
        return super().integer(key, default, low, high)

    def seconds(self, key: str, default: float, low: float = 0.1, high: float = 3600.0) -> float:
        self.defaults[key] = f"{default:g}"
        return super().seconds(key, default, low, high)


@pytest.mark.parametrize("verb", VERBS)
def test_every_field_has_its_row_with_the_default_of_the_code(verb: str) -> None:
    reader = Watching(verb)
    VERBS[verb](reader)
    told = rows(verb)
    assert set(told) == reader.fields
    for field, default in reader.defaults.items():
        assert told[field] == ("needed" if default is None else f"`{default}`"), field
    for field in reader.fields - reader.defaults.keys():
        assert told[field] in ("needed", "none"), field


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_an_example_that_can_be_read(verb: str) -> None:
    (example,) = re.findall(r"```yaml\n(.+?)```", part(verb), re.DOTALL)
    read_from = source()
    tree = yaml.compose(example)
    assert tree is not None
    ((name, (key, value)),) = read_from.mapping(tree, "nodes").items()
    reader = NodeReader(read_from, name, key, value)
    assert reader.text("verb") == verb
    VERBS[verb](reader)
    reader.done(verb)
    assert read_from.problems == []


def test_the_flow_on_top_is_whole() -> None:
    (example,) = re.findall(r"```yaml\n(.+?)```", HEAD, re.DOTALL)
    flow = parse_flow(
        example.encode(), "flows.md", name="top", has_prompt=is_prompt, has_queue=lambda name: True
    )
    assert set(flow.nodes) == {"welcome", "menu", "sales", "line-test", "end"}


def test_no_verb_is_told_of_that_there_is_not() -> None:
    assert re.findall(r"^## `(\w+)`$", TEXT, re.MULTILINE) == list(VERBS)
