"""Simulated callers: real SIP user agents that dial, listen, press digits, talk and hang up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cti.phone.client import PhoneProcess, PhoneUnavailableError
from cti.phone.protocol import Closed, Established, Event

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

        def over(event: Event) -> bool:
            return isinstance(event, Closed) and event.call == call

        def answered(event: Event) -> bool:
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


async def keep_calling(
    host: str,
    port: int,
    personas: Sequence[Persona],
    *,
    pause_s: float,
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """Let the personas call in turn until cancelled, with a pause between calls."""
    caller = Caller(host, port, tell)
    while True:
        for persona in personas:
            try:
                outcome = await caller.call(persona)
            except (PhoneUnavailableError, TimeoutError) as error:
                log.warning("the simulated caller %s: %s", persona.number, error)
                outcome = str(error)
            tell(f"{persona.number}: {outcome}")
            await asyncio.sleep(pause_s)
