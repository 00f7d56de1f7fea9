"""Long stories: phones that call each other and the menu, while somebody damages what they say.

A step is a number; it chooses what happens, and with it what is damaged and how. What is injected
are messages of the very calls that live, both ways, damaged: so the damage meets real dialogs and
transactions, our own requests among them. The application answers, bridges and hangs up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from random import Random

from switch.calls.causes import EndCause, Result
from switch.calls.events import CallEvent, IncomingLeg, LegStarted
from switch.sip.events import Invited
from switch.sip.flow import Flow, Transport
from switch.sip.parsing import MalformedMessageError, parse
from tests.fuzz.campaign import Item, promise
from tests.fuzz.mutations import GENTLE, mutate, renew
from tests.fuzz.sip_targets import SIP_CORPUS
from tests.switch.calls.bench import SWITCH, Bench
from tests.switch.calls.phone import Phone

ENOUGH = EndCause(Result.COMPLETED, "enough")
KEPT = 40
"""Messages of the living calls to choose from; the oldest are forgotten."""


class Story:
    """One switch, three phones, and the one who damages."""

    def __init__(self) -> None:
        self.bench = bench = Bench()
        bench.is_stepped = True
        self.phones = [bench.phone("1001"), bench.phone("1002"), bench.stranger("caller")]
        self.said: deque[tuple[bytes, Flow]] = deque(maxlen=KEPT)
        """What the phones said, and the flow as the switch sees it."""
        self.heard: deque[bytes] = deque(maxlen=KEPT)
        """What the switch said: its requests and responses, to be given back to it."""
        self.rng = Random(0)
        bench.react = self.application

    def application(self, event: CallEvent) -> None:
        """Answer who comes to the menu; now and then hang up at once."""
        if isinstance(event, IncomingLeg):
            if self.rng.random() < 0.8:
                self.bench.calls.answer(event.leg)
            else:
                self.bench.calls.hang_up(event.leg, ENOUGH)

    def step(self, number: int) -> None:
        """Do one thing, then carry what is under way, except what is lost."""
        self.rng = rng = Random(number)
        chance = rng.random()
        if chance < 0.25:
            self._act(rng.choice(self.phones), rng)
        elif chance < 0.85:
            self._damage(rng)
        else:
            self.bench.advance(rng.choice((0.1, 0.6, 2.0, 33.0)))
        self._carry(rng)

    def _act(self, phone: Phone, rng: Random) -> None:
        invited = phone.last(Invited)
        if phone.is_idle:
            phone.call(rng.choice(("4000", "1001", "1002", "9999", "+12025550100")))
        elif (
            invited and invited.session == phone.session and phone.sound and not phone.sound.current
        ):
            if rng.random() < 0.8:
                phone.answer()
            else:
                phone.reject(486)
        elif phone.sound is not None and phone.sound.current is not None and rng.random() < 0.4:
            if not phone.is_offering:
                phone.hold()
        elif rng.random() < 0.4:
            phone.hang_up()

    def _damage(self, rng: Random) -> None:
        """Inject one damaged message, from a party of a call or from a stranger."""
        choice = rng.random()
        stranger = Flow(Transport.UDP, ("127.0.0.1", 6900 + rng.randrange(2)), SWITCH)
        if choice < 0.6 and self.said:
            data, flow = self.said[rng.randrange(len(self.said))]
            flow = flow if rng.random() < 0.8 else stranger
            data = self._damaged(data, rng)
        elif choice < 0.8 and self.heard:
            data, flow = self._damaged(rng.choice(self.heard), rng), stranger
        else:
            data, flow = mutate([*SIP_CORPUS, *(said for said, _ in self.said)], rng), stranger
        self.inject(data, flow)

    def _damaged(self, data: bytes, rng: Random) -> bytes:
        if rng.random() < 0.2:
            return mutate([data], rng)
        if rng.random() < 0.7 and not data.startswith(b"SIP/"):
            data = renew(data, rng)
        for _ in range(rng.choice((0, 1, 1, 2))):
            data = rng.choice(GENTLE)(data, rng)
        return data

    def inject(self, data: bytes, flow: Flow) -> None:
        """Give the switch one datagram; look at what it says at once."""
        bench = self.bench
        now = bench.clock.now()
        bench.endpoint.receive_datagram(data, flow, now)
        bench.calls.process(now)
        malformed = self._is_malformed(data)
        sent = bench.endpoint.datagrams_to_send()
        promise(len(sent) <= 12, f"{len(sent)} messages for one")
        for octets, way in sent:
            if not malformed:
                self._check(octets)
            bench.endpoint._table.out.append((octets, way))  # they go on their way
        bench.settle()

    def _is_malformed(self, data: bytes) -> bool:
        try:
            parse(data)
        except MalformedMessageError:
            return True
        return False

    def _check(self, octets: bytes) -> None:
        """Whatever the switch writes can be read."""
        try:
            parse(octets)
        except MalformedMessageError as error:
            promise(False, f"the switch wrote {octets!r}: {error}")

    def _carry(self, rng: Random) -> None:
        bench = self.bench
        for _ in range(rng.choice((1, 6, 30))):
            bench.settle()
            if not bench.wire:
                break
            data, flow, phone = bench.wire[0]
            if phone is None:
                self.said.append((data, flow))
            else:
                self.heard.append(data)
            chance = rng.random()
            if chance < 0.05:
                bench.wire.pop(0)
            elif chance < 0.15 and phone is None:  # damaged on its way, the original is lost
                bench.wire.pop(0)
                self.inject(self._damaged(data, rng), flow)
            else:
                bench.deliver(0)

    def end(self) -> None:
        """Everybody hangs up; nothing is left; and an honest caller gets through."""
        bench = self.bench
        bench.is_stepped = False
        self.rng = Random(1)
        bench.react = lambda event: None
        for _ in range(3):
            bench.pump()
            for started in bench.of(LegStarted):
                bench.calls.hang_up(started.leg, ENOUGH)
            for phone in self.phones:
                if not phone.is_idle:
                    phone.hang_up()
            bench.advance(40)
        bench.advance(200)
        bench.check_forgotten()
        promise(bench.calls.faults == 0, "an exception reached the call boundary")
        self._call_honestly()

    def _call_honestly(self) -> None:
        bench = self.bench
        caller = bench.stranger("honest", ("127.0.0.1", 6950))
        before = len(bench.of(IncomingLeg))
        caller.call("4000")
        promise(len(bench.of(IncomingLeg)) == before + 1, "the honest caller did not come through")
        bench.calls.answer(bench.of(IncomingLeg)[-1].leg)
        bench.pump()
        promise(caller.statuses()[-1] == 200, "the honest caller was not answered")
        caller.hang_up()
        bench.check_forgotten()


class SipWalk:
    """The whole core in the middle of calls."""

    name = "sip-walk"
    steps = 40

    def make(self, rng: Random) -> list[Item]:
        """The numbers of the steps."""
        return [rng.getrandbits(32) for _ in range(self.steps)]

    def play(self, case: Sequence[Item]) -> None:
        """Books are right after every step (the bench looks), nothing is left in the end."""
        story = Story()
        for item in case:
            if isinstance(item, int):
                story.step(item)
            else:  # octets, for a finding that is retold by hand
                story.inject(item, Flow(Transport.UDP, ("127.0.0.1", 6900), SWITCH))
        story.end()
