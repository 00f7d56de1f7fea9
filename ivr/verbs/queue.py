"""`queue`: let the caller wait for an agent. Ends the flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import yaml

from ivr.outcomes import ToQueue
from ivr.reader import NodeReader
from ivr.turn import Activity, Node, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueNode(Node):
    """Hand the caller to a queue."""

    VERB: ClassVar[str] = "queue"
    NEEDS_ANSWER: ClassVar[bool] = False

    queue: str
    priority: int
    skills: Mapping[str, int]
    """Skill to the least level asked for, 1 to 5."""

    def edges(self) -> tuple[str, ...]:
        """Return nothing: the flow ends here."""
        return ()

    def begin(self, turn: Turn) -> Activity | None:
        """End the flow."""
        turn.finish(
            ToQueue(
                queue=self.queue,
                priority=self.priority,
                skills=self.skills,
                facts=turn.facts(),
                language=turn.language,
            )
        )
        return None


def read(reader: NodeReader) -> QueueNode:
    """Read the node."""
    return QueueNode(
        name=reader.name,
        line=reader.line,
        queue=reader.queue("queue"),
        priority=reader.integer("priority", 0, -100, 100),
        skills=_skills(reader),
    )


def _skills(reader: NodeReader) -> dict[str, int]:
    skills: dict[str, int] = {}
    for name, (_, level) in reader.children("skills").items():
        if isinstance(level, yaml.ScalarNode) and level.value in ("1", "2", "3", "4", "5"):
            skills[name] = int(level.value)
        else:
            reader.source.problem(level, f"skill `{name}`: expected a level from 1 to 5")
    return skills
