"""The desk's state: what each piece of news does to it, and which keys make sense."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cti.client import Connected, ConnectionLost, SignedOnAgain, StreamEnded
from cti.desk.agent.notices import in_words
from cti.desk.keys import DESK_KEYS, hints
from cti.desk.phone_state import PhoneGone, PhoneStage, PhoneStarting, PhoneView
from cti.desk.reduce import reduce
from cti.desk.state import DeskState, Link, allowed_actions
from cti.desk.text import Words
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
    PhoneCredentials,
    QueueView,
    RecordingView,
    Role,
    SignOnReply,
    Snapshot,
    TextReceived,
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
    ("failure", "key"),
    [
        ("no-answer", "notice.missed"),
        ("withdrawn", "notice.withdrawn"),
        ("no-media", "notice.no_media"),
        ("rejected", "notice.refused"),
        ("busy", "notice.refused"),
        ("phone-busy", "notice.refused"),
        ("unreachable", "notice.phone_away"),
    ],
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


def test_a_customer_found_late_is_named_where_the_contact_is_listed() -> None:
    state = reduce(DeskState(), event(EventType.QUEUED, interaction(customer_name="")), NOW)
    linked = CustomerLinked(customer=anna(), how="found")
    (listed,) = state.interactions
    state = reduce(state, event(EventType.CUSTOMER_LINKED, linked, interaction_id=listed), NOW)
    assert state.interactions[listed].customer_name == anna().name


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


@pytest.mark.parametrize("me", ["1001", None])
def test_a_recording_that_fails_is_no_longer_shown_as_one(me: str | None) -> None:
    said = desk(
        event(EventType.ESTABLISHED, interaction(recorded=False)),
        event(EventType.RECORDING_STARTED, RecordingView(recording_id="r")),
        me=me,
    ).interactions["i-7"]
    assert (said.recorded, said.recording_failed) == (True, False)
    failed = event(EventType.RECORDING_FINISHED, RecordingView(recording_id="r", error="disk full"))
    state = desk(event(EventType.ESTABLISHED, said), failed, me=me)
    said = state.interactions["i-7"]
    assert (said.recorded, said.recording_failed) == (False, True)
    assert [notice.key for notice in state.notices] == ["notice.recording_failed"] * (
        me is not None
    )


def test_a_recording_that_ends_whole_was_one() -> None:
    whole = event(EventType.RECORDING_FINISHED, RecordingView(recording_id="r", octets=16_000))
    state = talking(whole)
    assert state.interaction is not None
    assert state.interaction.recorded
    assert not state.notices


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
    muted = reduce(state, event(EventType.MICROPHONE_MUTE, interaction(muted=True)), NOW)
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


def test_after_signing_on_again_the_phone_has_to_register_anew() -> None:
    reply = SignOnReply(
        token="t", expires=1, login="1001", name="", role=Role.AGENT, agent_id="1001", phone=None
    )
    assert desk(SignedOnAgain(reply=reply)) == desk()
    phone_reply = replace(
        reply,
        phone=PhoneCredentials(
            number="1001",
            sip_host="127.0.0.1",
            sip_port=5060,
            transport="udp",
            realm="r",
            one_time_secret="s",
        ),
    )
    state = desk(SignedOnAgain(reply=phone_reply))
    assert state.phone.stage is PhoneStage.REGISTERING
    assert desk(SignedOnAgain(reply=phone_reply), stage=PhoneStage.EXTERNAL) == desk(
        stage=PhoneStage.EXTERNAL
    )


def test_a_direct_call_rings_is_refused_or_answered_and_can_be_held() -> None:
    rings = phone.Incoming(call="in1", from_number="1002", from_name="Bo Chen")
    state = desk(rings, agent_event("engaged"))
    assert (state.mode, state.shown_mode, state.direct_ring) == ("engaged", "ringing", True)
    assert {"answer", "refuse"} <= allowed_actions(state)
    assert "hang_up" not in allowed_actions(state)
    state = reduce(state, phone.Established(call="in1"), NOW)
    assert (state.shown_mode, state.direct_talk) == ("engaged", True)
    assert state.phone.talks_to == ("1002", "Bo Chen")
    assert {"hold", "hang_up"} <= allowed_actions(state)
    state = reduce(state, phone.Held(call="in1", by_far_end=False), NOW)
    assert "resume" in allowed_actions(state)
    assert "hold" not in allowed_actions(state)
    state = reduce(state, phone.Resumed(call="in1"), NOW)
    assert "hold" in allowed_actions(state)
    state = reduce(state, phone.Incoming(call="in2", from_number="1003"), NOW)
    assert (state.shown_mode, state.phone.talks_to[0]) == ("engaged", "1002")
    assert {"refuse"} == allowed_actions(state) & {"refuse", "hang_up"}
    state = reduce(state, phone.Closed(call="in2", status=486, reason=""), NOW)
    assert "hang_up" in allowed_actions(state)


def test_a_ring_with_a_card_is_no_direct_call() -> None:
    assert not talking(phone.Incoming(call="in1", from_number="1")).direct_ring
    offered = desk(agent_event("reserved"), phone.Incoming(call="in1", from_number="1"))
    assert not offered.direct_ring


def test_a_phone_that_dies_loses_its_call_and_says_so() -> None:
    state = talking(phone.Established(call="in1"), phone.Died(exit_code=-9))
    assert state.lost_contact == "i-7"
    assert state.has_lost_call
    assert [notice.key for notice in state.notices] == ["notice.phone_lost_call"]
    again = reduce(state, PhoneStarting(), NOW)
    assert again.has_lost_call  # until the server has ended it
    cleared = Cleared(result="answered", reason="agent-hung-up", talked_s=3)
    again = reduce(again, event(EventType.CONNECTION_CLEARED, cleared), NOW)
    assert again.notices == ()  # nobody hung up
    over = reduce(again, agent_event("wrap-up", interaction_id="i-7"), NOW)
    assert not over.has_lost_call
    idle_again = reduce(over, agent_event("available"), NOW)
    back = reduce(idle_again, event(EventType.SCREEN_POP, pop(anna())), NOW)
    assert not reduce(back, agent_event("talking", interaction_id="i-7"), NOW).has_lost_call
    idle = desk(phone.Died(exit_code=-9))
    assert (idle.lost_contact, idle.notices) == (None, ())


@pytest.mark.parametrize("known", [True, False])
def test_a_number_that_was_not_reached_is_told_even_when_its_call_is_gone(known: bool) -> None:
    cleared = Cleared(result="no-answer", reason="ring-timeout")
    dialled = interaction("direct", queue=None)
    items = [agent_event("engaged"), event(EventType.INTERACTION_STARTED, dialled)] if known else []
    over = event(EventType.CONNECTION_CLEARED, cleared, agent_id="1001")
    state = desk(*items, agent_event("available"), over)
    assert [notice.key for notice in state.notices] == ["notice.dial_failed"]
    other = event(EventType.CONNECTION_CLEARED, cleared, agent_id="1002")
    assert desk(other).notices == ()
    assert desk(over, me=None).notices == ()


def test_a_queue_call_of_ours_that_broke_is_not_called_a_dialled_one() -> None:
    cleared = Cleared(result="failed", reason="gateway-lost")
    state = talking(event(EventType.CONNECTION_CLEARED, cleared))
    assert [notice.key for notice in state.notices] == ["notice.cleared"]


def test_what_somebody_writes_is_shown_in_passing() -> None:
    text = TextReceived(sender="1006", text="call me\nwhen you [b]can[/b]")
    state = talking(event(EventType.TEXT_RECEIVED, text))
    (notice,) = state.notices
    assert in_words(notice, Words("en"), ()) == "1006 writes: call me when you [b]can[/b]"
    long = TextReceived(sender="1006", text="{text} " * 100)
    (notice,) = talking(event(EventType.TEXT_RECEIVED, long)).notices
    assert len(str(notice.values["text"])) == 160


def test_a_store_that_is_away_lets_nobody_be_created() -> None:
    assert "customer" not in allowed_actions(
        talking(event(EventType.SCREEN_POP, pop(lookup_failed=True)))
    )


def test_a_key_shows_one_meaning() -> None:
    wrapping = talking(agent_event("wrap-up", interaction_id="i-7", next_state="not-ready"))
    allowed = allowed_actions(wrapping)
    assert {"finish", "ready"} <= allowed
    shown = hints(DESK_KEYS, allowed)
    assert [hint.verb for hint in shown if hint.shown == "F2"] == ["finish"]


def test_how_it_sounds_is_known_when_it_changed() -> None:
    state = reduce(talking(), event(EventType.QUALITY_CHANGED, interaction(mos=2.9)), NOW)
    assert state.interaction is not None
    assert state.interaction.mos == 2.9
