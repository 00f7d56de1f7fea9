"""Subscriptions, publications and messages of phones, damaged, and storms of NOTIFYs in both directions.

A step is a number; it chooses what comes and how it is damaged. Phones prove who they are, mostly after the
damage, so that it meets what stands behind the door.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from random import Random

from switch.presence.service import Presence
from switch.presence.settings import PresenceSettings
from switch.presence.states import Direction, LineState, Mailbox
from switch.presence.subscription import Package
from switch.sip.digest import Challenger, DigestSettings
from switch.sip.flow import Flow, Transport
from switch.sip.headers import Headers
from switch.sip.message import Request, Response
from switch.sip.parsing import MalformedMessageError, parse
from switch.sip.writing import make_response, serialize
from switch.trunks.number_plan import NumberPlan
from tests.fuzz.campaign import Item, promise
from tests.fuzz.mutations import GENTLE, TEXT, mutate
from tests.switch.calls.bench import PLAN, REALM, SWITCH, Bench, LabCredentials
from tests.switch.presence.test_publications import MEETING
from tests.switch.presence.watching import proven

PHONES = ("1001", "1002", "1003")
WATCHER = ("127.0.0.1", 6900)
FLOW = Flow(Transport.UDP, WATCHER, SWITCH)
MOST, MOST_OF_WATCHER = 30, 12
STORM = 200
_TYPES = (
    "application/pidf+xml",
    "text/plain",
    "application/dialog-info+xml",
    "text/plain;charset=x",
)
_REFUSALS = (b"SIP/2.0 4", b"SIP/2.0 5")
_ANSWERS = (200, 200, 200, 202, 404, 481, 489, 500, 503)


class Faults(logging.Handler):
    """Whatever is logged as a fault."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.found.append(logging.Formatter().format(record))


class Story:
    """A switch with presence, and the phones around it, all at one address."""

    def __init__(self) -> None:
        self.bench = bench = Bench()
        self.challenger = Challenger(
            settings=DigestSettings(realm=REALM), secret=b"p" * 32, new_token=bench.new_token
        )
        self.presence = Presence(
            user_agent=bench.user_agent,
            challenger=self.challenger,
            credentials=LabCredentials(),
            plan=NumberPlan(PLAN),
            location=bench.location,
            settings=PresenceSettings(most=MOST, most_of_watcher=MOST_OF_WATCHER),
            contact=lambda flow: "sip:switchroom@127.0.0.1:5060",
            new_token=bench.new_token,
            clock=bench.process,
            flush=lambda: None,
        )
        bench.calls.attach(self.presence)
        for phone in PHONES:
            bench.location.add_static(phone, f"sip:{phone}@127.0.0.1:6900", FLOW)
        self.said: list[bytes] = []
        self.tags: list[tuple[str, str]] = []
        """Call-ID and our tag of subscriptions that were granted."""
        self.notified: Counter[tuple[str, str | None]] = Counter()
        """NOTIFYs of the present step, by subscription."""
        self.rng = Random(0)

    def step(self, number: int) -> None:
        """One thing comes, or time passes."""
        self.rng = rng = Random(number)
        self.notified.clear()
        match rng.randrange(10):
            case 0 | 1:
                self._ask(self._subscribe(rng))
            case 2 | 3:
                self._ask(self._publish(rng))
            case 4:
                self._ask(self._message(rng))
            case 5 | 6 if self.said:
                self._inject(mutate(self.said[-20:], rng, rng.choice((GENTLE, TEXT))))
            case 7:
                self._storm_of_states(rng)
            case 8:
                self._storm_of_notifies(rng)
            case _:
                self._advance(rng.choice((0.1, 1.0, 5.0, 70.0, 700.0)))
        self._advance(0.0)
        promise(len(self.presence.notifier.subscriptions) <= MOST, "more subscriptions than may be")
        promise(len(self.presence.publications) <= 4 * len(PHONES), "more publications than may be")

    # --- what comes -----------------------------------------------------------------------------

    def _subscribe(self, rng: Random) -> Request:
        call_id, tag = rng.choice(self.tags) if self.tags and rng.random() < 0.4 else ("", "")
        return self._request(
            "SUBSCRIBE",
            rng,
            call_id=call_id,
            tag=tag,
            Event=rng.choice((*Package, "dialog;id=7", "refer")),
            Expires=rng.choice(("600", "3600", "0", "5", "99999999999")),
        )

    def _publish(self, rng: Random) -> Request:
        body = mutate([MEETING], rng) if rng.random() < 0.6 else MEETING
        return self._request(
            "PUBLISH", rng, body=body, Event="presence", Expires=rng.choice(("600", "0")),
            SIP_If_Match=rng.choice(("", "", "t9")),
        )  # fmt: skip

    def _message(self, rng: Random) -> Request:
        return self._request("MESSAGE", rng, body=rng.randbytes(rng.choice((0, 5, 1300, 1301))))

    def _request(
        self,
        method: str,
        rng: Random,
        *,
        call_id: str = "",
        tag: str = "",
        body: bytes = b"",
        **fields: str,
    ) -> Request:
        user, to = rng.choice(PHONES), rng.choice((*PHONES, "9999"))
        lines = {
            "Via": f"SIP/2.0/UDP 127.0.0.1:6900;branch=z9hG4bK{rng.getrandbits(60):x};rport",
            "Max-Forwards": "70",
            "From": f"<sip:{user}@127.0.0.1>;tag=w",
            "To": f"<sip:{to}@127.0.0.1>{f';tag={tag}' if tag else ''}",
            "Call-ID": call_id or f"{rng.getrandbits(60):x}",
            "CSeq": f"{rng.randint(1, 1000)} {method}",
            "Contact": f"<sip:{user}@127.0.0.1:6900>",
            "Content-Type": rng.choice(_TYPES) if body else "",
            **{name.replace("_", "-"): value for name, value in fields.items()},
        }
        given = Headers([(name, value) for name, value in lines.items() if value])
        return Request(method, f"sip:{to}@127.0.0.1", given, body)

    def _ask(self, request: Request) -> None:
        """Damage it or not, let its sender prove who it is, and see that it is answered."""
        data = serialize(request)
        if self.rng.random() < 0.5:
            data = self.rng.choice(GENTLE)(data, self.rng)
        try:
            read = parse(data)
        except MalformedMessageError:
            self._inject(data)
            return
        if isinstance(read, Request) and self.rng.random() < 0.9:
            now = self.bench.clock.now()
            user = read.from_.uri.username
            data = serialize(proven(self.challenger, now, read, user, host=WATCHER[0]))
        self.said.append(data)
        self._inject(data)

    def _storm_of_states(self, rng: Random) -> None:
        """A phone's line, its mailbox and its bindings change far more often than anybody wants to know."""
        states, phone = self.presence.states, rng.choice(PHONES)
        for number in range(STORM):
            line = f"l{number}"
            states.line_began(phone, line, Direction.RECIPIENT, "1001")
            states.line_moved(line, LineState.CONFIRMED)
            states.line_ended(line)
            states.set_mailbox(phone, Mailbox(number, 0))
            states.reachable(phone, bool(number % 2))
            if number % 20 == 0:
                self._advance(0.001)
        for subscription, count in self.notified.items():
            promise(count <= 2, f"{count} NOTIFYs at once for {subscription}")

    def _storm_of_notifies(self, rng: Random) -> None:
        """NOTIFYs that nobody asked for, in dialogs that are there or not."""
        for _ in range(STORM // 10):
            call_id, tag = rng.choice(self.tags) if self.tags and rng.random() < 0.5 else ("", "x")
            request = self._request(
                "NOTIFY", rng, call_id=call_id, tag=rng.choice((tag, "")), body=MEETING,
                Event=rng.choice(("dialog", "refer", "presence")),
                Subscription_State=rng.choice(("active", "terminated;reason=noresource", "")),
            )  # fmt: skip
            before = len(self.presence.notifier.subscriptions)
            for told in self._inject(serialize(request)):
                if isinstance(told, Response):
                    promise(told.status >= 400, f"a NOTIFY for nobody got {told.status}")
            promise(len(self.presence.notifier.subscriptions) == before, "it ended a subscription")

    # --- carrying -------------------------------------------------------------------------------

    def _inject(self, data: bytes) -> list[Request | Response]:
        """Give the switch one datagram; what it says to it at once."""
        now = self.bench.clock.now()
        self.bench.endpoint.receive_datagram(data, FLOW, now)
        self.bench.calls.process(now)
        told = self._collect()
        promise(len(told) <= 40, f"{len(told)} messages for one")
        return told

    def _collect(self) -> list[Request | Response]:
        """What was sent; requests are answered, or not."""
        told: list[Request | Response] = []
        for octets, _ in self.bench.endpoint.datagrams_to_send():
            try:
                message = parse(octets)
            except MalformedMessageError:
                promise(octets[:9] in _REFUSALS, "a request that cannot be read")
                continue  # an answer to what could not be read either
            told.append(message)
            if isinstance(message, Request):
                self._heard(message)
            elif message.cseq.method == "SUBSCRIBE" and message.status == 200:
                self.tags = [*self.tags[-20:], (message.call_id, message.to.tag or "")]
        return told

    def _heard(self, request: Request) -> None:
        if request.method == "NOTIFY":
            self.notified[request.call_id, request.from_.tag] += 1
        if self.rng.random() < 0.9:
            answer = make_response(request, self.rng.choice(_ANSWERS), to_tag="w")
            self.bench.endpoint.receive_datagram(serialize(answer), FLOW, self.bench.clock.now())

    def _advance(self, seconds: float) -> None:
        bench = self.bench
        end = bench.clock.now() + seconds
        while True:
            timers = (
                bench.endpoint.get_timer(),
                bench.user_agent.get_timer(),
                bench.clock.next_timer(),
            )
            now = min((at for at in timers if at is not None and at <= end), default=end)
            bench.clock.run_until(max(now, bench.clock.now()))
            now = bench.clock.now()
            bench.endpoint.handle_timer(now)
            bench.user_agent.process(now)
            bench.user_agent.handle_timer(now)
            bench.calls.process(now)
            if not self._collect() and now >= end:
                return

    def end(self) -> None:
        """All of it expires; nothing is left."""
        self.rng = Random(1)
        presence, bench = self.presence, self.bench
        self._advance(4000.0)
        left = (
            len(presence.notifier.subscriptions),
            len(presence.publications),
            len(presence.texts),
        )
        promise(left == (0, 0, 0), f"left behind: {left}")
        promise(bench.calls.faults == 0, "an exception reached the call boundary")
        promise(bench.endpoint.transactions_alive == 0, "transactions are left")


class PresenceWalk:
    """Everything behind SUBSCRIBE, PUBLISH, MESSAGE and NOTIFY."""

    name = "presence-walk"
    steps = 30

    def make(self, rng: Random) -> list[Item]:
        """The numbers of the steps."""
        return [rng.getrandbits(32) for _ in range(self.steps)]

    def play(self, case: Sequence[Item]) -> None:
        """Bounds are kept after every step, nothing is left in the end, no fault is logged."""
        faults, log = Faults(), logging.getLogger("switch")
        log.addHandler(faults)
        try:
            story = Story()
            for item in case:
                if isinstance(item, int):
                    story.step(item)
            story.end()
        finally:
            log.removeHandler(faults)
        promise(not faults.found, "\n".join(faults.found))
