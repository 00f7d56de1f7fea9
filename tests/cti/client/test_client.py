"""The client against real HTTP and WebSocket connections."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from cti.client import (
    ApiClient,
    ApiError,
    Connected,
    ConnectionLost,
    ServerUnreachableError,
    SignedOnAgain,
    StreamEnded,
    StreamItem,
)
from cti.client_items import decode_event, decode_message
from cti.schema import CustomerRequest, Event, EventType, Problem, Snapshot
from tests.cti.desk.fake_server import NUMBER, FakeServer, pop
from tests.kit.patience import PATIENCE_S


def quick(server: FakeServer, **options: Any) -> ApiClient:
    """A client that tries again at once, near enough."""
    return ApiClient(
        server.url, attempt_delays_s=(0.02, 0.02, 0.02), reconnect_delays_s=(0.05,), **options
    )


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    server = FakeServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def api(server: FakeServer) -> AsyncIterator[ApiClient]:
    async with quick(server) as client:
        await client.sign_on("1001", "desk-1001")
        yield client


class Reader:
    """Reads a stream in the background and hands its items out one by one."""

    def __init__(self, api: ApiClient) -> None:
        self._queue: asyncio.Queue[StreamItem] = asyncio.Queue()
        self._task = asyncio.create_task(self._read(api))

    async def _read(self, api: ApiClient) -> None:
        async for item in api.stream():
            self._queue.put_nowait(item)

    async def next(self) -> StreamItem:
        async with asyncio.timeout(PATIENCE_S):
            return await self._queue.get()

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])


@pytest.fixture
async def reader(api: ApiClient) -> AsyncIterator[Reader]:
    reader = Reader(api)
    yield reader
    await reader.stop()


async def test_a_wrong_password_is_the_servers_problem(server: FakeServer) -> None:
    async with quick(server) as client:
        with pytest.raises(ApiError) as caught:
            await client.sign_on("1001", "nonsense")
    assert caught.value.status == 401
    assert caught.value.problem.error_id == "wrong-credentials"


async def test_commands_carry_their_bodies(server: FakeServer, api: ApiClient) -> None:
    await api.set_state("not-ready", "lunch")
    await api.dial(NUMBER)
    await api.hold("i-7")
    await api.resume("i-7")
    await api.mute("i-7", True)
    await api.digits("i-7", "12#")
    await api.note("i-7", "hello")
    await api.set_disposition("i-7", "order")
    await api.hang_up("i-7")
    await api.phone_lost("i-7")
    await api.extend_wrap_up()
    await api.finish_wrap_up()
    card = await api.link_customer("i-7", CustomerRequest(customer_id="c-1"))
    assert card == server.customer
    assert await api.customers(number=NUMBER) == [server.customer]
    assert [path for path, _ in server.posts] == [
        "agents/me/state",
        "agents/me/dial",
        *[f"interactions/i-7/{v}" for v in ("hold", "resume", "mute", "digits", "notes")],
        "interactions/i-7/disposition",
        "interactions/i-7/hang-up",
        "interactions/i-7/phone-lost",
        "agents/me/wrap-up/extend",
        "agents/me/wrap-up/finish",
        "interactions/i-7/customer",
    ]
    assert server.posts[0][1] == {"state": "not-ready", "reason": "lunch"}
    assert server.posts[4][1] == {"muted": True}


async def test_a_refused_command_tells_why(server: FakeServer, api: ApiClient) -> None:
    server.refuse["interactions/i-7/hold"] = Problem(error_id="over", message="It is over.")
    with pytest.raises(ApiError, match=r"It is over\."):
        await api.hold("i-7")


async def test_a_command_is_repeated_with_the_same_key_and_done_once(server: FakeServer) -> None:
    class LosesReplies(httpx.AsyncHTTPTransport):
        lost = 0

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = await super().handle_async_request(request)
            if request.url.path.endswith("/hold") and self.lost < 2:
                self.lost += 1
                await response.aclose()
                raise httpx.ReadError("connection reset")
            return response

    transport = LosesReplies()
    async with quick(server, transport=transport) as client:
        await client.sign_on("1001", "desk-1001")
        await client.hold("i-7")
    assert transport.lost == 2
    assert [path for path, _ in server.posts] == ["interactions/i-7/hold"]


async def test_no_server_is_told_as_such() -> None:
    async with ApiClient("127.0.0.1:9", attempt_delays_s=(0.02, 0.02)) as client:
        with pytest.raises(ServerUnreachableError, match=r"127\.0\.0\.1:9"):
            await client.sign_on("1001", "desk-1001")
        assert not await client.is_healthy()


async def test_a_stream_is_a_snapshot_then_events_and_resumes_after_a_break(
    server: FakeServer, api: ApiClient, reader: Reader
) -> None:
    assert isinstance(await reader.next(), Connected)
    snapshot = await reader.next()
    assert isinstance(snapshot, Snapshot)
    assert snapshot.agents[0].name == "Mia Berg"
    await server.wait_connected()
    seq = await server.send(EventType.SCREEN_POP, pop(server.customer), agent_id="1001")
    event = await reader.next()
    assert isinstance(event, Event)
    assert event.data == pop(server.customer)
    await api.ack(seq)
    await server.wait_until(lambda: server.acks == [seq])
    await server.drop_streams()
    lost = await reader.next()
    assert isinstance(lost, ConnectionLost)
    assert lost.retry_in_s > 0
    await server.send(EventType.AGENT_STATE_CHANGED, server.agent)  # while nobody listens
    assert isinstance(await reader.next(), Connected)
    missed = await reader.next()
    assert isinstance(missed, Event)
    assert missed.seq == seq + 1
    assert f"after={seq}" in server.queries[1]


async def test_a_refused_token_is_renewed(
    server: FakeServer, api: ApiClient, reader: Reader
) -> None:
    await reader.next()
    await reader.next()
    await server.wait_connected()
    server.token = "token-2"
    await api.hold("i-7")  # signs on again on the way
    server.token = "token-3"
    await server.drop_streams()
    kinds = [type(await reader.next()) for _ in range(5)]
    assert kinds == [ConnectionLost, SignedOnAgain, ConnectionLost, Connected, Snapshot]


async def test_a_server_that_was_restarted_is_signed_on_to_again(
    server: FakeServer, reader: Reader
) -> None:
    await reader.next()
    await reader.next()
    await server.wait_connected()
    server.resumes = False
    await server.drop_streams()
    kinds = [type(await reader.next()) for _ in range(5)]
    assert kinds == [ConnectionLost, Connected, SignedOnAgain, Connected, Snapshot]


async def test_signing_off_elsewhere_ends_the_stream(server: FakeServer, reader: Reader) -> None:
    await reader.next()
    await reader.next()
    await server.wait_connected()
    await server.say_bye("signed-off")
    ended = await reader.next()
    assert ended == StreamEnded(reason="signed-off")


async def test_a_changed_password_ends_the_stream(
    server: FakeServer, api: ApiClient, reader: Reader
) -> None:
    await reader.next()
    await reader.next()
    await server.wait_connected()
    server.token, server.password = "token-2", "another"
    await server.drop_streams()
    assert isinstance(await reader.next(), ConnectionLost)
    assert isinstance(await reader.next(), StreamEnded)


async def test_the_clock_is_the_servers(server: FakeServer) -> None:
    async with ApiClient(server.url, clock=lambda: time.time() - 100) as client:
        await client.sign_on("1001", "desk-1001")
        stream = client.stream()
        assert isinstance(await anext(stream), Connected)
        await anext(stream)
        assert client.server_time() == pytest.approx(time.time(), abs=1)
        await stream.aclose()  # type: ignore[attr-defined]


def test_an_event_of_a_later_version_is_passed_over() -> None:
    text = '{"kind":"event","event":{"seq":1,"id":"e","at":0,"type":"Telepathy","data":{}}}'
    message = decode_message(text)
    assert message.event is not None
    assert decode_event(message.event) is None
