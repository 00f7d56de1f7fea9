"""Speech by espeak-ng through its C interface (`speak_lib.h`), in retrieval mode: no sound device."""

from __future__ import annotations

import ctypes
from typing import Any, Final

import numpy as np

from ivr.prompts.errors import SpeechMissingError
from ivr.prompts.levels import Sound

_SYNCHRONOUS: Final = 2
"""Sound comes to the callback, and `espeak_Synth` returns when it has all come."""
_CHARS_UTF8: Final = 1
_RATE, _PITCH, _WORDGAP = 1, 3, 7

_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class EspeakVoice:
    """One voice of espeak-ng. The library has one state per process: use one at a time."""

    def __init__(self, voice: str, *, words_per_minute: int = 160, pitch: int = 50) -> None:
        try:
            import espeakng_loader
        except ImportError as error:
            raise SpeechMissingError(
                "espeakng_loader is not installed; install `switchroom[speech]` to render prompts"
            ) from error
        self._library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        self._pieces: list[Sound] = []
        self._callback = _Callback(self._take)  # kept: the library holds only its address
        data = espeakng_loader.get_data_path().encode()
        self._rate_hz = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0))
        if self._rate_hz <= 0:
            raise SpeechMissingError(f"espeak-ng cannot read its data in {data.decode()}")
        self._library.espeak_SetSynthCallback(self._callback)
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SpeechMissingError(f"espeak-ng has no voice `{voice}`")
        for parameter, value in ((_RATE, words_per_minute), (_PITCH, pitch), (_WORDGAP, 0)):
            self._library.espeak_SetParameter(parameter, value, 0)

    def speak(self, text: str) -> tuple[Sound, int]:
        """Return the sound of a text and its rate."""
        self._pieces = [np.zeros(0)]
        octets = text.encode() + b"\0"
        self._library.espeak_Synth(octets, len(octets), 0, 1, 0, _CHARS_UTF8, None, None)
        self._library.espeak_Synchronize()
        return np.concatenate(self._pieces), self._rate_hz

    def _take(self, wave: Any, count: int, _events: object) -> int:
        if wave and count > 0:
            self._pieces.append(np.ctypeslib.as_array(wave, (count,)) / 32768)
        return 0
