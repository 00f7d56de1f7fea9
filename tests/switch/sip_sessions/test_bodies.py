"""Bodies in wrappings: SDP within multipart, parts that must and that may be understood (RFC 5621)."""

from __future__ import annotations

import pytest

from switch.sip.bodies import settle_body
from switch.sip.events import Invited
from switch.sip.headers import Headers
from switch.sip.message import Request, Response
from tests.switch.sip_sessions.test_call import in_dialog, invite, is_response
from tests.switch.sip_sessions.test_renegotiation import last, uas_session
from tests.switch.sip_sessions.wire import ANSWER, OFFER, Wire

SDP_PART = b"Content-Type: application/sdp\r\n\r\n" + OFFER
LOCATION = b"Content-Type: application/pidf+xml\r\nContent-ID: <x@example.com>\r\n\r\n<presence/>"
ISUP = (
    b"Content-Type: application/ISUP;version=itu-t92+\r\n"
    b"Content-Disposition: signal;handling=optional\r\n\r\n\x01\x00--\x1e\r\n\x80"
)
REQUIRED = (
    b"Content-Type: application/x-contract\r\nContent-Disposition: render;handling=required\r\n"
    b"\r\nsign here"
)


def multipart(*parts: bytes, boundary: bytes = b"b1", preamble: bytes = b"") -> bytes:
    delimited = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts)
    return preamble + delimited + b"--" + boundary + b"--\r\n"


def request(
    body: bytes, content_type: str = 'multipart/mixed;boundary="b1"', **more: str
) -> Request:
    headers = Headers([("Content-Type", content_type)])
    for name, value in more.items():
        headers.add(name.replace("_", "-"), value)
    return Request("INVITE", "sip:b@192.0.2.2", headers, body)


@pytest.mark.parametrize(
    "body",
    [
        multipart(SDP_PART),
        multipart(SDP_PART, ISUP),
        multipart(ISUP, SDP_PART, LOCATION),
        multipart(SDP_PART, preamble=b"nobody reads this\r\n"),
        multipart(LOCATION, SDP_PART)[:-10],  # the end is missing
        multipart(
            LOCATION,
            b"content-type:multipart/alternative; boundary=b2\r\n\r\n"
            + multipart(b"\r\nhello", SDP_PART, boundary=b"b2"),
        ),
    ],
)
def test_the_sdp_in_a_multipart_is_found(body: bytes) -> None:
    message = request(body)
    assert settle_body(message)
    assert (message.body, message.content_type) == (OFFER, "application/sdp")
    assert settle_body(message), "settled once is settled"


@pytest.mark.parametrize(
    "message",
    [
        request(multipart(SDP_PART, REQUIRED)),
        request(multipart(SDP_PART.replace(b"\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n", 1),
                          REQUIRED)),
        request(b"--b1\r\nno empty line"),
        request(b"hello"),
        request(b"--b1\r\n" * 40),
        request(multipart(SDP_PART), "multipart/mixed"),
        request(multipart(SDP_PART), "multipart/mixed;boundary=" + "b" * 71),
        request(multipart(SDP_PART), "multipart/mixed;boundary=\xe9"),
        request(multipart(SDP_PART), Content_Encoding="gzip"),
        request(OFFER, "application/sdp", Content_Encoding="gzip"),
        request(b"hello", "text/plain"),
        request(b"hello", "text/plain", Content_Disposition="render;handling=required"),
    ],
)  # fmt: skip
def test_what_must_be_understood_and_is_not_makes_the_body_unusable(message: Request) -> None:
    before = message.body
    assert not settle_body(message)
    assert message.body == before


@pytest.mark.parametrize(
    "message",
    [
        request(b"hello", "text/plain", Content_Disposition="render; Handling=Optional"),
        request(b"\x1f\x8b", "text/plain", Content_Encoding="gzip",
                Content_Disposition="render;handling=optional"),
        request(multipart(ISUP, LOCATION)),
        request(b""),
    ],
)  # fmt: skip
def test_what_may_be_ignored_is_no_body(message: Request) -> None:
    assert settle_body(message)
    assert message.body == b""


def test_nesting_is_bounded() -> None:
    body = SDP_PART
    for depth in range(50):
        boundary = b"d%d" % depth
        body = (
            b"Content-Type: multipart/mixed;boundary="
            + boundary
            + b"\r\n\r\n"
            + multipart(body, boundary=boundary)
        )
    head, _, rest = body.partition(b"\r\n\r\n")
    message = request(rest, head.partition(b": ")[2].decode())
    assert settle_body(message)
    assert message.body == b"", "too deep to be looked for"


def test_an_offer_in_a_multipart_is_an_offer() -> None:
    wire = Wire()
    body = multipart(ISUP, SDP_PART)
    wire.inject(wire.b, invite(body=body, Content_Type="multipart/mixed;boundary=b1"))
    (invited,) = wire.b.of(Invited)
    assert isinstance(invited, Invited)
    assert invited.offer == OFFER


def test_an_answer_in_a_multipart_is_an_answer() -> None:
    wire = Wire()
    wire.call()
    wire.run(0.5)
    wire.b.ua.answer(wire.b.session, multipart(SDP_PART, ISUP), wire.now)
    carried = wire.b.endpoint.datagrams_to_send()
    for data, flow in carried:
        plain = data.replace(b"application/sdp\r\n", b"multipart/mixed;boundary=b1\r\n", 1)
        wire.inject(wire.a, plain, flow.local)
    assert "Answered" in wire.a.names()
    answered = wire.a.log[-1]
    assert getattr(answered, "answer", None) == OFFER


def test_a_reinvite_in_a_multipart_is_an_offer_and_an_update_without_one_is_none() -> None:
    wire = Wire()
    success = uas_session(wire)
    kind = (b"application/sdp", b"multipart/mixed;boundary=b1")
    wire.inject(wire.b, in_dialog(success, "UPDATE", 2, multipart(ISUP)).replace(*kind))
    assert is_response(last(wire), 200)
    wire.inject(wire.b, in_dialog(success, "INVITE", 3, multipart(SDP_PART)).replace(*kind))
    assert wire.b.names()[-1] == "ReofferReceived"
    wire.b.ua.accept_reoffer(wire.b.session, ANSWER, wire.now)
    wire.flush()
    assert is_response(last(wire), 200)


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_an_ended_dialog_is_a_481_whatever_the_body(method: str) -> None:
    wire = Wire()
    success = uas_session(wire)
    text = (b"application/sdp", b"text/plain")
    wire.inject(wire.b, in_dialog(success, method, 2, b"hello").replace(*text))
    assert is_response(last(wire), 415)
    wire.b.ua.end(wire.b.session, wire.now)
    wire.inject(wire.b, in_dialog(success, method, 3, b"hello").replace(*text))
    assert is_response(last(wire), 481)


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS", "REGISTER"])
def test_a_compressed_body_is_refused_with_the_encodings_we_know(method: str) -> None:
    wire = Wire()
    data = invite(body=b"\x1f\x8b\x08\x00", Content_Encoding="gzip").replace(
        b"INVITE", method.encode()
    )
    wire.inject(wire.b, data)
    refused = last(wire)
    assert isinstance(refused, Response)
    assert refused.status == 415
    assert refused.headers.get("Accept-Encoding") == "identity"
    assert refused.headers.get("Accept") == "application/sdp"


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/sdp", 0),
        ("Application/SDP;level=1, text/plain", 0),
        ("application/*", 0),
        ("*/*;q=0.1", 0),
        ("text/plain, message/sipfrag", 406),
        ("text/*", 406),
    ],
)
def test_a_caller_who_cannot_read_sdp_is_told(accept: str, status: int) -> None:
    """RFC 4475 section 3.3.15."""
    wire = Wire()
    wire.inject(wire.b, invite(Accept=accept))
    assert wire.b.names() == ([] if status else ["Invited"])
    assert is_response(last(wire), status or 100)
