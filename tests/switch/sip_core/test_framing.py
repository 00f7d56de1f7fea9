"""Messages cut out of a stream, however the stream was cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.sip.framing import FramingError, StreamFramer
from switch.sip.limits import MessageLimits


def message(body: bytes = b"", length: str = "Content-Length") -> bytes:
    return b"OPTIONS sip:a SIP/2.0\r\nVia: x\r\n%s: %d\r\n\r\n%s" % (
        length.encode(),
        len(body),
        body,
    )


MESSAGES = st.lists(st.builds(message, st.binary(max_size=40)), max_size=6)
GAPS = st.sampled_from([b"", b"\r\n", b"\r\n\r\n", b"\r\n\r\n\r\n", b"\r\n\r\n\r\n\r\n"])


@given(MESSAGES, GAPS, st.lists(st.integers(0, 600), max_size=20))
def test_any_split_gives_the_same_messages_and_pongs(
    messages: list[bytes], gap: bytes, cuts: list[int]
) -> None:
    stream = b"".join(gap + m for m in messages)
    whole = StreamFramer()
    assert whole.feed(stream) == messages
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    split = StreamFramer()
    got = [m for a, b in pairwise(edges) for m in split.feed(stream[a:b])]
    assert got == messages
    assert split.buffered == 0
    assert split.take_pongs() == whole.take_pongs()


def test_octet_by_octet() -> None:
    framer = StreamFramer()
    stream = b"\r\n\r\n" + message(b"abc") + message(b"")
    got = [m for octet in stream for m in framer.feed(bytes([octet]))]
    assert got == [message(b"abc"), message(b"")]


def test_a_double_crlf_is_a_ping_a_single_one_is_not() -> None:
    framer = StreamFramer()
    framer.feed(b"\r\n\r\n" * 3)
    assert framer.take_pongs() == 3
    assert framer.take_pongs() == 0
    assert framer.feed(b"\r\n" + message()) == [message()]
    assert framer.take_pongs() == 0


def test_the_compact_form_counts() -> None:
    assert StreamFramer().feed(message(b"abc", "l")) == [message(b"abc", "l")]


@pytest.mark.parametrize(
    ("head", "fault", "status"),
    [
        (b"OPTIONS sip:a SIP/2.0\r\nVia: x\r\n\r\n", "no Content-Length", 400),
        (b"A\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "contradict", 400),
        (b"A\r\nContent-Length: 1\r\nl: 2\r\n\r\n", "contradict", 400),
        (b"A\r\nContent-Length: -1\r\n\r\n", "no number", 400),
        (b"A\r\nContent-Length: 1x\r\n\r\n", "no number", 400),
        (b"A\r\nContent-Length:\r\n\r\n", "no number", 400),
        (b"A\r\nContent-Length: 99999999999\r\n\r\n", "a body of", 413),
        (b"A\r\nContent-Length: 999999\r\n\r\n", "a body of", 413),
        (b"x" * 17_000, "head", 513),
        (b"x" * 17_000 + b"\r\n\r\n", "head", 513),
    ],
)
def test_what_cannot_be_framed_is_refused(head: bytes, fault: str, status: int) -> None:
    with pytest.raises(FramingError, match=fault) as refused:
        StreamFramer().feed(message(b"abc") + b"\r\n" + head)
    assert refused.value.status == status
    assert refused.value.before == [message(b"abc")], "what stood before it is as good as ever"
    assert refused.value.head == head[:16_384]


def test_an_endless_sender_is_cut_off_at_the_limit() -> None:
    framer = StreamFramer(MessageLimits(max_head=1000))
    line = b"X-Endless: yes\r\n"
    for _ in range(1000 // len(line)):
        assert framer.feed(line) == []
    with pytest.raises(FramingError):
        framer.feed(line)
    assert framer.buffered < 1100


def test_many_messages_at_once_are_all_cut_out() -> None:
    assert len(StreamFramer().feed(message(b"abc") * 1000)) == 1000
