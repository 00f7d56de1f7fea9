"""Calls that the model never saw, as RTP through the real engine and its features, to the judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from acd.dialer.answers.message_start import Cue
from acd.dialer.answers.rejudge import rejudge
from acd.dialer.answers.verdict import FOR_AGENTS, AnswerKind, Verdict
from acd.dialer.settings import AnswerRules
from switch.gateway.commands import event_of
from switch.gateway.protocol import SoundFeatures
from switch.ids import LegId
from switch.media.events import SoundHeard
from tests.answers import bank
from tests.answers.corpus import Item, frames_of, plan, wave_of
from tests.answers.judging import cue_of, judged
from tests.answers.listen import listen
from tests.switch.media.studio import Studio

PEOPLE, MACHINES = 30, 24
RULES = AnswerRules()


def heard_by_rtp(items: Sequence[Item]) -> list[list[SoundFeatures]]:
    """All calls side by side, each a leg whose peer sends RTP."""
    utterances = bank.read()
    calls = [frames_of(wave_of(item, utterances)) for item in items]
    studio = Studio()
    for number in range(len(calls)):
        studio.add(str(number)).speaks = False
        studio.engine.watch_sound(LegId(str(number)), on=True)
    parties = list(studio.parties.values())
    for tick in range(len(calls[0])):
        studio.step(
            [
                party.packet(payload=frames[tick].tobytes())
                for party, frames in zip(parties, calls, strict=True)
            ]
        )
    told: list[list[SoundFeatures]] = [[] for _ in calls]
    for event in studio.events:
        if isinstance(event, SoundHeard):
            sound = event_of(event)
            assert isinstance(sound, SoundFeatures)
            told[int(event.leg)].append(sound)
    return told


class Heard:
    """What was heard, and what the judge made of it."""

    def __init__(self) -> None:
        self.items = plan(is_held=True, people=PEOPLE, machines=MACHINES, others=3)
        self.told = heard_by_rtp(self.items)
        self.verdicts = [judged(sounds, RULES) for sounds in self.told]

    def of(self, label: str) -> list[tuple[Item, Verdict]]:
        pairs = zip(self.items, self.verdicts, strict=True)
        return [(item, verdict) for item, verdict in pairs if item.label == label]


@pytest.fixture(scope="module")
def heard() -> Heard:
    return Heard()


def test_people_are_taken_for_people_soon(heard: Heard) -> None:
    people = heard.of("human")
    assert sum(verdict.kind is AnswerKind.HUMAN for _, verdict in people) >= 0.95 * PEOPLE
    late = [verdict.at_ms - item.onset_ms for item, verdict in people]
    assert np.median(late) <= 2000


def test_most_machines_are_taken_for_machines(heard: Heard) -> None:
    machines = heard.of("machine")
    assert sum(v.kind is AnswerKind.MACHINE for _, v in machines) >= 0.8 * MACHINES


def test_tones_silence_and_noise_are_what_they_are(heard: Heard) -> None:
    for label in ("fax", "no-service", "busy", "congestion"):
        kinds = Counter(str(verdict.kind) for _, verdict in heard.of(label))
        assert kinds[label] >= 2, label  # a lost packet may break a cadence
        assert set(kinds) <= {label, "uncertain"}, label
    for label in ("silence", "noise", "ring-back"):
        assert {v.kind for _, v in heard.of(label)} <= FOR_AGENTS, label


def test_a_message_begins_behind_the_beep(heard: Heard) -> None:
    utterances = bank.read()
    behind = 0
    machines = [
        (item, sounds, verdict)
        for item, sounds, verdict in zip(heard.items, heard.told, heard.verdicts, strict=True)
        if item.beep_hz and verdict.kind is AnswerKind.MACHINE
    ]
    for item, sounds, verdict in machines:
        cue, at = cue_of(sounds, RULES, verdict)
        greeting = utterances[item.utterance].length / bank.RATE_HZ
        over = (item.onset_ms + item.pause_ms + item.beep_ms) / 1000 + greeting
        behind += cue is Cue.BEEP and over <= at <= over + 1.0
    assert behind >= 0.6 * len(machines)


def test_judging_again_says_the_same_of_every_call(heard: Heard) -> None:
    for verdict in heard.verdicts:
        assert rejudge(verdict.record, RULES) == verdict


def test_the_figures_hear_what_a_gateway_hears(heard: Heard) -> None:
    some = slice(None, None, 7)
    direct = [judged(sounds, RULES) for sounds in listen(heard.items[some])]
    same = sum(a.kind is b.kind for a, b in zip(direct, heard.verdicts[some], strict=True))
    assert same >= 0.75 * len(direct)
