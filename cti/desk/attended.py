"""Which calls supervisors attend, as screens keep and show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cti.desk.text import Words
from cti.schema import SupervisionView

Supervisors = tuple[SupervisionView, ...]
"""Those of one interaction: they hear it, or their phones are called."""
Attended = Mapping[str, Supervisors]
"""By interaction."""

_THERE: Final = frozenset({"calling", "attending"})


def with_news(attended: Attended, interaction_id: str, news: SupervisionView) -> Attended:
    """After an act of a supervisor: one is called, hears it, takes another role, or is gone."""
    others = tuple(each for each in attended.get(interaction_id, ()) if each.by != news.by)
    now = (*others, news) if news.state in _THERE else others
    rest = {each: views for each, views in attended.items() if each != interaction_id}
    return {**rest, interaction_id: now} if now else rest


def in_words(words: Words, supervisors: Supervisors) -> str:
    """`boss listens, eve talks to both`; empty where nobody hears it."""
    there = (each for each in supervisors if each.state == "attending")
    return ", ".join(words(f"attends.{each.role}", by=each.by) for each in there)


def act_of(supervisors: Supervisors, login: str) -> SupervisionView | None:
    """What this supervisor does there."""
    return next((each for each in supervisors if each.by == login), None)
