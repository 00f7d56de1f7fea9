"""Legs of all kinds come and go in any order: nobody hears who should not be heard, and nothing is lost."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import numpy as np
import pytest

from switch.ids import LegId, PlayerId, RecordingId
from switch.media.codecs import ENCODE, FRAME_SAMPLES, LAW_OF_CODEC
from switch.media.digit_tones import ToneDigitSender
from switch.media.errors import MediaCommandError
from switch.media.events import MediaEvent, PlayerEnded
from switch.media.model import PlayerItem, SilenceItem, ToneItem
from tests.switch.media.studio import Party, Studio, level_of

PITCHES = (430.0, 690.0, 1130.0)
"""Of those who speak. Nobody else does, so that it can be told who is heard."""
MUSIC_HZ = 2450.0
QUIET_FRAMES = 30
LAST_FRAMES = 12
"""After so many frames of quiet whoever was heard before is not any more, in so many of the last."""
KINDS: tuple[tuple[tuple[str, ...], tuple[int | None, ...]], ...] = (
    (("PCMU", "PCMU", "PCMA", "G722", "OPUS"), (101, 101, None)),
    (("PCMU", "PCMA"), (None,)),
    (("OPUS",), (101, None)),
    (("G722", "OPUS"), (101,)),
)
"""Codecs, and numbers of telephone events, of all legs of a life."""


class Lives:
    """Does things at random to a studio, and knows what should be heard."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.studio = Studio(rtp_timeout_s=0.5)
        self.gains: dict[tuple[str, str], float] = {}
        self.sending: dict[str, bool] = {}
        self.events: dict[str, int | None] = {}
        self.players: dict[str, None] = {}
        self.recordings: dict[str, tuple[list[str], list[str]]] = {}
        self.sent: dict[str, int] = {}
        self.kinds = self.random.choice(KINDS)
        self.usual: list[Callable[[], None]] = [
            self.add, self.add_in_vain, self.remove, self.configure, self.bridge, self.meet,
            self.part, self.watch, self.record, self.stop_recording, self.play, self.stop_player,
            self.dial, self.key, self.speak, self.stand_still,
        ]  # fmt: skip
        self.number = 0
        self.told = 0

    @property
    def legs(self) -> list[str]:
        return list(self.studio.parties)

    def fresh(self, kind: str) -> str:
        self.number += 1
        return f"{kind}{self.number}"

    def some(self, most: int) -> list[str]:
        return self.random.sample(self.legs, min(len(self.legs), self.random.randint(1, most)))

    # --- what may happen ------------------------------------------------------------------------

    def add(self) -> None:
        name = self.fresh("leg")
        self.events[name] = self.random.choice(self.kinds[1])
        party = self.studio.add(name, 0.0, codec=self.codec(), events=self.events[name])
        party.speaks = False
        self.sending[name], self.sent[name] = True, 0

    def add_in_vain(self) -> None:
        port = next(iter(self.studio.wire.ports.values()))  # it is another's
        with pytest.raises(MediaCommandError):
            self.studio.engine.add_leg(LegId("in vain"), port, self.studio.now)

    def remove(self) -> None:
        name = self.random.choice(self.legs)
        party = self.studio.parties[name]
        packets = len(self.studio.wire.sent[party.row])
        totals = self.studio.remove(name)
        assert 0 <= totals.packets_sent - packets <= 1  # the last one may wait
        assert totals.packets_received == self.sent[name]
        assert totals.packets_lost == 0
        assert totals.packets_late <= totals.packets_received
        assert totals.packets_stray == 0
        assert 0 <= totals.frames_concealed <= 10 * totals.packets_received
        assert 0.0 <= totals.jitter_ms < 20.0
        for pair in [pair for pair in self.gains if name in pair]:
            del self.gains[pair]

    def codec(self) -> str:
        return self.random.choice(self.kinds[0])

    def configure(self) -> None:
        name = self.random.choice(self.legs)
        party = self.studio.parties[name]
        if self.random.random() < 0.3:
            party.become(self.codec())
        if self.random.random() < 0.3:
            self.events[name] = self.random.choice(self.kinds[1])
        self.sending[name] = self.random.random() < 0.8
        self.studio.configure(
            name, send=self.sending[name], receive=self.random.random() < 0.8,
            events=self.events[name],
        )  # fmt: skip

    def hear(self, listener: str, source: str, gain: float) -> None:
        self.studio.hear(listener, source, gain)
        if gain:
            self.gains[listener, source] = gain
        else:
            self.gains.pop((listener, source), None)

    def bridge(self) -> None:
        gain = self.random.choice((1.0, 1.0, 1.0, 0.5, 0.0))
        one, other = self.some(1)[0], self.some(1)[0]
        self.hear(one, other, gain)
        self.hear(other, one, gain)

    def meet(self) -> None:
        room = self.some(5)
        for one in room:
            for other in room:
                if one != other:
                    self.hear(one, other, 1.0)

    def part(self) -> None:
        name = self.random.choice(self.legs)
        for listener, source in [pair for pair in self.gains if name in pair]:
            self.hear(listener, source, 0.0)

    def watch(self) -> None:
        on = self.random.random() < 0.6
        self.studio.engine.watch_sound(LegId(self.random.choice(self.legs)), on=on)

    def record(self) -> None:
        engine = self.studio.engine
        left, right = self.some(3), self.some(2)
        if self.recordings and self.random.random() < 0.5:
            name = self.random.choice(list(self.recordings))
            engine.set_recording_legs(RecordingId(name), ids(left), ids(right))
        else:
            name = self.fresh("recording")
            engine.start_recording(RecordingId(name), "/r", ids(left), ids(right))
        self.recordings[name] = left, right

    def stop_recording(self) -> None:
        if self.recordings:
            name = self.random.choice(list(self.recordings))
            del self.recordings[name]
            self.studio.engine.stop_recording(RecordingId(name))
            assert self.studio.sink.closed[-1] == name

    def play(self) -> None:
        name = self.fresh("player")
        if self.players and self.random.random() < 0.2:
            name = self.random.choice(list(self.players))
            self.forget_player(name)
        items: list[PlayerItem] = [ToneItem((MUSIC_HZ,), self.random.choice((60, 5000)), -25.0)]
        if self.random.random() < 0.3:
            items.append(SilenceItem(40))
        listeners = self.some(4)
        loop = self.random.random() < 0.7
        assert self.studio.engine.play(PlayerId(name), items, ids(listeners), loop=loop) == ()
        self.players[name] = None
        for listener in listeners:
            self.gains[listener, name] = 1.0

    def stop_player(self) -> None:
        if self.players:
            name = self.random.choice(list(self.players))
            self.studio.engine.stop_player(PlayerId(name))
            self.forget_player(name)

    def forget_player(self, name: str) -> None:
        self.players.pop(name, None)
        for pair in [pair for pair in self.gains if pair[1] == name]:
            del self.gains[pair]

    def dial(self) -> None:
        digits = "".join(self.random.choices("0123456789*#ABCD", k=self.random.randint(1, 3)))
        name = self.random.choice(self.legs)
        self.studio.engine.send_digits(LegId(name), digits, self.random.choice((40, 100)), 40)

    def key(self) -> None:
        """By events, or by tones: a frame of either, or all of a digit."""
        name = self.random.choice(self.legs)
        party = self.studio.parties[name]
        if self.events[name] is not None:
            begin = party.timestamp
            for n in range(self.random.randint(1, 5)):
                self.send(
                    name, party.event_packet(5, 160 * party.scale * (n + 1), begin, end=n > 2)
                )
                self.step()
        elif party.codec_name in ("PCMU", "PCMA"):
            sender = ToneDigitSender("7", duration_ms=100, gap_ms=80)
            for _ in range(self.random.randint(1, 9)):
                law = LAW_OF_CODEC[party.codec]
                octets = ENCODE[law][sender.next_frame().view(np.uint16)].tobytes()
                self.send(name, party.packet(payload=octets))
                self.step(said=name)

    def speak(self) -> None:
        """Others than before speak from now on."""
        speaking = self.some(len(PITCHES))
        pitches = self.random.sample(PITCHES, len(PITCHES))
        for name, party in self.studio.parties.items():
            party.speaks = name in speaking
            if party.speaks:
                party.hertz = pitches[speaking.index(name)]

    def stand_still(self) -> None:
        """Ticks are left out."""
        self.studio.engine.wake(self.studio.now)
        self.studio.engine.tick(self.studio.now, self.random.randint(1, 3))
        self.take_events()

    # --- time -----------------------------------------------------------------------------------

    def send(self, name: str, packet: bytes) -> None:
        self.studio.parties[name].send(packet)
        self.sent[name] += 1

    def step(self, said: str = "") -> None:
        """A frame; `said` has sent its own already."""
        for name, party in self.studio.parties.items():
            if party.speaks:
                self.send(name, party.packet())
            elif name != said:
                party.timestamp += 160 * party.scale
        self.studio.step()
        self.take_events()

    def take_events(self) -> None:
        self.studio.events += self.studio.engine.next_events()
        for event in self.studio.events[self.told :]:
            self.hear_of(event)
        self.told = len(self.studio.events)

    def hear_of(self, event: MediaEvent) -> None:
        if isinstance(event, PlayerEnded):
            if not event.stopped:
                self.forget_player(event.player)
        else:
            assert event.leg in self.studio.parties, event

    def happen(self, act: Callable[[], None]) -> None:
        if self.legs or act == self.add:
            act()
        if self.random.random() < 0.5:
            self.step()

    def go_on(self, waves: Iterable[int], acts: int) -> None:
        """Come to so many legs, wave by wave, and do so many things after each."""
        for legs in waves:
            while len(self.legs) != legs:
                self.happen(self.add if len(self.legs) < legs else self.remove)
            self.speak()
            for _ in range(acts):
                self.happen(self.random.choice(self.usual))
            self.check()

    # --- what must be true ----------------------------------------------------------------------

    def check(self) -> None:
        """After a while without anything new everybody hears who should be heard, and nobody else."""
        quiet = 0
        while quiet < QUIET_FRAMES:
            self.step()
            legs = self.studio.engine._legs
            quiet = 0 if (legs.dialling & legs.active).any() else quiet + 1
        for name, party in self.studio.parties.items():
            if self.sending[name]:
                assert self.heard(party) == self.expected(name), (name, party.codec_name)

    def heard(self, party: Party) -> set[float]:
        sound = party.heard()[-LAST_FRAMES * FRAME_SAMPLES :]  # a decoder needs what was before
        return {hertz for hertz in (*PITCHES, MUSIC_HZ) if level_of(sound, hertz) > 800}

    def expected(self, name: str) -> set[float]:
        pitches = set()
        for listener, source in self.gains:
            if listener == name:
                party = self.studio.parties.get(source)
                if party is None:
                    pitches.add(MUSIC_HZ)
                elif party.speaks:
                    pitches.add(party.hertz)
        return pitches


def ids(names: Iterable[str]) -> list[LegId]:
    return [LegId(name) for name in names]


@pytest.mark.parametrize("seed", range(4))
def test_everybody_hears_who_should_be_heard(seed: int) -> None:
    Lives(seed).go_on(waves=(12, 3, 25, 8), acts=30)


@pytest.mark.parametrize("events", [101, None])
def test_tables_grow_and_rows_are_used_again_while_people_speak(events: int | None) -> None:
    lives = Lives(0)
    lives.kinds = (("PCMU", "PCMA", "G722"), (events,))
    lives.go_on(waves=(70, 5, 135), acts=10)
    assert lives.studio.engine._legs.capacity == 256
