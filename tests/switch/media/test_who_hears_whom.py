from __future__ import annotations

import itertools

import numpy as np
import pytest

from switch.ids import LegId, PlayerId
from switch.media.errors import MediaCommandError
from switch.media.events import PlayerEnded
from switch.media.legs import FIRST_ROWS
from switch.media.model import SilenceItem, ToneItem
from tests.switch.media.studio import Studio, level_of

MUSIC = ToneItem((2000.0,), 1000, -15.0)


def contiguous(studio: Studio, name: str) -> None:
    packets = studio.parties[name].packets
    assert len({p.ssrc for p in packets}) == 1
    steps = {(b.sequence - a.sequence) & 0xFFFF for a, b in itertools.pairwise(packets)}
    assert steps <= {1}
    times = {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in itertools.pairwise(packets)}
    assert times <= {160}


@pytest.mark.parametrize("codecs", [("PCMU", "PCMU"), ("PCMA", "PCMA"), ("PCMU", "PCMA")])
@pytest.mark.parametrize("gain", [1.0, 0.5], ids=["relayed", "mixed"])
def test_two_bridged_parties_hear_each_other_and_nothing_else(
    codecs: tuple[str, str], gain: float
) -> None:
    studio = Studio()
    studio.add("caller", 500, codec=codecs[0])
    studio.add("agent", 700, codec=codecs[1])
    studio.bridge("caller", "agent", gain)
    studio.run(60)
    assert studio.pitches("caller") == {"agent"}
    assert studio.pitches("agent") == {"caller"}
    heard = studio.parties["agent"].heard(40)
    assert level_of(heard, 500) == pytest.approx(8000 * gain, rel=0.05)
    contiguous(studio, "caller")
    contiguous(studio, "agent")


def test_a_relayed_packet_leaves_at_the_wake_that_finds_it() -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    agent = studio.add("agent", 700)
    studio.bridge("caller", "agent")
    studio.run(2)
    agent.forget()
    packet = caller.packet()
    caller.send(packet)
    studio.engine.wake(studio.now)
    assert [p.payload for p in agent.packets] == [packet[12:]]


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_three_parties_hear_the_other_two(codec: str) -> None:
    studio = Studio()
    for name, hertz in (("a", 400), ("b", 650), ("c", 900)):
        studio.add(name, hertz, codec=codec)
    for one, other in (("a", "b"), ("b", "c"), ("a", "c")):
        studio.bridge(one, other)
    studio.run(60)
    assert studio.pitches("a") == {"b", "c"}
    assert studio.pitches("b") == {"a", "c"}
    assert studio.pitches("c") == {"a", "b"}
    contiguous(studio, "a")


def test_a_monitor_hears_both_and_is_heard_by_nobody() -> None:
    studio = Studio()
    for name, hertz in (("caller", 400), ("agent", 650), ("supervisor", 900)):
        studio.add(name, hertz)
    studio.bridge("caller", "agent")
    studio.hear("supervisor", "caller")
    studio.hear("supervisor", "agent")
    studio.run(60)
    assert studio.pitches("supervisor") == {"caller", "agent"}
    assert studio.pitches("caller") == {"agent"}
    assert studio.pitches("agent") == {"caller"}


def test_a_whisper_reaches_the_agent_alone() -> None:
    studio = Studio()
    for name, hertz in (("caller", 400), ("agent", 650), ("supervisor", 900)):
        studio.add(name, hertz)
    studio.bridge("caller", "agent")
    studio.hear("agent", "supervisor")
    studio.run(60)
    assert studio.pitches("agent") == {"caller", "supervisor"}
    assert studio.pitches("caller") == {"agent"}
    assert studio.pitches("supervisor") == set()


def test_one_source_relayed_to_several_listeners() -> None:
    studio = Studio()
    studio.add("speaker", 500)
    for i in range(5):
        studio.add(f"listener{i}", 1000 + 100 * i, codec="PCMA" if i % 2 else "PCMU")
        studio.hear(f"listener{i}", "speaker")
    studio.run(40)
    for i in range(5):
        assert studio.pitches(f"listener{i}") == {"speaker"}
        contiguous(studio, f"listener{i}")


def test_an_echo_is_a_gain_to_itself() -> None:
    studio = Studio()
    studio.add("caller", 500)
    studio.hear("caller", "caller")
    studio.run(40)
    assert studio.pitches("caller") == {"caller"}


def test_a_muted_party_is_not_heard_and_still_hears() -> None:
    studio = Studio()
    studio.add("caller", 500)
    studio.add("agent", 700)
    studio.bridge("caller", "agent")
    studio.run(20)
    studio.hear("caller", "agent", 0.0)
    studio.run(40)
    assert studio.pitches("caller") == set()
    assert studio.pitches("agent") == {"caller"}
    contiguous(studio, "caller")


def test_hold_gives_music_and_resume_restores_without_a_gap_in_the_numbers() -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    studio.add("agent", 700)
    studio.bridge("caller", "agent")
    studio.run(30)
    studio.bridge("caller", "agent", 0.0)
    studio.engine.play(PlayerId("music"), (MUSIC,), (LegId("caller"),), loop=True)
    studio.run(40)
    assert level_of(caller.heard(20), 2000) > 3000
    assert studio.pitches("caller") == set()
    assert studio.pitches("agent") == set()
    studio.engine.stop_player(PlayerId("music"))
    studio.bridge("caller", "agent")
    studio.run(40)
    assert studio.pitches("caller") == {"agent"}
    assert level_of(caller.heard(20), 2000) < 100
    contiguous(studio, "caller")
    contiguous(studio, "agent")


def test_music_and_a_voice_are_mixed() -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    studio.add("agent", 700)
    studio.engine.play(PlayerId("music"), (MUSIC,), (LegId("caller"),), loop=True)
    studio.bridge("caller", "agent")
    studio.run(40)
    assert studio.pitches("caller") == {"agent"}
    assert level_of(caller.heard(20), 2000) > 3000


def test_one_looping_player_feeds_many_legs_of_both_codecs() -> None:
    studio = Studio()
    for i in range(100):
        studio.add(f"leg{i}", codec="PCMA" if i % 2 else "PCMU")
    studio.engine.play(
        PlayerId("music"), (MUSIC,), tuple(LegId(f"leg{i}") for i in range(100)), loop=True
    )
    studio.run(60)
    for i in (0, 1, 98, 99):
        heard = studio.parties[f"leg{i}"].heard(50)
        assert level_of(heard, 2000) > 3000
        contiguous(studio, f"leg{i}")
    assert not studio.events


def test_a_conference_of_many_listeners_shares_its_mixes() -> None:
    studio = Studio()
    speakers = [f"speaker{i}" for i in range(3)]
    for i, name in enumerate(speakers):
        studio.add(name, 400 + 200 * i)
    for i in range(30):
        studio.add(f"listener{i}", 3000, codec="PCMA" if i % 3 == 0 else "PCMU").speaks = False
    for listener in studio.parties:
        for speaker in speakers:
            if speaker != listener:
                studio.hear(listener, speaker)
    studio.run(40)
    for i in range(30):
        assert studio.pitches(f"listener{i}") == set(speakers)
    assert studio.pitches("speaker0") == {"speaker1", "speaker2"}


def test_many_can_speak_at_once() -> None:
    studio = Studio()
    names = [f"p{i}" for i in range(24)]
    for i, name in enumerate(names):
        studio.add(name, 300 + 50 * i, codec="PCMA" if i % 2 else "PCMU")
    for listener in names:
        for speaker in names:
            if listener != speaker:
                studio.hear(listener, speaker, 0.15)
    studio.run(50)
    sound = studio.parties["p3"].heard(40)
    levels = {name: level_of(sound, studio.parties[name].hertz) for name in names}
    assert levels.pop("p3") < 200
    assert all(level == pytest.approx(1200, rel=0.2) for level in levels.values())


def test_loud_sounds_are_limited_and_do_not_wrap() -> None:
    studio = Studio()
    studio.add("listener", 3000).speaks = False
    for name in "abcdef":
        studio.add(name, 500)
        studio.hear("listener", name, 2.0)
    studio.run(40)
    heard = studio.parties["listener"].heard(20).astype(np.int32)
    assert abs(heard).max() > 32000
    assert abs(np.diff(heard)).max() < 40000  # a wrapped sum jumps by 65536


def test_a_leg_that_hears_nothing_is_sent_silence_and_without_a_peer_nothing() -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    studio.engine.add_leg(LegId("new"), 30000, studio.now)
    studio.run(10)
    assert len(caller.packets) == 10
    assert not caller.heard().any()
    assert caller.packets[0].marker
    assert studio.wire.sent[1] == []


def test_a_leg_that_does_not_want_to_hear_is_sent_nothing() -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    studio.add("agent", 700)
    studio.bridge("caller", "agent")
    studio.configure("caller", send=False)
    studio.run(20)
    assert caller.packets == []
    assert studio.pitches("agent") == {"caller"}


def test_a_bridged_leg_whose_peer_falls_silent_is_sent_silence_until_it_speaks() -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    agent = studio.add("agent", 700)
    studio.bridge("caller", "agent")
    studio.run(20)
    agent.speaks = False
    caller.forget()
    studio.run(50)
    assert 35 <= len(caller.packets) <= 50
    assert not caller.heard().any()
    agent.speaks = True
    studio.run(30)
    assert studio.pitches("caller") == {"agent"}
    packets = caller.packets
    assert {(b.sequence - a.sequence) & 0xFFFF for a, b in itertools.pairwise(packets)} == {1}


def test_a_new_source_behind_the_same_leg_keeps_the_listeners_stream_whole() -> None:
    studio = Studio()
    studio.add("caller", 500)
    agent = studio.add("agent", 700)
    studio.bridge("caller", "agent")
    studio.run(20)
    agent.ssrc, agent.sequence, agent.timestamp = 77, 4711, 12345
    studio.run(20)
    contiguous(studio, "caller")
    assert studio.pitches("caller") == {"agent"}


def test_a_removed_leg_is_heard_by_nobody_and_its_row_is_used_again() -> None:
    studio = Studio()
    studio.add("caller", 500)
    studio.add("agent", 700)
    studio.bridge("caller", "agent")
    studio.run(20)
    totals = studio.engine.remove_leg(LegId("agent"))
    del studio.parties["agent"]
    assert totals.packets_received == 20
    assert totals.packets_sent == 19  # the bridge began with the first tick
    studio.run(30)
    assert studio.pitches("caller") == set()
    late = studio.add("late", 900)
    assert late.row == 1
    studio.bridge("caller", "late")
    studio.run(30)
    assert studio.pitches("caller") == {"late"}
    assert studio.pitches("late") == {"caller"}


def test_a_leg_for_which_the_tables_had_to_grow_may_speak_before_the_next_tick() -> None:
    studio = Studio()
    for number in range(FIRST_ROWS):
        studio.add(f"leg-{number}")
    studio.bridge("leg-0", "leg-1")
    studio.run(3)
    late, early = studio.add("late"), studio.parties["leg-0"]
    heard = len(studio.parties["leg-1"].packets)
    late.send(late.packet())
    early.send(early.packet())
    assert studio.engine.wake(studio.now) == 2
    assert len(studio.parties["leg-1"].packets) == heard + 1


def test_hundreds_of_legs_come_and_go() -> None:
    studio = Studio()
    for i in range(150):
        studio.add(f"a{i}", 500)
        studio.add(f"b{i}", 900)
        studio.bridge(f"a{i}", f"b{i}")
    studio.run(12)
    for i in (0, 77, 149):
        assert studio.pitches(f"a{i}", 10) == {name for name in studio.parties if name[0] == "b"}
    for name in tuple(studio.parties):
        totals = studio.engine.remove_leg(LegId(name))
        assert totals.packets_lost == 0
    studio.parties.clear()
    studio.step()
    assert studio.engine.is_idle


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"codec": "G729"}, "G729"),
        ({"payload_type": 128}, "128"),
        ({"event_type": -1}, "-1"),
        ({"remote": ("192.0.2.1", 0)}, "port"),
    ],
)
def test_a_wrong_configuration_is_refused_and_says_why(
    change: dict[str, object], reason: str
) -> None:
    studio = Studio()
    studio.add("caller")
    values: dict[str, object] = {
        "remote": ("192.0.2.1", 4000), "codec": "PCMU", "payload_type": 0, "event_type": 101,
        "send": True, "receive": True, "now": studio.now,
    }  # fmt: skip
    with pytest.raises(MediaCommandError, match=reason):
        studio.engine.configure_leg(LegId("caller"), **(values | change))  # type: ignore[arg-type]


def test_commands_for_what_does_not_exist_are_refused() -> None:
    studio = Studio()
    studio.add("caller")
    engine = studio.engine
    with pytest.raises(MediaCommandError):
        engine.remove_leg(LegId("nobody"))
    with pytest.raises(MediaCommandError):
        engine.set_gain(LegId("nobody"), LegId("caller"), 1.0)
    with pytest.raises(MediaCommandError):
        engine.set_gain(LegId("caller"), LegId("nobody"), 1.0)
    engine.set_gain(LegId("caller"), PlayerId("over"), 0.0)
    with pytest.raises(MediaCommandError):
        engine.add_leg(LegId("caller"), 30000, studio.now)
    with pytest.raises(MediaCommandError):
        engine.add_leg(LegId("other"), 20000, studio.now)  # the port is taken
    engine.stop_player(PlayerId("never"))
    studio.run(3)


def test_gains_that_are_no_numbers_are_none() -> None:
    studio = Studio()
    studio.add("caller", 500)
    studio.add("agent", 700)
    studio.hear("caller", "agent", float("nan"))
    studio.hear("agent", "caller", 1e30)
    studio.run(20)
    assert studio.pitches("caller") == set()


def test_a_player_that_ends_says_how_long_it_played_and_leaves_the_bridge() -> None:
    studio = Studio()
    studio.add("caller", 500)
    studio.add("agent", 700)
    studio.bridge("caller", "agent")
    items = (ToneItem((1500.0,), 200, -15.0), SilenceItem(100))
    assert studio.engine.play(
        PlayerId("beep"), items, (LegId("caller"), LegId("nobody")), loop=False
    ) == (LegId("nobody"),)
    studio.run(60)
    assert studio.events == [
        PlayerEnded(player=PlayerId("beep"), played_ms=300, stopped=False, missing=())
    ]
    assert studio.pitches("caller") == {"agent"}
    contiguous(studio, "caller")
