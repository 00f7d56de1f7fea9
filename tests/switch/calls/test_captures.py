"""Recordings of more than two: customer left, everybody else right."""

from __future__ import annotations

from switch.calls.captures import Captures
from switch.gateway.protocol import Command, SetRecordingLegs, StartRecording
from switch.ids import CallId, LegId, RecordingId
from tests.kit.virtual_clock import VirtualClock

R = RecordingId("r")
CUSTOMER, AGENT, EXPERT = LegId("customer"), LegId("agent"), LegId("expert")
MOBILE = LegId("mobile")
"""Where the customer goes on."""


def test_everybody_but_the_customer_is_right_as_long_as_they_are_there_and_not_muted() -> None:
    sent: list[Command] = []
    muted: set[LegId] = set()
    captures = Captures(
        clock=VirtualClock(),
        send=lambda gateway, command: sent.append(command),
        emit=lambda event: None,
        is_muted=muted.__contains__,
    )
    captures.start(R, CallId("c"), "/r", CUSTOMER, AGENT)
    captures.set_legs(R, CUSTOMER, [AGENT, EXPERT])
    muted.add(AGENT)
    captures.mute_changed(AGENT)
    captures.set_legs(R, CUSTOMER, [AGENT, EXPERT])
    muted.clear()
    captures.leg_ended(EXPERT)
    captures.set_legs(R, MOBILE, [AGENT])
    captures.leg_ended(CUSTOMER)
    captures.leg_ended(MOBILE)

    def right(*legs: LegId) -> SetRecordingLegs:
        return SetRecordingLegs(recording=R, left=(CUSTOMER,), right=legs)

    assert sent == [
        StartRecording(recording=R, path="/r", left=(CUSTOMER,), right=(AGENT,)),
        right(AGENT, EXPERT),
        right(EXPERT),
        right(AGENT),
        SetRecordingLegs(recording=R, left=(MOBILE,), right=(AGENT,)),
        SetRecordingLegs(recording=R, left=(), right=(AGENT,)),
    ]
