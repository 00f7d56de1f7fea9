"""`/metrics` of a real server after real calls, read by the client library's own parser."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import msgspec
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families

from cti.bench.server import MeasuredServer, measured_server
from cti.bench.sip_agents import AgentPool
from cti.bench.sip_load import CallerPool
from cti.metrics.families import few
from switch.gateway.protocol import GatewayStats
from tests.kit.patience import PATIENCE_S
from tests.kit.ports import rtp_ports

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]
CALLS = 6


def samples(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float:
    return found[f"switchroom_{name}", frozenset(labels.items())]


async def scrape(server: MeasuredServer, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE_S) as client:
        return await client.get("/metrics", headers=headers)


async def make_calls(server: MeasuredServer, called: str) -> Counter[int]:
    """How many calls ended with each status: a busy machine sheds some."""
    callers = CallerPool(host="127.0.0.1", server=server.sip, rtp_port=9, called=called, talk_s=0.1)
    await callers.open()
    try:
        await callers.run(20.0, CALLS)
        return callers.finished
    finally:
        callers.close()


@contextlib.asynccontextmanager
async def agents_of(server: MeasuredServer) -> AsyncIterator[None]:
    agents = AgentPool(host="127.0.0.1", port=server.agent_port, rtp_port=9)
    await agents.open()
    try:
        yield
    finally:
        agents.close()


@pytest.mark.slow
async def test_calls_are_in_the_figures_and_strangers_do_not_get_them(tmp_path: Path) -> None:
    async with (
        measured_server(tmp_path, rtp_ports=rtp_ports()) as server,
        agents_of(server),
    ):
        seen: Counter[int] = Counter()
        while not (seen[200] and seen[404]):
            seen += await make_calls(server, "4101")
            seen += await make_calls(server, "4999")
        answered, refused = seen[200], seen[404]
        answer = await scrape(server)
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        found = samples(answer.text)
        assert value(found, "calls_ended_total", result="completed") == answered
        assert value(found, "contacts_ended_total", result="answered") == answered
        assert value(found, "queue_answered_total", queue="load") == answered
        assert value(found, "queue_service_level_ratio", queue="load") == 1.0
        assert value(found, "calls_refused_total", reason="unknown-number") == refused
        assert value(found, "sip_responses_sent_total", status="404") == refused
        assert value(found, "sip_messages_received_total", kind="requests") >= 3 * answered
        assert value(found, "sip_messages_sent_total") >= 6 * answered
        assert value(found, "calls") == value(found, "contacts") == 0
        assert value(found, "agents", state="available") == 4000
        assert value(found, "limit", limit="calls") == 5000
        assert value(found, "limit", limit="sip_transactions") == 20_000
        assert 0 < value(found, "limit_used", limit="open_files") < 20_000
        assert value(found, "gateway_up") == value(found, "store_up") == 1
        assert found["process_resident_memory_bytes", frozenset()] > 10 << 20
        assert value(found, "gateway_process_resident_memory_bytes") > 10 << 20

        # The stricter format, asked for with a version that nobody has.
        strict = await scrape(server, Accept="application/openmetrics-text; version=x.y")
        families = {family.name: family for family in open_metrics(strict.text)}  # type: ignore[no-untyped-call]
        assert families["switchroom_calls_ended"].type == "counter"
        assert all(family.documentation for family in families.values())

        # The doctor reads the same page, and does not take the server's own ports for a fault.
        doctor = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cti.cli.main", "doctor",
            "--sip-port", str(server.sip[1]), "--http-port", server.url.rpartition(":")[2],
            "--data-dir", str(tmp_path), stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said = (await doctor.communicate())[0].decode()
        # Without a fault: a machine that is busy with other tests may give it a warning.
        assert said.splitlines()[-1].startswith("The server runs")
        assert "limit: 0 of 5000 calls at a time (0%)" in said
        assert f"refused: {refused} calls, unknown-number" in said
        assert "is free" not in said

        # A proxy on this machine speaks for others: they have to sign on, and be supervisors.
        passed_on = {"X-Forwarded-For": "192.0.2.7"}
        assert (await scrape(server, **passed_on)).status_code == 401
        for login, status in (("1001", 403), ("super", 200)):
            async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE_S) as client:
                who = {"login": login, "password": f"desk-{login}"}
                token = (await client.post("/api/v1/sign-on", json=who)).json()["token"]
            bearer = {"Authorization": f"Bearer {token}"}
            assert (await scrape(server, **passed_on, **bearer)).status_code == status

        # A second after its start the gateway has said everything it counts.
        async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE_S) as client:
            while "switchroom_gateway_legs" not in (text := (await client.get("/metrics")).text):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        found = samples(text)
        assert value(found, "api_sign_ons_total", outcome="signed-on") == 2
        assert value(found, "limit_used", limit="sign_ons") == 0
        gateway = {name for name, _ in samples(text) if name.startswith("switchroom_gateway_")}
        cpu = {"cpu_user_s", "cpu_system_s"}
        counted = {field.name for field in msgspec.structs.fields(GatewayStats)} - cpu
        assert len([name for name in gateway if "_process_" not in name]) >= len(counted) + 2


def test_words_that_are_many_are_put_together() -> None:
    counts = {f"reason-{number}": 2 for number in range(50)}
    assert few(counts, most=3) == {"reason-0": 2, "reason-1": 2, "reason-2": 2, "other": 94}
    assert few({"busy": 1}, most=3) == {"busy": 1}
