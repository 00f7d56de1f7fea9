"""INFO: digits in the forms that are about, and what is refused (RFC 6086)."""

import pytest

from switch.errors import LocalProtocolError
from switch.sip.events import DigitInfo
from switch.sip.info_digits import digit_in
from switch.sip.message import Response
from tests.switch.sip_sessions.test_call import in_dialog, invite
from tests.switch.sip_sessions.wire import ANSWER, Wire, established, forget

RELAY = "application/dtmf-relay"
PLAIN = "application/dtmf"


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        (RELAY, b"Signal=5\r\nDuration=160\r\n", ("5", 160)),
        (RELAY, b"Signal= 5\nDuration= 160", ("5", 160)),
        (RELAY, b"signal=#\r\nduration=100\r\n\r\n", ("#", 100)),
        (RELAY, b"Signal=*", ("*", 250)),
        (RELAY, b"Duration=90\rSignal=d\r", ("D", 90)),
        (RELAY, b"Signal=10\r\nDuration=0\r\n", ("*", 250)),
        (RELAY, b"Signal=11\r\nDuration=99999999\r\n", ("#", 60_000)),
        (RELAY, b"Signal=15\r\n", ("D", 250)),
        (RELAY, b"Signal=16\r\n", None),
        (RELAY, b"Signal=flash\r\n", None),
        (PLAIN, b"7", ("7", 250)),
        (PLAIN, b"12\r\n", ("A", 250)),
        (PLAIN, b"16", None),
        (PLAIN, b"99\n", None),
        (PLAIN, b"Signal=3\r\nDuration=80", ("3", 80)),
    ],
)
def test_a_digit_is_read(kind: str, body: bytes, expected: tuple[str, int] | None) -> None:
    assert digit_in(kind, body) == expected


@pytest.mark.parametrize(
    "body",
    [
        b"Duration=5",
        b"Signal=",
        b"Signal=55555",
        b"Signal=x",
        b"Signal=1\r\nDuration=long",
        b"\xff\xfe\x00",
        b"Signal=1\r\n" + b"x" * 500,
        "Signal=\u0665".encode(),
    ],
)
def test_what_is_no_digit_is_told(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        digit_in(RELAY, body)


def sent_info(wire: Wire, kind: str, body: bytes, extra: bytes = b"") -> Response:
    found = next(m for n, m in wire.sent if n == "b" and m.body == ANSWER)
    assert isinstance(found, Response)
    data = in_dialog(found, "INFO", len(wire.sent) + 5, body)
    data = data.replace(b"application/sdp", kind.encode()).replace(b"CSeq:", extra + b"CSeq:", 1)
    wire.inject(wire.b, data)
    last = wire.sent[-1][1]
    assert isinstance(last, Response)
    return last


def test_a_digit_is_sent_and_reported() -> None:
    wire = Wire()
    a, b = established(wire)
    wire.a.ua.send_info(a, "#", wire.now, duration_ms=120)
    wire.run(0.1)
    assert wire.b.log[-1] == DigitInfo(session=b, digit="#", duration_ms=120)
    assert wire.methods("b")[-1] == "200 INFO"
    with pytest.raises(LocalProtocolError, match="digit"):
        wire.a.ua.send_info(a, "12", wire.now)
    wire.a.ua.end(a, wire.now)
    wire.a.ua.send_info(a, "1", wire.now)
    wire.assert_quiet()


def test_a_flash_is_taken_and_means_nothing() -> None:
    wire = Wire()
    established(wire)
    before = len(wire.b.log)
    assert sent_info(wire, PLAIN, b"16").status == 200
    assert len(wire.b.log) == before


def test_other_contents_are_refused_with_what_we_read() -> None:
    wire = Wire()
    established(wire)
    refused = sent_info(wire, "application/media_control+xml", b"<media_control/>")
    assert refused.status == 415
    assert refused.headers.get("Accept") == f"{RELAY}, {PLAIN}"
    assert sent_info(wire, RELAY, b"Signal=?").status == 400
    assert sent_info(wire, RELAY, b"Signal=1", b"Content-Encoding: gzip\r\n").status == 415


def test_info_packages_are_refused_as_such() -> None:
    wire = Wire()
    established(wire)
    refused = sent_info(wire, RELAY, b"Signal=1", b"Info-Package: foo\r\n")
    assert refused.status == 469
    assert refused.headers.get("Recv-Info") == ""


def test_info_outside_of_a_call_is_refused() -> None:
    wire = Wire()
    data = invite(body=b"Signal=1\r\n").replace(b"INVITE", b"INFO")
    wire.inject(wire.b, data.replace(b"application/sdp", RELAY.encode()))
    last = wire.sent[-1][1]
    assert isinstance(last, Response)
    assert last.status == 481
    assert wire.b.log == []


def test_a_peer_that_lost_the_call_is_noticed_by_a_digit() -> None:
    wire = Wire()
    a, b = established(wire)
    forget(wire.b, b)
    wire.a.ua.send_info(a, "1", wire.now)
    wire.run(0.1)
    assert wire.a.names()[-1] == "Ended"
    wire.assert_quiet()


def test_a_digit_that_cannot_be_sent_does_not_end_the_call() -> None:
    wire = Wire()
    a, _ = established(wire)
    wire.a.ua.send_info(a, "1", wire.now)
    wire.a.endpoint.transport_failed(wire.a.flow_to(wire.b.address), "gone", wire.now)
    wire.run()
    assert wire.a.names() == ["Answered"]
    wire.a.ua.end(a, wire.now)
    wire.assert_quiet()
