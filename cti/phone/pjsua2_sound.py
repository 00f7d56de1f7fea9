"""The sound of calls by way of PJSIP: devices or a hummed tone, and what is heard written to files."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from typing import Any, Final

import pjsua2 as pj

from cti.phone.pjsua2_calls import Line
from cti.phone.ports import PhoneError
from cti.phone.protocol import Captured, Failed, Tone

CLOCK_HZ: Final = {"none": 8000, "device": 16000}
_COMPLETE_S: Final = 2.0
"""Longest that a captured file may take to be completed."""


class Sound:
    """Microphone and loudspeaker where they are wanted and there, otherwise the tone that was set."""

    def __init__(self, devices: Any, wanted: str) -> None:
        """`devices` is the library's manager of audio devices; `wanted` is `device` or `none`."""
        self._devices = devices
        self._tone = Tone(level=0)
        self._finishing: list[tuple[Captured, float]] = []
        """Captures whose file the library still completes, and when to give up."""
        self.audio = "device" if wanted == "device" and devices.getDevCount() > 0 else "none"
        if self.audio == "none":
            devices.setNullDev()

    @property
    def is_finishing(self) -> bool:
        """Whether captured files are still being completed."""
        return bool(self._finishing)

    def connect(self, line: Line, media: Any) -> None:
        """A call's sound is there: join it with ours, and with its capture."""
        line.media = media
        if line.recorder is not None:
            media.startTransmit(line.recorder)
        if self.audio == "device":
            self._devices.getCaptureDevMedia().startTransmit(media)
            media.startTransmit(self._devices.getPlaybackDevMedia())
        else:
            self._hum(line)

    def set_tone(self, tone: Tone, lines: Iterable[Line]) -> None:
        """Hum this from now on, on these lines and those to come. Raises PhoneError."""
        if self.audio == "device":
            raise PhoneError("tones need --audio none: the microphone is in use")
        self._tone = tone
        for line in lines:
            self._hum(line)

    def capture(self, line: Line, path: str) -> None:
        """Write what is heard on a line to a WAV file."""
        self.finish_capture(line)
        line.recorder = pj.AudioMediaRecorder()
        line.recorder.createRecorder(path)
        line.recorder_path = path
        if line.media is not None:
            line.media.startTransmit(line.recorder)

    def finish_capture(self, line: Line) -> bool:
        """Stop writing; False when nothing was written. The file is told by `poll` once complete."""
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

    def poll(self) -> list[Captured | Failed]:
        """The captures that are complete, and those given up."""
        told: list[Captured | Failed] = []
        for item in list(self._finishing):
            captured, deadline = item
            if _is_complete(captured.path):
                told.append(captured)
            elif time.monotonic() > deadline:
                told.append(Failed(message=f"{captured.path} is incomplete", call=captured.call))
            else:
                continue
            self._finishing.remove(item)
        return told

    def _hum(self, line: Line) -> None:
        if line.media is None or self.audio == "device":
            return
        if line.hum is None:
            line.hum = pj.ToneGenerator()
            line.hum.createToneGenerator(CLOCK_HZ["none"])
        else:
            line.hum.stop()
            with contextlib.suppress(pj.Error):
                line.hum.stopTransmit(line.media)
        # Also while nothing is hummed: the library stops its clock, and with it what calls send,
        # a second after a call when nothing is joined to anything, and starts it only to join.
        line.hum.startTransmit(line.media)
        if self._tone.level <= 0:
            return
        tone = pj.ToneDesc()
        tone.freq1, tone.freq2 = round(self._tone.hz), 0
        tone.on_msec, tone.off_msec = 1000, 0
        tone.volume = min(self._tone.level, 32767)
        line.hum.play(pj.ToneDescVector([tone]), True)


def _is_complete(path: str) -> bool:
    """Whether a WAV file's header states the length that the file has."""
    try:
        with open(path, "rb") as file:
            head = file.read(12)
            length = file.seek(0, 2)
    except OSError:
        return False
    return head[8:12] == b"WAVE" and int.from_bytes(head[4:8], "little") == length - 8
