"""Phones register through the calls; who is reachable is told, and so is its end."""

from __future__ import annotations

import hashlib
import re

import pytest

from switch.calls.events import LegStarted, PhoneReachable
from switch.registrar.registrar import Registrar
from switch.sip.flow import Flow, Transport
from tests.switch.calls.bench import REALM, SWITCH, Bench

PHONE = ("127.0.0.1", 7300)


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def register(bench: Bench, cseq: int, expires: int, extra: str = "", connection: int = 0) -> str:
    """Send one REGISTER; returns the answer."""
    transport = "TCP" if connection else "UDP"
    request = (
        "REGISTER sip:example.com SIP/2.0\r\n"
        f"Via: SIP/2.0/{transport} 127.0.0.1:7300;branch=z9hG4bKr{cseq}\r\n"
        "From: <sip:1001@example.com>;tag=1\r\nTo: <sip:1001@example.com>\r\n"
        f"Call-ID: reg\r\nMax-Forwards: 70\r\nCSeq: {cseq} REGISTER\r\n"
        f"Contact: <sip:1001@127.0.0.1:7300>;expires={expires}\r\n{extra}\r\n"
    )
    flow = Flow(Transport(transport), PHONE, SWITCH, connection)
    bench.endpoint.receive_datagram(request.encode(), flow, bench.clock.now())
    bench.calls.process(bench.clock.now())
    return b"".join(data for data, _ in bench.endpoint.datagrams_to_send()).decode()


def register_with_password(bench: Bench, expires: int, connection: int = 0) -> str:
    challenge = register(bench, 1, expires, connection=connection)
    nonce = re.findall(r'nonce="([^"]+)"', challenge)[-1]
    middle = f"{nonce}:00000001:cc:auth"
    answer = md5(f"{md5(f'1001:{REALM}:lab-1001')}:{middle}:{md5('REGISTER:sip:example.com')}")
    credentials = (
        f'Authorization: Digest username="1001", realm="{REALM}", nonce="{nonce}", '
        f'uri="sip:example.com", algorithm=MD5, qop=auth, nc=00000001, cnonce="cc", '
        f'response="{answer}"\r\n'
    )
    return register(bench, 2, expires, credentials, connection)


def reachable(bench: Bench) -> list[tuple[str, bool]]:
    return [(event.phone, event.reachable) for event in bench.of(PhoneReachable)]


def test_a_registration_makes_a_phone_reachable_until_it_expires() -> None:
    bench = Bench()
    assert "401 Unauthorized" in register(bench, 1, 60)
    assert reachable(bench) == []
    assert " 200 OK" in register_with_password(bench, 60)
    assert reachable(bench) == [("1001", True)]
    assert bench.calls.is_reachable("1001")
    bench.advance(61)
    assert reachable(bench) == [("1001", True), ("1001", False)]
    assert not bench.calls.is_reachable("1001")
    bench.check_forgotten()


def test_a_registration_over_tcp_ends_with_its_connection() -> None:
    bench = Bench()
    assert " 200 OK" in register_with_password(bench, 600, connection=3)
    bench.calls.connection_closed(4)
    assert bench.calls.is_reachable("1001")
    bench.calls.connection_closed(3)
    assert reachable(bench) == [("1001", True), ("1001", False)]


def test_a_fault_of_the_registrar_is_answered_with_500(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()

    def fail(*_: object) -> None:
        raise RuntimeError("fault")

    monkeypatch.setattr(Registrar, "handle", fail)
    assert " 500 " in register(bench, 1, 60)
    assert bench.calls.faults == 1


def test_a_call_goes_to_the_binding_that_was_registered() -> None:
    bench = Bench()
    register_with_password(bench, 60)
    bench.calls.call_phone(
        "1001",
        call=bench.new_call(),
        caller_number="1",
        caller_name="",
        ring_timeout_s=5,
        headers={},
    )
    sent = bench.endpoint.datagrams_to_send()
    assert [flow.remote for _, flow in sent] == [PHONE]
    assert sent[0][0].startswith(b"INVITE sip:1001@127.0.0.1:7300 SIP/2.0\r\n")
    bench.pump()
    assert bench.of(LegStarted)[0].phone == "1001"
