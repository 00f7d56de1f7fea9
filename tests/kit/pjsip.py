"""One call of PJSIP with extensions that the desk's phone leaves off, in a process of its own.

    pjsip = await OneCall.start("call", "sip:4001@127.0.0.1:5060", prack="mandatory")
    trace = await pjsip.over()

`python -m tests.kit.pjsip` is that process: it calls or is called, talks for a while, hangs up, and
writes the library's trace, which shows every message, to its output.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import signal
import sys
import time
from typing import Any, Final, Self

from tests.kit.patience import PATIENCE_S

_PRACK: Final = ("off", "mandatory", "optional")
_TIMERS: Final = ("off", "optional", "required", "always")


class OneCall:
    """The process from outside."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._text = ""

    @classmethod
    async def start(
        cls,
        what: str,
        target: str = "",
        *,
        login: str = "",
        port: int = 0,
        early_s: float = 0.0,
        hum_hz: int = 0,
        prack: str = "off",
        timers: str = "off",
        talk_s: float = 0.5,
        keys: str = "",
        way: str = "info",
    ) -> Self:
        """`what` is `call` or `answer`, `target` the URI to call.

        `login` is NUMBER:PASSWORD@HOST:PORT, to answer there by registering; else calls come to `port`.
        `early_s`: it answers with 183 and sound, and with 200 so much later, or when told to by
        `answer`. `hum_hz` is what it hums. `keys` are pressed once there is sound, by SIP INFO or as
        `tones`.
        """
        # Unbuffered: the library writes by the C library, which on a pipe keeps the last 4 KiB.
        command = [sys.executable, "-u", "-m", "tests.kit.pjsip", what, f"--target={target}"]
        command += ["--prack", prack, "--timers", timers, "--talk", str(talk_s)]
        command += ["--login", login, "--port", str(port), "--early", str(early_s)]
        command += ["--hum", str(hum_hz), "--keys", keys, "--way", way]
        pipe = asyncio.subprocess.PIPE
        stderr = asyncio.subprocess.STDOUT
        return cls(await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=stderr))

    def answer(self) -> None:
        """Let it answer what rings there."""
        self._process.send_signal(signal.SIGUSR1)

    async def until(self, words: str, timeout_s: float = PATIENCE_S) -> None:
        """Wait until the trace says so."""
        assert self._process.stdout is not None
        async with asyncio.timeout(timeout_s):
            while words not in self._text:
                piece = await self._process.stdout.read(65_536)
                assert piece, f"it ended without {words!r}:\n{self._text}"
                self._text += piece.decode(errors="replace")

    async def over(self, timeout_s: float = PATIENCE_S) -> str:
        """The whole trace, once the call is over and the process has ended."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(timeout_s):
                self._text += (await self._process.stdout.read()).decode(errors="replace")
                status = await self._process.wait()
        finally:
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()
        assert status == 0, self._text
        return self._text

    async def kill(self) -> None:
        """End it, in whatever state it is."""
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


def messages(trace: str, way: str) -> list[str]:
    """What was sent (`TX`) or received (`RX`), in short: `PRACK`, `200/PRACK`."""
    pattern = rf"\b{way} \d+ bytes (?:Request|Response) msg ([0-9A-Z/]+?)/cseq"
    return re.findall(pattern, trace)


def main(arguments: list[str]) -> None:
    """Make or take one call."""
    import pjsua2 as pj

    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("call", "answer"))
    parser.add_argument("--target")
    parser.add_argument("--login")
    parser.add_argument("--port", type=int)
    parser.add_argument("--early", type=float)
    parser.add_argument("--hum", type=int)
    parser.add_argument("--prack", choices=_PRACK)
    parser.add_argument("--timers", choices=_TIMERS)
    parser.add_argument("--talk", type=float)
    parser.add_argument("--keys")
    parser.add_argument("--way", choices=("info", "tones"))
    options = parser.parse_args(arguments)
    endpoint = pj.Endpoint()
    endpoint.libCreate()
    config = pj.EpConfig()
    config.logConfig.level = config.logConfig.consoleLevel = 5
    config.uaConfig.threadCnt = 0
    config.uaConfig.mainThreadOnly = True
    endpoint.libInit(config)
    transport = pj.TransportConfig()
    transport.boundAddress = "127.0.0.1"
    transport.port = options.port
    endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
    endpoint.libStart()
    endpoint.audDevManager().setNullDev()
    state = _State()
    account = _account(pj, options, state)
    if options.what == "call":
        state.call = _call(pj, account, state)
        state.call.makeCall(options.target, pj.CallOpParam(True))
    signal.signal(signal.SIGUSR1, lambda *_: setattr(state, "answer_at", time.monotonic()))
    end = time.monotonic() + 120.0
    while not state.is_over and time.monotonic() < end:
        endpoint.libHandleEvents(20)
        if state.hang_up_at and time.monotonic() >= state.hang_up_at and state.call is not None:
            state.hang_up_at = 0.0
            state.call.hangup(pj.CallOpParam(True))
        if state.answer_at and time.monotonic() >= state.answer_at:
            state.answer_at = 0.0
            state.call.answer(_status(pj, 200))
        if state.has_sound and state.hang_up_at and options.keys:
            _press(pj, state, options)
            options.keys = ""
    for _ in range(10):
        endpoint.libHandleEvents(20)
    state.call = state.tones = state.hum = None
    account.shutdown()
    del account
    endpoint.libDestroy(pj.PJSUA_DESTROY_NO_NETWORK)
    sys.exit(0 if state.is_over else 1)


class _State:
    def __init__(self) -> None:
        self.call: Any = None
        self.is_over = False
        self.hang_up_at = 0.0
        self.answer_at = 0.0
        self.talk_s = 0.0
        self.has_sound = False
        self.tones: Any = None
        self.hum_hz = 0
        self.hum: Any = None


def _account(pj: Any, options: argparse.Namespace, state: _State) -> Any:
    state.talk_s, state.hum_hz = options.talk, options.hum
    config = pj.AccountConfig()
    config.callConfig.prackUse = _PRACK.index(options.prack)
    config.callConfig.timerUse = _TIMERS.index(options.timers)
    config.callConfig.timerMinSESec = 90
    config.callConfig.timerSessExpiresSec = 90
    config.idUri = "sip:+12025550133@127.0.0.1"
    if options.login:
        login, _, server = options.login.partition("@")
        number, _, password = login.partition(":")
        config.idUri = f"sip:{number}@{server}"
        if options.what == "answer":
            config.regConfig.registrarUri = f"sip:{server}"
        credentials = pj.AuthCredInfo("digest", "*", number, 0, password)
        config.sipConfig.authCreds.append(credentials)

    class Account(pj.Account):  # type: ignore[misc]
        def onIncomingCall(self, prm: Any) -> None:  # noqa: N802 - the library's name
            state.call = _call(pj, self, state, prm.callId)
            state.call.answer(_status(pj, 183 if options.early else 180))
            state.answer_at = time.monotonic() + options.early

    account = Account()
    account.create(config)
    return account


def _status(pj: Any, status: int) -> Any:
    answer = pj.CallOpParam()
    answer.statusCode = status
    return answer


def _press(pj: Any, state: _State, options: argparse.Namespace) -> None:
    if options.way == "info":
        digits = pj.CallSendDtmfParam()
        digits.method = pj.PJSUA_DTMF_METHOD_SIP_INFO
        digits.digits = options.keys
        state.call.sendDtmf(digits)
        return
    played = []
    for key in options.keys:
        digit = pj.ToneDigit()
        digit.digit, digit.on_msec, digit.off_msec = key, 120, 80
        played.append(digit)
    state.tones = pj.ToneGenerator()
    state.tones.createToneGenerator(8000)
    state.tones.startTransmit(state.call.getAudioMedia(-1))
    state.tones.playDigits(pj.ToneDigitVector(played))


def _hum(pj: Any, call: Any, hertz: int) -> Any:
    tone = pj.ToneDesc()
    tone.freq1, tone.on_msec, tone.volume = hertz, 1000, 8000
    hum = pj.ToneGenerator()
    hum.createToneGenerator(8000)
    hum.play(pj.ToneDescVector([tone]), True)
    hum.startTransmit(call.getAudioMedia(-1))
    return hum


def _call(pj: Any, account: Any, state: _State, number: int = -1) -> Any:
    class Call(pj.Call):  # type: ignore[misc]
        def onCallState(self, prm: Any) -> None:  # noqa: N802 - the library's name
            found = self.getInfo().state
            if found == pj.PJSIP_INV_STATE_CONFIRMED:
                state.hang_up_at = time.monotonic() + state.talk_s
            elif found == pj.PJSIP_INV_STATE_DISCONNECTED:
                state.is_over = True

        def onCallMediaState(self, prm: Any) -> None:  # noqa: N802 - the library's name
            state.has_sound = True
            if state.hum_hz and state.hum is None:
                state.hum = _hum(pj, self, state.hum_hz)

    return Call(account, number)


if __name__ == "__main__":
    main(sys.argv[1:])
