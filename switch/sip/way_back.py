"""Where a peer listens: where it sent from, or where it says it does (RFC 3261 18.2.2, RFC 3581).

A UDP peer that asks for `rport` listens where it sends from. One that does not may send from any port:
older gateways and phones do, and take answers at the port of their Via only. But where its packets
come from another address than it names, a NAT stands between, and nothing but the source can be
reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from msgspec.structs import replace

from switch.sip.flow import Flow, Transport
from switch.sip.headers import Via
from switch.sip.message import Request
from switch.sip.uri import NameAddr, Uri


def for_responses(request: Request, flow: Flow) -> Flow:
    """The way for responses to `request`, which came by `flow`."""
    return way_of(request.top_via, flow)


def way_of(via: Via, flow: Flow) -> Flow:
    """The way for responses to a request with this topmost Via, which came by `flow`."""
    if flow.transport is not Transport.UDP or not _names_its_port(via, flow):
        return flow
    return _at(flow, flow.remote[0], via.port)


def for_late_responses(request: Request, flow: Flow) -> Flow:
    """The same where the connection that `request` came by is gone (section 18.2.2).

    Then the peer is connected to where its Via says that it listens, unless a NAT stands between.
    """
    via, kind = request.top_via, flow.transport
    is_behind_nat = _is_address(via.host) and not _is_same(via.host, flow.remote[0])
    if kind.is_websocket or is_behind_nat:
        return flow
    return replace(flow, remote=(flow.remote[0], via.port or kind.default_port), connection=0)


def mark_via(request: Request, flow: Flow) -> None:
    """Note in the top Via where the request really came from (section 18.2.1, RFC 3581)."""
    marked = marked_via(request.top_via, flow)
    if marked is not None:
        vias = [marked, *request.vias[1:]]
        request.headers.replace_top("Via", str(marked))
        request.headers.parsed["Via"] = vias  # known: they need not be parsed anew


def marked_via(via: Via, flow: Flow) -> Via | None:
    """The Via with where its request really came from; None where it says so itself."""
    if "rport" not in via.params and _is_same(via.host, flow.remote[0]):
        return None
    params = dict(via.params)
    if "rport" in params:
        params["rport"] = str(flow.remote[1])
    params["received"] = flow.remote[0].partition("%")[0]  # a zone means nothing to the peer
    return Via(via.transport, via.host, via.port, params)


def for_requests(request: Request, target: Uri, flow: Flow) -> Flow:
    """The way for requests in a dialog to the sender of `request`, whose Contact is `target`.

    It may be another address than that of the request, where no proxy wants to stay between.
    """
    if (
        flow.transport is not Transport.UDP
        or request.record_routes
        or not _names_its_port(request.top_via, flow)
        or not _is_address(target.host)
    ):
        return flow
    return _at(flow, target.host.strip("[]"), target.port)


def for_calls(register: Request, contact: Uri, flow: Flow) -> Flow:
    """The way for calls to the binding that `register` makes.

    Only the port is the Contact's: a phone of another address is behind a proxy or a NAT.
    """
    if not _is_same(contact.host, flow.remote[0]):
        return flow
    return for_requests(register, contact, flow)


def without_connection(
    flow: Flow, target: Uri, routes: Sequence[NameAddr], *, is_ours: bool
) -> Flow:
    """The way for requests in a dialog whose connection is gone, until the peer makes another.

    Where we made it, its remote is where the peer listens; so it is where that has the port of servers.
    Else the peer may listen where its first Route or its Contact says.
    """
    kind = flow.transport
    is_known = is_ours or flow.remote[1] == kind.default_port
    if not kind.is_reliable or kind.is_websocket or is_known:
        return flow
    hop = routes[0].uri if routes else target
    if not _is_address(hop.host):
        return flow
    return replace(flow, remote=(hop.host.strip("[]"), hop.port or kind.default_port))


def _names_its_port(via: Via, flow: Flow) -> bool:
    """True when the peer did not ask for `rport` and no NAT changes what it says of itself."""
    if "rport" in via.params:
        return False
    return _is_same(via.host, flow.remote[0]) or not _is_address(via.host)


def _at(flow: Flow, host: str, port: int | None) -> Flow:
    remote = (host, port or 5060)
    return flow if remote == flow.remote else replace(flow, remote=remote)


def _is_same(named: str, host: str) -> bool:
    """Whether a host that is named is this address; one of IPv6 can be written in many ways."""
    named = named.strip("[]")
    if named == host or ":" not in host or ":" not in named:
        return named == host
    try:
        return ip_address(named) == ip_address(host.partition("%")[0])
    except ValueError:
        return False


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
