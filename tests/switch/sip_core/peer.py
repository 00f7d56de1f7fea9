"""Messages and two endpoints over a lossy wire, for the tests of the transaction layer."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from switch.sip.endpoint import Endpoint
from switch.sip.events import EndpointEvent
from switch.sip.flow import Flow, Transport
from switch.sip.headers import Headers
from switch.sip.limits import EndpointLimits
from switch.sip.message import Request, Response
from switch.sip.parsing import parse
from switch.sip.writing import serialize

ALICE, BOB = ("192.0.2.1", 5060), ("192.0.2.2", 5060)
_numbers = itertools.count(1)


def flow_to(remote: tuple[str, int], local: tuple[str, int], *, tcp: bool = False) -> Flow:
    return Flow(Transport.TCP if tcp else Transport.UDP, remote, local, 1 if tcp else 0)


def make_request(
    method: str = "INVITE",
    *,
    call_id: str | None = None,
    seq: int = 1,
    to_tag: str = "",
    branch: str | None = None,
    uri: str = "sip:bob@192.0.2.2",
    extra: tuple[tuple[str, str], ...] = (),
) -> Request:
    """A request as the layer above makes it; with `branch` as it comes from the wire."""
    headers = Headers()
    if branch is not None:
        headers.add("Via", f"SIP/2.0/UDP 192.0.2.1:5060;branch={branch};rport")
    headers.add("From", "<sip:alice@192.0.2.1>;tag=a")
    headers.add("To", "<sip:bob@192.0.2.2>" + (f";tag={to_tag}" if to_tag else ""))
    headers.add("Call-ID", call_id or f"call-{next(_numbers)}")
    headers.add("CSeq", f"{seq} {method}")
    for name, value in extra:
        headers.add(name, value)
    return Request(method, uri, headers)


def make_endpoint(**options: object) -> Endpoint:
    branches = (f"br{n}" for n in itertools.count())
    limits = options.pop("limits", None)
    assert limits is None or isinstance(limits, EndpointLimits)
    return Endpoint(new_branch=lambda: next(branches), limits=limits, **options)  # type: ignore[arg-type]


def events_of(endpoint: Endpoint) -> list[EndpointEvent]:
    return list(iter(endpoint.next_event, None))


def sent_by(endpoint: Endpoint) -> list[Request | Response]:
    return [parse(data) for data, _ in endpoint.datagrams_to_send()]


def statuses_of(endpoint: Endpoint) -> list[int]:
    return [m.status for m in sent_by(endpoint) if isinstance(m, Response)]


class Wire:
    """Two endpoints and the time. `lose(sender, nth, data)` says which datagrams get lost."""

    def __init__(
        self, *, tcp: bool = False, lose: Callable[[str, int, bytes], bool] | None = None
    ) -> None:
        self.now = 100.0
        self.ends = {"alice": make_endpoint(), "bob": make_endpoint()}
        self._flows = {
            "alice": flow_to(BOB, ALICE, tcp=tcp),
            "bob": flow_to(ALICE, BOB, tcp=tcp),
        }
        self._lose = lose or (lambda sender, nth, data: False)
        self._counts = {"alice": 0, "bob": 0}
        self.trace: list[tuple[float, str, str]] = []
        """Seconds since the start, sender, and first word or status of each datagram sent."""

    @property
    def alice(self) -> Endpoint:
        return self.ends["alice"]

    @property
    def bob(self) -> Endpoint:
        return self.ends["bob"]

    @property
    def to_bob(self) -> Flow:
        return self._flows["alice"]

    def exchange(self) -> None:
        """Carry datagrams to and fro until both are silent."""
        moved = True
        while moved:
            moved = False
            for sender, receiver in (("alice", "bob"), ("bob", "alice")):
                for data, _ in self.ends[sender].datagrams_to_send():
                    moved = True
                    words = data.split(b" ", 2)
                    label = words[1] if words[0] == b"SIP/2.0" else words[0]
                    self.trace.append((round(self.now - 100.0, 3), sender, label.decode()))
                    self._counts[sender] += 1
                    if not self._lose(sender, self._counts[sender], data):
                        flow = self._flows[receiver]
                        self.ends[receiver].receive_datagram(data, flow, self.now)

    def run(self, seconds: float) -> None:
        """Jump from timer to timer until `seconds` have passed."""
        end = self.now + seconds
        while True:
            self.exchange()
            due = [t for e in self.ends.values() if (t := e.get_timer()) is not None and t <= end]
            if not due:
                break
            self.now = max(self.now, min(due))
            for endpoint in self.ends.values():
                endpoint.handle_timer(self.now)
        self.now = end

    def times(self, sender: str, label: str) -> list[float]:
        return [at for at, who, what in self.trace if (who, what) == (sender, label)]


__all__ = ["ALICE", "BOB", "Wire", "events_of", "flow_to", "make_endpoint", "make_request"]
__all__ += ["sent_by", "serialize", "statuses_of"]
