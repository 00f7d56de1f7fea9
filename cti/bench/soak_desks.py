"""The people of a soak: desks that take calls, act on them and call out; wallboards; one who never reads.

They use the real API by the client that desks and wallboards use. Refusals are part of it (the
customer hung up a moment ago) and are counted by their word.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import Awaitable, Iterator, Sequence
from typing import Final

import websockets
from websockets.asyncio.client import connect

from cti.bench.soak_site import CUSTOMER
from cti.client import ApiClient
from cti.client_requests import ApiError, ServerUnreachableError
from cti.schema import CustomerRequest, Event, EventType

_SHIFT_S: Final = 60.0
"""Then a desk signs off, and on again after a pause."""
_PAUSE_S: Final = 2.0
_READY_S: Final = 30.0
_WATCH_S: Final = 30.0
"""A wallboard connects anew so often."""
_BEAT_S: Final = 0.3
"""Between two things that an agent does on a call."""
_LEAST_IDLE_S: Final = 4.0
"""An agent to whom nothing happens for so long calls out."""
_FAULTS: Final = (ServerUnreachableError, websockets.WebSocketException, OSError, TimeoutError)


class Desks:
    """Agents with desks, a wallboard, a client that does not read."""

    def __init__(self, url: str, agents: Sequence[str], numbers: Sequence[str]) -> None:
        """`numbers` are what the agents dial, in turn."""
        self._url = url
        self._agents = tuple(agents)
        self._numbers: Iterator[str] = itertools.cycle(numbers)
        self.done: Counter[str] = Counter()
        """What was done, refused and lost, in words."""
        self._ended = asyncio.Event()
        self._ready = asyncio.Event()

    async def wait_ready(self) -> None:
        """Return when all desks have signed on once, or after half a minute."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_READY_S):
                await self._ready.wait()

    def end(self) -> None:
        """Let everybody finish: calls are hung up, desks sign off, and `run` returns."""
        self._ended.set()

    async def run(self) -> None:
        """All of them, until `end`."""
        async with asyncio.TaskGroup() as tasks:
            watching = [tasks.create_task(work) for work in (self._wallboard(), self._deaf())]
            async with asyncio.TaskGroup() as shifts:
                for place, agent in enumerate(self._agents):
                    shifts.create_task(self._agent(agent, place))
            for task in watching:
                task.cancel()

    async def _agent(self, agent: str, place: int) -> None:
        await self._pause(0.2 * place)  # a password takes a while to check
        while not self._ended.is_set():
            try:
                async with ApiClient(self._url) as client:
                    await client.sign_on(agent, f"desk-{agent}")
                    self.done["signed on"] += 1
                    if self.done["signed on"] >= len(self._agents):
                        self._ready.set()
                    shift = _Shift(client, self.done, self._numbers)
                    await shift.run(self._pause(_SHIFT_S + 3.0 * place))
            except* (ApiError, *_FAULTS):
                self.done["shifts cut short"] += 1
            await self._pause(_PAUSE_S)

    async def _pause(self, seconds: float) -> None:
        """Wait so long, or until the end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()

    async def _wallboard(self) -> None:
        """A supervisor who watches, asks, and signs on anew now and then."""
        while True:
            with contextlib.suppress(ApiError, *_FAULTS):
                async with asyncio.timeout(_WATCH_S), ApiClient(self._url) as client:
                    await client.sign_on("super", "desk-super")
                    for name in ("Mbeki", "nobody of that name"):
                        await client.customers(name=name)
                    async for item in client.stream():
                        if isinstance(item, Event):
                            self.done["events on wallboards"] += 1
            await asyncio.sleep(_PAUSE_S)

    async def _deaf(self) -> None:
        """Opens the stream and does not read: the server must cut it off, not keep its events."""
        while True:
            with contextlib.suppress(ApiError, *_FAULTS):
                async with ApiClient(self._url) as client:
                    reply = await client.sign_on("super", "desk-super")
                    url = f"{self._url.replace('http', 'ws', 1)}/api/v1/events?token={reply.token}"
                    async with connect(
                        url, proxy=None, max_queue=1, ping_interval=None, close_timeout=0.2
                    ):
                        await asyncio.sleep(_WATCH_S)
            await asyncio.sleep(_PAUSE_S)


class _Shift:
    """One agent from sign-on to sign-off."""

    def __init__(self, client: ApiClient, done: Counter[str], numbers: Iterator[str]) -> None:
        self._client = client
        self._done = done
        self._numbers = numbers
        self._calls = 0
        self._heard_at = 0.0
        self._live: set[str] = set()
        """Interactions that are not over."""
        self._tasks: asyncio.TaskGroup

    async def run(self, until: Awaitable[None]) -> None:
        """Work until then. Raises what the client raises when the server is gone."""
        async with asyncio.TaskGroup() as self._tasks:
            listening = self._tasks.create_task(self._listen())
            idling = self._tasks.create_task(self._idle())
            await until
            idling.cancel()
            await self._try("break", self._client.set_state("not-ready", "break"))
            for interaction in tuple(self._live):
                await self._try("hung up", self._client.hang_up(interaction))
            await asyncio.sleep(3 * _BEAT_S)
            await self._try("signed off", self._client.sign_off())
            listening.cancel()

    async def _listen(self) -> None:
        with contextlib.suppress(*_FAULTS):
            async for item in self._client.stream():
                if isinstance(item, Event):
                    await self._event(item)
                else:
                    await self._try("available", self._client.set_state("available"))

    async def _event(self, event: Event) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        if event.type is EventType.SCREEN_POP:
            self._done["cards"] += 1
            await self._client.ack(event.seq)
        elif event.interaction_id is not None:
            self._call_event(event, event.interaction_id)

    def _call_event(self, event: Event, interaction: str) -> None:
        match event.type:
            case EventType.INTERACTION_STARTED:  # one that the agent dialled
                self._live.add(interaction)
            case EventType.ESTABLISHED:
                self._calls += 1
                is_ours = interaction in self._live
                self._live.add(interaction)
                self._tasks.create_task(self._talk(interaction, self._calls, is_ours=is_ours))
            case EventType.CONNECTION_CLEARED:
                self._tasks.create_task(self._wrap_up(interaction))
            case EventType.INTERACTION_ENDED:
                self._live.discard(interaction)

    async def _talk(self, interaction: str, turn: int, *, is_ours: bool) -> None:
        """All that an agent may do; a call of our own is ended, others by the customer, mostly."""
        client = self._client
        await self._try("held", client.hold(interaction))
        await asyncio.sleep(_BEAT_S)
        await self._try("resumed", client.resume(interaction))
        await self._try("muted", client.mute(interaction, True))
        await self._try("digits", client.digits(interaction, "12#"))
        await asyncio.sleep(_BEAT_S)
        await self._try("unmuted", client.mute(interaction, False))
        await self._try("note", client.note(interaction, f"note {turn}"))
        await self._try("look-up", client.customers(number="+12025550109"))
        if turn % 5 == 0:
            customer = CustomerRequest(name=CUSTOMER)  # one who is known already, mostly
            await self._try("linked", client.link_customer(interaction, customer))
        if is_ours or turn % 4 == 0:
            await self._try("hung up", client.hang_up(interaction))

    async def _wrap_up(self, interaction: str) -> None:
        await asyncio.sleep(_BEAT_S)
        await self._try("outcome", self._client.set_disposition(interaction, "resolved"))
        await self._try("timeline", self._client.interaction(interaction))
        await self._try("wrapped up", self._client.finish_wrap_up())

    async def _idle(self) -> None:
        """Dial when nothing happens."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_LEAST_IDLE_S)
            if loop.time() - self._heard_at > _LEAST_IDLE_S:
                await self._try("dialled", self._client.dial(next(self._numbers)))

    async def _try(self, what: str, doing: Awaitable[object]) -> None:
        """Do it; a refusal is counted by its word, a lost connection as `unreachable`."""
        try:
            await doing
        except ApiError as refusal:
            self._done[f"refused: {refusal.problem.error_id}"] += 1
        except ServerUnreachableError:
            self._done["unreachable"] += 1
        else:
            self._done[what] += 1
