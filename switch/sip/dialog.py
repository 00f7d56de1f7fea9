"""Dialogs: what both sides keep to send requests to each other (RFC 3261 section 12)."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from switch.errors import RemoteProtocolError
from switch.sip.flow import Flow
from switch.sip.headers import Headers
from switch.sip.message import Request, Response
from switch.sip.uri import NameAddr, Uri
from switch.sip.way_back import for_requests


class Dialog(Struct):
    """One side of a dialog."""

    call_id: str
    local: NameAddr
    """With our tag."""
    remote: NameAddr
    """With the peer's tag; none where the peer follows RFC 2543."""
    target: Uri
    """The peer's Contact: the Request-URI of our requests."""
    routes: list[NameAddr]
    flow: Flow
    """The way to the peer: it follows the peer's requests, so NATs and reconnects are survived."""
    local_seq: int
    remote_seq: int | None
    written: tuple[str, str] | None = None
    """`local` and `remote` as `addresses` wrote them."""

    @classmethod
    def of_invited(cls, invite: Request, local_tag: str, flow: Flow) -> Dialog:
        """The dialog that our 1xx or 2xx to `invite` creates (section 12.1.1).

        A peer of RFC 2543 need neither have a tag nor a Contact; its From is its address then.

        Raises:
            RemoteProtocolError: 400, when the INVITE lacks what a dialog needs.
        """
        target = contact_of(invite)
        if invite.from_.tag is None and not invite.contacts:
            target = _callable(invite.from_.uri)
        if target is None:
            raise RemoteProtocolError("INVITE needs one Contact with a SIP URI")
        return cls(
            call_id=invite.call_id,
            local=invite.to.with_tag(local_tag),
            remote=invite.from_,
            target=target,
            routes=list(invite.record_routes),
            flow=for_requests(invite, target, flow),
            local_seq=0,
            remote_seq=invite.cseq.seq,
        )

    @classmethod
    def of_answered(cls, invite: Request, response: Response, flow: Flow) -> Dialog:
        """The dialog that a 2xx to our `invite` creates (section 12.1.2)."""
        return cls(
            call_id=invite.call_id,
            local=invite.from_,
            remote=response.to,
            target=contact_of(response) or invite.request_uri,
            routes=response.record_routes[::-1],
            flow=flow,
            local_seq=invite.cseq.seq,
            remote_seq=None,
        )

    def addresses(self) -> tuple[str, str]:
        """`local` and `remote` as text. They never change, and each request and record has them."""
        if self.written is None:
            self.written = (str(self.local), str(self.remote))
        return self.written

    def is_newer(self, request: Request) -> bool:
        """True when the peer's request comes after all others (section 12.2.2); notes it then."""
        seq = request.cseq.seq
        if self.remote_seq is not None and seq <= self.remote_seq:
            return False
        self.remote_seq = seq
        return True

    def refresh_target(self, message: Request | Response) -> None:
        """Take the peer's new Contact: of an INVITE or UPDATE that is accepted, or a 2xx to one."""
        self.target = contact_of(message) or self.target

    def refresh_flow(self, request: Request, flow: Flow) -> None:
        """Answer by the way the peer's latest request came: it may have another address now."""
        self.flow = for_requests(request, contact_of(request) or self.target, flow)

    def request(self, method: str, seq: int | None = None) -> Request:
        """A request within the dialog, with the next CSeq unless `seq` is given (section 12.2.1.1).

        Via and Max-Forwards are the endpoint's business, the rest is added by the caller.
        """
        if seq is None:
            self.local_seq += 1
            seq = self.local_seq
        uri, routes = self._way()
        local, remote = self.addresses()
        headers = Headers.of_named(
            {
                "From": local,
                "To": remote,
                "Call-ID": self.call_id,
                "CSeq": f"{seq} {method}",
            }
        )
        for route in reversed(routes):
            headers.prepend("Route", route)
        return Request(method, uri, headers)

    def _way(self) -> tuple[str, list[str]]:
        """Request-URI and Route: loose routing, or strict where the first proxy is of RFC 2543."""
        target = str(self.target)
        if not self.routes:
            return target, []
        first = self.routes[0].uri
        if "lr" in first.params:
            return target, [str(route) for route in self.routes]
        params = {name: value for name, value in first.params.items() if name != "method"}
        strict = replace(first, params=params, headers=None)
        return str(strict), [*(str(route) for route in self.routes[1:]), f"<{target}>"]


def contact_of(message: Request | Response) -> Uri | None:
    """The one Contact as a Request-URI; None where there is none that can be called."""
    contacts = message.contacts
    return _callable(contacts[0].uri) if len(contacts) == 1 else None


def _callable(uri: Uri) -> Uri | None:
    if uri.scheme not in ("sip", "sips"):
        return None
    return replace(uri, headers=None) if uri.headers is not None else uri
