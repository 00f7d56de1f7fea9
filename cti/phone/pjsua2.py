"""The user agent on PJSIP (GPL, optional): echo cancellation and sound devices.

PJSIP calls back into Python only from `libHandleEvents`, which runs in the main thread here (no
worker threads of its own), and the thread that reads commands never touches the library. Objects
of the library live in `Line` and on the backend until their call is over.
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
from cti.phone.pjsua2_account import Account
from cti.phone.pjsua2_calls import Call, Line
from cti.phone.pjsua2_sound import CLOCK_HZ, Sound
from cti.phone.ports import Commands, Emit, PhoneError, PhoneSettings
from cti.phone.protocol import (
    SHOWN_HEADERS,
    Answer,
    Capture,
    Closed,
    Command,
    Dial,
    Established,
    Failed,
    HangUp,
    Held,
    Hold,
    Incoming,
    Ready,
    Register,
    Reject,
    Resume,
    Resumed,
    Ringing,
    SendDigits,
    StopCapture,
    Tone,
    Transfer,
    Unregister,
    is_quit,
)

log = logging.getLogger(__name__)

_TURN_MS: Final = 10
"""How long the library may wait for packets before commands are looked at."""
_LEAVE_S: Final = 1.5
_CODECS: Final = {"PCMA/8000/1": 254, "PCMU/8000/1": 253, "G722/16000/1": 252}
"""Offered in this order; all others are switched off."""


class Pjsua2Backend:
    """Obeys commands by way of PJSIP, and tells what it reports."""

    def __init__(self, settings: PhoneSettings) -> None:
        self._settings = settings
        self._lines: dict[str, Line] = {}
        self._incoming_count = 0
        self._done: list[Call] = []
        """Calls that ended during a callback; let go once the library has returned."""

    def run(self, commands: Commands, emit: Emit) -> None:
        """Run until told to quit; see `Backend`."""
        self.emit = emit
        port = self._start()
        version = self._endpoint.libVersion().full
        emit(Ready(backend="pjsua2", version=version, audio=self._sound.audio, port=port))
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
        for line in list(self._lines.values()):
            self._renegotiate(line)
        for event in self._sound.poll():
            self.emit(event)

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
        config.medConfig.clockRate = CLOCK_HZ[self._settings.audio]
        config.medConfig.noVad = True
        self._endpoint.libInit(config)
        transports, port = self._open_transports()
        self._endpoint.libStart()
        for codec in self._endpoint.codecEnum2():
            self._endpoint.codecSetPriority(codec.codecId, _CODECS.get(codec.codecId, 0))
        self._sound = Sound(self._endpoint.audDevManager(), self._settings.audio)
        self._account = Account(
            self._settings,
            transports,
            emit=self.emit,
            guard=self.guard,
            on_incoming=self.on_incoming,
        )
        self._account.open(port)
        return port

    def _open_transports(self) -> tuple[dict[str, int], int]:
        """The library's numbers of the transports, and the port of UDP."""
        config = pj.TransportConfig()
        config.port = self._settings.local_port
        config.boundAddress = self._settings.bind
        udp = self._endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, config)
        port = int(self._endpoint.transportGetInfo(udp).localName.rpartition(":")[2])
        config.port = 0
        tcp = self._endpoint.transportCreate(pj.PJSIP_TRANSPORT_TCP, config)
        if self._settings.ca_file:
            config.tlsConfig.CaListFile = self._settings.ca_file
            config.tlsConfig.verifyServer = True
        tls = self._endpoint.transportCreate(pj.PJSIP_TRANSPORT_TLS, config)
        return {"udp": udp, "tcp": tcp, "tls": tls}, port

    def _leave(self) -> None:
        with contextlib.suppress(pj.Error):
            for line in list(self._lines.values()):
                self._sound.finish_capture(line)
            self._endpoint.hangupAllCalls()
            if self._account.is_registered:
                self._account.unregister()
            end = time.monotonic() + _LEAVE_S
            while self._is_busy() and time.monotonic() < end:
                self._turn()
        self._lines.clear()
        with contextlib.suppress(pj.Error):
            self._account.shutdown()
            del self._account
            self._endpoint.libDestroy(pj.PJSUA_DESTROY_NO_NETWORK)

    def _is_busy(self) -> bool:
        return bool(self._lines) or self._account.is_registered or self._sound.is_finishing

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
                self._account.register(command)
            case Unregister():
                self._account.unregister()
            case Dial():
                self._dial(command)
            case Answer(call=name):
                self._line(name).call.answer(_status(200))
            case Reject(call=name):
                self._line(name).call.hangup(_status(command.status))
            case HangUp(call=name):
                self._hang_up(self._line(name))
            case Hold() | Resume():
                self._talking(command.call).changes.append(command)
            case Transfer(call=name):
                self._transfer(self._talking(name), command)
            case SendDigits(call=name):
                self._send_digits(self._talking(name), command.digits)
            case Tone():
                self._sound.set_tone(command, self._lines.values())
            case Capture(call=name):
                self._sound.capture(self._line(name), command.path)
            case StopCapture(call=name):
                if not self._sound.finish_capture(self._line(name)):
                    raise PhoneError("nothing is being captured on this call")
            case _:
                pass  # Quit is seen by the loop

    def _dial(self, command: Dial) -> None:
        call = Call(self, self._account, command.call)
        self._lines[command.call] = Line(call)
        options = pj.CallOpParam(True)
        for name, value in command.headers.items():
            header = pj.SipHeader()
            header.hName, header.hValue = name, value
            options.txOption.headers.append(header)
        call.makeCall(self._account.uri(command.target), options)

    def _hang_up(self, line: Line) -> None:
        info = line.call.getInfo()
        ringing_in = info.role == pj.PJSIP_ROLE_UAS and not line.established
        line.call.hangup(_status(486 if ringing_in else 0))

    def _renegotiate(self, line: Line) -> None:
        """Send the next hold or resume; the library refuses one while another is under way."""
        now_s = time.monotonic()
        if line.is_unanswered(now_s):
            self.emit(Failed(message="the far end did not answer the hold", call=line.call.name))
        change = line.next_change(now_s)
        if change is None:
            return
        hold = isinstance(change, Hold)
        if hold == line.local_hold:
            line.answer_due_s = None
            return
        line.local_hold = hold
        options = pj.CallOpParam(True)
        try:
            if hold:
                line.call.setHold(pj.CallOpParam())
            else:
                options.opt.flag = pj.PJSUA_CALL_UNHOLD
                line.call.reinvite(options)
        except pj.Error as exc:
            line.answer_due_s, line.local_hold = None, not hold
            name = type(change).__name__
            self.emit(Failed(message=_words(exc), call=line.call.name, command=name))

    def _send_digits(self, line: Line, digits: str) -> None:
        if not re.fullmatch(r"[0-9A-Da-d*#]+", digits):
            raise PhoneError(f"{digits!r} has keys that no phone has: use 0-9, A-D, * and #")
        line.call.dialDtmf(digits)

    def _transfer(self, line: Line, command: Transfer) -> None:
        if command.to_call:
            line.call.xferReplaces(self._talking(command.to_call).call, pj.CallOpParam())
        else:
            line.call.xfer(self._account.uri(command.target), pj.CallOpParam())

    def _line(self, name: str) -> Line:
        line = self._lines.get(name)
        if line is None:
            raise PhoneError("there is no such call (any more)")
        return line

    def _talking(self, name: str) -> Line:
        line = self._line(name)
        if not line.established:
            raise PhoneError("this needs a call that is answered")
        return line

    # --- what the library reports ---

    def on_incoming(self, account: Account, prm: Any) -> None:
        """Adopt a new call and let it ring."""
        self._incoming_count += 1
        name = f"in{self._incoming_count}"
        call = Call(self, account, name, prm.callId)
        self._lines[name] = Line(call)
        number, display = split_address(call.getInfo().remoteUri)
        message = str(prm.rdata.wholeMsg)
        self.emit(
            Incoming(
                call=name, from_number=number, from_name=display, headers=_shown_headers(message)
            )
        )
        call.answer(_status(180))

    def on_call_state(self, call: Call) -> None:
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
            self._sound.finish_capture(line)
            self._release(line)
            self.emit(
                Closed(call=call.name, status=int(info.lastStatusCode), reason=info.lastReason)
            )

    def on_media_state(self, call: Call) -> None:
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
                self._sound.connect(line, call.getAudioMedia(index))
        line.answer_due_s = None
        if held != line.held and (line.established or held):
            line.held = held
            event = Held(call=call.name, by_far_end=not line.local_hold) if held else None
            self.emit(event or Resumed(call=call.name))

    def _release(self, line: Line) -> None:
        del self._lines[line.call.name]
        line.media = line.hum = None
        self._done.append(line.call)


def _status(code: int) -> Any:
    """Call options with a status; 0 lets the library choose."""
    options = pj.CallOpParam(True) if code == 200 else pj.CallOpParam()
    options.statusCode = code
    return options


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
