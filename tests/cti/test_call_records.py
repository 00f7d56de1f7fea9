"""Call detail records of real calls in memory: two phones, the switch, no database."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest

from crm_store.rows import CallLegRow
from cti.bus import Bus
from cti.call_records import CallRecords
from cti.leg_notes import LegNotes
from cti.schema import EventType, SupervisionView
from cti.schema_course import Cleared
from switch.calls.events import CallRefused, LegStarted
from switch.calls.fan_out import FanOut, everything
from switch.gateway.protocol import LegStats
from switch.ids import CallId, LegId
from switch.registrar.location import Binding, contact_key
from switch.sip.events import Invited
from switch.sip.flow import Flow, Transport
from switch.sip.uri import Uri
from switch.trunks.settings import NumberPlanSettings
from tests.switch.calls.bench import PLAN, SWITCH, Bench
from tests.switch.calls.phone import Phone
from tests.switch.calls.test_hunting import FIRST, NUMBER, SECOND, THIRD, trunk
from tests.switch.calls.test_hunting import plan as in_turn

InteractionOf = Callable[[CallId, LegId], tuple[str, CallId, tuple[LegId, ...]] | None]


class Office:
    """A bench whose events are recorded."""

    def __init__(self, plan: NumberPlanSettings = PLAN) -> None:
        self.bench = Bench(plan=plan)
        self.rows: list[CallLegRow] = []
        self.figures: list[tuple[LegNotes, LegStats]] = []
        self.bus = Bus()
        self.interaction_of: InteractionOf = lambda call, leg: (f"of-{call}", call, ())
        self.attach()

    def attach(self) -> None:
        bench = self.bench
        self.records = CallRecords(
            calls=bench.calls,
            user_agent=bench.user_agent,
            location=bench.location,
            clock=bench.process,
            append=self.rows.append,
            interaction_of=lambda call, leg: self.interaction_of(call, leg),
            new_id=bench.new_id,
            bus=self.bus,
        )
        self.records.on_figures = lambda notes, stats: self.figures.append((notes, stats))
        bench.react = FanOut(self.records.takes, everything(bench.let_pick_up))

    def settled(self) -> None:
        """The rows of what is over are made."""
        self.bench.pump()
        self.bench.advance(0.2)

    def row(self, direction: str) -> CallLegRow:
        self.settled()
        (found,) = [row for row in self.rows if row.direction == direction]
        return found


@pytest.fixture
def office() -> Iterator[Office]:
    made = Office()
    yield made
    assert made.records._legs == {}
    assert made.records._waiting == {}


def test_a_call_of_two_phones_has_a_row_for_each_leg(office: Office) -> None:
    bench = office.bench
    caller, callee = bench.phone("1001"), bench.phone("1002")
    start = bench.clock.wall()
    caller.call("1002")
    bench.advance(1)
    callee.ring()
    bench.advance(2)
    callee.answer()
    bench.advance(60)
    assert office.rows == []
    callee.hang_up()
    office.settled()
    assert len(office.rows) == 2
    came, went = office.row("in"), office.row("out")
    assert came.call_id == went.call_id
    assert came.leg_id != went.leg_id
    for row in (came, went):
        assert (row.caller, row.called) == ("1001", "1002")
        assert row.started == pytest.approx(start, abs=0.01)
        assert row.answered == pytest.approx(start + 3, abs=0.01)
        assert row.ended == pytest.approx(start + 63, abs=0.01)
        assert row.result == "completed"
        assert row.codec in ("PCMU", "PCMA")
        assert row.interaction_id == f"of-{row.call_id}"
        assert row.packets_received is not None
    assert (came.phone, went.phone) == ("1001", "1002")
    assert went.rang == pytest.approx(start + 1, abs=0.01)
    assert (came.ended_by, went.ended_by) == ("us", "peer")
    assert came.sip_call_id != went.sip_call_id
    assert came.user_agent == "Switchroom"  # the test's phones are of this stack
    assert {notes.leg for notes, _ in office.figures} == {came.leg_id, went.leg_id}


def test_the_leg_of_a_supervisor_says_who_attended_and_how(office: Office) -> None:
    bench = office.bench
    ann, bob = bench.phone("1001"), bench.phone("1002")
    ann.call("1002")
    bob.answer()
    call = bench.of(LegStarted)[0].call
    for role, state in (("monitor", "calling"), ("monitor", "attending"), ("barge", "attending")):
        view = SupervisionView(by="boss", number="1002", role=role, state=state)
        office.bus.publish(EventType.SUPERVISED, view, interaction_id="i-1", call_id=call)
    bob.hang_up()
    left = SupervisionView(by="boss", number="1002", role="barge", state="left")
    office.bus.publish(EventType.SUPERVISED, left, interaction_id="i-1", call_id=call)
    assert office.row("out").attended == "boss: monitor, barge"
    assert office.row("in").attended is None


def test_who_is_told_one_status_and_records_another_is_one_and_the_same(office: Office) -> None:
    """A carrier that cannot be reached is no 503 of ours (RFC 3261 section 16.7): the caller gets 480."""
    bench = office.bench
    caller, callee = bench.phone("1001"), bench.phone("1002")
    caller.call("1002")
    callee.reject(503)
    assert office.row("out").status == 503
    assert (office.row("in").status, caller.statuses()[-1]) == (480, 480)


def test_an_interaction_that_is_over_with_its_first_leg_is_that_of_the_others_too(
    office: Office,
) -> None:
    """The second call is one that fetched the first, which was parked: it is named by its leg alone."""
    bench = office.bench
    ann, bob, cy = bench.phone("1001"), bench.phone("1002"), bench.phone("1003")
    ann.call("1002")
    bob.answer()
    cy.call("1002")
    began = bench.of(LegStarted)
    call = began[0].call
    legs = (began[0].leg, began[2].leg)
    alive = [("i-1", call, legs)]
    office.interaction_of = lambda call, leg: alive.pop() if alive else None
    ann.hang_up()
    cy.cancel()
    office.settled()
    rows = {row.leg_id: (row.interaction_id, row.linked_call) for row in office.rows}
    assert rows[legs[0]] == ("i-1", None)
    assert rows[legs[1]] == ("i-1", call)


def test_legs_that_are_hung_up_as_their_interaction_ends_belong_to_it(office: Office) -> None:
    """As after an announcement: nobody's leg ended before."""
    bench = office.bench
    ann, bob = bench.phone("1001"), bench.phone("1002")
    ann.call("1002")
    bob.answer()
    call = bench.of(LegStarted)[0].call
    office.interaction_of = lambda call, leg: None
    over = Cleared(result="menu", reason="flow-hung-up")
    office.bus.publish(EventType.INTERACTION_ENDED, over, interaction_id="i-2", call_id=call)
    ann.hang_up()
    office.settled()
    assert [row.interaction_id for row in office.rows] == ["i-2", "i-2"]


def test_a_busy_callee_and_a_caller_who_gives_up(office: Office) -> None:
    bench = office.bench
    caller, callee = bench.phone("1001"), bench.phone("1002")
    caller.call("1002")
    callee.reject(486)
    went = office.row("out")
    assert (went.result, went.status, went.answered, went.ended_by) == ("busy", 486, None, "peer")
    office.rows.clear()
    caller.call("1002")
    callee.ring()
    caller.cancel()
    office.settled()
    came = office.row("in")
    assert (came.result, came.status, came.ended_by) == ("cancelled", 487, "peer")


def place(bench: Bench, port: int) -> Phone:
    """One of the places where 1002 is registered, each by another device."""
    phone = bench.stranger("1002", ("127.0.0.1", port))
    uri = f"sip:1002@127.0.0.1:{port}"
    binding = Binding(
        contact_uri=uri,
        flow=Flow(Transport.UDP, phone.address, SWITCH),
        expires_at=math.inf,
        user_agent=f"Device {port}",
    )
    bench.location.put("1002", contact_key(Uri.parse(uri)), binding)
    return phone


def call_id_of(phone: Phone) -> str:
    invited = phone.last(Invited)
    assert invited is not None
    return invited.request.call_id


@pytest.mark.parametrize("who", [0, 1, 2])
def test_of_several_places_the_one_that_answered_counts(office: Office, who: int) -> None:
    bench = office.bench
    ann = bench.phone("1001")
    places = [place(bench, port) for port in (7601, 7602, 7603)]
    ann.call("1002")
    places[who].answer()
    ann.hang_up()
    row = office.row("out")
    assert row.sip_call_id == call_id_of(places[who])
    assert row.user_agent == f"Device {places[who].address[1]}"
    (notes,) = [notes for notes, _ in office.figures if notes.leg == row.leg_id]
    assert notes.flow is not None
    assert notes.flow.remote == places[who].address
    assert set(notes.call_ids) == {call_id_of(each) for each in places}


def test_whatever_was_tried_belongs_to_the_signalling_of_the_leg() -> None:
    office = Office(in_turn(trunk("a", FIRST), trunk("b", SECOND), trunk("c", THIRD)))
    bench = office.bench
    told: list[tuple[str, bool]] = []
    office.records.on_dialog = lambda call_id, lives: told.append((call_id, lives))
    carriers = [bench.stranger("carrier", at) for at in (FIRST, SECOND, THIRD)]
    bench.phone("1001").call(NUMBER)
    for carrier, status in zip(carriers, (503, 503, 486), strict=True):
        carrier.reject(status)
    tried = [call_id_of(each) for each in carriers]
    row = office.row("out")
    assert (row.sip_call_id, row.trunk, row.status) == (tried[-1], "c", 486)
    (notes,) = [n for n in office.records.legs_of(CallId(row.call_id)) if n.outbound]
    assert list(notes.call_ids) == tried
    for call_id in tried:
        assert [lives for known, lives in told if known == call_id] == [True, False]


def test_what_the_network_said_of_one_of_several_places_is_kept(office: Office) -> None:
    bench = office.bench
    ann = bench.phone("1001")
    desk, lab = place(bench, 7601), place(bench, 7602)
    ann.call("1002")
    busy = [("Reason", "Q.850;cause=17")]
    lab.user_agent.reject(lab.live, 486, None, bench.clock.now(), busy)
    desk.reject(503)
    row = office.row("out")
    assert (row.result, row.q850) == ("busy", 17)


def test_a_blind_transfer_names_the_phone_that_sent_the_call_on(office: Office) -> None:
    bench = office.bench
    ann, bob, eve = bench.phone("1001"), bench.phone("1002"), bench.phone("1003")
    ann.call("1002")
    bob.answer()
    bob.refer("1003")
    eve.answer()
    ann.hang_up()
    office.settled()
    rows = {row.phone: row for row in office.rows}
    assert len({row.call_id for row in office.rows}) == 1
    assert (rows["1002"].reason, rows["1002"].linked_call) == ("transferred", None)
    assert rows["1003"].linked_call == "1002"


def test_an_attended_transfer_names_the_call_it_came_from(office: Office) -> None:
    bench = office.bench
    ann, bob, eve = bench.phone("1001"), bench.phone("1002"), bench.phone("1003")
    again = bench.phone("1002", address=("127.0.0.1", 7099))  # the second line of the same phone
    ann.call("1002")
    bob.answer()
    first = bench.of(LegStarted)[-1].call
    again.call("1003")
    eve.answer()
    bob.refer("1003", to_call=again)
    ann.hang_up()
    office.settled()
    linked = {row.phone: row.linked_call for row in office.rows if row.linked_call}
    assert linked == {"1003": first}


def test_who_picks_up_has_called_the_phone_that_rang_and_joins_its_call(office: Office) -> None:
    bench = office.bench
    ann, bob, eve = bench.phone("1001"), bench.phone("1002"), bench.phone("1003")
    ann.call("1002")
    bob.ring()
    eve.call_instead(bob.replaces())
    bench.advance(5)
    ann.hang_up()
    office.settled()
    of_phone = {row.phone: row for row in office.rows}
    taken, joined = of_phone["1003"], of_phone["1001"]
    assert (taken.direction, taken.called, taken.result) == ("in", "1002", "completed")
    assert taken.linked_call == joined.call_id
    assert of_phone["1002"].result == "cancelled"


def test_what_the_telephone_network_said_is_kept(office: Office) -> None:
    bench = office.bench
    caller, callee = bench.phone("1001"), bench.phone("1002")
    caller.call("1002")
    callee.answer()
    reason = 'SIP;cause=200, Q.850;cause=16;text="Normal call clearing"'
    caller.user_agent.end(caller.live, bench.clock.now(), reason_header=reason)
    office.settled()
    assert office.row("in").q850 == 16


def test_a_refused_call_has_a_row_of_one_moment(office: Office) -> None:
    bench = office.bench
    bench.phone("1001").call("9999")
    office.settled()
    (row,) = office.rows
    assert (row.result, row.status, row.reason) == ("rejected", 404, "unknown-number")
    assert (row.caller, row.called) == ("1001", "9999")
    assert row.started == row.ended


def test_a_flood_of_refused_calls_is_counted_and_not_written(office: Office) -> None:
    for _ in range(1000):
        office.bench.react(
            CallRefused(
                at=office.bench.clock.now(),
                status=404,
                reason="unknown-number",
                called="1",
                caller_number="2",
            )
        )
    assert len(office.rows) == 20
    assert office.records.left_out == 980


def test_nobody_to_call_is_a_leg_of_one_moment(office: Office) -> None:
    bench = office.bench
    bench.phone("1001").call("1003")
    went = office.row("out")
    assert (went.result, went.reason, went.called) == ("unreachable", "no-binding", "1003")
    assert went.sip_call_id == ""


@pytest.mark.parametrize("way", ["a", "pstn"])
def test_a_call_that_no_trunk_could_take_says_which(way: str) -> None:
    office = Office(in_turn(trunk("a", FIRST, max_calls=1), max_calls=1))
    bench = office.bench
    bench.stranger("carrier", FIRST)
    for _ in range(2):
        bench.calls.call_trunk(
            way,
            NUMBER,
            call=bench.new_call(),
            caller_number="1001",
            caller_name="",
            ring_timeout_s=30,
        )
    row = office.row("out")
    assert (row.reason, row.status, row.trunk) == ("trunk-full", 503, way)


def test_without_figures_the_row_goes_all_the_same(office: Office) -> None:
    bench = office.bench
    caller, callee = bench.phone("1001"), bench.phone("1002")
    caller.call("1002")
    callee.answer()
    bench.lose_gateway()
    bench.advance(5)
    assert len(office.rows) == 2
    assert {row.reason for row in office.rows} == {"gateway-lost"}
    assert all(row.mos is None and row.packets_sent is None for row in office.rows)
    bench.restart_gateway()


def test_a_call_goes_on_over_a_restart_and_has_its_rows(office: Office) -> None:
    bench = office.bench
    caller, callee = bench.phone("1001"), bench.phone("1002")
    start = bench.clock.wall()
    caller.call("1002")
    bench.advance(2)
    callee.answer()
    bench.advance(30)
    bench.restart()
    office.attach()  # another process: it knows what the journal has
    office.records.restore()
    bench.advance(30)
    caller.hang_up()
    office.settled()
    came, went = office.row("in"), office.row("out")
    for row in (came, went):
        assert (row.caller, row.called) == ("1001", "1002")
        assert row.started == pytest.approx(start, abs=0.01)
        assert row.answered == pytest.approx(start + 2, abs=0.01)
        assert row.ended == pytest.approx(start + 62, abs=0.01)
        assert row.codec in ("PCMU", "PCMA")
        assert row.sip_call_id
    assert came.call_id == went.call_id


def test_calls_are_found_by_ids_and_numbers_and_forgotten_in_the_end(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cti.call_records._REMEMBERED", 20)
    bench, records = office.bench, office.records
    caller, callee = bench.phone("1001"), bench.phone("1002")
    for _ in range(3):
        caller.call("1002")
        callee.answer()
        callee.hang_up()
        office.settled()
    calls = list(dict.fromkeys(row.call_id for row in office.rows))
    assert records.calls_of("1002") == calls[::-1]
    assert records.calls_of(calls[1]) == [calls[1]]
    assert records.calls_of(office.rows[0].leg_id) == [calls[0]]
    assert records.calls_of(f"of-{calls[2]}") == [calls[2]]
    assert records.calls_of("7777") == []
    legs = records.legs_of(records.calls_of(calls[1])[0])
    assert [len(leg.call_ids) for leg in legs] == [1, 1]
    for _ in range(30):
        caller.call("1002")
        callee.reject(486)
        office.settled()
        office.rows.clear()
    assert len(records._of_call) <= 21
