"""Reason headers (RFC 3326): read, written, and told of the end of a session."""

import pytest

from switch.sip.events import Ended
from switch.sip.headers import Headers
from switch.sip.reason import Reason, reasons_in
from tests.switch.sip_sessions.wire import Wire, established


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SIP;cause=200", Reason(protocol="SIP", cause=200)),
        (
            'Q.850 ;cause=16 ;text="Normal call clearing"',
            Reason(protocol="Q.850", cause=16, text="Normal call clearing"),
        ),
        (r'sip;text="say \"no\""', Reason(protocol="SIP", text='say "no"')),
        ("preemption;cause=1;x=y", Reason(protocol="PREEMPTION", cause=1)),
        ('SIP;text="\ufeffgone\u202e"', Reason(protocol="SIP", text="gone")),
    ],
)
def test_a_reason_is_read(text: str, reason: Reason) -> None:
    assert Reason.parse(text) == reason
    assert Reason.parse(str(reason)) == reason


@pytest.mark.parametrize("text", ["", ";cause=1", "a b", "SIP;cause=x", "SIP;cause=1;cause=2"])
def test_nonsense_is_left_out(text: str) -> None:
    headers = Headers([("Reason", text), ("Reason", "SIP;cause=486")])
    assert reasons_in(headers) == (Reason(protocol="SIP", cause=486),)


def test_several_reasons_on_one_line_and_a_bound() -> None:
    headers = Headers([("Reason", 'SIP;cause=600;text="a, b", Q.850;cause=17')])
    assert [reason.cause for reason in reasons_in(headers)] == [600, 17]
    assert len(reasons_in(Headers([("Reason", "SIP;cause=1")] * 100))) == 8


def test_the_peer_hears_why_and_so_do_we() -> None:
    wire = Wire()
    a, _ = established(wire)
    wire.a.ua.end(a, wire.now, reason_header=str(Reason(protocol="Q.850", cause=31)))
    wire.run()
    ended = wire.b.log[-1]
    assert isinstance(ended, Ended)
    assert ended.reasons == (Reason(protocol="Q.850", cause=31),)


def test_a_cancelled_call_was_taken_elsewhere() -> None:
    wire = Wire()
    a = wire.call()
    wire.run(0.1)
    reason = Reason(protocol="SIP", cause=200, text="Call completed elsewhere")
    wire.a.ua.end(a, wire.now, reason_header=str(reason))
    wire.run()
    ended = wire.b.log[-1]
    assert isinstance(ended, Ended)
    assert ended.reasons == (reason,)
