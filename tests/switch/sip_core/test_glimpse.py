"""What is told of a message without reading it agrees with what the parser says."""

from __future__ import annotations

import random

import pytest

from switch.sip.glimpse import Kind, glimpse, kind_of, refused_tag
from switch.sip.message import Request
from switch.sip.parsing import parse
from switch.sip.transaction import server_key, stateless_tag

VIA = b"SIP/2.0/UDP 192.0.2.1:5070;rport;branch=z9hG4bKabc"
INVITE = (
    b"INVITE sip:4000@example.com SIP/2.0\r\nVia: %s\r\nMax-Forwards: 70\r\n"
    b'From: "Grace" <sip:grace@example.com>;tag=1\r\nTo: <sip:4000@example.com>\r\n'
    b"Call-ID: one@example.com\r\nCSeq: 1 INVITE\r\nContact: <sip:grace@192.0.2.1:5070>\r\n"
    b"Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n" % VIA
)
TAGGED = INVITE.replace(b"To: <sip:4000@example.com>", b"To: <sip:4000@example.com>;tag=x")


def request(data: bytes) -> Request:
    found = parse(data)
    assert isinstance(found, Request)
    return found


def named(method: bytes) -> bytes:
    return INVITE.replace(b"INVITE", method)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (INVITE, Kind.INVITE),
        (b"\r\n\r\n" + INVITE, Kind.INVITE),
        (TAGGED, Kind.GOING_ON),
        (TAGGED.replace(b"To:", b"t :").replace(b";tag=", b" ; TAG ="), Kind.GOING_ON),
        (named(b"REGISTER"), Kind.OTHER),
        (named(b"OPTIONS"), Kind.OTHER),
        (named(b"WHATEVER"), Kind.OTHER),
        (TAGGED.replace(b"INVITE", b"OPTIONS"), Kind.GOING_ON),
        (named(b"BYE"), Kind.GOING_ON),
        (named(b"ACK"), Kind.GOING_ON),
        (named(b"CANCEL"), Kind.GOING_ON),
        (b"SIP/2.0 200 OK\r\n\r\n", Kind.GOING_ON),
        (b"\r\n\r\n", Kind.GOING_ON),
        (b"", Kind.GOING_ON),
        (b"\xff" * 100, Kind.GOING_ON),
    ],
)
def test_the_kind_of_a_message_shows_in_its_first_octets(data: bytes, kind: Kind) -> None:
    assert kind_of(data) is kind


def test_a_tag_in_from_or_in_the_body_makes_no_dialog() -> None:
    body = INVITE.replace(b"v=0\r\n", b"v=0\r\nTo=;tag=x")
    assert kind_of(body) is Kind.INVITE


@pytest.mark.parametrize(
    "data",
    [
        INVITE,
        INVITE.replace(b"Via:", b"v:").replace(b"From:", b"f :").replace(b"Call-ID", b"i"),
        INVITE.replace(b"Via:", b"VIA: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKtop\r\nVia:"),
        INVITE.replace(b"Call-ID: one@example.com", b"CALL-ID:one@example.com \t"),
    ],
)
def test_key_and_tag_are_those_of_the_whole_message(data: bytes) -> None:
    seen, whole = glimpse(data), request(data)
    assert seen is not None
    assert seen.server_key == server_key(whole, "INVITE")
    assert seen.tag == stateless_tag(whole)
    assert seen.vias == [str(via) for via in whole.vias]


@pytest.mark.parametrize(
    "data",
    [
        INVITE.replace(b"From:", b"X-From:"),
        INVITE.replace(b"To:", b"To: <sip:a@example.com>\r\nTo:"),
        INVITE.replace(b"Call-ID: one@example.com", b"Call-ID: "),
        INVITE.replace(b"CSeq: 1 INVITE", b"CSeq: 1 BYE"),
        INVITE.replace(b"CSeq: 1 ", b"CSeq: 1\r\n "),
        INVITE.replace(VIA, VIA + b", " + VIA),
        INVITE.replace(VIA, b"HTTP/1.1"),
        INVITE.replace(b"Grace", "Gräce".encode()),
        INVITE.replace(b"Grace", b"Gr\x00ace"),
        INVITE.replace(b" SIP/2.0", b" SIP/3.0", 1),
        INVITE[:200],
        b"INVITE " + b"x" * 20_000,
        b"SIP/2.0 200 OK\r\n\r\n",
        b"",
    ],
)
def test_what_is_written_in_an_unusual_way_is_left_to_the_parser(data: bytes) -> None:
    assert glimpse(data) is None


def test_without_a_branch_of_its_own_a_request_has_no_key_at_a_glance() -> None:
    for branch in (b"old", b"z9hG4bK"):
        seen = glimpse(INVITE.replace(b"z9hG4bKabc", branch))
        assert seen is not None
        assert seen.server_key is None


def test_the_ack_of_a_refusal_shows_by_its_tag() -> None:
    ack = TAGGED.replace(b"INVITE", b"ACK")
    assert refused_tag(ack.replace(b";tag=x", b";tag=s0123abcd")) == "s0123abcd"
    for other in (ack, TAGGED, ack.replace(b";tag=x", b";tag=s0123abcdef"), b"ACK "):
        assert refused_tag(other) == ""


def test_no_octets_make_it_raise() -> None:
    random_ = random.Random(7)
    for _ in range(3000):
        data = bytearray(INVITE)
        for _ in range(random_.randrange(1, 8)):
            data[random_.randrange(len(data))] = random_.randrange(256)
        cut = bytes(data[: random_.randrange(len(data))])
        for octets in (bytes(data), cut):
            kind_of(octets)
            seen = glimpse(octets)
            if seen is not None:
                assert seen.tag
                assert all(text.isprintable() for text in (*seen.vias, *seen.values.values()))
