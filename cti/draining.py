r"""The graceful end of a node: no new calls, those that run finish up to a limit, the rest are told.

    begin --> calls finish --> none left, or time is up --> the rest hear why --> over
                     \----------- hurry ---------------\--------------------^

Phones register all the while, agents may hold, resume and hang up, and whoever waits in a queue is
still served. Desks and wallboards are told at the beginning and as the calls grow fewer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from acd.closing_time import SHUTDOWN
from cti.counted import counted
from cti.schema import ServerView
from ivr.announcements import server_stopping
from switch.calls.control import Calls
from switch.calls.events import LegEnded, PlayFinished
from switch.calls.fan_out import Takes
from switch.clock import Clock
from switch.ids import LegId, PlayerId

log = logging.getLogger(__name__)

FAREWELL_S: Final = 9.0
"""The announcement and the last BYEs take no longer; the longest of the shipped ones is 7.1 s."""
_LOOK_EVERY_S: Final = 1.0
_SAY_EVERY_S: Final = 10.0
"""Unless calls end: then once a second at most."""


class Draining:
    """One end of one node. `begin` once, then `run`; `hurry` at any time."""

    def __init__(
        self,
        *,
        limit_s: float,
        language: str,
        clock: Clock,
        calls: Calls,
        close_door: Callable[[], None],
        end_contacts: Callable[[], dict[LegId, str]],
        tell: Callable[[ServerView], None],
    ) -> None:
        """`end_contacts` gives the legs left over, with the language of who is there.

        `language` is spoken on all others; `close_door` keeps out what is not a call from outside.
        """
        self._limit_s = limit_s
        self._language = language
        self._clock = clock
        self._calls = calls
        self._close_door = close_door
        self._end_contacts = end_contacts
        self._tell = tell
        self._changed = asyncio.Event()
        self._hurried = False
        self._players: dict[PlayerId, LegId] = {}
        self._stops_at: float | None = None
        self._said: tuple[float, int] = (0.0, -1)
        """When the number of calls was told, and what it was."""
        self.takes: Takes = {LegEnded: self._leg_ended, PlayFinished: self._play_finished}
        """What the calls report."""

    @property
    def has_begun(self) -> bool:
        """True from the first request to stop on."""
        return self._stops_at is not None

    @property
    def stops_at(self) -> float | None:
        """When calls that still run are ended, in seconds since the epoch; None: not at all yet."""
        return self._stops_at

    @property
    def calls_left(self) -> int:
        """Calls that still run."""
        return self._calls.calls_alive

    def begin(self) -> None:
        """Close the door, and say so to everybody."""
        if self.has_begun:
            return
        self._stops_at = self._clock.wall() + self._limit_s
        self._calls.close_door()
        self._close_door()
        self._say()

    def hurry(self) -> None:
        """End what still runs now, without a word."""
        if not self._hurried:
            log.warning(
                "stopping at once: %s ended", counted(self.calls_left, "call is", "calls are")
            )
        self._hurried = True
        self._changed.set()

    def _leg_ended(self, event: LegEnded) -> None:
        if self.has_begun:
            self._changed.set()

    def _play_finished(self, event: PlayFinished) -> None:
        leg = self._players.pop(event.player, None)
        if leg is not None:
            self._calls.hang_up(leg, SHUTDOWN)

    async def run(self) -> None:
        """Return when no call is left, or no time."""
        self.begin()
        await self._until_quiet(self._limit_s)
        if self.calls_left and self._limit_s > 0 and not self._hurried:
            log.warning(
                "time is up: %s told and ended", counted(self.calls_left, "call is", "calls are")
            )
            self.say_goodbye()
            await self._until_quiet(FAREWELL_S)
        self._end_contacts()

    def say_goodbye(self) -> None:
        """Tell everyone who is still here why the call ends; after that it is hung up."""
        languages = self._end_contacts()
        for view in self._calls.describe():
            if view.answered_at is None:
                self._calls.hang_up(view.leg, SHUTDOWN)
                continue
            self._calls.silence(view.leg)
            words = server_stopping(languages.get(view.leg, self._language))
            self._players[self._calls.play(view.leg, words)] = view.leg

    async def _until_quiet(self, limit_s: float) -> None:
        end = self._clock.now() + limit_s
        while self.calls_left and not self._hurried:
            left_s = end - self._clock.now()
            if left_s <= 0:
                break
            self._changed.clear()
            try:
                async with asyncio.timeout(min(left_s, _LOOK_EVERY_S)):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._say()

    def _say(self) -> None:
        """Tell how many calls are left: when that changed, and now and then."""
        now, left = self._clock.now(), self.calls_left
        at, told = self._said
        if now - at < (_SAY_EVERY_S if left == told else _LOOK_EVERY_S) and told >= 0 and left:
            return
        self._said = (now, left)
        seconds = 0.0 if self._stops_at is None else self._stops_at - self._clock.wall()
        calls = counted(left, "call")
        log.info("stopping: %s left, at most %.0f s more", calls, max(0.0, seconds))
        self._tell(ServerView(stopping=True, stops_at=self._stops_at, calls_left=left))
