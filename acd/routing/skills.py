"""Skills: what a contact needs against what an agent can."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from acd.model import SkillNeed

Needs = tuple[tuple[str, int], ...]
"""Skill and least level, one entry a skill, by name: equal needs are equal values."""


def merged(*groups: Iterable[SkillNeed]) -> Needs:
    """Return the needs of all groups as one; of a skill named twice the higher level counts."""
    levels: dict[str, int] = {}
    for needs in groups:
        for need in needs:
            levels[need.skill] = max(need.level, levels.get(need.skill, 0))
    return tuple(sorted(levels.items()))


def covers(levels: Mapping[str, int], needs: Needs) -> bool:
    """Whether an agent with these levels has every skill at the level needed."""
    return all(levels.get(skill, 0) >= level for skill, level in needs)


def lacking(levels: Mapping[str, int], needs: Needs) -> str:
    """Say in words what an agent lacks; empty if nothing."""
    return ", ".join(
        f"{skill} level {levels[skill]} of {level}" if skill in levels else f"no {skill}"
        for skill, level in needs
        if levels.get(skill, 0) < level
    )


def in_words(levels: Mapping[str, int], needs: Needs) -> str:
    """Say in words how an agent meets the needs: `sales level 3, german level 2`."""
    return ", ".join(f"{skill} level {levels.get(skill, 0)}" for skill, _ in needs)
