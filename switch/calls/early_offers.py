"""Offers that come before the INVITE is answered, in an UPDATE (RFC 3311 section 5.2).

The first offer was answered by reliable responses then (RFC 3262), so that what is agreed may change as in
a call that stands: a caller holds while it rings, a callee takes its sound elsewhere.
"""

from __future__ import annotations

import logging

from switch.errors import RemoteProtocolError
from switch.sdp.offer_answer import AudioNegotiation
from switch.sip.events import SessionId
from switch.sip.user_agent import UserAgent

log = logging.getLogger(__name__)

_NOT_NOW = 491


def answer_early_offer(
    user_agent: UserAgent,
    session: SessionId,
    negotiation: AudioNegotiation | None,
    offer: bytes | None,
    now: float,
) -> bool:
    """Answer it or refuse it; True when something else is agreed now."""
    if negotiation is None or not offer:
        user_agent.refuse_reoffer(session, _NOT_NOW, now)
        return False
    try:
        answer = negotiation.answer_early(offer)
    except RemoteProtocolError as error:
        log.debug("session %s: an early offer is refused: %s", session, error)
        user_agent.refuse_reoffer(session, error.status, now)
        return False
    user_agent.accept_reoffer(session, answer, now)
    return True
