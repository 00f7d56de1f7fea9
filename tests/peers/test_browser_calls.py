"""A browser but for the screen: SIP over WSS by a library, ICE, DTLS-SRTP and RTCP by aiortc."""

from __future__ import annotations

import asyncio

import pytest

from tests.kit.browser import Browser
from tests.kit.certificates import trusting
from tests.kit.hearing import AGENT_HZ, CALLER_HZ, listen, until_loudest
from tests.kit.lab import Lab
from tests.kit.phone import Phone
from tests.kit.raw_sip import status
from tests.kit.web_sip import WebSip

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

LAB = {"secure": True}


async def test_a_page_calls_a_phone_and_both_are_told_how_it_sounds(lab: Lab) -> None:
    """Checks, keys, sound and reports share one port; the page's reports tell the way there and back."""
    browser = Browser(CALLER_HZ)
    page = WebSip(lab.host, lab.wss_port, "1004", "lab-1004", trusting(lab.data / "tls"))
    async with page, Phone("baresip") as phone:
        await phone.register_to(lab.host, lab.sip_port, "1030", "lab-1030")
        phone.hum(AGENT_HZ)
        await page.register()
        offer = (await browser.offer()).decode().replace("\r\n", "\n")
        ringing = asyncio.create_task(phone.answer_next())
        answer = (await page.call("1030", offer)).partition("\r\n\r\n")[2]
        ring = await ringing
        for line in ("a=ice-lite", "a=rtcp-mux", "UDP/TLS/RTP/SAVPF", "a=fingerprint:sha-256"):
            assert line in answer
        await browser.accept(answer.encode())
        await browser.hears(AGENT_HZ)
        await until_loudest(phone, ring.call, CALLER_HZ)
        assert 0 <= await browser.round_trip_s() < 1.0
        await listen(phone, ring.call)  # longer than the page waits with its next report
        assert status(await page.hang_up()) == 200
        await phone.closed(ring.call)
        await browser.close()
    await lab.is_quiet()

    legs: list[dict[str, object]] = []

    async def written() -> bool:
        legs[:] = (await lab.get("/api/v1/calls?number=1030&result=completed"))["legs"]
        return len(legs) == 2

    await lab.until(written, message="the call left no records")
    for leg in legs:
        assert leg["mos"] is not None
        assert leg["jitter_ms"] is not None
        assert int(str(leg["packets_received"])) > 50
    (came,) = [leg for leg in legs if leg["direction"] == "in"]
    assert came["rtt_ms"] is not None
    assert came["remote_lost"] is not None
