"""Busy lamps, waiting messages, presence and short messages: a watcher on a plain socket, and PJSIP."""

from __future__ import annotations

import re

import pytest

from cti.client import ApiClient
from cti.schema import Event, EventType, Snapshot, TextReceived
from tests.kit.lab import Lab
from tests.kit.phone import Phone
from tests.kit.raw_sip import RawSip, status
from tests.kit.watching_phone import WatchingPhone

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


class Lamp:
    """A subscription on a plain socket, answered by hand."""

    def __init__(self, wire: RawSip, watched: str, event: str = "dialog") -> None:
        self.wire = wire
        self.watched = watched
        self.event = event
        self.to_tag = ""
        self.numbers: list[int] = []

    async def subscribe(self, expires: str = "600") -> str:
        """Subscribe with the password; gives the final response."""
        wire = self.wire
        own = (f"Event: {self.event}", f"Expires: {expires}")
        wire.send(wire.request("SUBSCRIBE", self.watched, *own, to_tag=self.to_tag))
        challenge = await self._response()
        assert status(challenge) == 401
        proof = wire.authorization(challenge, "SUBSCRIBE", f"lab-{wire.user}", number=self.watched)
        wire.send(wire.request("SUBSCRIBE", self.watched, *own, proof, to_tag=self.to_tag))
        response = await self._response()
        tag = re.search(r"\nTo:.*;tag=([^\r;]+)", response)
        if tag is not None and status(response) == 200:
            self.to_tag = tag[1]
        return response

    async def _response(self) -> str:
        while True:
            message = await self.wire.receive(10.0)
            if message.startswith("SIP/2.0"):
                return message

    async def notified(self, timeout_s: float = 15.0) -> str:
        """The next notification that is no repetition; it is answered with 200."""
        while True:
            message = await self.wire.receive(timeout_s)
            assert message.startswith("NOTIFY "), message
            head, _, _ = message.partition("\r\n\r\n")
            kept = [
                line
                for line in head.split("\r\n")[1:]
                if line.startswith(("Via", "From", "To", "Call-ID", "CSeq"))
            ]
            self.wire.send("\r\n".join(["SIP/2.0 200 OK", *kept, "", ""]).encode())
            number = re.search(r"CSeq: (\d+)", head)
            assert number is not None
            if int(number[1]) not in self.numbers:
                self.numbers.append(int(number[1]))
                return message

    async def until(self, words: str) -> str:
        """The next notification with these words."""
        while words not in (message := await self.notified()):
            pass
        return message


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


async def test_a_lamp_goes_on_after_the_call_agent_was_killed(lab: Lab) -> None:
    async with RawSip(lab.host, lab.sip_port, "1005") as wire:
        lamp = Lamp(wire, "1005", "message-summary")
        assert status(await lamp.subscribe()) == 200
        await lamp.until("Messages-Waiting: no")
        await lab.post("/api/v1/phones/1005/mailbox", {"new": 2, "old": 0})
        await lamp.until("Voice-Message: 2/0")
        lab.kill()
        await lab.ended()
        await lab.start()
        await lamp.until("Voice-Message: 2/0")  # told anew by the new process
        await lab.post("/api/v1/phones/1005/mailbox", {"new": 0, "old": 2})
        await lamp.until("Voice-Message: 0/2")
        assert lamp.numbers == sorted(lamp.numbers)
