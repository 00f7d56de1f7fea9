"""The judge on calls of the corpus, as a dialer drives it, but with a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Sequence

from acd.dialer.answers.judge import Judge
from acd.dialer.answers.message_start import Cue, MessageStart
from acd.dialer.answers.model import Model
from acd.dialer.answers.verdict import Verdict
from acd.dialer.settings import AnswerRules
from switch.gateway.protocol import SoundFeatures


def judged(
    sounds: Sequence[SoundFeatures], rules: AnswerRules, model: Model | None = None
) -> Verdict:
    """The verdict on a call that was answered as the watch began."""
    judge = Judge(rules, model)
    judge.answered(0.0)
    for sound in sounds:
        judge.heard(sound, sound.at_ms / 1000)
        if judge.verdict is not None:
            return judge.verdict
    due = judge.due()
    while due is not None and judge.decide(due) is None:
        due = judge.due()
    assert judge.verdict is not None
    return judge.verdict


def cue_of(
    sounds: Sequence[SoundFeatures], rules: AnswerRules, verdict: Verdict
) -> tuple[Cue, float]:
    """When a message would begin behind a verdict, in seconds, and why. The call ends in silence."""
    at = verdict.at_ms / 1000
    start = MessageStart(rules, at, is_beeped=verdict.is_beeped)
    for sound in sounds:
        now = sound.at_ms / 1000
        if now <= at:
            continue
        if start.due() <= now and (cue := start.decide(start.due())):
            return cue, start.due()
        start.heard(sound, now)
    due = start.due()
    cue = start.decide(due)
    assert cue is not None
    return cue, due
