"""Who chose another codec than the first of our offer, and may yet send that, is offered its choice first.

Chromium goes on sending what stands first in our offer, even where its own answer does not name it: with
`setCodecPreferences` it says what it receives, and it sends what the other side prefers (RFC 3264 section 6.1
has it otherwise).

Who names both codecs in its answer may send either: the RFC has it prefer ours, many prefer their own.
"""

from __future__ import annotations

from switch.calls.leg import Leg
from switch.sip.user_agent import UserAgent


def put_codec_first(user_agent: UserAgent, leg: Leg, now: float) -> None:
    """Offer anew, once an outbound leg is answered, where that is needed."""
    negotiation = leg.negotiation
    if negotiation is None or not leg.outbound or not leg.is_answered:
        return
    is_browser = negotiation.transport.dtls is not None
    if negotiation.leaves_a_choice or (is_browser and negotiation.is_other_than_offered):
        user_agent.reoffer(leg.session, negotiation.make_offer(), now)
