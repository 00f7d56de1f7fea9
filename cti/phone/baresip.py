"""The user agent on baresip (BSD): asyncio, sound through memory or ALSA."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Final, Literal

import baresip
from baresip.call import CallState

from cti.phone.addresses import in_uri, split_address
from cti.phone.baresip_line import Line
from cti.phone.baresip_stack import has_device, open_stack
from cti.phone.ports import Commands, Emit, PhoneError, PhoneSettings
from cti.phone.protocol import (
    Answer,
    Capture,
    Captured,
    Closed,
    Command,
    Dial,
    Digit,
    Established,
    Failed,
    HangUp,
    Held,
    Hold,
    Incoming,
    Ready,
    Register,
    Registered,
    RegistrationFailed,
    Reject,
    Resume,
    Resumed,
    Ringing,
    SendDigits,
    StopCapture,
    Tone,
    Transfer,
    Unregister,
    Unregistered,
    is_quit,
)
from cti.phone.sound import WavCapture

_FRAME_S: Final = 0.02
_NAMED: Final[Mapping[str, Literal["udp", "tcp", "tls"]]] = {
    "udp": "udp",
    "tcp": "tcp",
    "tls": "tls",
}
"""Transports that an account may name; others stand in its registrar's URI."""
_LONG_S: Final = 3600.0
_LEAVE_S: Final = 1.5
"""Longest that BYE and un-REGISTER may take at the end."""
_MEDIA_ENCRYPTION: Final = {
    "optional": "srtp",
    "required": "srtp-mand",
    "dtls": "dtls_srtp",
}


class BaresipBackend:
    """Obeys commands by way of baresip, which answers every digest challenge it knows at once."""

    def __init__(self, settings: PhoneSettings) -> None:
        self._settings = settings
        self._runtime: Any = None
        self._ua: Any = None
        self._domain = ""
        self._expires_s = 0
        self._registering: asyncio.Task[None] | None = None
        self._unregistering = False
        self._lines: dict[str, Line] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._incoming_count = 0
        self._tone = Tone(level=0)
        self._audio = "none"

    def run(self, commands: Commands, emit: Emit) -> None:
        """Run until told to quit; see `Backend`."""
        self._emit = emit
        asyncio.run(self._main(commands))

    # --- life of the process ---

    async def _main(self, commands: Commands) -> None:
        port = await self._start()
        self._emit(
            Ready(backend="baresip", version=baresip.__version__, audio=self._audio, port=port)
        )
        sound = asyncio.create_task(self._sound()) if self._audio == "none" else None
        try:
            while True:
                # The wait is in a thread: it blocks on the queue that the line reader fills.
                batch = await asyncio.to_thread(commands, _LONG_S)
                for command in batch or ():
                    await self._obey(command)
                if is_quit(batch):
                    break
        finally:
            if sound is not None:
                sound.cancel()
            await self._leave()

    async def _start(self) -> int:
        bind = self._settings.bind
        self._audio = "device" if self._settings.audio == "device" and has_device() else "none"
        if self._settings.trace:
            logging.basicConfig(stream=sys.stderr, level=logging.DEBUG)
        self._runtime, port = await open_stack(self._settings, on_device=self._audio == "device")
        self._runtime.subscribe(self._on_stack_event)
        host = f"{in_uri(bind or '127.0.0.1')}:{port}"
        await self._use(
            baresip.Account(
                self._settings.number,
                host,
                "",
                reg_interval=0,
                extra_params=("catchall=yes", *self._encryption),
                audio_codecs=(),
            )
        )
        return port

    async def _leave(self) -> None:
        with contextlib.suppress(baresip.BaresipError, TimeoutError):
            async with asyncio.timeout(_LEAVE_S):
                for line in list(self._lines.values()):
                    self._finish_capture(line)
                    with contextlib.suppress(baresip.BaresipError):
                        await line.call.hangup()
                if self._expires_s:
                    await self._unregister()
        with contextlib.suppress(baresip.BaresipError):
            await self._runtime.close()

    async def _use(self, account: Any) -> None:
        self._ua = await baresip.UserAgent.create(self._runtime, account, transfer_policy="reject")
        self._ua.on_incoming(self._on_incoming)

    @property
    def _encryption(self) -> tuple[str, ...]:
        """Of each account."""
        name = _MEDIA_ENCRYPTION.get(self._settings.srtp)
        return () if name is None else (f"mediaenc={name}",)

    # --- commands ---

    async def _obey(self, command: Command) -> None:
        try:
            await self._carry_out(command)
        except (PhoneError, ValueError, OSError, baresip.BaresipError) as exc:
            name = type(command).__name__
            call = getattr(command, "call", "")
            self._emit(Failed(message=str(exc), call=call, command=name))
            if isinstance(command, Dial) and call not in self._lines:
                self._emit(Closed(call=call, status=0, reason=str(exc)))

    async def _carry_out(self, command: Command) -> None:
        match command:
            case Register():
                await self._register(command)
            case Unregister():
                await self._unregister()
            case Dial(call=name):
                uri = self._uri(command.target)
                await self._dial(name, uri, command.headers)
            case Answer(call=name):
                await self._line(name).call.answer()
            case Reject(call=name):
                self._line(name).local_hang_up = True
                await self._line(name).call.reject()
            case HangUp(call=name):
                self._line(name).local_hang_up = True
                await self._line(name).call.hangup()
            case Hold() | Resume():
                # The far end's answer is waited for in a task of its own: a hang-up may overtake.
                line = self._line(command.call)
                self._keep(asyncio.create_task(self._renegotiate(line, command)))
            case Transfer(call=name):
                other = self._line(command.to_call).call if command.to_call else None
                uri = "" if other is not None else self._uri(command.target)
                self._keep(asyncio.create_task(self._transfer(self._line(name), uri, other)))
            case SendDigits(call=name):
                await self._send_digits(self._line(name), command.digits)
            case Tone():
                self._set_tone(command)
            case Capture(call=name):
                line = self._line(name)
                self._finish_capture(line)
                line.capture = WavCapture(command.path)
            case StopCapture(call=name):
                if not self._finish_capture(self._line(name)):
                    raise PhoneError("nothing is being captured on this call")
            case _:
                pass  # Quit is seen by the loop

    async def _renegotiate(self, line: Line, command: Hold | Resume) -> None:
        held = isinstance(command, Hold)
        try:
            await line.hold(held)
        except (PhoneError, baresip.BaresipError) as exc:
            if line.name in self._lines:  # a call that ended meanwhile has said so
                name = type(command).__name__
                self._emit(Failed(message=str(exc), call=line.name, command=name))
            return
        if line.name in self._lines:
            call = line.name
            self._emit(Held(call=call, by_far_end=False) if held else Resumed(call=call))

    async def _transfer(self, line: Line, uri: str, other: Any) -> None:
        fault = await line.transfer(uri, other)
        if fault and line.name in self._lines:
            self._emit(Failed(message=fault, call=line.name, command="Transfer"))

    def _keep(self, task: asyncio.Task[None]) -> None:
        """The loop itself only refers weakly to its tasks."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _dial(self, name: str, uri: str, headers: dict[str, str]) -> None:
        # The far end may ring or answer before `dial` returns, and nobody listens yet.
        early: list[Any] = []
        self._runtime.subscribe(early.append)
        try:
            call = await self._ua.dial(uri, headers=headers or None)
        finally:
            self._runtime.unsubscribe(early.append)
        self._adopt(name, call)
        for event in early:
            if event.call == call.handle:
                call._on_stack_event(event)

    async def _send_digits(self, line: Line, digits: str) -> None:
        if line.call.state is not CallState.ESTABLISHED:
            raise PhoneError("digits can be sent once the call is answered")
        await line.call.send_dtmf(digits.upper())

    def _set_tone(self, tone: Tone) -> None:
        if self._audio == "device":
            raise PhoneError("tones need --audio none: the microphone is in use")
        self._tone = tone
        for line in self._lines.values():
            line.hum.hz, line.hum.level = tone.hz, tone.level

    async def _register(self, command: Register) -> None:
        domain = f"{in_uri(command.host.strip('[]'))}:{command.port}"
        self._domain = domain + _suffix(command.transport)
        self._unregistering = False
        await self._use(
            baresip.Account(
                command.user,
                domain,
                command.password,
                reg_interval=command.expires_s,
                transport=_NAMED.get(command.transport, "udp"),
                registrar=None
                if command.transport in _NAMED
                else f"{domain}{_suffix(command.transport)}",
                extra_params=self._encryption,
            )
        )
        self._expires_s = command.expires_s
        # The outcome arrives as a stack event as well, also for later refreshes; the stack
        # retries on its own, so the task only starts it.
        self._registering = asyncio.create_task(self._start_registering())

    async def _unregister(self) -> None:
        self._unregistering = True
        if self._registering is not None:
            self._registering.cancel()
        await self._ua.unregister()
        self._expires_s = 0
        self._emit(Unregistered())

    async def _start_registering(self) -> None:
        try:
            await self._ua.register()
        except baresip.RegistrationError as exc:
            if exc.status is None:
                self._emit(RegistrationFailed(status=0, reason=str(exc)))

    def _uri(self, target: str) -> str:
        if target.startswith(("sip:", "sips:")):
            return target
        if not self._domain:
            raise PhoneError("not registered: a number needs a registrar, dial a sip: URI instead")
        return f"sip:{target}@{self._domain}"

    def _line(self, name: str) -> Line:
        line = self._lines.get(name)
        if line is None:
            raise PhoneError("there is no such call (any more)")
        return line

    # --- what the stack reports ---

    def _on_incoming(self, call: Any) -> None:
        self._incoming_count += 1
        name = f"in{self._incoming_count}"
        self._adopt(name, call)
        number, display = split_address(call.peer or "")
        self._emit(
            Incoming(
                call=name,
                from_number=number,
                from_name=display,
                headers={str(k): str(v) for k, v in call.headers.items()},
            )
        )

    def _adopt(self, name: str, call: Any) -> None:
        line = Line(name, call)
        line.hum.hz, line.hum.level = self._tone.hz, self._tone.level
        self._lines[name] = line
        call.on_dtmf(lambda event: self._emit(Digit(call=name, digit=event.digit)))
        call.on(lambda event: self._on_call_event(line, event))

    def _on_call_event(self, line: Line, event: Any) -> None:
        kind = baresip.Event
        match event.event:
            case kind.CALL_RINGING | kind.CALL_PROGRESS:
                self._emit(Ringing(call=line.name))
            case kind.CALL_ESTABLISHED:
                line.established = True
                self._emit(Established(call=line.name))
            case kind.CALL_HOLD:
                self._emit(Held(call=line.name, by_far_end=True))
            case kind.CALL_RESUME:
                self._emit(Resumed(call=line.name))
            case kind.CALL_CLOSED:
                self._on_closed(line, event.text or "")

    def _on_closed(self, line: Line, text: str) -> None:
        self._finish_capture(line)
        del self._lines[line.name]
        status, reason = _status_of(text)
        if not status:
            # baresip names no status for BYE and CANCEL, from either side.
            who = "we hung up" if line.local_hang_up else "the far end hung up"
            status, reason = (200, who) if line.established else (487, who)
        self._emit(Closed(call=line.name, status=status, reason=reason))

    def _on_stack_event(self, event: Any) -> None:
        if event.ua != self._ua.handle or not self._expires_s or self._unregistering:
            return
        if event.event is baresip.Event.REGISTER_OK:
            self._emit(Registered(expires_s=self._expires_s))
        elif event.event is baresip.Event.REGISTER_FAIL:
            status, reason = _status_of(event.text or "no answer")
            self._emit(RegistrationFailed(status=status, reason=reason))

    # --- sound through memory ---

    async def _sound(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + _FRAME_S, loop.time())
            await asyncio.sleep(due - loop.time())
            for line in list(self._lines.values()):
                if line.call.state is CallState.ESTABLISHED:
                    # No media for the moment: between re-INVITEs, or just closed.
                    with contextlib.suppress(baresip.AudioNotActive, baresip.AudioRestarted):
                        line.exchange()

    def _finish_capture(self, line: Line) -> bool:
        capture, line.capture = line.capture, None
        if capture is None:
            return False
        capture.close()
        self._emit(Captured(call=line.name, path=capture.path))
        return True


def _status_of(text: str) -> tuple[int, str]:
    """Split `486 Busy Here`; status 0 where there is none."""
    match = re.match(r"\s*(\d{3})\s*(.*)", text)
    return (int(match[1]), match[2] or text) if match else (0, text or "ended")


def _suffix(transport: str) -> str:
    return f";transport={transport}" if transport not in ("udp", "tcp") else ""
