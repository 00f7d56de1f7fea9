"""Recordings of more than two: customer left, everybody else right."""

from __future__ import annotations

import pytest

from switch.calls.captures import GATEWAY_LOST, Captures
from switch.calls.events import CallEvent, RecordingClosed
from switch.gateway.protocol import (
    NO_SUCH_RECORDING,
    Command,
    RecordingFailed,
    RecordingFinished,
    SetRecordingLegs,
    StartRecording,
)
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


def test_recordings_that_cannot_be_written_on_or_are_lost_are_told_once() -> None:
    told: list[CallEvent] = []
    captures = Captures(
        clock=VirtualClock(),
        send=lambda gateway, command: None,
        emit=told.append,
        is_muted=lambda leg: False,
    )
    full, lost, whole = RecordingId("full"), RecordingId("lost"), RecordingId("whole")
    for each in (full, lost, whole):
        captures.start(each, CallId("c"), f"/{each}", CUSTOMER, AGENT)
    captures.failed(RecordingFailed(recording=full, reason="disk full"))
    captures.failed(RecordingFailed(recording=full, reason="disk full"))  # told already
    captures.finished(
        RecordingFinished(recording=whole, path="/whole", duration_ms=1, octets=1, sha256="")
    )
    captures.gateway_lost("")
    errors = [each.error for each in told if isinstance(each, RecordingClosed)]
    assert errors == ["disk full", None, GATEWAY_LOST]


def test_the_log_has_one_line_for_a_recording_that_failed_with_its_file_and_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    captures = Captures(
        clock=VirtualClock(),
        send=lambda gateway, command: None,
        emit=lambda event: None,
        is_muted=lambda leg: False,
    )
    lost = RecordingId("lost")
    for each in (R, lost):
        captures.start(each, CallId("c"), f"/2026/contact-1-{each}", CUSTOMER, AGENT)
    captures.failed(RecordingFailed(recording=R, reason="Not a directory: /2026"))
    captures.failed(RecordingFailed(recording=R, reason="Not a directory: /2026"))  # told already
    captures.failed(RecordingFailed(recording=lost, reason=NO_SUCH_RECORDING))  # it is looked for
    (line,) = caplog.records
    assert line.levelname == "ERROR"
    said = "recording r of call c failed: Not a directory: /2026 (/2026/contact-1-r)"
    assert line.getMessage() == said
