"""A page in Chromium: SIP over WSS, DTLS-SRTP, ICE, RTCP on the port of RTP; tones tell who hears whom."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import Any, Final

from tests.interop.outcome import Scenario
from tests.interop.page_in_chromium import Page, page
from tests.kit.hearing import AGENT_HZ, CALLER_HZ, hears, listen
from tests.kit.lab import Lab
from tests.kit.phone import Phone, tone_levels

_USER: Final = "1003"
_PATIENCE_S: Final = 30.0
_LOUD_DB: Final = -60.0
_DTLS: Final = {"FEFD": "1.2", "FEFC": "1.3"}


async def _hears(page: Page, *pitches: float, codec: str) -> dict[str, Any]:
    """Wait until one of these is the loudest pitch that the page hears; gives what it knows of it."""
    last: dict[str, Any] = {}
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                last = await page.do("heard")
                if any(abs(last["hz"] - hz) < 10 for hz in pitches) and last["db"] > _LOUD_DB:
                    break
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(f"{pitches} Hz never was heard: {last}") from None
    assert last["state"] == last["dtls"] == "connected", last
    assert last["codec"] == f"audio/{codec}", last
    assert last["cipher"], last
    return last


async def _is_heard(phone: Phone, call: str, pitch: float) -> None:
    """Wait until a phone hears the page, and nothing else."""
    last: AssertionError | None = None
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                try:
                    hears(await listen(phone, call), pitch)
                    return
                except AssertionError as error:
                    last = error
    except TimeoutError:
        raise AssertionError(f"at the phone: {last}") from None


async def _is_heard_no_more(page: Page, pitch: float) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while abs((await page.do("heard"))["hz"] - pitch) < 10:  # noqa: ASYNC110 - not ours to know
            await asyncio.sleep(0.2)


async def _gets_reports(page: Page) -> None:
    """Wait until RTCP came on the port of RTP, and told the page what we received of it."""
    async with asyncio.timeout(_PATIENCE_S):
        while not (await page.do("heard"))["has_reports"]:  # noqa: ASYNC110 - not ours to know
            await asyncio.sleep(0.5)


async def _hears_itself(lab: Lab, *, codec: str) -> str:
    async with page(lab, _USER, hum_hz=CALLER_HZ) as browser:
        assert await browser.do("register") == 200
        assert await browser.do("call", "4000", codec) == 200
        heard = await _pressed_nine(browser, codec)
        await _gets_reports(browser)
        assert await browser.do("hangUp") == 200
        await lab.is_quiet()
    return (
        f"pressed 9 in the menu, heard itself, got reports, hung up; {heard['codec'][6:]},"
        f" DTLS {_DTLS.get(heard['version'], heard['version'])}, {heard['cipher']}"
    )


async def _pressed_nine(browser: Page, codec: str) -> dict[str, Any]:
    """9 is the echo test. The menu must have begun, or the digit is heard by nobody."""
    async with asyncio.timeout(_PATIENCE_S):
        while (await browser.do("heard"))["db"] < _LOUD_DB:  # noqa: ASYNC110 - not ours to know
            await asyncio.sleep(0.2)
    await browser.do("press", "9")
    return await _hears(browser, CALLER_HZ, codec=codec)


async def _is_called(lab: Lab) -> str:
    async with page(lab, _USER, hum_hz=AGENT_HZ) as browser, Phone("baresip") as phone:
        assert await browser.do("register") == 200
        await phone.register_to(lab.host, lab.sip_port, "1001", "lab-1001", timeout_s=15.0)
        call = await phone.call(f"sip:{_USER}@{lab.host}:{lab.sip_port}")
        phone.hum(CALLER_HZ)
        offer = await browser.do("answer", "opus")
        for line in ("a=ice-lite", "a=rtcp-mux", "a=fingerprint:sha-256", "UDP/TLS/RTP/SAVP"):
            assert line in offer, f"our offer has no {line}:\n{offer}"
        assert not re.search(r"(?m)^a=crypto:", offer), f"our offer has keys in clear:\n{offer}"
        await phone.established(call)
        await _hears(browser, CALLER_HZ, codec="opus")
        await _is_heard(phone, call, AGENT_HZ)
        await _holds(browser, phone, call)
        await phone.hang_up(call)
        await browser.do("ended")
        await lab.is_quiet()
    return "heard both ways, held, resumed; the phone hung up"


async def _holds(browser: Page, phone: Phone, call: str) -> None:
    """On hold the phone hears music in place of the page, and the page nothing of the phone."""
    assert await browser.do("hold") == 200
    [level] = tone_levels(await listen(phone, call), [AGENT_HZ])
    assert level < 500, f"on hold the phone still hears the page: {level:.0f}"
    await _is_heard_no_more(browser, CALLER_HZ)
    assert await browser.do("resume") == 200
    await _hears(browser, CALLER_HZ, codec="opus")
    await _is_heard(phone, call, AGENT_HZ)


async def _calls(lab: Lab) -> str:
    async with page(lab, _USER, hum_hz=CALLER_HZ) as browser, Phone("pjsua2") as phone:
        assert await browser.do("register") == 200
        await phone.register_to(lab.host, lab.sip_port, "1001", "lab-1001", timeout_s=15.0)
        phone.hum(AGENT_HZ)
        ringing = asyncio.create_task(phone.answer_next())
        assert await browser.do("call", "1001", "PCMU") == 200
        ring = await ringing
        await _hears(browser, AGENT_HZ, codec="PCMU")
        await _is_heard(phone, ring.call, CALLER_HZ)
        await browser.do("press", "42#")
        assert (pressed := await phone.digits(ring.call, 3)) == "42#", f"the phone got {pressed}"
        assert await browser.do("hangUp") == 200
        await phone.closed(ring.call)
        await lab.is_quiet()
    return "heard both ways by PCMU, 42# came, the page hung up"


SCENARIOS: Final = (
    *(
        Scenario(
            f"a page in the menu by {codec}",
            "chromium",
            "chromium",
            partial(_hears_itself, codec=codec),
        )
        for codec in ("opus", "PCMA")
    ),
    Scenario("a phone calls a page", "chromium", "chromium", _is_called),
    Scenario("a page calls a phone", "chromium", "chromium", _calls),
)
