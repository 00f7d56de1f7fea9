"""Two user agents and an in-memory wire between them that may lose and delay, in virtual time."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

from switch.sip import session_timer, session_timer_steps
from switch.sip.endpoint import Endpoint
from switch.sip.events import Invited, SessionChanged, SessionEvent, SessionId
from switch.sip.flow import Flow, Transport
from switch.sip.message import Message, Request
from switch.sip.parsing import parse
from switch.sip.uri import NameAddr
from switch.sip.user_agent import UserAgent, UserAgentSettings

OFFER = b"v=0 offer"
ANSWER = b"v=0 answer"
A = ("192.0.2.1", 5060)
B = ("192.0.2.2", 5060)

Fate = Callable[[Message, "Node"], float | None]
"""Of a message and its sender: the delay in seconds, or None to lose it."""


class Node:
    """One user agent; `on_event` may answer at once, every event is kept in `log`."""

    def __init__(self, name: str, address: tuple[str, int], settings: UserAgentSettings) -> None:
        tokens = itertools.count(1)
        self.name = name
        self.address = address
        self.endpoint = Endpoint(
            new_branch=lambda: f"{name}b{next(tokens)}",
            allow=settings.allow,
            supported=settings.supported,
        )
        self.ua = UserAgent(
            self.endpoint,
            settings=settings,
            new_token=lambda: f"{name}t{next(tokens)}",
            contact=lambda flow: f"sip:{name}@{flow.local[0]}:{flow.local[1]}",
            jitter=lambda: 0.25,
        )
        self.log: list[SessionEvent] = []
        self.changed: list[SessionChanged] = []
        """What is for the journal only is kept apart."""
        self.on_event: Callable[[SessionEvent, float], None] = lambda event, now: None

    def flow_to(self, peer: tuple[str, int]) -> Flow:
        return Flow(Transport.UDP, peer, self.address)

    def turn(self, now: float) -> None:
        """What the shell does after each input."""
        self.ua.process(now)
        while (event := self.ua.next_event()) is not None:
            if isinstance(event, SessionChanged):
                self.changed.append(event)
                continue
            self.log.append(event)
            self.on_event(event, now)

    def names(self) -> list[str]:
        return [type(event).__name__ for event in self.log]

    def of(self, kind: type[SessionEvent]) -> list[SessionEvent]:
        return [event for event in self.log if isinstance(event, kind)]

    @property
    def session(self) -> SessionId:
        """The session that was invited last."""
        (*_, event) = self.of(Invited)
        assert isinstance(event, Invited)
        return event.session


def forget(node: Node, session: SessionId) -> None:
    """The node knows nothing of a session any more, as if it had been started anew."""
    table = node.ua._table
    found = table.by_id[session]
    session_timer_steps.step(table, found, session_timer.Input.TERMINATE, 0.0)
    table.silence(found)
    table.forget(found)


class Wire:
    """Carries datagrams between nodes and moves the time."""

    def __init__(
        self,
        fate: Fate | None = None,
        settings: UserAgentSettings | None = None,
        b_settings: UserAgentSettings | None = None,
    ) -> None:
        """Both have the same settings where B has none of its own."""
        settings = settings or UserAgentSettings()
        self.now = 0.0
        self.a = Node("a", A, settings)
        self.b = Node("b", B, b_settings or settings)
        self.fate: Fate = fate or (lambda message, sender: 0.01)
        self.sent: list[tuple[str, Message]] = []
        """Who sent what, lost messages included."""
        self.strangers: list[Message] = []
        """What went to addresses where nobody is."""
        self._serial = itertools.count()
        self._way: list[tuple[float, int, Node, bytes, Flow]] = []

    @property
    def nodes(self) -> tuple[Node, Node]:
        return self.a, self.b

    def call(self, offer: bytes = OFFER, **headers: str) -> SessionId:
        """A calls B."""
        session = self.a.ua.invite(
            request_uri="sip:b@192.0.2.2",
            flow=self.a.flow_to(B),
            from_=NameAddr.parse("<sip:a@example.com>"),
            to=NameAddr.parse("<sip:b@example.com>"),
            offer=offer,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            now=self.now,
        )
        self.flush()
        return session

    def flush(self) -> None:
        for node in self.nodes:
            node.turn(self.now)
            for data, flow in node.endpoint.datagrams_to_send():
                self._carry(node, data, flow)

    def _carry(self, sender: Node, data: bytes, flow: Flow) -> None:
        message = parse(data)
        self.sent.append((sender.name, message))
        target = next((n for n in self.nodes if n.address == flow.remote and n is not sender), None)
        if target is None:
            self.strangers.append(message)
            return
        delay = self.fate(message, sender)
        if delay is not None:
            arrives = Flow(Transport.UDP, sender.address, target.address)
            entry = (self.now + delay, next(self._serial), target, data, arrives)
            heapq.heappush(self._way, entry)

    def inject(self, target: Node, data: bytes, source: tuple[str, int] | None = None) -> None:
        """Let a datagram arrive at once."""
        peer = source or next(n.address for n in self.nodes if n is not target)
        flow = Flow(Transport.UDP, peer, target.address)
        target.endpoint.receive_datagram(data, flow, self.now)
        self.flush()

    def _next(self) -> float | None:
        times = [self._way[0][0]] if self._way else []
        for node in self.nodes:
            times += [t for t in (node.endpoint.get_timer(), node.ua.get_timer()) if t is not None]
        return min(times, default=None)

    def run(self, seconds: float = 0.5) -> None:
        """Let the time pass."""
        self.flush()
        end = self.now + seconds
        while (when := self._next()) is not None and when <= end:
            self.now = max(self.now, when)
            while self._way and self._way[0][0] <= self.now:
                _, _, target, data, flow = heapq.heappop(self._way)
                target.endpoint.receive_datagram(data, flow, self.now)
                target.turn(self.now)
            for node in self.nodes:
                node.endpoint.handle_timer(self.now)
                node.turn(self.now)
                node.ua.handle_timer(self.now)
            self.flush()
        self.now = end

    def methods(self, sender: str) -> list[str]:
        """What a node sent: methods and statuses, without 100."""
        shown = [
            m.method if isinstance(m, Request) else f"{m.status} {m.cseq.method}"
            for name, m in self.sent
            if name == sender
        ]
        return [text for text in shown if not text.startswith("100")]

    def assert_quiet(self) -> None:
        """After the longest timer nobody holds anything."""
        self.run(200.0)
        for node in self.nodes:
            table = node.ua._table
            assert node.ua.sessions_alive == 0
            assert table.by_dialog == {}
            assert table.clients == {}
            assert table.referrals == {}
            assert table.referrings == {}
            assert table.asked == {}
            assert table.server_invites == {}
            assert node.ua.get_timer() is None
            assert node.endpoint.transactions_alive == 0


def established(wire: Wire) -> tuple[SessionId, SessionId]:
    """A call that is up: the ids at A and B."""
    a = wire.call()
    wire.run()
    b = wire.b.session
    wire.b.ua.answer(b, ANSWER, wire.now)
    wire.run()
    assert "Answered" in wire.a.names()
    assert "Confirmed" in wire.b.names()
    return a, b
