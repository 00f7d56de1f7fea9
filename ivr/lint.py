"""What can be wrong with a flow as a whole: nodes that are missing, unreachable, or go round."""

from __future__ import annotations

from collections.abc import Mapping

from ivr.reader import KNOWN_VARIABLES, Source
from ivr.turn import Node


def lint(source: Source, start: str, nodes: Mapping[str, Node]) -> None:
    """Note all problems of the graph in `source`."""
    known = ", ".join(sorted(nodes))
    for target, line in source.targets:
        if target not in nodes:
            source.problem(line, f"there is no node `{target}`; there are: {known}")
    for name, line in source.uses:
        if name not in source.sets | KNOWN_VARIABLES:
            source.problem(line, f"no node sets the variable `${name}`")
    if start not in nodes:
        return
    reachable = _reachable(start, nodes)
    for node in nodes.values():
        if node.name not in reachable:
            source.problem(node.line, f"node `{node.name}` cannot be reached from `{start}`")
    for circle in _circles_without_input(nodes):
        source.problem(
            nodes[circle[0]].line,
            f"endless loop while the caller does nothing: {' -> '.join([*circle, circle[0]])}",
        )


def _reachable(start: str, nodes: Mapping[str, Node]) -> set[str]:
    found = {start}
    waiting = [start]
    while waiting:
        for target in nodes[waiting.pop()].edges():
            if target in nodes and target not in found:
                found.add(target)
                waiting.append(target)
    return found


def _circles_without_input(nodes: Mapping[str, Node]) -> list[list[str]]:
    """Return the circles that a caller who does nothing can be led round in."""
    circles: list[list[str]] = []
    finished: set[str] = set()
    for root in nodes:
        path: list[str] = []
        trail = [iter([root])]
        while trail:
            target = next(trail[-1], None)
            if target is None:
                trail.pop()
                if path:
                    finished.add(path.pop())
            elif target in path:
                circles.append(path[path.index(target) :])
            elif target in nodes and target not in finished:
                path.append(target)
                trail.append(iter(nodes[target].edges_without_input()))
    return circles
