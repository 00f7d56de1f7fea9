"""Codecs beyond G.711 in offers and answers: clock rates, numbers, parameters, order."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.sdp.codecs import ALL_CODECS, KNOWN, known_names, offered_numbers, opus_parameters
from switch.sdp.description import parse_description
from switch.sdp.negotiation_record import NegotiationRecord
from switch.sdp.offer_answer import AudioNegotiation
from tests.switch.sdp.test_offer_answer import m_lines, sdp

BROWSER = (
    "m=audio 4000 RTP/AVP 111 9 0 8 110 126",
    "a=rtpmap:111 opus/48000/2",
    "a=fmtp:111 minptime=10;useinbandfec=1;maxaveragebitrate=20000",
    "a=rtpmap:9 G722/8000",
    "a=rtpmap:110 telephone-event/48000",
    "a=rtpmap:126 telephone-event/8000",
)


def ours(*codecs: str) -> AudioNegotiation:
    return AudioNegotiation(
        session_id=1000, address="192.0.2.1", port=16000, codecs=codecs or ALL_CODECS
    )


def test_an_offer_of_all_codecs_names_clocks_channels_and_parameters() -> None:
    offer = ours().make_offer()
    assert m_lines(offer) == ["m=audio 16000 RTP/AVP 0 8 9 111 101 110"]
    text = offer.decode()
    for line in (
        "a=rtpmap:9 G722/8000",
        "a=rtpmap:111 opus/48000/2",
        "a=fmtp:111 minptime=10;useinbandfec=1",
        "a=rtpmap:101 telephone-event/8000",
        "a=rtpmap:110 telephone-event/48000",
        "a=fmtp:110 0-15",
    ):
        assert line + "\r\n" in text


def test_opus_is_taken_with_its_own_events_and_parameters() -> None:
    audio, answer = ours().answer(sdp(*BROWSER))
    assert (audio.codec, audio.payload_type) == ("OPUS", 111)
    assert (audio.telephone_event_payload_type, audio.telephone_event_clock_rate) == (110, 48000)
    assert (audio.max_bitrate, audio.use_fec) == (20000, True)
    assert m_lines(answer) == ["m=audio 16000 RTP/AVP 111 110"]
    assert b"a=rtpmap:110 telephone-event/48000\r\n" in answer


def test_g722_is_taken_with_events_at_its_rtp_clock() -> None:
    audio, answer = ours("g722").answer(sdp(*BROWSER))
    assert (audio.codec, audio.payload_type) == ("G722", 9)
    assert (audio.telephone_event_payload_type, audio.telephone_event_clock_rate) == (126, 8000)
    assert m_lines(answer) == ["m=audio 16000 RTP/AVP 9 126"]


def test_opus_beside_events_at_8000_alone_takes_those() -> None:
    audio, answer = ours().answer(
        sdp(
            "m=audio 4000 RTP/AVP 97 101",
            "a=rtpmap:97 opus/48000",
            "a=rtpmap:101 telephone-event/8000",
        )
    )
    assert (audio.payload_type, audio.telephone_event_clock_rate) == (97, 8000)
    assert b"a=rtpmap:97 opus/48000/2\r\n" in answer
    assert b"a=rtpmap:101 telephone-event/8000\r\n" in answer


def test_events_at_another_clock_than_g711s_are_not_taken() -> None:
    audio, _ = ours().answer(sdp("m=audio 4000 RTP/AVP 0 96", "a=rtpmap:96 telephone-event/48000"))
    assert audio.telephone_event_payload_type is None


def test_where_digits_go_in_the_sound_no_events_are_agreed() -> None:
    side = AudioNegotiation(
        session_id=1000, address="192.0.2.1", port=16000, codecs=ALL_CODECS, takes_events=False
    )
    assert m_lines(side.make_offer()) == ["m=audio 16000 RTP/AVP 0 8 9 111"]
    side.drop_offer()
    audio, answer = side.answer(sdp(*BROWSER))
    assert audio.telephone_event_payload_type is None
    assert m_lines(answer) == ["m=audio 16000 RTP/AVP 111"]
    again = AudioNegotiation.of_record(side.record())
    assert again.make_offer() == side.make_offer()


@pytest.mark.parametrize("rtpmap", ["opus/8000", "opus/48000/6", "G722/16000", "G722/8000/2"])
def test_wrong_rates_and_channels_are_passed_over(rtpmap: str) -> None:
    audio, _ = ours().answer(sdp("m=audio 4000 RTP/AVP 97 8", f"a=rtpmap:97 {rtpmap}"))
    assert audio.codec == "PCMA"


def test_the_offerers_order_decides_between_wideband_and_g711() -> None:
    for numbers, codec in (("0 9", "PCMU"), ("9 0", "G722")):
        assert ours().answer(sdp(f"m=audio 4000 RTP/AVP {numbers}"))[0].codec == codec


def test_a_later_offer_keeps_the_numbers_of_the_session() -> None:
    side = ours()
    side.answer(
        sdp(
            "m=audio 4000 RTP/AVP 101 111",
            "a=rtpmap:101 opus/48000/2",
            "a=rtpmap:111 telephone-event/48000",
        )
    )
    offer = side.make_offer()
    assert m_lines(offer) == ["m=audio 16000 RTP/AVP 101 0 8 9 111 96"]
    assert b"a=rtpmap:96 telephone-event/8000\r\n" in offer


def test_two_of_us_agree_on_the_first_of_the_offer() -> None:
    for first in ALL_CODECS:
        caller, callee = ours(first, *ALL_CODECS), ours()
        heard, answer = callee.answer(caller.make_offer())
        said = caller.accept_answer(answer)
        assert heard.codec == said.codec == first
        assert heard.telephone_event_payload_type == said.telephone_event_payload_type
        assert said.telephone_event_clock_rate == KNOWN[first].clock_rate


def test_a_record_brings_back_codecs_and_coding() -> None:
    side = ours("PCMU", "OPUS")
    side.answer(sdp(*BROWSER))
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(side.record()), type=NegotiationRecord)
    again = AudioNegotiation.of_record(kept)
    assert again.current == side.current
    assert again.make_offer() == side.make_offer()


def test_a_record_of_an_earlier_version_speaks_g711() -> None:
    side = AudioNegotiation(session_id=1000, address="192.0.2.1", port=16000)
    side.answer(sdp("m=audio 4000 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/8000"))
    whole = msgspec.msgpack.decode(msgspec.msgpack.encode(side.record()))
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(whole[:10]), type=NegotiationRecord)
    again = AudioNegotiation.of_record(kept)
    assert again.current == side.current
    assert again.make_offer() == side.make_offer()


@pytest.mark.parametrize(
    ("text", "bitrate", "fec"),
    [
        ("", 0, False),
        ("useinbandfec=1", 0, True),
        ("MaxAverageBitrate = 16000 ; useinbandfec=0", 16000, False),
        ("maxaveragebitrate=5999", 0, False),
        ("maxaveragebitrate=99999999", 0, False),
        ("maxaveragebitrate=²²²²²", 0, False),
        (";;==;useinbandfec;=1", 0, False),
    ],
)
def test_parameters_of_opus(text: str, bitrate: int, fec: bool) -> None:
    assert opus_parameters(text) == (bitrate, fec)


def test_parameters_belong_to_their_media() -> None:
    first, second = parse_description(
        sdp(
            "m=audio 4000 RTP/AVP 96", "a=rtpmap:96 opus/48000/2", "a=fmtp:96 a=1", "a=fmtp:96 b=2",
            "a=fmtp:700 c", "a=fmtp:", "m=audio 4002 RTP/AVP 96", "a=rtpmap:96 opus/48000/2",
        )
    ).media  # fmt: skip
    assert (first.codecs[0].parameters, second.codecs[0].parameters) == ("a=1", "")


def test_an_unknown_codec_is_told_with_those_we_speak() -> None:
    with pytest.raises(ValueError, match=r"'GSM'.*PCMU, PCMA, G722, opus"):
        known_names(("opus", "gsm"))


@given(
    names=st.lists(st.sampled_from(ALL_CODECS), min_size=1, unique=True),
    in_use=st.dictionaries(st.sampled_from(ALL_CODECS), st.integers(0, 127), max_size=2),
    events=st.dictionaries(st.sampled_from([8000, 48000]), st.integers(0, 127), max_size=2),
)
def test_no_number_has_two_meanings(
    names: list[str], in_use: dict[str, int], events: dict[int, int]
) -> None:
    if len(set(in_use.values())) < len(in_use) or len(set(events.values())) < len(events):
        return
    codecs, sent_events = offered_numbers(names, in_use, events)
    numbers = [number for _, number in (*codecs, *sent_events)]
    assert len(set(numbers)) == len(numbers)
    assert all(0 <= number < 128 for number in numbers)
