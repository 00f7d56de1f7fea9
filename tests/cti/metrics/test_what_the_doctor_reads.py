"""A real server in trouble: every figure that the doctor reads is exported, and said in its words."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import get_args

import httpx
import msgspec
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from cti.app import Node
from cti.bench.sip_load import CallerPool
from cti.counted import counted
from cti.doctor_drops import DROPS
from cti.doctor_findings import Finding, Severity
from cti.doctor_limits import UNITS, UNITS_OF_EACH
from cti.doctor_live import _TCP_WORDS, examine_figures, examine_running
from cti.metrics.families import PREFIX
from cti.metrics.limits import Limit, of_gateway
from cti.metrics.reading import Figures, Name
from cti.schema import GatewayStatus
from cti.settings import Settings
from tests.attack.floods import scans
from tests.kit.node import running_node
from tests.kit.patience import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

STRANGER = "127.0.0.9"


def tight(settings: Settings) -> Settings:
    """One call at a time, limits for every trunk, and a capture server that is away."""
    replace = msgspec.structs.replace
    return replace(
        settings,
        sip=replace(settings.sip, max_calls=1),
        capture=replace(settings.capture, hep="127.0.0.1:9"),
        trunks=tuple(
            replace(trunk, max_calls=10, max_calls_per_second=10) for trunk in settings.trunks
        ),
    )


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    async with running_node(tmp_path_factory.mktemp("node"), tight) as node:
        await until_counted(node, "gateway_ports_free")
        yield node


async def scrape(node: Node) -> str:
    async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
        answer = await client.get(f"http://127.0.0.1:{node.api_port}/metrics")
    return answer.text


async def until_counted(node: Node, name: Name) -> None:
    """The gateway tells once a second."""
    async with asyncio.timeout(PATIENCE_S):
        while not Figures(await scrape(node)).get(name):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


async def until_told(node: Node, holds: Callable[[Sequence[Finding]], bool]) -> None:
    """Ask the doctor again and again."""
    findings: Sequence[Finding] = ()
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not holds(findings):
                await asyncio.sleep(0.05)
                findings = await examine_running(node.settings)
    except TimeoutError:
        said = "\n".join(each.what for each in findings)
        raise AssertionError(f"the doctor never said it, but:\n{said}") from None


def warns_of(*patterns: str) -> Callable[[Sequence[Finding]], bool]:
    """Each of them in a warning, with what to do."""
    return lambda findings: all(
        any(
            re.search(each, finding.what)
            and finding.severity is Severity.WARNING
            and finding.remedy
            for finding in findings
        )
        for each in patterns
    )


class Strict(Figures):
    """Refuses labels and values of labels that a server does not have."""

    def get(self, name: Name, **labels: str) -> float:
        assert not self.has(name) or (name, frozenset(labels.items())) in self._samples, (
            name,
            labels,
        )
        return super().get(name, **labels)

    def by(self, name: Name, label: str) -> Iterator[tuple[str, float]]:
        found = list(super().by(name, label))
        assert found or not self.has(name), (name, label)
        return iter(found)


async def test_every_name_that_is_read_is_exported(node: Node) -> None:
    families = text_string_to_metric_families(await scrape(node))
    exported = {
        each.name.removeprefix(PREFIX) + ("_total" if each.type == "counter" else "")
        for each in families
    }
    assert set(get_args(Name)) - exported == set()


async def test_every_label_that_is_read_is_exported(node: Node) -> None:
    figures = Strict(await scrape(node))
    assert examine_figures(figures)
    assert dict(figures.by("tcp_events_total", "event")).keys() >= _TCP_WORDS.keys()
    for each in DROPS:
        assert figures.has(each.name)
        assert figures.get(each.name, **each.labels) >= 0


async def test_every_limit_has_words_and_all_words_have_a_limit(node: Node) -> None:
    figures = Figures(await scrape(node))
    kinds = {name.partition(" ")[0] for name, _ in figures.by("limit", "limit")}
    kinds |= {each.name.partition(" ")[0] for each in TOLD}
    assert kinds == {*UNITS, *UNITS_OF_EACH}
    used = dict(figures.by("limit_used", "limit"))
    assert used["gateway_files local-1"] > 10
    assert used["open_files"] > 10


ROME = GatewayStatus(
    name="rome",
    state="up",
    figures={
        "ports": 100.0,
        "ports_free": 10.0,
        "open_files": 900.0,
        "open_files_most": 1024.0,
        "handshakes_waiting": 7.0,
        "handshakes_most": 512.0,
        "recorded_waiting": 11_200.0,
        "recorded_most": 1_000_000.0,
    },
)
TOLD = tuple(of_gateway(ROME))


async def test_a_gateway_elsewhere_tells_of_its_own_limits() -> None:
    expected = [
        Limit("gateway_files rome", 900, 1024),
        Limit("gateway_ports rome", 90, 100),
        Limit("gateway_handshakes rome", 7, 512),
        Limit("gateway_recorded rome", 11_200, 1_000_000),
    ]
    assert list(TOLD) == expected
    silent = GatewayStatus(name="rome", state="up", figures={"ports_free": 10.0})
    assert list(of_gateway(silent)) == [], "it is of an earlier version"


async def test_a_ban_and_what_is_dropped_for_it_are_told(node: Node) -> None:
    server = ("127.0.0.1", node.settings.sip.port)

    def is_banned(findings: Sequence[Finding]) -> bool:
        for number in range(5):
            stranger.sendto(scans(STRANGER, 5060, number), server)
        return warns_of("bans: 1 address is banned now, 1 ban", " banned", "capture: ")(findings)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind((STRANGER, 0))
        await until_told(node, is_banned)
    findings = await examine_running(node.settings)
    (dropped,) = [each for each in findings if "messages at the door" in each.what]
    assert " banned" in dropped.what
    assert any("requests of scanners dropped unanswered" in each.what for each in findings)


async def until_answered(callers: CallerPool) -> None:
    """Call until one is through: a busy machine sheds some by itself."""
    async with asyncio.timeout(PATIENCE_S):
        call = callers.dial()
        while call.status != 200:
            await asyncio.sleep(0.01)
            if call.status > 200:
                call = callers.dial()


async def test_shed_calls_and_late_ticks_are_told(node: Node) -> None:
    server = ("127.0.0.1", node.settings.sip.port)
    callers = CallerPool(host="127.0.0.1", server=server, rtp_port=9, called="4002", talk_s=60.0)
    await callers.open()
    try:
        await until_answered(callers)
        callers.dial()  # one too many
        await until_counted(node, "gateway_legs")
        gateway = node._switching.gateways.pids["local-1"]
        os.kill(gateway, signal.SIGSTOP)
        try:
            await asyncio.sleep(0.3)  # fifteen ticks
        finally:
            os.kill(gateway, signal.SIGCONT)
        callers.hang_up_all()
        await callers.all_over()
    finally:
        callers.close()
    shed = callers.finished[503]
    assert shed >= 1
    await until_told(
        node,
        warns_of(
            f"shed: {counted(shed, 'call')} and", r"[1-9]\d* of \d+ ticks late, [1-9]\d* dropped"
        ),
    )
