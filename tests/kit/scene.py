"""A conversation of real phones: each party hums a pitch of its own, and what the others hear is measured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack

import numpy as np

from cti.phone.protocol import Closed, Event
from tests.kit.hearing import HEARD, UNHEARD, Ear
from tests.kit.lab import Lab
from tests.kit.phone import Phone, tone_levels

_PITCHES = (1080.0, 1720.0, 1440.0, 2020.0, 2600.0)
"""Between the notes of the hold music, and none a multiple of another."""
_TRIES = 20


class Party:
    """A phone with a pitch of its own, and its call."""

    def __init__(self, name: str, phone: Phone, pitch: float) -> None:
        self.name, self.phone, self.pitch = name, phone, pitch
        self.call = ""
        self._ends: dict[str, float] = {}
        phone.hum(pitch)
        phone.process.listen(self._happened)

    def _happened(self, event: Event) -> None:
        if isinstance(event, Closed):
            self._ends[event.call] = time.monotonic()

    async def rings(self) -> None:
        """Wait for a call, which rings on."""
        self.call = (await self.phone.incoming()).call

    async def answer(self) -> None:
        """Take the next call."""
        await self.rings()
        await self.pick_up()

    async def pick_up(self) -> None:
        """Take the call that rings."""
        self.phone.process.answer(self.call)
        await self.phone.established(self.call)

    def hears(self, *pitches: float) -> Ear:
        """What it must hear all the time."""
        return Ear(self.phone, self.call, self.name, pitches)

    async def ended(self) -> tuple[int, float]:
        """Wait until its call is over; the status of that, and when the phone told it."""
        call, self.call = self.call, ""
        return (await self.phone.closed(call)).status, self._ends[call]


class Scene:
    """A server, a customer who talks to agent 1001, and others who are there."""

    def __init__(self, lab: Lab, phones: AsyncExitStack) -> None:
        self.lab = lab
        self.phones = phones
        self.parties: list[Party] = []
        self.interaction = ""

    async def phone(
        self, backend: str, number: str, *, registers: bool = True, port: int = 0
    ) -> Party:
        """One more phone; `port` where calls come to it without a registration."""
        phone = await self.phones.enter_async_context(
            Phone(backend, number=number if not registers else "phone", port=port)
        )
        if registers:
            await phone.register_to(self.lab.host, self.lab.sip_port, number, f"lab-{number}")
        party = Party(number, phone, _PITCHES[len(self.parties)])
        self.parties.append(party)
        return party

    async def customer(self, number: str, backend: str = "baresip", *, rings: bool = True) -> Party:
        """Somebody who calls a number of the lab; `rings`: and whom that has told of ringing."""
        customer = await self.phone(backend, "+12025550103", registers=False)
        target = f"sip:{number}@{self.lab.host}:{self.lab.sip_port}"
        if rings:
            customer.call = await customer.phone.call_until_it_rings(target)
        else:
            customer.call = await customer.phone.call(target)
        return customer

    async def talk(
        self, customer_has: str = "pjsua2", agent_has: str = "baresip"
    ) -> tuple[Party, Party]:
        """A customer and agent 1001, with these phones."""
        agent = await self.phone(agent_has, "1001")
        await self.lab.agent_is("1001", "available")
        customer = await self.customer("4001", customer_has)
        await agent.answer()
        await customer.phone.established(customer.call)
        await self.lab.agent_is("1001", "talking")
        views = (await self.lab.get("/api/v1/snapshot"))["interactions"]
        (self.interaction,) = [v["interaction_id"] for v in views if v["agent_id"] == "1001"]
        return customer, agent

    async def do(self, what: str, body: object = None, login: str = "1001") -> None:
        """Command the interaction."""
        path = f"/api/v1/interactions/{self.interaction}/{what}"
        reply = await self.lab.post(path, body, login)
        assert reply.status_code == 202, reply.text

    async def hear(self, **wanted: str) -> None:
        """Wait until each party hears these; `music` for nobody but the music. Listens to all at once.

        Keys are the names of parties, values names of those heard.
        """
        for tries_left in reversed(range(_TRIES)):
            try:
                return await self._hear(wanted)
            except AssertionError:  # a gap, or what a playout buffer held from before
                if not tries_left:
                    raise

    async def _hear(self, wanted: Mapping[str, str]) -> None:
        names = {party.name.lstrip("+"): party for party in self.parties if party.call}
        listeners = [names[key.lstrip("_")] for key in wanted]
        sounds = await asyncio.gather(*(party.phone.hear(party.call, 0.5) for party in listeners))
        for party, pcm, heard in zip(listeners, sounds, wanted.values(), strict=True):
            assert len(pcm) > 2000, f"{party.name} hears {len(pcm)} samples"
            levels = dict(
                zip(names, tone_levels(pcm, [each.pitch for each in names.values()]), strict=True)
            )
            expected = set(heard.split())
            if "music" in expected:
                expected.discard("music")
                assert np.abs(pcm.astype(float)).mean() > 50, f"{party.name} should hear music"
            for name, level in levels.items():
                said = f"{party.name} hears {levels}, wanted {heard}"
                assert (level > HEARD) if name in expected else (level < UNHEARD), said

    async def leave(self) -> None:
        """The customer hangs up, and then whoever is left."""
        there = [party for party in self.parties if party.call]
        there.sort(key=lambda party: not party.name.startswith("+"))
        if there:
            await there[0].phone.hang_up(there[0].call)
        for party in there[1:]:
            party.phone.process.hang_up(party.call)
        await self.lab.is_quiet()
