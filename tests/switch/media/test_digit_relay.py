"""Digits pass through bridges and rooms, whichever way each peer keys and listens."""

from __future__ import annotations

import numpy as np
import pytest

from switch.ids import LegId
from switch.media import digits
from switch.media.codecs import DECODE, ENCODE, PCMU
from switch.media.digit_tones import ToneDigitSender, amplitude_of
from switch.media.events import DigitEnded
from switch.rtp.telephone_event import DIGITS, TelephoneEventReceiver
from tests.switch.media.studio import Party, Studio, level_of
from tests.switch.media.test_tone_digits import heard


def key_by_events(studio: Studio, party: Party, digits: str, *, milliseconds: int = 100) -> None:
    """The party keys, and everybody else speaks on."""
    for digit in digits:
        begin = party.timestamp
        frames = milliseconds // 20
        for n in range(frames + 2):
            duration = min(n + 1, frames) * 160 * party.scale
            party.send(
                party.event_packet(DIGITS.index(digit), duration, begin, end=n >= frames - 1)
            )
            studio.run(1)
            party.timestamp += 160 * party.scale
        for _ in range(3):
            studio.run(1)


def key_by_tones(studio: Studio, party: Party, digits: str) -> None:
    sender = ToneDigitSender(digits, duration_ms=100, gap_ms=80)
    while not sender.is_done:
        octets = ENCODE[PCMU][sender.next_frame().view(np.uint16)].tobytes()
        party.send(party.packet(payload=octets))
        studio.run(1)


def events_to(party: Party, scale: int = 1) -> str:
    """The digits that a party was sent as events, as its phone takes them."""
    phone = TelephoneEventReceiver(8000 * scale)
    found = []
    for n, packet in enumerate(party.packets):
        if packet.payload_type == 101:
            found += phone.receive(packet.payload, packet.timestamp, n * 0.02)
    for digit in found:
        assert 60 <= digit.duration_ms <= 200
    return "".join(digit.digit for digit in found)


def tones_to(party: Party) -> str:
    return heard(party.heard().astype(np.float64))


def pair(gain: float, one: int | None, other: int | None, codec: str = "PCMU") -> Studio:
    studio = Studio()
    studio.add("a", 700.0, events=one)
    studio.add("b", 500.0, events=other, codec=codec)
    studio.bridge("a", "b", gain)
    for party in studio.parties.values():
        party.speaks = False
    studio.run(3)
    return studio


@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_events_reach_a_leg_with_events_once(gain: float) -> None:
    studio = pair(gain, 101, 101)
    key_by_events(studio, studio.parties["a"], "17#")
    studio.run(40)
    assert events_to(studio.parties["b"]) == "17#"
    assert [e.digit for e in studio.events if isinstance(e, DigitEnded)] == list("17#")


@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_events_reach_a_leg_without_as_tones(gain: float) -> None:
    studio = pair(gain, 101, None)
    key_by_events(studio, studio.parties["a"], "95")
    studio.run(40)
    assert tones_to(studio.parties["b"]) == "95"


@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_tones_reach_a_leg_with_events_as_events_and_not_as_sound(gain: float) -> None:
    studio = pair(gain, None, 101)
    key_by_tones(studio, studio.parties["a"], "3*")
    studio.run(40)
    assert events_to(studio.parties["b"]) == "3*"
    sound = studio.parties["b"].heard().astype(np.float64)
    # What is relayed is on its way before it is recognised: at most 60 ms of each 100.
    assert np.count_nonzero(np.abs(sound) > 500) < 2 * 8 * (60 if gain == 1.0 else 35)
    if gain != 1.0:
        assert heard(sound) == ""
    assert [e.digit for e in studio.events if isinstance(e, DigitEnded)] == list("3*")


@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_tones_between_two_without_events_stay_in_the_sound(gain: float) -> None:
    studio = pair(gain, None, None)
    key_by_tones(studio, studio.parties["a"], "42")
    studio.run(40)
    assert tones_to(studio.parties["b"]) == "42"


def tell_by_signalling(studio: Studio, leg: str) -> Party:
    party = studio.parties[leg]
    studio.engine.configure_leg(
        LegId(leg), remote=("192.0.2.1", 4000 + party.row), codec="PCMU", payload_type=0,
        event_type=None, digits_elsewhere=True, send=True, receive=True, now=studio.now,
    )  # fmt: skip
    studio.run(3)
    return party


@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_a_peer_that_keys_by_signalling_keys_nothing_by_the_tone_beside(gain: float) -> None:
    """Each digit would be keyed twice."""
    studio = pair(gain, None, 101)
    key_by_tones(studio, tell_by_signalling(studio, "a"), "3*")
    studio.run(40)
    assert [e for e in studio.events if isinstance(e, DigitEnded)] == []
    assert events_to(studio.parties["b"]) == ""


@pytest.mark.parametrize("by_tones", [True, False])
@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_a_peer_that_is_told_by_signalling_gets_neither_events_nor_tones(
    gain: float, by_tones: bool
) -> None:
    studio = pair(gain, None if by_tones else 101, None)
    b = tell_by_signalling(studio, "b")
    (key_by_tones if by_tones else key_by_events)(studio, studio.parties["a"], "3*")
    studio.run(40)
    assert [e.digit for e in studio.events if isinstance(e, DigitEnded)] == list("3*")
    assert events_to(b) == ""
    sound = b.heard().astype(np.float64)
    # What is relayed is on its way before it is recognised, as above.
    assert np.count_nonzero(np.abs(sound) > 500) < 2 * 8 * (60 if gain == 1.0 else 35)


def test_digits_beyond_those_that_may_wait_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digits, "MAX_QUEUED_DIGITS", 2)
    studio = pair(0.5, 101, None)
    b = studio.parties["b"]
    for digit in "12345":
        studio.engine._digits.queue(b.row, digit, 100, 80)
    assert studio.engine.digits_dropped == 3
    studio.run(40)
    assert tones_to(b) == "12"


def test_events_cross_between_clocks() -> None:
    studio = pair(1.0, 101, 101, codec="OPUS")
    a, b = studio.parties["a"], studio.parties["b"]
    key_by_events(studio, a, "86")
    studio.run(30)
    assert events_to(b, 6) == "86"
    key_by_events(studio, b, "50")
    studio.run(30)
    assert events_to(a) == "50"
    assert [e.digit for e in studio.events if isinstance(e, DigitEnded)] == list("8650")


def test_relayed_events_have_durations_at_the_listeners_clock() -> None:
    studio = Studio()
    studio.add("a", codec="OPUS")
    b = studio.add("b", codec="OPUS")
    studio.bridge("a", "b")
    studio.engine.configure_leg(
        LegId("b"), remote=("192.0.2.1", 4000 + b.row), codec="OPUS", payload_type=111,
        event_type=101, event_rate=8000, send=True, receive=True, now=studio.now,
    )  # fmt: skip
    studio.run(3)
    b.forget()
    a = studio.parties["a"]
    for duration in (960, 9600):
        a.send(a.event_packet(1, duration, a.timestamp))
        studio.engine.wake(studio.now)
    sent = [int.from_bytes(p.payload[2:4]) for p in b.packets if p.payload_type == 101]
    assert sent == [160, 1600]


def test_a_room_is_told_in_everybodys_own_way() -> None:
    studio = Studio()
    for number, (name, events, codec) in enumerate(
        [("a", 101, "PCMU"), ("b", 101, "OPUS"), ("c", None, "PCMA"), ("d", None, "G722")]
    ):
        studio.add(name, 400.0 + 100 * number, events=events, codec=codec)
    for one in "abcd":
        for other in "abcd":
            if one != other:
                studio.hear(one, other, 0.8)
    for party in studio.parties.values():
        party.speaks = False
    studio.run(3)
    key_by_events(studio, studio.parties["a"], "7")
    studio.run(30)
    assert events_to(studio.parties["b"], 6) == "7"
    assert tones_to(studio.parties["c"]) == tones_to(studio.parties["d"]) == "7"
    assert events_to(studio.parties["a"]) == ""


def test_who_echoes_is_not_told_of_its_own_digits() -> None:
    studio = Studio()
    party = studio.add("a", events=None)
    party.speaks = False
    studio.hear("a", "a", 0.9)
    studio.run(3)
    key_by_tones(studio, party, "6")
    studio.run(30)
    assert tones_to(party) == "6"


def test_a_flood_of_digits_is_bounded() -> None:
    studio = pair(0.5, 101, 101)
    a = studio.parties["a"]
    for n in range(400):
        a.send(a.event_packet(n % 16, 800, a.timestamp + 800 * n, end=True))
        studio.engine.wake(studio.now)
    studio.run(5)
    assert studio.engine._digits._senders[studio.parties["b"].row].waiting <= 64


def test_speech_goes_on_while_digits_are_hushed() -> None:
    studio = pair(0.5, None, 101)
    a = studio.parties["a"]
    key_by_tones(studio, a, "1")
    a.speaks = True
    studio.run(50)
    assert level_of(studio.parties["b"].heard()[-4000:], 700.0) > 3000
    assert amplitude_of(-7.0) > 3000
    assert DECODE[PCMU].max() > 32000


@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_a_leg_that_agrees_on_events_while_a_tone_sounds_is_heard_again(gain: float) -> None:
    studio = pair(gain, None, 101)
    a = studio.parties["a"]
    sender = ToneDigitSender("5", duration_ms=200, gap_ms=80)
    for _ in range(6):
        octets = ENCODE[PCMU][sender.next_frame().view(np.uint16)].tobytes()
        a.send(a.packet(payload=octets))
        studio.run(1)
    assert studio.engine._legs.table["hushed"][a.row]
    studio.configure("a", events=101)
    a.speaks = True
    studio.run(40)
    assert level_of(studio.parties["b"].heard()[-4000:], 700.0) > 1500


@pytest.mark.parametrize("codec", ["PCMU", "G722", "OPUS"])
def test_tones_are_sent_in_the_codec_of_a_leg_that_is_relayed_to(codec: str) -> None:
    """Where it hears another of its codec nothing else is encoded for it."""
    studio = Studio()
    studio.add("a", 700.0, codec=codec)
    studio.add("b", 500.0, codec=codec, events=None)
    studio.bridge("a", "b")
    for party in studio.parties.values():
        party.speaks = False
    studio.run(3)
    key_by_events(studio, studio.parties["a"], "95")
    studio.run(40)
    assert tones_to(studio.parties["b"]) == "95"


@pytest.mark.parametrize(
    ("codec", "events", "other_codec", "other_events"),
    [
        ("PCMU", 101, "PCMU", None),
        ("PCMU", None, "PCMU", 101),
        ("OPUS", 101, "PCMU", 101),
        ("PCMU", 101, "OPUS", 101),
        ("OPUS", 101, "OPUS", None),
    ],
)
def test_digits_that_are_not_begun_go_the_way_that_is_agreed_on_meanwhile(
    codec: str, events: int | None, other_codec: str, other_events: int | None
) -> None:
    studio = Studio()
    party = studio.add("a", 700.0, codec=codec, events=events)
    party.speaks = False
    studio.run(2)
    studio.engine.send_digits(LegId("a"), "123", 100, 100)
    studio.run(4)
    party.become(other_codec)
    studio.configure("a", events=other_events)
    party.forget()
    studio.run(40)
    assert {p.payload_type for p in party.packets} <= {party.payload_type, 101}
    assert (tones_to(party) if other_events is None else events_to(party, party.scale)) == "23"
    assert len(party.packets[-1].payload) == len(party.packets[-2].payload)  # sound again
    assert party.packets[-1].payload_type == party.payload_type
