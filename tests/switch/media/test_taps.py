from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from switch.ids import LegId, RecordingId
from switch.media.errors import MediaCommandError
from switch.media.tail_layout import BLOCK_FRAMES
from tests.switch.media.studio import FRAME_S, Studio, level_of

R = RecordingId("r")


def legs(*names: str) -> tuple[LegId, ...]:
    return tuple(LegId(name) for name in names)


def talk(codecs: tuple[str, str] = ("PCMU", "PCMU")) -> Studio:
    studio = Studio()
    studio.add("caller", 500, codec=codecs[0])
    studio.add("agent", 700, codec=codecs[1])
    studio.bridge("caller", "agent")
    studio.run(5)
    return studio


@pytest.mark.parametrize("codecs", [("PCMU", "PCMU"), ("PCMA", "PCMU"), ("PCMA", "PCMA")])
def test_left_and_right_hold_the_right_parties_and_every_frame(codecs: tuple[str, str]) -> None:
    studio = talk(codecs)
    studio.engine.start_recording(R, "/x", legs("caller"), legs("agent"))
    studio.run(60)
    studio.engine.stop_recording(R)
    left, right = studio.sink.channel("r", 0), studio.sink.channel("r", 1)
    assert len(left) == len(right) == 60 * 160
    assert level_of(left[800:], 500) > 7000
    assert level_of(left[800:], 700) < 200
    assert level_of(right[800:], 700) > 7000
    assert level_of(right[800:], 500) < 200
    assert studio.sink.closed == [R]
    assert studio.sink.calls == 3  # a short block, one of 0.7 s and the rest
    # The bridge is relayed all the while.
    assert studio.pitches("caller") == {"agent"}


def test_recordings_begun_at_different_ticks_are_each_complete() -> None:
    studio = talk()
    for i in range(40):
        studio.engine.start_recording(RecordingId(f"r{i}"), "/x", legs("caller"), legs("agent"))
        studio.run(1)
    studio.run(30)
    for i in range(40):
        studio.engine.stop_recording(RecordingId(f"r{i}"))
        assert len(studio.sink.channel(f"r{i}", 0)) == (70 - i) * 160


def test_recordings_that_begin_together_are_handed_on_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    studio = talk()
    for i in range(2 * BLOCK_FRAMES):
        studio.engine.start_recording(RecordingId(f"r{i}"), "/x", legs("caller"), legs("agent"))
    studio.run(BLOCK_FRAMES)
    blocks: list[int] = []
    append = studio.sink.append

    def count(recordings: Sequence[RecordingId], block: NDArray[np.uint8]) -> None:
        blocks.append(len(recordings))
        append(recordings, block)

    monkeypatch.setattr(studio.sink, "append", count)
    studio.run(BLOCK_FRAMES)
    assert blocks == [2] * BLOCK_FRAMES
    for i in range(2 * BLOCK_FRAMES):
        studio.engine.stop_recording(RecordingId(f"r{i}"))
        assert len(studio.sink.channel(f"r{i}", 0)) == 2 * BLOCK_FRAMES * 160


def test_several_legs_are_mixed_into_a_channel() -> None:
    studio = talk()
    studio.add("second", 900, codec="PCMA")
    studio.engine.start_recording(R, "/x", legs("caller"), legs("agent", "second", "agent"))
    studio.run(60)
    studio.engine.stop_recording(R)
    right = studio.sink.channel("r", 1)[1600:]
    assert level_of(right, 700) == pytest.approx(8000, rel=0.1)
    assert level_of(right, 900) == pytest.approx(8000, rel=0.1)
    assert level_of(right, 500) < 200


def test_legs_can_change_while_it_runs_and_nobody_is_silence() -> None:
    studio = talk()
    studio.add("second", 900)
    studio.engine.start_recording(R, "/x", legs("caller"), ())
    studio.run(50)
    studio.engine.set_recording_legs(R, legs("caller"), legs("second"))
    studio.run(50)
    studio.engine.stop_recording(R)
    right = studio.sink.channel("r", 1)
    assert not right[: 50 * 160].any()
    assert level_of(right[55 * 160 :], 900) > 7000
    assert level_of(studio.sink.channel("r", 0)[800:], 500) > 7000


def test_a_leg_that_is_removed_feeds_silence() -> None:
    studio = talk()
    studio.engine.start_recording(R, "/x", legs("caller"), legs("agent"))
    studio.run(25)
    studio.engine.remove_leg(LegId("agent"))
    del studio.parties["agent"]
    studio.run(25)
    studio.engine.stop_recording(R)
    right = studio.sink.channel("r", 1)
    assert level_of(right[800:4000], 700) > 7000
    assert not right[4000:].any()


def test_a_recording_outlives_its_legs_until_it_is_stopped() -> None:
    studio = talk()
    studio.engine.start_recording(R, "/x", legs("caller"), legs("agent"))
    for name in ("caller", "agent"):
        studio.engine.remove_leg(LegId(name))
    studio.parties.clear()
    studio.run(10)
    assert not studio.engine.is_idle
    studio.engine.stop_recording(R)
    assert len(studio.sink.channel("r", 0)) == 1600
    assert studio.engine.recordings == ()


def test_lost_packets_leave_no_hole_in_the_time() -> None:
    studio = talk()
    studio.engine.start_recording(R, "/x", legs("caller"), legs("agent"))
    caller = studio.parties["caller"]
    for n in range(100):
        packet = caller.packet()
        studio.step([packet if n % 10 else None, studio.parties["agent"].packet()])
    studio.engine.stop_recording(R)
    left = studio.sink.channel("r", 0)
    assert len(left) == 16000
    assert level_of(left, 500) > 6000


def test_a_standstill_of_the_engine_costs_no_frame_of_a_recording() -> None:
    studio = talk()
    studio.engine.start_recording(R, "/x", legs("caller"), legs("agent"))
    studio.run(50)
    for party in studio.parties.values():  # half a second passes, the packets wait
        for _ in range(25):
            party.send(party.packet())
    studio.now += 25 * FRAME_S
    studio.engine.tick(studio.now, left_out=24)
    studio.run(25)
    studio.engine.stop_recording(R)
    left = studio.sink.channel("r", 0)
    assert len(left) == 100 * 160
    sound = left[1600:].reshape(-1, 160).astype(int)
    assert (abs(sound).max(axis=1) > 7000).all()  # no silent and no faded frame
    assert level_of(left[1600:], 500) > 7900  # and no break in the phase
    assert studio.pitches("caller") == {"agent"}


def test_wrong_recording_commands_are_refused() -> None:
    studio = talk()
    studio.engine.start_recording(R, "/x", legs("caller", "nobody"), ())
    with pytest.raises(MediaCommandError):
        studio.engine.start_recording(R, "/y", (), ())
    with pytest.raises(MediaCommandError):
        studio.engine.set_recording_legs(RecordingId("other"), (), ())
    studio.engine.stop_recording(RecordingId("other"))
    studio.run(3)
    studio.engine.stop_recording(R)
    assert len(studio.sink.channel("r", 0)) == 480


def test_a_sink_that_fails_once_costs_a_block_and_touches_no_other_recording(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    studio = talk()
    other = RecordingId("other")
    studio.engine.start_recording(R, "/x", legs("caller"), legs("caller"))
    studio.engine.start_recording(other, "/y", legs("agent"), legs("agent"))
    studio.run(35)
    append = studio.sink.append

    def fail(recordings: Sequence[RecordingId], block: NDArray[np.uint8]) -> None:
        monkeypatch.setattr(studio.sink, "append", append)
        raise OSError("no room")

    monkeypatch.setattr(studio.sink, "append", fail)
    with pytest.raises(OSError, match="no room"):
        studio.run(1)
    studio.run(30)
    kept = studio.sink.kept
    assert (kept.ends - kept.begins)[:2].tolist() == [66 - BLOCK_FRAMES, 66]
    for recording, frames in ((R, 66 - BLOCK_FRAMES), (other, 66)):
        studio.engine.stop_recording(recording)
        assert len(studio.sink.channel(recording, 0)) == frames * 160
    assert level_of(studio.sink.channel(R, 0), 500) > 7000
    assert level_of(studio.sink.channel(other, 0), 500) < 200
