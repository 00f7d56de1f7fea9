"""The parent's side: starts the phone's process, orders it about, hears what happens."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Final, TypeVar

import msgspec

from cti.phone.protocol import (
    MAX_LINE,
    Answer,
    Capture,
    Captured,
    Command,
    Dial,
    Died,
    Event,
    Failed,
    HangUp,
    Hold,
    Quit,
    Ready,
    Register,
    Reject,
    Resume,
    SendDigits,
    StopCapture,
    Tone,
    Transfer,
    Unregister,
    decode_event,
    encode,
)

E = TypeVar("E", bound=Event)

_START_S: Final = 15.0
_STOP_S: Final = 4.0
"""The child gets this long to hang up and unregister; then it is killed."""
_KEPT_EVENTS: Final = 1000
"""Events kept for a reader that does not read."""


class PhoneUnavailableError(Exception):
    """The phone's process could not start, or is gone."""


def best_backend() -> str:
    """`pjsua2` where it is installed, else `baresip`."""
    return "pjsua2" if importlib.util.find_spec("pjsua2") is not None else "baresip"


class PhoneProcess:
    """One phone. Make it with `start`; end it with `stop`.

    Every event goes to each listener, to `events()`, and to those who `wait_for` it. After `Died`
    the object is of no more use; `start` another.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.ready: Ready | None = None
        self._kept: deque[Event] = deque(maxlen=_KEPT_EVENTS)
        self._news = asyncio.Event()
        self._waiters: list[tuple[Callable[[Event], bool], asyncio.Future[Event]]] = []
        self._listeners: list[Callable[[Event], None]] = []
        self._last_words: deque[str] = deque(maxlen=12)
        self._dialled = 0
        self._died: Died | None = None
        self._tasks = [
            asyncio.create_task(self._read_events(), name="phone events"),
            asyncio.create_task(self._read_errors(), name="phone errors"),
        ]

    @classmethod
    async def start(
        cls,
        backend: str = "auto",
        *,
        audio: str = "none",
        bind: str = "",
        local_port: int = 0,
        number: str = "phone",
        srtp: str = "off",
        ca_file: str = "",
        trace: bool = False,
    ) -> PhoneProcess:
        """Start the process and wait until the user agent runs.

        `backend`: `auto`, `pjsua2` or `baresip`; `audio`: `device` or `none`; `bind`: local
        address (calls on loopback need `127.0.0.1`); `number`: who calls without a registration;
        `srtp`: `off`, `optional`, `required` or `dtls`; `ca_file`: PEM of those who vouch for TLS
        servers (empty: any server is believed).
        Raises `PhoneUnavailableError`.
        """
        name = best_backend() if backend == "auto" else backend
        arguments = ["--backend", name, "--audio", audio, "--local-port", str(local_port)]
        arguments += ["--number", number, "--srtp", srtp]
        if bind:
            arguments += ["--bind", bind]
        if ca_file:
            arguments += ["--ca-file", ca_file]
        if trace:
            arguments.append("--trace")
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "cti.phone.child",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            limit=MAX_LINE,
        )
        phone = cls(process)
        try:
            await phone.wait_for(Ready, _START_S)
        except (PhoneUnavailableError, TimeoutError) as exc:
            await phone.stop()
            raise PhoneUnavailableError(f"the {name} phone did not start: {exc}") from exc
        except BaseException:
            await phone.stop()
            raise
        return phone

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the child still runs."""
        return self._died is None

    # --- commands ---

    def send(self, command: Command) -> None:
        """Give an order. Raises `PhoneUnavailableError` once the child is gone."""
        if self._died is not None or self._process.stdin is None:
            raise PhoneUnavailableError("the phone's process is gone")
        self._process.stdin.write(encode(command))

    def register(
        self,
        user: str,
        password: str,
        host: str,
        port: int = 5060,
        *,
        transport: str = "udp",
        expires_s: int = 120,
    ) -> None:
        """Register and stay registered."""
        self.send(
            Register(
                user=user,
                password=password,
                host=host,
                port=port,
                transport=transport,
                expires_s=expires_s,
            )
        )

    def unregister(self) -> None:
        """Give the number up."""
        self.send(Unregister())

    def dial(self, target: str, headers: dict[str, str] | None = None) -> str:
        """Call a number or `sip:` URI; returns the name of the call."""
        self._dialled += 1
        call = f"out{self._dialled}"
        self.send(Dial(call=call, target=target, headers=headers or {}))
        return call

    def answer(self, call: str) -> None:
        """Answer a call that rings."""
        self.send(Answer(call=call))

    def reject(self, call: str, status: int = 486) -> None:
        """Refuse a call that rings."""
        self.send(Reject(call=call, status=status))

    def hang_up(self, call: str) -> None:
        """End a call."""
        self.send(HangUp(call=call))

    def hold(self, call: str) -> None:
        """Hold a call with a re-INVITE."""
        self.send(Hold(call=call))

    def resume(self, call: str) -> None:
        """Take a call off hold."""
        self.send(Resume(call=call))

    def transfer(self, call: str, target: str) -> None:
        """Let the far end talk to a number instead of us."""
        self.send(Transfer(call=call, target=target))

    def connect(self, call: str, to_call: str) -> None:
        """Let the far ends of two calls talk to each other instead of us."""
        self.send(Transfer(call=call, to_call=to_call))

    def digits(self, call: str, digits: str) -> None:
        """Send digits (RFC 4733)."""
        self.send(SendDigits(call=call, digits=digits))

    def tone(self, hz: float, level: int = 8000) -> None:
        """Hum a sine into all calls; level 0 is silence."""
        self.send(Tone(hz=hz, level=level))

    def capture(self, call: str, path: str) -> None:
        """Write what is heard on the call to a WAV file."""
        self.send(Capture(call=call, path=path))

    async def stop_capture(self, call: str, timeout_s: float = 5.0) -> None:
        """Complete the file; returns when it may be read."""
        done = self.expect(lambda event: isinstance(event, Captured) and event.call == call)
        self.send(StopCapture(call=call))
        async with asyncio.timeout(timeout_s):
            await done

    async def stop(self) -> None:
        """Hang up, unregister and end the process. May be called twice."""
        if self._died is None:
            with contextlib.suppress(OSError, PhoneUnavailableError, RuntimeError):
                self.send(Quit())
        try:
            async with asyncio.timeout(_STOP_S):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        finally:
            if self._process.stdin is not None:
                self._process.stdin.close()
            for task in self._tasks:
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    # --- events ---

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` for each event from now on, in order."""
        self._listeners.append(listener)

    async def events(self) -> AsyncIterator[Event]:
        """All events, the kept ones first; ends after `Died`. For one reader."""
        while True:
            while self._kept:
                event = self._kept.popleft()
                yield event
                if isinstance(event, Died):
                    return
            self._news.clear()
            await self._news.wait()

    def expect(self, test: Callable[[Event], bool]) -> asyncio.Future[Event]:
        """A future of the next event that passes `test`; fails when the child dies first."""
        future: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        if self._died is not None:
            future.set_exception(PhoneUnavailableError(_how(self._died)))
        else:
            self._waiters.append((test, future))
        return future

    async def wait_for(
        self, kind: type[E], timeout_s: float = 5.0, *, call: str | None = None
    ) -> E:
        """The first kept or coming event of this kind (of this call); takes it out of the kept.

        Raises `TimeoutError`, or `PhoneUnavailableError` when the child dies before.
        """

        def fits(event: Event) -> bool:
            return isinstance(event, kind) and call in (None, getattr(event, "call", None))

        for event in self._kept:
            if isinstance(event, kind) and fits(event):
                self._kept.remove(event)
                return event
        future = self.expect(fits)
        async with asyncio.timeout(timeout_s):
            found = await future
        assert isinstance(found, kind)
        with contextlib.suppress(ValueError):
            self._kept.remove(found)
        return found

    def _happened(self, event: Event) -> None:
        if isinstance(event, Ready):
            self.ready = event
        self._kept.append(event)
        self._news.set()
        for waiter in list(self._waiters):
            test, future = waiter
            if future.done():
                self._waiters.remove(waiter)
            elif test(event):
                future.set_result(event)
                self._waiters.remove(waiter)
        for listener in list(self._listeners):
            listener(event)

    async def _read_events(self) -> None:
        assert self._process.stdout is not None
        try:
            while line := await self._process.stdout.readline():
                try:
                    event = decode_event(line)
                except msgspec.DecodeError as exc:
                    event = Failed(message=f"the phone said something strange: {exc}")
                self._happened(event)
        except ValueError:  # a line beyond the limit
            self._process.kill()
        exit_code = await self._process.wait()
        self._died = Died(exit_code=exit_code, last_words="\n".join(self._last_words))
        self._happened(self._died)
        for _, future in self._waiters:
            if not future.done():
                future.set_exception(PhoneUnavailableError(_how(self._died)))
                future.exception()  # seen: nobody may be waiting any more
        self._waiters.clear()

    async def _read_errors(self) -> None:
        assert self._process.stderr is not None
        with contextlib.suppress(ValueError):
            while line := await self._process.stderr.readline():
                self._last_words.append(line.decode("utf-8", "replace").rstrip())


def _how(died: Died) -> str:
    return f"the phone's process ended with {died.exit_code}: {died.last_words[-400:]}"
