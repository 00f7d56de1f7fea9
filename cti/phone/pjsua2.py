"""The user agent on PJSIP (GPL, optional): echo cancellation and sound devices.

PJSIP calls back into Python only from `libHandleEvents`, which runs in the main thread here (no
worker threads of its own), and the thread that reads commands never touches the library. Objects
of the library live in `_Line` and on the backend until their call is over: the C++ side keeps no
reference that Python could see.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sys
import time
from typing import Any, Final

import pjsua2 as pj

from cti.phone.addresses import split_address
from cti.phone.ports import Commands, Emit, PhoneError, PhoneSettings
from cti.phone.protocol import (
    SHOWN_HEADERS,
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
    Unregister,
    Unregistered,
    is_quit,
)

log = logging.getLogger(__name__)

_TURN_MS: Final = 10
"""How long the library may wait for packets before commands are looked at."""
_LEAVE_S: Final = 1.5
_COMPLETE_S: Final = 2.0
"""Longest that a captured file may take to be completed."""
_RETRY_S: Final = 3
"""A registration that failed is tried again after this."""
_CODECS: Final = {"PCMA/8000/1": 254, "PCMU/8000/1": 253, "G722/16000/1": 252}
"""Offered in this order; all others are switched off."""
_CLOCK_HZ: Final = {"none": 8000, "device": 16000}


class _Call(pj.Call):  # type: ignore[misc]  # the library publishes no types
    """Hands the library's callbacks to the backend."""

    def __init__(self, backend: Pjsua2Backend, account: Any, name: str, call_id: int = -1) -> None:
        pj.Call.__init__(self, account, call_id)
        self.backend = backend
        self.name = name

    def onCallState(self, prm: Any) -> None:  # noqa: N802  names of the library
        """The dialog moved on."""
        self.backend.guard(self.backend.on_call_state, self)

    def onCallMediaState(self, prm: Any) -> None:  # noqa: N802
        """Media began, stopped or was renegotiated."""
        self.backend.guard(self.backend.on_media_state, self)

    def onDtmfDigit(self, prm: Any) -> None:  # noqa: N802
        """A digit arrived."""
        self.backend.emit(Digit(call=self.name, digit=str(prm.digit)))


class _Account(pj.Account):  # type: ignore[misc]
    """Hands the library's callbacks to the backend."""

    def __init__(self, backend: Pjsua2Backend) -> None:
        pj.Account.__init__(self)
        self.backend = backend

    def onRegState(self, prm: Any) -> None:  # noqa: N802
        """The registrar answered, or did not."""
        self.backend.guard(self.backend.on_registration, self, prm)

    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802
        """An INVITE came."""
        self.backend.guard(self.backend.on_incoming, self, prm)


class _Line:
    """One call with everything that must stay alive while it lasts."""

    def __init__(self, call: _Call) -> None:
        self.call = call
        self.media: Any = None
        self.hum: Any = None
        self.recorder: Any = None
        self.recorder_path = ""
        self.established = False
        self.held = False
        self.local_hold = False


class Pjsua2Backend:
    """Obeys commands by way of PJSIP, which answers one digest challenge: SHA-256 before MD5."""

    def __init__(self, settings: PhoneSettings) -> None:
        self._settings = settings
        self._audio = "none"
        self._lines: dict[str, _Line] = {}
        self._incoming_count = 0
        self._tone = Tone(level=0)
        self._account: Any = None
        self._domain = ""
        self._transport = "udp"
        self._transports: dict[str, int] = {}
        self._registered = False
        self._done: list[Any] = []
        """Calls that ended during a callback; let go once the library has returned."""
        self._finishing: list[tuple[Captured, float]] = []
        """Captures whose file the library still completes, and when to give up."""

    def run(self, commands: Commands, emit: Emit) -> None:
        """Run until told to quit; see `Backend`."""
        self.emit = emit
        port = self._start()
        version = self._endpoint.libVersion().full
        emit(Ready(backend="pjsua2", version=version, audio=self._audio, port=port))
        try:
            while True:
                self._turn()
                batch = commands(0)
                for command in batch or ():
                    self._obey(command)
                if is_quit(batch):
                    break
        finally:
            self._leave()

    def guard(self, method: Any, *args: Any) -> None:
        """Run a callback; an exception must not unwind into C++."""
        try:
            method(*args)
        except Exception as exc:
            log.exception("phone callback failed")
            self.emit(Failed(message=_words(exc)))

    # --- life of the process ---

    def _turn(self) -> None:
        self._endpoint.libHandleEvents(_TURN_MS)
        self._done.clear()
        for item in list(self._finishing):
            captured, deadline = item
            if _is_complete(captured.path):
                self.emit(captured)
            elif time.monotonic() > deadline:
                self.emit(Failed(message=f"{captured.path} is incomplete", call=captured.call))
            else:
                continue
            self._finishing.remove(item)

    def _start(self) -> int:
        logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
        self._endpoint = pj.Endpoint()
        self._endpoint.libCreate()
        config = pj.EpConfig()
        config.logConfig.level = config.logConfig.consoleLevel = 5 if self._settings.trace else 1
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.uaConfig.maxCalls = 4
        config.uaConfig.userAgent = "switchroom-phone"
        config.medConfig.clockRate = _CLOCK_HZ[self._settings.audio]
        config.medConfig.noVad = True
        self._endpoint.libInit(config)
        port = self._open_transports()
        self._endpoint.libStart()
        for codec in self._endpoint.codecEnum2():
            self._endpoint.codecSetPriority(codec.codecId, _CODECS.get(codec.codecId, 0))
        self._open_sound()
        account = _Account(self)
        host = self._settings.bind or "127.0.0.1"
        config = self._account_config(f"sip:{self._settings.number}@{host}:{port}")
        account.create(config)
        self._account = account
        return port

    def _open_transports(self) -> int:
        config = pj.TransportConfig()
        config.port = self._settings.local_port
        config.boundAddress = self._settings.bind
        udp = self._endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, config)
        self._transports["udp"] = udp
        port = int(self._endpoint.transportGetInfo(udp).localName.rpartition(":")[2])
        config.port = 0
        self._transports["tcp"] = self._endpoint.transportCreate(pj.PJSIP_TRANSPORT_TCP, config)
        return port

    def _open_sound(self) -> None:
        devices = self._endpoint.audDevManager()
        if self._settings.audio == "device" and devices.getDevCount() > 0:
            self._audio = "device"
        else:
            devices.setNullDev()

    def _leave(self) -> None:
        with contextlib.suppress(pj.Error):
            for line in list(self._lines.values()):
                self._finish_capture(line)
            self._endpoint.hangupAllCalls()
            if self._registered:
                self._account.setRegistration(False)
            end = time.monotonic() + _LEAVE_S
            while (self._lines or self._registered or self._finishing) and time.monotonic() < end:
                self._turn()
        self._lines.clear()
        with contextlib.suppress(pj.Error):
            self._account.shutdown()
            self._account = None
            self._endpoint.libDestroy(pj.PJSUA_DESTROY_NO_NETWORK)

    def _account_config(self, address: str) -> Any:
        config = pj.AccountConfig()
        config.idUri = address
        config.mediaConfig.transportConfig.boundAddress = self._settings.bind
        config.mediaConfig.transportConfig.port = 10000
        config.mediaConfig.transportConfig.portRange = 5990
        config.mediaConfig.transportConfig.randomizePort = True
        return config

    # --- commands ---

    def _obey(self, command: Command) -> None:
        try:
            self._carry_out(command)
        except (PhoneError, ValueError, OSError, pj.Error) as exc:
            call = getattr(command, "call", "")
            words = _words(exc)
            self.emit(Failed(message=words, call=call, command=type(command).__name__))
            if isinstance(command, Dial) and self._lines.pop(call, None) is not None:
                self.emit(Closed(call=call, status=0, reason=words))

    def _carry_out(self, command: Command) -> None:
        match command:
            case Register():
                self._register(command)
            case Unregister():
                self._account.setRegistration(False)
            case Dial():
                self._dial(command)
            case Answer(call=name):
                self._line(name).call.answer(_status(200))
            case Reject(call=name):
                self._line(name).call.hangup(_status(command.status))
            case HangUp(call=name):
                self._hang_up(self._line(name))
            case Hold(call=name):
                line = self._talking(name)
                line.local_hold = True
                line.call.setHold(pj.CallOpParam())
            case Resume(call=name):
                self._resume(self._talking(name))
            case SendDigits(call=name):
                self._send_digits(self._talking(name), command.digits)
            case Tone():
                self._set_tone(command)
            case Capture(call=name):
                self._capture(self._line(name), command.path)
            case StopCapture(call=name):
                if not self._finish_capture(self._line(name)):
                    raise PhoneError("nothing is being captured on this call")
            case _:
                pass  # Quit is seen by the loop

    def _register(self, command: Register) -> None:
        transport = "tcp" if command.transport == "tcp" else "udp"
        self._transport = transport
        self._domain = f"{command.host}:{command.port}"
        config = self._account_config(f"sip:{command.user}@{self._domain}")
        config.regConfig.registrarUri = f"sip:{self._domain}{_suffix(transport)}"
        config.regConfig.timeoutSec = command.expires_s
        config.regConfig.retryIntervalSec = _RETRY_S
        config.regConfig.firstRetryIntervalSec = _RETRY_S
        config.regConfig.randomRetryIntervalSec = 0
        config.sipConfig.authCreds.append(
            pj.AuthCredInfo("digest", "*", command.user, 0, command.password)
        )
        if transport == "udp":
            config.sipConfig.transportId = self._transports["udp"]
        self._account.modify(config)

    def _dial(self, command: Dial) -> None:
        call = _Call(self, self._account, command.call)
        self._lines[command.call] = _Line(call)
        options = pj.CallOpParam(True)
        for name, value in command.headers.items():
            header = pj.SipHeader()
            header.hName, header.hValue = name, value
            options.txOption.headers.append(header)
        call.makeCall(self._uri(command.target), options)

    def _uri(self, target: str) -> str:
        if target.startswith(("sip:", "sips:")):
            return target
        if not self._domain:
            raise PhoneError("not registered: a number needs a registrar, dial a sip: URI instead")
        return f"sip:{target}@{self._domain}{_suffix(self._transport)}"

    def _hang_up(self, line: _Line) -> None:
        info = line.call.getInfo()
        ringing_in = info.role == pj.PJSIP_ROLE_UAS and not line.established
        line.call.hangup(_status(486 if ringing_in else 0))

    def _resume(self, line: _Line) -> None:
        options = pj.CallOpParam(True)
        options.opt.flag = pj.PJSUA_CALL_UNHOLD
        line.local_hold = False
        line.call.reinvite(options)

    def _send_digits(self, line: _Line, digits: str) -> None:
        if not re.fullmatch(r"[0-9A-Da-d*#]+", digits):
            raise PhoneError(f"{digits!r} has keys that no phone has: use 0-9, A-D, * and #")
        line.call.dialDtmf(digits)

    def _line(self, name: str) -> _Line:
        line = self._lines.get(name)
        if line is None:
            raise PhoneError("there is no such call (any more)")
        return line

    def _talking(self, name: str) -> _Line:
        line = self._line(name)
        if not line.established:
            raise PhoneError("this needs a call that is answered")
        return line

    # --- sound ---

    def _set_tone(self, tone: Tone) -> None:
        if self._audio == "device":
            raise PhoneError("tones need --audio none: the microphone is in use")
        self._tone = tone
        for line in self._lines.values():
            self._connect_hum(line)

    def _connect_hum(self, line: _Line) -> None:
        if line.media is None or self._audio == "device":
            return
        if line.hum is None:
            line.hum = pj.ToneGenerator()
            line.hum.createToneGenerator(_CLOCK_HZ["none"])
        else:
            line.hum.stop()
            with contextlib.suppress(pj.Error):
                line.hum.stopTransmit(line.media)
        if self._tone.level <= 0:
            return
        tone = pj.ToneDesc()
        tone.freq1, tone.freq2 = round(self._tone.hz), 0
        tone.on_msec, tone.off_msec = 1000, 0
        tone.volume = min(self._tone.level, 32767)
        line.hum.play(pj.ToneDescVector([tone]), True)
        line.hum.startTransmit(line.media)

    def _capture(self, line: _Line, path: str) -> None:
        self._finish_capture(line)
        line.recorder = pj.AudioMediaRecorder()
        line.recorder.createRecorder(path)
        line.recorder_path = path
        if line.media is not None:
            line.media.startTransmit(line.recorder)

    def _finish_capture(self, line: _Line) -> bool:
        if line.recorder is None:
            return False
        if line.media is not None:
            with contextlib.suppress(pj.Error):
                line.media.stopTransmit(line.recorder)
        # The library completes the file after its bridge has let go of the recorder, a tick later.
        line.recorder = None
        done = Captured(call=line.call.name, path=line.recorder_path)
        self._finishing.append((done, time.monotonic() + _COMPLETE_S))
        return True

    # --- what the library reports ---

    def on_incoming(self, account: _Account, prm: Any) -> None:
        """Adopt a new call and let it ring."""
        self._incoming_count += 1
        name = f"in{self._incoming_count}"
        call = _Call(self, account, name, prm.callId)
        self._lines[name] = _Line(call)
        number, display = split_address(call.getInfo().remoteUri)
        message = str(prm.rdata.wholeMsg)
        self.emit(
            Incoming(
                call=name, from_number=number, from_name=display, headers=_shown_headers(message)
            )
        )
        call.answer(_status(180))

    def on_call_state(self, call: _Call) -> None:
        """Tell ringing, answer and end."""
        line = self._lines.get(call.name)
        if line is None:
            return
        info = call.getInfo()
        state = info.state
        if state == pj.PJSIP_INV_STATE_EARLY and info.role == pj.PJSIP_ROLE_UAC:
            self.emit(Ringing(call=call.name))
        elif state == pj.PJSIP_INV_STATE_CONFIRMED:
            line.established = True
            self.emit(Established(call=call.name))
        elif state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self._finish_capture(line)
            self._release(line)
            self.emit(
                Closed(call=call.name, status=int(info.lastStatusCode), reason=info.lastReason)
            )

    def on_media_state(self, call: _Call) -> None:
        """Connect sound, and tell holds."""
        line = self._lines.get(call.name)
        if line is None:
            return
        held = False
        info = call.getInfo()  # owns the list below: a temporary would be freed under it
        for index, media in enumerate(info.media):
            if media.type != pj.PJMEDIA_TYPE_AUDIO:
                continue
            held = media.status in (
                pj.PJSUA_CALL_MEDIA_LOCAL_HOLD,
                pj.PJSUA_CALL_MEDIA_REMOTE_HOLD,
            )
            if media.status in (pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD):
                self._connect(line, call.getAudioMedia(index))
        if held != line.held and (line.established or held):
            line.held = held
            event = Held(call=call.name, by_far_end=not line.local_hold) if held else None
            self.emit(event or Resumed(call=call.name))

    def _connect(self, line: _Line, media: Any) -> None:
        line.media = media
        if line.recorder is not None:
            media.startTransmit(line.recorder)
        if self._audio == "device":
            devices = self._endpoint.audDevManager()
            devices.getCaptureDevMedia().startTransmit(media)
            media.startTransmit(devices.getPlaybackDevMedia())
        else:
            self._connect_hum(line)

    def _release(self, line: _Line) -> None:
        del self._lines[line.call.name]
        line.media = line.hum = None
        self._done.append(line.call)

    def on_registration(self, account: _Account, prm: Any) -> None:
        """Tell what the registrar said."""
        active = account.getInfo().regIsActive
        if 200 <= prm.code < 300 and active:
            self._registered = True
            self.emit(Registered(expires_s=int(prm.expiration)))
        elif 200 <= prm.code < 300:
            self._registered = False
            self.emit(Unregistered())
        else:
            self._registered = False
            self.emit(RegistrationFailed(status=int(prm.code), reason=prm.reason or "no answer"))


def _status(code: int) -> Any:
    """Call options with a status; 0 lets the library choose."""
    options = pj.CallOpParam(True) if code == 200 else pj.CallOpParam()
    options.statusCode = code
    return options


def _suffix(transport: str) -> str:
    return ";transport=tcp" if transport == "tcp" else ""


def _is_complete(path: str) -> bool:
    """Whether a WAV file's header states the length that the file has."""
    try:
        with open(path, "rb") as file:
            head = file.read(12)
            length = file.seek(0, 2)
    except OSError:
        return False
    return head[8:12] == b"WAVE" and int.from_bytes(head[4:8], "little") == length - 8


def _words(exc: BaseException) -> str:
    """The library's errors hide their text in attributes."""
    reason = getattr(exc, "reason", "")
    return str(reason) if reason else str(exc)


def _shown_headers(message: str) -> dict[str, str]:
    wanted = {name.lower(): name for name in SHOWN_HEADERS}
    found: dict[str, str] = {}
    for line in message.split("\r\n")[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            break
        if (shown := wanted.get(name.strip().lower())) is not None:
            found[shown] = value.strip()
    return found
