"""Simulated callers: real SIP user agents that dial, listen, press digits, talk and hang up."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from cti.phone import protocol as phone_protocol
from cti.phone.client import PhoneProcess, PhoneUnavailableError
from cti.phone.protocol import Closed, Established
from cti.schema import Event, EventType, InteractionView, TransferView

log = logging.getLogger(__name__)

_ANSWER_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """One caller and what it does."""

    number: str
    """Who calls, E.164 of a reserved range."""
    dials: str
    digits: str = ""
    """Pressed one after the other, once the menu speaks."""
    digits_after_s: float = 2.5
    hums_hz: float = 440.0
    """What the caller says: a tone, so that it can be told who is heard."""
    stays_s: float = 45.0
    """Hangs up after so long at the most."""


_PATIENCE_S: Final = 900.0
"""Whoever tries the desk first reads, holds, consults, parks: the caller is to be there still."""
_TALKS_ON_S: Final = 20.0
"""Whom the agent has given to somebody else hangs up after so long."""

PERSONAS: Final[Sequence[Persona]] = (
    Persona(number="+12025550109", dials="4001", hums_hz=440.0, stays_s=_PATIENCE_S),
    Persona(number="+441632960121", dials="4000", digits="1", hums_hz=523.0, stays_s=_PATIENCE_S),
    Persona(number="+12025550100", dials="4001", hums_hz=392.0, stays_s=_PATIENCE_S),
    Persona(number="+12025550102", dials="4010", digits="1", hums_hz=494.0, stays_s=_PATIENCE_S),
    Persona(number="+12025550177", dials="4000", digits="1", hums_hz=587.0, stays_s=_PATIENCE_S),
)
"""Known customers, two who share a number, one who wants Chinese, and one whom nobody knows."""


class Caller:
    """One line that plays personas, one call after the other."""

    def __init__(self, host: str, port: int, tell: Callable[[str], None] = lambda _: None) -> None:
        self._host = host
        self._port = port
        self._tell = tell

    async def call(self, persona: Persona) -> str:
        """Make one call; gives how it ended, in words.

        Raises:
            PhoneUnavailableError: no user agent could be started.
        """
        phone = await PhoneProcess.start("baresip", bind="127.0.0.1", number=persona.number)
        try:
            return await self._conversation(phone, persona)
        finally:
            await phone.stop()

    async def _conversation(self, phone: PhoneProcess, persona: Persona) -> str:
        phone.tone(persona.hums_hz)
        call = phone.dial(f"sip:{persona.dials}@{self._host}:{self._port}")
        self._tell(f"{persona.number} dials {persona.dials}")

        def over(event: phone_protocol.Event) -> bool:
            return isinstance(event, Closed) and event.call == call

        def answered(event: phone_protocol.Event) -> bool:
            return over(event) or (isinstance(event, Established) and event.call == call)

        closed = phone.expect(over)
        try:
            async with asyncio.timeout(_ANSWER_S):
                first = await phone.expect(answered)
            if isinstance(first, Closed):
                return f"not answered ({first.status} {first.reason})"
            async with asyncio.timeout(persona.stays_s):
                await self._press(phone, call, persona)
                await asyncio.shield(closed)  # still wanted when time is up
            return "the other side hung up"
        except TimeoutError:
            phone.hang_up(call)
            async with asyncio.timeout(5.0):
                await closed
            return "hung up"

    async def _press(self, phone: PhoneProcess, call: str, persona: Persona) -> None:
        for digit in persona.digits:
            await asyncio.sleep(persona.digits_after_s)
            phone.digits(call, digit)
            self._tell(f"{persona.number} presses {digit}")


@dataclass(slots=True, eq=False)
class _Line:
    """One call of a persona, and where it is now."""

    persona: Persona
    interaction: str = ""
    """Once the server has told of it."""
    is_done: asyncio.Event = field(default_factory=asyncio.Event)
    """It is over, or somebody else has it: the desk is free for the next caller."""
    limit: asyncio.Timeout = field(default_factory=lambda: asyncio.timeout(None))
    """When it hangs up by itself, once somebody else has it."""


class Callers:
    """The personas call in turn: the next one when the last hung up, or is somebody else's.

    Whoever was given away talks on for a while with who has it now.
    """

    def __init__(
        self,
        call: Callable[[Persona], Awaitable[str]],
        personas: Sequence[Persona],
        *,
        agent: str,
        pause_s: float,
        talks_on_s: float = _TALKS_ON_S,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`call` makes one call and gives how it ended; `agent` is who tries the desk."""
        self._call = call
        self._personas = personas
        self._agent = agent
        self._pause_s = pause_s
        self._talks_on_s = talks_on_s
        self._tell = tell
        self._lines: list[_Line] = []

    async def run(self) -> None:
        """Let them call until cancelled."""
        async with asyncio.TaskGroup() as calls:
            for persona in itertools.cycle(self._personas):
                line = _Line(persona)
                self._lines.append(line)
                calls.create_task(self._play(line), name=f"caller {persona.number}")
                await line.is_done.wait()
                await asyncio.sleep(self._pause_s)

    def heard(self, event: Event) -> None:
        """What the server tells of interactions."""
        match event.data:
            case InteractionView() if event.type is EventType.INTERACTION_STARTED:
                self._began(event.data)
            case InteractionView() if event.type is EventType.ESTABLISHED:
                self._established(event.data)
            case TransferView(kind="queue"):
                for line in self._of(event.interaction_id):
                    line.is_done.set()  # who is parked is not done: the desk fetches it
            case _:
                pass

    def _began(self, view: InteractionView) -> None:
        """The server knows a call of a persona, unless that is called for a campaign itself."""
        for line in self._lines:
            if line.persona.number == view.caller_number and not (
                line.interaction or view.campaign
            ):
                line.interaction = view.interaction_id

    def _established(self, view: InteractionView) -> None:
        """A caller talks: to the desk, or to somebody else, for whom nobody here hangs up."""
        for line in self._of(view.interaction_id):
            if line.limit.expired():
                continue
            if view.agent_id == self._agent:
                line.limit.reschedule(None)
                continue
            line.limit.reschedule(asyncio.get_running_loop().time() + self._talks_on_s)
            line.is_done.set()

    def _of(self, interaction: str | None) -> list[_Line]:
        """The line of an interaction, if it is one of ours."""
        return [
            line for line in self._lines if line.interaction and line.interaction == interaction
        ]

    async def _play(self, line: _Line) -> None:
        number = line.persona.number
        try:
            async with line.limit:
                outcome = await self._call(line.persona)
        except (PhoneUnavailableError, TimeoutError) as error:
            outcome = str(error)
            if line.limit.expired():
                outcome = "talked to somebody else, and hung up"
            else:
                log.warning("the simulated caller %s: %s", number, error)
        finally:
            self._lines.remove(line)
            line.is_done.set()
        self._tell(f"{number}: {outcome}")
