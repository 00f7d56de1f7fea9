"""Mutated and random octets: nothing escapes, nothing grows."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.errors import RemoteProtocolError
from switch.sip.flow import Flow, Transport
from switch.sip.framing import StreamFramer
from switch.sip.headers import CSeq, Via, canonical_name, split_commas
from switch.sip.limits import EndpointLimits, MessageLimits
from switch.sip.message import Request
from switch.sip.parsing import MalformedMessageError, parse
from switch.sip.uri import NameAddr, Uri
from switch.sip.writing import make_response, serialize
from tests.switch.sip_core.peer import events_of, make_endpoint

SEEDS = [p.read_bytes() for p in sorted((Path(__file__).parents[2] / "wire/sip").glob("*.sip"))]
PIECES = [
    b"\r\n",
    b"\r\n ",
    b"\0",
    b"<",
    b">",
    b'"',
    b";",
    b",",
    b":",
    b"\\",
    b"%",
    b"\xff",
    b"@",
    b"9" * 30,
]
FLOW = Flow(Transport.UDP, ("192.0.2.7", 5060), ("192.0.2.2", 5060))


def mutate(data: bytes, rng: random.Random) -> bytes:
    octets = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(octets) + 1)
        match rng.randrange(5):
            case 0:
                octets[at:at] = rng.choice(PIECES)
            case 1:
                del octets[at : at + rng.randint(1, 20)]
            case 2 if at < len(octets):
                octets[at] = rng.randrange(256)
            case 3:
                octets[at:at] = octets[at : at + rng.randint(1, 60)]
            case _:
                octets = octets[:at] or octets
    return bytes(octets)


@pytest.mark.parametrize("seed", range(4))
def test_no_mutation_escapes_or_fills_the_memory(seed: int) -> None:
    rng = random.Random(seed)
    endpoint = make_endpoint(limits=EndpointLimits(max_transactions=200, max_events=300))
    now, sent = 0.0, 0
    for _ in range(3000):
        now += 0.01
        endpoint.receive_datagram(mutate(rng.choice(SEEDS), rng), FLOW, now)
        endpoint.handle_timer(now)
        sent += len(endpoint.datagrams_to_send())
        assert endpoint.transactions_alive <= 250
        if rng.random() < 0.1:
            for event in events_of(endpoint):
                request = getattr(event, "request", None)
                assert isinstance(request, Request)
                for name in ("from_", "to", "contacts", "routes", "request_uri"):
                    getattr(request, name)
                if hasattr(event, "flow") and request.method != "ACK":
                    answer = make_response(request, 404, to_tag="b")
                    endpoint.respond(event.transaction, answer, now)  # type: ignore[union-attr]
    assert sent
    assert len(events_of(endpoint)) <= 310
    endpoint.handle_timer(now + 100)
    assert endpoint.timers_running == 0


@given(st.binary(max_size=200))
def test_random_octets_are_refused_or_parsed(data: bytes) -> None:
    with suppress(MalformedMessageError):
        parse(data)


@given(st.lists(st.binary(max_size=50), max_size=10))
def test_random_streams_are_refused_or_framed(chunks: list[bytes]) -> None:
    framer = StreamFramer()
    with suppress(RemoteProtocolError):
        for chunk in chunks:
            framer.feed(chunk)


@given(st.text(max_size=80))
def test_random_text_is_a_value_or_a_value_error(text: str) -> None:
    for read in (Uri.parse, NameAddr.parse, Via.parse, CSeq.parse, canonical_name):
        with suppress(ValueError):
            read(text)
    assert all(split_commas(text))


@given(st.text(max_size=30))
def test_names_survive_writing_and_reading(name: str) -> None:
    shown = "".join(c for c in name if c.isprintable()).strip()
    address = NameAddr(Uri("sip", "bob", "example.com"), shown or None, {"tag": "x"})
    assert NameAddr.parse(str(address)) == address


def test_long_repetitions_cost_no_more_than_linear_time() -> None:
    for piece in ('"\\', ";a=", "<", " ", ";;", "@", "sip:", "\\"):
        text = "sip:" + piece * 2000
        for read in (Uri.parse, NameAddr.parse, Via.parse):
            with suppress(ValueError):
                read(text)


def test_long_white_space_costs_no_more_than_linear_time() -> None:
    run = b" " * 8000
    head = b"OPTIONS sip:a SIP/2.0\r\nSubject: a" + run + b"b\r\n " + run + b"c\r\n"
    begun = process_time()
    for length in (b"Content-Length: 0" + run + b"x", b"Content-Length" + run + b"0"):
        with suppress(RemoteProtocolError):
            StreamFramer(MessageLimits(max_head=50_000)).feed(head + length + b"\r\n\r\n")
        with suppress(MalformedMessageError):
            parse(head + length + b"\r\n\r\n", MessageLimits(max_head=50_000))
    assert process_time() - begun < 0.2


@pytest.mark.parametrize("data", SEEDS, ids=range(len(SEEDS)))
def test_what_is_parsed_can_be_written_and_parsed_again(data: bytes) -> None:
    try:
        message = parse(data)
    except MalformedMessageError:
        return
    again = parse(serialize(message))
    assert again.headers == message.headers
