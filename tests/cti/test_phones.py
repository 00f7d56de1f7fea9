"""Phones of a bench, watched through the real service: lamps, rights to see numbers, restarts."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from acd.model import AgentId, AgentSettings, QueueName
from cti.accounts import PhoneCredentials
from cti.agent_views import AgentViews
from cti.bus import Bus
from cti.phones import Phones
from cti.schema import Event, EventType, ParkedView, TextReceived
from cti.settings import PhoneSection
from switch.calls.fan_out import FanOut, everything
from switch.presence.service import Presence
from switch.presence.settings import PresenceSettings
from switch.presence.states import States
from switch.sip.digest import Challenger, DigestSettings
from switch.sip.events import OutOfDialogRequest, RequestAnswered, SessionEvent
from switch.sip.flow import Flow, Transport
from switch.sip.headers import Headers
from switch.sip.message import Request
from switch.sip.writing import make_response
from switch.trunks.number_plan import NumberPlan
from tests.switch.calls.bench import PLAN, REALM, SWITCH, Bench, LabCredentials
from tests.switch.calls.phone import Phone
from tests.switch.calls.test_forking import placed
from tests.switch.calls.test_redirection import send_on
from tests.switch.presence.watching import Site

AT = ("127.0.0.1", 6800)


class Floor:
    """A bench with the service attached, and a watcher whose requests need no wire."""

    def __init__(self, **settings: object) -> None:
        self.bench = bench = Bench()
        self.bus = Bus()
        self.told: list[Event] = []
        self.parked: list[ParkedView] = []
        self.bus.listen(self.told.append)
        self.sent: list[Request] = []
        self.presence = Presence(
            user_agent=bench.user_agent,
            challenger=Challenger(
                settings=DigestSettings(realm=REALM), secret=b"s" * 32, new_token=bench.new_token
            ),
            credentials=LabCredentials(),
            plan=NumberPlan(PLAN),
            location=bench.location,
            settings=PresenceSettings(host="example.com", **settings),  # type: ignore[arg-type]
            contact=lambda flow: "sip:switchroom@127.0.0.1:5060",
            new_token=bench.new_token,
            clock=bench.process,
            flush=lambda: None,
        )
        bench.calls.attach(self.presence)
        self.views = AgentViews(
            bus=self.bus,
            wall_of=lambda at: at,
            agents=[
                AgentSettings(
                    agent=AgentId("1002"), name="Bo", queues=(QueueName("sales"),), skills={}
                )
            ],
            at=0.0,
        )
        self.phones = Phones(
            presence=self.presence,
            calls=bench.calls,
            credentials=PhoneCredentials((PhoneSection(numbers="1001-1050", password="x"),), REALM),
            agents=self.views,
            agent_of=lambda phone: phone if phone == "1002" else None,
            parked=lambda: tuple(self.parked),
            bus=self.bus,
        )
        bench.react = FanOut(self.phones.takes, everything(bench.let_pick_up))

    @property
    def states(self) -> States:
        return self.presence.states

    def watch(
        self,
        watched: str,
        watcher: str = "1009",
        event: str = "dialog",
        at: tuple[str, int] = AT,
    ) -> Watching:
        return Watching(self, watched, watcher, event, at)


class Watching:
    """A phone that is only a watcher: an endpoint of the bench that answers 200 to notifications."""

    def __init__(
        self, floor: Floor, watched: str, watcher: str, event: str, at: tuple[str, int]
    ) -> None:
        bench = floor.bench
        self.phone = Phone(watcher, at, SWITCH, bench.clock, bench.new_token, bench.pump)
        bench._phones[at] = self.phone
        self.bodies: list[str] = []
        self.phone.user_agent.next_event = self._taking(self.phone.user_agent.next_event)  # type: ignore[method-assign]
        request = Request(
            "SUBSCRIBE",
            f"sip:{watched}@example.com",
            Headers(
                [
                    ("From", f"<sip:{watcher}@example.com>;tag=w"),
                    ("To", f"<sip:{watched}@example.com>"),
                    ("Call-ID", bench.new_token()),
                    ("CSeq", "1 SUBSCRIBE"),
                    ("Contact", f"<sip:{watcher}@{at[0]}:{at[1]}>"),
                    ("Event", event),
                    ("Expires", "600"),
                ]
            ),
        )
        site = Site()
        site.challenger, site.now = floor.presence.notifier._door._challenger, bench.clock.now()
        site.proven(request, watcher, host=SWITCH[0])
        self.phone.user_agent.send_request(request, Flow(Transport.UDP, SWITCH, at), site.now)
        bench.pump()

    def _taking(self, take: Callable[[], SessionEvent | None]) -> Callable[[], SessionEvent | None]:
        def next_event() -> SessionEvent | None:
            while (event := take()) is not None:
                if isinstance(event, RequestAnswered):
                    assert event.status == 200, event
                elif isinstance(event, OutOfDialogRequest):
                    self.bodies.append(event.request.body.decode())
                    answer = make_response(event.request, 200)
                    self.phone.user_agent.respond(event.transaction, answer, self.phone._now())
                else:
                    return event
            return None

        return next_event

    @property
    def lamp(self) -> list[str]:
        return re.findall(r"<state>(\w+)</state>", self.bodies[-1])


def test_a_lamp_follows_the_phone_that_is_watched() -> None:
    floor = Floor()
    bench = floor.bench
    ann, bob = bench.phone("1001"), bench.phone("1002")
    watching = floor.watch("1002")
    assert watching.lamp == []
    ann.call("1002")
    bench.advance(2)
    bob.ring()
    bench.advance(2)
    assert watching.lamp == ["early"]
    bob.answer()
    bench.advance(2)
    assert watching.lamp == ["confirmed"]
    ann.hang_up()
    bench.advance(2)
    assert watching.lamp == ["terminated"]
    assert floor.states.lines_alive == 0


def test_a_lamp_that_is_looked_at_in_the_middle_of_a_call_shows_it() -> None:
    floor = Floor()
    ann, bob = floor.bench.phone("1001"), floor.bench.phone("1002")
    ann.call("1002")
    bob.answer()
    assert floor.states.lines_alive == 0  # nobody watches: nothing is followed
    assert floor.watch("1002").lamp == ["confirmed"]
    assert floor.states.lines_alive == 1
    bob.hang_up()
    assert floor.states.lines_alive == 0


@pytest.mark.parametrize(
    ("watched", "number"), [("1002", "sip:1001@example.com"), ("1001", "sip:1002@example.com")]
)
def test_who_may_see_numbers_sees_the_other_side(watched: str, number: str) -> None:
    floor = Floor(see_numbers=frozenset({"1009"}))
    bench = floor.bench
    ann, bob = bench.phone("1001"), bench.phone("1002")
    watching = floor.watch(watched)
    ann.call("1002")
    bob.ring()
    bench.advance(2)
    assert number in watching.bodies[-1]
    other = Floor()
    ann, bob = other.bench.phone("1001"), other.bench.phone("1002")
    watching = other.watch(watched)
    ann.call("1002")
    other.bench.advance(2)
    assert "remote" not in watching.bodies[-1]
    assert watching.lamp != []


def replaces(body: str) -> str:
    """How a watcher asks for the dialog of a document; empty: it is not named."""
    found = re.search(r'call-id="([^"]+)" local-tag="([^"]+)" remote-tag="([^"]+)"', body)
    return f"{found[1]};to-tag={found[3]};from-tag={found[2]}" if found else ""


def test_what_rings_is_picked_up_by_what_its_lamp_says() -> None:
    floor = Floor(see_numbers=frozenset({"1009"}))
    bench = floor.bench
    ann, bob, eve = bench.phone("1001"), bench.phone("1002"), bench.phone("1003")
    watching = floor.watch("1002")
    ann.call("1002")
    bob.ring()
    bench.advance(2)
    told = replaces(watching.bodies[-1])
    assert told == bob.replaces()
    eve.call_instead(f"{told};early-only")
    assert bob.is_idle
    assert eve.statuses()[-1] == 200
    a, e = bench.leg_of("1001"), bench.leg_of("1003")
    assert bench.heard() == {a: {e}, e: {a}}
    bench.advance(2)
    assert watching.lamp == ["terminated"]
    assert not replaces(watching.bodies[-1])
    ann.hang_up()
    assert floor.states.lines_alive == 0


def test_a_call_is_taken_over_by_what_the_lamp_of_ones_own_number_says() -> None:
    floor = Floor()
    bench = floor.bench
    ann, bob = bench.phone("1001"), bench.phone("1002")
    watching = floor.watch("1002", watcher="1002")
    ann.call("1002")
    bob.answer()
    bench.advance(2)
    other = bench.stranger("1002", ("127.0.0.1", 7777))
    other.call_instead(replaces(watching.bodies[-1]))
    assert bob.is_idle
    assert other.statuses()[-1] == 200
    ann.hang_up()


def test_who_may_not_see_numbers_is_told_no_names_either() -> None:
    floor = Floor()
    bench = floor.bench
    ann, bob = bench.phone("1001"), bench.phone("1002")
    watching = floor.watch("1002")
    ann.call("1002")
    bob.ring()
    bench.advance(2)
    assert watching.lamp == ["early"]
    assert not replaces(watching.bodies[-1])
    ann.hang_up()


def test_what_rings_at_another_place_by_now_is_picked_up_there() -> None:
    floor = Floor(see_numbers=frozenset({"1009"}))
    bench = floor.bench
    ann, eve = bench.phone("1001"), bench.phone("1003")
    desk, mobile = placed(bench, "1002"), placed(bench, "1002")
    watching = floor.watch("1002")
    ann.call("1002")
    desk.ring()
    mobile.ring()
    bench.advance(2)
    assert replaces(watching.bodies[-1]) == desk.replaces()
    desk.reject(486)
    bench.advance(2)
    assert replaces(watching.bodies[-1]) == mobile.replaces()
    eve.call_instead(replaces(watching.bodies[-1]))
    assert mobile.is_idle
    assert eve.statuses()[-1] == 200
    ann.hang_up()


@pytest.mark.parametrize("rang_before", [True, False])
def test_the_lamp_of_who_has_the_call_now_is_lit_and_not_that_of_who_sent_it_on(
    rang_before: bool,
) -> None:
    floor = Floor(see_numbers=frozenset({"1009"}))
    bench = floor.bench
    ann, bob, eve = bench.phone("1001"), bench.phone("1002"), bench.phone("1003")
    bob_watched, eve_watched = floor.watch("1002"), floor.watch("1003", at=("127.0.0.1", 6801))
    ann.call("1002")
    bench.advance(2)
    if rang_before:
        bob.ring()
    send_on(bob, "<sip:1003@127.0.0.1>")
    eve.ring()
    bench.advance(2)
    assert bob_watched.lamp == ["terminated"]
    assert eve_watched.lamp == ["early"]
    assert replaces(eve_watched.bodies[-1]) == eve.replaces()
    ann.hang_up()
    assert floor.states.lines_alive == 0


def test_an_entry_is_the_other_side_of_who_calls_it() -> None:
    floor = Floor(see_numbers=frozenset({"1009"}))
    ann = floor.bench.phone("1001")
    watching = floor.watch("1001")
    ann.call("4000")
    floor.bench.advance(2)
    assert "sip:4000@example.com" in watching.bodies[-1]
    ann.hang_up()
    assert floor.phones._callers == {}


def test_what_an_agent_does_is_seen_as_an_activity() -> None:
    floor = Floor()
    floor.bench.phone("1002")
    floor.phones.resume()
    watching = floor.watch("1002", event="presence")
    assert "<basic>open</basic>" in watching.bodies[-1]
    assert "activities" not in watching.bodies[-1]
    for reason, activity in (("lunch", "meal"), ("break", "away"), ("anything", "away")):
        view = floor.views.agent("1002")
        floor.bus.publish(
            EventType.AGENT_STATE_CHANGED,
            type(view)(
                agent_id="1002",
                name="Bo",
                state="not-ready",
                reason=reason,
                since=1.0,
                queues=("sales",),
            ),
            agent_id="1002",
        )
        floor.bench.advance(2)
        assert f"<rpid:{activity}/>" in watching.bodies[-1]
        assert f"<dm:note>{reason}</dm:note>" in watching.bodies[-1]


def test_a_message_to_an_agent_with_a_desk_is_an_event_of_that_agent() -> None:
    floor = Floor()
    statuses: list[int] = []
    floor.presence.write("super", "1002", "come here", statuses.append)
    assert statuses == [480]
    floor.views.presence("1002", 1.0, desk=True)
    floor.presence.write("super", "1002", "come here", statuses.append)
    assert statuses == [480, 202]
    (event,) = [e for e in floor.told if e.type is EventType.TEXT_RECEIVED]
    assert (event.agent_id, event.data) == (
        "1002",
        TextReceived(sender="super", text="come here"),
    )


def place(state: str) -> ParkedView:
    return ParkedView(
        slot="701", state=state, since=0.0, interaction_id="i-1", caller_number="+12025550101"
    )


def test_a_parking_place_is_a_lamp_that_burns_while_somebody_stands_there() -> None:
    floor = Floor(places=frozenset({"701"}))
    floor.parked.append(place("parked"))
    lamp = floor.watch("701")
    assert "<state>confirmed</state>" in lamp.bodies[-1], "it was taken before anybody watched"
    for state, shown in (("gone", "terminated"), ("parked", "confirmed")):
        floor.bus.publish(EventType.PARKED, place(state))
        floor.bench.advance(2.0)
        assert f"<state>{shown}</state>" in lamp.bodies[-1]
