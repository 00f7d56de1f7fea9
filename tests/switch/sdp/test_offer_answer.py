import msgspec
import pytest
from aiosipua.sdp import parse_sdp, serialize_sdp
from hypothesis import given
from hypothesis import strategies as st

from switch.errors import LocalProtocolError, RemoteProtocolError
from switch.sdp.description import Direction, parse_description
from switch.sdp.negotiated_audio import NegotiatedAudio
from switch.sdp.negotiation_record import NegotiationRecord
from switch.sdp.offer_answer import AudioNegotiation

HEAD = "v=0\r\no=- 7 {version} IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"


def sdp(*media: str, address: str = "192.0.2.7", version: int = 7) -> bytes:
    head = HEAD.format(address=address, version=version)
    return (head + "".join(line + "\r\n" for line in media)).encode()


PCMU_ONLY = "m=audio 4000 RTP/AVP 0"


def ours(port: int = 16000) -> AudioNegotiation:
    return AudioNegotiation(session_id=1000, address="192.0.2.1", port=port)


def m_lines(text: bytes) -> list[str]:
    return [line for line in text.decode().split("\r\n") if line.startswith("m=")]


def version(text: bytes) -> int:
    return parse_description(text).session_version


def test_an_offer_lists_both_laws_and_events() -> None:
    offer = ours().make_offer()
    assert m_lines(offer) == ["m=audio 16000 RTP/AVP 0 8 101"]
    assert b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n" not in offer.split(b"m=")[0]
    assert b"a=fmtp:101 0-15\r\n" in offer
    assert b"a=sendrecv\r\n" in offer
    assert b"c=IN IP4 192.0.2.1\r\n" in offer


def test_two_sides_agree() -> None:
    caller = AudioNegotiation(session_id=5, address="192.0.2.9", port=4000, codecs=("PCMA",))
    callee = ours()
    heard, answer = callee.answer(caller.make_offer())
    said = caller.accept_answer(answer)
    assert heard == NegotiatedAudio(
        remote_address="192.0.2.9",
        remote_port=4000,
        codec="PCMA",
        payload_type=8,
        telephone_event_payload_type=101,
        send=True,
        receive=True,
        ptime_ms=20,
    )
    assert (said.remote_address, said.remote_port, said.codec) == ("192.0.2.1", 16000, "PCMA")
    assert callee.current == heard


def test_the_offerers_order_decides() -> None:
    audio, answer = ours().answer(sdp("m=audio 4000 RTP/AVP 18 8 0"))
    assert audio.codec == "PCMA"
    assert audio.telephone_event_payload_type is None
    assert m_lines(answer) == ["m=audio 16000 RTP/AVP 8"]


def test_the_offerers_event_number_is_mirrored_and_other_rates_are_not_ours() -> None:
    audio, answer = ours().answer(
        sdp(
            "m=audio 4000 RTP/AVP 0 96 127",
            "a=rtpmap:96 telephone-event/48000",
            "a=rtpmap:127 telephone-event/8000",
        )
    )
    assert audio.telephone_event_payload_type == 127
    assert m_lines(answer) == ["m=audio 16000 RTP/AVP 0 127"]
    assert b"a=fmtp:127 0-15\r\n" in answer


def test_a_dynamic_number_for_pcmu_is_taken_and_kept_in_later_offers() -> None:
    side = ours()
    audio, answer = side.answer(sdp("m=audio 4000 RTP/AVP 97", "a=rtpmap:97 pcmu/8000"))
    assert (audio.codec, audio.payload_type) == ("PCMU", 97)
    assert m_lines(answer) == ["m=audio 16000 RTP/AVP 97"]
    assert m_lines(side.make_offer()) == ["m=audio 16000 RTP/AVP 97 8 101"]


def test_an_odd_numbering_never_gives_one_number_two_meanings() -> None:
    side = ours()
    side.answer(sdp("m=audio 4000 RTP/AVP 8", "a=rtpmap:8 PCMU/8000"))
    assert m_lines(side.make_offer()) == ["m=audio 16000 RTP/AVP 8 101"]


def test_stereo_or_wideband_pcmu_is_not_our_codec() -> None:
    for rtpmap in ("PCMU/16000", "PCMU/8000/2"):
        with pytest.raises(RemoteProtocolError) as refused:
            ours().answer(sdp("m=audio 4000 RTP/AVP 97", f"a=rtpmap:97 {rtpmap}"))
        assert refused.value.status == 488


def test_every_m_line_is_answered_in_order() -> None:
    _, answer = ours().answer(
        sdp(
            "m=video 5000 RTP/AVP 34",
            "m=audio 5002 RTP/SAVP 0",
            "m=audio 5004 RTP/AVP 0",
            "m=audio 5006 RTP/AVP 8",
            "m=application 5008 UDP/BFCP *",
        )
    )
    assert m_lines(answer) == [
        "m=video 0 RTP/AVP 34",
        "m=audio 0 RTP/SAVP 0",
        "m=audio 16000 RTP/AVP 0",
        "m=audio 0 RTP/AVP 8",
        "m=application 0 UDP/BFCP *",
    ]


@pytest.mark.parametrize(
    "media",
    [
        (),
        ("m=video 5000 RTP/AVP 34",),
        ("m=audio 0 RTP/AVP 0",),
        ("m=audio 5000 RTP/AVP 18 9",),
        ("m=audio 5000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"),
        ("m=audio 5000 RTP/SAVP 0",),
        ("m=audio 5000 UDP/TLS/RTP/SAVPF 0",),
        ("m=audio 5000 RTP/AVP 0", "c=IN IP4 239.0.0.1/16"),
        ("m=audio 5000 RTP/AVP 0", "c=IN IP6 2001:db8::7"),
        ("m=audio 5000 RTP/AVP 0", "c=IN IP4 255.255.255.255"),
        ("m=audio 5000 RTP/AVP 0", "c=IN IP4 240.0.0.1"),
        ("m=audio 5000 RTP/AVP 0", "c=IN IP4 phone.example.com"),
        ("m=audio 5000 udp 0",),
    ],
)
def test_an_offer_without_audio_for_us_is_refused_with_488(media: tuple[str, ...]) -> None:
    side = ours()
    with pytest.raises(RemoteProtocolError) as refused:
        side.answer(sdp(*media))
    assert refused.value.status == 488
    assert side.current is None


@pytest.mark.parametrize(
    ("line", "address", "send", "receive", "answered"),
    [
        ("a=sendrecv", "192.0.2.7", True, True, "sendrecv"),
        ("a=sendonly", "192.0.2.7", False, True, "recvonly"),
        ("a=recvonly", "192.0.2.7", True, False, "sendonly"),
        ("a=inactive", "192.0.2.7", False, False, "inactive"),
        ("a=sendrecv", "0.0.0.0", False, False, "inactive"),
    ],
)
def test_hold(line: str, address: str, send: bool, receive: bool, answered: str) -> None:
    audio, answer = ours().answer(sdp("m=audio 4000 RTP/AVP 0", line, address=address))
    assert (audio.send, audio.receive) == (send, receive)
    assert audio.is_on_hold is not send
    assert f"a={answered}\r\n".encode() in answer


def test_we_can_want_less_than_is_offered() -> None:
    audio, answer = ours().answer(sdp("m=audio 4000 RTP/AVP 0"), direction=Direction.SENDONLY)
    assert (audio.send, audio.receive) == (True, False)
    assert b"a=sendonly\r\n" in answer


def test_the_version_rises_only_on_change() -> None:
    side = ours()
    offer = sdp("m=audio 4000 RTP/AVP 0")
    hold = sdp("m=audio 4000 RTP/AVP 0", "a=sendonly", version=8)
    first = version(side.answer(offer)[1])
    assert version(side.answer(offer)[1]) == first
    assert version(side.answer(hold)[1]) == first + 1
    assert version(side.answer(hold)[1]) == first + 1
    assert version(side.answer(offer)[1]) == first + 2


def test_our_later_offer_keeps_the_rejected_lines() -> None:
    side = ours()
    side.answer(sdp("m=video 5000 RTP/AVP 34", "m=audio 4000 RTP/AVP 8"))
    assert m_lines(side.make_offer()) == [
        "m=video 0 RTP/AVP 34",
        "m=audio 16000 RTP/AVP 8 0 101",
    ]


def test_a_later_offer_may_not_drop_lines() -> None:
    side = ours()
    before, _ = side.answer(sdp("m=audio 4000 RTP/AVP 8", "m=video 5000 RTP/AVP 34"))
    with pytest.raises(RemoteProtocolError):
        side.answer(sdp("m=audio 4000 RTP/AVP 0"))
    assert side.current == before


def test_a_refused_offer_of_ours_changes_nothing() -> None:
    side = ours()
    before, _ = side.answer(sdp("m=audio 4000 RTP/AVP 8"))
    side.make_offer(Direction.SENDONLY)
    with pytest.raises(LocalProtocolError):
        side.make_offer()
    with pytest.raises(LocalProtocolError):
        side.answer(sdp("m=audio 4000 RTP/AVP 8"))
    side.drop_offer()
    assert side.current == before
    side.answer(sdp("m=audio 4000 RTP/AVP 0"))


def test_an_answer_without_an_offer_is_our_fault() -> None:
    with pytest.raises(LocalProtocolError):
        ours().accept_answer(sdp("m=audio 4000 RTP/AVP 0"))


@pytest.mark.parametrize("media", [(), ("m=audio 0 RTP/AVP 0",), ("m=audio 4000 RTP/AVP 18",)])
def test_an_answer_that_takes_nothing_is_refused(media: tuple[str, ...]) -> None:
    side = ours()
    side.make_offer()
    with pytest.raises(RemoteProtocolError) as refused:
        side.accept_answer(sdp(*media))
    assert refused.value.status == 488


def test_the_answerers_first_codec_and_event_number_are_used() -> None:
    side = ours()
    side.make_offer()
    audio = side.accept_answer(
        sdp("m=audio 4000 RTP/AVP 8 0 96", "a=rtpmap:96 telephone-event/8000")
    )
    assert (audio.codec, audio.telephone_event_payload_type) == ("PCMA", 96)


def test_who_answers_sends_with_the_numbers_of_our_offer() -> None:
    side = AudioNegotiation(session_id=1, address="192.0.2.1", port=16000, codecs=("OPUS",))
    offer = side.make_offer()
    assert m_lines(offer) == ["m=audio 16000 RTP/AVP 111 110"]
    answer = sdp(
        "m=audio 4000 RTP/AVP 96 97",
        "a=rtpmap:96 opus/48000/2",
        "a=rtpmap:97 telephone-event/48000",
    )
    record = msgspec.convert(msgspec.to_builtins(side.record()), NegotiationRecord)
    for one in (side, AudioNegotiation.of_record(record)):
        audio = one.accept_answer(answer)
        assert (audio.payload_type, audio.telephone_event_payload_type) == (96, 97)
        assert (audio.received_payload_type, audio.received_event_payload_type) == (111, 110)
        record = msgspec.convert(msgspec.to_builtins(one.record()), NegotiationRecord)
        assert AudioNegotiation.of_record(record).current == audio
        assert m_lines(one.make_offer()) == m_lines(offer), "ours keep their meaning"


def test_numbers_that_are_the_same_both_ways_are_not_told_twice() -> None:
    side = ours()
    side.make_offer()
    audio = side.accept_answer(
        sdp("m=audio 4000 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000")
    )
    assert (audio.received_payload_type, audio.received_event_payload_type) == (None, None)
    audio, _ = side.answer(sdp("m=audio 4000 RTP/AVP 8 96", "a=rtpmap:96 telephone-event/8000"))
    assert (audio.received_payload_type, audio.received_event_payload_type) == (None, None)


CODECS = st.lists(st.sampled_from(["PCMU", "PCMA"]), min_size=1, max_size=2, unique=True)


@given(CODECS, CODECS, st.sampled_from(list(Direction)), st.sampled_from(list(Direction)))
def test_both_sides_always_agree_or_both_fail(
    offered: list[str], spoken: list[str], wanted: Direction, most: Direction
) -> None:
    caller = AudioNegotiation(session_id=1, address="192.0.2.1", port=4000, codecs=offered)
    callee = AudioNegotiation(session_id=2, address="192.0.2.2", port=5000, codecs=spoken)
    offer = caller.make_offer(wanted)
    try:
        theirs, answer = callee.answer(offer, direction=most)
    except RemoteProtocolError:
        assert not set(offered) & set(spoken)
        return
    mine = caller.accept_answer(answer)
    assert (mine.codec, mine.payload_type) == (theirs.codec, theirs.payload_type)
    assert (mine.send, mine.receive) == (theirs.receive, theirs.send)


@given(st.lists(st.sampled_from(["audio", "video", "text"]), min_size=1, max_size=6), st.data())
def test_an_answer_mirrors_any_offers_lines(kinds: list[str], data: st.DataObject) -> None:
    media = [
        f"m={kind} {data.draw(st.integers(0, 65535))} "
        f"{data.draw(st.sampled_from(['RTP/AVP', 'RTP/SAVP', 'TCP']))} "
        f"{data.draw(st.sampled_from(['0', '8 0', '18', '34']))}"
        for kind in kinds
    ]
    try:
        audio, answer = ours().answer(sdp(*media))
    except RemoteProtocolError:
        return
    answered = parse_description(answer).media
    assert [m.kind for m in answered] == kinds
    assert sum(m.port > 0 for m in answered) == 1
    assert audio.remote_port > 0


@given(
    st.sampled_from((PCMU_ONLY, "m=audio 4000 RTP/AVPF 8 0 97", "m=audio 4000 RTP/AVP 0 8")),
    st.lists(st.sampled_from(("m=video 9 RTP/AVP 31 34", "m=audio 0 RTP/AVP 0")), max_size=3),
    st.sampled_from(list(Direction)),
)
def test_an_independent_codec_writes_what_we_write(
    audio: str, others: list[str], direction: Direction
) -> None:
    events = "a=rtpmap:97 telephone-event/8000"
    negotiation = ours()
    written = [negotiation.answer(sdp(*others, audio, events), direction=direction)[1]]
    written.append(negotiation.make_offer(direction))
    for text in written:
        assert serialize_sdp(parse_sdp(text.decode())).encode() == text
