"""The key beside a busy lamp: what rings at a colleague is picked up by what its lamp says (Replaces).

Desk phones do it so: they watch (SUBSCRIBE), are told by what the call is named (NOTIFY), and call in its
place. The watcher is a plain socket, the phones are PJSIP and baresip.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.kit.hearing import AGENT_HZ, CALLER_HZ, OTHER_HZ, until_each_hears
from tests.kit.lab import Lab, edited
from tests.kit.lamp import Lamp
from tests.kit.phone import Phone
from tests.kit.raw_sip import RawSip, sdp, status

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    """The lab, in which some phones see with whom others talk."""
    folder = tmp_path_factory.mktemp("lab")
    config = edited(folder)
    with config.open("a") as file:
        file.write('\n[presence]\nsee_numbers = ["1002-1006"]\n')
    async with Lab(folder, config=config) as running:
        yield running


def replaces(notification: str) -> str:
    """How the one dialog of a notification is asked for: local is the phone that is watched."""
    found = re.search(r'call-id="([^"]+)" local-tag="([^"]+)" remote-tag="([^"]+)"', notification)
    assert found is not None, notification
    return f"{found[1]};to-tag={found[3]};from-tag={found[2]};early-only"


def target(notification: str) -> str:
    """Where phones send the INVITE: the target of the remote end."""
    found = re.search(r'<remote>.*<target uri="([^"]+)"/></remote>', notification)
    assert found is not None, notification
    return found[1]


async def watched(wire: RawSip, number: str) -> Lamp:
    """A lamp that is out."""
    lamp = Lamp(wire, number)
    assert status(await lamp.subscribe()) == 200
    assert "<dialog " not in await lamp.notified()
    return lamp


async def calls_instead(wire: RawSip, number: str, named: str) -> str:
    """The final answer to an INVITE with Replaces; a challenge is answered."""
    own = [f"Replaces: {named}"]
    for _ in range(2):
        wire.send(wire.invite(number, sdp(wire.host, 40_000), "application/sdp", *own))
        while f"\r\nCall-ID: {wire.call_id}\r\n" not in (response := await wire.final()):
            pass  # an earlier one again
        wire.acknowledge(number, response)
        if status(response) != 401:
            break
        own.append(wire.authorization(response, "INVITE", f"lab-{wire.user}", number=number))
    return response


async def requested(wire: RawSip, method: str) -> str:
    """The next request of this method; what is repeated meanwhile is passed over."""
    while not (message := await wire.receive()).startswith(f"{method} "):
        pass
    return message


async def test_a_call_of_two_phones_is_picked_up_by_a_third_that_is_heard_and_hears(
    lab: Lab,
) -> None:
    async with (
        Phone("baresip") as caller,
        Phone("baresip") as callee,
        Phone("pjsua2") as colleague,
        RawSip(lab.host, lab.sip_port, "1005") as wire,
        RawSip(lab.host, lab.sip_port, "1009") as other,
    ):
        caller.hum(CALLER_HZ)
        callee.hum(AGENT_HZ)
        colleague.hum(OTHER_HZ)
        await caller.register_to(lab.host, lab.sip_port, "1003", "lab-1003")
        await callee.register_to(lab.host, lab.sip_port, "1004", "lab-1004")
        await colleague.register_to(lab.host, lab.sip_port, "1005", "lab-1005")
        lamp, other_lamp = await watched(wire, "1004"), await watched(other, "1004")
        call = await caller.call(f"sip:1004@{lab.host}:{lab.sip_port}")
        ring = await callee.incoming()
        early = await lamp.until("<state>early</state>")
        assert 'direction="recipient"' in early
        assert target(early) == f"sip:1003@{lab.host}:{lab.sip_port}"
        untold = await other_lamp.until("<state>early</state>")
        assert not re.search("call-id|-tag|sip:1003", untold.partition("\r\n\r\n")[2])
        taken = await colleague.call(target(early), {"Replaces": replaces(early)})
        await colleague.established(taken)
        await caller.established(call)
        await callee.closed(ring.call)
        await until_each_hears((caller, call, OTHER_HZ), (colleague, taken, CALLER_HZ))
        await lamp.until("<state>terminated</state>")
        await colleague.hang_up(taken)
        await caller.closed(call)
    await lab.is_quiet()


async def test_an_offer_of_a_queue_is_booked_to_the_agent_who_picks_it_up_by_the_key(
    lab: Lab,
) -> None:
    async with (
        Phone("pjsua2", number="+12025550143") as caller,
        Phone("pjsua2") as chosen,
        Phone("baresip") as colleague,
        RawSip(lab.host, lab.sip_port, "1002") as wire,
        RawSip(lab.host, lab.sip_port, "1026") as stranger,
    ):
        caller.hum(CALLER_HZ)
        chosen.hum(AGENT_HZ)
        colleague.hum(OTHER_HZ)
        lamp = await watched(wire, "1001")
        await chosen.register_to(lab.host, lab.sip_port, "1001", "lab-1001")
        await lab.agent_is("1001", "available")
        call = await caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
        ring = await chosen.incoming()
        early = await lamp.until("<state>early</state>")
        refused = await calls_instead(stranger, "1001", replaces(early))
        assert status(refused) == 403, "it is of another queue"
        await colleague.register_to(lab.host, lab.sip_port, "1002", "lab-1002")
        await lab.agent_is("1002", "available")
        taken = await colleague.call(target(early), {"Replaces": replaces(early)})
        await colleague.established(taken)
        await caller.established(call)
        await chosen.closed(ring.call)
        await lab.agent_is("1002", "talking")
        await lab.agent_is("1001", "available")
        (talk,) = (await lab.get("/api/v1/snapshot", "1002"))["interactions"]
        assert talk["agent_id"] == "1002"
        await until_each_hears((caller, call, OTHER_HZ), (colleague, taken, CALLER_HZ))
        await caller.hang_up(call)
        await colleague.closed(taken)
    await lab.is_quiet()


async def test_the_phone_that_rang_is_told_why_and_who_guesses_or_is_late_is_refused(
    lab: Lab,
) -> None:
    async with (
        Phone("baresip") as caller,
        RawSip(lab.host, lab.sip_port, "1006") as callee,
        RawSip(lab.host, lab.sip_port, "1005") as wire,
        RawSip(lab.host, lab.sip_port, "1005") as colleague,
        RawSip(lab.host, lab.sip_port, "1007") as thief,
    ):
        await caller.register_to(lab.host, lab.sip_port, "1003", "lab-1003")
        await callee.register(f"lab-{callee.user}")
        lamp = await watched(wire, "1006")
        call = await caller.call(f"sip:1006@{lab.host}:{lab.sip_port}")
        invite = await requested(callee, "INVITE")
        callee.respond(invite, "180 Ringing", to_tag="of-1006")
        early = await lamp.until("<state>early</state>")
        assert 'local-tag="of-1006"' in early
        named = replaces(early)
        assert named.startswith(re.findall(r"\r\nCall-ID: (\S+)", invite)[0])
        guesses = [named.replace(f"{tag}=", f"{tag}=x") for tag in ("to-tag", "from-tag")]
        for guess in (f"x{named}", *guesses):
            assert status(await calls_instead(thief, "1006", guess)) == 481, guess

        answer = await calls_instead(colleague, "1006", named)
        assert status(answer) == 200
        cancel = await requested(callee, "CANCEL")
        assert '\r\nReason: SIP;cause=200;text="Call completed elsewhere"\r\n' in cancel
        callee.respond(cancel, "200 OK", to_tag="of-1006")
        callee.respond(invite, "487 Request Terminated", to_tag="of-1006")
        await requested(callee, "ACK")
        await caller.established(call)
        await lamp.until("<state>terminated</state>")
        assert status(await calls_instead(thief, "1006", named)) == 481, "it rings no more"

        ours = re.findall(r"\r\nTo: [^\r]*;tag=([^\r;]+)", answer)[0]
        stands = f"{colleague.call_id};to-tag={ours};from-tag={colleague.tag}"
        assert status(await calls_instead(thief, "1005", f"{stands};early-only")) == 486
        assert status(await calls_instead(thief, "1005", stands)) == 403, "it is not its own"
        colleague.send(colleague.request("BYE", "1006", to_tag=ours))
        assert status(await colleague.final()) == 200
        await caller.closed(call)
        assert status(await calls_instead(thief, "1005", stands)) == 481, "it is over"
    await lab.is_quiet()
