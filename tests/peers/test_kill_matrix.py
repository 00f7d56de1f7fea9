"""Each process is killed at each stage of a call, with real phones whose tones are measured through it.

    call agent      what everybody hears goes on without a gap; the call goes on where it stood
    media gateway   everybody is told within a second, history has the cause, the next call is taken

Two cells run in each test run, one for either process; all of them in `make soak`. What a stage means is
said by its class, which is a line of the table in docs/survival.md.
"""

from __future__ import annotations

import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import pytest
import pytest_asyncio

from recordings import mulaw
from tests.kit.hearing import Ear, heard_through, until_loudest
from tests.kit.lab import ROOT, Lab
from tests.kit.pjsip import OneCall
from tests.kit.scene import Scene

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

TOLD_S: Final = 1.0
"""From the death of the gateway to the end at each phone, by that phone's own word."""
MUSIC_HZ: Final = 2320.0
"""The music of this lab is one tone, so that a gap in it can be seen."""
RING_BACK_HZ, RING_BACK_PAUSE_S, RING_BACK_LEVEL = 440.0, 4.0, 600.0
MENU, CALLING_BACK = "4900", "4901"
"""Entries of ours: a menu that transfers to 1030, and a queue that calls back whom we cut off."""
OUTSIDE, OUTSIDE_HZ = "+12025550142", 1720

Row = tuple[str, str]
ANSWERED: Final[Row] = ("answered", "caller-hung-up")
CUT_OFF: Final[Row] = ("answered", "gateway-lost")
FAILED: Final[Row] = ("failed", "gateway-lost")
NEXT: Final[Row] = ("menu", "caller-hung-up")
"""Results and reasons in history; the last is of the call that the next gateway takes."""


def site(folder: Path) -> Path:
    """The lab with a tone for music, phones that ring for long, and two more entries."""
    prompts, flows = folder / "prompts", folder / "flows"
    (prompts / "music").mkdir(parents=True)
    tone = 8000 * np.sin(2 * np.pi * MUSIC_HZ * np.arange(8000) / 8000)
    (prompts / "music" / "default.ulaw").write_bytes(mulaw.encode(tone.astype(np.int16)).tobytes())
    flows.mkdir()
    (flows / "transfer.yaml").write_text(
        "start: greet\nnodes:\n"
        "  greet: {verb: say, prompts: [connecting], next: to}\n"
        '  to: {verb: transfer, number: "1030"}\n'
    )
    text = (ROOT / "config" / "lab.toml").read_text()
    for old, new in (
        ("[site]\n", f'[site]\nprompts = "{prompts}"\nflows = "{flows}"\n'),
        ("ring_timeout_s = 20", "ring_timeout_s = 60"),
        ("wrap_up_s = 5", "wrap_up_s = 0"),
        ('title = "Sales"\n', 'title = "Sales"\nannounce_first_s = 0\n'),
        ('title = "Support"\n', 'title = "Support"\ncall_back_when_lost = true\n'),
        ("campaigns = true ", "call_backs = true "),
    ):
        assert old in text, f"config/lab.toml has no {old!r}"
        text = text.replace(old, new)
    text += f'\n[[entries]]\nnumber = "{MENU}"\nflow = "transfer"\n'
    text += f'\n[[entries]]\nnumber = "{CALLING_BACK}"\nqueue = "support"\n'
    path = folder / "matrix.toml"
    path.write_text(text)
    return path


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    async with Lab(folder, config=site(folder), tolerates=("media gateway", "gateway")) as running:
        yield running


class Stage(ABC):
    """A call that is led up to a point, and goes on from there."""

    went_on: ClassVar[tuple[Row, ...]] = (ANSWERED,)
    """What history has when the call agent was killed."""
    cut_off: ClassVar[tuple[Row, ...]] = (CUT_OFF, NEXT)
    """And when the gateway was."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    @abstractmethod
    async def reach(self) -> None:
        """Lead the call up to this stage."""

    def heard(self) -> list[Ear]:
        """What must be heard all the time."""
        return []

    @abstractmethod
    async def go_on(self) -> None:
        """Do what comes next."""

    async def told(self) -> float:
        """Wait until everybody is told of the end; when that was."""
        return max([(await party.ended())[1] for party in self.scene.parties if party.call])

    async def afterwards(self) -> None:
        """Another gateway is there: the next call is taken, and heard."""
        customer = self.scene.parties[0]
        echo = f"sip:4002@{self.scene.lab.host}:{self.scene.lab.sip_port}"
        customer.call = await customer.phone.call(echo)
        await customer.phone.established(customer.call)
        await until_loudest(customer.phone, customer.call, customer.pitch)


class Waiting(Stage):
    """A caller waits in a queue, with music."""

    cut_off = (FAILED, NEXT)

    async def reach(self) -> None:
        self.customer = await self.scene.customer("4001")
        await self.customer.phone.established(self.customer.call)
        await until_loudest(self.customer.phone, self.customer.call, MUSIC_HZ)

    def heard(self) -> list[Ear]:
        return [self.customer.hears(MUSIC_HZ)]

    async def go_on(self) -> None:
        agent = await self.scene.phone("baresip", "1001")
        await agent.answer()
        await self.scene.hear(_12025550103="1001", _1001="12025550103")


class Forking(Stage):
    """The agent who is offered the call has two phones; both ring."""

    cut_off = (FAILED, NEXT)

    async def reach(self) -> None:
        self.first = await self.scene.phone("baresip", "1001")
        self.second = await self.scene.phone("pjsua2", "1001")
        await self.scene.lab.agent_is("1001", "available")
        self.customer = await self.scene.customer("4001")
        await self.first.rings()
        await self.second.rings()

    async def go_on(self) -> None:
        await self.second.pick_up()
        await self.customer.phone.established(self.customer.call)
        await self.first.ended()
        await self.scene.hear(_12025550103="1001", _1001="12025550103")

    async def told(self) -> float:
        status, at = await self.customer.ended()
        assert status == 503
        return max(at, await super().told())


class EarlyMedia(Stage):
    """A phone calls outside, and hears the carrier before the answer."""

    went_on = ()
    cut_off = (NEXT,)

    async def reach(self) -> None:
        lab = self.scene.lab
        self.carrier = await OneCall.start(
            "answer", port=lab.out_port, early_s=60.0, hum_hz=OUTSIDE_HZ, talk_s=60.0
        )
        self.scene.phones.push_async_callback(self.carrier.kill)
        await self.carrier.until("STARTING --> RUNNING")
        self.caller = await self.scene.phone("pjsua2", "1001")
        self.caller.call = await self.caller.phone.call(OUTSIDE)
        await self.caller.phone.ringing(self.caller.call)
        await until_loudest(self.caller.phone, self.caller.call, OUTSIDE_HZ)

    def heard(self) -> list[Ear]:
        return [self.caller.hears(OUTSIDE_HZ)]

    async def go_on(self) -> None:
        self.carrier.answer()
        await self.caller.phone.established(self.caller.call)
        await until_loudest(self.caller.phone, self.caller.call, OUTSIDE_HZ)
        await self.caller.phone.hang_up(self.caller.call)
        self.caller.call = ""
        await self.carrier.over()

    async def told(self) -> float:
        status, at = await self.caller.ended()
        assert status == 503
        await self.carrier.until("CANCEL sip:")
        return max(at, time.monotonic())


class Talk(Stage):
    """A customer talks to agent 1001."""

    async def reach(self) -> None:
        self.customer, self.agent = await self.scene.talk("baresip", "pjsua2")
        await self.scene.hear(_12025550103="1001", _1001="12025550103")

    def heard(self) -> list[Ear]:
        return [self.customer.hears(self.agent.pitch), self.agent.hears(self.customer.pitch)]

    async def go_on(self) -> None:
        await self.scene.hear(_12025550103="1001", _1001="12025550103")


class Held(Talk):
    """The agent has put the customer on hold, by its phone."""

    async def reach(self) -> None:
        await super().reach()
        self.agent.phone.process.hold(self.agent.call)
        await self.scene.lab.agent_is("1001", "held")
        await until_loudest(self.customer.phone, self.customer.call, MUSIC_HZ)

    def heard(self) -> list[Ear]:
        return [self.customer.hears(MUSIC_HZ)]

    async def go_on(self) -> None:
        self.agent.phone.process.resume(self.agent.call)
        await self.scene.lab.agent_is("1001", "talking")
        await super().go_on()


class PhoneTransfers(Talk):
    """The agent's phone has transferred the customer to one who rings; the customer hears ring-back."""

    async def reach(self) -> None:
        await super().reach()
        self.target = await self.scene.phone("baresip", "1030")
        self.agent.phone.process.transfer(self.agent.call, "1030")
        await self.target.rings()

    def heard(self) -> list[Ear]:
        ear = self.customer.hears(RING_BACK_HZ)
        return [replace(ear, pause_s=RING_BACK_PAUSE_S, level=RING_BACK_LEVEL)]

    async def go_on(self) -> None:
        await self.target.pick_up()
        await self.agent.ended()
        await self.scene.hear(_12025550103="1030", _1030="12025550103")


class MenuTransfers(Stage):
    """A menu has answered, and transfers to a phone that rings; the caller hears music."""

    went_on = (("direct", "caller-hung-up"),)
    cut_off = (FAILED, NEXT)

    async def reach(self) -> None:
        self.target = await self.scene.phone("baresip", "1030")
        self.customer = await self.scene.customer(MENU, rings=False)
        await self.target.rings()
        await until_loudest(self.customer.phone, self.customer.call, MUSIC_HZ)

    def heard(self) -> list[Ear]:
        return [self.customer.hears(MUSIC_HZ)]

    async def go_on(self) -> None:
        await self.target.pick_up()
        await self.scene.hear(_12025550103="1030", _1030="12025550103")


class HangingUp(Talk):
    """The customer has hung up, and the agent's phone does not answer our BYE: its process stands still."""

    cut_off = (ANSWERED, NEXT)

    async def reach(self) -> None:
        await super().reach()
        os.kill(self.agent.phone.process.pid, signal.SIGSTOP)
        self.customer.phone.process.hang_up(self.customer.call)
        await self.customer.ended()

    def heard(self) -> list[Ear]:
        return []

    async def go_on(self) -> None:
        await self.told()
        await self.scene.lab.agent_is("1001", "available")

    async def told(self) -> float:
        os.kill(self.agent.phone.process.pid, signal.SIGCONT)
        return (await self.agent.ended())[1]


class Consultation(Talk):
    """The agent asks a colleague; the customer hears music."""

    async def reach(self) -> None:
        await super().reach()
        self.colleague = await self.scene.phone("baresip", "1030")
        await self.scene.do("consult", {"number": "1030"})
        await self.colleague.answer()
        await self.scene.hear(_12025550103="music", _1001="1030", _1030="1001")

    def heard(self) -> list[Ear]:
        return [
            self.customer.hears(MUSIC_HZ),
            self.agent.hears(self.colleague.pitch),
            self.colleague.hears(self.agent.pitch),
        ]

    async def go_on(self) -> None:
        await self.scene.do("consult/complete")
        await self.agent.ended()
        await self.scene.hear(_12025550103="1030", _1030="12025550103")


class Conference(Consultation):
    """All three talk."""

    async def reach(self) -> None:
        await super().reach()
        await self.scene.do("consult/join")
        await self.all_hear_all()

    def heard(self) -> list[Ear]:
        three = (self.customer, self.agent, self.colleague)
        return [one.hears(*(each.pitch for each in three if each is not one)) for one in three]

    async def all_hear_all(self) -> None:
        """Each hears the two others."""
        await self.scene.hear(
            _12025550103="1001 1030", _1001="12025550103 1030", _1030="12025550103 1001"
        )

    async def go_on(self) -> None:
        await self.all_hear_all()
        self.agent.phone.process.hang_up(self.agent.call)
        await self.agent.ended()
        await self.scene.hear(_12025550103="1030", _1030="12025550103")


class Supervision(Talk):
    """A supervisor whispers to the agent: the customer does not hear that."""

    async def reach(self) -> None:
        await super().reach()
        self.boss = await self.scene.phone("pjsua2", "1040")
        await self.scene.do("supervise", {"role": "whisper", "phone": "1040"}, "super")
        await self.boss.answer()
        await self.is_whispered()

    async def is_whispered(self) -> None:
        """The agent alone hears the supervisor, who hears both."""
        await self.scene.hear(
            _12025550103="1001", _1001="12025550103 1040", _1040="12025550103 1001"
        )

    def heard(self) -> list[Ear]:
        return [
            self.customer.hears(self.agent.pitch),
            self.agent.hears(self.customer.pitch, self.boss.pitch),
            self.boss.hears(self.customer.pitch, self.agent.pitch),
        ]

    async def go_on(self) -> None:
        await self.is_whispered()
        await self.scene.do("supervise", {"role": "barge", "phone": "1040"}, "super")
        await self.scene.hear(
            _12025550103="1001 1040", _1001="12025550103 1040", _1040="12025550103 1001"
        )


class Parked(Talk):
    """The agent's phone has put the call into a parking place, where it hears music."""

    async def reach(self) -> None:
        await super().reach()
        self.agent.phone.process.transfer(self.agent.call, "705")
        await self.agent.ended()
        await until_loudest(self.customer.phone, self.customer.call, MUSIC_HZ)

    def heard(self) -> list[Ear]:
        return [self.customer.hears(MUSIC_HZ)]

    async def go_on(self) -> None:
        reply = await self.scene.lab.post("/api/v1/parked/705/fetch", {}, "1001")
        assert reply.status_code == 202, reply.text
        await self.agent.answer()
        await super().go_on()

    async def afterwards(self) -> None:
        assert await self.scene.lab.get("/api/v1/parked") == []
        await super().afterwards()


class CalledBack(Stage):
    """A gateway was lost while a caller waited; the queue calls back, and the caller's phone rings."""

    went_on = cut_off = (FAILED, ("answered", "callee-hung-up"))

    async def reach(self) -> None:
        scene, lab = self.scene, self.scene.lab
        customer = await scene.customer(CALLING_BACK)
        await customer.phone.established(customer.call)
        self.line = await scene.phone("baresip", customer.name, registers=False, port=lab.out_port)
        await lab.kill_gateway()
        await customer.ended()
        await self.line.rings()

    async def go_on(self) -> None:
        await self.line.pick_up()
        agent = await self.scene.phone("pjsua2", "1030")
        await agent.answer()
        await until_loudest(self.line.phone, self.line.call, agent.pitch)
        await until_loudest(agent.phone, agent.call, self.line.pitch)
        self.line.phone.process.hang_up(self.line.call)
        await self.line.ended()
        await agent.ended()

    async def afterwards(self) -> None:
        """It is called again."""
        await self.line.rings()
        await self.go_on()


async def the_call_agent(lab: Lab, stage: Stage) -> tuple[Row, ...]:
    """Nobody notices; the call goes on."""
    await heard_through(lab.restart, *stage.heard())
    await stage.go_on()
    return stage.went_on


async def the_gateway(lab: Lab, stage: Stage) -> tuple[Row, ...]:
    """All are told within a second; the next gateway takes calls."""
    killed = await lab.kill_gateway()
    assert await stage.told() - killed < TOLD_S
    await lab.takes_calls()
    await stage.afterwards()
    return stage.cut_off


STAGES: Final = (
    Waiting,
    Forking,
    EarlyMedia,
    Talk,
    Held,
    PhoneTransfers,
    MenuTransfers,
    HangingUp,
    Consultation,
    Conference,
    Supervision,
    Parked,
    CalledBack,
)
ALWAYS: Final = ((Conference, the_call_agent), (Forking, the_gateway))
"""The cells that are not left to `make soak`."""


def cells() -> list[Any]:
    """Each process at each stage: by turns, as gateways that die one after the other are waited for."""
    return [
        pytest.param(
            stage,
            process,
            id=f"{stage.__name__}-{process.__name__}",
            marks=[] if (stage, process) in ALWAYS else [pytest.mark.long],
        )
        for stage in STAGES
        for process in (the_call_agent, the_gateway)
    ]


@pytest.mark.parametrize(("stage", "is_killed"), cells())
async def test_is_killed(
    lab: Lab, stage: type[Stage], is_killed: Callable[[Lab, Stage], Awaitable[tuple[Row, ...]]]
) -> None:
    known = lab.query("select count(*) from interaction")[0][0]
    async with AsyncExitStack() as phones:
        scene = Scene(lab, phones)
        at = stage(scene)
        await at.reach()
        rows = await is_killed(lab, at)
        await scene.leave()
    later = f"order by started_at limit -1 offset {known}"
    await lab.rows_are(f"select result, reason from interaction {later}", *rows)
