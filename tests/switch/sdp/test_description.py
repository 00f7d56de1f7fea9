from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.errors import RemoteProtocolError
from switch.sdp.description import (
    MAX_OCTETS,
    Description,
    Direction,
    parse_afresh,
    parse_description,
)

PHONE = (
    b"v=0\r\no=- 3724394400 3724394401 IN IP4 192.0.2.7\r\ns=call\r\nc=IN IP4 192.0.2.7\r\n"
    b"b=AS:84\r\nt=0 0\r\na=sendonly\r\n"
    b"m=audio 4000 RTP/AVP 96 8 0 101\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:30\r\n"
    b"m=video 4002 RTP/AVP 34\r\nc=IN IP4 192.0.2.8\r\na=inactive\r\n"
)


def test_a_phones_description_is_read() -> None:
    description = parse_description(PHONE)
    audio, video = description.media
    assert (description.session_id, description.session_version) == (3724394400, 3724394401)
    assert [(c.payload_type, c.name, c.clock_rate, c.channels) for c in audio.codecs] == [
        (96, "OPUS", 48000, 2),
        (8, "PCMA", 8000, 1),
        (0, "PCMU", 8000, 1),
        (101, "TELEPHONE-EVENT", 8000, 1),
    ]
    assert (audio.address, audio.port, audio.ptime_ms) == ("192.0.2.7", 4000, 30)
    assert audio.direction is Direction.SENDONLY  # of the session
    assert (video.address, video.direction) == ("192.0.2.8", Direction.INACTIVE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"v=0", b"v=1"),
        (b"v=0\r\n", b""),
        (b"o=- 3724394400", b"o=- minus"),
        (b"o=- 3724394400 3724394401 IN IP4 192.0.2.7\r\n", b""),
        (b"s=call", b"s call"),
        (b"s=call", b"s=ca\x0bll"),
        (b"s=call", b"s=call\xc2\x85m=audio 1 RTP/AVP 0"),
        (b"s=call", b"s=\xff\xfe"),
        (b"t=0 0", b"t=0 now"),
        (b"AS:84", b"AS:lots"),
        (b"audio 4000", b"audio 65536"),
        (b"audio 4000", b"audio -1"),
        (b"audio 4000", b"audio \xd9\xa4\xd9\xa0"),
        (b"RTP/AVP 96 8 0 101", b"RTP/AVP"),
        (b"RTP/AVP 96 8 0 101", b"RTP/AVP 128"),
        (b"RTP/AVP 96 8 0 101", b"RTP/AVP zero"),
        (b"RTP/AVP 96 8 0 101", b"RTP/AVP " + b"1" * 5000),
        (b"RTP/AVP 96 8 0 101", b"RTP/AVP " + b"0 " * 65),
        (b"c=IN IP4 192.0.2.7", b"c=IN IP4"),
        (b"c=IN IP4 192.0.2.7\r\n", b""),
        (b"s=call", b"s=call\r\n" + b"a=x\r\n" * 500),
        (b"s=call", b"s=" + b"x" * MAX_OCTETS),
        (b"a=inactive", b"a=inactive\r\n" + b"m=audio 4 RTP/AVP 0\r\n" * 20),
    ],
)
def test_what_is_not_sdp_is_refused_with_400(old: bytes, new: bytes) -> None:
    assert old in PHONE
    with pytest.raises(RemoteProtocolError) as refused:
        parse_description(PHONE.replace(old, new, 1))
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("address", "seen", "on_hold"),
    [
        (b"IP4 0.0.0.0", "0.0.0.0", True),
        (b"IP6 ::", "::", True),
        (b"IP6 2001:db8::1", "2001:db8::1", False),
        (b"IP4 224.2.1.1/127", None, False),
        (b"IP4 239.1.1.1", None, False),
        (b"IP4 255.255.255.255", None, False),
        (b"IP4 240.0.0.1", None, False),
        (b"IP6 ff02::1", None, False),
        (b"IP6 ::1", "::1", False),
        (b"IP4 phone.example.com", None, False),
        (b"IP4 999.1.1.1", None, False),
    ],
)
def test_addresses(address: bytes, seen: str | None, on_hold: bool) -> None:
    media = parse_description(PHONE.replace(b"IP4 192.0.2.7\r\nb", address + b"\r\nb")).media[0]
    assert (media.address, media.is_on_hold_by_address) == (seen, on_hold)


def test_bare_line_feeds_and_missing_optional_lines_are_tolerated() -> None:
    text = b"v=0\no=- 1 1 IN IP4 192.0.2.7\nm=audio 9 RTP/AVP 0\nc=IN IP4 192.0.2.7\n\n"
    assert parse_description(text).media[0].codecs[0].name == "PCMU"


def test_an_m_line_may_be_spaced_out_and_count_its_ports() -> None:
    text = PHONE.replace(b"m=audio 4000 RTP/AVP 96 8", b"m=Audio  4000/2 RTP/AVP  96 8 ")
    audio = parse_description(text).media[0]
    assert (audio.kind, audio.port, audio.formats) == ("audio", 4000, ("96", "8", "0", "101"))


@pytest.mark.parametrize("rtpmap", [b"96 opus", b"x opus/48000", b"", b"96", b"96 o p u s/1/2/3/4"])
def test_an_rtpmap_that_cannot_be_read_names_no_codec(rtpmap: bytes) -> None:
    """RFC 4475 writes `31 LPC` for a video that nobody wants: no reason to refuse the audio."""
    text = PHONE.replace(b"rtpmap:96 opus/48000/2", b"rtpmap:" + rtpmap)
    audio = parse_description(text).media[0]
    assert audio.formats == ("96", "8", "0", "101")
    assert [codec.name for codec in audio.codecs] == ["", "PCMA", "PCMU", "TELEPHONE-EVENT"]


@given(st.binary(max_size=400))
def test_any_octets_parse_or_are_refused(body: bytes) -> None:
    _parse_or_refuse(body)


@given(st.data())
def test_a_damaged_description_parses_or_is_refused(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(PHONE)))
    end = data.draw(st.integers(start, min(len(PHONE), start + 20)))
    _parse_or_refuse(PHONE[:start] + data.draw(st.binary(max_size=12)) + PHONE[end:])


@given(st.lists(st.text(alphabet="vosctmab=: 0159/.\t-RTPAVPIN4udio", max_size=40), max_size=30))
def test_lines_that_look_like_sdp_parse_or_are_refused(lines: list[str]) -> None:
    _parse_or_refuse("\r\n".join(["v=0", "o=- 1 1 IN IP4 192.0.2.7", *lines]).encode())


def test_what_is_remembered_of_a_peer_leaves_its_numbers_alone() -> None:
    for number in (1, 9, 65_535):
        text = PHONE.replace(b"4000", str(number).encode()).replace(b"3724394401", b"%d" % number)
        found = parse_description(text)
        assert (found.media[0].port, found.media[1].port) == (number, 4002)
        assert (found.session_id, found.session_version) == (3724394400, number)


@given(
    st.sampled_from((b"0", b"1", b"007", b"4000", b"65535", b"65536", b"99999", b"123456")),
    st.sampled_from((b"0", b"00", b"1", b"9" * 19, b"9" * 20, b"9" * 21, b"x", b"")),
    st.sampled_from((b"IP4 192.0.2.9", b"IP6 2001:db8::1", b"IP4 0.0.0.0", b"IP4 name", b"")),
)
def test_the_remembered_and_the_fresh_reading_agree(
    port: bytes, number: bytes, address: bytes
) -> None:
    text = PHONE.replace(b"4000", port).replace(b"3724394401", number)
    _parse_or_refuse(text.replace(b"c=IN IP4 192.0.2.7", b"c=IN " + address))


def _outcome(parse: Callable[[bytes], Description], body: bytes) -> Description | str:
    try:
        return parse(body)
    except RemoteProtocolError as error:
        return f"{error.status} {error}"


def _parse_or_refuse(body: bytes) -> None:
    assert _outcome(parse_description, body) == _outcome(parse_afresh, body)
    with suppress(RemoteProtocolError):
        for media in parse_description(body).media:
            assert 0 <= media.port <= 65535
            assert all(0 <= codec.payload_type <= 127 for codec in media.codecs)
