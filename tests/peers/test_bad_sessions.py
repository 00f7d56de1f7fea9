"""Offers, transfers and news that make no sense, beside a conversation: the status that the RFC names."""

from __future__ import annotations

import re

import pytest

from tests.kit.hearing import AGENT_HZ, CALLER_HZ, until_each_hears
from tests.kit.lab import Lab
from tests.kit.phone import Phone
from tests.kit.raw_sip import RawSip, sdp, status

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SUITE = "AES_CM_128_HMAC_SHA1_80"
KEY = "A" * 40
PRINT = ":".join(["AB"] * 32)
OFFERS = {
    "a key too short": ("RTP/SAVP 0", f"a=crypto:1 {SUITE} inline:{KEY[:8]}"),
    "a key that is no base64": ("RTP/SAVP 0", f"a=crypto:1 {SUITE} inline:{'!' * 40}"),
    "a key that is far too long": ("RTP/SAVP 0", f"a=crypto:1 {SUITE} inline:{KEY * 100}"),
    "a suite that nobody knows": ("RTP/SAVP 0", f"a=crypto:1 ROT13 inline:{KEY}"),
    "two keys of one tag": ("RTP/SAVP 0", f"a=crypto:1 {SUITE} inline:{KEY}\n" * 2),
    "no key at all": ("RTP/SAVP 0", "a=sendrecv"),
    "a profile that nobody knows": ("RTP/XYZ 0", "a=sendrecv"),
    "DTLS without a fingerprint": ("UDP/TLS/RTP/SAVPF 0", "a=setup:actpass"),
    "DTLS with half of one": (
        "UDP/TLS/RTP/SAVPF 0",
        f"a=fingerprint:sha-256 {PRINT[:47]}\na=setup:actpass",
    ),
    "DTLS with a key in clear": ("UDP/TLS/RTP/SAVPF 0", f"a=crypto:1 {SUITE} inline:{KEY}"),
    "a codec at a rate that it has not": ("RTP/AVP 97", "a=rtpmap:97 PCMU/16000"),
    "an address of another family": ("RTP/AVP 0", "c=IN IP6 2001:db8::7"),
    "an address of many": ("RTP/AVP 0", "c=IN IP4 239.0.0.1/16"),
}
REFERS = {
    "": 400,
    "Refer-To: nowhere": 400,
    "Refer-To: <sip:1030@example.com>\r\nRefer-To: <sip:1031@example.com>": 400,
    "Refer-To: <http://example.com>": 416,
    "Refer-To: <sip:1030@example.com;method=BYE>": 603,
    "Refer-To: <sip:1030@example.com>": 403,
}
STORM = 200


def offer(host: str, profile: str, lines: str) -> str:
    """An offer of one stream."""
    head = f"v=0\no=- 1 1 IN IP4 {host}\ns=-\nc=IN IP4 {host}\nt=0 0\n"
    return f"{head}m=audio 40000 {profile}\n{lines.rstrip()}\n"


async def refused_offers(lab: Lab) -> None:
    async with RawSip(lab.host, lab.sip_port) as peer:
        for name, (profile, lines) in OFFERS.items():
            peer.send(peer.invite("4002", offer(peer.host, profile, lines)))
            response = await peer.final()
            assert status(response) == 488, f"{name}: {response}"
            assert KEY[:8] not in response
            peer.acknowledge("4002", response)


async def refused_replacements(lab: Lab) -> None:
    async with RawSip(lab.host, lab.sip_port) as peer:
        for value, expected in (("nothing;to-tag=a;from-tag=b", 481), ("nothing", 400)):
            body = sdp(peer.host, 40_000)
            peer.send(peer.invite("4002", body, "application/sdp", f"Replaces: {value}"))
            response = await peer.final()
            assert status(response) == expected, response
            peer.acknowledge("4002", response)


async def refused_referrals_and_news(lab: Lab) -> None:
    """Outside of calls, and within one, which goes on."""
    async with RawSip(lab.host, lab.sip_port) as peer:
        peer.send(peer.request("REFER", "4002", "Refer-To: <sip:1030@example.com>"))
        assert status(await peer.final()) == 403
        lost = peer.request("REFER", "4002", "Refer-To: <sip:1030@example.com>", to_tag="lost")
        peer.send(lost)
        assert status(await peer.final()) == 481

        peer.send(peer.invite("4002", sdp(peer.host, 40_000)))
        answer = await peer.final()
        assert status(answer) == 200
        peer.acknowledge("4002", answer)
        tag = re.search(r"\nTo:.*;tag=([^\r;]+)", answer)
        assert tag is not None
        for lines, expected in REFERS.items():
            peer.send(peer.request("REFER", "4002", *filter(None, [lines]), to_tag=tag[1]))
            response = await peer.final()
            assert status(response) == expected, f"{lines}: {response}"
        news = ("Event: refer", "Subscription-State: active", "Content-Type: message/sipfrag")
        for _ in range(STORM):
            body = b"SIP/2.0 200 OK\r\n"
            peer.send(peer.request("NOTIFY", "4002", *news, to_tag=tag[1], body=body))
        assert [status(await peer.final()) for _ in range(STORM)] == [481] * STORM
        peer.send(peer.request("BYE", "4002", to_tag=tag[1]))
        assert status(await peer.final()) == 200


async def test_what_makes_no_sense_is_refused_and_a_conversation_goes_on(lab: Lab) -> None:
    async with Phone("baresip") as one, Phone("pjsua2") as two:
        await one.register_to(lab.host, lab.sip_port, "1030", "lab-1030")
        await two.register_to(lab.host, lab.sip_port, "1031", "lab-1031")
        one.hum(CALLER_HZ)
        two.hum(AGENT_HZ)
        call = await one.call("1031")
        ring = await two.answer_next()
        await one.established(call)
        await refused_offers(lab)
        await refused_replacements(lab)
        await refused_referrals_and_news(lab)
        await until_each_hears((one, call, AGENT_HZ), (two, ring.call, CALLER_HZ))
        assert (await lab.status())["legs"] == 2
        await one.hang_up(call)
        await two.closed(ring.call)
    await lab.is_quiet()
    assert (await lab.status())["faults"] == 0
