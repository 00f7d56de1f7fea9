"""Reliable responses and session timers with PJSIP, which is strict about both."""

from __future__ import annotations

import re

import pytest

from tests.kit.lab import Lab
from tests.kit.phone import Phone
from tests.kit.pjsip import OneCall, messages

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


async def test_a_caller_that_requires_reliable_ringing_and_timers_is_served(lab: Lab) -> None:
    """4001 rings first, and answers with music after a second."""
    target = f"sip:4001@{lab.host}:{lab.sip_port}"
    one = await OneCall.start("call", target, prack="mandatory", timers="required")
    trace = await one.over()
    assert "200/PRACK" in messages(trace, "RX")
    assert messages(trace, "TX").count("PRACK") >= 1
    assert "BYE" in messages(trace, "TX")
    assert "200/BYE" in messages(trace, "RX")
    assert re.search(r"^Session-Expires: 90;refresher=uac", trace, re.MULTILINE)
    assert "RSeq" in trace
    await lab.is_quiet()


async def test_a_phone_that_rings_reliably_is_acknowledged(lab: Lab) -> None:
    number = "1002"
    login = f"{number}:lab-{number}@{lab.host}:{lab.sip_port}"
    called = await OneCall.start(
        "answer", login=login, prack="mandatory", timers="always", talk_s=1.0
    )
    try:
        await called.until("registration success")
        async with Phone("baresip", number="1001") as caller:
            await caller.register_to(lab.host, lab.sip_port, "1001", "lab-1001")
            call = await caller.call_until_it_rings(f"sip:{number}@{lab.host}:{lab.sip_port}")
            await caller.established(call)
            await caller.closed(call)
        trace = await called.over()
    finally:
        await called.kill()
    assert "PRACK" in messages(trace, "RX")
    assert "200/PRACK" in messages(trace, "TX")
    assert "200/BYE" in messages(trace, "RX")
    assert re.search(r"^Session-Expires: 1800", trace, re.MULTILINE)
    await lab.is_quiet()


async def test_early_media_is_said_and_acknowledged_reliably_on_both_sides(lab: Lab) -> None:
    """A carrier announces something; what was agreed upon is not said again with the answer."""
    carrier = await OneCall.start(
        "answer", port=lab.out_port, early_s=1.0, prack="mandatory", talk_s=20.0
    )
    try:
        await carrier.until("STARTING --> RUNNING")
        target = f"sip:+12025550100@{lab.host}:{lab.sip_port}"
        login = f"1001:lab-1001@{lab.host}:{lab.sip_port}"
        caller = await OneCall.start("call", target, login=login, prack="optional")
        heard = await caller.over()
        told = await carrier.over()
    finally:
        await carrier.kill()
    assert "183/INVITE" in messages(heard, "RX")
    assert "PRACK" in messages(heard, "TX")
    assert "200/PRACK" in messages(heard, "RX")
    assert "PRACK" in messages(told, "RX")
    assert "200/BYE" in messages(told, "TX")
    assert "200/INVITE" in messages(heard, "RX")
    await lab.is_quiet()
