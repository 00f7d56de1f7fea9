"""What the end of a leg means for an attempt."""

from __future__ import annotations

import pytest

from acd.dialer.attempt_state import AttemptState
from acd.dialer.model import NOT_AN_ATTEMPT, Outcome
from acd.dialer.outcomes import is_trunk_failure, of_end, of_unanswered
from switch.calls.causes import EndCause, Result
from switch.calls.status import cause_of_status

STATUSES = {
    486: Outcome.BUSY,
    600: Outcome.BUSY,
    480: Outcome.NO_ANSWER,
    408: Outcome.NO_ANSWER,
    404: Outcome.INVALID_NUMBER,
    410: Outcome.INVALID_NUMBER,
    484: Outcome.INVALID_NUMBER,
    604: Outcome.INVALID_NUMBER,
    603: Outcome.REJECTED,
    607: Outcome.REJECTED,
    608: Outcome.REJECTED,
    403: Outcome.REJECTED,
    500: Outcome.CONGESTED,
    502: Outcome.CONGESTED,
    503: Outcome.CONGESTED,
}


@pytest.mark.parametrize(("status", "outcome"), STATUSES.items())
def test_what_the_peer_says(status: int, outcome: Outcome) -> None:
    assert of_unanswered(cause_of_status(status, heard_back=True)) is outcome


@pytest.mark.parametrize("status", [408, 503])
def test_silence_is_the_trunks_fault(status: int) -> None:
    cause = cause_of_status(status, heard_back=False)
    outcome = of_unanswered(cause)
    assert outcome is Outcome.CONGESTED
    assert outcome in NOT_AN_ATTEMPT
    assert is_trunk_failure(outcome, cause)


@pytest.mark.parametrize("reason", ["gateway-lost", "no-media", "internal-error"])
def test_our_own_faults_are_not_the_trunks(reason: str) -> None:
    cause = EndCause(Result.FAILED, reason, 503)
    assert of_unanswered(cause) is Outcome.CONGESTED
    assert not is_trunk_failure(Outcome.CONGESTED, cause)


def test_a_full_trunk_or_none_rings_nobody() -> None:
    for reason in ("trunk-full", "trunk-down", "no-route"):
        assert of_unanswered(EndCause(Result.UNREACHABLE, reason, 503)) is Outcome.CONGESTED


def test_the_telephone_network_may_know_better() -> None:
    unallocated = EndCause(Result.NO_ANSWER, "unavailable", 480, 1)
    assert of_unanswered(unallocated) is Outcome.INVALID_NUMBER
    busy = EndCause(Result.NO_ANSWER, "unavailable", 480, 17)
    assert of_unanswered(busy) is Outcome.BUSY


def test_a_dial_that_we_cancelled() -> None:
    assert of_unanswered(EndCause(Result.CANCELLED, "campaign-over", 487)) is Outcome.CANCELLED
    assert of_unanswered(EndCause(Result.CANCELLED, "agent-gone")) is Outcome.AGENT_GONE


@pytest.mark.parametrize("state", list(AttemptState))
@pytest.mark.parametrize("by_peer", [True, False])
def test_every_state_has_an_outcome(state: AttemptState, by_peer: bool) -> None:
    assert of_end(state, EndCause(Result.COMPLETED, "callee-hung-up"), by_peer=by_peer)


def test_who_was_dropped_by_us_was_abandoned() -> None:
    gone = EndCause(Result.FAILED, "media-failed")
    for state in (AttemptState.JUDGING, AttemptState.WAITING):
        assert of_end(state, gone, by_peer=False) is Outcome.ABANDONED
        assert of_end(state, gone, by_peer=True) is Outcome.HUNG_UP
