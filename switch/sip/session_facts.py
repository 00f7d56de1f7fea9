"""What records of calls say of a session: its names, and who is at the other end."""

from __future__ import annotations

from msgspec import Struct

from switch.sip.flow import Flow
from switch.sip.session import Session


class SessionFacts(Struct, frozen=True, kw_only=True, gc=False):
    """A session as others name it."""

    call_id: str
    local: str
    """The user of our address: who is called, where they called us."""
    remote: str
    flow: Flow
    user_agent: str
    """How the peer of an incoming session names itself; empty: it does not, or we called."""


def facts_of(session: Session) -> SessionFacts:
    """Describe a session; of one taken up from an earlier process only its dialog is known."""
    dialog, invite = session.dialog, session.invite
    if dialog is not None:
        local, remote = dialog.local, dialog.remote
    else:
        local, remote = invite.from_, invite.to
    agent = "" if session.is_caller else invite.headers.get("User-Agent") or ""
    return SessionFacts(
        call_id=invite.call_id,
        local=local.uri.username,
        remote=remote.uri.username,
        flow=session.flow if dialog is None else dialog.flow,
        user_agent=agent,
    )
