"""How the packets of a frame leave: conversations at once, a thousand listeners of a song in parts."""

from __future__ import annotations

import itertools

from switch.ids import LegId, PlayerId
from switch.media.frame_sender import AT_ONCE
from switch.media.model import ToneItem
from tests.switch.media.studio import Studio, level_of

LISTENERS = 600
SONG = ToneItem((440.0,), 1000, -15.0)


def studio_with_a_song() -> Studio:
    studio = Studio()
    for i in range(LISTENERS):
        studio.add(f"l{i}").speaks = False
    studio.engine.play(PlayerId("song"), (SONG,), tuple(map(LegId, studio.parties)), loop=True)
    return studio


def sent(studio: Studio) -> list[int]:
    return [len(party.packets) for party in studio.parties.values()]


def test_the_listeners_of_a_song_are_sent_to_over_the_wakes_of_the_frame() -> None:
    studio = studio_with_a_song()
    studio.engine.tick(studio.now)
    assert sum(sent(studio)) == AT_ONCE
    for wakes in range(1, 5):
        studio.engine.wake(studio.now + wakes * 0.004)
        assert sum(sent(studio)) == AT_ONCE + min(wakes, 4) * (LISTENERS - AT_ONCE) // 4
    assert set(sent(studio)) == {1}


def test_each_listener_gets_each_frame_once_and_in_order_however_few_wakes_there_are() -> None:
    studio = studio_with_a_song()
    for _ in range(10):
        studio.engine.tick(studio.now)
        studio.engine.wake(studio.now)
        studio.now += 0.02
    studio.engine.wake(studio.now)
    for party in studio.parties.values():
        numbers = [packet.sequence for packet in party.packets]
        assert len(numbers) in (9, 10)
        steps = {(b - a) & 0xFFFF for a, b in itertools.pairwise(numbers)}
        assert steps == {1}
        assert level_of(party.heard(), 440.0) > 800


def test_a_mix_leaves_at_the_tick_before_any_song() -> None:
    studio = studio_with_a_song()
    studio.add("alice", 300.0)
    studio.add("bob", 700.0)
    studio.bridge("alice", "bob", gain=0.9)
    studio.step()
    studio.engine.tick(studio.now)
    assert len(studio.parties["alice"].packets) == len(studio.parties["bob"].packets) == 2


def test_a_leg_that_goes_before_its_turn_is_sent_nothing_more() -> None:
    studio = studio_with_a_song()
    studio.engine.tick(studio.now)
    waiting = [name for name, party in studio.parties.items() if not party.packets]
    row = studio.parties[waiting[0]].row
    studio.engine.remove_leg(LegId(waiting[0]))
    studio.engine.tick(studio.now + 0.02)
    assert row not in studio.wire.sent
