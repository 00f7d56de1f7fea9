"""A fork as a value that outlives the process, and the way back (see `switch.calls.adoption`)."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from switch.calls.attempt import Attempt, Rights, Target
from switch.calls.causes import EndCause, Result
from switch.calls.fork import Branch, Fork, Refusal
from switch.calls.leg import Leg
from switch.calls.records import AttemptRecord, BranchRecord, ForkRecord, TargetRecord
from switch.sdp.offer_answer import AudioNegotiation
from switch.sip.client_digest import ClientCredentials
from switch.sip.events import SessionId
from switch.sip.session_record import flow_of, flow_record
from switch.sip.uri import NameAddr, Uri
from switch.sip.user_agent import UserAgent
from switch.trunks.source import Source

Moment = Callable[[float], float]
"""From our monotonic clock to that of the records, or back."""
CredentialsOf = Callable[[str | None], ClientCredentials | None]
"""What answers the challenges of a trunk, by its name: no record keeps a password."""


def fork_record(user_agent: UserAgent, fork: Fork, wall: Moment) -> ForkRecord:
    """Describe a fork with all that rings."""
    branches = []
    for branch in fork.branches:
        session = user_agent.record(branch.session)
        invite = user_agent.invite_octets(branch.session)
        if session is not None and invite is not None:
            negotiation, target = branch.negotiation.record(), _target_record(branch.target)
            branches.append(BranchRecord(session, invite, negotiation, target, branch.rang))
    best = fork.best
    return ForkRecord(
        _attempt_record(fork.attempt),
        tuple(branches),
        tuple(tuple(_target_record(target) for target in group) for group in fork.waiting),
        None if best is None else (*_words(best.cause), best.by_peer),
        wall(fork.began),
        wall(fork.until),
        fork.at,
    )


def restored_fork(leg: Leg, record: ForkRecord, mono: Moment, credentials: CredentialsOf) -> Fork:
    """The fork again. Raises ValueError for a record that makes no sense."""
    if not record.branches:
        raise ValueError("its fork has no branches")
    best = None
    if record.best is not None:
        result, reason, status, by_peer = record.best
        best = Refusal(EndCause(Result(result), reason, status), by_peer)
    rights = record.attempt.rights
    return Fork(
        attempt=Attempt(
            call=leg.call,
            number=record.attempt.number,
            caller_number=record.attempt.caller_number,
            caller_name=record.attempt.caller_name,
            ring_timeout_s=record.attempt.ring_timeout_s,
            headers=record.attempt.headers,
            rights=None if rights is None else Rights(Source(rights[0]), rights[1]),
        ),
        waiting=[
            tuple(_target(target, credentials) for target in group) for group in record.waiting
        ],
        branches=[
            Branch(
                SessionId(branch.session.id),
                _target(branch.target, credentials),
                AudioNegotiation.of_record(branch.negotiation, secrets.token_bytes),
                branch.rang,
            )
            for branch in record.branches
        ],
        best=best,
        began=mono(record.began),
        until=mono(record.until),
        at=record.at,
    )


def _attempt_record(attempt: Attempt) -> AttemptRecord:
    rights = attempt.rights
    return AttemptRecord(
        attempt.number,
        attempt.caller_number,
        attempt.caller_name,
        attempt.ring_timeout_s,
        dict(attempt.headers),
        None if rights is None else (rights.source, rights.name),
    )


def _target_record(target: Target) -> TargetRecord:
    return TargetRecord(
        target.request_uri,
        flow_record(target.flow),
        target.routes,
        target.hop,
        target.dtmf,
        target.late_offer,
        None if target.caller is None else str(target.caller),
        None if target.called is None else str(target.called),
        dict(target.headers),
        target.trunk,
    )


def _target(record: TargetRecord, credentials: CredentialsOf) -> Target:
    return Target(
        request_uri=record.request_uri,
        flow=flow_of(record.flow),
        routes=record.routes,
        hop=record.hop,
        dtmf=record.dtmf,
        late_offer=record.late_offer,
        caller=None if record.caller is None else NameAddr.parse(record.caller),
        called=None if record.called is None else Uri.parse(record.called),
        headers=record.headers,
        trunk=record.trunk,
        credentials=credentials(record.trunk),
    )


def _words(cause: EndCause) -> tuple[str, str, int]:
    return cause.result, cause.reason, cause.status
