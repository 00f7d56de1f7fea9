"""Which agents have a desk: a dropped connection is not a sign-off.

away     -- opened     --> present    desk_connected
away     -- expected   --> waiting    an earlier process had it
present  -- closed     --> waiting    the last connection dropped; the grace period begins
waiting  -- opened     --> present
waiting  -- grace over --> away       desk_gone
present, waiting -- signed off --> away    desk_gone
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from cti.api.ports import Floor


class Timer(Protocol):
    """What `call_later` gives."""

    def cancel(self) -> None: ...


@dataclass(slots=True)
class _Desk:
    """What is known of one agent's desks."""

    open: Counter[str] = field(default_factory=Counter)
    """Connections by sign-on."""
    told: set[str] = field(default_factory=set)
    """Sign-ons that the floor knows of."""
    timer: Timer | None = None


class Desks:
    """Tells the floor when desks come and go. `call_later(seconds, callback)` gives a timer."""

    def __init__(
        self,
        floor: Floor,
        grace_s: float,
        call_later: Callable[[float, Callable[[], None]], Timer],
    ) -> None:
        self._floor = floor
        self._grace_s = grace_s
        self._call_later = call_later
        self._desks: dict[str, _Desk] = {}

    def opened(self, agent_id: str, session: str) -> None:
        """A stream of this sign-on is connected."""
        desk = self._desks.setdefault(agent_id, _Desk())
        desk.open[session] += 1
        self._stop_timer(desk)
        if session not in desk.told:
            desk.told.add(session)
            self._floor.desk_connected(agent_id, session)

    def expect(self, agent_id: str) -> None:
        """A desk was connected to an earlier process: it may come back within the grace period."""
        desk = self._desks.setdefault(agent_id, _Desk())
        if not desk.open and desk.timer is None:
            desk.timer = self._call_later(self._grace_s, lambda: self._gone(agent_id))

    def closed(self, agent_id: str, session: str) -> None:
        """A stream of this sign-on is gone; the agent may come back within the grace period."""
        desk = self._desks.get(agent_id)
        if desk is None:
            return  # signed off meanwhile
        desk.open[session] -= 1
        desk.open += Counter()  # drops zeros
        if not desk.open and desk.timer is None:
            desk.timer = self._call_later(self._grace_s, lambda: self._gone(agent_id))

    def signed_off(self, agent_id: str, session: str) -> None:
        """This sign-on is over. Without another one that is connected, the desk is gone now."""
        desk = self._desks.get(agent_id)
        if desk is not None:
            desk.told.discard(session)
            del desk.open[session]
            if desk.open:
                return
        self._gone(agent_id)

    def close(self) -> None:
        """The server stops: nobody is told anything any more."""
        for desk in self._desks.values():
            self._stop_timer(desk)
        self._desks.clear()

    def _gone(self, agent_id: str) -> None:
        desk = self._desks.pop(agent_id, None)
        if desk is not None:
            self._stop_timer(desk)
        self._floor.desk_gone(agent_id)

    @staticmethod
    def _stop_timer(desk: _Desk) -> None:
        if desk.timer is not None:
            desk.timer.cancel()
            desk.timer = None
