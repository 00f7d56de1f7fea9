"""Read flows from YAML. All problems are collected and told at once, each with file and line.

flow: main-menu          # optional, the file's name otherwise
language: en             # optional, the caller's otherwise
start: welcome
nodes:
  welcome: {verb: say, prompts: [welcome], next: menu}
  ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import yaml

from ivr.errors import FlowError, Problem
from ivr.flow import Flow
from ivr.lint import lint
from ivr.reader import NodeReader, Source
from ivr.turn import Node
from ivr.verbs import collect, echo, hang_up, hours, menu, play, queue, say, transfer

VERBS: Final[Mapping[str, Callable[[NodeReader], Node]]] = {
    "say": say.read,
    "play": play.read,
    "collect": collect.read,
    "menu": menu.read,
    "hours": hours.read,
    "queue": queue.read,
    "transfer": transfer.read,
    "echo": echo.read,
    "hang_up": hang_up.read,
}

LANGUAGES: Final = ("en", "zh")
"""In which the prompts of a flow without a language must exist."""

MAX_OCTETS: Final = 1 << 20

_KEYS: Final = ("flow", "language", "start", "nodes")


def load_flow(
    path: Path,
    *,
    has_prompt: Callable[[str], bool],
    has_queue: Callable[[str], bool],
    languages: tuple[str, ...] = LANGUAGES,
) -> Flow:
    """Read one flow. Raises FlowError with all that is wrong.

    `has_prompt` is asked for names such as `en/welcome`, `has_queue` for names of queues.
    """
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise FlowError([Problem(str(path), 1, f"cannot be read: {error.strerror}")]) from error
    return parse_flow(
        octets,
        str(path),
        name=path.stem,
        has_prompt=has_prompt,
        has_queue=has_queue,
        languages=languages,
    )


def load_flows(
    paths: Iterable[Path],
    *,
    has_prompt: Callable[[str], bool],
    has_queue: Callable[[str], bool],
    languages: tuple[str, ...] = LANGUAGES,
) -> dict[str, Flow]:
    """Read several flows by name. Raises FlowError with all that is wrong in any of them."""
    flows: dict[str, Flow] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            flow = load_flow(path, has_prompt=has_prompt, has_queue=has_queue, languages=languages)
        except FlowError as error:
            problems += error.problems
            continue
        if flow.name in flows:
            problems.append(Problem(str(path), 1, f"there is another flow named `{flow.name}`"))
        flows[flow.name] = flow
    if problems:
        raise FlowError(problems)
    return flows


def parse_flow(
    octets: bytes,
    file: str,
    *,
    name: str,
    has_prompt: Callable[[str], bool],
    has_queue: Callable[[str], bool],
    languages: tuple[str, ...] = LANGUAGES,
) -> Flow:
    """Read a flow from its text; `file` is for messages, `name` where the text gives none."""
    source = Source(file=file, languages=languages, has_prompt=has_prompt, has_queue=has_queue)
    root = _compose(octets, source)
    fields = source.mapping(root, "flow") if root is not None else {}
    for key, (at, _) in fields.items():
        if key not in _KEYS:
            source.problem(at, f"unknown key `{key}`; a flow knows: {', '.join(_KEYS)}")
    language = _plain(source, fields, "language")
    if language is not None:
        source.languages = (language,)
    start = _plain(source, fields, "start")
    nodes: dict[str, Node] = {}
    if root is not None:
        if start is None:
            source.problem(1, "`start` is missing: with which node does the flow begin?")
        if "nodes" not in fields:
            source.problem(1, "`nodes` is missing")
        else:
            nodes = _read_nodes(source, fields["nodes"][1])
    if start is not None:
        source.targets.append((start, fields["start"][1].start_mark.line + 1))
        lint(source, start, nodes)
    if source.problems or start is None:
        raise FlowError(source.problems)
    flow_name = _plain(source, fields, "flow") or name
    return Flow(name=flow_name, language=language, start=start, nodes=nodes)


def _compose(octets: bytes, source: Source) -> yaml.Node | None:
    """Return the tree with its places; None when there is none, which is noted."""
    if len(octets) > MAX_OCTETS:
        source.problem(1, f"longer than {MAX_OCTETS} octets: that is no flow")
        return None
    try:
        root: yaml.Node | None = yaml.compose(octets.decode())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        source.problem(mark.line + 1 if mark else 1, f"no YAML: {error.problem or error.context}")
        return None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        said = str(error).splitlines() or ["cannot be read"]
        source.problem(1, f"no YAML: {said[0]}")
        return None
    if root is None:
        source.problem(1, "the file is empty")
    return root


def _plain(source: Source, fields: dict[str, tuple[yaml.Node, yaml.Node]], key: str) -> str | None:
    if key not in fields:
        return None
    value = fields[key][1]
    if not isinstance(value, yaml.ScalarNode) or not value.value:
        source.problem(value, f"`{key}`: expected one word")
        return None
    return str(value.value)


def _read_nodes(source: Source, tree: yaml.Node) -> dict[str, Node]:
    nodes: dict[str, Node] = {}
    for name, (key, value) in source.mapping(tree, "nodes").items():
        reader = NodeReader(source, name, key, value)
        verb = reader.text("verb")
        read = VERBS.get(verb)
        if read is None:
            if verb:
                known = ", ".join(VERBS)
                reader.problem(f"unknown verb `{verb}`; there are: {known}", "verb")
            continue
        nodes[name] = read(reader)
        reader.done(verb)
    return nodes
