"""What no proper peer would send: the right error or silence, a count, and nobody is disturbed."""

from __future__ import annotations

import asyncio
import re
import resource
import socket
import struct
from pathlib import Path

import httpx
import pytest
import websockets

from cti.schema import EventType
from tests.kit.desk import Desk
from tests.kit.hearing import AGENT_HZ, CALLER_HZ, until_each_hears, until_heard
from tests.kit.lab import Lab
from tests.kit.patience import PATIENCE_S
from tests.kit.phone import Phone
from tests.kit.raw_sip import RawSip, sdp, status

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

LAB = {"tolerates": ("recording",)}

TORTURE = {
    path.stem: path.read_bytes()
    for path in (Path(__file__).parents[1] / "wire" / "sip").glob("[0-9]*.sip")
}


async def serves(lab: Lab) -> None:
    """A well-behaved peer is answered."""
    async with RawSip(lab.host, lab.sip_port) as peer:
        peer.send(peer.request("OPTIONS"))
        assert status(await peer.final()) == 200


async def test_malformed_datagrams_get_their_status_or_silence(lab: Lab) -> None:
    before = (await lab.status())["sip"]
    assert len(TORTURE) > 40
    for name, data in TORTURE.items():
        async with RawSip(lab.host, lab.sip_port) as peer:
            peer.send(data)
            deserved = int(name.split("-")[0])
            if deserved:
                assert status(await peer.final()) == deserved, name
            else:
                await peer.silence(0.02)
    await serves(lab)
    after = (await lab.status())["sip"]
    assert after["malformed"] == before["malformed"] + len(TORTURE)


async def test_every_truncation_of_an_invite_is_survived(lab: Lab) -> None:
    async with RawSip(lab.host, lab.sip_port) as peer:
        whole = peer.invite("4002", sdp(peer.host, 40000))
        for length in range(0, len(whole), 7):
            peer.send(whole[:length])
        await asyncio.sleep(0.2)
        await serves(lab)
    await lab.is_quiet()


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    """What comes until the server closes; to be cut before it could be read is a failure."""
    async with asyncio.timeout(PATIENCE_S):
        return await reader.read()


LENGTH = b"Content-Length: 0"


@pytest.mark.parametrize(
    ("nonsense", "deserved"),
    [
        ((b"Max-Forwards: 70", b"X: y\r\n" * 20_000 + b"X: y"), 513),
        ((LENGTH, b"Content-Length: 99999999"), 413),
        ((LENGTH + b"\r\n\r\n", b"Content-Length: 99999\r\n\r\n" + b"x" * 99_999), 413),
        ((LENGTH + b"\r\n\r\n", b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"), 400),
        ((LENGTH, b"Content-Length: -5"), 400),
        ((LENGTH, b"Content-Length: five"), 400),
        ((LENGTH, b"X: y"), 400),
        ((b"\r\nVia:", b"\r\nX: y\r\nContent-Length: -5\r\nX:"), 0),
        (b"A" * 100_000, 0),
        (b"OPTIONS sip:x SIP/2.0\r\n" + b"X: y\r\n" * 20_000, 0),
        (b"\x16\x03\x01\x02\x00" + bytes(600) + b"\r\n\r\n", 0),
    ],
    ids=[
        *(
            "endless-head",
            "oversized",
            "oversized-and-sent",
            "two-lengths",
            "negative",
            "no-number",
        ),
        *("no-length", "no-via", "no-head", "nobody's-endless-head", "tls"),
    ],
)
async def test_tcp_that_cannot_be_understood_is_answered_if_it_can_be_and_closed(
    lab: Lab, nonsense: bytes | tuple[bytes, bytes], deserved: int
) -> None:
    """Octets as they are, or what is put in the place of what in a request."""
    cut = (await lab.status())["sip"]["tcp_framing_errors"]
    async with RawSip(lab.host, lab.sip_port) as peer:
        if isinstance(nonsense, tuple):
            request = peer.request("OPTIONS", transport="TCP")
            assert nonsense[0] in request
            nonsense = request.replace(*nonsense)
        good_in, good_out = await asyncio.open_connection(lab.host, lab.sip_port)
        reader, writer = await asyncio.open_connection(lab.host, lab.sip_port)
        writer.write(nonsense)
        answer = (await until_closed(reader)).decode()
        assert (status(answer) if answer else 0) == deserved
        writer.close()
        good_out.write(peer.request("OPTIONS", transport="TCP"))
        async with asyncio.timeout(PATIENCE_S):
            assert (await good_in.readline()).startswith(b"SIP/2.0 200")
        good_out.close()
    await serves(lab)
    counters = (await lab.status())["sip"]
    assert counters["tcp_framing_errors"] == cut + 1


@pytest.mark.parametrize(
    ("body", "content_type", "deserved"),
    [
        (sdp("127.0.0.1", 40000, media="video", payloads="31"), "application/sdp", 488),
        (sdp("127.0.0.1", 40000, payloads="18 4"), "application/sdp", 488),
        (sdp("127.0.0.1", 0), "application/sdp", 488),
        ("hello", "application/sdp", 400),
        ("v=0\nm=audio x RTP/AVP 0\n", "application/sdp", 400),
        ("hello", "text/plain", 415),
    ],
    ids=["no-audio", "unknown-codecs", "port-0", "garbage", "cut-short", "no-sdp"],
)
async def test_offers_that_cannot_be_taken(
    lab: Lab, body: str, content_type: str, deserved: int
) -> None:
    refused = (await lab.status())["refused"]
    async with RawSip(lab.host, lab.sip_port) as peer:
        peer.send(peer.invite("4002", body, content_type))
        response = await peer.final()
        assert status(response) == deserved, response
        peer.acknowledge("4002", response)
    await serves(lab)
    after = await lab.status()
    assert after["legs"] == 0
    if deserved != 415:  # refused before it was a call
        reason = "no-common-codec" if deserved == 488 else "bad-offer"
        assert after["refused"][reason] == refused.get(reason, 0) + 1


async def test_wrong_passwords_and_replayed_nonces(lab: Lab) -> None:
    async with RawSip(lab.host, lab.sip_port, user="1012") as peer:

        async def register(*headers: str) -> str:
            peer.send(peer.request("REGISTER", "", "Expires: 60", *headers))
            return await peer.final()

        challenge = await register()
        assert status(challenge) == 401
        assert status(await register(peer.authorization(challenge, "REGISTER", "wrong"))) == 403
        right = peer.authorization(challenge, "REGISTER", "lab-1012")
        assert status(await register(right)) == 200
        replayed = await register(right)
        assert (status(replayed), "stale=true" in replayed) == (401, True)
        again = peer.authorization(challenge, "REGISTER", "lab-1012", count=2)
        assert status(await register(again)) == 200
        invented = peer.credentials("0.x.0123456789abcdef0123456789abcdef", "REGISTER", "lab-1012")
        assert status(await register(invented)) == 401
        assert status(await register("Authorization: Digest nonsense")) == 400
        assert status(await register(again, "Contact: *")) in (400, 401)
        challenge = await register()
        gone = peer.authorization(challenge, "REGISTER", "lab-1012")
        peer.send(
            peer.request("REGISTER", "", gone).replace(b"\r\nCSeq", b"\r\nExpires: 0\r\nCSeq")
        )
        assert status(await peer.final()) == 200
    await lab.agent_is("1012", "logged-out")
    counters = (await lab.status())["sip"]
    assert counters["register_403"] == 1
    assert counters["register_401"] >= 4


def rtp(sequence: int, payload: bytes, source: int = 7) -> bytes:
    return struct.pack("!BBHII", 0x80, 0, sequence, sequence * 160, source) + payload


async def test_rtp_from_strangers_is_counted_and_not_heard(lab: Lab) -> None:
    strays = (await lab.status())["gateway"].get("packets_stray", 0)
    mine, theirs = bytes([0x9A]) * 160, bytes([0x1C]) * 160
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
    ):
        own.bind((lab.host, 0))
        own.setblocking(False)
        async with RawSip(lab.host, lab.sip_port) as peer:
            peer.send(peer.invite("4002", sdp(lab.host, own.getsockname()[1])))
            answer = await peer.final()
            assert status(answer) == 200
            peer.acknowledge("4002", answer)
            found = re.search(r"m=audio (\d+)", answer)
            assert found is not None
            target = (lab.host, int(found[1]))
            heard_mine = heard_theirs = 0
            sequence = 0
            loop = asyncio.get_running_loop()
            until = loop.time() + 20.0
            while heard_mine < 20 and loop.time() < until:
                sequence += 1
                own.sendto(rtp(sequence, mine), target)
                stranger.sendto(rtp(sequence, theirs), target)
                stranger.sendto(b"\x00garbage", target)
                await asyncio.sleep(0.02)
                while True:
                    try:
                        sound = own.recv(2000)[12:]
                    except BlockingIOError:
                        break
                    heard_mine += sound.count(mine[:1]) > 100
                    heard_theirs += sound.count(theirs[:1]) > 100
            own.sendto(b"no rtp at all", target)
            tag = re.search(r"\nTo:.*;tag=([^\r;]+)", answer)
            assert tag is not None
            peer.send(peer.request("BYE", "4002", to_tag=tag[1]))
            assert status(await peer.final()) == 200
    assert heard_mine >= 20
    assert heard_theirs == 0
    await lab.is_quiet()
    assert (await lab.status())["gateway"]["packets_stray"] >= strays + 20


async def test_api_without_rights_or_sense(lab: Lab) -> None:
    async with httpx.AsyncClient(base_url=lab.url, timeout=PATIENCE_S) as client:
        for path in ("/api/v1/snapshot", "/api/v1/status", "/api/v1/customers?name=x"):
            assert (await client.get(path)).status_code == 401
            forged = {"Authorization": "Bearer abc.def.ghi"}
            assert (await client.get(path, headers=forged)).status_code == 401
        wrong = {"login": "1001", "password": "wrong"}
        assert (await client.post("/api/v1/sign-on", json=wrong)).status_code == 401
        agent = {"Authorization": f"Bearer {await lab.token('1020')}"}
        reply = await client.get("/api/v1/status", headers=agent)
        assert (reply.status_code, reply.json()["error_id"]) == (403, "supervisors-only")
        reply = await client.post(
            "/api/v1/agents/1021/state", json={"state": "available"}, headers=agent
        )
        assert reply.status_code == 403
        for body in (b"", b"{", b"[]", b'{"state": 7}', b"\xff\xfe", b"[" * 100_000):
            reply = await client.post("/api/v1/agents/me/state", content=body, headers=agent)
            assert reply.status_code in (400, 413, 422), body[:20]
            assert reply.json()["error_id"]
        for path in ("hold", "resume", "hang-up", "wrap-up"):
            reply = await client.post(f"/api/v1/interactions/i-none/{path}", headers=agent)
            assert reply.status_code == 404
    for url in ("/api/v1/events", "/api/v1/events?token=nonsense"):
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with websockets.connect(f"ws://{lab.host}:{lab.http_port}{url}", proxy=None):
                pass
        assert refused.value.response.status_code in (401, 403)
    await serves(lab)


async def test_the_call_goes_on_when_the_recording_cannot_be_written(lab: Lab) -> None:
    folder = lab.data / "recordings"
    aside = lab.data / "recordings.aside"
    if folder.exists():
        folder.rename(aside)
    folder.write_text("a file where a folder should be")
    async with (
        Desk(lab, "super", backend=None) as watcher,
        Phone("baresip") as agent,
        Phone("pjsua2", number="+12025550117") as caller,
    ):
        await agent.register_to(lab.host, lab.sip_port, "1001", "lab-1001")
        await lab.agent_is("1001", "available")
        agent.hum(AGENT_HZ)
        call = await caller.call(f"sip:4001@{lab.host}:{lab.sip_port}")
        ring = await agent.answer_next()
        await caller.established(call)
        failed = await watcher.event(EventType.RECORDING_FINISHED)
        assert failed.data.error
        assert str(folder) in failed.data.error
        await until_heard(caller, call, AGENT_HZ)
        await caller.hang_up(call)
        await agent.closed(ring.call)
        await lab.is_quiet()
        row = (await lab.recordings(1))[-1]
        assert row["error"] == failed.data.error

        folder.unlink()
        if aside.exists():
            aside.rename(folder)
        mark = watcher.mark()
        call = await caller.call(f"sip:4001@{lab.host}:{lab.sip_port}")
        ring = await agent.answer_next()
        await caller.established(call)
        await asyncio.sleep(0.5)
        await caller.hang_up(call)
        whole = await watcher.event(EventType.RECORDING_FINISHED, after=mark)
        assert whole.data.error is None


async def test_the_call_goes_on_when_the_disk_is_full_in_the_middle_of_a_recording(
    lab: Lab,
) -> None:
    async with (
        Desk(lab, "super", backend=None) as watcher,
        Phone("baresip") as agent,
        Phone("pjsua2", number="+12025550117") as caller,
    ):
        await agent.register_to(lab.host, lab.sip_port, "1001", "lab-1001")
        await lab.agent_is("1001", "available")
        agent.hum(AGENT_HZ)
        caller.hum(CALLER_HZ)
        # The system takes no octet behind this from the gateway: what a full disk does to a file.
        unlimited = resource.prlimit(lab.gateway_pid, resource.RLIMIT_FSIZE)
        resource.prlimit(lab.gateway_pid, resource.RLIMIT_FSIZE, (24_000, unlimited[1]))
        try:
            call = await caller.call(f"sip:4001@{lab.host}:{lab.sip_port}")
            ring = await agent.answer_next()
            await caller.established(call)
            failed = await watcher.event(EventType.RECORDING_FINISHED)
            assert failed.data.error
            await until_each_hears((caller, call, AGENT_HZ), (agent, ring.call, CALLER_HZ))
            await caller.hang_up(call)
            await agent.closed(ring.call)
            await lab.is_quiet()
        finally:
            resource.prlimit(lab.gateway_pid, resource.RLIMIT_FSIZE, unlimited)
        row = (await lab.recordings(1))[-1]
        assert row["error"] == failed.data.error

        mark = watcher.mark()
        call = await caller.call(f"sip:4001@{lab.host}:{lab.sip_port}")
        ring = await agent.answer_next()
        await caller.established(call)
        await asyncio.sleep(0.5)
        await caller.hang_up(call)
        whole = await watcher.event(EventType.RECORDING_FINISHED, after=mark)
        assert whole.data.error is None


async def test_nothing_of_all_this_was_a_fault(lab: Lab) -> None:
    """Last of the file: no exception was caught at the call boundary."""
    assert (await lab.status())["faults"] == 0
    await lab.is_quiet()
