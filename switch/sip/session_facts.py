"""What others are told of a session: its names, and who is at the other end."""

from __future__ import annotations

from msgspec import Struct

from switch.sip.flow import Flow
from switch.sip.session import Session


class DialogNames(Struct, frozen=True):
    """What names a dialog, as its far end sees it (RFC 4235 section 4.1.1): its own tag is the local one."""

    call_id: str
    local_tag: str
    remote_tag: str


def names_at_peer(session: Session) -> DialogNames | None:
    """How the peer of a session names the dialog; None before there is one, or where it has no tag.

    Of several early dialogs of our INVITE it is the first.
    """
    if session.dialog is not None:
        tag = session.dialog.remote.tag
    else:
        tag = next((early for early in session.early if early), None)
    return DialogNames(session.invite.call_id, tag, session.local_tag) if tag else None


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
