"""Where messages of whom wait."""

from __future__ import annotations

import pytest

from switch.guard.guard import Guard
from switch.guard.settings import GuardSettings
from switch.transport.lanes import Lane, lane_of

EXEMPT, PHONE, STRANGER, OFFICE = "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"


@pytest.fixture
def guard() -> Guard:
    guard = Guard(GuardSettings(exempt=(EXEMPT, OFFICE), known_s=100.0))
    for host in (PHONE, OFFICE):
        guard.accept(host, 0.0)
    return guard


@pytest.mark.parametrize(
    ("data", "host", "lane"),
    [
        (b"INVITE sip:a SIP/2.0\r\nTo: <sip:a>\r\n\r\n", EXEMPT, Lane.TRUSTED),
        (b"INVITE sip:a SIP/2.0\r\nTo: <sip:a>\r\n\r\n", PHONE, Lane.KNOWN),
        (b"INVITE sip:a SIP/2.0\r\nTo: <sip:a>\r\n\r\n", OFFICE, Lane.KNOWN),
        (b"INVITE sip:a SIP/2.0\r\nTo: <sip:a>\r\n\r\n", STRANGER, Lane.STRANGERS),
        (b"INVITE sip:a SIP/2.0\r\nTo: <sip:a>;tag=1\r\n\r\n", STRANGER, Lane.GOING_ON),
        (b"REGISTER sip:a SIP/2.0\r\nTo: <sip:a>\r\n\r\n", STRANGER, Lane.TRUSTED),
        (b"REGISTER sip:a SIP/2.0\r\nTo: <sip:a>\r\n\r\n", PHONE, Lane.KNOWN),
        (b"BYE sip:a SIP/2.0\r\nTo: <sip:a>;tag=1\r\n\r\n", STRANGER, Lane.GOING_ON),
        (b"SIP/2.0 200 OK\r\n\r\n", STRANGER, Lane.GOING_ON),
    ],
)
def test_a_lane_depends_on_message_and_sender(
    guard: Guard, data: bytes, host: str, lane: Lane
) -> None:
    assert lane_of(data, host, guard, 1.0) is lane


def test_a_password_counts_for_a_while(guard: Guard) -> None:
    invite = b"INVITE sip:a SIP/2.0\r\n\r\n"
    assert lane_of(invite, PHONE, guard, 101.0) is Lane.STRANGERS
    assert lane_of(invite, OFFICE, guard, 101.0) is Lane.TRUSTED


def test_without_a_guard_everybody_is_trusted() -> None:
    assert lane_of(b"INVITE sip:a SIP/2.0\r\n\r\n", STRANGER, None, 0.0) is Lane.TRUSTED
