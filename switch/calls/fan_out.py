"""Events of the calls, handed out by their type: whoever has no use for one is not asked.

A call makes ten events, for which a dozen parts of the program wait; each wants two or three of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

from switch.calls.events import CallEvent

Takes = Mapping[type[Any], Callable[[Any], None]]
"""What one part takes, by type of event, and who takes it there."""

EVENT_TYPES: Final[tuple[type[Any], ...]] = get_args(CallEvent)


def everything(take: Callable[[CallEvent], None]) -> Takes:
    """Of somebody who takes every event."""
    return dict.fromkeys(EVENT_TYPES, take)


class FanOut:
    """Hands each event to those who take it, in the order in which they were given."""

    __slots__ = ("_takers",)

    def __init__(self, *parts: Takes) -> None:
        """Raises ValueError where one of the parts takes what is no event of the calls."""
        strange = set().union(*parts) - set(EVENT_TYPES)
        if strange:
            raise ValueError(f"no events of the calls: {strange}")
        self._takers = {
            kind: tuple(takes[kind] for takes in parts if kind in takes) for kind in EVENT_TYPES
        }

    def __call__(self, event: CallEvent) -> None:
        for take in self._takers[type(event)]:
            take(event)
