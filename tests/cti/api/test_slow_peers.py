"""Connections that never bring a whole request do not stay."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from cti.api.timed_http import TimedHttp
from tests.cti.api.kit import Running, receive, running
from tests.kit.patience import PATIENCE_S

HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
async def run(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    monkeypatch.setattr(TimedHttp, "whole_s", 0.3)
    async with running() as server:
        yield server


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /heal",
        b"POST /api/v1/sign-on HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
    ],
    ids=["silent", "half a head", "half a body"],
)
async def test_a_request_must_be_whole_in_time(run: Running, begun: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", run.server.port)
    writer.write(begun)
    assert b"200" not in await until_closed(reader)
    writer.close()


async def test_the_second_request_must_be_too(run: Running) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", run.server.port)
    writer.write(HEAD)
    assert b"200 OK" in await reader.readline()
    writer.write(b"GET /heal")
    await until_closed(reader)
    writer.close()


async def test_many_who_say_nothing_take_each_others_place_and_nobody_elses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(TimedHttp, "most_waiting", 5)
    async with running() as server:
        client = await server.signed_on("1001")
        async with client.stream() as stream:
            await receive(stream)
            silent = [
                await asyncio.open_connection("127.0.0.1", server.server.port) for _ in range(8)
            ]
            reader, writer = await asyncio.open_connection("127.0.0.1", server.server.port)
            writer.write(HEAD)
            assert b"200 OK" in await reader.readline()
            for oldest, _ in silent[:4]:
                assert await until_closed(oldest) == b""
            assert server.server._ports.counters.expected == 4
            assert not any(each.at_eof() for each, _ in silent[4:])
            server.publish("1001", "not-ready")
            assert (await receive(stream))["kind"] == "event", "who listens is not among them"
        for _, each in (*silent, (reader, writer)):
            each.close()


async def test_who_asks_and_who_listens_stays(run: Running) -> None:
    client = await run.signed_on("1001")
    async with client.stream() as stream:
        assert (await receive(stream))["kind"] == "snapshot"
        reader, writer = await asyncio.open_connection("127.0.0.1", run.server.port)
        await until_closed(reader)  # whoever says nothing has been cut meanwhile
        writer.close()
        run.publish("1001", "not-ready")
        assert (await receive(stream))["kind"] == "event"
        assert (await client.get("/api/v1/snapshot")).status_code == 200


async def test_nonsense_is_answered_and_not_logged(
    run: Running, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "uvicorn.error"):
        reader, writer = await asyncio.open_connection("127.0.0.1", run.server.port)
        writer.write(b"\x16\x03\x01 no HTTP at all\r\n\r\n")
        assert b"400" in await until_closed(reader)
        writer.close()
    assert caplog.records == []
