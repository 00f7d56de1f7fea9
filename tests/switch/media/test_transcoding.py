"""Every codec with every other, by tones: bridges, music, echo, rooms, recordings."""

import itertools

import numpy as np
import pytest

from switch.ids import LegId, PlayerId, RecordingId
from switch.media.model import ToneItem
from tests.switch.media.studio import Studio, level_of

CODECS = ("PCMU", "PCMA", "G722", "OPUS")
ALIKE = ({"PCMU", "PCMA"}, {"G722"}, {"OPUS"})
PAIRS = list(itertools.product(CODECS, CODECS))
LOUD = 5000.0
"""Of 8000 that a party hums."""
QUIET = 250.0


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_hear_each_other_whatever_their_codecs(one: str, other: str) -> None:
    studio = Studio()
    studio.add("a", 700.0, codec=one)
    studio.add("b", 1300.0, codec=other)
    studio.bridge("a", "b")
    studio.run(60)
    for name, pitch, own in (("a", 1300.0, 700.0), ("b", 700.0, 1300.0)):
        heard = studio.parties[name].heard()[-4000:]
        assert level_of(heard, pitch) > LOUD
        assert level_of(heard, own) < QUIET


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_legs_of_one_codec_are_relayed_and_others_mixed(one: str, other: str) -> None:
    studio = Studio()
    a = studio.add("a", 700.0, codec=one)
    studio.add("b", 1300.0, codec=other)
    studio.bridge("a", "b")
    studio.run(5)
    assert studio.engine.is_relaying == any({one, other} <= alike for alike in ALIKE)
    before = len(studio.parties["b"].packets)
    a.send(a.packet())
    studio.engine.wake(studio.now)
    assert (len(studio.parties["b"].packets) > before) == studio.engine.is_relaying


def test_relayed_opus_stays_as_it_came() -> None:
    studio = Studio()
    a = studio.add("a", codec="OPUS")
    b = studio.add("b", codec="OPUS")
    studio.bridge("a", "b")
    studio.run(3)
    b.forget()
    payload = a.frame()
    stamps = []
    for _ in range(3):
        a.send(a.packet(payload=payload))
        studio.step()
        stamps.append(b.packets[-1].timestamp)
    assert [p.payload for p in b.packets] == [payload] * 3
    assert np.diff(stamps).tolist() == [960, 960]


@pytest.mark.parametrize("codec", CODECS)
def test_a_tone_from_a_player_is_heard(codec: str) -> None:
    studio = Studio()
    party = studio.add("a", codec=codec)
    tone = ToneItem(frequencies_hz=(900.0,), duration_ms=2000, level_dbov=-12.0)
    studio.engine.play(PlayerId("p"), [tone], [LegId("a")], loop=False)
    studio.run(60)
    assert level_of(party.heard()[-4000:], 900.0) > LOUD
    stamps = np.diff([p.timestamp for p in party.packets[1:]]) & 0xFFFFFFFF
    assert set(stamps.tolist()) == {160 * party.scale}


@pytest.mark.parametrize("codec", CODECS)
def test_an_echo_is_heard(codec: str) -> None:
    studio = Studio()
    party = studio.add("a", 1100.0, codec=codec)
    studio.hear("a", "a")
    studio.run(60)
    assert level_of(party.heard()[-4000:], 1100.0) > LOUD


@pytest.mark.parametrize("codec", CODECS)
def test_whoever_hears_nothing_is_sent_silence(codec: str) -> None:
    studio = Studio()
    party = studio.add("a", 1100.0, codec=codec)
    studio.run(60)
    assert len(party.packets) >= 59
    assert np.abs(party.heard()[-4000:].astype(int)).max() < 100


def test_a_room_of_all_codecs_hears_everybody_but_oneself() -> None:
    studio = Studio()
    for number, codec in enumerate(CODECS):
        studio.add(codec, 500.0 + 370.0 * number, codec=codec)
    for one, other in itertools.permutations(CODECS, 2):
        studio.hear(one, other, 0.7)
    studio.run(70)
    for name, party in studio.parties.items():
        heard = party.heard()[-4000:]
        for other, speaker in studio.parties.items():
            level = level_of(heard, speaker.hertz)
            assert level < QUIET if other == name else level > 3000.0, (name, other, level)


@pytest.mark.parametrize("codec", CODECS)
def test_recordings_of_relayed_legs_hold_both_sides(codec: str) -> None:
    studio = Studio()
    studio.add("a", 700.0, codec=codec)
    studio.add("b", 1300.0, codec=codec)
    studio.bridge("a", "b")
    studio.engine.start_recording(RecordingId("r"), "/r", [LegId("a")], [LegId("b")])
    studio.run(80)
    assert studio.engine.is_relaying
    studio.engine.stop_recording(RecordingId("r"))
    for side, pitch, other in ((0, 700.0, 1300.0), (1, 1300.0, 700.0)):
        sound = studio.sink.channel("r", side)[4000:12000]
        assert level_of(sound, pitch) > LOUD
        assert level_of(sound, other) < QUIET


def test_a_leg_changes_its_codec_in_a_bridge() -> None:
    studio = Studio()
    studio.add("a", 700.0)
    party = studio.add("b", 1300.0)
    studio.bridge("a", "b")
    studio.run(10)
    party.become("OPUS")
    studio.configure("b")
    studio.run(60)
    assert level_of(party.heard()[-4000:], 700.0) > LOUD
    assert level_of(studio.parties["a"].heard()[-4000:], 1300.0) > LOUD
    party.become("PCMA")
    studio.configure("b")
    studio.run(30)
    assert studio.engine.is_relaying
    assert level_of(party.heard()[-3200:], 700.0) > LOUD
    assert level_of(studio.parties["a"].heard()[-3200:], 1300.0) > LOUD


def test_packets_between_a_change_of_codec_and_the_tick_are_passed_over() -> None:
    studio = Studio()
    a = studio.add("a", 700.0)
    b = studio.add("b", 1300.0)
    studio.bridge("a", "b")
    studio.run(5)
    b.become("OPUS")
    studio.configure("b")
    before = len(b.packets)
    a.send(a.packet())
    b.send(b.packet())
    studio.engine.wake(studio.now)
    assert len(b.packets) == before


@pytest.mark.parametrize("milliseconds", [10, 20, 40, 60])
def test_packets_of_opus_of_any_length_are_heard(milliseconds: int) -> None:
    studio = Studio()
    studio.add("a", 700.0)
    party = studio.add("b", 1300.0, codec="OPUS")
    party.speaks = False
    studio.bridge("a", "b")
    for frame in range(90):
        for _ in range(max(1, 20 // milliseconds)):
            if frame % max(1, milliseconds // 20) == 0:
                party.send(party.packet(8 * milliseconds))
        studio.run(1)
    assert level_of(studio.parties["a"].heard()[-4000:], 1300.0) > LOUD


def test_short_packets_of_opus_fill_whole_blocks() -> None:
    studio = Studio()
    studio.add("a", 700.0)
    party = studio.add("b", 1300.0, codec="OPUS")
    party.speaks = False
    studio.bridge("a", "b")
    for _ in range(60):
        for _ in range(8):
            party.send(party.packet(20))
        studio.run(1)
    assert level_of(studio.parties["a"].heard()[-4000:], 1300.0) > LOUD


def test_lost_packets_of_opus_are_made_up_for() -> None:
    levels = []
    for loses in (False, True):
        studio = Studio()
        studio.add("a", 700.0)
        party = studio.add("b", 1300.0, codec="OPUS")
        party.speaks = False
        studio.bridge("a", "b")
        # Two packets at once keep enough ahead for a lost one to be made up for in time.
        for frame in range(0, 100, 2):
            for number in (frame, frame + 1):
                packet = party.packet()
                if not loses or number % 10 != 4:
                    party.send(packet)
            studio.run(2)
        levels.append(level_of(studio.parties["a"].heard()[-8000:], 1300.0))
    assert levels[1] > 0.75 * levels[0]


def test_a_late_packet_of_opus_is_counted_and_not_played() -> None:
    studio = Studio()
    studio.add("a", 700.0)
    party = studio.add("b", 1300.0, codec="OPUS")
    party.speaks = False
    studio.bridge("a", "b")
    packets = [party.packet() for _ in range(20)]
    packets[5], packets[6] = packets[6], packets[5]
    for packet in packets:
        party.send(packet)
        studio.run(1)
    assert studio.engine.remove_leg(LegId("b")).packets_late == 1


def test_states_of_opus_are_held_by_legs_at_work_alone() -> None:
    studio = Studio()
    for name in ("a", "b"):
        studio.add(name, codec="OPUS")
    studio.bridge("a", "b")
    studio.run(3)
    coders = studio.engine._coders.tables.coders
    assert not coders["decoder"].any()
    assert not coders["encoder"].any()
    studio.bridge("a", "b", 0.5)
    studio.run(3)
    assert np.count_nonzero(coders["decoder"]) == 2
    assert np.count_nonzero(coders["encoder"]) == 2
    studio.engine.remove_leg(LegId("a"))
    del studio.parties["a"]
    studio.run(1)
    assert np.count_nonzero(coders["encoder"]) == 0


def test_packets_that_are_no_opus_disturb_nobody() -> None:
    rng = np.random.default_rng(7)
    studio = Studio()
    studio.add("a", 700.0)
    party = studio.add("b", 1300.0, codec="OPUS")
    party.speaks = False
    studio.bridge("a", "b")
    for length in (0, 1, 2, 3, 7, 40, 160, 500, 1000, *rng.integers(0, 1000, 300).tolist()):
        party.send(party.packet(payload=rng.bytes(length)))
        studio.run(1)
    for _ in range(60):
        party.send(party.packet())
        studio.run(1)
    assert level_of(studio.parties["a"].heard()[-4000:], 1300.0) > LOUD


@pytest.mark.parametrize("codec", CODECS)
def test_payloads_of_any_length_disturb_nobody(codec: str) -> None:
    studio = Studio()
    studio.add("a", 700.0, codec="PCMU" if codec != "PCMU" else "OPUS")
    party = studio.add("b", 1300.0, codec=codec)
    studio.bridge("a", "b")
    for length in range(0, 1010, 7):
        party.send(party.packet(payload=bytes([length % 251]) * length))
        studio.run(1)
    studio.run(80)
    assert level_of(studio.parties["a"].heard()[-4000:], 1300.0) > LOUD
