"""Floods from one address after another while phones at other addresses register, call and talk.

One server, and one call between two independent phones through a queue, live through all of it.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from cti.cli.main import main
from tests.attack.floods import (
    DATAGRAMS,
    Make,
    bans,
    bodies,
    flood,
    hold_open,
    invites,
    let_in,
    never_read,
    rss_mb,
    swarm,
)
from tests.kit.hearing import AGENT_HZ, CALLER_HZ, until_each_hears
from tests.kit.lab import Lab
from tests.kit.phone import Phone
from tests.kit.raw_sip import RawSip, sdp, status

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

EDITED = {"exempt": '["127.0.0.1"]\nban_s = 15.0\nstrangers_rate = 200.0'}
CALLER, AGENT, OTHER = "127.0.0.3", "127.0.0.4", "127.0.0.5"
SLOW, DEAF = "127.0.0.40", "127.0.0.41"
_MOST_GROWTH_MB = 25.0


@dataclass
class Talk:
    """Two phones in a call with each other."""

    caller: Phone
    agent: Phone
    from_caller: str
    at_agent: str
    rss_mb: float
    """Of the server, before anybody did anything wrong."""

    async def goes_on(self) -> None:
        """Both hear each other now."""
        await until_each_hears(
            (self.caller, self.from_caller, AGENT_HZ), (self.agent, self.at_agent, CALLER_HZ)
        )


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def talk(lab: Lab) -> AsyncIterator[Talk]:
    async with (
        Phone("pjsua2", bind=CALLER, number="1030") as caller,
        Phone("pjsua2", bind=AGENT, number="1001") as agent,
    ):
        await caller.register_to(lab.host, lab.sip_port, "1030", "lab-1030")
        await agent.register_to(lab.host, lab.sip_port, "1001", "lab-1001")
        await lab.agent_is("1001", "available")
        caller.hum(CALLER_HZ)
        agent.hum(AGENT_HZ)
        call = await caller.call(f"sip:4001@{lab.host}:{lab.sip_port}")
        ring = await agent.answer_next()
        await caller.established(call)
        yield Talk(caller, agent, call, ring.call, rss_mb(lab.pid))
        await caller.hang_up(call)
        await agent.closed(ring.call)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def slow(lab: Lab, talk: Talk) -> AsyncIterator[asyncio.Task[int]]:
    """Connections that bring no whole message, from the beginning on."""
    task = asyncio.create_task(hold_open(await let_in(lab, SLOW, 15), b"INVITE sip:4000@"))
    yield task
    task.cancel()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def deaf(lab: Lab, talk: Talk) -> AsyncIterator[asyncio.Task[int]]:
    """Connections that ask and read no answer, from the beginning on."""
    task = asyncio.create_task(never_read(await let_in(lab, DEAF, 15)))
    yield task
    task.cancel()


async def answered(phone: RawSip, message: bytes) -> str:
    """The final answer; sent again when nothing comes, as phones do."""
    for _ in range(10):
        phone.send(message)
        try:
            return await phone.final(1.5)
        except TimeoutError:
            continue
    raise AssertionError("the server does not answer a phone")


async def registers_and_calls(lab: Lab) -> None:
    """A phone that was not there before registers, calls the echo, and hangs up."""
    async with RawSip(lab.host, lab.sip_port, user="1031", local=OTHER) as phone:
        challenge = await answered(phone, phone.request("REGISTER", "", "Expires: 60"))
        proof = phone.authorization(challenge, "REGISTER", "lab-1031")
        registered = await answered(phone, phone.request("REGISTER", "", "Expires: 60", proof))
        assert status(registered) == 200, registered
        body = sdp(phone.host, 40_000)
        challenge = await answered(phone, phone.invite("4002", body))
        phone.acknowledge("4002", challenge)
        for count in range(1, 40):
            proof = phone.authorization(challenge, "INVITE", "lab-1031", count, number="4002")
            answer = await answered(phone, phone.invite("4002", body, "application/sdp", proof))
            if status(answer) != 503:  # which a server on a machine that has no time for it says
                break
            phone.acknowledge("4002", answer)
            await asyncio.sleep(0.5)
        assert status(answer) == 200, answer
        phone.acknowledge("4002", answer)
        tag = re.search(r"\nTo:.*;tag=([^\r;]+)", answer)
        assert tag is not None
        ended = await answered(phone, phone.request("BYE", "4002", to_tag=tag[1]))
        assert status(ended) == 200


@asynccontextmanager
async def flooded(
    lab: Lab, make: Make, sources: list[str], *, rate: float = 4000.0
) -> AsyncIterator[None]:
    """The flood goes on as long as the block, however much time this machine has for phones."""
    flooding = asyncio.create_task(flood(lab, make, sources, seconds=180.0, rate=rate))
    try:
        yield
    finally:
        flooding.cancel()
        await asyncio.wait([flooding])
    assert flooding.cancelled(), "it ended before its time"


@pytest.mark.usefixtures("slow", "deaf")
@pytest.mark.parametrize("kind", DATAGRAMS)
async def test_a_flood_is_limited_then_banned_and_phones_go_on(
    lab: Lab, talk: Talk, kind: str
) -> None:
    make, reasons = DATAGRAMS[kind]
    source = f"127.0.0.{20 + list(DATAGRAMS).index(kind)}"
    async with flooded(lab, make, [source]):
        await asyncio.gather(asyncio.sleep(1.2), talk.goes_on(), registers_and_calls(lab))

    async def is_banned() -> bool:
        return source in await bans(lab)

    await lab.until(is_banned, message=f"{source} was never banned")
    ban = (await bans(lab))[source]
    assert ban["reason"] in reasons
    assert ban["dropped"] > 0
    assert f"{source} is banned for 15 s" in lab.log.read_text()
    assert not {CALLER, AGENT, OTHER} & set(await bans(lab))


async def test_a_swarm_shares_one_rate_and_phones_go_on(lab: Lab, talk: Talk) -> None:
    before = (await lab.status())["guard"]["dropped_strangers"]
    async with flooded(lab, invites, swarm(200), rate=6000.0):
        await asyncio.gather(asyncio.sleep(2.0), talk.goes_on(), registers_and_calls(lab))

    async def is_limited() -> bool:
        return bool((await lab.status())["guard"]["dropped_strangers"] > before)

    await lab.until(is_limited)


async def test_huge_bodies_of_a_swarm_are_not_kept(lab: Lab, talk: Talk) -> None:
    """Each is refused, and its refusal repeated for half a minute, as nobody acknowledges it."""
    before = (await lab.status())["sip"]["requests"]
    async with flooded(lab, bodies, swarm(200), rate=1000.0):
        await asyncio.gather(asyncio.sleep(3.0), talk.goes_on(), registers_and_calls(lab))
        refused = (await lab.status())["sip"]["requests"] - before
        grown_mb = rss_mb(lab.pid) - talk.rss_mb
    assert refused * 0.06 > 1.2 * _MOST_GROWTH_MB, "enough came"
    assert grown_mb < _MOST_GROWTH_MB


async def test_slow_connections_are_closed_and_then_banned(
    lab: Lab, slow: asyncio.Task[int]
) -> None:
    assert await slow == 15
    counters = (await lab.status())["sip"]
    assert counters["tcp_slow_closed"] >= 10
    assert (await lab.status())["guard"]["offence_slow-connection"] >= 10
    assert f"{SLOW} is banned" in lab.log.read_text()


async def test_connections_that_do_not_read_are_closed_and_then_banned(
    lab: Lab, deaf: asyncio.Task[int]
) -> None:
    assert await deaf == 15
    assert (await lab.status())["sip"]["tcp_stalled_closed"] >= 10
    assert f"{DEAF} is banned" in lab.log.read_text()


async def test_a_ban_ends_by_itself(lab: Lab) -> None:
    """The first one was some time ago; whoever is banned last is in again after fifteen seconds."""

    async def is_over() -> bool:
        return "127.0.0.20" not in await bans(lab)

    await lab.until(is_over)
    async with RawSip(lab.host, lab.sip_port, local="127.0.0.20") as peer:
        peer.send(peer.request("OPTIONS"))
        assert status(await peer.final()) == 200


async def test_a_ban_is_listed_and_lifted_by_command(
    lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = "127.0.0.50"
    word = tmp_path / "password"
    word.write_text("desk-admin\n")
    options = ["--server", lab.url, "--login", "admin", "--password-file", str(word)]
    make, _ = DATAGRAMS["garbage"]
    await flood(lab, make, [source], seconds=0.1, rate=1000.0)

    async def is_banned() -> bool:
        return source in await bans(lab)

    await lab.until(is_banned)
    assert await asyncio.to_thread(main, ["bans", "list", *options]) == 0
    assert re.search(
        rf"^{source} .*messages that cannot be read as SIP$", capsys.readouterr().out, re.M
    )
    assert await asyncio.to_thread(main, ["bans", "lift", source, *options]) == 0
    assert capsys.readouterr().out == f"{source} may come in again.\n"
    assert source not in await bans(lab)
    assert await asyncio.to_thread(main, ["bans", "lift", source, *options]) == 1
    assert "is not banned" in capsys.readouterr().err


async def test_memory_stayed_where_it_was_and_nothing_is_left(lab: Lab, talk: Talk) -> None:
    """Last of the file."""
    assert rss_mb(lab.pid) - talk.rss_mb < _MOST_GROWTH_MB
    before = time.monotonic()
    await registers_and_calls(lab)
    assert time.monotonic() - before < 5.0
    assert (await lab.status())["faults"] == 0
