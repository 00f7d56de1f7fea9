"""Busy lamps, waiting messages, presence, short messages: a watcher on a plain socket, and PJSIP.

And what is kept of a call of two phones: its record, its trace, and what a capture server was sent.
"""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from cti.client import ApiClient
from cti.schema import Event, EventType, Snapshot, TextReceived
from tests.kit.lab import Lab, edited
from tests.kit.lamp import Lamp
from tests.kit.phone import Phone
from tests.kit.raw_sip import RawSip, status
from tests.kit.watching_phone import WatchingPhone
from tests.switch.capture.test_hep import decode

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module")
def homer() -> Iterator[socket.socket]:
    """A capture server."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        server.bind(("127.0.0.1", 0))
        server.setblocking(False)
        yield server


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def lab(homer: socket.socket, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    config: Path = edited(folder)
    with config.open("a") as file:
        file.write(f'\n[capture]\nhep = "127.0.0.1:{homer.getsockname()[1]}"\n')
    async with Lab(folder, config=config) as running:
        yield running


async def test_a_lamp_shows_a_call_of_two_phones(lab: Lab) -> None:
    async with (
        Phone("baresip") as caller,
        Phone("baresip") as callee,
        RawSip(lab.host, lab.sip_port, "1005") as wire,
    ):
        await caller.register_to(lab.host, lab.sip_port, "1003", "lab-1003")
        await callee.register_to(lab.host, lab.sip_port, "1004", "lab-1004")
        lamp = Lamp(wire, "1004")
        assert status(await lamp.subscribe()) == 200
        first = await lamp.notified()
        assert "<dialog " not in first
        assert "Subscription-State: active" in first
        call = await caller.call(f"sip:1004@{lab.host}:{lab.sip_port}")
        early = await lamp.until("<state>early</state>")
        assert 'direction="recipient"' in early
        assert "1003" not in early  # not permitted
        ring = await callee.answer_next()
        await caller.established(call)
        await lamp.until("<state>confirmed</state>")
        await callee.hang_up(ring.call)
        await lamp.until("<state>terminated</state>")
        assert status(await lamp.subscribe("0")) == 200
        assert "Subscription-State: terminated;reason=timeout" in await lamp.notified()
        assert lamp.numbers == sorted(lamp.numbers)
    await lab.is_quiet()


async def test_a_call_leaves_a_record_a_trace_and_packets_of_a_capture(
    lab: Lab, homer: socket.socket
) -> None:
    async with Phone("pjsua2") as caller, Phone("baresip") as callee:
        await caller.register_to(lab.host, lab.sip_port, "1009", "lab-1009")
        await callee.register_to(lab.host, lab.sip_port, "1010", "lab-1010")
        call = await caller.call(f"sip:1010@{lab.host}:{lab.sip_port}")
        ring = await callee.answer_next()
        await caller.established(call)
        live = await lab.get("/api/v1/trace?wanted=1010")
        assert live[0]["live"]
        await callee.hang_up(ring.call)
    await lab.is_quiet()

    legs: list[dict[str, object]] = []

    async def written() -> bool:
        legs[:] = (await lab.get("/api/v1/calls?number=1010&result=completed"))["legs"]
        return len(legs) == 2

    await lab.until(written, message="the call left no records")
    came, went = sorted(legs, key=lambda leg: str(leg["direction"]))
    assert (came["caller"], came["called"], came["phone"]) == ("1009", "1010", "1009")
    assert (went["phone"], went["ended_by"], went["codec"]) == ("1010", "peer", came["codec"])
    assert "baresip" in str(went["user_agent"])  # as it registered
    assert came["call_id"] == went["call_id"]
    assert (await lab.get("/api/v1/calls?limit=1"))["next"]

    (trace,) = await lab.get(f"/api/v1/trace?wanted={came['call_id']}")
    for words in (
        "INVITE (SDP)",
        "401 Unauthorized (INVITE)",
        "200 OK (INVITE)",
        "BYE",
        "switchroom",
    ):
        assert words in trace["ladder"]
    assert not any(message["text"] for message in trace["messages"])
    (trace,) = await lab.get(f"/api/v1/trace?wanted={came['call_id']}", "admin")
    texts = [message["text"] for message in trace["messages"]]
    assert any("Authorization: Digest [hidden]" in text for text in texts)
    assert not any("response=" in text for text in texts)

    packets = []
    while True:
        try:
            packets.append(decode(homer.recv(65536)))
        except BlockingIOError:
            break
    of_caller = [p for p in packets if p[17].decode() == came["sip_call_id"]]
    kinds = [p[15].split(b" ")[0] for p in of_caller if p[11] == b"\x01"]
    assert kinds[0] == b"INVITE"
    assert b"BYE" in kinds
    (figures,) = [p[15] for p in of_caller if p[11] == b"\x05"]
    assert b'"report_blocks"' in figures


async def test_who_may_see_records_and_traces(lab: Lab) -> None:
    headers = {"Authorization": f"Bearer {await lab.token('1001')}"}
    async with httpx.AsyncClient(base_url=lab.url, headers=headers, timeout=30) as client:
        for path in ("/api/v1/calls", "/api/v1/trace?wanted=1010"):
            assert (await client.get(path)).status_code == 403
    headers = {"Authorization": f"Bearer {await lab.token('super')}"}
    async with httpx.AsyncClient(base_url=lab.url, headers=headers, timeout=30) as client:
        for path, status_code in (
            ("/api/v1/trace?wanted=nobody", 404),
            ("/api/v1/trace", 422),
            ("/api/v1/calls?cursor=nonsense", 422),
            ("/api/v1/calls?limit=0", 422),
            ("/api/v1/calls?since=x", 422),
        ):
            assert (await client.get(path)).status_code == status_code, path


async def test_pjsip_sees_waiting_messages(lab: Lab) -> None:
    async with WatchingPhone(lab.host, lab.sip_port, "1006", "lab-1006") as phone:
        await phone.until("mwi")
        reply = await lab.post("/api/v1/phones/1006/mailbox", {"new": 3, "old": 1})
        assert reply.status_code == 200
        seen = await phone.until("mwi")
        assert "Messages-Waiting: yes" in seen["text"]
        assert "Voice-Message: 3/1 (0/0)" in seen["text"]
    for body, number, login, expected in (
        ({"new": 0}, "1006", "super", 200),
        ({"new": 1}, "1006", "1001", 403),
        ({"new": -1}, "1006", "super", 422),
        ({"new": 1}, "9999", "super", 404),
    ):
        reply = await lab.post(f"/api/v1/phones/{number}/mailbox", body, login)
        assert reply.status_code == expected
    assert (await lab.get("/api/v1/phones/1001/mailbox", "1001"))["new"] == 0
    for text in ("", "x" * 1301):
        reply = await lab.post("/api/v1/phones/1006/messages", {"text": text})
        assert reply.status_code == 422


async def test_pjsip_sees_what_another_publishes_and_what_an_agent_does(lab: Lab) -> None:
    async with (
        WatchingPhone(lab.host, lab.sip_port, "1006", "lab-1006") as watcher,
        WatchingPhone(lab.host, lab.sip_port, "1007", "lab-1007") as phone,
    ):
        watcher.watch("1007")
        await watcher.until("buddy", online=True)
        phone.publish("busy", "in a hurry")
        seen = await watcher.until("buddy", activity="busy")
        assert seen["note"] == "in a hurry"
        phone.publish("away", "gone for tea")
        await watcher.until("buddy", activity="away", note="gone for tea")


async def test_pjsip_writes_to_pjsip(lab: Lab) -> None:
    async with (
        WatchingPhone(lab.host, lab.sip_port, "1006", "lab-1006") as one,
        WatchingPhone(lab.host, lab.sip_port, "1007", "lab-1007") as other,
    ):
        one.write("1007", "Grüße")
        heard = await other.until("text")
        assert (heard["text"], heard["type"]) == ("Grüße", "text/plain")
        assert "1006" in heard["sender"]
        await one.until("sent", status=200)
        one.write("1049", "nobody there")
        await one.until("sent", status=480)
        reply = await lab.post("/api/v1/phones/1007/messages", {"text": "from above"})
        assert reply.json() == {"delivered": True, "status": 200}
        assert (await other.until("text"))["text"] == "from above"


async def test_what_is_written_to_an_agent_stands_on_the_desk(lab: Lab) -> None:
    async with (
        ApiClient(lab.url) as desk,
        WatchingPhone(lab.host, lab.sip_port, "1006", "lab-1006") as phone,
    ):
        await desk.sign_on("1008", "desk-1008")
        stream = desk.stream()
        async for item in stream:
            if isinstance(item, Snapshot):
                break
        phone.write("1008", "call me")
        await phone.until("sent", status=202)
        async for item in stream:
            if isinstance(item, Event) and item.type is EventType.TEXT_RECEIVED:
                assert item.data == TextReceived(sender="1006", text="call me")
                break
        await desk.sign_off()


async def test_a_storm_of_notifications_of_nothing_gets_481_and_disturbs_nobody(lab: Lab) -> None:
    async with RawSip(lab.host, lab.sip_port, "1005") as wire:
        for number in range(300):
            wire.call_id = f"storm-{number}"
            headers = ("Event: dialog", "Subscription-State: active;expires=600")
            wire.send(wire.request("NOTIFY", "1005", *headers, to_tag="nobody", body=b"<x/>" * 50))
        for _ in range(300):
            assert status(await wire.final()) == 481
        wire.call_id = "after-the-storm"
        lamp = Lamp(wire, "1005", "conference")
        bad = await lamp.subscribe()
        assert status(bad) == 489
        assert "Allow-Events: dialog, message-summary, presence, reg" in bad


async def test_lamps_and_records_go_on_after_the_call_agent_was_killed(lab: Lab) -> None:
    async with (
        Phone("baresip") as caller,
        Phone("baresip") as callee,
        RawSip(lab.host, lab.sip_port, "1005") as wire,
        RawSip(lab.host, lab.sip_port, "1005") as other,
    ):
        await caller.register_to(lab.host, lab.sip_port, "1011", "lab-1011")
        await callee.register_to(lab.host, lab.sip_port, "1012", "lab-1012")
        call = await caller.call(f"sip:1012@{lab.host}:{lab.sip_port}")
        await callee.answer_next()
        await caller.established(call)
        box, lamp = Lamp(wire, "1005", "message-summary"), Lamp(other, "1012")
        assert status(await box.subscribe()) == 200
        await box.until("Messages-Waiting: no")
        assert status(await lamp.subscribe()) == 200
        await lamp.until("<state>confirmed</state>")  # the call began before anybody watched
        await lab.post("/api/v1/phones/1005/mailbox", {"new": 2, "old": 0})
        await box.until("Voice-Message: 2/0")
        killed = time.time()
        lab.kill()
        await lab.ended()
        await lab.start()
        await box.until("Voice-Message: 2/0")  # told anew by the new process
        await lamp.until("<state>confirmed</state>")
        await lab.post("/api/v1/phones/1005/mailbox", {"new": 0, "old": 2})
        await box.until("Voice-Message: 0/2")
        await caller.hang_up(call)
        await lamp.until("<state>terminated</state>")
        assert box.numbers == sorted(box.numbers)
        assert lamp.numbers == sorted(lamp.numbers)

    async def written() -> bool:
        legs = (await lab.get("/api/v1/calls?number=1012"))["legs"]
        return len(legs) == 2 and all(
            leg["started"] < killed < leg["ended"] and leg["answered"] < killed for leg in legs
        )

    await lab.until(written, message="the call left no records")
