"""Records of campaigns at the desk: what news of them do, and which keys make sense."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from cti.desk.agent.notices import in_words
from cti.desk.keys import DESK_KEYS, hints
from cti.desk.outbound import TRACK_LENGTH, TrackPoint, tracked
from cti.desk.reduce import reduce
from cti.desk.state import DeskState, allowed_actions
from cti.desk.text import Words
from cti.schema import AgentView, Diverted, EventType
from tests.cti.desk.campaigns_kit import campaign, preview, record
from tests.cti.desk.fake_server import anna, interaction, pop
from tests.cti.desk.test_state import agent_event, desk, event


def reading(step: str = "reading", agent: str = "reserved") -> DeskState:
    return desk(
        agent_event(agent, interaction_id="i-7"), event(EventType.PREVIEW_OFFERED, preview(step))
    )


def test_a_record_is_read_dialled_or_skipped() -> None:
    state = reading()
    assert state.shown_mode == "preview"
    assert {"consent", "skip"} <= allowed_actions(state)
    assert state.card is not None
    assert state.card.caller_name == "Anna Lindqvist"
    shown = {hint.shown: hint.verb for hint in hints(DESK_KEYS, allowed_actions(state))}
    assert (shown["F5"], shown["F8"], shown["^G"]) == ("consent", "skip", "script")
    assert "^L" not in shown, "nobody was spoken to yet"


@pytest.mark.parametrize(
    ("step", "mode"),
    [
        ("calling-agent", "calling-agent"),
        ("dialling", "dialling"),
        ("ringing", "customer-rings"),
        ("talking", "talking"),
    ],
)
def test_the_state_says_how_far_the_call_is(step: str, mode: str) -> None:
    state = reading(step, agent="talking")
    assert state.shown_mode == mode
    assert "consent" not in allowed_actions(state)
    assert "hang_up" in allowed_actions(state)


def test_a_record_that_is_over_leaves_the_desk_and_says_why() -> None:
    over = preview("over", outcome="no-answer", reason="rang for 25 s")
    state = reduce(reading("ringing"), event(EventType.PREVIEW_OFFERED, over), 1000.0)
    assert state.preview is None
    assert [in_words(n, Words("en"), ()) for n in state.notices] == [
        "Anna Lindqvist: nobody answered"
    ]
    done = preview("over", outcome="connected")
    state = reduce(reading("talking"), event(EventType.PREVIEW_OFFERED, done), 1000.0)
    assert state.notices == ()


def test_a_customer_who_does_not_answer_is_no_caller_who_hung_up() -> None:
    withdrawn = event(EventType.DIVERTED, Diverted(failure="withdrawn", rang_s=25), agent_id="1001")
    assert reduce(reading("ringing"), withdrawn, 1000.0).notices == ()
    missed = event(EventType.DIVERTED, Diverted(failure="no-answer", rang_s=20), agent_id="1001")
    state = reduce(reading("calling-agent"), missed, 1000.0)
    assert [notice.key for notice in state.notices] == ["notice.missed"]


def test_the_record_of_another_agent_is_not_shown() -> None:
    other = replace(preview(), agent_id="1002")
    assert desk(event(EventType.PREVIEW_OFFERED, other)).preview is None


def test_during_the_talk_a_call_back_and_the_campaigns_outcomes_are_offered() -> None:
    state = desk(
        agent_event("ringing", interaction_id="i-7"),
        event(EventType.SCREEN_POP, pop(anna(), outbound=record())),
        agent_event("talking", interaction_id="i-7"),
        event(EventType.ESTABLISHED, interaction()),
    )
    assert {"later", "script", "disposition"} <= allowed_actions(state)
    assert [each.code for each in state.offered_dispositions] == ["order", "refused"]
    inbound = replace(state, pop=pop(anna()))
    assert not {"later", "script"} & allowed_actions(inbound)


def test_records_are_taken_by_hand_and_clicks_given_where_campaigns_ask_for_it() -> None:
    manual = event(EventType.CAMPAIGN_CHANGED, campaign("by-hand", mode="manual"))
    assert "take" in allowed_actions(desk(manual))
    clicked = event(EventType.CAMPAIGN_CHANGED, campaign("click", human_initiated=True))
    assert "click" in allowed_actions(desk(clicked))
    assert "click" not in allowed_actions(
        desk(event(EventType.CAMPAIGN_CHANGED, campaign(human_initiated=True, ahead=0)))
    )
    paused = event(EventType.CAMPAIGN_CHANGED, campaign("by-hand", mode="manual", state="paused"))
    assert "take" not in allowed_actions(desk(paused))
    assert "take" not in allowed_actions(desk(agent_event("talking"), manual))
    assert "take" not in allowed_actions(desk(agent_event("not-ready"), manual))


def test_a_wallboard_keeps_the_course_of_each_campaign() -> None:
    news = event(EventType.CAMPAIGN_CHANGED, campaign())
    assert len(desk(news, news, me=None).tracks["spring"]) == 2
    assert desk(news).tracks == {}


def test_the_course_is_sampled_and_bounded() -> None:
    track: tuple[TrackPoint, ...] = ()
    for second in range(5 * TRACK_LENGTH + 500):
        track = tracked(track, campaign(in_flight=second), float(second))
    assert len(track) == TRACK_LENGTH
    assert track[-1].in_flight == 5 * TRACK_LENGTH + 499
    assert {later.at - sooner.at for sooner, later in pairwise(track[:-1])} == {5.0}


def test_an_agent_at_rest_shows_no_old_step() -> None:
    me = AgentView(
        agent_id="1001", name="Mia", state="wrap-up", reason="", since=0.0, queues=("sales",)
    )
    state = replace(reading("ringing"), agents={"1001": me})
    assert state.shown_mode == "wrap-up"


@pytest.mark.parametrize(
    ("step", "outcome", "reason", "told"),
    [
        ("reading", "agent-gone", "not-now", "Anna Lindqvist: skipped"),
        (
            "reading",
            "agent-gone",
            "not-dialled",
            "Anna Lindqvist: the record went back, the time to read is over",
        ),
        (
            "reading",
            "agent-gone",
            "paused",
            "Anna Lindqvist: the record went back, its campaign was paused",
        ),
        ("reading", "agent-gone", "lunch", "Anna Lindqvist: the record went back, lunch"),
        (
            "calling-agent",
            "cancelled",
            "outside-window",
            "Anna Lindqvist: the record went back, it is too late to call there",
        ),
        ("ringing", "agent-gone", "given-up", "Anna Lindqvist: given up"),
        ("calling-agent", "agent-gone", "no-answer", "Anna Lindqvist: your phone did not answer"),
    ],
)
def test_only_a_phone_that_was_called_did_not_answer(
    step: str, outcome: str, reason: str, told: str
) -> None:
    over = preview("over", outcome=outcome, reason=reason)
    state = reduce(reading(step), event(EventType.PREVIEW_OFFERED, over), 1000.0)
    assert [in_words(notice, Words("en"), ()) for notice in state.notices] == [told]


def test_news_name_the_customer_the_list_or_the_number() -> None:
    cards = [
        (preview("over", outcome="busy", customer=anna()), "Anna Lindqvist"),
        (preview("over", outcome="busy", card=record(name="Bea")), "Bea"),
        (preview("over", outcome="busy", card=record(name="")), "+1 202 555 0123"),
    ]
    for over, who in cards:
        state = reduce(reading("ringing"), event(EventType.PREVIEW_OFFERED, over), 1000.0)
        assert [notice.values["who"] for notice in state.notices] == [who]
