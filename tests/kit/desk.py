"""An agent's desk without a screen: the API client, its stream, and a phone with the desk's secret.

async with Desk(lab, "1001") as desk:
    await desk.ready()
    pop = await desk.event(EventType.SCREEN_POP)
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from cti.client import ApiClient, StreamItem
from cti.phone.protocol import Event as PhoneEvent
from cti.phone.protocol import Incoming
from cti.schema import Event, EventType, ScreenPop, Snapshot
from tests.kit.lab import Lab
from tests.kit.patience import PATIENCE_S
from tests.kit.phone import Phone


@dataclass(frozen=True, slots=True)
class Seen:
    """One event of the stream, and when it came (monotonic seconds)."""

    at: float
    event: Event

    @property
    def data(self) -> Any:
        return self.event.data


class Desk:
    """One signed-on agent. `backend` None: without a phone; `acks` False: it confirms no card."""

    def __init__(
        self, lab: Lab, login: str, *, backend: str | None = "baresip", acks: bool = True
    ) -> None:
        self.lab = lab
        self.login = login
        self.api = ApiClient(lab.url)
        self.seen: list[Seen] = []
        self.snapshot: Snapshot | None = None
        self.rang_at: list[float] = []
        """When calls rang at the phone (monotonic seconds)."""
        self._backend = backend
        self._acks = acks
        self._phone: Phone | None = None
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def phone(self) -> Phone:
        assert self._phone is not None, "this desk has no phone"
        return self._phone

    async def __aenter__(self) -> Self:
        reply = await self.api.sign_on(self.login, f"desk-{self.login}")
        self._task = asyncio.create_task(self._read(), name=f"desk {self.login}")
        async with asyncio.timeout(PATIENCE_S):
            while self.snapshot is None:
                await self._next_news()
        if self._backend is not None:
            assert reply.phone is not None
            self._phone = await Phone(self._backend).__aenter__()
            self._phone.process.listen(self._heard)
            await self._phone.register_to(
                reply.phone.sip_host,
                reply.phone.sip_port,
                reply.phone.number,
                reply.phone.one_time_secret,
            )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._phone is not None:
            await self._phone.__aexit__(exc_type, exc, trace)
        if self._task is not None:
            with contextlib.suppress(Exception):
                await self.api.sign_off()
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.api.close()

    async def ready(self) -> None:
        """Become available."""
        await self.api.set_state("available")
        await self.lab.agent_is(self.login, "available")

    def mark(self) -> int:
        """How many events came so far: pass it as `after` to look at later ones only."""
        return len(self.seen)

    def all(self, kind: EventType, after: int = 0) -> list[Seen]:
        """The events of a kind that came so far."""
        return [seen for seen in self.seen[after:] if seen.event.type is kind]

    async def event(
        self,
        kind: EventType,
        *,
        after: int = 0,
        test: Callable[[Any], bool] = lambda data: True,
        timeout_s: float = PATIENCE_S,
    ) -> Seen:
        """The first event of a kind whose data pass `test`, if need be waited for."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    for seen in self.all(kind, after):
                        if test(seen.data):
                            return seen
                    await self._next_news()
        except TimeoutError:
            came = [str(seen.event.type) for seen in self.seen[after:]]
            raise AssertionError(f"no {kind} came to desk {self.login}, but {came}") from None

    async def pop(self, after: int = 0) -> ScreenPop:
        """The first card that came since `after`."""
        found: ScreenPop = (await self.event(EventType.SCREEN_POP, after=after)).data
        return found

    async def _next_news(self) -> None:
        self._news.clear()
        await self._news.wait()

    async def _read(self) -> None:
        async for item in self.api.stream():
            await self._take(item)
            self._news.set()

    async def _take(self, item: StreamItem) -> None:
        if isinstance(item, Snapshot):
            self.snapshot = item
        elif isinstance(item, Event):
            self.seen.append(Seen(time.monotonic(), item))
            if item.type is EventType.SCREEN_POP and self._acks:
                await self.api.ack(item.seq)

    def _heard(self, event: PhoneEvent) -> None:
        if isinstance(event, Incoming):
            self.rang_at.append(time.monotonic())
