"""Which session an INVITE with Replaces means (RFC 3891 section 3)."""

from __future__ import annotations

from switch.errors import RemoteProtocolError
from switch.sip import usage
from switch.sip.replaces import Replaces
from switch.sip.session import Session
from switch.sip.sessions import SessionTable

_EARLY = frozenset({usage.State.CALLING, usage.State.PROCEEDING, usage.State.INVITED})


def find(table: SessionTable, replaces: Replaces, *, takes_invited: bool = False) -> Session:
    """The session to be replaced (RFC 3891 section 3).

    `takes_invited`: also an INVITE of the peer that we have not answered. In a REFER its sender names its
    own call so, where the RFC thinks of an INVITE that a third party sends.

    Raises:
        RemoteProtocolError: with the status of the refusal: 481 where there is none, 486 where only an
            early one may be replaced and it is answered, 603 where it is over.
    """
    session = table.by_dialog.get((replaces.call_id, replaces.to_tag))
    if session is None or not _has_peer(session, replaces.from_tag):
        raise RemoteProtocolError("no dialog to replace", status=481)
    if session.state is usage.State.INVITED and not takes_invited:
        raise RemoteProtocolError("an invitation of somebody else is not replaced", status=481)
    if session.state in usage.REPORTED_OVER:
        raise RemoteProtocolError("the dialog to replace is over", status=603)
    is_early = session.state in _EARLY
    if replaces.early_only and not is_early:
        raise RemoteProtocolError("the dialog to replace is answered", status=486)
    return session


def _has_peer(session: Session, tag: str) -> bool:
    """A tag of 0 stands for none: a peer of RFC 2543."""
    known: str | None = None if tag == "0" else tag
    if session.dialog is not None:
        return session.dialog.remote.tag == known
    return known in session.early
