"""Trunks over real sockets: carriers that are dead, busy or strict, and calls that live through it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.kit.carrier import Answer, Asked, Carrier, Registrar
from tests.kit.hearing import AGENT_HZ, CALLER_HZ, until_each_hears
from tests.kit.lab import ROOT, Lab
from tests.kit.phone import Phone

pytestmark = [pytest.mark.peer, pytest.mark.slow]

NUMBER = "+12025550123"
STRICT_PASSWORD = "strict-and-secret"


def site(folder: Path, strict_port: int) -> Path:
    """The lab with carriers at other addresses of this machine; --out-port gives all proxies their port."""
    text = (ROOT / "config/lab.toml").read_text()
    begin = text.index('[[trunks]]\nname = "out"')
    end = text.index("# --- entries")
    trunks = f"""
[[trunks]]
name = "dead"
proxy = "sip:127.0.0.2:5090"
silence_s = 1

[[trunks]]
name = "grumpy"
proxy = "sip:127.0.0.3:5090"
silence_s = 10

[[trunks]]
name = "good"
proxy = "sip:127.0.0.1:5090"

[[trunks]]
name = "strict"
proxy = "sip:127.0.0.4:5090"
registrars = ["sip:127.0.0.4:{strict_port}"]
username = "acct"
password_file = "password"
probe_s = 1
callers = ["1001-1010"]
prefixes = ["+44"]
number_format = "national"
region = "GB"
caller = "+442079460100"

[[trunk_groups]]
name = "pstn"
members = [{{ trunk = "dead" }}, {{ trunk = "grumpy", order = 2 }}, {{ trunk = "good", order = 3 }}]
callers = ["1001-1010"]
prefixes = ["+1"]

"""
    (folder / "password").write_text(STRICT_PASSWORD + "\n")
    path = folder / "carriers.toml"
    path.write_text(text[:begin] + trunks + text[end:])
    return path


async def trunk(lab: Lab, name: str) -> dict[str, Any]:
    found = await lab.get("/api/v1/trunks")
    return dict(next(each for each in found if each["name"] == name))


async def test_a_call_passes_two_carriers_that_cannot_and_lives_through_a_restart(
    tmp_path: Path,
) -> None:
    async with (
        Lab(tmp_path, config=site(tmp_path, 5099), tolerates=("gateway",)) as lab,
        Carrier("127.0.0.3", lab.out_port) as grumpy,
        Phone("baresip", number=NUMBER, port=lab.out_port) as good,
        Phone("baresip", number="1001") as ann,
    ):
        route = await lab.get(f"/api/v1/trunks/route?number={quote(NUMBER)}&by=1001")
        assert [each["trunk"] for each in route["attempts"]] == ["dead", "grumpy", "good"]
        grumpy.replies["INVITE"] = lambda _: (503, ["Retry-After: 600"])
        await ann.register_to(lab.host, lab.sip_port, "1001", "lab-1001")
        out = await ann.call(NUMBER)
        incoming = await good.answer_next()
        await ann.established(out)
        assert len(grumpy.of("INVITE")) == 1
        assert [each.method for each in grumpy.asked] == ["INVITE", "ACK"]
        ann.hum(CALLER_HZ)
        good.hum(AGENT_HZ)
        await until_each_hears((ann, out, AGENT_HZ), (good, incoming.call, CALLER_HZ))
        assert (await trunk(lab, "grumpy"))["addresses"][0]["state"] == "held"
        assert (await trunk(lab, "dead"))["addresses"][0]["state"] == "avoided"
        for name, calls in (("dead", 0), ("grumpy", 0), ("good", 1), ("pstn", 1)):
            assert (await trunk(lab, name))["calls"] == calls, name

        await lab.restart()
        for name, calls in (("grumpy", 0), ("good", 1), ("pstn", 1)):
            assert (await trunk(lab, name))["calls"] == calls, f"{name} after the restart"
        await until_each_hears((ann, out, AGENT_HZ), (good, incoming.call, CALLER_HZ))
        await ann.hang_up(out)
        await good.closed(incoming.call)

        async def is_free() -> bool:
            return not (await trunk(lab, "pstn"))["calls"]

        await lab.until(is_free, message="the leg is counted out")


async def test_a_registering_trunk_satisfies_a_strict_carrier(tmp_path: Path) -> None:
    async with Carrier("127.0.0.4") as registrar_socket:
        registrar = Registrar("acct", STRICT_PASSWORD, least_s=900)
        registrar_socket.replies["REGISTER"] = registrar
        config = site(tmp_path, registrar_socket.port)
        lab = Lab(tmp_path, config=config, tolerates=("gateway",))
        async with (
            lab,
            Carrier("127.0.0.4", lab.out_port) as proxy,
            Phone("baresip", number="1001") as ann,
        ):
            proxy.replies["OPTIONS"] = lambda _: (404, [])
            await _is_registered(lab)
            assert registrar.bindings == [900], "423 was followed, the challenge was met"

            proxy.replies["INVITE"] = _strict_invite
            await ann.register_to(lab.host, lab.sip_port, "1001", "lab-1001")
            out = await ann.call("+441632960123")
            await ann.closed(out)
            challenged, proved = proxy.of("INVITE")[:2]
            assert challenged.get("Call-ID") == proved.get("Call-ID")
            assert proved.uri.startswith("sip:01632960123@")
            assert "<sip:02079460100@" in proved.get("From")

            await _calls_in(lab, proxy)

            before = len(registrar_socket.of("REGISTER"))
            await lab.restart()
            await _is_registered(lab)
            assert len(registrar_socket.of("REGISTER")) - before <= 4, "no storm"
        assert registrar.bindings[-1] == 0, "the carrier was told when the server stopped"
        assert STRICT_PASSWORD not in lab.log.read_text()


def _strict_invite(asked: Asked) -> Answer | None:
    if asked.proves("acct", STRICT_PASSWORD, "Proxy-Authorization"):
        return 486, []
    challenge = 'Digest realm="carrier", nonce="n2", algorithm=MD5, qop="auth"'
    return 407, [f"Proxy-Authenticate: {challenge}"]


async def _is_registered(lab: Lab) -> None:
    async def holds() -> bool:
        found = await trunk(lab, "strict")
        return bool(found["up"]) and all(each["registered"] for each in found["registrations"])

    await lab.until(holds, message="registered and up")


async def _calls_in(lab: Lab, carrier: Carrier) -> None:
    """The carrier calls the account; the number that was dialled stands in To."""
    to = (lab.host, lab.sip_port)
    body = (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.4\r\ns=-\r\nc=IN IP4 127.0.0.4\r\nt=0 0\r\n"
        "m=audio 23998 RTP/AVP 0\r\n"
    )
    lines = [
        f"INVITE sip:acct@{lab.host}:{lab.sip_port} SIP/2.0",
        f"Via: SIP/2.0/UDP {carrier.host}:{carrier.port};branch=z9hG4bKin1;rport",
        "From: <sip:+442079460155@carrier.example.com>;tag=in",
        f"To: <sip:4002@{lab.host}>",
        "Call-ID: in-1",
        "CSeq: 1 INVITE",
        "Max-Forwards: 70",
        f"Contact: <sip:{carrier.host}:{carrier.port}>",
        "Content-Type: application/sdp",
        f"Content-Length: {len(body)}",
    ]
    carrier.replies["BYE"] = lambda _: (200, [])
    carrier.send("\r\n".join([*lines, "", body]), to)

    async def is_answered() -> bool:
        return any(text.startswith("SIP/2.0 200") for text in carrier.responses)

    await lab.until(is_answered, message="the echo test answers a call to our account")
    answer = next(text for text in carrier.responses if text.startswith("SIP/2.0 200"))
    tag = answer.partition("\r\nTo: ")[2].partition("\r\n")[0]
    ends = [
        lines[1].replace("in1", "in2"),
        lines[2],
        f"To: {tag}",
        lines[4],
        "Max-Forwards: 70",
        "Content-Length: 0",
    ]
    contact = answer.partition("\r\nContact: <")[2].partition(">")[0]
    ack = [f"ACK {contact} SIP/2.0", *ends, "CSeq: 1 ACK", "", ""]
    bye = [f"BYE {contact} SIP/2.0", *ends, "CSeq: 2 BYE", "", ""]
    carrier.send("\r\n".join(ack), to)
    carrier.send("\r\n".join(bye), to)
    await asyncio.sleep(0)
    await lab.is_quiet()
