"""How packets travel, as offered and answered: RTCP on one port or two, keys, certificates, ICE."""

from __future__ import annotations

import pytest

from switch.sdp.offer_answer import AudioNegotiation
from switch.sdp.transport import TransportTerms


def sdp(*lines: str, media: str = "m=audio 4000 RTP/AVP 0") -> bytes:
    head = ("v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", "c=IN IP4 192.0.2.9", "t=0 0", media)
    return "".join(f"{line}\r\n" for line in (*head, *lines)).encode()


def ours(terms: TransportTerms | None = None) -> AudioNegotiation:
    return AudioNegotiation(
        session_id=1000, address="192.0.2.1", port=16000, terms=terms or TransportTerms()
    )


def test_one_port_for_both_is_offered_and_taken_when_answered() -> None:
    side = ours()
    assert b"a=rtcp-mux\r\n" in side.make_offer()
    side.accept_answer(sdp("a=rtcp-mux"))
    assert side.transport.rtcp_mux
    side.make_offer()
    side.accept_answer(sdp())
    assert not side.transport.rtcp_mux


@pytest.mark.parametrize("lines", [(), ("a=rtcp-mux",)])
def test_one_port_is_answered_to_those_who_offer_it(lines: tuple[str, ...]) -> None:
    side = ours()
    _, text = side.answer(sdp(*lines))
    assert (b"a=rtcp-mux" in text) == bool(lines)
    assert side.transport.rtcp_mux == bool(lines)


@pytest.mark.parametrize(
    ("line", "address", "port"),
    [
        ("a=rtcp:53020", "", 53020),
        ("a=rtcp:53020 IN IP4 192.0.2.77", "192.0.2.77", 53020),
        ("a=rtcp:53020 IN IP6 2001:db8::1", "2001:db8::1", 53020),
        ("a=rtcp:0", "", 0),
        ("a=rtcp:65536", "", 0),
        ("a=rtcp:53020 IN IP4 host.example.com", "", 0),
        ("a=rtcp:53020 IN IP4 224.0.0.1", "", 0),
        ("a=rtcp:x", "", 0),
        ("a=rtcp:", "", 0),
        ("a=rtcp", "", 0),
    ],
)
def test_rtcp_may_be_wanted_elsewhere(line: str, address: str, port: int) -> None:
    side = ours()
    side.answer(sdp(line))
    assert (side.transport.rtcp_address, side.transport.rtcp_port) == (address, port)
