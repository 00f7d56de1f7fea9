from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import msgspec
import pytest
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed, InvalidStatus

from cti.api.server import _WebSocket
from cti.schema import ScreenPop, Snapshot
from tests.cti.api.kit import Running, receive, running, until
from tests.kit.cycles import none_left


@pytest.fixture
async def run() -> AsyncIterator[Running]:
    async with running() as running_server:
        yield running_server


async def test_a_stream_is_a_snapshot_and_then_events_in_order(run: Running) -> None:
    client = await run.signed_on("super")
    before = run.publish("1001")
    async with client.stream() as stream:
        first = await receive(stream)
        assert first["kind"] == "snapshot"
        snapshot = msgspec.convert(first["snapshot"], Snapshot)
        assert snapshot.seq == before.seq
        sent = [run.publish("1001"), run.publish("1002"), run.started("i1")]
        got = [await receive(stream) for _ in sent]
    assert [message["kind"] for message in got] == ["event"] * 3
    assert [message["event"]["seq"] for message in got] == [event.seq for event in sent]
    assert got[2]["event"]["data"]["called"] == "4000"


async def test_the_snapshot_route_and_the_stream_begin_alike(run: Running) -> None:
    client = await run.signed_on("1001")
    over_http = (await client.get("/api/v1/snapshot")).json()
    async with client.stream() as stream:
        assert (await receive(stream))["snapshot"] == over_http
    assert [agent["agent_id"] for agent in over_http["agents"]] == ["1001"]


async def test_agents_get_their_own_and_pops_go_to_the_offered_agent_only(run: Running) -> None:
    agent, other = await run.signed_on("1001"), await run.signed_on("1002")
    supervisor = await run.signed_on("super")
    async with agent.stream() as mine, other.stream() as theirs, supervisor.stream() as all_:
        for stream in (mine, theirs, all_):
            await receive(stream)
        run.started("i1")
        popped = run.pop("1001")
        run.publish("1001", "ringing")
        run.publish("1002", "not-ready")
        message = await receive(mine)
        assert message["event"]["seq"] == popped.seq
        pop = msgspec.convert(message["event"]["data"], ScreenPop)
        assert pop.new_customer_number == "+12025550101"
        assert (await receive(mine))["event"]["data"]["state"] == "ringing"
        assert (await receive(theirs))["event"]["data"]["state"] == "not-ready"
        types = [(await receive(all_))["event"]["type"] for _ in range(3)]
        assert types == ["InteractionStarted", "AgentStateChanged", "AgentStateChanged"]


async def test_acknowledged_pops_reach_the_floor(run: Running) -> None:
    agent, supervisor = await run.signed_on("1001"), await run.signed_on("super")
    async with agent.stream() as mine, supervisor.stream() as watching:
        await receive(mine)
        popped = run.pop("1001")
        seq = (await receive(mine))["event"]["seq"]
        await mine.send(json.dumps({"kind": "ack", "seq": seq}))
        await watching.send(json.dumps({"kind": "ack", "seq": seq}))
        await until(lambda: run.centre.acks)
    assert run.centre.acks == [("1001", popped.seq)]


async def test_a_stream_resumes_after_a_gap(run: Running) -> None:
    client = await run.signed_on("1001")
    async with client.stream() as stream:
        await receive(stream)
        run.publish("1001")
        last = (await receive(stream))["event"]["seq"]
    missed = [run.publish("1001"), run.pop("1001")]
    run.publish("1002")
    async with client.stream(after=last) as stream:
        got = [await receive(stream) for _ in missed]
        assert [message["event"]["seq"] for message in got] == [event.seq for event in missed]
        live = run.publish("1001")
        assert (await receive(stream))["event"]["seq"] == live.seq


async def test_what_is_no_longer_kept_begins_with_a_snapshot() -> None:
    async with running(keep=2) as run:
        client = await run.signed_on("1001")
        old = run.publish("1001")
        for _ in range(5):
            run.publish("1001")
        for after in (old.seq, 1, 2**53):
            async with client.stream(after=after) as stream:
                assert (await receive(stream))["kind"] == "snapshot"


@pytest.mark.parametrize(("token", "after"), [("", None), ("x.y.z", None)])
async def test_bad_tokens_are_refused_at_the_door(
    run: Running, token: str, after: int | None
) -> None:
    client = run.client()
    client.token = token
    with pytest.raises(InvalidStatus) as refused:
        async with client.stream(after=after):
            pass
    assert refused.value.response.status_code == 401
    assert json.loads(refused.value.response.body or b"{}")["error_id"] == "bad-token"


@pytest.mark.parametrize("after", ["-1", "x", "9" * 400, "1.5", "%F0%9F%98%80"])
async def test_a_bad_cursor_is_refused_in_words(run: Running, after: str) -> None:
    client = await run.signed_on("1001")
    client.token += f"&after={after}"
    with pytest.raises(InvalidStatus) as refused:
        async with client.stream():
            pass
    assert refused.value.response.status_code == 422
    assert json.loads(refused.value.response.body or b"{}")["error_id"] == "bad-after"


async def test_sign_off_ends_the_stream_with_a_bye(run: Running) -> None:
    client = await run.signed_on("1001")
    async with client.stream() as stream:
        await receive(stream)
        assert (await client.post("/api/v1/sign-off")).status_code == 204
        assert await receive(stream) == {"kind": "bye", "reason": "signed-off"}
        with pytest.raises(ConnectionClosed):
            await receive(stream)
    assert run.centre.desks == [("connected", "1001"), ("gone", "1001")]


async def test_a_sign_off_while_the_stream_is_accepted_leaves_none_open(
    run: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept = WebSocket.accept
    accepting, go_on = asyncio.Event(), asyncio.Event()

    async def slow(websocket: WebSocket) -> None:
        accepting.set()
        await go_on.wait()
        await accept(websocket)

    monkeypatch.setattr(WebSocket, "accept", slow)
    client = await run.signed_on("1001")

    async def open_it() -> object:
        async with client.stream() as stream:
            return await receive(stream)

    opening = asyncio.create_task(open_it())
    await accepting.wait()
    assert (await client.post("/api/v1/sign-off")).status_code == 204
    go_on.set()
    assert await opening == {"kind": "bye", "reason": "signed-off"}
    assert ("connected", "1001") not in run.centre.desks


async def test_the_stream_ends_when_the_token_runs_out() -> None:
    clock = [1_000_000.0]
    async with running(token_ttl_s=60, wall=lambda: clock[0]) as run:
        client = await run.signed_on("1001")
        clock[0] += 59.8
        async with client.stream() as stream:
            await receive(stream)
            assert await receive(stream) == {"kind": "bye", "reason": "signed-off"}


async def test_a_stopping_server_says_bye_to_everyone(run: Running) -> None:
    client = await run.signed_on("1001")
    async with client.stream() as one, client.stream() as two:
        await receive(one)
        await receive(two)
        last = run.publish("1001")
        stopping = asyncio.create_task(run.server.stop())
        for stream in (one, two):
            assert (await receive(stream))["event"]["seq"] == last.seq
            assert await receive(stream) == {"kind": "bye", "reason": "shutdown"}
            with pytest.raises(ConnectionClosed):
                await receive(stream)
        await stopping
    assert run.centre.desks == [("connected", "1001")], "a stop is not a sign-off"


async def test_nonsense_is_ignored_and_too_much_of_it_ends_the_stream(run: Running) -> None:
    client = await run.signed_on("1001")
    async with client.stream() as stream:
        await receive(stream)
        for text in ("", "{", "[]", '{"kind": "ack", "seq": "x"}', '{"kind": "dance"}', b"\xff"):
            await stream.send(text)
        run.publish("1001")
        assert (await receive(stream))["kind"] == "event"
        for _ in range(20):
            await stream.send("?")
        assert (await receive(stream))["reason"] == "nonsense"
    assert run.centre.acks == []


async def test_too_large_messages_end_the_stream(run: Running) -> None:
    client = await run.signed_on("1001")
    async with client.stream() as stream:
        await receive(stream)
        await stream.send("x" * 100_000)
        with pytest.raises(ConnectionClosed):
            await receive(stream)
    await until(lambda: run.centre.bus.subscriptions == 0)


# --- clients that do not read -------------------------------------------------------------------


async def silent_client(run: Running, token: str) -> socket.socket:
    """A WebSocket that is opened and then never read: small buffers, no library behind it."""
    loop = asyncio.get_running_loop()
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    await loop.sock_connect(raw, ("127.0.0.1", run.server.port))
    request = (
        f"GET /api/v1/events?token={token} HTTP/1.1\r\nHost: localhost\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    await loop.sock_sendall(raw, request.encode())
    head = await loop.sock_recv(raw, 64)
    assert b" 101 " in head
    return raw


async def test_a_client_that_does_not_read_is_cut_off_and_disturbs_nobody() -> None:
    async with running(queue_limit=50, desk_grace_s=0.01) as run:
        slow, quick = await run.signed_on("super"), await run.signed_on("super")
        raw = await silent_client(run, slow.token)
        with raw:
            async with quick.stream() as stream:
                await receive(stream)
                for _ in range(200):  # 40 events of 1.2 kB a turn: more than any buffers take
                    if run.centre.bus.slow:
                        break
                    for _ in range(40):
                        run.started("i1")
                    for _ in range(40):
                        await receive(stream)
                assert run.centre.bus.slow == 1
                assert run.centre.bus.subscriptions == 1
            await until(lambda: run.open_streams == 0)


async def test_a_client_that_does_not_read_and_goes_leaves_no_events_behind() -> None:
    async with running(queue_limit=10_000, desk_grace_s=0.01) as run:
        slow = await run.signed_on("super")
        with await silent_client(run, slow.token):
            (subscription,) = run.centre.bus._subscriptions
            while subscription.waiting < 100:  # more than any buffers take
                run.started("i1")
                await asyncio.sleep(0)
        await until(lambda: run.open_streams == 0)
        assert subscription.waiting == 0
        assert subscription.on_end is None


# --- desks --------------------------------------------------------------------------------------


async def test_a_dropped_connection_that_comes_back_is_no_sign_off() -> None:
    async with running(desk_grace_s=60.0) as run:
        client = await run.signed_on("1001")
        for _ in range(2):
            async with client.stream() as stream:
                await receive(stream)
        async with client.stream() as stream:
            await receive(stream)
            await until(lambda: run.open_streams == 1)
            assert run.centre.desks == [("connected", "1001")]
            assert run.desk("1001").timer is None, "its time runs no more"


async def test_a_desk_that_stays_away_is_gone_after_the_grace_period() -> None:
    async with running(desk_grace_s=0.05) as run:
        client = await run.signed_on("1001")
        async with client.stream() as stream:
            await receive(stream)
        await until(lambda: ("gone", "1001") in run.centre.desks)
        async with client.stream() as stream:
            await receive(stream)
        assert run.centre.desks[:3] == [
            ("connected", "1001"),
            ("gone", "1001"),
            ("connected", "1001"),
        ]


async def test_an_agent_works_at_the_desk_signed_on_last_and_the_other_is_told(
    run: Running,
) -> None:
    one, two = await run.signed_on("1001"), await run.signed_on("1001")
    async with one.stream() as first:
        await receive(first)
        async with two.stream() as second:
            assert (await receive(second))["kind"] == "snapshot"
            assert await receive(first) == {"kind": "bye", "reason": "elsewhere"}
            with pytest.raises(InvalidStatus):
                async with one.stream():
                    pass
            run.publish("1001")
            assert (await receive(second))["kind"] == "event"
            assert ("gone", "1001") not in run.centre.desks


async def test_while_a_call_is_on_another_desk_is_refused(run: Running) -> None:
    one, two = await run.signed_on("1001"), await run.signed_on("1001")
    run.centre.states["1001"] = "talking"
    async with one.stream() as first, two.stream() as second:
        await receive(first)
        assert await receive(second) == {"kind": "bye", "reason": "busy-elsewhere"}
        run.publish("1001")
        assert (await receive(first))["kind"] == "event"


async def test_a_desk_whose_network_is_gone_keeps_nobody_from_the_next() -> None:
    async with running(ping_s=0.5) as run:
        one, two = await run.signed_on("1001"), await run.signed_on("1001")
        run.centre.states["1001"] = "talking"
        raw = await silent_client(run, one.token)
        with raw:
            await until(lambda: run.open_streams == 1)
            async with two.stream() as second:
                assert (await receive(second))["kind"] == "snapshot"
                run.publish("1001")
                assert (await receive(second))["kind"] == "event"
                assert ("gone", "1001") not in run.centre.desks


async def test_who_only_watches_has_no_desk_and_takes_none(run: Running) -> None:
    desk, board = await run.signed_on("1001"), await run.signed_on("1001")
    async with board.stream(watching=True) as watching:
        assert (await receive(watching))["kind"] == "snapshot"
        assert run.centre.desks == []
        async with desk.stream() as working:
            await receive(working)
            async with board.stream(watching=True) as again:
                await receive(again)
                popped = run.pop("1001")
                for stream in (working, watching, again):
                    assert (await receive(stream))["event"]["seq"] == popped.seq
                await again.send(json.dumps({"kind": "ack", "seq": popped.seq + 1}))
                await working.send(json.dumps({"kind": "ack", "seq": popped.seq}))
                await until(lambda: run.centre.acks)
    assert run.centre.acks == [("1001", popped.seq)], "a card on a wallboard is on no desk"


async def test_a_supervisors_stream_is_no_desk(run: Running) -> None:
    client = await run.signed_on("super")
    async with client.stream() as stream:
        await receive(stream)
    assert run.centre.desks == []


async def test_a_client_that_answers_no_ping_is_gone() -> None:
    async with running(ping_s=0.1, desk_grace_s=0.01) as run:
        client = await run.signed_on("1001")
        raw = await silent_client(run, client.token)
        with raw:
            await until(lambda: run.centre.desks == [("connected", "1001"), ("gone", "1001")])
        assert run.centre.bus.subscriptions == 0


async def test_a_stream_that_is_over_leaves_nothing_to_the_collector(run: Running) -> None:
    client = await run.signed_on("super")
    assert run.server._server is not None
    state = run.server._server.server_state

    def over() -> bool:
        return not state.tasks and not any(type(each) is _WebSocket for each in state.connections)

    with none_left(_WebSocket):
        for close_code in (1000, 1001):
            async with client.stream() as stream:
                await receive(stream)
                await stream.close(close_code)
        async with client.stream() as stream:
            await receive(stream)
            stream.transport.abort()
        with pytest.raises(InvalidStatus):
            async with run.client().stream() as stream:
                pass
        await until(over)
