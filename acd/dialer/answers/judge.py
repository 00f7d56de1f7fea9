"""Tells who or what answered, while it speaks. Pure: reports of the sound go in, a verdict comes out.

    before the answer   busy, congestion, "no such number" and fax by their tones
    after it            the same, and: at each report the model is asked
      silent so far     after `silence_s` uncertain
      in a pause        human as soon as that is certain enough
      at any time       machine as soon as that is certain enough
      patience_s        of silence behind speech: human if that is likelier
      uncertain_after_s of it: human, since a person waits no longer; a likely machine's beep may come
      decide_within_s   from the first word: human as soon as that is rather certain
      listen_on_s       from the first word: machine if that is rather certain, else human

So whoever has spoken is one or the other in the end, and a person in doubt, since to hang up on one is the
worse mistake. Uncertain are those of whom there is nothing to judge.

The same reports give the same verdict, however late they come: the judge looks at fixed times of the sound.
"""

from __future__ import annotations

from typing import Final

from acd.dialer.answers.model import Model, shipped_model
from acd.dialer.answers.record import Record, write
from acd.dialer.answers.timeline import NAMES, Heard, Timeline, in_whole_numbers
from acd.dialer.answers.verdict import AnswerKind, Verdict
from acd.dialer.settings import AnswerRules
from switch.gateway.protocol import SoundFeatures

_MOST_HEARD: Final = 200
"""Reports that are kept; at ten a second nobody listens so long."""
_LONGEST_MS: Final = 20_000
"""After the answer: tones that never end are no reason to listen for ever."""
_HALF: Final = 0.5
_PAUSE: Final = NAMES.index("pause_ms")
_FAX: Final = frozenset({"fax-cng", "fax-ced"})


class Judge:
    """One leg, from `watch_sound` (once, before the answer or at it) to the verdict.

    Times are seconds of any one clock. The caller calls `answered`, `heard` for each `SoundHeard`, and
    `decide` behind each of them and at `due`.
    """

    def __init__(self, rules: AnswerRules, model: Model | None = None) -> None:
        self._rules = rules
        self._model = shipped_model() if model is None else model
        self._base: float | None = None
        """When the watch began."""
        self._answered_at: float | None = None
        self._answered_ms: int | None = None
        self._timeline = Timeline()
        self._heard: list[Heard] = []
        self._looked_ms = -1
        """The newest time at which it was asked."""
        self._quiet_from_ms = 0
        """Since the answer, or the last tone behind it."""
        self.verdict: Verdict | None = None
        self.rings = False
        """A ring-back tone was heard."""

    def answered(self, at: float) -> None:
        """The leg was answered. Only then a voice means something."""
        if self._answered_at is not None:
            return
        self._answered_at = at
        if self._base is None:
            self._base = at
        self.answered_ms(max(round((at - self._base) * 1000), 0))

    def answered_ms(self, at_ms: int) -> None:
        """The same, in milliseconds of the watch."""
        self._answered_ms = self._quiet_from_ms = at_ms
        self._timeline = Timeline(at_ms)

    def heard(self, sound: SoundFeatures, at: float) -> None:
        """The gateway told of the leg's sound, at this time."""
        begun = at - sound.at_ms / 1000
        if self._base is None or (begun < self._base and self._answered_at is None):
            self._base = begun  # the report that came with the least delay
        self.take(in_whole_numbers(sound))

    def take(self, heard: Heard) -> None:
        """The same, as it is kept."""
        self.look_until(heard.at_ms - 1)
        if self.verdict is not None:
            return
        is_answer = self._answered_ms is not None and heard.at_ms >= self._answered_ms
        if (is_answer or heard.tone_hz) and len(self._heard) < _MOST_HEARD:
            self._heard.append(heard)
        if heard.tone:
            self._take_tone(heard)
        elif heard.tone_hz:
            self._quiet_from_ms = max(self._quiet_from_ms, heard.at_ms)
        if is_answer and self.verdict is None:
            self._timeline.add(heard)
            self._look(heard.at_ms)

    def due(self) -> float | None:
        """When to call `decide` if nothing is heard until then; None: there is nothing to wait for."""
        due_ms = self._due_ms()
        if due_ms is None or self._base is None:
            return None
        return self._base + due_ms / 1000

    def decide(self, now: float) -> Verdict | None:
        """The verdict, if there is one by now; it never changes afterwards."""
        if self.verdict is None and self._base is not None:
            self.look_until(int((now - self._base) * 1000 + 0.5))
        return self.verdict

    def look_until(self, at_ms: int) -> None:
        """The same, in milliseconds of the watch; reports may stop, or be late."""
        while (due := self._due_ms()) is not None and due <= at_ms:
            self._look(due)

    # --- inside ---------------------------------------------------------------------------------

    def _due_ms(self) -> int | None:
        if self.verdict is not None or self._answered_ms is None:
            return None
        onset, rules = self._timeline.onset_ms, self._rules
        if onset is None:
            return max(self._patience_ms, self._looked_ms + 1)
        dues = [onset + _ms(rules.decide_within_s), onset + _ms(rules.listen_on_s)]
        silent_from = self._timeline.silent_from_ms
        if silent_from is not None:
            dues.append(silent_from + _ms(rules.patience_s))
            dues.append(silent_from + _ms(rules.uncertain_after_s))
        later = [due for due in dues if due > self._looked_ms]
        return min(later, default=self._looked_ms + 1)

    @property
    def _patience_ms(self) -> int:
        """Until then somebody should have spoken."""
        longest = (self._answered_ms or 0) + _LONGEST_MS
        return min(self._quiet_from_ms + _ms(self._rules.silence_s), longest)

    def _take_tone(self, heard: Heard) -> None:
        tone = heard.tone
        if tone in _FAX:
            self._say(AnswerKind.FAX, 1.0, heard.at_ms, f"the tone of a fax, {heard.tone_hz} Hz")
        elif tone == "sit":
            self._say(AnswerKind.NO_SERVICE, 1.0, heard.at_ms, "special information tones")
        elif tone == "busy":
            is_full = heard.tone_ms < self._rules.congestion_below_ms
            kind = AnswerKind.CONGESTION if is_full else AnswerKind.BUSY
            self._say(kind, 1.0, heard.at_ms, f"tones of {heard.tone_ms} ms, as long as their gaps")
        elif tone == "ring-back":
            self.rings = True
            self._quiet_from_ms = max(self._quiet_from_ms, heard.at_ms)
        elif tone == "beep" and self._timeline.onset_ms is not None:
            why = f"a beep of {heard.tone_hz} Hz after speech"
            self._say(AnswerKind.MACHINE, 1.0, heard.at_ms, why, is_beeped=True)

    def _look(self, at_ms: int) -> None:
        """Ask the model, and decide if it is time."""
        self._looked_ms = at_ms
        rules = self._rules
        onset = self._timeline.onset_ms
        if onset is None:
            if at_ms >= self._patience_ms:
                self._say(AnswerKind.UNCERTAIN, _HALF, at_ms, "nobody has spoken")
            return
        since = at_ms - onset
        features = self._timeline.features(at_ms)
        machine = self._model.machine(features)
        pauses = not self._timeline.speaking
        if machine >= rules.machine_certainty:
            self._say(AnswerKind.MACHINE, machine, at_ms, "speaks like a machine")
        elif pauses and 1.0 - machine >= rules.human_certainty:
            self._say(AnswerKind.HUMAN, 1.0 - machine, at_ms, "spoke like a person, and waits")
        elif pauses and machine <= _HALF and features[_PAUSE] >= _ms(rules.patience_s):
            self._say(AnswerKind.HUMAN, 1.0 - machine, at_ms, "waits: likelier a person")
        elif since >= _ms(rules.decide_within_s) and 1.0 - machine >= rules.late_human_certainty:
            self._say(AnswerKind.HUMAN, 1.0 - machine, at_ms, "the time is up: likelier a person")
        elif (
            features[_PAUSE] >= _ms(rules.uncertain_after_s)
            and machine < rules.last_machine_certainty
        ):
            self._say(AnswerKind.HUMAN, 1.0 - machine, at_ms, "waits, and may be a person")
        elif since >= _ms(rules.listen_on_s):
            if machine >= rules.last_machine_certainty:
                self._say(AnswerKind.MACHINE, machine, at_ms, "the time is up: likely a machine")
            else:
                self._say(AnswerKind.HUMAN, 1.0 - machine, at_ms, "the time is up: may be a person")

    def _say(
        self, kind: AnswerKind, probability: float, at_ms: int, why: str, *, is_beeped: bool = False
    ) -> None:
        answered = self._answered_ms
        onset = self._timeline.onset_ms
        features = self._timeline.features(at_ms)
        record = Record(
            kind=kind,
            probability=round(probability, 4),
            why=why,
            model=self._model.version,
            answered_ms=answered,
            decided_ms=at_ms,
            features={name: round(value, 2) for name, value in zip(NAMES, features, strict=True)},
            heard=tuple(self._heard),
        )
        self.verdict = Verdict(
            kind=kind,
            probability=record.probability,
            at_ms=at_ms - (at_ms + 1 if answered is None else answered),
            speech_ms=0 if onset is None else at_ms - onset,
            paused_ms=self._timeline.paused_ms(at_ms),
            why=why,
            is_beeped=is_beeped,
            record=write(record),
        )


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
