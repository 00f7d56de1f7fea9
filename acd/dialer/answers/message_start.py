"""When to speak to a machine: after its beep. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from acd.dialer.settings import AnswerRules
from switch.gateway.protocol import SoundFeatures

_MIN_SILENCE_MS: Final = 1000
"""Nobody speaks so long behind a beep and then goes on with the greeting."""


class Cue(StrEnum):
    """Why the message begins, or not."""

    BEEP = "beep"
    SILENCE = "silence"
    """No beep was heard, but the greeting is over."""
    TOO_LATE = "too-late"
    """Hang up: no beep and no end of the greeting came in time."""


class MessageStart:
    """From the verdict "machine" on. Times are seconds of one clock, that of the judge.

    A beep in the midst of a greeting is no cue: if somebody speaks on before the message has begun,
    the next beep is waited for.
    """

    def __init__(self, rules: AnswerRules, at: float, *, is_beeped: bool = False) -> None:
        """`at`: of the verdict; `is_beeped`: the beep was what told the machine."""
        self._rules = rules
        self._until = at + rules.beep_within_s
        self._beep_at: float | None = at if is_beeped else None
        self._silent_from: float | None = None
        self._cue: Cue | None = None

    def heard(self, sound: SoundFeatures, at: float) -> None:
        """The gateway told of the leg's sound."""
        if self._cue is not None:
            return
        self.decide(at)
        if sound.speaking:
            self._silent_from = None
            self._beep_at = None
        else:
            # The gateway's times count from another moment: only how long ago it was is of use.
            begun = at - (sound.at_ms - sound.since_ms) / 1000
            self._silent_from = begun if self._silent_from is None else self._silent_from
        if sound.tone == "beep":
            self._beep_at = at
            self._silent_from = at

    def due(self) -> float:
        """When to call `decide` if nothing is heard until then."""
        times = [self._until]
        if self._beep_at is not None:
            times.append(self._beep_at + self._rules.after_beep_s)
        if self._silent_from is not None:
            times.append(self._silent_from + self._rules.beep_silence_s)
        return min(times)

    def decide(self, now: float) -> Cue | None:
        """The cue, if it is time; it never changes afterwards."""
        if self._cue is None:
            beep, silent = self._beep_at, self._silent_from
            if beep is not None and now >= beep + self._rules.after_beep_s:
                self._cue = Cue.BEEP
            elif silent is not None and now >= silent + self._rules.beep_silence_s:
                self._cue = Cue.SILENCE
            elif now >= self._until:
                self._cue = Cue.TOO_LATE
        return self._cue
