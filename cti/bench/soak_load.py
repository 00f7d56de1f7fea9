"""The load of a soak: all the ways a call can go, with phones, desks, wallboards and a carrier beside.

A leak sits in the path that nobody takes often, so the rare ends of a call have their share here.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cti.bench.call_sound import CallSound
from cti.bench.server import MeasuredServer
from cti.bench.sip_agents import AgentPool
from cti.bench.sip_load import MANY, CallerPool
from cti.bench.soak_desks import Desks
from cti.bench.soak_phones import Phones
from cti.bench.soak_probe import Probe
from cti.bench.soak_site import CALLING, DESKS, PASSING, UNATTENDED

_HOST: Final = "127.0.0.1"
_BUSY_EVERY: Final = 25
_DEAD_EVERY: Final = 200
_RINGS_EVERY: Final = 100
_FORGET_EVERY: Final = 1000
_NO_COMMON_CODEC: Final = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 9 RTP/AVP 3\r\na=rtpmap:3 GSM/8000\r\n"
)
_CARRIED: Final = {"200": 200, "404": 404, "486": 486, "408": 0, "180": 180}
"""What the carrier does, by the end of the number: `0` says nothing, 180 rings on for good."""
OUTSIDE: Final = {end: f"+44163296{end:0>4}" for end in _CARRIED}
"""Numbers at the carrier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One way a call goes."""

    name: str
    share: int
    """Of five hundred calls."""
    called: str
    talk_s: float = 0.0
    expects: tuple[int, ...] = (200,)
    """Final statuses that are right; a CANCEL may cross with the answer."""
    is_silent: bool = False
    """The caller sends no sound."""
    more: dict[str, Any] = field(default_factory=dict)
    """Further fields of its `CallerPool`."""


_PHONE: Final[dict[str, Any]] = {"numbers": CALLING, "password": "lab-{number}"}

KINDS: Final = (
    Kind(name="queue", share=250, called="4101", talk_s=4.0),
    Kind(name="recorded", share=50, called="4100", talk_s=2.0),
    Kind(
        name="menu, digit, recorded",
        share=60,
        called="4103",
        talk_s=3.0,
        more={"digit": "1", "digit_after_s": 0.4},
    ),
    Kind(
        name="menu, wrong digit",
        share=10,
        called="4103",
        talk_s=3.0,
        more={"digit": "7", "digit_after_s": 0.4},
    ),
    Kind(name="holds", share=15, called="4100", talk_s=3.0, more={"hold_after_s": 1.0}),
    Kind(name="desk", share=10, called="4001", talk_s=5.0),
    Kind(name="hangs up in the prompt", share=20, called="4003", talk_s=0.5),
    Kind(name="hears all of the prompt", share=5, called="4003", talk_s=40.0),
    Kind(
        name="cancels",
        share=20,
        called=UNATTENDED,
        expects=(487, 200),
        more={"cancel_after_s": 0.4},
    ),
    Kind(
        name="cancels at once",
        share=10,
        called="4101",
        talk_s=0.2,
        expects=(487, 200),
        more={"cancel_after_s": 0.001},
    ),
    Kind(name="gives up in the queue", share=20, called=UNATTENDED, talk_s=0.7),
    Kind(name="unknown number", share=12, called="4999", expects=(404,)),
    Kind(
        name="no common codec",
        share=4,
        called="4101",
        expects=(488,),
        is_silent=True,
        more={"offer": _NO_COMMON_CODEC},
    ),
    Kind(name="calls out", share=4, called=OUTSIDE["200"], talk_s=2.0, more=_PHONE),
    Kind(name="out: 404", share=2, called=OUTSIDE["404"], expects=(404,), more=_PHONE),
    Kind(name="out: busy", share=2, called=OUTSIDE["486"], expects=(486,), more=_PHONE),
    Kind(name="out: silence", share=1, called=OUTSIDE["408"], expects=(408, 480), more=_PHONE),
    Kind(
        name="out: cancelled",
        share=2,
        called=OUTSIDE["180"],
        expects=(487,),
        more=_PHONE | {"cancel_after_s": 1.0},
    ),
    Kind(
        name="wrong password",
        share=1,
        called=OUTSIDE["200"],
        expects=(403, 401, 500),
        more={"numbers": ("1016",), "password": "guess"},
    ),
    Kind(
        name="never acknowledges",
        share=1,
        called="4101",
        more={"acknowledges": False, "hangs_up": False},
    ),
    Kind(name="vanishes", share=1, called="4100", is_silent=True, more={"hangs_up": False}),
)


class SoakLoad:
    """Calls at a steady rate until told to stop."""

    def __init__(
        self,
        server: MeasuredServer,
        rate: float,
        carrier_port: int,
        desks: Sequence[str] = DESKS,
    ) -> None:
        self._rate = rate
        self._sound = CallSound(_HOST)
        self.probe = Probe(server.sip, ("4101", "4100"))
        self._agents = AgentPool(
            host=_HOST,
            port=server.agent_port,
            rtp_port=self._sound.port,
            busy_every=_BUSY_EVERY,
            sound=self._sound,
            decide=self._mood,
            probe=self.probe.agent,
        )
        self._carrier = AgentPool(
            host=_HOST,
            port=carrier_port,
            rtp_port=self._sound.port,
            sound=self._sound,
            decide=_carry,
        )
        self._pools = [
            CallerPool(
                host=_HOST,
                server=server.sip,
                rtp_port=self._sound.port,
                called=kind.called,
                talk_s=kind.talk_s,
                prefix=f"soak{number}x",
                sound=None if kind.is_silent else self._sound,
                keep_records=False,
                expects=kind.expects,
                **{"numbers": MANY} | kind.more,
            )
            for number, kind in enumerate(KINDS)
        ]
        self._ears = AgentPool(host=_HOST, port=0, rtp_port=self._sound.port, sound=self._sound)
        self._phones = Phones(server.sip, self._ears, staying=desks, passing=PASSING)
        self.desks = Desks(server.url, desks, tuple(OUTSIDE.values()))
        self._invites = 0
        self.calls = 0
        """Begun so far."""

    @property
    def live(self) -> int:
        """Calls that are not over."""
        return sum(pool.live for pool in self._pools)

    @property
    def failed(self) -> int:
        """Calls that went another way than they should."""
        wrong = sum(
            count
            for kind, pool in zip(KINDS, self._pools, strict=True)
            for status, count in pool.finished.items()
            if status not in kind.expects
        )
        return wrong + sum(pool.lost for pool in self._pools)

    @property
    def registers(self) -> Counter[int]:
        """What the phones were answered."""
        return self._phones.answers

    def outcomes(self) -> dict[str, dict[str, int]]:
        """Calls that are over, by kind and final status."""
        return {
            kind.name: {str(status): count for status, count in sorted(pool.finished.items())}
            for kind, pool in zip(KINDS, self._pools, strict=True)
        }

    def odd(self) -> list[str]:
        """The first few calls of each kind that went another way than they should, in words."""
        return [
            f"{record.token} ({kind.name}): {record.status} {record.ended - record.invited:.1f} s "
            f"after its INVITE{', its BYE unanswered' if record.is_lost else ''}"
            for kind, pool in zip(KINDS, self._pools, strict=True)
            for record in pool.odd
        ]

    async def open(self) -> None:
        """Bind everything."""
        await self._agents.open()
        await self._carrier.open()
        for pool in self._pools:
            await pool.open()
        await self._phones.open()
        self._sound.open()
        await self.probe.open()

    async def close(self) -> None:
        """Let everything go."""
        await self.probe.close()
        await self._sound.close()
        self._phones.close()
        self._agents.close()
        self._carrier.close()
        for pool in self._pools:
            pool.close()

    async def run(self, calls: int) -> None:
        """Begin `calls` calls at the rate, on an absolute schedule, and wait until all are over."""
        order = _order()
        async with asyncio.TaskGroup() as tasks:
            desks = tasks.create_task(self.desks.run())
            beside = [tasks.create_task(work) for work in (self._phones.run(), self.probe.run())]
            await self.desks.wait_ready()
            begin, first = time.monotonic(), self.calls
            while self.calls < first + calls:
                pause = begin + (self.calls - first) / self._rate - time.monotonic()
                if pause > 0:
                    await asyncio.sleep(pause)
                self._pools[order[self.calls % len(order)]].dial()
                self.calls += 1
                if self.calls % _FORGET_EVERY == 0:
                    for pool in (self._agents, self._carrier, self._ears):
                        pool.invited.clear()
            for callers in self._pools:
                await callers.all_over()
            self.desks.end()
            await desks
            await self.probe.finish()
            for task in beside:
                task.cancel()
        self._phones.unregister()

    def _mood(self, invite: bytes) -> int:
        """How an agent answers; the probes' agents do at once."""
        if b"probe" in invite:
            return 200
        self._invites += 1
        if self._invites % _DEAD_EVERY == 0:
            return 0
        return 180 if self._invites % _RINGS_EVERY == 0 else 200


def _carry(invite: bytes) -> int:
    """How the carrier answers an INVITE."""
    number = re.match(rb"INVITE sip:([^@]+)@", invite)
    return _CARRIED.get(number[1].decode()[-3:] if number else "", 404)


def _order() -> list[int]:
    """Five hundred calls, the kinds spread evenly."""
    slots = sorted(
        ((place + 0.5) / kind.share, number)
        for number, kind in enumerate(KINDS)
        for place in range(kind.share)
    )
    return [number for _, number in slots]
