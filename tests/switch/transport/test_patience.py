"""What a connection may be late with, in time that is passed in."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from switch.sip.flow import Transport
from switch.transport.limits import TransportLimits
from switch.transport.patience import Late, Patience

LIMITS = TransportLimits()


@dataclass
class Connection:
    accepted: bool = True
    kind: Transport = Transport.TCP
    is_open: bool = True
    is_stranger: bool = False
    is_paused: bool = False


@pytest.mark.parametrize(
    ("of", "what", "after_s"),
    [
        (Connection(), Late.IDLE, LIMITS.idle_s),
        (Connection(is_stranger=True), Late.IDLE, LIMITS.stranger_idle_s),
        (Connection(accepted=False), Late.ASKING, LIMITS.keepalive_s),
        (Connection(accepted=False, is_open=False), Late.IDLE, LIMITS.idle_s),
        (Connection(kind=Transport.WS), Late.ASKING, LIMITS.websocket_ping_s),
        (Connection(is_paused=True), None, 0.0),
    ],
    ids=["phone", "stranger", "ours", "ours-unopened", "browser", "paused"],
)
def test_who_is_silent(of: Connection, what: Late | None, after_s: float) -> None:
    patience = Patience(LIMITS, of)
    if what is None:
        assert (patience.due(), patience.late(1e9)) == (None, None)
        return
    assert patience.due() == after_s
    assert patience.late(after_s - 0.1) is None
    assert patience.late(after_s) == (what, after_s)


@pytest.mark.parametrize(
    ("of", "what", "after_s"),
    [
        (Connection(), Late.MESSAGE, LIMITS.message_s),
        (Connection(is_stranger=True), Late.MESSAGE, LIMITS.stranger_message_s),
        (Connection(is_open=False), Late.HANDSHAKE, LIMITS.handshake_s),
        (Connection(is_paused=True), None, 0.0),
    ],
    ids=["phone", "stranger", "unopened", "paused"],
)
def test_who_began_a_message(of: Connection, what: Late | None, after_s: float) -> None:
    patience = Patience(LIMITS, of)
    patience.active_at, patience.partial_since = 100.0, 100.0
    assert patience.due() == (None if what is None else 100.0 + after_s)
    assert patience.late(100.0 + after_s) == (None if what is None else (what, after_s))


@pytest.mark.parametrize("is_paused", [False, True])
@pytest.mark.parametrize("is_stranger", [False, True])
def test_who_does_not_read_is_late_with_that_before_all_else(
    is_stranger: bool, is_paused: bool
) -> None:
    patience = Patience(LIMITS, Connection(is_stranger=is_stranger, is_paused=is_paused))
    patience.partial_since = patience.stalled_at = 0.0
    after_s = LIMITS.stranger_stall_s if is_stranger else LIMITS.stall_s
    assert patience.late(1e9) == (Late.READING, after_s)


def test_who_was_asked_is_asked_again_after_the_same_time() -> None:
    patience = Patience(LIMITS, Connection(accepted=False))
    patience.pinged_at = 50.0
    assert patience.due() == 50.0 + LIMITS.keepalive_s
    patience.active_at = 70.0
    assert patience.due() == 70.0 + LIMITS.keepalive_s
