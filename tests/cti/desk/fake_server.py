"""A server just big enough for desks: the real HTTP and WebSocket, the real schema, no centre.

It plays back what a test puts in and notes which commands came. Times and sequence numbers are
the test's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect

from cti.schema import (
    AgentFiguresView,
    AgentView,
    CampaignView,
    ContactPoint,
    CustomerCard,
    Disposition,
    Event,
    EventData,
    EventType,
    InteractionView,
    ParkReply,
    PastInteraction,
    PhoneCredentials,
    PreviewView,
    Problem,
    QueueView,
    Role,
    ScreenPop,
    SignOnReply,
    SignOnRequest,
    Snapshot,
    SupervisionView,
)
from tests.kit.patience import PATIENCE_S

NUMBER = "+12025550123"


def anna() -> CustomerCard:
    """A customer with a history."""
    now = time.time()
    return CustomerCard(
        customer_id="c-1",
        name="Anna Lindqvist",
        company="Nordwind Kaffee GmbH",
        tier="gold",
        language="en",
        contact_points=(
            ContactPoint(kind="phone", value=NUMBER, label="mobile"),
            ContactPoint(kind="email", value="anna@example.com"),
        ),
        remarks="Prefers to be called in the morning.",
        recent=(
            PastInteraction(
                interaction_id="i-1",
                at=now - 86_400 * 2,
                channel="voice",
                queue="sales",
                agent_name="Bo Chen",
                disposition="order",
                summary="Ordered two machines, delivery in week 48",
                note="Ordered two machines, delivery in week 48",
                result="answered",
                talked_s=252,
                recorded=True,
            ),
            PastInteraction(
                interaction_id="i-0",
                at=now - 86_400 * 9,
                channel="voice",
                queue="support",
                agent_name=None,
                disposition=None,
                summary="abandoned after 35 s",
                result="abandoned",
                waited_s=35,
                talked_s=0,
                recorded=False,
            ),
        ),
    )


def pop(customer: CustomerCard | None = None, **changes: Any) -> ScreenPop:
    """The card of the contact `i-7`."""
    card = ScreenPop(
        interaction_id="i-7",
        channel="voice",
        queue="sales",
        queue_title="Sales",
        caller_number=NUMBER,
        caller_name="",
        called="4000",
        waited_s=42,
        why="Longest idle of 2 free agents in Sales (3:12)",
        facts={"language": "en", "choice": "1 Sales"},
        customer=customer,
    )
    return replace(card, **changes)


def interaction(stage: str = "talking", **changes: Any) -> InteractionView:
    """The live interaction `i-7`."""
    now = time.time()
    view = InteractionView(
        interaction_id="i-7",
        channel="voice",
        stage=stage,
        since=now,
        started=now - 60,
        caller_number=NUMBER,
        caller_name="",
        called="4000",
        queue="sales",
        agent_id="1001",
        customer_name="Anna Lindqvist",
        recorded=True,
    )
    return replace(view, **changes)


class _Server(uvicorn.Server):
    """Tells when it accepts connections, and ends when told to instead of at its next look."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self.leave = asyncio.Event()

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """Bind, then tell."""
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        """Serve until told to leave."""
        await self.on_tick(0)
        await self.leave.wait()

    async def shutdown(self, sockets: list[Any] | None = None) -> None:
        """Close all connections; those that do not end at once are cut."""
        for server in self.servers:
            server.close()
        state = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                while state.connections or state.tasks:  # noqa: ASYNC110 - uvicorn signals neither
                    await asyncio.sleep(0.002)
        for connection in list(state.connections):
            connection.transport.abort()


class FakeServer:
    """The API on a free port of loopback."""

    def __init__(self) -> None:
        self.role = Role.AGENT
        self.phone: PhoneCredentials | None = None
        self.posts: list[tuple[str, Any]] = []
        """Path below /api/v1 and body of each command that was carried out."""
        self.keys: dict[str, Response] = {}
        self.acks: list[int] = []
        self.refuse: dict[str, Problem] = {}
        """Path to the problem to answer with 409."""
        self.customer = anna()
        self.language = "en"
        self.resumes = True
        """Whether `after` is known; a server that was restarted gives a snapshot."""
        self.password = "desk-1001"
        self.token = "token-1"
        self.queries: list[str] = []
        """Query strings of the streams that were opened."""
        self.events: list[Event] = []
        self.seq = 10
        self.agent = AgentView(
            agent_id="1001",
            name="Mia Berg",
            state="not-ready",
            reason="signed-on",
            since=time.time() - 5,
            queues=("sales",),
            phone_reachable=True,
            desk_connected=True,
        )
        self.pop: ScreenPop | None = None
        self.interactions: tuple[InteractionView, ...] = ()
        self.agents: tuple[AgentView, ...] = ()
        self.campaigns: tuple[CampaignView, ...] = ()
        self.campaigns_loading = False
        self.preview: PreviewView | None = None
        self.supervisions: dict[str, tuple[SupervisionView, ...]] = {}
        self.answers: dict[str, Any] = {}
        """Path below /api/v1 to what a GET there gives."""
        self.queues: tuple[QueueView, ...] = (
            QueueView(
                queue="sales",
                title="Sales",
                waiting=3,
                longest_since=time.time() - 75,
                talking=2,
                agents_signed_on=6,
                agents_available=1,
                entered=120,
                answered=110,
                answered_within=96,
                abandoned=7,
                service_level=0.83,
                average_wait_s=14.2,
                average_talk_s=182,
            ),
            QueueView(
                queue="support",
                title="Support",
                agents_signed_on=4,
                agents_available=2,
                entered=31,
                answered=31,
                answered_within=31,
                service_level=1.0,
            ),
        )
        self._sockets: list[WebSocket] = []
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None
        self.port = 0
        self.changed = asyncio.Event()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Bind (again to the same port after a stop) and serve."""
        config = uvicorn.Config(
            self._app(),
            host="127.0.0.1",
            port=self.port,
            log_level="critical",
            lifespan="off",
            ws="websockets-sansio",
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server._serve())
        await self._server.ready.wait()
        self.port = self._server.servers[0].sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close everything, the streams without a word."""
        assert self._server is not None
        assert self._task is not None
        self._server.leave.set()
        for socket in self._sockets:
            with contextlib.suppress(RuntimeError):
                await socket.close(1012)
        await self._task

    def snapshot(self) -> Snapshot:
        """The state as configured."""
        return Snapshot(
            seq=self.seq,
            at=time.time(),
            role=self.role,
            agents=self.agents or (self.agent,),
            queues=self.queues,
            interactions=self.interactions,
            figures=AgentFiguresView(
                agent_id="1001",
                answered=12,
                missed=1,
                talk_s=2412,
                wrap_up_s=300,
                signed_on_s=9000,
                occupancy=0.72,
                not_ready_s={"break": 900},
            ),
            pop=self.pop,
            dispositions=(
                Disposition(code="order", title={"en": "Order placed", "zh": "已下单"}),
                Disposition(code="callback", title={"en": "Call back later", "zh": "稍后回电"}),
                Disposition(code="complaint", title={"en": "Complaint", "zh": "投诉"}),
            ),
            not_ready_reasons=("break", "lunch", "training"),
            campaigns=self.campaigns,
            campaigns_loading=self.campaigns_loading,
            preview=self.preview,
            supervisions=self.supervisions,
        )

    async def send(self, kind: EventType, data: EventData, **ids: Any) -> int:
        """Send an event to all streams; returns its seq."""
        self.seq += 1
        event = Event(seq=self.seq, id=f"e-{self.seq}", at=time.time(), type=kind, data=data, **ids)
        self.events.append(event)
        for socket in list(self._sockets):
            await self._send(socket, "event", event)
        return self.seq

    async def agent_is(
        self, state: str, reason: str = "", interaction_id: str | None = None
    ) -> None:
        """The agent's state changed."""
        self.agent = replace(
            self.agent,
            state=state,
            reason=reason,
            since=time.time(),
            until=None,
            interaction_id=interaction_id,
        )
        await self.send(EventType.AGENT_STATE_CHANGED, self.agent, agent_id="1001")

    async def say_bye(self, reason: str) -> None:
        """End all streams with a word."""
        for socket in list(self._sockets):
            await socket.send_text(json.dumps({"kind": "bye", "reason": reason}))
            await socket.close()

    async def drop_streams(self) -> None:
        """End all streams without a word."""
        for socket in list(self._sockets):
            await socket.close(1011)

    async def wait_for(self, path: str, timeout_s: float = PATIENCE_S) -> Any:
        """Wait for a command; returns its body."""
        async with asyncio.timeout(timeout_s):
            while True:
                for index, (posted, body) in enumerate(self.posts):
                    if posted == path:
                        del self.posts[index]
                        return body
                self.changed.clear()
                await self.changed.wait()

    async def wait_connected(self, count: int = 1) -> None:
        """Wait until so many streams are open."""
        await self.wait_until(lambda: len(self._sockets) >= count)

    async def wait_until(self, test: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
        """Wait until something holds that a request or a stream changes."""
        async with asyncio.timeout(timeout_s):
            while not test():
                self.changed.clear()
                await self.changed.wait()

    # --- routes ---

    def _app(self) -> FastAPI:
        app = FastAPI()
        app.add_api_route("/healthz", lambda: {"status": "ok"})
        app.add_api_route("/api/v1/sign-on", self._sign_on, methods=["POST"])
        app.add_api_route("/api/v1/snapshot", self._get_snapshot)
        app.add_api_route("/api/v1/customers", self._customers)
        app.add_api_route("/api/v1/{path:path}", self._command, methods=["POST"])
        app.add_api_route("/api/v1/{path:path}", self._answer)
        app.add_api_websocket_route("/api/v1/events", self._stream)
        return app

    async def _sign_on(self, request: Request) -> Response:
        body = msgspec.json.decode(await request.body(), type=SignOnRequest)
        if body.password != self.password:
            problem = Problem(error_id="wrong-credentials", message="Login or password is wrong.")
            return _json(problem, 401)
        return _json(
            SignOnReply(
                token=self.token,
                expires=time.time() + 3600,
                login=body.login,
                name="Mia Berg",
                role=self.role,
                agent_id="1001" if self.role is Role.AGENT else None,
                phone=self.phone,
                language=self.language,
            )
        )

    async def _get_snapshot(self) -> Response:
        return _json(self.snapshot())

    async def _customers(self, number: str = "", name: str = "") -> Response:
        return _json([self.customer] if number == NUMBER or name else [])

    async def _answer(self, path: str) -> Response:
        if path not in self.answers:
            return _json(Problem(error_id="not-found", message=f"No {path} here."), 404)
        return _json(self.answers[path])

    async def _command(self, path: str, request: Request) -> Response:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return _json(Problem(error_id="token", message="Sign on again."), 401)
        key = request.headers["Idempotency-Key"]
        if key in self.keys:
            return self.keys[key]
        if path in self.refuse:
            return _json(self.refuse[path], 409)
        body = await request.body()
        self.posts.append((path, json.loads(body) if body else None))
        self.changed.set()
        reply = Response(status_code=202)
        if path == "agents/me/state":
            reply = _json(self.agent)
        elif path.endswith("/park"):
            reply = _json(ParkReply(slot="701"))
        elif path.endswith("/customer"):
            reply = _json(self.customer)
        self.keys[key] = reply
        return reply

    async def _stream(self, socket: WebSocket) -> None:
        if socket.query_params.get("token") != self.token:
            await socket.close(1008)
            return
        await socket.accept()
        self.queries.append(str(socket.query_params))
        after = socket.query_params.get("after")
        if after is None or not self.resumes:
            await self._send(socket, "snapshot", self.snapshot())
        else:
            for event in self.events:
                if event.seq > int(after):
                    await self._send(socket, "event", event)
        self._sockets.append(socket)
        self.changed.set()
        try:
            while True:
                self.acks.append(json.loads(await socket.receive_text())["seq"])
                self.changed.set()
        except WebSocketDisconnect:
            pass
        finally:
            self._sockets.remove(socket)
            self.changed.set()

    async def _send(self, socket: WebSocket, kind: str, body: Any) -> None:
        await socket.send_text(msgspec.json.encode({"kind": kind, kind: body}).decode())


def _json(body: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
