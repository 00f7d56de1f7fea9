"""A gateway process and a WebRTC stack: ICE, DTLS-SRTP, tones both ways with a plain phone."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from switch.gateway.protocol import AddLeg, ConfigureLeg, Dtls, Gain, Ice, LegFailed, SetGains
from switch.ids import LegId
from switch.sdp.offer_answer import AudioNegotiation
from switch.sdp.transport import SrtpPolicy, TransportTerms
from switch.srtp.certificate import own_dtls_certificate
from tests.kit.browser import Browser
from tests.switch.gateway.house import House, Phone, child_command, talk

BROWSER, PHONE = LegId("browser"), LegId("phone")
PHONE_HZ, BROWSER_HZ = 440.0, 700.0


class Talk:
    """A browser, a phone, and the gateway between them."""

    def __init__(self, house: House, fingerprint: str) -> None:
        self.house = house
        self.fingerprint = fingerprint
        self.port = house.client.take_port()
        house.client.send(AddLeg(leg=BROWSER, port=self.port))

    def negotiation(self, policy: SrtpPolicy) -> AudioNegotiation:
        return AudioNegotiation(
            session_id=1, address="127.0.0.1", port=self.port,
            terms=TransportTerms(
                policy=policy, fingerprint=self.fingerprint, random=secrets.token_bytes
            ),
        )  # fmt: skip

    def configure(self, side: AudioNegotiation, fingerprint: str = "") -> None:
        audio, way = side.current, side.transport
        assert audio is not None
        assert way.dtls is not None
        assert way.ice is not None
        self.house.client.send(
            ConfigureLeg(
                leg=BROWSER, remote_address=audio.remote_address, remote_port=audio.remote_port,
                codec=audio.codec, payload_type=audio.payload_type, rtcp=True, rtcp_mux=True,
                dtls=Dtls(
                    is_client=way.dtls.role == "client",
                    fingerprint=fingerprint or way.dtls.fingerprint,
                ),
                ice=Ice(
                    ufrag=way.ice.ufrag, password=way.ice.password, remote_ufrag=way.ice.remote_ufrag
                ),
            )
        )  # fmt: skip

    async def join(self) -> Phone:
        phone = await self.house.phone("phone", PHONE_HZ)
        self.house.client.send(
            SetGains(
                gains=(Gain(listener=BROWSER, source=PHONE), Gain(listener=PHONE, source=BROWSER))
            )
        )
        return phone


@pytest_asyncio.fixture
async def one(tmp_path: Path) -> AsyncIterator[Talk]:
    certificate = tmp_path / "dtls.pem"
    shown = own_dtls_certificate(certificate, time.time())
    async with House(tmp_path, [*child_command(tmp_path), str(certificate)]) as house:
        yield Talk(house, shown)


async def both_hear(phone: Phone, browser: Browser) -> None:
    for _ in range(40):
        await talk([phone], 0.5)
        if phone.hears(BROWSER_HZ):
            break
    assert phone.hears(BROWSER_HZ)
    while True:
        try:
            await browser.hears(PHONE_HZ, 0.3)
        except TimeoutError:
            await talk([phone], 1.0)
        else:
            return


async def test_a_browser_that_offers_talks_to_a_phone(one: Talk) -> None:
    browser = Browser(BROWSER_HZ)
    side = one.negotiation(SrtpPolicy.ACCEPT)
    _, answer = side.answer(await browser.offer())
    one.configure(side)
    phone = await one.join()
    await browser.accept(answer)
    await both_hear(phone, browser)
    one.configure(side)  # a call agent that came back says it again
    await both_hear(phone, browser)
    await browser.close()
    phone.close()


async def test_a_browser_that_is_called_talks_to_a_phone(one: Talk) -> None:
    browser = Browser(BROWSER_HZ)
    side = one.negotiation(SrtpPolicy.DTLS)
    side.accept_answer(await browser.answer(side.make_offer()))
    one.configure(side)
    phone = await one.join()
    await both_hear(phone, browser)
    await browser.close()
    phone.close()


async def test_another_certificate_than_signalled_fails_the_leg(one: Talk) -> None:
    browser = Browser(BROWSER_HZ)
    side = one.negotiation(SrtpPolicy.ACCEPT)
    _, answer = side.answer(await browser.offer())
    one.configure(side, fingerprint=":".join(["AB"] * 32))
    await browser.accept(answer)
    failed = await one.house.notes.wait(LegFailed, within_s=30.0)
    assert failed.leg == BROWSER
    assert "fingerprint" in failed.reason
    await browser.close()
