"""Commands as the call agent sends them, right and absurd, against an engine in memory."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from switch.gateway.commands import CommandRunner, event_of
from switch.gateway.framing import COMMANDS, EVENTS, FrameSplitter, encode_frame
from switch.gateway.protocol import (
    AddLeg,
    ConfigureLeg,
    LegRemoved,
    PlayerFinished,
    RemoveLeg,
    StopPlayer,
)
from switch.ids import LegId, PlayerId
from tests.switch.media.studio import Studio

NAMES = st.sampled_from(["a", "b", "c", "p", "q", ""])
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.integers(-5, 30000)
FLOATS = st.floats() | st.sampled_from([0.0, 0.5, 1.0])
ITEMS = st.one_of(
    st.fixed_dictionaries({"t": st.just("prompt"), "name": st.text(max_size=5)}),
    st.fixed_dictionaries(
        {
            "t": st.just("tone"),
            "frequencies_hz": st.lists(FLOATS, max_size=3),
            "duration_ms": NUMBERS,
            "level_dbov": FLOATS,
        }
    ),
    st.fixed_dictionaries({"t": st.just("silence"), "duration_ms": NUMBERS}),
)
LEGS = st.lists(NAMES, max_size=3)
COMMAND = st.one_of(
    st.fixed_dictionaries({"t": st.just("add_leg"), "leg": NAMES, "port": NUMBERS}),
    st.fixed_dictionaries(
        {
            "t": st.just("configure_leg"),
            "leg": NAMES,
            "remote_address": st.sampled_from(["192.0.2.1", "0.0.0.0", "::1", "x", ""]),
            "remote_port": NUMBERS,
            "codec": st.sampled_from(["PCMU", "PCMA", "pcmu", "opus", "G722", ""]),
            "payload_type": NUMBERS,
            "telephone_event_payload_type": st.none() | NUMBERS,
            "telephone_event_clock_rate": st.sampled_from([8000, 48000]) | NUMBERS,
            "max_bitrate": NUMBERS,
            "use_fec": st.booleans(),
            "send": st.booleans(),
            "receive": st.booleans(),
        }
    ),
    st.fixed_dictionaries({"t": st.just("remove_leg"), "leg": NAMES}),
    st.fixed_dictionaries({"t": st.just("watch_sound"), "leg": NAMES, "on": st.booleans()}),
    st.fixed_dictionaries(
        {
            "t": st.just("set_gains"),
            "gains": st.lists(st.tuples(st.just("gain"), NAMES, NAMES, FLOATS), max_size=4),
        }
    ),
    st.fixed_dictionaries(
        {
            "t": st.just("play"),
            "player": NAMES,
            "items": st.lists(ITEMS, max_size=3),
            "listeners": LEGS,
            "loop": st.booleans(),
        }
    ),
    st.fixed_dictionaries({"t": st.just("stop_player"), "player": NAMES}),
    st.fixed_dictionaries(
        {
            "t": st.just("send_digits"),
            "leg": NAMES,
            "digits": st.text("0123456789*#ABCDx", max_size=5),
            "duration_ms": NUMBERS,
            "gap_ms": NUMBERS,
        }
    ),
    st.fixed_dictionaries(
        {
            "t": st.just("start_recording"),
            "recording": NAMES,
            "path": st.sampled_from(["/x", "x", ""]),
            "left": LEGS,
            "right": LEGS,
        }
    ),
    st.fixed_dictionaries(
        {"t": st.just("set_recording_legs"), "recording": NAMES, "left": LEGS, "right": LEGS}
    ),
    st.fixed_dictionaries({"t": st.just("stop_recording"), "recording": NAMES}),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(COMMAND, max_size=25))
def test_any_commands_in_any_order_leave_the_engine_running(
    commands: list[dict[str, object]],
) -> None:
    studio = Studio()
    runner = CommandRunner(studio.engine)
    # Refusals are foreseen; what the boundary of the commands has to catch is a fault.
    faults: list[str] = []
    runner.on_fault = faults.append
    for number in range(2):
        studio.add("ab"[number], 400)
    studio.bridge("a", "b")
    for given_ in commands:
        command = COMMANDS.decode(msgspec.msgpack.encode(given_))
        for answer in runner.run(command, studio.now):
            EVENTS.decode(encode_frame(answer)[4:])
        studio.engine.wake(studio.now)
        studio.engine.tick(studio.now)
        studio.now += 0.02
        for event in studio.engine.next_events():
            EVENTS.decode(encode_frame(event_of(event))[4:])
    assert faults == []


def test_answers_carry_the_ids_of_what_they_concern() -> None:
    studio = Studio()
    runner = CommandRunner(studio.engine)
    leg = LegId("x")
    assert runner.run(AddLeg(leg=leg, port=20000), 1.0) == []
    configure = ConfigureLeg(
        leg=leg, remote_address="192.0.2.1", remote_port=4000, codec="PCMU", payload_type=0
    )
    assert runner.run(configure, 1.0) == []
    studio.step()
    (removed,) = runner.run(RemoveLeg(leg=leg), 1.0)
    assert isinstance(removed, LegRemoved)
    assert (removed.leg, removed.stats.packets_sent) == (leg, 1)
    assert runner.run(StopPlayer(player=PlayerId("none")), 1.0) == []


def test_frames_survive_being_cut_anywhere() -> None:
    event = PlayerFinished(player=PlayerId("p"), played_ms=5, missing=("a", "b"))
    stream = encode_frame(event) * 3
    for cut in range(len(stream)):
        splitter = FrameSplitter()
        bodies = splitter.feed(stream[:cut]) + splitter.feed(stream[cut:])
        assert [EVENTS.decode(body) for body in bodies] == [event] * 3
