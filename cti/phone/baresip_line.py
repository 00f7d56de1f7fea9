"""A call of baresip: its sound through memory, and one renegotiation after the other."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import baresip

from cti.phone.ports import PhoneError
from cti.phone.sound import Hum, WavCapture

_AHEAD_BYTES: Final = 1600
"""Hummed sound is kept this far ahead: 100 ms at 8 kHz."""
_ANSWER_S: Final = 4.0
"""Longest that the far end may take to answer a re-INVITE before the agent is told."""


class Line:
    """One call, with its hum and capture."""

    def __init__(self, name: str, call: Any) -> None:
        self.name = name
        self.call = call
        self.capture: WavCapture | None = None
        self.hum = Hum()
        self.local_hang_up = False
        self.established = False
        self._renegotiating = asyncio.Lock()

    async def hold(self, held: bool) -> None:
        """Hold or resume, and return when the far end has answered the re-INVITE.

        The next one waits for that answer: the stack takes a second change before it, sends the
        first once more and drops the second (RFC 3261 §14.1 allows one at a time). Raises
        `PhoneError` when no answer comes, `baresip.BaresipError` when the stack refuses.
        """
        async with self._renegotiating:
            if held == self.call.is_on_hold:
                return
            answered = asyncio.Event()

            def listen(event: Any) -> None:
                answer = event.event is baresip.Event.CALL_REMOTE_SDP and event.text == "answer"
                if answer or event.event is baresip.Event.CALL_CLOSED:
                    answered.set()

            self.call.on(listen)
            try:
                await (self.call.hold() if held else self.call.resume())
                async with asyncio.timeout(_ANSWER_S):
                    await answered.wait()
            except TimeoutError as exc:
                word = "hold" if held else "resume"
                raise PhoneError(f"the far end did not answer the {word}") from exc
            finally:
                self.call.off(listen)

    async def transfer(self, uri: str, other: Any) -> str:
        """Have the far end call a URI, or talk to the far end of another call; says what went wrong.

        Takes as long as somebody rings there. This call ends when that one was answered.
        """
        try:
            if other is not None:
                await self.call.attended_transfer(other)
            else:
                await self.call.transfer(uri)
        except (ValueError, baresip.BaresipError) as exc:
            return str(exc)
        return ""

    def exchange(self) -> None:
        """Feed the hum up to 100 ms ahead and take what was heard."""
        audio = self.call.audio
        info = audio.info()
        if info.tx_ready and self.hum.level:
            wanted = _AHEAD_BYTES * info.tx_sample_rate // 8000 - info.tx_buffered
            if wanted > 0:
                audio.write(self.hum.next(wanted // 2, info.tx_sample_rate))
        if info.rx_ready:
            heard = audio.read(65536)
            if heard and self.capture is not None:
                self.capture.write(heard, info.rx_sample_rate, info.rx_channels)
