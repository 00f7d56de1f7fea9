r"""The event bus: numbers events, keeps the last ones for resuming, hands them to who may see them.

    publish --> ring (resume) --> listeners (in process, synchronous)
                              \-> subscriptions (bounded queues, one per client)

Publishing is synchronous and never waits. An event becomes JSON at most once, and only when
somebody takes it. An event belongs to the agent in its `agent_id`: whoever publishes sets it on
every event of an interaction that has an agent at that moment.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import Struct

from cti.schema import Event, EventData, EventType

SEQ_SHIFT: Final = 10
"""Sequence numbers begin at milliseconds since the epoch times 1,024.

So a restarted server continues above its earlier numbers as long as it published less than 1,024
events in each millisecond of its life, and 2**53, the largest integer that JavaScript keeps, is not
reached before the year 2248.
"""

_FOR_ALL: Final = frozenset(
    {
        EventType.GATEWAY_CHANGED,
        EventType.SERVER_CHANGED,
        EventType.CAMPAIGNS_LOADED,
        EventType.PARKED,
    }
)
"""For everybody: news of the server itself, and of parked calls, which everybody may fetch."""
_OF_A_QUEUE: Final = frozenset(
    {EventType.QUEUE_CHANGED, EventType.CAMPAIGN_CHANGED, EventType.CAMPAIGN_REMOVED}
)
"""For the agents of the event's queue."""

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who listens. An agent sees what is its own and its queues' figures."""

    agent_id: str | None = None
    queues: frozenset[str] = frozenset()
    sees_all: bool = False
    """Supervisors: everything but other people's screen pops."""

    def admits(self, event: Event) -> bool:
        """True when this audience may see the event."""
        if event.agent_id is not None and event.agent_id == self.agent_id:
            return True
        if event.type is EventType.SCREEN_POP:
            return False
        if self.sees_all or event.type in _FOR_ALL:
            return True
        return event.type in _OF_A_QUEUE and event.queue in self.queues


class Entry(Struct, gc=False):
    """A published event and, once somebody wanted it, its message for clients.

    Thousands are kept; the garbage collector need not look at them, they lead to nothing above.
    """

    event: Event
    _message: str | None = None

    def message(self) -> str:
        """The JSON text that clients get: `{"kind": "event", "event": ...}`."""
        if self._message is None:
            self._message = '{"kind":"event","event":' + _encode(self.event).decode() + "}"
        return self._message


class Subscription:
    """One client's queue. Read it with `next()`; it ends with the `reason` it was closed for."""

    __slots__ = ("_bus", "_limit", "_queue", "_wanted", "audience", "on_end", "reason")

    def __init__(self, bus: Bus, audience: Audience, limit: int) -> None:
        self._bus = bus
        self._queue: deque[Entry] = deque()
        self._limit = limit
        self._wanted: asyncio.Future[None] | None = None
        self.audience = audience
        self.reason: str | None = None
        """Why it ended (`slow`, `shutdown`, `signed-off`, ...); None while it lives."""
        self.on_end: Callable[[], None] | None = None
        """Called when it ends; the reader may be busy sending and not look."""

    @property
    def waiting(self) -> int:
        """Events that wait to be read."""
        return len(self._queue)

    async def next(self) -> Entry | None:
        """The next event, or None when the subscription has ended."""
        while not self._queue:
            if self.reason is not None:
                return None
            self._wanted = asyncio.get_running_loop().create_future()
            try:
                await self._wanted
            finally:
                self._wanted = None
        if self.reason == "slow":
            return None
        return self._queue.popleft()

    def close(self, reason: str) -> None:
        """End it. What waits is still delivered, unless the client was too slow."""
        if self.reason is None:
            self.reason = reason
            self._bus._forget(self)
            if reason == "slow":
                self._queue.clear()
            self._wake()
            if self.on_end is not None:
                self.on_end()

    def drop(self) -> None:
        """Nobody reads any more: let go of what waits, and of who wanted to know the end."""
        self.close("gone")
        self._queue.clear()
        self.on_end = None

    def _deliver(self, entry: Entry) -> None:
        if len(self._queue) >= self._limit:
            self.close("slow")
            return
        self._queue.append(entry)
        self._wake()

    def _wake(self) -> None:
        if self._wanted is not None and not self._wanted.done():
            self._wanted.set_result(None)


class Bus:
    """Events in, in one order for everybody.

    `wall` gives seconds since the epoch. `keep` events are held for clients that resume. Used from
    the event loop's thread only.
    """

    def __init__(
        self, *, wall: Callable[[], float] = time.time, keep: int = 20_000, first_seq: int = 0
    ) -> None:
        self.wall = wall
        """The clock of the events: seconds since the epoch."""
        self._life = secrets.token_hex(4)
        """Makes ids of events differ from those of an earlier life, even if the clock was set back."""
        self._seq = max(first_seq, int(wall() * 1000) << SEQ_SHIFT)
        self._dropped_to = self._seq
        self._ring: deque[Entry] = deque()
        self._keep = keep
        self._listeners: dict[EventType, tuple[Callable[[Event], None], ...]] = dict.fromkeys(
            EventType, ()
        )
        self._everything: list[Subscription] = []
        self._by_agent: dict[str, list[Subscription]] = {}
        self._by_queue: dict[str, list[Subscription]] = {}
        self._subscriptions: dict[Subscription, None] = {}
        self.slow = 0
        """Clients that were cut off because they did not read."""

    @property
    def last_seq(self) -> int:
        """The number of the newest event."""
        return self._seq

    @property
    def subscriptions(self) -> int:
        """Clients connected."""
        return len(self._subscriptions)

    def publish(
        self,
        type: EventType,
        data: EventData,
        *,
        interaction_id: str | None = None,
        call_id: str | None = None,
        queue: str | None = None,
        agent_id: str | None = None,
        customer_id: str | None = None,
        at: float | None = None,
    ) -> Event:
        """Give an event its number, id and time, and hand it out. Never waits, never fails."""
        self._seq = seq = self._seq + 1
        event = Event(
            seq=seq,
            id=f"{self._life}-{seq:x}",
            at=self.wall() if at is None else at,
            type=type,
            data=data,
            interaction_id=interaction_id,
            call_id=call_id,
            queue=queue,
            agent_id=agent_id,
            customer_id=customer_id,
        )
        entry = Entry(event)
        ring = self._ring
        ring.append(entry)
        if len(ring) > self._keep:
            self._dropped_to = ring.popleft().event.seq
        if self._subscriptions:
            self._distribute(entry)
        for listener in self._listeners[type]:
            listener(event)
        return event

    def listen(self, listener: Callable[[Event], None], *types: EventType) -> Callable[[], None]:
        """Call `listener` with events of these types, or with all, inside `publish`; returns the undo.

        It must not raise.
        """
        wanted = types or tuple(EventType)
        for kind in wanted:
            self._listeners[kind] = (*self._listeners[kind], listener)

        def stop() -> None:
            for kind in wanted:
                self._listeners[kind] = tuple(
                    other for other in self._listeners[kind] if other is not listener
                )

        return stop

    def subscribe(
        self, audience: Audience, *, after: int | None = None, limit: int = 1000
    ) -> Subscription | None:
        """Open a queue for a client, beginning after the event `after` or now.

        None when `after` cannot be resumed: it is older than what is kept, or of the future. What
        was missed does not count against `limit`.
        """
        subscription = Subscription(self, audience, limit)
        if after is not None:
            if not self._dropped_to <= after <= self._seq:
                return None
            missed = self._since(after, audience)
            subscription._queue.extend(missed)
            subscription._limit += len(missed)
        self._subscriptions[subscription] = None
        for index in self._indexes(audience):
            index.append(subscription)
        return subscription

    def close(self, reason: str = "shutdown") -> None:
        """End all subscriptions."""
        for subscription in tuple(self._subscriptions):
            subscription.close(reason)

    def _since(self, after: int, audience: Audience) -> list[Entry]:
        missed: list[Entry] = []
        for entry in reversed(self._ring):
            if entry.event.seq <= after:
                break
            if audience.admits(entry.event):
                missed.append(entry)
        missed.reverse()
        return missed

    def _indexes(self, audience: Audience) -> list[list[Subscription]]:
        """The lists in which a subscription of this audience stands."""
        found = [self._everything] if audience.sees_all else []
        if audience.agent_id is not None:
            found.append(self._by_agent.setdefault(audience.agent_id, []))
        if not audience.sees_all:
            found += [self._by_queue.setdefault(queue, []) for queue in audience.queues]
        return found

    def _forget(self, subscription: Subscription) -> None:
        if subscription.reason == "slow":
            self.slow += 1
        if subscription not in self._subscriptions:
            return
        del self._subscriptions[subscription]
        for index in self._indexes(subscription.audience):
            index.remove(subscription)

    def _distribute(self, entry: Entry) -> None:
        event = entry.event
        if event.type in _FOR_ALL:
            for subscription in tuple(self._subscriptions):
                subscription._deliver(entry)
            return
        own = () if event.agent_id is None else tuple(self._by_agent.get(event.agent_id, ()))
        for subscription in own:
            subscription._deliver(entry)
        if event.type is EventType.SCREEN_POP:
            return
        for subscription in tuple(self._everything):
            if event.agent_id is None or subscription.audience.agent_id != event.agent_id:
                subscription._deliver(entry)
        if event.type in _OF_A_QUEUE and event.queue is not None:
            for subscription in tuple(self._by_queue.get(event.queue, ())):
                if event.agent_id is None or subscription.audience.agent_id != event.agent_id:
                    subscription._deliver(entry)
