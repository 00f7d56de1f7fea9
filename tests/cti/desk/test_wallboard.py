"""The wallboard against real HTTP and WebSocket."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from textual.renderables.digits import Digits

from cti.desk.state import DeskState
from cti.desk.supervisor.app import WallboardApp, WallboardOptions
from cti.desk.supervisor.contact_list import ContactList, in_order
from cti.desk.supervisor.summary import Summary, service_level
from cti.desk.supervisor.ticker import Ticker, describe
from cti.desk.text import Words
from cti.schema import (
    AgentView,
    BanView,
    Cleared,
    Diverted,
    Event,
    EventData,
    EventType,
    GatewayView,
    Offered,
    PartyView,
    QueueView,
    Refused,
    Role,
)
from tests.cti.desk.campaigns_kit import attempt, campaign, preview, record
from tests.cti.desk.fake_server import FakeServer, interaction
from tests.cti.desk.screens import screen_text, sees, until


def agents(count: int) -> tuple[AgentView, ...]:
    states = ("talking", "available", "not-ready", "ringing", "wrap-up")
    return tuple(
        AgentView(
            agent_id=str(1001 + i),
            name=f"Agent {i}",
            state=states[i % 5],
            reason="lunch" if states[i % 5] == "not-ready" else "",
            since=time.time() - 100 - i,
            queues=("sales",),
            interaction_id="i-7" if i == 0 else None,
        )
        for i in range(count)
    )


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    server = FakeServer()
    server.role = Role.SUPERVISOR
    server.agents = agents(5)
    server.interactions = (interaction(agent_id="1001"),)
    await server.start()
    yield server
    await server.stop()


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_floor_is_seen_at_a_glance_and_stays_live(
    server: FakeServer, size: tuple[int, int], language: str
) -> None:
    server.language = language
    english = language == "en"
    app = WallboardApp(WallboardOptions(server=server.url, login="super", password="desk-1001"))
    async with app.run_test(size=size, notifications=True) as pilot:
        await server.wait_connected()
        await sees(pilot, "Sales", "Support", "83 %", "1/6", "Agent 0", "Anna Lindqvist")
        words = ("Talking", "Not ready · lunch", "Ringing", "Wrap-up", "service level", "Lost")
        chinese = ("通话中", "示忙 · 午餐", "振铃", "话后处理", "服务水平", "放弃")
        await sees(pilot, *(words if english else chinese))
        offered = interaction("offered", agent_id="1002")
        await server.send(
            EventType.OFFERED,
            Offered(interaction=offered, rule="longest-idle", why="why"),
            agent_id="1002",
            interaction_id="i-7",
        )
        line = (
            "Anna Lindqvist is offered to Agent 1" if english else "Anna Lindqvist 分配给 Agent 1"
        )
        await sees(pilot, line)
        changed = replace(server.queues[0], waiting=9, service_level=0.41)
        await server.send(EventType.QUEUE_CHANGED, changed, queue="sales")
        await sees(pilot, "41 %")
        gone = replace(server.agents[4], state="logged-out")
        await server.send(EventType.AGENT_STATE_CHANGED, gone, agent_id="1005")
        await until(pilot, lambda: ("Wrap-up" if english else "话后处理") not in screen_text(app))


async def test_what_does_not_fit_is_counted(server: FakeServer) -> None:
    server.agents = agents(60)
    app = WallboardApp(WallboardOptions(server=server.url, login="super", password="desk-1001"))
    async with app.run_test(size=(80, 24)) as pilot:
        await server.wait_connected()
        await sees(pilot, "and 5")
        await pilot.press("f1")
        await sees(pilot, "Close the wallboard", "The wallboard only shows")
        assert "desk" not in screen_text(app)
        assert "Notes" not in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: "Show this page" not in screen_text(app))
        await pilot.press("q")
        await until(pilot, lambda: not app.is_running)


async def test_who_else_is_on_a_call_stands_beside_its_customer(server: FakeServer) -> None:
    parties = (PartyView(number="1026", state="joined", name="Agent 1026"),)
    server.interactions = (interaction(agent_id="1001", parties=parties),)
    app = WallboardApp(WallboardOptions(server=server.url, login="super", password="desk-1001"))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Anna Lindqvist  + Agent 1026")


async def test_an_agent_is_sent_to_the_desk(server: FakeServer) -> None:
    server.role = Role.AGENT
    app = WallboardApp(WallboardOptions(server=server.url, login="1001", password="desk-1001"))
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "The wallboard needs a supervisor's login.")


def test_events_are_put_into_words() -> None:
    server = FakeServer()
    state = DeskState(
        agents={"1001": server.agent},
        queues={queue.queue: queue for queue in server.queues},
        interactions={"i-7": interaction()},
    )

    def said(kind: EventType, data: EventData, agent_id: str | None = "1001") -> str:
        event = Event(
            seq=1,
            id="e",
            at=0,
            type=kind,
            data=data,
            interaction_id="i-7",
            agent_id=agent_id,
        )
        line = describe(event, state, Words("en"))
        return line[0] if line is not None else ""

    by_agent = Cleared(result="answered", reason="agent-hung-up", talked_s=61)
    over = "Anna Lindqvist (Sales): call over after 1:01, "
    assert said(EventType.CONNECTION_CLEARED, by_agent) == over + "the agent hung up"
    dialled = interaction("direct", caller_number="1002", called="1002", customer_name="")
    assert said(EventType.INTERACTION_STARTED, dialled) == "Mia Berg calls 1002"
    nameless = replace(dialled, agent_id="201", called="202")
    assert said(EventType.INTERACTION_STARTED, nameless) == "Agent 201 calls 202"
    for_campaign = interaction("waiting", campaign="spring")
    assert (
        said(EventType.INTERACTION_STARTED, for_campaign) == "Anna Lindqvist is called for spring"
    )
    told = "spring: +1 202 555 0123 abandoned: no agent in time"
    assert said(EventType.ATTEMPT_ENDED, attempt("abandoned")) == told
    assert said(EventType.ATTEMPT_ENDED, attempt("busy")) == ""
    started = interaction("menu")
    assert said(EventType.INTERACTION_STARTED, started) == "Anna Lindqvist calls 4000"
    assert said(EventType.QUEUED, interaction("waiting")) == "Anna Lindqvist waits in Sales"
    assert said(EventType.ESTABLISHED, interaction()) == "Mia Berg talks to Anna Lindqvist"
    assert said(EventType.HELD, interaction()) == ""
    diverted = Diverted(failure="no-answer", rang_s=20)
    assert said(EventType.DIVERTED, diverted) == "Mia Berg did not take it: no answer"
    cleared = Cleared(result="answered", reason="caller-hung-up", talked_s=61)
    assert said(EventType.CONNECTION_CLEARED, cleared) == over + "the caller hung up"
    strange = Cleared(result="answered", reason="odd-thing", talked_s=61)
    assert said(EventType.CONNECTION_CLEARED, strange) == over + "odd thing"
    assert said(EventType.INTERACTION_ENDED, cleared) == ""
    abandoned = Cleared(result="abandoned", reason="caller-hung-up", waited_s=35)
    assert "hung up after 0:35 of waiting" in said(EventType.INTERACTION_ENDED, abandoned)
    lost = GatewayView(available=False, lost_legs=4)
    assert said(EventType.GATEWAY_CHANGED, lost) == "media gateway lost, 4 legs ended"
    refused = Refused(status=404, reason="unknown number", called="4999", caller_number="x")
    assert said(EventType.CALL_REFUSED, refused) == "call to 4999 refused: 404 unknown number"
    ban = BanView(source="198.51.100.7", reason="flood", words="x", since=0, until=600)
    shut_out = "198.51.100.7 is shut out for 10 min: too many messages a second"
    assert said(EventType.SOURCE_BANNED, ban) == shut_out
    assert said(EventType.SOURCE_UNBANNED, ban) == "198.51.100.7 may come in again"
    assert said(EventType.AGENT_STATE_CHANGED, replace(server.agent, state="talking")) == ""


def test_a_record_before_an_agent_is_told_in_words_of_its_own() -> None:
    view = interaction(
        "offered", campaign="spring", agent_first=True, customer_name="", caller_name="Ada Ames"
    )
    state = DeskState(
        agents={"1001": FakeServer().agent},
        queues={queue.queue: queue for queue in FakeServer().queues},
        interactions={"i-7": view},
        campaigns={"spring": campaign()},
    )

    def said(kind: EventType, data: EventData) -> str:
        event = Event(
            seq=1, id="e", at=0, type=kind, data=data, interaction_id="i-7", agent_id="1001"
        )
        line = describe(event, state, Words("en"))
        return line[0] if line is not None else ""

    assert said(EventType.INTERACTION_STARTED, view) == "", "nobody is called yet"
    assert said(EventType.QUEUED, view) == "", "nobody waits"
    shown = Offered(interaction=view, rule="preferred-agent", why="why")
    assert said(EventType.OFFERED, shown) == "Ada Ames is shown to Mia Berg for Spring offer"
    reading = preview(card=record(name="Ada Ames"))
    assert said(EventType.PREVIEW_OFFERED, reading) == ""
    dialled = replace(reading, step="dialling")
    assert said(EventType.PREVIEW_OFFERED, dialled) == "Ada Ames is called for Spring offer"
    assert said(EventType.DIVERTED, Diverted(failure="withdrawn", rang_s=0.0)) == ""
    for reason, words in (
        ("finished", "its campaign is over"),
        ("not-dialled", "the time to read is over"),
        ("wrong-data", "skipped, the record is wrong"),
        ("agent-gone", "the agent did not take the call"),
        ("odd-thing", "odd thing"),
    ):
        over = Cleared(result="cancelled", reason=reason, was_dialled=False)
        told = said(EventType.CONNECTION_CLEARED, over)
        assert told == f"Ada Ames was not dialled: {words}"
    busy = Cleared(result="busy", reason="busy")
    assert said(EventType.CONNECTION_CLEARED, busy) == "Ada Ames was not reached: busy"
    talked = replace(view, agent_first=False, stage="talking")
    assert said(EventType.ESTABLISHED, talked) == "Mia Berg talks to Ada Ames"


def test_a_dial_is_told_once_however_often_its_card_changes() -> None:
    ticker = Ticker(Words("en"), time.time)
    state = DeskState()
    dialling = preview("dialling")
    told = (dialling, replace(dialling, until=None), replace(dialling, attempt_id="i-8"))
    for seq, view in enumerate(told, 1):
        event = Event(
            seq=seq, id="e", at=0.0, type=EventType.PREVIEW_OFFERED, data=view, agent_id="1001"
        )
        state = replace(state, ticker=(event, *state.ticker))
        ticker.show(state)
    assert len(ticker._lines) == 2


async def test_who_was_offered_in_vain_keeps_wait_and_place(server: FakeServer) -> None:
    now = time.time()
    server.interactions = (
        interaction("waiting", interaction_id="i-1", since=now, waiting_since=now - 30),
        interaction("waiting", interaction_id="i-2", since=now - 5, waiting_since=now - 605),
        interaction("offered", interaction_id="i-3", since=now, waiting_since=now - 1205),
    )
    app = WallboardApp(WallboardOptions(server=server.url, login="super", password="desk-1001"))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "waiting  10:", "offered  20:")
        first, second, third = in_order(app.screen.query_one(ContactList).state)
        assert [each.interaction_id for each in (first, second, third)] == ["i-2", "i-1", "i-3"]


async def test_a_record_before_an_agent_is_listed_as_a_preview(server: FakeServer) -> None:
    server.interactions = (interaction("waiting", campaign="spring", agent_first=True),)
    app = WallboardApp(WallboardOptions(server=server.url, login="super", password="desk-1001"))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "preview")


def test_the_service_level_weighs_queues_by_their_contacts() -> None:
    queues = (
        QueueView(
            queue="a", title="A", answered=8, answered_within=8, abandoned=3, abandoned_within=1
        ),
        QueueView(queue="b", title="B", answered=10, answered_within=2),
    )
    state = DeskState(queues={queue.queue: queue for queue in queues})
    assert service_level(state) == pytest.approx(10 / 20)
    assert service_level(DeskState()) is None


@pytest.mark.parametrize(("width", "is_tall"), [(160, True), (110, False)])
async def test_a_long_wait_is_shown_whole(server: FakeServer, width: int, is_tall: bool) -> None:
    since = time.time() - 2 * 3600 - 15
    server.queues = tuple(replace(queue, longest_since=since) for queue in server.queues)
    app = WallboardApp(WallboardOptions(server=server.url, login="super", password="desk-1001"))
    async with app.run_test(size=(width, 50)) as pilot:
        await server.wait_connected()
        await sees(pilot, "longest wait")

        def longest() -> list[str]:
            lines = [strip.text for strip in app.screen._compositor.render_strips()]
            top = app.screen.query_one(Summary).content_region.y
            return [line[width // 6 : width // 3].strip() for line in lines[top : top + 3]]

        if is_tall:
            least = Digits.get_width("2:00:1") + 1
            await until(pilot, lambda: max(map(len, longest())) >= least, "tall figures")
        else:
            await until(
                pilot,
                lambda: re.search(r"\b2:0\d:\d\d\b", longest()[1]) is not None,
                "plain figures",
            )


async def test_a_reason_has_the_room_that_nobody_else_needs(server: FakeServer) -> None:
    server.agents = tuple(
        replace(agent, state="not-ready", reason="phone-unreachable", interaction_id=None)
        for agent in server.agents
    )
    app = WallboardApp(WallboardOptions(server=server.url, login="super", password="desk-1001"))
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Not ready · phone not reachable", "1:4")


async def test_times_stand_below_each_other_whoever_is_on_a_call(server: FakeServer) -> None:
    server.agents = tuple(
        replace(agent, reason="phone-unreachable") if agent.state == "not-ready" else agent
        for agent in agents(5)
    )
    app = WallboardApp(WallboardOptions(server=server.url, login="super", password="desk-1001"))
    async with app.run_test(size=(150, 40)) as pilot:
        await sees(pilot, "Not ready · phone not reachable")
        lines = [line for line in screen_text(app).splitlines() if re.search(r"● Agent \d", line)]
        ends = {found.end() for line in lines if (found := re.search(r"\d+:\d\d", line))}
        assert len(lines) == 5
        assert len(ends) == 1, lines


def test_a_line_about_an_agent_is_not_said_twice() -> None:
    server = FakeServer()
    state = DeskState(agents={"1001": server.agent})
    ticker = Ticker(Words("en"), time.time)
    for seq, (kind, reason) in enumerate(
        [("available", ""), ("available", ""), ("not-ready", "lunch"), ("available", "")], 1
    ):
        view = replace(server.agent, state=kind, reason=reason)
        event = Event(
            seq=seq, id="e", at=0.0, type=EventType.AGENT_STATE_CHANGED, data=view, agent_id="1001"
        )
        state = replace(state, ticker=(event, *state.ticker))
        ticker.show(state)
    said = [text for _, text, _ in reversed(ticker._lines)]
    assert len(said) == 3
    assert "lunch" in said[1]
