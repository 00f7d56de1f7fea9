"""RFC 4475 and RFC 5118 against the whole core: parser, transactions, user agent, registrar, calls."""

from __future__ import annotations

import hashlib
import re

import pytest

from switch.calls.causes import EndCause, Result
from switch.calls.events import IncomingLeg
from switch.sip.flow import Flow, Transport
from switch.sip.framing import StreamFramer
from switch.sip.headers import Headers
from switch.sip.message import Request, Response
from switch.sip.parsing import parse
from switch.sip.writing import serialize
from switch.transport.connection import StreamConnection
from switch.transport.pump import Pump
from tests.switch.calls.bench import REALM, SWITCH, Bench
from tests.switch.transport.memory_transport import MemoryTransport
from tests.torture.cases import CASES, SILENCE, Case

TRUNK = Flow(Transport.UDP, ("127.0.0.1", 6900), SWITCH)
STRANGER = Flow(Transport.UDP, ("192.0.2.77", 6900), SWITCH)


def answers(bench: Bench, data: bytes, flow: Flow = TRUNK) -> list[Response]:
    """What the switch sends for one datagram."""
    bench.endpoint.receive_datagram(data, flow, bench.clock.now())
    bench.calls.process(bench.clock.now())
    return [read(octets) for octets, _ in bench.endpoint.datagrams_to_send()]


def read(octets: bytes) -> Response:
    """A response, also one that had to give back a From or To which no parser would take."""
    head, _, body = octets.partition(b"\r\n\r\n")
    start, *lines = head.decode().split("\r\n")
    version, status, reason = start.split(" ", 2)
    assert version == "SIP/2.0"
    headers = Headers.of_canonical({})
    for line in lines:
        name, _, value = line.partition(": ")
        headers._values[name] = (*headers._values.get(name, ()), value)
    return Response(int(status), reason, headers, body)


def final(responses: list[Response]) -> Response | None:
    assert all(response.status == 100 for response in responses[:-1])
    return responses[-1] if responses else None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_answer_is_the_one_that_the_rfc_names(case: Case) -> None:
    bench = Bench()
    answer = final(answers(bench, case.data))
    assert (answer.status if answer else SILENCE) == case.status, case.why
    assert bench.endpoint.counters.malformed == case.malformed
    assert bench.calls.faults == 0
    if answer is not None:
        assert case.malformed or answer.to.tag
        bench.advance(64)
        bench.check_forgotten()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_over_tcp_the_answer_differs_only_where_the_length_decides(case: Case) -> None:
    """Through a connection as the server has them, but for its socket."""
    bench = Bench()
    pump = Pump(bench.endpoint, bench.clock, bench.calls.process)
    transport = MemoryTransport(TRUNK.remote)
    transport.connect(StreamConnection(pump.streams, Transport.TCP, SWITCH))
    transport.give(case.data)
    answers = [read(octets) for octets in StreamFramer().feed(bytes(transport.written))]
    answer = answers[-1] if answers else None
    assert (answer.status if answer else SILENCE) == case.status_over_tcp, (
        case.of_stream or case.why
    )
    assert bench.calls.faults == 0
    is_unframed = case.name in ("ncl", "mcl01", "inv2543", "dblreq")
    assert (pump.streams.counters.framing_errors, transport.has_ended) == (is_unframed, is_unframed)
    await pump.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_strangers_learn_no_numbers(case: Case) -> None:
    bench = Bench()
    answer = final(answers(bench, case.data, STRANGER))
    assert (answer.status if answer else SILENCE) == case.status_for_strangers, case.why


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_retransmission_gets_the_same_answer_and_does_nothing_again(case: Case) -> None:
    bench = Bench()
    first = final(answers(bench, case.data))
    events = len(bench.events)
    second = final(answers(bench, case.data))
    assert (first and first.status) == (second and second.status)
    if first is not None and second is not None:
        assert first.headers.get("To") == second.headers.get("To")
    assert len(bench.events) == events


def named(name: str) -> bytes:
    return next(case.data for case in CASES if case.name == name)


def test_what_an_answer_must_carry() -> None:
    methods = answers(Bench(), named("intmeth"))[0].headers
    assert {"INVITE", "BYE", "OPTIONS"} <= set(methods.tokens("Allow"))
    assert methods.get(
        "To",
    ).startswith('"BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <sip:1_unusual')  # type: ignore[union-attr]
    unknown = answers(Bench(), named("bext01"))[0].headers
    assert unknown.tokens("Unsupported") == ["nothingSupportsThis", "nothingSupportsThisEither"]
    assert answers(Bench(), named("invut"))[-1].headers.get("Accept") == "application/sdp"
    assert "Digest" in (
        answers(Bench(), named("regaut01"))[0].headers.get("WWW-Authenticate") or ""
    )
    vias = answers(Bench(), named("transports"))[0].headers.get_all("Via")
    assert [via.split(" ")[0][8:] for via in vias] == ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]


def test_a_broken_via_comes_back_without_what_is_broken() -> None:
    (refused,) = answers(Bench(), named("badinv01"))
    assert refused.headers.get_all("Via") == ["SIP/2.0/UDP 192.0.2.15;received=127.0.0.1"]
    (refused,) = answers(Bench(), named("badvers"))
    (via,) = refused.headers.get_all("Via")
    assert via == "SIP/2.0/UDP c.example.com;branch=z9hG4bKkdjuw;received=127.0.0.1"


def test_a_display_name_with_a_comma_is_refused_for_itself() -> None:
    """The archive's `baddn` lacks the empty line at the end, which alone would be a 400."""
    (refused,) = answers(Bench(), named("baddn") + b"\r\n")
    assert refused.status == 400
    assert "not an address" in refused.reason


@pytest.mark.parametrize("name", ["wsinv", "esc01", "longreq", "inv2543", "mult-ip-in-sdp"])
def test_a_valid_invite_to_a_number_of_ours_is_a_call(name: str) -> None:
    bench = Bench()
    octets = named(name).replace(b";   tag    = 1918181833n", b"")
    start, end, rest = octets.partition(b"\r\n")
    assert start.startswith(b"INVITE")
    assert [
        r.status for r in answers(bench, b"INVITE sip:4000@example.com SIP/2.0" + end + rest)
    ] == [100]
    (leg,) = bench.of(IncomingLeg)
    assert leg.entry == "menu"
    bench.calls.answer(leg.leg)
    (success,) = [r for r, _ in bench.endpoint.datagrams_to_send()]
    assert success.startswith(b"SIP/2.0 200 ")
    assert b"\r\nm=audio " in success
    bench.calls.hang_up(leg.leg, EndCause(Result.COMPLETED, "test"))
    bench.settle()
    bench.advance(70)
    bench.check_forgotten()


@pytest.mark.parametrize("name", ["ipv6-in-sdp", "ipv4-mapped-ipv6"])
def test_ipv6_media_that_we_cannot_send_to_is_488_and_not_400(name: str) -> None:
    _, end, rest = named(name).partition(b"\r\n")
    sent = answers(Bench(), b"INVITE sip:4000@example.com SIP/2.0" + end + rest)
    assert [response.status for response in sent] == [488]


CONTACTS = [
    ("cparam01", "<sip:+19725552222@gw1.example.net>"),
    ("cparam02", "<sip:+19725552222@gw1.example.net;unknownparam>"),
    ("regescrt", "<sip:user@example.com>"),
    ("escnull", "<sip:%00@host5.example.com>"),
]


@pytest.mark.parametrize(("name", "kept"), CONTACTS)
def test_unusual_contacts_are_registered_as_they_are_meant(name: str, kept: str) -> None:
    """With a parameter of the header, of the URI, with headers that no Request-URI may have, escaped."""
    bench = Bench()
    message = parse(named(name))
    assert isinstance(message, Request)
    message.headers.set("To", "<sip:1001@example.com>")
    for _ in range(2):
        message.headers.set("Via", message.headers.get_all("Via")[0] + "1")
        (answer,) = answers(bench, serialize(message))
        challenges = answer.headers.get_all("WWW-Authenticate")
        if challenges:
            message.headers.set("Authorization", credentials(challenges))
            message.headers.set("CSeq", f"{message.cseq.seq + 1} REGISTER")
    assert answer.status == 200
    assert kept in [
        contact.partition(";expires=")[0] for contact in answer.headers.get_all("Contact")
    ]
    assert bench.calls.faults == 0


def test_a_registration_for_a_foreign_scheme_is_no_address_of_ours() -> None:
    bench = Bench()
    (answer,) = answers(bench, named("unksm2"))
    right = b"Authorization: " + credentials(answer.headers.get_all("WWW-Authenticate")).encode()
    again = (
        named("unksm2")
        .replace(b"234902", b"234903")
        .replace(b"bKkdjuw\r\n", b"bKk2\r\n" + right + b"\r\n")
    )
    (answer,) = answers(bench, again)
    assert answer.status == 404


def credentials(challenges: list[str]) -> str:
    """Of phone 1001, for `REGISTER sip:example.com`."""
    found = re.search(r'nonce="([^"]+)"', next(c for c in challenges if "MD5" in c))
    assert found is not None

    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    secret = md5(f"1001:{REALM}:lab-1001")
    a2 = md5("REGISTER:sip:example.com")
    proof = md5(f"{secret}:{found[1]}:00000001:c:auth:{a2}")
    return (
        f'Digest username="1001", realm="{REALM}", nonce="{found[1]}", uri="sip:example.com", '
        f'response="{proof}", algorithm=MD5, qop=auth, nc=00000001, cnonce="c"'
    )
