"""The demo without a terminal: one call through everything, with each step proved.

The desk is the real one, run without a screen; the caller is a real user agent. What is checked is
what a person would see and hear: the card before the ring, the talk, the tone in the recording.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import numpy as np

from cti.client import ApiClient
from cti.demo.callers import Caller, Persona
from cti.demo.server import DemoFailedError
from cti.desk.agent.app import DeskApp
from cti.desk.agent.options import DeskOptions
from cti.local_server import LocalServer
from cti.schema import Event, EventType, RecordingView
from recordings.playback import Channel, read_pcm

_PERSONA: Final = Persona(
    number="+12025550109", dials="4000", digits="1", hums_hz=440.0, stays_s=12.0
)
_CUSTOMER: Final = "Grace Mbeki"
_WITHIN_S: Final = 45.0
_LEAST_LEVEL: Final = 1000.0

_COURSE: Final = (
    EventType.INTERACTION_STARTED,
    EventType.QUEUED,
    EventType.OFFERED,
    EventType.DELIVERED,
    EventType.ESTABLISHED,
    EventType.RECORDING_STARTED,
    EventType.CONNECTION_CLEARED,
    EventType.RECORDING_FINISHED,
)
"""What must be seen of the call, in this order as far as it is one."""


async def check(server: LocalServer, say: Callable[[str], None]) -> None:
    """Run one call.

    Raises:
        DemoFailedError: a step did not happen; the message says which.
    """
    desk = DeskApp(
        DeskOptions(
            server=server.url,
            login="1001",
            password="desk-1001",
            audio=False,
            auto_answer=True,
            ready=True,
        )
    )
    async with asyncio.TaskGroup() as tasks, ApiClient(server.url) as watcher:
        await watcher.sign_on("super", "desk-super")
        seen: dict[EventType, Event] = {}
        watching = tasks.create_task(_watch(watcher, seen))
        running = tasks.create_task(desk.run_async(headless=True, size=(120, 40)))
        try:
            await _until(lambda: desk.desk is not None, "the desk signed on")
            assert desk.desk is not None
            state = desk.desk
            await _until(lambda: state.state.mode == "available", "the agent became available")
            say("the desk signed on, its phone registered, the agent is available")
            calling = tasks.create_task(
                Caller(server.host, server.sip_port, say).call(_PERSONA), name="caller"
            )
            await _until(lambda: EventType.OFFERED in seen, "the call was offered")
            await _until(lambda: state.state.pop is not None, "the card popped")
            pop = state.state.pop
            assert pop is not None
            if pop.customer is None or pop.customer.name != _CUSTOMER:
                raise DemoFailedError(f"the card names {pop.customer} instead of {_CUSTOMER}")
            say(f"the card popped: {pop.customer.name}, {pop.customer.company}; {pop.why}")
            await _until(lambda: EventType.ESTABLISHED in seen, "the agent answered")
            say("answered; the two talk and are recorded")
            await calling
            for kind in _COURSE:
                await _until(lambda kind=kind: kind in seen, f"the event {kind.value}")  # type: ignore[misc]
            say("hung up; wrap-up")
            _check_recording(server, seen[EventType.RECORDING_FINISHED], say)
        finally:
            desk.exit()
            await running
            watching.cancel()


async def _watch(client: ApiClient, seen: dict[EventType, Event]) -> None:
    async for item in client.stream():
        if isinstance(item, Event):
            seen.setdefault(item.type, item)


async def _until(test: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(_WITHIN_S):
            while not test():  # noqa: ASYNC110 - screens have nothing to wait on
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise DemoFailedError(f"it never happened that {what}") from None


def _check_recording(server: LocalServer, event: Event, say: Callable[[str], None]) -> None:
    view = event.data
    if not isinstance(view, RecordingView) or view.error is not None:
        raise DemoFailedError(f"the recording failed: {view}")
    found = list((server.data / "recordings").rglob("*.wav"))
    if len(found) != 1:
        raise DemoFailedError(f"there should be one recording, there are {len(found)}")
    sound = read_pcm(found[0], channel=Channel.CUSTOMER).astype(float)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) * 4 / len(sound)
    pitches = np.fft.rfftfreq(len(sound), 1 / 8000)
    level = spectrum[np.abs(pitches - _PERSONA.hums_hz) < 5].max()
    if level < _LEAST_LEVEL:
        raise DemoFailedError(f"the caller's tone is not in the recording (level {level:.0f})")
    say(f"recorded: {view.duration_s:.1f} s, the caller's {_PERSONA.hums_hz:.0f} Hz on the left")
