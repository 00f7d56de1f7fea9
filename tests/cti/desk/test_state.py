"""The desk's state: what each piece of news does to it, and which keys make sense."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cti.client import Connected, ConnectionLost, SignedOnAgain, StreamEnded
from cti.desk.phone_state import PhoneGone, PhoneStage, PhoneStarting, PhoneView
from cti.desk.state import DeskState, Link, allowed_actions, reduce
from cti.phone import protocol as phone
from cti.schema import (
    AgentView,
    Cleared,
    CustomerLinked,
    DispositionSet,
    Diverted,
    Event,
    EventData,
    EventType,
    GatewayView,
    NoteAdded,
    Offered,
    QueueView,
    RecordingView,
    Role,
    SignOnReply,
    Snapshot,
)
from tests.cti.desk.fake_server import FakeServer, anna, interaction, pop

NOW = 1000.0
ME = AgentView(
    agent_id="1001", name="Mia Berg", state="available", reason="", since=900.0, queues=("sales",)
)


def event(kind: EventType, data: EventData, seq: int = 1, **ids: str) -> Event:
    return Event(
        seq=seq,
        id=f"e-{seq}",
        at=NOW,
        type=kind,
        data=data,
        interaction_id=ids.get("interaction_id", "i-7"),
        agent_id=ids.get("agent_id"),
    )


def agent_event(state: str, **changes: object) -> Event:
    agent = replace(ME, state=state, **changes)  # type: ignore[arg-type]
    return event(EventType.AGENT_STATE_CHANGED, agent)


def desk(
    *items: object, me: str | None = "1001", stage: PhoneStage = PhoneStage.REGISTERED
) -> DeskState:
    state = DeskState(
        me=me, link=Link.UP, agents={"1001": ME}, phone=PhoneView(stage=stage, backend="baresip")
    )
    for item in items:
        state = reduce(state, item, NOW)  # type: ignore[arg-type]
    return state


def talking(*more: object) -> DeskState:
    return desk(
        agent_event("ringing", interaction_id="i-7"),
        event(EventType.SCREEN_POP, pop(anna())),
        agent_event("talking", interaction_id="i-7"),
        event(EventType.ESTABLISHED, interaction()),
        *more,
    )


def test_a_snapshot_replaces_everything() -> None:
    server = FakeServer()
    server.pop = pop(anna())
    server.agent = replace(server.agent, state="talking", interaction_id="i-7")
    server.interactions = (interaction(disposition="order"),)
    state = desk(server.snapshot())
    assert state.mode == "talking"
    assert state.pop == server.pop
    assert state.interaction == server.interactions[0]
    assert state.disposition == "order"
    assert set(state.queues) == {"sales", "support"}
    assert state.link is Link.UP


def test_a_new_snapshot_keeps_what_belongs_to_the_same_contact() -> None:
    note = NoteAdded(text="hello", author="1001")
    before = talking(event(EventType.NOTE_ADDED, note))
    snapshot = Snapshot(
        seq=9,
        at=NOW,
        role=Role.AGENT,
        agents=(replace(ME, state="talking", interaction_id="i-7"),),
        queues=(),
        interactions=(interaction(),),
        pop=before.pop,
    )
    assert reduce(before, snapshot, NOW).notes == (note,)
    assert reduce(before, replace(snapshot, pop=None), NOW).notes == ()


def test_the_card_comes_with_the_pop_and_goes_with_the_contact() -> None:
    state = talking()
    assert state.pop is not None
    assert state.contact_id == "i-7"
    wrapping = reduce(state, agent_event("wrap-up", interaction_id="i-7", until=1005.0), NOW)
    assert wrapping.pop is not None
    done = reduce(wrapping, agent_event("available"), NOW)
    assert done.pop is None
    assert done.contact_id is None


def test_a_pop_that_comes_before_the_state_stays() -> None:
    state = desk(
        event(EventType.SCREEN_POP, pop(anna())),
        agent_event("reserved", interaction_id="i-7"),
        agent_event("ringing", interaction_id="i-7"),
    )
    assert state.pop is not None
    assert state.mode == "ringing"


def test_a_late_card_replaces_an_early_one_of_the_same_contact() -> None:
    note = event(EventType.NOTE_ADDED, NoteAdded(text="hello", author="1001"))
    state = talking(note, event(EventType.SCREEN_POP, pop(anna(), late=True)))
    assert state.pop is not None
    assert state.pop.late
    assert len(state.notes) == 1


@pytest.mark.parametrize(
    ("failure", "key"), [("no-answer", "notice.missed"), ("withdrawn", "notice.withdrawn")]
)
def test_a_failed_offer_clears_the_card_and_tells(failure: str, key: str) -> None:
    state = desk(
        event(EventType.SCREEN_POP, pop(anna())),
        agent_event("ringing", interaction_id="i-7"),
        event(EventType.DIVERTED, Diverted(failure=failure, rang_s=20), agent_id="1001"),
    )
    assert state.pop is None
    assert [notice.key for notice in state.notices] == [key]
    assert reduce(state, Connected(), NOW).notices == ()


def test_someone_elses_diversion_changes_nothing() -> None:
    before = talking()
    diverted = event(EventType.DIVERTED, Diverted(failure="busy", rang_s=1), agent_id="1002")
    assert reduce(before, diverted, NOW).pop == before.pop


def test_a_cleared_conversation_tells_why_and_its_end_removes_it() -> None:
    cleared = Cleared(result="answered", reason="caller-hung-up", talked_s=12)
    state = talking(event(EventType.CONNECTION_CLEARED, cleared))
    assert state.notices[0].values == {"reason": "caller-hung-up"}
    assert state.interaction is not None
    state = reduce(state, event(EventType.INTERACTION_ENDED, cleared), NOW)
    assert state.interaction is None
    assert state.contact_id == "i-7"  # the card stays through the wrap-up


def test_outcome_customer_and_note_land_on_the_card() -> None:
    state = talking(
        event(EventType.DISPOSITION_SET, DispositionSet(code="order", author="1001")),
        event(EventType.NOTE_ADDED, NoteAdded(text="hello", author="1001")),
    )
    assert state.disposition == "order"
    assert state.notes[0].text == "hello"
    unknown = desk(event(EventType.SCREEN_POP, pop(candidates=(anna(), anna()))))
    linked = CustomerLinked(customer=anna(), how="picked")
    state = reduce(unknown, event(EventType.CUSTOMER_LINKED, linked), NOW)
    assert state.pop is not None
    assert state.pop.customer == anna() or state.pop.customer is not None
    assert state.pop.candidates == ()
    assert state.notices[0].key == "notice.customer"


def test_news_of_other_contacts_stay_off_the_card() -> None:
    state = talking(
        event(EventType.NOTE_ADDED, NoteAdded(text="no", author="x"), interaction_id="i-8"),
        event(
            EventType.DISPOSITION_SET, DispositionSet(code="x", author="x"), interaction_id="i-8"
        ),
        event(
            EventType.CUSTOMER_LINKED,
            CustomerLinked(customer=replace(anna(), name="Other"), how="picked"),
            interaction_id="i-8",
        ),
    )
    assert state.notes == ()
    assert state.disposition is None
    assert state.pop is not None
    assert state.pop.customer is not None
    assert state.pop.customer.name != "Other"


def test_an_interaction_that_goes_to_another_agent_leaves_this_desk() -> None:
    state = talking(event(EventType.DELIVERED, interaction(agent_id="1002")))
    assert state.interaction is None


def test_the_connection_is_told() -> None:
    lost = desk(ConnectionLost(retry_in_s=3, attempt=1, reason="gone"))
    assert (lost.link, lost.retry_at) == (Link.LOST, NOW + 3)
    assert reduce(lost, Connected(), NOW).link is Link.UP
    ended = reduce(lost, StreamEnded(reason="signed-off"), NOW)
    assert (ended.link, ended.ended_reason) == (Link.ENDED, "signed-off")
    assert allowed_actions(ended) == {"help", "quit"}


def test_gateway_queue_and_recording_news() -> None:
    queue = QueueView(queue="sales", title="Sales", waiting=5)
    state = desk(
        event(EventType.GATEWAY_CHANGED, GatewayView(available=False, lost_legs=2)),
        event(EventType.QUEUE_CHANGED, queue),
        event(EventType.RECORDING_FINISHED, RecordingView(recording_id="r", error="disk full")),
    )
    assert not state.gateway_available
    assert state.queues["sales"] == queue
    assert state.notices[0].key == "notice.recording_failed"


def test_the_wallboard_keeps_a_ticker_and_forgets_who_signed_off() -> None:
    offered = Offered(interaction=interaction("offered"), rule="longest-idle", why="why")
    state = desk(
        event(EventType.OFFERED, offered, seq=1),
        agent_event("logged-out"),
        me=None,
    )
    assert [each.type for each in state.ticker] == [
        EventType.AGENT_STATE_CHANGED,
        EventType.OFFERED,
    ]
    assert state.agents == {}
    assert "i-7" in state.interactions
    for seq in range(300):
        state = reduce(state, event(EventType.OFFERED, offered, seq=seq), NOW)
    assert len(state.ticker) == 200


def test_the_phone_goes_through_its_life() -> None:
    state = desk(PhoneStarting(), stage=PhoneStage.DIED)
    assert state.phone.stage is PhoneStage.STARTING
    ready = phone.Ready(backend="baresip", version="1", audio="none", port=1)
    state = reduce(state, ready, NOW)
    assert (state.phone.stage, state.phone.has_sound) == (PhoneStage.REGISTERING, False)
    state = reduce(state, phone.RegistrationFailed(status=403, reason="Forbidden"), NOW)
    assert (state.phone.stage, state.phone.detail) == (PhoneStage.FAILED, "403 Forbidden")
    state = reduce(state, phone.Registered(expires_s=120), NOW)
    assert state.phone.stage is PhoneStage.REGISTERED
    state = reduce(state, phone.Incoming(call="in1", from_number="1"), NOW)
    assert "answer" in allowed_actions(state)
    state = reduce(state, phone.Established(call="in1"), NOW)
    assert (state.phone.ringing, state.phone.talking) == (None, "in1")
    assert "hang_up" in allowed_actions(state)
    state = reduce(state, phone.Closed(call="in1", status=200, reason=""), NOW)
    assert state.phone.talking is None
    state = reduce(state, phone.Failed(message="no device"), NOW)
    assert state.notices[0].key == "notice.phone"
    state = reduce(state, phone.Died(exit_code=-6), NOW)
    assert state.phone.stage is PhoneStage.DIED
    state = reduce(state, PhoneGone("again"), NOW)
    assert "restart_phone" in allowed_actions(state)
    assert reduce(state, phone.Unregistered(), NOW).phone.stage is PhoneStage.REGISTERING


@pytest.mark.parametrize(
    ("mode", "able", "unable"),
    [
        ("logged-out", {"ready"}, {"dial", "answer"}),
        ("available", {"not_ready", "dial"}, {"ready", "hold", "save_note"}),
        ("not-ready", {"ready", "dial"}, {"hang_up", "answer"}),
        ("reserved", {"help"}, {"dial", "not_ready"}),
        ("engaged", {"hold", "digits"}, {"finish"}),
        ("wrap-up", {"finish", "not_ready"}, {"hold", "extend"}),
    ],
)
def test_each_state_has_its_keys(mode: str, able: set[str], unable: set[str]) -> None:
    contact = "i-7" if mode in ("engaged", "wrap-up") else None
    allowed = allowed_actions(desk(agent_event(mode, interaction_id=contact)))
    assert able <= allowed
    assert not unable & allowed


def test_keys_follow_hold_mute_and_customer() -> None:
    state = talking()
    assert {"hold", "mute", "hang_up", "digits", "disposition"} <= allowed_actions(state)
    assert "customer" not in allowed_actions(state)
    muted = reduce(state, event(EventType.ESTABLISHED, interaction(muted=True)), NOW)
    assert "unmute" in allowed_actions(muted)
    assert "mute" not in allowed_actions(muted)
    held = reduce(state, agent_event("held", interaction_id="i-7"), NOW)
    assert "resume" in allowed_actions(held)
    unknown = talking(event(EventType.SCREEN_POP, pop()))
    assert "customer" in allowed_actions(unknown)
    direct = desk(
        agent_event("engaged", interaction_id="i-7"),
        event(EventType.HELD, interaction("held", queue=None)),
    )
    assert "resume" in allowed_actions(direct)
    later = talking(agent_event("talking", interaction_id="i-7", next_state="not-ready"))
    assert "ready" in allowed_actions(later)


def test_an_external_phone_is_answered_by_hand() -> None:
    state = desk(agent_event("ringing", interaction_id="i-7"), stage=PhoneStage.EXTERNAL)
    assert not {"answer", "refuse"} & allowed_actions(state)


def test_signing_on_again_changes_nothing_by_itself() -> None:
    reply = SignOnReply(
        token="t", expires=1, login="1001", name="", role=Role.AGENT, agent_id="1001", phone=None
    )
    assert desk(SignedOnAgain(reply=reply)) == desk()
