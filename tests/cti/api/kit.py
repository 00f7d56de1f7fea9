"""A small centre in memory on the far side of the API's ports, and a client for it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from argon2 import PasswordHasher
from websockets.asyncio.client import ClientConnection, connect

from cti.api.absent import NobodyBanned
from cti.api.accounts import PasswordAccounts
from cti.api.ports import Account, ApiPorts, ApiSettings
from cti.api.server import ApiServer
from cti.bus import Bus
from cti.errors import Conflict, Invalid, NotFound, Unavailable
from cti.schema import (
    AgentView,
    CustomerCard,
    CustomerRequest,
    DirectoryEntry,
    Event,
    EventType,
    InteractionDetail,
    InteractionView,
    NoteAdded,
    NoteView,
    PhoneCredentials,
    QueueView,
    Role,
    ScreenPop,
    Snapshot,
    TimelineEntry,
)
from tests.kit.patience import PATIENCE_S

SECRET = b"a secret of at least thirty-two bytes"
PASSWORD = "right-password"
CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
_HASH = CHEAP.hash(PASSWORD)


def view(agent_id: str, state: str = "available", reason: str = "") -> AgentView:
    return AgentView(
        agent_id=agent_id,
        name=f"Agent {agent_id}",
        state=state,
        reason=reason,
        since=1.0,
        queues=("sales",),
    )


def screen_pop(interaction_id: str) -> ScreenPop:
    return ScreenPop(
        interaction_id=interaction_id,
        channel="voice",
        queue="sales",
        queue_title="Sales",
        caller_number="+12025550101",
        caller_name="",
        called="4000",
        waited_s=3.0,
        why="longest idle",
        new_customer_number="+12025550101",
    )


@dataclass
class Centre:
    """Floor, customers and history in dictionaries; every command is written down."""

    bus: Bus
    commands: list[tuple[Any, ...]] = field(default_factory=list)
    live: dict[str, str | None] = field(default_factory=dict)
    over: dict[str, str | None] = field(default_factory=dict)
    notes: list[tuple[str, str, str]] = field(default_factory=list)
    cards: dict[str, CustomerCard] = field(default_factory=dict)
    acks: list[tuple[str, int]] = field(default_factory=list)
    desks: list[tuple[str, ...]] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)
    healthy: tuple[bool, str] = (True, "")
    store_is_away: bool = False
    hold_up: asyncio.Event | None = None

    def health(self) -> tuple[bool, str]:
        return self.healthy

    # floor

    def snapshot(self, account: Account) -> Snapshot:
        states = self.states
        everyone = tuple(view(n, states.get(n, "available")) for n in ("1001", "1002"))
        return Snapshot(
            seq=0,
            at=1.0,
            role=account.role,
            agents=tuple(
                a for a in everyone if account.role != "agent" or a.agent_id == account.agent_id
            ),
            queues=(QueueView(queue="sales", title="Sales"),),
            interactions=(),
        )

    def agent_queues(self, agent_id: str) -> frozenset[str]:
        return frozenset({"sales"})

    def directory(self) -> tuple[DirectoryEntry, ...]:
        return (
            DirectoryEntry(kind="agent", id="1001"),
            DirectoryEntry(kind="agent", id="1002"),
            DirectoryEntry(kind="queue", id="sales", name="Sales"),
        )

    def earlier_agents(self, interaction_id: str) -> tuple[str, ...]:
        return ()

    def interaction_agent(self, interaction_id: str) -> str | None:
        if interaction_id in self.live:
            return self.live[interaction_id]
        raise NotFound("no-such-interaction", "There is no such interaction.")

    def set_state(self, agent_id: str, state: str, reason: str) -> AgentView:
        if agent_id not in ("1001", "1002"):
            raise NotFound("no-such-agent", "There is no such agent.", agent=agent_id)
        if state == "not-ready" and reason not in ("break", "lunch"):
            raise Invalid("bad-reason", "The reason is not configured.")
        self.commands.append(("set_state", agent_id, state, reason))
        changed = view(agent_id, state, reason)
        self.bus.publish(EventType.AGENT_STATE_CHANGED, changed, agent_id=agent_id)
        return changed

    def finish_wrap_up(self, agent_id: str) -> None:
        raise Conflict("not-in-wrap-up", "There is no wrap-up to finish.")

    def extend_wrap_up(self, agent_id: str) -> None:
        self.commands.append(("extend_wrap_up", agent_id))

    def dial(self, agent_id: str, number: str) -> None:
        if number == "666":
            raise ZeroDivisionError("a fault of ours")
        self.commands.append(("dial", agent_id, number))

    def hold(self, interaction_id: str, actor: Account) -> None:
        self.commands.append(("hold", interaction_id, actor.login))

    def resume(self, interaction_id: str, actor: Account) -> None:
        self.commands.append(("resume", interaction_id, actor.login))

    def hang_up(self, interaction_id: str, actor: Account) -> None:
        self.commands.append(("hang_up", interaction_id, actor.login))

    def phone_lost(self, interaction_id: str, actor: Account) -> None:
        self.commands.append(("phone_lost", interaction_id, actor.login))

    def mute(self, interaction_id: str, muted: bool, actor: Account) -> None:
        self.commands.append(("mute", interaction_id, muted, actor.login))

    def send_digits(self, interaction_id: str, digits: str, actor: Account) -> None:
        self.commands.append(("send_digits", interaction_id, digits, actor.login))

    def desk_connected(self, agent_id: str, session: str) -> None:
        self.desks.append(("connected", agent_id))

    def desk_gone(self, agent_id: str) -> None:
        self.desks.append(("gone", agent_id))

    def pop_acknowledged(self, agent_id: str, seq: int) -> None:
        self.acks.append((agent_id, seq))

    def phone_credentials(self, agent_id: str) -> PhoneCredentials | None:
        return PhoneCredentials(
            number=agent_id,
            sip_host="127.0.0.1",
            sip_port=5060,
            transport="udp",
            realm="switchroom",
            one_time_secret="once",
        )

    # customers

    async def by_number(self, number: str) -> list[CustomerCard]:
        self._check_store()
        return [card for card in self.cards.values() if card.remarks == number]

    async def by_name(self, name: str) -> list[CustomerCard]:
        self._check_store()
        return [card for card in self.cards.values() if name in card.name]

    async def get(self, customer_id: str) -> CustomerCard:
        self._check_store()
        if customer_id not in self.cards:
            raise NotFound("no-such-customer", "There is no such customer.")
        return self.cards[customer_id]

    async def link(
        self, interaction_id: str, request: CustomerRequest, actor: Account
    ) -> CustomerCard:
        if request.customer_id:
            return await self.get(request.customer_id)
        card = CustomerCard(customer_id=f"c{len(self.cards)}", name=request.name)
        self.cards[card.customer_id] = card
        self.commands.append(("link", interaction_id, card.customer_id))
        return card

    # history

    async def interaction(
        self, interaction_id: str, *, for_supervisor: bool = False
    ) -> InteractionDetail:
        agent = await self.interaction_agent_of_history(interaction_id)
        return InteractionDetail(
            interaction_id=interaction_id,
            channel="voice",
            direction="inbound",
            started=1.0,
            agent_id=agent,
            timeline=(TimelineEntry(seq=1, at=1.0, type="Supervised"),) if for_supervisor else (),
            notes=tuple(
                NoteView(at=1.0, author=author, text=text)
                for owner, text, author in self.notes
                if owner == interaction_id
            ),
        )

    async def interaction_agent_of_history(self, interaction_id: str) -> str | None:
        self._check_store()
        known = {**self.over, **self.live}
        if interaction_id not in known:
            raise NotFound("no-such-interaction", "There is no such interaction.")
        return known[interaction_id]

    async def add_note(self, interaction_id: str, text: str, author: Account) -> None:
        if self.hold_up is not None:
            await self.hold_up.wait()
        self.notes.append((interaction_id, text, author.login))
        self.bus.publish(
            EventType.NOTE_ADDED,
            NoteAdded(text=text, author=author.login),
            interaction_id=interaction_id,
            agent_id=author.agent_id,
        )

    async def set_disposition(self, interaction_id: str, code: str, author: Account) -> None:
        if code not in ("sold", "resolved"):
            raise Invalid("bad-disposition", "This outcome is not configured.", code=code)
        self.commands.append(("disposition", interaction_id, code, author.login))

    def _check_store(self) -> None:
        if self.store_is_away:
            raise Unavailable("store-unavailable", "The store is away; try again.")


class HistoryPort:
    """The history side: one name means another thing on the floor."""

    def __init__(self, centre: Centre) -> None:
        self.interaction = centre.interaction
        self.interaction_agent = centre.interaction_agent_of_history
        self.add_note = centre.add_note
        self.set_disposition = centre.set_disposition


def people() -> list[tuple[Account, str, str]]:
    return [
        (
            Account(login="1001", name="Ann", role=Role.AGENT, agent_id="1001", language="zh"),
            "",
            _HASH,
        ),
        (Account(login="1002", name="Bo", role=Role.AGENT, agent_id="1002"), PASSWORD, ""),
        (Account(login="super", name="Su", role=Role.SUPERVISOR), "", _HASH),
        (Account(login="admin", name="Al", role=Role.ADMINISTRATOR), "", _HASH),
    ]


@dataclass
class Client:
    """One user over real sockets."""

    http: httpx.AsyncClient
    port: int
    token: str = ""

    async def sign_on(self, login: str, password: str = PASSWORD) -> httpx.Response:
        answer = await self.http.post(
            "/api/v1/sign-on", json={"login": login, "password": password}
        )
        if answer.status_code == 200:
            self.token = answer.json()["token"]
        return answer

    async def post(
        self, path: str, body: dict[str, Any] | None = None, *, key: str = ""
    ) -> httpx.Response:
        headers = self._headers()
        if key:
            headers["Idempotency-Key"] = key
        return await self.http.post(path, json=body, headers=headers)

    async def get(self, path: str) -> httpx.Response:
        return await self.http.get(path, headers=self._headers())

    def stream(
        self, after: int | None = None, *, watching: bool = False, **options: Any
    ) -> connect:
        address = f"ws://127.0.0.1:{self.port}/api/v1/events?token={self.token}"
        if after is not None:
            address += f"&after={after}"
        if watching:
            address += "&watch=1"
        return connect(address, open_timeout=PATIENCE_S, close_timeout=1, **options)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


@dataclass
class Running:
    """A server with its centre."""

    centre: Centre
    server: ApiServer
    clients: list[httpx.AsyncClient]

    def client(self) -> Client:
        http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.server.port}", timeout=PATIENCE_S, trust_env=False
        )
        self.clients.append(http)
        return Client(http=http, port=self.server.port)

    @property
    def open_streams(self) -> int:
        assert self.server.app is not None
        return len(self.server.app.state.context.streams)

    def desk(self, agent_id: str) -> Any:
        """What the server knows of an agent's desks."""
        assert self.server.app is not None
        return self.server.app.state.context.desks._desks[agent_id]

    async def signed_on(self, login: str) -> Client:
        client = self.client()
        answer = await client.sign_on(login)
        assert answer.status_code == 200, answer.text
        return client

    def publish(self, agent_id: str, state: str = "available") -> Event:
        return self.centre.bus.publish(
            EventType.AGENT_STATE_CHANGED, view(agent_id, state), agent_id=agent_id
        )

    def pop(self, agent_id: str) -> Event:
        return self.centre.bus.publish(
            EventType.SCREEN_POP, screen_pop("i1"), agent_id=agent_id, interaction_id="i1"
        )

    def started(self, interaction_id: str) -> Event:
        return self.centre.bus.publish(
            EventType.INTERACTION_STARTED,
            InteractionView(
                interaction_id=interaction_id,
                channel="voice",
                stage="menu",
                since=1.0,
                started=1.0,
                caller_number="+12025550101",
                caller_name="x" * 1000,
                called="4000",
            ),
            interaction_id=interaction_id,
        )


@asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[Running]:
    """A server on a free port, stopped at the end. `bans` makes the port of that name from the bus.

    `wall` is the clock of events and tokens.
    """
    bus = Bus(wall=settings.pop("wall", time.time), keep=settings.pop("keep", 20_000))
    bans = settings.pop("bans", lambda bus: NobodyBanned())(bus)
    centre = Centre(bus=bus)
    accounts = PasswordAccounts(people(), hasher=CHEAP)
    ports = ApiPorts(
        accounts=accounts,
        floor=centre,
        customers=centre,
        history=HistoryPort(centre),
        health=centre.health,
        bus=bus,
        bans=bans,
    )
    server = ApiServer(ports, replace(ApiSettings(token_secret=SECRET), **settings))
    await server.start("127.0.0.1", 0)
    run = Running(centre=centre, server=server, clients=[])
    try:
        yield run
    finally:
        for client in run.clients:
            await client.aclose()
        await server.stop()
        accounts.close()


async def receive(stream: ClientConnection) -> dict[str, Any]:
    """The next message."""
    async with asyncio.timeout(PATIENCE_S):
        message: dict[str, Any] = json.loads(await stream.recv())
    return message


async def until(condition: Any) -> None:
    """Let the loop run until something is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - the far side of a socket signals nothing
            await asyncio.sleep(0.005)
