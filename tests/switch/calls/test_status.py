"""Statuses become causes, and causes statuses."""

from __future__ import annotations

import pytest

from switch.calls.causes import EndCause, Result
from switch.calls.status import (
    cause_of_end,
    cause_of_status,
    final_status,
    reason_header,
    refusal,
)
from switch.sip.events import EndedBy


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (486, Result.BUSY),
        (600, Result.BUSY),
        (603, Result.REJECTED),
        (403, Result.REJECTED),
        (480, Result.NO_ANSWER),
        (408, Result.NO_ANSWER),
        (404, Result.UNREACHABLE),
        (410, Result.UNREACHABLE),
        (302, Result.UNREACHABLE),
        (503, Result.UNREACHABLE),
        (487, Result.CANCELLED),
        (401, Result.REJECTED),
        (488, Result.REJECTED),
        (500, Result.FAILED),
    ],
)
def test_final_statuses_say_what_became_of_the_leg(status: int, result: Result) -> None:
    cause = cause_of_status(status, heard_back=True)
    assert cause.result is result
    assert cause.status == status


@pytest.mark.parametrize(("status", "reason"), [(408, "no-response"), (503, "transport")])
def test_silence_and_broken_transports_mean_unreachable(status: int, reason: str) -> None:
    expected = EndCause(Result.UNREACHABLE, reason, status)
    assert cause_of_status(status, heard_back=False) == expected


@pytest.mark.parametrize(
    ("cause", "status"),
    [
        (EndCause(Result.BUSY, "busy", 486), 486),
        (EndCause(Result.BUSY, "busy", 600), 600),
        (EndCause(Result.NO_ANSWER, "ring-timeout"), 480),
        (EndCause(Result.NO_ANSWER, "no-response", 408), 480),
        (EndCause(Result.UNREACHABLE, "unknown-number", 404), 404),
        (EndCause(Result.UNREACHABLE, "redirected", 302), 480),
        (EndCause(Result.UNREACHABLE, "no-route", 503), 480),
        (EndCause(Result.REJECTED, "refused-by-peer", 401), 603),
        (EndCause(Result.REJECTED, "trunk-full", 503), 503),
        (EndCause(Result.CANCELLED, "cancelled", 487), 480),
        (EndCause(Result.FAILED, "gateway-lost", 503), 503),
        (EndCause(Result.FAILED, "internal-error"), 500),
        (EndCause(Result.COMPLETED, "callee-hung-up"), 480),
    ],
)
def test_an_unanswered_caller_is_told_a_status_that_fits_it(cause: EndCause, status: int) -> None:
    assert final_status(cause) == status


def test_a_bye_before_the_answer_is_a_cancellation_and_after_it_the_normal_end() -> None:
    early = cause_of_end(EndedBy.REMOTE_BYE, outbound=False, answered=False)
    assert early == EndCause(Result.CANCELLED, "caller-hung-up")
    late = cause_of_end(EndedBy.REMOTE_BYE, outbound=True, answered=True)
    assert late == EndCause(Result.COMPLETED, "callee-hung-up")


@pytest.mark.parametrize("by", list(EndedBy))
def test_every_end_of_a_session_has_a_cause(by: EndedBy) -> None:
    assert cause_of_end(by, outbound=True, answered=True).reason


def test_our_own_refusals_keep_their_status_and_reason() -> None:
    assert refusal(486, "all-busy") == EndCause(Result.BUSY, "all-busy", 486)
    assert refusal(499, "odd") == EndCause(Result.REJECTED, "odd", 499)


@pytest.mark.parametrize("reason", ["picked-up", "fetched-elsewhere"])
def test_a_phone_that_rings_no_more_is_told_that_it_has_missed_nothing(reason: str) -> None:
    told = reason_header(EndCause(Result.CANCELLED, reason))
    assert told == 'SIP;cause=200;text="Call completed elsewhere"'
