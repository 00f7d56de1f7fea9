"""From contacts to public events to rows: the course of a contact as people see it and as it is kept."""

from __future__ import annotations

from msgspec.structs import replace

from acd.model import AgentSettings, QueueName
from crm_store.rows import HistoryRow, InteractionRow, NoteRow, RecordingRow, TimelineRow
from cti.agent_views import AgentViews
from cti.bus import Bus
from cti.history import HistoryProjection
from cti.schema import (
    AgentFiguresView,
    CustomerCard,
    Event,
    EventType,
    NoteAdded,
    RecordingView,
)
from cti.translate import Translator
from switch.calls.causes import EndCause, Result
from switch.calls.events import CallRefused, GatewayChanged, RecordingClosed
from switch.calls.fan_out import FanOut
from switch.ids import RecordingId
from tests.acd.call_centre import MENU, RECORDED, CallCentre
from tests.acd.hand_switch import Leg
from tests.acd.scene import ANN, BOB, CY


class Told:
    """A centre whose reports become events and rows, as in the server."""

    def __init__(self) -> None:
        self.centre = CallCentre()
        self.events: list[Event] = []
        self.rows: list[HistoryRow] = []
        clock = self.centre.clock
        bus = Bus(wall=clock.wall)
        bus.listen(self.events.append)
        history = HistoryProjection(
            append=self.rows.append, agent_name=lambda agent: f"No. {agent}", recording_path=str
        )
        bus.listen(history.on_event)
        self.bus = bus
        offset = clock.wall() - clock.now()
        self.translator = Translator(
            bus=bus,
            wall_of=lambda at: at + offset,
            agents=AgentViews(
                bus=bus,
                wall_of=lambda at: at + offset,
                agents=[
                    AgentSettings(agent=name, name=name, queues=(QueueName("sales"),))
                    for name in (ANN, BOB, CY)
                ],
                at=clock.now(),
            ),
            queue_titles={"sales": "Sales", "support": "Support"},
        )
        self._reported = 0

    def tell(self) -> None:
        """Pass on what was reported since."""
        reports = self.centre.reports
        for report in reports[self._reported :]:
            self.translator.report(report)
        self._reported = len(reports)

    def course(self) -> list[EventType]:
        """The events of interactions, without those of agents and queues."""
        self.tell()
        return [
            event.type
            for event in self.events
            if event.interaction_id is not None and event.type is not EventType.AGENT_STATE_CHANGED
        ]

    def talk(self, entry: str = RECORDED) -> Leg:
        self.centre.desk(ANN)
        self.centre.phones(ANN)
        caller = self.centre.call(entry)
        phone = self.centre.switch.phone_leg(ANN)
        self.centre.switch.ringing(phone)
        self.centre.switch.confirm(phone)
        self.centre.settle()
        self.tell()
        return caller

    def merged(self) -> dict[str, object]:
        """The interaction as all its rows together say."""
        known: dict[str, object] = {}
        for row in self.rows:
            if isinstance(row, InteractionRow):
                fields = {name: getattr(row, name) for name in InteractionRow.__struct_fields__}
                known |= {name: value for name, value in fields.items() if value is not None}
        return known


def closed(recording: str) -> RecordingClosed:
    return RecordingClosed(
        recording=RecordingId(recording),
        call="call",  # type: ignore[arg-type]  # an id
        at=1010.0,
        path="x.wav",
        duration_ms=7000,
        octets=112_000,
        sha256="abc",
    )


def test_a_conversation_is_told_in_order_and_kept_whole() -> None:
    told = Told()
    caller = told.talk()
    told.centre.advance(7.0)
    recording = next(iter(told.centre.switch.recordings))
    told.centre.switch.end(caller)
    told.centre.settle()
    assert told.course() == [
        EventType.INTERACTION_STARTED,
        EventType.QUEUED,
        EventType.OFFERED,
        EventType.DELIVERED,
        EventType.ESTABLISHED,
        EventType.RECORDING_STARTED,
        EventType.CONNECTION_CLEARED,
        EventType.INTERACTION_ENDED,
    ]
    kept = told.merged()
    assert (kept["direction"], kept["queue"], kept["agent_id"], kept["agent_name"]) == (
        "inbound",
        "sales",
        ANN,
        f"No. {ANN}",
    )
    assert (kept["result"], kept["talked_s"]) == ("answered", 7.0)
    assert len([row for row in told.rows if isinstance(row, TimelineRow)]) == len(told.course())
    told.translator.recording_closed(closed(recording))
    (row,) = [row for row in told.rows if isinstance(row, RecordingRow)]
    assert (row.caller_number, row.agent_id, row.queue, row.duration_s, row.path) == (
        "+12025550101",
        ANN,
        "sales",
        7.0,
        recording,
    )


def test_a_talk_whose_recording_fails_goes_on_as_one_that_is_not_recorded() -> None:
    told = Told()
    told.talk()
    (view,) = told.translator.interactions()
    assert (view.recorded, view.recording_failed) == (True, False)
    recording = next(iter(told.centre.switch.recordings))
    told.translator.recording_closed(replace(closed(recording), error="disk full"))
    (view,) = told.translator.interactions()
    assert (view.recorded, view.recording_failed) == (False, True)
    (row,) = [row for row in told.rows if isinstance(row, RecordingRow)]
    assert row.error == "disk full"


def test_wrap_up_keeps_the_interaction_for_the_outcome_and_no_longer() -> None:
    told = Told()
    caller = told.talk()
    told.centre.switch.end(caller)
    told.centre.settle()
    told.tell()
    (view,) = told.translator.interactions()
    assert view.stage == "wrap-up"
    told.translator.customer_linked(
        view.interaction_id, CustomerCard(customer_id="c-1", name="Ann Lee"), "picked", 0.0
    )
    assert told.merged()["customer_id"] == "c-1"
    told.centre.advance(5.0)
    told.tell()
    assert told.translator.interactions() == ()
    told.translator.customer_linked(
        view.interaction_id, CustomerCard(customer_id="c-2", name="Late"), "picked", 0.0
    )
    assert told.merged()["customer_id"] == "c-1"


def test_a_missed_offer_is_told_of_the_agent_who_missed_it() -> None:
    told = Told()
    told.centre.phones(ANN, BOB)
    told.centre.call(RECORDED)
    told.centre.switch.end(told.centre.switch.phone_leg(ANN), EndCause(Result.BUSY, "busy", 486))
    told.centre.settle()
    assert told.course() == [
        EventType.INTERACTION_STARTED,
        EventType.QUEUED,
        EventType.OFFERED,
        EventType.DIVERTED,
        EventType.QUEUED,
        EventType.OFFERED,
    ]
    (diverted,) = [event for event in told.events if event.type is EventType.DIVERTED]
    assert diverted.agent_id == ANN
    assert told.translator.interactions()[0].agent_id == BOB


def test_a_wait_is_counted_from_its_beginning_whatever_offers_failed() -> None:
    told = Told()
    began = told.centre.clock.wall()
    told.centre.call(RECORDED)
    told.centre.advance(3.0)
    told.centre.phones(ANN)
    told.tell()
    (offered,) = told.translator.interactions()
    assert (offered.stage, offered.waiting_since) == ("offered", began)
    told.centre.switch.end(told.centre.switch.phone_leg(ANN), EndCause(Result.BUSY, "busy", 486))
    told.centre.settle()
    told.tell()
    (waits,) = told.translator.interactions()
    assert (waits.stage, waits.since, waits.waiting_since) == ("waiting", began + 3.0, began)


def test_a_caller_in_the_menu_is_told_by_its_steps() -> None:
    told = Told()
    caller = told.centre.call(MENU)
    told.centre.switch.end(caller)
    course = told.course()
    assert course[0] is EventType.INTERACTION_STARTED
    assert set(course[1:-1]) == {EventType.FLOW_STEP}
    assert course[-1] is EventType.INTERACTION_ENDED
    assert told.translator.interactions() == ()


def test_queues_show_who_waits_and_since_when() -> None:
    told = Told()
    told.centre.call(RECORDED)
    told.centre.advance(3.0)
    told.centre.call(RECORDED)
    told.tell()
    sales, support = told.translator.queues()
    assert (sales.title, sales.waiting, support.waiting) == ("Sales", 2, 0)
    assert sales.longest_since == told.centre.clock.wall() - 3.0


def test_an_agents_figures_are_its_own() -> None:
    told = Told()
    caller = told.talk()
    told.centre.advance(7.0)
    told.centre.switch.end(caller)
    told.centre.settle()
    told.tell()
    last = {
        event.agent_id: event.data.answered
        for event in told.events
        if isinstance(event.data, AgentFiguresView)
    }
    assert last[ANN] == 1
    assert not last.get(BOB)


def test_states_of_agents_and_queues_are_no_part_of_a_timeline() -> None:
    told = Told()
    told.centre.phones(ANN, BOB, CY)
    told.tell()
    hand_out = FanOut(told.translator.takes)
    hand_out(GatewayChanged(at=1000.0, available=True))
    refused = CallRefused(at=1000.0, status=404, reason="x", called="1", caller_number="")
    hand_out(refused)
    assert told.translator.gateway_available
    assert told.rows == []


def test_a_recording_that_nobody_began_here_is_told_without_an_interaction() -> None:
    told = Told()
    told.translator.recording_closed(closed("foreign"))
    (event,) = told.events
    assert (event.type, event.interaction_id) == (EventType.RECORDING_FINISHED, None)
    assert told.rows == []


def test_a_note_and_a_recording_of_a_former_time_are_kept() -> None:
    told = Told()
    note = NoteAdded(text="called back", author="1001")
    told.bus.publish(EventType.NOTE_ADDED, note, interaction_id="i-old")
    view = RecordingView(recording_id="r-old", duration_s=1.0)
    told.bus.publish(EventType.RECORDING_FINISHED, view, interaction_id="i-old")
    assert [row.text for row in told.rows if isinstance(row, NoteRow)] == ["called back"]
    (row,) = [row for row in told.rows if isinstance(row, RecordingRow)]
    assert (row.path, row.caller_number) == ("r-old", "")
