"""Calls on several media gateways: who has which, and pairs of phones that talk."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from tests.kit.hearing import AGENT_HZ, CALLER_HZ, OTHER_HZ, hears, listen
from tests.kit.lab import Lab
from tests.kit.phone import Phone


async def gateways(lab: Lab) -> dict[str, dict[str, Any]]:
    """Each of them by its name."""
    return {each["name"]: each for each in (await lab.status())["gateways"]}


async def are_up(lab: Lab) -> None:
    """Wait until both take calls."""

    async def holds() -> bool:
        return [each["state"] for each in (await gateways(lab)).values()] == ["up", "up"]

    await lab.until(holds, 30.0, "both gateways never were up")


async def have(lab: Lab, first: int, second: int) -> None:
    """Wait until the gateways have so many legs, by the books and by their own count."""

    async def holds() -> bool:
        found = (await gateways(lab)).values()
        booked = [each["legs"] for each in found]
        counted = [each["figures"].get("legs") for each in found]
        return booked == counted == [first, second]

    await lab.until(holds, message=f"the gateways never had {first} and {second} legs")


class Pair:
    """A customer and the agent whose phone is dialled; each hums."""

    def __init__(self, lab: Lab, number: str) -> None:
        self._lab = lab
        self._number = number
        self.caller, self.agent = Phone("baresip", number=f"+12025551{number}"), Phone("pjsua2")
        self.call = self.ring = ""

    async def talk(self, phones: AsyncExitStack) -> Pair:
        """Let them talk, and hear each other."""
        for phone, pitch in ((self.caller, CALLER_HZ), (self.agent, AGENT_HZ)):
            await phones.enter_async_context(phone)
            phone.hum(pitch)
        lab = self._lab
        await self.agent.register_to(lab.host, lab.sip_port, self._number, f"lab-{self._number}")
        await lab.agent_is(self._number, "available")
        await self.again()
        return self

    async def again(self) -> None:
        """Call once more."""
        lab = self._lab
        self.call = await self.caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
        self.ring = (await self.agent.answer_next()).call
        await self.caller.established(self.call)
        await lab.agent_is(self._number, "talking")
        await self.sounds()

    async def sounds(self) -> None:
        """They hear each other."""
        heard, heard_too = await asyncio.gather(
            listen(self.caller, self.call), listen(self.agent, self.ring)
        )
        hears(heard, AGENT_HZ)
        hears(heard_too, CALLER_HZ)

    async def ended(self) -> None:
        """Both hear of the end."""
        await asyncio.gather(self.caller.closed(self.call), self.agent.closed(self.ring))

    async def hang_up(self) -> None:
        await self.caller.hang_up(self.call)
        await self.agent.closed(self.ring)


async def across(lab: Lab, phones: AsyncExitStack) -> None:
    """Let an agent transfer its customer to a call of its own on the other gateway; they end it.

    The second line of the agent is a new call and goes to the emptier gateway.
    """
    pair = await Pair(lab, "1006").talk(phones)
    colleague = await phones.enter_async_context(Phone("baresip"))
    colleague.hum(OTHER_HZ)
    await colleague.register_to(lab.host, lab.sip_port, "1031", "lab-1031")
    await lab.agent_is("1031", "available")
    pair.agent.process.hold(pair.ring)
    await lab.agent_is("1006", "held")
    asked = await pair.agent.call("1031")
    ring = await colleague.answer_next()
    await pair.agent.established(asked)
    await have(lab, 2, 2)
    pair.agent.process.connect(pair.ring, asked)
    await pair.agent.closed(pair.ring)
    await pair.agent.closed(asked)
    heard, heard_too = await asyncio.gather(
        listen(pair.caller, pair.call), listen(colleague, ring.call)
    )
    hears(heard, OTHER_HZ)
    hears(heard_too, CALLER_HZ)
    booked = [each["legs"] for each in (await gateways(lab)).values()]
    assert booked == [1, 1]
    await asyncio.sleep(1.0)  # sound for the recording
    await pair.caller.hang_up(pair.call)
    await colleague.closed(ring.call)
