"""What records of calls say of a session: its names, and who is at the other end."""

from __future__ import annotations

from switch.sip.flow import Flow
from switch.sip.session import Session


def local_user(session: Session) -> str:
    """The user of our address: whom they called, where they called us, and who calls, where we did."""
    dialog, invite = session.dialog, session.invite
    if dialog is not None:
        return dialog.local.uri.username
    return (invite.from_ if session.is_caller else invite.to).uri.username


def flow_of(session: Session) -> Flow:
    """The way to the peer."""
    return session.flow if session.dialog is None else session.dialog.flow


def caller_agent(session: Session) -> str:
    """How the peer names itself that called us; empty: it does not, or we called."""
    return "" if session.is_caller else session.invite.headers.get("User-Agent") or ""
