"""Keeps the desk's phone alive and registered, and answers for the agent."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from cti.desk.phone_state import PhoneGone, PhoneNews, PhoneStarting
from cti.phone import protocol as phone
from cti.phone.addresses import is_loopback
from cti.phone.client import PhoneProcess, PhoneUnavailableError
from cti.schema import PhoneCredentials

_RESTART_DELAYS_S: Final = (0.5, 2.0, 5.0)
"""After so many deaths in a row the agent has to start the phone again."""
_STABLE_S: Final = 30.0
"""A phone that lived this long may die anew without counting the earlier deaths."""
_EXPECTED_S: Final = 20.0
"""A call that the agent dialled comes to the phone within this; it is answered by itself."""


def is_answered_at_once(call: phone.Incoming) -> bool:
    """Whether the switch asks the phone to answer by itself: somebody on the line waits for that."""
    wanted = call.headers.get("Call-Info", "").replace(" ", "").lower()
    return ";answer-after=0" in wanted


class PhoneKeeper:
    """Starts the process, registers, starts it again when it dies. Tells everything to `tell`."""

    def __init__(
        self, tell: Callable[[PhoneNews], None], *, backend: str, audio: str, auto_answer: bool
    ) -> None:
        self._tell = tell
        self._backend = backend
        self._audio = audio
        self._auto_answer = auto_answer
        self._credentials: PhoneCredentials | None = None
        self._process: PhoneProcess | None = None
        self._task: asyncio.Task[None] | None = None
        self._expecting_until = 0.0
        self._rings: str | None = None
        self._talks: str | None = None
        self._calls: set[str] = set()

    def start(self, credentials: PhoneCredentials) -> None:
        """Start, or start again, with these credentials."""
        if self._task is not None:
            self._task.cancel()
        self._credentials = credentials
        self._task = asyncio.create_task(self._keep(), name="desk phone")

    def renew(self, credentials: PhoneCredentials | None) -> None:
        """Register with a new secret; a call that is up goes on."""
        if credentials is None:
            return
        self._credentials = credentials
        if self._process is None or not self._process.is_alive:
            self.start(credentials)
        else:
            self._register(self._process)

    async def stop(self) -> None:
        """Hang up, unregister, end the process."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    # --- what the agent does ---

    def expect_own_call(self) -> None:
        """The agent dials: the next call is the switch's, to be answered at once."""
        self._expecting_until = asyncio.get_running_loop().time() + _EXPECTED_S

    def answer(self) -> None:
        """Answer the call that rings."""
        if self._rings is not None:
            self._order(phone.Answer(call=self._rings))

    def refuse(self) -> None:
        """Refuse the call that rings."""
        if self._rings is not None:
            self._order(phone.Reject(call=self._rings))

    def hang_up(self) -> None:
        """End the call on this phone."""
        call = self._talks or self._rings
        if call is not None:
            self._order(phone.HangUp(call=call))

    def hold(self) -> None:
        """Hold the call on this phone."""
        if self._talks is not None:
            self._order(phone.Hold(call=self._talks))

    def resume(self) -> None:
        """Take the call on this phone off hold."""
        if self._talks is not None:
            self._order(phone.Resume(call=self._talks))

    def drop_calls(self) -> None:
        """End every call on this phone: the server knows none of them."""
        for call in tuple(self._calls):
            self._order(phone.HangUp(call=call))

    def _order(self, command: phone.Command) -> None:
        if self._process is not None:
            with contextlib.suppress(PhoneUnavailableError):
                self._process.send(command)

    # --- the process ---

    async def _keep(self) -> None:
        deaths = 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            self._tell(PhoneStarting())
            last_words = await self._run_once()
            deaths = 1 if loop.time() - began > _STABLE_S else deaths + 1
            if deaths > len(_RESTART_DELAYS_S):
                self._tell(PhoneGone(last_words))
                return
            await asyncio.sleep(_RESTART_DELAYS_S[deaths - 1])

    async def _run_once(self) -> str:
        """Run one process until it dies; returns its last words."""
        credentials = self._credentials
        assert credentials is not None
        ours = "::1" if ":" in credentials.sip_host else "127.0.0.1"
        bind = ours if is_loopback(credentials.sip_host) else ""
        try:
            process = await PhoneProcess.start(self._backend, audio=self._audio, bind=bind)
        except PhoneUnavailableError as exc:
            return str(exc)
        self._process = process
        if process.ready is not None:
            self._tell(process.ready)
        self._register(process)
        try:
            async for event in process.events():
                self._heard(event)
                if isinstance(event, phone.Died):
                    return event.last_words
        finally:
            self._process = self._rings = self._talks = None
            self._calls.clear()
            await asyncio.shield(process.stop())
        return ""

    def _register(self, process: PhoneProcess) -> None:
        credentials = self._credentials
        assert credentials is not None
        with contextlib.suppress(PhoneUnavailableError):
            process.register(
                credentials.number,
                credentials.one_time_secret,
                credentials.sip_host,
                credentials.sip_port,
                transport=credentials.transport,
            )

    def _heard(self, event: phone.Event) -> None:
        if isinstance(event, phone.Incoming):
            self._rings = event.call
            self._calls.add(event.call)
            is_own = self._is_expected()
            if is_own or self._auto_answer or is_answered_at_once(event):
                self._order(phone.Answer(call=event.call))
            if is_own:
                return  # nobody calls the agent: the screen need not ring
        elif isinstance(event, phone.Established):
            self._talks = event.call
            self._rings = None if self._rings == event.call else self._rings
        elif isinstance(event, phone.Closed):
            self._calls.discard(event.call)
            self._rings = None if self._rings == event.call else self._rings
            self._talks = None if self._talks == event.call else self._talks
        self._tell(event)

    def _is_expected(self) -> bool:
        expected = asyncio.get_running_loop().time() < self._expecting_until
        self._expecting_until = 0.0
        return expected
