"""The judge of answers, by the reports of a gateway, in virtual time."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd.dialer.answers.judge import Judge
from acd.dialer.answers.message_start import Cue, MessageStart
from acd.dialer.answers.model import read_model, shipped_model
from acd.dialer.answers.rejudge import rejudge
from acd.dialer.answers.verdict import AnswerKind, Verdict
from acd.dialer.settings import AnswerRules
from switch.gateway.protocol import SoundFeatures
from switch.ids import LegId

LEG = LegId("leg-1")
START = 100.0
"""When the watch began, of an arbitrary clock."""


def report(
    at_ms: int, *, since_ms: int = 0, speaking: bool = False, **more: object
) -> SoundFeatures:
    """One report of the gateway; a voice of 120 Hz where somebody speaks."""
    voice: dict[str, object] = {"voiced": 0.7, "voice_hz": 120.0} if speaking else {}
    fields = {
        "t": "sound_features",
        "leg": LEG,
        "at_ms": at_ms,
        "level_dbov": -25.0 if speaking else -70.0,
        "mean_dbov": -25.0 if speaking else -70.0,
        "floor_dbov": -70.0,
        "spread_db": 5.0,
        "crossings": 0.2,
        "speaking": speaking,
        "since_ms": since_ms,
        "bursts": 0,
        **voice,
        **more,
    }
    return msgspec.convert(fields, SoundFeatures)


def reports(*turns: tuple[int, bool], first_ms: int = 0) -> list[SoundFeatures]:
    """What a gateway tells of talk and silence in turn, ten times a second."""
    found: list[SoundFeatures] = []
    at = first_ms
    for length, speaking in turns:
        ends = range(at + 100, at + length + 1, 100)
        found += [report(end, since_ms=at, speaking=speaking) for end in ends]
        at += length
    return found


def judged(sounds: list[SoundFeatures], rules: AnswerRules | None = None) -> Verdict | None:
    """The verdict on a leg that was answered as the watch began; reports come 20 ms late."""
    judge = Judge(rules or AnswerRules())
    judge.answered(START)
    for sound in sounds:
        now = START + sound.at_ms / 1000
        due = judge.due()
        if due is not None and due <= now:
            judge.decide(due)
        judge.heard(sound, now + 0.02)
        judge.decide(now + 0.02)
    return judge.verdict


def test_a_word_and_silence_is_a_person() -> None:
    verdict = judged(reports((500, False), (500, True), (2000, False)))
    assert verdict is not None
    assert verdict.kind is AnswerKind.HUMAN
    assert verdict.probability >= 0.9
    assert verdict.speech_ms <= 2000


def test_patience_ends_without_a_report() -> None:
    judge = Judge(AnswerRules(human_certainty=1.0, decide_within_s=4.0, patience_s=1.2))
    judge.answered(START)
    for sound in reports((500, False), (500, True), (400, False)):
        judge.heard(sound, START + sound.at_ms / 1000)
    assert judge.due() == pytest.approx(START + 2.2)
    assert judge.decide(START + 2.19) is None
    verdict = judge.decide(START + 2.2)
    assert verdict is not None
    assert verdict.kind is AnswerKind.HUMAN
    assert verdict.paused_ms == 1200


@pytest.mark.parametrize(
    ("machine", "kind", "paused_ms"),
    [
        (0.45, AnswerKind.HUMAN, 1200),
        (0.55, AnswerKind.HUMAN, 1600),
        (0.89, AnswerKind.HUMAN, 1600),
        (0.91, AnswerKind.MACHINE, 5000),
    ],
)
def test_whoever_may_be_a_person_and_waits_has_an_agent_within_two_seconds(
    machine: float, kind: AnswerKind, paused_ms: int
) -> None:
    model = msgspec.structs.replace(
        shipped_model(), bias=math.log(machine / (1.0 - machine)), trees=()
    )
    judge = Judge(AnswerRules(), model)
    judge.answered(START)
    for sound in reports((500, False), (500, True), (400, False)):
        judge.heard(sound, START + sound.at_ms / 1000)
    verdict = None
    while verdict is None:
        due = judge.due()
        assert due is not None
        verdict = judge.decide(due)
    assert (verdict.kind, verdict.paused_ms) == (kind, paused_ms)


def test_who_speaks_on_and_on_is_a_machine() -> None:
    verdict = judged(reports((500, False), (6000, True)))
    assert verdict is not None
    assert verdict.kind is AnswerKind.MACHINE


def test_silence_is_uncertain_and_needs_no_reports() -> None:
    judge = Judge(AnswerRules(silence_s=2.5))
    judge.answered(START)
    assert judge.due() == pytest.approx(START + 2.5)
    assert judge.decide(START + 2.4) is None
    verdict = judge.decide(START + 2.5)
    assert verdict is not None
    assert verdict.kind is AnswerKind.UNCERTAIN


def test_ring_back_after_the_answer_is_waited_out() -> None:
    judge = Judge(AnswerRules(silence_s=2.5))
    judge.answered(START)
    judge.heard(report(2000, tone="ring-back", tone_hz=440.0, tone_ms=1000), START + 2.0)
    assert judge.rings
    assert judge.due() == pytest.approx(START + 4.5)


@pytest.mark.parametrize(
    ("tone", "tone_ms", "kind"),
    [
        ("fax-cng", 500, AnswerKind.FAX),
        ("fax-ced", 1000, AnswerKind.FAX),
        ("sit", 330, AnswerKind.NO_SERVICE),
        ("busy", 500, AnswerKind.BUSY),
        ("busy", 250, AnswerKind.CONGESTION),
    ],
)
@pytest.mark.parametrize("answered", [True, False])
def test_tones_decide_at_once(tone: str, tone_ms: int, kind: AnswerKind, *, answered: bool) -> None:
    judge = Judge(AnswerRules())
    if answered:
        judge.answered(START)
    judge.heard(report(1000, tone=tone, tone_hz=1000.0, tone_ms=tone_ms), START + 1.0)
    verdict = judge.decide(START + 1.0)
    assert verdict is not None
    assert verdict.kind is kind
    assert (verdict.at_ms < 0) == (not answered)


def test_a_voice_before_the_answer_means_nothing() -> None:
    judge = Judge(AnswerRules())
    for sound in reports((500, False), (6000, True)):
        judge.heard(sound, START + sound.at_ms / 1000)
    assert judge.decide(START + 10) is None
    assert judge.due() is None


def test_a_beep_after_speech_is_a_machine() -> None:
    sounds = reports((500, False), (700, True), (200, False))
    sounds.append(report(1500, since_ms=1200, tone="beep", tone_hz=1000.0, tone_ms=300))
    verdict = judged(sounds, AnswerRules(human_certainty=1.0))
    assert verdict is not None
    assert verdict.kind is AnswerKind.MACHINE
    assert "1000 Hz" in verdict.why
    assert verdict.is_beeped


def test_who_may_be_a_machine_is_listened_to_until_its_beep() -> None:
    turns = reports((500, False), (900, True), (300, False), (1500, True), (1700, False))
    sounds = [s for s in turns if s.at_ms <= 4600]
    rules = AnswerRules(machine_certainty=1.0, human_certainty=1.0, late_human_certainty=1.0)
    assert judged(sounds, rules) is None
    beep = report(4700, since_ms=3200, tone="beep", tone_hz=1000.0, tone_ms=300)
    verdict = judged([*sounds, beep], rules)
    assert verdict is not None
    assert verdict.is_beeped


def test_noise_without_a_voice_is_nobody() -> None:
    sounds = [
        report(at, since_ms=100, speaking=True, voiced=0.0, voice_hz=0.0)
        for at in range(100, 4000, 100)
    ]
    verdict = judged(sounds)
    assert verdict is not None
    assert verdict.kind is AnswerKind.UNCERTAIN


@pytest.mark.parametrize(
    "turns",
    [
        [(500, False), (500, True), (2000, False)],
        [(500, False), (6000, True)],
        [(300, False), (1500, True), (300, False), (900, True), (3500, False)],
        [(5000, False)],
        [(100, True), (100, False)] * 30,
    ],
)
def test_judging_again_by_the_same_rules_says_the_same(turns: list[tuple[int, bool]]) -> None:
    rules = AnswerRules()
    verdict = judged(reports(*turns), rules)
    assert verdict is not None
    assert rejudge(verdict.record, rules) == verdict
    assert len(verdict.record) < 4000


@given(
    turns=st.lists(
        st.tuples(st.sampled_from([100, 300, 700, 1500, 3000]), st.booleans()), max_size=8
    ),
    answered_ms=st.integers(0, 3000),
    delays=st.lists(st.floats(0.0, 0.5), min_size=1, max_size=5),
    tones=st.lists(
        st.sampled_from(["", "", "", "ring-back", "beep", "busy"]), min_size=1, max_size=9
    ),
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_heard_and_whenever_judging_again_says_the_same(
    turns: list[tuple[int, bool]], answered_ms: int, delays: list[float], tones: list[str]
) -> None:
    judge, rules = Judge(AnswerRules()), AnswerRules()
    now = START
    for number, sound in enumerate(reports(*turns)):
        tone = tones[number % len(tones)] if number % 7 == 0 else ""
        if tone:
            sound = msgspec.structs.replace(sound, tone=tone, tone_hz=450.0, tone_ms=400)
        now = max(now, START + sound.at_ms / 1000 + delays[number % len(delays)])
        if now >= START + answered_ms / 1000:
            judge.answered(now)
        judge.heard(sound, now)
        judge.decide(now + 0.01)
    judge.answered(now)
    while (due := judge.due()) is not None:
        judge.decide(due)
    verdict = judge.verdict
    assert verdict is not None
    assert rejudge(verdict.record, rules) == verdict


def test_judging_again_by_other_rules_says_what_they_would_have_said() -> None:
    verdict = judged(reports((500, False), (500, True), (3000, False)))
    assert verdict is not None
    earlier = rejudge(verdict.record, AnswerRules(silence_s=0.2))
    assert earlier is not None
    assert earlier.kind is AnswerKind.UNCERTAIN
    assert rejudge(verdict.record, AnswerRules(human_certainty=1.0)) is None
    with pytest.raises(ValueError, match="no record"):
        rejudge("{}", AnswerRules())


def test_reports_that_are_late_or_stop_change_nothing() -> None:
    sounds = reports((500, False), (500, True), (2000, False))
    prompt, late = Judge(AnswerRules()), Judge(AnswerRules())
    for judge, delay in ((prompt, 0.0), (late, 0.3)):
        judge.answered(START)
        for sound in sounds:
            judge.heard(sound, START + sound.at_ms / 1000 + delay)
    assert prompt.verdict is not None
    assert late.verdict is not None
    assert prompt.verdict.kind is late.verdict.kind
    silent = Judge(AnswerRules(decide_within_s=2.0, listen_on_s=4.0))
    silent.answered(START)
    silent.heard(report(600, since_ms=500, speaking=True), START + 0.6)
    due = silent.due()
    while due is not None and silent.decide(due) is None:
        due = silent.due()
    assert silent.verdict is not None
    assert silent.verdict.speech_ms <= 4000


def test_a_message_begins_after_the_beep() -> None:
    start = MessageStart(AnswerRules(after_beep_s=0.3), START)
    assert start.decide(START + 3) is None
    start.heard(report(8000, since_ms=7500, tone="beep", tone_hz=1000.0, tone_ms=400), START + 8)
    assert start.due() == pytest.approx(START + 8.3)
    assert start.decide(START + 8.2) is None
    assert start.decide(START + 8.3) is Cue.BEEP


def test_a_beep_within_a_greeting_is_no_cue() -> None:
    start = MessageStart(AnswerRules(after_beep_s=0.3), START)
    start.heard(report(1000, since_ms=600, tone="beep", tone_hz=1000.0, tone_ms=400), START + 1)
    start.heard(report(1200, since_ms=1050, speaking=True), START + 1.2)
    assert start.decide(START + 2) is None


def test_without_a_beep_a_long_silence_is_the_cue_and_at_last_nothing_is() -> None:
    rules = AnswerRules(beep_silence_s=4.0, beep_within_s=60.0)
    start = MessageStart(rules, START)
    start.heard(report(5000, since_ms=4800, speaking=False), START + 5)
    assert start.due() == pytest.approx(START + 8.8)
    assert start.decide(START + 8.8) is Cue.SILENCE
    talks = MessageStart(rules, START)
    talks.heard(report(5000, since_ms=0, speaking=True), START + 5)
    assert talks.decide(START + 59.9) is None
    assert talks.decide(START + 60) is Cue.TOO_LATE


def test_the_shipped_model_is_sound_and_a_broken_one_is_refused() -> None:
    text = msgspec.json.encode(shipped_model())
    assert read_model(text) == shipped_model()
    with pytest.raises(ValueError, match="no model"):
        read_model(b"{}")
    loop = msgspec.json.decode(text)
    loop["trees"][0] = [[0], [1.0], [0], [0]]
    with pytest.raises(ValueError, match="tree 0"):
        read_model(msgspec.json.encode(loop))
    other = msgspec.json.decode(text)
    other["features"] = ["age"]
    with pytest.raises(ValueError, match="age"):
        read_model(msgspec.json.encode(other))
